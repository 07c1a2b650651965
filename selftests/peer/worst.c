// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that wants as much of the host's memory as it can get: bytes that
 * never join, on as many streams as there may be, accepted or not, and
 * datagrams that never become whole, and packets that come together with many
 * that are nothing. What it gets stays below what is configured, and others go on.
 */
#include <netinet/in.h>
#include <netinet/udp.h>
#include "kselftest_harness.h"
#include "hosts.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define KB 1024
#define LIMIT (1024 * KB)
#define STREAMS 128
#define GAPS 1200		/* bytes a stream gets, at every other offset */
#define TRAIN 40		/* packets that arrive in one piece of memory */
#define TRAINS 5		/* of them to each stream */

static struct link l;
static long long most;

static void look(void)
{
	long long now = get_stat(BOB, "RxMemory");

	most = now > most ? now : most;
}

/* The packet goes once; what the module says is heard meanwhile. */
static void send_some(const uint8_t *frames, size_t len)
{
	static unsigned int n;

	link_send_once(&l, frames, len);
	while (link_step(&l, 0))
		;
	if (!(++n % 16)) {
		usleep(1000);
		look();
	}
}

/* Streams 0, 2, ... to @service, each opened with a byte */
static bool open_many(const char *service)
{
	for (int i = 0; i < STREAMS; i++) {
		uint8_t buf[256];
		size_t len = put_init(buf, 2 * i, service, "test 1");

		len += put_stream(buf + len, 2 * i, 0, 0, "x", 1);
		if (!link_send(&l, buf, len))
			return false;
	}
	return link_settled(&l, PATIENCE);
}

static void send_gaps(void)
{
	uint8_t buf[FRAMES_MAX];
	size_t len = 0;

	for (int gap = 1; gap <= GAPS; gap++) {
		for (int i = 0; i < STREAMS; i++) {
			len += put_stream(buf + len, 2 * i, 2 * gap, 0, "y", 1);
			if (len + 32 < sizeof(buf))
				continue;
			send_some(buf, len);
			len = 0;
		}
	}
	look();
}

/* Whole windows, in order, but nobody reads */
static void send_windows(void)
{
	static const char data[1000];
	uint8_t buf[FRAMES_MAX];

	for (int at = 0; at + (int)sizeof(data) <= WINDOW_SIZE; at += sizeof(data))
		for (int i = 0; i < STREAMS; i++)
			send_some(buf, put_stream(buf, 2 * i, at, 0, data, sizeof(data)));
	look();
}

/* The first fragment of each of many */
static void send_fragments(void)
{
	static const uint8_t data[1000];
	uint8_t buf[FRAMES_MAX];

	for (int i = 0; i < 4000; i++) {
		size_t len = put_numbers(buf, DATAGRAM, 4, (uint64_t)0, (uint64_t)i,
					 (uint64_t)100000, (uint64_t)0);

		memcpy(buf + len, data, sizeof(data));
		send_some(buf, len + sizeof(data));
	}
	look();
}

/* kB of memory that the machine has left */
static long long available(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long long kb = -1, value;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %lld", &value) == 1)
			kb = value;
	if (f)
		fclose(f);
	return kb;
}

static uint8_t train[TRAIN * PACKET_MAX];

/* Packets that the kernel takes in one piece: the first has data, others PADDING alone */
static void make_train(int stream, uint64_t offset)
{
	static const char data[1000];
	uint8_t frames[FRAMES_MAX];

	for (int i = 0; i < TRAIN; i++) {
		memset(frames, PADDING, sizeof(frames));
		if (!i)
			put_stream(frames, stream, offset, LEN, data, sizeof(data));
		link_seal(&l, train + i * PACKET_MAX, frames, sizeof(frames));
	}
}

static void send_train(void)
{
	int size = PACKET_MAX;

	setsockopt(l.fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	if (send(l.fd, train, sizeof(train), 0) < 0)
		genl_die("a train of packets");
	size = 0;
	setsockopt(l.fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	while (link_step(&l, 0))
		;
}

FIXTURE(worst) {
	int listener;
	int fd[STREAMS];
};

FIXTURE_SETUP(worst)
{
	char limit[32];

	most = 0;
	snprintf(limit, sizeof(limit), "%d", LIMIT);
	set_sysctl(BOB, "max_peer_memory", limit);
	self->listener = listen_on(V4, "worst", STREAMS);
	ASSERT_LE(0, self->listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(open_many("worst"));
}

FIXTURE_TEARDOWN(worst)
{
	int fd[2];

	/* Whoever else comes is served as ever. */
	EXPECT_EQ(0, stream_pair(V6, fd)) TH_LOG("%m");
	EXPECT_EQ(60000, send_pattern(fd[ALICE], 60000, 1, 0));
	EXPECT_EQ(60000, recv_pattern(fd[BOB], 60000, 1, 0));
	close(fd[0]);
	close(fd[1]);
	EXPECT_EQ(-1, l.close_code);
	hang_up(&l);
	close(self->listener);
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(BOB, "RxMemory")));
	set_sysctl(BOB, "max_peer_memory", "536870912");
}

TEST_F_TIMEOUT(worst, unaccepted, 100)
{
	send_gaps();
	send_windows();
	send_fragments();
	TH_LOG("%lld kB of %d kB", most / KB, LIMIT / KB);
	EXPECT_LT(LIMIT / 2, most);
	/* and of each stream its last packet */
	EXPECT_GT(LIMIT + STREAMS * 4 * KB, most);
}

TEST_F_TIMEOUT(worst, accepted, 100)
{
	for (int i = 0; i < STREAMS; i++) {
		self->fd[i] = accept(self->listener, NULL, NULL);
		ASSERT_LE(0, self->fd[i]);
	}
	send_gaps();
	send_windows();
	send_fragments();
	TH_LOG("%lld kB of %d kB", most / KB, LIMIT / KB);
	EXPECT_LT(LIMIT / 2, most);
	/* and of each stream 16 KiB and the last packet */
	EXPECT_GT(LIMIT + STREAMS * 20 * KB, most);
	for (int i = 0; i < STREAMS; i++)
		close(self->fd[i]);
}

/* Of each train a packet is kept, and so would be the memory of all. */
TEST_F_TIMEOUT(worst, trains, 100)
{
	long long before = available(), gone = 0;

	for (int at = 0; at < TRAINS; at++) {
		for (int i = 0; i < STREAMS; i++) {
			make_train(2 * i, 1000 * at);
			send_train();
			if (!(i % 16))
				look();
		}
	}
	/* everything that came would be 30 MB; some may still wait to be decrypted */
	EXPECT_TRUE(eventually(PATIENCE, (gone = before - available()) < 12 * KB));
	TH_LOG("%lld kB of %d kB; %lld kB of memory are gone", most / KB, LIMIT / KB, gone);
	EXPECT_LT(LIMIT / 2, most);
	EXPECT_GT(LIMIT + STREAMS * 4 * KB, most);
}

/*
 * What waits to be decrypted is bounded, too: here trains come faster than that is done,
 * and nothing in them authenticates. A channel alone may have 16 MiB of it.
 */
TEST_F_TIMEOUT(worst, not_decrypted, 100)
{
	long long before = get_stat(BOB, "RxDropBacklog"), now;

	set_sysctl(BOB, "max_memory", "65536");
	make_train(0, 1);
	for (int i = 0; i < TRAIN; i++)
		train[(i + 1) * PACKET_MAX - 1] ^= 1;
	for (int i = 0; i < 200 && get_stat(BOB, "RxDropBacklog") == before; i++) {
		for (int j = 0; j < 10; j++)
			send_train();
		now = get_stat(BOB, "RxQueued");
		most = now > most ? now : most;
	}
	EXPECT_LT(before, get_stat(BOB, "RxDropBacklog"));
	EXPECT_GT(4 * sizeof(train) + 65536, most);
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(BOB, "RxQueued")));
	set_sysctl(BOB, "max_memory", "1073741824");
}

TEST_HARNESS_MAIN
