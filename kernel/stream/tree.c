// SPDX-License-Identifier: GPL-2.0
/*
 * The tree: streams opened on streams.
 *
 * A child is a stream like any other: it has its own id, windows and end, and
 * outlives its parent. What it has of the parent is who may accept it, the
 * holder of the parent's other end, and the credit to be opened at all:
 *
 *	sss_tree_open()
 *	    |  no credit, or the parent itself has no id yet
 *	    +------------------> struct sss_kin.waiting
 *	    v                         | MAX_STREAMS, or the parent's INIT
 *	sss_streams.opening <---------+
 *	    | its INIT goes
 *	    v
 *	  has an id ----- the other end: queue of the parent's listener, accept()
 *
 * A child that waits for its id when the parent is over can never have one and
 * ends with it. Children of children are ended one level at a time, by
 * deliver(), because trees may be deeper than stacks.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include "stream/table.h"

#define FIRST_CREDIT	8	/* children of a new parent, protocol.rst */
#define DATAGRAMS	64	/* reliable ones that may wait for who reads them */
#define DEPTH_MAX	8	/* INITs that one packet may have to carry */
#define OPEN_MAX	65536	/* streams on one channel */
#define OPEN_HOLD_NS	(2 * NSEC_PER_MSEC)	/* INIT waits for data to go with */

/**
 * struct sss_kin - what a parent has beyond other streams
 * @listener: reference; children of the peer's that wait for accept(), NULL: none yet
 * @datagrams: likewise, datagrams that wait to be read
 * @numbers: loose datagrams of ours so far
 * @messages: datagrams of ours that are not over
 * @waiting: struct sss_stream.wait of children of ours that may not be opened yet
 * @opened: children of ours that were let go on
 * @credit: how many may be
 * @arrived: children of the peer's
 * @settled: of them, no longer waiting for accept()
 * @granted: what we told the peer last
 * @allowance: children of the peer's that may wait
 */
struct sss_kin {
	struct sss_listener *listener;
	struct sss_listener *datagrams;
	u64 numbers;
	u32 messages;
	struct list_head waiting;
	u64 opened;
	u64 credit;
	u64 arrived;
	u64 settled;
	u64 granted;
	u32 allowance;
};

static struct sss_kin *__get_kin(struct sss_stream *st)
{
	struct sss_kin *kin = st->kin;

	lockdep_assert_held(&st->ch->lock);
	if (kin)
		return kin;
	kin = kzalloc(sizeof(*kin), GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!kin)
		return NULL;
	INIT_LIST_HEAD(&kin->waiting);
	kin->credit = FIRST_CREDIT;
	kin->granted = FIRST_CREDIT;
	kin->allowance = FIRST_CREDIT;
	st->kin = kin;
	return kin;
}

static struct sss_listener *__get_listener(struct sss_stream *st)
{
	const struct sss_request *service;
	struct sss_kin *kin = __get_kin(st);

	if (!kin)
		return NULL;
	if (kin->listener)
		return kin->listener;
	kin->listener = sss_listener_alloc(GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT);
	service = sss_arrive_service(st);
	if (kin->listener && service)
		sss_listener_set_names(kin->listener, service);
	return kin->listener;
}

/**
 * sss_tree_free() - free a parent's part, with the stream
 * @st: stream without any reference
 */
void sss_tree_free(struct sss_stream *st)
{
	struct sss_kin *kin = st->kin;

	if (!kin)
		return;
	if (kin->listener)
		sss_listener_drain(kin->listener);
	if (kin->datagrams)
		sss_listener_drain(kin->datagrams);
	kfree(kin);
}

static void grant(struct sss_stream *st)
{
	struct sss_kin *kin = st->kin;

	if (kin->settled + kin->allowance >= kin->granted + max(kin->allowance / 4, 1U))
		__sss_sched_due(st, SSS_ST_DUE_CREDIT);
}

/* --- children of ours --- */

static bool unknown(const struct sss_stream *st)
{
	return (st->flags & (SSS_ST_LOCAL | SSS_ST_INIT_ACKED)) == SSS_ST_LOCAL;
}

/* INITs that a packet of a child of @st has to carry beside the child's own */
static unsigned int depth(const struct sss_stream *st)
{
	unsigned int n = 0;

	for (; st && unknown(st) && n < DEPTH_MAX; st = st->mother)
		n++;
	return n;
}

/* Lets children go on as far as credit goes. */
static void release_waiting(struct sss_stream *st)
{
	struct sss_kin *kin = st->kin;
	struct sss_stream *child;

	if (!kin || st->id == SSS_STREAM_NO_ID || depth(st) >= DEPTH_MAX)
		return;
	while ((child = list_first_entry_or_null(&kin->waiting, struct sss_stream, wait))) {
		/* loose datagrams stand first, and need none */
		if (!(child->flags & SSS_ST_LOOSE)) {
			if (kin->opened >= kin->credit)
				return;
			kin->opened++;
		}
		list_move_tail(&child->wait, &sss_streams(st->ch)->opening);
	}
}

static int may_open(const struct sss_stream *parent)
{
	if (READ_ONCE(parent->err))
		return parent->err;
	if (parent->flags & (SSS_ST_OVER | SSS_ST_ORPHAN))
		return -ENOTCONN;
	if (parent->ch->state == SSS_CHANNEL_CLOSED)
		return -ECONNRESET;
	return parent->ch->n_streams < OPEN_MAX ? 0 : -ENOBUFS;
}

/**
 * __sss_tree_open() - make a stream the child of another
 * @parent: stream of a channel, which is locked; the caller has a reference
 * @child: from sss_stream_create()
 * @sk: the child's socket, locked; the stream takes a reference
 * @flags: SSS_ST_* to set
 *
 * Return: as sss_tree_open()
 */
int __sss_tree_open(struct sss_stream *parent, struct sss_stream *child, struct sock *sk,
		    u32 flags)
{
	int err = may_open(parent);

	if (!err && !__get_kin(parent))
		err = -ENOMEM;
	if (err)
		return err;
	__sss_stream_join(child, parent->ch, flags);
	sock_hold(sk);
	child->sk = sk;
	__sss_sched_own(child, sk);
	__sss_keepalive_set(child, sock_flag(sk, SOCK_KEEPOPEN) && !(flags & SSS_ST_MESSAGE));
	sss_stream_get(parent);
	child->mother = parent;
	parent->kin->messages += !!(flags & SSS_ST_MESSAGE);
	return 0;
}

/**
 * __sss_tree_go() - let a child be opened, now or as soon as there is credit
 * @child: from __sss_tree_open(), of a channel, which is locked
 */
void __sss_tree_go(struct sss_stream *child)
{
	struct sss_stream *parent = child->mother;

	lockdep_assert_held(&child->ch->lock);
	if (parent->flags & SSS_ST_OVER) {
		__sss_stream_break(child, -ECONNABORTED);
		return;
	}
	if (child->flags & SSS_ST_LOOSE)
		list_add(&child->wait, &parent->kin->waiting);
	else
		list_add_tail(&child->wait, &parent->kin->waiting);
	release_waiting(parent);
}

/**
 * __sss_tree_number() - a number for a loose datagram
 * @parent: its stream, of a channel, which is locked
 *
 * Return: one that was never used
 */
u64 __sss_tree_number(struct sss_stream *parent)
{
	lockdep_assert_held(&parent->ch->lock);
	return parent->kin->numbers++;
}

/**
 * __sss_tree_datagrams() - where datagrams on a stream wait
 * @st: stream of a channel, which is locked
 *
 * Return: the queue, without a reference; NULL without memory
 */
struct sss_listener *__sss_tree_datagrams(struct sss_stream *st)
{
	struct sss_kin *kin = __get_kin(st);

	if (kin && !kin->datagrams)
		kin->datagrams = sss_listener_alloc(GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT);
	return kin ? kin->datagrams : NULL;
}

/**
 * sss_tree_receive() - a socket reads the datagrams of a stream
 * @st: stream, with a channel
 * @sk: socket, locked
 *
 * Return: their queue with a reference, or ERR_PTR: -EBUSY: another socket
 * does, -ENOMEM
 */
struct sss_listener *sss_tree_receive(struct sss_stream *st, struct sock *sk)
{
	struct sss_channel *ch = st->ch;
	struct sss_listener *l;

	spin_lock_bh(&ch->lock);
	l = __sss_tree_datagrams(st) ?: ERR_PTR(-ENOMEM);
	if (!IS_ERR(l) && !sss_listener_set_socket(l, sk))
		l = ERR_PTR(-EBUSY);
	if (!IS_ERR(l)) {
		sss_listener_get(l);
		st->kin->allowance = max_t(u32, st->kin->allowance, DATAGRAMS);
		if (!(st->flags & SSS_ST_OVER))
			grant(st);
	}
	spin_unlock_bh(&ch->lock);
	if (IS_ERR(l))
		return l;
	sss_listener_settle(l, sk);
	sss_channel_transmit(ch);
	return l;
}

/**
 * sss_tree_open() - open a stream on a stream
 * @parent: stream with a channel; the caller has a reference
 * @child: from sss_stream_create(); afterwards a stream like any other, at once
 * @sk: the child's socket, locked; the stream takes a reference
 *
 * Return: 0; what broke the parent; -ENOTCONN: it is over; -ENOBUFS: too many
 * streams; -ENOMEM. After an error nothing happened.
 */
int sss_tree_open(struct sss_stream *parent, struct sss_stream *child, struct sock *sk)
{
	struct sss_channel *ch = parent->ch;
	int err;

	spin_lock_bh(&ch->lock);
	err = __sss_tree_open(parent, child, sk, SSS_ST_LOCAL | SSS_ST_CONNECTED | SSS_ST_ACCEPTED);
	if (err) {
		spin_unlock_bh(&ch->lock);
		return err;
	}
	__sss_tree_go(child);
	child->progress_at = ktime_get_ns();
	__sss_timed_watch(child, child->progress_at);
	__sss_timed_at(ch, child->progress_at + OPEN_HOLD_NS);
	spin_unlock_bh(&ch->lock);
	sss_flow_consumed(child, sk);
	return 0;
}

/**
 * __sss_tree_born() - a stream of ours has its id, or the peer knows it now
 * @st: stream of a channel, which is locked
 */
void __sss_tree_born(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	release_waiting(st);
}

/**
 * __sss_tree_credit() - MAX_STREAMS for a parent arrived
 * @ch: channel, locked
 * @max: frame
 *
 * Return: 0 or an enum sss_error
 */
int __sss_tree_credit(struct sss_channel *ch, const struct sss_frame_max_streams *max)
{
	struct sss_stream *st;
	int err;

	lockdep_assert_held(&ch->lock);
	err = __sss_table_look_up(ch, max->parent, &st);
	if (err || !st)
		return err;
	if (!__get_kin(st))
		return -ENOMEM;
	if (max->count <= st->kin->credit)
		return 0;
	st->kin->credit = max->count;
	release_waiting(st);
	return 0;
}

/**
 * __sss_tree_put_init() - have a packet make a stream known to the peer
 * @st: stream of ours with an id, of a channel, which is locked
 * @pkt: packet
 * @put: writes one INIT, if it is not there; false: no room
 *
 * Its ancestors come first, as far as the peer may not know them. Who is known
 * has only known ancestors, because they came with it.
 *
 * Return: whether all are there
 */
bool __sss_tree_put_init(struct sss_stream *st, struct sss_tx_packet *pkt,
			 bool (*put)(struct sss_stream *st, struct sss_tx_packet *pkt))
{
	struct sss_stream *line[DEPTH_MAX + 1];
	unsigned int n = 0;

	lockdep_assert_held(&st->ch->lock);
	for (; st && unknown(st) && n < ARRAY_SIZE(line); st = st->mother)
		line[n++] = st;
	while (n--)
		if (!put(line[n], pkt))
			return false;
	return true;
}

/* Left to deliver(): see the head of this file. */
static void doom(struct sss_stream *child, int err)
{
	__sss_stream_fail(child, err);
	child->flags |= SSS_ST_DOOMED;
	list_del_init(&child->wait);
	__sss_table_touch(child, BIT(SSS_STREAM_ENDED));
}

/**
 * __sss_tree_is_busy() - must a stream stay for the datagrams that we sent on it?
 * @st: stream of a channel, which is locked
 *
 * Who closes the socket of a root stream of kind datagram has nothing else to
 * keep it for, and what is reliable has to arrive all the same.
 *
 * Return: whether it must
 */
bool __sss_tree_is_busy(const struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	return st->kind == SSS_KIND_DATAGRAM && st->kin && st->kin->messages;
}

/* A datagram of ours is over, and maybe its parent waited for that. */
static void message_over(struct sss_stream *st)
{
	struct sss_stream *parent = st->mother ?: __sss_table_find(st->ch, st->parent);

	if (!parent || !parent->kin)
		return;
	parent->kin->messages--;
	if (!(parent->flags & SSS_ST_ORPHAN) || __sss_tree_is_busy(parent))
		return;
	__sss_stream_stop(parent);
	__sss_sched_activate(parent);
}

/**
 * __sss_tree_leave() - a stream is over
 * @st: stream of a channel, which is locked; just left the table
 */
void __sss_tree_leave(struct sss_stream *st)
{
	int err = READ_ONCE(st->err) ?: -ECONNABORTED;
	struct sss_stream *child, *next;

	lockdep_assert_held(&st->ch->lock);
	if (st->kin) {
		list_for_each_entry_safe(child, next, &st->kin->waiting, wait)
			doom(child, err);
		list_for_each_entry_safe(child, next, &sss_streams(st->ch)->opening, wait)
			if (child->mother == st)
				doom(child, err);
		/* again, if its own socket heard of the end before: for the acceptor's */
		__sss_table_touch(st, BIT(SSS_STREAM_ENDED));
	}
	if ((st->flags & (SSS_ST_MESSAGE | SSS_ST_LOCAL)) == (SSS_ST_MESSAGE | SSS_ST_LOCAL))
		message_over(st);
	__sss_tree_forget_mother(st);
}

/**
 * __sss_tree_forget_mother() - what the peer knows needs its parent no longer
 * @st: stream of a channel, which is locked
 *
 * If it is the last reference to the parent, this has none to its own any more.
 */
void __sss_tree_forget_mother(struct sss_stream *st)
{
	struct sss_stream *mother = st->mother;

	lockdep_assert_held(&st->ch->lock);
	st->mother = NULL;
	if (mother)
		sss_stream_put(mother);
}

/* --- children of the peer's --- */

/**
 * __sss_tree_granted() - what MAX_STREAMS is to say
 * @st: parent, of a channel, which is locked
 *
 * Return: children that the peer may open, over the parent's life
 */
u64 __sss_tree_granted(struct sss_stream *st)
{
	struct sss_kin *kin = st->kin;

	lockdep_assert_held(&st->ch->lock);
	kin->granted = max(kin->granted, kin->settled + kin->allowance);
	return kin->granted;
}

/**
 * __sss_tree_credit_lost() - a MAX_STREAMS was lost
 * @st: parent, of a channel, which is locked
 * @count: what it said
 */
void __sss_tree_credit_lost(struct sss_stream *st, u64 count)
{
	lockdep_assert_held(&st->ch->lock);
	if (count == st->kin->granted)
		__sss_sched_due(st, SSS_ST_DUE_CREDIT);
}

/**
 * __sss_tree_admit() - may the peer open a child?
 * @parent: stream of a channel, which is locked
 *
 * Return: 0, -ENOMEM, SSS_ERROR_STREAM_LIMIT, or SSS_ERROR_STREAM_STATE: the parent is a
 * datagram
 */
int __sss_tree_admit(struct sss_stream *parent)
{
	struct sss_kin *kin;

	if (parent->flags & SSS_ST_MESSAGE)
		return SSS_ERROR_STREAM_STATE;	/* nobody could take it */
	kin = __get_kin(parent);
	if (!kin)
		return -ENOMEM;
	if (kin->arrived >= kin->granted)
		return SSS_ERROR_STREAM_LIMIT;
	return __get_listener(parent) && __sss_tree_datagrams(parent) ? 0 : -ENOMEM;
}

/**
 * __sss_tree_arrived() - the peer opened a child
 * @parent: __sss_tree_admit() returned 0
 * @child: new, of the same channel, which is locked
 * @wanted: the peer may open it
 *
 * Return: whether somebody can accept it
 */
bool __sss_tree_arrived(struct sss_stream *parent, struct sss_stream *child, bool wanted)
{
	struct sss_kin *kin = parent->kin;
	struct sss_listener *l = child->flags & SSS_ST_MESSAGE ? kin->datagrams : kin->listener;

	lockdep_assert_held(&parent->ch->lock);
	parent->kin->arrived++;
	if (!wanted)
		return false;
	if (parent->flags & SSS_ST_CLOSED && !sss_listener_has_socket(l))
		return false;
	sss_listener_get(l);
	if (sss_listener_enqueue(l, child, NULL) == SSS_SERVICE_OK) {
		if (!(child->flags & SSS_ST_MESSAGE))
			__sss_event_raise(parent, SSS_EV_NEW_SUBSTREAM, child->id);
		return true;
	}
	sss_listener_put(l);
	return false;
}

/**
 * __sss_tree_settled() - a child of the peer's waits no longer
 * @child: stream of a channel, which is locked
 */
void __sss_tree_settled(struct sss_stream *child)
{
	struct sss_stream *parent;

	lockdep_assert_held(&child->ch->lock);
	if (child->parent == SSS_ID_ROOT)
		return;
	parent = __sss_table_find(child->ch, child->parent);
	if (!parent || !parent->kin)
		return;
	parent->kin->settled++;
	grant(parent);
}

/**
 * sss_tree_listen() - a program wants the children of a stream
 * @st: stream, with a channel
 * @sk: who takes them: the stream's socket or another, locked
 * @backlog: children that may wait
 *
 * A second call changes both.
 *
 * Return: the listener with a reference, or ERR_PTR: -EBUSY: another socket
 * accepts, -ENOMEM
 */
struct sss_listener *sss_tree_listen(struct sss_stream *st, struct sock *sk, u32 backlog)
{
	struct sss_channel *ch = st->ch;
	struct sss_listener *l;

	spin_lock_bh(&ch->lock);
	l = __get_listener(st) ?: ERR_PTR(-ENOMEM);
	if (!IS_ERR(l) && !sss_listener_set_socket(l, sk))
		l = ERR_PTR(-EBUSY);
	if (!IS_ERR(l)) {
		sss_listener_get(l);
		st->kin->allowance = max_t(u32, backlog, FIRST_CREDIT);
		if (!(st->flags & SSS_ST_OVER))
			grant(st);
	}
	spin_unlock_bh(&ch->lock);
	if (IS_ERR(l))
		return l;
	sss_listener_settle(l, sk);
	sss_channel_transmit(ch);
	return l;
}

/**
 * sss_tree_ended() - will no child ever come?
 * @st: stream
 *
 * Return: whether the stream is over
 */
bool sss_tree_ended(const struct sss_stream *st)
{
	return READ_ONCE(st->flags) & SSS_ST_OVER;
}

/**
 * sss_tree_listener() - where the children of a stream wait
 * @st: stream
 *
 * Return: the listener with a reference, NULL: there is none
 */
struct sss_listener *sss_tree_listener(struct sss_stream *st)
{
	struct sss_listener *l = NULL;

	if (!st->ch)
		return NULL;
	spin_lock_bh(&st->ch->lock);
	if (st->kin)
		l = st->kin->listener;
	if (l)
		sss_listener_get(l);
	spin_unlock_bh(&st->ch->lock);
	return l;
}

static struct sss_listener *get_datagrams(struct sss_stream *st)
{
	struct sss_listener *l = NULL;

	if (!st->ch)
		return NULL;
	spin_lock_bh(&st->ch->lock);
	if (st->kin)
		l = st->kin->datagrams;
	if (l)
		sss_listener_get(l);
	spin_unlock_bh(&st->ch->lock);
	return l;
}

/**
 * sss_tree_notify() - wake who waits for children: the stream is over
 * @st: stream
 *
 * Context: BH off, no lock held.
 */
void sss_tree_notify(struct sss_stream *st)
{
	struct sss_listener *l[2];
	int i;

	if (!READ_ONCE(st->kin))
		return;
	l[0] = sss_tree_listener(st);
	l[1] = get_datagrams(st);
	for (i = 0; i < 2; i++) {
		if (!l[i])
			continue;
		sss_listener_notify(l[i], BIT(SSS_STREAM_CHILD));
		sss_listener_put(l[i]);
	}
}

/* What waits unread, unless a socket of its own reads it */
static void close_datagrams(struct sss_stream *st, struct sock *sk)
{
	struct sss_listener *l;

	if (!(READ_ONCE(st->flags) & SSS_ST_CLOSED))
		return;
	l = get_datagrams(st);
	if (!l)
		return;
	if (sss_listener_is_of(l, sk))
		sss_listener_close(l);
	else
		sss_listener_put(l);
}

/**
 * sss_tree_unread() - the socket for the datagrams of a stream has gone
 * @st: stream
 * @sk: that socket, locked
 *
 * What waits goes on waiting, unless the stream was closed before.
 */
void sss_tree_unread(struct sss_stream *st, struct sock *sk)
{
	close_datagrams(st, sk);
}

/**
 * sss_tree_close() - who holds a stream, or accepts its children, has gone
 * @st: stream
 * @sk: that socket, locked; it has given the stream or the listener up already
 *
 * Children that wait are refused, unless another socket accepts them, or may
 * do so one day because the stream is still held. Of two sockets that go at the
 * same time at least one sees that the other has.
 */
void sss_tree_close(struct sss_stream *st, struct sock *sk)
{
	struct sss_listener *l = sss_tree_listener(st);

	close_datagrams(st, sk);
	if (!l)
		return;
	if (!(READ_ONCE(st->flags) & SSS_ST_CLOSED)) {
		sss_listener_put(l);
		return;
	}
	if (sss_listener_is_of(l, sk))
		sss_listener_close(l);
	else
		sss_listener_put(l);
}
