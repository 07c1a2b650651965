// SPDX-License-Identifier: GPL-2.0
/*
 * The path of a channel, and how it becomes another one.
 *
 * The peer moved: a packet with the largest number so far came from elsewhere. That
 * endpoint is challenged, with no more bytes than came from it, while data still go
 * to the old one with a PING: a packet from there that is newer yet ends the move. An
 * answer to the challenge proves the new one, and data go there. A challenge that is
 * not answered is repeated, at growing intervals, as long as the bytes last.
 *
 * The path died: from the first probe timeout on all other endpoints of the
 * peer are challenged at each, and the first that answers is the path. So is
 * the one that the peer seems to have moved to, whatever came from there.
 *
 * The path leads through a relay: from time to time the endpoints of the peer that need
 * none are challenged, and the first that answers is the path. It stays there as long
 * as it works, also if something comes through the relay.
 *
 * What has to do with an endpoint that is not the path stands in sss_channel.trials
 * and leaves in small packets of its own.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "base/trace.h"
#include "channel/announce.h"
#include "channel/candidates.h"
#include "channel/ecn.h"
#include "channel/handshake.h"
#include "channel/loss.h"
#include "channel/moved.h"
#include "channel/path.h"
#include "channel/pmtu.h"
#include "channel/timer.h"
#include "net/udp.h"
#include "wire/packet.h"

#define TRIALS	SSS_CANDIDATES_MAX

#define STAY_PTOS	3ULL		/* on a path just taken, though the peer moves */
#define DIRECT_FIRST	NSEC_PER_SEC	/* on a path through a relay a direct one is tried ... */
#define DIRECT_RARELY	(20 * NSEC_PER_SEC)	/* ... again so soon, and then less often */
#define BACKOFF_MOST	6		/* a challenge is repeated after 2^this PTOs at most */
#define RESERVED	(3 * SSS_PATH_ASIDE_LEN)	/* for the challenge of an unproved path */
#define INSIST_MOST	4U		/* PINGs to a peer that uses a relay, before we do, too */

/**
 * struct sss_trial - an endpoint that is not the path, or not proved yet
 * @remote: address and port; AF_UNSPEC: unused
 * @challenge: what our PATH_CHALLENGE says
 * @response: what a PATH_RESPONSE of ours is to say
 * @credit: bytes that may go there; of the path itself: sss_path.budget
 * @used_at: ns, when it was last looked at
 * @asked_at: ns, when the challenge left first, 0: never
 * @again_at: ns, not to be repeated before
 * @tries: how often it left
 * @took: ns until it was answered, if this is to take the place of the path; or 0
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
	u64 again_at;
	u32 tries;
	u64 took;
	bool moving;
	bool ours;
	bool ask;
	bool answer;
};

static struct sss_trial *find(struct sss_channel *ch, const union sss_endpoint *ep)
{
	struct sss_trial *t;

	for (t = ch->trials; t && t < ch->trials + TRIALS; t++)
		if (t->used_at && sss_endpoint_equal(&t->remote, ep))
			return t;
	return NULL;
}

/* The entry of an endpoint: there, or in place of the one that was used longest ago */
static struct sss_trial *take(struct sss_channel *ch, const union sss_endpoint *ep, u64 now)
{
	struct sss_trial *t = find(ch, ep), *use = NULL;

	if (t) {
		t->used_at = now;
		return t;
	}
	if (!ch->trials)
		ch->trials = kcalloc(TRIALS, sizeof(*t), GFP_ATOMIC | __GFP_NOWARN);
	if (!ch->trials)
		return NULL;
	for (t = ch->trials; t < ch->trials + TRIALS; t++)
		if (!t->moving && (!use || t->used_at < use->used_at))
			use = t;
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
	if (t->asked_at && now < t->again_at)
		return;
	t->ask = true;
	ch->aside = true;
}

static bool is_path(const struct sss_channel *ch, const struct sss_trial *t)
{
	return sss_endpoint_equal(&t->remote, &ch->path.remote);
}

/* The bytes that may go there: the path, if it is not proved, has one account. */
static u64 *purse(struct sss_channel *ch, struct sss_trial *t)
{
	return is_path(ch, t) ? &ch->path.budget : &t->credit;
}

/* Does nothing but ourselves repeat its challenge? */
static bool is_repeated(const struct sss_channel *ch, const struct sss_trial *t)
{
	return t->used_at && t->asked_at && !t->ask &&
	       (t->moving || (ch->path.unproved && is_path(ch, t)));
}

static void find_source(struct sss_channel *ch)
{
	struct sss_udp *udp;

	memset(&ch->path.source, 0, sizeof(ch->path.source));
	rcu_read_lock();
	udp = rcu_dereference(ch->host->udp);
	if (udp)
		sss_udp_source(udp, &ch->path.remote, &ch->path.source);
	rcu_read_unlock();
}

/* The peer's challenge from there is answered on the path, once it is the path. */
static void keep_answer(struct sss_channel *ch, const union sss_endpoint *to)
{
	struct sss_trial *t = find(ch, to);

	if (!t || !t->answer)
		return;
	t->answer = false;
	memcpy(ch->challenge, t->response, sizeof(ch->challenge));
	ch->challenged = true;
}

static bool is_relayed(const struct sss_channel *ch)
{
	return ch->path.remote.via.session;
}

static void set_remote(struct sss_channel *ch, const union sss_endpoint *to)
{
	keep_answer(ch, to);
	ch->path.remote = *to;
	ch->path.since = ktime_get_ns();
	ch->path.direct_wait = 2 * DIRECT_FIRST;
	ch->path.direct_at = is_relayed(ch) ? ch->path.since + DIRECT_FIRST : 0;
	ch->path.spare_at = 0;
	ch->path.insisted = 0;
	WRITE_ONCE(ch->path.unroutable, false);
	WRITE_ONCE(ch->path.changes, ch->path.changes + 1);
	dst_cache_reset(&ch->path.cache);
	forget_trials(ch);
	find_source(ch);
}

/**
 * __sss_path_start_afresh() - nothing that was measured holds (RFC 9000 section 9.4)
 * @ch: channel, on another path
 * @now: ns
 *
 * Context: channel lock held.
 */
void __sss_path_start_afresh(struct sss_channel *ch, u64 now)
{
	lockdep_assert_held(&ch->lock);
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
 * @proved: what we sent there arrived; otherwise __sss_path_received() follows, so
 *	that it is challenged; no more goes there than came
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
	__sss_path_start_afresh(ch, now);
}

/**
 * __sss_path_change() - the state goes on over another path
 * @ch: channel
 * @to: proved
 * @now: ns
 *
 * Where only the port is another one a NAT forgot the peer, and the path is the
 * same; but what went to the old port is lost, and not because of congestion.
 *
 * Context: channel lock held.
 */
void __sss_path_change(struct sss_channel *ch, const union sss_endpoint *to, u64 now)
{
	bool same = sss_endpoint_same_address(&ch->path.remote, to);

	lockdep_assert_held(&ch->lock);
	if (sss_endpoint_equal(&ch->path.remote, to)) {
		keep_answer(ch, to);
		ch->path.unproved = false;
		__sss_announce_want(ch);
		return;
	}
	set_remote(ch, to);
	ch->path.unproved = false;
	sss_mib_inc(ch->sn, PATH_CHANGES);
	trace_sss_path_changed(ch->sn, ch->id, &to->sa);
	if (same)
		__sss_loss_new_path(ch);
	else
		__sss_path_start_afresh(ch, now);
	ch->ping = true;	/* so that the peer sees it, too */
	__sss_announce_want(ch);
}

/* The peer sends on the path. */
static void end_move(struct sss_channel *ch)
{
	struct sss_trial *t;

	ch->path.insisted = 0;
	ch->moving = false;
	for (t = ch->trials; t < ch->trials + TRIALS; t++)
		t->moving = false;
}

/**
 * __sss_path_is_settled() - is it long enough since this path was taken?
 * @ch: channel
 * @now: ns
 *
 * Return: whether it may be left again for no reason but the peer's. Context: channel
 * lock held.
 */
bool __sss_path_is_settled(const struct sss_channel *ch, u64 now)
{
	lockdep_assert_held(&ch->lock);
	return now >= ch->path.since + STAY_PTOS * sss_channel_pto_ns(ch);
}

/*
 * Two hosts that took another path at the same time could follow each other for
 * ever. So that of the smaller EID stays on what it took, and the other one follows.
 */
static bool may_follow(const struct sss_channel *ch, const union sss_endpoint *to, u64 now)
{
	return !ch->local_even || sss_endpoint_same_address(&ch->path.remote, to) ||
	       __sss_path_is_settled(ch, now);
}

/**
 * __sss_path_stays() - is a path that needs no relay, and works, not to be left for another?
 * @ch: channel
 * @to: proved, or where the peer sends from
 *
 * Return: whether @to is behind a relay, and the path is better. Context: channel lock held.
 */
bool __sss_path_stays(const struct sss_channel *ch, const union sss_endpoint *to)
{
	lockdep_assert_held(&ch->lock);
	return to->via.session && !is_relayed(ch) && !ch->path.unproved &&
	       !ch->path.unroutable && !ch->loss.pto_count;
}

/*
 * The peer sends through a relay while we need none: it will follow us, unless it does
 * not hear us. A PING finds that out; or we it, where a few are answered and the peer
 * stays there.
 */
static bool is_to_follow(struct sss_channel *ch, const union sss_endpoint *from, u64 now)
{
	if (!__sss_path_stays(ch, from))
		return true;
	if (ch->path.insisted && now < ch->path.insist_at)
		return false;
	if (ch->path.insisted >= INSIST_MOST)
		return true;
	ch->path.insist_at = now + (sss_channel_pto_ns(ch) << ch->path.insisted++);
	ch->ping = true;
	return false;
}

static void received_elsewhere(struct sss_channel *ch, const union sss_endpoint *from, u32 len,
			       bool moves, u64 now)
{
	struct sss_trial *t = take(ch, from, now);

	if (!t)
		return;
	t->credit += len;
	moves = moves && is_to_follow(ch, from, now);
	if (moves && !t->moving && may_follow(ch, from, now)) {
		end_move(ch);
		ch->moving = true;
		t->moving = true;
		t->tries = 0;
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
	if (unlikely((ch->moving || ch->path.insisted) && newest && !probing))
		end_move(ch);
	if (unlikely(newest && !probing && !sss_endpoint_same_local(&ch->path.remote, from)))
		__sss_moved_followed(ch, from, now);
	if (likely(!ch->path.unproved))
		return;
	ch->path.budget += len;
	t = take(ch, from, now);
	if (t)
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

static void take_over(struct sss_channel *ch, const struct sss_trial *t, u64 took, u64 now)
{
	union sss_endpoint to = t->remote;

	__sss_path_change(ch, &to, now);
	sss_rtt_guess(&ch->rtt, div_u64(took, NSEC_PER_USEC));
	sss_peer_learn_endpoint(ch->peer, &to);
}

/*
 * Another endpoint answers. Where a full queue is all that is wrong, and both ways
 * lead through it, the path is about to answer, too, and what is known of it counts.
 */
static void stand_by(struct sss_channel *ch, struct sss_trial *t, u64 took, u64 now)
{
	if (ch->path.spare_at)
		return;
	t->took = took;
	ch->path.spare_at = now + took / 8 + NSEC_PER_USEC * ch->remote.max_ack_delay_us;
}

static void end_stand_by(struct sss_channel *ch, u64 now)
{
	struct sss_trial *t;

	ch->path.spare_at = 0;
	for (t = ch->trials; t && t < ch->trials + TRIALS; t++) {
		u64 took = t->took;

		t->took = 0;
		if (took && ch->loss.pto_count) {
			take_over(ch, t, took, now);
			return;
		}
	}
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
	struct sss_trial *t;
	bool direct;
	u64 took;

	lockdep_assert_held(&ch->lock);
	for (t = ch->trials; t && t < ch->trials + TRIALS; t++)
		if (t->asked_at && !memcmp(t->challenge, frame->data, sizeof(t->challenge)))
			break;
	if (!t || t == ch->trials + TRIALS)
		return;
	direct = is_relayed(ch) && !t->remote.via.session;
	if (!is_path(ch, t) && !t->moving &&
	    !(t->ours && (direct || ch->loss.pto_count || ch->path.unroutable)))
		return;
	took = now - t->asked_at;
	t->asked_at = 0;
	trace_sss_path_validated(ch->sn, ch->id, &t->remote.sa);
	if (is_path(ch, t) || t->moving || direct || ch->path.unroutable)
		take_over(ch, t, took, now);
	else
		stand_by(ch, t, took, now);
}

/* One packet more than came from there, if the endpoint is none that was told us */
static void try_hard(struct sss_channel *ch, struct sss_trial *t, u64 now)
{
	if (!__sss_candidates_may_probe(ch, &t->remote, now))
		return;
	t->credit = max_t(u64, t->credit, SSS_PATH_ASIDE_LEN);
	ask(ch, t, now);
}

static void try_candidate(struct sss_channel *ch, const union sss_endpoint *ep, u64 now)
{
	struct sss_trial *t = take(ch, ep, now);

	if (!t)
		return;
	t->ours = true;
	if (ch->loss.pto_count <= 1)
		t->tries = 0;
	t->credit = max_t(u64, t->credit, SSS_PATH_ASIDE_LEN);
	ask(ch, t, now);
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
	for (t = ch->trials; ch->moving && t < ch->trials + TRIALS; t++)
		if (t->moving)
			try_hard(ch, t, now);
	__sss_candidates_collect(ch, &c, AF_UNSPEC, false);
	for (i = 0; i < c.n; i++)
		if (!sss_endpoint_equal(&c.ep[i], &ch->path.remote) &&
		    __sss_candidates_may_probe(ch, &c.ep[i], now))
			try_candidate(ch, &c.ep[i], now);
}

/* Is there a way without the relay? One to a peer behind a NAT opens if both try. */
static void look_for_direct(struct sss_channel *ch, u64 now)
{
	struct sss_candidates c;
	struct sss_trial *t;
	unsigned int i;

	ch->path.direct_at = now + ch->path.direct_wait;
	ch->path.direct_wait = min_t(u64, 2 * ch->path.direct_wait, DIRECT_RARELY);
	if (!ch->n_streams)
		return;
	__sss_candidates_collect(ch, &c, AF_UNSPEC, false);
	for (i = 0; i < c.n; i++) {
		if (c.ep[i].via.session || !__sss_candidates_may_probe(ch, &c.ep[i], now))
			continue;
		t = find(ch, &c.ep[i]);
		if (t)
			t->asked_at = 0;
		try_candidate(ch, &c.ep[i], now);
	}
}

/**
 * __sss_path_seek_direct() - more is known of where the peer may be
 * @ch: channel
 *
 * If its path leads through a relay, that is looked at soon. Context: channel lock
 * held; the caller sets the timer.
 */
void __sss_path_seek_direct(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (!ch->path.direct_at)
		return;
	ch->path.direct_wait = 2 * DIRECT_FIRST;
	ch->path.direct_at = min(ch->path.direct_at, ktime_get_ns() + DIRECT_FIRST);
}

/**
 * __sss_path_deadline() - when __sss_path_on_timer() is due
 * @ch: channel
 *
 * Return: ns, 0: nothing is to be asked again. Context: channel lock held.
 */
u64 __sss_path_deadline(struct sss_channel *ch)
{
	u64 at = sss_timer_min(ch->path.spare_at, ch->path.direct_at);
	struct sss_trial *t;

	lockdep_assert_held(&ch->lock);
	if (likely(!ch->moving && !ch->path.unproved))
		return at;
	for (t = ch->trials; t && t < ch->trials + TRIALS; t++)
		if (is_repeated(ch, t) && *purse(ch, t) >= SSS_PATH_ASIDE_LEN)
			at = sss_timer_min(at, t->again_at);
	return at;
}

/**
 * __sss_path_on_timer() - challenges that were not answered are repeated; a silent path
 *	is replaced, one through a relay if there is another
 * @ch: channel
 * @now: ns
 *
 * Context: channel lock held; transmission follows.
 */
void __sss_path_on_timer(struct sss_channel *ch, u64 now)
{
	struct sss_trial *t;

	lockdep_assert_held(&ch->lock);
	if (unlikely(ch->path.spare_at && ch->path.spare_at <= now))
		end_stand_by(ch, now);
	if (unlikely(ch->path.direct_at && ch->path.direct_at <= now))
		look_for_direct(ch, now);
	if (likely(!ch->moving && !ch->path.unproved))
		return;
	for (t = ch->trials; t && t < ch->trials + TRIALS; t++)
		if (is_repeated(ch, t))
			ask(ch, t, now);
}

/**
 * __sss_path_room() - how large the next packet may be
 * @ch: channel
 *
 * Return: bytes of UDP payload. To a path that is not proved goes what came from
 * there, no packet that is not worth one, and never what its challenge takes to be
 * repeated: nothing else may be under way that would have the peer say more.
 * Context: channel lock held.
 */
u32 __sss_path_room(const struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (likely(!ch->path.unproved))
		return ch->path.mtu;
	if (ch->path.budget < SSS_PACKET_MIN_LEN + RESERVED)
		return 0;
	return min_t(u64, ch->path.mtu, ch->path.budget - RESERVED);
}

static void describe(struct sss_channel *ch, struct sss_trial *t, struct sss_frame *frame)
{
	u64 now = ktime_get_ns();

	if (t->answer) {
		t->answer = false;
		frame->type = SSS_FRAME_PATH_RESPONSE;
		memcpy(frame->path.data, t->response, sizeof(frame->path.data));
		return;
	}
	t->ask = false;
	t->asked_at = t->asked_at ?: now;
	t->again_at = now + (sss_channel_pto_ns(ch) << min_t(u32, t->tries++, BACKOFF_MOST));
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
		if ((!t->answer && !t->ask) || *purse(ch, t) < SSS_PATH_ASIDE_LEN)
			continue;
		*purse(ch, t) -= SSS_PATH_ASIDE_LEN;
		describe(ch, t, frame);
		*to = t->remote;
		if (frame->type == SSS_FRAME_PATH_CHALLENGE)
			trace_sss_path_challenged(ch->sn, ch->id, &to->sa);
		return true;
	}
	ch->aside = false;
	return false;
}

/**
 * sss_path_get_endpoint() - where the path begins or ends
 * @ch: channel
 * @local: our end, as routes are now; otherwise the peer's
 * @ep: filled
 *
 * Return: 0; -ENOTCONN: there is no path yet; -ENETUNREACH: no route leads there.
 * Context: any, no channel lock held.
 */
int sss_path_get_endpoint(struct sss_channel *ch, bool local, union sss_endpoint *ep)
{
	union sss_endpoint remote;
	struct sss_udp *udp;
	int err = 0;

	spin_lock_bh(&ch->lock);
	remote = ch->path.remote;
	spin_unlock_bh(&ch->lock);
	if (remote.sa.sa_family == AF_UNSPEC)
		return -ENOTCONN;
	*ep = remote;
	if (!local)
		return 0;
	rcu_read_lock();
	udp = rcu_dereference(ch->host->udp);
	if (!udp || !sss_udp_source(udp, &remote, ep))
		err = -ENETUNREACH;
	rcu_read_unlock();
	return err;
}
