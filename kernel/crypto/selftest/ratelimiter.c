// SPDX-License-Identifier: GPL-2.0
/*
 * On a clock of its own, so that it takes no time; far ahead of the real one,
 * so that the real collector finds nothing idle.
 */
#include "check.h"

#define EPOCH BIT_ULL(60)

static int failures __initdata;

static bool __init allow4(struct sss_ratelimiter *limiter, u32 address, u64 now)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr = { cpu_to_be32(address) },
	};

	return allow_at(limiter, (struct sockaddr *)&from, now);
}

static bool __init allow6(struct sss_ratelimiter *limiter, u8 network, u8 host, u64 now)
{
	struct sockaddr_in6 from = {
		.sin6_family = AF_INET6,
		.sin6_addr = { { { 0x20, 1, [7] = network, [15] = host } } },
	};

	return allow_at(limiter, (struct sockaddr *)&from, now);
}

static bool __init unproved(struct sss_ratelimiter *limiter, u32 address, u64 now)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr = { cpu_to_be32(address) },
	};

	return allow_unproved_at(limiter, (struct sockaddr *)&from, now);
}

static void __init test_bucket(struct sss_ratelimiter *limiter)
{
	u64 now = EPOCH;
	int i;

	for (i = 0; i < BURST; i++)
		CHECK(allow4(limiter, 0x0a000001, now));
	CHECK(!allow4(limiter, 0x0a000001, now));
	CHECK(!allow4(limiter, 0x0a000002, now));
	CHECK(allow4(limiter, 0x0a000101, now));
	CHECK(!allow4(limiter, 0x0a000001, now + COST - 1));
	CHECK(allow4(limiter, 0x0a000001, now + COST));
	CHECK(!allow4(limiter, 0x0a000001, now + COST));
	/* A long pause saves up a burst, not more. */
	now += 100 * NSEC_PER_SEC;
	for (i = 0; i < BURST; i++)
		CHECK(allow4(limiter, 0x0a000001, now));
	CHECK(!allow4(limiter, 0x0a000001, now));
}

static void __init test_prefix(struct sss_ratelimiter *limiter)
{
	u64 now = EPOCH + 200 * NSEC_PER_SEC;
	int i;

	for (i = 0; i < BURST; i++)
		CHECK(allow6(limiter, 1, i, now));
	CHECK(!allow6(limiter, 1, 99, now));
	CHECK(allow6(limiter, 2, 99, now));
	CHECK(collect(limiter, now) == 2);
	CHECK(!allow6(limiter, 1, 99, now));
	CHECK(collect(limiter, now + IDLE_NS) == 0);
}

static void __init test_bound(struct sss_ratelimiter *limiter)
{
	u64 now = EPOCH + 300 * NSEC_PER_SEC;
	u32 i;

	for (i = 0; i < ENTRIES_MAX; i++)
		CHECK(allow4(limiter, i << 8, now));
	CHECK(!allow4(limiter, i << 8, now));
	CHECK(allow4(limiter, 0, now));
	CHECK(collect(limiter, now) == ENTRIES_MAX);
	CHECK(collect(limiter, now + IDLE_NS) == 0);
	CHECK(allow4(limiter, i << 8, now));
}

/* Sources without number take nothing from those that proved theirs. */
static void __init test_unproved(struct sss_ratelimiter *limiter)
{
	u64 now = EPOCH + 400 * NSEC_PER_SEC;
	u32 i;

	for (i = 0; i < UNPROVED_BURST; i++)
		CHECK(unproved(limiter, 0x0a000001 + i, now));
	CHECK(!unproved(limiter, 0x0a000001, now));
	CHECK(!unproved(limiter, 0x0a000001, now + UNPROVED_COST - 1));
	CHECK(unproved(limiter, 0x0a000001, now + UNPROVED_COST));
	for (i = 0; i < 2 * ENTRIES_MAX; i++)
		unproved(limiter, i << 8, now);
	CHECK(allow4(limiter, 0x0a000001, now));
	CHECK(collect(limiter, now + IDLE_NS) == 0);
}

/**
 * sss_ratelimiter_selftest() - bucket, prefix, bounds
 *
 * Return: 0, -ENOTRECOVERABLE, or -ENOMEM.
 */
int __init sss_ratelimiter_selftest(void)
{
	struct sss_ratelimiter *limiter = sss_ratelimiter_create();

	if (!limiter)
		return -ENOMEM;
	test_bucket(limiter);
	test_prefix(limiter);
	test_bound(limiter);
	test_unproved(limiter);
	sss_ratelimiter_destroy(limiter);
	return REPORT("ratelimiter");
}
