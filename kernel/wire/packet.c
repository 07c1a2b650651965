// SPDX-License-Identifier: GPL-2.0
#include "cursor.h"
#include "packet.h"

/**
 * sss_packet_put_header() - write the header of a data packet
 * @buf: where
 * @number: packet number; its low 24 bits are sent
 * @mask: 24 bits of the key that hide them
 * @receiver: index the peer chose
 */
void sss_packet_put_header(u8 buf[SSS_PACKET_HEADER_LEN], u64 number, u32 mask, u32 receiver)
{
	u32 truncated = (number ^ mask) & SSS_PACKET_NUMBER_MASK;
	struct sss_writer w;

	sss_writer_init(&w, buf, SSS_PACKET_HEADER_LEN);
	sss_writer_be32(&w, (u32)SSS_PACKET_DATA << SSS_PACKET_NUMBER_BITS | truncated);
	sss_writer_be32(&w, receiver);
}

/**
 * sss_packet_get_header() - read the header of a data packet
 * @buf: UDP payload
 * @len: its bytes
 * @header: result; ->truncated is still masked
 *
 * Return: 0, or -EBADMSG: too short, or not a data packet
 */
int sss_packet_get_header(const u8 *buf, size_t len, struct sss_packet_header *header)
{
	struct sss_cursor c;
	u32 first;

	if (len < SSS_PACKET_MIN_LEN || buf[0] != SSS_PACKET_DATA)
		return -EBADMSG;
	sss_cursor_init(&c, buf, SSS_PACKET_HEADER_LEN);
	first = sss_cursor_be32(&c);
	header->truncated = first & SSS_PACKET_NUMBER_MASK;
	header->receiver = sss_cursor_be32(&c);
	return 0;
}

/**
 * sss_packet_put_relay() - write the outer header of a packet for a relay
 * @buf: where
 * @session: as the relay knows us
 */
void sss_packet_put_relay(u8 buf[SSS_RELAY_HEADER_LEN], u64 session)
{
	struct sss_writer w;

	sss_writer_init(&w, buf, SSS_RELAY_HEADER_LEN);
	sss_writer_u8(&w, SSS_PACKET_RELAY);
	sss_writer_zero(&w, SSS_RELAY_HEADER_LEN - 1 - sizeof(session));
	sss_writer_be64(&w, session);
}

/**
 * sss_packet_get_relay() - read the outer header of a packet from a relay
 * @buf: UDP payload, of which the header at least is there
 * @len: its bytes
 * @session: result
 *
 * Return: 0, or -EBADMSG: no packet can follow, not the type, or session 0
 */
int sss_packet_get_relay(const u8 *buf, size_t len, u64 *session)
{
	struct sss_cursor c;

	if (len <= SSS_RELAY_HEADER_LEN || buf[0] != SSS_PACKET_RELAY)
		return -EBADMSG;
	sss_cursor_init(&c, buf, SSS_RELAY_HEADER_LEN);
	sss_cursor_be64(&c);
	*session = sss_cursor_be64(&c);
	return *session ? 0 : -EBADMSG;
}

/**
 * sss_packet_decode_number() - complete a truncated packet number
 * @truncated: its low 24 bits, unmasked
 * @expected: one above the largest number received
 *
 * Return: the number nearest to @expected that ends in @truncated (RFC 9000
 * appendix A.3)
 */
u64 sss_packet_decode_number(u32 truncated, u64 expected)
{
	const u64 window = 1ULL << SSS_PACKET_NUMBER_BITS;
	u64 candidate = (expected & ~(window - 1)) | (truncated & SSS_PACKET_NUMBER_MASK);

	if (candidate + window / 2 <= expected && candidate <= SSS_VARINT_MAX - window)
		return candidate + window;
	if (candidate > expected + window / 2 && candidate >= window)
		return candidate - window;
	return candidate;
}
