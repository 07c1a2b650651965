/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the files of settings come to: "config load" makes a plan of them, which
 * needs keys and addresses but no kernel, and then brings the kernel there.
 */
#ifndef SSS_NETLINK_CONFIG_H
#define SSS_NETLINK_CONFIG_H

#include <common/conf.h>
#include <common/endpoint.h>

struct plan_host {
	const struct conf_host *conf;
	struct sss_eid eid;
	uint8_t key[SSS_EID_LEN];
};

/* A peer of one host; a server of all hosts becomes several */
struct plan_peer {
	const struct conf_peer *conf;
	const struct plan_host *host;
	bool has_psk;
	uint8_t psk[SSS_EID_LEN];
	unsigned int n_endpoints;
	union endpoint_addr endpoints[SSS_PEER_ENDPOINTS_MAX];
};

struct plan {
	unsigned int n_hosts, n_peers;
	struct plan_host *hosts;
	struct plan_peer *peers;
};

/**
 * plan_make() - read key files, look host names up
 * @plan: result; plan_free() either way
 * @conf: settings, which must stay
 * @make: makes the key of a host that was not written down
 * @error: what was wrong, with file and line
 *
 * Return: 0, or -1.
 */
int plan_make(struct plan *plan, const struct conf *conf, bool make, struct ini_error *error);
void plan_free(struct plan *plan);
const struct plan_host *plan_find_host(const struct plan *plan, const char *name);

/**
 * plan_resolve() - all addresses of an endpoint
 * @ep: settings
 * @addrs: where to
 * @max: room there
 * @error: what was wrong, with file and line
 *
 * Return: how many, or -1.
 */
int plan_resolve(const struct conf_endpoint *ep, union endpoint_addr *addrs, unsigned int max,
		 struct ini_error *error);

/* The bytes of an address that count, 0: none */
size_t plan_addr_len(const union endpoint_addr *addr);

/* What an earlier load brought into the kernel of this namespace: a line for each */
struct loaded_peer {
	char host[SSS_HOST_NAME_MAX + 1];
	struct sss_eid eid;
	bool has_psk;
	unsigned int n_endpoints;
	struct reg_endpoint endpoints[SSS_PEER_ENDPOINTS_MAX];
};

/* @said: which settings there were, conf_host.has; @is_default: that it shall be */
struct loaded_host {
	char name[SSS_HOST_NAME_MAX + 1];
	struct sss_eid eid;
	unsigned int said;
	bool is_default;
};

struct loaded {
	char path[PATH_MAX];
	int lock;
	unsigned int n_hosts, n_peers;
	struct loaded_host *hosts;
	struct loaded_peer *peers;
};

/* Reads it, and keeps others from changing it until loaded_close(). Dies. */
void loaded_open(struct loaded *loaded);
/* Was anything loaded into this namespace? */
bool loaded_exists(void);
/*
 * Replaces it, as a whole: by what was in it, unless NULL, and what is planned, unless NULL.
 * 0, or -1 with errno: it is what it was
 */
int loaded_write(const struct loaded *loaded, const struct loaded *old, const struct plan *plan);
void loaded_remove(const struct loaded *loaded);
void loaded_close(struct loaded *loaded);

/**
 * apply_plan() - bring the kernel there
 * @plan: what shall be
 * @loaded: what an earlier plan brought: what is no longer wanted of it goes
 * @error: what the kernel refused, with file and line
 *
 * Return: 0; -1: everything is as it was before, as far as that could be.
 */
int apply_plan(const struct plan *plan, const struct loaded *loaded, struct ini_error *error);

/* Takes away all of it that is still there */
void apply_unload(const struct loaded *loaded);

#endif /* SSS_NETLINK_CONFIG_H */
