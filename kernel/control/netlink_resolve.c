// SPDX-License-Identifier: GPL-2.0
/* RESOLVE: questions to the group "resolve", and what helpers answer */
#include "base/compat.h"
#include "base/netns.h"
#include "channel/resolve.h"
#include "peer/host.h"
#include "peer/peer.h"
#include "netlink.h"

#define ERRNO_MOST	511	/* those behind it are the kernel's own */

static const struct nla_policy relays_policy[SSS_A_RELAY + 1] = {
	[SSS_A_RELAY] = NLA_POLICY_EXACT_LEN(sizeof(struct sss_relay)),
};

const struct nla_policy sss_netlink_resolve_policy[SSS_A_MAX + 1] = {
	[SSS_A_HOST_NAME] = { .type = NLA_NUL_STRING, .len = SSS_HOST_NAME_MAX },
	[SSS_A_HOST_EID] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN),
	[SSS_A_PEER_EID] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN),
	[SSS_A_ENDPOINTS] = NLA_POLICY_NESTED(sss_netlink_endpoints_policy),
	[SSS_A_RELAYS] = NLA_POLICY_NESTED(relays_policy),
	[SSS_A_ERROR] = NLA_POLICY_RANGE(NLA_U32, 1, ERRNO_MOST),
};

/* The kernel knows that for all namespaces together only. */
static bool may_listen(struct sss_net *sn)
{
	return genl_has_listeners(&sss_netlink_family, sn->net, SSS_MCGRP_RESOLVE);
}

/*
 * Where there is no memory, or no room, the question is lost, and sent again later; no
 * room with a helper without NETLINK_BROADCAST_ERROR looks as if nobody were there.
 */
static bool ask(struct sss_net *sn, const struct sss_eid *local, const struct sss_eid *remote)
{
	struct sk_buff *skb;
	void *header;

	if (!may_listen(sn))
		return false;
	skb = genlmsg_new(2 * nla_total_size(SSS_EID_LEN) +
			  nla_total_size(SSS_HOST_NAME_MAX + 1), GFP_ATOMIC);
	if (!skb)
		return true;
	header = genlmsg_put(skb, 0, 0, &sss_netlink_family, 0, SSS_CMD_RESOLVE);
	if (!header || sss_netlink_put_pair(skb, sn, local, remote)) {
		nlmsg_free(skb);
		return true;
	}
	genlmsg_end(skb, header);
	return genlmsg_multicast_netns(&sss_netlink_family, sn->net, skb, 0, SSS_MCGRP_RESOLVE,
				       GFP_ATOMIC) != -ESRCH;
}

/* How questions leave: for sss_netns_set_ask_ops() */
const struct sss_ask_ops sss_netlink_ask_ops = {
	.may_listen = may_listen,
	.ask = ask,
};

/* The relay's address as an endpoint, and the session with it */
static int parse_relay(struct genl_info *info, const struct nlattr *attr,
		       union sss_endpoint *ep)
{
	const struct sss_relay *relay = nla_data(attr);
	sa_family_t family;
	size_t len;
	int err;

	memcpy(&family, relay->address, sizeof(family));
	len = family == AF_INET ? sizeof(ep->in) : sizeof(ep->in6);
	if (memchr_inv(relay->address + len, 0, sizeof(relay->address) - len) ||
	    relay->reserved || !get_unaligned(&relay->session)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "A relay has an address, then zeros, and a session");
		return -EINVAL;
	}
	err = sss_netlink_parse_endpoint(info, attr, relay->address, len, ep);
	if (!err)
		ep->via.session = get_unaligned(&relay->session);
	return err;
}

static int parse_relays(struct genl_info *info, struct sss_peer_config *config)
{
	const struct nlattr *nest = info->attrs[SSS_A_RELAYS];
	union sss_endpoint ep;
	struct nlattr *attr;
	int err, rem;

	nla_for_each_nested(attr, nest, rem) {
		err = parse_relay(info, attr, &ep) ?:
		      sss_netlink_add_endpoint(info, attr, &ep, config);
		if (err)
			return err;
	}
	return 0;
}

static int answer(struct sss_host *host, const struct sss_eid *eid, struct genl_info *info)
{
	struct sss_peer_config config = { };
	int err = 0;

	if (info->attrs[SSS_A_ENDPOINTS])
		err = sss_netlink_parse_endpoints(info, &config);
	if (!err && info->attrs[SSS_A_RELAYS])
		err = parse_relays(info, &config);
	if (err)
		return err;
	if (!config.n_endpoints) {
		NL_SET_ERR_MSG(info->extack, "Say where it may be, or an error");
		return -EINVAL;
	}
	err = sss_resolve_answer(host, eid, config.endpoints, config.n_endpoints);
	if (err == -EADDRNOTAVAIL)
		NL_SET_ERR_MSG(info->extack, "A host cannot be its own peer");
	else if (err == -EACCES)
		NL_SET_ERR_MSG(info->extack, "Nobody wants this peer, and it is not admitted");
	return err;
}

/**
 * sss_netlink_resolve() - SSS_CMD_RESOLVE, an answer
 * @skb: request
 * @info: attributes
 *
 * Return: 0; -EINVAL, -E2BIG, -EADDRNOTAVAIL, -EAFNOSUPPORT: not as it has to be;
 * -ENOENT: no such host; or as sss_resolve_answer().
 */
int sss_netlink_resolve(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *error = info->attrs[SSS_A_ERROR];
	const struct sss_eid *eid = sss_netlink_get_eid(info);
	struct sss_host *host;
	int err = 0;

	if (!eid)
		return -EINVAL;
	if (!error == !(info->attrs[SSS_A_ENDPOINTS] || info->attrs[SSS_A_RELAYS])) {
		NL_SET_ERR_MSG(info->extack, "Either endpoints, or relays, or an error");
		return -EINVAL;
	}
	host = sss_netlink_find_host(genl_info_net(info), info->attrs, info->extack);
	if (IS_ERR(host))
		return PTR_ERR(host);
	if (error)
		sss_resolve_refuse(host, eid, -(int)nla_get_u32(error));
	else
		err = answer(host, eid, info);
	sss_host_put(host);
	return err;
}
