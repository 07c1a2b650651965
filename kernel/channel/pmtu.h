/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Path MTU discovery by probing (RFC 8899): a packet of PING and padding of the
 * size tried; acknowledged, it is the new size. What the device takes is tried
 * first, then halves of what is left. ICMP is not listened to.
 *
 *          probe arrived, or lost three times          nothing worth a probe left
 *             +---------+                             +----------------+
 *   start --> | search  | --------------------------> |  done          |
 *             |         | <-- 600 s later, on sending |                |
 *             +---------+                             +----------------+
 *                  ^   black hole: full packets vanish, small ones pass   |
 *                  +---- back to the least size --------------------------+
 */
#ifndef _SSS_CHANNEL_PMTU_H
#define _SSS_CHANNEL_PMTU_H

#include "channel/channel.h"
#include "channel/tx.h"

void __sss_pmtu_start(struct sss_channel *ch, u64 now);
bool __sss_pmtu_due(struct sss_channel *ch, u64 now);
void __sss_pmtu_sent(struct sss_channel *ch, u64 number);
void __sss_pmtu_no_memory(struct sss_channel *ch, u64 now);
void __sss_pmtu_acked(struct sss_channel *ch, const struct sss_sent *s, u64 now);
void __sss_pmtu_lost(struct sss_channel *ch, const struct sss_sent *s, u64 now);
void sss_pmtu_too_big(struct sss_channel *ch, const union sss_endpoint *to, u32 size);
u32 sss_pmtu_size(const struct sss_channel *ch);

#endif /* _SSS_CHANNEL_PMTU_H */
