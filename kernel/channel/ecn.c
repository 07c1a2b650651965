// SPDX-License-Identifier: GPL-2.0
/*
 * What we send is marked ECT(0), as long as the path and the peer bear it: they
 * do not if the marks are taken off on the way, or changed, or if nothing that is
 * marked arrives. What the peer counts must be what we sent (RFC 9000 section
 * 13.4.2); after a mistake we send unmarked until the path changes.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include "channel/ecn.h"
#include "wire/frame.h"

#define LOST_MOST	2	/* probe timeouts in a row until marks are to blame */

/**
 * sss_ecn_of() - the ECN field of a packet
 * @skb: received, its network header set
 *
 * Return: INET_ECN_*
 */
u8 sss_ecn_of(const struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);

	return (ip->version == 4 ? ip->tos : ipv6_get_dsfield(ipv6_hdr(skb))) & INET_ECN_MASK;
}

/**
 * sss_ecn_init() - a fresh channel state: nothing sent, nothing received
 * @ecn: to be set
 */
void sss_ecn_init(struct sss_ecn *ecn)
{
	memset(ecn, 0, sizeof(*ecn));
}

/**
 * sss_ecn_new_path() - try once more
 * @ecn: of a channel, which is locked
 */
void sss_ecn_new_path(struct sss_ecn *ecn)
{
	ecn->works = false;
	ecn->failed = false;
}

/**
 * sss_ecn_mark() - what the next packets carry
 * @ch: channel
 *
 * Return: INET_ECN_ECT_0 or INET_ECN_NOT_ECT. Context: channel lock held.
 */
u8 sss_ecn_mark(const struct sss_channel *ch)
{
	return ch->ecn.failed ? INET_ECN_NOT_ECT : INET_ECN_ECT_0;
}

/**
 * __sss_ecn_received() - a packet was applied
 * @ch: channel
 * @field: its ECN field, INET_ECN_*
 *
 * The sender hears of congestion at once (RFC 9000 section 13.2.1). Context:
 * channel lock held.
 */
void __sss_ecn_received(struct sss_channel *ch, u8 field)
{
	lockdep_assert_held(&ch->lock);
	switch (field) {
	case INET_ECN_ECT_0:
		ch->ecn.received[0]++;
		break;
	case INET_ECN_ECT_1:
		ch->ecn.received[1]++;
		break;
	case INET_ECN_CE:
		ch->ecn.received[2]++;
		ch->ack_now = true;
		sss_mib_inc(ch->sn, ECN_CE_RECEIVED);
		break;
	}
}

/**
 * sss_ecn_counts() - what our ACKs say
 * @ch: channel
 *
 * Return: packets received with ECT(0), ECT(1), CE; NULL: all came unmarked.
 * Context: channel lock held.
 */
const u64 *sss_ecn_counts(const struct sss_channel *ch)
{
	const u64 *n = ch->ecn.received;

	return n[0] || n[1] || n[2] ? n : NULL;
}

static void fail(struct sss_channel *ch)
{
	ch->ecn.failed = true;
	sss_mib_inc(ch->sn, ECN_FAILED);
}

/**
 * __sss_ecn_on_ack() - what the peer has counted
 * @ch: channel
 * @ack: a frame that raised the largest acknowledged number
 * @marked: packets sent with ECT(0) that it is the first to acknowledge
 *
 * RFC 9000 section 13.4.2.1. Counts that shrink, or say that more arrived than
 * was sent marked, are as wrong as missing ones.
 *
 * Context: channel lock held.
 *
 * Return: whether there was congestion
 */
bool __sss_ecn_on_ack(struct sss_channel *ch, const struct sss_frame_ack *ack, u64 marked)
{
	const u64 now[3] = { ack->ect0, ack->ect1, ack->ce };
	struct sss_ecn *ecn = &ch->ecn;
	u64 grown[3] = { };
	bool good = true;
	int i;

	lockdep_assert_held(&ch->lock);
	if (ecn->failed)
		return false;
	for (i = 0; i < 3; i++) {
		good &= now[i] >= ecn->reported[i];
		grown[i] = now[i] - ecn->reported[i];
		ecn->reported[i] = now[i];
	}
	good &= !grown[1] && grown[0] + grown[2] >= marked &&
		now[0] + now[2] <= ch->next_number - ch->first_number;
	if (!good) {
		fail(ch);
		return false;
	}
	ecn->works |= marked;
	return grown[2];
}

/**
 * __sss_ecn_on_pto() - nothing was acknowledged in time
 * @ch: channel
 *
 * A path on which nothing marked has ever arrived may drop what is marked
 * (RFC 9000 section 13.4.2). Context: channel lock held.
 */
void __sss_ecn_on_pto(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (!ch->ecn.works && !ch->ecn.failed && ch->loss.pto_count >= LOST_MOST)
		fail(ch);
}
