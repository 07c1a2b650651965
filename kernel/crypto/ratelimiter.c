// SPDX-License-Identifier: GPL-2.0
#include <linux/hashtable.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include "base/compat.h"
#include "net/endpoint.h"
#include "ratelimiter.h"

#define PER_SECOND	20
#define BURST		5
#define COST		(NSEC_PER_SEC / PER_SECOND)
#define TOKENS_MAX	(COST * BURST)
/* Refilled long since: forgetting the entry changes nothing. */
#define IDLE_NS		(1ULL * NSEC_PER_SEC)

#define TABLE_BITS	10
#define ENTRIES_MAX	8192

/* Sources that proved nothing: cheap answers, and no memory of them */
#define UNPROVED_BITS	12
#define UNPROVED_COST	(NSEC_PER_SEC / 50)
#define UNPROVED_BURST	10

/**
 * struct source - one IPv4 /24 or IPv6 /64
 * @node: in sss_ratelimiter.table
 * @rcu: frees it
 * @key: sss_endpoint_prefix()
 * @family: AF_INET or AF_INET6
 * @lock: leaf (BH); protects the rest
 * @last: when @tokens was right, ns
 * @tokens: in ns; a message costs COST
 */
struct source {
	struct hlist_node node;
	struct rcu_head rcu;
	u64 key;
	u16 family;
	spinlock_t lock;	/* leaf: last, tokens */
	u64 last;
	u64 tokens;
};

/**
 * struct sss_ratelimiter - the sources of one namespace
 * @table: RCU hash of struct source
 * @lock: (BH) protects changes of @table, and @count; source.lock inside
 * @count: entries, at most ENTRIES_MAX
 * @hash_key: secret, so that nobody can fill one bucket
 * @gc: forgets idle entries each second while there are any
 * @unproved: by hash of the source, ns when what it may have will be used up.
 *	Of fixed size, as anybody can come from everywhere
 */
struct sss_ratelimiter {
	DECLARE_HASHTABLE(table, TABLE_BITS);
	spinlock_t lock;	/* table, count */
	unsigned int count;
	siphash_key_t hash_key;
	struct delayed_work gc;
	atomic64_t unproved[1 << UNPROVED_BITS];
};

static u64 hash_of(struct sss_ratelimiter *limiter, u64 key, u16 family)
{
	return siphash_2u64(key, family, &limiter->hash_key);
}

static struct hlist_head *bucket(struct sss_ratelimiter *limiter, u64 key, u16 family)
{
	return &limiter->table[hash_of(limiter, key, family) & (BIT(TABLE_BITS) - 1)];
}

static struct source *find(struct sss_ratelimiter *limiter, struct hlist_head *head,
			   u64 key, u16 family)
{
	struct source *source;

	hlist_for_each_entry_rcu(source, head, node,
				 lockdep_is_held(&limiter->lock)) {
		if (source->key == key && source->family == family)
			return source;
	}
	return NULL;
}

/* Takes one message's worth of tokens, if there is. */
static bool spend(struct source *source, u64 now)
{
	bool ok;

	spin_lock_bh(&source->lock);
	if (now > source->last) {
		source->tokens = min_t(u64, TOKENS_MAX,
				       source->tokens + (now - source->last));
		source->last = now;
	}
	ok = source->tokens >= COST;
	if (ok)
		source->tokens -= COST;
	spin_unlock_bh(&source->lock);
	return ok;
}

/* A source not seen lately; its first message is paid already. */
static struct source *add(struct sss_ratelimiter *limiter, struct hlist_head *head,
			  u64 key, u16 family, u64 now)
{
	struct source *source, *other;

	source = kmalloc(sizeof(*source), GFP_ATOMIC | __GFP_NOWARN);
	if (!source)
		return NULL;
	source->key = key;
	source->family = family;
	spin_lock_init(&source->lock);
	source->last = now;
	source->tokens = TOKENS_MAX - COST;

	spin_lock_bh(&limiter->lock);
	other = find(limiter, head, key, family);
	if (other || limiter->count >= ENTRIES_MAX) {
		spin_unlock_bh(&limiter->lock);
		kfree(source);
		return NULL;
	}
	if (!limiter->count++)
		queue_delayed_work(system_power_efficient_wq, &limiter->gc, HZ);
	hlist_add_head_rcu(&source->node, head);
	spin_unlock_bh(&limiter->lock);
	return source;
}

static bool allow_at(struct sss_ratelimiter *limiter, const struct sockaddr *from,
		     u64 now)
{
	u64 key = sss_endpoint_prefix(from);
	struct hlist_head *head = bucket(limiter, key, from->sa_family);
	struct source *source;
	bool ok;

	rcu_read_lock();
	source = find(limiter, head, key, from->sa_family);
	if (source)
		ok = spend(source, now);
	else
		ok = add(limiter, head, key, from->sa_family, now);
	rcu_read_unlock();
	return ok;
}

/* Forgets what has been idle until @now; returns how many are left. */
static unsigned int collect(struct sss_ratelimiter *limiter, u64 now)
{
	struct hlist_node *next;
	struct source *source;
	unsigned int left;
	int i;

	for (i = 0; i < HASH_SIZE(limiter->table); i++) {
		spin_lock_bh(&limiter->lock);
		hlist_for_each_entry_safe(source, next, &limiter->table[i], node) {
			if (now < READ_ONCE(source->last) + IDLE_NS)
				continue;
			hlist_del_rcu(&source->node);
			limiter->count--;
			kfree_rcu(source, rcu);
		}
		spin_unlock_bh(&limiter->lock);
		cond_resched();
	}
	spin_lock_bh(&limiter->lock);
	left = limiter->count;
	spin_unlock_bh(&limiter->lock);
	return left;
}

static void gc_work(struct work_struct *work)
{
	struct sss_ratelimiter *limiter =
		container_of(to_delayed_work(work), struct sss_ratelimiter, gc);

	if (collect(limiter, ktime_get_coarse_boottime_ns()))
		queue_delayed_work(system_power_efficient_wq, &limiter->gc, HZ);
}

/**
 * sss_ratelimiter_create() - make the rate limiter of a namespace
 *
 * Return: it, or NULL without memory. Context: process.
 */
struct sss_ratelimiter *sss_ratelimiter_create(void)
{
	struct sss_ratelimiter *limiter = kvzalloc(sizeof(*limiter), GFP_KERNEL);

	if (!limiter)
		return NULL;
	hash_init(limiter->table);
	spin_lock_init(&limiter->lock);
	get_random_bytes(&limiter->hash_key, sizeof(limiter->hash_key));
	INIT_DELAYED_WORK(&limiter->gc, gc_work);
	return limiter;
}

/**
 * sss_ratelimiter_destroy() - free the rate limiter of a namespace
 * @limiter: no longer used by anybody; may be NULL
 *
 * Context: process, sleeps.
 */
void sss_ratelimiter_destroy(struct sss_ratelimiter *limiter)
{
	if (!limiter)
		return;
	cancel_delayed_work_sync(&limiter->gc);
	collect(limiter, U64_MAX);
	kvfree(limiter);
}

/**
 * sss_ratelimiter_allow() - may this source be served once more?
 * @limiter: of the namespace
 * @from: AF_INET or AF_INET6 address; the port does not count
 *
 * A source gets BURST messages at once and PER_SECOND in the long run. When
 * the table is full or memory is short, unknown sources get nothing.
 *
 * Return: whether it may. Context: any but hard interrupt.
 */
bool sss_ratelimiter_allow(struct sss_ratelimiter *limiter,
			   const struct sockaddr *from)
{
	return allow_at(limiter, from, ktime_get_coarse_boottime_ns());
}

static bool allow_unproved_at(struct sss_ratelimiter *limiter, const struct sockaddr *from,
			      u64 now)
{
	u64 hash = hash_of(limiter, sss_endpoint_prefix(from), from->sa_family);
	atomic64_t *until = &limiter->unproved[hash & (BIT(UNPROVED_BITS) - 1)];
	s64 old = atomic64_read(until), new;

	do {
		new = max_t(s64, old, now) + UNPROVED_COST;
		if (new > (s64)now + UNPROVED_BURST * (s64)UNPROVED_COST)
			return false;
	} while (!atomic64_try_cmpxchg(until, &old, new));
	return true;
}

/**
 * sss_ratelimiter_allow_unproved() - may this source, true or not, be told something?
 * @limiter: of the namespace
 * @from: AF_INET or AF_INET6 address; the port does not count
 *
 * For COOKIE and REJECT. Nothing is remembered of a source, so that made-up ones
 * cannot keep those out that are not; a few share what one may have.
 *
 * Return: whether it may. Context: any.
 */
bool sss_ratelimiter_allow_unproved(struct sss_ratelimiter *limiter,
				    const struct sockaddr *from)
{
	return allow_unproved_at(limiter, from, ktime_get_coarse_boottime_ns());
}

#ifdef DEBUG
#include "selftest/ratelimiter.c"
#endif
