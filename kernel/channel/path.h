/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the peer is: paths that change, are tried and are given up (RFC 9000
 * sections 8.2 and 9). All under the channel lock.
 */
#ifndef _SSS_CHANNEL_PATH_H
#define _SSS_CHANNEL_PATH_H

#include "channel/channel.h"

#define SSS_PATH_ASIDE_LEN	33	/* PATH_CHALLENGE or PATH_RESPONSE in a packet of its own */

void __sss_path_begin(struct sss_channel *ch, const union sss_endpoint *to, bool proved, u64 now);
void __sss_path_change(struct sss_channel *ch, const union sss_endpoint *to, u64 now);
bool __sss_path_is_settled(const struct sss_channel *ch, u64 now);
bool __sss_path_stays(const struct sss_channel *ch, const union sss_endpoint *to);
void __sss_path_start_afresh(struct sss_channel *ch, u64 now);
void __sss_path_received(struct sss_channel *ch, const union sss_endpoint *from, u32 len,
			 bool newest, bool probing, u64 now);
void __sss_path_challenged(struct sss_channel *ch, const struct sss_frame_path *frame,
			   const union sss_endpoint *from);
void __sss_path_answered(struct sss_channel *ch, const struct sss_frame_path *frame, u64 now);
void __sss_path_on_pto(struct sss_channel *ch, u64 now);
u64 __sss_path_deadline(struct sss_channel *ch);
void __sss_path_on_timer(struct sss_channel *ch, u64 now);
void __sss_path_seek_direct(struct sss_channel *ch);
u32 __sss_path_room(const struct sss_channel *ch);
bool __sss_path_next(struct sss_channel *ch, struct sss_frame *frame, union sss_endpoint *to);
int sss_path_get_endpoint(struct sss_channel *ch, bool local, union sss_endpoint *ep);

#endif /* _SSS_CHANNEL_PATH_H */
