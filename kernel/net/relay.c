// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that go through a relay. Each has its header, so none is sent in a
 * super-packet; one that is received is taken apart, which copies. A relay is the
 * last choice, and what it takes of a network is far more than that.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include "relay.h"
#include "udp.h"
#include "wire/packet.h"

/**
 * sss_relay_wrap() - put the outer header before a packet
 * @skb: one packet, of which nobody else has a copy
 * @session: not 0
 *
 * Return: 0 or -ENOMEM. Context: any.
 */
int sss_relay_wrap(struct sk_buff *skb, __be64 session)
{
	int err = skb_cow_head(skb, SSS_UDP_HEADROOM + SSS_RELAY_HEADER_LEN);

	if (!err)
		sss_packet_put_relay(skb_push(skb, SSS_RELAY_HEADER_LEN), be64_to_cpu(session));
	return err;
}

/* A copy of @len bytes from @at on, with the IP header, for its ECN bits */
static struct sk_buff *copy_part(const struct sk_buff *skb, unsigned int at, unsigned int len)
{
	unsigned int head = ip_hdr(skb)->version == 4 ? sizeof(struct iphdr) :
			    sizeof(struct ipv6hdr);
	struct sk_buff *part = alloc_skb(head + len, GFP_ATOMIC | __GFP_NOWARN);

	if (!part)
		return NULL;
	skb_reset_network_header(part);
	skb_put_data(part, skb_network_header(skb), head);
	__skb_pull(part, head);
	part->protocol = skb->protocol;
	part->ip_summed = CHECKSUM_UNNECESSARY;
	if (!skb_copy_bits(skb, at, skb_put(part, len), len))
		return part;
	kfree_skb(part);
	return NULL;
}

/**
 * sss_relay_unwrap() - the next of the packets that came through a relay
 * @skb: data begins at the UDP payload; taken over with the last one
 * @at: bytes of them that are done, 0 to begin with; @skb->len as it was: that was all
 * @session: result
 *
 * Return: one packet, without the outer header, and with the network header it came
 * with; NULL: it was no packet, or there was no memory. Context: softirq, process
 * with BH off.
 */
struct sk_buff *sss_relay_unwrap(struct sk_buff *skb, unsigned int *at, __be64 *session)
{
	unsigned int len = skb->len - *at, seg = skb_shinfo(skb)->gso_size;
	struct sk_buff *one = skb;
	u64 id;

	if (seg) {
		len = min(len, seg);
		one = copy_part(skb, *at, len);
		if (*at + len == skb->len)
			consume_skb(skb);
	}
	*at += len;
	if (!one)
		return NULL;
	if (pskb_may_pull(one, SSS_RELAY_HEADER_LEN) &&
	    !sss_packet_get_relay(one->data, one->len, &id)) {
		*session = cpu_to_be64(id);
		__skb_pull(one, SSS_RELAY_HEADER_LEN);
		return one;
	}
	kfree_skb(one);
	return NULL;
}
