// SPDX-License-Identifier: GPL-2.0
#include "cursor.h"

/**
 * sss_cursor_bytes() - take the next bytes
 * @c: cursor
 * @len: how many
 *
 * Return: where they are, or NULL: fewer are left, and @c is now bad
 */
const u8 *sss_cursor_bytes(struct sss_cursor *c, size_t len)
{
	const u8 *p = c->p;

	if (c->bad || len > sss_cursor_left(c)) {
		c->bad = true;
		return NULL;
	}
	c->p += len;
	return p;
}

static u64 get_number(struct sss_cursor *c, unsigned int len)
{
	const u8 *p = sss_cursor_bytes(c, len);
	u64 v = 0;

	while (p && len--)
		v = v << 8 | *p++;
	return v;
}

/**
 * sss_cursor_u8() - take one byte
 * @c: cursor
 *
 * Return: it, or 0 at the end, which makes @c bad
 */
u8 sss_cursor_u8(struct sss_cursor *c)
{
	if (c->bad || c->p == c->end) {
		c->bad = true;
		return 0;
	}
	return *c->p++;
}

/**
 * sss_cursor_be16() - take a number of two bytes
 * @c: cursor
 *
 * Return: it, or 0 where too little is left, which makes @c bad
 */
u16 sss_cursor_be16(struct sss_cursor *c)
{
	return get_number(c, 2);
}

/**
 * sss_cursor_be32() - take a number of four bytes
 * @c: cursor
 *
 * Return: it, or 0 where too little is left, which makes @c bad
 */
u32 sss_cursor_be32(struct sss_cursor *c)
{
	return get_number(c, 4);
}

/**
 * sss_cursor_be64() - take a number of eight bytes
 * @c: cursor
 *
 * Return: it, or 0 where too little is left, which makes @c bad
 */
u64 sss_cursor_be64(struct sss_cursor *c)
{
	return get_number(c, 8);
}

/**
 * sss_cursor_varint() - take a variable-length integer (RFC 9000 section 16)
 * @c: cursor
 *
 * One that is not in its shortest form is as bad as one that is cut off: every
 * value has one encoding.
 *
 * Return: it, or 0, and @c is now bad
 */
u64 sss_cursor_varint(struct sss_cursor *c)
{
	unsigned int len;
	u64 v;

	if (c->bad || c->p == c->end) {
		c->bad = true;
		return 0;
	}
	len = 1U << (*c->p >> 6);
	v = get_number(c, len) & (U64_MAX >> (66 - 8 * len));
	if (c->bad)
		return 0;
	if (sss_varint_len(v) != len) {
		c->bad = true;
		return 0;
	}
	return v;
}

/**
 * sss_writer_reserve() - leave room for bytes that the caller fills in
 * @w: writer
 * @len: how many
 *
 * Return: where, or NULL: fewer are left, and @w is now bad
 */
u8 *sss_writer_reserve(struct sss_writer *w, size_t len)
{
	u8 *p = w->p;

	if (w->bad || len > sss_writer_room(w)) {
		w->bad = true;
		return NULL;
	}
	w->p += len;
	return p;
}

static void put_number(struct sss_writer *w, u64 v, unsigned int len)
{
	u8 *p = sss_writer_reserve(w, len);

	while (p && len--)
		*p++ = v >> 8 * len;
}

/**
 * sss_writer_u8() - append one byte
 * @w: writer; bad when full
 * @v: the byte
 */
void sss_writer_u8(struct sss_writer *w, u8 v)
{
	put_number(w, v, 1);
}

/**
 * sss_writer_be16() - append a number as two bytes
 * @w: writer; bad when it does not fit
 * @v: the number
 */
void sss_writer_be16(struct sss_writer *w, u16 v)
{
	put_number(w, v, 2);
}

/**
 * sss_writer_be32() - append a number as four bytes
 * @w: writer; bad when it does not fit
 * @v: the number
 */
void sss_writer_be32(struct sss_writer *w, u32 v)
{
	put_number(w, v, 4);
}

/**
 * sss_writer_be64() - append a number as eight bytes
 * @w: writer; bad when it does not fit
 * @v: the number
 */
void sss_writer_be64(struct sss_writer *w, u64 v)
{
	put_number(w, v, 8);
}

/**
 * sss_writer_varint() - append a variable-length integer in its shortest form
 * @w: writer; bad when it does not fit
 * @v: at most SSS_VARINT_MAX, or @w is bad
 */
void sss_writer_varint(struct sss_writer *w, u64 v)
{
	unsigned int len = sss_varint_len(v);
	u64 prefix = len == 1 ? 0 : len == 2 ? 1 : len == 4 ? 2 : 3;

	if (v > SSS_VARINT_MAX) {
		w->bad = true;
		return;
	}
	put_number(w, v | prefix << (8 * len - 2), len);
}

/**
 * sss_writer_bytes() - append bytes
 * @w: writer; bad when they do not fit
 * @data: the bytes; may be NULL if @len is 0
 * @len: how many
 */
void sss_writer_bytes(struct sss_writer *w, const void *data, size_t len)
{
	u8 *p = sss_writer_reserve(w, len);

	if (p && len)
		memcpy(p, data, len);
}

/**
 * sss_writer_zero() - append zero bytes
 * @w: writer; bad when they do not fit
 * @len: how many
 */
void sss_writer_zero(struct sss_writer *w, size_t len)
{
	u8 *p = sss_writer_reserve(w, len);

	if (p)
		memset(p, 0, len);
}
