// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What is asked, and what is answered */
#include <stdio.h>
#include <string.h>
#include <common/clock.h>
#include <common/log.h>
#include "metrics.h"
#include "server.h"

#define ERRORS_MAX	8	/* malformed records of a stream */
#define QUERY_WORDS	8
#define COST_MALFORMED	5

/* Points, as in the settings rate-per-eid and the like */
static const unsigned int costs[REG_OPS] = {
	[REG_REGISTER] = 3,
	[REG_REFRESH] = 2,
	[REG_REMOVE] = 2,
	[REG_LOOKUP] = 1,
	[REG_SEARCH] = 5,
	[REG_INTRODUCE] = 2,
	[REG_LIST_SERVERS] = 1,
};

static void has(struct reg_answer *answer, enum reg_key key)
{
	answer->has |= 1U << key;
}

static enum reg_status explain(struct reg_answer *answer, enum reg_status status, const char *why)
{
	snprintf(answer->text, sizeof(answer->text), "%s", why);
	has(answer, REG_K_TEXT);
	return status;
}

static enum reg_status of_store(enum store_result result)
{
	static const enum reg_status of[] = {
		[STORE_OK] = REG_OK,
		[STORE_NONE] = REG_NOT_FOUND,
		[STORE_FULL] = REG_QUOTA,
		[STORE_FAILED] = REG_UNAVAILABLE,
	};

	if (result == STORE_FAILED)
		server_store_failed();
	else
		server_store_answered();
	return of[result];
}

/* Both accounts can pay, or neither pays and it has to wait */
static uint32_t charge(struct stream *stream, unsigned int cost)
{
	const struct config *config = &server.config;
	uint32_t wait, more;

	wait = ledger_wait(stream->owner, cost, config->rate_eid, config->burst_eid, server.now);
	if (stream->place) {
		more = ledger_wait(stream->place, cost, config->rate_prefix,
				   config->burst_prefix, server.now);
		wait = more > wait ? more : wait;
	}
	if (wait)
		return wait;
	ledger_pay(stream->owner, cost);
	if (stream->place)
		ledger_pay(stream->place, cost);
	return 0;
}

static uint32_t ttl_granted(const struct reg_request *req)
{
	const struct config *config = &server.config;
	uint32_t ttl = req->has & 1U << REG_K_TTL ? req->ttl : config->ttl_default;

	return ttl < config->ttl_min ? config->ttl_min :
	       ttl > config->ttl_max ? config->ttl_max : ttl;
}

static enum reg_status keep(struct stream *stream, struct entry *entry,
			    const struct reg_request *req, struct reg_answer *answer)
{
	uint64_t now = store_now();
	enum store_result result;

	answer->ttl = ttl_granted(req);
	entry->eid = stream->eid;
	entry->expires = now + answer->ttl * 1000ULL;
	server.transport->observe(stream->source.fd, &entry->observed);
	entry->prefix_len = store_prefix(&entry->observed, entry->prefix);
	strcpy(entry->node, server.node);
	result = store_put(&server.store, entry, server.config.entries_per_prefix, now);
	if (result != STORE_OK)
		return of_store(result);
	stream->changed = true;
	stream->registered_until = server.now + answer->ttl * 1000ULL;
	has(answer, REG_K_TTL);
	if (entry->observed.family) {
		answer->observed = entry->observed;
		has(answer, REG_K_OBSERVED);
	}
	return REG_OK;
}

static enum reg_status do_register(struct stream *stream, const struct reg_request *req,
				   struct reg_answer *answer)
{
	static struct entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.profile = req->profile;
	return keep(stream, &entry, req, answer);
}

static enum reg_status do_refresh(struct stream *stream, const struct reg_request *req,
				  struct reg_answer *answer)
{
	static struct entry entry;
	enum store_result result;

	result = store_get(&server.store, &stream->eid, store_now(), &entry);
	return result == STORE_OK ? keep(stream, &entry, req, answer) : of_store(result);
}

static enum reg_status do_remove(struct stream *stream, const struct reg_request *req,
				 struct reg_answer *answer)
{
	enum store_result result = store_remove(&server.store, &stream->eid);

	(void)req, (void)answer;
	if (result != STORE_OK)
		return of_store(result);
	stream->changed = true;
	stream->registered_until = 0;
	return REG_OK;
}

static void show(const struct stream *stream, struct entry *entry, struct reg_answer *answer)
{
	bool own = !memcmp(&entry->eid, &stream->eid, sizeof(entry->eid));
	uint64_t now = store_now();

	answer->eid = entry->eid;
	has(answer, REG_K_EID);
	if (entry->observed.family &&
	    (own || entry->profile.public & 1U << REG_F_OBSERVED)) {
		answer->observed = entry->observed;
		has(answer, REG_K_OBSERVED);
	}
	if (!own)
		reg_profile_public(&entry->profile);
	answer->profile = entry->profile;
	has(answer, REG_K_PROFILE);
	answer->ttl = entry->expires > now ? (entry->expires - now) / 1000 : 0;
	has(answer, REG_K_TTL);
}

static enum reg_status do_lookup(struct stream *stream, const struct reg_request *req,
				 struct reg_answer *answer)
{
	static struct entry entry;
	enum store_result result = store_get(&server.store, &req->eid, store_now(), &entry);

	if (result != STORE_OK)
		return of_store(result);
	show(stream, &entry, answer);
	return REG_OK;
}

/* As many hits as fit a record; returns whether all of them did */
static bool put_hits(struct store_page *page, struct reg_answer *answer)
{
	static uint8_t data[REG_RECORD_MAX];
	struct reg_hit *hit;
	unsigned int i;

	has(answer, REG_K_HITS);
	has(answer, REG_K_CURSOR);
	answer->cursor_len = sizeof(struct sss_eid);
	for (i = 0; i < page->n; i++) {
		hit = &answer->hits[i];
		hit->eid = page->entries[i].eid;
		hit->profile = page->entries[i].profile;
		reg_profile_public(&hit->profile);
		answer->n_hits = i + 1;
		if (!reg_answer_encode(answer, data, sizeof(data)))
			break;
	}
	answer->n_hits = i;
	if (i < page->n)
		page->last = page->entries[i - 1].eid;
	return i == page->n;
}

static enum reg_status do_search(struct stream *stream, const struct reg_request *req,
				 struct reg_answer *answer)
{
	static struct store_page page;
	static struct words words;
	struct sss_eid after;
	unsigned int limit = req->limit;
	enum store_result result;

	(void)stream;
	words.n = 0;
	if (words_add(&words, req->query))
		return REG_UNAVAILABLE;
	if (!words.n || words.n > QUERY_WORDS)
		return explain(answer, REG_INVALID, "one to eight words have to be given");
	if (req->cursor_len && req->cursor_len != sizeof(after))
		return explain(answer, REG_INVALID, "that is no cursor");
	memcpy(&after, req->cursor, sizeof(after));
	if (!limit || limit > REG_HITS)
		limit = REG_HITS;
	result = store_search(&server.store, &words, req->cursor_len ? &after : NULL, limit,
			      store_now(), &page);
	if (result != STORE_OK)
		return of_store(result);
	if (put_hits(&page, answer) && !page.more)
		answer->has &= ~(1U << REG_K_CURSOR);
	memcpy(answer->cursor, &page.last, sizeof(page.last));
	return REG_OK;
}

static enum reg_status do_list_servers(struct stream *stream, const struct reg_request *req,
				       struct reg_answer *answer)
{
	(void)stream, (void)req;
	answer->n_servers = server.config.n_servers;
	memcpy(answer->servers, server.config.servers, sizeof(answer->servers));
	has(answer, REG_K_SERVERS);
	return REG_OK;
}

static enum reg_status dispatch(struct stream *stream, const struct reg_request *req,
				struct reg_answer *answer)
{
	static enum reg_status (*const operations[REG_OPS])(struct stream *stream,
							    const struct reg_request *req,
							    struct reg_answer *answer) = {
		[REG_REGISTER] = do_register,
		[REG_REFRESH] = do_refresh,
		[REG_REMOVE] = do_remove,
		[REG_LOOKUP] = do_lookup,
		[REG_SEARCH] = do_search,
		[REG_INTRODUCE] = introduce,
		[REG_LIST_SERVERS] = do_list_servers,
	};

	return operations[req->op](stream, req, answer);
}

static enum reg_status perform(struct stream *stream, const struct reg_request *req,
			       enum reg_status status, struct reg_answer *answer)
{
	unsigned int cost = status == REG_OK ? costs[req->op] : COST_MALFORMED;

	answer->wait = charge(stream, cost);
	if (answer->wait) {
		has(answer, REG_K_WAIT);
		return REG_RATE;
	}
	return status == REG_OK ? dispatch(stream, req, answer) : status;
}

static bool send_answer(struct stream *stream, struct reg_answer *answer)
{
	static uint8_t data[REG_RECORD_MAX];
	size_t len;

	if (answer->status != REG_OK && !(answer->has & 1U << REG_K_TEXT))
		explain(answer, answer->status, reg_status_text(answer->status));
	len = reg_answer_encode(answer, data, sizeof(data));
	return len && stream_send(stream, data, len);
}

bool handle_record(struct stream *stream, const void *data, size_t len, bool too_long)
{
	static struct reg_request req;
	static struct reg_answer answer;
	uint64_t begun = clock_us();
	enum reg_status status = REG_MALFORMED;

	memset(&req, 0, sizeof(req));
	if (!too_long)
		status = reg_request_decode(&req, data, len);
	memset(&answer, 0, offsetof(struct reg_answer, hits));
	answer.n_servers = 0;
	answer.op = req.op;
	answer.id = req.id;
	has(&answer, REG_K_OP);
	has(&answer, REG_K_ID);
	has(&answer, REG_K_STATUS);
	answer.status = perform(stream, &req, status, &answer);
	metrics.requests[req.op < REG_OPS ? req.op : 0][answer.status]++;
	log_at(LOG_L_DEBUG, "request", " eid=%s op=%u status=%u", log_eid(&stream->eid), req.op,
	       answer.status);
	if (status == REG_MALFORMED && ++stream->errors > ERRORS_MAX)
		return false;
	if (!send_answer(stream, &answer))
		return false;
	metrics_took(clock_us() - begun);
	return true;
}
