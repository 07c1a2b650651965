// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The directory in Redis, which several servers may share. Keys, behind the
 * prefix, each with the hash tag that decides who has it in a cluster:
 *
 *	e:{EID}		hash: x, when it expires (ms), and r, the entry
 *	w:{WORD}	sorted set: EIDs that have the word, all with score 0
 *	x:{xN}		sorted set: EIDs by when they expire; N of 64 by the EID
 *	p:{PREFIX}	sorted set: EIDs of an address prefix by when they expire
 *	m:{NODE}	list: messages for the server process of that name
 *
 * There are no transactions over several slots. An entry is written before its
 * words, and removed before them; what remains of one that was interrupted is
 * taken for stale when it is met, and vanishes with its key's own time to live.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsss/sss.h>
#include <common/number.h>
#include "redis_link.h"
#include "store.h"

#define SHARDS		64
#define SHARDS_AT_ONCE	8
#define COMMANDS	(4 * WORDS_MAX + 8)
#define KEPT		"691200"	/* s: 8 days, longer than any time to live */
#define MAIL_MOST	"-1000"
#define MAIL_KEPT	"60"

struct directory {
	struct redis redis;
	struct redis_command commands[COMMANDS];
	char keys[COMMANDS][REDIS_KEY_MAX];
	unsigned int n;
	unsigned int shard;		/* looked at next for what has expired */
	redisContext *mail;
	char mail_key[REDIS_KEY_MAX];
};

/* EID in or not: counts those that have not expired */
static const char into_prefix[] =
	"redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1]) "
	"if not redis.call('ZSCORE', KEYS[1], ARGV[2]) and tonumber(ARGV[4]) > 0 and "
	"redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end "
	"redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2]) "
	"redis.call('EXPIRE', KEYS[1], " KEPT ") return 1";

static const char delete_entry[] =
	"local x = redis.call('HGET', KEYS[1], 'x') "
	"if x and tonumber(x) > tonumber(ARGV[1]) then return 0 end "
	"redis.call('DEL', KEYS[1]) return 1";

static const char delete_expiry[] =
	"local x = redis.call('ZSCORE', KEYS[1], ARGV[1]) "
	"if x and tonumber(x) <= tonumber(ARGV[2]) then "
	"redis.call('ZREM', KEYS[1], ARGV[1]) end return 1";

static int open_directory(struct store *store, const char *where)
{
	struct directory *dir = calloc(1, sizeof(*dir));

	if (!dir) {
		snprintf(store->error, sizeof(store->error), "no memory");
		return -1;
	}
	store->backend = dir;
	dir->redis.error = store->error;
	if (!redis_open(&dir->redis, where))
		return 0;
	free(dir);
	store->backend = NULL;
	return -1;
}

static void close_directory(struct store *store)
{
	struct directory *dir = store->backend;

	redis_done(dir->commands, dir->n);
	redis_close(&dir->redis);
	if (dir->mail)
		redisFree(dir->mail);
	free(dir);
}

/* Commands are collected, then run together; what was before is freed */

static struct directory *begin(struct store *store)
{
	struct directory *dir = store->backend;

	redis_done(dir->commands, dir->n);
	dir->n = 0;
	return dir;
}

static enum store_result run(struct directory *dir)
{
	return redis_run(&dir->redis, dir->commands, dir->n) ? STORE_OK : STORE_FAILED;
}

static void key_text(struct directory *dir, char *key, char kind, const char *tag)
{
	snprintf(key, REDIS_KEY_MAX, "%s:%c:{%s}", dir->redis.prefix, kind, tag);
}

/* A command whose first argument is the key */
static struct redis_command *command(struct directory *dir, const char *name, char kind,
				     const char *tag)
{
	struct redis_command *c = &dir->commands[dir->n];
	char *key = dir->keys[dir->n++];

	key_text(dir, key, kind, tag);
	c->slot = redis_slot(key);
	redis_word(c, name);
	redis_word(c, key);
	return c;
}

static struct redis_command *script(struct directory *dir, const char *text, char kind,
				    const char *tag)
{
	struct redis_command *c = command(dir, "EVAL", kind, tag);
	const char *key = c->word[1];

	c->n = 1;
	redis_word(c, text);
	redis_word(c, "1");
	redis_word(c, key);
	return c;
}

static void add_eid(struct redis_command *c, const struct sss_eid *eid)
{
	redis_bytes(c, eid->key, sizeof(eid->key));
}

static const char *shard_name(unsigned int shard, char *name)
{
	sprintf(name, "x%u", shard % SHARDS);
	return name;
}

static const char *prefix_name(const struct entry *entry, char *name)
{
	unsigned int i;

	*name = '\0';
	for (i = 0; i < entry->prefix_len; i++)
		sprintf(name + 2 * i, "%02x", entry->prefix[i]);
	return name;
}

static void read_blob(const redisReply *reply, struct store_blob *blob)
{
	const redisReply *x, *r;

	blob->len = 0;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return;
	x = reply->element[0];
	r = reply->element[1];
	if (x->type != REDIS_REPLY_STRING || r->type != REDIS_REPLY_STRING ||
	    (size_t)r->len > sizeof(blob->data))
		return;
	if (!number_parse(x->str, 10, UINT64_MAX, &blob->expires))
		return;
	memcpy(blob->data, r->str, r->len);
	blob->len = r->len;
}

static enum store_result get(struct store *store, const struct sss_eid *eids, unsigned int n,
			     struct store_blob *blobs)
{
	struct directory *dir = begin(store);
	char text[SSS_EID_TEXT];
	struct redis_command *c;
	enum store_result result;
	unsigned int i;

	for (i = 0; i < n; i++) {
		c = command(dir, "HMGET", 'e', sss_eid_format(&eids[i], text));
		redis_word(c, "x");
		redis_word(c, "r");
	}
	result = run(dir);
	for (i = 0; result == STORE_OK && i < n; i++)
		read_blob(dir->commands[i].reply, &blobs[i]);
	return result;
}

static enum store_result check_quota(struct store *store, const struct entry *entry,
				     unsigned int quota, const char *expires, uint64_t now)
{
	struct directory *dir = begin(store);
	char name[2 * STORE_PREFIX + 1], now_text[24], quota_text[16];
	struct redis_command *c;

	if (!entry->prefix_len)
		return STORE_OK;
	sprintf(now_text, "%llu", (unsigned long long)now);
	sprintf(quota_text, "%u", quota);
	c = script(dir, into_prefix, 'p', prefix_name(entry, name));
	redis_word(c, now_text);
	add_eid(c, &entry->eid);
	redis_word(c, expires);
	redis_word(c, quota_text);
	if (run(dir) != STORE_OK)
		return STORE_FAILED;
	return c->reply->integer ? STORE_OK : STORE_FULL;
}

static enum store_result put_entry(struct store *store, const struct entry *entry,
				   const struct store_blob *blob, const char *expires)
{
	struct directory *dir = begin(store);
	char text[SSS_EID_TEXT], shard[8];
	struct redis_command *c;

	c = command(dir, "ZADD", 'x', shard_name(entry->eid.key[0], shard));
	redis_word(c, expires);
	add_eid(c, &entry->eid);
	c = command(dir, "HSET", 'e', sss_eid_format(&entry->eid, text));
	redis_word(c, "x");
	redis_word(c, expires);
	redis_word(c, "r");
	redis_bytes(c, blob->data, blob->len);
	c = command(dir, "EXPIRE", 'e', text);
	redis_word(c, KEPT);
	return run(dir);
}

static void drop_word(struct directory *dir, const char *word, const struct sss_eid *eid)
{
	add_eid(command(dir, "ZREM", 'w', word), eid);
}

/* All of them, even if the entry had them before: whatever was lost comes back */
static enum store_result put_words(struct store *store, const struct entry *entry,
				   const struct entry *old)
{
	struct directory *dir = begin(store);
	char name[2 * STORE_PREFIX + 1];
	struct redis_command *c;
	unsigned int i;

	for (i = 0; i < entry->words.n; i++) {
		c = command(dir, "ZADD", 'w', entry->words.word[i]);
		redis_word(c, "0");
		add_eid(c, &entry->eid);
		c = command(dir, "EXPIRE", 'w', entry->words.word[i]);
		redis_word(c, KEPT);
	}
	for (i = 0; old && i < old->words.n; i++)
		if (!words_have(&entry->words, old->words.word[i]))
			drop_word(dir, old->words.word[i], &entry->eid);
	if (old && old->prefix_len && (old->prefix_len != entry->prefix_len ||
				       memcmp(old->prefix, entry->prefix, old->prefix_len)))
		add_eid(command(dir, "ZREM", 'p', prefix_name(old, name)), &entry->eid);
	return run(dir);
}

static enum store_result put(struct store *store, const struct entry *entry,
			     const struct store_blob *blob, const struct entry *old,
			     unsigned int quota, uint64_t now)
{
	char expires[24];
	enum store_result result;

	sprintf(expires, "%llu", (unsigned long long)entry->expires);
	result = check_quota(store, entry, quota, expires, now);
	if (result == STORE_OK)
		result = put_entry(store, entry, blob, expires);
	if (result == STORE_OK)
		result = put_words(store, entry, old);
	return result;
}

static enum store_result del(struct store *store, const struct entry *entry, uint64_t until)
{
	struct directory *dir = begin(store);
	char text[SSS_EID_TEXT], shard[8], name[2 * STORE_PREFIX + 1], until_text[24] = "9e18";
	struct redis_command *c;
	unsigned int i;

	if (until != UINT64_MAX)
		sprintf(until_text, "%llu", (unsigned long long)until);
	c = script(dir, delete_entry, 'e', sss_eid_format(&entry->eid, text));
	redis_word(c, until_text);
	if (run(dir) != STORE_OK)
		return STORE_FAILED;
	if (!c->reply->integer)
		return STORE_NONE;
	begin(store);
	for (i = 0; i < entry->words.n; i++)
		drop_word(dir, entry->words.word[i], &entry->eid);
	if (entry->prefix_len)
		add_eid(command(dir, "ZREM", 'p', prefix_name(entry, name)), &entry->eid);
	c = script(dir, delete_expiry, 'x', shard_name(entry->eid.key[0], shard));
	add_eid(c, &entry->eid);
	redis_word(c, until_text);
	return run(dir);
}

static enum store_result weigh(struct store *store, const struct words *words,
			       uint64_t *weights)
{
	struct directory *dir = begin(store);
	enum store_result result;
	unsigned int i;

	for (i = 0; i < words->n; i++)
		command(dir, "ZCARD", 'w', words->word[i]);
	result = run(dir);
	for (i = 0; result == STORE_OK && i < words->n; i++)
		weights[i] = dir->commands[i].reply->integer;
	return result;
}

static void read_eids(const redisReply *reply, unsigned int max, struct sss_eid *eids,
		      unsigned int *n)
{
	const redisReply *member;
	size_t i;

	for (i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && *n < max; i++) {
		member = reply->element[i];
		if (member->type == REDIS_REPLY_STRING && member->len == SSS_EID_LEN)
			memcpy(eids[(*n)++].key, member->str, SSS_EID_LEN);
	}
}

static enum store_result list(struct store *store, const char *word,
			      const struct sss_eid *after, unsigned int max,
			      struct sss_eid *eids, unsigned int *n)
{
	struct directory *dir = begin(store);
	struct redis_command *c = command(dir, "ZRANGEBYLEX", 'w', word);
	char from[1 + SSS_EID_LEN] = "(", max_text[16];
	enum store_result result;

	if (after)
		memcpy(from + 1, after->key, SSS_EID_LEN);
	redis_bytes(c, after ? from : "-", after ? sizeof(from) : 1);
	redis_word(c, "+");
	redis_word(c, "LIMIT");
	redis_word(c, "0");
	sprintf(max_text, "%u", max);
	redis_word(c, max_text);
	result = run(dir);
	*n = 0;
	if (result == STORE_OK)
		read_eids(c->reply, max, eids, n);
	return result;
}

static void stale(struct store *store, const char *word, const struct sss_eid *eid)
{
	struct directory *dir = begin(store);

	drop_word(dir, word, eid);
	run(dir);
}

/* Some of the shards each time */
static enum store_result expired(struct store *store, uint64_t now, unsigned int max,
				 struct sss_eid *eids, unsigned int *n)
{
	struct directory *dir = begin(store);
	char now_text[24], max_text[16], shard[8];
	struct redis_command *c;
	enum store_result result;
	unsigned int i;

	sprintf(now_text, "%llu", (unsigned long long)now);
	sprintf(max_text, "%u", max / SHARDS_AT_ONCE);
	for (i = 0; i < SHARDS_AT_ONCE; i++) {
		c = command(dir, "ZRANGEBYSCORE", 'x', shard_name(dir->shard++, shard));
		redis_word(c, "-inf");
		redis_word(c, now_text);
		redis_word(c, "LIMIT");
		redis_word(c, "0");
		redis_word(c, max_text);
	}
	result = run(dir);
	*n = 0;
	for (i = 0; result == STORE_OK && i < SHARDS_AT_ONCE; i++)
		read_eids(dir->commands[i].reply, max, eids, n);
	return result;
}

static enum store_result count(struct store *store, uint64_t *n)
{
	struct directory *dir = begin(store);
	enum store_result result;
	char shard[8];
	unsigned int i;

	for (i = 0; i < SHARDS; i++)
		command(dir, "ZCARD", 'x', shard_name(i, shard));
	result = run(dir);
	*n = 0;
	for (i = 0; result == STORE_OK && i < SHARDS; i++)
		*n += dir->commands[i].reply->integer;
	return result;
}

/* Redis has acknowledged each change; whether it is on its disk is its own setting */
static enum store_result commit(struct store *store)
{
	(void)store;
	return STORE_OK;
}

static enum store_result mail(struct store *store, const char *node, const void *data,
			      size_t len)
{
	struct directory *dir = begin(store);
	struct redis_command *c;

	redis_bytes(command(dir, "RPUSH", 'm', node), data, len);
	c = command(dir, "LTRIM", 'm', node);
	redis_word(c, MAIL_MOST);
	redis_word(c, "-1");
	redis_word(command(dir, "EXPIRE", 'm', node), MAIL_KEPT);
	return run(dir);
}

/* Asks for the next message, which may be long in coming */
static bool ask_mail(struct directory *dir)
{
	int done = 0;

	if (redisAppendCommand(dir->mail, "BLPOP %s 0", dir->mail_key) != REDIS_OK)
		return false;
	while (!done)
		if (redisBufferWrite(dir->mail, &done) != REDIS_OK)
			return false;
	return true;
}

static int mail_open(struct store *store, const char *node)
{
	struct directory *dir = store->backend;

	if (dir->mail)
		redisFree(dir->mail);
	key_text(dir, dir->mail_key, 'm', node);
	dir->mail = redis_connect_slot(&dir->redis, redis_slot(dir->mail_key));
	if (dir->mail && ask_mail(dir))
		return dir->mail->fd;
	dir->redis.known = dir->redis.known && !dir->redis.cluster;
	return -1;
}

static int take_mail(struct directory *dir, const redisReply *reply, void *data, size_t max)
{
	const redisReply *value;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
		redis_moved(&dir->redis, reply);
		return -1;
	}
	value = reply->element[1];
	if (value->type != REDIS_REPLY_STRING || (size_t)value->len > max || !ask_mail(dir))
		return -1;
	memcpy(data, value->str, value->len);
	return value->len;
}

static int mail_read(struct store *store, void *data, size_t max)
{
	struct directory *dir = store->backend;
	struct pollfd ready = { .fd = dir->mail->fd, .events = POLLIN };
	void *reply = NULL;
	int len;

	if (redisGetReplyFromReader(dir->mail, &reply) != REDIS_OK)
		return -1;
	if (!reply && poll(&ready, 1, 0) > 0 &&
	    (redisBufferRead(dir->mail) != REDIS_OK ||
	     redisGetReplyFromReader(dir->mail, &reply) != REDIS_OK))
		return -1;
	if (!reply)
		return 0;
	len = take_mail(dir, reply, data, max);
	freeReplyObject(reply);
	return len;
}

const struct store_ops store_redis = {
	.name = "redis",
	.open = open_directory,
	.close = close_directory,
	.get = get,
	.put = put,
	.del = del,
	.weigh = weigh,
	.list = list,
	.stale = stale,
	.expired = expired,
	.count = count,
	.commit = commit,
	.mail = mail,
	.mail_open = mail_open,
	.mail_read = mail_read,
};
