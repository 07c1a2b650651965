/* SPDX-License-Identifier: GPL-2.0 */
/* How kernel/crypto/selftest/vectors.inc is read. */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdint.h>

struct vector {
	const char *name;
	const char *initiator_private;
	const char *initiator_eid;
	const char *responder_private;
	const char *responder_eid;
	const char *initiator_ephemeral;
	const char *responder_ephemeral;
	const char *psk;
	uint32_t initiator_index;
	uint32_t responder_index;
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
	uint32_t initiator_mask;
	uint32_t responder_mask;
	uint64_t packet_number;
	const char *packet_plain;
	const char *packet;
};

static const struct vector vectors[] = {
#include "../../kernel/crypto/selftest/vectors.inc"
};

#endif /* VECTORS_H */
