// SPDX-License-Identifier: GPL-2.0
/*
 * A lost packet delays what it carried and nothing else: messages on a hundred
 * streams of one channel, and the same messages at the same times over one TCP
 * connection, on a path that loses 2 % of the packets. In virtual time.
 */
#include "kselftest_harness.h"
#include "path.h"

#define STREAMS		100
#define MESSAGES	10000
#define EVERY_US	4000	/* so few that no window, small after losses, holds them back */

/* One of @way's streams in turn is written to every @EVERY_US. */
struct message {
	int64_t due;		/* us, when it was to be sent */
	char rest[192];
};

struct way {
	int near[STREAMS];
	int far[STREAMS];
	int streams;
};

struct inbox {
	struct message message;
	size_t have;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static pid_t write_messages(const struct way *way)
{
	struct message message = { .due = now_us() };
	pid_t pid = fork();
	int64_t left;
	int i;

	if (pid)
		return pid;
	for (i = 0; i < MESSAGES; i++) {
		message.due += EVERY_US;
		left = message.due - now_us();
		if (left > 0)
			usleep(left);
		if (send(way->near[i % way->streams], &message, sizeof(message), MSG_NOSIGNAL) !=
		    sizeof(message))
			_exit(1);
	}
	_exit(0);
}

/* Reads what is there of one; the delay of a message that is complete, us, or -1 */
static int64_t take_message(int fd, struct inbox *in)
{
	ssize_t len = recv(fd, (char *)&in->message + in->have,
			   sizeof(in->message) - in->have, MSG_DONTWAIT);

	if (len > 0)
		in->have += len;
	if (in->have < sizeof(in->message))
		return -1;
	in->have = 0;
	return now_us() - in->message.due;
}

/* Until all have come; how many did within @ms */
static int read_messages(const struct way *way, int ms, int64_t *delays)
{
	static struct inbox inboxes[STREAMS];
	struct epoll_event events[STREAMS], event = { .events = EPOLLIN };
	long long end = now_ms() + ms;
	int i, n, got = 0, epoll = epoll_create1(EPOLL_CLOEXEC);

	memset(inboxes, 0, sizeof(inboxes));
	for (i = 0; i < way->streams; i++) {
		event.data.u32 = i;
		epoll_ctl(epoll, EPOLL_CTL_ADD, way->far[i], &event);
	}
	while (got < MESSAGES && now_ms() < end) {
		n = epoll_wait(epoll, events, STREAMS, 1000);
		for (i = 0; i < n && got < MESSAGES; i++) {
			uint32_t which = events[i].data.u32;

			delays[got] = take_message(way->far[which], &inboxes[which]);
			got += delays[got] >= 0;
		}
	}
	close(epoll);
	return got;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The delays of all messages in order, us; false: not all have come */
static bool run(const struct way *way, int64_t *delays)
{
	pid_t writer = write_messages(way);
	int got = read_messages(way, MESSAGES * (EVERY_US / 1000) + 60000, delays);

	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	for (int i = 0; i < way->streams; i++) {
		close(way->near[i]);
		close(way->far[i]);
	}
	qsort(delays, got, sizeof(*delays), compare);
	return got == MESSAGES;
}

static bool by_streams(struct way *way)
{
	int fd[2];

	for (way->streams = 0; way->streams < STREAMS; way->streams++) {
		if (way->streams ? stream_pair(V4, fd) : sss_pair("cubic", fd))
			return false;
		way->near[way->streams] = fd[ALICE];
		way->far[way->streams] = fd[BOB];
	}
	return true;
}

static bool by_tcp(struct way *way)
{
	int fd[2], one = 1;

	if (tcp_pair("cubic", fd))
		return false;
	setsockopt(fd[ALICE], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	way->near[0] = fd[ALICE];
	way->far[0] = fd[BOB];
	way->streams = 1;
	return true;
}

/* ms that one message in @n takes at least */
static double one_in(int n, const int64_t *delays)
{
	return delays[MESSAGES - MESSAGES / n] / 1000.0;
}

FIXTURE(messages) {
};

FIXTURE_SETUP(messages)
{
}

FIXTURE_TEARDOWN(messages)
{
}

TEST_F_TIMEOUT(messages, no_head_of_line_blocking, 300)
{
	static const int parts[] = { 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000 };
	static const struct path path = { "lossy", 10000, 10000, 50, 100, 200, 0 };
	static int64_t sss[MESSAGES], tcp[MESSAGES];
	struct way way;

	take(&path);
	ASSERT_TRUE(by_tcp(&way));
	ASSERT_TRUE(run(&way, tcp));
	ASSERT_TRUE(by_streams(&way));
	ASSERT_TRUE(run(&way, sss));
	printf("# one message in so many takes: ms on a stream of %d, on one TCP connection\n",
	       STREAMS);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		printf("# 1/%d: %.1f %.1f\n", parts[i], one_in(parts[i], sss),
		       one_in(parts[i], tcp));

	EXPECT_LE(path.rtt / 2, one_in(2, sss));
	EXPECT_GT(path.rtt / 2 + 15, one_in(10, sss));
	EXPECT_GT(0.6 * one_in(10, tcp), one_in(10, sss));
	/*
	 * One in fifty is lost itself, and comes a round trip later or two: nothing that
	 * sends it once can do better. Over TCP there are some of those that wait for it, too.
	 */
	EXPECT_GT(one_in(20, tcp), one_in(20, sss));
	EXPECT_GT(one_in(100, tcp), one_in(100, sss))
		TH_LOG("%.1f ms, TCP %.1f ms", one_in(100, sss), one_in(100, tcp));
}

TEST_HARNESS_MAIN
