// SPDX-License-Identifier: GPL-2.0
/* The replay window: the input is a sequence of numbers, relative to the newest. */
#include "../../kernel/wire/replay.h"
#include "fuzz.h"

#define NUMBERS (1 << 18)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	static bool seen[NUMBERS];
	struct sss_replay replay;
	u64 next = 0, floor = 0, n;
	bool fresh;

	memset(seen, 0, sizeof(seen));
	sss_replay_init(&replay, 0);
	while (in.p < in.end) {
		u8 op = fuzz_take(&in, 1);
		u64 distance = fuzz_take(&in, 2);

		if (op < 8) {
			floor = max(floor, next - min(next, distance));
			sss_replay_raise(&replay, floor);
			continue;
		}
		n = op & 1 ? next + distance : next - min(next, distance);
		if (n >= NUMBERS)
			break;
		fresh = !seen[n] && n >= floor && n + SSS_REPLAY_WINDOW >= next;
		check(sss_replay_test(&replay, n) == fresh);
		check(sss_replay_set(&replay, n) == fresh);
		seen[n] |= fresh;
		if (fresh && n >= next)
			next = n + 1;
	}
	return 0;
}

size_t fuzz_seed(u8 *data, size_t max, u64 *state)
{
	size_t i, n = 1 + random_below(state, 200);
	u64 distance;

	for (i = 0; i < n && 3 * i + 3 <= max; i++) {
		distance = random_width(state, 14);
		data[3 * i] = random_u64(state);
		data[3 * i + 1] = distance >> 8;
		data[3 * i + 2] = distance;
	}
	return 3 * i;
}
