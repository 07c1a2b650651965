// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The process: command line, settings, signals, the loop */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sodium.h>
#include <common/notify.h>
#include <common/signals.h>
#include <common/version.h>
#include "metrics.h"
#include "relay.h"
#include "server.h"

#define EXIT_USAGE	2
#define TICK_MS		1000
#define SWEEPS		16	/* batches removed in a tick */
#define SPARE_FDS	64	/* beside streams */

struct server server = {
	.listener.fd = -1,
	.mail.fd = -1,
};

/* Settings from the command line, which win over the file's */
struct override {
	const char *name, *value;
};

static struct {
	const char *file;
	bool check;
	struct override overrides[64];
	unsigned int n;
} options;

static bool stopping;

static const char usage[] =
	"Usage: sss-regserver [OPTION]...\n"
	"Serves a directory of hosts over AF_SSS.\n"
	"  -c, --config FILE      settings, \"name = value\" lines\n"
	"  -s, --store URL        sqlite:/PATH or redis://HOST[:PORT]...\n"
	"  -H, --host EID         be this local host (every one)\n"
	"  -m, --metrics WHERE    ADDRESS:PORT or unix:/PATH for Prometheus (nowhere)\n"
	"  -r, --relay PORT       forward packets of hosts that cannot reach each other (no)\n"
	"  -o, --set NAME=VALUE   any other setting\n"
	"  -C, --check-config     check the settings and exit\n"
	"  -h, --help\n"
	"  -V, --version\n";

void server_store_failed(void)
{
	metrics.store_failures++;
	if (!server.store_down)
		log_at(LOG_L_ERROR, "store-failed", " store=%s error=%s", server.store.ops->name,
		       log_quote(server.store.error));
	server.store_down = true;
}

void server_store_answered(void)
{
	if (server.store_down)
		log_at(LOG_L_INFO, "store-back", " store=%s", server.store.ops->name);
	server.store_down = false;
}

static void add_override(const char *name, const char *value)
{
	if (options.n == sizeof(options.overrides) / sizeof(options.overrides[0])) {
		fprintf(stderr, "sss-regserver: too many options\n");
		exit(EXIT_USAGE);
	}
	options.overrides[options.n++] = (struct override){ name, value };
}

static void add_setting(char *text)
{
	char *value = strchr(text, '=');

	if (!value) {
		fprintf(stderr, "sss-regserver: --set NAME=VALUE, not without =\n");
		exit(EXIT_USAGE);
	}
	*value++ = '\0';
	add_override(text, value);
}

/* Without what stands behind its name: it may hold a password. */
static void wrong_option(const char *word)
{
	if (!strncmp(word, "--", 2))
		fprintf(stderr, "sss-regserver: unrecognized option, or one without its value: %.*s\n",
			(int)strcspn(word, "="), word);
	else
		fprintf(stderr, "sss-regserver: unrecognized option, or one without its value: -%c\n",
			optopt);
	exit(EXIT_USAGE);
}

static void parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "store", required_argument, NULL, 's' },
		{ "host", required_argument, NULL, 'H' },
		{ "metrics", required_argument, NULL, 'm' },
		{ "relay", required_argument, NULL, 'r' },
		{ "set", required_argument, NULL, 'o' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, ":c:s:H:m:r:o:ChV", longs, NULL)) >= 0) {
		switch (c) {
		case 'c': options.file = optarg; break;
		case 's': add_override("store", optarg); break;
		case 'H': add_override("host", optarg); break;
		case 'm': add_override("metrics", optarg); break;
		case 'r': add_override("relay", optarg); break;
		case 'o': add_setting(optarg); break;
		case 'C': options.check = true; break;
		case 'h': fputs(usage, stdout); exit(0);
		case 'V': puts("sss-regserver " VERSION); exit(0);
		default: wrong_option(argv[optind - 1]);
		}
	}
	if (optind == argc)
		return;
	fprintf(stderr, "sss-regserver: there are options only, and one argument too many\n");
	exit(EXIT_USAGE);
}

static int load(struct config *config, struct ini_error *error)
{
	unsigned int i;

	config_init(config);
	if (options.file && config_read(config, options.file, error))
		return -1;
	for (i = 0; i < options.n; i++)
		if (config_set(config, options.overrides[i].name, options.overrides[i].value,
			       error))
			return -1;
	return config_check(config, error);
}

/* What is bound or open stays as it is until the next start */
static void reload(void)
{
	static struct config config;
	struct ini_error error;

	notify_reloading();
	if (load(&config, &error)) {
		log_at(LOG_L_ERROR, "reload-failed", " error=%s", log_quote(error.text));
		notify("READY=1");
		return;
	}
	if (strcmp(config.store, server.config.store) ||
	    strcmp(config.metrics, server.config.metrics) || config.relay != server.config.relay ||
	    memcmp(&config.host, &server.config.host, sizeof(config.host)))
		log_at(LOG_L_WARNING, "reload-partial",
		       " why=\"store, metrics, relay and host change at the next start\"");
	strcpy(config.store, server.config.store);
	strcpy(config.metrics, server.config.metrics);
	config.host = server.config.host;
	config.relay = server.config.relay;
	server.config = config;
	log_set_level(config.log_level);
	log_event(LOG_L_INFO, "reloaded");
	notify("READY=1");
}

/* One descriptor for each stream */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = server.config.streams + SPARE_FDS;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int64_t entries(void)
{
	uint64_t n;

	return server.store.ops->count(&server.store, &n) == STORE_OK ? (int64_t)n : -1;
}

static int failed(const char *what, const char *why)
{
	log_at(LOG_L_ERROR, "failed", " what=%s error=%s", what, log_quote(why));
	return -1;
}

static int start(void)
{
	unsigned char random[STORE_NODE / 2];

	raise_limit();
	if (loop_open() || signals_open(reload, &stopping) || ledger_open())
		return failed("start", strerror(errno));
	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(server.node, sizeof(server.node), random, sizeof(random));
	if (store_open(&server.store, server.config.store))
		return failed("store", server.store.error);
	if (*server.config.metrics && metrics_open(server.config.metrics, entries))
		return failed("metrics", strerror(errno));
	server.now = clock_ms();
	introduce_mail_open();
	if (relay_open())
		return failed("relay", strerror(errno));
	if (streams_open())
		return failed("listen", sss_strerror(errno));
	log_at(LOG_L_INFO, "started", " transport=%s store=%s node=%s", server.transport->name,
	       server.store.ops->name, server.node);
	notify("READY=1");
	return 0;
}

static void tick(void)
{
	enum store_result result = STORE_OK;
	unsigned int i, removed = 1;

	for (i = 0; i < SWEEPS && result == STORE_OK && removed; i++) {
		result = store_sweep(&server.store, store_now(), &removed);
		metrics.expired += removed;
		/* Not into the way of what follows, if it is slow */
		if (clock_ms() - server.now > TICK_MS / 10)
			break;
	}
	if (result == STORE_OK)
		server_store_answered();
	else
		server_store_failed();
	introduce_mail_open();
	streams_tick();
	relay_tick();
	metrics_tick(server.now);
}

static int serve(void)
{
	uint64_t next = 0;

	while (!stopping) {
		server.now = clock_ms();
		if (server.now >= next) {
			tick();
			next = server.now + TICK_MS;
		}
		streams_finish_round();
		server.now = clock_ms();
		if (loop_wait(next > server.now ? (int)(next - server.now) : 0) < 0 &&
		    errno != EINTR)
			return failed("wait", strerror(errno));
		server.now = clock_ms();
		loop_call();
		streams_finish_round();
	}
	return 0;
}

static void stop(void)
{
	notify("STOPPING=1");
	streams_close();
	relay_close();
	introduce_mail_close();
	metrics_close();
	store_close(&server.store);
	ledger_close();
	signals_close();
	log_event(LOG_L_INFO, "stopped");
}

int regserver_main(int argc, char **argv, const struct transport *transport)
{
	struct ini_error error;
	int ret;

	parse_options(argc, argv);
	if (load(&server.config, &error)) {
		fprintf(stderr, "sss-regserver: %s\n", error.text);
		return EXIT_USAGE;
	}
	if (options.check)
		return 0;
	log_set_level(server.config.log_level);
	server.transport = transport;
	ret = start();
	if (!ret)
		ret = serve();
	stop();
	return ret ? 1 : 0;
}
