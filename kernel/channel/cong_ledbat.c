// SPDX-License-Identifier: GPL-2.0
/*
 * LEDBAT (RFC 6817), for what may wait: it keeps the queue of the bottleneck at a
 * fixed length, and gives way to whoever makes it longer. As LEDBAT++ does, delay is
 * that of the round trip, the window shrinks by a factor, and grows the slower the
 * shorter the path is. (draft-irtf-iccrg-ledbat-plus-plus; without its slowdowns.)
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>
#include "channel/cong.h"

#define TARGET_US	60000
#define GAIN_LEAST	16	/* a packet in so many round trips */
#define HISTORY		5	/* base delays, each the least of so long: */
#define HISTORY_NS	(120 * NSEC_PER_SEC)
#define FILTER		4	/* samples, of which the least counts */

/**
 * struct ledbat - what there is in sss_cong.priv
 * @base: us, least round trips, newest first; 0: none
 * @latest: us, the last samples; 0: none
 * @next: of @latest, to be replaced
 * @base_at: ns, when base[0] began
 * @reduced_at: ns, when the window was made smaller
 * @rest: see sss_cong_grow()
 */
struct ledbat {
	u32 base[HISTORY];
	u32 latest[FILTER];
	u32 next;
	u64 base_at;
	u64 reduced_at;
	u64 rest;
};

static struct ledbat *ledbat_of(struct sss_cong *cong)
{
	BUILD_BUG_ON(sizeof(struct ledbat) > sizeof(cong->priv));
	return (struct ledbat *)cong->priv;
}

static void init(struct sss_cong *cong)
{
	memset(cong->priv, 0, sizeof(cong->priv));
}

static u32 least(const u32 *of, unsigned int n)
{
	u32 min = of[0];

	while (--n)
		if (of[n])
			min = min(min, of[n]);
	return min;
}

static void on_sample(struct sss_cong *cong, u32 rtt_us, u64 now)
{
	struct ledbat *l = ledbat_of(cong);

	if (now - l->base_at >= HISTORY_NS) {
		memmove(l->base + 1, l->base, sizeof(l->base) - sizeof(l->base[0]));
		l->base[0] = rtt_us;
		l->base_at = now;
	}
	l->base[0] = min(l->base[0], rtt_us);
	l->latest[l->next++ % FILTER] = rtt_us;
}

static void on_acked(struct sss_cong *cong, u64 bytes, u32 rtt_us, u64 now)
{
	struct ledbat *l = ledbat_of(cong);
	u32 base = least(l->base, HISTORY);
	u32 delay = least(l->latest, FILTER) - base;
	u64 excess;

	if (delay < TARGET_US) {
		sss_cong_grow(&cong->cwnd, bytes * cong->max_datagram /
			      clamp_t(u32, DIV_ROUND_UP(2 * TARGET_US, base + 1), 1, GAIN_LEAST),
			      cong->cwnd, &l->rest);
		return;
	}
	if (now - l->reduced_at < (u64)rtt_us * NSEC_PER_USEC)
		return;
	l->reduced_at = now;
	excess = div_u64(cong->cwnd * (delay - TARGET_US), TARGET_US);
	cong->cwnd -= min(excess, cong->cwnd / 2);
	cong->ssthresh = cong->cwnd;	/* no slow start back up to it */
}

static void on_congestion(struct sss_cong *cong, u64 now)
{
	cong->ssthresh = cong->cwnd / 2;
	cong->cwnd = cong->ssthresh;
}

const struct sss_cong_ops sss_cong_ledbat = {
	.name = "ledbat",
	.init = init,
	.on_sample = on_sample,
	.on_acked = on_acked,
	.on_congestion = on_congestion,
};
