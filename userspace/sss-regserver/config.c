// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsss/sss.h>
#include "config.h"

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
	size_t i;

	memset(config, 0, sizeof(*config));
	for (i = 0; i < N_NUMBERS; i++)
		*number_in(config, &numbers[i]) = numbers[i].standard;
	config->log_level = LOG_L_INFO;
	strcpy(config->store, "sqlite:/var/lib/sss/regserver.db");
}

static int wrong(struct config_error *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	return -1;
}

static int set_number(struct config *config, const struct number *number, const char *value,
		      struct config_error *error)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || v < number->least || v > number->most)
		return wrong(error, "%s: a number from %lu to %lu, not \"%s\"", number->name,
			     number->least, number->most, value);
	*number_in(config, number) = v;
	return 0;
}

static int set_text(char *to, size_t size, const char *name, const char *value,
		    struct config_error *error)
{
	if (strlen(value) >= size)
		return wrong(error, "%s: longer than %zu bytes", name, size - 1);
	strcpy(to, value);
	return 0;
}

static int set_level(struct config *config, const char *value, struct config_error *error)
{
	unsigned int i;

	for (i = 0; i < LOG_L_LEVELS; i++) {
		if (strcmp(value, log_level_names[i]))
			continue;
		config->log_level = i;
		return 0;
	}
	return wrong(error, "log-level: error, warning, info or debug, not \"%s\"", value);
}

static bool split_port(const char *text, char *addr, size_t size, unsigned long *port)
{
	const char *colon = strrchr(text, ':');
	size_t len;
	char *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	*port = strtoul(colon + 1, &end, 10);
	len = colon - text;
	if (*end || !*port || *port > 65535 || len >= size)
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	return true;
}

bool config_endpoint(const char *text, struct reg_endpoint *ep)
{
	char addr[64];
	unsigned long port;
	size_t len;

	memset(ep, 0, sizeof(*ep));
	if (!split_port(text, addr, sizeof(addr), &port))
		return false;
	len = strlen(addr);
	ep->port = port;
	ep->family = 4;
	if (inet_pton(AF_INET, addr, ep->addr) == 1)
		return true;
	if (len < 2 || addr[0] != '[' || addr[len - 1] != ']')
		return false;
	addr[len - 1] = '\0';
	ep->family = 6;
	return inet_pton(AF_INET6, addr + 1, ep->addr) == 1;
}

/* "EID ENDPOINT..." */
static int add_server(struct config *config, const char *value, struct config_error *error)
{
	struct reg_server *server = &config->servers[config->n_servers];
	char text[LINE], *word, *rest = text;

	if (config->n_servers == REG_SERVERS)
		return wrong(error, "server: not more than %d of them", REG_SERVERS);
	if (set_text(text, sizeof(text), "server", value, error))
		return -1;
	memset(server, 0, sizeof(*server));
	word = strsep(&rest, " \t");
	if (sss_eid_parse(&server->eid, word))
		return wrong(error, "server: \"%s\" is no EID", word);
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (server->n_endpoints == REG_ENDPOINTS)
			return wrong(error, "server: not more than %d endpoints", REG_ENDPOINTS);
		if (!config_endpoint(word, &server->endpoints[server->n_endpoints++]))
			return wrong(error, "server: \"%s\" is no endpoint", word);
	}
	if (!server->n_endpoints)
		return wrong(error, "server: an EID and its endpoints, ADDRESS:PORT");
	config->n_servers++;
	return 0;
}

/* An address without a port, of either family */
static int set_relay_address(struct config *config, const char *value,
			     struct config_error *error)
{
	struct reg_endpoint ep = { .family = 4 };

	if (inet_pton(AF_INET, value, ep.addr) != 1) {
		ep.family = 6;
		if (inet_pton(AF_INET6, value, ep.addr) != 1)
			return wrong(error, "relay-address: \"%s\" is no address", value);
	}
	config->relay_at[ep.family == 6] = ep;
	return 0;
}

int config_set(struct config *config, const char *name, const char *value,
	       struct config_error *error)
{
	size_t i;

	for (i = 0; i < N_NUMBERS; i++)
		if (!strcmp(name, numbers[i].name))
			return set_number(config, &numbers[i], value, error);
	if (!strcmp(name, "store"))
		return set_text(config->store, sizeof(config->store), name, value, error);
	if (!strcmp(name, "metrics"))
		return set_text(config->metrics, sizeof(config->metrics), name, value, error);
	if (!strcmp(name, "log-level"))
		return set_level(config, value, error);
	if (!strcmp(name, "server"))
		return add_server(config, value, error);
	if (!strcmp(name, "relay-address"))
		return set_relay_address(config, value, error);
	if (strcmp(name, "host"))
		return wrong(error, "there is no setting \"%s\"", name);
	if (sss_eid_parse(&config->host, value))
		return wrong(error, "host: \"%s\" is no EID", value);
	return 0;
}

/* Without white space at both ends */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int set_line(struct config *config, char *line, struct config_error *error)
{
	char *value;

	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	value = strchr(line, '=');
	if (!value)
		return wrong(error, "\"%s\": not of the form name = value", line);
	*value++ = '\0';
	return config_set(config, trim(line), trim(value), error);
}

static int read_lines(struct config *config, FILE *file, const char *path,
		      struct config_error *error)
{
	struct config_error what;
	unsigned int number = 0;
	char line[LINE];

	while (fgets(line, sizeof(line), file)) {
		number++;
		if (strlen(line) == sizeof(line) - 1)
			return wrong(error, "%s:%u: the line is too long", path, number);
		if (!set_line(config, line, &what))
			continue;
		return wrong(error, "%s:%u: %.*s", path, number, 1000, what.text);
	}
	if (ferror(file))
		return wrong(error, "%s: %s", path, strerror(errno));
	return 0;
}

int config_read(struct config *config, const char *path, struct config_error *error)
{
	FILE *file = fopen(path, "re");
	int ret;

	if (!file)
		return wrong(error, "%s: %s", path, strerror(errno));
	ret = read_lines(config, file, path, error);
	fclose(file);
	return ret;
}

/* What anybody can reach is not the place for figures about everybody */
static int check_metrics(const char *where, struct config_error *error)
{
	struct reg_endpoint ep;
	static const uint8_t v6[16] = { [15] = 1 };

	if (!*where || !strncmp(where, "unix:/", 6))
		return 0;
	if (!config_endpoint(where, &ep))
		return wrong(error, "metrics: ADDRESS:PORT or unix:/PATH, not \"%s\"", where);
	if (ep.family == 4 ? ep.addr[0] != 127 : memcmp(ep.addr, v6, sizeof(v6)))
		return wrong(error, "metrics: a loopback address, not \"%s\"", where);
	return 0;
}

int config_check(const struct config *config, struct config_error *error)
{
	if (config->ttl_min > config->ttl_default || config->ttl_default > config->ttl_max)
		return wrong(error, "ttl-min, ttl-default, ttl-max: not in this order");
	if (strncmp(config->store, "sqlite:/", 8) && strncmp(config->store, "redis://", 8))
		return wrong(error, "store: sqlite:/PATH or redis://HOST:PORT, not \"%s\"",
			     config->store);
	return check_metrics(config->metrics, error);
}
