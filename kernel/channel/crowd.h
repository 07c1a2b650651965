/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Crowds: peers that nobody configured, by where they are. Identities cost
 * nothing and addresses little, so what such peers hold is bounded per IPv4 /24
 * and IPv6 /64; where one has to give way it is of the crowd that holds most. A
 * configured peer is a crowd of its own, wherever it is, for its half-open
 * handshakes, and goes after all strangers while it holds few.
 */
#ifndef _SSS_CHANNEL_CROWD_H
#define _SSS_CHANNEL_CROWD_H

#include <linux/rbtree.h>
#include "base/netns.h"
#include "net/endpoint.h"

struct sss_channel;
struct sss_eid;
struct sss_half_open;

/**
 * struct sss_held - how many of one kind a crowd holds
 * @node: in a tree of sss_net, the crowd with most first
 * @n: members of @list
 * @configured: of a configured peer
 * @list: oldest first
 */
struct sss_held {
	struct rb_node node;
	u32 n;
	bool configured;
	struct list_head list;
};

/**
 * struct sss_crowd - a prefix, or a configured peer
 * @node: in sss_net.crowds
 * @key: sss_endpoint_prefix(), or the beginning of the EID
 * @family: AF_INET or AF_INET6; AF_UNSPEC: a configured peer
 * @refs: what refers to it; this and the two below under sss_net.crowds_lock
 * @slots: struct sss_half_open.crowd_node
 * @channels: struct sss_channel.crowd_node, those that are not closed
 * @waiting: streams not accepted (stream floor)
 * @memory: bytes that streams hold (stream floor)
 */
struct sss_crowd {
	struct rb_node node;
	u64 key;
	u16 family;
	u32 refs;
	struct sss_held slots;
	struct sss_held channels;
	atomic_t waiting;
	atomic_long_t memory;
};

struct sss_crowd *sss_crowd_get(struct sss_net *sn, const union sss_endpoint *from);
struct sss_crowd *sss_crowd_get_of_eid(struct sss_net *sn, const struct sss_eid *eid);
struct sss_crowd *sss_crowd_get_of_channel(struct sss_channel *ch);
void sss_crowd_put(struct sss_net *sn, struct sss_crowd *c);

void sss_crowd_add_slot(struct sss_half_open *slot);
void sss_crowd_remove_slot(struct sss_half_open *slot);
struct sss_half_open *sss_crowd_surplus_slot(struct sss_net *sn, struct sss_crowd *c);

void sss_crowd_add_channel(struct sss_crowd *c, struct sss_channel *ch);
void sss_crowd_remove_channel(struct sss_channel *ch);
bool sss_crowd_end_channel(struct sss_net *sn, struct sss_crowd *c);
bool sss_crowd_has_room(struct sss_net *sn, struct sss_crowd *c);

#endif /* _SSS_CHANNEL_CROWD_H */
