// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stddef.h>
#include "loop.h"

#define ROUND 64

static int epoll = -1;
static struct epoll_event ready[ROUND];
static int n_ready;

int loop_open(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	return epoll < 0 ? -1 : 0;
}

int loop_add(struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	source->events = events;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, source->fd, &event);
}

void loop_want(struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (source->events == events)
		return;
	source->events = events;
	epoll_ctl(epoll, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_remove(struct source *source)
{
	int i;

	epoll_ctl(epoll, EPOLL_CTL_DEL, source->fd, NULL);
	for (i = 0; i < n_ready; i++)
		if (ready[i].data.ptr == source)
			ready[i].data.ptr = NULL;
}

int loop_wait(int timeout_ms)
{
	int n = epoll_wait(epoll, ready, ROUND, timeout_ms);

	n_ready = n < 0 ? 0 : n;
	return n;
}

void loop_call(void)
{
	struct source *source;
	int i;

	for (i = 0; i < n_ready; i++) {
		source = ready[i].data.ptr;
		if (source)
			source->ready(source, ready[i].events);
	}
	n_ready = 0;
}
