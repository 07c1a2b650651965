// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <common/endpoint.h>
#include <libsss/sss.h>
#include "config.h"
#include "redis_link.h"

#define LINE 1024

static const struct number {
	const char *name;
	size_t offset;
	unsigned long least, most, standard;
} numbers[] = {
#define X(member, name, least, most, standard) \
	{ name, offsetof(struct config, member), least, most, standard },
	CONFIG_NUMBERS(X)
#undef X
};

#define N_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static unsigned int *number_in(struct config *config, const struct number *number)
{
	return (unsigned int *)((char *)config + number->offset);
}

void config_init(struct config *config)
{
	const char *state = getenv("STATE_DIRECTORY");	/* a service manager's */
	size_t i;

	memset(config, 0, sizeof(*config));
	for (i = 0; i < N_NUMBERS; i++)
		*number_in(config, &numbers[i]) = numbers[i].standard;
	config->log_level = LOG_L_INFO;
	if (!state || *state != '/' || strlen(state) > PATH_MAX / 16)
		state = "/var/lib/sss";
	snprintf(config->store, sizeof(config->store), "sqlite:%s/regserver.db", state);
}

static int set_number(struct config *config, const struct number *number, const char *value,
		      struct ini_error *error)
{
	unsigned long v;

	if (ini_number(number->name, value, number->least, number->most, &v, error))
		return -1;
	*number_in(config, number) = v;
	return 0;
}

static int set_level(struct config *config, const char *value, struct ini_error *error)
{
	unsigned int i;

	for (i = 0; i < LOG_L_LEVELS; i++) {
		if (strcmp(value, log_level_names[i]))
			continue;
		config->log_level = i;
		return 0;
	}
	return ini_wrong(error, "log-level: error, warning, info or debug, not \"%s\"", value);
}

/* "EID ENDPOINT..." */
static int add_server(struct config *config, const char *value, struct ini_error *error)
{
	struct reg_server *server = &config->servers[config->n_servers];
	char text[LINE], *word, *rest = text;

	if (config->n_servers == REG_SERVERS)
		return ini_wrong(error, "server: not more than %d of them", REG_SERVERS);
	if (ini_text("server", value, text, sizeof(text), error))
		return -1;
	memset(server, 0, sizeof(*server));
	word = strsep(&rest, " \t");
	if (sss_eid_parse(&server->eid, word))
		return ini_wrong(error, "server: \"%s\" is no EID", word);
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (server->n_endpoints == REG_ENDPOINTS)
			return ini_wrong(error, "server: not more than %d endpoints", REG_ENDPOINTS);
		if (!endpoint_parse(word, &server->endpoints[server->n_endpoints++]))
			return ini_wrong(error, "server: \"%s\" is no endpoint", word);
	}
	if (!server->n_endpoints)
		return ini_wrong(error, "server: an EID and its endpoints, ADDRESS:PORT");
	config->n_servers++;
	return 0;
}

/* An address without a port, of either family */
static int set_relay_address(struct config *config, const char *value,
			     struct ini_error *error)
{
	struct reg_endpoint ep = { .family = 4 };

	if (inet_pton(AF_INET, value, ep.addr) != 1) {
		ep.family = 6;
		if (inet_pton(AF_INET6, value, ep.addr) != 1)
			return ini_wrong(error, "relay-address: \"%s\" is no address", value);
	}
	config->relay_at[ep.family == 6] = ep;
	return 0;
}

/* It is not repeated in what is said of it: there may be a password in it. */
static int set_store(struct config *config, const char *value, struct ini_error *error)
{
	const char *wrong = NULL;

	if (!strncmp(value, "redis://", 8))
		wrong = redis_wrong(value + 8);
	else if (strncmp(value, "sqlite:/", 8))
		return ini_wrong(error, "store: sqlite:/PATH or redis://HOST:PORT");
	else if (value[strlen(value) - 1] == '/')
		wrong = "the path of a file, not of a folder";
	if (wrong)
		return ini_wrong(error, "store: %s", wrong);
	return ini_text("store", value, config->store, sizeof(config->store), error);
}

/* What anybody can reach is not the place for figures about everybody */
static int set_metrics(struct config *config, const char *value, struct ini_error *error)
{
	static const uint8_t v6[16] = { [15] = 1 };
	const size_t longest = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	struct reg_endpoint ep;

	if (!strncmp(value, "unix:/", 6)) {
		if (strlen(value + 5) > longest)
			return ini_wrong(error, "metrics: the path of a socket has up to %zu bytes",
					 longest);
		if (value[strlen(value) - 1] == '/')
			return ini_wrong(error, "metrics: the path of a socket, not of a folder");
	} else if (*value) {
		if (!endpoint_parse(value, &ep))
			return ini_wrong(error, "metrics: ADDRESS:PORT, a port from 1 to 65535, or unix:/PATH, not \"%s\"",
					 value);
		if (ep.family == 4 ? ep.addr[0] != 127 : memcmp(ep.addr, v6, sizeof(v6)))
			return ini_wrong(error, "metrics: a loopback address, not \"%s\"", value);
	}
	return ini_text("metrics", value, config->metrics, sizeof(config->metrics), error);
}

/* What looks like no name may be the rest of a password, and is not repeated. */
static int no_setting(const char *name, struct ini_error *error)
{
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_")])
		return ini_wrong(error, "the name of a setting is missing in front of =");
	return ini_wrong(error, "there is no setting \"%s\"", name);
}

int config_set(struct config *config, const char *name, const char *value,
	       struct ini_error *error)
{
	size_t i;

	for (i = 0; i < N_NUMBERS; i++)
		if (!strcmp(name, numbers[i].name))
			return set_number(config, &numbers[i], value, error);
	if (!strcmp(name, "store"))
		return set_store(config, value, error);
	if (!strcmp(name, "metrics"))
		return set_metrics(config, value, error);
	if (!strcmp(name, "log-level"))
		return set_level(config, value, error);
	if (!strcmp(name, "server"))
		return add_server(config, value, error);
	if (!strcmp(name, "relay-address"))
		return set_relay_address(config, value, error);
	if (strcmp(name, "host"))
		return no_setting(name, error);
	if (sss_eid_parse(&config->host, value))
		return ini_wrong(error, "host: \"%s\" is no EID", value);
	return 0;
}

static int take_setting(void *data, const char *name, const char *value,
			const struct ini_place *at, struct ini_error *error)
{
	(void)at;
	return config_set(data, name, value, error);
}

int config_read(struct config *config, const char *path, struct ini_error *error)
{
	static const struct ini_reader reader = { .setting = take_setting };

	return ini_read(path, &reader, config, error);
}

int config_check(const struct config *config, struct ini_error *error)
{
	if (config->ttl_min > config->ttl_default || config->ttl_default > config->ttl_max)
		return ini_wrong(error, "ttl-min, ttl-default, ttl-max: not in this order");
	return 0;
}
