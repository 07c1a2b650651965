/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of struct sss_channel, each the business of the file that it is named after. */
#ifndef _SSS_CHANNEL_PARTS_H
#define _SSS_CHANNEL_PARTS_H

#include <linux/list.h>
#include <net/dst_cache.h>
#include "net/endpoint.h"

/**
 * struct sss_path - where packets go
 * @remote: address and port
 * @source: our address and port, as packets left when that was looked at last
 * @cache: route
 * @since: ns, when @remote was set
 * @changes: how often @remote changed; tells a route that was found for the one before
 * @unproved: what we sent there may not have arrived: at most @budget goes there
 * @budget: bytes
 * @spare_at: ns, when another one that answered takes its place, if it is still silent
 *	then; 0: never
 * @direct_at: ns, when it is looked whether one without a relay works, 0: it has none
 * @direct_wait: ns, from then to the next time
 * @insist_at: ns, when the peer is to be told again that it can leave its relay
 * @insisted: how often it was
 * @unroutable: no route leads there
 * @mtu: UDP payload of full packets
 * @full_at: ns, when the last packet of that size was sent that arrived
 * @probing: a probe is under way
 * @probe_tries: at this size so far
 * @probe_number: packet number of the last probe
 * @probe_next: size worth probing, 0: none until @probe_at
 * @probe_max: nothing larger is worth probing
 * @probe_at: ns, when to probe next
 * @hole_lost: packets in a row that vanished, @hole_size bytes or more each
 * @hole_size: bytes
 * @hole_from: ns, when the first of them was sent
 */
struct sss_path {
	union sss_endpoint remote;
	union sss_endpoint source;
	struct dst_cache cache;
	u64 since;
	u32 changes;
	bool unproved;
	bool unroutable;
	u64 budget;
	u64 spare_at;
	u64 direct_at;
	u64 direct_wait;
	u64 insist_at;
	u8 insisted;
	u32 mtu;
	u64 full_at;
	bool probing;
	u8 probe_tries;
	u64 probe_number;
	u32 probe_next;
	u32 probe_max;
	u64 probe_at;
	u32 hole_lost;
	u32 hole_size;
	u64 hole_from;
};

/**
 * struct sss_loss - sent packets and what became of them (RFC 9002 section 6)
 * @sent: struct sss_sent.node in order of packet number, unacknowledged
 * @gone: those declared lost lately, without frames: spurious losses are seen
 * @largest_acked: packet number; valid if @any_acked
 * @last_eliciting: ns, when the last ack-eliciting packet left, 0: never
 * @loss_time: ns, when the next packet will count as lost, 0: none
 * @pto_count: consecutive probe timeouts
 * @probes: packets to send whatever the congestion window says
 * @in_flight: bytes
 * @eliciting_in_flight: packets
 * @threshold: packets behind the largest acknowledged until one is lost
 * @patience: ns until one is lost, if longer than the round trip says
 * @since_reorder: real losses since a packet was late instead
 * @n_gone: records in @gone
 * @arrived: ns, when the last of those was sent that are known to have arrived
 */
struct sss_loss {
	struct list_head sent;
	struct list_head gone;
	u64 largest_acked;
	bool any_acked;
	u64 last_eliciting;
	u64 loss_time;
	u32 pto_count;
	u32 probes;
	u64 in_flight;
	u32 eliciting_in_flight;
	u32 threshold;
	u64 patience;
	u32 since_reorder;
	u32 n_gone;
	u64 arrived;
};

/**
 * struct sss_ecn - ECN (ecn.c)
 * @received: packets that came with ECT(0), ECT(1), CE
 * @reported: what the peer counted of ours, likewise
 * @works: something marked arrived on this path
 * @failed: we send unmarked
 */
struct sss_ecn {
	u64 received[3];
	u64 reported[3];
	bool works;
	bool failed;
};

#endif /* _SSS_CHANNEL_PARTS_H */
