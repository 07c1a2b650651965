// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that can be sent in the name of somebody who cannot be asked: what
 * comes back to that address is never more than what was sent from it, however
 * long one waits.
 */
#include "kselftest_harness.h"
#include "hosts.h"
#include "dial.h"

enum { PACKET = FRAMES_MAX + 9 + 8 + TAG };

/* Somebody at an address of his own, who says nothing that is not sent here */
struct victim {
	int fd;
	size_t in, out;			/* bytes from there, and to there */
	unsigned int n;			/* packets to there */
	uint8_t last[65536];
	size_t last_len;
};

static struct victim *victim(void)
{
	struct victim *v = calloc(1, sizeof(*v));
	static int n = 10;
	char address[32];

	snprintf(address, sizeof(address), "10.9.0.%d", n++);
	shell_in(ALICE, "ip addr replace %s/24 dev wire", address);
	v->fd = socket_to(address, "10.9.0.2");
	return v;
}

static void spoof(struct victim *v, const void *msg, size_t len)
{
	if (send(v->fd, msg, len, 0) != (ssize_t)len)
		genl_die("sending");
	v->in += len;
}

static void look(struct victim *v)
{
	ssize_t n;

	while ((n = recv(v->fd, v->last, sizeof(v->last), MSG_DONTWAIT)) >= 0) {
		v->out += n;
		v->last_len = n;
		v->n++;
	}
}

/* Waits for @n packets to come; false: they do not */
static bool answers(struct victim *v, unsigned int n)
{
	return eventually(PATIENCE, (look(v), v->n >= n));
}

/* Until everything that is due by a timer has happened: the channels are gone. */
static bool is_quiet(struct victim *v)
{
	bool quiet = eventually(PATIENCE, !get_stat(BOB, "Channels"));

	look(v);
	return quiet;
}

#define EXPECT_NOT_MORE(v) do {						\
	EXPECT_TRUE(is_quiet(v));					\
	EXPECT_LE((v)->out, (v)->in);					\
} while (0)

static const uint8_t *bob(void)
{
	return (const uint8_t *)&eids[BOB][V4];
}

static struct dial d;

FIXTURE(spoofed) { };

FIXTURE_SETUP(spoofed)
{
	set_sysctl(BOB, "idle_timeout_ms", "400");
	ASSERT_TRUE(dial_make(&d, bob()));
}

FIXTURE_TEARDOWN(spoofed) { }

TEST_F(spoofed, initiate)
{
	struct victim *v = victim(), *other = victim();

	spoof(v, d.initiate, INITIATE_LEN);
	EXPECT_TRUE(answers(v, 1));
	EXPECT_EQ(RESPOND_LEN, v->last_len);
	/* copies from there and from elsewhere */
	for (int i = 0; i < 3; i++)
		spoof(v, d.initiate, INITIATE_LEN);
	spoof(other, d.initiate, INITIATE_LEN);
	EXPECT_TRUE(answers(v, 4));
	EXPECT_TRUE(answers(other, 1));
	EXPECT_NOT_MORE(v);
	EXPECT_NOT_MORE(other);
	EXPECT_EQ(4, v->n);
	EXPECT_EQ(1, other->n);
}

TEST_F(spoofed, wrong_initiate)
{
	struct victim *v = victim();

	/* for somebody else */
	d.initiate[448] ^= 1;
	spoof(v, d.initiate, INITIATE_LEN);
	EXPECT_TRUE(answers(v, 1));
	EXPECT_EQ(REJECT_LEN, v->last_len);
	/* of nobody: right on the outside only */
	memset(d.initiate + 40, 1, 48);
	mac1_write(d.initiate, INITIATE_LEN, bob());
	spoof(v, d.initiate, INITIATE_LEN);
	EXPECT_NOT_MORE(v);
	EXPECT_EQ(1, v->n);
}

TEST_F(spoofed, under_load)
{
	struct victim *v = victim();
	long long begin;

	set_sysctl(BOB, "handshake_queue", "1");
	spoof(v, d.initiate, INITIATE_LEN);
	EXPECT_TRUE(answers(v, 1));
	EXPECT_EQ(COOKIE_LEN, v->last_len);
	begin = now_ms();
	for (int i = 0; i < 200; i++)
		spoof(v, d.initiate, INITIATE_LEN);
	EXPECT_NOT_MORE(v);
	/* ten at once, and 50 a second */
	EXPECT_GE(20 + (now_ms() - begin) / 20, v->n);
	set_sysctl(BOB, "handshake_queue", "1024");
}

/* Of any length and type, to nobody in particular */
TEST_F(spoofed, rubbish)
{
	static const size_t lengths[] = {
		1, 4, 8, 23, REJECT_LEN, 32, 33, COOKIE_LEN, RESPOND_LEN - 1, RESPOND_LEN,
		INITIATE_LEN - 1, INITIATE_LEN + 1, 1200,
	};
	struct victim *v = victim();
	uint8_t msg[1200];

	for (int type = 0; type < 8; type++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
			randombytes_buf(msg, sizeof(msg));
			put32(msg, (uint32_t)type << 24);
			if (lengths[i] == RESPOND_LEN)
				mac1_write(msg, RESPOND_LEN, bob());
			spoof(v, msg, lengths[i]);
		}
	}
	EXPECT_NOT_MORE(v);
	EXPECT_EQ(0, v->n);
}

/* The address that asked is another one than the one that confirms. */
TEST_F(spoofed, first_packet)
{
	struct victim *asked = victim(), *confirms = victim();
	uint8_t packet[PACKET], frames[FRAMES_MAX] = { };
	int listener = listen_on(V4, "spoofed", 8), fd;
	long long confirmed = get_stat(BOB, "HsConfirmed");
	size_t len;

	spoof(asked, d.initiate, INITIATE_LEN);
	ASSERT_TRUE(answers(asked, 1));
	ASSERT_TRUE(dial_answered(&d, asked->last));
	/* not authentic: nothing at all */
	memset(packet, 0, 40);
	packet[0] = TYPE_DATA;
	put32(packet + 4, d.remote_index);
	spoof(confirms, packet, 40);
	/* a stream, with somebody who sends on it as much as he can */
	len = put_init(frames, memcmp(d.own.public, bob(), KEY) < 0 ? 0 : 1, "spoofed", "test 1");
	spoof(confirms, packet, dial_seal(&d, packet, frames, len));
	fd = accept(listener, NULL, NULL);
	EXPECT_LE(0, fd);
	EXPECT_EQ(confirmed + 1, get_stat(BOB, "HsConfirmed"));
	EXPECT_LT(0, fill_up(fd, 1, 0));
	frames[0] = PING;
	for (int i = 0; i < 20; i++) {
		spoof(confirms, packet, dial_seal(&d, packet, frames, 1 + i % 2 * 1100));
		usleep(20000);
		look(confirms);
		EXPECT_LE(confirms->out, confirms->in);
	}
	EXPECT_LT(0, confirms->n);	/* is asked whether it is there */
	close(fd);
	close(listener);
	set_sysctl(BOB, "orphan_timeout_ms", "500");
	EXPECT_NOT_MORE(confirms);
	EXPECT_NOT_MORE(asked);
}

/* Who knows the keys acknowledges what he never saw, by guess: it is no reason to send more. */
TEST_F(spoofed, acks_in_the_dark)
{
	uint64_t id = memcmp(d.own.public, bob(), KEY) < 0 ? 0 : 1;
	struct victim *asked = victim(), *confirms = victim();
	int listener = listen_on(V4, "in the dark", 8), fd;
	long long errors = get_stat(BOB, "ChannelErrors");
	uint8_t packet[PACKET], frames[FRAMES_MAX] = { }, plain[2048];
	uint64_t number;
	size_t len;

	spoof(asked, d.initiate, INITIATE_LEN);
	ASSERT_TRUE(answers(asked, 1));
	ASSERT_TRUE(dial_answered(&d, asked->last));
	len = put_init(frames, id, "in the dark", "test 1");
	spoof(confirms, packet, dial_seal(&d, packet, frames, len + 200));
	fd = accept(listener, NULL, NULL);
	EXPECT_LE(0, fd);
	EXPECT_LT(0, fill_up(fd, 1, 0));
	EXPECT_TRUE(answers(confirms, 1));
	EXPECT_TRUE(data_open(plain, confirms->last, confirms->last_len, d.lowest, &number,
			      &d.session));
	len = put_numbers(frames, ACK, 4, number, (uint64_t)0, (uint64_t)0, (uint64_t)0);
	for (int i = 0; i < 3; i++) {
		spoof(confirms, packet, dial_seal(&d, packet, frames, len));
		usleep(20000);
		look(confirms);
		EXPECT_LE(confirms->out, confirms->in);
	}
	EXPECT_EQ(errors, get_stat(BOB, "ChannelErrors"));
	spoof(confirms, packet, dial_seal(&d, packet, frames, put_close(frames, 0)));
	close(fd);
	close(listener);
	EXPECT_NOT_MORE(confirms);
	EXPECT_NOT_MORE(asked);
}

/* What closes the channel is said to nobody who may not have been there. */
TEST_F(spoofed, first_packet_is_wrong)
{
	struct victim *asked = victim(), *confirms = victim();
	long long errors = get_stat(BOB, "ChannelErrors");
	uint8_t packet[PACKET], wrong[] = { 0xff };

	spoof(asked, d.initiate, INITIATE_LEN);
	ASSERT_TRUE(answers(asked, 1));
	ASSERT_TRUE(dial_answered(&d, asked->last));
	spoof(confirms, packet, dial_seal(&d, packet, wrong, 1));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "ChannelErrors") == errors + 1));
	EXPECT_NOT_MORE(confirms);
	EXPECT_NOT_MORE(asked);
}

/* A channel that there is; somebody between sends its packets on from elsewhere. */
TEST_F(spoofed, later_packets)
{
	struct victim *v = victim(), *w = victim();
	uint8_t packet[PACKET], ping[] = { PING }, wrong[] = { 0xff };
	uint8_t challenge[9] = { PATH_CHALLENGE };

	spoof(v, d.initiate, INITIATE_LEN);
	ASSERT_TRUE(answers(v, 1));
	ASSERT_TRUE(dial_answered(&d, v->last));
	spoof(v, packet, dial_seal(&d, packet, ping, 1));
	ASSERT_TRUE(answers(v, 2));	/* the ACK */
	for (int i = 0; i < 5; i++) {
		spoof(w, packet, dial_seal(&d, packet, ping, 1));
		spoof(w, packet, dial_seal(&d, packet, challenge, 9));
	}
	EXPECT_TRUE(answers(w, 1));
	spoof(w, packet, dial_seal(&d, packet, wrong, 1));
	EXPECT_NOT_MORE(w);
}

/* Frames that say the peer is at each of these, too; returns their length */
static size_t put_places(uint8_t *to, struct victim **v, int n)
{
	uint8_t *p = to;

	*p++ = ENDPOINTS;
	*p++ = n;
	for (int i = 0; i < n; i++, p += 4) {
		struct sockaddr_in at;
		socklen_t len = sizeof(at);

		getsockname(v[i]->fd, (struct sockaddr *)&at, &len);
		*p++ = 4;
		*p++ = 0;
		memcpy(p, &at.sin_port, 2);
		p += 2;
		memcpy(p, &at.sin_addr, 4);
	}
	return p - to;
}

/* A stranger names others as the places where it is, and falls silent: three minutes. */
TEST_F_TIMEOUT(spoofed, told, 300)
{
	uint64_t id = memcmp(d.own.public, bob(), KEY) < 0 ? 0 : 1;
	struct victim *v[8], *own = victim();
	uint8_t packet[PACKET], frames[FRAMES_MAX];
	int listener = listen_on(V4, "told", 1), fd;
	size_t len, out = 0;

	for (int i = 0; i < 8; i++)
		v[i] = victim();
	spoof(own, d.initiate, INITIATE_LEN);
	ASSERT_TRUE(answers(own, 1));
	ASSERT_TRUE(dial_answered(&d, own->last));
	len = put_init(frames, id, "told", "test 1");
	len += put_numbers(frames + len, WINDOW, 2, id, (uint64_t)WINDOW_SIZE);
	len += put_places(frames + len, v, 8);
	spoof(own, packet, dial_seal(&d, packet, frames, len));
	fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5000, send_pattern(fd, 5000, 2, 0));
	for (int s = 0; s < 180; s++) {
		usleep(1000000);
		look(own);
		for (int i = 0; i < 8; i++)
			look(v[i]);
	}
	for (int i = 0; i < 8; i++)
		out += v[i]->out;
	TH_LOG("%zu bytes for %zu", out, own->in);
	EXPECT_LT(0, out);
	EXPECT_GE(own->in, out);
	spoof(own, packet, dial_seal(&d, packet, frames, put_close(frames, 0)));
	close(fd);
	close(listener);
	EXPECT_TRUE(is_quiet(own));
}

TEST_HARNESS_MAIN
