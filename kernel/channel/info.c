// SPDX-License-Identifier: GPL-2.0
/* What a channel tells of itself: SSS_INFO, and dumps */
#include "channel/channel.h"
#include "channel/path.h"

/**
 * sss_channel_get_info() - fill in what is known of the channel
 * @ch: channel
 * @info: the channel's part of it is written
 *
 * Context: any, no channel lock held.
 */
void sss_channel_get_info(struct sss_channel *ch, struct sss_info *info)
{
	spin_lock_bh(&ch->lock);
	info->link = ch->link;
	info->rtt = ch->rtt.sampled ? ch->rtt.smoothed : 0;
	info->rttvar = ch->rtt.sampled ? ch->rtt.var : 0;
	info->min_rtt = ch->rtt.sampled ? ch->rtt.min : 0;
	info->pmtu = ch->path.mtu;
	info->cwnd = ch->cong.cwnd;
	info->ssthresh = ch->cong.ssthresh;
	info->in_flight = ch->loss.in_flight;
	info->pacing_rate = ch->rtt.sampled ?
		sss_cong_pacing_rate(&ch->cong, ch->rtt.smoothed) : 0;
	info->pkts_sent = ch->pkts_sent;
	info->pkts_received = ch->pkts_received;
	info->pkts_lost = ch->pkts_lost;
	info->pkts_spurious = ch->pkts_spurious;
	info->connect_rtts = ch->connect_rtts;
	info->ptos = ch->ptos;
	info->path = ch->path.remote.via.session ? SSS_PATH_RELAYED : 0;
	spin_unlock_bh(&ch->lock);
}
