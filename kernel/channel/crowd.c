// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds how much: half-open handshakes and channels of peers that nobody
 * configured, by where they came from, and half-open handshakes of each one that
 * is configured. The stream floor counts here, too, see stream/crowd.c.
 *
 * Each namespace keeps its crowds in three trees: by prefix, and by how many
 * slots and how many channels they hold. A crowd is there while anything
 * refers to it.
 */
#include <linux/slab.h>
#include "base/compat.h"
#include "channel/channel.h"
#include "channel/crowd.h"
#include "channel/slot.h"

#define MODEST		8	/* slots, with which a configured peer goes last */
#define CHANNELS_ASKED	64	/* of a crowd, whether they may go */
#define CROWDS_ASKED	8	/* those with most, before somebody new is refused */

static int compare(const struct sss_crowd *c, u64 key, u16 family)
{
	if (c->family != family)
		return c->family < family ? -1 : 1;
	return c->key == key ? 0 : c->key < key ? -1 : 1;
}

/* The place where @key is, or belongs */
static struct rb_node **find(struct sss_net *sn, u64 key, u16 family, struct rb_node **parent)
{
	struct rb_node **link = &sn->crowds.rb_node;
	int c;

	*parent = NULL;
	while (*link) {
		*parent = *link;
		c = compare(rb_entry(*link, struct sss_crowd, node), key, family);
		if (!c)
			break;
		link = c < 0 ? &(*link)->rb_right : &(*link)->rb_left;
	}
	return link;
}

static void init_held(struct sss_held *held, bool configured)
{
	RB_CLEAR_NODE(&held->node);
	INIT_LIST_HEAD(&held->list);
	held->configured = configured;
}

static struct sss_crowd *get(struct sss_net *sn, u64 key, u16 family)
{
	struct rb_node **link, *parent;
	struct sss_crowd *c = NULL;

	spin_lock_bh(&sn->crowds_lock);
	link = find(sn, key, family, &parent);
	if (*link) {
		c = rb_entry(*link, struct sss_crowd, node);
	} else {
		c = kzalloc(sizeof(*c), GFP_ATOMIC | __GFP_NOWARN);
		if (!c)
			goto out;
		c->key = key;
		c->family = family;
		init_held(&c->slots, family == AF_UNSPEC);
		init_held(&c->channels, family == AF_UNSPEC);
		rb_link_node(&c->node, parent, link);
		rb_insert_color(&c->node, &sn->crowds);
	}
	c->refs++;
out:
	spin_unlock_bh(&sn->crowds_lock);
	return c;
}

/**
 * sss_crowd_get() - the crowd of an address
 * @sn: namespace
 * @from: address
 *
 * Return: it, with a reference; NULL: no memory. Context: any but hard interrupts.
 */
struct sss_crowd *sss_crowd_get(struct sss_net *sn, const union sss_endpoint *from)
{
	return get(sn, sss_endpoint_prefix(&from->sa), from->sa.sa_family);
}

/**
 * sss_crowd_get_of_eid() - the crowd that a configured peer is
 * @sn: namespace
 * @eid: its key; who configures peers sees to it that they begin differently
 *
 * Return: it, with a reference; NULL: no memory. Context: any but hard interrupts.
 */
struct sss_crowd *sss_crowd_get_of_eid(struct sss_net *sn, const struct sss_eid *eid)
{
	return get(sn, get_unaligned_le64(eid->key), AF_UNSPEC);
}

static void __put(struct sss_net *sn, struct sss_crowd *c)
{
	lockdep_assert_held(&sn->crowds_lock);
	if (--c->refs)
		return;
	WARN_ON_ONCE(c->slots.n || c->channels.n);
	WARN_ON_ONCE(atomic_read(&c->waiting) || atomic_long_read(&c->memory));
	rb_erase(&c->node, &sn->crowds);
	kfree(c);
}

/**
 * sss_crowd_put() - give a reference up
 * @sn: namespace
 * @c: crowd, or NULL
 *
 * Context: any but hard interrupts.
 */
void sss_crowd_put(struct sss_net *sn, struct sss_crowd *c)
{
	if (!c)
		return;
	spin_lock_bh(&sn->crowds_lock);
	__put(sn, c);
	spin_unlock_bh(&sn->crowds_lock);
}

/* No more than a configured peer needs: for a few hosts, tried again while answers are slow */
static bool is_modest(const struct sss_held *held)
{
	return held->configured && held->n <= MODEST;
}

/* Does it have to give way before the other? A peer that is modest goes after all that are not. */
static bool goes_before(const struct sss_held *held, const struct sss_held *other)
{
	if (is_modest(held) != is_modest(other))
		return is_modest(other);
	return held->n > other->n;
}

/* Puts a crowd where it belongs: most first, and of those with as many who had it first */
static void sort(struct rb_root *root, struct sss_held *held, u32 n)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	if (!RB_EMPTY_NODE(&held->node))
		rb_erase(&held->node, root);
	RB_CLEAR_NODE(&held->node);
	held->n = n;
	if (!n)
		return;
	while (*link) {
		parent = *link;
		if (goes_before(held, rb_entry(parent, struct sss_held, node)))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&held->node, parent, link);
	rb_insert_color(&held->node, root);
}

/* --- half-open handshakes --- */

/**
 * sss_crowd_add_slot() - a handshake was answered
 * @slot: new, knows its crowd
 *
 * Context: any but hard interrupts.
 */
void sss_crowd_add_slot(struct sss_half_open *slot)
{
	struct sss_crowd *c = slot->crowd;
	struct sss_net *sn = slot->sn;

	spin_lock_bh(&sn->crowds_lock);
	list_add_tail(&slot->crowd_node, &c->slots.list);
	sort(&sn->crowds_by_slots, &c->slots, c->slots.n + 1);
	spin_unlock_bh(&sn->crowds_lock);
}

static void __remove_slot(struct sss_half_open *slot)
{
	struct sss_crowd *c = slot->crowd;
	struct sss_net *sn = slot->sn;

	lockdep_assert_held(&sn->crowds_lock);
	if (list_empty(&slot->crowd_node))
		return;
	list_del_init(&slot->crowd_node);
	sort(&sn->crowds_by_slots, &c->slots, c->slots.n - 1);
}

/**
 * sss_crowd_remove_slot() - a slot ends
 * @slot: in the host's list no more
 *
 * Context: any but hard interrupts.
 */
void sss_crowd_remove_slot(struct sss_half_open *slot)
{
	spin_lock_bh(&slot->sn->crowds_lock);
	__remove_slot(slot);
	spin_unlock_bh(&slot->sn->crowds_lock);
}

/**
 * sss_crowd_surplus_slot() - which slot is to make room for another?
 * @sn: namespace
 * @c: if this one has as many as it may, one of its own; NULL: one of the crowd
 *	that has most
 *
 * Return: the oldest, with a reference, and not its crowd's any more; NULL:
 * none. Context: any but hard interrupts.
 */
struct sss_half_open *sss_crowd_surplus_slot(struct sss_net *sn, struct sss_crowd *c)
{
	struct sss_half_open *slot = NULL;
	struct rb_node *node;

	spin_lock_bh(&sn->crowds_lock);
	if (!c) {
		node = rb_first(&sn->crowds_by_slots);
		c = node ? rb_entry(node, struct sss_crowd, slots.node) : NULL;
	} else if (c->slots.n < READ_ONCE(sn->limits.max_prefix_half_open)) {
		c = NULL;
	}
	if (c) {
		slot = list_first_entry(&c->slots.list, struct sss_half_open, crowd_node);
		kref_get(&slot->ref);
		__remove_slot(slot);
	}
	spin_unlock_bh(&sn->crowds_lock);
	return slot;
}

/* --- channels --- */

/**
 * sss_crowd_add_channel() - a peer that nobody configured has a channel
 * @c: where it is; the caller has a reference
 * @ch: channel
 *
 * Nothing happens to one that is counted, or closed. Context: any but hard
 * interrupts.
 */
void sss_crowd_add_channel(struct sss_crowd *c, struct sss_channel *ch)
{
	struct sss_net *sn = ch->sn;

	spin_lock_bh(&sn->crowds_lock);
	if (!ch->crowd && READ_ONCE(ch->state) != SSS_CHANNEL_CLOSED) {
		c->refs++;
		ch->crowd = c;
		list_add_tail(&ch->crowd_node, &c->channels.list);
		sort(&sn->crowds_by_channels, &c->channels, c->channels.n + 1);
	}
	spin_unlock_bh(&sn->crowds_lock);
}

/**
 * sss_crowd_get_of_channel() - where the handshake was answered
 * @ch: channel
 *
 * Return: its crowd, with a reference; NULL: it counts in none. Context: any but
 * hard interrupts; the channel lock may be held.
 */
struct sss_crowd *sss_crowd_get_of_channel(struct sss_channel *ch)
{
	struct sss_crowd *c;

	spin_lock_bh(&ch->sn->crowds_lock);
	c = ch->crowd;
	if (c)
		c->refs++;
	spin_unlock_bh(&ch->sn->crowds_lock);
	return c;
}

/**
 * sss_crowd_remove_channel() - a channel is closed
 * @ch: closed
 *
 * Context: any but hard interrupts; the channel lock may be held.
 */
void sss_crowd_remove_channel(struct sss_channel *ch)
{
	struct sss_net *sn = ch->sn;
	struct sss_crowd *c;

	spin_lock_bh(&sn->crowds_lock);
	c = ch->crowd;
	if (c) {
		ch->crowd = NULL;
		list_del(&ch->crowd_node);
		sort(&sn->crowds_by_channels, &c->channels, c->channels.n - 1);
		__put(sn, c);
	}
	spin_unlock_bh(&sn->crowds_lock);
}

/* A hint, without the channel lock: nobody would miss it, or nobody answers. */
static bool may_go(const struct sss_channel *ch)
{
	return !READ_ONCE(ch->n_streams) || READ_ONCE(ch->link) == SSS_LINK_DOWN;
}

/*
 * The oldest that may go, with a reference. So many are looked at; those that have to
 * stay are asked again after all others.
 */
static struct sss_channel *__oldest(struct sss_crowd *c)
{
	struct sss_channel *ch, *next;
	u32 left = min_t(u32, c->channels.n, CHANNELS_ASKED);

	list_for_each_entry_safe(ch, next, &c->channels.list, crowd_node) {
		if (may_go(ch) && sss_channel_get(ch))
			return ch;
		if (!--left)
			break;
		list_move_tail(&ch->crowd_node, &c->channels.list);
	}
	return NULL;
}

/**
 * sss_crowd_end_channel() - a channel that does nothing makes room for another
 * @sn: namespace
 * @c: one of these; NULL: one of the crowd that has most and can do without
 *
 * One without streams, or whose peer does not answer.
 *
 * Return: false: there is none. Context: process, no channel lock held.
 */
bool sss_crowd_end_channel(struct sss_net *sn, struct sss_crowd *c)
{
	struct sss_channel *ch = NULL;
	struct rb_node *node;
	int i = 0;

	spin_lock_bh(&sn->crowds_lock);
	if (c)
		ch = __oldest(c);
	for (node = rb_first(&sn->crowds_by_channels); !c && !ch && node && i < CROWDS_ASKED;
	     node = rb_next(node), i++)
		ch = __oldest(rb_entry(node, struct sss_crowd, channels.node));
	spin_unlock_bh(&sn->crowds_lock);
	if (!ch)
		return false;
	sss_mib_inc(sn, CHANNELS_EVICTED);
	sss_channel_close(ch, -ECONNRESET);
	sss_channel_put(ch);
	return true;
}

/**
 * sss_crowd_has_room() - may a crowd have one more channel?
 * @sn: namespace, a crowd has at most limits.max_prefix_channels
 * @c: crowd
 *
 * One of its own makes room if need be. Return: whether it may. Context: process.
 */
bool sss_crowd_has_room(struct sss_net *sn, struct sss_crowd *c)
{
	return READ_ONCE(c->channels.n) < READ_ONCE(sn->limits.max_prefix_channels) ||
	       sss_crowd_end_channel(sn, c);
}
