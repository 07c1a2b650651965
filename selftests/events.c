// SPDX-License-Identifier: GPL-2.0
/*
 * SSS_EVENTS: every signal of a stream, in order, with its time, and never
 * lost without a word.
 */
#include "kselftest_harness.h"
#include "sock.h"
#include "errqueue.h"

#define EV(name) (1u << SSS_EV_##name)
#define LINK (EV(LINK_UP) | EV(LINK_STALLED) | EV(LINK_DOWN))
#define RING 63		/* events that wait before some are lost */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

FIXTURE(events) {
	int fd[2];
};

FIXTURE_VARIANT(events) {
	int one, other;
};

FIXTURE_VARIANT_ADD(events, caller) { .one = ALICE, .other = BOB };
FIXTURE_VARIANT_ADD(events, callee) { .one = BOB, .other = ALICE };

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, stream_pair(V4, self->fd));
	set_timeout(self->fd[BOB], SO_RCVTIMEO, PATIENCE);
	set_sysctl(ALICE, "down_timeout_ms", "2000");
	set_sysctl(BOB, "down_timeout_ms", "2000");
}

FIXTURE_TEARDOWN(events)
{
	netem(ALICE, NULL);
	netem(BOB, NULL);
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	set_sysctl(ALICE, "down_timeout_ms", "20000");
	set_sysctl(BOB, "down_timeout_ms", "20000");
	EXPECT_TRUE(all_gone());
}

#define NEAR self->fd[variant->one]
#define FAR self->fd[variant->other]

static bool none(int fd)
{
	struct sss_cm_event event;

	return get_event(fd, &event, NULL, 0) < 0 && errno == EAGAIN;
}

/* The cable is cut and mended; the data comes through in the end. */
TEST_F(events, link)
{
	static const uint32_t expected[] = {
		SSS_EV_LINK_STALLED, SSS_EV_LINK_DOWN, SSS_EV_LINK_UP,
	};
	uint64_t start = now_ns(), before = start;
	struct sss_cm_event event;
	int i;

	/* An acknowledgment that is late on a busy machine would be a stall of its own. */
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(ALICE, "SentPackets") &&
					 !get_stat(BOB, "SentPackets")));
	ASSERT_EQ(0, watch_events(NEAR, LINK));
	EXPECT_TRUE(none(NEAR));
	shell_in(variant->other, "ip link set wire down");
	ASSERT_EQ(1000, send_pattern(NEAR, 1000, 1, 0));
	for (i = 0; i < 3; i++) {
		if (expected[i] == SSS_EV_LINK_UP)
			shell_in(variant->other, "ip link set wire up");
		ASSERT_EQ(POLLPRI, polled(NEAR, POLLPRI | POLLERR | POLLHUP, PATIENCE));
		ASSERT_EQ(0, get_event(NEAR, &event, NULL, 0));
		EXPECT_EQ(expected[i], event.type) TH_LOG("event %d", i);
		EXPECT_LE(before, event.time);
		before = event.time;
	}
	EXPECT_GE(now_ns(), before);
	EXPECT_EQ(1000, recv_pattern(FAR, 1000, 1, 0));
	EXPECT_EQ(0, so_error(NEAR));
	shell_in(variant->other, "ip addr replace fd09::%d/64 dev wire nodad", variant->other + 1);
}

/* Who asks before connect() hears when the stream is connected. */
TEST_F(events, connected)
{
	struct sockaddr_sss addr = address(BOB, V4, "events", "test 1");
	int listener = listen_on(V4, "events", 1), fd = caller(V4, 0);
	struct sss_cm_event event;

	ASSERT_EQ(0, watch_events(fd, LINK | EV(ERROR)));
	ASSERT_EQ(0, connect_to(fd, &addr));
	EXPECT_TRUE(await_event(fd, SSS_EV_LINK_UP, &event));
	close(fd);
	close(listener);
}

TEST_F(events, bytes_acked)
{
	struct sss_cm_event event = { };
	uint64_t sum = 0, last = 0;

	ASSERT_EQ(0, watch_events(NEAR, EV(BYTES_ACKED) | EV(SENDER_DRY)));
	ASSERT_EQ(30000, send_pattern(NEAR, 30000, 1, 0));
	while (last < 30000) {
		ASSERT_EQ(POLLPRI, polled(NEAR, POLLPRI, PATIENCE));
		ASSERT_EQ(0, get_event(NEAR, &event, NULL, 0));
		if (event.type == SSS_EV_SENDER_DRY)
			continue;
		ASSERT_EQ(SSS_EV_BYTES_ACKED, event.type);
		EXPECT_LT(last, event.offset);
		last = event.offset;
		sum += event.bytes;
	}
	EXPECT_EQ(30000, sum);
	ASSERT_TRUE(await_event(NEAR, SSS_EV_SENDER_DRY, &event));
	EXPECT_EQ(30000, event.offset);
	EXPECT_TRUE(none(NEAR));
	EXPECT_EQ(30000, recv_pattern(FAR, 30000, 1, 0));
	/* Not wanted any more */
	ASSERT_EQ(0, watch_events(NEAR, 0));
	ASSERT_EQ(100, send_pattern(NEAR, 100, 1, 0));
	EXPECT_EQ(100, recv_pattern(FAR, 100, 1, 0));
	usleep(20000);
	EXPECT_TRUE(none(NEAR));
}

TEST_F(events, receive_blocked)
{
	struct sss_cm_event event;
	struct sss_info info;
	socklen_t len = sizeof(info);
	ssize_t sent, n;

	ASSERT_EQ(0, watch_events(FAR, EV(RECEIVE_BLOCKED)));
	sent = fill_up(NEAR, 4, 0);
	ASSERT_LT(65536, sent);
	ASSERT_EQ(POLLPRI, polled(FAR, POLLPRI, PATIENCE));
	ASSERT_EQ(0, get_event(FAR, &event, NULL, 0));
	EXPECT_EQ(SSS_EV_RECEIVE_BLOCKED, event.type);
	ASSERT_EQ(0, getsockopt(FAR, SOL_SSS, SSS_INFO, &info, &len));
	EXPECT_EQ(info.bytes_received, event.offset);
	EXPECT_TRUE(none(FAR));
	/* Reading helps. */
	n = recv_pattern(FAR, sent, 4, 0);
	EXPECT_EQ(sent, n);
}

TEST_F(events, new_substream)
{
	struct sss_cm_event event;
	struct sss_info info;
	socklen_t len = sizeof(info);
	int child, other;

	ASSERT_EQ(0, watch_events(FAR, EV(NEW_SUBSTREAM)));
	ASSERT_EQ(0, listen(FAR, 4));
	child = open_on(NEAR);
	ASSERT_LE(0, child);
	ASSERT_TRUE(await_event(FAR, SSS_EV_NEW_SUBSTREAM, &event));
	other = take(FAR);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, getsockopt(other, SOL_SSS, SSS_INFO, &info, &len));
	EXPECT_EQ(info.stream_id, event.code);
	close(child);
	close(other);
}

/* Without a socket for them, too */
TEST_F(events, datagram)
{
	struct sss_open open = { .kind = SOCK_DGRAM, .flags = SOCK_CLOEXEC };
	struct sss_cm_event event;
	char buf[3000] = { };
	int fd, one = 1, i;

	ASSERT_EQ(0, watch_events(FAR, EV(DATAGRAM) | EV(NEW_SUBSTREAM)));
	fd = ioctl(NEAR, SSS_IOC_OPEN, &open);
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(3000 - i, send(fd, buf, 3000 - i, 0));
		ASSERT_TRUE(polled(FAR, POLLPRI, PATIENCE) & POLLPRI);
		ASSERT_EQ(0, get_event(FAR, &event, NULL, 0));
		EXPECT_EQ(SSS_EV_DATAGRAM, event.type);
		EXPECT_EQ(3000u - i, event.bytes);
		setsockopt(fd, SOL_SSS, SSS_RELIABLE, &one, sizeof(one));
	}
	EXPECT_TRUE(none(FAR));
	close(fd);
}

/* RESET, ERROR and data given back come in this order. */
TEST_F(events, reset_and_error)
{
	struct sss_cm_event event;
	char buf[100];

	ASSERT_EQ(0, watch_events(FAR, EV(RESET) | EV(ERROR)));
	netem(variant->other, "loss 100%");
	ASSERT_EQ(50, send_pattern(FAR, 50, 1, 0));
	ASSERT_EQ(0, reset_stream(NEAR, 1234567890123ULL, "because", 0));
	ASSERT_TRUE(polled(FAR, POLLPRI, PATIENCE) & POLLPRI);
	ASSERT_EQ(0, get_event(FAR, &event, NULL, 0));
	EXPECT_EQ(SSS_EV_RESET, event.type);
	EXPECT_EQ(1234567890123ULL, event.code);
	EXPECT_STREQ("because", event.text);
	ASSERT_EQ(0, get_event(FAR, &event, buf, sizeof(buf)));
	EXPECT_EQ(SSS_EV_ERROR, event.type);
	EXPECT_EQ(ECONNRESET, event.error);
	EXPECT_EQ(50, get_event(FAR, &event, buf, sizeof(buf)));
	EXPECT_EQ(SSS_EV_UNDELIVERED, event.type);
	EXPECT_TRUE(none(FAR));
	EXPECT_TRUE(polled(FAR, 0, 0) & POLLERR);
	EXPECT_EQ(ECONNRESET, so_error(FAR));
	EXPECT_FALSE(polled(FAR, 0, 0) & POLLERR);
}

/* Nothing is lost without a word, and what comes afterwards is told again. */
TEST_F(events, overflow)
{
	struct sss_cm_event event;
	uint64_t before = 0;
	int child[100], i, other;

	ASSERT_EQ(0, watch_events(FAR, EV(NEW_SUBSTREAM)));
	ASSERT_EQ(0, listen(FAR, 200));
	for (i = 0; i < 100; i++) {
		child[i] = open_on(NEAR);
		ASSERT_LE(0, child[i]);
		ASSERT_EQ(10, send_pattern(child[i], 10, i, 0));
	}
	for (i = 0; i < 100; i++) {
		other = take(FAR);
		ASSERT_LE(0, other);
		ASSERT_EQ(10, recv(other, &event, 10, MSG_WAITALL));
		close(other);
	}
	for (i = 0; i < RING; i++) {
		ASSERT_EQ(0, get_event(FAR, &event, NULL, 0)) TH_LOG("%d", i);
		EXPECT_EQ(SSS_EV_NEW_SUBSTREAM, event.type) TH_LOG("%d", i);
		EXPECT_LE(before, event.time);
		before = event.time;
	}
	ASSERT_EQ(0, get_event(FAR, &event, NULL, 0));
	EXPECT_EQ(SSS_EV_OVERFLOW, event.type);
	EXPECT_EQ(100 - RING, event.code);
	EXPECT_TRUE(none(FAR));
	for (i = 0; i < 100; i++)
		close(child[i]);
	child[0] = open_on(NEAR);
	EXPECT_TRUE(await_event(FAR, SSS_EV_NEW_SUBSTREAM, &event));
	close(child[0]);
}

TEST_F(events, arguments)
{
	int listener = listen_on(V4, "unused", 1), fresh = stream_socket(ALICE, 0);
	int datagrams = socket(AF_SSS, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t mask = 1;
	socklen_t len = sizeof(mask);
	struct sss_cm_event event;

	ASSERT_EQ(0, getsockopt(NEAR, SOL_SSS, SSS_EVENTS, &mask, &len));
	EXPECT_EQ(0, mask);
	EXPECT_EQ(-1, watch_events(NEAR, 1u << 31));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, watch_events(NEAR, 1u << 10));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, watch_events(listener, LINK));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, watch_events(datagrams, LINK));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, watch_events(NEAR, SSS_EV_ALL));
	ASSERT_EQ(0, getsockopt(NEAR, SOL_SSS, SSS_EVENTS, &mask, &len));
	EXPECT_EQ(SSS_EV_ALL, mask);
	EXPECT_EQ(-1, get_event(fresh, &event, NULL, 0));
	EXPECT_EQ(EAGAIN, errno);
	close(fresh);
	close(listener);
	close(datagrams);
}

static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	return epoll;
}

static bool woken(int epoll, int ms)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, ms) == 1 && event.events & EPOLLPRI;
}

/* Level: as long as something waits. Edge: once for what is new. */
TEST_F(events, epoll)
{
	int level, edge, child[2], i;
	struct sss_cm_event event;

	level = epoll_of(FAR, EPOLLPRI);
	edge = epoll_of(FAR, EPOLLPRI | EPOLLET);
	ASSERT_EQ(0, watch_events(FAR, EV(NEW_SUBSTREAM)));
	EXPECT_FALSE(woken(level, 0));
	EXPECT_FALSE(woken(edge, 0));
	for (i = 0; i < 2; i++) {
		child[i] = open_on(NEAR);
		ASSERT_LE(0, child[i]);
		EXPECT_TRUE(woken(edge, PATIENCE)) TH_LOG("%d", i);
		EXPECT_FALSE(woken(edge, 0)) TH_LOG("%d", i);
		EXPECT_TRUE(woken(level, 0)) TH_LOG("%d", i);
		EXPECT_TRUE(woken(level, 0)) TH_LOG("%d", i);
	}
	EXPECT_EQ(0, get_event(FAR, &event, NULL, 0));
	EXPECT_TRUE(woken(level, 0));
	EXPECT_EQ(0, get_event(FAR, &event, NULL, 0));
	EXPECT_FALSE(woken(level, 0));
	close(level);
	close(edge);
	close(child[0]);
	close(child[1]);
}

TEST_HARNESS_MAIN
