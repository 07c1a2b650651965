/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bounded set of disjoint, sorted, half-open intervals [start, end) of u64,
 * in storage the caller provides. Adding at the end is O(1), searching
 * O(log n), inserting in the middle moves what is behind.
 */
#ifndef _SSS_WIRE_RANGES_H
#define _SSS_WIRE_RANGES_H

#include "pure.h"

struct sss_range {
	u64 start;
	u64 end;
};

/**
 * struct sss_ranges - the set
 * @r: storage of the caller, sorted, never touching each other
 * @n: how many are used
 * @max: how many fit
 */
struct sss_ranges {
	struct sss_range *r;
	u32 n;
	u32 max;
};

void sss_ranges_init(struct sss_ranges *set, struct sss_range *storage, u32 max);
/* -ENOSPC and unchanged when a new interval would be needed and none is free; empty: 0 */
int sss_ranges_add(struct sss_ranges *set, u64 start, u64 end);
/* the same, but when full the lowest interval is forgotten, be it the new one */
void sss_ranges_add_newest(struct sss_ranges *set, u64 start, u64 end);
/* would sss_ranges_add() succeed? */
bool sss_ranges_fits(const struct sss_ranges *set, u64 start, u64 end);
/* -ENOSPC and unchanged when removing from the middle would need one more */
int sss_ranges_remove(struct sss_ranges *set, u64 start, u64 end);
void sss_ranges_remove_below(struct sss_ranges *set, u64 floor);
/* false: empty */
bool sss_ranges_pop_lowest(struct sss_ranges *set, struct sss_range *lowest);
bool sss_ranges_contains(const struct sss_ranges *set, u64 start, u64 end); /* all of it */
/* index of the first interval whose end is above @value, n if none */
u32 sss_ranges_find(const struct sss_ranges *set, u64 value);
/* makes [*start, *end) its first sub-interval that is not in the set; false: none */
bool sss_ranges_first_gap(const struct sss_ranges *set, u64 *start, u64 *end);

/**
 * sss_ranges_empty() - is nothing in the set?
 * @set: the set
 */
static inline bool sss_ranges_empty(const struct sss_ranges *set)
{
	return !set->n;
}

#endif /* _SSS_WIRE_RANGES_H */
