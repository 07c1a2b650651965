// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and outages, in virtual time: data flow on without a pause while keys are
 * replaced, and streams outlive all keys and any outage; a peer that lost its
 * state says so in one round trip.
 */
#include "kselftest_harness.h"
#include "handshake_hosts.h"

#define HOUR		3600	/* s */
#define RATE		5	/* Mbit/s */
#define SLOT		100	/* ms, in which something must come */
#define DELAY		50	/* ms, one way, where round trips are counted */

struct ends {
	struct both b;
	int listener, fd[2];
};

static bool set_up(struct ends *e)
{
	enter(BOB);
	e->b = (struct both){ "ends", 9750, .service = { "at alice", "at bob" } };
	e->b.eid[BOB] = add_known_host("ends", 9750);
	enter(ALICE);
	e->b.eid[ALICE] = add_host("ends", 9750, ~0u);
	add_peer("ends", &e->b.eid[BOB], "10.9.0.2", 9750);
	e->listener = listen_as(&e->b, BOB);
	e->fd[ALICE] = dial_as(&e->b, ALICE);
	e->fd[BOB] = accept(e->listener, NULL, NULL);
	for (int who = ALICE; who <= BOB; who++) {
		set_timeout(e->fd[who], SO_RCVTIMEO, 60000);
		set_timeout(e->fd[who], SO_SNDTIMEO, 0);
	}
	return e->fd[ALICE] >= 0 && e->fd[BOB] >= 0;
}

static void tear_down(struct ends *e)
{
	netem(ALICE, NULL);
	netem(BOB, NULL);
	close(e->fd[ALICE]);
	close(e->fd[BOB]);
	close(e->listener);
	remove_hosts(&e->b);
}

static void both(const char *how)
{
	netem(ALICE, how);
	netem(BOB, how);
}

static pid_t flood(int fd, int seed)
{
	pid_t pid = fork();
	ssize_t at = 0;

	if (pid)
		return pid;
	while (send_pattern(fd, 16384, seed, at) == 16384)
		at += 16384;
	_exit(0);
}

/* Bytes read in the next @ms; -1: not the pattern, or an error */
static ssize_t read_for(int fd, int seed, ssize_t *at, int ms)
{
	static unsigned char buf[1 << 18];
	long long until = now_ms() + ms, left;
	ssize_t n, sum = 0;

	while ((left = until - now_ms()) > 0) {
		if (!(polled(fd, POLLIN, left) & POLLIN))
			break;
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0 || !is_pattern(buf, n, seed, *at))
			return -1;
		*at += n;
		sum += n;
	}
	usleep((until > now_ms() ? until - now_ms() : 0) * 1000);
	return sum;
}

FIXTURE(keys) {
	struct ends e;
	pid_t child[2];
};

FIXTURE_SETUP(keys)
{
	ASSERT_TRUE(set_up(&self->e));
}

FIXTURE_TEARDOWN(keys)
{
	for (int i = 0; i < 2; i++) {
		if (self->child[i]) {
			kill(self->child[i], SIGKILL);
			waitpid(self->child[i], NULL, 0);
		}
	}
	for (int who = ALICE; who <= BOB; who++) {
		set_sysctl(who, "rmem", "16384 65536 6291456");
		set_sysctl(who, "rekey_initiator_ms", "120000");
		set_sysctl(who, "rekey_responder_ms", "150000");
	}
	tear_down(&self->e);
}

/* The least that came within a slot in so many seconds */
static ssize_t least_of(int fd, int seed, ssize_t *at, int seconds)
{
	ssize_t least = 1 << 30, n;

	for (int i = 0; i < seconds * 1000 / SLOT; i++) {
		n = read_for(fd, seed, at, SLOT);
		least = n < least ? n : least;
	}
	return least;
}

/*
 * A link that is full and loses nothing, since the window is limited: what comes in
 * every tenth of a second is what the link carries, while keys are replaced after
 * their usual 120 s.
 */
TEST_F_TIMEOUT(keys, no_stall, 600)
{
	long long before = sum("HsConfirmed");
	const ssize_t full = RATE * 1000000 / 8 * SLOT / 1000;
	ssize_t at = 0, least;

	set_sysctl(BOB, "rmem", "16384 65536 131072");
	both("delay 20ms rate 5mbit limit 1000");
	self->child[0] = flood(self->e.fd[ALICE], 1);
	EXPECT_LT(0, read_for(self->e.fd[BOB], 1, &at, 5000));
	least = least_of(self->e.fd[BOB], 1, &at, 300);
	TH_LOG("at least %zd bytes in %d ms, the link carries %zd", least, SLOT, full);
	EXPECT_LT(full * 3 / 4, least);
	EXPECT_LE(before + 2, sum("HsConfirmed"));
	EXPECT_GE(before + 3, sum("HsConfirmed"));
}

static void *least_here(void *arg)
{
	void **with = arg;
	ssize_t at = 0;
	int fd = *(int *)with[0];

	if (read_for(fd, *(int *)with[1], &at, 5000) <= 0)
		return (void *)-1;
	*(ssize_t *)with[2] = least_of(fd, *(int *)with[1], &at, 40);
	set_sysctl(fd == *(int *)with[3] ? ALICE : BOB, "rekey_initiator_ms", "5000");
	set_sysctl(fd == *(int *)with[3] ? ALICE : BOB, "rekey_responder_ms", "5000");
	return (void *)least_of(fd, *(int *)with[1], &at, 60);
}

/*
 * Both directions are full, and both sides begin a handshake at the same moment. The
 * one's acknowledgments wait behind the other's data, so that not every tenth of a
 * second is like the other: it is compared with what it was before.
 */
TEST_F_TIMEOUT(keys, no_stall_crossing, 600)
{
	long long began[2] = { get_stat(ALICE, "HsTxInitiate"), get_stat(BOB, "HsTxInitiate") };
	int seed[2] = { 1, 2 };
	void *least[2], *arg[2][4];
	ssize_t before[2];
	pthread_t t[2];

	for (int who = ALICE; who <= BOB; who++)
		set_sysctl(who, "rmem", "16384 65536 131072");
	both("delay 20ms rate 5mbit limit 1000");
	for (int who = ALICE; who <= BOB; who++)
		self->child[who] = flood(self->e.fd[who], seed[!who]);
	for (int who = ALICE; who <= BOB; who++) {
		arg[who][0] = &self->e.fd[who];
		arg[who][1] = &seed[who];
		arg[who][2] = &before[who];
		arg[who][3] = &self->e.fd[ALICE];
		ASSERT_EQ(0, pthread_create(&t[who], NULL, least_here, arg[who]));
	}
	for (int who = ALICE; who <= BOB; who++) {
		pthread_join(t[who], &least[who]);
		TH_LOG("at least %zd bytes in %d ms, before %zd", (ssize_t)least[who], SLOT,
		       before[who]);
		EXPECT_LT(0, before[who]);
		EXPECT_LE(before[who] / 2, (ssize_t)least[who]);
		EXPECT_LT(began[who] + 5, get_stat(who, "HsTxInitiate"));
	}
}

static void move_alice(int from, int to)
{
	shell_in(ALICE, "ip addr del 10.9.0.%d/24 dev wire", from);
	shell_in(ALICE, "ip addr add 10.9.0.%d/24 dev wire", to);
}

/* Hours without a link, longer than any key lives, and nobody said anything: it goes on. */
TEST_F_TIMEOUT(keys, idle_outage, 100 * HOUR)
{
	EXPECT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
	for (int i = 0; i < 2; i++) {
		if (!i)		/* not even an acknowledgment is under way */
			usleep(500000);
		both("loss 100%");
		sleep(6 * HOUR);
		EXPECT_EQ(0, sum("KeyPairs"));
		if (i)		/* alice is elsewhere when the link is back */
			move_alice(1, 5);
		both("delay 5ms");
		EXPECT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
		EXPECT_TRUE(talks(self->e.fd[BOB], self->e.fd[ALICE]));
	}
	move_alice(5, 1);
}

/* The same while both send: not a byte is missing. */
TEST_F_TIMEOUT(keys, loaded_outage, 100 * HOUR)
{
	ssize_t at[2] = { 0, 0 };

	for (int who = ALICE; who <= BOB; who++) {
		set_sysctl(who, "rmem", "16384 65536 131072");
		self->child[who] = flood(self->e.fd[who], who);
	}
	both("delay 20ms rate 5mbit limit 1000");
	for (int i = 0; i < 3; i++) {
		for (int who = ALICE; who <= BOB; who++)
			EXPECT_LT(100000, read_for(self->e.fd[who], !who, &at[who], 2000));
		if (i == 2)
			break;
		both("loss 100%");
		sleep(2 * HOUR);
		if (i)
			move_alice(1, 5);
		both("delay 20ms rate 5mbit limit 1000");
		/* INITIATE goes out every 15 s, some of them a little later. */
		for (int who = ALICE; who <= BOB; who++)
			EXPECT_LE(0, read_for(self->e.fd[who], !who, &at[who], 17000));
	}
	move_alice(5, 1);
}

FIXTURE(reboot) {
	struct ends e;
};

FIXTURE_SETUP(reboot)
{
	ASSERT_TRUE(set_up(&self->e));
	EXPECT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
	usleep(500000);
	/* Bob vanishes without a word, and comes back with his key and nothing else. */
	both("loss 100%");
	enter(BOB);
	del_host("ends");
	close(self->e.fd[BOB]);
	close(self->e.listener);
	usleep(1000000);
	enter(BOB);
	add_known_host("ends", 9750);
	add_peer("ends", &self->e.b.eid[ALICE], "10.9.0.1", 9750);
	self->e.listener = listen_as(&self->e.b, BOB);
	both("delay 50ms");
}

FIXTURE_TEARDOWN(reboot)
{
	self->e.fd[BOB] = -1;
	tear_down(&self->e);
}

/* ms from @since until the stream was reset */
static long long reset_after(int fd, long long since)
{
	char byte;

	if (recv(fd, &byte, 1, 0) != -1 || errno != ECONNRESET)
		return -1;
	return now_ms() - since;
}

/* A new connect() takes its one round trip, and works. */
static bool connects_at_once(struct ends *e, int who)
{
	long long start = now_ms();
	int listener = who == BOB ? listen_as(&e->b, ALICE) : -1;
	int fd = dial_as(&e->b, who), end;
	bool good;

	good = fd >= 0 && now_ms() - start <= 2 * DELAY + 10;
	end = accept(who == BOB ? listener : e->listener, NULL, NULL);
	good = good && talks(fd, end);
	close(fd);
	close(end);
	if (who == BOB)
		close(listener);
	return good;
}

/* The one who kept his state speaks first. */
TEST_F_TIMEOUT(reboot, kept_speaks, 100)
{
	long long initiates = get_stat(ALICE, "HsTxInitiate"), contact, took;

	ASSERT_EQ(1, send(self->e.fd[ALICE], "x", 1, MSG_NOSIGNAL));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, "HsTxInitiate") > initiates));
	contact = now_ms();
	took = reset_after(self->e.fd[ALICE], contact);
	EXPECT_LE(0, took);
	EXPECT_GE(2 * DELAY + 10, took) TH_LOG("%lld ms", took);
	EXPECT_TRUE(connects_at_once(&self->e, ALICE));
	EXPECT_TRUE(connects_at_once(&self->e, BOB));
}

struct late_call {
	struct ends *e;
	bool good;
};

static void *call(void *arg)
{
	struct late_call *c = arg;

	c->good = connects_at_once(c->e, BOB);
	return NULL;
}

/* The one who lost it does: INITIATE there, RESPOND back, and the first packet there */
TEST_F_TIMEOUT(reboot, lost_speaks, 100)
{
	struct late_call c = { .e = &self->e };
	long long start = now_ms(), took;
	pthread_t t;

	ASSERT_EQ(0, pthread_create(&t, NULL, call, &c));
	took = reset_after(self->e.fd[ALICE], start);
	/* contact is when INITIATE has come: one way after it left */
	EXPECT_LE(0, took);
	EXPECT_GE(DELAY + 2 * DELAY + 10, took) TH_LOG("%lld ms", took);
	pthread_join(t, NULL);
	EXPECT_TRUE(c.good);
	EXPECT_TRUE(connects_at_once(&self->e, ALICE));
}

static long long both_sum(const char *what)
{
	return get_stat(ALICE, what) + get_stat(BOB, what);
}

/* After an hour's silence: ms until a byte of bob's is at alice's */
static long long after_an_hour(struct ends *e)
{
	long long begin;
	char word;

	usleep(HOUR * 1000000ull);
	begin = now_ms();
	if (send(e->fd[BOB], "b", 1, 0) != 1 || recv(e->fd[ALICE], &word, 1, 0) != 1)
		return -1;
	return now_ms() - begin;
}

static void keep_alive(int fd, int on)
{
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/*
 * SO_KEEPALIVE at either end: keys are there after any silence, for some packets an
 * hour. Without it, or without it any more, they are not, and nothing is sent.
 */
TEST_F_TIMEOUT(keys, kept_alive, 90000)
{
	long long sent;

	both("delay 50ms");
	ASSERT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
	for (int who = ALICE; who <= BOB; who++) {
		sent = both_sum("TxPackets");
		EXPECT_LT(2 * DELAY, after_an_hour(&self->e));
		EXPECT_GT(20, both_sum("TxPackets") - sent);
		keep_alive(self->e.fd[who], 1);
		sent = both_sum("TxPackets");
		EXPECT_GT(2 * DELAY, after_an_hour(&self->e));
		EXPECT_LE(2 * HOUR / 26, both_sum("TxPackets") - sent);
		EXPECT_GE(2 * HOUR / 25 + 6 * HOUR / 120, both_sum("TxPackets") - sent);
		keep_alive(self->e.fd[who], 0);
	}
	/* of a stream that is gone nothing remains */
	keep_alive(self->e.fd[ALICE], 1);
	close(self->e.fd[ALICE]);
	close(self->e.fd[BOB]);
	self->e.fd[ALICE] = self->e.fd[BOB] = -1;
	EXPECT_TRUE(eventually(300000, !both_sum("Channels")));
}

/* Who was accepted has it from who listened. */
TEST_F_TIMEOUT(keys, kept_alive_by_heredity, 9000)
{
	both("delay 50ms");
	close(self->e.fd[ALICE]);
	close(self->e.fd[BOB]);
	keep_alive(self->e.listener, 1);
	self->e.fd[ALICE] = dial_as(&self->e.b, ALICE);
	self->e.fd[BOB] = accept(self->e.listener, NULL, NULL);
	ASSERT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
	EXPECT_GT(2 * DELAY, after_an_hour(&self->e));
}

TEST_HARNESS_MAIN
