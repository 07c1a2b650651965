// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_DGRAM sockets of their own: bound to names or connected, with recvfrom()
 * and sendto(), and no accept().
 */
#include "kselftest_harness.h"
#include "sock.h"

#define MB (1 << 20)

static unsigned char out[17 * MB], in[17 * MB];

static int dgram_socket(int who, const char *service)
{
	struct sockaddr_sss addr = address(who, V4, service, *service ? "test 1" : "");
	int fd;

	enter(who);
	fd = socket(AF_SSS, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (bind_to(fd, &addr)) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	return fd;
}

static ssize_t send_to(int fd, const void *data, size_t len, const struct sockaddr_sss *to)
{
	return sendto(fd, data, len, MSG_NOSIGNAL, (const struct sockaddr *)to, sizeof(*to));
}

static ssize_t receive_from(int fd, void *data, size_t len, struct sockaddr_sss *from)
{
	socklen_t size = sizeof(*from);

	memset(from, 0xff, sizeof(*from));
	return recvfrom(fd, data, len, 0, (struct sockaddr *)from, &size);
}

static bool nothing_left(void)
{
	return eventually(PATIENCE, !get_stat(ALICE, "Streams") && !get_stat(BOB, "Streams") &&
				    !get_stat(ALICE, "Sockets") && !get_stat(BOB, "Sockets"));
}

FIXTURE(sockets) {
	int fd[2];
	struct sockaddr_sss to;
};

FIXTURE_SETUP(sockets)
{
	self->fd[ALICE] = dgram_socket(ALICE, "");
	self->fd[BOB] = dgram_socket(BOB, "post");
	ASSERT_LE(0, self->fd[ALICE]) TH_LOG("%s", strerror(errno));
	ASSERT_LE(0, self->fd[BOB]) TH_LOG("%s", strerror(errno));
	self->to = address(BOB, V4, "post", "test 1");
}

FIXTURE_TEARDOWN(sockets)
{
	netem(ALICE, NULL);
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	EXPECT_TRUE(nothing_left()) TH_LOG("streams %lld and %lld", get_stat(ALICE, "Streams"),
					   get_stat(BOB, "Streams"));
}

/* There, and back to where it came from. */
TEST_F(sockets, there_and_back)
{
	struct sockaddr_sss from, expected = address(ALICE, V4, "post", "test 1");
	char buf[16];
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(4, send_to(self->fd[ALICE], "ping", 4, &self->to))
			TH_LOG("%s", strerror(errno));
		EXPECT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, PATIENCE));
		ASSERT_EQ(4, receive_from(self->fd[BOB], buf, sizeof(buf), &from));
		EXPECT_EQ(0, memcmp(buf, "ping", 4));
		EXPECT_EQ(0, memcmp(&from, &expected, sizeof(from)));
		ASSERT_EQ(4, send_to(self->fd[BOB], "pong", 4, &from));
		ASSERT_EQ(4, receive_from(self->fd[ALICE], buf, sizeof(buf), &from));
		EXPECT_EQ(0, memcmp(buf, "pong", 4));
		EXPECT_EQ(0, memcmp(&from, &self->to, sizeof(from)));
	}
	EXPECT_EQ(1, get_stat(BOB, "Streams"));
}

TEST_F(sockets, connected)
{
	struct sockaddr_sss name;
	socklen_t len = sizeof(name);
	char buf[16];

	EXPECT_EQ(-1, send(self->fd[ALICE], "x", 1, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	EXPECT_EQ(-1, getpeername(self->fd[ALICE], (struct sockaddr *)&name, &len));
	EXPECT_EQ(ENOTCONN, errno);
	ASSERT_EQ(0, connect_to(self->fd[ALICE], &self->to));
	EXPECT_EQ(0, getpeername(self->fd[ALICE], (struct sockaddr *)&name, &len));
	EXPECT_EQ(0, memcmp(&name, &self->to, sizeof(name)));
	EXPECT_EQ(-1, send_to(self->fd[ALICE], "x", 1, &self->to));
	EXPECT_EQ(EISCONN, errno);
	ASSERT_EQ(5, send(self->fd[ALICE], "hello", 5, 0));
	ASSERT_EQ(5, receive_from(self->fd[BOB], buf, sizeof(buf), &name));
	ASSERT_EQ(5, send_to(self->fd[BOB], "howdy", 5, &name));
	ASSERT_EQ(5, recv(self->fd[ALICE], buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "howdy", 5));
	/* As UDP: AF_UNSPEC takes the address away. */
	memset(&name, 0, sizeof(name));
	ASSERT_EQ(0, connect_to(self->fd[ALICE], &name));
	EXPECT_EQ(-1, send(self->fd[ALICE], "x", 1, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
}

/* Many callers of one socket */
TEST_F(sockets, many)
{
	struct sockaddr_sss from;
	int fd[20], i;
	bool seen[20] = { };
	char buf[16];

	for (i = 0; i < 20; i++) {
		fd[i] = dgram_socket(ALICE, "");
		ASSERT_LE(0, fd[i]);
		buf[0] = i;
		ASSERT_EQ(1, send_to(fd[i], buf, 1, &self->to)) TH_LOG("%s", strerror(errno));
	}
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1, receive_from(self->fd[BOB], buf, sizeof(buf), &from));
		EXPECT_FALSE(seen[(int)buf[0]]);
		seen[(int)buf[0]] = true;
	}
	for (i = 0; i < 20; i++)
		close(fd[i]);
}

#define MOST 1024	/* links that a socket keeps */

/* Who comes when there are too many takes the place of who was silent for longest. */
TEST_F_TIMEOUT(sockets, too_many, 100)
{
	static int fd[MOST + 100];
	struct rlimit limit = { MOST + 200, MOST + 200 };
	struct sockaddr_sss from;
	int i, got;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < MOST + 100; i++) {
		fd[i] = dgram_socket(ALICE, "");
		ASSERT_LE(0, fd[i]) TH_LOG("%d: %m", i);
		ASSERT_EQ(sizeof(i), send_to(fd[i], &i, sizeof(i), &self->to)) TH_LOG("%d: %m", i);
		ASSERT_EQ(sizeof(i), receive_from(self->fd[BOB], &got, sizeof(got), &from));
		ASSERT_EQ(i, got);
		ASSERT_EQ(sizeof(i), send_to(self->fd[BOB], &i, sizeof(i), &from));
		ASSERT_EQ(sizeof(i), recv(fd[i], &got, sizeof(got), 0));
	}
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "Streams") <= MOST))
		TH_LOG("%lld", get_stat(BOB, "Streams"));
	EXPECT_LE(MOST / 2, get_stat(BOB, "Streams"));
	/* The first was forgotten, and is heard all the same. */
	for (i = 0, got = -1; i < 3 && got != 77; i++) {
		send_to(fd[0], &(int){ 77 }, sizeof(int), &self->to);
		polled(self->fd[BOB], POLLIN, 1000);
		recv(self->fd[BOB], &got, sizeof(got), MSG_DONTWAIT);
	}
	EXPECT_EQ(77, got);
	for (i = 0; i < MOST + 100; i++)
		close(fd[i]);
}

/* 1 byte to 16 MB, reliable and not */
TEST_F(sockets, sizes)
{
	static const int sizes[] = { 1, 1200, 1201, 65536, MB, 16 * MB };
	struct sockaddr_sss from;
	unsigned int i;
	int on = 1;

	for (i = 0; i < 6; i++) {
		fill(out, sizes[i], i, 0);
		ASSERT_EQ(sizes[i], send_to(self->fd[ALICE], out, sizes[i], &self->to));
		ASSERT_EQ(sizes[i], receive_from(self->fd[BOB], in, sizeof(in), &from));
		EXPECT_EQ(0, memcmp(in, out, sizes[i]));
	}
	EXPECT_EQ(-1, send_to(self->fd[ALICE], out, 16 * MB + 1, &self->to));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(0, setsockopt(self->fd[ALICE], SOL_SSS, SSS_RELIABLE, &on, sizeof(on)));
	netem(ALICE, "loss 5%");
	for (i = 0; i < 50; i++) {
		out[0] = i;
		ASSERT_EQ(3000, send_to(self->fd[ALICE], out, 3000, &self->to));
	}
	for (i = 0; i < 50; i++)
		ASSERT_EQ(3000, receive_from(self->fd[BOB], in, sizeof(in), &from));
}

TEST_F(sockets, nonblocking)
{
	struct sockaddr_sss from;
	char buf[16];

	netem(ALICE, "delay 50ms");
	set_nonblock(self->fd[ALICE], true);
	EXPECT_EQ(-1, receive_from(self->fd[ALICE], buf, 1, &from));
	EXPECT_EQ(EAGAIN, errno);
	/* The peer has to answer first. */
	EXPECT_EQ(-1, send_to(self->fd[ALICE], "x", 1, &self->to));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, polled(self->fd[ALICE], POLLOUT, 0));
	EXPECT_EQ(POLLOUT, polled(self->fd[ALICE], POLLOUT, PATIENCE));
	EXPECT_EQ(1, send_to(self->fd[ALICE], "x", 1, &self->to));
	EXPECT_EQ(1, receive_from(self->fd[BOB], buf, sizeof(buf), &from));
	EXPECT_EQ(-1, recv(self->fd[BOB], buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, polled(self->fd[BOB], POLLIN, 0));
	/* connect() tells the same its way. */
	close(self->fd[ALICE]);
	self->fd[ALICE] = dgram_socket(ALICE, "");
	set_nonblock(self->fd[ALICE], true);
	EXPECT_EQ(-1, connect_to(self->fd[ALICE], &self->to));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_EQ(POLLOUT, polled(self->fd[ALICE], POLLOUT, PATIENCE));
	EXPECT_EQ(1, send(self->fd[ALICE], "y", 1, 0));
	EXPECT_EQ(1, receive_from(self->fd[BOB], buf, sizeof(buf), &from));
}

/* The peer goes while somebody waits. */
TEST_F(sockets, peer_goes)
{
	char buf[4];
	pid_t pid;

	netem(ALICE, "delay 30ms");
	ASSERT_EQ(0, connect_to(self->fd[ALICE], &self->to));
	ASSERT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	ASSERT_EQ(1, recv(self->fd[BOB], buf, sizeof(buf), 0));
	pid = fork();
	if (!pid) {
		usleep(100000);
		close(self->fd[BOB]);
		_exit(0);
	}
	close(self->fd[BOB]);
	self->fd[BOB] = -1;
	EXPECT_EQ(-1, recv(self->fd[ALICE], buf, sizeof(buf), 0));
	EXPECT_EQ(ECONNRESET, errno) TH_LOG("%s", strerror(errno));
	waitpid(pid, NULL, 0);
	/* That was said; the next one begins anew, and finds the next one there. */
	self->fd[BOB] = dgram_socket(BOB, "post");
	ASSERT_LE(0, self->fd[BOB]);
	EXPECT_EQ(-1, recv(self->fd[ALICE], buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(1, send(self->fd[ALICE], "y", 1, 0)) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(1, recv(self->fd[BOB], buf, sizeof(buf), 0));
	EXPECT_EQ(-1, recv(self->fd[ALICE], buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* The peer never looked at its socket. That is an error, told once: by recv() or send(). */
TEST_F(sockets, peer_never_looked)
{
	char buf[4];
	int told;

	for (told = 0; told < 2; told++) {
		close(self->fd[ALICE]);
		self->fd[ALICE] = dgram_socket(ALICE, "");
		ASSERT_EQ(0, connect_to(self->fd[ALICE], &self->to));
		close(self->fd[BOB]);
		self->fd[BOB] = dgram_socket(BOB, "post");
		ASSERT_LE(0, self->fd[BOB]);
		EXPECT_TRUE(polled(self->fd[ALICE], POLLIN, PATIENCE) & POLLIN);
		EXPECT_EQ(-1, told ? recv(self->fd[ALICE], buf, sizeof(buf), 0) :
				     send(self->fd[ALICE], "y", 1, 0));
		EXPECT_EQ(ECONNRESET, errno) TH_LOG("%s", strerror(errno));
		EXPECT_EQ(1, send(self->fd[ALICE], "z", 1, 0)) TH_LOG("%s", strerror(errno));
		EXPECT_EQ(1, recv(self->fd[BOB], buf, sizeof(buf), 0));
		EXPECT_EQ('z', buf[0]);
	}
}

/* What has arrived can be read, then there is nothing more, for who waits as well. */
TEST_F(sockets, shutdown)
{
	char buf[4];
	pid_t pid;
	int status;

	ASSERT_EQ(0, connect_to(self->fd[ALICE], &self->to));
	ASSERT_EQ(1, send(self->fd[ALICE], "x", 1, 0));
	ASSERT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, PATIENCE));
	ASSERT_EQ(0, shutdown(self->fd[BOB], SHUT_RD));
	EXPECT_EQ(POLLIN | POLLRDHUP, polled(self->fd[BOB], POLLIN | POLLRDHUP, 0));
	EXPECT_EQ(1, recv(self->fd[BOB], buf, sizeof(buf), 0));
	EXPECT_EQ(0, recv(self->fd[BOB], buf, sizeof(buf), 0));
	EXPECT_EQ(POLLIN | POLLRDHUP, polled(self->fd[BOB], POLLIN | POLLRDHUP, 0));

	pid = fork();
	if (!pid)
		_exit(recv(self->fd[ALICE], buf, sizeof(buf), 0));
	EXPECT_EQ(0, polled(self->fd[ALICE], POLLIN | POLLHUP, 50));
	ASSERT_EQ(0, shutdown(self->fd[ALICE], SHUT_RDWR));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP | POLLHUP,
		  polled(self->fd[ALICE], POLLIN | POLLOUT | POLLRDHUP, 0));
	EXPECT_EQ(-1, send(self->fd[ALICE], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, shutdown(self->fd[ALICE], 3));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(sockets, refusals)
{
	struct sockaddr_sss to = address(BOB, V4, "nobody", "test 1"), local;
	int listener = listen_on(V4, "streams only", 4), fd;
	struct sss_open open = { .kind = SOCK_STREAM };
	struct sss_acceptor acceptor = { };
	struct sss_reset reset = { };
	char buf[4];

	EXPECT_EQ(-1, send_to(self->fd[ALICE], "x", 1, &to));
	EXPECT_EQ(ECONNREFUSED, errno);
	to = address(BOB, V4, "post", "other");
	EXPECT_EQ(-1, send_to(self->fd[ALICE], "x", 1, &to));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
	to = address(BOB, V4, "streams only", "test 1");
	EXPECT_EQ(-1, send_to(self->fd[ALICE], "x", 1, &to));
	EXPECT_EQ(EPROTOTYPE, errno);
	EXPECT_EQ(-1, connect_to(self->fd[ALICE], &to));
	EXPECT_EQ(EPROTOTYPE, errno);
	fd = caller(V4, 0);
	EXPECT_EQ(-1, connect_to(fd, &self->to));
	EXPECT_EQ(EPROTOTYPE, errno);
	close(fd);
	close(listener);

	EXPECT_EQ(-1, dgram_socket(BOB, "post"));
	EXPECT_EQ(EADDRINUSE, errno);
	local = address(BOB, V4, "post", "test 1");
	EXPECT_EQ(-1, bind_to(self->fd[BOB], &local));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, listen(self->fd[BOB], 4));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, accept(self->fd[BOB], NULL, NULL));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, ioctl(self->fd[BOB], SSS_IOC_OPEN, &open));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, ioctl(self->fd[BOB], SSS_IOC_ACCEPTOR, &acceptor));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, ioctl(self->fd[BOB], SSS_IOC_RESET, &reset));
	EXPECT_EQ(ENOTCONN, errno);
	to = self->to;
	to.sss_flags = 1;
	EXPECT_EQ(-1, send_to(self->fd[ALICE], "x", 1, &to));
	EXPECT_EQ(EINVAL, errno);
	/* All the same it works. */
	EXPECT_EQ(1, send_to(self->fd[ALICE], "x", 1, &self->to));
	EXPECT_EQ(1, recv(self->fd[BOB], buf, sizeof(buf), 0));
}

/* One that closes gives its names back; who goes on sending finds the next. */
TEST_F(sockets, another_takes_over)
{
	struct sockaddr_sss from;
	char buf[4];
	int i, n = -1;

	ASSERT_EQ(1, send_to(self->fd[ALICE], "a", 1, &self->to));
	ASSERT_EQ(1, receive_from(self->fd[BOB], buf, sizeof(buf), &from));
	close(self->fd[BOB]);
	self->fd[BOB] = dgram_socket(BOB, "post");
	ASSERT_LE(0, self->fd[BOB]);
	set_timeout(self->fd[BOB], SO_RCVTIMEO, 200);
	/* The first one may go to the old one, or tell what became of it. */
	for (i = 0; i < 20 && n != 1; i++) {
		n = send_to(self->fd[ALICE], "b", 1, &self->to);
		if (n != 1)
			EXPECT_EQ(ECONNRESET, errno) TH_LOG("%s", strerror(errno));
		n = receive_from(self->fd[BOB], buf, sizeof(buf), &from);
	}
	EXPECT_EQ(1, n);
}

/* Reliable ones arrive although the sender is gone. */
TEST_F(sockets, closed_after_sending)
{
	struct sockaddr_sss from;
	int on = 1, i;

	netem(ALICE, "delay 30ms loss 5%");
	setsockopt(self->fd[ALICE], SOL_SSS, SSS_RELIABLE, &on, sizeof(on));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(2000, send_to(self->fd[ALICE], out, 2000, &self->to));
	close(self->fd[ALICE]);
	self->fd[ALICE] = -1;
	for (i = 0; i < 20; i++)
		ASSERT_EQ(2000, receive_from(self->fd[BOB], in, sizeof(in), &from))
			TH_LOG("%d: %s", i, strerror(errno));
}

/* Answers as well */
TEST_F(sockets, closed_after_answering)
{
	struct sockaddr_sss from;
	int on = 1, i;

	setsockopt(self->fd[BOB], SOL_SSS, SSS_RELIABLE, &on, sizeof(on));
	ASSERT_EQ(1, send_to(self->fd[ALICE], "x", 1, &self->to));
	ASSERT_EQ(1, receive_from(self->fd[BOB], in, 1, &from));
	netem(BOB, "delay 30ms loss 5%");
	for (i = 0; i < 20; i++)
		ASSERT_EQ(2000, send_to(self->fd[BOB], out, 2000, &from));
	close(self->fd[BOB]);
	self->fd[BOB] = -1;
	for (i = 0; i < 20; i++)
		ASSERT_EQ(2000, receive_from(self->fd[ALICE], in, sizeof(in), &from))
			TH_LOG("%d: %s", i, strerror(errno));
	netem(BOB, NULL);
}

/* Nobody keeps its names when it is gone, and what waits unread goes with it. */
TEST_F(sockets, closed_unread)
{
	int on = 1, i;

	setsockopt(self->fd[ALICE], SOL_SSS, SSS_RELIABLE, &on, sizeof(on));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(2000, send_to(self->fd[ALICE], out, 2000, &self->to));
	EXPECT_EQ(POLLIN, polled(self->fd[BOB], POLLIN, PATIENCE));
	close(self->fd[BOB]);
	self->fd[BOB] = dgram_socket(BOB, "post");
	EXPECT_LE(0, self->fd[BOB]);
}

TEST_HARNESS_MAIN
