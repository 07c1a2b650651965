/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The agent of a network namespace, as others see it: a file that it keeps locked */
#ifndef SSS_NETLINK_RUNNING_H
#define SSS_NETLINK_RUNNING_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define RUNNING_FOLDER "/run/sss"

/* Its process, and the settings it reads */
struct running {
	pid_t pid;
	char file[PATH_MAX];
};

/* "/run/sss/NAME.N", N this network namespace's number; -1 with errno: there is no /proc */
int running_path(char path[PATH_MAX], const char *name);

/**
 * running_claim() - say that this process is the agent here, until it ends
 * @file: the settings it reads
 *
 * Return: 0; -1 with errno, EAGAIN or EACCES: another one is.
 */
int running_claim(const char *file);

/* Whether there is one; which */
bool running_find(struct running *running);

#endif /* SSS_NETLINK_RUNNING_H */
