// SPDX-License-Identifier: GPL-2.0
/*
 * Who is let in. Of the rules that fit a request the one that says most decides:
 * about this EID and this service, this EID, this service, and last about everybody
 * and every service. Where none fits the answer is no.
 *
 * The rules of a host stand sorted in one block, which a change replaces (RCU), so
 * that softirq finds them without a lock, by four binary searches at most.
 */
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include "access.h"
#include "host.h"
#include "peer.h"

#define EID_DIGITS	52	/* of 5 bits each */
#define RULES_SMALL	128U	/* a few pages */

/* Lines of the log in five seconds: of one host (host.c), and of all of them */
#define LINES_OF_ALL	50

static DEFINE_RATELIMIT_STATE(all_refusals, DEFAULT_RATELIMIT_INTERVAL, LINES_OF_ALL);

static const struct sss_eid everybody;

static int compare(const struct sss_access_rule *rule, const struct sss_eid *eid,
		   const char *service)
{
	return memcmp(&rule->eid, eid, sizeof(*eid)) ?: strcmp(rule->service, service);
}

/* Where the rule about them stands, or would; @found: it does */
static u32 place_of(const struct sss_access_rules *rules, const struct sss_eid *eid,
		    const char *service, bool *found)
{
	u32 from = 0, to = rules ? rules->n : 0;
	u32 end = to;

	while (from < to) {
		u32 middle = from + (to - from) / 2;

		if (compare(&rules->rule[middle], eid, service) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	*found = from < end && !compare(&rules->rule[from], eid, service);
	return from;
}

static struct sss_access_rules *current_rules(struct sss_host *host)
{
	return rcu_dereference_protected(host->rules, lockdep_is_held(&host->peers_mutex));
}

static void free_rules(struct rcu_head *rcu)
{
	kvfree(container_of(rcu, struct sss_access_rules, rcu));
}

/* Large blocks are waited for, or many changes in a row would pile them up. */
static void retire(struct sss_access_rules *old)
{
	if (old->n < RULES_SMALL) {
		call_rcu(&old->rcu, free_rules);
		return;
	}
	synchronize_rcu_expedited();
	kvfree(old);
}

static void __publish(struct sss_host *host, struct sss_access_rules *new)
{
	struct sss_access_rules *old = current_rules(host);

	lockdep_assert_held(&host->peers_mutex);
	rcu_assign_pointer(host->rules, new);
	atomic_inc(&host->sn->access_changes);
	if (old)
		retire(old);
}

/* Puts @rule at @at, in the place of @gone rules that are there (NULL: nothing). */
static int __splice(struct sss_host *host, u32 at, u32 gone, const struct sss_access_rule *rule)
{
	struct sss_access_rules *old = current_rules(host), *new = NULL;
	u32 n = old ? old->n : 0, put = rule ? 1 : 0;

	lockdep_assert_held(&host->peers_mutex);
	if (n - gone + put) {
		new = kvmalloc(struct_size(new, rule, n - gone + put), GFP_KERNEL_ACCOUNT);
		if (!new)
			return -ENOMEM;
		new->n = n - gone + put;
	}
	if (new && old) {
		memcpy(new->rule, old->rule, at * sizeof(*rule));
		memcpy(new->rule + at + put, old->rule + at + gone,
		       (n - at - gone) * sizeof(*rule));
	}
	if (rule)
		new->rule[at] = *rule;
	__publish(host, new);
	return 0;
}

static int no_such_rule(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "There is no such rule");
	return -ENOENT;
}

static int __add(struct sss_host *host, const struct sss_access_rule *rule, bool change,
		 struct netlink_ext_ack *extack)
{
	struct sss_access_rules *rules = current_rules(host);
	bool found;
	u32 at;

	lockdep_assert_held(&host->peers_mutex);
	if (READ_ONCE(host->dead))
		return -ENOENT;
	at = place_of(rules, &rule->eid, rule->service, &found);
	if (found && !change) {
		NL_SET_ERR_MSG(extack, "There is a rule for this EID and service");
		return -EEXIST;
	}
	if (!found && change)
		return no_such_rule(extack);
	if (!found && rules && rules->n >= SSS_ACCESS_RULES_MAX) {
		NL_SET_ERR_MSG(extack, "A host has at most 4096 access rules");
		return -ENOSPC;
	}
	return __splice(host, at, found, rule);
}

/**
 * sss_access_add() - one more rule, or another one
 * @host: reference held
 * @rule: checked for form
 * @change: instead of the one there is for this EID and service
 * @extack: gets a text
 *
 * Rules count while the host's access is SSS_ACCESS_RULES, from the next request on;
 * streams that there are stay.
 *
 * Return: 0, -EEXIST, -ENOSPC, -ENOMEM, -ENOENT: none to change, or the host is going.
 * Context: process.
 */
int sss_access_add(struct sss_host *host, const struct sss_access_rule *rule, bool change,
		   struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&host->peers_mutex);
	err = __add(host, rule, change, extack);
	mutex_unlock(&host->peers_mutex);
	return err;
}

/**
 * sss_access_del() - one rule less
 * @host: reference held
 * @rule: its EID and service name it
 * @extack: gets a text
 *
 * Return: 0, -ENOENT, -ENOMEM. Context: process.
 */
int sss_access_del(struct sss_host *host, const struct sss_access_rule *rule,
		   struct netlink_ext_ack *extack)
{
	bool found;
	int err;
	u32 at;

	mutex_lock(&host->peers_mutex);
	at = place_of(current_rules(host), &rule->eid, rule->service, &found);
	err = found ? __splice(host, at, 1, NULL) : no_such_rule(extack);
	mutex_unlock(&host->peers_mutex);
	return err;
}

/**
 * sss_access_free() - the host goes
 * @host: dead, so that nobody adds a rule any more
 *
 * Context: process.
 */
void sss_access_free(struct sss_host *host)
{
	mutex_lock(&host->peers_mutex);
	__publish(host, NULL);
	mutex_unlock(&host->peers_mutex);
}

static const struct sss_access_rule *find(const struct sss_access_rules *rules,
					  const struct sss_eid *eid, const char *service)
{
	bool found;
	u32 at = place_of(rules, eid, service, &found);

	return found ? &rules->rule[at] : NULL;
}

/* Does a rule about them let in to anything, and none about the EID say more? */
static bool admits_to_any(const struct sss_access_rules *rules, const struct sss_eid *them,
			  const struct sss_eid *eid)
{
	const struct sss_access_rule *rule;
	bool found;
	u32 at = place_of(rules, them, "", &found);

	for (; rules && at < rules->n; at++) {
		rule = &rules->rule[at];
		if (memcmp(&rule->eid, them, sizeof(*them)))
			break;
		if (!rule->deny && (them == eid || !find(rules, eid, rule->service)))
			return true;
	}
	return false;
}

/* Who is let in to anything at all */
static bool knows(const struct sss_access_rules *rules, const struct sss_eid *eid)
{
	return admits_to_any(rules, eid, eid) ||
	       (!find(rules, eid, "") && admits_to_any(rules, &everybody, eid));
}

/* The rule that decides, or NULL */
static const struct sss_access_rule *decisive(const struct sss_access_rules *rules,
					      const struct sss_eid *eid, const char *service)
{
	return find(rules, eid, service) ?: find(rules, eid, "") ?:
	       find(rules, &everybody, service) ?: find(rules, &everybody, "");
}

/* What there is here may be asked by all who are let in to any of it, unless a rule says no. */
static bool rules_admit(const struct sss_access_rules *rules, const struct sss_eid *eid,
			const char *service)
{
	const struct sss_access_rule *rule = decisive(rules, eid, service);

	if (!strcmp(service, SSS_BROWSE_SERVICE) && (!rule || !*rule->service))
		return knows(rules, eid);
	return rule && !rule->deny;
}

static bool is_configured(struct sss_host *host, const struct sss_eid *eid)
{
	struct sss_peer *peer = sss_peer_lookup(host, eid);
	bool configured = peer && READ_ONCE(peer->flags) & SSS_PEER_F_CONFIGURED;

	sss_peer_put(peer);
	return configured;
}

/* May an EID use a service, or (NULL) any at all? */
static bool judge(struct sss_host *host, const struct sss_eid *eid, const char *service)
{
	const struct sss_access_rules *rules;
	bool yes;

	switch (READ_ONCE(host->access)) {
	case SSS_ACCESS_ANYONE:
		return true;
	case SSS_ACCESS_PEERS:
		return is_configured(host, eid);
	}
	rcu_read_lock();
	rules = rcu_dereference(host->rules);
	yes = service ? rules_admit(rules, eid, service) : knows(rules, eid);
	rcu_read_unlock();
	return yes;
}

/**
 * sss_access_admits() - may an EID use a service of a host?
 * @host: reference held
 * @eid: who, proved
 * @service: name
 *
 * Context: any.
 */
bool sss_access_admits(struct sss_host *host, const struct sss_eid *eid, const char *service)
{
	return judge(host, eid, service);
}

/**
 * sss_access_is_known() - may an EID use any service of a host?
 * @host: reference held
 * @eid: who, proved
 *
 * Context: any.
 */
bool sss_access_is_known(struct sss_host *host, const struct sss_eid *eid)
{
	return judge(host, eid, NULL);
}

/* As sss-netlink shows it: RFC 4648 base32, lower case */
static void eid_to_text(const struct sss_eid *eid, char text[EID_DIGITS + 1])
{
	unsigned int i, bit, two;

	for (i = 0; i < EID_DIGITS; i++) {
		bit = 5 * i;
		two = eid->key[bit / 8] << 8;
		if (bit / 8 + 1 < SSS_EID_LEN)
			two |= eid->key[bit / 8 + 1];
		text[i] = "abcdefghijklmnopqrstuvwxyz234567"[two >> (11 - bit % 8) & 31];
	}
	text[EID_DIGITS] = '\0';
}

/* A service's name comes from the peer: printed so that it cannot forge a line. */
static void log_refusal(struct sss_host *host, const struct sss_eid *eid, const char *what,
			const char *service)
{
	char text[EID_DIGITS + 1];

	if (!__ratelimit(&host->refusals) || !__ratelimit(&all_refusals))
		return;
	eid_to_text(eid, text);
	pr_info("host %s: %s %s%s%*pE%s\n", host->name, text, what, *service ? " \"" : "",
		(int)strlen(service), service, *service ? "\"" : "");
}

/**
 * sss_access_ask() - sss_access_admits(); who is not admitted is counted and logged
 * @host: reference held
 * @eid: who asks, proved
 * @service: for what
 *
 * Context: any.
 */
bool sss_access_ask(struct sss_host *host, const struct sss_eid *eid, const char *service)
{
	if (sss_access_admits(host, eid, service))
		return true;
	sss_mib_inc(host->sn, ACCESS_DENIED);
	log_refusal(host, eid, "may not use", service);
	return false;
}

/**
 * sss_access_call() - sss_access_is_known(); who is not is logged
 * @host: reference held
 * @eid: who calls, proved
 *
 * The caller counts. Context: any.
 */
bool sss_access_call(struct sss_host *host, const struct sss_eid *eid)
{
	if (sss_access_is_known(host, eid))
		return true;
	log_refusal(host, eid, "may not connect", "");
	return false;
}

/* The limits that hold for an EID and a service */
static void get_limits(struct sss_host *host, const struct sss_eid *eid, const char *service,
		       u32 *max_streams, u32 *stream_rate)
{
	const struct sss_access_rule *rule;

	*max_streams = READ_ONCE(host->max_streams);
	*stream_rate = READ_ONCE(host->stream_rate);
	if (READ_ONCE(host->access) != SSS_ACCESS_RULES)
		return;
	rcu_read_lock();
	rule = decisive(rcu_dereference(host->rules), eid, service);
	if (rule && rule->set & SSS_ACCESS_SET_STREAMS)
		*max_streams = rule->max_streams;
	if (rule && rule->set & SSS_ACCESS_SET_RATE)
		*stream_rate = rule->stream_rate;
	rcu_read_unlock();
}

/*
 * A second's worth at once, and one more with each part of a second. All that has to
 * be remembered is when the peer would be even if it had opened one after the other.
 */
static bool keeps_pace(struct sss_peer *peer, u32 rate)
{
	u64 now = ktime_get_ns(), each;
	bool ok;

	if (!rate)
		return true;
	each = NSEC_PER_SEC / rate;
	spin_lock_bh(&peer->lock);
	peer->even_at = max(peer->even_at, now);
	ok = peer->even_at + each <= now + NSEC_PER_SEC;
	if (ok)
		peer->even_at += each;
	spin_unlock_bh(&peer->lock);
	return ok;
}

/**
 * __sss_access_keep_debt() - a peer goes: remember how fast it opened streams
 * @peer: still in the table
 *
 * Of many the one goes that is even first. Context: sss_host.peers_lock held.
 */
void __sss_access_keep_debt(struct sss_peer *peer)
{
	struct sss_debt *debts = peer->host->debts, *use = debts;
	u64 even_at;
	int i;

	lockdep_assert_held(&peer->host->peers_lock);
	spin_lock(&peer->lock);
	even_at = peer->even_at;
	spin_unlock(&peer->lock);
	if (even_at <= ktime_get_ns())
		return;
	for (i = 1; i < SSS_HOST_DEBTS; i++)
		if (debts[i].even_at < use->even_at)
			use = &debts[i];
	use->eid = peer->eid;
	use->even_at = even_at;
}

/**
 * __sss_access_find_debt() - a peer comes, perhaps again
 * @peer: not in the table yet
 *
 * Context: sss_host.peers_lock held.
 */
void __sss_access_find_debt(struct sss_peer *peer)
{
	struct sss_debt *debt = peer->host->debts;
	int i;

	lockdep_assert_held(&peer->host->peers_lock);
	for (i = 0; i < SSS_HOST_DEBTS; i++, debt++) {
		if (memcmp(&debt->eid, &peer->eid, sizeof(peer->eid)))
			continue;
		peer->even_at = debt->even_at;
		debt->even_at = 0;
		return;
	}
}

/**
 * sss_access_may_open() - may a peer open one more stream? If not it is counted and logged
 * @peer: reference held
 * @service: which it is for; the peer is admitted to it
 * @open: streams that it has open
 *
 * Who may has used up what it may in this moment. Context: any but hard interrupts;
 * a channel lock may be held.
 */
bool sss_access_may_open(struct sss_peer *peer, const char *service, u32 open)
{
	struct sss_host *host = peer->host;
	u32 max_streams, stream_rate;

	get_limits(host, &peer->eid, service, &max_streams, &stream_rate);
	if (max_streams && open >= max_streams) {
		sss_mib_inc(host->sn, ACCESS_STREAMS);
		log_refusal(host, &peer->eid, "has too many streams for", service);
		return false;
	}
	if (!keeps_pace(peer, stream_rate)) {
		sss_mib_inc(host->sn, ACCESS_RATE);
		log_refusal(host, &peer->eid, "opens streams too fast for", service);
		return false;
	}
	return true;
}
