/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams: what the socket floor and other files of this floor need. */
#ifndef _SSS_STREAM_DGRAM_H
#define _SSS_STREAM_DGRAM_H

#include "stream/stream.h"

#define SSS_DGRAM_DROPS 16

/**
 * struct sss_dgrams - what a channel has for datagrams
 * @loose: those that arrive in DATAGRAM frames (struct sss_stream.flight), oldest first
 * @n_loose: how many
 * @waiting: bytes of those that wait to be read, or for the rest of them
 * @growing: datagrams with SSS_ST_GROWS
 * @flight: bytes in DATAGRAM frames whose fate is not known
 * @credit: of CHANNEL_WINDOW: as many may be
 * @blocked: some datagram waits for credit
 * @drop: what DATAGRAM_DROP has to be sent for, circular
 * @first_drop: of them
 * @n_drops: how many
 */
struct sss_dgrams {
	struct list_head loose;
	u32 n_loose;
	atomic_t waiting;
	u32 growing;
	u64 flight;
	u64 credit;
	bool blocked;
	struct {
		u64 parent;
		u64 message;
	} drop[SSS_DGRAM_DROPS];
	u32 first_drop;
	u32 n_drops;
};

/* for the socket floor */
u64 sss_dgram_max(const struct sss_stream *parent);
int sss_dgram_open(struct sss_stream *parent, struct sss_stream *st, struct sock *sk, size_t len,
		   bool reliable);
void sss_dgram_send(struct sss_stream *st, u32 ms);
void sss_dgram_give_up(struct sss_stream *st);
bool sss_dgram_over(const struct sss_stream *st);
bool sss_dgram_complete(const struct sss_stream *st);
bool sss_dgram_accept(struct sss_listener *l, struct sss_stream *st);
void sss_dgram_take(struct sss_listener *l, struct sss_stream *st);

/* for this one */
#define SSS_DGRAM_HEADERS 24	/* of a DATAGRAM frame, about */
u64 __sss_dgram_may_send(struct sss_stream *st, u64 n);
int __sss_dgram_put(struct sss_stream *st, struct sss_tx_packet *pkt, u64 left);
void __sss_dgram_credit(struct sss_channel *ch, u64 credit);
void __sss_dgram_settled(struct sss_channel *ch, const struct sss_sent_frame *frame, bool lost);
int __sss_dgram_receive(struct sss_channel *ch, const struct sss_frame_datagram *frame,
			const struct sss_rx_packet *pkt);
void __sss_dgram_announce_drop(struct sss_channel *ch, u64 parent, u64 message);
void __sss_dgram_dropped(struct sss_channel *ch, const struct sss_frame_datagram_drop *frame);
void __sss_dgram_arrived(struct sss_stream *st);
void __sss_dgram_drop(struct sss_stream *st);
void __sss_dgram_one_way(struct sss_stream *st);
u64 __sss_dgram_patience(const struct sss_stream *st);
bool __sss_dgram_may_grow(struct sss_stream *st);
void __sss_dgram_taken(struct sss_stream *st);
void __sss_dgram_forget(struct sss_stream *st);
void sss_dgram_forget(struct sss_stream *st);

/* tree.c, beyond table.h */
int __sss_tree_open(struct sss_stream *parent, struct sss_stream *child, struct sock *sk,
		    u32 flags);
void __sss_tree_go(struct sss_stream *child);
u64 __sss_tree_number(struct sss_stream *parent);
struct sss_listener *__sss_tree_datagrams(struct sss_stream *st);

#endif /* _SSS_STREAM_DGRAM_H */
