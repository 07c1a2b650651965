// SPDX-License-Identifier: GPL-2.0
/*
 * Peers and strangers who want the kernel to do or keep more than they are worth:
 * who never acknowledge, ask without end, or have others get what they asked for.
 */
#include <grp.h>
#include "kselftest_harness.h"
#include "hosts.h"
#include "dial.h"

enum { PACKET = FRAMES_MAX + 9 + 8 + TAG, KEPT = 1000 };

FIXTURE(hostile) {
	struct dial d;
};

FIXTURE_SETUP(hostile)
{
	ASSERT_TRUE(dial_make(&self->d, (const uint8_t *)&eids[BOB][V4]));
}

FIXTURE_TEARDOWN(hostile)
{
}

static int at(const char *address, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd;

	shell_in(ALICE, "ip addr replace %s/24 dev wire", address);
	enter(ALICE);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, address, &in.sin_addr);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)))
		genl_die("bind");
	return fd;
}

static void to_bob(int fd, const void *data, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT(V4)) };

	inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
	sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to));
}

static uint64_t first_id(const struct dial *d)
{
	return memcmp(d->own.public, &eids[BOB][V4], KEY) < 0 ? 0 : 1;
}

/* A call from @asked is answered, and confirmed from @from, with a stream. */
static bool confirm_from(struct dial *d, int asked, int from, size_t size)
{
	uint8_t packet[PACKET], frames[FRAMES_MAX] = { }, got[2048];
	size_t len;

	to_bob(asked, d->initiate, INITIATE_LEN);
	do {
		if (!(polled(asked, POLLIN, PATIENCE) & POLLIN))
			return false;
	} while (recv(asked, got, sizeof(got), 0) != RESPOND_LEN || !dial_answered(d, got));
	len = put_init(frames, first_id(d), "hostile", "test 1");
	to_bob(from, packet, dial_seal(d, packet, frames, size > len ? size : len));
	return true;
}

/* Bytes that have come to @fd */
static size_t bytes_at(int fd, unsigned int *packets)
{
	uint8_t got[2048];
	size_t sum = 0;
	ssize_t n;

	while ((n = recv(fd, got, sizeof(got), MSG_DONTWAIT)) >= 0) {
		sum += n;
		++*packets;
	}
	return sum;
}

/* One packet in the name of somebody else, and then silence: never more goes there. */
TEST_F_TIMEOUT(hostile, unproved_path, 200)
{
	int listener = listen_on(V4, "hostile", 8), fd, asked, victim;
	unsigned int packets = 0;

	asked = at("10.9.0.30", 5000);
	victim = at("10.9.0.31", 5000);
	ASSERT_TRUE(confirm_from(&self->d, asked, victim, 300));
	fd = accept(listener, NULL, NULL);
	EXPECT_LE(0, fd);
	usleep(60000000);
	EXPECT_GE(300 + 24, bytes_at(victim, &packets)) TH_LOG("%u packets", packets);
	close(fd);
	close(listener);
}

/* Whom an unprivileged program calls makes COOKIEs in the name of another endpoint. */
static void call_as_nobody(const struct sss_eid *eid)
{
	struct sockaddr_sss me = { .sss_family = AF_SSS, .sss_eid = eids[BOB][V4] };
	struct sockaddr_sss to = { .sss_family = AF_SSS, .sss_eid = *eid,
				   .sss_service = "any", .sss_protocol = "test 1" };
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(5001) };
	int fd = stream_socket(BOB, SOCK_CLOEXEC);

	if (bind_to(fd, &me) || setgroups(0, NULL) || setgid(65534) || setuid(65534))
		_exit(1);
	for (int i = 2; i <= 3; i++) {
		inet_pton(AF_INET, i == 2 ? "10.9.0.32" : "10.9.0.33", &where.sin_addr);
		if (setsockopt(fd, SOL_SSS, SSS_ADD_ENDPOINT, &where, sizeof(where)))
			_exit(1);
	}
	connect_to(fd, &to);
	_exit(0);
}

TEST_F_TIMEOUT(hostile, cookies_from_elsewhere, 200)
{
	uint8_t got[2048], private[KEY], cookie[COOKIE_LEN], value[MAC] = { 1 }, nonce[24] = { 2 };
	int attacker = at("10.9.0.32", 5001), victim = at("10.9.0.33", 5001);
	unsigned int packets = 0, asked = 0;
	struct identity own;
	struct sss_eid eid;
	pid_t pid;

	randombytes_buf(private, KEY);
	identity_from(&own, private);
	memcpy(&eid, own.public, KEY);
	pid = fork();
	if (!pid)
		call_as_nobody(&eid);
	for (int i = 0; i < 600; i++) {
		while (recv(attacker, got, sizeof(got), MSG_DONTWAIT) == INITIATE_LEN)
			asked++;
		if (asked) {
			cookie_write(cookie, get32(got + 4), nonce, value, got + 448, own.public);
			to_bob(victim, cookie, COOKIE_LEN);
			nonce[0]++;
		}
		bytes_at(victim, &packets);
		usleep(50000);
	}
	EXPECT_LT(0, asked);
	EXPECT_LT(0, packets);
	EXPECT_GE(3, packets);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct link l;

/* Challenges whose answers are never acknowledged: nothing is kept of those. */
TEST_F_TIMEOUT(hostile, challenges, 200)
{
	uint8_t challenge[9] = { PATH_CHALLENGE };
	int fd = call_bob(&l, "challenges");

	ASSERT_LE(0, fd);
	l.silent = true;
	for (int i = 0; i < 20000; i++) {
		link_send_once(&l, challenge, sizeof(challenge));
		link_step(&l, i % 8 ? 0 : 20);
	}
	EXPECT_GT(KEPT, get_stat(BOB, "SentPackets"));
	close(fd);
	hang_up(&l);
}

/*
 * Heard all the time, and nothing is acknowledged: each packet gives hope that the path
 * works again, and is followed by a probe; the streams' data are in it, again and again.
 */
TEST_F_TIMEOUT(hostile, hope, 400)
{
	int fd = call_bob(&l, "hope");
	uint8_t padding[9] = { };
	unsigned int came = 0;

	ASSERT_LE(0, fd);
	set_nonblock(fd, true);
	send_pattern(fd, 60000, 1, 0);
	l.silent = true;
	for (int i = 0; i < 30000; i++) {
		link_send_once(&l, padding, sizeof(padding));
		came += link_step(&l, 2);
	}
	TH_LOG("%u packets came", came);
	EXPECT_LT(KEPT, came);
	EXPECT_GT(KEPT, get_stat(BOB, "SentPackets"));
	close(fd);
	hang_up(&l);
}

/* Another port all the time, data under way, and nothing is acknowledged. */
TEST_F_TIMEOUT(hostile, ports, 400)
{
	int fd = call_bob(&l, "ports"), old;
	uint8_t ping[1] = { PING };

	ASSERT_LE(0, fd);
	set_nonblock(fd, true);
	send_pattern(fd, 60000, 1, 0);
	l.silent = true;
	for (int i = 0; i < 600; i++) {
		unsigned int seen = l.challenges;

		old = l.fd;
		l.fd = socket_to_bob();
		link_send_once(&l, ping, 1);
		link_until(&l, 1000, l.challenges > seen);
		link_step(&l, 5);
		close(old);
	}
	EXPECT_GT(3 * KEPT, get_stat(BOB, "SentPackets"));
	close(fd);
	hang_up(&l);
}

/* Two ports in turn: each packet asks the kernel to move. */
TEST_F_TIMEOUT(hostile, two_ports, 400)
{
	int fd = call_bob(&l, "two ports"), other, swap;
	uint8_t ping[1] = { PING };

	ASSERT_LE(0, fd);
	other = socket_to_bob();
	l.silent = true;
	for (int i = 0; i < 6000; i++) {
		link_send_once(&l, ping, 1);
		swap = l.fd;
		l.fd = other;
		other = swap;
		link_step(&l, i % 8 ? 0 : 5);
	}
	EXPECT_GT(3 * KEPT, get_stat(BOB, "SentPackets"));
	close(other);
	close(fd);
	hang_up(&l);
}

/* Who confirms from elsewhere than it asked counts where it asked. */
TEST_F_TIMEOUT(hostile, prefix_of_others, 100)
{
	int listener = listen_on(V4, "hostile", 8), attacker, spoofed, good;
	long long held = get_stat(BOB, "StreamsHeld"), confirmed = get_stat(BOB, "HsConfirmed");

	attacker = at("10.9.0.34", 5003);
	spoofed = at("10.8.0.1", 5003);
	good = at("10.8.0.2", 5003);
	shell_in(BOB, "ip route replace 10.8.0.0/24 dev wire");
	set_sysctl(BOB, "max_prefix_waiting", "2");
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(confirm_from(&self->d, attacker, spoofed, 0));
		ASSERT_TRUE(dial_make(&self->d, (const uint8_t *)&eids[BOB][V4]));
	}
	ASSERT_TRUE(confirm_from(&self->d, good, good, 0));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsConfirmed") == confirmed + 3));
	EXPECT_EQ(held, get_stat(BOB, "StreamsHeld"));
	/* and they do count */
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(dial_make(&self->d, (const uint8_t *)&eids[BOB][V4]));
		ASSERT_TRUE(confirm_from(&self->d, good, good, 0));
	}
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "StreamsHeld") > held));
	set_sysctl(BOB, "max_prefix_waiting", "4096");
	close(listener);
}

TEST_HARNESS_MAIN
