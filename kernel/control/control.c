// SPDX-License-Identifier: GPL-2.0
/* The control floor as a whole, for main. */
#include <linux/errno.h>
#include "control.h"
#include "netlink.h"

/**
 * sss_control_init() - begin to take requests
 *
 * After namespaces are registered and all floors below are ready.
 *
 * Return: 0 or a negative errno.
 */
int __init sss_control_init(void)
{
	return sss_netlink_init();
}

/**
 * sss_control_exit() - take no more requests, send no more events
 */
void sss_control_exit(void)
{
	sss_netlink_exit();
}

/**
 * sss_control_net_init() - make the sysctls and files of a namespace
 * @sn: namespace, with counters and limits
 *
 * Return: 0 or -ENOMEM.
 */
int sss_control_net_init(struct sss_net *sn)
{
	int err = sss_sysctl_init(sn);

	if (err)
		return err;
	err = sss_proc_init(sn);
	if (err)
		sss_sysctl_exit(sn);
	return err;
}

/**
 * sss_control_net_exit() - undo sss_control_net_init()
 * @sn: namespace
 */
void sss_control_net_exit(struct sss_net *sn)
{
	sss_proc_exit(sn);
	sss_sysctl_exit(sn);
}
