// SPDX-License-Identifier: GPL-2.0
/* The replay window: vectors in the manner of RFC 6479, and a model. */
#include <stdlib.h>
#include "../../kernel/wire/replay.h"
#include "random.h"
#include "kselftest_harness.h"

#define W SSS_REPLAY_WINDOW

/* What happens to one number after another */
struct step {
	u64 number;
	bool fresh;
};

static void play(struct __test_metadata *_metadata, u64 floor, const struct step *steps,
		 size_t n)
{
	struct sss_replay replay;
	size_t i;

	sss_replay_init(&replay, floor);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(steps[i].fresh, sss_replay_test(&replay, steps[i].number)) {
			TH_LOG("test, step %zu", i);
		}
		EXPECT_EQ(steps[i].fresh, sss_replay_set(&replay, steps[i].number)) {
			TH_LOG("set, step %zu", i);
		}
	}
}

#define PLAY(floor, ...) do { \
	static const struct step steps[] = { __VA_ARGS__ }; \
	play(_metadata, floor, steps, ARRAY_SIZE(steps)); \
} while (0)

TEST(in_order)
{
	PLAY(0, { 0, true }, { 1, true }, { 1, false }, { 0, false }, { 2, true });
}

TEST(out_of_order)
{
	PLAY(0, { 9, true }, { 8, true }, { 7, true }, { 7, false }, { 0, true },
	     { 0, false }, { 10, true }, { 9, false });
}

TEST(window_edge)
{
	PLAY(0, { W, true }, { 0, false }, { 1, true }, { 1, false },
	     { 2 * W, true }, { W, false }, { W + 1, true }, { W + 1, false });
	PLAY(0, { W - 1, true }, { 0, true }, { 0, false }, { W, true }, { 0, false });
}

TEST(jumps_forget_what_they_jump_over)
{
	PLAY(0, { 3, true }, { W + 2, true }, { W + 3, true }, { W + 3, false },
	     { 4, true }, { 3, false });
	PLAY(0, { 5, true }, { W + 4, true }, { 5, false }, { 6, true },
	     { W + 6, true }, { 6, false }, { 7, true }, { W + 5, true });
	PLAY(0, { 0, true }, { 100ULL * W, true }, { 99ULL * W, false },
	     { 99ULL * W + 1, true }, { 99ULL * W + 64, true }, { 100ULL * W, false });
}

TEST(floor_given)
{
	PLAY(1000, { 999, false }, { 0, false }, { 1000, true }, { 1000, false },
	     { 1064, true }, { 1001, true });
}

TEST(floor_rises)
{
	struct sss_replay replay;

	sss_replay_init(&replay, 10);
	EXPECT_TRUE(sss_replay_set(&replay, 20));
	sss_replay_raise(&replay, 15);
	EXPECT_FALSE(sss_replay_set(&replay, 14));
	EXPECT_TRUE(sss_replay_set(&replay, 15));
	sss_replay_raise(&replay, 5);
	EXPECT_FALSE(sss_replay_set(&replay, 14));
	sss_replay_raise(&replay, 1ULL << 40);
	EXPECT_FALSE(sss_replay_set(&replay, 21));
	EXPECT_FALSE(sss_replay_set(&replay, (1ULL << 40) - 1));
	EXPECT_TRUE(sss_replay_set(&replay, 1ULL << 40));
	EXPECT_FALSE(sss_replay_set(&replay, 1ULL << 40));
}

TEST(largest)
{
	const u64 last = (1ULL << 62) - 1;

	PLAY(0, { last, true }, { last, false }, { last - 1, true }, { last + 1, false },
	     { U64_MAX, false }, { last - W + 1, true }, { last - W, false });
}

TEST(test_changes_nothing)
{
	struct sss_replay replay;

	sss_replay_init(&replay, 0);
	EXPECT_TRUE(sss_replay_test(&replay, 70));
	EXPECT_TRUE(sss_replay_test(&replay, 70));
	EXPECT_TRUE(sss_replay_test(&replay, 0));
	EXPECT_EQ(0, replay.next);
}

TEST(model)
{
	const u64 numbers = 40 * W;
	bool *seen = calloc(numbers, 1);
	u64 state = 3, next = 0, n, jump;
	struct sss_replay replay;
	bool fresh;
	int i;

	ASSERT_NE(NULL, seen);
	sss_replay_init(&replay, 0);
	for (i = 0; i < 400000; i++) {
		switch (random_below(&state, 4)) {
		case 0:
			jump = random_below(&state, 1000) ? 3 : 3 * W;
			n = next + random_below(&state, jump);
			break;
		case 1:
			n = random_below(&state, next + 1);
			break;
		default:
			n = next - min(next, random_below(&state, W + 100));
			break;
		}
		if (n >= numbers)
			break;
		fresh = !seen[n] && n + W >= next;
		ASSERT_EQ(fresh, sss_replay_test(&replay, n));
		ASSERT_EQ(fresh, sss_replay_set(&replay, n));
		seen[n] = true;
		if (n >= next)
			next = n + 1;
	}
	EXPECT_GT(i, 10000);
	free(seen);
}

TEST_HARNESS_MAIN
