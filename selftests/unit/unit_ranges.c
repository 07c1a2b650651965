// SPDX-License-Identifier: GPL-2.0
/* Interval sets against a bitmap. */
#include "../../kernel/wire/ranges.h"
#include "random.h"
#include "kselftest_harness.h"

#define VALUES 200
#define MAX 12

struct model {
	bool has[VALUES + 1];
};

/* Intervals that @m would need */
static u32 count(const struct model *m)
{
	u32 n = 0;
	int i;

	for (i = 0; i < VALUES; i++)
		n += m->has[i] && (!i || !m->has[i - 1]);
	return n;
}

static void fill(struct model *m, u64 start, u64 end, bool has)
{
	for (; start < end; start++)
		m->has[start] = has;
}

static bool same(const struct sss_ranges *set, const struct model *m, u64 base)
{
	struct model got = { 0 };
	u32 i;

	for (i = 0; i < set->n; i++) {
		if (set->r[i].start >= set->r[i].end || set->r[i].end > base + VALUES)
			return false;
		if (i && set->r[i].start <= set->r[i - 1].end)
			return false;
		fill(&got, set->r[i].start - base, set->r[i].end - base, true);
	}
	return set->n <= set->max && !memcmp(&got, m, sizeof(got));
}

FIXTURE(ranges)
{
	struct sss_range storage[MAX];
	struct sss_ranges set;
	struct model m;
	u64 state;
};

FIXTURE_SETUP(ranges)
{
	memset(self, 0, sizeof(*self));
	sss_ranges_init(&self->set, self->storage, MAX);
}

FIXTURE_TEARDOWN(ranges)
{
}

/* Values as large as any, so that nothing may overflow; the top of u64 itself */
FIXTURE_VARIANT(ranges)
{
	u64 base;
};

FIXTURE_VARIANT_ADD(ranges, low)
{
	.base = 0,
};

FIXTURE_VARIANT_ADD(ranges, high)
{
	.base = U64_MAX - VALUES,
};

TEST_F(ranges, random_operations)
{
	struct sss_range lowest;
	struct model after;
	u64 base = variant->base;
	u64 start, end, s, e;
	u32 at;
	int i, k, err;

	self->state = 7;
	for (i = 0; i < 100000; i++) {
		start = random_below(&self->state, VALUES);
		end = start + random_below(&self->state, 1 + min_t(u64, 20, VALUES - start));
		after = self->m;
		switch (random_below(&self->state, 10)) {
		case 0 ... 2:
			fill(&after, start, end, true);
			ASSERT_EQ(count(&after) <= MAX,
				  sss_ranges_fits(&self->set, base + start, base + end));
			err = sss_ranges_add(&self->set, base + start, base + end);
			ASSERT_EQ(count(&after) > MAX ? -ENOSPC : 0, err);
			if (!err)
				self->m = after;
			break;
		case 3 ... 5:
			fill(&after, start, end, false);
			err = sss_ranges_remove(&self->set, base + start, base + end);
			ASSERT_EQ(count(&after) > MAX ? -ENOSPC : 0, err);
			if (!err)
				self->m = after;
			break;
		case 6:
			if (start > 40)
				break;
			fill(&self->m, 0, start, false);
			sss_ranges_remove_below(&self->set, base + start);
			break;
		case 7:
			fill(&after, start, end, true);
			sss_ranges_add_newest(&self->set, base + start, base + end);
			if (count(&after) > MAX) {
				for (k = 0; !after.has[k]; k++)
					;
				for (; after.has[k]; k++)
					after.has[k] = false;
			}
			self->m = after;
			break;
		case 8:
			if (random_below(&self->state, 4))
				break;
			ASSERT_EQ(count(&self->m) > 0,
				  sss_ranges_pop_lowest(&self->set, &lowest));
			if (count(&self->m))
				fill(&self->m, lowest.start - base, lowest.end - base, false);
			break;
		case 9:
			for (s = start; s < end && self->m.has[s]; s++)
				;
			ASSERT_EQ(s >= end, sss_ranges_contains(&self->set, base + start,
								base + end));
			for (e = s; e < end && !self->m.has[e]; e++)
				;
			start += base;
			end += base;
			ASSERT_EQ(s < e, sss_ranges_first_gap(&self->set, &start, &end));
			if (s < e) {
				ASSERT_EQ(base + s, start);
				ASSERT_EQ(base + e, end);
			}
			at = sss_ranges_find(&self->set, start);
			ASSERT_TRUE(at == self->set.n || self->set.r[at].end > start);
			ASSERT_TRUE(!at || self->set.r[at - 1].end <= start);
			break;
		}
		ASSERT_TRUE(same(&self->set, &self->m, base)) {
			TH_LOG("step %d", i);
		}
	}
}

TEST_F(ranges, merging)
{
	u64 base = variant->base;

	EXPECT_EQ(0, sss_ranges_add(&self->set, base + 10, base + 20));
	EXPECT_EQ(0, sss_ranges_add(&self->set, base + 30, base + 40));
	EXPECT_EQ(2, self->set.n);
	EXPECT_EQ(0, sss_ranges_add(&self->set, base + 20, base + 30));
	EXPECT_EQ(1, self->set.n);
	EXPECT_EQ(0, sss_ranges_add(&self->set, base + 12, base + 13));
	EXPECT_EQ(0, sss_ranges_add(&self->set, base + 50, base + 50));
	EXPECT_EQ(1, self->set.n);
	EXPECT_EQ(base + 10, self->set.r[0].start);
	EXPECT_EQ(base + 40, self->set.r[0].end);
}

TEST_HARNESS_MAIN
