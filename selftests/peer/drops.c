// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that comes and is dropped raises one counter, and only that one:
 * here each is provoked, and at the end none is left that was not.
 */
#include <netinet/udp.h>
#include <sodium.h>
#include "kselftest_harness.h"
#include "hosts.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { COUNTERS_MAX = 128, NAME_LEN = 32 };

/*
 * What needs allocations to fail (handshake_fault.c), a host that goes in just that
 * moment, or a machine that receives faster than it works
 */
static const char *const elsewhere[] = {
	"RxDropNoMemory", "HsDropNoMemory", "RxDropNoHost", "RxDropBacklog",
	"HsDropAsleep",	/* ../lapse.c */
	"HsDropQueue",	/* who proved his address is let in too slowly to fill it */
};

struct counters {
	unsigned int n;
	struct {
		char name[NAME_LEN];
		long long value;
	} of[COUNTERS_MAX];
};

static struct link l;

/* Every counter with Drop in its name, of bob's */
static void read_drops(struct counters *c)
{
	long long value;
	char name[NAME_LEN];
	FILE *f;

	enter(BOB);
	c->n = 0;
	f = fopen("/proc/thread-self/net/sss_stat", "r");
	while (f && fscanf(f, "%31s %lld", name, &value) == 2) {
		if (!strstr(name, "Drop"))
			continue;
		snprintf(c->of[c->n].name, NAME_LEN, "%s", name);
		c->of[c->n++].value = value;
	}
	if (f)
		fclose(f);
}

static long long value_of(const struct counters *c, const char *name)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (!strcmp(c->of[i].name, name))
			return c->of[i].value;
	return -1;
}

static struct counters before;

static void begin(void)
{
	read_drops(&before);
}

/* @name has been raised, and no other one has */
static bool only(const char *name)
{
	static struct counters now;
	bool ok;

	ok = eventually(PATIENCE, ({
		read_drops(&now);
		value_of(&now, name) > value_of(&before, name);
	}));
	if (!ok)
		fprintf(stderr, "# %s is not raised\n", name);
	for (unsigned int i = 0; i < now.n; i++) {
		if (now.of[i].value == before.of[i].value || !strcmp(now.of[i].name, name))
			continue;
		fprintf(stderr, "# %s is raised as well\n", now.of[i].name);
		ok = false;
	}
	read_drops(&before);
	return ok;
}

static void set_bob(const char *name, const char *value)
{
	set_sysctl(BOB, name, value);
}

/* A UDP socket of alice's towards bob */
static int udp_to_bob(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT(V4)) };
	int fd;

	enter(ALICE);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		genl_die("UDP socket");
	return fd;
}

static const uint8_t *bobs_eid(void)
{
	return (const uint8_t *)&eids[BOB][V4];
}

/*
 * With a header of its own: any source port, any checksum. Of small packets the
 * kernel looks at the checksum before anybody gets them.
 */
static void send_raw(uint16_t source, uint16_t check)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint8_t packet[8 + 200] = { };
	struct udphdr *uh = (void *)packet;
	int fd;

	enter(ALICE);
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
	uh->source = htons(source);
	uh->dest = htons(PORT(V4));
	uh->len = htons(sizeof(packet));
	uh->check = htons(check);
	packet[8] = 5;
	sendto(fd, packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to));
	close(fd);
}

/* What no key is needed for */
TEST(packets)
{
	uint8_t packet[64] = { 5 };
	int fd = udp_to_bob();

	begin();
	send(fd, packet, 4, 0);
	EXPECT_TRUE(only("RxDropShort"));
	send(fd, packet, 32, 0);
	EXPECT_TRUE(only("RxDropShort"));
	send(fd, packet, sizeof(packet), 0);
	EXPECT_TRUE(only("RxDropIndex"));
	packet[0] = 9;
	send(fd, packet, sizeof(packet), 0);
	EXPECT_TRUE(only("RxDropType"));
	packet[0] = TYPE_INITIATE;
	send(fd, packet, sizeof(packet), 0);
	EXPECT_TRUE(only("RxDropType"));
	packet[0] = TYPE_RELAY;
	send(fd, packet, sizeof(packet), 0);
	EXPECT_TRUE(only("RxDropRelay"));
	packet[15] = 1;
	send(fd, packet, 16, 0);
	EXPECT_TRUE(only("RxDropRelay"));
	packet[16] = TYPE_RELAY;	/* once is enough */
	send(fd, packet, sizeof(packet), 0);
	EXPECT_TRUE(only("RxDropType"));
	send_raw(1234, 0x1234);
	EXPECT_TRUE(only("RxDropChecksum"));
	send_raw(0, 0);
	EXPECT_TRUE(only("RxDropEndpoint"));
	close(fd);
}

/* Two packets of one length that arrive together */
static void send_pair(const uint8_t *packets, size_t each)
{
	int size = each;

	setsockopt(l.fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	send(l.fd, packets, 2 * each, 0);
	size = 0;
	setsockopt(l.fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
}

/* What comes under keys */
TEST(data)
{
	enum { FRAMES = 16, LEN_EACH = 8 + FRAMES + TAG };
	uint8_t packets[2 * LEN_EACH], frames[FRAMES] = { PING };

	ASSERT_TRUE(link_to_bob(&l));
	begin();
	data_seal(packets, frames, FRAMES, l.current->remote_index, l.next++, &l.current->session);
	send(l.fd, packets, LEN_EACH, 0);
	send(l.fd, packets, LEN_EACH, 0);
	EXPECT_TRUE(only("RxDropReplay"));
	data_seal(packets, frames, FRAMES, l.current->remote_index, l.next++, &l.current->session);
	packets[LEN_EACH - 1] ^= 1;
	send(l.fd, packets, LEN_EACH, 0);
	EXPECT_TRUE(only("RxDropAuth"));

	set_bob("stop_receive_ms", "10");
	usleep(11000);
	data_seal(packets, frames, FRAMES, l.current->remote_index, l.next++, &l.current->session);
	send(l.fd, packets, LEN_EACH, 0);
	EXPECT_TRUE(only("RxDropKeyExpired"));
	set_bob("stop_receive_ms", "240000");
	close(l.fd);

	ASSERT_TRUE(link_to_bob(&l));
	begin();
	frames[0] = 0x1f;	/* no such frame */
	data_seal(packets, frames, FRAMES, l.current->remote_index, l.next++, &l.current->session);
	send(l.fd, packets, LEN_EACH, 0);
	EXPECT_TRUE(only("RxDropProtocol"));
	close(l.fd);

	/* CLOSE, and something right behind it */
	ASSERT_TRUE(link_to_bob(&l));
	begin();
	memset(frames, 0, sizeof(frames));
	put_close(frames + 4, 0);
	data_seal(packets, frames, FRAMES, l.current->remote_index, l.next++, &l.current->session);
	memset(frames, 0, sizeof(frames));
	frames[0] = PING;
	data_seal(packets + LEN_EACH, frames, FRAMES, l.current->remote_index, l.next++, &l.current->session);
	send_pair(packets, LEN_EACH);
	EXPECT_TRUE(only("RxDropClosed"));
	close(l.fd);
}

/* More than a stream may have in memory while nobody reads */
TEST(no_room)
{
	uint8_t buf[FRAMES_MAX], data[1000] = { };
	int listener = listen_on(V4, "no room", 1);

	set_bob("max_peer_memory", "65536");
	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "no room"));
	begin();
	for (int i = 1; i < 64; i++)
		link_send_once(&l, buf, put_stream(buf, 0, 1000 * i, 0, data, sizeof(data)));
	EXPECT_TRUE(only("RxDropNotApplied"));
	set_bob("max_peer_memory", "536870912");
	hang_up(&l);
	close(listener);
}

static void fill_payload(struct payload *p)
{
	static const uint64_t params[PARAM_COUNT] = {
		0, WINDOW_SIZE, 16777216, 262144, 4096, 16777216, 1048576, 5000, 60000, 1200, 1,
	};

	memset(p, 0, sizeof(*p));
	link_next_stamp(p->stamp);
	p->incarnation = 1 + randombytes_random();
	memcpy(p->param, params, sizeof(params));
}

/* An INITIATE of @own to bob, as the payload says */
static bool initiate(struct handshake *hs, uint8_t msg[INITIATE_LEN], const struct identity *own,
		     const struct payload *p)
{
	uint32_t index = randombytes_random() | 1;
	uint8_t plain[INITIATE_PAYLOAD];

	memset(hs, 0, sizeof(*hs));
	randombytes_buf(hs->ephemeral, KEY);
	initiate_payload_write(plain, index, p);
	return initiate_write(hs, msg, own, bobs_eid(), plain, index);
}

static void anybody(struct identity *own)
{
	uint8_t private[KEY];

	randombytes_buf(private, KEY);
	identity_from(own, private);
}

/* Handshake messages that are not what they should be */
TEST(handshake)
{
	uint8_t msg[INITIATE_LEN], other[RESPOND_LEN] = { TYPE_RESPOND };
	struct identity own, nobody = { };
	struct handshake hs;
	struct payload p;
	int fd = udp_to_bob();

	anybody(&own);
	fill_payload(&p);
	begin();
	ASSERT_TRUE(initiate(&hs, msg, &own, &p));
	msg[INITIATE_LEN - 2 * MAC] ^= 1;
	send(fd, msg, sizeof(msg), 0);
	EXPECT_TRUE(only("HsDropMac1"));

	ASSERT_TRUE(initiate(&hs, msg, &own, &p));
	msg[50] ^= 1;
	mac1_write(msg, INITIATE_LEN, bobs_eid());
	send(fd, msg, sizeof(msg), 0);
	EXPECT_TRUE(only("HsDropNoise"));

	/* 0 is an EID that nobody can have */
	memcpy(nobody.private, own.private, KEY);
	ASSERT_TRUE(initiate(&hs, msg, &nobody, &p));
	send(fd, msg, sizeof(msg), 0);
	EXPECT_TRUE(only("HsDropEid"));

	p.incarnation = 0;
	ASSERT_TRUE(initiate(&hs, msg, &own, &p));
	send(fd, msg, sizeof(msg), 0);
	EXPECT_TRUE(only("HsDropPayload"));

	mac1_write(other, RESPOND_LEN, bobs_eid());
	put32(other + 8, 0x12345678);
	mac1_write(other, RESPOND_LEN, bobs_eid());
	send(fd, other, RESPOND_LEN, 0);
	EXPECT_TRUE(only("HsDropUnknown"));
	memset(other, 0, sizeof(other));
	other[0] = TYPE_REJECT;
	send(fd, other, REJECT_LEN, 0);
	EXPECT_TRUE(only("HsDropUnknown"));
	close(fd);
}

/* Older than what was confirmed: one in 5 s is answered all the same. */
TEST(stamp)
{
	uint8_t msg[INITIATE_LEN];
	struct handshake hs;
	struct payload p;

	ASSERT_TRUE(link_to_bob(&l));
	fill_payload(&p);
	p.stamp[4] = 0;		/* long ago */
	begin();
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(initiate(&hs, msg, &l.own, &p));
		send(l.fd, msg, sizeof(msg), 0);
	}
	EXPECT_TRUE(only("HsDropStamp"));
	hang_up(&l);
}

/* Reads messages until one is of that length; false: none comes */
static bool await(int fd, uint8_t *msg, ssize_t len)
{
	for (long long until = now_ms() + PATIENCE; now_ms() < until;)
		if (polled(fd, POLLIN, 100) & POLLIN && recv(fd, msg, 2048, 0) == len)
			return true;
	return false;
}

/* A handshake that somebody begins and bob answers */
static bool half_open(int fd, struct session *session, uint32_t *index)
{
	uint8_t msg[INITIATE_LEN], answer[2048], plain[RESPOND_PAYLOAD];
	struct identity own;
	struct handshake hs;
	struct payload p;

	anybody(&own);
	fill_payload(&p);
	if (!initiate(&hs, msg, &own, &p) || send(fd, msg, sizeof(msg), 0) < 0)
		return false;
	do {		/* there may be answers to others */
		if (!await(fd, answer, RESPOND_LEN))
			return false;
	} while (!respond_read(&hs, answer, &own, plain, session));
	*index = get32(answer + 4);
	return true;
}

/* Half-open handshakes, and channels */
TEST(limits)
{
	uint8_t msg[INITIATE_LEN];
	struct identity own;
	struct handshake hs;
	struct payload p;
	uint8_t packet[8 + 1000 + TAG], frames[1000] = { PING };
	int fd = udp_to_bob(), pair[2];
	struct session session;
	uint32_t index;

	fill_payload(&p);
	set_bob("max_half_open", "1");
	begin();
	for (int i = 0; i < 3; i++) {
		anybody(&own);
		ASSERT_TRUE(initiate(&hs, msg, &own, &p));
		send(fd, msg, sizeof(msg), 0);
	}
	EXPECT_TRUE(only("HsDropLimit"));
	set_bob("max_half_open", "1024");

	ASSERT_EQ(0, stream_pair(V4, pair));
	ASSERT_TRUE(half_open(fd, &session, &index));
	set_bob("max_channels", "1");
	begin();
	data_seal(packet, frames, sizeof(frames), index, 0, &session);
	send(fd, packet, sizeof(packet), 0);
	EXPECT_TRUE(only("RxDropChannels"));

	set_bob("max_channels", "65536");
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

/*
 * Who is not let in is told so, and gets no keys: not if he calls, nor if he was let
 * in when he called. A host that is to be let alone does not even say so.
 */
TEST(strangers)
{
	uint8_t packet[8 + 100 + TAG], frames[100] = { PING }, msg[INITIATE_LEN], answer[2048];
	long long channels = get_stat(BOB, "Channels");
	uint8_t plain[RESPOND_PAYLOAD];
	int fd = udp_to_bob(), i;
	struct session session;
	struct identity own;
	struct handshake hs;
	struct payload p;
	uint32_t index;

	ASSERT_TRUE(half_open(fd, &session, &index));
	change_host(BOB, host_names[V4], SSS_A_HOST_ACCESS, SSS_ACCESS_PEERS);
	begin();
	data_seal(packet, frames, sizeof(frames), index, 0, &session);
	send(fd, packet, sizeof(packet), 0);
	EXPECT_TRUE(only("RxDropAccess"));
	EXPECT_EQ(channels, get_stat(BOB, "Channels"));

	anybody(&own);
	fill_payload(&p);
	ASSERT_TRUE(initiate(&hs, msg, &own, &p));
	send(fd, msg, sizeof(msg), 0);
	EXPECT_TRUE(only("HsDropAccess"));
	ASSERT_TRUE(await(fd, answer, RESPOND_LEN));
	ASSERT_TRUE(respond_read(&hs, answer, &own, plain, &session));
	ASSERT_TRUE(respond_payload_read(plain, get32(answer + 4), &p));
	EXPECT_TRUE(p.refused);
	EXPECT_TRUE(p.has_answer);
	EXPECT_EQ(SSS_SERVICE_DENIED, p.status);
	data_seal(packet, frames, sizeof(frames), get32(answer + 4), 0, &session);
	send(fd, packet, sizeof(packet), 0);
	EXPECT_TRUE(only("RxDropIndex"));

	change_host(BOB, host_names[V4], SSS_A_HOST_FLAGS, SSS_HOST_F_STEALTH);
	fill_payload(&p);
	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(initiate(&hs, msg, &own, &p));
		send(fd, msg, sizeof(msg), 0);
		EXPECT_TRUE(only("HsDropAccess"));
	}
	EXPECT_FALSE(polled(fd, POLLIN, 0));
	change_host(BOB, host_names[V4], SSS_A_HOST_FLAGS_MASK, SSS_HOST_F_STEALTH);
	change_host(BOB, host_names[V4], SSS_A_HOST_ACCESS, SSS_ACCESS_ANYONE);
	close(fd);
}

/* Under load: proof of the address first, and then not too often */
TEST(load)
{
	uint8_t msg[INITIATE_LEN], answer[2048], cookie[MAC];
	struct identity own;
	struct handshake hs;
	struct payload p;
	int fd = udp_to_bob();

	anybody(&own);
	fill_payload(&p);
	set_bob("handshake_queue", "8");	/* one that waits is load */
	ASSERT_TRUE(initiate(&hs, msg, &own, &p));
	begin();
	send(fd, msg, sizeof(msg), 0);
	EXPECT_TRUE(only("HsDropMac2"));
	ASSERT_TRUE(await(fd, answer, COOKIE_LEN));
	ASSERT_TRUE(cookie_read(answer, cookie, msg + INITIATE_LEN - 2 * MAC, bobs_eid()));
	mac2_write(msg, INITIATE_LEN, cookie);
	/* five at once are not too many, six are; and eight may wait */
	begin();
	EXPECT_TRUE(eventually(PATIENCE, ({
		long long done = get_stat(BOB, "HsTxRespond") + get_stat(BOB, "HsDropRate");

		for (int i = 0; i < 6; i++)
			send(fd, msg, sizeof(msg), 0);
		eventually(PATIENCE, get_stat(BOB, "HsTxRespond") + get_stat(BOB, "HsDropRate") >=
				     done + 6);
		get_stat(BOB, "HsDropRate") > value_of(&before, "HsDropRate");
	})));
	EXPECT_TRUE(only("HsDropRate"));

	set_bob("handshake_queue", "1024");
	close(fd);
}

/* Bob calls, and gets for an answer what is none. */
TEST(answers)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(9799) };
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_service = "x", .sss_protocol = "y" };
	struct sockaddr_sss from = address(BOB, V4, "", "");
	uint8_t msg[2048], cookie[COOKIE_LEN] = { TYPE_COOKIE };
	long long timeouts = get_stat(BOB, "HsTimeouts");
	struct sockaddr_in bob;
	socklen_t len = sizeof(bob);
	struct identity id;
	int udp, fd;

	anybody(&id);
	memcpy(&addr.sss_eid, id.public, KEY);
	enter(ALICE);
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, "10.9.0.1", &own.sin_addr);
	ASSERT_EQ(0, bind(udp, (struct sockaddr *)&own, sizeof(own)));
	enter(BOB);
	add_peer("v4", &addr.sss_eid, "10.9.0.1", 9799);
	set_bob("connect_timeout_ms", "1000");
	fd = stream_socket(BOB, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ASSERT_EQ(0, bind_to(fd, &from));
	EXPECT_EQ(-1, connect_to(fd, &addr));
	ASSERT_EQ(INITIATE_LEN, recvfrom(udp, msg, sizeof(msg), 0, (void *)&bob, &len));
	begin();
	memcpy(cookie + 4, msg + 4, 4);
	sendto(udp, cookie, sizeof(cookie), 0, (void *)&bob, len);
	EXPECT_TRUE(only("HsDropCookie"));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsTimeouts") > timeouts));
	set_bob("connect_timeout_ms", "30000");
	close(fd);
	close(udp);
}

/* A datagram for a stream on which nobody takes any */
TEST(datagrams)
{
	uint8_t buf[64];
	int listener, fd;
	size_t len;

	listener = listen_on(V4, "no datagrams", 1);
	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "no datagrams"));
	fd = accept(listener, NULL, NULL);
	begin();
	close(fd);
	for (int i = 0; i < 200; i++) {
		len = put_numbers(buf, DATAGRAM, 4, (uint64_t)0, (uint64_t)i, (uint64_t)100,
				  (uint64_t)0);
		memcpy(buf + len, "part", 4);
		link_send_once(&l, buf, len + 4);
	}
	EXPECT_TRUE(only("DatagramsDropped"));
	hang_up(&l);
	close(listener);
}

/* What a firewall does not let out is an error, counted for each packet. */
TEST(not_sent)
{
	long long errors;
	int fd[2];

	ASSERT_EQ(0, stream_pair(V4, fd));
	errors = get_stat(BOB, "TxErrors");
	shell_in(BOB, "nft 'table inet wall { chain out { type filter hook output priority 0; "
		 "udp dport %d drop; }; }'", PORT(V4));
	ASSERT_EQ(1, send(fd[BOB], "x", 1, 0));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "TxErrors") > errors));
	shell_in(BOB, "nft delete table inet wall");
	EXPECT_EQ(1, recv(fd[ALICE], (char [1]){ 0 }, 1, 0));
	close(fd[0]);
	close(fd[1]);
}

/*
 * Each datagram that came is accounted for: it was applied, or a handshake
 * message, or it was dropped.
 */
TEST(sum_of_all)
{
	static const char *const counted[] = {
		"RxApplied", "HsRxInitiate", "HsRxRespond", "HsRxCookie", "HsRxReject",
	};

	EXPECT_TRUE(eventually(PATIENCE, ({
		long long all = get_stat(BOB, "RxPackets"), sum = 0;
		static struct counters now;

		read_drops(&now);
		for (unsigned int i = 0; i < now.n; i++)
			if (!strncmp(now.of[i].name, "Rx", 2))
				sum += now.of[i].value;
		for (unsigned int i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
			sum += get_stat(BOB, counted[i]);
		if (sum != all)
			fprintf(stderr, "# %lld came, %lld are accounted for\n", all, sum);
		sum == all;
	})));
}

/* No reason to drop something is left that no test above has seen. */
TEST(none_left)
{
	struct counters now;

	read_drops(&now);
	ASSERT_LT(20, now.n);
	for (unsigned int i = 0; i < now.n; i++) {
		bool other = false;

		for (unsigned int k = 0; k < sizeof(elsewhere) / sizeof(elsewhere[0]); k++)
			other |= !strcmp(now.of[i].name, elsewhere[k]);
		EXPECT_TRUE(other || now.of[i].value > 0) TH_LOG("%s", now.of[i].name);
	}
}

TEST_HARNESS_MAIN
