/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel UDP sockets of a host: one for IPv4 and one for IPv6 on the same
 * port. Packets come up whole (GRO super-packets included) and leave as GSO
 * super-packets.
 *
 * Lifetime: the owner unpublishes its pointer to the struct sss_udp (RCU) and
 * then calls sss_udp_close(), which waits until nobody uses it any more. So
 * whoever calls sss_udp_send*(), _queued(), _mtu() or _port() either keeps
 * the owner from closing or holds rcu_read_lock() since it read the pointer.
 *
 * Counted here and nowhere else: TxPackets, TxBytes, TxBatches (skbs), what IP
 * refused as TxErrors, and the same of what is received.
 */
#ifndef _SSS_NET_UDP_H
#define _SSS_NET_UDP_H

#include <linux/skbuff.h>
#include <net/dst_cache.h>
#include "endpoint.h"

/* Without -iquote sparse comes here when the kernel's file was meant. */
#ifdef __CHECKER__
#include_next <net/udp.h>
#endif

struct sss_net;
struct sss_udp;

/**
 * struct sss_net_ops - how received packets go up
 * @receive: one skb whose data starts at the UDP payload (all of one source
 *	and length gso_size each but the last, when skb_shinfo()->gso_size is
 *	not zero). Takes over the skb, which may be cloned, have frags and a
 *	frag_list; skb->dev is NULL, the checksum is verified, the network header
 *	is valid. Softirq, or process context with BH off, RCU
 *	read side; calls for one host never run at the same time
 * @drained: the sockets are empty for now: act on what @receive gathered.
 *	Same context. May come without a @receive before it
 * @unreachable: ICMP said @to cannot be reached; a hint, never proof: anyone
 *	can forge it. @err is a positive errno, never EMSGSIZE. BH off; may run
 *	at the same time as the others
 *
 * None of them is called once sss_udp_close() has returned.
 */
struct sss_net_ops {
	void (*receive)(void *owner, struct sk_buff *skb, const union sss_endpoint *from);
	void (*drained)(void *owner);
	void (*unreachable)(void *owner, const union sss_endpoint *to, int err);
};

/* Headroom a transmitted skb must have in front of the UDP payload */
#define SSS_UDP_HEADROOM	(MAX_HEADER + sizeof(struct ipv6hdr) + sizeof(struct udphdr))

/* Most payload one super-packet may carry: the IPv4 total length has 16 bits */
#define SSS_UDP_GSO_MAX_SIZE	(0xffff - sizeof(struct ipv6hdr) - sizeof(struct udphdr))

/* Most packets in one; a kernel may take more, none of ours takes fewer */
#define SSS_UDP_GSO_MAX_SEGS	64

struct sss_udp *sss_udp_open(struct sss_net *sn, u16 port, const struct sss_net_ops *ops,
			     void *owner);
void sss_udp_close(struct sss_udp *udp);
u16 sss_udp_port(const struct sss_udp *udp);
int sss_udp_send(struct sss_udp *udp, struct sk_buff *skb, const union sss_endpoint *to,
		 struct dst_cache *cache, unsigned int gso_size, u8 tos);
int sss_udp_send_one(struct sss_udp *udp, const void *data, size_t len,
		     const union sss_endpoint *to, u8 tos);
unsigned int sss_udp_queued(const struct sss_udp *udp, const union sss_endpoint *to);
unsigned int sss_udp_mtu(struct sss_udp *udp, const union sss_endpoint *to);
bool sss_udp_source(struct sss_udp *udp, const union sss_endpoint *to, union sss_endpoint *from);
bool sss_udp_hearsay_ok(struct sss_udp *udp, const union sss_endpoint *ep, bool allow_loopback);
int sss_udp_endpoint_check(struct net *net, const union sss_endpoint *ep, bool allow_loopback);

#endif /* _SSS_NET_UDP_H */
