/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one timer of a channel. Every deadline there is:
 *
 *	what		when					then
 *	loss		a packet sent before one acknowledged	declare it lost
 *	probe		PTO after the last eliciting packet	send probes, link STALLED
 *	ack		max_ack_delay after an eliciting packet	send ACK
 *	pace		the pacer lets the next batch go	transmit
 *	initiate	back-off of a handshake under way	send INITIATE again
 *	connect		connect_timeout without a channel	connects fail
 *	resolve		where the peer is was not answered	ask again, or give up
 *	keys		a key pair is erase_ms old		erase it
 *	idle		idle_timeout without a stream		CLOSE
 *	down		down_timeout without an answer		link DOWN
 *	keepalive	keepalive_ms after the last packet came	send PING, for SO_KEEPALIVE
 *	path		an endpoint tried has not answered	challenge it again
 *	tick		sss_channel_ops.tick			the stream floor's
 */
#ifndef _SSS_CHANNEL_TIMER_H
#define _SSS_CHANNEL_TIMER_H

#include "channel/channel.h"

/* What the channel's work item is to do in process context (work_bits) */
enum sss_channel_work {
	SSS_WORK_INITIATE,	/* make or re-send an INITIATE */
	SSS_WORK_TIMER,		/* a deadline that needs process context */
	SSS_WORK_ENDPOINTS,	/* learn what the peer said of its endpoints */
	SSS_WORK_CLOSE,		/* end streams, leave the peer */
	SSS_WORK_FREE,		/* last reference gone */
};

void sss_timer_init(struct sss_channel *ch);
void __sss_timer_update(struct sss_channel *ch);
void __sss_timer_tick(struct sss_channel *ch, u64 at);
void __sss_timer_keys(struct sss_channel *ch, u64 now);
void sss_timer_cancel(struct sss_channel *ch);

static inline u64 sss_timer_min(u64 a, u64 b)
{
	return !a ? b : !b ? a : min(a, b);
}

#endif /* _SSS_CHANNEL_TIMER_H */
