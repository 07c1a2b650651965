// SPDX-License-Identifier: GPL-2.0
/*
 * Records: marks in the bytes of a stream, written by send(MSG_EOR) or on
 * SOCK_SEQPACKET, read byte by byte or one by one.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define MB (1 << 20)

static unsigned char out[17 * MB], in[17 * MB];

static int typed(int who, int type)
{
	struct sockaddr_sss addr = address(who, V4, "", "");
	int fd;

	enter(who);
	fd = socket(AF_SSS, type | SOCK_CLOEXEC, 0);
	if (who == ALICE && bind_to(fd, &addr))
		return -1;
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	return fd;
}

static int typed_pair(int alice, int bob, int fd[2])
{
	static int n;
	struct sockaddr_sss addr;
	char service[32];
	int listener = typed(BOB, bob);

	snprintf(service, sizeof(service), "records %d.%d", getpid(), n++);
	addr = address(BOB, V4, service, "test 1");
	if (bind_to(listener, &addr) || listen(listener, 1))
		return -1;
	fd[ALICE] = typed(ALICE, alice);
	if (connect_to(fd[ALICE], &addr))
		return -1;
	fd[BOB] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	set_timeout(fd[BOB], SO_RCVTIMEO, PATIENCE);
	set_timeout(fd[BOB], SO_SNDTIMEO, PATIENCE);
	return fd[BOB] < 0 ? -1 : 0;
}

/* recvmsg(); what it says in @flags */
static ssize_t take(int fd, void *buf, size_t len, int how, int *flags)
{
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &msg, how);

	*flags = msg.msg_flags & (MSG_EOR | MSG_TRUNC);
	return n;
}

static struct sss_pending pending(int fd)
{
	struct sss_pending p = { };
	socklen_t len = sizeof(p);

	getsockopt(fd, SOL_SSS, SSS_PENDING, &p, &len);
	return p;
}

FIXTURE(records) {
	int fd[2];
};

FIXTURE_VARIANT(records) {
	int type[2];
	const char *loss;
};

FIXTURE_VARIANT_ADD(records, stream) { .type = { SOCK_STREAM, SOCK_STREAM } };
FIXTURE_VARIANT_ADD(records, seqpacket) { .type = { SOCK_SEQPACKET, SOCK_SEQPACKET } };
FIXTURE_VARIANT_ADD(records, to_stream) { .type = { SOCK_SEQPACKET, SOCK_STREAM } };
FIXTURE_VARIANT_ADD(records, to_seqpacket) { .type = { SOCK_STREAM, SOCK_SEQPACKET } };
FIXTURE_VARIANT_ADD(records, loss) {
	.type = { SOCK_STREAM, SOCK_SEQPACKET }, .loss = "loss 2%"
};

FIXTURE_SETUP(records)
{
	int on = 1;

	ASSERT_EQ(0, typed_pair(variant->type[ALICE], variant->type[BOB], self->fd));
	if (variant->type[BOB] == SOCK_STREAM)
		ASSERT_EQ(0, setsockopt(self->fd[BOB], SOL_SSS, SSS_RECORDS, &on, sizeof(on)));
	netem(ALICE, variant->loss);
}

FIXTURE_TEARDOWN(records)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	netem(ALICE, NULL);
}

/* A whole record, in pieces where the socket gives pieces; -2: wrong bytes, -3: no end */
static ssize_t get(int fd, unsigned int seed)
{
	size_t got = 0;
	int flags;
	ssize_t n;

	do {
		n = take(fd, in + got, 17 * MB - got, 0, &flags);
		if (n < 0)
			return n;
		got += n;
		if (!n && !flags)
			return -3;
	} while (!(flags & MSG_EOR));
	return is_pattern(in, got, seed, 0) ? (ssize_t)got : -2;
}

static ssize_t put(int fd, size_t len, unsigned int seed)
{
	fill(out, len, seed, 0);
	return send(fd, out, len, MSG_EOR | MSG_NOSIGNAL);
}

/* Many empty records, a packetful at a time */
static bool put_empty(int fd, int count)
{
	int cork;

	for (cork = 1; cork >= 0; cork--) {
		setsockopt(fd, SOL_SSS, SSS_CORK, &cork, sizeof(cork));
		while (cork && count--)
			if (send(fd, "", 0, MSG_EOR | MSG_NOSIGNAL))
				return false;
	}
	return true;
}

TEST_F(records, sizes)
{
	static const int sizes[] = { 1, 0, 0, 100, 1200, 0, 4096, 3000, 3, MB, 1, 300000, 0 };
	unsigned int i, count = sizeof(sizes) / sizeof(sizes[0]);
	pid_t pid = fork();
	int status;

	if (!pid) {
		for (i = 0; i < count; i++)
			if (put(self->fd[ALICE], sizes[i], i) != sizes[i])
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < count; i++)
		ASSERT_EQ(sizes[i], get(self->fd[BOB], i));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0u, pending(self->fd[BOB]).records);
	shutdown(self->fd[ALICE], SHUT_WR);
	EXPECT_EQ(-3, get(self->fd[BOB], 0));
}

/* A head in pieces, and a tail without an end */
TEST_F(records, head_and_tail)
{
	int i, flags, queued = -1;

	fill(out, 100, 5, 0);
	for (i = 0; i < 100; i += 10)
		ASSERT_EQ(10, send(self->fd[ALICE], out + i, 10, i == 90 ? MSG_EOR : MSG_MORE));
	ASSERT_EQ(7, send(self->fd[ALICE], out, 7, MSG_MORE));
	ASSERT_TRUE(eventually(PATIENCE, !ioctl(self->fd[BOB], FIONREAD, &queued) && queued == 107));
	EXPECT_EQ(1u, pending(self->fd[BOB]).records);
	EXPECT_EQ(100u, pending(self->fd[BOB]).size);
	EXPECT_EQ(SSS_PENDING_COMPLETE, pending(self->fd[BOB]).flags);
	EXPECT_TRUE(eventually(PATIENCE, !ioctl(self->fd[ALICE], TIOCOUTQ, &queued) && !queued));
	EXPECT_EQ(100, take(self->fd[BOB], in, MB, MSG_PEEK, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	EXPECT_EQ(100, get(self->fd[BOB], 5));
	EXPECT_EQ(0u, pending(self->fd[BOB]).flags);
	EXPECT_EQ(7u, pending(self->fd[BOB]).size);
	shutdown(self->fd[ALICE], SHUT_WR);
	EXPECT_EQ(7, take(self->fd[BOB], in, MB, 0, &flags));
	EXPECT_EQ(0, flags);
	EXPECT_EQ(0, take(self->fd[BOB], in, MB, 0, &flags));
	EXPECT_EQ(0, flags);
}

TEST_F(records, short_reads)
{
	int flags;

	ASSERT_EQ(1000, put(self->fd[ALICE], 1000, 1));
	ASSERT_EQ(50, put(self->fd[ALICE], 50, 2));
	ASSERT_TRUE(eventually(PATIENCE, pending(self->fd[BOB]).records == 2));
	if (variant->type[BOB] == SOCK_SEQPACKET) {
		EXPECT_EQ(1000, take(self->fd[BOB], in, 10, MSG_PEEK | MSG_TRUNC, &flags));
		EXPECT_EQ(MSG_TRUNC | MSG_EOR, flags);
		EXPECT_EQ(10, take(self->fd[BOB], in, 10, 0, &flags));
		EXPECT_EQ(MSG_TRUNC | MSG_EOR, flags);
	} else {
		EXPECT_EQ(400, take(self->fd[BOB], in, 400, 0, &flags));
		EXPECT_EQ(0, flags);
		EXPECT_EQ(600, take(self->fd[BOB], in, 4000, MSG_WAITALL, &flags));
		EXPECT_EQ(MSG_EOR, flags);
	}
	EXPECT_EQ(50, get(self->fd[BOB], 2));
}

/* No longer record: EMSGSIZE, nothing of it taken, and the next one is good. */
TEST_F(records, too_long)
{
	int flags;

	ASSERT_EQ(9, send(self->fd[ALICE], "0123456789", 9, MSG_MORE));
	EXPECT_EQ(-1, put(self->fd[ALICE], 16 * MB - 8, 1));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(1, send(self->fd[ALICE], "9", 1, MSG_EOR));
	EXPECT_EQ(10, take(self->fd[BOB], in, MB, MSG_WAITALL, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	EXPECT_EQ(0, memcmp(in, "0123456789", 10));
}

/* The longest record, whatever the reader's window may be */
TEST_F(records, longest)
{
	int small = 32768, status;
	pid_t pid;

	if (variant->type[ALICE] != SOCK_SEQPACKET || variant->type[BOB] != SOCK_SEQPACKET)
		SKIP(return, "elsewhere a record comes in pieces");
	ASSERT_EQ(0, setsockopt(self->fd[BOB], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	pid = fork();
	if (!pid)
		_exit(put(self->fd[ALICE], 16 * MB, 9) != 16 * MB ||
		      put(self->fd[ALICE], 0, 1) || put(self->fd[ALICE], MB, 2) != MB);
	EXPECT_EQ(16 * MB, get(self->fd[BOB], 9));
	EXPECT_EQ(0, get(self->fd[BOB], 1));
	EXPECT_EQ(MB, get(self->fd[BOB], 2));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* A mark that comes when its bytes were read long ago */
TEST_F(records, late_mark)
{
	int flags;

	ASSERT_EQ(5, send(self->fd[ALICE], "hello", 5, MSG_MORE));
	ASSERT_TRUE(eventually(PATIENCE, pending(self->fd[BOB]).size == 5));
	if (variant->type[BOB] == SOCK_STREAM) {
		EXPECT_EQ(5, take(self->fd[BOB], in, MB, 0, &flags));
		EXPECT_EQ(0, flags);
	} else {
		EXPECT_EQ(0, polled(self->fd[BOB], POLLIN, 0));
		EXPECT_EQ(-1, recv(self->fd[BOB], in, MB, MSG_DONTWAIT));
		EXPECT_EQ(EAGAIN, errno);
	}
	ASSERT_EQ(0, send(self->fd[ALICE], "", 0, MSG_EOR));
	EXPECT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, PATIENCE));
	EXPECT_EQ(variant->type[BOB] == SOCK_STREAM ? 0 : 5,
		  take(self->fd[BOB], in, MB, 0, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	EXPECT_EQ(0u, pending(self->fd[BOB]).records);
}

/* Reads without room, or to where no memory is */
TEST_F(records, no_room)
{
	int flags;

	ASSERT_EQ(100, put(self->fd[ALICE], 100, 1));
	ASSERT_EQ(50, put(self->fd[ALICE], 50, 2));
	ASSERT_TRUE(eventually(PATIENCE, pending(self->fd[BOB]).records == 2));
	EXPECT_EQ(-1, recv(self->fd[BOB], (void *)8, 100, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, take(self->fd[BOB], in, 0, MSG_PEEK, &flags));
	EXPECT_EQ(2u, pending(self->fd[BOB]).records);
	EXPECT_EQ(0, take(self->fd[BOB], in, 0, 0, &flags));
	if (variant->type[BOB] == SOCK_SEQPACKET) {	/* as on every such socket: it is lost */
		EXPECT_EQ(MSG_TRUNC | MSG_EOR, flags);
	} else {
		EXPECT_EQ(100, get(self->fd[BOB], 1));
	}
	EXPECT_EQ(50, get(self->fd[BOB], 2));
}

/* Who must not wait gets a record sent whole, or not at all if it could be. */
TEST_F(records, full)
{
	const int size = 10000;
	int sent = 0, got = 0, room = 40000;
	ssize_t n;

	if (variant->type[ALICE] != SOCK_SEQPACKET)
		SKIP(return, "sent as bytes");
	ASSERT_EQ(0, setsockopt(self->fd[ALICE], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)));
	set_nonblock(self->fd[ALICE], true);
	for (;;) {
		n = put(self->fd[ALICE], size, sent);
		if (n < 0 && !(polled(self->fd[ALICE], POLLOUT, 500) & POLLOUT))
			break;
		ASSERT_TRUE(n == size || n == -1);
		sent += n > 0;
	}
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EAGAIN, errno);
	/* one that never could be is taken in parts, and goes on where it stopped */
	while (got < sent)
		ASSERT_EQ(size, get(self->fd[BOB], got++));
	ASSERT_TRUE(eventually(PATIENCE, polled(self->fd[ALICE], POLLOUT, 0) & POLLOUT));
	fill(out, MB, 7, 0);
	n = send(self->fd[ALICE], out, MB, MSG_NOSIGNAL);
	ASSERT_TRUE(n > 0 && n < MB);
	set_nonblock(self->fd[ALICE], false);
	if (!fork())
		_exit(send(self->fd[ALICE], out + n, MB - n, MSG_NOSIGNAL) != MB - n);
	EXPECT_EQ(MB, get(self->fd[BOB], 7));
	wait(NULL);
}

/* What came before a reset can be read, a part of a record too. */
TEST_F(records, reset)
{
	struct linger now = { 1, 0 };
	int flags;

	ASSERT_EQ(10, put(self->fd[ALICE], 10, 1));
	ASSERT_EQ(5, send(self->fd[ALICE], "hello", 5, MSG_MORE));
	ASSERT_TRUE(eventually(PATIENCE, pending(self->fd[BOB]).records == 1));
	EXPECT_EQ(10, get(self->fd[BOB], 1));
	ASSERT_TRUE(eventually(PATIENCE, pending(self->fd[BOB]).size == 5));
	setsockopt(self->fd[ALICE], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(self->fd[ALICE]);
	EXPECT_TRUE(eventually(PATIENCE, polled(self->fd[BOB], POLLERR | POLLHUP, 0)));
	EXPECT_EQ(5, take(self->fd[BOB], in, MB, 0, &flags));
	EXPECT_EQ(0, flags);
	EXPECT_EQ(-1, recv(self->fd[BOB], in, MB, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

/* SOCK_STREAM leaves empty records out unless asked not to. */
TEST(empty_skipped)
{
	char buf[16];
	int fd[2], flags;

	ASSERT_EQ(0, typed_pair(SOCK_STREAM, SOCK_STREAM, fd));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, send(fd[ALICE], "", 0, MSG_EOR));
	ASSERT_EQ(4, send(fd[ALICE], "here", 4, MSG_EOR));
	EXPECT_EQ(4, take(fd[BOB], buf, sizeof(buf), 0, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	close(fd[ALICE]);
	EXPECT_EQ(0, take(fd[BOB], buf, sizeof(buf), 0, &flags));
	EXPECT_EQ(0, flags);
	close(fd[BOB]);
}

/* Whoever polls is not woken for nothing, but a million of them is not lost. */
TEST(empty_polled)
{
	char buf[16];
	int fd[2];

	ASSERT_EQ(0, typed_pair(SOCK_STREAM, SOCK_STREAM, fd));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, send(fd[ALICE], "", 0, MSG_EOR));
	ASSERT_TRUE(eventually(PATIENCE, pending(fd[BOB]).records == 3));
	EXPECT_EQ(0, polled(fd[BOB], POLLIN, 0));
	EXPECT_EQ(-1, recv(fd[BOB], buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0u, pending(fd[BOB]).records);
	if (!fork())
		_exit(!put_empty(fd[ALICE], 3000) || send(fd[ALICE], "here", 4, MSG_EOR) != 4);
	set_nonblock(fd[BOB], true);
	for (;;) {
		ASSERT_NE(0, polled(fd[BOB], POLLIN, PATIENCE));
		if (recv(fd[BOB], buf, sizeof(buf), 0) > 0)
			break;
	}
	EXPECT_EQ(0, memcmp(buf, "here", 4));
	wait(NULL);
	close(fd[ALICE]);
	close(fd[BOB]);
}

/* Bob at the other identity takes little: it begins with a fresh channel. */
static int small_pair(int type, int fd[2])
{
	struct sockaddr_sss to = address(BOB, V6, "records", "test 1");
	int listener;

	set_sysctl(BOB, "max_record", "1000");
	set_sysctl(BOB, "initial_stream_window", "16384");
	listener = typed(BOB, type);
	if (bind_to(listener, &to) || listen(listener, 1))
		return -1;
	fd[ALICE] = caller(V6, 0);
	if (connect_to(fd[ALICE], &to))
		return -1;
	fd[BOB] = accept(listener, NULL, NULL);
	close(listener);
	set_timeout(fd[BOB], SO_RCVTIMEO, PATIENCE);
	set_sysctl(BOB, "max_record", "16777216");
	set_sysctl(BOB, "initial_stream_window", "65536");
	return fd[BOB] < 0 ? -1 : 0;
}

/* The receiver's limit holds for the sender. */
TEST(configured)
{
	int fd[2], flags;

	ASSERT_EQ(0, small_pair(SOCK_STREAM, fd));
	EXPECT_EQ(-1, send(fd[ALICE], in, 1001, MSG_EOR));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(1000, send(fd[ALICE], in, 1000, MSG_EOR));
	EXPECT_EQ(5000, send(fd[ALICE], in, 5000, 0));		/* bytes are no record */
	EXPECT_EQ(-1, send(fd[ALICE], in, 0, MSG_EOR));
	EXPECT_EQ(EMSGSIZE, errno);
	close(fd[ALICE]);
	EXPECT_EQ(1000, take(fd[BOB], in, MB, 0, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	EXPECT_EQ(5000, recv(fd[BOB], in, 5000, MSG_WAITALL));
	EXPECT_EQ(0, recv(fd[BOB], in, MB, 0));
	close(fd[BOB]);
}

/* More empty records than the window has room for */
TEST(empty_ones)
{
	const int count = 17000;
	int fd[2], i;

	ASSERT_EQ(0, small_pair(SOCK_SEQPACKET, fd));
	if (!fork())
		_exit(!put_empty(fd[ALICE], count) || put(fd[ALICE], 3, 3) != 3);
	EXPECT_TRUE(eventually(PATIENCE, pending(fd[BOB]).records >= 16384));
	for (i = 0; i < count; i++)
		if (get(fd[BOB], 0))
			break;
	EXPECT_EQ(count, i);
	EXPECT_EQ(3, get(fd[BOB], 3));
	wait(NULL);
	close(fd[ALICE]);
	close(fd[BOB]);
}

/* Substreams may be of records, too. */
TEST(substream)
{
	struct sss_open open = { .kind = SOCK_SEQPACKET, .flags = SOCK_CLOEXEC };
	int fd[2], child, other, flags;
	char buf[16];

	ASSERT_EQ(0, typed_pair(SOCK_SEQPACKET, SOCK_SEQPACKET, fd));
	ASSERT_EQ(0, listen(fd[BOB], 1));
	child = ioctl(fd[ALICE], SSS_IOC_OPEN, &open);
	ASSERT_LE(0, child);
	EXPECT_EQ(3, send(child, "one", 3, 0));
	EXPECT_EQ(4, send(child, "two!", 4, 0));
	other = accept(fd[BOB], NULL, NULL);
	EXPECT_EQ(3, take(other, buf, sizeof(buf), 0, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	EXPECT_EQ(4, take(other, buf, sizeof(buf), 0, &flags));
	close(child);
	EXPECT_EQ(0, take(other, buf, sizeof(buf), 0, &flags));
	EXPECT_EQ(0, flags);
	close(other);
	close(fd[ALICE]);
	close(fd[BOB]);
}

TEST_HARNESS_MAIN
