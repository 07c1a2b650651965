// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <common/conf.h>
#include <regclient/regclient.h>
#include "names.h"

#define SERVER_MS	5000	/* for connecting, and for each answer */
#define FOUND		8	/* different EIDs that are listed */

/* Where a name is pinned; line 0: nowhere */
struct pin {
	struct sss_eid eid;
	struct ini_place at;
};

struct found {
	unsigned int servers, n;
	bool more;
	struct reg_hit hits[FOUND];
};

static struct conf conf;

/* A missing file is an empty one */
static int read_settings(const struct options *opt)
{
	static bool done;
	struct ini_error error;

	if (done || (!opt->settings && access(CONF_FILE, R_OK)))
		return EXIT_OK;
	if (conf_read(&conf, opt->settings ?: CONF_FILE, &error)) {
		complain("%s", error.text);
		return EXIT_USAGE;
	}
	done = true;
	return EXIT_OK;
}

/* The user's file; false: there is no home for it */
static bool known_names(char path[PATH_MAX], bool make)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (config && *config == '/')
		n = snprintf(path, PATH_MAX - 32, "%s", config);
	else if (home && *home == '/')
		n = snprintf(path, PATH_MAX - 32, "%s/.config", home);
	else
		return false;
	if (n >= PATH_MAX - 32)
		return false;
	if (make)
		mkdir(path, 0700);
	strcat(path, "/sss");
	if (make)
		mkdir(path, 0700);
	strcat(path, "/known_names");
	return true;
}

static void find_in_settings(const char *name, struct pin *pin)
{
	unsigned int i;

	for (i = 0; i < conf.n_peers; i++) {
		if (strcmp(conf.peers[i].name, name))
			continue;
		pin->eid = conf.peers[i].eid;
		pin->at = conf.peers[i].at;
	}
}

/* Lines "EID NAME"; the first counts */
static void find_in_file(const char *name, struct pin *pin, char path[PATH_MAX])
{
	struct ini_place at = { .path = path };
	char line[512], *space;
	FILE *file = known_names(path, false) ? fopen(path, "re") : NULL;

	while (file && !pin->at.line && fgets(line, sizeof(line), file)) {
		at.line++;
		line[strcspn(line, "\r\n")] = '\0';
		space = strchr(line, ' ');
		if (!space || strcmp(space + 1, name))
			continue;
		*space = '\0';
		if (!sss_eid_parse(&pin->eid, line))
			pin->at = at;
	}
	if (file)
		fclose(file);
}

/* As loud as it is serious */
static int refuse(const char *name, const struct pin *pin, const struct sss_eid *other,
		  const char *where)
{
	static const char line[] =
		"@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n";
	char text[SSS_EID_TEXT];

	fprintf(stderr, "%s@  WARNING: THIS NAME NOW BELONGS TO ANOTHER KEY                         @\n%s",
		line, line);
	fprintf(stderr, "\"%s\" is pinned to\n  %s  (%s:%u)\n", name,
		sss_eid_format(&pin->eid, text), pin->at.path, pin->at.line);
	fprintf(stderr, "but %s has\n  %s\n", where, sss_eid_format(other, text));
	fprintf(stderr,
		"Somebody may be posing as \"%s\"; or it has a new key. Nothing was sent.\n"
		"Ask whoever it belongs to, by another way, for the EID. If it has changed, put\n"
		"it into line %u of %s,\n"
		"or connect with the EID itself.\n", name, pin->at.line, pin->at.path);
	complain("refused: the EID behind \"%s\" has changed", name);
	return EXIT_CHANGED;
}

/* Directory */

static bool has(const struct found *found, const struct sss_eid *eid)
{
	unsigned int i;

	for (i = 0; i < found->n; i++)
		if (!memcmp(&found->hits[i].eid, eid, sizeof(*eid)))
			return true;
	return false;
}

static void take_hits(struct found *found, const struct reg_answer *answer)
{
	unsigned int i;

	for (i = 0; i < answer->n_hits; i++) {
		if (has(found, &answer->hits[i].eid))
			continue;
		if (found->n == FOUND)
			found->more = true;
		else
			found->hits[found->n++] = answer->hits[i];
	}
}

/* All pages of one server, or enough of them */
static void search_server(struct reg_client *client, const char *name, struct found *found)
{
	static struct reg_answer answer;
	bool first = true;

	do {
		if (reg_search(client, name, 0, first ? NULL : &answer, &answer) ||
		    answer.status != REG_OK)
			return;
		if (first)
			found->servers++;
		first = false;
		take_hits(found, &answer);
	} while (answer.has & 1U << REG_K_CURSOR && !found->more);
}

static const struct found *search(const struct options *opt)
{
	static const struct sss_eid any;
	static struct found found;
	struct reg_client client;
	unsigned int i;

	memset(&found, 0, sizeof(found));
	for (i = 0; i < conf.n_peers; i++) {
		if (!conf.peers[i].server)
			continue;
		if (reg_connect(&client, memcmp(&opt->local, &any, sizeof(any)) ? &opt->local :
				NULL, &conf.peers[i].eid, SERVER_MS))
			continue;
		search_server(&client, opt->name, &found);
		reg_close(&client);
	}
	return &found;
}

/* What a directory says is shown without what could drive a terminal: reg_text_valid() */
static void show_hit(const struct reg_hit *hit)
{
	char text[SSS_EID_TEXT];
	unsigned int i;

	fprintf(stderr, "  %s", sss_eid_format(&hit->eid, text));
	for (i = 0; i < REG_TEXTS; i++)
		if (*hit->profile.text[i])
			fprintf(stderr, "  %s", hit->profile.text[i]);
	fputc('\n', stderr);
}

static int pin_name(const char *name, const struct sss_eid *eid)
{
	char path[PATH_MAX], line[SSS_EID_TEXT + CONF_NAME_MAX + 2], text[SSS_EID_TEXT];
	int fd = known_names(path, true) ?
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	int len = snprintf(line, sizeof(line), "%s %s\n", sss_eid_format(eid, text), name);

	if (fd < 0 || write(fd, line, len) != len || close(fd)) {
		complain("cannot pin the name in \"%s\": %s", path, strerror(errno));
		return EXIT_CONNECT;
	}
	complain("\"%s\" is from now on %s (%s)", name, text, path);
	return EXIT_OK;
}

static int accept_new(const struct options *opt, struct sss_eid *eid)
{
	const struct found *found = search(opt);
	unsigned int i;

	if (!found->servers) {
		complain("no registration server answers: see [RegistrationServer] in sss.conf(5)");
		return EXIT_CONNECT;
	}
	if (!found->n) {
		complain("the directory has nobody who says to be \"%s\"", opt->name);
		return EXIT_CONNECT;
	}
	if (found->n > 1 || found->more) {
		complain("\"%s\" might be any of these%s: connect with the EID", opt->name,
			 found->more ? ", and more" : "");
		for (i = 0; i < found->n; i++)
			show_hit(&found->hits[i]);
		return EXIT_CONNECT;
	}
	*eid = found->hits[0].eid;
	show_hit(&found->hits[0]);
	return pin_name(opt->name, eid);
}

static bool may_be_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= CONF_NAME_MAX && *name != '-' && reg_text_valid(name, len);
}

static struct pin pinned;

int names_find(const struct options *opt, struct sss_eid *eid)
{
	static char path[PATH_MAX];
	struct pin other = { .at.line = 0 };
	int result = read_settings(opt);

	if (result)
		return result;
	if (may_be_name(opt->name)) {
		find_in_settings(opt->name, &pinned);
		find_in_file(opt->name, &other, path);
	}
	if (pinned.at.line && other.at.line && memcmp(&pinned.eid, &other.eid, sizeof(*eid)))
		return refuse(opt->name, &other, &pinned.eid, pinned.at.path);
	if (!pinned.at.line)
		pinned = other;
	*eid = pinned.eid;
	if (pinned.at.line)
		return opt->accept_new ? names_suspect(opt, eid) : EXIT_OK;
	if (opt->accept_new && may_be_name(opt->name))
		return accept_new(opt, eid);
	complain("\"%s\" is no EID (52 letters a-z and digits 2-7), and no name that is pinned here; --accept-new looks for it",
		 opt->name);
	return EXIT_USAGE;
}

int names_suspect(const struct options *opt, const struct sss_eid *eid)
{
	const struct found *found;

	if (!opt->name || !pinned.at.line)
		return EXIT_OK;
	found = search(opt);
	if (!found->n || found->more || has(found, eid))
		return EXIT_OK;
	return refuse(opt->name, &pinned, &found->hits[0].eid, "the directory");
}
