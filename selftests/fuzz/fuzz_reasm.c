// SPDX-License-Identifier: GPL-2.0
/*
 * Reassembly: the input is a sequence of segments. Each octet is new once, the
 * final size never changes, and the edge is where the first gap is.
 */
#include "../../kernel/wire/reasm.h"
#include "fuzz.h"

#define VALUES 512
#define GAPS 6

struct model {
	bool has[VALUES];
	u64 highest;
	u64 final;
};

static void check_same(const struct sss_reasm *re, const struct model *m)
{
	u64 edge;

	for (edge = 0; edge < VALUES && m->has[edge]; edge++)
		;
	check(re->edge == edge);
	check(re->highest == m->highest);
	check(re->final == m->final);
	check(sss_reasm_done(re) == (edge == m->final));
}

static void arrive(struct sss_reasm *re, struct model *m, u64 offset, u64 end, bool fin)
{
	bool final_bad = (m->final != SSS_REASM_NO_FINAL &&
			  (end > m->final || (fin && end != m->final))) ||
			 (fin && end < m->highest);
	int err = sss_reasm_check(re, offset, end, fin);
	u64 s, e, edge = re->edge;
	bool seen;

	check((err == SSS_REASM_FINAL_SIZE) == final_bad);
	check(sss_reasm_check_final(re, end) ==
	      (end >= m->highest && (m->final == SSS_REASM_NO_FINAL || m->final == end)));
	if (err) {
		check(err == SSS_REASM_FINAL_SIZE || re->above.n == GAPS);
		return;
	}
	for (s = offset; e = end, sss_reasm_next(re, &s, &e); s = e) {
		check(s >= offset && s < e && e <= end);
		for (; s < e; s++) {
			check(!m->has[s]);
			m->has[s] = true;
		}
	}
	for (s = offset; s < end; s++)
		check(m->has[s]);
	m->highest = max(m->highest, end);
	if (fin)
		m->final = end;
	seen = sss_reasm_commit(re, offset, end, fin);
	check(seen || re->edge == edge);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	struct sss_range *storage = malloc(GAPS * sizeof(*storage));
	struct model m = { .final = SSS_REASM_NO_FINAL };
	struct sss_reasm re;
	u64 offset, end;
	bool fin;

	check(storage);
	sss_reasm_init(&re, storage, GAPS);
	while (in.p < in.end) {
		offset = fuzz_take(&in, 2) % VALUES;
		end = min_t(u64, offset + fuzz_take(&in, 1) % 64, VALUES);
		fin = fuzz_take(&in, 1) == 1;
		arrive(&re, &m, offset, end, fin);
		check_same(&re, &m);
	}
	free(storage);
	return 0;
}

size_t fuzz_seed(u8 *data, size_t max, u64 *state)
{
	size_t i, n = 1 + random_below(state, 60);
	u64 at = 0;

	for (i = 0; i < n && 4 * i + 4 <= max; i++) {
		u64 offset = at - min(at, random_below(state, 8)) + random_below(state, 40);
		u8 len = random_below(state, 40);

		data[4 * i] = offset >> 8;
		data[4 * i + 1] = offset;
		data[4 * i + 2] = len;
		data[4 * i + 3] = !random_below(state, 30);
		at += random_below(state, 20);
	}
	return 4 * i;
}
