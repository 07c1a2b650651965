/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host: one local identity with its key, its UDP sockets and its peers.
 *
 * kref + RCU. References: sss_net.hosts holds one while the host lives (given
 * back by sss_host_del()); every peer, bound socket and queued handshake holds
 * one. A host that is dead is in no list, answers nothing and starts nothing.
 *
 * Locks: sss_net.hosts_lock > sss_host.peers_mutex > sss_host.peers_lock >
 * sss_peer.lock, sss_peer.channel_lock. The first two sleep.
 */
#ifndef _SSS_PEER_HOST_H
#define _SSS_PEER_HOST_H

#include <linux/kref.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>
#include <linux/sss.h>
#include "base/netns.h"
#include "crypto/cookie.h"
#include "crypto/noise.h"

#define SSS_HOST_DEBTS	32

struct cred;
struct netlink_ext_ack;
struct sss_access_rules;
struct sss_udp;
struct sss_net_ops;

/**
 * struct sss_debt - a peer that is gone had opened streams too fast
 * @eid: which
 * @even_at: as that of struct sss_peer; past: nothing is owed
 */
struct sss_debt {
	struct sss_eid eid;
	u64 even_at;
};

/**
 * struct sss_host - a local identity
 * @ref: references
 * @rcu: frees it
 * @node: in sss_net.hosts
 * @sn: namespace; outlives the host
 * @id: for log lines, never reused in a namespace
 * @name: NUL-terminated, unique in the namespace
 * @identity: key pair; wiped with the host
 * @cookie: checks mac1 and mac2 of what arrives
 * @udp: its sockets: rcu_dereference(), NULL once dead; another port replaces
 *	them while packets flow
 * @port: UDP port, host order, READ_ONCE
 * @flags: SSS_HOST_F_*, READ_ONCE
 * @uid: owner
 * @gid: group
 * @padding: enum sss_padding, READ_ONCE
 * @mode: read = connect as it, write = listen on it; rwx bits as of a file.
 *	These three, @flags and @padding change under sss_net.hosts_lock
 * @access: enum sss_access, READ_ONCE; changes with the next two as @mode does
 * @max_streams: that one EID may have open, 0: no limit; READ_ONCE
 * @stream_rate: that one EID may open in a second, 0: no limit; READ_ONCE
 * @rules: see access.h; RCU, changed under @peers_mutex
 * @refusals: lines of the log about who was not admitted
 * @dead: unpublished; nothing new may start. Set under sss_net.hosts_lock and
 *	@peers_lock, READ_ONCE elsewhere
 * @peers: EID -> struct sss_peer
 * @peer_list: the same peers in order of their ids (RCU)
 * @peers_mutex: serialises making and configuring peers and rules (sleeping)
 * @peers_lock: leaf (BH) but for struct sss_peer.lock and .channel_lock, which
 *	nest in it: @peers, @peer_list and @debts change only under it
 * @debts: of learnt peers that went less than a second ago; so that those that come
 *	again, with another channel, are no better off
 * @handshakes: the channel floor's, made by sss_host_ops.create
 * @drained_lock: leaf (BH), protects @drained: two UDP sockets for a moment, when
 *	the port changes
 * @drained: the channel floor's: channels that this drain brought packets for
 */
struct sss_host {
	struct kref ref;
	struct rcu_head rcu;
	struct list_head node;
	struct sss_net *sn;
	u32 id;
	char name[SSS_HOST_NAME_MAX + 1];
	struct sss_noise_identity identity;
	struct sss_cookie_checker cookie;
	struct sss_udp __rcu *udp;
	u16 port;
	u32 flags;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	u8 padding;
	u8 access;
	u32 max_streams;
	u32 stream_rate;
	struct sss_access_rules __rcu *rules;
	struct ratelimit_state refusals;
	bool dead;
	struct rhashtable peers;
	struct list_head peer_list;
	struct mutex peers_mutex;	/* making and configuring */
	spinlock_t peers_lock;		/* table, list and debts */
	struct sss_debt debts[SSS_HOST_DEBTS];
	void *handshakes;
	spinlock_t drained_lock;	/* drained */
	struct list_head drained;
};

/**
 * struct sss_host_config - what a host is made from or changed to
 * @set: SSS_HOST_SET_* bits: which members below count
 * @name: NUL-terminated, not empty; of a new host only
 * @private: key; of a new host only; the caller wipes it
 * @port: UDP port, host order; 0: any that is free
 * @flags: SSS_HOST_F_*
 * @flags_mask: which of them count
 * @uid: owner
 * @gid: group
 * @mode: 0 to 0666
 * @padding: enum sss_padding
 * @access: enum sss_access
 * @max_streams: that one EID may have open, 0: no limit
 * @stream_rate: that one EID may open in a second, 0: no limit
 */
struct sss_host_config {
	u32 set;
#define SSS_HOST_SET_KEY	0x01
#define SSS_HOST_SET_PORT	0x02
#define SSS_HOST_SET_FLAGS	0x04
#define SSS_HOST_SET_UID	0x08
#define SSS_HOST_SET_GID	0x10
#define SSS_HOST_SET_MODE	0x20
#define SSS_HOST_SET_PADDING	0x40
#define SSS_HOST_SET_ACCESS	0x80
#define SSS_HOST_SET_STREAMS	0x100
#define SSS_HOST_SET_RATE	0x200
	char name[SSS_HOST_NAME_MAX + 1];
	u8 private[SSS_EID_LEN];
	u16 port;
	u32 flags;
	u32 flags_mask;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	u8 padding;
	u8 access;
	u32 max_streams;
	u32 stream_rate;
};

/**
 * struct sss_host_ops - what the channel floor does with a host
 * @net: given to sss_udp_open()
 * @create: set up host->handshakes before any packet can arrive
 * @settle: host is dead, its peers are gone: wait for who is still sending for
 *	it, since what goes out in order waits for them, the peers' CLOSE too;
 *	sleeps
 * @stop: host is dead, its peers are gone and its UDP sockets closed: end what
 *	handshakes are under way; sleeps
 * @destroy: free host->handshakes
 */
struct sss_host_ops {
	const struct sss_net_ops *net;
	int (*create)(struct sss_host *host);
	void (*settle)(struct sss_host *host);
	void (*stop)(struct sss_host *host);
	void (*destroy)(struct sss_host *host);
};

static inline const struct sss_eid *sss_host_eid(const struct sss_host *host)
{
	return (const struct sss_eid *)host->identity.eid;
}

void sss_host_register_ops(const struct sss_host_ops *ops);

struct sss_host *sss_host_add(struct sss_net *sn, const struct sss_host_config *config,
			      struct netlink_ext_ack *extack);
int sss_host_set(struct sss_host *host, const struct sss_host_config *config,
		 struct netlink_ext_ack *extack);
void sss_host_del(struct sss_host *host);
void sss_host_del_all(struct sss_net *sn);
struct sss_host *sss_host_get_by_name(struct sss_net *sn, const char *name);
struct sss_host *sss_host_get_by_eid(struct sss_net *sn, const struct sss_eid *eid);
struct sss_host *sss_host_get_default(struct sss_net *sn);
int sss_host_may(const struct sss_host *host, int mask);
bool sss_host_admits(const struct sss_host *host, const struct cred *cred, int mask);
bool sss_host_get(struct sss_host *host);
void sss_host_put(struct sss_host *host);

#endif /* _SSS_PEER_HOST_H */
