// SPDX-License-Identifier: GPL-2.0
/*
 * Where a peer may be. Who told us of an endpoint can be wrong, or lie, so to
 * one that neither was configured nor ever proved itself few packets go: a few
 * more if a helper named it, who may have been told a lie, too.
 */
#include "base/compat.h"
#include "channel/candidates.h"
#include "channel/initiate.h"

#define PROBES_MAX	3U		/* to an endpoint nobody vouches for ... */
#define PROBES_PERIOD	(60 * NSEC_PER_SEC)	/* ... in this time */

/*
 * Has a peer that nobody configured sent us as much as is sent because of the endpoints
 * it told? Its first INITIATE is what it begins with. Otherwise many strangers, who cost
 * nothing, could name one victim, and each port of it.
 */
static bool is_paid(struct sss_channel *ch)
{
	if (READ_ONCE(ch->peer->flags) & SSS_PEER_F_CONFIGURED)
		return true;
	if (ch->hs->told_bytes > ch->bytes_received)
		return false;
	ch->hs->told_bytes += sizeof(struct sss_msg_initiate);
	return true;
}

/*
 * May one more packet go to an endpoint that nobody vouches for? Where too many of
 * them are on the books already, one that is not has to wait.
 */
static bool may_probe(struct sss_channel *ch, const union sss_endpoint *ep, bool told, u64 now)
{
	struct sss_handshaking *hs = ch->hs;
	struct sss_probes *p, *use = &hs->probes[0];
	int i;

	for (i = 0; i < ARRAY_SIZE(hs->probes); i++) {
		p = &hs->probes[i];
		if (p->since && sss_endpoint_equal(&p->ep, ep)) {
			use = p;
			break;
		}
		if (p->since < use->since)
			use = p;
	}
	if (!use->since || now >= use->since + PROBES_PERIOD)
		*use = (struct sss_probes){ .ep = *ep, .since = now };
	else if (i == ARRAY_SIZE(hs->probes) || use->n == PROBES_MAX)
		return false;
	if (told && !is_paid(ch))
		return false;
	use->n++;
	return true;
}

/**
 * __sss_candidates_remember_ns() - how long a channel that is of no use otherwise stays
 * @ch: channel
 *
 * What went to endpoints that nobody vouches for is counted in it, so that who has it
 * made again and again sends no more there.
 *
 * Return: ns since it was used last, 0: nothing is counted. Context: channel lock held.
 */
u64 __sss_candidates_remember_ns(const struct sss_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->hs->probes[0].since ? PROBES_PERIOD : 0;
}

/* A helper answers for some packets, so that they open the way in through a NAT. */
static bool take_grant(struct sss_peer_endpoint *pe)
{
	if (!pe->grant)
		return false;
	pe->grant--;
	return true;
}

static struct sss_peer_endpoint *__find(struct sss_peer *peer, const union sss_endpoint *ep)
{
	unsigned int i;

	lockdep_assert_held(&peer->lock);
	for (i = 0; i < peer->n_endpoints; i++)
		if (sss_endpoint_equal(&peer->endpoints[i].ep, ep))
			return &peer->endpoints[i];
	return NULL;
}

/**
 * __sss_candidates_vouched() - is it known that the peer is, or was, there?
 * @ch: channel
 * @ep: endpoint
 *
 * Return: whether it was configured, or proved itself. Context: channel lock held.
 */
bool __sss_candidates_vouched(struct sss_channel *ch, const union sss_endpoint *ep)
{
	struct sss_peer *peer = ch->peer;
	const struct sss_peer_endpoint *pe;
	bool vouched;

	lockdep_assert_held(&ch->lock);
	spin_lock_bh(&peer->lock);
	pe = __find(peer, ep);
	vouched = pe && (pe->configured || pe->proved);
	spin_unlock_bh(&peer->lock);
	return vouched;
}

/**
 * __sss_candidates_may_probe() - may one more packet go to an endpoint?
 * @ch: channel
 * @ep: where the peer may be
 * @now: ns
 *
 * Return: whether; it is counted. Context: channel lock held.
 */
bool __sss_candidates_may_probe(struct sss_channel *ch, const union sss_endpoint *ep, u64 now)
{
	struct sss_peer *peer = ch->peer;
	struct sss_peer_endpoint *pe;
	bool may, told;

	lockdep_assert_held(&ch->lock);
	spin_lock_bh(&peer->lock);
	pe = __find(peer, ep);
	may = pe && (pe->configured || pe->proved || take_grant(pe));
	told = pe && pe->told;
	spin_unlock_bh(&peer->lock);
	return may || may_probe(ch, ep, told, now);
}

static bool is_wanted(const union sss_endpoint *ep, int family)
{
	return family == AF_UNSPEC || ep->sa.sa_family == family;
}

static bool has(const struct sss_candidates *c, const union sss_endpoint *ep)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (sss_endpoint_equal(&c->ep[i], ep))
			return true;
	return false;
}

static void add(struct sss_candidates *c, const union sss_endpoint *ep)
{
	c->ep[c->n++] = *ep;
}

/* The path in use; one that is not proved yet gets no more than came from there. */
static void add_path(struct sss_channel *ch, struct sss_candidates *c, int family, bool count)
{
	if (ch->state != SSS_CHANNEL_OPEN || !is_wanted(&ch->path.remote, family))
		return;
	if (count && ch->path.unproved) {
		if (ch->path.budget < sizeof(struct sss_msg_initiate))
			return;
		ch->path.budget -= sizeof(struct sss_msg_initiate);
	}
	add(c, &ch->path.remote);
}

/**
 * __sss_candidates_collect() - where the peer may be
 * @ch: channel
 * @c: result, the path in use first
 * @family: of the endpoints wanted, AF_UNSPEC: all
 * @count: something is sent to each of them
 *
 * Context: channel lock held.
 */
void __sss_candidates_collect(struct sss_channel *ch, struct sss_candidates *c, int family,
			      bool count)
{
	struct sss_peer *peer = ch->peer;
	u64 now = ktime_get_ns();
	unsigned int i;

	lockdep_assert_held(&ch->lock);
	c->n = 0;
	add_path(ch, c, family, count);
	spin_lock_bh(&peer->lock);
	for (i = 0; i < peer->n_endpoints; i++) {
		struct sss_peer_endpoint *pe = &peer->endpoints[i];

		if (is_wanted(&pe->ep, family) && !has(c, &pe->ep) &&
		    (!count || pe->configured || pe->proved || take_grant(pe) ||
		     may_probe(ch, &pe->ep, pe->told, now)))
			add(c, &pe->ep);
	}
	spin_unlock_bh(&peer->lock);
}
