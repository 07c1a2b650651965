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
 * @ready under the lock and copies without it.
 */
#include <linux/log2.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "stream/table.h"

#define GAPS_FIRST	8
#define GAPS_MOST	2048
#define COPY_LEAST	256	/* memory of a copied segment, so that small ones share it */

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

static void free_seg(struct sss_stream *st, struct sss_rxseg *seg)
{
	sss_gauge_dec(st->ch->sn, RX_SEGMENTS);
	if (!seg->skb) {
		kfree(seg);
		return;
	}
	consume_skb(seg->skb);
	kmem_cache_free(cache, seg);
}

static struct sss_rxseg *keep_skb(const struct sss_rx_packet *pkt, const u8 *data)
{
	struct sss_rxseg *seg = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);

	if (!seg)
		return NULL;
	seg->skb = skb_get(pkt->skb);
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

static struct sss_rxseg *new_seg(struct sss_stream *st, const struct sss_rx_packet *pkt,
				 u64 offset, const u8 *data, u32 len)
{
	struct sss_rxseg *seg;

	if (pkt->copy || len < pkt->truesize / 4) {
		seg = copy_bytes(data, len);
		sss_mib_inc(st->ch->sn, RX_COPIED);
	} else {
		seg = keep_skb(pkt, data);
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
	struct sss_rxq *rx = &st->rx;
	struct sss_rxseg *seg;

	if ((pkt->copy || len < pkt->truesize / 4) && extend(rx, offset, data, len))
		return 0;
	seg = new_seg(st, pkt, offset, data, len);
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
static bool grow(struct sss_ranges *set)
{
	u32 max = set->max ? 2 * set->max : GAPS_FIRST;
	struct sss_range *r;

	if (max > GAPS_MOST)
		return false;
	r = krealloc(set->r, max * sizeof(*r), GFP_ATOMIC | __GFP_NOWARN);
	if (!r)
		return false;
	set->r = r;
	set->max = max;
	return true;
}

/* Returns 0, -ENOMEM, or an enum sss_error. */
static int check(struct sss_rxq *rx, u64 offset, u64 end, bool fin)
{
	int err = sss_reasm_check(&rx->re, offset, end, fin);

	if (err == -ENOSPC && grow(&rx->re.above))
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

/* R held. Keeps what is new of the frame; what it cannot keep comes again. */
static int apply(struct sss_stream *st, const struct sss_frame_stream *frame,
		 const struct sss_rx_packet *pkt, bool *news)
{
	u64 start = frame->offset, end = frame->offset + frame->len, stop, fresh = 0;
	struct sss_rxq *rx = &st->rx;
	int err;

	if (rx->discard || rx->reset)
		return count_only(rx, end, frame->fin);
	err = check(rx, start, end, frame->fin);
	if (err)
		return err;
	for (; stop = end, sss_reasm_next(&rx->re, &start, &stop); start = stop) {
		err = add_bytes(st, pkt, start, frame->data + (start - frame->offset),
				stop - start);
		if (err)
			return err;
		fresh += stop - start;
		*news |= sss_reasm_commit(&rx->re, start, stop, false);
		promote(rx);
	}
	*news |= sss_reasm_commit(&rx->re, frame->offset, end, frame->fin);
	if (fresh < frame->len)
		sss_mib_add(st->ch->sn, RX_DUPLICATE_BYTES, frame->len - fresh);
	return 0;
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
	u32 truesize = rx->truesize;
	bool news = false;
	int err;

	lockdep_assert_held(&st->ch->lock);
	spin_lock(&rx->lock);
	err = apply(st, frame, pkt, &news);
	if (rx->on_listener)
		sss_listener_charge(st->listener, rx->truesize - truesize);
	__sss_flow_received(st, highest, rx->re.highest);
	spin_unlock(&rx->lock);
	if (news)
		__sss_table_touch(st, BIT(SSS_STREAM_READABLE));
	else if (rx->truesize != truesize)
		__sss_table_touch(st, BIT(SSS_STREAM_MEMORY));
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

static void free_segs(struct sss_stream *st, struct list_head *segs)
{
	struct sss_rxseg *seg, *next;

	list_for_each_entry_safe(seg, next, segs, node)
		free_seg(st, seg);
}

/* R held */
static void uncharge(struct sss_stream *st, u32 truesize)
{
	struct sss_rxq *rx = &st->rx;

	WRITE_ONCE(rx->truesize, rx->truesize - truesize);
	if (rx->on_listener)
		sss_listener_charge(st->listener, -(s32)truesize);
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
		uncharge(st, take_early(rx, &segs));
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
	uncharge(st, take_ready(rx, &segs) + take_early(rx, &segs));
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
	if (st->ch)
		free_segs(st, &segs);
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

/* Takes segments with up to @len bytes off the queue; returns their bytes. */
static size_t detach(struct sss_rxq *rx, struct list_head *segs, size_t len)
{
	struct sss_rxseg *seg;
	size_t got = 0;

	spin_lock_bh(&rx->lock);
	while (got < len && !list_empty(&rx->ready)) {
		seg = list_first_entry(&rx->ready, struct sss_rxseg, node);
		got += seg->len;
		list_move_tail(&seg->node, segs);
	}
	spin_unlock_bh(&rx->lock);
	return got;
}

/* Moves the read offset by @n and puts back what is left of @segs. */
static void reattach(struct sss_stream *st, struct list_head *segs, size_t n, u32 truesize)
{
	struct sss_rxq *rx = &st->rx;

	spin_lock_bh(&rx->lock);
	list_splice(segs, &rx->ready);
	WRITE_ONCE(rx->read, rx->read + n);
	uncharge(st, truesize);
	spin_unlock_bh(&rx->lock);
}

static int copy_out(const struct sss_rxseg *seg, struct msghdr *msg, size_t n, int flags)
{
	if (flags & MSG_TRUNC)
		return n;
	return copy_to_iter(seg->data, n, &msg->msg_iter);
}

/* Returns bytes copied; those read are freed unless it was a look only. */
static size_t read_segs(struct sss_stream *st, struct list_head *segs, struct msghdr *msg,
			size_t len, int flags, u32 *freed)
{
	struct sss_rxseg *seg, *next;
	size_t got = 0, n, done;

	list_for_each_entry_safe(seg, next, segs, node) {
		n = min_t(size_t, seg->len, len - got);
		done = copy_out(seg, msg, n, flags);
		got += done;
		if (!(flags & MSG_PEEK)) {
			seg->data += done;
			seg->offset += done;
			seg->len -= done;
			if (!seg->len) {
				*freed += seg->truesize;
				list_del(&seg->node);
				free_seg(st, seg);
			}
		}
		if (done < n || got == len)
			break;
	}
	return got;
}

/**
 * sss_recvq_copy() - read
 * @st: stream
 * @sk: its socket, locked
 * @msg: where to
 * @len: bytes wanted, not 0
 * @flags: MSG_PEEK; MSG_TRUNC: throw away instead of copying
 *
 * Moves the window and sends it.
 *
 * Sleeps. Return: bytes; 0: nothing there now, or the end (sss_recvq_at_end());
 * -ECONNRESET: the peer reset its direction and what came before is read;
 * -EFAULT.
 */
int sss_recvq_copy(struct sss_stream *st, struct sock *sk, struct msghdr *msg, size_t len,
		   int flags)
{
	struct sss_rxq *rx = &st->rx;
	LIST_HEAD(segs);
	u32 freed = 0;
	size_t got;

	if (!st->ch)
		return 0;
	len = min_t(size_t, len, INT_MAX);
	if (!detach(rx, &segs, len))
		return rx->reset && !rx->discard && !sss_recvq_queued(st) ? -ECONNRESET : 0;
	got = read_segs(st, &segs, msg, len, flags, &freed);
	reattach(st, &segs, flags & MSG_PEEK ? 0 : got, freed);
	sss_stream_settle(st, sk);
	if (!got)
		return -EFAULT;
	if (!(flags & MSG_PEEK) && sss_flow_consumed(st, sk))
		sss_channel_transmit(st->ch);
	return got;
}

/**
 * sss_recvq_readable() - would sss_recvq_copy() return at once, be it the end?
 * @st: stream
 *
 * Return: whether it would
 */
bool sss_recvq_readable(const struct sss_stream *st)
{
	return sss_recvq_queued(st) || sss_recvq_finished(st);
}

/**
 * sss_recvq_at_end() - has all been read, in order to the end?
 * @st: stream
 *
 * Return: whether it has; also if nothing more is wanted and nothing is there
 */
bool sss_recvq_at_end(const struct sss_stream *st)
{
	const struct sss_rxq *rx = &st->rx;

	if (sss_recvq_queued(st))
		return false;
	/* what broke the stream tells more than that nothing is wanted any more */
	if (rx->discard && !READ_ONCE(st->err))
		return true;
	return !rx->reset && READ_ONCE(rx->read) == READ_ONCE(rx->re.final);
}

/**
 * sss_recvq_finished() - will nothing more arrive?
 * @st: stream
 *
 * Return: whether the end or a reset has come, or nothing more is wanted
 */
bool sss_recvq_finished(const struct sss_stream *st)
{
	const struct sss_rxq *rx = &st->rx;

	return rx->discard || rx->reset || READ_ONCE(rx->re.edge) == READ_ONCE(rx->re.final);
}

/**
 * sss_recvq_queued() - FIONREAD
 * @st: stream
 *
 * Return: bytes that can be read now
 */
u32 sss_recvq_queued(const struct sss_stream *st)
{
	return READ_ONCE(st->rx.re.edge) - READ_ONCE(st->rx.read);
}

/**
 * sss_recvq_capacity() - how much could there be to be read?
 * @st: stream
 *
 * Return: bytes that the peer may send ahead of the reader
 */
u32 sss_recvq_capacity(const struct sss_stream *st)
{
	return READ_ONCE(st->rx.limit) - READ_ONCE(st->rx.read);
}
