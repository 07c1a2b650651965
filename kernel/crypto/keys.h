/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Key pairs and the slots a channel keeps them in.
 *
 * A struct sss_keypair is kref + RCU: found under rcu_read_lock() by index
 * (receive) or through a slot (send), held across encryption by
 * sss_keypair_get(), erased when freed. Immutable once published but for the
 * fields marked so.
 *
 * Responder: sss_keypair_create(sn, channel, gfp), sss_index_reserve(&pair->entry, host),
 * sss_noise_create_respond(..., &pair->keys), fill the rest,
 * sss_index_publish(&pair->entry, SSS_INDEX_KEYPAIR),
 * sss_keyring_add_responder(). On the first packet that authenticates under a
 * pair with !confirmed: sss_keyring_confirm(); where it returns true, take the
 * tentative state and let it take effect.
 * Initiator: sss_keypair_create(), sss_noise_consume_respond(), fill,
 * sss_index_replace(&pending->entry, &pair->entry, SSS_INDEX_KEYPAIR),
 * sss_keyring_add_initiator().
 * Both adds take over the caller's reference; a slot that drops a pair takes
 * it off the index and puts it.
 */
#ifndef _SSS_CRYPTO_KEYS_H
#define _SSS_CRYPTO_KEYS_H

#include <linux/bits.h>
#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include "index.h"
#include "noise.h"

struct sss_channel;
struct sss_limits;
struct sss_net;

#define SSS_KEY_REKEY_PACKETS	BIT_ULL(48)

/**
 * struct sss_keypair - keys of one handshake
 * @entry: receive index; entry.index goes out in our handshake message
 * @ref: references; the last put erases after a grace period
 * @rcu: frees it
 * @sn: namespace, counts it until it is wiped
 * @keys: both keys and both packet number masks
 * @remote_index: goes out in data packets
 * @initiator: we sent the INITIATE
 * @lowest_receive: no packet number below is valid under these keys
 * @first_send: first packet number we use under these keys
 * @birth: when the keys were made, sss_keypair_now()
 * @stamp: of the INITIATE (responder)
 * @started: sss_keyring_start() when our INITIATE was made (initiator)
 * @added: event number of the ring, 0: before its first; under sss_keyring.lock
 * @confirmed: event number at which the other side had proved that it has the
 *	keys, 0: not yet. Written once, under sss_keyring.lock
 * @channel: the one state the keys belong to, NULL: none before confirmation,
 *	WRITE_ONCE. Valid under rcu_read_lock(): the channel clears its keyring before its
 *	own RCU free
 * @tentative: the caller's, what takes effect on confirmation; see
 *	sss_keypair_take_tentative(); dropped with the pair
 * @n_late: packets under it that wait for a channel (sss_handshakes.lock)
 * @drop_tentative: frees @tentative, possibly in softirq; NULL: kfree_sensitive()
 */
struct sss_keypair {
	struct sss_index_entry entry;
	struct kref ref;
	struct rcu_head rcu;
	struct sss_net *sn;
	u32 remote_index;
	bool initiator;
	struct sss_noise_keys keys;
	u64 lowest_receive;
	u64 first_send;
	u64 birth;
	u8 stamp[SSS_HS_STAMP_LEN];
	u64 started;
	u64 added;
	u64 confirmed;
	struct sss_channel *channel;
	void *tentative;
	u32 n_late;
	void (*drop_tentative)(void *tentative);
};

/**
 * struct sss_keyring - the key pairs of one channel
 * @lock: leaf spinlock (BH); slots change only under it
 * @current_pair: sent under; received under
 * @previous: receives until it expires
 * @next: made as responder, newest INITIATE; not sent under before the first
 *	authenticated packet
 * @next_stale: likewise, for an INITIATE with an older stamp, so that a
 *	replayed one cannot displace the live one
 * @events: numbers what happens to the ring, which tells crossing handshakes
 *	from consecutive ones without a clock
 * @local_first: our EID is numerically smaller than the peer's
 */
struct sss_keyring {
	spinlock_t lock;	/* leaf: the slots, events */
	struct sss_keypair __rcu *current_pair;
	struct sss_keypair __rcu *previous;
	struct sss_keypair __rcu *next;
	struct sss_keypair __rcu *next_stale;
	u64 events;
	bool local_first;
};

struct sss_keypair *sss_keypair_create(struct sss_net *sn, struct sss_channel *channel, gfp_t gfp);
bool sss_keypair_get(struct sss_keypair *pair);
void sss_keypair_put(struct sss_keypair *pair);
void *sss_keypair_take_tentative(struct sss_keypair *pair);
bool sss_keypair_may_send(const struct sss_keypair *pair,
			  const struct sss_limits *limits, u64 now);
bool sss_keypair_may_receive(const struct sss_keypair *pair,
			     const struct sss_limits *limits, u64 now);
bool sss_keypair_wants_rekey(const struct sss_keypair *pair,
			     const struct sss_limits *limits, u64 next_number,
			     u64 now);

void sss_keyring_init(struct sss_keyring *ring, const u8 local[SSS_HS_EID_LEN],
		      const u8 remote[SSS_HS_EID_LEN]);
u64 sss_keyring_start(struct sss_keyring *ring);
void sss_keyring_add_initiator(struct sss_keyring *ring, struct sss_keypair *pair);
void sss_keyring_add_responder(struct sss_keyring *ring, struct sss_keypair *pair, bool early);
bool sss_keyring_confirm(struct sss_keyring *ring, struct sss_keypair *pair);
bool sss_keyring_let_go(struct sss_keyring *ring, struct sss_keypair *pair);
struct sss_keypair *sss_keyring_get_current(struct sss_keyring *ring);
u64 sss_keyring_expire(struct sss_keyring *ring, const struct sss_limits *limits,
		       u64 now);
void sss_keyring_keep(struct sss_keyring *ring, const struct sss_keypair *pair);
bool sss_keyring_predates(struct sss_keyring *ring, const struct sss_keypair *pair);
void sss_keyring_end_state(struct sss_keyring *ring);
void sss_keyring_clear(struct sss_keyring *ring);

/**
 * sss_keypair_now() - the clock of every time in this file
 *
 * Return: ns since boot, suspended time included, of tick resolution.
 */
static inline u64 sss_keypair_now(void)
{
	return ktime_get_coarse_boottime_ns();
}

int sss_keys_selftest(void);

#endif /* _SSS_CRYPTO_KEYS_H */
