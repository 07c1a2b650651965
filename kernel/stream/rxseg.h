/* SPDX-License-Identifier: GPL-2.0 */
/* What recvq.c stores and readq.c reads */
#ifndef _SSS_STREAM_RXSEG_H
#define _SSS_STREAM_RXSEG_H

#include <linux/skbuff.h>
#include "stream/table.h"

#define SSS_MARK_COST	SKB_DATA_ALIGN(sizeof(struct sss_mark))

/**
 * struct sss_rxseg - received bytes
 * @node: in sss_rxq.ready
 * @rb: in sss_rxq.early
 * @skb: reference, NULL: the bytes are in @copy
 * @data: first byte not read
 * @offset: of it, in the stream's offset space
 * @len: bytes
 * @truesize: memory it stands for
 * @room: bytes that fit behind the last one (a copy)
 * @copy: the bytes, unless in @skb
 */
struct sss_rxseg {
	union {
		struct list_head node;
		struct rb_node rb;
	};
	struct sk_buff *skb;
	const u8 *data;
	u64 offset;
	u32 len;
	u32 truesize;
	u32 room;
	u8 copy[];
};

void sss_recvq_free_seg(struct sss_stream *st, struct sss_rxseg *seg);
void __sss_recvq_uncharge(struct sss_stream *st, u32 truesize);

#endif /* _SSS_STREAM_RXSEG_H */
