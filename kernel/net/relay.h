/* SPDX-License-Identifier: GPL-2.0 */
/* Packets that go through a relay: an outer header, then the packet as it is. */
#ifndef _SSS_NET_RELAY_H
#define _SSS_NET_RELAY_H

#include <linux/skbuff.h>

int sss_relay_wrap(struct sk_buff *skb, __be64 session);
struct sk_buff *sss_relay_unwrap(struct sk_buff *skb, unsigned int *at, __be64 *session);

#endif /* _SSS_NET_RELAY_H */
