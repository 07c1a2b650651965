/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SSS_NETLINK_REGSERVER_H
#define SSS_NETLINK_REGSERVER_H

#include <common/conf.h>
#include "sss-netlink.h"

/* The settings whose servers are meant: FILE, or those of the agent here, or usual ones */
const char *regserver_file(const char *file);
/* regserver_ask.c */
int regserver_show(struct args *args);
int regserver_search(struct args *args);
int regserver_lookup(struct args *args);

#endif /* SSS_NETLINK_REGSERVER_H */
