// SPDX-License-Identifier: GPL-2.0
/*
 * Both sides call each other at once. Each handshake has three messages, and what
 * is made, what arrives and what is read is put into every order there can be,
 * with the smaller EID on either side; then once more with one of the messages
 * lost, and with one delivered three times. Whatever the order, there is one
 * channel in the end, with data in both directions, and nothing was reset.
 */
#include "kselftest_harness.h"
#include "hosts.h"

/* A handshake has four steps; a bit of an order says whose step is next. */
enum { STEPS = 4, ORDERS = 1 << 2 * STEPS, ALL_STEPS = 2 * STEPS };

/* What is under way: ours and the module's INITIATE, the answer to it, first packet */
enum { INITIATE, RESPOND, PACKET, HANDSHAKE, NONE = -1 };
enum { OURS = 0, THEIRS = HANDSHAKE, MESSAGES = 2 * HANDSHAKE };

struct box {
	size_t len;
	uint8_t data[2048];
};

struct run {
	struct link l;
	int listener, fd;
	int lost, copied;
	struct box box[MESSAGES];
	struct box rest[16];		/* packets of the module under other keys */
	unsigned int n_rest;
	uint32_t their_index;		/* ours for the module's handshake */
	bool under_ours;		/* our first packet is */
	int confirmed[2];		/* step at which the module had each key pair */
	int reached, called;		/* our INITIATE reached it; it made its own */
	long long channels, errors, initiates;
};

static struct run r;

static int peer_socket(struct sockaddr_in *own)
{
	socklen_t len = sizeof(*own);
	int fd = socket_to_bob();

	if (getsockname(fd, (struct sockaddr *)own, &len))
		genl_die("UDP socket");
	return fd;
}

/* Whatever the module does with a message that it has no use for */
static long long drops(void)
{
	return get_stat(BOB, "HsDropUnknown") + get_stat(BOB, "HsDropStamp") +
	       get_stat(BOB, "RxDropReplay") + get_stat(BOB, "RxDropIndex");
}

static void keep(const uint8_t *data, size_t len)
{
	struct box *to;

	if (data[0] == TYPE_INITIATE)
		to = &r.box[THEIRS + INITIATE];
	else if (data[0] == TYPE_RESPOND)
		to = &r.box[OURS + RESPOND];
	else if (r.their_index && get32(data + 4) == r.their_index)
		to = &r.box[THEIRS + PACKET];
	else if (r.n_rest < sizeof(r.rest) / sizeof(*r.rest))
		to = &r.rest[r.n_rest++];
	else
		return;
	memcpy(to->data, data, len);
	to->len = len;
}

/* Takes in what the module sends, until @message is there or something was dropped */
static void await(int message, unsigned int rest)
{
	long long until = link_now() + 1000, before = drops();
	uint8_t data[2048];

	do {
		size_t len = link_receive(&r.l, data, sizeof(data), 10);

		if (len)
			keep(data, len);
	} while (!(message != NONE && r.box[message].len) && r.n_rest <= rest &&
		 drops() == before && link_now() < until);
}

/* A message of ours arrives, if it has been made and is not lost. */
static bool deliver(int message)
{
	const struct box *box = &r.box[message];

	if (!box->len || r.lost == message)
		return false;
	for (int i = 0; i < (r.copied == message ? 2 : 1); i++)
		send(r.l.fd, box->data, box->len, 0);
	return true;
}

static bool has_come(int message)
{
	return r.box[message].len && r.lost != message;
}

static void our_step(int step, int now)
{
	uint8_t ping[1] = { PING };
	struct box *box;

	switch (step) {
	case 0:
		box = &r.box[OURS + INITIATE];
		if (link_initiate(&r.l, box->data))
			box->len = INITIATE_LEN;
		break;
	case 1:
		if (deliver(OURS + INITIATE)) {
			r.reached = now;
			await(OURS + RESPOND, ~0u);
		}
		break;
	case 2:
		if (!has_come(OURS + RESPOND) || !link_complete(&r.l, r.box[OURS + RESPOND].data))
			break;
		box = &r.box[OURS + PACKET];
		box->len = link_seal(&r.l, box->data, ping, sizeof(ping));
		r.under_ours = r.l.current->ours;
		break;
	default:
		if (deliver(OURS + PACKET)) {
			if (r.under_ours)
				r.confirmed[0] = now;
			await(NONE, r.n_rest);
		}
	}
}

static void call_us(void)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_service = "us" };
	struct sockaddr_sss own = address(BOB, V4, "", "");

	memcpy(&addr.sss_eid, r.l.own.public, KEY);
	strcpy(addr.sss_protocol, "test 1");
	r.fd = stream_socket(BOB, SOCK_CLOEXEC);
	if (r.fd < 0 || bind_to(r.fd, &own))
		genl_die("calling the peer");
	set_nonblock(r.fd, true);
	if (connect_to(r.fd, &addr) && errno != EINPROGRESS)
		genl_die("calling the peer");
	if (r.confirmed[0])		/* with keys there is no handshake unless asked for */
		ask_bob_about(SSS_CMD_CHANNEL_REKEY, r.l.own.public);
}

static void their_step(int step, int now)
{
	struct box *box = &r.box[THEIRS + RESPOND];

	switch (step) {
	case 0:
		call_us();
		r.called = now;
		await(THEIRS + INITIATE, ~0u);
		break;
	case 1:
		if (!has_come(THEIRS + INITIATE) ||
		    !link_answer(&r.l, r.box[THEIRS + INITIATE].data, box->data))
			break;
		box->len = RESPOND_LEN;
		r.their_index = get32(box->data + 4);
		break;
	case 2:
		if (deliver(THEIRS + RESPOND)) {
			/* unless it gave it up, since ours was confirmed meanwhile */
			if (!r.confirmed[0] || r.confirmed[0] < r.called)
				r.confirmed[1] = now;
			await(THEIRS + PACKET, ~0u);
		}
		break;
	default:
		for (int i = 0; has_come(THEIRS + PACKET) && i < (r.copied == THEIRS + PACKET ? 2 : 1);
		     i++)
			link_take(&r.l, r.box[THEIRS + PACKET].data, r.box[THEIRS + PACKET].len);
	}
}

/* The copy that comes when all is over */
static void deliver_late(void)
{
	struct box *box = &r.box[r.copied];
	uint8_t msg[RESPOND_LEN];

	if (!box->len)
		return;
	if (r.copied == OURS + RESPOND)
		link_complete(&r.l, box->data);
	else if (r.copied == THEIRS + INITIATE && link_answer(&r.l, box->data, msg))
		send(r.l.fd, msg, sizeof(msg), 0);
	else if (r.copied == THEIRS + PACKET)
		link_take(&r.l, box->data, box->len);
	else
		send(r.l.fd, box->data, box->len, 0);
}

/* What a peer does of itself: sends again, answers, takes what comes. */
static bool settle(void)
{
	long long until = link_now() + PATIENCE, again = 0;
	uint8_t buf[32] = { PING };
	unsigned int replied = 0;
	bool pinged = false;

	r.l.answers = true;
	for (unsigned int i = 0; i < r.n_rest; i++)
		link_take(&r.l, r.rest[i].data, r.rest[i].len);
	while (link_now() < until && r.l.close_code < 0) {
		if (r.l.started && link_now() > again) {
			send(r.l.fd, r.box[OURS + INITIATE].data, INITIATE_LEN, 0);
			again = link_now() + 200;
		}
		if (r.l.current && !pinged)
			pinged = link_send(&r.l, buf, 1);
		if (r.l.opened && !replied++)
			link_send(&r.l, buf, put_reply(buf, r.l.opened_id, 0));
		if (!r.l.started && pinged && replied && link_settled(&r.l, 0) &&
		    (polled(r.fd, POLLOUT, 0) & POLLOUT))
			return !so_error(r.fd);
		link_step(&r.l, 10);
	}
	return false;
}

/* A word there and one back on the module's stream, and on ours */
static bool talk(bool smaller)
{
	uint8_t buf[256];
	char word[8];
	size_t len;
	bool ok;
	int end;

	set_nonblock(r.fd, false);
	r.l.id = r.l.opened_id;
	ok = send(r.fd, "ping", 4, MSG_NOSIGNAL) == 4 && link_until(&r.l, PATIENCE, r.l.got == 4) &&
	     link_send(&r.l, buf, put_stream(buf, r.l.id, 0, 0, "pong", 4)) &&
	     link_settled(&r.l, PATIENCE) && recv(r.fd, word, 4, MSG_WAITALL) == 4 &&
	     !memcmp(word, "pong", 4);
	if (!ok)
		return false;
	r.l.id = smaller ? 0 : 1;
	r.l.got = 0;
	len = put_init(buf, r.l.id, "peer crossing", "test 1");
	len += put_stream(buf + len, r.l.id, 0, 0, "hello", 5);
	if (!link_send(&r.l, buf, len) || !link_settled(&r.l, PATIENCE))
		return false;
	end = accept(r.listener, NULL, NULL);
	ok = end >= 0 && recv(end, word, 5, MSG_WAITALL) == 5 && !memcmp(word, "hello", 5) &&
	     send(end, "world", 5, MSG_NOSIGNAL) == 5 && link_until(&r.l, PATIENCE, r.l.got == 5) &&
	     !memcmp(r.l.in, "world", 5);
	close(end);
	return ok;
}

/* Nothing has been reset, and there is one channel and no other. */
static bool is_one(void)
{
	return r.l.close_code < 0 && r.l.reset < 0 && r.l.stop < 0 && !r.l.restarts &&
	       get_stat(BOB, "Channels") == r.channels + 1 &&
	       get_stat(BOB, "ChannelErrors") == r.errors;
}

/*
 * "Keys": the module sends under the newest confirmed pair; if the handshakes
 * crossed, as it sees it, under that of the smaller EID.
 */
static bool right_keys(bool smaller)
{
	int ours_at = r.confirmed[0], theirs_at = r.confirmed[1];
	bool cross, ours;

	/* Third handshakes, when the machine was slow, are another matter. */
	if (get_stat(BOB, "HsTxInitiate") != r.initiates + 1)
		return true;
	cross = r.called < r.reached ? r.reached < theirs_at : r.called < ours_at;
	if (!ours_at || !theirs_at)
		ours = ours_at;
	else
		ours = cross ? smaller : ours_at > theirs_at;
	return r.l.under->ours == ours;
}

/* A new peer, whom bob knows where to find */
static void begin(int listener, bool smaller, int lost, int copied)
{
	struct sockaddr_in own;

	memset(&r, 0, sizeof(r));
	r.listener = listener;
	r.lost = lost;
	r.copied = copied;
	link_prepare(&r.l, peer_socket(&own), (const uint8_t *)&eids[BOB][V4], smaller);
	r.channels = get_stat(BOB, "Channels");
	r.errors = get_stat(BOB, "ChannelErrors");
	r.initiates = get_stat(BOB, "HsTxInitiate");
	add_peer("v4", (const struct sss_eid *)r.l.own.public, "10.9.0.1", ntohs(own.sin_port));
}

static bool is_gone(void)
{
	ask_bob_about(SSS_CMD_PEER_DEL, r.l.own.public);
	close(r.l.fd);
	close(r.fd);
	return eventually(PATIENCE, get_stat(BOB, "Channels") == r.channels);
}

static bool at(const char **stage, const char *what, bool good)
{
	*stage = what;
	return good;
}

static bool happens(int listener, int order, bool smaller, int lost, int copied)
{
	const char *stage = "";
	int step[2] = { 0, 0 };
	bool good;

	begin(listener, smaller, lost, copied);
	for (int now = 1; now <= ALL_STEPS; now++, order >>= 1) {
		if (order & 1)
			their_step(step[1]++, now);
		else
			our_step(step[0]++, now);
	}
	if (copied != NONE)
		deliver_late();
	good = at(&stage, "settle", settle()) && at(&stage, "talk", talk(smaller)) &&
	       at(&stage, "be one", is_one()) &&
	       (lost != NONE || copied != NONE || at(&stage, "use the right keys", right_keys(smaller)));
	if (!good)
		fprintf(stderr, "# they do not %s\n", stage);
	return is_gone() && good;
}

static int bits(int order)
{
	return __builtin_popcount(order);
}

/* In how many of the orders it does not go as it should */
static int wrong(int listener, int lost, int copied)
{
	int count = 0, n = 0;

	for (int order = 0; order < ORDERS; order++) {
		if (bits(order) != STEPS)
			continue;
		for (int smaller = 0; smaller < 2; smaller++, n++) {
			if (happens(listener, order, smaller, lost, copied))
				continue;
			count++;
			fprintf(stderr, "# order 0x%02x, %s EID, lost %d, copied %d: CLOSE %lld, "
				"RESET %lld, restarts %u, keys at %d and %d\n", order,
				smaller ? "smaller" : "larger", lost, copied, r.l.close_code,
				r.l.reset, r.l.restarts, r.confirmed[0], r.confirmed[1]);
		}
	}
	return n == 140 ? count : -1;
}

FIXTURE(crossing) {
	int listener;
};

FIXTURE_SETUP(crossing)
{
	self->listener = listen_on(V4, "peer crossing", 8);
	ASSERT_LE(0, self->listener);
}

FIXTURE_TEARDOWN(crossing)
{
	close(self->listener);
}

TEST_F_TIMEOUT(crossing, every_order, 250)
{
	EXPECT_EQ(0, wrong(self->listener, NONE, NONE));
}

/*
 * We call, and forget all before a packet of ours has arrived. The module, which has
 * nothing of us but that call, calls us. Then the packet comes: it is of a state
 * that is over and ends nothing.
 */
TEST_F(crossing, forgotten)
{
	uint8_t ping[1] = { PING }, late[PACKET_MAX];
	size_t len;

	for (int smaller = 0; smaller < 2; smaller++) {
		begin(self->listener, smaller, NONE, NONE);
		for (int i = 0; i < 3; i++)
			our_step(i, i + 1);
		len = link_seal(&r.l, late, ping, 1);
		ASSERT_LT(0, len);
		link_forget(&r.l);
		for (int i = 0; i < STEPS; i++)
			their_step(i, i + 4);
		EXPECT_TRUE(settle());
		send(r.l.fd, late, len, 0);
		EXPECT_TRUE(talk(smaller));
		EXPECT_TRUE(is_one());
		EXPECT_TRUE(is_gone());
	}
}

TEST_F_TIMEOUT(crossing, one_lost, 600)
{
	for (int lost = 0; lost < MESSAGES; lost++) {
		EXPECT_EQ(0, wrong(self->listener, lost, NONE))
			TH_LOG("message %d", lost);
	}
}

TEST_F_TIMEOUT(crossing, one_copied, 600)
{
	for (int copied = 0; copied < MESSAGES; copied++) {
		EXPECT_EQ(0, wrong(self->listener, NONE, copied))
			TH_LOG("message %d", copied);
	}
}

TEST_HARNESS_MAIN
