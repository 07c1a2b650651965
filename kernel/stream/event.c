// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what SSS_EVENTS tells a program beyond poll().
 *
 * An event is raised where it happens, under the channel lock, and goes into
 * the bounded list of the socket at once, so that order and time are those of
 * what happened; who waits is woken by deliver() like for any other news.
 */
#include "stream/table.h"

/**
 * __sss_event_raise() - something happened to a stream
 * @st: stream of a channel, which is locked
 * @type: enum sss_event_type
 * @value: code, errno, id or offset, as the type says
 */
void __sss_event_raise(struct sss_stream *st, u32 type, u64 value)
{
	lockdep_assert_held(&st->ch->lock);
	if (!(st->flags & SSS_ST_WATCHED) || !st->sk)
		return;
	if (sss_stream_ops->event(st->sk, type, value))
		__sss_table_touch(st, BIT(SSS_STREAM_EVENT));
}

/**
 * __sss_event_acked() - the peer acknowledged data
 * @st: stream of a channel, which is locked
 * @before: tx.base before it did
 */
void __sss_event_acked(struct sss_stream *st, u64 before)
{
	u64 base = READ_ONCE(st->tx.base);

	if (!(st->flags & SSS_ST_WATCHED) || base == before)
		return;
	__sss_event_raise(st, SSS_EV_BYTES_ACKED, sss_sendq_acked(st));
	if (base == READ_ONCE(st->tx.end))
		__sss_event_raise(st, SSS_EV_SENDER_DRY, sss_sendq_acked(st));
}

/**
 * __sss_event_received() - data arrived
 * @st: stream of a channel, which is locked
 * @before: rx.re.edge before it did
 */
void __sss_event_received(struct sss_stream *st, u64 before)
{
	const struct sss_records *records = READ_ONCE(st->records);
	u64 edge = READ_ONCE(st->rx.re.edge);

	if (!(st->flags & SSS_ST_WATCHED) || edge == before || edge != READ_ONCE(st->rx.limit))
		return;
	if (records)
		edge -= READ_ONCE(records->read) + READ_ONCE(records->waiting);
	__sss_event_raise(st, SSS_EV_RECEIVE_BLOCKED, edge);
}

/**
 * __sss_event_link() - the link of a channel changed
 * @ch: channel, locked
 * @state: of the link
 *
 * A stream that is not connected yet hears of a link that is up when it is.
 */
void __sss_event_link(struct sss_channel *ch, enum sss_link state)
{
	u32 type = state == SSS_LINK_UP ? SSS_EV_LINK_UP :
		   state == SSS_LINK_STALLED ? SSS_EV_LINK_STALLED : SSS_EV_LINK_DOWN;
	struct sss_stream *st;

	lockdep_assert_held(&ch->lock);
	if (!sss_streams(ch)->watched)
		return;
	list_for_each_entry(st, &sss_streams(ch)->all, all)
		if (type != SSS_EV_LINK_UP || !(st->flags & SSS_ST_CONNECTING))
			__sss_event_raise(st, type, 0);
}

/**
 * sss_event_watch() - the program wants to hear of events
 * @st: stream, its socket locked; without a channel yet, or with one
 *
 * Where nobody ever asked, an event costs one comparison.
 */
void sss_event_watch(struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;

	if (!ch) {
		st->flags |= SSS_ST_WATCHED;
		return;
	}
	spin_lock_bh(&ch->lock);
	st->flags |= SSS_ST_WATCHED;
	sss_streams(ch)->watched = true;
	spin_unlock_bh(&ch->lock);
}
