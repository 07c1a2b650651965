// SPDX-License-Identifier: GPL-2.0
/*
 * Keys are replaced again and again while both ends send all they can: every byte
 * arrives, nothing is reset, and keys that were replaced go. And what an
 * administrator may ask of a channel.
 */
#include "kselftest_harness.h"
#include "handshake_hosts.h"

#define LIVE_MOST	8	/* key pairs of a channel: its ring, and slots that end */

struct flow {
	int fd, seed;
	volatile bool stop;
	ssize_t n;
};

/* Writes the pattern until told to stop, and then the end. */
static void *writer(void *arg)
{
	struct flow *f = arg;
	ssize_t n;

	while (!f->stop) {
		n = send_pattern(f->fd, 16384, f->seed, f->n);
		if (n != 16384)
			break;
		f->n += n;
	}
	shutdown(f->fd, SHUT_WR);
	return NULL;
}

/* Reads it to the end. */
static void *reader(void *arg)
{
	struct flow *f = arg;
	ssize_t n;

	while ((n = recv_pattern(f->fd, 16384, f->seed, f->n)) > 0)
		f->n += n;
	if (n < 0)
		f->n = n;
	return NULL;
}

struct ends {
	struct both b;
	int listener, fd[2];
};

static bool set_up(struct ends *e)
{
	make_hosts(&e->b, "rekeys", 9740);
	e->listener = listen_as(&e->b, BOB);
	e->fd[ALICE] = dial_as(&e->b, ALICE);
	e->fd[BOB] = accept(e->listener, NULL, NULL);
	set_timeout(e->fd[BOB], SO_RCVTIMEO, PATIENCE);
	set_timeout(e->fd[BOB], SO_SNDTIMEO, PATIENCE);
	return e->fd[ALICE] >= 0 && e->fd[BOB] >= 0;
}

static bool tear_down(struct ends *e)
{
	for (int who = ALICE; who <= BOB; who++) {
		close(e->fd[who]);
		netem(who, NULL);
		set_sysctl(who, "rekey_packets", "0");
		set_sysctl(who, "initiate_lifetime_ms", "5000");
		set_sysctl(who, "erase_ms", "300000");
		set_sysctl(who, "stop_send_ms", "180000");
		set_sysctl(who, "stop_receive_ms", "240000");
	}
	close(e->listener);
	remove_hosts(&e->b);
	return eventually(PATIENCE, !sum("KeyPairs"));
}

FIXTURE(rekey) {
	struct ends e;
};

FIXTURE_SETUP(rekey)
{
	ASSERT_TRUE(set_up(&self->e));
}

FIXTURE_TEARDOWN(rekey)
{
	EXPECT_TRUE(tear_down(&self->e));
}

FIXTURE(load) {
	struct ends e;
};

FIXTURE_VARIANT(load) {
	int times;
};

FIXTURE_VARIANT_ADD(load, hundred) {
	.times = 100,
};

FIXTURE_VARIANT_ADD(load, thousand) {
	.times = 1000,
};

FIXTURE_SETUP(load)
{
	ASSERT_TRUE(set_up(&self->e));
}

FIXTURE_TEARDOWN(load)
{
	EXPECT_TRUE(tear_down(&self->e));
}

/*
 * Each end begins a handshake after so few packets that there is always one under
 * way, the two of them often at once.
 */
TEST_F_TIMEOUT(load, rekey, 250)
{
	long long before = sum("HsConfirmed"), channels = sum("Channels"), most = 0, now;
	long long began[2] = { get_stat(ALICE, "HsTxInitiate"), get_stat(BOB, "HsTxInitiate") };
	struct flow out[2], in[2];
	pthread_t t[4];

	for (int who = ALICE; who <= BOB; who++) {
		netem(who, "delay 1ms rate 40mbit limit 1000");
		set_sysctl(who, "rekey_packets", "16");
		set_sysctl(who, "initiate_lifetime_ms", "10");
	}
	for (int who = ALICE; who <= BOB; who++) {
		out[who] = (struct flow){ .fd = self->e.fd[who], .seed = who };
		in[who] = (struct flow){ .fd = self->e.fd[who], .seed = !who };
		ASSERT_EQ(0, pthread_create(&t[2 * who], NULL, writer, &out[who]));
		ASSERT_EQ(0, pthread_create(&t[2 * who + 1], NULL, reader, &in[who]));
	}
	while (sum("HsConfirmed") < before + variant->times && in[ALICE].n >= 0 && in[BOB].n >= 0) {
		now = get_stat(ALICE, "KeyPairs");
		most = now > most ? now : most;
		usleep(20000);
	}
	out[ALICE].stop = true;
	out[BOB].stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int who = ALICE; who <= BOB; who++) {
		EXPECT_LT(0, out[who].n);
		EXPECT_EQ(out[who].n, in[!who].n);
		EXPECT_LT(began[who] + variant->times / 10, get_stat(who, "HsTxInitiate"));
	}
	EXPECT_LE(before + variant->times, sum("HsConfirmed"));
	EXPECT_EQ(channels, sum("Channels"));
	TH_LOG("%zd and %zd bytes, at most %lld key pairs", in[ALICE].n, in[BOB].n, most);
	/* slots go once a second */
	EXPECT_GE(LIVE_MOST + variant->times, most);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, "KeyPairs") <= 4 &&
			       get_stat(BOB, "KeyPairs") <= 4));
}

/* Keys that are too old are not in memory any more; the stream is alive, though. */
TEST_F(rekey, erased)
{
	for (int who = ALICE; who <= BOB; who++) {
		set_sysctl(who, "initiate_lifetime_ms", "100");
		set_sysctl(who, "stop_send_ms", "300");
		set_sysctl(who, "stop_receive_ms", "400");
		set_sysctl(who, "erase_ms", "500");
	}
	/* Their ends were set when they were made. */
	ASSERT_EQ(0, ask_about_channel(&self->e.b, ALICE, SSS_CMD_CHANNEL_REKEY));
	EXPECT_TRUE(eventually(PATIENCE, !sum("KeyPairs"))) TH_LOG("%lld", sum("KeyPairs"));
	EXPECT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
	EXPECT_LT(0, sum("KeyPairs"));
	EXPECT_TRUE(eventually(PATIENCE, !sum("KeyPairs")));
	EXPECT_TRUE(talks(self->e.fd[BOB], self->e.fd[ALICE]));
}

/* What an administrator may ask for, and what he is told */
TEST_F(rekey, administrator)
{
	long long confirmed = sum("HsConfirmed"), peers = get_stat(BOB, "Peers");
	struct both stranger = self->e.b, unnamed = self->e.b;
	char byte;

	stranger.eid[BOB].key[0] ^= 1;
	unnamed.name = "nobody";
	for (int cmd = SSS_CMD_CHANNEL_REKEY; cmd <= SSS_CMD_CHANNEL_CLOSE; cmd++) {
		EXPECT_EQ(ENOENT, ask_about_channel(&stranger, ALICE, cmd));
		EXPECT_EQ(ENOENT, ask_about_channel(&unnamed, ALICE, cmd));
	}
	for (int who = ALICE; who <= BOB; who++) {
		ASSERT_EQ(0, ask_about_channel(&self->e.b, who, SSS_CMD_CHANNEL_REKEY));
		EXPECT_TRUE(eventually(PATIENCE, sum("HsConfirmed") > confirmed));
		confirmed = sum("HsConfirmed");
		EXPECT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
	}
	ASSERT_EQ(0, ask_about_channel(&self->e.b, ALICE, SSS_CMD_CHANNEL_CLOSE));
	EXPECT_EQ(-1, recv(self->e.fd[ALICE], &byte, 1, 0));
	EXPECT_EQ(ECONNABORTED, errno);
	EXPECT_EQ(-1, recv(self->e.fd[BOB], &byte, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_TRUE(eventually(PATIENCE, ask_about_channel(&self->e.b, BOB, SSS_CMD_CHANNEL_CLOSE) ==
			       ENOTCONN));
	EXPECT_EQ(ENOTCONN, ask_about_channel(&self->e.b, ALICE, SSS_CMD_CHANNEL_REKEY));
	EXPECT_EQ(peers, get_stat(BOB, "Peers"));
	/* and again */
	close(self->e.fd[ALICE]);
	close(self->e.fd[BOB]);
	self->e.fd[ALICE] = dial_as(&self->e.b, ALICE);
	ASSERT_LE(0, self->e.fd[ALICE]);
	self->e.fd[BOB] = accept(self->e.listener, NULL, NULL);
	EXPECT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
}

TEST_HARNESS_MAIN
