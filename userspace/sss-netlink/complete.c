// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * sss-netlink -complete WORD...: what the last word, which may be empty, could become
 * behind the others, one a line; for the shell. All of it comes from what the commands
 * themselves are made of. "@file" and "@folder" are left to the shell, @ because no
 * word that we know begins so.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../libsss/sss.h"
#include "known.h"
#include "sss-netlink.h"

static const char *start;	/* of what is wanted */
static const char *netns;	/* where, NULL: here */

static void offer(const char *word, size_t len)
{
	size_t n = strlen(start);

	if (len >= n && !strncmp(word, start, n))
		printf("%.*s\n", (int)len, word);
}

static void offer_word(const char *word)
{
	offer(word, strlen(word));
}

static void offer_alternatives(const char *text, size_t len)
{
	const char *end = text + len;
	size_t n;

	for (; text < end; text += n + 1) {
		n = strcspn(text, "| ");
		offer(text, n);
	}
}

static void offer_hosts(const struct known *known)
{
	unsigned int i;

	for (i = 0; i < known->n_hosts; i++)
		offer_word(known->hosts[i].name);
}

static void offer_peers(const struct known *known)
{
	char text[SSS_EID_TEXT];
	unsigned int i;

	for (i = 0; i < known->n_peers; i++)
		offer_word(sss_eid_format(&known->peers[i].eid, text));
}

/* Apart, since it ends when the module is not there: then there is nothing to offer */
static void offer_known(void (*offer_them)(const struct known *known))
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct known known;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child) {
		close(null);
		waitpid(child, NULL, 0);
		return;
	}
	dup2(null, STDERR_FILENO);
	if (netns)
		enter_netns(netns);
	known_read(&known);
	offer_them(&known);
	exit(EXIT_OK);
}

static void offer_namespaces(void)
{
	DIR *folder = opendir("/run/netns");
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (*entry->d_name != '.')
			offer_word(entry->d_name);
	if (folder)
		closedir(folder);
}

/* A value of this kind; anything that is not known here may be any word. */
static void offer_kind(const char *kind, size_t len)
{
	static const char *const files[] = { "FILE", "NEWFILE" };
	size_t i;

	if (*kind >= 'a' && *kind <= 'z') {
		offer_alternatives(kind, len);
		return;
	}
	if (*kind == '-')
		offer(kind, len);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (len == strlen(files[i]) && !strncmp(kind, files[i], len))
			puts("@file");
	if (!strncmp(kind, "HOST", len))
		offer_known(offer_hosts);
	if (!strncmp(kind, "PEER", len) || !strncmp(kind, "WHO", len))
		offer_known(offer_peers);
	if (!strncmp(kind, "WHO", len))
		offer_word("anyone");
}

/* The setting of that name, or NULL */
static const char *find_setting(const char *follows, const char *name, size_t *len)
{
	const char *word;

	while ((*len = next_follows(&follows, &word)))
		if (*word >= 'a' && *word <= 'z' && !strncmp(word, name, strlen(name)) &&
		    strchr("= ", word[strlen(name)]))
			return word;
	return NULL;
}

/* The nth value in front of all settings, or NULL */
static const char *find_value(const char *follows, int nth, size_t *len)
{
	const char *word;

	while ((*len = next_follows(&follows, &word)) && !(*word >= 'a' && *word <= 'z'))
		if (!nth--)
			return word;
	return NULL;
}

static void offer_settings(const char *follows)
{
	const char *word;
	size_t len;

	while ((len = next_follows(&follows, &word)))
		if (*word >= 'a' && *word <= 'z')
			offer(word, strcspn(word, "= "));
}

static void complete_command(const struct command *command, struct args *args)
{
	const char *word, *before = NULL;
	int values = 0;
	size_t len;

	for (; args->n > 1; next_arg(args, "a word")) {
		word = before ? NULL : find_setting(command->follows, args->v[0], &len);
		if (!word && !before && args->v[0][0] != '-')
			values++;
		before = word && memchr(word, '=', len) ? word : NULL;
	}
	if (before) {
		before = strchr(before, '=') + 1;
		offer_kind(before, strcspn(before, " "));
		return;
	}
	word = find_value(command->follows, 0, &len);
	if (word && *word == '-')
		offer(word, len);
	word = find_value(command->follows, values + (word && *word == '-'), &len);
	if (word)
		offer_kind(word, len);
	if (!word || values)
		offer_settings(command->follows);
}

static void complete_object(const struct object *object, struct args *args)
{
	const struct command *command, *bare = NULL;

	for (command = object->commands; command->name; command++) {
		if (args->n > 1 && *command->name && is_word(args->v[0], command->name))
			break;
		if (args->n == 1 && *command->name)
			offer_word(command->name);
		if (!*command->name)
			bare = command;
	}
	if (args->n == 1)
		offer_word("help");
	if (args->n > 1 && command->name)
		next_arg(args, "a command");
	else
		command = bare;
	if (command && command->name)
		complete_command(command, args);
}

/* Options in front of the object; whether the last word was one, or of one */
static bool complete_options(struct args *args)
{
	size_t i;

	while (args->n > 1 && *args->v[0] == '-') {
		const char *option = next_arg(args, "an option");

		option += strspn(option, "-");
		if (is_word(option, "netns") && args->n == 1)
			offer_namespaces();
		else if (is_word(option, "batch") && option[1] == 'a' && args->n == 1)
			puts("@file");
		else if (!is_word(option, "netns") && !is_word(option, "batch"))
			continue;
		if (args->n == 1)
			return true;
		if (is_word(option, "netns"))
			netns = args->v[0];
		next_arg(args, "a value");
	}
	if (args->n > 1 || *start != '-')
		return false;
	for (i = 0; options[i]; i++) {
		char text[32];

		snprintf(text, sizeof(text), "-%s", options[i]);
		offer_word(text);
	}
	return true;
}

int complete(struct args *args)
{
	int i;

	next_arg(args, "-complete");
	if (!args->n)
		return EXIT_USAGE;
	start = args->v[args->n - 1];
	if (complete_options(args))
		return EXIT_OK;
	for (i = 0; objects[i] && args->n == 1; i++)
		offer_word(objects[i]->name);
	if (args->n == 1)
		offer_word("help");
	for (i = 0; objects[i] && args->n > 1; i++) {
		if (!is_word(args->v[0], objects[i]->name))
			continue;
		next_arg(args, "an object");
		complete_object(objects[i], args);
		break;
	}
	return EXIT_OK;
}
