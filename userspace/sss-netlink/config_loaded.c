// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The record of what was loaded into a network namespace. It goes when the machine
 * does, as all that is in the kernel; what it names and is not there is no error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../libsss/sss.h"
#include <common/array.h>
#include "config.h"
#include "running.h"
#include "sss-netlink.h"

#define FOLDER RUNNING_FOLDER

static void read_host(struct loaded *loaded, char *rest)
{
	char *name = strsep(&rest, " "), *eid = strsep(&rest, " ");
	struct loaded_host *host;

	host = array_add(&loaded->hosts, &loaded->n_hosts, sizeof(*host));
	if (!host)
		die(EXIT_KERNEL, "out of memory");
	snprintf(host->name, sizeof(host->name), "%s", name);
	if (!eid || sss_eid_parse(&host->eid, eid))
		loaded->n_hosts--;
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
		if (endpoint_parse(word, &peer->endpoints[peer->n_endpoints]))
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

static void write_peer(FILE *file, const struct plan_peer *peer)
{
	char text[ENDPOINT_TEXT], eid[SSS_EID_TEXT];
	struct reg_endpoint ep;
	unsigned int i;

	fprintf(file, "peer %s %s", peer->host->conf->name,
		sss_eid_format(&peer->conf->eid, eid));
	for (i = 0; i < peer->n_endpoints; i++)
		if (endpoint_from_addr(&ep, &peer->endpoints[i].sa))
			fprintf(file, " %s", endpoint_format(&ep, text));
	fputc('\n', file);
}

int loaded_write(const struct loaded *loaded, const struct plan *plan)
{
	char path[PATH_MAX + 8], eid[SSS_EID_TEXT];
	unsigned int i;
	bool failed;
	FILE *file;

	snprintf(path, sizeof(path), "%s.new", loaded->path);
	file = fopen(path, "we");
	if (!file)
		return -1;
	for (i = 0; i < plan->n_hosts; i++)
		fprintf(file, "host %s %s\n", plan->hosts[i].conf->name,
			sss_eid_format(&plan->hosts[i].eid, eid));
	for (i = 0; i < plan->n_peers; i++)
		write_peer(file, &plan->peers[i]);
	failed = ferror(file);
	if (fclose(file) || failed)
		return -1;
	return rename(path, loaded->path);
}

void loaded_remove(struct loaded *loaded)
{
	unlink(loaded->path);
}

void loaded_close(struct loaded *loaded)
{
	close(loaded->lock);
	free(loaded->hosts);
	free(loaded->peers);
}
