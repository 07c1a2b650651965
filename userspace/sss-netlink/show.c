// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What can be looked at: services, channels, counters, events; and what can be
 * done to channels.
 */
#include <stdio.h>
#include <string.h>
#include "sss-netlink.h"

static void text(const char *name, const struct nlattr *attr)
{
	if (attr)
		out_string(name, mnl_attr_get_str(attr));
}

static void u32(const char *name, const struct nlattr *attr)
{
	if (attr)
		out_number(name, mnl_attr_get_u32(attr));
}

static void u64(const char *name, const struct nlattr *attr)
{
	if (attr)
		out_number(name, mnl_attr_get_u64(attr));
}

static int service_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];

	(void)data;
	nl_attrs(nlh, tb);
	out_object();
	text("service", tb[SSS_A_SERVICE]);
	text("protocol", tb[SSS_A_PROTOCOL]);
	text("host", tb[SSS_A_HOST_NAME]);
	u32("uid", tb[SSS_A_UID]);
	u32("queued", tb[SSS_A_QUEUED]);
	u32("backlog", tb[SSS_A_BACKLOG]);
	text("service-description", tb[SSS_A_SERVICE_DESC]);
	text("protocol-description", tb[SSS_A_PROTOCOL_DESC]);
	return MNL_CB_OK;
}

/* The path leads through one */
static int relay_cb(const struct nlattr *attr, void *data)
{
	(void)data;
	if (mnl_attr_get_type(attr) == SSS_A_RELAY)
		out_string("relay", endpoint_text(attr));
	return MNL_CB_OK;
}

static int channel_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	struct sss_info info;

	(void)data;
	nl_attrs(nlh, tb);
	out_object();
	u32("id", tb[SSS_A_CHANNEL_ID]);
	text("host", tb[SSS_A_HOST_NAME]);
	out_eid("peer", tb[SSS_A_PEER_EID]);
	if (tb[SSS_A_ENDPOINT])
		out_string("endpoint", endpoint_text(tb[SSS_A_ENDPOINT]));
	nl_nest(tb[SSS_A_RELAYS], relay_cb, NULL);
	u64("last-handshake-ms", tb[SSS_A_LAST_HANDSHAKE]);
	u64("key-age-ms", tb[SSS_A_KEY_AGE]);
	get_info(&info, tb[SSS_A_INFO]);
	out_channel_info(&info);
	return MNL_CB_OK;
}

int show_answer(struct nlmsghdr *nlh, mnl_cb_t cb, const char *brief_names)
{
	out_begin(brief_names);
	nl_send(nlh, cb, NULL);
	out_end();
	return EXIT_OK;
}

int show_of_host(struct args *args, int cmd, mnl_cb_t cb, const char *brief_names)
{
	struct nlmsghdr *nlh = nl_request(cmd, NLM_F_DUMP);

	if (args->n) {
		next_setting(args);
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, next_arg(args, "the name of a host"));
	}
	end_of_args(args);
	return show_answer(nlh, cb, brief_names);
}

static int show_services(struct args *args)
{
	if (args->n && (is_word(args->v[0], "remote") || !strcmp(args->v[0], "--remote")))
		return browse(args);
	end_of_args(args);
	return show_answer(nl_request(SSS_CMD_SERVICE_GET, NLM_F_DUMP), service_cb, "service protocol host queued");
}

const struct object object_service = {
	.name = "service", .standard = "show",
	.usage = "Usage: sss-netlink service show [remote EID]\n"
		 "What local programs listen for; with an EID, what this peer offers to us.\n",
	.commands = {
		{ "show", show_services, "remote=PEER" },
	},
};

static int change_channel(struct args *args, int cmd)
{
	const char *eid = next_arg(args, "the EID of a peer");
	struct nlmsghdr *nlh = nl_request(cmd, 0);

	put_eid(nlh, SSS_A_PEER_EID, eid);
	if (args->n) {
		next_setting(args);
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, next_arg(args, "the name of a host"));
	}
	end_of_args(args);
	return nl_send(nlh, NULL, NULL);
}

static int show_channels(struct args *args)
{
	end_of_args(args);
	return show_answer(nl_request(SSS_CMD_CHANNEL_GET, NLM_F_DUMP), channel_cb, "peer host endpoint link rtt-us");
}

static int rekey_channel(struct args *args)
{
	return change_channel(args, SSS_CMD_CHANNEL_REKEY);
}

static int close_channel(struct args *args)
{
	return change_channel(args, SSS_CMD_CHANNEL_CLOSE);
}

const struct object object_channel = {
	.name = "channel", .standard = "show",
	.usage = "Usage: sss-netlink channel show\n"
		 "       sss-netlink channel rekey EID [host NAME]\n"
		 "       sss-netlink channel close EID [host NAME]\n",
	.commands = {
		{ "show", show_channels, "" },
		{ "rekey", rekey_channel, "PEER host=HOST" },
		{ "close", close_channel, "PEER host=HOST" },
	},
};

struct stat_line {
	const char *pattern;
	const char *name;
	uint64_t value;
};

static int stat_attr(const struct nlattr *attr, void *data)
{
	struct stat_line *line = data;

	if (mnl_attr_get_type(attr) == SSS_A_STAT_NAME)
		line->name = mnl_attr_get_str(attr);
	if (mnl_attr_get_type(attr) == SSS_A_STAT_VALUE)
		line->value = mnl_attr_get_u64(attr);
	return MNL_CB_OK;
}

/* There are no columns here: brief is what happened at all. */
static void put_stat(const struct stat_line *line)
{
	bool was = brief;

	brief = false;
	out_number(line->name, line->value);
	brief = was;
}

static int stat_cb(const struct nlattr *attr, void *data)
{
	struct stat_line *line = data;

	line->name = NULL;
	mnl_attr_parse_nested(attr, stat_attr, line);
	if (!line->name || (line->pattern && !strcasestr(line->name, line->pattern)) ||
	    (brief && !line->value))
		return MNL_CB_OK;
	if (json)
		put_stat(line);
	else
		printf("%-24s %llu\n", line->name, (unsigned long long)line->value);
	return MNL_CB_OK;
}

static int stats_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];

	nl_attrs(nlh, tb);
	if (json)
		out_object();
	nl_nest(tb[SSS_A_STATS], stat_cb, data);
	return MNL_CB_OK;
}

static int show_stats(struct args *args)
{
	struct stat_line line = { 0 };

	if (args->n)
		line.pattern = next_arg(args, "a pattern");
	end_of_args(args);
	out_begin("");
	nl_send(nl_request(SSS_CMD_STATS_GET, 0), stats_cb, &line);
	if (json)
		out_end();
	return EXIT_OK;
}

const struct object object_stats = {
	.name = "stats",
	.usage = "Usage: sss-netlink stats [show] [PATTERN]\n"
		 "Counters whose name contains PATTERN; with -brief those that are not 0.\n",
	.commands = {
		{ "", show_stats, "PATTERN" },
		{ "show", show_stats, "PATTERN" },
	},
};

static const char *const events[] = {
	[SSS_EVENT_HOST_NEW] = "host added",
	[SSS_EVENT_HOST_DEL] = "host deleted",
	[SSS_EVENT_PEER_NEW] = "peer added",
	[SSS_EVENT_PEER_DEL] = "peer deleted",
	[SSS_EVENT_CHANNEL_NEW] = "channel established",
	[SSS_EVENT_CHANNEL_DEL] = "channel closed",
	[SSS_EVENT_LINK_UP] = "link up",
	[SSS_EVENT_LINK_STALLED] = "link stalled",
	[SSS_EVENT_LINK_DOWN] = "link down",
};

/* One list per event with -json, so that each line can be read at once */
static int event_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	uint32_t event;

	(void)data;
	nl_attrs(nlh, tb);
	event = tb[SSS_A_EVENT] ? mnl_attr_get_u32(tb[SSS_A_EVENT]) : 0;
	out_begin("event host local peer");
	out_object();
	out_string("event", event < sizeof(events) / sizeof(events[0]) && events[event] ?
		   events[event] : "unknown");
	text("host", tb[SSS_A_HOST_NAME]);
	out_eid("local", tb[SSS_A_HOST_EID]);
	out_eid("peer", tb[SSS_A_PEER_EID]);
	out_end();
	return MNL_CB_OK;
}

static int monitor(struct args *args)
{
	end_of_args(args);
	return nl_listen(SSS_GENL_MCGRP_MONITOR, event_cb);
}

const struct object object_monitor = {
	.name = "monitor",
	.usage = "Usage: sss-netlink monitor\n"
		 "Prints what comes and goes, as it happens.\n",
	.commands = {
		{ "", monitor, "" },
	},
};
