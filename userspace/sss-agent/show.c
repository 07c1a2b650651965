// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "agent.h"
#include "../sss-netlink/running.h"

static void read_settings(struct args *args, const char *standard)
{
	struct ini_error error;

	agent.file = args->n ? next_arg(args, "a file") : standard;
	end_of_args(args);
	if (conf_read(&agent.conf, agent.file, &error))
		die(EXIT_USAGE, "%s", error.text);
	if (cache_read(agent.conf.agent.state))
		die(EXIT_USAGE, "cannot read what the agent learnt, in \"%s\": %s",
		    agent.conf.agent.state, strerror(errno));
}

static unsigned int known;

static void count(const struct sss_eid *eid, time_t when, const struct reg_endpoint *eps,
		  unsigned int n)
{
	(void)eid;
	(void)when;
	(void)eps;
	(void)n;
	known++;
}

static unsigned int count_servers(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < agent.conf.n_peers; i++)
		n += agent.conf.peers[i].server;
	return n;
}

int agent_show(struct args *args)
{
	struct running running;
	bool runs = running_find(&running);

	read_settings(args, runs ? running.file : CONF_FILE);
	cache_each(count);
	out_begin("state pid file");
	out_object();
	out_string("state", runs ? "running" : "stopped");
	if (runs)
		out_number("pid", running.pid);
	out_string("file", runs ? running.file : agent.file);
	out_number("hosts", agent.conf.n_hosts);
	out_number("servers", count_servers());
	out_bool("register", agent.conf.agent.do_register);
	out_bool("local", agent.conf.agent.local);
	out_string("state-directory", agent.conf.agent.state);
	out_number("peers", known);
	out_end();
	return EXIT_OK;
}

static void show_peer(const struct sss_eid *eid, time_t when, const struct reg_endpoint *eps,
		      unsigned int n)
{
	char text[SSS_EID_TEXT], endpoint[ENDPOINT_TEXT];
	unsigned int i;

	out_object();
	out_string("eid", sss_eid_format(eid, text));
	out_number("age-s", time(NULL) - when);
	out_list("endpoints", "endpoint");
	for (i = 0; i < n; i++)
		out_item(endpoint_format(&eps[i], endpoint));
	out_list_end();
}

int agent_show_peers(struct args *args)
{
	struct running running;

	read_settings(args, running_find(&running) ? running.file : CONF_FILE);
	out_begin("eid age-s endpoints");
	cache_each(show_peer);
	out_end();
	return EXIT_OK;
}
