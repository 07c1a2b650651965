// SPDX-License-Identifier: GPL-2.0
/*
 * A stream is a file: it can be inherited, sent to another process, fed by
 * sendfile() and splice(); and the flags of recv().
 */
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/un.h>
#include "kselftest_harness.h"
#include "sock.h"

#define FILE_SIZE 300000

FIXTURE(passing)
{
	int fd[2];
};

FIXTURE_VARIANT(passing)
{
	int family;
};

FIXTURE_VARIANT_ADD(passing, v4) { .family = V4 };
FIXTURE_VARIANT_ADD(passing, v6) { .family = V6 };

FIXTURE_SETUP(passing)
{
	ASSERT_EQ(0, stream_pair(variant->family, self->fd))
		TH_LOG("%s", strerror(errno));
	set_timeout(self->fd[ALICE], SO_RCVTIMEO, 20000);
	set_timeout(self->fd[BOB], SO_RCVTIMEO, 20000);
}

FIXTURE_TEARDOWN(passing)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
}

static int pass_fd(int to, int fd)
{
	union { struct cmsghdr h; char buf[CMSG_SPACE(sizeof(int))]; } c = { };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c,
			      .msg_controllen = sizeof(c) };

	c.h.cmsg_len = CMSG_LEN(sizeof(int));
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	return sendmsg(to, &msg, 0);
}

static int take_fd(int from)
{
	union { struct cmsghdr h; char buf[CMSG_SPACE(sizeof(int))]; } c = { };
	char x;
	struct iovec iov = { &x, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c,
			      .msg_controllen = sizeof(c) };
	int fd = -1;

	if (recvmsg(from, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST_F(passing, to_another_process)
{
	int way[2], fd;
	char buf[16];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, way));
	if (!fork()) {
		/* Only what comes through the other socket is used. */
		close(self->fd[ALICE]);
		close(self->fd[BOB]);
		close(way[0]);
		fd = take_fd(way[1]);
		if (recv(fd, buf, 4, MSG_WAITALL) != 4 || memcmp(buf, "ping", 4))
			_exit(1);
		_exit(send(fd, "pong", 4, 0) != 4);
	}
	close(way[1]);
	EXPECT_EQ(1, pass_fd(way[0], self->fd[BOB]));
	close(self->fd[BOB]);
	self->fd[BOB] = -1;
	EXPECT_EQ(4, send(self->fd[ALICE], "ping", 4, 0));
	EXPECT_EQ(4, recv(self->fd[ALICE], buf, 4, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "pong", 4));
	/* It was the last one who had it. */
	EXPECT_EQ(0, recv(self->fd[ALICE], buf, 4, 0));
	wait(NULL);
	close(way[0]);
}

/* Passed, and closed before anybody took it: as any other file. */
TEST_F(passing, lost_on_the_way)
{
	int way[2];
	char c;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, way));
	EXPECT_EQ(1, pass_fd(way[0], self->fd[BOB]));
	close(self->fd[BOB]);
	self->fd[BOB] = -1;
	EXPECT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	close(way[0]);
	close(way[1]);
	EXPECT_EQ(0, recv(self->fd[ALICE], &c, 1, 0));
}

TEST_F(passing, to_a_child)
{
	char buf[16];
	int status;

	if (!fork())
		_exit(send(self->fd[ALICE], "child", 5, 0) != 5);
	wait(&status);
	EXPECT_EQ(0, status);
	/* The child is gone, the stream is not. */
	EXPECT_EQ(6, send(self->fd[ALICE], "parent", 6, 0));
	EXPECT_EQ(11, recv(self->fd[BOB], buf, 11, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "childparent", 11));
}

static int pattern_file(size_t len)
{
	int fd = memfd_create("pattern", MFD_CLOEXEC);
	unsigned char *p;

	if (ftruncate(fd, len))
		return -1;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fill(p, len, 5, 0);
	munmap(p, len);
	return fd;
}

static void *read_file(void *arg)
{
	return (void *)(long)recv_pattern(*(int *)arg, FILE_SIZE, 5, 0);
}

TEST_F(passing, sendfile)
{
	int file = pattern_file(FILE_SIZE);
	pthread_t thread;
	off_t offset = 0;
	ssize_t n;
	void *got;

	ASSERT_LE(0, file);
	pthread_create(&thread, NULL, read_file, &self->fd[BOB]);
	while (offset < FILE_SIZE) {
		n = sendfile(self->fd[ALICE], file, &offset, FILE_SIZE - offset);
		ASSERT_LT(0, n) TH_LOG("%s", strerror(errno));
	}
	pthread_join(thread, &got);
	EXPECT_EQ(FILE_SIZE, (long)got);
	close(file);
}

/* sendfile() of more than the file has must not hold the rest back. */
TEST_F(passing, sendfile_short)
{
	int file = pattern_file(100);
	off_t offset = 0;

	EXPECT_EQ(100, sendfile(self->fd[ALICE], file, &offset, 1000));
	EXPECT_EQ(100, recv_pattern(self->fd[BOB], 100, 5, 0));
	close(file);
}

TEST_F(passing, splice)
{
	int pipes[2], out[2];
	unsigned char buf[5000];
	ssize_t n, got = 0;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, pipe(out));
	fill(buf, sizeof(buf), 5, 0);
	ASSERT_EQ(sizeof(buf), write(pipes[1], buf, sizeof(buf)));
	EXPECT_EQ(sizeof(buf), splice(pipes[0], NULL, self->fd[ALICE], NULL, sizeof(buf), 0));
	while (got < (ssize_t)sizeof(buf)) {
		n = splice(self->fd[BOB], NULL, out[1], NULL, sizeof(buf) - got, 0);
		ASSERT_LT(0, n) TH_LOG("%s", strerror(errno));
		ASSERT_EQ(n, read(out[0], buf, n));
		EXPECT_TRUE(is_pattern(buf, n, 5, got));
		got += n;
	}
	set_nonblock(self->fd[BOB], true);
	errno = 0;
	EXPECT_EQ(-1, splice(self->fd[BOB], NULL, out[1], NULL, 1, 0));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(passing, peek)
{
	char buf[16] = { };

	EXPECT_EQ(6, send(self->fd[ALICE], "abcdef", 6, 0));
	EXPECT_EQ(3, recv(self->fd[BOB], buf, 3, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "abc", 3));
	EXPECT_EQ(6, recv(self->fd[BOB], buf, 6, MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "abcdef", 6));
	EXPECT_EQ(6, recv(self->fd[BOB], buf, 16, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ(2, recv(self->fd[BOB], buf, 2, 0));
	EXPECT_EQ(4, recv(self->fd[BOB], buf, 16, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "cdef", 4));
	EXPECT_EQ(4, recv(self->fd[BOB], buf, 16, 0));
	EXPECT_EQ(-1, recv(self->fd[BOB], buf, 16, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	EXPECT_EQ(0, recv(self->fd[BOB], buf, 16, MSG_PEEK));
	EXPECT_EQ(0, recv(self->fd[BOB], buf, 16, MSG_PEEK | MSG_WAITALL));
}

static void *send_late(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 5; i++) {
		usleep(20000);
		if (send(fd, "12", 2, 0) != 2)
			return (void *)1;
	}
	return NULL;
}

TEST_F(passing, waitall)
{
	pthread_t thread;
	char buf[16] = { };

	pthread_create(&thread, NULL, send_late, &self->fd[ALICE]);
	EXPECT_EQ(6, recv(self->fd[BOB], buf, 6, MSG_WAITALL | MSG_PEEK));
	EXPECT_EQ(10, recv(self->fd[BOB], buf, 10, MSG_WAITALL));
	EXPECT_STREQ("1212121212", buf);
	pthread_join(thread, NULL);
	/* The end of the stream ends the wait. */
	EXPECT_EQ(3, send(self->fd[ALICE], "end", 3, 0));
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	EXPECT_EQ(3, recv(self->fd[BOB], buf, 10, MSG_WAITALL | MSG_PEEK));
	EXPECT_EQ(3, recv(self->fd[BOB], buf, 10, MSG_WAITALL));
}

/* More than the window can hold at a time */
TEST_F(passing, waitall_large)
{
	static unsigned char buf[FILE_SIZE];
	int status;

	if (!fork())
		_exit(send_pattern(self->fd[ALICE], sizeof(buf), 5, 0) != sizeof(buf));
	/* Peeking makes no room: as much as can come is all there is. */
	EXPECT_LT(0, recv(self->fd[BOB], buf, sizeof(buf), MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(sizeof(buf), recv(self->fd[BOB], buf, sizeof(buf), MSG_WAITALL));
	EXPECT_TRUE(is_pattern(buf, sizeof(buf), 5, 0));
	wait(&status);
	EXPECT_EQ(0, status);
}

TEST_F(passing, dontwait)
{
	char buf[4];

	errno = 0;
	EXPECT_EQ(-1, recv(self->fd[BOB], buf, 4, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(2, send(self->fd[ALICE], "ab", 2, MSG_DONTWAIT));
	EXPECT_TRUE(polled(self->fd[BOB], POLLIN, 10000) & POLLIN);
	EXPECT_EQ(2, recv(self->fd[BOB], buf, 4, MSG_DONTWAIT | MSG_WAITALL));
}

TEST_F(passing, throw_away)
{
	char buf[8] = "........";

	EXPECT_EQ(6, send(self->fd[ALICE], "abcdef", 6, 0));
	EXPECT_EQ(4, recv(self->fd[BOB], buf, 4, MSG_TRUNC | MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "........", 8));
	EXPECT_EQ(2, recv(self->fd[BOB], buf, 8, 0));
	EXPECT_EQ(0, memcmp(buf, "ef", 2));
}

TEST_F(passing, many_messages_at_once)
{
	struct iovec iov[3] = { { "aa", 2 }, { "b", 1 }, { "cccc", 4 } };
	struct mmsghdr msgs[3] = { };
	char buf[8];

	for (int i = 0; i < 3; i++) {
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	EXPECT_EQ(3, sendmmsg(self->fd[ALICE], msgs, 3, 0));
	EXPECT_EQ(7, recv(self->fd[BOB], buf, 7, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "aabcccc", 7));
}

TEST_HARNESS_MAIN
