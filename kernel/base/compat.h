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

/* struct proto_accept_arg: what accept() passes, instead of two arguments */
#ifdef SSS_HAVE_PROTO_ACCEPT_ARG
#define SSS_DEFINE_ACCEPT(name, fn)						\
static int name(struct socket *sock, struct socket *newsock,			\
		struct proto_accept_arg *arg)					\
{										\
	return fn(sock, newsock, arg->flags, arg->kern);			\
}
#else
#define SSS_DEFINE_ACCEPT(name, fn)						\
static int name(struct socket *sock, struct socket *newsock, int flags,	\
		bool kern)							\
{										\
	return fn(sock, newsock, flags, kern);					\
}
#endif

/* Older kernels: sendfile() comes page by page; newer ones use sendmsg(). */
#ifdef SSS_HAVE_SENDPAGE
#define SSS_SENDPAGE_OPS	.sendpage = sock_no_sendpage,
#else
#define SSS_SENDPAGE_OPS
#define MSG_SENDPAGE_NOTLAST	0
#endif

/* hrtimer_setup(): the function is an argument, not set afterwards */
#include <linux/hrtimer.h>
#ifdef SSS_HAVE_HRTIMER_SETUP
#define sss_compat_hrtimer_setup(timer, fn, clock, mode) hrtimer_setup(timer, fn, clock, mode)
#else
static inline void sss_compat_hrtimer_setup(struct hrtimer *timer,
					    enum hrtimer_restart (*fn)(struct hrtimer *),
					    clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

/*
 * A socket that does not keep its namespace alive keeps the memory of struct
 * net instead (net_passive_inc()), and is tracked. sk_free() undoes both.
 */
#ifdef SSS_HAVE_NETNS_PASSIVE
#define sss_compat_hold_net_memory(sk, gfp) do {				\
	net_passive_inc(sock_net(sk));						\
	__netns_tracker_alloc(sock_net(sk), &(sk)->ns_tracker, false, gfp);	\
} while (0)
#elif defined(SSS_HAVE_NETNS_UNCOUNTED)
#define sss_compat_hold_net_memory(sk, gfp) \
	__netns_tracker_alloc(sock_net(sk), &(sk)->ns_tracker, false, gfp)
#else
#define sss_compat_hold_net_memory(sk, gfp) do { } while (0)
#endif

#endif /* _SSS_BASE_COMPAT_H */
