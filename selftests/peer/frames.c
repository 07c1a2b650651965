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

enum { FLOW_CONTROL = 4, STREAM_LIMIT, STREAM_STATE, FINAL_SIZE, PROTOCOL, OPTIMISTIC_ACK };

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
		ok = ok && l.close_code == code;
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
		else if (!strcmp(line, "Browsing\n"))
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

TEST_HARNESS_MAIN
