// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake's vectors and its resistance to tampering, on the userspace
 * implementation; the module runs the same vectors when it is loaded with
 * DEBUG. And the module's own payload codec, which is pure and thus compiled
 * in here, against the one of this folder.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../kernel/wire/handshake.h"
#include "peer.h"
#include "vectors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int tests, failures;

static void result(bool ok, const char *what, const char *of)
{
	printf("%sok %d %s%s%s\n", ok ? "" : "not ", ++tests, what, *of ? ": " : "", of);
	failures += !ok;
}

static bool from_hex(uint8_t *to, size_t len, const char *hex)
{
	size_t got;

	return !sodium_hex2bin(to, len, hex, strlen(hex), NULL, &got, NULL) &&
	       got == len;
}

static bool equals_hex(const uint8_t *data, size_t len, const char *hex)
{
	uint8_t expected[512];

	return len <= sizeof(expected) && from_hex(expected, len, hex) &&
	       !memcmp(data, expected, len);
}

/* Both ends of one vector, brought up to where each test begins. */
struct ends {
	struct identity a, b;
	struct handshake from, to;
	uint8_t plain_i[INITIATE_PAYLOAD], plain_r[RESPOND_PAYLOAD];
	uint8_t initiate[INITIATE_LEN], respond[RESPOND_LEN];
	struct session as, bs;
};

static bool set_up(struct ends *e, const struct vector *v)
{
	uint8_t private[KEY], plain[RESPOND_PAYLOAD];

	memset(e, 0, sizeof(*e));
	if (!from_hex(private, KEY, v->initiator_private))
		return false;
	identity_from(&e->a, private);
	if (!from_hex(private, KEY, v->responder_private))
		return false;
	identity_from(&e->b, private);
	return from_hex(e->from.ephemeral, KEY, v->initiator_ephemeral) &&
	       from_hex(e->to.ephemeral, KEY, v->responder_ephemeral) &&
	       from_hex(e->from.psk, KEY, v->psk) && from_hex(e->to.psk, KEY, v->psk) &&
	       from_hex(e->plain_i, sizeof(e->plain_i), v->initiate_payload) &&
	       from_hex(e->plain_r, sizeof(e->plain_r), v->respond_payload) &&
	       initiate_write(&e->from, e->initiate, &e->a, e->b.public, e->plain_i,
			      v->initiator_index) &&
	       initiate_read(&e->to, e->initiate, &e->b, plain) &&
	       !memcmp(plain, e->plain_i, sizeof(e->plain_i)) &&
	       respond_write(&e->to, e->respond, e->plain_r, v->responder_index,
			     &e->bs) &&
	       respond_read(&e->from, e->respond, &e->a, plain, &e->as) &&
	       !memcmp(plain, e->plain_r, sizeof(e->plain_r));
}

static void test_transcript(const struct vector *v)
{
	struct ends e;

	result(set_up(&e, v), "both ends finish", v->name);
	result(equals_hex(e.a.public, KEY, v->initiator_eid) &&
	       equals_hex(e.b.public, KEY, v->responder_eid), "EIDs", v->name);
	result(equals_hex(e.initiate, INITIATE_LEN, v->initiate), "INITIATE", v->name);
	result(equals_hex(e.respond, RESPOND_LEN, v->respond), "RESPOND", v->name);
	result(equals_hex(e.as.send, KEY, v->initiator_sends) &&
	       equals_hex(e.as.receive, KEY, v->responder_sends) &&
	       equals_hex(e.bs.receive, KEY, v->initiator_sends) &&
	       equals_hex(e.bs.send, KEY, v->responder_sends) &&
	       e.as.send_mask == v->initiator_mask &&
	       e.bs.send_mask == v->responder_mask &&
	       e.as.receive_mask == v->responder_mask &&
	       e.bs.receive_mask == v->initiator_mask, "keys and masks", v->name);
}

static void test_cookie(const struct vector *v)
{
	uint8_t cookie[MAC], nonce[24], msg[COOKIE_LEN], read[MAC];
	struct ends e;
	bool refused = true;
	uint8_t *mac1 = e.initiate + INITIATE_LEN - 2 * MAC;

	set_up(&e, v);
	from_hex(cookie, MAC, v->cookie);
	from_hex(nonce, sizeof(nonce), v->cookie_nonce);
	cookie_write(msg, v->initiator_index, nonce, cookie, mac1, e.b.public);
	result(equals_hex(msg, COOKIE_LEN, v->cookie_message), "COOKIE", v->name);
	result(cookie_read(msg, read, mac1, e.b.public) && !memcmp(read, cookie, MAC),
	       "COOKIE is read", v->name);
	for (int i = 8; i < COOKIE_LEN; i++) {
		msg[i] ^= 1;
		refused &= !cookie_read(msg, read, mac1, e.b.public);
		msg[i] ^= 1;
	}
	result(refused, "COOKIE with any byte changed is refused", v->name);
	mac2_write(e.initiate, INITIATE_LEN, cookie);
	result(equals_hex(e.initiate, INITIATE_LEN, v->initiate_with_mac2),
	       "mac2", v->name);
}

static void test_packet(const struct vector *v)
{
	uint8_t plain[24], packet[48], read[24];
	struct ends e;
	uint64_t number;
	bool refused = true;

	set_up(&e, v);
	from_hex(plain, sizeof(plain), v->packet_plain);
	data_seal(packet, plain, sizeof(plain), v->responder_index, v->packet_number,
		  &e.as);
	result(equals_hex(packet, sizeof(packet), v->packet), "data packet", v->name);
	result(data_open(read, packet, sizeof(packet), v->packet_number, &number,
			 &e.bs) &&
	       number == v->packet_number && !memcmp(read, plain, sizeof(plain)),
	       "data packet is opened", v->name);
	for (size_t i = 0; i < sizeof(packet); i++) {
		packet[i] ^= 1;
		refused &= !data_open(read, packet, sizeof(packet), v->packet_number,
				      &number, &e.bs);
		packet[i] ^= 1;
	}
	result(refused, "data packet with any byte changed is refused", v->name);
}

/* Recomputes mac1, so that it is Noise that has to notice. */
static void test_tamper(const struct vector *v)
{
	uint8_t plain[RESPOND_PAYLOAD];
	struct payload payload;
	struct session session;
	bool refused = true;
	struct ends e;

	set_up(&e, v);
	for (int i = 0; i < INITIATE_LEN - 2 * MAC; i++) {
		struct handshake hs = { 0 };

		e.initiate[i] ^= 1;
		mac1_write(e.initiate, INITIATE_LEN, e.b.public);
		/* The sender index is not Noise's: the payload repeats it. */
		refused &= !initiate_read(&hs, e.initiate, &e.b, plain) ||
			   !initiate_payload_read(plain, hs.remote_index, &payload);
		e.initiate[i] ^= 1;
	}
	result(refused, "INITIATE with any byte changed is refused", v->name);

	refused = true;
	for (int i = 0; i < RESPOND_LEN - 2 * MAC; i++) {
		e.respond[i] ^= 1;
		mac1_write(e.respond, RESPOND_LEN, e.a.public);
		refused &= !respond_read(&e.from, e.respond, &e.a, plain, &session) ||
			   !respond_payload_read(plain, get32(e.respond + 4), &payload);
		e.respond[i] ^= 1;
	}
	result(refused, "RESPOND with any byte changed is refused", v->name);

	e.from.psk[0] ^= 1;
	mac1_write(e.respond, RESPOND_LEN, e.a.public);
	result(!respond_read(&e.from, e.respond, &e.a, plain, &session),
	       "RESPOND under another pre-shared key is refused", v->name);
}

static void test_eids(void)
{
	static const char * const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0900000000000000000000000000000000000000000000000000000000000080",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	static const char * const good[] = {
		"0900000000000000000000000000000000000000000000000000000000000000",
		"0200000000000000000000000000000000000000000000000000000000000000",
		"ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t eid[KEY], other[KEY];

	for (size_t i = 0; i < COUNT(bad); i++) {
		from_hex(eid, KEY, bad[i]);
		result(!eid_valid(eid) && !sss_eid_is_valid(eid), "bad EID", bad[i]);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		from_hex(eid, KEY, good[i]);
		result(eid_valid(eid) && sss_eid_is_valid(eid), "good EID", good[i]);
	}
	from_hex(eid, KEY, good[0]);
	from_hex(other, KEY, good[1]);
	result(sss_eid_cmp(eid, other) > 0 && sss_eid_cmp(other, eid) < 0 &&
	       sss_eid_cmp(eid, eid) == 0, "order of EIDs", "");
}

static void params_to_peer(const struct sss_params *from, uint64_t to[PARAM_COUNT])
{
	const uint64_t values[PARAM_COUNT] = {
		0, from->initial_stream_window, from->channel_window,
		from->datagram_credit, from->max_streams, from->max_record,
		from->max_datagram, from->max_ack_delay_us, from->idle_ms,
		from->max_packet, from->suites,
	};

	memcpy(to, values, sizeof(values));
}

/* The module reads what we wrote, says the same, and writes the same. */
static void test_initiate_codec(const struct vector *v)
{
	uint8_t plain[INITIATE_PAYLOAD], again[INITIATE_PAYLOAD];
	struct sss_initiate_payload module;
	struct payload peer;
	uint64_t params[PARAM_COUNT];

	from_hex(plain, sizeof(plain), v->initiate_payload);
	result(initiate_payload_read(plain, v->initiator_index, &peer) &&
	       !sss_handshake_get_initiate(plain, v->initiator_index, &module),
	       "INITIATE payload is read", v->name);
	params_to_peer(&module.params, params);
	result(!memcmp(module.stamp, peer.stamp, sizeof(peer.stamp)) &&
	       module.incarnation == peer.incarnation &&
	       module.remembered == peer.remembered &&
	       module.next_number == peer.next_number &&
	       module.has_request == peer.has_request && module.kind == peer.kind &&
	       !strcmp(module.service, peer.service) &&
	       !strcmp(module.protocol, peer.protocol) &&
	       !memcmp(params, peer.param, sizeof(params)),
	       "INITIATE payload means the same", v->name);
	result(!sss_handshake_put_initiate(again, v->initiator_index, &module) &&
	       !memcmp(again, plain, sizeof(plain)) &&
	       initiate_payload_write(again, v->initiator_index, &peer) &&
	       !memcmp(again, plain, sizeof(plain)),
	       "INITIATE payload is written", v->name);
	result(sss_handshake_get_initiate(plain, v->initiator_index ^ 1, &module),
	       "INITIATE payload of another index is refused", v->name);
}

static void test_respond_codec(const struct vector *v)
{
	uint8_t plain[RESPOND_PAYLOAD], again[RESPOND_PAYLOAD];
	struct sss_respond_payload module;
	struct payload peer;
	uint64_t params[PARAM_COUNT];

	from_hex(plain, sizeof(plain), v->respond_payload);
	result(respond_payload_read(plain, v->responder_index, &peer) &&
	       !sss_handshake_get_respond(plain, v->responder_index, &module),
	       "RESPOND payload is read", v->name);
	params_to_peer(&module.params, params);
	result(module.incarnation == peer.incarnation &&
	       module.remembered == peer.remembered &&
	       module.next_number == peer.next_number &&
	       module.refused == peer.refused &&
	       module.has_answer == peer.has_answer && module.status == peer.status &&
	       !strcmp(module.text, peer.text) &&
	       !memcmp(params, peer.param, sizeof(params)),
	       "RESPOND payload means the same", v->name);
	result(!sss_handshake_put_respond(again, v->responder_index, &module) &&
	       !memcmp(again, plain, sizeof(plain)) &&
	       respond_payload_write(again, v->responder_index, &peer) &&
	       !memcmp(again, plain, sizeof(plain)),
	       "RESPOND payload is written", v->name);
	result(sss_handshake_get_respond(plain, v->responder_index ^ 1, &module),
	       "RESPOND payload of another index is refused", v->name);
}

/* Who is not let in is told so, by either side's code. */
static void test_refusal(void)
{
	struct sss_respond_payload out = { .incarnation = 1, .has_answer = true, .status = 4 };
	uint8_t ours[RESPOND_PAYLOAD], theirs[RESPOND_PAYLOAD];
	struct sss_respond_payload in;
	struct payload peer;
	bool refused = true;

	sss_params_init(&out.params);
	do {
		out.refused = refused;
		result(!sss_handshake_put_respond(ours, 7, &out) &&
		       respond_payload_read(ours, 7, &peer) && peer.refused == refused &&
		       peer.has_answer && peer.status == 4 &&
		       respond_payload_write(theirs, 7, &peer) &&
		       !sss_handshake_get_respond(theirs, 7, &in) && in.refused == refused &&
		       in.has_answer && in.status == 4,
		       "a refusal is read and written", refused ? "one" : "none");
		refused = !refused;
	} while (!refused);
}

/* The longest of everything fits; one byte more in a name does not pass. */
static void test_longest(void)
{
	struct sss_initiate_payload in = { .incarnation = 1, .has_request = true };
	struct sss_respond_payload out = { .incarnation = 1, .has_answer = true };
	struct sss_initiate_payload in_read;
	struct sss_respond_payload out_read;
	uint8_t buf[RESPOND_PAYLOAD];
	const uint64_t max = ((uint64_t)1 << 62) - 1;

	sss_params_init(&in.params);
	in.params.initial_stream_window = max;
	in.params.channel_window = max;
	in.params.datagram_credit = max;
	in.params.max_streams = max;
	in.params.max_record = max;
	in.params.max_datagram = max;
	in.params.idle_ms = max;
	in.params.suites = max;
	out.params = in.params;
	memset(in.service, 's', SSS_HS_NAME_MAX);
	memset(in.protocol, 'p', SSS_HS_NAME_MAX);
	memset(out.text, 't', SSS_HS_TEXT_MAX);
	result(!sss_handshake_put_initiate(buf, 7, &in) &&
	       !sss_handshake_get_initiate(buf, 7, &in_read) &&
	       !strcmp(in_read.service, in.service) &&
	       !strcmp(in_read.protocol, in.protocol) &&
	       !memcmp(&in_read.params, &in.params, sizeof(in.params)),
	       "longest INITIATE payload", "");
	result(!sss_handshake_put_respond(buf, 7, &out) &&
	       !sss_handshake_get_respond(buf, 7, &out_read) &&
	       !strcmp(out_read.text, out.text) &&
	       !memcmp(&out_read.params, &out.params, sizeof(out.params)),
	       "longest RESPOND payload", "");
	in.service[0] = 0;
	result(sss_handshake_put_initiate(buf, 7, &in), "empty name is not written", "");
	in.service[0] = '\xff';
	result(sss_handshake_put_initiate(buf, 7, &in),
	       "name that is not UTF-8 is not written", "");
	in.service[0] = 's';
	in.params.max_record = max + 1;
	result(sss_handshake_put_initiate(buf, 7, &in),
	       "parameter above 2^62 is not written", "");
}

enum { AT_FLAGS = 40, AT_PARAMS = 41 };

/* Reads an INITIATE payload without request that has these parameters. */
static int read_params(const char *hex, struct sss_params *params)
{
	struct sss_initiate_payload payload = { .incarnation = 1 };
	uint8_t buf[INITIATE_PAYLOAD];
	int err;

	sss_params_init(&payload.params);
	sss_handshake_put_initiate(buf, 7, &payload);
	memset(buf + AT_PARAMS, 0, sizeof(buf) - AT_PARAMS);
	from_hex(buf + AT_PARAMS, strlen(hex) / 2, hex);
	err = sss_handshake_get_initiate(buf, 7, &payload);
	*params = payload.params;
	return err;
}

static void test_params(void)
{
	static const struct {
		const char *hex;
		bool ok;
		const char *what;
	} cases[] = {
		{ "", true, "no parameter" },
		{ "20050102030405", true, "unknown parameter" },
		{ "7fff0101", true, "unknown parameter, long number" },
		{ "2000", true, "unknown parameter without value" },
		{ "010480004000", true, "stream window at its least" },
		{ "01027fff", false, "stream window below its least" },
		{ "01048000400001048000ffff", false, "parameter twice" },
		{ "010580004000", false, "length beyond the value" },
		{ "010380004000", false, "length short of the value" },
		{ "0100", false, "known parameter without value" },
		{ "0208c000000000000001", false, "value not in its shortest form" },
		{ "207f", false, "length beyond the payload" },
		{ "20ffffffffffffffff", false, "enormous length" },
		{ "0704800f4240", true, "ack delay at its most" },
		{ "0704800f4241", false, "ack delay above its most" },
		{ "090244b0", true, "packet size at its least" },
		{ "090244af", false, "packet size below its least" },
		{ "0a0102", false, "without the mandatory suite" },
	};
	struct sss_params params, defaults, low;

	sss_params_init(&defaults);
	for (size_t i = 0; i < COUNT(cases); i++)
		result(!read_params(cases[i].hex, &params) == cases[i].ok,
		       "parameters", cases[i].what);
	result(!read_params("", &params) &&
	       !memcmp(&params, &defaults, sizeof(params)), "defaults", "");

	low = defaults;
	low.max_streams = 1;
	low.channel_window = 1;
	low.idle_ms = 5;
	low.max_record = defaults.max_record + 1;
	sss_params_raise(&params, &low);
	result(params.max_streams == defaults.max_streams &&
	       params.channel_window == defaults.channel_window &&
	       params.max_record == low.max_record && params.idle_ms == 5,
	       "resuming lowers no limit", "");
}

static void test_names(void)
{
	static const struct {
		const char *hex;
		bool ok;
		const char *what;
	} cases[] = {
		{ "0001410142", true, "one letter each" },
		{ "00000142", false, "empty service" },
		{ "00014100", false, "empty protocol" },
		{ "000241000142", false, "NUL inside" },
		{ "0002c3280142", false, "not UTF-8" },
		{ "002e41", false, "too long" },
	};
	struct sss_initiate_payload payload = { .incarnation = 1 };
	uint8_t buf[INITIATE_PAYLOAD];

	sss_params_init(&payload.params);
	for (size_t i = 0; i < COUNT(cases); i++) {
		sss_handshake_put_initiate(buf, 7, &payload);
		memset(buf + AT_PARAMS, 'x', SSS_HS_NAME_MAX);
		memset(buf + AT_PARAMS + 48, 0, sizeof(buf) - AT_PARAMS - 48);
		buf[AT_FLAGS] = 1;
		from_hex(buf + AT_PARAMS, strlen(cases[i].hex) / 2, cases[i].hex);
		if (cases[i].ok)
			memset(buf + AT_PARAMS + 5, 0, 48);
		result(!sss_handshake_get_initiate(buf, 7, &payload) == cases[i].ok,
		       "names", cases[i].what);
	}
}

/* Whatever the bytes, reading ends, and what it accepts can be written. */
static void test_random_payloads(void)
{
	struct sss_initiate_payload in;
	struct sss_respond_payload out;
	uint8_t buf[RESPOND_PAYLOAD], again[RESPOND_PAYLOAD];
	bool ok = true;

	for (int i = 0; i < 200000; i++) {
		uint32_t keep = randombytes_uniform(sizeof(buf));

		randombytes_buf(buf, sizeof(buf));
		memset(buf + keep, 0, sizeof(buf) - keep);
		if (!sss_handshake_get_initiate(buf, get32(buf), &in))
			ok &= !sss_handshake_put_initiate(again, get32(buf), &in);
		if (!sss_handshake_get_respond(buf, get32(buf), &out))
			ok &= !sss_handshake_put_respond(again, get32(buf), &out);
	}
	result(ok, "random payloads", "");
}

static void test_lengths(void)
{
	static const size_t lengths[] = { 0, INITIATE_LEN, RESPOND_LEN, COOKIE_LEN,
					  REJECT_LEN };
	uint8_t *msg = calloc(1, 600);
	bool ok = true;

	for (int type = 0; type < 8; type++) {
		for (size_t len = 0; len < 600; len++) {
			bool right = type >= 1 && type <= 4 && len == lengths[type];

			msg[0] = type;
			ok &= sss_handshake_length_ok(msg, len) == right;
		}
	}
	msg[0] = TYPE_INITIATE;
	msg[2] = 1;
	ok &= !sss_handshake_length_ok(msg, INITIATE_LEN);
	free(msg);
	result(ok, "length of each type", "");
}

static void test_reject(const struct vector *v)
{
	struct sss_msg_reject reject;
	uint8_t *bytes = (uint8_t *)&reject;
	struct ends e;

	set_up(&e, v);
	sss_handshake_put_reject(&reject, (const void *)e.initiate);
	result(sizeof(reject) == REJECT_LEN && bytes[0] == TYPE_REJECT &&
	       get32(bytes) << 8 == 0 && get32(bytes + 4) == v->initiator_index &&
	       !memcmp(bytes + 8, e.initiate + INITIATE_LEN - 2 * MAC, MAC),
	       "REJECT", v->name);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	printf("TAP version 13\n");
	for (size_t i = 0; i < COUNT(vectors); i++) {
		test_transcript(&vectors[i]);
		test_cookie(&vectors[i]);
		test_packet(&vectors[i]);
		test_tamper(&vectors[i]);
		test_initiate_codec(&vectors[i]);
		test_respond_codec(&vectors[i]);
		test_reject(&vectors[i]);
	}
	test_eids();
	test_refusal();
	test_longest();
	test_params();
	test_names();
	test_random_payloads();
	test_lengths();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
