// SPDX-License-Identifier: GPL-2.0
/*
 * What goes into the next packet.
 *
 * First frames of the channel, then control frames of streams (@due), then
 * data. Users take turns (share.c). Of the one whose turn it is, streams that may
 * send data stand in a round for their urgency; the first of the most urgent
 * round sends until its deficit is used up (deficit round robin, by weight), then
 * goes to the end. Of the streams of a round that
 * are not incremental only one stands in it, the others behind that one
 * (RFC 9218 section 10). A stream that its window or an empty queue holds back
 * stands nowhere. Streams in the background have rounds of their own, which send
 * while no other stream stands anywhere and their congestion window allows it.
 */
#include <linux/bitops.h>
#include <linux/math64.h>
#include "channel/background.h"
#include "stream/table.h"

#define QUANTUM		3000	/* bytes of a turn at the usual weight: about two packets */
#define SLIVER		64	/* do not cut less than this off for the end of a packet */
#define HEADERS		64	/* at most, in a packet of one stream's data */
#define STARVED_NS	(20 * NSEC_PER_MSEC)

enum outcome {
	PUT_DONE,
	PUT_NOTHING,	/* the stream has nothing that may go */
	PUT_FULL,	/* the packet has no room */
};

/* Octets to be sent */
struct piece {
	u64 offset;
	u64 len;
	bool again;
	bool fin;
	bool mark;
};

static bool may_send(const struct sss_stream *st)
{
	return st->id != SSS_STREAM_NO_ID &&
	       !(st->flags & (SSS_ST_RESET | SSS_ST_OVER | SSS_ST_REFUSED));
}

/* T held. What has not been sent yet and may be, now */
static u64 new_octets(struct sss_stream *st)
{
	struct sss_txq *tx = &st->tx;
	u64 allowed, n = tx->end - tx->next;
	u32 rest = 0;

	/* MSG_MORE holds back what does not fill a packet */
	if (tx->hold)
		div_u64_rem(n, st->ch->path.mtu - HEADERS, &rest);
	n -= rest;
	if (!n)
		return 0;
	if (st->flags & SSS_ST_LOOSE)
		return __sss_dgram_may_send(st, n);
	allowed = __sss_flow_may_send(st);
	if (!allowed && tx->limit > tx->next)
		sss_streams(st->ch)->pool_blocked = true;
	return min(n, allowed);
}

/* T held. The stream's next piece: lost data first; false: nothing may go */
static bool choose(struct sss_stream *st, struct piece *p)
{
	struct sss_txq *tx = &st->tx;

	if (!may_send(st))
		return false;
	p->again = !sss_ranges_empty(&tx->lost);
	if (p->again) {
		p->offset = tx->lost.r[0].start;
		p->len = tx->lost.r[0].end - p->offset;
		return true;
	}
	p->offset = tx->next;
	p->len = new_octets(st);
	if (!p->len && __sss_tree_is_busy(st))
		return false;
	return p->len || (tx->next == tx->end && tx->fin && (!tx->fin_sent || tx->fin_lost));
}

static s32 quantum(const struct sss_stream *st)
{
	return QUANTUM * st->ordered.weight / SSS_WEIGHT_USUAL;
}

/* By id, so that what was asked for first is complete first. */
static void wait_behind(struct list_head *serial, struct sss_stream *st)
{
	struct sss_stream *before;

	list_for_each_entry_reverse(before, serial, sched)
		if (before->id < st->id)
			break;
	list_add(&st->sched, &before->sched);
}

static struct sss_users *users_of(const struct sss_stream *st)
{
	struct sss_streams *ss = sss_streams(st->ch);

	return st->tx.background ? &ss->background : &ss->users;
}

static struct sss_share *share_of(const struct sss_stream *st)
{
	return users_of(st)->share[st->share];
}

static void stand(struct sss_share *share, struct sss_stream *st)
{
	u8 level = st->ordered.urgency;
	struct sss_stream *serving = share->serving[level];

	if (!st->ordered.incremental && serving && serving->id < st->id) {
		wait_behind(&share->serial[level], st);
		return;
	}
	if (!st->ordered.incremental) {
		if (serving) {
			list_del(&serving->sched);
			wait_behind(&share->serial[level], serving);
		}
		share->serving[level] = st;
	}
	st->deficit = quantum(st);
	list_add_tail(&st->sched, &share->level[level]);
}

static void enter(struct sss_stream *st)
{
	struct sss_share *share = share_of(st);

	__sss_share_enter(users_of(st), share, st->ordered.urgency,
			  st->flags & SSS_ST_ABOVE);
	stand(share, st);
}

static void leave(struct sss_stream *st)
{
	struct sss_share *share = share_of(st);
	u8 level = st->ordered.urgency;
	struct sss_stream *next;

	list_del_init(&st->sched);
	__sss_share_leave(share, level, st->flags & SSS_ST_ABOVE);
	if (share->serving[level] != st)
		return;
	share->serving[level] = NULL;
	next = list_first_entry_or_null(&share->serial[level], struct sss_stream, sched);
	if (next) {
		list_del_init(&next->sched);
		stand(share, next);
	}
}

/**
 * __sss_sched_activate() - a stream may have something to send
 * @st: stream of a channel, which is locked
 */
void __sss_sched_activate(struct sss_stream *st)
{
	struct piece p;
	bool any;

	lockdep_assert_held(&st->ch->lock);
	if (!list_empty(&st->sched) || !may_send(st))
		return;
	spin_lock(&st->tx.lock);
	any = choose(st, &p);
	spin_unlock(&st->tx.lock);
	if (!any)
		return;
	enter(st);
}

/**
 * __sss_sched_leave() - a stream has nothing to send any more
 * @st: stream of a channel, which is locked
 */
void __sss_sched_leave(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (!list_empty(&st->sched))
		leave(st);
}

/**
 * __sss_sched_own() - a stream has a socket, so a user
 * @st: stream of a channel, which is locked
 * @sk: its socket
 */
void __sss_sched_own(struct sss_stream *st, const struct sock *sk)
{
	lockdep_assert_held(&st->ch->lock);
	__sss_sched_leave(st);
	st->share = __sss_share_find(users_of(st), sk->sk_uid);
	__sss_sched_activate(st);
}

/* What is sent of a stream has another priority from now on. */
static void order(struct sss_stream *st, const struct sss_priority *priority)
{
	__sss_sched_leave(st);
	st->ordered = *priority;
	__sss_sched_activate(st);
}

/**
 * __sss_sched_ordered() - PRIORITY arrived
 * @st: stream of a channel, which is locked
 * @frame: it
 *
 * Who receives the data has the last word.
 */
void __sss_sched_ordered(struct sss_stream *st, const struct sss_frame_priority *frame)
{
	struct sss_priority priority = {
		.urgency = frame->urgency, .incremental = frame->incremental,
		.weight = frame->weight,
	};
	u32 sequence = min_t(u64, frame->sequence, U32_MAX);	/* the last that counts */

	lockdep_assert_held(&st->ch->lock);
	if (sequence <= st->orders_seen)
		return;
	st->orders_seen = sequence;
	order(st, &priority);
}

static void set_above(struct sss_stream *st, bool above)
{
	if (above)
		st->flags |= SSS_ST_ABOVE;
	else
		st->flags &= ~SSS_ST_ABOVE;
}

/**
 * sss_stream_set_priority() - SSS_PRIORITY
 * @st: stream, its socket locked
 * @priority: valid
 * @above: it counts against streams of other users
 */
void sss_stream_set_priority(struct sss_stream *st, const struct sss_priority *priority,
			     bool above)
{
	struct sss_channel *ch = st->ch;

	if (!ch) {
		st->wanted = *priority;
		st->ordered = *priority;
		set_above(st, above);
		return;
	}
	spin_lock_bh(&ch->lock);
	st->wanted = *priority;
	__sss_sched_leave(st);
	set_above(st, above);
	order(st, st->orders_seen ? &st->ordered : priority);
	st->orders_sent++;
	__sss_sched_due(st, SSS_ST_DUE_PRIORITY);
	spin_unlock_bh(&ch->lock);
	sss_channel_transmit(ch);
}

/**
 * sss_stream_get_priority() - what was wanted of a stream, by us or who opened it
 * @st: stream, its socket locked
 * @priority: filled
 */
void sss_stream_get_priority(struct sss_stream *st, struct sss_priority *priority)
{
	*priority = st->wanted;
}

/**
 * sss_stream_is_above() - does its urgency count against streams of other users?
 * @st: stream
 *
 * Return: whether it does. Context: any
 */
bool sss_stream_is_above(const struct sss_stream *st)
{
	return READ_ONCE(st->flags) & SSS_ST_ABOVE;
}

/**
 * sss_stream_set_background() - SSS_BACKGROUND
 * @st: stream
 * @sk: its socket, locked
 * @on: what it sends from now on gives way to everything else
 *
 * What is under way stays in the window that it was sent in.
 */
void sss_stream_set_background(struct sss_stream *st, const struct sock *sk, bool on)
{
	struct sss_channel *ch = st->ch;

	if (!ch) {
		st->tx.background = on;
		return;
	}
	spin_lock_bh(&ch->lock);
	__sss_sched_leave(st);
	WRITE_ONCE(st->tx.background, on);
	__sss_sched_own(st, sk);
	spin_unlock_bh(&ch->lock);
	sss_channel_transmit(ch);
}

/**
 * sss_stream_is_background() - is it SSS_BACKGROUND?
 * @st: stream
 *
 * Return: whether it is. Context: any
 */
bool sss_stream_is_background(const struct sss_stream *st)
{
	return READ_ONCE(st->tx.background);
}

/**
 * __sss_sched_due() - control frames are to be sent
 * @st: stream of a channel, which is locked; without an id they wait for it
 * @due: SSS_ST_DUE_*
 */
void __sss_sched_due(struct sss_stream *st, u32 due)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & (SSS_ST_OVER | SSS_ST_LOOSE))
		return;
	if (st->flags & SSS_ST_STOPPED)
		due &= ~SSS_ST_DUE_WINDOW;
	st->flags |= due;
	if (due && st->id != SSS_STREAM_NO_ID && list_empty(&st->due))
		list_add_tail(&st->due, &sss_streams(st->ch)->due);
}

/**
 * __sss_sched_fly() - something of the stream was sent
 * @st: stream of a channel, which is locked
 */
void __sss_sched_fly(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (list_empty(&st->flight))
		list_add_tail(&st->flight, &sss_streams(st->ch)->flight);
}

static u32 unacked_control(const struct sss_stream *st)
{
	u32 due = 0;

	if (st->flags & SSS_ST_LOCAL) {
		if (!(st->flags & SSS_ST_INIT_ACKED))
			due |= SSS_ST_DUE_INIT;
	} else if (!(st->flags & SSS_ST_REPLY_ACKED)) {
		due |= SSS_ST_DUE_REPLY;
	}
	if ((st->flags & (SSS_ST_RESET | SSS_ST_RESET_ACKED)) == SSS_ST_RESET)
		due |= SSS_ST_DUE_RESET;
	return due;
}

/**
 * __sss_sched_land() - something of the stream was acknowledged
 * @st: stream of a channel, which is locked
 */
void __sss_sched_land(struct sss_stream *st)
{
	const struct sss_txq *tx = &st->tx;

	lockdep_assert_held(&st->ch->lock);
	if (tx->base == tx->next && tx->fin_sent == tx->fin_acked && !unacked_control(st))
		list_del_init(&st->flight);
}

/* Gives streams that wait their ids, as far as credit goes. */
static void open_streams(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);
	u64 credit = max(ss->credit, ch->remote.max_streams);
	struct sss_stream *st;

	while (ss->next < credit && !ss->starved_until) {
		st = list_first_entry_or_null(&ss->opening, struct sss_stream, wait);
		if (!st)
			return;
		if (__sss_table_open_local(st)) {
			ss->starved_until = ktime_get_ns() + STARVED_NS;
			__sss_timed_at(ch, ss->starved_until);
			return;
		}
		__sss_sched_activate(st);
		/* with data, INIT goes in front of it */
		__sss_sched_due(st, (st->flags & SSS_ST_DUE) |
				    (list_empty(&st->sched) ? SSS_ST_DUE_INIT : 0));
	}
}

/* Who sends data now; NULL: nobody */
static struct sss_users *whose_data(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);

	if (!list_empty(&ss->users.turns))
		return &ss->users;
	if (!list_empty(&ss->background.turns) && __sss_background_may_send(ch))
		return &ss->background;
	return NULL;
}

/**
 * sss_sched_pending() - is there anything to send?
 * @ch: channel, locked
 *
 * Return: whether sss_sched_fill() would put a frame into an empty packet
 */
bool sss_sched_pending(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);

	lockdep_assert_held(&ch->lock);
	if (whose_data(ch) || !list_empty(&ss->due) || ss->granted_due || ss->pool_due ||
	    ss->dgrams.n_drops)
		return true;
	return !list_empty(&ss->opening) && !ss->starved_until &&
	       ss->next < max(ss->credit, ch->remote.max_streams);
}

/* T held. A STREAM frame with as much of the piece as fits */
static enum outcome write_piece(struct sss_stream *st, struct sss_tx_packet *pkt, struct piece *p)
{
	size_t room = sss_writer_room(&pkt->w);
	size_t head = sss_frame_stream_overhead(st->id, p->offset, 0, false);
	struct sss_txq *tx = &st->tx;
	u64 mark_at = st->records ? sss_marks_from(&st->records->tx, p->offset) : SSS_MARKS_NONE;
	u64 bytes = min(p->len, mark_at - p->offset);
	bool to_end;
	u8 *payload;
	u32 len;

	/* a length below 64 takes one byte: @head is at least the shorter header's length */
	if (room < head + (bytes ? 1 : 0))
		return PUT_FULL;
	head = sss_frame_stream_overhead(st->id, p->offset, 0, true);
	len = min_t(u64, bytes, room - head);
	if (len < bytes && len < SLIVER && pkt->n_frames)
		return PUT_FULL;
	to_end = sss_frame_stream_overhead(st->id, p->offset, len, false) + len > room;
	p->mark = len < p->len && p->offset + len == mark_at;
	p->len = len + p->mark;
	p->fin = tx->fin && p->offset + p->len == tx->end;
	if (sss_frame_stream_header(&pkt->w, st->id, p->offset, len, p->fin, p->mark, to_end))
		return PUT_FULL;
	payload = sss_writer_reserve(&pkt->w, len);
	sss_sendq_read(st, p->offset, payload, len);
	pkt->full = to_end;
	return PUT_DONE;
}

/* T held. The piece is in a packet. */
static void sent_piece(struct sss_stream *st, const struct piece *p)
{
	struct sss_txq *tx = &st->tx;
	u64 end = p->offset + p->len;

	if (p->fin) {
		tx->fin_sent = true;
		tx->fin_lost = false;
	}
	if (p->again) {
		st->resent += p->len;
		sss_mib_add(st->ch->sn, BYTES_RESENT, p->len);
		sss_ranges_remove(&tx->lost, p->offset, end);
	} else if (p->len) {
		__sss_flow_sent(st, tx->next, end);
		if (p->mark)
			st->records->sent++;
		WRITE_ONCE(tx->next, end);
	}
}

/* T held, the piece is chosen */
static enum outcome put_piece(struct sss_stream *st, struct sss_tx_packet *pkt, struct piece *p)
{
	enum outcome outcome;

	/* INIT may bring those of its ancestors along, and leave no room */
	if (!sss_tx_may_note(pkt) || !__sss_control_put_init(st, pkt) || !sss_tx_may_note(pkt))
		return PUT_FULL;
	outcome = write_piece(st, pkt, p);
	if (outcome != PUT_DONE)
		return outcome;
	sent_piece(st, p);
	sss_tx_note(pkt, SSS_FRAME_STREAM, st->id, p->offset, p->len,
		    p->fin ? SSS_SENT_FIN : 0);
	__sss_sched_fly(st);
	return PUT_DONE;
}

/* T held, the piece is chosen: of a loose datagram */
static enum outcome put_fragment(struct sss_stream *st, struct sss_tx_packet *pkt,
				 struct piece *p)
{
	struct sss_txq *tx = &st->tx;
	int len;

	if (!sss_tx_may_note(pkt) || !__sss_control_put_init(st->mother, pkt) ||
	    !sss_tx_may_note(pkt))
		return PUT_FULL;
	len = __sss_dgram_put(st, pkt, p->len);
	if (len < 0)
		return PUT_FULL;
	p->len = len;
	WRITE_ONCE(tx->next, tx->next + len);
	tx->fin_sent = tx->next == tx->end;
	return PUT_DONE;
}

static enum outcome put_next(struct sss_stream *st, struct sss_tx_packet *pkt, u32 *len)
{
	enum outcome outcome = PUT_NOTHING;
	struct piece p;

	spin_lock(&st->tx.lock);
	if (choose(st, &p))
		outcome = st->flags & SSS_ST_LOOSE ? put_fragment(st, pkt, &p) :
						     put_piece(st, pkt, &p);
	spin_unlock(&st->tx.lock);
	*len = outcome == PUT_DONE ? p.len : 0;
	/* nothing of a loose datagram is kept: what is lost is lost */
	if (st->flags & SSS_ST_LOOSE && st->tx.fin_sent)
		__sss_stream_break(st, 0);
	return outcome;
}

/* The first of the user's most urgent round whose deficit lasts */
static struct sss_stream *whose_turn(struct sss_share *share)
{
	struct list_head *round = &share->level[__ffs(share->levels)];
	struct sss_stream *st;

	for (;;) {
		st = list_first_entry(round, struct sss_stream, sched);
		if (st->deficit > 0)
			return st;
		st->deficit += quantum(st);
		list_move_tail(&st->sched, round);
	}
}

static void put_data(struct sss_channel *ch, struct sss_tx_packet *pkt)
{
	struct sss_users *users;
	struct sss_share *share;
	struct sss_stream *st;
	bool any = false;
	u32 len;

	while (!pkt->full && (users = whose_data(ch))) {
		share = __sss_share_next(users);
		st = whose_turn(share);
		/* no packet is in the background with half of its data */
		if (any && st->tx.background != pkt->background)
			return;
		switch (put_next(st, pkt, &len)) {
		case PUT_DONE:
			any = true;
			pkt->background = st->tx.background;
			st->deficit -= max(len, 1U);
			share->deficit -= max(len, 1U);
			break;
		case PUT_NOTHING:
			__sss_sched_leave(st);
			break;
		case PUT_FULL:
			return;
		}
	}
}

static void put_due(struct sss_channel *ch, struct sss_tx_packet *pkt)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st, *next;

	list_for_each_entry_safe(st, next, &ss->due, due) {
		if (!__sss_control_put(st, pkt))
			return;
		list_del_init(&st->due);
	}
}

/* T held. The first octets that nobody has acknowledged; false: none */
static bool first_unacked(struct sss_stream *st, struct piece *p)
{
	struct sss_txq *tx = &st->tx;
	u64 end = tx->next;

	p->again = true;
	p->offset = tx->base;
	if (may_send(st) && p->offset < end &&
	    sss_ranges_first_gap(&tx->acked, &p->offset, &end)) {
		p->len = end - p->offset;
		return true;
	}
	p->offset = tx->end;
	p->len = 0;
	return may_send(st) && tx->fin_sent && !tx->fin_acked;
}

/* A probe with nothing new to carry: what has been under way longest, once more */
static void put_again(struct sss_channel *ch, struct sss_tx_packet *pkt)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st;
	struct piece p;

	st = list_first_entry_or_null(&ss->flight, struct sss_stream, flight);
	if (!st)
		return;
	list_move_tail(&st->flight, &ss->flight);
	st->flags |= unacked_control(st);
	if (!__sss_control_put(st, pkt))
		return;
	list_del_init(&st->due);
	spin_lock(&st->tx.lock);
	if (first_unacked(st, &p))
		put_piece(st, pkt, &p);
	spin_unlock(&st->tx.lock);
}

/**
 * sss_sched_fill() - put frames into a packet
 * @ch: channel, locked
 * @pkt: packet
 */
void sss_sched_fill(struct sss_channel *ch, struct sss_tx_packet *pkt)
{
	unsigned int before = pkt->n_frames;
	struct sss_streams *ss = sss_streams(ch);

	lockdep_assert_held(&ch->lock);
	if (!list_empty(&ss->opening))
		open_streams(ch);
	if ((ss->granted_due || ss->pool_due || ss->dgrams.n_drops) &&
	    !__sss_control_put_channel(ch, pkt))
		return;
	put_due(ch, pkt);
	put_data(ch, pkt);
	if (pkt->probe && pkt->n_frames == before)
		put_again(ch, pkt);
}
