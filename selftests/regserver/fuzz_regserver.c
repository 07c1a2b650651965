// SPDX-License-Identifier: GPL-2.0
/*
 * The registration server and its clients, fed with any records: those that are
 * requests are answered from a directory in memory; what can be read, requests
 * and answers, is written and read again with the same result.
 */
#include <string.h>
#include <libsss/sss.h>
#include "regclient/record.h"
#include "sss-regserver/server.h"
#include "../fuzz/fuzz.h"

static struct reg_request req, req2;
static struct reg_answer answer, answer2;
static u8 out[REG_RECORD_MAX], out2[REG_RECORD_MAX];

static void observe(int fd, struct reg_endpoint *ep)
{
	*ep = (struct reg_endpoint){ .family = 4, .port = 9660, .addr = { 192, 0, 2, fd } };
}

static const struct transport transport = { .name = "fuzz", .observe = observe };

static void start(void)
{
	if (server.transport)
		return;
	server.transport = &transport;
	config_init(&server.config);
	server.config.rate_eid = server.config.burst_eid = 1000000;
	server.config.rate_prefix = server.config.burst_prefix = 1000000;
	check(!ledger_open() && !store_open(&server.store, "sqlite::memory:"));
	log_set_level(LOG_L_ERROR);
}

/* The answer has to be one, to the operation and number that were asked */
static void answered(struct stream *stream)
{
	struct record *record;

	while ((record = stream->first)) {
		check(reg_answer_decode(&answer, record->data, record->len) == REG_OK);
		check(answer.op == req.op && answer.id == req.id);
		check(answer.status < REG_STATUSES);
		stream->first = record->next;
		free(record);
	}
}

static void ask(const u8 *data, size_t size)
{
	struct stream stream = { .source.fd = 1, .eid.key = { 9 } };

	stream.owner = ledger_account(LEDGER_EID, stream.eid.key, SSS_EID_LEN);
	/* The queue is not the server's: it must not send from it */
	stream.dirty = true;
	server.now += 1000;
	check(handle_record(&stream, data, size, false));
	check(stream.first);
	answered(&stream);
	check(store_commit(&server.store) == STORE_OK);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t len, len2;

	start();
	if (reg_request_decode(&req, data, size) == REG_OK) {
		len = reg_request_encode(&req, out, sizeof(out));
		check(len);
		check(reg_request_decode(&req2, out, len) == REG_OK);
		len2 = reg_request_encode(&req2, out2, sizeof(out2));
		check(len == len2 && !memcmp(out, out2, len));
	}
	ask(data, size);
	if (reg_answer_decode(&answer, data, size) == REG_OK) {
		len = reg_answer_encode(&answer, out, sizeof(out));
		check(!len || reg_answer_decode(&answer2, out, len) == REG_OK);
		len2 = len ? reg_answer_encode(&answer2, out2, sizeof(out2)) : 0;
		check(len == len2 && !memcmp(out, out2, len));
	}
	return 0;
}

static void random_text(char *text, size_t max, u64 *state)
{
	static const char *const words[] = { "alice", "Bob", "Straße", "дом", "ＷＩＤＥ", "東京", "é", "-" };

	*text = '\0';
	while (random_below(state, 4) && strlen(text) + 20 < max) {
		strcat(text, words[random_below(state, ARRAY_SIZE(words))]);
		strcat(text, " ");
	}
}

static void random_profile(struct reg_profile *profile, u64 *state)
{
	const struct reg_endpoint known = { .family = random_below(state, 2) ? 4 : 6, .port = 1 };
	unsigned int i;

	for (i = 0; i < REG_TEXTS; i++)
		random_text(profile->text[i], sizeof(profile->text[i]), state);
	profile->n_keywords = random_below(state, REG_KEYWORDS + 1);
	for (i = 0; i < profile->n_keywords; i++)
		random_text(profile->keywords[i], sizeof(profile->keywords[i]), state);
	profile->n_endpoints = random_below(state, REG_ENDPOINTS + 1);
	for (i = 0; i < profile->n_endpoints; i++)
		profile->endpoints[i] = known;
	profile->public = random_below(state, 256);
	profile->restricted = random_below(state, 2);
	profile->n_allowed = profile->restricted ? random_below(state, 3) : 0;
	for (i = 0; i < profile->n_allowed; i++)
		profile->allowed[i].key[0] = 9 + i;
}

size_t fuzz_seed(u8 *data, size_t max, u64 *state)
{
	memset(&req, 0, sizeof(req));
	memset(&answer, 0, sizeof(answer));
	req.op = answer.op = random_below(state, REG_OPS + 1);
	req.has = answer.has = random_below(state, 1 << REG_KEYS) | 3;
	req.has &= 0x3 | 1 << REG_K_EID | 1 << REG_K_PROFILE | 1 << REG_K_TTL | 1 << REG_K_QUERY |
		   1 << REG_K_CURSOR | 1 << REG_K_LIMIT | 1 << REG_K_ENDPOINTS;
	req.eid.key[0] = answer.eid.key[0] = 9;
	random_profile(&req.profile, state);
	answer.profile = req.profile;
	random_text(req.query, sizeof(req.query), state);
	req.cursor_len = random_below(state, 2) * SSS_EID_LEN;
	answer.observed = answer.relay = (struct reg_endpoint){ .family = 4, .port = 1 };
	answer.n_hits = random_below(state, 3);
	answer.hits[0].eid = answer.hits[1].eid = req.eid;
	answer.hits[0].profile = req.profile;
	answer.n_servers = random_below(state, 2);
	answer.servers[0].eid = req.eid;
	answer.has &= ~(1U << REG_K_QUERY | 1U << REG_K_LIMIT);
	if (random_below(state, 4))
		return reg_request_encode(&req, data, max);
	return reg_answer_encode(&answer, data, max);
}
