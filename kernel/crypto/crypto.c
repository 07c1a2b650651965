// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include "aead.h"
#include "cookie.h"
#include "crypto.h"
#include "keys.h"
#include "noise.h"
#include "ratelimiter.h"

#ifdef DEBUG
static int __init selftest(void)
{
	int err;

	err = sss_aead_selftest();
	if (!err)
		err = sss_noise_selftest();
	if (!err)
		err = sss_keys_selftest();
	if (!err)
		err = sss_cookie_selftest();
	if (!err)
		err = sss_ratelimiter_selftest();
	return err;
}
#else
static int __init selftest(void)
{
	return 0;
}
#endif

/**
 * sss_crypto_init() - ready the floor for use; with DEBUG, test it
 *
 * Before anything else of the module.
 *
 * Return: 0; -ENOTRECOVERABLE if a self-test fails, -ENOMEM if it cannot run.
 */
int __init sss_crypto_init(void)
{
	sss_noise_init();
	return selftest();
}
