// SPDX-License-Identifier: GPL-2.0
/*
 * Flow control.
 *
 * Each stream has a window. Streams that nobody has accepted yet share a pool
 * as well: the octets below the initial window of every stream that a side
 * opens count as unaccepted when they are sent; the other side gives them back
 * by CHANNEL_WINDOW, at once if the stream is accepted already, or when it is.
 * And there is credit for the number of streams.
 */
#include <linux/math64.h>
#include "stream/table.h"

#define SMALL_SHARE	64	/* of a peer's windows: so many can always have that */

static u64 below(u64 offset, u64 window)
{
	return min(offset, window);
}

static u64 pool_limit(const struct sss_channel *ch)
{
	return ch->local.channel_window + sss_streams(ch)->pool_granted;
}

/**
 * __sss_flow_check() - may the peer send up to here?
 * @st: stream of a channel, which is locked
 * @end: one above the last octet
 *
 * Return: 0 or SSS_ERROR_FLOW_CONTROL
 */
int __sss_flow_check(struct sss_stream *st, u64 end)
{
	struct sss_channel *ch = st->ch;
	u64 initial = ch->local.initial_stream_window, had;

	lockdep_assert_held(&ch->lock);
	if (end <= st->rx.re.highest)
		return 0;
	if (end > READ_ONCE(st->rx.limit))
		return SSS_ERROR_FLOW_CONTROL;
	if (st->flags & SSS_ST_LOCAL)
		return 0;
	had = below(st->rx.re.highest, initial);
	if (sss_streams(ch)->pool_received + below(end, initial) - had > pool_limit(ch))
		return SSS_ERROR_FLOW_CONTROL;
	return 0;
}

/* A frame for a quarter of the pool, but at once where less than that is left. */
static void return_to_pool(struct sss_channel *ch, u64 octets)
{
	struct sss_streams *ss = sss_streams(ch);
	u64 quarter = ch->local.channel_window / 4;

	ss->pool_returned += octets;
	if (ss->pool_returned - ss->pool_granted >= quarter ||
	    ss->pool_received + quarter > pool_limit(ch))
		ss->pool_due = true;
}

/**
 * __sss_flow_received() - the peer used more of its windows
 * @st: stream of a channel, which is locked
 * @before: end of the farthest octet received until now
 * @after: and from now on
 */
void __sss_flow_received(struct sss_stream *st, u64 before, u64 after)
{
	u64 initial = st->ch->local.initial_stream_window;
	u64 octets = below(after, initial) - below(before, initial);

	lockdep_assert_held(&st->ch->lock);
	if (!octets || st->flags & (SSS_ST_LOCAL | SSS_ST_LOOSE))
		return;
	sss_streams(st->ch)->pool_received += octets;
	if (st->flags & SSS_ST_ACCEPTED)
		return_to_pool(st->ch, octets);
}

/**
 * __sss_flow_accepted() - the stream's data is no longer the pool's business
 * @st: stream of a channel, which is locked
 */
void __sss_flow_accepted(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_ACCEPTED)
		return;
	st->flags |= SSS_ST_ACCEPTED;
	__sss_crowd_settled(st);
	return_to_pool(st->ch, below(st->rx.re.highest, st->ch->local.initial_stream_window));
}

static u32 now_us(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_USEC);
}

/*
 * us. Where the path is shorter than the peers are fast, the smoothed time is
 * mostly our own queues, and a window that follows it outgrows the caches.
 */
static u32 round_trip(const struct sss_rtt *rtt)
{
	return min(READ_ONCE(rtt->smoothed), 4 * READ_ONCE(rtt->min));
}

/* R held. Windows beyond the first are counted (sss_streams.windows). */
static void set_window(struct sss_stream *st, u32 window)
{
	atomic_long_add((long)window - st->rx.window, &sss_streams(st->ch)->windows);
	st->rx.window = window;
}

/*
 * Windows of a peer's streams are a quarter of its memory at most, because
 * bytes take more memory than their number. Where it is used up, large ones
 * give way to small ones.
 */
static u32 share_of_memory(const struct sss_stream *st, u32 wanted)
{
	long budget = READ_ONCE(st->ch->sn->limits.max_peer_memory) / 4;
	long used = atomic_long_read(&sss_streams(st->ch)->windows);
	u32 window = st->rx.window;

	if (window > budget / SMALL_SHARE)
		return used > budget ? window / 2 :
		       used + wanted - window > budget ? window : wanted;
	return used > 2 * budget ? window : wanted;
}

/*
 * The window doubles while a quarter of it is read within a round trip, or a
 * little more: that leaves room for a sender that sends twice as much in the next.
 */
static void tune(struct sss_stream *st, const struct sock *sk, u32 now)
{
	const struct sss_limits *limits = &st->ch->sn->limits;
	u32 least = READ_ONCE(limits->rmem[0]), most = READ_ONCE(limits->rmem[2]);
	const struct sss_rtt *rtt = &st->ch->rtt;
	struct sss_rxq *rx = &st->rx;

	if (sss_memory_is_over(st->ch)) {
		set_window(st, least);
		return;
	}
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK) {
		set_window(st, clamp_t(u32, READ_ONCE(sk->sk_rcvbuf) / 2, least,
				       max(least, most)));
		return;
	}
	if ((rx->read + rx->window - rx->limit) * 4 < rx->window || !rx->window_at)
		return;
	if (READ_ONCE(rtt->sampled) && now - rx->window_at < round_trip(rtt) / 4 * 5 &&
	    !sss_memory_is_tight(st->ch))
		set_window(st, share_of_memory(st, max(rx->window, min(2 * rx->window, most))));
}

/**
 * sss_flow_consumed() - a program has read, or could read more: move the window
 * @st: stream
 * @sk: its socket, locked
 *
 * Return: whether a WINDOW is due: sss_channel_transmit()
 */
bool sss_flow_consumed(struct sss_stream *st, const struct sock *sk)
{
	struct sss_rxq *rx = &st->rx;
	u32 now = now_us() ?: 1;
	bool due = false;

	spin_lock_bh(&rx->lock);
	if (!rx->discard && rx->re.final == SSS_REASM_NO_FINAL) {
		tune(st, sk, now);
		due = rx->read + rx->window >= rx->limit + max(rx->window / 2, 1U);
		if (due)
			WRITE_ONCE(rx->limit, rx->read + rx->window);
		if (due || (rx->read && !rx->window_at))
			rx->window_at = now;
	}
	spin_unlock_bh(&rx->lock);
	if (!due)
		return false;
	spin_lock_bh(&st->ch->lock);
	__sss_sched_due(st, SSS_ST_DUE_WINDOW);
	spin_unlock_bh(&st->ch->lock);
	return true;
}

/**
 * __sss_flow_for_record() - a record that is read as a whole must come whole
 * @st: stream of a channel, which is locked, as is R
 *
 * Lets the peer send on although nothing is read: up to the longest record
 * we announced.
 *
 * Return: whether a WINDOW is due
 */
bool __sss_flow_for_record(struct sss_stream *st)
{
	struct sss_rxq *rx = &st->rx;
	bool message = st->flags & SSS_ST_MESSAGE;
	u64 most = rx->read + st->ch->local.max_record + 1;

	lockdep_assert_held(&rx->lock);
	if (message)
		most = st->ch->local.max_datagram;
	if (sss_recvq_records(st) || rx->discard || rx->re.final != SSS_REASM_NO_FINAL)
		return false;
	if (rx->limit >= most || rx->limit - rx->re.highest > rx->window / 2)
		return false;
	if (message && (st->flags & SSS_ST_LOOSE || !__sss_dgram_may_grow(st)))
		return false;
	WRITE_ONCE(rx->limit, min(rx->limit + rx->window, most));
	/* as a reader would have it tuned */
	set_window(st, min_t(u64, 2 * (u64)rx->window, READ_ONCE(st->ch->sn->limits.rmem[2])));
	return true;
}

/**
 * __sss_flow_over_hole() - bytes are missing, and half of the window behind them is used
 * @st: stream of a channel, which is locked, as is R
 *
 * Who has read all that can be read waits for those bytes. That is no reason for the
 * peer to stop, which it would before they come again if the window was right for a
 * slower stream.
 *
 * Return: whether a WINDOW is due
 */
bool __sss_flow_over_hole(struct sss_stream *st)
{
	const struct sock *sk = st->sk;
	struct sss_rxq *rx = &st->rx;
	u32 wanted, window;

	lockdep_assert_held(&st->ch->lock);
	lockdep_assert_held(&rx->lock);
	if (rx->re.highest == rx->re.edge || rx->re.edge != rx->read ||
	    rx->limit - rx->re.highest > rx->window / 2)
		return false;
	if (rx->discard || rx->re.final != SSS_REASM_NO_FINAL || st->flags & SSS_ST_MESSAGE ||
	    !sk || sk->sk_userlocks & SOCK_RCVBUF_LOCK || sss_memory_is_tight(st->ch))
		return false;
	wanted = min_t(u32, 2 * rx->window, READ_ONCE(st->ch->sn->limits.rmem[2]));
	window = share_of_memory(st, max(rx->window, wanted));
	if (window <= rx->window)
		return false;
	set_window(st, window);
	WRITE_ONCE(rx->limit, max(rx->limit, rx->read + window));
	return true;
}

/**
 * __sss_flow_leave() - a stream is over: its window is none any more
 * @st: stream of a channel, which is locked; nothing that comes will be kept
 */
void __sss_flow_leave(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	spin_lock(&st->rx.lock);
	set_window(st, st->ch->local.initial_stream_window);
	spin_unlock(&st->rx.lock);
}

/**
 * __sss_flow_may_send() - what windows allow
 * @st: stream of a channel, which is locked
 *
 * Return: octets that may be sent beyond @tx.next
 */
u64 __sss_flow_may_send(const struct sss_stream *st)
{
	const struct sss_streams *ss = sss_streams(st->ch);
	u64 initial = st->ch->remote.initial_stream_window;
	u64 next = st->tx.next, pool, left;

	lockdep_assert_held(&st->ch->lock);
	left = st->tx.limit > next ? st->tx.limit - next : 0;
	if (!(st->flags & SSS_ST_LOCAL) || next >= initial)
		return left;
	pool = max(ss->pool_max, st->ch->remote.channel_window);
	pool = pool > ss->pool_used ? pool - ss->pool_used : 0;
	return pool >= initial - next ? left : min(left, pool);
}

/**
 * __sss_flow_sent() - octets were sent for the first time
 * @st: stream of a channel, which is locked
 * @before: @tx.next until now
 * @after: and from now on
 */
void __sss_flow_sent(struct sss_stream *st, u64 before, u64 after)
{
	u64 initial = st->ch->remote.initial_stream_window;

	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_LOCAL)
		sss_streams(st->ch)->pool_used += below(after, initial) - below(before, initial);
}

/**
 * __sss_flow_pool() - CHANNEL_WINDOW arrived
 * @ch: channel, locked
 * @max: octets of unaccepted data over the channel's life
 */
void __sss_flow_pool(struct sss_channel *ch, u64 max)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_stream *st;

	lockdep_assert_held(&ch->lock);
	if (max <= ss->pool_max)
		return;
	ss->pool_max = max;
	if (!ss->pool_blocked)
		return;
	ss->pool_blocked = false;
	list_for_each_entry(st, &ss->all, all)
		__sss_sched_activate(st);
}

/**
 * sss_flow_streams_granted() - how many streams may the peer have opened?
 * @ch: channel, locked
 *
 * Return: their number, over the channel's life
 */
u64 sss_flow_streams_granted(const struct sss_channel *ch)
{
	return max(sss_streams(ch)->granted, ch->local.max_streams);
}

/**
 * __sss_flow_grant_streams() - let the peer open more, if it is worth a frame
 * @ch: channel, locked
 *
 * As many as allowed at once, above those that are over; and never so many that
 * sss_streams.seen could not hold them.
 */
void __sss_flow_grant_streams(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);
	u64 most = min(ss->closed + ch->local.max_streams, ss->base + ss->width);
	u64 granted = sss_flow_streams_granted(ch);
	u64 quarter = max(ch->local.max_streams / 4, 1ULL);

	lockdep_assert_held(&ch->lock);
	/* at once where little is left: somebody may wait for it */
	if (most >= granted + (granted - ss->base > quarter ? quarter : 1))
		ss->granted_due = true;
}

/**
 * __sss_flow_stream_closed() - a stream that the peer opened is over
 * @ch: channel, locked
 */
void __sss_flow_stream_closed(struct sss_channel *ch)
{
	sss_streams(ch)->closed++;
	__sss_flow_grant_streams(ch);
}
