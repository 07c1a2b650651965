// SPDX-License-Identifier: GPL-2.0
/* Interval sets: the input is a program of operations, the model a bitmap. */
#include "../../kernel/wire/ranges.h"
#include "fuzz.h"

#define VALUES 256
#define MAX 8

static u32 runs(const bool *has)
{
	u32 n = 0;
	int i;

	for (i = 0; i < VALUES; i++)
		n += has[i] && (!i || !has[i - 1]);
	return n;
}

static void check_same(const struct sss_ranges *set, const bool *has)
{
	int i;

	check(set->n == runs(has));
	for (i = 0; i < VALUES; i++)
		check(sss_ranges_contains(set, i, i + 1) == has[i]);
}

static void forget_lowest(bool *has)
{
	int i;

	for (i = 0; !has[i]; i++)
		;
	for (; i < VALUES && has[i]; i++)
		has[i] = false;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	struct sss_range *storage = malloc(MAX * sizeof(*storage));
	bool has[VALUES] = { 0 }, after[VALUES];
	struct sss_range lowest;
	struct sss_ranges set;
	u64 start, end;
	int err;
	u8 op;

	check(storage);
	sss_ranges_init(&set, storage, MAX);
	while (in.p < in.end) {
		op = fuzz_take(&in, 1) % 5;
		start = fuzz_take(&in, 1);
		end = min_t(u64, start + fuzz_take(&in, 1) % 32, VALUES);
		memcpy(after, has, sizeof(has));
		switch (op) {
		case 0:
		case 1:
			memset(after + start, op == 0, end - start);
			err = op == 0 ? sss_ranges_add(&set, start, end) :
					sss_ranges_remove(&set, start, end);
			check(err == (runs(after) > MAX ? -ENOSPC : 0));
			if (!err)
				memcpy(has, after, sizeof(has));
			break;
		case 2:
			memset(has + start, true, end - start);
			sss_ranges_add_newest(&set, start, end);
			if (runs(has) > MAX)
				forget_lowest(has);
			break;
		case 3:
			memset(has, false, start);
			sss_ranges_remove_below(&set, start);
			break;
		case 4:
			check(sss_ranges_pop_lowest(&set, &lowest) == !!runs(has));
			if (runs(has))
				forget_lowest(has);
			break;
		}
		check_same(&set, has);
	}
	free(storage);
	return 0;
}

size_t fuzz_seed(u8 *data, size_t max, u64 *state)
{
	size_t i, len = 3 * (1 + random_below(state, 60));

	for (i = 0; i < len && i < max; i++)
		data[i] = i % 3 ? random_u64(state) : random_width(state, 3);
	return i;
}
