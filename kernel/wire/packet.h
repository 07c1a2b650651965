/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packet types and the header of a data packet:
 *
 *	 0        8                       32                      64
 *	+--------+-----------------------+-----------------------+
 *	| type 5 | number ^ mask (24)    | receiver index (32)   |
 *	+--------+-----------------------+-----------------------+
 *
 * then frames and a 16 byte tag, sealed with the header as additional data. And the
 * outer header of what goes through a relay:
 *
 *	+--------+-----------------------------------------------+
 *	| type 6 | reserved (56)                                 |
 *	+--------+-----------------------------------------------+
 *	| session (64)                                           |
 *	+--------------------------------------------------------+
 */
#ifndef _SSS_WIRE_PACKET_H
#define _SSS_WIRE_PACKET_H

#include "pure.h"

enum sss_packet_type {
	SSS_PACKET_INITIATE = 1,
	SSS_PACKET_RESPOND = 2,
	SSS_PACKET_COOKIE = 3,
	SSS_PACKET_REJECT = 4,
	SSS_PACKET_DATA = 5,
	SSS_PACKET_RELAY = 6,		/* an outer header, then a packet of the others */
};

enum sss_packet_sizes {
	SSS_PACKET_HEADER_LEN = 8,
	SSS_PACKET_TAG_LEN = 16,
	SSS_PACKET_OVERHEAD = SSS_PACKET_HEADER_LEN + SSS_PACKET_TAG_LEN,
	SSS_PACKET_MIN_LEN = 33,
	SSS_PACKET_MIN_FRAMES = SSS_PACKET_MIN_LEN - SSS_PACKET_OVERHEAD,
	SSS_PACKET_MTU_MIN = 1200,	/* UDP payload every path must take */
	SSS_RELAY_HEADER_LEN = 16,	/* and that much more through a relay */
};

#define SSS_PACKET_NUMBER_BITS	24
#define SSS_PACKET_NUMBER_MASK	((1U << SSS_PACKET_NUMBER_BITS) - 1)

/**
 * struct sss_packet_header - of a data packet, decoded
 * @truncated: low 24 bits of the packet number, unmasked by the caller
 * @receiver: index
 */
struct sss_packet_header {
	u32 truncated;
	u32 receiver;
};

void sss_packet_put_header(u8 buf[SSS_PACKET_HEADER_LEN], u64 number, u32 mask, u32 receiver);
/* 0, or -EBADMSG: too short or not DATA; ->truncated is still masked */
int sss_packet_get_header(const u8 *buf, size_t len, struct sss_packet_header *header);
void sss_packet_put_relay(u8 buf[SSS_RELAY_HEADER_LEN], u64 session);
/* 0, or -EBADMSG: too short to hold a packet, no RELAY, or no session */
int sss_packet_get_relay(const u8 *buf, size_t len, u64 *session);
/* RFC 9000 appendix A.3: @expected is one above the largest received */
u64 sss_packet_decode_number(u32 truncated, u64 expected);

#endif /* _SSS_WIRE_PACKET_H */
