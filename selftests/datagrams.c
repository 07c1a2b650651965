// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams on a stream: whole or not at all, best effort, reliable or with a
 * deadline.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define MB (1 << 20)

static unsigned char out[17 * MB], in[17 * MB];

static int open_dgram(int stream)
{
	struct sss_open open = { .kind = SOCK_DGRAM, .flags = SOCK_CLOEXEC };
	int fd = ioctl(stream, SSS_IOC_OPEN, &open);

	if (fd < 0)
		return -1;
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	return fd;
}

static int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SSS, option, &value, sizeof(value));
}

/* The first two bytes say which it is, the others follow from that. */
static ssize_t put(int fd, unsigned int n, size_t len)
{
	fill(out, len, n, 0);
	if (len > 1) {
		out[0] = n;
		out[1] = n >> 8;
	}
	return send(fd, out, len, MSG_NOSIGNAL);
}

/* Which it was; -1: none, -2: not as it was sent */
static int get(int fd, size_t *len, int flags)
{
	ssize_t n = recv(fd, in, sizeof(in), flags);
	int which;

	if (n < 0)
		return -1;
	*len = n;
	if (n < 2)
		return -2;
	which = in[0] | in[1] << 8;
	return is_pattern(in + 2, n - 2, which, 2) ? which : -2;
}

FIXTURE(datagrams) {
	int stream[2];
	int fd[2];
};

FIXTURE_SETUP(datagrams)
{
	ASSERT_EQ(0, stream_pair(V4, self->stream));
	self->fd[ALICE] = open_dgram(self->stream[ALICE]);
	self->fd[BOB] = open_dgram(self->stream[BOB]);
	ASSERT_LE(0, self->fd[ALICE]);
	ASSERT_LE(0, self->fd[BOB]);
}

FIXTURE_TEARDOWN(datagrams)
{
	netem(ALICE, NULL);
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	close(self->stream[ALICE]);
	close(self->stream[BOB]);
}

/* Without loss, and one after the other, all of both kinds arrive. */
TEST_F(datagrams, sizes)
{
	static const int sizes[] = { 2, 16, 1000, 1200, 1201, 3000, 6000, 65536, 300000, MB };
	unsigned int i, way;
	size_t len = 0;

	for (way = 0; way < 4; way++) {
		int from = self->fd[way & 1], to = self->fd[!(way & 1)];

		ASSERT_EQ(0, set_option(from, SSS_RELIABLE, way > 1));
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			ASSERT_EQ(sizes[i], put(from, i + 300, sizes[i]));
			EXPECT_EQ((int)i + 300, get(to, &len, 0));
			EXPECT_EQ((size_t)sizes[i], len);
		}
	}
}

/* Nothing and one byte are datagrams, too. */
TEST_F(datagrams, tiny)
{
	for (int reliable = 0; reliable < 2; reliable++) {
		set_option(self->fd[ALICE], SSS_RELIABLE, reliable);
		ASSERT_EQ(0, send(self->fd[ALICE], "", 0, 0));
		EXPECT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, PATIENCE));
		EXPECT_EQ(0, recv(self->fd[BOB], in, 10, 0));
		ASSERT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
		EXPECT_EQ(1, recv(self->fd[BOB], in, 10, 0));
		EXPECT_EQ('x', in[0]);
	}
}

TEST_F(datagrams, longest)
{
	size_t len = 0;

	EXPECT_EQ(-1, put(self->fd[ALICE], 1, 16 * MB + 1));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(16 * MB, put(self->fd[ALICE], 1, 16 * MB));
	EXPECT_EQ(1, get(self->fd[BOB], &len, 0));
	EXPECT_EQ(16u * MB, len);
}

TEST_F(datagrams, as_sockets_do)
{
	struct sockaddr_sss from = { }, peer = { };
	socklen_t from_len = sizeof(from), peer_len = sizeof(peer);
	int queued = -1;
	size_t len = 0;

	EXPECT_EQ(-1, open_dgram(self->stream[ALICE]));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, recv(self->fd[BOB], in, 10, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(POLLOUT, polled(self->fd[BOB], POLLIN | POLLOUT, 0));
	ASSERT_EQ(1000, put(self->fd[ALICE], 7, 1000));
	EXPECT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, PATIENCE));
	EXPECT_EQ(0, ioctl(self->fd[BOB], FIONREAD, &queued));
	EXPECT_EQ(1000, queued);
	EXPECT_EQ(1000, recv(self->fd[BOB], in, 10, MSG_PEEK | MSG_TRUNC));
	EXPECT_EQ(-1, recv(self->fd[BOB], (void *)8, 1000, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(7, get(self->fd[BOB], &len, MSG_PEEK));
	EXPECT_EQ(10, recvfrom(self->fd[BOB], in, 10, 0, (struct sockaddr *)&from, &from_len));
	EXPECT_EQ(-1, recv(self->fd[BOB], in, 10, MSG_DONTWAIT));
	EXPECT_EQ(0, getpeername(self->stream[BOB], (struct sockaddr *)&peer, &peer_len));
	EXPECT_EQ(0, memcmp(&peer, &from, sizeof(peer)));
	EXPECT_EQ(-1, listen(self->fd[ALICE], 1));
	EXPECT_EQ(-1, connect_to(self->fd[ALICE], &peer));
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	EXPECT_EQ(-1, put(self->fd[ALICE], 1, 10));
	EXPECT_EQ(EPIPE, errno);
}

/* libsss's own test, which it could not pass */
TEST_F(datagrams, hundred_at_one_percent_loss)
{
	int i, which, arrived = 0, twice = 0, wrong = 0;
	bool seen[100] = { };
	size_t len = 0;
	pid_t pid;

	netem(ALICE, "delay 2ms loss 1%");
	pid = fork();
	if (!pid) {
		for (i = 0; i < 100; i++)
			if (put(self->fd[ALICE], i, 16 << i % 17) < 0)
				_exit(1);
		_exit(0);
	}
	while (arrived < 100 && polled(self->fd[BOB], POLLIN, 3000) > 0) {
		which = get(self->fd[BOB], &len, 0);
		if (which < 0 || which > 99 || len != 16u << which % 17) {
			wrong++;
			continue;
		}
		twice += seen[which];
		arrived += !seen[which];
		seen[which] = true;
	}
	EXPECT_LE(90, arrived);
	EXPECT_EQ(0, twice);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(pid, wait(&i));
	EXPECT_EQ(0, i);
}

/* Reliable ones all arrive, whatever is lost. */
TEST_F(datagrams, reliable)
{
	const int count = 300;
	bool seen[300] = { };
	int i, which, left = count;
	size_t len = 0;

	netem(ALICE, "loss 5%");
	set_option(self->fd[ALICE], SSS_RELIABLE, 1);
	if (!fork()) {
		for (i = 0; i < count; i++)
			if (put(self->fd[ALICE], i, i % 30 ? 2 + i : 100000) < 0)
				_exit(1);
		_exit(0);
	}
	while (left--) {
		which = get(self->fd[BOB], &len, 0);
		ASSERT_TRUE(which >= 0 && which < count && !seen[which]) TH_LOG("%d", which);
		seen[which] = true;
	}
	wait(NULL);
}

/* Nobody reads: what is reliable waits at the sender, what is not is bounded. */
TEST_F(datagrams, unread)
{
	int i, sent = 0, got = 0;
	size_t len = 0;

	for (i = 0; i < 5000; i++)
		ASSERT_EQ(1000, put(self->fd[ALICE], i, 1000));
	for (i = 0; i < 2000; i++)
		if (get(self->fd[BOB], &len, MSG_DONTWAIT) < 0)
			break;
	EXPECT_TRUE(i > 100 && i <= 1100) TH_LOG("%d", i);
	while (recv(self->fd[BOB], in, 10, MSG_DONTWAIT) >= 0)
		;
	set_option(self->fd[ALICE], SSS_RELIABLE, 1);
	set_nonblock(self->fd[ALICE], true);
	while (sent < 5000 && polled(self->fd[ALICE], POLLOUT, 500) > 0)
		if (put(self->fd[ALICE], sent, 20000) == 20000)
			sent++;
	EXPECT_LT(sent, 5000);
	EXPECT_EQ(-1, put(self->fd[ALICE], 0, 20000));
	EXPECT_EQ(EAGAIN, errno);
	while (got < sent && get(self->fd[BOB], &len, 0) >= 0)
		got++;
	EXPECT_EQ(sent, got);
}

/* Big ones that nobody reads do not keep small ones from being read. */
TEST_F(datagrams, big_ones_wait)
{
	int i, fits = 32 * MB, which, small = 0;
	size_t len = 0;

	setsockopt(self->fd[ALICE], SOL_SOCKET, SO_SNDBUFFORCE, &fits, sizeof(fits));
	set_option(self->fd[ALICE], SSS_RELIABLE, 1);
	for (i = 0; i < 12; i++)
		ASSERT_EQ(i < 6 ? MB : 100, put(self->fd[ALICE], i, i < 6 ? MB : 100));
	for (i = 0; i < 12; i++) {
		which = get(self->fd[BOB], &len, 0);
		ASSERT_LE(0, which);
		EXPECT_EQ(which < 6 ? (size_t)MB : 100u, len);
		small += which >= 6;
	}
	EXPECT_EQ(6, small);
}

/* accept() gives one as a stream that is over; as often as one likes. */
TEST_F(datagrams, accepted)
{
	int fd, i, queued;

	set_nonblock(self->fd[BOB], true);
	EXPECT_EQ(-1, accept(self->fd[BOB], NULL, NULL));
	EXPECT_EQ(EAGAIN, errno);
	set_nonblock(self->fd[BOB], false);
	for (i = 0; i < 200; i++) {
		ssize_t len = i % 50 ? 1 + i : 300000;

		set_option(self->fd[ALICE], SSS_RELIABLE, i & 1);
		fill(out, len, i, 0);
		ASSERT_EQ(len, send(self->fd[ALICE], out, len, 0));
		fd = accept4(self->fd[BOB], NULL, NULL, SOCK_CLOEXEC);
		ASSERT_LE(0, fd) TH_LOG("%d: %m", i);
		ASSERT_EQ(0, ioctl(fd, FIONREAD, &queued));
		ASSERT_EQ(len, queued);
		ASSERT_EQ(len, recv_pattern(fd, len + 1, i, 0));
		EXPECT_EQ(0, recv(fd, in, 1, 0));
		EXPECT_EQ(-1, send(fd, "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(EPIPE, errno);
		close(fd);
	}
	/* one that is closed unread */
	ASSERT_EQ(1000, put(self->fd[ALICE], 1, 1000));
	fd = accept(self->fd[BOB], NULL, NULL);
	ASSERT_LE(0, fd);
	close(fd);
}

/* After its deadline nobody needs it. */
TEST_F(datagrams, deadline)
{
	char control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { out, 5000 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int queued = -1, way, wrong = 5;
	size_t len = 0;

	cmsg->cmsg_level = SOL_SSS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	cmsg->cmsg_type = 12345;
	EXPECT_EQ(-1, sendmsg(self->fd[ALICE], &msg, 0));
	EXPECT_EQ(EINVAL, errno);
	cmsg->cmsg_type = SSS_DEADLINE;
	memcpy(CMSG_DATA(cmsg), &(int){ -1 }, sizeof(int));
	EXPECT_EQ(-1, sendmsg(self->fd[ALICE], &msg, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, set_option(self->fd[ALICE], SSS_DEADLINE, -1));
	EXPECT_EQ(EINVAL, errno);
	for (way = 0; way < 2; way++) {
		netem(ALICE, "loss 100%");
		/* by option, then by message */
		set_option(self->fd[ALICE], SSS_RELIABLE, !way);
		set_option(self->fd[ALICE], SSS_DEADLINE, way ? 0 : 200);
		if (!way) {
			ASSERT_EQ(5000, put(self->fd[ALICE], 1, 5000));
		} else {
			set_option(self->fd[ALICE], SSS_RELIABLE, 1);
			cmsg->cmsg_type = SSS_DEADLINE;
			memcpy(CMSG_DATA(cmsg), &(int){ 200 }, sizeof(int));
			ASSERT_EQ(5000, sendmsg(self->fd[ALICE], &msg, 0));
		}
		EXPECT_TRUE(eventually(PATIENCE, !ioctl(self->fd[ALICE], TIOCOUTQ, &queued) &&
						 !queued));
		netem(ALICE, NULL);
		set_option(self->fd[ALICE], SSS_DEADLINE, 0);
		ASSERT_EQ(5000, put(self->fd[ALICE], 2 + way, 5000));
		wrong = get(self->fd[BOB], &len, 0);
		EXPECT_EQ(2 + way, wrong);
	}
}

/* What was sent arrives although the socket is closed, and then it is over. */
TEST_F(datagrams, closed)
{
	size_t len = 0;

	set_option(self->fd[ALICE], SSS_RELIABLE, 1);
	ASSERT_EQ(300000, put(self->fd[ALICE], 5, 300000));
	ASSERT_EQ(500, put(self->fd[ALICE], 6, 500));
	close(self->fd[ALICE]);
	self->fd[ALICE] = open_dgram(self->stream[ALICE]);	/* free again */
	ASSERT_LE(0, self->fd[ALICE]);
	EXPECT_EQ(11, get(self->fd[BOB], &len, 0) + get(self->fd[BOB], &len, 0));
	close(self->stream[ALICE]);
	close(self->stream[BOB]);
	EXPECT_TRUE(eventually(PATIENCE, polled(self->fd[BOB], POLLIN, 0) & POLLHUP));
	EXPECT_EQ(-1, recv(self->fd[BOB], in, 10, 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, put(self->fd[BOB], 1, 10));
	EXPECT_EQ(ENOTCONN, errno);
}

/* The reader comes late, or never. */
TEST_F(datagrams, nobody_reads)
{
	size_t len = 0;

	close(self->fd[BOB]);
	ASSERT_EQ(1000, put(self->fd[ALICE], 1, 1000));
	set_option(self->fd[ALICE], SSS_RELIABLE, 1);
	ASSERT_EQ(200000, put(self->fd[ALICE], 2, 200000));
	usleep(20000);
	self->fd[BOB] = open_dgram(self->stream[BOB]);
	EXPECT_EQ(3, get(self->fd[BOB], &len, 0) + get(self->fd[BOB], &len, 0));
	ASSERT_EQ(1000, put(self->fd[ALICE], 3, 1000));
	ASSERT_EQ(200000, put(self->fd[ALICE], 4, 200000));
}

TEST_HARNESS_MAIN
