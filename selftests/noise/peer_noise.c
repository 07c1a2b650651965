// SPDX-License-Identifier: GPL-2.0
/*
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s as a table of tokens, in the words of
 * the Noise specification: X25519 and ChaCha20-Poly1305 from libsodium,
 * BLAKE2s from libb2.
 */
#include <blake2.h>
#include <sodium.h>
#include <string.h>
#include "peer.h"

static const char protocol_name[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const char prologue[] = "AF_SSS version 1";

static void hash(uint8_t out[KEY], const void *a, size_t a_len, const void *b,
		 size_t b_len)
{
	blake2s_state state;

	blake2s_init(&state, KEY);
	blake2s_update(&state, a, a_len);
	blake2s_update(&state, b, b_len);
	blake2s_final(&state, out, KEY);
}

static void hmac(uint8_t out[KEY], const uint8_t key[KEY], const void *a, size_t a_len,
		 uint8_t last, size_t last_len)
{
	uint8_t block[64], inner[KEY], data[256];

	memcpy(data, a, a_len);
	memcpy(data + a_len, &last, last_len);
	memset(block, 0x36, sizeof(block));
	for (int i = 0; i < KEY; i++)
		block[i] ^= key[i];
	hash(inner, block, sizeof(block), data, a_len + last_len);
	memset(block, 0x5c, sizeof(block));
	for (int i = 0; i < KEY; i++)
		block[i] ^= key[i];
	hash(out, block, sizeof(block), inner, KEY);
}

static void hkdf(const uint8_t chain[KEY], const void *input, size_t len,
		 uint8_t out[3][KEY])
{
	uint8_t temp[KEY];

	hmac(temp, chain, input, len, 0, 0);
	hmac(out[0], temp, "", 0, 1, 1);
	hmac(out[1], temp, out[0], KEY, 2, 1);
	hmac(out[2], temp, out[1], KEY, 3, 1);
}

static void mix_hash(struct symmetric *s, const void *data, size_t len)
{
	hash(s->hash, s->hash, KEY, data, len);
}

static void mix_key(struct symmetric *s, const uint8_t input[KEY])
{
	uint8_t out[3][KEY];

	hkdf(s->chain, input, KEY, out);
	memcpy(s->chain, out[0], KEY);
	memcpy(s->key, out[1], KEY);
}

static void mix_key_and_hash(struct symmetric *s, const uint8_t input[KEY])
{
	uint8_t out[3][KEY];

	hkdf(s->chain, input, KEY, out);
	memcpy(s->chain, out[0], KEY);
	mix_hash(s, out[1], KEY);
	memcpy(s->key, out[2], KEY);
}

static bool mix_dh(struct symmetric *s, const uint8_t private[KEY],
		   const uint8_t public[KEY])
{
	uint8_t shared[KEY];

	/* libsodium refuses an all-zero result itself */
	if (crypto_scalarmult(shared, private, public))
		return false;
	mix_key(s, shared);
	return true;
}

static void nonce_from(uint8_t nonce[12], uint64_t number)
{
	memset(nonce, 0, 4);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] = number >> (8 * i);
}

static void encrypt_and_hash(struct symmetric *s, uint8_t *out, const uint8_t *plain,
			     size_t len)
{
	uint8_t nonce[12];

	nonce_from(nonce, 0);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, s->hash, KEY,
						  NULL, nonce, s->key);
	mix_hash(s, out, len + TAG);
}

static bool decrypt_and_hash(struct symmetric *s, uint8_t *plain, const uint8_t *in,
			     size_t in_len)
{
	uint8_t nonce[12];

	nonce_from(nonce, 0);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, in, in_len,
						      s->hash, KEY, nonce, s->key))
		return false;
	mix_hash(s, in, in_len);
	return true;
}

static void symmetric_init(struct symmetric *s, const uint8_t responder[KEY])
{
	hash(s->hash, protocol_name, strlen(protocol_name), "", 0);
	memcpy(s->chain, s->hash, KEY);
	mix_hash(s, prologue, strlen(prologue));
	mix_hash(s, responder, KEY);
}

static void token_e(struct symmetric *s, const uint8_t ephemeral[KEY])
{
	mix_hash(s, ephemeral, KEY);
	mix_key(s, ephemeral);
}

static uint32_t mask(const uint8_t *from)
{
	return get32(from) >> 8;
}

static void split(const struct symmetric *s, bool initiator, struct session *session)
{
	uint8_t out[3][KEY];

	hkdf(s->chain, "", 0, out);
	memcpy(session->send, out[initiator ? 0 : 1], KEY);
	memcpy(session->receive, out[initiator ? 1 : 0], KEY);
	session->send_mask = mask(out[2] + (initiator ? 0 : 3));
	session->receive_mask = mask(out[2] + (initiator ? 3 : 0));
}

void identity_from(struct identity *identity, const uint8_t private[KEY])
{
	memcpy(identity->private, private, KEY);
	identity->private[0] &= 0xf8;
	identity->private[31] = (identity->private[31] & 0x7f) | 0x40;
	crypto_scalarmult_base(identity->public, identity->private);
}

/* Below p, and a multiple by the cofactor is not the identity. */
bool eid_valid(const uint8_t eid[KEY])
{
	static const uint8_t eight[KEY] = { 8 };
	uint8_t p[KEY], out[KEY];

	memset(p, 0xff, KEY);
	p[0] = 0xed;
	p[31] = 0x7f;
	for (int i = KEY - 1; i >= 0; i--) {
		if (eid[i] < p[i])
			return crypto_scalarmult(out, eight, eid) == 0;
		if (eid[i] > p[i])
			return false;
	}
	return false;
}

/* The caller chose hs->ephemeral. */
bool initiate_write(struct handshake *hs, uint8_t msg[INITIATE_LEN],
		    const struct identity *own, const uint8_t remote[KEY],
		    const uint8_t plain[INITIATE_PAYLOAD], uint32_t index)
{
	struct identity e;

	memset(msg, 0, INITIATE_LEN);
	msg[0] = TYPE_INITIATE;
	put32(msg + 4, index);
	hs->local_index = index;
	memcpy(hs->remote_static, remote, KEY);
	symmetric_init(&hs->state, remote);
	identity_from(&e, hs->ephemeral);
	memcpy(msg + 8, e.public, KEY);
	token_e(&hs->state, e.public);
	if (!mix_dh(&hs->state, e.private, remote))
		return false;
	encrypt_and_hash(&hs->state, msg + 40, own->public, KEY);
	if (!mix_dh(&hs->state, own->private, remote))
		return false;
	encrypt_and_hash(&hs->state, msg + 88, plain, INITIATE_PAYLOAD);
	mac1_write(msg, INITIATE_LEN, remote);
	return true;
}

bool initiate_read(struct handshake *hs, const uint8_t msg[INITIATE_LEN],
		   const struct identity *own, uint8_t plain[INITIATE_PAYLOAD])
{
	static const uint8_t zero[3];

	if (msg[0] != TYPE_INITIATE || memcmp(msg + 1, zero, 3) ||
	    !mac1_check(msg, INITIATE_LEN, own->public))
		return false;
	hs->remote_index = get32(msg + 4);
	memcpy(hs->remote_ephemeral, msg + 8, KEY);
	symmetric_init(&hs->state, own->public);
	token_e(&hs->state, hs->remote_ephemeral);
	return eid_valid(hs->remote_ephemeral) &&
	       mix_dh(&hs->state, own->private, hs->remote_ephemeral) &&
	       decrypt_and_hash(&hs->state, hs->remote_static, msg + 40, KEY + TAG) &&
	       eid_valid(hs->remote_static) &&
	       mix_dh(&hs->state, own->private, hs->remote_static) &&
	       decrypt_and_hash(&hs->state, plain, msg + 88, INITIATE_PAYLOAD + TAG);
}

/* The caller chose hs->ephemeral and hs->psk. */
bool respond_write(struct handshake *hs, uint8_t msg[RESPOND_LEN],
		   const uint8_t plain[RESPOND_PAYLOAD], uint32_t index,
		   struct session *session)
{
	struct identity e;

	memset(msg, 0, RESPOND_LEN);
	msg[0] = TYPE_RESPOND;
	put32(msg + 4, index);
	put32(msg + 8, hs->remote_index);
	hs->local_index = index;
	identity_from(&e, hs->ephemeral);
	memcpy(msg + 12, e.public, KEY);
	token_e(&hs->state, e.public);
	if (!mix_dh(&hs->state, e.private, hs->remote_ephemeral) ||
	    !mix_dh(&hs->state, e.private, hs->remote_static))
		return false;
	mix_key_and_hash(&hs->state, hs->psk);
	encrypt_and_hash(&hs->state, msg + 44, plain, RESPOND_PAYLOAD);
	mac1_write(msg, RESPOND_LEN, hs->remote_static);
	split(&hs->state, false, session);
	return true;
}

bool respond_read(const struct handshake *hs, const uint8_t msg[RESPOND_LEN],
		  const struct identity *own, uint8_t plain[RESPOND_PAYLOAD],
		  struct session *session)
{
	static const uint8_t zero[3];
	struct symmetric state = hs->state;

	if (msg[0] != TYPE_RESPOND || memcmp(msg + 1, zero, 3) ||
	    get32(msg + 8) != hs->local_index || !eid_valid(msg + 12) ||
	    !mac1_check(msg, RESPOND_LEN, own->public))
		return false;
	token_e(&state, msg + 12);
	if (!mix_dh(&state, hs->ephemeral, msg + 12) ||
	    !mix_dh(&state, own->private, msg + 12))
		return false;
	mix_key_and_hash(&state, hs->psk);
	if (!decrypt_and_hash(&state, plain, msg + 44, RESPOND_PAYLOAD + TAG))
		return false;
	split(&state, true, session);
	return true;
}

/*
 * For who wants to read a conversation of others: the keys that follow from
 * RESPOND if hs->ephemeral is right, whether it is or not
 */
bool session_guess(const struct handshake *hs, const uint8_t msg[RESPOND_LEN],
		   const struct identity *own, struct session *session)
{
	struct symmetric state = hs->state;

	token_e(&state, msg + 12);
	if (!mix_dh(&state, hs->ephemeral, msg + 12) ||
	    !mix_dh(&state, own->private, msg + 12))
		return false;
	mix_key_and_hash(&state, hs->psk);
	split(&state, true, session);
	return true;
}

static void mac1_compute(uint8_t out[MAC], const uint8_t *msg, size_t len,
			 const uint8_t receiver[KEY])
{
	uint8_t key[KEY];

	hash(key, "sss-mac1", 8, receiver, KEY);
	blake2s(out, msg, key, MAC, len - 2 * MAC, KEY);
}

void mac1_write(uint8_t *msg, size_t len, const uint8_t receiver[KEY])
{
	mac1_compute(msg + len - 2 * MAC, msg, len, receiver);
}

bool mac1_check(const uint8_t *msg, size_t len, const uint8_t receiver[KEY])
{
	uint8_t expected[MAC];

	mac1_compute(expected, msg, len, receiver);
	return !sodium_memcmp(expected, msg + len - 2 * MAC, MAC);
}

void mac2_write(uint8_t *msg, size_t len, const uint8_t cookie[MAC])
{
	blake2s(msg + len - MAC, msg, cookie, MAC, len - MAC, MAC);
}

static void cookie_key(uint8_t key[KEY], const uint8_t eid[KEY])
{
	hash(key, "sss-cook", 8, eid, KEY);
}

/* @receiver: the EID that got the message with @mac1 and now answers it */
void cookie_write(uint8_t msg[COOKIE_LEN], uint32_t receiver_index,
		  const uint8_t nonce[24], const uint8_t cookie[MAC],
		  const uint8_t mac1[MAC], const uint8_t receiver[KEY])
{
	uint8_t key[KEY];

	memset(msg, 0, COOKIE_LEN);
	msg[0] = TYPE_COOKIE;
	put32(msg + 4, receiver_index);
	memcpy(msg + 8, nonce, 24);
	cookie_key(key, receiver);
	crypto_aead_xchacha20poly1305_ietf_encrypt(msg + 32, NULL, cookie, MAC, mac1,
						   MAC, NULL, nonce, key);
}

bool cookie_read(const uint8_t msg[COOKIE_LEN], uint8_t cookie[MAC],
		 const uint8_t mac1[MAC], const uint8_t sender[KEY])
{
	uint8_t key[KEY];

	cookie_key(key, sender);
	return !crypto_aead_xchacha20poly1305_ietf_decrypt(cookie, NULL, NULL, msg + 32,
							   MAC + TAG, mac1, MAC,
							   msg + 8, key);
}

void data_seal(uint8_t *packet, const uint8_t *plain, size_t len, uint32_t index,
	       uint64_t number, const struct session *session)
{
	uint8_t nonce[12];

	put32(packet, (number & 0xffffff) ^ session->send_mask);
	packet[0] = TYPE_DATA;
	put32(packet + 4, index);
	nonce_from(nonce, number);
	crypto_aead_chacha20poly1305_ietf_encrypt(packet + 8, NULL, plain, len, packet,
						  8, NULL, nonce, session->send);
}

/* @expected: one above the largest number received */
bool data_open(uint8_t *plain, const uint8_t *packet, size_t len,
	       uint64_t expected, uint64_t *number, const struct session *session)
{
	const uint64_t window = 1 << 24;
	uint64_t low = (get32(packet) & 0xffffff) ^ session->receive_mask;
	uint64_t candidate = (expected & ~(window - 1)) | low;
	uint8_t nonce[12];

	if (candidate + window / 2 <= expected)
		candidate += window;
	else if (candidate > expected + window / 2 && candidate >= window)
		candidate -= window;
	nonce_from(nonce, candidate);
	if (packet[0] != TYPE_DATA || len < 33 ||
	    crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, packet + 8,
						      len - 8, packet, 8, nonce,
						      session->receive))
		return false;
	*number = candidate;
	return true;
}
