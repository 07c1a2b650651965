// SPDX-License-Identifier: GPL-2.0
/*
 * The frames that carry program data: STREAM and DATAGRAM. Both can be written
 * whole, or only up to their payload, which the caller then puts in place.
 */
#include "frame_codec.h"

/**
 * sss_frame_stream_get() - read a STREAM frame (a row of the frame table)
 * @c: behind the type; bad if cut off
 * @f: result, ->type is set to the byte with its three bits
 */
void sss_frame_stream_get(struct sss_cursor *c, struct sss_frame *f)
{
	struct sss_frame_stream *st = &f->stream;
	u64 len;

	st->fin = f->type & SSS_STREAM_FIN;
	st->mark = f->type & SSS_STREAM_MARK;
	st->id = sss_cursor_varint(c);
	st->offset = sss_cursor_varint(c);
	len = f->type & SSS_STREAM_LEN ? sss_cursor_varint(c) : sss_cursor_left(c);
	/* before it is cut to 32 bits */
	if (len > sss_cursor_left(c))
		c->bad = true;
	st->len = len;
	st->data = sss_cursor_bytes(c, st->len);
}

static bool stream_head_ok(u64 id, u64 offset, u32 len, bool mark)
{
	return sss_frame_id_ok(id) && sss_frame_varint_ok(offset) &&
	       sss_frame_varint_ok(offset + len + mark);
}

/**
 * sss_frame_stream_ok() - are all fields in range?
 * @f: a STREAM frame
 *
 * Return: whether they are
 */
bool sss_frame_stream_ok(const struct sss_frame *f)
{
	const struct sss_frame_stream *st = &f->stream;

	return stream_head_ok(st->id, st->offset, st->len, st->mark) &&
	       (st->data || !st->len);
}

/**
 * sss_frame_stream_write() - write one with its payload
 * @w: packet being filled
 * @f: a STREAM frame whose fields are in range
 */
void sss_frame_stream_write(struct sss_writer *w, const struct sss_frame *f)
{
	const struct sss_frame_stream *st = &f->stream;

	if (sss_frame_stream_header(w, st->id, st->offset, st->len, st->fin, st->mark, false))
		w->bad = true;
	sss_writer_bytes(w, st->data, st->len);
}

/**
 * sss_frame_stream_overhead() - what a STREAM frame adds to its payload
 * @id: stream
 * @offset: of its first octet
 * @len: payload bytes, the mark's octet not counted
 * @to_end: it ends the packet and has no length field
 *
 * Return: bytes before the payload
 */
size_t sss_frame_stream_overhead(u64 id, u64 offset, u32 len, bool to_end)
{
	return 1 + sss_varint_len(id) + sss_varint_len(offset) +
	       (to_end ? 0 : sss_varint_len(len));
}

/**
 * sss_frame_stream_header() - write a STREAM frame up to its payload
 * @w: packet being filled; @len bytes of payload must be appended next
 * @id: stream
 * @offset: of its first octet
 * @len: payload bytes, the mark's octet not counted
 * @fin: the stream ends behind this frame
 * @mark: a record mark follows the payload
 * @to_end: the frame ends the packet and has no length field
 *
 * Return: 0; -ENOBUFS: the header does not fit, nothing is written; -EINVAL:
 * out of range, nothing is written
 */
int sss_frame_stream_header(struct sss_writer *w, u64 id, u64 offset, u32 len, bool fin,
			    bool mark, bool to_end)
{
	if (!stream_head_ok(id, offset, len, mark))
		return -EINVAL;
	if (w->bad || sss_writer_room(w) < sss_frame_stream_overhead(id, offset, len, to_end))
		return -ENOBUFS;
	sss_writer_u8(w, SSS_FRAME_STREAM | (fin ? SSS_STREAM_FIN : 0) |
			 (mark ? SSS_STREAM_MARK : 0) | (to_end ? 0 : SSS_STREAM_LEN));
	sss_writer_varint(w, id);
	sss_writer_varint(w, offset);
	if (!to_end)
		sss_writer_varint(w, len);
	return 0;
}

/**
 * sss_frame_datagram_get() - read a DATAGRAM frame (a row of the frame table)
 * @c: behind the type; bad if cut off
 * @f: result, ->type is set
 */
void sss_frame_datagram_get(struct sss_cursor *c, struct sss_frame *f)
{
	struct sss_frame_datagram *dg = &f->datagram;

	dg->parent = sss_cursor_varint(c);
	dg->message = sss_cursor_varint(c);
	dg->total = sss_cursor_varint(c);
	dg->offset = sss_cursor_varint(c);
	if (dg->offset > dg->total)
		c->bad = true;
	dg->len = min_t(u64, dg->total - dg->offset, sss_cursor_left(c));
	dg->data = sss_cursor_bytes(c, dg->len);
}

static bool datagram_head_ok(u64 parent, u64 message, u64 total, u64 offset)
{
	return sss_frame_id_ok(parent) && sss_frame_varint_ok(message) &&
	       sss_frame_varint_ok(total) && (offset < total || (!offset && !total));
}

/**
 * sss_frame_datagram_ok() - are all fields in range?
 * @f: a DATAGRAM frame
 *
 * Return: whether they are
 */
bool sss_frame_datagram_ok(const struct sss_frame *f)
{
	const struct sss_frame_datagram *dg = &f->datagram;

	return datagram_head_ok(dg->parent, dg->message, dg->total, dg->offset) &&
	       dg->len <= dg->total - dg->offset && !dg->len == !dg->total &&
	       (dg->data || !dg->len);
}

/**
 * sss_frame_datagram_write() - write one with its payload
 * @w: packet being filled
 * @f: a DATAGRAM frame whose fields are in range
 */
void sss_frame_datagram_write(struct sss_writer *w, const struct sss_frame *f)
{
	const struct sss_frame_datagram *dg = &f->datagram;

	if (sss_frame_datagram_header(w, dg->parent, dg->message, dg->total, dg->offset))
		w->bad = true;
	sss_writer_bytes(w, dg->data, dg->len);
}

/**
 * sss_frame_datagram_overhead() - what a DATAGRAM frame adds to its payload
 * @parent: stream
 * @message: id of the message
 * @total: its bytes
 * @offset: of this fragment in it
 *
 * Return: bytes before the payload
 */
size_t sss_frame_datagram_overhead(u64 parent, u64 message, u64 total, u64 offset)
{
	return 1 + sss_varint_len(parent) + sss_varint_len(message) + sss_varint_len(total) +
	       sss_varint_len(offset);
}

/**
 * sss_frame_datagram_header() - write a DATAGRAM frame up to its payload
 * @w: packet being filled; the payload must be appended next: up to @total, or
 *	as much as fills the packet
 * @parent: stream
 * @message: id of the message
 * @total: its bytes
 * @offset: of this fragment in it
 *
 * Return: 0; -ENOBUFS: the header does not fit, nothing is written; -EINVAL:
 * out of range, nothing is written
 */
int sss_frame_datagram_header(struct sss_writer *w, u64 parent, u64 message, u64 total,
			      u64 offset)
{
	if (!datagram_head_ok(parent, message, total, offset))
		return -EINVAL;
	if (w->bad || sss_writer_room(w) < sss_frame_datagram_overhead(parent, message, total,
								       offset))
		return -ENOBUFS;
	sss_writer_u8(w, SSS_FRAME_DATAGRAM);
	sss_writer_varint(w, parent);
	sss_writer_varint(w, message);
	sss_writer_varint(w, total);
	sss_writer_varint(w, offset);
	return 0;
}
