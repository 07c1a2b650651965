// SPDX-License-Identifier: GPL-2.0
/*
 * Moves bytes over TCP, kTLS or AF_SSS and says how long it took.
 *
 *   sss-bench MODE serve ADDRESS PORT          until it is killed
 *   sss-bench MODE bulk ADDRESS PORT BYTES     sends, until the other end has all
 *   sss-bench MODE rr ADDRESS PORT ROUNDS      64 bytes there and 64 back
 *
 * MODE: tcp, ktls, sss. For sss ADDRESS is an EID ("-" to serve on every host)
 * and PORT the name of the service. A client prints: amount, seconds, and the
 * seconds of those in which the machine was not idle (one CPU is assumed).
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <libsss/sss.h>

#define WRITE_SIZE	65536
#define MESSAGE_SIZE	64
#define CONNECT_SECONDS	20
#define BACKLOG		16
#define PROTOCOL	"bench 1"

/* What a connection begins with; both ends are the same program and machine */
struct request {
	uint64_t rounds;	/* messages to echo */
	uint64_t bytes;		/* else bytes to swallow, then to be confirmed */
};

static bool is_sss, is_tls;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Seconds the machine has been idle since it started */
static double idle(void)
{
	unsigned long long user, nice, system, idle, iowait;
	FILE *f = fopen("/proc/stat", "r");

	if (!f || fscanf(f, "cpu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
			 &iowait) != 5)
		err(1, "/proc/stat");
	fclose(f);
	return (double)(idle + iowait) / sysconf(_SC_CLK_TCK);
}

static void make_address(struct sockaddr_in *in, const char *host, const char *port)
{
	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_port = htons(atoi(port));
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		errx(2, "%s: not an IPv4 address", host);
}

static int tcp_connect(const char *host, const char *port)
{
	int saved, fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in in;

	make_address(&in, host, port);
	if (fd < 0 || !connect(fd, (struct sockaddr *)&in, sizeof(in)))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int tcp_listen(const char *host, const char *port)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in in;

	make_address(&in, host, port);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, BACKLOG))
		return -1;
	return fd;
}

static void set_key(int fd, int direction, int letter)
{
	struct tls12_crypto_info_chacha20_poly1305 info = {
		.info.version = TLS_1_2_VERSION,
		.info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305,
	};

	memset(info.key, letter, sizeof(info.key));
	memset(info.iv, letter, sizeof(info.iv));
	if (setsockopt(fd, SOL_TLS, direction, &info, sizeof(info)))
		err(1, "TLS keys");
}

static void prepare(int fd, bool client)
{
	int one = 1;

	if (!is_sss && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "TCP_NODELAY");
	if (is_tls) {
		if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")))
			err(1, "TCP_ULP: is there kTLS in this kernel?");
		set_key(fd, TLS_TX, client ? 'c' : 's');
		set_key(fd, TLS_RX, client ? 's' : 'c');
	}
}

/* False at the end of the stream, if that is before the first byte */
static bool get(int fd, void *buffer, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = recv(fd, (char *)buffer + done, len - done, 0);
		if (n < 0)
			err(1, "recv");
		if (!n && !done)
			return false;
		if (!n)
			errx(1, "the stream ended in the middle");
		done += n;
	}
	return true;
}

static void put(int fd, const void *buffer, size_t len)
{
	while (len) {
		ssize_t n = send(fd, buffer, len, 0);

		if (n < 0)
			err(1, "send");
		buffer = (const char *)buffer + n;
		len -= n;
	}
}

static void serve_one(int fd)
{
	static char buffer[WRITE_SIZE];
	struct request request;
	uint64_t done = 0;

	prepare(fd, false);
	if (!get(fd, &request, sizeof(request)))
		return;
	for (; request.rounds; request.rounds--) {
		if (!get(fd, buffer, MESSAGE_SIZE))
			return;
		put(fd, buffer, MESSAGE_SIZE);
	}
	if (!request.bytes)
		return;
	while (done < request.bytes) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

		if (n < 0)
			err(1, "recv");
		if (!n)
			errx(1, "the stream ended after %llu bytes", (unsigned long long)done);
		done += n;
	}
	put(fd, &done, sizeof(done));
}

static void serve(const char *host, const char *port)
{
	int stream, fd = is_sss ? sss_listen(port, PROTOCOL, BACKLOG) : tcp_listen(host, port);

	if (fd < 0)
		err(1, "listen on %s", port);
	while ((stream = accept(fd, NULL, NULL)) >= 0) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			serve_one(stream);
			exit(0);
		}
		close(stream);
	}
	err(1, "accept");
}

/* The server may have been started a moment ago. */
static int dial(const char *host, const char *port)
{
	double deadline = now() + CONNECT_SECONDS;
	int fd;

	for (;;) {
		fd = is_sss ? sss_connect(host, port, PROTOCOL) : tcp_connect(host, port);
		if (fd >= 0)
			break;
		if (errno != ECONNREFUSED || now() > deadline)
			err(1, "connect to %s %s", host, port);
		usleep(20000);
	}
	prepare(fd, true);
	return fd;
}

static void bulk(int fd, uint64_t bytes)
{
	struct request request = { .bytes = bytes };
	static char buffer[WRITE_SIZE];
	uint64_t left = bytes, arrived;

	memset(buffer, 'b', sizeof(buffer));
	put(fd, &request, sizeof(request));
	while (left) {
		size_t n = left < sizeof(buffer) ? left : sizeof(buffer);

		put(fd, buffer, n);
		left -= n;
	}
	if (!get(fd, &arrived, sizeof(arrived)) || arrived != bytes)
		errx(1, "not everything arrived");
}

static void round_trips(int fd, uint64_t rounds)
{
	struct request request = { .rounds = rounds };
	char message[MESSAGE_SIZE] = "ping";

	put(fd, &request, sizeof(request));
	while (rounds--) {
		put(fd, message, sizeof(message));
		if (!get(fd, message, sizeof(message)))
			errx(1, "the stream ended");
	}
}

int main(int argc, char **argv)
{
	double start, start_idle, took, rested;
	uint64_t amount;
	bool is_bulk;
	int fd;

	if (argc < 5)
		errx(2, "usage: sss-bench tcp|ktls|sss serve|bulk|rr ADDRESS PORT [AMOUNT]");
	is_sss = !strcmp(argv[1], "sss");
	is_tls = !strcmp(argv[1], "ktls");
	is_bulk = !strcmp(argv[2], "bulk");
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(argv[2], "serve"))
		serve(argv[3], argv[4]);

	amount = argc > 5 ? strtoull(argv[5], NULL, 0) : 0;
	if (!amount)
		errx(2, "say how many bytes or rounds");
	fd = dial(argv[3], argv[4]);
	start_idle = idle();
	start = now();
	if (is_bulk)
		bulk(fd, amount);
	else
		round_trips(fd, amount);
	took = now() - start;
	rested = idle() - start_idle;
	printf("%llu %.6f %.6f\n", (unsigned long long)amount, took,
	       rested < took ? took - rested : 0);
	return 0;
}
