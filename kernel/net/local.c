// SPDX-License-Identifier: GPL-2.0
/* The addresses of this machine that others may be told. */
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include "base/netns.h"
#include "local.h"

/* Public ones in front, so that they stay where there are too many. */
static void add(struct sss_addresses *list, const union sss_endpoint *ep)
{
	unsigned int at = sss_endpoint_is_private(ep) ? list->n : list->n_public;
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (sss_endpoint_equal(&list->ep[i], ep))
			return;
	if (at == SSS_ADDRESSES_MAX)
		return;
	list->n = min_t(unsigned int, list->n + 1, SSS_ADDRESSES_MAX);
	for (i = list->n - 1; i > at; i--)
		list->ep[i] = list->ep[i - 1];
	list->ep[at] = *ep;
	list->n_public += !sss_endpoint_is_private(ep);
}

static void add_v4(struct sss_addresses *list, const struct net_device *dev)
{
	const struct in_device *in = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;
	union sss_endpoint ep;

	if (!in)
		return;
	in_dev_for_each_ifa_rcu(ifa, in) {
		if (ifa->ifa_scope != RT_SCOPE_UNIVERSE)
			continue;
		sss_endpoint_set4(&ep, ifa->ifa_local, 0);
		add(list, &ep);
	}
}

#if IS_ENABLED(CONFIG_IPV6)
static bool is_shown(const struct inet6_ifaddr *ifa, bool temporary)
{
	u32 hidden = IFA_F_TENTATIVE | IFA_F_DEPRECATED | IFA_F_DADFAILED;

	if (ifa->flags & hidden || ifa->scope & (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_LOOPBACK))
		return false;
	return !temporary || ifa->flags & IFA_F_TEMPORARY;
}

/*
 * Who has temporary addresses (RFC 8981) does not want to be known by the
 * others: then only those are told.
 */
static void add_v6(struct sss_addresses *list, const struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);
	const struct inet6_ifaddr *ifa;
	bool temporary = false;
	union sss_endpoint ep;

	if (!idev)
		return;
	read_lock_bh(&idev->lock);
	list_for_each_entry(ifa, &idev->addr_list, if_list)
		temporary |= is_shown(ifa, true);
	list_for_each_entry(ifa, &idev->addr_list, if_list) {
		if (!is_shown(ifa, temporary))
			continue;
		sss_endpoint_set6(&ep, &ifa->addr, 0, 0);
		add(list, &ep);
	}
	read_unlock_bh(&idev->lock);
}
#else
static void add_v6(struct sss_addresses *list, const struct net_device *dev)
{
}
#endif

/**
 * sss_local_collect() - the addresses of this machine that others may be told
 * @sn: namespace
 * @list: result, public ones first, ports 0
 *
 * Of interfaces that are up, without loopback and link-local ones, without IPv6
 * addresses that are not good (yet, or any more), and without the lasting ones of
 * an interface that has temporary ones.
 *
 * Context: any but hard interrupts.
 */
void sss_local_collect(struct sss_net *sn, struct sss_addresses *list)
{
	struct net_device *dev;

	memset(list, 0, sizeof(*list));
	rcu_read_lock();
	for_each_netdev_rcu(sn->net, dev) {
		if (!(dev->flags & IFF_UP) || dev->flags & IFF_LOOPBACK)
			continue;
		add_v4(list, dev);
		add_v6(list, dev);
	}
	rcu_read_unlock();
}
