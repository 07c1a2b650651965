/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of the whole registration server: it is started for each test, on
 * the store that stores.sh has made ready, and called by clients.
 *
 * Without a module it is regserver-unix; clients say who they are, so there may
 * be any number. With REGSERVER_EIDS, its EID and then those of local hosts, it
 * is sss-regserver and everything goes over AF_SSS.
 */
#ifndef SSS_REGSERVER_WORLD_H
#define SSS_REGSERVER_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <common/clock.h>
#include <libsss/sss.h>
#include "regclient/regclient.h"
#include "kselftest_harness.h"

#define WAIT	10000	/* ms that anything may take */
#define ARGS	32

/* Without a module. regserver_bench's is fast: without the sanitizers */
#ifndef SERVER_UNIX
#define SERVER_UNIX "regserver-unix"
#endif

struct world {
	char dir[64];
	char store[256];
	unsigned int servers;		/* started so far */
};

/* A server process */
struct server_process {
	pid_t pid;
	char socket[108];
	int notify;			/* where it tells that it is ready */
	char log[108];
};

static inline bool over_sss(void)
{
	return getenv("REGSERVER_EIDS");
}

static inline bool on_redis(void)
{
	return !strncmp(getenv("REGSERVER_STORE"), "redis", 5);
}

/* Until the condition holds, for WAIT at most; tells whether it did */
#define eventually(condition) ({ \
	uint64_t until_ = clock_ms() + WAIT; \
	bool held_; \
	while (!(held_ = (condition)) && clock_ms() < until_) \
		usleep(20000); \
	held_; \
})

/* Client n; over AF_SSS one of the hosts, as far as there are. Number 0 is the server */
static inline struct sss_eid eid_number(unsigned int n)
{
	struct sss_eid eid = { .key = { n, n >> 8, 1 } };
	static char text[16384];
	char *word, *rest = text;

	if (!over_sss())
		return eid;
	snprintf(text, sizeof(text), "%s", getenv("REGSERVER_EIDS"));
	do {
		word = strsep(&rest, " ");
	} while (n-- && word);
	if (word)
		sss_eid_parse(&eid, word);
	return eid;
}

static inline bool world_open(struct world *world)
{
	static int number;

	memset(world, 0, sizeof(*world));
	strcpy(world->dir, "/tmp/regserver-test.XXXXXX");
	if (!mkdtemp(world->dir))
		return false;
	if (on_redis())
		snprintf(world->store, sizeof(world->store), "%s/w%d-%d",
			 getenv("REGSERVER_STORE"), getpid(), number++);
	else
		snprintf(world->store, sizeof(world->store), "sqlite:%s/db", world->dir);
	return true;
}

static inline void world_close(struct world *world)
{
	char command[128];

	sprintf(command, "rm -rf '%s'", world->dir);
	if (system(command))
		perror(command);
}

/* What the server tells its manager next; "" if nothing comes */
static inline const char *told(struct server_process *server)
{
	struct pollfd ready = { .fd = server->notify, .events = POLLIN };
	static char text[256];
	ssize_t n = 0;

	if (poll(&ready, 1, WAIT) > 0)
		n = recv(server->notify, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static inline int notify_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static inline void exec_server(struct world *world, struct server_process *server, va_list ap)
{
	const char *args[ARGS] = {
		over_sss() ? "sss-regserver" : SERVER_UNIX, "--store", world->store,
		"--set", "ttl-min=1",
	};
	int n = 5, fd = open(server->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	char text[SSS_EID_TEXT];
	struct sss_eid self = eid_number(0);

	/* It ends with the test, whatever becomes of that */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, 1);
	dup2(fd, 2);
	if (over_sss()) {
		args[n++] = "--host";
		args[n++] = sss_eid_format(&self, text);
	}
	while (n < ARGS - 1 && (args[n] = va_arg(ap, const char *)))
		n++;
	setenv("REGSERVER_SOCKET", server->socket, 1);
	execvp(args[0], (char **)args);
	perror(args[0]);
	_exit(127);
}

/* Starts a server with these options, up to a NULL, and waits until it is ready */
static inline bool server_start(struct world *world, struct server_process *server, ...)
{
	char path[108];
	va_list ap;

	memset(server, 0, sizeof(*server));
	snprintf(server->socket, sizeof(server->socket), "%.60s/%u", world->dir, ++world->servers);
	snprintf(server->log, sizeof(server->log), "%.60s/log", world->dir);
	snprintf(path, sizeof(path), "%.60s/notify%u", world->dir, world->servers);
	server->notify = notify_socket(path);
	va_start(ap, server);
	server->pid = fork();
	if (!server->pid)
		exec_server(world, server, ap);
	va_end(ap);
	return !strcmp(told(server), "READY=1");
}

/* Ends it by that signal; its exit status, or minus the signal that ended it */
static inline int server_stop(struct server_process *server, int sig)
{
	int status = -1000;

	if (server->pid <= 0)
		return status;
	kill(server->pid, sig);
	waitpid(server->pid, &status, 0);
	close(server->notify);
	server->pid = 0;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void show_log(struct world *world)
{
	char command[160];

	sprintf(command, "sed 's/^/# /' '%s/log' 2>/dev/null", world->dir);
	if (system(command))
		perror(command);
}

/* The end of a test: the clients go, and the server, if one runs, ends as it should */
#define TEAR_DOWN(self) do {							\
	reg_close(&(self)->alice);						\
	reg_close(&(self)->bob);						\
	if ((self)->server.pid)							\
		EXPECT_EQ(0, server_stop(&(self)->server, SIGTERM)) {		\
			show_log(&(self)->world);				\
		}								\
	world_close(&(self)->world);						\
} while (0)

/* A client that comes from an endpoint; NULL: not known */
static inline bool client_from(struct server_process *server, struct reg_client *client,
			       unsigned int n, const char *from)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	static unsigned int unique;
	struct sss_eid eid = eid_number(n), self = eid_number(0);
	char text[SSS_EID_TEXT];
	int fd, len;

	if (over_sss())
		return !reg_connect(client, &eid, &self, WAIT);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	reg_attach(client, fd, WAIT);
	len = sprintf(addr.sun_path + 1, "%s %s %d.%u", sss_eid_format(&eid, text),
		      from ? from : "-", getpid(), unique++);
	if (bind(fd, (struct sockaddr *)&addr, offsetof(struct sockaddr_un, sun_path) + 1 + len))
		return false;
	memset(&addr.sun_path, 0, sizeof(addr.sun_path));
	strcpy(addr.sun_path, server->socket);
	return !connect(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static inline bool client_open(struct server_process *server, struct reg_client *client,
			       unsigned int n)
{
	char from[64];

	snprintf(from, sizeof(from), "192.0.%u.%u:4000", n >> 8, n & 255);
	return client_from(server, client, n, from);
}

/* A profile with this owner and city, public all of it */
static inline struct reg_profile profile_of(const char *owner, const char *city)
{
	struct reg_profile profile = { .public = REG_PUBLIC_ALL };

	strcpy(profile.text[REG_F_OWNER], owner);
	strcpy(profile.text[REG_F_CITY], city);
	return profile;
}

static inline bool same_eid(const struct sss_eid *a, const struct sss_eid *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* The status of an operation, or -1 if there was no answer */
#define status_of(call, answer) ((call) ? -1 : (int)(answer)->status)

static inline int lookup_status(struct reg_client *client, unsigned int n)
{
	static struct reg_answer answer;
	struct sss_eid eid = eid_number(n);

	return status_of(reg_lookup(client, &eid, &answer), &answer);
}

static inline int register_status(struct reg_client *client, const char *owner)
{
	static struct reg_answer answer;
	struct reg_profile profile = profile_of(owner, "Oslo");

	return status_of(reg_register(client, &profile, 600, &answer), &answer);
}

#endif /* SSS_REGSERVER_WORLD_H */
