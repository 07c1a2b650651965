// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Colours, as ip(8) has them: addresses and states are found at a glance */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sss-netlink.h"

#define RED	"\033[31m"
#define GREEN	"\033[32m"
#define YELLOW	"\033[33m"
#define MAGENTA	"\033[35m"
#define CYAN	"\033[36m"
#define NONE	"\033[0m"

static enum { NEVER, ALWAYS, AUTO } wanted;

bool color_option(const char *when)
{
	if (is_word(when, "never"))
		wanted = NEVER;
	else if (!strcmp(when, "always"))
		wanted = ALWAYS;
	else if (!strcmp(when, "auto"))
		wanted = AUTO;
	else
		return false;
	return true;
}

/* https://no-color.org: who sets it to anything wants none unless told otherwise. */
static bool shown(int fd)
{
	const char *no = getenv("NO_COLOR");

	return wanted == ALWAYS || (wanted == AUTO && isatty(fd) && !(no && *no));
}

static const struct {
	const char *name;
	const char *value;	/* NULL: any */
	const char *color;
} colors[] = {
	{ "eid", NULL, CYAN }, { "peer", NULL, CYAN }, { "local", NULL, CYAN },
	{ "server", NULL, CYAN }, { "old-eid", NULL, CYAN },
	{ "endpoint", NULL, MAGENTA }, { "endpoints", NULL, MAGENTA },
	{ "relay", NULL, MAGENTA }, { "observed", NULL, MAGENTA },
	{ "link", "up", GREEN }, { "link", "stalled", YELLOW }, { "link", "down", RED },
	{ "state", "ESTAB", GREEN }, { "state", "CLOSE", RED }, { "state", "reachable", GREEN },
	{ "state", "running", GREEN }, { "state", "stopped", RED },
	{ "state", "unreachable", RED }, { "state", NULL, YELLOW },
	{ "event", "link up", GREEN }, { "event", "link stalled", YELLOW },
	{ "event", "link down", RED },
};

const char *color_of(const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
		if (!strcmp(colors[i].name, name) &&
		    (!colors[i].value || !strcmp(colors[i].value, value)))
			return shown(STDOUT_FILENO) ? colors[i].color : "";
	return "";
}

const char *color_error(void)
{
	return shown(STDERR_FILENO) ? RED : "";
}

const char *color_end(const char *begin)
{
	return *begin ? NONE : "";
}
