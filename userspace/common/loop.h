/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* One epoll set; one call for each descriptor that is ready */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

struct source {
	int fd;
	uint32_t events;	/* asked for */
	void (*ready)(struct source *source, uint32_t events);
};

int loop_open(void);
int loop_add(struct source *source, uint32_t events);
void loop_want(struct source *source, uint32_t events);
/* Takes it out: it is not called again, even if it was ready in this round */
void loop_remove(struct source *source);
/* Waits until some are ready; returns how many, -1 with errno */
int loop_wait(int timeout_ms);
/* Calls those */
void loop_call(void);

#endif /* COMMON_LOOP_H */
