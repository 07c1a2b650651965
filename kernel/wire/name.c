// SPDX-License-Identifier: GPL-2.0
#include "name.h"

/* Bytes of the UTF-8 sequence that @lead begins, 0: none does */
static unsigned int sequence_len(u8 lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2)
		return 0;	/* a continuation, or an overlong two-byte form */
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0)
		return 3;
	return lead < 0xf5 ? 4 : 0;
}

/* What the second byte may be where the lead byte alone does not decide */
static bool second_ok(u8 lead, u8 second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0;	/* overlong */
	case 0xed:
		return second < 0xa0;	/* surrogate */
	case 0xf0:
		return second >= 0x90;	/* overlong */
	case 0xf4:
		return second < 0x90;	/* beyond U+10FFFF */
	default:
		return true;
	}
}

/**
 * sss_name_is_text() - is this text that may be shown?
 * @text: bytes, not NUL-terminated
 * @len: how many
 *
 * Return: whether they are UTF-8 (RFC 3629) without NUL
 */
bool sss_name_is_text(const u8 *text, size_t len)
{
	unsigned int n, k;
	size_t i;

	for (i = 0; i < len; i += n) {
		n = sequence_len(text[i]);
		if (!n || !text[i] || n > len - i)
			return false;
		for (k = 1; k < n; k++) {
			if ((text[i + k] & 0xc0) != 0x80)
				return false;
		}
		if (n > 1 && !second_ok(text[i], text[i + 1]))
			return false;
	}
	return true;
}

/**
 * sss_name_is_valid() - may this be the name of a service or protocol?
 * @name: bytes, not NUL-terminated
 * @len: how many
 *
 * Return: whether they are 1 to SSS_NAME_LEN_MAX bytes of UTF-8 (RFC 3629)
 * without NUL
 */
bool sss_name_is_valid(const u8 *name, size_t len)
{
	return len && len <= SSS_NAME_LEN_MAX && sss_name_is_text(name, len);
}
