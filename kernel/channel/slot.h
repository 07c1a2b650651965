/* SPDX-License-Identifier: GPL-2.0 */
/* Slots: INITIATEs that were answered, until they are confirmed and a little longer. */
#ifndef _SSS_CHANNEL_SLOT_H
#define _SSS_CHANNEL_SLOT_H

#include <linux/kref.h>
#include "channel/handshake.h"

/**
 * struct sss_half_open - an INITIATE that was answered
 * @ref: references
 * @node: in sss_handshakes.slots
 * @listed: it is there (sss_handshakes.slots_lock)
 * @sn: namespace, counts it
 * @hs: in whose list
 * @crowd: reference; where it came from, or the configured peer
 * @configured: the peer was when it called
 * @crowd_node: in sss_crowd.slots; empty: it is not (sss_net.crowds_lock)
 * @pair: its keys; reference while in the list
 * @eid: who sent it
 * @born: ns
 * @alone: the peer had no channel, or it has gone (sss_handshakes.slots_lock)
 * @anew: the state it called from was not the one that its channel had
 * @left: the incarnation was that of a state in use, now over, and no channel we make is
 *	to have it (sss_handshakes.slots_lock)
 * @incarnation: of ours that the RESPOND says
 * @remote_incarnation: what the INITIATE said
 * @next_number: what the RESPOND says
 * @params: what the INITIATE said
 * @noise: tells a duplicate
 * @respond: the answer, complete
 * @answered: ns, when it went out last, WRITE_ONCE
 * @from: where the INITIATE came from
 * @elsewhere: and a copy came from somewhere else, WRITE_ONCE
 *
 * Constant once in the list, but for @alone, @left, @answered and @elsewhere.
 */
struct sss_half_open {
	struct kref ref;
	struct list_head node;
	bool listed;
	struct sss_net *sn;
	struct sss_handshakes *hs;
	struct sss_crowd *crowd;
	bool configured;
	struct list_head crowd_node;
	struct sss_keypair *pair;
	struct sss_eid eid;
	u64 born;
	bool alone;
	bool anew;
	bool left;
	u64 incarnation;
	u64 remote_incarnation;
	u64 next_number;
	struct sss_params params;
	struct sss_noise_handshake noise;
	struct sss_msg_respond respond;
	u64 answered;
	union sss_endpoint from;
	bool elsewhere;
};

void sss_slot_put(struct sss_half_open *slot);
bool sss_slot_end(struct sss_half_open *slot);
void sss_slot_add(struct sss_handshakes *hs, struct sss_half_open *slot);
bool sss_slot_make_room(struct sss_net *sn, struct sss_crowd *c);
void __sss_slot_part(struct sss_channel *ch);
void __sss_slot_forget(struct sss_channel *ch, const u8 stamp[SSS_HS_STAMP_LEN]);
struct sss_half_open *sss_slot_find_same(struct sss_handshakes *hs,
					 const struct sss_msg_initiate *msg,
					 const union sss_endpoint *from);
u64 sss_slot_find_incarnation(struct sss_handshakes *hs, const u8 eid[SSS_HS_EID_LEN],
			      u64 remote_incarnation, u64 not, u64 *next_number, bool *left);

#endif /* _SSS_CHANNEL_SLOT_H */
