// SPDX-License-Identifier: GPL-2.0
/*
 * Identities cost nothing: what many of them may have, from one place and
 * altogether, and who gives way when that is not enough.
 */
#include "kselftest_harness.h"
#include "hosts.h"
#include "dial.h"

enum { PACKET = FRAMES_MAX + 9 + 8 + TAG, MOST = 64 };

/* One of many: who it is, and where */
struct stranger {
	struct dial d;
	int fd;
};

static struct stranger s[MOST];
static int n_strangers;

static const uint8_t *bob(void)
{
	return (const uint8_t *)&eids[BOB][V4];
}

/* Addresses 10.@net.0.1 are of alice's, too. */
static void make_net(int net)
{
	shell_in(ALICE, "ip addr add 10.%d.0.1/24 dev wire", net);
	shell_in(BOB, "ip route add 10.%d.0.0/24 dev wire", net);
}

static void __attribute__((constructor(65535))) make_nets(void)
{
	for (int net = 1; net <= 4; net++)
		make_net(net);
}

static bool recv_respond(struct stranger *st)
{
	struct pollfd p = { .fd = st->fd, .events = POLLIN };
	uint8_t msg[2048];

	while (poll(&p, 1, PATIENCE) > 0) {
		if (recv(st->fd, msg, sizeof(msg), 0) == RESPOND_LEN &&
		    dial_answered(&st->d, msg))
			return true;
	}
	return false;
}

/* The socket of somebody at 10.@net.0.1 */
static int socket_at(int net)
{
	char address[16];

	snprintf(address, sizeof(address), "10.%d.0.1", net);
	return socket_to(address, "10.9.0.2");
}

static bool calls(struct stranger *st)
{
	return send(st->fd, st->d.initiate, INITIATE_LEN, 0) == INITIATE_LEN && recv_respond(st);
}

/* Somebody new calls from 10.@net.0.1 and is answered: half-open. */
static struct stranger *call_from(int net)
{
	struct stranger *st = &s[n_strangers++];

	st->fd = socket_at(net);
	return dial_make(&st->d, bob()) && calls(st) ? st : NULL;
}

/* ... and bob has configured him. */
static struct stranger *call_configured(int net)
{
	struct stranger *st = &s[n_strangers++];

	st->fd = socket_at(net);
	if (!dial_make(&st->d, bob()))
		return NULL;
	enter(BOB);
	add_peer("v4", (const struct sss_eid *)st->d.own.public, NULL, 0);
	return calls(st) ? st : NULL;
}

static void send_frames(struct stranger *st, const uint8_t *frames, size_t len)
{
	uint8_t packet[PACKET];

	send(st->fd, packet, dial_seal(&st->d, packet, frames, len), 0);
}

/* Its first packet: a channel comes about, if there may be one. */
static bool confirms(struct stranger *st, bool stream)
{
	long long confirmed = get_stat(BOB, "HsConfirmed"), refused = get_stat(BOB, "RxDropChannels");
	uint64_t id = memcmp(st->d.own.public, bob(), KEY) < 0 ? 0 : 1;
	uint8_t frames[256] = { PING };
	size_t len = 1;

	if (stream)
		len += put_init(frames + 1, id, "crowds", "test 1");
	send_frames(st, frames, len);
	return eventually(PATIENCE, get_stat(BOB, "HsConfirmed") > confirmed ||
			  get_stat(BOB, "RxDropChannels") > refused) &&
	       get_stat(BOB, "HsConfirmed") > confirmed;
}

FIXTURE(crowds) {
	int listener;
};

FIXTURE_SETUP(crowds)
{
	set_sysctl(BOB, "idle_timeout_ms", "60000");
	self->listener = listen_on(V4, "crowds", MOST);
	ASSERT_LE(0, self->listener);
}

/* The strangers hang up, and nothing is left of them. */
FIXTURE_TEARDOWN(crowds)
{
	uint8_t frames[16];

	close(self->listener);
	for (int i = 0; i < n_strangers; i++) {
		send_frames(&s[i], frames, put_close(frames, 0));
		close(s[i].fd);
	}
	n_strangers = 0;
	set_sysctl(BOB, "max_half_open", "1024");
	set_sysctl(BOB, "max_prefix_half_open", "256");
	set_sysctl(BOB, "max_channels", "65536");
	set_sysctl(BOB, "max_prefix_channels", "4096");
	set_sysctl(BOB, "down_timeout_ms", "20000");
	set_sysctl(BOB, "idle_timeout_ms", "100");
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(BOB, "Channels")));
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(BOB, "HalfOpen")));
}

/*
 * A configured peer is a crowd of its own: it takes no more than a prefix may, and gives
 * way if it has most; but with few it goes after all strangers.
 */
TEST_F(crowds, half_open_of_a_peer)
{
	struct stranger *peer = call_configured(1), *first, *last;
	long long dropped = get_stat(BOB, "HsDropLimit"), unknown = get_stat(BOB, "RxDropIndex");

	set_sysctl(BOB, "max_prefix_half_open", "10");
	ASSERT_NE(NULL, peer);
	for (int i = 0; i < 12; i++)
		ASSERT_TRUE(dial_again(&peer->d, bob()) && calls(peer));
	EXPECT_EQ(10, get_stat(BOB, "HalfOpen"));
	EXPECT_EQ(dropped + 3, get_stat(BOB, "HsDropLimit"));

	set_sysctl(BOB, "max_half_open", "11");
	first = call_from(1);
	ASSERT_TRUE(first && call_from(2) && call_from(3));	/* of which it has paid for two */
	EXPECT_EQ(11, get_stat(BOB, "HalfOpen"));
	last = call_from(4);
	ASSERT_NE(NULL, last);
	EXPECT_TRUE(confirms(peer, false));
	EXPECT_TRUE(confirms(last, false));
	send_frames(first, (uint8_t [1]){ PING }, 1);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "RxDropIndex") > unknown));
	ask_bob_about(SSS_CMD_PEER_DEL, peer->d.own.public);
}

/* Somebody at @address who has shown to be there, and may call under load */
static struct stranger *with_cookie(const char *address)
{
	struct stranger *st = &s[n_strangers++];
	uint8_t msg[2048], cookie[MAC];

	st->fd = socket_to(address, "10.9.0.2");
	set_timeout(st->fd, SO_RCVTIMEO, PATIENCE);
	if (!dial_make(&st->d, bob()))
		return NULL;
	send(st->fd, st->d.initiate, INITIATE_LEN, 0);
	if (recv(st->fd, msg, sizeof(msg), 0) != COOKIE_LEN ||
	    !cookie_read(msg, cookie, st->d.initiate + INITIATE_LEN - 2 * MAC, bob()))
		return NULL;
	mac2_write(st->d.initiate, INITIATE_LEN, cookie);
	return st;
}

static void call(const struct stranger *st, int times)
{
	while (times--)
		send(st->fd, st->d.initiate, INITIATE_LEN, 0);
}

/* Under load all of a prefix together are served so often, and others as well. */
TEST_F(crowds, rate_of_one_prefix)
{
	long long dropped = get_stat(BOB, "HsDropRate"), full = get_stat(BOB, "HsDropQueue");
	struct stranger *one, *two, *other;

	set_sysctl(BOB, "handshake_queue", "8");	/* one that waits is load */
	shell_in(ALICE, "ip addr add 10.1.0.2/24 dev wire");
	one = with_cookie("10.1.0.1");
	two = with_cookie("10.1.0.2");
	other = with_cookie("10.2.0.1");
	ASSERT_TRUE(one && two && other);
	call(one, 3);
	call(two, 20);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsDropRate") > dropped + 9));
	call(other, 1);
	EXPECT_TRUE(recv_respond(other));
	EXPECT_TRUE(recv_respond(one) && recv_respond(two));
	/* A moment later five at once are not too many, but there is no room. */
	usleep(300000);
	set_sysctl(BOB, "handshake_queue", "1");
	call(other, 5);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsDropQueue") > full));
	set_sysctl(BOB, "handshake_queue", "1024");
	shell_in(ALICE, "ip addr del 10.1.0.2/24 dev wire");
}

/* Of one prefix only so many are half-open; the oldest goes, and only its own. */
TEST_F(crowds, half_open_of_one_prefix)
{
	long long dropped = get_stat(BOB, "HsDropLimit"), unknown = get_stat(BOB, "RxDropIndex");
	struct stranger *other, *oldest, *newest = NULL;

	set_sysctl(BOB, "max_prefix_half_open", "4");
	other = call_from(2);
	oldest = call_from(1);
	ASSERT_TRUE(other && oldest);
	for (int i = 0; i < 6; i++) {
		newest = call_from(1);
		ASSERT_NE(NULL, newest);
		EXPECT_GE(5, get_stat(BOB, "HalfOpen"));
	}
	EXPECT_EQ(5, get_stat(BOB, "HalfOpen"));
	EXPECT_EQ(dropped + 3, get_stat(BOB, "HsDropLimit"));
	EXPECT_TRUE(confirms(other, false));
	EXPECT_TRUE(confirms(newest, false));
	send_frames(oldest, (uint8_t [1]){ PING }, 1);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "RxDropIndex") > unknown));
}

/* Of all that are half-open the prefix that has most gives one up. */
TEST_F(crowds, half_open_of_all)
{
	struct stranger *first, *second = NULL;
	long long dropped = get_stat(BOB, "HsDropLimit");

	set_sysctl(BOB, "max_half_open", "6");
	first = call_from(2);
	for (int i = 0; i < 5; i++)
		ASSERT_NE(NULL, call_from(1));
	second = call_from(3);
	ASSERT_TRUE(first && second && call_from(1) && call_from(4));
	EXPECT_EQ(6, get_stat(BOB, "HalfOpen"));
	EXPECT_EQ(dropped + 3, get_stat(BOB, "HsDropLimit"));
	EXPECT_TRUE(confirms(first, false));
	EXPECT_TRUE(confirms(second, false));
}

/* So many channels of one prefix: those that do nothing go first. */
TEST_F(crowds, channels_of_one_prefix)
{
	long long evicted = get_stat(BOB, "ChannelsEvicted");
	struct stranger *st;

	set_sysctl(BOB, "max_prefix_channels", "4");
	for (int i = 0; i < 10; i++) {
		st = call_from(1);
		ASSERT_NE(NULL, st);
		EXPECT_TRUE(confirms(st, false));
		EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "Channels") <= 4));
	}
	EXPECT_EQ(evicted + 6, get_stat(BOB, "ChannelsEvicted"));
	EXPECT_EQ(4, get_stat(BOB, "Channels"));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "Peers") == 4));
}

/* Who has a channel by the time that a second call is confirmed takes no other's. */
TEST_F(crowds, channel_of_two_calls)
{
	long long evicted = get_stat(BOB, "ChannelsEvicted");
	struct stranger *st, first;

	set_sysctl(BOB, "max_prefix_channels", "1");
	st = call_from(1);
	ASSERT_NE(NULL, st);
	first = *st;
	ASSERT_TRUE(dial_again(&st->d, bob()) && calls(st));
	EXPECT_TRUE(confirms(&first, false));
	EXPECT_TRUE(confirms(st, false));
	EXPECT_EQ(1, get_stat(BOB, "Channels"));
	EXPECT_EQ(evicted, get_stat(BOB, "ChannelsEvicted"));
}

/* @n times it asks for the list of services, from its stream @first on; reads none. */
static void browses(struct stranger *st, int first, int n)
{
	int other = memcmp(st->d.own.public, bob(), KEY) < 0 ? 0 : 1;
	uint8_t frames[64];

	for (int i = first; i < first + n; i++)
		send_frames(st, frames, put_init(frames, 2 * i + other, ".sss", "browse 1"));
}

/*
 * Of the lists that a namespace gives at a time a peer has four, and those that nobody
 * configured have half: so who is configured gets his.
 */
TEST_F(crowds, lists_of_services)
{
	long long refused = get_stat(BOB, "StreamsRefused"), streams = get_stat(BOB, "Streams");
	struct stranger *peer, *st = NULL;

	for (int i = 0; i < 8; i++) {
		st = call_from(1 + i % 4);
		ASSERT_TRUE(st && confirms(st, false));
		browses(st, 0, 4);
	}
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "Streams") == streams + 32));
	EXPECT_EQ(refused, get_stat(BOB, "StreamsRefused"));

	peer = call_configured(1);
	ASSERT_TRUE(peer && confirms(peer, false));
	browses(peer, 0, 5);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "StreamsRefused") == refused + 1));
	st = call_from(2);
	ASSERT_TRUE(st && confirms(st, false));
	browses(st, 0, 1);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "StreamsRefused") == refused + 2));
	ask_bob_about(SSS_CMD_PEER_DEL, peer->d.own.public);
}

/* Who has streams stays, and others from there wait; elsewhere nobody does. */
TEST_F(crowds, channels_in_use)
{
	struct stranger *st;
	long long evicted;
	int fd[2];

	set_sysctl(BOB, "max_prefix_channels", "4");
	for (int i = 0; i < 4; i++)
		ASSERT_TRUE(confirms(call_from(1), true));
	EXPECT_FALSE(confirms(call_from(1), true));
	EXPECT_EQ(4, get_stat(BOB, "Channels"));
	EXPECT_TRUE(confirms(call_from(2), true));
	set_sysctl(BOB, "idle_timeout_ms", "100");
	ASSERT_EQ(0, stream_pair(V4, fd));
	close(fd[ALICE]);
	close(fd[BOB]);
	/* it counts from here, and no stranger's does: they have streams */
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "Channels") == 5));
	set_sysctl(BOB, "idle_timeout_ms", "60000");
	/* Those who do not answer any more do not stay. */
	evicted = get_stat(BOB, "ChannelsEvicted");
	set_sysctl(BOB, "down_timeout_ms", "10");
	st = call_from(1);
	EXPECT_TRUE(eventually(PATIENCE, usleep(100000) || confirms(st, false)));
	EXPECT_LT(evicted, get_stat(BOB, "ChannelsEvicted"));
}

/* Of all channels, one of the prefix that has most */
TEST_F(crowds, channels_of_all)
{
	long long evicted;

	set_sysctl(BOB, "max_channels", "6");
	for (int i = 0; i < 2; i++)
		ASSERT_TRUE(confirms(call_from(2), false));
	for (int i = 0; i < 4; i++)
		ASSERT_TRUE(confirms(call_from(1), false));
	evicted = get_stat(BOB, "ChannelsEvicted");
	for (int i = 0; i < 2; i++)
		EXPECT_TRUE(confirms(call_from(3), false));
	EXPECT_EQ(evicted + 2, get_stat(BOB, "ChannelsEvicted"));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "Channels") == 6));
	/* the two that were first are still there */
	for (int i = 0; i < 2; i++) {
		uint8_t packet[PACKET];

		while (recv(s[i].fd, packet, sizeof(packet), MSG_DONTWAIT) > 0)
			;
		send_frames(&s[i], (uint8_t [1]){ PING }, 1);
		EXPECT_EQ(POLLIN, polled(s[i].fd, POLLIN, PATIENCE));
	}
}

/* Somebody at 10.@net.0.1 who copies what @st called with; the answer to the copy */
static bool copies(const struct stranger *st, int net, uint8_t answer[2048])
{
	int fd = socket_at(net);
	bool ok;

	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	send(fd, st->d.initiate, INITIATE_LEN, 0);
	ok = recv(fd, answer, 2048, 0) == RESPOND_LEN;
	close(fd);
	return ok;
}

/*
 * Where a copy of an INITIATE comes from says nothing of who made it. The answer to one
 * from another prefix is another one, and the stranger counts where it has read its own:
 * who copies takes nothing from it, be the copier's prefix full, and hides nowhere.
 */
TEST_F(crowds, copies_from_elsewhere)
{
	struct stranger *called = call_from(1), *other;
	uint8_t first[2048], copy[2048];

	ASSERT_NE(NULL, called);
	set_sysctl(BOB, "max_prefix_channels", "1");
	ASSERT_TRUE(confirms(call_from(2), true));
	ASSERT_TRUE(copies(called, 1, first));
	ASSERT_TRUE(copies(called, 2, copy));
	EXPECT_NE(0, memcmp(first, copy, RESPOND_LEN));
	ASSERT_TRUE(copies(called, 1, copy));
	EXPECT_EQ(0, memcmp(first, copy, RESPOND_LEN));
	EXPECT_TRUE(confirms(called, true));

	/* Who has somebody in prefix 4 ask first, and reads the answer at his own, counts there. */
	set_sysctl(BOB, "max_prefix_channels", "4096");
	called = &s[n_strangers++];
	ASSERT_TRUE(dial_make(&called->d, bob()));
	called->fd = socket_at(3);
	ASSERT_TRUE(copies(called, 4, copy));
	send(called->fd, called->d.initiate, INITIATE_LEN, 0);
	ASSERT_TRUE(recv_respond(called));
	EXPECT_TRUE(confirms(called, true));
	set_sysctl(BOB, "max_prefix_channels", "1");
	other = call_from(3);
	ASSERT_NE(NULL, other);
	EXPECT_FALSE(confirms(other, true));
	other = call_from(4);
	ASSERT_NE(NULL, other);
	EXPECT_TRUE(confirms(other, true));
}

/* Rubbish under the keys of one handshake keeps no other from being confirmed. */
TEST_F(crowds, rubbish_for_one)
{
	struct stranger *bad = call_from(1), *good = call_from(2);
	long long dropped = get_stat(BOB, "RxDropBacklog");
	uint8_t packet[1200] = { TYPE_DATA };

	ASSERT_TRUE(bad && good);
	put32(packet + 4, bad->d.remote_index);
	for (int i = 0; i < 400; i++)
		send(bad->fd, packet, sizeof(packet), 0);
	EXPECT_LT(dropped, get_stat(BOB, "RxDropBacklog"));	/* so few of one wait */
	EXPECT_TRUE(confirms(good, false));
	EXPECT_TRUE(confirms(bad, false));
}

TEST_HARNESS_MAIN
