// SPDX-License-Identifier: GPL-2.0
/*
 * What the relay forwards, beside what the kernel does by itself as a router, which
 * is the most that a relay in the kernel could:
 *
 *	alice 10.7.1.2 --- 10.7.1.1 here 10.7.2.1 --- 10.7.2.2 bob
 *
 * Packets come in lots (UDP_SEGMENT, UDP_GRO) or one by one. Makes namespaces of
 * its own; prints "name: number" lines. "-cpu-ns" is processor time of a packet, from
 * alice's send() to bob's recv(), whatever program it was spent in.
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include "world.h"

#define PACKET	1400
#define LOT	40	/* packets */
#define SECONDS	1
#define ROUNDS	3
#define PORT	9670

static struct world world;
static struct server_process server;
static uint64_t received;
static int there;	/* bob's socket */

/* Figures of one way in one form */
struct run {
	const char *name;
	bool relayed;
	unsigned int lot;
	double mbit[ROUNDS], cpu_ns[ROUNDS];
} runs[] = {
	{ .name = "relay-lots", .relayed = true, .lot = LOT },
	{ .name = "kernel-lots", .lot = LOT },
	{ .name = "relay-single", .relayed = true, .lot = 1 },
	{ .name = "kernel-single", .lot = 1 },
};

#define RUNS (sizeof(runs) / sizeof(runs[0]))

static void die(const char *what)
{
	fprintf(stderr, "relay_bench: %s: %s\n", what, strerror(errno));
	show_log(&world);
	exit(1);
}

static void shell(const char *command)
{
	if (system(command))
		die(command);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static double busy(void)
{
	clockid_t clock;

	if (clock_getcpuclockid(server.pid, &clock))
		die("clock");
	return seconds(clock) + seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void up(void)
{
	if (unshare(CLONE_NEWNET))
		die("unshare");
	shell("for n in 1 2; do ip netns del relay$n 2>/dev/null; ip netns add relay$n && "
	      "ip link add end$n type veth peer name wire netns relay$n && "
	      "ip addr add 10.7.$n.1/24 dev end$n && ip link set end$n up && "
	      "ip -n relay$n addr add 10.7.$n.2/24 dev wire && ip -n relay$n link set wire up && "
	      "ip -n relay$n route add default via 10.7.$n.1 || exit; done; "
	      "echo 1 >/proc/sys/net/ipv4/ip_forward");
}

static int udp_in(const char *ns, const char *address)
{
	int old = open("/proc/thread-self/ns/net", O_RDONLY), new = open(ns, O_RDONLY), fd;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(4000) };
	int size = 4 << 20, on = 1;

	if (setns(new, CLONE_NEWNET))
		die(ns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, address, &in.sin_addr);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || setns(old, CLONE_NEWNET))
		die(address);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	close(old);
	close(new);
	return fd;
}

/* Bob's end, all the time */
static void *receive(void *unused)
{
	static uint8_t data[65536];
	ssize_t len;

	while ((len = recv(there, data, sizeof(data), 0)) >= 0)
		__atomic_add_fetch(&received, len, __ATOMIC_RELAXED);
	return unused;
}

static void blast(int fd, struct run *run, unsigned int round, const uint8_t *session)
{
	static uint8_t data[LOT * PACKET];
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(run->relayed ? PORT : 4000),
	};
	int size = run->lot > 1 ? PACKET : 0;
	double began, cpu, took;
	unsigned int i;

	inet_pton(AF_INET, run->relayed ? "10.7.1.1" : "10.7.2.2", &to.sin_addr);
	setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	__atomic_store_n(&received, 0, __ATOMIC_RELAXED);
	cpu = busy();
	began = seconds(CLOCK_MONOTONIC);
	while ((took = seconds(CLOCK_MONOTONIC) - began) < SECONDS) {
		/* the relay has put another session into what it forwarded, not into this */
		for (i = 0; i < run->lot; i++) {
			data[i * PACKET] = 6;
			memcpy(data + i * PACKET + 8, session, REG_SESSION);
		}
		if (sendto(fd, data, run->lot * PACKET, 0, (void *)&to, sizeof(to)) < 0 &&
		    errno != ENOBUFS && errno != ECONNREFUSED)
			die("send");
	}
	run->mbit[round] = received * 8 / took / 1e6;
	run->cpu_ns[round] = (busy() - cpu) * 1e9 / ((double)received / PACKET);
	usleep(100000);	/* what is still on its way is not the next one's */
}

/* Alice and bob are introduced, and bob's end is known to the relay */
static void introduce(int here, uint8_t *session)
{
	static struct reg_answer answer;
	static struct reg_notice notice;
	struct reg_client alice, bob;
	struct sss_eid eid = eid_number(2);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	uint8_t packet[PACKET] = { 6 };

	if (!client_from(&server, &alice, 1, "10.7.1.2:4000") ||
	    !client_from(&server, &bob, 2, "10.7.2.2:4000") ||
	    register_status(&bob, "Bob") != REG_OK ||
	    reg_introduce(&alice, &eid, NULL, 0, &answer) || answer.status != REG_OK ||
	    reg_notice(&bob, &notice, WAIT))
		die("introduce");
	memcpy(session, answer.session, REG_SESSION);
	memcpy(packet + 8, notice.session, REG_SESSION);
	inet_pton(AF_INET, "10.7.2.1", &to.sin_addr);
	sendto(there, packet, sizeof(packet), 0, (void *)&to, sizeof(to));
	memcpy(packet + 8, session, REG_SESSION);
	inet_pton(AF_INET, "10.7.1.1", &to.sin_addr);
	if (!eventually((sendto(here, packet, sizeof(packet), 0, (void *)&to, sizeof(to)),
			 recv(there, packet, sizeof(packet), MSG_DONTWAIT) > 0)))
		die("nothing comes through the relay");
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(struct run *run)
{
	qsort(run->mbit, ROUNDS, sizeof(double), by_size);
	qsort(run->cpu_ns, ROUNDS, sizeof(double), by_size);
	printf("%s-mbit: %.0f\n%s-packets-per-second: %.0f\n%s-cpu-ns: %.0f\n", run->name,
	       run->mbit[ROUNDS / 2], run->name, run->mbit[ROUNDS / 2] * 1e6 / 8 / PACKET,
	       run->name, run->cpu_ns[ROUNDS / 2]);
}

int main(void)
{
	uint8_t session[REG_SESSION];
	unsigned int round, i;
	pthread_t thread;
	int here;

	setenv("REGSERVER_STORE", "sqlite", 1);
	if (!world_open(&world))
		die("world");
	up();
	here = udp_in("/run/netns/relay1", "10.7.1.2");
	there = udp_in("/run/netns/relay2", "10.7.2.2");
	if (!server_start(&world, &server, "--relay", "9670", "--set",
			  "relay-rate-per-eid=10000000", NULL))
		die("server");
	introduce(here, session);
	if (pthread_create(&thread, NULL, receive, NULL))
		die("thread");
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < RUNS; i++)
			blast(here, &runs[i], round, session);
	for (i = 0; i < RUNS; i++)
		report(&runs[i]);
	server_stop(&server, SIGTERM);
	world_close(&world);
	shell("ip netns del relay1; ip netns del relay2");
	return 0;
}
