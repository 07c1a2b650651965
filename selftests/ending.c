// SPDX-License-Identifier: GPL-2.0
/*
 * Every way in which a stream ends: one half, both, a reset with code and
 * reason, of a whole subtree, a killed process, a parent before its children.
 */
#include "kselftest_harness.h"
#include "sock.h"
#include "errqueue.h"

#define CODE_MAX ((1ULL << 62) - 1)
#define CHILDREN 1000

FIXTURE(ending) {
	int fd[2];
};

FIXTURE_VARIANT(ending) {
	int one, other;
};

/* Both who connected and who accepted may end it. */
FIXTURE_VARIANT_ADD(ending, caller) { .one = ALICE, .other = BOB };
FIXTURE_VARIANT_ADD(ending, callee) { .one = BOB, .other = ALICE };

FIXTURE_SETUP(ending)
{
	ASSERT_EQ(0, stream_pair(V4, self->fd));
	set_timeout(self->fd[BOB], SO_RCVTIMEO, PATIENCE);
	set_timeout(self->fd[BOB], SO_SNDTIMEO, PATIENCE);
}

FIXTURE_TEARDOWN(ending)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	netem(ALICE, NULL);
	netem(BOB, NULL);
	EXPECT_TRUE(all_gone());
}

#define NEAR self->fd[variant->one]
#define FAR self->fd[variant->other]

TEST_F(ending, half_close)
{
	char c;
	int i;

	ASSERT_EQ(5000, send_pattern(NEAR, 5000, 1, 0));
	ASSERT_EQ(0, shutdown(NEAR, SHUT_WR));
	EXPECT_EQ(-1, send(NEAR, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(5000, recv_pattern(FAR, 6000, 1, 0));
	EXPECT_EQ(0, recv(FAR, &c, 1, 0));
	EXPECT_EQ(POLLRDHUP, polled(FAR, POLLRDHUP | POLLHUP, 0));
	/* The other half goes on as long as it likes. */
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(30000, send_pattern(FAR, 30000, 2, 30000 * i));
		EXPECT_EQ(30000, recv_pattern(NEAR, 30000, 2, 30000 * i));
	}
	EXPECT_EQ(0, polled(NEAR, POLLIN | POLLHUP | POLLPRI, 0));
}

TEST_F(ending, full_close)
{
	ASSERT_EQ(5000, send_pattern(NEAR, 5000, 1, 0));
	ASSERT_EQ(7000, send_pattern(FAR, 7000, 2, 0));
	ASSERT_EQ(0, shutdown(NEAR, SHUT_WR));
	ASSERT_EQ(0, shutdown(FAR, SHUT_WR));
	EXPECT_EQ(5000, recv_pattern(FAR, 6000, 1, 0));
	EXPECT_EQ(7000, recv_pattern(NEAR, 8000, 2, 0));
	EXPECT_EQ(POLLHUP, polled(NEAR, POLLHUP, PATIENCE));
	EXPECT_EQ(POLLHUP, polled(FAR, POLLHUP, PATIENCE));
	EXPECT_EQ(0, so_error(NEAR));
	EXPECT_EQ(0, so_error(FAR));
	/* Over on both sides, though both still have their descriptor. */
	EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, "Streams") == 1 &&
					 get_stat(BOB, "Streams") == 1));
	EXPECT_FALSE(polled(NEAR, POLLPRI, 0) & POLLPRI);
	EXPECT_EQ(-1, reset_stream(NEAR, 1, "", 0));
	EXPECT_EQ(ENOTCONN, errno);
}

/* What came in order can be read; then the error, once; code and reason stay. */
TEST_F(ending, reset_with_code_and_reason)
{
	struct sss_status status;
	char c;

	ASSERT_EQ(3000, send_pattern(NEAR, 3000, 1, 0));
	ASSERT_TRUE(eventually(PATIENCE, ({
		int n = 0;

		ioctl(FAR, FIONREAD, &n);
		n == 3000;
	})));
	ASSERT_EQ(0, reset_stream(NEAR, CODE_MAX, "sold out: żółw", 0));
	EXPECT_EQ(-1, send(NEAR, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, recv(NEAR, &c, 1, 0));
	EXPECT_EQ(0, so_error(NEAR));
	EXPECT_EQ(POLLHUP, polled(NEAR, POLLHUP | POLLERR, 0));

	EXPECT_EQ(POLLERR | POLLHUP, polled(FAR, POLLHUP, PATIENCE));
	EXPECT_EQ(3000, recv_pattern(FAR, 3000, 1, 0));
	EXPECT_EQ(-1, recv(FAR, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-1, send(FAR, "x", 1, MSG_NOSIGNAL));
	status = get_status(FAR);
	EXPECT_TRUE(status.flags & SSS_STATUS_RESET);
	EXPECT_EQ(CODE_MAX, status.reset_code);
	EXPECT_STREQ("sold out: żółw", status.text);
	EXPECT_FALSE(get_status(NEAR).flags & SSS_STATUS_RESET);
}

/* The longest reason, under loss. */
TEST_F(ending, long_reason)
{
	char reason[SSS_DESC_MAX + 1];
	struct sss_status status;

	memset(reason, 'r', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = 0;
	netem(ALICE, "loss 30%");
	netem(BOB, "loss 30%");
	ASSERT_EQ(0, reset_stream(NEAR, 1ULL << 61, reason, 0));
	EXPECT_TRUE(polled(FAR, POLLHUP, PATIENCE) & POLLHUP);
	status = get_status(FAR);
	EXPECT_EQ(1ULL << 61, status.reset_code);
	EXPECT_STREQ(reason, status.text);
	EXPECT_EQ(ECONNRESET, so_error(FAR));
}

/* Where all was sent and acknowledged only the wish to read no more can tell. */
TEST_F(ending, reset_after_half_close)
{
	ASSERT_EQ(100, send_pattern(NEAR, 100, 1, 0));
	ASSERT_EQ(0, shutdown(NEAR, SHUT_WR));
	EXPECT_EQ(100, recv_pattern(FAR, 200, 1, 0));
	ASSERT_TRUE(eventually(PATIENCE, ({
		struct sss_info info;
		socklen_t len = sizeof(info);

		getsockopt(NEAR, SOL_SSS, SSS_INFO, &info, &len);
		info.state == 5;	/* TCP_FIN_WAIT2 */
	})));
	ASSERT_EQ(0, reset_stream(NEAR, 77, "lost on the way", 0));
	EXPECT_TRUE(polled(FAR, POLLHUP, PATIENCE) & POLLHUP);
	EXPECT_EQ(-1, send(FAR, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(77, get_status(FAR).reset_code);
}

TEST_F(ending, both_reset)
{
	ASSERT_EQ(0, reset_stream(NEAR, 5, "near", 0));
	/* unless the first one was there before */
	if (reset_stream(FAR, 6, "far", 0))
		EXPECT_EQ(ENOTCONN, errno);
	EXPECT_TRUE(polled(NEAR, POLLHUP, PATIENCE) & POLLHUP);
	EXPECT_TRUE(polled(FAR, POLLHUP, PATIENCE) & POLLHUP);
}

TEST_F(ending, bad_arguments)
{
	struct sss_reset reset = { .code = CODE_MAX + 1 };
	int fresh = stream_socket(ALICE, 0), listener = listen_on(V4, "unused", 1);

	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_RESET, &reset));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, reset_stream(NEAR, 1, "", 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, reset_stream(NEAR, 1, "\xff\xfe", 0));
	EXPECT_EQ(EINVAL, errno);
	reset.code = 1;
	reset.reserved = 1;
	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_RESET, &reset));
	EXPECT_EQ(EINVAL, errno);
	reset.reserved = 0;
	memset(reset.reason, 'x', sizeof(reset.reason));
	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_RESET, &reset));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_RESET, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, reset_stream(fresh, 1, "", 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, reset_stream(listener, 1, "", 0));
	EXPECT_EQ(ENOTCONN, errno);
	/* Nothing happened. */
	EXPECT_EQ(10, send_pattern(NEAR, 10, 1, 0));
	EXPECT_EQ(10, recv_pattern(FAR, 10, 1, 0));
	close(fresh);
	close(listener);
}

/* A family: @near[i] and @far[i]; two on the parent, a chain below the first. */
#define MEMBERS 5

static bool make_family(int parent, int other, int *near, int *far)
{
	int up[MEMBERS] = { -1, 0, 1, 2, -1 };

	for (int i = 0; i < MEMBERS; i++) {
		int on = up[i] < 0 ? parent : near[up[i]];
		int at = up[i] < 0 ? other : far[up[i]];

		near[i] = open_on(on);
		if (near[i] < 0 || listen(at, 4) || send_pattern(near[i], 100, i, 0) != 100)
			return false;
		far[i] = take(at);
		if (far[i] < 0 || recv_pattern(far[i], 100, i, 0) != 100)
			return false;
	}
	return true;
}

static void close_family(int *near, int *far)
{
	for (int i = 0; i < MEMBERS; i++) {
		close(near[i]);
		close(far[i]);
	}
}

TEST_F(ending, subtree)
{
	int near[MEMBERS], far[MEMBERS], unaccepted, unheard, i;
	struct sss_status status;

	ASSERT_TRUE(make_family(NEAR, FAR, near, far));
	/* One that waits at us, and one that may not have arrived yet */
	unaccepted = open_on(far[2]);
	ASSERT_LE(0, unaccepted);
	ASSERT_EQ(0, listen(near[2], 4));
	ASSERT_EQ(10, send_pattern(unaccepted, 10, 1, 0));
	EXPECT_EQ(POLLRDBAND, polled(near[2], POLLRDBAND, PATIENCE));
	unheard = open_on(far[3]);
	ASSERT_EQ(0, reset_stream(near[0], 4711, "all of you", SSS_RESET_SUBTREE));
	for (i = 0; i < 4; i++) {
		EXPECT_TRUE(polled(far[i], POLLHUP, PATIENCE) & POLLHUP) TH_LOG("%d", i);
		EXPECT_EQ(ECONNRESET, so_error(far[i])) TH_LOG("%d", i);
		status = get_status(far[i]);
		EXPECT_EQ(4711, status.reset_code) TH_LOG("%d", i);
		EXPECT_STREQ("all of you", status.text) TH_LOG("%d", i);
		EXPECT_TRUE(polled(near[i], POLLHUP, PATIENCE) & POLLHUP) TH_LOG("%d", i);
		EXPECT_EQ(i ? ECONNABORTED : 0, so_error(near[i])) TH_LOG("%d", i);
	}
	EXPECT_TRUE(polled(unaccepted, POLLHUP, PATIENCE) & POLLHUP);
	EXPECT_EQ(ECONNRESET, so_error(unaccepted));
	EXPECT_TRUE(polled(unheard, POLLHUP, PATIENCE) & POLLHUP);
	EXPECT_EQ(ECONNRESET, so_error(unheard));
	/* Sister and parent are not of that subtree. */
	EXPECT_EQ(100, send_pattern(far[4], 100, 9, 0));
	EXPECT_EQ(100, recv_pattern(near[4], 100, 9, 0));
	EXPECT_EQ(100, send_pattern(NEAR, 100, 9, 0));
	EXPECT_EQ(100, recv_pattern(FAR, 100, 9, 0));
	close(unaccepted);
	close(unheard);
	close_family(near, far);
}

/* Without the flag the children live on. */
TEST_F(ending, reset_without_subtree)
{
	int near[MEMBERS], far[MEMBERS], i;

	ASSERT_TRUE(make_family(NEAR, FAR, near, far));
	ASSERT_EQ(0, reset_stream(NEAR, 1, "only me", 0));
	EXPECT_TRUE(polled(FAR, POLLHUP, PATIENCE) & POLLHUP);
	for (i = 0; i < MEMBERS; i++) {
		EXPECT_EQ(100, send_pattern(near[i], 100, 9, 0));
		EXPECT_EQ(100, recv_pattern(far[i], 100, 9, 0));
	}
	close_family(near, far);
}

/* Children that could not be opened yet, for want of credit, go too. */
TEST_F(ending, subtree_without_credit)
{
	int child[20], i;

	for (i = 0; i < 20; i++) {
		child[i] = open_on(NEAR);
		ASSERT_LE(0, child[i]);
		ASSERT_EQ(10, send_pattern(child[i], 10, i, 0));
	}
	ASSERT_EQ(0, reset_stream(NEAR, 3, "", SSS_RESET_SUBTREE));
	for (i = 0; i < 20; i++) {
		EXPECT_TRUE(polled(child[i], POLLHUP, PATIENCE) & POLLHUP) TH_LOG("%d", i);
		EXPECT_EQ(ECONNABORTED, so_error(child[i])) TH_LOG("%d", i);
		close(child[i]);
	}
	EXPECT_TRUE(polled(FAR, POLLHUP, PATIENCE) & POLLHUP);
}

TEST_F(ending, parent_closed_before_child)
{
	int near[MEMBERS], far[MEMBERS], i;

	ASSERT_TRUE(make_family(NEAR, FAR, near, far));
	close(NEAR);
	NEAR = -1;
	EXPECT_EQ(0, recv_pattern(FAR, 1, 0, 0));
	close(FAR);
	FAR = -1;
	for (i = 0; i < MEMBERS; i++) {
		EXPECT_EQ(5000, send_pattern(near[i], 5000, i, 0));
		EXPECT_EQ(5000, recv_pattern(far[i], 5000, i, 0));
		EXPECT_EQ(500, send_pattern(far[i], 500, i, 0));
		EXPECT_EQ(500, recv_pattern(near[i], 500, i, 0));
	}
	close_family(near, far);
}

static void raise_limit(void)
{
	struct rlimit limit = { 4096, 4096 };

	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Says so through @ready, then waits for its death. */
static pid_t doomed(int parent, size_t n, int ready)
{
	pid_t pid = fork();
	size_t i;
	int fd;

	if (pid)
		return pid;
	for (i = 0; i < n; i++) {
		fd = open_on(parent);
		if (fd < 0 || send_pattern(fd, 200, i, 0) != 200)
			_exit(1);
	}
	if (send_pattern(parent, 50000, 1, 0) != 50000 || write(ready, "x", 1) != 1)
		_exit(2);
	for (;;)
		pause();
}

static void kill_it(int pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* What a killed process had sent arrives, and then the end. */
TEST_F(ending, killed)
{
	int ready[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = doomed(NEAR, 0, ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	close(NEAR);
	NEAR = -1;
	kill_it(pid);
	EXPECT_EQ(50000, recv_pattern(FAR, 60000, 1, 0));
	EXPECT_EQ(0, recv(FAR, &c, 1, 0));
	close(ready[0]);
	close(ready[1]);
}

/* A parent and 1,000 children on it, held by a process that is killed */
TEST_F(ending, killed_with_children)
{
	unsigned int seen[CHILDREN] = { };
	static int child[CHILDREN];
	unsigned char buf[300];
	int ready[2], i, n;
	pid_t pid;
	char c;

	raise_limit();
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, listen(FAR, 2 * CHILDREN));
	pid = doomed(NEAR, CHILDREN, ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	for (i = 0; i < CHILDREN; i++) {
		child[i] = take(FAR);
		ASSERT_LE(0, child[i]) TH_LOG("%d: %s", i, strerror(errno));
	}
	close(NEAR);
	NEAR = -1;
	kill_it(pid);
	for (i = 0; i < CHILDREN; i++) {
		n = recv(child[i], buf, sizeof(buf), MSG_WAITALL);
		EXPECT_EQ(200, n) TH_LOG("%d: %s", i, strerror(errno));
		for (n = 0; n < CHILDREN && !is_pattern(buf, 200, n, 0); n++)
			;
		ASSERT_GT(CHILDREN, n);
		seen[n]++;
		close(child[i]);
	}
	for (i = 0; i < CHILDREN; i++)
		EXPECT_EQ(1, seen[i]);
	EXPECT_EQ(50000, recv_pattern(FAR, 60000, 1, 0));
	close(ready[0]);
	close(ready[1]);
}

/* The same, but nobody has accepted a child. */
TEST_F(ending, killed_with_unaccepted_children)
{
	int ready[2];
	pid_t pid;
	char c;

	raise_limit();
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, listen(FAR, 2 * CHILDREN));
	pid = doomed(NEAR, CHILDREN, ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	close(NEAR);
	NEAR = -1;
	kill_it(pid);
	EXPECT_EQ(50000, recv_pattern(FAR, 60000, 1, 0));
	close(FAR);
	FAR = -1;
	close(ready[0]);
	close(ready[1]);
}

TEST_HARNESS_MAIN
