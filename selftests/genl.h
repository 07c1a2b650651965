/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the generic netlink family "sss" for tests: made with libmnl,
 * each answered with an errno and the kernel's text about it.
 */
#ifndef SSS_TEST_GENL_H
#define SSS_TEST_GENL_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <unistd.h>
#include "linux/sss.h"

#define GENL_BUF 65536

struct genl {
	struct mnl_socket *nl;
	uint32_t seq;
	uint16_t family;
	uint32_t monitor, resolve;	/* multicast groups */
	char text[256];			/* of the last error, empty: none */
	unsigned char echo[GENL_BUF];	/* request as the last error returned it */
	size_t echo_len;
	char buf[GENL_BUF];		/* of the request being made */
};

static inline void genl_die(const char *what)
{
	perror(what);
	exit(1);
}

static inline struct nlmsghdr *genl_start(struct genl *g, int cmd, int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(g->buf);
	struct genlmsghdr *genlh;

	nlh->nlmsg_type = g->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++g->seq;
	genlh = mnl_nlmsg_put_extra_header(nlh, sizeof(*genlh));
	genlh->cmd = cmd;
	genlh->version = SSS_GENL_VERSION;
	return nlh;
}

static inline int genl_read_error(struct genl *g, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t len = sizeof(*err);
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->error) {
		len += mnl_nlmsg_get_payload_len(&err->msg);
		g->echo_len = err->msg.nlmsg_len;
		memcpy(g->echo, &err->msg, g->echo_len);
	}
	len = MNL_ALIGN(len);
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		mnl_attr_for_each(attr, nlh, len) {
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
				snprintf(g->text, sizeof(g->text), "%s",
					 mnl_attr_get_str(attr));
		}
	}
	return -err->error;
}

/* Sends the request; cb sees each message of the answer. Returns a positive errno. */
static inline int genl_call(struct genl *g, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	static char buf[GENL_BUF];
	const struct nlmsghdr *in;
	ssize_t len;
	int rest;

	g->text[0] = 0;
	g->echo_len = 0;
	if (mnl_socket_sendto(g->nl, nlh, nlh->nlmsg_len) < 0)
		return errno;
	for (;;) {
		len = mnl_socket_recvfrom(g->nl, buf, sizeof(buf));
		if (len < 0)
			return errno;
		rest = len;
		for (in = (void *)buf; mnl_nlmsg_ok(in, rest); in = mnl_nlmsg_next(in, &rest)) {
			if (in->nlmsg_seq != g->seq)
				continue;
			if (in->nlmsg_type == NLMSG_ERROR)
				return genl_read_error(g, in);
			if (in->nlmsg_type == NLMSG_DONE)
				return -*(int *)mnl_nlmsg_get_payload(in);
			if (cb)
				cb(in, data);
		}
	}
}

static inline int genl_parse_group(const struct nlattr *attr, void *data)
{
	struct genl *g = data;
	const struct nlattr *in;
	const char *name = "";
	uint32_t id = 0;

	mnl_attr_for_each_nested(in, attr) {
		if (mnl_attr_get_type(in) == CTRL_ATTR_MCAST_GRP_ID)
			id = mnl_attr_get_u32(in);
		else if (mnl_attr_get_type(in) == CTRL_ATTR_MCAST_GRP_NAME)
			name = mnl_attr_get_str(in);
	}
	if (!strcmp(name, SSS_GENL_MCGRP_MONITOR))
		g->monitor = id;
	else if (!strcmp(name, SSS_GENL_MCGRP_RESOLVE))
		g->resolve = id;
	return MNL_CB_OK;
}

static inline int genl_parse_family(const struct nlmsghdr *nlh, void *data)
{
	struct genl *g = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			g->family = mnl_attr_get_u16(attr);
		else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			mnl_attr_parse_nested(attr, genl_parse_group, g);
	}
	return MNL_CB_OK;
}

/* A socket in the current namespace; ends the program if that cannot be. */
static inline void genl_open(struct genl *g)
{
	struct nlmsghdr *nlh;
	int on = 1;

	memset(g, 0, sizeof(*g));
	g->nl = mnl_socket_open(NETLINK_GENERIC);
	if (!g->nl || mnl_socket_bind(g->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		genl_die("netlink socket");
	mnl_socket_setsockopt(g->nl, NETLINK_EXT_ACK, &on, sizeof(on));
	g->family = GENL_ID_CTRL;
	nlh = genl_start(g, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, SSS_GENL_NAME);
	errno = genl_call(g, nlh, genl_parse_family, g);
	if (errno)
		genl_die("generic netlink family sss");
}

/* An attribute of any length, also a wrong one */
static inline void genl_put(struct nlmsghdr *nlh, int type, const void *data, size_t len)
{
	mnl_attr_put(nlh, type, len, data);
}

static inline void genl_put_endpoint4(struct nlmsghdr *nlh, const char *addr, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, addr, &in.sin_addr);
	genl_put(nlh, SSS_A_ENDPOINT, &in, sizeof(in));
}

static inline void genl_put_endpoint6(struct nlmsghdr *nlh, const char *addr, int port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, addr, &in6.sin6_addr);
	genl_put(nlh, SSS_A_ENDPOINT, &in6, sizeof(in6));
}

/* The places where a peer may be: addresses of either family, all at one port */
static inline void genl_put_endpoints(struct nlmsghdr *nlh, int n, const char *const *where,
				      int port)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);

	for (int i = 0; i < n; i++) {
		if (strchr(where[i], ':'))
			genl_put_endpoint6(nlh, where[i], port);
		else
			genl_put_endpoint4(nlh, where[i], port);
	}
	mnl_attr_nest_end(nlh, nest);
}

/* Attributes of a message by type; nothing nested. */
struct genl_attrs {
	const struct nlattr *of[SSS_A_MAX + 1];
};

static inline void genl_attrs(const struct nlmsghdr *nlh, struct genl_attrs *attrs)
{
	const struct nlattr *attr;

	memset(attrs, 0, sizeof(*attrs));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) <= SSS_A_MAX)
			attrs->of[mnl_attr_get_type(attr)] = attr;
}

#endif /* SSS_TEST_GENL_H */
