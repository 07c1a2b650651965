// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <common/clock.h>
#include <common/endpoint.h>
#include <common/number.h>
#include "redis_link.h"

#define CONNECT_MS	500
#define ANSWER_MS	1000
#define RETRY_MS	200
#define PASSES		6	/* times a command is sent at most */

/* CRC-16/XMODEM, as the Redis Cluster specification says */
static uint16_t crc16(const char *data, size_t len)
{
	uint16_t crc = 0;
	int bit;

	while (len--) {
		crc ^= (uint8_t)*data++ << 8;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	return crc;
}

uint16_t redis_slot(const char *key)
{
	const char *begin = strchr(key, '{'), *end = begin ? strchr(begin, '}') : NULL;

	if (end && end > begin + 1)
		return crc16(begin + 1, end - begin - 1) % REDIS_SLOTS;
	return crc16(key, strlen(key)) % REDIS_SLOTS;
}

void redis_bytes(struct redis_command *command, const void *bytes, size_t len)
{
	command->word[command->n] = bytes;
	command->len[command->n++] = len;
}

void redis_word(struct redis_command *command, const char *word)
{
	redis_bytes(command, word, strlen(word));
}

static bool complain(struct redis *redis, const char *host, int port, const char *what)
{
	snprintf(redis->error, 512, "%.128s:%d: %.300s", host, port, what);
	return false;
}

/* The number of a server, new or known; -1: too many */
static int server_number(struct redis *redis, const char *host, size_t len, int port)
{
	struct redis_server *server;
	unsigned int i;

	if (len >= sizeof(server->host) || !len || port < 1 || port > 65535)
		return -1;
	for (i = 0; i < redis->n_servers; i++) {
		server = &redis->servers[i];
		if (server->port == port && strlen(server->host) == len &&
		    !memcmp(server->host, host, len))
			return i;
	}
	if (i == REDIS_SERVERS)
		return -1;
	server = &redis->servers[redis->n_servers++];
	memset(server, 0, sizeof(*server));
	memcpy(server->host, host, len);
	server->port = port;
	return i;
}

/* HOST, HOST:PORT, [ADDRESS]:PORT */
static int parse_server(struct redis *redis, const char *text)
{
	char host[sizeof(redis->servers->host)], with_port[sizeof(host) + 8];
	unsigned int port;

	snprintf(with_port, sizeof(with_port), "%s:6379", text);
	if (strpbrk(text, " \t"))
		return -1;
	if (!endpoint_split(text, host, sizeof(host), &port) &&
	    !endpoint_split(with_port, host, sizeof(host), &port))
		return -1;
	return server_number(redis, host, strlen(host), port);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower(c)) : NULL;

	return at ? at - digits : -1;
}

/* A copy with each %XX as the byte it stands for; -1: no room, or no such byte */
static int decode(const char *text, size_t len, char *to, size_t room)
{
	const char *end = text + len;

	for (; text < end; text++) {
		if (--room == 0)
			return -1;
		*to = *text;
		if (*text == '%') {
			if (end - text < 3 || hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0)
				return -1;
			*to = hex_digit(text[1]) << 4 | hex_digit(text[2]);
			text += 2;
		}
		if (!*to++)
			return -1;
	}
	*to = '\0';
	return 0;
}

static int parse_user(struct redis *redis, const char *text, const char *end)
{
	const char *colon = memchr(text, ':', end - text);

	if (!colon || decode(text, colon - text, redis->user, sizeof(redis->user)))
		return -1;
	return decode(colon + 1, end - colon - 1, redis->password, sizeof(redis->password));
}

/* What is wrong, without a word of what stands there: it may be a password. */
static const char *parse(struct redis *redis, const char *where)
{
	const char *at = strrchr(where, '@'), *slash;
	char text[512], *rest = text, *word;

	if (at && parse_user(redis, where, at))
		return "USER:PASSWORD in front of @, of up to 63 and 127 bytes, what is special as %XX";
	where = at ? at + 1 : where;
	slash = strchrnul(where, '/');
	if (*slash && (strlen(slash + 1) >= sizeof(redis->prefix) || strpbrk(slash, "{}")))
		return "PREFIX has up to 63 bytes and no { or }";
	strcpy(redis->prefix, *slash && slash[1] ? slash + 1 : "sss");
	if (slash - where >= (long)sizeof(text))
		return "too long";
	snprintf(text, sizeof(text), "%.*s", (int)(slash - where), where);
	while ((word = strsep(&rest, ",")))
		if (parse_server(redis, word) < 0)
			return "each server is HOST, HOST:PORT or [ADDRESS]:PORT, a port is a number from 1 to 65535";
	return NULL;
}

int redis_open(struct redis *redis, const char *where)
{
	const char *wrong = parse(redis, where);

	if (!wrong)
		return 0;
	snprintf(redis->error, 512, "redis://[USER:PASSWORD@]HOST[:PORT][,HOST...][/PREFIX]: %s",
		 wrong);
	redis_close(redis);
	return -1;
}

const char *redis_wrong(const char *where)
{
	static struct redis redis;
	const char *wrong;

	memset(&redis, 0, sizeof(redis));
	wrong = parse(&redis, where);
	redis_close(&redis);
	return wrong;
}

static void drop_link(struct redis_server *server)
{
	if (server->link)
		redisFree(server->link);
	server->link = NULL;
}

void redis_close(struct redis *redis)
{
	unsigned int i;

	for (i = 0; i < redis->n_servers; i++)
		drop_link(&redis->servers[i]);
	explicit_bzero(redis->password, sizeof(redis->password));
}

static bool authenticate(struct redis *redis, redisContext *link)
{
	const char *words[] = { "AUTH", redis->user, redis->password };
	redisReply *reply;
	bool good;

	if (!redis->password[0])
		return true;
	if (!redis->user[0])
		words[1] = words[2];
	reply = redisCommandArgv(link, redis->user[0] ? 3 : 2, words, NULL);
	good = reply && reply->type != REDIS_REPLY_ERROR;
	freeReplyObject(reply);
	return good;
}

static redisContext *connect_to(struct redis *redis, const struct redis_server *server)
{
	const struct timeval connecting = { CONNECT_MS / 1000, CONNECT_MS % 1000 * 1000 };
	const struct timeval answering = { ANSWER_MS / 1000, ANSWER_MS % 1000 * 1000 };
	redisContext *link = redisConnectWithTimeout(server->host, server->port, connecting);

	if (!link)
		return NULL;
	if (!link->err && redisSetTimeout(link, answering) == REDIS_OK &&
	    redisEnableKeepAlive(link) == REDIS_OK && authenticate(redis, link))
		return link;
	complain(redis, server->host, server->port, link->err ? link->errstr : "not admitted");
	redisFree(link);
	return NULL;
}

/* One that could not be reached is left alone for a while: nobody waits for it twice */
static redisContext *link_to(struct redis *redis, unsigned int number)
{
	struct redis_server *server = &redis->servers[number];

	if (server->link && server->link->err)
		drop_link(server);
	if (server->link || clock_ms() < server->retry)
		return server->link;
	server->link = connect_to(redis, server);
	if (!server->link)
		server->retry = clock_ms() + RETRY_MS;
	return server->link;
}

/* One range of CLUSTER SLOTS: first, last, then its servers, the master first */
static void read_range(struct redis *redis, const redisReply *range, const char *asked)
{
	const redisReply *master;
	int number;
	long long slot;

	if (range->type != REDIS_REPLY_ARRAY || range->elements < 3)
		return;
	master = range->element[2];
	if (master->type != REDIS_REPLY_ARRAY || master->elements < 2 ||
	    range->element[0]->type != REDIS_REPLY_INTEGER ||
	    range->element[1]->type != REDIS_REPLY_INTEGER || range->element[0]->integer < 0 ||
	    master->element[1]->type != REDIS_REPLY_INTEGER)
		return;
	/* No name: the one that was asked */
	if (master->element[0]->type == REDIS_REPLY_STRING && master->element[0]->len)
		asked = master->element[0]->str;
	number = server_number(redis, asked, strlen(asked), master->element[1]->integer);
	if (number < 0)
		return;
	for (slot = range->element[0]->integer;
	     slot <= range->element[1]->integer && slot < REDIS_SLOTS; slot++)
		redis->slots[slot] = number;
}

static bool read_slots(struct redis *redis, unsigned int number)
{
	const struct redis_server *server = &redis->servers[number];
	redisContext *link = link_to(redis, number);
	redisReply *reply = link ? redisCommand(link, "CLUSTER SLOTS") : NULL;
	bool good = reply && (reply->type == REDIS_REPLY_ARRAY ||
			      (reply->type == REDIS_REPLY_ERROR &&
			       strstr(reply->str, "cluster support disabled")));
	size_t i;

	if (link && !good)
		complain(redis, server->host, server->port,
			 reply && reply->str ? reply->str : link->errstr);
	if (good && reply->type == REDIS_REPLY_ERROR)
		memset(redis->slots, number, sizeof(redis->slots));
	redis->cluster = good && reply->type == REDIS_REPLY_ARRAY;
	for (i = 0; redis->cluster && i < reply->elements; i++)
		read_range(redis, reply->element[i], server->host);
	freeReplyObject(reply);
	return good;
}

/* Asks one after the other who has which slots */
static bool learn(struct redis *redis)
{
	unsigned int i;

	for (i = 0; !redis->known && i < redis->n_servers; i++)
		redis->known = read_slots(redis, i);
	return redis->known;
}

/* "MOVED 3999 127.0.0.1:6381": the server's number, or -1 */
static int redirected_to(struct redis *redis, const redisReply *reply, const char *how)
{
	const char *p = reply->str, *colon;
	size_t len = strlen(how);
	uint64_t port;

	if (reply->type != REDIS_REPLY_ERROR || strncmp(p, how, len))
		return -1;
	p = strchr(p + len, ' ');
	colon = p ? strrchr(p, ':') : NULL;
	if (!colon || !number_parse(colon + 1, 10, 65535, &port))
		return -1;
	return server_number(redis, p + 1, colon - p - 1, port);
}

/* "MOVED 3999 ...": the slot; REDIS_SLOTS: none */
static unsigned int slot_of(const redisReply *reply)
{
	const char *from = reply->str + strlen("MOVED ");
	uint64_t slot;
	char text[8];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(from, " "), from);
	return number_parse(text, 10, REDIS_SLOTS - 1, &slot) ? slot : REDIS_SLOTS;
}

bool redis_moved(struct redis *redis, const redisReply *reply)
{
	int number = redirected_to(redis, reply, "MOVED ");
	unsigned int slot;

	if (number < 0)
		return false;
	slot = slot_of(reply);
	if (slot < REDIS_SLOTS)
		redis->slots[slot] = number;
	return true;
}

redisContext *redis_connect_slot(struct redis *redis, uint16_t slot)
{
	return learn(redis) ? connect_to(redis, &redis->servers[redis->slots[slot]]) : NULL;
}

static void send_one(struct redis *redis, struct redis_command *command)
{
	redisContext *link;

	command->server = command->ask ? command->ask - 1 : redis->slots[command->slot];
	link = link_to(redis, command->server);
	if (!link || (command->ask && redisAppendCommand(link, "ASKING") != REDIS_OK))
		return;
	command->sent = redisAppendCommandArgv(link, command->n, (const char **)command->word,
					       command->len) == REDIS_OK;
}

static redisReply *read_one(redisContext *link)
{
	void *reply = NULL;

	return link && !link->err && redisGetReply(link, &reply) == REDIS_OK ? reply : NULL;
}

/* A lost connection takes all that was sent on it along */
static void lost(struct redis *redis, struct redis_command *commands, unsigned int n,
		 unsigned int number)
{
	struct redis_server *server = &redis->servers[number];
	unsigned int i;

	complain(redis, server->host, server->port,
		 server->link && server->link->err ? server->link->errstr : "not connected");
	drop_link(server);
	redis->known = redis->known && !redis->cluster;
	for (i = 0; i < n; i++)
		if (commands[i].server == number)
			commands[i].sent = false;
}

/* Keeps an answer, unless it sends us elsewhere; false: there is no other */
static bool keep(struct redis *redis, struct redis_command *command, redisReply *reply)
{
	const struct redis_server *server = &redis->servers[command->server];
	int asked = redirected_to(redis, reply, "ASK ");

	command->ask = asked < 0 ? 0 : asked + 1;
	if (asked < 0 && !redis_moved(redis, reply)) {
		command->reply = reply;
		if (reply->type != REDIS_REPLY_ERROR)
			return true;
		/* A master that is one no longer, or a cluster that changes */
		redis->known = redis->known && !redis->cluster;
		return complain(redis, server->host, server->port, reply->str);
	}
	freeReplyObject(reply);
	return true;
}

static bool receive(struct redis *redis, struct redis_command *commands, unsigned int n)
{
	struct redis_command *command;
	redisReply *reply;
	bool good = true;
	unsigned int i;

	for (i = 0; i < n; i++) {
		command = &commands[i];
		if (!command->sent)
			continue;
		command->sent = false;
		if (command->ask)
			freeReplyObject(read_one(redis->servers[command->server].link));
		reply = read_one(redis->servers[command->server].link);
		if (!reply)
			lost(redis, commands, n, command->server);
		else if (!keep(redis, command, reply))
			good = false;
	}
	return good;
}

bool redis_run(struct redis *redis, struct redis_command *commands, unsigned int n)
{
	unsigned int pass, i, left;

	for (pass = 0; pass < PASSES && learn(redis); pass++) {
		for (i = 0, left = 0; i < n; i++) {
			if (commands[i].reply)
				continue;
			send_one(redis, &commands[i]);
			left++;
		}
		if (!left)
			return true;
		if (!receive(redis, commands, n))
			return false;
	}
	for (i = 0; i < n; i++)
		if (!commands[i].reply)
			return false;
	return true;
}

void redis_done(struct redis_command *commands, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		freeReplyObject(commands[i].reply);
		memset(&commands[i], 0, sizeof(commands[i]));
	}
}
