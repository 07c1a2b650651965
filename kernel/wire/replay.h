/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Replay window over packet numbers (RFC 6479): which of the last 8192 were
 * received. The floor rises with keys: nothing below it is valid.
 */
#ifndef _SSS_WIRE_REPLAY_H
#define _SSS_WIRE_REPLAY_H

#include "pure.h"

#define SSS_REPLAY_WINDOW 8192
#define SSS_REPLAY_WORDS (SSS_REPLAY_WINDOW / 64)

/**
 * struct sss_replay - the window
 * @next: one above the largest received
 * @floor: nothing below is valid
 * @bits: a ring; number n is bit n modulo its size
 */
struct sss_replay {
	u64 next;
	u64 floor;
	u64 bits[SSS_REPLAY_WORDS];
};

void sss_replay_init(struct sss_replay *replay, u64 floor);
/* nothing below @floor is valid any more; never sinks */
void sss_replay_raise(struct sss_replay *replay, u64 floor);
/* may be called without a lock as a hint: would @number be new? */
bool sss_replay_test(const struct sss_replay *replay, u64 number);
/* true: it is new and now marked */
bool __must_check sss_replay_set(struct sss_replay *replay, u64 number);

#endif /* _SSS_WIRE_REPLAY_H */
