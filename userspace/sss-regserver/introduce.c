// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Introductions: each of two hosts is told where the other may be reached, so
 * that both can send at once. Whose registration stream another server process
 * has gets its notice by that one, through the store.
 */
#include <string.h>
#include <common/log.h>
#include "metrics.h"
#include "relay.h"
#include "server.h"

#define MAIL_RETRY_MS	500
#define MAILS_AT_ONCE	64

static bool admits(const struct entry *entry, const struct sss_eid *eid)
{
	unsigned int i;

	for (i = 0; i < entry->profile.n_allowed; i++)
		if (!memcmp(&entry->profile.allowed[i], eid, sizeof(*eid)))
			return true;
	return !entry->profile.restricted;
}

static bool may_tell(const struct sss_eid *eid)
{
	struct account *account = ledger_account(LEDGER_NOTICES, eid->key, sizeof(eid->key));

	if (!account || ledger_wait(account, 1, server.config.rate_notices,
				    server.config.burst_notices, server.now))
		return false;
	ledger_pay(account, 1);
	return true;
}

static bool tell_here(const struct sss_eid *eid, const void *data, size_t len)
{
	struct stream *stream = streams_registered(eid);

	if (!stream || !stream_send(stream, data, len))
		return false;
	metrics.notices_local++;
	return true;
}

/* The message to another process: for whom, and the notice */
static bool tell_there(const struct entry *entry, const void *data, size_t len)
{
	uint8_t mail[STORE_MAIL_MAX];
	enum store_result result;

	if (!server.store.ops->mail || !*entry->node || !strcmp(entry->node, server.node) ||
	    len + sizeof(entry->eid) > sizeof(mail))
		return false;
	memcpy(mail, &entry->eid, sizeof(entry->eid));
	memcpy(mail + sizeof(entry->eid), data, len);
	result = server.store.ops->mail(&server.store, entry->node, mail,
					len + sizeof(entry->eid));
	if (result != STORE_OK) {
		server_store_failed();
		return false;
	}
	metrics.notices_mailed++;
	return true;
}

/* What a live stream shows is newer than what was seen at its registration */
static void observed_of(const struct entry *entry, struct reg_endpoint *ep)
{
	const struct stream *stream = streams_registered(&entry->eid);

	ep->family = 0;
	if (stream)
		server.transport->observe(stream->source.fd, ep);
	if (!ep->family)
		*ep = entry->observed;
}

/* The relay, as a client sees it that is at the other end of this stream */
static bool relay_seen_from(const struct stream *stream, struct reg_endpoint *ep)
{
	const struct reg_endpoint *at;

	server.transport->local(stream->source.fd, ep);
	if (!ep->family)
		return false;
	at = &server.config.relay_at[ep->family == 6];
	if (at->family)
		*ep = *at;
	ep->port = server.config.relay;
	return true;
}

static void put_relay(struct reg_answer *record, const struct relay_end *end,
		      const struct stream *seen_from)
{
	if (!relay_seen_from(seen_from, &record->relay))
		return;
	memcpy(record->session, end->session, sizeof(record->session));
	record->has |= 1U << REG_K_SESSION | 1U << REG_K_RELAY;
}

/* Both get a way through the relay, if there is one and they may. */
static void offer_relay(struct stream *stream, const struct entry *entry,
			struct reg_answer *answer, struct reg_answer *notice)
{
	const struct stream *there = streams_registered(&entry->eid);
	struct relay_end caller = { .eid = stream->eid, .seen = notice->observed };
	struct relay_end called = { .eid = entry->eid, .seen = answer->observed };

	if (!caller.seen.family || !called.seen.family || !relay_join(&caller, &called))
		return;
	put_relay(answer, &caller, stream);
	put_relay(notice, &called, there ? there : stream);
}

/* What the other side gets: who calls, and from where */
static void make_notice(struct stream *stream, const struct reg_request *req,
			struct reg_answer *notice)
{
	memset(notice, 0, sizeof(*notice));
	notice->op = REG_INTRODUCED;
	notice->eid = stream->eid;
	notice->has = 1U << REG_K_OP | 1U << REG_K_EID | 1U << REG_K_ENDPOINTS;
	server.transport->observe(stream->source.fd, &notice->observed);
	if (notice->observed.family)
		notice->has |= 1U << REG_K_OBSERVED;
	notice->n_endpoints = req->n_endpoints;
	memcpy(notice->endpoints, req->endpoints, sizeof(notice->endpoints));
}

static bool tell(const struct reg_answer *notice, const struct entry *entry)
{
	uint8_t data[1024];
	size_t len = reg_answer_encode(notice, data, sizeof(data));

	if (len && may_tell(&entry->eid) &&
	    (tell_here(&entry->eid, data, len) || tell_there(entry, data, len)))
		return true;
	metrics.notices_dropped++;
	return false;
}

enum reg_status introduce(struct stream *stream, const struct reg_request *req,
			  struct reg_answer *answer)
{
	static struct entry entry;
	static struct reg_answer notice;
	enum store_result result = store_get(&server.store, &req->eid, store_now(), &entry);

	if (result == STORE_FAILED) {
		server_store_failed();
		return REG_UNAVAILABLE;
	}
	if (result != STORE_OK)
		return REG_NOT_FOUND;
	if (!admits(&entry, &stream->eid))
		return REG_DENIED;
	answer->eid = entry.eid;
	observed_of(&entry, &answer->observed);
	if (answer->observed.family)
		answer->has |= 1U << REG_K_OBSERVED;
	answer->n_endpoints = entry.profile.n_endpoints;
	memcpy(answer->endpoints, entry.profile.endpoints, sizeof(answer->endpoints));
	make_notice(stream, req, &notice);
	offer_relay(stream, &entry, answer, &notice);
	answer->told = tell(&notice, &entry);
	answer->has |= 1U << REG_K_EID | 1U << REG_K_ENDPOINTS | 1U << REG_K_TOLD;
	return REG_OK;
}

static void on_mail(struct source *source, uint32_t events)
{
	uint8_t mail[STORE_MAIL_MAX];
	struct sss_eid eid;
	unsigned int i;
	int len = 0;

	(void)events;
	for (i = 0; i < MAILS_AT_ONCE; i++) {
		len = server.store.ops->mail_read(&server.store, mail, sizeof(mail));
		if (len <= 0)
			break;
		metrics.notices_received++;
		if ((size_t)len <= sizeof(eid))
			continue;
		memcpy(&eid, mail, sizeof(eid));
		if (!tell_here(&eid, mail + sizeof(eid), len - sizeof(eid)))
			metrics.notices_dropped++;
	}
	if (len >= 0)
		return;
	loop_remove(source);
	source->fd = -1;
	introduce_mail_open();
}

void introduce_mail_open(void)
{
	if (!server.store.ops->mail_open || server.mail.fd >= 0 || server.now < server.mail_retry)
		return;
	server.mail_retry = server.now + MAIL_RETRY_MS;
	server.mail.ready = on_mail;
	server.mail.fd = server.store.ops->mail_open(&server.store, server.node);
	if (server.mail.fd >= 0 && loop_add(&server.mail, EPOLLIN))
		server.mail.fd = -1;
}

void introduce_mail_close(void)
{
	if (server.mail.fd >= 0)
		loop_remove(&server.mail);
	server.mail.fd = -1;
}
