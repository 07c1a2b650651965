/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mac1 keeps those out who do not know our EID; under load mac2 keeps those
 * out who cannot receive at the address they claim.
 */
#ifndef _SSS_CRYPTO_COOKIE_H
#define _SSS_CRYPTO_COOKIE_H

#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "wire/handshake.h"

/**
 * struct sss_cookie_keys - both keys that follow from an EID, precomputed
 * @mac1: keys mac1 of messages to that EID
 * @cookie: encrypts cookies from that EID
 */
struct sss_cookie_keys {
	u8 mac1[SSS_HS_KEY_LEN];
	u8 cookie[SSS_HS_KEY_LEN];
};

/**
 * struct sss_cookie_checker - receiving side, one per host
 * @keys: of the host's own EID, immutable
 * @lock: leaf (BH); protects the rest
 * @secret: changed every two minutes; a cookie is a MAC under it
 * @secret_birth: ns, 0: none yet
 */
struct sss_cookie_checker {
	struct sss_cookie_keys keys;
	spinlock_t lock;	/* leaf: secret, secret_birth */
	u8 secret[SSS_HS_KEY_LEN];
	u64 secret_birth;
};

/**
 * struct sss_cookie_path - sending side, one per (peer, endpoint)
 * @lock: leaf (BH); protects the rest
 * @birth: when the cookie arrived, ns, 0: none
 * @cookie: goes into mac2
 * @sent_mac1: @last_mac1 is valid
 * @last_mac1: of the last message sent there; a reply must answer it
 */
struct sss_cookie_path {
	spinlock_t lock;	/* leaf: all below */
	u64 birth;
	u8 cookie[SSS_HS_MAC_LEN];
	bool sent_mac1;
	u8 last_mac1[SSS_HS_MAC_LEN];
};

enum sss_cookie_verdict {
	SSS_COOKIE_BAD_MAC1,		/* not for this EID: REJECT or drop */
	SSS_COOKIE_MAC1_ONLY,		/* under load: send a cookie, drop */
	SSS_COOKIE_PROVED,		/* mac2 is right: still rate-limit */
};

void sss_cookie_derive(struct sss_cookie_keys *keys, const u8 eid[SSS_HS_EID_LEN]);
void sss_cookie_checker_init(struct sss_cookie_checker *checker,
			     const u8 eid[SSS_HS_EID_LEN]);
void sss_cookie_checker_clear(struct sss_cookie_checker *checker);
bool __must_check sss_cookie_mac1_ok(const struct sss_cookie_keys *keys,
				     const void *msg, size_t len);
enum sss_cookie_verdict sss_cookie_check(struct sss_cookie_checker *checker,
					 const void *msg, size_t len,
					 const struct sockaddr *from);
void sss_cookie_create_reply(struct sss_cookie_checker *checker,
			     struct sss_msg_cookie *reply, const void *msg,
			     size_t len, u32 receiver, const struct sockaddr *to);

void sss_cookie_path_init(struct sss_cookie_path *path);
void sss_cookie_add_mac1(const struct sss_cookie_keys *keys, void *msg, size_t len);
void sss_cookie_add_mac2(struct sss_cookie_path *path, void *msg, size_t len);
bool __must_check sss_cookie_consume_reply(struct sss_cookie_path *path,
					   const struct sss_cookie_keys *keys,
					   const struct sss_msg_cookie *reply);

int sss_cookie_selftest(void);

#endif /* _SSS_CRYPTO_COOKIE_H */
