// SPDX-License-Identifier: GPL-2.0
/*
 * The UDP sockets of a host.
 *
 * Receiving: the sockets are ordinary ones without encap_rcv, because UDP
 * splits super-packets for encap sockets only. What they queue is pulled in
 * sk_data_ready(), in softirq; sk_data_ready() may come on several CPUs at
 * once, and one of them (SSS_UDP_BUSY) does the work of all.
 *
 * Sending: the IP header is built here and given to ip_local_out() and
 * ip6_local_out(). udp_tunnel_xmit_skb() would clear DF after a forged
 * FRAG_NEEDED below the minimum and says nothing about local drops, and its
 * IPv6 sister honours such a forged message on 6.12.
 *
 * ICMP comes in by the error queues. It never changes what is sent.
 */
#include <linux/errqueue.h>
#include <linux/icmpv6.h>
#include <linux/interrupt.h>
#include <linux/ipv6.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp_states.h>
#include <net/udp.h>
#include "base/netns.h"
#include "udp.h"

/*
 * Above half of sk_rcvbuf the core calls sk_data_ready() under a spinlock that
 * other sockets share, so this is generous: 4 MiB of skbs at 2 MiB of data.
 */
#define RECEIVE_BUFFER	(8 << 20)
/* Skbs pulled before other softirqs get their turn; up to 4 MB when all are GRO */
#define DRAIN_BUDGET	64
/* Attempts to find a port that is free for both families */
#define PORT_ATTEMPTS	32

enum {
	SSS_UDP_BUSY,		/* some CPU is draining */
	SSS_UDP_WAITING,	/* something came since it last looked */
	SSS_UDP_CLOSING,
};

/**
 * struct sss_udp - the sockets of one host
 * @sn: namespace
 * @ops: where packets go
 * @owner: handed to @ops
 * @sock4: IPv4 socket
 * @sock6: IPv6 socket, NULL where IPv6 is off
 * @port: both are bound to it, network order
 * @flags: SSS_UDP_* bits
 * @drain_later: goes on when a drain used up its budget, or would have run
 *	under the core's shared lock
 * @data_ready: the socket's own callback, for the moments after detach()
 * @error_report: likewise
 */
struct sss_udp {
	struct sss_net *sn;
	const struct sss_net_ops *ops;
	void *owner;
	struct socket *sock4;
	struct socket *sock6;
	__be16 port;
	unsigned long flags;
	struct tasklet_struct drain_later;
	void (*data_ready)(struct sock *sk);
	void (*error_report)(struct sock *sk);
};

static struct sock *family_sock(const struct sss_udp *udp, const union sss_endpoint *ep)
{
	switch (ep->sa.sa_family) {
	case AF_INET:
		return udp->sock4->sk;
	case AF_INET6:
		return udp->sock6 ? udp->sock6->sk : NULL;
	}
	return NULL;
}

/* Receiving */

static bool source_of(const struct sk_buff *skb, union sss_endpoint *from)
{
	__be16 port = udp_hdr(skb)->source;

	if (skb->protocol == htons(ETH_P_IP)) {
		sss_endpoint_set4(from, ip_hdr(skb)->saddr, port);
	} else if (IS_ENABLED(CONFIG_IPV6) && skb->protocol == htons(ETH_P_IPV6)) {
		const struct in6_addr *addr = &ipv6_hdr(skb)->saddr;

		sss_endpoint_set6(from, addr, port, inet6_iif(skb));
	} else {
		return false;
	}
	return port != 0;
}

static void receive_one(struct sss_udp *udp, struct sk_buff *skb)
{
	unsigned int segs = max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
	struct sss_net *sn = udp->sn;
	union sss_endpoint from;

	/* UDP kept its notes there. */
	skb->dev = NULL;
	sss_mib_add(sn, RX_PACKETS, segs);
	sss_mib_add(sn, RX_BYTES, skb->len);
	if (udp_lib_checksum_complete(skb)) {
		sss_mib_inc(sn, DROP_CHECKSUM);
		kfree_skb_reason(skb, SKB_DROP_REASON_UDP_CSUM);
		return;
	}
	if (!source_of(skb, &from)) {
		sss_mib_inc(sn, DROP_ENDPOINT);
		kfree_skb(skb);
		return;
	}
	/* It may stay in a stream for long: hold nothing that pins a device. */
	skb_dst_drop(skb);
	skb_ext_reset(skb);
	nf_reset_ct(skb);
	skb_mark_not_on_list(skb);
	sss_mib_inc(sn, RX_BATCHES);
	udp->ops->receive(udp->owner, skb, &from);
}

/* Takes up to @budget skbs. Returns how many there were. */
static int drain_socket(struct sss_udp *udp, struct socket *sock, int budget)
{
	int n = 0;

	while (sock && n < budget && !test_bit(SSS_UDP_CLOSING, &udp->flags)) {
		int off = 0, err = 0;
		struct sk_buff *skb;

		skb = __skb_recv_udp(sock->sk, MSG_DONTWAIT, &off, &err);
		if (skb)
			receive_one(udp, skb);
		else if (err == -EAGAIN)
			break;
		/* Else what ICMP left in sk_err, which is now cleared. */
		n++;
	}
	return n;
}

static void drain(struct sss_udp *udp)
{
	int budget = DRAIN_BUDGET, left = budget;

	set_bit(SSS_UDP_WAITING, &udp->flags);
	do {
		/* Who has the bit looks at WAITING after it gave the bit back. */
		if (test_and_set_bit_lock(SSS_UDP_BUSY, &udp->flags))
			break;
		while (left > 0 && test_and_clear_bit(SSS_UDP_WAITING, &udp->flags)) {
			left -= drain_socket(udp, udp->sock4, left);
			left -= drain_socket(udp, udp->sock6, left);
		}
		if (left < budget)
			udp->ops->drained(udp->owner);
		budget = left;
		clear_bit_unlock(SSS_UDP_BUSY, &udp->flags);
		/* Pairs with set_bit(WAITING) before test_and_set_bit(BUSY). */
		smp_mb__after_atomic();
	} while (left > 0 && test_bit(SSS_UDP_WAITING, &udp->flags));

	if (left <= 0 && !test_bit(SSS_UDP_CLOSING, &udp->flags))
		tasklet_schedule(&udp->drain_later);
}

static void drain_later(struct tasklet_struct *t)
{
	struct sss_udp *udp = from_tasklet(udp, t, drain_later);

	rcu_read_lock();
	drain(udp);
	rcu_read_unlock();
}

static void data_ready(struct sock *sk)
{
	struct sss_udp *udp;

	rcu_read_lock();
	udp = rcu_dereference_sk_user_data(sk);
	if (udp) {
		if (atomic_read(&sk->sk_rmem_alloc) > READ_ONCE(sk->sk_rcvbuf) / 2)
			tasklet_schedule(&udp->drain_later);
		else
			drain(udp);
	}
	rcu_read_unlock();
}

/* Who the packet was sent to that this ICMP message is about */
static bool target_of(struct sk_buff *skb, union sss_endpoint *to)
{
	const struct sock_exterr_skb *serr = SKB_EXT_ERR(skb);
	const u8 *addr = skb_network_header(skb) + serr->addr_offset;

	switch (serr->ee.ee_origin) {
	case SO_EE_ORIGIN_ICMP:
		sss_endpoint_set4(to, *(const __be32 *)addr, serr->port);
		return true;
#if IS_ENABLED(CONFIG_IPV6)
	case SO_EE_ORIGIN_ICMP6:
		sss_endpoint_set6(to, (const struct in6_addr *)addr, serr->port,
				  IP6CB(skb)->iif);
		return true;
#endif
	}
	return false;
}

static void error_report(struct sock *sk)
{
	union sss_endpoint to;
	struct sss_udp *udp;
	struct sk_buff *skb;

	rcu_read_lock_bh();
	udp = rcu_dereference_sk_user_data(sk);
	while (udp && (skb = sock_dequeue_err_skb(sk))) {
		int err = SKB_EXT_ERR(skb)->ee.ee_errno;

		/* What is too big is found out by probing. */
		if (err && err != EMSGSIZE && target_of(skb, &to))
			(udp->ops->unreachable)(udp->owner, &to, err);	/* also a macro */
		consume_skb(skb);
	}
	rcu_read_unlock_bh();
}

/* Opening and closing */

static int set_option(struct socket *sock, int level, int name, int value)
{
	return sock->ops->setsockopt(sock, level, name, KERNEL_SOCKPTR(&value),
				     sizeof(value));
}

static int set_options(struct socket *sock)
{
	int err;

	if (sock->sk->sk_family == AF_INET6) {
		err = set_option(sock, SOL_IPV6, IPV6_V6ONLY, 1) ?:
		      set_option(sock, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_INTERFACE) ?:
		      set_option(sock, SOL_IPV6, IPV6_RECVERR, 1);
	} else {
		err = set_option(sock, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE) ?:
		      set_option(sock, SOL_IP, IP_RECVERR, 1);
	}
	/* By the front door: it also turns on what makes NICs coalesce. */
	return err ?: set_option(sock, SOL_UDP, UDP_GRO, 1);
}

static int open_socket(struct sss_udp *udp, sa_family_t family, struct socket **result)
{
	struct sockaddr_storage addr = { .ss_family = family };
	struct socket *sock;
	struct sock *sk;
	int err, len;

	err = sock_create_kern(udp->sn->net, family, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return err;
	sk = sock->sk;
	lock_sock(sk);
	/* SO_RCVBUF is capped by rmem_max, and its FORCE wants a capability. */
	sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	WRITE_ONCE(sk->sk_rcvbuf, RECEIVE_BUFFER);
#ifdef CONFIG_NET_RX_BUSY_POLL
	/* __skb_recv_udp() would poll the device, in the middle of its own softirq. */
	WRITE_ONCE(sk->sk_ll_usec, 0);
#endif
	release_sock(sk);

	err = set_options(sock);
	if (err)
		goto fail;
	if (family == AF_INET) {
		((struct sockaddr_in *)&addr)->sin_port = udp->port;
		len = sizeof(struct sockaddr_in);
	} else {
		((struct sockaddr_in6 *)&addr)->sin6_port = udp->port;
		len = sizeof(struct sockaddr_in6);
	}
	err = kernel_bind(sock, (struct sockaddr *)&addr, len);
	if (err)
		goto fail;
	udp->port = inet_sk(sk)->inet_sport;
	*result = sock;
	return 0;
fail:
	sock_release(sock);
	return err;
}

static int open_sockets(struct sss_udp *udp, u16 port)
{
	int err;

	udp->port = htons(port);
	err = open_socket(udp, AF_INET, &udp->sock4);
	if (err || !IS_ENABLED(CONFIG_IPV6))
		return err;
	err = open_socket(udp, AF_INET6, &udp->sock6);
	if (err == -EAFNOSUPPORT)	/* ipv6.disable=1 */
		return 0;
	if (err) {
		sock_release(udp->sock4);
		udp->sock4 = NULL;
	}
	return err;
}

static void attach(struct sss_udp *udp, struct socket *sock)
{
	struct sock *sk = sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, udp);
	udp->data_ready = sk->sk_data_ready;
	udp->error_report = sk->sk_error_report;
	WRITE_ONCE(sk->sk_data_ready, data_ready);
	WRITE_ONCE(sk->sk_error_report, error_report);
	write_unlock_bh(&sk->sk_callback_lock);
	/* What came between bind and now. */
	local_bh_disable();
	data_ready(sk);
	local_bh_enable();
}

static void detach(struct sss_udp *udp, struct socket *sock)
{
	struct sock *sk = sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	WRITE_ONCE(sk->sk_data_ready, udp->data_ready);
	WRITE_ONCE(sk->sk_error_report, udp->error_report);
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
}

/**
 * sss_udp_open - open the sockets of a host and start receiving
 * @sn: namespace
 * @port: UDP port, host order; 0: one that is free for both families
 * @ops: called from now on, possibly before this returns
 * @owner: handed to @ops
 *
 * Without IPv6 in the kernel (or with ipv6.disable=1) there is only the IPv4
 * socket. The sockets do not keep the namespace alive.
 *
 * Return: the sockets, or an ERR_PTR: -EADDRINUSE, -ENOMEM, or what security
 * modules and BPF programs answer to bind.
 * Context: process, may sleep.
 */
struct sss_udp *sss_udp_open(struct sss_net *sn, u16 port, const struct sss_net_ops *ops,
			     void *owner)
{
	struct sss_udp *udp = kzalloc(sizeof(*udp), GFP_KERNEL);
	int err, attempts = port ? 1 : PORT_ATTEMPTS;

	if (!udp)
		return ERR_PTR(-ENOMEM);
	udp->sn = sn;
	udp->ops = ops;
	udp->owner = owner;
	tasklet_setup(&udp->drain_later, drain_later);
	/* A port that is free for IPv4 may be taken for IPv6. */
	do {
		err = open_sockets(udp, port);
	} while (err == -EADDRINUSE && --attempts);
	if (err) {
		kfree(udp);
		return ERR_PTR(err);
	}
	attach(udp, udp->sock4);
	if (udp->sock6)
		attach(udp, udp->sock6);
	return udp;
}

/**
 * sss_udp_close - stop receiving, close the sockets and free @udp
 * @udp: from sss_udp_open(); whoever may send on it is kept out as the head
 *	of udp.h says
 *
 * When it returns no callback runs and none will. Packets already sent are on
 * their way and keep what they need of the socket. Safe under traffic and
 * from pernet pre_exit and exit.
 *
 * Context: process, may sleep (an RCU grace period), no locks that a callback
 * takes.
 */
void sss_udp_close(struct sss_udp *udp)
{
	set_bit(SSS_UDP_CLOSING, &udp->flags);
	detach(udp, udp->sock4);
	if (udp->sock6)
		detach(udp, udp->sock6);
	/* For callbacks that found sk_user_data, and for senders. */
	synchronize_net();
	tasklet_kill(&udp->drain_later);
	sock_release(udp->sock4);
	if (udp->sock6)
		sock_release(udp->sock6);
	kfree(udp);
}

/**
 * sss_udp_port - the port the sockets are bound to
 * @udp: the sockets
 *
 * Return: UDP port, host order.
 * Context: any.
 */
u16 sss_udp_port(const struct sss_udp *udp)
{
	return ntohs(udp->port);
}

/* Sending */

static struct dst_entry *route4(struct sock *sk, const union sss_endpoint *to, __be32 *saddr,
				struct dst_cache *cache)
{
	struct net *net = sock_net(sk);
	struct flowi4 fl = {
		.daddr = to->in.sin_addr.s_addr,
		.fl4_dport = to->in.sin_port,
		.fl4_sport = inet_sk(sk)->inet_sport,
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_uid = sock_net_uid(net, NULL),
	};
	struct rtable *rt;

	if (cache) {
		rt = dst_cache_get_ip4(cache, saddr);
		if (rt)
			return &rt->dst;
	}
	security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl));
	rt = ip_route_output_flow(net, &fl, sk);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return ERR_PTR(-EACCES);
	}
	*saddr = fl.saddr;
	if (cache)
		dst_cache_set_ip4(cache, &rt->dst, fl.saddr);
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
static struct dst_entry *route6(struct sock *sk, const union sss_endpoint *to,
				struct flowi6 *fl, struct dst_cache *cache)
{
	struct net *net = sock_net(sk);
	struct dst_entry *dst;

	*fl = (struct flowi6){
		.daddr = to->in6.sin6_addr,
		.fl6_dport = to->in6.sin6_port,
		.fl6_sport = inet_sk(sk)->inet_sport,
		.flowi6_oif = to->in6.sin6_scope_id,
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_uid = sock_net_uid(net, NULL),
	};
	if (cache) {
		dst = dst_cache_get_ip6(cache, &fl->saddr);
		if (dst)
			return dst;
	}
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl));
	dst = ip6_dst_lookup_flow(net, sk, fl, NULL);
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
 * @to: where to; passed sss_udp_endpoint_check() once
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
	struct sock *sk = family_sock(udp, to);
	unsigned int len = skb->len, segs;
	int err;

	segs = gso_size ? DIV_ROUND_UP(len, gso_size) : 1;
	if (unlikely(!sk)) {
		err = -ENETUNREACH;
		goto drop;
	}
	err = skb_cow_head(skb, SSS_UDP_HEADROOM);
	if (unlikely(err))
		goto drop;

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
	sss_mib_inc(udp->sn, TX_ERRORS);
	return err;
drop:
	sss_mib_inc(udp->sn, TX_ERRORS);
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
	const struct sock *sk = family_sock(udp, to);

	return sk ? sk_wmem_alloc_get(sk) : 0;
}

/**
 * sss_udp_mtu - the largest packet the way out takes
 * @udp: the sockets
 * @to: destination
 *
 * That of the outgoing device: path MTUs learnt from ICMP do not count, and
 * what the path takes is for probes to find out.
 *
 * Return: bytes of UDP payload, 0 when there is no route.
 * Context: any but hard interrupts.
 */
unsigned int sss_udp_mtu(struct sss_udp *udp, const union sss_endpoint *to)
{
	struct sock *sk = family_sock(udp, to);
	struct dst_entry *dst = ERR_PTR(-ENETUNREACH);
	unsigned int mtu = 0;

	rcu_read_lock_bh();
	if (sk && sk->sk_family == AF_INET) {
		__be32 saddr = 0;

		dst = route4(sk, to, &saddr, NULL);
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (sk && sk->sk_family == AF_INET6) {
		struct flowi6 fl;

		dst = route6(sk, to, &fl, NULL);
	}
#endif
	if (!IS_ERR(dst)) {
		mtu = route_mtu(dst) - ip_header_len(sk) - sizeof(struct udphdr);
		dst_release(dst);
	}
	rcu_read_unlock_bh();
	return mtu;
}

/**
 * sss_udp_ecn - the ECN bits a packet arrived with
 * @skb: as given to sss_net_ops.receive; GRO merges no differing ones
 *
 * Return: INET_ECN_NOT_ECT, _ECT_1, _ECT_0 or _CE.
 * Context: any.
 */
u8 sss_udp_ecn(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return ip_hdr(skb)->tos & INET_ECN_MASK;
	return ipv6_get_dsfield(ipv6_hdr(skb)) & INET_ECN_MASK;
}
