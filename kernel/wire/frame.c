// SPDX-License-Identifier: GPL-2.0
/*
 * One table says everything about every frame: how to read it, whether its
 * fields are in range, how to write it. What is read and what is written pass
 * the same check. Documentation/protocol.rst shows the bytes.
 */
#include "frame_codec.h"

#define PRIORITY_INCREMENTAL	0x08	/* bits 0 to 2: urgency; 4 to 7: INIT's kind */
#define RESET_SUBTREE		0x01

/**
 * struct frame_kind - a row of the table
 * @name: for traces
 * @eliciting: the peer must acknowledge a packet with it
 * @get: read it; @c becomes bad where it is cut off or not the one encoding
 * @ok: are all fields in range?
 * @put: write it, type included
 */
struct frame_kind {
	const char *name;
	bool eliciting;
	void (*get)(struct sss_cursor *c, struct sss_frame *f);
	bool (*ok)(const struct sss_frame *f);
	void (*put)(struct sss_writer *w, const struct sss_frame *f);
};

/* Fields that several frames have */

static bool parent_ok(u64 parent)
{
	return parent == SSS_ID_ROOT || sss_frame_id_ok(parent);
}

static bool priority_ok(u8 urgency, u8 weight)
{
	return urgency <= SSS_URGENCY_MAX && weight >= SSS_WEIGHT_MIN;
}

static bool text_ok(const u8 *text, u8 len)
{
	return text || !len;
}

/* The root, for which no id stands, is 0; ids follow from 1 */
static u64 get_parent(struct sss_cursor *c)
{
	return sss_cursor_varint(c) - 1;
}

static void put_parent(struct sss_writer *w, u64 parent)
{
	sss_writer_varint(w, parent + 1);
}

static const u8 *get_text(struct sss_cursor *c, u8 *len)
{
	*len = sss_cursor_u8(c);
	return sss_cursor_bytes(c, *len);
}

static void put_text(struct sss_writer *w, const u8 *text, u8 len)
{
	sss_writer_u8(w, len);
	sss_writer_bytes(w, text, len);
}

/* PADDING, PING */

static void get_padding(struct sss_cursor *c, struct sss_frame *f)
{
	while (c->p < c->end && *c->p == SSS_FRAME_PADDING)
		c->p++;
}

static void get_ping(struct sss_cursor *c, struct sss_frame *f)
{
}

static bool always_ok(const struct sss_frame *f)
{
	return true;
}

static void put_type(struct sss_writer *w, const struct sss_frame *f)
{
	sss_writer_u8(w, f->type);
}

/* INIT */

static void get_init(struct sss_cursor *c, struct sss_frame *f)
{
	struct sss_frame_init *init = &f->init;
	u8 octet;

	init->id = sss_cursor_varint(c);
	init->parent = get_parent(c);
	octet = sss_cursor_u8(c);
	init->urgency = octet & SSS_URGENCY_MAX;
	init->incremental = octet & PRIORITY_INCREMENTAL;
	init->kind = octet >> 4;
	init->weight = sss_cursor_u8(c);
	init->service = NULL;
	init->service_len = 0;
	init->protocol = NULL;
	init->protocol_len = 0;
	if (init->parent != SSS_ID_ROOT)
		return;
	init->service = get_text(c, &init->service_len);
	init->protocol = get_text(c, &init->protocol_len);
}

static bool init_ok(const struct sss_frame *f)
{
	const struct sss_frame_init *init = &f->init;

	if (!sss_frame_id_ok(init->id) || !parent_ok(init->parent) || init->parent == init->id ||
	    init->kind >= SSS_KIND_COUNT || !priority_ok(init->urgency, init->weight))
		return false;
	if (init->parent != SSS_ID_ROOT)
		return !init->service_len && !init->protocol_len;
	return init->service && sss_name_is_valid(init->service, init->service_len) &&
	       init->protocol && sss_name_is_valid(init->protocol, init->protocol_len);
}

static void put_init(struct sss_writer *w, const struct sss_frame *f)
{
	const struct sss_frame_init *init = &f->init;

	put_type(w, f);
	sss_writer_varint(w, init->id);
	put_parent(w, init->parent);
	sss_writer_u8(w, init->urgency | (init->incremental ? PRIORITY_INCREMENTAL : 0) |
			 init->kind << 4);
	sss_writer_u8(w, init->weight);
	if (init->parent != SSS_ID_ROOT)
		return;
	put_text(w, init->service, init->service_len);
	put_text(w, init->protocol, init->protocol_len);
}

/* SERVICE_REPLY */

static void get_service_reply(struct sss_cursor *c, struct sss_frame *f)
{
	f->service_reply.id = sss_cursor_varint(c);
	f->service_reply.status = sss_cursor_u8(c);
	f->service_reply.text = get_text(c, &f->service_reply.text_len);
}

static bool service_reply_ok(const struct sss_frame *f)
{
	return sss_frame_id_ok(f->service_reply.id) &&
	       text_ok(f->service_reply.text, f->service_reply.text_len);
}

static void put_service_reply(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_varint(w, f->service_reply.id);
	sss_writer_u8(w, f->service_reply.status);
	put_text(w, f->service_reply.text, f->service_reply.text_len);
}

/* RESET */

static void get_reset(struct sss_cursor *c, struct sss_frame *f)
{
	u8 flags;

	f->reset.id = sss_cursor_varint(c);
	f->reset.code = sss_cursor_varint(c);
	f->reset.final_size = sss_cursor_varint(c);
	flags = sss_cursor_u8(c);
	f->reset.subtree = flags & RESET_SUBTREE;
	if (flags & ~RESET_SUBTREE)
		c->bad = true;
	f->reset.reason = get_text(c, &f->reset.reason_len);
}

static bool reset_ok(const struct sss_frame *f)
{
	return sss_frame_id_ok(f->reset.id) && sss_frame_varint_ok(f->reset.code) &&
	       sss_frame_varint_ok(f->reset.final_size) &&
	       text_ok(f->reset.reason, f->reset.reason_len);
}

static void put_reset(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_varint(w, f->reset.id);
	sss_writer_varint(w, f->reset.code);
	sss_writer_varint(w, f->reset.final_size);
	sss_writer_u8(w, f->reset.subtree ? RESET_SUBTREE : 0);
	put_text(w, f->reset.reason, f->reset.reason_len);
}

/* STOP */

static void get_stop(struct sss_cursor *c, struct sss_frame *f)
{
	f->stop.id = sss_cursor_varint(c);
	f->stop.code = sss_cursor_varint(c);
}

static bool stop_ok(const struct sss_frame *f)
{
	return sss_frame_id_ok(f->stop.id) && sss_frame_varint_ok(f->stop.code);
}

static void put_stop(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_varint(w, f->stop.id);
	sss_writer_varint(w, f->stop.code);
}

/* WINDOW, CHANNEL_WINDOW, MAX_STREAMS */

static void get_window(struct sss_cursor *c, struct sss_frame *f)
{
	f->window.id = sss_cursor_varint(c);
	f->window.max = sss_cursor_varint(c);
}

static bool window_ok(const struct sss_frame *f)
{
	return sss_frame_id_ok(f->window.id) && sss_frame_varint_ok(f->window.max);
}

static void put_window(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_varint(w, f->window.id);
	sss_writer_varint(w, f->window.max);
}

static void get_channel_window(struct sss_cursor *c, struct sss_frame *f)
{
	f->channel_window.max = sss_cursor_varint(c);
	f->channel_window.datagrams = sss_cursor_varint(c);
}

static bool channel_window_ok(const struct sss_frame *f)
{
	return sss_frame_varint_ok(f->channel_window.max) &&
	       sss_frame_varint_ok(f->channel_window.datagrams);
}

static void put_channel_window(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_varint(w, f->channel_window.max);
	sss_writer_varint(w, f->channel_window.datagrams);
}

static void get_max_streams(struct sss_cursor *c, struct sss_frame *f)
{
	f->max_streams.parent = get_parent(c);
	f->max_streams.count = sss_cursor_varint(c);
}

static bool max_streams_ok(const struct sss_frame *f)
{
	return parent_ok(f->max_streams.parent) && f->max_streams.count <= SSS_STREAMS_MAX;
}

static void put_max_streams(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	put_parent(w, f->max_streams.parent);
	sss_writer_varint(w, f->max_streams.count);
}

/* DATAGRAM_DROP */

static void get_datagram_drop(struct sss_cursor *c, struct sss_frame *f)
{
	f->datagram_drop.parent = sss_cursor_varint(c);
	f->datagram_drop.message = sss_cursor_varint(c);
}

static bool datagram_drop_ok(const struct sss_frame *f)
{
	return sss_frame_id_ok(f->datagram_drop.parent) &&
	       sss_frame_varint_ok(f->datagram_drop.message);
}

static void put_datagram_drop(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_varint(w, f->datagram_drop.parent);
	sss_writer_varint(w, f->datagram_drop.message);
}

/* PRIORITY */

static void get_priority(struct sss_cursor *c, struct sss_frame *f)
{
	u8 octet;

	f->priority.id = sss_cursor_varint(c);
	f->priority.sequence = sss_cursor_varint(c);
	octet = sss_cursor_u8(c);
	f->priority.urgency = octet & SSS_URGENCY_MAX;
	f->priority.incremental = octet & PRIORITY_INCREMENTAL;
	if (octet & ~(SSS_URGENCY_MAX | PRIORITY_INCREMENTAL))
		c->bad = true;
	f->priority.weight = sss_cursor_u8(c);
}

static bool priority_frame_ok(const struct sss_frame *f)
{
	return sss_frame_id_ok(f->priority.id) && sss_frame_varint_ok(f->priority.sequence) &&
	       priority_ok(f->priority.urgency, f->priority.weight);
}

static void put_priority(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_varint(w, f->priority.id);
	sss_writer_varint(w, f->priority.sequence);
	sss_writer_u8(w, f->priority.urgency |
			 (f->priority.incremental ? PRIORITY_INCREMENTAL : 0));
	sss_writer_u8(w, f->priority.weight);
}

/* PATH_CHALLENGE, PATH_RESPONSE */

static void get_path(struct sss_cursor *c, struct sss_frame *f)
{
	const u8 *data = sss_cursor_bytes(c, sizeof(f->path.data));

	if (data)
		memcpy(f->path.data, data, sizeof(f->path.data));
}

static void put_path(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_bytes(w, f->path.data, sizeof(f->path.data));
}

/* ENDPOINTS */

static unsigned int addr_len(u8 family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

static void get_endpoint(struct sss_cursor *c, struct sss_wire_endpoint *ep)
{
	const u8 *addr;

	memset(ep, 0, sizeof(*ep));
	ep->family = sss_cursor_u8(c);
	ep->flags = sss_cursor_u8(c);
	ep->port = sss_cursor_be16(c);
	addr = sss_cursor_bytes(c, addr_len(ep->family));
	if (addr)
		memcpy(ep->addr, addr, addr_len(ep->family));
}

static void get_endpoints(struct sss_cursor *c, struct sss_frame *f)
{
	u8 i;

	f->endpoints.n = sss_cursor_u8(c);
	if (f->endpoints.n > SSS_ENDPOINTS_LEN_MAX)
		c->bad = true;
	for (i = 0; i < f->endpoints.n && !c->bad; i++)
		get_endpoint(c, &f->endpoints.ep[i]);
}

static bool endpoints_ok(const struct sss_frame *f)
{
	u8 i;

	if (!f->endpoints.n || f->endpoints.n > SSS_ENDPOINTS_LEN_MAX)
		return false;
	for (i = 0; i < f->endpoints.n; i++) {
		if (!addr_len(f->endpoints.ep[i].family) || !f->endpoints.ep[i].port)
			return false;
	}
	return true;
}

static void put_endpoints(struct sss_writer *w, const struct sss_frame *f)
{
	u8 i;

	put_type(w, f);
	sss_writer_u8(w, f->endpoints.n);
	for (i = 0; i < f->endpoints.n; i++) {
		const struct sss_wire_endpoint *ep = &f->endpoints.ep[i];

		sss_writer_u8(w, ep->family);
		sss_writer_u8(w, ep->flags);
		sss_writer_be16(w, ep->port);
		sss_writer_bytes(w, ep->addr, addr_len(ep->family));
	}
}

/* CLOSE */

static void get_close(struct sss_cursor *c, struct sss_frame *f)
{
	f->close.code = sss_cursor_varint(c);
	f->close.frame_type = sss_cursor_u8(c);
	f->close.reason = get_text(c, &f->close.reason_len);
}

static bool close_ok(const struct sss_frame *f)
{
	return sss_frame_varint_ok(f->close.code) && text_ok(f->close.reason, f->close.reason_len);
}

static void put_close(struct sss_writer *w, const struct sss_frame *f)
{
	put_type(w, f);
	sss_writer_varint(w, f->close.code);
	sss_writer_u8(w, f->close.frame_type);
	put_text(w, f->close.reason, f->close.reason_len);
}

static const struct frame_kind kinds[SSS_FRAME_TYPES] = {
#define ROW(TYPE, eliciting, get, ok, put) \
	[SSS_FRAME_##TYPE] = { #TYPE, eliciting, get, ok, put }
	ROW(PADDING, false, get_padding, always_ok, put_type),
	ROW(PING, true, get_ping, always_ok, put_type),
	ROW(ACK, false, sss_frame_ack_get, sss_frame_ack_ok, sss_frame_ack_write),
	ROW(ACK_ECN, false, sss_frame_ack_get, sss_frame_ack_ok, sss_frame_ack_write),
	ROW(INIT, true, get_init, init_ok, put_init),
	ROW(SERVICE_REPLY, true, get_service_reply, service_reply_ok, put_service_reply),
	ROW(RESET, true, get_reset, reset_ok, put_reset),
	ROW(STOP, true, get_stop, stop_ok, put_stop),
	ROW(WINDOW, true, get_window, window_ok, put_window),
	ROW(CHANNEL_WINDOW, true, get_channel_window, channel_window_ok, put_channel_window),
	ROW(MAX_STREAMS, true, get_max_streams, max_streams_ok, put_max_streams),
	ROW(DATAGRAM, true, sss_frame_datagram_get, sss_frame_datagram_ok,
	    sss_frame_datagram_write),
	ROW(DATAGRAM_DROP, true, get_datagram_drop, datagram_drop_ok, put_datagram_drop),
	ROW(PRIORITY, true, get_priority, priority_frame_ok, put_priority),
	ROW(PATH_CHALLENGE, true, get_path, always_ok, put_path),
	ROW(PATH_RESPONSE, true, get_path, always_ok, put_path),
	[SSS_FRAME_STREAM ... SSS_FRAME_STREAM + 7] = {
		"STREAM", true, sss_frame_stream_get, sss_frame_stream_ok, sss_frame_stream_write },
	ROW(ENDPOINTS, true, get_endpoints, endpoints_ok, put_endpoints),
	ROW(CLOSE, false, get_close, close_ok, put_close),
#undef ROW
};

static bool is_stream(u8 type)
{
	return (type & ~7) == SSS_FRAME_STREAM;
}

/**
 * sss_frame_parse() - read one frame and check every field of it
 * @c: the rest of an authenticated packet, not empty; moves behind the frame
 * @frame: result; its pointers point into the packet. If the frame is refused
 *	only ->type means something: the byte that was seen
 *
 * A run of PADDING is one frame.
 *
 * Return: 0, or what to close the channel with: SSS_ERROR_FRAME_TYPE (no such
 * frame) or SSS_ERROR_FRAME_ENCODING (cut off, or a field out of range)
 */
int sss_frame_parse(struct sss_cursor *c, struct sss_frame *frame)
{
	u8 type = sss_cursor_u8(c);

	frame->type = type;
	if (type >= SSS_FRAME_TYPES)
		return SSS_ERROR_FRAME_TYPE;
	/* data by a direct call: it is most of what comes */
	if (is_stream(type))
		sss_frame_stream_get(c, frame);
	else
		kinds[type].get(c, frame);
	if (c->bad || !kinds[type].ok(frame))
		return SSS_ERROR_FRAME_ENCODING;
	if (is_stream(type))
		frame->type = SSS_FRAME_STREAM;
	return 0;
}

/**
 * sss_frame_put() - write one frame, data included
 * @w: packet being filled
 * @frame: the frame. STREAM gets a length field. A DATAGRAM fragment that is
 *	not the message's last must be the last in the packet
 *
 * Return: 0; -ENOBUFS: it does not fit, nothing is written; -EINVAL: a field
 * is out of range, nothing is written
 */
int sss_frame_put(struct sss_writer *w, const struct sss_frame *frame)
{
	struct sss_writer before = *w;

	if (frame->type >= SSS_FRAME_TYPES || !kinds[frame->type].ok(frame))
		return -EINVAL;
	kinds[frame->type].put(w, frame);
	if (!w->bad)
		return 0;
	*w = before;
	return -ENOBUFS;
}

/**
 * sss_frame_is_eliciting() - must a packet with it be acknowledged?
 * @type: frame type
 *
 * Return: yes for all but PADDING, ACK, ACK_ECN and CLOSE
 */
bool sss_frame_is_eliciting(u8 type)
{
	return type < SSS_FRAME_TYPES && kinds[type].eliciting;
}

/**
 * sss_frame_name() - for traces
 * @type: frame type
 *
 * Return: its name in protocol.rst, "?" if there is none
 */
const char *sss_frame_name(u8 type)
{
	return type < SSS_FRAME_TYPES ? kinds[type].name : "?";
}
