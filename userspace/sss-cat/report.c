// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Progress while the stream runs, figures at its end. */
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "sss-cat.h"

#define REDRAW	200000	/* us; of a line on a terminal */
#define REPEAT	1000000	/* us; of a line elsewhere */
#define PATIENCE 1000000 /* us; before a line that was not asked for */

static uint64_t drawn;	/* when */
static bool pending;	/* a line without its end */

/* What has reached the peer, as far as is known */
static uint64_t delivered(const struct transfer *t)
{
	int queued = 0;

	if (ioctl(t->sock, SIOCOUTQ, &queued) || queued < 0 || (uint64_t)queued > t->sent)
		return t->sent;
	return t->sent - queued;
}

static void amount(uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double v = bytes / 1000.0;
	size_t u = 0;

	while (v >= 1000 && u < 3) {
		v /= 1000;
		u++;
	}
	if (bytes < 1000)
		fprintf(stderr, "%llu B", (unsigned long long)bytes);
	else
		fprintf(stderr, "%.*f %s", v < 10 ? 2 : v < 100 ? 1 : 0, v, units[u]);
}

static void line(const struct transfer *t)
{
	uint64_t sent = delivered(t), us = clock_us() - t->begin;

	fputs("  ", stderr);
	if (sent || t->size || !t->received) {
		fputs("sent ", stderr);
		amount(sent);
		if (t->size)
			fprintf(stderr, " (%u %%)", (unsigned int)(sent >= t->size ? 100 :
				sent * 100.0 / t->size));
	}
	if (t->received) {
		fputs(sent ? ", received " : "received ", stderr);
		amount(t->received);
	}
	fprintf(stderr, " in %.1f s, ", us / 1e6);
	amount((sent + t->received) * 1e6 / (us ?: 1));
	fputs("/s", stderr);
}

/* A screen that shows what is received, or typed, is no place for it. */
static bool wanted(const struct transfer *t)
{
	if (t->opt->progress)
		return true;
	if (!isatty(STDERR_FILENO) || clock_us() - t->begin < PATIENCE)
		return false;
	return isatty(t->out) ? !isatty(t->in) && !t->received : true;
}

static void draw(const struct transfer *t)
{
	bool terminal = isatty(STDERR_FILENO);

	if (terminal)
		fputs("\r\033[K", stderr);
	line(t);
	if (!terminal)
		fputc('\n', stderr);
	pending = terminal;
	fflush(stderr);
	drawn = clock_us();
}

void progress(const struct transfer *t)
{
	uint64_t since = clock_us() - (drawn > t->begin ? drawn : t->begin);

	if (since < REDRAW || !wanted(t))
		return;
	if (since >= REPEAT || isatty(STDERR_FILENO))
		draw(t);
}

void progress_end(const struct transfer *t)
{
	static const struct transfer *ended;
	static uint64_t begin;

	if (!wanted(t) || (ended == t && begin == t->begin))
		return;
	ended = t;
	begin = t->begin;
	draw(t);
	if (pending)
		fputc('\n', stderr);
	pending = false;
}

static void figure(const char *name, uint64_t value)
{
	fprintf(stderr, "%s: %llu\n", name, (unsigned long long)value);
}

void print_info(const struct transfer *t)
{
	struct sss_info info = { 0 };
	socklen_t len = sizeof(info);
	uint64_t us = clock_us() - t->begin;

	if (getsockopt(t->sock, SOL_SSS, SSS_INFO, &info, &len)) {
		complain("the kernel gives no figures");
		return;
	}
	figure("bytes-sent", t->sent);
	figure("bytes-received", t->received);
	figure("connect-rtts", info.connect_rtts);
	figure("first-byte-us", t->first_byte ? t->first_byte - t->begin : 0);
	figure("rtt-us", info.rtt);
	figure("min-rtt-us", info.min_rtt);
	figure("pmtu", info.pmtu);
	figure("packets-sent", info.pkts_sent);
	figure("packets-received", info.pkts_received);
	figure("packets-lost", info.pkts_lost);
	figure("packets-spurious", info.pkts_spurious);
	figure("bytes-resent", info.bytes_resent);
	figure("duration-us", us);
	figure("throughput", (t->sent + t->received) * 1e6 / (us ?: 1));
}
