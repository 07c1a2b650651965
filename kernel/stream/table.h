/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The streams of one channel, and what the files of this floor share. All of
 * it under the channel lock unless said otherwise.
 */
#ifndef _SSS_STREAM_TABLE_H
#define _SSS_STREAM_TABLE_H

#include <linux/xarray.h>
#include "peer/peer.h"
#include "stream/dgram.h"
#include "stream/flow.h"
#include "stream/share.h"
#include "stream/stream.h"

/* struct sss_stream.flags */
#define SSS_ST_LOCAL		BIT(0)	/* opened by us */
#define SSS_ST_INIT_ACKED	BIT(1)	/* opened by us: the peer knows it */
#define SSS_ST_CONNECTING	BIT(2)	/* connect() has no answer yet */
#define SSS_ST_CONNECTED	BIT(3)	/* the service said yes, or it was accepted */
#define SSS_ST_ACCEPTED		BIT(4)	/* no longer on the pool for unaccepted data */
#define SSS_ST_REFUSED		BIT(5)	/* opened by the peer, and we said no */
#define SSS_ST_REPLY_ACKED	BIT(6)	/* and it knows what we said */
#define SSS_ST_RESET		BIT(7)	/* our direction was reset */
#define SSS_ST_RESET_ACKED	BIT(8)	/* and the peer knows */
#define SSS_ST_STOPPED		BIT(9)	/* we want no more of the peer's direction */
#define SSS_ST_STOP_RECEIVED	BIT(10)	/* the peer wants no more of ours */
#define SSS_ST_ORPHAN		BIT(11)	/* close() was called */
#define SSS_ST_LET_GO		BIT(12)	/* the socket's part is over */
#define SSS_ST_OVER		BIT(13)	/* out of the table */
#define SSS_ST_UNCOUNTED	BIT(14)	/* no longer keeps the channel alive */
#define SSS_ST_DOOMED		BIT(15)	/* never got an id, and its parent is over */
#define SSS_ST_CLOSED		BIT(16)	/* nobody has it, or ever will: children are refused */
#define SSS_ST_MESSAGE		BIT(17)	/* a datagram */
#define SSS_ST_LOOSE		BIT(18)	/* a datagram without an id: see dgram.c */
#define SSS_ST_GROWS		BIT(19)	/* a datagram that may be longer than the first window */
#define SSS_ST_WAITING		BIT(21)	/* of an unknown peer, and not accepted: crowd.c */
#define SSS_ST_ABOVE		BIT(20)	/* its urgency counts against other users' */
#define SSS_ST_WATCHED		BIT(22)	/* the program wants to hear of events */
#define SSS_ST_SUBTREE		BIT(23)	/* our RESET is for the streams below, too */
#define SSS_ST_BELOW		BIT(31)	/* mark of ending.c, while it walks */
#define SSS_ST_DUE_INIT		BIT(24)	/* control frames to be sent */
#define SSS_ST_DUE_REPLY	BIT(25)
#define SSS_ST_DUE_RESET	BIT(26)
#define SSS_ST_DUE_STOP		BIT(27)
#define SSS_ST_DUE_WINDOW	BIT(28)
#define SSS_ST_DUE_CREDIT	BIT(29)
#define SSS_ST_DUE_PRIORITY	BIT(30)
#define SSS_ST_DUE		(SSS_ST_DUE_INIT | SSS_ST_DUE_REPLY | SSS_ST_DUE_RESET | \
				 SSS_ST_DUE_STOP | SSS_ST_DUE_WINDOW | SSS_ST_DUE_CREDIT | \
				 SSS_ST_DUE_PRIORITY)

/* struct sss_sent_frame.flags of a STREAM frame */
#define SSS_SENT_FIN		BIT(0)

/**
 * struct sss_streams - all streams of a channel
 * @ids: id -> struct sss_stream
 * @last: the one looked up last, NULL: none
 * @all: struct sss_stream.all, also those without an id
 * @opening: wait for their first INIT, in order of connect()
 * @due: have control frames
 * @flight: have something sent that is not acknowledged, longest ago first
 * @touched: their sockets have something to learn
 * @timed: have a deadline
 * @users: whose streams have something to send, see share.h
 * @background: likewise, of SSS_BACKGROUND streams: they send where @users do not
 * @next: sequence number of the next stream we open
 * @credit: of MAX_STREAMS: we may open those with lower numbers
 * @base: lowest sequence number the peer has not opened yet
 * @seen: bit per number from @base, circular, @width bits; NULL: none opened
 * @width: as many as the peer may have open, a power of two
 * @closed: streams of the peer that are over
 * @theirs: streams of the peer that were not refused and are not over, but for datagrams
 * @browsing: of them, those that get the list of services
 * @granted: the MAX_STREAMS we sent last, or the transport parameter
 * @granted_due: send it
 * @pool_used: bytes of unaccepted data we sent, see flow.c
 * @pool_max: the CHANNEL_WINDOW received last
 * @pool_received: bytes of unaccepted data that came
 * @pool_returned: of them, no longer unaccepted
 * @pool_granted: the CHANNEL_WINDOW we sent last, without the initial window
 * @pool_due: send it
 * @pool_blocked: some stream waits for the pool
 * @dgrams: see dgram.h
 * @crowd_known: @crowd is what it will be
 * @crowd: of where the peer is, see crowd.c; NULL: somebody configured it
 * @memory: of what has come and is not read, see memory.c; no lock
 * @windows: bytes of all of them beyond the first of each stream; no lock
 * @favoured: may have more memory than there is, NULL: none
 * @watched: some stream wanted to hear of events
 * @starved_until: ns, no memory to open a stream: try again then; 0: no
 * @next_tick: ns, when a deadline may have passed, 0: none
 * @down_since: ns, when the link went down, 0: it is not
 */
struct sss_streams {
	struct xarray ids;
	struct sss_stream *last;
	struct list_head all;
	struct list_head opening;
	struct list_head due;
	struct list_head flight;
	struct list_head touched;
	struct list_head timed;
	struct sss_users users;
	struct sss_users background;
	u64 next;
	u64 credit;
	u64 base;
	unsigned long *seen;
	u32 width;
	u64 closed;
	u32 theirs;
	u32 browsing;
	u64 granted;
	bool granted_due;
	u64 pool_used;
	u64 pool_max;
	u64 pool_received;
	u64 pool_returned;
	u64 pool_granted;
	bool pool_due;
	bool pool_blocked;
	struct sss_dgrams dgrams;
	bool crowd_known;
	struct sss_crowd *crowd;
	atomic_long_t memory;
	atomic_long_t windows;
	struct sss_stream *favoured;
	bool watched;
	u64 starved_until;
	u64 next_tick;
	u64 down_since;
};

/**
 * struct sss_note - text and code that came with a refusal or a reset
 */
struct sss_note {
	u64 code;
	bool reset;
	u8 len;
	char text[];
};

static inline struct sss_streams *sss_streams(const struct sss_channel *ch)
{
	return ch->streams;
}

extern const struct sss_stream_ops *sss_stream_ops;
/* table.c */
struct sss_stream *__sss_table_find(struct sss_channel *ch, u64 id);
int __sss_table_look_up(struct sss_channel *ch, u64 id, struct sss_stream **stp);
int __sss_table_open_local(struct sss_stream *st);
int __sss_table_check_new(struct sss_channel *ch, u64 id);
int __sss_table_add_remote(struct sss_stream *st, u64 id);
void __sss_table_touch(struct sss_stream *st, unsigned long events);
void sss_table_deliver(struct sss_channel *ch);

/* stream.c */
int sss_stream_cache_init(void);
void sss_stream_cache_exit(void);
struct sss_stream *sss_stream_alloc(u8 kind, gfp_t gfp);
struct sss_records *sss_stream_get_records(struct sss_stream *st, gfp_t gfp);
void __sss_stream_join(struct sss_stream *st, struct sss_channel *ch, u32 flags);
void __sss_stream_fail(struct sss_stream *st, int err);
void __sss_stream_break(struct sss_stream *st, int err);
void __sss_stream_abort(struct sss_stream *st, int err);
void __sss_stream_reset(struct sss_stream *st, u64 code);
void __sss_stream_stop(struct sss_stream *st);
void __sss_stream_orphan(struct sss_stream *st);
void __sss_stream_uncount(struct sss_stream *st);
void __sss_stream_let_go(struct sss_stream *st);
void __sss_stream_check_over(struct sss_stream *st);
void __sss_stream_set_note(struct sss_stream *st, bool reset, u64 code, const u8 *text, u8 len);

/* keepalive.c */
void __sss_keepalive_set(struct sss_stream *st, bool on);

/* timed.c */
void __sss_timed_at(struct sss_channel *ch, u64 at);
void __sss_timed_watch(struct sss_stream *st, u64 now);
void sss_timed_connecting(struct sss_stream *st);
void __sss_timed_progress(struct sss_stream *st);
u64 sss_timed_tick(struct sss_channel *ch, u64 now);

/* sendq.c */
int sss_sendq_init(void);
void sss_sendq_exit(void);
void sss_sendq_setup(struct sss_txq *tx);
void __sss_sendq_purge(struct sss_stream *st);
bool __sss_sendq_acked(struct sss_stream *st, u64 offset, u32 len, bool fin);
void __sss_sendq_lost(struct sss_stream *st, u64 offset, u32 len, bool fin);
void sss_sendq_read(struct sss_stream *st, u64 offset, u8 *to, u32 len);
void sss_sendq_free(struct sss_stream *st);

/* control.c */
bool __sss_control_put_init(struct sss_stream *st, struct sss_tx_packet *pkt);
bool __sss_control_put(struct sss_stream *st, struct sss_tx_packet *pkt);
bool __sss_control_put_channel(struct sss_channel *ch, struct sss_tx_packet *pkt);
void sss_control_acked(struct sss_channel *ch, const struct sss_sent_frame *frame);
void sss_control_lost(struct sss_channel *ch, const struct sss_sent_frame *frame);

/* recvq.c */
int sss_recvq_init(void);
void sss_recvq_exit(void);
void sss_recvq_setup(struct sss_rxq *rx);
int __sss_recvq_insert(struct sss_stream *st, const struct sss_frame_stream *frame,
		       const struct sss_rx_packet *pkt);
int __sss_recvq_reset(struct sss_stream *st, u64 final);
void sss_recvq_purge(struct sss_stream *st);
void sss_recvq_free(struct sss_stream *st);
bool sss_recvq_over(const struct sss_stream *st);

/* accept.c */
struct sss_listener *sss_listener_alloc(gfp_t gfp);
void sss_listener_notify(struct sss_listener *l, unsigned long events);
void sss_listener_completed(struct sss_listener *l, struct sss_stream *st);
void sss_listener_charge(struct sss_listener *l, s32 delta);
bool sss_listener_is_full(struct sock *sk);
u32 sss_listener_loose(const struct sss_listener *l);
bool sss_listener_has_room(struct sss_listener *l, u32 most);
bool sss_listener_remove(struct sss_listener *l, struct sss_stream *st);
u8 sss_listener_enqueue(struct sss_listener *l, struct sss_stream *st,
			const struct sss_request *request);
u8 sss_listener_offer(struct sock *sk, struct sss_stream *st, const struct sss_request *request);
void sss_listener_set_names(struct sss_listener *l, const struct sss_request *request);
const struct sss_request *sss_listener_names(const struct sss_listener *l);
bool sss_listener_set_socket(struct sss_listener *l, struct sock *sk);
bool sss_listener_is_of(const struct sss_listener *l, const struct sock *sk);
bool sss_listener_has_socket(const struct sss_listener *l);
void sss_listener_drain(struct sss_listener *l);

/* request.c */
u8 sss_request_lookup(struct sss_host *host, const struct sss_eid *from,
		      const struct sss_request *request, char *text);
void sss_request_answered(struct sss_channel *ch, const struct sss_request *request,
			  u8 status, const char *text);
void __sss_request_refused(struct sss_channel *ch, const char *text);
void __sss_request_reply(struct sss_stream *st, u8 status, const u8 *text, u8 len);
const char *sss_request_text(u8 status);

#include "stream/ending.h"
#include "stream/memory.h"
#include "stream/tree.h"

#endif /* _SSS_STREAM_TABLE_H */
