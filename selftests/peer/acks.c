// SPDX-License-Identifier: GPL-2.0
/*
 * What the peer acknowledges, or says it does, and when the module acknowledges what it
 * sent. In virtual time: what takes no time takes none.
 */
#include <netinet/ip.h>
#include "kselftest_harness.h"
#include "hosts.h"

enum { FULL = 1200, MOST = 64, CE = 3 };

#define AT_ONCE	1000	/* us */
#define DELAY	5000	/* us, max_ack_delay */

static struct link l;
static uint64_t ect0, ce;

/* Packets that want to be acknowledged, and are not */
static struct {
	uint64_t number[MOST];
	int n;
} seen;

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* The ECN field of the next packet, which stays where it is; -1: none comes */
static int field(void)
{
	char room[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
			      .msg_controllen = sizeof(room) };
	struct cmsghdr *c;

	if (!(polled(l.fd, POLLIN, PATIENCE) & POLLIN) || recvmsg(l.fd, &msg, MSG_PEEK) < 0)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	return c && c->cmsg_type == IP_TOS ? *CMSG_DATA(c) & 3 : -1;
}

/* Takes what comes until there are @n more, or nothing comes for @ms. Probes of a size are lost. */
static bool gather(int n, int ms)
{
	for (n += seen.n; seen.n < n;) {
		if (!link_step(&l, ms))
			return false;
		if (l.newest_wants && l.newest_len <= FULL && seen.n < MOST)
			seen.number[seen.n++] = l.newest;
	}
	return true;
}

/* An ACK of one number that says what of marks came until then */
static void say(uint64_t number, uint64_t marked, uint64_t others, uint64_t congested)
{
	uint8_t frame[64];

	link_send_once(&l, frame, put_numbers(frame, ACK_ECN, 7, number, (uint64_t)0, (uint64_t)0,
					      (uint64_t)0, marked, others, congested));
}

static void ack(uint64_t number)
{
	say(number, ++ect0, 0, ce);
}

static void ack_all(void)
{
	for (int i = 0; i < seen.n; i++)
		ack(seen.number[i]);
	seen.n = 0;
}

/* All that came while the channel began: too little for a number to be left out */
static void ack_start(void)
{
	uint8_t frame[64];
	uint64_t n;

	gather(MOST, 2);
	n = l.newest - l.oldest;
	ect0 = n + 1;
	seen.n = 0;
	link_send_once(&l, frame, put_numbers(frame, ACK_ECN, 7, l.newest, (uint64_t)0,
					      (uint64_t)0, n, ect0, (uint64_t)0, (uint64_t)0));
}

/* Nothing is under way. Two probe timeouts without an answer would be one too many. */
static void settle(void)
{
	do {
		gather(MOST, 2);
		ack_all();
	} while (gather(1, 20));
}

/* The number of a packet that @fd sends */
static uint64_t packet_of(int fd)
{
	seen.n = 0;
	if (send(fd, "x", 1, 0) != 1 || !gather(1, 1000))
		return 0;
	seen.n = 0;
	return l.newest;
}

static struct sss_info info_of(int fd)
{
	struct sss_info info = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SSS, SSS_INFO, &info, &len);
	return info;
}

FIXTURE(acks) {
	int fd;
	long long failed, undone, lost;
};

/* A peer that says nothing but what is said here, so far the truth */
FIXTURE_SETUP(acks)
{
	static int n;
	char service[16];
	int listener, one = 1;

	snprintf(service, sizeof(service), "acks %d", n++);
	listener = listen_on(V4, service, 1);
	ASSERT_LE(0, listener);
	link_prepare(&l, socket_to_bob(), (const uint8_t *)&eids[BOB][V4], true);
	l.silent = true;
	seen.n = ect0 = ce = 0;
	ASSERT_TRUE(link_call(&l) && say_hello(&l, service));
	self->fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, self->fd);
	close(listener);
	ack_start();
	settle();
	setsockopt(l.fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
	self->failed = get_stat(BOB, "EcnFailed");
	self->undone = get_stat(BOB, "CongUndone");
	self->lost = get_stat(BOB, "PktsLost");
}

FIXTURE_TEARDOWN(acks)
{
	netem(ALICE, NULL);
	close(self->fd);
	hang_up(&l);
}

/* --- what the module acknowledges --- */

/* us until something comes; -1 */
static long long answer(void)
{
	long long begin = now_us();

	return link_step(&l, 1000) ? now_us() - begin : -1;
}

static void send_ping(void)
{
	uint8_t ping[1] = { PING };

	link_send_once(&l, ping, 1);
}

TEST_F(acks, when)
{
	uint8_t first[64], second[64], ping[1] = { PING };
	int tos = CE, none = 0;
	long long took;
	size_t len;

	send_ping();
	took = answer();
	EXPECT_LT(AT_ONCE, took) TH_LOG("alone: %lld us", took);
	EXPECT_GE(DELAY + AT_ONCE, took) TH_LOG("alone: %lld us", took);
	send_ping();
	send_ping();
	took = answer();
	EXPECT_GE(AT_ONCE, took) TH_LOG("two: %lld us", took);
	len = link_seal(&l, first, ping, 1);
	link_seal(&l, second, ping, 1);
	send(l.fd, second, len, 0);
	took = answer();
	EXPECT_GE(AT_ONCE, took) TH_LOG("behind a gap: %lld us", took);
	send(l.fd, first, len, 0);
	took = answer();
	EXPECT_GE(AT_ONCE, took) TH_LOG("in a gap: %lld us", took);
	setsockopt(l.fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	send_ping();
	took = answer();
	EXPECT_GE(AT_ONCE, took) TH_LOG("marked: %lld us", took);
	setsockopt(l.fd, IPPROTO_IP, IP_TOS, &none, sizeof(none));
}

/* How many come back while @n packets leave, 100 us apart, with a gap before every @gap */
static int answers_to(int n, int gap)
{
	int got = 0;

	for (int i = 0; i < n; i++) {
		l.next += gap && !(i % gap);
		send_ping();
		usleep(100);
		while (link_step(&l, 0))
			got++;
	}
	return got;
}

/*
 * Of hundreds of packets a round trip many have one; behind a gap for a while two: of 50
 * packets that were every ninth, say, one more for the gap and four for the next eight.
 */
TEST_F(acks, often_behind_a_gap)
{
	int even, gaps;

	netem(ALICE, "delay 100ms limit 10000");
	for (int i = 0; i < 20; i++) {
		uint64_t number = packet_of(self->fd);

		ASSERT_NE(0, number);
		ack(number);
	}
	/* what comes while the first of them leave is for those before */
	answers_to(2000, 0);
	even = answers_to(1500, 0);
	answers_to(1100, 50);
	gaps = answers_to(1500, 50);
	TH_LOG("%d and %d for 1500 packets", even, gaps);
	EXPECT_LT(1500 / 20, even);
	EXPECT_GT(1500 / 4, even);
	EXPECT_LT(13 * even, 10 * gaps);
}

/* --- what is said of marks --- */

TEST_F(acks, true_marks)
{
	uint64_t number, before;

	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(1, send(self->fd, "x", 1, 0));
		EXPECT_EQ(2, field());		/* ECT(0) */
		ASSERT_TRUE(gather(1, 1000));
		ack_all();
	}
	number = packet_of(self->fd);
	before = info_of(self->fd).cwnd;
	ce++;
	say(number, ect0, 0, ce);
	EXPECT_GT(before, info_of(self->fd).cwnd);
	EXPECT_EQ(self->failed, get_stat(BOB, "EcnFailed"));
}

/* Nothing is marked after what cannot be, until the path is another one. */
#define EXPECT_MISTRUST() do {						\
	EXPECT_EQ(self->failed + 1, get_stat(BOB, "EcnFailed"));	\
	EXPECT_EQ(1, send(self->fd, "x", 1, 0));			\
	EXPECT_EQ(0, field());						\
} while (0)

TEST_F(acks, marks_are_missing)
{
	say(packet_of(self->fd), ect0, 0, 0);
	EXPECT_MISTRUST();
}

TEST_F(acks, other_marks)
{
	say(packet_of(self->fd), ect0 + 1, 1, 0);
	EXPECT_MISTRUST();
}

TEST_F(acks, more_marks_than_packets)
{
	say(packet_of(self->fd), 1ULL << 40, 0, 0);
	EXPECT_MISTRUST();
}

TEST_F(acks, fewer_marks_than_before)
{
	uint64_t number = packet_of(self->fd);

	say(number, ect0, 0, 1);
	EXPECT_EQ(self->failed, get_stat(BOB, "EcnFailed"));
	number = packet_of(self->fd);
	say(number, ect0 + 2, 0, 0);
	EXPECT_MISTRUST();
}

TEST_F(acks, marks_on_another_path)
{
	long long changes = get_stat(BOB, "PathChanges");
	int one = 1;

	say(packet_of(self->fd), ect0, 0, 0);
	EXPECT_MISTRUST();
	shell_in(ALICE, "ip addr replace 10.9.0.77/24 dev wire");
	close(l.fd);
	l.fd = socket_to("10.9.0.77", "10.9.0.2");
	setsockopt(l.fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
	send_ping();
	EXPECT_TRUE(link_until(&l, PATIENCE, get_stat(BOB, "PathChanges") > changes));
	while (link_step(&l, 10))
		;
	EXPECT_EQ(1, send(self->fd, "x", 1, 0));
	EXPECT_EQ(2, field());
}

/* --- losses that were none --- */

/* @fd sends ten full packets; false: not all come */
static bool ten_of(int fd)
{
	static const char data[10 * FULL];

	seen.n = 0;
	return send(fd, data, sizeof(data), 0) == sizeof(data) && gather(10, 1);
}

static void ack_from_to(int first, int last)
{
	while (first <= last)
		ack(seen.number[first++]);
}

/* Only if all that counted as lost has come there was no congestion. */
TEST_F(acks, spurious)
{
	uint64_t before;

	ASSERT_TRUE(ten_of(self->fd));
	before = info_of(self->fd).cwnd;
	ack_from_to(5, 9);
	EXPECT_EQ(self->lost + 5, get_stat(BOB, "PktsLost"));
	EXPECT_GT(before, info_of(self->fd).cwnd);
	ack_from_to(0, 3);
	EXPECT_EQ(self->undone, get_stat(BOB, "CongUndone"));
	EXPECT_GT(before, info_of(self->fd).cwnd);
	ack_from_to(4, 4);
	EXPECT_EQ(self->undone + 1, get_stat(BOB, "CongUndone"));
	EXPECT_LE(before, info_of(self->fd).cwnd);
	/* and what comes as late as that is waited for now */
	self->lost = get_stat(BOB, "PktsLost");
	settle();
	ASSERT_TRUE(ten_of(self->fd));
	ack_from_to(5, 9);
	EXPECT_EQ(self->lost, get_stat(BOB, "PktsLost"));
	ack_from_to(0, 4);
	EXPECT_EQ(self->lost, get_stat(BOB, "PktsLost"));
}

/* A mark tells of congestion whatever comes later. */
TEST_F(acks, spurious_but_marked)
{
	uint64_t before;

	ASSERT_TRUE(ten_of(self->fd));
	before = info_of(self->fd).cwnd;
	ack_from_to(5, 8);
	say(seen.number[9], ect0, 0, ++ce);
	ack_from_to(0, 4);
	EXPECT_EQ(self->failed, get_stat(BOB, "EcnFailed"));
	EXPECT_EQ(self->undone, get_stat(BOB, "CongUndone"));
	EXPECT_GT(before, info_of(self->fd).cwnd);
}

/* --- what is lost --- */

/* Where the host is besides is said again. */
TEST_F(acks, lost_endpoints)
{
	set_sysctl(BOB, "announce_endpoints", "2");
	shell_in(BOB, "ip addr add 10.9.0.78/24 dev wire");
	EXPECT_TRUE(link_until(&l, 1000, l.lists == 1));
	for (int i = 0; i < 4; i++)
		ack(packet_of(self->fd));
	EXPECT_TRUE(link_until(&l, 1000, l.lists == 2));
	set_sysctl(BOB, "announce_endpoints", "1");
	shell_in(BOB, "ip addr del 10.9.0.78/24 dev wire");
}

TEST_HARNESS_MAIN
