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

static int dump(struct args *args, const char *object, int cmd, mnl_cb_t cb)
{
	const char *word = args->n ? next_arg(args, "a command") : "show";

	if (is_word(word, "help")) {
		printf("Usage: sss-netlink %s show%s\n", object,
		       cmd == SSS_CMD_SERVICE_GET ? " [remote EID]" : "");
		return EXIT_OK;
	}
	if (!is_word(word, "show") && !is_word(word, "list"))
		die(EXIT_USAGE, "unknown command \"%s %s\": there is only \"show\"", object, word);
	end_of_args(args);
	out_begin();
	nl_send(nl_request(cmd, NLM_F_DUMP), cb, NULL);
	out_end();
	return EXIT_OK;
}

int do_service(struct args *args)
{
	if (args->n > 1 && is_word(args->v[0], "show") && is_remote(args->v[1]))
		return browse(args);
	return dump(args, "service", SSS_CMD_SERVICE_GET, service_cb);
}

static int change_channel(struct args *args, int cmd)
{
	const char *eid = next_arg(args, "the EID of a peer");
	struct nlmsghdr *nlh = nl_request(cmd, 0);

	put_eid(nlh, SSS_A_PEER_EID, eid);
	if (args->n) {
		const char *word = next_arg(args, "\"host\"");

		if (!is_word(word, "host"))
			die(EXIT_USAGE, "unknown setting \"%s\": see \"sss-netlink channel help\"", word);
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, next_arg(args, "the name of a host"));
	}
	end_of_args(args);
	return nl_send(nlh, NULL, NULL);
}

int do_channel(struct args *args)
{
	const char *word = args->n ? args->v[0] : "show";

	if (is_word(word, "help")) {
		puts("Usage: sss-netlink channel show\n"
		     "       sss-netlink channel rekey EID [host NAME]\n"
		     "       sss-netlink channel close EID [host NAME]");
		return EXIT_OK;
	}
	if (is_word(word, "rekey") || is_word(word, "close")) {
		next_arg(args, "a command");
		return change_channel(args, is_word(word, "rekey") ? SSS_CMD_CHANNEL_REKEY :
				      SSS_CMD_CHANNEL_CLOSE);
	}
	if (!is_word(word, "show") && !is_word(word, "list"))
		die(EXIT_USAGE, "unknown command \"channel %s\": see \"sss-netlink channel help\"", word);
	return dump(args, "channel", SSS_CMD_CHANNEL_GET, channel_cb);
}

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

static int stat_cb(const struct nlattr *attr, void *data)
{
	struct stat_line *line = data;

	line->name = NULL;
	mnl_attr_parse_nested(attr, stat_attr, line);
	if (!line->name || (line->pattern && !strcasestr(line->name, line->pattern)))
		return MNL_CB_OK;
	if (json)
		out_number(line->name, line->value);
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

int do_stats(struct args *args)
{
	struct stat_line line = { 0 };

	if (args->n)
		line.pattern = next_arg(args, "a pattern");
	end_of_args(args);
	if (line.pattern && !strcmp(line.pattern, "help")) {
		puts("Usage: sss-netlink stats [PATTERN]");
		return EXIT_OK;
	}
	out_begin();
	nl_send(nl_request(SSS_CMD_STATS_GET, 0), stats_cb, &line);
	if (json)
		out_end();
	return EXIT_OK;
}

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
	out_begin();
	out_object();
	out_string("event", event < sizeof(events) / sizeof(events[0]) && events[event] ?
		   events[event] : "unknown");
	text("host", tb[SSS_A_HOST_NAME]);
	out_eid("local", tb[SSS_A_HOST_EID]);
	out_eid("peer", tb[SSS_A_PEER_EID]);
	out_end();
	return MNL_CB_OK;
}

int do_monitor(struct args *args)
{
	if (args->n && is_word(args->v[0], "help")) {
		puts("Usage: sss-netlink monitor");
		return EXIT_OK;
	}
	end_of_args(args);
	return nl_listen(SSS_GENL_MCGRP_MONITOR, event_cb);
}
