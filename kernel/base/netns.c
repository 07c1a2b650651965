// SPDX-License-Identifier: GPL-2.0
/* What every floor needs of a namespace: limits, counters, events. */
#include <linux/module.h>
#include <linux/sizes.h>
#include "netns.h"

/* Key of struct sss_net in a namespace; written once, when main registers */
unsigned int sss_net_id __read_mostly;

static sss_event_fn event_fn __read_mostly;
static const struct sss_ask_ops *ask_ops __read_mostly;

/**
 * sss_netns_limits_init() - the defaults of every timer and limit
 * @limits: to fill
 */
void sss_netns_limits_init(struct sss_limits *limits)
{
	*limits = (struct sss_limits){
		.connect_timeout_ms = 30 * MSEC_PER_SEC,
		.initiate_interval_ms = MSEC_PER_SEC,
		.initiate_interval_max_ms = 15 * MSEC_PER_SEC,
		.initiate_lifetime_ms = 5 * MSEC_PER_SEC,
		.rekey_initiator_ms = 120 * MSEC_PER_SEC,
		.rekey_responder_ms = 150 * MSEC_PER_SEC,
		.stop_send_ms = 180 * MSEC_PER_SEC,
		.stop_receive_ms = 240 * MSEC_PER_SEC,
		.erase_ms = 300 * MSEC_PER_SEC,
		.max_ack_delay_us = 5 * USEC_PER_MSEC,
		.idle_timeout_ms = 60 * MSEC_PER_SEC,
		.down_timeout_ms = 20 * MSEC_PER_SEC,
		.orphan_timeout_ms = 300 * MSEC_PER_SEC,
		.max_orphans = 4096,
		.max_half_open = 1024,
		.max_prefix_half_open = 256,
		.max_channels = 65536,
		.max_prefix_channels = 4096,
		.handshake_queue = 1024,
		.initial_stream_window = SZ_64K,
		.channel_window = SZ_16M,
		.max_record = 16 << 20,
		.max_datagram = 16 << 20,
		.datagram_credit = 256 << 10,
		.max_streams = 4096,
		.max_waiting = 16384,
		.max_prefix_waiting = 4096,
		.max_memory = SZ_1G,
		.max_prefix_memory = SZ_512M,
		.max_peer_memory = SZ_512M,
		.rmem = { SZ_16K, SZ_64K, 6 * SZ_1M },
		.wmem = { SZ_16K, SZ_64K, SZ_4M },
		.allow_loopback = 0,
		.resolve_timeout_ms = 10 * MSEC_PER_SEC,
		.resolve_interval_ms = 3 * MSEC_PER_SEC,
		.max_questions = 1024,
		.keepalive_ms = 25000,
		.announce_endpoints = 1,
	};
}

/**
 * sss_netns_init() - set up what base and peer keep in a namespace
 * @sn: zeroed
 * @net: its namespace
 *
 * Sleeps. Return: 0 or -ENOMEM; undo with sss_netns_exit().
 */
int sss_netns_init(struct sss_net *sn, struct net *net)
{
	sn->net = net;
	sss_netns_limits_init(&sn->limits);
	mutex_init(&sn->hosts_lock);
	INIT_LIST_HEAD(&sn->hosts);
	spin_lock_init(&sn->crowds_lock);
	spin_lock_init(&sn->services_lock);
	INIT_LIST_HEAD(&sn->services);
	return sss_mib_init(sn);
}

/**
 * sss_netns_exit() - undo sss_netns_init()
 * @sn: no host, socket or RCU callback uses it any more
 */
void sss_netns_exit(struct sss_net *sn)
{
	sss_mib_exit(sn);
}

/**
 * sss_netns_set_event_fn() - say who is told of events
 * @fn: from then on, or NULL; the one before is not called any more when this
 *	returns
 *
 * Context: process, sleeps.
 */
void sss_netns_set_event_fn(sss_event_fn fn)
{
	WRITE_ONCE(event_fn, fn);
	synchronize_rcu();
}

/**
 * sss_netns_event() - tell monitoring programs that something happened
 * @sn: namespace
 * @event: what
 * @local: EID of the host
 * @remote: EID of the peer, or NULL
 *
 * Any context; never fails visibly: events are a courtesy.
 */
void sss_netns_event(struct sss_net *sn, enum sss_event event,
		     const struct sss_eid *local, const struct sss_eid *remote)
{
	sss_event_fn fn;

	rcu_read_lock();
	fn = READ_ONCE(event_fn);
	if (fn)
		fn(sn, event, local, remote);
	rcu_read_unlock();
}

/**
 * sss_netns_set_ask_ops() - say who takes questions to helpers
 * @ops: from then on, or NULL; those before are not called any more when this
 *	returns
 *
 * Context: process, sleeps.
 */
void sss_netns_set_ask_ops(const struct sss_ask_ops *ops)
{
	WRITE_ONCE(ask_ops, ops);
	synchronize_rcu();
}

/**
 * sss_netns_may_ask() - can there be a helper that knows where peers are?
 * @sn: namespace
 *
 * Return: false: for sure there is none; else sss_netns_ask() knows. Context: any.
 */
bool sss_netns_may_ask(struct sss_net *sn)
{
	const struct sss_ask_ops *ops;
	bool may;

	rcu_read_lock();
	ops = READ_ONCE(ask_ops);
	may = ops && ops->may_listen(sn);
	rcu_read_unlock();
	return may;
}

/**
 * sss_netns_ask() - ask helpers where a peer is
 * @sn: namespace
 * @local: EID of the host
 * @remote: EID of the peer
 *
 * The answer comes by sss_resolve_answer().
 *
 * Return: false: there is no helper. Context: any.
 */
bool sss_netns_ask(struct sss_net *sn, const struct sss_eid *local, const struct sss_eid *remote)
{
	const struct sss_ask_ops *ops;
	bool heard;

	rcu_read_lock();
	ops = READ_ONCE(ask_ops);
	heard = ops && ops->ask(sn, local, remote);
	rcu_read_unlock();
	return heard;
}
