/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reassembly of one direction of a stream, as far as it is about offsets: what
 * has come, up to where without a gap, and where the stream ends. The bytes
 * themselves are the caller's.
 *
 * For each arriving [offset, end):
 *
 *	err = sss_reasm_check(re, offset, end, fin);
 *	if (err)
 *		...
 *	for (start = offset; gap_end = end, sss_reasm_next(re, &start, &gap_end); start = gap_end)
 *		keep the bytes of [start, gap_end): they are new
 *	sss_reasm_commit(re, offset, end, fin);
 */
#ifndef _SSS_WIRE_REASM_H
#define _SSS_WIRE_REASM_H

#include "ranges.h"

#define SSS_REASM_NO_FINAL (~0ULL)
#define SSS_REASM_FINAL_SIZE 1

/**
 * struct sss_reasm - the state
 * @above: received intervals above @edge
 * @edge: first offset not received
 * @highest: end of the farthest octet received
 * @final: where the stream ends, SSS_REASM_NO_FINAL: not known
 */
struct sss_reasm {
	struct sss_ranges above;
	u64 edge;
	u64 highest;
	u64 final;
};

void sss_reasm_init(struct sss_reasm *re, struct sss_range *storage, u32 max);
/* 0; -ENOSPC: no room for one more gap; SSS_REASM_FINAL_SIZE: the peer contradicts itself */
int sss_reasm_check(const struct sss_reasm *re, u64 offset, u64 end, bool fin);
/* makes [*start, *end) its first part that has not been received; false: none */
bool sss_reasm_next(const struct sss_reasm *re, u64 *start, u64 *end);
/* after a successful check; returns whether the edge moved or the end became known */
bool sss_reasm_commit(struct sss_reasm *re, u64 offset, u64 end, bool fin);

/**
 * sss_reasm_check_final() - may the stream end there? (RESET)
 * @re: state
 * @final: length of the stream
 */
static inline bool sss_reasm_check_final(const struct sss_reasm *re, u64 final)
{
	return final >= re->highest &&
	       (re->final == SSS_REASM_NO_FINAL || re->final == final);
}

/**
 * sss_reasm_done() - is everything received, the end included?
 * @re: state
 */
static inline bool sss_reasm_done(const struct sss_reasm *re)
{
	return re->edge == re->final;
}

#endif /* _SSS_WIRE_REASM_H */
