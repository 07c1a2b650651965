// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include "channel/batch.h"
#include "channel/ecn.h"

/* Up to this much the first packet of a batch stands right behind the headers. */
#define LINEAR_MOST	2048
#define FRAG_MOST	32768	/* what skb_page_frag_refill() makes */
#define GFP		(GFP_ATOMIC | __GFP_NOWARN)

/* Like skb_page_frag_refill(), for packets above what that gives. */
static void refill_large(struct page_frag *pf, u32 size)
{
	if (pf->page && page_ref_count(pf->page) == 1)
		pf->offset = 0;
	if (pf->page && pf->offset + size <= pf->size)
		return;
	if (pf->page)
		put_page(pf->page);
	pf->page = alloc_pages(GFP | __GFP_COMP | __GFP_NORETRY, get_order(size));
	pf->offset = 0;
	pf->size = pf->page ? PAGE_SIZE << get_order(size) : 0;
}

/* Makes sure that @size bytes in one piece follow; false: there is no memory. */
static bool refill(struct page_frag *pf, u32 size)
{
	/* made when memory was short: it would be used again and again */
	if (pf->page && pf->size < size) {
		put_page(pf->page);
		pf->page = NULL;
	}
	if (size > FRAG_MOST)
		refill_large(pf, size);
	else if (!skb_page_frag_refill(size, pf, GFP))
		return false;
	return pf->page && pf->size - pf->offset >= size;
}

/**
 * __sss_batch_alloc() - an empty batch
 * @ch: channel
 * @pair: to be sealed under; the reference becomes the batch's
 * @seg: bytes of each packet
 *
 * Where no piece of memory is as large as @seg, its packets will be of the
 * smallest size (@seg of the batch tells).
 *
 * Return: NULL: no memory at all; the reference stays the caller's. Context:
 * channel lock held.
 */
struct sss_batch *__sss_batch_alloc(struct sss_channel *ch, struct sss_keypair *pair, u32 seg)
{
	struct sss_batch *b = kmalloc(sizeof(*b), GFP);

	lockdep_assert_held(&ch->lock);
	if (!b)
		goto no_memory;
	if (seg > LINEAR_MOST && !refill(&ch->tx_frag, seg))
		seg = SSS_PACKET_MTU_MIN;
	b->skb = alloc_skb(SSS_UDP_HEADROOM + (seg > LINEAR_MOST ? SSS_PACKET_MTU_MIN : seg),
			   GFP);
	if (!b->skb) {
		kfree(b);
		goto no_memory;
	}
	skb_reserve(b->skb, SSS_UDP_HEADROOM);
	b->pair = pair;
	b->to = ch->path.remote;
	b->aside = false;
	b->changes = ch->path.changes;
	b->seg = seg;
	b->tos = sss_ecn_mark(ch);
	b->n = 0;
	b->paced = 0;
	b->sealed = false;
	return b;
no_memory:
	sss_mib_inc(ch->sn, TX_NO_MEMORY);
	return NULL;
}

/**
 * __sss_batch_reserve() - memory for one more full packet
 * @ch: channel
 * @b: its batch
 *
 * Return: where it begins, until __sss_batch_commit(); NULL: the batch is
 * complete. Context: channel lock held.
 */
u8 *__sss_batch_reserve(struct sss_channel *ch, struct sss_batch *b)
{
	struct page_frag *pf = &ch->tx_frag;

	lockdep_assert_held(&ch->lock);
	if (!b->n && b->seg <= LINEAR_MOST)
		return b->skb->data;
	if (skb_shinfo(b->skb)->nr_frags >= MAX_SKB_FRAGS || !refill(pf, b->seg))
		return NULL;
	return page_address(pf->page) + pf->offset;
}

static void add_fragment(struct sss_channel *ch, struct sk_buff *skb, u32 len)
{
	struct page_frag *pf = &ch->tx_frag;
	int i = skb_shinfo(skb)->nr_frags;

	if (skb_can_coalesce(skb, i, pf->page, pf->offset)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], len);
	} else {
		get_page(pf->page);
		skb_fill_page_desc(skb, i, pf->page, pf->offset, len);
	}
	pf->offset += len;
	skb->len += len;
	skb->data_len += len;
	skb->truesize += len;
}

/**
 * __sss_batch_commit() - a packet is filled
 * @ch: channel
 * @b: its batch
 * @at: from __sss_batch_reserve()
 * @len: bytes of it
 *
 * Context: channel lock held.
 */
void __sss_batch_commit(struct sss_channel *ch, struct sss_batch *b, u8 *at, u32 len)
{
	lockdep_assert_held(&ch->lock);
	if (!b->n && at != b->skb->data && len <= skb_tailroom(b->skb)) {
		/* little after all: it need not hold a page */
		memcpy(b->skb->data, at, len);
		at = b->skb->data;
	}
	if (at == b->skb->data)
		skb_put(b->skb, len);
	else
		add_fragment(ch, b->skb, len);
	b->at[b->n++] = at;
	b->last = len;
}

/**
 * sss_batch_free() - free a batch
 * @b: batch; its skb may have left, leaving NULL
 *
 * Context: any.
 */
void sss_batch_free(struct sss_batch *b)
{
	kfree_skb(b->skb);
	sss_keypair_put(b->pair);
	kfree(b);
}
