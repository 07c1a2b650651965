// SPDX-License-Identifier: GPL-2.0
/*
 * Two CPUs hammer one channel: senders and receivers of both directions on
 * both CPUs at once, streams opened, reset and closed in between. Nothing may
 * be lost, mixed up or broken. Interesting where there are two CPUs.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define PAIRS 4
#define ROUNDS 12
#define EACH 200000

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

struct worker {
	pthread_t thread;
	int fd;
	int cpu;
	unsigned int seed;
	bool sends;
	ssize_t done;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	pin(w->cpu);
	if (w->sends)
		w->done = send_pattern(w->fd, EACH, w->seed, 0);
	else
		w->done = recv_pattern(w->fd, EACH, w->seed, 0);
	return NULL;
}

/* Both directions of each stream at once, its four ends spread over the CPUs */
TEST(bulk_both_ways)
{
	struct worker w[PAIRS][4];
	int fd[PAIRS][2], i, k;

	for (i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, stream_pair(i & 1, fd[i]));
	for (i = 0; i < PAIRS; i++) {
		for (k = 0; k < 4; k++) {
			w[i][k] = (struct worker){
				.fd = fd[i][k & 1],
				.cpu = i + (k >> 1),
				.sends = !(k & 1) == !(k >> 1),
				.seed = 2 * i + (k >> 1),
			};
			ASSERT_EQ(0, pthread_create(&w[i][k].thread, NULL, work, &w[i][k]));
		}
	}
	for (i = 0; i < PAIRS; i++) {
		for (k = 0; k < 4; k++) {
			pthread_join(w[i][k].thread, NULL);
			EXPECT_EQ(EACH, w[i][k].done) TH_LOG("pair %d worker %d", i, k);
		}
		close(fd[i][ALICE]);
		close(fd[i][BOB]);
	}
}

struct opener {
	pthread_t thread;
	int cpu;
	int family;
	int failed;
};

/* Connects, echoes, and leaves politely or not. */
static void *open_and_close(void *arg)
{
	struct linger reset = { .l_onoff = 1 };
	struct opener *o = arg;
	char buf[3000];
	int i, fd;

	pin(o->cpu);
	for (i = 0; i < ROUNDS; i++) {
		fd = dial(o->family, "echo");
		if (fd < 0 || send_pattern(fd, sizeof(buf), i, 0) != sizeof(buf) ||
		    recv_pattern(fd, sizeof(buf), i, 0) != sizeof(buf))
			o->failed++;
		if (i % 3 == 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (i % 3 == 1)
			shutdown(fd, SHUT_RDWR);
		close(fd);
	}
	return NULL;
}

static void *echo(void *arg)
{
	int listener = *(int *)arg, fd;
	char buf[3000];
	ssize_t n;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			send(fd, buf, n, MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

TEST(open_and_close_all_the_time)
{
	int listener = listen_on(V4, "echo", 64), i;
	struct opener opener[4];
	pthread_t server[4];

	ASSERT_LE(0, listener);
	for (i = 0; i < 4; i++)
		pthread_create(&server[i], NULL, echo, &listener);
	for (i = 0; i < 4; i++) {
		opener[i] = (struct opener){ .cpu = i, .family = V4 };
		pthread_create(&opener[i].thread, NULL, open_and_close, &opener[i]);
	}
	for (i = 0; i < 4; i++) {
		pthread_join(opener[i].thread, NULL);
		EXPECT_EQ(0, opener[i].failed);
	}
	shutdown(listener, SHUT_RDWR);
	for (i = 0; i < 4; i++)
		pthread_join(server[i], NULL);
	close(listener);
	EXPECT_TRUE(eventually(20000, !get_stat(ALICE, "Streams") && !get_stat(BOB, "Streams")));
	EXPECT_EQ(0, get_stat(ALICE, "ChannelErrors"));
	EXPECT_EQ(0, get_stat(BOB, "ChannelErrors"));
}

/* Two threads write to the same socket, two read from it: bytes, not order. */
TEST(shared_socket)
{
	enum { LEN = 300000 };
	size_t counts[256] = { }, total = 0, i;
	static unsigned char buf[2][LEN];
	int fd[2], status;
	ssize_t n;

	ASSERT_EQ(0, stream_pair(V4, fd));
	for (i = 0; i < 2; i++) {
		if (!fork()) {
			pin(i);
			memset(buf[i], 'a' + i, LEN);
			_exit(send(fd[ALICE], buf[i], LEN, 0) != LEN);
		}
	}
	set_timeout(fd[BOB], SO_RCVTIMEO, 20000);
	while (total < 2 * LEN && (n = recv(fd[BOB], buf[0], LEN, 0)) > 0) {
		for (i = 0; i < (size_t)n; i++)
			counts[buf[0][i]]++;
		total += n;
	}
	EXPECT_EQ(LEN, counts['a']);
	EXPECT_EQ(LEN, counts['b']);
	for (i = 0; i < 2; i++) {
		wait(&status);
		EXPECT_EQ(0, status);
	}
	close(fd[ALICE]);
	close(fd[BOB]);
}

TEST_HARNESS_MAIN
