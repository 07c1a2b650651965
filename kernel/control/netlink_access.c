// SPDX-License-Identifier: GPL-2.0
/* ACCESS_NEW, ACCESS_DEL, ACCESS_SET, ACCESS_GET */
#include <linux/rculist.h>
#include <net/sock.h>
#include "base/netns.h"
#include "peer/access.h"
#include "peer/host.h"
#include "wire/name.h"
#include "netlink.h"

#define RULE_POLICY							\
	[SSS_A_HOST_NAME] = { .type = NLA_NUL_STRING, .len = SSS_HOST_NAME_MAX }, \
	[SSS_A_HOST_EID] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN),		\
	[SSS_A_PEER_EID] = NLA_POLICY_EXACT_LEN(SSS_EID_LEN),		\
	[SSS_A_SERVICE] = { .type = NLA_NUL_STRING, .len = SSS_NAME_MAX }

const struct nla_policy sss_netlink_access_new_policy[SSS_A_MAX + 1] = {
	RULE_POLICY,
	[SSS_A_MAX_STREAMS] = { .type = NLA_U32 },
	[SSS_A_STREAM_RATE] = { .type = NLA_U32 },
	[SSS_A_ACCESS_DENY] = { .type = NLA_FLAG },
};

const struct nla_policy sss_netlink_access_del_policy[SSS_A_MAX + 1] = {
	RULE_POLICY,
};

static int parse_service(struct genl_info *info, struct sss_access_rule *rule)
{
	const struct nlattr *attr = info->attrs[SSS_A_SERVICE];
	size_t len;

	if (!attr)
		return 0;
	len = strnlen(nla_data(attr), nla_len(attr));
	if (len + 1 != nla_len(attr) || !sss_name_is_valid(nla_data(attr), len)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "A service has 1 to 45 bytes of UTF-8");
		return -EINVAL;
	}
	memcpy(rule->service, nla_data(attr), len);
	return 0;
}

static int parse_limits(struct genl_info *info, struct sss_access_rule *rule)
{
	const struct nlattr *most = info->attrs[SSS_A_MAX_STREAMS];
	const struct nlattr *rate = info->attrs[SSS_A_STREAM_RATE];

	rule->deny = info->attrs[SSS_A_ACCESS_DENY];
	if (rule->deny && (most || rate)) {
		NL_SET_ERR_MSG_ATTR(info->extack, most ?: rate,
				    "Who is not admitted has no streams");
		return -EINVAL;
	}
	if (most) {
		rule->max_streams = nla_get_u32(most);
		rule->set |= SSS_ACCESS_SET_STREAMS;
	}
	if (rate) {
		rule->stream_rate = nla_get_u32(rate);
		rule->set |= SSS_ACCESS_SET_RATE;
	}
	return 0;
}

static int parse(struct genl_info *info, struct sss_access_rule *rule)
{
	const struct nlattr *eid = info->attrs[SSS_A_PEER_EID];
	int err;

	if (eid) {
		memcpy(&rule->eid, nla_data(eid), sizeof(rule->eid));
		if (!sss_eid_is_valid(rule->eid.key)) {
			NL_SET_ERR_MSG_ATTR(info->extack, eid, "This is no EID");
			return -EINVAL;
		}
	}
	err = parse_limits(info, rule);
	return err ?: parse_service(info, rule);
}

static int change(struct genl_info *info, int cmd)
{
	struct sss_access_rule rule = { };
	struct sss_host *host;
	int err;

	err = parse(info, &rule);
	if (err)
		return err;
	host = sss_netlink_find_host(genl_info_net(info), info->attrs, info->extack);
	if (IS_ERR(host))
		return PTR_ERR(host);
	if (cmd == SSS_CMD_ACCESS_DEL)
		err = sss_access_del(host, &rule, info->extack);
	else
		err = sss_access_add(host, &rule, cmd == SSS_CMD_ACCESS_SET, info->extack);
	sss_host_put(host);
	return err;
}

/**
 * sss_netlink_access_new() - SSS_CMD_ACCESS_NEW
 * @skb: request
 * @info: attributes
 *
 * Return: 0 or a negative errno with a text; nothing has changed then.
 */
int sss_netlink_access_new(struct sk_buff *skb, struct genl_info *info)
{
	return change(info, SSS_CMD_ACCESS_NEW);
}

/**
 * sss_netlink_access_set() - SSS_CMD_ACCESS_SET
 * @skb: request
 * @info: attributes
 *
 * Return: 0 or a negative errno with a text; nothing has changed then.
 */
int sss_netlink_access_set(struct sk_buff *skb, struct genl_info *info)
{
	return change(info, SSS_CMD_ACCESS_SET);
}

/**
 * sss_netlink_access_del() - SSS_CMD_ACCESS_DEL
 * @skb: request
 * @info: attributes
 *
 * Return: 0 or a negative errno with a text; nothing has changed then.
 */
int sss_netlink_access_del(struct sk_buff *skb, struct genl_info *info)
{
	return change(info, SSS_CMD_ACCESS_DEL);
}

static int put_rule(struct sk_buff *skb, const struct sss_host *host,
		    const struct sss_access_rule *rule)
{
	if (sss_netlink_put_host_name(skb, host))
		return -EMSGSIZE;
	if (memchr_inv(&rule->eid, 0, sizeof(rule->eid)) &&
	    nla_put(skb, SSS_A_PEER_EID, sizeof(rule->eid), &rule->eid))
		return -EMSGSIZE;
	if (*rule->service && nla_put_string(skb, SSS_A_SERVICE, rule->service))
		return -EMSGSIZE;
	if (rule->set & SSS_ACCESS_SET_STREAMS &&
	    nla_put_u32(skb, SSS_A_MAX_STREAMS, rule->max_streams))
		return -EMSGSIZE;
	if (rule->set & SSS_ACCESS_SET_RATE &&
	    nla_put_u32(skb, SSS_A_STREAM_RATE, rule->stream_rate))
		return -EMSGSIZE;
	if (rule->deny && nla_put_flag(skb, SSS_A_ACCESS_DENY))
		return -EMSGSIZE;
	return 0;
}

static int fill(struct sk_buff *skb, struct netlink_callback *cb, const struct sss_host *host,
		const struct sss_access_rule *rule)
{
	void *header = sss_netlink_start(skb, cb, SSS_CMD_ACCESS_GET);

	if (!header)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, header);
	return sss_netlink_finish(skb, header, put_rule(skb, host, rule));
}

/* Under RCU; an error: skb is full. */
static int fill_host(struct sk_buff *skb, struct netlink_callback *cb, const struct sss_host *host,
		     struct sss_netlink_walk *walk)
{
	const struct sss_access_rules *rules = rcu_dereference(host->rules);

	for (; rules && walk->inner < rules->n; walk->inner++)
		if (fill(skb, cb, host, &rules->rule[walk->inner]))
			return -EMSGSIZE;
	return 0;
}

/**
 * sss_netlink_access_dump() - SSS_CMD_ACCESS_GET
 * @skb: to fill
 * @cb: its ctx is a struct sss_netlink_walk; a rule that comes or goes meanwhile
 *	makes the dump say NLM_F_DUMP_INTR
 *
 * Return: bytes filled; 0: that was all; -EMSGSIZE.
 */
int sss_netlink_access_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct sss_netlink_walk *walk = (void *)cb->ctx;
	struct sss_net *sn = sss_netns(sock_net(skb->sk));
	struct sss_host *host;
	int err = 0;

	cb->seq = atomic_read(&sn->access_changes) | 1U << 31;
	rcu_read_lock();
	list_for_each_entry_rcu(host, &sn->hosts, node) {
		if (!sss_netlink_walk_enter(walk, host))
			continue;
		err = fill_host(skb, cb, host, walk);
		if (err)
			break;
	}
	rcu_read_unlock();
	return skb->len ?: err;
}
