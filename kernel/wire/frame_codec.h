/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the files of the frame codec only: rows of the table in frame.c whose
 * functions live with their fast paths in frame_ack.c and frame_data.c.
 */
#ifndef _SSS_WIRE_FRAME_CODEC_H
#define _SSS_WIRE_FRAME_CODEC_H

#include "frame.h"

static inline bool sss_frame_varint_ok(u64 v)
{
	return v <= SSS_VARINT_MAX;
}

static inline bool sss_frame_id_ok(u64 id)
{
	return id <= SSS_ID_MAX;
}

void sss_frame_ack_get(struct sss_cursor *c, struct sss_frame *f);
bool sss_frame_ack_ok(const struct sss_frame *f);
void sss_frame_ack_write(struct sss_writer *w, const struct sss_frame *f);

void sss_frame_datagram_get(struct sss_cursor *c, struct sss_frame *f);
bool sss_frame_datagram_ok(const struct sss_frame *f);
void sss_frame_datagram_write(struct sss_writer *w, const struct sss_frame *f);

void sss_frame_stream_get(struct sss_cursor *c, struct sss_frame *f);
bool sss_frame_stream_ok(const struct sss_frame *f);
void sss_frame_stream_write(struct sss_writer *w, const struct sss_frame *f);

#endif /* _SSS_WIRE_FRAME_CODEC_H */
