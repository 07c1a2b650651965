// SPDX-License-Identifier: GPL-2.0 OR MIT
/* regserver show, search, lookup: all servers are called at once, then asked in turn */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <common/clock.h>
#include <common/endpoint.h>
#include <libsss/sss.h>
#include <regclient/regclient.h>
#include "known.h"
#include "regserver.h"

#define SERVER_MS	5000	/* for connecting, and for each answer */
#define HITS_USUAL	100

/* One server; error: errno of its call, EINPROGRESS: it rings */
struct call {
	const struct conf_peer *server;
	struct reg_client client;
	int error;
	long ms;
};

struct question {
	const char *host, *file;
	unsigned long limit;
	struct conf conf;
	unsigned int n;
	struct call *calls;
};

static struct reg_answer answer;	/* large */

/* The settings behind everything else */
static void settings(struct args *args, struct question *q)
{
	while (args->n) {
		const char *word = next_setting(args);

		if (!strcmp(word, "host"))
			q->host = next_arg(args, "the name of a host");
		else if (!strcmp(word, "file"))
			q->file = next_arg(args, "a file");
		else
			q->limit = number(next_arg(args, "limit"), "limit", 100000);
	}
}

static void read_servers(struct question *q)
{
	struct ini_error error;
	unsigned int i;

	q->file = regserver_file(q->file);
	if (conf_read(&q->conf, q->file, &error))
		die(EXIT_USAGE, "%s", error.text);
	q->calls = calloc(q->conf.n_peers + 1, sizeof(*q->calls));
	if (!q->calls)
		die(EXIT_KERNEL, "out of memory");
	for (i = 0; i < q->conf.n_peers; i++)
		if (q->conf.peers[i].server)
			q->calls[q->n++].server = &q->conf.peers[i];
}

static bool find_host(const char *name, struct sss_eid *eid)
{
	const struct known_host *host;
	struct known known;

	known_read_hosts(&known);
	host = known_find_host(&known, name);
	if (host)
		*eid = host->eid;
	known_free(&known);
	return host;
}

/* 0, or why it cannot be called: errno */
static int dial(const struct question *q, struct call *call)
{
	const char *host = q->host ?: *call->server->host ? call->server->host : NULL;
	int probe = socket(AF_SSS, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sss_eid local;

	if (probe < 0)
		return errno;
	close(probe);
	if (host && !find_host(host, &local))
		return EADDRNOTAVAIL;
	if (reg_dial(&call->client, host ? &local : NULL, &call->server->eid))
		return errno;
	call->client.timeout = SERVER_MS;
	return EINPROGRESS;
}

static void picked_up(struct call *call, long ms)
{
	call->ms = ms;
	call->error = reg_dialled(&call->client) ? errno : 0;
	if (call->error)
		reg_close(&call->client);
}

/* One look at those who ring; false: nobody does any more */
static bool wait_some(struct question *q, struct pollfd *fds, long begun)
{
	long left = begun + SERVER_MS - (long)clock_ms();
	unsigned int i, ringing = 0;

	for (i = 0; i < q->n; i++) {
		bool rings = q->calls[i].error == EINPROGRESS;

		fds[i] = (struct pollfd){ .fd = rings ? q->calls[i].client.fd : -1,
					  .events = POLLOUT };
		ringing += rings;
	}
	if (!ringing)
		return false;
	if (poll(fds, q->n, left > 0 ? left : 0) < 0 && errno != EINTR)
		die(EXIT_KERNEL, "poll: %s", strerror(errno));
	for (i = 0; i < q->n; i++)
		if (fds[i].fd >= 0 && fds[i].revents)
			picked_up(&q->calls[i], (long)clock_ms() - begun);
	return left > 0;
}

static void call_all(struct question *q)
{
	struct pollfd *fds = calloc(q->n + 1, sizeof(*fds));
	long begun = (long)clock_ms();
	unsigned int i;

	if (!fds)
		die(EXIT_KERNEL, "out of memory");
	for (i = 0; i < q->n; i++)
		q->calls[i].error = dial(q, &q->calls[i]);
	while (wait_some(q, fds, begun))
		;
	for (i = 0; i < q->n; i++) {
		if (q->calls[i].error != EINPROGRESS)
			continue;
		q->calls[i].error = ETIMEDOUT;
		reg_close(&q->calls[i].client);
	}
	free(fds);
}

static void end(struct question *q)
{
	unsigned int i;

	for (i = 0; i < q->n; i++)
		if (!q->calls[i].error)
			reg_close(&q->calls[i].client);
	free(q->calls);
	conf_free(&q->conf);
}

/* A server that answers with a refusal, or not at all, is one less. */
static bool answered(struct call *call, int failed, const char *what)
{
	char eid[SSS_EID_TEXT];

	if (!failed && (answer.status == REG_OK || answer.status == REG_NOT_FOUND))
		return true;
	warn("%s: %s: %s", sss_eid_format(&call->server->eid, eid), what,
	     failed ? sss_strerror(errno) :
	     *answer.text ? answer.text : reg_status_text(answer.status));
	return false;
}

static void out_server_eid(const char *name, const struct sss_eid *eid)
{
	char text[SSS_EID_TEXT];

	out_string(name, sss_eid_format(eid, text));
}

/* show */

static void show_others(struct call *call)
{
	char text[SSS_EID_TEXT];
	unsigned int i;

	if (reg_servers(&call->client, &answer) || answer.status != REG_OK)
		return;
	out_list("others", "other");
	for (i = 0; i < answer.n_servers; i++)
		out_item(sss_eid_format(&answer.servers[i].eid, text));
	out_list_end();
}

/* What it says about itself, if it does */
static void show_name(struct call *call)
{
	if (reg_lookup(&call->client, &call->server->eid, &answer) || answer.status != REG_OK)
		return;
	if (*answer.profile.text[REG_F_HOST])
		out_string("name", answer.profile.text[REG_F_HOST]);
}

static void show_server(struct call *call)
{
	const struct conf_peer *server = call->server;
	char at[PATH_MAX + 16], endpoint[CONF_NODE + 16];
	unsigned int i;

	out_object();
	out_server_eid("eid", &server->eid);
	out_string("state", call->error ? "unreachable" : "reachable");
	if (call->error)
		out_string("error", sss_strerror(call->error));
	else
		out_number("connect-ms", call->ms);
	if (*server->host)
		out_string("host", server->host);
	out_list("endpoints", "endpoint");
	for (i = 0; i < server->n_endpoints; i++) {
		const struct conf_endpoint *ep = &server->endpoints[i];

		snprintf(endpoint, sizeof(endpoint), strchr(ep->node, ':') ? "[%s]:%u" : "%s:%u",
			 ep->node, ep->port);
		out_item(endpoint);
	}
	out_list_end();
	if (!call->error) {
		show_name(call);
		show_others(call);
	}
	snprintf(at, sizeof(at), "%s:%u", server->at.path, server->at.line);
	out_string("written-at", at);
}

/* Those that answer */
static unsigned int reached(const struct question *q)
{
	unsigned int i, n = 0;

	for (i = 0; i < q->n; i++)
		n += !q->calls[i].error;
	return n;
}

int regserver_show(struct args *args)
{
	struct question q = { .host = NULL };
	unsigned int i;
	int result;

	settings(args, &q);
	read_servers(&q);
	call_all(&q);
	out_begin("eid state name endpoints");
	for (i = 0; i < q.n; i++)
		show_server(&q.calls[i]);
	out_end();
	result = q.n && !reached(&q) ? EXIT_KERNEL : EXIT_OK;
	end(&q);
	return result;
}

/* search, lookup */

static void begin(struct args *args, struct question *q)
{
	settings(args, q);
	read_servers(q);
	if (!q->n)
		die(EXIT_USAGE, "%s names no registration server: \"sss-netlink regserver add\" does",
		    q->file);
	call_all(q);
	if (!reached(q))
		die(EXIT_KERNEL, "no registration server answers: %s",
		    sss_strerror(q->calls[0].error));
}

static void out_profile(const struct reg_profile *profile)
{
	static const char *const names[] = {
		[REG_F_HOST] = "host-name", [REG_F_OWNER] = "owner", [REG_F_CITY] = "city",
		[REG_F_REGION] = "region", [REG_F_COUNTRY] = "country",
	};
	char text[ENDPOINT_TEXT];
	unsigned int i;

	for (i = 0; i < REG_TEXTS; i++)
		if (*profile->text[i])
			out_string(names[i], profile->text[i]);
	if (profile->n_keywords) {
		out_list("keywords", "keyword");
		for (i = 0; i < profile->n_keywords; i++)
			out_item(profile->keywords[i]);
		out_list_end();
	}
	if (!profile->n_endpoints)
		return;
	out_list("endpoints", "endpoint");
	for (i = 0; i < profile->n_endpoints; i++)
		out_item(endpoint_format(&profile->endpoints[i], text));
	out_list_end();
}

/* EIDs that were shown already: more than one server may have somebody */
struct seen {
	unsigned long n;
	struct sss_eid *eids;
};

static bool is_new(struct seen *seen, const struct sss_eid *eid)
{
	unsigned long i;

	for (i = 0; i < seen->n; i++)
		if (!memcmp(&seen->eids[i], eid, sizeof(*eid)))
			return false;
	seen->eids[seen->n++] = *eid;
	return true;
}

static void show_hits(struct call *call, struct seen *seen, unsigned long limit)
{
	unsigned int i;

	for (i = 0; i < answer.n_hits && seen->n < limit; i++) {
		const struct reg_hit *hit = &answer.hits[i];

		if (!is_new(seen, &hit->eid))
			continue;
		out_object();
		out_server_eid("eid", &hit->eid);
		out_profile(&hit->profile);
		out_server_eid("server", &call->server->eid);
	}
}

/* Page after page; whether it answered */
static bool search_server(struct call *call, const char *query, struct seen *seen,
			  unsigned long limit)
{
	bool first = true, more = true;

	while (more && (first || seen->n < limit)) {
		int failed = reg_search(&call->client, query, 0, first ? NULL : &answer, &answer);

		if (!answered(call, failed, "the search"))
			return false;
		show_hits(call, seen, limit);
		more = answer.has & 1U << REG_K_CURSOR;
		first = false;
	}
	if (more)
		warn("there is more: say \"limit\" and a larger number than %lu", limit);
	return true;
}

static bool is_setting(const char *word)
{
	return !strcmp(word, "limit") || !strcmp(word, "host") || !strcmp(word, "file");
}

int regserver_search(struct args *args)
{
	struct question q = { .limit = HITS_USUAL };
	char query[REG_QUERY_MAX + 1] = "";
	unsigned int i, answers = 0;
	struct seen seen = { 0 };
	size_t len = 0;

	do {
		len += snprintf(query + len, sizeof(query) - len, "%s%s", len ? " " : "",
				next_arg(args, "a word to search for"));
		if (len >= sizeof(query))
			die(EXIT_USAGE, "words of more than %d bytes", REG_QUERY_MAX);
	} while (args->n && !is_setting(args->v[0]));
	begin(args, &q);
	seen.eids = calloc(q.limit + 1, sizeof(*seen.eids));
	if (!seen.eids)
		die(EXIT_KERNEL, "out of memory");
	out_begin("eid host-name owner city country");
	for (i = 0; i < q.n; i++)
		if (!q.calls[i].error)
			answers += search_server(&q.calls[i], query, &seen, q.limit);
	if (!answers)
		die(EXIT_KERNEL, "no registration server could search");
	out_end();
	free(seen.eids);
	end(&q);
	return EXIT_OK;
}

static void show_found(struct call *call, const struct sss_eid *eid)
{
	char text[ENDPOINT_TEXT];

	out_object();
	out_server_eid("eid", eid);
	out_profile(&answer.profile);
	if (answer.observed.family)
		out_string("observed", endpoint_format(&answer.observed, text));
	out_server_eid("server", &call->server->eid);
}

int regserver_lookup(struct args *args)
{
	struct question q = { .limit = 0 };
	unsigned int i, found = 0;
	struct sss_eid eid;

	parse_eid(&eid, next_arg(args, "an EID"));
	begin(args, &q);
	out_begin("eid host-name owner observed server");
	for (i = 0; i < q.n; i++) {
		if (q.calls[i].error ||
		    !answered(&q.calls[i], reg_lookup(&q.calls[i].client, &eid, &answer),
			      "looking it up") || answer.status == REG_NOT_FOUND)
			continue;
		show_found(&q.calls[i], &eid);
		found++;
	}
	if (!found)
		die(EXIT_KERNEL, "no registration server that answers knows this EID");
	out_end();
	end(&q);
	return EXIT_OK;
}
