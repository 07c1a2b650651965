// SPDX-License-Identifier: GPL-2.0
/*
 * The path of a channel, and how it becomes another one.
 *
 * The peer moved: a packet with the largest number so far came from elsewhere. That
 * endpoint is challenged, with no more bytes than came from it, while data still go
 * to the old one with a PING: a packet from there that is newer yet ends the move. An
 * answer to the challenge proves the new one, and data go there.
 *
 * The path died: from the first probe timeout on all other endpoints of the
 * peer are challenged, and the first that answers is the path.
 *
 * What has to do with an endpoint that is not the path stands in sss_channel.trials
 * and leaves in small packets of its own.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "channel/candidates.h"
#include "channel/ecn.h"
#include "channel/handshake.h"
#include "channel/loss.h"
#include "channel/path.h"
#include "channel/pmtu.h"
#include "channel/timer.h"

#define TRIALS	SSS_CANDIDATES_MAX

/**
 * struct sss_trial - an endpoint that is not the path, or not proved yet
 * @remote: address and port; AF_UNSPEC: unused
 * @challenge: what our PATH_CHALLENGE says
 * @response: what a PATH_RESPONSE of ours is to say
 * @credit: bytes that may go there
 * @used_at: ns, when it was last looked at
 * @asked_at: ns, when the challenge last left, 0: never
 * @moving: the peer seems to be there now
 * @ours: we look for a path that works
 * @ask: a challenge is due
 * @answer: a response is due
 */
struct sss_trial {
	union sss_endpoint remote;
	u8 challenge[8];
	u8 response[8];
	u64 credit;
	u64 used_at;
	u64 asked_at;
	bool moving;
	bool ours;
	bool ask;
	bool answer;
};

/* The entry of an endpoint: there, or in place of the one that was used longest ago */
static struct sss_trial *take(struct sss_channel *ch, const union sss_endpoint *ep, u64 now)
{
	struct sss_trial *t, *use;

	if (!ch->trials)
		ch->trials = kcalloc(TRIALS, sizeof(*t), GFP_ATOMIC | __GFP_NOWARN);
	if (!ch->trials)
		return NULL;
	use = ch->trials;
	for (t = ch->trials; t < ch->trials + TRIALS; t++) {
		if (t->used_at && sss_endpoint_equal(&t->remote, ep)) {
			t->used_at = now;
			return t;
		}
		if (t->used_at < use->used_at)
			use = t;
	}
	memset(use, 0, sizeof(*use));
	use->remote = *ep;
	use->used_at = now;
	get_random_bytes(use->challenge, sizeof(use->challenge));
	return use;
}

static void forget_trials(struct sss_channel *ch)
{
	ch->aside = false;
	ch->moving = false;
	if (ch->trials)
		memset(ch->trials, 0, TRIALS * sizeof(*ch->trials));
}

/* Asks at once, but not again before the answer can have come. */
static void ask(struct sss_channel *ch, struct sss_trial *t, u64 now)
{
	u64 wait = NSEC_PER_USEC * sss_rtt_pto(&ch->rtt, ch->remote.max_ack_delay_us, 0);

	if (t->asked_at && now < t->asked_at + wait)
		return;
	t->ask = true;
	ch->aside = true;
}

static bool same_address(const union sss_endpoint *a, const union sss_endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return ipv6_addr_equal(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

static void set_remote(struct sss_channel *ch, const union sss_endpoint *to)
{
	ch->path.remote = *to;
	ch->path.unroutable = false;
	WRITE_ONCE(ch->path.changes, ch->path.changes + 1);
	dst_cache_reset(&ch->path.cache);
	forget_trials(ch);
}

/* Nothing that was measured holds on another path (RFC 9000 section 9.4). */
static void start_afresh(struct sss_channel *ch, u64 now)
{
	__sss_pmtu_start(ch, now);
	sss_rtt_init(&ch->rtt);
	__sss_channel_start_congestion(ch);
	sss_ecn_new_path(&ch->ecn);
	ch->pace_at = 0;
	__sss_loss_new_path(ch);
}

/**
 * __sss_path_begin() - a state begins: this is its first path
 * @ch: channel
 * @to: where the peer's proof came from
 * @proved: what we sent there arrived; otherwise it is challenged, and no more
 *	goes there than came
 * @now: ns
 *
 * Context: channel lock held.
 */
void __sss_path_begin(struct sss_channel *ch, const union sss_endpoint *to, bool proved, u64 now)
{
	lockdep_assert_held(&ch->lock);
	set_remote(ch, to);
	ch->path.unproved = !proved;
	ch->path.budget = 0;
	start_afresh(ch, now);
}

/**
 * __sss_path_change() - the state goes on over another path
 * @ch: channel
 * @to: proved
 * @now: ns
 *
 * Where only the port is another one a NAT forgot us, and the path is the same.
 *
 * Context: channel lock held.
 */
void __sss_path_change(struct sss_channel *ch, const union sss_endpoint *to, u64 now)
{
	bool same = same_address(&ch->path.remote, to);

	lockdep_assert_held(&ch->lock);
	if (sss_endpoint_equal(&ch->path.remote, to)) {
		ch->path.unproved = false;
		return;
	}
	set_remote(ch, to);
	ch->path.unproved = false;
	sss_mib_inc(ch->sn, PATH_CHANGES);
	if (!same)
		start_afresh(ch, now);
	ch->loss.pto_count = 0;
	ch->ping = true;	/* so that the peer sees it, too */
}

static void end_move(struct sss_channel *ch)
{
	struct sss_trial *t;

	ch->moving = false;
	for (t = ch->trials; t < ch->trials + TRIALS; t++)
		t->moving = false;
}

static void received_elsewhere(struct sss_channel *ch, const union sss_endpoint *from, u32 len,
			       bool moves, u64 now)
{
	struct sss_trial *t = take(ch, from, now);

	if (!t)
		return;
	t->credit += len;
	if (moves && !t->moving) {
		end_move(ch);
		ch->moving = true;
		t->moving = true;
		ch->ping = true;
	}
	if (t->moving)
		ask(ch, t, now);
}

/**
 * __sss_path_received() - an authenticated packet was applied: look where it came from
 * @ch: channel
 * @from: its source
 * @len: UDP payload bytes
 * @newest: its number is the largest so far
 * @probing: it had only frames that try a path (RFC 9000 section 9.1)
 * @now: ns
 *
 * Context: channel lock held.
 */
void __sss_path_received(struct sss_channel *ch, const union sss_endpoint *from, u32 len,
			 bool newest, bool probing, u64 now)
{
	struct sss_trial *t;

	lockdep_assert_held(&ch->lock);
	if (unlikely(!sss_endpoint_equal(&ch->path.remote, from))) {
		received_elsewhere(ch, from, len, newest && !probing, now);
		return;
	}
	if (unlikely(ch->moving && newest && !probing))
		end_move(ch);
	if (likely(!ch->path.unproved))
		return;
	ch->path.budget += len;
	t = take(ch, from, now);
	if (!t)
		return;
	t->credit = ch->path.budget;
	ask(ch, t, now);
}

/**
 * __sss_path_challenged() - a PATH_CHALLENGE has come
 * @ch: channel
 * @frame: what it says
 * @from: where the answer goes
 *
 * Context: channel lock held.
 */
void __sss_path_challenged(struct sss_channel *ch, const struct sss_frame_path *frame,
			   const union sss_endpoint *from)
{
	struct sss_trial *t;

	lockdep_assert_held(&ch->lock);
	if (sss_endpoint_equal(&ch->path.remote, from) && !ch->path.unproved) {
		memcpy(ch->challenge, frame->data, sizeof(ch->challenge));
		ch->challenged = true;
		return;
	}
	t = take(ch, from, ktime_get_ns());
	if (!t)
		return;
	memcpy(t->response, frame->data, sizeof(t->response));
	t->answer = true;
	ch->aside = true;
}

/**
 * __sss_path_answered() - a PATH_RESPONSE has come
 * @ch: channel
 * @frame: what it says
 * @now: ns
 *
 * Context: channel lock held.
 */
void __sss_path_answered(struct sss_channel *ch, const struct sss_frame_path *frame, u64 now)
{
	union sss_endpoint to;
	struct sss_trial *t;
	u64 took;

	lockdep_assert_held(&ch->lock);
	for (t = ch->trials; t && t < ch->trials + TRIALS; t++)
		if (t->asked_at && !memcmp(t->challenge, frame->data, sizeof(t->challenge)))
			break;
	if (!t || t == ch->trials + TRIALS)
		return;
	if (!sss_endpoint_equal(&t->remote, &ch->path.remote) && !t->moving &&
	    !(t->ours && (ch->loss.pto_count || ch->path.unroutable)))
		return;
	to = t->remote;
	took = now - t->asked_at;
	t->asked_at = 0;
	__sss_path_change(ch, &to, now);
	sss_rtt_guess(&ch->rtt, div_u64(took, NSEC_PER_USEC));
	sss_peer_learn_endpoint(ch->peer, &to);
}

/**
 * __sss_path_on_pto() - the path does not answer: see whether another one does
 * @ch: channel
 * @now: ns
 *
 * Context: channel lock held; transmission follows.
 */
void __sss_path_on_pto(struct sss_channel *ch, u64 now)
{
	struct sss_candidates c;
	struct sss_trial *t;
	unsigned int i;

	lockdep_assert_held(&ch->lock);
	__sss_candidates_collect(ch, &c, AF_UNSPEC, true);
	for (i = 0; i < c.n; i++) {
		if (sss_endpoint_equal(&c.ep[i], &ch->path.remote))
			continue;
		t = take(ch, &c.ep[i], now);
		if (!t)
			return;
		t->ours = true;
		t->credit = max_t(u64, t->credit, SSS_PATH_ASIDE_LEN);
		ask(ch, t, now);
	}
}

/**
 * __sss_path_limits() - may nothing more go to a path that is not proved?
 * @ch: channel
 *
 * Context: channel lock held.
 */
bool __sss_path_limits(const struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->path.unproved && ch->path.budget < ch->path.mtu;
}

static void describe(struct sss_trial *t, struct sss_frame *frame, u64 now)
{
	if (t->answer) {
		t->answer = false;
		frame->type = SSS_FRAME_PATH_RESPONSE;
		memcpy(frame->path.data, t->response, sizeof(frame->path.data));
		return;
	}
	t->ask = false;
	t->asked_at = now;
	frame->type = SSS_FRAME_PATH_CHALLENGE;
	memcpy(frame->path.data, t->challenge, sizeof(frame->path.data));
}

/**
 * __sss_path_next() - what has to leave in a packet of its own
 * @ch: channel
 * @frame: result
 * @to: result: where it goes
 *
 * Return: false: nothing. Context: channel lock held.
 */
bool __sss_path_next(struct sss_channel *ch, struct sss_frame *frame, union sss_endpoint *to)
{
	struct sss_trial *t;

	lockdep_assert_held(&ch->lock);
	for (t = ch->trials; ch->aside && t < ch->trials + TRIALS; t++) {
		if ((!t->answer && !t->ask) || t->credit < SSS_PATH_ASIDE_LEN)
			continue;
		t->credit -= SSS_PATH_ASIDE_LEN;
		describe(t, frame, ktime_get_ns());
		*to = t->remote;
		return true;
	}
	ch->aside = false;
	return false;
}

/**
 * sss_path_unroutable() - no route leads to where a packet was to go
 * @ch: channel, referenced by the caller
 * @to: that was to be the path
 *
 * Known for sure, unlike what ICMP says, so nobody waits for a probe timeout.
 *
 * Context: no channel lock held.
 */
void sss_path_unroutable(struct sss_channel *ch, const union sss_endpoint *to)
{
	struct sss_candidates c;

	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_OPEN && !ch->path.unroutable &&
	    ch->loss.eliciting_in_flight && sss_endpoint_equal(&ch->path.remote, to)) {
		ch->path.unroutable = true;
		__sss_candidates_collect(ch, &c, AF_UNSPEC, false);
		if (c.n > 1)
			__sss_path_on_pto(ch, ktime_get_ns());
		else if (ch->link != SSS_LINK_DOWN)
			__sss_channel_set_link(ch, SSS_LINK_DOWN);
		ch->resume_at = ktime_get_ns();	/* the timer tells who waits for it */
		__sss_timer_update(ch);
	}
	spin_unlock_bh(&ch->lock);
}

/* Routes are other ones: what does not answer is tried at once. */
static void try_again(struct sss_channel *ch)
{
	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_OPEN && (ch->link != SSS_LINK_UP || ch->path.unroutable)) {
		ch->path.unroutable = false;
		ch->loss.pto_count = min(ch->loss.pto_count, 1U);
		ch->loss.probes = max(ch->loss.probes, 1U);
		__sss_path_on_pto(ch, ktime_get_ns());
	}
	if (ch->state != SSS_CHANNEL_CLOSED)
		__sss_handshake_hurry(ch);
	spin_unlock_bh(&ch->lock);
	sss_channel_transmit(ch);
}

static void try_peers(struct sss_host *host)
{
	struct sss_channel *ch;
	struct sss_peer *peer;

	list_for_each_entry_rcu(peer, &host->peer_list, list) {
		ch = rcu_dereference(peer->channel);
		if (!ch || !sss_channel_get(ch))
			continue;
		try_again(ch);
		sss_channel_put(ch);
	}
}

/**
 * sss_path_moved() - addresses or routes of this machine are other ones
 * @sn: namespace
 *
 * Channels that do not hear their peer try at once instead of when their timers
 * say so.
 *
 * Context: process.
 */
void sss_path_moved(struct sss_net *sn)
{
	struct sss_host *host;

	rcu_read_lock();
	list_for_each_entry_rcu(host, &sn->hosts, node)
		if (!READ_ONCE(host->dead))
			try_peers(host);
	rcu_read_unlock();
}
