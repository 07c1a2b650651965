/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Commands to Redis, one server or a cluster. In a cluster each command goes to
 * the server that has the slot of its key; MOVED and ASK are followed, and a
 * server that is gone is asked for again at the others. Every command has one
 * key, and all may be sent twice.
 */
#ifndef REGSERVER_REDIS_LINK_H
#define REGSERVER_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <hiredis/hiredis.h>

#define REDIS_SLOTS	16384
#define REDIS_SERVERS	64
#define REDIS_ARGS	10
#define REDIS_KEY_MAX	256

struct redis_server {
	char host[128];
	int port;
	redisContext *link;
	uint64_t retry;		/* ms: not connected to before */
};

struct redis {
	char user[64], password[128];
	char prefix[64];	/* of every key */
	unsigned int n_servers;
	struct redis_server servers[REDIS_SERVERS];
	bool known;		/* whether it is a cluster, and its slots */
	bool cluster;
	uint8_t slots[REDIS_SLOTS];
	char *error;		/* 512 bytes */
};

/**
 * struct redis_command - one command
 * @n: words
 * @word: what they are; what they point to has to last
 * @len: bytes of each
 * @slot: of its key
 * @server: the one asked, if it was
 * @ask: one more than the server that has the key just now
 * @sent: an answer is to come
 * @reply: result
 */
struct redis_command {
	int n;
	const char *word[REDIS_ARGS];
	size_t len[REDIS_ARGS];
	uint16_t slot;
	uint8_t server;
	uint8_t ask;
	bool sent;
	redisReply *reply;
};

/**
 * redis_open() - read where the servers are; nothing is connected yet
 * @redis: zero but for @error; error says what was wrong
 * @where: [USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...][/PREFIX]; USER and PASSWORD,
 *	all before the last @, have %XX for any byte but 0
 *
 * Return: 0, or -1.
 */
int redis_open(struct redis *redis, const char *where);
/* The same without keeping anything: NULL, or what is wrong, and nothing of @where */
const char *redis_wrong(const char *where);
void redis_close(struct redis *redis);

/* The slot of a key: CRC16 of what is in its braces, or all of it */
uint16_t redis_slot(const char *key);

/* One word more; of a text, and of bytes */
void redis_word(struct redis_command *command, const char *word);
void redis_bytes(struct redis_command *command, const void *bytes, size_t len);

/**
 * redis_run() - run commands, those for one server together
 * @redis: where
 * @commands: all with slot set and no reply; the order among those with the same
 *	slot is kept unless a server moves it or dies meanwhile
 * @n: how many
 *
 * Return: true: each has a reply that is no error; false: error says why. Replies
 * are freed by redis_done() in either case.
 */
bool redis_run(struct redis *redis, struct redis_command *commands, unsigned int n);
void redis_done(struct redis_command *commands, unsigned int n);

/* A connection of its own to the server of a slot; NULL: not now */
redisContext *redis_connect_slot(struct redis *redis, uint16_t slot);
/* What a server says to a command sent past redis_run(); true: ask again elsewhere */
bool redis_moved(struct redis *redis, const redisReply *reply);

#endif /* REGSERVER_REDIS_LINK_H */
