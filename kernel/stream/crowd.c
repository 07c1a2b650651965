// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that wait for accept(), of peers that nobody configured: identities
 * cost nothing, so these are counted by where they come from (an IPv4 /24, an
 * IPv6 /64) and in the whole namespace. And the memory of what they sent, see
 * memory.c; channel/crowd.c has the crowds themselves.
 *
 * One too many is not refused: its packet counts as not received, so that it
 * comes again, and its opener's writes wait meanwhile, as with any other limit
 * on streams that wait.
 */
#include "channel/crowd.h"
#include "stream/table.h"

/**
 * sss_crowd_leave() - a channel is freed
 * @ch: channel without streams
 */
void sss_crowd_leave(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);

	sss_crowd_put(ch->sn, ss->crowd);
	ss->crowd = NULL;
}

/**
 * __sss_crowd_enter() - find out in which crowd a peer is
 * @ch: its channel, locked
 *
 * Once, before anything of it is counted: what becomes known of the peer later
 * is for its next channel.
 *
 * Return: 0 or -ENOMEM
 */
int __sss_crowd_enter(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);

	lockdep_assert_held(&ch->lock);
	if (ss->crowd_known)
		return 0;
	if (!(READ_ONCE(ch->peer->flags) & SSS_PEER_F_CONFIGURED)) {
		/* Who confirmed from elsewhere than it asked may not be there. */
		ss->crowd = ch->path.unproved ? sss_crowd_get_of_channel(ch) : NULL;
		if (!ss->crowd)
			ss->crowd = sss_crowd_get(ch->sn, &ch->path.remote);
		if (!ss->crowd)
			return -ENOMEM;
	}
	ss->crowd_known = true;
	return 0;
}

/**
 * sss_crowd_charge() - more or less memory is held
 * @c: crowd
 * @bytes: more, negative: less
 */
void sss_crowd_charge(struct sss_crowd *c, long bytes)
{
	atomic_long_add(bytes, &c->memory);
}

/**
 * sss_crowd_memory() - how much memory do its streams hold?
 * @c: crowd
 *
 * Return: bytes
 */
long sss_crowd_memory(const struct sss_crowd *c)
{
	return atomic_long_read(&c->memory);
}

/* Counts one more, if the limit allows it. */
static bool count(atomic_t *waiting, u32 limit)
{
	if (atomic_inc_return(waiting) <= limit)
		return true;
	atomic_dec(waiting);
	return false;
}

/**
 * __sss_crowd_admit() - may a stream that the peer opens wait for accept()?
 * @st: new, of a channel, which is locked
 *
 * It counts from now on, until __sss_crowd_settled().
 *
 * Return: 0, or -ENOMEM: not now, the packet was not received
 */
int __sss_crowd_admit(struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;
	struct sss_streams *ss = sss_streams(ch);
	struct sss_net *sn = ch->sn;

	lockdep_assert_held(&ch->lock);
	if (__sss_crowd_enter(ch))
		return -ENOMEM;
	if (!ss->crowd)
		return 0;
	if (!count(&sn->waiting, READ_ONCE(sn->limits.max_waiting)))
		goto too_many;
	if (!count(&ss->crowd->waiting, READ_ONCE(sn->limits.max_prefix_waiting))) {
		atomic_dec(&sn->waiting);
		goto too_many;
	}
	st->flags |= SSS_ST_WAITING;
	return 0;
too_many:
	sss_mib_inc(sn, STREAMS_HELD);
	return -ENOMEM;
}

/**
 * __sss_crowd_settled() - a stream waits no longer, if it did
 * @st: of a channel, which is locked: accepted, refused or over
 */
void __sss_crowd_settled(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (!(st->flags & SSS_ST_WAITING))
		return;
	st->flags &= ~SSS_ST_WAITING;
	atomic_dec(&sss_streams(st->ch)->crowd->waiting);
	atomic_dec(&st->ch->sn->waiting);
}
