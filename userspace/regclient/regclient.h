/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A client of a registration server: one stream, one request at a time. Functions
 * that return an int return -1 and set errno when no answer was had: ETIMEDOUT,
 * ECONNRESET (the stream is over), EPROTO (what came was no answer); otherwise 0,
 * and what the server decided is in answer->status. After -1 the stream is of no
 * more use.
 */
#ifndef REGCLIENT_REGCLIENT_H
#define REGCLIENT_REGCLIENT_H

#include "record.h"

#define REG_NOTICES 16	/* kept until they are asked for; the oldest go first */

/* Somebody was introduced to us, and tries to reach us from there */
struct reg_notice {
	struct sss_eid eid;
	struct reg_endpoint observed;		/* family 0: not known */
	unsigned int n_endpoints;
	struct reg_endpoint endpoints[REG_ENDPOINTS];
	struct reg_endpoint relay;		/* family 0: there is none */
	uint8_t session[REG_SESSION];		/* by which it knows us */
};

struct reg_client {
	int fd;
	int timeout;				/* ms an answer may take */
	uint32_t id;				/* of the last request */
	unsigned int n_notices;
	struct reg_notice notices[REG_NOTICES];
};

/**
 * reg_connect() - call a registration server
 * @client: result
 * @local: be this local host; NULL: the default one
 * @server: its EID, whose endpoint the kernel knows
 * @timeout: ms that connecting, and each answer, may take
 *
 * Return: 0; -1 with errno as of connect(2) on AF_SSS.
 */
int reg_connect(struct reg_client *client, const struct sss_eid *local,
		const struct sss_eid *server, int timeout);

/* The same on a connected SOCK_SEQPACKET socket, which is closed with the client */
void reg_attach(struct reg_client *client, int fd, int timeout);

void reg_close(struct reg_client *client);

/*
 * For event loops, these never wait: reg_dial() begins to connect, and when the
 * descriptor is writable or has failed, reg_dialled() tells how that ended; reg_ask()
 * sends a request, whose number is in req->id afterwards; reg_take() takes one record
 * that has come: an answer, or a notice, which is kept as well. -1 with EAGAIN: none.
 */
int reg_dial(struct reg_client *client, const struct sss_eid *local,
	     const struct sss_eid *server);
int reg_dialled(struct reg_client *client);

/**
 * reg_call() - ask, and wait for the answer
 * @client: client
 * @req: all but the id
 * @answer: result
 *
 * Return: 0 or -1. Notices that come meanwhile are kept.
 */
int reg_call(struct reg_client *client, struct reg_request *req, struct reg_answer *answer);

int reg_ask(struct reg_client *client, struct reg_request *req);
int reg_take(struct reg_client *client, struct reg_answer *answer);

/* ttl is in seconds, 0: what the server thinks best; answer->ttl is what was granted */
int reg_register(struct reg_client *client, const struct reg_profile *profile, uint32_t ttl,
		 struct reg_answer *answer);
int reg_refresh(struct reg_client *client, uint32_t ttl, struct reg_answer *answer);
int reg_remove(struct reg_client *client, struct reg_answer *answer);
int reg_lookup(struct reg_client *client, const struct sss_eid *eid, struct reg_answer *answer);

/**
 * reg_search() - a page of those who have all words
 * @client: client
 * @query: words
 * @limit: hits wanted, 0: as many as there may be
 * @after: the page before, which had a cursor; NULL: the first. May be @answer
 * @answer: result; has REG_K_CURSOR: there is more
 *
 * Return: 0 or -1.
 */
int reg_search(struct reg_client *client, const char *query, uint32_t limit,
	       const struct reg_answer *after, struct reg_answer *answer);

/**
 * reg_introduce() - where can it be reached? And tell it about us
 * @client: client
 * @eid: who
 * @endpoints: our own, private ones
 * @n: up to REG_ENDPOINTS
 * @answer: result: observed, endpoints, told; has REG_K_RELAY: and a way through
 *	the server
 *
 * Return: 0 or -1.
 */
int reg_introduce(struct reg_client *client, const struct sss_eid *eid,
		  const struct reg_endpoint *endpoints, unsigned int n,
		  struct reg_answer *answer);

int reg_servers(struct reg_client *client, struct reg_answer *answer);

/**
 * reg_notice() - the next notice, in the order they came
 * @client: client
 * @notice: result
 * @timeout: ms to wait for one, 0: do not wait
 *
 * Return: 0; -1 with errno, EAGAIN: none.
 */
int reg_notice(struct reg_client *client, struct reg_notice *notice, int timeout);

#endif /* REGCLIENT_REGCLIENT_H */
