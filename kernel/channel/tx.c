// SPDX-License-Identifier: GPL-2.0
/*
 * Transmission.
 *
 * A run fills a batch of packets under the channel lock (program data is
 * copied once more here, straight into the memory of the packet), seals it
 * with no lock held, and hands it to flush(), which sends sealed batches in
 * the order of their packet numbers: several CPUs may seal for one channel
 * and the peer still sees no reordering.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "base/trace.h"
#include "channel/announce.h"
#include "channel/batch.h"
#include "channel/ecn.h"
#include "channel/handshake.h"
#include "channel/loss.h"
#include "channel/moved.h"
#include "channel/padding.h"
#include "channel/path.h"
#include "channel/pmtu.h"
#include "channel/timer.h"
#include "channel/tx.h"
#include "crypto/aead.h"
#include "net/udp.h"
#include "wire/packet.h"

#define NUMBER_AHEAD	BIT_ULL(22)		/* of the largest acknowledged */
#define QUIET_MAX	4096			/* packets in a row that elicit nothing */
#define QUEUE_WAIT	(NSEC_PER_MSEC / 2)
#define PACE_BURST	NSEC_PER_MSEC		/* credit a pause may gather */
#define ASIDE_MOST	256			/* packets that no window holds back */
#define BATCHES_MOST	32			/* that one call sends */
#define MEMORY_WAIT	NSEC_PER_MSEC		/* without memory: try again then */

/**
 * __sss_tx_control_wanted() - is there something that asks no congestion window?
 * @ch: channel
 *
 * If so right after a transmission, there was no memory for it, or no key.
 *
 * Context: channel lock held.
 */
bool __sss_tx_control_wanted(const struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->ack_now || ch->ping || ch->confirm || ch->challenged || ch->close_due ||
	       ch->aside || ch->announce || ch->loss.probes;
}

static bool number_allowed(const struct sss_channel *ch, const struct sss_keypair *pair)
{
	u64 base = pair->first_send;

	if (ch->loss.any_acked && ch->loss.largest_acked > base)
		base = ch->loss.largest_acked;
	return ch->next_number - base < NUMBER_AHEAD;
}

/* RFC 9002 section 7: neither the window nor the pacer objects. */
static bool data_allowed(struct sss_channel *ch, u64 now)
{
	if (ch->loss.probes)
		return true;
	return ch->loss.in_flight + ch->path.mtu <= ch->cong.cwnd && ch->pace_at <= now;
}

static void put_ack(struct sss_channel *ch, struct sss_tx_packet *pkt, u64 now)
{
	u64 delay = div_u64(now - ch->received.largest_at, NSEC_PER_USEC);

	if (sss_ackset_empty(&ch->received) ||
	    sss_frame_ack_put(&pkt->w, &ch->received, delay, SSS_ACKSET_MAX,
			      sss_ecn_counts(ch)))
		return;
	/* once this packet is acknowledged, older numbers need no mention */
	pkt->frames[pkt->n_frames++] = (struct sss_sent_frame){
		.type = SSS_FRAME_ACK, .value = sss_ackset_largest(&ch->received),
	};
}

static void put_simple(struct sss_tx_packet *pkt, const struct sss_frame *frame)
{
	if (!sss_frame_put(&pkt->w, frame) && sss_frame_is_eliciting(frame->type))
		pkt->eliciting = true;
}

/*
 * May a packet be kept that the window does not hold back? Who never answers is not to
 * have records pile up beyond those of the smallest packets that fill the window.
 */
static bool may_keep(const struct sss_channel *ch)
{
	return ch->loss.eliciting_in_flight < ASIDE_MOST + ch->cong.cwnd / SSS_PACKET_MIN_LEN;
}

/* Sent in any case, and kept if that may be */
static void put_aside(struct sss_channel *ch, struct sss_tx_packet *pkt,
		      const struct sss_frame *frame)
{
	if (may_keep(ch))
		put_simple(pkt, frame);
	else
		sss_frame_put(&pkt->w, frame);
}

/* The channel's own frames; the stream floor's come behind. */
static void put_control(struct sss_channel *ch, struct sss_tx_packet *pkt, bool data, u64 now)
{
	struct sss_frame frame = {};

	if (ch->ack_now || (ch->unacked_eliciting && data))
		put_ack(ch, pkt, now);
	if (ch->challenged) {
		frame.type = SSS_FRAME_PATH_RESPONSE;
		memcpy(frame.path.data, ch->challenge, sizeof(frame.path.data));
		/* if it is lost, who asked may be allowed to send no more until he hears of us */
		put_aside(ch, pkt, &frame);
	}
	if (ch->announce)
		__sss_announce_put(ch, pkt);
	if (ch->close_due) {
		frame.type = SSS_FRAME_CLOSE;
		frame.close = (struct sss_frame_close){
			.code = ch->close_code, .frame_type = ch->close_frame_type,
		};
		put_simple(pkt, &frame);
	}
}

/* What was asked for is in a packet that leaves. */
static void control_done(struct sss_channel *ch, const struct sss_tx_packet *pkt)
{
	ch->challenged = false;
	ch->close_due = false;
	ch->confirm = false;
	ch->ping = false;
	if (pkt->n_frames && pkt->frames[0].type == SSS_FRAME_ACK) {
		ch->ack_now = false;
		ch->unacked_eliciting = 0;
		ch->ack_at = 0;
	}
	if (ch->loss.probes)
		ch->loss.probes--;
	ch->since_eliciting = pkt->eliciting ? 0 : ch->since_eliciting + 1;
}

/* Remembers the packet; false: no memory, so it must not leave. */
static bool record(struct sss_channel *ch, const struct sss_tx_packet *pkt, u64 number,
		   u32 size, bool counted, u64 now)
{
	struct sss_sent *sent;

	if (!pkt->eliciting)
		return true;
	sent = kmalloc(struct_size(sent, frames, pkt->n_frames), GFP_ATOMIC | __GFP_NOWARN);
	if (!sent)
		return false;
	sent->number = number;
	sent->at = now;
	sent->moved = false;
	sent->background = pkt->background;
	sent->size = size;
	sent->eliciting = true;
	sent->counted = counted;
	sent->marked = sss_ecn_mark(ch);
	sent->n_frames = pkt->n_frames;
	memcpy(sent->frames, pkt->frames, pkt->n_frames * sizeof(pkt->frames[0]));
	__sss_loss_sent(ch, sent);
	return true;
}

/* No memory, and maybe nothing under way whose answer would have us try again */
static void wait_for_memory(struct sss_channel *ch, u64 now)
{
	ch->pace_at = max(ch->pace_at, now + MEMORY_WAIT);
}

static void give_back(struct sss_channel *ch, const struct sss_tx_packet *pkt)
{
	__sss_loss_of_frames(ch, pkt->frames, pkt->n_frames);
	sss_mib_inc(ch->sn, TX_NO_MEMORY);
}

/* Fills the packet at @at; returns its length, 0: there was nothing to say. */
static u32 fill(struct sss_channel *ch, struct sss_batch *b, u8 *at, u64 now)
{
	struct sss_tx_packet *pkt = &ch->tx_packet;
	u8 *start = at + SSS_PACKET_HEADER_LEN;
	bool data = ch->state == SSS_CHANNEL_OPEN && data_allowed(ch, now) &&
		    sss_channel_ops->pending(ch);
	u32 len;

	if (!data && !__sss_tx_control_wanted(ch))
		return 0;
	pkt->n_frames = 0;
	pkt->eliciting = false;
	pkt->full = false;
	pkt->probe = ch->loss.probes > 0;
	pkt->background = false;
	sss_writer_init(&pkt->w, start, b->seg - SSS_PACKET_OVERHEAD);
	put_control(ch, pkt, data, now);
	if (data || (pkt->probe && may_keep(ch) && ch->state == SSS_CHANNEL_OPEN))
		sss_channel_ops->fill(ch, pkt);
	if (!pkt->eliciting && !pkt->full &&
	    (pkt->probe || ch->ping || ch->confirm || ch->since_eliciting >= QUIET_MAX))
		put_aside(ch, pkt, &(struct sss_frame){ .type = SSS_FRAME_PING });
	if (pkt->w.p == start)
		return 0;
	len = pkt->w.p - at + SSS_PACKET_TAG_LEN;
	sss_padding_put(&pkt->w, start,
			sss_padding_size(READ_ONCE(ch->host->padding), len, b->seg) - len);
	return pkt->w.p - at + SSS_PACKET_TAG_LEN;
}

/* Adds one packet to the batch; false: the batch is complete. */
static bool add_packet(struct sss_channel *ch, struct sss_batch *b, u64 now)
{
	u8 *at = __sss_batch_reserve(ch, b);
	u32 len;

	if (!at)
		return false;
	len = fill(ch, b, at, now);
	if (!len)
		return false;
	if (!record(ch, &ch->tx_packet, ch->next_number, len, true, now)) {
		give_back(ch, &ch->tx_packet);
		wait_for_memory(ch, now);
		return false;
	}
	control_done(ch, &ch->tx_packet);
	sss_packet_put_header(at, ch->next_number, b->pair->keys.send_mask,
			      b->pair->remote_index);
	ch->next_number++;
	ch->pkts_sent++;
	ch->bytes_sent += len;
	if (unlikely(ch->path.unproved))
		ch->path.budget -= min_t(u64, ch->path.budget, len);
	__sss_batch_commit(ch, b, at, len);
	if (ch->tx_packet.eliciting)
		b->paced += len;
	return len == b->seg;
}

/*
 * Optimistic acknowledgments are caught by numbers never sent: one is left
 * out at random at least once in 256 to 1024.
 */
static void skip_number(struct sss_channel *ch)
{
	if (ch->next_number < ch->skip_number)
		return;
	memmove(ch->skipped + 1, ch->skipped, sizeof(ch->skipped) - sizeof(ch->skipped[0]));
	ch->skipped[0] = ch->next_number++;
	/* those that are remembered reach back over more than what is under way */
	ch->skip_number = ch->next_number + 256 + ch->loss.eliciting_in_flight / 8 +
			  get_random_u32_below(768);
}

/* Packets that the pacer lets leave in one go: about a millisecond's worth */
static unsigned int batch_limit(const struct sss_channel *ch, u32 seg, u64 rate)
{
	u64 paced = div_u64(rate >> 10, seg);
	unsigned int fit = SSS_BATCH_BYTES / seg;

	/* of the two probes each has its own size */
	if (ch->loss.probes)
		return 1;
	return min_t(u64, clamp_t(u64, paced, 2, SSS_TX_BATCH_MAX), max(fit, 1U));
}

/*
 * What the device has not sent yet must not grow without bound: above two
 * milliseconds of data at the pacing rate data waits a little, as if paced.
 */
static void mind_queue(struct sss_channel *ch, u64 rate, u64 now)
{
	unsigned int queued = 0;
	struct sss_udp *udp;

	rcu_read_lock();
	udp = rcu_dereference(ch->host->udp);
	if (udp)
		queued = sss_udp_queued(udp, &ch->path.remote);
	rcu_read_unlock();
	if (queued > max_t(u64, rate >> 9, 2 * SSS_BATCH_BYTES))
		ch->pace_at = max(ch->pace_at, now + QUEUE_WAIT);
}

/* Acknowledgments alone do not count (RFC 9002 section 7.7): nothing would wait for them. */
static void pace(struct sss_channel *ch, const struct sss_batch *b, u64 rate, u64 now)
{
	if (!ch->rtt.sampled || !rate || !b->paced)
		return;
	if (ch->pace_at + PACE_BURST < now)
		ch->pace_at = now - PACE_BURST;
	ch->pace_at += div64_u64((u64)b->paced * NSEC_PER_SEC, rate);
}

/* The pair to send under, with a reference; asks for a handshake if it ages. */
static struct sss_keypair *sending_pair(struct sss_channel *ch)
{
	const struct sss_limits *limits = &ch->sn->limits;
	struct sss_keypair *pair;
	u64 now = sss_keypair_now();

	pair = sss_keyring_get_current(&ch->ring);
	if (pair && sss_keypair_may_send(pair, limits, now)) {
		if (sss_keypair_wants_rekey(pair, limits, ch->next_number, now))
			__sss_handshake_want(ch, NULL);
		return pair;
	}
	if (pair)
		sss_keypair_put(pair);
	if (sss_channel_ops->pending(ch) || ch->loss.eliciting_in_flight ||
	    (ch->ping && ch->n_keepalive))
		__sss_handshake_want(ch, NULL);
	return NULL;
}

static void queue_batch(struct sss_channel *ch, struct sss_batch *b)
{
	spin_lock(&ch->tx_lock);
	list_add_tail(&b->node, &ch->tx_queue);
	spin_unlock(&ch->tx_lock);
}

/* A packet of the size that is tried (RFC 8899): PING and padding, not counted */
static struct sss_batch *build_probe(struct sss_channel *ch, u64 now)
{
	struct sss_tx_packet *pkt = &ch->tx_packet;
	struct sss_keypair *pair = sending_pair(ch);
	u32 size = ch->path.probe_next;
	struct sss_batch *b;
	u8 *at;

	if (!pair)
		return NULL;
	b = __sss_batch_alloc(ch, pair, size);
	if (!b) {
		sss_keypair_put(pair);
		return NULL;
	}
	if (b->seg != size) {
		__sss_pmtu_no_memory(ch, now);
		sss_batch_free(b);
		return NULL;
	}
	skip_number(ch);
	b->first = ch->next_number;
	at = __sss_batch_reserve(ch, b);
	pkt->n_frames = 0;
	pkt->eliciting = true;
	pkt->background = false;
	sss_writer_init(&pkt->w, at + SSS_PACKET_HEADER_LEN, size - SSS_PACKET_OVERHEAD);
	put_simple(pkt, &(struct sss_frame){ .type = SSS_FRAME_PING });
	sss_writer_zero(&pkt->w, sss_writer_room(&pkt->w));
	if (!record(ch, pkt, ch->next_number, size, false, now)) {
		sss_batch_free(b);
		return NULL;
	}
	__sss_pmtu_sent(ch, ch->next_number);
	sss_packet_put_header(at, ch->next_number++, pair->keys.send_mask, pair->remote_index);
	__sss_batch_commit(ch, b, at, size);
	queue_batch(ch, b);
	return b;
}

/*
 * A packet of its own that tries another path, or answers who does. Its loss says
 * nothing of the path in use, so nobody waits for its acknowledgment.
 */
static struct sss_batch *build_aside(struct sss_channel *ch)
{
	struct sss_keypair *pair = sending_pair(ch);
	struct sss_frame frame = {};
	union sss_endpoint to;
	struct sss_writer w;
	struct sss_batch *b;

	if (!pair || !__sss_path_next(ch, &frame, &to)) {
		if (pair)
			sss_keypair_put(pair);
		return NULL;
	}
	b = __sss_batch_alloc(ch, pair, SSS_PATH_ASIDE_LEN);
	if (!b) {
		sss_keypair_put(pair);
		return NULL;
	}
	skip_number(ch);
	b->to = to;
	b->aside = true;
	b->tos = 0;
	b->first = ch->next_number;
	sss_writer_init(&w, b->skb->data + SSS_PACKET_HEADER_LEN,
			SSS_PATH_ASIDE_LEN - SSS_PACKET_OVERHEAD);
	sss_frame_put(&w, &frame);
	sss_packet_put_header(b->skb->data, ch->next_number++, pair->keys.send_mask,
			      pair->remote_index);
	__sss_batch_commit(ch, b, b->skb->data, SSS_PATH_ASIDE_LEN);
	queue_batch(ch, b);
	return b;
}

static struct sss_batch *build(struct sss_channel *ch)
{
	u32 room = __sss_path_room(ch);
	u64 now = ktime_get_ns(), rate;
	struct sss_keypair *pair;
	unsigned int limit;
	struct sss_batch *b;

	if (ch->restarting || (ch->state != SSS_CHANNEL_OPEN && !ch->close_due))
		return NULL;
	if (unlikely(ch->aside) && ch->state == SSS_CHANNEL_OPEN) {
		b = build_aside(ch);
		if (b)
			return b;
	}
	if (__sss_pmtu_due(ch, now)) {
		b = build_probe(ch, now);
		if (b)
			return b;
	}
	if (!room || (!__sss_tx_control_wanted(ch) &&
		      (!sss_channel_ops->pending(ch) || !data_allowed(ch, now))))
		return NULL;
	pair = sending_pair(ch);
	if (!pair)
		return NULL;
	skip_number(ch);
	rate = sss_cong_pacing_rate(&ch->cong, ch->rtt.smoothed);
	mind_queue(ch, rate, now);
	if (!number_allowed(ch, pair)) {
		sss_keypair_put(pair);
		return NULL;
	}
	b = __sss_batch_alloc(ch, pair, min(room, sss_pmtu_size(ch)));
	if (!b) {
		wait_for_memory(ch, now);
		sss_keypair_put(pair);
		return NULL;
	}
	b->first = ch->next_number;
	limit = ch->path.unproved || ch->path.remote.via.session ? 1 :
		batch_limit(ch, b->seg, rate);
	while (b->n < limit && ch->next_number < ch->skip_number)
		if (!add_packet(ch, b, now))
			break;
	if (!b->n) {
		sss_batch_free(b);
		return NULL;
	}
	pace(ch, b, rate, now);
	queue_batch(ch, b);
	return b;
}

static void seal(const struct sss_batch *b)
{
	unsigned int i;
	u32 len;

	for (i = 0; i < b->n; i++) {
		len = i + 1 < b->n ? b->seg : b->last;
		sss_aead_seal(b->at[i], SSS_PACKET_HEADER_LEN, len - SSS_PACKET_OVERHEAD,
			      b->first + i, b->pair->keys.send);
	}
}

/* The host goes, and its sockets went before. */
static void drop_batch(struct sss_channel *ch, const struct sss_batch *b, struct sk_buff *skb)
{
	sss_mib_add(ch->sn, TX_ERRORS, b->n);
	kfree_skb(skb);
}

static void trace_sent(const struct sss_channel *ch, const struct sss_batch *b)
{
	unsigned int i;

	for (i = 0; i < b->n; i++)
		trace_sss_packet_sent(ch->sn, ch->id, b->first + i,
				      i + 1 < b->n ? b->seg : b->last);
}

static void send(struct sss_channel *ch, struct sss_batch *b)
{
	struct sk_buff *skb = b->skb;
	bool on_path = !b->aside && b->changes == READ_ONCE(ch->path.changes);
	struct sss_udp *udp;
	int err = 0;

	b->skb = NULL;
	if (trace_sss_packet_sent_enabled())
		trace_sent(ch, b);
	rcu_read_lock();
	udp = rcu_dereference(ch->host->udp);
	if (udp)
		err = sss_udp_send(udp, skb, &b->to, on_path ? &ch->path.cache : NULL,
				   b->n > 1 ? b->seg : 0, b->tos);
	else
		drop_batch(ch, b, skb);
	rcu_read_unlock();
	/* Meanwhile the path became another one: this was the route of the old. */
	if (on_path && b->changes != READ_ONCE(ch->path.changes))
		dst_cache_reset(&ch->path.cache);
	if (err == -EMSGSIZE && on_path)
		sss_pmtu_too_big(ch, &b->to, b->n > 1 ? b->seg : b->last);
	if (err == -ENETUNREACH || err == -EHOSTUNREACH || err == -ENETDOWN)
		sss_moved_unroutable(ch, &b->to);
	else if (unlikely(READ_ONCE(ch->path.unroutable)) && on_path && !err)
		WRITE_ONCE(ch->path.unroutable, false);
	sss_batch_free(b);
}

/* Marks @done as sealed and sends what may leave: sealed, all before it gone */
static void flush(struct sss_channel *ch, struct sss_batch *done)
{
	struct sss_batch *b;

	spin_lock_bh(&ch->tx_lock);
	done->sealed = true;
	if (ch->tx_flushing) {
		spin_unlock_bh(&ch->tx_lock);
		return;
	}
	ch->tx_flushing = true;
	while ((b = list_first_entry_or_null(&ch->tx_queue, struct sss_batch, node)) && b->sealed) {
		list_del(&b->node);
		spin_unlock(&ch->tx_lock);
		send(ch, b);
		spin_lock(&ch->tx_lock);
	}
	ch->tx_flushing = false;
	spin_unlock_bh(&ch->tx_lock);
}

/**
 * sss_channel_transmit() - send what may be sent now
 * @ch: channel; the caller holds a reference
 *
 * Call it after anything that makes something sendable. What congestion
 * control or pacing holds back goes out later by itself, and so does what
 * others go on writing meanwhile: nobody has to send for all of them for ever.
 *
 * Context: process or softirq, no channel lock held; a socket lock may be.
 */
void sss_channel_transmit(struct sss_channel *ch)
{
	unsigned int left = BATCHES_MOST;
	struct sss_batch *b;

	do {
		spin_lock_bh(&ch->lock);
		b = build(ch);
		if (b && !--left)
			ch->resume_at = ktime_get_ns();
		__sss_timer_update(ch);
		spin_unlock_bh(&ch->lock);
		if (b) {
			seal(b);
			flush(ch, b);
		}
	} while (b && left);
}
