/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two queues of a stream; "T", "R" and "S" are the locks that stream.h
 * names.
 */
#ifndef _SSS_STREAM_QUEUES_H
#define _SSS_STREAM_QUEUES_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include "wire/ranges.h"
#include "wire/reasm.h"

/* What a program reads, see sss_recvq_set_mode() */
enum sss_rx_mode {
	SSS_RX_BYTES,		/* empty records are invisible */
	SSS_RX_RECORDS,		/* every mark shows */
	SSS_RX_WHOLE,		/* one read, one record */
};

struct sss_chunk;

/**
 * struct sss_txq - send queue
 * @lock: T
 * @chunks: unacknowledged data in order
 * @cursor: a chunk at or before @next, NULL: look from the first
 * @resend: likewise, where data was last sent again
 * @base: first offset not cumulatively acknowledged
 * @next: first offset never sent
 * @end: first offset not written yet
 * @limit: highest offset the peer's window allows
 * @acked: acknowledged above @base
 * @lost: to be sent again
 * @lost_one: storage of @lost until it needs more
 * @truesize: memory in @chunks
 * @charged: of it, to the socket (S)
 * @flight: most bytes under way since the send buffer was last tuned
 * @fin: no more will be written: the stream ends at @end
 * @fin_sent: and the peer was told; @fin_lost: tell again; @fin_acked: it knows
 * @hold: a partial packet waits for more (MSG_MORE)
 * @background: SSS_BACKGROUND: sent where others send nothing. C; READ_ONCE
 */
struct sss_txq {
	spinlock_t lock;
	u32 truesize;
	u32 charged;
	u32 flight;
	struct list_head chunks;
	struct sss_chunk *cursor;
	struct sss_chunk *resend;
	u64 base, next, end, limit;
	struct sss_ranges acked, lost;
	struct sss_range lost_one;
	bool fin, fin_sent, fin_acked, fin_lost;
	bool hold;
	bool background;
};

/**
 * struct sss_rxq - receive queue
 * @lock: R
 * @ready: struct sss_rxseg in order, up to re.edge
 * @early: struct sss_rxseg above it, by offset
 * @re: what has come (wire/reasm.h)
 * @read: first offset not read
 * @limit: what we told the peer it may send
 * @window: size of the window, autotuned
 * @window_at: when the window was last moved, us
 * @truesize: of all segments
 * @charged: of it, to the socket (S)
 * @discard: nobody will read: STOP was asked for; count but do not keep
 * @reset: the peer reset its direction
 * @mode: enum sss_rx_mode
 * @on_listener: @truesize stands on the listener's account
 */
struct sss_rxq {
	spinlock_t lock;
	u32 truesize;
	u32 charged;
	u32 window_at;
	struct list_head ready;
	struct rb_root early;
	struct sss_reasm re;
	u64 read;
	u64 limit;
	u32 window;
	u8 mode;
	bool discard;
	bool reset;
	bool on_listener;
};

#endif /* _SSS_STREAM_QUEUES_H */
