// SPDX-License-Identifier: GPL-2.0
/*
 * What all congestion control algorithms share (RFC 9002 section 7).
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>
#include "channel/cong.h"

/* Never above this: what a veth's receive backlog and one socket buffer bear. */
#define CWND_MAX (64ULL << 20)

static u64 minimum_window(const struct sss_cong *cong)
{
	return 2ULL * cong->max_datagram;
}

/**
 * sss_cong_init() - a fresh path: initial window of ten packets
 * @cong: to be set
 * @ops: algorithm
 * @max_datagram: bytes of a full UDP payload
 *
 * RFC 9002 section 7.2. Context: any, the caller owns @cong.
 */
void sss_cong_init(struct sss_cong *cong, const struct sss_cong_ops *ops, u32 max_datagram)
{
	memset(cong, 0, sizeof(*cong));
	cong->ops = ops;
	cong->max_datagram = max_datagram;
	cong->cwnd = clamp_t(u64, 14720, 2ULL * max_datagram, 10ULL * max_datagram);
	cong->ssthresh = ~0ULL;
	ops->init(cong);
}

/**
 * sss_cong_set_datagram() - the path MTU changed
 * @cong: congestion state
 * @max_datagram: bytes of a full UDP payload now
 *
 * Context: channel lock held.
 */
void sss_cong_set_datagram(struct sss_cong *cong, u32 max_datagram)
{
	cong->max_datagram = max_datagram;
	cong->cwnd = max(cong->cwnd, minimum_window(cong));
}

/**
 * sss_cong_acked() - a packet that counted as in flight was acknowledged
 * @cong: congestion state
 * @bytes: its size
 * @sent_at: when it was sent, ns
 * @limited: the window, not the program, limits what is sent
 * @rtt_us: latest sample, us
 * @now: ns
 *
 * RFC 9002 sections 7.3.2 and 7.8: no growth within recovery, nor while the
 * window is not used. Context: channel lock held.
 */
void sss_cong_acked(struct sss_cong *cong, u64 bytes, u64 sent_at, bool limited, u32 rtt_us,
		    u64 now)
{
	if (!limited || (cong->recovery_start && sent_at <= cong->recovery_start))
		return;
	if (cong->cwnd < cong->ssthresh)
		cong->cwnd += bytes;
	else
		cong->ops->on_acked(cong, bytes, rtt_us, now);
	cong->cwnd = min(cong->cwnd, CWND_MAX);
}

/**
 * sss_cong_congestion() - a packet was lost or came back marked CE
 * @cong: congestion state
 * @sent_at: when it was sent, ns
 * @now: ns
 *
 * Starts at most one recovery period a round trip (RFC 9002 section 7.3.2).
 * Context: channel lock held.
 */
void sss_cong_congestion(struct sss_cong *cong, u64 sent_at, u64 now)
{
	if (cong->recovery_start && sent_at <= cong->recovery_start)
		return;
	cong->recovery_start = now;
	cong->undo_cwnd = cong->cwnd;
	cong->undo_ssthresh = cong->ssthresh;
	cong->ops->on_congestion(cong, now);
	cong->cwnd = max(cong->cwnd, minimum_window(cong));
}

/**
 * sss_cong_persistent() - persistent congestion: start again from two packets
 * @cong: congestion state
 *
 * RFC 9002 section 7.6. Context: channel lock held.
 */
void sss_cong_persistent(struct sss_cong *cong)
{
	cong->cwnd = minimum_window(cong);
	cong->recovery_start = 0;
	cong->undo_cwnd = 0;
}

/**
 * sss_cong_undo() - every loss of the last recovery period was spurious
 * @cong: congestion state
 *
 * Context: channel lock held.
 */
void sss_cong_undo(struct sss_cong *cong)
{
	if (!cong->undo_cwnd)
		return;
	cong->cwnd = max(cong->cwnd, cong->undo_cwnd);
	cong->ssthresh = cong->undo_ssthresh;
	cong->undo_cwnd = 0;
}

/**
 * sss_cong_pacing_rate() - how fast packets may leave
 * @cong: congestion state
 * @srtt_us: smoothed round trip time, us
 *
 * RFC 9002 section 7.7: a little above the window per round trip, twice it
 * in slow start, so that pacing itself never keeps the window from filling.
 *
 * Return: bytes per second. Context: channel lock held.
 */
u64 sss_cong_pacing_rate(const struct sss_cong *cong, u32 srtt_us)
{
	u64 per_rtt = cong->cwnd < cong->ssthresh ? 2 * cong->cwnd : cong->cwnd + cong->cwnd / 4;

	return div_u64(per_rtt * USEC_PER_SEC, max_t(u32, srtt_us, 1));
}
