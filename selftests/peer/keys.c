// SPDX-License-Identifier: GPL-2.0
/*
 * Sentence by sentence what protocol.rst says under "Rules", "Incarnations" and
 * "Keys": the module in both roles against a peer that does what it likes.
 */
#include "kselftest_harness.h"
#include "hosts.h"

#define SILENCE 300		/* ms in which nothing may come */

static struct link l;
static int listener, fd = -1;

/* Nobody the module knows, yet */
static void meet(void)
{
	link_prepare(&l, socket_to_bob(), (const uint8_t *)&eids[BOB][V4], true);
}

/* A channel with stream 0; the module's end of it is fd. */
static bool have_stream(void)
{
	struct timeval wait = { .tv_sec = PATIENCE / 1000 };
	char word[5];

	listener = listen_on(V4, "peer keys", 8);
	if (listener < 0 || !link_to_bob(&l) || !say_hello(&l, "peer keys"))
		return false;
	fd = accept(listener, NULL, NULL);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd >= 0 && recv(fd, word, 5, MSG_WAITALL) == 5 && link_until(&l, PATIENCE, l.reply == 0);
}

/* A word on stream 0 in both directions: it is alive. */
static bool lives(void)
{
	static uint64_t sent = 5;
	uint8_t buf[32];
	size_t got = l.got;
	char word[4];

	if (!got)
		sent = 5;
	if (!link_send(&l, buf, put_stream(buf, 0, sent, 0, "ping", 4)) ||
	    recv(fd, word, 4, MSG_WAITALL) != 4)
		return false;
	sent += 4;
	return send(fd, "pong", 4, MSG_NOSIGNAL) == 4 && link_until(&l, PATIENCE, l.got == got + 4) &&
	       link_settled(&l, PATIENCE);
}

/* It ended since the other side lost its state. */
static bool was_reset(void)
{
	char byte;

	return recv(fd, &byte, 1, 0) == -1 && errno == ECONNRESET;
}

static void end(void)
{
	hang_up(&l);
	if (fd >= 0)
		close(fd);
	fd = -1;
	close(listener);
}

/* The next packet of a type, what else comes meanwhile is taken; 0: none came */
static size_t next(uint8_t *packet, uint8_t type, int ms)
{
	long long until = link_now() + ms;

	do {
		size_t len = link_receive(&l, packet, 2048, 20);

		if (len && packet[0] == type)
			return len;
		if (len)
			link_take(&l, packet, len);
	} while (link_now() < until);
	return 0;
}

static bool ask(const uint8_t initiate[INITIATE_LEN], uint8_t respond[2048])
{
	send(l.fd, initiate, INITIATE_LEN, 0);
	return next(respond, TYPE_RESPOND, PATIENCE) == RESPOND_LEN;
}

/* Handshake of the module's, by request; the first message of it */
static bool is_asked(uint8_t initiate[2048])
{
	ask_bob_about(SSS_CMD_CHANNEL_REKEY, l.own.public);
	return next(initiate, TYPE_INITIATE, PATIENCE) == INITIATE_LEN;
}

static bool answer(const uint8_t *initiate)
{
	uint8_t msg[RESPOND_LEN];

	return link_answer(&l, initiate, msg) && send(l.fd, msg, sizeof(msg), 0) == sizeof(msg);
}

/* The first packet under the newest keys, and its acknowledgment */
static bool confirm(void)
{
	uint8_t ping[1] = { PING };

	return link_send(&l, ping, 1) && link_settled(&l, PATIENCE);
}

/* "Nothing but a RESPOND and one tentative key pair"; copies get the same answer. */
TEST(initiate)
{
	long long channels = get_stat(BOB, "Channels"), pairs = get_stat(BOB, "KeyPairs");
	long long peers = get_stat(BOB, "Peers");
	uint8_t msg[INITIATE_LEN], first[2048], again[2048];
	int other;

	meet();
	ASSERT_TRUE(link_initiate(&l, msg));
	ASSERT_TRUE(ask(msg, first));
	EXPECT_EQ(0, link_receive(&l, again, sizeof(again), SILENCE));
	EXPECT_EQ(channels, get_stat(BOB, "Channels"));
	EXPECT_EQ(peers, get_stat(BOB, "Peers"));
	EXPECT_EQ(pairs + 1, get_stat(BOB, "KeyPairs"));

	ASSERT_TRUE(ask(msg, again));
	EXPECT_EQ(0, memcmp(first, again, RESPOND_LEN));
	memset(again, 0, sizeof(again));
	other = l.fd;
	l.fd = socket_to_bob();
	ASSERT_TRUE(ask(msg, again));
	EXPECT_EQ(0, memcmp(first, again, RESPOND_LEN));
	close(l.fd);
	l.fd = other;
	EXPECT_EQ(0, link_receive(&l, again, sizeof(again), SILENCE));
	EXPECT_EQ(pairs + 1, get_stat(BOB, "KeyPairs"));
	ASSERT_TRUE(link_complete(&l, first));
	EXPECT_TRUE(confirm());
	EXPECT_EQ(channels + 1, get_stat(BOB, "Channels"));
	hang_up(&l);
}

/*
 * For 5 s (here less) the module sends the same message, then another one, with a
 * later stamp. It honours RESPOND to the last three, and to none before.
 */
TEST(last_three)
{
	uint8_t msg[4][2048], respond[RESPOND_LEN];
	long long unknown, channels;
	struct payload asked[4];
	struct pair *pair;
	int n = 0, same = 0;

	ASSERT_TRUE(have_stream());
	set_sysctl(BOB, "initiate_interval_ms", "40");
	set_sysctl(BOB, "initiate_interval_max_ms", "40");
	set_sysctl(BOB, "initiate_lifetime_ms", "100");
	ASSERT_TRUE(is_asked(msg[0]));
	while (n < 3) {
		ASSERT_LT(0, next(msg[n + 1], TYPE_INITIATE, PATIENCE));
		if (memcmp(msg[n], msg[n + 1], INITIATE_LEN - MAC))
			n++;
		else
			same++;
	}
	EXPECT_LE(3, same);
	unknown = get_stat(BOB, "HsDropUnknown");
	channels = get_stat(BOB, "Channels");
	for (int i = 0; i < 4; i++) {
		ASSERT_TRUE(link_answer(&l, msg[i], respond));
		asked[i] = l.asked;
		EXPECT_EQ(0, get32(l.asked.stamp + 8) & 0xffffff & ~7u) TH_LOG("message %d", i);
		if (i)
			EXPECT_LT(0, memcmp(asked[i].stamp, asked[i - 1].stamp, 12));
		if (i)
			continue;
		send(l.fd, respond, sizeof(respond), 0);
		EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsDropUnknown") == unknown + 1));
	}
	ASSERT_TRUE(link_answer(&l, msg[1], respond));
	pair = link_pair(&l, get32(respond + 4));
	send(l.fd, respond, sizeof(respond), 0);
	EXPECT_TRUE(link_until(&l, PATIENCE, pair->confirmed));
	EXPECT_TRUE(l.under == pair);
	EXPECT_TRUE(lives());
	EXPECT_EQ(channels, get_stat(BOB, "Channels"));
	set_sysctl(BOB, "initiate_interval_ms", "1000");
	set_sysctl(BOB, "initiate_interval_max_ms", "15000");
	set_sysctl(BOB, "initiate_lifetime_ms", "5000");
	end();
}

/* INITIATEs with older stamps: none displaces the pair of the newest. */
TEST(displace)
{
	uint8_t live[INITIATE_LEN], old[INITIATE_LEN], answer_live[2048], msg[2048];
	struct link before;

	ASSERT_TRUE(have_stream());
	before = l;
	put64(l.stamp, get64(l.stamp) + 100);
	ASSERT_TRUE(link_initiate(&l, live));
	ASSERT_TRUE(ask(live, answer_live));
	for (int i = 0; i < 5; i++) {
		ASSERT_TRUE(link_initiate(&before, old));
		ASSERT_TRUE(ask(old, msg));
	}
	ASSERT_TRUE(link_complete(&l, answer_live));
	EXPECT_TRUE(confirm());
	EXPECT_TRUE(link_until(&l, PATIENCE, l.under == l.current));
	EXPECT_TRUE(lives());
	end();
}

/* A clock that went back: answered now and then, and once confirmed it counts. */
TEST(clock_back)
{
	long long stale = get_stat(BOB, "HsDropStamp");
	uint8_t msg[INITIATE_LEN], respond[2048];

	ASSERT_TRUE(have_stream());
	put64(l.stamp, get64(l.stamp) + 1000);
	ASSERT_TRUE(link_call(&l));
	memset(l.stamp, 0, sizeof(l.stamp));
	ASSERT_TRUE(link_call(&l));
	ASSERT_TRUE(link_initiate(&l, msg));
	ASSERT_TRUE(ask(msg, respond));
	EXPECT_EQ(stale, get_stat(BOB, "HsDropStamp"));
	put64(l.stamp, get64(l.stamp) - 1000);
	EXPECT_TRUE(lives());
	end();
}

/* Rows of the table: what the INITIATE states and remembers, and what becomes of it */
static const struct row {
	const char *what;
	bool another;			/* incarnation, not the known one */
	enum { OURS, ZERO, OTHER } remembers;
	bool same, goes_on;		/* incarnation stated; the stream lives */
} rows[] = {
	{ "known, ours", false, OURS, true, true },
	{ "known, 0", false, ZERO, true, true },
	{ "another, 0", true, ZERO, true, false },
	{ "another, ours", true, OURS, false, false },
	{ "known, another", false, OTHER, false, false },
	{ "another, another", true, OTHER, false, false },
};

static bool row_holds(const struct row *row)
{
	uint64_t old = l.known, own = l.incarnation;
	uint8_t msg[INITIATE_LEN], respond[2048];

	if (row->another)
		l.incarnation ^= 0x100;
	if (row->remembers != OURS)
		l.known = row->remembers == ZERO ? 0 : old ^ 0x100;
	if (!link_initiate(&l, msg) || !ask(msg, respond))
		return false;
	l.incarnation = own;
	l.known = old;
	/* until it is confirmed nothing has changed */
	if (!lives())
		return false;
	if (row->another)
		l.incarnation ^= 0x100;
	if (!link_complete(&l, respond) || (l.remote.incarnation == old) != row->same ||
	    l.remote.remembered != l.incarnation)
		return false;
	if (!row->goes_on && row->same)
		l.restarts++;
	if (!confirm())
		return false;
	return row->goes_on ? !l.restarts && lives() : l.restarts && was_reset();
}

TEST(responder)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ASSERT_TRUE(have_stream());
		EXPECT_TRUE(row_holds(&rows[i])) TH_LOG("%s", rows[i].what);
		end();
	}
}

/* Without a channel: the same for INITIATEs of one state, never one that is over */
TEST(no_channel)
{
	uint8_t msg[INITIATE_LEN], respond[2048];
	uint64_t stated[3], number[3], over;

	meet();
	ASSERT_TRUE(link_call(&l));
	over = l.known;
	hang_up(&l);
	l.fd = socket_to_bob();
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			link_forget(&l);
		else
			l.current = NULL;
		ASSERT_TRUE(link_initiate(&l, msg));
		ASSERT_TRUE(ask(msg, respond));
		ASSERT_TRUE(link_complete(&l, respond));
		stated[i] = l.remote.incarnation;
		number[i] = l.remote.next_number;
		EXPECT_NE(over, stated[i]);
	}
	EXPECT_EQ(stated[0], stated[1]);
	EXPECT_EQ(number[0], number[1]);	/* who honoured the first takes none below */
	EXPECT_NE(stated[0], stated[2]);
	close(l.fd);
}

/* The module calls, and we are not what we were, or do not know it any more. */
TEST(initiator)
{
	uint8_t msg[2048];

	for (int i = 0; i < 3; i++) {
		ASSERT_TRUE(have_stream());
		ASSERT_TRUE(is_asked(msg));
		if (i == 1)
			l.incarnation ^= 0x100;
		if (i == 2)
			l.misremembers = true;
		ASSERT_TRUE(answer(msg));
		if (i == 0) {
			EXPECT_TRUE(link_until(&l, PATIENCE, !l.under->ours));
			EXPECT_TRUE(lives());
		} else {
			EXPECT_TRUE(was_reset()) TH_LOG("case %d: %s", i, strerror(errno));
		}
		EXPECT_EQ(0, l.restarts);
		end();
	}
}

/*
 * We called from a state that is over, and have answered the module since from the
 * one that goes on: the first packet of that call is late and confirms nothing.
 */
TEST(late_confirmation)
{
	uint8_t msg[2048], respond[2048], ping[1] = { PING };
	struct link other;

	ASSERT_TRUE(have_stream());
	other = l;
	other.incarnation ^= 0x100;
	ASSERT_TRUE(link_initiate(&other, msg));
	ASSERT_TRUE(ask(msg, respond));
	ASSERT_TRUE(link_complete(&other, respond));
	l.next = other.next + 100;
	ASSERT_TRUE(is_asked(msg));
	ASSERT_TRUE(answer(msg));
	ASSERT_TRUE(link_until(&l, PATIENCE, !l.under->ours));
	link_send_once(&other, ping, 1);
	EXPECT_TRUE(lives());
	end();
}

/* We have lost everything, and call with @msg; the module answers. */
static bool call_anew(struct link *anew, uint8_t msg[INITIATE_LEN])
{
	uint8_t respond[2048];

	*anew = l;
	link_forget(anew);
	memcpy(anew->stamp, l.stamp, sizeof(l.stamp));
	if (!link_initiate(anew, msg) || !ask(msg, respond))
		return false;
	memcpy(l.stamp, anew->stamp, sizeof(l.stamp));
	return link_complete(anew, respond);
}

/* A stream in a state that is new: the module takes it and it works. */
static bool begins(struct link *anew)
{
	char word[5];
	bool ok;

	close(fd);
	l = *anew;
	ok = say_hello(&l, "peer keys");
	fd = accept(listener, NULL, NULL);
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	return ok && fd >= 0 && recv(fd, word, 5, MSG_WAITALL) == 5 && lives();
}

/*
 * The old state ends when the call from the new one was answered, by CLOSE or because
 * the module's administrator says so: that is none of the call's business.
 */
TEST(close_after_call)
{
	uint8_t msg[INITIATE_LEN], buf[16];
	struct link anew;

	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(have_stream());
		ASSERT_TRUE(call_anew(&anew, msg));
		if (i)
			ask_bob_about(SSS_CMD_PEER_DEL, l.own.public);
		else
			link_send_once(&l, buf, put_close(buf, 0));
		EXPECT_EQ(-1, recv(fd, buf, 1, 0));
		EXPECT_EQ(i ? ECONNABORTED : ECONNRESET, errno);
		EXPECT_TRUE(begins(&anew)) TH_LOG("case %d: %s", i, strerror(errno));
		end();
	}
}

/* What is sent in the state @anew makes no channel, once the one there is has ended. */
static bool ends_with_channel(struct link *anew)
{
	long long dropped = get_stat(BOB, "RxDropIndex");
	uint8_t buf[16], ping[1] = { PING };
	char byte;

	link_send_once(&l, buf, put_close(buf, 0));
	if (recv(fd, &byte, 1, 0) != -1)
		return false;
	link_send_once(anew, ping, 1);
	return eventually(PATIENCE, get_stat(BOB, "RxDropIndex") == dropped + 1);
}

/* A call goes with the channel if it was answered in two places, or from an older state. */
TEST(calls_that_end)
{
	uint8_t msg[INITIATE_LEN], respond[2048], asked[2048], buf[16], ping[1] = { PING };
	long long dropped, channels;
	struct link anew;
	int other;

	ASSERT_TRUE(have_stream());
	ASSERT_TRUE(call_anew(&anew, msg));
	other = l.fd;
	l.fd = socket_to_bob();
	ASSERT_TRUE(ask(msg, respond));
	close(l.fd);
	l.fd = other;
	EXPECT_TRUE(ends_with_channel(&anew));
	end();

	ASSERT_TRUE(have_stream());
	ASSERT_TRUE(call_anew(&anew, msg));
	l.next = anew.next + 100;
	ASSERT_TRUE(is_asked(asked));
	ASSERT_TRUE(answer(asked));
	ASSERT_TRUE(link_until(&l, PATIENCE, !l.under->ours));
	EXPECT_TRUE(ends_with_channel(&anew));
	end();

	/* It was from the state that there was, and we have answered the module from a new one. */
	ASSERT_TRUE(have_stream());
	ASSERT_TRUE(is_asked(asked));
	anew = l;
	ASSERT_TRUE(link_initiate(&anew, msg));
	ASSERT_TRUE(ask(msg, respond));
	ASSERT_TRUE(link_complete(&anew, respond));
	l.incarnation ^= 0x100;
	l.next = anew.next + 100;
	ASSERT_TRUE(answer(asked));
	ASSERT_TRUE(was_reset());
	close(fd);
	fd = -1;
	ASSERT_TRUE(link_until(&l, PATIENCE, !l.under->ours));
	channels = get_stat(BOB, "Channels");
	link_send_once(&l, buf, put_close(buf, 0));
	ASSERT_TRUE(eventually(PATIENCE, get_stat(BOB, "Channels") < channels));
	dropped = get_stat(BOB, "RxDropIndex");
	link_send_once(&anew, ping, 1);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "RxDropIndex") == dropped + 1));
	end();
}

/* Two states begun since: each goes on from its first packet, in the order of the calls. */
TEST(two_states)
{
	uint8_t msg[INITIATE_LEN], ping[1] = { PING }, buf[16];
	struct link first, second;

	ASSERT_TRUE(have_stream());
	ASSERT_TRUE(call_anew(&first, msg));
	ASSERT_TRUE(call_anew(&second, msg));
	EXPECT_TRUE(begins(&first));
	EXPECT_TRUE(begins(&second));
	end();

	/*
	 * Not so the other way round: the first one is over when the second one has begun,
	 * whether there still is a channel or not.
	 */
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(have_stream());
		ASSERT_TRUE(call_anew(&first, msg));
		ASSERT_TRUE(call_anew(&second, msg));
		if (i) {
			link_send_once(&l, buf, put_close(buf, 0));
			EXPECT_EQ(-1, recv(fd, buf, 1, 0));
		}
		EXPECT_TRUE(begins(&second));
		link_send_once(&first, ping, 1);
		EXPECT_TRUE(lives());
		end();
	}
}

/* The same if there was no channel when we called */
TEST(two_states_alone)
{
	uint8_t msg[INITIATE_LEN], ping[1] = { PING };
	struct link first, second;

	listener = listen_on(V4, "peer keys", 8);
	meet();
	ASSERT_TRUE(call_anew(&first, msg));
	ASSERT_TRUE(call_anew(&second, msg));
	EXPECT_TRUE(begins(&second));
	link_send_once(&first, ping, 1);
	EXPECT_TRUE(lives());
	end();
}

/* Numbers below the one stated are not valid under the new keys, those above are. */
TEST(numbers)
{
	long long replays = get_stat(BOB, "RxDropReplay");
	uint8_t ping[1] = { PING };
	uint64_t stated;

	ASSERT_TRUE(have_stream());
	l.next += 1000;
	stated = l.next;
	ASSERT_TRUE(link_call(&l));
	l.next = stated - 1;
	link_send_once(&l, ping, 1);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "RxDropReplay") == replays + 1));
	l.next = stated + 100;
	EXPECT_TRUE(lives());
	end();
}

/*
 * After a handshake the pair before receives still, the one before that does not,
 * and what was received once is not received again under any.
 */
TEST(old_keys)
{
	long long unknown = get_stat(BOB, "RxDropIndex"), replays = get_stat(BOB, "RxDropReplay");
	uint8_t packet[PACKET_MAX], ping[1] = { PING };
	struct pair *first, *second;
	size_t len;

	ASSERT_TRUE(have_stream());
	first = l.current;
	len = link_seal(&l, packet, ping, 1);
	send(l.fd, packet, len, 0);
	ASSERT_TRUE(link_call(&l));
	EXPECT_TRUE(l.current != first);
	second = l.current;
	send(l.fd, packet, len, 0);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "RxDropReplay") == replays + 1));
	l.current = first;
	EXPECT_TRUE(confirm());
	l.current = second;
	ASSERT_TRUE(link_call(&l));
	EXPECT_EQ(unknown, get_stat(BOB, "RxDropIndex"));
	send(l.fd, packet, len, 0);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "RxDropIndex") == unknown + 1));
	EXPECT_TRUE(lives());
	end();
}

FIXTURE(life) {
};

FIXTURE_SETUP(life)
{
	ASSERT_TRUE(have_stream());
}

FIXTURE_TEARDOWN(life)
{
	end();
}

/* s from @from until the module, which has something to send, begins a handshake */
static long long initiate_after(long long from, uint8_t *msg, int until)
{
	char byte = 'x';

	while (link_now() < from + until * 1000LL) {
		send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (next(msg, TYPE_INITIATE, 1000))
			return (link_now() - from) / 1000;
	}
	return -1;
}

/* The module has something to send all the time; its INITIATEs are not answered. */
static void write_until(long long when)
{
	uint8_t msg[2048];
	char byte = 'x';

	while (link_now() < when) {
		send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		next(msg, TYPE_INITIATE, when - link_now() < 500 ? when - link_now() : 500);
	}
}

/* Virtual time: the ages at which something happens to a pair that we made */
TEST_F_TIMEOUT(life, ages, 1000)
{
	uint8_t msg[2048], ping[1] = { PING };
	long long born, expired, pairs;
	struct pair *first;

	first = l.current;
	born = link_now();
	/* 150 s: the responder starts a handshake, which is not answered here */
	EXPECT_EQ(150, initiate_after(born, msg, 170));
	/* 180 s: nothing is sent under it, but INITIATE on and on */
	write_until(born + 179000);
	while (link_receive(&l, msg, sizeof(msg), 1500))
		;
	l.newest = 0;
	EXPECT_LT(180, initiate_after(born, msg, 200));
	write_until(born + 239000);
	EXPECT_EQ(0, l.newest);
	/* 240 s: nothing is received */
	expired = get_stat(BOB, "RxDropKeyExpired");
	link_send_once(&l, ping, 1);
	write_until(born + 241000);
	EXPECT_EQ(expired, get_stat(BOB, "RxDropKeyExpired"));
	link_send_once(&l, ping, 1);
	EXPECT_TRUE(eventually(1000, get_stat(BOB, "RxDropKeyExpired") == expired + 1));
	/* 300 s: it is erased */
	pairs = get_stat(BOB, "KeyPairs");
	write_until(born + 298000);
	EXPECT_EQ(pairs, get_stat(BOB, "KeyPairs"));
	write_until(born + 301000);
	EXPECT_EQ(pairs - 1, get_stat(BOB, "KeyPairs"));
	/* and the state is still there */
	l.answers = true;
	EXPECT_TRUE(link_until(&l, PATIENCE, l.current != first && l.under == l.current));
	EXPECT_EQ(0, l.restarts);
	EXPECT_EQ(-1, l.close_code);
	/* 120 s: the one who made the keys starts */
	born = link_now();
	EXPECT_EQ(120, initiate_after(born, msg, 170));
}

/* An idle channel does not rekey. */
TEST_F_TIMEOUT(life, idle, 1000)
{
	uint8_t msg[2048];

	while (link_receive(&l, msg, sizeof(msg), 500))
		;
	EXPECT_EQ(0, link_receive(&l, msg, sizeof(msg), 400000));
	l.answers = true;
	ASSERT_EQ(4, send(fd, "pong", 4, MSG_NOSIGNAL));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.got == 4));
	EXPECT_EQ(0, l.restarts);
}

TEST_HARNESS_MAIN
