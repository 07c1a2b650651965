// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlines of streams, all on the channel's one timer:
 *
 *	connecting	connect_timeout without an answer, or resolve_timeout without
 *			knowing where the peer is: ETIMEDOUT
 *	user timeout	nothing acknowledged for so long: ETIMEDOUT
 *	orphan		nothing acknowledged for orphan_timeout, or for a shorter
 *			user timeout: reset; after the same time again, or if all
 *			is acknowledged and the peer does not end, it no longer
 *			keeps the channel alive
 *	held back	MSG_MORE, and no more came: sent after all
 *	datagram	its deadline; of the peer's, if loose: three probe timeouts without
 *			a fragment
 *	unaccepted	on a channel that has been down for a minute: thrown away,
 *			and then like any orphan that was reset
 */
#include "channel/handshake.h"
#include "channel/resolve.h"
#include "channel/timer.h"
#include "stream/table.h"

#define HOLD_NS		(200 * NSEC_PER_MSEC)
#define TICK_MIN_NS	NSEC_PER_MSEC
#define UNACCEPTED_NS	(60 * NSEC_PER_SEC)

static u64 earlier(u64 a, u64 b)
{
	return !a ? b : !b ? a : min(a, b);
}

static u64 ms_after(u64 when, u32 ms)
{
	return when + (u64)ms * NSEC_PER_MSEC;
}

/* After a reset the program has been told, and nothing of its data is left. */
static bool waits_for_ack(const struct sss_stream *st)
{
	const struct sss_txq *tx = &st->tx;

	if (st->flags & SSS_ST_RESET || READ_ONCE(st->err))
		return false;
	return READ_ONCE(tx->base) != READ_ONCE(tx->end) || (tx->fin && !tx->fin_acked);
}

/* ms without progress until data is given up that nobody stands behind any more */
static u32 orphan_patience(const struct sss_stream *st)
{
	u32 most = READ_ONCE(st->ch->sn->limits.orphan_timeout_ms);
	u32 user = READ_ONCE(st->user_timeout);

	return user ? min(user, most) : most;
}

/* ms that a connect() may wait, as things stand */
static u32 connect_patience(const struct sss_stream *st)
{
	const struct sss_limits *limits = &st->ch->sn->limits;
	u32 most = READ_ONCE(limits->connect_timeout_ms);

	if (!__sss_resolve_is_blind(st->ch))
		return most;
	return min(most, READ_ONCE(limits->resolve_timeout_ms));
}

/* ns, 0: none */
static u64 deadline(const struct sss_stream *st)
{
	u32 user = READ_ONCE(st->user_timeout);
	u64 at = st->tx.hold ? st->deadline : 0;

	if (st->flags & (SSS_ST_OVER | SSS_ST_UNCOUNTED))
		return 0;
	if (st->flags & SSS_ST_LOOSE && !(st->flags & SSS_ST_LOCAL))
		return __sss_dgram_patience(st);
	if (st->flags & SSS_ST_MESSAGE && !(st->flags & SSS_ST_RESET))
		at = st->deadline;
	if (st->flags & SSS_ST_CONNECTING)
		at = earlier(at, ms_after(st->progress_at, connect_patience(st)));
	if (st->flags & SSS_ST_ORPHAN)
		at = earlier(at, ms_after(st->progress_at, orphan_patience(st)));
	else if (user && waits_for_ack(st))
		at = earlier(at, ms_after(st->progress_at, user));
	return at;
}

/**
 * __sss_timed_at() - sss_timed_tick() has something to do at a time
 * @ch: channel, locked
 * @at: ns
 */
void __sss_timed_at(struct sss_channel *ch, u64 at)
{
	struct sss_streams *ss = sss_streams(ch);

	lockdep_assert_held(&ch->lock);
	if (ss->next_tick && ss->next_tick <= at)
		return;
	ss->next_tick = at;
	__sss_timer_tick(ch, at);
}

static void watch(struct sss_stream *st)
{
	u64 at = deadline(st);

	if (!at)
		return;
	if (list_empty(&st->timed))
		list_add_tail(&st->timed, &sss_streams(st->ch)->timed);
	__sss_timed_at(st->ch, at);
}

/**
 * __sss_timed_watch() - a stream may have a deadline from now on
 * @st: stream of a channel, which is locked
 * @now: ns; 0: data was written, and the time matters only to who has a timeout
 */
void __sss_timed_watch(struct sss_stream *st, u64 now)
{
	struct sss_txq *tx = &st->tx;

	lockdep_assert_held(&st->ch->lock);
	if (!now && !tx->hold && !st->user_timeout)
		return;
	now = now ?: ktime_get_ns();
	if (tx->hold && !(st->deadline > now))
		st->deadline = now + HOLD_NS;
	if (st->user_timeout && tx->base == tx->next)
		st->progress_at = now;
	watch(st);
}

/**
 * sss_timed_connecting() - a request was made of the channel
 * @st: stream of a channel, which is not locked
 *
 * It may have to end sooner than it seemed: it is not known where the peer is.
 */
void sss_timed_connecting(struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;

	spin_lock_bh(&ch->lock);
	if (__sss_resolve_is_blind(ch))
		watch(st);
	spin_unlock_bh(&ch->lock);
}

/**
 * __sss_timed_progress() - the peer acknowledged something new
 * @st: stream of a channel, which is locked
 */
void __sss_timed_progress(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (!list_empty(&st->timed))
		st->progress_at = ktime_get_ns();
}

static void give_up_orphan(struct sss_stream *st, u64 now)
{
	if (st->flags & SSS_ST_RESET) {
		__sss_stream_uncount(st);
		return;
	}
	sss_mib_inc(st->ch->sn, ORPHANS_KILLED);
	st->progress_at = now;
	if (st->id == SSS_STREAM_NO_ID) {
		__sss_stream_break(st, -ETIMEDOUT);
		return;
	}
	__sss_stream_reset(st, SSS_RESET_CLOSED);
	/* all was delivered, and nothing is left to be reset */
	if (!(st->flags & SSS_ST_RESET))
		__sss_stream_uncount(st);
}

static void expire(struct sss_stream *st, u64 now)
{
	if (st->flags & SSS_ST_LOOSE && !(st->flags & SSS_ST_LOCAL)) {
		__sss_dgram_drop(st);
		return;
	}
	if (st->flags & SSS_ST_MESSAGE && st->deadline && st->deadline <= now &&
	    !(st->flags & SSS_ST_RESET)) {
		if (st->flags & SSS_ST_LOOSE && st->tx.next)
			__sss_dgram_announce_drop(st->ch, st->parent, st->id);
		if (st->id == SSS_STREAM_NO_ID)
			__sss_stream_break(st, -ETIMEDOUT);
		else
			__sss_stream_reset(st, SSS_RESET_CLOSED);
		return;
	}
	if (st->tx.hold && st->deadline <= now) {
		spin_lock(&st->tx.lock);
		st->tx.hold = false;
		spin_unlock(&st->tx.lock);
		__sss_sched_activate(st);
		if (!deadline(st) || deadline(st) > now)
			return;
	}
	if (st->flags & SSS_ST_ORPHAN)
		give_up_orphan(st, now);
	else
		__sss_stream_abort(st, st->flags & SSS_ST_CONNECTING ?
				   __sss_handshake_error(st->ch) : -ETIMEDOUT);
}

static void drop_unaccepted(struct sss_channel *ch)
{
	struct sss_stream *st, *next;

	list_for_each_entry_safe(st, next, &sss_streams(ch)->all, all)
		__sss_ending_refuse(st, SSS_RESET_CLOSED);
}

/**
 * sss_timed_tick() - what is due by now?
 * @ch: channel, locked
 * @now: ns
 *
 * Cheap before the next deadline. News for sockets wait for deliver().
 *
 * Return: when to be called again, ns, 0: never
 */
u64 sss_timed_tick(struct sss_channel *ch, u64 now)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st, *next;
	u64 at;

	lockdep_assert_held(&ch->lock);
	if (!ss->next_tick || now < ss->next_tick)
		return ss->next_tick;
	ss->next_tick = 0;
	if (ss->starved_until && ss->starved_until <= now)
		ss->starved_until = 0;
	list_for_each_entry_safe(st, next, &ss->timed, timed) {
		at = deadline(st);
		if (at && at <= now) {
			expire(st, now);
			at = deadline(st);
		}
		/* what is still due cannot be helped now: the timer must not spin */
		if (!at)
			list_del_init(&st->timed);
		else
			ss->next_tick = earlier(ss->next_tick, max(at, now + TICK_MIN_NS));
	}
	ss->next_tick = earlier(ss->next_tick, ss->starved_until);
	if (!ss->down_since)
		return ss->next_tick;
	at = ss->down_since + UNACCEPTED_NS;
	if (at <= now) {
		drop_unaccepted(ch);
		at = now + UNACCEPTED_NS;
	}
	ss->next_tick = earlier(ss->next_tick, at);
	return ss->next_tick;
}

/**
 * sss_stream_set_user_timeout() - how long may there be no progress?
 * @st: stream, its socket locked
 * @ms: until it breaks with ETIMEDOUT, 0: for ever
 */
void sss_stream_set_user_timeout(struct sss_stream *st, u32 ms)
{
	struct sss_channel *ch = st->ch;

	WRITE_ONCE(st->user_timeout, ms);
	if (!ch || !ms)
		return;
	spin_lock_bh(&ch->lock);
	if (!(st->flags & SSS_ST_OVER))
		__sss_timed_watch(st, ktime_get_ns());
	spin_unlock_bh(&ch->lock);
	sss_channel_transmit(ch);
}
