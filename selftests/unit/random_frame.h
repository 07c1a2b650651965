/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random frames whose every field is in range, for tests and fuzzers.
 */
#ifndef _SSS_UNIT_RANDOM_FRAME_H
#define _SSS_UNIT_RANDOM_FRAME_H

#include "../../kernel/wire/frame.h"
#include "random.h"

/* Bytes that frames point into */
struct random_bytes {
	u8 text[256];
	u8 name[SSS_NAME_LEN_MAX];
	u8 ranges[2 * 8 * SSS_ACKSET_MAX];
};

static inline u64 random_id(u64 *state)
{
	return random_below(state, 20) ? random_width(state, 61) : SSS_ID_MAX;
}

static inline u64 random_varint(u64 *state)
{
	return random_below(state, 20) ? random_width(state, 62) : SSS_VARINT_MAX;
}

static inline u64 random_parent(u64 *state)
{
	return random_below(state, 3) ? random_id(state) : SSS_ID_ROOT;
}

static inline void random_init(u64 *state, struct sss_frame_init *init,
			       const struct random_bytes *bytes)
{
	init->id = random_id(state);
	do {
		init->parent = random_parent(state);
	} while (init->parent == init->id);
	init->kind = random_below(state, SSS_KIND_COUNT);
	init->urgency = random_below(state, SSS_URGENCY_MAX + 1);
	init->incremental = random_below(state, 2);
	init->weight = 1 + random_below(state, 255);
	init->service = bytes->name;
	init->protocol = bytes->name;
	init->service_len = 1 + random_below(state, SSS_NAME_LEN_MAX);
	init->protocol_len = 1 + random_below(state, SSS_NAME_LEN_MAX);
	if (init->parent != SSS_ID_ROOT) {
		init->service = NULL;
		init->protocol = NULL;
		init->service_len = 0;
		init->protocol_len = 0;
	}
}

static inline void random_ack(u64 *state, struct sss_frame_ack *ack, bool ecn,
			      struct random_bytes *bytes)
{
	u64 smallest, gap, len;
	struct sss_writer w;

	ack->largest = random_varint(state);
	ack->delay_us = random_varint(state);
	ack->first_range = random_below(state, ack->largest + 1);
	smallest = ack->largest - ack->first_range;
	sss_writer_init(&w, bytes->ranges, sizeof(bytes->ranges));
	ack->n_ranges = 0;
	while (smallest >= 2 && ack->n_ranges < SSS_ACKSET_MAX && random_below(state, 5)) {
		gap = random_below(state, smallest - 1);
		smallest -= gap + 2;
		len = random_below(state, smallest + 1);
		smallest -= len;
		sss_writer_varint(&w, gap);
		sss_writer_varint(&w, len);
		ack->n_ranges++;
	}
	sss_cursor_init(&ack->ranges, bytes->ranges, w.p - bytes->ranges);
	ack->ect0 = ecn ? random_varint(state) : 0;
	ack->ect1 = ecn ? random_varint(state) : 0;
	ack->ce = ecn ? random_varint(state) : 0;
}

static inline void random_endpoints(u64 *state, struct sss_frame_endpoints *list)
{
	int i, k;

	memset(list, 0, sizeof(*list));
	list->n = 1 + random_below(state, SSS_ENDPOINTS_LEN_MAX);
	for (i = 0; i < list->n; i++) {
		list->ep[i].family = random_below(state, 2) ? 4 : 6;
		list->ep[i].flags = random_u64(state);
		list->ep[i].port = 1 + random_below(state, 65535);
		for (k = 0; k < (list->ep[i].family == 4 ? 4 : 16); k++)
			list->ep[i].addr[k] = random_u64(state);
	}
}

/* @data_max: bytes of STREAM and DATAGRAM frames, up to sizeof(bytes->text) */
static inline void random_frame(u64 *state, u8 type, struct sss_frame *f,
				struct random_bytes *bytes, u32 data_max)
{
	size_t i;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < sizeof(bytes->text); i++)
		bytes->text[i] = random_u64(state);
	for (i = 0; i < sizeof(bytes->name); i++)
		bytes->name[i] = 'a' + random_below(state, 26);
	f->type = type;
	switch (type) {
	case SSS_FRAME_ACK:
	case SSS_FRAME_ACK_ECN:
		random_ack(state, &f->ack, type == SSS_FRAME_ACK_ECN, bytes);
		break;
	case SSS_FRAME_INIT:
		random_init(state, &f->init, bytes);
		break;
	case SSS_FRAME_SERVICE_REPLY:
		f->service_reply.id = random_id(state);
		f->service_reply.status = random_u64(state);
		f->service_reply.text = bytes->text;
		f->service_reply.text_len = random_u64(state);
		break;
	case SSS_FRAME_RESET:
		f->reset.id = random_id(state);
		f->reset.code = random_varint(state);
		f->reset.final_size = random_varint(state);
		f->reset.subtree = random_below(state, 2);
		f->reset.reason = bytes->text;
		f->reset.reason_len = random_u64(state);
		break;
	case SSS_FRAME_STOP:
		f->stop.id = random_id(state);
		f->stop.code = random_varint(state);
		break;
	case SSS_FRAME_WINDOW:
		f->window.id = random_id(state);
		f->window.max = random_varint(state);
		break;
	case SSS_FRAME_CHANNEL_WINDOW:
		f->channel_window.max = random_varint(state);
		f->channel_window.datagrams = random_varint(state);
		break;
	case SSS_FRAME_MAX_STREAMS:
		f->max_streams.parent = random_parent(state);
		f->max_streams.count = random_width(state, 62) % (SSS_STREAMS_MAX + 1);
		break;
	case SSS_FRAME_DATAGRAM:
		f->datagram.parent = random_id(state);
		f->datagram.message = random_varint(state);
		f->datagram.len = random_below(state, data_max + 1);
		f->datagram.offset = f->datagram.len ? random_width(state, 61) : 0;
		f->datagram.total = f->datagram.offset + f->datagram.len;
		f->datagram.data = bytes->text;
		break;
	case SSS_FRAME_DATAGRAM_DROP:
		f->datagram_drop.parent = random_id(state);
		f->datagram_drop.message = random_varint(state);
		break;
	case SSS_FRAME_PRIORITY:
		f->priority.id = random_id(state);
		f->priority.sequence = random_varint(state);
		f->priority.urgency = random_below(state, SSS_URGENCY_MAX + 1);
		f->priority.incremental = random_below(state, 2);
		f->priority.weight = 1 + random_below(state, 255);
		break;
	case SSS_FRAME_PATH_CHALLENGE:
	case SSS_FRAME_PATH_RESPONSE:
		memcpy(f->path.data, bytes->text, sizeof(f->path.data));
		break;
	case SSS_FRAME_STREAM:
		f->stream.id = random_id(state);
		f->stream.len = random_below(state, data_max + 1);
		f->stream.data = bytes->text;
		f->stream.fin = random_below(state, 2);
		f->stream.mark = random_below(state, 2);
		f->stream.offset = random_below(state, 20) ? random_width(state, 61) :
				   SSS_VARINT_MAX - f->stream.len - f->stream.mark;
		break;
	case SSS_FRAME_ENDPOINTS:
		random_endpoints(state, &f->endpoints);
		break;
	case SSS_FRAME_CLOSE:
		f->close.code = random_varint(state);
		f->close.frame_type = random_u64(state);
		f->close.reason = bytes->text;
		f->close.reason_len = random_u64(state);
		break;
	}
}

#endif /* _SSS_UNIT_RANDOM_FRAME_H */
