// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Requests, answers and notices */
#include <string.h>
#include "parts.h"

static const char *const status_texts[] = {
	[REG_OK] = "done",
	[REG_MALFORMED] = "malformed record",
	[REG_INVALID] = "a field is missing or out of range",
	[REG_NOT_FOUND] = "not registered",
	[REG_DENIED] = "does not want to be introduced",
	[REG_QUOTA] = "too many registrations",
	[REG_RATE] = "too many requests",
	[REG_UNAVAILABLE] = "the directory is not available at the moment",
};

const char *reg_status_text(unsigned int status)
{
	return status < REG_STATUSES ? status_texts[status] : "unknown status";
}

static void get_request_field(struct reg_in *in, struct reg_request *req, uint64_t key)
{
	switch (key) {
	case REG_K_OP:
		req->op = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_ID:
		req->id = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_EID:
		reg_get_eid(in, &req->eid);
		break;
	case REG_K_PROFILE:
		reg_get_profile(in, &req->profile);
		break;
	case REG_K_TTL:
		req->ttl = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_QUERY:
		reg_in_text(in, req->query, REG_QUERY_MAX);
		break;
	case REG_K_CURSOR:
		req->cursor_len = reg_in_bytes(in, req->cursor, REG_CURSOR_MAX);
		break;
	case REG_K_LIMIT:
		req->limit = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_ENDPOINTS:
		req->n_endpoints = reg_get_endpoints(in, req->endpoints);
		break;
	default:
		reg_in_skip(in);
		return;
	}
	if (in->error == REG_OK)
		req->has |= 1U << key;
}

/* What each operation cannot do without */
static unsigned int needed(unsigned int op)
{
	switch (op) {
	case REG_REGISTER:
		return 1U << REG_K_PROFILE;
	case REG_LOOKUP:
	case REG_INTRODUCE:
		return 1U << REG_K_EID;
	case REG_SEARCH:
		return 1U << REG_K_QUERY;
	default:
		return 0;
	}
}

enum reg_status reg_request_decode(struct reg_request *req, const void *data, size_t len)
{
	const unsigned int always = 1U << REG_K_OP | 1U << REG_K_ID;
	struct reg_in in = { .p = data, .end = (const uint8_t *)data + len };
	struct reg_map map;
	enum reg_status status;
	unsigned int need;
	uint64_t key;

	memset(req, 0, sizeof(*req));
	map = reg_in_map(&in);
	while (reg_in_key(&in, &map, &key))
		get_request_field(&in, req, key);
	status = reg_in_end(&in);
	if (status != REG_OK)
		return status;
	if ((req->has & always) != always)
		return REG_MALFORMED;
	need = needed(req->op);
	if (!req->op || req->op >= REG_OPS || (req->has & need) != need)
		return REG_INVALID;
	return REG_OK;
}

static void put_request_field(struct reg_out *out, const struct reg_request *req, unsigned int key)
{
	switch (key) {
	case REG_K_OP:
		return reg_out_uint(out, req->op);
	case REG_K_ID:
		return reg_out_uint(out, req->id);
	case REG_K_EID:
		return reg_put_eid(out, &req->eid);
	case REG_K_PROFILE:
		return reg_put_profile(out, &req->profile);
	case REG_K_TTL:
		return reg_out_uint(out, req->ttl);
	case REG_K_QUERY:
		return reg_out_text(out, req->query);
	case REG_K_CURSOR:
		return reg_out_bytes(out, req->cursor, req->cursor_len);
	case REG_K_LIMIT:
		return reg_out_uint(out, req->limit);
	case REG_K_ENDPOINTS:
		return reg_put_endpoints(out, req->endpoints, req->n_endpoints);
	default:
		out->full = true;
	}
}

size_t reg_request_encode(const struct reg_request *req, void *data, size_t max)
{
	struct reg_out out = { .p = data, .end = (uint8_t *)data + max };
	uint8_t *map = reg_out_map(&out);
	unsigned int key;

	for (key = 0; key < REG_KEYS; key++) {
		if (!(req->has & 1U << key))
			continue;
		reg_out_key(&out, map, key);
		put_request_field(&out, req, key);
	}
	return out.full ? 0 : out.p - (uint8_t *)data;
}

static void get_hit(struct reg_in *in, struct reg_hit *hit)
{
	struct reg_map map = reg_in_map(in);
	bool named = false;
	uint64_t key;

	while (reg_in_key(in, &map, &key)) {
		if (key == REG_K_EID) {
			reg_get_eid(in, &hit->eid);
			named = true;
		} else if (key == REG_K_PROFILE) {
			reg_get_profile(in, &hit->profile);
		} else {
			reg_in_skip(in);
		}
	}
	if (!named)
		reg_in_fail(in, REG_INVALID);
}

static void get_server(struct reg_in *in, struct reg_server *server)
{
	struct reg_map map = reg_in_map(in);
	bool named = false;
	uint64_t key;

	while (reg_in_key(in, &map, &key)) {
		if (key == REG_K_EID) {
			reg_get_eid(in, &server->eid);
			named = true;
		} else if (key == REG_K_ENDPOINTS) {
			server->n_endpoints = reg_get_endpoints(in, server->endpoints);
		} else {
			reg_in_skip(in);
		}
	}
	if (!named)
		reg_in_fail(in, REG_INVALID);
}

static void get_lists(struct reg_in *in, struct reg_answer *answer, uint64_t key)
{
	unsigned int i;

	if (key == REG_K_HITS) {
		answer->n_hits = reg_in_array(in, REG_HITS);
		for (i = 0; i < answer->n_hits; i++)
			get_hit(in, &answer->hits[i]);
	} else {
		answer->n_servers = reg_in_array(in, REG_SERVERS);
		for (i = 0; i < answer->n_servers; i++)
			get_server(in, &answer->servers[i]);
	}
}

static void get_answer_field(struct reg_in *in, struct reg_answer *answer, uint64_t key)
{
	switch (key) {
	case REG_K_OP:
		answer->op = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_ID:
		answer->id = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_STATUS:
		answer->status = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_TEXT:
		reg_in_text(in, answer->text, REG_EXPLAIN_MAX);
		break;
	case REG_K_EID:
		reg_get_eid(in, &answer->eid);
		break;
	case REG_K_PROFILE:
		reg_get_profile(in, &answer->profile);
		break;
	case REG_K_TTL:
		answer->ttl = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_OBSERVED:
		reg_get_endpoint(in, &answer->observed);
		break;
	case REG_K_CURSOR:
		answer->cursor_len = reg_in_bytes(in, answer->cursor, REG_CURSOR_MAX);
		break;
	case REG_K_HITS:
	case REG_K_SERVERS:
		get_lists(in, answer, key);
		break;
	case REG_K_ENDPOINTS:
		answer->n_endpoints = reg_get_endpoints(in, answer->endpoints);
		break;
	case REG_K_WAIT:
		answer->wait = reg_in_uint(in, UINT32_MAX);
		break;
	case REG_K_TOLD:
		answer->told = reg_in_bool(in);
		break;
	case REG_K_SESSION:
		if (reg_in_bytes(in, answer->session, REG_SESSION) != REG_SESSION)
			reg_in_fail(in, REG_INVALID);
		break;
	case REG_K_RELAY:
		reg_get_endpoint(in, &answer->relay);
		break;
	default:
		reg_in_skip(in);
		return;
	}
	if (in->error == REG_OK)
		answer->has |= 1U << key;
}

enum reg_status reg_answer_decode(struct reg_answer *answer, const void *data, size_t len)
{
	struct reg_in in = { .p = data, .end = (const uint8_t *)data + len };
	struct reg_map map;
	uint64_t key;

	memset(answer, 0, sizeof(*answer));
	map = reg_in_map(&in);
	while (reg_in_key(&in, &map, &key))
		get_answer_field(&in, answer, key);
	if (reg_in_end(&in) == REG_OK && !(answer->has & 1U << REG_K_OP))
		return REG_MALFORMED;
	return in.error;
}

static void put_hits(struct reg_out *out, const struct reg_answer *answer)
{
	uint8_t *array = reg_out_array(out), *map;
	unsigned int i;

	for (i = 0; i < answer->n_hits; i++) {
		reg_out_element(out, array);
		map = reg_out_map(out);
		reg_out_key(out, map, REG_K_EID);
		reg_put_eid(out, &answer->hits[i].eid);
		reg_out_key(out, map, REG_K_PROFILE);
		reg_put_profile(out, &answer->hits[i].profile);
	}
}

static void put_servers(struct reg_out *out, const struct reg_answer *answer)
{
	uint8_t *array = reg_out_array(out), *map;
	const struct reg_server *server;
	unsigned int i;

	for (i = 0; i < answer->n_servers; i++) {
		server = &answer->servers[i];
		reg_out_element(out, array);
		map = reg_out_map(out);
		reg_out_key(out, map, REG_K_EID);
		reg_put_eid(out, &server->eid);
		reg_out_key(out, map, REG_K_ENDPOINTS);
		reg_put_endpoints(out, server->endpoints, server->n_endpoints);
	}
}

static void put_answer_field(struct reg_out *out, const struct reg_answer *answer,
			     unsigned int key)
{
	switch (key) {
	case REG_K_OP:
		return reg_out_uint(out, answer->op);
	case REG_K_ID:
		return reg_out_uint(out, answer->id);
	case REG_K_STATUS:
		return reg_out_uint(out, answer->status);
	case REG_K_TEXT:
		return reg_out_text(out, answer->text);
	case REG_K_EID:
		return reg_put_eid(out, &answer->eid);
	case REG_K_PROFILE:
		return reg_put_profile(out, &answer->profile);
	case REG_K_TTL:
		return reg_out_uint(out, answer->ttl);
	case REG_K_OBSERVED:
		return reg_put_endpoint(out, &answer->observed);
	case REG_K_CURSOR:
		return reg_out_bytes(out, answer->cursor, answer->cursor_len);
	case REG_K_HITS:
		return put_hits(out, answer);
	case REG_K_SERVERS:
		return put_servers(out, answer);
	case REG_K_ENDPOINTS:
		return reg_put_endpoints(out, answer->endpoints, answer->n_endpoints);
	case REG_K_WAIT:
		return reg_out_uint(out, answer->wait);
	case REG_K_TOLD:
		return reg_out_bool(out, answer->told);
	case REG_K_SESSION:
		return reg_out_bytes(out, answer->session, REG_SESSION);
	case REG_K_RELAY:
		return reg_put_endpoint(out, &answer->relay);
	default:
		out->full = true;
	}
}

size_t reg_answer_encode(const struct reg_answer *answer, void *data, size_t max)
{
	struct reg_out out = { .p = data, .end = (uint8_t *)data + max };
	uint8_t *map = reg_out_map(&out);
	unsigned int key;

	for (key = 0; key < REG_KEYS; key++) {
		if (!(answer->has & 1U << key))
			continue;
		reg_out_key(&out, map, key);
		put_answer_field(&out, answer, key);
	}
	return out.full ? 0 : out.p - (uint8_t *)data;
}
