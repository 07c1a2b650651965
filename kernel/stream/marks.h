/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the records of a stream end: offsets of record marks. Streams without
 * records have nothing of this.
 */
#ifndef _SSS_STREAM_MARKS_H
#define _SSS_STREAM_MARKS_H

#include <linux/rbtree.h>
#include <linux/types.h>

#define SSS_MARKS_NONE	(~0ULL)

/**
 * struct sss_mark - a record mark
 * @rb: in a tree of them
 * @offset: its octet in the offset space
 */
struct sss_mark {
	struct rb_node rb;
	u64 offset;
};

/**
 * struct sss_records - what a stream with record marks has beyond others
 * @tx: marks not below tx.base; their octets are in chunks, never read. T, as what follows
 * @written: marks in all
 * @sent: of them, below tx.next
 * @acked: and below tx.base
 * @open_tx: where the record that is being written began (S)
 * @rx: marks not below rx.read; their octets are in segments, never shown. R, as what follows
 * @counted: @waiting counts marks below this offset
 * @open_rx: where the record that is arriving at rx.re.edge began
 * @read: marks below rx.read
 * @waiting: records that are complete: marks between rx.read and rx.re.edge
 */
struct sss_records {
	struct rb_root_cached tx;
	u64 written, sent, acked;
	u64 open_tx;
	struct rb_root_cached rx;
	u64 counted;
	u64 open_rx;
	u64 read;
	u32 waiting;
};

int sss_marks_init(void);
void sss_marks_exit(void);
struct sss_mark *sss_marks_alloc(gfp_t gfp);
void sss_marks_free(struct sss_mark *mark);
void sss_marks_add(struct rb_root_cached *marks, struct sss_mark *mark);
u64 __sss_marks_from(const struct rb_root_cached *marks, u64 offset);
u32 sss_marks_drop(struct rb_root_cached *marks, u64 start, u64 end);

/**
 * sss_marks_from() - the next mark
 * @marks: tree
 * @offset: where to begin
 *
 * Return: offset of the first mark not below @offset, or SSS_MARKS_NONE
 */
static inline u64 sss_marks_from(const struct rb_root_cached *marks, u64 offset)
{
	return RB_EMPTY_ROOT(&marks->rb_root) ? SSS_MARKS_NONE : __sss_marks_from(marks, offset);
}

#endif /* _SSS_STREAM_MARKS_H */
