// SPDX-License-Identifier: GPL-2.0
/*
 * Substreams: opened on a stream without waiting, accepted by who holds its
 * other end, to any depth; and nothing is left behind when they are over.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define WAIT 15000

static int open_on(int fd)
{
	struct sss_open open = { .kind = SOCK_STREAM, .flags = SOCK_CLOEXEC };
	int child = ioctl(fd, SSS_IOC_OPEN, &open);

	if (child >= 0) {
		set_timeout(child, SO_RCVTIMEO, WAIT);
		set_timeout(child, SO_SNDTIMEO, WAIT);
	}
	return child;
}

static int acceptor_of(int fd, int flags)
{
	struct sss_acceptor acceptor = { .flags = SOCK_CLOEXEC | flags, .backlog = 16 };

	return ioctl(fd, SSS_IOC_ACCEPTOR, &acceptor);
}

static int take(int fd)
{
	int child;

	set_timeout(fd, SO_RCVTIMEO, WAIT);
	child = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (child >= 0)
		set_timeout(child, SO_RCVTIMEO, WAIT);
	return child;
}

/* Do both ends carry data, and which are they? */
static bool is_same(int one, int other, unsigned int seed)
{
	return send_pattern(one, 1000, seed, 0) == 1000 &&
	       recv_pattern(other, 1000, seed, 0) == 1000 &&
	       send_pattern(other, 3000, seed + 1, 0) == 3000 &&
	       recv_pattern(one, 3000, seed + 1, 0) == 3000;
}

static bool all_gone(void)
{
	return eventually(WAIT, !get_stat(ALICE, "Streams") && !get_stat(BOB, "Streams")) &&
	       eventually(WAIT, !get_stat(ALICE, "Sockets") && !get_stat(BOB, "Sockets"));
}

FIXTURE(substream) {
	int fd[2];
};

FIXTURE_VARIANT(substream) {
	int opener, acceptor;
};

/* Both who connected and who accepted may open. */
FIXTURE_VARIANT_ADD(substream, caller) { .opener = ALICE, .acceptor = BOB };
FIXTURE_VARIANT_ADD(substream, callee) { .opener = BOB, .acceptor = ALICE };

FIXTURE_SETUP(substream)
{
	ASSERT_EQ(0, stream_pair(V4, self->fd));
}

FIXTURE_TEARDOWN(substream)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	netem(ALICE, NULL);
	netem(BOB, NULL);
	EXPECT_TRUE(all_gone());
}

#define NEAR self->fd[variant->opener]
#define FAR self->fd[variant->acceptor]

TEST_F(substream, opens_at_once)
{
	struct sockaddr_sss mine, theirs;
	socklen_t len = sizeof(mine);
	int child, other;

	ASSERT_EQ(0, listen(FAR, 4));
	EXPECT_EQ(0, polled(FAR, POLLRDBAND, 0));
	child = open_on(NEAR);
	ASSERT_LE(0, child);
	EXPECT_EQ(POLLOUT, polled(child, POLLIN | POLLOUT | POLLERR | POLLHUP, 0));
	EXPECT_EQ(POLLRDBAND, polled(FAR, POLLRDBAND, WAIT));
	other = take(FAR);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, polled(FAR, POLLRDBAND, 0));
	EXPECT_TRUE(is_same(child, other, 1));
	/* The parent is not disturbed. */
	EXPECT_TRUE(is_same(NEAR, FAR, 7));

	ASSERT_EQ(0, getpeername(child, (struct sockaddr *)&theirs, &len));
	ASSERT_EQ(0, getsockname(other, (struct sockaddr *)&mine, &len));
	EXPECT_EQ(0, memcmp(&theirs.sss_eid, &eids[variant->acceptor][V4], sizeof(theirs.sss_eid)));
	EXPECT_EQ(0, memcmp(&mine.sss_eid, &theirs.sss_eid, sizeof(mine.sss_eid)));
	len = sizeof(mine);
	ASSERT_EQ(0, getpeername(NEAR, (struct sockaddr *)&mine, &len));
	EXPECT_EQ(0, memcmp(&mine, &theirs, sizeof(mine)));
	close(child);
	EXPECT_EQ(0, recv_pattern(other, 1, 0, 0));
	close(other);
}

/* The opener says nothing, the acceptor speaks first. */
TEST_F(substream, silent_opener)
{
	int child, other;

	ASSERT_EQ(0, listen(FAR, 1));
	child = open_on(NEAR);
	ASSERT_LE(0, child);
	other = take(FAR);
	ASSERT_LE(0, other);
	EXPECT_EQ(500, send_pattern(other, 500, 1, 0));
	EXPECT_EQ(500, recv_pattern(child, 500, 1, 0));
	close(other);
	close(child);
}

TEST_F(substream, any_depth)
{
	int near[40], far[40], i;

	near[0] = NEAR;
	far[0] = FAR;
	/* All open before the other end has heard of any. */
	for (i = 1; i < 40; i++) {
		near[i] = open_on(near[i - 1]);
		ASSERT_LE(0, near[i]);
		ASSERT_EQ(100, send_pattern(near[i], 100, i, 0));
	}
	for (i = 1; i < 40; i++) {
		ASSERT_EQ(0, listen(far[i - 1], 1));
		far[i] = take(far[i - 1]);
		ASSERT_LE(0, far[i]) TH_LOG("level %d: %s", i, strerror(errno));
		EXPECT_EQ(100, recv_pattern(far[i], 100, i, 0));
	}
	EXPECT_TRUE(is_same(near[39], far[39], 99));
	for (i = 1; i < 40; i++) {
		close(near[i]);
		close(far[i]);
	}
}

/* A deep chain that nobody ever accepts goes without a trace. */
TEST_F(substream, deep_and_given_up)
{
	int near[200], i;

	near[0] = open_on(NEAR);
	ASSERT_LE(0, near[0]);
	for (i = 1; i < 200; i++) {
		near[i] = open_on(near[i - 1]);
		ASSERT_LE(0, near[i]);
		ASSERT_EQ(10, send_pattern(near[i], 10, i, 0));
	}
	close(near[0]);
	for (i = 199; i > 0; i--)
		close(near[i]);
	ASSERT_EQ(0, shutdown(NEAR, SHUT_RDWR));
	close(FAR);
	FAR = -1;
}

/* Only the holder of the parent's other end gets the child. */
TEST_F(substream, of_this_parent)
{
	int fd[2], child, other, second, second_other;

	ASSERT_EQ(0, stream_pair(V4, fd));
	ASSERT_EQ(0, listen(FAR, 4));
	ASSERT_EQ(0, listen(fd[variant->acceptor], 4));
	child = open_on(NEAR);
	second = open_on(fd[variant->opener]);
	second_other = take(fd[variant->acceptor]);
	other = take(FAR);
	ASSERT_LE(0, other);
	ASSERT_LE(0, second_other);
	EXPECT_TRUE(is_same(child, other, 1));
	EXPECT_TRUE(is_same(second, second_other, 3));
	set_nonblock(FAR, true);
	EXPECT_EQ(-1, accept(FAR, NULL, NULL));
	EXPECT_EQ(EAGAIN, errno);
	close(child);
	close(other);
	close(second);
	close(second_other);
	close(fd[ALICE]);
	close(fd[BOB]);
}

TEST_F(substream, outlives_parent)
{
	int child, other;

	ASSERT_EQ(0, listen(FAR, 4));
	child = open_on(NEAR);
	ASSERT_LE(0, child);
	other = take(FAR);
	ASSERT_LE(0, other);
	close(NEAR);
	EXPECT_EQ(0, recv_pattern(FAR, 1, 0, 0));
	close(FAR);
	NEAR = FAR = -1;
	EXPECT_TRUE(is_same(child, other, 1));
	close(child);
	close(other);
}

/* Who closes without taking them refuses them. */
TEST_F(substream, refused_with_the_parent)
{
	int child[20], i;
	char c;

	for (i = 0; i < 20; i++) {
		child[i] = open_on(NEAR);
		ASSERT_LE(0, child[i]);
		ASSERT_EQ(100, send_pattern(child[i], 100, i, 0));
	}
	if (variant->opener == ALICE)
		ASSERT_EQ(0, listen(FAR, 20));
	close(FAR);
	FAR = -1;
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(-1, recv(child[i], &c, 1, 0));
		EXPECT_EQ(ECONNRESET, errno) TH_LOG("child %d: %s", i, strerror(errno));
	}
	for (i = 0; i < 20; i++)
		close(child[i]);
}

/* Without credit the child and its data wait here, bounded. */
TEST_F(substream, waits_for_credit)
{
	int child[30], other[30], i, n;
	bool seen[30] = { };
	char c;

	for (i = 0; i < 30; i++) {
		child[i] = open_on(NEAR);
		ASSERT_LE(0, child[i]);
		c = i;
		ASSERT_EQ(1, send(child[i], &c, 1, 0));
		ASSERT_EQ(20000, send_pattern(child[i], 20000, i, 0));
	}
	/* What is not known there has no id yet. */
	EXPECT_TRUE(eventually(WAIT, get_stat(variant->acceptor, "Streams") == 1 + 8));
	EXPECT_LT(0, fill_up(child[29], 29, 20000));
	EXPECT_EQ(0, polled(child[29], POLLOUT, 0));
	EXPECT_EQ(1 + 8, get_stat(variant->acceptor, "Streams"));
	ASSERT_EQ(0, listen(FAR, 16));
	for (i = 0; i < 30; i++) {
		other[i] = take(FAR);
		ASSERT_LE(0, other[i]) TH_LOG("%d: %s", i, strerror(errno));
		ASSERT_EQ(1, recv(other[i], &c, 1, 0));
		n = c;
		ASSERT_LT(n, 30);
		EXPECT_FALSE(seen[n]);
		seen[n] = true;
		EXPECT_EQ(20000, recv_pattern(other[i], 20000, n, 0));
	}
	for (i = 0; i < 30; i++) {
		close(child[i]);
		close(other[i]);
	}
}

TEST_F(substream, inherits_listening)
{
	int on = 1, one, two, near[2];

	ASSERT_EQ(0, setsockopt(FAR, SOL_SSS, SSS_LISTEN_INHERIT, &on, sizeof(on)));
	ASSERT_EQ(0, listen(FAR, 4));
	near[0] = open_on(NEAR);
	near[1] = open_on(near[0]);
	one = take(FAR);
	ASSERT_LE(0, one);
	two = take(one);
	ASSERT_LE(0, two);
	EXPECT_TRUE(is_same(near[1], two, 1));
	close(one);
	close(two);
	close(near[0]);
	close(near[1]);
}

TEST_F(substream, acceptor)
{
	struct epoll_event event = { .events = EPOLLIN };
	int child[5], other, acceptor, ep, i;

	acceptor = acceptor_of(FAR, SOCK_NONBLOCK);
	ASSERT_LE(0, acceptor);
	EXPECT_EQ(-1, acceptor_of(FAR, 0));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, accept(FAR, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, listen(FAR, 1));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, accept(acceptor, NULL, NULL));
	EXPECT_EQ(EAGAIN, errno);
	ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, acceptor, &event));
	for (i = 0; i < 5; i++) {
		child[i] = open_on(NEAR);
		ASSERT_LE(0, child[i]);
		ASSERT_EQ(1, epoll_wait(ep, &event, 1, WAIT));
		EXPECT_EQ(EPOLLIN, event.events);
		other = accept4(acceptor, NULL, NULL, SOCK_CLOEXEC);
		ASSERT_LE(0, other);
		set_timeout(other, SO_RCVTIMEO, WAIT);
		EXPECT_TRUE(is_same(child[i], other, i));
		close(other);
		close(child[i]);
	}
	/* Without the acceptor the stream can listen again. */
	close(acceptor);
	EXPECT_EQ(0, listen(FAR, 1));
	/* and with it, who waits hears of the end. */
	acceptor = acceptor_of(FAR, 0);
	ASSERT_LE(0, acceptor);
	close(NEAR);
	close(FAR);
	NEAR = FAR = -1;
	EXPECT_EQ(POLLIN | POLLHUP, polled(acceptor, POLLIN, WAIT));
	EXPECT_EQ(-1, accept(acceptor, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	close(acceptor);
	close(ep);
}

/* A second listen() changes how many may wait, of an acceptor as well. */
TEST_F(substream, acceptor_backlog)
{
	struct sss_acceptor small = { .flags = SOCK_CLOEXEC, .backlog = 8 };
	int acceptor = ioctl(FAR, SSS_IOC_ACCEPTOR, &small), child[24], i;

	ASSERT_LE(0, acceptor);
	for (i = 0; i < 24; i++) {
		child[i] = open_on(NEAR);
		ASSERT_LE(0, child[i]);
		ASSERT_EQ(1, send(child[i], "x", 1, 0));
	}
	EXPECT_TRUE(eventually(WAIT, get_stat(variant->acceptor, "Streams") == 1 + 8));
	ASSERT_EQ(0, listen(acceptor, 16)) TH_LOG("%m");
	EXPECT_TRUE(eventually(WAIT, get_stat(variant->acceptor, "Streams") == 1 + 16))
		TH_LOG("%lld", get_stat(variant->acceptor, "Streams"));
	for (i = 0; i < 24; i++)
		close(child[i]);
	close(acceptor);
}

/* The control message on a child passes what is queued on its parent. */
TEST_F(substream, out_of_band)
{
	int child, other;
	ssize_t queued;
	char c = 'x';

	netem(ALICE, "loss 5% delay 5ms");
	netem(BOB, "loss 5% delay 5ms");
	ASSERT_EQ(0, listen(FAR, 1));
	queued = fill_up(NEAR, 1, 0);
	ASSERT_LT(0, queued);
	child = open_on(NEAR);
	ASSERT_LE(0, child);
	ASSERT_EQ(1, send(child, &c, 1, 0));
	other = take(FAR);
	ASSERT_LE(0, other);
	EXPECT_EQ(1, recv(other, &c, 1, 0));
	EXPECT_EQ(queued, recv_pattern(FAR, queued, 1, 0));
	close(child);
	close(other);
}

/* A peer that opens, writes and never accepts costs no more than its credit. */
TEST_F(substream, request_and_reply)
{
	int i, child, other, rounds = 300;
	long long chunks;

	ASSERT_EQ(0, listen(FAR, 8));
	for (i = 0; i < rounds; i++) {
		child = open_on(NEAR);
		ASSERT_LE(0, child);
		ASSERT_EQ(200, send_pattern(child, 200, i, 0));
		ASSERT_EQ(0, shutdown(child, SHUT_WR));
		other = take(FAR);
		ASSERT_LE(0, other);
		ASSERT_EQ(200, recv_pattern(other, 300, i, 0));
		ASSERT_EQ(900, send_pattern(other, 900, i, 5));
		close(other);
		ASSERT_EQ(900, recv_pattern(child, 1000, i, 5));
		close(child);
	}
	/* No TIME-WAIT, nothing: on either side there is the parent alone. */
	EXPECT_TRUE(eventually(WAIT, get_stat(ALICE, "Streams") == 1 && get_stat(BOB, "Streams") == 1));
	EXPECT_TRUE(eventually(WAIT, get_stat(ALICE, "Sockets") == 1));
	chunks = get_stat(ALICE, "TxChunks") + get_stat(BOB, "TxChunks") +
		 get_stat(ALICE, "RxSegments") + get_stat(BOB, "RxSegments");
	EXPECT_TRUE(eventually(WAIT, !(chunks = get_stat(ALICE, "TxChunks") + get_stat(BOB, "TxChunks") +
				       get_stat(ALICE, "RxSegments") + get_stat(BOB, "RxSegments"))))
		TH_LOG("%lld left", chunks);
}

TEST_F(substream, bad_arguments)
{
	struct sss_open open = { .kind = SOCK_STREAM };
	struct sss_acceptor acceptor = { };
	int fresh = stream_socket(ALICE, 0);

	EXPECT_EQ(-1, ioctl(fresh, SSS_IOC_OPEN, &open));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, ioctl(fresh, SSS_IOC_ACCEPTOR, &acceptor));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_OPEN, NULL));
	EXPECT_EQ(EFAULT, errno);
	open.flags = 1;
	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_OPEN, &open));
	EXPECT_EQ(EINVAL, errno);
	open.flags = 0;
	open.reserved[5] = 1;
	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_OPEN, &open));
	EXPECT_EQ(EINVAL, errno);
	open.reserved[5] = 0;
	open.kind = SOCK_RAW;
	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_OPEN, &open));
	EXPECT_EQ(ESOCKTNOSUPPORT, errno);
	acceptor.reserved[1] = 1;
	EXPECT_EQ(-1, ioctl(NEAR, SSS_IOC_ACCEPTOR, &acceptor));
	EXPECT_EQ(EINVAL, errno);
	close(fresh);
}

/* An acceptor that ended is nothing any more: no listener for names, no caller. */
TEST_F(substream, acceptor_is_no_socket)
{
	int listener = listen_on(V4, "as an acceptor", 1), fd[2], acceptor;
	struct sockaddr_sss addr = address(BOB, V4, "as an acceptor", "test 1");
	long long services;

	ASSERT_LE(0, listener);
	fd[ALICE] = dial(V4, "as an acceptor");
	fd[BOB] = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd[BOB]);
	close(listener);
	services = get_stat(BOB, "Services");
	acceptor = acceptor_of(fd[BOB], 0);
	ASSERT_LE(0, acceptor);
	ASSERT_EQ(0, shutdown(acceptor, SHUT_RDWR));
	EXPECT_EQ(-1, listen(acceptor, 5));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, bind_to(acceptor, &addr));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, connect_to(acceptor, &addr));
	EXPECT_EQ(EISCONN, errno);
	EXPECT_EQ(services, get_stat(BOB, "Services"));
	close(acceptor);
	acceptor = caller(V4, 0);
	EXPECT_EQ(-1, connect_to(acceptor, &addr));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(acceptor);
	close(fd[ALICE]);
	close(fd[BOB]);
}

/* It looked connected, listened for children, and then connect() failed after all. */
TEST_F(substream, listened_before_it_failed)
{
	int listener = listen_on(V4, "soon gone", 1), fd, child;
	struct sockaddr_sss addr = address(BOB, V4, "soon gone", "test 1");
	struct sockaddr_sss mine = address(ALICE, V4, "of the caller", "test 1");
	struct linger hard = { 1, 0 };

	ASSERT_LE(0, listener);
	fd = stream_socket(ALICE, SOCK_NONBLOCK);
	ASSERT_EQ(0, bind_to(fd, &mine));
	EXPECT_EQ(-1, connect_to(fd, &addr));
	EXPECT_EQ(EINPROGRESS, errno);
	child = accept(listener, NULL, NULL);
	ASSERT_LE(0, child);
	EXPECT_TRUE(polled(fd, POLLOUT, WAIT) & POLLOUT);
	EXPECT_EQ(0, listen(fd, 3));
	setsockopt(child, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(child);
	close(listener);
	EXPECT_TRUE(polled(fd, POLLIN, WAIT) & POLLIN);
	while (connect_to(fd, &addr) && errno != ECONNREFUSED)
		ASSERT_TRUE(errno == EALREADY || errno == ECONNRESET || errno == EINPROGRESS ||
			    errno == EPIPE) TH_LOG("%s", strerror(errno));
	/* Its own names now: what it had for children is not in the way. */
	close(fd);
}

/* The far end closed the parent, had never a child of it, and we do not know yet. */
TEST_F(substream, too_late_for_the_parent)
{
	int child[3], i;
	char c;

	netem(variant->acceptor, "delay 300ms");
	close(FAR);
	FAR = -1;
	for (i = 0; i < 3; i++) {
		/* of it, of what is refused, and again */
		child[i] = open_on(i ? child[i - 1] : NEAR);
		ASSERT_LE(0, child[i]);
		send_pattern(child[i], 20000, i, 0);
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-1, recv(child[i], &c, 1, 0));
		EXPECT_TRUE(errno == ECONNRESET || errno == ECONNABORTED)
			TH_LOG("child %d: %s", i, strerror(errno));
		close(child[i]);
	}
}

/* Its holder goes first, then the acceptor: nobody is left for who waits. */
TEST_F(substream, acceptor_goes_last)
{
	int acceptor = acceptor_of(FAR, 0), child;
	char c;

	ASSERT_LE(0, acceptor);
	child = open_on(NEAR);
	ASSERT_LE(0, child);
	EXPECT_LT(0, fill_up(child, 1, 0));
	ASSERT_TRUE(polled(acceptor, POLLIN, WAIT) & POLLIN);
	close(FAR);
	FAR = -1;
	EXPECT_TRUE(polled(acceptor, POLLIN, 0) & POLLIN);
	close(acceptor);
	EXPECT_EQ(-1, recv(child, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno) TH_LOG("%s", strerror(errno));
	close(child);
}

/*
 * A packet has room for so many frames, and the INIT of a stream brings those of
 * its ancestors along: trees of any shape whose packets are all full.
 */
TEST_F(substream, full_packets)
{
	struct sss_priority priority = { .urgency = 7, .incremental = 1, .weight = 16 };
	int child[60], i, round;
	pid_t writer, reader;
	char buf[4096];

	ASSERT_EQ(0, listen(FAR, 4096));
	ASSERT_EQ(0, setsockopt(NEAR, SOL_SSS, SSS_PRIORITY, &priority, sizeof(priority)));
	/* less urgent than all below, which waits for packets all the same */
	netem(variant->opener, "delay 20ms rate 1mbit limit 20");
	writer = fork();
	if (!writer) {
		for (;;)
			send_pattern(NEAR, 16384, 1, 0);
	}
	reader = fork();
	if (!reader) {
		for (;;)
			recv(FAR, buf, sizeof(buf), 0);
	}
	priority.urgency = 3;
	srand(1);
	for (round = 0; round < 8; round++) {
		for (i = 0; i < 60; i++) {
			child[i] = open_on(i && rand() % 3 ? child[rand() % i] : NEAR);
			ASSERT_LE(0, child[i]);
			setsockopt(child[i], SOL_SSS, SSS_PRIORITY, &priority, sizeof(priority));
			if (rand() % 4)
				ASSERT_EQ(1, send(child[i], "x", 1, 0));
		}
		EXPECT_TRUE(eventually(WAIT, get_stat(variant->acceptor, "Streams") > 1 + 20));
		for (i = 0; i < 60; i++)
			close(child[i]);
	}
	kill(writer, SIGKILL);
	kill(reader, SIGKILL);
	waitpid(writer, NULL, 0);
	waitpid(reader, NULL, 0);
	netem(variant->opener, NULL);
}

/* Everything goes at once, with children waiting everywhere. */
TEST_F(substream, killed)
{
	int status, i;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		for (i = 0; i < 1000; i++)
			if (send_pattern(open_on(NEAR), 1000, i, 0) != 1000)
				break;
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFSIGNALED(status));
	close(NEAR);
	close(FAR);
	NEAR = FAR = -1;
}

TEST_HARNESS_MAIN
