/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests in virtual time: paths of a rate, round trip, queue and loss, and
 * transfers over them, by AF_SSS and by the kernel's TCP.
 */
#ifndef SSS_TEST_PATH_H
#define SSS_TEST_PATH_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "sock.h"

#define TCP_PORT	5001
#define MOST_FLOWS	3

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

/* Of what comes to bob, so many packets of 10,000, at random; 0: none */
static inline void lose(int of_10000)
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
static inline void take(const struct path *path)
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

static inline int tcp_socket(int who, const char *algorithm)
{
	int one = 1, fd;

	enter(who);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm, strlen(algorithm)))
		return -1;
	return fd;
}

static inline int tcp_pair(const char *algorithm, int fd[2])
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
static inline int sss_pair(const char *algorithm, int fd[2])
{
	set_sysctl(ALICE, "congestion_control", algorithm);
	set_sysctl(ALICE, "idle_timeout_ms", "100");
	set_sysctl(BOB, "idle_timeout_ms", "100");
	if (!eventually(60000, !get_stat(ALICE, "Channels") && !get_stat(BOB, "Channels")))
		return -1;
	return stream_pair(V4, fd);
}

/* A transfer from alice to bob; @writer is who writes as fast as it can. */
struct flow {
	int fd[2];
	pid_t writer;
	long long got;
};

static inline void write_on(struct flow *flow)
{
	static char buf[65536];

	flow->got = 0;
	flow->writer = fork();
	if (flow->writer)
		return;
	close(flow->fd[BOB]);
	while (send(flow->fd[ALICE], buf, sizeof(buf), MSG_NOSIGNAL) > 0 || errno == EAGAIN)
		;
	_exit(0);
}

static inline bool start(struct flow *flow, bool tcp, const char *algorithm)
{
	if (tcp ? tcp_pair(algorithm, flow->fd) : sss_pair(algorithm, flow->fd))
		return false;
	write_on(flow);
	return true;
}

static inline void stop(struct flow *flow)
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
static inline void read_for(struct flow *flows, int n, int ms)
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

/* What came of each meanwhile, kbit/s */
static inline void measure(struct flow *flows, int n, int ms, double *rates)
{
	int i;

	for (i = 0; i < n; i++)
		flows[i].got = 0;
	read_for(flows, n, ms);
	for (i = 0; i < n; i++)
		rates[i] = flows[i].got * 8.0 / ms;
}

static inline struct sss_info info_of(int fd)
{
	struct sss_info info = { .stream_id = 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SSS, SSS_INFO, &info, &len);
	return info;
}

#endif /* SSS_TEST_PATH_H */
