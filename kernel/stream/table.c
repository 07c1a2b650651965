// SPDX-License-Identifier: GPL-2.0
/*
 * The streams of a channel: ids, frames to their streams, and news to sockets.
 *
 * An id is a sequence number and a bit that says which side opened the stream.
 * Numbers have no gaps, so the side that did not open remembers no closed
 * stream: what is below @base, or marked in @seen, was opened once; what of it
 * is not in @ids is closed, and frames for it mean nothing any more.
 */
#include <linux/bitmap.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include "base/trace.h"
#include "stream/table.h"

/* Written once, before the first socket can exist */
const struct sss_stream_ops *sss_stream_ops;

static bool is_local(const struct sss_channel *ch, u64 id)
{
	return !(id & 1) == ch->local_even;
}

/**
 * __sss_table_find() - the open stream with an id
 * @ch: channel, locked
 * @id: any
 *
 * Return: the stream without a reference, NULL: not open
 */
struct sss_stream *__sss_table_find(struct sss_channel *ch, u64 id)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st = ss->last;

	lockdep_assert_held(&ch->lock);
	if (st && st->id == id)
		return st;
	if (id > ULONG_MAX)
		return NULL;
	st = xa_load(&ss->ids, id);
	if (st)
		ss->last = st;
	return st;
}

/**
 * __sss_table_look_up() - the stream that a received frame is for
 * @ch: channel, locked
 * @id: from the frame
 * @stp: result; NULL: closed, ignore the frame
 *
 * Return: 0, or SSS_ERROR_STREAM_STATE: it was never opened
 */
int __sss_table_look_up(struct sss_channel *ch, u64 id, struct sss_stream **stp)
{
	struct sss_streams *ss = sss_streams(ch);
	u64 n = id >> 1;

	lockdep_assert_held(&ch->lock);
	*stp = __sss_table_find(ch, id);
	if (*stp)
		return 0;
	if (is_local(ch, id))
		return n < ss->next ? 0 : SSS_ERROR_STREAM_STATE;
	if (n < ss->base)
		return 0;
	if (ss->seen && n < ss->base + ss->width && test_bit(n & (ss->width - 1), ss->seen))
		return 0;
	return SSS_ERROR_STREAM_STATE;
}

/**
 * __sss_table_open_local() - give a stream its id, its INIT being about to go
 * @st: of sss_streams.opening, credit was checked; channel locked
 *
 * Return: 0 or -ENOMEM: nothing changed
 */
int __sss_table_open_local(struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;
	struct sss_streams *ss = sss_streams(ch);
	u64 id = ss->next << 1 | (ch->local_even ? 0 : 1);

	lockdep_assert_held(&ch->lock);
	if (st->flags & SSS_ST_LOOSE) {
		st->id = __sss_tree_number(st->mother);
		st->parent = st->mother->id;
		list_del_init(&st->wait);
		return 0;
	}
	if (id > ULONG_MAX || xa_insert(&ss->ids, id, st, GFP_ATOMIC | __GFP_NOWARN))
		return -ENOMEM;
	ss->next++;
	st->id = id;
	if (st->mother)
		st->parent = st->mother->id;
	st->tx.limit = ch->remote.initial_stream_window;
	list_del_init(&st->wait);
	__sss_tree_born(st);
	sss_mib_inc(ch->sn, STREAMS_OPENED);
	trace_sss_stream_opened(ch->sn, ch->id, id, 0);
	return 0;
}

/**
 * __sss_table_check_new() - may the peer open a stream with this id?
 * @ch: channel, locked
 * @id: from INIT
 *
 * Return: 0; -EEXIST: it did so before; -ENOMEM; or an enum sss_error
 */
int __sss_table_check_new(struct sss_channel *ch, u64 id)
{
	struct sss_streams *ss = sss_streams(ch);
	u64 n = id >> 1;

	lockdep_assert_held(&ch->lock);
	if (is_local(ch, id))
		return SSS_ERROR_STREAM_STATE;
	if (n < ss->base)
		return -EEXIST;
	if (n >= sss_flow_streams_granted(ch) || id > ULONG_MAX)
		return SSS_ERROR_STREAM_LIMIT;
	if (!ss->seen) {
		u32 width = clamp_t(u64, ch->local.max_streams, BITS_PER_LONG,
				    SSS_STREAMS_MOST);

		width = roundup_pow_of_two(width);
		ss->seen = bitmap_zalloc(width, GFP_ATOMIC | __GFP_NOWARN);
		if (!ss->seen)
			return -ENOMEM;
		ss->width = width;
	}
	if (n >= ss->base + ss->width)
		return SSS_ERROR_STREAM_LIMIT;
	return test_bit(n & (ss->width - 1), ss->seen) ? -EEXIST : 0;
}

/**
 * __sss_table_add_remote() - the peer opened a stream
 * @st: new, of this channel, which is locked
 * @id: __sss_table_check_new() returned 0
 *
 * Return: 0 or -ENOMEM: nothing changed
 */
int __sss_table_add_remote(struct sss_stream *st, u64 id)
{
	struct sss_streams *ss = sss_streams(st->ch);
	u32 mask = ss->width - 1;

	lockdep_assert_held(&st->ch->lock);
	if (xa_insert(&ss->ids, id, st, GFP_ATOMIC | __GFP_NOWARN))
		return -ENOMEM;
	st->id = id;
	__set_bit((id >> 1) & mask, ss->seen);
	while (test_bit(ss->base & mask, ss->seen)) {
		__clear_bit(ss->base & mask, ss->seen);
		ss->base++;
	}
	__sss_flow_grant_streams(st->ch);
	return 0;
}

/**
 * __sss_table_touch() - the stream's socket, or its listener's, has to be told
 * @st: stream of a channel, which is locked
 * @events: BIT(SSS_STREAM_*), may be 0: only to be let go
 */
void __sss_table_touch(struct sss_stream *st, unsigned long events)
{
	lockdep_assert_held(&st->ch->lock);
	st->events |= events;
	if (list_empty(&st->touched)) {
		list_add_tail(&st->touched, &sss_streams(st->ch)->touched);
		sss_stream_get(st);
	}
}

/* Whom to tell; references. The stream's own to its socket if it lets go. */
static struct sock *take_socket(struct sss_stream *st)
{
	struct sock *sk = st->sk;

	if (!sk)
		return NULL;
	if (st->flags & SSS_ST_LET_GO)
		st->sk = NULL;
	else
		sock_hold(sk);
	return sk;
}

static void deliver_one(struct sss_stream *st, struct sock *sk, unsigned long events)
{
	/* whoever waits for its children */
	if (events & BIT(SSS_STREAM_ENDED))
		sss_tree_notify(st);
	if (sk) {
		if (events)
			sss_stream_ops->notify(sk, events);
		sock_put(sk);
	} else if (st->listener) {
		sss_listener_notify(st->listener, events);
	}
	sss_stream_put(st);
}

/**
 * sss_table_deliver() - tell sockets what happened since the last time
 * @ch: channel, not locked
 *
 * Context: any but hard interrupt; a socket lock may be held, no slock.
 */
void sss_table_deliver(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);
	unsigned long events;
	struct sss_stream *st;
	struct sock *sk;

	if (list_empty_careful(&ss->touched))
		return;
	local_bh_disable();
	for (;;) {
		spin_lock(&ch->lock);
		st = list_first_entry_or_null(&ss->touched, struct sss_stream, touched);
		if (!st) {
			spin_unlock(&ch->lock);
			break;
		}
		if (st->flags & SSS_ST_DOOMED)
			__sss_stream_break(st, st->err);
		list_del_init(&st->touched);
		events = st->events;
		st->events = 0;
		sk = take_socket(st);
		spin_unlock(&ch->lock);
		deliver_one(st, sk, events);
	}
	local_bh_enable();
}

/* The peer gave up both directions unasked: all is over for the program. */
static void check_aborted(struct sss_stream *st)
{
	if (st->flags & SSS_ST_STOP_RECEIVED && !(st->flags & SSS_ST_STOPPED) && st->rx.reset)
		__sss_stream_abort(st, -ECONNRESET);
}

static int on_reset(struct sss_stream *st, const struct sss_frame_reset *reset)
{
	int err = __sss_flow_check(st, reset->final_size);

	if (!err)
		err = __sss_recvq_reset(st, reset->final_size);
	if (err < 0)	/* a copy */
		return 0;
	if (err)
		return err;
	sss_mib_inc(st->ch->sn, RESETS_RECEIVED);
	trace_sss_stream_reset_received(st->ch->sn, st->ch->id, st->id, reset->code);
	/* what answers our own STOP tells nothing new */
	if (!(st->flags & SSS_ST_STOPPED && reset->code == st->reset_code)) {
		__sss_stream_set_note(st, true, reset->code, reset->reason, reset->reason_len);
		__sss_event_raise(st, SSS_EV_RESET, reset->code);
	}
	if (reset->subtree)
		__sss_ending_below(st, reset->code, reset->reason, reset->reason_len, true);
	if (st->flags & SSS_ST_MESSAGE && st->listener)
		__sss_dgram_drop(st);
	__sss_table_touch(st, BIT(SSS_STREAM_READABLE));
	check_aborted(st);
	__sss_stream_check_over(st);
	return 0;
}

static int on_stop(struct sss_stream *st, const struct sss_frame_stop *stop)
{
	if (st->flags & (SSS_ST_RESET | SSS_ST_REFUSED) || st->tx.fin_acked)
		return 0;
	st->flags |= SSS_ST_STOP_RECEIVED;
	/* all that a peer can say that has nothing left to be reset */
	if (stop->code != SSS_RESET_CLOSED)
		__sss_stream_set_note(st, true, stop->code, NULL, 0);
	__sss_stream_reset(st, stop->code);
	__sss_table_touch(st, BIT(SSS_STREAM_WRITABLE));
	check_aborted(st);
	return 0;
}

static int on_stream(struct sss_stream *st, const struct sss_frame_stream *frame,
		     const struct sss_rx_packet *pkt)
{
	u64 end = frame->offset + frame->len + frame->mark, edge = st->rx.re.edge;
	int err;

	if (frame->mark && (!st->ch->local.max_record || st->flags & SSS_ST_MESSAGE))
		return SSS_ERROR_PROTOCOL;
	if (st->flags & SSS_ST_MESSAGE && end > st->ch->local.max_datagram)
		return SSS_ERROR_PROTOCOL;
	err = __sss_flow_check(st, end);
	if (err)
		return err;
	/* whoever sends has accepted, though the packet that said so is missing */
	if (st->flags & SSS_ST_CONNECTING)
		__sss_request_reply(st, SSS_SERVICE_OK, NULL, 0);
	err = __sss_recvq_insert(st, frame, pkt);
	__sss_event_received(st, edge);
	return err;
}

static void on_window(struct sss_stream *st, u64 max)
{
	if (max <= st->tx.limit)
		return;
	WRITE_ONCE(st->tx.limit, max);
	__sss_sched_activate(st);
}

static int on_frame(struct sss_stream *st, const struct sss_frame *frame,
		    const struct sss_rx_packet *pkt)
{
	switch (frame->type) {
	case SSS_FRAME_STREAM:
		return on_stream(st, &frame->stream, pkt);
	case SSS_FRAME_RESET:
		return on_reset(st, &frame->reset);
	case SSS_FRAME_STOP:
		return on_stop(st, &frame->stop);
	case SSS_FRAME_WINDOW:
		on_window(st, frame->window.max);
		return 0;
	case SSS_FRAME_PRIORITY:
		__sss_sched_ordered(st, &frame->priority);
		return 0;
	case SSS_FRAME_SERVICE_REPLY:
		if (!(st->flags & SSS_ST_LOCAL))
			return SSS_ERROR_STREAM_STATE;
		__sss_request_reply(st, frame->service_reply.status, frame->service_reply.text,
				    frame->service_reply.text_len);
		return 0;
	}
	return 0;
}

/* Ids come first in every frame about a stream, but in another place of the union. */
static u64 frame_id(const struct sss_frame *frame)
{
	switch (frame->type) {
	case SSS_FRAME_STREAM:
		return frame->stream.id;
	case SSS_FRAME_RESET:
		return frame->reset.id;
	case SSS_FRAME_STOP:
		return frame->stop.id;
	case SSS_FRAME_WINDOW:
		return frame->window.id;
	case SSS_FRAME_SERVICE_REPLY:
		return frame->service_reply.id;
	default:
		return frame->priority.id;
	}
}

/* The root's counts every stream, whatever its parent. */
static int on_max_streams(struct sss_channel *ch, const struct sss_frame_max_streams *max)
{
	struct sss_streams *ss = sss_streams(ch);

	if (max->parent != SSS_ID_ROOT)
		return __sss_tree_credit(ch, max);
	ss->credit = max(ss->credit, max->count);
	return 0;
}

static int receive(struct sss_channel *ch, const struct sss_frame *frame,
		   const struct sss_rx_packet *pkt)
{
	struct sss_stream *st;
	int err;

	switch (frame->type) {
	case SSS_FRAME_INIT:
		return __sss_arrive_stream(ch, &frame->init);
	case SSS_FRAME_MAX_STREAMS:
		return on_max_streams(ch, &frame->max_streams);
	case SSS_FRAME_CHANNEL_WINDOW:
		__sss_flow_pool(ch, frame->channel_window.max);
		__sss_dgram_credit(ch, frame->channel_window.datagrams);
		return 0;
	case SSS_FRAME_DATAGRAM:
		return __sss_dgram_receive(ch, &frame->datagram, pkt);
	case SSS_FRAME_DATAGRAM_DROP:
		__sss_dgram_dropped(ch, &frame->datagram_drop);
		return 0;
	}
	err = __sss_table_look_up(ch, frame_id(frame), &st);
	if (err)
		return err;
	if (!st) {
		sss_mib_inc(ch->sn, FRAMES_IGNORED);
		return 0;
	}
	return on_frame(st, frame, pkt);
}

static int init(struct sss_channel *ch)
{
	struct sss_streams *ss = kzalloc(sizeof(*ss), GFP_ATOMIC);

	if (!ss)
		return -ENOMEM;
	xa_init(&ss->ids);
	INIT_LIST_HEAD(&ss->all);
	INIT_LIST_HEAD(&ss->opening);
	INIT_LIST_HEAD(&ss->due);
	INIT_LIST_HEAD(&ss->flight);
	INIT_LIST_HEAD(&ss->touched);
	INIT_LIST_HEAD(&ss->timed);
	sss_share_init(&ss->users);
	sss_share_init(&ss->background);
	INIT_LIST_HEAD(&ss->dgrams.loose);
	ch->streams = ss;
	return 0;
}

static void free_streams(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);

	if (!ss)
		return;
	WARN_ON_ONCE(!list_empty(&ss->all) || !list_empty(&ss->touched));
	WARN_ON_ONCE(atomic_long_read(&ss->memory) || atomic_long_read(&ss->windows));
	xa_destroy(&ss->ids);
	bitmap_free(ss->seen);
	sss_share_free(&ss->users);
	sss_share_free(&ss->background);
	sss_crowd_leave(ch);
	kfree(ss);
	ch->streams = NULL;
}

static void end(struct sss_channel *ch, int err)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st, *next;

	spin_lock_bh(&ch->lock);
	list_for_each_entry_safe(st, next, &ss->all, all)
		__sss_stream_break(st, err);
	spin_unlock_bh(&ch->lock);
	sss_table_deliver(ch);
}

/* Those whose INIT was sent cannot be forgotten on one side: they are reset. */
static void __connect_failed(struct sss_channel *ch, int err)
{
	struct sss_stream *st, *next;

	lockdep_assert_held(&ch->lock);
	list_for_each_entry_safe(st, next, &sss_streams(ch)->all, all)
		if (st->flags & SSS_ST_CONNECTING)
			__sss_stream_abort(st, err);
}

/* What counts from the beginning of a channel state begins anew. */
static void start_anew(struct sss_streams *ss)
{
	ss->next = 0;
	ss->credit = 0;
	ss->base = 0;
	if (ss->seen)
		bitmap_zero(ss->seen, ss->width);
	ss->closed = 0;
	ss->granted = 0;
	ss->granted_due = false;
	ss->pool_used = 0;
	ss->pool_max = 0;
	ss->pool_received = 0;
	ss->pool_returned = 0;
	ss->pool_granted = 0;
	ss->pool_due = false;
	ss->pool_blocked = false;
	ss->dgrams.n_loose = 0;
	ss->dgrams.flight = 0;
	ss->dgrams.credit = 0;
	ss->dgrams.blocked = false;
	ss->dgrams.n_drops = 0;
}

/* connect() that got no answer yet, and sent nothing but INIT: no harm in asking again */
static bool may_ask_again(const struct sss_stream *st)
{
	return st->flags & SSS_ST_CONNECTING && !st->tx.next && !st->tx.fin_sent && !st->kin &&
	       !(st->flags & (SSS_ST_INIT_ACKED | SSS_ST_RESET | SSS_ST_STOPPED | SSS_ST_ORPHAN));
}

/* The id belonged to the old state; the stream waits for a new one. */
static void take_id_back(struct sss_stream *st)
{
	struct sss_streams *ss = sss_streams(st->ch);

	xa_erase(&ss->ids, st->id);
	if (ss->last == st)
		ss->last = NULL;
	st->id = SSS_STREAM_NO_ID;
	st->flags &= ~SSS_ST_DUE;
	list_del_init(&st->due);
	list_del_init(&st->flight);
	__sss_sched_leave(st);
}

static void restart(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st, *next;
	LIST_HEAD(again);

	spin_lock_bh(&ch->lock);
	list_for_each_entry_safe(st, next, &ss->all, all) {
		if (st->id == SSS_STREAM_NO_ID)
			continue;
		if (may_ask_again(st)) {
			take_id_back(st);
			list_add_tail(&st->wait, &again);
		} else {
			__sss_stream_break(st, -ECONNRESET);
		}
	}
	list_splice(&again, &ss->opening);
	start_anew(ss);
	spin_unlock_bh(&ch->lock);
	sss_table_deliver(ch);
}

static void keys_up(struct sss_channel *ch)
{
	/* Streams wait in order; sss_sched_pending() sees that they can go now. */
}

static void link_down(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st;

	ss->down_since = ktime_get_ns();
	__sss_timed_at(ch, ss->down_since);
	list_for_each_entry(st, &ss->all, all)
		if (st->flags & SSS_ST_ORPHAN)
			__sss_table_touch(st, BIT(SSS_STREAM_FORSAKEN));
}

static void link_changed(struct sss_channel *ch, enum sss_link state)
{
	struct sss_streams *ss = sss_streams(ch);

	lockdep_assert_held(&ch->lock);
	if (state == SSS_LINK_DOWN && !ss->down_since)
		link_down(ch);
	else if (state != SSS_LINK_DOWN)
		ss->down_since = 0;
	__sss_event_link(ch, state);
}

static const struct sss_channel_ops channel_ops = {
	.init = init,
	.free = free_streams,
	.lookup = sss_request_lookup,
	.answered = sss_request_answered,
	.refused = __sss_request_refused,
	.up = keys_up,
	.connect_failed = __connect_failed,
	.end = end,
	.receive = receive,
	.deliver = sss_table_deliver,
	.pending = sss_sched_pending,
	.fill = sss_sched_fill,
	.acked = sss_control_acked,
	.lost = sss_control_lost,
	.restart = restart,
	.tick = sss_timed_tick,
	.link = link_changed,
};

/**
 * sss_stream_register_ops() - say who is told of news
 * @ops: the socket floor's, before the first socket exists
 */
void sss_stream_register_ops(const struct sss_stream_ops *ops)
{
	sss_stream_ops = ops;
}

/**
 * sss_stream_init() - make caches and take over the channel floor's upcalls
 *
 * Sleeps. Return: 0 or -ENOMEM.
 */
int __init sss_stream_init(void)
{
	int err = sss_stream_cache_init();

	if (err)
		return err;
	err = sss_sendq_init();
	if (err)
		goto destroy_streams;
	err = sss_recvq_init();
	if (err)
		goto destroy_sendq;
	sss_channel_register_ops(&channel_ops);
	return 0;
destroy_sendq:
	sss_sendq_exit();
destroy_streams:
	sss_stream_cache_exit();
	return err;
}

/**
 * sss_stream_exit() - undo sss_stream_init()
 *
 * No stream is left. Frees of caches wait for RCU by themselves.
 */
void sss_stream_exit(void)
{
	sss_recvq_exit();
	sss_sendq_exit();
	sss_stream_cache_exit();
}
