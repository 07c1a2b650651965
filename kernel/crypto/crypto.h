/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SSS_CRYPTO_CRYPTO_H
#define _SSS_CRYPTO_CRYPTO_H

int sss_crypto_init(void);

#endif /* _SSS_CRYPTO_CRYPTO_H */
