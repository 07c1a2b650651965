// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * sss-netlink: keys, hosts and peers of AF_SSS. OBJECT COMMAND, abbreviations
 * and options as in iproute2.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <common/version.h>
#include "sss-netlink.h"

bool json, pretty, brief;

const struct object *const objects[] = {
	&object_key, &object_host, &object_peer, &object_service, &object_stream,
	&object_channel, &object_stats, &object_access, &object_config, &object_regserver,
	&object_agent, &object_monitor, NULL,
};

static const char usage[] =
	"Usage: sss-netlink [OPTION ...] OBJECT COMMAND ...\n"
	"       sss-netlink [-force] -batch FILE\n"
	"       sss-netlink OBJECT help\n"
	"OBJECT: key        generate, eid, show, read, rotate\n"
	"        host       add, del, set, show\n"
	"        peer       add, del, set, show\n"
	"        service    show [remote EID]\n"
	"        stream     show [rate]\n"
	"        channel    show, rekey, close\n"
	"        stats      [show] [PATTERN]\n"
	"        access     add, set, del, show\n"
	"        config     check, load, unload\n"
	"        regserver  add, del, show, search, lookup\n"
	"        agent      [FILE], show, peers\n"
	"        monitor\n"
	"OPTION: -json [-pretty]  -brief  -color[=always|auto|never]  -netns NAME\n"
	"        -batch FILE  -force  -help  -Version\n";

enum { O_JSON, O_PRETTY, O_BRIEF, O_COLOR, O_NETNS, O_BATCH, O_FORCE, O_HELP, O_VERSION };

const char *const options[] = {
	[O_JSON] = "json", [O_PRETTY] = "pretty", [O_BRIEF] = "brief", [O_COLOR] = "color",
	[O_NETNS] = "netns", [O_BATCH] = "batch", [O_FORCE] = "force", [O_HELP] = "help",
	[O_VERSION] = "Version", NULL,
};

static const char *batch_file;
static bool force;

void enter_netns(const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(EXIT_USAGE, "there is no network namespace \"%s\": see \"ip netns list\"", name);
	if (setns(fd, CLONE_NEWNET))
		die(EXIT_USAGE, "cannot enter network namespace \"%s\": %s", name, strerror(errno));
	close(fd);
}

/* What could not be written was not shown. */
static int finish(int result)
{
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_KERNEL, "cannot write: %s", strerror(errno));
	return result;
}

static void version(void)
{
	printf("sss-netlink %s of AF_SSS, netlink version %d\n", VERSION, SSS_GENL_VERSION);
	exit(finish(EXIT_OK));
}

/* Its name in full, and what stands behind "=" of it */
static int find_option(const char *arg, const char **value)
{
	char name[32];
	int found;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg, "="), arg);
	*value = strchr(arg, '=');
	if (*value)
		++*value;
	found = strcmp(name, "version") ? pick(name, options, "option") : O_VERSION;
	if (found < 0 || (*value && found != O_COLOR))
		die(EXIT_USAGE, "unknown option \"%s\": see \"sss-netlink help\"", arg);
	return found;
}

static void take_option(struct args *args, const char *arg)
{
	const char *value;

	switch (find_option(arg, &value)) {
	case O_JSON:
		json = true;
		break;
	case O_PRETTY:
		pretty = true;
		break;
	case O_BRIEF:
		brief = true;
		break;
	case O_COLOR:
		if (!color_option(value ?: "always"))
			die(EXIT_USAGE, "-color is \"always\", \"auto\" or \"never\", not \"%s\"",
			    value);
		break;
	case O_NETNS:
		enter_netns(next_arg(args, "the name of a network namespace"));
		break;
	case O_BATCH:
		batch_file = next_arg(args, "a file of commands");
		break;
	case O_FORCE:
		force = true;
		break;
	case O_HELP:
		fputs(usage, stdout);
		exit(finish(EXIT_OK));
	default:
		version();
	}
}

/* Options stand before the object; -j, --json and so on are all taken. */
static bool option(struct args *args)
{
	const char *arg = args->n ? args->v[0] : "";

	if (*arg != '-' || !arg[1])
		return false;
	arg += arg[1] == '-' ? 2 : 1;
	next_arg(args, "an option");
	take_option(args, arg);
	return true;
}

static int run_object(struct args *args)
{
	const char *names[sizeof(objects) / sizeof(objects[0])], *name;
	int i;

	for (i = 0; objects[i]; i++)
		names[i] = objects[i]->name;
	names[i] = NULL;
	name = next_arg(args, "an object");
	i = pick(name, names, "object");
	if (i >= 0)
		return run_command(objects[i], args);
	if (is_word(name, "help"))
		return fputs(usage, stdout) < 0;
	die(EXIT_USAGE, "unknown object \"%s\": see \"sss-netlink help\"", name);
}

int run_line(struct args args)
{
	batch_file = NULL;
	while (option(&args))
		;
	if (batch_file) {
		end_of_args(&args);
		return finish(batch(batch_file, force));
	}
	if (!args.n) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return finish(run_object(&args));
}

int main(int argc, char **argv)
{
	struct args args = { .n = argc - 1, .v = argv + 1 };

	if (args.n && !strcmp(args.v[0], "-complete"))
		return finish(complete(&args));
	return run_line(args);
}
