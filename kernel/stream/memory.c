// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of what has come and is not read, which a peer can make us keep.
 *
 * Windows say how many bytes a stream may carry; this says how much memory all
 * streams of a peer may hold, whatever their windows are (max_peer_memory), and,
 * for peers that nobody configured, all those from where it is (an IPv4 /24, an
 * IPv6 /64: max_prefix_memory) and all of the namespace (max_memory). And what
 * all sockets of the machine may, as in TCP.
 *
 * From half of that on windows do not grow. Above it they shrink to the
 * smallest, and what comes beyond the smallest counts as not received: it comes
 * again. So much is always taken, so that each stream goes on, if slowly; and
 * one record or datagram of a peer is, whatever its length, because whoever reads
 * it as a whole gives nothing back before.
 *
 * A packet keeps the memory of all that came with it in one skb. That counts, too;
 * from half of the limits on such packets are copied.
 */
#include "stream/table.h"

/**
 * sss_memory_add() - segments were kept, or freed
 * @ch: channel they came by; until its end their peer is known (__sss_crowd_enter())
 * @bytes: of memory, negative: freed
 *
 * Context: any, no lock needed.
 */
void sss_memory_add(struct sss_channel *ch, long bytes)
{
	struct sss_streams *ss = sss_streams(ch);

	if (!bytes)
		return;
	sss_gauge_add(ch->sn, RX_MEMORY, bytes);
	atomic_long_add(bytes, &ss->memory);
	if (ss->crowd)
		sss_crowd_charge(ss->crowd, bytes);
}

/* In sk_buff.cb of an skb of several packets, of which at least one is kept */
struct pinned {
	struct sss_channel *ch;
	u32 whole;
};

/* Its last packet was given up. Streams and batches under way keep the channel until then. */
static void let_go(struct sk_buff *skb)
{
	const struct pinned *pinned = (const struct pinned *)skb->cb;

	sss_memory_add(pinned->ch, -(long)pinned->whole);
}

/**
 * sss_memory_pin() - a packet is kept, and with it all that came in its skb
 * @ch: channel they came by, locked
 * @skb: theirs, of nobody's since UDP gave it up
 * @whole: its truesize
 * @share: of this packet, which sss_memory_add() counts with its segment
 *
 * Most of the packets may be nothing, or be read at once, while one of them stays for
 * ever: so the skb counts whole, as long as there is any.
 */
void sss_memory_pin(struct sss_channel *ch, struct sk_buff *skb, u32 whole, u32 share)
{
	long more = -(long)share;

	lockdep_assert_held(&ch->lock);
	if (skb->destructor != let_go) {
		if (WARN_ON_ONCE(skb->destructor))
			return;
		*(struct pinned *)skb->cb = (struct pinned){ .ch = ch, .whole = whole };
		skb->destructor = let_go;
		more += whole;
	}
	sss_memory_add(ch, more);
}

/**
 * sss_memory_unpin() - a packet is about to be given up, and its share no longer counts
 * @ch: channel it came by
 * @skb: its skb; nothing happens if it had it to itself
 * @share: as in sss_memory_pin()
 *
 * Context: any, no lock needed.
 */
void sss_memory_unpin(struct sss_channel *ch, const struct sk_buff *skb, u32 share)
{
	if (skb->destructor == let_go)
		sss_memory_add(ch, share);
}

static bool above(long bytes, u32 limit, unsigned int shift)
{
	return bytes > 0 && bytes > limit >> shift;
}

/* More than the peer itself is answerable for */
static bool others_above(const struct sss_channel *ch, unsigned int shift)
{
	const struct sss_crowd *crowd = sss_streams(ch)->crowd;
	const struct sss_limits *limits = &ch->sn->limits;

	if (sss_stream_ops->is_short_of_memory())
		return true;
	if (!crowd)
		return false;
	return above(sss_crowd_memory(crowd), READ_ONCE(limits->max_prefix_memory), shift) ||
	       above(sss_gauge_read(ch->sn, RX_MEMORY), READ_ONCE(limits->max_memory), shift);
}

static bool peer_above(const struct sss_channel *ch, unsigned int shift)
{
	return above(atomic_long_read(&sss_streams(ch)->memory),
		     READ_ONCE(ch->sn->limits.max_peer_memory), shift);
}

/**
 * sss_memory_is_over() - does the peer make us keep more than it should?
 * @ch: its channel
 *
 * Return: whether a limit is passed
 */
bool sss_memory_is_over(const struct sss_channel *ch)
{
	return peer_above(ch, 0) || others_above(ch, 0);
}

/**
 * sss_memory_is_tight() - will it soon?
 * @ch: its channel
 *
 * Return: whether half of a limit is passed
 */
bool sss_memory_is_tight(const struct sss_channel *ch)
{
	return peer_above(ch, 1) || others_above(ch, 1);
}

/* R held. Must it come as a whole, and has it begun before others that must? */
static bool is_favoured(struct sss_stream *st)
{
	struct sss_streams *ss = sss_streams(st->ch);

	if (st->rx.mode != SSS_RX_WHOLE || st->flags & SSS_ST_LOOSE || sss_recvq_records(st) ||
	    others_above(st->ch, 0))
		return false;
	if (!ss->favoured)
		ss->favoured = st;
	return ss->favoured == st;
}

/**
 * __sss_memory_admits() - may what came be kept?
 * @st: stream of a channel, which is locked, as is R
 * @frame: of it
 *
 * Return: whether it may, or is nothing to be kept
 */
bool __sss_memory_admits(struct sss_stream *st, const struct sss_frame_stream *frame)
{
	const struct sss_rxq *rx = &st->rx;
	bool next = frame->offset <= rx->re.edge && rx->re.edge == rx->read;
	u32 least = READ_ONCE(st->ch->sn->limits.rmem[0]);

	lockdep_assert_held(&st->ch->lock);
	lockdep_assert_held(&rx->lock);
	if ((!frame->len && !frame->mark) || rx->discard || rx->reset)
		return true;
	if (!sss_memory_is_over(st->ch))
		return true;
	/* of those that nobody has accepted there may be very many */
	if (!(st->flags & (SSS_ST_LOCAL | SSS_ST_ACCEPTED)))
		least = 1;
	/* what somebody may wait for is taken, whatever is there beyond it */
	if (rx->truesize < least || next || is_favoured(st))
		return true;
	sss_mib_inc(st->ch->sn, RX_OVER_MEMORY);
	return false;
}

/**
 * __sss_memory_settled() - a stream may have got what it was favoured for
 * @st: stream of a channel, which is locked
 * @over: it will get no more
 */
void __sss_memory_settled(struct sss_stream *st, bool over)
{
	struct sss_streams *ss = sss_streams(st->ch);

	lockdep_assert_held(&st->ch->lock);
	if (ss->favoured == st && (over || sss_recvq_records(st) || sss_recvq_over(st)))
		ss->favoured = NULL;
}
