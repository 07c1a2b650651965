// SPDX-License-Identifier: GPL-2.0
/*
 * CHANNEL_GET and STREAM_GET: walks over all peers that have a channel.
 * CHANNEL_REKEY and CHANNEL_CLOSE: what is done to one.
 */
#include <net/sock.h>
#include "channel/channel.h"
#include "net/endpoint.h"
#include "peer/peer.h"
#include "stream/dump.h"
#include "stream/stream.h"
#include "wire/frame.h"
#include "netlink.h"

/* A pair is made when its handshake ends: one age for both. */
static int put_ages(struct sk_buff *skb, struct sss_channel *ch)
{
	struct sss_keypair *pair = sss_keyring_get_current(&ch->ring);
	u64 age;

	if (!pair)
		return 0;
	age = div_u64(sss_keypair_now() - pair->birth, NSEC_PER_MSEC);
	sss_keypair_put(pair);
	if (sss_netlink_put_u64(skb, SSS_A_LAST_HANDSHAKE, age) ||
	    sss_netlink_put_u64(skb, SSS_A_KEY_AGE, age))
		return -EMSGSIZE;
	return 0;
}

static int put_path(struct sk_buff *skb, const struct netlink_callback *cb,
		    struct sss_channel *ch)
{
	union sss_endpoint remote;
	struct nlattr *nest;

	spin_lock_bh(&ch->lock);
	remote = ch->path.remote;
	spin_unlock_bh(&ch->lock);
	if (!remote.sa.sa_family)
		return 0;
	if (!remote.via.session)
		return sss_netlink_put_endpoint(skb, cb, &remote);
	nest = nla_nest_start(skb, SSS_A_RELAYS);
	if (!nest || sss_netlink_put_endpoint(skb, cb, &remote))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_channel(struct sk_buff *skb, const struct netlink_callback *cb,
		       struct sss_channel *ch)
{
	struct sss_info info = { .stream_id = SSS_STREAM_NO_ID };

	sss_channel_get_info(ch, &info);
	if (sss_netlink_put_peer_name(skb, ch->peer) ||
	    nla_put_u32(skb, SSS_A_CHANNEL_ID, ch->id) ||
	    nla_put(skb, SSS_A_INFO, sizeof(info), &info))
		return -EMSGSIZE;
	return put_path(skb, cb, ch) ?: put_ages(skb, ch);
}

static int fill_channel(struct sk_buff *skb, struct netlink_callback *cb, struct sss_peer *peer,
			struct sss_netlink_walk *walk)
{
	struct sss_channel *ch = sss_channel_of_peer(peer);
	int err = -EMSGSIZE;
	void *header;

	if (!ch)
		return 0;
	header = sss_netlink_start(skb, cb, SSS_CMD_CHANNEL_GET);
	if (header)
		err = sss_netlink_finish(skb, header, put_channel(skb, cb, ch));
	sss_channel_put(ch);
	return err;
}

/**
 * sss_netlink_channel_dump() - SSS_CMD_CHANNEL_GET
 * @skb: to fill
 * @cb: where it goes on
 *
 * Return: bytes filled; 0: that was all.
 */
int sss_netlink_channel_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return sss_netlink_walk_peers(skb, cb, fill_channel);
}

/* The channel that a request names, with a reference, or ERR_PTR() with a text */
static struct sss_channel *find_channel(struct genl_info *info)
{
	struct sss_peer *peer = sss_netlink_find_peer(info);
	struct sss_channel *ch;

	if (IS_ERR(peer))
		return ERR_CAST(peer);
	rcu_read_lock();
	ch = sss_channel_of_peer(peer);
	rcu_read_unlock();
	sss_peer_put(peer);
	if (ch)
		return ch;
	NL_SET_ERR_MSG(info->extack, "There is no channel to this peer");
	return ERR_PTR(-ENOTCONN);
}

/**
 * sss_netlink_channel_rekey() - SSS_CMD_CHANNEL_REKEY
 * @skb: request
 * @info: attributes
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOTCONN.
 */
int sss_netlink_channel_rekey(struct sk_buff *skb, struct genl_info *info)
{
	struct sss_channel *ch = find_channel(info);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	err = sss_channel_rekey(ch);
	if (err)
		NL_SET_ERR_MSG(info->extack, "The channel to this peer has no keys yet");
	sss_channel_put(ch);
	return err;
}

/**
 * sss_netlink_channel_close() - SSS_CMD_CHANNEL_CLOSE
 * @skb: request
 * @info: attributes
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOTCONN.
 */
int sss_netlink_channel_close(struct sk_buff *skb, struct genl_info *info)
{
	struct sss_channel *ch = find_channel(info);

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	sss_channel_close(ch, -ECONNABORTED);
	sss_channel_put(ch);
	return 0;
}

static int put_names(struct sk_buff *skb, const struct sss_request *request)
{
	if (!*request->service)
		return 0;
	if (nla_put_string(skb, SSS_A_SERVICE, request->service) ||
	    nla_put_string(skb, SSS_A_PROTOCOL, request->protocol))
		return -EMSGSIZE;
	return 0;
}

static int put_stream(struct sk_buff *skb, struct netlink_callback *cb, struct sss_channel *ch,
		      const struct sss_stream_entry *entry)
{
	struct user_namespace *user_ns = sk_user_ns(NETLINK_CB(cb->skb).sk);

	if (sss_netlink_put_peer_name(skb, ch->peer) ||
	    nla_put_u32(skb, SSS_A_CHANNEL_ID, ch->id) ||
	    sss_netlink_put_u64(skb, SSS_A_STREAM_ID, entry->id) ||
	    nla_put_u32(skb, SSS_A_KIND, sss_netlink_socket_type(entry->kind)) ||
	    nla_put(skb, SSS_A_INFO, sizeof(entry->info), &entry->info))
		return -EMSGSIZE;
	if (entry->parent != SSS_ID_ROOT &&
	    sss_netlink_put_u64(skb, SSS_A_PARENT_ID, entry->parent))
		return -EMSGSIZE;
	if (entry->has_uid &&
	    nla_put_u32(skb, SSS_A_UID, from_kuid_munged(user_ns, entry->uid)))
		return -EMSGSIZE;
	return put_names(skb, &entry->request);
}

static int fill_streams(struct sk_buff *skb, struct netlink_callback *cb, struct sss_peer *peer,
			struct sss_netlink_walk *walk)
{
	struct sss_channel *ch = sss_channel_of_peer(peer);
	struct sss_stream_entry entry;
	u64 next = walk->inner;
	int err = 0;

	if (!ch)
		return 0;
	while (!err && sss_stream_dump(ch, &next, &entry)) {
		void *header = sss_netlink_start(skb, cb, SSS_CMD_STREAM_GET);

		err = -EMSGSIZE;
		if (header)
			err = sss_netlink_finish(skb, header, put_stream(skb, cb, ch, &entry));
		if (!err)
			walk->inner = next;
	}
	sss_channel_put(ch);
	return err;
}

/**
 * sss_netlink_stream_dump() - SSS_CMD_STREAM_GET
 * @skb: to fill
 * @cb: where it goes on
 *
 * Return: bytes filled; 0: that was all.
 */
int sss_netlink_stream_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return sss_netlink_walk_peers(skb, cb, fill_streams);
}
