// SPDX-License-Identifier: GPL-2.0
/* Record marks of one direction of a stream, by offset. */
#include <linux/slab.h>
#include "stream/marks.h"

static struct kmem_cache *cache;

/**
 * sss_marks_init() - make the cache of marks
 *
 * Sleeps. Return: 0 or -ENOMEM.
 */
int __init sss_marks_init(void)
{
	cache = KMEM_CACHE(sss_mark, SLAB_ACCOUNT);
	return cache ? 0 : -ENOMEM;
}

/**
 * sss_marks_exit() - undo sss_marks_init()
 */
void sss_marks_exit(void)
{
	kmem_cache_destroy(cache);
}

/**
 * sss_marks_alloc() - memory for a mark
 * @gfp: how to get it
 *
 * Return: it, or NULL
 */
struct sss_mark *sss_marks_alloc(gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp);
}

/**
 * sss_marks_free() - free a mark that is in no tree
 * @mark: it, or NULL
 */
void sss_marks_free(struct sss_mark *mark)
{
	if (mark)
		kmem_cache_free(cache, mark);
}

static bool is_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct sss_mark, rb)->offset < rb_entry(b, struct sss_mark, rb)->offset;
}

/**
 * sss_marks_add() - a record ends here
 * @marks: tree, has no mark there yet
 * @mark: with its offset
 */
void sss_marks_add(struct rb_root_cached *marks, struct sss_mark *mark)
{
	rb_add_cached(&mark->rb, marks, is_less);
}

static struct sss_mark *find(const struct rb_root_cached *marks, u64 offset)
{
	struct rb_node *node = marks->rb_root.rb_node;
	struct sss_mark *best = NULL, *mark;

	while (node) {
		mark = rb_entry(node, struct sss_mark, rb);
		if (mark->offset >= offset) {
			best = mark;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

/**
 * __sss_marks_from() - the next mark; see sss_marks_from()
 * @marks: tree, locked by its owner
 * @offset: where to begin
 *
 * Return: offset of the first mark not below @offset, or SSS_MARKS_NONE
 */
u64 __sss_marks_from(const struct rb_root_cached *marks, u64 offset)
{
	const struct sss_mark *mark = find(marks, offset);

	return mark ? mark->offset : SSS_MARKS_NONE;
}

/**
 * sss_marks_drop() - forget marks
 * @marks: tree
 * @start: first offset
 * @end: one above the last
 *
 * Return: how many were freed
 */
u32 sss_marks_drop(struct rb_root_cached *marks, u64 start, u64 end)
{
	struct sss_mark *mark = find(marks, start), *next;
	u32 n = 0;

	for (; mark && mark->offset < end; mark = next, n++) {
		next = rb_entry_safe(rb_next(&mark->rb), struct sss_mark, rb);
		rb_erase_cached(&mark->rb, marks);
		kmem_cache_free(cache, mark);
	}
	return n;
}
