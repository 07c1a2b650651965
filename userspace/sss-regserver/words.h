/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Words of a text in the form in which they are compared */
#ifndef REGSERVER_WORDS_H
#define REGSERVER_WORDS_H

#include <stdbool.h>
#include <regclient/record.h>

#define WORD_MAX	64	/* bytes; what is longer is cut */
#define WORDS_MAX	64	/* of one profile */

struct words {
	unsigned int n;
	char word[WORDS_MAX][WORD_MAX + 1];
};

/**
 * words_add() - add the words of a text that are not there yet
 * @words: changed; full at WORDS_MAX
 * @text: NUL-terminated UTF-8
 *
 * Words begin and end as in Unicode's UAX 29, and at all punctuation of ASCII; those
 * without a letter or digit do not count. They are compared in NFKC with case folded, so that case, width and
 * the way accents are put together make no difference.
 *
 * Return: 0; -1: no memory.
 */
int words_add(struct words *words, const char *text);

/* Those by which a profile may be found: of its public fields */
int words_of_profile(struct words *words, const struct reg_profile *profile);

bool words_have(const struct words *words, const char *word);

#endif /* REGSERVER_WORDS_H */
