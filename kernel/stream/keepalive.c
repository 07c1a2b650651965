// SPDX-License-Identifier: GPL-2.0
/* SO_KEEPALIVE: as long as such a stream lives its channel stays in use. */
#include "stream/table.h"

/**
 * __sss_keepalive_set() - count a stream among those that keep the channel in use
 * @st: stream of a channel, which is locked
 * @on: or no more
 */
void __sss_keepalive_set(struct sss_stream *st, bool on)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->keepalive == on)
		return;
	st->keepalive = on;
	__sss_channel_keep_alive(st->ch, on);
}

/**
 * sss_keepalive_set() - SO_KEEPALIVE of a stream's socket
 * @st: stream, its socket locked; without a channel nothing happens: who gives it
 *	one, or a socket, looks at the socket's flag
 * @on: the path and the keys are to be kept in use
 */
void sss_keepalive_set(struct sss_stream *st, bool on)
{
	struct sss_channel *ch = st->ch;

	if (!ch)
		return;
	spin_lock_bh(&ch->lock);
	if (!(st->flags & SSS_ST_LET_GO))
		__sss_keepalive_set(st, on);
	spin_unlock_bh(&ch->lock);
}
