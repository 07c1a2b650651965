// SPDX-License-Identifier: GPL-2.0
/*
 * What all congestion control algorithms share (RFC 9002 section 7).
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>
#include "channel/cong.h"

/* Never above this: what a veth's receive backlog and one socket buffer bear. */
#define CWND_MAX (64ULL << 20)

/* HyStart++, RFC 9406 section 4.3; times in us */
#define RTT_MORE_MIN	4000
#define RTT_MORE_MAX	16000
#define RTT_SAMPLES	8
#define CSS_DIVISOR	4
#define CSS_ROUNDS	5

/* The first is the default. */
static const struct sss_cong_ops *const algorithms[] = {
	&sss_cong_cubic, &sss_cong_reno, &sss_cong_ledbat,
};

/**
 * sss_cong_algorithm() - an algorithm by its number
 * @index: from sss_cong_find(), or 0: the default
 *
 * Return: it; there is no error
 */
const struct sss_cong_ops *sss_cong_algorithm(u32 index)
{
	return algorithms[index];
}

/**
 * sss_cong_find() - the number of an algorithm
 * @name: of it
 *
 * Return: at least 0; -EINVAL: there is none of that name
 */
int sss_cong_find(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (!strcmp(algorithms[i]->name, name))
			return i;
	return -EINVAL;
}

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
	cong->rtt_least[0] = U32_MAX;
	cong->rtt_least[1] = U32_MAX;
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
 * sss_cong_sent() - a packet that counts left
 * @cong: congestion state
 * @in_flight: bytes, with it
 *
 * Context: channel lock held.
 */
void sss_cong_sent(struct sss_cong *cong, u64 in_flight)
{
	cong->most[0] = max(cong->most[0], in_flight);
}

/*
 * HyStart++ (RFC 9406 section 4): slow start slows down when a round's least round
 * trip is an eighth longer than the last one's, for a queue grows. It ends some
 * rounds later, unless that was a false alarm.
 */
static u64 grow_in_slow_start(struct sss_cong *cong, u64 bytes, u32 rtt_us)
{
	u32 patience;

	cong->rtt_least[0] = min(cong->rtt_least[0], rtt_us);
	if (++cong->rtt_samples >= RTT_SAMPLES && cong->rtt_least[1] != U32_MAX) {
		patience = clamp_t(u32, cong->rtt_least[1] / 8, RTT_MORE_MIN, RTT_MORE_MAX);
		if (cong->css_rounds && cong->rtt_least[0] < cong->css_baseline) {
			cong->css_rounds = 0;
		} else if (!cong->css_rounds &&
			   cong->rtt_least[0] >= cong->rtt_least[1] + patience) {
			cong->css_rounds = 1;
			cong->css_baseline = cong->rtt_least[0];
		}
	}
	return cong->css_rounds ? bytes / CSS_DIVISOR : bytes;
}

/* One round trip is over when something is acknowledged that was sent after it began. */
static void note_round(struct sss_cong *cong, u64 sent_at, u64 now)
{
	if (sent_at < cong->round_start)
		return;
	cong->round_start = now;
	cong->most[1] = cong->most[0];
	cong->most[0] = 0;
	cong->rtt_least[1] = cong->rtt_least[0];
	cong->rtt_least[0] = U32_MAX;
	cong->rtt_samples = 0;
	if (!cong->css_rounds || ++cong->css_rounds <= CSS_ROUNDS)
		return;
	cong->css_rounds = 0;
	cong->ssthresh = cong->cwnd;
}

/*
 * Does the window limit what is sent, not the program (RFC 9002 section 7.8)? In
 * slow start it does if half of it was used, as it was smaller when that was sent.
 */
static bool is_limited(const struct sss_cong *cong)
{
	u64 most = max(cong->most[0], cong->most[1]);

	if (cong->cwnd < cong->ssthresh)
		return 2 * most > cong->cwnd;
	return most + 3 * cong->max_datagram > cong->cwnd;
}

/**
 * sss_cong_may_grow() - was a packet sent outside recovery?
 * @cong: congestion state
 * @sent_at: when it was sent, ns
 *
 * RFC 9002 section 7.3.2. Context: channel lock held.
 *
 * Return: whether its acknowledgment counts in sss_cong_acked()
 */
bool sss_cong_may_grow(const struct sss_cong *cong, u64 sent_at)
{
	return !cong->recovery_start || sent_at > cong->recovery_start;
}

/**
 * sss_cong_acked() - packets that counted as in flight were acknowledged
 * @cong: congestion state
 * @bytes: their size, without those sent before the last recovery began
 * @newest: when the last of them was sent, ns
 * @rtt_us: latest sample, us
 * @now: ns
 *
 * Called once for all that an ACK names. RFC 9002 section 7.8: no growth while
 * the window is not used. Context: channel lock held.
 */
void sss_cong_acked(struct sss_cong *cong, u64 bytes, u64 newest, u32 rtt_us, u64 now)
{
	note_round(cong, newest, now);
	if (cong->ops->on_sample)
		cong->ops->on_sample(cong, rtt_us, now);
	if (!is_limited(cong))
		return;
	if (cong->cwnd < cong->ssthresh)
		cong->cwnd += grow_in_slow_start(cong, bytes, rtt_us);
	else
		cong->ops->on_acked(cong, bytes, rtt_us, now);
	cong->cwnd = clamp_t(u64, cong->cwnd, minimum_window(cong), CWND_MAX);
}

/* At most one recovery period a round trip (RFC 9002 section 7.3.2) */
static void congestion(struct sss_cong *cong, u64 sent_at, u64 now)
{
	if (!sss_cong_may_grow(cong, sent_at))
		return;
	cong->undo_after = cong->recovery_start;
	cong->undo_losses = cong->lost_packets;
	cong->lost_packets = 0;
	cong->lost_bytes = 0;
	cong->undo_cwnd = cong->cwnd;
	cong->undo_ssthresh = cong->ssthresh;
	memcpy(cong->undo_priv, cong->priv, sizeof(cong->priv));
	cong->recovery_start = now;
	cong->css_rounds = 0;
	cong->ops->on_congestion(cong, now);
	cong->cwnd = max(cong->cwnd, minimum_window(cong));
}

/**
 * sss_cong_lost() - a packet was lost
 * @cong: congestion state
 * @size: bytes
 * @sent_at: when it was sent, ns
 * @now: ns
 *
 * A small packet is a small part of the load that was too much: windows are bytes,
 * and so are losses (RFC 7141 section 2.3). Recovery begins when half a full packet
 * is missing.
 *
 * Those sent first come first. Context: channel lock held.
 */
void sss_cong_lost(struct sss_cong *cong, u32 size, u64 sent_at, u64 now)
{
	if (sss_cong_may_grow(cong, sent_at)) {
		cong->lost_bytes += size;
		if (cong->lost_bytes < cong->max_datagram / 2) {
			cong->lost_packets++;
			return;
		}
	}
	congestion(cong, sent_at, now);
	if (sent_at > cong->undo_after)
		cong->undo_losses++;
}

/**
 * sss_cong_marked() - a packet came back marked CE
 * @cong: congestion state
 * @sent_at: when it was sent, ns
 * @now: ns
 *
 * RFC 9002 section 7.1. Context: channel lock held.
 */
void sss_cong_marked(struct sss_cong *cong, u64 sent_at, u64 now)
{
	congestion(cong, sent_at, now);
	cong->undo_cwnd = 0;
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
 * sss_cong_spurious() - a packet that counted as lost arrived after all
 * @cong: congestion state
 * @sent_at: when it was sent, ns
 *
 * When all losses of the last recovery period were spurious, there was no
 * congestion (RFC 9438 section 4.9.2). Context: channel lock held.
 *
 * Return: whether what was done about it is undone now
 */
bool sss_cong_spurious(struct sss_cong *cong, u64 sent_at)
{
	if (!cong->undo_cwnd || sent_at <= cong->undo_after || sent_at > cong->recovery_start)
		return false;
	if (--cong->undo_losses)
		return false;
	cong->cwnd = max(cong->cwnd, cong->undo_cwnd);
	cong->ssthresh = cong->undo_ssthresh;
	memcpy(cong->priv, cong->undo_priv, sizeof(cong->priv));
	cong->undo_cwnd = 0;
	cong->recovery_start = cong->undo_after;
	return true;
}

/**
 * sss_cong_grow() - for algorithms: make a window larger by a fraction
 * @window: bytes
 * @gain: numerator, bytes
 * @per: denominator
 * @rest: what is too little for a byte, until the next call
 */
void sss_cong_grow(u64 *window, u64 gain, u64 per, u64 *rest)
{
	u64 bytes;

	*rest += gain;
	bytes = div64_u64(*rest, per);
	*rest -= bytes * per;
	*window += bytes;
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
