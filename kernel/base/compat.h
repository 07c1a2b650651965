/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place for differences between kernels. SSS_HAVE_* come from Kbuild,
 * which looks for the declaration itself; there are no version numbers here.
 * One block per difference, each saying what the newer kernel has.
 */
#ifndef _SSS_BASE_COMPAT_H
#define _SSS_BASE_COMPAT_H

#include <linux/types.h>

/* <linux/unaligned.h>: get_unaligned_*(), put_unaligned_*() */
#ifdef SSS_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* <crypto/utils.h>: crypto_memneq() */
#ifdef SSS_HAVE_CRYPTO_UTILS
#include <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif

/*
 * register_net_sysctl_sz(): no empty last entry, which a table must not have
 * any more; the older function stops at it. Ours has room for one behind @n.
 */
#include <net/net_namespace.h>
#ifdef SSS_HAVE_SYSCTL_SIZED
#define sss_compat_register_sysctl(net, path, table, n) \
	register_net_sysctl_sz(net, path, table, n)
#else
#define sss_compat_register_sysctl(net, path, table, n) \
	register_net_sysctl(net, path, table)
#endif

/* Handlers of sysctls get the table const. */
#ifdef SSS_HAVE_CONST_CTL_TABLE
#define sss_ctl_table const struct ctl_table
#else
#define sss_ctl_table struct ctl_table
#endif

#endif /* _SSS_BASE_COMPAT_H */
