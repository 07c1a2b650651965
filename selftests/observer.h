/* SPDX-License-Identifier: GPL-2.0 */
/* Somebody who sees all packets on the cable between alice and bob (sock.h) */
#ifndef SSS_TEST_OBSERVER_H
#define SSS_TEST_OBSERVER_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include "sock.h"

struct observed {
	bool left;		/* from alice; otherwise to her */
	uint16_t port;		/* bob's */
	size_t len;		/* of the UDP payload */
	unsigned char data[2048];
};

/*
 * From now on. Packets go one by one, not as super-packets, so that what is seen
 * is what a cable would carry.
 */
static inline int observe(void)
{
	struct sockaddr_ll wire = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd, size = 32 << 20;

	for (int who = ALICE; who <= BOB; who++)
		shell_in(who, "ethtool -K wire tso off gso off gro off tx-udp-segmentation off "
			 ">/dev/null");
	enter(ALICE);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	wire.sll_ifindex = if_nametoindex("wire");
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&wire, sizeof(wire)))
		genl_die("packet socket");
	return fd;
}

/* The next UDP packet over IPv4; false: none so far */
static inline bool observe_next(int fd, struct observed *o)
{
	enum { IP = 20, UDP = 8 };
	struct sockaddr_ll from;
	unsigned char buf[2048];
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len)) >= 0) {
		len = sizeof(from);
		if (n <= IP + UDP || buf[0] != 0x45 || buf[9] != IPPROTO_UDP)
			continue;
		o->left = from.sll_pkttype == PACKET_OUTGOING;
		memcpy(&o->port, buf + IP + (o->left ? 2 : 0), 2);
		o->port = ntohs(o->port);
		o->len = n - IP - UDP;
		memcpy(o->data, buf + IP + UDP, o->len);
		return true;
	}
	return false;
}

/* Nothing has escaped the observer since it was last asked. */
static inline bool observed_all(int fd)
{
	struct tpacket_stats stats = { };
	socklen_t len = sizeof(stats);

	return !getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) && !stats.tp_drops;
}

#endif /* SSS_TEST_OBSERVER_H */
