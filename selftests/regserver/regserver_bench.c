// SPDX-License-Identifier: GPL-2.0
/*
 * A registration server with many entries: how long it takes to start, how much
 * memory it has, how many requests it answers.
 *
 *	stores.sh sqlite|redis regserver_bench [ENTRIES]		100000
 *
 * Prints "name: number" lines. Asked is by streams of records as anybody asks,
 * Unix sockets or, in a guest, AF_SSS (world.h). "-us" is processor time of a
 * request, in the server's process or in Redis; the clients have their own.
 */
#include <netinet/in.h>
#include "world.h"
#include "sss-regserver/store.h"

#define CALLERS		2
#define DEPTH		16	/* requests of one that are not answered yet */
#define ASKED		20000
#define ALONE		500	/* asked one by one, or a fifth of the entries */
#define REGISTERED	500	/* streams that stay */
#define ROUND		1000	/* entries that are committed together */
#define FIRST		1000	/* client that registers */

struct caller {
	struct reg_client client;
	unsigned int open;	/* requests */
};

static struct world world;
static struct server_process server;
static struct store store;
static struct reg_answer answer;
static struct caller callers[REGISTERED];
static unsigned int entries;
static pid_t redis;

static void die(const char *what)
{
	fprintf(stderr, "regserver_bench: %s: %s\n", what, strerror(errno));
	show_log(&world);
	exit(1);
}

static void figure(const char *what, const char *unit, double value)
{
	printf("%s-%s: %.*f\n", what, unit, value < 100 ? 2 : 0, value);
	fflush(stdout);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Processor time of a process, 0: none */
static double busy(pid_t pid)
{
	clockid_t clock;

	return pid && !clock_getcpuclockid(pid, &clock) ? seconds(clock) : 0;
}

/* The number behind a word in a text; 0: it is not there */
static double number_behind(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? strtod(at + strlen(word), NULL) : 0;
}

static double resident(pid_t pid)
{
	char path[64], text[4096] = "";
	int fd;

	sprintf(path, "/proc/%d/status", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die(path);
	close(fd);
	return number_behind(text, "VmRSS:") * 1024;
}

/* What Redis says of itself; empty if it is not the store */
static const char *redis_info(void)
{
	static char text[16384];
	char command[512], host[128] = "", port[16] = "";
	FILE *out;
	size_t n;

	if (sscanf(getenv("REGSERVER_STORE"), "redis://%127[^:]:%15[0-9]", host, port) != 2)
		return "";
	snprintf(command, sizeof(command), "redis-cli -h %s -p %s info", host, port);
	out = popen(command, "r");
	n = out ? fread(text, 1, sizeof(text) - 1, out) : 0;
	text[n] = '\0';
	if (!out || pclose(out))
		die(command);
	return text;
}

/* Spread over all keys, as EIDs are */
static struct sss_eid entry_eid(unsigned int n)
{
	uint64_t x = (n + 1) * 0x9e3779b97f4a7c15ull;
	struct sss_eid eid = { { 0 } };

	memcpy(eid.key, &x, sizeof(x));
	eid.key[30] = 1;
	return eid;
}

static void make_entry(struct entry *entry, unsigned int n)
{
	char host[32], owner[32];

	memset(entry, 0, sizeof(*entry));
	sprintf(host, "host%u", n);
	sprintf(owner, "Owner %u", n % 5000);
	entry->profile = profile_of(owner, "Oslo");
	strcpy(entry->profile.text[REG_F_HOST], host);
	strcpy(entry->profile.text[REG_F_COUNTRY], "Norway");
	entry->profile.n_endpoints = 1;
	entry->profile.endpoints[0] = (struct reg_endpoint){ .family = 4, .port = 9660 };
	entry->eid = entry_eid(n);
	entry->expires = store_now() + 7200000 + n;
	entry->observed = (struct reg_endpoint){ .family = 4, .port = 9660 };
	memcpy(entry->observed.addr, &n, 4);
	entry->prefix_len = store_prefix(&entry->observed, entry->prefix);
	strcpy(entry->node, "0123456789abcdef");
}

/* By the store's own code, in large rounds: registering them would take long */
static void fill(void)
{
	double before = number_behind(redis_info(), "used_memory:");
	static struct entry entry;
	char path[128];
	struct stat st;
	unsigned int i;

	if (store_open(&store, world.store))
		die(store.error);
	for (i = 0; i < entries; i++) {
		make_entry(&entry, i);
		if (store_put(&store, &entry, 0, store_now()) != STORE_OK ||
		    ((i % ROUND == ROUND - 1 || i == entries - 1) &&
		     store_commit(&store) != STORE_OK))
			die(store.error);
	}
	store_close(&store);
	printf("entries: %u\n", entries);
	snprintf(path, sizeof(path), "%s/db", world.dir);
	if (on_redis())
		figure("entry", "bytes", (number_behind(redis_info(), "used_memory:") - before) /
		       entries);
	else if (!stat(path, &st))
		figure("entry", "bytes", (double)st.st_size / entries);
}

static void start(void)
{
	double since = seconds(CLOCK_MONOTONIC);

	if (!server_start(&world, &server, "--set", "rate-per-eid=100000",
			  "--set", "burst-per-eid=1000000", "--set", "rate-per-prefix=1000000",
			  "--set", "burst-per-prefix=10000000", NULL))
		die("sss-regserver");
	figure("start", "ms", (seconds(CLOCK_MONOTONIC) - since) * 1000);
	figure("server-at-start", "bytes", resident(server.pid));
}

static void call(unsigned int n, unsigned int first)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		callers[i].open = 0;
		if (!client_open(&server, &callers[i].client, first + i))
			die("connect");
	}
}

static void hang_up(unsigned int n)
{
	while (n--)
		reg_close(&callers[n].client);
}

static void take(struct caller *caller, unsigned int *answered)
{
	while (!reg_take(&caller->client, &answer)) {
		if (answer.status != REG_OK) {
			errno = EPROTO;
			die(answer.text);
		}
		caller->open--;
		++*answered;
	}
	if (errno != EAGAIN)
		die("answer");
}

/* At an entry, or at those of one owner */
static void aim(struct reg_request *req, unsigned int n)
{
	req->eid = entry_eid(n);
	if (req->op == REG_SEARCH)
		snprintf(req->query, sizeof(req->query), "norway owner %u", n % 5000);
}

/* The request, @times, by @n callers */
static void ask_all(struct reg_request *req, unsigned int n, unsigned int depth,
		    unsigned int times)
{
	static struct pollfd polled[REGISTERED];
	unsigned int asked = 0, answered = 0, i;

	while (answered < times) {
		for (i = 0; i < n; i++) {
			for (; callers[i].open < depth && asked < times; callers[i].open++) {
				aim(req, asked++ * 7919u % entries);
				if (reg_ask(&callers[i].client, req))
					die("ask");
			}
			polled[i] = (struct pollfd){
				.fd = callers[i].client.fd, .events = POLLIN,
			};
		}
		if (poll(polled, n, WAIT) <= 0)
			die("no answer");
		for (i = 0; i < n; i++)
			if (polled[i].revents)
				take(&callers[i], &answered);
	}
}

/* @what: of several callers, each with many requests at once */
static void measure(const char *what, struct reg_request *req, unsigned int n,
		    unsigned int depth, unsigned int times)
{
	double since = seconds(CLOCK_MONOTONIC), server_us = busy(server.pid);
	double redis_us = busy(redis);
	char name[64];

	ask_all(req, n, depth, times);
	sprintf(name, "%s-server", what);
	figure(what, "per-second", times / (seconds(CLOCK_MONOTONIC) - since));
	figure(name, "us", (busy(server.pid) - server_us) * 1e6 / times);
	sprintf(name, "%s-redis", what);
	if (redis)
		figure(name, "us", (busy(redis) - redis_us) * 1e6 / times);
}

/* Bytes of IP packets so far, where all of them go through the loopback device */
static double on_wire(void)
{
	double bytes = 0, packets = 0;
	FILE *f = fopen("/sys/class/net/lo/statistics/tx_bytes", "r");

	if (!f || fscanf(f, "%lf", &bytes) != 1)
		die("lo");
	fclose(f);
	f = fopen("/sys/class/net/lo/statistics/tx_packets", "r");
	if (!f || fscanf(f, "%lf", &packets) != 1)
		die("lo");
	fclose(f);
	return bytes - 14 * packets;
}

/* One by one, as a host does that has one thing to ask */
static void weigh(const char *what, struct reg_request *req)
{
	unsigned int times = entries < 5 * ALONE ? entries / 5 : ALONE;
	double before;

	if (!over_sss())
		return;
	before = on_wire();
	ask_all(req, 1, 1, times);
	figure(what, "wire-bytes", (on_wire() - before) / times);
}

static struct reg_request request(enum reg_op op)
{
	struct reg_request req = { .op = op, .has = 1U << REG_K_OP | 1U << REG_K_ID };

	if (op == REG_LOOKUP)
		req.has |= 1U << REG_K_EID;
	if (op == REG_SEARCH)
		req.has |= 1U << REG_K_QUERY;
	if (op == REG_REGISTER) {
		req.has |= 1U << REG_K_PROFILE;
		req.profile = profile_of("Owner", "Oslo");
	}
	return req;
}

/* What the kernel has allocated for itself */
static double kernel_memory(void)
{
	char text[8192] = "";
	int fd = open("/proc/meminfo", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die("/proc/meminfo");
	close(fd);
	return number_behind(text, "\nSlab:") * 1024;
}

/* Clients over AF_SSS: the hosts there are, beside the server's */
static unsigned int hosts(void)
{
	const char *eids = getenv("REGSERVER_EIDS");
	unsigned int n = 0;

	while ((eids = strchr(eids, ' '))) {
		eids++;
		n++;
	}
	return n < REGISTERED ? n : REGISTERED;
}

/* Many who are there to stay, each with its stream; over AF_SSS, its channel as well */
static void registered(void)
{
	struct reg_request req = request(REG_REGISTER), refresh = request(REG_REFRESH);
	double before = resident(server.pid), kernel = kernel_memory();
	unsigned int n = over_sss() ? hosts() : REGISTERED;

	call(n, over_sss() ? 1 : FIRST);
	measure("register", &req, n, 1, n);
	figure("server-stream", "bytes", (resident(server.pid) - before) / n);
	/* both ends are here */
	if (over_sss())
		figure("kernel-stream", "bytes", (kernel_memory() - kernel) / n / 2);
	measure("refresh", &refresh, n, 1, n * 4);
	weigh("refresh", &refresh);
	hang_up(n);
}

int main(int argc, char **argv)
{
	struct reg_request lookup = request(REG_LOOKUP), search = request(REG_SEARCH);
	unsigned int asked;

	entries = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	asked = entries < ASKED ? entries : ASKED;
	if (entries < 20 || !getenv("REGSERVER_STORE") || !world_open(&world))
		die("usage: stores.sh sqlite|redis regserver_bench [ENTRIES]");
	redis = number_behind(redis_info(), "process_id:");
	fill();
	start();
	call(CALLERS, 1);
	measure("lookup", &lookup, CALLERS, DEPTH, asked);
	figure("server-after-lookups", "bytes", resident(server.pid));
	weigh("lookup", &lookup);
	measure("search", &search, CALLERS, DEPTH, asked / 20);
	hang_up(CALLERS);
	registered();
	if (redis)
		figure("resident", "bytes", resident(redis));
	if (server_stop(&server, SIGTERM))
		die("it did not end as it should");
	world_close(&world);
	return 0;
}
