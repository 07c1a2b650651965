/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Numbers in files and on command lines, which are all read alike */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/**
 * number_parse() - read a number of digits alone: no sign, no blank, no 0x
 * @text: NUL-terminated
 * @base: 8 or 10, whatever it begins with
 * @most: the largest one that will do
 * @number: result
 *
 * Return: whether it is one.
 */
bool number_parse(const char *text, unsigned int base, uint64_t most, uint64_t *number);

#endif /* COMMON_NUMBER_H */
