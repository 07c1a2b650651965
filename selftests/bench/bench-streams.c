// SPDX-License-Identifier: GPL-2.0
/*
 * What a stream costs: questions and answers, each on a substream of its own,
 * beside TCP with one connection, TCP with a connection each, and one TCP
 * connection in WireGuard; opening and closing alone; memory while idle.
 *
 *   bench-streams ROUNDS QUESTIONS
 *
 * Makes namespaces of its own. Prints lines for report.py:
 * ROUND MODE transact BYTES MICROSECONDS, ROUND MODE open 1 MICROSECONDS, and
 * 1 sss memory ACCEPTED UNACCEPTED, in bytes.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include "../sock.h"

#define QUESTION	32
#define LARGEST		32768
#define IDLE		2000	/* streams whose memory is measured */
#define WAIT		20000

static const uint32_t sizes[] = { 32, 1024, LARGEST };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static bool get(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

static void put(int fd, const void *buf, size_t len)
{
	if (send(fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(1, "send");
}

/* Answers what is asked on one stream, to its end. */
static void answer(int fd)
{
	static char buf[LARGEST];
	uint32_t question[QUESTION / 4];

	while (get(fd, question, QUESTION))
		if (question[0])
			put(fd, buf, question[0]);
	close(fd);
}

static pid_t serve(int listener)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			answer(fd);
	}
}

static void ask(int fd, uint32_t bytes)
{
	uint32_t question[QUESTION / 4] = { bytes };
	static char buf[LARGEST];

	put(fd, question, QUESTION);
	if (bytes && !get(fd, buf, bytes))
		err(1, "no answer");
}

static int parent;		/* stream to bob; questions go on its children */
static int tcp_one, wg_one;	/* connections that stay */

static struct sockaddr_in in_address(const char *host, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, host, &in.sin_addr);
	return in;
}

static int tcp_socket(int who)
{
	int one = 1, fd;

	enter(who);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static int tcp_listen(const char *host, int port)
{
	struct sockaddr_in in = in_address(host, port);
	int fd = tcp_socket(BOB);

	/* who does not wait for answers must not wait for a lost SYN either */
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 4096))
		err(1, "listen on %s", host);
	return fd;
}

static int tcp_dial(const char *host, int port)
{
	struct sockaddr_in in = in_address(host, port);
	int fd = tcp_socket(ALICE);

	if (connect(fd, (struct sockaddr *)&in, sizeof(in)))
		err(1, "connect to %s", host);
	return fd;
}

static int open_child(void)
{
	struct sss_open open = { .kind = SOCK_STREAM };
	int fd = ioctl(parent, SSS_IOC_OPEN, &open);

	if (fd < 0)
		err(1, "SSS_IOC_OPEN");
	return fd;
}

static void on_sss(uint32_t bytes)
{
	int fd = open_child();

	ask(fd, bytes);
	close(fd);
}

static void on_tcp(uint32_t bytes)
{
	ask(tcp_one, bytes);
}

static void on_tcpnew(uint32_t bytes)
{
	int fd = tcp_dial("10.9.0.2", 5002);

	ask(fd, bytes);
	close(fd);
}

static void on_wireguard(uint32_t bytes)
{
	ask(wg_one, bytes);
}

static const struct {
	const char *name;
	void (*transact)(uint32_t bytes);
	bool opens;		/* a stream or connection each */
} modes[] = {
	{ "tcp", on_tcp, false },
	{ "tcpnew", on_tcpnew, true },
	{ "wireguard", on_wireguard, false },
	{ "sss", on_sss, true },
};

static void set_up_wireguard(void)
{
	char dir[] = "/tmp/benchXXXXXX";

	if (!mkdtemp(dir))
		err(1, "%s", dir);
	for (int who = ALICE; who <= BOB; who++)
		shell_in(who, "sh -c 'umask 077; ip link add wg0 type wireguard && "
			 "wg genkey >%s/%d && ip addr add 10.8.0.%d/24 dev wg0'",
			 dir, who, who + 1);
	for (int who = ALICE; who <= BOB; who++)
		shell_in(who, "sh -c 'wg set wg0 listen-port 51820 private-key %s/%d peer "
			 "$(wg pubkey <%s/%d) allowed-ips 10.8.0.%d/32 endpoint "
			 "10.9.0.%d:51820 && ip link set wg0 up'",
			 dir, who, dir, !who, !who + 1, !who + 1);
	shell("rm -r %s", dir);
}

static void set_up(void)
{
	struct sss_acceptor acceptor = { .backlog = 64 };
	int fd[2], from;

	if (stream_pair(V4, fd))
		err(1, "no stream");
	parent = fd[ALICE];
	from = ioctl(fd[BOB], SSS_IOC_ACCEPTOR, &acceptor);
	if (from < 0)
		err(1, "SSS_IOC_ACCEPTOR");
	serve(from);
	shell_in(BOB, "sysctl -qw net.core.somaxconn=4096");
	/* each has a process that answers, so that none waits for another */
	serve(tcp_listen("10.9.0.2", 5001));
	serve(tcp_listen("10.9.0.2", 5002));
	tcp_one = tcp_dial("10.9.0.2", 5001);
	set_up_wireguard();
	serve(tcp_listen("10.8.0.2", 5003));
	wg_one = tcp_dial("10.8.0.2", 5003);
}

static double time_of(void (*transact)(uint32_t bytes), uint32_t bytes, int questions)
{
	double start = now_us();

	for (int i = 0; i < questions; i++)
		transact(bytes);
	return (now_us() - start) / questions;
}

static void measure_round(int round, int questions)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++)
			printf("%d %s transact %u %.2f\n", round, modes[m].name, sizes[i],
			       time_of(modes[m].transact, sizes[i], questions));
	/* nothing to answer: one way, and nobody waits for anything */
	for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++)
		if (modes[m].opens)
			printf("%d %s open 1 %.2f\n", round, modes[m].name,
			       time_of(modes[m].transact, 0, questions));
	fflush(stdout);
}

static long long slab_bytes(void)
{
	long long kb = 0;
	char line[128];
	FILE *f;

	sleep(1);	/* what RCU frees is freed */
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %lld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb * 1024;
}

/* Both ends are here, so two streams of the kernel's for each that is opened. */
static void measure_memory(void)
{
	struct rlimit limit = { 3 * IDLE, 3 * IDLE };
	long long before, waiting, accepted;
	int fd[2], i;

	setrlimit(RLIMIT_NOFILE, &limit);
	set_sysctl(BOB, "max_streams", "65536");
	if (stream_pair(V6, fd) || listen(fd[BOB], 2 * IDLE))
		err(1, "no stream");
	parent = fd[ALICE];
	before = slab_bytes();
	for (i = 0; i < IDLE; i++)
		open_child();
	if (!eventually(WAIT, get_stat(BOB, "Streams") >= IDLE))
		errx(1, "%lld streams of %d arrived", get_stat(BOB, "Streams"), IDLE);
	waiting = slab_bytes();
	for (i = 0; i < IDLE; i++) {
		if (accept(fd[BOB], NULL, NULL) < 0)
			err(1, "accept");
	}
	accepted = slab_bytes();
	printf("1 sss memory %lld %lld\n", (accepted - before) / 2 / IDLE,
	       (waiting - before - (accepted - before) / 2) / IDLE);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, questions = argc > 2 ? atoi(argv[2]) : 0;

	if (rounds < 1 || questions < 1)
		errx(2, "usage: bench-streams ROUNDS QUESTIONS");
	signal(SIGPIPE, SIG_IGN);
	set_up();
	measure_round(0, 100);
	for (int round = 1; round <= rounds; round++)
		measure_round(round, questions);
	measure_memory();
	return 0;
}
