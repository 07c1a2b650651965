// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: what an INITIATE that was answered leaves behind.
 *
 * References: the host's list holds one to the slot, pair->tentative another.
 * The slot holds one to its pair for as long as it is in the list; if there is
 * a channel, its key ring holds another. So a pair goes when slot and ring
 * have let go of it, and a slot when the list and the pair have.
 *
 * Where the channel ends first its ring lets go of the pair, if it is of a new state of
 * the peer, and the slot stands alone from then on.
 *
 * sss_keypair_take_tentative() decides between confirmation and expiry: who
 * gets the slot from it goes on. A slot expires unconfirmed after 10 s, with
 * its pair's index; a confirmed one stays for 5 s from its birth, so that
 * copies of its INITIATE get the same answer and not another pair.
 */
#include <linux/rculist.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "base/drop.h"
#include "channel/crowd.h"
#include "channel/initiate.h"
#include "channel/slot.h"
#include "crypto/index.h"

#define SLOT_LIFE	(10 * NSEC_PER_SEC)	/* unconfirmed */

static void release(struct kref *ref)
{
	struct sss_half_open *slot = container_of(ref, struct sss_half_open, ref);

	sss_gauge_dec(slot->sn, HALF_OPEN);
	sss_crowd_put(slot->sn, slot->crowd);
	kfree_sensitive(slot);
}

/**
 * sss_slot_put() - give up a reference
 * @slot: slot
 *
 * Context: any.
 */
void sss_slot_put(struct sss_half_open *slot)
{
	kref_put(&slot->ref, release);
}

/**
 * sss_handshake_drop_tentative() - a pair is freed unconfirmed
 * @tentative: its sss_keypair.tentative
 *
 * Context: any, RCU callbacks too.
 */
void sss_handshake_drop_tentative(void *tentative)
{
	sss_slot_put(tentative);
}

static bool is_confirmed(const struct sss_half_open *slot)
{
	return READ_ONCE(slot->pair->confirmed);
}

/**
 * sss_slot_end() - unless a slot was confirmed, its keys end
 * @slot: in no list any more; the list's reference is given up
 *
 * Return: whether it was unconfirmed. Context: any but hard interrupts.
 */
bool sss_slot_end(struct sss_half_open *slot)
{
	struct sss_keypair *pair = slot->pair;
	struct sss_half_open *tentative = sss_keypair_take_tentative(pair);

	sss_crowd_remove_slot(slot);
	if (tentative) {
		sss_index_remove(&pair->entry);
		sss_slot_put(tentative);
	}
	sss_keypair_put(pair);
	sss_slot_put(slot);
	return tentative;
}

static void __unlist(struct sss_handshakes *hs, struct sss_half_open *slot)
{
	lockdep_assert_held(&hs->slots_lock);
	slot->listed = false;
	list_del(&slot->node);
}

/* Takes off the list and returns the oldest slot whose time is up */
static struct sss_half_open *take_expired(struct sss_handshakes *hs, u64 now)
{
	u64 life = sss_netns_limit_ns(&hs->host->sn->limits.initiate_lifetime_ms);
	struct sss_half_open *slot, *found = NULL;
	u64 age;

	spin_lock_bh(&hs->slots_lock);
	list_for_each_entry(slot, &hs->slots, node) {
		age = now - slot->born;
		if (age < min_t(u64, life, SLOT_LIFE))
			break;
		if (age >= SLOT_LIFE || is_confirmed(slot)) {
			__unlist(hs, slot);
			found = slot;
			break;
		}
	}
	spin_unlock_bh(&hs->slots_lock);
	return found;
}

/**
 * sss_slot_expire() - drop slots that are too old
 * @work: sss_handshakes.expiry
 */
void sss_slot_expire(struct work_struct *work)
{
	struct sss_handshakes *hs = container_of(to_delayed_work(work), struct sss_handshakes,
						 expiry);
	struct sss_half_open *slot;
	u64 now = ktime_get_ns();
	bool more;

	while ((slot = take_expired(hs, now)))
		sss_slot_end(slot);
	spin_lock_bh(&hs->slots_lock);
	more = !list_empty(&hs->slots);
	spin_unlock_bh(&hs->slots_lock);
	if (more)
		sss_handshake_expire_later(hs);
}

static struct sss_half_open *take_oldest(struct sss_handshakes *hs)
{
	struct sss_half_open *slot;

	spin_lock_bh(&hs->slots_lock);
	slot = list_first_entry_or_null(&hs->slots, struct sss_half_open, node);
	if (slot)
		__unlist(hs, slot);
	spin_unlock_bh(&hs->slots_lock);
	return slot;
}

/**
 * sss_slot_purge() - drop all slots
 * @hs: of a host that is going
 *
 * Context: any but hard interrupts.
 */
void sss_slot_purge(struct sss_handshakes *hs)
{
	struct sss_half_open *slot;

	while ((slot = take_oldest(hs)))
		sss_slot_end(slot);
}

/**
 * sss_slot_purge_host() - drop all slots of a host that goes on
 * @host: found under RCU
 *
 * Context: rcu_read_lock().
 */
void sss_slot_purge_host(struct sss_host *host)
{
	struct sss_handshakes *hs = READ_ONCE(host->handshakes);

	if (hs)
		sss_slot_purge(hs);
}

static bool is_of(const struct sss_half_open *slot, const struct sss_eid *eid)
{
	return !is_confirmed(slot) && !memcmp(slot->eid.key, eid->key, SSS_HS_EID_LEN);
}

static bool newer(const struct sss_keypair *pair, const u8 stamp[SSS_HS_STAMP_LEN])
{
	return memcmp(pair->stamp, stamp, sizeof(pair->stamp)) > 0;
}

/* The slots of a channel that judge() says are over, end. */
static void __end_those(struct sss_channel *ch, const u8 *stamp,
			bool (*judge)(struct sss_channel *ch, struct sss_half_open *slot,
				      const u8 *stamp))
{
	struct sss_half_open *slot, *next;
	struct sss_handshakes *hs;
	LIST_HEAD(over);

	lockdep_assert_held(&ch->lock);
	rcu_read_lock();
	hs = READ_ONCE(ch->host->handshakes);
	if (!hs)
		goto out;
	spin_lock_bh(&hs->slots_lock);
	list_for_each_entry_safe(slot, next, &hs->slots, node)
		if (is_of(slot, &ch->peer->eid) && judge(ch, slot, stamp)) {
			__unlist(hs, slot);
			list_add_tail(&slot->node, &over);
		}
	spin_unlock_bh(&hs->slots_lock);
	list_for_each_entry_safe(slot, next, &over, node)
		sss_slot_end(slot);
out:
	rcu_read_unlock();
}

static bool __offers(struct sss_channel *ch, struct sss_half_open *slot, const u8 *stamp)
{
	return slot->incarnation == ch->incarnation && !newer(slot->pair, stamp);
}

/**
 * __sss_slot_forget() - a state of ours is over: no RESPOND offers it any more
 * @ch: channel that restarts; its incarnation is that of the state still
 * @stamp: of the INITIATE of the new state; who has called after that may have been
 *	offered it, as it starts from nothing
 *
 * An INITIATE from a state of the peer that has seen the old one would be
 * answered as if it still were there, and the peer would go on with streams
 * that are unknown here.
 *
 * Context: channel lock held.
 */
void __sss_slot_forget(struct sss_channel *ch, const u8 stamp[SSS_HS_STAMP_LEN])
{
	__end_those(ch, stamp, __offers);
}

/* RESPOND said what the channel accepts, and so is what one accepts that is made now? */
static bool same_params(const struct sss_channel *ch)
{
	struct sss_params now;

	sss_channel_local_params(&ch->sn->limits, &now);
	return !memcmp(&now, &ch->local, sizeof(now));
}

/*
 * Is the slot about a state that the peer began after the one that ends? What the peer
 * said last in that one may come after the call from the new one. It must still be clear
 * with whom the slot counts: a stranger's answer went to one place, and a peer is
 * configured if it was.
 */
static bool __outlives(struct sss_channel *ch, const struct sss_half_open *slot)
{
	bool configured = READ_ONCE(ch->peer->flags) & SSS_PEER_F_CONFIGURED &&
			  !READ_ONCE(ch->peer->dead);

	lockdep_assert_held(&ch->lock);
	return slot->anew && slot->remote_incarnation != ch->remote_incarnation &&
	       newer(slot->pair, ch->hs->stamp) &&
	       !sss_keyring_predates(&ch->ring, slot->pair) && same_params(ch) &&
	       slot->configured == configured &&
	       (configured || !READ_ONCE(slot->elsewhere));
}

static bool __ends(struct sss_channel *ch, struct sss_half_open *slot, const u8 *unused)
{
	if (!slot->alone && __outlives(ch, slot) &&
	    sss_keyring_let_go(&ch->ring, slot->pair)) {
		slot->alone = true;
		slot->left = ch->remote_incarnation;
		return false;
	}
	return slot->incarnation == ch->incarnation;
}

/**
 * __sss_slot_part() - a channel ends, and with it the slots of its state
 * @ch: channel
 *
 * The newest call from a state that the peer began since goes on without the channel.
 *
 * Context: channel lock held.
 */
void __sss_slot_part(struct sss_channel *ch)
{
	__end_those(ch, NULL, __ends);
}

/* Ends a slot that its crowd has let go, unless it just ended by itself. */
static void end_surplus(struct sss_half_open *slot)
{
	struct sss_handshakes *hs = slot->hs;
	struct sss_net *sn = slot->sn;
	bool mine;

	spin_lock_bh(&hs->slots_lock);
	mine = slot->listed;
	if (mine)
		__unlist(hs, slot);
	spin_unlock_bh(&hs->slots_lock);
	if (mine && sss_slot_end(slot))
		sss_drop_handshake(sn, 0, SSS_MIB_HS_DROP_LIMIT);
	sss_slot_put(slot);
}

/* One of those that have most goes; false: there is none. */
static bool end_one(struct sss_net *sn, struct sss_crowd *c)
{
	struct sss_half_open *slot;

	rcu_read_lock();	/* a slot of a crowd is in the list of a host that is there */
	slot = sss_crowd_surplus_slot(sn, c);
	if (slot)
		end_surplus(slot);
	rcu_read_unlock();
	return slot;
}

/**
 * sss_slot_make_room() - see that there may be one more slot
 * @sn: namespace, has at most limits.max_half_open
 * @c: whose it is to be, has at most limits.max_prefix_half_open
 *
 * The oldest of the crowd that has most goes. The slots that have to go are
 * counted if they were unconfirmed.
 *
 * Return: false: there is no slot that could go, as all are being made.
 * Context: a host's work item.
 */
bool sss_slot_make_room(struct sss_net *sn, struct sss_crowd *c)
{
	while (end_one(sn, c))
		;
	while (sss_gauge_read(sn, HALF_OPEN) >= READ_ONCE(sn->limits.max_half_open))
		if (!end_one(sn, NULL))
			return false;
	return true;
}

/**
 * sss_slot_add() - put a slot into the list
 * @hs: of the host that answered
 * @slot: complete; the list takes over the caller's reference
 *
 * Context: any but hard interrupts.
 */
void sss_slot_add(struct sss_handshakes *hs, struct sss_half_open *slot)
{
	slot->hs = hs;
	sss_crowd_add_slot(slot);
	spin_lock_bh(&hs->slots_lock);
	slot->listed = true;
	list_add_tail(&slot->node, &hs->slots);
	spin_unlock_bh(&hs->slots_lock);
	sss_handshake_expire_later(hs);
}

/* Is the answer for who sends from there, too? */
static bool answers(const struct sss_half_open *slot, const union sss_endpoint *from)
{
	return slot->configured || !slot->alone || sss_endpoint_same_prefix(&slot->from, from);
}

/**
 * sss_slot_find_same() - was this INITIATE answered before?
 * @hs: of the host to which it came
 * @msg: as received
 * @from: where this copy came from, and the answer is to go; a stranger's first one in
 *	another prefix does not count
 *
 * Return: the slot, with a reference, or NULL. Context: any but hard
 * interrupts.
 */
struct sss_half_open *sss_slot_find_same(struct sss_handshakes *hs,
					 const struct sss_msg_initiate *msg,
					 const union sss_endpoint *from)
{
	struct sss_half_open *slot, *found = NULL;

	spin_lock_bh(&hs->slots_lock);
	list_for_each_entry(slot, &hs->slots, node) {
		if (sss_noise_is_same(&slot->noise, msg) && answers(slot, from)) {
			kref_get(&slot->ref);
			if (!sss_endpoint_equal(&slot->from, from))
				WRITE_ONCE(slot->elsewhere, true);
			found = slot;
			break;
		}
	}
	spin_unlock_bh(&hs->slots_lock);
	return found;
}

/**
 * sss_slot_find_incarnation() - what was the same state of a peer told before?
 * @hs: of the host
 * @eid: the peer's
 * @remote_incarnation: of its state
 * @not: this one is of no use
 * @next_number: raised to what was told with it, if anything was
 * @left: sss_half_open.left, likewise
 *
 * Return: our incarnation in the newest unconfirmed RESPOND to it, 0: none.
 * Context: any but hard interrupts.
 */
u64 sss_slot_find_incarnation(struct sss_handshakes *hs, const u8 eid[SSS_HS_EID_LEN],
			      u64 remote_incarnation, u64 not, u64 *next_number,
			      bool *left)
{
	struct sss_half_open *slot, *found = NULL;
	u64 incarnation = 0;

	spin_lock_bh(&hs->slots_lock);
	list_for_each_entry(slot, &hs->slots, node)
		if (slot->remote_incarnation == remote_incarnation && slot->incarnation != not &&
		    !is_confirmed(slot) && !memcmp(slot->eid.key, eid, SSS_HS_EID_LEN))
			found = slot;
	if (found) {
		incarnation = found->incarnation;
		*next_number = max(*next_number, found->next_number);
		*left = found->left;
	}
	spin_unlock_bh(&hs->slots_lock);
	return incarnation;
}

/**
 * sss_slot_incarnation() - which incarnation a new channel is to have
 * @host: whose
 * @eid: the peer's
 * @proposed: if nothing else was said
 * @next_number: raised to what was said with it
 *
 * Return: what a RESPOND has told the peer not long ago, so that the peer's
 * handshake and one that we start lead to the same state; else @proposed.
 *
 * Context: any but hard interrupts.
 */
u64 sss_slot_incarnation(struct sss_host *host, const struct sss_eid *eid, u64 proposed,
			 u64 *next_number)
{
	struct sss_half_open *slot, *told = NULL;
	struct sss_handshakes *hs;
	u64 found = 0;

	rcu_read_lock();
	hs = READ_ONCE(host->handshakes);
	if (!hs)
		goto out;
	spin_lock_bh(&hs->slots_lock);
	list_for_each_entry(slot, &hs->slots, node) {
		if (slot->incarnation == proposed) {
			told = slot;
			break;
		}
		if (slot->alone && !slot->left && is_of(slot, eid))
			told = slot;
	}
	if (told) {
		found = told->incarnation;
		*next_number = max(*next_number, told->next_number);
	}
	spin_unlock_bh(&hs->slots_lock);
out:
	rcu_read_unlock();
	return found ?: proposed;
}
