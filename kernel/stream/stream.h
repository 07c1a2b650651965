/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stream: bidirectional, ordered, reliable; a member of its channel's tree.
 *
 * A stream exists without a socket until accept() takes it and after close()
 * gave it up (an orphan, which keeps the struct sock for memory accounting
 * until all it sent is acknowledged).
 *
 * kref. References: the channel's id table (until both directions are over and
 * acknowledged), the socket, the accept queue it waits in, the touched list.
 *
 * Locks: "C" channel lock; "S" socket lock; "T" and "R" the leaf locks @tx.lock
 * and @rx.lock below, taken under C or S, never one inside the other. The socket
 * floor reads and writes queues under S plus T or R; receive and transmit work
 * under C plus T or R, and never touch struct sock but through
 * sss_stream_notify() from deliver().
 */
#ifndef _SSS_STREAM_STREAM_H
#define _SSS_STREAM_STREAM_H

#include <linux/kref.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <net/sock.h>
#include "channel/channel.h"
#include "wire/ranges.h"

struct sss_service;
struct sss_stream;

#define SSS_STREAM_NO_ID (~0ULL)

/* What changed since the socket was last told (sss_stream.touched_bits) */
enum sss_stream_event {
	SSS_STREAM_READABLE,	/* data, end of stream or reset to be read */
	SSS_STREAM_WRITABLE,	/* space was freed, or an error must be seen */
	SSS_STREAM_CONNECTED,	/* the service answered, well or not */
	SSS_STREAM_ENDED,	/* nothing more will ever come or go */
	SSS_STREAM_CHILD,	/* a stream waits in the accept queue */
};

/**
 * struct sss_chunk - part of the send queue: bytes in one page fragment
 */
struct sss_chunk {
	struct list_head node;
	struct page *page;
	u32 page_offset;
	u32 len;
	u64 offset;		/* in the stream's offset space */
};

/**
 * struct sss_txq - send queue
 * @lock: T
 * @chunks: unacknowledged data in order
 * @cursor: chunk that holds @next
 * @base: first offset not cumulatively acknowledged
 * @next: first offset never sent
 * @end: first offset not written yet
 * @limit: highest offset the peer's window allows
 * @acked: acknowledged above @base
 * @lost: to be sent again
 * @fin: shutdown(SHUT_WR) or close(): the stream ends at @end
 * @fin_sent, @fin_acked: it was sent and acknowledged; @fin_lost: send again
 * @reset_code: we reset our direction
 * @freed: truesize released since the socket was last told
 */
struct sss_txq {
	spinlock_t lock;
	struct list_head chunks;
	struct sss_chunk *cursor;
	u64 base, next, end, limit;
	struct sss_ranges *acked, *lost;
	bool fin, fin_sent, fin_acked, fin_lost;
	u32 freed;
};

/**
 * struct sss_rxseg - received bytes, in order of offset; data in a kept skb
 * (@skb) or copied behind the struct (@skb NULL)
 */
struct sss_rxseg {
	struct list_head node;
	struct sk_buff *skb;
	const u8 *data;
	u64 offset;
	u32 len;
	u32 truesize;
	u8 copy[];
};

struct sss_rxq {
	spinlock_t lock;		/* R */
	struct list_head segs;		/* in order, disjoint */
	u64 read;			/* first offset not read */
	u64 edge;			/* first offset not received */
	u64 highest;			/* end of the farthest byte received */
	u64 limit;			/* what we told the peer */
	u64 window;			/* its size, autotuned */
	u64 final;			/* where the stream ends, ~0: not known */
	u32 truesize;			/* of all segs */
	u32 uncharged;			/* part of it not yet charged to the socket */
	bool window_due;		/* send WINDOW */
};

/**
 * struct sss_stream - see the head of this file. (DRAFT: the STREAM owner refines members; the
 * functions below are the contract with the socket floor.)
 */
struct sss_stream {
	struct kref ref;
	struct sss_channel *ch;		/* reference; NULL before connect() and after the end */
	u64 id;				/* C; SSS_STREAM_NO_ID until INIT is first sent */
	u64 parent;			/* id of the parent; SSS_STREAM_NO_ID: the root */
	u8 kind;
	struct sock *sk;		/* NULL while unaccepted; S and C to change; orphans keep it */
	unsigned long state;		/* bits: STREAM_* in stream.c */
	int err;			/* negative errno once broken; READ_ONCE */
	struct sss_txq tx;
	struct sss_rxq rx;
	struct sss_request request;	/* top level: names */
	struct sss_status status;	/* pointer or member: owner's choice (512 byte budget!) */
	struct list_head touched;
	unsigned long touched_bits;
};

int sss_stream_init(void);
void sss_stream_exit(void);

/* --- life (stream.c, table.c) --- */
struct sss_stream *sss_stream_create(u8 kind, gfp_t gfp);	/* for connect(); no channel yet */
int sss_stream_connect(struct sss_stream *st, struct sock *sk, struct sss_channel *ch,
		       const struct sss_request *request, int family);
void sss_stream_attach(struct sss_stream *st, struct sock *sk);	/* accept(): moves the charge */
void sss_stream_shutdown(struct sss_stream *st, bool rd, bool wr);
void sss_stream_close(struct sss_stream *st);			/* socket goes: orphan or done */
void sss_stream_reset(struct sss_stream *st, u64 code, const char *reason);
void sss_stream_put(struct sss_stream *st);

/* --- listening (accept.c): top level now, on a stream later --- */
struct sss_listener;
struct sss_listener *sss_listener_create(struct sock *sk, u32 backlog);
struct sss_stream *sss_listener_accept(struct sss_listener *l);	/* NULL: none waits */
bool sss_listener_ready(const struct sss_listener *l);
void sss_listener_close(struct sss_listener *l);		/* resets what waits: refused */

/* --- sending (sendq.c): socket lock held --- */
int sss_sendq_append(struct sss_stream *st, struct sock *sk, struct msghdr *msg, size_t len,
		     int flags);		/* bytes taken, -EAGAIN: no room now */
bool sss_sendq_writable(const struct sss_stream *st);	/* a one-byte write would succeed */
u32 sss_sendq_queued(const struct sss_stream *st);		/* SIOCOUTQ: not acknowledged */

/* --- receiving (recvq.c): socket lock held --- */
int sss_recvq_copy(struct sss_stream *st, struct sock *sk, struct msghdr *msg, size_t len,
		   int flags);			/* bytes, 0: nothing yet or end */
bool sss_recvq_readable(const struct sss_stream *st);	/* data or end or error waits */
bool sss_recvq_at_end(const struct sss_stream *st);
u32 sss_recvq_queued(const struct sss_stream *st);		/* FIONREAD */

/**
 * struct sss_stream_ops - how the stream floor tells a socket (registered by the socket floor)
 * @notify: bits of enum sss_stream_event happened. BH off, no lock held; takes the socket's slock,
 *	and defers to release_cb where a program holds the socket
 */
struct sss_stream_ops {
	void (*notify)(struct sock *sk, unsigned long events);
};
void sss_stream_register_ops(const struct sss_stream_ops *ops);
void sss_stream_settle(struct sss_stream *st, struct sock *sk);	/* slock or socket lock held: apply
								 * deferred memory accounting */
