// SPDX-License-Identifier: GPL-2.0
/*
 * NewReno as RFC 9002 section 7.3 has it: half the window on congestion, one
 * packet more a round trip in avoidance.
 */
#include <linux/string.h>
#include "channel/cong.h"

/* priv[0]: bytes acknowledged since the window last grew */
#define ACKED 0

static void init(struct sss_cong *cong)
{
	cong->priv[ACKED] = 0;
}

static void on_acked(struct sss_cong *cong, u64 bytes, u32 rtt_us, u64 now)
{
	cong->priv[ACKED] += bytes;
	if (cong->priv[ACKED] < cong->cwnd)
		return;
	cong->priv[ACKED] -= cong->cwnd;
	cong->cwnd += cong->max_datagram;
}

static void on_congestion(struct sss_cong *cong, u64 now)
{
	cong->priv[ACKED] = 0;
	cong->ssthresh = cong->cwnd / 2;
	cong->cwnd = cong->ssthresh;
}

const struct sss_cong_ops sss_cong_reno = {
	.name = "reno",
	.init = init,
	.on_acked = on_acked,
	.on_congestion = on_congestion,
};
