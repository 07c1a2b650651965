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
	{ "eth_1000", 1000000, 1000000, 2, 20, 0, 1 },
	{ "far", 50000, 50000, 100, 100, 0, 8 },
};

#define FEW_CLEAN 5	/* of them, those that "make check-time" has time for */

FIXTURE(paths) {
};

FIXTURE_SETUP(paths)
{
}

FIXTURE_TEARDOWN(paths)
{
}

static void compare(struct __test_metadata *_metadata, const struct path *path,
		    const char *algorithm)
{
	double tcp = goodput(path, true, algorithm);
	double sss = goodput(path, false, algorithm);

	TH_LOG("%s, %s: TCP %.0f, AF_SSS %.0f kbit/s: %.3f", path->name, algorithm, tcp, sss,
	       sss / tcp);
	ASSERT_LT(0, tcp);
	EXPECT_LT(0.95 * tcp, sss);
}

TEST_F_TIMEOUT(paths, without_loss, 600)
{
	for (unsigned int i = 0; i < FEW_CLEAN; i++)
		compare(_metadata, &clean[i], "cubic");
}

TEST_F_TIMEOUT(paths, all_without_loss, 3600)
{
	unsigned int i, a;

	for (a = 0; a < 2; a++)
		for (i = 0; i < sizeof(clean) / sizeof(clean[0]); i++)
			compare(_metadata, &clean[i], algorithms[a]);
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

/* The presets have no round trip for wireless: 10 ms are assumed. */
static const struct path lossy[] = {
	{ "1 %", 10000, 10000, 40, 100, 100, 20 },
	{ "3 %", 10000, 10000, 40, 100, 300, 25 },
	{ "0.1 %", 10000, 10000, 40, 100, 10, 6 },
	{ "wifi_54", 22000, 22000, 10, 50, 500, 10 },
	{ "wifi_600", 300000, 300000, 10, 50, 700, 10 },
};

/* The mean of ten runs each, or of more where chance is not to decide */
static void compare_means(struct __test_metadata *_metadata, const struct path *path,
			  const char *algorithm, int runs)
{
	double tcp = mean(path, true, algorithm, runs);
	double sss = mean(path, false, algorithm, runs);

	TH_LOG("%s lost, %s: TCP %.0f, AF_SSS %.0f kbit/s: %.3f", path->name, algorithm, tcp,
	       sss, sss / tcp);
	ASSERT_LT(0, tcp);
	EXPECT_LT(0.85 * tcp, sss);
}

TEST_F_TIMEOUT(paths, with_loss, 3600)
{
	for (unsigned int i = 0; i < 3; i++)
		compare_means(_metadata, &lossy[i], "cubic", 10);
}

TEST_F_TIMEOUT(paths, all_with_loss, 10800)
{
	unsigned int i, a;

	for (a = 0; a < 2; a++)
		for (i = 0; i < sizeof(lossy) / sizeof(lossy[0]); i++)
			compare_means(_metadata, &lossy[i], algorithms[a], 30);
}

/*
 * One of each share a link for a minute. The mean of several: with nothing random
 * in the path, it is small things that decide whose packet finds the queue full, and
 * a few milliseconds of round trip more or less change them.
 */
static void share(struct __test_metadata *_metadata, const char *algorithm, int runs)
{
	struct path path = { "shared", 10000, 10000, 20, 100, 0, 60 };
	struct flow flows[2];
	double part, sum = 0;
	int i, tcp;

	for (i = 0; i < runs; i++) {
		path.rtt = 20 + 3 * i;
		tcp = i & 1;	/* who begins */
		take(&path);
		ASSERT_TRUE(start(&flows[0], tcp, algorithm));
		ASSERT_TRUE(start(&flows[1], !tcp, algorithm));
		read_for(flows, 2, path.seconds * 1000);
		part = 100.0 * flows[!!tcp].got / (flows[0].got + flows[1].got);
		TH_LOG("%s, %d ms: %.1f %% beside TCP", algorithm, path.rtt, part);
		sum += part;
		stop(&flows[0]);
		stop(&flows[1]);
	}
	TH_LOG("%s: %.1f %%", algorithm, sum / runs);
	EXPECT_LT(45, sum / runs);
	EXPECT_GT(55, sum / runs);
}

TEST_F_TIMEOUT(paths, fair_to_tcp, 900)
{
	share(_metadata, "cubic", 10);
}

TEST_F_TIMEOUT(paths, fair_to_tcp_always, 3600)
{
	for (unsigned int a = 0; a < 2; a++)
		share(_metadata, algorithms[a], 10);
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
