/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handshakes: INITIATE and RESPOND from both sides (design: "Handshake").
 *
 * handshake.c	what both share: messages from the network, the host's queue and work
 * initiate.c	our own INITIATEs, RESPOND, COOKIE and REJECT that answer them
 * respond.c	INITIATEs of others: half-open slots, cached RESPONDs, confirmation
 */
#ifndef _SSS_CHANNEL_HANDSHAKE_H
#define _SSS_CHANNEL_HANDSHAKE_H

#include "channel/channel.h"

int sss_handshake_init(void);
void sss_handshake_exit(void);

struct sk_buff;
struct sss_handshaking;		/* of a channel: initiate.c */
struct sss_half_open;		/* sss_keypair.tentative: respond.c */

/* --- shared (handshake.c) --- */
int sss_handshake_host_create(struct sss_host *host);		/* host->handshakes */
void sss_handshake_host_stop(struct sss_host *host);		/* sleeps; drops queue, half-open */
void sss_handshake_host_destroy(struct sss_host *host);
/* From the drain (BH off): one handshake message, copied into the host's bounded queue; mac1 is
 * checked here already. @data has @len bytes in linear memory. */
void sss_handshake_receive(struct sss_host *host, const u8 *data, size_t len,
			   const union sss_endpoint *from);

/* --- initiating (initiate.c) --- */
int sss_handshake_init_channel(struct sss_channel *ch);		/* ch->hs */
void sss_handshake_free_channel(struct sss_channel *ch);	/* process context, sleeps */
/* Channel lock held. A handshake is wanted (@request: goes along unless the host hides services or
 * one went already; NULL: none). Idempotent. The work item does it. */
void __sss_handshake_want(struct sss_channel *ch, const struct sss_request *request);
u64 __sss_handshake_deadline(const struct sss_channel *ch);	/* ns (ktime), 0: none */
void __sss_handshake_on_timer(struct sss_channel *ch, u64 now);
void sss_handshake_work(struct sss_channel *ch);		/* SSS_WORK_INITIATE, process ctx */
bool __sss_handshake_pending(const struct sss_channel *ch);

/* --- responding (respond.c) --- */
/* A data packet came under a key pair of no channel (pair->channel NULL): process context decides.
 * BH off. Takes over the skb; holds @pair by its own reference. */
void sss_handshake_confirm_later(struct sss_host *host, struct sss_keypair *pair,
				 struct sk_buff *skb, const union sss_endpoint *from);
/* Channel lock held, from the serial stage: a packet authenticated under @pair (ring slot next)
 * for the first time; @from is where it came from. Makes the tentative state take effect:
 * sss_keyring_confirm(), peer's parameters, endpoint, incarnation; returns true when the state had
 * to be restarted (caller then calls ops->restart() after unlocking and ignores older packets). */
bool __sss_handshake_confirmed(struct sss_channel *ch, struct sss_keypair *pair,
			       const union sss_endpoint *from, u64 now);
void sss_handshake_drop_tentative(void *tentative);		/* pair freed unconfirmed */

/* --- what they call in channel.c --- */
/* Channel lock held: both sides' states match from here on: parameters, incarnation, path. @restart:
 * the peer's state is new: replay window, ack set, sent packets, RTT and congestion start afresh. */
void __sss_channel_establish(struct sss_channel *ch, struct sss_keypair *pair,
			     u64 remote_incarnation, const struct sss_params *remote,
			     const union sss_endpoint *from, bool restart);
/* peer's channel, made if there is none (responder: with @incarnation, 0: random) */
struct sss_channel *sss_channel_create(struct sss_peer *peer, u64 incarnation);
/* a (super)packet to decrypt and its application: rx.h, sss_rx_enqueue() and sss_rx_run() */

#endif /* _SSS_CHANNEL_HANDSHAKE_H */
