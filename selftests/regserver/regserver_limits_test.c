// SPDX-License-Identifier: GPL-2.0
/* What a registration server bears, and how it starts, stops and tells. */
#include <arpa/inet.h>
#include "world.h"

static struct reg_answer answer;

FIXTURE(limits) {
	struct world world;
	struct server_process server;
	struct reg_client alice, bob;
};

FIXTURE_SETUP(limits)
{
	self->alice.fd = self->bob.fd = -1;
	ASSERT_TRUE(world_open(&self->world));
}

FIXTURE_TEARDOWN(limits)
{
	TEAR_DOWN(self);
}

#define start(...) ASSERT_TRUE(server_start(&self->world, &self->server, ##__VA_ARGS__, NULL)) { \
		show_log(&self->world); \
	}

/* The stream is over: nothing comes any more but its end */
static bool ended(struct reg_client *client)
{
	struct pollfd ready = { .fd = client->fd, .events = POLLIN };
	uint8_t data[REG_RECORD_MAX];
	ssize_t n;

	do {
		if (poll(&ready, 1, WAIT) <= 0)
			return false;
		n = recv(client->fd, data, sizeof(data), MSG_DONTWAIT);
	} while (n > 0);
	return !n || errno == ECONNRESET;
}

/* Registers one who comes from there, by a stream of its own */
static int register_from(struct server_process *server, unsigned int n, const char *from)
{
	struct reg_client client;
	int status = -1;

	if (client_from(server, &client, n, from))
		status = register_status(&client, "Owner");
	reg_close(&client);
	return status;
}

TEST_F(limits, entries_of_a_prefix)
{
	start("--set", "max-entries-per-prefix=2");
	EXPECT_EQ(REG_OK, register_from(&self->server, 1, "192.0.2.1:1"));
	EXPECT_EQ(REG_OK, register_from(&self->server, 2, "192.0.2.2:1"));
	EXPECT_EQ(REG_QUOTA, register_from(&self->server, 3, "192.0.2.255:1"));
	EXPECT_EQ(REG_OK, register_from(&self->server, 2, "192.0.2.2:1"));
	EXPECT_EQ(REG_OK, register_from(&self->server, 3, "192.0.3.1:1"));
	EXPECT_EQ(REG_OK, register_from(&self->server, 4, "[2001:db8::1]:1"));
	EXPECT_EQ(REG_OK, register_from(&self->server, 5, "[2001:db8::2]:1"));
	EXPECT_EQ(REG_QUOTA, register_from(&self->server, 6, "[2001:db8::ffff:0:0:1]:1"));
	EXPECT_EQ(REG_OK, register_from(&self->server, 6, "[2001:db8:0:1::1]:1"));
}

/* Lookups until one is refused for being too many */
static int lookups(struct reg_client *client, unsigned int most)
{
	struct sss_eid nobody = eid_number(99);
	unsigned int n = 0;

	while (n < most && !reg_lookup(client, &nobody, &answer) && answer.status != REG_RATE)
		n++;
	return n;
}

TEST_F(limits, rate_of_an_eid)
{
	int n;

	start("--set", "rate-per-eid=1", "--set", "burst-per-eid=10");
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_TRUE(client_open(&self->server, &self->bob, 2));
	n = lookups(&self->alice, 1000);
	EXPECT_GE(n, 10);
	EXPECT_LT(n, 100);
	EXPECT_TRUE(answer.has & 1U << REG_K_WAIT);
	EXPECT_GT(answer.wait, 0);
	EXPECT_LE(answer.wait, 1000);
	EXPECT_STREQ("too many requests", answer.text);
	/* Another stream does not help, and others do not suffer */
	reg_close(&self->alice);
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->bob, 99));
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	EXPECT_LT(lookups(&self->alice, 1000), 10);
	EXPECT_TRUE(eventually(lookup_status(&self->alice, 99) == REG_NOT_FOUND));
}

TEST_F(limits, rate_of_a_prefix)
{
	unsigned int i, sum = 0;

	start("--set", "rate-per-prefix=1", "--set", "burst-per-prefix=20", "--set",
	      "rate-per-eid=1", "--set", "burst-per-eid=10");
	for (i = 1; i <= 10; i++) {
		ASSERT_TRUE(client_open(&self->server, &self->alice, i));
		sum += lookups(&self->alice, 10);
		reg_close(&self->alice);
	}
	EXPECT_GE(sum, 20);
	EXPECT_LT(sum, 80);
	ASSERT_TRUE(client_from(&self->server, &self->bob, 11, "192.0.3.1:1"));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->bob, 99));
}

/* One EID cannot be flooded with introductions by many */
TEST_F(limits, rate_of_notices)
{
	struct sss_eid alice = eid_number(1);
	unsigned int i, told_n = 0;

	start("--set", "rate-notices=1", "--set", "burst-notices=3");
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	for (i = 2; i < 22; i++) {
		ASSERT_TRUE(client_open(&self->server, &self->bob, i));
		ASSERT_EQ(0, reg_introduce(&self->bob, &alice, NULL, 0, &answer));
		EXPECT_EQ(REG_OK, answer.status);
		told_n += answer.told;
		reg_close(&self->bob);
	}
	EXPECT_GE(told_n, 3);
	EXPECT_LT(told_n, 15);
}

/* A peer that calls again and again loses its oldest stream */
TEST_F(limits, streams_of_an_eid)
{
	struct reg_client clients[3];
	unsigned int i;

	start("--set", "max-streams-per-eid=2");
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(client_open(&self->server, &clients[i], 1));
		EXPECT_EQ(REG_NOT_FOUND, lookup_status(&clients[i], 99));
	}
	EXPECT_TRUE(ended(&clients[0]));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&clients[1], 99));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&clients[2], 99));
	for (i = 0; i < 3; i++)
		reg_close(&clients[i]);
}

TEST_F(limits, streams_of_a_prefix_and_of_all)
{
	struct reg_client clients[4];

	start("--set", "max-streams-per-prefix=2", "--set", "max-streams=3");
	ASSERT_TRUE(client_from(&self->server, &clients[0], 1, "192.0.2.1:1"));
	ASSERT_TRUE(client_from(&self->server, &clients[1], 2, "192.0.2.2:1"));
	ASSERT_TRUE(client_from(&self->server, &clients[2], 3, "192.0.2.3:1"));
	EXPECT_TRUE(ended(&clients[2]));
	reg_close(&clients[2]);
	ASSERT_TRUE(client_from(&self->server, &clients[2], 3, "192.0.3.3:1"));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&clients[2], 99));
	/* The fourth waits in the backlog until one goes */
	ASSERT_TRUE(client_from(&self->server, &clients[3], 4, "192.0.4.3:1"));
	clients[3].timeout = 200;
	EXPECT_EQ(-1, lookup_status(&clients[3], 99));
	reg_close(&clients[0]);
	clients[3].timeout = WAIT;
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&clients[3], 99));
	reg_close(&clients[1]);
	reg_close(&clients[2]);
	reg_close(&clients[3]);
}

TEST_F(limits, idle_streams)
{
	start("--set", "idle-timeout=1");
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_TRUE(client_open(&self->server, &self->bob, 2));
	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	EXPECT_EQ(REG_OK, lookup_status(&self->bob, 1));
	EXPECT_TRUE(ended(&self->bob));
	/* Who is registered stays, for the introductions to come */
	EXPECT_EQ(REG_OK, lookup_status(&self->alice, 1));
}

static const char *const garbage[] = {
	"", "\xff", "\xa0", "hello", "\xa2\x00\x04\x01", "\xbf\x00\x04\xff",
	"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
};

/* The answer to bytes that were sent; false: none */
static bool answer_to(struct reg_client *client, const void *data, size_t len)
{
	uint8_t reply[REG_RECORD_MAX];
	struct pollfd ready = { .fd = client->fd, .events = POLLIN };
	ssize_t n;

	if (send(client->fd, data, len, MSG_NOSIGNAL) != (ssize_t)len ||
	    poll(&ready, 1, WAIT) <= 0)
		return false;
	n = recv(client->fd, reply, sizeof(reply), MSG_DONTWAIT);
	return n > 0 && reg_answer_decode(&answer, reply, n) == REG_OK;
}

/* An error is the answer; the stream goes on for a while; the server always */
TEST_F(limits, malformed_records)
{
	static uint8_t large[REG_RECORD_MAX + 1];
	unsigned int i;

	start();
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_TRUE(client_open(&self->server, &self->bob, 2));
	for (i = 1; i < ARRAY_SIZE(garbage); i++) {
		ASSERT_TRUE(answer_to(&self->alice, garbage[i], strlen(garbage[i])));
		EXPECT_EQ(REG_MALFORMED, answer.status);
	}
	ASSERT_TRUE(answer_to(&self->alice, large, sizeof(large)));
	EXPECT_EQ(REG_MALFORMED, answer.status);
	/* The number of the request comes back if it could be read */
	ASSERT_TRUE(answer_to(&self->alice, "\xa3\x00\x04\x01\x18\x4d\x04\x61\x61", 9));
	EXPECT_EQ(77, answer.id);
	EXPECT_EQ(REG_LOOKUP, answer.op);
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->alice, 99));
	for (i = 0; i < 20; i++)
		send(self->alice.fd, "\xff", 1, MSG_NOSIGNAL);
	EXPECT_TRUE(ended(&self->alice));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->bob, 99));
}

/* Who does not read is not read from, and takes no memory */
TEST_F(limits, does_not_read)
{
	struct reg_profile profile = { .public = REG_PUBLIC_ALL };
	struct reg_request req = { .op = REG_LOOKUP, .id = 1, .eid = eid_number(1),
		.has = 1U << REG_K_OP | 1U << REG_K_ID | 1U << REG_K_EID };
	uint8_t data[REG_RECORD_MAX];
	unsigned int sent = 0;
	struct pollfd ready;
	size_t len;

	start("--set", "burst-per-eid=1000000");
	memset(profile.text[REG_F_CITY], 'c', REG_TEXT_MAX);
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_TRUE(client_open(&self->server, &self->bob, 2));
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 600, &answer));
	len = reg_request_encode(&req, data, sizeof(data));
	ready = (struct pollfd){ .fd = self->bob.fd, .events = POLLOUT };
	while (sent < 100000 && poll(&ready, 1, 300) > 0 &&
	       send(self->bob.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		sent++;
	EXPECT_LT(sent, 20000);
	EXPECT_EQ(REG_OK, lookup_status(&self->alice, 1));
}

/* A GET, and what it gave */
static const char *scrape(const char *path, const char *request)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	static char page[32768];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	ssize_t n;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return "";
	while ((n = recv(fd, page + len, sizeof(page) - 1 - len, 0)) > 0)
		len += n;
	close(fd);
	page[len] = '\0';
	return page;
}

#define GET "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"

TEST_F(limits, metrics)
{
	char path[80], where[100];
	const char *page;

	sprintf(path, "%s/metrics", self->world.dir);
	sprintf(where, "unix:%s", path);
	start("--metrics", where);
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->alice, 99));
	page = scrape(path, GET);
	EXPECT_EQ(0, strncmp(page, "HTTP/1.0 200 OK\r\n", 17));
	EXPECT_NE(NULL, strstr(page, "\nsss_regserver_requests_total{op=\"register\",status=\"ok\"} 1\n"));
	EXPECT_NE(NULL, strstr(page, "{op=\"lookup\",status=\"not_found\"} 1\n"));
	EXPECT_NE(NULL, strstr(page, "\nsss_regserver_entries 1\n"));
	EXPECT_NE(NULL, strstr(page, "\nsss_regserver_streams 1\n"));
	EXPECT_NE(NULL, strstr(page, "\nsss_regserver_request_seconds_count 2\n"));
	EXPECT_NE(NULL, strstr(page, "# TYPE sss_regserver_request_seconds histogram\n"));
	EXPECT_EQ(0, strncmp(scrape(path, "GET / HTTP/1.0\r\n\r\n"), "HTTP/1.0 404", 12));
	EXPECT_EQ(0, strncmp(scrape(path, "nonsense\r\n\r\n"), "HTTP/1.0 400", 12));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->alice, 99));
}

static void write_config(struct world *world, const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

/* A new file counts from SIGHUP on, a wrong one does not */
TEST_F(limits, reload)
{
	char path[80];

	sprintf(path, "%s/conf", self->world.dir);
	write_config(&self->world, path, "max-streams-per-eid = 4\n");
	start("--config", path);
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->alice, 99));
	write_config(&self->world, path, "ttl-max = wrong\n");
	kill(self->server.pid, SIGHUP);
	EXPECT_EQ(0, strncmp(told(&self->server), "RELOADING=1\nMONOTONIC_USEC=", 27));
	EXPECT_STREQ("READY=1", told(&self->server));
	ASSERT_TRUE(client_open(&self->server, &self->bob, 1));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->bob, 99));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->alice, 99));
	reg_close(&self->bob);
	write_config(&self->world, path, "max-streams-per-eid = 1\n");
	kill(self->server.pid, SIGHUP);
	EXPECT_EQ(0, strncmp(told(&self->server), "RELOADING=1", 11));
	EXPECT_STREQ("READY=1", told(&self->server));
	ASSERT_TRUE(client_open(&self->server, &self->bob, 1));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->bob, 99));
	EXPECT_TRUE(ended(&self->alice));
}

/* What was acknowledged before SIGTERM is kept, and it says that it stops */
TEST_F(limits, stops_in_order)
{
	start();
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	kill(self->server.pid, SIGTERM);
	EXPECT_STREQ("STOPPING=1", told(&self->server));
	EXPECT_EQ(0, server_stop(&self->server, 0));
	EXPECT_TRUE(ended(&self->alice));
	reg_close(&self->alice);
	start();
	ASSERT_TRUE(client_open(&self->server, &self->alice, 2));
	EXPECT_EQ(REG_OK, lookup_status(&self->alice, 1));
}

/* Killed in the middle of registrations: each that was acknowledged is there */
TEST_F(limits, killed)
{
	struct reg_client client;
	unsigned int n, acknowledged = 0;
	pid_t killer;

	start("--set", "burst-per-prefix=1000000", "--set", "max-entries-per-prefix=100000");
	killer = fork();
	if (!killer) {
		usleep(400000);
		kill(self->server.pid, SIGKILL);
		_exit(0);
	}
	for (n = 1; n < 60000; n++) {
		if (!client_open(&self->server, &client, n))
			break;
		if (register_status(&client, "Owner") != REG_OK)
			break;
		acknowledged = n;
		reg_close(&client);
	}
	waitpid(killer, NULL, 0);
	reg_close(&client);
	ASSERT_EQ(-SIGKILL, server_stop(&self->server, 0));
	EXPECT_GT(acknowledged, 0);
	start("--set", "burst-per-eid=1000000", "--set", "burst-per-prefix=1000000");
	ASSERT_TRUE(client_open(&self->server, &self->bob, 60001));
	for (n = 1; n <= acknowledged; n++)
		ASSERT_EQ(REG_OK, lookup_status(&self->bob, n));
	TH_LOG("%u registrations outlived it", acknowledged);
}

/* Two servers on one Redis are one directory, and introduce across */
TEST_F(limits, two_servers)
{
	struct sss_eid alice = eid_number(1), bob = eid_number(2);
	struct server_process second;
	struct reg_notice notice;

	if (!on_redis())
		SKIP(return, "SQLite is one server's");
	start();
	ASSERT_TRUE(server_start(&self->world, &second, NULL));
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_TRUE(client_open(&second, &self->bob, 2));
	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	EXPECT_EQ(REG_OK, lookup_status(&self->bob, 1));
	ASSERT_EQ(0, reg_search(&self->bob, "alice", 0, NULL, &answer));
	EXPECT_EQ(1, answer.n_hits);
	ASSERT_EQ(0, reg_introduce(&self->bob, &alice, NULL, 0, &answer));
	EXPECT_TRUE(answer.told);
	ASSERT_EQ(0, reg_notice(&self->alice, &notice, WAIT));
	EXPECT_TRUE(same_eid(&bob, &notice.eid));
	ASSERT_EQ(0, reg_remove(&self->alice, &answer));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->bob, 1));
	EXPECT_EQ(0, server_stop(&second, SIGTERM));
}

/* While Redis is away requests fail, streams and server do not */
TEST_F(limits, redis_away)
{
	struct sss_eid alice = eid_number(1);
	struct server_process second;
	struct reg_notice notice;
	char command[1024];

	if (!on_redis() || getenv("REGSERVER_CLUSTER"))
		SKIP(return, "is about one Redis server; a cluster takes long to come back");
	start("--set", "burst-per-eid=100000");
	ASSERT_TRUE(server_start(&self->world, &second, NULL));
	ASSERT_TRUE(client_open(&self->server, &self->alice, 1));
	ASSERT_TRUE(client_open(&second, &self->bob, 2));
	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	sprintf(command, "%s stop", getenv("REGSERVER_CONTROL"));
	ASSERT_EQ(0, system(command));
	EXPECT_EQ(REG_UNAVAILABLE, lookup_status(&self->alice, 1));
	EXPECT_EQ(REG_UNAVAILABLE, register_status(&self->alice, "Alice"));
	sprintf(command, "%s start", getenv("REGSERVER_CONTROL"));
	ASSERT_EQ(0, system(command));
	EXPECT_TRUE(eventually(lookup_status(&self->alice, 1) == REG_OK));
	/* Messages between servers come again, too */
	EXPECT_TRUE(eventually(!reg_introduce(&self->bob, &alice, NULL, 0, &answer) &&
			       answer.status == REG_OK && answer.told &&
			       !reg_notice(&self->alice, &notice, 500)));
	EXPECT_EQ(0, server_stop(&second, SIGTERM));
}

TEST_HARNESS_MAIN
