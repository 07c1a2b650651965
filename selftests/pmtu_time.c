// SPDX-License-Identifier: GPL-2.0
/*
 * How large packets become, in virtual time: with a hop in the middle that takes
 * less, more, or suddenly less without a word.
 */
#include "kselftest_harness.h"
#include "router.h"

#define ONE_WAY		10	/* ms */
#define SECONDS		* 1000

/* What the router drops; NULL: nothing */
static void drop(const char *which)
{
	shell_at_router("nft 'table inet cut; delete table inet cut'");
	if (which)
		shell_at_router("nft 'table inet cut { chain in { type filter hook prerouting "
				"priority 0; %s drop; }; }'", which);
}

FIXTURE(pmtu) {
	struct both b;
	struct flow flow;
	int fd[2];
};

FIXTURE_VARIANT(pmtu) {
	int family;
};

FIXTURE_VARIANT_ADD(pmtu, v4) { V4 };
FIXTURE_VARIANT_ADD(pmtu, v6) { V6 };

FIXTURE_SETUP(pmtu)
{
	shell_in(ALICE, "tc qdisc replace dev left root netem delay %dms limit 10000", ONE_WAY);
	shell_in(BOB, "tc qdisc replace dev right root netem delay %dms limit 10000", ONE_WAY);
}

FIXTURE_TEARDOWN(pmtu)
{
	drop(NULL);
	silence(false);
	stop_flow(&self->flow);
	remove_hosts(&self->b);
}

#define open_path(device, hop) ({					\
	set_mtus(device, hop);						\
	routed_pair(&self->b, variant->family, self->fd);		\
})

/* The size is found with few probes; those that are lost slow nothing down. */
#define FINDS(device, hop, most) do {					\
	long long probes_ = get_stat(ALICE, "PmtuProbes");		\
	struct sss_info info_;						\
									\
	ASSERT_EQ(0, open_path(device, hop));				\
	start_flow(&self->flow, self->fd, 8000, 5);			\
	EXPECT_TRUE(flows_until(&self->flow, 5 SECONDS,			\
				fits(self->fd[ALICE], variant->family, hop))) \
		TH_LOG("%d", pmtu_of(self->fd[ALICE]));			\
	/* and stays */							\
	flows_until(&self->flow, 2 SECONDS, false);			\
	EXPECT_TRUE(fits(self->fd[ALICE], variant->family, hop));	\
	probes_ = get_stat(ALICE, "PmtuProbes") - probes_;		\
	EXPECT_GE(most, probes_);					\
	info_ = info_of(self->fd[ALICE]);				\
	EXPECT_EQ(0, info_.pkts_lost);					\
	EXPECT_EQ(0, info_.ptos);					\
	EXPECT_EQ(~0ull, info_.ssthresh);				\
	EXPECT_FALSE(self->flow.wrong);					\
	/* the connection's first data come after a round trip */	\
	EXPECT_GE(3 * ONE_WAY, self->flow.gap_ms)			\
		TH_LOG("%lld ms", self->flow.gap_ms);			\
} while (0)

TEST_F_TIMEOUT(pmtu, finds_1300, 60)
{
	FINDS(1500, 1300, 18);
}

TEST_F_TIMEOUT(pmtu, finds_1400, 60)
{
	FINDS(1500, 1400, 7);
}

TEST_F_TIMEOUT(pmtu, finds_1500_behind_9000, 60)
{
	FINDS(9000, 1500, 10);
}

TEST_F_TIMEOUT(pmtu, finds_9000, 60)
{
	FINDS(9000, 9000, 1);
}

/* Ten minutes after the search was over, a path that has grown is noticed. */
TEST_F_TIMEOUT(pmtu, grows, 1000)
{
	long long probes;

	ASSERT_EQ(0, open_path(1500, 1400));
	start_flow(&self->flow, self->fd, 3000, 1000);
	ASSERT_TRUE(flows_until(&self->flow, 60 SECONDS,
				fits(self->fd[ALICE], variant->family, 1400)));
	flows_until(&self->flow, 10 SECONDS, false);
	set_mtus(1500, 1500);
	probes = get_stat(ALICE, "PmtuProbes");
	flows_until(&self->flow, 570 SECONDS, false);
	EXPECT_EQ(probes, get_stat(ALICE, "PmtuProbes"));
	EXPECT_TRUE(flows_until(&self->flow, 40 SECONDS,
				fits(self->fd[ALICE], variant->family, 1500)));
	EXPECT_EQ(probes + 1, get_stat(ALICE, "PmtuProbes"));
	EXPECT_FALSE(self->flow.wrong);
}

/* The hop takes less in the middle of a transfer, and nobody says so. */
#define FALLS_INTO_HOLE(size, every, most_ms) do {			\
	long long holes_ = get_stat(ALICE, "PmtuBlackHoles");		\
									\
	ASSERT_EQ(0, open_path(1500, 1500));				\
	start_flow(&self->flow, self->fd, size, every);			\
	ASSERT_TRUE(flows_until(&self->flow, 5 SECONDS,			\
				fits(self->fd[ALICE], variant->family, 1500))); \
	flows_until(&self->flow, 1 SECONDS, false);			\
	self->flow.gap_ms = 0;						\
	silence(true);							\
	set_mtus(1500, 1400);						\
	EXPECT_TRUE(flows_until(&self->flow, 3 SECONDS,			\
				fits(self->fd[ALICE], variant->family, 1400))) \
		TH_LOG("%d", pmtu_of(self->fd[ALICE]));			\
	flows_until(&self->flow, 2 SECONDS, false);			\
	EXPECT_TRUE(fits(self->fd[ALICE], variant->family, 1400));	\
	EXPECT_EQ(holes_ + 1, get_stat(ALICE, "PmtuBlackHoles"));	\
	EXPECT_GE(most_ms, self->flow.gap_ms)				\
		TH_LOG("%lld ms", self->flow.gap_ms);			\
	EXPECT_FALSE(self->flow.wrong);					\
} while (0)

TEST_F_TIMEOUT(pmtu, black_hole, 60)
{
	FALLS_INTO_HOLE(8000, 5, 250);
}

TEST_F_TIMEOUT(pmtu, black_hole_in_bulk, 60)
{
	FALLS_INTO_HOLE(400000, 100, 500);
}

/* One message at a time, that fills one packet */
TEST_F_TIMEOUT(pmtu, black_hole_for_messages, 60)
{
	FALLS_INTO_HOLE(1400, 50, 500);
}

static void write_large_and_small(int fd)
{
	size_t at, size;

	for (at = 0;; at += size) {
		size = (at % 1500) ? 100 : 1400;
		if (send_pattern(fd, size, 1, at) != (ssize_t)size)
			_exit(0);
		usleep(5000);
	}
}

static void flow_large_and_small(struct flow *flow, const int fd[2])
{
	*flow = (struct flow){ .fd = fd[BOB], .last_ms = now_ms() };
	flow->writer = fork();
	if (!flow->writer)
		write_large_and_small(fd[ALICE]);
}

/* What is small passes all the time: no probe timeout tells. */
TEST_F_TIMEOUT(pmtu, black_hole_beside_small_ones, 60)
{
	long long holes = get_stat(ALICE, "PmtuBlackHoles");

	ASSERT_EQ(0, open_path(1500, 1500));
	flow_large_and_small(&self->flow, self->fd);
	ASSERT_TRUE(flows_until(&self->flow, 5 SECONDS,
				fits(self->fd[ALICE], variant->family, 1500)));
	silence(true);
	set_mtus(1500, 1400);
	EXPECT_TRUE(flows_until(&self->flow, 3 SECONDS,
				fits(self->fd[ALICE], variant->family, 1400)));
	EXPECT_EQ(holes + 1, get_stat(ALICE, "PmtuBlackHoles"));
	EXPECT_GE(500, self->flow.gap_ms) TH_LOG("%lld ms", self->flow.gap_ms);
	EXPECT_FALSE(self->flow.wrong);
}

/* A size is too large when three probes of it are lost. */
TEST_F_TIMEOUT(pmtu, lost_probes, 60)
{
	int size = 1500 - (variant->family == V4 ? 28 : 48);

	drop("meta length 1500 numgen inc mod 1000000 < 2");
	ASSERT_EQ(0, open_path(1500, 1500));
	start_flow(&self->flow, self->fd, 8000, 5);
	EXPECT_TRUE(flows_until(&self->flow, 5 SECONDS, pmtu_of(self->fd[ALICE]) == size))
		TH_LOG("%d", pmtu_of(self->fd[ALICE]));
}

/* A large packet that is lost now and then is not too large, though small ones pass. */
TEST_F_TIMEOUT(pmtu, losses, 60)
{
	long long holes = get_stat(ALICE, "PmtuBlackHoles");

	ASSERT_EQ(0, open_path(1500, 1500));
	flow_large_and_small(&self->flow, self->fd);
	ASSERT_TRUE(flows_until(&self->flow, 5 SECONDS,
				fits(self->fd[ALICE], variant->family, 1500)));
	drop("meta length > 1300 numgen inc mod 4 == 0");
	flows_until(&self->flow, 10 SECONDS, false);
	EXPECT_LT(50, info_of(self->fd[ALICE]).pkts_lost);
	EXPECT_EQ(holes, get_stat(ALICE, "PmtuBlackHoles"));
	EXPECT_TRUE(fits(self->fd[ALICE], variant->family, 1500));
	EXPECT_FALSE(self->flow.wrong);
}

/* When everything is lost for a while, the size is the old one soon after. */
TEST_F_TIMEOUT(pmtu, cut, 60)
{
	ASSERT_EQ(0, open_path(1500, 1500));
	start_flow(&self->flow, self->fd, 8000, 5);
	ASSERT_TRUE(flows_until(&self->flow, 5 SECONDS,
				fits(self->fd[ALICE], variant->family, 1500)));
	drop("");
	flows_until(&self->flow, 3 SECONDS, false);
	drop(NULL);
	/* neighbours, keys: both were dropped, too */
	ASSERT_TRUE(flows_until(&self->flow, 10 SECONDS, now_ms() == self->flow.last_ms));
	flows_until(&self->flow, 10 * ONE_WAY, false);
	EXPECT_TRUE(fits(self->fd[ALICE], variant->family, 1500))
		TH_LOG("%d", pmtu_of(self->fd[ALICE]));
	EXPECT_FALSE(self->flow.wrong);
}

TEST_HARNESS_MAIN
