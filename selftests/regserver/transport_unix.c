// SPDX-License-Identifier: GPL-2.0
/*
 * For tests of the registration server without a kernel module: streams are
 * Unix sockets, SOCK_SEQPACKET, at the path $REGSERVER_SOCKET. A client says who it
 * is by the abstract name it binds to, "EID ENDPOINT ...", ENDPOINT "-" if it is
 * not known; nothing is proved here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <common/endpoint.h>
#include <libsss/sss.h>
#include "sss-regserver/server.h"

static int listen_unix(const struct config *config)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", getenv("REGSERVER_SOCKET"));
	unlink(addr.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 128))
		return -1;
	return fd;
}

/* The words of the peer's name; false: it has none */
static bool name_of(int fd, char eid[64], char endpoint[64])
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = sizeof(addr);
	char name[sizeof(addr.sun_path) + 1] = "";

	if (getpeername(fd, (struct sockaddr *)&addr, &len) ||
	    len <= offsetof(struct sockaddr_un, sun_path) + 1)
		return false;
	memcpy(name, addr.sun_path + 1, len - offsetof(struct sockaddr_un, sun_path) - 1);
	return sscanf(name, "%63s %63s", eid, endpoint) == 2;
}

static bool peer_unix(int fd, struct sss_eid *eid)
{
	char text[64], endpoint[64];

	return name_of(fd, text, endpoint) && !sss_eid_parse(eid, text);
}

static void observe_unix(int fd, struct reg_endpoint *ep)
{
	char eid[64], text[64];

	memset(ep, 0, sizeof(*ep));
	if (!name_of(fd, eid, text) || !endpoint_parse(text, ep))
		memset(ep, 0, sizeof(*ep));
}

static void local_unix(int fd, struct reg_endpoint *ep)
{
	endpoint_parse("127.0.0.1:9660", ep);
}

static void reset_unix(int fd, const char *why)
{
}

static const struct transport transport_unix = {
	.name = "unix",
	.listen = listen_unix,
	.peer = peer_unix,
	.observe = observe_unix,
	.local = local_unix,
	.reset = reset_unix,
};

int main(int argc, char **argv)
{
	return regserver_main(argc, argv, &transport_unix);
}
