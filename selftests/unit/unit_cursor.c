// SPDX-License-Identifier: GPL-2.0
/* Reading and writing bytes, names, the packet header and packet numbers. */
#include <stdlib.h>
#include "../../kernel/wire/cursor.h"
#include "../../kernel/wire/name.h"
#include "../../kernel/wire/packet.h"
#include "random.h"
#include "kselftest_harness.h"

/* RFC 9000 appendix A.1, and the bounds of each length */
static const struct {
	u64 value;
	unsigned int len;
	u8 bytes[8];
} varints[] = {
	{ 151288809941952652, 8, { 0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c } },
	{ 494878333, 4, { 0x9d, 0x7f, 0x3e, 0x7d } },
	{ 15293, 2, { 0x7b, 0xbd } },
	{ 37, 1, { 0x25 } },
	{ 0, 1, { 0 } },
	{ 63, 1, { 0x3f } },
	{ 64, 2, { 0x40, 0x40 } },
	{ 16383, 2, { 0x7f, 0xff } },
	{ 16384, 4, { 0x80, 0, 0x40, 0 } },
	{ (1 << 30) - 1, 4, { 0xbf, 0xff, 0xff, 0xff } },
	{ 1 << 30, 8, { 0xc0, 0, 0, 0, 0x40, 0, 0, 0 } },
	{ SSS_VARINT_MAX, 8, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
};

TEST(varint__vectors)
{
	struct sss_cursor c;
	struct sss_writer w;
	u8 buf[8];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(varints); i++) {
		sss_cursor_init(&c, varints[i].bytes, varints[i].len);
		EXPECT_EQ(varints[i].value, sss_cursor_varint(&c));
		EXPECT_FALSE(c.bad);
		EXPECT_EQ(0, sss_cursor_left(&c));

		EXPECT_EQ(varints[i].len, sss_varint_len(varints[i].value));
		sss_writer_init(&w, buf, sizeof(buf));
		sss_writer_varint(&w, varints[i].value);
		EXPECT_FALSE(w.bad);
		ASSERT_EQ(varints[i].len, w.p - buf);
		EXPECT_EQ(0, memcmp(buf, varints[i].bytes, varints[i].len));
	}
}

TEST(varint__not_shortest_is_refused)
{
	static const u8 bytes[][8] = {
		{ 0x40, 0x25 },	/* RFC 9000 decodes this one as 37 */
		{ 0x40, 0x3f },
		{ 0x80, 0, 0x3f, 0xff },
		{ 0xc0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff },
	};
	struct sss_cursor c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bytes); i++) {
		sss_cursor_init(&c, bytes[i], sizeof(bytes[i]));
		EXPECT_EQ(0, sss_cursor_varint(&c));
		EXPECT_TRUE(c.bad);
	}
}

TEST(varint__cut_off)
{
	unsigned int len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(varints); i++) {
		for (len = 0; len < varints[i].len; len++) {
			u8 *exact = malloc(len + !len);
			struct sss_cursor c;

			ASSERT_NE(NULL, exact);
			memcpy(exact, varints[i].bytes, len);
			sss_cursor_init(&c, exact, len);
			EXPECT_EQ(0, sss_cursor_varint(&c));
			EXPECT_TRUE(c.bad);
			free(exact);
		}
	}
}

TEST(varint__too_large)
{
	struct sss_writer w;
	u8 buf[16];

	sss_writer_init(&w, buf, sizeof(buf));
	sss_writer_varint(&w, SSS_VARINT_MAX + 1);
	EXPECT_TRUE(w.bad);
	EXPECT_EQ(&buf[0], w.p);
}

TEST(cursor__numbers)
{
	static const u8 bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct sss_cursor c;
	struct sss_writer w;
	u8 buf[sizeof(bytes)];

	sss_cursor_init(&c, bytes, sizeof(bytes));
	EXPECT_EQ(1, sss_cursor_u8(&c));
	EXPECT_EQ(0x0203, sss_cursor_be16(&c));
	EXPECT_EQ(0x04050607, sss_cursor_be32(&c));
	EXPECT_EQ(0x08090a0b0c0d0e0fULL, sss_cursor_be64(&c));
	EXPECT_EQ(1, sss_cursor_left(&c));
	EXPECT_FALSE(c.bad);

	sss_writer_init(&w, buf, sizeof(buf));
	sss_writer_u8(&w, 1);
	sss_writer_be16(&w, 0x0203);
	sss_writer_be32(&w, 0x04050607);
	sss_writer_be64(&w, 0x08090a0b0c0d0e0fULL);
	sss_writer_bytes(&w, &bytes[15], 1);
	EXPECT_FALSE(w.bad);
	EXPECT_EQ(0, sss_writer_room(&w));
	EXPECT_EQ(0, memcmp(buf, bytes, sizeof(bytes)));
}

TEST(cursor__bad_stays_bad)
{
	static const u8 bytes[] = { 1, 2, 3 };
	struct sss_cursor c;

	sss_cursor_init(&c, bytes, sizeof(bytes));
	EXPECT_EQ(0, sss_cursor_be32(&c));
	EXPECT_TRUE(c.bad);
	/* these would fit */
	EXPECT_EQ(0, sss_cursor_u8(&c));
	EXPECT_EQ(0, sss_cursor_be16(&c));
	EXPECT_EQ(0, sss_cursor_varint(&c));
	EXPECT_EQ(NULL, sss_cursor_bytes(&c, 1));
	EXPECT_EQ(NULL, sss_cursor_bytes(&c, 0));
	EXPECT_TRUE(c.bad);

	sss_cursor_init(&c, bytes, sizeof(bytes));
	EXPECT_EQ(NULL, sss_cursor_bytes(&c, SIZE_MAX));
	EXPECT_TRUE(c.bad);
}

TEST(writer__full)
{
	struct sss_writer w;
	u8 buf[4] = { 9, 9, 9, 9 };

	sss_writer_init(&w, buf, 3);
	sss_writer_be32(&w, 1);
	EXPECT_TRUE(w.bad);
	sss_writer_u8(&w, 1);
	EXPECT_EQ(&buf[0], w.p);
	EXPECT_EQ(9, buf[0]);

	sss_writer_init(&w, buf, 3);
	sss_writer_zero(&w, 3);
	EXPECT_FALSE(w.bad);
	EXPECT_EQ(NULL, sss_writer_reserve(&w, 1));
	EXPECT_TRUE(w.bad);
	EXPECT_EQ(9, buf[3]);
}

TEST(name__utf8)
{
	static const struct {
		const char *name;
		bool ok;
	} names[] = {
		{ "Shell", true },
		{ "a", true },
		{ "\xc3\xa9", true },
		{ "\xe0\xa0\x80", true },
		{ "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true },
		{ "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "", false },
		{ "\x80", false },
		{ "a\xbf", false },
		{ "\xc0\x80", false },			/* NUL in two bytes */
		{ "\xc1\xbf", false },
		{ "\xc3", false },			/* cut off */
		{ "\xc3(", false },
		{ "\xe0\x9f\xbf", false },		/* overlong */
		{ "\xe2\x82", false },
		{ "\xed\xa0\x80", false },		/* surrogate */
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf0\x9f\x92", false },
		{ "\xf4\x90\x80\x80", false },		/* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
		{ "123456789012345678901234567890123456789012345", true },
		{ "1234567890123456789012345678901234567890123456", false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(names[i].ok, sss_name_is_valid((const u8 *)names[i].name,
							 strlen(names[i].name))) {
			TH_LOG("name %zu", i);
		}
	}
	EXPECT_FALSE(sss_name_is_valid((const u8 *)"a\0b", 3));
}

/* RFC 9000 appendix A.3, by trying every candidate */
static u64 decode_slowly(u32 truncated, u64 expected)
{
	const u64 window = 1 << 24;
	u64 best = truncated, best_distance = U64_MAX;
	u64 candidate, distance;
	int i;

	for (i = -2; i <= 2; i++) {
		candidate = (expected & ~(window - 1)) + i * window + truncated;
		if (candidate > SSS_VARINT_MAX)
			continue;
		distance = candidate > expected ? candidate - expected : expected - candidate;
		/* exactly between two, RFC 9000 prefers the larger */
		if (distance <= best_distance) {
			best = candidate;
			best_distance = distance;
		}
	}
	return best;
}

TEST(packet_number__nearest)
{
	u64 state = 1, expected, number;
	int i;

	for (i = 0; i < 200000; i++) {
		expected = random_width(&state, 62);
		number = random_u64(&state) & SSS_PACKET_NUMBER_MASK;
		ASSERT_EQ(decode_slowly(number, expected),
			  sss_packet_decode_number(number, expected));
	}
	/* all that can be in flight is understood */
	for (i = 0; i < 200000; i++) {
		expected = random_width(&state, 61);
		number = expected + random_below(&state, 1 << 23);
		ASSERT_EQ(number, sss_packet_decode_number(number & SSS_PACKET_NUMBER_MASK,
							   expected));
		number = expected - min(expected, random_below(&state, 1 << 23));
		ASSERT_EQ(number, sss_packet_decode_number(number & SSS_PACKET_NUMBER_MASK,
							   expected));
	}
}

TEST(packet_number__edges)
{
	EXPECT_EQ(0, sss_packet_decode_number(0, 0));
	EXPECT_EQ(0xffffff, sss_packet_decode_number(0xffffff, 0));
	EXPECT_EQ(0x1000000, sss_packet_decode_number(0, 0xffffff));
	EXPECT_EQ(0xffffff, sss_packet_decode_number(0xffffff, 0x1000000));
	EXPECT_EQ(SSS_VARINT_MAX, sss_packet_decode_number(0xffffff, SSS_VARINT_MAX));
	EXPECT_EQ(SSS_VARINT_MAX & ~0xffffffULL,
		  sss_packet_decode_number(0, SSS_VARINT_MAX));
}

TEST(packet_header__round_trip)
{
	struct sss_packet_header header;
	u8 buf[SSS_PACKET_MIN_LEN];
	u64 state = 2, number;
	u32 mask, receiver;
	int i;

	for (i = 0; i < 10000; i++) {
		number = random_width(&state, 62);
		mask = random_u64(&state) & SSS_PACKET_NUMBER_MASK;
		receiver = random_u64(&state);
		memset(buf, 0xee, sizeof(buf));
		sss_packet_put_header(buf, number, mask, receiver);
		ASSERT_EQ(0, sss_packet_get_header(buf, sizeof(buf), &header));
		ASSERT_EQ(receiver, header.receiver);
		ASSERT_EQ(number & SSS_PACKET_NUMBER_MASK, header.truncated ^ mask);
		ASSERT_EQ(SSS_PACKET_DATA, buf[0]);
		ASSERT_EQ(0xee, buf[SSS_PACKET_HEADER_LEN]);
	}
}

TEST(packet_header__refused)
{
	struct sss_packet_header header;
	u8 buf[SSS_PACKET_MIN_LEN] = { SSS_PACKET_DATA };
	size_t len;

	for (len = 0; len < SSS_PACKET_MIN_LEN; len++)
		EXPECT_EQ(-EBADMSG, sss_packet_get_header(buf, len, &header));
	EXPECT_EQ(0, sss_packet_get_header(buf, len, &header));
	buf[0] = SSS_PACKET_RELAY;
	EXPECT_EQ(-EBADMSG, sss_packet_get_header(buf, len, &header));
}

TEST_HARNESS_MAIN
