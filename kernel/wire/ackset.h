/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Received packet numbers, as needed to acknowledge them (RFC 9000 section
 * 13.2.3). Bounded: when full, the lowest range is forgotten.
 */
#ifndef _SSS_WIRE_ACKSET_H
#define _SSS_WIRE_ACKSET_H

#include "ranges.h"

#define SSS_ACKSET_MAX 64	/* ranges remembered */

/**
 * struct sss_ackset - points into itself: must not be moved
 * @set: numbers received
 * @storage: of @set
 * @largest_at: ns, when the largest came
 */
struct sss_ackset {
	struct sss_ranges set;
	struct sss_range storage[SSS_ACKSET_MAX];
	u64 largest_at;
};

void sss_ackset_init(struct sss_ackset *acks);
void sss_ackset_add(struct sss_ackset *acks, u64 number, u64 now);
void sss_ackset_forget(struct sss_ackset *acks, u64 below);

/**
 * sss_ackset_empty() - is there nothing to acknowledge?
 * @acks: the set
 */
static inline bool sss_ackset_empty(const struct sss_ackset *acks)
{
	return !acks->set.n;
}

/**
 * sss_ackset_largest() - the largest number received
 * @acks: the set, not empty
 */
static inline u64 sss_ackset_largest(const struct sss_ackset *acks)
{
	return acks->set.r[acks->set.n - 1].end - 1;
}

#endif /* _SSS_WIRE_ACKSET_H */
