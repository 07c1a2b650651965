/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that are made longer than what they carry, so that their sizes tell
 * less of it (protocol.rst, "Padding").
 */
#ifndef _SSS_CHANNEL_PADDING_H
#define _SSS_CHANNEL_PADDING_H

#include "wire/cursor.h"

u32 sss_padding_size(u8 policy, u32 len, u32 most);
void sss_padding_put(struct sss_writer *w, u8 *frames, u32 len);

#endif /* _SSS_CHANNEL_PADDING_H */
