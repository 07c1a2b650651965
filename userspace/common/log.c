// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "log.h"

const char *const log_level_names[LOG_L_LEVELS] = {
	[LOG_L_ERROR] = "error",
	[LOG_L_WARNING] = "warning",
	[LOG_L_INFO] = "info",
	[LOG_L_DEBUG] = "debug",
};

static enum log_level wanted = LOG_L_INFO;

void log_set_level(enum log_level level)
{
	wanted = level;
}

/* The journal has its own clock, and takes the level as sd-daemon(3) says */
static void begin(enum log_level level)
{
	static const int priorities[] = { 3, 4, 6, 7 };
	struct timespec now;
	struct tm tm;
	char day[32];

	if (getenv("JOURNAL_STREAM")) {
		fprintf(stderr, "<%d>", priorities[level]);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(stderr, "ts=%s.%03ldZ ", day, now.tv_nsec / 1000000);
}

void log_at(enum log_level level, const char *event, const char *fmt, ...)
{
	va_list ap;

	if (level > wanted)
		return;
	flockfile(stderr);
	begin(level);
	fprintf(stderr, "level=%s event=%s", log_level_names[level], event);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	fflush(stderr);
	funlockfile(stderr);
}

const char *log_quote(const char *text)
{
	static char buffers[4][3 + 4 * 200];
	static unsigned int turn;
	char *buffer = buffers[turn++ % 4], *p = buffer;
	unsigned int i;

	*p++ = '"';
	for (i = 0; text[i] && i < 200; i++) {
		unsigned char c = text[i];

		if (c < 0x20 || c == 0x7f)
			p += sprintf(p, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			p += sprintf(p, "\\%c", c);
		else
			*p++ = c;
	}
	*p++ = '"';
	*p = '\0';
	return buffer;
}

const char *log_eid(const struct sss_eid *eid)
{
	static char buffers[4][SSS_EID_TEXT];
	static unsigned int turn;

	return sss_eid_format(eid, buffers[turn++ % 4]);
}
