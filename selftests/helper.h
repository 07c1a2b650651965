/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of finding peers: a helper as the kernel sees one, who listens to the
 * questions of a namespace and answers them, and hosts that know nothing of
 * each other.
 */
#ifndef SSS_TEST_HELPER_H
#define SSS_TEST_HELPER_H

#include "paths.h"

/**
 * struct helper - one who answers
 * @questions: in the group "resolve"
 * @answers: requests
 */
struct helper {
	struct genl questions;
	struct genl answers;
};

/**
 * struct question - what the kernel asks
 * @host: name
 * @local: EID of the host
 * @remote: EID of the peer that is wanted
 */
struct question {
	char host[SSS_HOST_NAME_MAX + 1];
	struct sss_eid local, remote;
};

static inline void helper_open(struct helper *h, int who)
{
	int on = 1;

	enter(who);
	genl_open(&h->questions);
	genl_open(&h->answers);
	if (mnl_socket_setsockopt(h->questions.nl, NETLINK_BROADCAST_ERROR, &on, sizeof(on)) ||
	    mnl_socket_setsockopt(h->questions.nl, NETLINK_ADD_MEMBERSHIP,
				  &h->questions.resolve, sizeof(h->questions.resolve)))
		genl_die("group resolve");
}

static inline void helper_close(struct helper *h)
{
	mnl_socket_close(h->questions.nl);
	mnl_socket_close(h->answers.nl);
}

/* The next question, if one comes within @ms */
static inline bool helper_hear(struct helper *h, int ms, struct question *q)
{
	static char buf[GENL_BUF];
	const struct nlmsghdr *nlh = (void *)buf;
	const struct genlmsghdr *genlh;
	struct genl_attrs a;
	ssize_t len;

	if (!polled(mnl_socket_get_fd(h->questions.nl), POLLIN, ms))
		return false;
	len = mnl_socket_recvfrom(h->questions.nl, buf, sizeof(buf));
	genlh = mnl_nlmsg_get_payload(nlh);
	if (len <= 0 || !mnl_nlmsg_ok(nlh, len) || genlh->cmd != SSS_CMD_RESOLVE)
		return false;
	genl_attrs(nlh, &a);
	memset(q, 0, sizeof(*q));
	if (!a.of[SSS_A_HOST_NAME] || !a.of[SSS_A_HOST_EID] || !a.of[SSS_A_PEER_EID])
		return false;
	snprintf(q->host, sizeof(q->host), "%s", mnl_attr_get_str(a.of[SSS_A_HOST_NAME]));
	memcpy(&q->local, mnl_attr_get_payload(a.of[SSS_A_HOST_EID]), SSS_EID_LEN);
	memcpy(&q->remote, mnl_attr_get_payload(a.of[SSS_A_PEER_EID]), SSS_EID_LEN);
	return true;
}

/* The beginning of an answer about @eid for the host @name; NULL: the default one */
static inline struct nlmsghdr *answer_start(struct helper *h, const char *name,
					    const struct sss_eid *eid)
{
	struct nlmsghdr *nlh = genl_start(&h->answers, SSS_CMD_RESOLVE, 0);

	if (name)
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	genl_put(nlh, SSS_A_PEER_EID, eid, sizeof(*eid));
	return nlh;
}

/* It may be at @n places; a positive errno. */
static inline int answer(struct helper *h, const char *name, const struct sss_eid *eid, int n,
			 const char *const *where, int port)
{
	struct nlmsghdr *nlh = answer_start(h, name, eid);

	genl_put_endpoints(nlh, n, where, port);
	return genl_call(&h->answers, nlh, NULL, NULL);
}

static inline int answer_at(struct helper *h, const char *name, const struct sss_eid *eid,
			    const char *where, int port)
{
	return answer(h, name, eid, 1, &where, port);
}

static inline int answer_error(struct helper *h, const char *name, const struct sss_eid *eid,
			       uint32_t error)
{
	struct nlmsghdr *nlh = answer_start(h, name, eid);

	mnl_attr_put_u32(nlh, SSS_A_ERROR, error);
	return genl_call(&h->answers, nlh, NULL, NULL);
}

/* Alice's host and bob's, who do not know each other */
static inline void make_strangers(struct both *b, const char *name, int port)
{
	*b = (struct both){ .name = name, .port = port, .service = { "at alice", "at bob" } };
	for (int who = ALICE; who <= BOB; who++) {
		enter(who);
		b->eid[who] = add_host(name, port, ~0u);
	}
}

/* A child that calls as @who does; its exit status is what connect() says. */
static inline pid_t dial_apart(const struct both *b, int who)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = dial_as(b, who);
	_exit(fd < 0 ? errno : 0);
}

static inline int result_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* A socket of @who's that is connecting, without waiting; -1: it is not */
static inline int begin_to_dial(const struct both *b, int who)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = b->eid[!who] };
	int fd = open_as(b, who, "");

	snprintf(addr.sss_service, sizeof(addr.sss_service), "%s", b->service[!who]);
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	set_nonblock(fd, true);
	if (connect_to(fd, &addr) == -1 && errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

#endif /* SSS_TEST_HELPER_H */
