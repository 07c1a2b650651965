// SPDX-License-Identifier: GPL-2.0
/* Parts of the registration server by themselves: records, words, accounts, settings, stores */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <libsss/sss.h>
#include "regclient/cbor.h"
#include "sss-regserver/config.h"
#include "sss-regserver/ledger.h"
#include "sss-regserver/redis_link.h"
#include "sss-regserver/store.h"
#include "sss-regserver/words.h"
#include "kselftest_harness.h"

/* Records: the examples of the document are what the code says */

static size_t from_hex(const char *text, uint8_t *bytes, size_t max)
{
	unsigned int byte;
	size_t n = 0;

	for (; *text && n < max; text++) {
		if (*text == ' ' || *text == '\n')
			continue;
		if (sscanf(text, "%2x", &byte) != 1)
			break;
		bytes[n++] = byte;
		text++;
	}
	return n;
}

static enum reg_status decode(const char *hex)
{
	uint8_t bytes[512];
	size_t len = from_hex(hex, bytes, sizeof(bytes));
	struct reg_request req;

	return reg_request_decode(&req, bytes, len);
}

#define ZERO_31 "00000000000000000000000000000000000000000000000000000000000000"
#define NINE "09" ZERO_31
#define ZERO "00" ZERO_31

static const struct {
	const char *hex;
	enum reg_status status;
} requests[] = {
	{ "a2 00 07 01 01", REG_OK },			/* servers */
	{ "a3 00 07 01 01 1818 80", REG_OK },		/* a key that nobody knows */
	{ "a3 00 07 01 01 1818 c1 8201 a1 6161 f6", REG_OK }, /* with any value */
	{ "", REG_MALFORMED },
	{ "07", REG_MALFORMED },			/* no map */
	{ "a0", REG_MALFORMED },			/* no operation */
	{ "a1 00 07", REG_MALFORMED },			/* no id */
	{ "a2 00 07", REG_MALFORMED },			/* cut off */
	{ "a2 00 07 01", REG_MALFORMED },
	{ "a2 00 07 01 01 00", REG_MALFORMED },		/* more behind it */
	{ "a2 01 01 00 07", REG_MALFORMED },		/* keys do not ascend */
	{ "a3 00 07 01 01 01 01", REG_MALFORMED },	/* twice */
	{ "a2 00 07 01 20", REG_MALFORMED },		/* negative */
	{ "a2 00 07 20 01", REG_MALFORMED },		/* negative key */
	{ "a2 00 07 6131 01", REG_MALFORMED },		/* text for a key */
	{ "bf 00 07 01 01 ff", REG_MALFORMED },		/* indefinite length */
	{ "a3 00 05 01 01 08 7f 6161 ff", REG_MALFORMED },
	{ "bb ffffffffffffffff 00 07", REG_MALFORMED },	/* more pairs than can be */
	{ "a3 00 05 01 01 08 7b ffffffffffffffff 61", REG_MALFORMED },
	{ "a3 00 05 01 01 08 7b 7fffffffffffffff 61", REG_MALFORMED },
	{ "a3 00 07 01 01 1818 9b ffffffffffffffff", REG_MALFORMED },
	{ "a3 00 07 01 01 1818 8181818181818181818180", REG_MALFORMED }, /* too deep */
	{ "a2 00 07 01 fb 3ff0000000000000", REG_MALFORMED },
	{ "a2 00 07 01 1b 0000000100000000", REG_INVALID }, /* id over 32 bits */
	{ "a2 00 00 01 01", REG_INVALID },		/* no such operation */
	{ "a2 00 08 01 01", REG_INVALID },
	{ "a2 00 04 01 01", REG_INVALID },		/* lookup of whom? */
	{ "a3 00 05 01 01 08 62 c328", REG_INVALID },	/* not UTF-8 */
	{ "a3 00 05 01 01 08 62 610a", REG_INVALID },	/* a control character */
	{ "a3 00 05 01 01 08 62 c285", REG_INVALID },	/* of the upper ones */
	{ "a3 00 05 01 01 08 63 eda080", REG_INVALID },	/* a surrogate */
	{ "a3 00 05 01 01 08 62 c080", REG_INVALID },	/* not the shortest form */
	{ "a3 00 05 01 01 08 64 f4908080", REG_INVALID }, /* beyond Unicode */
	{ "a3 00 05 01 01 08 61 ff", REG_INVALID },
	{ "a3 00 05 01 01 08 61 e2", REG_INVALID },	/* cut off */
	{ "a3 00 04 01 01 04 4109", REG_INVALID },	/* an EID of one byte */
	{ "a4 00 06 01 01 04 5820 " NINE " 0d 81 46 0001 c0000201", REG_OK },
	{ "a4 00 06 01 01 04 5820 " NINE " 0d 81 46 0000 c0000201", REG_INVALID },  /* port 0 */
	{ "a4 00 06 01 01 04 5820 " NINE " 0d 81 45 0001 c00002", REG_INVALID },
	{ "a3 00 04 01 01 04 5820 " ZERO, REG_INVALID },	/* that is nobody */
};

TEST(records__accepted_and_refused)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		EXPECT_EQ(requests[i].status, decode(requests[i].hex)) {
			TH_LOG("record %zu", i);
		}
}

static void full_profile(struct reg_profile *profile)
{
	unsigned int i;

	memset(profile, 0, sizeof(*profile));
	for (i = 0; i < REG_TEXTS; i++)
		memset(profile->text[i], 'a' + i, REG_TEXT_MAX);
	profile->n_keywords = REG_KEYWORDS;
	for (i = 0; i < REG_KEYWORDS; i++)
		memset(profile->keywords[i], 'k', REG_KEYWORD_MAX);
	profile->n_endpoints = REG_ENDPOINTS;
	for (i = 0; i < REG_ENDPOINTS; i++)
		profile->endpoints[i] = (struct reg_endpoint){ i % 2 ? 4 : 6, 1 + i, { 1, i } };
	profile->public = REG_PUBLIC_ALL;
	profile->restricted = true;
	profile->n_allowed = REG_ALLOWED;
	for (i = 0; i < REG_ALLOWED; i++)
		profile->allowed[i].key[0] = 9 + i;
}

/* The largest profile fits a record, and comes back as it was */
TEST(records__largest)
{
	static struct reg_profile profile, back;
	static uint8_t data[REG_RECORD_MAX];
	size_t len;

	full_profile(&profile);
	len = reg_profile_encode(&profile, data, sizeof(data));
	ASSERT_GT(len, 0);
	EXPECT_EQ(REG_OK, reg_profile_decode(&back, data, len));
	EXPECT_EQ(0, memcmp(&profile, &back, sizeof(back)));
	EXPECT_EQ(0, reg_profile_encode(&profile, data, len - 1));
	reg_profile_public(&back);
	EXPECT_EQ(REG_ENDPOINTS, back.n_endpoints);
	EXPECT_FALSE(back.restricted);
	profile.public = 1U << REG_F_CITY;
	reg_profile_public(&profile);
	EXPECT_EQ(0, strlen(profile.text[REG_F_HOST]));
	EXPECT_EQ(REG_TEXT_MAX, strlen(profile.text[REG_F_CITY]));
	EXPECT_EQ(0, profile.n_keywords + profile.n_endpoints);
}

/* One more than there may be of anything */
TEST(records__too_much)
{
	uint8_t data[4096];
	struct reg_out out = { .p = data, .end = data + sizeof(data) };
	uint8_t *map = reg_out_map(&out), *array;
	struct reg_profile profile;
	int i;

	reg_out_key(&out, map, REG_F_KEYWORDS);
	array = reg_out_array(&out);
	for (i = 0; i <= REG_KEYWORDS; i++) {
		reg_out_element(&out, array);
		reg_out_text(&out, "x");
	}
	ASSERT_FALSE(out.full);
	EXPECT_EQ(REG_INVALID, reg_profile_decode(&profile, data, out.p - data));
}

/* A record, request or not, that is written the way it was read */
static bool good_example(const char *hex)
{
	static struct reg_answer answer;
	uint8_t data[2048], again[2048];
	struct reg_request req;
	size_t len = from_hex(hex, data, sizeof(data));

	if (reg_request_decode(&req, data, len) == REG_OK &&
	    reg_request_encode(&req, again, sizeof(again)) == len && !memcmp(data, again, len))
		return true;
	return reg_answer_decode(&answer, data, len) == REG_OK &&
	       reg_answer_encode(&answer, again, sizeof(again)) == len &&
	       !memcmp(data, again, len);
}

/* Records in regserver.rst: from "= " to the end of the indented lines of digits */
TEST(records__documented)
{
	char line[256], hex[4096] = "";
	FILE *doc = fopen(DOC, "r");
	const char *p;
	int n = 0;

	ASSERT_NE(NULL, doc);
	while (fgets(line, sizeof(line), doc)) {
		p = line + strspn(line, " ");
		if (*hex && p > line && strspn(p, "0123456789abcdef\n") == strlen(p)) {
			strcat(hex, p);
			continue;
		}
		if (*hex) {
			EXPECT_TRUE(good_example(hex)) {
				TH_LOG("no such record: %s", hex);
			}
			*hex = '\0';
			n++;
		}
		if (p > line && !strncmp(p, "= ", 2))
			strcpy(hex, p + 2);
	}
	fclose(doc);
	EXPECT_EQ(13, n);
}

/* Words */

static const char *words_in(const char *text)
{
	static char joined[1024];
	struct words words = { 0 };
	unsigned int i;

	*joined = '\0';
	if (words_add(&words, text))
		return "no memory";
	for (i = 0; i < words.n; i++) {
		if (i)
			strcat(joined, "|");
		strcat(joined, words.word[i]);
	}
	return joined;
}

TEST(words__folded_and_split)
{
	EXPECT_STREQ("alice|laptop|example|org", words_in("Alice-Laptop.example.ORG"));
	EXPECT_STREQ("strasse", words_in("Straße STRASSE"));
	EXPECT_STREQ("дом", words_in("ДОМ, дом!"));
	EXPECT_STREQ("caf\u00e9", words_in("CAFE\u0301 caf\u00e9"));
	EXPECT_STREQ("wide", words_in("ＷＩＤＥ"));
	EXPECT_STREQ("σισυφοσ", words_in("ΣΙΣΥΦΟΣ σισυφος"));
	EXPECT_STREQ("東|京", words_in("東京"));
	EXPECT_STREQ("", words_in(" -- !? ()"));
	EXPECT_STREQ("", words_in(""));
	EXPECT_STREQ("a|b", words_in("a b A a"));
}

TEST(words__bounded)
{
	char text[REG_TEXT_MAX * 4 + 1];
	struct words words = { 0 };
	int i;

	for (i = 0; i < 200; i++) {
		sprintf(text, "w%d", i);
		ASSERT_EQ(0, words_add(&words, text));
	}
	EXPECT_EQ(WORDS_MAX, words.n);
	/* Cut between characters: each of these has two bytes, and 'a' makes it odd */
	strcpy(text, "a");
	for (i = 0; i < 60; i++)
		strcat(text, "ж");
	words.n = 0;
	ASSERT_EQ(0, words_add(&words, text));
	EXPECT_EQ(WORD_MAX - 1, strlen(words.word[0]));
	EXPECT_TRUE(reg_text_valid(words.word[0], strlen(words.word[0])));
}

TEST(words__only_public_fields)
{
	struct reg_profile profile = { .public = 1U << REG_F_CITY | 1U << REG_F_KEYWORDS };
	struct words words;

	strcpy(profile.text[REG_F_OWNER], "secret");
	strcpy(profile.text[REG_F_CITY], "Oslo");
	profile.n_keywords = 1;
	strcpy(profile.keywords[0], "Chess club");
	ASSERT_EQ(0, words_of_profile(&words, &profile));
	EXPECT_EQ(3, words.n);
	EXPECT_TRUE(words_have(&words, "oslo"));
	EXPECT_TRUE(words_have(&words, "club"));
	EXPECT_FALSE(words_have(&words, "secret"));
}

/* Accounts */

TEST(ledger__points)
{
	struct account *account;

	ASSERT_EQ(0, ledger_open());
	account = ledger_account(LEDGER_EID, "a", 1);
	EXPECT_EQ(0, ledger_wait(account, 10, 5, 10, 1000));
	ledger_pay(account, 10);
	EXPECT_EQ(200, ledger_wait(account, 1, 5, 10, 1000));
	EXPECT_EQ(1, ledger_wait(account, 1, 5, 10, 1199));
	EXPECT_EQ(0, ledger_wait(account, 1, 5, 10, 1200));
	/* Never more than the burst, and the clock may stand */
	EXPECT_EQ(0, ledger_wait(account, 10, 5, 10, 1000000));
	ledger_pay(account, 10);
	EXPECT_EQ(200, ledger_wait(account, 1, 5, 10, 1000000));
	/* Others have their own, also those of another kind */
	EXPECT_EQ(0, ledger_wait(ledger_account(LEDGER_EID, "b", 1), 1, 5, 10, 1000000));
	EXPECT_EQ(0, ledger_wait(ledger_account(LEDGER_PREFIX, "a", 1), 1, 5, 10, 1000000));
	EXPECT_EQ(account, ledger_account(LEDGER_EID, "a", 1));
	ledger_close();
}

/* Strangers push out strangers, never those who have a stream */
TEST(ledger__bounded)
{
	struct account *held, *used;
	uint32_t i;

	ASSERT_EQ(0, ledger_open());
	held = ledger_account(LEDGER_EID, "held", 4);
	ledger_hold(held);
	used = ledger_account(LEDGER_EID, "used", 4);
	ASSERT_EQ(0, ledger_wait(used, 1, 1, 1, 1));
	for (i = 0; i < 2 * LEDGER_IDLE; i++)
		ASSERT_NE(NULL, ledger_account(LEDGER_EID, &i, sizeof(i)));
	EXPECT_EQ(held, ledger_account(LEDGER_EID, "held", 4));
	EXPECT_FALSE(ledger_account(LEDGER_EID, "used", 4)->begun);
	ledger_drop(held);
	ledger_close();
}

/* Settings */

static int read_text(const char *text, struct config *config, struct ini_error *error)
{
	char path[] = "/tmp/regparts.XXXXXX";
	int fd = mkstemp(path), ret;

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -2;
	close(fd);
	config_init(config);
	ret = config_read(config, path, error);
	if (!ret)
		ret = config_check(config, error);
	unlink(path);
	return ret;
}

#define EID "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva"

TEST(config__read)
{
	struct config config;
	struct ini_error error = { "" };

	ASSERT_EQ(0, read_text("# a remark\n\n  ttl-max = 03600\nstore=redis://h:1/p\n"
			       "server = " EID " 192.0.2.1:9660 [2001:db8::1]:1\n"
			       "host = " EID "\nlog-level = debug\n"
			       "metrics = [::1]:9\n", &config, &error)) {
		TH_LOG("%s", error.text);
	}
	EXPECT_EQ(3600, config.ttl_max);
	EXPECT_EQ(60, config.ttl_min);
	EXPECT_STREQ("redis://h:1/p", config.store);
	EXPECT_EQ(1, config.n_servers);
	EXPECT_EQ(2, config.servers[0].n_endpoints);
	EXPECT_EQ(6, config.servers[0].endpoints[1].family);
	EXPECT_EQ(0, memcmp(&config.host, &config.servers[0].eid, SSS_EID_LEN));
	EXPECT_EQ(LOG_L_DEBUG, config.log_level);
}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
	const char *text, *said;
} bad[] = {
	{ "ttl-max = 3600\nttl-max 1\n", ":2: " },
	{ "ttl-max = 0\n", ":1: ttl-max: a number from 1" },
	{ "ttl-max = -1\n", ":1: ttl-max: a number" },
	{ "ttl-max = 10x\n", ":1: ttl-max: a number" },
	{ "ttl-max = 99999999999999999999999\n", ":1: ttl-max: a number" },
	{ "ttl-maximum = 1\n", ":1: there is no setting \"ttl-maximum\"" },
	{ "host = x\n", ":1: host: \"x\" is no EID" },
	{ "server = " EID "\n", "endpoints" },
	{ "server = " EID " 192.0.2.1:0\n", "is no endpoint" },
	{ "server = " EID " 192.0.2.256:1\n", "is no endpoint" },
	{ "server = " EID " ::1:1\n", "is no endpoint" },
	{ "log-level = loud\n", "log-level: " },
	{ "metrics = 192.0.2.1:80\n", "a loopback address" },
	{ "metrics = [2001:db8::1]:80\n", "a loopback address" },
	{ "metrics = here\n", "ADDRESS:PORT" },
	{ "\nmetrics = 127.0.0.1:65536\n", ":2: metrics: ADDRESS:PORT" },
	{ "metrics = 127.0.0.1:0\n", ":1: metrics: ADDRESS:PORT" },
	{ "metrics = unix:/" HUNDRED "1234567\n", ":1: metrics: the path of a socket has up to 107 bytes" },
	{ "metrics = unix:/tmp/\n", "not of a folder" },
	{ "\nstore = redis://\n", ":2: store: each server is" },
	{ "store = redis://h:0\n", ":1: store: each server is" },
	{ "store = redis://h:65536\n", ":1: store: each server is" },
	{ "store = redis://h:6379x\n", ":1: store: each server is" },
	{ "store = redis://h:0x10\n", ":1: store: each server is" },
	{ "store = redis://h:1, h:2\n", ":1: store: each server is" },
	{ "store = redis://h,\n", ":1: store: each server is" },
	{ "store = redis://u@h\n", ":1: store: USER:PASSWORD" },
	{ "store = redis://h/{x}\n", ":1: store: PREFIX" },
	{ "store = sqlite:/var/lib/\n", ":1: store: the path of a file" },
	{ "ttl-max = +3600\n", ":1: ttl-max: a number" },
	{ "ttl-max = 0xe10\n", ":1: ttl-max: a number" },
	{ "ttl-max = 18446744073709555216\n", ":1: ttl-max: a number" },	/* 3600 beyond 2^64 */
	{ "store = mysql://x\n", "store: " },
	{ "ttl-min = 7000\n", "not in this order" },
};

TEST(config__the_longest_path_of_a_socket)
{
	struct config config;
	struct ini_error error;

	EXPECT_EQ(0, read_text("metrics = unix:/" HUNDRED "123456\n", &config, &error));
}

/* Whatever is wrong with it, and wherever it stands */
static const char *const secrets[] = {
	"store = redis://u:SECRET@\n",
	"store = redis://u:SECRET@h:0\n",
	"store = redis://u:SECRET%zz@h\n",
	"store = redis://u:SECRET%00@h\n",
	"store = redis://u:6379/SECRET@h:0\n",
	"store = redis://u:SECRET" HUNDRED HUNDRED "@h\n",
	"store = mysql://u:SECRET@h\n",
	"store = u:SECRET@h\n",
	"store redis://u:SECRET@h\n",
	"redis://u:SECRET=@h\n",
};

TEST(config__no_word_of_a_password)
{
	struct config config;
	struct ini_error error;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(secrets); i++) {
		EXPECT_EQ(-1, read_text(secrets[i], &config, &error));
		EXPECT_EQ(NULL, strstr(error.text, "SECRET")) {
			TH_LOG("%s said %s", secrets[i], error.text);
		}
	}
}

TEST(config__refused)
{
	struct config config;
	struct ini_error error;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, read_text(bad[i].text, &config, &error));
		EXPECT_NE(NULL, strstr(error.text, bad[i].said)) {
			TH_LOG("%s said %s", bad[i].text, error.text);
		}
	}
	EXPECT_EQ(-1, config_read(&config, "/nowhere", &error));
}

/* The examples of the Redis Cluster specification */
TEST(redis__slots)
{
	EXPECT_EQ(12739, redis_slot("123456789"));
	EXPECT_EQ(redis_slot("{user1000}.following"), redis_slot("{user1000}.followers"));
	EXPECT_EQ(redis_slot("user1000"), redis_slot("{user1000}.followers"));
	EXPECT_NE(redis_slot("foo{}{bar}"), redis_slot("foo{}{baz}"));
	EXPECT_EQ(redis_slot("{bar"), redis_slot("foo{{bar}}zap"));
}

TEST(redis__addresses)
{
	char error[512];
	struct redis redis = { .error = error };

	ASSERT_EQ(0, redis_open(&redis, "u:p:w@h1:7000,h2,[::1]:7002/dir"));
	EXPECT_STREQ("u", redis.user);
	EXPECT_STREQ("p:w", redis.password);
	EXPECT_STREQ("dir", redis.prefix);
	ASSERT_EQ(3, redis.n_servers);
	EXPECT_EQ(7000, redis.servers[0].port);
	EXPECT_STREQ("h2", redis.servers[1].host);
	EXPECT_EQ(6379, redis.servers[1].port);
	EXPECT_STREQ("::1", redis.servers[2].host);
	redis = (struct redis){ .error = error };
	ASSERT_EQ(0, redis_open(&redis, "a%3ab:p%2Fw%2fx%40y%25/z@h1/dir"));
	EXPECT_STREQ("a:b", redis.user);
	EXPECT_STREQ("p/w/x@y%/z", redis.password);
	EXPECT_STREQ("h1", redis.servers[0].host);
	EXPECT_STREQ("dir", redis.prefix);
	EXPECT_EQ(-1, redis_open(&redis, "h:0"));
	EXPECT_EQ(-1, redis_open(&redis, ""));
	EXPECT_EQ(-1, redis_open(&redis, "h/{x}"));
}

/* Where hosts are is for nobody else, whatever the umask */
TEST(sqlite__private)
{
	static const char *const suffixes[] = { "", "-wal" };
	char folder[] = "/tmp/regparts.XXXXXX", path[64];
	mode_t before = umask(0);
	struct store store;
	struct stat st;
	int i;

	ASSERT_NE(NULL, mkdtemp(folder));
	snprintf(path, sizeof(path), "sqlite:%s/db", folder);
	ASSERT_EQ(0, store_open(&store, path));
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/db%s", folder, suffixes[i]);
		EXPECT_EQ(0, stat(path, &st));
		EXPECT_EQ(0600, st.st_mode & 0777);
	}
	EXPECT_EQ(0, umask(before));
	store_close(&store);
	unlink(strcat(strcpy(path, folder), "/db"));
	EXPECT_EQ(0, rmdir(folder));
}

TEST_HARNESS_MAIN
