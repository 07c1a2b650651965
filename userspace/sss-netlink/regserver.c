// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * regserver add, del: a server is a file of peers.d, whose name has its EID. It is
 * there as a whole, after all settings were checked with it, and the kernel and the
 * agent took it on; or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../libsss/sss.h"
#include "config.h"
#include "regserver.h"
#include "running.h"

static const char usage[] =
	"Usage: sss-netlink regserver add EID ADDRESS:PORT ... [host NAME] [file FILE]\n"
	"       sss-netlink regserver del EID [file FILE]\n"
	"       sss-netlink regserver show [host NAME] [file FILE]\n"
	"       sss-netlink regserver search WORD ... [limit N] [host NAME] [file FILE]\n"
	"       sss-netlink regserver lookup EID [host NAME] [file FILE]\n"
	"Registration servers, of " CONF_FILE " unless FILE is given: sss.conf(5).\n"
	"add makes a file in peers.d beside it, del takes it away; what was loaded before\n"
	"is loaded again and a running agent reads it. show asks the servers how they are,\n"
	"search who has all the words, lookup what is known of one EID.\n";

struct server_file {
	const char *conf;
	char folder[PATH_MAX], path[PATH_MAX], other[PATH_MAX + 8];
	bool made_folder;
};

const char *regserver_file(const char *file)
{
	static struct running running;	/* returned in part */

	if (file)
		return file;
	return running_find(&running) ? running.file : CONF_FILE;
}

/* other: while it is written, or what was there before; not read, for its name */
static void name_files(struct server_file *f, const char *conf, const struct sss_eid *eid)
{
	char text[SSS_EID_TEXT];

	f->conf = regserver_file(conf);
	conf_peers_folder(f->conf, f->folder);
	if (snprintf(f->path, sizeof(f->path), "%.2000s/regserver-%s.conf", f->folder,
		     sss_eid_format(eid, text)) >= (int)sizeof(f->path))
		die(EXIT_USAGE, "the path of \"%s\" is too long", f->conf);
	snprintf(f->other, sizeof(f->other), "%s.new", f->path);
}

/* One add or del after the other: the file of settings is locked until it is closed. */
static int lock(const struct server_file *f)
{
	int fd = open(f->conf, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(EXIT_USAGE, "cannot read \"%s\": %s", f->conf, strerror(errno));
	if (flock(fd, LOCK_EX))
		die(EXIT_KERNEL, "cannot lock \"%s\": %s", f->conf, strerror(errno));
	return fd;
}

/* Those of the agent are those that count here. */
static bool is_agents(const struct server_file *f, struct running *running)
{
	char full[PATH_MAX];

	return running_find(running) && realpath(f->conf, full) &&
	       !strcmp(full, running->file);
}

/* In a process of its own: whatever it finds wrong, we can still go back. */
static int load_apart(const char *conf)
{
	struct ini_error error;
	int status, ret;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		ret = config_load(conf, &error);
		if (ret)
			die(ret, "%s; nothing has changed", error.text);
		exit(EXIT_OK);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return EXIT_KERNEL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_KERNEL;
}

/* The files have changed: so shall the kernel, and the agent, where they know them. */
static int take_on(const struct server_file *f)
{
	struct running running;
	int ret = EXIT_OK;

	if (!is_agents(f, &running)) {
		if (loaded_exists() && !strcmp(f->conf, CONF_FILE))
			ret = load_apart(f->conf);
		if (!ret)
			warn("no agent runs here with \"%s\": this counts when one is started, by \"systemctl start sss\"",
			     f->conf);
		return ret;
	}
	if (loaded_exists())
		ret = load_apart(f->conf);
	if (!ret && kill(running.pid, SIGHUP))
		warn("cannot tell the agent, process %d: %s: \"systemctl reload sss\" does",
		     (int)running.pid, strerror(errno));
	return ret;
}

/* What is to be in the file */
struct server {
	struct sss_eid eid;
	const char *endpoints[SSS_PEER_ENDPOINTS_MAX + 1], *host, *conf;
};

/* The file, line by line, and each no more often than is said */
static const struct {
	const char *begins;
	unsigned int most;
} lines[] = {
	{ "# made by \"sss-netlink regserver add\"\n", 1 },
	{ "[RegistrationServer]\n", 1 },
	{ "EID = ", 1 },
	{ "Endpoint = ", SSS_PEER_ENDPOINTS_MAX },
	{ "Host = ", 1 },
};

#define N_LINES		(sizeof(lines) / sizeof(lines[0]))
#define EID_LINE	2

static void undo(const struct server_file *f)
{
	int err = errno;

	unlink(f->other);
	unlink(f->path);
	if (f->made_folder)
		rmdir(f->folder);
	errno = err;
}

static void write_file(struct server_file *f, const struct server *server)
{
	const char *const *endpoint;
	char text[SSS_EID_TEXT];
	bool failed;
	FILE *file;

	f->made_folder = !mkdir(f->folder, 0755);
	if (!f->made_folder && errno != EEXIST)
		die(EXIT_USAGE, "cannot make \"%s\": %s", f->folder, strerror(errno));
	unlink(f->other);	/* of an attempt that was cut short: we have the lock */
	file = fopen(f->other, "wxe");
	if (!file)
		die(EXIT_USAGE, "cannot make \"%s\": %s", f->other, strerror(errno));
	fprintf(file, "%s%s%s%s\n", lines[0].begins, lines[1].begins, lines[EID_LINE].begins,
		sss_eid_format(&server->eid, text));
	for (endpoint = server->endpoints; *endpoint; endpoint++)
		fprintf(file, "Endpoint = %s\n", *endpoint);
	if (server->host)
		fprintf(file, "Host = %s\n", server->host);
	failed = fflush(file) || fchmod(fileno(file), 0644) || fsync(fileno(file));
	if (!fclose(file) && !failed)
		return;
	undo(f);
	die(EXIT_USAGE, "cannot write \"%s\": %s; nothing has changed", f->other, strerror(errno));
}

static int check(const struct server_file *f, const char *more, const char *without,
		 struct ini_error *error)
{
	struct conf conf;
	struct plan plan = { 0 };
	int ret;

	if (sodium_init() < 0)
		return ini_wrong(error, "libsodium does not start");
	ret = conf_read_with(&conf, f->conf, more, without, error);
	if (!ret) {
		ret = plan_make(&plan, &conf, false, error);
		plan_free(&plan);
	}
	conf_free(&conf);
	return ret;
}

/* What the file of settings would be read from is what a line may hold. */
static const char *one_line(const char *text, const char *what)
{
	if (!*text || strpbrk(text, "\n\r#"))
		die(EXIT_USAGE, "%s may not be empty, nor hold a line break or #", what);
	return text;
}

/* A line of a file that nobody will see is no place. */
static const char *without_place(const struct server_file *f, const char *text)
{
	size_t len = strlen(f->other);
	const char *end;

	if (strncmp(text, f->other, len) || text[len] != ':')
		return text;
	end = strstr(text + len, ": ");
	return end ? end + 2 : text;
}

static void parse_server(struct args *args, struct server *server)
{
	int n = 0;

	memset(server, 0, sizeof(*server));
	parse_eid(&server->eid, next_arg(args, "the EID of a server"));
	do {
		if (n == SSS_PEER_ENDPOINTS_MAX)
			die(EXIT_USAGE, "a server has at most %d endpoints", n);
		server->endpoints[n++] = one_line(next_arg(args, "ADDRESS:PORT of the server"),
						  "an endpoint");
	} while (args->n && strchr(args->v[0], ':'));
	while (args->n) {
		if (!strcmp(next_setting(args), "host"))
			server->host = one_line(next_arg(args, "the name of a host"), "a host");
		else
			server->conf = next_arg(args, "a file");
	}
}

static int add(struct args *args)
{
	struct server_file f = { .made_folder = false };
	struct ini_error error;
	struct server server;
	int ret, locked;

	parse_server(args, &server);
	name_files(&f, server.conf, &server.eid);
	locked = lock(&f);
	if (!access(f.path, F_OK))
		die(EXIT_USAGE, "this server is there already, in \"%s\": \"regserver del\" takes it away",
		    f.path);
	write_file(&f, &server);
	if (check(&f, f.other, NULL, &error)) {
		undo(&f);
		die(EXIT_USAGE, "%s; nothing has changed", without_place(&f, error.text));
	}
	if (rename(f.other, f.path)) {
		undo(&f);
		die(EXIT_USAGE, "cannot make \"%s\": %s; nothing has changed", f.path,
		    strerror(errno));
	}
	ret = take_on(&f);
	if (ret)
		undo(&f);
	close(locked);
	return ret;
}

/* Where somebody wrote it down himself, he has to take it out himself. */
static void refuse_by_hand(const struct server_file *f, const struct sss_eid *eid)
{
	struct ini_error error;
	struct conf conf;
	unsigned int i;

	if (conf_read(&conf, f->conf, &error))
		die(EXIT_USAGE, "%s", error.text);
	for (i = 0; i < conf.n_peers; i++)
		if (conf.peers[i].server && !memcmp(&conf.peers[i].eid, eid, sizeof(*eid)))
			die(EXIT_USAGE, "this server was written down by hand: take it out at %s:%u, then \"systemctl reload sss\"",
			    conf.peers[i].at.path, conf.peers[i].at.line);
	die(EXIT_USAGE, "%s has no such server: see \"sss-netlink regserver show\"", f->conf);
}

static bool is_ours(const char *line, const char *eid, unsigned int *seen)
{
	size_t i, len;

	for (i = 0; i < N_LINES; i++) {
		len = strlen(lines[i].begins);
		if (!strncmp(line, lines[i].begins, len))
			return seen[i]++ < lines[i].most &&
			       (i != EID_LINE || !strncmp(line + len, eid, strlen(eid)));
	}
	return false;
}

/* What stands beside what add wrote would be lost: somebody wrote it. */
static void refuse_lines_by_hand(const struct server_file *f, const struct sss_eid *eid)
{
	unsigned int seen[N_LINES] = { 0 }, n = 0;
	FILE *file = fopen(f->path, "re");
	char text[SSS_EID_TEXT], *line = NULL;
	size_t room = 0;

	if (!file)
		die(EXIT_USAGE, "cannot read \"%s\": %s", f->path, strerror(errno));
	sss_eid_format(eid, text);
	while (getline(&line, &room, file) >= 0) {
		n++;
		if (!is_ours(line, text, seen) || !seen[0])
			die(EXIT_USAGE, "%s:%u was written by hand: \"regserver del\" takes away only what \"regserver add\" made; nothing has changed",
			    f->path, n);
	}
	free(line);
	fclose(file);
}

static int del(struct args *args)
{
	const char *conf = NULL;
	struct server_file f;
	struct ini_error error;
	struct sss_eid eid;
	int ret, locked;

	parse_eid(&eid, next_arg(args, "the EID of a server"));
	if (args->n) {
		next_setting(args);
		conf = next_arg(args, "a file");
	}
	end_of_args(args);
	name_files(&f, conf, &eid);
	locked = lock(&f);
	if (access(f.path, F_OK))
		refuse_by_hand(&f, &eid);
	refuse_lines_by_hand(&f, &eid);
	if (check(&f, NULL, f.path, &error))
		die(EXIT_USAGE, "%s; nothing has changed", error.text);
	if (rename(f.path, f.other))
		die(EXIT_USAGE, "cannot take \"%s\" away: %s", f.path, strerror(errno));
	ret = take_on(&f);
	if (ret)
		rename(f.other, f.path);
	else
		unlink(f.other);
	close(locked);
	return ret;
}

const struct object object_regserver = {
	.name = "regserver", .usage = usage, .standard = "show",
	.commands = {
		{ "add", add, "EID ADDR:PORT host=HOST file=FILE" },
		{ "del", del, "SERVER file=FILE" },
		{ "show", regserver_show, "host=HOST file=FILE" },
		{ "search", regserver_search, "WORD limit=N host=HOST file=FILE" },
		{ "lookup", regserver_lookup, "EID host=HOST file=FILE" },
	},
};
