/* SPDX-License-Identifier: GPL-2.0 */
/* One end of a stream answers each byte; how long that takes the other one */
#ifndef SSS_TEST_ECHO_H
#define SSS_TEST_ECHO_H

#include "sock.h"

/* ms until @fd's other end has answered a byte, -1: it did not */
static inline long long ask(int fd)
{
	long long start = now_ms();
	char c = 'x';

	if (send(fd, &c, 1, 0) != 1 || recv(fd, &c, 1, 0) != 1)
		return -1;
	return now_ms() - start;
}

/* A process that answers on @fd until the stream ends */
static inline pid_t answer(int fd)
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	while (recv(fd, &c, 1, 0) == 1)
		send(fd, &c, 1, 0);
	_exit(0);
}

#endif /* SSS_TEST_ECHO_H */
