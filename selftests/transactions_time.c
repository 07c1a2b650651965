// SPDX-License-Identifier: GPL-2.0
/*
 * How long a request and its answer take, on a stream of their own, over a
 * channel that is there and idle; beside TCP, with one connection for all and
 * with one for each. In virtual time, so that only the path counts. After
 * figure 7 of the SST paper: 32 B to 2 MB over a DSL line of 50 ms.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "kselftest_harness.h"
#include "sock.h"

#define ROUND_TRIP	50	/* ms */
#define TCP_PORT	5001
#define SMALLEST	32
#define LARGEST		(2 << 20)

struct request {
	uint32_t answer;	/* bytes wanted */
	char rest[28];
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void answer(int fd)
{
	static char buf[LARGEST];
	struct request request;

	while (recv(fd, &request, sizeof(request), MSG_WAITALL) == sizeof(request))
		if (send(fd, buf, request.answer, MSG_NOSIGNAL) != request.answer)
			break;
	close(fd);
}

/* Bob answers on whatever @listener gives, one after the other. */
static pid_t serve(int listener)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			answer(fd);
	}
}

static bool ask(int fd, uint32_t bytes)
{
	struct request request = { .answer = bytes };
	static char buf[65536];
	uint32_t got = 0;
	ssize_t n;

	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		return false;
	while (got < bytes) {
		n = recv(fd, buf, bytes - got < sizeof(buf) ? bytes - got : sizeof(buf), 0);
		if (n <= 0)
			return false;
		got += n;
	}
	return true;
}

/* ms of a request on a new substream, -1: it failed */
static double on_substream(int parent, uint32_t bytes)
{
	struct sss_open open = { .kind = SOCK_STREAM, .flags = SOCK_CLOEXEC };
	double start = now_us(), end;
	int fd = ioctl(parent, SSS_IOC_OPEN, &open);
	bool good = fd >= 0 && ask(fd, bytes);

	end = now_us();
	close(fd);
	return good ? (end - start) / 1000 : -1;
}

static int tcp_socket(int who)
{
	int one = 1, fd;

	enter(who);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static struct sockaddr_in tcp_address(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(TCP_PORT) };

	inet_pton(AF_INET, "10.9.0.2", &in.sin_addr);
	return in;
}

static int tcp_listen(void)
{
	struct sockaddr_in in = tcp_address();
	int fd = tcp_socket(BOB);

	return bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 8) ? -1 : fd;
}

static int tcp_dial(void)
{
	struct sockaddr_in in = tcp_address();
	int fd = tcp_socket(ALICE);

	return connect(fd, (struct sockaddr *)&in, sizeof(in)) ? -1 : fd;
}

static double on_connection(int fd, uint32_t bytes)
{
	double start = now_us();

	return ask(fd, bytes) ? (now_us() - start) / 1000 : -1;
}

static double on_new_connection(uint32_t bytes)
{
	double start = now_us(), end;
	int fd = tcp_dial();
	bool good = fd >= 0 && ask(fd, bytes);

	end = now_us();
	close(fd);
	return good ? (end - start) / 1000 : -1;
}

struct path {
	int fd[2];
	int acceptor;
	pid_t server;
};

/* The channel is made on the path that it is for: it has never seen another. */
static bool set_up(struct path *path, const char *rate)
{
	struct sss_acceptor acceptor = { .flags = SOCK_CLOEXEC, .backlog = 16 };
	char how[128];

	snprintf(how, sizeof(how), "delay %dms %s", ROUND_TRIP / 2, rate);
	netem(ALICE, how);
	netem(BOB, how);
	if (stream_pair(V4, path->fd))
		return false;
	path->acceptor = ioctl(path->fd[BOB], SSS_IOC_ACCEPTOR, &acceptor);
	if (path->acceptor < 0)
		return false;
	path->server = serve(path->acceptor);
	return on_substream(path->fd[ALICE], 32) > 0;
}

static void tear_down(struct path *path)
{
	kill(path->server, SIGKILL);
	waitpid(path->server, NULL, 0);
	close(path->acceptor);
	close(path->fd[ALICE]);
	close(path->fd[BOB]);
}

/* Up to a packet there and a packet back, the computers being infinitely fast */
TEST(one_round_trip_each)
{
	struct path path;
	static const uint32_t sizes[] = { 1, 32, 512, 1024, 1300 };
	double ms;

	ASSERT_TRUE(set_up(&path, ""));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		sleep(1);
		ms = on_substream(path.fd[ALICE], sizes[i]);
		EXPECT_LE(ROUND_TRIP, ms);
		EXPECT_GT(ROUND_TRIP + 1, ms) TH_LOG("%u bytes: %.1f ms", sizes[i], ms);
	}
	tear_down(&path);
}

FIXTURE(dsl) {
	struct path path;
};

FIXTURE_SETUP(dsl)
{
	ASSERT_TRUE(set_up(&self->path, "rate 1500kbit limit 100"));
}

FIXTURE_TEARDOWN(dsl)
{
	tear_down(&self->path);
}

TEST_F_TIMEOUT(dsl, figure_7, 600)
{
	int listener = tcp_listen(), tcp;
	pid_t server;
	double sss, one, each, last = ROUND_TRIP;

	ASSERT_LE(0, listener);
	tcp = tcp_dial();
	ASSERT_LE(0, tcp);
	server = fork();
	if (!server) {
		answer(accept(listener, NULL, NULL));
		_exit(0);
	}
	printf("# bytes: ms on a substream, on one TCP connection, on a new one each\n");
	for (uint32_t bytes = SMALLEST; bytes <= LARGEST; bytes *= 2) {
		pid_t another;

		sleep(5);
		sss = on_substream(self->path.fd[ALICE], bytes);
		sleep(5);
		one = on_connection(tcp, bytes);
		another = serve(listener);
		each = on_new_connection(bytes);
		kill(another, SIGKILL);
		waitpid(another, NULL, 0);
		printf("# %7u: %8.1f %8.1f %8.1f\n", bytes, sss, one, each);
		ASSERT_LT(0, sss);
		/* as TCP that is connected, though with a tag in every packet */
		EXPECT_GT(one * 1.02 + 1, sss) TH_LOG("%u bytes", bytes);
		if (bytes <= 65536)
			EXPECT_GT(each - ROUND_TRIP * 0.8, sss) TH_LOG("%u bytes", bytes);
		/* no jump where SST had one: an octet more is an octet more */
		if (bytes <= 4096)
			EXPECT_GT(last + ROUND_TRIP / 2, sss) TH_LOG("%u bytes", bytes);
		last = sss;
	}
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(tcp);
	close(listener);
}

TEST_HARNESS_MAIN
