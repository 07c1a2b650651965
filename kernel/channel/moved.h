/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SSS_CHANNEL_MOVED_H
#define _SSS_CHANNEL_MOVED_H

#include "channel/channel.h"

int sss_moved_net_init(struct sss_net *sn);
void sss_moved_net_stop(struct sss_net *sn);
void sss_moved_net_exit(struct sss_net *sn);
void sss_moved_unroutable(struct sss_channel *ch, const union sss_endpoint *to);
void __sss_moved_followed(struct sss_channel *ch, const union sss_endpoint *from, u64 now);

#endif /* _SSS_CHANNEL_MOVED_H */
