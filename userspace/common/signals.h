/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef COMMON_SIGNALS_H
#define COMMON_SIGNALS_H

#include <stdbool.h>

/**
 * signals_open() - SIGHUP, SIGTERM and SIGINT come by the loop; SIGPIPE is ignored
 * @reload: called for SIGHUP
 * @stopping: true is written there for the other two
 *
 * Return: 0; -1 with errno.
 */
int signals_open(void (*reload)(void), bool *stopping);

/* Nothing happens if they are not open */
void signals_close(void);

#endif /* COMMON_SIGNALS_H */
