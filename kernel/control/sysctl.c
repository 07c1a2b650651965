// SPDX-License-Identifier: GPL-2.0
/*
 * net.sss.*: every member of struct sss_limits, per namespace, each with its
 * smallest and largest value. One list makes the table.
 */
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include "base/compat.h"
#include "base/netns.h"
#include "channel/cong.h"
#include "control.h"

#define DAY_MS	(24 * 60 * 60 * 1000)
#define MEGA	SZ_1M

struct knob {
	const char *name;
	size_t offset;
	int min;
	int max;
	enum { NUMBER, TRIPLE, ALGORITHM } kind;
};

#define ONE(member, lowest, highest)					\
	{ #member, offsetof(struct sss_limits, member), lowest, highest, NUMBER }
#define THREE(member, lowest, highest)					\
	{ #member, offsetof(struct sss_limits, member), lowest, highest, TRIPLE }
#define NAME(member)							\
	{ #member, offsetof(struct sss_limits, member), 0, 0, ALGORITHM }

static const struct knob knobs[] = {
	ONE(connect_timeout_ms, 10, DAY_MS),
	ONE(initiate_interval_ms, 10, DAY_MS),
	ONE(initiate_interval_max_ms, 10, DAY_MS),
	ONE(initiate_lifetime_ms, 10, DAY_MS),
	/* Longer than the defaults keys must not live: design section 3. */
	ONE(rekey_initiator_ms, 10, 120000),
	ONE(rekey_responder_ms, 10, 150000),
	ONE(stop_send_ms, 10, 180000),
	ONE(stop_receive_ms, 10, 240000),
	ONE(erase_ms, 10, 300000),
	ONE(rekey_packets, 0, 1 << 30),
	ONE(max_ack_delay_us, 0, 1000000),
	ONE(idle_timeout_ms, 10, DAY_MS),
	ONE(down_timeout_ms, 10, DAY_MS),
	ONE(orphan_timeout_ms, 10, DAY_MS),
	ONE(max_orphans, 0, MEGA),
	ONE(max_half_open, 1, MEGA),
	ONE(max_prefix_half_open, 1, MEGA),
	ONE(max_channels, 1, MEGA),
	ONE(max_prefix_channels, 1, MEGA),
	ONE(handshake_queue, 1, 65536),
	ONE(initial_stream_window, 16384, 16 * MEGA),
	ONE(channel_window, 65536, 1024 * MEGA),
	ONE(max_record, 0, 64 * MEGA),
	ONE(max_datagram, 0, 64 * MEGA),
	ONE(datagram_credit, 0, 16 * MEGA),
	ONE(max_streams, 1, SSS_STREAMS_MOST),
	ONE(max_waiting, 1, MEGA),
	ONE(max_prefix_waiting, 1, MEGA),
	ONE(max_memory, 65536, 1024 * MEGA),
	ONE(max_prefix_memory, 65536, 1024 * MEGA),
	ONE(max_peer_memory, 65536, 1024 * MEGA),
	THREE(rmem, 4096, 64 * MEGA),
	THREE(wmem, 4096, 64 * MEGA),
	NAME(congestion_control),
	ONE(allow_loopback, 0, 1),
	ONE(resolve_timeout_ms, 10, DAY_MS),
	ONE(resolve_interval_ms, 10, DAY_MS),
	ONE(max_questions, 0, MEGA),
	ONE(keepalive_ms, 10, DAY_MS),
	ONE(announce_endpoints, 0, 2),
};

#define N_MEMBERS (sizeof(struct sss_limits) / sizeof(u32))

/* min default max: all three or none, and in order */
static int set_triple(sss_ctl_table *table, int write, void *buffer, size_t *len, loff_t *pos)
{
	u32 *limit = table->data;
	u32 value[3] = { READ_ONCE(limit[0]), READ_ONCE(limit[1]), READ_ONCE(limit[2]) };
	struct ctl_table copy = *table;
	int err;

	copy.data = value;
	err = proc_dointvec_minmax(&copy, write, buffer, len, pos);
	if (err || !write)
		return err;
	if (value[0] > value[1] || value[1] > value[2])
		return -EINVAL;
	WRITE_ONCE(limit[0], value[0]);
	WRITE_ONCE(limit[1], value[1]);
	WRITE_ONCE(limit[2], value[2]);
	return 0;
}

/* The name of a congestion control algorithm */
static int set_algorithm(sss_ctl_table *table, int write, void *buffer, size_t *len, loff_t *pos)
{
	char name[SSS_CONG_NAME_MAX];
	struct ctl_table copy = *table;
	u32 *index = table->data;
	int found, err;

	strscpy(name, sss_cong_algorithm(READ_ONCE(*index))->name, sizeof(name));
	copy.data = name;
	copy.maxlen = sizeof(name);
	err = proc_dostring(&copy, write, buffer, len, pos);
	if (err || !write)
		return err;
	found = sss_cong_find(name);
	if (found < 0)
		return found;
	WRITE_ONCE(*index, found);
	return 0;
}

static void fill(struct ctl_table *entry, const struct knob *knob, struct sss_limits *limits)
{
	static proc_handler *const handlers[] = {
		[NUMBER] = proc_dointvec_minmax,
		[TRIPLE] = set_triple,
		[ALGORITHM] = set_algorithm,
	};

	entry->procname = knob->name;
	entry->data = (char *)limits + knob->offset;
	entry->maxlen = sizeof(int) * (knob->kind == TRIPLE ? 3 : 1);
	entry->mode = 0644;
	entry->proc_handler = handlers[knob->kind];
	entry->extra1 = (void *)&knob->min;
	entry->extra2 = (void *)&knob->max;
}

/**
 * sss_sysctl_init() - make net.sss of a namespace
 * @sn: namespace, with limits
 *
 * Return: 0 or -ENOMEM.
 */
int sss_sysctl_init(struct sss_net *sn)
{
	struct ctl_table *table;
	size_t i;

	/* A limit that is in the struct and not in the list is a mistake. */
	BUILD_BUG_ON(ARRAY_SIZE(knobs) + 2 * 2 != N_MEMBERS);

	table = kcalloc(ARRAY_SIZE(knobs) + 1, sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		fill(&table[i], &knobs[i], &sn->limits);
	sn->sysctl_header = sss_compat_register_sysctl(sn->net, "net/sss", table,
						       ARRAY_SIZE(knobs));
	if (!sn->sysctl_header) {
		kfree(table);
		return -ENOMEM;
	}
	return 0;
}

/**
 * sss_sysctl_exit() - remove it
 * @sn: namespace
 */
void sss_sysctl_exit(struct sss_net *sn)
{
	const struct ctl_table *table = sn->sysctl_header->ctl_table_arg;

	unregister_net_sysctl_table(sn->sysctl_header);
	kfree(table);
}
