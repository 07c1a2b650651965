/* SPDX-License-Identifier: GPL-2.0 */
/* What peers can make us keep, and how many of them, for the other files of this floor */
#ifndef _SSS_STREAM_MEMORY_H
#define _SSS_STREAM_MEMORY_H

#include "stream/stream.h"

struct sss_crowd;

/* --- crowd.c --- */
int __sss_crowd_enter(struct sss_channel *ch);
int __sss_crowd_admit(struct sss_stream *st);
void sss_crowd_charge(struct sss_crowd *c, long bytes);
long sss_crowd_memory(const struct sss_crowd *c);
void __sss_crowd_settled(struct sss_stream *st);
void sss_crowd_leave(struct sss_channel *ch);

/* --- memory.c --- */
void sss_memory_add(struct sss_channel *ch, long bytes);
void sss_memory_pin(struct sss_channel *ch, struct sk_buff *skb, u32 whole, u32 share);
void sss_memory_unpin(struct sss_channel *ch, const struct sk_buff *skb, u32 share);
bool sss_memory_is_over(const struct sss_channel *ch);
bool sss_memory_is_tight(const struct sss_channel *ch);
bool __sss_memory_admits(struct sss_stream *st, const struct sss_frame_stream *frame);
void __sss_memory_settled(struct sss_stream *st, bool over);

#endif /* _SSS_STREAM_MEMORY_H */
