// SPDX-License-Identifier: GPL-2.0
/*
 * The examples of Documentation/api.rst do what the text around them says. Each
 * is the inside of a function here, taken from there when this is built.
 */
#include <sys/epoll.h>
#include <linux/sockios.h>
#include <libsss/sss.h>
#include "kselftest_harness.h"
#include "sock.h"

#pragma GCC diagnostic ignored "-Wunused-result"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"

static char buf[4096], eid[64], *request = "request";
static size_t len = 7;
static struct sockaddr_sss to;

/* What came out of an example */
static struct {
	int fd, child;
	ssize_t resent;
	unsigned long long offset;
} result;

static void resend(const void *data, size_t n, unsigned long long offset)
{
	result.resent = n;
	result.offset = offset;
}

static int client(void)
{
#include "examples/client.h"
	return fd;
}

static int server(void)
{
#include "examples/server.h"
	close(fd);
	return stream;
}

static int fastopen(void)
{
#include "examples/fastopen.h"
	return fd;
}

static void records(int fd)
{
#include "examples/records.h"
}

static void pending(int fd)
{
#include "examples/pending.h"
}

static unsigned int loop(int fd)
{
#include "examples/loop.h"
	close(loop);
	return event.events;
}

static void linger(int fd)
{
#include "examples/linger.h"
}

static void reset(int fd)
{
#include "examples/reset.h"
}

static void giveback(int fd)
{
#include "examples/giveback.h"
}

static void events(int fd)
{
#include "examples/events.h"
}

static int substream(int parent)
{
#include "examples/substream.h"
	return child;
}

static int acceptor(int parent)
{
#include "examples/acceptor.h"
	close(children);
	return child;
}

static int post(void)
{
#include "examples/post.h"
	return post;
}

static int datagrams(int stream)
{
#include "examples/datagrams.h"
	return datagrams;
}

static void priority(int fd, int child)
{
#include "examples/priority.h"
}

static void background(int fd)
{
#include "examples/background.h"
}

static void status(int fd)
{
#include "examples/status.h"
}

FIXTURE(example) {
	int near, far;
};

FIXTURE_SETUP(example)
{
	int fd[2];

	ASSERT_EQ(0, stream_pair(V4, fd));
	self->near = fd[ALICE];
	self->far = fd[BOB];
	sss_eid_format(&eids[BOB][V4], eid);
}

FIXTURE_TEARDOWN(example)
{
	close(self->near);
	close(self->far);
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(ALICE, "Streams") && !get_stat(BOB, "Streams")));
}

TEST_F(example, client_and_server)
{
	long long services = get_stat(BOB, "Services");
	int fd, code;
	pid_t pid = fork();

	if (!pid) {
		enter(BOB);
		fd = server();
		_exit(recv(fd, buf, 5, MSG_WAITALL) != 5 || memcmp(buf, "hello", 5));
	}
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "Services") > services));
	enter(ALICE);
	fd = client();
	ASSERT_EQ(pid, waitpid(pid, &code, 0));
	EXPECT_EQ(0, code);
	close(fd);
}

TEST_F(example, fastopen)
{
	int listener = listen_on(V4, "fast", 4), fd, end;

	ASSERT_LE(0, listener);
	to = address(BOB, V4, "fast", "test 1");
	enter(ALICE);
	fd = fastopen();
	end = accept(listener, NULL, NULL);
	ASSERT_LE(0, end);
	EXPECT_EQ(7, recv(end, buf, sizeof(buf), MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, request, 7));
	close(fd);
	close(end);
	close(listener);
}

TEST_F(example, records_and_pending)
{
	int on = 1, left = -1, fd;

	setsockopt(self->far, SOL_SSS, SSS_RECORDS, &on, sizeof(on));
	records(self->near);
	EXPECT_TRUE(eventually(PATIENCE, !ioctl(self->far, FIONREAD, &left) && left == 18));
	pending(self->far);
	EXPECT_EQ(0, ioctl(self->far, FIONREAD, &left));
	EXPECT_EQ(0, left);
	/* the empty one is left */
	EXPECT_EQ(0, recv(self->far, buf, sizeof(buf), 0));
	fd = recv(self->far, buf, sizeof(buf), MSG_DONTWAIT);
	EXPECT_EQ(-1, fd);
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(example, loop)
{
	ASSERT_EQ(4, send(self->near, "word", 4, 0));
	ASSERT_EQ(POLLIN, polled(self->far, POLLIN, PATIENCE));
	EXPECT_EQ((unsigned int)(EPOLLIN | EPOLLOUT), loop(self->far));
	EXPECT_EQ(0, polled(self->far, POLLIN, 0));
}

TEST_F(example, linger)
{
	ASSERT_EQ(4, send(self->near, "word", 4, 0));
	shutdown(self->far, SHUT_WR);
	linger(self->near);
	EXPECT_EQ(-1, fcntl(self->near, F_GETFD));
	self->near = -1;
	EXPECT_EQ(4, recv(self->far, buf, sizeof(buf), 0));
}

TEST_F(example, reset_and_giveback)
{
	socklen_t size = sizeof(struct sss_status);
	struct sss_status said = { };

	ASSERT_EQ(3, send(self->near, "abc", 3, 0));
	ASSERT_EQ(3, recv(self->far, buf, 3, MSG_WAITALL));
	EXPECT_TRUE(eventually(PATIENCE, !ioctl(self->near, SIOCOUTQ, buf) && !*(int *)buf));
	netem(ALICE, "loss 100%");
	ASSERT_EQ(5, send(self->near, "defgh", 5, 0));
	reset(self->near);
	netem(ALICE, NULL);
	giveback(self->near);
	EXPECT_EQ(5, result.resent);
	EXPECT_EQ(3u, result.offset);
	EXPECT_EQ(0, memcmp(buf, "defgh", 5));
	EXPECT_EQ(-1, recv(self->far, buf, sizeof(buf), 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(0, getsockopt(self->far, SOL_SSS, SSS_STATUS, &said, &size));
	EXPECT_EQ(42u, said.reset_code);
	EXPECT_STREQ("sold out", said.text);
}

TEST_F(example, events)
{
	unsigned int mask = 0;
	socklen_t size = sizeof(mask);

	events(self->near);
	EXPECT_EQ(0, getsockopt(self->near, SOL_SSS, SSS_EVENTS, &mask, &size));
	EXPECT_EQ(1u << SSS_EV_LINK_DOWN | 1u << SSS_EV_LINK_UP, mask);
}

static int get_int(int fd, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	getsockopt(fd, SOL_SSS, name, &value, &size);
	return value;
}

TEST_F(example, substream_acceptor_priority)
{
	struct sss_priority got = { };
	socklen_t size = sizeof(got);
	int child = substream(self->near), end = acceptor(self->far);

	ASSERT_LE(0, end);
	EXPECT_EQ(7, recv(end, buf, sizeof(buf), MSG_WAITALL));
	EXPECT_EQ(0, recv(end, buf, sizeof(buf), 0));
	priority(self->near, child);
	EXPECT_EQ(0, getsockopt(child, SOL_SSS, SSS_PRIORITY, &got, &size));
	EXPECT_EQ(5, got.urgency);
	EXPECT_EQ(0, got.incremental);
	background(child);
	EXPECT_EQ(1, get_int(child, SSS_BACKGROUND));
	close(child);
	close(end);
}

TEST_F(example, post)
{
	struct sockaddr_sss at = address(BOB, V4, "post", "test 1"), from;
	socklen_t size = sizeof(from);
	int office, fd;
	pid_t pid;

	enter(BOB);
	office = socket(AF_SSS, SOCK_DGRAM, 0);
	ASSERT_EQ(0, bind_to(office, &at));
	to = at;
	pid = fork();
	if (!pid) {
		if (recvfrom(office, buf, sizeof(buf), 0, (struct sockaddr *)&from, &size) == 4)
			sendto(office, "pong", 4, 0, (struct sockaddr *)&from, size);
		_exit(0);
	}
	enter(ALICE);
	memset(buf, 0, sizeof(buf));
	fd = post();
	EXPECT_STREQ("pong", buf);
	waitpid(pid, NULL, 0);
	close(fd);
	close(office);
}

TEST_F(example, datagrams)
{
	struct sss_open open = { .kind = SOCK_DGRAM };
	int reader = ioctl(self->far, SSS_IOC_OPEN, &open);
	int fd = datagrams(self->near);

	ASSERT_LE(0, reader);
	EXPECT_EQ(4, recv(reader, buf, sizeof(buf), 0));
	EXPECT_EQ(4, recv(reader, buf, sizeof(buf), 0));
	close(fd);
	close(reader);
}

TEST_F(example, status)
{
	int fd = caller(V4, 0), pipes[2], err = dup(2);
	ssize_t n;

	to = address(BOB, V4, "nobody", "test 1");
	ASSERT_EQ(0, pipe(pipes));
	dup2(pipes[1], 2);
	status(fd);
	dup2(err, 2);
	close(pipes[1]);
	n = read(pipes[0], buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	EXPECT_NE(NULL, strstr(buf, "no such service")) TH_LOG("%s", buf);
	close(pipes[0]);
	close(err);
	close(fd);
}

TEST_HARNESS_MAIN
