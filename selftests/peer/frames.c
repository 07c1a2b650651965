// SPDX-License-Identifier: GPL-2.0
/*
 * Authenticated frames that no honest peer sends: each closes the channel with
 * the code that protocol.rst names. And odd ones that are allowed: the channel
 * goes on.
 */
#include <sodium.h>
#include "kselftest_harness.h"
#include "hosts.h"

#define ALLOWED (-1)

static const char *const codes[] = {
	"NONE", "INTERNAL", "FRAME_ENCODING", "FRAME_TYPE", "FLOW_CONTROL", "STREAM_LIMIT",
	"STREAM_STATE", "FINAL_SIZE", "PROTOCOL", "OPTIMISTIC_ACK", "NO_MEMORY",
};

enum { FRAME_ENCODING = 2, FRAME_TYPE, FLOW_CONTROL, STREAM_LIMIT, STREAM_STATE, FINAL_SIZE, PROTOCOL, OPTIMISTIC_ACK };

/* Stream 0 is the peer's, open, with 5 bytes sent; 1 would be the module's first. */
static const struct {
	const char *what;
	int code;
	const char *hex[2];	/* a packet each */
} cases[] = {
	{ "data on a stream never opened", STREAM_STATE, { "12 02 00 01 61" } },
	{ "data on the module's, never opened", STREAM_STATE, { "12 01 00 01 61" } },
	{ "RESET of one never opened", STREAM_STATE, { "06 02 00 00 00 00" } },
	{ "STOP of one never opened", STREAM_STATE, { "07 02 00" } },
	{ "WINDOW of one never opened", STREAM_STATE, { "08 02 80020000" } },
	{ "MAX_STREAMS of one never opened", STREAM_STATE, { "0a 03 10" } },
	{ "PRIORITY of one never opened", STREAM_STATE, { "0d 02 01 00 01" } },
	{ "DATAGRAM on one never opened", STREAM_STATE, { "0b 02 00 01 00 61" } },
	{ "SERVICE_REPLY for one's own", STREAM_STATE, { "05 00 00 00" } },
	{ "SERVICE_REPLY for one never opened", STREAM_STATE, { "05 01 00 00" } },
	{ "INIT with the module's id", STREAM_STATE, { "04 01 01 00 01" } },
	{ "INIT below one never opened", STREAM_STATE, { "04 02 05 00 01" } },
	{ "the last id there is", STREAM_LIMIT, { "04 fffffffffffffffe 01 00 01" } },
	{ "an id far beyond the credit", STREAM_LIMIT, { "04 80100000 01 00 01" } },
	{ "data beyond the window", FLOW_CONTROL, { "12 00 c000010000000000 01 61" } },
	{ "a mark beyond the window", FLOW_CONTROL, { "16 00 fffffffffffffffe 00" } },
	{ "a final size beyond the window", FLOW_CONTROL, { "13 00 c000010000000000 00" } },
	{ "RESET beyond the window", FLOW_CONTROL, { "06 00 00 c000010000000000 00 00" } },
	{ "two final sizes", FINAL_SIZE, { "13 00 05 01 61", "13 00 05 02 6162" } },
	{ "a smaller final size", FINAL_SIZE, { "13 00 08 02 6161", "13 00 05 01 61" } },
	{ "data beyond the end", FINAL_SIZE, { "13 00 08 01 61", "12 00 0a 01 61" } },
	{ "an end before what came", FINAL_SIZE, { "13 00 02 01 61" } },
	{ "RESET before what came", FINAL_SIZE, { "06 00 00 02 00 00" } },
	{ "RESET contradicts FIN", FINAL_SIZE, { "13 00 08 01 61", "06 00 00 0a 00 00" } },
	{ "datagrams above the maximum", PROTOCOL, { "0b 01 00 c000000100000000 00 61" } },
	{ "ACK of what was never sent", OPTIMISTIC_ACK, { "02 fffffffffffffffe 00 00 00" } },
	{ "ACK of the largest number", OPTIMISTIC_ACK, { "02 ffffffffffffffff 00 00 00" } },
	{ "ACK of a number below the first", OPTIMISTIC_ACK, { "02 00 00 00 00" } },
	{ "an unknown type", FRAME_TYPE, { "1b" } },
	{ "an unknown type with the low bits of PING", FRAME_TYPE, { "41 00" } },
	{ "an unknown type as of a long varint", FRAME_TYPE, { "c000000000000001" } },
	{ "an unknown type behind others", FRAME_TYPE, { "00 01 00 01", "7f 01" } },
	{ "a type cut off", FRAME_ENCODING, { "08" } },
	{ "PATH_CHALLENGE of 7 bytes", FRAME_ENCODING, { "0e 00112233445566" } },
	{ "STOP without code", FRAME_ENCODING, { "07 00" } },
	{ "WINDOW, max in a longer form", FRAME_ENCODING, { "08 00 80000001" } },
	{ "WINDOW of the last id", STREAM_STATE, { "08 fffffffffffffffe 00" } },
	{ "WINDOW of no id", FRAME_ENCODING, { "08 ffffffffffffffff 00" } },
	{ "CHANNEL_WINDOW cut off", FRAME_ENCODING, { "09 00" } },
	{ "MAX_STREAMS of the last id", STREAM_STATE, { "0a ffffffffffffffff 00" } },
	{ "INIT below the last id", STREAM_STATE, { "04 02 ffffffffffffffff 00 01" } },
	{ "INIT, all bits of the priority", FRAME_ENCODING, { "04 02 01 ff 01" } },
	{ "INIT, a name of 46 bytes", FRAME_ENCODING,
	  { "04 02 00 00 01 2e 78787878787878787878787878787878787878787878787878787878787878"
	    "787878787878787878787878787878 01 79" } },
	{ "INIT, a name beyond the packet", FRAME_ENCODING, { "04 02 00 00 01 01 78 02 79" } },
	{ "the first id beyond the credit", STREAM_LIMIT, { "04 6000 00 00 01 01 78 01 79" } },
	{ "a ninth child", STREAM_LIMIT,
	  { "04 02 01 00 01 04 04 01 00 01 04 06 01 00 01 04 08 01 00 01 04 0a 01 00 01"
	    "04 0c 01 00 01 04 0e 01 00 01 04 10 01 00 01", "04 12 01 00 01" } },
	{ "PRIORITY, weight 0", FRAME_ENCODING, { "0d 00 01 00 00" } },
	{ "RESET, reason beyond the packet", FRAME_ENCODING, { "06 00 00 05 00 ff 78" } },
	{ "RESET with another size", FINAL_SIZE, { "06 00 07 05 00 00", "06 00 07 06 00 00" } },
	{ "data beyond RESET", FINAL_SIZE, { "06 00 07 05 00 00", "12 00 05 01 61" } },
	{ "another end after RESET", FINAL_SIZE, { "06 00 07 05 00 00", "13 00 06 00" } },
	{ "RESET with the largest size", FLOW_CONTROL, { "06 00 00 ffffffffffffffff 00 00" } },
	{ "the first byte beyond the window", FLOW_CONTROL, { "12 00 80010000 01 61" } },
	{ "the first mark beyond the window", FLOW_CONTROL, { "16 00 80010000 00" } },
	{ "the largest end", FLOW_CONTROL, { "13 00 ffffffffffffffff 00" } },
	{ "a byte at the largest offset", FRAME_ENCODING, { "12 00 ffffffffffffffff 01 61" } },
	{ "FIN and more behind it in one packet", FINAL_SIZE, { "13 00 05 00 12 00 05 01 61" } },
	{ "a mark behind the end", FINAL_SIZE, { "13 00 05 00", "16 00 05 00" } },
	{ "a mark on a datagram", PROTOCOL, { "04 02 01 10 01", "16 02 00 01 61" } },
	{ "a stream on a datagram", STREAM_STATE, { "04 02 01 10 01", "04 04 03 00 01" } },
	{ "a datagram on a datagram", STREAM_STATE, { "04 02 01 10 01", "0b 02 00 01 00 61" } },
	{ "a datagram, then another total", PROTOCOL,
	  { "0b 00 09 05 00 61", "0b 00 09 06 05 61" } },
	{ "the first datagram above the maximum", PROTOCOL, { "0b 00 00 81000001 00 61" } },
	{ "a datagram of the largest length", PROTOCOL, { "0b 00 00 ffffffffffffffff 00 61" } },
	{ "a fragment at its end", FRAME_ENCODING, { "0b 00 00 ffffffffffffffff ffffffffffffffff" } },
	{ "DATAGRAM_DROP of no id", FRAME_ENCODING, { "0c ffffffffffffffff 00" } },
	{ "nine endpoints", FRAME_ENCODING,
	  { "18 09 0400000101010101 0400000101010101 0400000101010101 0400000101010101"
	    "0400000101010101 0400000101010101 0400000101010101 0400000101010101"
	    "0400000101010101" } },
	{ "an endpoint cut off", FRAME_ENCODING, { "18 01 06 00 0001 00112233" } },
	{ "CLOSE cut off", FRAME_ENCODING, { "19 00 00 05 61" } },
	{ "other data where some were", ALLOWED, { "12 00 00 05 48454c4c4f" } },
	{ "overlapping data", ALLOWED, { "12 00 03 04 6c6f2121", "12 00 01 08 656c6c6f21212121" } },
	{ "no data", ALLOWED, { "12 00 05 00" } },
	{ "the same end twice", ALLOWED, { "13 00 05 00", "13 00 05 00" } },
	{ "INIT once more", ALLOWED, { "04 00 00 03 10 01 78 01 79" } },
	{ "the smallest window", ALLOWED, { "08 00 00" } },
	{ "the largest window", ALLOWED, { "08 00 ffffffffffffffff" } },
	{ "the smallest channel window", ALLOWED, { "09 00 00" } },
	{ "the largest channel window", ALLOWED, { "09 ffffffffffffffff ffffffffffffffff" } },
	{ "no streams", ALLOWED, { "0a 00 00" } },
	{ "the most streams", ALLOWED, { "0a 00 e000000000000000", "0a 01 e000000000000000" } },
	{ "STOP with the largest code", ALLOWED, { "07 00 ffffffffffffffff" } },
	{ "RESET with the largest code", ALLOWED, { "06 00 ffffffffffffffff 05 01 00" } },
	{ "frames after RESET", ALLOWED, { "06 00 07 05 00 00", "12 00 00 05 68656c6c6f" } },
	{ "PRIORITY 0 and the largest", ALLOWED,
	  { "0d 00 00 00 01", "0d 00 ffffffffffffffff 0f ff" } },
	{ "a drop on a stream never opened", ALLOWED, { "0c 02 00" } },
	{ "a drop of what never came", ALLOWED, { "0c 01 ffffffffffffffff" } },
	{ "PATH_RESPONSE nobody asked for", ALLOWED, { "0f 0011223344556677" } },
	{ "PADDING and PING", ALLOWED, { "00 01 00 01 00" } },
};

static struct link l;

static void send_hex(const char *hex)
{
	uint8_t buf[FRAMES_MAX];
	size_t len = 0;

	sodium_hex2bin(buf, sizeof(buf), hex, strlen(hex), " \n", &len, NULL);
	link_send_once(&l, buf, len);
}

/* CLOSE names the frame at fault: in all cases here that of the last packet's type. */
static bool names(const char *hex)
{
	long long type = strtol((char [3]){ hex[0], hex[1] }, NULL, 16);

	return l.close_frame == type || (l.close_frame & ~7) == (type & ~7);
}

/* The channel is as it should be after @first and @then; @code: of the CLOSE */
static bool ends_with(int listener, const char *what, int code, const char *first, const char *then)
{
	uint8_t ping[1] = { PING };
	int fd = -1;
	bool ok;

	ok = link_to_bob(&l) && say_hello(&l, "peer frames");
	if (ok)
		fd = accept(listener, NULL, NULL);
	ok = ok && fd >= 0 && link_until(&l, PATIENCE, l.reply == 0);
	if (ok) {
		send_hex(first);
		if (then)
			send_hex(then);
		link_send(&l, ping, sizeof(ping));
		ok = code == ALLOWED ? link_settled(&l, PATIENCE) :
			link_until(&l, PATIENCE, l.close_code >= 0);
		ok = ok && l.close_code == code && (code == ALLOWED || names(then ?: first));
	}
	if (!ok)
		fprintf(stderr, "# %s: CLOSE %lld of frame 0x%02llx, not %d\n", what, l.close_code,
			l.close_frame, code);
	hang_up(&l);
	close(fd);
	return ok;
}

static int listen_here(void)
{
	return listen_on(V4, "peer frames", 8);
}

/* How many of the cases end as they should not */
static int wrong(bool allowed)
{
	int listener = listen_here(), count = 0;

	if (listener < 0)
		return -1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if ((cases[i].code == ALLOWED) == allowed)
			count += !ends_with(listener, cases[i].what, cases[i].code,
					    cases[i].hex[0], cases[i].hex[1]);
	}
	close(listener);
	return count;
}

TEST(violations)
{
	EXPECT_EQ(0, wrong(false));
}

TEST(allowed)
{
	EXPECT_EQ(0, wrong(true));
}

/* The code whose name begins the line, ALLOWED if none does */
static int code_of(const char *line)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		size_t len = strlen(codes[i]);

		if (!strncmp(line, codes[i], len) && (line[len] == ' ' || line[len] == '\n'))
			return i;
	}
	return ALLOWED;
}

/* "Frames to be refused" of protocol.rst, each in a channel of its own */
TEST(refused_frames)
{
	const char *top = getenv("SSS_TOP");
	char path[512], line[256], what[256] = "";
	bool here = false;
	int listener = listen_here(), count = 0;
	FILE *f;

	ASSERT_LE(0, listener);
	snprintf(path, sizeof(path), "%s/Documentation/protocol.rst", top ? top : "..");
	f = fopen(path, "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		if (!strcmp(line, "Frames to be refused\n"))
			here = true;
		else if (here && !strncmp(line, "====", 4))
			break;
		if (!here || strncmp(line, "    ", 4))
			continue;
		if (line[4] != '=') {
			strcpy(what, line + 4);
			continue;
		}
		count++;
		EXPECT_TRUE(ends_with(listener, what, code_of(what), line + 6, NULL));
	}
	fclose(f);
	EXPECT_LT(20, count);
	close(listener);
}

/*
 * Odd things that are allowed, all in one conversation: each says something that
 * those behind it do not contradict.
 */
TEST(together)
{
	static const char *const hex[] = {
		"00 00 00 00 00 00 00 00 00 00 00 00", "10 00 05", "12 00 8000ffff 01 61",
		"04 5ffe 00 0f ff 01 78 01 79", "12 00 00 00 12 00 05 00 16 00 05 00",
		"04 02 01 10 01 13 02 00 00", "13 02 00 00", "07 02 00", "06 02 00 00 00 00",
		"0b 00 ffffffffffffffff 81000000 80ffffff 61", "0b 00 00 00 00", "0b 00 00 00 00",
		"0b 00 01 05 03 6f6f", "0b 00 01 05 02 616161", "0d 00 01 0f ff 0d 00 01 00 01",
		"0a 01 00 0a 00 00 09 00 00", "18 01 06 ff ffff "
		"00000000000000000000000000000000", "18 08 0400000101010101 0400000101010101"
		"0400000101010101 0400000101010101 0400000101010101 0400000101010101"
		"0400000101010101 0400000101010101", "0e 0000000000000000 0f 0000000000000000",
		"07 00 ffffffffffffffff 07 00 00", "13 00 80010000 00", "17 00 8000ffff 00",
		"06 00 ffffffffffffffff 80010000 01 00", "06 00 00 80010000 00 00",
	};
	int listener = listen_here(), fd;

	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer frames"));
	fd = accept(listener, NULL, NULL);
	for (size_t i = 0; i < sizeof(hex) / sizeof(*hex); i++) {
		uint8_t ping[1] = { PING };

		send_hex(hex[i]);
		link_send(&l, ping, sizeof(ping));
		EXPECT_TRUE(link_settled(&l, PATIENCE));
		EXPECT_EQ(-1, l.close_code) TH_LOG("%s: of frame 0x%02llx", hex[i], l.close_frame);
		if (l.close_code >= 0)
			break;
	}
	hang_up(&l);
	close(fd);
	close(listener);
}

/* Numbers left out, and those before the first: whoever acknowledges them lies. */
TEST(skipped)
{
	uint8_t buf[32], ping[1] = { PING };
	int listener = listen_here(), fd;
	uint64_t last = 0;

	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer frames"));
	fd = accept(listener, NULL, NULL);
	/* all of what came, whatever the other fields say */
	while (link_step(&l, 50))
		;
	link_send_once(&l, buf, put_numbers(buf, ACK_ECN, 7, l.newest, ~0ULL >> 2, (uint64_t)0,
					    (uint64_t)0, ~0ULL >> 2, ~0ULL >> 2, ~0ULL >> 2));
	for (int i = 0; i < 3000 && l.close_code < 0; i++) {
		link_send_once(&l, ping, sizeof(ping));
		while (link_step(&l, i % 2 ? 20 : 0)) {
			if (last && l.newest == last + 2)
				goto found;
			last = l.newest;
		}
	}
found:
	EXPECT_EQ(-1, l.close_code);
	ASSERT_EQ(last + 2, l.newest);
	link_send_once(&l, buf, put_numbers(buf, ACK, 4, last + 1, (uint64_t)0, (uint64_t)0,
					    (uint64_t)0));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.close_code >= 0));
	EXPECT_EQ(OPTIMISTIC_ACK, l.close_code);
	hang_up(&l);
	close(fd);
	close(listener);
}

/* More than were ever sent cannot have come marked: such counts are of no use. */
TEST(marks_never_sent)
{
	int listener = listen_here(), fd;
	long long before = get_stat(BOB, "EcnFailed");

	ASSERT_LE(0, listener);
	link_prepare(&l, socket_to_bob(), (const uint8_t *)&eids[BOB][V4], true);
	l.counts = true;
	ASSERT_TRUE(link_call(&l));
	ASSERT_TRUE(say_hello(&l, "peer frames"));
	fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.got == 1));
	while (link_step(&l, 50))
		;
	EXPECT_EQ(before, get_stat(BOB, "EcnFailed"));
	l.marked += 2000;
	EXPECT_EQ(1, send(fd, "y", 1, 0));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.got == 2));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "EcnFailed") == before + 1));
	EXPECT_EQ(-1, l.close_code);
	hang_up(&l);
	close(fd);
	close(listener);
}

/* One ACK can name all: more of them in a packet are work for nothing. */
TEST(two_acks)
{
	uint8_t buf[32];
	int listener = listen_here(), fd;
	size_t len;

	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer frames"));
	fd = accept(listener, NULL, NULL);
	while (link_step(&l, 50))
		;
	len = put_numbers(buf, ACK, 4, l.newest, (uint64_t)0, (uint64_t)0, (uint64_t)0);
	link_send_once(&l, buf, len);
	while (link_step(&l, 50))
		;
	EXPECT_EQ(-1, l.close_code);
	len += put_numbers(buf + len, ACK, 4, l.newest, (uint64_t)0, (uint64_t)0, (uint64_t)0);
	link_send_once(&l, buf, len);
	EXPECT_TRUE(link_until(&l, PATIENCE, l.close_code >= 0));
	EXPECT_EQ(PROTOCOL, l.close_code);
	EXPECT_EQ(ACK, l.close_frame);
	hang_up(&l);
	close(fd);
	close(listener);
}

/* The numbers of that many that were left out lie further back than packets under way. */
TEST(skipped_before)
{
	static char data[1 << 16];
	uint64_t last = 0, first_gap = 0;
	uint8_t buf[32];
	int listener = listen_here(), fd, gaps = 0;
	long long until;

	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer frames"));
	fd = accept(listener, NULL, NULL);
	set_nonblock(fd, true);
	/* no other numbers are missing */
	ASSERT_EQ(0, setsockopt(l.fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 16 << 20 }, sizeof(int)));
	l.id = ~0ULL;	/* data are acknowledged, and not kept */
	send_hex("08 00 ffffffffffffffff");
	send_hex("09 ffffffffffffffff ffffffffffffffff");
	until = link_now() + 6 * PATIENCE;
	while (gaps < 6 && l.close_code < 0 && link_now() < until) {
		send(fd, data, sizeof(data), MSG_NOSIGNAL);
		if (!link_step(&l, 20))
			continue;
		if (last && l.newest == last + 2 && !gaps++)
			first_gap = last + 1;
		last = l.newest;
	}
	ASSERT_EQ(6, gaps);
	EXPECT_EQ(-1, l.close_code);
	link_send_once(&l, buf, put_numbers(buf, ACK, 4, first_gap, (uint64_t)0, (uint64_t)0,
					    (uint64_t)0));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.close_code >= 0));
	EXPECT_EQ(OPTIMISTIC_ACK, l.close_code);
	hang_up(&l);
	close(fd);
	close(listener);
}

/* A link whose first packets are @first and @then ends with @code. */
static bool limit_ends(const char *name, const char *value, const char *first, const char *then,
		       int code)
{
	int listener = listen_here();
	bool ok;

	set_sysctl(BOB, name, value);
	ok = ends_with(listener, name, code, first, then);
	close(listener);
	return ok;
}

/* Limits that are not as they usually are: the module means what it says. */
TEST(limits)
{
	EXPECT_TRUE(limit_ends("max_record", "0", "16 00 05 00", NULL, PROTOCOL));
	EXPECT_TRUE(limit_ends("max_record", "8", "16 00 05 04 61616161", NULL, PROTOCOL));
	EXPECT_TRUE(limit_ends("max_record", "8", "16 00 05 03 616161", NULL, ALLOWED));
	set_sysctl(BOB, "max_record", "16777216");
	EXPECT_TRUE(limit_ends("datagram_credit", "0", "0b 00 00 00 00", NULL, FLOW_CONTROL));
	set_sysctl(BOB, "datagram_credit", "262144");
	EXPECT_TRUE(limit_ends("max_datagram", "8", "04 02 01 10 01", "12 02 08 01 61", PROTOCOL));
	set_sysctl(BOB, "max_datagram", "16777216");
	/* unaccepted streams together: 65536 and one more */
	EXPECT_TRUE(limit_ends("channel_window", "65536",
			       "04 02 01 00 01 12 02 8000ffff 01 61 04 04 01 00 01",
			       "12 04 00 01 61", FLOW_CONTROL));
	set_sysctl(BOB, "channel_window", "16777216");
}

/* Who asks for the list of services again and again, and reads none, is alone with that. */
TEST(lists_unread)
{
	enum { ASKED = 64, BUSY = 5 };
	static struct link other;
	uint8_t buf[64];

	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(link_to_bob(&other));
	l.silent = true;
	for (int i = 0; i < ASKED; i++)
		link_send_once(&l, buf, put_init(buf, 2 * i, ".sss", "browse 1"));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.reply == BUSY));
	while (link_step(&l, 50))
		;
	ASSERT_TRUE(link_send(&other, buf, put_init(buf, 0, ".sss", "browse 1")));
	EXPECT_TRUE(link_until(&other, PATIENCE, other.fin));
	EXPECT_EQ(0, other.reply);
	hang_up(&other);
	hang_up(&l);
}

TEST(path)
{
	int listener = listen_here(), fd;

	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer frames"));
	fd = accept(listener, NULL, NULL);
	send_hex("0e 0011223344556677");
	EXPECT_TRUE(link_until(&l, PATIENCE, l.path == 0x0011223344556677LL >> 1));
	hang_up(&l);
	close(fd);
	close(listener);
}

/* Who acknowledges what it has not received does not know which numbers were left out. */
TEST(number_left_out)
{
	long long counted = get_stat(BOB, "AcksOptimistic");
	uint8_t frame[32] = { PING };
	int listener = listen_here(), fd, n = 0;
	uint64_t before;

	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer frames"));
	fd = accept(listener, NULL, NULL);
	do {
		before = l.newest;
		l.next++;	/* a gap: the PING is acknowledged at once */
		link_send_once(&l, frame, 1);
		ASSERT_TRUE(link_until(&l, PATIENCE, l.newest != before));
	} while (l.newest == before + 1 && ++n < 1024);
	ASSERT_EQ(before + 2, l.newest);
	EXPECT_EQ(-1, l.close_code);
	link_send_once(&l, frame, put_numbers(frame, ACK, 4, before + 1, (uint64_t)0, (uint64_t)0,
					      (uint64_t)0));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.close_code == OPTIMISTIC_ACK));
	EXPECT_EQ(counted + 1, get_stat(BOB, "AcksOptimistic"));
	hang_up(&l);
	close(fd);
	close(listener);
}

TEST_HARNESS_MAIN
