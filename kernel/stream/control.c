// SPDX-License-Identifier: GPL-2.0
/*
 * Control frames of streams: written when due, written again when lost if they
 * still say what is true, and done when acknowledged.
 */
#include "stream/table.h"

static bool put(struct sss_tx_packet *pkt, const struct sss_frame *frame, u64 id, u64 value)
{
	if (!sss_tx_may_note(pkt) || sss_frame_put(&pkt->w, frame))
		return false;
	sss_tx_note(pkt, frame->type, id, value, 0, 0);
	return true;
}

static bool has_init(const struct sss_stream *st, const struct sss_tx_packet *pkt)
{
	unsigned int i;

	for (i = 0; i < pkt->n_frames; i++)
		if (pkt->frames[i].type == SSS_FRAME_INIT && pkt->frames[i].id == st->id)
			return true;
	return false;
}

static bool put_init(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	const struct sss_request *request = st->request;
	struct sss_frame frame = { .type = SSS_FRAME_INIT };

	if (has_init(st, pkt))
		return true;
	frame.init = (struct sss_frame_init){
		.id = st->id,
		.parent = st->parent,
		.kind = st->kind,
		.urgency = st->wanted.urgency,
		.incremental = st->wanted.incremental,
		.weight = st->wanted.weight,
	};
	if (request) {
		frame.init.service = (const u8 *)request->service;
		frame.init.service_len = strlen(request->service);
		frame.init.protocol = (const u8 *)request->protocol;
		frame.init.protocol_len = strlen(request->protocol);
	}
	if (!put(pkt, &frame, st->id, 0))
		return false;
	st->flags &= ~SSS_ST_DUE_INIT;
	__sss_sched_fly(st);
	return true;
}

/**
 * __sss_control_put_init() - make sure that the peer knows the stream
 * @st: stream with an id, of a channel, which is locked
 * @pkt: packet that other frames of the stream go into
 *
 * Design section 3: until INIT is acknowledged every packet with frames of the
 * stream carries it.
 *
 * Return: whether they may follow; if not the packet is full
 */
bool __sss_control_put_init(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	if (!(st->flags & SSS_ST_LOCAL) || st->flags & SSS_ST_INIT_ACKED)
		return true;
	return __sss_tree_put_init(st, pkt, put_init);
}

static bool put_reply(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	const char *text = sss_request_text(st->status);
	struct sss_frame frame = {
		.type = SSS_FRAME_SERVICE_REPLY,
		.service_reply = {
			.id = st->id, .status = st->status,
			.text = (const u8 *)text, .text_len = strlen(text),
		},
	};

	__sss_sched_fly(st);
	return put(pkt, &frame, st->id, 0);
}

static bool put_reset(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	const char *reason = st->reason ?: "";
	struct sss_frame frame = {
		.type = SSS_FRAME_RESET,
		.reset = {
			.id = st->id, .code = st->reset_code, .final_size = st->tx.next,
			.subtree = st->flags & SSS_ST_SUBTREE,
			.reason = (const u8 *)reason, .reason_len = strlen(reason),
		},
	};

	__sss_sched_fly(st);
	return put(pkt, &frame, st->id, 0);
}

static bool put_stop(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	struct sss_frame frame = {
		.type = SSS_FRAME_STOP,
		.stop = { .id = st->id, .code = st->reset_code },
	};

	return sss_recvq_over(st) || put(pkt, &frame, st->id, 0);
}

static bool put_window(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	u64 max = READ_ONCE(st->rx.limit);
	struct sss_frame frame = {
		.type = SSS_FRAME_WINDOW,
		.window = { .id = st->id, .max = max },
	};

	return sss_recvq_over(st) || put(pkt, &frame, st->id, max);
}

static bool put_credit(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	u64 count = __sss_tree_granted(st);
	struct sss_frame frame = {
		.type = SSS_FRAME_MAX_STREAMS,
		.max_streams = { .parent = st->id, .count = count },
	};

	return put(pkt, &frame, st->id, count);
}

static bool put_priority(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	struct sss_frame frame = {
		.type = SSS_FRAME_PRIORITY,
		.priority = {
			.id = st->id, .sequence = st->orders_sent,
			.urgency = st->wanted.urgency,
			.incremental = st->wanted.incremental,
			.weight = st->wanted.weight,
		},
	};

	return sss_recvq_over(st) || put(pkt, &frame, st->id, st->orders_sent);
}

static const struct {
	u32 due;
	bool (*put)(struct sss_stream *st, struct sss_tx_packet *pkt);
} kinds[] = {
	{ SSS_ST_DUE_INIT, __sss_control_put_init },
	{ SSS_ST_DUE_REPLY, put_reply },
	{ SSS_ST_DUE_RESET, put_reset },
	{ SSS_ST_DUE_STOP, put_stop },
	{ SSS_ST_DUE_WINDOW, put_window },
	{ SSS_ST_DUE_CREDIT, put_credit },
	{ SSS_ST_DUE_PRIORITY, put_priority },
};

/**
 * __sss_control_put() - write what is due of a stream
 * @st: stream with an id, of a channel, which is locked
 * @pkt: packet
 *
 * Return: whether all of it is written; if not the packet is full
 */
bool __sss_control_put(struct sss_stream *st, struct sss_tx_packet *pkt)
{
	unsigned int i;

	lockdep_assert_held(&st->ch->lock);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!(st->flags & kinds[i].due))
			continue;
		if (!__sss_control_put_init(st, pkt) || !kinds[i].put(st, pkt))
			return false;
		st->flags &= ~kinds[i].due;
	}
	return true;
}

/* False: the packet is full */
static bool put_drops(struct sss_dgrams *dgrams, struct sss_tx_packet *pkt)
{
	struct sss_frame frame = { .type = SSS_FRAME_DATAGRAM_DROP };

	while (dgrams->n_drops) {
		frame.datagram_drop.parent = dgrams->drop[dgrams->first_drop].parent;
		frame.datagram_drop.message = dgrams->drop[dgrams->first_drop].message;
		if (!put(pkt, &frame, SSS_ID_ROOT, 0))
			return false;
		dgrams->first_drop = (dgrams->first_drop + 1) % SSS_DGRAM_DROPS;
		dgrams->n_drops--;
	}
	return true;
}

/**
 * __sss_control_put_channel() - write what is due of the channel
 * @ch: channel, locked
 * @pkt: packet
 *
 * Return: whether all of it is written; if not the packet is full
 */
bool __sss_control_put_channel(struct sss_channel *ch, struct sss_tx_packet *pkt)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_frame frame = { };

	lockdep_assert_held(&ch->lock);
	if (ss->granted_due) {
		u64 count = min(ss->closed + ch->local.max_streams, ss->base + ss->width);

		count = max(count, sss_flow_streams_granted(ch));
		frame.type = SSS_FRAME_MAX_STREAMS;
		frame.max_streams.parent = SSS_ID_ROOT;
		frame.max_streams.count = count;
		if (!put(pkt, &frame, SSS_ID_ROOT, count))
			return false;
		ss->granted = count;
		ss->granted_due = false;
	}
	if (ss->pool_due) {
		frame.type = SSS_FRAME_CHANNEL_WINDOW;
		frame.channel_window.max = ch->local.channel_window + ss->pool_returned;
		frame.channel_window.datagrams = ch->local.datagram_credit;
		if (!put(pkt, &frame, SSS_ID_ROOT, ss->pool_returned))
			return false;
		ss->pool_granted = ss->pool_returned;
		ss->pool_due = false;
	}
	return put_drops(&ss->dgrams, pkt);
}

static bool is_of_channel(const struct sss_sent_frame *frame)
{
	return frame->type == SSS_FRAME_CHANNEL_WINDOW || frame->type == SSS_FRAME_DATAGRAM ||
	       frame->type == SSS_FRAME_DATAGRAM_DROP ||
	       (frame->type == SSS_FRAME_MAX_STREAMS && frame->id == SSS_ID_ROOT);
}

/**
 * sss_control_acked() - a frame of this floor was acknowledged
 * @ch: channel, locked
 * @frame: as noted when it was written
 */
void sss_control_acked(struct sss_channel *ch, const struct sss_sent_frame *frame)
{
	struct sss_stream *st;
	u64 base;

	lockdep_assert_held(&ch->lock);
	if (frame->type == SSS_FRAME_DATAGRAM)
		__sss_dgram_settled(ch, frame, false);
	if (is_of_channel(frame))
		return;
	st = __sss_table_find(ch, frame->id);
	if (!st)
		return;
	switch (frame->type) {
	case SSS_FRAME_STREAM:
		if (st->flags & SSS_ST_RESET)
			break;
		base = st->tx.base;
		if (__sss_sendq_acked(st, frame->value, frame->len, frame->flags & SSS_SENT_FIN))
			__sss_table_touch(st, BIT(SSS_STREAM_WRITABLE));
		__sss_event_acked(st, base);
		break;
	case SSS_FRAME_INIT:
		st->flags |= SSS_ST_INIT_ACKED;
		st->flags &= ~SSS_ST_DUE_INIT;
		__sss_tree_forget_mother(st);
		__sss_tree_born(st);
		break;
	case SSS_FRAME_SERVICE_REPLY:
		st->flags |= SSS_ST_REPLY_ACKED;
		st->flags &= ~SSS_ST_DUE_REPLY;
		break;
	case SSS_FRAME_RESET:
		st->flags |= SSS_ST_RESET_ACKED;
		st->flags &= ~SSS_ST_DUE_RESET;
		break;
	default:
		return;
	}
	__sss_timed_progress(st);
	__sss_sched_land(st);
	__sss_stream_check_over(st);
}

static void lost_of_channel(struct sss_channel *ch, const struct sss_sent_frame *frame)
{
	struct sss_streams *ss = sss_streams(ch);

	if (frame->type == SSS_FRAME_DATAGRAM)
		__sss_dgram_settled(ch, frame, true);
	else if (frame->type == SSS_FRAME_MAX_STREAMS)
		ss->granted_due |= frame->value == ss->granted;
	else if (frame->type == SSS_FRAME_CHANNEL_WINDOW)
		ss->pool_due |= frame->value == ss->pool_granted;
}

/**
 * sss_control_lost() - a frame of this floor was lost
 * @ch: channel, locked
 * @frame: as noted when it was written
 *
 * What it said is sent again if it is still true and the peer may not know.
 */
void sss_control_lost(struct sss_channel *ch, const struct sss_sent_frame *frame)
{
	struct sss_stream *st;

	lockdep_assert_held(&ch->lock);
	if (is_of_channel(frame)) {
		lost_of_channel(ch, frame);
		return;
	}
	st = __sss_table_find(ch, frame->id);
	if (!st)
		return;
	switch (frame->type) {
	case SSS_FRAME_STREAM:
		if (st->flags & SSS_ST_RESET)
			return;
		__sss_sendq_lost(st, frame->value, frame->len, frame->flags & SSS_SENT_FIN);
		__sss_sched_activate(st);
		return;
	case SSS_FRAME_INIT:
		if (!(st->flags & SSS_ST_INIT_ACKED))
			__sss_sched_due(st, SSS_ST_DUE_INIT);
		return;
	case SSS_FRAME_SERVICE_REPLY:
		if (!(st->flags & SSS_ST_REPLY_ACKED))
			__sss_sched_due(st, SSS_ST_DUE_REPLY);
		return;
	case SSS_FRAME_RESET:
		if (!(st->flags & SSS_ST_RESET_ACKED))
			__sss_sched_due(st, SSS_ST_DUE_RESET);
		return;
	case SSS_FRAME_STOP:
		if (!sss_recvq_over(st))
			__sss_sched_due(st, SSS_ST_DUE_STOP);
		return;
	case SSS_FRAME_MAX_STREAMS:
		__sss_tree_credit_lost(st, frame->value);
		return;
	case SSS_FRAME_PRIORITY:
		if (frame->value == st->orders_sent)
			__sss_sched_due(st, SSS_ST_DUE_PRIORITY);
		return;
	case SSS_FRAME_WINDOW:
		if (frame->value == READ_ONCE(st->rx.limit) && !sss_recvq_over(st))
			__sss_sched_due(st, SSS_ST_DUE_WINDOW);
		return;
	}
}
