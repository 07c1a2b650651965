/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the self-tests of this folder share. They are included at the end of
 * the file they test, so that they see its statics.
 */
#ifndef _SSS_CRYPTO_SELFTEST_CHECK_H
#define _SSS_CRYPTO_SELFTEST_CHECK_H

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>

/* Says which expectation failed, and makes the test fail. */
#define CHECK(condition)						\
	({								\
		bool __ok = condition;					\
									\
		if (!__ok) {						\
			pr_err("self-test %s:%d failed: %s\n",		\
			       __func__, __LINE__, #condition);		\
			failures++;					\
		}							\
		__ok;							\
	})

#define REPORT(name)							\
	({								\
		if (!failures)						\
			pr_info("%s self-tests: pass\n", name);		\
		failures ? -ENOTRECOVERABLE : 0;			\
	})

#endif /* _SSS_CRYPTO_SELFTEST_CHECK_H */
