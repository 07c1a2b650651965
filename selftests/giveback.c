// SPDX-License-Identifier: GPL-2.0
/*
 * Data given back: after a reset by either end, a refusal or a timeout, all
 * from the first byte not acknowledged, with its offset, is there for another
 * stream.
 */
#include "kselftest_harness.h"
#include "sock.h"
#include "errqueue.h"
#include <sodium.h>

#define TOTAL 1000000

static void set_sndbuf(int fd, int bytes)
{
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
}

static struct sss_info get_info(int fd)
{
	struct sss_info info = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SSS, SSS_INFO, &info, &len);
	return info;
}

/* All that is given back, into @buf from *@offset on; bytes, -1: out of order */
static ssize_t take_back(int fd, unsigned char *buf, size_t room, uint64_t *offset)
{
	struct sss_cm_event event;
	size_t got = 0;
	ssize_t n;

	*offset = ~0ULL;
	if (!(polled(fd, POLLPRI, PATIENCE) & POLLPRI))
		return -1;
	while ((n = get_event(fd, &event, buf + got, room - got < 70001 ? room - got : 70001)) >= 0) {
		if (event.type != SSS_EV_UNDELIVERED)
			continue;
		if (*offset == ~0ULL)
			*offset = event.offset;
		if (event.offset != *offset + got || event.bytes != (uint64_t)n || (!n && event.left))
			return -1;
		got += n;
	}
	return errno == EAGAIN ? (ssize_t)got : -1;
}

FIXTURE(giveback) {
	int fd[2];
};

FIXTURE_VARIANT(giveback) {
	int one, other;
};

FIXTURE_VARIANT_ADD(giveback, caller) { .one = ALICE, .other = BOB };
FIXTURE_VARIANT_ADD(giveback, callee) { .one = BOB, .other = ALICE };

FIXTURE_SETUP(giveback)
{
	ASSERT_EQ(0, stream_pair(V4, self->fd));
}

FIXTURE_TEARDOWN(giveback)
{
	netem(ALICE, NULL);
	netem(BOB, NULL);
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	EXPECT_TRUE(all_gone());
	EXPECT_EQ(0, get_stat(ALICE, "TxChunks"));
	EXPECT_EQ(0, get_stat(BOB, "TxChunks"));
}

#define NEAR self->fd[variant->one]
#define FAR self->fd[variant->other]

/* What the other end can read, to the reset */
static size_t read_prefix(int fd, unsigned char *buf, size_t room)
{
	size_t got = 0;
	ssize_t n;

	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	while ((n = recv(fd, buf + got, room - got, 0)) > 0)
		got += n;
	return got;
}

/*
 * The article's promise: a stream is given up, and what was not delivered goes
 * on over another, to another endpoint. The receiver has some of it already.
 */
TEST_F(giveback, goes_on_over_a_second_endpoint)
{
	static unsigned char data[TOTAL], back[TOTAL], whole[2 * TOTAL];
	unsigned char want[crypto_hash_sha256_BYTES], hash[crypto_hash_sha256_BYTES];
	int second[2];
	uint64_t offset;
	size_t prefix, more;
	ssize_t n;

	fill(data, TOTAL, 11, 0);
	crypto_hash_sha256(want, data, TOTAL);
	set_sndbuf(NEAR, 2 * TOTAL);
	netem(ALICE, "loss 10%");
	netem(BOB, "loss 30%");
	ASSERT_EQ(TOTAL, send(NEAR, data, TOTAL, 0));
	ASSERT_EQ(30000, recv(FAR, whole, 30000, MSG_WAITALL));
	ASSERT_EQ(0, reset_stream(NEAR, 1, "another way", 0));
	n = take_back(NEAR, back, TOTAL, &offset);
	ASSERT_LT(0, n);
	EXPECT_EQ(TOTAL, offset + n);
	EXPECT_EQ(0, memcmp(back, data + offset, n));
	EXPECT_FALSE(polled(NEAR, POLLPRI, 0) & POLLPRI);
	netem(ALICE, NULL);
	netem(BOB, NULL);
	prefix = 30000 + read_prefix(FAR, whole + 30000, TOTAL);
	EXPECT_EQ(ECONNRESET, errno);
	/* No gap: what was acknowledged has been read, or could be. */
	ASSERT_LE(offset, prefix);

	ASSERT_EQ(0, stream_pair(V6, second));
	set_timeout(second[variant->other], SO_RCVTIMEO, PATIENCE);
	ASSERT_EQ(sizeof(offset), send(second[variant->one], &offset, sizeof(offset), 0));
	set_sndbuf(second[variant->one], 2 * TOTAL);
	ASSERT_EQ(n, send(second[variant->one], back, n, 0));
	close(second[variant->one]);

	ASSERT_EQ(sizeof(offset), recv(second[variant->other], &offset, sizeof(offset), MSG_WAITALL));
	more = read_prefix(second[variant->other], whole + offset, TOTAL);
	close(second[variant->other]);
	EXPECT_EQ(TOTAL, offset + more);
	crypto_hash_sha256(hash, whole, TOTAL);
	EXPECT_EQ(0, memcmp(want, hash, sizeof(hash)));
}

/* The peer reads some and resets. */
TEST_F(giveback, reset_by_the_peer)
{
	static unsigned char back[TOTAL];
	struct sss_status status;
	unsigned char first[1000];
	uint64_t offset;
	ssize_t n;

	set_sndbuf(NEAR, 2 * TOTAL);
	ASSERT_EQ(500000, send_pattern(NEAR, 500000, 3, 0));
	ASSERT_EQ(1000, recv(FAR, first, 1000, MSG_WAITALL));
	ASSERT_EQ(0, reset_stream(FAR, 99, "enough", 0));
	n = take_back(NEAR, back, TOTAL, &offset);
	ASSERT_LT(0, n) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(500000, offset + n);
	EXPECT_TRUE(is_pattern(back, n, 3, offset));
	status = get_status(NEAR);
	EXPECT_EQ(99, status.reset_code);
	EXPECT_EQ(ECONNRESET, so_error(NEAR));
	/* Who reset had written nothing. */
	EXPECT_FALSE(polled(FAR, POLLPRI, 0) & POLLPRI);
}

/* Data that went with a request that is refused */
TEST_F(giveback, refused)
{
	struct sockaddr_sss addr = address(BOB, V4, "nobody here", "test 1");
	unsigned char back[5000];
	struct sss_cm_event event;
	uint64_t offset;
	int fd = caller(V4, 0), on = 1;

	ASSERT_EQ(0, setsockopt(fd, SOL_SSS, SSS_FASTOPEN, &on, sizeof(on)));
	ASSERT_EQ(0, watch_events(fd, 1 << SSS_EV_ERROR));
	/* The answer is not to come before the data. */
	netem(BOB, "delay 200ms");
	ASSERT_EQ(0, connect_to(fd, &addr));
	ASSERT_EQ(4000, send_pattern(fd, 4000, 5, 0));
	ASSERT_TRUE(await_event(fd, SSS_EV_ERROR, &event));
	EXPECT_EQ(ECONNREFUSED, event.error);
	EXPECT_STREQ("no such service", event.text);
	EXPECT_EQ(4000, take_back(fd, back, sizeof(back), &offset));
	EXPECT_EQ(0, offset);
	EXPECT_TRUE(is_pattern(back, 4000, 5, 0));
	EXPECT_EQ(SSS_SERVICE_UNKNOWN, get_status(fd).status);
	close(fd);
}

TEST_F(giveback, timed_out)
{
	static unsigned char back[70000];
	unsigned int ms = 300;
	uint64_t offset;

	netem(ALICE, "loss 100%");
	netem(BOB, "loss 100%");
	ASSERT_EQ(0, setsockopt(NEAR, SOL_SSS, SSS_USER_TIMEOUT, &ms, sizeof(ms)));
	ASSERT_EQ(20000, send_pattern(NEAR, 20000, 6, 0));
	EXPECT_EQ(20000, take_back(NEAR, back, sizeof(back), &offset));
	EXPECT_EQ(0, offset);
	EXPECT_TRUE(is_pattern(back, 20000, 6, 0));
	EXPECT_EQ(ETIMEDOUT, so_error(NEAR));
}

/* A child that was never let go, for want of credit */
TEST_F(giveback, never_opened)
{
	unsigned char back[100];
	int child[12], i;
	uint64_t offset;

	for (i = 0; i < 12; i++) {
		child[i] = open_on(NEAR);
		ASSERT_LE(0, child[i]);
		ASSERT_EQ(100, send_pattern(child[i], 100, i, 0));
	}
	ASSERT_EQ(0, reset_stream(NEAR, 1, "", SSS_RESET_SUBTREE));
	EXPECT_EQ(100, take_back(child[11], back, sizeof(back), &offset));
	EXPECT_EQ(0, offset);
	EXPECT_TRUE(is_pattern(back, 100, 11, 0));
	for (i = 0; i < 12; i++)
		close(child[i]);
}

/* In parts of any size; a call that fails takes nothing. */
TEST_F(giveback, in_parts)
{
	struct sss_cm_event event;
	unsigned char buf[777];
	char control[64];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t at = 0;
	ssize_t n;

	netem(ALICE, "loss 100%");
	netem(BOB, "loss 100%");
	ASSERT_EQ(20000, send_pattern(NEAR, 20000, 7, 0));
	EXPECT_EQ(-1, get_event(NEAR, &event, buf, sizeof(buf)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, polled(NEAR, POLLPRI, 0));
	ASSERT_EQ(0, reset_stream(NEAR, 1, "", 0));
	EXPECT_EQ(POLLPRI | POLLHUP, polled(NEAR, POLLPRI, 0));
	EXPECT_EQ(-1, recvmsg(NEAR, &msg, MSG_ERRQUEUE));
	EXPECT_EQ(EMSGSIZE, errno);
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	EXPECT_EQ(-1, recvmsg(NEAR, &msg, MSG_ERRQUEUE));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(-1, get_event(NEAR, &event, (void *)1, 100));
	EXPECT_EQ(EFAULT, errno);
	/* How much is it? */
	EXPECT_EQ(0, get_event(NEAR, &event, NULL, 0));
	EXPECT_EQ(SSS_EV_UNDELIVERED, event.type);
	EXPECT_EQ(20000, event.left);
	while ((n = get_event(NEAR, &event, buf, sizeof(buf))) > 0) {
		EXPECT_EQ(at, event.offset);
		EXPECT_EQ(20000 - at - n, event.left);
		EXPECT_TRUE(is_pattern(buf, n, 7, at));
		at += n;
	}
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(20000, at);
	EXPECT_EQ(POLLHUP, polled(NEAR, POLLPRI, 0));
}

/* Records come back as records, empty ones too, and with places of bytes. */
TEST_F(giveback, records)
{
	static const struct {
		const char *text;
		bool ends;
	} parts[] = { { "one", true }, { "", true }, { "three", true }, { "rest", false } };
	struct sss_cm_event event;
	uint64_t at = 0;
	char buf[20];
	size_t i, len;

	netem(ALICE, "loss 100%");
	netem(BOB, "loss 100%");
	for (i = 0; i < 4; i++)
		ASSERT_EQ((ssize_t)strlen(parts[i].text),
			  send(NEAR, parts[i].text, strlen(parts[i].text),
			       parts[i].ends ? MSG_EOR : 0));
	ASSERT_EQ(0, reset_stream(NEAR, 1, "", 0));
	for (i = 0; i < 4; i++) {
		len = strlen(parts[i].text);
		ASSERT_EQ((ssize_t)len, get_event(NEAR, &event, buf, sizeof(buf)));
		EXPECT_EQ(SSS_EV_UNDELIVERED, event.type);
		EXPECT_EQ(0, memcmp(buf, parts[i].text, len));
		EXPECT_EQ(parts[i].ends ? SSS_EV_RECORD : 0, event.flags);
		EXPECT_EQ(at, event.offset);
		at += len;
		EXPECT_EQ(12 - at, event.left);
	}
	EXPECT_EQ(-1, get_event(NEAR, &event, buf, sizeof(buf)));
	EXPECT_EQ(EAGAIN, errno);
}

/* What nobody takes back is freed by close(). */
TEST_F(giveback, not_wanted)
{
	ASSERT_EQ(50000, send_pattern(NEAR, 50000, 8, 0));
	ASSERT_EQ(0, reset_stream(NEAR, 1, "", 0));
	ASSERT_EQ(0, reset_stream(FAR, 1, "", 0));
}

/* close() and shutdown() deliver instead. */
TEST_F(giveback, not_after_shutdown)
{
	ASSERT_EQ(50000, send_pattern(NEAR, 50000, 8, 0));
	ASSERT_EQ(0, shutdown(NEAR, SHUT_WR));
	EXPECT_FALSE(polled(NEAR, POLLPRI, 0) & POLLPRI);
	EXPECT_EQ(50000, recv_pattern(FAR, 60000, 8, 0));
	EXPECT_EQ(0, shutdown(FAR, SHUT_WR));
	EXPECT_TRUE(eventually(PATIENCE, get_info(NEAR).bytes_acked == 50000));
	EXPECT_FALSE(polled(NEAR, POLLPRI, 0) & POLLPRI);
}

TEST_HARNESS_MAIN
