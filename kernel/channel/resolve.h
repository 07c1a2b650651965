/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Questions about peers: where is it? A helper in userspace answers, through
 * netlink. One question serves all programs that want the peer; it belongs to the
 * channel, which is NEW and without a place to send to while nobody knows any.
 */
#ifndef _SSS_CHANNEL_RESOLVE_H
#define _SSS_CHANNEL_RESOLVE_H

#include <linux/types.h>

struct sss_channel;
struct sss_eid;
struct sss_host;
union sss_endpoint;

/**
 * struct sss_asking - what a channel asks about its peer; under the channel lock
 * @pending: asked and not answered; counted in the namespace
 * @blind: no endpoint is known: what connects waits for the answer
 * @until: ns, when it counts as not answered
 * @next_at: ns, when the question is sent next, 0: not
 * @last_at: ns, when it was sent last
 * @interval: ns, from @next_at to the one after that
 * @share: of whom it was asked, place in sss_net.questions_of; -1: an administrator,
 *	or no program
 */
struct sss_asking {
	bool pending;
	bool blind;
	u64 until;
	u64 next_at;
	u64 last_at;
	u64 interval;
	int share;
};

void __sss_resolve_for(struct sss_channel *ch);
int __sss_resolve_ask(struct sss_channel *ch, u64 since);
bool __sss_resolve_is_blind(const struct sss_channel *ch);
void __sss_resolve_begin(struct sss_channel *ch);
void __sss_resolve_hurry(struct sss_channel *ch);
void __sss_resolve_end(struct sss_channel *ch);
u64 __sss_resolve_deadline(const struct sss_channel *ch);
void __sss_resolve_on_timer(struct sss_channel *ch, u64 now);
int sss_resolve_answer(struct sss_host *host, const struct sss_eid *eid,
		       const union sss_endpoint *ep, unsigned int n);
void sss_resolve_refuse(struct sss_host *host, const struct sss_eid *eid, int err);

#endif /* _SSS_CHANNEL_RESOLVE_H */
