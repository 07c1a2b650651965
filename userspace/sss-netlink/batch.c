// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * -batch: commands from a file. Each runs in a process of its own: whatever it leaves
 * behind when it fails, locks and open files, goes with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sss-netlink.h"

#define WORDS 256
#define BATCHES 16

/*
 * Takes the quotes of a word away, in its place, and ends it. Returns what is behind
 * it; NULL: a quote is not closed.
 */
static char *end_word(char *at)
{
	char *to = at, quote = '\0';

	for (; *at && (quote || !strchr(" \t\r\n", *at)); at++) {
		if (*at == quote)
			quote = '\0';
		else if (!quote && (*at == '"' || *at == '\''))
			quote = *at;
		else if (*at == '\\' && quote != '\'' && at[1])
			*to++ = *++at;
		else
			*to++ = *at;
	}
	if (quote)
		return NULL;
	at += *at != '\0';
	*to = '\0';
	return at;
}

static int split(char *line, char *words[WORDS])
{
	int n = 0;

	while (line[strspn(line, " \t\r\n")]) {
		line += strspn(line, " \t\r\n");
		if (*line == '#')
			break;
		if (n == WORDS)
			die(EXIT_USAGE, "more than %d words", WORDS);
		words[n++] = line;
		line = end_word(line);
		if (!line)
			die(EXIT_USAGE, "a quote is not closed");
	}
	return n;
}

/* The file is not for the command, which could move where it is read. */
static int run_child(FILE *from, char *line)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct args args = { 0 };
	char *words[WORDS];

	dup2(null, fileno(from));
	args.n = split(line, words);
	args.v = words;
	return args.n ? run_line(args) : EXIT_OK;
}

static int run(FILE *from, char *line)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		exit(run_child(from, line));
	if (child < 0 || waitpid(child, &status, 0) < 0)
		die(EXIT_KERNEL, "cannot start a process: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_KERNEL;
}

/* Lines that end with a backslash go on; returns how many there were, 0: no more */
static unsigned int next_line(FILE *from, char **line, size_t *size)
{
	static char *part;
	static size_t room;
	size_t len = 0;
	unsigned int n = 0;
	ssize_t got;

	while ((got = getline(&part, &room, from)) >= 0) {
		n++;
		if (*size < len + got + 1) {
			*size = len + got + 1;
			*line = realloc(*line, *size);
			if (!*line)
				die(EXIT_KERNEL, "out of memory");
		}
		memcpy(*line + len, part, got + 1);
		len += got;
		if (strlen(*line) != len)
			die(EXIT_USAGE, "a zero byte: this is no text");
		if (len < 2 || strcmp(*line + len - 2, "\\\n"))
			break;
		len -= 2;
		(*line)[len] = '\0';
	}
	return n;
}

int batch(const char *file, bool force)
{
	static int depth;	/* of this process; each command's has its own */
	bool is_stdin = !strcmp(file, "-");
	FILE *from = is_stdin ? stdin : fopen(file, "re");
	unsigned int at = 1, n;
	int result = EXIT_OK;
	char *line = NULL;
	size_t size = 0;

	if (depth++ == BATCHES)
		die(EXIT_USAGE, "%d files of commands in one another: is one in itself?", BATCHES);
	if (!from)
		die(EXIT_USAGE, "cannot read \"%s\": %s", file, strerror(errno));
	for (; result == EXIT_OK || force; at += n) {
		int one;

		said_at(file, at);
		n = next_line(from, &line, &size);
		if (!n)
			break;
		one = run(from, line);
		if (one > result)
			result = one;
	}
	said_at(NULL, 0);
	if (ferror(from))
		die(EXIT_USAGE, "cannot read \"%s\": %s", file, strerror(errno));
	free(line);
	return result;
}
