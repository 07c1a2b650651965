/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Settings: a file of "name = value" lines, and the command line over it */
#ifndef REGSERVER_CONFIG_H
#define REGSERVER_CONFIG_H

#include <stdbool.h>
#include <common/ini.h>
#include <common/log.h>
#include <regclient/record.h>

/* Numbers: member, name, least, most, default; all may change at SIGHUP */
#define CONFIG_NUMBERS(X) \
	X(ttl_min,		"ttl-min",		1, 86400, 60)		/* s */ \
	X(ttl_max,		"ttl-max",		1, 7 * 86400, 7200) \
	X(ttl_default,		"ttl-default",		1, 7 * 86400, 1800) \
	X(idle_timeout,		"idle-timeout",		1, 86400, 60) \
	X(streams,		"max-streams",		1, 1000000, 10000) \
	X(streams_per_eid,	"max-streams-per-eid",	1, 1000, 4) \
	X(streams_per_prefix,	"max-streams-per-prefix", 1, 1000000, 256) \
	X(entries_per_prefix,	"max-entries-per-prefix", 1, 1000000, 256) \
	X(rate_eid,		"rate-per-eid",		1, 100000, 5)		/* points/s */ \
	X(burst_eid,		"burst-per-eid",	10, 1000000, 100) \
	X(rate_prefix,		"rate-per-prefix",	1, 1000000, 50) \
	X(burst_prefix,		"burst-per-prefix",	10, 10000000, 1000) \
	X(rate_notices,		"rate-notices",		1, 100000, 5)		/* to one EID */ \
	X(burst_notices,	"burst-notices",	1, 1000000, 20) \
	X(relay,		"relay",		0, 65535, 0)		/* UDP port; 0: none */ \
	X(relay_sessions,	"max-relay-sessions",	1, 1000000, 10000) \
	X(relay_sessions_per_eid, "max-relay-sessions-per-eid", 1, 100000, 16) \
	X(relay_rate_per_eid,	"relay-rate-per-eid",	1, 10000000, 1000)	/* kB/s */ \
	X(relay_idle,		"relay-idle",		1, 86400, 180)		/* s */

struct config {
#define X(member, name, least, most, standard) unsigned int member;
	CONFIG_NUMBERS(X)
#undef X
	enum log_level log_level;
	char store[512];
	char metrics[128];		/* empty: none */
	struct sss_eid host;		/* zero: every local host */
	struct reg_endpoint relay_at[2];	/* where others find it: v4, v6; family 0: here */
	unsigned int n_servers;
	struct reg_server servers[REG_SERVERS];
};

void config_init(struct config *config);

/**
 * config_set() - change one setting
 * @config: settings
 * @name: as in the file
 * @value: text
 * @error: what was wrong
 *
 * Return: 0, or -1.
 */
int config_set(struct config *config, const char *name, const char *value,
	       struct ini_error *error);

/**
 * config_read() - change what a file says
 * @config: settings; not usable after an error
 * @path: the file
 * @error: what was wrong, with file and line
 *
 * Return: 0, or -1.
 */
int config_read(struct config *config, const char *path, struct ini_error *error);

/**
 * config_check() - do the settings fit together?
 * @config: settings
 * @error: what was wrong
 *
 * Return: 0, or -1.
 */
int config_check(const struct config *config, struct ini_error *error);

#endif /* REGSERVER_CONFIG_H */
