// SPDX-License-Identifier: GPL-2.0
/*
 * Loss detection and probe timeouts (RFC 9002 section 6).
 *
 * Packets that elicit an acknowledgment stand in one list in order of their
 * numbers. An ACK takes those it names out of it; what is left below the
 * largest acknowledged number is a hole, lost once it is three packets or
 * 9/8 of a round trip old. The list below that number holds holes only, so
 * walking it costs what was acknowledged or lost, not what is in flight.
 *
 * A packet that counts as lost and is acknowledged later tells that the path
 * reorders: from then on holes get as much patience as it would have needed,
 * until losses have been real for a while.
 */
#include <linux/slab.h>
#include "base/compat.h"
#include "base/trace.h"
#include "channel/announce.h"
#include "channel/background.h"
#include "channel/ecn.h"
#include "channel/loss.h"
#include "channel/pmtu.h"
#include "channel/timer.h"
#include "channel/tx.h"
#include "wire/packet.h"

#define PACKET_THRESHOLD	3	/* RFC 9002 section 6.1.1 */
#define REORDER_MOST		1000	/* packets of patience */
#define REORDER_FORGET		16	/* real losses; RFC 8985 section 6.2 step 4 */
#define PERSISTENT_PTOS		3	/* section 7.6.1 */
#define GONE_MAX_NS		(10 * NSEC_PER_SEC)
#define GONE_MOST		2048	/* records of packets declared lost */
#define RANGES_AT_ONCE		32	/* of an ACK, in one walk over the lists */

/**
 * sss_loss_init() - nothing sent yet
 * @loss: to be set
 */
void sss_loss_init(struct sss_loss *loss)
{
	memset(loss, 0, sizeof(*loss));
	loss->threshold = PACKET_THRESHOLD;
	INIT_LIST_HEAD(&loss->sent);
	INIT_LIST_HEAD(&loss->gone);
}

/**
 * __sss_loss_sent() - a packet that elicits an acknowledgment leaves
 * @ch: channel
 * @sent: its record, taken over
 *
 * Context: channel lock held.
 */
void __sss_loss_sent(struct sss_channel *ch, struct sss_sent *sent)
{
	struct sss_loss *loss = &ch->loss;

	lockdep_assert_held(&ch->lock);
	list_add_tail(&sent->node, &loss->sent);
	sss_gauge_inc(ch->sn, SENT_PACKETS);
	if (!sent->counted)
		return;
	loss->in_flight += sent->size;
	sss_cong_sent(&ch->cong, loss->in_flight);
	if (sent->background)
		__sss_background_sent(ch, sent->size);
	loss->eliciting_in_flight++;
	loss->last_eliciting = sent->at;
	if (!ch->oldest_unanswered)
		ch->oldest_unanswered = sent->at;
}

static void discard(struct sss_channel *ch, struct sss_sent *sent)
{
	list_del(&sent->node);
	kfree(sent);
	sss_gauge_dec(ch->sn, SENT_PACKETS);
}

static void leave_flight(struct sss_channel *ch, const struct sss_sent *sent)
{
	if (!sent->counted)
		return;
	ch->loss.in_flight -= sent->size;
	ch->loss.eliciting_in_flight--;
	if (sent->background)
		ch->background.in_flight -= sent->size;
}

/* Whose window its loss narrows */
static struct sss_cong *cong_of(struct sss_channel *ch, const struct sss_sent *sent)
{
	return sent->background ? &ch->background.cong : &ch->cong;
}

static void acked_frames(struct sss_channel *ch, const struct sss_sent *sent)
{
	unsigned int i;

	for (i = 0; i < sent->n_frames; i++) {
		const struct sss_sent_frame *f = &sent->frames[i];

		if (f->type == SSS_FRAME_ACK)
			sss_ackset_forget(&ch->received, f->value);
		else if (f->type != SSS_FRAME_ENDPOINTS)
			sss_channel_ops->acked(ch, f);
	}
}

/**
 * __sss_loss_of_frames() - what a packet carried did not arrive, or did not leave
 * @ch: channel
 * @frame: those that were noted
 * @n: how many
 *
 * Context: channel lock held.
 */
void __sss_loss_of_frames(struct sss_channel *ch, const struct sss_sent_frame *frame,
			  unsigned int n)
{
	lockdep_assert_held(&ch->lock);
	for (; n; frame++, n--) {
		if (frame->type == SSS_FRAME_ENDPOINTS)
			__sss_announce_lost(ch, frame);
		else if (frame->type != SSS_FRAME_ACK)
			sss_channel_ops->lost(ch, frame);
	}
}

/* A number that was never sent is acknowledged: the peer acks what it did not get. */
static bool is_optimistic(const struct sss_channel *ch, u64 lo, u64 hi)
{
	unsigned int i;

	if (lo < ch->first_number || hi >= ch->next_number)
		return true;
	for (i = 0; i < SSS_SKIPPED; i++)
		if (ch->skipped[i] >= lo && ch->skipped[i] <= hi)
			return true;
	return false;
}

/**
 * struct gain - what a window may grow by
 * @bytes: sent outside recovery
 * @newest: when the last of them was sent, ns
 */
struct gain {
	u64 bytes;
	u64 newest;
};

/**
 * struct acked - what an ACK acknowledges for the first time
 * @largest_at: when the largest number that it names was sent, ns, if it is new
 * @bytes: that counted as in flight, but in the background
 * @background: and there
 * @gain: of all
 * @background_gain: of those in the background
 * @marked: packets that left with ECT(0)
 * @first_at: when the first one was sent, ns
 * @last_at: and the last
 */
struct acked {
	u64 largest_at;
	u64 bytes;
	u64 background;
	struct gain gain;
	struct gain background_gain;
	u64 marked;
	u64 first_at;
	u64 last_at;
};

static void add_gain(struct gain *gain, const struct sss_cong *cong, const struct sss_sent *s)
{
	if (!sss_cong_may_grow(cong, s->at))
		return;
	gain->bytes += s->size;
	gain->newest = max(gain->newest, s->at);
}

static void ack_counted(struct sss_channel *ch, const struct sss_sent *s, struct acked *acked)
{
	add_gain(&acked->gain, &ch->cong, s);
	if (!s->background) {
		acked->bytes += s->size;
		return;
	}
	acked->background += s->size;
	add_gain(&acked->background_gain, &ch->background.cong, s);
}

/**
 * struct ranges - some of the ranges of an ACK, as it has them: the highest first
 * @lo: first numbers
 * @hi: last numbers
 * @n: how many
 *
 * The lists are walked once for all of them, from the lowest up: else a peer could
 * have each of hundreds of ranges cost a walk.
 */
struct ranges {
	u64 lo[RANGES_AT_ONCE];
	u64 hi[RANGES_AT_ONCE];
	unsigned int n;
};

/*
 * Is @number in one of the first *@left ranges? Those it lies above are over, for it
 * and for all larger ones.
 */
static bool is_in(const struct ranges *r, unsigned int *left, u64 number)
{
	while (*left && number > r->hi[*left - 1])
		(*left)--;
	return *left && number >= r->lo[*left - 1];
}

/* Takes out every packet that the ranges name. */
static void ack_ranges(struct sss_channel *ch, const struct ranges *r, struct acked *acked,
		       u64 now)
{
	unsigned int left = r->n;
	struct sss_sent *at, *next;

	list_for_each_entry_safe(at, next, &ch->loss.sent, node) {
		bool named = is_in(r, &left, at->number);

		if (!left)
			break;
		if (!named)
			continue;
		if (at->number == ch->loss.largest_acked)
			acked->largest_at = at->at;
		acked->marked += at->marked;
		acked->first_at = min(acked->first_at, at->at);
		acked->last_at = max(acked->last_at, at->at);
		leave_flight(ch, at);
		if (at->counted)
			ack_counted(ch, at, acked);
		__sss_pmtu_acked(ch, at, now);
		acked_frames(ch, at);
		discard(ch, at);
	}
}

/* How late this one was, in packets and in time, is not too late any more. */
static void be_patient(struct sss_channel *ch, const struct sss_sent *s, u64 now)
{
	struct sss_loss *loss = &ch->loss;
	u64 distance = loss->largest_acked - min(s->number, loss->largest_acked) + 1;
	u64 most = 2ULL * NSEC_PER_USEC * ch->rtt.smoothed;

	loss->threshold = clamp_t(u64, distance, loss->threshold, REORDER_MOST);
	loss->patience = clamp_t(u64, now - s->at, loss->patience, max(most, loss->patience));
	loss->since_reorder = 0;
}

/* The path reordered once, but it may be another path by now. */
static void lose_patience(struct sss_loss *loss)
{
	if (++loss->since_reorder < REORDER_FORGET)
		return;
	loss->threshold = PACKET_THRESHOLD;
	loss->patience = 0;
}

/* Packets declared lost that an ACK names after all: their frames need no resending. */
static void find_spurious(struct sss_channel *ch, const struct ranges *r, u64 now)
{
	unsigned int left = r->n;
	struct sss_sent *s, *next;

	list_for_each_entry_safe(s, next, &ch->loss.gone, node) {
		bool named = is_in(r, &left, s->number);

		if (!left)
			break;
		if (!named)
			continue;
		ch->loss.n_gone--;
		if (!s->moved)
			be_patient(ch, s, now);
		if (!s->moved && sss_cong_spurious(cong_of(ch, s), s->at))
			sss_mib_inc(ch->sn, CONG_UNDONE);
		__sss_pmtu_acked(ch, s, now);
		acked_frames(ch, s);
		discard(ch, s);
		ch->pkts_spurious++;
		sss_mib_inc(ch->sn, PKTS_SPURIOUS);
	}
}

static void expire_gone(struct sss_channel *ch, u64 now)
{
	struct sss_sent *s, *next;
	u64 keep = min_t(u64, GONE_MAX_NS, 3000 * sss_rtt_pto(&ch->rtt, 0, 0));

	list_for_each_entry_safe(s, next, &ch->loss.gone, node) {
		if (s->at + keep > now)
			break;
		ch->loss.n_gone--;
		discard(ch, s);
	}
}

/* Kept a while, so that frames acknowledged late are not sent again; so many at most. */
static void keep_gone(struct sss_channel *ch, struct sss_sent *s)
{
	list_move_tail(&s->node, &ch->loss.gone);
	if (ch->loss.n_gone == GONE_MOST)
		discard(ch, list_first_entry(&ch->loss.gone, struct sss_sent, node));
	else
		ch->loss.n_gone++;
}

static void declare_lost(struct sss_channel *ch, struct sss_sent *s, u64 now)
{
	leave_flight(ch, s);
	__sss_pmtu_lost(ch, s, now);
	if (!s->counted) {
		discard(ch, s);
		return;
	}
	trace_sss_packet_lost(ch->sn, ch->id, s->number, s->size);
	ch->pkts_lost++;
	sss_mib_inc(ch->sn, PKTS_LOST);
	__sss_loss_of_frames(ch, s->frames, s->n_frames);
	keep_gone(ch, s);
}

/*
 * Was everything lost for so long that the path is another one now (RFC 9002
 * section 7.6)? @oldest, @newest: when the first and the last of it were sent
 */
static bool is_persistent(const struct sss_channel *ch, u64 oldest, u64 newest)
{
	return ch->rtt.sampled && oldest &&
	       newest - oldest > PERSISTENT_PTOS * sss_channel_pto_ns(ch);
}

/*
 * RFC 9002 section 6.1: by packet threshold and by time; sets loss_time. @arrived:
 * when the first packet was sent that is acknowledged just now, ns
 */
static void detect_lost(struct sss_channel *ch, u64 arrived, u64 now)
{
	struct sss_loss *loss = &ch->loss;
	u64 delay = max(sss_rtt_loss_delay(&ch->rtt) * NSEC_PER_USEC, loss->patience);
	u64 newest = 0, oldest = 0;
	struct sss_sent *s, *next;
	bool any = false;

	loss->loss_time = 0;
	list_for_each_entry_safe(s, next, &loss->sent, node) {
		struct sss_cong *cong = cong_of(ch, s);
		bool counted = s->counted;
		u32 size = s->size;
		u64 at = s->at;

		if (!loss->any_acked || s->number > loss->largest_acked)
			break;
		if (s->number + loss->threshold > loss->largest_acked && at + delay > now) {
			loss->loss_time = sss_timer_min(loss->loss_time, at + delay);
			continue;
		}
		declare_lost(ch, s, now);
		if (!counted)
			continue;
		sss_cong_lost(cong, size, at, now);
		any = true;
		/* nothing that was sent between the two may have arrived */
		if (at <= loss->arrived || at >= arrived)
			continue;
		oldest = oldest ?: at;
		newest = at;
	}
	if (!any)
		return;
	lose_patience(loss);
	if (is_persistent(ch, oldest, newest)) {
		sss_cong_persistent(&ch->cong);
		sss_cong_persistent(&ch->background.cong);
		sss_mib_inc(ch->sn, CONG_PERSISTENT);
	}
}

static void sample_rtt(struct sss_channel *ch, const struct sss_frame_ack *ack, u64 sent_at,
		       u64 now)
{
	u64 us = div_u64(now - sent_at, NSEC_PER_USEC);

	sss_rtt_sample(&ch->rtt, min_t(u64, us, U32_MAX), min_t(u64, ack->delay_us, U32_MAX),
		       ch->remote.max_ack_delay_us);
}

static u64 first_unanswered(const struct sss_channel *ch)
{
	const struct sss_sent *s;

	list_for_each_entry(s, &ch->loss.sent, node)
		if (s->counted)
			return s->at;
	return 0;
}

static void apply_ranges(struct sss_channel *ch, const struct ranges *r, struct acked *acked,
			 u64 now)
{
	ack_ranges(ch, r, acked, now);
	if (!list_empty(&ch->loss.gone))
		find_spurious(ch, r, now);
}

static int walk_ranges(struct sss_channel *ch, const struct sss_frame_ack *ack,
		       struct acked *acked, u64 now)
{
	struct ranges r = { .n = 0 };
	struct sss_ack_walk walk;
	u64 lo, hi;

	sss_frame_ack_first(ack, &walk, &lo, &hi);
	do {
		if (is_optimistic(ch, lo, hi))
			return -EPROTO;
		trace_sss_packets_acked(ch->sn, ch->id, lo, hi);
		r.lo[r.n] = lo;
		r.hi[r.n++] = hi;
		if (r.n == RANGES_AT_ONCE) {
			apply_ranges(ch, &r, acked, now);
			r.n = 0;
		}
	} while (sss_frame_ack_next(&walk, &lo, &hi));
	if (r.n)
		apply_ranges(ch, &r, acked, now);
	return 0;
}

static void grow(struct sss_cong *cong, const struct gain *gain, u32 rtt_us, u64 now)
{
	if (gain->bytes)
		sss_cong_acked(cong, gain->bytes, gain->newest, rtt_us, now);
}

/* Nobody says which of the packets came marked. */
static void slow_down(struct sss_channel *ch, const struct acked *acked, u64 now)
{
	if (acked->bytes)
		sss_cong_marked(&ch->cong, acked->largest_at, now);
	if (acked->background)
		sss_cong_marked(&ch->background.cong, acked->largest_at, now);
}

static void trace_metrics(const struct sss_channel *ch)
{
	trace_sss_metrics_updated(ch->sn, ch->id, ch->cong.cwnd, ch->cong.ssthresh,
				  ch->loss.in_flight, ch->rtt.smoothed, ch->rtt.var, ch->rtt.min,
				  ch->rtt.latest, ch->loss.pto_count);
}

/**
 * __sss_loss_on_ack() - apply an ACK frame
 * @ch: channel
 * @ack: parsed, its ranges valid in themselves
 * @now: ns
 *
 * Return: 0, or SSS_ERROR_OPTIMISTIC_ACK: it names a number never sent.
 *
 * RFC 9002 sections 5 and 6.1, appendix A.7. Context: channel lock held.
 */
int __sss_loss_on_ack(struct sss_channel *ch, const struct sss_frame_ack *ack, u64 now)
{
	struct sss_loss *loss = &ch->loss;
	u64 before = loss->largest_acked;
	bool any = loss->any_acked;
	struct acked acked = { .first_at = U64_MAX };

	lockdep_assert_held(&ch->lock);
	if (!loss->any_acked || ack->largest > loss->largest_acked)
		loss->largest_acked = ack->largest;
	loss->any_acked = true;
	if (walk_ranges(ch, ack, &acked, now)) {
		/* our numbers are counted from there, and CLOSE has to go */
		loss->largest_acked = before;
		loss->any_acked = any;
		sss_mib_inc(ch->sn, ACKS_OPTIMISTIC);
		return SSS_ERROR_OPTIMISTIC_ACK;
	}
	if (acked.largest_at)
		sample_rtt(ch, ack, acked.largest_at, now);
	grow(&ch->cong, &acked.gain, ch->rtt.latest, now);
	grow(&ch->background.cong, &acked.background_gain, ch->rtt.latest, now);
	if (acked.bytes || acked.background)
		loss->pto_count = 0;
	if (acked.largest_at && __sss_ecn_on_ack(ch, ack, acked.marked))
		slow_down(ch, &acked, now);
	detect_lost(ch, acked.first_at, now);
	loss->arrived = max(loss->arrived, acked.last_at);
	expire_gone(ch, now);
	ch->oldest_unanswered = first_unanswered(ch);
	trace_metrics(ch);
	return 0;
}

/**
 * __sss_loss_deadline() - when __sss_loss_on_timer() is due
 * @ch: channel
 *
 * Return: ns, 0: nothing waits. Context: channel lock held.
 */
u64 __sss_loss_deadline(const struct sss_channel *ch)
{
	const struct sss_loss *loss = &ch->loss;

	lockdep_assert_held(&ch->lock);
	if (loss->loss_time)
		return loss->loss_time;
	if (!loss->eliciting_in_flight)
		return 0;
	return loss->last_eliciting + NSEC_PER_USEC *
	       sss_rtt_pto(&ch->rtt, ch->remote.max_ack_delay_us, loss->pto_count);
}

/**
 * __sss_loss_on_timer() - the deadline has passed
 * @ch: channel
 * @now: ns
 *
 * RFC 9002 section 6.2.4: one or two probes, which carry new data, or old
 * data again, or a PING. Context: channel lock held.
 */
void __sss_loss_on_timer(struct sss_channel *ch, u64 now)
{
	struct sss_loss *loss = &ch->loss;

	lockdep_assert_held(&ch->lock);
	if (loss->loss_time) {
		if (loss->loss_time <= now)
			detect_lost(ch, U64_MAX, now);
		return;
	}
	if (!loss->eliciting_in_flight || __sss_loss_deadline(ch) > now)
		return;
	loss->pto_count++;
	/* A probe that cannot leave, since keys have expired, say, is not due again at once. */
	loss->last_eliciting = now;
	/* the second one is small where the first may be too large (pmtu.c) */
	loss->probes = loss->pto_count > 1 || ch->path.mtu > SSS_PACKET_MTU_MIN ? 2 : 1;
	ch->ptos++;
	__sss_ecn_on_pto(ch);
	sss_mib_inc(ch->sn, PTO);
	trace_metrics(ch);
}

/**
 * __sss_loss_new_path() - what is under way went to where the peer is no more
 * @ch: channel
 *
 * Its frames are sent again; that it was lost says nothing of the new path.
 * Context: channel lock held.
 */
void __sss_loss_new_path(struct sss_channel *ch)
{
	struct sss_sent *s, *next;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	list_for_each_entry_safe(s, next, &ch->loss.sent, node) {
		s->moved = true;
		declare_lost(ch, s, now);
	}
	ch->loss.loss_time = 0;
	ch->loss.pto_count = 0;
	ch->loss.probes = 0;
	ch->loss.threshold = PACKET_THRESHOLD;
	ch->loss.patience = 0;
	ch->loss.arrived = now;
	ch->oldest_unanswered = 0;
}

/**
 * __sss_loss_forget() - drop all records of sent packets
 * @ch: channel
 * @requeue: their frames are lost first, to be sent again; otherwise nobody
 *	asks for them any more
 *
 * Context: channel lock held.
 */
void __sss_loss_forget(struct sss_channel *ch, bool requeue)
{
	struct sss_sent *s, *next;

	lockdep_assert_held(&ch->lock);
	list_for_each_entry_safe(s, next, &ch->loss.sent, node) {
		if (requeue)
			__sss_loss_of_frames(ch, s->frames, s->n_frames);
		leave_flight(ch, s);
		discard(ch, s);
	}
	list_for_each_entry_safe(s, next, &ch->loss.gone, node)
		discard(ch, s);
	ch->loss.n_gone = 0;
	ch->loss.loss_time = 0;
	ch->loss.pto_count = 0;
	ch->loss.probes = 0;
	ch->oldest_unanswered = 0;
}
