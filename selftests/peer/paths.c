// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that moves, seems to move, or tells where else it is. What it does stands
 * in protocol.rst, section "Paths".
 */
#include "kselftest_harness.h"
#include "hosts.h"
#include "../paths.h"

#define FRESH	12000	/* the congestion window of a new path: ten packets of 1200 bytes */
#define MARK_SPOOFED	7

static struct link l;

static int socket_at(const char *address)
{
	return socket_to(address, "10.9.0.2");
}

/* Bob sends @len bytes from @at on, and we take them */
static bool take_from(int fd, size_t at, size_t len)
{
	uint8_t buf[32];

	if (link_send(&l, buf, put_numbers(buf, WINDOW, 2, (uint64_t)0,
					   (uint64_t)(at + len + WINDOW_SIZE))) &&
	    send_pattern(fd, len, 2, at) != (ssize_t)len)
		return false;
	return link_until(&l, PATIENCE, l.got == at + len) && is_pattern(l.in, at + len, 2, 0);
}

static void ping(void)
{
	uint8_t buf[1] = { PING };

	link_send_once(&l, buf, 1);
}

static bool bob_sees(int fd, int local)
{
	struct sockaddr_in in = { };
	socklen_t len = sizeof(in);
	char address[64], text[80];

	getsockname(local, (struct sockaddr *)&in, &len);
	snprintf(text, sizeof(text), "%s:%d", inet_ntop(AF_INET, &in.sin_addr, address,
							sizeof(address)), ntohs(in.sin_port));
	return !strcmp(text, endpoint_of(fd, SSS_PEER_ENDPOINT));
}

/*
 * Another port: the same path, so the window stays. Another address: everything
 * starts afresh. Bob follows once the challenge is answered, and not before.
 */
TEST(port_and_address)
{
	int fd = call_bob(&l, "port"), old, port, address;
	uint64_t window;

	ASSERT_LE(0, fd);
	shell_in(ALICE, "ip addr add 10.9.0.11/24 dev wire");
	ASSERT_TRUE(take_from(fd, 0, 60000));
	window = info_of(fd).cwnd;
	EXPECT_LT(FRESH + 20000, window);

	old = l.fd;
	l.fd = port = socket_at("10.9.0.1");
	l.deaf = true;
	ping();
	EXPECT_TRUE(link_until(&l, PATIENCE, l.challenges == 1));
	EXPECT_TRUE(bob_sees(fd, old));
	l.deaf = false;
	ping();
	EXPECT_TRUE(link_until(&l, PATIENCE, bob_sees(fd, port)));
	EXPECT_LE(window, info_of(fd).cwnd);
	ASSERT_TRUE(take_from(fd, 60000, 60000));

	l.fd = address = socket_at("10.9.0.11");
	ping();
	EXPECT_TRUE(link_until(&l, PATIENCE, bob_sees(fd, address)));
	EXPECT_GE(FRESH, info_of(fd).cwnd);
	ASSERT_TRUE(take_from(fd, 120000, 60000));
	EXPECT_TRUE(bob_sees(fd, address));
	EXPECT_EQ(-1, l.close_code);
	close(fd);
	hang_up(&l);
	close(old);
	close(port);
	shell_in(ALICE, "ip addr del 10.9.0.11/24 dev wire");
}

/* A packet from where we are to bob's other address */
static void send_to_other(const uint8_t *frames, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT(V4)) };
	long long before = get_stat(BOB, "RxPackets");
	uint8_t packet[1500];

	inet_pton(AF_INET, "10.9.0.12", &to.sin_addr);
	len = link_seal(&l, packet, frames, len);
	sendto(l.fd, packet, len, 0, (struct sockaddr *)&to, sizeof(to));
	eventually(PATIENCE, get_stat(BOB, "RxPackets") > before);
}

/*
 * What is sent to another address of bob's is another path to him. But a challenge only
 * asks, and who goes to and fro has no new window for it each time.
 */
TEST(to_and_fro)
{
	uint8_t challenge[9] = { PATH_CHALLENGE, 1, 2, 3 }, one = PING;
	long long sent;
	uint64_t window;
	int fd;

	shell_in(BOB, "ip addr add 10.9.0.12/24 dev wire");
	fd = call_bob(&l, "fro");
	ASSERT_LE(0, fd);
	ASSERT_TRUE(take_from(fd, 0, 60000));
	window = info_of(fd).cwnd;
	EXPECT_LT(FRESH + 20000, window);

	link_until(&l, 1000, false);	/* or the path would not be left so soon anyway */
	send_to_other(challenge, sizeof(challenge));
	EXPECT_LE(window, info_of(fd).cwnd);
	ping();
	EXPECT_TRUE(link_settled(&l, PATIENCE));
	EXPECT_LE(window, info_of(fd).cwnd);

	l.silent = true;
	/* not at once: the path was taken just now */
	EXPECT_TRUE(eventually(PATIENCE, (ping(), send_to_other(&one, 1), 1) &&
			       info_of(fd).cwnd < FRESH + 5000));
	set_nonblock(fd, true);
	EXPECT_LT(FRESH, send_pattern(fd, 100000, 2, 60000));
	sent = get_stat(BOB, "TxBytes");
	for (int i = 0; i < 20; i++) {
		ping();
		send_to_other(&one, 1);
	}
	EXPECT_GT(sent + 100000, get_stat(BOB, "TxBytes"));
	l.silent = false;
	shell_in(BOB, "ip addr del 10.9.0.12/24 dev wire");
	close(fd);
	hang_up(&l);
}

/* A challenge that is lost is repeated, as long as the bytes that came last. */
TEST(lost_challenge)
{
	int fd = call_bob(&l, "lost"), old = l.fd;
	unsigned int most;

	ASSERT_LE(0, fd);
	l.fd = socket_at("10.9.0.1");
	l.deaf = l.silent = true;
	for (int i = 0; i < 3; i++)
		ping();			/* 33 bytes each: three packets back, no more */
	EXPECT_TRUE(link_until(&l, PATIENCE, l.challenges == 2));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.challenges == 3));
	link_until(&l, 2000, false);
	most = l.challenges;
	/* at probe timeouts three more in a minute, whatever came from there */
	EXPECT_LE(3, most);
	EXPECT_GE(6, most);
	EXPECT_TRUE(bob_sees(fd, old));
	l.deaf = l.silent = false;
	ping();
	EXPECT_TRUE(link_until(&l, PATIENCE, bob_sees(fd, l.fd)));
	EXPECT_EQ(-1, l.close_code);
	close(fd);
	hang_up(&l);
	close(old);
}

/*
 * Who confirms from another port than it called from gets no more than came from there,
 * and what the challenge takes to be repeated is not spent on data: nothing else
 * could get it going.
 */
TEST(unproved)
{
	int listener = listen_on(V4, "unproved", 1), old, fd;
	uint8_t msg[2048], frames[FRAMES_MAX] = { };
	size_t len;

	link_prepare(&l, socket_to_bob(), (const uint8_t *)&eids[BOB][V4], true);
	ASSERT_TRUE(link_initiate(&l, msg));
	send(l.fd, msg, INITIATE_LEN, 0);
	ASSERT_EQ(RESPOND_LEN, link_receive(&l, msg, sizeof(msg), PATIENCE));
	ASSERT_TRUE(link_complete(&l, msg));
	old = l.fd;
	l.fd = socket_at("10.9.0.1");
	l.deaf = l.silent = true;
	len = put_init(frames, 0, "unproved", "test 1");
	put_numbers(frames + len, WINDOW, 2, (uint64_t)0, (uint64_t)WINDOW_SIZE);
	link_send_once(&l, frames, sizeof(frames));
	fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(60000, send_pattern(fd, 60000, 2, 0));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.challenges == 2));
	EXPECT_GT(PACKET_MAX, l.got);
	l.deaf = l.silent = false;
	ping();
	EXPECT_TRUE(link_until(&l, PATIENCE, l.got == 60000)) TH_LOG("%zu", l.got);
	EXPECT_TRUE(is_pattern(l.in, 60000, 2, 0));
	close(fd);
	close(listener);
	hang_up(&l);
	close(old);
}

/* Until nothing has come for a while */
static bool is_quiet(void)
{
	long long until = link_now() + PATIENCE;
	uint64_t last;

	do {
		last = l.newest;
		link_until(&l, 500, l.newest > last);
	} while (l.newest > last && link_now() < until);
	return l.newest == last;
}

/* An answer that is not acknowledged is followed by more: who asked may be waiting. */
TEST(lost_answer)
{
	uint8_t ask[9] = { PATH_CHALLENGE, 1, 2, 3 };
	int fd = call_bob(&l, "answer");
	uint64_t answered;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(is_quiet());
	l.silent = true;
	l.path = -1;
	link_send_once(&l, ask, sizeof(ask));
	ASSERT_TRUE(link_until(&l, PATIENCE, l.path >= 0));
	answered = l.newest;
	EXPECT_TRUE(link_until(&l, PATIENCE / 2, l.newest > answered && l.newest_wants));
	l.silent = false;
	close(fd);
	hang_up(&l);
}

/* A frame that only tries a path, and a packet that is late, move nothing. */
TEST(probing)
{
	uint8_t challenge[9] = { PATH_CHALLENGE, 1, 2, 3, 4, 5, 6, 7, 8 };
	int fd = call_bob(&l, "probing"), old = l.fd;
	uint64_t late, next;

	ASSERT_LE(0, fd);
	late = l.next++;
	ping();
	link_until(&l, 300, false);
	l.silent = true;		/* an ACK would be no probe */
	l.fd = socket_at("10.9.0.1");
	l.path = -1;
	link_send_once(&l, challenge, sizeof(challenge));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.path == 0x0102030405060708 >> 1));
	next = l.next;
	l.next = late;
	ping();
	l.next = next;
	link_until(&l, 500, false);
	EXPECT_EQ(0, l.challenges);
	EXPECT_TRUE(bob_sees(fd, old));
	close(l.fd);
	l.fd = old;
	l.silent = false;
	EXPECT_TRUE(take_from(fd, 0, 10000));
	close(fd);
	hang_up(&l);
}

/* Packets that we mark leave from the victim's address. */
static void spoof(bool on)
{
	int mark = on ? MARK_SPOOFED : 0;

	if (setsockopt(l.fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		genl_die("SO_MARK");
}

static int victim_socket(int victim)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd;

	getsockname(l.fd, (struct sockaddr *)&in, &len);	/* the port stays */
	setns(victim, CLONE_NEWNET);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	inet_pton(AF_INET, "10.5.0.1", &in.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)))
		genl_die("the victim's socket");
	return fd;
}

/* What came to the victim by now: packets, and bytes of them */
static unsigned int arrived(int fd, size_t *bytes)
{
	static char buf[65536];
	unsigned int packets = 0;
	ssize_t n;

	*bytes = 0;
	while ((n = recv(fd, buf, sizeof(buf), 0)) >= 0) {
		packets++;
		*bytes += n;
	}
	return packets;
}

static int lay_out_victim(void)
{
	int victim = new_namespace();

	lay_cable("victim", victim, ns[BOB], 5);
	shell_in(BOB, "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.wire.rp_filter=0");
	shell_in(ALICE, "ethtool -K wire tx off >/dev/null");
	shell_in(ALICE, "nft 'table ip spoof { chain out { type filter hook postrouting priority "
		 "0; meta mark %d ip saddr set 10.5.0.1 counter; }; }'", MARK_SPOOFED);
	return victim;
}

static void clean_up_victim(int victim)
{
	shell_in(ALICE, "nft delete table ip spoof");
	cut_cable("victim", ns[BOB]);
	close(victim);
}

/*
 * The peer claims to be where another one is: that gets a challenge, no more
 * bytes than came from there, and none of the data, which go to the old path.
 */
TEST(reflection)
{
	int victim = lay_out_victim(), fd = call_bob(&l, "victim"), at;
	size_t sent = 0, bytes = 0;

	ASSERT_LE(0, fd);
	at = victim_socket(victim);
	spoof(true);
	for (int i = 0; i < 5; i++, sent += 33)
		ping();
	EXPECT_EQ(50000, send_pattern(fd, 50000, 2, 0));
	for (int i = 0; i < 40; i++)
		link_step(&l, 20);
	/* what came was acknowledged, also as if from there */
	arrived(at, &bytes);
	TH_LOG("%zu bytes to the victim; data: %zu", bytes, l.got);
	EXPECT_LE(33, bytes);
	EXPECT_LT(20000, l.got);
	spoof(false);
	EXPECT_TRUE(link_until(&l, PATIENCE, l.got == 50000));
	EXPECT_TRUE(is_pattern(l.in, 50000, 2, 0));
	EXPECT_TRUE(bob_sees(fd, l.fd));
	EXPECT_EQ(-1, l.close_code);
	/* 33 bytes is every packet that we sent, pings and acknowledgments: count them */
	{
		long long packets = -1;
		FILE *f;
		char command[200];
		size_t more;

		arrived(at, &more);
		snprintf(command, sizeof(command), "nsenter --net=/proc/%d/fd/%d nft list table ip "
			 "spoof | sed -n 's/.*packets \\([0-9]*\\) bytes.*/\\1/p'", getpid(),
			 ns[ALICE]);
		f = popen(command, "r");
		if (f && fscanf(f, "%lld", &packets) != 1)
			packets = -1;
		if (f)
			pclose(f);
		TH_LOG("%lld packets from there", packets);
		EXPECT_LE(5, packets);
		EXPECT_GE(33 * packets, (long long)(bytes + more));
	}
	close(at);
	close(fd);
	hang_up(&l);
	clean_up_victim(victim);
}

static size_t put_endpoints(uint8_t *to, int n, const char *const *where, int port)
{
	size_t len = 2;

	to[0] = ENDPOINTS;
	to[1] = n;
	for (int i = 0; i < n; i++) {
		int six = !!strchr(where[i], ':');

		to[len] = six ? 6 : 4;
		to[len + 1] = 0;
		to[len + 2] = port >> 8;
		to[len + 3] = port;
		inet_pton(six ? AF_INET6 : AF_INET, where[i], to + len + 4);
		len += six ? 20 : 8;
	}
	return len;
}

struct known {
	const uint8_t *eid;
	char text[1024];
};

static int take_peer(const struct nlmsghdr *nlh, void *data)
{
	struct known *k = data;
	struct genl_attrs a;
	const struct nlattr *ep;

	genl_attrs(nlh, &a);
	if (memcmp(mnl_attr_get_payload(a.of[SSS_A_PEER_EID]), k->eid, SSS_EID_LEN) ||
	    !a.of[SSS_A_ENDPOINTS])
		return MNL_CB_OK;
	mnl_attr_for_each_nested(ep, a.of[SSS_A_ENDPOINTS]) {
		const struct sockaddr_in6 *in6 = mnl_attr_get_payload(ep);
		const struct sockaddr_in *in = (const void *)in6;
		char address[64];

		inet_ntop(in6->sin6_family, in6->sin6_family == AF_INET ? (void *)&in->sin_addr :
			  (void *)&in6->sin6_addr, address, sizeof(address));
		sprintf(k->text + strlen(k->text), "%s ", address);
	}
	return MNL_CB_OK;
}

/* What bob knows of where we are, best first */
static const char *known_to_bob(void)
{
	static struct known k;
	static struct genl g;

	enter(BOB);
	genl_open(&g);
	k = (struct known){ .eid = l.own.public };
	genl_call(&g, genl_start(&g, SSS_CMD_PEER_GET, NLM_F_DUMP), take_peer, &k);
	mnl_socket_close(g.nl);
	return k.text;
}

static bool tell(int n, const char *const *where)
{
	uint8_t buf[256];

	return link_send(&l, buf, put_endpoints(buf, n, where, 9660)) &&
	       link_settled(&l, PATIENCE);
}

#define KNOWN(text) \
	EXPECT_TRUE(eventually(PATIENCE, !strcmp(text, known_to_bob()))) \
		TH_LOG("'%s', not '%s'", known_to_bob(), text)

/* Of the endpoints that we tell of bob takes those that can be, and the newest list. */
TEST(told)
{
	static const char *const bad[] = { "127.0.0.1", "224.0.0.1", "255.255.255.255",
		"10.99.0.1", "fd99::1", "10.9.0.2", "fe80::1", "192.168.7.7" };
	static const char *const good[] = { "10.9.0.50", "192.0.2.5", "2001:db8::5" };
	static const char *const other[] = { "10.9.0.51" };
	static const char *const many[] = { "192.0.2.11", "192.0.2.12", "192.0.2.13",
		"192.0.2.14", "192.0.2.15", "192.0.2.16", "192.0.2.17", "192.0.2.18" };
	long long refused = get_stat(BOB, "EndpointsRefused");
	int fd = call_bob(&l, "told");
	uint8_t buf[256];
	uint64_t number;

	ASSERT_LE(0, fd);
	shell_in(BOB, "ip route add default via 10.9.0.1");
	shell_in(BOB, "ip -6 route add default via fd09::1");
	KNOWN("10.9.0.1 ");
	EXPECT_TRUE(tell(8, bad));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "EndpointsRefused") == refused + 8))
		TH_LOG("%s", known_to_bob());
	KNOWN("10.9.0.1 ");
	number = l.next++;	/* for a packet that comes late */
	EXPECT_TRUE(tell(3, good));
	KNOWN("10.9.0.1 10.9.0.50 192.0.2.5 2001:db8::5 ");
	EXPECT_TRUE(tell(1, other));
	KNOWN("10.9.0.1 10.9.0.51 ");
	{
		uint64_t next = l.next;

		l.next = number;
		link_send_once(&l, buf, put_endpoints(buf, 3, good, 9660));
		l.next = next;
	}
	link_until(&l, 300, false);
	KNOWN("10.9.0.1 10.9.0.51 ");
	EXPECT_TRUE(tell(8, many));
	KNOWN("10.9.0.1 192.0.2.11 192.0.2.12 192.0.2.13 192.0.2.14 192.0.2.15 192.0.2.16 "
	      "192.0.2.17 ");
	/* what is configured gives way to nothing */
	enter(BOB);
	add_peer("v4", (const struct sss_eid *)l.own.public, "10.9.0.77", 9660);
	KNOWN("10.9.0.77 ");
	EXPECT_TRUE(tell(8, many));
	KNOWN("10.9.0.77 192.0.2.11 192.0.2.12 192.0.2.13 192.0.2.14 192.0.2.15 192.0.2.16 "
	      "192.0.2.17 ");
	EXPECT_TRUE(tell(1, other));
	KNOWN("10.9.0.77 10.9.0.51 ");
	EXPECT_EQ(-1, l.close_code);
	shell_in(BOB, "ip route del default");
	shell_in(BOB, "ip -6 route del default");
	close(fd);
	hang_up(&l);
}

/* However long nobody answers: 3 packets and 1500 bytes to one who was only named. */
TEST(few_probes)
{
	static const char *const named[] = { "10.5.0.1" };
	int victim = lay_out_victim(), fd = call_bob(&l, "few"), at;
	uint8_t buf[64];
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	unsigned int packets = 0;
	size_t bytes = 0;

	ASSERT_LE(0, fd);
	at = victim_socket(victim);
	getsockname(l.fd, (struct sockaddr *)&in, &len);
	link_send(&l, buf, put_endpoints(buf, 1, named, ntohs(in.sin_port)));
	EXPECT_TRUE(link_settled(&l, PATIENCE));
	KNOWN("10.9.0.1 10.5.0.1 ");
	l.silent = l.deaf = true;
	EXPECT_EQ(5000, send_pattern(fd, 5000, 2, 0));
	for (int i = 0; i < 80; i++) {
		size_t more;

		link_step(&l, 0);
		usleep(100000);
		packets += arrived(at, &more);
		bytes += more;
	}
	TH_LOG("%u packets, %zu bytes in 8 s", packets, bytes);
	EXPECT_LE(1, packets);
	EXPECT_GE(3, packets);
	EXPECT_GE(1500, bytes);
	/* and all is well when we are back */
	l.silent = l.deaf = false;
	EXPECT_TRUE(link_until(&l, PATIENCE, l.got == 5000)) TH_LOG("%zu", l.got);
	close(at);
	close(fd);
	hang_up(&l);
	clean_up_victim(victim);
}

/* What the list we got says, in the words of protocol.rst */
static const char *list_text(void)
{
	static char text[512];
	const uint8_t *at = l.list + 1;
	char address[64];

	*text = 0;
	for (int i = 0; i < l.list[0]; i++) {
		inet_ntop(*at == 6 ? AF_INET6 : AF_INET, at + 4, address, sizeof(address));
		sprintf(text + strlen(text), "%s:%d ", address, at[2] << 8 | at[3]);
		at += *at == 6 ? 20 : 8;
	}
	return text;
}

/* Whom bob tells where else he is, what, when, and that it arrives */
TEST(announced)
{
	int fd;

	/* whom nobody configured is told nothing */
	fd = call_bob(&l, "announced");
	ASSERT_LE(0, fd);
	link_until(&l, 300, false);
	EXPECT_EQ(0, l.lists);
	close(fd);
	hang_up(&l);

	set_sysctl(BOB, "announce_endpoints", "2");
	fd = call_bob(&l, "announced");
	ASSERT_LE(0, fd);
	EXPECT_TRUE(link_until(&l, PATIENCE, l.lists >= 1));
	EXPECT_STREQ("10.9.0.2:9660 fd09::2:9660 ", list_text());
	/* a new address, and the list is lost until we hear again */
	l.silent = true;
	shell_in(BOB, "ip addr add 10.9.0.22/24 dev wire");
	EXPECT_TRUE(link_until(&l, PATIENCE, !strcmp(list_text(),
			       "10.9.0.2:9660 10.9.0.22:9660 fd09::2:9660 ")))
		TH_LOG("%s", list_text());
	l.lists = 0;
	memset(l.list, 0, sizeof(l.list));
	l.silent = false;
	ping();
	shell_in(BOB, "ip addr add 10.9.0.23/24 dev wire");
	shell_in(BOB, "ip addr del 10.9.0.22/24 dev wire");
	EXPECT_TRUE(link_until(&l, PATIENCE, !strcmp(list_text(),
			       "10.9.0.2:9660 10.9.0.23:9660 fd09::2:9660 ")))
		TH_LOG("%s", list_text());
	/* nothing new: nothing is said */
	link_until(&l, 500, false);
	l.lists = 0;
	shell_in(BOB, "ip route add 198.18.0.0/15 via 10.9.0.1");
	link_until(&l, 700, false);
	EXPECT_EQ(0, l.lists);
	shell_in(BOB, "ip route del 198.18.0.0/15");
	shell_in(BOB, "ip addr del 10.9.0.23/24 dev wire");
	set_sysctl(BOB, "announce_endpoints", "0");
	close(fd);
	hang_up(&l);

	fd = call_bob(&l, "announced");
	ASSERT_LE(0, fd);
	link_until(&l, 300, false);
	EXPECT_EQ(0, l.lists);
	close(fd);
	hang_up(&l);
	set_sysctl(BOB, "announce_endpoints", "1");
}

/* To a peer with a public address nothing is said of private ones. */
TEST(private_ones)
{
	int fd;

	set_sysctl(BOB, "announce_endpoints", "2");
	shell_in(ALICE, "ip addr add 192.0.2.1/24 dev wire");
	shell_in(BOB, "ip addr add 192.0.2.2/24 dev wire");
	shell_in(BOB, "ip addr add 192.0.2.3/24 dev wire");
	fd = call_bob(&l, "private");
	ASSERT_LE(0, fd);
	EXPECT_TRUE(link_until(&l, PATIENCE, !strcmp(list_text(),
			       "192.0.2.2:9660 192.0.2.3:9660 10.9.0.2:9660 fd09::2:9660 ")))
		TH_LOG("%s", list_text());
	l.lists = 0;
	close(l.fd);
	l.fd = socket_to("192.0.2.1", "192.0.2.2");
	ping();
	EXPECT_TRUE(link_until(&l, PATIENCE, bob_sees(fd, l.fd)));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.lists >= 1));
	EXPECT_STREQ("192.0.2.2:9660 192.0.2.3:9660 ", list_text());
	close(fd);
	hang_up(&l);
	set_sysctl(BOB, "announce_endpoints", "1");
	shell_in(ALICE, "ip addr del 192.0.2.1/24 dev wire");
	shell_in(BOB, "ip addr del 192.0.2.2/24 dev wire");
	shell_in(BOB, "ip addr del 192.0.2.3/24 dev wire 2>/dev/null || true");
}

TEST_HARNESS_MAIN
