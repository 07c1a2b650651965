// SPDX-License-Identifier: GPL-2.0
/*
 * Send queue: what a program wrote, until the peer has acknowledged it.
 *
 *	base            next               end
 *	 |  acked, lost  |  to be sent      |
 *	 +---------------+------------------+-----> offset
 *
 * A record mark takes an octet of a chunk that nobody reads: chunks, intervals
 * and windows need not know of marks, only who counts bytes or writes a frame.
 *
 * Data is copied once, into page fragments. Everything from @base up stays
 * here, because it may have to be sent again; @acked and @lost say what became
 * of the part below @next. Both are bounded: where an interval does not fit,
 * more is sent again than needed, which the peer ignores.
 */
#include <linux/slab.h>
#include <linux/uio.h>
#include "stream/table.h"

#define RANGES_FIRST	8
#define RANGES_MOST	1024

/**
 * struct sss_chunk - part of the send queue: bytes in one page fragment
 * @node: in sss_txq.chunks
 * @page: reference
 * @page_offset: of the first byte
 * @len: bytes; grows while it is the last and the fragment goes on
 * @offset: in the stream's offset space
 */
struct sss_chunk {
	struct list_head node;
	struct page *page;
	u32 page_offset;
	u32 len;
	u64 offset;
};

#define MARK_COST	SKB_DATA_ALIGN(sizeof(struct sss_mark))
#define CHUNK_COST	SKB_DATA_ALIGN(sizeof(struct sss_chunk))

static struct kmem_cache *cache;

/**
 * sss_sendq_init() - make the cache of chunks
 *
 * Sleeps. Return: 0 or -ENOMEM.
 */
int __init sss_sendq_init(void)
{
	int err = sss_marks_init();

	if (err)
		return err;
	cache = KMEM_CACHE(sss_chunk, SLAB_ACCOUNT);
	if (!cache)
		sss_marks_exit();
	return cache ? 0 : -ENOMEM;
}

/**
 * sss_sendq_exit() - undo sss_sendq_init()
 */
void sss_sendq_exit(void)
{
	kmem_cache_destroy(cache);
	sss_marks_exit();
}

/**
 * sss_sendq_setup() - an empty queue
 * @tx: zeroed
 */
void sss_sendq_setup(struct sss_txq *tx)
{
	spin_lock_init(&tx->lock);
	INIT_LIST_HEAD(&tx->chunks);
	sss_ranges_init(&tx->acked, NULL, 0);
	sss_ranges_init(&tx->lost, &tx->lost_one, 1);
}

static u64 chunk_end(const struct sss_chunk *chunk)
{
	return chunk->offset + chunk->len;
}

static void free_chunks(struct sss_stream *st, struct list_head *chunks)
{
	struct sss_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, chunks, node) {
		put_page(chunk->page);
		kmem_cache_free(cache, chunk);
		sss_gauge_dec(st->ch->sn, TX_CHUNKS);
	}
}

/* Takes what lies below @base out of the queue. */
static void release(struct sss_stream *st, struct list_head *freed)
{
	struct sss_txq *tx = &st->tx;
	struct sss_chunk *chunk;
	u32 cost = 0;

	while ((chunk = list_first_entry_or_null(&tx->chunks, struct sss_chunk, node)) &&
	       chunk_end(chunk) <= tx->base) {
		if (tx->cursor == chunk)
			tx->cursor = NULL;
		if (tx->resend == chunk)
			tx->resend = NULL;
		list_move_tail(&chunk->node, freed);
		cost += chunk->len + CHUNK_COST;
	}
	if (st->records) {
		u32 n = sss_marks_drop(&st->records->tx, 0, tx->base);

		st->records->acked += n;
		cost += n * MARK_COST;
	}
	WRITE_ONCE(tx->truesize, tx->truesize - cost);
}

/**
 * __sss_sendq_purge() - nothing of it will be sent
 * @st: stream of a channel, which is locked
 *
 * What was sent counts as the stream's length from now on.
 */
void __sss_sendq_purge(struct sss_stream *st)
{
	struct sss_txq *tx = &st->tx;
	LIST_HEAD(freed);

	lockdep_assert_held(&st->ch->lock);
	spin_lock(&tx->lock);
	list_splice_init(&tx->chunks, &freed);
	tx->cursor = NULL;
	tx->resend = NULL;
	WRITE_ONCE(tx->end, tx->next);
	WRITE_ONCE(tx->base, tx->next);
	if (st->records) {
		sss_marks_drop(&st->records->tx, 0, SSS_MARKS_NONE);
		st->records->written = st->records->sent;
		st->records->acked = st->records->sent;
	}
	WRITE_ONCE(tx->truesize, 0);
	tx->acked.n = 0;
	tx->lost.n = 0;
	tx->fin_lost = false;
	tx->hold = false;
	spin_unlock(&tx->lock);
	free_chunks(st, &freed);
}

/**
 * __sss_sendq_freeze() - nothing more of it will be sent, but all of it stays
 * @st: stream of a channel, which is locked
 */
void __sss_sendq_freeze(struct sss_stream *st)
{
	struct sss_txq *tx = &st->tx;

	lockdep_assert_held(&st->ch->lock);
	spin_lock(&tx->lock);
	tx->cursor = NULL;
	tx->resend = NULL;
	tx->acked.n = 0;
	tx->lost.n = 0;
	tx->fin_lost = false;
	tx->hold = false;
	spin_unlock(&tx->lock);
}

/**
 * sss_sendq_free() - free what is left, with the stream
 * @st: stream without any reference
 */
void sss_sendq_free(struct sss_stream *st)
{
	WARN_ON_ONCE(st->tx.charged);
	if (st->ch)
		free_chunks(st, &st->tx.chunks);
	if (st->records)
		sss_marks_drop(&st->records->tx, 0, SSS_MARKS_NONE);
	kfree(st->tx.acked.r);
	if (st->tx.lost.r != &st->tx.lost_one)
		kfree(st->tx.lost.r);
}

/* Makes room for more intervals. @own: storage that is not to be freed */
static bool grow(struct sss_ranges *set, const struct sss_range *own)
{
	u32 max = max_t(u32, 2 * set->max, RANGES_FIRST);
	struct sss_range *r;

	if (max > RANGES_MOST)
		return false;
	r = kmalloc_array(max, sizeof(*r), GFP_ATOMIC | __GFP_NOWARN);
	if (!r)
		return false;
	memcpy(r, set->r, set->n * sizeof(*r));
	if (set->r != own)
		kfree(set->r);
	set->r = r;
	set->max = max;
	return true;
}

static int insert_range(struct sss_ranges *set, const struct sss_range *own, u64 start, u64 end)
{
	int err = sss_ranges_add(set, start, end);

	if (err && grow(set, own))
		err = sss_ranges_add(set, start, end);
	return err;
}

/* Never fails: without room, what lies between two intervals is taken in. */
static void add_lost(struct sss_txq *tx, u64 start, u64 end)
{
	struct sss_ranges *lost = &tx->lost;
	u32 i;

	if (!insert_range(lost, &tx->lost_one, start, end))
		return;
	i = min(sss_ranges_find(lost, start), lost->n - 1);
	sss_ranges_add(lost, min(start, lost->r[i].start), max(end, lost->r[i].end));
}

/* Moves @base over what is acknowledged behind it. */
static void advance(struct sss_txq *tx, u64 base)
{
	struct sss_range lowest;

	while (!sss_ranges_empty(&tx->acked) && tx->acked.r[0].start <= base) {
		sss_ranges_pop_lowest(&tx->acked, &lowest);
		base = max(base, lowest.end);
	}
	WRITE_ONCE(tx->base, base);
	sss_ranges_remove_below(&tx->lost, base);
}

/**
 * __sss_sendq_acked() - a STREAM frame was acknowledged
 * @st: stream of a channel, which is locked
 * @offset: of its first octet
 * @len: octets
 * @fin: it had the FIN
 *
 * Return: whether memory was freed or all is acknowledged: the socket is to know
 */
bool __sss_sendq_acked(struct sss_stream *st, u64 offset, u32 len, bool fin)
{
	struct sss_txq *tx = &st->tx;
	u64 end = offset + len;
	LIST_HEAD(freed);
	bool news;

	lockdep_assert_held(&st->ch->lock);
	spin_lock(&tx->lock);
	if (fin)
		tx->fin_acked = true;
	if (tx->next - tx->base > tx->flight)
		WRITE_ONCE(tx->flight, min_t(u64, tx->next - tx->base, S32_MAX / 2));
	if (end > tx->base && offset <= tx->base) {
		advance(tx, end);
		release(st, &freed);
	} else if (end > tx->base) {
		/* on failure it is sent again, and acknowledged then */
		if (insert_range(&tx->acked, NULL, offset, end))
			add_lost(tx, offset, end);
		else
			sss_ranges_remove(&tx->lost, offset, end);
	}
	news = !list_empty(&freed) || (tx->fin_acked && tx->base == tx->end);
	spin_unlock(&tx->lock);
	free_chunks(st, &freed);
	return news;
}

/**
 * __sss_sendq_lost() - a STREAM frame was lost
 * @st: stream of a channel, which is locked
 * @offset: of its first octet
 * @len: octets
 * @fin: it had the FIN
 */
void __sss_sendq_lost(struct sss_stream *st, u64 offset, u32 len, bool fin)
{
	struct sss_txq *tx = &st->tx;
	u64 end = offset + len, gap;

	lockdep_assert_held(&st->ch->lock);
	spin_lock(&tx->lock);
	if (fin && !tx->fin_acked && tx->fin_sent)
		tx->fin_lost = true;
	end = min(end, tx->next);
	for (offset = max(offset, tx->base); offset < end; offset = gap) {
		gap = end;
		if (!sss_ranges_first_gap(&tx->acked, &offset, &gap))
			break;
		add_lost(tx, offset, gap);
	}
	spin_unlock(&tx->lock);
}

/* The chunk with @offset, looked for from @hint if that is not behind it */
static struct sss_chunk *find(struct sss_txq *tx, struct sss_chunk *hint, u64 offset)
{
	struct sss_chunk *chunk = hint;

	if (!chunk || chunk->offset > offset)
		chunk = list_first_entry(&tx->chunks, struct sss_chunk, node);
	list_for_each_entry_from(chunk, &tx->chunks, node)
		if (chunk_end(chunk) > offset)
			return chunk;
	return NULL;
}

/**
 * sss_sendq_read() - copy data into a packet
 * @st: stream, @tx.lock held
 * @offset: of the first byte, not below @tx.base
 * @to: where to
 * @len: bytes, not beyond @tx.end
 */
void sss_sendq_read(struct sss_stream *st, u64 offset, u8 *to, u32 len)
{
	struct sss_txq *tx = &st->tx;
	bool again = offset < tx->next;
	struct sss_chunk *chunk;

	lockdep_assert_held(&tx->lock);
	if (!len)
		return;
	chunk = find(tx, again ? tx->resend : tx->cursor, offset);
	while (len && !WARN_ON_ONCE(!chunk || list_entry_is_head(chunk, &tx->chunks, node))) {
		u32 skip = offset - chunk->offset;
		u32 n = min(len, chunk->len - skip);

		if (again)
			tx->resend = chunk;
		else
			tx->cursor = chunk;
		memcpy(to, page_address(chunk->page) + chunk->page_offset + skip, n);
		to += n;
		offset += n;
		len -= n;
		chunk = list_next_entry(chunk, node);
	}
}

/**
 * sss_sendq_look() - where a byte of a frozen queue is
 * @st: stream, its socket locked
 * @offset: of the byte, not below @tx.base
 * @page: result
 * @start: result: place in @page
 * @len: result: bytes from there on
 *
 * Return: false: there is none
 */
bool sss_sendq_look(struct sss_stream *st, u64 offset, struct page **page, u32 *start, u32 *len)
{
	struct sss_chunk *chunk;

	if (list_empty(&st->tx.chunks))
		return false;
	chunk = find(&st->tx, NULL, offset);
	if (!chunk)
		return false;
	*page = chunk->page;
	*start = chunk->page_offset + (offset - chunk->offset);
	*len = chunk_end(chunk) - offset;
	return true;
}

/**
 * sss_sendq_drop() - the first bytes of a frozen queue are no longer needed
 * @st: stream, its socket locked
 * @base: what @tx.base becomes
 */
void sss_sendq_drop(struct sss_stream *st, u64 base)
{
	struct sss_txq *tx = &st->tx;
	LIST_HEAD(freed);

	spin_lock_bh(&tx->lock);
	WRITE_ONCE(tx->base, base);
	release(st, &freed);
	spin_unlock_bh(&tx->lock);
	free_chunks(st, &freed);
}

/* Does the fragment go on where the queue's last chunk ends? */
static bool continues(struct sss_txq *tx, const struct page_frag *pfrag)
{
	struct sss_chunk *last;

	if (list_empty(&tx->chunks))
		return false;
	last = list_last_entry(&tx->chunks, struct sss_chunk, node);
	return last->page == pfrag->page && last->page_offset + last->len == pfrag->offset;
}

static void add_bytes(struct sss_txq *tx, struct sock *sk, u32 len, u32 cost)
{
	WRITE_ONCE(tx->end, tx->end + len);
	WRITE_ONCE(tx->truesize, tx->truesize + cost);
	tx->charged += cost;
	sk_wmem_queued_add(sk, cost);
	sk_mem_charge(sk, cost);
}

/* T held. The octet in front of @end is @mark. */
static void set_mark(struct sss_stream *st, struct sock *sk, struct sss_mark *mark)
{
	struct sss_records *records = st->records;

	mark->offset = st->tx.end - 1;
	sss_marks_add(&records->tx, mark);
	records->written++;
	records->open_tx = st->tx.end;
	add_bytes(&st->tx, sk, 0, MARK_COST);
}

/* Takes @len octets behind the fragment's offset into the queue; false: no memory. */
static bool append(struct sss_stream *st, struct sock *sk, struct page_frag *pfrag, u32 len,
		   struct sss_mark *mark)
{
	struct sss_txq *tx = &st->tx;
	struct sss_chunk *chunk = NULL;

	spin_lock_bh(&tx->lock);
	if (!continues(tx, pfrag)) {
		spin_unlock_bh(&tx->lock);
		chunk = kmem_cache_alloc(cache, sk->sk_allocation);
		if (!chunk)
			return false;
		chunk->page = pfrag->page;
		chunk->page_offset = pfrag->offset;
		chunk->len = len;
		get_page(chunk->page);
		sss_gauge_inc(st->ch->sn, TX_CHUNKS);
		spin_lock_bh(&tx->lock);
		chunk->offset = tx->end;
		list_add_tail(&chunk->node, &tx->chunks);
		add_bytes(tx, sk, len, len + CHUNK_COST);
	} else {
		list_last_entry(&tx->chunks, struct sss_chunk, node)->len += len;
		add_bytes(tx, sk, len, len);
	}
	if (mark)
		set_mark(st, sk, mark);
	spin_unlock_bh(&tx->lock);
	pfrag->offset += len;
	return true;
}

static bool may_append(const struct sss_stream *st)
{
	return !(READ_ONCE(st->flags) & (SSS_ST_RESET | SSS_ST_OVER | SSS_ST_REFUSED)) &&
	       !READ_ONCE(st->tx.fin);
}

/* What SO_SNDBUF allows. @begun: a part was taken; @whole: then the rest may follow */
static size_t allowed(const struct sss_stream *st, const struct sock *sk, bool whole, bool begun)
{
	int room = READ_ONCE(sk->sk_sndbuf) - READ_ONCE(st->tx.truesize);

	if (whole && (begun || room > 0))
		return SIZE_MAX;
	return max(room, 0);
}

/* One fragment's worth; bytes or a negative errno. @mark goes behind the last, if not NULL */
static int append_some(struct sss_stream *st, struct sock *sk, struct msghdr *msg, size_t len,
		       size_t room, struct sss_mark **mark)
{
	struct page_frag *pfrag = sk_page_frag(sk);
	bool end;
	size_t n;

	if (!room || !sk_page_frag_refill(sk, pfrag))
		return -EAGAIN;
	n = min3(len, room, (size_t)(pfrag->size - pfrag->offset - !!*mark));
	if (!sk_wmem_schedule(sk, n + CHUNK_COST + (*mark ? 1 + MARK_COST : 0)))
		return -EAGAIN;
	n = copy_page_from_iter(pfrag->page, pfrag->offset, n, &msg->msg_iter);
	if (!n && len)
		return -EFAULT;
	end = *mark && n == len;
	if (append(st, sk, pfrag, n + end, end ? *mark : NULL)) {
		if (end)
			*mark = NULL;
		return n;
	}
	iov_iter_revert(&msg->msg_iter, n);
	return -ENOMEM;
}

/**
 * sss_sendq_append() - take data of a program
 * @st: stream
 * @sk: its socket, locked
 * @msg: data
 * @len: bytes of it
 * @flags: MSG_EOR: a record ends behind the last byte; @len may be 0.
 *	MSG_WAITALL: it is not longer than SO_SNDBUF and shall not be cut by it
 *
 * Nothing is sent before sss_sendq_push(), unless the stream is sending anyway.
 *
 * Sleeps. Return: bytes taken, at least one of @len, and the mark with
 * the last; -EAGAIN: SO_SNDBUF is full, or
 * memory is short; -EPIPE: the stream sends no more; -EFAULT, -ENOMEM.
 */
int sss_sendq_append(struct sss_stream *st, struct sock *sk, struct msghdr *msg, size_t len,
		     int flags)
{
	struct sss_mark *mark = NULL;
	size_t taken = 0;
	int n = 0;

	sss_stream_settle(st, sk);
	if (flags & MSG_EOR) {
		mark = sss_stream_get_records(st, sk->sk_allocation) ?
		       sss_marks_alloc(sk->sk_allocation) : NULL;
		if (!mark)
			return -ENOMEM;
	}
	while (taken < len || mark) {
		if (!may_append(st)) {
			n = -EPIPE;
			break;
		}
		n = append_some(st, sk, msg, len - taken,
				allowed(st, sk, flags & MSG_WAITALL, taken), &mark);
		if (n < 0)
			break;
		taken += n;
	}
	sss_marks_free(mark);
	return taken ?: n;
}

/**
 * sss_sendq_push() - send what was appended
 * @st: stream, its socket locked
 * @more: more will follow at once: a partial packet may wait for it, 200 ms.
 *	Before sss_stream_connect(): INIT may wait for the first data
 */
void sss_sendq_push(struct sss_stream *st, bool more)
{
	struct sss_channel *ch = st->ch;

	if (!ch) {
		st->tx.hold = more;
		return;
	}
	spin_lock_bh(&ch->lock);
	if (!(st->flags & (SSS_ST_RESET | SSS_ST_OVER))) {
		if (st->tx.hold != more) {
			spin_lock(&st->tx.lock);
			st->tx.hold = more;
			spin_unlock(&st->tx.lock);
		}
		__sss_timed_watch(st, 0);
		__sss_sched_activate(st);
	}
	spin_unlock_bh(&ch->lock);
	sss_channel_transmit(ch);
}

/**
 * sss_sendq_writable() - would sss_sendq_append() take one byte?
 * @st: stream with a socket, whose lock or spinlock is held
 *
 * Return: whether SO_SNDBUF allows it and the stream may send
 */
bool sss_sendq_writable(const struct sss_stream *st)
{
	const struct sock *sk = READ_ONCE(st->sk);

	return sk && may_append(st) &&
	       READ_ONCE(st->tx.truesize) < (u32)READ_ONCE(sk->sk_sndbuf);
}

/**
 * sss_sendq_done() - is everything acknowledged, the end included?
 * @st: stream
 *
 * Return: whether it is, or will never be
 */
bool sss_sendq_done(const struct sss_stream *st)
{
	if (READ_ONCE(st->flags) & (SSS_ST_RESET | SSS_ST_OVER))
		return true;
	return READ_ONCE(st->tx.fin_acked) && READ_ONCE(st->tx.base) == READ_ONCE(st->tx.end);
}

/**
 * sss_sendq_acked() - how far has the peer acknowledged?
 * @st: stream
 *
 * Return: bytes of the program's from the beginning, without a gap
 */
u64 sss_sendq_acked(const struct sss_stream *st)
{
	const struct sss_records *records = READ_ONCE(st->records);

	return READ_ONCE(st->tx.base) - (records ? READ_ONCE(records->acked) : 0);
}

/**
 * sss_sendq_queued() - SIOCOUTQ
 * @st: stream
 *
 * Return: bytes written and not acknowledged; 0 once nothing more is sent
 */
u32 sss_sendq_queued(const struct sss_stream *st)
{
	const struct sss_records *records = READ_ONCE(st->records);
	const struct sss_txq *tx = &st->tx;
	u32 octets = READ_ONCE(tx->end) - READ_ONCE(tx->base);

	if (READ_ONCE(st->flags) & (SSS_ST_RESET | SSS_ST_OVER))
		return 0;
	return records ? octets - (READ_ONCE(records->written) - READ_ONCE(records->acked)) :
			 octets;
}

/**
 * sss_sendq_fits() - may a record end with this?
 * @st: stream, its socket locked
 * @len: bytes that follow what was written since the last record mark
 *
 * Return: whether the peer takes records of that length
 */
bool sss_sendq_fits(const struct sss_stream *st, size_t len)
{
	u64 most = st->ch ? READ_ONCE(st->ch->remote.max_record) : 0, head;

	head = READ_ONCE(st->tx.end) - (st->records ? st->records->open_tx : 0);
	return most && head <= most && len <= most - head;
}
