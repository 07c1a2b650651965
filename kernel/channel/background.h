/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streams in the background have a congestion window of their own inside the
 * channel's, of the algorithm that gives way.
 */
#ifndef _SSS_CHANNEL_BACKGROUND_H
#define _SSS_CHANNEL_BACKGROUND_H

#include "channel/cong.h"

struct sss_channel;

/**
 * struct sss_background - what they have; the channel's lock protects it
 * @cong: their congestion window, together
 * @in_flight: bytes of packets whose data are all theirs
 * @started: something was sent in it on this path
 */
struct sss_background {
	struct sss_cong cong;
	u64 in_flight;
	bool started;
};

void sss_background_init(struct sss_background *bg, u32 max_datagram);
bool __sss_background_may_send(struct sss_channel *ch);
void __sss_background_sent(struct sss_channel *ch, u32 size);

#endif /* _SSS_CHANNEL_BACKGROUND_H */
