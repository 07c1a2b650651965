// SPDX-License-Identifier: GPL-2.0
/* Peers: made, changed, found and ended. See peer.h and host.h for locks. */
#include <linux/netlink.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "access.h"
#include "host.h"
#include "peer.h"

static const struct rhashtable_params table_params = {
	.key_len = SSS_EID_LEN,
	.key_offset = offsetof(struct sss_peer, eid),
	.head_offset = offsetof(struct sss_peer, node),
	.automatic_shrinking = true,
};

static const struct sss_peer_ops *peer_ops __read_mostly;

/**
 * sss_peer_register_ops() - say who acts for peers
 * @ops: the channel floor's; before the first peer exists
 */
void sss_peer_register_ops(const struct sss_peer_ops *ops)
{
	peer_ops = ops;
}

/**
 * sss_peer_table_init() - make the empty peer table of a new host
 * @host: host nobody else sees yet
 *
 * Return: 0 or -ENOMEM. Context: process.
 */
int sss_peer_table_init(struct sss_host *host)
{
	return rhashtable_init(&host->peers, &table_params);
}

/**
 * sss_peer_table_free() - free the empty peer table
 * @host: new and unseen, or dead for longer than an RCU grace period
 *
 * Context: process, sleeps.
 */
void sss_peer_table_free(struct sss_host *host)
{
	rhashtable_destroy(&host->peers);
}

static void free_peer(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct sss_peer, rcu));
}

static void release_peer(struct kref *ref)
{
	struct sss_peer *peer = container_of(ref, struct sss_peer, ref);

	pr_debug("Peer %u destroyed\n", peer->id);
	sss_gauge_dec(peer->host->sn, PEERS);
	/* Who still sees the peer by RCU may look at its host: freed by RCU too. */
	sss_host_put(peer->host);
	call_rcu(&peer->rcu, free_peer);
}

/**
 * sss_peer_get() - take a reference to a peer found under RCU
 * @peer: peer
 *
 * Return: false if it is going already. Context: any.
 */
bool sss_peer_get(struct sss_peer *peer)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held() && !kref_read(&peer->ref),
			 "peer taken without RCU or a reference");
	return kref_get_unless_zero(&peer->ref);
}

/**
 * sss_peer_put() - give a reference back
 * @peer: peer, or NULL
 *
 * Context: any; the memory goes by RCU.
 */
void sss_peer_put(struct sss_peer *peer)
{
	if (peer)
		kref_put(&peer->ref, release_peer);
}

/**
 * sss_peer_lookup() - find a peer by its EID
 * @host: reference held
 * @eid: remote key
 *
 * Return: the peer with a reference, or NULL. Context: any.
 */
struct sss_peer *sss_peer_lookup(struct sss_host *host, const struct sss_eid *eid)
{
	struct sss_peer *peer = NULL;

	rcu_read_lock();
	/* The table goes a grace period after the host died. */
	if (!READ_ONCE(host->dead)) {
		peer = rhashtable_lookup(&host->peers, eid, table_params);
		if (peer && !sss_peer_get(peer))
			peer = NULL;
	}
	rcu_read_unlock();
	return peer;
}

static struct sss_peer *alloc_peer(struct sss_host *host, const struct sss_eid *eid,
				   const u8 *psk)
{
	struct sss_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL_ACCOUNT);
	int i;

	if (!peer)
		return ERR_PTR(-ENOMEM);
	if (sss_noise_set_remote(&peer->remote, &host->identity, eid->key, psk)) {
		kfree_sensitive(peer);
		return ERR_PTR(-EINVAL);
	}
	kref_init(&peer->ref);
	peer->host = host;
	peer->eid = *eid;
	spin_lock_init(&peer->lock);
	spin_lock_init(&peer->channel_lock);
	for (i = 0; i < SSS_PEER_ENDPOINTS_MAX; i++)
		sss_cookie_path_init(&peer->endpoints[i].cookie);
	sss_cookie_derive(&peer->cookie_keys, eid->key);
	return peer;
}

static bool is_configured(const struct sss_peer *peer)
{
	return READ_ONCE(peer->flags) & SSS_PEER_F_CONFIGURED;
}

/*
 * A learnt peer costs its maker nothing, so there is a limit; see design 3. Each
 * has a channel, and as many again may have one that is just ending.
 */
static bool reserve_learnt(struct sss_net *sn)
{
	if (atomic_inc_return(&sn->learnt_peers) <= 2 * READ_ONCE(sn->limits.max_channels))
		return true;
	atomic_dec(&sn->learnt_peers);
	return false;
}

static int __insert(struct sss_peer *peer)
{
	struct sss_host *host = peer->host;
	int err = -ENOKEY;

	lockdep_assert_held(&host->peers_mutex);
	spin_lock_bh(&host->peers_lock);
	if (!host->dead) {
		__sss_access_find_debt(peer);
		err = rhashtable_insert_fast(&host->peers, &peer->node, table_params);
	}
	if (!err) {
		peer->id = atomic_inc_return(&host->sn->next_peer_id);
		kref_get(&host->ref);
		sss_gauge_inc(host->sn, PEERS);
		pr_debug("Peer %u created\n", peer->id);
		list_add_tail_rcu(&peer->list, &host->peer_list);
	}
	spin_unlock_bh(&host->peers_lock);
	return err;
}

/* Makes a peer and puts it into the table; returns it with a reference. */
static struct sss_peer *__create_peer(struct sss_host *host, const struct sss_eid *eid,
				      const struct sss_peer_config *config)
{
	struct sss_net *sn = host->sn;
	struct sss_peer *peer;
	int err;

	lockdep_assert_held(&host->peers_mutex);
	if (!config && !reserve_learnt(sn))
		return ERR_PTR(-ENOBUFS);
	peer = alloc_peer(host, eid, config && config->set & SSS_PEER_SET_PSK ?
			  config->psk : NULL);
	err = PTR_ERR_OR_ZERO(peer);
	if (!err) {
		peer->flags = config ? SSS_PEER_F_CONFIGURED : 0;
		kref_get(&peer->ref);
		err = __insert(peer);
		if (err)
			kfree_sensitive(peer);
	}
	if (err) {
		if (!config)
			atomic_dec(&sn->learnt_peers);
		return ERR_PTR(err);
	}
	sss_netns_event(sn, SSS_EVENT_PEER_NEW, sss_host_eid(host), eid);
	return peer;
}

/* False if the peer left the table before. */
static bool promote(struct sss_peer *peer)
{
	struct sss_host *host = peer->host;
	bool alive;

	spin_lock_bh(&host->peers_lock);
	alive = !peer->dead;
	if (alive) {
		WRITE_ONCE(peer->flags, peer->flags | SSS_PEER_F_CONFIGURED);
		atomic_dec(&host->sn->learnt_peers);
	}
	spin_unlock_bh(&host->peers_lock);
	return alive;
}

static void apply(struct sss_peer *peer, const struct sss_peer_config *config)
{
	unsigned int i;

	spin_lock_bh(&peer->lock);
	if (config->set & SSS_PEER_SET_PSK)
		memcpy(peer->remote.psk, config->psk, sizeof(peer->remote.psk));
	if (config->set & SSS_PEER_SET_ENDPOINTS) {
		for (i = 0; i < config->n_endpoints; i++) {
			__sss_peer_set_endpoint(peer, i, &config->endpoints[i]);
			peer->endpoints[i].configured = true;
		}
		peer->n_endpoints = config->n_endpoints;
	}
	spin_unlock_bh(&peer->lock);
}

static struct sss_peer *__configure_new(struct sss_host *host, const struct sss_eid *eid,
					const struct sss_peer_config *config,
					struct netlink_ext_ack *extack)
{
	struct sss_peer *peer = sss_peer_lookup(host, eid);

	lockdep_assert_held(&host->peers_mutex);
	if (peer && is_configured(peer)) {
		NL_SET_ERR_MSG(extack, "This host has this peer");
		sss_peer_put(peer);
		return ERR_PTR(-EEXIST);
	}
	if (peer && promote(peer))
		return peer;
	sss_peer_put(peer);
	return __create_peer(host, eid, config);
}

static struct sss_peer *find_configured(struct sss_host *host, const struct sss_eid *eid,
					struct netlink_ext_ack *extack)
{
	struct sss_peer *peer = sss_peer_lookup(host, eid);

	if (peer && is_configured(peer))
		return peer;
	NL_SET_ERR_MSG(extack, "This host has no such peer");
	sss_peer_put(peer);
	return ERR_PTR(-ENOENT);
}

static int check_eid(const struct sss_host *host, const struct sss_eid *eid,
		     struct netlink_ext_ack *extack)
{
	if (!sss_eid_is_valid(eid->key)) {
		NL_SET_ERR_MSG(extack, "Not a valid EID");
		return -EINVAL;
	}
	if (!memcmp(eid->key, host->identity.eid, SSS_EID_LEN)) {
		NL_SET_ERR_MSG(extack, "A host cannot be its own peer");
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/**
 * sss_peer_configure() - make a peer, or change one
 * @host: reference held
 * @eid: remote key
 * @config: checked by the caller, endpoints by sss_udp_endpoint_check()
 * @create: make it (a peer that was only learnt becomes a configured one);
 *	otherwise it must be a configured one
 * @extack: gets a text for errors a user can cure
 *
 * A new PSK counts from the next handshake on. Endpoints replace all there
 * were.
 *
 * Return: the peer with a reference, or ERR_PTR: -EINVAL (EID), -EADDRNOTAVAIL
 * (the host's own), -EEXIST, -ENOENT, -ENOKEY (host is going), -ENOMEM; then
 * nothing has changed. Context: process, sleeps.
 */
struct sss_peer *sss_peer_configure(struct sss_host *host, const struct sss_eid *eid,
				    const struct sss_peer_config *config, bool create,
				    struct netlink_ext_ack *extack)
{
	struct sss_peer *peer;
	int err;

	err = check_eid(host, eid, extack);
	if (err)
		return ERR_PTR(err);
	mutex_lock(&host->peers_mutex);
	if (create)
		peer = __configure_new(host, eid, config, extack);
	else
		peer = find_configured(host, eid, extack);
	if (!IS_ERR(peer))
		apply(peer, config);
	mutex_unlock(&host->peers_mutex);
	return peer;
}

/**
 * sss_peer_get_or_create() - find a peer, or learn it
 * @host: reference held
 * @eid: remote key, proved by a handshake
 *
 * A peer made here was not configured: it has no endpoints and no PSK, and
 * goes with its channel (sss_peer_release_learnt()), of which there are at most
 * limits.max_channels in a namespace.
 *
 * Return: the peer with a reference, or ERR_PTR: -EINVAL, -EADDRNOTAVAIL (own
 * EID), -ENOBUFS (too many), -ENOKEY (host is going), -ENOMEM. Context: process,
 * sleeps, does Diffie-Hellman.
 */
struct sss_peer *sss_peer_get_or_create(struct sss_host *host, const struct sss_eid *eid)
{
	struct sss_peer *peer = sss_peer_lookup(host, eid);
	int err;

	if (peer)
		return peer;
	err = check_eid(host, eid, NULL);
	if (err)
		return ERR_PTR(err);
	mutex_lock(&host->peers_mutex);
	peer = sss_peer_lookup(host, eid);
	if (!peer)
		peer = __create_peer(host, eid, NULL);
	mutex_unlock(&host->peers_mutex);
	return peer;
}

/*
 * Takes the peer out of the table; with @learnt_only only if nobody configured
 * it and it has no channel. True for the one caller that did it, who has to
 * put the table's reference.
 */
static bool unpublish(struct sss_peer *peer, bool learnt_only)
{
	struct sss_host *host = peer->host;
	bool first;

	spin_lock_bh(&host->peers_lock);
	spin_lock(&peer->channel_lock);
	first = !peer->dead;
	if (learnt_only)
		first = first && !is_configured(peer) &&
			!rcu_access_pointer(peer->channel);
	if (first)
		WRITE_ONCE(peer->dead, true);
	spin_unlock(&peer->channel_lock);
	if (first) {
		__sss_access_keep_debt(peer);
		list_del_rcu(&peer->list);
		rhashtable_remove_fast(&host->peers, &peer->node, table_params);
		if (!is_configured(peer))
			atomic_dec(&host->sn->learnt_peers);
	}
	spin_unlock_bh(&host->peers_lock);
	if (first)
		sss_netns_event(host->sn, SSS_EVENT_PEER_DEL, sss_host_eid(host), &peer->eid);
	return first;
}

/**
 * sss_peer_del() - end a peer with its channel and handshakes
 * @peer: reference held by the caller, who keeps it
 *
 * Harmless if somebody else deleted it. Context: process, sleeps.
 */
void sss_peer_del(struct sss_peer *peer)
{
	if (!unpublish(peer, false))
		return;
	peer_ops->stop(peer);
	sss_peer_put(peer);
}

static struct sss_peer *get_first(struct sss_host *host)
{
	struct sss_peer *peer;

	spin_lock_bh(&host->peers_lock);
	peer = list_first_entry_or_null(&host->peer_list, struct sss_peer, list);
	if (peer)
		kref_get(&peer->ref);
	spin_unlock_bh(&host->peers_lock);
	return peer;
}

/**
 * sss_peer_del_all() - end every peer of a host
 * @host: dead, so that no peer comes after the last
 *
 * Context: process, sleeps.
 */
void sss_peer_del_all(struct sss_host *host)
{
	struct sss_peer *peer;

	while ((peer = get_first(host))) {
		sss_peer_del(peer);
		sss_peer_put(peer);
	}
}

/**
 * sss_peer_release_learnt() - a channel has ended: forget a peer known only by it
 * @peer: reference held; its @channel is NULL unless another has come
 *
 * Nothing happens to a configured peer or to one that has a channel.
 *
 * Context: any but hard interrupts; neither of the peer's locks held.
 */
void sss_peer_release_learnt(struct sss_peer *peer)
{
	if (unpublish(peer, true))
		sss_peer_put(peer);
}

/**
 * sss_peer_copy_remote() - what a handshake needs of the peer, as it is now
 * @peer: reference held
 * @out: constant copy; the caller wipes it
 *
 * Context: any but hard interrupts.
 */
void sss_peer_copy_remote(struct sss_peer *peer, struct sss_noise_remote *out)
{
	spin_lock_bh(&peer->lock);
	*out = peer->remote;
	spin_unlock_bh(&peer->lock);
}
