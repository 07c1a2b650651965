/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The directory: what is registered, by EID and by word. Entries are kept by a
 * backend, an embedded SQLite database or Redis; what entries mean, when they
 * count and how searches go is here, once for both.
 *
 * A backend's index of words may have members too many, where a process died
 * half way, never one too few for an entry that was acknowledged: what a search
 * finds is compared with the entry itself.
 */
#ifndef REGSERVER_STORE_H
#define REGSERVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <regclient/record.h>
#include "words.h"

#define STORE_NODE	16	/* letters of a server process's name */
#define STORE_PREFIX	9	/* bytes of an address prefix with its family */
#define STORE_BATCH	64	/* entries a backend gives at once */
#define STORE_LOOK	256	/* entries one search looks at */
#define STORE_MAIL_MAX	4096	/* bytes of a message to another process */

enum store_result {
	STORE_OK = 0,
	STORE_NONE,		/* there is no such entry */
	STORE_FULL,		/* the prefix has as many as it may have */
	STORE_FAILED,		/* the backend does not answer, or has no room */
};

/**
 * struct entry - a registration
 * @eid: whose
 * @expires: ms since 1970: from then on it is not there
 * @observed: where its channel came from
 * @node: the server process that has its stream
 * @prefix: of @observed, for quotas; @prefix_len 0: not known
 * @profile: as registered
 * @words: by which it may be found
 */
struct entry {
	struct sss_eid eid;
	uint64_t expires;
	struct reg_endpoint observed;
	char node[STORE_NODE + 1];
	uint8_t prefix[STORE_PREFIX];
	uint8_t prefix_len;
	struct reg_profile profile;
	struct words words;
};

/* Entries as backends see them */
#define STORE_BLOB_MAX	12288

struct store_blob {
	uint64_t expires;
	size_t len;		/* 0: there is none */
	uint8_t data[STORE_BLOB_MAX];
};

struct store;

/**
 * struct store_ops - a backend
 * @name: for logs
 * @open: sets store->backend; on failure says why in store->error
 * @close: what @open made
 * @get: the blobs of n EIDs, up to STORE_BATCH; of those not there, len is 0
 * @put: keeps an entry and its words, and forgets those of @old it no longer has;
 *	STORE_FULL if its prefix is at @quota and it is not one of its entries
 * @del: removes an entry if it expires at @until or before; STORE_NONE if not
 * @weigh: about how many entries have each word
 * @list: EIDs that have the word, ascending, behind @after (NULL: from the first)
 * @stale: a member of a word's index that no entry stands behind
 * @expired: some EIDs of entries that expired, up to @max
 * @count: entries, those expired included
 * @commit: makes lasting what was put and deleted since the last time
 * @mail: a message for another process (NULL: there are none)
 * @mail_open: returns a descriptor that is readable when messages are there, -1
 * @mail_read: the next one's bytes; 0: none now; -1: the descriptor is no good, open again
 */
struct store_ops {
	const char *name;
	int (*open)(struct store *store, const char *where);
	void (*close)(struct store *store);
	enum store_result (*get)(struct store *store, const struct sss_eid *eids, unsigned int n,
				 struct store_blob *blobs);
	enum store_result (*put)(struct store *store, const struct entry *entry,
				 const struct store_blob *blob, const struct entry *old,
				 unsigned int quota, uint64_t now);
	enum store_result (*del)(struct store *store, const struct entry *entry, uint64_t until);
	enum store_result (*weigh)(struct store *store, const struct words *words,
				   uint64_t *weights);
	enum store_result (*list)(struct store *store, const char *word,
				  const struct sss_eid *after, unsigned int max,
				  struct sss_eid *eids, unsigned int *n);
	void (*stale)(struct store *store, const char *word, const struct sss_eid *eid);
	enum store_result (*expired)(struct store *store, uint64_t now, unsigned int max,
				     struct sss_eid *eids, unsigned int *n);
	enum store_result (*count)(struct store *store, uint64_t *n);
	enum store_result (*commit)(struct store *store);
	enum store_result (*mail)(struct store *store, const char *node, const void *data,
				  size_t len);
	int (*mail_open)(struct store *store, const char *node);
	int (*mail_read)(struct store *store, void *data, size_t max);
};

extern const struct store_ops store_sqlite, store_redis;

struct store {
	const struct store_ops *ops;
	void *backend;
	char error[512];
};

/* Where a search went on to */
struct store_page {
	unsigned int n;
	struct entry entries[REG_HITS];
	bool more;
	struct sss_eid last;	/* if more: go on behind this one */
};

/**
 * store_open() - open the directory
 * @store: result; error says what was wrong
 * @url: sqlite:/PATH or redis://...
 *
 * Return: 0, or -1.
 */
int store_open(struct store *store, const char *url);
void store_close(struct store *store);

/* Milliseconds since 1970, in which entries expire */
uint64_t store_now(void);

/* STORE_NONE also when it has expired */
enum store_result store_get(struct store *store, const struct sss_eid *eid, uint64_t now,
			    struct entry *entry);

/**
 * store_put() - keep an entry in place of an older one
 * @store: the directory
 * @entry: its words are found here
 * @quota: entries its prefix may have, 0: no limit
 * @now: as of store_now()
 *
 * Return: STORE_OK: kept, lasting after store_commit(); STORE_FULL; STORE_FAILED.
 */
enum store_result store_put(struct store *store, struct entry *entry, unsigned int quota,
			    uint64_t now);

enum store_result store_remove(struct store *store, const struct sss_eid *eid);

/**
 * store_search() - entries that have all words, by ascending EID
 * @store: the directory
 * @words: at least one
 * @after: go on behind this EID, NULL: begin
 * @limit: entries wanted, up to REG_HITS
 * @now: as of store_now()
 * @page: result; with @more it may have fewer than wanted, even none: one call
 *	looks at STORE_LOOK entries at most
 *
 * Return: STORE_OK, STORE_FAILED.
 */
enum store_result store_search(struct store *store, const struct words *words,
			       const struct sss_eid *after, unsigned int limit, uint64_t now,
			       struct store_page *page);

/**
 * store_sweep() - remove some entries that have expired
 * @store: the directory
 * @now: as of store_now()
 * @removed: how many
 *
 * Return: STORE_OK, STORE_FAILED.
 */
enum store_result store_sweep(struct store *store, uint64_t now, unsigned int *removed);

enum store_result store_commit(struct store *store);

/* /24 or /64 with the family in front; returns its length, 0 if not known */
uint8_t store_prefix(const struct reg_endpoint *ep, uint8_t *prefix);

#endif /* REGSERVER_STORE_H */
