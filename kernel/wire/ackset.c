// SPDX-License-Identifier: GPL-2.0
#include "ackset.h"

/**
 * sss_ackset_init() - nothing received yet
 * @acks: the set; must not be moved afterwards
 */
void sss_ackset_init(struct sss_ackset *acks)
{
	sss_ranges_init(&acks->set, acks->storage, SSS_ACKSET_MAX);
	acks->largest_at = 0;
}

/**
 * sss_ackset_add() - a packet was received and all its frames were applied
 * @acks: the set
 * @number: packet number
 * @now: when it came, ns
 *
 * When SSS_ACKSET_MAX ranges are known the lowest is forgotten; its packets
 * were acknowledged many times, or count as lost by now.
 */
void sss_ackset_add(struct sss_ackset *acks, u64 number, u64 now)
{
	if (sss_ackset_empty(acks) || number > sss_ackset_largest(acks))
		acks->largest_at = now;
	sss_ranges_add_newest(&acks->set, number, number + 1);
}

/**
 * sss_ackset_forget() - acknowledge only what is at or above a number
 * @acks: the set
 * @below: the peer has seen that all received below it were acknowledged
 *	(RFC 9000 section 13.2.4)
 */
void sss_ackset_forget(struct sss_ackset *acks, u64 below)
{
	sss_ranges_remove_below(&acks->set, below);
}
