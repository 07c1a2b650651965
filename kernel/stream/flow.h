/* SPDX-License-Identifier: GPL-2.0 */
/* Flow control, for the other files of this floor */
#ifndef _SSS_STREAM_FLOW_H
#define _SSS_STREAM_FLOW_H

#include "stream/stream.h"

int __sss_flow_check(struct sss_stream *st, u64 end);
void __sss_flow_received(struct sss_stream *st, u64 before, u64 after);
void __sss_flow_accepted(struct sss_stream *st);
bool __sss_flow_for_record(struct sss_stream *st);
bool __sss_flow_over_hole(struct sss_stream *st);
bool sss_flow_consumed(struct sss_stream *st, const struct sock *sk);
void __sss_flow_leave(struct sss_stream *st);
u64 __sss_flow_may_send(const struct sss_stream *st);
void __sss_flow_sent(struct sss_stream *st, u64 before, u64 after);
void __sss_flow_pool(struct sss_channel *ch, u64 max);
void __sss_flow_stream_closed(struct sss_channel *ch);
void __sss_flow_grant_streams(struct sss_channel *ch);
u64 sss_flow_streams_granted(const struct sss_channel *ch);

#endif /* _SSS_STREAM_FLOW_H */
