// SPDX-License-Identifier: GPL-2.0
/* Is the other end heard? Up, stalled, down: design section 3, "Link states". */
#include "base/netns.h"
#include "channel/channel.h"
#include "channel/ops.h"
#include "peer/host.h"
#include "peer/peer.h"

/**
 * __sss_channel_hope() - the path may work again: what waits is sent at once
 * @ch: channel
 *
 * Not when the timer says so, which has become rare. Context: channel lock held;
 * transmission follows.
 */
void __sss_channel_hope(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (!ch->loss.eliciting_in_flight)
		return;
	ch->loss.pto_count = min(ch->loss.pto_count, 1U);
	ch->loss.probes = max(ch->loss.probes, 1U);
}

/**
 * __sss_channel_heard() - an authenticated packet arrived
 * @ch: channel
 * @now: ns
 *
 * Context: channel lock held.
 */
void __sss_channel_heard(struct sss_channel *ch, u64 now)
{
	lockdep_assert_held(&ch->lock);
	ch->last_received = now;
	if (ch->link == SSS_LINK_UP)
		return;
	ch->link_up_at = now;
	if (ch->loss.pto_count > 1)
		__sss_channel_hope(ch);
	__sss_channel_set_link(ch, SSS_LINK_UP);
}

/**
 * __sss_channel_set_link() - the state of the link is another
 * @ch: channel
 * @link: now
 *
 * Streams hear of every change, in order.
 *
 * Context: channel lock held; sss_channel_tell_link() and deliver() follow.
 */
void __sss_channel_set_link(struct sss_channel *ch, enum sss_link link)
{
	lockdep_assert_held(&ch->lock);
	ch->link = link;
	ch->link_changed = true;
	sss_channel_ops->link(ch, link);
}

/**
 * sss_channel_tell_link() - tell who monitors if the link's state changed
 * @ch: channel
 *
 * Context: no lock held.
 */
void sss_channel_tell_link(struct sss_channel *ch)
{
	enum sss_link link;
	bool changed;

	if (!READ_ONCE(ch->link_changed))
		return;
	spin_lock_bh(&ch->lock);
	changed = ch->link_changed;
	link = ch->link;
	ch->link_changed = false;
	spin_unlock_bh(&ch->lock);
	if (!changed)
		return;
	sss_netns_event(ch->sn, link == SSS_LINK_UP ? SSS_EVENT_LINK_UP :
			link == SSS_LINK_STALLED ? SSS_EVENT_LINK_STALLED : SSS_EVENT_LINK_DOWN,
			(const struct sss_eid *)ch->host->identity.eid, &ch->peer->eid);
}
