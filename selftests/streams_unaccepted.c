// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that nobody accepts, on a link that is down: after a minute they are
 * gone, with their data, and do not keep their channel. In virtual time.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define MINUTE 60000

FIXTURE(down)
{
};

FIXTURE_SETUP(down)
{
	set_sysctl(BOB, "down_timeout_ms", "1000");
	set_sysctl(BOB, "orphan_timeout_ms", "5000");
	set_sysctl(BOB, "idle_timeout_ms", "1000");
	set_sysctl(BOB, "connect_timeout_ms", "1000");
}

FIXTURE_TEARDOWN(down)
{
}

TEST_F_TIMEOUT(down, unaccepted_streams_go, 300)
{
	int listener = listen_on(V4, "waiting", 5), fd[2], waiting[2], i;
	long long start;

	ASSERT_LE(0, listener);
	ASSERT_EQ(0, stream_pair(V4, fd)) TH_LOG("%s", strerror(errno));
	for (i = 0; i < 2; i++) {
		waiting[i] = dial(V4, "waiting");
		ASSERT_LE(0, waiting[i]) TH_LOG("%s", strerror(errno));
		EXPECT_EQ(20000, send_pattern(waiting[i], 20000, i, 0));
	}
	EXPECT_TRUE(eventually(5000, !get_stat(ALICE, "TxChunks")));
	EXPECT_LT(0, get_stat(BOB, "RxSegments"));

	netem(ALICE, "loss 100%");
	netem(BOB, "loss 100%");
	start = now_ms();
	/* It takes something unanswered to see that the link is down. */
	EXPECT_EQ(1, send(fd[BOB], "x", 1, 0));
	sleep(50);
	EXPECT_LT(0, get_stat(BOB, "RxSegments"));
	EXPECT_TRUE(polled(listener, POLLIN, 0) & POLLIN);
	EXPECT_TRUE(eventually(MINUTE, !get_stat(BOB, "RxSegments")));
	EXPECT_LE(MINUTE, now_ms() - start);
	EXPECT_GE(MINUTE + 5000, now_ms() - start);
	EXPECT_EQ(0, polled(listener, POLLIN, 0));
	set_nonblock(listener, true);
	EXPECT_EQ(-1, accept(listener, NULL, NULL));
	EXPECT_EQ(EAGAIN, errno);
	/* The listener's account is empty again, and the accepted stream lives. */
	EXPECT_EQ(0, so_error(fd[BOB]));
	close(fd[BOB]);
	EXPECT_TRUE(eventually(MINUTE, !get_stat(BOB, "Streams") && !get_stat(BOB, "Channels")))
		TH_LOG("streams %lld", get_stat(BOB, "Streams"));
	close(listener);
	EXPECT_TRUE(eventually(1000, !get_stat(BOB, "Sockets")));
}

TEST_HARNESS_MAIN
