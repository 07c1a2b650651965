/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control floor: generic netlink, sysctls and /proc/net. It configures
 * what lies below and is called by main only; see netlink.h for what its own
 * files share.
 */
#ifndef _SSS_CONTROL_CONTROL_H
#define _SSS_CONTROL_CONTROL_H

struct sss_net;

int sss_control_init(void);
void sss_control_exit(void);
int sss_control_net_init(struct sss_net *sn);
void sss_control_net_exit(struct sss_net *sn);

int sss_sysctl_init(struct sss_net *sn);
void sss_sysctl_exit(struct sss_net *sn);
int sss_proc_init(struct sss_net *sn);
void sss_proc_exit(struct sss_net *sn);

#endif /* _SSS_CONTROL_CONTROL_H */
