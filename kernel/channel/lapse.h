/* SPDX-License-Identifier: GPL-2.0 */
/* Keys that end before their time: sleep, copies of the machine. */
#ifndef _SSS_CHANNEL_LAPSE_H
#define _SSS_CHANNEL_LAPSE_H

#include <linux/types.h>

int sss_lapse_init(void);
void sss_lapse_exit(void);
bool sss_lapse_asleep(void);

#endif /* _SSS_CHANNEL_LAPSE_H */
