// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The record of what was loaded into a network namespace. It goes when the machine
 * does, as all that is in the kernel; what it names and is not there is no error.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../libsss/sss.h"
#include <common/array.h>
#include <common/number.h>
#include "config.h"
#include "running.h"
#include "sss-netlink.h"

#define FOLDER RUNNING_FOLDER

static void read_host(struct loaded *loaded, char *rest)
{
	char *name = strsep(&rest, " "), *eid = strsep(&rest, " "), *said;
	struct loaded_host *host;
	uint64_t settings;

	host = array_add(&loaded->hosts, &loaded->n_hosts, sizeof(*host));
	if (!host)
		die(EXIT_KERNEL, "out of memory");
	snprintf(host->name, sizeof(host->name), "%s", name);
	if (!eid || sss_eid_parse(&host->eid, eid)) {
		loaded->n_hosts--;
		return;
	}
	said = strsep(&rest, " ");
	if (said && number_parse(said, 10, UINT_MAX, &settings))
		host->said = settings;
	host->is_default = rest && !strcmp(rest, "default");
}

static void read_peer(struct loaded *loaded, char *rest)
{
	char *name = strsep(&rest, " "), *eid = strsep(&rest, " "), *word;
	struct loaded_peer *peer;

	peer = array_add(&loaded->peers, &loaded->n_peers, sizeof(*peer));
	if (!peer)
		die(EXIT_KERNEL, "out of memory");
	snprintf(peer->host, sizeof(peer->host), "%s", name);
	if (!eid || sss_eid_parse(&peer->eid, eid)) {
		loaded->n_peers--;
		return;
	}
	while ((word = strsep(&rest, " ")) && peer->n_endpoints < SSS_PEER_ENDPOINTS_MAX)
		if (!strcmp(word, "psk"))
			peer->has_psk = true;
		else if (endpoint_parse(word, &peer->endpoints[peer->n_endpoints]))
			peer->n_endpoints++;
}

bool loaded_exists(void)
{
	char path[PATH_MAX];

	return !running_path(path, "loaded") && !access(path, F_OK);
}

void loaded_open(struct loaded *loaded)
{
	char line[1024];
	FILE *file;

	memset(loaded, 0, sizeof(*loaded));
	if (running_path(loaded->path, "loaded"))
		die(EXIT_KERNEL, "/proc/self/ns/net: %s", strerror(errno));
	mkdir(FOLDER, 0755);
	loaded->lock = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (loaded->lock < 0 || access(FOLDER, W_OK) || flock(loaded->lock, LOCK_EX))
		die(EXIT_KERNEL, "cannot write to %s: %s", FOLDER, strerror(errno));
	file = fopen(loaded->path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "host ", 5))
			read_host(loaded, line + 5);
		else if (!strncmp(line, "peer ", 5))
			read_peer(loaded, line + 5);
	}
	if (file)
		fclose(file);
}

static void write_host(FILE *file, const char *name, const struct sss_eid *host,
		       unsigned int said, bool is_default)
{
	char eid[SSS_EID_TEXT];

	fprintf(file, "host %s %s %u%s\n", name, sss_eid_format(host, eid), said,
		is_default ? " default" : "");
}

static void write_peer(FILE *file, const char *host, const struct sss_eid *peer, bool has_psk)
{
	char eid[SSS_EID_TEXT];

	fprintf(file, "peer %s %s%s", host, sss_eid_format(peer, eid), has_psk ? " psk" : "");
}

static void write_endpoint(FILE *file, const struct reg_endpoint *ep)
{
	char text[ENDPOINT_TEXT];

	fprintf(file, " %s", endpoint_format(ep, text));
}

static void write_old(FILE *file, const struct loaded *old)
{
	unsigned int i, j;

	for (i = 0; i < old->n_hosts; i++)
		write_host(file, old->hosts[i].name, &old->hosts[i].eid, old->hosts[i].said,
			   old->hosts[i].is_default);
	for (i = 0; i < old->n_peers; i++) {
		const struct loaded_peer *peer = &old->peers[i];

		write_peer(file, peer->host, &peer->eid, peer->has_psk);
		for (j = 0; j < peer->n_endpoints; j++)
			write_endpoint(file, &peer->endpoints[j]);
		fputc('\n', file);
	}
}

static void write_plan(FILE *file, const struct plan *plan)
{
	struct reg_endpoint ep;
	unsigned int i, j;

	for (i = 0; i < plan->n_hosts; i++) {
		const struct conf_host *host = plan->hosts[i].conf;

		write_host(file, host->name, &plan->hosts[i].eid, host->has,
			   host->flags & SSS_HOST_F_DEFAULT);
	}
	for (i = 0; i < plan->n_peers; i++) {
		const struct plan_peer *peer = &plan->peers[i];

		write_peer(file, peer->host->conf->name, &peer->conf->eid, peer->has_psk);
		for (j = 0; j < peer->n_endpoints; j++)
			if (endpoint_from_addr(&ep, &peer->endpoints[j].sa))
				write_endpoint(file, &ep);
		fputc('\n', file);
	}
}

int loaded_write(const struct loaded *loaded, const struct loaded *old, const struct plan *plan)
{
	char path[PATH_MAX + 8];
	bool failed;
	FILE *file;
	int err;

	snprintf(path, sizeof(path), "%s.new", loaded->path);
	file = fopen(path, "we");
	if (!file)
		return -1;
	if (old)
		write_old(file, old);
	if (plan)
		write_plan(file, plan);
	failed = fflush(file);
	err = errno;
	fclose(file);
	if (!failed && !rename(path, loaded->path))
		return 0;
	if (!failed)
		err = errno;
	unlink(path);
	errno = err;
	return -1;
}

void loaded_remove(const struct loaded *loaded)
{
	unlink(loaded->path);
}

void loaded_close(struct loaded *loaded)
{
	close(loaded->lock);
	free(loaded->hosts);
	free(loaded->peers);
}
