// SPDX-License-Identifier: GPL-2.0
/*
 * Several endpoints per peer: tried at once when a program connects, and one after
 * the other's death. In virtual time, so that it can be said how long it takes.
 */
#include "kselftest_harness.h"
#include "paths.h"

#define ROUND_TRIP	50	/* ms, of every path */

FIXTURE(failover) {
	struct both b;
	struct traffic t;
	int fd[2];
};

FIXTURE_SETUP(failover)
{
	static int port = 9900;

	self->b.port = port++;
	self->fd[ALICE] = self->fd[BOB] = -1;
	lay_cable("spare", ns[ALICE], ns[BOB], 8);
	for (int who = ALICE; who <= BOB; who++) {
		shell_in(who, "tc qdisc replace dev spare root netem delay %dms rate 4mbit limit 100",
			 ROUND_TRIP / 2);
		netem(who, "delay 25ms rate 4mbit limit 100");
	}
}

FIXTURE_TEARDOWN(failover)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	blackhole("wire", false);
	blackhole("spare", false);
	remove_hosts(&self->b);
	cut_cable("spare", ns[ALICE]);
	netem(ALICE, NULL);
	netem(BOB, NULL);
}

static bool connect_at(FIXTURE_DATA(failover) *self, int n, const char *const *where)
{
	make_hosts_at(&self->b, "failover", self->b.port, n, where);
	return !connected_pair(&self->b, self->fd) && talks(self->fd[ALICE], self->fd[BOB]) &&
	       !watch_events(self->fd[ALICE], SSS_EV_ALL) &&
	       !watch_events(self->fd[BOB], SSS_EV_ALL);
}

/* Did the program hear of this since it last asked? */
static bool saw(int fd, uint32_t type)
{
	struct sss_cm_event event;
	bool any = false;

	while (get_event(fd, &event, NULL, 0) >= 0)
		any |= event.type == type;
	return any;
}

/* What a probe timeout takes on the path as it is, ms (RFC 9002 section 6.2.1) */
static long long probe_timeout(int fd)
{
	struct sss_info info = info_of(fd);
	long long var = 4LL * info.rttvar;

	return (info.rtt + (var > 1000 ? var : 1000) + 5000) / 1000;
}

/* Two of three endpoints lead nowhere: it takes the round trip of the third. */
TEST_F_TIMEOUT(failover, connect, 60)
{
	static const char *const where[] = { BLACK_HOLE4, "203.0.113.7", "10.9.0.2" };
	long long begin;
	int listener;

	make_hosts_at(&self->b, "failover", self->b.port, 3, where);
	listener = listen_as(&self->b, BOB);
	shell_in(ALICE, "ping -q -c 1 10.9.0.2 >/dev/null");	/* no ARP in what is measured */
	begin = now_ms();
	self->fd[ALICE] = dial_as(&self->b, ALICE);
	begin = now_ms() - begin;
	ASSERT_LE(0, self->fd[ALICE]) TH_LOG("%m");
	TH_LOG("%lld ms", begin);
	EXPECT_LE(ROUND_TRIP, begin);
	EXPECT_GT(ROUND_TRIP + 20, begin);
	EXPECT_EQ(1, info_of(self->fd[ALICE]).connect_rtts);
	EXPECT_EQ(0, strncmp(endpoint_of(self->fd[ALICE], SSS_PEER_ENDPOINT), "10.9.0.2:", 9));
	self->fd[BOB] = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(self->fd[ALICE], self->fd[BOB]));
	close(listener);
}

static void cut(bool with_nft)
{
	if (with_nft)
		blackhole("wire", true);
	else
		shell_in(ALICE, "ip link set wire down");
}

static void mend(bool with_nft)
{
	if (with_nft) {
		blackhole("wire", false);
		return;
	}
	shell_in(ALICE, "ip link set wire up");
	shell_in(ALICE, "ip -6 addr add fd09::1/64 dev wire nodad");
}

/* With data under way in both directions the path dies. */
static void path_dies(struct __test_metadata *_metadata, FIXTURE_DATA(failover) *self,
		      bool with_nft)
{
	static const char *const where[] = { "10.9.0.2", "10.8.0.2" };
	long long limit[2], begin, took[2] = { };
	size_t got[2];

	shell_in(ALICE, "ip link set spare down");
	ASSERT_TRUE(connect_at(self, 2, where));
	shell_in(ALICE, "ip link set spare up");
	traffic_start(&self->t, self->fd);
	ASSERT_LE(0, traffic_goes_on(&self->t, 5000));
	EXPECT_EQ(0, strncmp(endpoint_of(self->fd[ALICE], SSS_PEER_ENDPOINT), "10.9.0.2:", 9));
	for (int who = ALICE; who <= BOB; who++) {
		saw(self->fd[who], SSS_EV_LINK_DOWN);
		limit[who] = 3 * probe_timeout(self->fd[who]);
	}
	cut(with_nft);
	begin = now_ms();
	usleep(10000);		/* what was on its way has arrived, or not */
	got[ALICE] = self->t.got[ALICE];
	got[BOB] = self->t.got[BOB];
	while (now_ms() < begin + 5000 && (!took[ALICE] || !took[BOB])) {
		for (int who = ALICE; who <= BOB; who++)
			if (!took[who] && self->t.got[who] > got[who])
				took[who] = now_ms() - begin;
		usleep(1000);
	}
	for (int who = ALICE; who <= BOB; who++) {
		TH_LOG("to %s after %lld ms; three probe timeouts are %lld ms",
		       who ? "bob" : "alice", took[who], limit[!who]);
		EXPECT_LT(0, took[who]);
		EXPECT_GT(limit[!who], took[who]);
	}
	EXPECT_LE(0, traffic_goes_on(&self->t, 5000));
	EXPECT_EQ(0, strncmp(endpoint_of(self->fd[ALICE], SSS_PEER_ENDPOINT), "10.8.0.2:", 9));
	EXPECT_TRUE(traffic_end(&self->t));
	EXPECT_FALSE(saw(self->fd[ALICE], SSS_EV_LINK_DOWN));
	EXPECT_FALSE(saw(self->fd[BOB], SSS_EV_LINK_DOWN));
	mend(with_nft);
}

TEST_F_TIMEOUT(failover, black_hole, 100)
{
	path_dies(_metadata, self, true);
}

TEST_F_TIMEOUT(failover, link_down, 100)
{
	path_dies(_metadata, self, false);
}

static void *write_some(void *fd)
{
	return (void *)send_pattern(*(int *)fd, 300000, 7, 0);
}

/*
 * Only bob has something to say, and he knows of alice's other address from
 * herself alone.
 */
TEST_F_TIMEOUT(failover, told_by_peer, 100)
{
	static const char *const where[] = { "10.9.0.2" };
	long long begin, limit;
	pthread_t thread;
	void *sent;

	ASSERT_TRUE(connect_at(self, 1, where));
	usleep(500000);
	limit = 3 * probe_timeout(self->fd[BOB]);
	/* and she hears no more of it either: one of her addresses is lost on the way */
	blackhole("wire", true);
	saw(self->fd[BOB], SSS_EV_LINK_DOWN);
	begin = now_ms();
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_some, &self->fd[BOB]));
	EXPECT_EQ(1000, recv_pattern(self->fd[ALICE], 1000, 7, 0)) TH_LOG("%m");
	begin = now_ms() - begin;
	TH_LOG("after %lld ms; three probe timeouts are %lld ms", begin, limit);
	EXPECT_GT(limit, begin);
	EXPECT_EQ(299000, recv_pattern(self->fd[ALICE], 299000, 7, 1000)) TH_LOG("%m");
	pthread_join(thread, &sent);
	EXPECT_EQ(300000, (long)sent);
	EXPECT_EQ(0, strncmp(endpoint_of(self->fd[BOB], SSS_PEER_ENDPOINT), "10.8.0.1:", 9));
	EXPECT_FALSE(saw(self->fd[BOB], SSS_EV_LINK_DOWN));
	/* and it is not for nothing that she answers: her own path follows */
	EXPECT_TRUE(talks(self->fd[ALICE], self->fd[BOB]));
}

/* All are dead: down after 20 s; then one is back. */
TEST_F_TIMEOUT(failover, all_dead, 200)
{
	static const char *const where[] = { "10.9.0.2", "10.8.0.2" };
	long long begin, took;

	ASSERT_TRUE(connect_at(self, 2, where));
	traffic_start(&self->t, self->fd);
	ASSERT_LE(0, traffic_goes_on(&self->t, 5000));
	saw(self->fd[ALICE], SSS_EV_LINK_DOWN);
	blackhole("wire", true);
	blackhole("spare", true);
	begin = now_ms();
	EXPECT_TRUE(eventually(15000, info_of(self->fd[ALICE]).link == SSS_LINK_STALLED));
	EXPECT_TRUE(eventually(40000, info_of(self->fd[ALICE]).link == SSS_LINK_DOWN));
	took = now_ms() - begin;
	TH_LOG("down after %lld ms", took);
	EXPECT_LE(19000, took);
	EXPECT_GE(21000, took);
	EXPECT_TRUE(saw(self->fd[ALICE], SSS_EV_LINK_DOWN));
	usleep(60000000);
	blackhole("spare", false);
	took = traffic_goes_on(&self->t, 60000);
	TH_LOG("back after %lld ms", took);
	EXPECT_LE(0, took);
	EXPECT_GT(18000, took);		/* INITIATE goes out every 15 s by then, 10 % more or less */
	EXPECT_EQ(SSS_LINK_UP, info_of(self->fd[ALICE]).link);
	EXPECT_TRUE(traffic_end(&self->t));
}

TEST_HARNESS_MAIN
