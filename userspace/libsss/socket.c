// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "sss.h"

static int put_name(char *to, const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (name && (!len || len > SSS_NAME_MAX))
		return -1;
	memcpy(to, name ? name : "", len);
	return 0;
}

int sss_addr(struct sockaddr_sss *addr, const struct sss_eid *eid, const char *service,
	     const char *protocol)
{
	memset(addr, 0, sizeof(*addr));
	addr->sss_family = AF_SSS;
	if (eid)
		addr->sss_eid = *eid;
	if (!put_name(addr->sss_service, service) && !put_name(addr->sss_protocol, protocol))
		return 0;
	errno = EINVAL;
	return -1;
}

static int close_keeping_errno(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
	return -1;
}

int sss_connect(const char *eid, const char *service, const char *protocol)
{
	struct sockaddr_sss addr;
	struct sss_eid key;
	int fd;

	if (sss_eid_parse(&key, eid) || sss_addr(&addr, &key, service, protocol))
		return -1;
	fd = socket(AF_SSS, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return close_keeping_errno(fd);
	return fd;
}

int sss_listen(const char *service, const char *protocol, int backlog)
{
	struct sockaddr_sss addr;
	int fd;

	if (sss_addr(&addr, NULL, service, protocol))
		return -1;
	fd = socket(AF_SSS, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, backlog))
		return close_keeping_errno(fd);
	return fd;
}
