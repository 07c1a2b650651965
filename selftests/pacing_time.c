// SPDX-License-Identifier: GPL-2.0
/*
 * When packets leave, in virtual time: data evenly, whatever the queueing discipline
 * of the sender is; acknowledgments as often as the peer needs them.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include "kselftest_harness.h"
#include "path.h"

#define ANY_PACKET	1000	/* bytes; smaller ones are not full of data */
#define BACK_TO_BACK	100000	/* ns between two packets of a burst, at most */

/* --- a bridge between the two, which sees what leaves alice and when --- */

static int middle;

#define shell_between(format, ...) \
	shell("nsenter --net=/proc/%d/fd/%d " format, getpid(), middle, ##__VA_ARGS__)

static void join(int who, const char *port)
{
	shell_between("ip link add %s type veth peer name wire netns /proc/%d/fd/%d", port,
		      getpid(), ns[who]);
	shell_in(who, "ethtool -K wire tso off gso off gro off tx-udp-segmentation off >/dev/null");
	shell_in(who, "ip addr add 10.9.0.%d/24 dev wire", who + 1);
	shell_in(who, "ip link set wire up");
	shell_between("ip link set %s master br0 up", port);
}

/* The slow part of the path is behind the bridge. */
static void insert_bridge(const struct path *path)
{
	char name[32];

	snprintf(name, sizeof(name), "middle%d", getpid());
	middle = make_namespace(name);
	shell("ip netns del %s", name);
	shell_in(ALICE, "ip link del wire");
	shell_between("ip link add name br0 type bridge");
	shell_between("ip link set br0 up");
	join(ALICE, "alice");
	join(BOB, "bob");
	shell_between("tc qdisc replace dev bob root handle 1: netem delay %dms limit 100000",
		      path->rtt / 2);
	shell_between("tc qdisc replace dev bob parent 1: tbf rate %dkbit burst 1600 limit %d",
		      path->rate, path->rate / 8 * path->queue);
	shell_between("tc qdisc replace dev alice root netem delay %dms limit 100000",
		      path->rtt / 2);
}

/**
 * struct pace - packets that a packet socket has seen
 * @n: how many
 * @longest: of them, in the longest burst
 * @bursts: of two or more
 */
struct pace {
	int n;
	int longest;
	int bursts;
};

static int tap(void)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd, one = 1, size = 64 << 20;

	if (setns(middle, CLONE_NEWNET))
		genl_die("setns");
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	where.sll_ifindex = if_nametoindex("alice");
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return bind(fd, (struct sockaddr *)&where, sizeof(where)) ? -1 : fd;
}

/* The length of the next packet from alice, and when it came, ns; 0: none is left */
static ssize_t next_packet(int fd, int64_t *at)
{
	struct sockaddr_ll from;
	char room[CMSG_SPACE(sizeof(struct timespec))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
		.msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room),
	};
	struct timespec t;
	ssize_t len;

	do {
		msg.msg_controllen = sizeof(room);
		len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_TRUNC);
	} while (len >= 0 && from.sll_pkttype == PACKET_OUTGOING);
	if (len < 0)
		return 0;
	memcpy(&t, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(t));
	*at = t.tv_sec * 1000000000LL + t.tv_nsec;
	return len;
}

static void look(int fd, struct pace *pace)
{
	int64_t at, last = 0;
	int burst = 0;
	ssize_t len;

	memset(pace, 0, sizeof(*pace));
	while ((len = next_packet(fd, &at))) {
		if (len < ANY_PACKET)
			continue;
		burst = at - last <= BACK_TO_BACK ? burst + 1 : 1;
		last = at;
		pace->n++;
		pace->bursts += burst == 2;
		if (burst > pace->longest)
			pace->longest = burst;
	}
}

FIXTURE(pacing) {
};

FIXTURE_SETUP(pacing)
{
}

FIXTURE_TEARDOWN(pacing)
{
}

/* --- acknowledgments --- */

/* Packets that alice sent for each that came back, during a bulk transfer */
static double packets_an_ack(const struct path *path)
{
	struct flow flow;
	double sent, back;

	take(path);
	if (!start(&flow, false, "cubic"))
		return -1;
	read_for(&flow, 1, path->seconds * 500);
	sent = get_stat(ALICE, "TxPackets");
	back = get_stat(BOB, "TxPackets");
	read_for(&flow, 1, path->seconds * 500);
	sent = get_stat(ALICE, "TxPackets") - sent;
	back = get_stat(BOB, "TxPackets") - back;
	stop(&flow);
	return sent / back;
}

/*
 * The slower packets come, the fewer an acknowledgment is for: never do more than
 * max_ack_delay (5 ms) pass, and there are always enough of them in a round trip.
 */
TEST_F_TIMEOUT(pacing, ack_frequency, 300)
{
	static const struct path slow = { "slow", 1500, 1500, 40, 300, 0, 10 };
	static const struct path middling = { "middling", 10000, 10000, 40, 100, 0, 6 };
	static const struct path fast = { "fast", 100000, 100000, 40, 40, 0, 3 };
	double ratio;

	ratio = packets_an_ack(&slow);
	TH_LOG("%.2f packets an acknowledgment at 1.5 Mbit/s", ratio);
	EXPECT_LT(0.8, ratio);
	EXPECT_GT(1.2, ratio);
	ratio = packets_an_ack(&middling);
	TH_LOG("%.2f at 10 Mbit/s", ratio);
	EXPECT_LT(1.9, ratio);
	EXPECT_GT(3, ratio);
	/* 700 packets a round trip, its queue included, of which 64 are acknowledged */
	ratio = packets_an_ack(&fast);
	TH_LOG("%.2f at 100 Mbit/s", ratio);
	EXPECT_LT(4, ratio);
	EXPECT_GT(16, ratio);
}

/* A batch that was received at once is acknowledged once. */
TEST_F_TIMEOUT(pacing, one_ack_a_batch, 60)
{
	long long batches, packets, acks;
	struct flow flow;

	shell_in(ALICE, "ethtool -K wire gso on tx-udp-segmentation on >/dev/null");
	/* a queue below netem stays there when that changes */
	shell_in(ALICE, "tc qdisc replace dev wire root pfifo");
	netem(ALICE, "delay 10ms limit 100000");
	netem(BOB, "delay 10ms limit 100000");
	ASSERT_TRUE(start(&flow, false, "cubic"));
	read_for(&flow, 1, 300);
	batches = get_stat(BOB, "RxBatches");
	packets = get_stat(BOB, "RxPackets");
	acks = get_stat(BOB, "TxPackets");
	read_for(&flow, 1, 300);
	batches = get_stat(BOB, "RxBatches") - batches;
	packets = get_stat(BOB, "RxPackets") - packets;
	acks = get_stat(BOB, "TxPackets") - acks;
	stop(&flow);
	netem(ALICE, NULL);
	netem(BOB, NULL);
	TH_LOG("%lld packets in %lld batches, %lld back", packets, batches, acks);
	EXPECT_LT(10, batches);
	EXPECT_LT(4 * batches, packets);
	EXPECT_GE(batches, acks);
}

/* us until all that was sent on @fd is acknowledged */
static long long acked_after(int fd)
{
	struct timespec a, b;
	int left = 1;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (send(fd, "x", 1, 0) != 1)
		return -1;
	while (!ioctl(fd, TIOCOUTQ, &left) && left)
		usleep(200);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (b.tv_sec - a.tv_sec) * 1000000LL + (b.tv_nsec - a.tv_nsec) / 1000;
}

/* Nobody answers: it is acknowledged within max_ack_delay all the same. */
TEST_F_TIMEOUT(pacing, lone_packet, 60)
{
	long long us, before;
	int fd[2], i;
	char c;

	netem(ALICE, "delay 20ms");
	netem(BOB, "delay 20ms");
	ASSERT_EQ(0, stream_pair(V4, fd));
	sleep(1);
	for (i = 0; i < 5; i++) {
		us = acked_after(fd[ALICE]);
		EXPECT_LE(40000, us);
		EXPECT_GT(40000 + 5000 + 500, us) TH_LOG("%lld us", us);
		usleep(100000);
	}
	/* An answer brings the acknowledgment along: no packet but the answers. */
	for (i = 0; i < 5; i++)
		ASSERT_EQ(1, recv(fd[BOB], &c, 1, 0));
	before = get_stat(BOB, "TxPackets");
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1, send(fd[ALICE], "x", 1, 0));
		ASSERT_EQ(1, recv(fd[BOB], &c, 1, 0));
		ASSERT_EQ(1, send(fd[BOB], "y", 1, 0));
		ASSERT_EQ(1, recv(fd[ALICE], &c, 1, 0));
		usleep(100000);
	}
	EXPECT_EQ(before + 10, get_stat(BOB, "TxPackets"));
	close(fd[ALICE]);
	close(fd[BOB]);
	netem(ALICE, NULL);
	netem(BOB, NULL);
}

/*
 * The last of all: the cable is another one afterwards.
 *
 * What may leave at once is a millisecond's worth, or two packets, and as much again
 * after a pause (protocol.rst). At 20 Mbit/s and a quarter above that is four and two.
 */
TEST_F_TIMEOUT(pacing, with_and_without_fq, 300)
{
	static const struct path path = { "paced", 20000, 20000, 40, 100, 0, 0 };
	static const char *const qdiscs[] = { NULL, "fq" };
	struct pace pace;
	struct flow flow;
	double rates[2];
	int fd, i;

	insert_bridge(&path);
	for (i = 0; i < 2; i++) {
		if (qdiscs[i])
			shell_in(ALICE, "tc qdisc replace dev wire root %s", qdiscs[i]);
		ASSERT_TRUE(start(&flow, false, "cubic"));
		read_for(&flow, 1, 3000);
		fd = tap();
		ASSERT_LE(0, fd);
		measure(&flow, 1, 5000, &rates[i]);
		/* Nobody reads until nothing is under way; then a whole window may leave. */
		usleep(5000000);
		read_for(&flow, 1, 1000);
		look(fd, &pace);
		close(fd);
		stop(&flow);
		TH_LOG("%s: %.0f kbit/s, %d packets, %d bursts, of %d at most",
		       qdiscs[i] ?: "nothing", rates[i], pace.n, pace.bursts, pace.longest);
		EXPECT_LT(5000, pace.n);
		EXPECT_GE(6, pace.longest);
	}
	EXPECT_LT(0.98 * rates[0], rates[1]);
	EXPECT_LT(0.98 * rates[1], rates[0]);
}

TEST_HARNESS_MAIN
