// SPDX-License-Identifier: GPL-2.0
/*
 * Reading of a receive queue: bytes or records. @read and re.edge count octets,
 * record marks included; a program is told bytes.
 */
#include <linux/uio.h>
#include "stream/rxseg.h"

#define EMPTY_MOST	1024	/* empty records that wait until the reader of bytes comes by */

static u32 octets(const struct sss_stream *st)
{
	return READ_ONCE(st->rx.re.edge) - READ_ONCE(st->rx.read);
}

static u32 waiting(const struct sss_stream *st)
{
	const struct sss_records *records = READ_ONCE(st->records);

	return records ? READ_ONCE(records->waiting) : 0;
}

/* Takes segments with up to @len bytes off the queue; returns their bytes. */
static size_t detach(struct sss_rxq *rx, struct list_head *segs, size_t len)
{
	struct sss_rxseg *seg;
	size_t got = 0;

	spin_lock_bh(&rx->lock);
	while (got < len && !list_empty(&rx->ready)) {
		seg = list_first_entry(&rx->ready, struct sss_rxseg, node);
		got += seg->len;
		list_move_tail(&seg->node, segs);
	}
	spin_unlock_bh(&rx->lock);
	return got;
}

/* R held. The marks between the read offset and @end are read. Returns their truesize. */
static u32 pass_marks(struct sss_stream *st, u64 end)
{
	struct sss_records *records = st->records;
	u32 n = records ? sss_marks_drop(&records->rx, 0, end) : 0;

	if (!n)
		return 0;
	WRITE_ONCE(records->waiting, records->waiting - n);
	records->read += n;
	return n * SSS_MARK_COST;
}

/* Moves the read offset by @n and puts back what is left of @segs. */
static void reattach(struct sss_stream *st, struct list_head *segs, size_t n, u32 truesize)
{
	struct sss_rxq *rx = &st->rx;

	spin_lock_bh(&rx->lock);
	list_splice(segs, &rx->ready);
	truesize += pass_marks(st, rx->read + n);
	WRITE_ONCE(rx->read, rx->read + n);
	__sss_recvq_uncharge(st, truesize);
	spin_unlock_bh(&rx->lock);
}

static int copy_out(const struct sss_rxseg *seg, struct msghdr *msg, size_t n, int flags)
{
	if (flags & MSG_TRUNC)
		return n;
	return copy_to_iter(seg->data, n, &msg->msg_iter);
}

/* Returns bytes copied; those read are freed unless it was a look only. */
static size_t read_segs(struct sss_stream *st, struct list_head *segs, struct msghdr *msg,
			size_t len, int flags, u32 *freed)
{
	struct sss_rxseg *seg, *next;
	size_t got = 0, n, done;

	list_for_each_entry_safe(seg, next, segs, node) {
		n = min_t(size_t, seg->len, len - got);
		done = copy_out(seg, msg, n, flags);
		got += done;
		if (!(flags & MSG_PEEK)) {
			seg->data += done;
			seg->offset += done;
			seg->len -= done;
			if (!seg->len) {
				*freed += seg->truesize;
				list_del(&seg->node);
				sss_recvq_free_seg(st, seg);
			}
		}
		if (done < n || got == len)
			break;
	}
	return got;
}

/* Reads or throws away @n octets; returns how many, or -EFAULT if not even one. */
static ssize_t take(struct sss_stream *st, struct msghdr *msg, size_t n, int flags)
{
	LIST_HEAD(segs);
	u32 freed = 0;
	size_t got;

	if (!n || !detach(&st->rx, &segs, n))
		return 0;
	got = read_segs(st, &segs, msg, n, flags, &freed);
	reattach(st, &segs, flags & MSG_PEEK ? 0 : got, freed);
	return got ?: -EFAULT;
}

/* What can be read in one go: octets up to the next mark; is there one? */
static size_t next_part(struct sss_stream *st, bool *mark)
{
	struct sss_rxq *rx = &st->rx;
	u64 end, n;

	spin_lock_bh(&rx->lock);
	end = rx->re.edge;
	*mark = waiting(st);
	if (*mark)
		end = sss_marks_from(&st->records->rx, rx->read);
	n = end - rx->read;
	spin_unlock_bh(&rx->lock);
	return n;
}

/* Bytes up to a mark at most. */
static ssize_t read_bytes(struct sss_stream *st, struct msghdr *msg, size_t len, int flags)
{
	bool visible = st->rx.mode == SSS_RX_RECORDS || flags & MSG_EOR, mark;
	ssize_t got;
	size_t n;

	while (!(n = next_part(st, &mark)) && mark && !visible)
		take(st, NULL, 1, MSG_TRUNC);
	got = take(st, msg, min(n, len), flags);
	if (mark && got == n) {
		msg->msg_flags |= MSG_EOR;
		if (!(flags & MSG_PEEK))
			take(st, NULL, 1, MSG_TRUNC);
	}
	return got;
}

/* One record, or what there is of it at the end of the stream. All of it or nothing. */
static ssize_t read_record(struct sss_stream *st, struct msghdr *msg, size_t len, int flags)
{
	size_t n, want;
	ssize_t got;
	bool mark;

	n = next_part(st, &mark);
	if (!mark && !sss_recvq_readable(st))
		return 0;
	want = min(n, len);
	got = take(st, msg, want, MSG_PEEK);
	if (got < (ssize_t)want)
		return -EFAULT;
	if (n > len)
		msg->msg_flags |= MSG_TRUNC;
	if (mark)
		msg->msg_flags |= MSG_EOR;
	if (!(flags & MSG_PEEK))
		take(st, NULL, n + mark, MSG_TRUNC);
	return flags & MSG_TRUNC ? n : got;
}

/**
 * sss_recvq_look() - copy a whole datagram out, which stays
 * @st: datagram, complete
 * @msg: where to
 * @len: room; MSG_TRUNC in @msg_flags if it is longer
 *
 * Sleeps. Return: bytes it has, -EFAULT
 */
ssize_t sss_recvq_look(struct sss_stream *st, struct msghdr *msg, size_t len)
{
	size_t n = octets(st), want = min(n, len);

	if (take(st, msg, want, MSG_PEEK) < (ssize_t)want)
		return -EFAULT;
	if (n > len)
		msg->msg_flags |= MSG_TRUNC;
	return n;
}

/* Lets more come where the rest of a record is waited for; is a WINDOW due? */
static bool ask_for_record(struct sss_stream *st)
{
	bool due;

	spin_lock_bh(&st->ch->lock);
	spin_lock(&st->rx.lock);
	due = __sss_flow_for_record(st);
	spin_unlock(&st->rx.lock);
	if (due)
		__sss_sched_due(st, SSS_ST_DUE_WINDOW);
	spin_unlock_bh(&st->ch->lock);
	return due;
}

/**
 * sss_recvq_set_mode() - what a program reads
 * @st: stream, its socket locked
 * @mode: SSS_RX_BYTES: up to a record mark, empty records left out;
 *	SSS_RX_RECORDS: all marks show; SSS_RX_WHOLE: one read takes one record
 */
void sss_recvq_set_mode(struct sss_stream *st, enum sss_rx_mode mode)
{
	WRITE_ONCE(st->rx.mode, mode);
	if (mode == SSS_RX_WHOLE && st->ch && ask_for_record(st))
		sss_channel_transmit(st->ch);
}

/**
 * sss_recvq_copy() - read
 * @st: stream
 * @sk: its socket, locked
 * @msg: where to; MSG_EOR in @msg_flags: it ends at a record mark; MSG_TRUNC:
 *	the record's rest is lost
 * @len: bytes wanted; 0 only for a record that is read as a whole
 * @flags: MSG_PEEK; MSG_TRUNC: throw away instead of copying, or the length of a
 *	whole record; MSG_EOR: a part of the record was read before
 *
 * Moves the window and sends it.
 *
 * Sleeps. Return: bytes; 0: nothing there now, or the end (sss_recvq_at_end()),
 * or an empty record (MSG_EOR);
 * -ECONNRESET: the peer reset its direction and what came before is read;
 * -EFAULT.
 */
int sss_recvq_copy(struct sss_stream *st, struct sock *sk, struct msghdr *msg, size_t len,
		   int flags)
{
	struct sss_rxq *rx = &st->rx;
	bool due = false;
	ssize_t got;

	if (!st->ch)
		return 0;
	len = min_t(size_t, len, INT_MAX);
	if (!octets(st))
		return rx->reset && !rx->discard && !octets(st) ? -ECONNRESET : 0;
	if (rx->mode == SSS_RX_WHOLE)
		got = read_record(st, msg, len, flags);
	else
		got = read_bytes(st, msg, len, flags);
	sss_stream_settle(st, sk);
	if (!(flags & MSG_PEEK))
		due = sss_flow_consumed(st, sk);
	if (rx->mode == SSS_RX_WHOLE)
		due |= ask_for_record(st);
	if (due)
		sss_channel_transmit(st->ch);
	return got;
}

/**
 * sss_recvq_pending() - SSS_PENDING
 * @st: stream
 * @out: filled
 */
void sss_recvq_pending(struct sss_stream *st, struct sss_pending *out)
{
	bool mark;

	out->size = next_part(st, &mark);
	out->records = waiting(st);
	out->flags = mark ? SSS_PENDING_COMPLETE : 0;
}

/**
 * sss_recvq_readable() - would sss_recvq_copy() return at once, be it the end?
 * @st: stream
 *
 * Return: whether it would
 */
bool sss_recvq_readable(const struct sss_stream *st)
{
	const struct sss_rxq *rx = &st->rx;
	u32 there = octets(st), marks = waiting(st);

	if (sss_recvq_finished(st))
		return true;
	switch (READ_ONCE(rx->mode)) {
	case SSS_RX_BYTES:
		/* empty records are nothing to be read, but shall not fill the window */
		return there > marks || marks > EMPTY_MOST;
	case SSS_RX_RECORDS:
		return there;
	default:
		return marks || (there && there >= st->ch->local.max_record);
	}
}

/**
 * sss_recvq_at_end() - has all been read, in order to the end?
 * @st: stream
 *
 * Return: whether it has; also if nothing more is wanted and nothing is there
 */
bool sss_recvq_at_end(const struct sss_stream *st)
{
	const struct sss_rxq *rx = &st->rx;

	if (octets(st))
		return false;
	/* what broke the stream tells more than that nothing is wanted any more */
	if (rx->discard && !READ_ONCE(st->err))
		return true;
	return !rx->reset && READ_ONCE(rx->read) == READ_ONCE(rx->re.final);
}

/**
 * sss_recvq_finished() - will nothing more arrive?
 * @st: stream
 *
 * Return: whether the end or a reset has come, or nothing more is wanted
 */
bool sss_recvq_finished(const struct sss_stream *st)
{
	const struct sss_rxq *rx = &st->rx;

	return rx->discard || rx->reset || READ_ONCE(rx->re.edge) == READ_ONCE(rx->re.final);
}

/**
 * sss_recvq_queued() - FIONREAD
 * @st: stream
 *
 * Return: bytes that can be read now, marks left out
 */
u32 sss_recvq_queued(const struct sss_stream *st)
{
	u32 there = octets(st), marks = waiting(st);

	return there > marks ? there - marks : 0;
}

/**
 * sss_recvq_capacity() - how much could there be to be read?
 * @st: stream
 *
 * Return: bytes that the peer may send ahead of the reader
 */
u32 sss_recvq_capacity(const struct sss_stream *st)
{
	return READ_ONCE(st->rx.limit) - READ_ONCE(st->rx.read);
}

/**
 * sss_recvq_records() - how many records are complete?
 * @st: stream
 *
 * Return: record marks that have come in order and are not read
 */
u32 sss_recvq_records(const struct sss_stream *st)
{
	return waiting(st);
}
