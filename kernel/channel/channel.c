// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a channel:
 *
 *	sss_channel_get_for_peer()      handshake done
 *	        |                             |
 *	        v            establish        v          shut: CLOSE sent or received,
 *	       NEW ------------------------> OPEN         idle, protocol error, host gone
 *	        |                            |  ^ restart: the peer lost its state
 *	        +------------> CLOSED <------+--+
 *
 * CLOSED leaves the peer at once, so that the next connect() starts afresh;
 * what sleeps is done by the work item; the object goes with the last stream.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "channel/crowd.h"
#include "channel/announce.h"
#include "channel/background.h"
#include "channel/ecn.h"
#include "channel/handshake.h"
#include "channel/loss.h"
#include "channel/path.h"
#include "channel/pmtu.h"
#include "channel/resolve.h"
#include "channel/rx.h"
#include "channel/slot.h"
#include "channel/timer.h"
#include "channel/tx.h"
#include "net/udp.h"
#include "wire/packet.h"

const struct sss_channel_ops *sss_channel_ops;

/* Decryption of bulk data, and all that needs process context */
static struct workqueue_struct *channel_wq;

/**
 * sss_channel_register_ops() - the stream floor introduces itself
 * @ops: called from then on; set before any host exists
 */
void sss_channel_register_ops(const struct sss_channel_ops *ops)
{
	sss_channel_ops = ops;
}

/**
 * sss_channel_get() - take a reference
 * @ch: found under rcu_read_lock(), or referenced already
 *
 * Return: false: it is being freed. Context: any.
 */
bool sss_channel_get(struct sss_channel *ch)
{
	return kref_get_unless_zero(&ch->ref);
}

static void release(struct kref *ref)
{
	struct sss_channel *ch = container_of(ref, struct sss_channel, ref);

	set_bit(SSS_WORK_FREE, &ch->work_bits);
	queue_work(channel_wq, &ch->work);
}

/**
 * sss_channel_put() - drop a reference
 * @ch: channel
 *
 * Context: any; freeing is the work item's.
 */
void sss_channel_put(struct sss_channel *ch)
{
	kref_put(&ch->ref, release);
}

/**
 * __sss_channel_queue_work() - have something done in process context
 * @ch: channel, referenced by the caller
 * @bit: enum sss_channel_work
 *
 * Context: channel lock held.
 */
void __sss_channel_queue_work(struct sss_channel *ch, int bit)
{
	lockdep_assert_held(&ch->lock);
	set_bit(bit, &ch->work_bits);
	if (sss_channel_get(ch) && !queue_work(channel_wq, &ch->work))
		sss_channel_put(ch);
}

/**
 * sss_channel_queue_rx() - have received packets decrypted in process context
 * @ch: channel
 *
 * Return: true: the caller's reference is the work item's now; false: it was
 * queued already. Context: any.
 */
bool sss_channel_queue_rx(struct sss_channel *ch)
{
	return queue_work(channel_wq, &ch->rx_work);
}

static void free_rcu_cb(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct sss_channel, rcu));
}

/* The last reference is gone: nothing but RCU readers can still see it. */
static void free_channel(struct sss_channel *ch)
{
	sss_timer_cancel(ch);
	sss_keyring_clear(&ch->ring);
	sss_handshake_free_channel(ch);
	sss_rx_purge(ch);
	spin_lock_bh(&ch->lock);
	__sss_loss_forget(ch, false);
	spin_unlock_bh(&ch->lock);
	if (ch->streams)
		sss_channel_ops->free(ch);
	if (ch->tx_frag.page)
		put_page(ch->tx_frag.page);
	dst_cache_destroy(&ch->path.cache);
	kfree(ch->trials);
	kfree(ch->heard);
	pr_debug("Channel %u destroyed\n", ch->id);
	sss_gauge_dec(ch->sn, CHANNELS);
	sss_peer_put(ch->peer);
	call_rcu(&ch->rcu, free_rcu_cb);
}

/* The end of a channel, as far as it sleeps or takes socket locks */
static void finish(struct sss_channel *ch)
{
	sss_channel_transmit(ch);	/* CLOSE, while there are keys */
	sss_channel_ops->end(ch, ch->end_err);
	spin_lock_bh(&ch->lock);
	__sss_loss_forget(ch, false);
	spin_unlock_bh(&ch->lock);
	sss_keyring_clear(&ch->ring);
	if (ch->remote_incarnation)	/* there was a CHANNEL_NEW */
		sss_netns_event(ch->sn, SSS_EVENT_CHANNEL_DEL, sss_host_eid(ch->host),
				&ch->peer->eid);
	sss_peer_release_learnt(ch->peer);
}

static void work(struct work_struct *work)
{
	struct sss_channel *ch = container_of(work, struct sss_channel, work);

	if (test_and_clear_bit(SSS_WORK_FREE, &ch->work_bits)) {
		free_channel(ch);
		return;
	}
	if (test_and_clear_bit(SSS_WORK_INITIATE, &ch->work_bits))
		sss_handshake_work(ch);
	if (test_and_clear_bit(SSS_WORK_ENDPOINTS, &ch->work_bits))
		sss_announce_work(ch);
	if (test_and_clear_bit(SSS_WORK_CLOSE, &ch->work_bits))
		finish(ch);
	sss_channel_put(ch);
}

/**
 * sss_channel_local_params() - what a new channel accepts
 * @limits: of its namespace
 * @params: result, what its first handshake message says
 *
 * Context: any.
 */
void sss_channel_local_params(const struct sss_limits *limits, struct sss_params *params)
{
	sss_params_init(params);
	params->initial_stream_window = READ_ONCE(limits->initial_stream_window);
	params->channel_window = READ_ONCE(limits->channel_window);
	params->max_record = READ_ONCE(limits->max_record);
	params->max_streams = READ_ONCE(limits->max_streams);
	params->max_ack_delay_us = READ_ONCE(limits->max_ack_delay_us);
	params->idle_ms = READ_ONCE(limits->idle_timeout_ms);
	params->max_datagram = READ_ONCE(limits->max_datagram);
	params->datagram_credit = READ_ONCE(limits->datagram_credit);
}

/**
 * __sss_channel_start_congestion() - congestion control begins, on a new path
 * @ch: channel
 *
 * Context: channel lock held, or nobody else sees the channel yet.
 */
void __sss_channel_start_congestion(struct sss_channel *ch)
{
	u32 algorithm = READ_ONCE(ch->sn->limits.congestion_control);

	sss_cong_init(&ch->cong, sss_cong_algorithm(algorithm), ch->path.mtu);
	sss_background_init(&ch->background, ch->path.mtu);
}

static void init_transport(struct sss_channel *ch)
{
	sss_replay_init(&ch->replay, 0);
	sss_ackset_init(&ch->received);
	sss_rtt_init(&ch->rtt);
	sss_loss_init(&ch->loss);
	sss_ecn_init(&ch->ecn);
	ch->path.mtu = SSS_PACKET_MTU_MIN;
	__sss_channel_start_congestion(ch);
	ch->first_number = ch->next_number;
	ch->skip_number = ch->next_number + 256 + get_random_u32_below(768);
	memset(ch->skipped, 0xff, sizeof(ch->skipped));
}

static void init_lists(struct sss_channel *ch)
{
	kref_init(&ch->ref);
	spin_lock_init(&ch->lock);
	spin_lock_init(&ch->tx_lock);
	spin_lock_init(&ch->rx_lock);
	INIT_LIST_HEAD(&ch->tx_queue);
	INIT_LIST_HEAD(&ch->rx_queue);
	INIT_LIST_HEAD(&ch->rx_node);
	INIT_WORK(&ch->rx_work, sss_rx_work);
	INIT_WORK(&ch->work, work);
	sss_timer_init(ch);
}

static u64 random_incarnation(void)
{
	u64 v;

	do {
		v = get_random_u64();
	} while (!v);
	return v;
}

static struct sss_channel *alloc_channel(struct sss_peer *peer, u64 incarnation)
{
	struct sss_channel *ch = kzalloc(sizeof(*ch), GFP_KERNEL_ACCOUNT);

	if (!ch)
		return NULL;
	ch->peer = peer;
	ch->host = peer->host;
	ch->sn = ch->host->sn;
	ch->local_even = sss_eid_cmp(ch->host->identity.eid, peer->eid.key) < 0;
	ch->incarnation = incarnation ?: random_incarnation();
	ch->idle_since = ktime_get_ns();
	ch->next_number = get_random_u32_below(1 << 20);
	init_lists(ch);
	sss_channel_local_params(&ch->sn->limits, &ch->local);
	sss_params_init(&ch->remote);
	init_transport(ch);
	sss_keyring_init(&ch->ring, ch->host->identity.eid, peer->eid.key);
	if (dst_cache_init(&ch->path.cache, GFP_KERNEL))
		goto no_cache;
	if (sss_handshake_init_channel(ch))
		goto no_handshake;
	if (sss_channel_ops->init(ch))
		goto no_streams;
	return ch;
no_streams:
	sss_handshake_free_channel(ch);
no_handshake:
	dst_cache_destroy(&ch->path.cache);
no_cache:
	kfree_sensitive(ch);
	return NULL;
}

/**
 * sss_channel_of_peer() - the channel to a peer
 * @peer: reference held, or under RCU
 *
 * Return: it, with a reference, NULL: it has none. Context: any.
 */
struct sss_channel *sss_channel_of_peer(const struct sss_peer *peer)
{
	struct sss_channel *ch;

	rcu_read_lock();
	ch = rcu_dereference(peer->channel);
	if (ch && !sss_channel_get(ch))
		ch = NULL;
	rcu_read_unlock();
	return ch;
}

/* Makes @ch the peer's channel; false: there is one already, or the peer is gone. */
static bool publish(struct sss_peer *peer, struct sss_channel *ch)
{
	bool mine = false;

	spin_lock_bh(&peer->channel_lock);
	if (!rcu_access_pointer(peer->channel) && !READ_ONCE(peer->dead)) {
		kref_get(&ch->ref);
		rcu_assign_pointer(peer->channel, ch);
		mine = true;
	}
	spin_unlock_bh(&peer->channel_lock);
	return mine;
}

/* May there be one more? If need be one that does nothing ends, a little later. */
static bool has_room(struct sss_net *sn)
{
	return sss_gauge_read(sn, CHANNELS) < READ_ONCE(sn->limits.max_channels) ||
	       sss_crowd_end_channel(sn, NULL);
}

/* NULL: another one was there first, and has gone meanwhile; or the peer has. */
static struct sss_channel *try_create(struct sss_peer *peer, u64 incarnation)
{
	struct sss_net *sn = peer->host->sn;
	struct sss_channel *ch = sss_channel_of_peer(peer);

	if (ch)
		return ch;
	if (!has_room(sn))
		return ERR_PTR(-ENOBUFS);
	if (!sss_peer_get(peer))
		return NULL;
	ch = alloc_channel(peer, incarnation);
	if (!ch) {
		sss_peer_put(peer);
		return ERR_PTR(-ENOMEM);
	}
	ch->id = atomic_inc_return(&sn->next_channel_id);
	sss_gauge_inc(sn, CHANNELS);
	pr_debug("Channel %u created\n", ch->id);
	if (!publish(peer, ch)) {
		sss_channel_put(ch);
		return sss_channel_of_peer(peer);
	}
	spin_lock_bh(&ch->lock);
	__sss_timer_update(ch);
	spin_unlock_bh(&ch->lock);
	return ch;
}

/**
 * sss_channel_create() - the channel of a peer, made if there is none
 * @peer: referenced by the caller
 * @incarnation: of a new state, 0: random
 *
 * Return: referenced; it may be one that existed. An error: -ENOMEM; -ENOBUFS:
 * too many channels; -EHOSTUNREACH: the peer is being deleted. Context: process.
 */
struct sss_channel *sss_channel_create(struct sss_peer *peer, u64 incarnation)
{
	struct sss_channel *ch;

	do {
		ch = try_create(peer, incarnation);
	} while (!ch && !READ_ONCE(peer->dead));
	return ch ?: ERR_PTR(-EHOSTUNREACH);
}

/**
 * sss_channel_get_for_peer() - the channel that streams to a peer ride on
 * @peer: referenced by the caller
 *
 * Return: referenced, made if there was none (state NEW), or an error as from
 * sss_channel_create(). Context: process.
 */
struct sss_channel *sss_channel_get_for_peer(struct sss_peer *peer)
{
	return sss_channel_create(peer, 0);
}

static void leave_peer(struct sss_channel *ch)
{
	struct sss_peer *peer = ch->peer;
	bool mine;

	spin_lock_bh(&peer->channel_lock);
	mine = rcu_access_pointer(peer->channel) == ch;
	if (mine)
		RCU_INIT_POINTER(peer->channel, NULL);
	spin_unlock_bh(&peer->channel_lock);
	if (mine)
		sss_channel_put(ch);
}

/**
 * __sss_channel_shut() - end a channel
 * @ch: channel, referenced by the caller
 * @err: negative errno its streams end with
 * @tell: send CLOSE
 *
 * Streams end a little later, from the work item. Context: channel lock held.
 */
void __sss_channel_shut(struct sss_channel *ch, int err, bool tell)
{
	lockdep_assert_held(&ch->lock);
	if (ch->state == SSS_CHANNEL_CLOSED)
		return;
	ch->close_due = tell && ch->state == SSS_CHANNEL_OPEN;
	ch->state = SSS_CHANNEL_CLOSED;
	ch->end_err = err;
	__sss_resolve_end(ch);
	__sss_slot_part(ch);	/* before calls are answered as if it never was */
	leave_peer(ch);
	sss_crowd_remove_channel(ch);
	__sss_channel_queue_work(ch, SSS_WORK_CLOSE);
}

/**
 * sss_channel_close() - end a channel because a program or administrator says so
 * @ch: channel, referenced by the caller
 * @err: negative errno its streams end with
 *
 * Context: any, no channel lock held.
 */
void sss_channel_close(struct sss_channel *ch, int err)
{
	spin_lock_bh(&ch->lock);
	__sss_channel_shut(ch, err, true);
	spin_unlock_bh(&ch->lock);
}

/**
 * sss_channel_unused() - what a channel was made for did not come about
 * @ch: channel, referenced by the caller
 *
 * One without keys that nobody uses, nor is about to, ends at once. Context: any, no
 * channel lock held.
 */
void sss_channel_unused(struct sss_channel *ch)
{
	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_NEW && !ch->n_streams && !__sss_handshake_pending(ch))
		__sss_channel_shut(ch, -ECONNRESET, false);
	spin_unlock_bh(&ch->lock);
}

/**
 * __sss_channel_fail() - the peer broke the protocol
 * @ch: channel
 * @code: enum sss_error, goes into CLOSE
 * @frame_type: of the frame at fault
 *
 * Context: channel lock held.
 */
void __sss_channel_fail(struct sss_channel *ch, u64 code, u8 frame_type)
{
	lockdep_assert_held(&ch->lock);
	net_dbg_ratelimited("channel %u: error %llu in frame %s\n", ch->id, code,
			    sss_frame_name(frame_type));
	sss_mib_inc(ch->sn, CHANNEL_ERRORS);
	ch->close_code = code;
	ch->close_frame_type = frame_type;
	__sss_channel_shut(ch, -EPROTO, true);
}

/**
 * __sss_channel_closed_by_peer() - CLOSE was received
 * @ch: channel
 * @frame: what it says
 *
 * Context: channel lock held.
 */
void __sss_channel_closed_by_peer(struct sss_channel *ch, const struct sss_frame_close *frame)
{
	lockdep_assert_held(&ch->lock);
	__sss_channel_shut(ch, frame->code ? -EPROTO : -ECONNRESET, false);
}

/* Packets of another state mean nothing here; nor does what was measured. */
static void forget_transport(struct sss_channel *ch)
{
	__sss_loss_forget(ch, false);
	init_transport(ch);
	__sss_announce_forget(ch);
	ch->unacked_eliciting = 0;
	ch->ack_now = false;
	ch->ack_at = 0;
	ch->restarting = true;
}

/**
 * __sss_channel_establish() - a handshake is proved: both states match from here
 * @ch: channel
 * @pair: its keys, current now
 * @remote_incarnation: the peer's
 * @remote: the peer's transport parameters; they never lower those of a state
 *	that goes on
 * @from: where the proof came from
 * @proved: what we sent there has arrived; otherwise a path that there was stays
 *	until __sss_path_received() has seen more, as does one that is better
 * @restart: the peer's state is new: the caller follows with
 *	sss_channel_restart() once it has let go of the lock
 *
 * Context: channel lock held.
 */
void __sss_channel_establish(struct sss_channel *ch, struct sss_keypair *pair,
			     u64 remote_incarnation, const struct sss_params *remote,
			     const union sss_endpoint *from, bool proved, bool restart)
{
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	if (ch->state == SSS_CHANNEL_CLOSED)
		return;
	if (restart)
		forget_transport(ch);
	if (restart || ch->state == SSS_CHANNEL_NEW) {
		sss_replay_init(&ch->replay, pair->lowest_receive);
		ch->remote = *remote;
	} else {
		sss_params_raise(&ch->remote, remote);
	}
	ch->remote_incarnation = remote_incarnation;
	if (restart || ch->state == SSS_CHANNEL_NEW)
		__sss_path_begin(ch, from, proved, now);
	else if (proved && !__sss_path_stays(ch, from))
		__sss_path_change(ch, from, now);
	if (ch->state == SSS_CHANNEL_NEW)
		sss_netns_event(ch->sn, SSS_EVENT_CHANNEL_NEW,
				(const struct sss_eid *)ch->host->identity.eid, &ch->peer->eid);
	ch->state = SSS_CHANNEL_OPEN;
	ch->loss.pto_count = 0;
	__sss_announce_want(ch);
	__sss_timer_keys(ch, now);
	__sss_channel_heard(ch, now);
	__sss_timer_update(ch);
}

/**
 * sss_channel_restart() - end what belonged to the peer's old state
 * @ch: channel, established with restart
 *
 * Until it is done nothing is sent, so that no frame of an old stream goes out
 * under keys of the new state. Context: no channel lock held.
 */
void sss_channel_restart(struct sss_channel *ch)
{
	sss_channel_ops->restart(ch);
	spin_lock_bh(&ch->lock);
	ch->restarting = false;
	spin_unlock_bh(&ch->lock);
}

/**
 * __sss_channel_add_stream() - a stream lives on this channel
 * @ch: channel
 *
 * Context: channel lock held.
 */
void __sss_channel_add_stream(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	ch->n_streams++;
}

/**
 * __sss_channel_drop_stream() - and does no more
 * @ch: channel
 *
 * Context: channel lock held.
 */
void __sss_channel_drop_stream(struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (--ch->n_streams)
		return;
	__sss_handshake_unwanted(ch);
	ch->idle_since = ktime_get_ns();
	__sss_timer_update(ch);
}

/**
 * __sss_channel_keep_alive() - a stream wants the path and the keys kept in use
 * @ch: channel
 * @on: or one that did does no more
 *
 * As long as one does, a silence of limits.keepalive_ms ends with a PING: NATs on
 * the way remember the channel, and a new stream finds keys. Context: channel lock
 * held.
 */
void __sss_channel_keep_alive(struct sss_channel *ch, bool on)
{
	lockdep_assert_held(&ch->lock);
	ch->n_keepalive += on ? 1 : -1;
	__sss_timer_update(ch);
}

/**
 * __sss_channel_may_send() - are there keys to send under?
 * @ch: channel
 *
 * Context: channel lock held.
 */
bool __sss_channel_may_send(struct sss_channel *ch)
{
	struct sss_keypair *pair;
	bool may;

	lockdep_assert_held(&ch->lock);
	if (ch->state != SSS_CHANNEL_OPEN)
		return false;
	pair = sss_keyring_get_current(&ch->ring);
	may = pair && sss_keypair_may_send(pair, &ch->sn->limits, sss_keypair_now());
	if (pair)
		sss_keypair_put(pair);
	return may;
}

static int host_create(struct sss_host *host)
{
	spin_lock_init(&host->drained_lock);
	INIT_LIST_HEAD(&host->drained);
	return sss_handshake_host_create(host);
}

static void peer_stop(struct sss_peer *peer)
{
	struct sss_channel *ch = sss_channel_of_peer(peer);

	if (!ch)
		return;
	sss_channel_close(ch, -ECONNABORTED);
	flush_work(&ch->rx_work);
	flush_work(&ch->work);
	sss_channel_put(ch);
}

static const struct sss_host_ops host_ops = {
	.net = &sss_input_ops,
	.create = host_create,
	.settle = sss_handshake_host_settle,
	.stop = sss_handshake_host_stop,
	.destroy = sss_handshake_host_destroy,
};

static const struct sss_peer_ops peer_ops = {
	.stop = peer_stop,
};

/**
 * sss_channel_init() - set up the channel floor
 *
 * Return: 0 or -ENOMEM. Context: module init.
 */
int sss_channel_init(void)
{
	int err;

	channel_wq = alloc_workqueue("sss_channel", WQ_CPU_INTENSIVE | WQ_MEM_RECLAIM, 0);
	if (!channel_wq)
		return -ENOMEM;
	err = sss_handshake_init();
	if (err) {
		destroy_workqueue(channel_wq);
		return err;
	}
	sss_host_register_ops(&host_ops);
	sss_peer_register_ops(&peer_ops);
	return 0;
}

/**
 * sss_channel_flush() - wait until what was queued for channels is done
 *
 * With all hosts of a namespace gone, its channels are gone when it returns.
 * Context: process, sleeps.
 */
void sss_channel_flush(void)
{
	/* What the first one waits for may queue the end of a channel. */
	flush_workqueue(channel_wq);
	flush_workqueue(channel_wq);
}

/**
 * sss_channel_exit() - undo sss_channel_init()
 *
 * Context: module exit, all hosts being gone.
 */
void sss_channel_exit(void)
{
	sss_handshake_exit();
	destroy_workqueue(channel_wq);
	rcu_barrier();
}
