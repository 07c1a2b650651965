// SPDX-License-Identifier: GPL-2.0
/* /proc/net/sss_stat: every counter and gauge, one "Name value" a line. */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "base/netns.h"
#include "control.h"

static int show(struct seq_file *seq, void *unused)
{
	const struct sss_net *sn = sss_netns(seq_file_single_net(seq));
	int id;

	for (id = 0; id < SSS_MIB_COUNT; id++)
		seq_printf(seq, "%-20s %llu\n", sss_mib_name(id), sss_mib_sum(sn, id));
	for (id = 0; id < SSS_GAUGE_COUNT; id++)
		seq_printf(seq, "%-20s %ld\n", sss_mib_gauge_name(id),
			   atomic_long_read(&sn->gauge[id]));
	return 0;
}

/**
 * sss_proc_init() - make the files of a namespace
 * @sn: namespace
 *
 * Return: 0 or -ENOMEM.
 */
int sss_proc_init(struct sss_net *sn)
{
	if (!proc_create_net_single("sss_stat", 0444, sn->net->proc_net, show, NULL))
		return -ENOMEM;
	return 0;
}

/**
 * sss_proc_exit() - remove them
 * @sn: namespace
 */
void sss_proc_exit(struct sss_net *sn)
{
	remove_proc_entry("sss_stat", sn->net->proc_net);
}
