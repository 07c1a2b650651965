/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of services and protocols: 1 to SSS_NAME_LEN_MAX bytes of UTF-8
 * without NUL.
 */
#ifndef _SSS_WIRE_NAME_H
#define _SSS_WIRE_NAME_H

#include "pure.h"

#define SSS_NAME_LEN_MAX 45

bool sss_name_is_text(const u8 *text, size_t len);
bool sss_name_is_valid(const u8 *name, size_t len);

#endif /* _SSS_WIRE_NAME_H */
