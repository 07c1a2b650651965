// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints, as programs see them: SSS_LOCAL_ENDPOINT, SSS_PEER_ENDPOINT and
 * SSS_ADD_ENDPOINT, what it takes to use them, and what comes of them.
 */
#include <grp.h>
#include "kselftest_harness.h"
#include "paths.h"

static int add(int fd, const char *where, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (strchr(where, ':')) {
		inet_pton(AF_INET6, where, &in6.sin6_addr);
		return setsockopt(fd, SOL_SSS, SSS_ADD_ENDPOINT, &in6, sizeof(in6));
	}
	inet_pton(AF_INET, where, &in.sin_addr);
	return setsockopt(fd, SOL_SSS, SSS_ADD_ENDPOINT, &in, sizeof(in));
}

#define REFUSED(want, fd, where, port) do {				\
	EXPECT_EQ(-1, add(fd, where, port)) TH_LOG("%s", where);	\
	EXPECT_EQ(want, errno) TH_LOG("%s: %s", where, strerror(errno));	\
} while (0)

/* Gives up what root may, for good */
static void become_nobody(void)
{
	if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
		genl_die("setuid");
}

/* What the options say of a stream, and of what is none */
TEST(tell)
{
	struct sockaddr_in6 in6;
	socklen_t len = sizeof(struct sockaddr_in) - 1;
	int fd[2], other;

	ASSERT_EQ(0, stream_pair(V4, fd));
	EXPECT_STREQ("10.9.0.2:9660", endpoint_of(fd[ALICE], SSS_PEER_ENDPOINT));
	EXPECT_STREQ("10.9.0.1:9660", endpoint_of(fd[ALICE], SSS_LOCAL_ENDPOINT));
	EXPECT_STREQ("10.9.0.1:9660", endpoint_of(fd[BOB], SSS_PEER_ENDPOINT));
	EXPECT_STREQ("10.9.0.2:9660", endpoint_of(fd[BOB], SSS_LOCAL_ENDPOINT));
	EXPECT_EQ(-1, getsockopt(fd[BOB], SOL_SSS, SSS_LOCAL_ENDPOINT, &in6, &len));
	EXPECT_EQ(EINVAL, errno);
	shell_in(ALICE, "ip link set wire down");
	EXPECT_STREQ("", endpoint_of(fd[ALICE], SSS_LOCAL_ENDPOINT));
	EXPECT_EQ(ENETUNREACH, errno);
	shell_in(ALICE, "ip link set wire up");
	shell_in(ALICE, "ip -6 addr add fd09::1/64 dev wire nodad");
	close(fd[ALICE]);
	close(fd[BOB]);

	ASSERT_EQ(0, stream_pair(V6, fd));
	EXPECT_STREQ("[fd09::2]:9661", endpoint_of(fd[ALICE], SSS_PEER_ENDPOINT));
	EXPECT_STREQ("[fd09::1]:9661", endpoint_of(fd[ALICE], SSS_LOCAL_ENDPOINT));
	close(fd[ALICE]);
	close(fd[BOB]);

	other = caller(V4, 0);
	EXPECT_STREQ("", endpoint_of(other, SSS_LOCAL_ENDPOINT));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_STREQ("", endpoint_of(other, SSS_PEER_ENDPOINT));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, setsockopt(other, SOL_SSS, SSS_PEER_ENDPOINT, &in6, sizeof(in6)));
	EXPECT_EQ(ENOPROTOOPT, errno);
	close(other);
}

/* Addresses that may not be, and sockets that have no use for one */
TEST(refuse)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(9660) };
	int fd = caller(V4, 0), i;
	char where[32];

	REFUSED(EINVAL, fd, "10.9.0.2", 0);
	REFUSED(EINVAL, fd, "0.0.0.0", 9660);
	REFUSED(EINVAL, fd, "224.0.0.1", 9660);
	REFUSED(EINVAL, fd, "255.255.255.255", 9660);
	REFUSED(EINVAL, fd, "ff02::1", 9660);
	REFUSED(EINVAL, fd, "fe80::1", 9660);
	REFUSED(EADDRNOTAVAIL, fd, "127.0.0.1", 9660);
	REFUSED(EADDRNOTAVAIL, fd, "::1", 9660);
	EXPECT_EQ(-1, setsockopt(fd, SOL_SSS, SSS_ADD_ENDPOINT, &in, sizeof(in) - 1));
	EXPECT_EQ(EINVAL, errno);
	in.sin_family = AF_SSS;
	EXPECT_EQ(-1, setsockopt(fd, SOL_SSS, SSS_ADD_ENDPOINT, &in, sizeof(in)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	for (i = 0; i < SSS_PEER_ENDPOINTS_MAX; i++) {
		snprintf(where, sizeof(where), "192.0.2.%d", i + 1);
		EXPECT_EQ(0, add(fd, where, 9660)) TH_LOG("%m");
	}
	EXPECT_EQ(0, add(fd, where, 9660));
	REFUSED(ENOBUFS, fd, "192.0.2.99", 9660);
	close(fd);
	fd = listen_on(V4, "refuse", 1);
	REFUSED(EOPNOTSUPP, fd, "192.0.2.1", 9660);
	close(fd);
	enter(ALICE);
	fd = socket(AF_SSS, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	REFUSED(EOPNOTSUPP, fd, "192.0.2.1", 9660);
	close(fd);
}

/* Bob's host under a name that alice was told nothing of, and a service there */
static int listen_unknown(struct both *b, const char *name, int port)
{
	*b = (struct both){ .name = name, .port = port, .service = { "at alice", "at bob" } };
	for (int who = ALICE; who <= BOB; who++) {
		enter(who);
		b->eid[who] = add_host(name, port, ~0u);
	}
	return listen_as(b, BOB);
}

static int dial_with(const struct both *b, int n, const char *const *where, bool privileged)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = b->eid[BOB] };
	int fd = open_as(b, ALICE, "");

	if (!privileged)
		become_nobody();
	snprintf(addr.sss_service, sizeof(addr.sss_service), "at bob");
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	for (int i = 0; i < n; i++)
		if (add(fd, where[i], b->port))
			return -1;
	return connect_to(fd, &addr) ? -1 : fd;
}

/* A program without any privilege says where a peer is that nobody configured. */
TEST(hint)
{
	static const char *const where[] = { BLACK_HOLE4, "10.9.0.2" };
	int listener, end, status;
	struct both b;
	pid_t pid;

	listener = listen_unknown(&b, "hint", 9710);
	EXPECT_EQ(-1, dial_with(&b, 0, NULL, true));
	EXPECT_EQ(EHOSTUNREACH, errno);
	pid = fork();
	if (!pid) {
		int fd;

		fd = dial_with(&b, 2, where, false);
		if (fd < 0 || send_pattern(fd, 100000, 1, 0) != 100000 ||
		    recv_pattern(fd, 100000, 2, 0) != 100000)
			_exit(errno);
		_exit(0);
	}
	end = accept(listener, NULL, NULL);
	ASSERT_LE(0, end);
	EXPECT_EQ(100000, recv_pattern(end, 100000, 1, 0));
	EXPECT_EQ(100000, send_pattern(end, 100000, 2, 0));
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, WEXITSTATUS(status)) TH_LOG("%s", strerror(WEXITSTATUS(status)));
	close(end);
	close(listener);
	remove_hosts(&b);
}

/*
 * Bob has several addresses, and a firewall before alice lets in answers from where she
 * asked and nothing else: they come from there, not from what his routes prefer. When
 * that address goes, they go on from another one.
 */
static void asked_at(struct __test_metadata *_metadata, const char *where, const char *also,
		     int port)
{
	int listener, fd, end;
	char text[64];
	struct both b;

	shell_in(BOB, "ip addr add %s/%d dev wire %s", where, strchr(where, ':') ? 64 : 24,
		 strchr(where, ':') ? "nodad" : "");
	shell_in(ALICE, "nft 'table inet strict { chain in { type filter hook input priority 0; "
		 "meta l4proto udp ct state != { established, related } drop; }; }'");
	listener = listen_unknown(&b, "asked", port);
	set_sysctl(ALICE, "connect_timeout_ms", "5000");
	fd = dial_with(&b, 1, &where, true);
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	ASSERT_LE(0, fd) TH_LOG("%s: %s", where, strerror(errno));
	end = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(fd, end));
	snprintf(text, sizeof(text), strchr(where, ':') ? "[%s]:%d" : "%s:%d", where, port);
	EXPECT_STREQ(text, endpoint_of(end, SSS_LOCAL_ENDPOINT));
	EXPECT_STREQ(text, endpoint_of(fd, SSS_PEER_ENDPOINT));
	shell_in(ALICE, "nft delete table inet strict");
	shell_in(BOB, "ip addr del %s/%d dev wire", where, strchr(where, ':') ? 64 : 24);
	EXPECT_TRUE(talks(fd, end));
	snprintf(text, sizeof(text), strchr(also, ':') ? "[%s]:%d" : "%s:%d", also, port);
	EXPECT_STREQ(text, endpoint_of(end, SSS_LOCAL_ENDPOINT));
	close(fd);
	close(end);
	close(listener);
	remove_hosts(&b);
}

TEST(as_asked)
{
	asked_at(_metadata, "10.9.0.12", "10.9.0.2", 9716);
	asked_at(_metadata, "fd09::12", "fd09::2", 9717);
}

/* On a stream: when the path dies, the endpoint that was added takes over. */
TEST(on_a_stream)
{
	struct both b;
	int fd[2];

	lay_cable("spare", ns[ALICE], ns[BOB], 8);
	make_hosts(&b, "spare", 9711);
	ASSERT_EQ(0, connected_pair(&b, fd));
	ASSERT_TRUE(talks(fd[ALICE], fd[BOB]));
	set_sysctl(ALICE, "announce_endpoints", "0");
	set_sysctl(BOB, "announce_endpoints", "0");
	EXPECT_EQ(0, add(fd[ALICE], "10.8.0.2", 9711));
	blackhole("wire", true);
	EXPECT_TRUE(talks(fd[ALICE], fd[BOB]));
	EXPECT_STREQ("10.8.0.2:9711", endpoint_of(fd[ALICE], SSS_PEER_ENDPOINT));
	EXPECT_STREQ("10.8.0.1:9711", endpoint_of(fd[BOB], SSS_PEER_ENDPOINT));
	blackhole("wire", false);
	set_sysctl(ALICE, "announce_endpoints", "1");
	set_sysctl(BOB, "announce_endpoints", "1");
	close(fd[ALICE]);
	close(fd[BOB]);
	remove_hosts(&b);
	cut_cable("spare", ns[ALICE]);
}

/* INITIATEs that reach nobody: to what a program without privilege named go three. */
static long long initiates_to(bool privileged)
{
	static const char *const where[] = { "192.0.2.77" };
	long long before = get_stat(ALICE, "HsTxInitiate");
	struct both b;
	pid_t pid;

	close(listen_unknown(&b, "few", 9712));
	pid = fork();
	if (!pid) {
		dial_with(&b, 1, where, privileged);
		_exit(errno == ETIMEDOUT ? 0 : 1);
	}
	waitpid(pid, NULL, 0);
	remove_hosts(&b);
	return get_stat(ALICE, "HsTxInitiate") - before;
}

TEST(few)
{
	shell_in(ALICE, "ip route add 192.0.2.0/24 via 10.9.0.2");
	set_sysctl(ALICE, "initiate_interval_ms", "50");
	set_sysctl(ALICE, "initiate_interval_max_ms", "100");
	set_sysctl(ALICE, "connect_timeout_ms", "1000");
	EXPECT_EQ(3, initiates_to(false));
	EXPECT_LT(5, initiates_to(true));
	set_sysctl(ALICE, "initiate_interval_ms", "1000");
	set_sysctl(ALICE, "initiate_interval_max_ms", "15000");
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	shell_in(ALICE, "ip route del 192.0.2.0/24");
}

/* Bytes of UDP payload that the rule has counted, at @who */
static long long counted(int who, const char *table)
{
	long long packets = -1, bytes = -1;
	char command[200];
	FILE *f;

	snprintf(command, sizeof(command), "nsenter --net=/proc/%d/fd/%d nft list table inet %s | "
		 "sed -n 's/.*packets \\([0-9]*\\) bytes \\([0-9]*\\).*/\\1 \\2/p'", getpid(), who,
		 table);
	f = popen(command, "r");
	if (f && fscanf(f, "%lld %lld", &packets, &bytes) != 2)
		bytes = -1;
	if (f)
		pclose(f);
	return bytes - 28 * packets;
}

/*
 * Somebody on the path lets every tenth packet of alice's come from another address.
 * Bob sends there no more than came from it, and goes on with alice as if nothing
 * had happened.
 */
TEST(reflection)
{
	long long from, to, changes = get_stat(BOB, "PathChanges");
	int victim = new_namespace(), fd[2];
	struct both b;
	struct traffic t;

	lay_cable("victim", victim, ns[BOB], 5);
	for (int who = ALICE; who <= BOB; who++) {
		shell_in(who, "ethtool -K wire tso off gso off gro off tx off "
			 "tx-udp-segmentation off >/dev/null");
		shell_in(who, "sysctl -qw net.ipv4.conf.all.rp_filter=0 "
			 "net.ipv4.conf.wire.rp_filter=0");
	}
	shell_at(victim, "nft 'table inet count { chain in { type filter hook prerouting "
		 "priority 0; ip saddr 10.5.0.2 udp sport 9714 counter; }; }'");
	make_hosts(&b, "reflect", 9714);
	ASSERT_EQ(0, connected_pair(&b, fd));
	ASSERT_TRUE(talks(fd[ALICE], fd[BOB]));
	shell_in(ALICE, "nft 'table inet change { chain out { type filter hook postrouting "
		 "priority 0; udp sport 9714 numgen inc mod 10 0 ip saddr set 10.5.0.1 counter; "
		 "}; }'");
	traffic_start(&t, fd);
	for (int i = 0; i < 10; i++)
		EXPECT_LE(0, traffic_goes_on(&t, PATIENCE));
	EXPECT_TRUE(traffic_end(&t));
	from = counted(ns[ALICE], "change");
	to = counted(victim, "count");
	TH_LOG("%lld bytes from there, %lld to there", from, to);
	EXPECT_LT(1000, from);
	EXPECT_LT(0, to);
	EXPECT_GE(from, to);
	/* a reflector would have sent some of the data there */
	EXPECT_GT(20000, to);
	EXPECT_EQ(changes, get_stat(BOB, "PathChanges"));
	EXPECT_STREQ("10.9.0.1:9714", endpoint_of(fd[BOB], SSS_PEER_ENDPOINT));
	shell_in(ALICE, "nft delete table inet change");
	close(fd[ALICE]);
	close(fd[BOB]);
	remove_hosts(&b);
	cut_cable("victim", ns[BOB]);
	close(victim);
}

TEST_HARNESS_MAIN
