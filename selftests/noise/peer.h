/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second implementation of the AF_SSS handshake, in userspace, written from
 * Documentation/protocol.rst on libsodium and libb2. It shares no line with
 * the module, so that both can be held against each other.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KEY = 32,
	TAG = 16,
	MAC = 16,
	INITIATE_LEN = 480,
	RESPOND_LEN = 448,
	COOKIE_LEN = 64,
	REJECT_LEN = 24,
	INITIATE_PAYLOAD = 344,
	RESPOND_PAYLOAD = 356,
	NAME_MAX_LEN = 45,
	PARAM_COUNT = 11,		/* numbers 1 to 10 */
};

enum message_type {
	TYPE_INITIATE = 1,
	TYPE_RESPOND = 2,
	TYPE_COOKIE = 3,
	TYPE_REJECT = 4,
	TYPE_DATA = 5,
	TYPE_RELAY = 6,
};

struct identity {
	uint8_t private[KEY];
	uint8_t public[KEY];
};

/* SymmetricState of the Noise specification */
struct symmetric {
	uint8_t hash[KEY];
	uint8_t chain[KEY];
	uint8_t key[KEY];
};

struct handshake {
	struct symmetric state;
	uint8_t ephemeral[KEY];		/* own, private */
	uint8_t remote_ephemeral[KEY];
	uint8_t remote_static[KEY];
	uint8_t psk[KEY];
	uint32_t local_index;
	uint32_t remote_index;
};

struct session {
	uint8_t send[KEY];
	uint8_t receive[KEY];
	uint32_t send_mask;
	uint32_t receive_mask;
};

/* Both payloads; fields of the other one are ignored. */
struct payload {
	uint8_t stamp[12];			/* INITIATE */
	uint64_t incarnation;
	uint64_t remembered;
	uint64_t next_number;
	bool has_request;			/* INITIATE */
	uint8_t kind;
	char service[NAME_MAX_LEN + 1];
	char protocol[NAME_MAX_LEN + 1];
	bool refused;				/* RESPOND */
	bool has_answer;
	uint8_t status;
	char text[128];
	uint64_t param[PARAM_COUNT];		/* by TLV type; 0: default */
};

/* peer_noise.c */
void identity_from(struct identity *identity, const uint8_t private[KEY]);
bool eid_valid(const uint8_t eid[KEY]);
bool initiate_write(struct handshake *hs, uint8_t msg[INITIATE_LEN],
		    const struct identity *own, const uint8_t remote[KEY],
		    const uint8_t plain[INITIATE_PAYLOAD], uint32_t index);
bool initiate_read(struct handshake *hs, const uint8_t msg[INITIATE_LEN],
		   const struct identity *own, uint8_t plain[INITIATE_PAYLOAD]);
bool respond_write(struct handshake *hs, uint8_t msg[RESPOND_LEN],
		   const uint8_t plain[RESPOND_PAYLOAD], uint32_t index,
		   struct session *session);
bool respond_read(const struct handshake *hs, const uint8_t msg[RESPOND_LEN],
		  const struct identity *own, uint8_t plain[RESPOND_PAYLOAD],
		  struct session *session);
bool session_guess(const struct handshake *hs, const uint8_t msg[RESPOND_LEN],
		   const struct identity *own, struct session *session);
void mac1_write(uint8_t *msg, size_t len, const uint8_t receiver[KEY]);
bool mac1_check(const uint8_t *msg, size_t len, const uint8_t receiver[KEY]);
void mac2_write(uint8_t *msg, size_t len, const uint8_t cookie[MAC]);
void cookie_write(uint8_t msg[COOKIE_LEN], uint32_t receiver_index,
		  const uint8_t nonce[24], const uint8_t cookie[MAC],
		  const uint8_t mac1[MAC], const uint8_t receiver[KEY]);
bool cookie_read(const uint8_t msg[COOKIE_LEN], uint8_t cookie[MAC],
		 const uint8_t mac1[MAC], const uint8_t sender[KEY]);
void data_seal(uint8_t *packet, const uint8_t *plain, size_t len, uint32_t index,
	       uint64_t number, const struct session *session);
bool data_open(uint8_t *plain, const uint8_t *packet, size_t len,
	       uint64_t expected, uint64_t *number, const struct session *session);

/* peer_wire.c */
void put32(uint8_t *to, uint32_t value);
uint32_t get32(const uint8_t *from);
void put64(uint8_t *to, uint64_t value);
uint64_t get64(const uint8_t *from);
size_t varint_write(uint8_t *to, uint64_t value);
size_t varint_read(const uint8_t *from, const uint8_t *end, uint64_t *value);
bool initiate_payload_write(uint8_t to[INITIATE_PAYLOAD], uint32_t index,
			    const struct payload *payload);
bool initiate_payload_read(const uint8_t from[INITIATE_PAYLOAD], uint32_t index,
			   struct payload *payload);
bool respond_payload_write(uint8_t to[RESPOND_PAYLOAD], uint32_t index,
			   const struct payload *payload);
bool respond_payload_read(const uint8_t from[RESPOND_PAYLOAD], uint32_t index,
			  struct payload *payload);

#endif /* PEER_H */
