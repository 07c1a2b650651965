// SPDX-License-Identifier: GPL-2.0
/*
 * The test vectors of Documentation/protocol.rst, as the peer in userspace
 * reads them: the fields it finds in the bytes are those of the words.
 */
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kselftest_harness.h"
#include "link.h"

static const char *const names[] = {
	[PADDING] = "PADDING", [PING] = "PING", [ACK] = "ACK", [ACK_ECN] = "ACK_ECN",
	[INIT] = "INIT", [SERVICE_REPLY] = "SERVICE_REPLY", [RESET] = "RESET", [STOP] = "STOP",
	[WINDOW] = "WINDOW", [CHANNEL_WINDOW] = "CHANNEL_WINDOW", [MAX_STREAMS] = "MAX_STREAMS",
	[DATAGRAM] = "DATAGRAM", [DATAGRAM_DROP] = "DATAGRAM_DROP", [PRIORITY] = "PRIORITY",
	[PATH_CHALLENGE] = "PATH_CHALLENGE", [PATH_RESPONSE] = "PATH_RESPONSE",
	[STREAM] = "STREAM", [ENDPOINTS] = "ENDPOINTS", [CLOSE] = "CLOSE",
};

/* The number behind "name=" in the words; a stream's parent is one more, root is 0 */
static uint64_t word(const char *words, const char *name)
{
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(words, key);
	if (!at)
		return ~0ULL;
	at += strlen(key);
	return strncmp(at, "root", 4) ? strtoull(at, NULL, 0) : ~0ULL;
}

/* The text in quotes, or bytes in hex, that the words end with */
static bool same_data(const struct frame *f, const char *words)
{
	const char *from = strchr(words, '"'), *end = strrchr(words, '"');
	const char *hex = strstr(words, " data=");
	uint8_t bytes[64];
	size_t len = 0;

	if (f->type == INIT || f->type == ENDPOINTS)
		return true;
	if (from) {
		from++;
		return f->len == (size_t)(end - from) && !memcmp(f->data, from, f->len);
	}
	if (!hex || sodium_hex2bin(bytes, sizeof(bytes), hex + 6, strlen(hex + 6), " \n", &len,
				   NULL))
		return !hex;
	return f->len == len && !memcmp(f->data, bytes, len);
}

/* Field after field, in the order of the document */
static bool same_fields(const struct frame *f, const char *words)
{
	static const struct {
		uint8_t type;
		const char *name[4];
	} fields[] = {
		{ SERVICE_REPLY, { "id", "status" } },
		{ RESET, { "id", "code", "final_size", "subtree" } },
		{ STOP, { "id", "code" } },
		{ WINDOW, { "id", "max" } },
		{ CHANNEL_WINDOW, { "max", "datagrams" } },
		{ DATAGRAM, { "parent", "message", "total", "offset" } },
		{ DATAGRAM_DROP, { "parent", "message" } },
		{ PRIORITY, { "id", "sequence" } },
		{ INIT, { "id" } },
		{ STREAM, { "id", "offset" } },
		{ CLOSE, { "code", "frame" } },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (fields[i].type != (f->type & ~7) && fields[i].type != f->type)
			continue;
		if (fields[i].type != f->type && fields[i].type != STREAM)
			continue;
		for (int n = 0; n < 4 && fields[i].name[n]; n++)
			if (f->field[n] != word(words, fields[i].name[n]))
				return false;
	}
	return true;
}

static bool same_order(uint64_t bits, uint64_t weight, const char *words)
{
	return (bits & 7) == word(words, "urgency") && (bits >> 3 & 1) == word(words, "incremental") &&
	       weight == word(words, "weight");
}

static bool same_rest(const struct frame *f, const char *words)
{
	const char *ranges = strstr(words, "ranges=");
	const char *dash;

	switch (f->type) {
	case ACK:
	case ACK_ECN:
		dash = ranges ? strpbrk(ranges, "-, ") : NULL;
		ranges = dash && *dash == '-' ? dash + 1 : ranges + 7;
		return f->field[0] == strtoull(ranges, NULL, 10) &&
		       f->field[1] == word(words, "delay");
	case INIT:
		return f->field[1] == word(words, "parent") + 1 &&
		       !(f->field[2] >> 4) == !strstr(words, "kind=datagram") &&
		       same_order(f->field[2], f->field[3], words);
	case PRIORITY:
		return same_order(f->field[2], f->field[3], words);
	case MAX_STREAMS:
		return f->field[0] == word(words, "parent") + 1 &&
		       f->field[1] == word(words, "count");
	}
	if ((f->type & ~7) != STREAM)
		return true;
	return !(f->type & FIN) == !word(words, "fin") && !(f->type & MARK) == !word(words, "mark");
}

static bool frame_is(const uint8_t *bytes, size_t len, const char *words)
{
	const uint8_t *at = bytes;
	size_t named = strcspn(words, " \n");
	const char *name;
	struct frame f;

	if (!frame_get(&f, &at, bytes + len) || at != bytes + len)
		return false;
	name = names[(f.type & ~7) == STREAM ? STREAM : f.type];
	return strlen(name) == named && !strncmp(words, name, named) && same_fields(&f, words) &&
	       same_rest(&f, words) && same_data(&f, words);
}

static FILE *open_document(void)
{
	const char *top = getenv("SSS_TOP");
	char path[512];

	snprintf(path, sizeof(path), "%s/Documentation/protocol.rst", top ? top : "..");
	return fopen(path, "r");
}

/* Frames only: headers and handshakes are noise_test's. */
static bool is_frame(const char *words)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t len = names[i] ? strlen(names[i]) : 0;

		if (len && !strncmp(words, names[i], len) &&
		    (words[len] == ' ' || words[len] == '\n'))
			return true;
	}
	return false;
}

TEST(frames)
{
	char line[700], words[700] = "";
	bool seen[CLOSE + 1] = { };
	uint8_t bytes[256];
	size_t len;
	FILE *f = open_document();

	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f) && strcmp(line, "Frames to be refused\n")) {
		if (!strncmp(line, "    = ", 6) && is_frame(words)) {
			ASSERT_EQ(0, sodium_hex2bin(bytes, sizeof(bytes), line + 6,
						    strlen(line + 6), " \n", &len, NULL));
			EXPECT_TRUE(frame_is(bytes, len, words)) TH_LOG("%s", words);
			seen[(bytes[0] & ~7) == STREAM ? STREAM : bytes[0]] = true;
		}
		strcpy(words, strncmp(line, "    ", 4) ? "" : line + 4);
	}
	fclose(f);
	for (int type = 0; type <= CLOSE; type++) {
		EXPECT_TRUE(seen[type] || (type > STREAM && type < ENDPOINTS))
			TH_LOG("no vector: 0x%02x", type);
	}
}

TEST_HARNESS_MAIN
