// SPDX-License-Identifier: GPL-2.0
/*
 * What is done about losses, in virtual time: the last packet of a message is
 * lost, everything is lost for a while, nothing is lost but it came late.
 */
#include "kselftest_harness.h"
#include "echo.h"

#define ROUND_TRIP	50	/* ms */

static void drop_all(bool on)
{
	shell_in(BOB, "nft 'table inet cut; delete table inet cut'");
	if (on)
		shell_in(BOB, "nft 'table inet cut { chain in { type filter hook prerouting "
			 "priority 0; iifname wire drop; }; }'");
}

static struct sss_info info_of(int fd)
{
	struct sss_info info = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SSS, SSS_INFO, &info, &len);
	return info;
}

FIXTURE(recovery) {
	int fd[2];
	pid_t child;
};

FIXTURE_SETUP(recovery)
{
	char how[64];

	snprintf(how, sizeof(how), "delay %dms limit 10000", ROUND_TRIP / 2);
	netem(ALICE, how);
	netem(BOB, how);
	ASSERT_EQ(0, stream_pair(V4, self->fd));
	self->child = 0;
}

FIXTURE_TEARDOWN(recovery)
{
	drop_all(false);
	if (self->child) {
		kill(self->child, SIGKILL);
		waitpid(self->child, NULL, 0);
	}
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	netem(ALICE, NULL);
	netem(BOB, NULL);
}

/* A probe comes after one and a half round trips, and brings the data along. */
TEST_F_TIMEOUT(recovery, tail_loss_probe, 60)
{
	uint32_t before;
	long long took;
	pid_t restorer;
	int i;

	self->child = answer(self->fd[BOB]);
	for (i = 0; i < 10; i++)
		ASSERT_LE(ROUND_TRIP, ask(self->fd[ALICE]));
	before = info_of(self->fd[ALICE]).ptos;
	drop_all(true);
	restorer = fork();
	if (!restorer) {
		usleep(ROUND_TRIP * 1000 * 9 / 10);
		drop_all(false);
		_exit(0);
	}
	took = ask(self->fd[ALICE]);
	waitpid(restorer, NULL, 0);
	EXPECT_LE(2 * ROUND_TRIP, took);
	EXPECT_GT(3 * ROUND_TRIP, took) TH_LOG("%lld ms", took);
	EXPECT_EQ(before + 1, info_of(self->fd[ALICE]).ptos);
}

/* Each probe that is not answered is given twice the time. */
TEST_F_TIMEOUT(recovery, probes_back_off, 60)
{
	uint32_t before;

	self->child = answer(self->fd[BOB]);
	for (int i = 0; i < 10; i++)
		ASSERT_LE(ROUND_TRIP, ask(self->fd[ALICE]));
	/* bob has nothing left to ask, and no address is still new */
	usleep(3000000);
	before = info_of(self->fd[ALICE]).ptos;
	drop_all(true);
	ASSERT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	/* after 1, 3, 7, 15 and 31 probe timeouts of one to two round trips */
	usleep(60 * ROUND_TRIP * 1000);
	EXPECT_EQ(before + 5, info_of(self->fd[ALICE]).ptos);
}

static void write_for_ever(int fd)
{
	static char buf[65536];

	while (send(fd, buf, sizeof(buf), MSG_NOSIGNAL) > 0)
		;
	_exit(0);
}

/* Reads for so long; the smallest window seen meanwhile */
static uint64_t read_for(int fd[2], int ms)
{
	static char buf[1 << 20];
	long long end = now_ms() + ms;
	uint64_t least = ~0ull, cwnd;

	while (now_ms() < end) {
		if (polled(fd[BOB], POLLIN, 1) & POLLIN)
			recv(fd[BOB], buf, sizeof(buf), MSG_DONTWAIT);
		cwnd = info_of(fd[ALICE]).cwnd;
		if (cwnd < least)
			least = cwnd;
	}
	return least;
}

/* After a cut of many round trips what is known of the path counts no more. */
TEST_F_TIMEOUT(recovery, persistent_congestion, 60)
{
	long long before = get_stat(ALICE, "CongPersistent"), before_lost;
	uint64_t least;

	netem(ALICE, "delay 25ms rate 10mbit limit 10000");
	self->child = fork();
	if (!self->child)
		write_for_ever(self->fd[ALICE]);
	read_for(self->fd, 3000);
	EXPECT_LT(30000, info_of(self->fd[ALICE]).cwnd);
	before_lost = get_stat(ALICE, "PktsLost");
	/* a short one says nothing of the kind */
	drop_all(true);
	read_for(self->fd, ROUND_TRIP);
	drop_all(false);
	read_for(self->fd, 3000);
	EXPECT_LT(before_lost, get_stat(ALICE, "PktsLost"));
	EXPECT_EQ(before, get_stat(ALICE, "CongPersistent"));
	drop_all(true);
	read_for(self->fd, 5000);
	drop_all(false);
	least = read_for(self->fd, 5000);
	EXPECT_LE(before + 1, get_stat(ALICE, "CongPersistent"));
	EXPECT_GE(3000, least) TH_LOG("%llu", (unsigned long long)least);
	EXPECT_LT(20000, info_of(self->fd[ALICE]).cwnd);
}

/* Packets that overtake others look like losses, until those arrive. */
TEST_F_TIMEOUT(recovery, reordering, 60)
{
	long long before = get_stat(ALICE, "CongUndone");
	struct sss_info info;

	netem(ALICE, "delay 25ms reorder 99% gap 50 limit 10000");
	self->child = fork();
	if (!self->child)
		write_for_ever(self->fd[ALICE]);
	read_for(self->fd, 3000);
	info = info_of(self->fd[ALICE]);
	EXPECT_LT(0, info.pkts_spurious);
	EXPECT_LT(before, get_stat(ALICE, "CongUndone"));
}

TEST_HARNESS_MAIN
