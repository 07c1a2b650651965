// SPDX-License-Identifier: GPL-2.0
/*
 * Sending from the UDP sockets of a host.
 *
 * The IP header is built here and given to ip_local_out() and ip6_local_out().
 * udp_tunnel_xmit_skb() would clear DF after a forged FRAG_NEEDED below the
 * minimum and says nothing about local drops, and its IPv6 sister honours such
 * a forged message on 6.12.
 */
#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/udp.h>
#include "base/netns.h"
#include "relay.h"
#include "udp_sock.h"
#include "wire/packet.h"

static struct rtable *look_up4(struct sock *sk, const union sss_endpoint *to, __be32 *saddr)
{
	struct flowi4 fl = {
		.saddr = *saddr,
		.daddr = to->in.sin_addr.s_addr,
		.fl4_dport = to->in.sin_port,
		.fl4_sport = inet_sk(sk)->inet_sport,
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_uid = sock_net_uid(sock_net(sk), NULL),
	};
	struct rtable *rt;

	security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl));
	rt = ip_route_output_flow(sock_net(sk), &fl, sk);
	*saddr = fl.saddr;
	return rt;
}

/* As packets from there came, if that address is still ours and the route leads that way */
static struct rtable *look_up_kept4(struct sock *sk, const union sss_endpoint *to, __be32 *saddr)
{
	struct rtable *rt;

	*saddr = to->via.dev ? to->via.local.s6_addr32[3] : 0;
	rt = look_up4(sk, to, saddr);
	if (!to->via.dev || (!IS_ERR(rt) && rt->dst.dev->ifindex == to->via.dev))
		return rt;
	if (!IS_ERR(rt))
		ip_rt_put(rt);
	*saddr = 0;
	return look_up4(sk, to, saddr);
}

static struct dst_entry *route4(struct sock *sk, const union sss_endpoint *to, __be32 *saddr,
				struct dst_cache *cache)
{
	struct rtable *rt;

	if (cache) {
		rt = dst_cache_get_ip4(cache, saddr);
		if (rt)
			return &rt->dst;
	}
	rt = look_up_kept4(sk, to, saddr);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return ERR_PTR(-EACCES);
	}
	if (cache)
		dst_cache_set_ip4(cache, &rt->dst, *saddr);
	return &rt->dst;
}

static void push4(struct sock *sk, struct sk_buff *skb, const union sss_endpoint *to,
		  __be32 saddr, u8 tos)
{
	struct dst_entry *dst = skb_dst(skb);
	struct udphdr *uh = udp_hdr(skb);
	struct iphdr *iph;

	uh->check = ~udp_v4_check(skb->len, saddr, to->in.sin_addr.s_addr, 0);
	iph = skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = tos;
	iph->frag_off = htons(IP_DF);
	iph->ttl = ip4_dst_hoplimit(dst);
	iph->protocol = IPPROTO_UDP;
	iph->saddr = saddr;
	iph->daddr = to->in.sin_addr.s_addr;
	ip_select_ident_segs(sock_net(sk), skb, sk, skb_shinfo(skb)->gso_segs ?: 1);
}

#if IS_ENABLED(CONFIG_IPV6)
static void describe6(const struct sock *sk, const union sss_endpoint *to, struct flowi6 *fl)
{
	*fl = (struct flowi6){
		.daddr = to->in6.sin6_addr,
		.fl6_dport = to->in6.sin6_port,
		.fl6_sport = inet_sk(sk)->inet_sport,
		.flowi6_oif = to->in6.sin6_scope_id,
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_uid = sock_net_uid(sock_net(sk), NULL),
	};
}

static struct dst_entry *look_up6(struct sock *sk, const union sss_endpoint *to,
				  struct flowi6 *fl, const struct in6_addr *saddr)
{
	describe6(sk, to, fl);
	fl->saddr = *saddr;
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl));
	return ip6_dst_lookup_flow(sock_net(sk), sk, fl, NULL);
}

/* As look_up_kept4() */
static struct dst_entry *look_up_kept6(struct sock *sk, const union sss_endpoint *to,
				       struct flowi6 *fl)
{
	struct dst_entry *dst;

	if (to->via.dev && ipv6_chk_addr(sock_net(sk), &to->via.local, NULL, 0)) {
		dst = look_up6(sk, to, fl, &to->via.local);
		if (!IS_ERR(dst) && dst->dev->ifindex == to->via.dev)
			return dst;
		if (!IS_ERR(dst))
			dst_release(dst);
	}
	return look_up6(sk, to, fl, &in6addr_any);
}

static struct dst_entry *route6(struct sock *sk, const union sss_endpoint *to,
				struct flowi6 *fl, struct dst_cache *cache)
{
	struct dst_entry *dst;

	if (cache) {
		describe6(sk, to, fl);
		dst = dst_cache_get_ip6(cache, &fl->saddr);
		if (dst)
			return dst;
	}
	dst = look_up_kept6(sk, to, fl);
	if (!IS_ERR(dst) && cache)
		dst_cache_set_ip6(cache, dst, &fl->saddr);
	return dst;
}

static void push6(struct sock *sk, struct sk_buff *skb, struct flowi6 *fl, u8 tos)
{
	struct dst_entry *dst = skb_dst(skb);
	struct udphdr *uh = udp_hdr(skb);
	struct ipv6hdr *ip6h;
	__be32 label;

	uh->check = ~udp_v6_check(skb->len, &fl->saddr, &fl->daddr, 0);
	label = ip6_make_flowlabel(sock_net(sk), skb, 0, true, fl);
	ip6h = skb_push(skb, sizeof(*ip6h));
	skb_reset_network_header(skb);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	ip6_flow_hdr(ip6h, tos, label);
	ip6h->nexthdr = IPPROTO_UDP;
	ip6h->hop_limit = ip6_dst_hoplimit(dst);
	ip6h->saddr = fl->saddr;
	ip6h->daddr = fl->daddr;
}
#endif

/* The device's MTU, not what ICMP made of it: never too much for the device. */
static unsigned int route_mtu(const struct dst_entry *dst)
{
	return min_t(unsigned int, READ_ONCE(dst->dev->mtu), IP_MAX_MTU);
}

static unsigned int ip_header_len(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/*
 * The UDP header, and what makes UDP split the skb again: without the checksum
 * fields a GSO skb vanishes without an error. skb->len is the payload's.
 */
static int push_udp(struct sock *sk, struct sk_buff *skb, const struct dst_entry *dst,
		    __be16 port, unsigned int gso_size)
{
	unsigned int max = route_mtu(dst) - ip_header_len(sk) - sizeof(struct udphdr);
	struct udphdr *uh;

	if (skb->len > gso_size && gso_size) {
		skb_shinfo(skb)->gso_size = gso_size;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len, gso_size);
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
		if (skb->len > SSS_UDP_GSO_MAX_SIZE)
			return -EMSGSIZE;
	} else {
		gso_size = skb->len;
	}
	if (gso_size > max)
		return -EMSGSIZE;
	uh = skb_push(skb, sizeof(*uh));
	skb_reset_transport_header(skb);
	uh->source = inet_sk(sk)->inet_sport;
	uh->dest = port;
	uh->len = htons(skb->len);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct udphdr, check);
	return 0;
}

static int send4(struct sock *sk, struct sk_buff *skb, const union sss_endpoint *to,
		 struct dst_cache *cache, unsigned int gso_size, u8 tos)
{
	struct dst_entry *dst;
	__be32 saddr = 0;
	int err;

	dst = route4(sk, to, &saddr, cache);
	if (IS_ERR(dst)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
		return PTR_ERR(dst);
	}
	skb_dst_set(skb, dst);
	err = push_udp(sk, skb, dst, to->in.sin_port, gso_size);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	push4(sk, skb, to, saddr, tos);
	return ip_local_out(sock_net(sk), sk, skb);
}

static int send6(struct sock *sk, struct sk_buff *skb, const union sss_endpoint *to,
		 struct dst_cache *cache, unsigned int gso_size, u8 tos)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct dst_entry *dst;
	struct flowi6 fl;
	int err;

	dst = route6(sk, to, &fl, cache);
	if (IS_ERR(dst)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
		return PTR_ERR(dst);
	}
	skb_dst_set(skb, dst);
	err = push_udp(sk, skb, dst, to->in6.sin6_port, gso_size);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	push6(sk, skb, &fl, tos);
	return ip6_local_out(sock_net(sk), sk, skb);
#else
	kfree_skb(skb);
	return -ENETUNREACH;
#endif
}

/**
 * sss_udp_send - send one packet, or a batch of them as one GSO super-packet
 * @udp: the sockets
 * @skb: payload only, with SSS_UDP_HEADROOM bytes before it (less is copied);
 *	always taken over, also on errors
 * @to: where to; passed sss_udp_endpoint_check() once. Through a relay goes one
 *	packet at a time
 * @cache: route cache of this path, reset by its owner when @to changes; or
 *	NULL
 * @gso_size: payload bytes of each packet but the last, when @skb holds more
 *	than one: at most SSS_UDP_GSO_MAX_SEGS packets and SSS_UDP_GSO_MAX_SIZE
 *	bytes; otherwise 0
 * @tos: DSCP and ECN bits of the IP header
 *
 * DF is always set. The skb belongs to the UDP socket until it leaves the
 * machine, see sss_udp_queued().
 *
 * Return: 0 when IP took it (a queue or netfilter may still drop it: that is
 * counted and looks like loss); -ENETUNREACH, -EHOSTUNREACH, -EACCES and the
 * like when no route leads there; -EMSGSIZE when it is more than the outgoing
 * device takes, whatever ICMP claimed; -ENOMEM.
 * Context: any but hard interrupts; takes no lock of ours.
 */
int sss_udp_send(struct sss_udp *udp, struct sk_buff *skb, const union sss_endpoint *to,
		 struct dst_cache *cache, unsigned int gso_size, u8 tos)
{
	struct sock *sk = sss_udp_sock(udp, to);
	unsigned int len, segs;
	int err = 0;

	segs = gso_size ? DIV_ROUND_UP(skb->len, gso_size) : 1;
	if (unlikely(!sk)) {
		err = -ENETUNREACH;
		goto drop;
	}
	if (unlikely(to->via.session))
		err = WARN_ON_ONCE(segs > 1) ? -EINVAL : sss_relay_wrap(skb, to->via.session);
	else
		err = skb_cow_head(skb, SSS_UDP_HEADROOM);
	if (unlikely(err))
		goto drop;
	len = skb->len;

	/* dst_cache is per CPU, and ip_local_out() wants RCU and no softirq. */
	rcu_read_lock_bh();
	skb_set_owner_w(skb, sk);
	if (sk->sk_family == AF_INET)
		err = send4(sk, skb, to, cache, gso_size, tos);
	else
		err = send6(sk, skb, to, cache, gso_size, tos);
	rcu_read_unlock_bh();

	switch (err) {
	case 0:
	case NET_XMIT_CN:
		sss_mib_add(udp->sn, TX_PACKETS, segs);
		sss_mib_add(udp->sn, TX_BYTES, len);
		sss_mib_inc(udp->sn, TX_BATCHES);
		return 0;
	case NET_XMIT_DROP:
	case -ENOBUFS:
	case -EPERM:
		/* A full queue or a firewall: for us loss like any other. */
		err = 0;
		break;
	}
	sss_mib_add(udp->sn, TX_ERRORS, segs);
	return err;
drop:
	sss_mib_add(udp->sn, TX_ERRORS, segs);
	kfree_skb(skb);
	return err;
}

/**
 * sss_udp_send_one - send one packet from a buffer
 * @udp: the sockets
 * @data: payload, copied
 * @len: its bytes
 * @to: where to
 * @tos: DSCP and ECN bits
 *
 * Return: as sss_udp_send().
 * Context: as sss_udp_send().
 */
int sss_udp_send_one(struct sss_udp *udp, const void *data, size_t len,
		     const union sss_endpoint *to, u8 tos)
{
	struct sk_buff *skb = alloc_skb(SSS_UDP_HEADROOM + len, GFP_ATOMIC);

	if (!skb) {
		sss_mib_inc(udp->sn, TX_NO_MEMORY);
		return -ENOMEM;
	}
	skb_reserve(skb, SSS_UDP_HEADROOM);
	skb_put_data(skb, data, len);
	return sss_udp_send(udp, skb, to, NULL, 0, tos);
}

/**
 * sss_udp_queued - what was sent and has not left the machine yet
 * @udp: the sockets
 * @to: tells the family; all destinations of a family count together
 *
 * Return: truesize in bytes.
 * Context: any.
 */
unsigned int sss_udp_queued(const struct sss_udp *udp, const union sss_endpoint *to)
{
	const struct sock *sk = sss_udp_sock(udp, to);

	return sk ? sk_wmem_alloc_get(sk) : 0;
}

/* The way to @to as it is now, with a reference, and where packets leave from */
static struct dst_entry *look_up(struct sss_udp *udp, const union sss_endpoint *to,
				 union sss_endpoint *from)
{
	struct sock *sk = sss_udp_sock(udp, to);
	struct dst_entry *dst;

	if (!sk)
		return ERR_PTR(-ENETUNREACH);
	if (sk->sk_family == AF_INET) {
		__be32 saddr = 0;

		dst = route4(sk, to, &saddr, NULL);
		sss_endpoint_set4(from, saddr, udp->port);
		return dst;
	}
#if IS_ENABLED(CONFIG_IPV6)
	{
		struct flowi6 fl;

		dst = route6(sk, to, &fl, NULL);
		if (!IS_ERR(dst))
			sss_endpoint_set6(from, &fl.saddr, udp->port, dst->dev->ifindex);
		return dst;
	}
#else
	return ERR_PTR(-ENETUNREACH);
#endif
}

/**
 * sss_udp_mtu - the largest packet the way out takes
 * @udp: the sockets
 * @to: destination
 *
 * That of the outgoing device: path MTUs learnt from ICMP do not count, and
 * what the path takes is for probes to find out.
 *
 * Return: bytes of UDP payload, less the header of a relay, 0 when there is no route.
 * Context: any but hard interrupts.
 */
unsigned int sss_udp_mtu(struct sss_udp *udp, const union sss_endpoint *to)
{
	union sss_endpoint from;
	struct dst_entry *dst;
	unsigned int mtu = 0;

	rcu_read_lock_bh();
	dst = look_up(udp, to, &from);
	if (!IS_ERR(dst)) {
		mtu = route_mtu(dst) - ip_header_len(sss_udp_sock(udp, to)) -
		      sizeof(struct udphdr) - (to->via.session ? SSS_RELAY_HEADER_LEN : 0);
		dst_release(dst);
	}
	rcu_read_unlock_bh();
	return mtu;
}

/**
 * sss_udp_source - where packets to an endpoint leave from, as routes are now
 * @udp: the sockets
 * @to: destination
 * @from: result: local address and port; AF_UNSPEC without a route
 *
 * Return: whether there is a route. Context: any but hard interrupts.
 */
bool sss_udp_source(struct sss_udp *udp, const union sss_endpoint *to, union sss_endpoint *from)
{
	struct dst_entry *dst;
	bool ok;

	rcu_read_lock_bh();
	dst = look_up(udp, to, from);
	ok = !IS_ERR(dst);
	if (ok)
		dst_release(dst);
	else
		memset(from, 0, sizeof(*from));
	rcu_read_unlock_bh();
	return ok;
}

static bool is_on_link(const struct dst_entry *dst, const union sss_endpoint *to)
{
	if (to->sa.sa_family == AF_INET)
		return !container_of(dst, struct rtable, dst)->rt_gw_family;
	return !(container_of(dst, struct rt6_info, dst)->rt6i_flags & RTF_GATEWAY);
}

/**
 * sss_udp_hearsay_ok - may a peer have us send there because it says so?
 * @udp: the sockets
 * @ep: passed sss_udp_endpoint_check()
 * @allow_loopback: this machine's own addresses may be meant
 *
 * Only where a route leads, not to ourselves, and to a private address only on
 * a network that we are on: another one of that number is not the peer's.
 *
 * Return: whether. Context: any but hard interrupts.
 */
bool sss_udp_hearsay_ok(struct sss_udp *udp, const union sss_endpoint *ep, bool allow_loopback)
{
	union sss_endpoint from;
	struct dst_entry *dst;
	bool ok = false;

	rcu_read_lock_bh();
	dst = look_up(udp, ep, &from);
	if (!IS_ERR(dst)) {
		ok = (allow_loopback || !(dst->dev->flags & IFF_LOOPBACK)) &&
		     (!sss_endpoint_is_private(ep) || is_on_link(dst, ep));
		dst_release(dst);
	}
	rcu_read_unlock_bh();
	return ok;
}
