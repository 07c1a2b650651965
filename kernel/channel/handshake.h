/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handshakes: INITIATE and RESPOND from both sides (design: "Handshake").
 *
 * handshake.c	what both share: messages from the network, the host's queue and work
 * initiate.c	our own INITIATEs
 * answered.c	RESPOND, COOKIE and REJECT that answer them
 * respond.c	INITIATEs of others and the first data packet, which confirms them
 * slot.c	half-open slots, with cached RESPONDs
 *
 * Locks: channel lock > sss_handshakes.slots_lock > sss_keyring.lock; .lock is a leaf.
 */
#ifndef _SSS_CHANNEL_HANDSHAKE_H
#define _SSS_CHANNEL_HANDSHAKE_H

#include "channel/channel.h"

struct sss_handshaking;		/* of a channel: initiate.h */
struct sss_half_open;		/* sss_keypair.tentative: slot.h */

/**
 * struct sss_handshakes - what a host keeps of handshakes (sss_host.handshakes)
 * @host: whose; outlives this
 * @rcu: frees it: a channel may be made for a host that is going
 * @lock: leaf (BH): down to @stamp
 * @messages: received handshake messages that wait for @work
 * @late: data packets under keys without a channel, likewise
 * @n_messages: how many; WRITE_ONCE, read without the lock as a hint
 * @n_late: how many
 * @late_bytes: truesize of them
 * @stopped: nothing is taken in any more
 * @loaded_until: ns; until then INITIATEs must prove their address; WRITE_ONCE
 * @stamp: of our last INITIATE, to whomever
 * @work: handles both lists, one entry after the other
 * @slots_lock: (BH): @slots
 * @slots: half-open handshakes and those lately confirmed, oldest first
 * @expiry: drops slots that are too old
 */
struct sss_handshakes {
	struct sss_host *host;
	struct rcu_head rcu;
	spinlock_t lock;	/* leaf: down to stamp */
	struct list_head messages;
	struct list_head late;
	u32 n_messages;
	u32 n_late;
	u32 late_bytes;
	bool stopped;
	u64 loaded_until;
	u8 stamp[SSS_HS_STAMP_LEN];
	struct work_struct work;
	spinlock_t slots_lock;	/* slots */
	struct list_head slots;
	struct delayed_work expiry;
};

/* --- what both share (handshake.c) --- */
int sss_handshake_init(void);
void sss_handshake_exit(void);
int sss_handshake_host_create(struct sss_host *host);
void sss_handshake_host_settle(struct sss_host *host);
void sss_handshake_host_stop(struct sss_host *host);
void sss_handshake_host_destroy(struct sss_host *host);
void sss_handshake_receive(struct sss_host *host, const u8 *data, size_t len,
			   const union sss_endpoint *from);
void sss_handshake_confirm_later(struct sss_host *host, struct sss_keypair *pair,
				 struct sk_buff *skb, const union sss_endpoint *from);
void sss_handshake_send(struct sss_host *host, const void *msg, size_t len,
			const union sss_endpoint *to);
void sss_handshake_flush(void);
void sss_handshake_expire_later(struct sss_handshakes *hs);
bool sss_handshake_next_stamp(struct sss_host *host, u8 stamp[SSS_HS_STAMP_LEN]);

/* --- initiating (initiate.c) --- */
int sss_handshake_init_channel(struct sss_channel *ch);
void sss_handshake_free_channel(struct sss_channel *ch);
void __sss_handshake_want(struct sss_channel *ch, const struct sss_request *request);
u64 __sss_handshake_deadline(const struct sss_channel *ch);
void __sss_handshake_on_timer(struct sss_channel *ch, u64 now);
void sss_handshake_work(struct sss_channel *ch);
bool __sss_handshake_pending(const struct sss_channel *ch);
void __sss_handshake_hurry(struct sss_channel *ch);
void __sss_handshake_everywhere(struct sss_channel *ch);
void __sss_handshake_unwanted(struct sss_channel *ch);
int __sss_handshake_error(const struct sss_channel *ch);

void __sss_initiate_forget(struct sss_channel *ch);
bool __sss_initiate_check_stamp(struct sss_channel *ch, const u8 stamp[SSS_HS_STAMP_LEN]);
void __sss_initiate_superseded(struct sss_channel *ch, const u8 stamp[SSS_HS_STAMP_LEN]);

/* --- what answers it (answered.c) --- */
void sss_answered_respond(struct sss_host *host, const struct sss_msg_respond *msg,
			  const union sss_endpoint *from);
void sss_answered_cookie(struct sss_host *host, const struct sss_msg_cookie *msg,
			 const union sss_endpoint *from);
void sss_answered_reject(struct sss_host *host, const struct sss_msg_reject *msg);

/* --- responding (respond.c) --- */
bool __sss_handshake_confirmed(struct sss_channel *ch, struct sss_keypair *pair,
			       const union sss_endpoint *from, u64 now);
void sss_handshake_drop_tentative(void *tentative);

void sss_respond_initiate(struct sss_handshakes *hs, const struct sss_msg_initiate *msg,
			  const union sss_endpoint *from);
void sss_respond_confirm(struct sss_handshakes *hs, struct sss_keypair *pair,
			 struct sk_buff *skb, const union sss_endpoint *from);

/* --- half-open slots (slot.c) --- */
void sss_slot_expire(struct work_struct *work);
void sss_slot_purge(struct sss_handshakes *hs);
void sss_slot_purge_host(struct sss_host *host);
u64 sss_slot_incarnation(struct sss_host *host, const struct sss_eid *eid, u64 proposed,
			 u64 *next_number);

/* --- what they call in channel.c --- */
void sss_channel_local_params(const struct sss_limits *limits, struct sss_params *params);
void __sss_channel_establish(struct sss_channel *ch, struct sss_keypair *pair,
			     u64 remote_incarnation, const struct sss_params *remote,
			     const union sss_endpoint *from, bool proved, bool restart);
struct sss_channel *sss_channel_create(struct sss_peer *peer, u64 incarnation);

#endif /* _SSS_CHANNEL_HANDSHAKE_H */
