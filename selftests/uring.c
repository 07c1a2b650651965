// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets in io_uring: an acceptor that gives substreams for as long as it is
 * asked to, requests and replies on them, connect() with what follows it, and
 * an accept that is called off.
 */
#include <liburing.h>
#include "kselftest_harness.h"
#include "sock.h"

#define CHILDREN 100
#define WAIT { .tv_sec = PATIENCE / 1000 }

enum what { ACCEPT, RECV, SEND, CLOSE, CONNECT, CANCEL };

static struct io_uring_sqe *ask(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (sqe)
		return sqe;
	io_uring_submit(ring);
	return io_uring_get_sqe(ring);
}

/* A request is known by what it is, and on which descriptor. */
static void tag(struct io_uring_sqe *sqe, enum what what, int fd)
{
	sqe->user_data = (uint64_t)what << 32 | (unsigned int)fd;
}

/* The next completion; 0, or a negative errno: -ETIME after too long */
static int complete(struct io_uring *ring, struct io_uring_cqe *out)
{
	struct __kernel_timespec patience = WAIT;
	struct io_uring_cqe *cqe;
	int err;

	io_uring_submit(ring);
	err = io_uring_wait_cqe_timeout(ring, &cqe, &patience);
	if (err)
		return err;
	*out = *cqe;
	io_uring_cqe_seen(ring, cqe);
	return 0;
}

FIXTURE(uring) {
	struct io_uring ring;
	int fd[2];
	int acceptor;
};

FIXTURE_SETUP(uring)
{
	struct sss_acceptor acceptor = { .flags = SOCK_CLOEXEC, .backlog = 16 };

	ASSERT_EQ(0, io_uring_queue_init(64, &self->ring, 0));
	ASSERT_EQ(0, stream_pair(V4, self->fd));
	self->acceptor = ioctl(self->fd[BOB], SSS_IOC_ACCEPTOR, &acceptor);
	ASSERT_LE(0, self->acceptor);
}

FIXTURE_TEARDOWN(uring)
{
	io_uring_queue_exit(&self->ring);
	close(self->acceptor);
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(BOB, "Streams") && !get_stat(ALICE, "Streams")));
}

static char words[65536][8];

/* What follows a completion on @fd */
static void go_on(struct io_uring *ring, enum what done, int fd, int res)
{
	struct io_uring_sqe *sqe = ask(ring);

	switch (done) {
	case ACCEPT:
		io_uring_prep_recv(sqe, fd, words[fd], sizeof(words[fd]), MSG_WAITALL);
		tag(sqe, RECV, fd);
		break;
	case RECV:
		io_uring_prep_send(sqe, fd, words[fd], res, MSG_NOSIGNAL);
		tag(sqe, SEND, fd);
		break;
	default:
		io_uring_prep_close(sqe, fd);
		tag(sqe, CLOSE, fd);
	}
}

/* A server that is nothing but completions: what came goes back, then the end. */
static int serve(struct io_uring *ring, int acceptor, int times)
{
	struct io_uring_sqe *sqe = ask(ring);
	struct io_uring_cqe cqe;
	int err;

	io_uring_prep_multishot_accept(sqe, acceptor, NULL, NULL, SOCK_CLOEXEC);
	tag(sqe, ACCEPT, 0);
	while (times) {
		enum what done;

		err = complete(ring, &cqe);
		if (err || cqe.res < 0)
			return err ?: cqe.res;
		done = cqe.user_data >> 32;
		if (done == ACCEPT && !(cqe.flags & IORING_CQE_F_MORE))
			return -ESTALE;
		if (done == CLOSE)
			times--;
		else
			go_on(ring, done, done == ACCEPT ? cqe.res : (int)cqe.user_data, cqe.res);
	}
	return 0;
}

TEST_F(uring, acceptor)
{
	struct sss_open open = { .kind = SOCK_STREAM, .flags = SOCK_CLOEXEC };
	int child[CHILDREN], i, n;
	char word[9], back[9];

	for (i = 0; i < CHILDREN; i++) {
		child[i] = ioctl(self->fd[ALICE], SSS_IOC_OPEN, &open);
		ASSERT_LE(0, child[i]);
		set_timeout(child[i], SO_RCVTIMEO, PATIENCE);
		snprintf(word, sizeof(word), "no. %04d", i);
		ASSERT_EQ(8, send(child[i], word, 8, MSG_NOSIGNAL));
	}
	ASSERT_EQ(0, serve(&self->ring, self->acceptor, CHILDREN));
	for (i = 0; i < CHILDREN; i++) {
		snprintf(word, sizeof(word), "no. %04d", i);
		n = recv(child[i], back, 8, MSG_WAITALL);
		EXPECT_EQ(8, n) TH_LOG("%d: %s", i, strerror(errno));
		EXPECT_EQ(0, memcmp(word, back, 8));
		EXPECT_EQ(0, recv(child[i], back, 1, 0));
		close(child[i]);
	}
}

/* connect(), and a request that goes when it is done */
TEST_F(uring, connect)
{
	struct sockaddr_sss addr = address(BOB, V4, "uring", "test 1");
	int listener = listen_on(V4, "uring", 4), fd = caller(V4, 0), end;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe cqe;
	char back[4];

	ASSERT_LE(0, listener);
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_connect(sqe, fd, (struct sockaddr *)&addr, sizeof(addr));
	sqe->flags |= IOSQE_IO_LINK;
	sqe->user_data = CONNECT;
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_send(sqe, fd, "ping", 4, 0);
	sqe->user_data = SEND;
	ASSERT_EQ(0, complete(&self->ring, &cqe));
	EXPECT_EQ(CONNECT, cqe.user_data);
	EXPECT_EQ(0, cqe.res) TH_LOG("%s", strerror(-cqe.res));
	ASSERT_EQ(0, complete(&self->ring, &cqe));
	EXPECT_EQ(SEND, cqe.user_data);
	EXPECT_EQ(4, cqe.res);
	end = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_LE(0, end);
	EXPECT_EQ(4, recv(end, back, 4, MSG_WAITALL));

	/* Nobody listens: the errno is that of connect(), and what follows does not go. */
	close(fd);
	fd = caller(V4, 0);
	strcpy(addr.sss_service, "nobody");
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_connect(sqe, fd, (struct sockaddr *)&addr, sizeof(addr));
	sqe->user_data = CONNECT;
	ASSERT_EQ(0, complete(&self->ring, &cqe));
	EXPECT_EQ(-ECONNREFUSED, cqe.res);
	close(fd);
	close(end);
	close(listener);
}

TEST_F(uring, accept_called_off)
{
	struct sss_open open = { .kind = SOCK_STREAM };
	struct io_uring_sqe *sqe;
	struct io_uring_cqe cqe;
	int child, end, i;

	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_accept(sqe, self->acceptor, NULL, NULL, 0);
	sqe->user_data = ACCEPT;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_cancel64(sqe, ACCEPT, 0);
	sqe->user_data = CANCEL;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, complete(&self->ring, &cqe));
		EXPECT_EQ(cqe.user_data == ACCEPT ? -ECANCELED : 0, cqe.res);
	}
	/* It took nothing with it. */
	child = ioctl(self->fd[ALICE], SSS_IOC_OPEN, &open);
	ASSERT_LE(0, child);
	ASSERT_EQ(1, send(child, "x", 1, 0));
	EXPECT_EQ(POLLIN, polled(self->acceptor, POLLIN, PATIENCE));
	end = accept(self->acceptor, NULL, NULL);
	EXPECT_LE(0, end);
	close(child);
	close(end);
}

TEST_HARNESS_MAIN
