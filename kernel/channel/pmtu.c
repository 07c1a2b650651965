// SPDX-License-Identifier: GPL-2.0
#include "base/compat.h"
#include "channel/pmtu.h"
#include "net/udp.h"
#include "wire/packet.h"

#define TRIES		3			/* MAX_PROBES, RFC 8899 section 5.1.2 */
#define CLOSE_ENOUGH	16			/* bytes not worth another probe */
#define RAISE_NS	(600 * NSEC_PER_SEC)	/* PMTU_RAISE_TIMER */
#define LARGEST		16384			/* one linear packet buffer */

/* The largest packet that the device and the peer take */
static u32 ceiling(struct sss_channel *ch)
{
	struct sss_udp *udp;
	u32 mtu = 0;

	rcu_read_lock();
	udp = rcu_dereference(ch->host->udp);
	if (udp)
		mtu = sss_udp_mtu(udp, &ch->path.remote);
	rcu_read_unlock();
	return min_t(u64, min_t(u32, mtu, LARGEST), ch->remote.max_packet);
}

static void choose(struct sss_channel *ch, u32 size, u64 at)
{
	struct sss_path *path = &ch->path;

	path->probe_tries = 0;
	path->probe_sent = 0;
	path->probe_next = path->probe_max < path->mtu + CLOSE_ENOUGH ? 0 : size;
	path->probe_at = path->probe_next ? at : at + RAISE_NS;
}

/**
 * __sss_pmtu_start() - a new path: begin at the size every path takes
 * @ch: channel, its path's address set
 * @now: ns
 *
 * Context: channel lock held.
 */
void __sss_pmtu_start(struct sss_channel *ch, u64 now)
{
	lockdep_assert_held(&ch->lock);
	ch->path.mtu = SSS_PACKET_MTU_MIN;
	ch->path.probe_max = ceiling(ch);
	choose(ch, ch->path.probe_max, now);
}

/**
 * sss_pmtu_due() - is it time to send a probe of path.probe_next bytes?
 * @ch: channel
 * @now: ns
 *
 * Context: channel lock held.
 */
bool sss_pmtu_due(const struct sss_channel *ch, u64 now)
{
	return ch->path.probe_next && !ch->path.probe_sent && ch->loss.any_acked &&
	       ch->path.probe_at <= now && !ch->close_due;
}

/**
 * __sss_pmtu_sent() - the probe leaves
 * @ch: channel
 *
 * Context: channel lock held.
 */
void __sss_pmtu_sent(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	ch->path.probe_sent = ktime_get_ns();
	ch->path.probe_tries++;
}

/**
 * __sss_pmtu_acked() - a probe arrived: its size is good
 * @ch: channel
 * @size: of the probe, bytes
 *
 * Context: channel lock held.
 */
void __sss_pmtu_acked(struct sss_channel *ch, u32 size)
{
	struct sss_path *path = &ch->path;

	lockdep_assert_held(&ch->lock);
	if (size <= path->mtu)
		return;
	path->mtu = size;
	sss_cong_set_datagram(&ch->cong, size);
	choose(ch, (size + path->probe_max + 1) / 2, ktime_get_ns());
}

/**
 * __sss_pmtu_lost() - a probe did not arrive
 * @ch: channel
 * @size: of the probe, bytes
 * @sent_at: when it was sent, ns
 *
 * A lost probe says nothing about congestion (RFC 8899 section 3).
 * Context: channel lock held.
 */
void __sss_pmtu_lost(struct sss_channel *ch, u32 size, u64 sent_at)
{
	struct sss_path *path = &ch->path;

	lockdep_assert_held(&ch->lock);
	if (path->probe_sent > sent_at + NSEC_PER_USEC || size != path->probe_next)
		return;
	path->probe_sent = 0;
	if (path->probe_tries < TRIES)
		return;
	path->probe_max = size - 1;
	choose(ch, (path->mtu + size) / 2, ktime_get_ns());
}
