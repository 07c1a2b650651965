/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Files of settings: lines "name = value", in sections "[name]" or without any.
 * A line that begins with # or ; is a remark, and so is the rest of a line from a
 * # behind white space on. Whatever is wrong is told with file and line.
 */
#ifndef COMMON_INI_H
#define COMMON_INI_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* What was wrong, in a sentence */
struct ini_error {
	char text[PATH_MAX + 512];
};

/* Puts the sentence there; returns -1, for the caller to return */
int ini_wrong(struct ini_error *error, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Where something is written; the path is the one given to ini_read() */
struct ini_place {
	const char *path;
	unsigned int line;
};

/* The same with the place in front, "FILE:LINE: " */
int ini_wrong_at(struct ini_error *error, const struct ini_place *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * struct ini_reader - what becomes of a file's lines
 * @section: a section begins; NULL: there are none in this kind of file
 * @setting: a setting; in a file with sections never before the first
 * @section_end: a section is complete; NULL: nothing to do
 *
 * Each returns 0, or -1 after ini_wrong(), to which file and line are added: those of
 * the line; for @section_end of the one where the section began.
 */
struct ini_reader {
	int (*section)(void *data, const char *name, const struct ini_place *at,
		       struct ini_error *error);
	int (*setting)(void *data, const char *name, const char *value,
		       const struct ini_place *at, struct ini_error *error);
	int (*section_end)(void *data, struct ini_error *error);
};

/**
 * ini_read() - read a file
 * @path: the file
 * @reader: what to do with its lines
 * @data: handed to the reader's functions
 * @error: what was wrong, with file and line
 *
 * Return: 0, or -1: reading ended at the first thing that was wrong.
 */
int ini_read(const char *path, const struct ini_reader *reader, void *data,
	     struct ini_error *error);

/* Values; they return 0, or -1 after ini_wrong() that begins with the setting's name */

int ini_number(const char *name, const char *value, unsigned long least, unsigned long most,
	       unsigned long *number, struct ini_error *error);
/* "yes", "no" and what else is usual */
int ini_bool(const char *name, const char *value, bool *on, struct ini_error *error);
/* A copy, of up to size - 1 bytes */
int ini_text(const char *name, const char *value, char *to, size_t size,
	     struct ini_error *error);

#endif /* COMMON_INI_H */
