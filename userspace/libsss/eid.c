// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <string.h>
#include "sss.h"

#define DIGITS	52	/* of 5 bits: 4 more than a key has */

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Canonical encodings of the points of low order with the top bit clear */
static const struct sss_eid low_order[] = {
	{ { 0 } },
	{ { 1 } },
	{ { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
	    0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
	    0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 } },
	{ { 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
	    0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
	    0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 } },
	{ { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f } },
};

/* Below 2^255-19, which is 0xed, then 30 times 0xff, then 0x7f */
static int below_prime(const struct sss_eid *eid)
{
	int i;

	if (eid->key[31] != 0x7f)
		return eid->key[31] < 0x7f;
	for (i = 30; i > 0; i--)
		if (eid->key[i] != 0xff)
			return 1;
	return eid->key[0] < 0xed;
}

int sss_eid_valid(const struct sss_eid *eid)
{
	size_t i;

	if (!below_prime(eid))
		return 0;
	for (i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++)
		if (!memcmp(eid, &low_order[i], sizeof(*eid)))
			return 0;
	return 1;
}

static int digit(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* In one piece, or in groups of four with one kind of separator; -1: neither */
static int collect(const char *text, unsigned char digits[DIGITS])
{
	size_t len = strlen(text);
	char separator = 0;
	int n, v;

	if (len == SSS_EID_GROUPS - 1)
		separator = text[4];
	else if (len != DIGITS)
		return -1;
	if (separator && separator != ' ' && separator != '-')
		return -1;
	for (n = 0; n < DIGITS; n++) {
		if (separator && n && n % 4 == 0 && *text++ != separator)
			return -1;
		v = digit(*text++);
		if (v < 0)
			return -1;
		digits[n] = v;
	}
	return 0;
}

int sss_eid_parse(struct sss_eid *eid, const char *text)
{
	unsigned char digits[DIGITS];
	struct sss_eid out;
	unsigned int bits = 0, n = 0, i, acc = 0;

	if (collect(text, digits))
		goto invalid;
	for (i = 0; i < DIGITS; i++) {
		acc = acc << 5 | digits[i];
		bits += 5;
		if (bits >= 8 && n < SSS_EID_LEN) {
			bits -= 8;
			out.key[n++] = acc >> bits;
			acc &= (1U << bits) - 1;
		}
	}
	if (acc || !sss_eid_valid(&out))
		goto invalid;
	*eid = out;
	return 0;
invalid:
	errno = EINVAL;
	return -1;
}

static char *format(const struct sss_eid *eid, char *text, char separator)
{
	unsigned int bits = 0, acc = 0, n = 0, i, written = 0;

	for (i = 0; i < DIGITS; i++) {
		if (bits < 5) {
			acc = acc << 8 | (n < SSS_EID_LEN ? eid->key[n] : 0);
			n++;
			bits += 8;
		}
		if (separator && i && i % 4 == 0)
			text[written++] = separator;
		bits -= 5;
		text[written++] = alphabet[acc >> bits & 31];
		acc &= (1U << bits) - 1;
	}
	text[written] = '\0';
	return text;
}

char *sss_eid_format(const struct sss_eid *eid, char *text)
{
	return format(eid, text, '\0');
}

char *sss_eid_format_groups(const struct sss_eid *eid, char *text, char separator)
{
	return format(eid, text, separator);
}
