/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers that are the same in every run: a failure can be repeated.
 */
#ifndef _SSS_UNIT_RANDOM_H
#define _SSS_UNIT_RANDOM_H

#include "../../kernel/wire/pure.h"

/* splitmix64 */
static inline u64 random_u64(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline u64 random_below(u64 *state, u64 bound)
{
	return random_u64(state) % bound;
}

/* Any number of bits is as likely as any other, so small numbers are not rare */
static inline u64 random_width(u64 *state, unsigned int bits)
{
	return random_u64(state) >> (64 - 1 - random_below(state, bits));
}

#endif /* _SSS_UNIT_RANDOM_H */
