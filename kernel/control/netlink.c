// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "sss". The contract is in uapi/linux/sss.h and
 * Documentation/netlink/specs/sss.yaml.
 *
 * Requests that change something run one at a time, under the mutex of
 * generic netlink; the floors below have their own locks nevertheless, since
 * namespaces die on another path.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include "base/compat.h"
#include "base/netns.h"
#include "net/endpoint.h"
#include "peer/host.h"
#include "control.h"
#include "netlink.h"

/* For commands that take no attribute: every one is refused. */
static const struct nla_policy no_policy[SSS_A_MAX + 1] = { };

static const struct genl_ops ops[] = {
	{
		.cmd = SSS_CMD_HOST_NEW,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_host_new_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_host_new,
	}, {
		.cmd = SSS_CMD_HOST_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_host_del_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_host_del,
	}, {
		.cmd = SSS_CMD_HOST_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_host_set_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_host_set,
	}, {
		.cmd = SSS_CMD_HOST_GET,
		.policy = sss_netlink_host_get_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_host_get,
		.dumpit = sss_netlink_host_dump,
	}, {
		.cmd = SSS_CMD_PEER_NEW,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_peer_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_peer_new,
	}, {
		.cmd = SSS_CMD_PEER_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_peer_del_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_peer_del,
	}, {
		.cmd = SSS_CMD_PEER_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_peer_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_peer_set,
	}, {
		.cmd = SSS_CMD_PEER_GET,
		.policy = sss_netlink_peer_get_policy,
		.maxattr = SSS_A_MAX,
		.start = sss_netlink_peer_start,
		.dumpit = sss_netlink_peer_dump,
	}, {
		.cmd = SSS_CMD_CHANNEL_GET,
		.policy = no_policy,
		.maxattr = SSS_A_MAX,
		.dumpit = sss_netlink_channel_dump,
	}, {
		.cmd = SSS_CMD_CHANNEL_REKEY,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_peer_del_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_channel_rekey,
	}, {
		.cmd = SSS_CMD_CHANNEL_CLOSE,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_peer_del_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_channel_close,
	}, {
		.cmd = SSS_CMD_SERVICE_GET,
		.policy = no_policy,
		.maxattr = SSS_A_MAX,
		.dumpit = sss_netlink_service_dump,
	}, {
		.cmd = SSS_CMD_STREAM_GET,
		.policy = no_policy,
		.maxattr = SSS_A_MAX,
		.dumpit = sss_netlink_stream_dump,
	}, {
		.cmd = SSS_CMD_STATS_GET,
		.policy = no_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_stats_get,
	}, {
		.cmd = SSS_CMD_RESOLVE,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_resolve_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_resolve,
	}, {
		.cmd = SSS_CMD_ACCESS_NEW,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_access_new_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_access_new,
	}, {
		.cmd = SSS_CMD_ACCESS_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_access_del_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_access_del,
	}, {
		.cmd = SSS_CMD_ACCESS_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = sss_netlink_access_new_policy,
		.maxattr = SSS_A_MAX,
		.doit = sss_netlink_access_set,
	}, {
		.cmd = SSS_CMD_ACCESS_GET,
		.policy = sss_netlink_peer_get_policy,
		.maxattr = SSS_A_MAX,
		.start = sss_netlink_peer_start,
		.dumpit = sss_netlink_access_dump,
	},
};

static const struct genl_multicast_group mcgrps[] = {
	[SSS_MCGRP_MONITOR] = {
		.name = SSS_GENL_MCGRP_MONITOR,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[SSS_MCGRP_RESOLVE] = {
		.name = SSS_GENL_MCGRP_RESOLVE,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family sss_netlink_family __ro_after_init = {
	.name = SSS_GENL_NAME,
	.version = SSS_GENL_VERSION,
	.maxattr = SSS_A_MAX,
	.policy = no_policy,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = mcgrps,
	.n_mcgrps = ARRAY_SIZE(mcgrps),
};

/**
 * sss_netlink_dump_attrs() - what a dump request said
 * @cb: dump
 *
 * Return: attributes by type, as validated. Context: start and dumpit.
 */
struct nlattr **sss_netlink_dump_attrs(struct netlink_callback *cb)
{
#ifdef SSS_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/**
 * sss_netlink_wipe() - a request carried a secret: leave no copy in its skb
 * @attr: attribute in the request, or NULL
 */
void sss_netlink_wipe(const struct nlattr *attr)
{
	if (attr)
		memzero_explicit(nla_data(attr), nla_len(attr));
}

/**
 * sss_netlink_check_name() - may a host be called that?
 * @attr: SSS_A_HOST_NAME, of an NLA_NUL_STRING policy
 * @extack: gets a text
 *
 * Return: 0 or -EINVAL: empty, a NUL inside, control characters, blanks or a
 * slash.
 */
int sss_netlink_check_name(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *name = nla_data(attr);
	const char *c;

	if (!*name) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "The host name is empty");
		return -EINVAL;
	}
	if (strlen(name) + 1 != nla_len(attr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "The host name has a NUL inside");
		return -EINVAL;
	}
	for (c = name; *c; c++) {
		if (iscntrl(*c) || isspace(*c) || *c == '/') {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "No control characters, blanks or slashes in host names");
			return -EINVAL;
		}
	}
	return 0;
}

static bool is_for_admin(const struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);

	return netlink_ns_capable(cb->skb, net->user_ns, CAP_NET_ADMIN);
}

/**
 * sss_netlink_put_endpoint() - add an SSS_A_ENDPOINT, or an SSS_A_RELAY
 * @skb: message
 * @cb: dump; who knows the session with a relay can take it over, so only
 *	who may make one sees it
 * @ep: address and port
 *
 * Return: 0 or -EMSGSIZE.
 */
int sss_netlink_put_endpoint(struct sk_buff *skb, const struct netlink_callback *cb,
			     const union sss_endpoint *ep)
{
	size_t len = ep->sa.sa_family == AF_INET ? sizeof(ep->in) : sizeof(ep->in6);
	struct sss_relay relay = {};

	if (!ep->via.session)
		return nla_put(skb, SSS_A_ENDPOINT, len, ep);
	memcpy(relay.address, ep, len);
	if (is_for_admin(cb))
		relay.session = ep->via.session;
	return nla_put(skb, SSS_A_RELAY, sizeof(relay), &relay);
}

/**
 * sss_netlink_start() - begin one message of a dump
 * @skb: to fill
 * @cb: dump
 * @cmd: enum sss_cmd
 *
 * Return: its header, NULL: @skb is full. sss_netlink_finish() follows.
 */
void *sss_netlink_start(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &sss_netlink_family, NLM_F_MULTI, cmd);
}

/**
 * sss_netlink_finish() - end it, or take it back
 * @skb: to fill
 * @header: of the message
 * @err: why it is not complete, or 0
 *
 * Return: @err.
 */
int sss_netlink_finish(struct sk_buff *skb, void *header, int err)
{
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err;
}

/**
 * sss_netlink_put_u64() - add a 64-bit number, not aligned
 * @skb: message
 * @type: attribute
 * @value: number
 *
 * As newer families do it: who reads copies it, and nobody has to skip padding.
 *
 * Return: 0 or -EMSGSIZE.
 */
int sss_netlink_put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put(skb, type, sizeof(value), &value);
}

/**
 * sss_netlink_put_pair() - say which host, and which peer, a message is about
 * @skb: message
 * @sn: namespace
 * @local: EID of the host; its name is added unless it is gone
 * @remote: EID of the peer, or NULL
 *
 * Return: 0 or -EMSGSIZE. Context: any.
 */
int sss_netlink_put_pair(struct sk_buff *skb, struct sss_net *sn, const struct sss_eid *local,
			 const struct sss_eid *remote)
{
	struct sss_host *host;
	int err;

	if (nla_put(skb, SSS_A_HOST_EID, sizeof(*local), local))
		return -EMSGSIZE;
	if (remote && nla_put(skb, SSS_A_PEER_EID, sizeof(*remote), remote))
		return -EMSGSIZE;
	host = sss_host_get_by_eid(sn, local);
	if (!host)
		return 0;
	err = nla_put_string(skb, SSS_A_HOST_NAME, host->name);
	sss_host_put(host);
	return err;
}

/**
 * sss_netlink_event() - send an event to the group "monitor"
 * @sn: namespace
 * @event: what happened
 * @local: EID of the host
 * @remote: EID of the peer, or NULL
 *
 * Context: any; where there is no memory the event is lost, as netlink's are.
 */
void sss_netlink_event(struct sss_net *sn, enum sss_event event,
		       const struct sss_eid *local, const struct sss_eid *remote)
{
	struct sk_buff *skb;
	void *header;

	if (!genl_has_listeners(&sss_netlink_family, sn->net, SSS_MCGRP_MONITOR))
		return;
	skb = genlmsg_new(nla_total_size(sizeof(u32)) + 2 * nla_total_size(SSS_EID_LEN) +
			  nla_total_size(SSS_HOST_NAME_MAX + 1), GFP_ATOMIC);
	if (!skb)
		return;
	header = genlmsg_put(skb, 0, 0, &sss_netlink_family, 0, SSS_CMD_EVENT);
	if (!header || nla_put_u32(skb, SSS_A_EVENT, event) ||
	    sss_netlink_put_pair(skb, sn, local, remote)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, header);
	genlmsg_multicast_netns(&sss_netlink_family, sn->net, skb, 0, SSS_MCGRP_MONITOR,
				GFP_ATOMIC);
}

/**
 * sss_netlink_init() - register the family and begin to send events and questions
 *
 * Return: 0 or a negative errno.
 */
int __init sss_netlink_init(void)
{
	int err = genl_register_family(&sss_netlink_family);

	if (err)
		return err;
	sss_netns_set_event_fn(sss_netlink_event);
	sss_netns_set_ask_ops(&sss_netlink_ask_ops);
	return 0;
}

/**
 * sss_netlink_exit() - no more events and questions, no more requests
 */
void sss_netlink_exit(void)
{
	sss_netns_set_ask_ops(NULL);
	sss_netns_set_event_fn(NULL);
	genl_unregister_family(&sss_netlink_family);
}
