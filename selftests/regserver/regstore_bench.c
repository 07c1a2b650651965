// SPDX-License-Identifier: GPL-2.0
/*
 * How fast the directory is, and how large:
 *
 *	regstore_bench [ENTRIES [URL]]		100000, SQLite in /tmp
 *
 * Prints "name: number" lines. Everything is asked by one process, one thing at a
 * time, as sss-regserver does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "sss-regserver/store.h"

#define NOW 1000000000000ull
#define ROUND 16	/* changes that are committed together */

static struct store store;
static struct entry entry;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Spread over all keys, as EIDs are */
static struct sss_eid eid_of(unsigned int n)
{
	uint64_t x = (n + 1) * 0x9e3779b97f4a7c15ull;
	struct sss_eid eid = { { 0 } };

	memcpy(eid.key, &x, sizeof(x));
	eid.key[31] = 1;
	return eid;
}

static void make(unsigned int n)
{
	memset(&entry, 0, sizeof(entry));
	entry.eid = eid_of(n);
	entry.expires = NOW + 1 + n;
	entry.profile.public = REG_PUBLIC_ALL;
	sprintf(entry.profile.text[REG_F_HOST], "host%u", n);
	sprintf(entry.profile.text[REG_F_OWNER], "Owner %u", n % 5000);
	sprintf(entry.profile.text[REG_F_CITY], "City%u", n % 100);
	strcpy(entry.profile.text[REG_F_COUNTRY], "Norway");
	entry.observed = (struct reg_endpoint){ .family = 4, .port = 9660 };
	memcpy(entry.observed.addr, &n, 4);
	entry.prefix_len = store_prefix(&entry.observed, entry.prefix);
	strcpy(entry.node, "0123456789abcdef");
}

static void must(enum store_result result)
{
	if (result == STORE_OK)
		return;
	fprintf(stderr, "regstore_bench: %d: %s\n", result, store.error);
	exit(1);
}

static void report(const char *what, unsigned int n, double since)
{
	printf("%s-per-second: %.0f\n", what, n / (seconds() - since));
	fflush(stdout);
}

static void put_all(unsigned int n)
{
	double since = seconds();
	unsigned int i;

	for (i = 0; i < n; i++) {
		make(i);
		must(store_put(&store, &entry, 256, NOW));
		if (i % ROUND == ROUND - 1)
			must(store_commit(&store));
	}
	must(store_commit(&store));
	report("register", n, since);
}

static void look_up(unsigned int n, unsigned int times)
{
	double since = seconds();
	struct sss_eid eid;
	unsigned int i;

	for (i = 0; i < times; i++) {
		eid = eid_of(i * 7919u % n);
		must(store_get(&store, &eid, NOW, &entry));
	}
	report("lookup", times, since);
}

static void search(const char *name, const char *fmt, unsigned int times)
{
	static struct store_page page;
	double since = seconds();
	struct words words;
	char query[64];
	unsigned int i;

	for (i = 0; i < times; i++) {
		snprintf(query, sizeof(query), fmt, i % 100);
		words.n = 0;
		words_add(&words, query);
		must(store_search(&store, &words, NULL, REG_HITS, NOW, &page));
	}
	report(name, times, since);
}

static void expire(unsigned int n)
{
	double since = seconds();
	unsigned int removed, sum = 0, idle = 0;

	/* Redis is swept in turns: none in one turn does not mean none at all */
	while (sum < n / 2 && idle < 16) {
		must(store_sweep(&store, NOW + 1 + n, &removed));
		must(store_commit(&store));
		sum += removed;
		idle = removed ? 0 : idle + 1;
	}
	report("expire", sum, since);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	char dir[] = "/tmp/regstore-bench.XXXXXX", url[64], command[64];
	struct stat st;
	double since;

	if (!mkdtemp(dir))
		return 1;
	sprintf(url, "sqlite:%s/db", dir);
	if (store_open(&store, argc > 2 ? argv[2] : url))
		must(STORE_FAILED);
	put_all(n);
	store_close(&store);
	since = seconds();
	if (store_open(&store, argc > 2 ? argv[2] : url))
		must(STORE_FAILED);
	printf("open-ms: %.1f\n", (seconds() - since) * 1000);
	look_up(n, 20000);
	search("search-rare", "owner %u city1", 500);
	search("search-common", "norway city%u", 500);
	sprintf(command, "%s/db", dir);
	if (!stat(command, &st))
		printf("bytes-per-entry: %.0f\n", (double)st.st_size / n);
	expire(n);
	store_close(&store);
	sprintf(command, "rm -rf %s", dir);
	return system(command) != 0;
}
