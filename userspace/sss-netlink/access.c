// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdio.h>
#include <string.h>
#include "sss-netlink.h"

static const char usage[] =
	"Usage: sss-netlink access add|set EID|anyone [service NAME] [LIMIT]... [host NAME]\n"
	"       sss-netlink access add|set EID|anyone [service NAME] deny [host NAME]\n"
	"       sss-netlink access del EID|anyone [service NAME] [host NAME]\n"
	"       sss-netlink access show [host NAME]\n"
	"LIMIT: max-streams N | rate N\n"
	"Rules count on a host with \"access rules\" (see \"host help\"). Of those that fit,\n"
	"that for this EID and service decides, then that for this EID, then that for\n"
	"this service; where none fits nobody gets in. Without \"host\" the default host\n"
	"is meant; \"show\" then shows all.\n";

static void put_service(struct nlmsghdr *nlh, const char *name)
{
	if (!*name || strlen(name) > SSS_NAME_MAX)
		die(EXIT_USAGE, "a service has 1 to %d bytes, not \"%s\"", SSS_NAME_MAX, name);
	mnl_attr_put_strz(nlh, SSS_A_SERVICE, name);
}

/* What follows the EID */
static void setting(struct args *args, const char *word, struct nlmsghdr *nlh)
{
	if (!strcmp(word, "service"))
		put_service(nlh, next_arg(args, "the name of a service"));
	else if (!strcmp(word, "host"))
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, next_arg(args, "the name of a host"));
	else if (!strcmp(word, "max-streams"))
		mnl_attr_put_u32(nlh, SSS_A_MAX_STREAMS,
				 number(next_arg(args, "max-streams"), "max-streams", UINT32_MAX));
	else if (!strcmp(word, "rate"))
		mnl_attr_put_u32(nlh, SSS_A_STREAM_RATE,
				 number(next_arg(args, "rate"), "rate", UINT32_MAX));
	else
		mnl_attr_put(nlh, SSS_A_ACCESS_DENY, 0, NULL);
}

static int change(struct args *args, int cmd)
{
	const char *who = next_arg(args, "an EID, or \"anyone\",");
	struct nlmsghdr *nlh = nl_request(cmd, 0);

	if (strcmp(who, "anyone"))
		put_eid(nlh, SSS_A_PEER_EID, who);
	while (args->n)
		setting(args, next_setting(args), nlh);
	return nl_send(nlh, NULL, NULL);
}

static int show_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];

	(void)data;
	nl_attrs(nlh, tb);
	out_object();
	if (tb[SSS_A_PEER_EID])
		out_eid("eid", tb[SSS_A_PEER_EID]);
	else
		out_string("eid", "anyone");
	out_string("host", mnl_attr_get_str(tb[SSS_A_HOST_NAME]));
	if (tb[SSS_A_SERVICE])
		out_string("service", mnl_attr_get_str(tb[SSS_A_SERVICE]));
	if (tb[SSS_A_MAX_STREAMS])
		out_number("max-streams", mnl_attr_get_u32(tb[SSS_A_MAX_STREAMS]));
	if (tb[SSS_A_STREAM_RATE])
		out_number("rate", mnl_attr_get_u32(tb[SSS_A_STREAM_RATE]));
	out_bool("deny", tb[SSS_A_ACCESS_DENY]);
	return MNL_CB_OK;
}

static int show(struct args *args)
{
	return show_of_host(args, SSS_CMD_ACCESS_GET, show_cb, "eid host service deny max-streams rate");
}

static int add(struct args *args)
{
	return change(args, SSS_CMD_ACCESS_NEW);
}

static int set(struct args *args)
{
	return change(args, SSS_CMD_ACCESS_SET);
}

static int del(struct args *args)
{
	return change(args, SSS_CMD_ACCESS_DEL);
}

const struct object object_access = {
	.name = "access", .usage = usage, .standard = "show",
	.commands = {
		{ "add", add, "WHO service=SERVICE max-streams=N rate=N deny host=HOST" },
		{ "set", set, "WHO service=SERVICE max-streams=N rate=N deny host=HOST" },
		{ "del", del, "WHO service=SERVICE host=HOST" },
		{ "show", show, "host=HOST" },
	},
};
