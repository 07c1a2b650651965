/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stream: bidirectional, ordered, reliable; a member of its channel's tree.
 *
 * A stream exists without a socket until accept() takes it and after close()
 * gave it up (an orphan, which keeps the struct sock, on whose account its
 * memory stands, until all it sent is acknowledged).
 *
 * kref. References: the channel (from connect() or INIT until both directions
 * are over and acknowledged, or the channel ends), the socket, the accept queue
 * it waits in, the touched list. The stream holds the channel until it is
 * freed, and its socket until the socket's part is over: then it notifies
 * SSS_STREAM_ENDED and lets go.
 *
 * Locks: "C" channel lock; "S" socket lock; "T" and "R" the leaf locks @tx.lock
 * and @rx.lock, taken under C or S, never one inside the other. The socket
 * floor reads and writes queues under S plus T or R; receive and transmit work
 * under C plus T or R, and touch a struct sock only through
 * sss_stream_ops.notify() from deliver(), without any of these locks.
 *
 * Memory: @tx.truesize and @rx.truesize say what the queues hold, .charged what
 * the socket has been charged for. sss_stream_settle() makes them equal.
 */
#ifndef _SSS_STREAM_STREAM_H
#define _SSS_STREAM_STREAM_H

#include <linux/kref.h>
#include <linux/rbtree.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <net/sock.h>
#include "channel/channel.h"
#include "stream/marks.h"
#include "stream/queues.h"
#include "wire/reasm.h"

struct sss_chunk;
struct sss_kin;
struct sss_listener;
struct sss_note;
struct sss_stream;

#define SSS_STREAM_NO_ID (~0ULL)
#define SSS_URGENCY_USUAL 3	/* of a new stream, as the next */
#define SSS_WEIGHT_USUAL 16
#define SSS_RESET_CLOSED 0	/* code of RESET and STOP when a program just goes away */

/* What changed since the socket was last told: bit numbers for notify() */
enum sss_stream_event {
	SSS_STREAM_READABLE,	/* data, end of stream or reset to be read */
	SSS_STREAM_WRITABLE,	/* space was freed, all is acknowledged, or nothing may be sent */
	SSS_STREAM_CONNECTED,	/* the service answered yes */
	SSS_STREAM_ENDED,	/* broken, or nothing more will ever come or go */
	SSS_STREAM_CHILD,	/* a listener: a stream waits in the accept queue */
	SSS_STREAM_FORSAKEN,	/* closed, and the link is down: may go on, but nobody waits */
	SSS_STREAM_EVENT,	/* something for recvmsg(MSG_ERRQUEUE) */
	SSS_STREAM_MEMORY,	/* nothing but sss_stream_settle() or sss_listener_settle() */
};

/**
 * struct sss_stream - see the head of this file
 * @ref: references
 * @err: negative errno once the whole stream is broken; READ_ONCE
 * @flags: SSS_ST_* of table.h; changes under C, READ_ONCE elsewhere
 * @ch: reference; set once by connect() or INIT
 * @id: C; SSS_STREAM_NO_ID until INIT is first sent
 * @parent: id of the parent; SSS_ID_ROOT: top level
 * @mother: reference to the parent while it may have to be told of. C
 * @kin: what it has as a parent, NULL: nothing. C
 * @sk: reference; NULL while unaccepted and once the socket's part is over. C
 * @listener: reference; who accepts it or did
 * @request: names; own memory, or the listener's
 * @note: text and code that came with a refusal or reset, NULL: none. C
 * @all: in sss_streams.all (C), as are the lists below
 * @due: in sss_streams.due: has a control frame to be sent
 * @sched: in sss_streams.level[urgency]: has data that may be sent
 * @flight: in sss_streams.flight: sent data waits for an acknowledgment
 * @touched: in sss_streams.touched
 * @timed: in sss_streams.timed: has a deadline
 * @wait: in sss_streams.opening, in the parent's sss_kin.waiting, or in the
 *	listener's queue (its lock)
 * @events: bits of enum sss_stream_event for notify(); C
 * @kind: SSS_KIND_*
 * @wanted: how the program wants data ordered
 * @ordered: how what we send is: as the peer wants, if it said so, else as @wanted
 * @orders_sent: PRIORITY frames we sent, or that are due
 * @orders_seen: sequence number of the peer's last
 * @counted: in sss_streams.theirs. C
 * @keepalive: counts in sss_channel.n_keepalive. C
 * @share: whose it is: place in sss_users.share; C
 * @status: enum sss_service_status the peer, or we, answered
 * @deficit: bytes it may still send before the next one's turn
 * @records: what records need, NULL: never had one. Set once, by cmpxchg()
 * @user_timeout: ms without progress until it breaks, 0: never. READ_ONCE
 * @progress_at: ns, when something was last acknowledged
 * @deadline: ns, for what @flags say it waits for
 * @reset_code: of our RESET
 * @reason: of it, own memory, NULL: none. C
 * @resent: bytes sent again
 */
struct sss_stream {
	struct kref ref;
	int err;
	u32 flags;
	u32 user_timeout;
	struct sss_channel *ch;
	u64 id;
	u64 parent;
	struct sss_stream *mother;
	struct sss_kin *kin;
	struct sock *sk;
	struct sss_listener *listener;
	const struct sss_request *request;
	struct sss_note *note;
	struct list_head all;
	struct list_head due;
	struct list_head sched;
	struct list_head flight;
	struct list_head touched;
	struct list_head timed;
	struct list_head wait;
	u8 events;
	u8 kind : 6;
	u8 counted : 1;
	u8 keepalive : 1;
	u8 status;
	u8 share;
	struct sss_priority wanted;
	struct sss_priority ordered;
	u32 orders_sent;
	u32 orders_seen;
	s32 deficit;
	struct sss_records *records;
	u64 progress_at;
	u64 deadline;
	u64 reset_code;
	char *reason;
	u64 resent;
	struct sss_txq tx;
	struct sss_rxq rx;
};

/**
 * struct sss_stream_ops - how the stream floor tells a socket
 * @notify: bits of enum sss_stream_event happened. BH off, no lock held; takes
 *	the socket's slock, and defers to release_cb where a program holds the
 *	socket. Then sss_stream_settle() or sss_listener_settle(), then wake-ups.
 *	The caller keeps @sk alive
 * @event: enum sss_event_type, for the socket's list; channel locked. Returns: wake it?
 * @is_short_of_memory: do the sockets of all namespaces hold as much as they may?
 * @browse: a stream for the list of services arrived; its channel is locked.
 *	Takes a reference. Returns enum sss_service_status
 */
struct sss_stream_ops {
	void (*notify)(struct sock *sk, unsigned long events);
	bool (*event)(struct sock *sk, u32 type, u64 value);
	bool (*is_short_of_memory)(void);
	u8 (*browse)(struct sss_stream *st);
};

int sss_stream_init(void);
void sss_stream_exit(void);
void sss_stream_register_ops(const struct sss_stream_ops *ops);

/* --- life (stream.c) --- */
struct sss_stream *sss_stream_create(u8 kind, gfp_t gfp);
int sss_stream_connect(struct sss_stream *st, struct sock *sk, struct sss_channel *ch,
		       const struct sss_request *request, int family);
void sss_stream_attach(struct sss_stream *st, struct sock *sk);
void sss_stream_shutdown(struct sss_stream *st, bool rd, bool wr);
void sss_stream_close(struct sss_stream *st);
void sss_keepalive_set(struct sss_stream *st, bool on);
void sss_stream_set_user_timeout(struct sss_stream *st, u32 ms);
void sss_stream_settle(struct sss_stream *st, struct sock *sk);
void sss_stream_set_priority(struct sss_stream *st, const struct sss_priority *priority,
			     bool above);
bool sss_stream_is_above(const struct sss_stream *st);
void sss_stream_set_background(struct sss_stream *st, const struct sock *sk, bool on);
bool sss_stream_is_background(const struct sss_stream *st);
void sss_stream_get_priority(struct sss_stream *st, struct sss_priority *priority);
void sss_stream_get(struct sss_stream *st);
void sss_stream_put(struct sss_stream *st);

/* --- ends, events (ending.c, giveback.c, event.c): socket lock held --- */
void sss_stream_reset(struct sss_stream *st, u64 code, const char *reason);
int sss_ending_reset(struct sss_stream *st, struct sock *sk, const struct sss_reset *reset);
bool sss_giveback_pending(const struct sss_stream *st);	/* no lock needed */
ssize_t sss_giveback_copy(struct sss_stream *st, struct msghdr *msg, size_t len,
			  struct sss_cm_event *out);
void sss_giveback_drop(struct sss_stream *st, struct sock *sk, const struct sss_cm_event *out);
void sss_event_watch(struct sss_stream *st);

/* --- queries (info.c): any context, no lock needed unless said otherwise --- */
int sss_stream_error(const struct sss_stream *st);	/* positive errno, 0: not broken */
bool sss_stream_connected(const struct sss_stream *st);	/* the service said yes */
bool sss_stream_send_closed(const struct sss_stream *st); /* peer wants no more: EPIPE */
void sss_stream_get_status(struct sss_stream *st, struct sss_status *out);
void sss_stream_get_info(struct sss_stream *st, struct sss_info *out);
void sss_stream_get_addresses(const struct sss_stream *st, struct sockaddr_sss *local,
			      struct sockaddr_sss *remote);

/* --- children (tree.c) --- */
int sss_tree_open(struct sss_stream *parent, struct sss_stream *child, struct sock *sk);
struct sss_listener *sss_tree_listen(struct sss_stream *st, struct sock *sk, u32 backlog);
void sss_tree_close(struct sss_stream *st, struct sock *sk);
void sss_tree_unread(struct sss_stream *st, struct sock *sk);
bool sss_tree_ended(const struct sss_stream *st);

struct sss_listener *sss_tree_receive(struct sss_stream *st, struct sock *sk);

/* --- listening (accept.c): for names, or for the children of a stream --- */
struct sss_listener *sss_listener_create(struct sock *sk, u32 backlog);
void sss_listener_set_backlog(struct sss_listener *l, u32 backlog);
struct sss_stream *sss_listener_accept(struct sss_listener *l);
bool sss_listener_ready(const struct sss_listener *l);
struct sss_stream *sss_listener_next(struct sss_listener *l);
u32 sss_listener_queued(const struct sss_listener *l);
void sss_listener_settle(struct sss_listener *l, struct sock *sk);
void sss_listener_close(struct sss_listener *l);
void sss_listener_detach(struct sss_listener *l, struct sock *sk);
void sss_listener_get(struct sss_listener *l);
void sss_listener_put(struct sss_listener *l);

/* --- sending (sendq.c): socket lock held, or slock for the queries --- */
int sss_sendq_append(struct sss_stream *st, struct sock *sk, struct msghdr *msg, size_t len,
		     int flags);
void sss_sendq_push(struct sss_stream *st, bool more);
bool sss_sendq_writable(const struct sss_stream *st);
bool sss_sendq_fits(const struct sss_stream *st, size_t len);
bool sss_sendq_done(const struct sss_stream *st);
u64 sss_sendq_acked(const struct sss_stream *st);
u32 sss_sendq_queued(const struct sss_stream *st);

/* --- receiving (readq.c): socket lock held, or slock for the queries --- */
int sss_recvq_copy(struct sss_stream *st, struct sock *sk, struct msghdr *msg, size_t len,
		   int flags);
ssize_t sss_recvq_look(struct sss_stream *st, struct msghdr *msg, size_t len);
void sss_recvq_set_mode(struct sss_stream *st, enum sss_rx_mode mode);
void sss_recvq_pending(struct sss_stream *st, struct sss_pending *out);
bool sss_recvq_readable(const struct sss_stream *st);
bool sss_recvq_at_end(const struct sss_stream *st);
bool sss_recvq_finished(const struct sss_stream *st);
u32 sss_recvq_records(const struct sss_stream *st);
u32 sss_recvq_queued(const struct sss_stream *st);
u32 sss_recvq_capacity(const struct sss_stream *st);

#endif /* _SSS_STREAM_STREAM_H */
