// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers while the module's allocations fail: each arrives whole or fails
 * with an errno that says why; nothing hangs, and nothing is left.
 *
 *   streams_fault PERCENT TRANSFERS [datagrams]	for failslab, which the script prepares
 */
#include "sock.h"

#define BYTES 60000
#define HANG 10000	/* ms: nothing here takes so long by itself */
#define SERVICE "fault"

static int failed;

static void __attribute__((format(printf, 2, 3))) check(bool ok, const char *format, ...)
{
	static int number;
	va_list args;

	printf("%sok %d ", ok ? "" : "not ", ++number);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	failed += !ok;
}

static void set_failures(int percent)
{
	FILE *f = fopen("/sys/kernel/debug/failslab/probability", "w");

	if (!f || fprintf(f, "%d\n", percent) < 0 || fclose(f))
		genl_die("failslab");
}

/* What may become of a call when there is no memory, here or at the peer */
static bool is_excuse(int err)
{
	switch (err) {
	case ENOMEM:
	case ENOBUFS:
	case ENFILE:		/* the core's word for no memory for a socket's inode */
	case ECONNRESET:	/* the peer had none */
	case EPIPE:
	case ETIMEDOUT:
		return true;
	}
	return false;
}

static void reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/* Bob reads to the end and says whether it was right: 'k', or 'x'. */
static void serve_one(int fd)
{
	ssize_t n = recv_pattern(fd, BYTES + 1, 1, 0);
	char answer = n == BYTES ? 'k' : 'x';

	if (n == -1 || send(fd, &answer, 1, MSG_NOSIGNAL) != 1)
		reset(fd);
	else
		close(fd);
}

static void serve(int listener)
{
	int fd;

	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && !is_excuse(errno) && errno != EAGAIN)
			genl_die("accept");
		if (fd < 0)
			continue;
		set_timeout(fd, SO_RCVTIMEO, HANG);
		set_timeout(fd, SO_SNDTIMEO, HANG);
		serve_one(fd);
	}
}

/* A call of alice's failed: with what, and was it an honest errno? */
static int gave_up(int fd, const char *what)
{
	int err = errno;

	if (fd >= 0)
		reset(fd);
	if (is_excuse(err))
		return err;
	printf("# %s: %s\n", what, strerror(err));
	return -1;
}

/* 0: all arrived; an errno; -1: a mistake */
static int transfer(void)
{
	struct sockaddr_sss addr = address(ALICE, V4, "", "");
	int fd = stream_socket(ALICE, SOCK_CLOEXEC);
	char answer = 0;
	ssize_t n;

	if (fd < 0)
		return gave_up(fd, "socket");
	set_timeout(fd, SO_RCVTIMEO, HANG);
	set_timeout(fd, SO_SNDTIMEO, HANG);
	if (bind_to(fd, &addr))
		return gave_up(fd, "bind");
	addr = address(BOB, V4, SERVICE, "test 1");
	if (connect_to(fd, &addr))
		return gave_up(fd, "connect");
	if (send_pattern(fd, BYTES, 1, 0) != BYTES)
		return gave_up(fd, "send");
	if (shutdown(fd, SHUT_WR)) {
		/* it broke after the last write was taken: why, nobody has been told yet */
		if (errno == ENOTCONN)
			errno = so_error(fd);
		return gave_up(fd, "shutdown");
	}
	n = recv(fd, &answer, 1, 0);
	if (n < 0)
		return gave_up(fd, "recv");
	close(fd);
	if (n == 1 && answer == 'k')
		return 0;
	printf("# %s\n", n ? "not what was sent arrived" : "the peer ended without an answer");
	return -1;
}

/* Bob sends each datagram back, as it came. */
static void echo(int fd)
{
	static unsigned char buf[BYTES + 1];
	struct sockaddr_sss from;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);
		if (n >= 0)
			n = sendto(fd, buf, n, MSG_NOSIGNAL, (struct sockaddr *)&from, len);
		if (n < 0 && !is_excuse(errno) && errno != EAGAIN)
			genl_die("echo");
	}
}

static int dgram_socket(int who, const char *service)
{
	struct sockaddr_sss addr = address(who, V4, service, *service ? "test 1" : "");
	int fd, on = 1;

	enter(who);
	fd = socket(AF_SSS, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SSS, SSS_RELIABLE, &on, sizeof(on));
	set_timeout(fd, SO_RCVTIMEO, HANG / 10);
	set_timeout(fd, SO_SNDTIMEO, HANG);
	if (!bind_to(fd, &addr))
		return fd;
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

/* A datagram there and back; the way back may have been lost with its link. */
static int exchange(void)
{
	struct sockaddr_sss to = address(BOB, V4, SERVICE, "test 1");
	static unsigned char buf[BYTES + 1];
	int fd = dgram_socket(ALICE, ""), i, off = 0;
	ssize_t n = -1;

	if (fd < 0)
		return gave_up(fd, "socket");
	for (i = 0; i < 10 && n < 0; i++) {
		size_t len = i & 1 ? 100 : BYTES;

		fill(buf, len, i, 0);
		n = sendto(fd, buf, len, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to));
		if (n < 0)
			break;
		setsockopt(fd, SOL_SSS, SSS_RELIABLE, &off, sizeof(off));
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0 && errno != EAGAIN)
			break;
	}
	if (n < 0 && errno == EAGAIN)
		errno = ETIMEDOUT;
	if (n < 0)
		return gave_up(fd, "sendto or recv");
	close(fd);
	/* which of them it is does not matter, they begin as they are long */
	for (i = 0; i < 10; i++)
		if (n == (i & 1 ? 100 : BYTES) && is_pattern(buf, n, i, 0))
			return 0;
	printf("# not what was sent came back\n");
	return -1;
}

/* accept() without memory takes no stream: with it, it is there, with what came. */
static void waits_for_memory(void)
{
	struct sockaddr_sss addr = address(BOB, V4, "waits", "test 1");
	int listener = listen_on(V4, "waits", 1), fd = stream_socket(ALICE, SOCK_CLOEXEC), end;
	bool waited;

	if (listener < 0 || fd < 0 || connect_to(fd, &addr) ||
	    send_pattern(fd, 100, 1, 0) != 100 || !polled(listener, POLLIN, HANG))
		genl_die("a stream that waits");
	set_nonblock(listener, true);
	set_failures(100);
	waited = accept(listener, NULL, NULL) < 0 && errno == ENOMEM;
	set_failures(0);
	end = accept(listener, NULL, NULL);
	check(waited && end >= 0 && recv_pattern(end, 100, 1, 0) == 100,
	      "a stream waits until there is memory for its socket");
	close(fd);
	close(end);
	close(listener);
}

static int (*once)(void) = transfer;

static void transfers(int percent, int times)
{
	int whole = 0, excused = 0, wrong = 0, result;
	long long start, longest = 0;

	set_failures(percent);
	for (int i = 0; i < times; i++) {
		start = now_ms();
		result = once();
		if (now_ms() - start > longest)
			longest = now_ms() - start;
		if (!result)
			whole++;
		else if (result > 0)
			excused++;
		else
			wrong++;
		/* Every third finds no channel any more. */
		if (i % 3 == 0)
			usleep(30000);
	}
	set_failures(0);
	printf("# %d %%: %d whole, %d failed for want of memory, the longest took %lld ms\n",
	       percent, whole, excused, longest);
	check(!wrong, "%d transfers at %d %% arrive whole or say why not", times, percent);
	check(whole > 0, "some arrive at %d %%", percent);
}

static bool nothing_left(int who)
{
	return !get_stat(who, "Sockets") && !get_stat(who, "Streams") &&
	       !get_stat(who, "Channels") && !get_stat(who, "TxChunks") &&
	       !get_stat(who, "RxSegments") && !get_stat(who, "SentPackets");
}

int main(int argc, char **argv)
{
	int percent = argc > 1 ? atoi(argv[1]) : 0, times = argc > 2 ? atoi(argv[2]) : 50;
	bool datagrams = argc > 3;
	int listener, i, clean = 0;
	pid_t server;

	listener = datagrams ? dgram_socket(BOB, SERVICE) : listen_on(V4, SERVICE, 20);

	if (listener < 0)
		genl_die("listening");
	waits_for_memory();
	for (i = ALICE; i <= BOB; i++) {
		set_sysctl(i, "idle_timeout_ms", "20");
		set_sysctl(i, "initiate_interval_ms", "50");
		set_sysctl(i, "initiate_interval_max_ms", "100");
		set_sysctl(i, "connect_timeout_ms", "5000");
	}
	server = fork();
	if (!server && datagrams)
		echo(listener);
	else if (!server)
		serve(listener);
	if (datagrams)
		once = exchange;
	transfers(percent, times);
	for (i = 0; i < 3; i++)
		clean += !once();
	check(clean == 3, "right after it three of three arrive");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(listener);
	for (i = ALICE; i <= BOB; i++)
		check(eventually(HANG, nothing_left(i)), "nothing is left at %s",
		      i == ALICE ? "alice" : "bob");
	printf("1..%d\n", 6);
	return failed > 0;
}
