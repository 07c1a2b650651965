// SPDX-License-Identifier: GPL-2.0
/*
 * Users that send over one channel take turns (deficit round robin), so that
 * nobody's urgent streams starve somebody else's. The urgency of a stream that
 * was set with CAP_NET_ADMIN counts against those of all users: such a stream
 * goes before everything less urgent, and lets everything more urgent go first.
 *
 * The first user's share is part of the channel; others' are made when they
 * come. Beyond SSS_SHARES, or without memory, users have one together. Streams in
 * the background take turns among themselves (sss_streams.background).
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
 * @users: of a new channel
 */
void sss_share_init(struct sss_users *users)
{
	INIT_LIST_HEAD(&users->turns);
	init_share(&users->first, INVALID_UID);
	users->share[0] = &users->first;
}

/**
 * sss_share_free() - undo sss_share_init()
 * @users: of a channel that is going; no stream is left
 */
void sss_share_free(struct sss_users *users)
{
	int i;

	for (i = 1; i < SSS_SHARES; i++)
		kfree(users->share[i]);
}

/**
 * __sss_share_find() - the share of a user
 * @users: of a channel, which is locked
 * @uid: the user's
 *
 * Return: its place in sss_users.share
 */
u8 __sss_share_find(struct sss_users *users, kuid_t uid)
{
	int i;

	if (!uid_valid(users->first.uid))
		users->first.uid = uid;
	for (i = 0; i < SSS_SHARES && users->share[i]; i++)
		if (uid_eq(users->share[i]->uid, uid))
			return i;
	if (i == SSS_SHARES)
		return __kuid_val(uid) % SSS_SHARES;
	users->share[i] = kzalloc(sizeof(*users->share[i]), GFP_ATOMIC | __GFP_NOWARN);
	if (!users->share[i])
		return 0;
	init_share(users->share[i], uid);
	return i;
}

/**
 * __sss_share_enter() - a stream of the user stands in a level
 * @users: of a channel, which is locked
 * @share: the user's
 * @level: urgency
 * @above: it counts against other users' streams
 */
void __sss_share_enter(struct sss_users *users, struct sss_share *share, u8 level, bool above)
{
	if (!share->levels) {
		share->deficit = QUANTUM;
		list_add_tail(&share->turn, &users->turns);
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
static int level_of_others(const struct sss_users *users, const struct sss_share *but)
{
	const struct sss_share *share;
	int level = SSS_LEVELS;

	list_for_each_entry(share, &users->turns, turn)
		if (share != but)
			level = min_t(int, level, __ffs(share->levels));
	return level;
}

/* With CAP_NET_ADMIN: has everything it wants to send to wait for others? */
static bool yields(const struct sss_users *users, const struct sss_share *share)
{
	return all_above(share) && above_level(share) > level_of_others(users, share);
}

/**
 * __sss_share_next() - whose streams send now?
 * @users: of a channel, which is locked; something is to be sent
 *
 * Return: the share; what is sent is to be taken off its deficit
 */
struct sss_share *__sss_share_next(struct sss_users *users)
{
	struct sss_share *share;

	if (list_is_singular(&users->turns))
		return list_first_entry(&users->turns, struct sss_share, turn);
	list_for_each_entry(share, &users->turns, turn)
		if (above_level(share) < level_of_others(users, share))
			return share;
	/* Not all of them yield: nobody does to one that is less urgent. */
	for (;;) {
		bool idle;

		share = list_first_entry(&users->turns, struct sss_share, turn);
		idle = yields(users, share);
		if (!idle && share->deficit > 0)
			return share;
		if (!idle)
			share->deficit += QUANTUM;
		list_move_tail(&share->turn, &users->turns);
	}
}
