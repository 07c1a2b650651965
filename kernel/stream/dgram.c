// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams: messages on a stream, each whole or not at all, in no order.
 *
 * Each is a stream for as long as it lives, so that queues, priorities and
 * memory are those of streams. The reliable form is one on the wire as well: a
 * child that has one direction, read as a whole. The other form is *loose*: it
 * has no id, only a number (kept in struct sss_stream.id), and goes in DATAGRAM
 * frames that are sent once. The sender forgets a loose one with its last
 * fragment; the receiver, if it remains incomplete, when too many others do,
 * or after three probe timeouts.
 *
 * Those that arrived, or are about to, wait in a listener of their own
 * (__sss_tree_datagrams()), on the account of the socket that reads them.
 */
#include "stream/table.h"
#include "wire/packet.h"

#define LOOSE_MOST	64		/* incomplete ones, per channel */
#define WAITING_MOST	1024		/* datagrams that wait to be read, per stream ... */
#define WAITING_BYTES	0x100000	/* and bytes of loose ones */
#define WAITING_CHANNEL	0x400000	/* likewise, of all streams of a channel */
#define GROWING_MOST	4		/* unread ones longer than the first window */
#define PATIENCE_PTOS	3
#define SURVIVES_OF	20		/* one in so many may be lost before it is sent reliably */

/* Would a loose datagram be likely to arrive? */
static bool survives(const struct sss_channel *ch, size_t len)
{
	u64 fragments = len / (ch->path.mtu - SSS_PACKET_OVERHEAD - SSS_DGRAM_HEADERS) + 1;
	u64 credit = ch->remote.datagram_credit;

	if (credit < 2 * ch->path.mtu || len > credit / 2)
		return false;
	/* until it is known better, one packet in a hundred is lost */
	return fragments * (ch->pkts_lost + 1) * SURVIVES_OF <= ch->pkts_sent + 100;
}

/**
 * sss_dgram_max() - how long may a datagram be?
 * @parent: stream that has, or had, a channel
 *
 * Return: bytes that the peer takes
 */
u64 sss_dgram_max(const struct sss_stream *parent)
{
	return READ_ONCE(parent->ch->remote.max_datagram);
}

/**
 * sss_dgram_open() - begin a datagram
 * @parent: stream it belongs to
 * @st: from sss_stream_create(); afterwards sss_sendq_append() all of it, and
 *	then sss_dgram_send() or sss_dgram_give_up()
 * @sk: socket it is sent by, locked; the datagram takes a reference
 * @len: bytes
 * @reliable: it has to arrive
 *
 * Return: 0, or as sss_tree_open()
 */
int sss_dgram_open(struct sss_stream *parent, struct sss_stream *st, struct sock *sk, size_t len,
		   bool reliable)
{
	u32 flags = SSS_ST_LOCAL | SSS_ST_CONNECTED | SSS_ST_ACCEPTED | SSS_ST_MESSAGE;
	struct sss_channel *ch = parent->ch;
	int err;

	spin_lock_bh(&ch->lock);
	if (!reliable && survives(ch, len))
		flags |= SSS_ST_LOOSE;
	err = __sss_tree_open(parent, st, sk, flags);
	if (!err) {
		/* nothing comes back */
		st->rx.re.final = 0;
		st->rx.discard = true;
	}
	spin_unlock_bh(&ch->lock);
	return err;
}

/**
 * sss_dgram_send() - a datagram is complete
 * @st: from sss_dgram_open(), its socket locked
 * @ms: what is not delivered after so long is given up, 0: never
 */
void sss_dgram_send(struct sss_stream *st, u32 ms)
{
	struct sss_channel *ch = st->ch;

	spin_lock_bh(&ch->lock);
	if (!(st->flags & SSS_ST_OVER)) {
		st->tx.fin = true;
		st->progress_at = ktime_get_ns();
		if (ms)
			st->deadline = st->progress_at + (u64)ms * NSEC_PER_MSEC;
		__sss_timed_watch(st, st->progress_at);
		__sss_tree_go(st);
	} else {
		__sss_sendq_purge(st);	/* what was appended after the end */
	}
	spin_unlock_bh(&ch->lock);
	sss_channel_transmit(ch);
	sss_table_deliver(ch);
}

/**
 * sss_dgram_give_up() - a datagram will not be complete
 * @st: from sss_dgram_open(), its socket locked
 */
void sss_dgram_give_up(struct sss_stream *st)
{
	spin_lock_bh(&st->ch->lock);
	__sss_stream_break(st, -ECANCELED);
	__sss_sendq_purge(st);	/* if it was over, what was appended afterwards */
	spin_unlock_bh(&st->ch->lock);
	sss_table_deliver(st->ch);
}

/**
 * sss_dgram_over() - is nothing of it left to be sent?
 * @st: one that was sent
 *
 * Return: whether its socket can forget it
 */
bool sss_dgram_over(const struct sss_stream *st)
{
	/* pairs with __sss_stream_let_go() */
	return smp_load_acquire(&st->flags) & SSS_ST_LET_GO;
}

/* --- loose ones, sending --- */

static u64 credit_left(const struct sss_channel *ch)
{
	u64 credit = max(ch->remote.datagram_credit, sss_streams(ch)->dgrams.credit);
	u64 used = sss_streams(ch)->dgrams.flight;

	return credit > used ? credit - used : 0;
}

/**
 * __sss_dgram_may_send() - how much of a loose datagram may go now?
 * @st: one of ours, of a channel, which is locked
 * @n: octets there are
 *
 * Return: @n; 0: there is no credit for a packet of it
 */
u64 __sss_dgram_may_send(struct sss_stream *st, u64 n)
{
	struct sss_channel *ch = st->ch;

	lockdep_assert_held(&ch->lock);
	if (credit_left(ch) >= min_t(u64, n, ch->path.mtu))
		return n;
	sss_streams(ch)->dgrams.blocked = true;
	return 0;
}

/**
 * __sss_dgram_put() - a fragment into a packet
 * @st: loose datagram of ours, of a channel, which is locked, as is T
 * @pkt: packet; the INIT of the parent is in it, if it must be
 * @left: octets not sent yet
 *
 * Return: octets, or -ENOBUFS: no room
 */
int __sss_dgram_put(struct sss_stream *st, struct sss_tx_packet *pkt, u64 left)
{
	struct sss_txq *tx = &st->tx;
	u64 total = tx->end, offset = tx->next;
	size_t head = sss_frame_datagram_overhead(st->parent, st->id, total, offset);
	size_t room = sss_writer_room(&pkt->w);
	u32 len;

	lockdep_assert_held(&st->ch->lock);
	/* not a bit of it behind other frames: that makes one packet more to be lost */
	if (room < head + !!left || (room < head + left && pkt->n_frames > 1))
		return -ENOBUFS;
	len = min_t(u64, left, room - head);
	if (sss_frame_datagram_header(&pkt->w, st->parent, st->id, total, offset))
		return -ENOBUFS;
	sss_sendq_read(st, offset, sss_writer_reserve(&pkt->w, len), len);
	pkt->full = len < left;
	sss_tx_note(pkt, SSS_FRAME_DATAGRAM, st->parent, st->id, len, 0);
	sss_streams(st->ch)->dgrams.flight += len;
	return len;
}

static bool is_loose(const struct sss_stream *st, u32 local)
{
	return (st->flags & (SSS_ST_LOOSE | SSS_ST_LOCAL)) == (SSS_ST_LOOSE | local);
}

/* What of it is not sent yet would be in vain. */
static void stop_sending(struct sss_channel *ch, u64 parent, u64 message)
{
	struct sss_stream *st;

	list_for_each_entry(st, &sss_streams(ch)->all, all) {
		if (is_loose(st, SSS_ST_LOCAL) && st->id == message && st->parent == parent) {
			__sss_stream_break(st, -ECANCELED);
			return;
		}
	}
}

/**
 * __sss_dgram_credit() - CHANNEL_WINDOW arrived
 * @ch: channel, locked
 * @credit: bytes in DATAGRAM frames that may be under way
 */
void __sss_dgram_credit(struct sss_channel *ch, u64 credit)
{
	struct sss_dgrams *dgrams = &sss_streams(ch)->dgrams;

	lockdep_assert_held(&ch->lock);
	dgrams->credit = max(dgrams->credit, credit);
}

/**
 * __sss_dgram_announce_drop() - the peer may forget a loose datagram of ours
 * @ch: channel, locked
 * @parent: its stream
 * @message: its number
 *
 * Of too many the newest are told; others time out there.
 */
void __sss_dgram_announce_drop(struct sss_channel *ch, u64 parent, u64 message)
{
	struct sss_dgrams *dgrams = &sss_streams(ch)->dgrams;
	u32 last = (dgrams->first_drop + dgrams->n_drops - 1) % SSS_DGRAM_DROPS;

	lockdep_assert_held(&ch->lock);
	/* each lost fragment of it comes here, mostly one after the other */
	if (dgrams->n_drops && dgrams->drop[last].parent == parent &&
	    dgrams->drop[last].message == message)
		return;
	last = (last + 1) % SSS_DGRAM_DROPS;
	dgrams->drop[last].parent = parent;
	dgrams->drop[last].message = message;
	if (dgrams->n_drops < SSS_DGRAM_DROPS)
		dgrams->n_drops++;
	else
		dgrams->first_drop = (dgrams->first_drop + 1) % SSS_DGRAM_DROPS;
}

/**
 * __sss_dgram_settled() - what became of a fragment is known: the credit is back
 * @ch: channel, locked
 * @frame: as noted
 * @lost: it was lost, and with it the datagram
 */
void __sss_dgram_settled(struct sss_channel *ch, const struct sss_sent_frame *frame, bool lost)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st;

	lockdep_assert_held(&ch->lock);
	ss->dgrams.flight -= min_t(u64, ss->dgrams.flight, frame->len);
	if (lost) {
		sss_mib_inc(ch->sn, DATAGRAMS_LOST);
		stop_sending(ch, frame->id, frame->value);
		__sss_dgram_announce_drop(ch, frame->id, frame->value);
	}
	if (!ss->dgrams.blocked)
		return;
	ss->dgrams.blocked = false;
	list_for_each_entry(st, &ss->all, all)
		if (is_loose(st, SSS_ST_LOCAL))
			__sss_sched_activate(st);
}

/* --- receiving --- */

static void forget(struct sss_stream *st)
{
	list_del_init(&st->flight);
	sss_streams(st->ch)->dgrams.n_loose--;
}

/**
 * __sss_dgram_drop() - a datagram will not be complete, or nobody wants it
 * @st: one of the peer's, in a queue, of a channel, which is locked
 */
void __sss_dgram_drop(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (!sss_listener_remove(st->listener, st))
		return;
	sss_mib_inc(st->ch->sn, DATAGRAMS_DROPPED);
	__sss_dgram_forget(st);
	sss_recvq_purge(st);
}

/**
 * __sss_dgram_forget() - nobody will read a datagram
 * @st: one of the peer's, in no queue, of a channel, which is locked
 */
void __sss_dgram_forget(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	__sss_dgram_taken(st);
	if (!(st->flags & SSS_ST_LOOSE)) {
		__sss_stream_stop(st);
	} else if (!(st->flags & SSS_ST_OVER)) {
		forget(st);
		__sss_stream_break(st, -ECANCELED);
	}
}

/**
 * sss_dgram_forget() - a datagram nobody will read any more is over
 * @st: stream of the peer's, not in a queue, with a channel; may be none
 */
void sss_dgram_forget(struct sss_stream *st)
{
	if (!(READ_ONCE(st->flags) & SSS_ST_MESSAGE))
		return;
	spin_lock_bh(&st->ch->lock);
	__sss_dgram_forget(st);
	spin_unlock_bh(&st->ch->lock);
}

static struct sss_stream *find_loose(struct sss_streams *ss, u64 parent, u64 message)
{
	struct sss_stream *st;

	list_for_each_entry_reverse(st, &ss->dgrams.loose, flight)
		if (st->id == message && st->parent == parent)
			return st;
	return NULL;
}

/* A new one; NULL: there is no room for it, or no memory. */
static struct sss_stream *arrive(struct sss_stream *parent, const struct sss_frame_datagram *frame)
{
	struct sss_listener *l = __sss_tree_datagrams(parent);
	struct sss_channel *ch = parent->ch;
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st;

	if (!l || (parent->flags & SSS_ST_CLOSED && !sss_listener_has_socket(l)))
		return NULL;
	if (sss_memory_is_over(ch) || sss_listener_queued(l) >= WAITING_MOST ||
	    !sss_listener_has_room(l, WAITING_CHANNEL) ||
	    sss_listener_loose(l) + frame->total > WAITING_BYTES ||
	    atomic_read(&ss->dgrams.waiting) + frame->total > WAITING_CHANNEL)
		return NULL;
	st = sss_stream_alloc(SSS_KIND_DATAGRAM, GFP_ATOMIC | __GFP_NOWARN);
	if (!st)
		return NULL;
	st->id = frame->message;
	st->parent = frame->parent;
	st->rx.re.final = frame->total;
	__sss_stream_join(st, ch, SSS_ST_CONNECTED | SSS_ST_ACCEPTED | SSS_ST_REPLY_ACKED |
				  SSS_ST_MESSAGE | SSS_ST_LOOSE);
	__sss_dgram_one_way(st);
	list_add_tail(&st->flight, &ss->dgrams.loose);
	ss->dgrams.n_loose++;
	sss_listener_get(l);
	if (sss_listener_enqueue(l, st, NULL) != SSS_SERVICE_OK) {
		sss_listener_put(l);
		forget(st);
		__sss_stream_break(st, -ECANCELED);
		sss_stream_put(st);
		return NULL;
	}
	sss_stream_put(st);
	if (!frame->total)
		__sss_dgram_arrived(st);	/* and nothing more will */
	if (ss->dgrams.n_loose > LOOSE_MOST)
		__sss_dgram_drop(list_first_entry(&ss->dgrams.loose, struct sss_stream, flight));
	return st;
}

/**
 * __sss_dgram_receive() - DATAGRAM arrived
 * @ch: channel, locked
 * @frame: it
 * @pkt: packet it came in
 *
 * Return: 0; -ENOMEM: the packet was not received; or an enum sss_error
 */
int __sss_dgram_receive(struct sss_channel *ch, const struct sss_frame_datagram *frame,
			const struct sss_rx_packet *pkt)
{
	struct sss_frame_stream bytes = {
		.offset = frame->offset, .len = frame->len, .data = frame->data,
	};
	struct sss_stream *parent, *st;
	int err;

	lockdep_assert_held(&ch->lock);
	if (!ch->local.datagram_credit)
		return SSS_ERROR_FLOW_CONTROL;
	if (frame->total > ch->local.max_datagram)
		return SSS_ERROR_PROTOCOL;
	err = __sss_table_look_up(ch, frame->parent, &parent);
	if (err)
		return err;
	if (parent && parent->flags & SSS_ST_MESSAGE)
		return SSS_ERROR_STREAM_STATE;
	st = parent ? find_loose(sss_streams(ch), frame->parent, frame->message) : NULL;
	if (!st && parent)
		st = arrive(parent, frame);
	if (!st) {
		sss_mib_inc(ch->sn, DATAGRAMS_DROPPED);
		return 0;
	}
	if (st->rx.re.final != frame->total)
		return SSS_ERROR_PROTOCOL;
	st->progress_at = pkt->now;
	err = __sss_recvq_insert(st, &bytes, pkt);
	if (st->flags & SSS_ST_OVER)
		sss_streams(ch)->dgrams.n_loose--;	/* leave() took it off the list */
	else
		__sss_timed_watch(st, pkt->now);
	return err;
}

/**
 * __sss_dgram_dropped() - DATAGRAM_DROP arrived
 * @ch: channel, locked
 * @frame: it
 */
void __sss_dgram_dropped(struct sss_channel *ch, const struct sss_frame_datagram_drop *frame)
{
	struct sss_stream *st = find_loose(sss_streams(ch), frame->parent, frame->message);

	if (st)
		__sss_dgram_drop(st);
}

/**
 * __sss_dgram_one_way() - a datagram of the peer's: nothing goes back
 * @st: new stream of a channel, which is locked
 */
void __sss_dgram_one_way(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	st->rx.mode = SSS_RX_WHOLE;
	st->tx.fin = true;
	st->tx.fin_sent = true;
	st->tx.fin_acked = true;
}

/**
 * __sss_dgram_patience() - when is an incomplete loose datagram given up?
 * @st: loose one of the peer's, of a channel, which is locked
 *
 * Return: ns
 */
u64 __sss_dgram_patience(const struct sss_stream *st)
{
	return st->progress_at + PATIENCE_PTOS * sss_channel_pto_ns(st->ch);
}

/**
 * __sss_dgram_may_grow() - may a reliable datagram be longer than the first window?
 * @st: one of the peer's, of a channel, which is locked
 *
 * A few at a time, so that what waits unread is bounded, and that each of them
 * can be completed.
 *
 * Return: whether it may
 */
bool __sss_dgram_may_grow(struct sss_stream *st)
{
	struct sss_streams *ss = sss_streams(st->ch);

	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_GROWS)
		return true;
	if (ss->dgrams.growing >= GROWING_MOST)
		return false;
	st->flags |= SSS_ST_GROWS;
	ss->dgrams.growing++;
	return true;
}

/* Another long one may come instead. */
static void stop_growing(struct sss_stream *st)
{
	struct sss_streams *ss = sss_streams(st->ch);
	struct sss_stream *other;
	bool due;

	if (!(st->flags & SSS_ST_GROWS))
		return;
	st->flags &= ~SSS_ST_GROWS;
	ss->dgrams.growing--;
	list_for_each_entry(other, &ss->all, all) {
		if ((other->flags & (SSS_ST_MESSAGE | SSS_ST_LOCAL | SSS_ST_LOOSE)) !=
		    SSS_ST_MESSAGE || other == st)
			continue;
		spin_lock(&other->rx.lock);
		due = __sss_flow_for_record(other);
		spin_unlock(&other->rx.lock);
		if (due)
			__sss_sched_due(other, SSS_ST_DUE_WINDOW);
		if (ss->dgrams.growing >= GROWING_MOST)
			break;
	}
}

/**
 * __sss_dgram_taken() - a datagram waits no longer
 * @st: one of the peer's, of a channel, which is locked; not in the queue
 *
 * Makes room for those that wait behind it, here or at the peer.
 */
void __sss_dgram_taken(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_LOOSE)
		return;
	__sss_flow_accepted(st);
	__sss_tree_settled(st);
	stop_growing(st);
}

/**
 * sss_dgram_complete() - can it be read?
 * @st: datagram of the peer's
 *
 * Return: whether all of it is there
 */
bool sss_dgram_complete(const struct sss_stream *st)
{
	const struct sss_rxq *rx = &st->rx;

	return !rx->reset && !READ_ONCE(rx->discard) &&
	       READ_ONCE(rx->re.edge) == READ_ONCE(rx->re.final);
}

/**
 * __sss_dgram_arrived() - now it can be read
 * @st: datagram of the peer's, of a channel, which is locked
 */
void __sss_dgram_arrived(struct sss_stream *st)
{
	struct sss_stream *parent = __sss_table_find(st->ch, st->parent);

	lockdep_assert_held(&st->ch->lock);
	if (st->listener)
		sss_listener_completed(st->listener, st);
	__sss_table_touch(st, BIT(SSS_STREAM_CHILD));
	if (parent)
		__sss_event_raise(parent, SSS_EV_DATAGRAM, st->rx.re.final);
}

/**
 * sss_dgram_accept() - a datagram out of the queue, to be read like a stream
 * @l: its queue, whose socket is locked
 * @st: complete one from sss_listener_next(), whose reference stays; over, as
 *	nothing comes or goes any more. For sss_stream_attach()
 *
 * Return: whether it was still in the queue
 */
bool sss_dgram_accept(struct sss_listener *l, struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;
	bool mine;

	spin_lock_bh(&ch->lock);
	mine = sss_listener_remove(l, st);
	if (mine) {
		stop_growing(st);
		st->flags &= ~SSS_ST_MESSAGE;
	}
	spin_unlock_bh(&ch->lock);
	return mine;
}

/**
 * sss_dgram_take() - a datagram was read: out of the queue
 * @l: its queue, whose socket is locked
 * @st: from sss_listener_next(), whose reference is given up
 */
void sss_dgram_take(struct sss_listener *l, struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;

	spin_lock_bh(&ch->lock);
	if (sss_listener_remove(l, st))
		__sss_dgram_taken(st);
	spin_unlock_bh(&ch->lock);
	sss_recvq_purge(st);
	sss_stream_put(st);
	sss_channel_transmit(ch);
	sss_table_deliver(ch);
}
