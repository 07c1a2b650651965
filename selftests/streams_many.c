// SPDX-License-Identifier: GPL-2.0
/*
 * A thousand streams at once over one channel, each a file of its own: they do
 * not mix, and a reader that stops on one delays none of the others.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define STREAMS 1000
#define EACH 5000	/* bytes there and back on each */
#define WAIT 25000

static int near[STREAMS], far[STREAMS];

static void raise_limit(void)
{
	struct rlimit limit = { 3 * STREAMS, 3 * STREAMS };

	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Connects without waiting, accepts as they come. */
static bool open_all(int family, int listener)
{
	struct sockaddr_sss addr = address(BOB, family, "many", "test 1");
	int i;

	for (i = 0; i < STREAMS; i++) {
		near[i] = caller(family, SOCK_NONBLOCK);
		if (near[i] < 0 || (connect_to(near[i], &addr) && errno != EINPROGRESS))
			return false;
	}
	for (i = 0; i < STREAMS; i++) {
		far[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (far[i] < 0)
			return false;
	}
	for (i = 0; i < STREAMS; i++) {
		if (polled(near[i], POLLOUT, WAIT) != POLLOUT || so_error(near[i]))
			return false;
	}
	return true;
}

static void close_all(void)
{
	for (int i = 0; i < STREAMS; i++) {
		close(near[i]);
		close(far[i]);
	}
}

/* What stream @i's first four bytes say it is */
static int number_of(int fd)
{
	int i = -1;

	set_nonblock(fd, false);
	set_timeout(fd, SO_RCVTIMEO, WAIT);
	return recv(fd, &i, sizeof(i), MSG_WAITALL) == sizeof(i) ? i : -1;
}

static void many(struct __test_metadata *_metadata, int family)
{
	int listener = listen_on(family, "many", STREAMS), i, n;
	bool seen[STREAMS] = { };
	ssize_t sent;

	raise_limit();
	ASSERT_LE(0, listener);
	set_timeout(listener, SO_RCVTIMEO, WAIT);
	ASSERT_TRUE(open_all(family, listener)) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(1, get_stat(ALICE, "Channels"));
	EXPECT_EQ(1, get_stat(BOB, "Channels"));

	for (i = 0; i < STREAMS; i++) {
		ASSERT_EQ(sizeof(i), send(near[i], &i, sizeof(i), 0));
		ASSERT_EQ(EACH, send_pattern(near[i], EACH, i, 0));
	}
	/* Backwards: the first written is the last read. */
	for (i = STREAMS - 1; i >= 0; i--) {
		n = number_of(far[i]);
		ASSERT_LE(0, n);
		ASSERT_GT(STREAMS, n);
		EXPECT_FALSE(seen[n]);
		seen[n] = true;
		ASSERT_EQ(EACH, recv_pattern(far[i], EACH, n, 0)) TH_LOG("stream %d", n);
		ASSERT_EQ(EACH, send_pattern(far[i], EACH, n + STREAMS, 0));
	}
	for (i = 0; i < STREAMS; i++) {
		set_nonblock(near[i], false);
		set_timeout(near[i], SO_RCVTIMEO, WAIT);
		ASSERT_EQ(EACH, recv_pattern(near[i], EACH, i + STREAMS, 0));
	}

	/* Nobody reads one; the others do not notice. */
	sent = fill_up(near[0], 1, 0);
	EXPECT_LT(0, sent);
	for (i = 1; i < STREAMS; i += 10)
		ASSERT_EQ(EACH, send_pattern(near[i], EACH, i, 0));
	/* Which far end is which is known by what it reads only. */
	for (i = 0, n = 0; i < STREAMS; i++)
		n += polled(far[i], POLLIN, 0) == POLLIN;
	EXPECT_TRUE(eventually(WAIT, ({
		for (i = 0, n = 0; i < STREAMS; i++)
			n += polled(far[i], POLLIN, 0) == POLLIN;
		n == 1 + (STREAMS + 8) / 10;
	})));
	close_all();
	close(listener);
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Streams") && !get_stat(BOB, "Streams")));
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Sockets") && !get_stat(BOB, "Sockets")));
}

TEST(thousand_streams)
{
	many(_metadata, V4);
}

/* One stream full to the brim: a fast one beside it moves megabytes. */
TEST(stopped_reader_delays_nobody)
{
	int stopped[2], fast[2], status;
	ssize_t len = 2 << 20;

	ASSERT_EQ(0, stream_pair(V4, stopped));
	ASSERT_EQ(0, stream_pair(V4, fast));
	ASSERT_LT(0, fill_up(stopped[ALICE], 1, 0));
	EXPECT_EQ(0, polled(stopped[ALICE], POLLOUT, 0));
	if (!fork())
		_exit(send_pattern(fast[ALICE], len, 2, 0) != len);
	set_timeout(fast[BOB], SO_RCVTIMEO, WAIT);
	EXPECT_EQ(len, recv_pattern(fast[BOB], len, 2, 0));
	wait(&status);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, polled(stopped[ALICE], POLLOUT, 0));
}

TEST_HARNESS_MAIN
