// SPDX-License-Identifier: GPL-2.0
/*
 * The relay: packets of two that were introduced, and of nobody else, go from one
 * to the other as they are.
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <sched.h>
#include "world.h"

#define HEADER	16
#define BODY	48

static struct reg_answer answer;
static struct reg_notice notice;

/* One end: its socket, and what it was told */
struct end {
	int fd;
	uint8_t session[REG_SESSION];
};

FIXTURE(relay) {
	struct world world;
	struct server_process server;
	struct reg_client alice, bob;
	struct end a, b;
	uint16_t port;
};

static uint16_t free_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	bind(fd, (struct sockaddr *)&in, sizeof(in));
	getsockname(fd, (struct sockaddr *)&in, &len);
	close(fd);
	return ntohs(in.sin_port);
}

static socklen_t make_addr(struct sockaddr_storage *addr, const char *text, uint16_t port)
{
	struct sockaddr_in6 *in6 = (void *)addr;
	struct sockaddr_in *in = (void *)addr;

	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
	inet_pton(AF_INET, text, &in->sin_addr);
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	return sizeof(*in);
}

/* An end at @here, for which the relay is at @there: it hears nothing from elsewhere */
static int udp_to(FIXTURE_DATA(relay) *self, const char *here, const char *there)
{
	struct sockaddr_storage from, to;
	socklen_t len = make_addr(&from, here, 0);
	int fd = socket(from.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	make_addr(&to, there, self->port);
	if (bind(fd, (struct sockaddr *)&from, len) || connect(fd, (struct sockaddr *)&to, len))
		return -1;
	return fd;
}

static int udp_at(FIXTURE_DATA(relay) *self, const char *here)
{
	return udp_to(self, here, "127.0.0.1");
}

FIXTURE_SETUP(relay)
{
	self->alice.fd = self->bob.fd = self->a.fd = self->b.fd = -1;
	self->port = free_port();
	ASSERT_TRUE(world_open(&self->world));
}

FIXTURE_TEARDOWN(relay)
{
	close(self->a.fd);
	close(self->b.fd);
	TEAR_DOWN(self);
}

/* With these settings, on the port chosen */
static bool start_relay(FIXTURE_DATA(relay) *self, const char *setting)
{
	char port[16];

	snprintf(port, sizeof(port), "%u", self->port);
	return server_start(&self->world, &self->server, "--relay", port, "--set",
			    setting ? setting : "relay-idle=100", NULL);
}

static bool is_relay(const struct reg_endpoint *ep, uint16_t port)
{
	static const uint8_t here[4] = { 127, 0, 0, 1 };

	return ep->family == 4 && !memcmp(ep->addr, here, 4) && ep->port == port;
}

/* Alice was told of the relay, and what her session is. */
static bool told_caller(FIXTURE_DATA(relay) *self)
{
	memcpy(self->a.session, answer.session, REG_SESSION);
	return answer.has & 1U << REG_K_SESSION && answer.has & 1U << REG_K_RELAY &&
	       is_relay(&answer.relay, self->port);
}

/* Alice is introduced to bob; the server saw them there. */
static bool introduce_from(FIXTURE_DATA(relay) *self, const char *alice, const char *bob_at)
{
	struct sss_eid bob = eid_number(2);

	if (self->alice.fd < 0 &&
	    (!client_from(&self->server, &self->alice, 1, alice) ||
	     !client_from(&self->server, &self->bob, 2, bob_at) ||
	     register_status(&self->bob, "Bob") != REG_OK))
		return false;
	if (reg_introduce(&self->alice, &bob, NULL, 0, &answer) || answer.status != REG_OK ||
	    reg_notice(&self->bob, &notice, WAIT))
		return false;
	return true;
}

static bool introduce(FIXTURE_DATA(relay) *self)
{
	return introduce_from(self, "127.0.0.2:4000", "127.0.0.3:4000");
}

static bool join(FIXTURE_DATA(relay) *self)
{
	self->a.fd = udp_at(self, "127.0.0.2");
	self->b.fd = udp_at(self, "127.0.0.3");
	if (!introduce(self) || !told_caller(self) || !is_relay(&notice.relay, self->port))
		return false;
	memcpy(self->b.session, notice.session, REG_SESSION);
	return memcmp(self->a.session, self->b.session, REG_SESSION);
}

/* A packet whose body is @fill all over */
static void make_packet(uint8_t *packet, const uint8_t *session, uint8_t fill)
{
	memset(packet, 0, HEADER);
	packet[0] = 6;
	memcpy(packet + 8, session, REG_SESSION);
	memset(packet + HEADER, fill, BODY);
}

static void say(const struct end *from, uint8_t fill)
{
	uint8_t packet[HEADER + BODY];

	make_packet(packet, from->session, fill);
	send(from->fd, packet, sizeof(packet), 0);
}

/* The next packet, within @ms: what its body is filled with; -1: none, -2: another one */
static int heard(const struct end *at, int ms)
{
	uint8_t packet[2048], wanted[HEADER + BODY];
	struct pollfd p = { .fd = at->fd, .events = POLLIN };

	if (poll(&p, 1, ms) <= 0)
		return -1;
	if (recv(at->fd, packet, sizeof(packet), 0) != sizeof(wanted))
		return -2;
	make_packet(wanted, at->session, packet[HEADER]);
	return memcmp(packet, wanted, sizeof(wanted)) ? -2 : packet[HEADER];
}

TEST_F(relay, both_ways)
{
	ASSERT_TRUE(start_relay(self, NULL));
	ASSERT_TRUE(join(self));
	/* bob is not known there yet, so this is lost */
	say(&self->a, 1);
	say(&self->b, 2);
	EXPECT_EQ(2, heard(&self->a, WAIT));
	say(&self->a, 3);
	EXPECT_EQ(3, heard(&self->b, WAIT));
	EXPECT_EQ(-1, heard(&self->b, 0));
}

/* Who was introduced once has the same session when he is again. */
TEST_F(relay, again)
{
	uint8_t session[REG_SESSION];

	ASSERT_TRUE(start_relay(self, "max-relay-sessions=1"));
	ASSERT_TRUE(join(self));
	memcpy(session, self->a.session, sizeof(session));
	ASSERT_TRUE(introduce(self));
	ASSERT_TRUE(told_caller(self));
	EXPECT_EQ(0, memcmp(session, self->a.session, sizeof(session)));
}

/* A NAT that forgot an end gives it another port. */
TEST_F(relay, another_port)
{
	ASSERT_TRUE(start_relay(self, NULL));
	ASSERT_TRUE(join(self));
	say(&self->b, 1);
	say(&self->a, 2);
	EXPECT_EQ(2, heard(&self->b, WAIT));
	close(self->a.fd);
	self->a.fd = udp_at(self, "127.0.0.2");
	say(&self->a, 3);
	EXPECT_EQ(3, heard(&self->b, WAIT));
	say(&self->b, 4);
	EXPECT_EQ(4, heard(&self->a, WAIT));
}

/* There and back, both ends */
#define EXPECT_CONNECTED(self) do {						\
	say(&(self)->b, 1);							\
	say(&(self)->a, 2);							\
	EXPECT_EQ(2, heard(&(self)->b, WAIT));					\
	say(&(self)->b, 3);							\
	EXPECT_EQ(3, heard(&(self)->a, WAIT));					\
} while (0)

/* A server with several addresses sends to each end from the one that it calls. */
TEST_F(relay, from_where_it_was_called)
{
	ASSERT_TRUE(start_relay(self, NULL));
	ASSERT_TRUE(join(self));
	close(self->a.fd);
	close(self->b.fd);
	self->a.fd = udp_to(self, "127.0.0.2", "127.0.0.9");
	self->b.fd = udp_to(self, "127.0.0.3", "127.0.0.10");
	EXPECT_CONNECTED(self);
	/* that one changes its mind */
	close(self->a.fd);
	self->a.fd = udp_to(self, "127.0.0.2", "127.0.0.11");
	EXPECT_CONNECTED(self);
}

TEST_F(relay, from_where_it_was_called_v6)
{
	if (unshare(CLONE_NEWNET))
		SKIP(return, "no network namespace for it");
	ASSERT_EQ(0, system("ip link set lo up && for n in 1 2 3 4 5; do "
			    "ip addr add fd09::$n/128 dev lo nodad || exit; done"));
	ASSERT_TRUE(start_relay(self, NULL));
	ASSERT_TRUE(introduce_from(self, "[fd09::1]:4000", "[fd09::2]:4000"));
	memcpy(self->a.session, answer.session, REG_SESSION);
	memcpy(self->b.session, notice.session, REG_SESSION);
	self->a.fd = udp_to(self, "fd09::1", "fd09::3");
	self->b.fd = udp_to(self, "fd09::2", "fd09::4");
	EXPECT_CONNECTED(self);
	close(self->a.fd);
	self->a.fd = udp_to(self, "fd09::1", "fd09::5");
	EXPECT_CONNECTED(self);
}

/* Nothing is forwarded of others, nor what is no packet for a relay. */
TEST_F(relay, of_nobody_else)
{
	uint8_t packet[HEADER + BODY];
	struct end stranger;

	ASSERT_TRUE(start_relay(self, NULL));
	ASSERT_TRUE(join(self));
	say(&self->b, 1);
	/* a session that was guessed, or overheard */
	stranger.fd = udp_at(self, "127.0.0.4");
	memcpy(stranger.session, self->a.session, REG_SESSION);
	say(&stranger, 2);
	stranger.session[0]++;
	say(&stranger, 3);
	close(stranger.fd);
	make_packet(packet, self->a.session, 4);
	packet[3] = 1;
	send(self->a.fd, packet, sizeof(packet), 0);
	packet[3] = 0;
	packet[0] = 5;
	send(self->a.fd, packet, sizeof(packet), 0);
	packet[0] = 6;
	send(self->a.fd, packet, HEADER, 0);
	send(self->a.fd, packet, 0, 0);
	send(self->a.fd, packet, 7, 0);
	/* in order, so nothing of all that will come any more */
	say(&self->a, 5);
	EXPECT_EQ(5, heard(&self->b, WAIT));
}

/* What was put together stays so, and arrives as many packets. */
TEST_F(relay, many_at_once)
{
	uint8_t lot[16][HEADER + BODY];
	int size = sizeof(lot[0]), i;

	ASSERT_TRUE(start_relay(self, NULL));
	ASSERT_TRUE(join(self));
	say(&self->b, 100);
	EXPECT_EQ(-1, heard(&self->b, 0));
	ASSERT_EQ(0, setsockopt(self->a.fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)));
	for (i = 0; i < 16; i++)
		make_packet(lot[i], self->a.session, i);
	/* the last one is shorter: it is dropped alone, or with all that it came with */
	ASSERT_EQ((ssize_t)sizeof(lot), send(self->a.fd, lot, sizeof(lot), 0));
	for (i = 0; i < 16; i++)
		EXPECT_EQ(i, heard(&self->b, WAIT));
}

/* An EID has so many sessions, and sends so much in a second. */
TEST_F(relay, limits)
{
	struct sss_eid carol = eid_number(3);
	struct reg_client client;
	int i, come = 0;

	ASSERT_TRUE(server_start(&self->world, &self->server, "--set", "relay-rate-per-eid=1",
				 "--set", "max-relay-sessions-per-eid=1", "--relay",
				 (sprintf((char *)self->a.session, "%u", self->port),
				  (const char *)self->a.session), NULL));
	ASSERT_TRUE(join(self));
	ASSERT_TRUE(client_from(&self->server, &client, 3, "127.0.0.4:4000"));
	ASSERT_EQ(REG_OK, register_status(&client, "Carol"));
	EXPECT_EQ(REG_OK, status_of(reg_introduce(&self->alice, &carol, NULL, 0, &answer),
				    &answer));
	EXPECT_FALSE(answer.has & 1U << REG_K_SESSION);
	reg_close(&client);
	say(&self->b, 1);
	for (i = 0; i < 300; i++) {
		say(&self->a, 2);
		come += heard(&self->b, i < 90 ? WAIT : 0) == 2;
	}
	while (heard(&self->b, 200) == 2)
		come++;
	/* 100 kB at once, each packet counting as one */
	EXPECT_LE(95, come);
	EXPECT_GE(120, come);
	/* that was one of them: the other one may still send */
	say(&self->b, 3);
	EXPECT_EQ(3, heard(&self->a, WAIT));
}

TEST_F(relay, forgotten)
{
	ASSERT_TRUE(start_relay(self, "relay-idle=1"));
	ASSERT_TRUE(join(self));
	say(&self->b, 1);
	say(&self->a, 2);
	EXPECT_EQ(2, heard(&self->b, WAIT));
	EXPECT_TRUE(eventually((say(&self->a, 3), usleep(1500000),
				heard(&self->b, 0) == -1)));
}

TEST_F(relay, none)
{
	ASSERT_TRUE(server_start(&self->world, &self->server, NULL));
	ASSERT_TRUE(introduce(self));
	EXPECT_FALSE(answer.has & (1U << REG_K_SESSION | 1U << REG_K_RELAY));
	EXPECT_EQ(0, notice.relay.family);
}

TEST_HARNESS_MAIN
