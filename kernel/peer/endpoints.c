// SPDX-License-Identifier: GPL-2.0
/*
 * Where a peer may be: eight places at most, best first. Four kinds: configured;
 * proved, since an authenticated answer came from there; what a helper found out; and
 * hearsay, from the peer itself or from a program. See peer.h for locks.
 */
#include "net/udp.h"
#include "host.h"
#include "peer.h"

#define GRANT	16	/* packets to an endpoint when a helper names it ... */
#define GRANT_PERIOD	(10 * NSEC_PER_SEC)	/* ... in this time, however often it does */

/**
 * __sss_peer_set_endpoint() - write an entry as one that nothing is known of
 * @peer: reference held
 * @at: which
 * @ep: endpoint
 *
 * Context: peer->lock held.
 */
void __sss_peer_set_endpoint(struct sss_peer *peer, unsigned int at,
			     const union sss_endpoint *ep)
{
	struct sss_peer_endpoint *entry = &peer->endpoints[at];

	lockdep_assert_held(&peer->lock);
	entry->ep = *ep;
	entry->configured = false;
	entry->proved = false;
	entry->told = false;
	entry->answered = false;
	entry->grant = 0;
	entry->granted_at = 0;
	entry->cookie.birth = 0;
	entry->cookie.sent_mac1 = false;
}

static int __find_endpoint(const struct sss_peer *peer, const union sss_endpoint *ep)
{
	unsigned int i;

	lockdep_assert_held(&peer->lock);
	for (i = 0; i < peer->n_endpoints; i++)
		if (sss_endpoint_equal(&peer->endpoints[i].ep, ep))
			return i;
	return -1;
}

/*
 * The slot for one that proved itself: that of the same address with another port,
 * which its NAT has forgotten; one behind the others; or that of the worst learnt one.
 */
static int __slot_for_proved(struct sss_peer *peer, const union sss_endpoint *ep)
{
	int i;

	lockdep_assert_held(&peer->lock);
	for (i = 0; i < peer->n_endpoints; i++)
		if (!peer->endpoints[i].configured &&
		    sss_endpoint_same_address(&peer->endpoints[i].ep, ep))
			return i;
	if (peer->n_endpoints < SSS_PEER_ENDPOINTS_MAX)
		return peer->n_endpoints++;
	for (i = peer->n_endpoints - 1; i >= 0; i--)
		if (!peer->endpoints[i].configured)
			return i;
	return -1;
}

/* All but the lock, which stays unlocked at its place under @peer->lock. */
static void copy_entry(struct sss_peer_endpoint *to, const struct sss_peer_endpoint *from)
{
	to->ep = from->ep;
	to->configured = from->configured;
	to->proved = from->proved;
	to->told = from->told;
	to->answered = from->answered;
	to->grant = from->grant;
	to->granted_at = from->granted_at;
	to->cookie.birth = from->cookie.birth;
	memcpy(to->cookie.cookie, from->cookie.cookie, sizeof(to->cookie.cookie));
	to->cookie.sent_mac1 = from->cookie.sent_mac1;
	memcpy(to->cookie.last_mac1, from->cookie.last_mac1, sizeof(to->cookie.last_mac1));
}

static void __move_to_front(struct sss_peer *peer, int at)
{
	struct sss_peer_endpoint first;

	lockdep_assert_held(&peer->lock);
	copy_entry(&first, &peer->endpoints[at]);
	for (; at > 0; at--)
		copy_entry(&peer->endpoints[at], &peer->endpoints[at - 1]);
	copy_entry(&peer->endpoints[0], &first);
	memzero_explicit(&first, sizeof(first));
}

/**
 * sss_peer_learn_endpoint() - an authenticated packet came from there
 * @peer: reference held
 * @ep: its source
 *
 * It becomes the first candidate, unless a relay is between. One learnt before that
 * differs in the port only gives way; where all eight are taken the worst learnt one, a
 * configured one never.
 *
 * Context: any but hard interrupts; the channel lock may be held.
 */
void sss_peer_learn_endpoint(struct sss_peer *peer, const union sss_endpoint *ep)
{
	struct sss_net *sn = peer->host->sn;
	int at;

	if (sss_udp_endpoint_check(sn->net, ep, READ_ONCE(sn->limits.allow_loopback)))
		return;
	spin_lock_bh(&peer->lock);
	at = __find_endpoint(peer, ep);
	if (at < 0) {
		at = __slot_for_proved(peer, ep);
		if (at >= 0)
			__sss_peer_set_endpoint(peer, at, ep);
	}
	if (at >= 0) {
		peer->endpoints[at].proved = true;
		if (!ep->via.session)
			__move_to_front(peer, at);
	}
	spin_unlock_bh(&peer->lock);
}

static void __drop(struct sss_peer *peer, unsigned int at)
{
	lockdep_assert_held(&peer->lock);
	for (peer->n_endpoints--; at < peer->n_endpoints; at++)
		copy_entry(&peer->endpoints[at], &peer->endpoints[at + 1]);
}

/* What the peer said before; what has proved itself meanwhile stays. */
static void __drop_told(struct sss_peer *peer)
{
	unsigned int i = 0;

	lockdep_assert_held(&peer->lock);
	while (i < peer->n_endpoints) {
		struct sss_peer_endpoint *entry = &peer->endpoints[i];

		if (entry->told && !entry->configured && !entry->proved)
			__drop(peer, i);
		else
			i++;
	}
}

/* The slot for one that has not proved itself, behind the others */
static int __new_slot(struct sss_peer *peer)
{
	lockdep_assert_held(&peer->lock);
	return peer->n_endpoints < SSS_PEER_ENDPOINTS_MAX ? peer->n_endpoints++ : -1;
}

/* The slot of the last one that a program named; or, with @any, that has to prove itself */
static int __hearsay(struct sss_peer *peer, bool any)
{
	int i;

	lockdep_assert_held(&peer->lock);
	for (i = peer->n_endpoints - 1; i >= 0; i--) {
		const struct sss_peer_endpoint *entry = &peer->endpoints[i];

		if (!entry->configured && !entry->proved &&
		    (any || !(entry->told || entry->answered)))
			return i;
	}
	return -1;
}

/**
 * sss_peer_hear_endpoints() - the peer says where else it is
 * @peer: reference held
 * @ep: checked by sss_udp_endpoint_check() and sss_udp_hearsay_ok()
 * @n: how many
 *
 * They take the place of those it said before, and of what programs said. Nothing that
 * was configured, has proved itself or was a helper's answer gives way.
 *
 * Context: any but hard interrupts.
 */
void sss_peer_hear_endpoints(struct sss_peer *peer, const union sss_endpoint *ep, unsigned int n)
{
	unsigned int i;
	int at;

	spin_lock_bh(&peer->lock);
	__drop_told(peer);
	for (i = 0; i < n; i++) {
		if (__find_endpoint(peer, &ep[i]) >= 0)
			continue;
		at = __new_slot(peer);
		if (at < 0)
			at = __hearsay(peer, false);
		if (at < 0)
			break;
		__sss_peer_set_endpoint(peer, at, &ep[i]);
		peer->endpoints[at].told = true;
	}
	spin_unlock_bh(&peer->lock);
}

/**
 * sss_peer_add_endpoint() - a program says where the peer may be
 * @peer: reference held
 * @ep: checked by sss_udp_endpoint_check()
 * @configured: it may say so as an administrator does
 *
 * Return: 0; -ENOBUFS: eight others are known. Context: any but hard interrupts.
 */
int sss_peer_add_endpoint(struct sss_peer *peer, const union sss_endpoint *ep, bool configured)
{
	int at;

	spin_lock_bh(&peer->lock);
	at = __find_endpoint(peer, ep);
	if (at < 0) {
		at = __new_slot(peer);
		if (at < 0 && configured)
			at = __hearsay(peer, true);
		if (at >= 0)
			__sss_peer_set_endpoint(peer, at, ep);
	}
	if (at >= 0 && configured)
		peer->endpoints[at].configured = true;
	spin_unlock_bh(&peer->lock);
	return at < 0 ? -ENOBUFS : 0;
}

static bool is_among(const union sss_endpoint *ep, const union sss_endpoint *list, unsigned int n)
{
	while (n--)
		if (sss_endpoint_equal(&list[n], ep))
			return true;
	return false;
}

/* The slot of the last one that is not configured nor in the list */
static int __replaceable(const struct sss_peer *peer, const union sss_endpoint *ep,
			 unsigned int n, bool proved)
{
	int i;

	lockdep_assert_held(&peer->lock);
	for (i = peer->n_endpoints - 1; i >= 0; i--) {
		const struct sss_peer_endpoint *entry = &peer->endpoints[i];

		if (!entry->configured && (proved || !entry->proved) &&
		    !is_among(&entry->ep, ep, n))
			return i;
	}
	return -1;
}

static void grant(struct sss_peer_endpoint *entry)
{
	u64 now = ktime_get_ns();

	entry->told = false;
	entry->answered = true;
	if (entry->granted_at && now < entry->granted_at + GRANT_PERIOD)
		return;
	entry->grant = GRANT;
	entry->granted_at = now;
}

/**
 * sss_peer_answer_endpoints() - a helper found out where the peer may be
 * @peer: reference held
 * @ep: checked by sss_udp_endpoint_check(), none twice
 * @n: how many
 *
 * Where there is no room they take the place of what is not configured: of
 * hearsay and earlier answers first, then of what proved itself. A few packets go
 * to each, whatever came of it; more only once it has proved itself.
 *
 * Context: any but hard interrupts.
 */
void sss_peer_answer_endpoints(struct sss_peer *peer, const union sss_endpoint *ep, unsigned int n)
{
	unsigned int i;
	int at;

	spin_lock_bh(&peer->lock);
	for (i = 0; i < n; i++) {
		at = __find_endpoint(peer, &ep[i]);
		if (at < 0) {
			at = __new_slot(peer);
			if (at < 0)
				at = __replaceable(peer, ep, n, false);
			if (at < 0)
				at = __replaceable(peer, ep, n, true);
			if (at < 0)
				break;
			__sss_peer_set_endpoint(peer, at, &ep[i]);
		}
		grant(&peer->endpoints[at]);
	}
	spin_unlock_bh(&peer->lock);
}

/**
 * sss_peer_copy_endpoints() - the candidates as they are now
 * @peer: reference held
 * @out: room for SSS_PEER_ENDPOINTS_MAX, best first
 *
 * Return: how many. Context: any but hard interrupts.
 */
unsigned int sss_peer_copy_endpoints(struct sss_peer *peer, union sss_endpoint *out)
{
	unsigned int i, n;

	spin_lock_bh(&peer->lock);
	n = peer->n_endpoints;
	for (i = 0; i < n; i++)
		out[i] = peer->endpoints[i].ep;
	spin_unlock_bh(&peer->lock);
	return n;
}

/**
 * sss_peer_add_macs() - finish a handshake message on its way to an endpoint
 * @peer: whom it is for
 * @to: where it goes; only a candidate has a cookie
 * @msg: INITIATE or RESPOND, written up to its macs
 * @len: bytes of it
 *
 * Context: any but hard interrupts.
 */
void sss_peer_add_macs(struct sss_peer *peer, const union sss_endpoint *to, void *msg, size_t len)
{
	struct sss_cookie_path none;
	int at;

	sss_cookie_add_mac1(&peer->cookie_keys, msg, len);
	spin_lock_bh(&peer->lock);
	at = __find_endpoint(peer, to);
	if (at >= 0)
		sss_cookie_add_mac2(&peer->endpoints[at].cookie, msg, len);
	spin_unlock_bh(&peer->lock);
	if (at < 0) {
		sss_cookie_path_init(&none);
		sss_cookie_add_mac2(&none, msg, len);
	}
}

/**
 * sss_peer_consume_cookie() - a cookie came in answer to a handshake message
 * @peer: whose
 * @from: where it came from; only a candidate's is believed
 * @reply: the message
 *
 * Return: true if it is genuine: the next message there gets a mac2.
 * Context: any but hard interrupts.
 */
bool sss_peer_consume_cookie(struct sss_peer *peer, const union sss_endpoint *from,
			     const struct sss_msg_cookie *reply)
{
	bool ok = false;
	int at;

	spin_lock_bh(&peer->lock);
	at = __find_endpoint(peer, from);
	if (at >= 0)
		ok = sss_cookie_consume_reply(&peer->endpoints[at].cookie, &peer->cookie_keys,
					      reply);
	spin_unlock_bh(&peer->lock);
	return ok;
}
