// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners, and streams that wait in them for accept().
 *
 * A listener belongs to its socket, which finds it by a pointer of its own;
 * INIT finds it by sk_user_data (RCU). Streams keep a reference to it for the
 * names, long after the socket has closed it.
 *
 * Data of waiting streams stands on the listening socket's account. @memory is
 * what there is; sss_listener_settle() charges or returns the difference.
 */
#include <linux/slab.h>
#include "peer/service.h"
#include "stream/table.h"

/**
 * struct sss_listener - queue of streams to accept
 * @ref: the socket, streams that came by it, lookups under way
 * @rcu: frees it
 * @lock: leaf, nests in C and S: down to @names_set
 * @queue: struct sss_stream.wait; the queue holds a reference of each
 * @queued: length of @queue
 * @backlog: most that may wait
 * @sk: the listening socket, NULL: closed
 * @names_set: @request is valid
 * @request: its names, once the first stream came
 * @memory: of the streams in @queue
 * @charged: of it, to the socket (S, or slock while nobody has it locked)
 */
struct sss_listener {
	struct kref ref;
	struct rcu_head rcu;
	spinlock_t lock;
	struct list_head queue;
	u32 queued;
	u32 backlog;
	struct sock *sk;
	bool names_set;
	struct sss_request request;
	atomic_t memory;
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
 * sss_listener_create() - start to take streams
 * @sk: listening socket, locked; freed by RCU
 * @backlog: streams that may wait for accept()
 *
 * Sleeps. Return: the listener, for sss_listener_close(), or NULL.
 */
struct sss_listener *sss_listener_create(struct sock *sk, u32 backlog)
{
	struct sss_listener *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	kref_init(&l->ref);
	spin_lock_init(&l->lock);
	INIT_LIST_HEAD(&l->queue);
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
	st = list_first_entry_or_null(&l->queue, struct sss_stream, wait);
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
 * sss_listener_close() - refuse what waits, and take no more
 * @l: listener, reference given up
 *
 * The socket is locked.
 */
void sss_listener_close(struct sss_listener *l)
{
	struct sock *sk = l->sk;
	struct sss_stream *st;

	rcu_assign_sk_user_data(sk, NULL);
	spin_lock_bh(&l->lock);
	l->sk = NULL;
	spin_unlock_bh(&l->lock);
	while ((st = dequeue(l))) {
		sss_stream_reset(st, SSS_RESET_CLOSED, "nobody listens any more");
		sss_stream_close(st);
		sss_stream_put(st);
		cond_resched();
	}
	sss_listener_settle(l, sk);
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

/* Queues the stream; returns enum sss_service_status. */
static u8 enqueue(struct sss_listener *l, struct sss_stream *st,
		  const struct sss_request *request)
{
	u8 status = SSS_SERVICE_OK;

	spin_lock(&l->lock);
	if (!l->sk) {
		status = SSS_SERVICE_UNKNOWN;
	} else if (l->queued >= READ_ONCE(l->backlog)) {
		status = SSS_SERVICE_BUSY;
	} else {
		if (!l->names_set)
			l->request = *request;
		l->names_set = true;
		st->listener = l;
		st->request = &l->request;
		st->rx.on_listener = true;
		list_add_tail(&st->wait, &l->queue);
		WRITE_ONCE(l->queued, l->queued + 1);
		sss_stream_get(st);
	}
	spin_unlock(&l->lock);
	return status;
}

/* Finds who takes the stream; returns enum sss_service_status. */
static u8 offer(struct sss_channel *ch, struct sss_stream *st, const struct sss_request *request)
{
	struct sss_listener *l;
	struct sock *sk = NULL;
	u8 status;

	status = sss_service_find(ch->host, &ch->peer->eid, request->kind, request->service,
				  request->protocol, &sk);
	if (status != SSS_SERVICE_OK)
		return status;
	l = listener_of(sk);
	sock_put(sk);
	if (!l)
		return SSS_SERVICE_UNKNOWN;
	status = enqueue(l, st, request);
	if (status != SSS_SERVICE_OK)
		sss_listener_put(l);
	return status;
}

/* The stream stays until the peer knows, and says how much it had sent. */
static void refuse(struct sss_stream *st)
{
	st->flags |= SSS_ST_REFUSED | SSS_ST_ACCEPTED | SSS_ST_LET_GO;
	st->rx.discard = true;
	sss_mib_inc(st->ch->sn, STREAMS_REFUSED);
}

static void copy_name(char *to, const u8 *from, u8 len)
{
	memcpy(to, from, len);
	to[len] = '\0';
}

/**
 * __sss_accept_stream() - INIT arrived
 * @ch: channel, locked
 * @init: it; names are at most SSS_NAME_MAX long (sss_frame_parse())
 *
 * Return: 0; -ENOMEM: the packet was not received; or an enum sss_error
 */
int __sss_accept_stream(struct sss_channel *ch, const struct sss_frame_init *init)
{
	struct sss_request request = { .kind = init->kind };
	struct sss_stream *st;
	int err;

	lockdep_assert_held(&ch->lock);
	err = __sss_table_check_new(ch, init->id);
	if (err)
		return err == -EEXIST ? 0 : err;
	if (init->parent != SSS_ID_ROOT)	/* no parent has credit */
		return SSS_ERROR_STREAM_LIMIT;
	st = sss_stream_alloc(init->kind, GFP_ATOMIC | __GFP_NOWARN);
	if (!st)
		return -ENOMEM;
	__sss_stream_join(st, ch, SSS_ST_CONNECTED);
	if (__sss_table_add_remote(st, init->id)) {
		__sss_stream_break(st, -ENOMEM);
		sss_stream_put(st);
		return -ENOMEM;
	}
	st->tx.limit = ch->remote.initial_stream_window;
	copy_name(request.service, init->service, init->service_len);
	copy_name(request.protocol, init->protocol, init->protocol_len);
	st->status = offer(ch, st, &request);
	if (st->status == SSS_SERVICE_OK)
		__sss_table_touch(st, BIT(SSS_STREAM_CHILD));
	else
		refuse(st);
	__sss_sched_due(st, SSS_ST_DUE_REPLY);
	sss_stream_put(st);
	return 0;
}
