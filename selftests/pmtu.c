// SPDX-License-Identifier: GPL-2.0
/*
 * The size of packets, in real time: what ICMP says changes nothing, what the own
 * device takes counts at once, nothing is ever fragmented, and over loopback packets
 * are as large as IP lets them be, or as memory does.
 */
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include "kselftest_harness.h"
#include "router.h"

#define BYTES		(1 << 20)

/* First line of what a command in the namespace prints */
static void ask(char *line, size_t size, int who, const char *command)
{
	char full[512];
	FILE *f;

	line[0] = 0;
	snprintf(full, sizeof(full), "nsenter --net=/proc/%d/fd/%d %s", getpid(),
		 who < 0 ? router_ns : ns[who], command);
	f = popen(full, "r");
	if (!f || !fgets(line, size, f))
		line[0] = 0;
	if (f)
		pclose(f);
}

/* The router counts, and drops, fragments and what it might make fragments of. */
static void watch(void)
{
	shell_at_router("nft 'table inet watch; delete table inet watch; table inet watch { "
			"counter odd { }; chain in { type filter hook prerouting priority -500; "
			"ip frag-off & 0x4000 == 0 meta l4proto udp counter name odd drop; "
			"ip frag-off & 0x3fff != 0 counter name odd drop; "
			"exthdr frag exists counter name odd drop; }; }'");
}

static bool all_whole(void)
{
	char line[128];

	ask(line, sizeof(line), -1, "nft list counter inet watch odd | grep packets");
	return strstr(line, "packets 0 ");
}

/* Does IP believe that the path from alice takes @mtu? */
static bool ip_believes(int family, int mtu)
{
	char command[128], line[256], want[2][32];

	snprintf(command, sizeof(command), "ip route get %s | grep mtu",
		 family == V4 ? "10.12.0.1" : "fd12::1");
	snprintf(want[0], sizeof(want[0]), "mtu %d", mtu);
	snprintf(want[1], sizeof(want[1]), "mtu lock %d", mtu);
	ask(line, sizeof(line), ALICE, command);
	if (strstr(line, want[0]) || strstr(line, want[1]))
		return true;
	fprintf(stderr, "# %s\n", line);
	return false;
}

static bool transfer(int fd[2], size_t bytes, unsigned int seed)
{
	pid_t pid = fork();
	int status = -1;
	bool good;

	if (!pid)
		_exit(send_pattern(fd[ALICE], bytes, seed, 0) != (ssize_t)bytes);
	good = recv_pattern(fd[BOB], bytes, seed, 0) == (ssize_t)bytes;
	waitpid(pid, &status, 0);
	return good && !status;
}

/* Transfers a little again and again until @condition */
#define transfers_until(fd, condition) ({				\
	long long until_ = now_ms() + PATIENCE;				\
	bool ok_;							\
									\
	while (!(ok_ = (condition)) && now_ms() < until_ && transfer(fd, 10000, 3)) \
		usleep(1000);						\
	ok_;								\
})

FIXTURE(pmtu) {
	struct both b;
	int fd[2];
	long long holes, errors;
};

FIXTURE_VARIANT(pmtu) {
	int family;
};

FIXTURE_VARIANT_ADD(pmtu, v4) { V4 };
FIXTURE_VARIANT_ADD(pmtu, v6) { V6 };

FIXTURE_SETUP(pmtu)
{
	watch();
	self->holes = get_stat(ALICE, "PmtuBlackHoles");
	self->errors = get_stat(ALICE, "TxErrors");
}

FIXTURE_TEARDOWN(pmtu)
{
	EXPECT_TRUE(all_whole());
	silence(false);
	remove_hosts(&self->b);
}

#define open_path(device, hop) ({					\
	set_mtus(device, hop);						\
	routed_pair(&self->b, variant->family, self->fd);		\
})

/* Probes that are too large for the hop make it say so; IP listens, we do not. */
TEST_F_TIMEOUT(pmtu, icmp_from_a_router, 60)
{
	ASSERT_EQ(0, open_path(1500, 1400));
	EXPECT_TRUE(transfers_until(self->fd, fits(self->fd[ALICE], variant->family, 1400)))
		TH_LOG("%d", pmtu_of(self->fd[ALICE]));
	EXPECT_TRUE(ip_believes(variant->family, 1400));
	EXPECT_TRUE(transfer(self->fd, BYTES, 1));
	EXPECT_TRUE(fits(self->fd[ALICE], variant->family, 1400));
	EXPECT_EQ(self->errors, get_stat(ALICE, "TxErrors"));
	EXPECT_EQ(self->holes, get_stat(ALICE, "PmtuBlackHoles"));
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *p = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *p++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* What the router would say of a packet from alice to bob */
static void forge4(int fd, int type, int code, int mtu)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct {
		struct icmphdr icmp;
		struct iphdr ip;
		struct udphdr udp;
	} m = {
		.icmp = { .type = type, .code = code, .un.frag.mtu = htons(mtu) },
		.ip = { .version = 4, .ihl = 5, .tot_len = htons(1500), .ttl = 60,
			.frag_off = htons(IP_DF), .protocol = IPPROTO_UDP },
		.udp = { .source = htons(ROUTED_PORT), .dest = htons(ROUTED_PORT),
			 .len = htons(1480) },
	};

	inet_pton(AF_INET, "10.11.0.1", &m.ip.saddr);
	inet_pton(AF_INET, "10.12.0.1", &m.ip.daddr);
	m.ip.check = checksum(&m.ip, sizeof(m.ip));
	m.icmp.checksum = checksum(&m, sizeof(m));
	inet_pton(AF_INET, "10.11.0.1", &to.sin_addr);
	if (sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(m))
		genl_die("forging");
}

static void forge6(int fd, int type, int code, int mtu)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	struct {
		struct icmp6_hdr icmp;
		struct ip6_hdr ip;
		struct udphdr udp;
	} m = {
		.icmp = { .icmp6_type = type, .icmp6_code = code },
		.ip = { .ip6_flow = htonl(6 << 28), .ip6_plen = htons(1460),
			.ip6_nxt = IPPROTO_UDP, .ip6_hlim = 60 },
		.udp = { .source = htons(ROUTED_PORT), .dest = htons(ROUTED_PORT),
			 .len = htons(1460) },
	};

	m.icmp.icmp6_mtu = htonl(mtu);
	inet_pton(AF_INET6, "fd11::1", &m.ip.ip6_src);
	inet_pton(AF_INET6, "fd12::1", &m.ip.ip6_dst);
	inet_pton(AF_INET6, "fd11::1", &to.sin6_addr);
	if (sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(m))
		genl_die("forging");
}

/* Everything that says "no" or "smaller" */
static void forge_all(int family)
{
	static const int mtus[] = { 1400, 1280, 700, 68, 0 };
	int fd, i, code;

	if (setns(router_ns, CLONE_NEWNET))
		genl_die("setns");
	fd = socket(family == V4 ? AF_INET : AF_INET6, SOCK_RAW,
		    family == V4 ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
	for (code = 0; code < 16; code++) {
		if (family == V4 && code != ICMP_FRAG_NEEDED)
			forge4(fd, ICMP_DEST_UNREACH, code, 0);
		else if (family == V6 && code < 8)
			forge6(fd, ICMP6_DST_UNREACH, code, 0);
	}
	for (i = 0; i < 5; i++) {
		if (family == V4)
			forge4(fd, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtus[i]);
		else
			forge6(fd, ICMP6_PACKET_TOO_BIG, 0, mtus[i]);
	}
	close(fd);
}

/* What anybody can forge neither closes nor shrinks anything. */
TEST_F_TIMEOUT(pmtu, forged_icmp, 60)
{
	struct sss_info info;
	long long probes;

	ASSERT_EQ(0, open_path(1500, 1500));
	ASSERT_TRUE(transfers_until(self->fd, fits(self->fd[ALICE], variant->family, 1500)));
	probes = get_stat(ALICE, "PmtuProbes");
	forge_all(variant->family);
	/* it came in, and much larger packets go out whole */
	EXPECT_TRUE(ip_believes(variant->family, variant->family == V4 ? 552 : 1280));
	EXPECT_TRUE(transfer(self->fd, BYTES, 1));
	forge_all(variant->family);
	EXPECT_TRUE(transfer(self->fd, 10000, 2));
	info = info_of(self->fd[ALICE]);
	EXPECT_EQ(SSS_LINK_UP, info.link);
	EXPECT_TRUE(fits(self->fd[ALICE], variant->family, 1500)) TH_LOG("%d", info.pmtu);
	EXPECT_EQ(probes, get_stat(ALICE, "PmtuProbes"));
	EXPECT_EQ(self->errors, get_stat(ALICE, "TxErrors"));
	EXPECT_EQ(self->holes, get_stat(ALICE, "PmtuBlackHoles"));
}

/* A hop that takes less and is silent costs a pause, not the stream. */
TEST_F_TIMEOUT(pmtu, black_hole, 60)
{
	ASSERT_EQ(0, open_path(9000, 9000));
	ASSERT_TRUE(transfers_until(self->fd, fits(self->fd[ALICE], variant->family, 9000)));
	silence(true);
	set_mtus(9000, 1500);
	EXPECT_TRUE(transfer(self->fd, BYTES, 1));
	EXPECT_EQ(self->holes + 1, get_stat(ALICE, "PmtuBlackHoles"));
	EXPECT_TRUE(transfers_until(self->fd, fits(self->fd[ALICE], variant->family, 1500)))
		TH_LOG("%d", pmtu_of(self->fd[ALICE]));
}

/* What the device takes is no hearsay. */
TEST_F_TIMEOUT(pmtu, smaller_device, 60)
{
	ASSERT_EQ(0, open_path(9000, 9000));
	ASSERT_TRUE(transfers_until(self->fd, fits(self->fd[ALICE], variant->family, 9000)));
	set_mtus(1400, 9000);
	EXPECT_TRUE(transfer(self->fd, BYTES, 1));
	EXPECT_TRUE(fits(self->fd[ALICE], variant->family, 1400))
		TH_LOG("%d", pmtu_of(self->fd[ALICE]));
	EXPECT_EQ(self->holes, get_stat(ALICE, "PmtuBlackHoles"));
	EXPECT_NE(self->errors, get_stat(ALICE, "TxErrors"));
}

/* Two identities in one namespace, which reach each other over loopback */
FIXTURE(loopback) {
	struct both b;
	int fd[2];
};

FIXTURE_VARIANT(loopback) {
	int family;
	int size;
};

FIXTURE_VARIANT_ADD(loopback, v4) { V4, 65535 - 20 - 8 };
FIXTURE_VARIANT_ADD(loopback, v6) { V6, 65535 - 40 - 8 };

FIXTURE_SETUP(loopback)
{
	set_sysctl(ALICE, "allow_loopback", "1");
	self->b = (struct both){ .service = { "at one", "at two" } };
	self->b.eid[ALICE] = add_host("one", 9701, ~0u);
	self->b.eid[BOB] = add_host("two", 9702, ~0u);
	add_peer("one", &self->b.eid[BOB], variant->family == V4 ? "127.0.0.1" : "::1", 9702);
}

FIXTURE_TEARDOWN(loopback)
{
	enter(ALICE);
	del_host("one");
	del_host("two");
}

static int looped_pair(struct both *b, int fd[2])
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = b->eid[BOB] };
	int listener = stream_socket(ALICE, SOCK_CLOEXEC);

	snprintf(addr.sss_service, sizeof(addr.sss_service), "loop");
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	if (bind_to(listener, &addr) || listen(listener, 1))
		return -1;
	fd[ALICE] = open_as(b, ALICE, "");
	if (fd[ALICE] < 0 || connect_to(fd[ALICE], &addr))
		return -1;
	fd[BOB] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	set_timeout(fd[BOB], SO_RCVTIMEO, PATIENCE);
	return fd[BOB] < 0 ? -1 : 0;
}

/* IP packets of 65535 bytes */
TEST_F_TIMEOUT(loopback, largest, 60)
{
	long long packets;

	ASSERT_EQ(0, looped_pair(&self->b, self->fd)) TH_LOG("%m");
	EXPECT_TRUE(transfers_until(self->fd, pmtu_of(self->fd[ALICE]) == variant->size))
		TH_LOG("%d", pmtu_of(self->fd[ALICE]));
	packets = info_of(self->fd[ALICE]).pkts_sent;
	EXPECT_TRUE(transfer(self->fd, 8 * BYTES, 1));
	/* and they are used, not only known to pass */
	EXPECT_GT(1000, info_of(self->fd[ALICE]).pkts_sent - packets);
}

#define FAIL "/sys/kernel/debug/fail_page_alloc/"

static void write_to(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		genl_die(path);
	close(fd);
}

/* Of allocations by the module's own code that want 64 KiB in one piece, all fail. */
static void no_large_pages(bool on)
{
	if (!on) {
		write_to(FAIL "probability", "0");
		return;
	}
	shell("text=$(cat /sys/module/sss/sections/.text); "
	      "size=$(objdump -h -j .text /run/out/sss.ko | awk '$2 == \".text\" { print $3 }'); "
	      "echo $text >" FAIL "require-start; "
	      "printf '0x%%x' $((text + 0x$size)) >" FAIL "require-end; "
	      "echo 20 >" FAIL "stacktrace-depth; echo N >" FAIL "ignore-gfp-wait; "
	      "echo N >" FAIL "task-filter; echo 0 >" FAIL "verbose; echo 1 >" FAIL "interval; "
	      "echo -1 >" FAIL "times; echo 4 >" FAIL "min-order; echo 100 >" FAIL "probability");
}

/* Large packets need memory in one piece; without it they are smaller. */
TEST_F_TIMEOUT(loopback, without_memory, 60)
{
	if (access(FAIL "require-start", W_OK))
		SKIP(return, "no fault injection in this kernel");
	ASSERT_EQ(0, looped_pair(&self->b, self->fd)) TH_LOG("%m");
	ASSERT_TRUE(transfers_until(self->fd, pmtu_of(self->fd[ALICE]) == variant->size));
	no_large_pages(true);
	/* what is read has to be there in one piece as well, but is not copied here */
	EXPECT_TRUE(transfer(self->fd, BYTES, 1));
	close(self->fd[ALICE]);
	close(self->fd[BOB]);
	no_large_pages(false);
}

/* From the beginning: what there is no memory to probe is not the size. */
TEST_F_TIMEOUT(loopback, search_without_memory, 60)
{
	if (access(FAIL "require-start", W_OK))
		SKIP(return, "no fault injection in this kernel");
	no_large_pages(true);
	ASSERT_EQ(0, looped_pair(&self->b, self->fd)) TH_LOG("%m");
	EXPECT_TRUE(transfers_until(self->fd, pmtu_of(self->fd[ALICE]) > 32000));
	EXPECT_TRUE(transfer(self->fd, BYTES, 1));
	EXPECT_GE(32768, pmtu_of(self->fd[ALICE]));
	no_large_pages(false);
}

TEST_HARNESS_MAIN
