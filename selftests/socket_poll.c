// SPDX-License-Identifier: GPL-2.0
/*
 * Does poll() tell the truth? What it promises, the next call finds; what it
 * does not promise, the next call cannot do; and whoever sleeps is woken.
 */
#include <sys/select.h>
#include <linux/sockios.h>
#include "kselftest_harness.h"
#include "sock.h"

#define ALL (POLLIN | POLLOUT | POLLRDHUP | POLLPRI)
#define WAIT 10000	/* ms: what must happen has happened long before */
#define QUIET 100	/* ms in which nothing may happen */

FIXTURE(poll)
{
	int fd[2];
};

FIXTURE_VARIANT(poll)
{
	int family;
};

FIXTURE_VARIANT_ADD(poll, v4) { .family = V4 };
FIXTURE_VARIANT_ADD(poll, v6) { .family = V6 };

FIXTURE_SETUP(poll)
{
	ASSERT_EQ(0, stream_pair(variant->family, self->fd))
		TH_LOG("%s", strerror(errno));
}

FIXTURE_TEARDOWN(poll)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
}

TEST_F(poll, fresh_and_listening)
{
	int fd = stream_socket(ALICE, 0), listener = listen_on(variant->family, "poll", 5), end;

	EXPECT_EQ(POLLHUP, polled(fd, ALL, 0));
	close(fd);
	EXPECT_EQ(0, polled(listener, ALL, 0));
	fd = dial(variant->family, "poll");
	ASSERT_LE(0, fd);
	EXPECT_EQ(POLLIN, polled(listener, ALL, WAIT));
	EXPECT_EQ(POLLIN, polled(listener, ALL, 0));
	end = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	EXPECT_LE(0, end);
	EXPECT_EQ(0, polled(listener, ALL, 0));
	EXPECT_EQ(POLLOUT, polled(end, ALL, 0));
	close(end);
	close(fd);
	close(listener);
}

TEST_F(poll, data_arrives)
{
	char buf[8];

	EXPECT_EQ(POLLOUT, polled(self->fd[ALICE], ALL, 0));
	EXPECT_EQ(POLLOUT, polled(self->fd[BOB], ALL, 0));
	EXPECT_EQ(3, send(self->fd[ALICE], "abc", 3, 0));
	EXPECT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, WAIT));
	EXPECT_EQ(POLLIN | POLLOUT, polled(self->fd[BOB], ALL, 0));
	EXPECT_EQ(2, recv(self->fd[BOB], buf, 2, MSG_DONTWAIT));
	EXPECT_EQ(POLLIN | POLLOUT, polled(self->fd[BOB], ALL, 0));
	EXPECT_EQ(1, recv(self->fd[BOB], buf, 2, MSG_DONTWAIT));
	EXPECT_EQ(POLLOUT, polled(self->fd[BOB], ALL, 0));
}

/* A full queue is not writable; whenever poll() says so, one byte is taken. */
TEST_F(poll, writable_means_writable)
{
	ssize_t sent = fill_up(self->fd[ALICE], 1, 0), got = 0, n;
	int rounds;

	ASSERT_EQ(EAGAIN, errno);
	ASSERT_LT(0, sent);
	set_nonblock(self->fd[ALICE], true);
	for (rounds = 0; rounds < 1000; rounds++) {
		if (!(polled(self->fd[ALICE], POLLOUT, 0) & POLLOUT))
			continue;
		n = send_pattern(self->fd[ALICE], 1, 1, sent);
		ASSERT_EQ(1, n) TH_LOG("round %d: %s", rounds, strerror(errno));
		sent++;
	}
	while (send_pattern(self->fd[ALICE], 1, 1, sent) == 1)
		sent++;
	EXPECT_EQ(0, polled(self->fd[ALICE], POLLOUT, QUIET));

	/* The reader makes room in small steps: the writer hears of it. */
	while (got < sent && !(polled(self->fd[ALICE], POLLOUT, 0) & POLLOUT)) {
		n = recv_pattern(self->fd[BOB], sent - got < 4096 ? sent - got : 4096, 1, got);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_EQ(POLLOUT, polled(self->fd[ALICE], POLLOUT, WAIT));
	EXPECT_EQ(1, send_pattern(self->fd[ALICE], 1, 1, sent));
	EXPECT_EQ(sent + 1 - got, recv_pattern(self->fd[BOB], sent + 1 - got, 1, got));
}

struct sleeper {
	int fd, events, revents;
};

static void *sleep_in_poll(void *arg)
{
	struct sleeper *s = arg;

	s->revents = polled(s->fd, s->events, WAIT);
	return NULL;
}

/* What a sleeper in poll(@events) on @fd sees once something happens */
#define SLEEPER_SEES(want, at, wanted_events, happens) do {			\
	struct sleeper s_ = { .fd = (at), .events = (wanted_events) };		\
	pthread_t thread_;							\
										\
	pthread_create(&thread_, NULL, sleep_in_poll, &s_);			\
	usleep(30000);								\
	happens;								\
	pthread_join(thread_, NULL);						\
	EXPECT_EQ(want, s_.revents) TH_LOG("after " #happens);			\
} while (0)

TEST_F(poll, sleepers_are_woken)
{
	int *fd = self->fd, listener = listen_on(variant->family, "wake", 5), other = -1;
	ssize_t sent;
	char c;

	SLEEPER_SEES(POLLIN, listener, POLLIN, other = dial(variant->family, "wake"));
	close(accept(listener, NULL, NULL));
	close(other);
	SLEEPER_SEES(POLLIN, fd[BOB], POLLIN, send(fd[ALICE], "x", 1, 0));
	recv(fd[BOB], &c, 1, 0);
	sent = fill_up(fd[ALICE], 2, 0);
	SLEEPER_SEES(POLLOUT, fd[ALICE], POLLOUT, recv_pattern(fd[BOB], sent, 2, 0));
	SLEEPER_SEES(POLLRDHUP, fd[BOB], POLLRDHUP, shutdown(fd[ALICE], SHUT_WR));
	SLEEPER_SEES(POLLIN | POLLRDHUP | POLLHUP, fd[ALICE], POLLIN | POLLRDHUP,
		     shutdown(fd[BOB], SHUT_WR));
	SLEEPER_SEES(POLLHUP, listener, POLLIN, shutdown(listener, SHUT_RD));
	close(listener);
}

TEST_F(poll, reset_wakes)
{
	struct linger reset = { .l_onoff = 1 };
	int *fd = self->fd;

	setsockopt(fd[ALICE], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	SLEEPER_SEES(POLLERR | POLLHUP, fd[BOB], 0, close(fd[ALICE]));
	EXPECT_EQ(ECONNRESET, so_error(fd[BOB]));
	fd[ALICE] = -1;
}

TEST_F(poll, halves)
{
	int *fd = self->fd;
	char c;

	EXPECT_EQ(1, send(fd[ALICE], "x", 1, 0));
	EXPECT_EQ(0, shutdown(fd[ALICE], SHUT_WR));
	EXPECT_EQ(0, polled(fd[ALICE], POLLIN | POLLRDHUP, 0));
	EXPECT_EQ(POLLRDHUP, polled(fd[BOB], POLLRDHUP, WAIT));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP, polled(fd[BOB], ALL, 0));
	EXPECT_EQ(1, recv(fd[BOB], &c, 1, 0));
	EXPECT_EQ(0, recv(fd[BOB], &c, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP, polled(fd[BOB], ALL, 0));
	EXPECT_EQ(0, shutdown(fd[BOB], SHUT_WR));
	EXPECT_TRUE(polled(fd[BOB], 0, 0) & POLLHUP);
	EXPECT_EQ(POLLHUP, polled(fd[ALICE], 0, WAIT));
	EXPECT_EQ(0, so_error(fd[ALICE]));
	EXPECT_EQ(0, so_error(fd[BOB]));
}

/* POLLERR means SO_ERROR, and goes when that was read. */
TEST_F(poll, error_is_so_error)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "nobody", "test 1");
	int fd = caller(variant->family, SOCK_NONBLOCK);

	EXPECT_EQ(-1, connect_to(fd, &addr));
	EXPECT_TRUE(polled(fd, 0, WAIT) & POLLERR);
	EXPECT_EQ(ECONNREFUSED, so_error(fd));
	EXPECT_FALSE(polled(fd, 0, 0) & POLLERR);
	close(fd);
}

static int waited(int ep, int ms)
{
	struct epoll_event event = { };
	int n = epoll_wait(ep, &event, 1, ms);

	return n == 1 ? (int)event.events : -n;
}

TEST_F(poll, epoll_level)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	char c;

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd[BOB], &event));
	EXPECT_EQ(0, waited(ep, 0));
	EXPECT_EQ(2, send(self->fd[ALICE], "ab", 2, 0));
	EXPECT_EQ(EPOLLIN, waited(ep, WAIT));
	EXPECT_EQ(1, recv(self->fd[BOB], &c, 1, 0));
	EXPECT_EQ(EPOLLIN, waited(ep, 0));
	EXPECT_EQ(1, recv(self->fd[BOB], &c, 1, 0));
	EXPECT_EQ(0, waited(ep, 0));
	close(ep);
}

TEST_F(poll, epoll_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0), out = epoll_create1(0);
	ssize_t sent, got = 0, n;
	char buf[8];

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd[BOB], &event));
	EXPECT_EQ(1, send(self->fd[ALICE], "a", 1, 0));
	EXPECT_EQ(EPOLLIN, waited(ep, WAIT));
	EXPECT_EQ(0, waited(ep, 0));
	/* More data is another edge, though nothing was read. */
	EXPECT_EQ(1, send(self->fd[ALICE], "b", 1, 0));
	EXPECT_EQ(EPOLLIN, waited(ep, WAIT));
	EXPECT_EQ(2, recv(self->fd[BOB], buf, sizeof(buf), 0));

	/* After EAGAIN an edge must come, whatever the steps of the reader. */
	event.events = EPOLLOUT | EPOLLET;
	ASSERT_EQ(0, epoll_ctl(out, EPOLL_CTL_ADD, self->fd[ALICE], &event));
	EXPECT_EQ(EPOLLOUT, waited(out, 0));
	sent = fill_up(self->fd[ALICE], 3, 0);
	while (waited(out, QUIET) == EPOLLOUT)
		sent += fill_up(self->fd[ALICE], 3, sent);
	while (got < sent && waited(out, 0) != EPOLLOUT) {
		n = recv_pattern(self->fd[BOB], sent - got < 2000 ? sent - got : 2000, 3, got);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_TRUE(got < sent || waited(out, WAIT) == EPOLLOUT);
	EXPECT_EQ(POLLOUT, polled(self->fd[ALICE], POLLOUT, 0));
	close(ep);
	close(out);
}

TEST_F(poll, select_agrees)
{
	struct timeval soon = { .tv_sec = 10 }, now = { };
	fd_set in, out;

	FD_ZERO(&in);
	FD_SET(self->fd[BOB], &in);
	EXPECT_EQ(0, select(self->fd[BOB] + 1, &in, NULL, NULL, &now));
	EXPECT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	FD_SET(self->fd[BOB], &in);
	EXPECT_EQ(1, select(self->fd[BOB] + 1, &in, NULL, NULL, &soon));
	FD_ZERO(&out);
	FD_SET(self->fd[BOB], &out);
	EXPECT_EQ(1, select(self->fd[BOB] + 1, NULL, &out, NULL, &now));
}

static volatile int signals;

static void count(int sig)
{
	signals++;
}

TEST_F(poll, sigio)
{
	struct linger reset = { .l_onoff = 1 };
	int seen;

	signal(SIGIO, count);
	ASSERT_EQ(0, fcntl(self->fd[BOB], F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->fd[BOB], F_SETFL, O_ASYNC));
	EXPECT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	EXPECT_TRUE(eventually(WAIT, signals > 0));
	seen = signals;
	setsockopt(self->fd[ALICE], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	EXPECT_TRUE(eventually(WAIT, signals > seen));
}

TEST_HARNESS_MAIN
