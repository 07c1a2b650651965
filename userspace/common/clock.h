/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The time since some moment, which nobody sets (CLOCK_MONOTONIC) */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static inline uint64_t clock_ms(void)
{
	return clock_us() / 1000;
}

#endif /* COMMON_CLOCK_H */
