// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where peers were: STATE/peers, a line "EID SECONDS ENDPOINT..." for each, replaced
 * as a whole a little after something changed. It is believed for a week, as a hint.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <common/number.h>
#include "agent.h"

#define ENTRIES	1024
#define LIFE_S	(7 * 86400)
#define SAVE_MS	500

struct entry {
	struct sss_eid eid;
	time_t when;			/* 0: free */
	unsigned int n;
	struct reg_endpoint eps[AGENT_ENDPOINTS];
};

static struct entry entries[ENTRIES];
static char path[PATH_MAX + 16];
static uint64_t save_at;		/* 0: nothing has changed */

static struct entry *find(const struct sss_eid *eid)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		if (entries[i].when && !memcmp(&entries[i].eid, eid, sizeof(*eid)))
			return &entries[i];
	return NULL;
}

static struct entry *oldest(void)
{
	struct entry *old = &entries[0];
	unsigned int i;

	for (i = 1; i < ENTRIES; i++)
		if (entries[i].when < old->when)
			old = &entries[i];
	return old;
}

/* A file that somebody damaged costs what is damaged. */
static void read_line(char *rest)
{
	struct entry entry = { .when = 0 };
	char *word = strsep(&rest, " ");
	time_t now = time(NULL);
	uint64_t when;

	if (sss_eid_parse(&entry.eid, word))
		return;
	word = strsep(&rest, " ");
	if (!word || !number_parse(word, 10, now, &when))
		return;
	entry.when = when;
	while ((word = strsep(&rest, " ")) && entry.n < AGENT_ENDPOINTS)
		entry.n += endpoint_parse(word, &entry.eps[entry.n]);
	if (!entry.n || !entry.when || entry.when < now - LIFE_S)
		return;
	*(find(&entry.eid) ?: oldest()) = entry;
}

int cache_read(const char *folder)
{
	char line[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/peers", folder);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? 0 : -1;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		read_line(line);
	}
	fclose(file);
	return 0;
}

void cache_open(const char *folder)
{
	if (mkdir(folder, 0755) && errno != EEXIST)
		log_at(LOG_L_WARNING, "state", " folder=%s error=%s", log_quote(folder),
		       log_quote(strerror(errno)));
	cache_read(folder);
}

static bool is_on_link(const union endpoint_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&addr->in6.sin6_addr);
}

void cache_add(const struct sss_eid *peer, const struct candidates *where)
{
	struct entry *entry = find(peer), fresh = { .eid = *peer, .when = time(NULL) };
	unsigned int i;

	/* An address on a link means nothing without the link. */
	for (i = 0; i < where->n; i++)
		if (!is_on_link(&where->addr[i]))
			fresh.n += endpoint_from_addr(&fresh.eps[fresh.n], &where->addr[i].sa);
	if (!fresh.n)
		return;
	*(entry ?: oldest()) = fresh;
	if (!save_at)
		save_at = agent.now + SAVE_MS;
}

void cache_find(const struct sss_eid *peer, struct candidates *where)
{
	const struct entry *entry = find(peer);
	unsigned int i;

	if (!entry || entry->when < time(NULL) - LIFE_S)
		return;
	for (i = 0; i < entry->n; i++)
		candidates_add_record(where, &entry->eps[i]);
}

void cache_each(void (*call)(const struct sss_eid *eid, time_t when,
			     const struct reg_endpoint *eps, unsigned int n))
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		if (entries[i].when)
			call(&entries[i].eid, entries[i].when, entries[i].eps, entries[i].n);
}

static void write_entry(FILE *file, const struct entry *entry)
{
	char eid[SSS_EID_TEXT], text[ENDPOINT_TEXT];
	unsigned int i;

	fprintf(file, "%s %lld", sss_eid_format(&entry->eid, eid), (long long)entry->when);
	for (i = 0; i < entry->n; i++)
		fprintf(file, " %s", endpoint_format(&entry->eps[i], text));
	fputc('\n', file);
}

static int save(void)
{
	char fresh[PATH_MAX + 32];
	unsigned int i;
	bool failed;
	FILE *file;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "we");
	if (!file)
		return -1;
	fchmod(fileno(file), 0600);
	for (i = 0; i < ENTRIES; i++)
		if (entries[i].when)
			write_entry(file, &entries[i]);
	failed = ferror(file);
	if (fclose(file) || failed)
		return -1;
	return rename(fresh, path);
}

uint64_t cache_tick(void)
{
	if (!save_at)
		return UINT64_MAX;
	if (save_at > agent.now)
		return save_at;
	save_at = 0;
	if (save())
		log_at(LOG_L_WARNING, "not-saved", " file=%s error=%s", log_quote(path),
		       log_quote(strerror(errno)));
	return UINT64_MAX;
}

void cache_close(void)
{
	if (save_at)
		save();
	save_at = 0;
}
