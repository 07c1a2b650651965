// SPDX-License-Identifier: GPL-2.0
/* Frames, by the table of protocol.rst: v varint, b byte, t text, 8 bytes */
#include <stdarg.h>
#include <string.h>
#include "link.h"

static const char *const layout[] = {
	[PADDING] = "", [PING] = "", [INIT] = "vvbb", [SERVICE_REPLY] = "vbt",
	[RESET] = "vvvbt", [STOP] = "vv", [WINDOW] = "vv", [CHANNEL_WINDOW] = "vv",
	[MAX_STREAMS] = "vv", [DATAGRAM] = "vvvv", [DATAGRAM_DROP] = "vv",
	[PRIORITY] = "vvbb", [PATH_CHALLENGE] = "8", [PATH_RESPONSE] = "8",
	[CLOSE] = "vbt",
};

static const uint8_t *get_bytes(struct frame *f, const uint8_t *at, const uint8_t *end,
				size_t len)
{
	if (len > (size_t)(end - at))
		return NULL;
	f->data = at;
	f->len = len;
	return at + len;
}

static const uint8_t *get_text(struct frame *f, const uint8_t *at, const uint8_t *end)
{
	return at < end ? get_bytes(f, at + 1, end, *at) : NULL;
}

static const uint8_t *get_fields(struct frame *f, const char *fields, const uint8_t *at,
				 const uint8_t *end)
{
	size_t n;

	for (int i = 0; at && fields[i]; i++) {
		switch (fields[i]) {
		case 'v':
			n = varint_read(at, end, &f->field[i]);
			at = n ? at + n : NULL;
			break;
		case 'b':
			if (at == end)
				return NULL;
			f->field[i] = *at++;
			break;
		case '8':
			at = get_bytes(f, at, end, 8);
			break;
		default:
			at = get_text(f, at, end);
		}
	}
	return at;
}

/* data: the pairs of gap and length, which must be read with varint_read() */
static const uint8_t *get_ack(struct frame *f, const uint8_t *at, const uint8_t *end)
{
	const uint8_t *from;
	uint64_t left, value;
	size_t n;

	from = get_fields(f, "vvvv", at, end);
	if (!from || f->field[2] > 256)
		return NULL;
	at = from;
	left = 2 * f->field[2] + (f->type == ACK_ECN ? 3 : 0);
	while (left--) {
		n = varint_read(at, end, &value);
		if (!n)
			return NULL;
		at += n;
	}
	f->data = from;
	f->len = at - from;
	return at;
}

static const uint8_t *get_stream(struct frame *f, const uint8_t *at, const uint8_t *end)
{
	at = get_fields(f, f->type & LEN ? "vvv" : "vv", at, end);
	return at ? get_bytes(f, at, end, f->type & LEN ? f->field[2] : (size_t)(end - at)) : NULL;
}

static const uint8_t *get_datagram(struct frame *f, const uint8_t *at, const uint8_t *end)
{
	size_t left;

	at = get_fields(f, "vvvv", at, end);
	if (!at || (f->field[2] ? f->field[3] >= f->field[2] : f->field[3]))
		return NULL;
	left = end - at;
	if (left > f->field[2] - f->field[3])
		left = f->field[2] - f->field[3];
	return get_bytes(f, at, end, left);
}

static const uint8_t *get_endpoints(struct frame *f, const uint8_t *at, const uint8_t *end)
{
	const uint8_t *from = at;
	size_t len;

	if (at == end)
		return NULL;
	for (int count = *at++; count; count--) {
		len = at < end && *at == 6 ? 20 : 8;
		if (len > (size_t)(end - at))
			return NULL;
		at += len;
	}
	f->data = from;
	f->len = at - from;
	return at;
}

/* Takes the frame at *@at apart; false: malformed */
bool frame_get(struct frame *f, const uint8_t **at, const uint8_t *end)
{
	const uint8_t *from = *at + 1;

	memset(f, 0, sizeof(*f));
	f->type = **at;
	if (f->type == ACK || f->type == ACK_ECN) {
		from = get_ack(f, from, end);
	} else if (f->type == DATAGRAM) {
		from = get_datagram(f, from, end);
	} else if ((f->type & ~7) == STREAM) {
		from = get_stream(f, from, end);
	} else if (f->type == ENDPOINTS) {
		from = get_endpoints(f, from, end);
	} else if (f->type > CLOSE) {
		return false;
	} else {
		from = get_fields(f, layout[f->type], from, end);
		if (f->type == INIT && from && !f->field[1]) {
			from = get_text(f, from, end);
			from = from ? get_text(f, from, end) : NULL;
		}
	}
	if (!from)
		return false;
	*at = from;
	return true;
}

/* A type and @count varints, each a uint64_t */
size_t put_numbers(uint8_t *to, uint8_t type, int count, ...)
{
	size_t len = 1;
	va_list args;

	to[0] = type;
	va_start(args, count);
	while (count--)
		len += varint_write(to + len, va_arg(args, uint64_t));
	va_end(args);
	return len;
}

static size_t put_text(uint8_t *to, const char *text)
{
	to[0] = strlen(text);
	memcpy(to + 1, text, to[0]);
	return 1 + to[0];
}

size_t put_child(uint8_t *to, uint64_t id, uint64_t parent)
{
	size_t len = put_numbers(to, INIT, 2, id, parent);

	to[len++] = 3;
	to[len++] = 16;
	return len;
}

size_t put_init(uint8_t *to, uint64_t id, const char *service, const char *protocol)
{
	size_t len = put_child(to, id, 0);

	len += put_text(to + len, service);
	return len + put_text(to + len, protocol);
}

size_t put_stream(uint8_t *to, uint64_t id, uint64_t offset, int flags, const void *data,
		  size_t len)
{
	size_t head = put_numbers(to, STREAM | LEN | flags, 3, id, offset, (uint64_t)len);

	memcpy(to + head, data, len);
	return head + len;
}

size_t put_reply(uint8_t *to, uint64_t id, uint8_t status)
{
	size_t len = put_numbers(to, SERVICE_REPLY, 1, id);

	to[len++] = status;
	to[len++] = 0;
	return len;
}

size_t put_close(uint8_t *to, uint64_t code)
{
	size_t len = put_numbers(to, CLOSE, 1, code);

	to[len++] = 0;
	to[len++] = 0;
	return len;
}
