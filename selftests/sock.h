/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of sockets: two namespaces, alice and bob, at the ends of a cable,
 * each with one identity reached over IPv4 and one over IPv6. Made once, before
 * main(): every test of a program shares the channels. Alice knows where bob
 * is; bob learns.
 */
#ifndef SSS_TEST_SOCK_H
#define SSS_TEST_SOCK_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "genl.h"

enum { ALICE, BOB };
enum { V4, V6 };

#define BLACK_HOLE4	"10.9.0.77"	/* an address of the cable that nobody has */
#define PORT(family)	(9660 + (family))

static int ns[2];
static struct sss_eid eids[2][2];		/* [who][family] */
static const char *const host_names[2] = { "v4", "v6" };

/* Runs a shell command; the program ends if it fails. */
static inline void shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command)) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

static inline void enter(int who)
{
	if (setns(ns[who], CLONE_NEWNET))
		genl_die("setns");
}

/* In the namespace: "tc qdisc ..." and the like */
#define shell_in(who, format, ...) \
	shell("nsenter --net=/proc/%d/fd/%d " format, getpid(), ns[who], ##__VA_ARGS__)

/* What leaves @who suffers; NULL: no longer. */
static inline void netem(int who, const char *how)
{
	static bool suffers[2];

	if (how)
		shell_in(who, "tc qdisc replace dev wire root netem %s", how);
	else if (suffers[who])
		shell_in(who, "tc qdisc del dev wire root");
	suffers[who] = how;
}

/* A sysctl net.sss.@name of the namespace */
static inline void set_sysctl(int who, const char *name, const char *value)
{
	char path[128];
	int fd;

	enter(who);
	snprintf(path, sizeof(path), "/proc/sys/net/sss/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		genl_die(path);
	close(fd);
}

/* A counter or gauge of the namespace */
static inline long long get_stat(int who, const char *name)
{
	long long value = -1, v;
	char line[64];
	FILE *f;

	enter(who);
	/* the file belongs to the namespace of the thread, not of the process */
	f = fopen("/proc/thread-self/net/sss_stat", "r");
	while (f && fscanf(f, "%63s %lld", line, &v) == 2) {
		if (!strcmp(line, name))
			value = v;
	}
	if (f)
		fclose(f);
	return value;
}

static inline int take_eid(const struct nlmsghdr *nlh, void *data)
{
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	if (a.of[SSS_A_HOST_EID])
		memcpy(data, mnl_attr_get_payload(a.of[SSS_A_HOST_EID]), SSS_EID_LEN);
	return MNL_CB_OK;
}

/* A host in the current namespace; @mode ~0: the usual one. Returns its EID. */
static inline struct sss_eid add_host(const char *name, uint16_t port, uint32_t mode)
{
	static struct genl g;
	struct sss_eid eid = { };
	struct nlmsghdr *nlh;

	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_HOST_NEW, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	mnl_attr_put_u16(nlh, SSS_A_HOST_PORT, port);
	if (mode != ~0u)
		mnl_attr_put_u32(nlh, SSS_A_HOST_MODE, mode);
	errno = genl_call(&g, nlh, NULL, NULL);
	if (errno)
		genl_die("making a host");
	nlh = genl_start(&g, SSS_CMD_HOST_GET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	errno = genl_call(&g, nlh, take_eid, &eid);
	if (errno)
		genl_die("asking for a host");
	mnl_socket_close(g.nl);
	return eid;
}

static inline void del_host(const char *name)
{
	static struct genl g;
	struct nlmsghdr *nlh;

	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_HOST_DEL, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	errno = genl_call(&g, nlh, NULL, NULL);
	if (errno)
		genl_die("deleting a host");
	mnl_socket_close(g.nl);
}

/* Changes one number of a host of @who's */
static inline void change_host(int who, const char *name, int attr, uint32_t value)
{
	static struct genl g;
	struct nlmsghdr *nlh;

	enter(who);
	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_HOST_SET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	mnl_attr_put_u32(nlh, attr, value);
	errno = genl_call(&g, nlh, NULL, NULL);
	if (errno)
		genl_die("changing a host");
	mnl_socket_close(g.nl);
}

/* Host @name of the current namespace learns the @n places where @eid may be. */
static inline void add_peer_at(const char *name, const struct sss_eid *eid, int n,
			       const char *const *where, int port)
{
	static struct genl g;
	struct nlmsghdr *nlh;

	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_PEER_NEW, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	genl_put(nlh, SSS_A_PEER_EID, eid, sizeof(*eid));
	if (n)
		genl_put_endpoints(nlh, n, where, port);
	errno = genl_call(&g, nlh, NULL, NULL);
	if (errno)
		genl_die("making a peer");
	mnl_socket_close(g.nl);
}

/* ... the one, or (NULL) that it is a peer. */
static inline void add_peer(const char *name, const struct sss_eid *eid, const char *where, int port)
{
	add_peer_at(name, eid, where ? 1 : 0, &where, port);
}

/* SSS_CMD_PEER_DEL, or something else about a peer of host @name of the current namespace */
static inline void ask_about_peer(int cmd, const char *name, const void *eid)
{
	static struct genl g;
	struct nlmsghdr *nlh;

	genl_open(&g);
	nlh = genl_start(&g, cmd, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	genl_put(nlh, SSS_A_PEER_EID, eid, SSS_EID_LEN);
	errno = genl_call(&g, nlh, NULL, NULL);
	if (errno)
		genl_die("asking about a peer");
	mnl_socket_close(g.nl);
}

static inline int make_namespace(const char *name)
{
	char path[64];
	int fd;

	shell("ip netns add %s", name);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		genl_die(path);
	return fd;
}

static inline void set_up_end(int who, const char *name)
{
	shell("ip -n %s addr add 10.9.0.%d/24 dev wire; ip -n %s addr add fd09::%d/64 dev wire nodad;"
	      "ip -n %s link set lo up; ip -n %s link set wire up", name, who + 1, name, who + 1,
	      name, name);
	enter(who);
	eids[who][V4] = add_host(host_names[V4], PORT(V4), ~0u);
	eids[who][V6] = add_host(host_names[V6], PORT(V6), ~0u);
}

static inline void __attribute__((constructor)) make_world(void)
{
	char alice[32], bob[32];

	snprintf(alice, sizeof(alice), "alice%d", getpid());
	snprintf(bob, sizeof(bob), "bob%d", getpid());
	ns[ALICE] = make_namespace(alice);
	ns[BOB] = make_namespace(bob);
	shell("ip link add wire netns %s type veth peer name wire netns %s", alice, bob);
	set_up_end(ALICE, alice);
	set_up_end(BOB, bob);
	/* They live as long as this program, however it ends. */
	shell("ip netns del %s; ip netns del %s", alice, bob);

	enter(ALICE);
	add_peer("v4", &eids[BOB][V4], "10.9.0.2", PORT(V4));
	add_peer("v6", &eids[BOB][V6], "fd09::2", PORT(V6));
}

/* A service of one of bob's identities, or a local address */
static inline struct sockaddr_sss address(int who, int family, const char *service,
					  const char *protocol)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS };

	addr.sss_eid = eids[who][family];
	snprintf(addr.sss_service, sizeof(addr.sss_service), "%s", service);
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "%s", protocol);
	return addr;
}

static inline int stream_socket(int who, int flags)
{
	enter(who);
	return socket(AF_SSS, SOCK_STREAM | flags, 0);
}

static inline int bind_to(int fd, const struct sockaddr_sss *addr)
{
	return bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
}

static inline int connect_to(int fd, const struct sockaddr_sss *addr)
{
	return connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
}

/* No test waits longer for what must happen. */
#define PATIENCE 20000

static inline void set_timeout(int fd, int option, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv));
}

/* Bob listens; -1 with errno. */
static inline int listen_on(int family, const char *service, int backlog)
{
	struct sockaddr_sss addr = address(BOB, family, service, "test 1");
	int fd = stream_socket(BOB, SOCK_CLOEXEC);

	if (fd < 0 || bind_to(fd, &addr) || listen(fd, backlog))
		return -1;
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	return fd;
}

/* A socket of alice's, bound to the identity of that family */
static inline int caller(int family, int flags)
{
	struct sockaddr_sss addr = address(ALICE, family, "", "");
	int fd = stream_socket(ALICE, flags | SOCK_CLOEXEC);

	if (fd < 0 || bind_to(fd, &addr))
		return -1;
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	return fd;
}

/* Alice is connected to bob's service; -1 with errno. */
static inline int dial(int family, const char *service)
{
	struct sockaddr_sss addr = address(BOB, family, service, "test 1");
	int fd = caller(family, 0);

	if (fd < 0 || connect_to(fd, &addr))
		return -1;
	return fd;
}

/* Two ends of a stream: fd[ALICE], fd[BOB] */
static inline int stream_pair(int family, int fd[2])
{
	static unsigned int n;
	char service[32];
	int listener;

	snprintf(service, sizeof(service), "pair %d.%u", getpid(), n++);
	listener = listen_on(family, service, 1);
	if (listener < 0)
		return -1;
	fd[ALICE] = dial(family, service);
	if (fd[ALICE] < 0)
		return -1;
	fd[BOB] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return fd[BOB] < 0 ? -1 : 0;
}

/* poll() for @events; the revents, 0 after @ms */
static inline int polled(int fd, int events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) < 0 ? -1 : p.revents;
}

static inline int so_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static inline void set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

/* Bytes that depend on their place, so that any mix-up shows */
static inline unsigned char pattern(unsigned int seed, size_t at)
{
	uint32_t x = (seed + 1) * 2654435761u + (uint32_t)at;

	x ^= x >> 15;
	x *= 0x2c1b3c6d;
	return x >> 16;
}

static inline void fill(unsigned char *buf, size_t len, unsigned int seed, size_t at)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = pattern(seed, at + i);
}

static inline bool is_pattern(const unsigned char *buf, size_t len, unsigned int seed, size_t at)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != pattern(seed, at + i))
			return false;
	return true;
}

/* Sends @len bytes of the pattern from @at on; what was sent, or -1 */
static inline ssize_t send_pattern(int fd, size_t len, unsigned int seed, size_t at)
{
	unsigned char buf[16384];
	size_t sent = 0, part;
	ssize_t n;

	while (sent < len) {
		part = len - sent < sizeof(buf) ? len - sent : sizeof(buf);
		fill(buf, part, seed, at + sent);
		n = send(fd, buf, part, MSG_NOSIGNAL);
		if (n < 0)
			return sent ? (ssize_t)sent : -1;
		sent += n;
		if ((size_t)n < part)
			break;
	}
	return sent;
}

/* Reads up to @len bytes, to the end of the stream; -2: not the pattern */
static inline ssize_t recv_pattern(int fd, size_t len, unsigned int seed, size_t at)
{
	unsigned char buf[16384];
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = recv(fd, buf, len - got < sizeof(buf) ? len - got : sizeof(buf), 0);
		if (n < 0)
			return -1;
		if (!n)
			break;
		if (!is_pattern(buf, n, seed, at + got))
			return -2;
		got += n;
	}
	return got;
}

/*
 * Writes the pattern from @at on until no byte more is taken, here and at the
 * peer; how many were.
 */
static inline ssize_t fill_up(int fd, unsigned int seed, size_t at)
{
	ssize_t sent = 0, n;

	set_nonblock(fd, true);
	for (;;) {
		n = send_pattern(fd, 16384, seed, at + sent);
		if (n > 0)
			sent += n;
		else if (!(polled(fd, POLLOUT, 500) & POLLOUT))
			break;
	}
	n = errno;
	set_nonblock(fd, false);
	errno = n;
	return sent;
}

static inline long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Waits until @condition holds, @ms at most; evaluates to whether it does. */
#define eventually(ms, condition) ({					\
	long long until_ = now_ms() + (ms);				\
	bool ok_;							\
									\
	while (!(ok_ = (condition)) && now_ms() < until_)		\
		usleep(2000);						\
	ok_;								\
})

#endif /* SSS_TEST_SOCK_H */
