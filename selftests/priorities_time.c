// SPDX-License-Identifier: GPL-2.0
/*
 * Priorities on a slow line, in virtual time, where shares and moments are
 * exact: weights over 10 MB, and figure 9 of the SST paper.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define ROUND_TRIP	50	/* ms */
#define MAX_ACK_DELAY	25	/* ms */
#define LINE		"delay 25ms rate %s limit 20"
#define MOST		3

static long long got[MOST];
static long long received_at[MOST];	/* the last, ms */

static int prefer(int fd, int urgency, int weight)
{
	struct sss_priority priority = {
		.urgency = urgency, .incremental = 1, .weight = weight,
	};

	return setsockopt(fd, SOL_SSS, SSS_PRIORITY, &priority, sizeof(priority));
}

/* Bob sends so much on a stream when he is asked. */
static pid_t offer(int fd, size_t bytes)
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	if (recv(fd, &c, 1, 0) == 1)
		send_pattern(fd, bytes, 1, 0);
	shutdown(fd, SHUT_WR);
	recv(fd, &c, 1, 0);
	_exit(0);
}

/* Reads what comes until @until (ms); true: all streams are at their end. */
static bool read_until(const int *fd, int n, long long until)
{
	static bool ended[MOST];
	static char buf[65536];
	struct pollfd p[MOST];
	int i, open;

	for (;;) {
		open = 0;
		for (i = 0; i < n; i++) {
			p[i] = (struct pollfd){ .fd = ended[i] ? -1 : fd[i], .events = POLLIN };
			open += !ended[i];
		}
		if (!open)
			return true;
		if (now_ms() >= until)
			return false;
		poll(p, n, until - now_ms());
		for (i = 0; i < n; i++) {
			ssize_t len = p[i].revents & POLLIN ?
				      recv(fd[i], buf, sizeof(buf), MSG_DONTWAIT) : -1;

			ended[i] |= !len;
			if (len <= 0)
				continue;
			got[i] += len;
			received_at[i] = now_ms();
		}
	}
}

struct line {
	int near[MOST];
	pid_t server[MOST];
};

static bool set_up(struct line *line, const char *rate, size_t bytes)
{
	char how[128];
	int fd[2], i;

	snprintf(how, sizeof(how), LINE, rate);
	netem(ALICE, "delay 25ms");
	shell_in(BOB, "ethtool -K wire tso off gso off tx-udp-segmentation off >/dev/null");
	netem(BOB, how);
	for (i = 0; i < MOST; i++) {
		if (stream_pair(V4, fd))
			return false;
		line->near[i] = fd[ALICE];
		line->server[i] = offer(fd[BOB], bytes);
		close(fd[BOB]);
	}
	return true;
}

static void tear_down(struct line *line)
{
	for (int i = 0; i < MOST; i++) {
		kill(line->server[i], SIGKILL);
		waitpid(line->server[i], NULL, 0);
		close(line->near[i]);
	}
}

FIXTURE(line) {
};

FIXTURE_SETUP(line)
{
}

FIXTURE_TEARDOWN(line)
{
}

/* Shares of 10 MB, within 5 % of what the weights say; nobody starves. */
TEST_F_TIMEOUT(line, weights_over_10_mb, 600)
{
	static const int weights[MOST] = { 160, 36, 4 };
	long long all;
	struct line line;
	int i;

	ASSERT_TRUE(set_up(&line, "8mbit", 20 << 20));
	for (i = 0; i < MOST; i++)
		ASSERT_EQ(0, prefer(line.near[i], 3, weights[i]));
	for (i = 0; i < MOST; i++)
		ASSERT_EQ(1, send(line.near[i], "x", 1, 0));
	read_until(line.near, MOST, now_ms() + 2000);	/* windows are open */
	memset(got, 0, sizeof(got));
	do {
		read_until(line.near, MOST, now_ms() + 100);
		all = got[0] + got[1] + got[2];
	} while (all < 10 << 20);
	for (i = 0; i < MOST; i++) {
		double share = (double)got[i] / all, wanted = weights[i] / 200.0;

		TH_LOG("weight %d: %.2f %%", weights[i], 100 * share);
		EXPECT_LT(0.95 * wanted, share);
		EXPECT_GT(1.05 * wanted, share);
	}
	tear_down(&line);
}

static void show(long long since)
{
	printf("# %7lld %8lld %8lld %8lld\n", now_ms() - since, got[0], got[1], got[2]);
}

/* Reads for a while; what came of each in that time, and a line each 100 ms */
static void watch(const int *fd, long long since, long long ms, long long *came)
{
	long long end = now_ms() + ms, before[MOST];

	memcpy(before, got, sizeof(got));
	while (now_ms() < end) {
		read_until(fd, MOST, now_ms() + 100 < end ? now_ms() + 100 : end);
		show(since);
	}
	for (int i = 0; i < MOST; i++)
		came[i] = got[i] - before[i];
}

static long long rtt_ms(int fd)
{
	socklen_t len = sizeof(struct sss_info);
	struct sss_info info = { .rtt = 0 };

	getsockopt(fd, SOL_SSS, SSS_INFO, &info, &len);
	return info.rtt / 1000;
}

/*
 * Two transfers of 1.5 MB share the line; after 5 s an urgent third freezes
 * them; after 10 s it is swapped with the first. Who receives decides, and it
 * shows one round trip later, the queue of the line included.
 */
TEST_F_TIMEOUT(line, figure_9, 600)
{
	long long start, came[MOST], round_trip;
	struct line line;
	int i;

	ASSERT_TRUE(set_up(&line, "1500kbit", 1500000));
	printf("# ms, bytes of each of three transfers\n");
	start = now_ms();
	for (i = 0; i < 2; i++)
		ASSERT_EQ(1, send(line.near[i], "x", 1, 0));
	watch(line.near, start, 5000, came);
	EXPECT_LT(0.9 * came[0], came[1]);
	EXPECT_LT(0.9 * came[1], came[0]);

	/* and twenty packets of 8 ms, and how long an ACK may wait */
	round_trip = ROUND_TRIP + 20 * 8 + MAX_ACK_DELAY;
	EXPECT_GE(round_trip, rtt_ms(line.near[0]));
	ASSERT_EQ(0, prefer(line.near[2], 0, 16));
	ASSERT_EQ(1, send(line.near[2], "x", 1, 0));
	watch(line.near, start, round_trip, came);
	watch(line.near, start, 5000 - round_trip, came);
	EXPECT_LT(650000, came[2]);
	/* but for what the first window lets them have while it waits */
	EXPECT_GT(came[2] / 20, came[0] + came[1]) TH_LOG("%lld, %lld, %lld", came[0], came[1],
							    came[2]);

	ASSERT_EQ(0, prefer(line.near[0], 0, 16));
	ASSERT_EQ(0, prefer(line.near[2], 3, 16));
	watch(line.near, start, round_trip, came);
	watch(line.near, start, 3000, came);
	EXPECT_LT(400000, came[0]);
	EXPECT_GT(came[0] / 20, came[1] + came[2]) TH_LOG("%lld, %lld, %lld", came[0], came[1],
							    came[2]);
	/* All of it arrives, and the line was never idle: 4.5 MB are 24 s. */
	while (!read_until(line.near, MOST, now_ms() + 100))
		show(start);
	for (i = 0; i < MOST; i++)
		EXPECT_EQ(1500000, got[i]);
	EXPECT_LT(received_at[0], received_at[1]);
	EXPECT_GT(start + 26500, now_ms());
	tear_down(&line);
}

TEST_HARNESS_MAIN
