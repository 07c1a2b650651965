// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Words of the command line: abbreviations, values, and what is said of wrong ones */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <common/number.h>
#include "sss-netlink.h"

#define SETTINGS	16
#define SETTING		32	/* bytes of a setting's name */

static const char *at_file;
static unsigned int at_line;

void said_at(const char *file, unsigned int line)
{
	at_file = file;
	at_line = line;
}

static void say(const char *fmt, va_list ap)
{
	const char *color = color_error();

	fflush(stdout);
	fprintf(stderr, "%ssss-netlink: ", color);
	if (at_file)
		fprintf(stderr, "%s:%u: ", at_file, at_line);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "%s\n", color_end(color));
}

void die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(code);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
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

/* "a, b, c": those that begin as given */
static const char *list(const char *given, const char *const *names)
{
	static char text[512];
	size_t n = 0;

	for (text[0] = '\0'; *names; names++)
		if (**names && !strncmp(*names, given, strlen(given)) && n < sizeof(text))
			n += snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "", *names);
	return text;
}

int pick(const char *given, const char *const *names, const char *what)
{
	int i, found = -1, n = 0;

	for (i = 0; names[i]; i++) {
		if (*given && !strcmp(given, names[i]))
			return i;
		if (!is_word(given, names[i]))
			continue;
		found = i;
		n++;
	}
	if (n > 1)
		die(EXIT_USAGE, "%s \"%s\" might be any of these: %s", what, given,
		    list(given, names));
	return found;
}

size_t next_follows(const char **follows, const char **word)
{
	size_t len;

	*word = *follows + strspn(*follows, " ");
	len = strcspn(*word, " ");
	*follows = *word + len;
	return len;
}

const char *next_setting(struct args *args)
{
	static char names[SETTINGS][SETTING];
	const char *list[SETTINGS + 1], *follows = args->command->follows, *at, *word;
	size_t n = 0, len;
	int found;

	while ((len = next_follows(&follows, &at)) && n < SETTINGS) {
		if (*at < 'a' || *at > 'z')
			continue;
		snprintf(names[n], SETTING, "%.*s", (int)strcspn(at, " ="), at);
		list[n] = names[n];
		n++;
	}
	list[n] = NULL;
	word = next_arg(args, "a setting");
	refuse_key_on_command_line(word);
	found = pick(word, list, "setting");
	if (found < 0)
		die(EXIT_USAGE, "unknown setting \"%s\": see \"sss-netlink %s help\"", word,
		    args->object->name);
	return names[found];
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
	uint64_t v;

	if (!number_parse(text, 10, max, &v))
		die(EXIT_USAGE, "%s is a number up to %lu, not \"%s\"", what, max, text);
	return v;
}

static void names_of(const struct object *object, const char *names[COMMANDS_MAX + 1])
{
	int i;

	for (i = 0; object->commands[i].name; i++)
		names[i] = object->commands[i].name;
	names[i] = NULL;
}

/* Other words for some, which ip(8) takes as well */
static const char *synonym(const char *word, const char *const *names)
{
	for (; *names; names++) {
		if (!strcmp(*names, "del") && !strcmp(word, "delete"))
			return *names;
		if (!strcmp(*names, "show") && is_word(word, "list"))
			return *names;
	}
	return word;
}

static int unknown(const struct object *object, const char *word, const char *const *names)
{
	if (names[0] && !names[1])
		die(EXIT_USAGE, "unknown command \"%s %s\": there is only \"%s\"", object->name,
		    word, names[0]);
	die(EXIT_USAGE, "unknown command \"%s %s\": see \"sss-netlink %s help\"", object->name,
	    word, object->name);
}

/* Where words may stand without any command, only a whole one is a command. */
static int find_bare(struct args *args, const char *const *names)
{
	int i, bare = 0;

	for (i = 0; names[i]; i++) {
		if (!*names[i])
			bare = i;
		else if (args->n && !strcmp(args->v[0], names[i]))
			break;
	}
	if (!names[i])
		return bare;
	next_arg(args, "a command");
	return i;
}

static int find_command(const struct object *object, struct args *args,
			const char *const *names)
{
	const char *word = object->standard;
	char what[600];
	int found;

	snprintf(what, sizeof(what), "a command (%s)", list("", names));
	if (args->n || !word)
		word = next_arg(args, what);
	snprintf(what, sizeof(what), "command \"%s\"", object->name);
	found = pick(word, names, what);
	if (found < 0)
		found = pick(synonym(word, names), names, what);
	return found < 0 && !is_word(word, "help") ? unknown(object, word, names) : found;
}

int run_command(const struct object *object, struct args *args)
{
	const char *names[COMMANDS_MAX + 1];
	bool bare = false;
	int i;

	names_of(object, names);
	for (i = 0; names[i]; i++)
		bare = bare || !*names[i];
	if (bare && args->n && !strcmp(args->v[0], "help"))
		i = -1;
	else
		i = bare ? find_bare(args, names) : find_command(object, args, names);
	if (i < 0)
		return fputs(object->usage, stdout) < 0;
	args->object = object;
	args->command = &object->commands[i];
	return args->command->run(args);
}
