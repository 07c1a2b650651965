// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "agent.h"
#include "../sss-netlink/config.h"
#include "../sss-netlink/known.h"

#define BUFFER 8192

static struct mnl_socket *questions, *events;

static int on_question(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	struct identity *self;
	struct sss_eid eid;

	(void)data;
	nl_attrs(nlh, tb);
	if (!tb[SSS_A_HOST_EID] || !tb[SSS_A_PEER_EID] ||
	    mnl_attr_get_payload_len(tb[SSS_A_HOST_EID]) != sizeof(eid) ||
	    mnl_attr_get_payload_len(tb[SSS_A_PEER_EID]) != sizeof(eid))
		return MNL_CB_OK;
	memcpy(&eid, mnl_attr_get_payload(tb[SSS_A_HOST_EID]), sizeof(eid));
	self = agent_find(&eid);
	memcpy(&eid, mnl_attr_get_payload(tb[SSS_A_PEER_EID]), sizeof(eid));
	if (self)
		resolve_question(self, &eid);
	return MNL_CB_OK;
}

static int on_event(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	bool *hosts = data;
	uint32_t event;

	nl_attrs(nlh, tb);
	event = tb[SSS_A_EVENT] ? mnl_attr_get_u32(tb[SSS_A_EVENT]) : 0;
	if (event == SSS_EVENT_HOST_NEW || event == SSS_EVENT_HOST_DEL)
		*hosts = true;
	return MNL_CB_OK;
}

/* Everything that waits; false: some was lost, since there was too much */
static bool drain(struct mnl_socket *sock, mnl_cb_t cb, void *data)
{
	char buffer[BUFFER];
	ssize_t n;

	for (;;) {
		n = recv(mnl_socket_get_fd(sock), buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n < 0)
			return errno != ENOBUFS;
		mnl_cb_run(buffer, n, 0, 0, cb, data);
	}
}

static void questions_ready(struct source *source, uint32_t ready)
{
	(void)source;
	(void)ready;
	/* The kernel asks again what was lost. */
	if (!drain(questions, on_question, NULL))
		log_event(LOG_L_WARNING, "questions-lost");
}

static void events_ready(struct source *source, uint32_t ready)
{
	bool hosts = false;

	(void)source;
	(void)ready;
	if (!drain(events, on_event, &hosts))
		hosts = true;
	if (!hosts)
		return;
	kernel_read_hosts();
	local_moved();
}

static struct source question_source = { .ready = questions_ready };
static struct source event_source = { .ready = events_ready };

/* That too many wait is not to look to the kernel as if nobody listened. */
static void admit_loss(struct mnl_socket *sock)
{
	int on = 1;

	if (mnl_socket_setsockopt(sock, NETLINK_BROADCAST_ERROR, &on, sizeof(on)))
		die(EXIT_KERNEL, "netlink: %s", strerror(errno));
}

void kernel_open(void)
{
	questions = nl_group(SSS_GENL_MCGRP_RESOLVE);
	admit_loss(questions);
	events = nl_group(SSS_GENL_MCGRP_MONITOR);
	question_source.fd = mnl_socket_get_fd(questions);
	event_source.fd = mnl_socket_get_fd(events);
	if (loop_add(&question_source, EPOLLIN) || loop_add(&event_source, EPOLLIN))
		die(EXIT_KERNEL, "epoll: %s", strerror(errno));
}

void kernel_read_hosts(void)
{
	const struct known_host *known;
	struct known hosts;
	unsigned int i;

	known_read_hosts(&hosts);
	for (i = 0; i < agent.n_identities; i++) {
		struct identity *self = &agent.identities[i];
		bool was = self->present;

		known = known_find_host(&hosts, self->conf->name);
		self->present = known;
		if (known) {
			self->eid = known->eid;
			self->port = known->port;
		}
		if (self->present != was)
			log_at(LOG_L_INFO, known ? "host" : "host-gone", " name=%s eid=%s",
			       self->conf->name, log_eid(&self->eid));
	}
	known_free(&hosts);
}

static int on_service(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	unsigned int i;

	(void)data;
	nl_attrs(nlh, tb);
	for (i = 0; i < agent.n_identities; i++)
		if (!tb[SSS_A_HOST_NAME] || !strcmp(mnl_attr_get_str(tb[SSS_A_HOST_NAME]),
						    agent.identities[i].conf->name))
			agent.identities[i].called = true;
	return MNL_CB_OK;
}

void kernel_read_services(void)
{
	unsigned int i;

	for (i = 0; i < agent.n_identities; i++)
		agent.identities[i].called = false;
	nl_try(nl_request(SSS_CMD_SERVICE_GET, NLM_F_DUMP), on_service, NULL);
}

static struct nlmsghdr *answer(const struct identity *self, const struct sss_eid *peer)
{
	struct nlmsghdr *nlh = nl_request(SSS_CMD_RESOLVE, 0);

	mnl_attr_put(nlh, SSS_A_HOST_EID, sizeof(self->eid), &self->eid);
	mnl_attr_put(nlh, SSS_A_PEER_EID, sizeof(*peer), peer);
	return nlh;
}

static int tell(const struct identity *self, const struct sss_eid *peer,
		const union endpoint_addr *addr, unsigned int n, const struct sss_relay *relays,
		unsigned int n_relays)
{
	struct nlmsghdr *nlh = answer(self, peer);
	struct nlattr *nest;
	unsigned int i;

	if (n) {
		nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);
		for (i = 0; i < n; i++)
			mnl_attr_put(nlh, SSS_A_ENDPOINT, plan_addr_len(&addr[i]), &addr[i]);
		mnl_attr_nest_end(nlh, nest);
	}
	if (n_relays) {
		nest = mnl_attr_nest_start(nlh, SSS_A_RELAYS);
		for (i = 0; i < n_relays; i++)
			mnl_attr_put(nlh, SSS_A_RELAY, sizeof(relays[i]), &relays[i]);
		mnl_attr_nest_end(nlh, nest);
	}
	return nl_try(nlh, NULL, NULL);
}

void kernel_tell(const struct identity *self, const struct sss_eid *peer,
		 const struct candidates *where)
{
	unsigned int room = AGENT_ENDPOINTS - where->n_relays, i;
	unsigned int n = where->n < room ? where->n : room;
	int err = tell(self, peer, where->addr, n, where->relays, where->n_relays);

	if (!err)
		return;
	/* EACCES: somebody calls who is not let in here, which is nothing to worry about. */
	log_at(err == EACCES ? LOG_L_INFO : LOG_L_WARNING, "kernel-refused",
	       " peer=%s error=%s", log_eid(peer), log_quote(nl_refusal()));
	/* One that may not be is not to cost the others. */
	for (i = 0; err == EINVAL && n + where->n_relays > 1 && i < n; i++)
		tell(self, peer, &where->addr[i], 1, NULL, 0);
	for (i = 0; err == EINVAL && n && i < where->n_relays; i++)
		tell(self, peer, NULL, 0, &where->relays[i], 1);
}

void kernel_tell_error(const struct identity *self, const struct sss_eid *peer, int err)
{
	struct nlmsghdr *nlh = answer(self, peer);

	mnl_attr_put_u32(nlh, SSS_A_ERROR, err);
	nl_try(nlh, NULL, NULL);
}
