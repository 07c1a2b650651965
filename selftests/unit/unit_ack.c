// SPDX-License-Identifier: GPL-2.0
/* Sets of received numbers, and ACK frames made from them, against a bitmap. */
#include "../../kernel/wire/frame.h"
#include "random.h"
#include "kselftest_harness.h"

#define NUMBERS 3000

static bool has(const struct sss_ackset *acks, u64 number)
{
	return sss_ranges_contains(&acks->set, number, number + 1);
}

/* Clear the lowest run of @model if there are more than fit */
static void forget_lowest(bool *model)
{
	int runs = 0, k;

	for (k = 0; k < NUMBERS; k++)
		runs += model[k] && (!k || !model[k - 1]);
	if (runs <= SSS_ACKSET_MAX)
		return;
	for (k = 0; !model[k]; k++)
		;
	for (; model[k]; k++)
		model[k] = false;
}

TEST(ackset__model)
{
	static bool model[NUMBERS];
	u64 state = 11, next = 0, floor = 0, largest_at = 0, n;
	struct sss_ackset acks;
	int i, k, full = 0;

	sss_ackset_init(&acks);
	EXPECT_TRUE(sss_ackset_empty(&acks));
	for (i = 0; next < NUMBERS - 10; i++) {
		n = random_below(&state, 8) ? next + random_below(&state, 2) :
		    next - min(next, random_below(&state, 60));
		if (n >= next) {
			next = n + 1;
			largest_at = i;
		}
		sss_ackset_add(&acks, n, i);
		model[n] = true;
		full += acks.set.n == SSS_ACKSET_MAX;
		forget_lowest(model);
		if (!random_below(&state, 400)) {
			floor = next - min(next, random_below(&state, 100));
			sss_ackset_forget(&acks, floor);
			memset(model, 0, floor);
		}
		if (sss_ackset_empty(&acks))
			continue;
		ASSERT_EQ(largest_at, acks.largest_at);
		for (k = 0; k < NUMBERS; k++)
			ASSERT_EQ(model[k], has(&acks, k));
	}
	EXPECT_GT(full, 100);
}

TEST(ackset__forgets_the_lowest)
{
	struct sss_ackset acks;
	int i;

	sss_ackset_init(&acks);
	for (i = 0; i < SSS_ACKSET_MAX + 10; i++)
		sss_ackset_add(&acks, 2 * i, i);
	EXPECT_EQ(SSS_ACKSET_MAX, acks.set.n);
	EXPECT_FALSE(has(&acks, 18));
	EXPECT_TRUE(has(&acks, 20));
	EXPECT_EQ(2 * (SSS_ACKSET_MAX + 9), sss_ackset_largest(&acks));
	/* one below all of them has no place */
	sss_ackset_add(&acks, 0, 99);
	EXPECT_FALSE(has(&acks, 0));
	EXPECT_EQ(SSS_ACKSET_MAX + 9, acks.largest_at);
}

/* Random ranges, numbers small or huge */
static void fill(struct sss_ackset *acks, u64 *state, u32 n)
{
	u64 at = random_width(state, 61);

	sss_ackset_init(acks);
	while (n--) {
		at += 2 + random_width(state, 20);
		sss_ranges_add_newest(&acks->set, at, at + 1 + random_width(state, 20));
		at = acks->set.r[acks->set.n - 1].end;
	}
}

TEST(ack__round_trip)
{
	u8 buf[1200];
	u64 state = 12;
	int i;

	for (i = 0; i < 20000; i++) {
		u64 ecn[3] = { random_width(&state, 62), random_width(&state, 62), 0 };
		bool with_ecn = random_below(&state, 2);
		u64 delay = random_width(&state, 40);
		size_t room = random_below(&state, 3) ? sizeof(buf) :
							40 + random_below(&state, 200);
		u32 most = 1 + random_below(&state, SSS_ACKSET_MAX + 10);
		struct sss_ack_walk walk;
		struct sss_ackset acks;
		struct sss_frame frame;
		struct sss_cursor c;
		struct sss_writer w;
		u64 lo, hi;
		u32 k;

		fill(&acks, &state, 1 + random_below(&state, SSS_ACKSET_MAX));
		sss_writer_init(&w, buf, room);
		ASSERT_EQ(0, sss_frame_ack_put(&w, &acks, delay, most, with_ecn ? ecn : NULL));
		sss_cursor_init(&c, buf, w.p - buf);
		ASSERT_EQ(0, sss_frame_parse(&c, &frame));
		ASSERT_EQ(0, sss_cursor_left(&c));
		ASSERT_EQ(with_ecn ? SSS_FRAME_ACK_ECN : SSS_FRAME_ACK, frame.type);
		ASSERT_EQ(delay, frame.ack.delay_us);
		ASSERT_EQ(with_ecn ? ecn[0] : 0, frame.ack.ect0);
		ASSERT_EQ(with_ecn ? ecn[1] : 0, frame.ack.ect1);
		if (room == sizeof(buf)) {
			ASSERT_EQ(min_t(u32, most, acks.set.n),
				  frame.ack.n_ranges + 1);
		}

		k = acks.set.n - 1;
		sss_frame_ack_first(&frame.ack, &walk, &lo, &hi);
		do {
			ASSERT_EQ(acks.set.r[k].start, lo);
			ASSERT_EQ(acks.set.r[k].end - 1, hi);
			k--;
		} while (sss_frame_ack_next(&walk, &lo, &hi));
		ASSERT_EQ(acks.set.n - 2 - k, frame.ack.n_ranges);
	}
}

TEST(ack__room)
{
	struct sss_ackset acks;
	struct sss_frame frame;
	struct sss_cursor c;
	struct sss_writer w;
	size_t room, first = 0;
	u8 buf[400];
	u32 i;

	sss_ackset_init(&acks);
	sss_writer_init(&w, buf, sizeof(buf));
	EXPECT_EQ(-EINVAL, sss_frame_ack_put(&w, &acks, 0, 10, NULL));
	for (i = 0; i < 40; i++)
		sss_ackset_add(&acks, 1000 + 5 * i, i);
	EXPECT_EQ(-EINVAL, sss_frame_ack_put(&w, &acks, 0, 0, NULL));
	for (room = 0; room < sizeof(buf); room++) {
		memset(buf, 0xee, sizeof(buf));
		sss_writer_init(&w, buf, room);
		if (sss_frame_ack_put(&w, &acks, 100, 64, NULL)) {
			ASSERT_EQ(&buf[0], w.p);
			ASSERT_FALSE(w.bad);
			ASSERT_EQ(0, first);
			continue;
		}
		if (!first)
			first = room;
		ASSERT_EQ(0xee, buf[room]);
		sss_cursor_init(&c, buf, w.p - buf);
		ASSERT_EQ(0, sss_frame_parse(&c, &frame));
		/* two bytes a range, none wasted */
		ASSERT_EQ(min_t(u64, 39, (room - first) / 2), frame.ack.n_ranges);
	}
	EXPECT_EQ(1 + 2 + 2 + 1 + 1, first);
}

TEST(ack__refused)
{
	static const struct {
		u8 len;
		u8 bytes[12];
	} bad[] = {
		{ 5, { 2, 5, 0, 0, 6 } },		/* first range below 0 */
		{ 7, { 2, 5, 0, 1, 5, 0, 0 } },		/* gap below 0 */
		{ 7, { 2, 5, 0, 1, 2, 2, 0 } },		/* gap below 0 by one */
		{ 7, { 2, 5, 0, 1, 2, 1, 1 } },		/* range below 0 by one */
		{ 6, { 2, 5, 0, 1, 2, 1 } },		/* cut off */
		{ 7, { 3, 5, 0, 0, 2, 1, 1 } },		/* ECN counts cut off */
		{ 7, { 2, 5, 0, 0x40, 1, 2, 1 } },	/* not the shortest */
	};
	static const u8 good[] = { 2, 5, 0, 1, 2, 1, 0 };
	struct sss_frame frame;
	struct sss_cursor c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		sss_cursor_init(&c, bad[i].bytes, bad[i].len);
		EXPECT_EQ(SSS_ERROR_FRAME_ENCODING, sss_frame_parse(&c, &frame)) {
			TH_LOG("case %zu", i);
		}
		EXPECT_EQ(bad[i].bytes[0], frame.type);
	}
	sss_cursor_init(&c, good, sizeof(good));
	EXPECT_EQ(0, sss_frame_parse(&c, &frame));
}

TEST(ack__range_bound)
{
	u8 buf[8 + 2 * 257] = { 2, 0x80, 0, 0x80, 0, 0 };
	struct sss_frame frame;
	struct sss_cursor c;
	struct sss_writer w;
	unsigned int n;

	for (n = 256; n <= 257; n++) {
		sss_writer_init(&w, buf + 6, sizeof(buf) - 6);
		sss_writer_varint(&w, n);
		sss_writer_zero(&w, 1 + 2 * n);
		sss_cursor_init(&c, buf, w.p - buf);
		EXPECT_EQ(n == 256 ? 0 : SSS_ERROR_FRAME_ENCODING, sss_frame_parse(&c, &frame));
	}
}

TEST_HARNESS_MAIN
