// SPDX-License-Identifier: GPL-2.0
/*
 * What comes in for handshakes. Softirq checks what costs little: length, mac1,
 * under load mac2, and whether what claims to be an answer is one. Who passes
 * is copied and waits; the rest is Diffie-Hellman and belongs to one work item
 * per host, so that a flood of handshakes takes one CPU at most and what
 * respond.c does needs little locking. Under load nothing waits from those who
 * proved nothing, so they take no place from those who did.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "base/drop.h"
#include "channel/handshake.h"
#include "crypto/index.h"
#include "crypto/ratelimiter.h"
#include "net/udp.h"
#include "wire/packet.h"

#define LOAD_LINGERS	NSEC_PER_SEC	/* under load this long after it was seen */
#define LATE_MAX	256U		/* packets that wait for a channel */
#define LATE_BYTES	(4U << 20)	/* truesize of them */
#define LATE_PAIR	16		/* skbs of one handshake */

/**
 * struct message - a handshake message that waits
 * @node: in sss_handshakes.messages
 * @from: source
 * @len: bytes
 * @data: as received, of the right length for its type
 */
struct message {
	struct list_head node;
	union sss_endpoint from;
	size_t len;
	u8 data[];
};

/**
 * struct late - a data packet that may make a channel
 * @node: in sss_handshakes.late
 * @pair: reference; its keys
 * @skb: data begins at the UDP payload
 * @from: source
 */
struct late {
	struct list_head node;
	struct sss_keypair *pair;
	struct sk_buff *skb;
	union sss_endpoint from;
};

static struct workqueue_struct *handshake_wq;

/**
 * sss_handshake_send() - send one handshake message
 * @host: from whom
 * @msg: complete
 * @len: bytes
 * @to: where to
 *
 * What goes wrong is loss, and counted by the UDP socket. Context: any but
 * hard interrupts.
 */
void sss_handshake_send(struct sss_host *host, const void *msg, size_t len,
			const union sss_endpoint *to)
{
	struct sss_udp *udp;

	trace_sss_handshake_sent(host->sn, host->id, *(const u8 *)msg, &to->sa);
	rcu_read_lock();
	udp = rcu_dereference(host->udp);
	if (udp)
		sss_udp_send_one(udp, msg, len, to, 0);
	else
		sss_mib_inc(host->sn, TX_ERRORS);
	rcu_read_unlock();
}

static u32 load_threshold(const struct sss_net *sn)
{
	return max(READ_ONCE(sn->limits.handshake_queue) / 8, 1U);
}

/* Does more come than can be handled, this message included? */
static bool is_loaded(const struct sss_handshakes *hs)
{
	return READ_ONCE(hs->n_messages) + 1 >= load_threshold(hs->host->sn) ||
	       ktime_get_ns() < READ_ONCE(hs->loaded_until);
}

/* Queues a message; false: there is no room */
static bool enqueue(struct sss_handshakes *hs, struct message *m)
{
	struct sss_net *sn = hs->host->sn;
	bool room;

	spin_lock_bh(&hs->lock);
	room = !hs->stopped && hs->n_messages < READ_ONCE(sn->limits.handshake_queue);
	if (room) {
		list_add_tail(&m->node, &hs->messages);
		WRITE_ONCE(hs->n_messages, hs->n_messages + 1);
		if (hs->n_messages >= load_threshold(sn))
			WRITE_ONCE(hs->loaded_until, ktime_get_ns() + LOAD_LINGERS);
		queue_work(handshake_wq, &hs->work);
	}
	spin_unlock_bh(&hs->lock);
	return room;
}

static void reject(struct sss_host *host, const struct sss_msg_initiate *msg,
		   const union sss_endpoint *from)
{
	struct sss_msg_reject answer;

	if (READ_ONCE(host->flags) & SSS_HOST_F_STEALTH ||
	    !sss_ratelimiter_allow_unproved(host->sn->limiter, &from->sa))
		return;
	sss_handshake_put_reject(&answer, msg);
	sss_mib_inc(host->sn, HS_TX_REJECT);
	sss_handshake_send(host, &answer, sizeof(answer), from);
}

static void send_cookie(struct sss_host *host, const struct sss_msg_initiate *msg,
			const union sss_endpoint *to)
{
	struct sss_msg_cookie reply;

	if (!sss_ratelimiter_allow_unproved(host->sn->limiter, &to->sa))
		return;
	sss_cookie_create_reply(&host->cookie, &reply, msg, sizeof(*msg),
				be32_to_cpu(msg->sender), &to->sa);
	sss_mib_inc(host->sn, HS_TX_COOKIE);
	sss_handshake_send(host, &reply, sizeof(reply), to);
}

static bool may_come_now(struct sss_host *host, const union sss_endpoint *from)
{
	if (sss_ratelimiter_allow(host->sn->limiter, &from->sa))
		return true;
	sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_RATE);
	return false;
}

/* Under load: who cannot receive at the address claimed does not get in. */
static bool admit_loaded(struct sss_host *host, const struct sss_msg_initiate *msg,
			 const union sss_endpoint *from)
{
	switch (sss_cookie_check(&host->cookie, msg, sizeof(*msg), &from->sa)) {
	case SSS_COOKIE_PROVED:
		return may_come_now(host, from);
	case SSS_COOKIE_MAC1_ONLY:
		sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_MAC2);
		send_cookie(host, msg, from);
		return false;
	default:
		sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_MAC1);
		reject(host, msg, from);
		return false;
	}
}

/* All of these return false if the message goes no further, which is counted. */

static bool admit_initiate(struct sss_host *host, const struct sss_msg_initiate *msg,
			   const union sss_endpoint *from)
{
	if (is_loaded(host->handshakes))
		return admit_loaded(host, msg, from);
	if (sss_cookie_mac1_ok(&host->cookie.keys, msg, sizeof(*msg)))
		return true;
	sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_MAC1);
	reject(host, msg, from);
	return false;
}

/* Does it name a handshake of ours? The index cannot be guessed. */
static bool is_awaited(struct sss_host *host, __be32 receiver)
{
	struct sss_index_entry *entry;
	bool awaited;

	rcu_read_lock();
	entry = sss_index_lookup(host, be32_to_cpu(receiver));
	awaited = entry && entry->type == SSS_INDEX_HANDSHAKE;
	rcu_read_unlock();
	if (!awaited)
		sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_UNKNOWN);
	return awaited;
}

static bool admit_respond(struct sss_host *host, const struct sss_msg_respond *msg,
			  const union sss_endpoint *from)
{
	if (!is_awaited(host, msg->receiver))
		return false;
	if (!sss_cookie_mac1_ok(&host->cookie.keys, msg, sizeof(*msg))) {
		sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_MAC1);
		return false;
	}
	return !is_loaded(host->handshakes) || may_come_now(host, from);
}

static bool admit(struct sss_host *host, const u8 *data, const union sss_endpoint *from)
{
	trace_sss_handshake_received(host->sn, host->id, data[0], &from->sa);
	switch (data[0]) {
	case SSS_PACKET_INITIATE:
		sss_mib_inc(host->sn, HS_RX_INITIATE);
		return admit_initiate(host, (const void *)data, from);
	case SSS_PACKET_RESPOND:
		sss_mib_inc(host->sn, HS_RX_RESPOND);
		return admit_respond(host, (const void *)data, from);
	case SSS_PACKET_COOKIE:
		sss_mib_inc(host->sn, HS_RX_COOKIE);
		return is_awaited(host, ((const struct sss_msg_cookie *)data)->receiver);
	default:
		sss_mib_inc(host->sn, HS_RX_REJECT);
		return is_awaited(host, ((const struct sss_msg_reject *)data)->receiver);
	}
}

/**
 * sss_handshake_receive() - a handshake message has arrived
 * @host: whose UDP port it came to
 * @data: UDP payload in linear memory; copied
 * @len: its bytes
 * @from: source
 *
 * Checks what is cheap and leaves the rest to the host's work item. Bounded
 * by limits.handshake_queue. Context: the drain, BH off.
 */
void sss_handshake_receive(struct sss_host *host, const u8 *data, size_t len,
			   const union sss_endpoint *from)
{
	struct sss_handshakes *hs = host->handshakes;
	struct message *m;

	if (!sss_handshake_length_ok(data, len)) {
		sss_drop_packets(host->sn, 0, SSS_MIB_DROP_TYPE, 1);
		return;
	}
	if (!admit(host, data, from))
		return;
	m = kmalloc(struct_size(m, data, len), GFP_ATOMIC | __GFP_NOWARN);
	if (!m) {
		sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_NO_MEMORY);
		return;
	}
	m->from = *from;
	m->len = len;
	memcpy(m->data, data, len);
	if (!enqueue(hs, m)) {
		sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_QUEUE);
		kfree(m);
	}
}

static bool enqueue_late(struct sss_handshakes *hs, struct late *l)
{
	bool room;

	spin_lock_bh(&hs->lock);
	room = !hs->stopped && hs->n_late < LATE_MAX && hs->late_bytes < LATE_BYTES &&
	       l->pair->n_late < LATE_PAIR;
	if (room) {
		list_add_tail(&l->node, &hs->late);
		hs->n_late++;
		l->pair->n_late++;
		hs->late_bytes += l->skb->truesize;
		queue_work(handshake_wq, &hs->work);
	}
	spin_unlock_bh(&hs->lock);
	return room;
}

static unsigned int n_packets(const struct sk_buff *skb)
{
	return max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
}

static void free_late(struct late *l)
{
	sss_keypair_put(l->pair);
	kfree_skb(l->skb);
	kfree(l);
}

/**
 * sss_handshake_confirm_later() - a data packet came under keys without a channel
 * @host: whose UDP port it came to
 * @pair: its keys, found under rcu_read_lock()
 * @skb: data begins at the UDP payload; taken over
 * @from: source
 *
 * If it is authentic, it makes the channel; which needs process context.
 * Bounded. Context: the drain, BH off.
 */
void sss_handshake_confirm_later(struct sss_host *host, struct sss_keypair *pair,
				 struct sk_buff *skb, const union sss_endpoint *from)
{
	struct late *l = kmalloc(sizeof(*l), GFP_ATOMIC | __GFP_NOWARN);

	if (!l || !sss_keypair_get(pair)) {
		sss_drop_packets(host->sn, 0, l ? SSS_MIB_DROP_INDEX : SSS_MIB_DROP_NO_MEMORY,
				 n_packets(skb));
		kfree_skb(skb);
		kfree(l);
		return;
	}
	l->pair = pair;
	l->skb = skb;
	l->from = *from;
	if (!enqueue_late(host->handshakes, l)) {
		sss_drop_packets(host->sn, 0, SSS_MIB_DROP_BACKLOG, n_packets(skb));
		free_late(l);
	}
}

static struct late *next_late(struct sss_handshakes *hs)
{
	struct late *l;

	spin_lock_bh(&hs->lock);
	l = list_first_entry_or_null(&hs->late, struct late, node);
	if (l) {
		list_del(&l->node);
		hs->n_late--;
		l->pair->n_late--;
		hs->late_bytes -= l->skb->truesize;
	}
	spin_unlock_bh(&hs->lock);
	return l;
}

static struct message *next_message(struct sss_handshakes *hs)
{
	struct message *m;

	spin_lock_bh(&hs->lock);
	m = list_first_entry_or_null(&hs->messages, struct message, node);
	if (m) {
		list_del(&m->node);
		WRITE_ONCE(hs->n_messages, hs->n_messages - 1);
	}
	spin_unlock_bh(&hs->lock);
	return m;
}

static void handle(struct sss_handshakes *hs, const struct message *m)
{
	switch (m->data[0]) {
	case SSS_PACKET_INITIATE:
		sss_respond_initiate(hs, (const void *)m->data, &m->from);
		break;
	case SSS_PACKET_RESPOND:
		sss_answered_respond(hs->host, (const void *)m->data, &m->from);
		break;
	case SSS_PACKET_COOKIE:
		sss_answered_cookie(hs->host, (const void *)m->data, &m->from);
		break;
	default:
		sss_answered_reject(hs->host, (const void *)m->data);
	}
}

static void work(struct work_struct *work)
{
	struct sss_handshakes *hs = container_of(work, struct sss_handshakes, work);
	struct message *m;
	struct late *l;

	/* in turn, so that neither kind of flood keeps the other waiting */
	do {
		l = next_late(hs);
		if (l) {
			sss_respond_confirm(hs, l->pair, l->skb, &l->from);
			kfree(l);
		}
		m = next_message(hs);
		if (m) {
			handle(hs, m);
			kfree(m);
		}
		cond_resched();
	} while (l || m);
}

/**
 * sss_handshake_expire_later() - there are slots: look at them from time to time
 * @hs: of a host
 *
 * Context: any.
 */
void sss_handshake_expire_later(struct sss_handshakes *hs)
{
	queue_delayed_work(handshake_wq, &hs->expiry, HZ);
}

/**
 * sss_handshake_next_stamp() - the stamp of our next INITIATE
 * @host: whose
 * @stamp: result: later than that of any INITIATE before
 *
 * Return: false if the host is going. Context: any but hard interrupts.
 */
bool sss_handshake_next_stamp(struct sss_host *host, u8 stamp[SSS_HS_STAMP_LEN])
{
	struct sss_handshakes *hs;

	rcu_read_lock();
	hs = READ_ONCE(host->handshakes);
	if (hs) {
		spin_lock_bh(&hs->lock);
		sss_noise_stamp(hs->stamp);
		memcpy(stamp, hs->stamp, SSS_HS_STAMP_LEN);
		spin_unlock_bh(&hs->lock);
	}
	rcu_read_unlock();
	return hs;
}

/**
 * sss_handshake_host_create() - prepare a host for handshakes
 * @host: new, without UDP sockets yet
 *
 * Return: 0 or -ENOMEM. Context: process.
 */
int sss_handshake_host_create(struct sss_host *host)
{
	struct sss_handshakes *hs = kzalloc(sizeof(*hs), GFP_KERNEL_ACCOUNT);

	if (!hs)
		return -ENOMEM;
	hs->host = host;
	spin_lock_init(&hs->lock);
	spin_lock_init(&hs->slots_lock);
	INIT_LIST_HEAD(&hs->messages);
	INIT_LIST_HEAD(&hs->late);
	INIT_LIST_HEAD(&hs->slots);
	INIT_WORK(&hs->work, work);
	INIT_DELAYED_WORK(&hs->expiry, sss_slot_expire);
	host->handshakes = hs;
	return 0;
}

/**
 * sss_handshake_host_settle() - wait until the work under way has sent its packets
 * @host: dead, its peers are gone
 *
 * Context: process, sleeps.
 */
void sss_handshake_host_settle(struct sss_host *host)
{
	struct sss_handshakes *hs = host->handshakes;

	flush_work(&hs->work);
}

/**
 * sss_handshake_host_stop() - end all that is half-open
 * @host: dead, its peers and UDP sockets are gone
 *
 * Context: process, sleeps.
 */
void sss_handshake_host_stop(struct sss_host *host)
{
	struct sss_handshakes *hs = host->handshakes;
	struct message *m;
	struct late *l;

	spin_lock_bh(&hs->lock);
	hs->stopped = true;
	spin_unlock_bh(&hs->lock);
	while ((m = next_message(hs))) {
		sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_QUEUE);
		kfree(m);
	}
	while ((l = next_late(hs))) {
		sss_drop_packets(host->sn, 0, SSS_MIB_DROP_NO_HOST, n_packets(l->skb));
		free_late(l);
	}
	cancel_work_sync(&hs->work);
	cancel_delayed_work_sync(&hs->expiry);
	sss_slot_purge(hs);
}

/**
 * sss_handshake_host_destroy() - undo sss_handshake_host_create()
 * @host: stopped, or never started
 *
 * Context: process.
 */
void sss_handshake_host_destroy(struct sss_host *host)
{
	struct sss_handshakes *hs = host->handshakes;

	WRITE_ONCE(host->handshakes, NULL);
	kfree_rcu(hs, rcu);
}

/**
 * sss_handshake_flush() - wait until the messages that have come are handled
 *
 * Context: process, sleeps.
 */
void sss_handshake_flush(void)
{
	flush_workqueue(handshake_wq);
}

/**
 * sss_handshake_init() - make the workqueue
 *
 * Return: 0 or -ENOMEM. Context: module init.
 */
int sss_handshake_init(void)
{
	handshake_wq = alloc_workqueue("sss_handshake", WQ_CPU_INTENSIVE | WQ_FREEZABLE, 0);
	return handshake_wq ? 0 : -ENOMEM;
}

/**
 * sss_handshake_exit() - destroy the workqueue
 *
 * Context: module exit, all hosts being gone.
 */
void sss_handshake_exit(void)
{
	destroy_workqueue(handshake_wq);
}
