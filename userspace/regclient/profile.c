// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Profiles and their parts */
#include <string.h>
#include "../libsss/sss.h"
#include "parts.h"

/* Bytes of the character that begins here; 0: not UTF-8 (RFC 3629) */
static size_t utf8_char(const unsigned char *s, size_t left, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2, i;

	if (len > left || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	*c = len == 1 ? s[0] : s[0] & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return 0;
	return len;
}

bool reg_text_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c;
	size_t n;

	for (; len; s += n, len -= n) {
		n = utf8_char(s, len, &c);
		if (!n || c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
	}
	return true;
}

size_t reg_endpoint_pack(const struct reg_endpoint *ep, uint8_t *bytes)
{
	size_t len = ep->family == 4 ? 4 : ep->family == 6 ? 16 : 0;

	if (!len)
		return 0;
	bytes[0] = ep->port >> 8;
	bytes[1] = ep->port;
	memcpy(bytes + 2, ep->addr, len);
	return len + 2;
}

bool reg_endpoint_unpack(struct reg_endpoint *ep, const uint8_t *bytes, size_t len)
{
	memset(ep, 0, sizeof(*ep));
	if ((len != 6 && len != 18) || !(bytes[0] | bytes[1]))
		return false;
	ep->family = len == 6 ? 4 : 6;
	ep->port = bytes[0] << 8 | bytes[1];
	memcpy(ep->addr, bytes + 2, len - 2);
	return true;
}

void reg_get_endpoint(struct reg_in *in, struct reg_endpoint *ep)
{
	uint8_t bytes[18];
	size_t len = reg_in_bytes(in, bytes, sizeof(bytes));

	if (in->error == REG_OK && !reg_endpoint_unpack(ep, bytes, len))
		reg_in_fail(in, REG_INVALID);
}

unsigned int reg_get_endpoints(struct reg_in *in, struct reg_endpoint *eps)
{
	unsigned int n = reg_in_array(in, REG_ENDPOINTS), i;

	for (i = 0; i < n; i++)
		reg_get_endpoint(in, &eps[i]);
	return n;
}

void reg_put_endpoint(struct reg_out *out, const struct reg_endpoint *ep)
{
	uint8_t bytes[18];

	reg_out_bytes(out, bytes, reg_endpoint_pack(ep, bytes));
}

void reg_put_endpoints(struct reg_out *out, const struct reg_endpoint *eps, unsigned int n)
{
	uint8_t *array = reg_out_array(out);
	unsigned int i;

	for (i = 0; i < n; i++) {
		reg_out_element(out, array);
		reg_put_endpoint(out, &eps[i]);
	}
}

void reg_get_eid(struct reg_in *in, struct sss_eid *eid)
{
	size_t len = reg_in_bytes(in, eid->key, sizeof(eid->key));

	if (in->error == REG_OK && (len != sizeof(eid->key) || !sss_eid_valid(eid)))
		reg_in_fail(in, REG_INVALID);
}

void reg_put_eid(struct reg_out *out, const struct sss_eid *eid)
{
	reg_out_bytes(out, eid->key, sizeof(eid->key));
}

static void get_keywords(struct reg_in *in, struct reg_profile *profile)
{
	unsigned int i;

	profile->n_keywords = reg_in_array(in, REG_KEYWORDS);
	for (i = 0; i < profile->n_keywords; i++)
		reg_in_text(in, profile->keywords[i], REG_KEYWORD_MAX);
}

static void get_allowed(struct reg_in *in, struct reg_profile *profile)
{
	unsigned int i;

	profile->restricted = true;
	profile->n_allowed = reg_in_array(in, REG_ALLOWED);
	for (i = 0; i < profile->n_allowed; i++)
		reg_get_eid(in, &profile->allowed[i]);
}

static void get_field(struct reg_in *in, struct reg_profile *profile, uint64_t key)
{
	switch (key) {
	case REG_F_HOST ... REG_F_COUNTRY:
		reg_in_text(in, profile->text[key], REG_TEXT_MAX);
		break;
	case REG_F_KEYWORDS:
		get_keywords(in, profile);
		break;
	case REG_F_ENDPOINTS:
		profile->n_endpoints = reg_get_endpoints(in, profile->endpoints);
		break;
	case REG_F_PUBLIC:
		profile->public = reg_in_uint(in, UINT32_MAX) & REG_PUBLIC_ALL;
		break;
	case REG_F_INTRODUCE:
		get_allowed(in, profile);
		break;
	default:
		reg_in_skip(in);
	}
}

void reg_get_profile(struct reg_in *in, struct reg_profile *profile)
{
	struct reg_map map = reg_in_map(in);
	uint64_t key;

	memset(profile, 0, sizeof(*profile));
	while (reg_in_key(in, &map, &key))
		get_field(in, profile, key);
}

static void put_keywords(struct reg_out *out, const struct reg_profile *profile)
{
	uint8_t *array = reg_out_array(out);
	unsigned int i;

	for (i = 0; i < profile->n_keywords; i++) {
		reg_out_element(out, array);
		reg_out_text(out, profile->keywords[i]);
	}
}

static void put_allowed(struct reg_out *out, const struct reg_profile *profile)
{
	uint8_t *array = reg_out_array(out);
	unsigned int i;

	for (i = 0; i < profile->n_allowed; i++) {
		reg_out_element(out, array);
		reg_put_eid(out, &profile->allowed[i]);
	}
}

void reg_put_profile(struct reg_out *out, const struct reg_profile *profile)
{
	uint8_t *map = reg_out_map(out);
	unsigned int i;

	for (i = 0; i < REG_TEXTS; i++) {
		if (!profile->text[i][0])
			continue;
		reg_out_key(out, map, i);
		reg_out_text(out, profile->text[i]);
	}
	if (profile->n_keywords) {
		reg_out_key(out, map, REG_F_KEYWORDS);
		put_keywords(out, profile);
	}
	if (profile->n_endpoints) {
		reg_out_key(out, map, REG_F_ENDPOINTS);
		reg_put_endpoints(out, profile->endpoints, profile->n_endpoints);
	}
	if (profile->public) {
		reg_out_key(out, map, REG_F_PUBLIC);
		reg_out_uint(out, profile->public);
	}
	if (profile->restricted) {
		reg_out_key(out, map, REG_F_INTRODUCE);
		put_allowed(out, profile);
	}
}

enum reg_status reg_profile_decode(struct reg_profile *profile, const void *data, size_t len)
{
	struct reg_in in = { .p = data, .end = (const uint8_t *)data + len };

	reg_get_profile(&in, profile);
	return reg_in_end(&in);
}

size_t reg_profile_encode(const struct reg_profile *profile, void *data, size_t max)
{
	struct reg_out out = { .p = data, .end = (uint8_t *)data + max };

	reg_put_profile(&out, profile);
	return out.full ? 0 : out.p - (uint8_t *)data;
}

void reg_profile_public(struct reg_profile *profile)
{
	unsigned int i;

	for (i = 0; i < REG_TEXTS; i++)
		if (!(profile->public & 1U << i))
			memset(profile->text[i], 0, sizeof(profile->text[i]));
	if (!(profile->public & 1U << REG_F_KEYWORDS))
		profile->n_keywords = 0;
	if (!(profile->public & 1U << REG_F_ENDPOINTS))
		profile->n_endpoints = 0;
	profile->public = 0;
	profile->restricted = false;
	profile->n_allowed = 0;
}
