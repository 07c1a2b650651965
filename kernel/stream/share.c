// SPDX-License-Identifier: GPL-2.0
/*
 * Users that send over one channel take turns (deficit round robin), so that
 * nobody's urgent streams starve somebody else's. The urgency of a stream that
 * was set with CAP_NET_ADMIN counts against those of all users: such a stream
 * goes before everything less urgent, and lets everything more urgent go first.
 *
 * The first user's share is part of the channel; others' are made when they
 * come. Beyond SSS_SHARES, or without memory, users have one together.
 */
#include <linux/bitops.h>
#include <linux/slab.h>
#include "stream/share.h"
#include "stream/table.h"

#define QUANTUM		6000	/* bytes of a user's turn: about four packets */

static void init_share(struct sss_share *share, kuid_t uid)
{
	int i;

	share->uid = uid;
	INIT_LIST_HEAD(&share->turn);
	for (i = 0; i < SSS_LEVELS; i++) {
		INIT_LIST_HEAD(&share->level[i]);
		INIT_LIST_HEAD(&share->serial[i]);
	}
}

/**
 * sss_share_init() - nobody sends yet
 * @ss: streams of a new channel
 */
void sss_share_init(struct sss_streams *ss)
{
	INIT_LIST_HEAD(&ss->turns);
	init_share(&ss->first_share, INVALID_UID);
	ss->share[0] = &ss->first_share;
}

/**
 * sss_share_free() - undo sss_share_init()
 * @ss: streams of a channel that is going; none is left
 */
void sss_share_free(struct sss_streams *ss)
{
	int i;

	for (i = 1; i < SSS_SHARES; i++)
		kfree(ss->share[i]);
}

/**
 * __sss_share_find() - the share of a user
 * @ss: streams of a channel, which is locked
 * @uid: the user's
 *
 * Return: its place in sss_streams.share
 */
u8 __sss_share_find(struct sss_streams *ss, kuid_t uid)
{
	int i;

	if (!uid_valid(ss->first_share.uid))
		ss->first_share.uid = uid;
	for (i = 0; i < SSS_SHARES && ss->share[i]; i++)
		if (uid_eq(ss->share[i]->uid, uid))
			return i;
	if (i == SSS_SHARES)
		return __kuid_val(uid) % SSS_SHARES;
	ss->share[i] = kzalloc(sizeof(*ss->share[i]), GFP_ATOMIC | __GFP_NOWARN);
	if (!ss->share[i])
		return 0;
	init_share(ss->share[i], uid);
	return i;
}

/**
 * __sss_share_enter() - a stream of the user stands in a level
 * @ss: streams of a channel, which is locked
 * @share: the user's
 * @level: urgency
 * @above: it counts against other users' streams
 */
void __sss_share_enter(struct sss_streams *ss, struct sss_share *share, u8 level, bool above)
{
	if (!share->levels) {
		share->deficit = QUANTUM;
		list_add_tail(&share->turn, &ss->turns);
	}
	share->levels |= BIT(level);
	share->n[level]++;
	share->n_above[level] += above;
}

/**
 * __sss_share_leave() - and does no more
 * @share: the user's, the channel is locked
 * @level: urgency
 * @above: as when it came
 */
void __sss_share_leave(struct sss_share *share, u8 level, bool above)
{
	share->n_above[level] -= above;
	if (--share->n[level])
		return;
	share->levels &= ~BIT(level);
	if (!share->levels)
		list_del_init(&share->turn);
}

/* The most urgent level that counts against other users; SSS_LEVELS: none */
static int above_level(const struct sss_share *share)
{
	int i;

	for (i = 0; i < SSS_LEVELS; i++)
		if (share->n_above[i])
			return i;
	return SSS_LEVELS;
}

static bool all_above(const struct sss_share *share)
{
	int i;

	for (i = 0; i < SSS_LEVELS; i++)
		if (share->n[i] != share->n_above[i])
			return false;
	return true;
}

/* The most urgent level of all other users */
static int level_of_others(const struct sss_streams *ss, const struct sss_share *but)
{
	const struct sss_share *share;
	int level = SSS_LEVELS;

	list_for_each_entry(share, &ss->turns, turn)
		if (share != but)
			level = min_t(int, level, __ffs(share->levels));
	return level;
}

/* With CAP_NET_ADMIN: has everything it wants to send to wait for others? */
static bool yields(const struct sss_streams *ss, const struct sss_share *share)
{
	return all_above(share) && above_level(share) > level_of_others(ss, share);
}

/**
 * __sss_share_next() - whose streams send now?
 * @ss: streams of a channel, which is locked; something is to be sent
 *
 * Return: the share; what is sent is to be taken off its deficit
 */
struct sss_share *__sss_share_next(struct sss_streams *ss)
{
	struct sss_share *share;

	if (list_is_singular(&ss->turns))
		return list_first_entry(&ss->turns, struct sss_share, turn);
	list_for_each_entry(share, &ss->turns, turn)
		if (above_level(share) < level_of_others(ss, share))
			return share;
	/* Not all of them yield: nobody does to one that is less urgent. */
	for (;;) {
		bool idle;

		share = list_first_entry(&ss->turns, struct sss_share, turn);
		idle = yields(ss, share);
		if (!idle && share->deficit > 0)
			return share;
		if (!idle)
			share->deficit += QUANTUM;
		list_move_tail(&share->turn, &ss->turns);
	}
}
