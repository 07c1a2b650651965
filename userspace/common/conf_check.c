// SPDX-License-Identifier: GPL-2.0 OR MIT
/* All files together: what may be there once only, and what refers to something else */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf.h"
#include "conf_parts.h"

#define LOCAL_PORT 9662

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return *entry->d_name != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

static int read_peers(struct conf *conf, const char *folder, const char *without,
		      struct ini_error *error)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_conf, alphasort), i, ret = 0;
	char path[PATH_MAX];

	if (n < 0)
		return errno == ENOENT ? 0 :
			ini_wrong(error, "%s: %s", folder, strerror(errno));
	for (i = 0; i < n; i++) {
		if (!ret) {
			snprintf(path, sizeof(path), "%.2000s/%s", folder, entries[i]->d_name);
			if (!without || strcmp(path, without))
				ret = conf_read_file(conf, path, error);
		}
		free(entries[i]);
	}
	free(entries);
	return ret;
}

const struct conf_host *conf_find_host(const struct conf *conf, const char *name)
{
	unsigned int i;

	for (i = 0; i < conf->n_hosts; i++)
		if (*name ? !strcmp(conf->hosts[i].name, name) :
			    conf->hosts[i].flags & SSS_HOST_F_DEFAULT)
			return &conf->hosts[i];
	return *name ? NULL : &conf->hosts[0];
}

const struct reg_profile *conf_find_profile(const struct conf *conf, const char *host)
{
	const struct reg_profile *every = NULL;
	unsigned int i;

	for (i = 0; i < conf->n_profiles; i++) {
		if (!strcmp(conf->profiles[i].host, host))
			return &conf->profiles[i].profile;
		if (!*conf->profiles[i].host)
			every = &conf->profiles[i].profile;
	}
	return every;
}

/* "twice": what, and where it was first */
static int twice(struct ini_error *error, const struct ini_place *at, const char *what,
		 const struct ini_place *first)
{
	return ini_wrong_at(error, at, "%s, as there is at %s:%u", what, first->path,
			    first->line);
}

static uint16_t port_of(const struct conf_host *host)
{
	return host->has & CONF_H_PORT ? host->port : CONF_PORT;
}

/* A host listens alone on its port; 0 is a port of the kernel's choice. */
static int check_port(const struct conf_host *host, const struct conf_host *other,
		      struct ini_error *error)
{
	uint16_t port = port_of(host);

	if (!port || port != port_of(other))
		return 0;
	return ini_wrong_at(error, &host->at, "host \"%s\" has UDP port %u, as host \"%s\" has at %s:%u: give one of them another Port",
			    host->name, port, other->name, other->at.path, other->at.line);
}

static int check_hosts(const struct conf *conf, struct ini_error *error)
{
	unsigned int i, j;

	for (i = 0; i < conf->n_hosts; i++) {
		const struct conf_host *host = &conf->hosts[i];

		for (j = 0; j < i; j++) {
			const struct conf_host *other = &conf->hosts[j];

			if (!strcmp(host->name, other->name))
				return twice(error, &host->at, "a host of the same Name",
					     &other->at);
			if (!strcmp(host->key_file, other->key_file))
				return twice(error, &host->at,
					     "a host with the same PrivateKeyFile", &other->at);
			if (host->flags & other->flags & SSS_HOST_F_DEFAULT)
				return twice(error, &host->at, "another Default host",
					     &other->at);
			if (check_port(host, other, error))
				return -1;
		}
	}
	return 0;
}

static int check_reference(const struct conf *conf, const char *host, const struct ini_place *at,
			   struct ini_error *error)
{
	if (conf_find_host(conf, host))
		return 0;
	return ini_wrong_at(error, at, "there is no [Host] with the Name \"%s\"", host);
}

/* Is it a peer of the same host? What is for all hosts is for each of them. */
static bool same_host(const struct conf *conf, const struct conf_peer *a,
		      const struct conf_peer *b)
{
	if ((a->server && !*a->host) || (b->server && !*b->host))
		return true;
	return conf_find_host(conf, a->host) == conf_find_host(conf, b->host);
}

static int check_peers(const struct conf *conf, struct ini_error *error)
{
	unsigned int i, j;

	for (i = 0; i < conf->n_peers; i++) {
		const struct conf_peer *peer = &conf->peers[i];

		if (check_reference(conf, peer->host, &peer->at, error))
			return -1;
		for (j = 0; j < i; j++) {
			const struct conf_peer *other = &conf->peers[j];
			bool same = !memcmp(&peer->eid, &other->eid, sizeof(peer->eid));

			if (same && same_host(conf, peer, other))
				return twice(error, &peer->at, "a peer with the same EID",
					     &other->at);
			if (!same && *peer->name && !strcmp(peer->name, other->name))
				return twice(error, &peer->at,
					     "the same Name for another EID", &other->at);
		}
	}
	return 0;
}

static int check_profiles(const struct conf *conf, struct ini_error *error)
{
	unsigned int i, j;

	for (i = 0; i < conf->n_profiles; i++) {
		const struct conf_profile *profile = &conf->profiles[i];

		if (*profile->host &&
		    check_reference(conf, profile->host, &profile->at, error))
			return -1;
		for (j = 0; j < i; j++)
			if (!strcmp(profile->host, conf->profiles[j].host))
				return twice(error, &profile->at, "a [Profile] for the same host",
					     &conf->profiles[j].at);
	}
	return 0;
}

/* Without any [Host] there is one: whoever just wants to connect need not think of it. */
static int imply_host(struct conf *conf, struct ini_error *error)
{
	struct ini_place at = { conf->files[0], 1 };
	struct conf_host *host;

	if (conf->n_hosts)
		return 0;
	if (conf_add_host(conf, &at))
		return ini_wrong(error, "out of memory");
	host = &conf->hosts[0];
	host->implied = true;
	strcpy(host->name, "default");
	snprintf(host->key_file, sizeof(host->key_file), "%.2000s/host.key", conf->agent.state);
	return 0;
}

void conf_peers_folder(const char *path, char *folder)
{
	const char *slash = strrchr(path, '/');

	snprintf(folder, PATH_MAX, "%.*speers.d", slash ? (int)(slash - path) + 1 : 0, path);
}

int conf_read(struct conf *conf, const char *path, struct ini_error *error)
{
	return conf_read_with(conf, path, NULL, NULL, error);
}

int conf_read_with(struct conf *conf, const char *path, const char *more, const char *without,
		   struct ini_error *error)
{
	char folder[PATH_MAX];

	memset(conf, 0, sizeof(*conf));
	conf->agent.do_register = true;
	conf->agent.tell_endpoints = true;
	conf->agent.local_port = LOCAL_PORT;
	strcpy(conf->agent.state, "/var/lib/sss");
	conf_peers_folder(path, folder);
	if (conf_read_file(conf, path, error) || read_peers(conf, folder, without, error) ||
	    (more && conf_read_file(conf, more, error)) || imply_host(conf, error))
		return -1;
	return check_hosts(conf, error) || check_peers(conf, error) ||
	       check_profiles(conf, error) ? -1 : 0;
}

void conf_free(struct conf *conf)
{
	unsigned int i;

	for (i = 0; i < conf->n_files; i++)
		free(conf->files[i]);
	free(conf->files);
	free(conf->hosts);
	free(conf->peers);
	free(conf->profiles);
	memset(conf, 0, sizeof(*conf));
}
