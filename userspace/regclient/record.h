/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Records of the registration protocol, Documentation/regserver.rst: what is in
 * them, and putting them into CBOR and back. Nothing here allocates memory or
 * believes a length; the server and its clients share it.
 */
#ifndef REGCLIENT_RECORD_H
#define REGCLIENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/sss.h>

#define REG_SERVICE		"Registration"
#define REG_PROTOCOL		"regserver 1"

#define REG_RECORD_MAX		16384	/* bytes of a record, either way */
#define REG_TEXT_MAX		128	/* bytes of a profile's field */
#define REG_KEYWORD_MAX		64
#define REG_KEYWORDS		16
#define REG_ENDPOINTS		8
#define REG_ALLOWED		23	/* EIDs that may be introduced */
#define REG_QUERY_MAX		256
#define REG_CURSOR_MAX		32
#define REG_HITS		20	/* of one page */
#define REG_SERVERS		16
#define REG_EXPLAIN_MAX		127
#define REG_SESSION		8	/* bytes of a session of a relay */

enum reg_op {
	REG_REGISTER = 1,
	REG_REFRESH = 2,
	REG_REMOVE = 3,
	REG_LOOKUP = 4,
	REG_SEARCH = 5,
	REG_INTRODUCE = 6,
	REG_LIST_SERVERS = 7,
	REG_OPS = 8,
	REG_INTRODUCED = 64,	/* from the server, unasked */
};

enum reg_status {
	REG_OK = 0,
	REG_MALFORMED = 1,	/* no CBOR, or not of the form of a record */
	REG_INVALID = 2,	/* a field is missing, out of range or unknown here */
	REG_NOT_FOUND = 3,
	REG_DENIED = 4,		/* its owner does not want to be introduced to you */
	REG_QUOTA = 5,
	REG_RATE = 6,		/* too fast: wait */
	REG_UNAVAILABLE = 7,	/* the store does not answer: try again */
	REG_STATUSES = 8,
};

/* Keys of a record's map */
enum reg_key {
	REG_K_OP = 0,
	REG_K_ID = 1,
	REG_K_STATUS = 2,
	REG_K_TEXT = 3,
	REG_K_EID = 4,
	REG_K_PROFILE = 5,
	REG_K_TTL = 6,
	REG_K_OBSERVED = 7,
	REG_K_QUERY = 8,
	REG_K_CURSOR = 9,
	REG_K_LIMIT = 10,
	REG_K_HITS = 11,
	REG_K_SERVERS = 12,
	REG_K_ENDPOINTS = 13,
	REG_K_WAIT = 14,
	REG_K_TOLD = 15,
	REG_K_SESSION = 16,
	REG_K_RELAY = 17,
	REG_KEYS = 18,
};

/* Keys of a profile's map; up to REG_F_OBSERVED they are bits of "public", too */
enum reg_field {
	REG_F_HOST = 0,
	REG_F_OWNER = 1,
	REG_F_CITY = 2,
	REG_F_REGION = 3,
	REG_F_COUNTRY = 4,
	REG_TEXTS = 5,
	REG_F_KEYWORDS = 5,
	REG_F_ENDPOINTS = 6,
	REG_F_PUBLIC = 7,
	REG_F_OBSERVED = 7,	/* as a bit only: what the server saw */
	REG_F_INTRODUCE = 8,
};

#define REG_PUBLIC_ALL		0xffu

/**
 * struct reg_endpoint - where a host may be reached by UDP
 * @family: 4, 6, or 0: not known
 * @port: host order
 * @addr: 4 or 16 bytes, the rest zero
 */
struct reg_endpoint {
	uint8_t family;
	uint16_t port;
	uint8_t addr[16];
};

/**
 * struct reg_profile - what a host says about itself
 * @text: by enum reg_field, NUL-terminated UTF-8, empty: not given
 * @keywords: free words
 * @endpoints: its own, private ones
 * @public: bits 1 << enum reg_field: what others get to see and to search
 * @restricted: only @allowed may be introduced
 */
struct reg_profile {
	char text[REG_TEXTS][REG_TEXT_MAX + 1];
	unsigned int n_keywords;
	char keywords[REG_KEYWORDS][REG_KEYWORD_MAX + 1];
	unsigned int n_endpoints;
	struct reg_endpoint endpoints[REG_ENDPOINTS];
	unsigned int public;
	bool restricted;
	unsigned int n_allowed;
	struct sss_eid allowed[REG_ALLOWED];
};

/* Of a registration server in a list */
struct reg_server {
	struct sss_eid eid;
	unsigned int n_endpoints;
	struct reg_endpoint endpoints[REG_ENDPOINTS];
};

/* has: bits 1 << enum reg_key of what is there */
struct reg_request {
	unsigned int has;
	unsigned int op;
	uint32_t id;
	struct sss_eid eid;
	struct reg_profile profile;
	uint32_t ttl;
	char query[REG_QUERY_MAX + 1];
	uint8_t cursor[REG_CURSOR_MAX];
	size_t cursor_len;
	uint32_t limit;
	unsigned int n_endpoints;
	struct reg_endpoint endpoints[REG_ENDPOINTS];
};

struct reg_hit {
	struct sss_eid eid;
	struct reg_profile profile;
};

/* An answer, or a notice from the server (REG_INTRODUCED) */
struct reg_answer {
	unsigned int has;
	unsigned int op;
	uint32_t id;
	unsigned int status;
	char text[REG_EXPLAIN_MAX + 1];
	struct sss_eid eid;
	struct reg_profile profile;
	uint32_t ttl;			/* s */
	struct reg_endpoint observed;
	uint8_t cursor[REG_CURSOR_MAX];
	size_t cursor_len;
	unsigned int n_endpoints;
	struct reg_endpoint endpoints[REG_ENDPOINTS];
	uint32_t wait;			/* ms */
	bool told;
	uint8_t session[REG_SESSION];
	struct reg_endpoint relay;
	unsigned int n_hits;
	struct reg_hit hits[REG_HITS];
	unsigned int n_servers;
	struct reg_server servers[REG_SERVERS];
};

/**
 * reg_request_decode() - read a request
 * @req: result; op and id are right as far as they could be read, else 0
 * @data: the record
 * @len: its bytes
 *
 * Return: REG_OK, REG_MALFORMED or REG_INVALID.
 */
enum reg_status reg_request_decode(struct reg_request *req, const void *data, size_t len);

/**
 * reg_request_encode() - write a request
 * @req: what "has" says of it
 * @data: where to
 * @max: room there
 *
 * Return: its bytes; 0: too little room.
 */
size_t reg_request_encode(const struct reg_request *req, void *data, size_t max);

/**
 * reg_answer_decode() - read what a server sent
 * @answer: result
 * @data: the record
 * @len: its bytes
 *
 * Return: REG_OK, REG_MALFORMED or REG_INVALID, about the record itself.
 */
enum reg_status reg_answer_decode(struct reg_answer *answer, const void *data, size_t len);

/**
 * reg_answer_encode() - write an answer or a notice
 * @answer: what "has" says of it
 * @data: where to
 * @max: room there
 *
 * Return: its bytes; 0: too little room.
 */
size_t reg_answer_encode(const struct reg_answer *answer, void *data, size_t max);

/**
 * reg_profile_decode() - read a profile kept as bytes
 * @profile: result
 * @data: bytes
 * @len: how many
 *
 * Return: REG_OK, REG_MALFORMED or REG_INVALID.
 */
enum reg_status reg_profile_decode(struct reg_profile *profile, const void *data, size_t len);

/**
 * reg_profile_encode() - write a profile
 * @profile: the profile
 * @data: where to
 * @max: room there
 *
 * Return: its bytes; 0: too little room.
 */
size_t reg_profile_encode(const struct reg_profile *profile, void *data, size_t max);

/**
 * reg_profile_public() - leave of a profile what others may see
 * @profile: changed: fields that are not public are emptied, so are the mask
 *	and the list of who may be introduced
 */
void reg_profile_public(struct reg_profile *profile);

/**
 * reg_endpoint_pack() - an endpoint as bytes: port, then address
 * @ep: known endpoint
 * @bytes: room for 18
 *
 * Return: 6 or 18; 0 if it is not known.
 */
size_t reg_endpoint_pack(const struct reg_endpoint *ep, uint8_t *bytes);

/**
 * reg_endpoint_unpack() - the opposite
 * @ep: result
 * @bytes: packed endpoint
 * @len: 6 or 18
 *
 * Return: whether it is one: a length of these, and a port other than 0.
 */
bool reg_endpoint_unpack(struct reg_endpoint *ep, const uint8_t *bytes, size_t len);

/**
 * reg_status_text() - what a status means
 * @status: enum reg_status
 *
 * Return: a phrase, for ever.
 */
const char *reg_status_text(unsigned int status);

/**
 * reg_text_valid() - may this be a text of a record?
 * @text: bytes
 * @len: how many
 *
 * Return: whether it is UTF-8 without control characters.
 */
bool reg_text_valid(const char *text, size_t len);

#endif /* REGCLIENT_RECORD_H */
