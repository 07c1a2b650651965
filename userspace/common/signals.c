// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "loop.h"
#include "signals.h"

static void (*on_hangup)(void);
static bool *on_end;

static void on_signal(struct source *source, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	while (read(source->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			on_hangup();
		else
			*on_end = true;
	}
}

static struct source signals = { .fd = -1, .ready = on_signal };

int signals_open(void (*reload)(void), bool *stopping)
{
	sigset_t set;

	on_hangup = reload;
	on_end = stopping;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals.fd < 0 ? -1 : loop_add(&signals, EPOLLIN);
}

void signals_close(void)
{
	if (signals.fd >= 0)
		close(signals.fd);
	signals.fd = -1;
}
