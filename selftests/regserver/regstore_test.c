// SPDX-License-Identifier: GPL-2.0
/*
 * The directory by itself, on the store that $REGSERVER_STORE names: see stores.sh,
 * which starts it. Each test has a directory of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>
#include <libsss/sss.h>
#include "sss-regserver/store.h"
#include "kselftest_harness.h"

#define NOW 1000000000000ull
#define HOUR 3600000ull

static struct entry entry, got;
static struct store_page page;

FIXTURE(store) {
	char dir[64];
	char url[256];
	struct store store;
};

/* An EID of a number, in ascending order */
static struct sss_eid eid_of(unsigned int n)
{
	struct sss_eid eid = { .key = { n >> 24, n >> 16, n >> 8, n, 1 } };

	return eid;
}

static bool is_redis(void)
{
	return !strncmp(getenv("REGSERVER_STORE"), "redis", 5);
}

static bool is_cluster(void)
{
	return getenv("REGSERVER_CLUSTER");
}

FIXTURE_SETUP(store)
{
	static int number;

	strcpy(self->dir, "/tmp/regstore.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	if (is_redis())
		sprintf(self->url, "%s/t%d-%d", getenv("REGSERVER_STORE"), getpid(), number++);
	else
		sprintf(self->url, "sqlite:%s/db", self->dir);
	ASSERT_EQ(0, store_open(&self->store, self->url)) {
		TH_LOG("%s", self->store.error);
	}
}

FIXTURE_TEARDOWN(store)
{
	char command[128];

	store_close(&self->store);
	sprintf(command, "rm -rf '%s'", self->dir);
	EXPECT_EQ(0, system(command));
}

/* An entry with these keywords, public */
static struct entry *make(unsigned int n, const char *keywords, uint64_t expires)
{
	memset(&entry, 0, sizeof(entry));
	entry.eid = eid_of(n);
	entry.expires = expires;
	entry.profile.public = REG_PUBLIC_ALL;
	entry.profile.n_keywords = 1;
	strcpy(entry.profile.keywords[0], keywords);
	strcpy(entry.profile.text[REG_F_CITY], "Oslo");
	strcpy(entry.node, "0123456789abcdef");
	return &entry;
}

static enum store_result put(struct store *store, unsigned int n, const char *keywords,
			     uint64_t expires)
{
	enum store_result result = store_put(store, make(n, keywords, expires), 0, NOW);

	if (result == STORE_OK)
		result = store_commit(store);
	return result;
}

/* With a prefix 192.0.N.0/24, of which there may be quota */
static enum store_result put_at(struct store *store, unsigned int n, uint8_t net,
				unsigned int quota, uint64_t now)
{
	make(n, "x", now + HOUR);
	entry.observed = (struct reg_endpoint){ .family = 4, .port = 1, .addr = { 192, 0, net } };
	entry.prefix_len = store_prefix(&entry.observed, entry.prefix);
	return store_put(store, &entry, quota, now);
}

static enum store_result search(struct store *store, const char *query, unsigned int limit,
				const struct sss_eid *after)
{
	struct words words = { 0 };

	words_add(&words, query);
	return store_search(store, &words, after, limit, NOW, &page);
}

/* Numbers of those found: "1 5 7" */
static const char *found(struct store *store, const char *query)
{
	static char text[256];
	unsigned int i;
	char *p = text;

	*text = '\0';
	if (search(store, query, REG_HITS, NULL) != STORE_OK)
		return "failed";
	for (i = 0; i < page.n; i++)
		p += sprintf(p, "%s%u", i ? " " : "",
			     page.entries[i].eid.key[2] << 8 | page.entries[i].eid.key[3]);
	if (page.more)
		strcpy(p, " ...");
	return text;
}

TEST_F(store, put_get_remove)
{
	struct sss_eid one = eid_of(1), two = eid_of(2);

	EXPECT_EQ(STORE_NONE, store_get(&self->store, &one, NOW, &got));
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "Chess", NOW + HOUR));
	ASSERT_EQ(STORE_OK, store_get(&self->store, &one, NOW, &got));
	EXPECT_EQ(0, memcmp(&entry, &got, sizeof(got)));
	EXPECT_EQ(STORE_NONE, store_get(&self->store, &two, NOW, &got));
	EXPECT_EQ(STORE_NONE, store_remove(&self->store, &two));
	EXPECT_EQ(STORE_OK, store_remove(&self->store, &one));
	EXPECT_EQ(STORE_NONE, store_get(&self->store, &one, NOW, &got));
	EXPECT_STREQ("", found(&self->store, "chess"));
	EXPECT_EQ(STORE_OK, store_commit(&self->store));
}

TEST_F(store, replaced)
{
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess golf", NOW + HOUR));
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "golf tennis", NOW + 2 * HOUR));
	EXPECT_STREQ("", found(&self->store, "chess"));
	EXPECT_STREQ("1", found(&self->store, "golf"));
	EXPECT_STREQ("1", found(&self->store, "tennis oslo"));
	EXPECT_EQ(NOW + 2 * HOUR, page.entries[0].expires);
}

TEST_F(store, expires)
{
	struct sss_eid one = eid_of(1);
	unsigned int removed, sum = 0, i;
	uint64_t n;

	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess", NOW + 1));
	ASSERT_EQ(STORE_OK, put(&self->store, 2, "chess", NOW));
	ASSERT_EQ(STORE_OK, put(&self->store, 3, "chess", NOW + HOUR));
	EXPECT_STREQ("1 3", found(&self->store, "chess"));
	EXPECT_EQ(STORE_NONE, store_get(&self->store, &one, NOW + 1, &got));
	EXPECT_EQ(STORE_OK, self->store.ops->count(&self->store, &n));
	EXPECT_EQ(3, n);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(STORE_OK, store_sweep(&self->store, NOW + 1, &removed));
		sum += removed;
	}
	EXPECT_EQ(2, sum);
	EXPECT_EQ(STORE_OK, store_commit(&self->store));
	EXPECT_EQ(STORE_OK, self->store.ops->count(&self->store, &n));
	EXPECT_EQ(1, n);
	EXPECT_STREQ("3", found(&self->store, "chess"));
}

/* An entry put again after it was found expired stays */
TEST_F(store, sweep_spares_the_renewed)
{
	struct sss_eid one = eid_of(1);

	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess", NOW));
	got = entry;
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess", NOW + HOUR));
	EXPECT_EQ(STORE_NONE, self->store.ops->del(&self->store, &got, NOW + 1));
	EXPECT_EQ(STORE_OK, store_get(&self->store, &one, NOW, &got));
}

TEST_F(store, search_all_words)
{
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "Straße chess", NOW + HOUR));
	ASSERT_EQ(STORE_OK, put(&self->store, 2, "STRASSE golf", NOW + HOUR));
	ASSERT_EQ(STORE_OK, put(&self->store, 3, "дом", NOW + HOUR));
	EXPECT_STREQ("1 2", found(&self->store, "strasse"));
	EXPECT_STREQ("1", found(&self->store, "Chess straße"));
	EXPECT_STREQ("3", found(&self->store, "ДОМ"));
	EXPECT_STREQ("1 2 3", found(&self->store, "oslo"));
	EXPECT_STREQ("", found(&self->store, "stras"));
	EXPECT_STREQ("", found(&self->store, "oslo nothing"));
}

/* Pages put together are everything once, in order */
TEST_F(store, pages)
{
	struct sss_eid last;
	unsigned int i, n = 0, calls = 0;

	for (i = 1; i <= 150; i++)
		ASSERT_EQ(STORE_OK, store_put(&self->store,
					      make(i * 7, i % 3 ? "chess" : "chess golf",
						   NOW + HOUR), 0, NOW));
	ASSERT_EQ(STORE_OK, store_commit(&self->store));
	do {
		ASSERT_EQ(STORE_OK, search(&self->store, "chess oslo", 7, n ? &last : NULL));
		for (i = 0; i < page.n; i++) {
			last = eid_of(++n * 7);
			EXPECT_EQ(0, memcmp(&last, &page.entries[i].eid, sizeof(last)));
		}
		last = page.last;
		ASSERT_LT(++calls, 60);
	} while (page.more);
	EXPECT_EQ(150, n);
	EXPECT_STREQ("21 42 63 84 105 126 147 168 189 210 231 252 273 294 315 336 357 378 399 420 ...",
		     found(&self->store, "golf"));
}

/* A search that finds little looks at no more than it may, and goes on later */
TEST_F(store, search_bounded)
{
	unsigned int i, calls = 0, n = 0;
	struct sss_eid last = eid_of(0);

	/* All have both words of the query, but not together */
	for (i = 1; i <= 2 * STORE_LOOK; i++)
		ASSERT_EQ(STORE_OK, store_put(&self->store,
					      make(i, i % 2 ? "chess" : "golf", NOW + HOUR),
					      0, NOW));
	ASSERT_EQ(STORE_OK, store_put(&self->store, make(i, "chess golf", NOW + HOUR), 0, NOW));
	ASSERT_EQ(STORE_OK, store_commit(&self->store));
	do {
		ASSERT_EQ(STORE_OK, search(&self->store, "chess golf", 1, &last));
		last = page.last;
		n += page.n;
		calls++;
	} while (page.more && calls < 10);
	EXPECT_EQ(1, n);
	EXPECT_GT(calls, 1);
	EXPECT_LT(calls, 4);
}

TEST_F(store, quota)
{
	EXPECT_EQ(STORE_OK, put_at(&self->store, 1, 1, 2, NOW));
	EXPECT_EQ(STORE_OK, put_at(&self->store, 2, 1, 2, NOW));
	EXPECT_EQ(STORE_FULL, put_at(&self->store, 3, 1, 2, NOW));
	EXPECT_EQ(STORE_NONE, store_get(&self->store, &entry.eid, NOW, &got));
	/* One that is there already may stay, and others are elsewhere */
	EXPECT_EQ(STORE_OK, put_at(&self->store, 2, 1, 2, NOW));
	EXPECT_EQ(STORE_OK, put_at(&self->store, 3, 2, 2, NOW));
	EXPECT_EQ(STORE_FULL, put_at(&self->store, 3, 1, 2, NOW));
	/* Who goes, or moves, or expires, makes room */
	EXPECT_EQ(STORE_OK, put_at(&self->store, 2, 3, 2, NOW));
	EXPECT_EQ(STORE_OK, put_at(&self->store, 3, 1, 2, NOW));
	EXPECT_EQ(STORE_FULL, put_at(&self->store, 4, 1, 2, NOW));
	EXPECT_EQ(STORE_OK, store_remove(&self->store, &(struct sss_eid){ .key = { 0, 0, 0, 1, 1 } }));
	EXPECT_EQ(STORE_OK, put_at(&self->store, 4, 1, 2, NOW));
	EXPECT_EQ(STORE_FULL, put_at(&self->store, 5, 1, 2, NOW));
	EXPECT_EQ(STORE_OK, put_at(&self->store, 5, 1, 2, NOW + HOUR));
	EXPECT_EQ(STORE_OK, store_commit(&self->store));
}

TEST_F(store, largest_entry)
{
	unsigned int i;

	make(1, "chess", NOW + HOUR);
	entry.profile.n_keywords = REG_KEYWORDS;
	for (i = 0; i < REG_KEYWORDS; i++) {
		memset(entry.profile.keywords[i], 'k', REG_KEYWORD_MAX);
		entry.profile.keywords[i][0] = 'a' + i;
	}
	for (i = 0; i < REG_TEXTS; i++)
		memset(entry.profile.text[i], 'a' + i, REG_TEXT_MAX);
	entry.profile.n_allowed = REG_ALLOWED;
	entry.profile.restricted = true;
	for (i = 0; i < REG_ALLOWED; i++)
		entry.profile.allowed[i] = eid_of(i + 1);
	ASSERT_EQ(STORE_OK, store_put(&self->store, &entry, 0, NOW));
	ASSERT_EQ(STORE_OK, store_get(&self->store, &entry.eid, NOW, &got));
	EXPECT_EQ(0, memcmp(&entry, &got, sizeof(got)));
	EXPECT_EQ(STORE_OK, store_commit(&self->store));
}

/* What was committed is there for who opens it next */
TEST_F(store, reopened)
{
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess", NOW + HOUR));
	store_close(&self->store);
	ASSERT_EQ(0, store_open(&self->store, self->url));
	EXPECT_STREQ("1", found(&self->store, "chess"));
}

/* SQLite only */

/* Every statement goes by an index: none reads a table from end to end */
TEST_F(store, sqlite_plans)
{
	static const char *const statements[] = {
		"SELECT expires, blob FROM entry WHERE eid = ?1",
		"DELETE FROM word WHERE word = ?1 AND eid = ?2",
		"DELETE FROM word WHERE eid = ?1",
		"DELETE FROM entry WHERE eid = ?1 AND expires <= ?2",
		"SELECT 1 FROM word WHERE word = ?1 LIMIT ?2",
		"SELECT eid FROM word WHERE word = ?1 AND eid > ?2 ORDER BY eid LIMIT ?3",
		"SELECT eid FROM entry WHERE expires <= ?1 LIMIT ?2",
		"SELECT 1 FROM entry WHERE prefix = ?1 AND expires > ?2 LIMIT ?3",
	};
	char text[256], path[128];
	sqlite3_stmt *s;
	sqlite3 *db;
	size_t i;

	if (is_redis())
		SKIP(return, "is about SQLite");
	store_close(&self->store);
	sprintf(path, "%s/db", self->dir);
	ASSERT_EQ(SQLITE_OK, sqlite3_open(path, &db));
	for (i = 0; i < ARRAY_SIZE(statements); i++) {
		sprintf(text, "EXPLAIN QUERY PLAN %s", statements[i]);
		ASSERT_EQ(SQLITE_OK, sqlite3_prepare_v2(db, text, -1, &s, NULL));
		while (sqlite3_step(s) == SQLITE_ROW) {
			const char *plan = (const char *)sqlite3_column_text(s, 3);

			EXPECT_EQ(0, strncmp(plan, "SEARCH ", 7)) {
				TH_LOG("%s: %s", statements[i], plan);
			}
		}
		sqlite3_finalize(s);
	}
	sqlite3_close(db);
	ASSERT_EQ(0, store_open(&self->store, self->url));
}

TEST_F(store, sqlite_alone)
{
	struct store second;

	if (is_redis())
		SKIP(return, "is about SQLite");
	EXPECT_EQ(-1, store_open(&second, self->url));
	EXPECT_NE(NULL, strstr(second.error, "another process has it")) {
		TH_LOG("%s", second.error);
	}
}

TEST_F(store, sqlite_no_room)
{
	struct sss_eid one = eid_of(1), two = eid_of(2);
	sqlite3 **db = self->store.backend;

	if (is_redis())
		SKIP(return, "is about SQLite");
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess", NOW + HOUR));
	ASSERT_EQ(SQLITE_OK, sqlite3_exec(*db, "PRAGMA query_only = 1", NULL, NULL, NULL));
	EXPECT_EQ(STORE_FAILED, put(&self->store, 2, "chess", NOW + HOUR));
	EXPECT_EQ(STORE_FAILED, store_commit(&self->store));
	EXPECT_EQ(STORE_OK, store_get(&self->store, &one, NOW, &got));
	EXPECT_EQ(STORE_NONE, store_get(&self->store, &two, NOW, &got));
	ASSERT_EQ(SQLITE_OK, sqlite3_exec(*db, "PRAGMA query_only = 0", NULL, NULL, NULL));
	EXPECT_EQ(STORE_OK, put(&self->store, 2, "chess", NOW + HOUR));
	EXPECT_STREQ("1 2", found(&self->store, "chess"));
}

/* Redis only */

static bool control(const char *what, const char *key)
{
	char command[1024];

	snprintf(command, sizeof(command), "%s %s '%s'", getenv("REGSERVER_CONTROL"), what, key);
	return !system(command);
}

/* The server goes away and comes back with what it had acknowledged */
TEST_F(store, redis_restarts)
{
	if (!is_redis() || is_cluster())
		SKIP(return, "is about one Redis server; a cluster takes long to come back");
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess", NOW + HOUR));
	ASSERT_TRUE(control("stop", ""));
	EXPECT_EQ(STORE_FAILED, put(&self->store, 2, "chess", NOW + HOUR));
	EXPECT_EQ(STORE_FAILED, store_get(&self->store, &entry.eid, NOW, &got));
	EXPECT_NE(0, strlen(self->store.error));
	ASSERT_TRUE(control("start", ""));
	/* it is not asked again before 200 ms have passed */
	for (int i = 0; i < 100 && put(&self->store, 3, "chess", NOW + HOUR) != STORE_OK; i++)
		usleep(100000);
	EXPECT_STREQ("1 3", found(&self->store, "chess"));
}

/* Members of an index that no entry stands behind are left out, and removed */
TEST_F(store, redis_stale)
{
	struct sss_eid eids[4];
	unsigned int n;

	if (!is_redis())
		SKIP(return, "is about Redis");
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess golf", NOW + HOUR));
	ASSERT_EQ(STORE_OK, put(&self->store, 2, "chess", NOW + HOUR));
	/* As if it had died between the entry and its words */
	got = entry;
	got.words.n = 0;
	ASSERT_EQ(STORE_OK, self->store.ops->del(&self->store, &got, UINT64_MAX));
	ASSERT_EQ(STORE_OK, self->store.ops->list(&self->store, "chess", NULL, 4, eids, &n));
	EXPECT_EQ(2, n);
	EXPECT_STREQ("1", found(&self->store, "chess"));
	ASSERT_EQ(STORE_OK, self->store.ops->list(&self->store, "chess", NULL, 4, eids, &n));
	EXPECT_EQ(1, n);
}

/* A slot moves: ASK while it does, MOVED when it has */
TEST_F(store, cluster_slot_moves)
{
	char key[64], text[SSS_EID_TEXT];
	struct sss_eid one = eid_of(1);

	if (!is_cluster())
		SKIP(return, "is about Redis Cluster");
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "chess", NOW + HOUR));
	sprintf(key, "x{%s}", sss_eid_format(&one, text));
	ASSERT_TRUE(control("leave", key));
	EXPECT_EQ(STORE_OK, store_get(&self->store, &one, NOW, &got));
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "golf", NOW + HOUR));
	EXPECT_STREQ("1", found(&self->store, "golf"));
	ASSERT_TRUE(control("gone", key));
	EXPECT_EQ(STORE_OK, store_get(&self->store, &one, NOW, &got));
	ASSERT_EQ(STORE_OK, put(&self->store, 1, "tennis", NOW + HOUR));
	EXPECT_STREQ("1", found(&self->store, "tennis"));
	EXPECT_EQ(STORE_OK, store_remove(&self->store, &one));
}

/* Messages between server processes */
TEST_F(store, redis_mail)
{
	char data[64];
	int i, len = 0;

	if (!is_redis())
		SKIP(return, "is about Redis");
	ASSERT_GE(self->store.ops->mail_open(&self->store, "me"), 0);
	EXPECT_EQ(0, self->store.ops->mail_read(&self->store, data, sizeof(data)));
	ASSERT_EQ(STORE_OK, self->store.ops->mail(&self->store, "me", "one", 3));
	ASSERT_EQ(STORE_OK, self->store.ops->mail(&self->store, "you", "two", 3));
	ASSERT_EQ(STORE_OK, self->store.ops->mail(&self->store, "me", "three", 5));
	for (i = 0; i < 500 && !len; i++, usleep(10000))
		len = self->store.ops->mail_read(&self->store, data, sizeof(data));
	EXPECT_EQ(3, len);
	for (len = 0; i < 500 && !len; i++, usleep(10000))
		len = self->store.ops->mail_read(&self->store, data, sizeof(data));
	EXPECT_EQ(5, len);
	EXPECT_EQ(0, self->store.ops->mail_read(&self->store, data, sizeof(data)));
}

TEST_HARNESS_MAIN
