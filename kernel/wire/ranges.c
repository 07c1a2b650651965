// SPDX-License-Identifier: GPL-2.0
#include "ranges.h"

/**
 * sss_ranges_init() - make an empty set
 * @set: the set
 * @storage: of the caller, as long as the set lives
 * @max: intervals that fit in it; may be 0: then adding fails
 */
void sss_ranges_init(struct sss_ranges *set, struct sss_range *storage, u32 max)
{
	set->r = storage;
	set->n = 0;
	set->max = max;
}

/**
 * sss_ranges_find() - search
 * @set: the set
 * @value: any
 *
 * O(1) for what is in the last interval or above, else O(log n).
 *
 * Return: index of the first interval whose end is above @value, n if none
 */
u32 sss_ranges_find(const struct sss_ranges *set, u64 value)
{
	u32 low = 0, high = set->n;

	if (!high || set->r[high - 1].end <= value)
		return high;
	if (set->r[high - 1].start <= value)
		return high - 1;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (set->r[mid].end > value)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The intervals [first, last) that [start, end) overlaps or touches */
static void span(const struct sss_ranges *set, u64 start, u64 end, u32 *first, u32 *last)
{
	*first = start ? sss_ranges_find(set, start - 1) : 0;
	for (*last = *first; *last < set->n && set->r[*last].start <= end; ++*last)
		;
}

/* Replace the @old intervals at @at by @new ones, whose contents the caller sets */
static void splice(struct sss_ranges *set, u32 at, u32 old, u32 new)
{
	if (old == new)
		return;
	memmove(&set->r[at + new], &set->r[at + old],
		(set->n - at - old) * sizeof(*set->r));
	set->n += new - old;
}

/**
 * sss_ranges_add() - add an interval, merging what it overlaps or touches
 * @set: the set
 * @start: its first value
 * @end: one above its last
 *
 * O(1) at the end of the set, O(log n + intervals moved) elsewhere.
 *
 * Return: 0, also if it is empty; -ENOSPC and unchanged when a new interval
 * would be needed and none is free
 */
int sss_ranges_add(struct sss_ranges *set, u64 start, u64 end)
{
	u32 first, last;

	if (start >= end)
		return 0;
	span(set, start, end, &first, &last);
	if (first == last) {
		if (set->n == set->max)
			return -ENOSPC;
		splice(set, first, 0, 1);
		set->r[first].start = start;
		set->r[first].end = end;
		return 0;
	}
	set->r[first].start = min(set->r[first].start, start);
	set->r[first].end = max(set->r[last - 1].end, end);
	splice(set, first + 1, last - first - 1, 0);
	return 0;
}

/**
 * sss_ranges_fits() - would sss_ranges_add() succeed?
 * @set: the set
 * @start: first value
 * @end: one above the last
 *
 * Return: whether it would
 */
bool sss_ranges_fits(const struct sss_ranges *set, u64 start, u64 end)
{
	u32 first, last;

	if (set->n < set->max || start >= end)
		return true;
	span(set, start, end, &first, &last);
	return first != last;
}

/**
 * sss_ranges_add_newest() - add an interval; when full, forget the lowest
 * @set: the set
 * @start: its first value
 * @end: one above its last
 *
 * The lowest may be the one to be added: then nothing changes.
 */
void sss_ranges_add_newest(struct sss_ranges *set, u64 start, u64 end)
{
	if (!sss_ranges_add(set, start, end) || !set->n || end < set->r[0].start)
		return;
	splice(set, 0, 1, 0);
	sss_ranges_add(set, start, end);
}

/* Take [start, end) out of the middle of interval @i */
static int cut(struct sss_ranges *set, u32 i, u64 start, u64 end)
{
	if (set->n == set->max)
		return -ENOSPC;
	splice(set, i, 0, 1);
	set->r[i].start = set->r[i + 1].start;
	set->r[i].end = start;
	set->r[i + 1].start = end;
	return 0;
}

/**
 * sss_ranges_remove() - take an interval out, whatever of it is there
 * @set: the set
 * @start: its first value
 * @end: one above its last
 *
 * Return: 0, or -ENOSPC and unchanged when that would split an interval in two
 * and none is free
 */
int sss_ranges_remove(struct sss_ranges *set, u64 start, u64 end)
{
	u32 first = sss_ranges_find(set, start), last;

	if (start >= end || first == set->n)
		return 0;
	if (set->r[first].start < start && set->r[first].end > end)
		return cut(set, first, start, end);
	if (set->r[first].start < start)
		set->r[first++].end = start;
	for (last = first; last < set->n && set->r[last].end <= end; last++)
		;
	if (last < set->n && set->r[last].start < end)
		set->r[last].start = end;
	splice(set, first, last - first, 0);
	return 0;
}

/**
 * sss_ranges_remove_below() - take out everything below a value
 * @set: the set
 * @floor: the lowest value that stays
 */
void sss_ranges_remove_below(struct sss_ranges *set, u64 floor)
{
	u32 keep;

	if (!set->n || set->r[0].start >= floor)
		return;
	keep = sss_ranges_find(set, floor);
	if (keep < set->n && set->r[keep].start < floor)
		set->r[keep].start = floor;
	splice(set, 0, keep, 0);
}

/**
 * sss_ranges_pop_lowest() - take out the lowest interval
 * @set: the set
 * @lowest: result
 *
 * Return: whether there was one
 */
bool sss_ranges_pop_lowest(struct sss_ranges *set, struct sss_range *lowest)
{
	if (!set->n)
		return false;
	*lowest = set->r[0];
	splice(set, 0, 1, 0);
	return true;
}

/**
 * sss_ranges_contains() - is all of an interval in the set?
 * @set: the set
 * @start: its first value
 * @end: one above its last
 *
 * Return: whether it is; an empty one always is
 */
bool sss_ranges_contains(const struct sss_ranges *set, u64 start, u64 end)
{
	u32 i;

	if (start >= end)
		return true;
	i = sss_ranges_find(set, start);
	return i < set->n && set->r[i].start <= start && set->r[i].end >= end;
}

/**
 * sss_ranges_first_gap() - what is missing?
 * @set: the set
 * @start: from here; result: where the first gap begins
 * @end: to one below here; result: where that gap ends
 *
 * Return: whether there is a gap; if not, @start and @end mean nothing
 */
bool sss_ranges_first_gap(const struct sss_ranges *set, u64 *start, u64 *end)
{
	u32 i = sss_ranges_find(set, *start);

	if (i < set->n && set->r[i].start <= *start)
		*start = set->r[i++].end;
	if (i < set->n)
		*end = min(*end, set->r[i].start);
	return *start < *end;
}
