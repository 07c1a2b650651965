// SPDX-License-Identifier: GPL-2.0
/*
 * An end moves and all streams go on: its address changes, its NAT takes another
 * port, IPv4 is taken away, its interface is gone for a minute. With data under
 * way in both directions, and with none until afterwards: then who did not move
 * begins, or who did. In virtual time.
 */
#include "kselftest_harness.h"
#include "paths.h"

#define SOON	5000	/* ms within which a move has to be over */

enum use { BUSY, BOB_FIRST, ALICE_FIRST };

FIXTURE(mobility) {
	struct both b;
	struct traffic t;
	int fd[2];
	int nat;
};

FIXTURE_VARIANT(mobility) {
	enum use use;
};

FIXTURE_VARIANT_ADD(mobility, busy) { .use = BUSY };
FIXTURE_VARIANT_ADD(mobility, idle_bob_first) { .use = BOB_FIRST };
FIXTURE_VARIANT_ADD(mobility, idle_alice_first) { .use = ALICE_FIRST };

/* Alice is behind a NAT now, bob at 10.6.0.2. */
static int place_nat(void)
{
	int nat = new_namespace();

	lay_cable("inner", ns[ALICE], nat, 7);
	lay_cable("outer", nat, ns[BOB], 6);
	shell_in(ALICE, "ip route add 10.6.0.0/24 via 10.7.0.2");
	shell_in(ALICE, "tc qdisc replace dev inner root netem delay 20ms rate 4mbit limit 100");
	shell_in(BOB, "tc qdisc replace dev outer root netem delay 20ms rate 4mbit limit 100");
	shell_at(nat, "sysctl -qw net.ipv4.ip_forward=1");
	shell_at(nat, "nft 'table ip nat { chain out { type nat hook postrouting priority "
		 "100; oifname outer masquerade random; }; }'");
	return nat;
}

static void remove_nat(int nat)
{
	cut_cable("inner", ns[ALICE]);
	cut_cable("outer", ns[BOB]);
	close(nat);
}

FIXTURE_SETUP(mobility)
{
	netem(ALICE, "delay 20ms rate 4mbit limit 100");
	netem(BOB, "delay 20ms rate 4mbit limit 100");
	self->nat = self->fd[ALICE] = self->fd[BOB] = -1;
}

FIXTURE_TEARDOWN(mobility)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	if (self->b.name)
		remove_hosts(&self->b);
	if (self->nat >= 0)
		remove_nat(self->nat);
	netem(ALICE, NULL);
	netem(BOB, NULL);
}

static bool connect_at(FIXTURE_DATA(mobility) *self, int n, const char *const *where)
{
	static int port = 9800;

	make_hosts_at(&self->b, "mobile", port++, n, where);
	return !connected_pair(&self->b, self->fd) && talks(self->fd[ALICE], self->fd[BOB]);
}

/* Before the move: data flow, or the channel is at rest. */
static bool use_before(FIXTURE_DATA(mobility) *self, enum use use)
{
	if (use == BUSY) {
		traffic_start(&self->t, self->fd);
		return traffic_goes_on(&self->t, SOON) >= 0;
	}
	usleep(3000000);
	return true;
}

/* And afterwards it goes on: ms until both ends have heard something new, -1 */
static long long use_after(FIXTURE_DATA(mobility) *self, enum use use)
{
	int first = use == ALICE_FIRST ? ALICE : BOB;
	long long begin = now_ms();

	if (use == BUSY)
		return traffic_goes_on(&self->t, SOON);
	usleep(2000000);
	begin = now_ms();
	if (!talks(self->fd[first], self->fd[!first]))
		return -1;
	begin = now_ms() - begin;
	traffic_start(&self->t, self->fd);
	return traffic_goes_on(&self->t, SOON) < 0 ? -1 : begin;
}

static void expect_all(struct __test_metadata *_metadata, FIXTURE_DATA(mobility) *self, long long took)
{
	TH_LOG("%lld ms", took);
	EXPECT_LE(0, took);
	EXPECT_GT(SOON, took);
	EXPECT_TRUE(traffic_end(&self->t)) TH_LOG("%zu of %zu, %zu of %zu", self->t.got[BOB],
						  self->t.sent[ALICE], self->t.got[ALICE],
						  self->t.sent[BOB]);
}

/* The size of packets on this path has been found. */
static bool size_is_found(FIXTURE_DATA(mobility) *self)
{
	return eventually(SOON, info_of(self->fd[ALICE]).pmtu == 1472 &&
			  info_of(self->fd[BOB]).pmtu == 1472);
}

/*
 * The old address goes, another one comes; it may be another path, so both begin
 * with what every path bears.
 */
static void address_changes(struct __test_metadata *_metadata, FIXTURE_DATA(mobility) *self,
			    enum use use)
{
	static const char *const where[] = { "10.9.0.2" };
	long long changes = get_stat(BOB, "PathChanges"), probes[2];

	ASSERT_TRUE(connect_at(self, 1, where));
	ASSERT_TRUE(use_before(self, use));
	EXPECT_STREQ("10.9.0.1", strtok((char *)endpoint_of(self->fd[BOB], SSS_PEER_ENDPOINT),
					":"));
	EXPECT_TRUE(size_is_found(self));
	for (int who = ALICE; who <= BOB; who++)
		probes[who] = get_stat(who, "PmtuProbes");
	shell_in(ALICE, "ip addr del 10.9.0.1/24 dev wire");
	shell_in(ALICE, "ip addr add 10.9.0.11/24 dev wire");
	expect_all(_metadata, self, use_after(self, use));
	EXPECT_STREQ("10.9.0.11", strtok((char *)endpoint_of(self->fd[BOB], SSS_PEER_ENDPOINT),
					 ":"));
	EXPECT_EQ(changes + 1, get_stat(BOB, "PathChanges"));
	EXPECT_LT(probes[ALICE], get_stat(ALICE, "PmtuProbes"));
	EXPECT_LT(probes[BOB], get_stat(BOB, "PmtuProbes"));
	shell_in(ALICE, "ip addr del 10.9.0.11/24 dev wire");
	shell_in(ALICE, "ip addr add 10.9.0.1/24 dev wire");
}

TEST_F_TIMEOUT(mobility, address, 100)
{
	address_changes(_metadata, self, variant->use);
}

/* Bob is not told of addresses, and sees the new one all the same. */
TEST_F_TIMEOUT(mobility, untold_address, 100)
{
	set_sysctl(ALICE, "announce_endpoints", "0");
	address_changes(_metadata, self, variant->use);
	set_sysctl(ALICE, "announce_endpoints", "1");
}

/* A NAT in the middle forgets alice and gives her another port. */
TEST_F_TIMEOUT(mobility, nat, 100)
{
	static const char *const where[] = { "10.6.0.2" };
	char before[80], word;
	long long probes;

	self->nat = place_nat();
	ASSERT_TRUE(connect_at(self, 1, where));
	snprintf(before, sizeof(before), "%s", endpoint_of(self->fd[BOB], SSS_PEER_ENDPOINT));
	EXPECT_EQ(0, strncmp(before, "10.6.0.1:", 9)) TH_LOG("%s", before);
	ASSERT_TRUE(use_before(self, variant->use));
	EXPECT_TRUE(size_is_found(self));
	probes = get_stat(BOB, "PmtuProbes");
	/* what was translated over an interface that goes down is forgotten */
	shell_at(self->nat, "ip link set outer down");
	shell_at(self->nat, "ip link set outer up");
	if (variant->use == BOB_FIRST) {
		/* who is behind a NAT that forgot him is reached for sure once he speaks */
		ASSERT_EQ(1, send(self->fd[BOB], "b", 1, 0));
		ASSERT_EQ(1, send(self->fd[ALICE], "a", 1, 0));
		EXPECT_EQ(1, recv(self->fd[BOB], &word, 1, 0));
		EXPECT_EQ(1, recv(self->fd[ALICE], &word, 1, 0));
	}
	expect_all(_metadata, self, use_after(self, variant->use));
	EXPECT_EQ(0, strncmp(endpoint_of(self->fd[BOB], SSS_PEER_ENDPOINT), "10.6.0.1:", 9));
	EXPECT_STRNE(before, endpoint_of(self->fd[BOB], SSS_PEER_ENDPOINT));
	/* only the port is another one: it is the same path */
	EXPECT_EQ(probes, get_stat(BOB, "PmtuProbes"));
}

/* IPv4 is taken away; both of bob's endpoints were configured. */
TEST_F_TIMEOUT(mobility, to_v6, 100)
{
	static const char *const where[] = { "10.9.0.2", "fd09::2" };

	shell_in(ALICE, "ip -6 addr del fd09::1/64 dev wire");
	ASSERT_TRUE(connect_at(self, 2, where));
	shell_in(ALICE, "ip -6 addr add fd09::1/64 dev wire nodad");
	ASSERT_TRUE(use_before(self, variant->use));
	EXPECT_EQ(0, strncmp(endpoint_of(self->fd[ALICE], SSS_PEER_ENDPOINT), "10.9.0.2:", 9));
	shell_in(ALICE, "ip addr del 10.9.0.1/24 dev wire");
	expect_all(_metadata, self, use_after(self, variant->use));
	EXPECT_EQ(0, strncmp(endpoint_of(self->fd[ALICE], SSS_PEER_ENDPOINT), "[fd09::2]:", 10));
	EXPECT_EQ(0, strncmp(endpoint_of(self->fd[BOB], SSS_PEER_ENDPOINT), "[fd09::1]:", 10));
	shell_in(ALICE, "ip addr add 10.9.0.1/24 dev wire");
}

/* Alice's only interface goes, and comes back after so many seconds. */
static void interface_goes(struct __test_metadata *_metadata, FIXTURE_DATA(mobility) *self,
			   enum use use, int seconds)
{
	shell_in(ALICE, "ip link set wire down");
	/*
	 * Nobody has to wait for an answer to know that none can come: routes are looked
	 * at at once, or within a second of the last time. Silence takes 20 s to tell.
	 */
	if (use == BUSY)
		EXPECT_TRUE(eventually(2000, info_of(self->fd[ALICE]).link == SSS_LINK_DOWN));
	usleep(1000000LL * seconds);
	if (use == BUSY)
		EXPECT_EQ(SSS_LINK_DOWN, info_of(self->fd[ALICE]).link);
	shell_in(ALICE, "ip link set wire up");
	shell_in(ALICE, "ip -6 addr add fd09::1/64 dev wire nodad");
}

TEST_F_TIMEOUT(mobility, interface, 200)
{
	static const char *const where[] = { "10.9.0.2" };

	ASSERT_TRUE(connect_at(self, 1, where));
	ASSERT_TRUE(use_before(self, variant->use));
	interface_goes(_metadata, self, variant->use, 60);
	expect_all(_metadata, self, use_after(self, variant->use));
}

/* Seconds in which keys serve for sending and for receiving, and are there */
static void set_lives(int send, int receive, int erase)
{
	char ms[32];

	for (int who = ALICE; who <= BOB; who++) {
		snprintf(ms, sizeof(ms), "%d000", send);
		set_sysctl(who, "stop_send_ms", ms);
		snprintf(ms, sizeof(ms), "%d000", receive);
		set_sysctl(who, "stop_receive_ms", ms);
		snprintf(ms, sizeof(ms), "%d000", erase);
		set_sysctl(who, "erase_ms", ms);
	}
}

/* No keys are left, so INITIATE has to go; it does not wait up to 15 s for its turn. */
TEST_F_TIMEOUT(mobility, interface_for_long, 1000)
{
	static const char *const where[] = { "10.9.0.2" };
	long long took;

	if (variant->use != BUSY)
		return;
	set_lives(20, 25, 30);
	ASSERT_TRUE(connect_at(self, 1, where));
	ASSERT_TRUE(use_before(self, BUSY));
	for (int i = 0; i < 4; i++) {
		interface_goes(_metadata, self, BUSY, 80 + i);
		took = traffic_goes_on(&self->t, SOON);
		EXPECT_LE(0, took);
		EXPECT_GT(2000, took) TH_LOG("%lld ms", took);
	}
	EXPECT_TRUE(traffic_end(&self->t));
	set_lives(180, 240, 300);
}

FIXTURE(quiet) {
	struct both b;
	int fd[2];
	int nat;
};

FIXTURE_SETUP(quiet)
{
	static const char *const where[] = { "10.6.0.2" };

	self->nat = place_nat();
	make_hosts_at(&self->b, "quiet", 9890, 1, where);
	ASSERT_EQ(0, connected_pair(&self->b, self->fd));
	ASSERT_TRUE(talks(self->fd[ALICE], self->fd[BOB]));
}

FIXTURE_TEARDOWN(quiet)
{
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	remove_hosts(&self->b);
	remove_nat(self->nat);
}

/* SO_KEEPALIVE on one stream: the NAT forgets nothing, so bob can speak at any time. */
TEST_F_TIMEOUT(quiet, kept_open, 1000)
{
	char before[80], word = 0;
	int *fd = self->fd, on = 1;

	snprintf(before, sizeof(before), "%s", endpoint_of(fd[BOB], SSS_PEER_ENDPOINT));
	ASSERT_EQ(0, setsockopt(fd[ALICE], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	usleep(600000000);
	EXPECT_EQ(1, send(fd[BOB], "b", 1, 0));
	set_timeout(fd[ALICE], SO_RCVTIMEO, SOON);
	EXPECT_EQ(1, recv(fd[ALICE], &word, 1, 0)) TH_LOG("%m");
	EXPECT_EQ('b', word);
	EXPECT_STREQ(before, endpoint_of(fd[BOB], SSS_PEER_ENDPOINT));
}

TEST_HARNESS_MAIN
