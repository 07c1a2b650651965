// SPDX-License-Identifier: GPL-2.0
/*
 * What peers that send and never read, or make us never read, can make a host
 * keep: bounded per peer, per prefix and per namespace; and all of it goes on
 * as soon as somebody reads.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define KB 1024
#define MB (KB * KB)
#define STREAMS 48
#define LEAST (16 * KB)		/* rmem[0]: taken of each stream, come what may */
#define SLACK (LEAST + 4 * 64 * KB)	/* and the last packet; of one stream above the limit */

static unsigned char out[4 * MB], in[4 * MB];

static void set_limits(const char *peer, const char *prefix, const char *all)
{
	set_sysctl(BOB, "max_peer_memory", peer);
	set_sysctl(BOB, "max_prefix_memory", prefix);
	set_sysctl(BOB, "max_memory", all);
}

FIXTURE(memory) {
	int fd[STREAMS + 1][2];
	ssize_t sent[STREAMS + 1];
	int n;
};

FIXTURE_SETUP(memory)
{
	self->n = 0;
	EXPECT_EQ(0, get_stat(BOB, "RxMemory"));
}

FIXTURE_TEARDOWN(memory)
{
	set_limits("536870912", "536870912", "1073741824");
	for (int i = 0; i < self->n; i++) {
		close(self->fd[i][ALICE]);
		close(self->fd[i][BOB]);
	}
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(BOB, "RxMemory") && !get_stat(ALICE, "RxMemory")));
}

/* No more comes, for so long that what was lost would have been sent again */
static long long settled(const char *name)
{
	long long value = get_stat(BOB, name), since = now_ms(), now;

	while (now_ms() < since + 700) {
		usleep(20000);
		now = get_stat(BOB, name);
		if (now != value)
			since = now_ms();
		value = now;
	}
	return value;
}

#define open_streams(family, count) do {						\
	for (int i_ = 0; i_ < (count); i_++) {						\
		ASSERT_EQ(0, stream_pair(family, self->fd[self->n])) TH_LOG("%m");	\
		self->n++;								\
	}										\
} while (0)

/* Writes to each in turn until none takes more. */
static void write_all(FIXTURE_DATA(memory) *self)
{
	bool any = true;
	int i;

	for (i = 0; i < self->n; i++) {
		self->sent[i] = 0;
		set_nonblock(self->fd[i][ALICE], true);
	}
	while (any) {
		any = false;
		for (i = 0; i < self->n; i++) {
			ssize_t n = send_pattern(self->fd[i][ALICE], 64 * KB, i, self->sent[i]);

			if (n <= 0)
				continue;
			self->sent[i] += n;
			any = true;
		}
		if (!any && !settled("RxMemory"))
			break;
		for (i = 0; !any && i < self->n; i++)
			any = polled(self->fd[i][ALICE], POLLOUT, 0) & POLLOUT;
	}
	for (i = 0; i < self->n; i++)
		set_nonblock(self->fd[i][ALICE], false);
}

/* Reads what is there, to the end of what was written; false: it is not that. */
static bool read_some(int fd, unsigned int seed, ssize_t *at, ssize_t end)
{
	ssize_t n = recv(fd, in, end - *at < (ssize_t)sizeof(in) ? end - *at : (ssize_t)sizeof(in),
			 MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0 || !is_pattern(in, n, seed, *at))
		return false;
	*at += n;
	return true;
}

/* All of what was written comes, as it was written, to who reads it all */
static int wrong(FIXTURE_DATA(memory) *self)
{
	long long until = now_ms() + PATIENCE;
	ssize_t at[STREAMS + 1] = { };
	int i, bad = 0, left;

	do {
		left = 0;
		for (i = 0; i < self->n; i++) {
			if (at[i] == self->sent[i])
				continue;
			bad += !read_some(self->fd[i][BOB], i, &at[i], self->sent[i]);
			left++;
		}
		usleep(1000);
	} while (left && !bad && now_ms() < until);
	return bad + left;
}

/* Accepted streams that nobody reads: the peer's limit holds, whoever it is. */
TEST_F(memory, of_a_peer)
{
	long long held, over = get_stat(BOB, "RxOverMemory");

	set_limits("1048576", "536870912", "1073741824");
	open_streams(V4, STREAMS);
	write_all(self);
	held = settled("RxMemory");
	EXPECT_LT(MB / 2, held);
	EXPECT_GT(MB + STREAMS * SLACK / 8, held);
	EXPECT_LT(over, get_stat(BOB, "RxOverMemory"));
	TH_LOG("%lld kB held of %d kB allowed", held / KB, MB / KB);

	/* Another peer goes on undisturbed meanwhile. */
	open_streams(V6, 1);
	EXPECT_EQ(64 * KB, send_pattern(self->fd[STREAMS][ALICE], 64 * KB, STREAMS, 0));
	self->sent[STREAMS] = 64 * KB;
	EXPECT_TRUE(eventually(PATIENCE, polled(self->fd[STREAMS][BOB], POLLIN, 0)));
	EXPECT_EQ(0, wrong(self));
	EXPECT_GT(STREAMS * KB, get_stat(BOB, "RxMemory"));
}

/* What many identities hold together: of one prefix, and in all */
TEST_F(memory, of_strangers)
{
	open_streams(V4, 8);
	open_streams(V6, 8);
	set_limits("536870912", "65536", "1073741824");
	write_all(self);
	EXPECT_GT(2 * 64 * KB + 16 * SLACK, settled("RxMemory"));
	EXPECT_EQ(0, wrong(self));

	set_limits("536870912", "536870912", "65536");
	write_all(self);
	EXPECT_GT(64 * KB + 16 * SLACK, settled("RxMemory"));
	EXPECT_EQ(0, wrong(self));
}

/* Bob learns of an identity of alice's before it calls. */
static void make_known(struct sss_eid saved[2])
{
	for (int who = ALICE; who <= BOB; who++) {
		saved[who] = eids[who][V4];
		enter(who);
		eids[who][V4] = add_host("known", 9700, ~0u);
	}
	add_peer("known", &eids[ALICE][V4], "10.9.0.1", 9700);
	enter(ALICE);
	add_peer("known", &eids[BOB][V4], "10.9.0.2", 9700);
}

/* Who was configured is bounded as a peer only. */
TEST_F(memory, of_a_configured_peer)
{
	struct sss_eid saved[2];

	set_limits("4194304", "65536", "65536");
	make_known(saved);
	open_streams(V4, 16);
	write_all(self);
	EXPECT_LT(MB, settled("RxMemory"));
	EXPECT_EQ(0, wrong(self));
	for (int who = ALICE; who <= BOB; who++) {
		enter(who);
		del_host("known");
		eids[who][V4] = saved[who];
	}
}

/* A record longer than the limit, and others behind it */
TEST_F(memory, long_records)
{
	struct sss_open open = { .kind = SOCK_DGRAM, .flags = SOCK_CLOEXEC };
	int fd[2], one = 1, i, status;

	set_limits("262144", "536870912", "1073741824");
	open_streams(V4, 1);
	for (i = 0; i < 2; i++) {
		fd[i] = ioctl(self->fd[0][i], SSS_IOC_OPEN, &open);
		ASSERT_LE(0, fd[i]);
		set_timeout(fd[i], SO_RCVTIMEO, PATIENCE);
		set_timeout(fd[i], SO_SNDTIMEO, PATIENCE);
	}
	EXPECT_EQ(0, setsockopt(fd[ALICE], SOL_SSS, SSS_RELIABLE, &one, sizeof(one)));
	if (!fork()) {
		for (i = 0; i < 6; i++) {
			fill(out, MB, i, 0);
			out[0] = i;
			if (send(fd[ALICE], out, MB, 0) != MB)
				_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(MB, recv(fd[BOB], in, sizeof(in), 0)) TH_LOG("%d: %m", i);
		EXPECT_TRUE(in[0] < 6 && is_pattern(in + 1, MB - 1, in[0], 1));
	}
	wait(&status);
	EXPECT_EQ(0, status);
	close(fd[0]);
	close(fd[1]);
}

TEST_HARNESS_MAIN
