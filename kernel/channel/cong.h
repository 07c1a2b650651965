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
 * @name: as in sysctl, less than SSS_CONG_NAME_MAX bytes
 * @init: @priv is zeroed, cwnd and ssthresh are set
 * @on_sample: a round trip was measured; may be NULL
 * @on_acked: @bytes sent outside recovery were acknowledged while the window
 *	was in use
 * @on_congestion: a loss or CE mark begins a recovery period: set ssthresh and
 *	cwnd
 */
struct sss_cong_ops {
	const char *name;
	void (*init)(struct sss_cong *cong);
	void (*on_sample)(struct sss_cong *cong, u32 rtt_us, u64 now);
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
 * @round_start: ns, a packet sent since then begins a new round when it is
 *	acknowledged
 * @most: bytes that were in flight in this round, [1]: in the one before
 * @rtt_least: us, least sample in this round, [1]: in the one before; ~0: none
 * @rtt_samples: in this round
 * @css_rounds: of conservative slow start; 0: it has not begun
 * @css_baseline: us, @rtt_least[0] when it began
 * @undo_cwnd: cwnd before the last recovery, in case its losses were spurious;
 *	0: nothing can be undone
 * @undo_ssthresh: likewise
 * @undo_after: ns, packets sent up to then are of an earlier recovery
 * @undo_losses: of the last recovery, and not known to be spurious
 * @lost_bytes: since the last recovery, too few to begin another
 * @lost_packets: likewise
 * @max_datagram: bytes of a full packet
 * @priv: the algorithm's
 * @undo_priv: @priv before the last recovery
 */
struct sss_cong {
	const struct sss_cong_ops *ops;
	u64 cwnd;
	u64 ssthresh;
	u64 recovery_start;
	u64 round_start;
	u64 most[2];
	u32 rtt_least[2];
	u32 rtt_samples;
	u32 css_rounds;
	u32 css_baseline;
	u64 undo_cwnd;
	u64 undo_ssthresh;
	u64 undo_after;
	u32 undo_losses;
	u32 lost_bytes;
	u32 lost_packets;
	u32 max_datagram;
	u64 priv[8];
	u64 undo_priv[8];
};

extern const struct sss_cong_ops sss_cong_cubic;
extern const struct sss_cong_ops sss_cong_ledbat;
extern const struct sss_cong_ops sss_cong_reno;

#define SSS_CONG_NAME_MAX	16

const struct sss_cong_ops *sss_cong_algorithm(u32 index);
int sss_cong_find(const char *name);

void sss_cong_init(struct sss_cong *cong, const struct sss_cong_ops *ops, u32 max_datagram);
void sss_cong_set_datagram(struct sss_cong *cong, u32 max_datagram);
void sss_cong_sent(struct sss_cong *cong, u64 in_flight);
bool sss_cong_may_grow(const struct sss_cong *cong, u64 sent_at);
void sss_cong_acked(struct sss_cong *cong, u64 bytes, u64 newest, u32 rtt_us, u64 now);
void sss_cong_lost(struct sss_cong *cong, u32 size, u64 sent_at, u64 now);
void sss_cong_marked(struct sss_cong *cong, u64 sent_at, u64 now);
void sss_cong_persistent(struct sss_cong *cong);
bool sss_cong_spurious(struct sss_cong *cong, u64 sent_at);
void sss_cong_grow(u64 *window, u64 gain, u64 per, u64 *rest);
u64 sss_cong_pacing_rate(const struct sss_cong *cong, u32 srtt_us);

#endif /* _SSS_CHANNEL_CONG_H */
