// SPDX-License-Identifier: GPL-2.0
/*
 * ENDPOINTS. What we say: all addresses of this machine that may be told, with the
 * port of the host, to peers that may know them; when a channel begins, and when
 * they have changed. Only the newest list is sent again if it is lost.
 *
 * What the peer says: places to look for it when the path is dead. It can say
 * anything, so little is sent there until one has proved itself (candidates.c).
 */
#include <linux/jhash.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "channel/announce.h"
#include "channel/timer.h"
#include "net/local.h"
#include "net/udp.h"

static bool may_tell(const struct sss_channel *ch)
{
	u32 whom = READ_ONCE(ch->sn->limits.announce_endpoints);

	if (ch->state != SSS_CHANNEL_OPEN || ch->path.unproved)
		return false;
	return whom == SSS_ANNOUNCE_ALL ||
	       (whom == SSS_ANNOUNCE_CONFIGURED &&
		READ_ONCE(ch->peer->flags) & SSS_PEER_F_CONFIGURED);
}

static void put_address(struct sss_wire_endpoint *to, const union sss_endpoint *from, u16 port)
{
	to->family = from->sa.sa_family == AF_INET ? 4 : 6;
	to->port = port;
	if (to->family == 4)
		memcpy(to->addr, &from->in.sin_addr, 4);
	else
		memcpy(to->addr, &from->in6.sin6_addr, 16);
}

/*
 * What there is to be said; its hash, 0: nothing. A private address says nothing to
 * a peer that is elsewhere, except how this network looks inside.
 */
static u32 list_now(const struct sss_channel *ch, struct sss_frame_endpoints *list)
{
	const struct sss_addresses *own = ch->sn->addresses;
	unsigned int i, n;
	bool elsewhere;

	memset(list, 0, sizeof(*list));
	spin_lock_bh(&ch->sn->addresses_lock);
	/* behind a relay the peer is somewhere else, whatever the relay's address is */
	elsewhere = ch->path.remote.via.session || !sss_endpoint_is_private(&ch->path.remote);
	n = elsewhere ? own->n_public : own->n;
	for (i = 0; i < n; i++)
		put_address(&list->ep[i], &own->ep[i], READ_ONCE(ch->host->port));
	/* the peer knows that one already, unless it only sees the relay */
	if (n == 1 && !ch->announced && !ch->path.remote.via.session &&
	    sss_endpoint_same_address(&own->ep[0], &ch->path.source))
		n = 0;
	spin_unlock_bh(&ch->sn->addresses_lock);
	list->n = n;
	return n ? jhash(list, sizeof(*list), 0) | 1 : 0;
}

/**
 * __sss_announce_forget() - the peer's state is new: it has heard nothing, nor said
 * @ch: channel
 *
 * Context: channel lock held.
 */
void __sss_announce_forget(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	ch->announced = 0;
	ch->announce = false;
	if (ch->heard)
		memset(ch->heard, 0, sizeof(*ch->heard));
}

/**
 * __sss_announce_want() - see whether the peer is to be told something new
 * @ch: channel
 *
 * Context: channel lock held; transmission follows.
 */
void __sss_announce_want(struct sss_channel *ch)
{
	struct sss_frame_endpoints list;
	u32 hash;

	lockdep_assert_held(&ch->lock);
	if (!may_tell(ch))
		return;
	hash = list_now(ch, &list);
	ch->announce = hash && hash != ch->announced;
}

/**
 * __sss_announce_put() - write ENDPOINTS, if there is room
 * @ch: channel that wants it (sss_channel.announce)
 * @pkt: packet being filled
 *
 * Context: channel lock held.
 */
void __sss_announce_put(struct sss_channel *ch, struct sss_tx_packet *pkt)
{
	struct sss_frame frame = { .type = SSS_FRAME_ENDPOINTS };
	u32 hash;

	lockdep_assert_held(&ch->lock);
	hash = may_tell(ch) ? list_now(ch, &frame.endpoints) : 0;
	if (!hash) {
		ch->announce = false;
		return;
	}
	if (sss_frame_put(&pkt->w, &frame))
		return;
	pkt->eliciting = true;
	pkt->frames[pkt->n_frames++] = (struct sss_sent_frame){
		.type = SSS_FRAME_ENDPOINTS, .value = hash,
	};
	ch->announced = hash;
	ch->announce = false;
}

/**
 * __sss_announce_lost() - an ENDPOINTS frame was lost
 * @ch: channel
 * @frame: as it was noted
 *
 * Context: channel lock held.
 */
void __sss_announce_lost(struct sss_channel *ch, const struct sss_sent_frame *frame)
{
	lockdep_assert_held(&ch->lock);
	if (frame->value == ch->announced)
		ch->announce = true;
}

/**
 * __sss_announce_heard() - an ENDPOINTS frame has come
 * @ch: channel, referenced by the caller
 * @list: what it says
 * @number: of its packet: of several the newest counts
 *
 * The work item looks at it. Return: 0 or -ENOMEM. Context: channel lock held.
 */
int __sss_announce_heard(struct sss_channel *ch, const struct sss_frame_endpoints *list,
			 u64 number)
{
	lockdep_assert_held(&ch->lock);
	if (!ch->heard)
		ch->heard = kzalloc(sizeof(*ch->heard), GFP_ATOMIC | __GFP_NOWARN);
	if (!ch->heard)
		return -ENOMEM;
	if (number < ch->heard->number)
		return 0;
	ch->heard->number = number;
	ch->heard->list = *list;
	__sss_channel_queue_work(ch, SSS_WORK_ENDPOINTS);
	return 0;
}

static bool get_address(struct sss_channel *ch, const struct sss_wire_endpoint *from,
			union sss_endpoint *to)
{
	bool loopback = READ_ONCE(ch->sn->limits.allow_loopback);
	struct in6_addr addr6;
	struct sss_udp *udp;
	__be32 addr4;
	bool ok;

	if (from->family == 4) {
		memcpy(&addr4, from->addr, sizeof(addr4));
		sss_endpoint_set4(to, addr4, htons(from->port));
	} else {
		memcpy(&addr6, from->addr, sizeof(addr6));
		sss_endpoint_set6(to, &addr6, htons(from->port), 0);
	}
	if (sss_udp_endpoint_check(ch->sn->net, to, loopback))
		return false;
	rcu_read_lock();
	udp = rcu_dereference(ch->host->udp);
	ok = udp && sss_udp_hearsay_ok(udp, to, loopback);
	rcu_read_unlock();
	return ok;
}

/**
 * sss_announce_work() - the peer learns the endpoints it told us
 * @ch: channel, referenced by the caller
 *
 * Context: the channel's work item.
 */
void sss_announce_work(struct sss_channel *ch)
{
	union sss_endpoint ep[SSS_ENDPOINTS_LEN_MAX];
	struct sss_frame_endpoints list;
	unsigned int i, n = 0;

	spin_lock_bh(&ch->lock);
	list = ch->heard->list;
	spin_unlock_bh(&ch->lock);
	for (i = 0; i < list.n; i++) {
		if (get_address(ch, &list.ep[i], &ep[n]))
			n++;
		else
			sss_mib_inc(ch->sn, ENDPOINTS_REFUSED);
	}
	sss_peer_hear_endpoints(ch->peer, ep, n);
}
