// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From settings to what the kernel is to be told */
#include <errno.h>
#include <netdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config.h"
#include "sss-netlink.h"

size_t plan_addr_len(const union endpoint_addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in) :
	       addr->sa.sa_family == AF_INET6 ? sizeof(addr->in6) : 0;
}

static bool has_addr(const union endpoint_addr *addrs, unsigned int n, const void *addr,
		     size_t len)
{
	while (n--)
		if (!memcmp(&addrs[n], addr, len))
			return true;
	return false;
}

int plan_resolve(const struct conf_endpoint *ep, union endpoint_addr *addrs, unsigned int max,
		 struct ini_error *error)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found, *each;
	bool unusable = false;
	unsigned int n = 0;
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", ep->port);
	err = getaddrinfo(ep->node, port, &hints, &found);
	if (err)
		return ini_wrong_at(error, &ep->at, "cannot resolve \"%s\": %s", ep->node,
				    gai_strerror(err));
	for (each = found; each && n < max; each = each->ai_next) {
		if (each->ai_addrlen > sizeof(*addrs) ||
		    has_addr(addrs, n, each->ai_addr, each->ai_addrlen))
			continue;
		memset(&addrs[n], 0, sizeof(*addrs));
		memcpy(&addrs[n], each->ai_addr, each->ai_addrlen);
		if (!endpoint_usable(&addrs[n++]))
			unusable = true;
	}
	freeaddrinfo(found);
	if (unusable)
		return ini_wrong_at(error, &ep->at, "Endpoint: no peer can be at \"%s\": no unspecified, multicast, broadcast or IPv4-mapped address, and no link-local one without its interface",
				    ep->node);
	return n;
}

const struct plan_host *plan_find_host(const struct plan *plan, const char *name)
{
	unsigned int i;

	for (i = 0; i < plan->n_hosts; i++)
		if (!strcmp(plan->hosts[i].conf->name, name))
			return &plan->hosts[i];
	return NULL;
}

static int read_secret(const char *file, uint8_t key[SSS_EID_LEN], const struct ini_place *at,
		       struct ini_error *error)
{
	struct ini_error what;

	if (try_key(file, key, &what))
		return ini_wrong_at(error, at, "%.*s", PATH_MAX, what.text);
	return 0;
}

/* That of the host nobody wrote down; before it is needed there is none. */
static int imply_key(const struct conf_host *conf, const char *folder, struct ini_error *error)
{
	struct ini_error what;

	if (mkdir(folder, 0755) && errno != EEXIST)
		return ini_wrong_at(error, &conf->at, "cannot make \"%s\": %s", folder,
				    strerror(errno));
	if (make_key(conf->key_file, &what))
		return ini_wrong_at(error, &conf->at, "%.*s", PATH_MAX, what.text);
	return 0;
}

static int add_host(struct plan *plan, const struct conf *all, const struct conf_host *conf,
		    bool make, struct ini_error *error)
{
	struct plan_host *host = &plan->hosts[plan->n_hosts++];
	unsigned int i;

	host->conf = conf;
	if (conf->implied && access(conf->key_file, F_OK)) {
		if (!make)
			return 0;
		if (imply_key(conf, all->agent.state, error))
			return -1;
	}
	if (read_secret(conf->key_file, host->key, &conf->at, error))
		return -1;
	crypto_scalarmult_base(host->eid.key, host->key);
	for (i = 0; i + 1 < plan->n_hosts; i++)
		if (!memcmp(&plan->hosts[i].eid, &host->eid, sizeof(host->eid)))
			return ini_wrong_at(error, &conf->at, "the key of host \"%s\" as well",
					    plan->hosts[i].conf->name);
	return 0;
}

static int add_peer(struct plan *plan, const struct conf_peer *conf,
		    const struct plan_host *host, struct ini_error *error)
{
	struct plan_peer *peer = &plan->peers[plan->n_peers++];
	unsigned int i;
	int n;

	peer->conf = conf;
	peer->host = host;
	peer->has_psk = *conf->psk_file;
	if (peer->has_psk && read_secret(conf->psk_file, peer->psk, &conf->at, error))
		return -1;
	if (!memcmp(&conf->eid, &host->eid, sizeof(conf->eid)))
		return ini_wrong_at(error, &conf->at, "this is the EID of host \"%s\" itself",
				    host->conf->name);
	for (i = 0; i < conf->n_endpoints; i++) {
		n = plan_resolve(&conf->endpoints[i], &peer->endpoints[peer->n_endpoints],
				 SSS_PEER_ENDPOINTS_MAX - peer->n_endpoints, error);
		if (n < 0)
			return -1;
		peer->n_endpoints += n;
	}
	return 0;
}

/* A host that is a registration server itself is no client of itself. */
static int add_server(struct plan *plan, const struct conf_peer *conf, struct ini_error *error)
{
	unsigned int i;

	for (i = 0; i < plan->n_hosts; i++) {
		if (!memcmp(&conf->eid, &plan->hosts[i].eid, sizeof(conf->eid)))
			continue;
		if (add_peer(plan, conf, &plan->hosts[i], error))
			return -1;
	}
	return 0;
}

int plan_make(struct plan *plan, const struct conf *conf, bool make, struct ini_error *error)
{
	unsigned int i;

	memset(plan, 0, sizeof(*plan));
	plan->hosts = calloc(conf->n_hosts + 1, sizeof(*plan->hosts));
	plan->peers = calloc(conf->n_peers * (conf->n_hosts + 1) + 1, sizeof(*plan->peers));
	if (!plan->hosts || !plan->peers)
		return ini_wrong(error, "out of memory");
	for (i = 0; i < conf->n_hosts; i++)
		if (add_host(plan, conf, &conf->hosts[i], make, error))
			return -1;
	for (i = 0; i < conf->n_peers; i++) {
		const struct conf_peer *peer = &conf->peers[i];
		const struct conf_host *host = conf_find_host(conf, peer->host);

		if (peer->server && !*peer->host ? add_server(plan, peer, error) :
		    add_peer(plan, peer, plan_find_host(plan, host->name), error))
			return -1;
	}
	return 0;
}

void plan_free(struct plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->n_hosts; i++)
		sodium_memzero(plan->hosts[i].key, SSS_EID_LEN);
	for (i = 0; i < plan->n_peers; i++)
		sodium_memzero(plan->peers[i].psk, SSS_EID_LEN);
	free(plan->hosts);
	free(plan->peers);
	memset(plan, 0, sizeof(*plan));
}
