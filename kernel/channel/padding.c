// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/sss.h>
#include "channel/padding.h"
#include "wire/packet.h"

/* UDP payload, smaller ones first: doubled while they are small, few beyond */
static const u32 buckets[] = { 128, 256, 512, SSS_PACKET_MTU_MIN, 4096, 16384 };

/**
 * sss_padding_size() - how large a packet is to be
 * @policy: enum sss_padding
 * @len: bytes of UDP payload that it has
 * @most: that it may have, at least @len
 *
 * Return: bytes, from @len and SSS_PACKET_MIN_LEN up to @most. Context: any.
 */
u32 sss_padding_size(u8 policy, u32 len, u32 most)
{
	unsigned int i;

	if (policy == SSS_PADDING_FULL)
		return most;
	if (policy == SSS_PADDING_NONE)
		return max_t(u32, len, SSS_PACKET_MIN_LEN);
	for (i = 0; i < ARRAY_SIZE(buckets); i++)
		if (len <= buckets[i])
			return min(buckets[i], most);
	return most;
}

/**
 * sss_padding_put() - PADDING in front of the frames of a packet
 * @w: has written them, and has room for @len bytes
 * @frames: the first of them
 * @len: bytes of padding
 *
 * In front, as the last frame may reach to the end of the packet.
 */
void sss_padding_put(struct sss_writer *w, u8 *frames, u32 len)
{
	u32 have = w->p - frames;

	if (!len || !sss_writer_reserve(w, len))
		return;
	memmove(frames + len, frames, have);
	memset(frames, 0, len);
}
