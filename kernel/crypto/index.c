// SPDX-License-Identifier: GPL-2.0
#include <linux/hashtable.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/spinlock.h>
#include "index.h"

/*
 * Indices are drawn by us and cannot be aimed at one bucket, so that the
 * index itself is the hash.
 */
#define TABLE_BITS 12

static DEFINE_HASHTABLE(table, TABLE_BITS);
static DEFINE_SPINLOCK(table_lock);	/* leaf, BH */

static struct hlist_head *bucket(u32 index)
{
	return &table[index & (BIT(TABLE_BITS) - 1)];
}

static struct sss_index_entry *find(u32 index)
{
	struct sss_index_entry *entry;

	hlist_for_each_entry_rcu(entry, bucket(index), node,
				 lockdep_is_held(&table_lock)) {
		if (entry->index == index)
			return entry;
	}
	return NULL;
}

/**
 * sss_index_reserve() - draw an index that is not in use
 * @entry: not in the table; gets the index and is not found by lookups before
 *	sss_index_publish()
 * @host: on whose behalf lookups of it will be made
 *
 * Return: the index, never 0. Context: any but hard interrupt.
 */
u32 sss_index_reserve(struct sss_index_entry *entry, const void *host)
{
	entry->host = host;
	entry->type = SSS_INDEX_RESERVED;
	spin_lock_bh(&table_lock);
	do {
		entry->index = get_random_u32();
	} while (!entry->index || find(entry->index));
	hlist_add_head_rcu(&entry->node, bucket(entry->index));
	spin_unlock_bh(&table_lock);
	return entry->index;
}

/**
 * sss_index_publish() - let lookups find an entry
 * @entry: reserved; what contains it is complete
 * @type: what contains it
 */
void sss_index_publish(struct sss_index_entry *entry, enum sss_index_type type)
{
	/* Pairs with sss_index_lookup(): keys are written before. */
	smp_store_release(&entry->type, type);
}

/**
 * sss_index_replace() - let an index stand for something else from now on
 * @old: published entry; out of the table afterwards
 * @entry: takes its place, its index and its host; complete
 * @type: what contains @entry
 *
 * Return: false, and nothing done, if @old is no longer in the table, as when
 * a second copy of a RESPOND lost the race.
 *
 * Context: any but hard interrupt.
 */
bool sss_index_replace(struct sss_index_entry *old, struct sss_index_entry *entry,
		       enum sss_index_type type)
{
	bool found;

	spin_lock_bh(&table_lock);
	found = !hlist_unhashed(&old->node);
	if (found) {
		entry->index = old->index;
		entry->host = old->host;
		entry->type = type;
		hlist_replace_rcu(&old->node, &entry->node);
		/* Only this: a reader on @old still has to get on. */
		WRITE_ONCE(old->node.pprev, NULL);
	}
	spin_unlock_bh(&table_lock);
	return found;
}

/**
 * sss_index_remove() - take an entry out of the table
 * @entry: may be out already
 *
 * Context: any but hard interrupt.
 */
void sss_index_remove(struct sss_index_entry *entry)
{
	spin_lock_bh(&table_lock);
	hlist_del_init_rcu(&entry->node);
	spin_unlock_bh(&table_lock);
}

/**
 * sss_index_lookup() - what does a received index stand for?
 * @host: the host whose socket the packet came to
 * @index: from the packet
 *
 * Return: the published entry, valid inside the caller's RCU read side
 * critical section, or NULL.
 */
struct sss_index_entry *sss_index_lookup(const void *host, u32 index)
{
	struct sss_index_entry *entry;

	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "index lookup outside RCU");
	entry = find(index);
	if (!entry || entry->host != host)
		return NULL;
	/* Pairs with sss_index_publish(). */
	return smp_load_acquire(&entry->type) == SSS_INDEX_RESERVED ? NULL : entry;
}
