// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * sss-netlink: keys, hosts and peers of AF_SSS. OBJECT COMMAND, abbreviations
 * and options as in iproute2.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sss-netlink.h"

bool json, pretty;

static const struct {
	const char *name;
	int (*run)(struct args *args);
} objects[] = {
	{ "key", do_key },
	{ "host", do_host },
	{ "peer", do_peer },
	{ "service", do_service },
	{ "stream", do_stream },
	{ "channel", do_channel },
	{ "stats", do_stats },
	{ "config", do_config },
	{ "agent", do_agent },
	{ "monitor", do_monitor },
	{ "access", do_access },
};

static const char usage[] =
	"Usage: sss-netlink [-json [-pretty]] [-netns NAME] OBJECT COMMAND ...\n"
	"       sss-netlink OBJECT help\n"
	"OBJECT: key      generate, eid\n"
	"        host     add, del, set, show\n"
	"        peer     add, del, set, show\n"
	"        service  show [remote EID]\n"
	"        stream   show [rate]\n"
	"        channel  show, rekey, close\n"
	"        stats    [PATTERN]\n"
	"        access   add, set, del, show\n"
	"        config   check, load, unload\n"
	"        agent    [FILE]\n"
	"        monitor\n";

void die(int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("sss-netlink: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(code);
}

const char *next_arg(struct args *args, const char *what)
{
	if (!args->n)
		die(EXIT_USAGE, "%s is missing", what);
	args->n--;
	return *args->v++;
}

bool is_word(const char *given, const char *word)
{
	return *given && !strncmp(given, word, strlen(given));
}

void end_of_args(const struct args *args)
{
	if (args->n)
		die(EXIT_USAGE, "\"%s\" is one argument too many", args->v[0]);
}

bool on_off(const char *text, const char *what)
{
	if (!strcmp(text, "on"))
		return true;
	if (!strcmp(text, "off"))
		return false;
	die(EXIT_USAGE, "%s is \"on\" or \"off\", not \"%s\"", what, text);
}

unsigned long number(const char *text, const char *what, unsigned long max)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || v > max)
		die(EXIT_USAGE, "%s is a number up to %lu, not \"%s\"", what, max, text);
	return v;
}

static void enter_netns(const char *name)
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

/* Options stand before the object; -j, --json and so on are all taken. */
static bool option(struct args *args)
{
	const char *arg = args->n ? args->v[0] : "";

	if (*arg != '-' || !arg[1])
		return false;
	arg += arg[1] == '-' ? 2 : 1;
	next_arg(args, "an option");
	if (is_word(arg, "json"))
		json = true;
	else if (is_word(arg, "pretty"))
		pretty = true;
	else if (is_word(arg, "netns"))
		enter_netns(next_arg(args, "the name of a network namespace"));
	else if (is_word(arg, "help"))
		exit(fputs(usage, stdout) < 0);
	else
		die(EXIT_USAGE, "unknown option \"%s\": see \"sss-netlink help\"", arg);
	return true;
}

/* What could not be written was not shown. */
static int finish(int result)
{
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_KERNEL, "cannot write: %s", strerror(errno));
	return result;
}

int main(int argc, char **argv)
{
	struct args args = { .n = argc - 1, .v = argv + 1 };
	const char *name;
	size_t i;

	while (option(&args))
		;
	if (!args.n) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	name = next_arg(&args, "an object");
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (is_word(name, objects[i].name))
			return finish(objects[i].run(&args));
	if (is_word(name, "help"))
		return fputs(usage, stdout) < 0;
	die(EXIT_USAGE, "unknown object \"%s\": see \"sss-netlink help\"", name);
}
