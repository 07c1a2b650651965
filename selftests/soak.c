// SPDX-License-Identifier: GPL-2.0
/*
 * Minutes of transfers of every kind while something goes wrong on every layer,
 * chosen at random: links lose, reorder, duplicate, corrupt, go down; addresses and
 * families come and go; rubbish arrives; keys are replaced; limits shrink;
 * allocations fail; programs stop and are killed. Of all that is sent the SHA-256 is
 * what it was at the sender. Nothing but a want of memory is an excuse, and then it
 * is tried again.
 *
 *	soak SECONDS [SEED [FAULT]]	the seed is printed; nothing but FAULT happens
 */
#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include "paths.h"

enum { WORKERS = 6, SIZE_MOST = 200000, LIMIT = 90000 };
enum kind { STREAM, CHILD, DATAGRAM, KINDS };

#define SUM	crypto_hash_sha256_BYTES
#define FAILSLAB "/sys/kernel/debug/failslab/probability"

/* What all processes know of each other */
struct shared {
	volatile unsigned long done[KINDS];
	volatile unsigned long bytes, retries;
	volatile int bad;
	volatile bool over;
	long long begin;
};

static struct shared *shared;
static struct both b;
static pid_t worker[WORKERS], server;

static unsigned int random_below(unsigned int n)
{
	return (unsigned int)random() % n;
}

static void tell(const char *what)
{
	printf("# %lld ms, %d: %s: %s\n", now_ms() - shared->begin, getpid(), what,
	       strerror(errno));
	fflush(stdout);
}

static void complain(const char *what)
{
	tell(what);
	shared->bad++;
}

/* An error that passes; who meets it tries again, for a while. */
static bool is_want_of_memory(void)
{
	/* ENFILE is the core's word for no memory for a socket's inode */
	if (errno != ENOMEM && errno != ENOBUFS && errno != ENFILE && errno != EINTR)
		return false;
	shared->retries++;
	usleep(20000);
	return true;
}

/* Bob sends back what comes, and behind its end the sum of it. */
static void *echo(void *arg)
{
	static const unsigned int most = 16384;
	int fd = (intptr_t)arg;
	unsigned char buf[most], sum[SUM];
	crypto_hash_sha256_state state;
	ssize_t n, at, part;

	crypto_hash_sha256_init(&state);
	for (;;) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0 && is_want_of_memory())
			continue;
		if (n < 0) {
			tell("echo");
			break;
		}
		crypto_hash_sha256_update(&state, buf, n);
		if (!n) {
			crypto_hash_sha256_final(&state, sum);
			memcpy(buf, sum, SUM);
		}
		for (at = 0; at < (n ?: SUM); at += part) {
			part = send(fd, buf + at, (n ?: SUM) - at, MSG_NOSIGNAL);
			if (part < 0 && !is_want_of_memory()) {
				tell("echo's answer");
				goto out;
			}
			part = part < 0 ? 0 : part;
		}
		if (!n)
			break;
	}
out:
	close(fd);
	return NULL;
}

static void *echo_all(void *arg)
{
	int fd = (intptr_t)arg, child;
	pthread_t thread;

	for (;;) {
		child = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (child < 0 && (is_want_of_memory() || errno == EAGAIN))
			continue;
		if (child < 0)
			break;
		pthread_create(&thread, NULL, echo, (void *)(intptr_t)child);
		pthread_detach(thread);
	}
	close(fd);
	return NULL;
}

static void *echo_datagrams(void *arg)
{
	static const size_t most = SIZE_MOST + SUM;
	int fd = (intptr_t)arg;
	unsigned char *buf = malloc(most);
	ssize_t n;

	for (;;) {
		n = recv(fd, buf, most, 0);
		if (n < 0 && errno != EAGAIN && !is_want_of_memory())
			break;
		while (n >= 0 && send(fd, buf, n, MSG_NOSIGNAL) < 0)
			if (!is_want_of_memory())
				break;
	}
	tell("datagrams");
	close(fd);
	free(buf);
	return NULL;
}

/* A new stream, or datagram socket, on a stream */
static int open_on_stream(int parent, int kind)
{
	struct sss_open open = { .kind = kind, .flags = SOCK_CLOEXEC };
	int fd, one = 1;

	do {
		fd = ioctl(parent, SSS_IOC_OPEN, &open);
	} while (fd < 0 && is_want_of_memory());
	if (fd >= 0 && kind == SOCK_DGRAM)
		setsockopt(fd, SOL_SSS, SSS_RELIABLE, &one, sizeof(one));
	set_timeout(fd, SO_RCVTIMEO, LIMIT);
	set_timeout(fd, SO_SNDTIMEO, LIMIT);
	return fd;
}

/* Streams whose children are echoed, as long as the parent lives */
static void *serve_parents(void *arg)
{
	struct sss_acceptor acceptor = { .flags = SOCK_CLOEXEC, .backlog = 64 };
	int listener = (intptr_t)arg, fd, children;
	pthread_t thread;

	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		do {
			children = ioctl(fd, SSS_IOC_ACCEPTOR, &acceptor);
		} while (children < 0 && is_want_of_memory());
		if (children < 0)
			continue;
		pthread_create(&thread, NULL, echo_all, (void *)(intptr_t)children);
		pthread_detach(thread);	/* @fd stays open: its children are wanted */
		children = open_on_stream(fd, SOCK_DGRAM);
		pthread_create(&thread, NULL, echo_datagrams, (void *)(intptr_t)children);
		pthread_detach(thread);
	}
	return NULL;
}

static int bound(int who, const char *service)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = b.eid[who] };
	int fd;

	enter(who);
	strcpy(addr.sss_service, service);
	strcpy(addr.sss_protocol, *service ? "test 1" : "");
	do {
		fd = socket(AF_SSS, SOCK_STREAM | SOCK_CLOEXEC, 0);
	} while (fd < 0 && is_want_of_memory());
	if (fd < 0 || bind_to(fd, &addr))
		genl_die("a socket");
	set_timeout(fd, SO_RCVTIMEO, LIMIT);
	set_timeout(fd, SO_SNDTIMEO, LIMIT);
	return fd;
}

static int listening(const char *service)
{
	int fd = bound(BOB, service);

	if (listen(fd, 64))
		genl_die("listen");
	return fd;
}

static void serve(void)
{
	pthread_t thread;
	int streams = listening("soak"), parents = listening("parents");
	pthread_create(&thread, NULL, serve_parents, (void *)(intptr_t)parents);
	echo_all((void *)(intptr_t)streams);
	for (;;)
		pause();
}

static int dial_bob(const char *service)
{
	struct sockaddr_sss to = { .sss_family = AF_SSS, .sss_eid = b.eid[BOB] };
	int fd = bound(ALICE, "");

	strcpy(to.sss_service, service);
	strcpy(to.sss_protocol, "test 1");
	while (connect_to(fd, &to)) {
		if (is_want_of_memory())
			continue;
		complain(service);
		close(fd);
		return -1;
	}
	return fd;
}

/* Both directions at once: data there, the same and its sum back */
static bool transfer(int fd, const unsigned char *data, size_t len)
{
	unsigned char buf[16384], got[SUM], back[SUM], sum[SUM];
	crypto_hash_sha256_state state;
	size_t sent = 0, come = 0, told = 0, part;
	bool ended = false;
	ssize_t n;

	crypto_hash_sha256(sum, data, len);
	crypto_hash_sha256_init(&state);
	set_nonblock(fd, true);
	while (told < SUM) {
		if (!polled(fd, POLLIN | (ended ? 0 : POLLOUT), LIMIT)) {
			errno = ETIMEDOUT;
			return false;
		}
		part = 1 + random_below(20000);
		part = part < len - sent ? part : len - sent;
		n = part ? send(fd, data + sent, part, MSG_NOSIGNAL) : 0;
		if (n < 0 && errno != EAGAIN && !is_want_of_memory())
			return false;
		sent += n > 0 ? n : 0;
		if (sent == len && !ended) {
			shutdown(fd, SHUT_WR);
			ended = true;
		}
		part = come < len ? len - come : SUM - told;
		n = recv(fd, buf, part < sizeof(buf) ? part : sizeof(buf), 0);
		if (n < 0 && errno != EAGAIN && !is_want_of_memory())
			return false;
		if (!n) {
			errno = EPIPE;
			return false;
		}
		if (n > 0 && come < len) {
			crypto_hash_sha256_update(&state, buf, n);
			come += n;
		} else if (n > 0) {
			memcpy(got + told, buf, n);
			told += n;
		}
	}
	crypto_hash_sha256_final(&state, back);
	errno = EBADMSG;
	return !memcmp(back, sum, SUM) && !memcmp(got, sum, SUM);
}

/* A datagram with its sum at the end comes back as it went. */
static bool exchange(int fd, unsigned char *data, size_t len)
{
	static unsigned char buf[SIZE_MOST + SUM];
	ssize_t n;

	crypto_hash_sha256(data + len, data, len);
	while (send(fd, data, len + SUM, MSG_NOSIGNAL) < 0)
		if (!is_want_of_memory())
			return false;
	do {
		n = recv(fd, buf, sizeof(buf), 0);
	} while (n < 0 && is_want_of_memory());
	if (n < 0)
		return false;
	errno = EBADMSG;
	return n == (ssize_t)(len + SUM) && !memcmp(buf, data, n);
}

static bool do_one(enum kind kind, int parent, int datagrams, unsigned char *data, size_t len)
{
	int fd, err;
	bool good;

	if (kind == DATAGRAM)
		return exchange(datagrams, data, len);
	fd = kind == STREAM ? dial_bob("soak") : open_on_stream(parent, SOCK_STREAM);
	if (fd < 0)
		return false;
	good = transfer(fd, data, len);
	err = errno;
	close(fd);
	errno = err;
	return good;
}

static void work(void)
{
	static const char *const names[] = { "stream", "child", "datagram" };
	static unsigned char data[SIZE_MOST + SUM];
	int parent = dial_bob("parents"), datagrams = open_on_stream(parent, SOCK_DGRAM);

	srandom(getpid());
	while (!shared->over) {
		enum kind kind = random_below(KINDS);
		size_t len = 1 + random_below(random_below(4) ? 5000 : SIZE_MOST);

		randombytes_buf(data, len);
		if (do_one(kind, parent, datagrams, data, len)) {
			shared->done[kind]++;
			shared->bytes += len;
		} else {
			complain(names[kind]);
		}
	}
	_exit(0);
}

static pid_t child(void (*what)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	what();
	_exit(0);
}

/* --- what goes wrong; each leaves things as they were --- */

static void pause_ms(unsigned int from, unsigned int to)
{
	usleep((from + random_below(to - from)) * 1000);
}

static void bad_link(void)
{
	char how[160];
	int who = random_below(2);

	snprintf(how, sizeof(how), "delay %ums %ums loss %u%% duplicate %u%% corrupt %u%% reorder %u%%",
		 1 + random_below(30), random_below(10), random_below(15), random_below(20),
		 random_below(5), random_below(20));
	netem(who, how);
	pause_ms(300, 3000);
	netem(who, NULL);
}

static void no_link(void)
{
	int who = random_below(2);

	shell_in(who, "ip link set wire down");
	pause_ms(100, 2000);
	shell_in(who, "ip link set wire up");
	shell_in(who, "ip -6 addr add fd09::%d/64 dev wire nodad", who + 1);
}

static void other_address(void)
{
	static int n = 1;
	int next = n == 1 ? 11 : 1;

	shell_in(ALICE, "ip addr del 10.9.0.%d/24 dev wire", n);
	shell_in(ALICE, "ip addr add 10.9.0.%d/24 dev wire", next);
	n = next;
	pause_ms(300, 1000);
}

static void no_family(void)
{
	shell_in(BOB, "nft 'table inet soak { chain in { type filter hook input priority 0; "
		 "meta nfproto %s drop; }; }'", random_below(2) ? "ipv6" : "ipv4");
	pause_ms(300, 3000);
	shell_in(BOB, "nft delete table inet soak");
}

static void small_packets(void)
{
	unsigned int mtu = 1280 + random_below(200);

	shell_in(ALICE, "ip link set wire mtu %u", mtu);
	shell_in(BOB, "ip link set wire mtu %u", mtu);
	pause_ms(300, 3000);
	shell_in(ALICE, "ip link set wire mtu 1500");
	shell_in(BOB, "ip link set wire mtu 1500");
}

static void rubbish(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(b.port) };
	unsigned char buf[1400];
	int who = random_below(2), fd;

	enter(!who);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, who == ALICE ? "10.9.0.1" : "10.9.0.2", &to.sin_addr);
	for (int i = 0; i < 500; i++) {
		randombytes_buf(buf, sizeof(buf));
		buf[0] %= 8;
		sendto(fd, buf, 1 + random_below(sizeof(buf)), 0, (struct sockaddr *)&to, sizeof(to));
	}
	close(fd);
}

static void new_keys(void)
{
	for (int i = 0; i < 3; i++)
		ask_about_channel(&b, random_below(2), SSS_CMD_CHANNEL_REKEY);
	pause_ms(10, 500);
}

static void small_limits(void)
{
	int who = random_below(2);

	set_sysctl(who, "rekey_packets", "50");
	set_sysctl(who, "max_peer_memory", "65536");
	set_sysctl(who, "channel_window", "65536");
	set_sysctl(who, "max_half_open", "1");
	pause_ms(300, 3000);
	set_sysctl(who, "rekey_packets", "0");
	set_sysctl(who, "max_peer_memory", "536870912");
	set_sysctl(who, "channel_window", "16777216");
	set_sysctl(who, "max_half_open", "1024");
}

static void set_failures(int percent)
{
	FILE *f = fopen(FAILSLAB, "w");

	if (!f)
		return;
	fprintf(f, "%d", percent);
	fclose(f);
}

static void no_memory(void)
{
	set_failures(1 + random_below(5));
	pause_ms(100, 1500);
	set_failures(0);
}

static void stopped_program(void)
{
	pid_t pid = random_below(3) ? worker[random_below(WORKERS)] : server;

	kill(pid, SIGSTOP);
	pause_ms(100, 1500);
	kill(pid, SIGCONT);
}

static void killed_program(void)
{
	int i = random_below(WORKERS);

	kill(worker[i], SIGKILL);
	waitpid(worker[i], NULL, 0);
	worker[i] = child(work);
}

#define FAULT(name) { #name, name }

static const struct {
	const char *name;
	void (*happen)(void);
} faults[] = {
	FAULT(bad_link), FAULT(no_link), FAULT(other_address), FAULT(no_family),
	FAULT(small_packets), FAULT(rubbish), FAULT(new_keys), FAULT(small_limits),
	FAULT(no_memory), FAULT(stopped_program), FAULT(killed_program),
};

static bool is_fault(const char *name)
{
	for (unsigned int i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (!strcmp(name, faults[i].name))
			return true;
	return false;
}

static void soak(unsigned int seconds, const char *only)
{
	long long until = now_ms() + seconds * 1000ll;
	unsigned int i;

	while (now_ms() < until && !shared->bad) {
		i = random_below(sizeof(faults) / sizeof(*faults));
		if (only && strcmp(only, faults[i].name))
			continue;
		printf("# %lld ms: %s\n", now_ms() - shared->begin, faults[i].name);
		fflush(stdout);
		faults[i].happen();
		pause_ms(1, 500);
	}
}

int main(int argc, char **argv)
{
	static const char *const where[] = { "10.9.0.2", "fd09::2" };
	unsigned int seconds = argc > 1 ? atoi(argv[1]) : 600;
	unsigned int seed = argc > 2 ? (unsigned int)atoi(argv[2]) : randombytes_uniform(1 << 30);
	int i;

	if (argc > 3 && !is_fault(argv[3]))
		genl_die("no such fault");
	printf("# seed %u\n", seed);
	fflush(stdout);
	srandom(seed);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	shared->begin = now_ms();
	make_hosts_at(&b, "soak", 9900, 2, where);
	server = child(serve);
	if (!eventually(PATIENCE, get_stat(BOB, "Sockets") >= 2))
		genl_die("bob");
	for (i = 0; i < WORKERS; i++)
		worker[i] = child(work);
	soak(seconds, argc > 3 ? argv[3] : NULL);
	shared->over = true;
	for (i = 0; i < WORKERS; i++)
		waitpid(worker[i], NULL, 0);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	remove_hosts(&b);
	printf("# %lu streams, %lu children, %lu datagrams, %lu kB, %lu times for want of memory\n",
	       shared->done[STREAM], shared->done[CHILD], shared->done[DATAGRAM],
	       shared->bytes / 1000, shared->retries);
	for (i = 0; i < KINDS; i++)
		if (!shared->done[i])
			shared->bad++;
	return shared->bad > 0;
}
