/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may use which service of a host, and how much, decided before any program
 * hears of it: anyone, the peers that somebody configured, or whom a rule lets in.
 */
#ifndef _SSS_PEER_ACCESS_H
#define _SSS_PEER_ACCESS_H

#include <linux/rcupdate.h>
#include <linux/sss.h>

struct netlink_ext_ack;
struct sss_host;
struct sss_peer;

#define SSS_ACCESS_RULES_MAX	4096	/* of a host */

/**
 * struct sss_access_rule - whom it is about, and what they may do
 * @eid: whom; all zero: everybody
 * @service: with which service; empty: with every one
 * @set: SSS_ACCESS_SET_*: which of the next two count instead of the host's
 * @max_streams: that one EID may have open on the host at a time; 0: no limit
 * @stream_rate: that one EID may open in a second; 0: no limit
 * @deny: they may not
 */
struct sss_access_rule {
	struct sss_eid eid;
	char service[SSS_NAME_MAX + 1];
	u8 set;
#define SSS_ACCESS_SET_STREAMS	0x1
#define SSS_ACCESS_SET_RATE	0x2
	bool deny;
	u32 max_streams;
	u32 stream_rate;
};

/**
 * struct sss_access_rules - the rules of a host (sss_host.rules)
 * @rcu: frees it
 * @n: how many
 * @rule: sorted by EID and service, no pair twice
 */
struct sss_access_rules {
	struct rcu_head rcu;
	u32 n;
	struct sss_access_rule rule[];
};

int sss_access_add(struct sss_host *host, const struct sss_access_rule *rule, bool change,
		   struct netlink_ext_ack *extack);
int sss_access_del(struct sss_host *host, const struct sss_access_rule *rule,
		   struct netlink_ext_ack *extack);
void sss_access_free(struct sss_host *host);

bool sss_access_admits(struct sss_host *host, const struct sss_eid *eid, const char *service);
bool sss_access_ask(struct sss_host *host, const struct sss_eid *eid, const char *service);
bool sss_access_is_known(struct sss_host *host, const struct sss_eid *eid);
bool sss_access_call(struct sss_host *host, const struct sss_eid *eid);
bool sss_access_may_open(struct sss_peer *peer, const char *service, u32 open);
void __sss_access_keep_debt(struct sss_peer *peer);
void __sss_access_find_debt(struct sss_peer *peer);

#endif /* _SSS_PEER_ACCESS_H */
