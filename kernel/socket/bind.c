// SPDX-License-Identifier: GPL-2.0
/* Addresses of AF_SSS sockets: checking them, bind(), getsockname(), getpeername() */
#include <linux/fs.h>
#include <linux/rculist.h>
#include <linux/string.h>
#include "base/netns.h"
#include "peer/host.h"
#include "stream/stream.h"
#include "wire/handshake.h"
#include "wire/name.h"
#include "socket.h"

static bool eid_is_zero(const struct sss_eid *eid)
{
	return !memchr_inv(eid->key, 0, sizeof(eid->key));
}

/* A name of the address: valid, or empty where that is allowed. */
static bool name_is_good(const char *name, bool wanted)
{
	size_t len = strnlen(name, SSS_NAME_MAX + 1);

	if (len > SSS_NAME_MAX)
		return false;	/* no NUL */
	if (!wanted)
		return !len;
	return sss_name_is_valid((const u8 *)name, len);
}

/**
 * sss_sock_parse_address() - check an address that a program gave
 * @addr: address, in kernel memory
 * @len: bytes of it
 * @dial: it is a peer's: both names and the EID must be there; else it is a
 *	local one: the EID may be zero, and both names may be missing
 * @out: the address, with nothing but zeros behind the names
 *
 * Return: 0, -EAFNOSUPPORT for another family, -EINVAL for anything else.
 */
int sss_sock_parse_address(const struct sockaddr *addr, int len, bool dial,
			   struct sockaddr_sss *out)
{
	const struct sockaddr_sss *in = (const struct sockaddr_sss *)addr;
	bool names;

	if (len < (int)sizeof(addr->sa_family))
		return -EINVAL;
	if (addr->sa_family != AF_SSS)
		return -EAFNOSUPPORT;
	if (len < (int)sizeof(*in) || in->sss_flags)
		return -EINVAL;
	if (eid_is_zero(&in->sss_eid) ? dial : !sss_eid_is_valid(in->sss_eid.key))
		return -EINVAL;
	names = dial || in->sss_service[0] || in->sss_protocol[0];
	if (!name_is_good(in->sss_service, names) || !name_is_good(in->sss_protocol, names))
		return -EINVAL;

	memset(out, 0, sizeof(*out));
	out->sss_family = AF_SSS;
	out->sss_eid = in->sss_eid;
	strscpy(out->sss_service, in->sss_service, sizeof(out->sss_service));
	strscpy(out->sss_protocol, in->sss_protocol, sizeof(out->sss_protocol));
	return 0;
}

/**
 * sss_sock_check_listen() - may the program listen?
 * @sn: namespace
 * @host: on this host; NULL: on whichever it may
 *
 * Return: 0, -ENOKEY if there is no host at all, -EACCES if all refuse.
 */
int sss_sock_check_listen(struct sss_net *sn, const struct sss_host *host)
{
	int err = -ENOKEY;

	if (host)
		return sss_host_may(host, MAY_WRITE);
	rcu_read_lock();
	list_for_each_entry_rcu(host, &sn->hosts, node) {
		err = sss_host_may(host, MAY_WRITE);
		if (!err)
			break;
	}
	rcu_read_unlock();
	return err;
}

/* The host an address names; NULL in @hostp: every one, or the default. */
static int find_host(struct sss_net *sn, const struct sss_eid *eid, struct sss_host **hostp)
{
	*hostp = NULL;
	if (list_empty(&sn->hosts))
		return -ENOKEY;
	if (eid_is_zero(eid))
		return 0;
	*hostp = sss_host_get_by_eid(sn, eid);
	return *hostp ? 0 : -EADDRNOTAVAIL;
}

static int bind_locked(struct sock *sk, const struct sockaddr_sss *addr)
{
	struct sss_net *sn = sss_netns(sock_net(sk));
	struct sss_sock *ss = sss_sk(sk);
	struct sss_host *host;
	int err;

	if (ss->bound || ss->stream || ss->parent || sk->sk_state != TCP_CLOSE)
		return -EINVAL;
	err = find_host(sn, &addr->sss_eid, &host);
	if (err)
		return err;
	if (addr->sss_service[0])
		err = sss_sock_check_listen(sn, host);
	else if (host)
		err = sss_host_may(host, MAY_READ);
	if (err) {
		if (host)
			sss_host_put(host);
		return err;
	}
	ss->host = host;
	ss->local = *addr;
	ss->bound = true;
	return 0;
}

/**
 * __sss_sock_unbind() - as before bind()
 * @sk: socket lock held
 */
void __sss_sock_unbind(struct sock *sk)
{
	struct sss_sock *ss = sss_sk(sk);

	lockdep_assert_held(&sk->sk_lock);
	if (ss->host)
		sss_host_put(ss->host);
	ss->host = NULL;
	ss->local = (struct sockaddr_sss){ .sss_family = AF_SSS };
	ss->bound = false;
}

/**
 * sss_sock_bind() - bind()
 * @sock: socket
 * @uaddr: local identity (zero: any) and the names to listen on (both or none)
 * @len: bytes of @uaddr
 *
 * Names are taken by listen(), not here.
 *
 * Return: 0, -EINVAL for a bad address or a socket in use, -EAFNOSUPPORT,
 * -ENOKEY without any host, -EADDRNOTAVAIL for an identity that is not here,
 * -EACCES if its mode forbids.
 */
int sss_sock_bind(struct socket *sock, struct sockaddr *uaddr, int len)
{
	struct sock *sk = sock->sk;
	struct sockaddr_sss addr;
	int err = sss_sock_parse_address(uaddr, len, false, &addr);

	if (err)
		return err;
	lock_sock(sk);
	err = bind_locked(sk, &addr);
	release_sock(sk);
	return err;
}

/**
 * sss_sock_getname() - getsockname() and getpeername()
 * @sock: socket
 * @addr: result, room for a sockaddr_storage
 * @peer: 0: the local address, as far as it is known; else the peer's
 *
 * Return: bytes of @addr, -ENOTCONN.
 */
int sss_sock_getname(struct socket *sock, struct sockaddr *addr, int peer)
{
	struct sockaddr_sss *out = (struct sockaddr_sss *)addr;
	struct sock *sk = sock->sk;
	int ret = sizeof(*out);

	lock_sock(sk);
	if (!peer)
		*out = sss_sk(sk)->local;
	else if (sss_sk(sk)->stream && sk->sk_state != TCP_SYN_SENT)
		*out = sss_sk(sk)->remote;
	else
		ret = -ENOTCONN;
	release_sock(sk);
	return ret;
}
