/* SPDX-License-Identifier: GPL-2.0 */
/* Users of one channel, and the order in which their streams send: share.c, sched.c. */
#ifndef _SSS_STREAM_SHARE_H
#define _SSS_STREAM_SHARE_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#define SSS_LEVELS	8	/* urgency 0 to 7 */
#define SSS_SHARES	16	/* users that are told apart */

struct sock;
struct sss_channel;
struct sss_frame_priority;
struct sss_stream;
struct sss_streams;
struct sss_tx_packet;

/**
 * struct sss_share - what one user has to send. All under the channel lock
 * @turn: in sss_users.turns while @levels is not 0
 * @uid: whose
 * @deficit: bytes it may still send before the next user's turn
 * @levels: bit per non-empty level
 * @n: streams per level, @serial included
 * @n_above: of them, those whose urgency counts against other users' (CAP_NET_ADMIN)
 * @level: whose turn it is to send data, per urgency
 * @serial: who waits until the one in @serving has nothing more to send
 * @serving: of the streams that are not incremental, the one in @level
 */
struct sss_share {
	struct list_head turn;
	kuid_t uid;
	s32 deficit;
	u8 levels;
	u32 n[SSS_LEVELS];
	u32 n_above[SSS_LEVELS];
	struct list_head level[SSS_LEVELS];
	struct list_head serial[SSS_LEVELS];
	struct sss_stream *serving[SSS_LEVELS];
};

/**
 * struct sss_users - those who take turns. All under the channel lock
 * @turns: of the users that have something to send, whose turn it is
 * @share: the users; NULL: not used yet
 * @first: the first of them
 */
struct sss_users {
	struct list_head turns;
	struct sss_share *share[SSS_SHARES];
	struct sss_share first;
};

/* share.c */
void sss_share_init(struct sss_users *users);
void sss_share_free(struct sss_users *users);
u8 __sss_share_find(struct sss_users *users, kuid_t uid);
void __sss_share_enter(struct sss_users *users, struct sss_share *share, u8 level, bool above);
void __sss_share_leave(struct sss_share *share, u8 level, bool above);
struct sss_share *__sss_share_next(struct sss_users *users);

/* sched.c */
void __sss_sched_due(struct sss_stream *st, u32 due);
void __sss_sched_activate(struct sss_stream *st);
void __sss_sched_leave(struct sss_stream *st);
void __sss_sched_own(struct sss_stream *st, const struct sock *sk);
void __sss_sched_ordered(struct sss_stream *st, const struct sss_frame_priority *frame);
void __sss_sched_fly(struct sss_stream *st);
void __sss_sched_land(struct sss_stream *st);
bool sss_sched_pending(struct sss_channel *ch);
void sss_sched_fill(struct sss_channel *ch, struct sss_tx_packet *pkt);

#endif /* _SSS_STREAM_SHARE_H */
