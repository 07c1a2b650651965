/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Log lines for people and programs: name=value pairs on standard error,
 *
 *	ts=2026-01-31T12:00:00.123Z level=info event=started store=sqlite
 *
 * Values that may hold anything are quoted with log_quote().
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stddef.h>
#include <libsss/sss.h>

enum log_level { LOG_L_ERROR, LOG_L_WARNING, LOG_L_INFO, LOG_L_DEBUG, LOG_L_LEVELS };

extern const char *const log_level_names[LOG_L_LEVELS];

void log_set_level(enum log_level level);

/**
 * log_at() - write a line, if lines of this level are wanted
 * @level: enum log_level
 * @event: one word: what happened
 * @fmt: " name=value ..." behind it
 */
void log_at(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A line that needs no more than the event */
static inline void log_event(enum log_level level, const char *event)
{
	log_at(level, event, "%s", "");
}

/**
 * log_quote() - make a value of anything
 * @text: NUL-terminated
 *
 * Return: it in quotes, special characters escaped, cut after 200 bytes; valid
 * until the fourth call from now.
 */
const char *log_quote(const char *text);

/* An EID in text, valid until the fourth call from now */
const char *log_eid(const struct sss_eid *eid);

#endif /* COMMON_LOG_H */
