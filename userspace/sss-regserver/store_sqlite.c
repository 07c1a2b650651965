// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The directory in one SQLite database that this process alone has open. What
 * is put during one round of the server is one transaction: committed, and on
 * the disk, before anything of it is acknowledged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sqlite3.h>
#include "store.h"

#define WEIGH_MAX	4096	/* more entries than that are all the same */

enum statement {
	S_BEGIN, S_COMMIT, S_ROLLBACK, S_GET, S_PUT, S_ADD_WORD, S_DROP_WORD, S_DROP_WORDS,
	S_DEL, S_WEIGH, S_LIST, S_EXPIRED, S_PREFIX, S_COUNT, S_STATEMENTS,
};

static const char *const sql[S_STATEMENTS] = {
	[S_BEGIN] = "BEGIN",
	[S_COMMIT] = "COMMIT",
	[S_ROLLBACK] = "ROLLBACK",
	[S_GET] = "SELECT expires, blob FROM entry WHERE eid = ?1",
	[S_PUT] = "INSERT INTO entry(eid, expires, prefix, blob) VALUES(?1, ?2, ?3, ?4)"
		" ON CONFLICT(eid) DO UPDATE SET expires = ?2, prefix = ?3, blob = ?4",
	[S_ADD_WORD] = "INSERT OR IGNORE INTO word(word, eid) VALUES(?1, ?2)",
	[S_DROP_WORD] = "DELETE FROM word WHERE word = ?1 AND eid = ?2",
	[S_DROP_WORDS] = "DELETE FROM word WHERE eid = ?1",
	[S_DEL] = "DELETE FROM entry WHERE eid = ?1 AND expires <= ?2",
	[S_WEIGH] = "SELECT count(*) FROM (SELECT 1 FROM word WHERE word = ?1 LIMIT ?2)",
	[S_LIST] = "SELECT eid FROM word WHERE word = ?1 AND eid > ?2 ORDER BY eid LIMIT ?3",
	[S_EXPIRED] = "SELECT eid FROM entry WHERE expires <= ?1 LIMIT ?2",
	[S_PREFIX] = "SELECT count(*) FROM"
		" (SELECT 1 FROM entry WHERE prefix = ?1 AND expires > ?2 LIMIT ?3)",
	[S_COUNT] = "SELECT count(*) FROM entry",
};

static const char schema[] =
	"PRAGMA locking_mode = EXCLUSIVE;"
	"PRAGMA journal_mode = WAL;"
	"PRAGMA synchronous = FULL;"
	"PRAGMA temp_store = MEMORY;"
	"CREATE TABLE IF NOT EXISTS entry("
	"	eid BLOB PRIMARY KEY, expires INTEGER NOT NULL, prefix BLOB, blob BLOB NOT NULL);"
	"CREATE INDEX IF NOT EXISTS entry_expires ON entry(expires);"
	"CREATE INDEX IF NOT EXISTS entry_prefix ON entry(prefix, expires) WHERE prefix NOT NULL;"
	"CREATE TABLE IF NOT EXISTS word("
	"	word TEXT NOT NULL, eid BLOB NOT NULL, PRIMARY KEY(word, eid)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS word_eid ON word(eid);"
	"PRAGMA user_version = 1;";

struct database {
	sqlite3 *db;
	sqlite3_stmt *statements[S_STATEMENTS];
	bool changing;		/* inside a transaction */
	bool failed;		/* which must not be committed */
	uint64_t count;
};

static void close_database(struct store *store)
{
	struct database *db = store->backend;
	int i;

	for (i = 0; i < S_STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->db);
	free(db);
}

static sqlite3_stmt *statement(struct store *store, enum statement which)
{
	struct database *db = store->backend;

	return db->statements[which];
}

/* One row or none; the caller resets the statement when it has read it */
static int step(struct store *store, sqlite3_stmt *s)
{
	struct database *db = store->backend;
	int ret = sqlite3_step(s);

	if (ret != SQLITE_ROW && ret != SQLITE_DONE)
		snprintf(store->error, sizeof(store->error), "%s", sqlite3_errmsg(db->db));
	return ret;
}

static enum store_result run(struct store *store, sqlite3_stmt *s)
{
	int ret = step(store, s);

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return ret == SQLITE_DONE || ret == SQLITE_ROW ? STORE_OK : STORE_FAILED;
}

static void bind_eid(sqlite3_stmt *s, int at, const struct sss_eid *eid)
{
	sqlite3_bind_blob(s, at, eid->key, sizeof(eid->key), SQLITE_STATIC);
}

static void bind_word(sqlite3_stmt *s, int at, const char *word)
{
	sqlite3_bind_text(s, at, word, -1, SQLITE_STATIC);
}

/* A number, or -1 */
static int64_t number(struct store *store, sqlite3_stmt *s)
{
	int64_t n = step(store, s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;

	sqlite3_reset(s);
	return n;
}

static int fail_open(struct store *store, const char *path)
{
	struct database *db = store->backend;

	snprintf(store->error, sizeof(store->error), "%s: %s%s", path, sqlite3_errmsg(db->db),
		 sqlite3_errcode(db->db) == SQLITE_BUSY ? ": another process has it" : "");
	store_close(store);
	return -1;
}

/* Who is where is for nobody else; what stands beside the file gets its mode from it. */
static bool open_private(struct database *db, const char *path)
{
	mode_t before = umask(077);
	bool good = !sqlite3_open_v2(path, &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				     NULL) &&
		    !sqlite3_exec(db->db, schema, NULL, NULL, NULL);

	umask(before);
	return good;
}

static int open_database(struct store *store, const char *path)
{
	struct database *db = calloc(1, sizeof(*db));
	int64_t n;
	int i;

	if (!db) {
		snprintf(store->error, sizeof(store->error), "no memory");
		return -1;
	}
	store->backend = db;
	if (!open_private(db, path))
		return fail_open(store, path);
	for (i = 0; i < S_STATEMENTS; i++)
		if (sqlite3_prepare_v3(db->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &db->statements[i], NULL))
			return fail_open(store, path);
	n = number(store, statement(store, S_COUNT));
	if (n < 0)
		return fail_open(store, path);
	db->count = n;
	return 0;
}

static enum store_result get_one(struct store *store, const struct sss_eid *eid,
				 struct store_blob *blob)
{
	sqlite3_stmt *s = statement(store, S_GET);
	int ret, len;

	bind_eid(s, 1, eid);
	ret = step(store, s);
	blob->len = 0;
	if (ret == SQLITE_ROW) {
		len = sqlite3_column_bytes(s, 1);
		blob->expires = sqlite3_column_int64(s, 0);
		if (len > 0 && len <= STORE_BLOB_MAX) {
			memcpy(blob->data, sqlite3_column_blob(s, 1), len);
			blob->len = len;
		}
	}
	sqlite3_reset(s);
	return ret == SQLITE_ROW || ret == SQLITE_DONE ? STORE_OK : STORE_FAILED;
}

static enum store_result get(struct store *store, const struct sss_eid *eids, unsigned int n,
			     struct store_blob *blobs)
{
	enum store_result result = STORE_OK;
	unsigned int i;

	for (i = 0; i < n && result == STORE_OK; i++)
		result = get_one(store, &eids[i], &blobs[i]);
	return result;
}

static enum store_result begin(struct store *store)
{
	struct database *db = store->backend;
	enum store_result result;

	if (db->changing)
		return db->failed ? STORE_FAILED : STORE_OK;
	result = run(store, statement(store, S_BEGIN));
	db->changing = result == STORE_OK;
	return result;
}

/* Half of a change must not be kept: the whole round is undone */
static enum store_result ended(struct store *store, enum store_result result)
{
	struct database *db = store->backend;

	if (result == STORE_FAILED)
		db->failed = true;
	return result;
}

static enum store_result commit(struct store *store)
{
	struct database *db = store->backend;
	enum store_result result = STORE_FAILED;
	int64_t n;

	if (!db || !db->changing)
		return STORE_OK;
	if (!db->failed)
		result = run(store, statement(store, S_COMMIT));
	if (result != STORE_OK) {
		run(store, statement(store, S_ROLLBACK));
		n = number(store, statement(store, S_COUNT));
		db->count = n < 0 ? 0 : n;
	}
	db->changing = db->failed = false;
	return result;
}

static bool same_prefix(const struct entry *a, const struct entry *b)
{
	return a->prefix_len == b->prefix_len && !memcmp(a->prefix, b->prefix, a->prefix_len);
}

static enum store_result check_quota(struct store *store, const struct entry *entry,
				     const struct entry *old, unsigned int quota, uint64_t now)
{
	sqlite3_stmt *s = statement(store, S_PREFIX);
	int64_t n;

	if (!quota || !entry->prefix_len ||
	    (old && old->expires > now && same_prefix(entry, old)))
		return STORE_OK;
	sqlite3_bind_blob(s, 1, entry->prefix, entry->prefix_len, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, now);
	sqlite3_bind_int64(s, 3, quota);
	n = number(store, s);
	return n < 0 ? STORE_FAILED : n >= quota ? STORE_FULL : STORE_OK;
}

static enum store_result put_entry(struct store *store, const struct entry *entry,
				   const struct store_blob *blob)
{
	sqlite3_stmt *s = statement(store, S_PUT);

	bind_eid(s, 1, &entry->eid);
	sqlite3_bind_int64(s, 2, entry->expires);
	if (entry->prefix_len)
		sqlite3_bind_blob(s, 3, entry->prefix, entry->prefix_len, SQLITE_STATIC);
	sqlite3_bind_blob(s, 4, blob->data, blob->len, SQLITE_STATIC);
	return run(store, s);
}

static enum store_result word_statement(struct store *store, enum statement which,
					const char *word, const struct sss_eid *eid)
{
	sqlite3_stmt *s = statement(store, which);

	bind_word(s, 1, word);
	bind_eid(s, 2, eid);
	return run(store, s);
}

static enum store_result put_words(struct store *store, const struct entry *entry,
				   const struct entry *old)
{
	enum store_result result = STORE_OK;
	unsigned int i;

	for (i = 0; result == STORE_OK && i < entry->words.n; i++)
		if (!old || !words_have(&old->words, entry->words.word[i]))
			result = word_statement(store, S_ADD_WORD, entry->words.word[i],
						&entry->eid);
	for (i = 0; result == STORE_OK && old && i < old->words.n; i++)
		if (!words_have(&entry->words, old->words.word[i]))
			result = word_statement(store, S_DROP_WORD, old->words.word[i],
						&entry->eid);
	return result;
}

static enum store_result put(struct store *store, const struct entry *entry,
			     const struct store_blob *blob, const struct entry *old,
			     unsigned int quota, uint64_t now)
{
	struct database *db = store->backend;
	enum store_result result = check_quota(store, entry, old, quota, now);

	if (result != STORE_OK || begin(store) != STORE_OK)
		return result == STORE_OK ? STORE_FAILED : result;
	result = put_entry(store, entry, blob);
	if (result == STORE_OK)
		result = put_words(store, entry, old);
	if (result == STORE_OK && !old)
		db->count++;
	return ended(store, result);
}

static enum store_result del(struct store *store, const struct entry *entry, uint64_t until)
{
	struct database *db = store->backend;
	sqlite3_stmt *s = statement(store, S_DEL);
	enum store_result result;

	if (begin(store) != STORE_OK)
		return STORE_FAILED;
	bind_eid(s, 1, &entry->eid);
	sqlite3_bind_int64(s, 2, until > INT64_MAX ? INT64_MAX : (int64_t)until);
	result = run(store, s);
	if (result == STORE_OK && !sqlite3_changes(db->db))
		return STORE_NONE;
	s = statement(store, S_DROP_WORDS);
	bind_eid(s, 1, &entry->eid);
	if (result == STORE_OK)
		result = run(store, s);
	if (result == STORE_OK)
		db->count--;
	return ended(store, result);
}

static enum store_result weigh(struct store *store, const struct words *words,
			       uint64_t *weights)
{
	sqlite3_stmt *s = statement(store, S_WEIGH);
	unsigned int i;
	int64_t n;

	for (i = 0; i < words->n; i++) {
		bind_word(s, 1, words->word[i]);
		sqlite3_bind_int(s, 2, WEIGH_MAX);
		n = number(store, s);
		if (n < 0)
			return STORE_FAILED;
		weights[i] = n;
	}
	return STORE_OK;
}

/* EIDs of a statement's rows */
static enum store_result rows(struct store *store, sqlite3_stmt *s, struct sss_eid *eids,
			      unsigned int *n)
{
	int ret;

	*n = 0;
	while ((ret = step(store, s)) == SQLITE_ROW)
		if (sqlite3_column_bytes(s, 0) == SSS_EID_LEN)
			memcpy(eids[(*n)++].key, sqlite3_column_blob(s, 0), SSS_EID_LEN);
	sqlite3_reset(s);
	return ret == SQLITE_DONE ? STORE_OK : STORE_FAILED;
}

static enum store_result list(struct store *store, const char *word,
			      const struct sss_eid *after, unsigned int max,
			      struct sss_eid *eids, unsigned int *n)
{
	sqlite3_stmt *s = statement(store, S_LIST);

	bind_word(s, 1, word);
	sqlite3_bind_blob(s, 2, after ? (const void *)after : "", after ? SSS_EID_LEN : 0,
			  SQLITE_TRANSIENT);
	sqlite3_bind_int(s, 3, max);
	return rows(store, s, eids, n);
}

/* Both are changed in one transaction: there are none here */
static void stale(struct store *store, const char *word, const struct sss_eid *eid)
{
	(void)store, (void)word, (void)eid;
}

static enum store_result expired(struct store *store, uint64_t now, unsigned int max,
				 struct sss_eid *eids, unsigned int *n)
{
	sqlite3_stmt *s = statement(store, S_EXPIRED);

	sqlite3_bind_int64(s, 1, now);
	sqlite3_bind_int(s, 2, max);
	return rows(store, s, eids, n);
}

static enum store_result count(struct store *store, uint64_t *n)
{
	struct database *db = store->backend;

	*n = db->count;
	return STORE_OK;
}

const struct store_ops store_sqlite = {
	.name = "sqlite",
	.open = open_database,
	.close = close_database,
	.get = get,
	.put = put,
	.del = del,
	.weigh = weigh,
	.list = list,
	.stale = stale,
	.expired = expired,
	.count = count,
	.commit = commit,
};
