// SPDX-License-Identifier: GPL-2.0
/* Payloads of INITIATE and RESPOND, as protocol.rst lays them out. */
#include <string.h>
#include "peer.h"

void put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = value >> (24 - 8 * i);
}

uint32_t get32(const uint8_t *from)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | from[i];
	return value;
}

void put64(uint8_t *to, uint64_t value)
{
	put32(to, value >> 32);
	put32(to + 4, value);
}

uint64_t get64(const uint8_t *from)
{
	return (uint64_t)get32(from) << 32 | get32(from + 4);
}

/* Variable-length integer of RFC 9000, section 16, in its shortest form. */
size_t varint_write(uint8_t *to, uint64_t value)
{
	int log = value < 1 << 6 ? 0 : value < 1 << 14 ? 1 : value < 1 << 30 ? 2 : 3;
	size_t len = (size_t)1 << log;

	for (size_t i = 0; i < len; i++)
		to[i] = value >> (8 * (len - 1 - i));
	to[0] |= log << 6;
	return len;
}

size_t varint_read(const uint8_t *from, const uint8_t *end, uint64_t *value)
{
	size_t len;

	if (from >= end)
		return 0;
	len = (size_t)1 << (from[0] >> 6);
	if (len > (size_t)(end - from))
		return 0;
	*value = from[0] & 0x3f;
	for (size_t i = 1; i < len; i++)
		*value = *value << 8 | from[i];
	/* Only the shortest form is valid. */
	return len == 1 || *value >> (4 * len - 2) ? len : 0;
}

static uint8_t *string_write(uint8_t *to, const char *string)
{
	size_t len = strlen(string);

	*to++ = len;
	memcpy(to, string, len);
	return to + len;
}

static const uint8_t *string_read(const uint8_t *from, const uint8_t *end, char *to,
				  size_t min, size_t max)
{
	size_t len;

	if (!from || from >= end)
		return NULL;
	len = *from++;
	if (len < min || len > max || len > (size_t)(end - from) ||
	    memchr(from, 0, len))
		return NULL;
	memcpy(to, from, len);
	to[len] = 0;
	return from + len;
}

static void params_write(uint8_t *to, const struct payload *payload)
{
	for (int i = 1; i < PARAM_COUNT; i++) {
		uint8_t value[8];
		size_t len = varint_write(value, payload->param[i]);

		to += varint_write(to, i);
		to += varint_write(to, len);
		memcpy(to, value, len);
		to += len;
	}
}

static bool params_read(const uint8_t *from, const uint8_t *end,
			struct payload *payload)
{
	uint32_t seen = 0;

	memset(payload->param, 0, sizeof(payload->param));
	while (from < end && *from) {
		uint64_t type, len;
		size_t n = varint_read(from, end, &type);

		if (!n)
			return false;
		from += n;
		n = varint_read(from, end, &len);
		if (!n || len > (uint64_t)(end - from - n))
			return false;
		from += n;
		if (type < PARAM_COUNT) {
			if (seen & 1U << type)
				return false;
			seen |= 1U << type;
			if (varint_read(from, from + len, &payload->param[type]) != len)
				return false;
		}
		from += len;
	}
	return true;
}

static uint8_t *common_write(uint8_t *to, const struct payload *payload)
{
	put64(to, payload->incarnation);
	put64(to + 8, payload->remembered);
	put64(to + 16, payload->next_number);
	return to + 24;
}

static bool common_read(const uint8_t *from, struct payload *payload)
{
	payload->incarnation = get64(from);
	payload->remembered = get64(from + 8);
	payload->next_number = get64(from + 16);
	return payload->incarnation && payload->next_number < (uint64_t)1 << 62;
}

bool initiate_payload_write(uint8_t to[INITIATE_PAYLOAD], uint32_t index,
			    const struct payload *payload)
{
	uint8_t *at;

	memset(to, 0, INITIATE_PAYLOAD);
	put32(to, index);
	memcpy(to + 4, payload->stamp, 12);
	at = common_write(to + 16, payload);
	*at++ = payload->has_request;
	if (payload->has_request) {
		*at++ = payload->kind;
		at = string_write(at, payload->service);
		at = string_write(at, payload->protocol);
	}
	params_write(at, payload);
	return true;
}

bool initiate_payload_read(const uint8_t from[INITIATE_PAYLOAD], uint32_t index,
			   struct payload *payload)
{
	const uint8_t *end = from + INITIATE_PAYLOAD;
	const uint8_t *at = from + 41;

	memset(payload, 0, sizeof(*payload));
	if (get32(from) != index || !common_read(from + 16, payload))
		return false;
	memcpy(payload->stamp, from + 4, 12);
	payload->has_request = from[40] & 1;
	if (payload->has_request) {
		payload->kind = *at++;
		at = string_read(at, end, payload->service, 1, NAME_MAX_LEN);
		at = string_read(at, end, payload->protocol, 1, NAME_MAX_LEN);
	}
	return at && params_read(at, end, payload);
}

bool respond_payload_write(uint8_t to[RESPOND_PAYLOAD], uint32_t index,
			   const struct payload *payload)
{
	uint8_t *at;

	memset(to, 0, RESPOND_PAYLOAD);
	put32(to, index);
	at = common_write(to + 4, payload);
	*at++ = payload->has_answer | payload->refused << 1;
	if (payload->has_answer) {
		*at++ = payload->status;
		at = string_write(at, payload->text);
	}
	params_write(at, payload);
	return true;
}

bool respond_payload_read(const uint8_t from[RESPOND_PAYLOAD], uint32_t index,
			  struct payload *payload)
{
	const uint8_t *end = from + RESPOND_PAYLOAD;
	const uint8_t *at = from + 29;

	memset(payload, 0, sizeof(*payload));
	if (get32(from) != index || !common_read(from + 4, payload))
		return false;
	payload->has_answer = from[28] & 1;
	payload->refused = from[28] & 2;
	if (payload->has_answer) {
		payload->status = *at++;
		at = string_read(at, end, payload->text, 0, sizeof(payload->text) - 1);
	}
	return at && params_read(at, end, payload);
}
