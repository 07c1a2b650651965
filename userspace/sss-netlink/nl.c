// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Generic netlink by libmnl: one socket, the family's number looked up once.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../libsss/sss.h"
#include "sss-netlink.h"

/* Not NLMSG_GOODSIZE: a dump entry with eight endpoints is well below a page */
#define BUFFER 32768

static struct mnl_socket *nl;
static uint16_t family;
static uint32_t group_id;
static const char *group_wanted;
static uint32_t sequence;
static char buffer[BUFFER];

static struct nlmsghdr *start(char *buf, int cmd, int version, int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

/* The text the kernel gives with an error, if any */
static int extack_cb(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		*(const char **)data = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

static const char *extack(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);
	const char *text = NULL;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&err->msg) ? err->msg.nlmsg_len - sizeof(err->msg) : 0;
	mnl_attr_parse(nlh, skip, extack_cb, &text);
	return text;
}

static int refused;		/* errno of the request under way */
static char refusal[512];	/* and what that means, a sentence */

static void refuse(int err, const char *text)
{
	refused = err;
	if (text)
		snprintf(refusal, sizeof(refusal), "%s (%s)", text, strerror(err));
	else if (err == EPERM)
		snprintf(refusal, sizeof(refusal), "only an administrator of this network namespace may do that");
	else
		snprintf(refusal, sizeof(refusal), "the kernel refuses: %s", strerror(err));
}

static int on_error(const struct nlmsghdr *nlh, void *data)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

	(void)data;
	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*err)))
		return MNL_CB_ERROR;
	if (err->error)
		refuse(-err->error, extack(nlh));
	return MNL_CB_STOP;
}

static int on_done(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	return MNL_CB_STOP;
}

static int exchange(struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	static mnl_cb_t control[NLMSG_MIN_TYPE] = {
		[NLMSG_ERROR] = on_error,
		[NLMSG_DONE] = on_done,
	};
	uint32_t seq = nlh->nlmsg_seq;
	ssize_t n = mnl_socket_sendto(nl, nlh, nlh->nlmsg_len);
	int more = MNL_CB_OK;

	refused = 0;
	sodium_memzero(nlh, nlh->nlmsg_len);	/* it may hold a key */
	while (n >= 0 && more > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
		if (n >= 0)
			more = mnl_cb_run2(buffer, n, seq, mnl_socket_get_portid(nl), cb, data,
					   control, NLMSG_MIN_TYPE);
	}
	if (n < 0 || more < 0)
		die(EXIT_KERNEL, "netlink: %s", strerror(errno));
	return refused;
}

static int group_attr(const struct nlattr *attr, void *data)
{
	struct { const char *name; uint32_t id; } *g = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
		g->name = mnl_attr_get_str(attr);
	if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
		g->id = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int group_cb(const struct nlattr *attr, void *data)
{
	struct { const char *name; uint32_t id; } g = { NULL, 0 };

	(void)data;
	mnl_attr_parse_nested(attr, group_attr, &g);
	if (g.name && group_wanted && !strcmp(g.name, group_wanted))
		group_id = g.id;
	return MNL_CB_OK;
}

static int family_attr(const struct nlattr *attr, void *data)
{
	(void)data;
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		family = mnl_attr_get_u16(attr);
	if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
		mnl_attr_parse_nested(attr, group_cb, NULL);
	return MNL_CB_OK;
}

static int family_cb(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), family_attr, data);
}

static int no_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

	(void)data;
	if (err->error)
		die(EXIT_KERNEL, "the sss module is not loaded: run \"modprobe sss\", or \"insmod sss.ko\" after what it depends on");
	return MNL_CB_STOP;
}

static void find_family(void)
{
	static mnl_cb_t control[NLMSG_MIN_TYPE] = { [NLMSG_ERROR] = no_family };
	char buf[8192];	/* the other one may hold a request already */
	struct nlmsghdr *nlh = start(buf, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	int more = MNL_CB_OK;
	ssize_t n;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, SSS_GENL_NAME);
	n = mnl_socket_sendto(nl, nlh, nlh->nlmsg_len);
	while (n >= 0 && more > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n >= 0)
			more = mnl_cb_run2(buf, n, sequence, mnl_socket_get_portid(nl),
					   family_cb, NULL, control, NLMSG_MIN_TYPE);
	}
	if (n < 0 || !family)
		die(EXIT_KERNEL, "netlink: %s", strerror(errno));
}

static void open_socket(void)
{
	int on = 1;

	if (nl)
		return;
	nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		die(EXIT_KERNEL, "netlink: %s", strerror(errno));
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	find_family();
}

/* Needs no kernel yet: what is wrong with the command line is said first. */
struct nlmsghdr *nl_request(int cmd, int flags)
{
	return start(buffer, cmd, SSS_GENL_VERSION, flags | NLM_F_ACK);
}

int nl_try(struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	open_socket();
	nlh->nlmsg_type = family;
	return exchange(nlh, cb, data);
}

const char *nl_refusal(void)
{
	return refusal;
}

int nl_send(struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	if (nl_try(nlh, cb, data))
		die(EXIT_KERNEL, "%s", refusal);
	return EXIT_OK;
}

static uint32_t find_group(const char *group)
{
	group_wanted = group;
	group_id = 0;
	open_socket();
	if (!group_id)
		find_family();	/* for another group than when it was opened */
	return group_id;
}

struct mnl_socket *nl_group(const char *group)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	int id = find_group(group), err = ENOENT;

	if (sock && !mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) && id &&
	    !mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &id, sizeof(id)))
		return sock;
	if (id)
		err = errno;
	refuse(err, id ? NULL : "this module is too old for that");
	die(EXIT_KERNEL, "%s", refusal);
}

int nl_listen(const char *group, mnl_cb_t cb)
{
	struct mnl_socket *sock = nl_group(group);
	int n = 0;

	while (n >= 0) {
		n = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (n < 0 && errno == ENOBUFS) {
			warn("events were lost, there were too many");
			n = 0;
		} else if (n > 0) {
			mnl_cb_run(buffer, n, 0, 0, cb, NULL);
			fflush(stdout);
		}
	}
	die(EXIT_KERNEL, "netlink: %s", strerror(errno));
}

static int attr_cb(const struct nlattr *attr, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_type_valid(attr, SSS_A_MAX) > 0)
		tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

void nl_attrs(const struct nlmsghdr *nlh, const struct nlattr **tb)
{
	memset(tb, 0, (SSS_A_MAX + 1) * sizeof(*tb));
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), attr_cb, tb);
}

void nl_nest(const struct nlattr *nest, mnl_attr_cb_t cb, void *data)
{
	if (nest)
		mnl_attr_parse_nested(nest, cb, data);
}

void put_eid(struct nlmsghdr *nlh, int attr, const char *text)
{
	struct sss_eid eid;

	parse_eid(&eid, text);
	mnl_attr_put(nlh, attr, sizeof(eid), &eid);
}
