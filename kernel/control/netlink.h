/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the netlink files: netlink.c has the family, netlink_host.c,
 * netlink_peer.c and netlink_access.c change and show hosts, peers and rules,
 * netlink_resolve.c asks where peers are, netlink_dump.c shows what else there is.
 * Every request goes parse -> validate -> apply.
 */
#ifndef _SSS_CONTROL_NETLINK_H
#define _SSS_CONTROL_NETLINK_H

#include <net/genetlink.h>
#include <linux/sss.h>

struct sss_ask_ops;
struct sss_host;
struct sss_net;
struct sss_peer;
struct sss_peer_config;
union sss_endpoint;

extern struct genl_family sss_netlink_family;

enum sss_mcgrp { SSS_MCGRP_MONITOR, SSS_MCGRP_RESOLVE };

int sss_netlink_init(void);
void sss_netlink_exit(void);
void sss_netlink_event(struct sss_net *sn, enum sss_event event,
		       const struct sss_eid *local, const struct sss_eid *remote);
struct nlattr **sss_netlink_dump_attrs(struct netlink_callback *cb);
void sss_netlink_wipe(const struct nlattr *attr);
int sss_netlink_put_endpoint(struct sk_buff *skb, const struct netlink_callback *cb,
			     const union sss_endpoint *ep);
int sss_netlink_put_pair(struct sk_buff *skb, struct sss_net *sn, const struct sss_eid *local,
			 const struct sss_eid *remote);
void *sss_netlink_start(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);
int sss_netlink_finish(struct sk_buff *skb, void *header, int err);
int sss_netlink_put_u64(struct sk_buff *skb, int type, u64 value);
int sss_netlink_check_name(const struct nlattr *attr, struct netlink_ext_ack *extack);

/* netlink_host.c */
extern const struct nla_policy sss_netlink_host_new_policy[SSS_A_MAX + 1];
extern const struct nla_policy sss_netlink_host_del_policy[SSS_A_MAX + 1];
extern const struct nla_policy sss_netlink_host_set_policy[SSS_A_MAX + 1];
extern const struct nla_policy sss_netlink_host_get_policy[SSS_A_MAX + 1];
struct sss_host *sss_netlink_find_host(struct net *net, struct nlattr **attrs,
				       struct netlink_ext_ack *extack);
int sss_netlink_put_host_name(struct sk_buff *skb, const struct sss_host *host);
int sss_netlink_host_new(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_host_del(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_host_set(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_host_get(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_host_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* netlink_peer.c */
extern const struct nla_policy sss_netlink_peer_policy[SSS_A_MAX + 1];
extern const struct nla_policy sss_netlink_peer_del_policy[SSS_A_MAX + 1];
extern const struct nla_policy sss_netlink_peer_get_policy[SSS_A_MAX + 1];
extern const struct nla_policy sss_netlink_endpoints_policy[SSS_A_ENDPOINT + 1];
const struct sss_eid *sss_netlink_get_eid(struct genl_info *info);
int sss_netlink_parse_endpoint(struct genl_info *info, const struct nlattr *attr,
			       const void *addr, size_t len, union sss_endpoint *ep);
int sss_netlink_add_endpoint(struct genl_info *info, const struct nlattr *attr,
			     const union sss_endpoint *ep, struct sss_peer_config *config);
int sss_netlink_parse_endpoints(struct genl_info *info, struct sss_peer_config *config);
struct sss_peer *sss_netlink_find_peer(struct genl_info *info);
int sss_netlink_peer_new(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_peer_del(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_peer_set(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_peer_start(struct netlink_callback *cb);
int sss_netlink_peer_dump(struct sk_buff *skb, struct netlink_callback *cb);

/**
 * struct sss_netlink_walk - where a dump over hosts and peers goes on
 * @only_host: id of the only host wanted, 0: all
 * @host: id of the host at work
 * @peer: id of the last peer of it that is out
 * @inner: where @fill is within a peer; it sets 0 when it has finished one
 */
struct sss_netlink_walk {
	u32 only_host;
	u32 host;
	u32 peer;
	u32 pad;
	u64 inner;
};

/* Under RCU. Returns 0: go on with the next peer, or an error: skb is full. */
typedef int (*sss_netlink_fill_fn)(struct sk_buff *skb, struct netlink_callback *cb,
				   struct sss_peer *peer, struct sss_netlink_walk *walk);
bool sss_netlink_walk_enter(struct sss_netlink_walk *walk, const struct sss_host *host);
int sss_netlink_walk_peers(struct sk_buff *skb, struct netlink_callback *cb,
			   sss_netlink_fill_fn fill);
int sss_netlink_put_peer_name(struct sk_buff *skb, const struct sss_peer *peer);

/* netlink_resolve.c */
extern const struct nla_policy sss_netlink_resolve_policy[SSS_A_MAX + 1];
extern const struct sss_ask_ops sss_netlink_ask_ops;
int sss_netlink_resolve(struct sk_buff *skb, struct genl_info *info);

/* netlink_access.c */
extern const struct nla_policy sss_netlink_access_new_policy[SSS_A_MAX + 1];
extern const struct nla_policy sss_netlink_access_del_policy[SSS_A_MAX + 1];
int sss_netlink_access_new(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_access_del(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_access_set(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_access_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* netlink_dump.c */
int sss_netlink_service_dump(struct sk_buff *skb, struct netlink_callback *cb);
int sss_netlink_stats_get(struct sk_buff *skb, struct genl_info *info);
u32 sss_netlink_socket_type(u8 kind);

/* netlink_channel.c */
int sss_netlink_channel_rekey(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_channel_close(struct sk_buff *skb, struct genl_info *info);
int sss_netlink_channel_dump(struct sk_buff *skb, struct netlink_callback *cb);
int sss_netlink_stream_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* _SSS_CONTROL_NETLINK_H */
