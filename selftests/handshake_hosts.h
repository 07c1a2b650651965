/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of handshakes: identities of alice and bob that live as long as one
 * test, so that each begins without a channel.
 */
#ifndef SSS_TEST_HANDSHAKE_HOSTS_H
#define SSS_TEST_HANDSHAKE_HOSTS_H

#include "sock.h"

static const unsigned char __attribute__((unused)) known_secret[SSS_EID_LEN] = { 8, 1, 2, 3, 4, 5, 6, 7, 9, [31] = 64 };

/* A host in the current namespace with the key above; its EID */
static inline struct sss_eid add_known_host(const char *name, uint16_t port)
{
	static struct genl g;
	struct sss_eid eid = { };
	struct nlmsghdr *nlh;

	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_HOST_NEW, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	mnl_attr_put_u16(nlh, SSS_A_HOST_PORT, port);
	genl_put(nlh, SSS_A_HOST_PRIVATE_KEY, known_secret, sizeof(known_secret));
	errno = genl_call(&g, nlh, NULL, NULL);
	if (errno)
		genl_die("making a host");
	nlh = genl_start(&g, SSS_CMD_HOST_GET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	errno = genl_call(&g, nlh, take_eid, &eid);
	if (errno)
		genl_die("asking for a host");
	mnl_socket_close(g.nl);
	return eid;
}

/* A pair of identities for one test */
struct both {
	const char *name;
	int port;
	struct sss_eid eid[2];
	const char *service[2];
};

static inline void make_hosts(struct both *b, const char *name, int port)
{
	b->name = name;
	b->port = port;
	b->service[ALICE] = "at alice";
	b->service[BOB] = "at bob";
	for (int who = ALICE; who <= BOB; who++) {
		enter(who);
		b->eid[who] = add_host(name, port, ~0u);
	}
	enter(ALICE);
	add_peer(name, &b->eid[BOB], "10.9.0.2", port);
	enter(BOB);
	add_peer(name, &b->eid[ALICE], "10.9.0.1", port);
}

static inline void remove_hosts(struct both *b)
{
	for (int who = ALICE; who <= BOB; who++) {
		enter(who);
		del_host(b->name);
	}
}

/* @who's channel ends, so that the next call begins with a handshake. */
static inline void forget_peer(const struct both *b, int who)
{
	enter(who);
	ask_about_peer(SSS_CMD_PEER_DEL, b->name, &b->eid[!who]);
	add_peer(b->name, &b->eid[!who], who == ALICE ? "10.9.0.2" : "10.9.0.1", b->port);
}

/* An administrator's wish about @who's channel: SSS_CMD_CHANNEL_*; a positive errno */
static inline int ask_about_channel(const struct both *b, int who, int cmd)
{
	static struct genl g;
	struct nlmsghdr *nlh;
	int err;

	enter(who);
	genl_open(&g);
	nlh = genl_start(&g, cmd, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, b->name);
	genl_put(nlh, SSS_A_PEER_EID, &b->eid[!who], SSS_EID_LEN);
	err = genl_call(&g, nlh, NULL, NULL);
	mnl_socket_close(g.nl);
	return err;
}

static inline int open_as(const struct both *b, int who, const char *service)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = b->eid[who] };
	int fd = stream_socket(who, SOCK_CLOEXEC);

	snprintf(addr.sss_service, sizeof(addr.sss_service), "%s", service);
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "%s", *service ? "test 1" : "");
	if (fd < 0 || bind_to(fd, &addr))
		return -1;
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	return fd;
}

static inline int listen_as(const struct both *b, int who)
{
	int fd = open_as(b, who, b->service[who]);

	return fd < 0 || listen(fd, 8) ? -1 : fd;
}

/* @who calls the other one */
static inline int dial_as(const struct both *b, int who)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = b->eid[!who] };
	int fd = open_as(b, who, "");

	snprintf(addr.sss_service, sizeof(addr.sss_service), "%s", b->service[!who]);
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	if (fd >= 0 && connect_to(fd, &addr)) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/* A word there and one back */
static inline bool talks(int a, int b)
{
	char buf[8];
	int i, n = 0;

	for (i = 0; i < 4; i++) {
		if (i % 2)
			n = recv(i == 1 ? b : a, buf, 4, MSG_WAITALL);
		else
			n = send(i ? b : a, "ping", 4, MSG_NOSIGNAL);
		if (n != 4)
			break;
	}
	if (n != 4)
		fprintf(stderr, "# step %d: %d, %s\n", i, n, strerror(errno));
	return n == 4;
}

/* A counter of both sides */
static inline long long sum(const char *name)
{
	return get_stat(ALICE, name) + get_stat(BOB, name);
}

#endif /* SSS_TEST_HANDSHAKE_HOSTS_H */
