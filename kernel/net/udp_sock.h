/* SPDX-License-Identifier: GPL-2.0 */
/* What udp.c (opening, receiving, closing) and udp_send.c share. */
#ifndef _SSS_NET_UDP_SOCK_H
#define _SSS_NET_UDP_SOCK_H

#include <linux/interrupt.h>
#include <net/sock.h>
#include "udp.h"

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

/* The socket that sends there; NULL: no such family here */
static inline struct sock *sss_udp_sock(const struct sss_udp *udp, const union sss_endpoint *to)
{
	switch (to->sa.sa_family) {
	case AF_INET:
		return udp->sock4->sk;
	case AF_INET6:
		return udp->sock6 ? udp->sock6->sk : NULL;
	}
	return NULL;
}

#endif /* _SSS_NET_UDP_SOCK_H */
