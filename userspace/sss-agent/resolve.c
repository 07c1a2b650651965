// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Questions of the kernel. What is known goes to it at once, and everybody who may
 * know more is asked nevertheless: what is known may be old, and being introduced
 * opens the other side's NAT. An error is the answer only if nobody knew anything.
 */
#include <errno.h>
#include <string.h>
#include "agent.h"

#define QUESTIONS	256
#define PATIENCE_MS	8000	/* less than the kernel's own */
#define LOCAL_MS	1000	/* for an answer on the link, if nobody else is asked */
#define QUIET_MS	1500	/* the same question is not asked again for so long */

struct question {
	struct identity *self;		/* NULL: free */
	struct sss_eid peer;
	uint64_t begun, until;
	unsigned int waiting;		/* servers that have not answered */
	bool found, over;
	int err;
};

static struct question questions[QUESTIONS];

static struct question *find(const struct identity *self, const struct sss_eid *peer)
{
	unsigned int i;

	for (i = 0; i < QUESTIONS; i++)
		if (questions[i].self && (!self || questions[i].self == self) &&
		    !memcmp(&questions[i].peer, peer, sizeof(*peer)))
			return &questions[i];
	return NULL;
}

static struct question *find_free(void)
{
	unsigned int i;

	for (i = 0; i < QUESTIONS; i++)
		if (!questions[i].self)
			return &questions[i];
	return NULL;
}

static void end(struct question *q, int err)
{
	q->over = true;
	q->until = q->begun + QUIET_MS;
	if (q->found)
		return;
	log_at(LOG_L_INFO, "not-found", " peer=%s error=%s", log_eid(&q->peer),
	       log_quote(strerror(err)));
	kernel_tell_error(q->self, &q->peer, err);
}

/* All there is to be had without asking anybody */
static void known(const struct sss_eid *peer, struct candidates *where)
{
	sessions_server(peer, where);
	local_find(peer, where);
	cache_find(peer, where);
}

void resolve_question(struct identity *self, const struct sss_eid *peer)
{
	struct candidates where = { .n = 0 };
	struct question *q = find(self, peer);
	bool local;

	if (q)
		return;
	q = find_free();
	if (!q) {
		log_event(LOG_L_WARNING, "too-many-questions");
		return;
	}
	*q = (struct question){ .self = self, .peer = *peer, .begun = agent.now,
				.until = agent.now + PATIENCE_MS, .err = EHOSTUNREACH };
	log_at(LOG_L_DEBUG, "question", " host=%s peer=%s", self->conf->name, log_eid(peer));
	known(peer, &where);
	if (where.n)
		resolve_found(self, peer, &where, "known");
	local = local_ask(peer);
	q->waiting = sessions_ask(self, peer);
	if (q->waiting)
		sessions_send(self, peer);
	else if (local)
		q->until = agent.now + LOCAL_MS;
	else
		end(q, EHOSTUNREACH);
}

void resolve_found(struct identity *self, const struct sss_eid *peer,
		   const struct candidates *where, const char *how)
{
	struct question *q = find(self, peer);
	char text[ENDPOINT_TEXT];
	struct reg_endpoint ep;

	if (!where->n && !where->n_relays)
		return;
	if (q)
		q->found = true;
	if (where->n)
		endpoint_from_addr(&ep, &where->addr[0].sa);
	log_at(LOG_L_INFO, "found", " peer=%s how=%s endpoints=%u first=%s relays=%u",
	       log_eid(peer), how, where->n, where->n ? endpoint_format(&ep, text) : "-",
	       where->n_relays);
	kernel_tell(self, peer, where);
}

/* A refusal tells more than silence, and silence more than "never heard of" */
static int worse(int a, int b)
{
	static const int order[] = { EACCES, ETIMEDOUT };
	unsigned int i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a;
}

void resolve_nothing(const struct identity *self, const struct sss_eid *peer, int err)
{
	struct question *q = find(self, peer);

	if (!q || q->over || !q->waiting)
		return;
	if (err)
		q->err = worse(q->err, err);
	if (--q->waiting)
		return;
	/* Somebody on the link may take a moment longer. */
	if (q->begun + LOCAL_MS > agent.now && !q->found && agent.conf.agent.local)
		q->until = q->begun + LOCAL_MS;
	else
		end(q, q->err);
}

void resolve_refused(const struct identity *self, const struct sss_eid *peer)
{
	struct question *q = find(self, peer);

	if (q)
		q->err = EACCES;
}

bool resolve_wanted(const struct identity *self, const struct sss_eid *peer)
{
	const struct question *q = find(self, peer);

	return q && !q->over;
}

void resolve_each(void (*call)(struct identity *self, const struct sss_eid *peer, void *data),
		  void *data)
{
	unsigned int i;

	for (i = 0; i < QUESTIONS; i++)
		if (questions[i].self)
			call(questions[i].self, &questions[i].peer, data);
}

uint64_t resolve_tick(void)
{
	uint64_t next = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < QUESTIONS; i++) {
		struct question *q = &questions[i];

		if (!q->self)
			continue;
		if (q->until <= agent.now && !q->over)
			end(q, q->waiting ? ETIMEDOUT : q->err);
		if (q->until <= agent.now && q->over)
			q->self = NULL;
		else if (q->until < next)
			next = q->until;
	}
	return next;
}

void resolve_forget(void)
{
	memset(questions, 0, sizeof(questions));
}
