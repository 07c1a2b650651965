/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A batch: packets of consecutive numbers that leave as one GSO super-packet,
 * and the memory they are filled in. Each packet lies in one piece, since it is
 * sealed in place: small ones behind the headers, larger ones in page fragments.
 */
#ifndef _SSS_CHANNEL_BATCH_H
#define _SSS_CHANNEL_BATCH_H

#include "channel/channel.h"
#include "channel/tx.h"
#include "net/udp.h"
#include "wire/packet.h"

/* Of UDP payload in one super-packet; one packet may be a little longer */
#define SSS_BATCH_BYTES	SSS_UDP_GSO_MAX_SIZE

/**
 * struct sss_batch - see the head of this file
 * @node: in sss_channel.tx_queue
 * @skb: their memory
 * @pair: reference, sealed under it
 * @to: where they go
 * @aside: not over the path
 * @changes: sss_path.changes as it was
 * @first: number of the first
 * @n: how many
 * @seg: bytes of each but the last
 * @last: bytes of the last
 * @paced: bytes of those that elicit an acknowledgment
 * @sealed: may leave (sss_channel.tx_lock)
 * @tos: ECN bits of the IP header
 * @at: where each begins
 */
struct sss_batch {
	struct list_head node;
	struct sk_buff *skb;
	struct sss_keypair *pair;
	union sss_endpoint to;
	bool aside;
	u32 changes;
	u64 first;
	u16 n;
	u16 seg;
	u16 last;
	u32 paced;
	bool sealed;
	u8 tos;
	u8 *at[SSS_TX_BATCH_MAX];
};

struct sss_batch *__sss_batch_alloc(struct sss_channel *ch, struct sss_keypair *pair, u32 seg);
u8 *__sss_batch_reserve(struct sss_channel *ch, struct sss_batch *b);
void __sss_batch_commit(struct sss_channel *ch, struct sss_batch *b, u8 *at, u32 len);
void sss_batch_free(struct sss_batch *b);

#endif /* _SSS_CHANNEL_BATCH_H */
