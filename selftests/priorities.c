// SPDX-License-Identifier: GPL-2.0
/*
 * Priorities: urgent streams first, shares by weight, one after the other where
 * that is wanted; set by who sends or by who receives, and changed in flight;
 * and users that share, whatever they ask for.
 */
#include <sys/fsuid.h>
#include "kselftest_harness.h"
#include "sock.h"

#define WAIT 15000
#define RATE "rate 6mbit limit 20"	/* the cable is what streams compete for */

static int prefer(int fd, int urgency, int incremental, int weight)
{
	struct sss_priority priority = {
		.urgency = urgency, .incremental = incremental, .weight = weight,
	};

	return setsockopt(fd, SOL_SSS, SSS_PRIORITY, &priority, sizeof(priority));
}

/* As a user without privileges asks for it */
static int prefer_as(uid_t uid, int fd, int urgency)
{
	int err;

	if (seteuid(uid))
		return -1;
	err = prefer(fd, urgency, 1, 16);
	return seteuid(0) ?: err;
}

static int make_pair(uid_t uid, int *near, int *far)
{
	int fd[2], err;

	setfsuid(uid);	/* sockets belong to it */
	err = stream_pair(V4, fd);
	setfsuid(0);
	if (err)
		return err;
	*near = fd[ALICE];
	*far = fd[BOB];
	return setsockopt(*far, SOL_SOCKET, SO_RCVBUF, &(int){ 4 << 20 }, sizeof(int)) ?:
	       setsockopt(*near, SOL_SOCKET, SO_SNDBUF, &(int){ 1 << 20 }, sizeof(int));
}

FIXTURE(priority) {
	int near[3], far[3];
	pid_t writer[3];
};

FIXTURE_VARIANT(priority) {
	bool by_receiver;
};

FIXTURE_VARIANT_ADD(priority, by_sender) { .by_receiver = false };
FIXTURE_VARIANT_ADD(priority, by_receiver) { .by_receiver = true };

FIXTURE_SETUP(priority)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, make_pair(0, &self->near[i], &self->far[i]));
		self->writer[i] = 0;
	}
	/* one packet at a time, so that the queue of the cable is short */
	shell_in(ALICE, "ethtool -K wire tso off gso off tx-udp-segmentation off >/dev/null");
	netem(ALICE, RATE);
}

FIXTURE_TEARDOWN(priority)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (self->writer[i]) {
			kill(self->writer[i], SIGKILL);
			waitpid(self->writer[i], NULL, 0);
		}
		close(self->near[i]);
		close(self->far[i]);
	}
	netem(ALICE, NULL);
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Streams")));
}

/* A program that writes as long as it is let */
static pid_t write_on(int fd)
{
	static char buf[16384];
	pid_t pid = fork();

	if (pid)
		return pid;
	while (send(fd, buf, sizeof(buf), MSG_NOSIGNAL) > 0)
		;
	_exit(0);
}

/* Reads all of them for a while; what came of each */
static void read_all(const int *fd, int n, long long ms, long long *got)
{
	long long end = now_ms() + ms;
	static char buf[65536];
	struct pollfd p[3];
	int i;

	memset(got, 0, n * sizeof(*got));
	while (now_ms() < end) {
		for (i = 0; i < n; i++)
			p[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
		poll(p, n, 20);
		for (i = 0; i < n; i++) {
			ssize_t len = p[i].revents & POLLIN ?
				      recv(fd[i], buf, sizeof(buf), MSG_DONTWAIT) : 0;

			if (len > 0)
				got[i] += len;
		}
	}
}

#define SET(i, ...) prefer(variant->by_receiver ? self->far[i] : self->near[i], __VA_ARGS__)

TEST_F(priority, weights)
{
	long long got[2], skip[2];
	int i;

	ASSERT_EQ(0, SET(0, 3, 1, 48));
	ASSERT_EQ(0, SET(1, 3, 1, 16));
	for (i = 0; i < 2; i++)
		self->writer[i] = write_on(self->near[i]);
	read_all(self->far, 2, 300, skip);
	read_all(self->far, 2, 1500, got);
	ASSERT_LT(400000, got[0] + got[1]);
	EXPECT_LE(70, 100 * got[0] / (got[0] + got[1])) TH_LOG("%lld to %lld", got[0], got[1]);
	EXPECT_GE(80, 100 * got[0] / (got[0] + got[1])) TH_LOG("%lld to %lld", got[0], got[1]);
}

/* SST, figure 9: two share, an urgent third freezes them, and lets them go on. */
TEST_F(priority, urgent_freezes)
{
	long long got[3];
	int i;

	for (i = 0; i < 2; i++)
		self->writer[i] = write_on(self->near[i]);
	read_all(self->far, 3, 400, got);
	EXPECT_LT(got[0] / 2, got[1]);
	EXPECT_LT(got[1] / 2, got[0]);

	ASSERT_EQ(0, SET(2, 0, 1, 16));
	self->writer[2] = write_on(self->near[2]);
	read_all(self->far, 3, 300, got);	/* what was under way already */
	read_all(self->far, 3, 600, got);
	EXPECT_LT(150000, got[2]);
	EXPECT_GT(got[2] / 20, got[0] + got[1]) TH_LOG("%lld, %lld, %lld", got[0], got[1], got[2]);

	/* The swap, in flight: the urgent one becomes the least of all. */
	ASSERT_EQ(0, SET(2, 7, 1, 16));
	read_all(self->far, 3, 300, got);
	read_all(self->far, 3, 600, got);
	EXPECT_LT(150000, got[0] + got[1]);
	EXPECT_GT((got[0] + got[1]) / 20, got[2]) TH_LOG("%lld, %lld, %lld", got[0], got[1], got[2]);
}

/* Streams that are not incremental are complete one after the other. */
TEST_F(priority, one_after_the_other)
{
	long long got[3];
	int i;

	ASSERT_EQ(0, SET(0, 3, 0, 16));
	ASSERT_EQ(0, SET(1, 3, 0, 16));
	for (i = 0; i < 2; i++)
		self->writer[i] = write_on(self->near[i]);
	read_all(self->far, 2, 300, got);
	read_all(self->far, 2, 1000, got);
	/* One has nearly all of it; the other what the first leaves. */
	EXPECT_LT(150000, got[0] + got[1]);
	EXPECT_LT(2 * got[1], got[0]) TH_LOG("%lld to %lld", got[0], got[1]);
	/* But they starve nobody of their level. */
	self->writer[2] = write_on(self->near[2]);
	read_all(self->far, 3, 300, got);
	read_all(self->far, 3, 600, got);
	EXPECT_LT((got[0] + got[1]) / 2, got[2]) TH_LOG("%lld, %lld, %lld", got[0], got[1], got[2]);
}

/* The pair @i of the fixture is another user's from now on. */
#define BELONGS(i, uid) ({						\
	close(self->near[i]);						\
	close(self->far[i]);						\
	make_pair(uid, &self->near[i], &self->far[i]);			\
})

/* Urgent streams of one user do not starve another one. */
TEST_F(priority, users_share)
{
	long long got[3];
	int i;

	ASSERT_EQ(0, BELONGS(0, 1001));
	ASSERT_EQ(0, BELONGS(1, 1002));
	ASSERT_EQ(0, BELONGS(2, 1001));
	for (i = 0; i < 3; i++) {
		int fd = variant->by_receiver ? self->far[i] : self->near[i];

		ASSERT_EQ(0, prefer_as(1001, fd, i ? 7 : 0));
		self->writer[i] = write_on(self->near[i]);
	}
	read_all(self->far, 3, 300, got);
	read_all(self->far, 3, 1500, got);
	ASSERT_LT(400000, got[0] + got[1]);
	EXPECT_LE(45, 100 * got[0] / (got[0] + got[1])) TH_LOG("%lld to %lld", got[0], got[1]);
	EXPECT_GE(55, 100 * got[0] / (got[0] + got[1])) TH_LOG("%lld to %lld", got[0], got[1]);
	EXPECT_GT(got[0] / 20, got[2]) TH_LOG("%lld, %lld", got[0], got[2]);
}

/* Set with CAP_NET_ADMIN, it counts for all of them; for streams under it, too. */
TEST_F(priority, admin_counts)
{
	struct sss_open open = { .kind = SOCK_STREAM };
	long long got[3];
	int i;

	ASSERT_EQ(0, BELONGS(0, 1001));
	ASSERT_EQ(0, BELONGS(1, 1002));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, prefer_as(1001, self->near[i], 2));
		self->writer[i] = write_on(self->near[i]);
	}
	ASSERT_EQ(0, prefer(self->near[2], 1, 1, 16));
	ASSERT_EQ(0, listen(self->far[2], 1));
	i = ioctl(self->near[2], SSS_IOC_OPEN, &open);
	ASSERT_LE(0, i);
	self->writer[2] = write_on(i);
	close(self->near[2]);
	self->near[2] = i;
	i = accept(self->far[2], NULL, NULL);
	ASSERT_LE(0, i);
	close(self->far[2]);
	self->far[2] = i;
	read_all(self->far, 3, 300, got);
	read_all(self->far, 3, 600, got);
	EXPECT_LT(150000, got[2]);
	EXPECT_GT(got[2] / 20, got[0] + got[1]) TH_LOG("%lld, %lld, %lld", got[0], got[1], got[2]);

	ASSERT_EQ(0, prefer(self->near[2], 3, 1, 16));
	read_all(self->far, 3, 300, got);
	read_all(self->far, 3, 600, got);
	EXPECT_LT(150000, got[0] + got[1]);
	EXPECT_GT((got[0] + got[1]) / 20, got[2]) TH_LOG("%lld, %lld, %lld", got[0], got[1], got[2]);

	/* Without the privilege it is one user of three. */
	ASSERT_EQ(0, prefer_as(1001, self->near[2], 7));
	read_all(self->far, 3, 300, got);
	read_all(self->far, 3, 1200, got);
	for (i = 0; i < 3; i++) {
		EXPECT_LE(25, 100 * got[i] / (got[0] + got[1] + got[2])) TH_LOG("%lld", got[i]);
		EXPECT_GE(42, 100 * got[i] / (got[0] + got[1] + got[2])) TH_LOG("%lld", got[i]);
	}
}

/* Who receives has the last word. */
TEST(receiver_counts)
{
	struct sss_priority priority;
	socklen_t len = sizeof(priority);
	struct sss_open open = { .kind = SOCK_STREAM };
	int fd[2], child, other;

	ASSERT_EQ(0, stream_pair(V4, fd));
	ASSERT_EQ(0, getsockopt(fd[ALICE], SOL_SSS, SSS_PRIORITY, &priority, &len));
	EXPECT_EQ(3, priority.urgency);
	EXPECT_EQ(1, priority.incremental);
	EXPECT_EQ(16, priority.weight);
	/* A child begins with it, and the other end sees what it was opened with. */
	ASSERT_EQ(0, prefer(fd[ALICE], 1, 0, 99));
	ASSERT_EQ(0, listen(fd[BOB], 1));
	child = ioctl(fd[ALICE], SSS_IOC_OPEN, &open);
	ASSERT_LE(0, child);
	other = accept(fd[BOB], NULL, NULL);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, getsockopt(other, SOL_SSS, SSS_PRIORITY, &priority, &len));
	EXPECT_EQ(1, priority.urgency);
	EXPECT_EQ(0, priority.incremental);
	EXPECT_EQ(99, priority.weight);
	close(child);
	close(other);

	EXPECT_EQ(-1, prefer(fd[ALICE], 8, 0, 16));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, prefer(fd[ALICE], 3, 2, 16));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, prefer(fd[ALICE], 3, 0, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(fd[ALICE], SOL_SSS, SSS_PRIORITY, &priority, 3));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(fd[ALICE], SOL_SSS, SSS_PRIORITY,
				 &(char[8]){ 3, 1, 16, 0, 0, 0, 0, 1 }, 8));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(0, setsockopt(fd[ALICE], SOL_SSS, SSS_PRIORITY, &(char[8]){ 3, 1, 16 }, 8));
	close(fd[ALICE]);
	close(fd[BOB]);
}

static int is_background(int fd)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SSS, SSS_BACKGROUND, &value, &len) ? -1 : value;
}

static int set_background(int fd, int value)
{
	return setsockopt(fd, SOL_SSS, SSS_BACKGROUND, &value, sizeof(value));
}

/* Who is in the background, and that it is a matter of this end alone */
TEST(background_is_inherited)
{
	struct sss_open open = { .kind = SOCK_STREAM };
	int fd[2], child, other, listener, grandchild;

	ASSERT_EQ(0, stream_pair(V4, fd));
	EXPECT_EQ(0, is_background(fd[ALICE]));
	ASSERT_EQ(0, set_background(fd[ALICE], 7));
	EXPECT_EQ(1, is_background(fd[ALICE]));
	ASSERT_EQ(0, listen(fd[BOB], 1));
	child = ioctl(fd[ALICE], SSS_IOC_OPEN, &open);
	ASSERT_LE(0, child);
	EXPECT_EQ(1, is_background(child));
	other = accept(fd[BOB], NULL, NULL);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, is_background(other));
	ASSERT_EQ(0, set_background(child, 0));
	grandchild = ioctl(child, SSS_IOC_OPEN, &open);
	ASSERT_LE(0, grandchild);
	EXPECT_EQ(0, is_background(grandchild));
	/* data go either way, whatever it is changed to and how often */
	for (int i = 0; i < 20; i++) {
		char c = 0;

		ASSERT_EQ(0, set_background(child, i & 1));
		ASSERT_EQ(0, set_background(other, i & 2));
		ASSERT_EQ(1, send(child, "a", 1, 0));
		ASSERT_EQ(1, recv(other, &c, 1, 0));
		ASSERT_EQ(1, send(other, "b", 1, 0));
		ASSERT_EQ(1, recv(child, &c, 1, 0));
	}
	close(grandchild);
	close(other);
	close(child);
	close(fd[ALICE]);
	close(fd[BOB]);

	listener = listen_on(V4, "background", 1);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, set_background(listener, 1));
	child = dial(V4, "background");
	ASSERT_LE(0, child);
	other = accept(listener, NULL, NULL);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, is_background(child));
	EXPECT_EQ(1, is_background(other));
	EXPECT_EQ(-1, setsockopt(child, SOL_SSS, SSS_BACKGROUND, "x", 1));
	EXPECT_EQ(EINVAL, errno);
	close(other);
	close(child);
	close(listener);
}

TEST_HARNESS_MAIN
