// SPDX-License-Identifier: GPL-2.0
/*
 * Cookies as in the WireGuard paper, section 5.4.7, which bind a MAC under a
 * short-lived secret to the address and port a message came from.
 */
#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include "base/compat.h"
#include "wire/packet.h"
#include "cookie.h"

#define SECRET_LIFE	(120ULL * NSEC_PER_SEC)
/* The sender stops earlier than the checker: its message takes time. */
#define COOKIE_LIFE	(115ULL * NSEC_PER_SEC)

#define LABEL_LEN	8
static const u8 mac1_label[LABEL_LEN] = { 's', 's', 's', '-', 'm', 'a', 'c', '1' };
static const u8 cookie_label[LABEL_LEN] = { 's', 's', 's', '-', 'c', 'o', 'o', 'k' };

static_assert((int)SSS_HS_NONCE_LEN == XCHACHA20POLY1305_NONCE_SIZE);

static u64 clock_ns(void)
{
	return ktime_get_coarse_boottime_ns();
}

static void derive(u8 key[SSS_HS_KEY_LEN], const u8 label[LABEL_LEN],
		   const u8 eid[SSS_HS_EID_LEN])
{
	struct blake2s_state state;

	blake2s_init(&state, SSS_HS_KEY_LEN);
	blake2s_update(&state, label, LABEL_LEN);
	blake2s_update(&state, eid, SSS_HS_EID_LEN);
	blake2s_final(&state, key);
}

/* Keyed BLAKE2s of 16 bytes over the first @len bytes of a message. */
static void mac(u8 out[SSS_HS_MAC_LEN], const void *msg, size_t len,
		const u8 *key, size_t key_len)
{
	blake2s(out, msg, key, SSS_HS_MAC_LEN, len, key_len);
}

/* The macs end INITIATE and RESPOND alike. */
static struct sss_msg_macs *macs_of(const void *msg, size_t len)
{
	return (struct sss_msg_macs *)(msg + len - sizeof(struct sss_msg_macs));
}

static size_t mac1_covers(size_t len)
{
	return len - sizeof(struct sss_msg_macs);
}

static size_t mac2_covers(size_t len)
{
	return len - SSS_HS_MAC_LEN;
}

/**
 * sss_cookie_derive() - compute the keys that follow from an EID
 * @keys: filled
 * @eid: of who receives the messages
 */
void sss_cookie_derive(struct sss_cookie_keys *keys, const u8 eid[SSS_HS_EID_LEN])
{
	derive(keys->mac1, mac1_label, eid);
	derive(keys->cookie, cookie_label, eid);
}

/**
 * sss_cookie_checker_init() - make the receiving side of a host
 * @checker: to set up
 * @eid: the host's
 */
void sss_cookie_checker_init(struct sss_cookie_checker *checker,
			     const u8 eid[SSS_HS_EID_LEN])
{
	memset(checker, 0, sizeof(*checker));
	spin_lock_init(&checker->lock);
	sss_cookie_derive(&checker->keys, eid);
}

/**
 * sss_cookie_checker_clear() - erase the secrets of a host that goes
 * @checker: not in use any more
 */
void sss_cookie_checker_clear(struct sss_cookie_checker *checker)
{
	memzero_explicit(checker->secret, sizeof(checker->secret));
	checker->secret_birth = 0;
	memzero_explicit(&checker->keys, sizeof(checker->keys));
}

/**
 * sss_cookie_mac1_ok() - was this message made for this EID?
 * @keys: of the EID
 * @msg: INITIATE or RESPOND
 * @len: its length, checked already
 *
 * Return: whether mac1 is right. Context: any; cheap, no lock.
 */
bool sss_cookie_mac1_ok(const struct sss_cookie_keys *keys, const void *msg,
			size_t len)
{
	u8 expected[SSS_HS_MAC_LEN];

	mac(expected, msg, mac1_covers(len), keys->mac1, SSS_HS_KEY_LEN);
	return !crypto_memneq(expected, macs_of(msg, len)->mac1, SSS_HS_MAC_LEN);
}

/* Copies the secret of the current two minutes out of the lock. */
static void get_secret(struct sss_cookie_checker *checker, u8 secret[SSS_HS_KEY_LEN])
{
	u64 now = clock_ns();

	spin_lock_bh(&checker->lock);
	if (!checker->secret_birth || now >= checker->secret_birth + SECRET_LIFE) {
		get_random_bytes(checker->secret, sizeof(checker->secret));
		/* Just after boot the clock can still be 0, which means none. */
		checker->secret_birth = max_t(u64, now, 1);
	}
	memcpy(secret, checker->secret, SSS_HS_KEY_LEN);
	spin_unlock_bh(&checker->lock);
}

/* What only somebody who receives at @from gets to know. */
static void make_cookie(struct sss_cookie_checker *checker, u8 cookie[SSS_HS_MAC_LEN],
			const struct sockaddr *from)
{
	struct blake2s_state state;
	u8 secret[SSS_HS_KEY_LEN];

	get_secret(checker, secret);
	blake2s_init_key(&state, SSS_HS_MAC_LEN, secret, SSS_HS_KEY_LEN);
	if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)from;

		blake2s_update(&state, (const u8 *)&in6->sin6_addr,
			       sizeof(in6->sin6_addr));
		blake2s_update(&state, (const u8 *)&in6->sin6_port,
			       sizeof(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const void *)from;

		blake2s_update(&state, (const u8 *)&in->sin_addr, sizeof(in->sin_addr));
		blake2s_update(&state, (const u8 *)&in->sin_port, sizeof(in->sin_port));
	}
	blake2s_final(&state, cookie);
	memzero_explicit(secret, sizeof(secret));
}

/**
 * sss_cookie_check() - judge the macs of a received message
 * @checker: of the host it came to
 * @msg: INITIATE or RESPOND
 * @len: its length, checked already
 * @from: AF_INET or AF_INET6 source
 *
 * Return: see enum sss_cookie_verdict.
 *
 * Context: any but hard interrupt; takes the checker's leaf lock.
 */
enum sss_cookie_verdict sss_cookie_check(struct sss_cookie_checker *checker,
					 const void *msg, size_t len,
					 const struct sockaddr *from)
{
	u8 expected[SSS_HS_MAC_LEN];
	u8 cookie[SSS_HS_MAC_LEN];
	bool same;

	if (!sss_cookie_mac1_ok(&checker->keys, msg, len))
		return SSS_COOKIE_BAD_MAC1;
	make_cookie(checker, cookie, from);
	mac(expected, msg, mac2_covers(len), cookie, SSS_HS_MAC_LEN);
	same = !crypto_memneq(expected, macs_of(msg, len)->mac2, SSS_HS_MAC_LEN);
	memzero_explicit(cookie, sizeof(cookie));
	return same ? SSS_COOKIE_PROVED : SSS_COOKIE_MAC1_ONLY;
}

/**
 * sss_cookie_create_reply() - tell a source its cookie instead of an answer
 * @checker: of the host
 * @reply: filled
 * @msg: the INITIATE or RESPOND whose mac1 was right; the reply answers just it
 * @len: its length
 * @receiver: its sender index
 * @to: where it came from
 *
 * Context: any but hard interrupt; takes the checker's leaf lock.
 */
void sss_cookie_create_reply(struct sss_cookie_checker *checker,
			     struct sss_msg_cookie *reply, const void *msg,
			     size_t len, u32 receiver, const struct sockaddr *to)
{
	u8 cookie[SSS_HS_MAC_LEN];

	memset(reply, 0, sizeof(*reply));
	reply->type = SSS_PACKET_COOKIE;
	reply->receiver = cpu_to_be32(receiver);
	get_random_bytes(reply->nonce, sizeof(reply->nonce));
	make_cookie(checker, cookie, to);
	xchacha20poly1305_encrypt(reply->encrypted_cookie, cookie, sizeof(cookie),
				  macs_of(msg, len)->mac1, SSS_HS_MAC_LEN,
				  reply->nonce, checker->keys.cookie);
	memzero_explicit(cookie, sizeof(cookie));
}

/**
 * sss_cookie_path_init() - make the sending side of a path
 * @path: to set up; memzero_explicit() it in the end
 */
void sss_cookie_path_init(struct sss_cookie_path *path)
{
	memset(path, 0, sizeof(*path));
	spin_lock_init(&path->lock);
}

/**
 * sss_cookie_add_mac1() - finish a Noise message
 * @keys: of the EID it is for
 * @msg: INITIATE or RESPOND; mac2 becomes zero
 * @len: its length
 *
 * Once; the copies for several endpoints differ in mac2 only.
 */
void sss_cookie_add_mac1(const struct sss_cookie_keys *keys, void *msg, size_t len)
{
	struct sss_msg_macs *macs = macs_of(msg, len);

	mac(macs->mac1, msg, mac1_covers(len), keys->mac1, SSS_HS_KEY_LEN);
	memset(macs->mac2, 0, sizeof(macs->mac2));
}

/**
 * sss_cookie_add_mac2() - fit a message to the path it is sent on now
 * @path: with or without a cookie
 * @msg: has its mac1
 * @len: its length
 *
 * Every time right before sending; without a fresh cookie mac2 becomes zero.
 *
 * Context: any but hard interrupt; takes the path's leaf lock.
 */
void sss_cookie_add_mac2(struct sss_cookie_path *path, void *msg, size_t len)
{
	struct sss_msg_macs *macs = macs_of(msg, len);

	spin_lock_bh(&path->lock);
	memcpy(path->last_mac1, macs->mac1, sizeof(path->last_mac1));
	path->sent_mac1 = true;
	if (path->birth && clock_ns() < path->birth + COOKIE_LIFE)
		mac(macs->mac2, msg, mac2_covers(len), path->cookie, SSS_HS_MAC_LEN);
	else
		memset(macs->mac2, 0, sizeof(macs->mac2));
	spin_unlock_bh(&path->lock);
}

/**
 * sss_cookie_consume_reply() - take the cookie out of a reply
 * @path: on which the message went out that @reply answers
 * @keys: of the EID it went to
 * @reply: as received, of the right length
 *
 * Return: whether it is genuine; then the next message on the path proves the
 * address.
 *
 * Context: any but hard interrupt; takes the path's leaf lock.
 */
bool sss_cookie_consume_reply(struct sss_cookie_path *path,
			      const struct sss_cookie_keys *keys,
			      const struct sss_msg_cookie *reply)
{
	u8 cookie[SSS_HS_MAC_LEN];
	bool ok;

	spin_lock_bh(&path->lock);
	ok = path->sent_mac1 &&
	     xchacha20poly1305_decrypt(cookie, reply->encrypted_cookie,
				       sizeof(reply->encrypted_cookie),
				       path->last_mac1, sizeof(path->last_mac1),
				       reply->nonce, keys->cookie);
	if (ok) {
		memcpy(path->cookie, cookie, sizeof(path->cookie));
		path->birth = max_t(u64, clock_ns(), 1);
		/* One reply per message. */
		path->sent_mac1 = false;
	}
	spin_unlock_bh(&path->lock);
	memzero_explicit(cookie, sizeof(cookie));
	return ok;
}

#ifdef DEBUG
#include "selftest/cookie.c"
#endif
