// SPDX-License-Identifier: GPL-2.0
/*
 * Many requests, each on a substream of its own: nothing of them stays, at
 * either end. TCP would keep as many sockets in TIME-WAIT.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define WAIT 30000
#define MANY 10000
#define SETTLED 200	/* of MANY, until caches are as large as they get */

static const char *const gauges[] = {
	"Sockets", "Streams", "TxChunks", "RxSegments", "SentPackets",
};

#define GAUGES (sizeof(gauges) / sizeof(gauges[0]))

struct level {
	long long gauge[2][GAUGES];
	long long kernel_kb;	/* slab that cannot be reclaimed */
};

static long long unreclaimable_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long long kb = -1;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "SUnreclaim: %lld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

static struct level measure(void)
{
	struct level level;

	for (int who = ALICE; who <= BOB; who++)
		for (size_t i = 0; i < GAUGES; i++)
			level.gauge[who][i] = get_stat(who, gauges[i]);
	level.kernel_kb = unreclaimable_kb();
	return level;
}

static bool is_back_at(const struct level *before)
{
	struct level now = measure();

	for (int who = ALICE; who <= BOB; who++)
		for (size_t i = 0; i < GAUGES; i++)
			if (now.gauge[who][i] > before->gauge[who][i])
				return false;
	return true;
}

static void show(const struct level *before)
{
	struct level now = measure();

	for (int who = ALICE; who <= BOB; who++)
		for (size_t i = 0; i < GAUGES; i++)
			printf("# %s of %s: %lld, %lld before\n", gauges[i], who ? "bob" : "alice",
			       now.gauge[who][i], before->gauge[who][i]);
}

/* Returns 0, or the step that went wrong. */
static int transact(int parent, int acceptor, int i)
{
	struct sss_open open = { .kind = SOCK_STREAM, .flags = SOCK_CLOEXEC };
	int there = ioctl(parent, SSS_IOC_OPEN, &open), here;
	unsigned char buf[64];

	if (there < 0)
		return 1;
	set_timeout(there, SO_RCVTIMEO, WAIT);
	if (send_pattern(there, 32, i, 0) != 32)
		return 2;
	here = accept4(acceptor, NULL, NULL, SOCK_CLOEXEC);
	if (here < 0)
		return 3;
	set_timeout(here, SO_RCVTIMEO, WAIT);
	if (recv_pattern(here, 32, i, 0) != 32 || send_pattern(here, 64, i + 1, 0) != 64)
		return 4;
	close(here);
	if (recv_pattern(there, 64, i + 1, 0) != 64 || recv(there, buf, 1, 0))
		return 5;
	close(there);
	return 0;
}

FIXTURE(transactions) {
};

FIXTURE_SETUP(transactions)
{
}

FIXTURE_TEARDOWN(transactions)
{
}

TEST_F_TIMEOUT(transactions, leave_nothing_behind_10000, 280)
{
	struct sss_acceptor acceptor = { .flags = SOCK_CLOEXEC, .backlog = 16 };
	struct level before;
	int fd[2], from, step, i;

	ASSERT_EQ(0, stream_pair(V4, fd));
	from = ioctl(fd[BOB], SSS_IOC_ACCEPTOR, &acceptor);
	ASSERT_LE(0, from);
	set_timeout(from, SO_RCVTIMEO, WAIT);
	/* what the handshake sent is acknowledged */
	ASSERT_TRUE(eventually(WAIT, !get_stat(ALICE, "SentPackets") &&
			       !get_stat(BOB, "SentPackets")));
	before = measure();
	for (i = 0; i < MANY; i++) {
		step = transact(fd[ALICE], from, i);
		ASSERT_EQ(0, step) TH_LOG("transaction %d: %s", i, strerror(errno));
		if (i == SETTLED)
			before.kernel_kb = unreclaimable_kb();
	}
	EXPECT_TRUE(eventually(WAIT, is_back_at(&before)))
		show(&before);
	/* A struct sss_stream alone for each of them would be 5000 KiB. */
	EXPECT_TRUE(eventually(WAIT, unreclaimable_kb() < before.kernel_kb + 3000))
		TH_LOG("%lld KiB before, %lld after", before.kernel_kb, unreclaimable_kb());
	close(from);
	close(fd[ALICE]);
	close(fd[BOB]);
}

TEST_HARNESS_MAIN
