/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SSS_CAT_H
#define SSS_CAT_H

#include <stdbool.h>
#include <stdint.h>
#include <common/clock.h>
#include "../libsss/sss.h"

enum { EXIT_OK = 0, EXIT_CONNECT = 1, EXIT_USAGE = 2, EXIT_TRANSFER = 3, EXIT_TIMEOUT = 4,
       EXIT_CHANGED = 5 };

struct options {
	bool listen, keep, verbose, progress, info;
	int family;		/* AF_INET, AF_INET6 or AF_UNSPEC */
	int timeout;		/* ms without anything happening, -1: for ever */
	const char *name;	/* of the peer, NULL: it was given by its EID */
	bool accept_new;	/* names that are not pinned yet */
	const char *settings;	/* file, NULL: the usual one */
	const char *in, *out;	/* files, NULL: standard input and output */
	struct sss_eid local;	/* zero: any host, or the default one */
	struct sockaddr_sss service;
};

/* One stream, from connect() or accept() to close(); times in microseconds */
struct transfer {
	const struct options *opt;
	int sock, in, out;
	uint64_t size;		/* of the input, 0: unknown */
	uint64_t sent, received;
	uint64_t begin, first_byte;
};

/* sss-cat.c */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void verbose(const struct options *opt, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* transfer.c: both ways at once until both have ended; an exit code */
int transfer(struct transfer *t);

/* report.c: on standard error */
void progress(const struct transfer *t);
void progress_end(const struct transfer *t);
void print_info(const struct transfer *t);

#endif
