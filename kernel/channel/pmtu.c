// SPDX-License-Identifier: GPL-2.0
#include "base/compat.h"
#include "base/trace.h"
#include "channel/pmtu.h"
#include "net/udp.h"
#include "wire/packet.h"

#define TRIES		3			/* MAX_PROBES, RFC 8899 section 5.1.2 */
#define CLOSE_ENOUGH	16			/* bytes not worth another probe */
#define RAISE_NS	(600 * NSEC_PER_SEC)	/* PMTU_RAISE_TIMER */
#define HOLE_PACKETS	3			/* full ones in a row: a black hole */

/* Sizes of IP packets that many links have (RFC 8899 section 5.3.2) */
static const u16 common[] = { 1280, 1400, 1420, 1480, 1492, 1500, 4352, 9000, 32768 };

/* The largest packet that the device and the peer take; 0: there is no route */
static u32 ceiling(struct sss_channel *ch)
{
	struct sss_udp *udp;
	u32 mtu = 0;

	rcu_read_lock();
	udp = rcu_dereference(ch->host->udp);
	if (udp)
		mtu = sss_udp_mtu(udp, &ch->path.remote);
	rcu_read_unlock();
	return min_t(u64, mtu, ch->remote.max_packet);
}

/* What stands before a packet: IP, UDP, and what is for a relay */
static u32 header_len(const struct sss_path *path)
{
	return (path->remote.sa.sa_family == AF_INET6 ? 40 + 8 : 20 + 8) +
	       (path->remote.via.session ? SSS_RELAY_HEADER_LEN : 0);
}

static u32 distance(u32 a, u32 b)
{
	return a > b ? a - b : b - a;
}

/* The middle of what is left, or rather a common size, if there is one */
static u32 between(const struct sss_path *path)
{
	u32 middle = (path->mtu + path->probe_max + 1) / 2, best = 0, size, i;
	u32 headers = header_len(path);

	for (i = 0; i < ARRAY_SIZE(common); i++) {
		size = common[i] - headers;
		if (size >= path->mtu + CLOSE_ENOUGH && size <= path->probe_max &&
		    (!best || distance(size, middle) < distance(best, middle)))
			best = size;
	}
	return best ?: middle;
}

/* Tries @size next, unless the search is over. */
static void choose(struct sss_channel *ch, u32 size, u64 now)
{
	struct sss_path *path = &ch->path;
	bool over = path->probe_max < path->mtu + CLOSE_ENOUGH;

	path->probing = false;
	path->probe_tries = 0;
	path->probe_next = over ? 0 : min(size, path->probe_max);
	path->probe_at = over ? now + RAISE_NS : now;
}

static void set_size(struct sss_channel *ch, u32 size)
{
	ch->path.mtu = size;
	trace_sss_path_mtu(ch->sn, ch->id, size);
	ch->path.hole_lost = 0;
	sss_cong_set_datagram(&ch->cong, size);
	sss_cong_set_datagram(&ch->background.cong, size);
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
	ch->path.hole_lost = 0;
	ch->path.full_at = 0;
	ch->path.probe_max = ceiling(ch);
	choose(ch, ch->path.probe_max, now);
}

/**
 * __sss_pmtu_due() - is it time to send a probe of path.probe_next bytes?
 * @ch: channel
 * @now: ns
 *
 * Some time after a search was over another one begins: the path may have grown.
 * No timer waits for that; it is soon enough when something is sent.
 *
 * Context: channel lock held.
 */
bool __sss_pmtu_due(struct sss_channel *ch, u64 now)
{
	struct sss_path *path = &ch->path;

	lockdep_assert_held(&ch->lock);
	if (path->probing || path->probe_at > now || path->unproved || ch->close_due ||
	    !ch->loss.any_acked)
		return false;
	if (!path->probe_next) {
		path->probe_max = ceiling(ch);
		choose(ch, path->probe_max, now);
	}
	return path->probe_next;
}

/**
 * __sss_pmtu_sent() - the probe leaves
 * @ch: channel
 * @number: of its packet
 *
 * Context: channel lock held.
 */
void __sss_pmtu_sent(struct sss_channel *ch, u64 number)
{
	lockdep_assert_held(&ch->lock);
	ch->path.probing = true;
	ch->path.probe_number = number;
	ch->path.probe_tries++;
	sss_mib_inc(ch->sn, PMTU_PROBES);
}

static void probe_arrived(struct sss_channel *ch, u32 size, u64 now)
{
	u32 headers = header_len(&ch->path);
	u32 i, next;

	set_size(ch, size);
	next = between(&ch->path);
	/* If nothing larger passes than a common size, that is what the path has. */
	for (i = 0; i < ARRAY_SIZE(common); i++)
		if (size == common[i] - headers)
			next = size + CLOSE_ENOUGH;
	choose(ch, next, now);
}

static void probe_failed(struct sss_channel *ch, u64 now)
{
	struct sss_path *path = &ch->path;

	path->probing = false;
	if (path->probe_tries < TRIES)
		return;
	path->probe_max = path->probe_next - 1;
	choose(ch, between(path), now);
}

/**
 * __sss_pmtu_no_memory() - a probe cannot be sent: no memory in one piece
 * @ch: channel
 * @now: ns
 *
 * What cannot be had for a probe could not be had for data either.
 *
 * Context: channel lock held.
 */
void __sss_pmtu_no_memory(struct sss_channel *ch, u64 now)
{
	lockdep_assert_held(&ch->lock);
	ch->path.probe_tries = TRIES;
	probe_failed(ch, now);
}

/**
 * __sss_pmtu_acked() - a packet arrived
 * @ch: channel
 * @s: the packet, a probe or any other
 * @now: ns
 *
 * Context: channel lock held.
 */
void __sss_pmtu_acked(struct sss_channel *ch, const struct sss_sent *s, u64 now)
{
	struct sss_path *path = &ch->path;

	lockdep_assert_held(&ch->lock);
	if (unlikely(!s->counted)) {
		if (path->probing && s->number == path->probe_number)
			probe_arrived(ch, s->size, now);
		return;
	}
	if (s->size >= path->mtu)
		path->full_at = max(path->full_at, s->at);
	if (unlikely(path->hole_lost) && s->size >= path->hole_size && s->at > path->hole_from)
		path->hole_lost = 0;
}

/* RFC 8899 section 4.3. The old size is tried again first: it may have been bad luck. */
static void fall_back(struct sss_channel *ch, u64 now)
{
	ch->path.probe_max = ch->path.mtu;
	set_size(ch, SSS_PACKET_MTU_MIN);
	choose(ch, ch->path.probe_max, now);
	sss_mib_inc(ch->sn, PMTU_BLACK_HOLES);
}

/* Do packets above some size vanish for longer than a round trip? */
static void look_for_hole(struct sss_channel *ch, const struct sss_sent *s, u64 now)
{
	u64 span = sss_channel_pto_ns(ch);
	struct sss_path *path = &ch->path;

	if (s->moved || s->size <= SSS_PACKET_MTU_MIN || s->size > path->mtu ||
	    s->at < path->full_at)
		return;
	if (!path->hole_lost) {
		path->hole_from = s->at;
		path->hole_size = s->size;
	}
	path->hole_size = min(path->hole_size, s->size);
	if (path->hole_lost < HOLE_PACKETS)
		path->hole_lost++;
	if (path->hole_lost == HOLE_PACKETS && s->at >= path->hole_from + span)
		fall_back(ch, now);
}

/**
 * __sss_pmtu_lost() - a packet did not arrive
 * @ch: channel
 * @s: the packet, a probe or any other
 * @now: ns
 *
 * A lost probe says nothing about congestion (RFC 8899 section 3).
 * Context: channel lock held.
 */
void __sss_pmtu_lost(struct sss_channel *ch, const struct sss_sent *s, u64 now)
{
	lockdep_assert_held(&ch->lock);
	if (s->counted)
		look_for_hole(ch, s, now);
	else if (ch->path.probing && s->number == ch->path.probe_number)
		probe_failed(ch, now);
}

/**
 * sss_pmtu_too_big() - IP did not take a packet for its size
 * @ch: channel, referenced by the caller
 * @to: where it was to go
 * @size: of it, bytes of UDP payload
 *
 * Known on this machine, not by hearsay: the device's MTU is another one now, or a
 * tunnel needs some of it.
 *
 * Context: no channel lock held.
 */
void sss_pmtu_too_big(struct sss_channel *ch, const union sss_endpoint *to, u32 size)
{
	struct sss_path *path = &ch->path;
	u64 now = ktime_get_ns();
	u32 most;

	spin_lock_bh(&ch->lock);
	if (sss_endpoint_equal(&path->remote, to) && size > SSS_PACKET_MTU_MIN &&
	    size <= max(path->mtu, path->probe_max)) {
		most = ceiling(ch);
		if (most < path->mtu)
			set_size(ch, max_t(u32, most, SSS_PACKET_MTU_MIN));
		else if (size <= path->mtu)
			set_size(ch, SSS_PACKET_MTU_MIN);
		path->probe_max = min(most, size - 1);
		choose(ch, most < size ? most : between(path), now);
	}
	spin_unlock_bh(&ch->lock);
}

/**
 * sss_pmtu_size() - how large is the next packet to be?
 * @ch: channel
 *
 * Of the two that a probe timeout sends the second is of the size that every path
 * takes: where the first is too large something arrives.
 *
 * Return: bytes of UDP payload. Context: channel lock held.
 */
u32 sss_pmtu_size(const struct sss_channel *ch)
{
	if (unlikely(ch->loss.probes == 1))
		return SSS_PACKET_MTU_MIN;
	return ch->path.mtu;
}
