/* SPDX-License-Identifier: GPL-2.0 */
/* The peer sits in alice's namespace and calls bob, who is the module. */
#ifndef PEER_HOSTS_H
#define PEER_HOSTS_H

#include <arpa/inet.h>
#include "sock.h"
#include "link.h"

/* A socket at one of alice's addresses, any port, that talks to one of bob's */
static inline int socket_to(const char *address, const char *bob)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd;

	enter(ALICE);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, address, &in.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)))
		genl_die("UDP socket");
	in.sin_port = htons(PORT(V4));
	inet_pton(AF_INET, bob, &in.sin_addr);
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)))
		genl_die("UDP socket");
	return fd;
}

/* From wherever, a port of its own */
static inline int socket_to_bob(void)
{
	return socket_to("0.0.0.0", "10.9.0.2");
}

/* SSS_CMD_CHANNEL_* or SSS_CMD_PEER_* about a peer that bob's host has */
static inline void ask_bob_about(int cmd, const uint8_t eid[KEY])
{
	enter(BOB);
	ask_about_peer(cmd, "v4", eid);
}

static inline bool link_to_bob(struct link *l)
{
	return link_open(l, socket_to_bob(), (const uint8_t *)&eids[BOB][V4]);
}

/* Stream 0 to @service with "hello" in the packet that opens it */
static inline bool say_hello(struct link *l, const char *service)
{
	uint8_t buf[256];
	size_t len = put_init(buf, 0, service, "test 1");

	len += put_stream(buf + len, 0, 0, 0, "hello", 5);
	return link_send(l, buf, len) && link_settled(l, PATIENCE);
}

/* Stream 0 to bob, whose end is returned; -1 */
static inline int call_bob(struct link *l, const char *service)
{
	int listener = listen_on(V4, service, 1), fd;
	char word[5];

	if (listener < 0 || !link_to_bob(l) || !say_hello(l, service))
		return -1;
	fd = accept(listener, NULL, NULL);
	close(listener);
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	return recv(fd, word, 5, MSG_WAITALL) == 5 ? fd : -1;
}

static inline void hang_up(struct link *l)
{
	uint8_t buf[16];

	link_send_once(l, buf, put_close(buf, 0));
	close(l->fd);
}

#endif /* PEER_HOSTS_H */
