// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One socket for each family. What the kernel has put together (UDP_GRO) stays
 * together: of each packet only eight bytes change, and the lot leaves in one call
 * (UDP_SEGMENT).
 *
 * Nothing goes to an address that has not sent here itself, under a number that
 * only it and this server know, and nothing is multiplied; so a relay is of no use
 * to who wants to flood somebody.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sodium.h>
#include <common/log.h>
#include "metrics.h"
#include "relay.h"
#include "server.h"

#ifndef UDP_GRO
#define UDP_GRO		104
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

#define PACKET_RELAY	6	/* first byte of a packet for us */
#define HEADER		16	/* it, seven zeros, the session */
#define SESSION_AT	8
#define LOT		65535	/* bytes of packets put together */
#define LOTS_AT_ONCE	64	/* of one socket in a round */
#define SOCKET_BUFFER	(4 << 20)
#define TICK_LOOKS	1024

/* An address of this machine's, of the socket's family */
union here {
	struct in_addr v4;
	struct in6_addr v6;
};

/**
 * struct half - one end
 * @next: in its bucket
 * @other: the other end
 * @session: both
 * @id: its session, as it is known here
 * @account: of @eid; counts sessions and pays for bytes
 * @eid: whose
 * @seen: address that its packets come from, the port does not matter
 * @at: where it is, as its last packet came from; @at_len 0: nothing came yet
 * @here: where that packet came to: NATs and firewalls let in what comes from there
 * @socket: that packet's
 */
struct half {
	struct half *next, *other;
	struct session *session;
	uint64_t id;
	struct account *account;
	struct sss_eid eid;
	struct reg_endpoint seen;
	struct sockaddr_storage at;
	socklen_t at_len;
	union here here;
	struct source *socket;
};

/* Packets as they came together: @seg bytes each but the last, with this ECN field */
struct lot {
	uint8_t *data;
	size_t len, seg;
	int ecn;
	union here here;
};

/* Two halves; in a list by when they were last used */
struct session {
	struct half half[2];
	struct session *newer, *older;
	struct session *next_pair;
	uint64_t used;
};

#define BUCKETS 16384

static struct half *halves[BUCKETS];
static struct session *pairs[BUCKETS];
static struct session *newest, *oldest;
static unsigned int n_sessions;
static unsigned char hash_key[crypto_shorthash_KEYBYTES];
static struct source sockets[2] = { { .fd = -1 }, { .fd = -1 } };

static struct half **bucket_of(uint64_t id)
{
	return &halves[id % BUCKETS];	/* it is random, and ours */
}

static struct half *find(uint64_t id)
{
	struct half *half;

	for (half = *bucket_of(id); half && half->id != id; half = half->next)
		;
	return half;
}

/* The same for both orders */
static struct session **pair_of(const struct sss_eid *a, const struct sss_eid *b)
{
	bool swap = memcmp(a, b, sizeof(*a)) > 0;
	struct sss_eid both[2] = { swap ? *b : *a, swap ? *a : *b };
	unsigned char hash[crypto_shorthash_BYTES];
	uint32_t n;

	crypto_shorthash(hash, (const unsigned char *)both, sizeof(both), hash_key);
	memcpy(&n, hash, sizeof(n));
	return &pairs[n % BUCKETS];
}

static void list_add(struct session *session)
{
	session->newer = NULL;
	session->older = newest;
	if (newest)
		newest->newer = session;
	else
		oldest = session;
	newest = session;
	session->used = server.now;
}

static void list_remove(struct session *session)
{
	if (session->newer)
		session->newer->older = session->older;
	else
		newest = session->older;
	if (session->older)
		session->older->newer = session->newer;
	else
		oldest = session->newer;
}

static void leave_bucket(struct half *half)
{
	struct half **p = bucket_of(half->id);

	while (*p != half)
		p = &(*p)->next;
	*p = half->next;
	ledger_drop(half->account);
}

static void forget(struct session *session)
{
	struct session **p = pair_of(&session->half[0].eid, &session->half[1].eid);

	while (*p != session)
		p = &(*p)->next_pair;
	*p = session->next_pair;
	leave_bucket(&session->half[0]);
	leave_bucket(&session->half[1]);
	list_remove(session);
	free(session);
	metrics.relay_sessions = --n_sessions;
}

static struct session *find_pair(const struct sss_eid *a, const struct sss_eid *b)
{
	struct session *session;

	for (session = *pair_of(a, b); session; session = session->next_pair) {
		const struct sss_eid *x = &session->half[0].eid, *y = &session->half[1].eid;

		if ((!memcmp(x, a, sizeof(*a)) && !memcmp(y, b, sizeof(*b))) ||
		    (!memcmp(x, b, sizeof(*b)) && !memcmp(y, a, sizeof(*a))))
			return session;
	}
	return NULL;
}

/* Sessions of an EID count as its account's streams do. */
static bool may_have_one(struct half *half)
{
	half->account = ledger_account(LEDGER_RELAY, half->eid.key, sizeof(half->eid.key));
	if (!half->account || half->account->streams >= server.config.relay_sessions_per_eid)
		return false;
	ledger_hold(half->account);
	return true;
}

static void choose_id(struct half *half)
{
	struct half **bucket;

	do {
		randombytes_buf(&half->id, sizeof(half->id));
	} while (!half->id || find(half->id));
	bucket = bucket_of(half->id);
	half->next = *bucket;
	*bucket = half;
}

static struct session *make(const struct relay_end *a, const struct relay_end *b)
{
	struct session *session, **pair;

	if (n_sessions >= server.config.relay_sessions)
		return NULL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->half[0].eid = a->eid;
	session->half[1].eid = b->eid;
	session->half[0].session = session->half[1].session = session;
	session->half[0].other = &session->half[1];
	session->half[1].other = &session->half[0];
	if (!may_have_one(&session->half[0])) {
		free(session);
		return NULL;
	}
	if (!may_have_one(&session->half[1])) {
		ledger_drop(session->half[0].account);
		free(session);
		return NULL;
	}
	choose_id(&session->half[0]);
	choose_id(&session->half[1]);
	pair = pair_of(&a->eid, &b->eid);
	session->next_pair = *pair;
	*pair = session;
	list_add(session);
	metrics.relay_sessions = ++n_sessions;
	return session;
}

static void take_part(struct session *session, struct relay_end *end)
{
	struct half *half = &session->half[0];

	if (memcmp(&half->eid, &end->eid, sizeof(end->eid)))
		half = half->other;
	if (end->seen.family)
		half->seen = end->seen;
	memcpy(end->session, &half->id, sizeof(end->session));
}

bool relay_join(struct relay_end *a, struct relay_end *b)
{
	struct session *session;

	if (sockets[0].fd < 0 || !memcmp(&a->eid, &b->eid, sizeof(a->eid)))
		return false;
	session = find_pair(&a->eid, &b->eid);
	if (!session)
		session = make(a, b);
	if (!session)
		return false;
	take_part(session, a);
	take_part(session, b);
	list_remove(session);
	list_add(session);
	return true;
}

/* Is it the address at which the server saw the EID? */
static bool is_seen(const struct half *half, const struct sockaddr_storage *from)
{
	const struct sockaddr_in6 *in6 = (const void *)from;
	const struct sockaddr_in *in = (const void *)from;

	if (from->ss_family == AF_INET)
		return half->seen.family == 4 && !memcmp(half->seen.addr, &in->sin_addr, 4);
	return half->seen.family == 6 && !memcmp(half->seen.addr, &in6->sin6_addr, 16);
}

/* So much a second of one EID's; what is beyond is lost, as on any narrow path */
static bool may_send(struct half *half, size_t len)
{
	unsigned int kb = (len + 999) / 1000, rate = server.config.relay_rate_per_eid;

	if (ledger_wait(half->account, kb, rate, rate > 100 ? rate : 100, server.now))
		return false;
	ledger_pay(half->account, kb);
	return true;
}

/* The half that packets are from, all of them; NULL: they are dropped */
static struct half *sender_of(const struct lot *lot, const struct sockaddr_storage *from)
{
	static const uint8_t head[SESSION_AT] = { PACKET_RELAY };
	struct half *half;
	uint64_t id;
	size_t at;

	if (lot->len <= HEADER)
		return NULL;
	for (at = 0; at < lot->len; at += lot->seg)
		if (lot->len - at <= HEADER || memcmp(lot->data + at, head, sizeof(head)) ||
		    memcmp(lot->data + at + SESSION_AT, lot->data + SESSION_AT, sizeof(id)))
			return NULL;
	memcpy(&id, lot->data + SESSION_AT, sizeof(id));
	half = find(id);
	return half && is_seen(half, from) ? half : NULL;
}

static struct cmsghdr *put_cmsg(struct msghdr *msg, struct cmsghdr *c, int level, int type,
				const void *data, size_t len)
{
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
	return (struct cmsghdr *)((char *)c + CMSG_SPACE(len));
}

/* From the address that the other end knows, if this machine has several */
static struct cmsghdr *put_source(struct msghdr *msg, struct cmsghdr *c, const struct half *to)
{
	struct in_pktinfo v4 = { .ipi_spec_dst = to->here.v4 };
	struct in6_pktinfo v6 = { .ipi6_addr = to->here.v6 };

	if (to->at.ss_family == AF_INET6)
		return put_cmsg(msg, c, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	return put_cmsg(msg, c, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
}

static void send_lot(const struct half *to, const struct lot *lot)
{
	char control[CMSG_SPACE(sizeof(uint16_t)) + CMSG_SPACE(sizeof(int)) +
		     CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)control;
	struct iovec iov = { lot->data, lot->len };
	struct msghdr msg = {
		.msg_name = (void *)&to->at, .msg_namelen = to->at_len,
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
	};
	bool v6 = to->at.ss_family == AF_INET6;
	uint16_t size = lot->seg;
	size_t at;

	for (at = 0; at < lot->len; at += lot->seg)
		memcpy(lot->data + at + SESSION_AT, &to->id, sizeof(to->id));
	c = put_cmsg(&msg, c, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS,
		     &lot->ecn, sizeof(lot->ecn));
	c = put_source(&msg, c, to);
	if (lot->len > lot->seg)
		put_cmsg(&msg, c, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	if (sendmsg(to->socket->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		metrics.relay_dropped++;
		return;
	}
	metrics.relay_packets += (lot->len + lot->seg - 1) / lot->seg;
	metrics.relay_bytes += lot->len;
}

static void forward(struct source *source, const struct lot *lot,
		    const struct sockaddr_storage *from, socklen_t from_len)
{
	struct half *half = sender_of(lot, from);
	struct session *session;

	if (!half) {
		metrics.relay_refused++;
		return;
	}
	memcpy(&half->at, from, from_len);
	half->at_len = from_len;
	half->here = lot->here;
	half->socket = source;
	session = half->session;
	list_remove(session);
	list_add(session);
	if (!half->other->at_len || !may_send(half, lot->len))
		metrics.relay_dropped++;
	else
		send_lot(half->other, lot);
}

/* A control message of that length at most, the rest zeros */
static void take_cmsg(const struct cmsghdr *c, void *data, size_t size)
{
	size_t len = c->cmsg_len - CMSG_LEN(0);

	memset(data, 0, size);
	memcpy(data, CMSG_DATA(c), len < size ? len : size);
}

static void read_ip_cmsg(const struct cmsghdr *c, struct lot *lot)
{
	struct in_pktinfo info;
	uint8_t tos;

	if (c->cmsg_type == IP_TOS) {
		take_cmsg(c, &tos, sizeof(tos));
		lot->ecn = tos;
	} else if (c->cmsg_type == IP_PKTINFO) {
		take_cmsg(c, &info, sizeof(info));
		lot->here.v4 = info.ipi_spec_dst;
	}
}

static void read_ipv6_cmsg(const struct cmsghdr *c, struct lot *lot)
{
	struct in6_pktinfo info;

	if (c->cmsg_type == IPV6_TCLASS) {
		take_cmsg(c, &lot->ecn, sizeof(lot->ecn));
	} else if (c->cmsg_type == IPV6_PKTINFO) {
		take_cmsg(c, &info, sizeof(info));
		lot->here.v6 = info.ipi6_addr;
	}
}

/* What the kernel says of packets that came together */
static void read_cmsgs(struct msghdr *msg, struct lot *lot)
{
	struct cmsghdr *c;
	int seg = 0;

	lot->ecn = 0;
	memset(&lot->here, 0, sizeof(lot->here));
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP)
			read_ip_cmsg(c, lot);
		else if (c->cmsg_level == IPPROTO_IPV6)
			read_ipv6_cmsg(c, lot);
		else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			take_cmsg(c, &seg, sizeof(seg));
	}
	lot->seg = seg > 0 && (size_t)seg < lot->len ? (size_t)seg : lot->len;
	lot->ecn &= 3;
}

static void on_packets(struct source *source, uint32_t events)
{
	static uint8_t data[LOT];
	char control[2 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct sockaddr_storage from;
	struct iovec iov = { data, sizeof(data) };
	struct lot lot = { .data = data };
	struct msghdr msg;
	unsigned int i;
	ssize_t len;

	(void)events;
	for (i = 0; i < LOTS_AT_ONCE; i++) {
		msg = (struct msghdr){
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
			.msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control),
		};
		len = recvmsg(source->fd, &msg, MSG_DONTWAIT);
		if (len < 0)
			return;
		lot.len = len;
		read_cmsgs(&msg, &lot);
		forward(source, &lot, &from, msg.msg_namelen);
	}
}

void relay_tick(void)
{
	uint64_t patience = server.config.relay_idle * 1000ULL;
	unsigned int i;

	for (i = 0; i < TICK_LOOKS && oldest && oldest->used + patience <= server.now; i++)
		forget(oldest);
}

/* Sizes are the hosts' affair: nothing is fragmented, and ECN fields go through. */
static void set_family_options(int fd, int family)
{
	int one = 1, probe = IP_PMTUDISC_PROBE;

	if (family == AF_INET) {
		setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe));
		return;
	}
	probe = IPV6_PMTUDISC_PROBE;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof(probe));
}

static int open_one(struct source *source, int family, unsigned int port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int size = SOCKET_BUFFER, one = 1;

	source->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (source->fd < 0)
		return -1;
	setsockopt(source->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(source->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(source->fd, SOL_UDP, UDP_GRO, &one, sizeof(one));
	set_family_options(source->fd, family);
	source->ready = on_packets;
	if (family == AF_INET6 ? bind(source->fd, (struct sockaddr *)&in6, sizeof(in6)) :
				 bind(source->fd, (struct sockaddr *)&in, sizeof(in)))
		return -1;
	return loop_add(source, EPOLLIN);
}

int relay_open(void)
{
	if (!server.config.relay)
		return 0;
	randombytes_buf(hash_key, sizeof(hash_key));
	if (open_one(&sockets[0], AF_INET, server.config.relay))
		return -1;
	/* without IPv6 in the kernel there is none */
	if (open_one(&sockets[1], AF_INET6, server.config.relay) && errno != EAFNOSUPPORT)
		return -1;
	return 0;
}

void relay_close(void)
{
	int i;

	while (oldest)
		forget(oldest);
	for (i = 0; i < 2; i++) {
		if (sockets[i].fd < 0)
			continue;
		loop_remove(&sockets[i]);
		close(sockets[i].fd);
		sockets[i].fd = -1;
	}
}
