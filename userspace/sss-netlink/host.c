// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <common/number.h>
#include "sss-netlink.h"

static const char usage[] =
	"Usage: sss-netlink host add NAME [private-key FILE] [SETTING ...]\n"
	"       sss-netlink host set NAME SETTING ...\n"
	"       sss-netlink host del NAME\n"
	"       sss-netlink host show [NAME]\n"
	"SETTING: port N | default on|off | stealth on|off | hide-services on|off |\n"
	"         owner USER | group GROUP | mode OCTAL | padding none|buckets|full |\n"
	"         access anyone|peers|rules | max-streams N | rate N\n"
	"FILE may be \"-\", standard input. Without a key the kernel makes one.\n";

static const struct {
	const char *name;
	uint32_t flag;
} flags[] = {
	{ "default", SSS_HOST_F_DEFAULT },
	{ "stealth", SSS_HOST_F_STEALTH },
	{ "hide-services", SSS_HOST_F_HIDE_SERVICES },
};

/* by enum sss_padding */
static const char *const paddings[] = { "none", "buckets", "full", NULL };

#define N_PADDINGS (sizeof(paddings) / sizeof(paddings[0]) - 1)
static const char *const access_names[] = {
	[SSS_ACCESS_ANYONE] = "anyone", [SSS_ACCESS_PEERS] = "peers", [SSS_ACCESS_RULES] = "rules",
	NULL,
};

#define N_ACCESS (sizeof(access_names) / sizeof(access_names[0]) - 1)

struct settings {
	uint32_t flags, mask;
};

static uint32_t user(const char *text)
{
	struct passwd *pw = getpwnam(text);

	return pw ? pw->pw_uid : number(text, "owner", UINT32_MAX - 1);
}

static uint32_t group(const char *text)
{
	struct group *gr = getgrnam(text);

	return gr ? gr->gr_gid : number(text, "group", UINT32_MAX - 1);
}

static uint32_t octal(const char *text)
{
	uint64_t v;

	if (!number_parse(text, 8, 0777, &v))
		die(EXIT_USAGE, "mode is an octal number up to 777, not \"%s\"", text);
	return v;
}

static uint32_t padding(const char *text)
{
	int i = pick(text, paddings, "padding");

	if (i >= 0)
		return i;
	die(EXIT_USAGE, "padding is none, buckets or full, not \"%s\"", text);
}

static uint32_t access_of(const char *text)
{
	int i = pick(text, access_names, "access");

	if (i >= 0)
		return i;
	die(EXIT_USAGE, "access is for \"anyone\", \"peers\" or \"rules\", not \"%s\"", text);
}

static void flag_setting(struct args *args, const char *word, struct settings *s)
{
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(word, flags[i].name))
			continue;
		s->mask |= flags[i].flag;
		if (on_off(next_arg(args, flags[i].name), flags[i].name))
			s->flags |= flags[i].flag;
	}
}

static void key_setting(struct args *args, struct nlmsghdr *nlh)
{
	uint8_t key[SSS_EID_LEN];

	read_key(next_arg(args, "a key file"), key);
	mnl_attr_put(nlh, SSS_A_HOST_PRIVATE_KEY, sizeof(key), key);
	sodium_memzero(key, sizeof(key));
}

/* Who may use it from afar */
static bool access_setting(struct args *args, const char *word, struct nlmsghdr *nlh)
{
	if (!strcmp(word, "access"))
		mnl_attr_put_u32(nlh, SSS_A_HOST_ACCESS, access_of(next_arg(args, "access")));
	else if (!strcmp(word, "max-streams"))
		mnl_attr_put_u32(nlh, SSS_A_MAX_STREAMS,
				 number(next_arg(args, "max-streams"), "max-streams", UINT32_MAX));
	else if (!strcmp(word, "rate"))
		mnl_attr_put_u32(nlh, SSS_A_STREAM_RATE,
				 number(next_arg(args, "rate"), "rate", UINT32_MAX));
	else
		return false;
	return true;
}

static void settings(struct args *args, struct nlmsghdr *nlh)
{
	struct settings s = { 0, 0 };

	while (args->n) {
		const char *word = next_setting(args);

		if (!strcmp(word, "private-key") || !strcmp(word, "key"))
			key_setting(args, nlh);
		else if (!strcmp(word, "port"))
			mnl_attr_put_u16(nlh, SSS_A_HOST_PORT,
					 number(next_arg(args, "port"), "port", 65535));
		else if (!strcmp(word, "owner"))
			mnl_attr_put_u32(nlh, SSS_A_HOST_UID, user(next_arg(args, "owner")));
		else if (!strcmp(word, "group"))
			mnl_attr_put_u32(nlh, SSS_A_HOST_GID, group(next_arg(args, "group")));
		else if (!strcmp(word, "mode"))
			mnl_attr_put_u32(nlh, SSS_A_HOST_MODE, octal(next_arg(args, "mode")));
		else if (!strcmp(word, "padding"))
			mnl_attr_put_u32(nlh, SSS_A_HOST_PADDING,
					 padding(next_arg(args, "padding")));
		else if (!access_setting(args, word, nlh))
			flag_setting(args, word, &s);
	}
	if (!s.mask)
		return;
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS, s.flags);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS_MASK, s.mask);
}

static struct nlmsghdr *named(struct args *args, int cmd, int nl_flags)
{
	const char *name = next_arg(args, "the name of a host");
	struct nlmsghdr *nlh;

	refuse_key_on_command_line(name);
	if (strlen(name) > SSS_HOST_NAME_MAX)
		die(EXIT_USAGE, "a host's name has at most %d bytes", SSS_HOST_NAME_MAX);
	nlh = nl_request(cmd, nl_flags);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	return nlh;
}

static int change(struct args *args, int cmd)
{
	struct nlmsghdr *nlh = named(args, cmd, 0);

	if (cmd == SSS_CMD_HOST_DEL)
		end_of_args(args);
	if (cmd == SSS_CMD_HOST_SET && !args->n)
		die(EXIT_USAGE, "what shall change? See \"sss-netlink host help\"");
	settings(args, nlh);
	return nl_send(nlh, NULL, NULL);
}

static int show_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	uint32_t on, mode, access;
	char text[8];
	size_t i;

	(void)data;
	nl_attrs(nlh, tb);
	out_object();
	out_string("name", mnl_attr_get_str(tb[SSS_A_HOST_NAME]));
	out_eid("eid", tb[SSS_A_HOST_EID]);
	out_number("port", mnl_attr_get_u16(tb[SSS_A_HOST_PORT]));
	on = mnl_attr_get_u32(tb[SSS_A_HOST_FLAGS]);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		out_bool(flags[i].name, on & flags[i].flag);
	out_number("owner", mnl_attr_get_u32(tb[SSS_A_HOST_UID]));
	out_number("group", mnl_attr_get_u32(tb[SSS_A_HOST_GID]));
	mode = mnl_attr_get_u32(tb[SSS_A_HOST_MODE]);
	snprintf(text, sizeof(text), "%04o", mode & 07777);
	out_string("mode", text);
	on = tb[SSS_A_HOST_PADDING] ? mnl_attr_get_u32(tb[SSS_A_HOST_PADDING]) : 0;
	out_string("padding", on < N_PADDINGS ? paddings[on] : "?");
	access = mnl_attr_get_u32(tb[SSS_A_HOST_ACCESS]);
	out_string("access", access < N_ACCESS ? access_names[access] : "?");
	out_number("max-streams", mnl_attr_get_u32(tb[SSS_A_MAX_STREAMS]));
	out_number("rate", mnl_attr_get_u32(tb[SSS_A_STREAM_RATE]));
	return MNL_CB_OK;
}

static int show(struct args *args)
{
	struct nlmsghdr *nlh;

	nlh = args->n ? named(args, SSS_CMD_HOST_GET, 0) :
			nl_request(SSS_CMD_HOST_GET, NLM_F_DUMP);
	end_of_args(args);
	return show_answer(nlh, show_cb, "name eid port access");
}

static int add(struct args *args)
{
	return change(args, SSS_CMD_HOST_NEW);
}

static int set(struct args *args)
{
	return change(args, SSS_CMD_HOST_SET);
}

static int del(struct args *args)
{
	return change(args, SSS_CMD_HOST_DEL);
}

#define SETTINGS \
	"port=N default=on|off stealth=on|off hide-services=on|off owner=USER group=GROUP " \
	"mode=OCTAL padding=none|buckets|full access=anyone|peers|rules max-streams=N rate=N"

const struct object object_host = {
	.name = "host", .usage = usage, .standard = "show",
	.commands = {
		{ "add", add, "NAME private-key=FILE key=FILE " SETTINGS },
		{ "set", set, "HOST " SETTINGS },
		{ "del", del, "HOST" },
		{ "show", show, "HOST" },
	},
};
