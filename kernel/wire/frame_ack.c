// SPDX-License-Identifier: GPL-2.0
/*
 * ACK: read and written, made from a set of received numbers, and the walk
 * through one that came. Layout as in RFC 9000 section 19.3, but with the delay in microseconds.
 */
#include "frame_codec.h"

#define ACK_RANGES_MAX	256	/* more than SSS_ACKSET_MAX: others may remember more */

/**
 * sss_frame_ack_get() - read an ACK or ACK_ECN (a row of the frame table)
 * @c: behind the type; bad if cut off
 * @f: result, ->type is set
 */
void sss_frame_ack_get(struct sss_cursor *c, struct sss_frame *f)
{
	struct sss_frame_ack *ack = &f->ack;
	const u8 *start;
	u64 i;

	ack->largest = sss_cursor_varint(c);
	ack->delay_us = sss_cursor_varint(c);
	ack->n_ranges = sss_cursor_varint(c);
	ack->first_range = sss_cursor_varint(c);
	start = c->p;
	for (i = 0; i < ack->n_ranges && !c->bad; i++) {
		sss_cursor_varint(c);
		sss_cursor_varint(c);
	}
	sss_cursor_init(&ack->ranges, start, c->p - start);
	ack->ect0 = 0;
	ack->ect1 = 0;
	ack->ce = 0;
	if (f->type != SSS_FRAME_ACK_ECN)
		return;
	ack->ect0 = sss_cursor_varint(c);
	ack->ect1 = sss_cursor_varint(c);
	ack->ce = sss_cursor_varint(c);
}

/* Do the ranges stay at or above 0 and fill their bytes exactly? */
static bool ranges_ok(const struct sss_frame_ack *ack)
{
	struct sss_cursor c = ack->ranges;
	u64 smallest = ack->largest - ack->first_range;
	u64 gap, len, i;

	for (i = 0; i < ack->n_ranges; i++) {
		gap = sss_cursor_varint(&c);
		len = sss_cursor_varint(&c);
		if (c.bad || smallest < gap + 2 || smallest - gap - 2 < len)
			return false;
		smallest -= gap + 2 + len;
	}
	return !sss_cursor_left(&c);
}

/**
 * sss_frame_ack_ok() - are all fields in range?
 * @f: an ACK or ACK_ECN
 *
 * Return: whether they are
 */
bool sss_frame_ack_ok(const struct sss_frame *f)
{
	const struct sss_frame_ack *ack = &f->ack;

	return sss_frame_varint_ok(ack->largest) && sss_frame_varint_ok(ack->delay_us) &&
	       ack->n_ranges <= ACK_RANGES_MAX && ack->first_range <= ack->largest &&
	       sss_frame_varint_ok(ack->ect0) && sss_frame_varint_ok(ack->ect1) &&
	       sss_frame_varint_ok(ack->ce) && ranges_ok(ack);
}

/**
 * sss_frame_ack_write() - write one as it was parsed
 * @w: packet being filled
 * @f: an ACK or ACK_ECN
 */
void sss_frame_ack_write(struct sss_writer *w, const struct sss_frame *f)
{
	const struct sss_frame_ack *ack = &f->ack;

	sss_writer_u8(w, f->type);
	sss_writer_varint(w, ack->largest);
	sss_writer_varint(w, ack->delay_us);
	sss_writer_varint(w, ack->n_ranges);
	sss_writer_varint(w, ack->first_range);
	sss_writer_bytes(w, ack->ranges.p, sss_cursor_left(&ack->ranges));
	if (f->type != SSS_FRAME_ACK_ECN)
		return;
	sss_writer_varint(w, ack->ect0);
	sss_writer_varint(w, ack->ect1);
	sss_writer_varint(w, ack->ce);
}

static u64 gap_above(const struct sss_range *r)
{
	return r[1].start - r[0].end - 1;
}

static u64 length_of(const struct sss_range *r)
{
	return r->end - r->start - 1;
}

/* How many ranges below the newest fit in @room bytes */
static u32 count_fitting(const struct sss_ranges *set, u32 most, size_t room)
{
	u32 n;

	for (n = 0; n < most && n + 1 < set->n; n++) {
		const struct sss_range *r = &set->r[set->n - 2 - n];
		size_t need = sss_varint_len(gap_above(r)) + sss_varint_len(length_of(r));

		if (need > room)
			break;
		room -= need;
	}
	return n;
}

/**
 * sss_frame_ack_put() - write an ACK, or with counts an ACK_ECN
 * @w: packet being filled
 * @acks: what to acknowledge
 * @delay_us: since the largest came
 * @max_ranges: at most so many, the newest
 * @ecn: packets received with ECT(0), ECT(1) and CE, or NULL
 *
 * Return: 0; -ENOBUFS: not even the newest range fits, nothing is written;
 * -EINVAL: there is nothing to acknowledge
 */
int sss_frame_ack_put(struct sss_writer *w, const struct sss_ackset *acks, u64 delay_us,
		      u32 max_ranges, const u64 ecn[3])
{
	const struct sss_ranges *set = &acks->set;
	const struct sss_range *r;
	size_t need;
	u32 n, i;

	if (!set->n || !max_ranges)
		return -EINVAL;
	r = &set->r[set->n - 1];
	delay_us = min_t(u64, delay_us, SSS_VARINT_MAX);
	max_ranges = min_t(u32, max_ranges, SSS_ACKSET_MAX);
	need = 1 + sss_varint_len(r->end - 1) + sss_varint_len(delay_us) +
	       sss_varint_len(max_ranges - 1) + sss_varint_len(length_of(r));
	for (i = 0; ecn && i < 3; i++)
		need += sss_varint_len(ecn[i]);
	if (w->bad || need > sss_writer_room(w))
		return -ENOBUFS;
	n = count_fitting(set, max_ranges - 1, sss_writer_room(w) - need);

	sss_writer_u8(w, ecn ? SSS_FRAME_ACK_ECN : SSS_FRAME_ACK);
	sss_writer_varint(w, r->end - 1);
	sss_writer_varint(w, delay_us);
	sss_writer_varint(w, n);
	sss_writer_varint(w, length_of(r));
	while (n--) {
		r--;
		sss_writer_varint(w, gap_above(r));
		sss_writer_varint(w, length_of(r));
	}
	for (i = 0; ecn && i < 3; i++)
		sss_writer_varint(w, ecn[i]);
	return 0;
}

/**
 * sss_frame_ack_first() - start a walk, from the largest number down
 * @ack: as parsed; the packet must stay
 * @walk: state
 * @lo: result, the first range's smallest number
 * @hi: result, its largest
 */
void sss_frame_ack_first(const struct sss_frame_ack *ack, struct sss_ack_walk *walk, u64 *lo,
			 u64 *hi)
{
	*hi = ack->largest;
	*lo = ack->largest - ack->first_range;
	walk->c = ack->ranges;
	walk->left = ack->n_ranges;
	walk->smallest = *lo;
}

/**
 * sss_frame_ack_next() - go on with a walk
 * @walk: state
 * @lo: result, the next range's smallest number
 * @hi: result, its largest
 *
 * Return: whether there was one
 */
bool sss_frame_ack_next(struct sss_ack_walk *walk, u64 *lo, u64 *hi)
{
	if (!walk->left)
		return false;
	walk->left--;
	*hi = walk->smallest - sss_cursor_varint(&walk->c) - 2;
	*lo = *hi - sss_cursor_varint(&walk->c);
	walk->smallest = *lo;
	return true;
}
