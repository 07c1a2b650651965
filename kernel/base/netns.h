/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module keeps per network namespace. Every floor has its members
 * here, so that one generic pointer serves all; each member says whose it is.
 */
#ifndef _SSS_BASE_NETNS_H
#define _SSS_BASE_NETNS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/sss.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "mib.h"

struct ctl_table_header;
struct sss_addresses;
struct sss_host;
struct sss_ratelimiter;

#define SSS_STREAMS_MOST	65536	/* limits.max_streams at most: a bit of memory for each */

/**
 * struct sss_limits - every timer and limit, each a sysctl net.sss.<member>
 *
 * Read without a lock (READ_ONCE); times in ms unless the name says otherwise.
 */
struct sss_limits {
	u32 connect_timeout_ms;		/* connect() gives up: ETIMEDOUT. 30 s */
	u32 initiate_interval_ms;	/* first retransmission of INITIATE, doubling. 1 s */
	u32 initiate_interval_max_ms;	/* 15 s */
	u32 initiate_lifetime_ms;	/* one Noise message is re-sent this long. 5 s */
	u32 rekey_initiator_ms;		/* 120 s */
	u32 rekey_responder_ms;		/* 150 s */
	u32 stop_send_ms;		/* 180 s */
	u32 stop_receive_ms;		/* 240 s */
	u32 erase_ms;			/* 300 s */
	u32 rekey_packets;		/* sent under a key. 0: 2^48 */
	u32 max_ack_delay_us;		/* 5 ms */
	u32 idle_timeout_ms;		/* channel without streams. 60 s */
	u32 down_timeout_ms;		/* STALLED to DOWN. 20 s */
	u32 orphan_timeout_ms;		/* 5 min */
	u32 max_orphans;		/* 4096 */
	u32 max_half_open;		/* 1024 per namespace */
	u32 max_prefix_half_open;	/* of one /24 or /64, or of a configured peer. 256 */
	u32 max_channels;		/* 65536 per namespace */
	u32 max_prefix_channels;	/* of unknown peers, of one /24 or /64. 4096 */
	u32 handshake_queue;		/* INITIATEs waiting for the worker. 1024 */
	u32 initial_stream_window;	/* 64 KiB */
	u32 channel_window;		/* 16 MiB: unaccepted streams together */
	u32 max_record;			/* bytes of a record that a peer may send. 16 MiB */
	u32 max_datagram;		/* bytes, likewise. 16 MiB */
	u32 datagram_credit;		/* bytes in DATAGRAM frames under way. 256 KiB */
	u32 max_streams;		/* root credit: streams a peer may have open. 4096 */
	u32 max_waiting;		/* unaccepted streams of unknown peers. 16384 */
	u32 max_prefix_waiting;		/* likewise, of one /24 or /64. 4096 */
	u32 max_memory;			/* bytes received and not read, of unknown peers; and
					 * not decrypted, of all. 1 GiB
					 */
	u32 max_prefix_memory;		/* likewise, of one /24 or /64. 512 MiB */
	u32 max_peer_memory;		/* likewise, of any one peer. 512 MiB */
	u32 rmem[3];			/* min default max, 16 KiB 64 KiB 6 MiB */
	u32 wmem[3];			/* 16 KiB 64 KiB 4 MiB */
	u32 congestion_control;		/* index of an algorithm, by name in the sysctl. cubic */
	u32 allow_loopback;		/* 0, 1: peers may be at loopback addresses. 0 */
	u32 resolve_timeout_ms;		/* connect() waits for a helper's answer. 10 s */
	u32 resolve_interval_ms;	/* a helper is asked again. 3 s */
	u32 max_questions;		/* that wait for an answer. 1024 per namespace */
	u32 keepalive_ms;		/* SO_KEEPALIVE: silence before a PING. 25000 */
	u32 announce_endpoints;		/* own addresses: 0 nobody, 1 configured peers, 2 all. 1 */
};

/**
 * sss_netns_limit_ns() - one of the times of struct sss_limits
 * @ms: where it stands
 *
 * Return: ns. Context: any.
 */
static inline u64 sss_netns_limit_ns(const u32 *ms)
{
	return (u64)READ_ONCE(*ms) * NSEC_PER_MSEC;
}

#define SSS_ASKERS	64	/* users whose questions are told apart */

/**
 * struct sss_net - the module's state in one network namespace
 * @net: the namespace; valid until pernet exit
 * @mib: counters (base)
 * @gauge: live objects (base)
 * @limits: settings (base), sysctl_header is control's
 * @dying: pernet pre_exit has begun: nothing new may be created
 * @hosts_lock: protects @hosts changes; readers use RCU (peer)
 * @hosts: struct sss_host.node (peer)
 * @default_host: also in @hosts (peer)
 * @services_lock: leaf (BH), protects @services and @last_service_id (peer)
 * @services: struct sss_service.node (peer)
 * @limiter: handshake rate limit by source (channel)
 * @learnt_peers: peers that nobody configured, at most 2 * limits.max_channels (peer)
 * @orphans: closed streams with data to deliver, at most limits.max_orphans (stream)
 * @waiting: unaccepted streams of unknown peers, at most limits.max_waiting (stream)
 * @crowds_lock: leaf (BH), protects the next three (channel)
 * @crowds: struct sss_crowd.node
 * @crowds_by_slots: struct sss_crowd.slots.node, those with most first
 * @crowds_by_channels: struct sss_crowd.channels.node, likewise
 * @browsing: streams that get the list of services (socket)
 * @addresses_lock: leaf (BH), protects @addresses (channel)
 * @addresses: of this machine, that peers may be told
 * @routes: hears of routes and addresses that change, if @watching (channel)
 * @moved: looks at what changed, a moment later
 * @moved_at: jiffies, when it did so last
 * @watching: @routes is registered
 * @questions_of: questions that wait, by user: users may have a place together (channel)
 * @access_changes: how often an access rule came or went (peer)
 * @next_host_id: for log lines and netlink (peer)
 * @next_peer_id: likewise
 * @next_channel_id: likewise (channel)
 */
struct sss_net {
	struct net *net;
	struct sss_mib __percpu *mib;
	atomic_long_t gauge[SSS_GAUGE_COUNT];
	struct sss_limits limits;
	struct ctl_table_header *sysctl_header;
	bool dying;
	struct mutex hosts_lock;
	struct list_head hosts;
	struct sss_host __rcu *default_host;
	spinlock_t services_lock;
	struct list_head services;
	u32 last_service_id;
	struct sss_ratelimiter *limiter;
	atomic_t learnt_peers;
	atomic_t orphans;
	atomic_t waiting;
	spinlock_t crowds_lock;		/* leaf: the next three */
	struct rb_root crowds;
	struct rb_root crowds_by_slots;
	struct rb_root crowds_by_channels;
	atomic_t browsing;
	spinlock_t addresses_lock;	/* leaf: addresses */
	struct sss_addresses *addresses;
	struct notifier_block routes;
	struct delayed_work moved;
	unsigned long moved_at;
	bool watching;
	atomic_t questions_of[SSS_ASKERS];
	atomic_t access_changes;
	atomic_t next_host_id;
	atomic_t next_peer_id;
	atomic_t next_channel_id;
};

extern unsigned int sss_net_id;

static inline struct sss_net *sss_netns(const struct net *net)
{
	return net_generic(net, sss_net_id);
}

#define sss_mib_inc(sn, id) this_cpu_inc((sn)->mib->value[SSS_MIB_##id])
#define sss_mib_add(sn, id, n) this_cpu_add((sn)->mib->value[SSS_MIB_##id], n)
#define sss_gauge_inc(sn, id) atomic_long_inc(&(sn)->gauge[SSS_GAUGE_##id])
#define sss_gauge_dec(sn, id) atomic_long_dec(&(sn)->gauge[SSS_GAUGE_##id])
#define sss_gauge_add(sn, id, n) atomic_long_add(n, &(sn)->gauge[SSS_GAUGE_##id])
#define sss_gauge_read(sn, id) atomic_long_read(&(sn)->gauge[SSS_GAUGE_##id])

/**
 * typedef sss_event_fn - takes events to whoever monitors
 * @sn: namespace
 * @event: what happened
 * @local: EID of the host
 * @remote: EID of the peer, or NULL where the event is about a host
 *
 * Any context; must not sleep, and must not take a lock under which
 * sss_netns_event() may be called.
 */
typedef void (*sss_event_fn)(struct sss_net *sn, enum sss_event event,
			     const struct sss_eid *local, const struct sss_eid *remote);

/**
 * struct sss_ask_ops - takes questions to helpers
 * @may_listen: can there be one? If not there is none in any namespace
 * @ask: a program of @local wants @remote: where is it? False: nobody in this
 *	namespace hears that
 *
 * Any context; must not sleep, and must not take a lock under which they may be
 * called: that of a channel.
 */
struct sss_ask_ops {
	bool (*may_listen)(struct sss_net *sn);
	bool (*ask)(struct sss_net *sn, const struct sss_eid *local, const struct sss_eid *remote);
};

int sss_netns_init(struct sss_net *sn, struct net *net);
void sss_netns_exit(struct sss_net *sn);
void sss_netns_limits_init(struct sss_limits *limits);
void sss_netns_set_event_fn(sss_event_fn fn);
void sss_netns_set_ask_ops(const struct sss_ask_ops *ops);
bool sss_netns_may_ask(struct sss_net *sn);
bool sss_netns_ask(struct sss_net *sn, const struct sss_eid *local, const struct sss_eid *remote);
void sss_netns_event(struct sss_net *sn, enum sss_event event,
		     const struct sss_eid *local, const struct sss_eid *remote);

#endif /* _SSS_BASE_NETNS_H */
