// SPDX-License-Identifier: GPL-2.0
/* HOST_NEW, HOST_DEL, HOST_SET, HOST_GET */
#include <linux/capability.h>
#include <linux/rculist.h>
#include <net/sock.h>
#include "base/netns.h"
#include "peer/host.h"
#include "netlink.h"

#define HOST_FLAGS_ALL (SSS_HOST_F_DEFAULT | SSS_HOST_F_STEALTH | SSS_HOST_F_HIDE_SERVICES)

#define NAME_POLICY	{ .type = NLA_NUL_STRING, .len = SSS_HOST_NAME_MAX }
#define EID_POLICY	NLA_POLICY_EXACT_LEN(SSS_EID_LEN)
#define SETTINGS_POLICY							\
	[SSS_A_HOST_PORT] = { .type = NLA_U16 },			\
	[SSS_A_HOST_FLAGS] = NLA_POLICY_MASK(NLA_U32, HOST_FLAGS_ALL),	\
	[SSS_A_HOST_FLAGS_MASK] = NLA_POLICY_MASK(NLA_U32, HOST_FLAGS_ALL), \
	[SSS_A_HOST_UID] = { .type = NLA_U32 },				\
	[SSS_A_HOST_GID] = { .type = NLA_U32 },				\
	[SSS_A_HOST_MODE] = NLA_POLICY_MASK(NLA_U32, 0666),		\
	[SSS_A_HOST_PADDING] = NLA_POLICY_MAX(NLA_U32, SSS_PADDING_FULL),	\
	[SSS_A_HOST_ACCESS] = NLA_POLICY_MAX(NLA_U32, SSS_ACCESS_RULES), \
	[SSS_A_MAX_STREAMS] = { .type = NLA_U32 },			\
	[SSS_A_STREAM_RATE] = { .type = NLA_U32 }

/* What is not listed is refused: the policy is also the list of attributes. */
const struct nla_policy sss_netlink_host_new_policy[SSS_A_MAX + 1] = {
	[SSS_A_HOST_NAME] = NAME_POLICY,
	[SSS_A_HOST_PRIVATE_KEY] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN),
	SETTINGS_POLICY,
};

const struct nla_policy sss_netlink_host_set_policy[SSS_A_MAX + 1] = {
	[SSS_A_HOST_NAME] = NAME_POLICY,
	[SSS_A_HOST_EID] = EID_POLICY,
	SETTINGS_POLICY,
};

const struct nla_policy sss_netlink_host_del_policy[SSS_A_MAX + 1] = {
	[SSS_A_HOST_NAME] = NAME_POLICY,
	[SSS_A_HOST_EID] = EID_POLICY,
};

const struct nla_policy sss_netlink_host_get_policy[SSS_A_MAX + 1] = {
	[SSS_A_HOST_NAME] = NAME_POLICY,
	[SSS_A_HOST_EID] = EID_POLICY,
	[SSS_A_HOST_WANT_KEY] = { .type = NLA_FLAG },
};

/**
 * sss_netlink_find_host() - the host that a request names
 * @net: namespace
 * @attrs: attributes: by SSS_A_HOST_NAME, SSS_A_HOST_EID or both; without
 *	either the default host
 * @extack: gets a text
 *
 * Return: the host with a reference, or ERR_PTR(-ENOENT).
 */
struct sss_host *sss_netlink_find_host(struct net *net, struct nlattr **attrs,
				       struct netlink_ext_ack *extack)
{
	const struct nlattr *name = attrs[SSS_A_HOST_NAME];
	const struct nlattr *eid = attrs[SSS_A_HOST_EID];
	struct sss_net *sn = sss_netns(net);
	struct sss_host *host;

	if (name)
		host = sss_host_get_by_name(sn, nla_data(name));
	else if (eid)
		host = sss_host_get_by_eid(sn, nla_data(eid));
	else
		host = sss_host_get_default(sn);
	if (host && name && eid && memcmp(host->identity.eid, nla_data(eid), SSS_EID_LEN)) {
		sss_host_put(host);
		NL_SET_ERR_MSG_ATTR(extack, eid, "Name and EID are of different hosts");
		return ERR_PTR(-ENOENT);
	}
	if (host)
		return host;
	if (name || eid)
		NL_SET_ERR_MSG_ATTR(extack, name ?: eid, "No such host");
	else
		NL_SET_ERR_MSG(extack, "No host is named and there is no default one");
	return ERR_PTR(-ENOENT);
}

static int parse_owner(const struct genl_info *info, struct user_namespace *user_ns,
		       struct sss_host_config *config)
{
	const struct nlattr *uid = info->attrs[SSS_A_HOST_UID];
	const struct nlattr *gid = info->attrs[SSS_A_HOST_GID];

	if (uid) {
		config->uid = make_kuid(user_ns, nla_get_u32(uid));
		config->set |= SSS_HOST_SET_UID;
		if (!uid_valid(config->uid)) {
			NL_SET_ERR_MSG_ATTR(info->extack, uid, "No such user id here");
			return -EINVAL;
		}
	}
	if (gid) {
		config->gid = make_kgid(user_ns, nla_get_u32(gid));
		config->set |= SSS_HOST_SET_GID;
		if (!gid_valid(config->gid)) {
			NL_SET_ERR_MSG_ATTR(info->extack, gid, "No such group id here");
			return -EINVAL;
		}
	}
	return 0;
}

static void parse_access(struct nlattr *const *attrs, struct sss_host_config *config)
{
	if (attrs[SSS_A_HOST_ACCESS]) {
		config->access = nla_get_u32(attrs[SSS_A_HOST_ACCESS]);
		config->set |= SSS_HOST_SET_ACCESS;
	}
	if (attrs[SSS_A_MAX_STREAMS]) {
		config->max_streams = nla_get_u32(attrs[SSS_A_MAX_STREAMS]);
		config->set |= SSS_HOST_SET_STREAMS;
	}
	if (attrs[SSS_A_STREAM_RATE]) {
		config->stream_rate = nla_get_u32(attrs[SSS_A_STREAM_RATE]);
		config->set |= SSS_HOST_SET_RATE;
	}
}

/* What HOST_NEW and HOST_SET have in common */
static int parse_settings(struct sk_buff *skb, const struct genl_info *info,
			  struct sss_host_config *config)
{
	struct nlattr **attrs = info->attrs;

	if (attrs[SSS_A_HOST_PORT]) {
		config->port = nla_get_u16(attrs[SSS_A_HOST_PORT]);
		config->set |= SSS_HOST_SET_PORT;
	}
	if (attrs[SSS_A_HOST_FLAGS]) {
		config->flags = nla_get_u32(attrs[SSS_A_HOST_FLAGS]);
		config->flags_mask = config->flags;
		config->set |= SSS_HOST_SET_FLAGS;
	}
	if (attrs[SSS_A_HOST_FLAGS_MASK]) {
		config->flags_mask = nla_get_u32(attrs[SSS_A_HOST_FLAGS_MASK]);
		config->set |= SSS_HOST_SET_FLAGS;
	}
	if (config->flags & ~config->flags_mask) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[SSS_A_HOST_FLAGS],
				    "A flag is set that is not in the mask");
		return -EINVAL;
	}
	if (attrs[SSS_A_HOST_MODE]) {
		config->mode = nla_get_u32(attrs[SSS_A_HOST_MODE]);
		config->set |= SSS_HOST_SET_MODE;
	}
	if (attrs[SSS_A_HOST_PADDING]) {
		config->padding = nla_get_u32(attrs[SSS_A_HOST_PADDING]);
		config->set |= SSS_HOST_SET_PADDING;
	}
	parse_access(attrs, config);
	return parse_owner(info, sk_user_ns(NETLINK_CB(skb).sk), config);
}

static int parse_new(struct sk_buff *skb, const struct genl_info *info,
		     struct sss_host_config *config)
{
	const struct nlattr *name = info->attrs[SSS_A_HOST_NAME];
	const struct nlattr *key = info->attrs[SSS_A_HOST_PRIVATE_KEY];
	int err;

	if (!name) {
		NL_SET_ERR_MSG(info->extack, "A new host needs a name");
		return -EINVAL;
	}
	err = sss_netlink_check_name(name, info->extack);
	if (err)
		return err;
	nla_strscpy(config->name, name, sizeof(config->name));
	if (key) {
		memcpy(config->private, nla_data(key), sizeof(config->private));
		config->set |= SSS_HOST_SET_KEY;
		if (!memchr_inv(config->private, 0, sizeof(config->private))) {
			NL_SET_ERR_MSG_ATTR(info->extack, key, "The private key is all zero");
			return -EINVAL;
		}
	}
	return parse_settings(skb, info, config);
}

/**
 * sss_netlink_host_new() - SSS_CMD_HOST_NEW
 * @skb: request; its key is wiped
 * @info: attributes
 *
 * Return: 0 or a negative errno with a text; nothing has changed then.
 */
int sss_netlink_host_new(struct sk_buff *skb, struct genl_info *info)
{
	struct sss_host_config config = { };
	struct sss_host *host;
	int err;

	err = parse_new(skb, info, &config);
	if (!err) {
		host = sss_host_add(sss_netns(genl_info_net(info)), &config, info->extack);
		if (IS_ERR(host))
			err = PTR_ERR(host);
		else
			sss_host_put(host);
	}
	memzero_explicit(config.private, sizeof(config.private));
	sss_netlink_wipe(info->attrs[SSS_A_HOST_PRIVATE_KEY]);
	return err;
}

static struct sss_host *find_named_host(struct genl_info *info)
{
	if (!info->attrs[SSS_A_HOST_NAME] && !info->attrs[SSS_A_HOST_EID]) {
		NL_SET_ERR_MSG(info->extack, "Which host? Give its name or its EID");
		return ERR_PTR(-EINVAL);
	}
	return sss_netlink_find_host(genl_info_net(info), info->attrs, info->extack);
}

/**
 * sss_netlink_host_del() - SSS_CMD_HOST_DEL
 * @skb: request
 * @info: attributes
 *
 * Return: 0, -EINVAL, -ENOENT.
 */
int sss_netlink_host_del(struct sk_buff *skb, struct genl_info *info)
{
	struct sss_host *host = find_named_host(info);

	if (IS_ERR(host))
		return PTR_ERR(host);
	sss_host_del(host);
	sss_host_put(host);
	return 0;
}

/**
 * sss_netlink_host_set() - SSS_CMD_HOST_SET
 * @skb: request
 * @info: attributes
 *
 * Return: 0 or a negative errno with a text; nothing has changed then.
 */
int sss_netlink_host_set(struct sk_buff *skb, struct genl_info *info)
{
	struct sss_host_config config = { };
	struct sss_host *host;
	int err;

	err = parse_settings(skb, info, &config);
	if (err)
		return err;
	host = find_named_host(info);
	if (IS_ERR(host))
		return PTR_ERR(host);
	err = sss_host_set(host, &config, info->extack);
	sss_host_put(host);
	return err;
}

/**
 * sss_netlink_put_host_name() - say which host a message is about
 * @skb: message
 * @host: host
 *
 * Return: 0 or -EMSGSIZE.
 */
int sss_netlink_put_host_name(struct sk_buff *skb, const struct sss_host *host)
{
	if (nla_put_string(skb, SSS_A_HOST_NAME, host->name) ||
	    nla_put(skb, SSS_A_HOST_EID, SSS_EID_LEN, host->identity.eid))
		return -EMSGSIZE;
	return 0;
}

static int fill(struct sk_buff *skb, const struct sss_host *host, struct user_namespace *user_ns,
		u32 portid, u32 seq, int flags, bool with_key)
{
	void *header = genlmsg_put(skb, portid, seq, &sss_netlink_family, flags,
				   SSS_CMD_HOST_GET);

	if (!header)
		return -EMSGSIZE;
	if (sss_netlink_put_host_name(skb, host) ||
	    nla_put_u32(skb, SSS_A_HOST_ID, host->id) ||
	    nla_put_u16(skb, SSS_A_HOST_PORT, READ_ONCE(host->port)) ||
	    nla_put_u32(skb, SSS_A_HOST_FLAGS, READ_ONCE(host->flags)) ||
	    nla_put_u32(skb, SSS_A_HOST_UID, from_kuid_munged(user_ns, READ_ONCE(host->uid))) ||
	    nla_put_u32(skb, SSS_A_HOST_GID, from_kgid_munged(user_ns, READ_ONCE(host->gid))) ||
	    nla_put_u32(skb, SSS_A_HOST_MODE, READ_ONCE(host->mode)) ||
	    nla_put_u32(skb, SSS_A_HOST_PADDING, READ_ONCE(host->padding)) ||
	    nla_put_u32(skb, SSS_A_HOST_ACCESS, READ_ONCE(host->access)) ||
	    nla_put_u32(skb, SSS_A_MAX_STREAMS, READ_ONCE(host->max_streams)) ||
	    nla_put_u32(skb, SSS_A_STREAM_RATE, READ_ONCE(host->stream_rate)) ||
	    (with_key && nla_put(skb, SSS_A_HOST_PRIVATE_KEY, SSS_EID_LEN,
				 host->identity.private))) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/**
 * sss_netlink_host_get() - SSS_CMD_HOST_GET of one host
 * @skb: request
 * @info: attributes
 *
 * Return: 0, -ENOENT, -EPERM (the key without CAP_NET_ADMIN), -ENOMEM.
 */
int sss_netlink_host_get(struct sk_buff *skb, struct genl_info *info)
{
	bool with_key = info->attrs[SSS_A_HOST_WANT_KEY];
	struct net *net = genl_info_net(info);
	struct sss_host *host;
	struct sk_buff *reply;
	int err;

	if (with_key && !netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[SSS_A_HOST_WANT_KEY],
				    "The private key is for CAP_NET_ADMIN only");
		return -EPERM;
	}
	host = sss_netlink_find_host(net, info->attrs, info->extack);
	if (IS_ERR(host))
		return PTR_ERR(host);
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	err = -ENOMEM;
	if (reply)
		err = fill(reply, host, sk_user_ns(NETLINK_CB(skb).sk), info->snd_portid,
			   info->snd_seq, 0, with_key);
	sss_host_put(host);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return genlmsg_reply(reply, info);
}

/**
 * sss_netlink_host_dump() - SSS_CMD_HOST_GET of all hosts
 * @skb: to fill
 * @cb: where it goes on
 *
 * Return: bytes filled; 0: that was all; -EINVAL: it takes no attributes.
 */
int sss_netlink_host_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct user_namespace *user_ns = sk_user_ns(NETLINK_CB(cb->skb).sk);
	struct sss_net *sn = sss_netns(sock_net(skb->sk));
	struct nlattr **attrs = sss_netlink_dump_attrs(cb);
	struct sss_host *host;

	if (attrs[SSS_A_HOST_NAME] || attrs[SSS_A_HOST_EID] || attrs[SSS_A_HOST_WANT_KEY]) {
		NL_SET_ERR_MSG(cb->extack, "A dump of hosts takes no attributes");
		return -EINVAL;
	}
	rcu_read_lock();
	list_for_each_entry_rcu(host, &sn->hosts, node) {
		if (host->id <= cb->args[0])
			continue;
		if (fill(skb, host, user_ns, NETLINK_CB(cb->skb).portid,
			 cb->nlh->nlmsg_seq, NLM_F_MULTI, false))
			break;
		cb->args[0] = host->id;
	}
	rcu_read_unlock();
	return skb->len;
}
