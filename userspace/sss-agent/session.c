// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A session is a stream of one host to one registration server, as long as it is of
 * use: a host that registers has one all the time, by which it hears who wants to
 * reach it; otherwise there is one while there is something to ask.
 *
 * The stream keeps the NATs on its way open (SO_KEEPALIVE) only while a program
 * listens on the host: nobody else can be called.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "agent.h"
#include "../sss-netlink/config.h"

#define ANSWER_MS	10000	/* a server has for an answer, and for the stream */
#define AGAIN_MS	1000	/* first pause after a failure; doubles */
#define AGAIN_MAX_MS	300000
#define SERVICES_MS	5000	/* between two looks at who listens */
#define REQUESTS	32	/* under way on a session */
#define NOTICES		32	/* acted upon, of one session in NOTICES_MS */
#define NOTICES_MS	10000
#define GOODBYE_MS	500
#define LEAVE_MS	2000	/* as well, where the server has to be called for it */

struct request {
	uint32_t id;		/* 0: free */
	unsigned int op;
	struct sss_eid peer;
	uint64_t until;
};

/**
 * struct session - a host at a server
 * @source: the stream, fd -1: none
 * @client: the same for regclient
 * @connected: records can be sent
 * @wanted: questions wait for the stream
 * @due: when to connect, or to make the entry last longer
 * @failures: in a row
 * @entry: the server has one of us
 * @kept: SO_KEEPALIVE is on
 * @leaving: all that is left to do is to have the entry taken away
 * @requests: sent, not answered
 * @notices: acted upon since @notices_from
 */
struct session {
	struct source source;
	struct reg_client client;
	struct identity *self;
	const struct conf_peer *server;
	bool connected, wanted, entry, kept, leaving;
	uint64_t due, until;
	unsigned int failures;
	struct request requests[REQUESTS];
	unsigned int notices;
	uint64_t notices_from;
};

static struct session *sessions;
static unsigned int n_sessions;
static uint64_t services_at;
static struct reg_answer answer;	/* large */

static struct request *add_request(struct session *s, unsigned int op, const struct sss_eid *peer)
{
	unsigned int i;

	for (i = 0; i < REQUESTS && s->requests[i].id; i++)
		;
	if (i == REQUESTS)
		return NULL;
	s->requests[i] = (struct request){ .op = op, .until = agent.now + ANSWER_MS };
	if (peer)
		s->requests[i].peer = *peer;
	return &s->requests[i];
}

static void hang_up(struct session *s)
{
	unsigned int i;

	if (s->source.fd < 0)
		return;
	loop_remove(&s->source);
	reg_close(&s->client);
	s->source.fd = -1;
	s->connected = s->kept = false;
	for (i = 0; i < REQUESTS; i++) {
		if (s->requests[i].id && (s->requests[i].op == REG_INTRODUCE ||
					  s->requests[i].op == REG_LOOKUP))
			resolve_nothing(s->self, &s->requests[i].peer, ETIMEDOUT);
		s->requests[i].id = 0;
	}
}

static void nobody_home(struct identity *self, const struct sss_eid *peer, void *data)
{
	const struct session *s = data;

	if (self == s->self)
		resolve_nothing(self, peer, ETIMEDOUT);
}

/* The server does not answer: later, and less and less often */
static void fail(struct session *s, const char *why)
{
	unsigned int doublings = s->failures < 9 ? s->failures : 9;
	uint64_t pause = (uint64_t)AGAIN_MS << doublings;
	bool wanted = s->wanted;

	log_at(s->failures ? LOG_L_DEBUG : LOG_L_WARNING, "server-lost", " server=%s host=%s why=%s",
	       log_eid(&s->server->eid), s->self->conf->name, log_quote(why));
	s->failures++;
	s->wanted = false;
	hang_up(s);
	if (wanted)
		resolve_each(nobody_home, s);
	s->due = agent.now + agent_jitter(pause < AGAIN_MAX_MS ? pause : AGAIN_MAX_MS);
}

static void ask(struct session *s, struct reg_request *req, const struct sss_eid *peer)
{
	struct request *request = add_request(s, req->op, peer);

	if (request && !reg_ask(&s->client, req)) {
		request->id = req->id;
		return;
	}
	if (peer)
		resolve_nothing(s->self, peer, ETIMEDOUT);
	if (request)
		fail(s, strerror(errno));
}

static void register_host(struct session *s)
{
	const struct reg_profile *profile = conf_find_profile(&agent.conf, s->self->conf->name);
	static struct reg_request req;

	memset(&req, 0, sizeof(req));
	req.op = REG_REGISTER;
	req.has = 1U << REG_K_PROFILE;
	if (profile)
		req.profile = *profile;
	if (agent.conf.agent.tell_endpoints)
		req.profile.n_endpoints = address_own(s->self, req.profile.endpoints);
	if (agent.conf.agent.ttl)
		req.has |= 1U << REG_K_TTL;
	req.ttl = agent.conf.agent.ttl;
	s->due = UINT64_MAX;
	ask(s, &req, NULL);
}

static void refresh(struct session *s)
{
	struct reg_request req = { .op = REG_REFRESH };

	if (agent.conf.agent.ttl)
		req.has |= 1U << REG_K_TTL;
	req.ttl = agent.conf.agent.ttl;
	s->due = UINT64_MAX;
	ask(s, &req, NULL);
}

static void introduce(struct session *s, const struct sss_eid *peer)
{
	struct reg_request req = { .op = REG_INTRODUCE, .has = 1U << REG_K_EID, .eid = *peer };

	if (agent.conf.agent.tell_endpoints) {
		req.has |= 1U << REG_K_ENDPOINTS;
		req.n_endpoints = address_own(s->self, req.endpoints);
	}
	ask(s, &req, peer);
}

static void look_up(struct session *s, const struct sss_eid *peer)
{
	struct reg_request req = { .op = REG_LOOKUP, .has = 1U << REG_K_EID, .eid = *peer };

	ask(s, &req, peer);
}

static void keep(struct session *s)
{
	int on = s->self->called && agent.conf.agent.do_register;

	if (!s->connected || s->kept == on)
		return;
	s->kept = on;
	setsockopt(s->client.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	log_at(LOG_L_DEBUG, "kept", " server=%s host=%s on=%d", log_eid(&s->server->eid),
	       s->self->conf->name, on);
	/* What kept nothing open until now may have been shut meanwhile. */
	if (on && s->entry && s->due != UINT64_MAX)
		refresh(s);
}

/* Answers */

static void to_where(struct candidates *where, const struct reg_endpoint *observed,
		     const struct reg_endpoint *eps, unsigned int n)
{
	unsigned int i;

	where->n = where->n_relays = 0;
	candidates_add_record(where, observed);
	for (i = 0; i < n; i++)
		candidates_add_record(where, &eps[i]);
}

/* What leads through the server; it knows us there by the session */
static void add_relay(struct candidates *where, const struct reg_endpoint *relay,
		      const uint8_t session[REG_SESSION])
{
	struct sss_relay *to = &where->relays[where->n_relays];
	union endpoint_addr addr;

	if (!endpoint_to_addr(relay, &addr))
		return;
	memset(to, 0, sizeof(*to));
	memcpy(to->address, &addr, sizeof(addr));
	memcpy(&to->session, session, sizeof(to->session));
	where->n_relays++;
}

static void on_found(struct session *s, const struct request *request)
{
	bool is_lookup = request->op == REG_LOOKUP;
	struct candidates where;

	if (is_lookup)
		to_where(&where, &answer.observed, answer.profile.endpoints,
			 answer.profile.n_endpoints);
	else
		to_where(&where, &answer.observed, answer.endpoints, answer.n_endpoints);
	if (where.n)
		cache_add(&request->peer, &where);
	if (!is_lookup && answer.has & 1U << REG_K_RELAY && answer.has & 1U << REG_K_SESSION)
		add_relay(&where, &answer.relay, answer.session);
	resolve_found(s->self, &request->peer, &where, is_lookup ? "lookup" : "introduced");
	resolve_nothing(s->self, &request->peer, 0);
}

static void on_refused(struct session *s, const struct request *request)
{
	/* It wants to be introduced to others only: what it shows to all is left, if anything. */
	if (answer.status == REG_DENIED && request->op == REG_INTRODUCE) {
		resolve_refused(s->self, &request->peer);
		look_up(s, &request->peer);
		return;
	}
	resolve_nothing(s->self, &request->peer, answer.status == REG_NOT_FOUND ?
			EHOSTUNREACH : answer.status == REG_DENIED ? EACCES : ETIMEDOUT);
}

static void on_registered(struct session *s, const struct request *request)
{
	char text[ENDPOINT_TEXT];

	if (answer.status == REG_NOT_FOUND && request->op == REG_REFRESH) {
		register_host(s);
		return;
	}
	if (answer.status != REG_OK) {
		log_at(LOG_L_WARNING, "not-registered", " server=%s host=%s why=%s",
		       log_eid(&s->server->eid), s->self->conf->name,
		       log_quote(*answer.text ? answer.text : reg_status_text(answer.status)));
		s->due = agent.now + agent_jitter(answer.wait > AGAIN_MS * 10 ? answer.wait :
						  AGAIN_MS * 10);
		return;
	}
	if (!s->entry)
		log_at(LOG_L_INFO, "registered", " server=%s host=%s ttl=%u seen=%s",
		       log_eid(&s->server->eid), s->self->conf->name, answer.ttl,
		       answer.observed.family ? endpoint_format(&answer.observed, text) : "-");
	s->entry = true;
	/* Twice before it ends, at least */
	s->due = agent.now + agent_jitter(answer.ttl * 1000ULL * 3 / 10);
}

static void on_answer(struct session *s)
{
	struct request request;
	unsigned int i;

	for (i = 0; i < REQUESTS && s->requests[i].id != answer.id; i++)
		;
	if (i == REQUESTS || !answer.id)
		return;
	request = s->requests[i];
	s->requests[i].id = 0;
	if (request.op == REG_REGISTER || request.op == REG_REFRESH)
		on_registered(s, &request);
	else if (request.op == REG_REMOVE)
		s->entry = false;
	else if (answer.status == REG_OK)
		on_found(s, &request);
	else
		on_refused(s, &request);
}

/* Somebody wants to reach us: calling him opens the way for his call. */
static void on_notice(struct session *s)
{
	struct reg_notice notice;
	struct candidates where;

	if (reg_notice(&s->client, &notice, 0))
		return;
	if (agent.now >= s->notices_from + NOTICES_MS) {
		s->notices_from = agent.now;
		s->notices = 0;
	}
	if (s->notices++ >= NOTICES)
		return;
	to_where(&where, &notice.observed, notice.endpoints, notice.n_endpoints);
	add_relay(&where, &notice.relay, notice.session);
	resolve_found(s->self, &notice.eid, &where, "called");
}

static void send_questions(struct identity *self, const struct sss_eid *peer, void *data)
{
	struct session *s = data;

	if (self == s->self && s->connected && resolve_wanted(self, peer) &&
	    memcmp(peer, &s->server->eid, sizeof(*peer)))
		introduce(s, peer);
}

static void remove_entry(struct session *s)
{
	struct reg_request req = { .op = REG_REMOVE };

	ask(s, &req, NULL);
}

static void on_connected(struct session *s)
{
	if (reg_dialled(&s->client)) {
		fail(s, sss_strerror(errno));
		return;
	}
	s->connected = true;
	s->failures = 0;
	s->due = UINT64_MAX;
	loop_want(&s->source, EPOLLIN);
	if (s->leaving) {
		remove_entry(s);
		return;
	}
	s->entry = false;
	keep(s);
	if (agent.conf.agent.do_register)
		register_host(s);
	if (s->wanted)
		resolve_each(send_questions, s);
	s->wanted = false;
}

static void on_stream(struct source *source, uint32_t events)
{
	struct session *s = (struct session *)source;

	(void)events;
	if (!s->connected) {
		on_connected(s);
		return;
	}
	while (s->source.fd >= 0) {
		if (reg_take(&s->client, &answer)) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			/* One that is not needed ends when the server likes. */
			if (!agent.conf.agent.do_register && errno == ECONNRESET)
				hang_up(s);
			else
				fail(s, sss_strerror(errno));
			return;
		}
		if (answer.op == REG_INTRODUCED)
			on_notice(s);
		else
			on_answer(s);
	}
}

static void dial(struct session *s)
{
	if (s->source.fd >= 0 || !s->self->present)
		return;
	s->until = agent.now + ANSWER_MS;
	s->due = UINT64_MAX;
	if (reg_dial(&s->client, &s->self->eid, &s->server->eid)) {
		fail(s, sss_strerror(errno));
		return;
	}
	s->source.fd = s->client.fd;
	s->source.ready = on_stream;
	if (loop_add(&s->source, EPOLLOUT))
		fail(s, strerror(errno));
}

/* From outside */

static void add_session(struct identity *self, const struct conf_peer *server)
{
	struct session *s = &sessions[n_sessions++];

	s->source.fd = -1;
	s->self = self;
	s->server = server;
	s->due = agent.conf.agent.do_register ? agent.now : UINT64_MAX;
}

void sessions_open(void)
{
	unsigned int i, j;

	sessions = calloc(agent.n_identities * agent.conf.n_peers + 1, sizeof(*sessions));
	if (!sessions)
		die(EXIT_KERNEL, "out of memory");
	for (i = 0; i < agent.conf.n_peers; i++) {
		const struct conf_peer *server = &agent.conf.peers[i];

		for (j = 0; server->server && j < agent.n_identities; j++) {
			struct identity *self = &agent.identities[j];

			if (!*server->host || !strcmp(server->host, self->conf->name))
				add_session(self, server);
		}
	}
	services_at = agent.now;
}

void sessions_close(void)
{
	unsigned int i;

	resolve_forget();
	for (i = 0; i < n_sessions; i++)
		hang_up(&sessions[i]);
	free(sessions);
	sessions = NULL;
	n_sessions = 0;
}

void sessions_moved(bool addresses)
{
	unsigned int i;

	for (i = 0; i < n_sessions; i++) {
		struct session *s = &sessions[i];

		if (s->connected && s->entry && s->due != UINT64_MAX) {
			if (addresses)
				register_host(s);
			else
				refresh(s);
		} else if (s->source.fd < 0 && agent.conf.agent.do_register) {
			s->failures = 0;
			s->due = agent.now;
		}
	}
}

unsigned int sessions_ask(struct identity *self, const struct sss_eid *peer)
{
	unsigned int i, asked = 0;

	for (i = 0; i < n_sessions; i++) {
		struct session *s = &sessions[i];

		if (s->self != self || !memcmp(peer, &s->server->eid, sizeof(*peer)))
			continue;
		if (!s->connected)
			s->wanted = true;
		asked++;
	}
	return asked;
}

void sessions_send(struct identity *self, const struct sss_eid *peer)
{
	unsigned int i;

	for (i = 0; i < n_sessions; i++) {
		struct session *s = &sessions[i];

		if (s->self != self)
			continue;
		if (s->connected)
			send_questions(self, peer, s);
		else if (s->wanted)
			dial(s);
	}
}

bool sessions_server(const struct sss_eid *peer, struct candidates *where)
{
	union endpoint_addr addrs[AGENT_ENDPOINTS];
	struct ini_error error;
	unsigned int i, j;
	bool is = false;
	int n;

	for (i = 0; i < agent.conf.n_peers; i++) {
		const struct conf_peer *server = &agent.conf.peers[i];

		if (memcmp(peer, &server->eid, sizeof(*peer)))
			continue;
		is = true;
		for (j = 0; j < server->n_endpoints; j++) {
			n = plan_resolve(&server->endpoints[j], addrs, AGENT_ENDPOINTS, &error);
			while (n-- > 0)
				candidates_add(where, &addrs[n]);
		}
	}
	return is;
}

static uint64_t tick(struct session *s)
{
	uint64_t next = s->due;
	unsigned int i;

	if (!s->self->present) {
		hang_up(s);
		/* Once it is there again nothing is to be waited for. */
		s->failures = 0;
		s->due = agent.conf.agent.do_register ? agent.now : UINT64_MAX;
		return UINT64_MAX;
	}
	if (s->source.fd >= 0 && !s->connected) {
		if (s->until <= agent.now)
			fail(s, "no answer");
		return s->connected ? s->due : s->until > agent.now ? s->until : s->due;
	}
	for (i = 0; i < REQUESTS; i++) {
		if (!s->requests[i].id)
			continue;
		if (s->requests[i].until <= agent.now) {
			fail(s, "no answer");
			return s->due;
		}
		if (s->requests[i].until < next)
			next = s->requests[i].until;
	}
	if (s->due > agent.now)
		return next;
	if (s->source.fd < 0)
		dial(s);
	else
		refresh(s);
	return agent.now + 1;
}

uint64_t sessions_tick(void)
{
	uint64_t next = UINT64_MAX, due;
	unsigned int i;

	if (n_sessions && services_at <= agent.now) {
		kernel_read_services();
		for (i = 0; i < n_sessions; i++)
			keep(&sessions[i]);
		services_at = agent.now + SERVICES_MS;
	}
	for (i = 0; i < n_sessions; i++) {
		due = tick(&sessions[i]);
		if (due < next)
			next = due;
	}
	return n_sessions && services_at < next ? services_at : next;
}

/* Would the host still be registered at that server? */
static bool stays(const struct session *s, const struct conf *fresh)
{
	const char *name = s->self->conf->name;
	unsigned int i;

	if (!fresh || !fresh->agent.do_register || !conf_find_host(fresh, name))
		return false;
	for (i = 0; i < fresh->n_peers; i++) {
		const struct conf_peer *peer = &fresh->peers[i];

		if (peer->server && !memcmp(&peer->eid, &s->server->eid, sizeof(peer->eid)) &&
		    (!*peer->host || !strcmp(peer->host, name)))
			return true;
	}
	return false;
}

/* Does an entry still have to go? One whose stream is lost is called, if there is time. */
static bool leaves(struct session *s, bool call)
{
	if (!s->leaving || !s->entry)
		return false;
	if (call && s->source.fd < 0 && s->due != UINT64_MAX && s->due <= agent.now)
		dial(s);
	return s->source.fd >= 0 || (call && s->self->present);
}

void sessions_remove_entries(const struct conf *fresh)
{
	uint64_t until = agent.now + (fresh ? LEAVE_MS : GOODBYE_MS);
	bool left = true;
	unsigned int i;
	uint64_t wait;

	for (i = 0; i < n_sessions; i++) {
		struct session *s = &sessions[i];

		s->leaving = s->entry && !stays(s, fresh);
		if (s->leaving && s->connected)
			remove_entry(s);
		if (s->source.fd < 0)
			s->due = agent.now;
	}
	while (agent.now < until) {
		for (i = 0, left = false; i < n_sessions; i++)
			left |= leaves(&sessions[i], fresh);
		if (!left)
			return;
		wait = until - agent.now;
		if (loop_wait(wait < GOODBYE_MS / 10 ? wait : GOODBYE_MS / 10) > 0)
			loop_call();
		agent.now = clock_ms();
	}
}
