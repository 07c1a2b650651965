// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <string.h>
#include <cbor.h>
#include "cbor.h"

#define DEPTH_MAX	8
#define HEAD_MAX	23	/* elements that fit the first byte of a map or array */

void reg_in_fail(struct reg_in *in, enum reg_status error)
{
	if (in->error == REG_OK)
		in->error = error;
	in->p = in->end;
}

/* What libcbor calls: exactly one of these for each item */

static void set(void *context, enum reg_type type, uint64_t n, const uint8_t *data)
{
	struct reg_item *item = context;

	item->type = type;
	item->n = n;
	item->data = data;
}

static void on_uint8(void *context, uint8_t n)
{
	set(context, REG_T_UINT, n, NULL);
}

static void on_uint16(void *context, uint16_t n)
{
	set(context, REG_T_UINT, n, NULL);
}

static void on_uint32(void *context, uint32_t n)
{
	set(context, REG_T_UINT, n, NULL);
}

static void on_uint64(void *context, uint64_t n)
{
	set(context, REG_T_UINT, n, NULL);
}

static void on_other8(void *context, uint8_t n)
{
	set(context, REG_T_OTHER, n, NULL);
}

static void on_other16(void *context, uint16_t n)
{
	set(context, REG_T_OTHER, n, NULL);
}

static void on_other32(void *context, uint32_t n)
{
	set(context, REG_T_OTHER, n, NULL);
}

static void on_other64(void *context, uint64_t n)
{
	set(context, REG_T_OTHER, n, NULL);
}

static void on_bytes(void *context, cbor_data data, size_t n)
{
	set(context, REG_T_BYTES, n, data);
}

static void on_text(void *context, cbor_data data, size_t n)
{
	set(context, REG_T_TEXT, n, data);
}

static void on_array(void *context, size_t n)
{
	set(context, REG_T_ARRAY, n, NULL);
}

static void on_map(void *context, size_t n)
{
	set(context, REG_T_MAP, n, NULL);
}

static void on_tag(void *context, uint64_t n)
{
	set(context, REG_T_TAG, n, NULL);
}

static void on_bool(void *context, bool n)
{
	set(context, REG_T_BOOL, n, NULL);
}

static void on_float(void *context, float n)
{
	set(context, REG_T_OTHER, n != 0, NULL);
}

static void on_double(void *context, double n)
{
	set(context, REG_T_OTHER, n != 0, NULL);
}

static void on_simple(void *context)
{
	set(context, REG_T_OTHER, 0, NULL);
}

/* Indefinite lengths, and the ends of them, are not used by this protocol */
static void on_indefinite(void *context)
{
	set(context, REG_T_BAD, 0, NULL);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8, .uint16 = on_uint16, .uint32 = on_uint32, .uint64 = on_uint64,
	.negint8 = on_other8, .negint16 = on_other16, .negint32 = on_other32,
	.negint64 = on_other64,
	.byte_string = on_bytes, .byte_string_start = on_indefinite,
	.string = on_text, .string_start = on_indefinite,
	.array_start = on_array, .indef_array_start = on_indefinite,
	.map_start = on_map, .indef_map_start = on_indefinite,
	.tag = on_tag, .boolean = on_bool, .null = on_simple, .undefined = on_simple,
	.float2 = on_float, .float4 = on_float, .float8 = on_double,
	.indef_break = on_indefinite,
};

struct reg_item reg_in_item(struct reg_in *in)
{
	const struct reg_item none = { .type = REG_T_NONE };
	struct reg_item item = none;
	struct cbor_decoder_result result;
	size_t left = in->end - in->p;

	if (in->error != REG_OK)
		return none;
	result = cbor_stream_decode(in->p, left, &callbacks, &item);
	if (result.status != CBOR_DECODER_FINISHED || result.read > left ||
	    item.type == REG_T_BAD || item.type == REG_T_NONE)
		goto malformed;
	/* Each element takes a byte at least */
	if ((item.type == REG_T_ARRAY || item.type == REG_T_MAP) && item.n > left)
		goto malformed;
	in->p += result.read;
	return item;
malformed:
	reg_in_fail(in, REG_MALFORMED);
	return none;
}

/* Counts what is still to come on each level instead of calling itself */
void reg_in_skip(struct reg_in *in)
{
	uint64_t left[DEPTH_MAX + 1] = { 1 };
	unsigned int depth = 0;
	struct reg_item item;

	for (;;) {
		while (!left[depth]) {
			if (!depth--)
				return;
		}
		left[depth]--;
		item = reg_in_item(in);
		if (in->error != REG_OK)
			return;
		if (item.type != REG_T_ARRAY && item.type != REG_T_MAP && item.type != REG_T_TAG)
			continue;
		if (depth == DEPTH_MAX) {
			reg_in_fail(in, REG_MALFORMED);
			return;
		}
		left[++depth] = item.type == REG_T_TAG ? 1 :
				item.type == REG_T_MAP ? 2 * item.n : item.n;
	}
}

static struct reg_item expect(struct reg_in *in, enum reg_type type)
{
	struct reg_item item = reg_in_item(in);

	if (in->error == REG_OK && item.type != type)
		reg_in_fail(in, REG_MALFORMED);
	if (in->error != REG_OK)
		item.n = 0;
	return item;
}

uint64_t reg_in_uint(struct reg_in *in, uint64_t max)
{
	struct reg_item item = expect(in, REG_T_UINT);

	if (item.n <= max)
		return item.n;
	reg_in_fail(in, REG_INVALID);
	return 0;
}

bool reg_in_bool(struct reg_in *in)
{
	return expect(in, REG_T_BOOL).n;
}

size_t reg_in_bytes(struct reg_in *in, uint8_t *bytes, size_t max)
{
	struct reg_item item = expect(in, REG_T_BYTES);

	if (item.n > max) {
		reg_in_fail(in, REG_INVALID);
		return 0;
	}
	if (item.n)
		memcpy(bytes, item.data, item.n);
	return item.n;
}

void reg_in_text(struct reg_in *in, char *text, size_t max)
{
	struct reg_item item = expect(in, REG_T_TEXT);

	text[0] = '\0';
	if (item.n > max || !reg_text_valid((const char *)item.data, item.n)) {
		reg_in_fail(in, REG_INVALID);
		return;
	}
	if (item.n)
		memcpy(text, item.data, item.n);
	text[item.n] = '\0';
}

unsigned int reg_in_array(struct reg_in *in, unsigned int max)
{
	struct reg_item item = expect(in, REG_T_ARRAY);

	if (item.n <= max)
		return item.n;
	reg_in_fail(in, REG_INVALID);
	return 0;
}

struct reg_map reg_in_map(struct reg_in *in)
{
	struct reg_map map = { .left = expect(in, REG_T_MAP).n };

	return map;
}

bool reg_in_key(struct reg_in *in, struct reg_map *map, uint64_t *key)
{
	if (!map->left || in->error != REG_OK)
		return false;
	*key = reg_in_uint(in, UINT64_MAX);
	if (map->begun && *key <= map->last)
		reg_in_fail(in, REG_MALFORMED);
	map->begun = true;
	map->last = *key;
	map->left--;
	return in->error == REG_OK;
}

enum reg_status reg_in_end(struct reg_in *in)
{
	if (in->error == REG_OK && in->p != in->end)
		reg_in_fail(in, REG_MALFORMED);
	return in->error;
}

/* Writing */

static void wrote(struct reg_out *out, size_t n)
{
	if (n)
		out->p += n;
	else
		out->full = true;
	if (out->full)
		out->end = out->p;
}

void reg_out_uint(struct reg_out *out, uint64_t v)
{
	wrote(out, cbor_encode_uint(v, out->p, out->end - out->p));
}

void reg_out_bool(struct reg_out *out, bool v)
{
	wrote(out, cbor_encode_bool(v, out->p, out->end - out->p));
}

static void append(struct reg_out *out, const void *bytes, size_t len)
{
	if (out->full || len > (size_t)(out->end - out->p)) {
		out->full = true;
		return;
	}
	if (len)
		memcpy(out->p, bytes, len);
	out->p += len;
}

void reg_out_text(struct reg_out *out, const char *text)
{
	size_t len = strlen(text);

	wrote(out, cbor_encode_string_start(len, out->p, out->end - out->p));
	append(out, text, len);
}

void reg_out_bytes(struct reg_out *out, const void *bytes, size_t len)
{
	wrote(out, cbor_encode_bytestring_start(len, out->p, out->end - out->p));
	append(out, bytes, len);
}

uint8_t *reg_out_map(struct reg_out *out)
{
	uint8_t *head = out->p;

	wrote(out, cbor_encode_map_start(0, out->p, out->end - out->p));
	return head;
}

uint8_t *reg_out_array(struct reg_out *out)
{
	uint8_t *head = out->p;

	wrote(out, cbor_encode_array_start(0, out->p, out->end - out->p));
	return head;
}

void reg_out_element(struct reg_out *out, uint8_t *array)
{
	if (out->full)
		return;
	if ((*array & 0x1f) == HEAD_MAX)
		out->full = true;
	else
		++*array;
}

void reg_out_key(struct reg_out *out, uint8_t *map, unsigned int key)
{
	reg_out_element(out, map);
	reg_out_uint(out, key);
}
