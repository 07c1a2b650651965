// SPDX-License-Identifier: GPL-2.0
/* Addresses with ports: made, normalised and checked here and nowhere else. */
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include "endpoint.h"
#include "udp.h"

/**
 * sss_endpoint_set4 - make an IPv4 endpoint
 * @ep: written
 * @addr: address
 * @port: UDP port
 *
 * Context: any.
 */
void sss_endpoint_set4(union sss_endpoint *ep, __be32 addr, __be16 port)
{
	memset(ep, 0, sizeof(*ep));
	ep->in.sin_family = AF_INET;
	ep->in.sin_addr.s_addr = addr;
	ep->in.sin_port = port;
}

/**
 * sss_endpoint_set6 - make an endpoint of an IPv6 address
 * @ep: written; IPv4 when @addr is v4-mapped
 * @addr: address
 * @port: UDP port
 * @scope_id: interface of a link-local address; ignored for all others
 *
 * Context: any.
 */
void sss_endpoint_set6(union sss_endpoint *ep, const struct in6_addr *addr, __be16 port,
		       u32 scope_id)
{
	if (ipv6_addr_v4mapped(addr)) {
		sss_endpoint_set4(ep, addr->s6_addr32[3], port);
		return;
	}
	memset(ep, 0, sizeof(*ep));
	ep->in6.sin6_family = AF_INET6;
	ep->in6.sin6_addr = *addr;
	ep->in6.sin6_port = port;
	ep->in6.sin6_scope_id = ipv6_iface_scope_id(addr, scope_id);
}

/**
 * sss_endpoint_same_address - whether two endpoints differ in their port at most
 * @a: one
 * @b: the other
 *
 * Those behind a relay are the same only if it is the same session, too. Context: any.
 */
bool sss_endpoint_same_address(const union sss_endpoint *a, const union sss_endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family || a->via.session != b->via.session)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return ipv6_addr_equal(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

/**
 * sss_endpoint_is_private - is this address one that many networks use?
 * @ep: endpoint
 *
 * RFC 1918, RFC 6598 (a provider's NAT), RFC 4193, and link-local ones. It means
 * the peer only to who is on the same network. Context: any.
 */
bool sss_endpoint_is_private(const union sss_endpoint *ep)
{
	__be32 a = ep->in.sin_addr.s_addr;

	if (ep->sa.sa_family == AF_INET6)
		return (ep->in6.sin6_addr.s6_addr[0] & 0xfe) == 0xfc ||
		       ipv6_addr_type(&ep->in6.sin6_addr) & IPV6_ADDR_LINKLOCAL;
	return ipv4_is_private_10(a) || ipv4_is_private_172(a) || ipv4_is_private_192(a) ||
	       ipv4_is_linklocal_169(a) || (a & htonl(0xffc00000)) == htonl(0x64400000);
}

/**
 * sss_endpoint_parse - make an endpoint of what a program handed in
 * @ep: written on success
 * @addr: struct sockaddr_in or sockaddr_in6, of any alignment
 * @len: bytes there are; more than the struct needs is an error
 *
 * Only the form is checked; sss_udp_endpoint_check() judges the address.
 *
 * Return: 0, -EINVAL (length), -EAFNOSUPPORT (family).
 * Context: any.
 */
int sss_endpoint_parse(union sss_endpoint *ep, const void *addr, size_t len)
{
	union sss_endpoint in = { };

	if (len < sizeof(sa_family_t) || len > sizeof(in.in6))
		return -EINVAL;
	memcpy(&in, addr, len);
	switch (in.sa.sa_family) {
	case AF_INET:
		if (len != sizeof(in.in))
			return -EINVAL;
		sss_endpoint_set4(ep, in.in.sin_addr.s_addr, in.in.sin_port);
		return 0;
	case AF_INET6:
		if (len != sizeof(in.in6))
			return -EINVAL;
		sss_endpoint_set6(ep, &in.in6.sin6_addr, in.in6.sin6_port,
				  in.in6.sin6_scope_id);
		return 0;
	}
	return -EAFNOSUPPORT;
}

/*
 * The broadcast address of a network we are on. Not inet_addr_type(): before a
 * namespace has its first address that calls everything broadcast.
 */
static bool is_broadcast(struct net *net, __be32 addr)
{
	const struct in_ifaddr *ifa;
	struct net_device *dev;
	struct in_device *in;
	bool found = false;

	rcu_read_lock();
	for_each_netdev_rcu(net, dev) {
		in = __in_dev_get_rcu(dev);
		if (!in)
			continue;
		in_dev_for_each_ifa_rcu(ifa, in)
			found |= ifa->ifa_broadcast == addr;
	}
	rcu_read_unlock();
	return found;
}

static int check4(struct net *net, __be32 addr, bool allow_loopback)
{
	if (ipv4_is_zeronet(addr) || ipv4_is_multicast(addr) || ipv4_is_lbcast(addr))
		return -EINVAL;
	if (ipv4_is_loopback(addr))
		return allow_loopback ? 0 : -EADDRNOTAVAIL;
	return is_broadcast(net, addr) ? -EINVAL : 0;
}

static int check6(const struct in6_addr *addr, u32 scope_id, bool allow_loopback)
{
	int type = ipv6_addr_type(addr);

	if (type == IPV6_ADDR_ANY || type & (IPV6_ADDR_MULTICAST | IPV6_ADDR_MAPPED))
		return -EINVAL;
	if (type & IPV6_ADDR_LOOPBACK)
		return allow_loopback ? 0 : -EADDRNOTAVAIL;
	if (type & IPV6_ADDR_LINKLOCAL && !scope_id)
		return -EINVAL;
	return 0;
}

/**
 * sss_udp_endpoint_check - may packets be sent there at all?
 * @net: namespace whose networks tell what a broadcast address is
 * @ep: candidate, from whatever source
 * @allow_loopback: the namespace lets hosts reach each other over loopback
 *
 * A peer can make us send to any address it names, so the ones that reach
 * many, or this machine's own services, are refused wherever they enter.
 *
 * Return: 0; -EINVAL for port 0, an unspecified, multicast or broadcast
 * address, or a link-local one without its interface; -EADDRNOTAVAIL for
 * loopback that is not allowed; -EAFNOSUPPORT for an unknown family.
 * Context: any.
 */
int sss_udp_endpoint_check(struct net *net, const union sss_endpoint *ep, bool allow_loopback)
{
	switch (ep->sa.sa_family) {
	case AF_INET:
		if (!ep->in.sin_port)
			return -EINVAL;
		return check4(net, ep->in.sin_addr.s_addr, allow_loopback);
	case AF_INET6:
		if (!ep->in6.sin6_port)
			return -EINVAL;
		return check6(&ep->in6.sin6_addr, ep->in6.sin6_scope_id, allow_loopback);
	}
	return -EAFNOSUPPORT;
}
