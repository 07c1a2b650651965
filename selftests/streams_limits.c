// SPDX-License-Identifier: GPL-2.0
/*
 * What is bounded: orphans, in time and in number; data that nobody accepted;
 * streams at once. Who meets a bound waits or is told, others go on, and all
 * of it is there again afterwards. And a peer that forgot everything.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define WAIT 15000
#define PORT_HERE 9700
#define WINDOW 65536	/* default initial_stream_window */

/* Each test has identities of its own, so that its channel has its own limits. */
static const char *const name = "limits";

static void make_hosts(void)
{
	enter(ALICE);
	eids[ALICE][V4] = add_host(name, PORT_HERE, ~0u);
	enter(BOB);
	eids[BOB][V4] = add_host(name, PORT_HERE, ~0u);
	enter(ALICE);
	add_peer(name, &eids[BOB][V4], "10.9.0.2", PORT_HERE);
}

static void set_both(const char *what, const char *value)
{
	set_sysctl(ALICE, what, value);
	set_sysctl(BOB, what, value);
}

static void cut(bool yes)
{
	netem(ALICE, yes ? "loss 100%" : NULL);
	netem(BOB, yes ? "loss 100%" : NULL);
}

static bool nothing_left(int who)
{
	return !get_stat(who, "Sockets") && !get_stat(who, "Streams") &&
	       !get_stat(who, "Channels") && !get_stat(who, "TxChunks") &&
	       !get_stat(who, "RxSegments") && !get_stat(who, "SentPackets");
}

/* What a test left open */
static void close_sockets(void)
{
	socklen_t len = sizeof(int);
	int domain;

	for (int fd = 3; fd < 256; fd++) {
		if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_SSS)
			close(fd);
	}
}

static struct sss_info info_of(int fd)
{
	socklen_t len = sizeof(struct sss_info);
	struct sss_info info = { .stream_id = 12345 };

	getsockopt(fd, SOL_SSS, SSS_INFO, &info, &len);
	return info;
}

FIXTURE(limits)
{
	long long killed;	/* orphans, before the test */
};

FIXTURE_SETUP(limits)
{
	set_both("orphan_timeout_ms", "300000");
	set_both("idle_timeout_ms", "60000");
	set_both("connect_timeout_ms", "30000");
	set_both("max_orphans", "4096");
	set_both("max_streams", "4096");
	set_both("channel_window", "16777216");
	set_both("max_waiting", "16384");
	set_both("max_prefix_waiting", "4096");
	self->killed = get_stat(ALICE, "OrphansKilled");
}

FIXTURE_TEARDOWN(limits)
{
	cut(false);
	close_sockets();
	enter(ALICE);
	del_host(name);
	enter(BOB);
	del_host(name);
	EXPECT_TRUE(eventually(WAIT, nothing_left(ALICE) && nothing_left(BOB)));
}

/* --- orphans --- */

/* Nobody will ever acknowledge: the data goes, then the stream, then the channel. */
TEST_F(limits, orphan_of_a_lost_peer)
{
	int fd[2];

	set_sysctl(ALICE, "orphan_timeout_ms", "1000");
	set_sysctl(ALICE, "idle_timeout_ms", "100");
	set_sysctl(ALICE, "connect_timeout_ms", "500");
	make_hosts();
	ASSERT_EQ(0, stream_pair(V4, fd)) TH_LOG("%s", strerror(errno));
	cut(true);
	EXPECT_EQ(20000, send_pattern(fd[ALICE], 20000, 1, 0));
	close(fd[ALICE]);
	EXPECT_EQ(1, get_stat(ALICE, "Sockets"));
	EXPECT_LT(0, get_stat(ALICE, "TxChunks"));
	EXPECT_TRUE(eventually(WAIT, get_stat(ALICE, "OrphansKilled") == self->killed + 1));
	EXPECT_TRUE(eventually(1000, !get_stat(ALICE, "Sockets")));
	EXPECT_EQ(0, get_stat(ALICE, "TxChunks"));
	EXPECT_TRUE(eventually(WAIT, nothing_left(ALICE)))
		TH_LOG("streams %lld, channels %lld", get_stat(ALICE, "Streams"),
		       get_stat(ALICE, "Channels"));
	EXPECT_EQ(self->killed + 1, get_stat(ALICE, "OrphansKilled"));
}

/* The link comes back after that: the peer learns that the rest will not come. */
TEST_F(limits, orphan_that_was_reset)
{
	int fd[2];
	char c;

	set_sysctl(ALICE, "orphan_timeout_ms", "1000");
	make_hosts();
	ASSERT_EQ(0, stream_pair(V4, fd)) TH_LOG("%s", strerror(errno));
	cut(true);
	EXPECT_EQ(20000, send_pattern(fd[ALICE], 20000, 1, 0));
	close(fd[ALICE]);
	EXPECT_TRUE(eventually(WAIT, get_stat(ALICE, "OrphansKilled") == self->killed + 1));
	cut(false);
	set_timeout(fd[BOB], SO_RCVTIMEO, WAIT);
	EXPECT_EQ(-1, recv(fd[BOB], &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Streams")));
}

/* All was delivered, and the peer keeps its end: no more of an orphan's time. */
TEST_F(limits, orphan_whose_peer_stays)
{
	int fd[2];
	char c;

	set_sysctl(ALICE, "orphan_timeout_ms", "300");
	make_hosts();
	ASSERT_EQ(0, stream_pair(V4, fd)) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(1, send(fd[ALICE], "x", 1, 0));
	close(fd[ALICE]);
	EXPECT_EQ(1, recv(fd[BOB], &c, 1, 0));
	EXPECT_EQ(0, recv(fd[BOB], &c, 1, 0));
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Streams")));
	EXPECT_EQ(self->killed, get_stat(ALICE, "OrphansKilled"));
}

#define MANY 5
#define ALLOWED 2

static void open_many(struct __test_metadata *_metadata, int fd[MANY][2], int n)
{
	for (int i = 0; i < n; i++)
		ASSERT_EQ(0, stream_pair(V4, fd[i])) TH_LOG("%s", strerror(errno));
}

TEST_F(limits, too_many_orphans)
{
	int fd[MANY][2], i, whole = 0, reset = 0;
	ssize_t n;

	set_sysctl(ALICE, "max_orphans", "2");
	make_hosts();
	open_many(_metadata, fd, MANY);
	cut(true);
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(1000, send_pattern(fd[i][ALICE], 1000, i, 0));
		close(fd[i][ALICE]);
	}
	EXPECT_EQ(self->killed + MANY - ALLOWED, get_stat(ALICE, "OrphansKilled"));
	EXPECT_TRUE(eventually(WAIT, get_stat(ALICE, "Sockets") == ALLOWED));
	cut(false);
	for (i = 0; i < MANY; i++) {
		set_timeout(fd[i][BOB], SO_RCVTIMEO, WAIT);
		n = recv_pattern(fd[i][BOB], 1001, i, 0);
		if (n == 1000)
			whole++;
		else if (n == -1 && errno == ECONNRESET)
			reset++;
		close(fd[i][BOB]);
	}
	EXPECT_EQ(ALLOWED, whole);
	EXPECT_EQ(MANY - ALLOWED, reset);
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Streams")));

	/* Those that have left make room for others. */
	open_many(_metadata, fd, ALLOWED);
	for (i = 0; i < ALLOWED; i++) {
		EXPECT_EQ(1000, send_pattern(fd[i][ALICE], 1000, i, 0));
		close(fd[i][ALICE]);
	}
	for (i = 0; i < ALLOWED; i++)
		EXPECT_EQ(1000, recv_pattern(fd[i][BOB], 1001, i, 0));
	EXPECT_EQ(self->killed + MANY - ALLOWED, get_stat(ALICE, "OrphansKilled"));
}

/* --- data that nobody has accepted --- */

TEST_F(limits, pool_of_unaccepted_data)
{
	int listener, busy[2], waiting[3], taken, i;
	ssize_t sent[3], len = 1 << 20;
	int status;

	/* Two full windows, and what the busy stream used is not all given back at once. */
	set_sysctl(BOB, "channel_window", "131072");
	make_hosts();
	ASSERT_EQ(0, stream_pair(V4, busy)) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(WINDOW, send_pattern(busy[ALICE], WINDOW, 9, 0));
	EXPECT_EQ(WINDOW, recv_pattern(busy[BOB], WINDOW, 9, 0));
	listener = listen_on(V4, "pool", 10);
	ASSERT_LE(0, listener);
	for (i = 0; i < 3; i++) {
		waiting[i] = dial(V4, "pool");
		ASSERT_LE(0, waiting[i]) TH_LOG("%s", strerror(errno));
		sent[i] = fill_up(waiting[i], i, 0);
		EXPECT_LT(0, sent[i]);
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(0, polled(waiting[i], POLLOUT, 0));
	}
	/* The last one is known to the peer, and no byte of it has left. */
	EXPECT_LT(0, info_of(waiting[1]).bytes_sent);
	EXPECT_EQ(0, info_of(waiting[2]).bytes_sent);
	set_timeout(waiting[2], SO_SNDTIMEO, 100);
	EXPECT_EQ(-1, send(waiting[2], "x", 1, 0));
	EXPECT_EQ(EAGAIN, errno);

	/* Others go on, there and back. */
	if (!fork())
		_exit(send_pattern(busy[ALICE], len, 5, 0) != len);
	EXPECT_EQ(len, recv_pattern(busy[BOB], len, 5, 0));
	wait(&status);
	EXPECT_EQ(0, status);
	EXPECT_EQ(1000, send_pattern(busy[BOB], 1000, 6, 0));
	EXPECT_EQ(1000, recv_pattern(busy[ALICE], 1000, 6, 0));
	EXPECT_EQ(0, info_of(waiting[2]).bytes_sent);

	/* accept() gives the data's place in the pool to those who wait. */
	taken = accept(listener, NULL, NULL);
	ASSERT_LE(0, taken);
	EXPECT_TRUE(eventually(WAIT, info_of(waiting[1]).bytes_sent >= WINDOW));
	EXPECT_TRUE(eventually(WAIT, info_of(waiting[2]).bytes_sent));
	EXPECT_EQ(sent[0], recv_pattern(taken, sent[0], 0, 0));
	for (i = 1; i < 3; i++) {
		taken = accept(listener, NULL, NULL);
		ASSERT_LE(0, taken);
		EXPECT_EQ(sent[i], recv_pattern(taken, sent[i], i, 0));
	}
}

/* Closing the listener returns it as well, and tells why. */
TEST_F(limits, listener_closes_on_who_waits)
{
	socklen_t len = sizeof(struct sss_status);
	struct sss_status status = { };
	int listener, fd, again;
	char c;

	set_sysctl(BOB, "channel_window", "65536");
	make_hosts();
	listener = listen_on(V4, "pool", 10);
	fd = dial(V4, "pool");
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(errno));
	EXPECT_LT(WINDOW, fill_up(fd, 0, 0));
	close(listener);
	set_timeout(fd, SO_RCVTIMEO, WAIT);
	EXPECT_EQ(-1, recv(fd, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(0, getsockopt(fd, SOL_SSS, SSS_STATUS, &status, &len));
	EXPECT_EQ(SSS_STATUS_ANSWERED | SSS_STATUS_RESET, status.flags);
	EXPECT_EQ(0, status.reset_code);
	EXPECT_STREQ("nobody listens any more", status.text);

	listener = listen_on(V4, "pool", 10);
	again = dial(V4, "pool");
	ASSERT_LE(0, again) TH_LOG("%s", strerror(errno));
	EXPECT_LT(WINDOW, fill_up(again, 0, 0));
	EXPECT_EQ(WINDOW, info_of(again).bytes_sent);
}

/* --- streams that nobody has accepted --- */

/* Waits until the connect() under way is held back at bob's; false: it was not. */
static bool is_held(int fd, long long before)
{
	return eventually(WAIT, get_stat(BOB, "StreamsHeld") > before) &&
	       !polled(fd, POLLOUT, 300);
}

static int dial_nonblock(int family, const char *service)
{
	struct sockaddr_sss addr = address(BOB, family, service, "test 1");
	int fd = caller(family, SOCK_NONBLOCK);

	return connect_to(fd, &addr) && errno == EINPROGRESS ? fd : -1;
}

/* A prefix has its share of what may wait, and so has everybody together. */
TEST_F(limits, streams_that_wait)
{
	struct sss_open open = { .kind = SOCK_STREAM };
	int listener[2], fd[4], pair[2], other, child, i;
	long long held = get_stat(BOB, "StreamsHeld");

	set_sysctl(BOB, "max_prefix_waiting", "3");
	make_hosts();
	ASSERT_EQ(0, stream_pair(V4, pair));
	for (i = 0; i < 2; i++) {
		listener[i] = listen_on(i, "waits", 20);
		ASSERT_LE(0, listener[i]);
	}
	for (i = 0; i < 3; i++)
		ASSERT_LE(0, dial(V4, "waits")) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(held, get_stat(BOB, "StreamsHeld"));
	fd[0] = dial_nonblock(V4, "waits");
	ASSERT_LE(0, fd[0]);
	EXPECT_TRUE(is_held(fd[0], held));
	/* A substream waits as well: what is written goes as far as the buffer. */
	child = ioctl(pair[ALICE], SSS_IOC_OPEN, &open);
	ASSERT_LE(0, child);
	EXPECT_LT(1000, fill_up(child, 1, 0));
	EXPECT_EQ(EAGAIN, errno);
	/* Streams that were accepted go on, and so does another prefix. */
	EXPECT_EQ(30000, send_pattern(pair[ALICE], 30000, 7, 0));
	EXPECT_EQ(30000, recv_pattern(pair[BOB], 30000, 7, 0));
	for (i = 0; i < 2; i++)
		ASSERT_LE(0, dial(V6, "waits")) TH_LOG("%s", strerror(errno));

	/* The whole namespace */
	set_sysctl(BOB, "max_waiting", "5");
	held = get_stat(BOB, "StreamsHeld");
	other = dial_nonblock(V6, "waits");
	ASSERT_LE(0, other);
	EXPECT_TRUE(is_held(other, held));

	/* Whoever is accepted lets one in. */
	for (i = 0; i < 3; i++)
		EXPECT_LE(0, accept(listener[V4], NULL, NULL));
	EXPECT_EQ(POLLOUT, polled(fd[0], POLLOUT, WAIT));
	EXPECT_EQ(POLLOUT, polled(other, POLLOUT, WAIT));
	EXPECT_EQ(0, so_error(fd[0]) | so_error(other));
	ASSERT_EQ(0, listen(pair[BOB], 1));
	set_timeout(pair[BOB], SO_RCVTIMEO, WAIT);
	EXPECT_LE(0, accept(pair[BOB], NULL, NULL));
	/* that of the other prefix outlives the test otherwise */
	set_both("idle_timeout_ms", "100");
}

/* --- streams at once --- */

TEST_F(limits, streams_beyond_the_credit)
{
	int listener, fd[4], end[4], late[2], i;
	struct sockaddr_sss addr;
	long long start;

	set_sysctl(BOB, "max_streams", "4");
	make_hosts();
	listener = listen_on(V4, "credit", 20);
	ASSERT_LE(0, listener);
	for (i = 0; i < 4; i++) {
		fd[i] = dial(V4, "credit");
		ASSERT_LE(0, fd[i]) TH_LOG("%s", strerror(errno));
		end[i] = accept(listener, NULL, NULL);
		ASSERT_LE(0, end[i]);
	}

	/* One more waits, but not for ever, and leaves nothing. */
	set_sysctl(ALICE, "connect_timeout_ms", "500");
	start = now_ms();
	EXPECT_EQ(-1, dial(V4, "credit"));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_LE(500, now_ms() - start);
	EXPECT_EQ(4, get_stat(BOB, "Streams"));
	EXPECT_TRUE(eventually(WAIT, get_stat(ALICE, "Streams") == 4));

	/* Each that closes lets one in, in order. */
	set_sysctl(ALICE, "connect_timeout_ms", "20000");
	addr = address(BOB, V4, "credit", "test 1");
	for (i = 0; i < 2; i++) {
		late[i] = caller(V4, SOCK_NONBLOCK);
		EXPECT_EQ(-1, connect_to(late[i], &addr));
		EXPECT_EQ(EINPROGRESS, errno);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, polled(late[i], POLLOUT, 200));
		close(fd[i]);
		close(end[i]);
		EXPECT_EQ(POLLOUT, polled(late[i], POLLOUT, WAIT));
		EXPECT_EQ(0, so_error(late[i]));
	}
	EXPECT_EQ(4, get_stat(BOB, "Streams"));

	/* Those already there noticed nothing. */
	EXPECT_EQ(1000, send_pattern(fd[3], 1000, 3, 0));
	EXPECT_EQ(1000, recv_pattern(end[3], 1000, 3, 0));
}

/* --- a peer that starts anew --- */

static int take_key(const struct nlmsghdr *nlh, void *data)
{
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	if (a.of[SSS_A_HOST_PRIVATE_KEY])
		memcpy(data, mnl_attr_get_payload(a.of[SSS_A_HOST_PRIVATE_KEY]), 32);
	return MNL_CB_OK;
}

/* Bob's host goes and comes again, with its key and nothing else. */
static void forget_everything(void)
{
	unsigned char key[32] = { };
	static struct genl g;
	struct nlmsghdr *nlh;

	enter(BOB);
	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_HOST_GET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	mnl_attr_put(nlh, SSS_A_HOST_WANT_KEY, 0, NULL);
	errno = genl_call(&g, nlh, take_key, key);
	if (errno)
		genl_die("asking for a key");
	del_host(name);
	nlh = genl_start(&g, SSS_CMD_HOST_NEW, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	genl_put(nlh, SSS_A_HOST_PRIVATE_KEY, key, sizeof(key));
	mnl_attr_put_u16(nlh, SSS_A_HOST_PORT, PORT_HERE);
	errno = genl_call(&g, nlh, NULL, NULL);
	if (errno)
		genl_die("making a host again");
	mnl_socket_close(g.nl);
}

static void start_anew(struct __test_metadata *_metadata, bool silently)
{
	int fd[3][2], again[2], i;
	long long start;
	char c;

	make_hosts();
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, stream_pair(V4, fd[i])) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(1000, send_pattern(fd[0][ALICE], 1000, 0, 0));
	EXPECT_EQ(1000, recv_pattern(fd[0][BOB], 1000, 0, 0));
	cut(silently);
	forget_everything();
	cut(false);

	/* Without waiting for anything: who connects need not know. */
	start = now_ms();
	ASSERT_EQ(0, stream_pair(V4, again)) TH_LOG("%s", strerror(errno));
	EXPECT_GT(5000, now_ms() - start);
	/* the first id of a new state */
	EXPECT_GE(1, info_of(again[ALICE]).stream_id);
	EXPECT_EQ(info_of(again[ALICE]).stream_id, info_of(again[BOB]).stream_id);
	for (i = 0; i < 3; i++) {
		set_timeout(fd[i][ALICE], SO_RCVTIMEO, WAIT);
		EXPECT_EQ(-1, recv(fd[i][ALICE], &c, 1, 0));
		EXPECT_EQ(ECONNRESET, errno);
		EXPECT_EQ(-1, send(fd[i][ALICE], "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(EPIPE, errno);
		EXPECT_EQ(-1, recv(fd[i][BOB], &c, 1, 0));
	}
	EXPECT_EQ(50000, send_pattern(again[ALICE], 50000, 1, 0));
	EXPECT_EQ(50000, recv_pattern(again[BOB], 50000, 1, 0));
	/* What is left of the old state goes with its sockets. */
	for (i = 0; i < 3; i++) {
		close(fd[i][ALICE]);
		close(fd[i][BOB]);
	}
	for (i = ALICE; i <= BOB; i++) {
		EXPECT_TRUE(eventually(WAIT, get_stat(i, "Channels") == 1));
		EXPECT_TRUE(eventually(WAIT, get_stat(i, "Streams") == 1));
	}
}

TEST_F(limits, peer_starts_anew)
{
	start_anew(_metadata, false);
}

TEST_F(limits, peer_starts_anew_without_a_word)
{
	start_anew(_metadata, true);
}

/* The deadline of a stream that was shut down passes once, and the timer goes on. */
TEST_F(limits, user_timeout_after_shutdown)
{
	unsigned int ms = 50;
	int fd[2], other[2];
	char c = 'x';

	make_hosts();
	ASSERT_EQ(0, stream_pair(V4, fd));
	ASSERT_EQ(0, stream_pair(V4, other));
	cut(true);
	ASSERT_EQ(0, setsockopt(fd[ALICE], SOL_SSS, SSS_USER_TIMEOUT, &ms, sizeof(ms)));
	ASSERT_EQ(1, send(fd[ALICE], &c, 1, 0));
	ASSERT_EQ(0, shutdown(fd[ALICE], SHUT_WR));
	EXPECT_TRUE(eventually(5000, so_error(fd[ALICE]) == ETIMEDOUT));
	/* With the timer spinning nothing of this would ever come back. */
	ASSERT_EQ(0, setsockopt(fd[ALICE], SOL_SSS, SSS_USER_TIMEOUT, &ms, sizeof(ms)));
	cut(false);
	set_timeout(other[BOB], SO_RCVTIMEO, WAIT);
	EXPECT_EQ(1, send(other[ALICE], &c, 1, 0));
	EXPECT_EQ(1, recv(other[BOB], &c, 1, 0));
}

TEST_HARNESS_MAIN
