// SPDX-License-Identifier: GPL-2.0
#include "reasm.h"

/**
 * sss_reasm_init() - nothing received yet
 * @re: state
 * @storage: for intervals above the edge, of the caller, as long as @re lives
 * @max: how many fit: the most gaps there can be
 */
void sss_reasm_init(struct sss_reasm *re, struct sss_range *storage, u32 max)
{
	sss_ranges_init(&re->above, storage, max);
	re->edge = 0;
	re->highest = 0;
	re->final = SSS_REASM_NO_FINAL;
}

/**
 * sss_reasm_check() - may this arrive?
 * @re: state
 * @offset: of the first octet
 * @end: one above the last
 * @fin: the stream ends there
 *
 * The rules of RFC 9000 section 4.5: a final size never changes and nothing
 * lies beyond it.
 *
 * Return: 0; SSS_REASM_FINAL_SIZE: close the channel for it; -ENOSPC: there
 * are too many gaps for one more, count the packet as never received
 */
int sss_reasm_check(const struct sss_reasm *re, u64 offset, u64 end, bool fin)
{
	/* a known end is where @highest is, so the second half keeps it from moving back */
	if (end > re->final || (fin && end < re->highest))
		return SSS_REASM_FINAL_SIZE;
	if (offset <= re->edge || sss_ranges_fits(&re->above, offset, end))
		return 0;
	return -ENOSPC;
}

/**
 * sss_reasm_next() - which octets of a segment are new?
 * @re: state
 * @start: first octet to look at; result: first new one
 * @end: one above the last; result: one above the last of the new ones from there
 *
 * Return: whether there are any
 */
bool sss_reasm_next(const struct sss_reasm *re, u64 *start, u64 *end)
{
	*start = max(*start, re->edge);
	return *start < *end && sss_ranges_first_gap(&re->above, start, end);
}

/**
 * sss_reasm_commit() - it has arrived and is kept
 * @re: state; sss_reasm_check() allowed it
 * @offset: of the first octet
 * @end: one above the last
 * @fin: the stream ends there
 *
 * Return: whether a reader has something to see: the edge moved, or the end
 * became known there
 */
bool sss_reasm_commit(struct sss_reasm *re, u64 offset, u64 end, bool fin)
{
	u64 edge = re->edge;
	bool was_done = sss_reasm_done(re);
	struct sss_range lowest;

	re->highest = max(re->highest, end);
	if (fin)
		re->final = end;
	if (offset > edge) {
		sss_ranges_add(&re->above, offset, end);
		return false;
	}
	if (end > edge)
		re->edge = end;
	while (!sss_ranges_empty(&re->above) && re->above.r[0].start <= re->edge) {
		sss_ranges_pop_lowest(&re->above, &lowest);
		re->edge = max(re->edge, lowest.end);
	}
	return re->edge != edge || sss_reasm_done(re) != was_done;
}
