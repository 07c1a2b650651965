/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Explicit congestion notification (RFC 3168, RFC 9000 section 13.4): routers
 * that mark packets instead of dropping them. All under the channel lock.
 */
#ifndef _SSS_CHANNEL_ECN_H
#define _SSS_CHANNEL_ECN_H

#include "channel/channel.h"

struct sk_buff;

u8 sss_ecn_of(const struct sk_buff *skb);
void sss_ecn_init(struct sss_ecn *ecn);
void sss_ecn_new_path(struct sss_ecn *ecn);
u8 sss_ecn_mark(const struct sss_channel *ch);
void __sss_ecn_received(struct sss_channel *ch, u8 field);
const u64 *sss_ecn_counts(const struct sss_channel *ch);
bool __sss_ecn_on_ack(struct sss_channel *ch, const struct sss_frame_ack *ack, u64 marked);
void __sss_ecn_on_pto(struct sss_channel *ch);

#endif /* _SSS_CHANNEL_ECN_H */
