// SPDX-License-Identifier: GPL-2.0
/* SERVICE_GET and STATS_GET */
#include <linux/rculist.h>
#include <net/sock.h>
#include "base/netns.h"
#include "peer/host.h"
#include "peer/service.h"
#include "stream/stream.h"
#include "wire/frame.h"
#include "netlink.h"

/**
 * sss_netlink_socket_type() - kind of a stream as programs know it
 * @kind: SSS_KIND_*
 *
 * Return: SOCK_STREAM or SOCK_DGRAM.
 */
u32 sss_netlink_socket_type(u8 kind)
{
	return kind == SSS_KIND_DATAGRAM ? SOCK_DGRAM : SOCK_STREAM;
}

/* Under RCU */
static u32 queued(const struct sock *sk)
{
	const struct sss_listener *listener = rcu_dereference_sk_user_data(sk);

	return listener ? sss_listener_queued(listener) : 0;
}

static int put_service(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct sss_service *entry)
{
	struct user_namespace *user_ns = sk_user_ns(NETLINK_CB(cb->skb).sk);
	const struct sock *sk = entry->sk;

	if (entry->host && sss_netlink_put_host_name(skb, entry->host))
		return -EMSGSIZE;
	if (nla_put_string(skb, SSS_A_SERVICE, entry->service) ||
	    nla_put_string(skb, SSS_A_PROTOCOL, entry->protocol) ||
	    nla_put_u32(skb, SSS_A_KIND, sss_netlink_socket_type(entry->kind)) ||
	    nla_put_u32(skb, SSS_A_UID, from_kuid_munged(user_ns, entry->cred->euid)) ||
	    nla_put_u32(skb, SSS_A_QUEUED, queued(sk)) ||
	    nla_put_u32(skb, SSS_A_BACKLOG, READ_ONCE(sk->sk_max_ack_backlog)))
		return -EMSGSIZE;
	if (*entry->service_desc &&
	    nla_put_string(skb, SSS_A_SERVICE_DESC, entry->service_desc))
		return -EMSGSIZE;
	if (*entry->protocol_desc &&
	    nla_put_string(skb, SSS_A_PROTOCOL_DESC, entry->protocol_desc))
		return -EMSGSIZE;
	return 0;
}

static int fill_service(struct sk_buff *skb, struct netlink_callback *cb,
			const struct sss_service *entry)
{
	void *header = sss_netlink_start(skb, cb, SSS_CMD_SERVICE_GET);

	if (!header)
		return -EMSGSIZE;
	return sss_netlink_finish(skb, header, put_service(skb, cb, entry));
}

/**
 * sss_netlink_service_dump() - SSS_CMD_SERVICE_GET
 * @skb: to fill
 * @cb: args[0] is the id of the last service that is out
 *
 * Return: bytes filled; 0: that was all.
 */
int sss_netlink_service_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct sss_net *sn = sss_netns(sock_net(skb->sk));
	struct sss_service *entry;

	rcu_read_lock();
	list_for_each_entry_rcu(entry, &sn->services, node) {
		if (entry->id <= cb->args[0])
			continue;
		if (fill_service(skb, cb, entry))
			break;
		cb->args[0] = entry->id;
	}
	rcu_read_unlock();
	return skb->len;
}

static int put_stat(struct sk_buff *skb, const char *name, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, SSS_A_STAT);

	if (!nest || nla_put_string(skb, SSS_A_STAT_NAME, name) ||
	    sss_netlink_put_u64(skb, SSS_A_STAT_VALUE, value))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_stats(struct sk_buff *skb, const struct sss_net *sn)
{
	struct nlattr *nest = nla_nest_start(skb, SSS_A_STATS);
	int id;

	if (!nest)
		return -EMSGSIZE;
	for (id = 0; id < SSS_MIB_COUNT; id++)
		if (put_stat(skb, sss_mib_name(id), sss_mib_sum(sn, id)))
			return -EMSGSIZE;
	for (id = 0; id < SSS_GAUGE_COUNT; id++)
		if (put_stat(skb, sss_mib_gauge_name(id), atomic_long_read(&sn->gauge[id])))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * sss_netlink_stats_get() - SSS_CMD_STATS_GET
 * @skb: request
 * @info: no attributes
 *
 * Return: 0, -ENOMEM.
 */
int sss_netlink_stats_get(struct sk_buff *skb, struct genl_info *info)
{
	/* A nest, a name of at most 24 bytes, a number */
	const size_t each = nla_total_size(nla_total_size(24) + nla_total_size(8));
	struct sk_buff *reply;
	void *header;

	reply = genlmsg_new(nla_total_size((SSS_MIB_COUNT + SSS_GAUGE_COUNT) * each),
			    GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	header = genlmsg_put_reply(reply, info, &sss_netlink_family, 0, SSS_CMD_STATS_GET);
	if (!header || put_stats(reply, sss_netns(genl_info_net(info)))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);
}
