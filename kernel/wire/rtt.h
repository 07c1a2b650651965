/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Round trip time estimation, RFC 9002 section 5; all in microseconds.
 */
#ifndef _SSS_WIRE_RTT_H
#define _SSS_WIRE_RTT_H

#include "pure.h"

#define SSS_RTT_INITIAL_US	333000
#define SSS_RTT_GRANULARITY_US	1000

/**
 * struct sss_rtt - the estimate, in microseconds
 * @latest: last sample
 * @min: smallest sample
 * @smoothed: moving average
 * @var: its mean deviation
 * @sampled: there was a sample
 */
struct sss_rtt {
	u32 latest;
	u32 min;
	u32 smoothed;
	u32 var;
	bool sampled;
};

void sss_rtt_init(struct sss_rtt *rtt);
void sss_rtt_guess(struct sss_rtt *rtt, u64 us);
void sss_rtt_sample(struct sss_rtt *rtt, u32 latest_us, u32 ack_delay_us, u32 max_ack_delay_us);
/* smoothed + max(4 * var, granularity) + max_ack_delay, doubled @backoff times, at most 60 s */
u64 sss_rtt_pto(const struct sss_rtt *rtt, u32 max_ack_delay_us, u32 backoff);
/* 9/8 of the larger of smoothed and latest, at least the granularity */
u64 sss_rtt_loss_delay(const struct sss_rtt *rtt);

#endif /* _SSS_WIRE_RTT_H */
