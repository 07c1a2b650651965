/* SPDX-License-Identifier: GPL-2.0 */
/* The one way to drop something that came: it is counted once, under its reason. */
#ifndef _SSS_BASE_DROP_H
#define _SSS_BASE_DROP_H

#include "base/netns.h"
#include "base/trace.h"

/**
 * sss_drop_packets() - packets are not received
 * @sn: namespace
 * @channel: id, 0: not known
 * @reason: SSS_MIB_DROP_*
 * @packets: how many: an skb may hold several
 *
 * Context: any.
 */
static inline void sss_drop_packets(const struct sss_net *sn, u32 channel,
				    enum sss_mib_id reason, u32 packets)
{
	this_cpu_add(sn->mib->value[reason], packets);
	trace_sss_packet_dropped(sn, 0, channel, reason, packets);
}

/**
 * sss_drop_handshake() - a handshake message, or what it began, comes to nothing
 * @sn: namespace
 * @host: id, 0: not known
 * @reason: SSS_MIB_HS_DROP_*, or SSS_MIB_HS_TIMEOUTS
 *
 * Context: any.
 */
static inline void sss_drop_handshake(const struct sss_net *sn, u32 host, enum sss_mib_id reason)
{
	this_cpu_inc(sn->mib->value[reason]);
	trace_sss_handshake_failed(sn, host, 0, reason, 1);
}

#endif /* _SSS_BASE_DROP_H */
