/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Transmission: packets are filled under the channel lock, sealed outside it,
 * and leave in the order of their numbers as GSO super-packets.
 */
#ifndef _SSS_CHANNEL_TX_H
#define _SSS_CHANNEL_TX_H

#include "channel/channel.h"

#define SSS_TX_BATCH_MAX 64	/* packets of one super-packet */

/**
 * struct sss_sent - a packet that left, until its fate is known
 * @node: in sss_loss.sent or .gone
 * @number: packet number
 * @at: ns, when it was sent
 * @size: UDP payload bytes
 * @eliciting: the peer must acknowledge it
 * @marked: it left with ECT(0)
 * @counted: it counts as in flight (an MTU probe does not)
 * @moved: the path became another one meanwhile
 * @background: its data are of streams in the background
 * @n_frames: of @frames
 * @frames: what it carried
 */
struct sss_sent {
	struct list_head node;
	u64 number;
	u64 at;
	u32 size;
	bool eliciting;
	bool counted;
	bool marked;
	bool moved;
	bool background;
	u8 n_frames;
	struct sss_sent_frame frames[];
};

bool __sss_tx_control_wanted(const struct sss_channel *ch);

#endif /* _SSS_CHANNEL_TX_H */
