// SPDX-License-Identifier: GPL-2.0
#include "check.h"

static int failures __initdata;

/* Counts the pairs made here. */
static struct sss_net keys_net;

static struct sss_keypair *__init create_pair(void)
{
	return sss_keypair_create(&keys_net, NULL, GFP_KERNEL | __GFP_NOFAIL);
}

/* Two channels that shake hands with each other, without any messages. */
struct pair_of_rings {
	struct sss_keyring a, b;
	int host;			/* its address names a host */
};

static struct sss_keypair *__init new_pair(struct pair_of_rings *r, bool initiator)
{
	struct sss_keypair *pair = create_pair();

	pair->initiator = initiator;
	sss_index_reserve(&pair->entry, &r->host);
	sss_index_publish(&pair->entry, SSS_INDEX_KEYPAIR);
	return pair;
}

static struct sss_keypair *__init answer(struct pair_of_rings *r,
					 struct sss_keyring *ring, u8 stamp)
{
	struct sss_keypair *pair = new_pair(r, false);

	pair->stamp[0] = stamp;
	sss_keyring_add_responder(ring, pair, false);
	return pair;
}

static struct sss_keypair *__init finish(struct pair_of_rings *r,
					 struct sss_keyring *ring, u64 started)
{
	struct sss_keypair *pair = new_pair(r, true);

	pair->started = started;
	sss_keyring_add_initiator(ring, pair);
	return pair;
}

static void __init set_up(struct pair_of_rings *r)
{
	static const u8 small[SSS_HS_EID_LEN] = { 1 }, large[SSS_HS_EID_LEN] = { 2 };

	sss_keyring_init(&r->a, small, large);
	sss_keyring_init(&r->b, large, small);
}

static void __init tear_down(struct pair_of_rings *r)
{
	sss_keyring_clear(&r->a);
	sss_keyring_clear(&r->b);
}

static struct sss_keypair *__init current_of(struct sss_keyring *ring)
{
	return rcu_dereference_raw(ring->current_pair);
}

static bool __init is_found(struct pair_of_rings *r, u32 index)
{
	bool found;

	rcu_read_lock();
	found = sss_index_lookup(&r->host, index);
	rcu_read_unlock();
	return found;
}

static void __init test_plain(struct pair_of_rings *r)
{
	struct sss_keypair *at_a, *at_b, *second;
	struct sss_limits limits;
	u64 started;
	u32 first;

	set_up(r);
	sss_netns_limits_init(&limits);
	started = sss_keyring_start(&r->a);
	at_b = answer(r, &r->b, 1);
	CHECK(!current_of(&r->b));
	CHECK(!sss_keypair_may_send(at_b, &limits, at_b->birth));
	CHECK(sss_keypair_may_receive(at_b, &limits, at_b->birth));
	at_a = finish(r, &r->a, started);
	CHECK(current_of(&r->a) == at_a);
	CHECK(sss_keypair_may_send(at_a, &limits, at_a->birth));
	CHECK(!sss_keyring_confirm(&r->a, at_a));
	CHECK(sss_keyring_confirm(&r->b, at_b));
	CHECK(!sss_keyring_confirm(&r->b, at_b));
	CHECK(current_of(&r->b) == at_b);

	/* A rekey: the old pair still receives, the one before does not. */
	first = at_b->entry.index;
	second = answer(r, &r->b, 2);
	CHECK(current_of(&r->b) == at_b);
	CHECK(sss_keyring_confirm(&r->b, second));
	CHECK(current_of(&r->b) == second);
	CHECK(is_found(r, first));
	CHECK(sss_keyring_confirm(&r->b, answer(r, &r->b, 3)));
	CHECK(!is_found(r, first));
	tear_down(r);
	CHECK(!current_of(&r->a));
}

/* A replayed INITIATE takes no slot from the live one, nor from old keys. */
static void __init test_replay(struct pair_of_rings *r)
{
	struct sss_keypair *old, *live;
	u32 previous;
	int i;

	set_up(r);
	old = answer(r, &r->b, 1);
	previous = old->entry.index;
	sss_keyring_confirm(&r->b, old);
	sss_keyring_confirm(&r->b, answer(r, &r->b, 2));
	answer(r, &r->b, 3);
	live = answer(r, &r->b, 9);
	for (i = 0; i < 5; i++)
		answer(r, &r->b, 3 + i);
	CHECK(is_found(r, previous));
	CHECK(sss_keyring_confirm(&r->b, live));
	CHECK(current_of(&r->b) == live);
	tear_down(r);
}

/*
 * Both start at once, a being smaller. Whatever arrives first, both end up
 * sending under the pair that a started, and receive under the other.
 */
static void __init test_crossing(struct pair_of_rings *r, unsigned int order)
{
	struct sss_keypair *a_own, *a_other, *b_own, *b_other;
	u64 a_started, b_started;

	set_up(r);
	a_started = sss_keyring_start(&r->a);
	b_started = sss_keyring_start(&r->b);
	if (order & 1) {			/* b's RESPOND comes early */
		a_other = answer(r, &r->a, 1);
		b_own = finish(r, &r->b, b_started);
		b_other = answer(r, &r->b, 1);
	} else {
		a_other = answer(r, &r->a, 1);
		b_other = answer(r, &r->b, 1);
		b_own = finish(r, &r->b, b_started);
	}
	if (order & 2)				/* b's first packet comes early */
		CHECK(sss_keyring_confirm(&r->a, a_other));
	a_own = finish(r, &r->a, a_started);
	CHECK(current_of(&r->a) == a_own);
	if (!(order & 2) && order & 4)
		CHECK(sss_keyring_confirm(&r->a, a_other));
	CHECK(current_of(&r->b) == b_own);
	CHECK(sss_keyring_confirm(&r->b, b_other));
	CHECK(current_of(&r->a) == a_own);
	CHECK(current_of(&r->b) == b_other);
	CHECK(is_found(r, a_other->entry.index));
	CHECK(is_found(r, b_own->entry.index));
	tear_down(r);
}

/*
 * b has answered a's INITIATE and starts its own because nothing follows. Then
 * both come through: a's pair wins, though b's is the newer one.
 */
static void __init test_crossing_late(struct pair_of_rings *r)
{
	struct sss_keypair *other, *own;
	u64 started;

	set_up(r);
	other = answer(r, &r->b, 1);
	started = sss_keyring_start(&r->b);
	CHECK(sss_keyring_confirm(&r->b, other));
	finish(r, &r->b, started);
	CHECK(current_of(&r->b) == other);
	tear_down(r);

	/* The same if there was nothing at b when it answered */
	set_up(r);
	other = new_pair(r, false);
	finish(r, &r->b, sss_keyring_start(&r->b));
	sss_keyring_add_responder(&r->b, other, true);
	CHECK(sss_keyring_confirm(&r->b, other));
	CHECK(current_of(&r->b) == other);
	tear_down(r);

	/* and where it is b's that wins */
	set_up(r);
	other = new_pair(r, false);
	own = finish(r, &r->a, sss_keyring_start(&r->a));
	CHECK(sss_keyring_predates(&r->a, other));
	sss_keyring_add_responder(&r->a, other, true);
	CHECK(sss_keyring_confirm(&r->a, other));
	CHECK(current_of(&r->a) == own);
	tear_down(r);
}

/* Handshakes one after the other do not cross: the newest wins. */
static void __init test_consecutive(struct pair_of_rings *r)
{
	struct sss_keypair *other;

	set_up(r);
	finish(r, &r->a, sss_keyring_start(&r->a));
	other = answer(r, &r->a, 1);
	CHECK(sss_keyring_confirm(&r->a, other));
	CHECK(current_of(&r->a) == other);
	finish(r, &r->a, sss_keyring_start(&r->a));
	CHECK(current_of(&r->a) != other);
	tear_down(r);
}

/*
 * The peer lost its state. What it sent before is over with the pair that tells
 * us; when our own handshake tells us, its INITIATE may have been answered.
 */
static void __init test_restart(struct pair_of_rings *r)
{
	u32 current_index, previous, next, stale;
	struct sss_keypair *pair;
	u64 started;

	set_up(r);
	previous = finish(r, &r->a, sss_keyring_start(&r->a))->entry.index;
	current_index = finish(r, &r->a, sss_keyring_start(&r->a))->entry.index;
	started = sss_keyring_start(&r->a);
	pair = answer(r, &r->a, 2);
	next = pair->entry.index;
	stale = answer(r, &r->a, 1)->entry.index;
	sss_keyring_end_state(&r->a);
	CHECK(!current_of(&r->a));
	CHECK(!is_found(r, current_index) && !is_found(r, previous));
	CHECK(is_found(r, next) && is_found(r, stale));
	current_index = finish(r, &r->a, started)->entry.index;
	CHECK(!sss_keyring_predates(&r->a, pair));

	sss_keyring_keep(&r->a, pair);
	CHECK(is_found(r, next));
	CHECK(!is_found(r, current_index) && !is_found(r, stale));
	CHECK(sss_keyring_confirm(&r->a, pair));

	/* of two that await confirmation the later one may be of a later state still */
	pair = answer(r, &r->a, 3);
	next = answer(r, &r->a, 4)->entry.index;
	sss_keyring_keep(&r->a, pair);
	CHECK(is_found(r, pair->entry.index) && is_found(r, next));
	CHECK(sss_keyring_confirm(&r->a, pair));

	pair = answer(r, &r->a, 5);
	finish(r, &r->a, sss_keyring_start(&r->a));
	CHECK(sss_keyring_predates(&r->a, pair));
	tear_down(r);
}

static void __init test_ages(struct pair_of_rings *r)
{
	struct sss_limits limits;
	struct sss_keypair *pair, *answered;
	const u64 s = NSEC_PER_SEC;
	u64 birth;

	set_up(r);
	sss_netns_limits_init(&limits);
	pair = finish(r, &r->a, sss_keyring_start(&r->a));
	answered = answer(r, &r->b, 1);
	birth = pair->birth;
	CHECK(!sss_keypair_wants_rekey(pair, &limits, 5, birth + 119 * s));
	CHECK(sss_keypair_wants_rekey(pair, &limits, 5, birth + 120 * s));
	CHECK(!sss_keypair_wants_rekey(answered, &limits, 5,
				       answered->birth + 149 * s));
	CHECK(sss_keypair_wants_rekey(answered, &limits, 5,
				      answered->birth + 150 * s));
	pair->first_send = 7;
	CHECK(!sss_keypair_wants_rekey(pair, &limits, SSS_KEY_REKEY_PACKETS + 6, birth));
	CHECK(sss_keypair_wants_rekey(pair, &limits, SSS_KEY_REKEY_PACKETS + 7, birth));
	limits.rekey_packets = 100;
	CHECK(!sss_keypair_wants_rekey(pair, &limits, 106, birth));
	CHECK(sss_keypair_wants_rekey(pair, &limits, 107, birth));
	CHECK(sss_keypair_may_send(pair, &limits, birth + 179 * s));
	CHECK(!sss_keypair_may_send(pair, &limits, birth + 180 * s));
	CHECK(sss_keypair_may_receive(pair, &limits, birth + 239 * s));
	CHECK(!sss_keypair_may_receive(pair, &limits, birth + 240 * s));
	CHECK(sss_keyring_expire(&r->a, &limits, birth + 299 * s) == birth + 300 * s);
	CHECK(current_of(&r->a) == pair);
	CHECK(sss_keyring_expire(&r->a, &limits, birth + 300 * s) == U64_MAX);
	CHECK(!current_of(&r->a));
	tear_down(r);
}

static void __init test_index(struct pair_of_rings *r)
{
	struct sss_keypair *old = create_pair();
	struct sss_keypair *new = create_pair();
	u32 index = sss_index_reserve(&old->entry, &r->host);

	CHECK(index && !is_found(r, index));
	sss_index_publish(&old->entry, SSS_INDEX_HANDSHAKE);
	CHECK(is_found(r, index));
	rcu_read_lock();
	CHECK(!sss_index_lookup(r, index));
	rcu_read_unlock();
	CHECK(sss_index_replace(&old->entry, &new->entry, SSS_INDEX_KEYPAIR));
	CHECK(!sss_index_replace(&old->entry, &new->entry, SSS_INDEX_KEYPAIR));
	rcu_read_lock();
	CHECK(sss_index_lookup(&r->host, index) == &new->entry);
	rcu_read_unlock();
	sss_keypair_put(old);
	CHECK(is_found(r, index));
	sss_keypair_put(new);
	CHECK(!is_found(r, index));
}

static bool dropped __initdata;

static void __init note_drop(void *tentative)
{
	CHECK(tentative == &dropped);
	dropped = true;
}

static void __init test_tentative(void)
{
	struct sss_keypair *pair = create_pair();
	void *first = kmalloc(8, GFP_KERNEL | __GFP_NOFAIL);

	pair->tentative = first;
	CHECK(sss_keypair_take_tentative(pair) == first);
	CHECK(!sss_keypair_take_tentative(pair));
	kfree(first);
	pair->tentative = kmalloc(8, GFP_KERNEL | __GFP_NOFAIL);
	sss_keypair_put(pair);

	pair = create_pair();
	pair->tentative = &dropped;
	pair->drop_tentative = note_drop;
	sss_keypair_put(pair);
	rcu_barrier();
	CHECK(dropped);
}

#ifdef CONFIG_KASAN_GENERIC
/* KASAN keeps what is freed from being used again, so it can be looked at. */
static bool __init __no_sanitize_address is_zero(const u8 *p, size_t len)
{
	while (len--)
		if (READ_ONCE(*p++))
			return false;
	return true;
}

/* What the last reference leaves behind is wiped. */
static void __init test_wiped(void)
{
	struct sss_keypair *pair = create_pair();

	memset(&pair->keys, 0xa5, sizeof(pair->keys));
	CHECK(!is_zero((u8 *)&pair->keys, sizeof(pair->keys)));
	sss_keypair_put(pair);
	rcu_barrier();
	CHECK(is_zero((u8 *)&pair->keys, sizeof(pair->keys)));
}
#else
static void __init test_wiped(void)
{
}
#endif

/**
 * sss_keys_selftest() - slots, crossing handshakes, ages, the index table
 *
 * Return: 0, -ENOTRECOVERABLE, or -ENOMEM.
 */
int __init sss_keys_selftest(void)
{
	struct pair_of_rings *r = kmalloc(sizeof(*r), GFP_KERNEL);
	unsigned int order;

	if (!r)
		return -ENOMEM;
	test_plain(r);
	test_replay(r);
	for (order = 0; order < 8; order++)
		test_crossing(r, order);
	test_crossing_late(r);
	test_consecutive(r);
	test_restart(r);
	test_ages(r);
	test_index(r);
	test_tentative();
	test_wiped();
	kfree(r);
	/* A failing load does not wait for what is being freed. */
	rcu_barrier();
	CHECK(!sss_gauge_read(&keys_net, KEY_PAIRS));
	return REPORT("keys");
}
