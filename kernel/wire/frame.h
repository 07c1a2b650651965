/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames: the one table of them is in frame.c, their bytes are specified in
 * Documentation/protocol.rst. Parsing validates every field against its range;
 * pointers in a parsed frame point into the packet.
 */
#ifndef _SSS_WIRE_FRAME_H
#define _SSS_WIRE_FRAME_H

#include "cursor.h"
#include "ackset.h"
#include "name.h"

enum sss_frame_type {
	SSS_FRAME_PADDING = 0x00,
	SSS_FRAME_PING = 0x01,
	SSS_FRAME_ACK = 0x02,
	SSS_FRAME_ACK_ECN = 0x03,
	SSS_FRAME_INIT = 0x04,
	SSS_FRAME_SERVICE_REPLY = 0x05,
	SSS_FRAME_RESET = 0x06,
	SSS_FRAME_STOP = 0x07,
	SSS_FRAME_WINDOW = 0x08,
	SSS_FRAME_CHANNEL_WINDOW = 0x09,
	SSS_FRAME_MAX_STREAMS = 0x0a,
	SSS_FRAME_DATAGRAM = 0x0b,
	SSS_FRAME_DATAGRAM_DROP = 0x0c,
	SSS_FRAME_PRIORITY = 0x0d,
	SSS_FRAME_PATH_CHALLENGE = 0x0e,
	SSS_FRAME_PATH_RESPONSE = 0x0f,
	SSS_FRAME_STREAM = 0x10,	/* to 0x17: with the three bits below */
	SSS_FRAME_ENDPOINTS = 0x18,
	SSS_FRAME_CLOSE = 0x19,
	SSS_FRAME_TYPES = 0x1a,
};

#define SSS_STREAM_FIN	0x01	/* the stream ends with this frame */
#define SSS_STREAM_LEN	0x02	/* a length field is present; otherwise to the packet's end */
#define SSS_STREAM_MARK	0x04	/* the last octet of offset space is a record mark */

#define SSS_REASON_MAX		255
#define SSS_ENDPOINTS_LEN_MAX	8
#define SSS_ID_ROOT		(~0ULL)	/* parent id of a top-level stream */
#define SSS_ID_MAX		(SSS_VARINT_MAX - 1)	/* stream id: id + 1 is a varint too */
#define SSS_STREAMS_MAX		BIT_ULL(61)	/* ids of one side */
#define SSS_URGENCY_MAX		7
#define SSS_WEIGHT_MIN		1

enum sss_stream_kind {
	SSS_KIND_STREAM = 0,
	SSS_KIND_DATAGRAM = 1,
	SSS_KIND_COUNT
};

/* Why a channel is closed (CLOSE); protocol.rst says when each is used */
enum sss_error {
	SSS_ERROR_NONE = 0,
	SSS_ERROR_INTERNAL = 1,
	SSS_ERROR_FRAME_ENCODING = 2,
	SSS_ERROR_FRAME_TYPE = 3,
	SSS_ERROR_FLOW_CONTROL = 4,
	SSS_ERROR_STREAM_LIMIT = 5,
	SSS_ERROR_STREAM_STATE = 6,
	SSS_ERROR_FINAL_SIZE = 7,
	SSS_ERROR_PROTOCOL = 8,
	SSS_ERROR_OPTIMISTIC_ACK = 9,
	SSS_ERROR_NO_MEMORY = 10,
};

struct sss_frame_ack {
	u64 largest;
	u64 delay_us;
	u64 first_range;	/* numbers below @largest that are acknowledged with it */
	u64 n_ranges;		/* more ranges, in @ranges: read by sss_frame_ack_next() */
	struct sss_cursor ranges;
	u64 ect0, ect1, ce;	/* ACK_ECN */
};

struct sss_frame_init {
	u64 id;
	u64 parent;		/* SSS_ID_ROOT, or the parent's id */
	u8 kind;
	u8 urgency;
	bool incremental;
	u8 weight;		/* 1 to 255 */
	const u8 *service;	/* top level only; not NUL-terminated */
	u8 service_len;
	const u8 *protocol;
	u8 protocol_len;
};

struct sss_frame_service_reply {
	u64 id;
	u8 status;		/* enum sss_service_status of the uapi */
	const u8 *text;
	u8 text_len;
};

struct sss_frame_reset {
	u64 id;
	u64 code;
	u64 final_size;
	bool subtree;
	const u8 *reason;
	u8 reason_len;
};

struct sss_frame_stop {
	u64 id;
	u64 code;
};

struct sss_frame_window {
	u64 id;
	u64 max;
};

struct sss_frame_channel_window {
	u64 max;		/* bytes in unaccepted streams, over the channel's life */
	u64 datagrams;		/* bytes of DATAGRAM frames that may be in flight */
};

struct sss_frame_max_streams {
	u64 parent;		/* SSS_ID_ROOT, or an id */
	u64 count;		/* children that may ever be opened */
};

/*
 * There is no length field: a fragment reaches to the end of the message or of
 * the packet, whichever comes first. So a fragment that is not the message's
 * last (offset + len < total) must end its packet.
 */
struct sss_frame_datagram {
	u64 parent;		/* a stream; never SSS_ID_ROOT */
	u64 message;
	u64 total;
	u64 offset;
	const u8 *data;
	u32 len;		/* 0 only where total is 0 */
};

struct sss_frame_datagram_drop {
	u64 parent;
	u64 message;
};

struct sss_frame_priority {
	u64 id;
	u64 sequence;
	u8 urgency;
	bool incremental;
	u8 weight;
};

struct sss_frame_path {
	u8 data[8];
};

struct sss_frame_stream {
	u64 id;
	u64 offset;
	const u8 *data;
	u32 len;		/* payload bytes, the mark's octet not counted */
	bool fin;
	bool mark;
};

struct sss_wire_endpoint {
	u8 family;		/* 4 or 6 */
	u8 flags;		/* sent as 0, ignored when received */
	u16 port;
	u8 addr[16];
};

struct sss_frame_endpoints {
	u8 n;
	struct sss_wire_endpoint ep[SSS_ENDPOINTS_LEN_MAX];
};

struct sss_frame_close {
	u64 code;
	u8 frame_type;
	const u8 *reason;
	u8 reason_len;
};

struct sss_frame {
	u8 type;		/* STREAM: without its bits; of a refused frame: the byte seen */
	union {
		struct sss_frame_ack ack;
		struct sss_frame_init init;
		struct sss_frame_service_reply service_reply;
		struct sss_frame_reset reset;
		struct sss_frame_stop stop;
		struct sss_frame_window window;
		struct sss_frame_channel_window channel_window;
		struct sss_frame_max_streams max_streams;
		struct sss_frame_datagram datagram;
		struct sss_frame_datagram_drop datagram_drop;
		struct sss_frame_priority priority;
		struct sss_frame_path path;
		struct sss_frame_stream stream;
		struct sss_frame_endpoints endpoints;
		struct sss_frame_close close;
	};
};

/*
 * 0; or a positive enum sss_error (FRAME_TYPE or FRAME_ENCODING): close the channel naming
 * frame->type. A run of PADDING is one frame. Call while sss_cursor_left().
 */
int sss_frame_parse(struct sss_cursor *c, struct sss_frame *frame);
/* 0; -ENOBUFS: does not fit, nothing written; -EINVAL: a field is out of range */
int sss_frame_put(struct sss_writer *w, const struct sss_frame *frame);
bool sss_frame_is_eliciting(u8 type);	/* all but PADDING, ACK, ACK_ECN, CLOSE */
const char *sss_frame_name(u8 type);

/*
 * STREAM on the fast path: writes only the header for @len payload bytes (@len without the
 * mark's octet); the caller appends the payload. @to_end: no length field, nothing follows.
 */
size_t sss_frame_stream_overhead(u64 id, u64 offset, u32 len, bool to_end);
int sss_frame_stream_header(struct sss_writer *w, u64 id, u64 offset, u32 len, bool fin,
			    bool mark, bool to_end);
/* DATAGRAM likewise; a fragment that does not reach @total must fill the packet */
size_t sss_frame_datagram_overhead(u64 parent, u64 message, u64 total, u64 offset);
int sss_frame_datagram_header(struct sss_writer *w, u64 parent, u64 message, u64 total,
			      u64 offset);

/*
 * Newest ranges first, as many as fit in @w's room and @max_ranges; -ENOBUFS if not even one,
 * -EINVAL if @acks is empty. @ecn: counts of ECT(0), ECT(1) and CE, or NULL.
 */
int sss_frame_ack_put(struct sss_writer *w, const struct sss_ackset *acks, u64 delay_us,
		      u32 max_ranges, const u64 ecn[3]);
/*
 * Walks a parsed ACK from the largest range down: [*lo, *hi] inclusive. Start with
 * sss_frame_ack_first(); both were validated when parsed, so next only ends.
 */
struct sss_ack_walk {
	struct sss_cursor c;
	u64 left;
	u64 smallest;
};

void sss_frame_ack_first(const struct sss_frame_ack *ack, struct sss_ack_walk *walk, u64 *lo,
			 u64 *hi);
bool sss_frame_ack_next(struct sss_ack_walk *walk, u64 *lo, u64 *hi);

#endif /* _SSS_WIRE_FRAME_H */
