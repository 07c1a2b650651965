/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a fuzz driver provides, and what it may use.
 */
#ifndef _SSS_FUZZ_FUZZ_H
#define _SSS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include "../unit/random.h"

/* Any bytes: must neither crash nor break a check */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/*
 * A valid input to begin with, for the main() of standalone.c, which knows no
 * coverage: without it mutation would not get past the first field. Returns
 * its length, up to @max.
 */
size_t fuzz_seed(u8 *data, size_t max, u64 *state);

#define check(condition) do { \
	if (!(condition)) { \
		fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
		abort(); \
	} \
} while (0)

/* Reads an input as a program: 0 at its end */
struct fuzz_input {
	const u8 *p;
	const u8 *end;
};

static inline u64 fuzz_take(struct fuzz_input *in, unsigned int bytes)
{
	u64 v = 0;

	while (bytes--)
		v = v << 8 | (in->p < in->end ? *in->p++ : 0);
	return v;
}

#endif /* _SSS_FUZZ_FUZZ_H */
