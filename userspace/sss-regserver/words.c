// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>
#include <uniwbrk.h>
#include "words.h"

bool words_have(const struct words *words, const char *word)
{
	unsigned int i;

	for (i = 0; i < words->n; i++)
		if (!strcmp(words->word[i], word))
			return true;
	return false;
}

static bool has_letter(const uint8_t *text, size_t len)
{
	ucs4_t c;
	int n;

	for (; len; text += n, len -= n) {
		n = u8_mbtouc(&c, text, len);
		if (uc_is_general_category(c, UC_LETTER) || uc_is_general_category(c, UC_NUMBER))
			return true;
	}
	return false;
}

/* Up to WORD_MAX, and not in the middle of a character */
static size_t cut(const uint8_t *text, size_t len)
{
	if (len <= WORD_MAX)
		return len;
	len = WORD_MAX;
	while ((text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void add(struct words *words, const uint8_t *text, size_t len)
{
	char word[WORD_MAX + 1];

	if (words->n == WORDS_MAX || !has_letter(text, len))
		return;
	len = cut(text, len);
	memcpy(word, text, len);
	word[len] = '\0';
	if (!words_have(words, word))
		strcpy(words->word[words->n++], word);
}

/* ASCII's punctuation ends a word everywhere: parts of a host's name are words */
static bool separates(uint8_t c)
{
	return c < 0x80 && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z');
}

static int split(struct words *words, const uint8_t *text, size_t len)
{
	char *breaks = malloc(len + 1);
	size_t from = 0, i;

	if (!breaks)
		return -1;
	u8_wordbreaks(text, len, breaks);
	for (i = 1; i <= len; i++) {
		if (i < len && !breaks[i] && !separates(text[i]) && !separates(text[i - 1]))
			continue;
		add(words, text + from, i - from);
		from = i;
	}
	free(breaks);
	return 0;
}

int words_add(struct words *words, const char *text)
{
	size_t len = strlen(text), folded_len;
	uint8_t *folded;
	int ret;

	if (!len)
		return 0;
	folded = u8_casefold((const uint8_t *)text, len, NULL, UNINORM_NFKC, NULL, &folded_len);
	if (!folded)
		return -1;
	ret = folded_len ? split(words, folded, folded_len) : 0;
	free(folded);
	return ret;
}

int words_of_profile(struct words *words, const struct reg_profile *profile)
{
	unsigned int i;

	words->n = 0;
	for (i = 0; i < REG_TEXTS; i++)
		if ((profile->public & 1U << i) && words_add(words, profile->text[i]))
			return -1;
	if (!(profile->public & 1U << REG_F_KEYWORDS))
		return 0;
	for (i = 0; i < profile->n_keywords; i++)
		if (words_add(words, profile->keywords[i]))
			return -1;
	return 0;
}
