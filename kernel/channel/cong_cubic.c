// SPDX-License-Identifier: GPL-2.0
/*
 * CUBIC (RFC 9438): the window grows with the cube of the time since the last
 * congestion, flat around the size at which that happened, and never slower than
 * NewReno would.
 *
 * Windows are in bytes, times in nanoseconds, the curve in milliseconds. With
 * windows in packets it is W(t) = 0.4 * (t - K)^3 + W_max, t and K in seconds.
 */
#include <linux/build_bug.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>
#include "channel/cong.h"

#define BETA_NUM	7	/* of 10: what is left of the window (section 4.6) */
#define CURVE_MOST_MS	131072	/* whose cube times a packet fits in 64 bits */

/**
 * struct cubic - what there is in sss_cong.priv
 * @epoch: ns, when growth began after the last congestion; 0: not yet
 * @last: ns, when the window last grew
 * @w_max: window at the last congestion
 * @k_ms: from @epoch until the curve is at @w_max
 * @w_est: what NewReno would have
 * @prior: window before the last reduction
 * @rest: see sss_cong_grow()
 * @rest_est: likewise, of @w_est
 */
struct cubic {
	u64 epoch;
	u64 last;
	u64 w_max;
	u64 k_ms;
	u64 w_est;
	u64 prior;
	u64 rest;
	u64 rest_est;
};

static struct cubic *cubic_of(struct sss_cong *cong)
{
	BUILD_BUG_ON(sizeof(struct cubic) > sizeof(cong->priv));
	return (struct cubic *)cong->priv;
}

static void init(struct sss_cong *cong)
{
	memset(cong->priv, 0, sizeof(cong->priv));
}

/* The largest n whose cube is at most @x, for x < 2^60 */
static u64 cube_root(u64 x)
{
	u64 n = 0, bit;

	for (bit = 1 << 19; bit; bit >>= 1)
		if ((n | bit) * (n | bit) * (n | bit) <= x)
			n |= bit;
	return n;
}

/* Section 4.2, figure 2: K = cbrt((W_max - cwnd) / C) */
static void start_epoch(struct sss_cong *cong, u64 now)
{
	struct cubic *c = cubic_of(cong);
	u64 missing;

	c->epoch = now;
	c->w_est = cong->cwnd;
	c->rest = 0;
	c->rest_est = 0;
	c->k_ms = 0;
	if (cong->cwnd >= c->w_max) {
		c->w_max = cong->cwnd;
		return;
	}
	/* in packets over 0.4, and in ms^3 instead of s^3 */
	missing = div_u64((c->w_max - cong->cwnd) * 5, 2 * cong->max_datagram);
	c->k_ms = cube_root(missing * NSEC_PER_SEC);
}

/* W_cubic(@t_ms), bytes; section 4.2, figure 1 */
static u64 curve(const struct sss_cong *cong, const struct cubic *c, u64 t_ms)
{
	u64 d = min_t(u64, t_ms > c->k_ms ? t_ms - c->k_ms : c->k_ms - t_ms, CURVE_MOST_MS);
	/* 0.4 * d^3 / 1e9 packets */
	u64 delta = div_u64(div_u64(d * d * d, 1000) * 4 * cong->max_datagram, 10 * 1000 * 1000);

	if (t_ms >= c->k_ms)
		return c->w_max + delta;
	return c->w_max - min(delta, c->w_max);
}

/* Section 4.3: one packet a round trip, or 9/17 of one below the window before. */
static void grow_like_reno(struct sss_cong *cong, u64 bytes)
{
	struct cubic *c = cubic_of(cong);
	u64 gain = bytes * cong->max_datagram;

	if (c->w_est < c->prior)
		gain = div_u64(gain * 9, 17);
	sss_cong_grow(&c->w_est, gain, cong->cwnd, &c->rest_est);
}

static void on_acked(struct sss_cong *cong, u64 bytes, u32 rtt_us, u64 now)
{
	struct cubic *c = cubic_of(cong);
	u64 rtt = (u64)rtt_us * NSEC_PER_USEC, target, t;

	if (!c->epoch)
		start_epoch(cong, now);
	else if (now - c->last > 2 * rtt + NSEC_PER_MSEC)
		/* Section 5.8: time in which the window was not the limit does not count. */
		c->epoch += now - c->last;
	c->last = now;

	t = now - c->epoch;
	grow_like_reno(cong, bytes);
	if (curve(cong, c, div_u64(t, NSEC_PER_MSEC)) < c->w_est) {
		cong->cwnd = max(cong->cwnd, c->w_est);
		return;
	}
	target = curve(cong, c, div_u64(t + rtt, NSEC_PER_MSEC));
	target = clamp(target, cong->cwnd, cong->cwnd + cong->cwnd / 2);
	sss_cong_grow(&cong->cwnd, (target - cong->cwnd) * bytes, cong->cwnd, &c->rest);
}

/* Sections 4.6 and 4.7 */
static void on_congestion(struct sss_cong *cong, u64 now)
{
	struct cubic *c = cubic_of(cong);
	u64 before = c->w_max;

	c->prior = cong->cwnd;
	/* One that could not grow as far as last time makes room for others. */
	c->w_max = cong->cwnd;
	if (cong->cwnd < before)
		c->w_max = div_u64(cong->cwnd * (10 + BETA_NUM), 20);
	c->epoch = 0;
	cong->ssthresh = div_u64(cong->cwnd * BETA_NUM, 10);
	cong->cwnd = cong->ssthresh;
}

const struct sss_cong_ops sss_cong_cubic = {
	.name = "cubic",
	.init = init,
	.on_acked = on_acked,
	.on_congestion = on_congestion,
};
