// SPDX-License-Identifier: GPL-2.0
#include <linux/limits.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "base/netns.h"
#include "keys.h"

/**
 * sss_keypair_create() - allocate a key pair
 * @sn: namespace
 * @channel: the one state it belongs to, may be set later
 * @gfp: allocation flags
 *
 * Return: a pair of birth now with one reference, in no table and no slot,
 * everything else zero; NULL without memory.
 */
struct sss_keypair *sss_keypair_create(struct sss_net *sn, struct sss_channel *channel, gfp_t gfp)
{
	struct sss_keypair *pair = kzalloc(sizeof(*pair), gfp);

	if (!pair)
		return NULL;
	sss_gauge_inc(sn, KEY_PAIRS);
	pair->sn = sn;
	kref_init(&pair->ref);
	INIT_HLIST_NODE(&pair->entry.node);
	pair->channel = channel;
	pair->birth = sss_keypair_now();
	return pair;
}

/**
 * sss_keypair_get() - take a reference
 * @pair: found under rcu_read_lock(), or referenced already
 *
 * Return: false if it is already on its way out.
 */
bool sss_keypair_get(struct sss_keypair *pair)
{
	return kref_get_unless_zero(&pair->ref);
}

static void erase_rcu(struct rcu_head *rcu)
{
	struct sss_keypair *pair = container_of(rcu, struct sss_keypair, rcu);
	struct sss_net *sn = pair->sn;

	if (pair->tentative && pair->drop_tentative)
		pair->drop_tentative(pair->tentative);
	else
		kfree_sensitive(pair->tentative);
	kfree_sensitive(pair);
	/* Not before: the gauge says whether keys are still in memory. */
	sss_gauge_dec(sn, KEY_PAIRS);
}

static void release(struct kref *ref)
{
	struct sss_keypair *pair = container_of(ref, struct sss_keypair, ref);

	sss_index_remove(&pair->entry);
	call_rcu(&pair->rcu, erase_rcu);
}

/**
 * sss_keypair_put() - give up a reference
 * @pair: may be NULL; erased after a grace period if it was the last one
 *
 * Context: any but hard interrupt. Module exit needs rcu_barrier().
 */
void sss_keypair_put(struct sss_keypair *pair)
{
	if (pair)
		kref_put(&pair->ref, release);
}

/**
 * sss_keypair_take_tentative() - take what was waiting for confirmation
 * @pair: its @tentative becomes the caller's
 *
 * Return: it, once; NULL afterwards.
 */
void *sss_keypair_take_tentative(struct sss_keypair *pair)
{
	return xchg(&pair->tentative, NULL);
}

static bool younger_than(const struct sss_keypair *pair, u32 ms, u64 now)
{
	return now < pair->birth + (u64)ms * NSEC_PER_MSEC;
}

/**
 * sss_keypair_may_send() - may packets still be sealed with it?
 * @pair: the key pair
 * @limits: of its namespace
 * @now: sss_keypair_now()
 *
 * Return: false once it is too old, or while the peer has not proved to have
 * the keys.
 */
bool sss_keypair_may_send(const struct sss_keypair *pair,
			  const struct sss_limits *limits, u64 now)
{
	return READ_ONCE(pair->confirmed) &&
	       younger_than(pair, READ_ONCE(limits->stop_send_ms), now);
}

/**
 * sss_keypair_may_receive() - may packets still be opened with it?
 * @pair: the key pair
 * @limits: of its namespace
 * @now: sss_keypair_now()
 *
 * Return: false once it is too old. Longer than it sends, for what is under
 * way and for a peer whose clock is slower.
 */
bool sss_keypair_may_receive(const struct sss_keypair *pair,
			     const struct sss_limits *limits, u64 now)
{
	return younger_than(pair, READ_ONCE(limits->stop_receive_ms), now);
}

/**
 * sss_keypair_wants_rekey() - is it time for a new handshake?
 * @pair: the key pair used to send
 * @limits: of its namespace
 * @next_number: the next packet number
 * @now: sss_keypair_now()
 *
 * To be asked when something is sent: an idle channel does not rekey. The
 * responder waits longer, so that normally only one side starts.
 *
 * Return: whether to send an INITIATE, if none is under way.
 */
bool sss_keypair_wants_rekey(const struct sss_keypair *pair,
			     const struct sss_limits *limits, u64 next_number,
			     u64 now)
{
	u32 ms = pair->initiator ? READ_ONCE(limits->rekey_initiator_ms) :
				   READ_ONCE(limits->rekey_responder_ms);
	u64 packets = READ_ONCE(limits->rekey_packets) ?: SSS_KEY_REKEY_PACKETS;

	return !younger_than(pair, ms, now) ||
	       next_number - pair->first_send >= packets;
}

static struct sss_keypair *deref(struct sss_keyring *ring,
				 struct sss_keypair __rcu **slot)
{
	return rcu_dereference_protected(*slot, lockdep_is_held(&ring->lock));
}

/* Empties a slot without giving up its reference. */
static struct sss_keypair *take(struct sss_keyring *ring,
				struct sss_keypair __rcu **slot)
{
	struct sss_keypair *pair = deref(ring, slot);

	RCU_INIT_POINTER(*slot, NULL);
	return pair;
}

/* Empties a slot for good: its pair receives nothing any more. */
static void drop(struct sss_keyring *ring, struct sss_keypair __rcu **slot)
{
	struct sss_keypair *pair = take(ring, slot);

	if (!pair)
		return;
	sss_index_remove(&pair->entry);
	sss_keypair_put(pair);
}

/* Fills a slot, dropping what was there. */
static void put_in(struct sss_keyring *ring, struct sss_keypair __rcu **slot,
		   struct sss_keypair *pair)
{
	drop(ring, slot);
	rcu_assign_pointer(*slot, pair);
}

/*
 * Did the handshakes of these two pairs cross? One must have been started by
 * us and one answered by us; they crossed if we answered theirs while ours
 * was under way, or started ours while theirs awaited its confirmation.
 */
static bool crossing(const struct sss_keypair *a, const struct sss_keypair *b)
{
	const struct sss_keypair *ours = a->initiator ? a : b;
	const struct sss_keypair *theirs = a->initiator ? b : a;

	if (a->initiator == b->initiator)
		return false;
	if (theirs->added > ours->started && theirs->added < ours->added)
		return true;
	return ours->started > theirs->added &&
	       (!theirs->confirmed || ours->started < theirs->confirmed);
}

/*
 * A pair both sides are known to have. The newest is sent under, and what was
 * so far receives what is under way. But if two handshakes crossed, each side
 * sees another one finish last; both sides must pick the same, hence the one
 * started by the smaller EID, and the other pair only receives.
 */
static void promote(struct sss_keyring *ring, struct sss_keypair *pair)
{
	struct sss_keypair *old = deref(ring, &ring->current_pair);

	if (old && crossing(pair, old) && old->initiator == ring->local_first) {
		put_in(ring, &ring->previous, pair);
		return;
	}
	put_in(ring, &ring->previous, take(ring, &ring->current_pair));
	rcu_assign_pointer(ring->current_pair, pair);
}

/**
 * sss_keyring_init() - make an empty ring
 * @ring: to set up
 * @local: the host's EID
 * @remote: the peer's EID, another one
 */
void sss_keyring_init(struct sss_keyring *ring, const u8 local[SSS_HS_EID_LEN],
		      const u8 remote[SSS_HS_EID_LEN])
{
	memset(ring, 0, sizeof(*ring));
	spin_lock_init(&ring->lock);
	ring->local_first = sss_eid_cmp(local, remote) < 0;
}

/**
 * sss_keyring_start() - note that we start a handshake
 * @ring: of the channel
 *
 * Return: what to put in sss_keypair.started when it succeeds.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
u64 sss_keyring_start(struct sss_keyring *ring)
{
	u64 event;

	spin_lock_bh(&ring->lock);
	event = ++ring->events;
	spin_unlock_bh(&ring->lock);
	return event;
}

/**
 * sss_keyring_add_initiator() - take in the pair of a handshake we started
 * @ring: of the channel
 * @pair: complete; its reference passes to the ring
 *
 * RESPOND proved that the peer has the keys, so they can be sent under at
 * once, and must: the peer may not before it got a packet.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
void sss_keyring_add_initiator(struct sss_keyring *ring, struct sss_keypair *pair)
{
	spin_lock_bh(&ring->lock);
	pair->added = ++ring->events;
	WRITE_ONCE(pair->confirmed, pair->added);
	promote(ring, pair);
	spin_unlock_bh(&ring->lock);
}

/**
 * sss_keyring_add_responder() - take in the pair of a handshake we answered
 * @ring: of the channel
 * @pair: complete, with the INITIATE's stamp; its reference passes to the ring
 * @early: it was answered before there was a ring
 *
 * Nothing is sent under it yet: the INITIATE can be a replay and the RESPOND
 * can get lost, and then the peer has no such keys. For the same reason
 * nothing else is dropped but an older unconfirmed pair; and because a replay
 * has a stamp no later than the live one, it cannot take the live one's slot.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
void sss_keyring_add_responder(struct sss_keyring *ring, struct sss_keypair *pair, bool early)
{
	struct sss_keypair *next;

	spin_lock_bh(&ring->lock);
	pair->added = early ? 0 : ++ring->events;
	next = deref(ring, &ring->next);
	if (next && memcmp(pair->stamp, next->stamp, sizeof(pair->stamp)) <= 0) {
		put_in(ring, &ring->next_stale, pair);
	} else {
		if (next)
			put_in(ring, &ring->next_stale, take(ring, &ring->next));
		rcu_assign_pointer(ring->next, pair);
	}
	spin_unlock_bh(&ring->lock);
}

/**
 * sss_keyring_confirm() - a first packet authenticated under a pair
 * @ring: of the channel
 * @pair: the pair; cheap to skip if it has been confirmed
 *
 * Return: true if this is the proof that the peer has the keys: then what the
 * handshake said takes effect. False if it was confirmed before, or left the
 * ring meanwhile.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
bool sss_keyring_confirm(struct sss_keyring *ring, struct sss_keypair *pair)
{
	struct sss_keypair __rcu **slot = NULL;

	if (READ_ONCE(pair->confirmed))
		return false;
	spin_lock_bh(&ring->lock);
	if (deref(ring, &ring->next) == pair)
		slot = &ring->next;
	else if (deref(ring, &ring->next_stale) == pair)
		slot = &ring->next_stale;
	if (slot) {
		take(ring, slot);
		WRITE_ONCE(pair->confirmed, ++ring->events);
		promote(ring, pair);
	}
	spin_unlock_bh(&ring->lock);
	return slot;
}

/**
 * sss_keyring_let_go() - a pair that awaits confirmation leaves for no other channel yet
 * @ring: of the channel
 * @pair: referenced by the caller; goes on receiving, for whatever channel it gets
 *
 * Return: false: it is not that of the newest INITIATE, or was confirmed.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
bool sss_keyring_let_go(struct sss_keyring *ring, struct sss_keypair *pair)
{
	bool next;

	spin_lock_bh(&ring->lock);
	next = deref(ring, &ring->next) == pair;
	if (next) {
		pair->added = 0;
		WRITE_ONCE(pair->channel, NULL);
		sss_keypair_put(take(ring, &ring->next));
	}
	spin_unlock_bh(&ring->lock);
	return next;
}

/**
 * sss_keyring_get_current() - the pair to send under
 * @ring: of the channel
 *
 * Return: it, with a reference, or NULL; sss_keypair_may_send() tells whether
 * it is too old.
 */
struct sss_keypair *sss_keyring_get_current(struct sss_keyring *ring)
{
	struct sss_keypair *pair;

	rcu_read_lock();
	pair = rcu_dereference(ring->current_pair);
	if (pair && !sss_keypair_get(pair))
		pair = NULL;
	rcu_read_unlock();
	return pair;
}

/**
 * sss_keyring_expire() - erase pairs that are too old for anything
 * @ring: of the channel
 * @limits: of its namespace
 * @now: sss_keypair_now()
 *
 * Return: when to call it again, in the time of @now; U64_MAX: the ring is
 * empty.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
u64 sss_keyring_expire(struct sss_keyring *ring, const struct sss_limits *limits,
		       u64 now)
{
	struct sss_keypair __rcu **slots[] = {
		&ring->current_pair, &ring->previous,
		&ring->next, &ring->next_stale,
	};
	u32 ms = READ_ONCE(limits->erase_ms);
	u64 again = U64_MAX;
	int i;

	spin_lock_bh(&ring->lock);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		struct sss_keypair *pair = deref(ring, slots[i]);

		if (!pair)
			continue;
		if (younger_than(pair, ms, now))
			again = min(again, pair->birth + (u64)ms * NSEC_PER_MSEC);
		else
			drop(ring, slots[i]);
	}
	spin_unlock_bh(&ring->lock);
	return again;
}

/**
 * sss_keyring_keep() - erase what is over: the channel's state begins anew
 * @ring: of the channel
 * @pair: the one of the new state, in the ring, not confirmed yet
 *
 * Of the pairs that await confirmation those of later INITIATEs stay: the peer may
 * have begun anew again since.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
void sss_keyring_keep(struct sss_keyring *ring, const struct sss_keypair *pair)
{
	struct sss_keypair __rcu **slots[] = { &ring->next, &ring->next_stale };
	struct sss_keypair *other;
	int i;

	spin_lock_bh(&ring->lock);
	drop(ring, &ring->current_pair);
	drop(ring, &ring->previous);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		other = deref(ring, slots[i]);
		if (other && other != pair &&
		    memcmp(other->stamp, pair->stamp, sizeof(pair->stamp)) <= 0)
			drop(ring, slots[i]);
	}
	spin_unlock_bh(&ring->lock);
}

/**
 * sss_keyring_predates() - did we start the handshake in use after answering one?
 * @ring: of the channel
 * @pair: of the one we answered
 *
 * Return: whether the pair sent under is of a handshake that we started after
 * @pair came into the ring: so what the peer said then is what it said last.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
bool sss_keyring_predates(struct sss_keyring *ring, const struct sss_keypair *pair)
{
	struct sss_keypair *now;
	bool predates;

	spin_lock_bh(&ring->lock);
	now = deref(ring, &ring->current_pair);
	predates = now && now->initiator && pair->added < now->started;
	spin_unlock_bh(&ring->lock);
	return predates;
}

/**
 * sss_keyring_end_state() - erase the pairs in use: the channel's state is over
 * @ring: of the channel
 *
 * Pairs that await confirmation stay. What they were answered with says which
 * state they belong to, and it may be the new one, if the peer that lost the
 * old one has called as well.
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
void sss_keyring_end_state(struct sss_keyring *ring)
{
	spin_lock_bh(&ring->lock);
	drop(ring, &ring->current_pair);
	drop(ring, &ring->previous);
	spin_unlock_bh(&ring->lock);
}

/**
 * sss_keyring_clear() - erase all pairs
 * @ring: of a channel that ends, or of one whose keys must go (suspend)
 *
 * Context: any but hard interrupt; takes the ring's leaf lock.
 */
void sss_keyring_clear(struct sss_keyring *ring)
{
	spin_lock_bh(&ring->lock);
	drop(ring, &ring->current_pair);
	drop(ring, &ring->previous);
	drop(ring, &ring->next);
	drop(ring, &ring->next_stale);
	spin_unlock_bh(&ring->lock);
}

#ifdef DEBUG
#include "selftest/keys.c"
#endif
