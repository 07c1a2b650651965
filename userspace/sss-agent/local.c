// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Hints on the local link, protocol.rst, "Local hints". Who does not know an EID
 * learns nothing from one, and who believes one has to be convinced by a handshake.
 */
#include <errno.h>
#include <net/if.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"

#define GROUP_V4	0xefff603cu	/* 239.255.96.60 */
#define HOPS		255		/* less: it crossed a router */
#define HEARD		64		/* hints kept, for HEARD_MS */
#define HEARD_MS	600000
#define PACKETS		200		/* looked at in a second */
#define ANSWERS		20		/* sent in a second */

enum { HERE = 1, WHERE = 2 };

struct hint {
	uint8_t magic[4];
	uint8_t kind;
	uint8_t zero;
	uint8_t port[2];
	uint8_t nonce[8];
	uint8_t hash[16];
};

static const uint8_t magic[4] = { 's', 's', 's', '1' };
static const struct in6_addr group_v6 = {
	.s6_addr = { 0xff, 0x12, [14] = 0x96, [15] = 0x60 },
};

struct heard {
	uint64_t until;
	struct hint hint;
	union endpoint_addr from;	/* with the port of the hint */
};

static struct heard heard[HEARD];
static unsigned int next_heard;
static unsigned int packets, answers;
static uint64_t second;
static void on_packet(struct source *source, uint32_t events);
static struct source v4 = { .fd = -1, .ready = on_packet };
static struct source v6 = { .fd = -1, .ready = on_packet };

static void make_hash(const struct hint *hint, const struct sss_eid *eid, uint8_t hash[16])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, 16);
	crypto_generichash_update(&state, hint->nonce, sizeof(hint->nonce));
	crypto_generichash_update(&state, eid->key, sizeof(eid->key));
	crypto_generichash_final(&state, hash, 16);
}

static bool is_about(const struct hint *hint, const struct sss_eid *eid)
{
	uint8_t hash[16];

	make_hash(hint, eid, hash);
	return !sodium_memcmp(hash, hint->hash, sizeof(hash));
}

static struct hint make(unsigned int kind, const struct sss_eid *eid, uint16_t port)
{
	struct hint hint = { .kind = kind, .port = { port >> 8, port } };

	memcpy(hint.magic, magic, sizeof(magic));
	randombytes_buf(hint.nonce, sizeof(hint.nonce));
	make_hash(&hint, eid, hint.hash);
	return hint;
}

static void send_on(unsigned int index, void *data)
{
	const uint16_t port = htons(agent.conf.agent.local_port);
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = port,
				   .sin_addr.s_addr = htonl(GROUP_V4) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = port,
				    .sin6_addr = group_v6, .sin6_scope_id = index };
	struct ip_mreqn link = { .imr_ifindex = index };
	const struct hint *hint = data;

	if (v4.fd >= 0 && !setsockopt(v4.fd, IPPROTO_IP, IP_MULTICAST_IF, &link, sizeof(link)))
		sendto(v4.fd, hint, sizeof(*hint), MSG_DONTWAIT, (struct sockaddr *)&to4,
		       sizeof(to4));
	if (v6.fd >= 0)
		sendto(v6.fd, hint, sizeof(*hint), MSG_DONTWAIT, (struct sockaddr *)&to6,
		       sizeof(to6));
}

static void join_on(unsigned int index, void *data)
{
	struct ip_mreqn link4 = { .imr_multiaddr.s_addr = htonl(GROUP_V4), .imr_ifindex = index };
	struct ipv6_mreq link6 = { .ipv6mr_multiaddr = group_v6, .ipv6mr_interface = index };

	(void)data;
	/* EADDRINUSE: it had been joined */
	if (v4.fd >= 0)
		setsockopt(v4.fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &link4, sizeof(link4));
	if (v6.fd >= 0)
		setsockopt(v6.fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &link6, sizeof(link6));
}

static void announce(void)
{
	struct hint hint;
	unsigned int i;

	for (i = 0; i < agent.n_identities; i++) {
		const struct identity *self = &agent.identities[i];

		if (!self->present)
			continue;
		hint = make(HERE, &self->eid, self->port);
		address_each_link(send_on, &hint);
	}
}

static void answer(int fd, const struct hint *question, const union endpoint_addr *from,
		   socklen_t len)
{
	struct hint hint;
	unsigned int i;

	for (i = 0; i < agent.n_identities; i++) {
		const struct identity *self = &agent.identities[i];

		if (!self->present || !is_about(question, &self->eid) || answers++ >= ANSWERS)
			continue;
		hint = make(HERE, &self->eid, self->port);
		sendto(fd, &hint, sizeof(hint), MSG_DONTWAIT, &from->sa, len);
	}
}

static void believe(struct identity *self, const struct sss_eid *peer, void *data)
{
	const struct heard *one = data;
	struct candidates where = { .n = 0 };

	if (!is_about(&one->hint, peer))
		return;
	candidates_add(&where, &one->from);
	if (!where.n)
		return;
	cache_add(peer, &where);
	resolve_found(self, peer, &where, "local");
}

static void keep(const struct hint *hint, const union endpoint_addr *from)
{
	struct heard *one = &heard[next_heard++ % HEARD];

	one->until = agent.now + HEARD_MS;
	one->hint = *hint;
	one->from = *from;
	if (from->sa.sa_family == AF_INET)
		memcpy(&one->from.in.sin_port, hint->port, 2);
	else
		memcpy(&one->from.in6.sin6_port, hint->port, 2);
	resolve_each(believe, one);
}

/* From this link: nothing else arrives with that many hops left. */
static bool is_near(struct msghdr *msg)
{
	struct cmsghdr *cmsg;
	int hops = 0;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg))
		if ((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_TTL) ||
		    (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_HOPLIMIT))
			memcpy(&hops, CMSG_DATA(cmsg), sizeof(hops));
	return hops == HOPS;
}

static bool receive(int fd)
{
	union endpoint_addr from;
	struct hint hint;
	char control[256];
	struct iovec iov = { &hint, sizeof(hint) };
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
			      .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

	if (n < 0)
		return false;
	if (n != sizeof(hint) || msg.msg_flags & MSG_TRUNC || !is_near(&msg) ||
	    memcmp(hint.magic, magic, sizeof(magic)) || packets++ >= PACKETS)
		return true;
	if (hint.kind == HERE)
		keep(&hint, &from);
	else if (hint.kind == WHERE)
		answer(fd, &hint, &from, msg.msg_namelen);
	return true;
}

static void on_packet(struct source *source, uint32_t events)
{
	(void)events;
	if (agent.now >= second + 1000) {
		second = agent.now;
		packets = answers = 0;
	}
	while (receive(source->fd))
		;
}

static int open_v4(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(agent.conf.agent.local_port) };
	int on = 1, off = 0, hops = HOPS;

	v4.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (v4.fd < 0)
		return -1;
	setsockopt(v4.fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
	setsockopt(v4.fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops));
	setsockopt(v4.fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off));
	setsockopt(v4.fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off));
	setsockopt(v4.fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
	return bind(v4.fd, (struct sockaddr *)&at, sizeof(at)) || loop_add(&v4, EPOLLIN) ? -1 : 0;
}

static int open_v6(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6,
				   .sin6_port = htons(agent.conf.agent.local_port) };
	int on = 1, off = 0, hops = HOPS;

	v6.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (v6.fd < 0)
		return -1;
	setsockopt(v6.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	setsockopt(v6.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
	setsockopt(v6.fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
	setsockopt(v6.fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off));
	setsockopt(v6.fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
	return bind(v6.fd, (struct sockaddr *)&at, sizeof(at)) || loop_add(&v6, EPOLLIN) ? -1 : 0;
}

static void close_one(struct source *source)
{
	if (source->fd < 0)
		return;
	loop_remove(source);
	close(source->fd);
	source->fd = -1;
}

void local_open(void)
{
	if (!agent.conf.agent.local)
		return;
	if (open_v4()) {
		log_at(LOG_L_WARNING, "local", " error=%s", log_quote(strerror(errno)));
		close_one(&v4);
	}
	if (open_v6())
		close_one(&v6);
	address_each_link(join_on, NULL);
	announce();
}

void local_close(void)
{
	close_one(&v4);
	close_one(&v6);
}

void local_moved(void)
{
	address_each_link(join_on, NULL);
	announce();
}

bool local_ask(const struct sss_eid *peer)
{
	struct hint hint;

	if (v4.fd < 0 && v6.fd < 0)
		return false;
	hint = make(WHERE, peer, 0);
	address_each_link(send_on, &hint);
	return true;
}

void local_find(const struct sss_eid *peer, struct candidates *where)
{
	unsigned int i;

	for (i = 0; i < HEARD; i++)
		if (heard[i].until > agent.now && is_about(&heard[i].hint, peer))
			candidates_add(where, &heard[i].from);
}
