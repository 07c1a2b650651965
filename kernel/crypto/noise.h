/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s over plain buffers.
 *
 * No function here takes a lock, looks anything up or allocates; all of them
 * do Diffie-Hellman and belong on a workqueue. mac1 and mac2 are cookie.h's:
 * a message made here is finished by sss_cookie_add_mac1() and _mac2().
 *
 * Initiator: sss_noise_create_initiate(), send to any number of endpoints and
 * again for 5 s (only mac2 differs), keep the last three struct
 * sss_noise_handshake, find the one a RESPOND names by its receiver index,
 * sss_noise_consume_respond(), which leaves the handshake as it was.
 *
 * Responder: sss_noise_consume_static() tells who claims to call; decide
 * (access, rate, PSK), then sss_noise_consume_payload() proves it, then
 * sss_noise_create_respond(). A duplicate gets the cached RESPOND: compare
 * the INITIATE's ephemeral with sss_noise_is_same().
 */
#ifndef _SSS_CRYPTO_NOISE_H
#define _SSS_CRYPTO_NOISE_H

#include <linux/types.h>
#include "wire/handshake.h"

/**
 * struct sss_noise_identity - a host's own key pair
 * @private: clamped X25519 scalar
 * @eid: its public key
 */
struct sss_noise_identity {
	u8 private[SSS_HS_KEY_LEN];
	u8 eid[SSS_HS_KEY_LEN];
};

/**
 * struct sss_noise_remote - what one host needs of one peer, precomputed
 * @eid: the peer's public key
 * @static_static: DH of both static keys
 * @psk: pre-shared key, all zero: none
 *
 * Constant while a handshake uses it: copy it, or replace it as a whole.
 */
struct sss_noise_remote {
	u8 eid[SSS_HS_KEY_LEN];
	u8 static_static[SSS_HS_KEY_LEN];
	u8 psk[SSS_HS_KEY_LEN];
};

/**
 * struct sss_noise_keys - what a finished handshake yields
 * @send: key of packets sent
 * @receive: key of packets received
 * @send_mask: 24 bits, XORed on the packet number in headers sent
 * @receive_mask: likewise, received
 *
 * Erased with memzero_explicit() by whoever holds it.
 */
struct sss_noise_keys {
	u8 send[SSS_HS_KEY_LEN];
	u8 receive[SSS_HS_KEY_LEN];
	u32 send_mask;
	u32 receive_mask;
};

/**
 * struct sss_noise_handshake - one handshake under way; secret throughout
 * @hash: transcript hash
 * @chain: chaining key
 * @ephemeral_private: own ephemeral key (zero at the responder)
 * @remote_ephemeral: the initiator's ephemeral (responder only)
 * @remote_static: EID of the other side
 * @local_index: index the other side is to put in packets to us
 * @remote_index: index to put in packets to the other side
 */
struct sss_noise_handshake {
	u8 hash[SSS_HS_KEY_LEN];
	u8 chain[SSS_HS_KEY_LEN];
	u8 ephemeral_private[SSS_HS_KEY_LEN];
	u8 remote_ephemeral[SSS_HS_KEY_LEN];
	u8 remote_static[SSS_HS_KEY_LEN];
	u32 local_index;
	u32 remote_index;
};

void sss_noise_init(void);
void sss_noise_generate_private(u8 private[SSS_HS_KEY_LEN]);
int __must_check sss_noise_set_identity(struct sss_noise_identity *identity,
					const u8 private[SSS_HS_KEY_LEN]);
int __must_check sss_noise_set_remote(struct sss_noise_remote *remote,
				      const struct sss_noise_identity *identity,
				      const u8 eid[SSS_HS_KEY_LEN],
				      const u8 psk[SSS_HS_KEY_LEN]);
void sss_noise_stamp(u8 stamp[SSS_HS_STAMP_LEN]);

int __must_check sss_noise_create_initiate(struct sss_noise_handshake *hs,
					   struct sss_msg_initiate *msg,
					   const struct sss_noise_identity *identity,
					   const struct sss_noise_remote *remote,
					   const struct sss_initiate_payload *payload,
					   u32 local_index);
int __must_check sss_noise_consume_static(struct sss_noise_handshake *hs,
					  const struct sss_msg_initiate *msg,
					  const struct sss_noise_identity *identity);
int __must_check sss_noise_consume_payload(struct sss_noise_handshake *hs,
					   const struct sss_msg_initiate *msg,
					   const struct sss_noise_remote *remote,
					   struct sss_initiate_payload *payload);
int __must_check sss_noise_create_respond(struct sss_noise_handshake *hs,
					  struct sss_msg_respond *msg,
					  const struct sss_noise_remote *remote,
					  const struct sss_respond_payload *payload,
					  u32 local_index, struct sss_noise_keys *keys);
int __must_check sss_noise_consume_respond(const struct sss_noise_handshake *hs,
					   const struct sss_msg_respond *msg,
					   const struct sss_noise_identity *identity,
					   const struct sss_noise_remote *remote,
					   struct sss_respond_payload *payload,
					   struct sss_noise_keys *keys);
bool sss_noise_is_same(const struct sss_noise_handshake *hs,
		       const struct sss_msg_initiate *msg);
void sss_noise_forget(struct sss_noise_handshake *hs);

int sss_noise_selftest(void);

#endif /* _SSS_CRYPTO_NOISE_H */
