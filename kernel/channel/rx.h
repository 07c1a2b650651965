/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reception: what the UDP sockets hand up is sorted by channel (input.c),
 * decrypted outside the channel lock and applied in order of arrival (rx.c).
 */
#ifndef _SSS_CHANNEL_RX_H
#define _SSS_CHANNEL_RX_H

#include "channel/channel.h"
#include "net/udp.h"

extern const struct sss_net_ops sss_input_ops;

void sss_rx_enqueue(struct sss_channel *ch, struct sk_buff *skb,
		    const union sss_endpoint *from);
bool sss_rx_is_small(struct sss_channel *ch);
void sss_rx_run(struct sss_channel *ch);
void sss_rx_work(struct work_struct *work);
void sss_rx_purge(struct sss_channel *ch);

#endif /* _SSS_CHANNEL_RX_H */
