// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes that we start.
 *
 * A channel wants a handshake (__sss_handshake_want()) until one is done, by
 * us or by the peer, or until time is up. Meanwhile its work item sends one
 * Noise message to every endpoint of the peer, backing off, and makes a new
 * one when that is 5 s old; RESPONDs to the last three count (answered.c).
 *
 * An initiation belongs to its channel and points to it without a reference:
 * the index table is where it is found, under RCU, and it leaves that table
 * before its channel is freed. All else in it is read under the channel lock.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "base/drop.h"
#include "channel/candidates.h"
#include "channel/handshake.h"
#include "channel/initiate.h"
#include "channel/lapse.h"
#include "channel/timer.h"
#include "crypto/index.h"

#define STALE_AGAIN	(5 * NSEC_PER_SEC)	/* an old stamp is answered so often */
#define AS_GOOD_AS	(NSEC_PER_SEC / 10)	/* streams and handshakes end at a time */
#define SENDS_EVEN	4U	/* pauses of one length before they grow */

static void free_initiation(struct sss_initiation *in)
{
	if (!in)
		return;
	sss_index_remove(&in->entry);
	sss_noise_forget(&in->noise);
	memzero_explicit(&in->remote, sizeof(in->remote));
	memzero_explicit(&in->msg, sizeof(in->msg));
	kfree_rcu(in, rcu);
}

static void drop_initiations(struct sss_handshaking *hs)
{
	int i;

	for (i = 0; i < SSS_INITIATE_KEEP; i++) {
		free_initiation(hs->list[i]);
		hs->list[i] = NULL;
	}
}

/**
 * __sss_initiate_finish() - no handshake is wanted any more
 * @ch: channel
 *
 * Context: channel lock held.
 */
void __sss_initiate_finish(struct sss_channel *ch)
{
	struct sss_handshaking *hs = ch->hs;

	lockdep_assert_held(&ch->lock);
	drop_initiations(hs);
	hs->wanted = false;
	hs->has_request = false;
	hs->hint = false;
	hs->family = AF_UNSPEC;
	hs->unasked = false;
	hs->everywhere = false;
	hs->fail_at = 0;
	__sss_resolve_end(ch);
}

/**
 * __sss_initiate_forget() - what was sent is not to be answered any more
 * @ch: channel
 *
 * A handshake that is wanted begins anew. Context: channel lock held.
 */
void __sss_initiate_forget(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	drop_initiations(ch->hs);
}

/**
 * sss_handshake_init_channel() - prepare a new channel for handshakes
 * @ch: new; its incarnation may change to one already told to the peer in the
 *	answer to an INITIATE, so that handshakes that cross find one state, and with
 *	it the number of its first packet
 *
 * Return: 0 or -ENOMEM. Context: process.
 */
int sss_handshake_init_channel(struct sss_channel *ch)
{
	ch->hs = kzalloc(sizeof(*ch->hs), GFP_KERNEL_ACCOUNT);
	if (!ch->hs)
		return -ENOMEM;
	ch->hs->asking.share = -1;
	ch->incarnation = sss_slot_incarnation(ch->host, &ch->peer->eid, ch->incarnation,
					       &ch->next_number);
	ch->first_number = ch->next_number;
	return 0;
}

/**
 * sss_handshake_free_channel() - forget the handshakes of a channel
 * @ch: channel that nobody refers to any more
 *
 * Context: process.
 */
void sss_handshake_free_channel(struct sss_channel *ch)
{
	if (!ch->hs)
		return;
	drop_initiations(ch->hs);
	kfree_sensitive(ch->hs);
	ch->hs = NULL;
}

static void __queue(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (ch->hs->queued)
		return;
	ch->hs->queued = true;
	__sss_channel_queue_work(ch, SSS_WORK_INITIATE);
}

/* A host may keep service names to itself until there are keys. */
static bool may_ask(const struct sss_channel *ch, const struct sss_request *request)
{
	return request && !ch->hs->has_request &&
	       !(READ_ONCE(ch->host->flags) & SSS_HOST_F_HIDE_SERVICES);
}

/* It goes with the next INITIATE. */
static void __keep_request(struct sss_channel *ch, const struct sss_request *request)
{
	lockdep_assert_held(&ch->lock);
	if (!may_ask(ch, request))
		return;
	ch->hs->request = *request;
	ch->hs->has_request = true;
}

/* INITIATE goes out at once, and again as for the first time. */
static void __start_over(struct sss_channel *ch)
{
	struct sss_handshaking *hs = ch->hs;

	lockdep_assert_held(&ch->lock);
	hs->next_send = 0;
	hs->interval = sss_netns_limit_ns(&ch->sn->limits.initiate_interval_ms);
	hs->sends = 0;
	__sss_resolve_begin(ch);
	__queue(ch);
}

/**
 * __sss_handshake_hurry() - a handshake under way has new hope
 * @ch: channel, referenced by the caller
 *
 * What waits for its next turn is sent at once, unless it just was, and the pauses
 * begin anew.
 *
 * Context: channel lock held.
 */
void __sss_handshake_hurry(struct sss_channel *ch)
{
	struct sss_handshaking *hs = ch->hs;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	if (!hs->wanted)
		return;
	hs->interval = sss_netns_limit_ns(&ch->sn->limits.initiate_interval_ms);
	hs->next_send = min(hs->next_send, max(now, hs->sent_at + hs->interval));
	if (hs->next_send <= now)
		__queue(ch);
	else
		__sss_timer_update(ch);
}

/* A peer that has not answered is not called more often because many begin to call it. */
static void __not_before(struct sss_channel *ch, u64 at)
{
	lockdep_assert_held(&ch->lock);
	ch->hs->next_send = at;
	__sss_timer_update(ch);
}

/**
 * __sss_handshake_want() - a handshake is needed
 * @ch: channel, referenced by the caller
 * @request: service that a program wants, NULL: none. It goes along with the
 *	next INITIATE unless another one does, or the host hides services
 *
 * Harmless if one is under way. The channel's work item does it. A program that
 * joins one has its own time before it fails, and has it tried again soon.
 *
 * Context: channel lock held.
 */
void __sss_handshake_want(struct sss_channel *ch, const struct sss_request *request)
{
	struct sss_handshaking *hs = ch->hs;

	lockdep_assert_held(&ch->lock);
	if (ch->state == SSS_CHANNEL_CLOSED)
		return;
	__keep_request(ch, request);
	if (request || (!hs->fail_at && !hs->wanted))
		hs->fail_at = ktime_get_ns() +
			      sss_netns_limit_ns(&ch->sn->limits.connect_timeout_ms);
	if (hs->wanted) {
		if (request)
			__sss_handshake_hurry(ch);
		return;
	}
	hs->wanted = true;
	hs->cookies = 0;
	__start_over(ch);
	if (ch->state == SSS_CHANNEL_NEW && hs->sent_at)
		__not_before(ch, hs->sent_at + hs->interval);
}

/**
 * __sss_handshake_everywhere() - a handshake with all places where the peer may be
 * @ch: channel, referenced by the caller
 *
 * One that is under way goes there at once, and begins to be repeated anew.
 *
 * Context: channel lock held.
 */
void __sss_handshake_everywhere(struct sss_channel *ch)
{
	struct sss_handshaking *hs = ch->hs;

	lockdep_assert_held(&ch->lock);
	if (ch->state == SSS_CHANNEL_CLOSED)
		return;
	hs->everywhere = true;
	__sss_handshake_want(ch, NULL);
	if (!ch->n_streams) {
		hs->unasked = true;
		hs->fail_at = ktime_get_ns() +
			      sss_netns_limit_ns(&ch->sn->limits.connect_timeout_ms);
	}
	__start_over(ch);
	__sss_timer_update(ch);
}

/**
 * __sss_handshake_unwanted() - the last stream has gone
 * @ch: channel
 *
 * A peer with which there never were keys is called no more, unless somebody has
 * said that it wants to be. Where time is as good as up the stream went because of
 * that: the handshake is given up, and counts so.
 *
 * Context: channel lock held.
 */
void __sss_handshake_unwanted(struct sss_channel *ch)
{
	const struct sss_handshaking *hs = ch->hs;

	lockdep_assert_held(&ch->lock);
	if (ch->state == SSS_CHANNEL_NEW && hs->wanted && !hs->unasked &&
	    hs->fail_at > ktime_get_ns() + AS_GOOD_AS)
		__sss_initiate_finish(ch);
}

/**
 * __sss_handshake_pending() - is a handshake wanted?
 * @ch: channel
 *
 * Return: whether one is under way. Context: channel lock held.
 */
bool __sss_handshake_pending(const struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->hs->wanted;
}

/**
 * __sss_handshake_deadline() - when __sss_handshake_on_timer() is to be called
 * @ch: channel
 *
 * Return: ns (ktime_get), 0: never. Context: channel lock held.
 */
u64 __sss_handshake_deadline(const struct sss_channel *ch)
{
	const struct sss_handshaking *hs = ch->hs;

	lockdep_assert_held(&ch->lock);
	if (!hs->wanted || hs->queued)
		return 0;
	return sss_timer_min(hs->next_send, hs->fail_at);
}

/**
 * __sss_handshake_on_timer() - see whether something is due
 * @ch: channel, referenced by the caller
 * @now: ns (ktime_get)
 *
 * Context: channel lock held.
 */
void __sss_handshake_on_timer(struct sss_channel *ch, u64 now)
{
	u64 at = __sss_handshake_deadline(ch);

	if (at && at <= now)
		__queue(ch);
}

/**
 * __sss_initiate_check_stamp() - may an INITIATE be answered?
 * @ch: channel to the peer that sent it
 * @stamp: TAI64N
 *
 * One that is not newer than the newest that was confirmed is a replay, or
 * the peer's clock went back; so it is answered now and then.
 *
 * Return: whether to answer this one. Context: channel lock held.
 */
bool __sss_initiate_check_stamp(struct sss_channel *ch, const u8 stamp[SSS_HS_STAMP_LEN])
{
	struct sss_handshaking *hs = ch->hs;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	if (memcmp(stamp, hs->stamp, sizeof(hs->stamp)) > 0)
		return true;
	if (hs->stale_at && now < hs->stale_at + STALE_AGAIN)
		return false;
	hs->stale_at = now;
	return true;
}

/**
 * __sss_initiate_superseded() - a handshake that the peer started is confirmed
 * @ch: channel, referenced by the caller
 * @stamp: of its INITIATE
 *
 * There are keys: ours is not needed any more, and the work item tells the
 * streams. A request that went along is answered when the stream's INIT is.
 *
 * Context: channel lock held.
 */
void __sss_initiate_superseded(struct sss_channel *ch, const u8 stamp[SSS_HS_STAMP_LEN])
{
	struct sss_handshaking *hs = ch->hs;

	lockdep_assert_held(&ch->lock);
	/* Not the maximum: if the peer's clock went back, it counts from there. */
	memcpy(hs->stamp, stamp, sizeof(hs->stamp));
	__sss_initiate_finish(ch);
	hs->up = true;
	__queue(ch);
}

/**
 * __sss_initiate_find() - find an initiation by its index
 * @ch: channel
 * @index: that a RESPOND, COOKIE or REJECT names
 *
 * Return: it, or NULL. Context: channel lock held.
 */
struct sss_initiation *__sss_initiate_find(struct sss_channel *ch, u32 index)
{
	struct sss_handshaking *hs = ch->hs;
	int i;

	lockdep_assert_held(&ch->lock);
	for (i = 0; i < SSS_INITIATE_KEEP; i++)
		if (hs->list[i] && hs->list[i]->entry.index == index)
			return hs->list[i];
	return NULL;
}

/* What the INITIATE says, as of now. Channel lock held. */
static void describe(struct sss_channel *ch, struct sss_initiation *in,
		     struct sss_initiate_payload *p)
{
	const struct sss_handshaking *hs = ch->hs;

	in->next_number = ch->next_number;
	in->has_request = hs->has_request;
	in->request = hs->request;
	in->started = sss_keyring_start(&ch->ring);
	p->incarnation = ch->incarnation;
	p->remembered = ch->remote_incarnation;
	p->next_number = in->next_number;
	p->params = ch->local;
	p->has_request = in->has_request;
	if (!in->has_request)
		return;
	p->kind = in->request.kind;
	strscpy(p->service, in->request.service, sizeof(p->service));
	strscpy(p->protocol, in->request.protocol, sizeof(p->protocol));
}

static struct sss_initiation *create(struct sss_channel *ch)
{
	struct sss_initiation *in = kzalloc(sizeof(*in), GFP_KERNEL);
	struct sss_initiate_payload payload = {};
	u32 index;

	if (!in)
		return NULL;
	in->ch = ch;
	in->born = ktime_get_ns();
	spin_lock_bh(&ch->lock);
	describe(ch, in, &payload);
	spin_unlock_bh(&ch->lock);
	sss_peer_copy_remote(ch->peer, &in->remote);
	index = sss_index_reserve(&in->entry, ch->host);
	if (!sss_handshake_next_stamp(ch->host, payload.stamp) ||
	    sss_noise_create_initiate(&in->noise, &in->msg, &ch->host->identity, &in->remote,
				      &payload, index)) {
		free_initiation(in);
		return NULL;
	}
	sss_cookie_add_mac1(&ch->peer->cookie_keys, &in->msg, sizeof(in->msg));
	return in;
}

/* Makes a new message the newest, unless none is wanted by now. */
static void adopt(struct sss_channel *ch, struct sss_initiation *in)
{
	struct sss_handshaking *hs = ch->hs;
	struct sss_initiation *drop = in;

	spin_lock_bh(&ch->lock);
	if (hs->wanted && ch->state != SSS_CHANNEL_CLOSED) {
		drop = hs->list[SSS_INITIATE_KEEP - 1];
		memmove(hs->list + 1, hs->list, (SSS_INITIATE_KEEP - 1) * sizeof(hs->list[0]));
		hs->list[0] = in;
		sss_index_publish(&in->entry, SSS_INDEX_HANDSHAKE);
	}
	spin_unlock_bh(&ch->lock);
	free_initiation(drop);
}

static u64 jitter(u64 ns)
{
	return div_u64(ns * (900 + get_random_u32_below(201)), 1000);
}

/* Keys that still serve are replaced where they serve, and nothing else changes. */
static bool __only_path(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return !ch->loss.pto_count && !ch->path.unroutable && !ch->path.unproved &&
	       __sss_channel_may_send(ch);
}

/* The newest message, and where it goes; false: there is none */
static bool next_transmission(struct sss_channel *ch, struct sss_msg_initiate *msg,
			      struct sss_candidates *t)
{
	struct sss_handshaking *hs = ch->hs;
	u64 max = sss_netns_limit_ns(&ch->sn->limits.initiate_interval_max_ms);
	bool any;

	spin_lock_bh(&ch->lock);
	any = hs->wanted && hs->list[0] && ch->state != SSS_CHANNEL_CLOSED;
	if (any) {
		*msg = hs->list[0]->msg;
		if (!hs->everywhere && __only_path(ch))
			*t = (struct sss_candidates){ 1, { ch->path.remote } };
		else
			__sss_candidates_collect(ch, t, hs->family, true);
		hs->sends++;
		hs->cookies = 0;
		hs->sent_at = ktime_get_ns();
	}
	hs->next_send = ktime_get_ns() + jitter(hs->interval);
	if (hs->sends >= SENDS_EVEN)
		hs->interval = min(2 * hs->interval, max);
	__sss_timer_update(ch);
	spin_unlock_bh(&ch->lock);
	return any;
}

/**
 * sss_initiate_send() - send an INITIATE to one endpoint
 * @ch: channel, referenced by the caller
 * @msg: gets the mac2 of this path
 * @to: where to
 *
 * Context: any but hard interrupts, no channel lock held.
 */
void sss_initiate_send(struct sss_channel *ch, struct sss_msg_initiate *msg,
		       const union sss_endpoint *to)
{
	sss_peer_add_macs(ch->peer, to, msg, sizeof(*msg));
	sss_mib_inc(ch->sn, HS_TX_INITIATE);
	sss_handshake_send(ch->host, msg, sizeof(*msg), to);
}

static void transmit(struct sss_channel *ch)
{
	struct sss_msg_initiate msg;
	struct sss_candidates t;
	unsigned int i;

	if (!next_transmission(ch, &msg, &t))
		return;
	for (i = 0; i < t.n; i++)
		sss_initiate_send(ch, &msg, &t.ep[i]);
}

enum { SEND = 1, RENEW = 2, FAIL = 4, UP = 8 };

/* Time is up for those who connect; streams that had a channel wait on. */
static int __give_up(struct sss_channel *ch)
{
	struct sss_handshaking *hs = ch->hs;
	int err = __sss_handshake_error(ch);

	lockdep_assert_held(&ch->lock);
	hs->fail_at = 0;
	hs->hint = false;
	hs->has_request = false;
	if (ch->state == SSS_CHANNEL_NEW || !ch->n_streams)
		__sss_initiate_finish(ch);
	sss_channel_ops->connect_failed(ch, err);
	return FAIL;
}

/* Is an INITIATE due? None is made when the machine is about to sleep. */
static bool __send_due(struct sss_handshaking *hs, u64 now)
{
	if (!hs->wanted || hs->next_send > now)
		return false;
	if (!sss_lapse_asleep())
		return true;
	hs->next_send = now + hs->interval;
	return false;
}

/* What is due */
static int decide(struct sss_channel *ch)
{
	struct sss_handshaking *hs = ch->hs;
	u64 life = sss_netns_limit_ns(&ch->sn->limits.initiate_lifetime_ms);
	u64 now = ktime_get_ns();
	int todo = 0;

	spin_lock_bh(&ch->lock);
	hs->queued = false;
	if (hs->up && ch->state == SSS_CHANNEL_OPEN)
		todo |= UP;
	hs->up = false;
	if (ch->state == SSS_CHANNEL_CLOSED)
		__sss_initiate_finish(ch);
	if (hs->wanted && hs->fail_at && hs->fail_at <= now)
		todo |= __give_up(ch);
	if (hs->wanted && !hs->fail_at && !ch->n_streams)
		__sss_initiate_finish(ch);
	if (__send_due(hs, now))
		todo |= SEND;
	if (!hs->list[0] || hs->list[0]->born + life <= now)
		todo |= RENEW;
	__sss_timer_update(ch);
	spin_unlock_bh(&ch->lock);
	return todo;
}

/**
 * sss_handshake_work() - do what the channel's handshake needs now
 * @ch: channel, referenced by the caller
 *
 * Context: the channel's work item, no lock held.
 */
void sss_handshake_work(struct sss_channel *ch)
{
	struct sss_initiation *in;
	int todo = decide(ch);

	if (todo & UP) {
		sss_channel_ops->up(ch);
		sss_channel_transmit(ch);
	}
	if (todo & FAIL) {
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_TIMEOUTS);
		sss_channel_ops->deliver(ch);
	}
	if (!(todo & SEND))
		return;
	if (todo & RENEW) {
		in = create(ch);
		if (in)
			adopt(ch, in);
	}
	transmit(ch);
}

/**
 * __sss_handshake_error() - what connect() says that waited in vain
 * @ch: channel
 *
 * Return: negative errno. Context: channel lock held.
 */
int __sss_handshake_error(const struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->hs->hint ? -EKEYREJECTED : -ETIMEDOUT;
}

/**
 * sss_channel_rekey() - replace the keys now
 * @ch: channel, referenced by the caller
 *
 * A handshake begins, unless one is under way; the keys in use serve until it
 * is done. Return: 0; -ENOTCONN: there never were keys, or the channel is closed.
 * Context: any, no channel lock held.
 */
int sss_channel_rekey(struct sss_channel *ch)
{
	int err = 0;

	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_OPEN)
		__sss_handshake_want(ch, NULL);
	else
		err = -ENOTCONN;
	spin_unlock_bh(&ch->lock);
	return err;
}

static int __begin(struct sss_channel *ch, const struct sss_request *request, int family,
		   u64 since)
{
	struct sss_handshaking *hs = ch->hs;
	struct sss_candidates t;
	bool first = !hs->wanted && !__sss_resolve_is_blind(ch);
	int err = 0;

	lockdep_assert_held(&ch->lock);
	__sss_resolve_for(ch);
	__sss_candidates_collect(ch, &t, family, false);
	if (!t.n)
		err = __sss_resolve_ask(ch, since);
	if (err)
		return err;
	if (first)
		hs->family = family;
	else if (hs->family != family)
		hs->family = AF_UNSPEC;
	if (t.n)
		__sss_handshake_want(ch, request);
	else
		__keep_request(ch, request);
	return 0;
}

/**
 * sss_channel_connect() - a program connects to a service
 * @ch: channel to the peer, referenced by the caller
 * @request: which
 * @family: of the endpoints that may be tried; AF_UNSPEC: all
 * @since: ns (ktime_get), when it began, from which its patience counts
 *
 * With keys nothing happens here: the stream's INIT asks. Otherwise a
 * handshake is under way afterwards; the request may go along and be answered
 * by sss_channel_ops.answered, but INIT goes out and is answered all the same.
 * Where nothing is known of where the peer is, a helper is asked first.
 *
 * Return: 0; -EHOSTUNREACH: nothing is known of where the peer is, and nobody is
 * there to be asked; -ENOBUFS: too many questions wait; -ESTALE: the channel is
 * closed. Context: process, no channel lock held.
 */
int sss_channel_connect(struct sss_channel *ch, const struct sss_request *request, int family,
			u64 since)
{
	int err = 0;

	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_CLOSED)
		err = -ESTALE;
	else if (!__sss_channel_may_send(ch))
		err = __begin(ch, request, family, since);
	spin_unlock_bh(&ch->lock);
	return err;
}
