// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a stream.
 *
 * Each direction is over when its end, or its reset, is known to both sides:
 * ours when the FIN and all before it, or the RESET, is acknowledged; the
 * peer's when all of it has arrived, or nobody here wants it and its length is
 * known. When both are over the stream leaves the table, and nothing of it
 * remains in the channel. What has arrived stays with the socket.
 */
#include <linux/sizes.h>
#include <linux/slab.h>
#include "base/trace.h"
#include "stream/table.h"
#include "wire/frame.h"

#define FRAGMENT	SZ_32K		/* of sk_page_frag() */

static struct kmem_cache *cache;

/**
 * sss_stream_cache_init() - make the cache of streams
 *
 * Sleeps. Return: 0 or -ENOMEM.
 */
int __init sss_stream_cache_init(void)
{
#if !defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC)
	/* An unaccepted stream costs no more than this, plus its data. */
	BUILD_BUG_ON(sizeof(struct sss_stream) > 512);
#endif
	cache = KMEM_CACHE(sss_stream, SLAB_ACCOUNT);
	return cache ? 0 : -ENOMEM;
}

/**
 * sss_stream_cache_exit() - undo sss_stream_cache_init()
 */
void sss_stream_cache_exit(void)
{
	kmem_cache_destroy(cache);
}

/**
 * sss_stream_alloc() - a stream without channel and socket
 * @kind: SSS_KIND_*
 * @gfp: how to allocate
 *
 * Return: one reference, or NULL
 */
struct sss_stream *sss_stream_alloc(u8 kind, gfp_t gfp)
{
	struct sss_stream *st = kmem_cache_zalloc(cache, gfp);

	if (!st)
		return NULL;
	kref_init(&st->ref);
	st->id = SSS_STREAM_NO_ID;
	st->parent = SSS_ID_ROOT;
	st->kind = kind;
	st->wanted = (struct sss_priority){
		.urgency = SSS_URGENCY_USUAL, .incremental = 1, .weight = SSS_WEIGHT_USUAL,
	};
	st->ordered = st->wanted;
	INIT_LIST_HEAD(&st->all);
	INIT_LIST_HEAD(&st->due);
	INIT_LIST_HEAD(&st->sched);
	INIT_LIST_HEAD(&st->flight);
	INIT_LIST_HEAD(&st->touched);
	INIT_LIST_HEAD(&st->timed);
	INIT_LIST_HEAD(&st->wait);
	sss_sendq_setup(&st->tx);
	sss_recvq_setup(&st->rx);
	return st;
}

/**
 * sss_stream_create() - a stream for connect()
 * @kind: SSS_KIND_*
 * @gfp: how to allocate
 *
 * Return: one reference, or NULL
 */
struct sss_stream *sss_stream_create(u8 kind, gfp_t gfp)
{
	return sss_stream_alloc(kind, gfp);
}

static void free_request(struct sss_stream *st)
{
	if (!st->listener)
		kfree(st->request);
	st->request = NULL;
}

static void free_stream(struct kref *ref)
{
	struct sss_stream *st = container_of(ref, struct sss_stream, ref);

	sss_sendq_free(st);
	sss_recvq_free(st);
	free_request(st);
	sss_tree_free(st);
	if (st->listener)
		sss_listener_put(st->listener);
	kfree(st->records);
	kfree(st->note);
	kfree(st->reason);
	if (st->ch) {
		sss_gauge_dec(st->ch->sn, STREAMS);
		sss_channel_put(st->ch);
	}
	kmem_cache_free(cache, st);
}

/**
 * sss_stream_get_records() - what a stream with records needs, from now on
 * @st: stream
 * @gfp: how to allocate
 *
 * Context: any. Return: it, or NULL without memory
 */
struct sss_records *sss_stream_get_records(struct sss_stream *st, gfp_t gfp)
{
	struct sss_records *records = READ_ONCE(st->records), *before;

	if (records)
		return records;
	records = kzalloc(sizeof(*records), gfp);
	if (!records)
		return NULL;
	records->tx = RB_ROOT_CACHED;
	records->rx = RB_ROOT_CACHED;
	/* the first record of each direction may come at the same time */
	before = cmpxchg(&st->records, NULL, records);
	if (!before)
		return records;
	kfree(records);
	return before;
}

/**
 * sss_stream_get() - another reference
 * @st: stream, of which the caller has one
 */
void sss_stream_get(struct sss_stream *st)
{
	kref_get(&st->ref);
}

/**
 * sss_stream_put() - give a reference back
 * @st: stream
 *
 * Context: any; no lock of the stream or its channel may be held for the last.
 */
void sss_stream_put(struct sss_stream *st)
{
	kref_put(&st->ref, free_stream);
}

/**
 * __sss_stream_join() - make a stream part of a channel
 * @st: new
 * @ch: channel, locked; @st takes a reference, and it takes one of @st
 * @flags: SSS_ST_* to set
 */
void __sss_stream_join(struct sss_stream *st, struct sss_channel *ch, u32 flags)
{
	lockdep_assert_held(&ch->lock);
	sss_channel_get(ch);
	st->ch = ch;
	st->flags |= flags;
	if (st->flags & SSS_ST_WATCHED)
		sss_streams(ch)->watched = true;
	st->rx.window = ch->local.initial_stream_window;
	st->rx.limit = st->rx.window;
	sss_stream_get(st);
	list_add_tail(&st->all, &sss_streams(ch)->all);
	sss_gauge_inc(ch->sn, STREAMS);
	__sss_channel_add_stream(ch);
}

/**
 * __sss_stream_uncount() - the stream no longer keeps the channel alive
 * @st: stream of a channel, which is locked
 */
void __sss_stream_uncount(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_UNCOUNTED)
		return;
	st->flags |= SSS_ST_UNCOUNTED;
	__sss_channel_drop_stream(st->ch);
	if (st->flags & SSS_ST_ORPHAN)
		atomic_dec(&st->ch->sn->orphans);
}

/* Out of every list of the channel, which puts its reference. */
static void leave(struct sss_stream *st)
{
	struct sss_streams *ss = sss_streams(st->ch);

	__sss_arrive_over(st);
	st->flags |= SSS_ST_OVER;
	trace_sss_stream_closed(st->ch->sn, st->ch->id, st->id, 0);
	st->flags &= ~(SSS_ST_DUE | SSS_ST_CONNECTING);
	if (st->id != SSS_STREAM_NO_ID && !(st->flags & SSS_ST_LOOSE))
		xa_erase(&ss->ids, st->id);
	if (ss->last == st)
		ss->last = NULL;
	if (st->flags & SSS_ST_LOCAL)
		list_del_init(&st->wait);
	list_del_init(&st->all);
	list_del_init(&st->due);
	list_del_init(&st->flight);
	list_del_init(&st->timed);
	__sss_sched_leave(st);
	__sss_crowd_settled(st);
	__sss_memory_settled(st, true);
	__sss_flow_leave(st);
	__sss_tree_leave(st);
	__sss_stream_uncount(st);
	__sss_stream_let_go(st);
	/* so that the last reference is put by deliver(), without locks */
	__sss_table_touch(st, 0);
	sss_stream_put(st);
}

/**
 * __sss_stream_let_go() - the socket's part is over
 * @st: stream of a channel, which is locked
 */
void __sss_stream_let_go(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_LET_GO)
		return;
	/* Who sees it without the lock sees the queues as they stay. */
	smp_store_release(&st->flags, st->flags | SSS_ST_LET_GO);
	__sss_keepalive_set(st, false);
	__sss_table_touch(st, BIT(SSS_STREAM_ENDED));
}

static bool tx_over(const struct sss_stream *st)
{
	if (st->flags & SSS_ST_REFUSED)
		return true;
	if (st->flags & SSS_ST_RESET)
		return st->flags & SSS_ST_RESET_ACKED;
	return st->tx.fin_acked && st->tx.base == st->tx.end;
}

/**
 * __sss_stream_check_over() - does nothing of the stream remain to be done?
 * @st: stream of a channel, which is locked
 */
void __sss_stream_check_over(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_OVER || !tx_over(st))
		return;
	if (st->flags & SSS_ST_ORPHAN)
		__sss_stream_let_go(st);
	if (!sss_recvq_over(st))
		return;
	if (!(st->flags & (SSS_ST_LOCAL | SSS_ST_REPLY_ACKED)))
		return;
	if (!(st->flags & (SSS_ST_LOCAL | SSS_ST_LOOSE)))
		__sss_flow_stream_closed(st->ch);
	leave(st);
}

/**
 * __sss_stream_fail() - the program is told what broke its stream; the first counts
 * @st: stream of a channel, which is locked
 * @err: negative errno
 */
void __sss_stream_fail(struct sss_stream *st, int err)
{
	lockdep_assert_held(&st->ch->lock);
	if (!cmpxchg(&st->err, 0, err))
		__sss_event_raise(st, SSS_EV_ERROR, -err);
}

/**
 * __sss_stream_break() - the stream is over here, whatever the peer thinks
 * @st: stream of a channel, which is locked and over itself, or where the peer
 *	never heard of the stream
 * @err: negative errno for the program
 */
void __sss_stream_break(struct sss_stream *st, int err)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_OVER)
		return;
	__sss_stream_fail(st, err);
	__sss_giveback_keep(st);
	st->rx.discard = true;
	leave(st);
}

/**
 * __sss_stream_abort() - the stream is over for the program, at once
 * @st: stream of a channel, which is locked
 * @err: negative errno for the program
 *
 * The peer is told in the background, if it may have heard of the stream.
 */
void __sss_stream_abort(struct sss_stream *st, int err)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->id == SSS_STREAM_NO_ID || st->flags & SSS_ST_LOOSE) {
		__sss_stream_break(st, err);
		return;
	}
	__sss_stream_fail(st, err);
	st->flags &= ~SSS_ST_CONNECTING;
	__sss_stream_reset(st, SSS_RESET_CLOSED);
	__sss_stream_stop(st);
	__sss_stream_let_go(st);
}

/**
 * __sss_stream_reset() - give our direction up
 * @st: stream of a channel, which is locked
 * @code: for the peer, 62 bits
 */
void __sss_stream_reset(struct sss_stream *st, u64 code)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & (SSS_ST_RESET | SSS_ST_REFUSED | SSS_ST_OVER) || tx_over(st))
		return;
	if (st->flags & SSS_ST_LOOSE) {
		__sss_stream_break(st, -ECANCELED);
		return;
	}
	st->flags |= SSS_ST_RESET;
	st->reset_code = code;
	__sss_giveback_keep(st);
	__sss_sched_leave(st);
	__sss_table_touch(st, BIT(SSS_STREAM_WRITABLE));
	if (st->flags & SSS_ST_ORPHAN)
		__sss_stream_let_go(st);
	sss_mib_inc(st->ch->sn, RESETS_SENT);
	trace_sss_stream_reset_sent(st->ch->sn, st->ch->id, st->id, code);
	__sss_sched_due(st, SSS_ST_DUE_RESET);
}

/**
 * __sss_stream_stop() - want no more of the peer's direction
 * @st: stream of a channel, which is locked
 *
 * What has arrived stays readable.
 */
void __sss_stream_stop(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	spin_lock(&st->rx.lock);
	st->rx.discard = true;
	spin_unlock(&st->rx.lock);
	if (st->flags & (SSS_ST_STOPPED | SSS_ST_OVER) || sss_recvq_over(st))
		return;
	st->flags |= SSS_ST_STOPPED;
	st->flags &= ~SSS_ST_DUE_WINDOW;
	__sss_sched_due(st, SSS_ST_DUE_STOP);
}

/**
 * __sss_stream_set_note() - keep what came with a refusal or a reset
 * @st: stream of a channel, which is locked
 * @reset: @code came in RESET
 * @code: 62 bits
 * @text: bytes, not NUL-terminated
 * @len: how many
 *
 * The first counts, unless it came without words; without memory only the
 * status remains.
 */
void __sss_stream_set_note(struct sss_stream *st, bool reset, u64 code, const u8 *text, u8 len)
{
	struct sss_note *note;

	lockdep_assert_held(&st->ch->lock);
	if ((st->note && (!reset || st->note->len)) || (!reset && !len))
		return;
	note = kmalloc(struct_size(note, text, len), GFP_ATOMIC | __GFP_NOWARN);
	if (!note)
		return;
	note->reset = reset;
	note->code = code;
	note->len = len;
	memcpy(note->text, text, len);
	kfree(st->note);
	st->note = note;
}

/* connect() fails before the channel could do anything for the stream. */
static int undo_connect(struct sss_stream *st, int err)
{
	struct sss_channel *ch = st->ch;
	struct sss_streams *ss = sss_streams(ch);
	struct sock *sk;

	spin_lock_bh(&ch->lock);
	if (st->flags & SSS_ST_OVER || st->id != SSS_STREAM_NO_ID) {
		/* it ended by itself, or has gone too far: as if later */
		__sss_stream_abort(st, err);
		spin_unlock_bh(&ch->lock);
		sss_table_deliver(ch);
		return READ_ONCE(st->err);
	}
	list_del_init(&st->all);
	list_del_init(&st->wait);
	list_del_init(&st->timed);
	if (ss->last == st)
		ss->last = NULL;
	__sss_keepalive_set(st, false);
	__sss_channel_drop_stream(ch);
	sk = st->sk;
	st->sk = NULL;
	st->flags &= SSS_ST_WATCHED;
	st->ch = NULL;
	spin_unlock_bh(&ch->lock);

	free_request(st);
	sock_put(sk);
	sss_gauge_dec(ch->sn, STREAMS);
	sss_stream_put(st);
	sss_channel_put(ch);
	return err;
}

/**
 * sss_stream_connect() - open a stream on a channel
 * @st: from sss_stream_create(), not connected yet
 * @sk: its socket, locked; the stream takes a reference
 * @ch: channel; the stream takes a reference
 * @request: names of the service, copied
 * @family: AF_INET, AF_INET6 or AF_UNSPEC: where the peer may be reached
 *
 * Data may be appended at once; it goes with INIT, which waits for it after
 * sss_sendq_push(st, true). The answer comes by SSS_STREAM_CONNECTED or
 * SSS_STREAM_ENDED.
 *
 * Sleeps. Return: 0; -ESTALE: @ch is closed, try the peer's new one; -ENOMEM,
 * or why the peer cannot be reached. After an error nothing happened.
 */
int sss_stream_connect(struct sss_stream *st, struct sock *sk, struct sss_channel *ch,
		       const struct sss_request *request, int family)
{
	u64 now;
	int err;

	st->request = kmemdup(request, sizeof(*request), GFP_KERNEL_ACCOUNT);
	if (!st->request)
		return -ENOMEM;
	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_CLOSED) {
		spin_unlock_bh(&ch->lock);
		free_request(st);
		return -ESTALE;
	}
	__sss_stream_join(st, ch, SSS_ST_LOCAL | SSS_ST_CONNECTING | SSS_ST_ACCEPTED);
	sock_hold(sk);
	st->sk = sk;
	__sss_sched_own(st, sk);
	__sss_keepalive_set(st, sock_flag(sk, SOCK_KEEPOPEN));
	list_add_tail(&st->wait, &sss_streams(ch)->opening);
	now = ktime_get_ns();
	st->progress_at = now;
	__sss_timed_watch(st, now);
	spin_unlock_bh(&ch->lock);

	sss_flow_consumed(st, sk);
	err = sss_channel_connect(ch, request, family, now);
	if (err)
		return undo_connect(st, err);
	sss_timed_connecting(st);
	if (!st->tx.hold)
		sss_channel_transmit(ch);
	return 0;
}

/**
 * sss_stream_attach() - accept(): give a stream its socket
 * @st: from sss_listener_accept()
 * @sk: socket, locked; the stream takes a reference
 */
void sss_stream_attach(struct sss_stream *st, struct sock *sk)
{
	struct sss_channel *ch = st->ch;

	spin_lock_bh(&ch->lock);
	if (!(st->flags & SSS_ST_LET_GO)) {
		sock_hold(sk);
		st->sk = sk;
		__sss_sched_own(st, sk);
		__sss_keepalive_set(st, sock_flag(sk, SOCK_KEEPOPEN));
	}
	__sss_flow_accepted(st);
	if (!(st->flags & SSS_ST_LOOSE))
		__sss_tree_settled(st);
	if (st->user_timeout && !(st->flags & SSS_ST_OVER)) {
		st->progress_at = ktime_get_ns();
		__sss_timed_watch(st, st->progress_at);
	}
	spin_unlock_bh(&ch->lock);
	sss_mib_inc(ch->sn, STREAMS_ACCEPTED);
	trace_sss_stream_accepted(ch->sn, ch->id, st->id, 0);
	sss_stream_settle(st, sk);
	sss_flow_consumed(st, sk);
	sss_channel_transmit(ch);
}

/**
 * sss_stream_shutdown() - end one or both directions in order
 * @st: stream, its socket locked
 * @rd: want no more; what has arrived stays readable
 * @wr: all that was written is delivered, then the peer sees the end
 */
void sss_stream_shutdown(struct sss_stream *st, bool rd, bool wr)
{
	struct sss_channel *ch = st->ch;

	if (!ch)
		return;
	spin_lock_bh(&ch->lock);
	if (rd)
		__sss_stream_stop(st);
	if (wr && !(st->flags & (SSS_ST_RESET | SSS_ST_OVER))) {
		spin_lock(&st->tx.lock);
		st->tx.fin = true;
		st->tx.hold = false;
		spin_unlock(&st->tx.lock);
		__sss_sched_activate(st);
	}
	__sss_stream_check_over(st);
	spin_unlock_bh(&ch->lock);
	sss_table_deliver(ch);
	sss_channel_transmit(ch);
}

/* More orphans than allowed: their data is given up. */
static bool too_many_orphans(struct sss_net *sn)
{
	if (atomic_inc_return(&sn->orphans) <= READ_ONCE(sn->limits.max_orphans))
		return false;
	sss_mib_inc(sn, ORPHANS_KILLED);
	return true;
}

/**
 * __sss_stream_orphan() - nobody has the stream any more
 * @st: stream of a channel, which is locked; not over, not an orphan yet
 *
 * What is to be sent is delivered, unless it was reset, as long as there is
 * progress; no more is wanted from the peer.
 */
void __sss_stream_orphan(struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;

	lockdep_assert_held(&ch->lock);
	/* a connect() that was given up: nothing to deliver, nobody to answer */
	if (st->flags & SSS_ST_CONNECTING && (!st->tx.end || st->flags & SSS_ST_RESET)) {
		__sss_stream_abort(st, -ECONNABORTED);
		if (st->flags & SSS_ST_OVER)
			return;
	}
	/* a child that nobody has heard of, and that has nothing to say */
	if (st->id == SSS_STREAM_NO_ID && !st->tx.end && st->mother) {
		__sss_stream_break(st, -ECONNABORTED);
		return;
	}
	st->flags |= SSS_ST_ORPHAN | SSS_ST_CLOSED;
	if (sss_streams(ch)->down_since)
		__sss_table_touch(st, BIT(SSS_STREAM_FORSAKEN));
	if (!__sss_tree_is_busy(st))
		__sss_stream_stop(st);
	if (too_many_orphans(ch->sn))
		__sss_stream_reset(st, SSS_RESET_CLOSED);
	if (!(st->flags & SSS_ST_RESET)) {
		spin_lock(&st->tx.lock);
		st->tx.fin = true;
		st->tx.hold = false;
		spin_unlock(&st->tx.lock);
		__sss_sched_activate(st);
	} else {
		__sss_stream_let_go(st);
	}
	st->progress_at = ktime_get_ns();
	__sss_timed_watch(st, st->progress_at);
	__sss_stream_check_over(st);
}

/**
 * sss_stream_close() - the program has gone; a second call does nothing
 * @st: stream, its socket locked, of which the caller has a reference
 *
 * What was written is delivered all the same, by an orphan. What was not read
 * is thrown away, and the peer told that no more is wanted. After
 * sss_stream_reset() there is nothing to deliver.
 */
void sss_stream_close(struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;

	if (!ch)
		return;
	sss_recvq_purge(st);
	spin_lock_bh(&ch->lock);
	if (!(st->flags & SSS_ST_ACCEPTED))
		__sss_flow_accepted(st);
	st->flags |= SSS_ST_CLOSED;
	/* nobody is left to whom it could be given back */
	if (st->flags & (SSS_ST_RESET | SSS_ST_OVER))
		__sss_sendq_purge(st);
	if ((st->flags & (SSS_ST_MESSAGE | SSS_ST_LOCAL)) == SSS_ST_MESSAGE)
		__sss_dgram_forget(st);
	if (!(st->flags & (SSS_ST_OVER | SSS_ST_ORPHAN)))
		__sss_stream_orphan(st);
	spin_unlock_bh(&ch->lock);
	if (st->sk)
		sss_stream_settle(st, st->sk);
	sss_table_deliver(ch);
	sss_channel_transmit(ch);
}

static void settle_sent(struct sss_txq *tx, struct sock *sk)
{
	u32 freed = tx->charged - READ_ONCE(tx->truesize);

	if (!freed)
		return;
	tx->charged -= freed;
	sk_wmem_queued_add(sk, -(int)freed);
	sk_mem_uncharge(sk, freed);
}

/*
 * What has come is there, whether it may be charged or not: without permission
 * the account is overdrawn, by no more than the window, and the window stays.
 */
static void settle_received(struct sss_rxq *rx, struct sock *sk)
{
	int delta = READ_ONCE(rx->truesize) - rx->charged;

	if (!delta)
		return;
	rx->charged += delta;
	atomic_add(delta, &sk->sk_rmem_alloc);
	if (delta < 0) {
		sk_mem_uncharge(sk, -delta);
		return;
	}
	if (delta > sk->sk_forward_alloc)
		__sk_mem_schedule(sk, delta - sk->sk_forward_alloc, SK_MEM_RECV);
	sk_mem_charge(sk, delta);
}

/*
 * As in TCP: twice what is under way, as long as nobody chose a size. Memory is
 * freed by whole fragments, of which the first and the last may hold few bytes;
 * the same again for what left since the acknowledgment.
 */
static void tune_send_buffer(struct sss_stream *st, struct sock *sk)
{
	u32 want = 2 * (READ_ONCE(st->tx.flight) + 2 * FRAGMENT);
	u32 most = READ_ONCE(st->ch->sn->limits.wmem[2]);

	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK || want <= sk->sk_sndbuf)
		return;
	WRITE_ONCE(sk->sk_sndbuf, max_t(int, sk->sk_sndbuf, min(want, most)));
}

/**
 * sss_stream_settle() - bring the socket's account up to date
 * @st: stream
 * @sk: its socket, locked, or its spinlock held while nobody has it locked
 */
void sss_stream_settle(struct sss_stream *st, struct sock *sk)
{
	if (!st->ch)
		return;
	settle_sent(&st->tx, sk);
	settle_received(&st->rx, sk);
	tune_send_buffer(st, sk);
}
