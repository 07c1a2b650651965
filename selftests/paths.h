/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of paths: identities of their own for each test, more cables between
 * alice and bob or others, and data that go both ways meanwhile, every byte of
 * which is compared.
 */
#ifndef SSS_TEST_PATHS_H
#define SSS_TEST_PATHS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include "handshake_hosts.h"
#include "errqueue.h"

/* A namespace without a name, as a process that sits in it */
static inline pid_t sit_in(int fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (fd < 0 ? unshare(CLONE_NEWNET) : setns(fd, CLONE_NEWNET))
		_exit(1);
	for (;;)
		pause();
}

/* The namespace of such a process, once it is there; it lives as long as the fd */
static inline int namespace_of(pid_t pid)
{
	char path[64];
	struct stat own, its;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	do {
		usleep(1000);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		stat("/proc/thread-self/ns/net", &own);
		fstat(fd, &its);
		if (own.st_ino == its.st_ino)
			close(fd);
	} while (own.st_ino == its.st_ino);
	return fd;
}

/* One more, with its loopback up */
static inline int new_namespace(void)
{
	pid_t pid = sit_in(-1);
	int fd = namespace_of(pid);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	shell("nsenter --net=/proc/%d/fd/%d ip link set lo up", getpid(), fd);
	return fd;
}

#define shell_at(fd, format, ...) \
	shell("nsenter --net=/proc/%d/fd/%d " format, getpid(), fd, ##__VA_ARGS__)

/* A cable @name from one namespace to another; addresses end in 1 and 2 */
static inline void lay_cable(const char *name, int from, int to, int net)
{
	pid_t pid;
	int end;

	setns(from, CLONE_NEWNET);	/* so that it is told from @to */
	pid = sit_in(to);
	close(namespace_of(pid));
	shell_at(from, "ip link add %s type veth peer name %s netns %d", name, name, pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (end = 1; end <= 2; end++) {
		int fd = end == 1 ? from : to;

		shell_at(fd, "ip addr add 10.%d.0.%d/24 dev %s", net, end, name);
		shell_at(fd, "ip addr add fd%02d::%d/64 dev %s nodad", net, end, name);
		shell_at(fd, "ip link set %s up", name);
	}
}

static inline void cut_cable(const char *name, int end)
{
	shell_at(end, "ip link del %s", name);
}

/* Everything that comes in over it is lost, at both ends, and nobody is told. */
static inline void blackhole(const char *cable, bool on)
{
	for (int who = ALICE; who <= BOB; who++) {
		shell_in(who, "nft 'table inet hole_%s; delete table inet hole_%s'", cable, cable);
		if (on)
			shell_in(who, "nft 'table inet hole_%s { chain in { type filter hook "
				 "prerouting priority -300; iifname %s drop; }; }'", cable, cable);
	}
}

/* Alice's host and bob's, and where alice believes bob to be */
static inline void make_hosts_at(struct both *b, const char *name, int port, int n,
				 const char *const *where)
{
	*b = (struct both){ .name = name, .port = port, .service = { "at alice", "at bob" } };
	for (int who = ALICE; who <= BOB; who++) {
		enter(who);
		b->eid[who] = add_host(name, port, ~0u);
	}
	enter(ALICE);
	add_peer_at(name, &b->eid[BOB], n, where, port);
}

/* A stream from alice to bob; fd[ALICE], fd[BOB] */
static inline int connected_pair(const struct both *b, int fd[2])
{
	int listener = listen_as(b, BOB);

	fd[ALICE] = listener < 0 ? -1 : dial_as(b, ALICE);
	fd[BOB] = fd[ALICE] < 0 ? -1 : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (listener >= 0)
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

/* The address in text, port and all; "" without one, and errno */
static inline const char *endpoint_of(int fd, int option)
{
	static char text[2][80];
	static unsigned int n;
	char *to = text[++n % 2], address[64];
	struct sockaddr_in6 in6 = { };
	socklen_t len = sizeof(in6);

	*to = 0;
	if (getsockopt(fd, SOL_SSS, option, &in6, &len))
		return to;
	inet_ntop(in6.sin6_family, in6.sin6_family == AF_INET ?
		  (void *)&((struct sockaddr_in *)&in6)->sin_addr : &in6.sin6_addr,
		  address, sizeof(address));
	snprintf(to, sizeof(text[0]), in6.sin6_family == AF_INET ? "%s:%d" : "[%s]:%d", address,
		 ntohs(in6.sin6_port));
	return to;
}

/**
 * struct traffic - data that go in both directions until it is told to stop
 * @fd: of alice and bob
 * @sent: bytes by each
 * @got: bytes by each, all as they were sent
 * @failed: errno of the first thing that went wrong, EBADMSG: another byte
 */
struct traffic {
	int fd[2];
	pthread_t thread[4];
	volatile bool stop;
	volatile size_t sent[2];
	volatile size_t got[2];
	volatile int failed;
};

struct traffic_end {
	struct traffic *t;
	int who;
};

static inline void *traffic_write(void *arg)
{
	struct traffic_end *end = arg;
	struct traffic *t = end->t;
	int who = end->who;
	ssize_t n = 0;

	while (!t->stop && !t->failed) {
		n = send_pattern(t->fd[who], 2000, who, t->sent[who]);
		if (n <= 0)
			break;
		t->sent[who] += n;
	}
	if (n < 0)
		t->failed = errno;
	shutdown(t->fd[who], SHUT_WR);
	return NULL;
}

static inline void *traffic_read(void *arg)
{
	struct traffic_end *end = arg;
	struct traffic *t = end->t;
	int who = end->who;
	unsigned char buf[16384];
	ssize_t n;

	while ((n = recv(t->fd[who], buf, sizeof(buf), 0)) > 0) {
		if (!is_pattern(buf, n, !who, t->got[who]))
			t->failed = EBADMSG;
		t->got[who] += n;
	}
	if (n < 0 && !t->failed)
		t->failed = errno;
	return NULL;
}

static inline void traffic_start(struct traffic *t, const int fd[2])
{
	static struct traffic_end ends[2];
	sigset_t child;

	/* The end of a command that moves something shall not interrupt send(). */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	*t = (struct traffic){ .fd = { fd[0], fd[1] } };
	for (int who = ALICE; who <= BOB; who++) {
		ends[who] = (struct traffic_end){ t, who };
		/* as long as the outage and what follows may last */
		set_timeout(fd[who], SO_RCVTIMEO, 200000);
		set_timeout(fd[who], SO_SNDTIMEO, 200000);
		pthread_create(&t->thread[who], NULL, traffic_write, &ends[who]);
		pthread_create(&t->thread[2 + who], NULL, traffic_read, &ends[who]);
	}
}

/* Ends it; whether every byte sent in either direction was read as it was sent */
static inline bool traffic_end(struct traffic *t)
{
	t->stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(t->thread[i], NULL);
	if (t->failed)
		fprintf(stderr, "# traffic: %s\n", strerror(t->failed));
	return !t->failed && t->sent[ALICE] == t->got[BOB] && t->sent[BOB] == t->got[ALICE];
}

/* Within @ms more comes at both ends than so far; ms it took, -1 if it did not */
static inline long long traffic_goes_on(struct traffic *t, int ms)
{
	size_t got[2] = { t->got[ALICE], t->got[BOB] };
	long long begin = now_ms();

	/* a little more than may have been under way */
	if (!eventually(ms, t->got[ALICE] > got[ALICE] + 50000 && t->got[BOB] > got[BOB] + 50000))
		return -1;
	return now_ms() - begin;
}

#endif /* SSS_TEST_PATHS_H */
