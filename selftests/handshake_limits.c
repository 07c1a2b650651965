// SPDX-License-Identifier: GPL-2.0
/*
 * What handshakes are refused or held to: half-open ones, replayed ones, wrong
 * pre-shared keys, hosts that keep something to themselves, retransmission.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include "kselftest_harness.h"
#include "handshake_hosts.h"

#define INITIATE_LEN 480

static void set_peer_psk(int who, const char *name, const struct sss_eid *eid, unsigned char first)
{
	unsigned char psk[32] = { first };
	static struct genl g;
	struct nlmsghdr *nlh;

	enter(who);
	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_PEER_SET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	genl_put(nlh, SSS_A_PEER_EID, eid, sizeof(*eid));
	genl_put(nlh, SSS_A_PEER_PSK, psk, sizeof(psk));
	errno = genl_call(&g, nlh, NULL, NULL);
	if (errno)
		genl_die("giving a peer a key");
	mnl_socket_close(g.nl);
}

/* A call under way: connect() that does not wait */
static int start_call(const struct both *b, int who)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = b->eid[!who] };
	int fd = open_as(b, who, "");

	snprintf(addr.sss_service, sizeof(addr.sss_service), "%s", b->service[!who]);
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	set_nonblock(fd, true);
	if (connect_to(fd, &addr) && errno != EINPROGRESS)
		return -1;
	return fd;
}

/* Did the call come through? */
static bool came_through(int fd)
{
	if (!(polled(fd, POLLOUT, PATIENCE) & POLLOUT) || so_error(fd))
		return false;
	set_nonblock(fd, false);
	return true;
}

/*
 * No more half-open handshakes than there may be. The peer that has most loses
 * its oldest, so another one is still answered; when the line is mended, all
 * calls come through.
 */
TEST(half_open)
{
	static const char *const names[] = { "half0", "half1", "half2" };
	long long dropped = get_stat(BOB, "HsDropLimit"), answered;
	struct both b[3];
	int listener[3], fd[3], end, i;

	ASSERT_EQ(0, stream_pair(V4, fd));	/* so that each knows the other's link address */
	close(fd[0]);
	close(fd[1]);
	set_sysctl(ALICE, "initiate_interval_ms", "3000");
	for (i = 0; i < 3; i++) {
		make_hosts(&b[i], names[i], 9720 + i);
		b[i].service[BOB] = names[i];
	}
	/* Two of alice's call the same one of bob's. */
	enter(ALICE);
	add_peer(names[1], &b[0].eid[BOB], "10.9.0.2", 9720);
	b[1].eid[BOB] = b[0].eid[BOB];
	b[1].service[BOB] = b[0].service[BOB];
	listener[0] = listen_as(&b[0], BOB);
	listener[2] = listen_as(&b[2], BOB);

	/* What the stream above left has to go first. */
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(BOB, "HalfOpen")));
	answered = get_stat(BOB, "HsTxRespond");
	set_sysctl(BOB, "max_half_open", "2");
	netem(BOB, "loss 100%");
	for (i = 0; i < 3; i++) {
		fd[i] = start_call(&b[i], ALICE);
		ASSERT_LE(0, fd[i]);
		EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsTxRespond") > answered + i));
		EXPECT_GE(2, get_stat(BOB, "HalfOpen"));
		if (i < 2)
			EXPECT_EQ(dropped, get_stat(BOB, "HsDropLimit"));
	}
	/* one may just be making room for a call that is repeated */
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HalfOpen") == 2));
	EXPECT_LT(dropped, get_stat(BOB, "HsDropLimit"));
	netem(BOB, NULL);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(came_through(fd[i])) TH_LOG("caller %d", i);
		EXPECT_GE(2, get_stat(BOB, "HalfOpen"));
	}
	for (i = 0; i < 3; i++) {
		end = accept(listener[i == 2 ? 2 : 0], NULL, NULL);
		EXPECT_LE(0, end);
		close(end);
		close(fd[i]);
	}
	set_sysctl(ALICE, "initiate_interval_ms", "1000");
	set_sysctl(BOB, "max_half_open", "1024");
	close(listener[0]);
	close(listener[2]);
	for (i = 0; i < 3; i++)
		remove_hosts(&b[i]);
}

/* All that leaves alice, from now on */
static int tap(void)
{
	struct sockaddr_ll wire = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};
	int fd;

	enter(ALICE);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	wire.sll_ifindex = if_nametoindex("wire");
	if (fd < 0 || bind(fd, (struct sockaddr *)&wire, sizeof(wire)))
		genl_die("packet socket");
	return fd;
}

/* The next INITIATE that alice sent over IPv4; false: none so far */
static bool next_initiate(int fd, unsigned char msg[INITIATE_LEN])
{
	enum { HEADERS = 20 + 8 };
	struct sockaddr_ll from;
	unsigned char buf[2048];
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len)) >= 0) {
		len = sizeof(from);
		if (from.sll_pkttype != PACKET_OUTGOING || n != HEADERS + INITIATE_LEN ||
		    buf[0] != 0x45 || buf[HEADERS] != 1)
			continue;
		memcpy(msg, buf + HEADERS, INITIATE_LEN);
		return true;
	}
	return false;
}

static void replay(const struct both *b, const unsigned char msg[INITIATE_LEN])
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(b->port) };
	int fd;

	inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
	enter(ALICE);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sendto(fd, msg, INITIATE_LEN, 0, (void *)&to, sizeof(to)) != INITIATE_LEN)
		genl_die("replay");
	close(fd);
}

/* Another handshake on the channel of this stream, while data flows */
static bool shakes_again(int fd, int end)
{
	long long sent = get_stat(ALICE, "HsTxInitiate"), got = get_stat(ALICE, "HsRxRespond");
	long long confirmed = sum("HsConfirmed");
	bool again;

	set_sysctl(ALICE, "rekey_initiator_ms", "10");
	again = eventually(PATIENCE, talks(fd, end) && sum("HsConfirmed") > confirmed);
	set_sysctl(ALICE, "rekey_initiator_ms", "120000");
	/* None may be under way. */
	return again && eventually(PATIENCE, get_stat(ALICE, "HsTxInitiate") - sent ==
					     get_stat(ALICE, "HsRxRespond") - got);
}

/*
 * An old INITIATE is answered now and then, as the peer's clock may have gone
 * back, and changes nothing; in between it is not answered.
 */
TEST(stale)
{
	unsigned char old[2][INITIATE_LEN], newer[INITIATE_LEN];
	long long confirmed, answered, stale, channels;
	int listener, fd, end, wire, i;
	struct both b;

	make_hosts(&b, "stale", 9730);
	wire = tap();
	listener = listen_as(&b, BOB);
	fd = dial_as(&b, ALICE);
	ASSERT_LE(0, fd);
	end = accept(listener, NULL, NULL);
	ASSERT_TRUE(talks(fd, end));
	ASSERT_TRUE(next_initiate(wire, old[0]));
	ASSERT_TRUE(shakes_again(fd, end));
	ASSERT_TRUE(next_initiate(wire, old[1]));
	ASSERT_TRUE(shakes_again(fd, end));
	ASSERT_TRUE(next_initiate(wire, newer));

	/* Their answers are kept for a while, and then they are nothing but old. */
	set_sysctl(BOB, "initiate_lifetime_ms", "10");
	EXPECT_TRUE(eventually(PATIENCE, !get_stat(BOB, "HalfOpen")));
	set_sysctl(BOB, "initiate_lifetime_ms", "5000");
	confirmed = sum("HsConfirmed");
	answered = get_stat(BOB, "HsTxRespond");
	stale = get_stat(BOB, "HsDropStamp");
	channels = get_stat(BOB, "Channels");
	replay(&b, old[0]);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsTxRespond") == answered + 1));
	EXPECT_EQ(stale, get_stat(BOB, "HsDropStamp"));
	EXPECT_TRUE(talks(fd, end));
	replay(&b, old[1]);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsDropStamp") == stale + 1));
	/* The newest that was confirmed is no better, and copies are only copies. */
	for (i = 0; i < 3; i++)
		replay(&b, newer);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsDropStamp") == stale + 4));
	EXPECT_EQ(answered + 1, get_stat(BOB, "HsTxRespond"));
	EXPECT_EQ(confirmed, sum("HsConfirmed"));
	EXPECT_EQ(channels, get_stat(BOB, "Channels"));
	EXPECT_TRUE(talks(fd, end));
	/* Who has the key is not shut out. */
	EXPECT_TRUE(shakes_again(fd, end));
	EXPECT_TRUE(talks(fd, end));
	close(wire);
	close(fd);
	close(end);
	close(listener);
	remove_hosts(&b);
}

/* With different pre-shared keys nothing comes about; with the same it does. */
TEST(psk)
{
	long long confirmed = sum("HsConfirmed");
	long long channels = get_stat(BOB, "Channels");
	long long refused = get_stat(ALICE, "HsDropNoise");
	int listener, fd, end;
	struct both b;

	make_hosts(&b, "psk", 9731);
	set_sysctl(ALICE, "connect_timeout_ms", "700");
	listener = listen_as(&b, BOB);
	set_peer_psk(ALICE, "psk", &b.eid[BOB], 1);
	EXPECT_EQ(-1, dial_as(&b, ALICE));
	EXPECT_EQ(EKEYREJECTED, errno) TH_LOG("%s", strerror(errno));
	set_peer_psk(BOB, "psk", &b.eid[ALICE], 2);
	EXPECT_EQ(-1, dial_as(&b, ALICE));
	EXPECT_EQ(EKEYREJECTED, errno) TH_LOG("%s", strerror(errno));
	EXPECT_LE(refused + 2, get_stat(ALICE, "HsDropNoise"));
	EXPECT_EQ(confirmed, sum("HsConfirmed"));
	EXPECT_EQ(channels, get_stat(BOB, "Channels"));
	EXPECT_EQ(0, polled(listener, POLLIN, 0));
	set_sysctl(ALICE, "connect_timeout_ms", "30000");

	set_peer_psk(BOB, "psk", &b.eid[ALICE], 1);
	fd = dial_as(&b, ALICE);
	EXPECT_LE(0, fd) TH_LOG("%s", strerror(errno));
	end = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(fd, end));
	close(fd);
	close(end);
	close(listener);
	remove_hosts(&b);
}

/* Who calls while another call is about to be given up has all of its own time. */
TEST(joined)
{
	int first, second;
	struct both b;
	long long begun;

	make_hosts(&b, "joined", 9736);
	set_sysctl(ALICE, "connect_timeout_ms", "1000");
	set_sysctl(ALICE, "initiate_interval_ms", "300");
	netem(BOB, "loss 100%");
	first = start_call(&b, ALICE);
	ASSERT_LE(0, first);
	EXPECT_EQ(0, polled(first, POLLOUT, 600));
	begun = now_ms();
	second = start_call(&b, ALICE);
	ASSERT_LE(0, second);
	EXPECT_NE(0, polled(first, POLLOUT, PATIENCE));
	EXPECT_EQ(ETIMEDOUT, so_error(first));
	EXPECT_EQ(0, polled(second, POLLOUT, 0)) TH_LOG("it ended with the first");
	EXPECT_NE(0, polled(second, POLLOUT, PATIENCE));
	EXPECT_LE(1000, now_ms() - begun);
	EXPECT_EQ(ETIMEDOUT, so_error(second));
	set_sysctl(ALICE, "initiate_interval_ms", "1000");
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	netem(BOB, NULL);
	close(first);
	close(second);
	remove_hosts(&b);
}

/* Who is called in vain is called no more when nobody waits for the answer. */
TEST(given_up)
{
	long long before, sent, timeouts;
	int first, second;
	struct both b;

	make_hosts(&b, "given", 9746);
	set_sysctl(ALICE, "connect_timeout_ms", "2000");
	set_sysctl(BOB, "connect_timeout_ms", "3000");
	set_sysctl(ALICE, "initiate_interval_ms", "200");
	netem(BOB, "loss 100%");
	before = get_stat(ALICE, "HsTxInitiate");
	timeouts = get_stat(ALICE, "HsTimeouts");
	first = start_call(&b, ALICE);
	ASSERT_LE(0, first);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, "HsTxInitiate") > before));
	close(first);
	sent = get_stat(ALICE, "HsTxInitiate");
	second = start_call(&b, BOB);
	ASSERT_LE(0, second);
	EXPECT_NE(0, polled(second, POLLOUT, PATIENCE));
	EXPECT_EQ(ETIMEDOUT, so_error(second));
	EXPECT_GE(sent + 1, get_stat(ALICE, "HsTxInitiate"));
	EXPECT_EQ(timeouts, get_stat(ALICE, "HsTimeouts"));
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	set_sysctl(BOB, "connect_timeout_ms", "30000");
	set_sysctl(ALICE, "initiate_interval_ms", "1000");
	netem(BOB, NULL);
	close(second);
	remove_hosts(&b);
}

/* A stealth host says nothing to those who dial another key, and serves others. */
TEST(stealth)
{
	long long rejects = get_stat(BOB, "HsTxReject");
	long long strangers = get_stat(BOB, "HsDropMac1");
	int listener, fd, end;
	struct sss_eid right;
	struct both b;

	make_hosts(&b, "stealth", 9732);
	change_host(BOB, "stealth", SSS_A_HOST_FLAGS, SSS_HOST_F_STEALTH);
	right = b.eid[BOB];
	b.eid[BOB] = eids[BOB][V4];
	enter(ALICE);
	add_peer("stealth", &b.eid[BOB], "10.9.0.2", 9732);
	set_sysctl(ALICE, "connect_timeout_ms", "700");
	EXPECT_EQ(-1, dial_as(&b, ALICE));
	EXPECT_EQ(ETIMEDOUT, errno) TH_LOG("%s", strerror(errno));
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	EXPECT_LT(strangers, get_stat(BOB, "HsDropMac1"));
	EXPECT_EQ(rejects, get_stat(BOB, "HsTxReject"));
	b.eid[BOB] = right;
	listener = listen_as(&b, BOB);
	fd = dial_as(&b, ALICE);
	EXPECT_LE(0, fd);
	end = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(fd, end));
	close(fd);
	close(end);
	close(listener);
	remove_hosts(&b);
}

/*
 * A host that hides services asks only when there are keys: another round trip,
 * the same answers.
 */
TEST(hidden_services)
{
	int listener, fd, end;
	long long before;
	struct both b;

	netem(ALICE, "delay 100ms");
	netem(BOB, "delay 100ms");
	make_hosts(&b, "hide", 9733);
	change_host(ALICE, "hide", SSS_A_HOST_FLAGS, SSS_HOST_F_HIDE_SERVICES);
	before = now_ms();
	EXPECT_EQ(-1, dial_as(&b, ALICE));
	EXPECT_EQ(ECONNREFUSED, errno) TH_LOG("%s", strerror(errno));
	EXPECT_LE(380, now_ms() - before);
	remove_hosts(&b);

	make_hosts(&b, "hide", 9733);
	change_host(ALICE, "hide", SSS_A_HOST_FLAGS, SSS_HOST_F_HIDE_SERVICES);
	listener = listen_as(&b, BOB);
	before = now_ms();
	fd = dial_as(&b, ALICE);
	EXPECT_LE(0, fd) TH_LOG("%s", strerror(errno));
	EXPECT_LE(380, now_ms() - before);
	end = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(fd, end));
	netem(ALICE, NULL);
	netem(BOB, NULL);
	close(fd);
	close(end);
	close(listener);
	remove_hosts(&b);
}

/*
 * As many channels as there may be: whoever wants one more is told, or waits
 * until there is room at the other side.
 */
TEST(channels)
{
	long long dropped = get_stat(BOB, "RxDropChannels");
	int listener, fd[2], end;
	struct both b;

	ASSERT_EQ(0, stream_pair(V4, fd));
	make_hosts(&b, "many", 9735);
	listener = listen_as(&b, BOB);
	set_sysctl(ALICE, "max_channels", "1");
	EXPECT_EQ(-1, dial_as(&b, ALICE));
	EXPECT_EQ(ENOBUFS, errno) TH_LOG("%s", strerror(errno));
	EXPECT_TRUE(talks(fd[0], fd[1]));
	set_sysctl(ALICE, "max_channels", "65536");

	set_sysctl(BOB, "max_channels", "1");
	end = start_call(&b, ALICE);
	EXPECT_LE(0, end);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "RxDropChannels") > dropped));
	EXPECT_TRUE(talks(fd[0], fd[1]));
	close(fd[0]);
	close(fd[1]);
	set_sysctl(BOB, "max_channels", "65536");
	EXPECT_TRUE(came_through(end));
	fd[0] = end;
	end = accept(listener, NULL, NULL);
	EXPECT_LE(0, end);
	EXPECT_TRUE(talks(fd[0], end));
	close(fd[0]);
	close(end);
	close(listener);
	remove_hosts(&b);
}

/* Three packets a minute are for addresses nobody vouches for: not this one. */
TEST(configured_endpoint)
{
	long long sent = get_stat(ALICE, "HsTxInitiate");
	struct both b;

	make_hosts(&b, "nobody", 9734);
	enter(BOB);
	del_host("nobody");
	set_sysctl(ALICE, "initiate_interval_ms", "20");
	set_sysctl(ALICE, "initiate_interval_max_ms", "50");
	set_sysctl(ALICE, "connect_timeout_ms", "2000");
	EXPECT_EQ(-1, dial_as(&b, ALICE));
	EXPECT_EQ(ETIMEDOUT, errno) TH_LOG("%s", strerror(errno));
	EXPECT_LT(sent + 3, get_stat(ALICE, "HsTxInitiate"));
	set_sysctl(ALICE, "initiate_interval_ms", "1000");
	set_sysctl(ALICE, "initiate_interval_max_ms", "15000");
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	enter(ALICE);
	del_host("nobody");
}

TEST_HARNESS_MAIN
