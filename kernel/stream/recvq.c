// SPDX-License-Identifier: GPL-2.0
/*
 * Receive queue: what has come, until a program has read it.
 *
 *	read            edge                    highest
 *	 |    @ready     |   gap, @early, gap ... |
 *	 +---------------+------------------------+----> offset
 *
 * Bytes stay in the memory they were received in; a segment holds a reference.
 * Where it would pin four times its size or more they are copied, and small
 * copies that follow each other share one segment. A reader takes segments off
 * @ready under the lock and copies without it (readq.c).
 */
#include <linux/log2.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include "stream/rxseg.h"
#include "stream/table.h"

#define GAPS_FIRST	8
#define GAPS_MOST	2048
#define COPY_LEAST	256	/* memory of a copied segment, so that small ones share it */

static struct kmem_cache *cache;

/**
 * sss_recvq_init() - make the cache of segments
 *
 * Sleeps. Return: 0 or -ENOMEM.
 */
int __init sss_recvq_init(void)
{
	cache = KMEM_CACHE(sss_rxseg, 0);
	return cache ? 0 : -ENOMEM;
}

/**
 * sss_recvq_exit() - undo sss_recvq_init()
 */
void sss_recvq_exit(void)
{
	kmem_cache_destroy(cache);
}

/**
 * sss_recvq_setup() - an empty queue
 * @rx: zeroed
 */
void sss_recvq_setup(struct sss_rxq *rx)
{
	spin_lock_init(&rx->lock);
	INIT_LIST_HEAD(&rx->ready);
	rx->early = RB_ROOT;
	sss_reasm_init(&rx->re, NULL, 0);
}

static u64 seg_end(const struct sss_rxseg *seg)
{
	return seg->offset + seg->len;
}

/**
 * sss_recvq_free_seg() - free a segment that is in no queue
 * @st: its stream
 * @seg: it
 */
void sss_recvq_free_seg(struct sss_stream *st, struct sss_rxseg *seg)
{
	sss_gauge_dec(st->ch->sn, RX_SEGMENTS);
	if (!seg->skb) {
		kfree(seg);
		return;
	}
	sss_memory_unpin(st->ch, seg->skb, seg->truesize - sizeof(*seg));
	consume_skb(seg->skb);
	kmem_cache_free(cache, seg);
}

static struct sss_rxseg *keep_skb(struct sss_stream *st, const struct sss_rx_packet *pkt,
				  const u8 *data)
{
	struct sss_rxseg *seg = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);

	if (!seg)
		return NULL;
	seg->skb = skb_get(pkt->skb);
	if (pkt->whole)
		sss_memory_pin(st->ch, seg->skb, pkt->whole, pkt->truesize);
	seg->data = data;
	seg->truesize = pkt->truesize + sizeof(*seg);
	seg->room = 0;
	return seg;
}

static struct sss_rxseg *copy_bytes(const u8 *data, u32 len)
{
	u32 size = roundup_pow_of_two(max_t(u32, sizeof(struct sss_rxseg) + len, COPY_LEAST));
	struct sss_rxseg *seg = kmalloc(size, GFP_ATOMIC | __GFP_NOWARN);

	if (!seg)
		return NULL;
	seg->skb = NULL;
	seg->data = seg->copy;
	seg->truesize = size;
	seg->room = size - sizeof(*seg) - len;
	memcpy(seg->copy, data, len);
	return seg;
}

/* An skb of many packets stays as long as any of them: too long where memory is short. */
static bool is_copied(const struct sss_stream *st, const struct sss_rx_packet *pkt, u32 len)
{
	return pkt->copy || len < pkt->truesize / 4 ||
	       (pkt->whole && sss_memory_is_tight(st->ch));
}

static struct sss_rxseg *new_seg(struct sss_stream *st, const struct sss_rx_packet *pkt,
				 u64 offset, const u8 *data, u32 len, bool copied)
{
	struct sss_rxseg *seg;

	if (copied) {
		seg = copy_bytes(data, len);
		sss_mib_inc(st->ch->sn, RX_COPIED);
	} else {
		seg = keep_skb(st, pkt, data);
	}
	if (!seg)
		return NULL;
	seg->offset = offset;
	seg->len = len;
	sss_gauge_inc(st->ch->sn, RX_SEGMENTS);
	return seg;
}

/* The early segment with the highest offset below @offset */
static struct sss_rxseg *early_before(struct sss_rxq *rx, u64 offset)
{
	struct rb_node *node = rx->early.rb_node;
	struct sss_rxseg *best = NULL, *seg;

	while (node) {
		seg = rb_entry(node, struct sss_rxseg, rb);
		if (seg->offset < offset) {
			best = seg;
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return best;
}

static void add_early(struct sss_rxq *rx, struct sss_rxseg *seg)
{
	struct rb_node **link = &rx->early.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (seg->offset < rb_entry(parent, struct sss_rxseg, rb)->offset)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&seg->rb, parent, link);
	rb_insert_color(&seg->rb, &rx->early);
}

/* Takes bytes into the copied segment they follow, if they fit there. */
static bool extend(struct sss_rxq *rx, u64 offset, const u8 *data, u32 len)
{
	struct sss_rxseg *seg;

	if (offset > rx->re.edge)
		seg = early_before(rx, offset);
	else
		seg = list_empty(&rx->ready) ? NULL :
		      list_last_entry(&rx->ready, struct sss_rxseg, node);
	if (!seg || seg->skb || seg->room < len || seg_end(seg) != offset)
		return false;
	memcpy((u8 *)seg->data + seg->len, data, len);
	seg->len += len;
	seg->room -= len;
	return true;
}

/* R held. [@offset, @offset + @len) is new. */
static int add_bytes(struct sss_stream *st, const struct sss_rx_packet *pkt, u64 offset,
		     const u8 *data, u32 len)
{
	bool copied = is_copied(st, pkt, len);
	struct sss_rxq *rx = &st->rx;
	struct sss_rxseg *seg;

	if (copied && extend(rx, offset, data, len))
		return 0;
	seg = new_seg(st, pkt, offset, data, len, copied);
	if (!seg)
		return -ENOMEM;
	WRITE_ONCE(rx->truesize, rx->truesize + seg->truesize);
	if (offset == rx->re.edge)
		list_add_tail(&seg->node, &rx->ready);
	else
		add_early(rx, seg);
	return 0;
}

/* Segments that no gap separates from what is ready any more */
static void promote(struct sss_rxq *rx)
{
	struct sss_rxseg *seg;
	struct rb_node *node;

	while ((node = rb_first(&rx->early))) {
		seg = rb_entry(node, struct sss_rxseg, rb);
		if (seg->offset >= rx->re.edge)
			break;
		rb_erase(node, &rx->early);
		list_add_tail(&seg->node, &rx->ready);
	}
}

/* Room for one more gap */
static bool grow(struct sss_stream *st)
{
	struct sss_ranges *set = &st->rx.re.above;
	u32 max = set->max ? 2 * set->max : GAPS_FIRST;
	struct sss_range *r;

	if (max > GAPS_MOST)
		return false;
	r = krealloc(set->r, max * sizeof(*r), GFP_ATOMIC | __GFP_NOWARN);
	if (!r)
		return false;
	sss_memory_add(st->ch, (max - set->max) * sizeof(*r));
	set->r = r;
	set->max = max;
	return true;
}

/* Returns 0, -ENOMEM, or an enum sss_error. */
static int check(struct sss_stream *st, u64 offset, u64 end, bool fin)
{
	struct sss_rxq *rx = &st->rx;
	int err = sss_reasm_check(&rx->re, offset, end, fin);

	if (err == -ENOSPC && grow(st))
		err = sss_reasm_check(&rx->re, offset, end, fin);
	if (err == -ENOSPC)
		return -ENOMEM;
	return err ? SSS_ERROR_FINAL_SIZE : 0;
}

/* R held. Only lengths matter: nobody will read. */
static int count_only(struct sss_rxq *rx, u64 end, bool fin)
{
	if (rx->re.final != SSS_REASM_NO_FINAL)
		return end > rx->re.final || (fin && end != rx->re.final) ?
		       SSS_ERROR_FINAL_SIZE : 0;
	if (fin && end < rx->re.highest)
		return SSS_ERROR_FINAL_SIZE;
	rx->re.highest = max(rx->re.highest, end);
	if (fin)
		WRITE_ONCE(rx->re.final, end);
	return 0;
}

/* R held. A record mark is new; its octet takes a place like a byte. */
static int add_mark(struct sss_stream *st, const struct sss_rx_packet *pkt, u64 offset)
{
	struct sss_records *records = sss_stream_get_records(st, GFP_ATOMIC | __GFP_NOWARN);
	struct sss_mark *mark = records ? sss_marks_alloc(GFP_ATOMIC | __GFP_NOWARN) : NULL;
	struct sss_rxq *rx = &st->rx;
	int err;

	if (!mark)
		return -ENOMEM;
	err = add_bytes(st, pkt, offset, (const u8 *)"", 1);
	if (err) {
		sss_marks_free(mark);
		return err;
	}
	mark->offset = offset;
	sss_marks_add(&records->rx, mark);
	WRITE_ONCE(rx->truesize, rx->truesize + SSS_MARK_COST);
	return 0;
}

/* R held. The edge may have moved over marks; false: a record is too long. */
static bool count_marks(struct sss_stream *st)
{
	struct sss_records *records = st->records;
	u64 edge = st->rx.re.edge, at;
	u32 n = 0;

	if (!records)
		return true;
	while ((at = sss_marks_from(&records->rx, records->counted)) < edge) {
		if (at - records->open_rx > st->ch->local.max_record)
			return false;
		records->open_rx = at + 1;
		records->counted = at + 1;
		n++;
	}
	records->counted = edge;
	WRITE_ONCE(records->waiting, records->waiting + n);
	return true;
}

/* R held. Keeps what is new of the frame; what it cannot keep comes again. */
static int apply(struct sss_stream *st, const struct sss_frame_stream *frame,
		 const struct sss_rx_packet *pkt, bool *news)
{
	u64 start = frame->offset, bytes_end = start + frame->len, end = bytes_end + frame->mark;
	u64 stop, fresh = 0;
	struct sss_rxq *rx = &st->rx;
	int err;

	if (rx->discard || rx->reset)
		return count_only(rx, end, frame->fin);
	err = check(st, start, end, frame->fin);
	if (err)
		return err;
	for (; stop = end, sss_reasm_next(&rx->re, &start, &stop); start = stop) {
		if (start == bytes_end) {
			err = add_mark(st, pkt, start);
		} else {
			stop = min(stop, bytes_end);
			err = add_bytes(st, pkt, start, frame->data + (start - frame->offset),
					stop - start);
		}
		if (err)
			return err;
		fresh += stop - start;
		*news |= sss_reasm_commit(&rx->re, start, stop, false);
		promote(rx);
	}
	*news |= sss_reasm_commit(&rx->re, frame->offset, end, frame->fin);
	if (fresh < end - frame->offset)
		sss_mib_add(st->ch->sn, RX_DUPLICATE_BYTES, end - frame->offset - fresh);
	return count_marks(st) ? 0 : SSS_ERROR_PROTOCOL;
}

/**
 * __sss_recvq_insert() - a STREAM frame arrived
 * @st: stream of a channel, which is locked; flow control allows it
 * @frame: it
 * @pkt: packet it came in
 *
 * Return: 0; -ENOMEM: the packet was not received; or an enum sss_error
 */
int __sss_recvq_insert(struct sss_stream *st, const struct sss_frame_stream *frame,
		       const struct sss_rx_packet *pkt)
{
	struct sss_rxq *rx = &st->rx;
	u64 highest = rx->re.highest;
	bool news = false, more;
	int err = -ENOMEM;
	u32 truesize;

	lockdep_assert_held(&st->ch->lock);
	if (__sss_crowd_enter(st->ch))
		return err;
	spin_lock(&rx->lock);
	truesize = rx->truesize;
	if (__sss_memory_admits(st, frame))
		err = apply(st, frame, pkt, &news);
	sss_memory_add(st->ch, (s32)(rx->truesize - truesize));
	if (rx->on_listener)
		sss_listener_charge(st->listener, rx->truesize - truesize);
	__sss_flow_received(st, highest, rx->re.highest);
	more = __sss_flow_over_hole(st);
	more |= rx->mode == SSS_RX_WHOLE && __sss_flow_for_record(st);
	spin_unlock(&rx->lock);
	if (more)
		__sss_sched_due(st, SSS_ST_DUE_WINDOW);
	if (news && st->flags & SSS_ST_MESSAGE && sss_dgram_complete(st))
		__sss_dgram_arrived(st);
	else if (news)
		__sss_table_touch(st, BIT(SSS_STREAM_READABLE));
	else if (rx->truesize != truesize)
		__sss_table_touch(st, BIT(SSS_STREAM_MEMORY));
	__sss_memory_settled(st, false);
	if (!err && sss_recvq_over(st))
		__sss_stream_check_over(st);
	return err;
}

/* Returns their truesize. */
static u32 take_early(struct sss_rxq *rx, struct list_head *segs)
{
	struct sss_rxseg *seg;
	struct rb_node *node;
	u32 sum = 0;

	while ((node = rb_first(&rx->early))) {
		rb_erase(node, &rx->early);
		seg = rb_entry(node, struct sss_rxseg, rb);
		sum += seg->truesize;
		list_add_tail(&seg->node, segs);
	}
	return sum;
}

static u32 take_ready(struct sss_rxq *rx, struct list_head *segs)
{
	struct sss_rxseg *seg;
	u32 sum = 0;

	list_for_each_entry(seg, &rx->ready, node)
		sum += seg->truesize;
	list_splice_tail_init(&rx->ready, segs);
	return sum;
}

/* Returns their truesize. */
static u32 drop_marks(struct sss_stream *st, u64 start)
{
	if (!st->records)
		return 0;
	return sss_marks_drop(&st->records->rx, start, SSS_MARKS_NONE) * SSS_MARK_COST;
}

static void free_segs(struct sss_stream *st, struct list_head *segs)
{
	struct sss_rxseg *seg, *next;

	list_for_each_entry_safe(seg, next, segs, node)
		sss_recvq_free_seg(st, seg);
}

/**
 * __sss_recvq_uncharge() - memory was freed
 * @st: stream, R held
 * @truesize: of it
 */
void __sss_recvq_uncharge(struct sss_stream *st, u32 truesize)
{
	struct sss_rxq *rx = &st->rx;

	lockdep_assert_held(&rx->lock);
	WRITE_ONCE(rx->truesize, rx->truesize - truesize);
	if (rx->on_listener)
		sss_listener_charge(st->listener, -(s32)truesize);
	if (st->ch)
		sss_memory_add(st->ch, -(long)truesize);
}

/**
 * __sss_recvq_reset() - RESET arrived: what is not in order yet never will be
 * @st: stream of a channel, which is locked; flow control allows it
 * @final: length of the peer's direction
 *
 * Return: 0; -EEXIST: a copy of an earlier one; SSS_ERROR_FINAL_SIZE
 */
int __sss_recvq_reset(struct sss_stream *st, u64 final)
{
	struct sss_rxq *rx = &st->rx;
	u64 highest = rx->re.highest;
	LIST_HEAD(segs);
	int err = 0;

	lockdep_assert_held(&st->ch->lock);
	spin_lock(&rx->lock);
	if (!sss_reasm_check_final(&rx->re, final))
		err = SSS_ERROR_FINAL_SIZE;
	else if (rx->reset || sss_reasm_done(&rx->re))
		err = -EEXIST;	/* or all had come before */
	if (!err) {
		rx->reset = true;
		rx->re.highest = final;
		WRITE_ONCE(rx->re.final, final);
		__sss_recvq_uncharge(st, take_early(rx, &segs) + drop_marks(st, rx->re.edge));
		__sss_flow_received(st, highest, final);
	}
	spin_unlock(&rx->lock);
	free_segs(st, &segs);
	return err;
}

/**
 * sss_recvq_purge() - nobody will read
 * @st: stream
 *
 * Context: any; neither R nor T held.
 */
void sss_recvq_purge(struct sss_stream *st)
{
	struct sss_rxq *rx = &st->rx;
	LIST_HEAD(segs);

	spin_lock_bh(&rx->lock);
	rx->discard = true;
	__sss_recvq_uncharge(st, take_ready(rx, &segs) + take_early(rx, &segs) + drop_marks(st, 0));
	if (st->records) {
		st->records->read += st->records->waiting;
		WRITE_ONCE(st->records->waiting, 0);
	}
	WRITE_ONCE(rx->read, rx->re.edge);
	spin_unlock_bh(&rx->lock);
	free_segs(st, &segs);
}

/**
 * sss_recvq_free() - free what is left, with the stream
 * @st: stream without any reference
 */
void sss_recvq_free(struct sss_stream *st)
{
	struct sss_rxq *rx = &st->rx;
	LIST_HEAD(segs);

	WARN_ON_ONCE(rx->charged);
	take_ready(rx, &segs);
	take_early(rx, &segs);
	drop_marks(st, 0);
	if (st->ch) {
		free_segs(st, &segs);
		sss_memory_add(st->ch, -(long)(rx->truesize +
					       rx->re.above.max * sizeof(*rx->re.above.r)));
	}
	kfree(rx->re.above.r);
}

/**
 * sss_recvq_over() - is the peer's direction over?
 * @st: stream
 *
 * Return: whether its length is known, and the rest is there or not wanted
 */
bool sss_recvq_over(const struct sss_stream *st)
{
	const struct sss_rxq *rx = &st->rx;

	if (READ_ONCE(rx->re.final) == SSS_REASM_NO_FINAL)
		return false;
	return rx->reset || rx->discard || READ_ONCE(rx->re.edge) == rx->re.final;
}
