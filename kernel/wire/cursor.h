/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bounds-checked reading and writing of wire bytes. All bytes from the network
 * are read through struct sss_cursor and nothing else.
 *
 * Both are sticky: the first read or write past the end sets @bad, later ones
 * do nothing and reads return 0, so a parser may check once at its end.
 * Variable-length integers are RFC 9000 section 16's; a reader refuses those
 * not in their shortest form, so that one value has one encoding.
 */
#ifndef _SSS_WIRE_CURSOR_H
#define _SSS_WIRE_CURSOR_H

#include "pure.h"

#define SSS_VARINT_MAX ((1ULL << 62) - 1)

struct sss_cursor {
	const u8 *p;
	const u8 *end;
	bool bad;
};

struct sss_writer {
	u8 *p;
	u8 *end;
	bool bad;
};

/**
 * sss_cursor_init() - begin to read
 * @c: cursor
 * @data: bytes
 * @len: how many
 */
static inline void sss_cursor_init(struct sss_cursor *c, const void *data, size_t len)
{
	c->p = data;
	c->end = c->p + len;
	c->bad = false;
}

/**
 * sss_cursor_left() - bytes not read yet
 * @c: cursor
 */
static inline size_t sss_cursor_left(const struct sss_cursor *c)
{
	return c->end - c->p;
}

u8 sss_cursor_u8(struct sss_cursor *c);
u16 sss_cursor_be16(struct sss_cursor *c);
u32 sss_cursor_be32(struct sss_cursor *c);
u64 sss_cursor_be64(struct sss_cursor *c);
u64 sss_cursor_varint(struct sss_cursor *c);
const u8 *sss_cursor_bytes(struct sss_cursor *c, size_t len);	/* NULL if too few */

/**
 * sss_writer_init() - begin to write
 * @w: writer
 * @data: where
 * @len: bytes of room
 */
static inline void sss_writer_init(struct sss_writer *w, void *data, size_t len)
{
	w->p = data;
	w->end = w->p + len;
	w->bad = false;
}

/**
 * sss_writer_room() - bytes that still fit
 * @w: writer
 */
static inline size_t sss_writer_room(const struct sss_writer *w)
{
	return w->end - w->p;
}

void sss_writer_u8(struct sss_writer *w, u8 v);
void sss_writer_be16(struct sss_writer *w, u16 v);
void sss_writer_be32(struct sss_writer *w, u32 v);
void sss_writer_be64(struct sss_writer *w, u64 v);
void sss_writer_varint(struct sss_writer *w, u64 v);	/* bad above SSS_VARINT_MAX */
void sss_writer_bytes(struct sss_writer *w, const void *data, size_t len);
void sss_writer_zero(struct sss_writer *w, size_t len);
u8 *sss_writer_reserve(struct sss_writer *w, size_t len);	/* to be filled; or NULL */

/**
 * sss_varint_len() - bytes of a variable-length integer
 * @v: its value
 */
static inline unsigned int sss_varint_len(u64 v)
{
	return v < 64 ? 1 : v < 16384 ? 2 : v < (1ULL << 30) ? 4 : 8;
}

#endif /* _SSS_WIRE_CURSOR_H */
