// SPDX-License-Identifier: GPL-2.0
/*
 * The transcripts of vectors.inc, made by another implementation
 * (selftests/noise), from both ends; and every way to spoil them.
 */
#include <linux/slab.h>
#include "check.h"

static int failures __initdata;

struct vector {
	const char *name;
	const char *initiator_private;
	const char *initiator_eid;
	const char *responder_private;
	const char *responder_eid;
	const char *initiator_ephemeral;
	const char *responder_ephemeral;
	const char *psk;
	u32 initiator_index;
	u32 responder_index;
	const char *initiate_payload;
	const char *initiate;
	const char *cookie;
	const char *cookie_nonce;
	const char *cookie_message;
	const char *initiate_with_mac2;
	const char *respond_payload;
	const char *respond;
	const char *initiator_sends;
	const char *responder_sends;
	u32 initiator_mask;
	u32 responder_mask;
	u64 packet_number;
	const char *packet_plain;
	const char *packet;
};

static const struct vector vectors[] __initconst = {
#include "vectors.inc"
};

/* Both ends of a vector; on the heap, because it is large. */
struct ends {
	struct sss_noise_identity a, b;
	struct sss_noise_remote to_b, to_a;
	struct sss_noise_handshake from, to, saved;
	struct sss_initiate_payload in, in_read;
	struct sss_respond_payload out, out_read;
	struct sss_msg_initiate initiate, copy;
	struct sss_msg_respond respond;
	struct sss_noise_keys as, bs;
	u8 plain[SSS_RESPOND_PAYLOAD];
};

static bool __init from_hex(void *to, size_t len, const char *hex)
{
	return strlen(hex) == 2 * len && !hex2bin(to, hex, len);
}

static bool __init equals_hex(const void *data, size_t len, const char *hex)
{
	u8 expected[SSS_MSG_INITIATE_LEN];

	return len <= sizeof(expected) && from_hex(expected, len, hex) &&
	       !memcmp(data, expected, len);
}

/* Everything of @msg but the macs, which are cookie.c's. */
static bool __init initiate_equals(const struct sss_msg_initiate *msg, const char *hex)
{
	struct sss_msg_initiate expected;

	return from_hex(&expected, sizeof(expected), hex) &&
	       !memcmp(msg, &expected, offsetof(struct sss_msg_initiate, macs));
}

static bool __init respond_equals(const struct sss_msg_respond *msg, const char *hex)
{
	struct sss_msg_respond expected;

	return from_hex(&expected, sizeof(expected), hex) &&
	       !memcmp(msg, &expected, offsetof(struct sss_msg_respond, macs));
}

static bool __init set_up(struct ends *e, const struct vector *v)
{
	u8 private[SSS_HS_KEY_LEN], psk[SSS_HS_KEY_LEN];

	memset(e, 0, sizeof(*e));
	return from_hex(private, sizeof(private), v->initiator_private) &&
	       !sss_noise_set_identity(&e->a, private) &&
	       from_hex(private, sizeof(private), v->responder_private) &&
	       !sss_noise_set_identity(&e->b, private) &&
	       from_hex(psk, sizeof(psk), v->psk) &&
	       !sss_noise_set_remote(&e->to_b, &e->a, e->b.eid, psk) &&
	       !sss_noise_set_remote(&e->to_a, &e->b, e->a.eid, psk) &&
	       from_hex(e->plain, SSS_INITIATE_PAYLOAD, v->initiate_payload) &&
	       !sss_handshake_get_initiate(e->plain, v->initiator_index, &e->in) &&
	       from_hex(e->plain, SSS_RESPOND_PAYLOAD, v->respond_payload) &&
	       !sss_handshake_get_respond(e->plain, v->responder_index, &e->out);
}

/* The two functions that draw an ephemeral, but for the drawing. */
static int __init make_initiate(struct ends *e, const struct vector *v)
{
	start(&e->from, e->to_b.eid);
	memcpy(e->from.remote_static, e->to_b.eid, SSS_HS_KEY_LEN);
	e->from.local_index = v->initiator_index;
	from_hex(e->from.ephemeral_private, SSS_HS_KEY_LEN, v->initiator_ephemeral);
	curve25519_clamp_secret(e->from.ephemeral_private);
	return build_initiate(&e->from, &e->initiate, &e->a, &e->to_b, &e->in);
}

static int __init make_respond(struct ends *e, const struct vector *v)
{
	e->to.local_index = v->responder_index;
	from_hex(e->to.ephemeral_private, SSS_HS_KEY_LEN, v->responder_ephemeral);
	curve25519_clamp_secret(e->to.ephemeral_private);
	return build_respond(&e->to, &e->respond, &e->to_a, &e->out, &e->bs);
}

static int __init read_initiate(struct ends *e)
{
	return sss_noise_consume_static(&e->to, &e->initiate, &e->b) ?:
	       sss_noise_consume_payload(&e->to, &e->initiate, &e->to_a, &e->in_read);
}

static void __init test_vector(struct ends *e, const struct vector *v)
{
	CHECK(set_up(e, v));
	CHECK(equals_hex(e->a.eid, SSS_HS_KEY_LEN, v->initiator_eid));
	CHECK(equals_hex(e->b.eid, SSS_HS_KEY_LEN, v->responder_eid));
	CHECK(!memcmp(e->to_a.static_static, e->to_b.static_static, SSS_HS_KEY_LEN));

	CHECK(!make_initiate(e, v));
	CHECK(initiate_equals(&e->initiate, v->initiate));
	CHECK(!sss_noise_consume_static(&e->to, &e->initiate, &e->b));
	CHECK(!memcmp(e->to.remote_static, e->a.eid, SSS_HS_KEY_LEN));
	CHECK(!sss_noise_consume_payload(&e->to, &e->initiate, &e->to_a, &e->in_read));
	CHECK(!memcmp(&e->in, &e->in_read, sizeof(e->in)));

	CHECK(!make_respond(e, v));
	CHECK(respond_equals(&e->respond, v->respond));
	e->saved = e->from;
	CHECK(!sss_noise_consume_respond(&e->from, &e->respond, &e->a, &e->to_b,
					 &e->out_read, &e->as));
	CHECK(!memcmp(&e->saved, &e->from, sizeof(e->from)));
	CHECK(!memcmp(&e->out, &e->out_read, sizeof(e->out)));

	CHECK(equals_hex(e->as.send, SSS_HS_KEY_LEN, v->initiator_sends));
	CHECK(equals_hex(e->as.receive, SSS_HS_KEY_LEN, v->responder_sends));
	CHECK(equals_hex(e->bs.receive, SSS_HS_KEY_LEN, v->initiator_sends));
	CHECK(equals_hex(e->bs.send, SSS_HS_KEY_LEN, v->responder_sends));
	CHECK(e->as.send_mask == v->initiator_mask);
	CHECK(e->as.receive_mask == v->responder_mask);
	CHECK(e->bs.send_mask == v->responder_mask);
	CHECK(e->bs.receive_mask == v->initiator_mask);
}

/* Every byte of both messages that Noise covers. */
static void __init test_tamper(struct ends *e)
{
	u8 *bytes = (u8 *)&e->initiate;
	size_t i;

	/* Type and zeros are checked by sss_handshake_length_ok(). */
	for (i = 4; i < offsetof(struct sss_msg_initiate, macs); i++) {
		bytes[i] ^= 1;
		CHECK(read_initiate(e));
		CHECK(!memchr_inv(&e->to, 0, sizeof(e->to)));
		bytes[i] ^= 1;
	}
	CHECK(!read_initiate(e));

	bytes = (u8 *)&e->respond;
	for (i = 4; i < offsetof(struct sss_msg_respond, macs); i++) {
		bytes[i] ^= 1;
		CHECK(sss_noise_consume_respond(&e->from, &e->respond, &e->a, &e->to_b,
						&e->out_read, &e->as));
		bytes[i] ^= 1;
		cond_resched();
	}
	CHECK(!sss_noise_consume_respond(&e->from, &e->respond, &e->a, &e->to_b,
					 &e->out_read, &e->as));
	e->to_b.psk[31] ^= 1;
	CHECK(sss_noise_consume_respond(&e->from, &e->respond, &e->a, &e->to_b,
					&e->out_read, &e->as) == -EBADMSG);
	e->to_b.psk[31] ^= 1;
}

/* Keys that nobody may have, and ephemerals that nobody may send. */
static void __init test_keys(struct ends *e)
{
	static const u8 bad[][SSS_HS_KEY_LEN] __initconst = {
		{ 0 },
		{ 1 },
		{ 9, [31] = 0x80 },
		{ 0xed, [1 ... 30] = 0xff, [31] = 0x7f },
		{ 0xec, [1 ... 30] = 0xff, [31] = 0x7f },
		{ [0 ... 31] = 0xff },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(sss_noise_set_remote(&e->to_b, &e->a, bad[i], NULL) == -EINVAL);
		e->copy = e->initiate;
		memcpy(e->copy.ephemeral, bad[i], SSS_HS_KEY_LEN);
		CHECK(sss_noise_consume_static(&e->to, &e->copy, &e->b) == -EINVAL);
	}
	CHECK(sss_noise_set_remote(&e->to_b, &e->a, e->a.eid, NULL) == -EINVAL);
	/* An INITIATE for somebody else. */
	CHECK(sss_noise_consume_static(&e->to, &e->initiate, &e->a) == -EBADMSG);
}

/* The public functions, which draw ephemerals: no two alike. */
static void __init test_random(struct ends *e)
{
	CHECK(!sss_noise_create_initiate(&e->from, &e->initiate, &e->a, &e->to_b,
					 &e->in, 1));
	CHECK(!sss_noise_create_initiate(&e->saved, &e->copy, &e->a, &e->to_b,
					 &e->in, 1));
	CHECK(memcmp(e->initiate.ephemeral, e->copy.ephemeral, SSS_HS_KEY_LEN));
	CHECK(!read_initiate(e));
	CHECK(!sss_noise_create_respond(&e->to, &e->respond, &e->to_a, &e->out, 2,
					&e->bs));
	CHECK(!memchr_inv(e->to.chain, 0, SSS_HS_KEY_LEN));
	CHECK(!memchr_inv(e->to.ephemeral_private, 0, SSS_HS_KEY_LEN));
	CHECK(sss_noise_is_same(&e->to, &e->initiate));
	CHECK(!sss_noise_is_same(&e->to, &e->copy));

	/* Several initiations are open at once; each RESPOND fits one. */
	CHECK(sss_noise_consume_respond(&e->saved, &e->respond, &e->a, &e->to_b,
					&e->out_read, &e->as));
	CHECK(!sss_noise_consume_respond(&e->from, &e->respond, &e->a, &e->to_b,
					 &e->out_read, &e->as));
	CHECK(!memcmp(e->as.send, e->bs.receive, SSS_HS_KEY_LEN));
	CHECK(!memcmp(e->as.receive, e->bs.send, SSS_HS_KEY_LEN));

	e->in.incarnation = 0;
	CHECK(sss_noise_create_initiate(&e->from, &e->initiate, &e->a, &e->to_b,
					&e->in, 1) == -EINVAL);
	CHECK(!memchr_inv(&e->from, 0, sizeof(e->from)));
}

static void __init test_stamp(void)
{
	u8 stamp[SSS_HS_STAMP_LEN] = {}, last[SSS_HS_STAMP_LEN];
	int i;

	sss_noise_stamp(stamp);
	CHECK(!(get_unaligned_be32(stamp + 8) & (BIT(24) - 1)));
	for (i = 0; i < 1000; i++) {
		memcpy(last, stamp, sizeof(last));
		sss_noise_stamp(stamp);
		CHECK(memcmp(stamp, last, sizeof(last)) > 0);
	}
	/* The clock went back by years; the nanoseconds overflow. */
	put_unaligned_be64(0x5000000000000000ULL, last);
	put_unaligned_be32(NSEC_PER_SEC - 1, last + 8);
	memcpy(stamp, last, sizeof(last));
	sss_noise_stamp(stamp);
	CHECK(get_unaligned_be64(stamp) == 0x5000000000000001ULL);
	CHECK(get_unaligned_be32(stamp + 8) == 0);
}

/**
 * sss_noise_selftest() - vectors, tampering, bad keys, stamps
 *
 * Return: 0, -ENOTRECOVERABLE, or -ENOMEM.
 */
int __init sss_noise_selftest(void)
{
	struct ends *e = kmalloc(sizeof(*e), GFP_KERNEL);
	int i;

	if (!e)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		test_vector(e, &vectors[i]);
	test_tamper(e);
	test_random(e);
	set_up(e, &vectors[0]);
	make_initiate(e, &vectors[0]);
	test_keys(e);
	test_stamp();
	kfree_sensitive(e);
	return REPORT("noise");
}
