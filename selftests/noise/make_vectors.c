// SPDX-License-Identifier: GPL-2.0
/*
 * Prints kernel/crypto/selftest/vectors.inc: two handshakes with fixed keys.
 * Rerun it only if the protocol changes; both implementations check the file.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "peer.h"

struct inputs {
	const char *name;
	struct payload initiate;
	struct payload respond;
	bool psk;
	uint32_t initiator_index;
	uint32_t responder_index;
	uint64_t packet_number;
};

/* Bytes that look random and are the same on every run. */
static void fill(uint8_t *to, size_t len, const char *what, const char *name)
{
	uint8_t seed[randombytes_SEEDBYTES] = { 0 };

	crypto_generichash(seed, sizeof(seed), (const uint8_t *)what, strlen(what),
			   (const uint8_t *)name, strlen(name));
	randombytes_buf_deterministic(to, len, seed);
}

static void print(const char *field, const uint8_t *data, size_t len)
{
	printf("\t.%s =", field);
	for (size_t i = 0; i < len; i++) {
		if (i % 32 == 0)
			printf("%s\n\t\t\"", i ? "\"" : "");
		printf("%02x", data[i]);
	}
	printf("\",\n");
}

static void print_cookie(const char *name, uint8_t *initiate, uint32_t index,
			 const uint8_t responder[KEY])
{
	uint8_t cookie[MAC], nonce[24], msg[COOKIE_LEN];

	fill(cookie, sizeof(cookie), "cookie", name);
	fill(nonce, sizeof(nonce), "cookie nonce", name);
	cookie_write(msg, index, nonce, cookie, initiate + INITIATE_LEN - 2 * MAC,
		     responder);
	mac2_write(initiate, INITIATE_LEN, cookie);
	print("cookie", cookie, sizeof(cookie));
	print("cookie_nonce", nonce, sizeof(nonce));
	print("cookie_message", msg, sizeof(msg));
	print("initiate_with_mac2", initiate, INITIATE_LEN);
}

static void print_packet(const struct inputs *in, const struct session *session)
{
	uint8_t plain[24] = { 1 };	/* PING and PADDING */
	uint8_t packet[8 + sizeof(plain) + TAG];

	data_seal(packet, plain, sizeof(plain), in->responder_index, in->packet_number,
		  session);
	printf("\t.packet_number = %lluULL,\n", (unsigned long long)in->packet_number);
	print("packet_plain", plain, sizeof(plain));
	print("packet", packet, sizeof(packet));
}

static int make(const struct inputs *in)
{
	uint8_t initiate[INITIATE_LEN], respond[RESPOND_LEN];
	uint8_t plain_i[INITIATE_PAYLOAD], plain_r[RESPOND_PAYLOAD], read[400];
	struct handshake a = { 0 }, b = { 0 };
	struct session as, bs;
	struct identity ia, ib;
	uint8_t private[KEY];

	fill(private, KEY, "initiator private", in->name);
	identity_from(&ia, private);
	fill(private, KEY, "responder private", in->name);
	identity_from(&ib, private);
	fill(a.ephemeral, KEY, "initiator ephemeral", in->name);
	fill(b.ephemeral, KEY, "responder ephemeral", in->name);
	if (in->psk)
		fill(a.psk, KEY, "psk", in->name);
	memcpy(b.psk, a.psk, KEY);

	printf("{\n\t.name = \"%s\",\n", in->name);
	print("initiator_private", ia.private, KEY);
	print("initiator_eid", ia.public, KEY);
	print("responder_private", ib.private, KEY);
	print("responder_eid", ib.public, KEY);
	print("initiator_ephemeral", a.ephemeral, KEY);
	print("responder_ephemeral", b.ephemeral, KEY);
	print("psk", a.psk, KEY);
	printf("\t.initiator_index = 0x%08x,\n", in->initiator_index);
	printf("\t.responder_index = 0x%08x,\n", in->responder_index);

	initiate_payload_write(plain_i, in->initiator_index, &in->initiate);
	respond_payload_write(plain_r, in->responder_index, &in->respond);
	if (!initiate_write(&a, initiate, &ia, ib.public, plain_i, in->initiator_index))
		return 1;
	print("initiate_payload", plain_i, sizeof(plain_i));
	print("initiate", initiate, sizeof(initiate));
	if (!initiate_read(&b, initiate, &ib, read) ||
	    !respond_write(&b, respond, plain_r, in->responder_index, &bs) ||
	    !respond_read(&a, respond, &ia, read, &as) ||
	    memcmp(as.send, bs.receive, KEY) || memcmp(as.receive, bs.send, KEY))
		return 1;
	print_cookie(in->name, initiate, in->initiator_index, ib.public);
	print("respond_payload", plain_r, sizeof(plain_r));
	print("respond", respond, sizeof(respond));
	print("initiator_sends", as.send, KEY);
	print("responder_sends", as.receive, KEY);
	printf("\t.initiator_mask = 0x%06x,\n", as.send_mask);
	printf("\t.responder_mask = 0x%06x,\n", as.receive_mask);
	print_packet(in, &as);
	printf("},\n");
	return 0;
}

int main(void)
{
	static const struct inputs first = {
		.name = "first contact",
		.initiate = {
			.stamp = { 0x40, 0, 0, 0, 0x65, 0x53, 0xf1, 0x0a, 1, 0, 0, 0 },
			.incarnation = 0x0123456789abcdef,
			.has_request = true,
			.service = "Files",
			.protocol = "files 1",
			.param = { 0, 65536, 16 << 20, 256 << 10, 4096, 16 << 20,
				   1 << 20, 5000, 60000, 65507, 1 },
		},
		.respond = {
			.incarnation = 0xfedcba9876543210,
			.remembered = 0,
			.next_number = 0,
			.has_answer = true,
			.status = 1,
			.text = "no such service",
			.param = { 0, 131072, 1 << 20, 64 << 10, 128, 1 << 20, 65536,
				   25000, 30000, 1452, 1 },
		},
		.initiator_index = 0x11223344,
		.responder_index = 0x55667788,
		.packet_number = 0,
	};
	static const struct inputs resumed = {
		.name = "resumed with a pre-shared key",
		.initiate = {
			.stamp = { 0x40, 0, 0, 0, 0x65, 0x53, 0xf5, 0x0b, 2, 0, 0, 1 },
			.incarnation = 0x0123456789abcdef,
			.remembered = 0xfedcba9876543210,
			.next_number = 0x1234567890,
			.param = { 0, 65536, 16 << 20, 256 << 10, 4096, 16 << 20,
				   1 << 20, 5000, 60000, 65507, 1 },
		},
		.respond = {
			.incarnation = 0xfedcba9876543210,
			.remembered = 0x0123456789abcdef,
			.next_number = 0x0fedcba987,
			.param = { 0, 65536, 16 << 20, 256 << 10, 4096, 16 << 20,
				   1 << 20, 5000, 60000, 65507, 1 },
		},
		.psk = true,
		.initiator_index = 0xdeadbeef,
		.responder_index = 0xcafef00d,
		.packet_number = 0x1234567890,
	};

	if (sodium_init() < 0)
		return 1;
	printf("/* SPDX-License-Identifier: GPL-2.0 */\n");
	printf("/* Printed by selftests/noise/make_vectors.c */\n");
	return make(&first) || make(&resumed);
}
