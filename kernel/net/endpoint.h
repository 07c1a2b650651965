/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SSS_NET_ENDPOINT_H
#define _SSS_NET_ENDPOINT_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <net/ipv6.h>

struct net;

/**
 * union sss_endpoint - an address and UDP port, v4 or v6, or one behind a relay
 * @sa: sa_family tells which of the two it is
 * @in: AF_INET
 * @in6: AF_INET6; sin6_scope_id is zero unless the address is link-local,
 *	sin6_flowinfo always is
 * @via: what is beside the address; session is not zero if that is a relay's, and
 *	tells whom it sends to from there. local and dev: at which address (v4-mapped
 *	for AF_INET) and by which interface a packet from there came. What is sent there
 *	leaves in the same way as long as routes allow it: a NAT or a firewall before
 *	the peer lets in nothing else. dev 0: as routes say. The two are not compared
 *
 * Unused bytes are zero. A v4-mapped v6 address never occurs: it is stored as
 * v4. To print one: %pISpfsc with &ep->sa.
 */
union sss_endpoint {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct {
		struct sockaddr_in6 address;
		__be32 zero;
		__be64 session;
		struct in6_addr local;
		int dev;
		__be32 zero_too;
	} via;
};

/**
 * sss_endpoint_equal - whether two endpoints are the same
 * @a: one, as made by the functions below
 * @b: the other
 *
 * Context: any.
 */
static inline bool sss_endpoint_equal(const union sss_endpoint *a, const union sss_endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family || a->via.session != b->via.session)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr &&
		       a->in.sin_port == b->in.sin_port;
	return ipv6_addr_equal(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
	       a->in6.sin6_port == b->in6.sin6_port &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

/**
 * sss_endpoint_prefix - where in the network an address is
 * @sa: AF_INET or AF_INET6
 *
 * What one party may have many of at no cost counts as one: an IPv4 /24, an
 * IPv6 /64.
 *
 * Return: the upper bits, a number that is only ever compared. Context: any.
 */
static inline u64 sss_endpoint_prefix(const struct sockaddr *sa)
{
	__be64 upper;

	if (sa->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)sa)->sin_addr.s_addr) >> 8;
	memcpy(&upper, &((const struct sockaddr_in6 *)sa)->sin6_addr, sizeof(upper));
	return be64_to_cpu(upper);
}

/**
 * sss_endpoint_same_local - did packets of the two come to the same address of ours?
 * @a: one
 * @b: the other
 *
 * Context: any.
 */
static inline bool sss_endpoint_same_local(const union sss_endpoint *a,
					   const union sss_endpoint *b)
{
	return a->via.dev == b->via.dev && ipv6_addr_equal(&a->via.local, &b->via.local);
}

/**
 * sss_endpoint_same_prefix - are two endpoints in one place, as sss_endpoint_prefix() has it?
 * @a: one
 * @b: the other
 *
 * Context: any.
 */
static inline bool sss_endpoint_same_prefix(const union sss_endpoint *a,
					    const union sss_endpoint *b)
{
	return a->sa.sa_family == b->sa.sa_family &&
	       sss_endpoint_prefix(&a->sa) == sss_endpoint_prefix(&b->sa);
}

bool sss_endpoint_same_address(const union sss_endpoint *a, const union sss_endpoint *b);
bool sss_endpoint_is_private(const union sss_endpoint *ep);
void sss_endpoint_set4(union sss_endpoint *ep, __be32 addr, __be16 port);
void sss_endpoint_set6(union sss_endpoint *ep, const struct in6_addr *addr, __be16 port,
		       u32 scope_id);
int sss_endpoint_parse(union sss_endpoint *ep, const void *addr, size_t len);

#endif /* _SSS_NET_ENDPOINT_H */
