// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <common/clock.h>
#include <libsss/sss.h>
#include "regclient.h"

void reg_attach(struct reg_client *client, int fd, int timeout)
{
	memset(client, 0, sizeof(*client));
	client->fd = fd;
	client->timeout = timeout;
}

void reg_close(struct reg_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

static int bind_and_connect(int fd, const struct sss_eid *local, const struct sss_eid *server)
{
	struct sockaddr_sss addr;

	sss_addr(&addr, local, NULL, NULL);
	if (local && bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	sss_addr(&addr, server, REG_SERVICE, REG_PROTOCOL);
	return connect(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static int close_keeping_errno(struct reg_client *client)
{
	int err = errno;

	reg_close(client);
	errno = err;
	return -1;
}

int reg_connect(struct reg_client *client, const struct sss_eid *local,
		const struct sss_eid *server, int timeout)
{
	struct timeval tv = { timeout / 1000, timeout % 1000 * 1000 };
	int fd = socket(AF_SSS, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	reg_attach(client, fd, timeout);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (!bind_and_connect(fd, local, server))
		return 0;
	if (errno == EINPROGRESS || errno == EAGAIN)
		errno = ETIMEDOUT;
	return close_keeping_errno(client);
}

int reg_dial(struct reg_client *client, const struct sss_eid *local,
	     const struct sss_eid *server)
{
	int fd = socket(AF_SSS, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	reg_attach(client, fd, 0);
	if (fd < 0)
		return -1;
	if (!bind_and_connect(fd, local, server) || errno == EINPROGRESS)
		return 0;
	return close_keeping_errno(client);
}

int reg_dialled(struct reg_client *client)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -1;
	if (!err)
		return 0;
	errno = err;
	return -1;
}

static void keep_notice(struct reg_client *client, const struct reg_answer *record)
{
	struct reg_notice *notice;

	if (client->n_notices == REG_NOTICES)
		memmove(client->notices, client->notices + 1,
			--client->n_notices * sizeof(*notice));
	notice = &client->notices[client->n_notices++];
	notice->eid = record->eid;
	notice->observed = record->observed;
	notice->n_endpoints = record->n_endpoints;
	memcpy(notice->endpoints, record->endpoints, sizeof(notice->endpoints));
	notice->relay.family = 0;
	if (!(record->has & 1U << REG_K_RELAY) || !(record->has & 1U << REG_K_SESSION))
		return;
	notice->relay = record->relay;
	memcpy(notice->session, record->session, sizeof(notice->session));
}

int reg_take(struct reg_client *client, struct reg_answer *answer)
{
	uint8_t data[REG_RECORD_MAX];
	ssize_t n = recv(client->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n < 0)
		return -1;
	if (!n) {
		errno = ECONNRESET;
		return -1;
	}
	if (reg_answer_decode(answer, data, n) != REG_OK) {
		errno = EPROTO;
		return -1;
	}
	if (answer->op == REG_INTRODUCED)
		keep_notice(client, answer);
	return 0;
}

/* One record, by then */
static int receive(struct reg_client *client, struct reg_answer *answer, int64_t until)
{
	struct pollfd ready = { .fd = client->fd, .events = POLLIN };
	int64_t left;

	do {
		left = until - (int64_t)clock_ms();
		if (poll(&ready, 1, left > 0 ? left : 0) <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (!reg_take(client, answer))
			return 0;
	} while (errno == EAGAIN || errno == EINTR);
	return -1;
}

int reg_ask(struct reg_client *client, struct reg_request *req)
{
	uint8_t data[REG_RECORD_MAX];
	size_t len;

	req->id = ++client->id;
	req->has |= 1U << REG_K_OP | 1U << REG_K_ID;
	len = reg_request_encode(req, data, sizeof(data));
	if (!len) {
		errno = EMSGSIZE;
		return -1;
	}
	if (send(client->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len)
		return 0;
	if (errno == EPIPE)
		errno = ECONNRESET;
	return -1;
}

int reg_call(struct reg_client *client, struct reg_request *req, struct reg_answer *answer)
{
	int64_t until = (int64_t)clock_ms() + client->timeout;

	if (reg_ask(client, req))
		return -1;
	do {
		if (receive(client, answer, until))
			return -1;
	} while (answer->op == REG_INTRODUCED || answer->id != client->id);
	return 0;
}

static void add_ttl(struct reg_request *req, uint32_t ttl)
{
	req->ttl = ttl;
	if (ttl)
		req->has |= 1U << REG_K_TTL;
}

int reg_register(struct reg_client *client, const struct reg_profile *profile, uint32_t ttl,
		 struct reg_answer *answer)
{
	struct reg_request req = { .op = REG_REGISTER, .has = 1U << REG_K_PROFILE };

	req.profile = *profile;
	add_ttl(&req, ttl);
	return reg_call(client, &req, answer);
}

int reg_refresh(struct reg_client *client, uint32_t ttl, struct reg_answer *answer)
{
	struct reg_request req = { .op = REG_REFRESH };

	add_ttl(&req, ttl);
	return reg_call(client, &req, answer);
}

int reg_remove(struct reg_client *client, struct reg_answer *answer)
{
	struct reg_request req = { .op = REG_REMOVE };

	return reg_call(client, &req, answer);
}

int reg_lookup(struct reg_client *client, const struct sss_eid *eid, struct reg_answer *answer)
{
	struct reg_request req = { .op = REG_LOOKUP, .has = 1U << REG_K_EID, .eid = *eid };

	return reg_call(client, &req, answer);
}

int reg_search(struct reg_client *client, const char *query, uint32_t limit,
	       const struct reg_answer *after, struct reg_answer *answer)
{
	struct reg_request req = { .op = REG_SEARCH, .has = 1U << REG_K_QUERY, .limit = limit };

	if (strlen(query) > REG_QUERY_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	strcpy(req.query, query);
	if (limit)
		req.has |= 1U << REG_K_LIMIT;
	if (after && after->has & 1U << REG_K_CURSOR) {
		req.has |= 1U << REG_K_CURSOR;
		req.cursor_len = after->cursor_len;
		memcpy(req.cursor, after->cursor, sizeof(req.cursor));
	}
	return reg_call(client, &req, answer);
}

int reg_introduce(struct reg_client *client, const struct sss_eid *eid,
		  const struct reg_endpoint *endpoints, unsigned int n, struct reg_answer *answer)
{
	struct reg_request req = {
		.op = REG_INTRODUCE, .has = 1U << REG_K_EID | 1U << REG_K_ENDPOINTS, .eid = *eid,
	};

	req.n_endpoints = n < REG_ENDPOINTS ? n : REG_ENDPOINTS;
	if (req.n_endpoints)
		memcpy(req.endpoints, endpoints, req.n_endpoints * sizeof(*endpoints));
	return reg_call(client, &req, answer);
}

int reg_servers(struct reg_client *client, struct reg_answer *answer)
{
	struct reg_request req = { .op = REG_LIST_SERVERS };

	return reg_call(client, &req, answer);
}

int reg_notice(struct reg_client *client, struct reg_notice *notice, int timeout)
{
	int64_t until = (int64_t)clock_ms() + timeout;
	struct reg_answer record;

	while (!client->n_notices) {
		if (!receive(client, &record, until))
			continue;
		if (errno == ETIMEDOUT)
			errno = EAGAIN;
		return -1;
	}
	*notice = client->notices[0];
	memmove(client->notices, client->notices + 1,
		--client->n_notices * sizeof(*notice));
	return 0;
}
