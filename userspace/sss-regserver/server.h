/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The parts of the server itself: streams, what is asked on them, the process
 * around them. One thread; one round of the loop is
 *
 *	records are read, the store is asked and changed, answers are queued
 *	the store's changes are made lasting
 *	answers are sent; where that failed, streams with changes are reset
 */
#ifndef REGSERVER_SERVER_H
#define REGSERVER_SERVER_H

#include "ledger.h"
#include <common/clock.h>
#include <common/loop.h>
#include "store.h"
#include "transport.h"

/* A record that waits to be sent */
struct record {
	struct record *next;
	size_t len, sent;
	uint8_t data[];
};

/**
 * struct stream - a client's stream
 * @source: its descriptor
 * @eid: whose it is, proved by the channel
 * @seen: where it came from when it was accepted, its prefix counts
 * @owner: account of @eid
 * @place: account of the prefix, NULL: not known
 * @older_of_owner: the next stream of the same EID
 * @before, @behind: neighbours in the list of all, by when they were last used
 * @used: ms
 * @registered_until: ms; it registered or refreshed here, and hears of introductions
 * @errors: malformed records so far
 * @first, @last: what waits to be sent, @waiting bytes of it
 * @dirty: in the list of those to send on at the end of the round
 * @next_dirty: the next there
 * @changed: an answer waits that speaks of a change not yet lasting
 * @ending: nothing more is read; closed once all is sent
 */
struct stream {
	struct source source;
	struct sss_eid eid;
	struct reg_endpoint seen;
	struct account *owner, *place;
	struct stream *older_of_owner;
	struct stream *before, *behind;
	uint64_t used;
	uint64_t registered_until;
	unsigned int errors;
	struct record *first, *last;
	size_t waiting;
	bool dirty, changed, ending;
	struct stream *next_dirty;
};

struct server {
	const struct transport *transport;
	struct config config;
	struct store store;
	char node[STORE_NODE + 1];
	struct source listener;
	bool accepting;
	struct source mail;
	uint64_t mail_retry;
	uint64_t now;		/* ms, monotonic, of this round */
	bool store_down;	/* as last logged */
};

extern struct server server;

/* A store that fails is counted, and logged when it begins and when it is over */
void server_store_failed(void);
void server_store_answered(void);

/* streams.c */
int streams_open(void);
/* After the round: makes changes last, then sends */
void streams_finish_round(void);
/* Closes those idle for too long */
void streams_tick(void);
/* All that is queued is sent, as far as it goes at once, and they are closed */
void streams_close(void);
/* Queues a record; false: too much waits already, or no memory */
bool stream_send(struct stream *stream, const void *data, size_t len);
/* The stream on which an EID hears of introductions, or NULL */
struct stream *streams_registered(const struct sss_eid *eid);

/* handle.c */
/* Answers a record; too_long: it was longer than may be, and cut. Returns false
 * if the stream has sent too much that is malformed
 */
bool handle_record(struct stream *stream, const void *data, size_t len, bool too_long);

/* introduce.c */
enum reg_status introduce(struct stream *stream, const struct reg_request *req,
			  struct reg_answer *answer);
/* Messages from other server processes */
void introduce_mail_open(void);
void introduce_mail_close(void);

/* run.c */
/**
 * regserver_main() - be a registration server
 * @argc: as of main()
 * @argv: as of main()
 * @transport: where streams come from
 *
 * Return: exit status: 0 after SIGTERM, 1 failed, 2 wrong usage or settings.
 */
int regserver_main(int argc, char **argv, const struct transport *transport);

#endif /* REGSERVER_SERVER_H */
