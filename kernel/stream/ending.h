/* SPDX-License-Identifier: GPL-2.0 */
/* How streams end, what is given back, and events; included by table.h. */
#ifndef _SSS_STREAM_ENDING_H
#define _SSS_STREAM_ENDING_H

/* ending.c */
bool __sss_ending_refuse(struct sss_stream *st, u64 code);
void __sss_ending_below(struct sss_stream *top, u64 code, const u8 *reason, u8 len, bool received);

/* giveback.c */
void __sss_giveback_keep(struct sss_stream *st);

/* event.c */
void __sss_event_raise(struct sss_stream *st, u32 type, u64 value);
void __sss_event_acked(struct sss_stream *st, u64 before);
void __sss_event_received(struct sss_stream *st, u64 before);
void __sss_event_link(struct sss_channel *ch, enum sss_link state);

/* sendq.c: for giveback.c */
void __sss_sendq_freeze(struct sss_stream *st);
bool sss_sendq_look(struct sss_stream *st, u64 offset, struct page **page, u32 *start, u32 *len);
void sss_sendq_drop(struct sss_stream *st, u64 base);

#endif /* _SSS_STREAM_ENDING_H */
