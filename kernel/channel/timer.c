// SPDX-License-Identifier: GPL-2.0
#include "base/compat.h"
#include "channel/candidates.h"
#include "channel/handshake.h"
#include "channel/loss.h"
#include "channel/path.h"
#include "channel/resolve.h"
#include "channel/timer.h"
#include "channel/tx.h"

#define NEW_IDLE_NS	NSEC_PER_SEC	/* a channel without keys and streams goes soon */
#define PTO_HANDSHAKE	3		/* probe timeouts before all endpoints are tried */

/* A channel without streams ends */
static u64 idle_deadline(const struct sss_channel *ch)
{
	u64 ns = sss_netns_limit_ns(&ch->sn->limits.idle_timeout_ms);

	if (ch->n_streams || __sss_handshake_pending(ch))
		return 0;
	if (ch->state == SSS_CHANNEL_NEW)
		ns = min_t(u64, ns, __sss_candidates_remember_ns(ch) ?: NEW_IDLE_NS);
	return ch->idle_since + ns;
}

/* A peer that is heard again but has not answered yet is given as long once more. */
static u64 down_deadline(const struct sss_channel *ch)
{
	if (!ch->oldest_unanswered || ch->link == SSS_LINK_DOWN)
		return 0;
	return max(ch->oldest_unanswered, ch->link_up_at) +
	       sss_netns_limit_ns(&ch->sn->limits.down_timeout_ms);
}

/* Nothing was heard for long, and somebody minds; what waits for an answer will do. */
static u64 keepalive_deadline(const struct sss_channel *ch)
{
	if (!ch->n_keepalive || ch->ping || ch->loss.eliciting_in_flight)
		return 0;
	return ch->last_received + sss_netns_limit_ns(&ch->sn->limits.keepalive_ms);
}

/* The pacer alone holds data back, or memory was missing */
static u64 pace_deadline(struct sss_channel *ch, u64 now)
{
	if (ch->pace_at <= now)
		return 0;
	if (__sss_tx_control_wanted(ch))
		return ch->pace_at;
	if (ch->loss.in_flight + ch->path.mtu > ch->cong.cwnd ||
	    !sss_channel_ops->pending(ch))
		return 0;
	return ch->pace_at;
}

/* Key ages count in another clock: suspended time too */
static u64 keys_deadline(struct sss_channel *ch, u64 now)
{
	u64 key_now = sss_keypair_now();
	u64 at = sss_keyring_expire(&ch->ring, &ch->sn->limits, key_now);

	return at == U64_MAX ? 0 : now + (at > key_now ? at - key_now : 0) + TICK_NSEC;
}

static u64 next_deadline(struct sss_channel *ch, u64 now)
{
	u64 at;

	if (ch->state == SSS_CHANNEL_CLOSED)
		return 0;
	at = sss_timer_min(idle_deadline(ch), __sss_handshake_deadline(ch));
	at = sss_timer_min(at, ch->keys_at);
	at = sss_timer_min(at, ch->tick_at);
	at = sss_timer_min(at, __sss_resolve_deadline(ch));
	if (ch->state != SSS_CHANNEL_OPEN)
		return at;
	at = sss_timer_min(at, __sss_loss_deadline(ch));
	at = sss_timer_min(at, ch->ack_at);
	at = sss_timer_min(at, pace_deadline(ch, now));
	at = sss_timer_min(at, ch->resume_at);
	at = sss_timer_min(at, down_deadline(ch));
	at = sss_timer_min(at, keepalive_deadline(ch));
	return sss_timer_min(at, __sss_path_deadline(ch));
}

/**
 * __sss_timer_update() - set the timer after anything that moves a deadline
 * @ch: channel
 *
 * A timer that would fire too early is left alone: it finds nothing due and
 * sets itself again, which is cheaper than moving it with every packet.
 *
 * Context: channel lock held.
 */
void __sss_timer_update(struct sss_channel *ch)
{
	u64 at = next_deadline(ch, ktime_get_ns());

	lockdep_assert_held(&ch->lock);
	if (!at || (ch->timer_at && ch->timer_at <= at))
		return;
	ch->timer_at = at;
	hrtimer_start(&ch->timer, ns_to_ktime(at), HRTIMER_MODE_ABS_SOFT);
}

static void on_loss(struct sss_channel *ch, u64 now)
{
	u32 before = ch->loss.pto_count;

	__sss_loss_on_timer(ch, now);
	if (ch->loss.pto_count == before)
		return;
	__sss_path_on_pto(ch, now);
	if (ch->link == SSS_LINK_UP)
		__sss_channel_set_link(ch, SSS_LINK_STALLED);
	if (ch->loss.pto_count < PTO_HANDSHAKE)
		return;
	__sss_handshake_want(ch, NULL);
	__sss_resolve_hurry(ch);
}

/* What only a channel with keys has. Channel lock held. */
static void expire_open(struct sss_channel *ch, u64 now)
{
	u64 at;

	on_loss(ch, now);
	__sss_path_on_timer(ch, now);
	if (ch->ack_at && ch->ack_at <= now) {
		ch->ack_at = 0;
		ch->ack_now = true;
	}
	at = down_deadline(ch);
	if (at && at <= now)
		__sss_channel_set_link(ch, SSS_LINK_DOWN);
	at = keepalive_deadline(ch);
	if (at && at <= now)
		ch->ping = true;
}

/* Whatever is due. Channel lock held. */
static void expire(struct sss_channel *ch, u64 now)
{
	u64 at;

	__sss_handshake_on_timer(ch, now);
	at = idle_deadline(ch);
	if (at && at <= now) {
		__sss_channel_shut(ch, -ECONNRESET, ch->state == SSS_CHANNEL_OPEN);
		return;
	}
	if (ch->keys_at && ch->keys_at <= now)
		ch->keys_at = keys_deadline(ch, now);
	if (ch->state == SSS_CHANNEL_OPEN)
		expire_open(ch, now);
	if (ch->tick_at && ch->tick_at <= now)
		ch->tick_at = sss_channel_ops->tick(ch, now);
	__sss_resolve_on_timer(ch, now);
}

static enum hrtimer_restart fire(struct hrtimer *timer)
{
	struct sss_channel *ch = container_of(timer, struct sss_channel, timer);

	if (!sss_channel_get(ch))
		return HRTIMER_NORESTART;
	spin_lock_bh(&ch->lock);
	ch->timer_at = 0;
	ch->resume_at = 0;
	if (ch->state != SSS_CHANNEL_CLOSED)
		expire(ch, ktime_get_ns());
	spin_unlock_bh(&ch->lock);
	sss_channel_tell_link(ch);
	sss_channel_ops->deliver(ch);
	sss_channel_transmit(ch);
	sss_channel_put(ch);
	return HRTIMER_NORESTART;
}

/**
 * __sss_timer_tick() - the stream floor wants its tick
 * @ch: channel
 * @at: ns
 *
 * Context: channel lock held.
 */
void __sss_timer_tick(struct sss_channel *ch, u64 at)
{
	lockdep_assert_held(&ch->lock);
	ch->tick_at = sss_timer_min(ch->tick_at, at);
	__sss_timer_update(ch);
}

/**
 * __sss_timer_keys() - a key pair was added: mind its end
 * @ch: channel
 * @now: ns
 *
 * Context: channel lock held.
 */
void __sss_timer_keys(struct sss_channel *ch, u64 now)
{
	lockdep_assert_held(&ch->lock);
	ch->keys_at = keys_deadline(ch, now);
}

/**
 * sss_timer_init() - prepare the timer of a new channel
 * @ch: channel
 */
void sss_timer_init(struct sss_channel *ch)
{
	sss_compat_hrtimer_setup(&ch->timer, fire, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
}

/**
 * sss_timer_cancel() - stop the timer for good
 * @ch: channel nobody refers to any more
 *
 * Context: process; waits for a running timer.
 */
void sss_timer_cancel(struct sss_channel *ch)
{
	hrtimer_cancel(&ch->timer);
}
