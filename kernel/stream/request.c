// SPDX-License-Identifier: GPL-2.0
/* Requests for a service and the answers to them. */
#include "peer/service.h"
#include "stream/table.h"

static const struct {
	int err;
	const char *text;
} answers[] = {
	[SSS_SERVICE_OK] = { 0, "" },
	[SSS_SERVICE_UNKNOWN] = { -ECONNREFUSED, "no such service" },
	[SSS_SERVICE_NO_PROTOCOL] = { -EPROTONOSUPPORT, "no such protocol on this service" },
	[SSS_SERVICE_WRONG_KIND] = { -EPROTOTYPE, "the service takes another kind of socket" },
	[SSS_SERVICE_DENIED] = { -EACCES, "not admitted" },
	[SSS_SERVICE_BUSY] = { -EBUSY, "too many streams" },
};

/**
 * sss_request_text() - what to tell the peer with an answer
 * @status: enum sss_service_status
 *
 * Return: text, empty if the status says it all
 */
const char *sss_request_text(u8 status)
{
	return status < ARRAY_SIZE(answers) ? answers[status].text : "";
}

/* errno of connect(); a status of a later version is a refusal, too */
static int status_to_errno(u8 status)
{
	return status < ARRAY_SIZE(answers) ? answers[status].err : -ECONNREFUSED;
}

/**
 * sss_request_lookup() - answer the request in an INITIATE
 * @host: who is asked
 * @from: who asks
 * @request: for what
 * @text: result, SSS_HS_TEXT_MAX + 1 bytes
 *
 * Nothing is created: the answer may be another when INIT comes.
 *
 * Return: enum sss_service_status
 */
u8 sss_request_lookup(struct sss_host *host, const struct sss_eid *from,
		      const struct sss_request *request, char *text)
{
	struct sock *sk = NULL;
	u8 status;

	status = sss_service_find(host, from, request->kind, request->service,
				  request->protocol, &sk);
	if (sk) {
		if (sss_listener_is_full(sk))
			status = SSS_SERVICE_BUSY;
		sock_put(sk);
	}
	strscpy(text, sss_request_text(status), SSS_HS_TEXT_MAX + 1);
	return status;
}

/**
 * __sss_request_reply() - a request is answered
 * @st: stream we opened, of a channel, which is locked
 * @status: enum sss_service_status
 * @text: bytes, not NUL-terminated
 * @len: how many
 *
 * The first answer counts, but for a refusal after RESPOND promised more: who
 * answers INIT has the last word.
 */
void __sss_request_reply(struct sss_stream *st, u8 status, const u8 *text, u8 len)
{
	lockdep_assert_held(&st->ch->lock);
	if (st->flags & SSS_ST_OVER || (!(st->flags & SSS_ST_CONNECTING) && !status))
		return;
	st->flags &= ~SSS_ST_CONNECTING;
	if (status == SSS_SERVICE_OK) {
		st->flags |= SSS_ST_CONNECTED;
		__sss_table_touch(st, BIT(SSS_STREAM_CONNECTED) | BIT(SSS_STREAM_WRITABLE));
		if (st->ch->link == SSS_LINK_UP)
			__sss_event_raise(st, SSS_EV_LINK_UP, 0);
		return;
	}
	/* also if the program has given it up meanwhile, and knows why */
	if (!st->err) {
		st->status = status;
		__sss_stream_set_note(st, false, 0, text, len);
	}
	/* first: a reader that looks now must not take the rest for an orderly end */
	__sss_stream_fail(st, status_to_errno(status));
	/* nothing comes back from who refused, and it knows that */
	st->flags |= SSS_ST_STOPPED;
	st->rx.reset = true;
	st->rx.discard = true;
	if (st->rx.re.final == SSS_REASM_NO_FINAL)
		WRITE_ONCE(st->rx.re.final, st->rx.re.highest);
	__sss_stream_abort(st, status_to_errno(status));
	if (!(st->flags & SSS_ST_OVER))
		__sss_stream_check_over(st);
}

/**
 * sss_request_answered() - RESPOND brought the answer to a request
 * @ch: channel, not locked
 * @request: what was asked
 * @status: enum sss_service_status
 * @text: NUL-terminated
 *
 * For every stream that asked the same; the INIT of those accepted goes out
 * all the same.
 */
void sss_request_answered(struct sss_channel *ch, const struct sss_request *request,
			  u8 status, const char *text)
{
	struct sss_streams *ss = sss_streams(ch);
	u8 len = min_t(size_t, strlen(text), SSS_DESC_MAX);
	struct sss_stream *st, *next;

	spin_lock_bh(&ch->lock);
	list_for_each_entry_safe(st, next, &ss->all, all) {
		if (!(st->flags & SSS_ST_CONNECTING) || st->request->kind != request->kind ||
		    strcmp(st->request->service, request->service) ||
		    strcmp(st->request->protocol, request->protocol))
			continue;
		__sss_request_reply(st, status, (const u8 *)text, len);
	}
	spin_unlock_bh(&ch->lock);
	sss_table_deliver(ch);
}

/**
 * __sss_request_refused() - RESPOND said that the peer does not let us in
 * @ch: channel, locked
 * @text: NUL-terminated
 *
 * For every stream that waits for an answer. sss_table_deliver() follows.
 */
void __sss_request_refused(struct sss_channel *ch, const char *text)
{
	u8 len = min_t(size_t, strlen(text), SSS_DESC_MAX);
	struct sss_stream *st, *next;

	lockdep_assert_held(&ch->lock);
	list_for_each_entry_safe(st, next, &sss_streams(ch)->all, all)
		if (st->flags & SSS_ST_CONNECTING)
			__sss_request_reply(st, SSS_SERVICE_DENIED, (const u8 *)text, len);
}
