// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "running.h"

int running_path(char path[PATH_MAX], const char *name)
{
	struct stat ns;

	if (stat("/proc/self/ns/net", &ns))
		return -1;
	snprintf(path, PATH_MAX, RUNNING_FOLDER "/%s.%lu", name, (unsigned long)ns.st_ino);
	return 0;
}

int running_claim(const char *file)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX], full[PATH_MAX];
	int fd;

	if (running_path(path, "agent") || !realpath(file, full))
		return -1;
	mkdir(RUNNING_FOLDER, 0755);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETLK, &lock) || ftruncate(fd, 0) || dprintf(fd, "%s\n", full) < 0) {
		close(fd);
		return -1;
	}
	return 0;	/* open and locked from now on */
}

bool running_find(struct running *running)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	fd = running_path(path, "agent") ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, running->file, sizeof(running->file) - 1);
	running->file[n > 0 ? n : 0] = '\0';
	running->file[strcspn(running->file, "\n")] = '\0';
	if (fcntl(fd, F_GETLK, &lock))
		lock.l_type = F_UNLCK;
	close(fd);
	running->pid = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
	return running->pid > 0;
}
