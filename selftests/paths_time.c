// SPDX-License-Identifier: GPL-2.0
/*
 * How much goes over a path, beside the kernel's TCP with the same algorithm on
 * the same path: rate, round trip, drop-tail queue and loss are emulated, time is
 * virtual. The presets are those of SST's simulator.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "kselftest_harness.h"
#include "sock.h"

#define TCP_PORT	5001
#define MOST_FLOWS	2

/**
 * struct path - a link from alice to bob
 * @name: of the preset
 * @rate: kbit/s
 * @back: kbit/s of the way back
 * @rtt: ms, without queues
 * @queue: ms that the last packet in a full queue waits
 * @loss: packets of 10,000
 * @seconds: that a run lasts
 */
struct path {
	const char *name;
	int rate;
	int back;
	int rtt;
	int queue;
	int loss;
	int seconds;
};

static void lose(int of_10000)
{
	shell_in(BOB, "nft 'table inet loss; delete table inet loss; table inet loss { "
		 "chain in { type filter hook input priority 0; }; }'");
	if (of_10000)
		shell_in(BOB, "nft add rule inet loss in iifname wire numgen random mod 10000 "
			 "'<' %d drop", of_10000);
}

/*
 * A packet is a packet everywhere: queues drop whole ones. The delay comes first,
 * as from there on nobody knows whose packets they are: it is not their own host
 * in which they queue, which would hold them back and lose none.
 */
static void take(const struct path *path)
{
	int who;

	for (who = ALICE; who <= BOB; who++) {
		shell_in(who, "ethtool -K wire tso off gso off gro off tx-udp-segmentation off "
			 ">/dev/null");
		shell_in(who, "sysctl -qw net.ipv4.tcp_no_metrics_save=1");
	}
	shell_in(ALICE, "tc qdisc replace dev wire root handle 1: netem delay %dms limit 100000",
		 (path->rtt + 1) / 2);
	shell_in(ALICE, "tc qdisc replace dev wire parent 1: tbf rate %dkbit burst 1600 limit %d",
		 path->rate, path->rate / 8 * path->queue);
	shell_in(BOB, "tc qdisc replace dev wire root netem delay %dms rate %dkbit limit 100000",
		 path->rtt / 2, path->back);
	lose(path->loss);
}

static int tcp_socket(int who, const char *algorithm)
{
	int one = 1, fd;

	enter(who);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm, strlen(algorithm)))
		return -1;
	return fd;
}

static int tcp_pair(const char *algorithm, int fd[2])
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(TCP_PORT) };
	int listener = tcp_socket(BOB, algorithm);

	inet_pton(AF_INET, "10.9.0.2", &in.sin_addr);
	if (bind(listener, (struct sockaddr *)&in, sizeof(in)) || listen(listener, 1))
		return -1;
	fd[ALICE] = tcp_socket(ALICE, algorithm);
	if (connect(fd[ALICE], (struct sockaddr *)&in, sizeof(in)))
		return -1;
	fd[BOB] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return fd[BOB] < 0 ? -1 : 0;
}

/* A stream on a channel that has never seen another path */
static int sss_pair(const char *algorithm, int fd[2])
{
	set_sysctl(ALICE, "congestion_control", algorithm);
	set_sysctl(ALICE, "idle_timeout_ms", "100");
	set_sysctl(BOB, "idle_timeout_ms", "100");
	if (!eventually(60000, !get_stat(ALICE, "Channels") && !get_stat(BOB, "Channels")))
		return -1;
	return stream_pair(V4, fd);
}

struct flow {
	int fd[2];
	pid_t writer;
	long long got;
};

static bool start(struct flow *flow, bool tcp, const char *algorithm)
{
	static char buf[65536];

	flow->got = 0;
	if (tcp ? tcp_pair(algorithm, flow->fd) : sss_pair(algorithm, flow->fd))
		return false;
	flow->writer = fork();
	if (flow->writer)
		return true;
	close(flow->fd[BOB]);
	while (send(flow->fd[ALICE], buf, sizeof(buf), MSG_NOSIGNAL) > 0 || errno == EAGAIN)
		;
	_exit(0);
}

static void stop(struct flow *flow)
{
	struct linger now = { .l_onoff = 1 };
	int who;

	kill(flow->writer, SIGKILL);
	waitpid(flow->writer, NULL, 0);
	for (who = ALICE; who <= BOB; who++) {
		setsockopt(flow->fd[who], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(flow->fd[who]);
	}
}

/* Bob reads all of them for so long. */
static void read_for(struct flow *flows, int n, int ms)
{
	struct pollfd p[MOST_FLOWS];
	long long end = now_ms() + ms;
	static char buf[1 << 20];
	int i;

	while (now_ms() < end) {
		for (i = 0; i < n; i++)
			p[i] = (struct pollfd){ .fd = flows[i].fd[BOB], .events = POLLIN };
		poll(p, n, end - now_ms());
		for (i = 0; i < n; i++) {
			ssize_t len = p[i].revents & POLLIN ?
				      recv(p[i].fd, buf, sizeof(buf), MSG_DONTWAIT) : 0;

			flows[i].got += len > 0 ? len : 0;
		}
	}
}

/* kbit/s, -1: no connection */
static double goodput(const struct path *path, bool tcp, const char *algorithm)
{
	struct flow flow;

	take(path);
	if (!start(&flow, tcp, algorithm))
		return -1;
	read_for(&flow, 1, path->seconds * 1000);
	stop(&flow);
	return flow.got * 8.0 / path->seconds / 1000;
}

static const char *const algorithms[] = { "cubic", "reno" };

static const struct path clean[] = {
	{ "dsl_15", 1536, 384, 13, 300, 0, 20 },
	{ "cable_5", 5000, 384, 7, 130, 0, 20 },
	{ "sat_10", 10000, 10000, 1000, 300, 0, 40 },
	{ "eth_10", 10000, 10000, 2, 20, 0, 10 },
	{ "eth_100", 100000, 100000, 2, 20, 0, 3 },
	{ "far", 50000, 50000, 100, 100, 0, 8 },
};

FIXTURE(paths) {
};

FIXTURE_SETUP(paths)
{
}

FIXTURE_TEARDOWN(paths)
{
}

TEST_F_TIMEOUT(paths, without_loss, 1800)
{
	double tcp, sss;
	unsigned int i, a;

	for (a = 0; a < 2; a++) {
		for (i = 0; i < sizeof(clean) / sizeof(clean[0]); i++) {
			tcp = goodput(&clean[i], true, algorithms[a]);
			sss = goodput(&clean[i], false, algorithms[a]);
			TH_LOG("%s, %s: TCP %.0f, AF_SSS %.0f kbit/s: %.3f", clean[i].name,
			       algorithms[a], tcp, sss, sss / tcp);
			ASSERT_LT(0, tcp);
			EXPECT_LT(0.95 * tcp, sss);
		}
	}
}

static double mean(const struct path *path, bool tcp, const char *algorithm, int runs)
{
	double sum = 0, one;
	int i;

	for (i = 0; i < runs; i++) {
		one = goodput(path, tcp, algorithm);
		if (one < 0)
			return -1;
		sum += one;
	}
	return sum / runs;
}

/* The mean of ten runs each */
TEST_F_TIMEOUT(paths, with_loss, 3600)
{
	static const int losses[] = { 10, 100, 300 }, seconds[] = { 6, 20, 25 };
	struct path path = { "lossy", 10000, 10000, 40, 100, 0, 0 };
	double tcp, sss;
	unsigned int i, a;

	for (a = 0; a < 2; a++) {
		for (i = 0; i < 3; i++) {
			path.loss = losses[i];
			path.seconds = seconds[i];
			tcp = mean(&path, true, algorithms[a], 10);
			sss = mean(&path, false, algorithms[a], 10);
			TH_LOG("%.1f %% lost, %s: TCP %.0f, AF_SSS %.0f kbit/s: %.3f",
			       losses[i] / 100.0, algorithms[a], tcp, sss, sss / tcp);
			ASSERT_LT(0, tcp);
			EXPECT_LT(0.85 * tcp, sss);
		}
	}
}

#define RUNS	10

/*
 * One of each share a link for a minute. The mean of several: with nothing random
 * in the path, it is small things that decide whose packet finds the queue full, and
 * a few milliseconds of round trip more or less change them.
 */
TEST_F_TIMEOUT(paths, fair_to_tcp, 1800)
{
	struct path path = { "shared", 10000, 10000, 20, 100, 0, 60 };
	struct flow flows[2];
	unsigned int a, i, tcp;
	double share, mean;

	for (a = 0; a < 2; a++) {
		for (i = 0, mean = 0; i < RUNS; i++) {
			path.rtt = 20 + 3 * i;
			tcp = i & 1;	/* who begins */
			take(&path);
			ASSERT_TRUE(start(&flows[0], tcp, algorithms[a]));
			ASSERT_TRUE(start(&flows[1], !tcp, algorithms[a]));
			read_for(flows, 2, path.seconds * 1000);
			share = 100.0 * flows[!!tcp].got / (flows[0].got + flows[1].got);
			TH_LOG("%s, %d ms: %.1f %% beside TCP", algorithms[a], path.rtt, share);
			mean += share / RUNS;
			stop(&flows[0]);
			stop(&flows[1]);
		}
		TH_LOG("%s: %.1f %%", algorithms[a], mean);
		EXPECT_LT(45, mean);
		EXPECT_GT(55, mean);
	}
}

/* LEDBAT alone fills a link, and leaves it to TCP when that comes. */
TEST_F_TIMEOUT(paths, ledbat, 600)
{
	struct path path = { "background", 10000, 10000, 40, 200, 0, 60 };
	struct flow flows[2];
	double alone, share;

	alone = goodput(&path, false, "ledbat");
	take(&path);
	ASSERT_TRUE(start(&flows[0], false, "ledbat"));
	read_for(flows, 1, 5000);
	ASSERT_TRUE(start(&flows[1], true, "cubic"));
	flows[0].got = 0;
	read_for(flows, 2, path.seconds * 1000);
	share = 100.0 * flows[0].got / (flows[0].got + flows[1].got);
	TH_LOG("alone %.0f kbit/s, %.1f %% beside TCP", alone, share);
	EXPECT_LT(0.9 * path.rate, alone);
	EXPECT_GT(10, share);
	stop(&flows[0]);
	stop(&flows[1]);
}

TEST_HARNESS_MAIN
