// SPDX-License-Identifier: GPL-2.0
/*
 * What close() does: all that send() took arrives, though the sender is gone
 * and the link is bad; SO_LINGER waits or resets; what nobody will read is
 * refused without harm to the other direction.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define BAD_LINK "delay 10ms 2ms loss 5% duplicate 2% reorder 5%"
#define WAIT 20000

FIXTURE(close)
{
	int fd[2];
};

FIXTURE_VARIANT(close)
{
	int family;
};

FIXTURE_VARIANT_ADD(close, v4) { .family = V4 };
FIXTURE_VARIANT_ADD(close, v6) { .family = V6 };

FIXTURE_SETUP(close)
{
	ASSERT_EQ(0, stream_pair(variant->family, self->fd))
		TH_LOG("%s", strerror(errno));
}

FIXTURE_TEARDOWN(close)
{
	netem(ALICE, NULL);
	netem(BOB, NULL);
	if (self->fd[ALICE] >= 0)
		close(self->fd[ALICE]);
	if (self->fd[BOB] >= 0)
		close(self->fd[BOB]);
}

static void set_linger(int fd, int on, int seconds)
{
	struct linger linger = { .l_onoff = on, .l_linger = seconds };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* A child sends @len bytes and is gone at once. */
static void send_and_exit(int *fd, size_t len, bool close_first)
{
	int last[2], status = pipe(last);
	pid_t pid = fork();
	char c;

	if (!pid) {
		close(fd[BOB]);
		close(last[1]);
		if (send_pattern(fd[ALICE], len, 7, 0) != (ssize_t)len)
			_exit(1);
		/* Its end is to be the last one. */
		if (read(last[0], &c, 1))
			_exit(2);
		if (close_first)
			close(fd[ALICE]);
		_exit(0);
	}
	close(fd[ALICE]);
	fd[ALICE] = -1;
	close(last[1]);
	waitpid(pid, &status, 0);
	close(last[0]);
	if (status)
		fprintf(stderr, "# the sender failed\n");
}

TEST_F(close, delivers)
{
	size_t len = 300000;
	char c;

	/* Less than the queues hold: the sender is gone before most of it left. */
	setsockopt(self->fd[ALICE], SOL_SOCKET, SO_SNDBUF, &(int){ 400000 }, sizeof(int));
	netem(ALICE, BAD_LINK);
	netem(BOB, BAD_LINK);
	send_and_exit(self->fd, len, true);
	set_timeout(self->fd[BOB], SO_RCVTIMEO, WAIT);
	EXPECT_EQ(len, recv_pattern(self->fd[BOB], len, 7, 0));
	EXPECT_EQ(0, recv(self->fd[BOB], &c, 1, 0));
}

TEST_F(close, exit_delivers)
{
	size_t len = 100000;
	char c;

	setsockopt(self->fd[ALICE], SOL_SOCKET, SO_SNDBUF, &(int){ 400000 }, sizeof(int));
	/* An exiting task does not linger. */
	set_linger(self->fd[ALICE], 1, 100);
	netem(ALICE, BAD_LINK);
	send_and_exit(self->fd, len, false);
	set_timeout(self->fd[BOB], SO_RCVTIMEO, WAIT);
	EXPECT_EQ(len, recv_pattern(self->fd[BOB], len, 7, 0));
	EXPECT_EQ(0, recv(self->fd[BOB], &c, 1, 0));
}

TEST_F(close, delivers_what_was_corked)
{
	char buf[8];

	EXPECT_EQ(0, setsockopt(self->fd[ALICE], SOL_SSS, SSS_CORK, &(int){ 1 }, sizeof(int)));
	EXPECT_EQ(3, send(self->fd[ALICE], "abc", 3, MSG_MORE));
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	EXPECT_EQ(3, recv(self->fd[BOB], buf, sizeof(buf), MSG_WAITALL));
}

TEST_F(close, both_ends_at_once)
{
	EXPECT_EQ(1, send(self->fd[ALICE], "a", 1, 0));
	EXPECT_EQ(1, send(self->fd[BOB], "b", 1, 0));
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	self->fd[ALICE] = -1;
	self->fd[BOB] = -1;
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Streams") && !get_stat(BOB, "Streams")))
		TH_LOG("streams: %lld %lld", get_stat(ALICE, "Streams"), get_stat(BOB, "Streams"));
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Sockets") && !get_stat(BOB, "Sockets")));
}

TEST_F(close, leaves_nothing)
{
	char c;

	EXPECT_EQ(1, send(self->fd[ALICE], "a", 1, 0));
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	EXPECT_EQ(1, recv(self->fd[BOB], &c, 1, 0));
	EXPECT_EQ(0, recv(self->fd[BOB], &c, 1, 0));
	/* The peer may keep its end as long as it likes. */
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Sockets")));
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "TxChunks")));
	EXPECT_TRUE(eventually(WAIT, get_stat(BOB, "Sockets") == 1));
}

TEST_F(close, linger_waits)
{
	setsockopt(self->fd[ALICE], SOL_SOCKET, SO_SNDBUF, &(int){ 400000 }, sizeof(int));
	netem(ALICE, "delay 100ms");
	set_linger(self->fd[ALICE], 1, 20);
	EXPECT_EQ(50000, send_pattern(self->fd[ALICE], 50000, 1, 0));
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	/* Everything is acknowledged: the queue is empty and the socket gone. */
	EXPECT_EQ(0, get_stat(ALICE, "TxChunks"));
	EXPECT_EQ(50000, recv_pattern(self->fd[BOB], 50000, 1, 0));
}

TEST_F(close, without_linger_does_not_wait)
{
	setsockopt(self->fd[ALICE], SOL_SOCKET, SO_SNDBUF, &(int){ 400000 }, sizeof(int));
	netem(ALICE, "delay 200ms");
	EXPECT_EQ(50000, send_pattern(self->fd[ALICE], 50000, 1, 0));
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	EXPECT_LT(0, get_stat(ALICE, "TxChunks"));
	EXPECT_EQ(50000, recv_pattern(self->fd[BOB], 50000, 1, 0));
}

TEST_F(close, linger_has_an_end)
{
	long long start = now_ms();

	/* Nobody reads and nobody will: more than the peer's window. */
	fill_up(self->fd[ALICE], 1, 0);
	set_linger(self->fd[ALICE], 1, 1);
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	EXPECT_LE(900, now_ms() - start);
	EXPECT_LT(0, get_stat(ALICE, "TxChunks"));
}

TEST_F(close, linger_zero_resets)
{
	char buf[8];

	EXPECT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	EXPECT_EQ(1, recv(self->fd[BOB], buf, 1, 0));
	set_linger(self->fd[ALICE], 1, 0);
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	set_timeout(self->fd[BOB], SO_RCVTIMEO, WAIT);
	EXPECT_EQ(-1, recv(self->fd[BOB], buf, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_TRUE(eventually(WAIT, send(self->fd[BOB], "y", 1, MSG_NOSIGNAL) < 0));
	EXPECT_EQ(0, get_stat(ALICE, "TxChunks"));
}

/* Unread input stops the other's sending, never what was sent to it. */
TEST_F(close, with_unread_input)
{
	size_t len = 100000;
	char c;

	setsockopt(self->fd[ALICE], SOL_SOCKET, SO_SNDBUF, &(int){ 400000 }, sizeof(int));
	EXPECT_EQ(6, send(self->fd[BOB], "unread", 6, 0));
	EXPECT_TRUE(polled(self->fd[ALICE], POLLIN, WAIT) & POLLIN);
	send_and_exit(self->fd, len, true);
	EXPECT_TRUE(eventually(WAIT, send(self->fd[BOB], "more", 4, MSG_NOSIGNAL) < 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(len, recv_pattern(self->fd[BOB], len, 7, 0));
	EXPECT_EQ(0, recv(self->fd[BOB], &c, 1, 0));
}

TEST_F(close, listener_refuses_who_waits)
{
	int listener = listen_on(variant->family, "leaving", 5);
	int fd = dial(variant->family, "leaving");
	char c;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	close(listener);
	set_timeout(fd, SO_RCVTIMEO, WAIT);
	EXPECT_GE(0, recv(fd, &c, 1, 0));
	EXPECT_TRUE(eventually(WAIT, send(fd, "x", 1, MSG_NOSIGNAL) < 0));
	close(fd);
}

TEST_F(close, while_connecting)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "slow", "test 1");
	int listener = listen_on(variant->family, "slow", 5);
	int fd = caller(variant->family, SOCK_NONBLOCK);

	netem(ALICE, "delay 100ms");
	EXPECT_EQ(-1, connect_to(fd, &addr));
	EXPECT_EQ(EINPROGRESS, errno);
	close(fd);
	netem(ALICE, NULL);
	/* Only the fixture's own stream remains. */
	EXPECT_TRUE(eventually(WAIT, get_stat(ALICE, "Sockets") == 1));
	close(listener);
}

TEST_F(close, killed)
{
	pid_t pid = fork();
	char c;

	if (!pid) {
		send_pattern(self->fd[ALICE], 1000, 7, 0);
		kill(getpid(), SIGKILL);
	}
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	waitpid(pid, NULL, 0);
	EXPECT_EQ(1000, recv_pattern(self->fd[BOB], 1000, 7, 0));
	EXPECT_EQ(0, recv(self->fd[BOB], &c, 1, 0));
}

TEST_HARNESS_MAIN
