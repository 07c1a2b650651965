// SPDX-License-Identifier: GPL-2.0
/* Hosts: made, changed, found and ended. See host.h for locks and references. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "net/udp.h"
#include "access.h"
#include "host.h"
#include "peer.h"

static const struct sss_host_ops *host_ops __read_mostly;

/**
 * sss_host_register_ops() - say who acts for hosts
 * @ops: the channel floor's; before the first host exists
 */
void sss_host_register_ops(const struct sss_host_ops *ops)
{
	host_ops = ops;
}

static void free_host(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct sss_host, rcu));
}

static void release_host(struct kref *ref)
{
	struct sss_host *host = container_of(ref, struct sss_host, ref);

	pr_debug("Host %u destroyed\n", host->id);
	sss_gauge_dec(host->sn, HOSTS);
	call_rcu(&host->rcu, free_host);
}

/**
 * sss_host_get() - take a reference to a host found under RCU
 * @host: host
 *
 * Return: false if it is going already. Context: any.
 */
bool sss_host_get(struct sss_host *host)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held() && !kref_read(&host->ref),
			 "host taken without RCU or a reference");
	return kref_get_unless_zero(&host->ref);
}

/**
 * sss_host_put() - give a reference back
 * @host: host, or NULL
 *
 * Context: any; the memory goes by RCU.
 */
void sss_host_put(struct sss_host *host)
{
	if (host)
		kref_put(&host->ref, release_host);
}

static int set_key(struct sss_host *host, const struct sss_host_config *config)
{
	u8 key[SSS_EID_LEN];
	int err;

	if (config->set & SSS_HOST_SET_KEY)
		return sss_noise_set_identity(&host->identity, config->private);
	sss_noise_generate_private(key);
	err = sss_noise_set_identity(&host->identity, key);
	memzero_explicit(key, sizeof(key));
	return err;
}

static struct sss_host *alloc_host(struct sss_net *sn, const struct sss_host_config *config,
				   struct netlink_ext_ack *extack)
{
	struct sss_host *host = kzalloc(sizeof(*host), GFP_KERNEL_ACCOUNT);
	int err;

	if (!host)
		return ERR_PTR(-ENOMEM);
	err = set_key(host, config);
	if (err) {
		NL_SET_ERR_MSG(extack, "This private key has no usable public key");
		kfree_sensitive(host);
		return ERR_PTR(err);
	}
	kref_init(&host->ref);
	host->sn = sn;
	strscpy(host->name, config->name, sizeof(host->name));
	host->port = config->set & SSS_HOST_SET_PORT ? config->port : SSS_DEFAULT_PORT;
	host->flags = config->flags & config->flags_mask & ~SSS_HOST_F_DEFAULT;
	host->uid = config->set & SSS_HOST_SET_UID ? config->uid : current_fsuid();
	host->gid = config->set & SSS_HOST_SET_GID ? config->gid : current_fsgid();
	host->mode = config->set & SSS_HOST_SET_MODE ? config->mode : 0666;
	host->padding = config->padding;
	host->access = config->access;
	host->max_streams = config->max_streams;
	host->stream_rate = config->stream_rate;
	ratelimit_state_init(&host->refusals, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	sss_cookie_checker_init(&host->cookie, host->identity.eid);
	INIT_LIST_HEAD(&host->peer_list);
	mutex_init(&host->peers_mutex);
	spin_lock_init(&host->peers_lock);
	return host;
}

static int __check_unique(struct sss_net *sn, const struct sss_host *new,
			  struct netlink_ext_ack *extack)
{
	struct sss_host *host;

	lockdep_assert_held(&sn->hosts_lock);
	list_for_each_entry(host, &sn->hosts, node) {
		if (!strcmp(host->name, new->name)) {
			NL_SET_ERR_MSG(extack, "A host of this name exists");
			return -EEXIST;
		}
		if (!memcmp(host->identity.eid, new->identity.eid, SSS_EID_LEN)) {
			NL_SET_ERR_MSG(extack, "A host with this key exists");
			return -EEXIST;
		}
	}
	return 0;
}

static void __set_default(struct sss_net *sn, struct sss_host *host)
{
	struct sss_host *old;

	lockdep_assert_held(&sn->hosts_lock);
	old = rcu_replace_pointer(sn->default_host, host, lockdep_is_held(&sn->hosts_lock));
	if (old)
		WRITE_ONCE(old->flags, old->flags & ~SSS_HOST_F_DEFAULT);
	if (host)
		WRITE_ONCE(host->flags, host->flags | SSS_HOST_F_DEFAULT);
}

static struct sss_udp *open_udp(struct sss_host *host, u16 port, struct netlink_ext_ack *extack)
{
	struct sss_udp *udp = sss_udp_open(host->sn, port, host_ops->net, host);

	if (IS_ERR(udp) && PTR_ERR(udp) == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "The UDP port is in use");
	return udp;
}

/* A host becomes the default if it says so, or says nothing and there is none. */
static bool wants_default(const struct sss_net *sn, const struct sss_host_config *config)
{
	if (config->flags_mask & SSS_HOST_F_DEFAULT)
		return config->flags & SSS_HOST_F_DEFAULT;
	return !rcu_access_pointer(sn->default_host);
}

static int __start_host(struct sss_host *host, const struct sss_host_config *config,
			struct netlink_ext_ack *extack)
{
	struct sss_net *sn = host->sn;
	struct sss_udp *udp;
	int err;

	lockdep_assert_held(&sn->hosts_lock);
	if (sn->dying)
		return -ENETDOWN;
	err = __check_unique(sn, host, extack);
	if (err)
		return err;
	err = sss_peer_table_init(host);
	if (err)
		return err;
	err = host_ops->create(host);
	if (err)
		goto free_table;
	udp = open_udp(host, host->port, extack);
	if (IS_ERR(udp)) {
		err = PTR_ERR(udp);
		goto destroy;
	}
	host->id = atomic_inc_return(&sn->next_host_id);
	host->port = sss_udp_port(udp);
	rcu_assign_pointer(host->udp, udp);
	sss_gauge_inc(sn, HOSTS);
	pr_debug("Host %u created\n", host->id);
	list_add_tail_rcu(&host->node, &sn->hosts);
	if (wants_default(sn, config))
		__set_default(sn, host);
	return 0;
destroy:
	host_ops->destroy(host);
free_table:
	sss_peer_table_free(host);
	return err;
}

/**
 * sss_host_add() - make a host and start listening on its UDP port
 * @sn: namespace
 * @config: checked for form by the caller; a missing key is made here
 * @extack: gets a text for errors a user can cure
 *
 * Either all of it happens or nothing.
 *
 * Return: the host with a reference for the caller, or ERR_PTR: -EINVAL (key
 * without a usable public key), -EEXIST (name or key), -EADDRINUSE (port),
 * -ENETDOWN (namespace is going), -ENOMEM. Context: process, sleeps.
 */
struct sss_host *sss_host_add(struct sss_net *sn, const struct sss_host_config *config,
			      struct netlink_ext_ack *extack)
{
	struct sss_host *host;
	int err;

	host = alloc_host(sn, config, extack);
	if (IS_ERR(host))
		return host;
	mutex_lock(&sn->hosts_lock);
	err = __start_host(host, config, extack);
	if (!err)
		kref_get(&host->ref);
	mutex_unlock(&sn->hosts_lock);
	if (err) {
		kfree_sensitive(host);
		return ERR_PTR(err);
	}
	sss_netns_event(sn, SSS_EVENT_HOST_NEW, sss_host_eid(host), NULL);
	return host;
}

/* Who may use it, from here and from afar */
static void __set_rights(struct sss_host *host, const struct sss_host_config *config)
{
	lockdep_assert_held(&host->sn->hosts_lock);
	if (config->set & SSS_HOST_SET_UID)
		WRITE_ONCE(host->uid, config->uid);
	if (config->set & SSS_HOST_SET_GID)
		WRITE_ONCE(host->gid, config->gid);
	if (config->set & SSS_HOST_SET_MODE)
		WRITE_ONCE(host->mode, config->mode);
	if (config->set & SSS_HOST_SET_ACCESS)
		WRITE_ONCE(host->access, config->access);
	if (config->set & SSS_HOST_SET_STREAMS)
		WRITE_ONCE(host->max_streams, config->max_streams);
	if (config->set & SSS_HOST_SET_RATE)
		WRITE_ONCE(host->stream_rate, config->stream_rate);
}

static int __change_host(struct sss_host *host, const struct sss_host_config *config,
			 struct sss_udp **old, struct netlink_ext_ack *extack)
{
	struct sss_net *sn = host->sn;
	u32 mask = config->flags_mask & ~SSS_HOST_F_DEFAULT;
	struct sss_udp *udp;

	lockdep_assert_held(&sn->hosts_lock);
	if (host->dead)
		return -ENOENT;
	if (config->set & SSS_HOST_SET_PORT && config->port != host->port) {
		udp = open_udp(host, config->port, extack);
		if (IS_ERR(udp))
			return PTR_ERR(udp);
		*old = rcu_replace_pointer(host->udp, udp, lockdep_is_held(&sn->hosts_lock));
		WRITE_ONCE(host->port, sss_udp_port(udp));
	}
	WRITE_ONCE(host->flags, (host->flags & ~mask) | (config->flags & mask));
	if (config->flags_mask & SSS_HOST_F_DEFAULT) {
		if (config->flags & SSS_HOST_F_DEFAULT)
			__set_default(sn, host);
		else if (rcu_access_pointer(sn->default_host) == host)
			__set_default(sn, NULL);
	}
	__set_rights(host, config);
	if (config->set & SSS_HOST_SET_PADDING)
		WRITE_ONCE(host->padding, config->padding);
	return 0;
}

/**
 * sss_host_set() - change a host while it works
 * @host: reference held
 * @config: what to change: all but key and name can be
 * @extack: gets a text for errors a user can cure
 *
 * On another port peers see the next packet come from there and follow. Mode
 * and owner count from the next connect() or listen() on, access and limits from
 * the next handshake and stream that a peer begins.
 *
 * Return: 0, -EADDRINUSE, -ENOENT (deleted meanwhile), -ENOMEM; on errors
 * nothing has changed. Context: process, sleeps.
 */
int sss_host_set(struct sss_host *host, const struct sss_host_config *config,
		 struct netlink_ext_ack *extack)
{
	struct sss_udp *old = NULL;
	int err;

	mutex_lock(&host->sn->hosts_lock);
	err = __change_host(host, config, &old, extack);
	mutex_unlock(&host->sn->hosts_lock);
	if (old)
		sss_udp_close(old);
	return err;
}

/* True for the one caller that shall end the host. */
static bool unpublish(struct sss_host *host)
{
	struct sss_net *sn = host->sn;
	bool first;

	mutex_lock(&sn->hosts_lock);
	first = !host->dead;
	if (first) {
		sss_netns_event(sn, SSS_EVENT_HOST_DEL, sss_host_eid(host), NULL);
		list_del_rcu(&host->node);
		if (rcu_access_pointer(sn->default_host) == host)
			RCU_INIT_POINTER(sn->default_host, NULL);
		/* No peer can be added after this. */
		spin_lock_bh(&host->peers_lock);
		WRITE_ONCE(host->dead, true);
		spin_unlock_bh(&host->peers_lock);
	}
	mutex_unlock(&sn->hosts_lock);
	return first;
}

static struct sss_udp *take_udp(struct sss_host *host)
{
	struct sss_net *sn = host->sn;
	struct sss_udp *udp;

	mutex_lock(&sn->hosts_lock);
	udp = rcu_replace_pointer(host->udp, NULL, lockdep_is_held(&sn->hosts_lock));
	mutex_unlock(&sn->hosts_lock);
	return udp;
}

/**
 * sss_host_del() - end a host, its peers and their channels
 * @host: reference held by the caller, who keeps it
 *
 * The order is what makes it safe: first nobody can find the host, then the
 * peers go while their channels can still say so, then no packet comes in any
 * more, then handshakes under way end, and the key is wiped when nothing is
 * left that could use it.
 *
 * Harmless if somebody else deleted it. Context: process, sleeps.
 */
void sss_host_del(struct sss_host *host)
{
	if (!unpublish(host))
		return;
	sss_peer_del_all(host);
	/* Whoever found a channel in a softirq, or in handshakes' work */
	synchronize_net();
	host_ops->settle(host);
	/* Waits for RCU: whoever found host, udp or peer table has finished. */
	sss_udp_close(take_udp(host));
	host_ops->stop(host);
	sss_peer_table_free(host);
	sss_access_free(host);
	host_ops->destroy(host);
	sss_cookie_checker_clear(&host->cookie);
	memzero_explicit(host->identity.private, sizeof(host->identity.private));
	sss_host_put(host);
}

/**
 * sss_host_del_all() - end every host of a namespace
 * @sn: namespace; with @dying set beforehand no new one comes
 *
 * Context: process, sleeps; pernet pre_exit.
 */
void sss_host_del_all(struct sss_net *sn)
{
	struct sss_host *host;

	for (;;) {
		mutex_lock(&sn->hosts_lock);
		host = list_first_entry_or_null(&sn->hosts, struct sss_host, node);
		if (host)
			kref_get(&host->ref);
		mutex_unlock(&sn->hosts_lock);
		if (!host)
			return;
		sss_host_del(host);
		sss_host_put(host);
	}
}

/**
 * sss_host_get_by_name() - find a host by its name
 * @sn: namespace
 * @name: NUL-terminated
 *
 * Return: the host with a reference, or NULL. Context: any.
 */
struct sss_host *sss_host_get_by_name(struct sss_net *sn, const char *name)
{
	struct sss_host *host, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(host, &sn->hosts, node) {
		if (!strcmp(host->name, name) && sss_host_get(host)) {
			found = host;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/**
 * sss_host_get_by_eid() - find a host by its public key
 * @sn: namespace
 * @eid: key
 *
 * Return: the host with a reference, or NULL. Context: any.
 */
struct sss_host *sss_host_get_by_eid(struct sss_net *sn, const struct sss_eid *eid)
{
	struct sss_host *host, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(host, &sn->hosts, node) {
		if (!memcmp(host->identity.eid, eid->key, SSS_EID_LEN) &&
		    sss_host_get(host)) {
			found = host;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/**
 * sss_host_get_default() - the host that a zero EID stands for in connect()
 * @sn: namespace
 *
 * Return: the host with a reference, or NULL. Context: any.
 */
struct sss_host *sss_host_get_default(struct sss_net *sn)
{
	struct sss_host *host;

	rcu_read_lock();
	host = rcu_dereference(sn->default_host);
	if (host && !sss_host_get(host))
		host = NULL;
	rcu_read_unlock();
	return host;
}

static bool in_group(const struct cred *cred, kgid_t gid)
{
	const struct group_info *info = cred->group_info;
	int i;

	if (gid_eq(cred->fsgid, gid))
		return true;
	for (i = 0; i < info->ngroups; i++)
		if (gid_eq(info->gid[i], gid))
			return true;
	return false;
}

/**
 * sss_host_admits() - do owner, group and mode let these credentials in?
 * @host: host
 * @cred: whose
 * @mask: MAY_READ: connect as it; MAY_WRITE: listen on it; or both
 *
 * As for a file: owner, else group, else the others' bits. Capabilities are
 * sss_host_may()'s.
 *
 * Context: any.
 */
bool sss_host_admits(const struct sss_host *host, const struct cred *cred, int mask)
{
	umode_t mode = READ_ONCE(host->mode);

	if (uid_eq(cred->fsuid, READ_ONCE(host->uid)))
		mode >>= 6;
	else if (in_group(cred, READ_ONCE(host->gid)))
		mode >>= 3;
	return (mode & mask) == mask;
}

/**
 * sss_host_may() - may the current task use a host?
 * @host: host
 * @mask: MAY_READ: connect as it; MAY_WRITE: listen on it; or both
 *
 * CAP_NET_ADMIN in the namespace's user namespace may everything.
 *
 * Return: 0 or -EACCES. Context: process.
 */
int sss_host_may(const struct sss_host *host, int mask)
{
	if (sss_host_admits(host, current_cred(), mask) ||
	    ns_capable(host->sn->net->user_ns, CAP_NET_ADMIN))
		return 0;
	return -EACCES;
}
