// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bringing the kernel where the plan is: what is there is changed only where it
 * differs. Each change that was made is remembered until all are, and taken back
 * if one is refused.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "known.h"
#include "sss-netlink.h"

#define STANDARD_MODE	0666
#define FLAGS		(SSS_HOST_F_STEALTH | SSS_HOST_F_HIDE_SERVICES)

/* One change: a host (@peer NULL) or a peer; @before NULL: it was not there */
struct change {
	const struct plan_host *host;
	const struct plan_peer *peer;
	const struct known_host *host_before;
	const struct known_peer *peer_before;
};

struct changes {
	struct known known;
	const struct loaded *loaded;
	unsigned int n;
	struct change *at;
	struct ini_error *error;
};

static void note(struct changes *changes, struct change change)
{
	changes->at[changes->n++] = change;
}

static struct nlmsghdr *host_request(int cmd, const char *name)
{
	struct nlmsghdr *nlh = nl_request(cmd, 0);

	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	return nlh;
}

static struct nlmsghdr *peer_request(int cmd, const struct sss_eid *host,
				     const struct sss_eid *eid)
{
	struct nlmsghdr *nlh = nl_request(cmd, 0);

	mnl_attr_put(nlh, SSS_A_HOST_EID, sizeof(*host), host);
	mnl_attr_put(nlh, SSS_A_PEER_EID, sizeof(*eid), eid);
	return nlh;
}

static void put_endpoints(struct nlmsghdr *nlh, const union endpoint_addr *endpoints,
			  unsigned int n)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);
	unsigned int i;

	for (i = 0; i < n; i++)
		mnl_attr_put(nlh, SSS_A_ENDPOINT, plan_addr_len(&endpoints[i]), &endpoints[i]);
	mnl_attr_nest_end(nlh, nest);
}

/* Hosts */

/* Did an earlier load bring this setting? Then it goes, if it is no longer said. */
static bool was_said(const struct changes *changes, const char *name, unsigned int setting)
{
	const struct loaded *loaded = changes->loaded;
	unsigned int i;

	for (i = 0; i < loaded->n_hosts; i++)
		if (!strcmp(loaded->hosts[i].name, name) && loaded->hosts[i].said & setting)
			return true;
	return false;
}

/* Of a setting that does not go back by itself, since somebody may have made it by hand */
static uint32_t choose(const struct changes *changes, const struct conf_host *conf,
		       unsigned int setting, uint32_t said, uint32_t before)
{
	if (conf->has & setting)
		return said;
	return was_said(changes, conf->name, setting) ? 0 : before;
}

/* What the plan says, and what it does not say as it is without a word */
static struct known_host wanted(const struct changes *changes, const struct conf_host *conf,
				const struct known_host *before)
{
	static const struct known_host fresh;
	const struct known_host *was = before ? before : &fresh;
	struct known_host host = {
		.port = conf->has & CONF_H_PORT ? conf->port : CONF_PORT,
		.mode = conf->has & CONF_H_MODE ? conf->mode : STANDARD_MODE,
		.padding = conf->has & CONF_H_PADDING ? conf->padding : SSS_PADDING_NONE,
		.uid = choose(changes, conf, CONF_H_UID, conf->uid, was->uid),
		.gid = choose(changes, conf, CONF_H_GID, conf->gid, was->gid),
		.access = choose(changes, conf, CONF_H_ACCESS, conf->access, was->access),
		.max_streams = choose(changes, conf, CONF_H_STREAMS, conf->max_streams,
				      was->max_streams),
		.rate = choose(changes, conf, CONF_H_RATE, conf->rate, was->rate),
		.flags = conf->flags,
	};

	/* The kernel chose it, and may keep it */
	if (conf->has & CONF_H_PORT && !conf->port && before)
		host.port = before->port;
	return host;
}

static void put_settings(struct nlmsghdr *nlh, const struct known_host *host, uint32_t mask)
{
	mnl_attr_put_u16(nlh, SSS_A_HOST_PORT, host->port);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS, host->flags & mask);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS_MASK, mask);
	mnl_attr_put_u32(nlh, SSS_A_HOST_MODE, host->mode);
	mnl_attr_put_u32(nlh, SSS_A_HOST_PADDING, host->padding);
	mnl_attr_put_u32(nlh, SSS_A_HOST_UID, host->uid);
	mnl_attr_put_u32(nlh, SSS_A_HOST_GID, host->gid);
	mnl_attr_put_u32(nlh, SSS_A_HOST_ACCESS, host->access);
	mnl_attr_put_u32(nlh, SSS_A_MAX_STREAMS, host->max_streams);
	mnl_attr_put_u32(nlh, SSS_A_STREAM_RATE, host->rate);
}

static bool same_host(const struct known_host *a, const struct known_host *b, uint32_t mask)
{
	return a->port == b->port && !((a->flags ^ b->flags) & mask) && a->mode == b->mode &&
	       a->padding == b->padding && a->uid == b->uid && a->gid == b->gid &&
	       a->access == b->access && a->max_streams == b->max_streams && a->rate == b->rate;
}

static int add_host(const struct plan_host *host, const struct known_host *want, uint32_t mask)
{
	struct nlmsghdr *nlh = host_request(SSS_CMD_HOST_NEW, host->conf->name);

	mnl_attr_put(nlh, SSS_A_HOST_PRIVATE_KEY, sizeof(host->key), host->key);
	put_settings(nlh, want, mask);
	return nl_try(nlh, NULL, NULL);
}

static int set_host(const char *name, const struct known_host *want, uint32_t mask)
{
	struct nlmsghdr *nlh = host_request(SSS_CMD_HOST_SET, name);

	put_settings(nlh, want, mask);
	return nl_try(nlh, NULL, NULL);
}

/* An earlier load said which host is the default one, and no host says so any more. */
static bool default_is_open(const struct changes *changes, const struct plan *plan)
{
	bool was = false;
	unsigned int i;

	for (i = 0; i < changes->loaded->n_hosts; i++)
		was |= changes->loaded->hosts[i].is_default;
	for (i = 0; i < plan->n_hosts; i++)
		was &= !(plan->hosts[i].conf->flags & SSS_HOST_F_DEFAULT);
	return was;
}

static int apply_host(struct changes *changes, const struct plan_host *host, bool make_default)
{
	const char *name = host->conf->name;
	const struct known_host *before = known_find_host(&changes->known, name);
	struct known_host want = wanted(changes, host->conf, before);
	uint32_t mask = FLAGS | host->conf->mask;
	int err;

	if (make_default) {
		want.flags |= SSS_HOST_F_DEFAULT;
		mask |= SSS_HOST_F_DEFAULT;
	}
	if (before && same_host(before, &want, mask))
		return 0;
	err = before ? set_host(name, &want, mask) : add_host(host, &want, mask);
	if (err)
		return ini_wrong_at(changes->error, &host->conf->at, "host \"%s\": %s", name,
				    nl_refusal());
	note(changes, (struct change){ .host = host, .host_before = before });
	return 0;
}

/* Whoever calls by that name must not find another identity. */
static int check_host(struct changes *changes, const struct plan_host *host)
{
	const char *name = host->conf->name;
	const struct known_host *known = known_find_host(&changes->known, name);

	if (known && memcmp(&known->eid, &host->eid, sizeof(host->eid)))
		return ini_wrong_at(changes->error, &host->conf->at, "host \"%s\" is there, with another key: run \"sss-netlink host del %s\" first",
				    name, name);
	known = known_find_eid(&changes->known, &host->eid);
	if (known && strcmp(known->name, name))
		return ini_wrong_at(changes->error, &host->conf->at, "the key of host \"%s\" is that of host \"%s\", which is there: run \"sss-netlink host del %s\" first",
				    name, known->name, known->name);
	return 0;
}

/* Peers */

static bool has_endpoints(const struct known_peer *known, const struct plan_peer *peer)
{
	unsigned int i, j;

	for (i = 0; i < peer->n_endpoints; i++) {
		for (j = 0; j < known->n_endpoints; j++)
			if (!memcmp(&known->endpoints[j], &peer->endpoints[i],
				    plan_addr_len(&peer->endpoints[i])))
				break;
		if (j == known->n_endpoints)
			return false;
	}
	return true;
}

/* Did the last load have an endpoint that is no longer said, or *psk a key? */
static bool had_more(const struct loaded *loaded, const struct plan_peer *peer, bool *psk)
{
	struct reg_endpoint ep;
	unsigned int i, j, k;
	bool more = false;

	*psk = false;

	for (i = 0; i < loaded->n_peers; i++) {
		const struct loaded_peer *old = &loaded->peers[i];

		if (strcmp(old->host, peer->host->conf->name) ||
		    memcmp(&old->eid, &peer->conf->eid, sizeof(old->eid)))
			continue;
		*psk |= old->has_psk;
		for (j = 0; j < old->n_endpoints; j++) {
			for (k = 0; k < peer->n_endpoints; k++)
				if (endpoint_from_addr(&ep, &peer->endpoints[k].sa) &&
				    !memcmp(&ep, &old->endpoints[j], sizeof(ep)))
					break;
			more |= k == peer->n_endpoints;
		}
	}
	return more;
}

static int apply_peer(struct changes *changes, const struct plan_peer *peer)
{
	const struct known_peer *before = known_find_peer(&changes->known, &peer->host->eid,
							  &peer->conf->eid);
	bool is_new = !before || !(before->flags & SSS_PEER_F_CONFIGURED);
	bool had_psk, more = had_more(changes->loaded, peer, &had_psk);
	bool move = is_new || !has_endpoints(before, peer) || more;
	struct nlmsghdr *nlh;

	if (!move && !peer->has_psk && !had_psk)
		return 0;
	nlh = peer_request(is_new ? SSS_CMD_PEER_NEW : SSS_CMD_PEER_SET, &peer->host->eid,
			   &peer->conf->eid);
	if (peer->has_psk || had_psk)	/* zeros: none */
		mnl_attr_put(nlh, SSS_A_PEER_PSK, sizeof(peer->psk), peer->psk);
	if (move)
		put_endpoints(nlh, peer->endpoints, peer->n_endpoints);
	if (nl_try(nlh, NULL, NULL))
		return ini_wrong_at(changes->error, &peer->conf->at, "%s", nl_refusal());
	note(changes, (struct change){ .peer = peer, .peer_before = before });
	return 0;
}

/* Undoing. What cannot be undone is said: the rest is tried nevertheless. */

static int undo_host(const struct change *change)
{
	const struct known_host *before = change->host_before;

	if (before)
		return set_host(before->name, before, FLAGS | SSS_HOST_F_DEFAULT);
	return nl_try(host_request(SSS_CMD_HOST_DEL, change->host->conf->name), NULL, NULL);
}

static int undo_peer(const struct change *change)
{
	const struct plan_peer *peer = change->peer;
	const struct known_peer *before = change->peer_before;
	struct nlmsghdr *nlh;

	nlh = peer_request(before ? SSS_CMD_PEER_SET : SSS_CMD_PEER_DEL, &peer->host->eid,
			   &peer->conf->eid);
	if (before)
		put_endpoints(nlh, before->endpoints, before->n_endpoints);
	return nl_try(nlh, NULL, NULL);
}

/* Another one was made the default in its place, perhaps. */
static int undo_default(const struct changes *changes)
{
	unsigned int i;

	for (i = 0; i < changes->known.n_hosts; i++) {
		const struct known_host *host = &changes->known.hosts[i];

		if (host->flags & SSS_HOST_F_DEFAULT)
			return set_host(host->name, host, SSS_HOST_F_DEFAULT);
	}
	return 0;
}

static void undo(struct changes *changes)
{
	bool some = changes->n;

	while (changes->n--) {
		const struct change *change = &changes->at[changes->n];

		if (change->peer ? undo_peer(change) : undo_host(change))
			warn("a change could not be taken back: %s", nl_refusal());
	}
	if (some && undo_default(changes))
		warn("which host is the default one could not be taken back: %s", nl_refusal());
}

/* What an earlier load brought */

static bool wants_peer(const struct plan *plan, const struct loaded_peer *old)
{
	unsigned int i;

	for (i = 0; i < plan->n_peers; i++)
		if (!strcmp(plan->peers[i].host->conf->name, old->host) &&
		    !memcmp(&plan->peers[i].conf->eid, &old->eid, sizeof(old->eid)))
			return true;
	return false;
}

static void drop_old(const struct changes *changes, const struct plan *plan,
		     const struct loaded *loaded)
{
	const struct known_host *host;
	unsigned int i;

	for (i = 0; i < loaded->n_peers; i++) {
		const struct loaded_peer *old = &loaded->peers[i];

		host = known_find_host(&changes->known, old->host);
		if (!wants_peer(plan, old) && host &&
		    known_find_peer(&changes->known, &host->eid, &old->eid))
			nl_try(peer_request(SSS_CMD_PEER_DEL, &host->eid, &old->eid), NULL, NULL);
	}
	for (i = 0; i < loaded->n_hosts; i++) {
		const struct loaded_host *old = &loaded->hosts[i];

		host = known_find_host(&changes->known, old->name);
		if (host && !memcmp(&host->eid, &old->eid, sizeof(old->eid)) &&
		    !plan_find_host(plan, old->name))
			nl_try(host_request(SSS_CMD_HOST_DEL, old->name), NULL, NULL);
	}
}

int apply_plan(const struct plan *plan, const struct loaded *loaded, struct ini_error *error)
{
	struct changes changes = { .error = error, .loaded = loaded };
	bool is_open = default_is_open(&changes, plan);
	unsigned int i;
	int ret = 0;

	known_read(&changes.known);
	changes.at = calloc(plan->n_hosts + plan->n_peers + 1, sizeof(*changes.at));
	if (!changes.at)
		die(EXIT_KERNEL, "out of memory");
	for (i = 0; !ret && i < plan->n_hosts; i++)
		ret = check_host(&changes, &plan->hosts[i]);
	for (i = 0; !ret && i < plan->n_hosts; i++)
		ret = apply_host(&changes, &plan->hosts[i], !i && is_open);
	for (i = 0; !ret && i < plan->n_peers; i++)
		ret = apply_peer(&changes, &plan->peers[i]);
	if (ret)
		undo(&changes);
	else
		drop_old(&changes, plan, loaded);
	free(changes.at);
	known_free(&changes.known);
	return ret;
}

void apply_unload(const struct loaded *loaded)
{
	static const struct plan nothing;
	struct changes changes = { .n = 0 };

	known_read_hosts(&changes.known);
	drop_old(&changes, &nothing, loaded);
	known_free(&changes.known);
}
