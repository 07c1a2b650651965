// SPDX-License-Identifier: GPL-2.0
/*
 * What comes in answer to our INITIATEs: RESPOND ends a handshake; COOKIE has
 * the message sent again with proof of our address; REJECT is only a hint, as
 * is a RESPOND that does not authenticate, since anybody can send those.
 */
#include <linux/slab.h>
#include "base/compat.h"
#include "base/drop.h"
#include "channel/handshake.h"
#include "channel/initiate.h"
#include "channel/path.h"
#include "crypto/index.h"

/* The channel whose initiation has this index, with a reference */
static struct sss_channel *channel_of(struct sss_host *host, __be32 index)
{
	struct sss_index_entry *entry;
	struct sss_channel *ch = NULL;

	rcu_read_lock();
	entry = sss_index_lookup(host, be32_to_cpu(index));
	if (entry && entry->type == SSS_INDEX_HANDSHAKE) {
		ch = container_of(entry, struct sss_initiation, entry)->ch;
		if (!sss_channel_get(ch))
			ch = NULL;
	}
	rcu_read_unlock();
	if (!ch)
		sss_drop_handshake(host->sn, host->id, SSS_MIB_HS_DROP_UNKNOWN);
	return ch;
}

static void set_hint(struct sss_channel *ch)
{
	spin_lock_bh(&ch->lock);
	ch->hs->hint = ch->hs->wanted;
	spin_unlock_bh(&ch->lock);
}

/* Reads a RESPOND; returns the complete key pair, or NULL (counted). */
static struct sss_keypair *read_respond(struct sss_channel *ch, const struct sss_msg_respond *msg,
					const struct sss_initiation *in,
					struct sss_respond_payload *payload)
{
	struct sss_keypair *pair = sss_keypair_create(ch->sn, ch, GFP_KERNEL);
	int err;

	if (!pair) {
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_NO_MEMORY);
		return NULL;
	}
	err = sss_noise_consume_respond(&in->noise, msg, &ch->host->identity, &in->remote,
					payload, &pair->keys);
	if (err == -EPROTO)
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_PAYLOAD);
	else if (err)
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_NOISE);
	if (err) {
		set_hint(ch);
		sss_keypair_put(pair);
		return NULL;
	}
	pair->remote_index = be32_to_cpu(msg->sender);
	pair->initiator = true;
	pair->lowest_receive = payload->next_number;
	pair->first_send = in->next_number;
	pair->started = in->started;
	return pair;
}

/*
 * Is the peer where RESPOND came from? Not for sure: somebody may have changed the
 * source. And of several endpoints that it told us of it may have used one to name
 * another, so that only one that was the only one says it.
 */
static bool is_proved(struct sss_channel *ch, const union sss_endpoint *from)
{
	struct sss_candidates c;

	if (__sss_candidates_vouched(ch, from))
		return true;
	__sss_candidates_collect(ch, &c, AF_UNSPEC, false);
	return c.n == 1 && sss_endpoint_equal(&c.ep[0], from);
}

/*
 * The handshake is done, if it is the first RESPOND: takes over the pair and
 * returns true; and whether the state has to be restarted.
 */
static bool __complete(struct sss_channel *ch, struct sss_keypair *pair, u32 index,
		       const struct sss_respond_payload *payload,
		       const union sss_endpoint *from, bool *restart)
{
	struct sss_initiation *in = __sss_initiate_find(ch, index);
	u64 now = ktime_get_ns();

	lockdep_assert_held(&ch->lock);
	if (!in || ch->state == SSS_CHANNEL_CLOSED ||
	    !sss_index_replace(&in->entry, &pair->entry, SSS_INDEX_KEYPAIR))
		return false;
	*restart = ch->remote_incarnation &&
		   (ch->remote_incarnation != payload->incarnation ||
		    ch->incarnation != payload->remembered);
	if (*restart)
		sss_keyring_end_state(&ch->ring);
	sss_keyring_add_initiator(&ch->ring, pair);
	__sss_channel_establish(ch, pair, payload->incarnation, &payload->params, from,
				is_proved(ch, from), *restart);
	trace_sss_handshake_confirmed(ch->sn, ch->host->id, ch->id, true);
	__sss_path_received(ch, from, sizeof(struct sss_msg_respond), false, false, now);
	if (!ch->path.unproved && sss_endpoint_equal(&ch->path.remote, from))
		sss_peer_learn_endpoint(ch->peer, from);
	sss_rtt_guess(&ch->rtt, div_u64(now - ch->hs->sent_at, NSEC_PER_USEC));
	ch->confirm = true;
	ch->connect_rtts = ch->hs->sends;
	__sss_initiate_finish(ch);
	return true;
}

/*
 * The peer lets us in no more, or never did: who connects hears it. A channel that we
 * had is one that the peer has lost, and will not have again.
 */
static void end_refused(struct sss_channel *ch, const struct sss_initiation *in,
			const struct sss_respond_payload *payload)
{
	bool ours;

	spin_lock_bh(&ch->lock);
	ours = __sss_initiate_find(ch, in->entry.index) && ch->state != SSS_CHANNEL_CLOSED;
	if (ours) {
		/* in one go: who connects from here on makes a handshake of his own */
		__sss_initiate_finish(ch);
		sss_channel_ops->refused(ch, payload->text);
	}
	if (ours && ch->state == SSS_CHANNEL_OPEN)
		__sss_channel_shut(ch, -EACCES, false);
	spin_unlock_bh(&ch->lock);
	if (ours)
		sss_channel_ops->deliver(ch);
	else
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_UNKNOWN);
}

static void accept_respond(struct sss_channel *ch, struct sss_keypair *pair,
			   const struct sss_initiation *in,
			   const struct sss_respond_payload *payload,
			   const union sss_endpoint *from)
{
	bool done, restart = false;

	spin_lock_bh(&ch->lock);
	done = __complete(ch, pair, in->entry.index, payload, from, &restart);
	spin_unlock_bh(&ch->lock);
	if (!done) {
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_UNKNOWN);
		sss_keypair_put(pair);
		return;
	}
	if (restart)
		sss_channel_restart(ch);
	sss_channel_ops->up(ch);
	if (payload->has_answer && in->has_request)
		sss_channel_ops->answered(ch, &in->request, payload->status, payload->text);
	sss_channel_transmit(ch);
}

/**
 * sss_answered_respond() - a RESPOND has come
 * @host: to which; mac1 is right
 * @msg: of the right length
 * @from: source
 *
 * Context: the host's work item.
 */
void sss_answered_respond(struct sss_host *host, const struct sss_msg_respond *msg,
			  const union sss_endpoint *from)
{
	struct sss_channel *ch = channel_of(host, msg->receiver);
	struct sss_respond_payload payload;
	struct sss_keypair *pair;
	struct sss_initiation *in, *copy;

	if (!ch)
		return;
	copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy) {
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_NO_MEMORY);
		sss_channel_put(ch);
		return;
	}
	spin_lock_bh(&ch->lock);
	in = __sss_initiate_find(ch, be32_to_cpu(msg->receiver));
	if (in)
		*copy = *in;
	spin_unlock_bh(&ch->lock);
	if (!in)
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_UNKNOWN);
	pair = in ? read_respond(ch, msg, copy, &payload) : NULL;
	if (pair && payload.refused) {
		end_refused(ch, copy, &payload);
		sss_keypair_put(pair);
	} else if (pair) {
		accept_respond(ch, pair, copy, &payload, from);
	}
	kfree_sensitive(copy);
	sss_channel_put(ch);
}

/*
 * The newest message once more, now with a cookie; so often at most. Who saw the
 * message can have a COOKIE come from anywhere that it went to as well, so it counts
 * there like any other.
 */
static bool take_again(struct sss_channel *ch, struct sss_msg_initiate *msg,
		       const union sss_endpoint *to)
{
	struct sss_handshaking *hs = ch->hs;
	u64 now = ktime_get_ns();
	bool ok;

	spin_lock_bh(&ch->lock);
	ok = hs->wanted && hs->list[0] && hs->cookies < SSS_CANDIDATES_MAX &&
	     ch->state != SSS_CHANNEL_CLOSED && __sss_candidates_may_probe(ch, to, now);
	if (ok) {
		hs->cookies++;
		hs->sends++;
		hs->sent_at = now;
		*msg = hs->list[0]->msg;
	}
	spin_unlock_bh(&ch->lock);
	return ok;
}

/**
 * sss_answered_cookie() - a COOKIE has come
 * @host: to which
 * @msg: of the right length
 * @from: source; the INITIATE went there, or it means nothing
 *
 * Context: the host's work item.
 */
void sss_answered_cookie(struct sss_host *host, const struct sss_msg_cookie *msg,
			 const union sss_endpoint *from)
{
	struct sss_channel *ch = channel_of(host, msg->receiver);
	struct sss_msg_initiate again;

	if (!ch)
		return;
	if (!sss_peer_consume_cookie(ch->peer, from, msg))
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_COOKIE);
	else if (take_again(ch, &again, from))
		sss_initiate_send(ch, &again, from);
	else
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_UNKNOWN);
	sss_channel_put(ch);
}

/**
 * sss_answered_reject() - a REJECT has come
 * @host: to which
 * @msg: of the right length
 *
 * Anyone who sees the INITIATE can make one, so it only gives a later error
 * its name. Context: the host's work item.
 */
void sss_answered_reject(struct sss_host *host, const struct sss_msg_reject *msg)
{
	struct sss_channel *ch = channel_of(host, msg->receiver);
	struct sss_initiation *in;
	bool ours;

	if (!ch)
		return;
	spin_lock_bh(&ch->lock);
	in = __sss_initiate_find(ch, be32_to_cpu(msg->receiver));
	ours = in && !crypto_memneq(in->msg.macs.mac1, msg->mac1, sizeof(msg->mac1));
	if (ours)
		ch->hs->hint = ch->hs->wanted;
	spin_unlock_bh(&ch->lock);
	if (!ours)
		sss_drop_handshake(ch->sn, ch->host->id, SSS_MIB_HS_DROP_UNKNOWN);
	sss_channel_put(ch);
}
