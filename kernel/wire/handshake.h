/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layout of the four handshake messages, and the codec of what INITIATE and
 * RESPOND carry encrypted. Pure: no locks, no allocation, no cryptography.
 */
#ifndef _SSS_WIRE_HANDSHAKE_H
#define _SSS_WIRE_HANDSHAKE_H

#include "pure.h"

enum sss_hs_sizes {
	SSS_HS_KEY_LEN		= 32,	/* X25519 key or point, ChaCha20 key */
	SSS_HS_TAG_LEN		= 16,	/* Poly1305 */
	SSS_HS_MAC_LEN		= 16,	/* mac1, mac2, cookie */
	SSS_HS_NONCE_LEN	= 24,	/* XChaCha20 */
	SSS_HS_STAMP_LEN	= 12,	/* TAI64N */
	SSS_HS_NAME_MAX		= 45,	/* service or protocol name */
	SSS_HS_TEXT_MAX		= 127,	/* text of an answer */
	SSS_HS_EID_LEN		= 32,
};

/*
 * Both sizes are fixed so that neither names nor answers show in the length.
 * An INITIATE is never shorter than what it can provoke, and three of them
 * fit the 1500 bytes a minute allowed to an address that never answered.
 */
enum sss_msg_sizes {
	SSS_MSG_INITIATE_LEN	= 480,
	SSS_MSG_RESPOND_LEN	= 448,
	SSS_MSG_COOKIE_LEN	= 64,
	SSS_MSG_REJECT_LEN	= 24,
	SSS_INITIATE_PAYLOAD	= SSS_MSG_INITIATE_LEN - 8 - SSS_HS_KEY_LEN -
				  (SSS_HS_KEY_LEN + SSS_HS_TAG_LEN) -
				  SSS_HS_TAG_LEN - 2 * SSS_HS_MAC_LEN,	/* 344 */
	SSS_RESPOND_PAYLOAD	= SSS_MSG_RESPOND_LEN - 12 - SSS_HS_KEY_LEN -
				  SSS_HS_TAG_LEN - 2 * SSS_HS_MAC_LEN,	/* 356 */
};

/* The last fields of INITIATE and of RESPOND; mac1 covers all before it. */
struct sss_msg_macs {
	u8 mac1[SSS_HS_MAC_LEN];
	u8 mac2[SSS_HS_MAC_LEN];
} __packed;

struct sss_msg_initiate {
	u8 type;			/* SSS_PACKET_INITIATE */
	u8 zero[3];
	__be32 sender;
	u8 ephemeral[SSS_HS_KEY_LEN];
	u8 encrypted_static[SSS_HS_KEY_LEN + SSS_HS_TAG_LEN];
	u8 encrypted_payload[SSS_INITIATE_PAYLOAD + SSS_HS_TAG_LEN];
	struct sss_msg_macs macs;
} __packed;

struct sss_msg_respond {
	u8 type;			/* SSS_PACKET_RESPOND */
	u8 zero[3];
	__be32 sender;
	__be32 receiver;
	u8 ephemeral[SSS_HS_KEY_LEN];
	u8 encrypted_payload[SSS_RESPOND_PAYLOAD + SSS_HS_TAG_LEN];
	struct sss_msg_macs macs;
} __packed;

struct sss_msg_cookie {
	u8 type;			/* SSS_PACKET_COOKIE */
	u8 zero[3];
	__be32 receiver;
	u8 nonce[SSS_HS_NONCE_LEN];
	u8 encrypted_cookie[SSS_HS_MAC_LEN + SSS_HS_TAG_LEN];
} __packed;

struct sss_msg_reject {
	u8 type;			/* SSS_PACKET_REJECT */
	u8 zero[3];
	__be32 receiver;		/* sender index of the INITIATE */
	u8 mac1[SSS_HS_MAC_LEN];	/* mac1 of the INITIATE */
} __packed;

/**
 * struct sss_params - transport parameters of one side: what it accepts
 * @initial_stream_window: bytes a new stream may carry before any WINDOW
 * @channel_window: bytes in unaccepted streams together
 * @datagram_credit: bytes of datagrams in flight
 * @max_streams: streams the peer may open at the root before any MAX_STREAMS
 * @max_record: longest record taken, in bytes
 * @max_datagram: longest datagram taken, in bytes
 * @max_ack_delay_us: longest time an ack is held back
 * @idle_ms: a channel without streams is closed after this
 * @max_packet: largest UDP payload taken
 * @suites: bit set of packet cipher suites supported, see SSS_SUITE_*
 */
struct sss_params {
	u64 initial_stream_window;
	u64 channel_window;
	u64 datagram_credit;
	u64 max_streams;
	u64 max_record;
	u64 max_datagram;
	u64 max_ack_delay_us;
	u64 idle_ms;
	u64 max_packet;
	u64 suites;
};

#define SSS_SUITE_CHACHA20POLY1305	1ULL	/* mandatory */

enum sss_params_bounds {
	SSS_PARAM_STREAM_WINDOW_MIN	= 16384,
	SSS_PARAM_ACK_DELAY_MAX_US	= 1000000,
	SSS_PARAM_PACKET_MIN		= 1200,
	SSS_PARAM_PACKET_MAX		= 65507,
};

/**
 * struct sss_initiate_payload - what INITIATE says, encrypted
 * @stamp: TAI64N, later than in any INITIATE before to the same peer
 * @incarnation: of the sender's channel state, not zero
 * @remembered: incarnation of the receiver the sender still has, 0: none
 * @next_number: no packet of the sender under the new keys is below it
 * @has_request: the next three are valid
 * @kind: SSS_KIND_* of the stream that is wanted
 * @service: NUL-terminated name, see sss_name_is_valid()
 * @protocol: likewise
 * @params: the sender's transport parameters
 */
struct sss_initiate_payload {
	u8 stamp[SSS_HS_STAMP_LEN];
	u64 incarnation;
	u64 remembered;
	u64 next_number;
	bool has_request;
	u8 kind;
	char service[SSS_HS_NAME_MAX + 1];
	char protocol[SSS_HS_NAME_MAX + 1];
	struct sss_params params;
};

/**
 * struct sss_respond_payload - what RESPOND says, encrypted
 * @incarnation: of the sender's channel state, not zero
 * @remembered: incarnation of the receiver the sender still has, 0: none
 * @next_number: no packet of the sender under the new keys is below it
 * @refused: there will be no channel: the receiver is not let in, and no key is kept
 * @has_answer: the request was looked at; the next two are valid
 * @status: enum sss_service_status
 * @text: NUL-terminated, may be empty
 * @params: the sender's transport parameters
 */
struct sss_respond_payload {
	u64 incarnation;
	u64 remembered;
	u64 next_number;
	bool refused;
	bool has_answer;
	u8 status;
	char text[SSS_HS_TEXT_MAX + 1];
	struct sss_params params;
};

bool sss_eid_is_valid(const u8 eid[SSS_HS_EID_LEN]);
int sss_eid_cmp(const u8 a[SSS_HS_EID_LEN], const u8 b[SSS_HS_EID_LEN]);

void sss_params_init(struct sss_params *params);
void sss_params_raise(struct sss_params *params, const struct sss_params *resumed);

int sss_handshake_put_initiate(u8 buf[SSS_INITIATE_PAYLOAD], u32 sender,
			       const struct sss_initiate_payload *payload);
int sss_handshake_get_initiate(const u8 buf[SSS_INITIATE_PAYLOAD], u32 sender,
			       struct sss_initiate_payload *payload);
int sss_handshake_put_respond(u8 buf[SSS_RESPOND_PAYLOAD], u32 sender,
			      const struct sss_respond_payload *payload);
int sss_handshake_get_respond(const u8 buf[SSS_RESPOND_PAYLOAD], u32 sender,
			      struct sss_respond_payload *payload);

bool sss_handshake_length_ok(const u8 *msg, size_t len);
void sss_handshake_put_reject(struct sss_msg_reject *reject,
			      const struct sss_msg_initiate *initiate);

#endif /* _SSS_WIRE_HANDSHAKE_H */
