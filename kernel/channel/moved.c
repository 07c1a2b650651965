// SPDX-License-Identifier: GPL-2.0
/*
 * Our own end of paths: addresses and routes of this machine come and go. What
 * changed is known from the routes, since an address is a route, too; many
 * changes at once are looked at once, a moment later.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/fib_notifier.h>
#include "base/compat.h"
#include "channel/announce.h"
#include "channel/candidates.h"
#include "channel/handshake.h"
#include "channel/moved.h"
#include "channel/path.h"
#include "channel/timer.h"
#include "net/local.h"
#include "net/udp.h"

#define SOON		(HZ / 100)	/* after the first of several changes */
#define OFTEN		(HZ / 5)	/* where they do not end */
#define AT_A_TIME	256		/* channels */

static bool source_of(const struct sss_channel *ch, const union sss_endpoint *to,
		      union sss_endpoint *from)
{
	struct sss_udp *udp;
	bool ok = false;

	rcu_read_lock();
	udp = rcu_dereference(ch->host->udp);
	if (udp)
		ok = sss_udp_source(udp, to, from);
	rcu_read_unlock();
	return ok;
}

/* Does a route lead to any place where the peer may be? */
static bool __any_route(struct sss_channel *ch)
{
	union sss_endpoint from;
	struct sss_candidates c;
	unsigned int i;

	lockdep_assert_held(&ch->lock);
	__sss_candidates_collect(ch, &c, AF_UNSPEC, false);
	for (i = 0; i < c.n; i++)
		if (source_of(ch, &c.ep[i], &from))
			return true;
	return false;
}

/* No route leads to the path: another one is tried, or the link is down. */
static void __no_route(struct sss_channel *ch)
{
	bool first = !ch->path.unroutable;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	WRITE_ONCE(ch->path.unroutable, true);
	if (!ch->loss.eliciting_in_flight || (!first && ch->link == SSS_LINK_DOWN))
		return;
	if (!__any_route(ch))
		__sss_channel_set_link(ch, SSS_LINK_DOWN);
	else if (first)
		__sss_path_on_pto(ch, now);
	ch->resume_at = now;	/* the timer tells who waits for it */
	__sss_timer_update(ch);
}

/**
 * sss_moved_unroutable() - no route leads to where a packet was to go
 * @ch: channel, referenced by the caller
 * @to: that was to be the path
 *
 * Known for sure, unlike what ICMP says, so nobody waits for a probe timeout.
 *
 * Context: no channel lock held.
 */
void sss_moved_unroutable(struct sss_channel *ch, const union sss_endpoint *to)
{
	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_OPEN && sss_endpoint_equal(&ch->path.remote, to))
		__no_route(ch);
	spin_unlock_bh(&ch->lock);
}

/*
 * There is a route. If it leaves from another address than before, the peer is to
 * see it, as it could not reach us; so it is if there was none for a while.
 */
static void __follow(struct sss_channel *ch, const union sss_endpoint *source)
{
	bool same = sss_endpoint_same_address(&ch->path.source, source);
	bool was_gone = ch->path.unroutable;

	lockdep_assert_held(&ch->lock);
	WRITE_ONCE(ch->path.unroutable, false);
	if (same && !was_gone)
		return;
	if (!same && ch->path.source.sa.sa_family != AF_UNSPEC)
		__sss_path_start_afresh(ch, ktime_get_ns());
	ch->path.source = *source;
	if (!ch->n_streams)
		return;
	ch->ping = true;
	if (!__sss_channel_may_send(ch))
		__sss_handshake_want(ch, NULL);
}

/**
 * __sss_moved_followed() - the peer sends to another address of ours
 * @ch: channel
 * @from: the path, as it came in there
 * @now: ns
 *
 * The path leaves from there now. If it did not before, nothing that was measured holds:
 * we moved, and the peer has seen it before we looked. But each time that costs what is
 * in flight and gives a new window, so it is not done for a peer that goes to and fro.
 *
 * Context: channel lock held.
 */
void __sss_moved_followed(struct sss_channel *ch, const union sss_endpoint *from, u64 now)
{
	union sss_endpoint source = {};

	lockdep_assert_held(&ch->lock);
	ch->path.remote = *from;
	WRITE_ONCE(ch->path.changes, ch->path.changes + 1);
	dst_cache_reset(&ch->path.cache);
	source_of(ch, from, &source);
	if (ch->path.source.sa.sa_family && source.sa.sa_family &&
	    !sss_endpoint_same_address(&ch->path.source, &source) &&
	    __sss_path_is_settled(ch, now)) {
		ch->path.since = now;
		__sss_path_start_afresh(ch, now);
	}
	ch->path.source = source;
}

/* One that does not answer is tried at once: another way may lead there now. */
static void __look_around(struct sss_channel *ch)
{
	union sss_endpoint source;
	bool routed = source_of(ch, &ch->path.remote, &source);

	lockdep_assert_held(&ch->lock);
	if (routed)
		__follow(ch, &source);
	else
		__no_route(ch);
	if (ch->link != SSS_LINK_UP || ch->path.unroutable) {
		__sss_channel_hope(ch);
		__sss_path_on_pto(ch, ktime_get_ns());
	}
	__sss_announce_want(ch);
}

static void look_around(struct sss_channel *ch)
{
	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_OPEN)
		__look_around(ch);
	if (ch->state != SSS_CHANNEL_CLOSED)
		__sss_handshake_hurry(ch);
	spin_unlock_bh(&ch->lock);
	sss_channel_transmit(ch);
}

/* The next channels, by the ids of their peers, with references; how many */
static unsigned int gather(struct sss_host *host, u32 *last, struct sss_channel **found)
{
	struct sss_channel *ch;
	struct sss_peer *peer;
	unsigned int n = 0;

	list_for_each_entry_rcu(peer, &host->peer_list, list) {
		if (peer->id <= *last)
			continue;
		if (n == AT_A_TIME)
			break;
		*last = peer->id;
		ch = sss_channel_of_peer(peer);
		if (ch)
			found[n++] = ch;
	}
	return n;
}

/* Under RCU, the first host behind @last, with a reference */
static struct sss_host *next_host(struct sss_net *sn, u32 last)
{
	struct sss_host *host, *next = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(host, &sn->hosts, node)
		if (host->id > last && (!next || host->id < next->id) && !READ_ONCE(host->dead))
			next = host;
	if (next && !sss_host_get(next))
		next = NULL;
	rcu_read_unlock();
	return next;
}

static void look_around_all(struct sss_host *host, struct sss_channel **found)
{
	unsigned int i, n;
	u32 last = 0;

	do {
		rcu_read_lock();
		n = gather(host, &last, found);
		rcu_read_unlock();
		for (i = 0; i < n; i++) {
			look_around(found[i]);
			sss_channel_put(found[i]);
		}
		cond_resched();
	} while (n);
}

/* The addresses that others may be told are other ones. */
static void collect(struct sss_net *sn)
{
	struct sss_addresses list;

	sss_local_collect(sn, &list);
	spin_lock_bh(&sn->addresses_lock);
	*sn->addresses = list;
	spin_unlock_bh(&sn->addresses_lock);
}

static void work(struct work_struct *work)
{
	struct sss_net *sn = container_of(to_delayed_work(work), struct sss_net, moved);
	struct sss_channel **found;
	struct sss_host *host;
	u32 last = 0;

	sn->moved_at = jiffies;
	collect(sn);
	found = kvmalloc_array(AT_A_TIME, sizeof(struct sss_channel *), GFP_KERNEL);
	if (!found) {
		schedule_delayed_work(&sn->moved, OFTEN);
		return;
	}
	while ((host = next_host(sn, last))) {
		last = host->id;
		look_around_all(host, found);
		sss_host_put(host);
	}
	kvfree(found);
}

static int route_changed(struct notifier_block *nb, unsigned long event, void *info)
{
	struct sss_net *sn = container_of(nb, struct sss_net, routes);

	schedule_delayed_work(&sn->moved, time_after(jiffies, READ_ONCE(sn->moved_at) + HZ) ?
			      SOON : OFTEN);
	return NOTIFY_DONE;
}

/**
 * sss_moved_net_init() - begin to watch addresses and routes of a namespace
 * @sn: namespace
 *
 * Return: 0 or -ENOMEM. Context: process.
 */
int sss_moved_net_init(struct sss_net *sn)
{
	sn->addresses = kzalloc(sizeof(*sn->addresses), GFP_KERNEL_ACCOUNT);
	if (!sn->addresses)
		return -ENOMEM;
	spin_lock_init(&sn->addresses_lock);
	INIT_DELAYED_WORK(&sn->moved, work);
	sn->moved_at = jiffies - 2 * HZ;
	sn->routes.notifier_call = route_changed;
	/* Routes that never stand still: then only timers see what has changed. */
	if (register_fib_notifier(sn->net, &sn->routes, NULL, NULL))
		pr_debug("routes are not watched\n");
	else
		sn->watching = true;
	collect(sn);
	return 0;
}

/**
 * sss_moved_net_stop() - and end it
 * @sn: namespace
 *
 * Harmless if it was done. Context: process, sleeps.
 */
void sss_moved_net_stop(struct sss_net *sn)
{
	if (sn->watching)
		unregister_fib_notifier(sn->net, &sn->routes);
	sn->watching = false;
	cancel_delayed_work_sync(&sn->moved);
}

/**
 * sss_moved_net_exit() - undo sss_moved_net_init()
 * @sn: namespace without hosts
 *
 * Context: process, sleeps.
 */
void sss_moved_net_exit(struct sss_net *sn)
{
	sss_moved_net_stop(sn);
	kfree(sn->addresses);
}
