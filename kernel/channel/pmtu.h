/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Path MTU discovery by probing (RFC 8899): a packet of PING and padding of
 * the size tried; acknowledged, it is the new size. The device's MTU is tried
 * first, then halves of what is left.
 */
#ifndef _SSS_CHANNEL_PMTU_H
#define _SSS_CHANNEL_PMTU_H

#include "channel/channel.h"

void __sss_pmtu_start(struct sss_channel *ch, u64 now);
bool sss_pmtu_due(const struct sss_channel *ch, u64 now);
void __sss_pmtu_sent(struct sss_channel *ch);
void __sss_pmtu_acked(struct sss_channel *ch, u32 size);
void __sss_pmtu_lost(struct sss_channel *ch, u32 size, u64 sent_at);

#endif /* _SSS_CHANNEL_PMTU_H */
