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

/* What follows the EID; false: the word is none of it */
static bool setting(struct args *args, const char *word, struct nlmsghdr *nlh, bool add)
{
	if (is_word(word, "service"))
		put_service(nlh, next_arg(args, "the name of a service"));
	else if (is_word(word, "host"))
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, next_arg(args, "the name of a host"));
	else if (add && is_word(word, "max-streams"))
		mnl_attr_put_u32(nlh, SSS_A_MAX_STREAMS,
				 number(next_arg(args, "max-streams"), "max-streams", UINT32_MAX));
	else if (add && is_word(word, "rate"))
		mnl_attr_put_u32(nlh, SSS_A_STREAM_RATE,
				 number(next_arg(args, "rate"), "rate", UINT32_MAX));
	else if (add && is_word(word, "deny"))
		mnl_attr_put(nlh, SSS_A_ACCESS_DENY, 0, NULL);
	else
		return false;
	return true;
}

static int change(struct args *args, int cmd)
{
	const char *who = next_arg(args, "an EID, or \"anyone\",");
	struct nlmsghdr *nlh = nl_request(cmd, 0);

	if (strcmp(who, "anyone"))
		put_eid(nlh, SSS_A_PEER_EID, who);
	while (args->n) {
		const char *word = next_arg(args, "a setting");

		if (!setting(args, word, nlh, cmd != SSS_CMD_ACCESS_DEL))
			die(EXIT_USAGE, "unknown setting \"%s\": see \"sss-netlink access help\"", word);
	}
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
	struct nlmsghdr *nlh = nl_request(SSS_CMD_ACCESS_GET, NLM_F_DUMP);

	if (args->n) {
		const char *word = next_arg(args, "\"host\"");

		if (!is_word(word, "host"))
			die(EXIT_USAGE, "unknown setting \"%s\": see \"sss-netlink access help\"", word);
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, next_arg(args, "the name of a host"));
	}
	end_of_args(args);
	out_begin();
	nl_send(nlh, show_cb, NULL);
	out_end();
	return EXIT_OK;
}

int do_access(struct args *args)
{
	const char *cmd = args->n ? next_arg(args, "a command") : "show";

	if (is_word(cmd, "add"))
		return change(args, SSS_CMD_ACCESS_NEW);
	if (is_word(cmd, "set"))
		return change(args, SSS_CMD_ACCESS_SET);
	if (is_word(cmd, "del") || !strcmp(cmd, "delete"))
		return change(args, SSS_CMD_ACCESS_DEL);
	if (is_word(cmd, "show") || is_word(cmd, "list"))
		return show(args);
	if (is_word(cmd, "help"))
		return fputs(usage, stdout) < 0;
	die(EXIT_USAGE, "unknown command \"access %s\": see \"sss-netlink access help\"", cmd);
}
