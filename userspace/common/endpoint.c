// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "endpoint.h"
#include "number.h"

bool endpoint_split(const char *text, char *node, size_t size, unsigned int *port)
{
	const char *colon = strrchr(text, ':'), *from = text;
	uint64_t number;
	size_t len;

	if (!colon || !number_parse(colon + 1, 10, 65535, &number))
		return false;
	len = colon - text;
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		from++;
		len -= 2;
	} else if (!len || strpbrk(text, ":[]") != colon) {
		return false;
	}
	if (len >= size)
		return false;
	memcpy(node, from, len);
	node[len] = '\0';
	*port = number;
	return true;
}

bool endpoint_parse(const char *text, struct reg_endpoint *ep)
{
	unsigned int port;
	char node[64];

	memset(ep, 0, sizeof(*ep));
	if (!endpoint_split(text, node, sizeof(node), &port) || !port)
		return false;
	ep->port = port;
	ep->family = *text == '[' ? 6 : 4;
	return inet_pton(*text == '[' ? AF_INET6 : AF_INET, node, ep->addr) == 1;
}

static bool usable4(uint32_t addr)
{
	return addr >> 24 && !IN_MULTICAST(addr) && addr != INADDR_BROADCAST;
}

static bool usable6(const struct sockaddr_in6 *in6)
{
	const struct in6_addr *addr = &in6->sin6_addr;

	return !IN6_IS_ADDR_UNSPECIFIED(addr) && !IN6_IS_ADDR_MULTICAST(addr) &&
	       !IN6_IS_ADDR_V4MAPPED(addr) &&
	       (!IN6_IS_ADDR_LINKLOCAL(addr) || in6->sin6_scope_id);
}

bool endpoint_usable(const union endpoint_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return addr->in.sin_port && usable4(ntohl(addr->in.sin_addr.s_addr));
	return addr->sa.sa_family == AF_INET6 && addr->in6.sin6_port && usable6(&addr->in6);
}

char *endpoint_format(const struct reg_endpoint *ep, char *text)
{
	char addr[INET6_ADDRSTRLEN] = "?";

	inet_ntop(ep->family == 6 ? AF_INET6 : AF_INET, ep->addr, addr, sizeof(addr));
	snprintf(text, ENDPOINT_TEXT, ep->family == 6 ? "[%s]:%u" : "%s:%u", addr, ep->port);
	return text;
}

size_t endpoint_to_addr(const struct reg_endpoint *ep, union endpoint_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (ep->family == 4) {
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = htons(ep->port);
		memcpy(&addr->in.sin_addr, ep->addr, 4);
		return sizeof(addr->in);
	}
	if (ep->family != 6)
		return 0;
	addr->in6.sin6_family = AF_INET6;
	addr->in6.sin6_port = htons(ep->port);
	memcpy(&addr->in6.sin6_addr, ep->addr, 16);
	return sizeof(addr->in6);
}

bool endpoint_from_addr(struct reg_endpoint *ep, const struct sockaddr *sa)
{
	const union endpoint_addr *addr = (const void *)sa;

	memset(ep, 0, sizeof(*ep));
	if (sa->sa_family == AF_INET && addr->in.sin_port) {
		ep->family = 4;
		ep->port = ntohs(addr->in.sin_port);
		memcpy(ep->addr, &addr->in.sin_addr, 4);
		return true;
	}
	if (sa->sa_family != AF_INET6 || !addr->in6.sin6_port)
		return false;
	ep->family = 6;
	ep->port = ntohs(addr->in6.sin6_port);
	memcpy(ep->addr, &addr->in6.sin6_addr, 16);
	return true;
}
