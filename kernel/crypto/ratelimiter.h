/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Token bucket per source, an IPv4 /24 or an IPv6 /64: for handshake messages
 * from those that proved their address, and for answers to those that did not.
 */
#ifndef _SSS_CRYPTO_RATELIMITER_H
#define _SSS_CRYPTO_RATELIMITER_H

#include <linux/socket.h>
#include <linux/types.h>

struct sss_ratelimiter;

struct sss_ratelimiter *sss_ratelimiter_create(void);
void sss_ratelimiter_destroy(struct sss_ratelimiter *limiter);
bool sss_ratelimiter_allow(struct sss_ratelimiter *limiter,
			   const struct sockaddr *from);
bool sss_ratelimiter_allow_unproved(struct sss_ratelimiter *limiter,
				    const struct sockaddr *from);

int sss_ratelimiter_selftest(void);

#endif /* _SSS_CRYPTO_RATELIMITER_H */
