// SPDX-License-Identifier: GPL-2.0
/*
 * How much goes over a path, beside the kernel's TCP with the same algorithm on
 * the same path: rate, round trip, drop-tail queue and loss are emulated, time is
 * virtual. The presets are those of SST's simulator.
 */
#include "kselftest_harness.h"
#include "path.h"

/* kbit/s, -1: no connection */
static double goodput(const struct path *path, bool tcp, const char *algorithm)
{
	struct flow flow;

	take(path);
	if (!start(&flow, tcp, algorithm))
		return -1;
	read_for(&flow, 1, path->seconds * 1000);
	stop(&flow);
	return flow.got * 8.0 / path->seconds / 1000;
}

static const char *const algorithms[] = { "cubic", "reno" };

static const struct path clean[] = {
	{ "dsl_15", 1536, 384, 13, 300, 0, 20 },
	{ "cable_5", 5000, 384, 7, 130, 0, 20 },
	{ "sat_10", 10000, 10000, 1000, 300, 0, 40 },
	{ "eth_10", 10000, 10000, 2, 20, 0, 10 },
	{ "eth_100", 100000, 100000, 2, 20, 0, 3 },
	{ "far", 50000, 50000, 100, 100, 0, 8 },
};

FIXTURE(paths) {
};

FIXTURE_SETUP(paths)
{
}

FIXTURE_TEARDOWN(paths)
{
}

TEST_F_TIMEOUT(paths, without_loss, 1800)
{
	double tcp, sss;
	unsigned int i, a;

	for (a = 0; a < 2; a++) {
		for (i = 0; i < sizeof(clean) / sizeof(clean[0]); i++) {
			tcp = goodput(&clean[i], true, algorithms[a]);
			sss = goodput(&clean[i], false, algorithms[a]);
			TH_LOG("%s, %s: TCP %.0f, AF_SSS %.0f kbit/s: %.3f", clean[i].name,
			       algorithms[a], tcp, sss, sss / tcp);
			ASSERT_LT(0, tcp);
			EXPECT_LT(0.95 * tcp, sss);
		}
	}
}

static double mean(const struct path *path, bool tcp, const char *algorithm, int runs)
{
	double sum = 0, one;
	int i;

	for (i = 0; i < runs; i++) {
		one = goodput(path, tcp, algorithm);
		if (one < 0)
			return -1;
		sum += one;
	}
	return sum / runs;
}

/* The mean of ten runs each */
TEST_F_TIMEOUT(paths, with_loss, 3600)
{
	static const int losses[] = { 10, 100, 300 }, seconds[] = { 6, 20, 25 };
	struct path path = { "lossy", 10000, 10000, 40, 100, 0, 0 };
	double tcp, sss;
	unsigned int i, a;

	for (a = 0; a < 2; a++) {
		for (i = 0; i < 3; i++) {
			path.loss = losses[i];
			path.seconds = seconds[i];
			tcp = mean(&path, true, algorithms[a], 10);
			sss = mean(&path, false, algorithms[a], 10);
			TH_LOG("%.1f %% lost, %s: TCP %.0f, AF_SSS %.0f kbit/s: %.3f",
			       losses[i] / 100.0, algorithms[a], tcp, sss, sss / tcp);
			ASSERT_LT(0, tcp);
			EXPECT_LT(0.85 * tcp, sss);
		}
	}
}

#define RUNS	10

/*
 * One of each share a link for a minute. The mean of several: with nothing random
 * in the path, it is small things that decide whose packet finds the queue full, and
 * a few milliseconds of round trip more or less change them.
 */
TEST_F_TIMEOUT(paths, fair_to_tcp, 1800)
{
	struct path path = { "shared", 10000, 10000, 20, 100, 0, 60 };
	struct flow flows[2];
	unsigned int a, i, tcp;
	double share, mean;

	for (a = 0; a < 2; a++) {
		for (i = 0, mean = 0; i < RUNS; i++) {
			path.rtt = 20 + 3 * i;
			tcp = i & 1;	/* who begins */
			take(&path);
			ASSERT_TRUE(start(&flows[0], tcp, algorithms[a]));
			ASSERT_TRUE(start(&flows[1], !tcp, algorithms[a]));
			read_for(flows, 2, path.seconds * 1000);
			share = 100.0 * flows[!!tcp].got / (flows[0].got + flows[1].got);
			TH_LOG("%s, %d ms: %.1f %% beside TCP", algorithms[a], path.rtt, share);
			mean += share / RUNS;
			stop(&flows[0]);
			stop(&flows[1]);
		}
		TH_LOG("%s: %.1f %%", algorithms[a], mean);
		EXPECT_LT(45, mean);
		EXPECT_GT(55, mean);
	}
}

/* LEDBAT alone fills a link, and leaves it to TCP when that comes. */
TEST_F_TIMEOUT(paths, ledbat, 600)
{
	struct path path = { "background", 10000, 10000, 40, 200, 0, 60 };
	struct flow flows[2];
	double alone, share;

	alone = goodput(&path, false, "ledbat");
	take(&path);
	ASSERT_TRUE(start(&flows[0], false, "ledbat"));
	read_for(flows, 1, 5000);
	ASSERT_TRUE(start(&flows[1], true, "cubic"));
	flows[0].got = 0;
	read_for(flows, 2, path.seconds * 1000);
	share = 100.0 * flows[0].got / (flows[0].got + flows[1].got);
	TH_LOG("alone %.0f kbit/s, %.1f %% beside TCP", alone, share);
	EXPECT_LT(0.9 * path.rate, alone);
	EXPECT_GT(10, share);
	stop(&flows[0]);
	stop(&flows[1]);
}

TEST_HARNESS_MAIN
