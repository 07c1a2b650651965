// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ini.h"
#include "number.h"

#define LINE 1022	/* bytes, without what ends it */

/* A file while it is read; section: where the present one began, line 0: nowhere */
struct reading {
	const struct ini_reader *reader;
	void *data;
	struct ini_place at;
	struct ini_place section;
};

int ini_wrong(struct ini_error *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	return -1;
}

int ini_wrong_at(struct ini_error *error, const struct ini_place *at, const char *fmt, ...)
{
	int n = snprintf(error->text, sizeof(error->text), "%s:%u: ", at->path, at->line);
	va_list ap;

	va_start(ap, fmt);
	if (n > 0 && (size_t)n < sizeof(error->text))
		vsnprintf(error->text + n, sizeof(error->text) - n, fmt, ap);
	va_end(ap);
	return -1;
}

/* Without white space at both ends */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static void cut_remark(char *line)
{
	char *mark = line;

	while ((mark = strchr(mark, '#'))) {
		if (mark == line || strchr(" \t", mark[-1])) {
			*mark = '\0';
			return;
		}
		mark++;
	}
}

static int end_section(struct reading *r, struct ini_error *error)
{
	struct ini_error what;
	int ret = 0;

	if (r->section.line && r->reader->section_end)
		ret = r->reader->section_end(r->data, &what);
	if (ret)
		ini_wrong_at(error, &r->section, "%.*s", PATH_MAX, what.text);
	return ret;
}

static int begin_section(struct reading *r, char *line, struct ini_error *error)
{
	size_t len = strlen(line);

	if (line[len - 1] != ']')
		return ini_wrong(error, "\"%s\": not of the form [section]", line);
	line[len - 1] = '\0';
	r->section = r->at;
	return r->reader->section(r->data, trim(line + 1), &r->at, error);
}

static int take_line(struct reading *r, char *line, struct ini_error *error)
{
	char *value;

	if (*line == '[' && r->reader->section)
		return begin_section(r, line, error);
	value = strchr(line, '=');
	if (!value)
		return ini_wrong(error, "not of the form name = value");
	if (r->reader->section && !r->section.line)
		return ini_wrong(error, "a setting before the first [section]");
	*value++ = '\0';
	return r->reader->setting(r->data, trim(line), trim(value), &r->at, error);
}

/* The next line, of LINE bytes at most; false: there is none. *wrong: why it is none */
static bool next_line(FILE *file, char *text, const char **wrong)
{
	size_t n = 0;
	int c;

	*wrong = NULL;
	while ((c = getc(file)) != EOF && c != '\n') {
		if (!c)
			*wrong = "a zero byte";
		else if (n == LINE)
			*wrong = "the line is too long";
		if (*wrong)
			return true;
		text[n++] = c;
	}
	text[n] = '\0';
	return n || c == '\n';
}

static int read_lines(struct reading *r, FILE *file, struct ini_error *error)
{
	struct ini_error what;
	char text[LINE + 1], *line;
	const char *wrong;

	while (next_line(file, text, &wrong)) {
		r->at.line++;
		if (wrong)
			return ini_wrong_at(error, &r->at, "%s", wrong);
		cut_remark(text);
		line = trim(text);
		if (!*line || *line == ';')
			continue;
		if (*line == '[' && r->reader->section && end_section(r, error))
			return -1;
		if (take_line(r, line, &what))
			return ini_wrong_at(error, &r->at, "%.*s", PATH_MAX, what.text);
	}
	if (ferror(file))
		return ini_wrong(error, "%s: %s", r->at.path, strerror(errno));
	return end_section(r, error);
}

/* Whatever else has that name is not waited for. */
static FILE *open_file(const char *path, struct ini_error *error)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	struct stat st;

	if (file && !fstat(fd, &st) && S_ISREG(st.st_mode))
		return file;
	ini_wrong(error, "%s: %s", path, file ? "not a regular file" : strerror(errno));
	if (file)
		fclose(file);
	else if (fd >= 0)
		close(fd);
	return NULL;
}

int ini_read(const char *path, const struct ini_reader *reader, void *data,
	     struct ini_error *error)
{
	struct reading r = { .reader = reader, .data = data, .at.path = path };
	FILE *file = open_file(path, error);
	int ret;

	if (!file)
		return -1;
	ret = read_lines(&r, file, error);
	fclose(file);
	return ret;
}

int ini_number(const char *name, const char *value, unsigned long least, unsigned long most,
	       unsigned long *number, struct ini_error *error)
{
	uint64_t v;

	if (!number_parse(value, 10, most, &v) || v < least)
		return ini_wrong(error, "%s: a number from %lu to %lu, not \"%s\"", name, least,
				 most, value);
	*number = v;
	return 0;
}

int ini_bool(const char *name, const char *value, bool *on, struct ini_error *error)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(value, words[i]))
			continue;
		*on = i % 2;
		return 0;
	}
	return ini_wrong(error, "%s: yes or no, not \"%s\"", name, value);
}

int ini_text(const char *name, const char *value, char *to, size_t size,
	     struct ini_error *error)
{
	if (strlen(value) >= size)
		return ini_wrong(error, "%s: longer than %zu bytes", name, size - 1);
	strcpy(to, value);
	return 0;
}
