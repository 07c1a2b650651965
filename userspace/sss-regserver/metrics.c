// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <common/endpoint.h>
#include <common/loop.h>
#include "config.h"
#include "metrics.h"
#include "server.h"

#define SCRAPES		4	/* at once */
#define SCRAPE_MS	5000
#define REQUEST_MAX	4096
#define PAGE_MAX	16384

struct scrape {
	struct source source;
	uint64_t since;
	size_t read, sent, len;
	char request[REQUEST_MAX];
	char page[PAGE_MAX];
};

struct metrics metrics;

static const char *const op_names[REG_OPS] = {
	"none", "register", "refresh", "remove", "lookup", "search", "introduce", "servers",
};

static const char *const status_names[REG_STATUSES] = {
	"ok", "malformed", "invalid", "not_found", "denied", "quota", "rate", "unavailable",
};

static const double bounds[METRICS_BUCKETS] = { 0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1 };

static struct source listener = { .fd = -1 };
static struct scrape *scrapes[SCRAPES];
static int64_t (*count_entries)(void);
static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

void metrics_took(uint64_t us)
{
	unsigned int i = 0;

	while (i < METRICS_BUCKETS && us > bounds[i] * 1e6)
		i++;
	metrics.seconds_buckets[i]++;
	metrics.microseconds += us;
}

/* Text behind what is there, as far as there is room */
static void say(struct scrape *scrape, const char *fmt, ...)
{
	size_t room = sizeof(scrape->page) - scrape->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(scrape->page + scrape->len, room, fmt, ap);
	va_end(ap);
	scrape->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void head(struct scrape *scrape, const char *name, const char *type, const char *help)
{
	say(scrape, "# HELP sss_regserver_%s %s\n# TYPE sss_regserver_%s %s\n", name, help, name,
	    type);
}

static void one(struct scrape *scrape, const char *name, const char *type, const char *help,
		uint64_t v)
{
	head(scrape, name, type, help);
	say(scrape, "sss_regserver_%s %llu\n", name, (unsigned long long)v);
}

static void say_requests(struct scrape *scrape)
{
	unsigned int op, status;

	head(scrape, "requests_total", "counter", "Requests by operation and how they ended.");
	for (op = 0; op < REG_OPS; op++)
		for (status = 0; status < REG_STATUSES; status++)
			if (metrics.requests[op][status] || (op && !status))
				say(scrape, "sss_regserver_requests_total{op=\"%s\",status=\"%s\"} %llu\n",
				    op_names[op], status_names[status],
				    (unsigned long long)metrics.requests[op][status]);
}

static void say_notices(struct scrape *scrape)
{
	const struct {
		const char *to;
		uint64_t n;
	} rows[] = {
		{ "stream", metrics.notices_local },
		{ "other_server", metrics.notices_mailed },
		{ "dropped", metrics.notices_dropped },
	};
	unsigned int i;

	head(scrape, "notices_total", "counter", "Introductions told to the other side.");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		say(scrape, "sss_regserver_notices_total{to=\"%s\"} %llu\n", rows[i].to,
		    (unsigned long long)rows[i].n);
}

static void say_relay(struct scrape *scrape)
{
	one(scrape, "relay_sessions", "gauge", "Pairs that may send through the relay.",
	    metrics.relay_sessions);
	one(scrape, "relay_packets_total", "counter", "Packets forwarded.", metrics.relay_packets);
	one(scrape, "relay_bytes_total", "counter", "Bytes forwarded.", metrics.relay_bytes);
	one(scrape, "relay_dropped_total", "counter",
	    "Times that packets were too many, or the other end was not there yet.",
	    metrics.relay_dropped);
	one(scrape, "relay_refused_total", "counter",
	    "Times that packets were of no session, or not from where it is.",
	    metrics.relay_refused);
}

static void say_durations(struct scrape *scrape)
{
	uint64_t sum = 0;
	unsigned int i;

	head(scrape, "request_seconds", "histogram", "Time a request took, store and all.");
	for (i = 0; i < METRICS_BUCKETS; i++) {
		sum += metrics.seconds_buckets[i];
		say(scrape, "sss_regserver_request_seconds_bucket{le=\"%g\"} %llu\n", bounds[i],
		    (unsigned long long)sum);
	}
	sum += metrics.seconds_buckets[i];
	say(scrape, "sss_regserver_request_seconds_bucket{le=\"+Inf\"} %llu\n"
	    "sss_regserver_request_seconds_sum %.6f\nsss_regserver_request_seconds_count %llu\n",
	    (unsigned long long)sum, metrics.microseconds / 1e6, (unsigned long long)sum);
}

static void say_all(struct scrape *scrape)
{
	int64_t entries = count_entries();

	say(scrape, "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
	    "Connection: close\r\n\r\n");
	say_requests(scrape);
	say_durations(scrape);
	say_notices(scrape);
	say_relay(scrape);
	one(scrape, "streams", "gauge", "Streams open now.", metrics.streams);
	one(scrape, "streams_accepted_total", "counter", "Streams taken.",
	    metrics.streams_accepted);
	one(scrape, "streams_refused_total", "counter", "Streams beyond a limit.",
	    metrics.streams_refused);
	one(scrape, "streams_reset_total", "counter", "Streams ended for what came on them.",
	    metrics.streams_reset);
	one(scrape, "store_failures_total", "counter", "Operations the store did not do.",
	    metrics.store_failures);
	one(scrape, "expired_total", "counter", "Entries removed since they had expired.",
	    metrics.expired);
	if (entries >= 0)
		one(scrape, "entries", "gauge", "Entries in the directory.", entries);
}

static void end(struct scrape *scrape)
{
	unsigned int i;

	for (i = 0; i < SCRAPES; i++)
		if (scrapes[i] == scrape)
			scrapes[i] = NULL;
	loop_remove(&scrape->source);
	close(scrape->source.fd);
	free(scrape);
}

static void answer(struct scrape *scrape)
{
	scrape->request[scrape->read] = '\0';
	if (!strncmp(scrape->request, "GET /metrics ", 13))
		say_all(scrape);
	else if (!strncmp(scrape->request, "GET ", 4))
		say(scrape, "HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n"
		    "there is only /metrics\n");
	else
		say(scrape, "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\n");
	loop_want(&scrape->source, EPOLLOUT);
}

static void receive(struct scrape *scrape)
{
	ssize_t n = recv(scrape->source.fd, scrape->request + scrape->read,
			 sizeof(scrape->request) - 1 - scrape->read, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		end(scrape);
		return;
	}
	scrape->read += n;
	scrape->request[scrape->read] = '\0';
	if (strstr(scrape->request, "\r\n\r\n") || strstr(scrape->request, "\n\n") ||
	    scrape->read == sizeof(scrape->request) - 1)
		answer(scrape);
}

static void on_scrape(struct source *source, uint32_t events)
{
	struct scrape *scrape = (struct scrape *)source;
	ssize_t n;

	if (!scrape->len) {
		receive(scrape);
		return;
	}
	n = send(source->fd, scrape->page + scrape->sent, scrape->len - scrape->sent,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN && !(events & EPOLLERR))
		return;
	if (n > 0)
		scrape->sent += n;
	if (n <= 0 || scrape->sent == scrape->len)
		end(scrape);
}

static void on_listener(struct source *source, uint32_t events)
{
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct scrape *scrape;
	unsigned int i = 0;

	(void)events;
	if (fd < 0)
		return;
	while (i < SCRAPES && scrapes[i])
		i++;
	scrape = i < SCRAPES ? calloc(1, sizeof(*scrape)) : NULL;
	if (!scrape) {
		close(fd);
		return;
	}
	scrape->source = (struct source){ .fd = fd, .ready = on_scrape };
	scrape->since = clock_ms();
	scrapes[i] = scrape;
	if (loop_add(&scrape->source, EPOLLIN))
		end(scrape);
}

void metrics_tick(uint64_t now)
{
	unsigned int i;

	for (i = 0; i < SCRAPES; i++)
		if (scrapes[i] && now - scrapes[i]->since > SCRAPE_MS)
			end(scrapes[i]);
}

/* What an earlier process left behind is in the way; nothing else is ours to remove. */
static bool make_way(const struct sockaddr_un *addr)
{
	struct stat st;
	bool alive;
	int fd;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT;
	errno = EEXIST;
	if (!S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	alive = fd < 0 || !connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
		errno != ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	errno = EADDRINUSE;
	return !alive && !unlink(addr->sun_path);
}

static int bind_unix(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	if (!make_way(&addr))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		strcpy(socket_path, path);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static int bind_ip(const char *where)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct reg_endpoint ep;
	int fd, on = 1, ret;

	if (!endpoint_parse(where, &ep)) {
		errno = EINVAL;
		return -1;
	}
	in.sin_port = in6.sin6_port = htons(ep.port);
	memcpy(&in.sin_addr, ep.addr, 4);
	memcpy(&in6.sin6_addr, ep.addr, 16);
	fd = socket(ep.family == 4 ? AF_INET : AF_INET6,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ret = ep.family == 4 ? bind(fd, (struct sockaddr *)&in, sizeof(in)) :
			       bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	if (!ret)
		return fd;
	close(fd);
	return -1;
}

int metrics_open(const char *where, int64_t (*entries)(void))
{
	count_entries = entries;
	listener.ready = on_listener;
	listener.fd = strncmp(where, "unix:", 5) ? bind_ip(where) : bind_unix(where + 5);
	if (listener.fd < 0 || listen(listener.fd, SCRAPES))
		return -1;
	return loop_add(&listener, EPOLLIN);
}

void metrics_close(void)
{
	unsigned int i;

	for (i = 0; i < SCRAPES; i++)
		if (scrapes[i])
			end(scrapes[i]);
	if (listener.fd >= 0)
		close(listener.fd);
	listener.fd = -1;
	if (*socket_path)
		unlink(socket_path);
}
