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

/* Tables for sysctl need an empty last entry, or must not have one. */
#ifdef SSS_HAVE_SYSCTL_SIZED
#define SSS_SYSCTL_SENTINEL
#else
#define SSS_SYSCTL_SENTINEL	{ }
#endif

#endif /* _SSS_BASE_COMPAT_H */
