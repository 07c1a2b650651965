// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "number.h"

bool number_parse(const char *text, unsigned int base, uint64_t most, uint64_t *number)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned char)*text - '0';

		if (digit >= base || digit > most || v > (most - digit) / base)
			return false;
		v = v * base + digit;
	}
	*number = v;
	return true;
}
