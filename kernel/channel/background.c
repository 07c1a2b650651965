// SPDX-License-Identifier: GPL-2.0
/*
 * Data in the background (SSS_BACKGROUND): LEDBAT, whatever the channel's algorithm
 * is. All such streams of a channel have one window together, or many would take
 * what one leaves to others.
 *
 * A packet is in the background if all data in it are. It counts in both windows
 * while it is under way, and its acknowledgment may widen both; but its loss, or CE
 * mark, narrows only the one in the background. What the other streams may use does
 * not shrink because of streams that leave the path to whoever wants it.
 */
#include "channel/background.h"
#include "channel/channel.h"

/**
 * sss_background_init() - a fresh path
 * @bg: to be set; what is in flight stays
 * @max_datagram: bytes of a full UDP payload
 */
void sss_background_init(struct sss_background *bg, u32 max_datagram)
{
	sss_cong_init(&bg->cong, &sss_cong_ledbat, max_datagram);
	bg->started = false;
}

/*
 * How short the path is, others may know already: the first sample of our own may
 * have stood in somebody's queue.
 */
static void start(struct sss_channel *ch)
{
	struct sss_background *bg = &ch->background;

	bg->started = true;
	if (ch->rtt.sampled)
		bg->cong.ops->on_sample(&bg->cong, ch->rtt.min, ktime_get_ns());
}

/**
 * __sss_background_may_send() - does the window in the background have room?
 * @ch: channel; its own window is another question
 *
 * Return: whether it has room for a full packet. Context: channel lock held.
 */
bool __sss_background_may_send(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->background.in_flight + ch->path.mtu <= ch->background.cong.cwnd;
}

/**
 * __sss_background_sent() - a packet leaves, with nothing but such data
 * @ch: channel
 * @size: bytes
 *
 * Context: channel lock held.
 */
void __sss_background_sent(struct sss_channel *ch, u32 size)
{
	struct sss_background *bg = &ch->background;

	lockdep_assert_held(&ch->lock);
	if (!bg->started)
		start(ch);
	bg->in_flight += size;
	sss_cong_sent(&bg->cong, bg->in_flight);
}
