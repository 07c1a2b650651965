// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <common/endpoint.h>
#include <libsss/sss.h>
#include "transport.h"

#define BACKLOG 128

static int listen_sss(const struct config *config)
{
	static const struct sss_eid any;
	struct sockaddr_sss addr;
	int fd;

	sss_addr(&addr, memcmp(&config->host, &any, sizeof(any)) ? &config->host : NULL,
		 REG_SERVICE, REG_PROTOCOL);
	fd = socket(AF_SSS, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, BACKLOG)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool peer_sss(int fd, struct sss_eid *eid)
{
	struct sockaddr_sss addr;
	socklen_t len = sizeof(addr);

	if (getpeername(fd, (struct sockaddr *)&addr, &len) || len != sizeof(addr))
		return false;
	*eid = addr.sss_eid;
	return true;
}

static void get_endpoint(int fd, int option, struct reg_endpoint *ep)
{
	union endpoint_addr addr = { .sa.sa_family = AF_UNSPEC };
	socklen_t len = sizeof(addr);

	if (getsockopt(fd, SOL_SSS, option, &addr, &len))
		addr.sa.sa_family = AF_UNSPEC;
	endpoint_from_addr(ep, &addr.sa);
}

static void observe_sss(int fd, struct reg_endpoint *ep)
{
	get_endpoint(fd, SSS_PEER_ENDPOINT, ep);
}

static void local_sss(int fd, struct reg_endpoint *ep)
{
	get_endpoint(fd, SSS_LOCAL_ENDPOINT, ep);
}

static void reset_sss(int fd, const char *why)
{
	struct sss_reset reset = { .code = 1 };

	snprintf(reset.reason, sizeof(reset.reason), "%s", why);
	ioctl(fd, SSS_IOC_RESET, &reset);
}

const struct transport transport_sss = {
	.name = "sss",
	.listen = listen_sss,
	.peer = peer_sss,
	.observe = observe_sss,
	.local = local_sss,
	.reset = reset_sss,
};
