// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include "check.h"

static int failures __initdata;

struct setting {
	struct sss_cookie_checker checker;
	struct sss_cookie_path path;
	struct sss_msg_initiate msg;
	struct sss_msg_cookie reply;
};

static const struct sockaddr_in from4 = {
	.sin_family = AF_INET,
	.sin_port = cpu_to_be16(9660),
	.sin_addr = { cpu_to_be32(0x0a000001) },
};

static const struct sockaddr_in6 from6 = {
	.sin6_family = AF_INET6,
	.sin6_port = cpu_to_be16(9660),
	.sin6_addr = { { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } } },
};

static const u8 eid[SSS_HS_EID_LEN] __initconst = { 9, 8, 7 };
static const u8 other_eid[SSS_HS_EID_LEN] __initconst = { 9, 8, 6 };

static enum sss_cookie_verdict __init check_from(struct setting *s, const void *from)
{
	return sss_cookie_check(&s->checker, &s->msg, sizeof(s->msg), from);
}

static void __init set_up(struct setting *s)
{
	memset(s, 0, sizeof(*s));
	memset(&s->msg, 0x5a, sizeof(s->msg));
	sss_cookie_checker_init(&s->checker, eid);
	sss_cookie_path_init(&s->path);
	sss_cookie_add_mac1(&s->checker.keys, &s->msg, sizeof(s->msg));
}

static void __init test_mac1(struct setting *s)
{
	u8 *bytes = (u8 *)&s->msg;
	struct sss_cookie_keys other;
	size_t i;

	set_up(s);
	CHECK(sss_cookie_mac1_ok(&s->checker.keys, &s->msg, sizeof(s->msg)));
	CHECK(check_from(s, &from4) == SSS_COOKIE_MAC1_ONLY);
	for (i = 0; i < sizeof(s->msg) - SSS_HS_MAC_LEN; i++) {
		bytes[i] ^= 1;
		CHECK(check_from(s, &from4) == SSS_COOKIE_BAD_MAC1);
		bytes[i] ^= 1;
	}
	sss_cookie_derive(&other, other_eid);
	CHECK(!sss_cookie_mac1_ok(&other, &s->msg, sizeof(s->msg)));
}

static void __init test_reply(struct setting *s, const void *from, const void *other)
{
	struct sss_msg_cookie *reply = &s->reply;
	size_t i;

	set_up(s);
	sss_cookie_create_reply(&s->checker, reply, &s->msg, sizeof(s->msg), 77, from);
	CHECK(be32_to_cpu(reply->receiver) == 77);
	/* Nothing was sent on this path. */
	CHECK(!sss_cookie_consume_reply(&s->path, &s->checker.keys, reply));
	sss_cookie_add_mac2(&s->path, &s->msg, sizeof(s->msg));
	CHECK(check_from(s, from) == SSS_COOKIE_MAC1_ONLY);

	for (i = offsetof(struct sss_msg_cookie, nonce); i < sizeof(*reply); i++) {
		((u8 *)reply)[i] ^= 1;
		CHECK(!sss_cookie_consume_reply(&s->path, &s->checker.keys, reply));
		((u8 *)reply)[i] ^= 1;
	}
	CHECK(sss_cookie_consume_reply(&s->path, &s->checker.keys, reply));
	CHECK(!sss_cookie_consume_reply(&s->path, &s->checker.keys, reply));
	sss_cookie_add_mac2(&s->path, &s->msg, sizeof(s->msg));
	CHECK(check_from(s, from) == SSS_COOKIE_PROVED);
	CHECK(check_from(s, other) == SSS_COOKIE_MAC1_ONLY);

	/* Two minutes later the secret is another one. */
	s->checker.secret_birth = 0;
	CHECK(check_from(s, from) == SSS_COOKIE_MAC1_ONLY);
	s->path.birth = 0;
	sss_cookie_add_mac2(&s->path, &s->msg, sizeof(s->msg));
	CHECK(!memchr_inv(s->msg.macs.mac2, 0, SSS_HS_MAC_LEN));
}

/* A cookie is for one port as well as for one address. */
static void __init test_port(struct setting *s)
{
	struct sockaddr_in elsewhere = from4;

	elsewhere.sin_port = cpu_to_be16(9661);
	test_reply(s, &from4, &elsewhere);
}

/**
 * sss_cookie_selftest() - macs, replies, rotation
 *
 * Return: 0, -ENOTRECOVERABLE, or -ENOMEM.
 */
int __init sss_cookie_selftest(void)
{
	struct setting *s = kmalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return -ENOMEM;
	test_mac1(s);
	test_reply(s, &from4, &from6);
	test_reply(s, &from6, &from4);
	test_port(s);
	kfree_sensitive(s);
	return REPORT("cookie");
}
