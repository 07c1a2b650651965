/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ENDPOINTS: the peer is told where else we are, and tells us. All but
 * sss_announce_work() under the channel lock.
 */
#ifndef _SSS_CHANNEL_ANNOUNCE_H
#define _SSS_CHANNEL_ANNOUNCE_H

#include "channel/channel.h"

/* To whom: sysctl announce_endpoints */
enum sss_announce {
	SSS_ANNOUNCE_NOBODY,
	SSS_ANNOUNCE_CONFIGURED,	/* peers that were configured */
	SSS_ANNOUNCE_ALL,
};

/**
 * struct sss_heard - the newest ENDPOINTS frame of the peer
 * @number: of its packet
 * @list: what it says
 */
struct sss_heard {
	u64 number;
	struct sss_frame_endpoints list;
};

void __sss_announce_forget(struct sss_channel *ch);
void __sss_announce_want(struct sss_channel *ch);
void __sss_announce_put(struct sss_channel *ch, struct sss_tx_packet *pkt);
void __sss_announce_lost(struct sss_channel *ch, const struct sss_sent_frame *frame);
int __sss_announce_heard(struct sss_channel *ch, const struct sss_frame_endpoints *list,
			 u64 number);
void sss_announce_work(struct sss_channel *ch);

#endif /* _SSS_CHANNEL_ANNOUNCE_H */
