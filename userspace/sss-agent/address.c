// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * This machine's addresses. rtnetlink tells that something changed; a moment later
 * all is read anew, since changes come in crowds.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"

#define ADDRESSES	64
#define LINKS		32
#define SETTLE_MS	300

struct addresses {
	unsigned int n;
	struct reg_endpoint at[ADDRESSES];	/* no ports */
	unsigned int n_links;
	unsigned int links[LINKS];
};

static struct addresses ours;
static uint64_t look_at = UINT64_MAX;

static bool is_on_link(const uint8_t *addr, uint8_t family)
{
	return family == 4 ? addr[0] == 169 && addr[1] == 254 :
			     addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/* What is of use beyond this link */
static void add_address(struct addresses *list, const struct ifaddrs *ifa)
{
	struct reg_endpoint *ep = &list->at[list->n];
	union endpoint_addr addr;

	if (list->n == ADDRESSES || ifa->ifa_flags & IFF_LOOPBACK || !(ifa->ifa_flags & IFF_UP))
		return;
	memset(&addr, 0, sizeof(addr));
	memcpy(&addr, ifa->ifa_addr, ifa->ifa_addr->sa_family == AF_INET ? sizeof(addr.in) :
	       sizeof(addr.in6));
	addr.in.sin_port = htons(1);	/* the same place in both */
	if (!endpoint_from_addr(ep, &addr.sa) || is_on_link(ep->addr, ep->family))
		return;
	ep->port = 0;
	list->n++;
}

static void add_link(struct addresses *list, const struct ifaddrs *ifa)
{
	unsigned int index = if_nametoindex(ifa->ifa_name), i;

	if (!index || list->n_links == LINKS ||
	    (ifa->ifa_flags & (IFF_UP | IFF_MULTICAST | IFF_LOOPBACK)) != (IFF_UP | IFF_MULTICAST))
		return;
	for (i = 0; i < list->n_links; i++)
		if (list->links[i] == index)
			return;
	list->links[list->n_links++] = index;
}

static void read_all(struct addresses *list)
{
	struct ifaddrs *all, *ifa;

	memset(list, 0, sizeof(*list));
	if (getifaddrs(&all))
		return;
	for (ifa = all; ifa; ifa = ifa->ifa_next) {
		if (!ifa->ifa_addr)
			continue;
		if (ifa->ifa_addr->sa_family != AF_INET && ifa->ifa_addr->sa_family != AF_INET6)
			continue;
		add_address(list, ifa);
		add_link(list, ifa);
	}
	freeifaddrs(all);
}

static void on_change(struct source *source, uint32_t events)
{
	char buffer[8192];

	(void)events;
	while (recv(source->fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		errno = 0;
	if (look_at == UINT64_MAX)
		look_at = agent.now + SETTLE_MS;
}

static struct source changes = { .fd = -1, .ready = on_change };

void address_open(void)
{
	struct sockaddr_nl nl = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};

	changes.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (changes.fd < 0 || bind(changes.fd, (struct sockaddr *)&nl, sizeof(nl)) ||
	    loop_add(&changes, EPOLLIN))
		die(EXIT_KERNEL, "rtnetlink: %s", strerror(errno));
	read_all(&ours);
}

unsigned int address_own(const struct identity *self, struct reg_endpoint *eps)
{
	unsigned int i, n = 0;

	for (i = 0; i < ours.n && n < REG_ENDPOINTS; i++) {
		eps[n] = ours.at[i];
		eps[n++].port = self->port;
	}
	return n;
}

bool address_is_own(const union endpoint_addr *addr)
{
	struct reg_endpoint ep;
	unsigned int i, j;

	if (!endpoint_from_addr(&ep, &addr->sa))
		return false;
	for (i = 0; i < ours.n; i++)
		for (j = 0; j < agent.n_identities; j++)
			if (ep.port == agent.identities[j].port &&
			    ep.family == ours.at[i].family &&
			    !memcmp(ep.addr, ours.at[i].addr, sizeof(ep.addr)))
				return true;
	return false;
}

void address_each_link(void (*call)(unsigned int index, void *data), void *data)
{
	unsigned int i;

	for (i = 0; i < ours.n_links; i++)
		call(ours.links[i], data);
}

uint64_t address_tick(void)
{
	struct addresses now;
	bool other;

	if (look_at > agent.now)
		return look_at;
	look_at = UINT64_MAX;
	read_all(&now);
	other = memcmp(&now, &ours, sizeof(now));
	ours = now;
	log_at(LOG_L_DEBUG, "moved", " addresses=%u links=%u new=%d", now.n, now.n_links, other);
	sessions_moved(other);
	if (other)
		local_moved();
	return UINT64_MAX;
}
