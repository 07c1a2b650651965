/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef COMMON_ARRAY_H
#define COMMON_ARRAY_H

#include <stddef.h>

/**
 * array_add() - room for one more at the end of an array
 * @array: address of the pointer to it, which moves; free() frees it
 * @n: elements in it, one more afterwards
 * @size: bytes of each
 *
 * Return: the new element, zeroed; NULL: no memory, and nothing has changed.
 */
void *array_add(void *array, unsigned int *n, size_t size);

#endif /* COMMON_ARRAY_H */
