// SPDX-License-Identifier: GPL-2.0
/*
 * Questions about peers, see resolve.h.
 *
 * Two things make one. A program connects, and no endpoint is known: then it is
 * sent at once, and again at even intervals until it is answered or what connects
 * gave up. Or a handshake under way is not answered, be it that of a connect() or
 * that of a channel that does not hear the peer any more: then it is sent after one
 * interval, for a channel after three probe timeouts, and again ever more rarely.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include "base/netns.h"
#include "channel/handshake.h"
#include "channel/initiate.h"
#include "channel/path.h"
#include "channel/resolve.h"
#include "channel/timer.h"
#include "peer/access.h"
#include "peer/host.h"
#include "peer/peer.h"

#define RARELY		16	/* intervals between questions about a silent peer, at most */
#define ANSWER_TRIES	3	/* a channel may close between finding and using it */

static u64 interval_ns(const struct sss_channel *ch)
{
	return sss_netns_limit_ns(&ch->sn->limits.resolve_interval_ms);
}

static u64 timeout_ns(const struct sss_channel *ch)
{
	return sss_netns_limit_ns(&ch->sn->limits.resolve_timeout_ms);
}

/* Of what is left a user gets half, so that none has all. */
static bool __has_room(const struct sss_channel *ch)
{
	int share = ch->hs->asking.share;
	struct sss_net *sn = ch->sn;
	u32 most = READ_ONCE(sn->limits.max_questions);
	u32 all = sss_gauge_read(sn, QUESTIONS);

	lockdep_assert_held(&ch->lock);
	if (all >= most)
		return false;
	return share < 0 || atomic_read(&sn->questions_of[share]) < most - all;
}

/* Counts a question, or that it does not wait any more. */
static void __count(struct sss_channel *ch, bool pending)
{
	struct sss_asking *a = &ch->hs->asking;

	lockdep_assert_held(&ch->lock);
	if (a->pending == pending)
		return;
	a->pending = pending;
	if (pending)
		sss_gauge_inc(ch->sn, QUESTIONS);
	else
		sss_gauge_dec(ch->sn, QUESTIONS);
	if (a->share >= 0)
		atomic_add(pending ? 1 : -1, &ch->sn->questions_of[a->share]);
}

/*
 * Sends the question, for the first time or again. -EHOSTUNREACH: nobody hears it;
 * -ENOBUFS: as many questions wait as may.
 */
static int __send(struct sss_channel *ch, u64 now)
{
	struct sss_asking *a = &ch->hs->asking;
	struct sss_net *sn = ch->sn;

	lockdep_assert_held(&ch->lock);
	if (!a->pending && !__has_room(ch))
		return -ENOBUFS;
	if (!sss_netns_ask(sn, sss_host_eid(ch->host), &ch->peer->eid))
		return -EHOSTUNREACH;
	a->last_at = now;
	if (a->pending)
		return 0;
	__count(ch, true);
	a->until = now + timeout_ns(ch);
	sss_mib_inc(sn, RESOLVE_ASKED);
	return 0;
}

static void __close(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	__count(ch, false);
	ch->hs->asking.blind = false;
}

/**
 * __sss_resolve_for() - questions from here on are those of the program that runs
 * @ch: channel, referenced by the caller
 *
 * Unless one waits. Context: process, channel lock held.
 */
void __sss_resolve_for(struct sss_channel *ch)
{
	struct sss_asking *a = &ch->hs->asking;

	lockdep_assert_held(&ch->lock);
	if (a->pending)
		return;
	a->share = hash_32(__kuid_val(current_uid()), ilog2(SSS_ASKERS));
	if (ns_capable_noaudit(ch->sn->net->user_ns, CAP_NET_ADMIN))
		a->share = -1;
}

/**
 * __sss_resolve_ask() - a program connects, and no endpoint of the peer is known
 * @ch: channel, referenced by the caller
 * @since: ns, when its connect() began
 *
 * A question that is under way serves this program, too.
 *
 * Return: 0: wait for the answer; -EHOSTUNREACH: nobody is there to answer;
 * -ENOBUFS: too many questions wait. Context: channel lock held.
 */
int __sss_resolve_ask(struct sss_channel *ch, u64 since)
{
	struct sss_asking *a = &ch->hs->asking;
	u64 now = ktime_get_ns();
	int err;

	lockdep_assert_held(&ch->lock);
	if (!a->blind) {
		err = __send(ch, now);
		if (err)
			return err;
		a->blind = true;
		a->interval = interval_ns(ch);
		a->next_at = now + a->interval;
		a->until = 0;
	}
	/* not later than who waits gives up, or it would not count as not answered */
	a->until = max(a->until, since + timeout_ns(ch));
	__sss_timer_update(ch);
	return 0;
}

/**
 * __sss_resolve_is_blind() - does what connects wait for an answer?
 * @ch: channel
 *
 * Return: whether no endpoint is known, and a helper was asked. Context: channel
 * lock held.
 */
bool __sss_resolve_is_blind(const struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->hs->asking.blind;
}

/**
 * __sss_resolve_begin() - a handshake begins: ask if it is not answered soon
 * @ch: channel
 *
 * Context: channel lock held; the caller sets the timer.
 */
void __sss_resolve_begin(struct sss_channel *ch)
{
	struct sss_asking *a = &ch->hs->asking;

	lockdep_assert_held(&ch->lock);
	a->interval = interval_ns(ch);
	a->next_at = ktime_get_ns() + a->interval;
}

/**
 * __sss_resolve_hurry() - the peer was there and is silent: do not wait to ask
 * @ch: channel, with a handshake under way
 *
 * Context: channel lock held; the caller sets the timer.
 */
void __sss_resolve_hurry(struct sss_channel *ch)
{
	struct sss_asking *a = &ch->hs->asking;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	if (!a->next_at)
		return;
	a->next_at = min(a->next_at, a->last_at ? max(now, a->last_at + interval_ns(ch)) : now);
}

/**
 * __sss_resolve_end() - where the peer is need not be known any more
 * @ch: channel
 *
 * Context: channel lock held.
 */
void __sss_resolve_end(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	__close(ch);
	ch->hs->asking.next_at = 0;
}

/**
 * __sss_resolve_deadline() - when __sss_resolve_on_timer() is to be called
 * @ch: channel
 *
 * Return: ns, 0: never. Context: channel lock held.
 */
u64 __sss_resolve_deadline(const struct sss_channel *ch)
{
	const struct sss_asking *a = &ch->hs->asking;

	lockdep_assert_held(&ch->lock);
	return sss_timer_min(a->next_at, a->pending ? a->until : 0);
}

/* Does somebody wait whom an answer would serve? */
static bool __is_needed(const struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->n_streams && (ch->hs->wanted || ch->hs->asking.blind);
}

static void __ask_again(struct sss_channel *ch, u64 now)
{
	struct sss_asking *a = &ch->hs->asking;

	lockdep_assert_held(&ch->lock);
	a->next_at = now + a->interval;
	if (!__send(ch, now) && !a->blind)
		a->interval = min(2 * a->interval, RARELY * interval_ns(ch));
}

/**
 * __sss_resolve_on_timer() - questions are repeated, or were not answered in time
 * @ch: channel, referenced by the caller
 * @now: ns
 *
 * What connects has its own deadline and has failed before this is called.
 *
 * Context: channel lock held.
 */
void __sss_resolve_on_timer(struct sss_channel *ch, u64 now)
{
	struct sss_asking *a = &ch->hs->asking;

	lockdep_assert_held(&ch->lock);
	if (a->pending && a->until <= now) {
		sss_mib_inc(ch->sn, RESOLVE_TIMEOUTS);
		__close(ch);
	}
	if (a->next_at && !__is_needed(ch))
		__sss_resolve_end(ch);
	else if (a->next_at && a->next_at <= now)
		__ask_again(ch, now);
}

/* The channel to a peer, if there is one, with a reference */
static struct sss_channel *find_channel(struct sss_host *host, const struct sss_eid *eid)
{
	struct sss_peer *peer = sss_peer_lookup(host, eid);
	struct sss_channel *ch;

	if (!peer)
		return NULL;
	ch = sss_channel_of_peer(peer);
	sss_peer_put(peer);
	return ch;
}

/* Has the peer a stream here, or does a program want one? */
static bool is_wanted(struct sss_host *host, const struct sss_eid *eid)
{
	struct sss_channel *ch = find_channel(host, eid);
	bool wanted;

	if (!ch)
		return false;
	spin_lock_bh(&ch->lock);
	wanted = ch->n_streams;
	spin_unlock_bh(&ch->lock);
	sss_channel_put(ch);
	return wanted;
}

/* Endpoints were added to the peer: try all it has. */
static int use_answer(struct sss_channel *ch)
{
	struct sss_candidates c;
	bool asked;
	int err = 0;

	spin_lock_bh(&ch->lock);
	asked = ch->hs->asking.pending;
	if (!ch->n_streams)
		ch->hs->family = AF_UNSPEC;
	__sss_candidates_collect(ch, &c, ch->hs->family, false);
	if (ch->state == SSS_CHANNEL_CLOSED) {
		err = -ESTALE;
	} else if (c.n) {
		if (asked)
			sss_mib_inc(ch->sn, RESOLVE_ANSWERED);
		__close(ch);
		__sss_path_seek_direct(ch);
		__sss_handshake_everywhere(ch);
		ch->hs->unasked |= !asked;
	}
	spin_unlock_bh(&ch->lock);
	return err;
}

/**
 * sss_resolve_answer() - a helper says where a peer may be
 * @host: who asked, or may want to know; reference held
 * @eid: the peer; made if nobody knows it, and then it goes again with its channel
 * @ep: checked by sss_udp_endpoint_check(), none twice
 * @n: how many, one at least
 *
 * A handshake message goes to all places known, at once and then as for a
 * connect(), also if nobody waits: this is what opens the way in for the peer. So
 * then it must be one that is let in; and if not it hears nothing from us.
 *
 * Return: 0 or -EACCES (nobody wants the peer, and it may use nothing here),
 * -EINVAL, -EADDRNOTAVAIL (own EID), -ENOBUFS (too many peers or channels),
 * -ENOKEY (host is going), -ENOMEM, -EAGAIN (the peer comes and goes).
 * Context: process, sleeps.
 */
int sss_resolve_answer(struct sss_host *host, const struct sss_eid *eid,
		       const union sss_endpoint *ep, unsigned int n)
{
	struct sss_channel *ch;
	struct sss_peer *peer;
	int tries, err = 0;

	if (!sss_access_is_known(host, eid) && !is_wanted(host, eid))
		return -EACCES;
	for (tries = 0; tries < ANSWER_TRIES; tries++) {
		peer = sss_peer_get_or_create(host, eid);
		if (IS_ERR(peer))
			return PTR_ERR(peer);
		sss_peer_answer_endpoints(peer, ep, n);
		ch = sss_channel_get_for_peer(peer);
		err = PTR_ERR_OR_ZERO(ch);
		if (!err) {
			err = use_answer(ch);
			sss_channel_put(ch);
		}
		if (err)
			sss_peer_release_learnt(peer);
		sss_peer_put(peer);
		if (err != -ESTALE && err != -EHOSTUNREACH)
			return err;
	}
	return -EAGAIN;
}

/* Only what has no channel is told: one that is open may be heard again. */
static void end_waiting(struct sss_channel *ch, int err)
{
	bool ended;

	spin_lock_bh(&ch->lock);
	ended = ch->state == SSS_CHANNEL_NEW && ch->n_streams;
	if (ch->hs->asking.pending)
		sss_mib_inc(ch->sn, RESOLVE_FAILED);
	__close(ch);
	if (ended) {
		/* in one go: who connects from here on has a question of his own */
		__sss_initiate_finish(ch);
		sss_channel_ops->connect_failed(ch, err);
	}
	spin_unlock_bh(&ch->lock);
	if (ended)
		sss_channel_ops->deliver(ch);
}

/**
 * sss_resolve_refuse() - a helper cannot say where a peer is
 * @host: reference held
 * @eid: the peer; nothing happens if nobody waits for it
 * @err: negative errno for those who connect and have no channel
 *
 * Context: process.
 */
void sss_resolve_refuse(struct sss_host *host, const struct sss_eid *eid, int err)
{
	struct sss_channel *ch = find_channel(host, eid);

	if (!ch)
		return;
	end_waiting(ch, err);
	sss_channel_put(ch);
}
