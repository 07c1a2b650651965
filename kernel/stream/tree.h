/* SPDX-License-Identifier: GPL-2.0 */
/* Streams on streams, and streams that the peer opens; included by table.h. Essay in tree.c. */
#ifndef _SSS_STREAM_TREE_H
#define _SSS_STREAM_TREE_H

void __sss_tree_born(struct sss_stream *st);
int __sss_tree_credit(struct sss_channel *ch, const struct sss_frame_max_streams *max);
bool __sss_tree_put_init(struct sss_stream *st, struct sss_tx_packet *pkt,
			 bool (*put)(struct sss_stream *st, struct sss_tx_packet *pkt));
bool __sss_tree_is_busy(const struct sss_stream *st);
void __sss_tree_leave(struct sss_stream *st);
void __sss_tree_forget_mother(struct sss_stream *st);
u64 __sss_tree_granted(struct sss_stream *st);
void __sss_tree_credit_lost(struct sss_stream *st, u64 count);
int __sss_tree_admit(struct sss_stream *parent);
bool __sss_tree_arrived(struct sss_stream *parent, struct sss_stream *child, bool wanted);
void __sss_tree_settled(struct sss_stream *child);
void sss_tree_notify(struct sss_stream *st);
struct sss_listener *sss_tree_listener(struct sss_stream *st);
void sss_tree_free(struct sss_stream *st);

/* arrive.c */
int __sss_arrive_stream(struct sss_channel *ch, const struct sss_frame_init *init);
void __sss_arrive_over(struct sss_stream *st);
const struct sss_request *sss_arrive_service(const struct sss_stream *st);

#endif /* _SSS_STREAM_TREE_H */
