// SPDX-License-Identifier: GPL-2.0
/* Where a stream's packets go from and to, and where else the peer may be */
#include <linux/err.h>
#include <linux/slab.h>
#include "channel/channel.h"
#include "channel/path.h"
#include "net/udp.h"
#include "peer/host.h"
#include "peer/peer.h"
#include "stream/stream.h"
#include "socket.h"

/**
 * struct sss_hints - endpoints of the peer that connect() will call
 * @n: how many
 * @configured: bits: who said so has CAP_NET_ADMIN
 * @ep: none twice
 */
struct sss_hints {
	unsigned int n;
	unsigned long configured;
	union sss_endpoint ep[SSS_PEER_ENDPOINTS_MAX];
};

static int keep_hint(struct sss_sock *ss, const union sss_endpoint *ep, bool configured)
{
	struct sss_hints *hints = ss->hints;
	unsigned int i;

	if (!hints)
		hints = kzalloc(sizeof(*hints), GFP_KERNEL_ACCOUNT);
	if (!hints)
		return -ENOMEM;
	ss->hints = hints;
	for (i = 0; i < hints->n; i++)
		if (sss_endpoint_equal(&hints->ep[i], ep))
			break;
	if (i == SSS_PEER_ENDPOINTS_MAX)
		return -ENOBUFS;
	hints->ep[i] = *ep;
	if (configured)
		__set_bit(i, &hints->configured);
	hints->n = max(hints->n, i + 1);
	return 0;
}

static int add(struct sock *sk, const union sss_endpoint *ep, bool configured)
{
	struct sss_sock *ss = sss_sk(sk);

	if (sk->sk_type == SOCK_DGRAM || sk->sk_state == TCP_LISTEN || ss->parent)
		return -EOPNOTSUPP;
	if (!ss->stream)
		return keep_hint(ss, ep, configured);
	if (!ss->stream->ch)
		return -ENOTCONN;
	return sss_peer_add_endpoint(ss->stream->ch->peer, ep, configured);
}

/**
 * sss_sock_add_endpoint() - setsockopt(SSS_ADD_ENDPOINT)
 * @sk: stream socket, not locked
 * @val: struct sockaddr_in or sockaddr_in6
 * @len: bytes of it
 *
 * Who may send UDP packets anywhere may name any address here. Only what was named
 * with CAP_NET_ADMIN counts as configured; anything else is tried with few packets.
 *
 * Return: 0; -EINVAL, -EAFNOSUPPORT, -EADDRNOTAVAIL: not an address that may be;
 * -ENOBUFS: eight are known; -EOPNOTSUPP: not this kind of socket; -ENOTCONN: the
 * stream is over; -EFAULT, -ENOMEM. Context: process.
 */
int sss_sock_add_endpoint(struct sock *sk, sockptr_t val, unsigned int len)
{
	struct net *net = sock_net(sk);
	bool configured = ns_capable(net->user_ns, CAP_NET_ADMIN);
	union sss_endpoint raw, ep;
	int err;

	if (len > sizeof(raw.in6))
		return -EINVAL;
	if (copy_from_sockptr(&raw, val, len))
		return -EFAULT;
	err = sss_endpoint_parse(&ep, &raw, len) ?:
	      sss_udp_endpoint_check(net, &ep, READ_ONCE(sss_netns(net)->limits.allow_loopback));
	if (err)
		return err;
	lock_sock(sk);
	err = add(sk, &ep, configured);
	release_sock(sk);
	return err;
}

/**
 * sss_sock_get_endpoint() - SSS_LOCAL_ENDPOINT, SSS_PEER_ENDPOINT
 * @sk: socket, not locked
 * @local: our end
 * @val: where it goes
 * @optlen: becomes the length of the address
 * @room: bytes at @val
 *
 * Return: 0; -ENOTCONN: there is no channel; -ENETUNREACH; -EINVAL: no room;
 * -EFAULT. Context: process.
 */
int sss_sock_get_endpoint(struct sock *sk, bool local, char __user *val, int __user *optlen,
			  int room)
{
	const struct sss_stream *st;
	union sss_endpoint ep;
	int err = -ENOTCONN;
	int len;

	lock_sock(sk);
	st = sss_sk(sk)->stream;
	if (st && st->ch)
		err = sss_path_get_endpoint(st->ch, local, &ep);
	release_sock(sk);
	if (err)
		return err;
	len = ep.sa.sa_family == AF_INET ? sizeof(ep.in) : sizeof(ep.in6);
	if (room < len)
		return -EINVAL;
	if (put_user(len, optlen) || copy_to_user(val, &ep, len))
		return -EFAULT;
	return 0;
}

/**
 * __sss_sock_hinted_peer() - the peer to be called, told where it may be
 * @sk: its lock held
 * @host: as whom
 * @eid: the peer's
 *
 * One that was not configured is made if the program has said where it may be, or a
 * helper can be asked; the caller follows with sss_peer_release_learnt() if nothing
 * comes of it.
 *
 * Return: referenced; or an error: -EHOSTUNREACH: nobody knows the peer; -ENOBUFS,
 * -ENOMEM, -EINVAL, -ENOKEY. Context: process.
 */
struct sss_peer *__sss_sock_hinted_peer(struct sock *sk, struct sss_host *host,
					const struct sss_eid *eid)
{
	const struct sss_hints *hints = sss_sk(sk)->hints;
	struct sss_peer *peer;
	unsigned int i;

	lockdep_assert_held(&sk->sk_lock);
	peer = sss_peer_lookup(host, eid);
	if (!peer) {
		if (!hints && !sss_netns_may_ask(host->sn))
			return ERR_PTR(-EHOSTUNREACH);
		peer = sss_peer_get_or_create(host, eid);
	}
	/* Where there is no room for one, what is known has to do. */
	for (i = 0; !IS_ERR(peer) && hints && i < hints->n; i++)
		sss_peer_add_endpoint(peer, &hints->ep[i], test_bit(i, &hints->configured));
	return peer;
}
