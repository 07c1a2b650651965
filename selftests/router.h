/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of paths with a hop in the middle: alice - router - bob, in place of
 * the cable between the two, with identities that live as long as one test.
 *
 *   alice "left" 10.11.0.1 fd11::1 - .2 "left" router "right" .2 - .1 "right" bob
 *                                                       10.12.0.1 fd12::1
 */
#ifndef SSS_TEST_ROUTER_H
#define SSS_TEST_ROUTER_H

#include "handshake_hosts.h"

#define ROUTED_PORT	9700

static int router_ns;

#define shell_at_router(format, ...) \
	shell("nsenter --net=/proc/%d/fd/%d " format, getpid(), router_ns, ##__VA_ARGS__)

static inline void make_end(int who, const char *dev, int net, int other)
{
	shell_in(who, "sh -c 'ip link del wire 2>/dev/null; "
		 "ip addr add 10.%d.0.1/24 dev %s; ip addr add fd%d::1/64 dev %s nodad; "
		 "ip link set %s up; ip route add 10.%d.0.0/24 via 10.%d.0.2; "
		 "ip route add fd%d::/64 via fd%d::2'",
		 net, dev, net, dev, dev, other, net, other, net);
}

/* Both cables take 9000 bytes. */
static inline void __attribute__((constructor)) make_router(void)
{
	char name[32];

	snprintf(name, sizeof(name), "router%d", getpid());
	router_ns = make_namespace(name);
	shell_in(ALICE, "ip link add left mtu 9000 type veth peer name left mtu 9000 netns %s",
		 name);
	shell_in(BOB, "ip link add right mtu 9000 type veth peer name right mtu 9000 netns %s",
		 name);
	shell("ip netns del %s", name);
	shell_at_router("sh -c 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; "
			"ip addr add 10.11.0.2/24 dev left; ip addr add 10.12.0.2/24 dev right; "
			"ip addr add fd11::2/64 dev left nodad; ip addr add fd12::2/64 dev right nodad; "
			"ip link set left up; ip link set right up'");
	make_end(ALICE, "left", 11, 12);
	make_end(BOB, "right", 12, 11);
}

/* From now on alice's device takes so much, and the way from the router to bob. */
static inline void set_mtus(int device, int hop)
{
	shell_in(ALICE, "ip link set left mtu %d", device);
	shell_at_router("ip link set right mtu %d", hop);
}

/* The router says nothing about packets that it drops. */
static inline void silence(bool on)
{
	shell_at_router("nft 'table inet silent; delete table inet silent'");
	if (on)
		shell_at_router("nft 'table inet silent { chain out { type filter hook output "
				"priority 0; icmp type destination-unreachable drop; "
				"icmpv6 type { packet-too-big, destination-unreachable } drop; }; }'");
}

/* Identities, and a stream from alice to bob */
static inline int routed_pair(struct both *b, int family, int fd[2])
{
	int who, listener;

	*b = (struct both){ .name = "routed", .port = ROUTED_PORT };
	b->service[ALICE] = "at alice";
	b->service[BOB] = "at bob";
	for (who = ALICE; who <= BOB; who++) {
		enter(who);
		b->eid[who] = add_host(b->name, b->port, ~0u);
	}
	enter(ALICE);
	add_peer(b->name, &b->eid[BOB], family == V4 ? "10.12.0.1" : "fd12::1", b->port);
	listener = listen_as(b, BOB);
	fd[ALICE] = dial_as(b, ALICE);
	if (listener < 0 || fd[ALICE] < 0)
		return -1;
	fd[BOB] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return fd[BOB] < 0 ? -1 : 0;
}

static inline struct sss_info info_of(int fd)
{
	struct sss_info info = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SSS, SSS_INFO, &info, &len);
	return info;
}

static inline int pmtu_of(int fd)
{
	return info_of(fd).pmtu;
}

/* Is it the size that fits a link of @mtu, or a little less? */
static inline bool fits(int fd, int family, int mtu)
{
	int most = mtu - (family == V4 ? 28 : 48), size = pmtu_of(fd);

	return size <= most && size > most - 16;
}

/**
 * struct flow - a transfer from alice to bob, of the pattern
 * @fd: bob's end
 * @writer: child
 * @got: bytes
 * @wrong: they are not the pattern, or the stream ended
 * @last_ms: when something came last
 * @gap_ms: longest time without
 */
struct flow {
	int fd;
	pid_t writer;
	size_t got;
	bool wrong;
	long long last_ms, gap_ms;
};

/* Starts to write @size bytes every @every ms, for ever. */
static inline void start_flow(struct flow *f, int fd[2], size_t size, int every)
{
	size_t at;

	*f = (struct flow){ .fd = fd[BOB], .writer = fork(), .last_ms = now_ms() };
	if (f->writer)
		return;
	for (at = 0; send_pattern(fd[ALICE], size, 1, at) == (ssize_t)size; at += size)
		usleep(every * 1000);
	_exit(0);
}

static inline void stop_flow(struct flow *f)
{
	kill(f->writer, SIGKILL);
	waitpid(f->writer, NULL, 0);
}

/* What comes within @ms */
static inline void take(struct flow *f, int ms)
{
	static unsigned char buf[1 << 18];
	ssize_t n = 0;

	if (polled(f->fd, POLLIN, ms) & POLLIN) {
		n = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT);
		f->wrong |= n <= 0 || !is_pattern(buf, n, 1, f->got);
	}
	if (n > 0) {
		if (now_ms() - f->last_ms > f->gap_ms)
			f->gap_ms = now_ms() - f->last_ms;
		f->last_ms = now_ms();
		f->got += n;
	}
}

/* Reads until @condition, @ms at most; evaluates to whether it holds. */
#define flows_until(f, ms, condition) ({				\
	long long until_ = now_ms() + (ms);				\
	bool ok_;							\
									\
	while (!(ok_ = (condition)) && now_ms() < until_ && !(f)->wrong) \
		take(f, 10);						\
	ok_;								\
})

#endif /* SSS_TEST_ROUTER_H */
