/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What initiate.c, which sends INITIATEs, and answered.c, which takes what
 * comes in answer, keep of a channel's own handshakes.
 */
#ifndef _SSS_CHANNEL_INITIATE_H
#define _SSS_CHANNEL_INITIATE_H

#include "channel/candidates.h"
#include "channel/channel.h"
#include "channel/resolve.h"
#include "crypto/index.h"
#include "crypto/noise.h"

#define SSS_INITIATE_KEEP	3	/* initiations that a RESPOND may answer */

/**
 * struct sss_initiation - one INITIATE that is awaiting RESPOND
 * @entry: its index
 * @rcu: frees it
 * @ch: whose, no reference
 * @noise: secrets
 * @remote: the peer's keys as they were, secret
 * @msg: with mac1
 * @born: ns
 * @started: event of the key ring
 * @next_number: what the message announces
 * @has_request: @request rides on it
 * @request: service wanted
 */
struct sss_initiation {
	struct sss_index_entry entry;
	struct rcu_head rcu;
	struct sss_channel *ch;
	struct sss_noise_handshake noise;
	struct sss_noise_remote remote;
	struct sss_msg_initiate msg;
	u64 born;
	u64 started;
	u64 next_number;
	bool has_request;
	struct sss_request request;
};

/**
 * struct sss_handshaking - a channel's own handshakes; under the channel lock
 * @wanted: until one is done
 * @queued: the work item is about to look
 * @up: the work item is to tell the streams that there are keys
 * @has_request: @request is to ride on the next message
 * @hint: another key seems to live there
 * @request: service wanted
 * @family: of the endpoints to try, AF_UNSPEC: all
 * @unasked: goes on without streams: the peer may be waiting
 * @everywhere: keys that serve are no reason to try only where they do
 * @list: newest first
 * @next_send: ns, 0: at once
 * @sent_at: ns, when the newest message went out last, cookies included
 * @interval: ns, to the one after that
 * @fail_at: ns, when the last connect fails, 0: all did
 * @sends: how often sent
 * @cookies: sent again because of a cookie since the last time
 * @stamp: of the newest INITIATE of the peer that was confirmed
 * @stale_at: ns, when an older one was answered, 0: never
 * @probes: what was sent to unproved endpoints
 * @told_bytes: at most, to those that the peer told, if nobody configured it
 * @asking: the question where the peer is
 */
struct sss_handshaking {
	bool wanted;
	bool queued;
	bool up;
	bool has_request;
	bool hint;
	struct sss_request request;
	int family;
	bool unasked;
	bool everywhere;
	struct sss_initiation *list[SSS_INITIATE_KEEP];
	u64 next_send;
	u64 sent_at;
	u64 interval;
	u64 fail_at;
	u32 sends;
	u32 cookies;
	u8 stamp[SSS_HS_STAMP_LEN];
	u64 stale_at;
	struct sss_probes probes[SSS_PEER_ENDPOINTS_MAX];
	u64 told_bytes;
	struct sss_asking asking;
};

struct sss_initiation *__sss_initiate_find(struct sss_channel *ch, u32 index);
void __sss_initiate_finish(struct sss_channel *ch);
void sss_initiate_send(struct sss_channel *ch, struct sss_msg_initiate *msg,
		       const union sss_endpoint *to);

#endif /* _SSS_CHANNEL_INITIATE_H */
