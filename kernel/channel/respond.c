// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes that others start.
 *
 * An INITIATE makes a key pair and a slot (struct sss_half_open) and is
 * answered; it changes nothing else, as it can be a replay. The first data
 * packet that authenticates under the pair confirms it, and what the slot
 * remembers takes effect. If the peer had a channel, the pair waits in its
 * key ring and the channel's serial stage confirms. If not, the pair stands
 * alone and the host's work item opens the packet and makes the channel.
 *
 * Who owns what is said in slot.c.
 */
#include <linux/random.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include "base/compat.h"
#include "base/drop.h"
#include "channel/crowd.h"
#include "channel/handshake.h"
#include "channel/initiate.h"
#include "channel/lapse.h"
#include "channel/rx.h"
#include "channel/slot.h"
#include "channel/timer.h"
#include "crypto/aead.h"
#include "crypto/index.h"
#include "peer/access.h"
#include "wire/packet.h"

/**
 * struct call - an INITIATE being answered
 * @hs: of the host
 * @msg: as received
 * @from: source
 * @noise: the handshake
 * @remote: keys of the peer
 * @ch: the peer's channel, reference, or NULL
 * @configured: somebody has configured the peer
 * @anew: the peer has another state than @ch
 * @left: what is stated is the incarnation of a state that is over, see sss_half_open
 * @said: what it says
 * @answer: what we say
 */
struct call {
	struct sss_handshakes *hs;
	const struct sss_msg_initiate *msg;
	const union sss_endpoint *from;
	struct sss_noise_handshake noise;
	struct sss_noise_remote remote;
	struct sss_channel *ch;
	bool configured;
	bool anew;
	bool left;
	struct sss_initiate_payload said;
	struct sss_respond_payload answer;
};

static void send_respond(struct sss_handshakes *hs, struct sss_half_open *slot,
			 const union sss_endpoint *to)
{
	WRITE_ONCE(slot->answered, ktime_get_ns());
	sss_mib_inc(slot->sn, HS_TX_RESPOND);
	sss_handshake_send(hs->host, &slot->respond, sizeof(slot->respond), to);
}

/*
 * Was it answered before? Then the same answer goes to where it came from now. But where
 * a stranger is says who has read the answer: a copy from elsewhere has one of its own,
 * so that who copies it takes nothing from the stranger, nor hides behind another.
 */
static bool answer_again(struct sss_handshakes *hs, const struct sss_msg_initiate *msg,
			 const union sss_endpoint *from)
{
	struct sss_half_open *slot = sss_slot_find_same(hs, msg, from);

	if (!slot)
		return false;
	sss_mib_inc(hs->host->sn, HS_DUPLICATE);
	send_respond(hs, slot, from);
	sss_slot_put(slot);
	return true;
}

/* Whom it claims to come from: their keys, and their channel if there is one */
static bool look_up(struct call *c)
{
	struct sss_host *host = c->hs->host;
	struct sss_eid eid;
	struct sss_peer *peer;

	memcpy(eid.key, c->noise.remote_static, sizeof(eid.key));
	peer = sss_peer_lookup(host, &eid);
	if (!peer)
		return !sss_noise_set_remote(&c->remote, &host->identity, eid.key, NULL);
	sss_peer_copy_remote(peer, &c->remote);
	c->ch = sss_channel_of_peer(peer);
	c->configured = READ_ONCE(peer->flags) & SSS_PEER_F_CONFIGURED;
	sss_peer_put(peer);
	return true;
}

/* Reads the message; false: counted */
static bool read_initiate(struct call *c)
{
	struct sss_net *sn = c->hs->host->sn;
	int err;

	err = sss_noise_consume_static(&c->noise, c->msg, &c->hs->host->identity);
	if (err == -EBADMSG) {
		sss_drop_handshake(sn, c->hs->host->id, SSS_MIB_HS_DROP_NOISE);
		return false;
	}
	if (err || !look_up(c)) {
		sss_drop_handshake(sn, c->hs->host->id, SSS_MIB_HS_DROP_EID);
		return false;
	}
	err = sss_noise_consume_payload(&c->noise, c->msg, &c->remote, &c->said);
	if (err == -EPROTO)
		sss_drop_handshake(sn, c->hs->host->id, SSS_MIB_HS_DROP_PAYLOAD);
	else if (err)
		sss_drop_handshake(sn, c->hs->host->id, SSS_MIB_HS_DROP_NOISE);
	return !err;
}

static void answer_request(struct call *c)
{
	const struct sss_initiate_payload *said = &c->said;
	struct sss_request request = { .kind = said->kind };
	struct sss_eid eid;

	if (!said->has_request)
		return;
	memcpy(eid.key, c->noise.remote_static, sizeof(eid.key));
	strscpy(request.service, said->service, sizeof(request.service));
	strscpy(request.protocol, said->protocol, sizeof(request.protocol));
	c->answer.status = sss_channel_ops->lookup(c->hs->host, &eid, &request, c->answer.text);
	c->answer.has_answer = true;
}

/* Is the INITIATE about the state we have? Channel lock held. */
static bool __same_state(const struct sss_channel *ch, const struct sss_initiate_payload *said)
{
	lockdep_assert_held(&ch->lock);
	if (!ch->remote_incarnation)
		return true;
	/* One sent before the peer knew us remembers nothing of us yet. */
	return said->incarnation == ch->remote_incarnation &&
	       (said->remembered == ch->incarnation || !said->remembered);
}

/*
 * Our incarnation for a peer whose state is not the one we know: what an
 * earlier INITIATE from the same state of the peer was told, or a new one. With it
 * goes what was told of packet numbers: the peer takes none below for this state.
 */
static u64 choose_incarnation(struct call *c, u64 ours)
{
	u64 found = sss_slot_find_incarnation(c->hs, c->noise.remote_static,
					      c->said.incarnation, ours, &c->answer.next_number,
					      &c->left);

	while (!found || found == ours)
		found = get_random_u64();
	return found;
}

/* What is said of a channel there is; false: not answered (counted) */
static bool describe_channel(struct call *c)
{
	struct sss_respond_payload *answer = &c->answer;
	struct sss_channel *ch = c->ch;
	u64 ours;
	bool ok, same;

	spin_lock_bh(&ch->lock);
	ok = __sss_initiate_check_stamp(ch, c->said.stamp);
	same = __same_state(ch, &c->said);
	c->anew = c->said.incarnation != ch->remote_incarnation;
	ours = ch->incarnation;
	answer->next_number = ch->next_number;
	answer->params = ch->local;
	spin_unlock_bh(&ch->lock);
	if (!ok)
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_STAMP);
	/* Who starts from nothing cannot mistake the old state for the new one. */
	same = same || !c->said.remembered;
	answer->incarnation = same ? ours : choose_incarnation(c, ours);
	return ok;
}

/* What a channel will start with if this is confirmed */
static void describe_nothing(struct call *c)
{
	c->answer.next_number = 0;
	c->answer.incarnation = choose_incarnation(c, 0);
	if (!c->answer.next_number)
		c->answer.next_number = get_random_u32_below(1 << 20);
	sss_channel_local_params(&c->hs->host->sn->limits, &c->answer.params);
}

/* Makes the RESPOND and its keys; 0, -ENOMEM or -EINVAL */
static int build(struct call *c, struct sss_half_open *slot)
{
	struct sss_keypair *pair = sss_keypair_create(c->hs->host->sn, c->ch, GFP_KERNEL);
	struct sss_cookie_keys keys;
	u32 index;

	if (!pair)
		return -ENOMEM;
	index = sss_index_reserve(&pair->entry, c->hs->host);
	if (sss_noise_create_respond(&c->noise, &slot->respond, &c->remote, &c->answer, index,
				     &pair->keys)) {
		sss_keypair_put(pair);
		return -EINVAL;
	}
	sss_cookie_derive(&keys, c->remote.eid);
	sss_cookie_add_mac1(&keys, &slot->respond, sizeof(slot->respond));
	pair->remote_index = c->noise.remote_index;
	pair->lowest_receive = c->said.next_number;
	pair->first_send = c->answer.next_number;
	memcpy(pair->stamp, c->said.stamp, sizeof(pair->stamp));
	kref_get(&slot->ref);
	pair->drop_tentative = sss_handshake_drop_tentative;
	pair->tentative = slot;
	slot->pair = pair;
	return 0;
}

/* Who is to hold the slot, with a reference; NULL: no memory */
static struct sss_crowd *crowd_of(const struct call *c)
{
	struct sss_net *sn = c->hs->host->sn;
	struct sss_eid eid;

	if (!c->configured)
		return sss_crowd_get(sn, c->from);
	memcpy(eid.key, c->noise.remote_static, sizeof(eid.key));
	return sss_crowd_get_of_eid(sn, &eid);
}

/* Takes over the reference to @crowd, if there is a result. */
static struct sss_half_open *alloc_slot(const struct call *c, struct sss_crowd *crowd)
{
	struct sss_half_open *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);

	if (!slot)
		return NULL;
	kref_init(&slot->ref);
	INIT_LIST_HEAD(&slot->crowd_node);
	slot->crowd = crowd;
	slot->configured = c->configured;
	slot->sn = c->hs->host->sn;
	sss_gauge_inc(slot->sn, HALF_OPEN);
	memcpy(slot->eid.key, c->noise.remote_static, sizeof(slot->eid.key));
	slot->born = ktime_get_ns();
	slot->from = *c->from;
	slot->alone = !c->ch;
	slot->anew = c->anew;
	slot->left = c->left;
	slot->incarnation = c->answer.incarnation;
	slot->remote_incarnation = c->said.incarnation;
	slot->next_number = c->answer.next_number;
	slot->params = c->said.params;
	return slot;
}

/*
 * Puts the pair into the ring of its channel, and the slot into the list: in one
 * go, so that it is found when the channel ends. False: the channel is closed.
 */
static bool join(struct sss_handshakes *hs, struct sss_channel *ch, struct sss_half_open *slot)
{
	bool open;

	spin_lock_bh(&ch->lock);
	open = ch->state != SSS_CHANNEL_CLOSED && sss_keypair_get(slot->pair);
	if (open) {
		sss_keyring_add_responder(&ch->ring, slot->pair, false);
		__sss_timer_keys(ch, ktime_get_ns());
		__sss_timer_update(ch);
		sss_slot_add(hs, slot);
	}
	spin_unlock_bh(&ch->lock);
	return open;
}

/* A slot, if there may be one more; NULL: counted */
static struct sss_half_open *get_slot(struct call *c)
{
	struct sss_net *sn = c->hs->host->sn;
	struct sss_crowd *crowd = crowd_of(c);
	struct sss_half_open *slot;

	if (!crowd)
		goto no_memory;
	if (!sss_slot_make_room(sn, crowd)) {
		sss_drop_handshake(sn, c->hs->host->id, SSS_MIB_HS_DROP_LIMIT);
		sss_crowd_put(sn, crowd);
		return NULL;
	}
	slot = alloc_slot(c, crowd);
	if (slot)
		return slot;
	sss_crowd_put(sn, crowd);
no_memory:
	sss_drop_handshake(sn, c->hs->host->id, SSS_MIB_HS_DROP_NO_MEMORY);
	return NULL;
}

/* Answers the call: from here on a data packet can confirm it. */
static void answer(struct call *c)
{
	struct sss_half_open *slot = get_slot(c);
	struct sss_net *sn = c->hs->host->sn;
	int err;

	if (!slot)
		return;
	err = build(c, slot);
	if (err) {
		sss_drop_handshake(sn, c->hs->host->id, err == -ENOMEM ?
				   SSS_MIB_HS_DROP_NO_MEMORY : SSS_MIB_HS_DROP_NOISE);
		sss_slot_put(slot);
		return;
	}
	slot->noise = c->noise;
	kref_get(&slot->ref);
	/* Nobody knows the index yet; once the slot is in a list it may end at any time. */
	sss_index_publish(&slot->pair->entry, SSS_INDEX_KEYPAIR);
	if (!c->ch) {
		sss_slot_add(c->hs, slot);
	} else if (!join(c->hs, c->ch, slot)) {
		sss_drop_handshake(sn, c->hs->host->id, SSS_MIB_HS_DROP_UNKNOWN);
		sss_slot_end(slot);
		sss_slot_put(slot);
		return;
	}
	send_respond(c->hs, slot, c->from);
	sss_slot_put(slot);
}

/* May the caller have a channel, if it has none? Otherwise: counted. */
static bool is_let_in(const struct call *c)
{
	struct sss_host *host = c->hs->host;
	struct sss_eid eid;

	memcpy(eid.key, c->noise.remote_static, sizeof(eid.key));
	if (c->ch || sss_access_call(host, &eid))
		return true;
	sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_ACCESS);
	return false;
}

/* Tells the caller that it is not let in. Nothing is kept of it, nor the keys. */
static void refuse(struct call *c)
{
	struct sss_host *host = c->hs->host;
	struct sss_noise_keys keys;
	struct sss_msg_respond msg;
	struct sss_cookie_keys macs;

	if (READ_ONCE(host->flags) & SSS_HOST_F_STEALTH)
		return;
	c->answer.refused = true;
	c->answer.has_answer = true;
	c->answer.status = SSS_SERVICE_DENIED;
	strscpy(c->answer.text, "not admitted", sizeof(c->answer.text));
	if (!sss_noise_create_respond(&c->noise, &msg, &c->remote, &c->answer,
				      get_random_u32(), &keys)) {
		sss_cookie_derive(&macs, c->remote.eid);
		sss_cookie_add_mac1(&macs, &msg, sizeof(msg));
		sss_mib_inc(host->sn, HS_TX_RESPOND);
		sss_handshake_send(host, &msg, sizeof(msg), c->from);
	}
	memzero_explicit(&keys, sizeof(keys));
}

/**
 * sss_respond_initiate() - an INITIATE has come
 * @hs: of the host to which it came; it was admitted
 * @msg: of the right length
 * @from: source
 *
 * Context: the host's work item.
 */
void sss_respond_initiate(struct sss_handshakes *hs, const struct sss_msg_initiate *msg,
			  const union sss_endpoint *from)
{
	struct call c = { .hs = hs, .msg = msg, .from = from };

	if (sss_lapse_asleep()) {
		sss_drop_handshake(hs->host->sn, hs->host->id, SSS_MIB_HS_DROP_ASLEEP);
		return;
	}
	if (answer_again(hs, msg, from))
		return;
	if (!read_initiate(&c))
		goto out;
	if (!c.ch)
		describe_nothing(&c);
	else if (!describe_channel(&c))
		goto out;
	c.answer.remembered = c.said.incarnation;
	if (!is_let_in(&c)) {
		refuse(&c);
		goto out;
	}
	answer_request(&c);
	answer(&c);
out:
	sss_noise_forget(&c.noise);
	memzero_explicit(&c.remote, sizeof(c.remote));
	if (c.ch)
		sss_channel_put(c.ch);
}

/* Is the slot about the state there is? */
static bool __agrees(const struct sss_channel *ch, const struct sss_half_open *slot)
{
	lockdep_assert_held(&ch->lock);
	return ch->incarnation == slot->incarnation &&
	       (!ch->remote_incarnation || ch->remote_incarnation == slot->remote_incarnation);
}

/*
 * Is the slot about a state that is over? The peer called from it before we did, and has
 * answered us from another one; or, where it was answered without the channel, before it
 * called from the one there is: this packet is late, or was held back.
 */
static bool __is_over(struct sss_channel *ch, const struct sss_keypair *pair,
		      const struct sss_half_open *slot)
{
	lockdep_assert_held(&ch->lock);
	if (__agrees(ch, slot))
		return false;
	if (!pair->added && ch->remote_incarnation &&
	    memcmp(pair->stamp, ch->hs->stamp, sizeof(pair->stamp)) <= 0)
		return true;
	return sss_keyring_predates(&ch->ring, pair);
}

/*
 * Makes our side of the state what the slot says. True: the state there was
 * is over; its keys go before the new pair can stand behind one of them.
 */
static bool __settle(struct sss_channel *ch, const struct sss_half_open *slot,
		     struct sss_keypair *pair)
{
	lockdep_assert_held(&ch->lock);
	if (__agrees(ch, slot))
		return false;
	if (ch->incarnation != slot->incarnation)
		__sss_slot_forget(ch, pair->stamp);
	ch->incarnation = slot->incarnation;
	if (!ch->remote_incarnation)
		return false;
	sss_keyring_keep(&ch->ring, pair);
	return true;
}

/* RESPOND went there and nowhere else, and who sends from there has read it. */
static bool is_proved(const struct sss_half_open *slot, const union sss_endpoint *from)
{
	return !READ_ONCE(slot->elsewhere) && sss_endpoint_equal(&slot->from, from);
}

/* The pair was confirmed: what the INITIATE said takes effect. */
static void __take_effect(struct sss_channel *ch, struct sss_keypair *pair,
			  const struct sss_half_open *slot, const union sss_endpoint *from,
			  bool restart)
{
	lockdep_assert_held(&ch->lock);
	__sss_channel_establish(ch, pair, slot->remote_incarnation, &slot->params, from,
				is_proved(slot, from), restart);
	sss_rtt_guess(&ch->rtt, div_u64(ktime_get_ns() - READ_ONCE(slot->answered), NSEC_PER_USEC));
	__sss_initiate_superseded(ch, pair->stamp);
	if (!ch->path.unproved && sss_endpoint_equal(&ch->path.remote, from))
		sss_peer_learn_endpoint(ch->peer, from);
	sss_mib_inc(ch->sn, HS_CONFIRMED);
	trace_sss_handshake_confirmed(ch->sn, ch->host->id, ch->id, false);
}

/* Channel lock held, so that nobody but an expiring slot interferes. */
static bool is_waiting(const struct sss_channel *ch, const struct sss_keypair *pair)
{
	return rcu_access_pointer(ch->ring.next) == pair ||
	       rcu_access_pointer(ch->ring.next_stale) == pair;
}

/**
 * __sss_handshake_confirmed() - a packet authenticated under an unconfirmed pair
 * @ch: channel, referenced by the caller
 * @pair: of @ch
 * @from: source of the packet
 * @now: ns
 *
 * The peer has the keys, so what its INITIATE said takes effect. If the pair
 * has expired or was displaced meanwhile nothing happens and it stays
 * unconfirmed (sss_keypair.confirmed): then the packet must be ignored.
 *
 * Return: true: the state was restarted; the caller lets go of the lock, calls
 * sss_channel_restart(), and only then applies the packet. Context: channel
 * lock held, serial stage.
 */
bool __sss_handshake_confirmed(struct sss_channel *ch, struct sss_keypair *pair,
			       const union sss_endpoint *from, u64 now)
{
	struct sss_half_open *slot;
	bool restart;

	lockdep_assert_held(&ch->lock);
	if (ch->state == SSS_CHANNEL_CLOSED || !is_waiting(ch, pair))
		return false;
	slot = sss_keypair_take_tentative(pair);
	if (!slot)
		return false;
	if (__is_over(ch, pair, slot)) {
		sss_index_remove(&pair->entry);
		sss_slot_put(slot);
		return false;
	}
	restart = __settle(ch, slot, pair);
	sss_keyring_confirm(&ch->ring, pair);
	__take_effect(ch, pair, slot, from, restart);
	sss_slot_put(slot);
	return restart;
}

static void drop(struct sss_net *sn, const struct sk_buff *skb, enum sss_mib_id reason)
{
	sss_drop_packets(sn, 0, reason, max_t(u32, skb_shinfo(skb)->gso_segs, 1));
}

/* Does the first packet of the skb authenticate? Counted if not. */
static bool authentic(struct sss_net *sn, const struct sss_keypair *pair,
		      const struct sk_buff *skb)
{
	unsigned int len = min(skb_shinfo(skb)->gso_size ?: skb->len, skb->len);
	struct sss_packet_header head;
	bool good = false;
	u64 number;
	u8 *copy;

	copy = kmalloc(len, GFP_KERNEL);
	if (!copy) {
		drop(sn, skb, SSS_MIB_DROP_NO_MEMORY);
		return false;
	}
	if (!skb_copy_bits(skb, 0, copy, len) && !sss_packet_get_header(copy, len, &head) &&
	    head.receiver == pair->entry.index &&
	    sss_keypair_may_receive(pair, &sn->limits, sss_keypair_now())) {
		number = sss_packet_decode_number((head.truncated ^ pair->keys.receive_mask) &
						  SSS_PACKET_NUMBER_MASK, pair->lowest_receive);
		good = number >= pair->lowest_receive &&
		       sss_aead_open(copy, SSS_PACKET_HEADER_LEN, len - SSS_PACKET_HEADER_LEN,
				     number, pair->keys.receive);
	}
	kfree_sensitive(copy);
	if (!good)
		drop(sn, skb, SSS_MIB_DROP_AUTH);
	return good;
}

/* The channel a pair has by now, with a reference. It is valid while the pair is indexed. */
static struct sss_channel *channel_of_pair(struct sss_host *host, struct sss_keypair *pair)
{
	struct sss_channel *ch = NULL;

	rcu_read_lock();
	if (sss_index_lookup(host, pair->entry.index) == &pair->entry)
		ch = READ_ONCE(pair->channel);
	if (ch && !sss_channel_get(ch))
		ch = NULL;
	rcu_read_unlock();
	return ch;
}

static struct sss_channel *create_channel(struct sss_peer *peer, const struct sss_half_open *slot)
{
	struct sss_channel *ch;

	if (!slot->configured && !sss_crowd_has_room(slot->sn, slot->crowd))
		return NULL;
	ch = sss_channel_create(peer, slot->incarnation);
	return IS_ERR(ch) ? NULL : ch;
}

/* The channel that the slot's pair is to have, made if there is none; or why there is not */
static struct sss_channel *make_channel(struct sss_host *host, const struct sss_half_open *slot,
					enum sss_mib_id *why)
{
	struct sss_channel *ch;
	struct sss_peer *peer;

	*why = SSS_MIB_DROP_ACCESS;
	if (!sss_access_is_known(host, &slot->eid))
		return NULL;
	*why = SSS_MIB_DROP_CHANNELS;
	peer = sss_peer_get_or_create(host, &slot->eid);
	if (IS_ERR(peer))
		return NULL;
	ch = sss_channel_of_peer(peer);
	/* A peer that is configured no more has no crowd yet: its next call gives it one. */
	if (!ch && (!slot->configured || READ_ONCE(peer->flags) & SSS_PEER_F_CONFIGURED))
		ch = create_channel(peer, slot);
	if (!ch)
		sss_peer_release_learnt(peer);
	else if (!slot->configured)
		sss_crowd_add_channel(slot->crowd, ch);
	sss_peer_put(peer);
	return ch;
}

/* Gives the pair to the channel and confirms it; false: one of them is over. */
static bool take_in(struct sss_channel *ch, struct sss_keypair *pair,
		    const struct sss_half_open *slot, const union sss_endpoint *from)
{
	bool restart;

	spin_lock_bh(&ch->lock);
	if (ch->state == SSS_CHANNEL_CLOSED || __is_over(ch, pair, slot) ||
	    !sss_keypair_get(pair)) {
		spin_unlock_bh(&ch->lock);
		return false;
	}
	/* RESPOND promised that nothing below comes under these keys. */
	ch->next_number = max(ch->next_number, slot->next_number);
	if (!ch->pkts_sent)
		ch->first_number = ch->next_number;
	restart = __settle(ch, slot, pair);
	WRITE_ONCE(pair->channel, ch);
	sss_keyring_add_responder(&ch->ring, pair, true);
	sss_keyring_confirm(&ch->ring, pair);
	__take_effect(ch, pair, slot, from, restart);
	spin_unlock_bh(&ch->lock);
	if (restart)
		sss_channel_restart(ch);
	return true;
}

/* An authentic packet came under a pair without a channel: makes it one. */
static struct sss_channel *confirm_alone(struct sss_host *host, struct sss_keypair *pair,
					 const struct sk_buff *skb,
					 const union sss_endpoint *from)
{
	struct sss_half_open *slot = sss_keypair_take_tentative(pair);
	enum sss_mib_id why;
	struct sss_channel *ch;

	if (!slot) {
		drop(host->sn, skb, SSS_MIB_DROP_CLOSED);
		return NULL;
	}
	ch = make_channel(host, slot, &why);
	if (ch && take_in(ch, pair, slot, from)) {
		sss_slot_put(slot);
		return ch;
	}
	drop(host->sn, skb, why);
	if (ch) {
		/* It had the slot's incarnation, which is over with it. */
		sss_index_remove(&pair->entry);
		sss_slot_put(slot);
		sss_channel_put(ch);
	} else {
		/* Another packet may find things better. It goes with the pair at the latest. */
		WRITE_ONCE(pair->tentative, slot);
	}
	return NULL;
}

/**
 * sss_respond_confirm() - a data packet came under keys that had no channel
 * @hs: of the host to which it came
 * @pair: its keys; the reference is taken over
 * @skb: data begins at the UDP payload; taken over
 * @from: source
 *
 * Context: the host's work item.
 */
void sss_respond_confirm(struct sss_handshakes *hs, struct sss_keypair *pair,
			 struct sk_buff *skb, const union sss_endpoint *from)
{
	struct sss_host *host = hs->host;
	struct sss_channel *ch = channel_of_pair(host, pair);

	if (!ch && authentic(host->sn, pair, skb))
		ch = confirm_alone(host, pair, skb, from);
	if (ch) {
		sss_rx_enqueue(ch, skb, from);
		sss_rx_run(ch);
		sss_channel_put(ch);
	} else {
		kfree_skb(skb);
	}
	sss_keypair_put(pair);
}
