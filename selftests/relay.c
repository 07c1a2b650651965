// SPDX-License-Identifier: GPL-2.0
/*
 * Paths through a relay: what the kernel does with them, and that it leaves them for
 * one that needs none. The relay is a process of this test, with a cable to each:
 *
 *   alice 10.21.0.1 - 10.21.0.2 relay 10.22.0.2 - 10.22.0.1 bob
 *
 * The cable between the two is the way without it.
 */
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include "kselftest_harness.h"
#include "helper.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define RELAY_PORT	7000
#define HEADER		16
#define SESSION(who)	(0x0102030405060700ULL + (who))
#define MOST		8	/* packets that leave together */
#define NOBODY		65534

/* What the relay has done; shared with it */
struct done {
	volatile unsigned long packets, together;
};

FIXTURE(relay) {
	struct both b;
	struct helper h[2];
	char name[16];
	int listener;
};

static int relay_ns;
static struct done *done;

/* One packet that waits, or several of one size for the same end */
struct gathered {
	unsigned char buf[MOST * 1500];
	size_t len, size;
	int to, n;
};

static void flush(int fd, struct gathered *g, const struct sockaddr_in *end)
{
	char control[CMSG_SPACE(sizeof(uint16_t))] = "";
	struct iovec iov = { g->buf, g->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_name = (void *)end,
			      .msg_namelen = sizeof(*end) };
	struct cmsghdr *cmsg;

	if (g->n > 1) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_UDP;
		cmsg->cmsg_type = UDP_SEGMENT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(uint16_t));
		*(uint16_t *)CMSG_DATA(cmsg) = g->size;
		done->together += g->n;
	}
	if (g->n && end->sin_port && sendmsg(fd, &msg, 0) >= 0)
		done->packets += g->n;
	g->n = g->len = 0;
}

/* Knows each end by its session, and where it is by what came last; for ever. */
static void forward(int fd)
{
	static struct gathered g;
	struct sockaddr_in end[2] = { }, from;
	unsigned char packet[2048];
	socklen_t len;
	uint64_t id;
	ssize_t n;
	int who;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, packet, sizeof(packet), g.n ? MSG_DONTWAIT : 0, (void *)&from, &len);
		if (n < 0) {
			flush(fd, &g, &end[g.to]);
			continue;
		}
		memcpy(&id, packet + 8, sizeof(id));
		who = be64toh(id) - SESSION(ALICE);
		if (n <= HEADER || packet[0] != 6 || who < ALICE || who > BOB)
			continue;
		end[who] = from;
		id = htobe64(SESSION(!who));
		memcpy(packet + 8, &id, sizeof(id));
		if (g.n && (g.to != !who || (size_t)n != g.size || g.n == MOST))
			flush(fd, &g, &end[g.to]);
		g.to = !who;
		g.size = n;
		memcpy(g.buf + g.len, packet, n);
		g.len += n;
		g.n++;
	}
}

static void start_relay(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(RELAY_PORT) };
	int fd;

	setns(relay_ns, CLONE_NEWNET);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)))
		genl_die("relay");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		forward(fd);
	}
	close(fd);
}

/* Once for all tests */
static void __attribute__((constructor)) make_relay(void)
{
	int who;

	relay_ns = new_namespace();
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	lay_cable("relay", ns[ALICE], relay_ns, 21);
	shell_at(relay_ns, "ip link set relay down");	/* or it keeps its name, on 6.1 */
	shell_at(relay_ns, "ip link set relay name alice");
	shell_at(relay_ns, "ip link set alice up");
	lay_cable("relay", ns[BOB], relay_ns, 22);
	start_relay();
	for (who = ALICE; who <= BOB; who++) {
		set_sysctl(who, "announce_endpoints", "0");
		set_sysctl(who, "initiate_interval_ms", "100");
	}
	blackhole("wire", true);
}

FIXTURE_SETUP(relay)
{
	int who;

	snprintf(self->name, sizeof(self->name), "relayed%d", getpid() % 10000);
	make_strangers(&self->b, self->name, 10000 + getpid() % 10000);
	for (who = ALICE; who <= BOB; who++)
		helper_open(&self->h[who], who);
	self->listener = listen_as(&self->b, BOB);
	ASSERT_LE(0, self->listener);
}

FIXTURE_TEARDOWN(relay)
{
	int who;

	close(self->listener);
	remove_hosts(&self->b);
	for (who = ALICE; who <= BOB; who++)
		helper_close(&self->h[who]);
}

static struct sss_relay relay_for(int who)
{
	struct sss_relay relay = { .session = htobe64(SESSION(who)) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(RELAY_PORT) };

	inet_pton(AF_INET, who == ALICE ? "10.21.0.2" : "10.22.0.2", &in.sin_addr);
	memcpy(relay.address, &in, sizeof(in));
	return relay;
}

/* @who hears that the other one is behind relays, and at @n places perhaps */
static int tell_relays(FIXTURE_DATA(relay) *self, int who, const struct sss_relay *relays,
		       int n_relays, int n, const char *const *where)
{
	struct nlmsghdr *nlh = answer_start(&self->h[who], self->b.name, &self->b.eid[!who]);
	struct nlattr *nest;
	int i;

	if (n)
		genl_put_endpoints(nlh, n, where, self->b.port);
	nest = mnl_attr_nest_start(nlh, SSS_A_RELAYS);
	for (i = 0; i < n_relays; i++)
		genl_put(nlh, SSS_A_RELAY, &relays[i], sizeof(relays[i]));
	mnl_attr_nest_end(nlh, nest);
	return genl_call(&self->h[who].answers, nlh, NULL, NULL);
}

static int tell(FIXTURE_DATA(relay) *self, int who, int n, const char *const *where)
{
	struct sss_relay relay = relay_for(who);

	return tell_relays(self, who, &relay, 1, n, where);
}

/* A stream through the relay, each being told of @n other places */
static bool connect_relayed(FIXTURE_DATA(relay) *self, int n, const char *const *at_bob,
			    const char *const *at_alice, int fd[2])
{
	int who;

	if (tell(self, BOB, n, at_alice) || tell(self, ALICE, n, at_bob))
		return false;
	fd[ALICE] = dial_as(&self->b, ALICE);
	fd[BOB] = fd[ALICE] < 0 ? -1 : accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
	for (who = ALICE; who <= BOB; who++)
		set_timeout(fd[who], SO_RCVTIMEO, PATIENCE);
	return fd[BOB] >= 0;
}

static bool is_relayed(int fd)
{
	return info_of(fd).path & SSS_PATH_RELAYED;
}

/* The relays that a message about @host names, and how many endpoints */
struct shown {
	const char *host;
	struct sss_relay relay;
	int relays, endpoints;
};

static int take_shown(const struct nlmsghdr *nlh, void *data)
{
	struct shown *shown = data;
	const struct nlattr *in;
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	if (strcmp(mnl_attr_get_str(a.of[SSS_A_HOST_NAME]), shown->host))
		return MNL_CB_OK;
	if (a.of[SSS_A_ENDPOINT])
		shown->endpoints++;
	if (a.of[SSS_A_ENDPOINTS])
		mnl_attr_for_each_nested(in, a.of[SSS_A_ENDPOINTS])
			shown->endpoints++;
	if (!a.of[SSS_A_RELAYS])
		return MNL_CB_OK;
	mnl_attr_for_each_nested(in, a.of[SSS_A_RELAYS]) {
		shown->relays++;
		memcpy(&shown->relay, mnl_attr_get_payload(in), sizeof(shown->relay));
	}
	return MNL_CB_OK;
}

static struct shown show(FIXTURE_DATA(relay) *self, int who, int cmd)
{
	struct shown shown = { .host = self->name };
	struct nlmsghdr *nlh = genl_start(&self->h[who].answers, cmd, NLM_F_DUMP);

	genl_call(&self->h[who].answers, nlh, take_shown, &shown);
	return shown;
}

/* In a child: who may not change anything sees the relay, but not the session. */
static int look(FIXTURE_DATA(relay) *self, int cmd)
{
	struct sss_relay relay = relay_for(ALICE);
	struct shown shown;

	enter(ALICE);
	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	mnl_socket_close(self->h[ALICE].answers.nl);
	genl_open(&self->h[ALICE].answers);
	shown = show(self, ALICE, cmd);
	relay.session = 0;
	return shown.relays != 1 || memcmp(&relay, &shown.relay, sizeof(relay)) ? 2 : 0;
}

static int look_as_nobody(FIXTURE_DATA(relay) *self, int cmd)
{
	pid_t pid = fork();

	if (!pid)
		_exit(look(self, cmd));
	return result_of(pid);
}

/* Both directions at once, every byte compared; also when packets come together */
TEST_F_TIMEOUT(relay, carries_a_stream, 60)
{
	struct sss_relay relay = relay_for(ALICE);
	struct shown shown;
	struct traffic t;
	int fd[2];

	ASSERT_TRUE(connect_relayed(self, 0, NULL, NULL, fd)) TH_LOG("%m");
	ASSERT_TRUE(talks(fd[ALICE], fd[BOB]));
	EXPECT_TRUE(is_relayed(fd[ALICE]));
	EXPECT_TRUE(is_relayed(fd[BOB]));
	EXPECT_STREQ("10.21.0.2:7000", endpoint_of(fd[ALICE], SSS_PEER_ENDPOINT));
	EXPECT_STREQ("10.22.0.2:7000", endpoint_of(fd[BOB], SSS_PEER_ENDPOINT));
	shown = show(self, ALICE, SSS_CMD_CHANNEL_GET);
	EXPECT_EQ(1, shown.relays);
	EXPECT_EQ(0, shown.endpoints);
	EXPECT_EQ(0, memcmp(&relay, &shown.relay, sizeof(relay)));
	shown = show(self, ALICE, SSS_CMD_PEER_GET);
	EXPECT_EQ(1, shown.relays);
	EXPECT_EQ(0, shown.endpoints);
	EXPECT_EQ(0, memcmp(&relay, &shown.relay, sizeof(relay)));
	EXPECT_EQ(0, look_as_nobody(self, SSS_CMD_CHANNEL_GET));
	EXPECT_EQ(0, look_as_nobody(self, SSS_CMD_PEER_GET));

	traffic_start(&t, fd);
	EXPECT_TRUE(eventually(PATIENCE, t.got[ALICE] > 200000 && t.got[BOB] > 200000 &&
					 done->together > 20 && info_of(fd[ALICE]).pmtu > 1300));
	EXPECT_TRUE(traffic_end(&t));
	TH_LOG("%zu and %zu bytes, %lu packets, %lu of them together", t.got[ALICE], t.got[BOB],
	       done->packets, done->together);
	/* sixteen bytes less than the link takes, or a little less than that */
	EXPECT_GE(1500 - 28 - HEADER, info_of(fd[ALICE]).pmtu);
	EXPECT_LT(1500 - 28 - HEADER - 16, info_of(fd[ALICE]).pmtu);
	close(fd[ALICE]);
	close(fd[BOB]);
}

static const char *const bobs[] = { "10.9.0.2" };
static const char *const alices[] = { "10.9.0.1" };

static bool both_relayed(int fd[2], bool relayed)
{
	return is_relayed(fd[ALICE]) == relayed && is_relayed(fd[BOB]) == relayed;
}

/* A way without the relay opens, and closes again; the stream has the better one. */
TEST_F_TIMEOUT(relay, leaves_for_a_direct_path, 90)
{
	long long changes;
	struct traffic t;
	int fd[2];

	ASSERT_TRUE(connect_relayed(self, 1, bobs, alices, fd)) TH_LOG("%m");
	ASSERT_TRUE(talks(fd[ALICE], fd[BOB]));
	EXPECT_TRUE(both_relayed(fd, true));
	traffic_start(&t, fd);
	blackhole("wire", false);
	EXPECT_TRUE(eventually(PATIENCE, both_relayed(fd, false)));
	EXPECT_STREQ("10.9.0.2", strtok((char *)endpoint_of(fd[ALICE], SSS_PEER_ENDPOINT), ":"));
	/* and stays there */
	changes = sum("PathChanges");
	usleep(500000);
	EXPECT_EQ(changes, sum("PathChanges"));
	EXPECT_TRUE(both_relayed(fd, false));
	/* until it is gone */
	blackhole("wire", true);
	EXPECT_TRUE(eventually(PATIENCE, both_relayed(fd, true)));
	EXPECT_TRUE(traffic_end(&t));
	close(fd[ALICE]);
	close(fd[BOB]);
}

/* Does nothing go through the relay for so long? */
static bool is_quiet(int ms)
{
	unsigned long packets = done->packets;

	usleep(1000 * ms);
	return done->packets == packets;
}

/* Bob is heard through the relay only, and hears all: alice does not insist for ever. */
TEST_F_TIMEOUT(relay, one_way, 90)
{
	int fd[2];
	char c;

	ASSERT_TRUE(connect_relayed(self, 1, bobs, alices, fd)) TH_LOG("%m");
	blackhole("wire", false);
	EXPECT_TRUE(eventually(PATIENCE, talks(fd[ALICE], fd[BOB]) && both_relayed(fd, false)));
	shell_in(ALICE, "nft 'table ip oneway { chain in { type filter hook input priority 0; "
		 "iifname wire udp dport %d drop; }; }'", self->b.port);
	EXPECT_EQ(1, send(fd[BOB], "x", 1, 0));
	EXPECT_EQ(1, recv(fd[ALICE], &c, 1, 0));
	EXPECT_TRUE(is_relayed(fd[BOB]));
	/* no answer brings the next one for ever */
	EXPECT_TRUE(eventually(PATIENCE, is_quiet(300)));
	EXPECT_TRUE(eventually(PATIENCE, send(fd[BOB], "y", 1, 0) == 1 && both_relayed(fd, true)));
	shell_in(ALICE, "nft delete table ip oneway");
	blackhole("wire", true);
	close(fd[ALICE]);
	close(fd[BOB]);
}

/* Nothing is written meanwhile: that is no reason to stay. */
TEST_F_TIMEOUT(relay, leaves_when_idle, 60)
{
	int fd[2];

	ASSERT_TRUE(connect_relayed(self, 1, bobs, alices, fd)) TH_LOG("%m");
	ASSERT_TRUE(talks(fd[ALICE], fd[BOB]));
	EXPECT_TRUE(both_relayed(fd, true));
	blackhole("wire", false);
	EXPECT_TRUE(eventually(PATIENCE, both_relayed(fd, false)));
	EXPECT_TRUE(talks(fd[ALICE], fd[BOB]));
	blackhole("wire", true);
	close(fd[ALICE]);
	close(fd[BOB]);
}

/* A later answer tells of a direct path. */
TEST_F_TIMEOUT(relay, later_answer, 60)
{
	int fd[2];

	ASSERT_TRUE(connect_relayed(self, 0, NULL, NULL, fd)) TH_LOG("%m");
	ASSERT_TRUE(talks(fd[ALICE], fd[BOB]));
	blackhole("wire", false);
	EXPECT_EQ(0, answer(&self->h[ALICE], self->name, &self->b.eid[BOB], 1, bobs, self->b.port));
	EXPECT_TRUE(eventually(PATIENCE, both_relayed(fd, false)));
	EXPECT_TRUE(talks(fd[ALICE], fd[BOB]));
	blackhole("wire", true);
	close(fd[ALICE]);
	close(fd[BOB]);
}

/* Answers that are none */
TEST_F(relay, malformed)
{
	static const char *const eight[] = { "10.9.0.31", "10.9.0.32", "10.9.0.33", "10.9.0.34",
					     "10.9.0.35", "10.9.0.36", "10.9.0.37", "10.9.0.38" };
	struct sss_relay relay = relay_for(ALICE), twice[2] = { relay, relay };

	EXPECT_EQ(EINVAL, tell_relays(self, ALICE, &relay, 0, 0, NULL));
	EXPECT_EQ(EINVAL, tell_relays(self, ALICE, twice, 2, 0, NULL));
	EXPECT_EQ(E2BIG, tell_relays(self, ALICE, &relay, 1, 8, eight));
	relay.session = 0;
	EXPECT_EQ(EINVAL, tell_relays(self, ALICE, &relay, 1, 0, NULL));
	relay = relay_for(ALICE);
	relay.reserved = 1;
	EXPECT_EQ(EINVAL, tell_relays(self, ALICE, &relay, 1, 0, NULL));
	relay = relay_for(ALICE);
	relay.address[27] = 1;
	EXPECT_EQ(EINVAL, tell_relays(self, ALICE, &relay, 1, 0, NULL));
	relay = relay_for(ALICE);
	relay.address[2] = relay.address[3] = 0;	/* the port */
	EXPECT_EQ(EINVAL, tell_relays(self, ALICE, &relay, 1, 0, NULL));
	memset(relay.address, 0, sizeof(relay.address));
	EXPECT_EQ(EAFNOSUPPORT, tell_relays(self, ALICE, &relay, 1, 0, NULL));
}

/* Packets that are none; and no header inside a header */
TEST_F(relay, bad_packets)
{
	static const struct {
		const char *counter;
		unsigned char packet[64];
		int len;
	} bad[] = {
		{ "RxDropRelay", { 6, [15] = 1 }, 16 },
		{ "RxDropRelay", { 6, [16] = 5 }, 64 },
		{ "RxDropType", { 6, [15] = 1, [16] = 6, [31] = 1, [32] = 5 }, 64 },
		{ "RxDropShort", { 6, [15] = 1, [16] = 5 }, 20 },
		{ "RxDropIndex", { 6, [15] = 1, [16] = 5 }, 64 },
	};
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(self->b.port) };
	unsigned int i;
	int fd;

	inet_pton(AF_INET, "10.21.0.1", &in.sin_addr);
	setns(relay_ns, CLONE_NEWNET);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		long long before = get_stat(ALICE, bad[i].counter);

		EXPECT_EQ(bad[i].len, sendto(fd, bad[i].packet, bad[i].len, 0, (void *)&in,
					     sizeof(in)));
		EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, bad[i].counter) == before + 1))
			TH_LOG("%u: %s", i, bad[i].counter);
	}
	close(fd);
}

TEST_HARNESS_MAIN
