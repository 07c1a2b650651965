// SPDX-License-Identifier: GPL-2.0
/*
 * What the UDP sockets of a host hand up: data packets go to their channel,
 * handshake messages to the host's queue. One CPU at a time for a host.
 */
#include <linux/skbuff.h>
#include "base/compat.h"
#include "base/drop.h"
#include "channel/handshake.h"
#include "channel/rx.h"
#include "crypto/index.h"
#include "net/relay.h"
#include "peer/host.h"
#include "wire/packet.h"

/* Marks @ch to be run when the sockets are empty; keeps the reference it is given. */
static void gather(struct sss_host *host, struct sss_channel *ch)
{
	bool first;

	spin_lock_bh(&host->drained_lock);
	first = list_empty(&ch->rx_node);
	if (first)
		list_add_tail(&ch->rx_node, &host->drained);
	spin_unlock_bh(&host->drained_lock);
	if (!first)
		sss_channel_put(ch);
}

static struct sss_channel *next_gathered(struct sss_host *host)
{
	struct sss_channel *ch;

	spin_lock_bh(&host->drained_lock);
	ch = list_first_entry_or_null(&host->drained, struct sss_channel, rx_node);
	if (ch)
		list_del_init(&ch->rx_node);
	spin_unlock_bh(&host->drained_lock);
	return ch;
}

/* The skb comes to nothing, whole. */
static void drop(struct sss_host *host, struct sk_buff *skb, enum sss_mib_id reason)
{
	unsigned int seg = skb_shinfo(skb)->gso_size ?: max(skb->len, 1U);

	sss_drop_packets(host->sn, 0, reason, max(DIV_ROUND_UP(skb->len, seg), 1U));
	kfree_skb(skb);
}

/* A packet under a key pair that has no channel yet: it may create one. */
static struct sss_channel *channel_of(struct sss_host *host, struct sk_buff *skb,
				      const union sss_endpoint *from, u32 index)
{
	struct sss_index_entry *entry = sss_index_lookup(host, index);
	struct sss_channel *ch;
	struct sss_keypair *pair;

	if (!entry || entry->type != SSS_INDEX_KEYPAIR) {
		drop(host, skb, SSS_MIB_DROP_INDEX);
		return NULL;
	}
	pair = container_of(entry, struct sss_keypair, entry);
	ch = READ_ONCE(pair->channel);
	if (!ch) {
		sss_handshake_confirm_later(host, pair, skb, from);
		return NULL;
	}
	if (!sss_channel_get(ch)) {
		drop(host, skb, SSS_MIB_DROP_INDEX);
		return NULL;
	}
	return ch;
}

static void handshake_messages(struct sss_host *host, struct sk_buff *skb,
			       const union sss_endpoint *from)
{
	unsigned int seg = skb_shinfo(skb)->gso_size ?: skb->len;
	u8 msg[SSS_MSG_INITIATE_LEN];
	unsigned int at, len;

	for (at = 0; at < skb->len; at += seg) {
		len = min(seg, skb->len - at);
		if (len > sizeof(msg) || skb_copy_bits(skb, at, msg, len))
			sss_drop_packets(host->sn, 0, SSS_MIB_DROP_TYPE, 1);
		else
			sss_handshake_receive(host, msg, len, from);
	}
	consume_skb(skb);
}

static void receive(void *owner, struct sk_buff *skb, const union sss_endpoint *from);

/* What came through a relay came from another endpoint than its other packets. */
static void relayed(struct sss_host *host, struct sk_buff *skb, const union sss_endpoint *from)
{
	unsigned int at = 0, len = skb->len;
	union sss_endpoint behind = *from;
	struct sk_buff *one;

	while (at < len) {
		one = sss_relay_unwrap(skb, &at, &behind.via.session);
		if (one)
			receive(host, one, &behind);
		else
			sss_drop_packets(host->sn, 0, SSS_MIB_DROP_RELAY, 1);
	}
}

static void receive(void *owner, struct sk_buff *skb, const union sss_endpoint *from)
{
	struct sss_host *host = owner;
	struct sss_packet_header head;
	struct sss_channel *ch;
	u8 buf[SSS_PACKET_HEADER_LEN];

	if (skb->len < sizeof(buf) || skb_copy_bits(skb, 0, buf, sizeof(buf))) {
		drop(host, skb, SSS_MIB_DROP_SHORT);
		return;
	}
	if (sss_packet_get_header(buf, skb->len, &head)) {
		if (buf[0] >= SSS_PACKET_INITIATE && buf[0] <= SSS_PACKET_REJECT) {
			handshake_messages(host, skb, from);
			return;
		}
		if (buf[0] == SSS_PACKET_RELAY && !from->via.session) {
			relayed(host, skb, from);
			return;
		}
		drop(host, skb, buf[0] == SSS_PACKET_DATA ? SSS_MIB_DROP_SHORT : SSS_MIB_DROP_TYPE);
		return;
	}
	ch = channel_of(host, skb, from, head.receiver);
	if (!ch)
		return;
	sss_rx_enqueue(ch, skb, from);
	gather(host, ch);
}

/* Little is done at once; much goes to the channel's own work item. */
static void drained(void *owner)
{
	struct sss_host *host = owner;
	struct sss_channel *ch;

	while ((ch = next_gathered(host))) {
		if (sss_rx_is_small(ch)) {
			sss_rx_run(ch);
			sss_channel_put(ch);
		} else if (!sss_channel_queue_rx(ch)) {
			sss_channel_put(ch);
		}
	}
}

/* A hint at most: loss detection and the handshake's back-off decide. */
static void icmp_error(void *owner, const union sss_endpoint *to, int err)
{
	struct sss_host *host = owner;

	net_dbg_ratelimited("host %u: %pISpc unreachable (%d)\n", host->id, to, err);
}

const struct sss_net_ops sss_input_ops = {
	.receive = receive,
	.drained = drained,
	.unreachable = icmp_error,
};
