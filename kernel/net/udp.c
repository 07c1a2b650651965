// SPDX-License-Identifier: GPL-2.0
/*
 * The UDP sockets of a host: opening, receiving, closing.
 *
 * The sockets are ordinary ones without encap_rcv, because UDP
 * splits super-packets for encap sockets only. What they queue is pulled in
 * sk_data_ready(), in softirq; sk_data_ready() may come on several CPUs at
 * once, and one of them (SSS_UDP_BUSY) does the work of all.
 *
 * ICMP comes in by the error queues. It never changes what is sent.
 */
#include <linux/errqueue.h>
#include <linux/ipv6.h>
#include <net/ip.h>
#include <net/udp.h>
#include "base/drop.h"
#include "udp_sock.h"

/*
 * Above half of sk_rcvbuf the core calls sk_data_ready() under a spinlock that
 * other sockets share, so this is generous: 4 MiB of skbs at 2 MiB of data.
 */
#define RECEIVE_BUFFER	(8 << 20)
/* Skbs pulled before other softirqs get their turn; up to 4 MB when all are GRO */
#define DRAIN_BUDGET	64
/* Attempts to find a port that is free for both families */
#define PORT_ATTEMPTS	32

/* Receiving */

/* Where a packet came from, and to which address of ours */
static bool source_of(const struct sk_buff *skb, union sss_endpoint *from)
{
	__be16 port = udp_hdr(skb)->source;

	if (skb->protocol == htons(ETH_P_IP)) {
		sss_endpoint_set4(from, ip_hdr(skb)->saddr, port);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &from->via.local);
	} else if (IS_ENABLED(CONFIG_IPV6) && skb->protocol == htons(ETH_P_IPV6)) {
		const struct in6_addr *addr = &ipv6_hdr(skb)->saddr;

		sss_endpoint_set6(from, addr, port, inet6_iif(skb));
		from->via.local = ipv6_hdr(skb)->daddr;
	} else {
		return false;
	}
	from->via.dev = skb->skb_iif;
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
		sss_drop_packets(sn, 0, SSS_MIB_DROP_CHECKSUM, segs);
		kfree_skb_reason(skb, SKB_DROP_REASON_UDP_CSUM);
		return;
	}
	if (!source_of(skb, &from)) {
		sss_drop_packets(sn, 0, SSS_MIB_DROP_ENDPOINT, segs);
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
	void (*hint)(void *owner, const union sss_endpoint *to, int err);
	union sss_endpoint to;
	struct sss_udp *udp;
	struct sk_buff *skb;

	rcu_read_lock_bh();
	udp = rcu_dereference_sk_user_data(sk);
	while (udp && (skb = sock_dequeue_err_skb(sk))) {
		int err = SKB_EXT_ERR(skb)->ee.ee_errno;

		hint = udp->ops->unreachable;	/* unreachable() is a macro, too */
		/* What is too big is found out by probing. */
		if (err && err != EMSGSIZE && target_of(skb, &to))
			hint(udp->owner, &to, err);
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
