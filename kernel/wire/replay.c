// SPDX-License-Identifier: GPL-2.0
/*
 * As in RFC 6479 the bits are a ring indexed by packet number, so nothing is
 * ever shifted. Unlike there, exactly the numbers jumped over are cleared, not
 * whole words: the window then is as wide as the ring.
 */
#include "replay.h"

#define NUMBER_MAX ((1ULL << 62) - 1)

/**
 * sss_replay_init() - nothing received yet
 * @replay: the window
 * @floor: lowest valid number
 */
void sss_replay_init(struct sss_replay *replay, u64 floor)
{
	memset(replay->bits, 0, sizeof(replay->bits));
	replay->floor = floor;
	replay->next = floor;
}

/**
 * sss_replay_raise() - nothing below a number is valid any more
 * @replay: the window
 * @floor: lowest valid number; one below the present floor changes nothing
 */
void sss_replay_raise(struct sss_replay *replay, u64 floor)
{
	if (floor > replay->floor)
		WRITE_ONCE(replay->floor, floor);
}

static u64 *word_of(struct sss_replay *replay, u64 number)
{
	return &replay->bits[number / 64 % SSS_REPLAY_WORDS];
}

/* Clear the bits of [start, end), at most a window */
static void clear(struct sss_replay *replay, u64 start, u64 end)
{
	u64 n, stop;

	for (n = start; n < end; n = stop) {
		u64 mask = U64_MAX << n % 64;

		stop = (n / 64 + 1) * 64;
		if (stop > end) {
			stop = end;
			mask &= ~(U64_MAX << end % 64);
		}
		WRITE_ONCE(*word_of(replay, n), *word_of(replay, n) & ~mask);
	}
}

/**
 * sss_replay_test() - would this number be new?
 * @replay: the window
 * @number: packet number
 *
 * Without a lock it is a hint, good for dropping before decryption; it may be
 * wrong only about numbers that the window is just moving over.
 *
 * Return: whether it is at or above the floor, not below the window, and was
 * not received
 */
bool sss_replay_test(const struct sss_replay *replay, u64 number)
{
	u64 next = READ_ONCE(replay->next);
	u64 bits = READ_ONCE(replay->bits[number / 64 % SSS_REPLAY_WORDS]);

	if (number < READ_ONCE(replay->floor) || number > NUMBER_MAX)
		return false;
	if (number >= next)
		return true;
	return next - number <= SSS_REPLAY_WINDOW && !(bits >> number % 64 & 1);
}

/**
 * sss_replay_set() - mark a number as received; calls are serialised
 * @replay: the window
 * @number: packet number of a packet that authenticated
 *
 * Return: whether it was new; if not, the packet must be dropped
 */
bool sss_replay_set(struct sss_replay *replay, u64 number)
{
	u64 next = replay->next;

	if (!sss_replay_test(replay, number))
		return false;
	if (number >= next) {
		if (number - next >= SSS_REPLAY_WINDOW)
			next = number - SSS_REPLAY_WINDOW + 1;
		clear(replay, next, number);
		WRITE_ONCE(replay->next, number + 1);
	}
	WRITE_ONCE(*word_of(replay, number), *word_of(replay, number) | 1ULL << number % 64);
	return true;
}
