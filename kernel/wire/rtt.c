// SPDX-License-Identifier: GPL-2.0
#include "rtt.h"

#define PTO_MAX_US 60000000ULL

/**
 * sss_rtt_init() - before the first sample (RFC 9002 section 5.3, 6.2.2)
 * @rtt: estimator
 */
void sss_rtt_init(struct sss_rtt *rtt)
{
	memset(rtt, 0, sizeof(*rtt));
	rtt->smoothed = SSS_RTT_INITIAL_US;
	rtt->var = SSS_RTT_INITIAL_US / 2;
}

/**
 * sss_rtt_guess() - the handshake took a round trip (RFC 9002 section 6.2.2)
 * @rtt: estimator
 * @us: from a handshake message to its answer, microseconds. It includes what the
 *	other side computed, and may belong to a copy, so it is no sample
 *
 * Nothing happens if there was a sample.
 */
void sss_rtt_guess(struct sss_rtt *rtt, u64 us)
{
	if (rtt->sampled)
		return;
	rtt->smoothed = min_t(u64, us, PTO_MAX_US);
	rtt->var = rtt->smoothed / 2;
}

/**
 * sss_rtt_sample() - a packet was acknowledged (RFC 9002 sections 5.1 to 5.3)
 * @rtt: estimator
 * @latest_us: from sending the largest newly acknowledged packet to its ACK
 * @ack_delay_us: what the peer says it held the ACK back
 * @max_ack_delay_us: the most it may claim: it said so in the handshake
 */
void sss_rtt_sample(struct sss_rtt *rtt, u32 latest_us, u32 ack_delay_us, u32 max_ack_delay_us)
{
	u32 delay = min(ack_delay_us, max_ack_delay_us);
	u32 adjusted = latest_us;
	u32 deviation;

	rtt->latest = latest_us;
	if (!rtt->sampled) {
		rtt->sampled = true;
		rtt->min = latest_us;
		rtt->smoothed = latest_us;
		rtt->var = latest_us / 2;
		return;
	}
	rtt->min = min(rtt->min, latest_us);
	/* never below what was once measured, whatever the peer claims */
	if (latest_us >= (u64)rtt->min + delay)
		adjusted = latest_us - delay;
	deviation = rtt->smoothed > adjusted ? rtt->smoothed - adjusted :
					       adjusted - rtt->smoothed;
	rtt->var = (3 * (u64)rtt->var + deviation) / 4;
	rtt->smoothed = (7 * (u64)rtt->smoothed + adjusted) / 8;
}

/**
 * sss_rtt_pto() - probe timeout (RFC 9002 section 6.2.1)
 * @rtt: estimator
 * @max_ack_delay_us: the peer's
 * @backoff: probe timeouts since anything was acknowledged
 *
 * Return: microseconds, at most 60 s
 */
u64 sss_rtt_pto(const struct sss_rtt *rtt, u32 max_ack_delay_us, u32 backoff)
{
	u64 pto = rtt->smoothed +
		  max_t(u64, 4 * (u64)rtt->var, SSS_RTT_GRANULARITY_US) + max_ack_delay_us;

	/* 2^26 us is above the maximum */
	pto <<= min(backoff, 26U);
	return min_t(u64, pto, PTO_MAX_US);
}

/**
 * sss_rtt_loss_delay() - how long a packet may be overtaken (RFC 9002 section 6.1.2)
 * @rtt: estimator
 *
 * Return: microseconds after sending, when a packet older than an acknowledged
 * one counts as lost
 */
u64 sss_rtt_loss_delay(const struct sss_rtt *rtt)
{
	u64 longest = max(rtt->smoothed, rtt->latest);

	return max_t(u64, longest + longest / 8, SSS_RTT_GRANULARITY_US);
}
