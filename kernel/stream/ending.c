// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that are given up with a code and a reason: one, or all below it too.
 *
 * Both directions end: RESET for ours, STOP for the peer's. Of a subtree every
 * stream that we know is reset by itself; the flag in RESET is for children
 * that the peer opened and we have not heard of. The tree is walked by ids, in
 * the order in which streams joined the channel, which is parents first; what
 * hangs on a stream that is over already is not found.
 */
#include <linux/slab.h>
#include "stream/table.h"

/**
 * __sss_ending_refuse() - a stream that waits for accept() is thrown away
 * @st: opened by the peer, of a channel, which is locked
 * @code: for the peer, 62 bits
 *
 * Return: whether it was waiting
 */
bool __sss_ending_refuse(struct sss_stream *st, u64 code)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & (SSS_ST_LOCAL | SSS_ST_ACCEPTED | SSS_ST_MESSAGE) || !st->listener ||
	    !sss_listener_remove(st->listener, st))
		return false;
	__sss_flow_accepted(st);
	sss_recvq_purge(st);
	__sss_tree_settled(st);
	__sss_stream_reset(st, code);
	__sss_stream_orphan(st);
	return true;
}

/* Both directions of one stream; @reason: of @len bytes, may be NULL; @err: for its program, 0 */
static void give_up(struct sss_stream *st, u64 code, const char *reason, size_t len, int err)
{
	u32 before = st->flags;

	if (before & SSS_ST_OVER)
		return;
	if (st->id == SSS_STREAM_NO_ID) {
		__sss_stream_break(st, err ?: -ECONNABORTED);
		return;
	}
	if (err)
		__sss_stream_fail(st, err);
	st->flags &= ~SSS_ST_CONNECTING;
	__sss_stream_reset(st, code);
	if (!(before & SSS_ST_RESET)) {
		st->reset_code = code;	/* of STOP, if there is nothing to be reset */
		if (len && !st->reason)
			st->reason = kmemdup_nul(reason, len, GFP_ATOMIC | __GFP_NOWARN);
	}
	__sss_stream_stop(st);
	if (err)
		__sss_stream_let_go(st);
}

static bool is_below(struct sss_stream *st, const struct sss_stream *top)
{
	const struct sss_stream *up = st->mother;

	if (up == top || (top->id != SSS_STREAM_NO_ID && st->parent == top->id))
		return true;
	if (!up && st->parent != SSS_ID_ROOT)
		up = __sss_table_find(st->ch, st->parent);
	return up && up->flags & SSS_ST_BELOW;
}

/**
 * __sss_ending_below() - give up all that was opened on a stream, to any depth
 * @top: stream of a channel, which is locked; nothing happens to itself
 * @code: 62 bits
 * @reason: bytes, not NUL-terminated
 * @len: how many
 * @received: the peer wants it so, and its code is for our programs
 */
void __sss_ending_below(struct sss_stream *top, u64 code, const u8 *reason, u8 len, bool received)
{
	struct list_head *all = &sss_streams(top->ch)->all;
	struct sss_stream *st, *next;

	lockdep_assert_held(&top->ch->lock);
	list_for_each_entry(st, all, all)
		if (is_below(st, top))
			st->flags |= SSS_ST_BELOW;
	list_for_each_entry_safe(st, next, all, all) {
		if (!(st->flags & SSS_ST_BELOW))
			continue;
		st->flags &= ~SSS_ST_BELOW;
		if ((st->flags & (SSS_ST_MESSAGE | SSS_ST_LOCAL)) == SSS_ST_MESSAGE) {
			__sss_dgram_drop(st);
			continue;
		}
		if (__sss_ending_refuse(st, code))
			continue;
		if (received) {
			__sss_stream_set_note(st, true, code, reason, len);
			give_up(st, code, NULL, 0, -ECONNRESET);
		} else {
			give_up(st, code, reason, len, -ECONNABORTED);
		}
	}
}

/**
 * sss_ending_reset() - ioctl(SSS_IOC_RESET)
 * @st: stream, its socket locked
 * @sk: that socket
 * @reset: checked
 *
 * What was sent and not acknowledged is to be had from sss_giveback_copy().
 *
 * Return: 0; -ENOTCONN: the stream is over
 */
int sss_ending_reset(struct sss_stream *st, struct sock *sk, const struct sss_reset *reset)
{
	size_t len = strnlen(reset->reason, SSS_REASON_MAX);
	bool subtree = reset->flags & SSS_RESET_SUBTREE;
	struct sss_channel *ch = st->ch;

	if (!ch)
		return -ENOTCONN;
	spin_lock_bh(&ch->lock);
	if (st->flags & SSS_ST_OVER && !subtree) {
		spin_unlock_bh(&ch->lock);
		return -ENOTCONN;
	}
	if (subtree) {
		st->flags |= SSS_ST_SUBTREE;
		__sss_ending_below(st, reset->code, (const u8 *)reset->reason, len, false);
	}
	give_up(st, reset->code, reset->reason, len, 0);
	__sss_stream_check_over(st);
	spin_unlock_bh(&ch->lock);
	sss_stream_settle(st, sk);
	sss_table_deliver(ch);
	sss_channel_transmit(ch);
	return 0;
}

/**
 * sss_stream_reset() - give up what was not delivered
 * @st: stream, its socket locked
 * @code: for the peer, 62 bits
 * @reason: UTF-8 for the peer, NULL: none; cut to SSS_REASON_MAX bytes
 *
 * Our direction ends at once; the peer's goes on until sss_stream_close().
 * Without memory the reason is not told. Sleeps if there is one.
 */
void sss_stream_reset(struct sss_stream *st, u64 code, const char *reason)
{
	struct sss_channel *ch = st->ch;
	char *text = NULL;
	bool before;

	if (!ch)
		return;
	if (reason)
		text = kstrndup(reason, SSS_REASON_MAX, GFP_KERNEL_ACCOUNT);
	spin_lock_bh(&ch->lock);
	before = st->flags & SSS_ST_RESET;
	__sss_stream_reset(st, code);
	if (!before && st->flags & SSS_ST_RESET)
		swap(st->reason, text);
	spin_unlock_bh(&ch->lock);
	kfree(text);
	if (st->sk)
		sss_stream_settle(st, st->sk);
	sss_table_deliver(ch);
	sss_channel_transmit(ch);
}
