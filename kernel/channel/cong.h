/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Congestion control: how many bytes may be in flight. Pluggable; pure, called
 * under the channel lock. RFC 9002 section 7 is the frame, an algorithm is one
 * struct sss_cong_ops.
 *
 *            loss: ssthresh = cwnd / 2
 *   +-------------+   ------------->  +----------+  packet sent after the loss
 *   | slow start  |                   | recovery |  is acknowledged
 *   +-------------+   <- persistent   +----------+ --------------+
 *          |             congestion        ^                     |
 *          | cwnd >= ssthresh              | loss                v
 *          |                      +----------------------+       |
 *          +--------------------> | congestion avoidance | <-----+
 *                                 +----------------------+
 */
#ifndef _SSS_CHANNEL_CONG_H
#define _SSS_CHANNEL_CONG_H

#include <linux/types.h>

struct sss_cong;

/**
 * struct sss_cong_ops - an algorithm
 * @name: as in sysctl and netlink
 * @init: @priv is zeroed, cwnd and ssthresh are set
 * @on_acked: @bytes sent outside recovery were acknowledged while the window
 *	was in use
 * @on_congestion: a loss or CE mark begins a recovery period: set ssthresh and
 *	cwnd
 */
struct sss_cong_ops {
	const char *name;
	void (*init)(struct sss_cong *cong);
	void (*on_acked)(struct sss_cong *cong, u64 bytes, u32 rtt_us, u64 now);
	void (*on_congestion)(struct sss_cong *cong, u64 now);
};

/**
 * struct sss_cong - congestion state of one path
 * @ops: algorithm
 * @cwnd: bytes
 * @ssthresh: bytes, ~0: none yet
 * @recovery_start: ns, packets sent up to then do not start another recovery,
 *	0: never in recovery
 * @undo_cwnd: cwnd before the last recovery, for spurious loss
 * @undo_ssthresh: likewise
 * @max_datagram: bytes of a full packet
 * @priv: the algorithm's
 */
struct sss_cong {
	const struct sss_cong_ops *ops;
	u64 cwnd;
	u64 ssthresh;
	u64 recovery_start;
	u64 undo_cwnd;
	u64 undo_ssthresh;
	u32 max_datagram;
	u64 priv[8];
};

extern const struct sss_cong_ops sss_cong_reno;

void sss_cong_init(struct sss_cong *cong, const struct sss_cong_ops *ops, u32 max_datagram);
void sss_cong_set_datagram(struct sss_cong *cong, u32 max_datagram);
void sss_cong_acked(struct sss_cong *cong, u64 bytes, u64 sent_at, bool limited, u32 rtt_us,
		    u64 now);
void sss_cong_congestion(struct sss_cong *cong, u64 sent_at, u64 now);
void sss_cong_persistent(struct sss_cong *cong);
void sss_cong_undo(struct sss_cong *cong);
u64 sss_cong_pacing_rate(const struct sss_cong *cong, u32 srtt_us);

#endif /* _SSS_CHANNEL_CONG_H */
