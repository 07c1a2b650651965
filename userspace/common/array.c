// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdlib.h>
#include <string.h>
#include "array.h"

void *array_add(void *array, unsigned int *n, size_t size)
{
	char **at = array, *more = realloc(*at, (*n + 1) * size);

	if (!more)
		return NULL;
	*at = more;
	return memset(more + (*n)++ * size, 0, size);
}
