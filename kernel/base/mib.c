// SPDX-License-Identifier: GPL-2.0
/* Counters and gauges: memory, sums and names. */
#include <linux/cpumask.h>
#include "mib.h"
#include "netns.h"

#define NAME(id, name) [SSS_MIB_##id] = (name),
static const char * const mib_names[SSS_MIB_COUNT] = { SSS_MIB_LIST(NAME) };
#undef NAME

#define NAME(id, name) [SSS_GAUGE_##id] = (name),
static const char * const gauge_names[SSS_GAUGE_COUNT] = { SSS_GAUGE_LIST(NAME) };
#undef NAME

/**
 * sss_mib_init() - allocate the counters of a namespace, all zero
 * @sn: namespace
 *
 * Sleeps. Return: 0 or -ENOMEM.
 */
int sss_mib_init(struct sss_net *sn)
{
	sn->mib = alloc_percpu(struct sss_mib);
	return sn->mib ? 0 : -ENOMEM;
}

/**
 * sss_mib_exit() - free the counters; says so where an object outlived them
 * @sn: namespace, of which nothing is in use any more
 */
void sss_mib_exit(struct sss_net *sn)
{
	int id;

	for (id = 0; id < SSS_GAUGE_COUNT; id++) {
		long left = atomic_long_read(&sn->gauge[id]);

		WARN_ONCE(left, "%s: %ld left in a dying namespace\n", gauge_names[id], left);
	}
	free_percpu(sn->mib);
}

/**
 * sss_mib_sum() - one counter over all CPUs
 * @sn: namespace
 * @id: which
 *
 * On 32-bit machines a counter that is being changed may be read torn.
 *
 * Return: its value.
 */
u64 sss_mib_sum(const struct sss_net *sn, enum sss_mib_id id)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(sn->mib, cpu)->value[id]);
	return sum;
}

/**
 * sss_mib_name() - name of a counter
 * @id: which
 *
 * Return: the name shown in /proc/net/sss_stat.
 */
const char *sss_mib_name(enum sss_mib_id id)
{
	return mib_names[id];
}

/**
 * sss_mib_gauge_name() - name of a gauge
 * @id: which
 *
 * Return: the name shown in /proc/net/sss_stat.
 */
const char *sss_mib_gauge_name(enum sss_gauge_id id)
{
	return gauge_names[id];
}
