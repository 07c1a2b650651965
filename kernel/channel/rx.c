// SPDX-License-Identifier: GPL-2.0
/*
 * Reception on a channel.
 *
 * A batch is one skb: a packet or a GRO super-packet of many. Batches stand in
 * order of arrival; whoever runs sss_rx_run() claims the first untouched one
 * and decrypts it with no lock held, so several CPUs can work for one channel.
 * Decrypted batches are applied in order, by one CPU at a time: replay window,
 * frames, acknowledgment. Then streams are told, once per run.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "base/drop.h"
#include "channel/announce.h"
#include "channel/ecn.h"
#include "channel/handshake.h"
#include "channel/loss.h"
#include "channel/path.h"
#include "channel/rx.h"
#include "channel/timer.h"
#include "crypto/aead.h"
#include "crypto/index.h"
#include "wire/packet.h"

#define QUEUE_MAX	(16U << 20)	/* truesize waiting for decryption, per channel */
#define SMALL_BATCH	(4 * 1500)	/* up to this much is decrypted in softirq */

#define ACKS_A_ROUND	64		/* ACKs in a round trip that are enough */
#define ACK_LEAST	2		/* packets that one is for ... */
#define ACK_MOST	64
#define ACK_HURRY	8		/* packets after a gap, of which it is for ACK_LEAST */

enum batch_state { FRESH, CLAIMED, DONE };

/**
 * struct packet - one datagram of a batch
 * @data: its first byte; decrypted in place behind the header
 * @len: UDP payload bytes
 * @number: decoded
 * @pair: reference; NULL: to be ignored
 * @own: memory of a decrypted copy, NULL: in the batch's skb
 */
struct packet {
	u8 *data;
	u32 len;
	u64 number;
	struct sss_keypair *pair;
	struct sk_buff *own;
};

struct batch {
	struct list_head node;
	struct sk_buff *skb;
	union sss_endpoint from;
	u64 now;
	enum batch_state state;
	u32 truesize;
	u32 good;		/* bytes that authenticated */
	u16 n;
	u8 ecn;			/* INET_ECN_* of all of them */
	struct packet packets[];
};

/*
 * Does as much wait in all channels as may? Those of peers that nobody configured leave
 * half to the others. One batch is taken of each channel, whatever the limit.
 */
static bool is_full(const struct sss_channel *ch)
{
	long most = READ_ONCE(ch->sn->limits.max_memory);

	return ch->rx_queued &&
	       sss_gauge_read(ch->sn, RX_QUEUED) > (READ_ONCE(ch->crowd) ? most / 2 : most);
}

/**
 * sss_rx_enqueue() - a (super)packet of data packets has arrived
 * @ch: channel of its first packet
 * @skb: data begins at the UDP payload; taken over
 * @from: source
 *
 * Bounded; what does not fit is dropped and was never received. Follow with
 * sss_rx_run(). Context: BH off or process.
 */
void sss_rx_enqueue(struct sss_channel *ch, struct sk_buff *skb,
		    const union sss_endpoint *from)
{
	unsigned int seg = skb_shinfo(skb)->gso_size ?: skb->len;
	unsigned int n = DIV_ROUND_UP(skb->len, seg);
	struct batch *b;

	b = kmalloc(struct_size(b, packets, n), GFP_ATOMIC | __GFP_NOWARN);
	if (!b) {
		sss_drop_packets(ch->sn, ch->id, SSS_MIB_DROP_NO_MEMORY, n);
		kfree_skb(skb);
		return;
	}
	b->skb = skb;
	b->from = *from;
	b->now = ktime_get_ns();
	b->state = FRESH;
	b->truesize = skb->truesize;
	b->good = 0;
	b->n = n;
	b->ecn = sss_ecn_of(skb);
	spin_lock_bh(&ch->rx_lock);
	if (ch->rx_queued > QUEUE_MAX || is_full(ch)) {
		spin_unlock_bh(&ch->rx_lock);
		sss_drop_packets(ch->sn, ch->id, SSS_MIB_DROP_BACKLOG, n);
		kfree_skb(skb);
		kfree(b);
		return;
	}
	ch->rx_queued += b->truesize;
	sss_gauge_add(ch->sn, RX_QUEUED, b->truesize);
	list_add_tail(&b->node, &ch->rx_queue);
	spin_unlock_bh(&ch->rx_lock);
}

/**
 * sss_rx_is_small() - is what waits little enough for softirq?
 * @ch: channel
 *
 * Return: whether sss_rx_run() may be called at once; otherwise queue rx_work.
 */
bool sss_rx_is_small(struct sss_channel *ch)
{
	bool small;

	spin_lock_bh(&ch->rx_lock);
	small = !list_empty(&ch->rx_queue) && list_is_singular(&ch->rx_queue) &&
		list_first_entry(&ch->rx_queue, struct batch, node)->skb->len <= SMALL_BATCH;
	spin_unlock_bh(&ch->rx_lock);
	return small;
}

/* The pair a packet names, with a reference, if it is this channel's */
static struct sss_keypair *find_pair(struct sss_channel *ch, u32 index)
{
	struct sss_keypair *pair = NULL;
	struct sss_index_entry *entry;

	rcu_read_lock();
	entry = sss_index_lookup(ch->host, index);
	if (entry && entry->type == SSS_INDEX_KEYPAIR) {
		pair = container_of(entry, struct sss_keypair, entry);
		if (READ_ONCE(pair->channel) != ch || !sss_keypair_get(pair))
			pair = NULL;
	}
	rcu_read_unlock();
	return pair;
}

static void drop(struct sss_channel *ch, enum sss_mib_id reason)
{
	sss_drop_packets(ch->sn, ch->id, reason, 1);
}

static bool pair_usable(struct sss_channel *ch, struct sss_keypair *pair, u64 number)
{
	/* an unconfirmed pair may belong to a new state, which has its own window */
	if (number < pair->lowest_receive ||
	    (READ_ONCE(pair->confirmed) && !sss_replay_test(&ch->replay, number))) {
		drop(ch, SSS_MIB_DROP_REPLAY);
		return false;
	}
	if (!sss_keypair_may_receive(pair, &ch->sn->limits, sss_keypair_now())) {
		drop(ch, SSS_MIB_DROP_KEY_EXPIRED);
		return false;
	}
	return true;
}

/* Into memory of its own: the skb is shared, or the packet lies in pieces. */
static bool open_copy(struct packet *p, struct sk_buff *skb, unsigned int offset)
{
	struct sss_aead_piece piece;
	u8 header[SSS_PACKET_HEADER_LEN];

	p->own = alloc_skb(p->len, GFP_ATOMIC | __GFP_NOWARN);
	if (!p->own)
		return false;
	p->data = skb_put(p->own, p->len);
	if (skb_copy_bits(skb, offset, p->data, p->len))
		return false;
	memcpy(header, p->data, sizeof(header));
	piece.data = p->data + sizeof(header);
	piece.len = p->len - sizeof(header);
	return sss_aead_open(p->data, sizeof(header), piece.len, p->number,
			     p->pair->keys.receive);
}

static void open_packet(struct sss_channel *ch, struct batch *b, struct packet *p,
			unsigned int offset, bool copy)
{
	bool good;

	if (copy)
		good = open_copy(p, b->skb, offset);
	else
		good = sss_aead_open(p->data, SSS_PACKET_HEADER_LEN,
				     p->len - SSS_PACKET_HEADER_LEN, p->number,
				     p->pair->keys.receive);
	if (good) {
		b->good += p->len;
		if (copy)
			sss_mib_inc(ch->sn, RX_COPIED);
		return;
	}
	drop(ch, copy && !p->own ? SSS_MIB_DROP_NO_MEMORY : SSS_MIB_DROP_AUTH);
	sss_keypair_put(p->pair);
	p->pair = NULL;
}

/* Numbers of a state that is not confirmed yet have nothing to do with ours. */
static u64 expected_number(const struct sss_channel *ch, const struct sss_keypair *pair)
{
	if (!READ_ONCE(pair->confirmed))
		return pair->lowest_receive;
	return max(READ_ONCE(ch->replay.next), pair->lowest_receive);
}

/* Finds the pair and the number of one packet; false: drop it (counted). */
static bool identify(struct sss_channel *ch, struct packet *p, const u8 *head,
		     struct sss_keypair *hint)
{
	struct sss_packet_header h;

	if (p->len < SSS_PACKET_MIN_LEN || sss_packet_get_header(head, p->len, &h)) {
		drop(ch, SSS_MIB_DROP_SHORT);
		return false;
	}
	if (hint && hint->entry.index == h.receiver && sss_keypair_get(hint))
		p->pair = hint;
	else
		p->pair = find_pair(ch, h.receiver);
	if (!p->pair) {
		drop(ch, SSS_MIB_DROP_INDEX);
		return false;
	}
	p->number = sss_packet_decode_number((h.truncated ^ p->pair->keys.receive_mask) &
					     SSS_PACKET_NUMBER_MASK,
					     expected_number(ch, p->pair));
	if (pair_usable(ch, p->pair, p->number))
		return true;
	sss_keypair_put(p->pair);
	p->pair = NULL;
	return false;
}

/* May the skb's memory be written to? (members of a frag_list alike) */
static bool may_write(struct sk_buff *skb)
{
	struct sk_buff *frag;

	if (skb_cloned(skb) || skb_has_shared_frag(skb) || IS_ENABLED(CONFIG_HIGHMEM))
		return false;
	skb_walk_frags(skb, frag)
		if (skb_cloned(frag) || skb_shared(frag) || skb_has_shared_frag(frag))
			return false;
	return true;
}

/* Decrypts every packet of the batch. No lock held. */
static void decrypt(struct sss_channel *ch, struct batch *b)
{
	unsigned int seg = skb_shinfo(b->skb)->gso_size ?: b->skb->len;
	bool write = may_write(b->skb);
	struct sss_keypair *hint = NULL;
	struct skb_seq_state st;
	unsigned int i, offset = 0;
	u8 head[SSS_PACKET_HEADER_LEN];
	const u8 *data;

	skb_prepare_seq_read(b->skb, 0, b->skb->len, &st);
	for (i = 0; i < b->n; i++, offset += seg) {
		struct packet *p = &b->packets[i];
		unsigned int have = skb_seq_read(offset, &data, &st);

		p->pair = NULL;
		p->own = NULL;
		p->len = min(seg, b->skb->len - offset);
		p->data = (u8 *)data;
		if (have < sizeof(head) &&
		    (p->len < sizeof(head) || skb_copy_bits(b->skb, offset, head, sizeof(head))))
			memset(head, 0, sizeof(head));
		else if (have >= sizeof(head))
			memcpy(head, data, sizeof(head));
		if (!identify(ch, p, head, hint))
			continue;
		hint = p->pair;
		open_packet(ch, b, p, offset, !write || have < p->len);
		hint = p->pair;
	}
	skb_abort_seq_read(&st);
}

/* One frame, the channel's own or the streams'. Channel lock held. */
static int apply_frame(struct sss_channel *ch, const struct sss_frame *frame,
		       const struct sss_rx_packet *pkt)
{
	switch (frame->type) {
	case SSS_FRAME_PADDING:
	case SSS_FRAME_PING:
		return 0;
	case SSS_FRAME_ENDPOINTS:
		return __sss_announce_heard(ch, &frame->endpoints, pkt->number);
	case SSS_FRAME_ACK:
	case SSS_FRAME_ACK_ECN:
		return __sss_loss_on_ack(ch, &frame->ack, pkt->now);
	case SSS_FRAME_PATH_CHALLENGE:
		__sss_path_challenged(ch, &frame->path, pkt->from);
		return 0;
	case SSS_FRAME_PATH_RESPONSE:
		__sss_path_answered(ch, &frame->path, pkt->now);
		return 0;
	case SSS_FRAME_CLOSE:
		__sss_channel_closed_by_peer(ch, &frame->close);
		return 0;
	default:
		return sss_channel_ops->receive(ch, frame, pkt);
	}
}

static bool is_probing(u8 type)
{
	return type == SSS_FRAME_PADDING || type == SSS_FRAME_PATH_CHALLENGE ||
	       type == SSS_FRAME_PATH_RESPONSE;
}

/**
 * struct nature - what the frames of a packet say of it as a whole
 * @eliciting: it is to be acknowledged
 * @probing: it tries a path and does nothing else
 * @acks: it has an ACK
 */
struct nature {
	bool eliciting;
	bool probing;
	bool acks;
};

/* Each is a walk over all that is under way, so a packet has one, which can name all. */
static bool is_second_ack(u8 type, struct nature *nature)
{
	bool second = nature->acks;

	if (type != SSS_FRAME_ACK && type != SSS_FRAME_ACK_ECN)
		return false;
	nature->acks = true;
	return second;
}

/* All frames of a packet: 0, -ENOMEM (never received) or the reason to close */
static int apply_frames(struct sss_channel *ch, const struct packet *p,
			const struct sss_rx_packet *pkt, struct nature *nature)
{
	struct sss_frame frame;
	struct sss_cursor c;
	int err;

	sss_cursor_init(&c, p->data + SSS_PACKET_HEADER_LEN, p->len - SSS_PACKET_OVERHEAD);
	*nature = (struct nature){ .probing = true };
	while (sss_cursor_left(&c)) {
		err = sss_frame_parse(&c, &frame);
		if (!err)
			err = is_second_ack(frame.type, nature) ? SSS_ERROR_PROTOCOL :
			      apply_frame(ch, &frame, pkt);
		if (err > 0)
			__sss_channel_fail(ch, err, frame.type);
		if (err)
			return err;
		nature->eliciting |= sss_frame_is_eliciting(frame.type);
		nature->probing &= is_probing(frame.type);
	}
	return 0;
}

/*
 * The more packets come in a round trip, the more of them one ACK is for: enough are
 * left for the peer to send evenly, and to see its losses in time.
 */
static void adapt_acks(struct sss_channel *ch, bool gap, u64 now)
{
	if (gap)
		ch->ack_hurry = ACK_HURRY;
	else if (ch->ack_hurry)
		ch->ack_hurry--;
	ch->ack_round++;
	if (now < ch->ack_round_end)
		return;
	ch->ack_every = clamp_t(u32, ch->ack_round / ACKS_A_ROUND, ACK_LEAST, ACK_MOST);
	if (!ch->rtt.sampled)
		ch->ack_every = ACK_LEAST;
	ch->ack_round = 0;
	ch->ack_round_end = now + (u64)ch->rtt.smoothed * NSEC_PER_USEC;
}

/* RFC 9000 section 13.2: when the ACK is due */
static void schedule_ack(struct sss_channel *ch, u64 number, bool eliciting, u64 now)
{
	bool gap = !sss_ackset_empty(&ch->received) &&
		   number != sss_ackset_largest(&ch->received) + 1;

	sss_ackset_add(&ch->received, number, now);
	if (!eliciting)
		return;
	adapt_acks(ch, gap, now);
	ch->unacked_eliciting++;
	if (gap || ch->unacked_eliciting >= (ch->ack_hurry ? ACK_LEAST : ch->ack_every))
		ch->ack_now = true;
	else if (!ch->ack_at)
		ch->ack_at = now + ch->local.max_ack_delay_us * NSEC_PER_USEC;
}

/*
 * One authenticated packet. Channel lock held; true: the state must be
 * restarted before this packet can be applied.
 */
static bool apply_packet(struct sss_channel *ch, struct batch *b, struct packet *p)
{
	struct sss_rx_packet pkt = {
		.skb = p->own ?: b->skb,
		.truesize = p->own ? p->own->truesize : b->truesize / b->n,
		.whole = p->own || b->n == 1 ? 0 : b->truesize,
		.copy = !p->own && b->good < b->truesize / 4,
		.number = p->number,
		.now = b->now,
		.from = &b->from,
	};
	struct nature nature;
	bool newest;
	int err;

	if (!READ_ONCE(p->pair->confirmed) && READ_ONCE(p->pair->channel) == ch &&
	    __sss_handshake_confirmed(ch, p->pair, &b->from, b->now))
		return true;
	/* keys of a state that is over, or of a handshake that came to nothing */
	if (ch->state != SSS_CHANNEL_OPEN || ch->restarting ||
	    READ_ONCE(p->pair->channel) != ch || !READ_ONCE(p->pair->confirmed) ||
	    hlist_unhashed_lockless(&p->pair->entry.node)) {
		drop(ch, SSS_MIB_DROP_CLOSED);
		return false;
	}
	if (!sss_replay_test(&ch->replay, p->number)) {
		drop(ch, SSS_MIB_DROP_REPLAY);
		return false;
	}
	err = apply_frames(ch, p, &pkt, &nature);
	if (err) {
		drop(ch, err > 0 ? SSS_MIB_DROP_PROTOCOL : SSS_MIB_DROP_NOT_APPLIED);
		return false;
	}
	newest = p->number >= ch->replay.next;
	if (!sss_replay_set(&ch->replay, p->number)) {
		drop(ch, SSS_MIB_DROP_REPLAY);
		return false;
	}
	sss_mib_inc(ch->sn, RX_APPLIED);
	trace_sss_packet_received(ch->sn, ch->id, p->number, p->len);
	ch->pkts_received++;
	ch->bytes_received += p->len;
	__sss_channel_heard(ch, b->now);
	__sss_ecn_received(ch, b->ecn);
	__sss_path_received(ch, &b->from, p->len, newest, nature.probing, b->now);
	schedule_ack(ch, p->number, nature.eliciting, b->now);
	return false;
}

static void release(struct batch *b)
{
	unsigned int i;

	for (i = 0; i < b->n; i++) {
		if (b->packets[i].pair)
			sss_keypair_put(b->packets[i].pair);
		if (b->packets[i].own)
			consume_skb(b->packets[i].own);
	}
	consume_skb(b->skb);
	kfree(b);
}

/* Frames of one batch, under the channel lock taken once */
static void apply(struct sss_channel *ch, struct batch *b)
{
	unsigned int i;

	spin_lock_bh(&ch->lock);
	for (i = 0; i < b->n; i++) {
		if (!b->packets[i].pair || !apply_packet(ch, b, &b->packets[i]))
			continue;
		/* the peer's state is new: first end what belonged to the old one */
		spin_unlock_bh(&ch->lock);
		sss_channel_restart(ch);
		spin_lock_bh(&ch->lock);
		i--;
	}
	spin_unlock_bh(&ch->lock);
}

/* Applies what is decrypted, in order; one CPU at a time. True: something was. */
static bool apply_ready(struct sss_channel *ch)
{
	bool any = false;
	struct batch *b;

	spin_lock_bh(&ch->rx_lock);
	if (ch->rx_applying) {
		spin_unlock_bh(&ch->rx_lock);
		return false;
	}
	ch->rx_applying = true;
	while ((b = list_first_entry_or_null(&ch->rx_queue, struct batch, node)) &&
	       b->state == DONE) {
		list_del(&b->node);
		ch->rx_queued -= b->truesize;
		sss_gauge_add(ch->sn, RX_QUEUED, -(long)b->truesize);
		spin_unlock_bh(&ch->rx_lock);
		apply(ch, b);
		release(b);
		any = true;
		spin_lock_bh(&ch->rx_lock);
	}
	ch->rx_applying = false;
	spin_unlock_bh(&ch->rx_lock);
	return any;
}

static struct batch *claim(struct sss_channel *ch)
{
	struct batch *b;

	spin_lock_bh(&ch->rx_lock);
	list_for_each_entry(b, &ch->rx_queue, node) {
		if (b->state != FRESH)
			continue;
		b->state = CLAIMED;
		spin_unlock_bh(&ch->rx_lock);
		return b;
	}
	spin_unlock_bh(&ch->rx_lock);
	return NULL;
}

/**
 * sss_rx_run() - decrypt and apply what has arrived
 * @ch: channel; the caller holds a reference
 *
 * Ends with acknowledgments and whatever else became sendable, and with the
 * wake-ups of the streams concerned.
 *
 * Context: softirq or process, no lock held.
 */
void sss_rx_run(struct sss_channel *ch)
{
	bool any = false;
	struct batch *b;

	while ((b = claim(ch))) {
		decrypt(ch, b);
		spin_lock_bh(&ch->rx_lock);
		b->state = DONE;
		spin_unlock_bh(&ch->rx_lock);
		any |= apply_ready(ch);
		if (!in_softirq())
			cond_resched();
	}
	if (!any)
		return;
	sss_channel_tell_link(ch);
	local_bh_disable();
	sss_channel_ops->deliver(ch);
	local_bh_enable();
	sss_channel_transmit(ch);
}

/**
 * sss_rx_work() - sss_rx_run() in process context
 * @work: sss_channel.rx_work, which holds a reference
 */
void sss_rx_work(struct work_struct *work)
{
	struct sss_channel *ch = container_of(work, struct sss_channel, rx_work);

	sss_rx_run(ch);
	sss_channel_put(ch);
}

/**
 * sss_rx_purge() - drop what waits
 * @ch: channel nobody receives for any more
 */
void sss_rx_purge(struct sss_channel *ch)
{
	struct batch *b, *next;

	list_for_each_entry_safe(b, next, &ch->rx_queue, node) {
		sss_drop_packets(ch->sn, ch->id, SSS_MIB_DROP_CLOSED, b->n);
		kfree_skb(b->skb);
		kfree(b);
	}
	INIT_LIST_HEAD(&ch->rx_queue);
	sss_gauge_add(ch->sn, RX_QUEUED, -(long)ch->rx_queued);
	ch->rx_queued = 0;
}
