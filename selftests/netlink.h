/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of hosts and peers over generic netlink share: requests that
 * make, change and show them, and the fixture. Each test runs in a network
 * namespace of its own.
 */
#ifndef SSS_TEST_NETLINK_H
#define SSS_TEST_NETLINK_H

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include "kselftest_harness.h"
#include "genl.h"

#define FLAGS_ALL (SSS_HOST_F_DEFAULT | SSS_HOST_F_STEALTH | SSS_HOST_F_HIDE_SERVICES)
#define NOBODY 65534

/* RFC 7748, section 6.1 */
static const unsigned char __attribute__((unused)) alice_private[32] = {
	0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66,
	0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9,
	0x2c, 0x2a,
};
static const unsigned char __attribute__((unused)) alice_public[32] = {
	0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7,
	0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b,
	0x4e, 0x6a,
};
/* Any number may be a public key but for a few. */
static const unsigned char __attribute__((unused)) peer_a[32] = { 9 };
static const unsigned char __attribute__((unused)) peer_b[32] = { 16 };

struct host {
	char name[SSS_HOST_NAME_MAX + 1];
	unsigned char eid[32];
	unsigned char key[32];
	bool has_key;
	unsigned int port, flags, uid, gid, mode, padding, access, max_streams, stream_rate;
};

struct peer {
	char host[SSS_HOST_NAME_MAX + 1];
	unsigned char eid[32];
	unsigned int flags;
	unsigned int n_endpoints;
	struct sockaddr_in6 endpoint[8];
	size_t endpoint_len[8];
};

struct list {
	unsigned int n;
	struct host hosts[16];
	struct peer peers[512];
};

static inline uint32_t get_u32(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : ~0u;
}

static inline int add_host(const struct nlmsghdr *nlh, void *data)
{
	struct list *list = data;
	struct host *host = &list->hosts[list->n++];
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	memset(host, 0, sizeof(*host));
	snprintf(host->name, sizeof(host->name), "%s", mnl_attr_get_str(a.of[SSS_A_HOST_NAME]));
	memcpy(host->eid, mnl_attr_get_payload(a.of[SSS_A_HOST_EID]), 32);
	host->port = mnl_attr_get_u16(a.of[SSS_A_HOST_PORT]);
	host->flags = get_u32(a.of[SSS_A_HOST_FLAGS]);
	host->uid = get_u32(a.of[SSS_A_HOST_UID]);
	host->gid = get_u32(a.of[SSS_A_HOST_GID]);
	host->mode = get_u32(a.of[SSS_A_HOST_MODE]);
	host->padding = get_u32(a.of[SSS_A_HOST_PADDING]);
	host->access = get_u32(a.of[SSS_A_HOST_ACCESS]);
	host->max_streams = get_u32(a.of[SSS_A_MAX_STREAMS]);
	host->stream_rate = get_u32(a.of[SSS_A_STREAM_RATE]);
	if (a.of[SSS_A_HOST_PRIVATE_KEY]) {
		host->has_key = true;
		memcpy(host->key, mnl_attr_get_payload(a.of[SSS_A_HOST_PRIVATE_KEY]), 32);
	}
	return MNL_CB_OK;
}

static inline int add_peer(const struct nlmsghdr *nlh, void *data)
{
	struct list *list = data;
	struct peer *peer = &list->peers[list->n++];
	const struct nlattr *ep;
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	memset(peer, 0, sizeof(*peer));
	snprintf(peer->host, sizeof(peer->host), "%s", mnl_attr_get_str(a.of[SSS_A_HOST_NAME]));
	memcpy(peer->eid, mnl_attr_get_payload(a.of[SSS_A_PEER_EID]), 32);
	peer->flags = get_u32(a.of[SSS_A_PEER_FLAGS]);
	if (!a.of[SSS_A_ENDPOINTS])
		return MNL_CB_OK;
	mnl_attr_for_each_nested(ep, a.of[SSS_A_ENDPOINTS]) {
		size_t len = mnl_attr_get_payload_len(ep);

		peer->endpoint_len[peer->n_endpoints] = len;
		memcpy(&peer->endpoint[peer->n_endpoints++], mnl_attr_get_payload(ep), len);
	}
	return MNL_CB_OK;
}

static struct list list;

static inline unsigned int dump(struct genl *g, int cmd)
{
	int err;

	list.n = 0;
	err = genl_call(g, genl_start(g, cmd, NLM_F_DUMP),
			cmd == SSS_CMD_HOST_GET ? add_host : add_peer, &list);
	return err ? ~0u : list.n;
}

static inline int get_host(struct genl *g, const char *name, bool want_key, struct host *host)
{
	struct nlmsghdr *nlh = genl_start(g, SSS_CMD_HOST_GET, 0);
	int err;

	if (name)
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	if (want_key)
		genl_put(nlh, SSS_A_HOST_WANT_KEY, NULL, 0);
	list.n = 0;
	err = genl_call(g, nlh, add_host, &list);
	if (!err)
		*host = list.hosts[0];
	return err;
}

/* A request about host @name, with one more attribute if @type is not 0 */
static inline int ask(struct genl *g, int cmd, const char *name, int type, const void *data,
		      size_t len)
{
	struct nlmsghdr *nlh = genl_start(g, cmd, 0);

	if (name)
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	if (type)
		genl_put(nlh, type, data, len);
	return genl_call(g, nlh, NULL, NULL);
}

static inline int ask_u32(struct genl *g, int cmd, const char *name, int type, uint32_t value)
{
	return ask(g, cmd, name, type, &value, sizeof(value));
}

static inline int new_host(struct genl *g, const char *name, uint16_t port)
{
	return ask(g, SSS_CMD_HOST_NEW, name, SSS_A_HOST_PORT, &port, sizeof(port));
}

static inline struct nlmsghdr *start_peer(struct genl *g, int cmd, const char *host,
				   const unsigned char *eid)
{
	struct nlmsghdr *nlh = genl_start(g, cmd, 0);

	if (host)
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, host);
	genl_put(nlh, SSS_A_PEER_EID, eid, 32);
	return nlh;
}

static inline int ask_peer(struct genl *g, int cmd, const char *host, const unsigned char *eid)
{
	return genl_call(g, start_peer(g, cmd, host, eid), NULL, NULL);
}

/* With one endpoint, given as it is */
static inline int ask_endpoint(struct genl *g, int cmd, const unsigned char *eid, const void *ep,
			size_t len)
{
	struct nlmsghdr *nlh = start_peer(g, cmd, NULL, eid);
	struct nlattr *nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);

	genl_put(nlh, SSS_A_ENDPOINT, ep, len);
	mnl_attr_nest_end(nlh, nest);
	return genl_call(g, nlh, NULL, NULL);
}

static inline int ask_endpoint4(struct genl *g, int cmd, const unsigned char *eid, const char *addr,
			 int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, addr, &in.sin_addr);
	return ask_endpoint(g, cmd, eid, &in, sizeof(in));
}

static inline int ask_endpoint6(struct genl *g, int cmd, const unsigned char *eid, const char *addr,
			 int port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, addr, &in6.sin6_addr);
	return ask_endpoint(g, cmd, eid, &in6, sizeof(in6));
}

/* Returns a positive errno. */
static inline int sysctl_write(const char *name, const char *value)
{
	char path[512];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/sss/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	if (write(fd, value, strlen(value)) < 0)
		err = errno;
	close(fd);
	return err;
}

static inline void sysctl_read(const char *name, char *value, size_t size)
{
	char path[512];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/sss/%s", name);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		n = read(fd, value, size - 1);
		close(fd);
	}
	value[n > 0 ? n : 0] = 0;
}

#define REFUSED(want, call) do {				\
	int err_ = (call);					\
								\
	EXPECT_EQ(want, err_)					\
		TH_LOG("%s: %s (%s)", #call, strerror(err_), self->g.text); \
	EXPECT_NE(0, self->g.text[0])				\
		TH_LOG("%s: no text", #call);			\
} while (0)

FIXTURE(netlink)
{
	struct genl g;
};

FIXTURE_SETUP(netlink)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	genl_open(&self->g);
}

FIXTURE_TEARDOWN(netlink)
{
	mnl_socket_close(self->g.nl);
}

#endif /* SSS_TEST_NETLINK_H */
