// SPDX-License-Identifier: GPL-2.0
/*
 * SSS_BACKGROUND, in virtual time: a stream that fills a path nobody else uses,
 * leaves it to TCP and to the other streams of its channel, and takes nothing of
 * what those may use.
 */
#include "kselftest_harness.h"
#include "echo.h"
#include "path.h"

static const struct path line = { "line", 10000, 10000, 40, 200, 0, 0 };

static int set_background(int fd, int on)
{
	return setsockopt(fd, SOL_SSS, SSS_BACKGROUND, &on, sizeof(on));
}

/* A stream in the background, as a substream of one */
static int begin(struct flow *flow, int parent[2])
{
	struct sss_open open = { .kind = SOCK_STREAM, .flags = SOCK_CLOEXEC };

	if (sss_pair("cubic", parent) || set_background(parent[ALICE], 1) ||
	    listen(parent[BOB], 1))
		return -1;
	flow->fd[ALICE] = ioctl(parent[ALICE], SSS_IOC_OPEN, &open);
	if (flow->fd[ALICE] < 0)
		return -1;
	flow->fd[BOB] = accept4(parent[BOB], NULL, NULL, SOCK_CLOEXEC);
	if (flow->fd[BOB] < 0)
		return -1;
	write_on(flow);
	return 0;
}

FIXTURE(background) {
	int parent[2];
	struct flow flows[2];
};

FIXTURE_SETUP(background)
{
	take(&line);
}

FIXTURE_TEARDOWN(background)
{
	close(self->parent[ALICE]);
	close(self->parent[BOB]);
}

TEST_F_TIMEOUT(background, beside_tcp, 300)
{
	double rates[2];

	ASSERT_EQ(0, begin(&self->flows[0], self->parent));
	read_for(self->flows, 1, 5000);
	measure(self->flows, 1, 10000, rates);
	TH_LOG("alone %.0f kbit/s", rates[0]);
	EXPECT_LT(0.9 * line.rate, rates[0]);

	ASSERT_TRUE(start(&self->flows[1], true, "cubic"));
	measure(self->flows, 2, 30000, rates);
	TH_LOG("%.0f kbit/s beside TCP's %.0f", rates[0], rates[1]);
	EXPECT_GT(0.1 * (rates[0] + rates[1]), rates[0]);
	EXPECT_LT(0.9 * line.rate, rates[0] + rates[1]);

	/* As usual from now on; and back again */
	ASSERT_EQ(0, set_background(self->flows[0].fd[ALICE], 0));
	measure(self->flows, 2, 30000, rates);
	TH_LOG("%.0f kbit/s beside TCP's %.0f as any stream", rates[0], rates[1]);
	EXPECT_LT(0.25 * line.rate, rates[0]);
	ASSERT_EQ(0, set_background(self->flows[0].fd[ALICE], 1));
	read_for(self->flows, 2, 5000);
	measure(self->flows, 2, 10000, rates);
	TH_LOG("%.0f kbit/s beside TCP's %.0f afterwards", rates[0], rates[1]);
	EXPECT_GT(0.1 * (rates[0] + rates[1]), rates[0]);
	stop(&self->flows[0]);
	stop(&self->flows[1]);
}

/* Another stream of the channel is as fast as it would be alone. */
TEST_F_TIMEOUT(background, beside_a_stream, 300)
{
	double alone, rates[2];
	struct flow *flows = self->flows;
	long long waited;
	pid_t bob, reader;
	int fd[2];

	ASSERT_TRUE(start(&flows[1], false, "cubic"));
	measure(&flows[1], 1, 15000, &alone);
	stop(&flows[1]);

	ASSERT_EQ(0, begin(&flows[0], self->parent));
	read_for(flows, 1, 5000);
	ASSERT_EQ(0, stream_pair(V4, flows[1].fd));
	write_on(&flows[1]);
	measure(flows, 2, 15000, rates);
	TH_LOG("%.0f kbit/s alone, %.0f beside %.0f", alone, rates[1], rates[0]);
	EXPECT_LT(0.95 * alone, rates[1]);
	EXPECT_GT(0.05 * alone, rates[0]);
	stop(&flows[1]);
	read_for(flows, 1, 5000);
	measure(flows, 1, 5000, rates);
	EXPECT_LT(0.9 * line.rate, rates[0]) TH_LOG("%.0f when the other is gone", rates[0]);

	/* and one that says little waits for the line's queue, which is kept short */
	ASSERT_EQ(0, stream_pair(V4, fd));
	bob = answer(fd[BOB]);
	reader = fork();
	if (!reader) {
		read_for(flows, 1, 60000);
		_exit(0);
	}
	for (int i = 0; i < 20; i++) {
		usleep(100000);
		waited = ask(fd[ALICE]);
		EXPECT_GT(line.rtt + 60 + 20, waited) TH_LOG("%lld ms", waited);
		EXPECT_LE(line.rtt, waited);
	}
	kill(bob, SIGKILL);
	kill(reader, SIGKILL);
	waitpid(bob, NULL, 0);
	waitpid(reader, NULL, 0);
	close(fd[ALICE]);
	close(fd[BOB]);
	stop(&flows[0]);
}

/* What it loses is no reason for others to send less. */
TEST_F_TIMEOUT(background, losses, 300)
{
	uint64_t before;
	double rate;

	lose(300);
	ASSERT_EQ(0, begin(&self->flows[0], self->parent));
	before = info_of(self->parent[ALICE]).cwnd;
	measure(self->flows, 1, 15000, &rate);
	EXPECT_LT(0, info_of(self->parent[ALICE]).pkts_lost);
	EXPECT_LE(before, info_of(self->parent[ALICE]).cwnd);
	EXPECT_GT(0.5 * line.rate, rate) TH_LOG("%.0f kbit/s", rate);
	stop(&self->flows[0]);
}

TEST_HARNESS_MAIN
