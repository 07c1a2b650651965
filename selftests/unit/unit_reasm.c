// SPDX-License-Identifier: GPL-2.0
/*
 * Reassembly against memcmp: whatever the order, overlap and duplication of
 * segments, each octet is new exactly once and the reader sees the original.
 */
#include "../../kernel/wire/reasm.h"
#include "random.h"
#include "kselftest_harness.h"

#define LEN 4000
#define GAPS 40

struct receiver {
	struct sss_range storage[GAPS];
	struct sss_reasm re;
	u8 data[LEN];
	u8 copies[LEN];
	u64 base;	/* offset of data[0] */
};

static void start(struct receiver *r, u64 base, u32 gaps)
{
	memset(r, 0, sizeof(*r));
	sss_reasm_init(&r->re, r->storage, gaps);
	r->base = base;
	r->re.edge = base;
	r->re.highest = base;
}

/* As the caller in the head of reasm.h */
static int arrive(struct receiver *r, const u8 *data, u64 from, u64 to, bool fin)
{
	u64 begin = r->base + from, end = r->base + to, s, e;
	int err = sss_reasm_check(&r->re, begin, end, fin);

	if (err)
		return err;
	for (s = begin; e = end, sss_reasm_next(&r->re, &s, &e); s = e) {
		memcpy(&r->data[s - r->base], &data[s - r->base], e - s);
		for (u64 i = s; i < e; i++)
			r->copies[i - r->base]++;
	}
	sss_reasm_commit(&r->re, begin, end, fin);
	return 0;
}

static void run(struct __test_metadata *_metadata, u64 seed, u64 base, u32 gaps)
{
	u64 state = seed, from, to, edge = 0;
	static struct receiver r;
	static u8 original[LEN];
	int full = 0, err, i;

	for (i = 0; i < LEN; i++)
		original[i] = random_u64(&state);
	start(&r, base, gaps);
	while (!sss_reasm_done(&r.re)) {
		/* near the edge and anywhere; what is lost comes again */
		from = random_below(&state, 3) ? edge + random_below(&state, 300) :
						 random_below(&state, LEN + 1);
		from -= min(from, random_below(&state, 50));
		if (from > LEN)
			from = LEN;
		to = from + random_below(&state, min_t(u64, LEN - from, 200) + 1);
		err = arrive(&r, original, from, to, to == LEN && random_below(&state, 2));
		ASSERT_TRUE(!err || err == -ENOSPC);
		full += !!err;
		ASSERT_GE(r.re.edge, base + edge);
		edge = r.re.edge - base;
		ASSERT_EQ(0, memcmp(r.data, original, edge));
		ASSERT_TRUE(!r.re.above.n || r.re.above.r[0].start > r.re.edge);
		ASSERT_LE(r.re.above.n, gaps);
	}
	ASSERT_EQ(LEN, edge);
	for (i = 0; i < LEN; i++)
		ASSERT_EQ(1, r.copies[i]);
	if (gaps < 3) {
		ASSERT_GT(full, 0);
	}
}

TEST(random_segments)
{
	u64 seed;

	for (seed = 1; seed < 300; seed++) {
		run(_metadata, seed, 0, GAPS);
		run(_metadata, seed, (1ULL << 62) - 1 - LEN, GAPS);
	}
}

TEST(few_gaps)
{
	u64 seed;

	for (seed = 1; seed < 100; seed++)
		run(_metadata, seed, 0, 1 + seed % 4);
}

FIXTURE(reasm)
{
	struct sss_range storage[4];
	struct sss_reasm re;
};

FIXTURE_SETUP(reasm)
{
	sss_reasm_init(&self->re, self->storage, 4);
}

FIXTURE_TEARDOWN(reasm)
{
}

TEST_F(reasm, in_order_uses_no_storage)
{
	u64 i;

	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, sss_reasm_check(&self->re, i * 10, i * 10 + 10, false));
		EXPECT_TRUE(sss_reasm_commit(&self->re, i * 10, i * 10 + 10, false));
		EXPECT_EQ(0, self->re.above.n);
	}
	EXPECT_EQ(1000, self->re.edge);
}

TEST_F(reasm, gap_filled)
{
	EXPECT_FALSE(sss_reasm_commit(&self->re, 10, 20, false));
	EXPECT_FALSE(sss_reasm_commit(&self->re, 30, 40, false));
	EXPECT_EQ(0, self->re.edge);
	EXPECT_TRUE(sss_reasm_commit(&self->re, 0, 10, false));
	EXPECT_EQ(20, self->re.edge);
	EXPECT_TRUE(sss_reasm_commit(&self->re, 15, 35, false));
	EXPECT_EQ(40, self->re.edge);
	EXPECT_EQ(0, self->re.above.n);
}

TEST_F(reasm, final_size)
{
	sss_reasm_commit(&self->re, 10, 20, false);
	/* the end lies before what has come */
	EXPECT_EQ(SSS_REASM_FINAL_SIZE, sss_reasm_check(&self->re, 0, 15, true));
	EXPECT_FALSE(sss_reasm_check_final(&self->re, 19));
	EXPECT_TRUE(sss_reasm_check_final(&self->re, 20));
	EXPECT_TRUE(sss_reasm_check_final(&self->re, 100));
	EXPECT_EQ(0, sss_reasm_check(&self->re, 20, 30, true));
	EXPECT_FALSE(sss_reasm_commit(&self->re, 20, 30, true));
	/* it does not change */
	EXPECT_EQ(SSS_REASM_FINAL_SIZE, sss_reasm_check(&self->re, 20, 29, true));
	EXPECT_EQ(SSS_REASM_FINAL_SIZE, sss_reasm_check(&self->re, 20, 31, true));
	/* nothing lies beyond */
	EXPECT_EQ(SSS_REASM_FINAL_SIZE, sss_reasm_check(&self->re, 30, 31, false));
	EXPECT_FALSE(sss_reasm_check_final(&self->re, 31));
	EXPECT_TRUE(sss_reasm_check_final(&self->re, 30));
	/* the same again is fine */
	EXPECT_EQ(0, sss_reasm_check(&self->re, 20, 30, true));
	EXPECT_EQ(0, sss_reasm_check(&self->re, 30, 30, true));
	EXPECT_FALSE(sss_reasm_done(&self->re));
	EXPECT_TRUE(sss_reasm_commit(&self->re, 0, 10, false));
	EXPECT_TRUE(sss_reasm_done(&self->re));
}

TEST_F(reasm, empty_end)
{
	EXPECT_EQ(0, sss_reasm_check(&self->re, 0, 0, true));
	EXPECT_TRUE(sss_reasm_commit(&self->re, 0, 0, true));
	EXPECT_TRUE(sss_reasm_done(&self->re));
	/* again: nothing new for a reader */
	EXPECT_FALSE(sss_reasm_commit(&self->re, 0, 0, true));

	sss_reasm_init(&self->re, self->storage, 4);
	EXPECT_FALSE(sss_reasm_commit(&self->re, 5, 5, true));
	EXPECT_FALSE(sss_reasm_done(&self->re));
	EXPECT_TRUE(sss_reasm_commit(&self->re, 0, 5, false));
	EXPECT_TRUE(sss_reasm_done(&self->re));
}

TEST_F(reasm, too_many_gaps)
{
	u64 i;

	for (i = 1; i <= 4; i++)
		sss_reasm_commit(&self->re, i * 10, i * 10 + 1, false);
	EXPECT_EQ(-ENOSPC, sss_reasm_check(&self->re, 50, 51, false));
	/* what touches something, or the edge, still may */
	EXPECT_EQ(0, sss_reasm_check(&self->re, 41, 51, false));
	EXPECT_EQ(0, sss_reasm_check(&self->re, 0, 5, false));
	EXPECT_EQ(0, sss_reasm_check(&self->re, 12, 20, false));
}

TEST_HARNESS_MAIN
