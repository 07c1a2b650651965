// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners, and streams that wait in them for accept().
 *
 * A listener for names belongs to its socket, which finds it by a pointer of
 * its own; INIT finds it by sk_user_data (RCU). Streams keep a reference to it
 * for the names, long after the socket has closed it. A listener for the
 * children of a stream belongs to the stream (tree.c), and may have a socket.
 *
 * Data of waiting streams stands on the listening socket's account. @memory is
 * what there is; sss_listener_settle() charges or returns the difference.
 */
#include <linux/slab.h>
#include "stream/table.h"

/**
 * struct sss_listener - queue of streams to accept
 * @ref: the socket, streams that came by it, lookups under way
 * @rcu: frees it
 * @lock: leaf, nests in C and S: down to @names_set
 * @queue: struct sss_stream.wait; the queue holds a reference of each
 * @complete: likewise, datagrams that can be read
 * @queued: length of both
 * @backlog: most that may wait
 * @sk: the listening socket, NULL: none yet, or not any more
 * @closed: takes no more
 * @names_set: @request is valid
 * @request: its names, once the first stream came; of a stream's listener those that
 *	the tree of the stream came for
 * @memory: of the streams in @queue
 * @loose: bytes of loose datagrams in @queue
 * @charged: of it, to the socket (S, or slock while nobody has it locked)
 */
struct sss_listener {
	struct kref ref;
	struct rcu_head rcu;
	spinlock_t lock;
	struct list_head queue;
	struct list_head complete;
	u32 queued;
	u32 backlog;
	struct sock *sk;
	bool closed;
	bool names_set;
	struct sss_request request;
	atomic_t memory;
	atomic_t loose;
	int charged;
};

static void free_listener(struct kref *ref)
{
	struct sss_listener *l = container_of(ref, struct sss_listener, ref);

	kfree_rcu(l, rcu);
}

/**
 * sss_listener_put() - give a reference back
 * @l: listener
 */
void sss_listener_put(struct sss_listener *l)
{
	kref_put(&l->ref, free_listener);
}

/**
 * sss_listener_get() - another reference
 * @l: listener, of which the caller has one
 */
void sss_listener_get(struct sss_listener *l)
{
	kref_get(&l->ref);
}

/**
 * sss_listener_alloc() - a listener without a socket and without bound
 * @gfp: how to allocate
 *
 * Return: one reference, or NULL
 */
struct sss_listener *sss_listener_alloc(gfp_t gfp)
{
	struct sss_listener *l = kzalloc(sizeof(*l), gfp);

	if (!l)
		return NULL;
	kref_init(&l->ref);
	spin_lock_init(&l->lock);
	INIT_LIST_HEAD(&l->queue);
	INIT_LIST_HEAD(&l->complete);
	l->backlog = U32_MAX;
	return l;
}

/**
 * sss_listener_create() - start to take streams
 * @sk: listening socket, locked; freed by RCU
 * @backlog: streams that may wait for accept()
 *
 * Sleeps. Return: the listener, for sss_listener_close(), or NULL.
 */
struct sss_listener *sss_listener_create(struct sock *sk, u32 backlog)
{
	struct sss_listener *l = sss_listener_alloc(GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	l->backlog = backlog;
	l->sk = sk;
	rcu_assign_sk_user_data(sk, l);
	return l;
}

/**
 * sss_listener_set_backlog() - listen() again
 * @l: listener
 * @backlog: streams that may wait from now on; those that do stay
 */
void sss_listener_set_backlog(struct sss_listener *l, u32 backlog)
{
	WRITE_ONCE(l->backlog, backlog);
}

/**
 * sss_listener_ready() - does a stream wait?
 * @l: listener
 *
 * Return: whether sss_listener_accept() would give one
 */
bool sss_listener_ready(const struct sss_listener *l)
{
	return READ_ONCE(l->queued);
}

/**
 * sss_listener_next() - the first datagram that can be read
 * @l: queue of datagrams; its socket or the spinlock of that is locked
 *
 * Return: it, with a reference; it stays in the queue. NULL: none
 */
struct sss_stream *sss_listener_next(struct sss_listener *l)
{
	struct sss_stream *st;

	if (list_empty_careful(&l->complete))
		return NULL;
	spin_lock_bh(&l->lock);
	st = list_first_entry_or_null(&l->complete, struct sss_stream, wait);
	if (st)
		sss_stream_get(st);
	spin_unlock_bh(&l->lock);
	return st;
}

/**
 * sss_listener_completed() - a datagram that waits can be read
 * @l: queue of datagrams
 * @st: it, of a locked channel; may have been taken out just now
 */
void sss_listener_completed(struct sss_listener *l, struct sss_stream *st)
{
	spin_lock_bh(&l->lock);
	if (!list_empty(&st->wait))
		list_move_tail(&st->wait, &l->complete);
	spin_unlock_bh(&l->lock);
}

/**
 * sss_listener_has_room() - may more be kept for the socket that reads datagrams?
 * @l: queue of datagrams
 * @most: bytes of memory beyond its receive buffer
 *
 * Return: whether there is room for best-effort ones; also if nobody reads
 */
bool sss_listener_has_room(struct sss_listener *l, u32 most)
{
	bool room;

	spin_lock_bh(&l->lock);
	room = !l->sk || atomic_read(&l->sk->sk_rmem_alloc) <
			 (u64)READ_ONCE(l->sk->sk_rcvbuf) + most;
	spin_unlock_bh(&l->lock);
	return room;
}

/**
 * sss_listener_queued() - how many wait?
 * @l: listener
 *
 * Return: streams in the queue
 */
u32 sss_listener_queued(const struct sss_listener *l)
{
	return READ_ONCE(l->queued);
}

/**
 * sss_listener_charge() - the memory of a waiting stream changes
 * @l: its listener
 * @delta: bytes of truesize
 *
 * The caller holds R of the stream.
 */
void sss_listener_charge(struct sss_listener *l, s32 delta)
{
	atomic_add(delta, &l->memory);
}

/* The stream's memory is no longer the listener's business. */
static void disown(struct sss_stream *st)
{
	struct sss_rxq *rx = &st->rx;

	spin_lock_bh(&rx->lock);
	if (rx->on_listener) {
		rx->on_listener = false;
		sss_listener_charge(st->listener, -(s32)rx->truesize);
	}
	spin_unlock_bh(&rx->lock);
	if (st->flags & SSS_ST_LOOSE) {
		atomic_sub(rx->re.final, &st->listener->loose);
		atomic_sub(rx->re.final, &sss_streams(st->ch)->dgrams.waiting);
	}
}

/**
 * sss_listener_loose() - how much of loose datagrams waits?
 * @l: listener
 *
 * Return: bytes, also of those not complete yet
 */
u32 sss_listener_loose(const struct sss_listener *l)
{
	return atomic_read(&l->loose);
}

/**
 * sss_listener_settle() - bring the listening socket's account up to date
 * @l: listener
 * @sk: its socket, locked, or its spinlock held while nobody has it locked
 */
void sss_listener_settle(struct sss_listener *l, struct sock *sk)
{
	int delta = atomic_read(&l->memory) - l->charged;

	if (!delta)
		return;
	l->charged += delta;
	atomic_add(delta, &sk->sk_rmem_alloc);
	if (delta < 0) {
		sk_mem_uncharge(sk, -delta);
		return;
	}
	if (delta > sk->sk_forward_alloc)
		__sk_mem_schedule(sk, delta - sk->sk_forward_alloc, SK_MEM_RECV);
	sk_mem_charge(sk, delta);
}

/* A stream out of the queue, with its reference, or NULL */
static struct sss_stream *dequeue(struct sss_listener *l)
{
	struct sss_stream *st;

	spin_lock_bh(&l->lock);
	st = list_first_entry_or_null(&l->queue, struct sss_stream, wait) ?:
	     list_first_entry_or_null(&l->complete, struct sss_stream, wait);
	if (st) {
		list_del_init(&st->wait);
		WRITE_ONCE(l->queued, l->queued - 1);
	}
	spin_unlock_bh(&l->lock);
	if (st)
		disown(st);
	return st;
}

/**
 * sss_listener_accept() - the stream that waits longest
 * @l: listener, its socket locked
 *
 * It may be over already; what it received can be read all the same.
 *
 * Return: the stream with a reference, for sss_stream_attach(), or for
 * sss_stream_close() and sss_stream_put(); NULL: none waits
 */
struct sss_stream *sss_listener_accept(struct sss_listener *l)
{
	struct sss_stream *st = dequeue(l);

	if (st)
		sss_listener_settle(l, l->sk);
	return st;
}

/**
 * sss_listener_remove() - take a stream out of the queue
 * @l: listener
 * @st: stream of a locked channel
 *
 * The queue's reference is put, which is not the last: the channel has one.
 *
 * Return: whether it was in the queue
 */
bool sss_listener_remove(struct sss_listener *l, struct sss_stream *st)
{
	bool found;

	spin_lock_bh(&l->lock);
	found = !list_empty(&st->wait);
	if (found) {
		list_del_init(&st->wait);
		WRITE_ONCE(l->queued, l->queued - 1);
	}
	spin_unlock_bh(&l->lock);
	if (!found)
		return false;
	disown(st);
	__sss_table_touch(st, BIT(SSS_STREAM_MEMORY));
	sss_stream_put(st);
	return true;
}

/**
 * sss_listener_set_socket() - who is told, and whose account it is on
 * @l: listener
 * @sk: socket, locked, which lives until sss_listener_close() or
 *	sss_listener_detach()
 *
 * Return: false: another socket is, or it is closed
 */
bool sss_listener_set_socket(struct sss_listener *l, struct sock *sk)
{
	bool mine;

	spin_lock_bh(&l->lock);
	mine = !l->closed && (!l->sk || l->sk == sk);
	if (mine)
		l->sk = sk;
	spin_unlock_bh(&l->lock);
	return mine;
}

/**
 * sss_listener_is_of() - is this the socket that accepts?
 * @l: listener
 * @sk: socket
 *
 * Return: whether it is, or nobody else is
 */
bool sss_listener_is_of(const struct sss_listener *l, const struct sock *sk)
{
	const struct sock *owner = READ_ONCE(l->sk);

	return !owner || owner == sk;
}

/**
 * sss_listener_has_socket() - does anybody accept?
 * @l: listener
 *
 * Return: whether a socket does
 */
bool sss_listener_has_socket(const struct sss_listener *l)
{
	return READ_ONCE(l->sk);
}

/**
 * sss_listener_detach() - the socket accepts no more; what waits goes on waiting
 * @l: listener of a stream, reference given up
 * @sk: its socket, locked
 */
void sss_listener_detach(struct sss_listener *l, struct sock *sk)
{
	spin_lock_bh(&l->lock);
	l->sk = NULL;
	spin_unlock_bh(&l->lock);
	atomic_sub(l->charged, &sk->sk_rmem_alloc);
	sk_mem_uncharge(sk, l->charged);
	l->charged = 0;
	sss_listener_put(l);
}

/* Moves what waits for the children of @st behind the queue of @l. */
static void adopt(struct sss_listener *l, struct sss_stream *st)
{
	struct sss_listener *from = sss_tree_listener(st);
	LIST_HEAD(children);
	u32 n;

	if (!from)
		return;
	spin_lock_bh(&from->lock);
	from->closed = true;
	list_splice_init(&from->queue, &children);
	n = from->queued;
	WRITE_ONCE(from->queued, 0);
	spin_unlock_bh(&from->lock);
	sss_listener_put(from);

	spin_lock_bh(&l->lock);
	list_splice_tail(&children, &l->queue);
	WRITE_ONCE(l->queued, l->queued + n);
	spin_unlock_bh(&l->lock);
}

static void close_listener(struct sss_listener *l)
{
	spin_lock_bh(&l->lock);
	l->sk = NULL;
	l->closed = true;
	spin_unlock_bh(&l->lock);
}

/* Refuses what waits in a queue; it goes to @refused with its references. */
static void refuse_queue(struct sss_listener *l, struct list_head *refused)
{
	struct sss_stream *st;

	while ((st = dequeue(l))) {
		sss_stream_reset(st, SSS_RESET_CLOSED, "nobody listens any more");
		sss_stream_close(st);
		/* free again: who is closed is in no queue */
		list_add_tail(&st->wait, refused);
		cond_resched();
	}
}

/* With all that waits below; a tree may be deeper than the stack. */
static void refuse_all(struct sss_listener *l)
{
	struct sss_listener *below;
	struct sss_stream *st;
	LIST_HEAD(refused);

	refuse_queue(l, &refused);
	while ((st = list_first_entry_or_null(&refused, struct sss_stream, wait))) {
		list_del_init(&st->wait);
		below = sss_tree_listener(st);
		if (below) {
			close_listener(below);
			refuse_queue(below, &refused);
			sss_listener_put(below);
		}
		sss_stream_put(st);
	}
}

/**
 * sss_listener_close() - refuse what waits, and take no more
 * @l: listener, reference given up
 *
 * The socket, if there is one, is locked.
 */
void sss_listener_close(struct sss_listener *l)
{
	struct sock *sk = l->sk;

	if (sk)
		rcu_assign_sk_user_data(sk, NULL);
	close_listener(l);
	refuse_all(l);
	if (sk)
		sss_listener_settle(l, sk);
	sss_listener_put(l);
}

/**
 * sss_listener_drain() - the stream whose children waited is freed
 * @l: listener without a socket, reference given up
 *
 * All that waits is over: the channel ended, or the parent was given up.
 */
void sss_listener_drain(struct sss_listener *l)
{
	struct sss_stream *st;

	while ((st = dequeue(l))) {
		sss_dgram_forget(st);
		WARN_ON_ONCE(!(READ_ONCE(st->flags) & (SSS_ST_OVER | SSS_ST_MESSAGE)));
		adopt(l, st);
		sss_stream_put(st);
	}
	sss_listener_put(l);
}

/**
 * sss_listener_notify() - tell the listening socket
 * @l: listener
 * @events: of a stream that waits in it
 *
 * Context: BH off, no lock held.
 */
void sss_listener_notify(struct sss_listener *l, unsigned long events)
{
	struct sock *sk;

	spin_lock(&l->lock);
	sk = l->sk;
	if (sk)
		sock_hold(sk);
	spin_unlock(&l->lock);
	if (!sk)
		return;
	events &= BIT(SSS_STREAM_CHILD);
	sss_stream_ops->notify(sk, events ?: BIT(SSS_STREAM_MEMORY));
	sock_put(sk);
}

/* The listener of a socket, a reference; NULL: it closed */
static struct sss_listener *listener_of(struct sock *sk)
{
	struct sss_listener *l;

	rcu_read_lock();
	l = rcu_dereference_sk_user_data(sk);
	if (l && !kref_get_unless_zero(&l->ref))
		l = NULL;
	rcu_read_unlock();
	return l;
}

/**
 * sss_listener_is_full() - would a stream be refused now?
 * @sk: listening socket
 *
 * Return: whether the backlog is full, or the socket does not listen any more
 */
bool sss_listener_is_full(struct sock *sk)
{
	struct sss_listener *l = listener_of(sk);
	bool full;

	if (!l)
		return true;
	full = READ_ONCE(l->queued) >= READ_ONCE(l->backlog);
	sss_listener_put(l);
	return full;
}

/**
 * sss_listener_enqueue() - a stream waits for accept()
 * @l: listener; the caller's reference is the stream's if it is queued
 * @st: new stream of a locked channel
 * @request: names, NULL: a child has none
 *
 * Return: enum sss_service_status
 */
u8 sss_listener_enqueue(struct sss_listener *l, struct sss_stream *st,
			const struct sss_request *request)
{
	u8 status = SSS_SERVICE_OK;

	lockdep_assert_held(&st->ch->lock);
	spin_lock(&l->lock);
	if (l->closed) {
		status = SSS_SERVICE_UNKNOWN;
	} else if (l->queued >= READ_ONCE(l->backlog)) {
		status = SSS_SERVICE_BUSY;
	} else {
		if (!l->names_set && request)
			sss_listener_set_names(l, request);
		st->listener = l;
		st->request = request ? &l->request : NULL;
		st->rx.on_listener = true;
		if (st->flags & SSS_ST_LOOSE) {
			atomic_add(st->rx.re.final, &l->loose);
			atomic_add(st->rx.re.final, &sss_streams(st->ch)->dgrams.waiting);
		}
		list_add_tail(&st->wait, &l->queue);
		WRITE_ONCE(l->queued, l->queued + 1);
		sss_stream_get(st);
	}
	spin_unlock(&l->lock);
	return status;
}

/**
 * sss_listener_offer() - a stream waits for accept() of a listening socket
 * @sk: it, or what was it until now
 * @st: new stream of a locked channel
 * @request: names
 *
 * Return: enum sss_service_status
 */
u8 sss_listener_offer(struct sock *sk, struct sss_stream *st, const struct sss_request *request)
{
	struct sss_listener *l = listener_of(sk);
	u8 status;

	if (!l)
		return SSS_SERVICE_UNKNOWN;
	status = sss_listener_enqueue(l, st, request);
	if (status != SSS_SERVICE_OK)
		sss_listener_put(l);
	return status;
}

/**
 * sss_listener_set_names() - for whose children streams wait here
 * @l: listener of a stream, new
 * @request: names of the service for which the first stream of that tree came
 */
void sss_listener_set_names(struct sss_listener *l, const struct sss_request *request)
{
	l->request = *request;
	l->names_set = true;
}

/**
 * sss_listener_names() - what for do streams wait here?
 * @l: listener of a stream
 *
 * Return: names, for as long as @l; NULL: the tree was begun here
 */
const struct sss_request *sss_listener_names(const struct sss_listener *l)
{
	return l->names_set ? &l->request : NULL;
}
