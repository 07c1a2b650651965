// SPDX-License-Identifier: GPL-2.0
/* PEER_NEW, PEER_DEL, PEER_SET, PEER_GET, and the walk over all peers */
#include <linux/rculist.h>
#include "base/netns.h"
#include "net/udp.h"
#include "peer/host.h"
#include "peer/peer.h"
#include "netlink.h"

#define HOST_POLICY							\
	[SSS_A_HOST_NAME] = { .type = NLA_NUL_STRING, .len = SSS_HOST_NAME_MAX }, \
	[SSS_A_HOST_EID] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN)

const struct nla_policy sss_netlink_endpoints_policy[SSS_A_ENDPOINT + 1] = {
	[SSS_A_ENDPOINT] = { .type = NLA_BINARY },	/* sss_endpoint_parse() */
};

const struct nla_policy sss_netlink_peer_policy[SSS_A_MAX + 1] = {
	HOST_POLICY,
	[SSS_A_PEER_EID] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN),
	[SSS_A_PEER_PSK] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN),
	[SSS_A_ENDPOINTS] = NLA_POLICY_NESTED(sss_netlink_endpoints_policy),
};

const struct nla_policy sss_netlink_peer_del_policy[SSS_A_MAX + 1] = {
	HOST_POLICY,
	[SSS_A_PEER_EID] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN),
};

const struct nla_policy sss_netlink_peer_get_policy[SSS_A_MAX + 1] = {
	HOST_POLICY,
};

/**
 * sss_netlink_get_eid() - the peer that a request is about
 * @info: attributes
 *
 * Return: its EID in the request; NULL: it names none, and there is a text.
 */
const struct sss_eid *sss_netlink_get_eid(struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[SSS_A_PEER_EID];

	if (attr)
		return nla_data(attr);
	NL_SET_ERR_MSG(info->extack, "Which peer? Give its EID");
	return NULL;
}

/**
 * sss_netlink_parse_endpoint() - read an address of a request, and judge it
 * @info: gets a text
 * @attr: for that
 * @addr: struct sockaddr_in or sockaddr_in6
 * @len: bytes of it
 * @ep: result
 *
 * Return: 0; -EINVAL, -EAFNOSUPPORT, -EADDRNOTAVAIL with a text.
 */
int sss_netlink_parse_endpoint(struct genl_info *info, const struct nlattr *attr,
			       const void *addr, size_t len, union sss_endpoint *ep)
{
	struct net *net = genl_info_net(info);
	bool loopback = READ_ONCE(sss_netns(net)->limits.allow_loopback);
	int err;

	err = sss_endpoint_parse(ep, addr, len);
	if (err == -EAFNOSUPPORT) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "An endpoint is IPv4 or IPv6");
		return err;
	}
	if (err) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "An endpoint is a whole sockaddr_in or sockaddr_in6");
		return err;
	}
	err = sss_udp_endpoint_check(net, ep, loopback);
	if (err == -EADDRNOTAVAIL)
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "A loopback endpoint needs sysctl net.sss.allow_loopback=1");
	else if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "No unspecified, multicast, broadcast or unscoped link-local address, no port 0");
	return err;
}

/**
 * sss_netlink_add_endpoint() - one more of the endpoints that a request names
 * @info: gets a text
 * @attr: for that
 * @ep: checked
 * @config: gets it
 *
 * Return: 0; -E2BIG: eight at most; -EINVAL: it is there already.
 */
int sss_netlink_add_endpoint(struct genl_info *info, const struct nlattr *attr,
			     const union sss_endpoint *ep, struct sss_peer_config *config)
{
	unsigned int i;

	if (config->n_endpoints == SSS_PEER_ENDPOINTS_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "More than 8 endpoints");
		return -E2BIG;
	}
	for (i = 0; i < config->n_endpoints; i++) {
		if (sss_endpoint_equal(&config->endpoints[i], ep)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "The same endpoint twice");
			return -EINVAL;
		}
	}
	config->endpoints[config->n_endpoints++] = *ep;
	return 0;
}

/**
 * sss_netlink_parse_endpoints() - read the endpoints of a request
 * @info: attributes, with SSS_A_ENDPOINTS
 * @config: gets them, checked, none twice
 *
 * Return: 0; -E2BIG; -EINVAL, -EAFNOSUPPORT, -EADDRNOTAVAIL with a text.
 */
int sss_netlink_parse_endpoints(struct genl_info *info, struct sss_peer_config *config)
{
	const struct nlattr *nest = info->attrs[SSS_A_ENDPOINTS];
	union sss_endpoint ep;
	struct nlattr *attr;
	int err, rem;

	nla_for_each_nested(attr, nest, rem) {
		err = sss_netlink_parse_endpoint(info, attr, nla_data(attr), nla_len(attr), &ep) ?:
		      sss_netlink_add_endpoint(info, attr, &ep, config);
		if (err)
			return err;
	}
	config->set |= SSS_PEER_SET_ENDPOINTS;
	return 0;
}

static int parse(struct genl_info *info, struct sss_peer_config *config)
{
	const struct nlattr *psk = info->attrs[SSS_A_PEER_PSK];

	if (psk) {
		memcpy(config->psk, nla_data(psk), sizeof(config->psk));
		config->set |= SSS_PEER_SET_PSK;
	}
	return info->attrs[SSS_A_ENDPOINTS] ? sss_netlink_parse_endpoints(info, config) : 0;
}

static int configure(struct genl_info *info, bool create)
{
	const struct sss_eid *eid = sss_netlink_get_eid(info);
	struct sss_peer_config config = { };
	struct sss_host *host;
	struct sss_peer *peer;
	int err = -EINVAL;

	if (!eid)
		goto out;
	err = parse(info, &config);
	if (err)
		goto out;
	host = sss_netlink_find_host(genl_info_net(info), info->attrs, info->extack);
	if (IS_ERR(host)) {
		err = PTR_ERR(host);
		goto out;
	}
	peer = sss_peer_configure(host, eid, &config, create, info->extack);
	if (IS_ERR(peer))
		err = PTR_ERR(peer);
	else
		sss_peer_put(peer);
	sss_host_put(host);
out:
	memzero_explicit(config.psk, sizeof(config.psk));
	sss_netlink_wipe(info->attrs[SSS_A_PEER_PSK]);
	return err;
}

/**
 * sss_netlink_peer_new() - SSS_CMD_PEER_NEW
 * @skb: request; its PSK is wiped
 * @info: attributes
 *
 * Return: 0 or a negative errno with a text; nothing has changed then.
 */
int sss_netlink_peer_new(struct sk_buff *skb, struct genl_info *info)
{
	return configure(info, true);
}

/**
 * sss_netlink_peer_set() - SSS_CMD_PEER_SET
 * @skb: request; its PSK is wiped
 * @info: attributes
 *
 * Return: 0 or a negative errno with a text; nothing has changed then.
 */
int sss_netlink_peer_set(struct sk_buff *skb, struct genl_info *info)
{
	return configure(info, false);
}

/**
 * sss_netlink_find_peer() - the peer that a request names
 * @info: attributes: SSS_A_PEER_EID, and the host as for sss_netlink_find_host()
 *
 * Return: the peer with a reference, or ERR_PTR(-EINVAL), ERR_PTR(-ENOENT) with
 * a text.
 */
struct sss_peer *sss_netlink_find_peer(struct genl_info *info)
{
	const struct sss_eid *eid = sss_netlink_get_eid(info);
	struct sss_host *host;
	struct sss_peer *peer;

	if (!eid)
		return ERR_PTR(-EINVAL);
	host = sss_netlink_find_host(genl_info_net(info), info->attrs, info->extack);
	if (IS_ERR(host))
		return ERR_CAST(host);
	peer = sss_peer_lookup(host, eid);
	sss_host_put(host);
	if (peer)
		return peer;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[SSS_A_PEER_EID],
			    "This host has no such peer");
	return ERR_PTR(-ENOENT);
}

/**
 * sss_netlink_peer_del() - SSS_CMD_PEER_DEL
 * @skb: request
 * @info: attributes
 *
 * A peer that was only learnt can be deleted, too: its channel ends.
 *
 * Return: 0, -EINVAL, -ENOENT.
 */
int sss_netlink_peer_del(struct sk_buff *skb, struct genl_info *info)
{
	struct sss_peer *peer = sss_netlink_find_peer(info);

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	sss_peer_del(peer);
	sss_peer_put(peer);
	return 0;
}

/**
 * sss_netlink_put_peer_name() - say which peer of which host a message is about
 * @skb: message
 * @peer: peer
 *
 * Return: 0 or -EMSGSIZE.
 */
int sss_netlink_put_peer_name(struct sk_buff *skb, const struct sss_peer *peer)
{
	if (sss_netlink_put_host_name(skb, peer->host) ||
	    nla_put(skb, SSS_A_PEER_EID, sizeof(peer->eid), &peer->eid))
		return -EMSGSIZE;
	return 0;
}

static int walk_host(struct sk_buff *skb, struct netlink_callback *cb, struct sss_host *host,
		     struct sss_netlink_walk *walk, sss_netlink_fill_fn fill)
{
	struct sss_peer *peer;
	int err;

	list_for_each_entry_rcu(peer, &host->peer_list, list) {
		if (peer->id <= walk->peer)
			continue;
		err = fill(skb, cb, peer, walk);
		if (err)
			return err;
		walk->peer = peer->id;
		walk->inner = 0;
	}
	return 0;
}

/**
 * sss_netlink_walk_enter() - is it this host's turn in a dump?
 * @walk: goes on to it if so, unless it has been there before
 * @host: the next one in the list
 *
 * Return: whether there is something to show.
 */
bool sss_netlink_walk_enter(struct sss_netlink_walk *walk, const struct sss_host *host)
{
	if (host->id < walk->host || (walk->only_host && host->id != walk->only_host))
		return false;
	if (host->id > walk->host) {
		walk->host = host->id;
		walk->peer = 0;
		walk->inner = 0;
	}
	return true;
}

/**
 * sss_netlink_walk_peers() - dump something of every peer of every host
 * @skb: to fill
 * @cb: its ctx is a struct sss_netlink_walk
 * @fill: adds what there is of one peer
 *
 * Both lists are in order of ids that are never reused, so that a dump goes on
 * at the right place whatever came and went meanwhile.
 *
 * Return: bytes filled; 0: that was all; -EMSGSIZE.
 */
int sss_netlink_walk_peers(struct sk_buff *skb, struct netlink_callback *cb,
			   sss_netlink_fill_fn fill)
{
	struct sss_netlink_walk *walk = (void *)cb->ctx;
	struct sss_net *sn = sss_netns(sock_net(skb->sk));
	struct sss_host *host;
	int err = 0;

	BUILD_BUG_ON(sizeof(*walk) > sizeof(cb->ctx));
	rcu_read_lock();
	list_for_each_entry_rcu(host, &sn->hosts, node) {
		if (!sss_netlink_walk_enter(walk, host))
			continue;
		err = walk_host(skb, cb, host, walk, fill);
		if (err)
			break;
	}
	rcu_read_unlock();
	return skb->len ?: err;
}

/**
 * sss_netlink_peer_start() - SSS_CMD_PEER_GET begins
 * @cb: dump
 *
 * Return: 0, -ENOENT (no such host).
 */
int sss_netlink_peer_start(struct netlink_callback *cb)
{
	struct sss_netlink_walk *walk = (void *)cb->ctx;
	struct nlattr **attrs = sss_netlink_dump_attrs(cb);
	struct sss_host *host;

	if (!attrs[SSS_A_HOST_NAME] && !attrs[SSS_A_HOST_EID])
		return 0;
	host = sss_netlink_find_host(sock_net(cb->skb->sk), attrs, cb->extack);
	if (IS_ERR(host))
		return PTR_ERR(host);
	walk->only_host = host->id;
	sss_host_put(host);
	return 0;
}

/* Those behind relays, or the others, in a nest of their own, unless there is none */
static int put_some(struct sk_buff *skb, const struct netlink_callback *cb,
		    const union sss_endpoint *ep, unsigned int n, bool relayed)
{
	struct nlattr *nest = NULL;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!ep[i].via.session == relayed)
			continue;
		if (!nest)
			nest = nla_nest_start(skb, relayed ? SSS_A_RELAYS : SSS_A_ENDPOINTS);
		if (!nest || sss_netlink_put_endpoint(skb, cb, &ep[i]))
			return -EMSGSIZE;
	}
	if (nest)
		nla_nest_end(skb, nest);
	return 0;
}

static int put_endpoints(struct sk_buff *skb, const struct netlink_callback *cb,
			 struct sss_peer *peer)
{
	union sss_endpoint endpoints[SSS_PEER_ENDPOINTS_MAX];
	unsigned int n = sss_peer_copy_endpoints(peer, endpoints);

	return put_some(skb, cb, endpoints, n, false) ?: put_some(skb, cb, endpoints, n, true);
}

static int put_peer(struct sk_buff *skb, const struct netlink_callback *cb, struct sss_peer *peer)
{
	if (sss_netlink_put_peer_name(skb, peer) ||
	    nla_put_u32(skb, SSS_A_PEER_ID, peer->id) ||
	    nla_put_u32(skb, SSS_A_PEER_FLAGS, READ_ONCE(peer->flags)))
		return -EMSGSIZE;
	return put_endpoints(skb, cb, peer);
}

static int fill(struct sk_buff *skb, struct netlink_callback *cb, struct sss_peer *peer,
		struct sss_netlink_walk *walk)
{
	void *header = sss_netlink_start(skb, cb, SSS_CMD_PEER_GET);

	if (!header)
		return -EMSGSIZE;
	return sss_netlink_finish(skb, header, put_peer(skb, cb, peer));
}

/**
 * sss_netlink_peer_dump() - SSS_CMD_PEER_GET
 * @skb: to fill
 * @cb: where it goes on
 *
 * Return: bytes filled; 0: that was all.
 */
int sss_netlink_peer_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return sss_netlink_walk_peers(skb, cb, fill);
}
