// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The process: command line, settings, signals, the loop */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <common/notify.h>
#include <common/signals.h>
#include "agent.h"
#include "../sss-netlink/config.h"
#include "../sss-netlink/running.h"

#define TICK_MAX_MS 60000

struct agent agent;

static const char usage[] =
	"Usage: sss-netlink agent [-v] [FILE]\n"
	"       sss-netlink agent show [FILE]\n"
	"       sss-netlink agent peers [FILE]\n"
	"Finds peers for programs that connect, and registers this machine's hosts, as\n"
	"FILE says, " CONF_FILE ": sss.conf(5). Stays in the foreground, for a service\n"
	"manager. SIGHUP: read FILE again; SIGTERM: take entries away and end.\n"
	"show tells whether one runs here; peers what it learnt of where peers are.\n"
	"  -v  tell more\n";

uint64_t agent_jitter(uint64_t ms)
{
	return ms + randombytes_uniform(ms / 2 + 1);
}

struct identity *agent_find(const struct sss_eid *eid)
{
	unsigned int i;

	for (i = 0; i < agent.n_identities; i++)
		if (agent.identities[i].present &&
		    !memcmp(&agent.identities[i].eid, eid, sizeof(*eid)))
			return &agent.identities[i];
	return NULL;
}

/* What the kernel would not take, or would be us */
static bool may_be(const union endpoint_addr *addr)
{
	uint32_t v4 = ntohl(addr->in.sin_addr.s_addr);
	const struct in6_addr *v6 = &addr->in6.sin6_addr;

	if (addr->sa.sa_family == AF_INET)
		return addr->in.sin_port && v4 >> 24 && v4 >> 28 < 14 && !address_is_own(addr);
	if (addr->sa.sa_family != AF_INET6 || !addr->in6.sin6_port)
		return false;
	return !IN6_IS_ADDR_MULTICAST(v6) && !IN6_IS_ADDR_UNSPECIFIED(v6) &&
	       !IN6_IS_ADDR_V4MAPPED(v6) && !address_is_own(addr) &&
	       (!IN6_IS_ADDR_LINKLOCAL(v6) || addr->in6.sin6_scope_id);
}

void candidates_add(struct candidates *to, const union endpoint_addr *addr)
{
	unsigned int i;

	if (to->n == AGENT_ENDPOINTS || !may_be(addr))
		return;
	for (i = 0; i < to->n; i++)
		if (!memcmp(&to->addr[i], addr, plan_addr_len(addr)))
			return;
	to->addr[to->n++] = *addr;
}

void candidates_add_record(struct candidates *to, const struct reg_endpoint *ep)
{
	union endpoint_addr addr;

	if (endpoint_to_addr(ep, &addr))
		candidates_add(to, &addr);
}

/* Settings */

static void make_identities(void)
{
	unsigned int i;

	agent.n_identities = agent.conf.n_hosts;
	agent.identities = calloc(agent.n_identities + 1, sizeof(*agent.identities));
	if (!agent.identities)
		die(EXIT_KERNEL, "out of memory");
	for (i = 0; i < agent.n_identities; i++)
		agent.identities[i].conf = &agent.conf.hosts[i];
}

static void begin(void)
{
	make_identities();
	cache_open(agent.conf.agent.state);
	kernel_read_hosts();
	sessions_open();
	local_open();
}

/* Not in the midst of a round: streams go with the old settings. */
static void on_hangup(void)
{
	agent.reloading = true;
}

static void reload(void)
{
	struct ini_error error;
	struct conf fresh;

	agent.reloading = false;
	notify_reloading();
	if (conf_read(&fresh, agent.file, &error)) {
		log_at(LOG_L_ERROR, "reload-failed", " error=%s", log_quote(error.text));
		conf_free(&fresh);
	} else {
		sessions_remove_entries(&fresh);
		local_close();
		sessions_close();
		cache_close();
		free(agent.identities);
		conf_free(&agent.conf);
		agent.conf = fresh;
		begin();
		log_event(LOG_L_INFO, "reloaded");
	}
	notify("READY=1");
}

/* Everything that is due; how long nothing is, ms */
static int tick(void)
{
	uint64_t (*const parts[])(void) = {
		address_tick, sessions_tick, resolve_tick, cache_tick,
	};
	uint64_t next = agent.now + TICK_MAX_MS, due;
	unsigned int i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		due = parts[i]();
		if (due < next)
			next = due;
	}
	return next > agent.now ? next - agent.now : 0;
}

static void serve(void)
{
	int wait;

	while (!agent.stopping) {
		agent.now = clock_ms();
		wait = tick();
		if (loop_wait(wait) < 0 && errno != EINTR)
			die(EXIT_KERNEL, "epoll: %s", strerror(errno));
		agent.now = clock_ms();
		loop_call();
		if (agent.reloading)
			reload();
	}
}

static void parse(struct args *args)
{
	agent.file = CONF_FILE;
	while (args->n) {
		const char *word = next_arg(args, "a file");

		if (!strcmp(word, "-v"))
			log_set_level(LOG_L_DEBUG);
		else if (*word == '-')
			die(EXIT_USAGE, "unknown option \"%s\": see \"sss-netlink agent help\"", word);
		else if (args->n)
			end_of_args(args);
		else
			agent.file = word;
	}
}

/* Two would register, and answer the kernel, against each other. */
static void claim(void)
{
	struct running other;

	if (!running_claim(agent.file))
		return;
	if ((errno == EAGAIN || errno == EACCES) && running_find(&other))
		die(EXIT_KERNEL, "an agent runs here: process %d, with \"%s\"", (int)other.pid,
		    other.file);
	log_at(LOG_L_WARNING, "unknown-to-others", " error=%s", log_quote(strerror(errno)));
}

static int run(struct args *args)
{
	struct ini_error error;

	parse(args);
	if (sodium_init() < 0)
		die(EXIT_USAGE, "libsodium does not start");
	if (conf_read(&agent.conf, agent.file, &error))
		die(EXIT_USAGE, "%s", error.text);
	if (loop_open())
		die(EXIT_KERNEL, "epoll: %s", strerror(errno));
	if (signals_open(on_hangup, &agent.stopping))
		die(EXIT_KERNEL, "signalfd: %s", strerror(errno));
	claim();
	agent.now = clock_ms();
	kernel_open();
	address_open();
	begin();
	log_at(LOG_L_INFO, "started", " hosts=%u", agent.n_identities);
	notify("READY=1");
	serve();
	notify("STOPPING=1");
	sessions_remove_entries(NULL);
	local_close();
	sessions_close();
	cache_close();
	log_event(LOG_L_INFO, "stopped");
	return EXIT_OK;
}

const struct object object_agent = {
	.name = "agent", .usage = usage,
	.commands = {
		{ "", run, "-v FILE" },
		{ "show", agent_show, "FILE" },
		{ "peers", agent_show_peers, "FILE" },
	},
};
