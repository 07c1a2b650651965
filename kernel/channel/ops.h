/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the channel floor asks of the stream floor, and what both hand each
 * other: packets being filled and applied, frames whose fate is to be known.
 */
#ifndef _SSS_CHANNEL_OPS_H
#define _SSS_CHANNEL_OPS_H

#include <linux/types.h>
#include <linux/sss.h>
#include "net/endpoint.h"
#include "wire/cursor.h"
#include "wire/frame.h"

struct sk_buff;
struct sss_channel;
struct sss_host;

#define SSS_TX_FRAMES_MAX	24	/* frames whose fate one packet remembers */

/**
 * struct sss_sent_frame - a frame whose fate its owner wants to know
 * @type: frame type byte as sent
 * @flags: the owner's
 * @len: STREAM: octets of offset space without FIN; else the owner's
 * @id: stream id; else the owner's
 * @value: STREAM: offset; else the owner's (a limit, a sequence number)
 */
struct sss_sent_frame {
	u8 type;
	u8 flags;
	u32 len;
	u64 id;
	u64 value;
};

/**
 * struct sss_tx_packet - a packet being filled; exists under the channel lock
 * @w: where frames go; its room is what the packet may still take
 * @frames: those noted by sss_tx_note()
 * @n_frames: how many
 * @eliciting: holds a frame that the peer must acknowledge
 * @full: nothing may follow (a STREAM frame without length ends the packet)
 * @probe: sent by a probe timeout: data may be sent again although not lost
 * @background: its data are of streams in the background
 */
struct sss_tx_packet {
	struct sss_writer w;
	struct sss_sent_frame frames[SSS_TX_FRAMES_MAX];
	unsigned int n_frames;
	bool eliciting;
	bool full;
	bool probe;
	bool background;
};

/**
 * struct sss_rx_packet - an authenticated packet being applied
 * @skb: memory that frame data points into; keep it with skb_get(), free it
 *	with consume_skb()
 * @truesize: share of the skb's truesize that this packet stands for
 * @whole: all of it, if other packets came in the same skb; else 0
 * @copy: keeping the skb would pin far more than it carries: copy the data
 * @number: packet number
 * @now: when it came, ns (ktime_get)
 * @from: its source
 */
struct sss_rx_packet {
	struct sk_buff *skb;
	u32 truesize;
	u32 whole;
	bool copy;
	u64 number;
	u64 now;
	const union sss_endpoint *from;
};

/**
 * struct sss_request - the service a connect() wants
 */
struct sss_request {
	u8 kind;
	char service[SSS_NAME_MAX + 1];
	char protocol[SSS_NAME_MAX + 1];
};

/**
 * struct sss_channel_ops - the stream floor, as the channel sees it
 * @init: make ch->streams; process or softirq context, GFP_ATOMIC, no lock
 * @free: free ch->streams, all streams being gone; RCU callback context
 * @lookup: answer a service request in an INITIATE; creates nothing. @text has
 *	SSS_HS_TEXT_MAX + 1 bytes. Process context
 * @answered: RESPOND answered @request: every connecting stream that asked the
 *	same has its reply. Process context, no lock held
 * @refused: RESPOND said, in the words of @text, that there will be no channel: every
 *	connecting stream has its reply. Channel lock held; deliver() follows
 * @up: keys can be used for sending, for the first time or again. Process or
 *	softirq context, no lock held; transmission follows by itself
 * @connect_failed: no handshake came about: streams still connecting end with
 *	@err (negative errno); others stay. Channel lock held; deliver() follows
 * @end: the channel is closed: every stream ends with @err. No lock held,
 *	called once, process or softirq context
 * @receive: apply one frame. Channel lock held. Returns 0; -ENOMEM: the
 *	packet counts as never received (frames are idempotent); or a positive
 *	enum sss_error: the peer broke the protocol
 * @deliver: a batch was applied: wake who waits. No lock held, BH off
 * @pending: something could be sent if congestion control allowed it.
 *	Channel lock held
 * @fill: put frames into the packet: control frames first, then data in order
 *	of priority. Channel lock held. Notes each with sss_tx_note()
 * @acked: a noted frame was acknowledged. Channel lock held
 * @lost: a noted frame was lost: send what still matters of it again in
 *	another packet. Channel lock held
 * @restart: the peer's state is new: streams that the old one knew end with
 *	-ECONNRESET, those never sent go on, ids start anew. No lock held
 * @tick: orphans and other slow timers of streams. Channel lock held. Returns
 *	when to be called again, ns, 0: never
 * @link: link state changed (enum sss_link). Channel lock held; deliver() follows
 */
struct sss_channel_ops {
	int (*init)(struct sss_channel *ch);
	void (*free)(struct sss_channel *ch);
	u8 (*lookup)(struct sss_host *host, const struct sss_eid *from,
		     const struct sss_request *request, char *text);
	void (*answered)(struct sss_channel *ch, const struct sss_request *request,
			 u8 status, const char *text);
	void (*refused)(struct sss_channel *ch, const char *text);
	void (*up)(struct sss_channel *ch);
	void (*connect_failed)(struct sss_channel *ch, int err);
	void (*end)(struct sss_channel *ch, int err);
	int (*receive)(struct sss_channel *ch, const struct sss_frame *frame,
		       const struct sss_rx_packet *pkt);
	void (*deliver)(struct sss_channel *ch);
	bool (*pending)(struct sss_channel *ch);
	void (*fill)(struct sss_channel *ch, struct sss_tx_packet *pkt);
	void (*acked)(struct sss_channel *ch, const struct sss_sent_frame *frame);
	void (*lost)(struct sss_channel *ch, const struct sss_sent_frame *frame);
	void (*restart)(struct sss_channel *ch);
	u64 (*tick)(struct sss_channel *ch, u64 now);
	void (*link)(struct sss_channel *ch, enum sss_link link);
};

extern const struct sss_channel_ops *sss_channel_ops;

/**
 * sss_tx_note() - remember a frame so that its owner learns its fate
 * @pkt: packet it was just written to
 * @type: frame type as written
 * @id: stream id, or the owner's
 * @value: offset, or the owner's
 * @len: octets, or the owner's
 * @flags: the owner's
 *
 * A caller checks sss_tx_may_note() before it writes the frame.
 */
static inline void sss_tx_note(struct sss_tx_packet *pkt, u8 type, u64 id, u64 value,
			       u32 len, u8 flags)
{
	if (WARN_ON_ONCE(pkt->n_frames >= SSS_TX_FRAMES_MAX))
		return;
	pkt->frames[pkt->n_frames++] = (struct sss_sent_frame){
		.type = type, .flags = flags, .len = len, .id = id, .value = value,
	};
	pkt->eliciting = true;
}

static inline bool sss_tx_may_note(const struct sss_tx_packet *pkt)
{
	return !pkt->full && pkt->n_frames < SSS_TX_FRAMES_MAX;
}

#endif /* _SSS_CHANNEL_OPS_H */
