/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What /etc/sss/sss.conf and the files of /etc/sss/peers.d say: sss.conf(5).
 * Reading them looks at nothing else, neither key files nor the kernel.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/sss.h>
#include <regclient/record.h>
#include "ini.h"

#define CONF_FILE	"/etc/sss/sss.conf"
#define CONF_NAME_MAX	REG_TEXT_MAX	/* bytes of a peer's name */
#define CONF_PORT	9660		/* of a host that names none */
#define CONF_NODE	254		/* bytes of a host name in an endpoint, with the NUL */

/* Bits of conf_host.has; flags have a mask of their own */
enum conf_host_setting {
	CONF_H_PORT = 1, CONF_H_UID = 2, CONF_H_GID = 4, CONF_H_MODE = 8, CONF_H_PADDING = 16,
	CONF_H_ACCESS = 32, CONF_H_STREAMS = 64, CONF_H_RATE = 128,
};

/* [Host]: a local identity. @implied: there was no section at all; its key is made */
struct conf_host {
	struct ini_place at;
	bool implied;
	char name[SSS_HOST_NAME_MAX + 1];
	char key_file[PATH_MAX];
	unsigned int has;
	uint16_t port;
	uint32_t flags, mask;		/* SSS_HOST_F_* */
	uint32_t uid, gid, mode;
	uint32_t padding;		/* enum sss_padding */
	uint32_t access;		/* enum sss_access */
	uint32_t max_streams, rate;	/* 0: no limit */
};

/* Where a peer may be; @node is an address or a host name */
struct conf_endpoint {
	struct ini_place at;
	char node[CONF_NODE];
	uint16_t port;
};

/* [Peer] or [RegistrationServer]. @host: whose, "": the default host's; a server's: all */
struct conf_peer {
	struct ini_place at;
	struct sss_eid eid;
	char host[SSS_HOST_NAME_MAX + 1];
	char name[CONF_NAME_MAX + 1];	/* pinned, "": none */
	char psk_file[PATH_MAX];	/* "": none */
	unsigned int n_endpoints;
	struct conf_endpoint endpoints[SSS_PEER_ENDPOINTS_MAX];
	bool server;
};

/* [Profile]: what a host says about itself; @host "": every host without its own */
struct conf_profile {
	struct ini_place at;
	char host[SSS_HOST_NAME_MAX + 1];
	struct reg_profile profile;
};

/* [Agent] */
struct conf_agent {
	struct ini_place at;
	bool do_register;
	bool tell_endpoints;		/* this machine's own addresses */
	bool local;			/* looks for peers on the link, and can be found */
	uint16_t local_port;
	uint32_t ttl;			/* s, 0: what the server likes */
	char state[PATH_MAX];
};

struct conf {
	unsigned int n_files, n_hosts, n_peers, n_profiles;
	char **files;
	struct conf_host *hosts;
	struct conf_peer *peers;
	struct conf_profile *profiles;
	struct conf_agent agent;
	enum { CONF_NONE, CONF_HOST, CONF_PEER, CONF_SERVER, CONF_PROFILE, CONF_AGENT } section;
};

/**
 * conf_read() - read a file, and the *.conf of the folder peers.d beside it
 * @conf: result
 * @path: the file; a missing peers.d is empty
 * @error: the first thing that was wrong, with file and line
 *
 * Return: 0, or -1. conf_free() is called either way in the end.
 */
int conf_read(struct conf *conf, const char *path, struct ini_error *error);

/* What it would be with one file more, or without one of peers.d; NULL: no such file */
int conf_read_with(struct conf *conf, const char *path, const char *more, const char *without,
		   struct ini_error *error);

void conf_free(struct conf *conf);

/* Where that folder is; PATH_MAX bytes */
void conf_peers_folder(const char *path, char *folder);

/* The host of that name; "": the default one. NULL: there is none in the files */
const struct conf_host *conf_find_host(const struct conf *conf, const char *name);

/* What a host says about itself, or NULL: nothing */
const struct reg_profile *conf_find_profile(const struct conf *conf, const char *host);

#endif /* COMMON_CONF_H */
