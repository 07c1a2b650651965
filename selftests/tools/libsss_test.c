// SPDX-License-Identifier: GPL-2.0
/* libsss: EIDs as text, addresses, error texts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "libsss/sss.h"
#include "kselftest_harness.h"

#define ROUNDS 100000

/* The text is what Python's base64.b32encode() makes of the key. */
static const struct {
	const char *hex, *text;
} vectors[] = {
	/* RFC 7748, section 6.1 */
	{ "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
	  "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva" },
	{ "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	  "32pnw7l3pxa3ju23mhbozzbvg47ygq6iln4gotnn7r7bi34ifnhq" },
	{ "0900000000000000000000000000000000000000000000000000000000000000",
	  "beaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq" },
	/* the largest one: 2^255 - 21, since - 20 is of low order */
	{ "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	  "5p7777777777777777777777777777777777777777777777757q" },
};

/* Not below 2^255 - 19, top bit set, of low order */
static const char *const bad_keys[] = {
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"f5ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4eea",
	"0900000000000000000000000000000000000000000000000000000000000080",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static const char good[] = "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva";
static const char spaced[] = "quqp acmj gctv i5el pxol ipxx lig3 6oqn ey4b v5hl usuy 5ku3 jzva";

static struct sss_eid from_hex(const char *hex)
{
	struct sss_eid eid;
	unsigned int byte;
	int i;

	for (i = 0; i < SSS_EID_LEN; i++) {
		sscanf(hex + 2 * i, "%2x", &byte);
		eid.key[i] = byte;
	}
	return eid;
}

/* Refused with EINVAL, and the result left alone */
static bool refused(const char *text)
{
	struct sss_eid eid, before;

	memset(&eid, 0x5a, sizeof(eid));
	before = eid;
	errno = 0;
	return sss_eid_parse(&eid, text) == -1 && errno == EINVAL &&
	       !memcmp(&eid, &before, sizeof(eid));
}

TEST(eid__vectors)
{
	char text[SSS_EID_TEXT];
	struct sss_eid eid, out;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		eid = from_hex(vectors[i].hex);
		EXPECT_EQ(1, sss_eid_valid(&eid));
		EXPECT_TRUE(sss_eid_format(&eid, text) == text);
		EXPECT_STREQ(vectors[i].text, text);
		ASSERT_EQ(0, sss_eid_parse(&out, vectors[i].text));
		EXPECT_EQ(0, memcmp(&out, &eid, sizeof(eid)));
	}
}

TEST(eid__round_trips)
{
	char text[SSS_EID_TEXT], groups[SSS_EID_GROUPS];
	struct sss_eid eid, out;
	int i, j, valid = 0;

	srandom(9660);
	for (i = 0; i < ROUNDS; i++) {
		for (j = 0; j < SSS_EID_LEN; j++)
			eid.key[j] = random() >> 7;
		eid.key[31] &= 0x7f;
		valid += sss_eid_valid(&eid);
		sss_eid_format(&eid, text);
		ASSERT_EQ(SSS_EID_TEXT - 1, strlen(text));
		ASSERT_EQ(0, sss_eid_parse(&out, text)) TH_LOG("%s", text);
		ASSERT_EQ(0, memcmp(&out, &eid, sizeof(eid))) TH_LOG("%s", text);
		sss_eid_format_groups(&eid, groups, i & 1 ? ' ' : '-');
		ASSERT_EQ(SSS_EID_GROUPS - 1, strlen(groups));
		ASSERT_EQ(0, sss_eid_parse(&out, groups)) TH_LOG("%s", groups);
		ASSERT_EQ(0, memcmp(&out, &eid, sizeof(eid))) TH_LOG("%s", groups);
	}
	EXPECT_EQ(ROUNDS, valid);
}

TEST(eid__upper_case_and_groups)
{
	struct sss_eid eid, out;
	char text[SSS_EID_GROUPS];
	int i;

	ASSERT_EQ(0, sss_eid_parse(&eid, good));
	EXPECT_STREQ(spaced, sss_eid_format_groups(&eid, text, ' '));
	ASSERT_EQ(0, sss_eid_parse(&out, spaced));
	EXPECT_EQ(0, memcmp(&out, &eid, sizeof(eid)));
	for (i = 0; text[i]; i++) {
		text[i] = toupper(text[i]);
		if (text[i] == ' ')
			text[i] = '-';
	}
	ASSERT_EQ(0, sss_eid_parse(&out, text));
	EXPECT_EQ(0, memcmp(&out, &eid, sizeof(eid)));
}

TEST(eid__keys_that_are_none)
{
	char text[SSS_EID_TEXT];
	struct sss_eid eid;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_keys); i++) {
		eid = from_hex(bad_keys[i]);
		EXPECT_EQ(0, sss_eid_valid(&eid)) TH_LOG("%s", bad_keys[i]);
		EXPECT_TRUE(refused(sss_eid_format(&eid, text))) TH_LOG("%s", bad_keys[i]);
	}
}

TEST(eid__every_length_but_one)
{
	char text[2 * SSS_EID_GROUPS];
	size_t len;

	for (len = 0; len < sizeof(text); len++) {
		memset(text, 'b', len);
		text[len < sizeof(text) ? len : len - 1] = '\0';
		if (len != SSS_EID_TEXT - 1)
			EXPECT_TRUE(refused(text)) TH_LOG("length %zu", len);
	}
	for (len = 0; len < SSS_EID_GROUPS - 1; len++) {
		memcpy(text, spaced, len);
		text[len] = '\0';
		EXPECT_TRUE(refused(text)) TH_LOG("%zu of the groups", len);
	}
}

/* At every place every byte that does not belong there */
TEST(eid__every_other_character)
{
	char text[SSS_EID_TEXT];
	int i, c;

	for (i = 0; i < SSS_EID_TEXT - 1; i++) {
		for (c = 1; c < 256; c++) {
			if (isascii(c) && (isalpha(c) || (c >= '2' && c <= '7')))
				continue;
			strcpy(text, good);
			text[i] = c;
			EXPECT_TRUE(refused(text)) TH_LOG("character %d at %d", c, i);
		}
	}
}

TEST(eid__separators_elsewhere)
{
	char text[SSS_EID_GROUPS + 1];
	int i;

	for (i = 0; i < SSS_EID_GROUPS - 1; i++) {
		strcpy(text, spaced);
		text[i] = text[i] == ' ' ? '-' : ' ';	/* mixed, or too many */
		EXPECT_TRUE(refused(text)) TH_LOG("at %d: \"%s\"", i, text);
	}
	EXPECT_TRUE(refused("quqp-acmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva"));
	EXPECT_TRUE(refused(" quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva"));
	EXPECT_TRUE(refused("quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva\n"));
	EXPECT_TRUE(refused("quqp_acmj_gctv_i5el_pxol_ipxx_lig3_6oqn_ey4b_v5hl_usuy_5ku3_jzva"));
}

/* The last character has one bit of the key: two of 32 values are good. */
TEST(eid__bits_beyond_the_key)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	char text[SSS_EID_TEXT];
	int i;

	strcpy(text, good);
	for (i = 0; i < 32; i++) {
		text[SSS_EID_TEXT - 2] = alphabet[i];
		EXPECT_EQ(i != 0 && i != 16, refused(text)) TH_LOG("%s", text);
	}
}

TEST(addr__names)
{
	char longest[SSS_NAME_MAX + 2];
	struct sockaddr_sss addr;
	struct sss_eid eid;

	memset(longest, 'x', sizeof(longest));
	longest[SSS_NAME_MAX + 1] = '\0';
	ASSERT_EQ(0, sss_eid_parse(&eid, good));
	memset(&addr, 0xff, sizeof(addr));
	EXPECT_EQ(128, sizeof(addr));
	EXPECT_EQ(-1, sss_addr(&addr, &eid, longest, "p"));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, sss_addr(&addr, &eid, "s", longest));
	EXPECT_EQ(-1, sss_addr(&addr, &eid, "", "p"));
	EXPECT_EQ(-1, sss_addr(&addr, &eid, "s", ""));
	longest[SSS_NAME_MAX] = '\0';
	ASSERT_EQ(0, sss_addr(&addr, &eid, longest, longest));
	EXPECT_EQ(AF_SSS, addr.sss_family);
	EXPECT_EQ(0, addr.sss_flags);
	EXPECT_EQ(0, memcmp(&addr.sss_eid, &eid, sizeof(eid)));
	EXPECT_STREQ(longest, addr.sss_service);
	EXPECT_STREQ(longest, addr.sss_protocol);
	ASSERT_EQ(0, sss_addr(&addr, NULL, NULL, NULL));
	memset(&eid, 0, sizeof(eid));
	EXPECT_EQ(0, memcmp(&addr.sss_eid, &eid, sizeof(eid)));
	EXPECT_EQ('\0', addr.sss_service[0]);
}

TEST(connect__what_is_no_eid)
{
	errno = 0;
	EXPECT_EQ(-1, sss_connect("nobody", "s", "p"));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(-1, sss_connect(good, "", "p"));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(-1, sss_listen("s", "", 1));
	EXPECT_EQ(EINVAL, errno);
}

/* A sentence for whatever connect() may say, not the text meant for TCP */
TEST(errors__have_texts)
{
	static const int errors[] = {
		EAFNOSUPPORT, ENOKEY, EHOSTUNREACH, ETIMEDOUT, EKEYREJECTED, ECONNREFUSED,
		EPROTONOSUPPORT, EPROTOTYPE, EACCES, EBUSY, ECONNRESET, ECONNABORTED, EPIPE,
		EADDRINUSE, EADDRNOTAVAIL, EPROTO,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		EXPECT_STRNE(strerror(errors[i]), sss_strerror(errors[i]));
	EXPECT_STREQ(strerror(ENOMEM), sss_strerror(ENOMEM));
	for (i = 0; i <= SSS_SERVICE_BUSY; i++)
		EXPECT_STRNE("unknown status", sss_status_text(i));
	EXPECT_STREQ("unknown status", sss_status_text(SSS_SERVICE_BUSY + 1));
	EXPECT_STREQ("unknown status", sss_status_text(~0U));
}

TEST_HARNESS_MAIN
