// SPDX-License-Identifier: GPL-2.0
/* Round trip times, worked by hand from RFC 9002 sections 5 and 6. */
#include "../../kernel/wire/rtt.h"
#include "random.h"
#include "kselftest_harness.h"

#define MAX_DELAY 25000

FIXTURE(rtt)
{
	struct sss_rtt rtt;
};

FIXTURE_SETUP(rtt)
{
	sss_rtt_init(&self->rtt);
}

FIXTURE_TEARDOWN(rtt)
{
}

/* 6.2.2: 333 ms and half of it until there is a sample */
TEST_F(rtt, initial)
{
	EXPECT_EQ(333000, self->rtt.smoothed);
	EXPECT_EQ(166500, self->rtt.var);
	EXPECT_FALSE(self->rtt.sampled);
	EXPECT_EQ(333000 + 4 * 166500, sss_rtt_pto(&self->rtt, 0, 0));
	EXPECT_EQ(333000 + 333000 / 8, sss_rtt_loss_delay(&self->rtt));
}

/* 5.3: smoothed_rtt = latest_rtt, rttvar = latest_rtt / 2; no delay is taken off */
TEST_F(rtt, first_sample)
{
	sss_rtt_sample(&self->rtt, 100000, 20000, MAX_DELAY);
	EXPECT_TRUE(self->rtt.sampled);
	EXPECT_EQ(100000, self->rtt.latest);
	EXPECT_EQ(100000, self->rtt.min);
	EXPECT_EQ(100000, self->rtt.smoothed);
	EXPECT_EQ(50000, self->rtt.var);
}

/* latest 140 ms, delay 20 ms: adjusted 120; rttvar = 3/4 * 50 + 1/4 * 20; srtt = 7/8 * 100 + 15 */
TEST_F(rtt, ack_delay)
{
	sss_rtt_sample(&self->rtt, 100000, 0, MAX_DELAY);
	sss_rtt_sample(&self->rtt, 140000, 20000, MAX_DELAY);
	EXPECT_EQ(140000, self->rtt.latest);
	EXPECT_EQ(100000, self->rtt.min);
	EXPECT_EQ(42500, self->rtt.var);
	EXPECT_EQ(102500, self->rtt.smoothed);
}

/* the peer may not claim more than max_ack_delay: adjusted 115 */
TEST_F(rtt, ack_delay_is_limited)
{
	sss_rtt_sample(&self->rtt, 100000, 0, MAX_DELAY);
	sss_rtt_sample(&self->rtt, 140000, 1000000, MAX_DELAY);
	EXPECT_EQ((3 * 50000 + 15000) / 4, self->rtt.var);
	EXPECT_EQ((7 * 100000 + 115000) / 8, self->rtt.smoothed);
}

/* a delay that would bring the sample below min_rtt is not taken off */
TEST_F(rtt, ack_delay_not_below_min)
{
	sss_rtt_sample(&self->rtt, 100000, 0, MAX_DELAY);
	sss_rtt_sample(&self->rtt, 110000, 20000, MAX_DELAY);
	EXPECT_EQ((3 * 50000 + 10000) / 4, self->rtt.var);
	EXPECT_EQ((7 * 100000 + 110000) / 8, self->rtt.smoothed);

	/* 5.2: min_rtt uses the sample as it is */
	sss_rtt_sample(&self->rtt, 80000, 20000, MAX_DELAY);
	EXPECT_EQ(80000, self->rtt.min);
}

TEST_F(rtt, sequence)
{
	/* latest, delay -> smoothed, var: computed on paper */
	static const u32 steps[][4] = {
		{ 40000, 0, 40000, 20000 },
		{ 48000, 0, 41000, 17000 },	/* dev 8000 */
		{ 32000, 0, 39875, 15000 },	/* dev 9000 */
		{ 56000, 8000, 40890, 13281 },	/* adjusted 48000, dev 8125 */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		sss_rtt_sample(&self->rtt, steps[i][0], steps[i][1], MAX_DELAY);
		EXPECT_EQ(steps[i][2], self->rtt.smoothed);
		EXPECT_EQ(steps[i][3], self->rtt.var);
	}
	EXPECT_EQ(32000, self->rtt.min);
}

/* 6.2.1: smoothed + max(4 * rttvar, granularity) + max_ack_delay, doubled each time */
TEST_F(rtt, pto)
{
	u32 i;

	sss_rtt_sample(&self->rtt, 100000, 0, MAX_DELAY);
	EXPECT_EQ(300000 + MAX_DELAY, sss_rtt_pto(&self->rtt, MAX_DELAY, 0));
	EXPECT_EQ(2 * (300000 + MAX_DELAY), sss_rtt_pto(&self->rtt, MAX_DELAY, 1));
	EXPECT_EQ(16 * (300000 + MAX_DELAY), sss_rtt_pto(&self->rtt, MAX_DELAY, 4));
	for (i = 8; i < 100; i++)
		EXPECT_EQ(60000000, sss_rtt_pto(&self->rtt, MAX_DELAY, i));
	EXPECT_EQ(60000000, sss_rtt_pto(&self->rtt, MAX_DELAY, U32_MAX));

	/* the granularity counts when nothing varies */
	for (i = 0; i < 100; i++)
		sss_rtt_sample(&self->rtt, 50, 0, 0);
	EXPECT_LT(self->rtt.var, 100);
	EXPECT_EQ(self->rtt.smoothed + 1000, sss_rtt_pto(&self->rtt, 0, 0));
}

/* 6.2.2: the handshake's round trip serves until there is a sample, not after. */
TEST_F(rtt, guess)
{
	sss_rtt_guess(&self->rtt, 50000);
	EXPECT_EQ(150000 + MAX_DELAY, sss_rtt_pto(&self->rtt, MAX_DELAY, 0));
	EXPECT_FALSE(self->rtt.sampled);
	sss_rtt_sample(&self->rtt, 100000, 0, MAX_DELAY);
	EXPECT_EQ(100000, self->rtt.smoothed);
	EXPECT_EQ(100000, self->rtt.min);
	sss_rtt_guess(&self->rtt, 10);
	EXPECT_EQ(100000, self->rtt.smoothed);

	sss_rtt_init(&self->rtt);
	sss_rtt_guess(&self->rtt, ~0ULL);
	EXPECT_EQ(60000000, sss_rtt_pto(&self->rtt, MAX_DELAY, 0));
}

/* 6.1.2: 9/8 of the larger of smoothed and latest, at least the granularity */
TEST_F(rtt, loss_delay)
{
	sss_rtt_sample(&self->rtt, 80000, 0, MAX_DELAY);
	EXPECT_EQ(90000, sss_rtt_loss_delay(&self->rtt));
	sss_rtt_sample(&self->rtt, 160000, 0, MAX_DELAY);
	EXPECT_EQ(180000, sss_rtt_loss_delay(&self->rtt));
	sss_rtt_sample(&self->rtt, 8, 0, MAX_DELAY);
	EXPECT_EQ(self->rtt.smoothed * 9ULL / 8, sss_rtt_loss_delay(&self->rtt));

	sss_rtt_init(&self->rtt);
	sss_rtt_sample(&self->rtt, 200, 0, MAX_DELAY);
	EXPECT_EQ(1000, sss_rtt_loss_delay(&self->rtt));
}

TEST_F(rtt, extremes)
{
	u64 state = 5;
	int i;

	sss_rtt_sample(&self->rtt, U32_MAX, U32_MAX, U32_MAX);
	sss_rtt_sample(&self->rtt, U32_MAX, U32_MAX, U32_MAX);
	EXPECT_EQ(U32_MAX, self->rtt.smoothed);
	EXPECT_EQ(60000000, sss_rtt_pto(&self->rtt, U32_MAX, 0));
	EXPECT_EQ(U32_MAX * 9ULL / 8, sss_rtt_loss_delay(&self->rtt));
	for (i = 0; i < 100000; i++) {
		u32 low = self->rtt.min;

		sss_rtt_sample(&self->rtt, random_width(&state, 32), random_width(&state, 32),
			       random_width(&state, 32));
		ASSERT_LE(self->rtt.min, low);
		ASSERT_LE(sss_rtt_pto(&self->rtt, 0, 0), 60000000);
		ASSERT_GE(sss_rtt_loss_delay(&self->rtt), 1000);
	}
}

TEST_HARNESS_MAIN
