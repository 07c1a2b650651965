/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loss detection and probe timeouts, RFC 9002 section 6. All under the channel
 * lock.
 */
#ifndef _SSS_CHANNEL_LOSS_H
#define _SSS_CHANNEL_LOSS_H

#include "channel/channel.h"

struct sss_sent;

void sss_loss_init(struct sss_loss *loss);
void __sss_loss_sent(struct sss_channel *ch, struct sss_sent *sent);
int __sss_loss_on_ack(struct sss_channel *ch, const struct sss_frame_ack *ack, u64 now);
u64 __sss_loss_deadline(const struct sss_channel *ch);
void __sss_loss_on_timer(struct sss_channel *ch, u64 now);
void __sss_loss_of_frames(struct sss_channel *ch, const struct sss_sent_frame *frame,
			  unsigned int n);
void __sss_loss_new_path(struct sss_channel *ch);
void __sss_loss_forget(struct sss_channel *ch, bool requeue);

#endif /* _SSS_CHANNEL_LOSS_H */
