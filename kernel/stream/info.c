// SPDX-License-Identifier: GPL-2.0
/* What others may know about a stream. */
#include <net/tcp_states.h>
#include "stream/dump.h"
#include "stream/table.h"

/**
 * sss_stream_error() - is the stream broken?
 * @st: stream
 *
 * Return: positive errno; 0: no, though a direction may have been reset
 */
int sss_stream_error(const struct sss_stream *st)
{
	return -READ_ONCE(st->err);
}

/**
 * sss_stream_connected() - has the service said yes?
 * @st: stream
 *
 * Return: whether it has
 */
bool sss_stream_connected(const struct sss_stream *st)
{
	return READ_ONCE(st->flags) & SSS_ST_CONNECTED;
}

/**
 * sss_stream_send_closed() - will nothing be sent any more?
 * @st: stream
 *
 * Return: whether the peer wants no more, or our direction was reset
 */
bool sss_stream_send_closed(const struct sss_stream *st)
{
	return READ_ONCE(st->flags) & (SSS_ST_STOP_RECEIVED | SSS_ST_RESET);
}

/**
 * sss_stream_get_status() - SSS_STATUS
 * @st: stream
 * @out: filled
 */
void sss_stream_get_status(struct sss_stream *st, struct sss_status *out)
{
	struct sss_channel *ch = st->ch;

	memset(out, 0, sizeof(*out));
	if (!ch)
		return;
	spin_lock_bh(&ch->lock);
	if (st->flags & SSS_ST_CONNECTED || st->status)
		out->flags |= SSS_STATUS_ANSWERED;
	out->status = st->status;
	if (st->note) {
		if (st->note->reset) {
			out->flags |= SSS_STATUS_RESET;
			out->reset_code = st->note->code;
		}
		memcpy(out->text, st->note->text, st->note->len);
	}
	spin_unlock_bh(&ch->lock);
}

/* Directions that are over, in TCP's words */
static u32 tcp_state(const struct sss_stream *st)
{
	bool done = sss_sendq_done(st);
	bool sent = READ_ONCE(st->tx.fin) || done;

	if (READ_ONCE(st->err))
		return TCP_CLOSE;
	if (!sss_stream_connected(st))
		return TCP_SYN_SENT;
	if (!sss_recvq_finished(st))
		return !sent ? TCP_ESTABLISHED : done ? TCP_FIN_WAIT2 : TCP_FIN_WAIT1;
	return !sent ? TCP_CLOSE_WAIT : done ? TCP_CLOSE : TCP_LAST_ACK;
}

static void fill_info(const struct sss_stream *st, struct sss_info *out)
{
	const struct sss_txq *tx = &st->tx;
	u64 next = READ_ONCE(tx->next), base = READ_ONCE(tx->base), limit = READ_ONCE(tx->limit);
	const struct sss_records *records = READ_ONCE(st->records);

	out->stream_id = st->id;
	out->state = tcp_state(st);
	out->bytes_sent = next;
	out->bytes_acked = base;
	out->bytes_received = READ_ONCE(st->rx.re.edge);
	if (records) {
		out->bytes_sent -= READ_ONCE(records->sent);
		out->bytes_acked -= READ_ONCE(records->acked);
		out->bytes_received -= READ_ONCE(records->read) + READ_ONCE(records->waiting);
	}
	out->bytes_resent = READ_ONCE(st->resent);
	out->send_window = limit > next ? limit - next : 0;
	out->recv_window = sss_recvq_capacity(st);
	out->sndq = sss_sendq_queued(st);
	out->rcvq = sss_recvq_queued(st);
}

/**
 * sss_stream_get_info() - SSS_INFO
 * @st: stream
 * @out: filled, with what the channel knows as well
 *
 * No lock of the stream or channel may be held.
 */
void sss_stream_get_info(struct sss_stream *st, struct sss_info *out)
{
	memset(out, 0, sizeof(*out));
	out->stream_id = SSS_STREAM_NO_ID;
	out->state = TCP_CLOSE;
	if (!st->ch)
		return;
	sss_channel_get_info(st->ch, out);
	fill_info(st, out);
}

static void set_address(struct sockaddr_sss *addr, const void *eid,
			const struct sss_request *request)
{
	memset(addr, 0, sizeof(*addr));
	addr->sss_family = AF_SSS;
	memcpy(addr->sss_eid.key, eid, SSS_EID_LEN);
	if (!request)
		return;
	strscpy(addr->sss_service, request->service, sizeof(addr->sss_service));
	strscpy(addr->sss_protocol, request->protocol, sizeof(addr->sss_protocol));
}

/**
 * sss_stream_get_addresses() - who is at the two ends
 * @st: stream that has a channel, or had
 * @local: filled
 * @remote: filled
 */
void sss_stream_get_addresses(const struct sss_stream *st, struct sockaddr_sss *local,
			      struct sockaddr_sss *remote)
{
	set_address(local, sss_host_eid(st->ch->host), st->request);
	set_address(remote, &st->ch->peer->eid, st->request);
}

static void fill_entry(struct sss_stream *st, struct sss_stream_entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->id = st->id;
	entry->parent = st->parent;
	entry->kind = st->kind;
	entry->has_uid = st->sk;
	if (st->sk)
		entry->uid = st->sk->sk_uid;
	if (st->request)
		entry->request = *st->request;
}

/**
 * sss_stream_dump() - the open streams of a channel, one after the other
 * @ch: channel, not locked
 * @cursor: 0 to begin; afterwards for the next call
 * @entry: filled
 *
 * Streams that come or go between two calls may be missed.
 *
 * Return: whether there was one
 */
bool sss_stream_dump(struct sss_channel *ch, u64 *cursor, struct sss_stream_entry *entry)
{
	struct sss_streams *ss = sss_streams(ch);
	unsigned long index = *cursor;
	struct sss_stream *st;

	if (*cursor > ULONG_MAX)
		return false;
	spin_lock_bh(&ch->lock);
	st = xa_find(&ss->ids, &index, ULONG_MAX, XA_PRESENT);
	if (st) {
		fill_entry(st, entry);
		sss_stream_get(st);
	}
	spin_unlock_bh(&ch->lock);
	if (!st)
		return false;
	*cursor = (u64)index + 1;
	sss_stream_get_info(st, &entry->info);
	sss_stream_put(st);
	return true;
}
