// SPDX-License-Identifier: GPL-2.0
/*
 * Explicit congestion notification: routers that mark, that take the marks away,
 * and that drop what is marked. A router is a rule where packets come in.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define BYTES	(8 << 20)

/* What happens to packets that come to @who; NULL: nothing any more */
static void route(int who, const char *rule)
{
	shell_in(who, "nft 'table inet marks; delete table inet marks'");
	if (rule)
		shell_in(who, "nft 'table inet marks { chain in { type filter hook prerouting "
			 "priority 0; %s; }; }'", rule);
}

static bool transfer(int fd[2], size_t bytes)
{
	pid_t pid = fork();
	int status = -1;
	bool good;

	if (!pid)
		_exit(send_pattern(fd[ALICE], bytes, 1, 0) != (ssize_t)bytes);
	good = recv_pattern(fd[BOB], bytes, 1, 0) == (ssize_t)bytes;
	waitpid(pid, &status, 0);
	return good && !status;
}

FIXTURE(ecn) {
	long long failed, marked;
};

FIXTURE_SETUP(ecn)
{
	/* Each time a channel that has seen no path before */
	set_sysctl(ALICE, "idle_timeout_ms", "10");
	set_sysctl(BOB, "idle_timeout_ms", "10");
	ASSERT_TRUE(eventually(PATIENCE, !get_stat(ALICE, "Channels") &&
					 !get_stat(BOB, "Channels")));
	self->failed = get_stat(ALICE, "EcnFailed");
	self->marked = get_stat(BOB, "EcnCeReceived");
}

FIXTURE_TEARDOWN(ecn)
{
	route(BOB, NULL);
	route(ALICE, NULL);
}

/* Marks slow the sender down as losses would, but nothing has to be sent again. */
TEST_F_TIMEOUT(ecn, congestion, 60)
{
	struct sss_info info = { };
	socklen_t len = sizeof(info);
	long long marks, lost;
	int fd[2], i;

	ASSERT_EQ(0, stream_pair(V4, fd));
	route(BOB, "iifname wire ip ecn ect0 numgen inc mod 100 == 0 ip ecn set ce");
	/* a machine that is late for an ACK or a queue of its own may lose some, now and then */
	for (i = 0, marks = lost = 0; i < 3 && lost >= marks; i++) {
		marks = -get_stat(BOB, "EcnCeReceived");
		lost = -get_stat(ALICE, "PktsLost");
		ASSERT_TRUE(transfer(fd, BYTES));
		marks += get_stat(BOB, "EcnCeReceived");
		lost += get_stat(ALICE, "PktsLost");
		EXPECT_LT(0, marks);
	}
	EXPECT_GT(marks, lost);
	EXPECT_EQ(self->failed, get_stat(ALICE, "EcnFailed"));
	ASSERT_EQ(0, getsockopt(fd[ALICE], SOL_SSS, SSS_INFO, &info, &len));
	/* slow start is over, though nothing was lost */
	EXPECT_GT(1 << 20, info.ssthresh) TH_LOG("%llu", (unsigned long long)info.ssthresh);
	close(fd[ALICE]);
	close(fd[BOB]);
}

TEST_F_TIMEOUT(ecn, without_marks, 60)
{
	int fd[2];

	ASSERT_EQ(0, stream_pair(V4, fd));
	ASSERT_TRUE(transfer(fd, BYTES));
	EXPECT_EQ(self->failed, get_stat(ALICE, "EcnFailed"));
	EXPECT_EQ(self->marked, get_stat(BOB, "EcnCeReceived"));
	close(fd[ALICE]);
	close(fd[BOB]);
}

/* Who counts no marks although there were some, or others, gets none any more. */
TEST_F_TIMEOUT(ecn, taken_off, 60)
{
	static const char *const rules[] = {
		"iifname wire ip ecn set not-ect", "iifname wire ip ecn set ect1",
	};
	int fd[2], i;

	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(eventually(PATIENCE, !get_stat(ALICE, "Channels")));
		route(BOB, rules[i]);
		ASSERT_EQ(0, stream_pair(V4, fd));
		ASSERT_TRUE(transfer(fd, BYTES / 8));
		EXPECT_EQ(self->failed + 1 + i, get_stat(ALICE, "EcnFailed"));
		close(fd[ALICE]);
		close(fd[BOB]);
	}
}

/* Nothing that is marked arrives: without marks it does. */
TEST_F_TIMEOUT(ecn, dropped, 60)
{
	int fd[2];

	/* by IPv6, too, where they would go on otherwise if that were tried first */
	route(BOB, "iifname wire ip ecn ect0 drop; iifname wire ip6 ecn ect0 drop");
	ASSERT_EQ(0, stream_pair(V4, fd)) TH_LOG("%m");
	ASSERT_TRUE(transfer(fd, BYTES / 8));
	EXPECT_LE(self->failed + 1, get_stat(ALICE, "EcnFailed"));
	close(fd[ALICE]);
	close(fd[BOB]);
}

TEST_HARNESS_MAIN
