/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer: a remote identity as one host knows it: where it may be reached, its
 * pre-shared key, and the one channel to it.
 *
 * kref + RCU. References: the host's table holds one while the peer is in it;
 * the channel and every handshake under way hold one. A peer that was not
 * configured leaves the table when its channel ends.
 */
#ifndef _SSS_PEER_PEER_H
#define _SSS_PEER_PEER_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/sss.h>
#include "crypto/cookie.h"
#include "crypto/noise.h"
#include "net/endpoint.h"

struct netlink_ext_ack;
struct sss_host;
struct sss_channel;

/**
 * struct sss_peer_endpoint - one place where a peer may be
 * @ep: address
 * @cookie: cookie that address gave us
 * @configured: by netlink; learnt ones are replaced first
 * @proved: an authenticated packet came from there
 * @told: the peer's ENDPOINTS named it, and no more
 * @answered: a helper named it
 * @grant: packets that may go there because a helper named it
 * @granted_at: ns, when it last got as many as there are
 */
struct sss_peer_endpoint {
	union sss_endpoint ep;
	struct sss_cookie_path cookie;
	bool configured;
	bool proved;
	bool told;
	bool answered;
	u8 grant;
	u64 granted_at;
};

/**
 * struct sss_peer - a remote identity
 * @ref: references
 * @rcu: frees it
 * @node: in sss_host.peers, key @eid
 * @list: in sss_host.peer_list
 * @host: reference
 * @id: for log lines
 * @eid: remote key
 * @flags: SSS_PEER_F_*, changed under sss_host.peers_lock
 * @lock: leaf (BH): protects @remote, @endpoints, @n_endpoints, @even_at
 * @remote: precomputed keys for handshakes
 * @endpoints: candidates, best first; with sss_cookie_path.lock nesting in
 *	@lock, so that entries can move
 * @n_endpoints: how many
 * @even_at: ns; see access.c, keeps_pace()
 * @cookie_keys: for mac1 of messages to it
 * @channel: the one channel state, changed under @channel_lock
 * @channel_lock: leaf (BH) for changing @channel
 * @dead: out of the table for ever; set under @channel_lock, so that who sets
 *	@channel there sees it: a dead peer gets no channel, look the EID up
 *	again (sss_peer_get_or_create())
 */
struct sss_peer {
	struct kref ref;
	struct rcu_head rcu;
	struct rhash_head node;
	struct list_head list;
	struct sss_host *host;
	u32 id;
	struct sss_eid eid;
	u32 flags;
	spinlock_t lock;		/* remote, endpoints, even_at */
	struct sss_noise_remote remote;
	struct sss_peer_endpoint endpoints[SSS_PEER_ENDPOINTS_MAX];
	unsigned int n_endpoints;
	u64 even_at;
	struct sss_cookie_keys cookie_keys;
	struct sss_channel __rcu *channel;
	spinlock_t channel_lock;	/* channel */
	bool dead;
};

/**
 * struct sss_peer_config - what a peer is made from or changed to
 * @set: SSS_PEER_SET_* bits
 */
struct sss_peer_config {
	u32 set;
#define SSS_PEER_SET_PSK	0x1
#define SSS_PEER_SET_ENDPOINTS	0x2
	u8 psk[SSS_EID_LEN];
	union sss_endpoint endpoints[SSS_PEER_ENDPOINTS_MAX];
	unsigned int n_endpoints;
};

/**
 * struct sss_peer_ops - what the channel floor does with a peer
 * @stop: the peer is dead: end its channel and handshakes. Sleeps
 */
struct sss_peer_ops {
	void (*stop)(struct sss_peer *peer);
};

void sss_peer_register_ops(const struct sss_peer_ops *ops);
int sss_peer_table_init(struct sss_host *host);
void sss_peer_table_free(struct sss_host *host);
struct sss_peer *sss_peer_configure(struct sss_host *host, const struct sss_eid *eid,
				    const struct sss_peer_config *config, bool create,
				    struct netlink_ext_ack *extack);
struct sss_peer *sss_peer_lookup(struct sss_host *host, const struct sss_eid *eid);
struct sss_peer *sss_peer_get_or_create(struct sss_host *host, const struct sss_eid *eid);
void sss_peer_del(struct sss_peer *peer);
void sss_peer_del_all(struct sss_host *host);
void sss_peer_release_learnt(struct sss_peer *peer);
void __sss_peer_set_endpoint(struct sss_peer *peer, unsigned int at,
			     const union sss_endpoint *ep);
void sss_peer_hear_endpoints(struct sss_peer *peer, const union sss_endpoint *ep, unsigned int n);
int sss_peer_add_endpoint(struct sss_peer *peer, const union sss_endpoint *ep, bool configured);
void sss_peer_answer_endpoints(struct sss_peer *peer, const union sss_endpoint *ep,
			       unsigned int n);
void sss_peer_learn_endpoint(struct sss_peer *peer, const union sss_endpoint *ep);
unsigned int sss_peer_copy_endpoints(struct sss_peer *peer, union sss_endpoint *out);
void sss_peer_copy_remote(struct sss_peer *peer, struct sss_noise_remote *out);
void sss_peer_add_macs(struct sss_peer *peer, const union sss_endpoint *to, void *msg, size_t len);
bool sss_peer_consume_cookie(struct sss_peer *peer, const union sss_endpoint *from,
			     const struct sss_msg_cookie *reply);
bool sss_peer_get(struct sss_peer *peer);
void sss_peer_put(struct sss_peer *peer);

#endif /* _SSS_PEER_PEER_H */
