/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The channel: the one live association between a host and a peer. Keys,
 * packet numbers, acknowledgments, loss recovery, congestion control and the
 * path live here; streams ride on it through struct sss_channel_ops.
 *
 * kref + RCU. References: peer->channel holds one while the channel is the
 * peer's; so do every stream, every work item and timer that is queued, and
 * every packet batch under way. A channel that is closed stays closed; a new
 * one takes its place at the peer.
 *
 * One timer per channel (timer.c), none per stream. Lock order: socket lock >
 * channel lock > leaf locks (key ring, stream queues).
 */
#ifndef _SSS_CHANNEL_CHANNEL_H
#define _SSS_CHANNEL_CHANNEL_H

#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/sss.h>
#include "base/netns.h"
#include "channel/background.h"
#include "channel/ops.h"
#include "channel/parts.h"
#include "crypto/keys.h"
#include "net/endpoint.h"
#include "peer/host.h"
#include "peer/peer.h"
#include "wire/ackset.h"
#include "wire/cursor.h"
#include "wire/frame.h"
#include "wire/handshake.h"
#include "wire/replay.h"
#include "wire/rtt.h"

struct sss_channel;
struct sss_crowd;
struct sk_buff;
struct sss_heard;
struct sss_trial;

#define SSS_SKIPPED		16	/* skipped packet numbers remembered */

enum sss_channel_state {
	SSS_CHANNEL_NEW,	/* no keys yet */
	SSS_CHANNEL_OPEN,	/* both incarnations known; keys may have expired */
	SSS_CHANNEL_CLOSED,	/* over; streams have ended */
};

/**
 * struct sss_channel - see the head of this file
 * Members below @lock are protected by it unless said otherwise.
 */
struct sss_channel {
	struct kref ref;
	struct rcu_head rcu;
	struct sss_net *sn;
	struct sss_host *host;			/* reference, through peer */
	struct sss_peer *peer;			/* reference */
	u32 id;					/* for log lines */
	bool local_even;			/* our EID is smaller: we open even ids */
	u64 incarnation;			/* ours, not zero */
	struct sss_params local;		/* what we told the peer */
	struct sss_keyring ring;		/* own lock */
	void *streams;				/* the stream floor's */

	spinlock_t lock;
	enum sss_channel_state state;
	enum sss_link link;
	u64 remote_incarnation;			/* 0: not known yet */
	struct sss_params remote;		/* what the peer told us */
	u32 n_streams;				/* the stream floor counts */
	u32 n_keepalive;			/* likewise: those with SO_KEEPALIVE */
	u64 idle_since;				/* ns, when n_streams became 0 */

	struct sss_path path;
	u64 next_number;
	u64 first_number;			/* nothing below was sent in this state */
	u64 skip_number;			/* the next one never sent */
	u64 skipped[SSS_SKIPPED];		/* the last ones: optimistic acks */
	u32 since_eliciting;			/* packets sent since one that was */
	struct sss_replay replay;
	struct sss_ackset received;
	u32 unacked_eliciting;			/* received since our last ACK */
	u32 ack_every;				/* at so many of them one is due at once */
	u32 ack_hurry;				/* packets for which it is due sooner */
	u32 ack_round;				/* received in this round trip */
	u64 ack_round_end;			/* ns */
	bool ack_now;
	u64 ack_at;				/* ns, when an ACK is due, 0: none */
	struct sss_rtt rtt;
	struct sss_loss loss;
	struct sss_cong cong;
	struct sss_background background;
	struct sss_ecn ecn;
	u64 pace_at;				/* ns, when the next batch may leave */
	u64 resume_at;				/* ns, when sending goes on that was left; or 0 */
	bool ping;				/* a PING is wanted */
	bool confirm;				/* initiator: first packet under new keys */
	u64 close_code;
	u64 last_received;			/* ns, authenticated */
	u64 link_up_at;				/* ns, when it was last not up before */
	u64 oldest_unanswered;			/* ns, 0: nothing waits */

	u64 pkts_sent, pkts_received, pkts_lost, pkts_spurious;
	u64 bytes_sent, bytes_received;
	u32 ptos;
	u32 connect_rtts;

	struct sss_tx_packet tx_packet;		/* the one being filled */
	struct page_frag tx_frag;		/* memory of packets being filled (batch.c) */
	bool restarting;			/* streams of the old state are ending */
	bool close_due;				/* a CLOSE is to be sent */
	u8 close_frame_type;
	int end_err;				/* streams end with it */
	bool challenged;			/* a PATH_RESPONSE is due */
	u8 challenge[8];
	struct sss_trial *trials;		/* endpoints beside the path (path.c), or NULL */
	bool aside;				/* one of them is to get something */
	bool moving;				/* the peer may be at one of them */
	bool announce;				/* ENDPOINTS is due */
	u32 announced;				/* hash of what it said last, 0: nothing */
	struct sss_heard *heard;		/* what the peer's said (announce.c), or NULL */

	spinlock_t tx_lock;			/* leaf: the next two */
	struct list_head tx_queue;		/* batches in order of number */
	bool tx_flushing;

	spinlock_t rx_lock;			/* leaf: down to rx_applying */
	struct list_head rx_queue;		/* batches in order of arrival */
	u32 rx_queued;				/* bytes of truesize in it */
	bool rx_applying;
	struct list_head rx_node;		/* on the host's drain list (drain only) */
	struct work_struct rx_work;

	bool link_changed;			/* who monitors is to be told */
	struct hrtimer timer;			/* timer.c */
	u64 timer_at;				/* ns, when it fires, 0: it is not set */
	u64 keys_at;				/* ns, when a key pair is to be erased */
	u64 tick_at;				/* ns, when ops->tick is due */
	struct work_struct work;		/* what needs process context */
	unsigned long work_bits;
	struct sss_handshaking *hs;		/* own handshakes under way (handshake.c) */
	struct sss_crowd *crowd;		/* of a peer nobody configured (crowd.c), or NULL */
	struct list_head crowd_node;		/* these two: sss_net.crowds_lock */
};

int sss_channel_init(void);
void sss_channel_exit(void);
/**
 * sss_channel_pto_ns() - how long an answer takes at most, as a rule
 * @ch: channel
 *
 * Return: probe timeout without back-off, ns (RFC 9002 section 6.2.1). Context: channel
 * lock held.
 */
static inline u64 sss_channel_pto_ns(const struct sss_channel *ch)
{
	return NSEC_PER_USEC * sss_rtt_pto(&ch->rtt, ch->remote.max_ack_delay_us, 0);
}

void sss_channel_flush(void);
void sss_channel_register_ops(const struct sss_channel_ops *ops);

struct sss_channel *sss_channel_of_peer(const struct sss_peer *peer);
struct sss_channel *sss_channel_get_for_peer(struct sss_peer *peer);
int sss_channel_connect(struct sss_channel *ch, const struct sss_request *request, int family,
			u64 since);
int sss_channel_rekey(struct sss_channel *ch);
void sss_channel_transmit(struct sss_channel *ch);
void __sss_channel_add_stream(struct sss_channel *ch);
void __sss_channel_drop_stream(struct sss_channel *ch);
void __sss_channel_keep_alive(struct sss_channel *ch, bool on);
bool __sss_channel_may_send(struct sss_channel *ch);
void __sss_channel_fail(struct sss_channel *ch, u64 code, u8 frame_type);
void __sss_channel_closed_by_peer(struct sss_channel *ch, const struct sss_frame_close *frame);
void __sss_channel_start_congestion(struct sss_channel *ch);
void __sss_channel_hope(struct sss_channel *ch);
void __sss_channel_heard(struct sss_channel *ch, u64 now);
void __sss_channel_shut(struct sss_channel *ch, int err, bool tell);
bool sss_channel_queue_rx(struct sss_channel *ch);
void __sss_channel_queue_work(struct sss_channel *ch, int bit);
void __sss_channel_set_link(struct sss_channel *ch, enum sss_link link);
void sss_channel_tell_link(struct sss_channel *ch);
void sss_channel_restart(struct sss_channel *ch);
void sss_channel_close(struct sss_channel *ch, int err);
void sss_channel_unused(struct sss_channel *ch);
void sss_channel_get_info(struct sss_channel *ch, struct sss_info *info);
bool sss_channel_get(struct sss_channel *ch);
void sss_channel_put(struct sss_channel *ch);

#endif /* _SSS_CHANNEL_CHANNEL_H */
