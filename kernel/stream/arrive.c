// SPDX-License-Identifier: GPL-2.0
/*
 * INIT arrives: who takes the stream, and may the peer open it? That is decided here,
 * before any program hears of it. See peer/access.h for who may use what.
 *
 * A stream that the peer opens on another belongs to the service for which the first
 * of that tree came, and the same rules and limits hold; but not for datagrams, which
 * are as much a part of their stream as its bytes, nor for what is opened on a stream
 * of ours, which our program asked for.
 */
#include <linux/slab.h>
#include "peer/access.h"
#include "peer/service.h"
#include "stream/table.h"

#define BROWSING_MOST	4	/* streams of a peer that get the list of services */

/**
 * sss_arrive_service() - the service for which the tree of a stream came
 * @st: stream of a channel, which is locked
 *
 * Return: names, for as long as the stream; NULL: it came for none
 */
const struct sss_request *sss_arrive_service(const struct sss_stream *st)
{
	if (st->flags & SSS_ST_LOCAL)
		return NULL;
	return st->request ?: st->listener ? sss_listener_names(st->listener) : NULL;
}

/* Nobody but the kernel takes a stream without a listener. */
static bool is_browsing(const struct sss_stream *st)
{
	return st->parent == SSS_ID_ROOT && !st->listener;
}

/* The list of services; who does not read what he asked for gets no more of it. */
static u8 browse(struct sss_stream *st)
{
	if (sss_streams(st->ch)->browsing >= BROWSING_MOST)
		return SSS_SERVICE_BUSY;
	return sss_stream_ops->browse(st);
}

/* Finds who takes the stream; returns enum sss_service_status. */
static u8 offer(struct sss_channel *ch, struct sss_stream *st, const struct sss_request *request)
{
	struct sock *sk = NULL;
	u8 status;

	status = sss_service_find(ch->host, &ch->peer->eid, request->kind, request->service,
				  request->protocol, &sk);
	if (status != SSS_SERVICE_OK)
		return status;
	if (!sss_access_may_open(ch->peer, request->service, sss_streams(ch)->theirs))
		status = SSS_SERVICE_BUSY;
	else if (sk)
		status = sss_listener_offer(sk, st, request);
	else
		status = browse(st);
	if (sk)
		sock_put(sk);
	return status;
}

/* The stream stays until the peer knows, and says how much it had sent. */
static void refuse(struct sss_stream *st)
{
	st->flags |= SSS_ST_REFUSED | SSS_ST_ACCEPTED | SSS_ST_LET_GO | SSS_ST_CLOSED;
	st->rx.discard = true;
	__sss_crowd_settled(st);
	sss_mib_inc(st->ch->sn, STREAMS_REFUSED);
}

static void copy_name(char *to, const u8 *from, u8 len)
{
	memcpy(to, from, len);
	to[len] = '\0';
}

/* For a child: RESET and STOP say that nobody wants it. */
static void refuse_child(struct sss_stream *st)
{
	st->flags |= SSS_ST_ACCEPTED | SSS_ST_LET_GO | SSS_ST_CLOSED;
	__sss_crowd_settled(st);
	sss_mib_inc(st->ch->sn, STREAMS_REFUSED);
	__sss_stream_reset(st, SSS_RESET_CLOSED);
	__sss_stream_stop(st);
}

static void count(struct sss_stream *st)
{
	st->counted = true;
	sss_streams(st->ch)->theirs++;
	sss_streams(st->ch)->browsing += is_browsing(st);
}

/**
 * __sss_arrive_over() - a stream is over: it no longer counts against the peer's limit
 * @st: stream of a channel, which is locked
 */
void __sss_arrive_over(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (!st->counted)
		return;
	st->counted = false;
	sss_streams(st->ch)->theirs--;
	sss_streams(st->ch)->browsing -= is_browsing(st);
}

static void settle_request(struct sss_stream *st, const struct sss_frame_init *init)
{
	struct sss_request request = { .kind = init->kind };

	copy_name(request.service, init->service, init->service_len);
	copy_name(request.protocol, init->protocol, init->protocol_len);
	st->status = offer(st->ch, st, &request);
	if (st->status == SSS_SERVICE_OK) {
		count(st);
		__sss_table_touch(st, BIT(SSS_STREAM_CHILD));
	} else {
		refuse(st);
	}
	__sss_sched_due(st, SSS_ST_DUE_REPLY);
}

/* May the peer open a child, now? Why it may not goes with the RESET. */
static bool admits_child(const struct sss_stream *parent, struct sss_stream *st)
{
	const struct sss_request *service = sss_arrive_service(parent);
	struct sss_channel *ch = st->ch;
	u8 status = SSS_SERVICE_OK;

	if (!service || st->flags & SSS_ST_MESSAGE)
		return true;
	if (!sss_access_ask(ch->host, &ch->peer->eid, service->service))
		status = SSS_SERVICE_DENIED;
	else if (!sss_access_may_open(ch->peer, service->service, sss_streams(ch)->theirs))
		status = SSS_SERVICE_BUSY;
	if (status == SSS_SERVICE_OK)
		return true;
	st->reason = kstrdup(sss_request_text(status), GFP_ATOMIC | __GFP_NOWARN);
	return false;
}

static void settle_child(struct sss_stream *parent, struct sss_stream *st)
{
	bool wanted;

	st->flags |= SSS_ST_REPLY_ACKED;	/* there is none to a child */
	if (st->kind == SSS_KIND_DATAGRAM) {
		st->flags |= SSS_ST_MESSAGE;
		__sss_dgram_one_way(st);
	}
	wanted = parent && admits_child(parent, st);
	if (!parent || !__sss_tree_arrived(parent, st, wanted)) {
		refuse_child(st);
		/* the peer may be let in later: it gets the credit back */
		if (!wanted)
			__sss_tree_settled(st);
		return;
	}
	if (!(st->flags & SSS_ST_MESSAGE))
		count(st);
	__sss_table_touch(st, BIT(SSS_STREAM_CHILD));
}

/**
 * __sss_arrive_stream() - INIT arrived
 * @ch: channel, locked
 * @init: it; names are at most SSS_NAME_MAX long (sss_frame_parse())
 *
 * Return: 0; -ENOMEM: the packet was not received; or an enum sss_error
 */
int __sss_arrive_stream(struct sss_channel *ch, const struct sss_frame_init *init)
{
	bool child = init->parent != SSS_ID_ROOT;
	struct sss_stream *parent = NULL, *st;
	int err;

	lockdep_assert_held(&ch->lock);
	err = __sss_table_check_new(ch, init->id);
	if (err)
		return err == -EEXIST ? 0 : err;
	if (child)
		err = __sss_table_look_up(ch, init->parent, &parent);
	if (!err && parent)
		err = __sss_tree_admit(parent);
	if (err)
		return err;
	st = sss_stream_alloc(init->kind, GFP_ATOMIC | __GFP_NOWARN);
	if (!st)
		return -ENOMEM;
	st->parent = init->parent;
	st->wanted = (struct sss_priority){
		.urgency = init->urgency, .incremental = init->incremental,
		.weight = init->weight,
	};
	st->ordered = st->wanted;
	__sss_stream_join(st, ch, SSS_ST_CONNECTED);
	if (__sss_crowd_admit(st) || __sss_table_add_remote(st, init->id)) {
		__sss_stream_break(st, -ENOMEM);
		sss_stream_put(st);
		return -ENOMEM;
	}
	st->tx.limit = ch->remote.initial_stream_window;
	if (child)
		settle_child(parent, st);
	else
		settle_request(st, init);
	sss_stream_put(st);
	return 0;
}
