// SPDX-License-Identifier: GPL-2.0
/*
 * Data given back: what a program wrote to a stream that was reset, refused or
 * broken, from the first byte that the peer has not acknowledged in order.
 *
 * It stays where it is, in the send queue and on the socket's account, until
 * the program has read it or closes the socket. Nobody else touches a queue
 * whose stream is reset or over, so it is read under the socket lock alone.
 */
#include <linux/uio.h>
#include "stream/table.h"

/**
 * __sss_giveback_keep() - nothing more of the send queue will be sent
 * @st: stream of a channel, which is locked; a second call changes nothing
 *
 * What was sent counts as the stream's length from now on. After close() there
 * is nobody to whom it could be given; a datagram is not worth it.
 */
void __sss_giveback_keep(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & (SSS_ST_CLOSED | SSS_ST_MESSAGE) ||
	    READ_ONCE(st->tx.base) == READ_ONCE(st->tx.end)) {
		__sss_sendq_purge(st);
		return;
	}
	__sss_sendq_freeze(st);
	__sss_table_touch(st, BIT(SSS_STREAM_EVENT));
}

static bool is_final(const struct sss_stream *st)
{
	return READ_ONCE(st->flags) & (SSS_ST_RESET | SSS_ST_OVER);
}

/**
 * sss_giveback_pending() - is there data to be given back?
 * @st: stream
 *
 * Return: whether sss_giveback_copy() has some
 */
bool sss_giveback_pending(const struct sss_stream *st)
{
	return is_final(st) && READ_ONCE(st->tx.base) != READ_ONCE(st->tx.end);
}

/* Bytes up to @len; a negative errno */
static ssize_t copy(struct sss_stream *st, struct msghdr *msg, size_t len)
{
	struct page *page;
	size_t got = 0, n;
	u32 offset, avail;

	while (got < len && sss_sendq_look(st, st->tx.base + got, &page, &offset, &avail)) {
		n = copy_page_to_iter(page, offset, min_t(size_t, avail, len - got),
				      &msg->msg_iter);
		if (!n)
			break;
		got += n;
	}
	return got || !len ? got : -EFAULT;
}

/* Octets to the end of the record at @tx.base; without one, to the end of all */
static u64 to_mark(const struct sss_stream *st, bool *marked)
{
	u64 mark = SSS_MARKS_NONE;

	if (st->records)
		mark = sss_marks_from(&st->records->tx, st->tx.base);
	*marked = mark < st->tx.end;
	return min(mark, st->tx.end) - st->tx.base;
}

/**
 * sss_giveback_copy() - the next part of what is given back
 * @st: stream, its socket locked; sss_giveback_pending()
 * @msg: where data goes; MSG_EOR in msg_flags: a record ends there
 * @len: bytes wanted; 0: only what there is
 * @out: filled: offset, bytes, left, flags
 *
 * Never crosses the end of a record. All stays in the queue until
 * sss_giveback_drop().
 *
 * Sleeps. Return: bytes, or -EFAULT
 */
ssize_t sss_giveback_copy(struct sss_stream *st, struct msghdr *msg, size_t len,
			  struct sss_cm_event *out)
{
	u64 marks = st->records ? st->records->written - st->records->acked : 0;
	bool marked;
	u64 most = to_mark(st, &marked);
	ssize_t n = copy(st, msg, min3(len, (size_t)INT_MAX, (size_t)min_t(u64, most, INT_MAX)));

	if (n < 0)
		return n;
	out->offset = sss_sendq_acked(st);
	out->bytes = n;
	out->left = st->tx.end - st->tx.base - marks - n;
	if (len && marked && n == most) {
		out->flags = SSS_EV_RECORD;
		msg->msg_flags |= MSG_EOR;
	}
	return n;
}

/**
 * sss_giveback_drop() - the program has a part
 * @st: stream, its socket locked
 * @sk: that socket
 * @out: what sss_giveback_copy() filled
 */
void sss_giveback_drop(struct sss_stream *st, struct sock *sk, const struct sss_cm_event *out)
{
	sss_sendq_drop(st, st->tx.base + out->bytes + (out->flags & SSS_EV_RECORD ? 1 : 0));
	sss_stream_settle(st, sk);
}
