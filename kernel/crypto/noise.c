// SPDX-License-Identifier: GPL-2.0
/*
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (Noise Protocol Framework, revision
 * 34), straight from the token lists:
 *
 *	<- s
 *	...
 *	-> e, es, s, ss		INITIATE
 *	<- e, ee, se, psk	RESPOND
 *
 * In PSK patterns the token e also mixes the ephemeral into the key. Every
 * key encrypts exactly one message here, so the nonce is always 0.
 */
#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/curve25519.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include "base/compat.h"
#include "wire/packet.h"
#include "noise.h"

#define PROTOCOL_NAME	"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
#define PROLOGUE	"AF_SSS version 1"

static_assert((int)SSS_HS_KEY_LEN == BLAKE2S_HASH_SIZE);
static_assert((int)SSS_HS_KEY_LEN == CURVE25519_KEY_SIZE);
static_assert((int)SSS_HS_KEY_LEN == CHACHA20POLY1305_KEY_SIZE);
static_assert((int)SSS_HS_TAG_LEN == CHACHA20POLY1305_AUTHTAG_SIZE);

/* Chaining key and transcript hash before anybody's key: equal for all. */
static u8 initial_chain[SSS_HS_KEY_LEN] __ro_after_init;
static u8 initial_hash[SSS_HS_KEY_LEN] __ro_after_init;

static void hash_two(u8 out[SSS_HS_KEY_LEN], const void *a, size_t a_len,
		     const void *b, size_t b_len)
{
	struct blake2s_state state;

	blake2s_init(&state, SSS_HS_KEY_LEN);
	blake2s_update(&state, a, a_len);
	blake2s_update(&state, b, b_len);
	blake2s_final(&state, out);
}

/* HMAC-BLAKE2s (RFC 2104) under a 32-byte key; the kernel has none. */
static void hmac(u8 out[SSS_HS_KEY_LEN], const u8 key[SSS_HS_KEY_LEN],
		 const void *data, size_t len)
{
	u8 pad[BLAKE2S_BLOCK_SIZE] __aligned(8) = {};
	u8 inner[SSS_HS_KEY_LEN];
	struct blake2s_state state;
	int i;

	memcpy(pad, key, SSS_HS_KEY_LEN);
	for (i = 0; i < BLAKE2S_BLOCK_SIZE; i++)
		pad[i] ^= 0x36;
	blake2s_init(&state, SSS_HS_KEY_LEN);
	blake2s_update(&state, pad, BLAKE2S_BLOCK_SIZE);
	blake2s_update(&state, data, len);
	blake2s_final(&state, inner);

	for (i = 0; i < BLAKE2S_BLOCK_SIZE; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	hash_two(out, pad, BLAKE2S_BLOCK_SIZE, inner, SSS_HS_KEY_LEN);

	memzero_explicit(pad, sizeof(pad));
	memzero_explicit(inner, sizeof(inner));
}

/*
 * HKDF of the Noise specification (section 4.3): up to three outputs from the
 * chaining key and @data. @second and @third may be NULL. @first may be
 * @chain, which is why the outputs are written last.
 */
static void kdf(u8 *first, u8 *second, u8 *third, const void *data, size_t len,
		const u8 chain[SSS_HS_KEY_LEN])
{
	u8 secret[SSS_HS_KEY_LEN];
	u8 block[SSS_HS_KEY_LEN + 1];

	hmac(secret, chain, data, len);
	block[0] = 1;
	hmac(block, secret, block, 1);
	memcpy(first, block, SSS_HS_KEY_LEN);
	if (second) {
		block[SSS_HS_KEY_LEN] = 2;
		hmac(block, secret, block, sizeof(block));
		memcpy(second, block, SSS_HS_KEY_LEN);
	}
	if (third) {
		block[SSS_HS_KEY_LEN] = 3;
		hmac(block, secret, block, sizeof(block));
		memcpy(third, block, SSS_HS_KEY_LEN);
	}
	memzero_explicit(secret, sizeof(secret));
	memzero_explicit(block, sizeof(block));
}

static void mix_hash(struct sss_noise_handshake *hs, const void *data, size_t len)
{
	hash_two(hs->hash, hs->hash, SSS_HS_KEY_LEN, data, len);
}

/* MixKey(); @key may be NULL where the next token replaces it anyway. */
static void mix_key(struct sss_noise_handshake *hs, u8 *key, const void *data,
		    size_t len)
{
	kdf(hs->chain, key, NULL, data, len, hs->chain);
}

/* Token e: in PSK patterns an ephemeral goes into hash and chaining key. */
static void mix_ephemeral(struct sss_noise_handshake *hs, const u8 *ephemeral)
{
	mix_hash(hs, ephemeral, SSS_HS_KEY_LEN);
	mix_key(hs, NULL, ephemeral, SSS_HS_KEY_LEN);
}

/* Tokens ee, es, se, ss. False: the shared secret is zero. */
static bool __must_check mix_dh(struct sss_noise_handshake *hs, u8 *key,
				const u8 *private, const u8 *public)
{
	u8 shared[SSS_HS_KEY_LEN];
	bool ok = curve25519(shared, private, public);

	if (ok)
		mix_key(hs, key, shared, SSS_HS_KEY_LEN);
	memzero_explicit(shared, sizeof(shared));
	return ok;
}

/* Token psk: MixKeyAndHash(). */
static void mix_psk(struct sss_noise_handshake *hs, u8 *key, const u8 *psk)
{
	u8 temp[SSS_HS_KEY_LEN];

	kdf(hs->chain, temp, key, psk, SSS_HS_KEY_LEN, hs->chain);
	mix_hash(hs, temp, SSS_HS_KEY_LEN);
	memzero_explicit(temp, sizeof(temp));
}

static void encrypt_and_hash(struct sss_noise_handshake *hs, u8 *out,
			     const void *plain, size_t len, const u8 *key)
{
	chacha20poly1305_encrypt(out, plain, len, hs->hash, SSS_HS_KEY_LEN, 0, key);
	mix_hash(hs, out, len + SSS_HS_TAG_LEN);
}

static bool __must_check decrypt_and_hash(struct sss_noise_handshake *hs,
					  void *plain, const u8 *in, size_t in_len,
					  const u8 *key)
{
	if (!chacha20poly1305_decrypt(plain, in, in_len, hs->hash, SSS_HS_KEY_LEN,
				      0, key))
		return false;
	mix_hash(hs, in, in_len);
	return true;
}

/* Both start from the responder's static key: the pattern's pre-message. */
static void start(struct sss_noise_handshake *hs, const u8 responder[SSS_HS_KEY_LEN])
{
	memset(hs, 0, sizeof(*hs));
	memcpy(hs->chain, initial_chain, SSS_HS_KEY_LEN);
	memcpy(hs->hash, initial_hash, SSS_HS_KEY_LEN);
	mix_hash(hs, responder, SSS_HS_KEY_LEN);
}

static u32 mask_from(const u8 *bytes)
{
	return (u32)bytes[0] << 16 | (u32)bytes[1] << 8 | bytes[2];
}

/*
 * Split(), with a third output for the packet number masks: the first three
 * bytes are the initiator's sending mask, the next three the responder's.
 */
static void split(const struct sss_noise_handshake *hs, bool initiator,
		  struct sss_noise_keys *keys)
{
	u8 masks[SSS_HS_KEY_LEN];
	u32 first, second;

	kdf(initiator ? keys->send : keys->receive,
	    initiator ? keys->receive : keys->send, masks, NULL, 0, hs->chain);
	first = mask_from(masks);
	second = mask_from(masks + 3);
	keys->send_mask = initiator ? first : second;
	keys->receive_mask = initiator ? second : first;
	memzero_explicit(masks, sizeof(masks));
}

/* sss_noise_create_initiate() with the ephemeral already drawn. */
static int build_initiate(struct sss_noise_handshake *hs, struct sss_msg_initiate *msg,
			  const struct sss_noise_identity *identity,
			  const struct sss_noise_remote *remote,
			  const struct sss_initiate_payload *payload)
{
	u8 plain[SSS_INITIATE_PAYLOAD];
	u8 key[SSS_HS_KEY_LEN];
	int err;

	memset(msg, 0, sizeof(*msg));
	msg->type = SSS_PACKET_INITIATE;
	msg->sender = cpu_to_be32(hs->local_index);

	err = sss_handshake_put_initiate(plain, hs->local_index, payload);
	if (err)
		goto out;
	err = -EINVAL;
	if (!curve25519_generate_public(msg->ephemeral, hs->ephemeral_private))
		goto out;
	mix_ephemeral(hs, msg->ephemeral);
	if (!mix_dh(hs, key, hs->ephemeral_private, remote->eid))
		goto out;
	encrypt_and_hash(hs, msg->encrypted_static, identity->eid, SSS_HS_KEY_LEN, key);
	mix_key(hs, key, remote->static_static, SSS_HS_KEY_LEN);
	encrypt_and_hash(hs, msg->encrypted_payload, plain, sizeof(plain), key);
	err = 0;
out:
	memzero_explicit(key, sizeof(key));
	memzero_explicit(plain, sizeof(plain));
	return err;
}

/* sss_noise_create_respond() with the ephemeral already drawn. */
static int build_respond(struct sss_noise_handshake *hs, struct sss_msg_respond *msg,
			 const struct sss_noise_remote *remote,
			 const struct sss_respond_payload *payload,
			 struct sss_noise_keys *keys)
{
	u8 plain[SSS_RESPOND_PAYLOAD];
	u8 key[SSS_HS_KEY_LEN];
	int err;

	memset(msg, 0, sizeof(*msg));
	msg->type = SSS_PACKET_RESPOND;
	msg->sender = cpu_to_be32(hs->local_index);
	msg->receiver = cpu_to_be32(hs->remote_index);

	err = sss_handshake_put_respond(plain, hs->local_index, payload);
	if (err)
		goto out;
	err = -EINVAL;
	if (!curve25519_generate_public(msg->ephemeral, hs->ephemeral_private))
		goto out;
	mix_ephemeral(hs, msg->ephemeral);
	if (!mix_dh(hs, NULL, hs->ephemeral_private, hs->remote_ephemeral) ||
	    !mix_dh(hs, NULL, hs->ephemeral_private, hs->remote_static))
		goto out;
	mix_psk(hs, key, remote->psk);
	encrypt_and_hash(hs, msg->encrypted_payload, plain, sizeof(plain), key);
	split(hs, false, keys);
	err = 0;
out:
	memzero_explicit(key, sizeof(key));
	memzero_explicit(plain, sizeof(plain));
	return err;
}

/**
 * sss_noise_init() - derive what all handshakes start from
 *
 * Once, before anything else here.
 */
void __init sss_noise_init(void)
{
	/* The name is longer than a hash, so it is hashed (section 5.2). */
	blake2s(initial_chain, PROTOCOL_NAME, NULL, SSS_HS_KEY_LEN,
		strlen(PROTOCOL_NAME), 0);
	hash_two(initial_hash, initial_chain, SSS_HS_KEY_LEN, PROLOGUE,
		 strlen(PROLOGUE));
}

/**
 * sss_noise_generate_private() - draw a private key
 * @private: filled
 *
 * Context: may sleep until the random number generator is ready.
 */
void sss_noise_generate_private(u8 private[SSS_HS_KEY_LEN])
{
	curve25519_generate_secret(private);
}

/**
 * sss_noise_set_identity() - derive a host's identity from its private key
 * @identity: filled; left alone on error
 * @private: X25519 scalar, clamped here; may be @identity->private
 *
 * Return: 0, or -EINVAL if the key has no usable public key.
 */
int sss_noise_set_identity(struct sss_noise_identity *identity,
			   const u8 private[SSS_HS_KEY_LEN])
{
	struct sss_noise_identity new;
	int err = -EINVAL;

	memcpy(new.private, private, SSS_HS_KEY_LEN);
	curve25519_clamp_secret(new.private);
	if (curve25519_generate_public(new.eid, new.private) &&
	    sss_eid_is_valid(new.eid)) {
		*identity = new;
		err = 0;
	}
	memzero_explicit(&new, sizeof(new));
	return err;
}

/**
 * sss_noise_set_remote() - precompute what handshakes with one peer need
 * @remote: filled; left alone on error
 * @identity: the host
 * @eid: the peer
 * @psk: pre-shared key, NULL: none
 *
 * Return: 0; -EINVAL for a key that is not canonical, of low order, or the
 * host's own.
 */
int sss_noise_set_remote(struct sss_noise_remote *remote,
			 const struct sss_noise_identity *identity,
			 const u8 eid[SSS_HS_KEY_LEN], const u8 psk[SSS_HS_KEY_LEN])
{
	struct sss_noise_remote new = {};
	int err = -EINVAL;

	if (!sss_eid_is_valid(eid) || !memcmp(eid, identity->eid, SSS_HS_KEY_LEN))
		return -EINVAL;
	memcpy(new.eid, eid, SSS_HS_KEY_LEN);
	if (psk)
		memcpy(new.psk, psk, SSS_HS_KEY_LEN);
	if (curve25519(new.static_static, identity->private, eid)) {
		*remote = new;
		err = 0;
	}
	memzero_explicit(&new, sizeof(new));
	return err;
}

/**
 * sss_noise_stamp() - advance a TAI64N timestamp
 * @stamp: the last one given to the same peer, zero if none; becomes
 *	max(now, last + 1 ns)
 *
 * The time is rounded down to 2^24 ns, so that it tells little about when
 * exactly a program called, or how fast this machine answers.
 */
void sss_noise_stamp(u8 stamp[SSS_HS_STAMP_LEN])
{
	u8 now[SSS_HS_STAMP_LEN];
	struct timespec64 time;
	u64 seconds;
	u32 ns;

	ktime_get_real_ts64(&time);
	put_unaligned_be64(0x400000000000000aULL + time.tv_sec, now);
	put_unaligned_be32(ALIGN_DOWN(time.tv_nsec, 1U << 24), now + 8);
	if (memcmp(now, stamp, sizeof(now)) > 0) {
		memcpy(stamp, now, sizeof(now));
		return;
	}
	seconds = get_unaligned_be64(stamp);
	ns = get_unaligned_be32(stamp + 8) + 1;
	if (ns >= NSEC_PER_SEC) {
		ns = 0;
		seconds++;
	}
	put_unaligned_be64(seconds, stamp);
	put_unaligned_be32(ns, stamp + 8);
}

/**
 * sss_noise_create_initiate() - make the first message
 * @hs: filled; sss_noise_forget() it when it is no longer awaited
 * @msg: filled but for both macs
 * @identity: the host
 * @remote: the peer
 * @payload: what to say
 * @local_index: reserved by sss_index_reserve()
 *
 * Return: 0; -EINVAL for an impossible payload or a zero shared secret. @hs is
 * forgotten on error.
 *
 * Context: process; may sleep until the random number generator is ready.
 */
int sss_noise_create_initiate(struct sss_noise_handshake *hs,
			      struct sss_msg_initiate *msg,
			      const struct sss_noise_identity *identity,
			      const struct sss_noise_remote *remote,
			      const struct sss_initiate_payload *payload,
			      u32 local_index)
{
	int err;

	start(hs, remote->eid);
	memcpy(hs->remote_static, remote->eid, SSS_HS_KEY_LEN);
	hs->local_index = local_index;
	curve25519_generate_secret(hs->ephemeral_private);
	err = build_initiate(hs, msg, identity, remote, payload);
	if (err)
		sss_noise_forget(hs);
	return err;
}

/**
 * sss_noise_consume_static() - who claims to have sent an INITIATE?
 * @hs: filled: remote_static is the claimed EID, of canonical form but not
 *	proved before sss_noise_consume_payload()
 * @msg: as received, of the right length, mac1 checked
 * @identity: the host it came to
 *
 * Return: 0; -EBADMSG if it does not decrypt; -EINVAL for a key nobody may
 * have: not canonical, of low order, the host's own. @hs is forgotten on
 * error.
 */
int sss_noise_consume_static(struct sss_noise_handshake *hs,
			     const struct sss_msg_initiate *msg,
			     const struct sss_noise_identity *identity)
{
	u8 key[SSS_HS_KEY_LEN];
	int err = -EINVAL;

	start(hs, identity->eid);
	if (!sss_eid_is_valid(msg->ephemeral))
		goto out;
	memcpy(hs->remote_ephemeral, msg->ephemeral, SSS_HS_KEY_LEN);
	hs->remote_index = be32_to_cpu(msg->sender);
	mix_ephemeral(hs, msg->ephemeral);
	if (!mix_dh(hs, key, identity->private, msg->ephemeral))
		goto out;
	err = -EBADMSG;
	if (!decrypt_and_hash(hs, hs->remote_static, msg->encrypted_static,
			      sizeof(msg->encrypted_static), key))
		goto out;
	err = -EINVAL;
	if (!sss_eid_is_valid(hs->remote_static) ||
	    !memcmp(hs->remote_static, identity->eid, SSS_HS_KEY_LEN))
		goto out;
	err = 0;
out:
	memzero_explicit(key, sizeof(key));
	if (err)
		sss_noise_forget(hs);
	return err;
}

/**
 * sss_noise_consume_payload() - prove who sent an INITIATE, and read it
 * @hs: from sss_noise_consume_static()
 * @msg: the same message
 * @remote: of hs->remote_static
 * @payload: filled. It can be an old INITIATE sent again: nothing in it may
 *	take effect before the first data packet
 *
 * Return: 0; -EBADMSG if it does not decrypt; -EPROTO if the payload is
 * malformed. @hs is forgotten on error.
 */
int sss_noise_consume_payload(struct sss_noise_handshake *hs,
			      const struct sss_msg_initiate *msg,
			      const struct sss_noise_remote *remote,
			      struct sss_initiate_payload *payload)
{
	u8 plain[SSS_INITIATE_PAYLOAD];
	u8 key[SSS_HS_KEY_LEN];
	int err = -EBADMSG;

	if (memcmp(hs->remote_static, remote->eid, SSS_HS_KEY_LEN))
		goto out;
	mix_key(hs, key, remote->static_static, SSS_HS_KEY_LEN);
	if (!decrypt_and_hash(hs, plain, msg->encrypted_payload,
			      sizeof(msg->encrypted_payload), key))
		goto out;
	err = sss_handshake_get_initiate(plain, hs->remote_index, payload);
out:
	memzero_explicit(key, sizeof(key));
	memzero_explicit(plain, sizeof(plain));
	if (err)
		sss_noise_forget(hs);
	return err;
}

/**
 * sss_noise_create_respond() - make the second message and the keys
 * @hs: from sss_noise_consume_payload(); only what tells a duplicate
 *	INITIATE and the indices remain in it
 * @msg: filled but for both macs
 * @remote: of hs->remote_static
 * @payload: what to say
 * @local_index: reserved by sss_index_reserve()
 * @keys: filled on success
 *
 * Return: 0; -EINVAL for an impossible payload or a zero shared secret.
 *
 * Context: process; may sleep until the random number generator is ready.
 */
int sss_noise_create_respond(struct sss_noise_handshake *hs,
			     struct sss_msg_respond *msg,
			     const struct sss_noise_remote *remote,
			     const struct sss_respond_payload *payload,
			     u32 local_index, struct sss_noise_keys *keys)
{
	int err;

	hs->local_index = local_index;
	curve25519_generate_secret(hs->ephemeral_private);
	err = build_respond(hs, msg, remote, payload, keys);
	memzero_explicit(hs->hash, sizeof(hs->hash));
	memzero_explicit(hs->chain, sizeof(hs->chain));
	memzero_explicit(hs->ephemeral_private, sizeof(hs->ephemeral_private));
	return err;
}

/* Works on a copy of the handshake, which a forged RESPOND may not spoil. */
static int read_respond(struct sss_noise_handshake *hs,
			const struct sss_msg_respond *msg,
			const struct sss_noise_identity *identity,
			const struct sss_noise_remote *remote,
			struct sss_respond_payload *payload,
			struct sss_noise_keys *keys)
{
	u8 plain[SSS_RESPOND_PAYLOAD];
	u8 key[SSS_HS_KEY_LEN];
	int err = -EBADMSG;

	mix_ephemeral(hs, msg->ephemeral);
	if (!mix_dh(hs, NULL, hs->ephemeral_private, msg->ephemeral) ||
	    !mix_dh(hs, NULL, identity->private, msg->ephemeral))
		goto out;
	mix_psk(hs, key, remote->psk);
	if (!decrypt_and_hash(hs, plain, msg->encrypted_payload,
			      sizeof(msg->encrypted_payload), key))
		goto out;
	err = sss_handshake_get_respond(plain, be32_to_cpu(msg->sender), payload);
	if (!err)
		split(hs, true, keys);
out:
	memzero_explicit(key, sizeof(key));
	memzero_explicit(plain, sizeof(plain));
	return err;
}

/**
 * sss_noise_consume_respond() - read the second message
 * @hs: the initiation whose local_index the message names; unchanged, so that
 *	a forged RESPOND harms nothing
 * @msg: as received, of the right length
 * @identity: the host
 * @remote: the peer, as given to sss_noise_create_initiate()
 * @payload: filled on success
 * @keys: filled on success
 *
 * The index for data packets to the peer is be32_to_cpu(msg->sender),
 * authenticated with the payload.
 *
 * Return: 0; -EBADMSG if it does not authenticate; -EINVAL for an ephemeral
 * of low order or not canonical; -EPROTO if the payload is malformed.
 */
int sss_noise_consume_respond(const struct sss_noise_handshake *hs,
			      const struct sss_msg_respond *msg,
			      const struct sss_noise_identity *identity,
			      const struct sss_noise_remote *remote,
			      struct sss_respond_payload *payload,
			      struct sss_noise_keys *keys)
{
	struct sss_noise_handshake copy;
	int err;

	if (be32_to_cpu(msg->receiver) != hs->local_index)
		return -EBADMSG;
	if (!sss_eid_is_valid(msg->ephemeral))
		return -EINVAL;
	copy = *hs;
	err = read_respond(&copy, msg, identity, remote, payload, keys);
	sss_noise_forget(&copy);
	return err;
}

/**
 * sss_noise_is_same() - is this INITIATE the one already answered?
 * @hs: after sss_noise_create_respond()
 * @msg: another INITIATE
 *
 * Return: whether both have the same ephemeral. Who forges one to match only
 * gets the RESPOND that a replay of the whole would get.
 */
bool sss_noise_is_same(const struct sss_noise_handshake *hs,
		       const struct sss_msg_initiate *msg)
{
	return !memcmp(hs->remote_ephemeral, msg->ephemeral, SSS_HS_KEY_LEN);
}

/**
 * sss_noise_forget() - erase a handshake
 * @hs: all zero afterwards
 */
void sss_noise_forget(struct sss_noise_handshake *hs)
{
	memzero_explicit(hs, sizeof(*hs));
}

#ifdef DEBUG
#include "selftest/noise.c"
#endif
