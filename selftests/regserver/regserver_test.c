// SPDX-License-Identifier: GPL-2.0
/* What can be asked of a registration server: every operation. */
#include "world.h"

static struct reg_answer answer;

#define ALICE	1
#define BOB	2
#define CAROL	3

FIXTURE(regserver) {
	struct world world;
	struct server_process server;
	struct reg_client alice, bob;
};

FIXTURE_SETUP(regserver)
{
	ASSERT_TRUE(world_open(&self->world));
	ASSERT_TRUE(server_start(&self->world, &self->server, "--set",
				 "server=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva "
				 "192.0.2.9:9660 [2001:db8::9]:9661", "--set",
				 "burst-per-eid=100000", "--set", "burst-per-prefix=100000",
				 "--set", "max-entries-per-prefix=1000", NULL)) {
		show_log(&self->world);
	}
	ASSERT_TRUE(client_open(&self->server, &self->alice, ALICE));
	ASSERT_TRUE(client_open(&self->server, &self->bob, BOB));
}

FIXTURE_TEARDOWN(regserver)
{
	reg_close(&self->alice);
	reg_close(&self->bob);
	EXPECT_EQ(0, server_stop(&self->server, SIGTERM)) {
		show_log(&self->world);
	}
	world_close(&self->world);
}

/* Where the server saw a client of client_open() come from */
static bool seen_from(const struct reg_endpoint *ep, unsigned int n)
{
	if (over_sss())
		return !ep->family || ep->port;
	return ep->family == 4 && ep->port == 4000 && ep->addr[0] == 192 && ep->addr[3] == n;
}

static struct reg_profile full_profile(void)
{
	struct reg_profile profile = profile_of("Alice Øre", "Oslo");

	strcpy(profile.text[REG_F_HOST], "laptop");
	strcpy(profile.text[REG_F_REGION], "East");
	strcpy(profile.text[REG_F_COUNTRY], "Norway");
	profile.n_keywords = 2;
	strcpy(profile.keywords[0], "chess");
	strcpy(profile.keywords[1], "Sibelius");
	profile.n_endpoints = 1;
	profile.endpoints[0] = (struct reg_endpoint){ 4, 9660, { 10, 0, 0, 1 } };
	profile.public = 1U << REG_F_OWNER | 1U << REG_F_KEYWORDS;
	return profile;
}

/* All of it for the owner, what is public for others */
TEST_F(regserver, register_and_lookup)
{
	struct reg_profile profile = full_profile();
	struct sss_eid alice = eid_number(ALICE);

	ASSERT_EQ(0, reg_register(&self->alice, &profile, 600, &answer));
	ASSERT_EQ(REG_OK, answer.status);
	EXPECT_EQ(600, answer.ttl);
	EXPECT_TRUE(seen_from(&answer.observed, ALICE));

	ASSERT_EQ(0, reg_lookup(&self->alice, &alice, &answer));
	ASSERT_EQ(REG_OK, answer.status);
	EXPECT_EQ(0, memcmp(&profile, &answer.profile, sizeof(profile)));
	EXPECT_TRUE(seen_from(&answer.observed, ALICE));

	ASSERT_EQ(0, reg_lookup(&self->bob, &alice, &answer));
	ASSERT_EQ(REG_OK, answer.status);
	EXPECT_TRUE(same_eid(&alice, &answer.eid));
	EXPECT_STREQ("Alice Øre", answer.profile.text[REG_F_OWNER]);
	EXPECT_STREQ("", answer.profile.text[REG_F_HOST]);
	EXPECT_STREQ("", answer.profile.text[REG_F_CITY]);
	EXPECT_EQ(2, answer.profile.n_keywords);
	EXPECT_EQ(0, answer.profile.n_endpoints);
	EXPECT_EQ(0, answer.observed.family);
	EXPECT_GE(600, answer.ttl);
	EXPECT_LT(500, answer.ttl);

	profile.public = REG_PUBLIC_ALL;
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 600, &answer));
	ASSERT_EQ(0, reg_lookup(&self->bob, &alice, &answer));
	EXPECT_STREQ("laptop", answer.profile.text[REG_F_HOST]);
	EXPECT_EQ(1, answer.profile.n_endpoints);
	EXPECT_TRUE(seen_from(&answer.observed, ALICE));
}

/* Only ever for the EID that the channel proved */
TEST_F(regserver, nobody_registers_for_another)
{
	struct reg_request req = {
		.op = REG_REGISTER, .has = 1U << REG_K_PROFILE | 1U << REG_K_EID,
		.eid = eid_number(BOB), .profile = profile_of("not Bob", "Oslo"),
	};

	ASSERT_EQ(0, reg_call(&self->alice, &req, &answer));
	EXPECT_EQ(REG_OK, answer.status);
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->alice, BOB));
	EXPECT_EQ(REG_OK, lookup_status(&self->bob, ALICE));
	ASSERT_EQ(REG_OK, register_status(&self->bob, "Bob"));
	req = (struct reg_request){ .op = REG_REMOVE, .has = 1U << REG_K_EID,
				    .eid = eid_number(BOB) };
	ASSERT_EQ(0, reg_call(&self->alice, &req, &answer));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->bob, ALICE));
	EXPECT_EQ(REG_OK, lookup_status(&self->alice, BOB));
}

TEST_F(regserver, refresh)
{
	struct sss_eid alice = eid_number(ALICE);

	ASSERT_EQ(0, reg_refresh(&self->alice, 100, &answer));
	EXPECT_EQ(REG_NOT_FOUND, answer.status);
	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	ASSERT_EQ(0, reg_refresh(&self->alice, 7000, &answer));
	EXPECT_EQ(REG_OK, answer.status);
	EXPECT_EQ(7000, answer.ttl);
	EXPECT_TRUE(seen_from(&answer.observed, ALICE));
	ASSERT_EQ(0, reg_lookup(&self->bob, &alice, &answer));
	EXPECT_LT(6000, answer.ttl);
	EXPECT_STREQ("Alice", answer.profile.text[REG_F_OWNER]);
}

TEST_F(regserver, time_to_live)
{
	struct reg_profile profile = profile_of("Alice", "Oslo");

	/* What is asked is brought within the limits; without a wish it is the usual */
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 1000000, &answer));
	EXPECT_EQ(7200, answer.ttl);
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 0, &answer));
	EXPECT_EQ(1800, answer.ttl);
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 1, &answer));
	EXPECT_EQ(1, answer.ttl);
	EXPECT_TRUE(eventually(lookup_status(&self->bob, ALICE) == REG_NOT_FOUND));
	ASSERT_EQ(0, reg_search(&self->bob, "oslo", 0, NULL, &answer));
	EXPECT_EQ(0, answer.n_hits);
	ASSERT_EQ(0, reg_refresh(&self->alice, 0, &answer));
	EXPECT_EQ(REG_NOT_FOUND, answer.status);
}

TEST_F(regserver, remove)
{
	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	EXPECT_EQ(REG_OK, lookup_status(&self->bob, ALICE));
	ASSERT_EQ(0, reg_remove(&self->alice, &answer));
	EXPECT_EQ(REG_OK, answer.status);
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->bob, ALICE));
	ASSERT_EQ(0, reg_remove(&self->alice, &answer));
	EXPECT_EQ(REG_NOT_FOUND, answer.status);
	EXPECT_STREQ("not registered", answer.text);
}

/* Hits of a query, as bob sees them */
static int hits(struct reg_client *client, const char *query)
{
	if (reg_search(client, query, 0, NULL, &answer) || answer.status != REG_OK)
		return -1;
	return answer.n_hits;
}

TEST_F(regserver, search)
{
	struct reg_profile profile = full_profile();
	struct sss_eid alice = eid_number(ALICE);

	profile.public |= 1U << REG_F_CITY;
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 600, &answer));
	EXPECT_EQ(1, hits(&self->bob, "ALICE øre"));
	EXPECT_TRUE(same_eid(&alice, &answer.hits[0].eid));
	EXPECT_STREQ("Oslo", answer.hits[0].profile.text[REG_F_CITY]);
	EXPECT_STREQ("", answer.hits[0].profile.text[REG_F_HOST]);
	EXPECT_FALSE(answer.has & 1U << REG_K_CURSOR);
	EXPECT_EQ(1, hits(&self->bob, "ØRE, sibelius"));
	EXPECT_EQ(0, hits(&self->bob, "alice tromsø"));
	/* What is not public does not find anybody, not even oneself */
	EXPECT_EQ(0, hits(&self->bob, "norway"));
	EXPECT_EQ(0, hits(&self->alice, "laptop"));
	/* What was given up is not found */
	profile.n_keywords = 1;
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 600, &answer));
	EXPECT_EQ(0, hits(&self->bob, "sibelius"));
	EXPECT_EQ(1, hits(&self->bob, "chess"));

	ASSERT_EQ(0, reg_search(&self->bob, " -- ", 0, NULL, &answer));
	EXPECT_EQ(REG_INVALID, answer.status);
	ASSERT_EQ(0, reg_search(&self->bob, "a b c d e f g h i", 0, NULL, &answer));
	EXPECT_EQ(REG_INVALID, answer.status);
}

/* Everybody once, in pages of the size asked for */
TEST_F(regserver, search_paged)
{
	bool seen[51] = { false };
	struct reg_client client;
	unsigned int n, i, pages = 0;
	int at;

	if (over_sss())
		SKIP(return, "needs more identities");
	for (n = 1; n <= 50; n++) {
		ASSERT_TRUE(client_open(&self->server, &client, n));
		ASSERT_EQ(REG_OK, register_status(&client, n % 2 ? "Odd" : "Even"));
		reg_close(&client);
	}
	ASSERT_EQ(0, reg_search(&self->bob, "oslo", 7, NULL, &answer));
	for (;; pages++) {
		ASSERT_EQ(REG_OK, answer.status);
		EXPECT_TRUE(answer.n_hits == 7 || !(answer.has & 1U << REG_K_CURSOR));
		for (i = 0; i < answer.n_hits; i++) {
			at = answer.hits[i].eid.key[0];
			ASSERT_LE(at, 50);
			EXPECT_FALSE(seen[at]);
			seen[at] = true;
		}
		if (!(answer.has & 1U << REG_K_CURSOR))
			break;
		ASSERT_EQ(0, reg_search(&self->bob, "oslo", 7, &answer, &answer));
	}
	EXPECT_GE(8, pages);
	for (n = 1; n <= 50; n++)
		EXPECT_TRUE(seen[n]);
	EXPECT_EQ(REG_HITS, hits(&self->bob, "odd"));
	EXPECT_TRUE(answer.has & 1U << REG_K_CURSOR);
}

/* Profiles so large that a page of them does not fit a record: it is shorter */
TEST_F(regserver, search_large_profiles)
{
	struct reg_profile profile = { .public = REG_PUBLIC_ALL };
	struct reg_client client;
	unsigned int n, i, sum = 0;

	if (over_sss())
		SKIP(return, "needs more identities");
	for (i = 0; i < REG_TEXTS; i++)
		memset(profile.text[i], 'a' + i, REG_TEXT_MAX);
	profile.n_keywords = REG_KEYWORDS;
	for (i = 0; i < REG_KEYWORDS; i++)
		memset(profile.keywords[i], 'k', REG_KEYWORD_MAX);
	for (n = 1; n <= 18; n++) {
		ASSERT_TRUE(client_open(&self->server, &client, n));
		ASSERT_EQ(0, reg_register(&client, &profile, 600, &answer));
		ASSERT_EQ(REG_OK, answer.status);
		reg_close(&client);
	}
	ASSERT_EQ(0, reg_search(&self->bob, profile.keywords[0], 0, NULL, &answer));
	EXPECT_LT(answer.n_hits, 18);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(REG_OK, answer.status);
		sum += answer.n_hits;
		if (!(answer.has & 1U << REG_K_CURSOR))
			break;
		ASSERT_EQ(0, reg_search(&self->bob, profile.keywords[0], 0, &answer, &answer));
	}
	EXPECT_EQ(18, sum);
}

/* Both learn of each other: who asked by the answer, the other on its stream */
TEST_F(regserver, introduce)
{
	struct reg_endpoint here = { 4, 1234, { 10, 0, 0, 2 } };
	struct reg_profile profile = full_profile();
	struct sss_eid alice = eid_number(ALICE), bob = eid_number(BOB);
	struct reg_notice notice;

	ASSERT_EQ(0, reg_introduce(&self->bob, &alice, &here, 1, &answer));
	EXPECT_EQ(REG_NOT_FOUND, answer.status);
	profile.public = 0;
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 600, &answer));
	ASSERT_EQ(0, reg_introduce(&self->bob, &alice, &here, 1, &answer));
	ASSERT_EQ(REG_OK, answer.status);
	EXPECT_TRUE(answer.told);
	EXPECT_TRUE(same_eid(&alice, &answer.eid));
	EXPECT_TRUE(seen_from(&answer.observed, ALICE));
	ASSERT_EQ(1, answer.n_endpoints);
	EXPECT_EQ(0, memcmp(&profile.endpoints[0], &answer.endpoints[0], sizeof(here)));

	ASSERT_EQ(0, reg_notice(&self->alice, &notice, WAIT));
	EXPECT_TRUE(same_eid(&bob, &notice.eid));
	EXPECT_TRUE(seen_from(&notice.observed, BOB));
	ASSERT_EQ(1, notice.n_endpoints);
	EXPECT_EQ(0, memcmp(&here, &notice.endpoints[0], sizeof(here)));
	EXPECT_EQ(-1, reg_notice(&self->alice, &notice, 0));
	/* Bob, who asked, is told nothing more */
	EXPECT_EQ(-1, reg_notice(&self->bob, &notice, 0));
}

TEST_F(regserver, introduce_only_whom_it_wants)
{
	struct reg_profile profile = full_profile();
	struct sss_eid alice = eid_number(ALICE);
	struct reg_notice notice;

	profile.restricted = true;
	profile.n_allowed = 1;
	profile.allowed[0] = eid_number(CAROL);
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 600, &answer));
	ASSERT_EQ(0, reg_introduce(&self->bob, &alice, NULL, 0, &answer));
	EXPECT_EQ(REG_DENIED, answer.status);
	EXPECT_EQ(0, answer.n_endpoints + answer.observed.family);
	profile.allowed[0] = eid_number(BOB);
	ASSERT_EQ(0, reg_register(&self->alice, &profile, 600, &answer));
	EXPECT_EQ(-1, reg_notice(&self->alice, &notice, 0));
	ASSERT_EQ(0, reg_introduce(&self->bob, &alice, NULL, 0, &answer));
	EXPECT_EQ(REG_OK, answer.status);
	EXPECT_EQ(0, reg_notice(&self->alice, &notice, WAIT));
}

/* Whose stream is gone cannot be told; its entry remains, and so does the answer */
TEST_F(regserver, introduce_without_a_stream)
{
	struct sss_eid alice = eid_number(ALICE);

	ASSERT_EQ(REG_OK, register_status(&self->alice, "Alice"));
	reg_close(&self->alice);
	EXPECT_TRUE(eventually(!reg_introduce(&self->bob, &alice, NULL, 0, &answer) &&
			       answer.status == REG_OK && !answer.told));
	/* A stream that has not registered does not count */
	ASSERT_TRUE(client_open(&self->server, &self->alice, ALICE));
	EXPECT_EQ(REG_NOT_FOUND, lookup_status(&self->alice, BOB));
	ASSERT_EQ(0, reg_introduce(&self->bob, &alice, NULL, 0, &answer));
	EXPECT_FALSE(answer.told);
	ASSERT_EQ(0, reg_refresh(&self->alice, 0, &answer));
	ASSERT_EQ(REG_OK, answer.status);
	ASSERT_EQ(0, reg_introduce(&self->bob, &alice, NULL, 0, &answer));
	EXPECT_TRUE(answer.told);
}

TEST_F(regserver, servers)
{
	char text[SSS_EID_TEXT];

	ASSERT_EQ(0, reg_servers(&self->alice, &answer));
	ASSERT_EQ(REG_OK, answer.status);
	ASSERT_EQ(1, answer.n_servers);
	EXPECT_STREQ("quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva",
		     sss_eid_format(&answer.servers[0].eid, text));
	ASSERT_EQ(2, answer.servers[0].n_endpoints);
	EXPECT_EQ(4, answer.servers[0].endpoints[0].family);
	EXPECT_EQ(9661, answer.servers[0].endpoints[1].port);
}

/* Endpoints that are not known leave no trace */
TEST_F(regserver, unknown_endpoint)
{
	struct reg_profile profile = profile_of("Carol", "Oslo");
	struct sss_eid carol = eid_number(CAROL);
	struct reg_client client;

	if (over_sss())
		SKIP(return, "here they are known, or never");
	ASSERT_TRUE(client_from(&self->server, &client, CAROL, NULL));
	ASSERT_EQ(0, reg_register(&client, &profile, 600, &answer));
	ASSERT_EQ(REG_OK, answer.status);
	EXPECT_FALSE(answer.has & 1U << REG_K_OBSERVED);
	ASSERT_EQ(0, reg_introduce(&self->bob, &carol, NULL, 0, &answer));
	EXPECT_EQ(REG_OK, answer.status);
	EXPECT_FALSE(answer.has & 1U << REG_K_OBSERVED);
	reg_close(&client);
}

/* Many requests at once are answered in their order */
TEST_F(regserver, pipelined)
{
	struct reg_request req = { .op = REG_LOOKUP, .eid = eid_number(BOB),
		.has = 1U << REG_K_OP | 1U << REG_K_ID | 1U << REG_K_EID };
	uint8_t data[REG_RECORD_MAX];
	unsigned int i;
	ssize_t n;

	for (i = 1; i <= 100; i++) {
		req.id = i;
		n = reg_request_encode(&req, data, sizeof(data));
		ASSERT_EQ(n, send(self->alice.fd, data, n, 0));
	}
	for (i = 1; i <= 100; i++) {
		n = recv(self->alice.fd, data, sizeof(data), 0);
		ASSERT_EQ(REG_OK, reg_answer_decode(&answer, data, n));
		EXPECT_EQ(i, answer.id);
		EXPECT_EQ(REG_NOT_FOUND, answer.status);
	}
}

TEST_HARNESS_MAIN
