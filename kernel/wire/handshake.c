// SPDX-License-Identifier: GPL-2.0
#include "cursor.h"
#include "handshake.h"
#include "name.h"
#include "packet.h"

static_assert(sizeof(struct sss_msg_initiate) == SSS_MSG_INITIATE_LEN);
static_assert(sizeof(struct sss_msg_respond) == SSS_MSG_RESPOND_LEN);
static_assert(sizeof(struct sss_msg_cookie) == SSS_MSG_COOKIE_LEN);
static_assert(sizeof(struct sss_msg_reject) == SSS_MSG_REJECT_LEN);

/* First byte of the optional part of both payloads; other bits are ignored. */
#define FLAG_NAMED	1	/* a request, or an answer, follows */
#define FLAG_REFUSED	2	/* in RESPOND: no channel */

/*
 * The transport parameters: types 1 to PARAM_COUNT - 1 on the wire, each an
 * integer between @min and @max. @limit: what a resumed channel had is kept
 * where it was more.
 */
static const struct param {
	size_t at;
	u64 initial;
	u64 min;
	u64 max;
	bool limit;
} param_table[] = {
#define PARAM(field) offsetof(struct sss_params, field)
	[1] = { PARAM(initial_stream_window), 65536,
		SSS_PARAM_STREAM_WINDOW_MIN, SSS_VARINT_MAX, true },
	[2] = { PARAM(channel_window), 16 << 20, 0, SSS_VARINT_MAX, true },
	[3] = { PARAM(datagram_credit), 256 << 10, 0, SSS_VARINT_MAX, true },
	[4] = { PARAM(max_streams), 4096, 0, SSS_VARINT_MAX, true },
	[5] = { PARAM(max_record), 16 << 20, 0, SSS_VARINT_MAX, true },
	[6] = { PARAM(max_datagram), 1 << 20, 0, SSS_VARINT_MAX, true },
	[7] = { PARAM(max_ack_delay_us), 5000, 0, SSS_PARAM_ACK_DELAY_MAX_US, false },
	[8] = { PARAM(idle_ms), 60000, 0, SSS_VARINT_MAX, false },
	[9] = { PARAM(max_packet), SSS_PARAM_PACKET_MAX,
		SSS_PARAM_PACKET_MIN, SSS_VARINT_MAX, true },
	[10] = { PARAM(suites), SSS_SUITE_CHACHA20POLY1305, 0, SSS_VARINT_MAX, false },
#undef PARAM
};

#define PARAM_COUNT ARRAY_SIZE(param_table)

static u64 *param_of(struct sss_params *params, unsigned int i)
{
	return (u64 *)((char *)params + param_table[i].at);
}

static bool param_ok(unsigned int i, u64 value)
{
	if (value < param_table[i].min || value > param_table[i].max)
		return false;
	return param_table[i].at != offsetof(struct sss_params, suites) ||
	       (value & SSS_SUITE_CHACHA20POLY1305);
}

/* Little-endian 2^255 - 19 */
static const u8 field_prime[SSS_HS_EID_LEN] = {
	0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
};

/* The points of order 1, 2, 4 and 8 that are below it */
static const u8 low_order[][SSS_HS_EID_LEN] = {
	{ 0 },
	{ 1 },
	{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
	  0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
	  0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
	  0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
	{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24,
	  0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
	  0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86,
	  0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

static bool below_prime(const u8 *key)
{
	int i;

	for (i = SSS_HS_EID_LEN - 1; i >= 0; i--) {
		if (key[i] != field_prime[i])
			return key[i] < field_prime[i];
	}
	return false;
}

/**
 * sss_eid_is_valid() - may this public key name anybody?
 * @eid: 32 bytes
 *
 * Return: whether the top bit is clear, the value below 2^255-19 and the point
 * not of low order, so that one key has one EID and Diffie-Hellman with it
 * has a secret result. Not constant time: EIDs are public.
 */
bool sss_eid_is_valid(const u8 eid[SSS_HS_EID_LEN])
{
	size_t i;

	if (!below_prime(eid))
		return false;
	for (i = 0; i < ARRAY_SIZE(low_order); i++) {
		if (!memcmp(eid, low_order[i], SSS_HS_EID_LEN))
			return false;
	}
	return true;
}

/**
 * sss_eid_cmp() - which EID is numerically smaller?
 * @a: 32 bytes, read as a number in network byte order
 * @b: likewise
 *
 * Return: below, at or above 0, as memcmp().
 */
int sss_eid_cmp(const u8 a[SSS_HS_EID_LEN], const u8 b[SSS_HS_EID_LEN])
{
	return memcmp(a, b, SSS_HS_EID_LEN);
}

/**
 * sss_params_init() - transport parameters of who does not say otherwise
 * @params: filled
 */
void sss_params_init(struct sss_params *params)
{
	unsigned int i;

	for (i = 1; i < PARAM_COUNT; i++)
		*param_of(params, i) = param_table[i].initial;
}

/**
 * sss_params_raise() - apply what a resuming handshake says
 * @params: of the peer, in force
 * @resumed: from the new handshake; lowers no limit, because streams may have
 *	relied on it
 */
void sss_params_raise(struct sss_params *params, const struct sss_params *resumed)
{
	struct sss_params new = *resumed;
	unsigned int i;

	for (i = 1; i < PARAM_COUNT; i++) {
		u64 *old = param_of(params, i);
		u64 value = *param_of(&new, i);

		*old = param_table[i].limit ? max_t(u64, *old, value) : value;
	}
}

static void put_params(struct sss_writer *w, const struct sss_params *params)
{
	struct sss_params copy = *params;
	unsigned int i;

	for (i = 1; i < PARAM_COUNT; i++) {
		u64 value = *param_of(&copy, i);

		w->bad |= !param_ok(i, value);
		sss_writer_varint(w, i);
		sss_writer_varint(w, sss_varint_len(value));
		sss_writer_varint(w, value);
	}
}

/* One type-length-value, whose header has been read. */
static bool get_param(struct sss_params *params, u64 type, const u8 *value, size_t len,
		      u32 *seen)
{
	struct sss_cursor c;
	u64 number;

	if (type >= PARAM_COUNT)
		return true;
	sss_cursor_init(&c, value, len);
	number = sss_cursor_varint(&c);
	if (c.bad || sss_cursor_left(&c) || *seen & 1U << type ||
	    !param_ok(type, number))
		return false;
	*seen |= 1U << type;
	*param_of(params, type) = number;
	return true;
}

/* Type 0 ends them: the rest is padding. */
static void get_params(struct sss_cursor *c, struct sss_params *params)
{
	u32 seen = 0;

	sss_params_init(params);
	while (!c->bad && sss_cursor_left(c)) {
		u64 type = sss_cursor_varint(c);
		const u8 *value;
		u64 len;

		if (!type)
			return;
		len = sss_cursor_varint(c);
		if (len > sss_cursor_left(c))
			c->bad = true;
		value = sss_cursor_bytes(c, c->bad ? 0 : len);
		if (c->bad || !get_param(params, type, value, len, &seen))
			c->bad = true;
	}
}

static void put_string(struct sss_writer *w, const char *string, size_t max_len)
{
	size_t len = strnlen(string, max_len + 1);

	if (len > max_len) {
		w->bad = true;
		return;
	}
	sss_writer_u8(w, len);
	sss_writer_bytes(w, string, len);
}

static void put_name(struct sss_writer *w, const char *name)
{
	if (!sss_name_is_valid((const u8 *)name, strnlen(name, SSS_HS_NAME_MAX + 1)))
		w->bad = true;
	put_string(w, name, SSS_HS_NAME_MAX);
}

/* @to has room for @max_len and a NUL. */
static void get_string(struct sss_cursor *c, char *to, size_t max_len)
{
	size_t len = sss_cursor_u8(c);
	const u8 *bytes;

	if (len > max_len)
		c->bad = true;
	bytes = sss_cursor_bytes(c, c->bad ? 0 : len);
	if (c->bad || memchr(bytes, 0, len)) {
		c->bad = true;
		return;
	}
	memcpy(to, bytes, len);
	to[len] = 0;
}

static void get_name(struct sss_cursor *c, char *to)
{
	get_string(c, to, SSS_HS_NAME_MAX);
	if (!sss_name_is_valid((const u8 *)to, strlen(to)))
		c->bad = true;
}

/**
 * sss_handshake_put_initiate() - encode the payload of an INITIATE
 * @buf: filled to its end
 * @sender: the sender index in the message's header, which Noise leaves open
 * @payload: what to say
 *
 * Return: 0, or -EINVAL if a name or a parameter is out of bounds.
 */
int sss_handshake_put_initiate(u8 buf[SSS_INITIATE_PAYLOAD], u32 sender,
			       const struct sss_initiate_payload *payload)
{
	struct sss_writer w;

	sss_writer_init(&w, buf, SSS_INITIATE_PAYLOAD);
	sss_writer_be32(&w, sender);
	sss_writer_bytes(&w, payload->stamp, sizeof(payload->stamp));
	sss_writer_be64(&w, payload->incarnation);
	sss_writer_be64(&w, payload->remembered);
	sss_writer_be64(&w, payload->next_number);
	sss_writer_u8(&w, payload->has_request ? FLAG_NAMED : 0);
	if (payload->has_request) {
		sss_writer_u8(&w, payload->kind);
		put_name(&w, payload->service);
		put_name(&w, payload->protocol);
	}
	put_params(&w, &payload->params);
	sss_writer_zero(&w, sss_writer_room(&w));
	return w.bad || !payload->incarnation ||
	       payload->next_number > SSS_VARINT_MAX ? -EINVAL : 0;
}

/**
 * sss_handshake_get_initiate() - decode the payload of an INITIATE
 * @buf: decrypted
 * @sender: the sender index in the message's header
 * @payload: filled, strings terminated, parameters within their bounds
 *
 * Return: 0, or -EPROTO if anything is malformed or out of bounds.
 */
int sss_handshake_get_initiate(const u8 buf[SSS_INITIATE_PAYLOAD], u32 sender,
			       struct sss_initiate_payload *payload)
{
	struct sss_cursor c;
	const u8 *stamp;

	memset(payload, 0, sizeof(*payload));
	sss_cursor_init(&c, buf, SSS_INITIATE_PAYLOAD);
	if (sss_cursor_be32(&c) != sender)
		return -EPROTO;
	stamp = sss_cursor_bytes(&c, sizeof(payload->stamp));
	if (!stamp)
		return -EPROTO;
	memcpy(payload->stamp, stamp, sizeof(payload->stamp));
	payload->incarnation = sss_cursor_be64(&c);
	payload->remembered = sss_cursor_be64(&c);
	payload->next_number = sss_cursor_be64(&c);
	payload->has_request = sss_cursor_u8(&c) & FLAG_NAMED;
	if (payload->has_request) {
		payload->kind = sss_cursor_u8(&c);
		get_name(&c, payload->service);
		get_name(&c, payload->protocol);
	}
	get_params(&c, &payload->params);
	return c.bad || !payload->incarnation ||
	       payload->next_number > SSS_VARINT_MAX ? -EPROTO : 0;
}

/**
 * sss_handshake_put_respond() - encode the payload of a RESPOND
 * @buf: filled to its end
 * @sender: the sender index in the message's header, which Noise leaves open
 * @payload: what to say
 *
 * Return: 0, or -EINVAL if the text or a parameter is out of bounds.
 */
int sss_handshake_put_respond(u8 buf[SSS_RESPOND_PAYLOAD], u32 sender,
			      const struct sss_respond_payload *payload)
{
	struct sss_writer w;

	sss_writer_init(&w, buf, SSS_RESPOND_PAYLOAD);
	sss_writer_be32(&w, sender);
	sss_writer_be64(&w, payload->incarnation);
	sss_writer_be64(&w, payload->remembered);
	sss_writer_be64(&w, payload->next_number);
	sss_writer_u8(&w, (payload->has_answer ? FLAG_NAMED : 0) |
			  (payload->refused ? FLAG_REFUSED : 0));
	if (payload->has_answer) {
		sss_writer_u8(&w, payload->status);
		put_string(&w, payload->text, SSS_HS_TEXT_MAX);
	}
	put_params(&w, &payload->params);
	sss_writer_zero(&w, sss_writer_room(&w));
	return w.bad || !payload->incarnation ||
	       payload->next_number > SSS_VARINT_MAX ? -EINVAL : 0;
}

/**
 * sss_handshake_get_respond() - decode the payload of a RESPOND
 * @buf: decrypted
 * @sender: the sender index in the message's header
 * @payload: filled, text terminated, parameters within their bounds
 *
 * Return: 0, or -EPROTO if anything is malformed or out of bounds.
 */
int sss_handshake_get_respond(const u8 buf[SSS_RESPOND_PAYLOAD], u32 sender,
			      struct sss_respond_payload *payload)
{
	struct sss_cursor c;
	u8 flags;

	memset(payload, 0, sizeof(*payload));
	sss_cursor_init(&c, buf, SSS_RESPOND_PAYLOAD);
	if (sss_cursor_be32(&c) != sender)
		return -EPROTO;
	payload->incarnation = sss_cursor_be64(&c);
	payload->remembered = sss_cursor_be64(&c);
	payload->next_number = sss_cursor_be64(&c);
	flags = sss_cursor_u8(&c);
	payload->refused = flags & FLAG_REFUSED;
	payload->has_answer = flags & FLAG_NAMED;
	if (payload->has_answer) {
		payload->status = sss_cursor_u8(&c);
		get_string(&c, payload->text, SSS_HS_TEXT_MAX);
	}
	get_params(&c, &payload->params);
	return c.bad || !payload->incarnation ||
	       payload->next_number > SSS_VARINT_MAX ? -EPROTO : 0;
}

/**
 * sss_handshake_length_ok() - is this a well-formed handshake message outside?
 * @msg: UDP payload
 * @len: its length
 *
 * Return: whether type, length and the three zero bytes fit together.
 */
bool sss_handshake_length_ok(const u8 *msg, size_t len)
{
	static const u16 lengths[] = {
		[SSS_PACKET_INITIATE] = SSS_MSG_INITIATE_LEN,
		[SSS_PACKET_RESPOND] = SSS_MSG_RESPOND_LEN,
		[SSS_PACKET_COOKIE] = SSS_MSG_COOKIE_LEN,
		[SSS_PACKET_REJECT] = SSS_MSG_REJECT_LEN,
	};

	return len >= SSS_MSG_REJECT_LEN && msg[0] < ARRAY_SIZE(lengths) &&
	       lengths[msg[0]] == len && !msg[1] && !msg[2] && !msg[3];
}

/**
 * sss_handshake_put_reject() - answer an INITIATE meant for another key
 * @reject: filled
 * @initiate: the message whose mac1 is wrong
 */
void sss_handshake_put_reject(struct sss_msg_reject *reject,
			      const struct sss_msg_initiate *initiate)
{
	memset(reject, 0, sizeof(*reject));
	reject->type = SSS_PACKET_REJECT;
	reject->receiver = initiate->sender;
	memcpy(reject->mac1, initiate->macs.mac1, sizeof(reject->mac1));
}
