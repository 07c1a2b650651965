// SPDX-License-Identifier: GPL-2.0
/*
 * Every call on an AF_SSS stream socket and every errno it can give, over both
 * address families: what a program used to TCP expects.
 */
#include <sys/mman.h>
#include <sys/uio.h>
#include <linux/sockios.h>
#include "kselftest_harness.h"
#include "sock.h"

#define BIG (1 << 20)

#define FAILS(want, call) do {						\
	errno = 0;							\
	EXPECT_EQ(-1, (call))						\
		TH_LOG("%s succeeded", #call);				\
	EXPECT_EQ(want, errno)						\
		TH_LOG("%s: %s", #call, strerror(errno));		\
} while (0)

/* Family of addresses under the streams; fixture for most tests */
FIXTURE(stream)
{
	int fd[2];
};

FIXTURE_VARIANT(stream)
{
	int family;
};

FIXTURE_VARIANT_ADD(stream, v4) { .family = V4 };
FIXTURE_VARIANT_ADD(stream, v6) { .family = V6 };

FIXTURE_SETUP(stream)
{
	ASSERT_EQ(0, stream_pair(variant->family, self->fd))
		TH_LOG("%s", strerror(errno));
}

FIXTURE_TEARDOWN(stream)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
}

/* The same without a stream */
FIXTURE(fresh)
{
	int fd;
};

FIXTURE_VARIANT(fresh)
{
	int family;
};

FIXTURE_VARIANT_ADD(fresh, v4) { .family = V4 };
FIXTURE_VARIANT_ADD(fresh, v6) { .family = V6 };

FIXTURE_SETUP(fresh)
{
	self->fd = stream_socket(ALICE, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(fresh)
{
	close(self->fd);
}

static int get_int(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, level, name, &value, &len) ? -errno : value;
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int rename_to(struct sockaddr_sss *addr, const char *service, const char *protocol)
{
	memset(addr->sss_service, 0, sizeof(addr->sss_service));
	memset(addr->sss_protocol, 0, sizeof(addr->sss_protocol));
	snprintf(addr->sss_service, sizeof(addr->sss_service), "%s", service);
	snprintf(addr->sss_protocol, sizeof(addr->sss_protocol), "%s", protocol);
	return 0;
}

/* --- socket() --- */

TEST(socket_types)
{
	enter(ALICE);
	FAILS(ESOCKTNOSUPPORT, socket(AF_SSS, SOCK_RAW, 0));
	FAILS(ESOCKTNOSUPPORT, socket(AF_SSS, SOCK_RDM, 0));
	FAILS(EPROTONOSUPPORT, socket(AF_SSS, SOCK_STREAM, 1));
	FAILS(EOPNOTSUPP, socketpair(AF_SSS, SOCK_STREAM, 0, (int[2]){ }));
}

TEST_F(fresh, options_of_the_core)
{
	EXPECT_EQ(SOCK_STREAM, get_int(self->fd, SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(AF_SSS, get_int(self->fd, SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(0, get_int(self->fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(0, get_int(self->fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(0, get_int(self->fd, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(0, set_int(self->fd, SOL_SOCKET, SO_SNDBUF, 100000));
	EXPECT_EQ(200000, get_int(self->fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_EQ(0, set_int(self->fd, SOL_SOCKET, SO_RCVBUF, 100000));
	EXPECT_EQ(200000, get_int(self->fd, SOL_SOCKET, SO_RCVBUF));
	EXPECT_EQ(0, set_int(self->fd, SOL_SOCKET, SO_RCVLOWAT, 7));
	EXPECT_EQ(7, get_int(self->fd, SOL_SOCKET, SO_RCVLOWAT));
}

TEST_F(fresh, socket_flags)
{
	int fd = stream_socket(ALICE, SOCK_NONBLOCK | SOCK_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

TEST_F(fresh, not_connected)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char c;

	FAILS(ENOTCONN, send(self->fd, "x", 1, MSG_NOSIGNAL));
	FAILS(ENOTCONN, recv(self->fd, &c, 1, 0));
	FAILS(ENOTCONN, shutdown(self->fd, SHUT_RDWR));
	FAILS(EINVAL, shutdown(self->fd, 3));
	FAILS(ENOTCONN, getpeername(self->fd, (void *)&addr, &len));
	FAILS(EINVAL, accept(self->fd, NULL, NULL));
	FAILS(EDESTADDRREQ, listen(self->fd, 1));
	FAILS(EOPNOTSUPP, recv(self->fd, &c, 1, MSG_OOB));
	FAILS(EOPNOTSUPP, send(self->fd, "x", 1, MSG_OOB));
	FAILS(EAGAIN, recv(self->fd, &c, 1, MSG_ERRQUEUE));
	FAILS(ENODEV, (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
	len = sizeof(addr);
	EXPECT_EQ(0, getsockname(self->fd, (void *)&addr, &len));
	EXPECT_EQ(sizeof(struct sockaddr_sss), len);
	EXPECT_EQ(AF_SSS, addr.ss_family);
}

/* --- addresses --- */

TEST_F(fresh, bind_refuses)
{
	struct sockaddr_sss good = address(ALICE, variant->family, "s", "p"), bad;

	FAILS(EINVAL, bind(self->fd, (void *)&good, 1));
	FAILS(EINVAL, bind(self->fd, (void *)&good, sizeof(good) - 1));
	bad = good;
	bad.sss_family = AF_INET;
	FAILS(EAFNOSUPPORT, bind_to(self->fd, &bad));
	bad = good;
	bad.sss_flags = 1;
	FAILS(EINVAL, bind_to(self->fd, &bad));
	bad = good;
	memset(bad.sss_service, 'a', sizeof(bad.sss_service));
	FAILS(EINVAL, bind_to(self->fd, &bad));
	bad = good;
	memset(bad.sss_protocol, 'a', sizeof(bad.sss_protocol));
	FAILS(EINVAL, bind_to(self->fd, &bad));
	bad = good;
	rename_to(&bad, "s", "");
	FAILS(EINVAL, bind_to(self->fd, &bad));
	rename_to(&bad, "", "p");
	FAILS(EINVAL, bind_to(self->fd, &bad));
	rename_to(&bad, "\xff", "p");
	FAILS(EINVAL, bind_to(self->fd, &bad));
	bad = good;
	bad.sss_eid.key[31] |= 0x80;
	FAILS(EINVAL, bind_to(self->fd, &bad));
	memset(&bad.sss_eid, 0, sizeof(bad.sss_eid));
	bad.sss_eid.key[0] = 1;		/* a point of low order */
	FAILS(EINVAL, bind_to(self->fd, &bad));
	bad.sss_eid.key[0] = 9;		/* a good key, but nobody's here */
	FAILS(EADDRNOTAVAIL, bind_to(self->fd, &bad));

	/* Nothing of all that stayed. */
	EXPECT_EQ(0, bind_to(self->fd, &good));
	FAILS(EINVAL, bind_to(self->fd, &good));
}

TEST_F(fresh, bind_shows)
{
	struct sockaddr_sss addr = address(ALICE, variant->family, "sérvice", "protocol"), got;
	socklen_t len = sizeof(got);

	ASSERT_EQ(0, bind_to(self->fd, &addr));
	EXPECT_EQ(0, getsockname(self->fd, (void *)&got, &len));
	EXPECT_EQ(sizeof(got), len);
	EXPECT_EQ(0, memcmp(&got, &addr, sizeof(addr)));
	/* Cut to the room there is, as on any socket. */
	len = 3;
	EXPECT_EQ(0, getsockname(self->fd, (void *)&got, &len));
	EXPECT_EQ(sizeof(got), len);
}

TEST_F(fresh, longest_names)
{
	struct sockaddr_sss addr = address(ALICE, variant->family, "", "");

	memset(addr.sss_service, 'a', SSS_NAME_MAX);
	memset(addr.sss_protocol, 'b', SSS_NAME_MAX);
	EXPECT_EQ(0, bind_to(self->fd, &addr));
	EXPECT_EQ(0, listen(self->fd, 1));
}

TEST_F(fresh, connect_refuses)
{
	struct sockaddr_sss good = address(BOB, variant->family, "s", "p"), bad;

	FAILS(EINVAL, connect(self->fd, (void *)&good, 1));
	FAILS(EINVAL, connect(self->fd, (void *)&good, sizeof(good) - 1));
	bad = good;
	bad.sss_family = AF_UNSPEC;
	FAILS(EAFNOSUPPORT, connect_to(self->fd, &bad));
	bad = good;
	bad.sss_flags = 0x100;
	FAILS(EINVAL, connect_to(self->fd, &bad));
	bad = good;
	rename_to(&bad, "", "");
	FAILS(EINVAL, connect_to(self->fd, &bad));
	bad = good;
	memset(&bad.sss_eid, 0, sizeof(bad.sss_eid));
	FAILS(EINVAL, connect_to(self->fd, &bad));
	bad.sss_eid.key[0] = 33;
	FAILS(EHOSTUNREACH, connect_to(self->fd, &bad));
	EXPECT_EQ(0, so_error(self->fd));
}

TEST_F(fresh, connect_to_oneself)
{
	struct sockaddr_sss me = address(ALICE, variant->family, "", "");
	struct sockaddr_sss to = address(ALICE, variant->family, "s", "p");

	ASSERT_EQ(0, bind_to(self->fd, &me));
	FAILS(EADDRNOTAVAIL, connect_to(self->fd, &to));
}

TEST_F(fresh, no_host)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "s", "p");
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = socket(AF_SSS, SOCK_STREAM, 0);
	ASSERT_LE(0, fd);
	FAILS(ENOKEY, connect_to(fd, &addr));
	FAILS(ENOKEY, bind_to(fd, &addr));
	memset(&addr.sss_eid, 0, sizeof(addr.sss_eid));
	FAILS(ENOKEY, bind_to(fd, &addr));
	close(fd);
}

/* Calls of a user without rights, in a child; returns its last errno. */
static int as_nobody(int (*calls)(struct sockaddr_sss *addr), struct sockaddr_sss *addr)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(255);
		_exit(calls(addr) ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int try_bind(struct sockaddr_sss *addr)
{
	int fd = socket(AF_SSS, SOCK_STREAM, 0);

	return bind_to(fd, addr);
}

static int try_listen(struct sockaddr_sss *addr)
{
	int fd = socket(AF_SSS, SOCK_STREAM, 0);

	return bind_to(fd, addr) || listen(fd, 1);
}

TEST_F(fresh, host_modes)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS };
	struct { const char *name; int mode, dial, listen; } hosts[] = {
		{ "closed", 0600, EACCES, EACCES },
		{ "dial", 0604, 0, EACCES },
		{ "open", 0606, 0, 0 },
	};

	enter(ALICE);
	for (unsigned int i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		addr.sss_eid = add_host(hosts[i].name, 0, hosts[i].mode);
		rename_to(&addr, "", "");
		EXPECT_EQ(hosts[i].dial, as_nobody(try_bind, &addr));
		rename_to(&addr, "mode", "test 1");
		EXPECT_EQ(hosts[i].listen, as_nobody(try_listen, &addr));
		rename_to(&addr, ".reserved", "test 1");
		EXPECT_EQ(EACCES, as_nobody(try_listen, &addr));
		EXPECT_EQ(0, try_listen(&addr));
		del_host(hosts[i].name);
	}
}

/* --- listen(), accept() --- */

TEST_F(fresh, listen_twice)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "taken", "test 1");
	int one = listen_on(variant->family, "taken", 1), two = stream_socket(BOB, 0);

	ASSERT_LE(0, one);
	ASSERT_EQ(0, bind_to(two, &addr));
	FAILS(EADDRINUSE, listen(two, 1));
	EXPECT_EQ(0, get_int(two, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(1, get_int(one, SOL_SOCKET, SO_ACCEPTCONN));
	/* Another backlog is no second claim. */
	EXPECT_EQ(0, listen(one, 100));
	EXPECT_EQ(0, listen(one, 0));
	EXPECT_EQ(0, listen(one, -1));
	close(one);
	EXPECT_EQ(0, listen(two, 1));
	FAILS(EINVAL, bind_to(two, &addr));
	FAILS(EISCONN, connect_to(two, &addr));
	FAILS(ENOTCONN, recv(two, &addr, 1, 0));
	FAILS(ENOTCONN, send(two, "x", 1, 0));
	FAILS(EINVAL, ioctl(two, SIOCINQ, &one));
	close(two);
}

TEST_F(fresh, listen_on_every_host)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS }, got;
	int any = stream_socket(BOB, 0), fd, end;
	socklen_t len = sizeof(got);

	rename_to(&addr, "everywhere", "test 1");
	ASSERT_EQ(0, bind_to(any, &addr));
	ASSERT_EQ(0, listen(any, 5));
	EXPECT_EQ(-1, listen_on(variant->family, "everywhere", 1));
	EXPECT_EQ(EADDRINUSE, errno);

	fd = dial(variant->family, "everywhere");
	ASSERT_LE(0, fd);
	end = accept(any, (void *)&got, &len);
	ASSERT_LE(0, end);
	/* The caller, by the name it called; and here the host it found. */
	EXPECT_EQ(sizeof(got), len);
	EXPECT_EQ(0, memcmp(&got.sss_eid, &eids[ALICE][variant->family], SSS_EID_LEN));
	EXPECT_STREQ("everywhere", got.sss_service);
	EXPECT_EQ(0, getsockname(end, (void *)&got, &len));
	EXPECT_EQ(0, memcmp(&got.sss_eid, &eids[BOB][variant->family], SSS_EID_LEN));
	close(end);
	close(fd);
	close(any);
}

TEST_F(fresh, accept_waits)
{
	int listener = listen_on(variant->family, "accept", 5), fd, end;

	ASSERT_LE(0, listener);
	set_nonblock(listener, true);
	FAILS(EAGAIN, accept(listener, NULL, NULL));
	set_nonblock(listener, false);
	set_timeout(listener, SO_RCVTIMEO, 50);
	FAILS(EAGAIN, accept(listener, NULL, NULL));

	fd = dial(variant->family, "accept");
	ASSERT_LE(0, fd);
	end = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ASSERT_LE(0, end);
	EXPECT_TRUE(fcntl(end, F_GETFL) & O_NONBLOCK);
	EXPECT_TRUE(fcntl(end, F_GETFD) & FD_CLOEXEC);
	close(end);
	close(fd);
	close(listener);
}

TEST_F(fresh, accepted_inherits)
{
	int listener = listen_on(variant->family, "inherit", 5), fd, end;
	struct linger linger = { .l_onoff = 1, .l_linger = 3 };
	socklen_t len = sizeof(linger);

	ASSERT_LE(0, listener);
	EXPECT_EQ(0, set_int(listener, SOL_SOCKET, SO_RCVBUF, 50000));
	EXPECT_EQ(0, setsockopt(listener, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	set_timeout(listener, SO_RCVTIMEO, 5000);
	EXPECT_EQ(0, set_int(listener, SOL_SSS, SSS_USER_TIMEOUT, 1234));
	fd = dial(variant->family, "inherit");
	ASSERT_LE(0, fd);
	end = accept(listener, NULL, NULL);
	ASSERT_LE(0, end);
	EXPECT_EQ(100000, get_int(end, SOL_SOCKET, SO_RCVBUF));
	EXPECT_EQ(1234, get_int(end, SOL_SSS, SSS_USER_TIMEOUT));
	memset(&linger, 0, sizeof(linger));
	EXPECT_EQ(0, getsockopt(end, SOL_SOCKET, SO_LINGER, &linger, &len));
	EXPECT_EQ(1, linger.l_onoff);
	EXPECT_EQ(3, linger.l_linger);
	close(fd);
	close(end);
	close(listener);
}

static void *close_later(void *arg)
{
	usleep(50000);
	shutdown(*(int *)arg, SHUT_RDWR);
	return NULL;
}

TEST_F(fresh, shutdown_ends_accept)
{
	int listener = listen_on(variant->family, "woken", 5);
	pthread_t thread;

	ASSERT_LE(0, listener);
	pthread_create(&thread, NULL, close_later, &listener);
	FAILS(EINVAL, accept(listener, NULL, NULL));
	pthread_join(thread, NULL);
	close(listener);
}

/* --- connect() --- */

TEST_F(fresh, services_refuse)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "nothing", "test 1");
	int listener = listen_on(variant->family, "something", 1);
	socklen_t len = sizeof(struct sss_status);
	int fd = caller(variant->family, 0), end;
	struct sss_status status;

	ASSERT_LE(0, fd);
	FAILS(ECONNREFUSED, connect_to(fd, &addr));
	EXPECT_EQ(0, so_error(fd));
	EXPECT_EQ(0, getsockopt(fd, SOL_SSS, SSS_STATUS, &status, &len));
	EXPECT_EQ(SSS_SERVICE_UNKNOWN, status.status);
	EXPECT_TRUE(status.flags & SSS_STATUS_ANSWERED);

	/* The same socket may try again. */
	rename_to(&addr, "something", "test 2");
	FAILS(EPROTONOSUPPORT, connect_to(fd, &addr));
	FAILS(ENOTCONN, send(fd, "x", 1, MSG_NOSIGNAL));
	rename_to(&addr, "something", "test 1");
	EXPECT_EQ(0, connect_to(fd, &addr));
	FAILS(EISCONN, connect_to(fd, &addr));
	end = accept(listener, NULL, NULL);
	EXPECT_LE(0, end);
	close(end);
	close(fd);
	close(listener);
}

TEST_F(fresh, backlog_full)
{
	int listener = listen_on(variant->family, "full", 2), fds[16], n, err = 0;

	for (n = 0; n < 16; n++) {
		fds[n] = dial(variant->family, "full");
		err = errno;
		if (fds[n] < 0)
			break;
	}
	EXPECT_LE(2, n);
	EXPECT_GT(16, n);
	EXPECT_EQ(EBUSY, err);
	/* Taking one makes room for another. */
	close(accept(listener, NULL, NULL));
	fds[15] = dial(variant->family, "full");
	EXPECT_LE(0, fds[15]);
	close(fds[15]);
	while (n--)
		close(fds[n]);
	close(listener);
}

/* A peer at an address where nobody answers, or somebody else does */
static struct sockaddr_sss stranger(int family, unsigned char key, bool somebody)
{
	struct sockaddr_sss addr = address(BOB, family, "s", "p");

	memset(&addr.sss_eid, 0, sizeof(addr.sss_eid));
	addr.sss_eid.key[0] = key;
	enter(ALICE);
	if (family == V4)
		add_peer("v4", &addr.sss_eid, somebody ? "10.9.0.2" : BLACK_HOLE4, PORT(V4));
	else
		add_peer("v6", &addr.sss_eid, somebody ? "fd09::2" : "fd09::77", PORT(V6));
	return addr;
}

TEST_F(fresh, nobody_answers)
{
	struct sockaddr_sss addr = stranger(variant->family, 16, false);
	int fd = caller(variant->family, 0);

	set_sysctl(ALICE, "connect_timeout_ms", "700");
	FAILS(ETIMEDOUT, connect_to(fd, &addr));
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	EXPECT_EQ(0, so_error(fd));
	close(fd);
}

TEST_F(fresh, another_key_answers)
{
	struct sockaddr_sss addr = stranger(variant->family, 9, true);
	int fd = caller(variant->family, 0);

	set_sysctl(ALICE, "connect_timeout_ms", "1500");
	FAILS(EKEYREJECTED, connect_to(fd, &addr));
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	close(fd);
}

TEST_F(fresh, no_endpoint)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "s", "p");
	int fd = caller(variant->family, 0);

	memset(&addr.sss_eid, 0, sizeof(addr.sss_eid));
	addr.sss_eid.key[0] = 20;
	enter(ALICE);
	add_peer(host_names[variant->family], &addr.sss_eid, NULL, 0);
	FAILS(EHOSTUNREACH, connect_to(fd, &addr));
	close(fd);
}

static void ignore(int sig)
{
}

TEST_F(fresh, connect_under_way)
{
	struct sockaddr_sss addr = stranger(variant->family, 25, false), got;
	struct itimerval timer = { .it_value.tv_usec = 50000 };
	struct sigaction action = { .sa_handler = ignore };
	int fd = caller(variant->family, SOCK_NONBLOCK);
	socklen_t len = sizeof(got);
	char c;

	FAILS(EINPROGRESS, connect_to(fd, &addr));
	FAILS(EALREADY, connect_to(fd, &addr));
	FAILS(EAGAIN, send(fd, "x", 1, 0));
	FAILS(EAGAIN, recv(fd, &c, 1, 0));
	FAILS(ENOTCONN, getpeername(fd, (void *)&got, &len));
	EXPECT_EQ(0, polled(fd, POLLIN | POLLOUT, 0));
	/* Waiting for it on a blocking socket ends by signal or timeout. */
	set_nonblock(fd, false);
	set_timeout(fd, SO_SNDTIMEO, 50);
	FAILS(EALREADY, connect_to(fd, &addr));
	set_timeout(fd, SO_SNDTIMEO, 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	FAILS(EINTR, connect_to(fd, &addr));
	/* Given up: the socket is as new. */
	EXPECT_EQ(0, shutdown(fd, SHUT_RDWR));
	FAILS(ENOTCONN, recv(fd, &c, 1, 0));
	close(fd);

	fd = caller(variant->family, 0);
	set_timeout(fd, SO_SNDTIMEO, 50);
	FAILS(EINPROGRESS, connect_to(fd, &addr));
	close(fd);
}

TEST_F(fresh, connect_nonblocking)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "later", "test 1");
	int listener = listen_on(variant->family, "later", 5);
	int fd = caller(variant->family, SOCK_NONBLOCK);

	FAILS(EINPROGRESS, connect_to(fd, &addr));
	EXPECT_EQ(POLLOUT, polled(fd, POLLOUT | POLLIN | POLLRDHUP, 10000));
	EXPECT_EQ(0, so_error(fd));
	EXPECT_EQ(0, connect_to(fd, &addr));
	FAILS(EISCONN, connect_to(fd, &addr));
	close(fd);

	rename_to(&addr, "never", "test 1");
	fd = caller(variant->family, SOCK_NONBLOCK);
	FAILS(EINPROGRESS, connect_to(fd, &addr));
	EXPECT_EQ(POLLERR | POLLHUP, polled(fd, 0, 10000));
	EXPECT_EQ(ECONNREFUSED, so_error(fd));
	EXPECT_EQ(0, so_error(fd));
	FAILS(ECONNABORTED, connect_to(fd, &addr));
	close(fd);
	close(listener);
}

TEST_F(fresh, fastopen)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "fast", "test 1");
	int listener = listen_on(variant->family, "fast", 5), fd, end, warm;
	char buf[16];

	ASSERT_LE(0, listener);
	/* The first connection takes a round trip, whatever is asked. */
	warm = dial(variant->family, "fast");
	ASSERT_LE(0, warm);
	close(accept(listener, NULL, NULL));

	fd = caller(variant->family, 0);
	EXPECT_EQ(0, set_int(fd, SOL_SSS, SSS_FASTOPEN, 1));
	EXPECT_EQ(1, get_int(fd, SOL_SSS, SSS_FASTOPEN));
	EXPECT_EQ(0, connect_to(fd, &addr));
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	end = accept(listener, NULL, NULL);
	ASSERT_LE(0, end);
	EXPECT_EQ(5, recv(end, buf, sizeof(buf), 0));
	close(end);
	close(fd);

	fd = caller(variant->family, 0);
	EXPECT_EQ(5, sendto(fd, "HELLO", 5, MSG_FASTOPEN, (void *)&addr, sizeof(addr)));
	end = accept(listener, NULL, NULL);
	ASSERT_LE(0, end);
	EXPECT_EQ(5, recv(end, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "HELLO", 5));
	EXPECT_EQ(2, send(end, "ok", 2, 0));
	EXPECT_EQ(2, recv(fd, buf, sizeof(buf), 0));
	FAILS(EINVAL, sendto(stream_socket(ALICE, 0), "x", 1, MSG_FASTOPEN, NULL, 0));
	close(end);
	close(fd);

	/* The answer comes later, also when it is no. */
	rename_to(&addr, "slow", "test 1");
	fd = caller(variant->family, 0);
	if (sendto(fd, "HELLO", 5, MSG_FASTOPEN, (void *)&addr, sizeof(addr)) == 5) {
		EXPECT_TRUE(polled(fd, POLLIN, 10000) & POLLERR);
		FAILS(ECONNREFUSED, recv(fd, buf, sizeof(buf), 0));
	} else {
		EXPECT_EQ(ECONNREFUSED, errno);
	}
	FAILS(EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
	close(warm);
	close(listener);
}

/* --- a stream --- */

TEST_F(stream, names)
{
	struct sockaddr_sss local[2], remote[2];
	socklen_t len = sizeof(local[0]);
	int who;

	for (who = ALICE; who <= BOB; who++) {
		ASSERT_EQ(0, getsockname(self->fd[who], (void *)&local[who], &len));
		ASSERT_EQ(0, getpeername(self->fd[who], (void *)&remote[who], &len));
		EXPECT_EQ(AF_SSS, local[who].sss_family);
		EXPECT_EQ(0, memcmp(&local[who].sss_eid, &eids[who][variant->family], 32));
		EXPECT_EQ(0, memcmp(&remote[who].sss_eid, &eids[!who][variant->family], 32));
		EXPECT_EQ(0, strncmp(remote[who].sss_service, "pair ", 5));
		EXPECT_STREQ("test 1", remote[who].sss_protocol);
	}
	EXPECT_STREQ(remote[ALICE].sss_service, local[BOB].sss_service);
	EXPECT_STREQ("", local[ALICE].sss_service);
}

TEST_F(stream, calls_that_make_no_sense)
{
	struct sockaddr_sss addr = address(BOB, variant->family, "s", "p");
	struct sockaddr_in in = { .sin_family = AF_INET };
	int who;

	for (who = ALICE; who <= BOB; who++) {
		FAILS(EINVAL, bind_to(self->fd[who], &addr));
		FAILS(EINVAL, accept(self->fd[who], NULL, NULL));
		FAILS(EISCONN, connect_to(self->fd[who], &addr));
		/* An address is ignored, as on TCP. */
		EXPECT_EQ(1, sendto(self->fd[who], "x", 1, 0, (void *)&in, sizeof(in)));
	}
}

TEST_F(stream, small_messages)
{
	char buf[64];

	EXPECT_EQ(5, send(self->fd[ALICE], "hello", 5, 0));
	EXPECT_EQ(5, recv(self->fd[BOB], buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	EXPECT_EQ(7, write(self->fd[BOB], "goodbye", 7));
	EXPECT_EQ(4, read(self->fd[ALICE], buf, 4));
	EXPECT_EQ(3, read(self->fd[ALICE], buf + 4, 60));
	EXPECT_EQ(0, memcmp(buf, "goodbye", 7));
	EXPECT_EQ(0, send(self->fd[ALICE], "", 0, 0));
	EXPECT_EQ(0, recv(self->fd[ALICE], buf, 0, MSG_DONTWAIT));
	FAILS(EAGAIN, recv(self->fd[BOB], buf, 1, MSG_DONTWAIT));
}

struct job {
	int fd;
	unsigned int seed;
	ssize_t done;
};

static void *send_big(void *arg)
{
	struct job *job = arg;

	job->done = send_pattern(job->fd, BIG, job->seed, 0);
	return NULL;
}

TEST_F(stream, megabyte_both_ways)
{
	struct job job[2] = { { self->fd[ALICE], 1, 0 }, { self->fd[BOB], 2, 0 } };
	pthread_t thread[2];
	int who;

	for (who = ALICE; who <= BOB; who++)
		pthread_create(&thread[who], NULL, send_big, &job[who]);
	/* One after the other: neither direction may need the other. */
	EXPECT_EQ(BIG, recv_pattern(self->fd[BOB], BIG, 1, 0));
	EXPECT_EQ(BIG, recv_pattern(self->fd[ALICE], BIG, 2, 0));
	for (who = ALICE; who <= BOB; who++) {
		pthread_join(thread[who], NULL);
		EXPECT_EQ(BIG, job[who].done);
	}
}

TEST_F(stream, vectors)
{
	struct iovec out[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
	char a[4], b[16];
	struct iovec in[2] = { { a, sizeof(a) }, { b, sizeof(b) } };
	struct sockaddr_storage name;
	struct msghdr msg = { .msg_iov = in, .msg_iovlen = 2, .msg_name = &name,
			      .msg_namelen = sizeof(name) };

	EXPECT_EQ(8, writev(self->fd[ALICE], out, 3));
	EXPECT_EQ(8, recvmsg(self->fd[BOB], &msg, 0));
	EXPECT_EQ(0, memcmp(a, "onet", 4));
	EXPECT_EQ(0, memcmp(b, "hree", 4));
	EXPECT_EQ(0, msg.msg_namelen);
	EXPECT_EQ(0, msg.msg_flags);
}

TEST_F(stream, control_messages)
{
	union { struct cmsghdr h; char buf[CMSG_SPACE(sizeof(int))]; } c = { };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c,
			      .msg_controllen = sizeof(c) };

	c.h.cmsg_len = CMSG_LEN(sizeof(int));
	c.h.cmsg_level = SOL_SSS;
	c.h.cmsg_type = 1;
	FAILS(EINVAL, sendmsg(self->fd[ALICE], &msg, 0));
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_len = 1;
	FAILS(EINVAL, sendmsg(self->fd[ALICE], &msg, 0));
}

TEST_F(stream, bad_memory)
{
	char buf[16];

	FAILS(EFAULT, send(self->fd[ALICE], (void *)8, 100, 0));
	EXPECT_EQ(2, send(self->fd[ALICE], "ok", 2, 0));
	EXPECT_TRUE(polled(self->fd[BOB], POLLIN, 10000) & POLLIN);
	FAILS(EFAULT, recv(self->fd[BOB], (void *)8, 2, 0));
	EXPECT_EQ(2, recv(self->fd[BOB], buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "ok", 2));
}

TEST_F(stream, queue_lengths)
{
	int n = -1;

	EXPECT_EQ(0, ioctl(self->fd[BOB], FIONREAD, &n));
	EXPECT_EQ(0, n);
	EXPECT_EQ(11, send(self->fd[ALICE], "hello world", 11, 0));
	EXPECT_TRUE(eventually(10000, !ioctl(self->fd[BOB], SIOCINQ, &n) && n == 11));
	EXPECT_TRUE(eventually(10000, !ioctl(self->fd[ALICE], SIOCOUTQ, &n) && n == 0));
	FAILS(ENOTTY, ioctl(self->fd[ALICE], 0x1234, &n));

	/* What nobody reads stays here beyond the peer's window. */
	n = fill_up(self->fd[ALICE], 1, 0);
	EXPECT_LT(0, n);
	EXPECT_EQ(0, ioctl(self->fd[ALICE], SIOCOUTQ, &n));
	EXPECT_LT(0, n);
}

TEST_F(stream, end_of_one_half)
{
	char buf[16];

	EXPECT_EQ(3, send(self->fd[ALICE], "end", 3, 0));
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	FAILS(EPIPE, send(self->fd[ALICE], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(3, recv(self->fd[BOB], buf, sizeof(buf), MSG_WAITALL));
	EXPECT_EQ(0, recv(self->fd[BOB], buf, sizeof(buf), 0));
	EXPECT_EQ(0, recv(self->fd[BOB], buf, sizeof(buf), 0));
	/* The other half lives on. */
	EXPECT_EQ(BIG / 16, send_pattern(self->fd[BOB], BIG / 16, 3, 0));
	EXPECT_EQ(BIG / 16, recv_pattern(self->fd[ALICE], BIG / 16, 3, 0));
	EXPECT_EQ(0, shutdown(self->fd[BOB], SHUT_WR));
	EXPECT_EQ(0, recv(self->fd[ALICE], buf, sizeof(buf), 0));
	EXPECT_EQ(0, so_error(self->fd[ALICE]));
	EXPECT_EQ(0, so_error(self->fd[BOB]));
}

TEST_F(stream, no_more_reading)
{
	char buf[16];

	EXPECT_EQ(2, send(self->fd[ALICE], "in", 2, 0));
	EXPECT_TRUE(polled(self->fd[BOB], POLLIN, 10000) & POLLIN);
	EXPECT_EQ(0, shutdown(self->fd[BOB], SHUT_RD));
	/* What had come is still there, as on TCP. */
	EXPECT_EQ(2, recv(self->fd[BOB], buf, sizeof(buf), 0));
	EXPECT_EQ(0, recv(self->fd[BOB], buf, sizeof(buf), 0));
	/* The sender learns that nobody reads; its own reading goes on. */
	EXPECT_TRUE(eventually(10000, send(self->fd[ALICE], "x", 1, MSG_NOSIGNAL) < 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(4, send(self->fd[BOB], "back", 4, 0));
	EXPECT_EQ(4, recv(self->fd[ALICE], buf, sizeof(buf), 0));
}

static void *shutdown_later(void *arg)
{
	usleep(50000);
	shutdown(*(int *)arg, SHUT_RD);
	return NULL;
}

TEST_F(stream, shutdown_ends_recv)
{
	pthread_t thread;
	char c;

	pthread_create(&thread, NULL, shutdown_later, &self->fd[BOB]);
	EXPECT_EQ(0, recv(self->fd[BOB], &c, 1, 0));
	pthread_join(thread, NULL);
}

static int pipe_signals;

static void count_pipe(int sig)
{
	pipe_signals++;
}

TEST_F(stream, sigpipe)
{
	signal(SIGPIPE, count_pipe);
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	FAILS(EPIPE, send(self->fd[ALICE], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, pipe_signals);
	FAILS(EPIPE, send(self->fd[ALICE], "x", 1, 0));
	EXPECT_EQ(1, pipe_signals);
	FAILS(EPIPE, write(self->fd[ALICE], "x", 1));
	EXPECT_EQ(2, pipe_signals);
}

TEST_F(stream, full_queue)
{
	static unsigned char buf[4 * BIG];
	ssize_t sent, more;

	set_nonblock(self->fd[ALICE], true);
	fill(buf, sizeof(buf), 4, 0);
	/* One write too large for the queue is taken in part. */
	sent = send(self->fd[ALICE], buf, sizeof(buf), 0);
	ASSERT_LT(0, sent);
	ASSERT_GT((ssize_t)sizeof(buf), sent);
	set_timeout(self->fd[BOB], SO_RCVTIMEO, 10000);
	for (;;) {
		more = send(self->fd[ALICE], buf + sent, sizeof(buf) - sent, 0);
		if (more < 0)
			break;
		sent += more;
	}
	EXPECT_EQ(EAGAIN, errno);
	/* A blocking one waits as long as it is told. */
	set_nonblock(self->fd[ALICE], false);
	set_timeout(self->fd[ALICE], SO_SNDTIMEO, 50);
	errno = 0;
	more = send(self->fd[ALICE], buf + sent, 1, 0);
	if (more < 0) {
		EXPECT_EQ(EAGAIN, errno);
	} else {
		sent += more;
	}
	EXPECT_EQ(sent, recv_pattern(self->fd[BOB], sent, 4, 0));
}

TEST_F(stream, receive_timeout)
{
	char buf[8];

	set_timeout(self->fd[BOB], SO_RCVTIMEO, 50);
	FAILS(EAGAIN, recv(self->fd[BOB], buf, 1, 0));
	/* What came before the time was up is returned. */
	EXPECT_EQ(3, send(self->fd[ALICE], "abc", 3, 0));
	EXPECT_TRUE(polled(self->fd[BOB], POLLIN, 10000) & POLLIN);
	EXPECT_EQ(3, recv(self->fd[BOB], buf, 8, MSG_WAITALL));
}

TEST_F(stream, low_water)
{
	char buf[64];

	EXPECT_EQ(0, set_int(self->fd[BOB], SOL_SOCKET, SO_RCVLOWAT, 10));
	set_timeout(self->fd[BOB], SO_RCVTIMEO, 10000);
	EXPECT_EQ(4, send(self->fd[ALICE], "four", 4, 0));
	EXPECT_EQ(0, polled(self->fd[BOB], POLLIN, 100));
	EXPECT_EQ(6, send(self->fd[ALICE], "sixsix", 6, 0));
	EXPECT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, 10000));
	EXPECT_EQ(10, recv(self->fd[BOB], buf, sizeof(buf), 0));
	/* The end of the stream is news, however little came before it. */
	EXPECT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	EXPECT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, 10000));
	EXPECT_EQ(1, recv(self->fd[BOB], buf, sizeof(buf), 0));
}

TEST_F(stream, signals)
{
	struct itimerval timer = { .it_value.tv_usec = 50000 };
	struct sigaction action = { .sa_handler = ignore };
	char buf[8];

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	FAILS(EINTR, recv(self->fd[BOB], buf, 1, 0));
	/* What was read before the signal is not lost. */
	EXPECT_EQ(2, send(self->fd[ALICE], "ab", 2, 0));
	EXPECT_TRUE(polled(self->fd[BOB], POLLIN, 10000) & POLLIN);
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT_EQ(2, recv(self->fd[BOB], buf, 8, MSG_WAITALL));
	/* Neither is what was sent. */
	EXPECT_LT(0, fill_up(self->fd[ALICE], 1, 0));
	setitimer(ITIMER_REAL, &timer, NULL);
	EXPECT_GT(BIG, send(self->fd[ALICE], malloc(BIG), BIG, 0));
	/* With SA_RESTART the call goes on, until the time is up. */
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	set_timeout(self->fd[ALICE], SO_RCVTIMEO, 0);
	setitimer(ITIMER_REAL, &timer, NULL);
	if (!fork()) {
		usleep(200000);
		_exit(send(self->fd[BOB], "x", 1, 0) != 1);
	}
	EXPECT_EQ(1, recv(self->fd[ALICE], buf, 1, 0));
	wait(NULL);
}

TEST_F(stream, cork)
{
	char buf[32];

	EXPECT_EQ(0, set_int(self->fd[ALICE], SOL_SSS, SSS_CORK, 1));
	EXPECT_EQ(1, get_int(self->fd[ALICE], SOL_SSS, SSS_CORK));
	EXPECT_EQ(3, send(self->fd[ALICE], "one", 3, 0));
	EXPECT_EQ(3, send(self->fd[ALICE], "two", 3, 0));
	EXPECT_EQ(0, set_int(self->fd[ALICE], SOL_SSS, SSS_CORK, 0));
	set_timeout(self->fd[BOB], SO_RCVTIMEO, 10000);
	EXPECT_EQ(6, recv(self->fd[BOB], buf, 6, MSG_WAITALL));
	/* Held back for a moment, not for ever. */
	EXPECT_EQ(4, send(self->fd[ALICE], "more", 4, MSG_MORE));
	EXPECT_EQ(4, recv(self->fd[BOB], buf, 4, MSG_WAITALL));
	EXPECT_EQ(4, send(self->fd[ALICE], "last", 4, MSG_MORE));
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	EXPECT_EQ(4, recv(self->fd[BOB], buf, sizeof(buf), MSG_WAITALL));
}

TEST_F(stream, dup_keeps_it_open)
{
	int fd = dup(self->fd[ALICE]);
	char c;

	close(self->fd[ALICE]);
	self->fd[ALICE] = fd;
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_EQ(1, recv(self->fd[BOB], &c, 1, 0));
	FAILS(EAGAIN, recv(self->fd[BOB], &c, 1, MSG_DONTWAIT));
}

TEST_F(stream, info)
{
	struct sss_info info;
	socklen_t len = sizeof(info);
	char big[sizeof(info) + 8], c;

	EXPECT_EQ(5, send(self->fd[ALICE], "hello", 5, 0));
	EXPECT_EQ(1, recv(self->fd[BOB], &c, 1, 0));
	EXPECT_TRUE(eventually(10000, !getsockopt(self->fd[ALICE], SOL_SSS, SSS_INFO, &info, &len) &&
			       info.bytes_acked == 5));
	EXPECT_EQ(sizeof(info), len);
	EXPECT_EQ(1, info.state);		/* TCP_ESTABLISHED */
	EXPECT_EQ(SSS_LINK_UP, info.link);
	EXPECT_EQ(5, info.bytes_sent);
	EXPECT_EQ(0, info.sndq);
	EXPECT_LT(0, info.rtt);
	EXPECT_LE(1200, info.pmtu);
	EXPECT_LT(0, info.cwnd);
	EXPECT_NE(~0ULL, info.stream_id);
	ASSERT_EQ(0, getsockopt(self->fd[BOB], SOL_SSS, SSS_INFO, &info, &len));
	EXPECT_EQ(5, info.bytes_received);
	EXPECT_EQ(4, info.rcvq);

	len = sizeof(info) - 1;
	FAILS(EINVAL, getsockopt(self->fd[ALICE], SOL_SSS, SSS_INFO, &info, &len));
	len = sizeof(big);
	EXPECT_EQ(0, getsockopt(self->fd[ALICE], SOL_SSS, SSS_INFO, big, &len));
	EXPECT_EQ(sizeof(info), len);
	EXPECT_EQ(0, shutdown(self->fd[ALICE], SHUT_WR));
	EXPECT_TRUE(eventually(10000, !getsockopt(self->fd[ALICE], SOL_SSS, SSS_INFO, &info, &len) &&
			       info.state == 5));	/* TCP_FIN_WAIT2 */
	EXPECT_TRUE(eventually(10000, !getsockopt(self->fd[BOB], SOL_SSS, SSS_INFO, &info, &len) &&
			       info.state == 8));	/* TCP_CLOSE_WAIT */
}

/* --- options --- */

TEST_F(fresh, option_lengths)
{
	char text[300];
	socklen_t len = sizeof(int);
	struct sss_info info;
	int value = 1;

	FAILS(EINVAL, setsockopt(self->fd, SOL_SSS, SSS_CORK, &value, sizeof(value) - 1));
	FAILS(EFAULT, setsockopt(self->fd, SOL_SSS, SSS_CORK, (void *)8, sizeof(value)));
	FAILS(ENOPROTOOPT, setsockopt(self->fd, SOL_SSS, SSS_INFO, &value, sizeof(value)));
	FAILS(ENOPROTOOPT, setsockopt(self->fd, SOL_SSS, 12345, &value, sizeof(value)));
	FAILS(ENOPROTOOPT, setsockopt(self->fd, IPPROTO_TCP, 1, &value, sizeof(value)));
	FAILS(ENOPROTOOPT, getsockopt(self->fd, SOL_SSS, 12345, &value, &len));
	FAILS(ENOPROTOOPT, getsockopt(self->fd, IPPROTO_TCP, 1, &value, &len));
	FAILS(EFAULT, getsockopt(self->fd, SOL_SSS, SSS_CORK, &value, (void *)8));
	len = -1;
	FAILS(EINVAL, getsockopt(self->fd, SOL_SSS, SSS_CORK, &value, &len));
	len = 1;
	EXPECT_EQ(0, getsockopt(self->fd, SOL_SSS, SSS_CORK, &value, &len));
	EXPECT_EQ(1, len);
	len = sizeof(info);
	EXPECT_EQ(0, getsockopt(self->fd, SOL_SSS, SSS_INFO, &info, &len));
	EXPECT_EQ(~0ULL, info.stream_id);
	EXPECT_EQ(7, info.state);	/* TCP_CLOSE */

	memset(text, 'd', sizeof(text));
	EXPECT_EQ(0, setsockopt(self->fd, SOL_SSS, SSS_SERVICE_DESC, text, SSS_DESC_MAX));
	FAILS(EINVAL, setsockopt(self->fd, SOL_SSS, SSS_SERVICE_DESC, text, SSS_DESC_MAX + 1));
	FAILS(EINVAL, setsockopt(self->fd, SOL_SSS, SSS_SERVICE_DESC, text, SSS_DESC_MAX + 2));
	FAILS(EINVAL, setsockopt(self->fd, SOL_SSS, SSS_SERVICE_DESC, "a\0b", 4));
	FAILS(EINVAL, setsockopt(self->fd, SOL_SSS, SSS_PROTOCOL_DESC, "\xc3", 1));
	EXPECT_EQ(0, setsockopt(self->fd, SOL_SSS, SSS_PROTOCOL_DESC, "text", 5));
	len = sizeof(text);
	EXPECT_EQ(0, getsockopt(self->fd, SOL_SSS, SSS_SERVICE_DESC, text, &len));
	EXPECT_EQ(SSS_DESC_MAX + 1, len);
	len = sizeof(text);
	EXPECT_EQ(0, getsockopt(self->fd, SOL_SSS, SSS_PROTOCOL_DESC, text, &len));
	EXPECT_EQ(5, len);
	EXPECT_STREQ("text", text);
	EXPECT_EQ(0, setsockopt(self->fd, SOL_SSS, SSS_PROTOCOL_DESC, NULL, 0));
	len = sizeof(text);
	EXPECT_EQ(0, getsockopt(self->fd, SOL_SSS, SSS_PROTOCOL_DESC, text, &len));
	EXPECT_EQ(1, len);
}

TEST_HARNESS_MAIN
