/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packet cipher: ChaCha20-Poly1305 (RFC 8439) with the packet header as
 * additional data and the 64-bit packet number as nonce. Thin names over the
 * kernel's library; no state, no allocation, callable in any context.
 */
#ifndef _SSS_CRYPTO_AEAD_H
#define _SSS_CRYPTO_AEAD_H

#include <linux/types.h>

enum sss_aead_sizes {
	SSS_AEAD_KEY_LEN = 32,
	SSS_AEAD_TAG_LEN = 16,
};

/**
 * struct sss_aead_piece - part of a plaintext or ciphertext
 * @data: address in the kernel's linear map
 * @len: bytes, may be 0
 */
struct sss_aead_piece {
	const void *data;
	size_t len;
};

void sss_aead_seal(u8 *packet, size_t header, size_t len, u64 number,
		   const u8 key[SSS_AEAD_KEY_LEN]);
void sss_aead_seal_pieces(u8 *packet, size_t header,
			  const struct sss_aead_piece *pieces, unsigned int n,
			  u64 number, const u8 key[SSS_AEAD_KEY_LEN]);
bool __must_check sss_aead_open(u8 *packet, size_t header, size_t len,
				u64 number, const u8 key[SSS_AEAD_KEY_LEN]);
bool __must_check sss_aead_open_pieces(u8 *plain, const u8 *header, size_t header_len,
				       const struct sss_aead_piece *pieces,
				       unsigned int n, u64 number,
				       const u8 key[SSS_AEAD_KEY_LEN]);

int sss_aead_selftest(void);

#endif /* _SSS_CRYPTO_AEAD_H */
