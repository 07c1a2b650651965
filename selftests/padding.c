// SPDX-License-Identifier: GPL-2.0
/*
 * What somebody on the wire learns from the sizes of packets: with padding only
 * those that protocol.rst lists, without it about everything.
 */
#include "kselftest_harness.h"
#include "observer.h"

enum { LARGEST_MESSAGE = 3000, ETHERNET = 1500 - 20 - 8 };

/* How often each size of data packet was seen; [0]: came to alice, [1]: left */
struct seen {
	unsigned int of[2][65536];
	unsigned int other;		/* handshake messages that are not of their size */
};

static struct seen seen;

static void look(int wire)
{
	static const size_t handshake[] = { 0, 480, 448, 64, 24 };
	struct observed o;

	while (observe_next(wire, &o)) {
		if (o.data[0] == 5)
			seen.of[o.left][o.len]++;
		else if (o.data[0] > 4 || o.len != handshake[o.data[0]])
			seen.other++;
	}
}

/* EVERY=N: where a kernel is slow, only every Nth size */
static int every(void)
{
	const char *n = getenv("EVERY");

	return n ? atoi(n) : 1;
}

/* A message of each size both ways at once, every @step */
static bool converse(int fd[2], int wire, int step)
{
	for (int size = 1; size <= LARGEST_MESSAGE; size += step) {
		for (int who = ALICE; who <= BOB; who++)
			if (send_pattern(fd[who], size, who, size) != size)
				return false;
		for (int who = ALICE; who <= BOB; who++)
			if (recv_pattern(fd[who], size, !who, size) != size)
				return false;
		look(wire);
	}
	return true;
}

static unsigned int kinds(bool left)
{
	unsigned int n = 0;

	for (int size = 0; size < 65536; size++)
		n += seen.of[left][size] > 0;
	return n;
}

static bool is_one_of(int size, const int *allowed)
{
	while (*allowed)
		if (size == *allowed++)
			return true;
	return false;
}

static unsigned int strange(const int *allowed)
{
	unsigned int n = 0;

	for (int left = 0; left < 2; left++) {
		for (int size = 0; size < 65536; size++) {
			if (!seen.of[left][size] || is_one_of(size, allowed))
				continue;
			fprintf(stderr, "# %u of %d bytes %s alice\n", seen.of[left][size], size,
				left ? "left" : "came to");
			n += seen.of[left][size];
		}
	}
	return n;
}

FIXTURE(padding) {
	int wire;
	int fd[2];
};

FIXTURE_VARIANT(padding) {
	uint32_t policy;
	int allowed[8];
};

FIXTURE_VARIANT_ADD(padding, none) {
	.policy = SSS_PADDING_NONE,
};

FIXTURE_VARIANT_ADD(padding, buckets) {
	.policy = SSS_PADDING_BUCKETS,
	.allowed = { 128, 256, 512, 1200, ETHERNET },
};

FIXTURE_VARIANT_ADD(padding, full) {
	.policy = SSS_PADDING_FULL, .allowed = { 1200, ETHERNET },
};

FIXTURE_SETUP(padding)
{
	memset(&seen, 0, sizeof(seen));
	for (int who = ALICE; who <= BOB; who++)
		change_host(who, "v4", SSS_A_HOST_PADDING, variant->policy);
	ASSERT_TRUE(eventually(PATIENCE, !get_stat(ALICE, "Channels") &&
					 !get_stat(BOB, "Channels")));
	for (int who = ALICE; who <= BOB; who++)
		set_sysctl(who, "idle_timeout_ms", "60000");
	self->wire = observe();
	ASSERT_EQ(0, stream_pair(V4, self->fd)) TH_LOG("%m");
}

FIXTURE_TEARDOWN(padding)
{
	/* the next test begins with a channel of its own */
	for (int who = ALICE; who <= BOB; who++)
		set_sysctl(who, "idle_timeout_ms", "10");
	close(self->fd[0]);
	close(self->fd[1]);
	close(self->wire);
	for (int who = ALICE; who <= BOB; who++)
		change_host(who, "v4", SSS_A_HOST_PADDING, SSS_PADDING_NONE);
}

/* Only sizes that are allowed, from INITIATE on, and what was said arrives. */
TEST_F_TIMEOUT(padding, sizes, 200)
{
	ASSERT_TRUE(converse(self->fd, self->wire, every())) TH_LOG("%m");
	look(self->wire);
	EXPECT_TRUE(observed_all(self->wire));
	EXPECT_EQ(0, seen.other);
	if (variant->policy != SSS_PADDING_NONE) {
		EXPECT_EQ(0, strange(variant->allowed));
		EXPECT_LT(0, seen.of[1][ETHERNET]);
		EXPECT_LT(0, seen.of[0][ETHERNET]);
		return;
	}
	/* otherwise many, as messages up to a packet's size have each its own */
	EXPECT_LT(1000 / every(), kinds(true));
	EXPECT_LT(1000 / every(), kinds(false));
}

/* Padding takes room in the congestion window like anything else. */
TEST_F_TIMEOUT(padding, in_flight, 60)
{
	struct sss_info info = { };
	socklen_t len = sizeof(info);
	unsigned int expected;

	/* all of before has been acknowledged */
	ASSERT_TRUE(eventually(PATIENCE, !getsockopt(self->fd[ALICE], SOL_SSS, SSS_INFO, &info,
						     &len) && !info.in_flight));
	netem(ALICE, "loss 100%");
	ASSERT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	ASSERT_EQ(0, getsockopt(self->fd[ALICE], SOL_SSS, SSS_INFO, &info, &len));
	netem(ALICE, NULL);
	expected = variant->policy == SSS_PADDING_FULL ? info.pmtu :
		   variant->policy == SSS_PADDING_BUCKETS ? 128 : 0;
	if (expected) {
		EXPECT_EQ(0, info.in_flight % expected) TH_LOG("%llu", info.in_flight);
	} else {
		EXPECT_GT(100, info.in_flight);
	}
	EXPECT_LT(0, info.in_flight);
	EXPECT_EQ(1, recv(self->fd[BOB], (char [1]){ 0 }, 1, 0));
}

TEST_HARNESS_MAIN
