// SPDX-License-Identifier: GPL-2.0
/*
 * As many INITIATEs as the machine can send, from one prefix: made up, or right
 * in all but one field, or of identities without number that complete the
 * handshake. Streams that live go on, somebody from elsewhere gets in, and what
 * is kept is little.
 *
 * The sender runs on the same processors. So that its own work is in both, what
 * streams get is compared with the same sender, whose messages go to a port where
 * nobody reads; in turn, many times, and the median counts.
 */
#include <sys/mman.h>
#include "kselftest_harness.h"
#include "hosts.h"
#include "dial.h"

enum {
	MESSAGES = 512,
	BATCH = 32,
	SINK = 9999,
	ROUNDS = 9,
	WINDOW_MS = 350,
	GOING = 8,		/* channels that are being freed, at most */
	FRESH = 3,		/* callers from elsewhere */
	CHANNEL_KB = 16,	/* what a channel and its keys may take */
};

enum mode { IDLE, TO_SINK, TO_BOB, OVER };

/* The sender's process, and what it is told */
struct sender {
	volatile enum mode mode;
	volatile unsigned long sent, completed;
	pid_t pid;
};

static struct sender *sender;
static uint8_t (*message)[INITIATE_LEN];
static volatile unsigned long long received;
static volatile bool over;

/* Channels that one prefix may have: few, so that they are soon too many */
static int max_channels(void)
{
	const char *channels = getenv("CHANNELS");

	return channels ? atoi(channels) : 64;
}

/* How long a channel stays that is not used: many of them take long to be made */
static int idle_ms(void)
{
	return getenv("CHANNELS") ? 60000 : 2000;
}

static const uint8_t *bob(void)
{
	return (const uint8_t *)&eids[BOB][V4];
}

static int udp_from(const char *address, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &at.sin_addr);
	inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		genl_die("the flood's socket");
	return fd;
}

static void send_batch(int fd)
{
	static struct mmsghdr m[BATCH];
	static struct iovec iov[BATCH];
	static unsigned int at;
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ message[at++ % MESSAGES], INITIATE_LEN };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	n = sendmmsg(fd, m, BATCH, 0);
	sender->sent += n > 0 ? n : 0;
}

/* Nothing but sending */
static void flood(void)
{
	int sink = udp_from("10.8.0.1", SINK), to_bob = udp_from("10.8.0.1", PORT(V4));

	while (sender->mode != OVER) {
		if (sender->mode == IDLE)
			usleep(1000);
		else
			send_batch(sender->mode == TO_BOB ? to_bob : sink);
	}
}

static bool get_respond(int fd, uint8_t *msg, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, ms) > 0)
		if (recv(fd, msg, 2048, 0) == RESPOND_LEN)
			return true;
	return false;
}

/* One identity after the other: a channel each, if all goes well */
static void identities(void)
{
	int sink = udp_from("10.8.0.1", SINK), to_bob = udp_from("10.8.0.1", PORT(V4));
	uint8_t msg[2048], last[2048] = { }, packet[FRAMES_MAX + 40], ping = PING;
	static struct dial d;

	while (sender->mode != OVER) {
		bool real = sender->mode == TO_BOB;

		if (sender->mode == IDLE) {
			usleep(1000);
			continue;
		}
		dial_make(&d, bob());
		for (int i = 0; i < 4; i++) {
			send(real ? to_bob : sink, d.initiate, INITIATE_LEN, 0);
			if (!real || get_respond(to_bob, msg, 500))
				break;
		}
		sender->sent++;
		/* of an old one: the same work for nothing */
		if (!dial_answered(&d, real ? msg : last) && real)
			continue;
		memcpy(last, msg, RESPOND_LEN);
		send(real ? to_bob : sink, packet, dial_seal(&d, packet, &ping, 1), 0);
		sender->completed += real;
	}
}

static void start(void (*what)(void))
{
	sender = mmap(NULL, sizeof(*sender), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	enter(ALICE);
	sender->pid = fork();
	if (sender->pid)
		return;
	what();
	_exit(0);
}

static void stop(void)
{
	sender->mode = OVER;
	waitpid(sender->pid, NULL, 0);
	munmap(sender, sizeof(*sender));
}

static void *write_all(void *fd)
{
	static const uint8_t data[65536];

	while (!over && send(*(int *)fd, data, sizeof(data), MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static void *read_all(void *fd)
{
	static uint8_t data[65536];
	ssize_t n;

	while ((n = recv(*(int *)fd, data, sizeof(data), 0)) > 0)
		received += n;
	return NULL;
}

/* Bytes a second that the stream gets meanwhile */
static double rate(enum mode mode)
{
	unsigned long long bytes;
	long long begin;

	sender->mode = mode;
	usleep(WINDOW_MS / 4 * 1000);
	begin = now_ms();
	bytes = received;
	usleep(WINDOW_MS * 1000);
	return 1000.0 * (received - bytes) / (now_ms() - begin);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static long slab_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = 0;

	while (fgets(line, sizeof(line), f))
		sscanf(line, "Slab: %ld", &kb);
	fclose(f);
	return kb;
}

/* A new identity of alice's calls the one of bob's that is flooded; ms */
static long long fresh_call(void)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS };
	static int n;
	char name[16];
	long long ms;
	int fd;

	snprintf(name, sizeof(name), "fresh%d", n);
	enter(ALICE);
	addr.sss_eid = add_host(name, 9750 + n++, ~0u);
	add_peer(name, &eids[BOB][V4], "10.9.0.2", PORT(V4));
	fd = stream_socket(ALICE, SOCK_CLOEXEC);
	if (fd < 0 || bind_to(fd, &addr))
		return -1;
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	addr = address(BOB, V4, "flooded", "test 1");
	ms = now_ms();
	if (connect_to(fd, &addr))
		return -1;
	ms = now_ms() - ms;
	close(fd);
	enter(ALICE);
	del_host(name);
	return ms;
}

FIXTURE(flood) {
	int listener, fd[2];
	pthread_t writer, reader;
	long slab;
};

FIXTURE_SETUP(flood)
{
	char channels[16], idle[16];
	int sink;

	shell_in(ALICE, "ip addr replace 10.8.0.1/24 dev wire");
	shell_in(BOB, "ip route replace 10.8.0.0/24 dev wire");
	enter(BOB);
	sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind(sink, (struct sockaddr *)&(struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(SINK) }, sizeof(struct sockaddr_in)));
	setsockopt(sink, SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
	message = malloc(MESSAGES * INITIATE_LEN);
	snprintf(channels, sizeof(channels), "%d", max_channels());
	set_sysctl(BOB, "max_prefix_channels", channels);
	snprintf(idle, sizeof(idle), "%d", idle_ms());
	set_sysctl(BOB, "idle_timeout_ms", idle);
	self->listener = listen_on(V4, "flooded", 64);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, stream_pair(V4, self->fd));
	over = false;
	pthread_create(&self->writer, NULL, write_all, &self->fd[ALICE]);
	pthread_create(&self->reader, NULL, read_all, &self->fd[BOB]);
	ASSERT_TRUE(eventually(PATIENCE, received > 1000000));
	self->slab = slab_kb();
}

FIXTURE_TEARDOWN(flood)
{
	over = true;
	shutdown(self->fd[ALICE], SHUT_RDWR);
	pthread_join(self->writer, NULL);
	shutdown(self->fd[BOB], SHUT_RDWR);
	pthread_join(self->reader, NULL);
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	close(self->listener);
	EXPECT_TRUE(eventually(idle_ms() + PATIENCE, !get_stat(BOB, "Channels")));
}

/* What the stream keeps, in percent; and what is kept of those who flood */
static int keeps(struct __test_metadata *_metadata, unsigned long wanted)
{
	double without[ROUNDS + 1], ratio[ROUNDS * 64];
	unsigned long sent[2] = { };
	int n = 0;

	rate(TO_BOB);
	without[0] = rate(TO_SINK);
	do {
		double with;

		for (int i = 0; i < ROUNDS; i++) {
			sent[0] = sender->sent;
			with = rate(TO_BOB);
			sent[1] += sender->sent - sent[0];
			EXPECT_GE(256 + 8, get_stat(BOB, "HalfOpen"));
			/* one that made room counts until it is freed */
			EXPECT_GE(max_channels() + 2 + FRESH + GOING, get_stat(BOB, "Channels"));
			without[i + 1] = rate(TO_SINK);
			ratio[n++] = 2 * with / (without[i] + without[i + 1]);
		}
		without[0] = without[ROUNDS];
	} while (sender->completed < wanted && n < ROUNDS * 64);
	EXPECT_LE(wanted, sender->completed);
	qsort(ratio, n, sizeof(*ratio), by_size);
	TH_LOG("%.1f Mbit/s, of which %.0f %% are left (%.0f to %.0f) with %lu INITIATEs a second",
	       without[0] / 125e3, 100 * ratio[n / 2], 100 * ratio[0], 100 * ratio[n - 1],
	       1000 * sent[1] / (n * WINDOW_MS * 5 / 4));
	return 100 * ratio[n / 2];
}

/* Half of three: as long as the machine does not stop for seconds twice */
static void serves_others(struct __test_metadata *_metadata)
{
	int late = 0;

	sender->mode = TO_BOB;
	for (int i = 0; i < FRESH; i++) {
		long long ms = fresh_call();

		TH_LOG("a call from elsewhere: %lld ms", ms);
		EXPECT_LE(0, ms);
		late += ms > 3000;
	}
	EXPECT_GE(1, late);
}

static void is_little(struct __test_metadata *_metadata, long before)
{
	long now = slab_kb();

	TH_LOG("slab: %ld kB more", now - before);
	EXPECT_GT(24 * 1024 + CHANNEL_KB * max_channels(), now - before);
}

/* mac1 is wrong: of those who do not even know whom they call */
TEST_F_TIMEOUT(flood, forged, 120)
{
	long long dropped = get_stat(BOB, "HsDropMac1");

	randombytes_buf(message, MESSAGES * INITIATE_LEN);
	for (int i = 0; i < MESSAGES; i++)
		put32(message[i], TYPE_INITIATE << 24);
	start(flood);
	EXPECT_LE(80, keeps(_metadata, 0));
	serves_others(_metadata);
	is_little(_metadata, self->slab);
	EXPECT_LT(dropped, get_stat(BOB, "HsDropMac1"));
	stop();
}

/*
 * All is right but that the index is another one inside: what costs the most to
 * find out.
 */
TEST_F_TIMEOUT(flood, well_formed, 120)
{
	long long cookies = get_stat(BOB, "HsTxCookie");
	static struct dial d;

	for (int i = 0; i < MESSAGES; i++) {
		if (!(i % 32))
			ASSERT_TRUE(dial_make(&d, bob()));
		memcpy(message[i], d.initiate, INITIATE_LEN);
		put32(message[i] + 4, d.local_index + i % 32);
		mac1_write(message[i], INITIATE_LEN, bob());
	}
	start(flood);
	EXPECT_LE(80, keeps(_metadata, 0));
	serves_others(_metadata);
	is_little(_metadata, self->slab);
	EXPECT_LT(cookies, get_stat(BOB, "HsTxCookie"));
	stop();
}

/* Everybody is somebody else, and means it. */
TEST_F_TIMEOUT(flood, identities, 900)
{
	const char *wanted = getenv("IDENTITIES");
	long long confirmed = get_stat(BOB, "HsConfirmed");

	start(identities);
	EXPECT_LE(80, keeps(_metadata, wanted ? atoi(wanted) : 100));
	serves_others(_metadata);
	is_little(_metadata, self->slab);
	TH_LOG("%lu identities", sender->completed);
	EXPECT_LE(confirmed + (long long)sender->completed * 9 / 10,
		  get_stat(BOB, "HsConfirmed"));
	EXPECT_LT(0, get_stat(BOB, "ChannelsEvicted"));
	stop();
}

TEST_HARNESS_MAIN
