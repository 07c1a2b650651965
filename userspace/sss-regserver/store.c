// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <regclient/parts.h>
#include "store.h"

/* Keys of an entry's map, as kept */
enum { E_PROFILE = 0, E_OBSERVED = 1, E_NODE = 2, E_PREFIX = 3, E_WORDS = 4 };

#define WORDS_TEXT	(WORDS_MAX * (WORD_MAX + 1))

static struct store_blob blobs[STORE_BATCH];

uint64_t store_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

uint8_t store_prefix(const struct reg_endpoint *ep, uint8_t *prefix)
{
	size_t len = ep->family == 4 ? 3 : 8;

	if (!ep->family)
		return 0;
	prefix[0] = ep->family;
	memcpy(prefix + 1, ep->addr, len);
	return len + 1;
}

int store_open(struct store *store, const char *url)
{
	memset(store, 0, sizeof(*store));
	if (!strncmp(url, "sqlite:", 7)) {
		store->ops = &store_sqlite;
		return store->ops->open(store, url + 7);
	}
	if (!strncmp(url, "redis://", 8)) {
		store->ops = &store_redis;
		return store->ops->open(store, url + 8);
	}
	snprintf(store->error, sizeof(store->error), "no store of that kind");
	return -1;
}

void store_close(struct store *store)
{
	if (store->backend)
		store->ops->close(store);
	store->backend = NULL;
}

/* Words have no spaces: one text of all */
static void put_words(struct reg_out *out, const struct words *words)
{
	char text[WORDS_TEXT + 1], *p = text;
	unsigned int i;

	*p = '\0';
	for (i = 0; i < words->n; i++) {
		if (i)
			*p++ = ' ';
		p = stpcpy(p, words->word[i]);
	}
	reg_out_text(out, text);
}

static void get_words(struct reg_in *in, struct words *words)
{
	char text[WORDS_TEXT + 1], *rest = text, *word;

	reg_in_text(in, text, WORDS_TEXT);
	while (*text && (word = strsep(&rest, " "))) {
		if (words->n == WORDS_MAX || strlen(word) > WORD_MAX) {
			reg_in_fail(in, REG_INVALID);
			return;
		}
		strcpy(words->word[words->n++], word);
	}
}

static int entry_encode(const struct entry *entry, struct store_blob *blob)
{
	struct reg_out out = { .p = blob->data, .end = blob->data + sizeof(blob->data) };
	uint8_t *map = reg_out_map(&out);

	reg_out_key(&out, map, E_PROFILE);
	reg_put_profile(&out, &entry->profile);
	if (entry->observed.family) {
		reg_out_key(&out, map, E_OBSERVED);
		reg_put_endpoint(&out, &entry->observed);
	}
	reg_out_key(&out, map, E_NODE);
	reg_out_text(&out, entry->node);
	reg_out_key(&out, map, E_PREFIX);
	reg_out_bytes(&out, entry->prefix, entry->prefix_len);
	reg_out_key(&out, map, E_WORDS);
	put_words(&out, &entry->words);
	blob->expires = entry->expires;
	blob->len = out.p - blob->data;
	return out.full ? -1 : 0;
}

static void get_entry_field(struct reg_in *in, struct entry *entry, uint64_t key)
{
	switch (key) {
	case E_PROFILE:
		reg_get_profile(in, &entry->profile);
		break;
	case E_OBSERVED:
		reg_get_endpoint(in, &entry->observed);
		break;
	case E_NODE:
		reg_in_text(in, entry->node, STORE_NODE);
		break;
	case E_PREFIX:
		entry->prefix_len = reg_in_bytes(in, entry->prefix, STORE_PREFIX);
		break;
	case E_WORDS:
		get_words(in, &entry->words);
		break;
	default:
		reg_in_skip(in);
	}
}

/* A store may be shared, or damaged: what it gives is read as carefully as the wire */
static bool entry_decode(struct entry *entry, const struct sss_eid *eid,
			 const struct store_blob *blob)
{
	struct reg_in in = { .p = blob->data, .end = blob->data + blob->len };
	struct reg_map map;
	uint64_t key;

	memset(entry, 0, sizeof(*entry));
	entry->eid = *eid;
	entry->expires = blob->expires;
	map = reg_in_map(&in);
	while (reg_in_key(&in, &map, &key))
		get_entry_field(&in, entry, key);
	return reg_in_end(&in) == REG_OK;
}

/* Whether it has expired or not */
static enum store_result get_any(struct store *store, const struct sss_eid *eid,
				 struct entry *entry)
{
	enum store_result result = store->ops->get(store, eid, 1, blobs);

	memset(entry, 0, sizeof(*entry));
	entry->eid = *eid;
	if (result != STORE_OK)
		return result;
	return blobs[0].len && entry_decode(entry, eid, &blobs[0]) ? STORE_OK : STORE_NONE;
}

enum store_result store_get(struct store *store, const struct sss_eid *eid, uint64_t now,
			    struct entry *entry)
{
	enum store_result result = get_any(store, eid, entry);

	return result == STORE_OK && entry->expires <= now ? STORE_NONE : result;
}

enum store_result store_put(struct store *store, struct entry *entry, unsigned int quota,
			    uint64_t now)
{
	static struct store_blob blob;
	static struct entry old;
	enum store_result result;

	if (words_of_profile(&entry->words, &entry->profile) || entry_encode(entry, &blob))
		return STORE_FAILED;
	result = get_any(store, &entry->eid, &old);
	if (result == STORE_FAILED)
		return result;
	return store->ops->put(store, entry, &blob, result == STORE_OK ? &old : NULL, quota, now);
}

enum store_result store_remove(struct store *store, const struct sss_eid *eid)
{
	static struct entry entry;
	enum store_result result = get_any(store, eid, &entry);

	return result == STORE_OK ? store->ops->del(store, &entry, UINT64_MAX) : result;
}

/* The word that the fewest entries have is the one to go through */
static enum store_result rarest(struct store *store, const struct words *words,
				const char **word)
{
	uint64_t weights[WORDS_MAX];
	unsigned int i, best = 0;
	enum store_result result = STORE_OK;

	if (words->n > 1)
		result = store->ops->weigh(store, words, weights);
	for (i = 1; result == STORE_OK && i < words->n; i++)
		if (weights[i] < weights[best])
			best = i;
	*word = words->word[best];
	return result;
}

static bool has_all(const struct entry *entry, const struct words *words)
{
	unsigned int i;

	for (i = 0; i < words->n; i++)
		if (!words_have(&entry->words, words->word[i]))
			return false;
	return true;
}

/* Takes those of the batch that match; stops behind the last one wanted */
static unsigned int take(struct store *store, const struct words *words, const char *word,
			 const struct sss_eid *eids, unsigned int n, unsigned int limit,
			 uint64_t now, struct store_page *page)
{
	struct entry *entry;
	unsigned int i;

	for (i = 0; i < n && page->n < limit; i++) {
		entry = &page->entries[page->n];
		page->last = eids[i];
		if (!blobs[i].len || !entry_decode(entry, &eids[i], &blobs[i]) ||
		    !words_have(&entry->words, word))
			store->ops->stale(store, word, &eids[i]);
		else if (entry->expires > now && has_all(entry, words))
			page->n++;
	}
	return i;
}

enum store_result store_search(struct store *store, const struct words *words,
			       const struct sss_eid *after, unsigned int limit, uint64_t now,
			       struct store_page *page)
{
	struct sss_eid eids[STORE_BATCH];
	unsigned int looked = 0, n, taken;
	enum store_result result;
	const char *word;

	page->n = 0;
	page->more = true;
	result = rarest(store, words, &word);
	while (result == STORE_OK && looked < STORE_LOOK && page->n < limit) {
		result = store->ops->list(store, word, after, STORE_BATCH, eids, &n);
		if (result == STORE_OK && n)
			result = store->ops->get(store, eids, n, blobs);
		if (result != STORE_OK)
			break;
		taken = take(store, words, word, eids, n, limit, now, page);
		looked += taken;
		after = &page->last;
		if (n < STORE_BATCH && taken == n) {
			page->more = false;
			break;
		}
	}
	return result;
}

enum store_result store_sweep(struct store *store, uint64_t now, unsigned int *removed)
{
	static struct entry entry;
	struct sss_eid eids[STORE_BATCH];
	unsigned int n, i;
	enum store_result result = store->ops->expired(store, now, STORE_BATCH, eids, &n);

	*removed = 0;
	for (i = 0; result == STORE_OK && i < n; i++) {
		result = get_any(store, &eids[i], &entry);
		/* What cannot be read is removed, too, and from the list of what expires */
		if (result != STORE_FAILED)
			result = store->ops->del(store, &entry, now);
		if (result == STORE_OK)
			++*removed;
		if (result == STORE_NONE)
			result = STORE_OK;
	}
	return result;
}

enum store_result store_commit(struct store *store)
{
	return store->ops->commit(store);
}
