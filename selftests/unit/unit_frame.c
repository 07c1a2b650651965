// SPDX-License-Identifier: GPL-2.0
/* Every frame, with random fields: round trip, cut off anywhere, corrupted anywhere. */
#include <stdlib.h>
#include "../../kernel/wire/frame.h"
#include "random_frame.h"
#include "kselftest_harness.h"

#define BUF 4000
#define DATA 200

/* Types as they are put: STREAM once */
static u8 next_type(u8 type)
{
	return type == SSS_FRAME_STREAM ? SSS_FRAME_ENDPOINTS : type + 1;
}

static bool bytes_same(const u8 *a, size_t a_len, const u8 *b, size_t b_len)
{
	return a_len == b_len && (!a_len || !memcmp(a, b, a_len));
}

static bool ack_same(const struct sss_frame_ack *a, const struct sss_frame_ack *b)
{
	return a->largest == b->largest && a->delay_us == b->delay_us &&
	       a->first_range == b->first_range && a->n_ranges == b->n_ranges &&
	       a->ect0 == b->ect0 && a->ect1 == b->ect1 && a->ce == b->ce &&
	       bytes_same(a->ranges.p, sss_cursor_left(&a->ranges), b->ranges.p,
			  sss_cursor_left(&b->ranges));
}

static bool init_same(const struct sss_frame_init *a, const struct sss_frame_init *b)
{
	return a->id == b->id && a->parent == b->parent && a->kind == b->kind &&
	       a->urgency == b->urgency && a->incremental == b->incremental &&
	       a->weight == b->weight &&
	       bytes_same(a->service, a->service_len, b->service, b->service_len) &&
	       bytes_same(a->protocol, a->protocol_len, b->protocol, b->protocol_len);
}

static bool endpoints_same(const struct sss_frame_endpoints *a,
			   const struct sss_frame_endpoints *b)
{
	int i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (a->ep[i].family != b->ep[i].family || a->ep[i].flags != b->ep[i].flags ||
		    a->ep[i].port != b->ep[i].port ||
		    memcmp(a->ep[i].addr, b->ep[i].addr, sizeof(a->ep[i].addr)))
			return false;
	}
	return true;
}

static bool same(const struct sss_frame *a, const struct sss_frame *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case SSS_FRAME_ACK:
	case SSS_FRAME_ACK_ECN:
		return ack_same(&a->ack, &b->ack);
	case SSS_FRAME_INIT:
		return init_same(&a->init, &b->init);
	case SSS_FRAME_SERVICE_REPLY:
		return a->service_reply.id == b->service_reply.id &&
		       a->service_reply.status == b->service_reply.status &&
		       bytes_same(a->service_reply.text, a->service_reply.text_len,
				  b->service_reply.text, b->service_reply.text_len);
	case SSS_FRAME_RESET:
		return a->reset.id == b->reset.id && a->reset.code == b->reset.code &&
		       a->reset.final_size == b->reset.final_size &&
		       a->reset.subtree == b->reset.subtree &&
		       bytes_same(a->reset.reason, a->reset.reason_len,
				  b->reset.reason, b->reset.reason_len);
	case SSS_FRAME_STOP:
		return a->stop.id == b->stop.id && a->stop.code == b->stop.code;
	case SSS_FRAME_WINDOW:
		return a->window.id == b->window.id && a->window.max == b->window.max;
	case SSS_FRAME_CHANNEL_WINDOW:
		return a->channel_window.max == b->channel_window.max &&
		       a->channel_window.datagrams == b->channel_window.datagrams;
	case SSS_FRAME_MAX_STREAMS:
		return a->max_streams.parent == b->max_streams.parent &&
		       a->max_streams.count == b->max_streams.count;
	case SSS_FRAME_DATAGRAM:
		return a->datagram.parent == b->datagram.parent &&
		       a->datagram.message == b->datagram.message &&
		       a->datagram.total == b->datagram.total &&
		       a->datagram.offset == b->datagram.offset &&
		       bytes_same(a->datagram.data, a->datagram.len,
				  b->datagram.data, b->datagram.len);
	case SSS_FRAME_DATAGRAM_DROP:
		return a->datagram_drop.parent == b->datagram_drop.parent &&
		       a->datagram_drop.message == b->datagram_drop.message;
	case SSS_FRAME_PRIORITY:
		return a->priority.id == b->priority.id &&
		       a->priority.sequence == b->priority.sequence &&
		       a->priority.urgency == b->priority.urgency &&
		       a->priority.incremental == b->priority.incremental &&
		       a->priority.weight == b->priority.weight;
	case SSS_FRAME_PATH_CHALLENGE:
	case SSS_FRAME_PATH_RESPONSE:
		return !memcmp(a->path.data, b->path.data, sizeof(a->path.data));
	case SSS_FRAME_STREAM:
		return a->stream.id == b->stream.id && a->stream.offset == b->stream.offset &&
		       a->stream.fin == b->stream.fin && a->stream.mark == b->stream.mark &&
		       bytes_same(a->stream.data, a->stream.len, b->stream.data, b->stream.len);
	case SSS_FRAME_ENDPOINTS:
		return endpoints_same(&a->endpoints, &b->endpoints);
	case SSS_FRAME_CLOSE:
		return a->close.code == b->close.code &&
		       a->close.frame_type == b->close.frame_type &&
		       bytes_same(a->close.reason, a->close.reason_len,
				  b->close.reason, b->close.reason_len);
	}
	return true;
}

/* Bytes in a block of their exact size: the sanitizer sees a read beyond it */
static u8 *exact(const u8 *bytes, size_t len)
{
	u8 *copy = malloc(len + !len);

	memcpy(copy, bytes, len);
	return copy;
}

FIXTURE(frame)
{
	struct random_bytes bytes;
	struct sss_frame f, got;
	struct sss_cursor c;
	struct sss_writer w;
	u8 buf[BUF];
	u64 state;
};

FIXTURE_SETUP(frame)
{
	self->state = 1;
}

FIXTURE_TEARDOWN(frame)
{
}

/* Writes a random frame of @type into @buf; its length */
#define MAKE(type) ({ \
	random_frame(&self->state, type, &self->f, &self->bytes, DATA); \
	sss_writer_init(&self->w, self->buf, sizeof(self->buf)); \
	ASSERT_EQ(0, sss_frame_put(&self->w, &self->f)) { \
		TH_LOG("%s", sss_frame_name(type)); \
	} \
	(size_t)(self->w.p - self->buf); \
})

TEST_F(frame, round_trip)
{
	size_t len;
	u8 type;
	int i;

	for (type = 0; type < SSS_FRAME_TYPES; type = next_type(type)) {
		for (i = 0; i < 3000; i++) {
			len = MAKE(type);
			sss_cursor_init(&self->c, self->buf, len);
			ASSERT_EQ(0, sss_frame_parse(&self->c, &self->got)) {
				TH_LOG("%s %d", sss_frame_name(type), i);
			}
			ASSERT_EQ(0, sss_cursor_left(&self->c));
			ASSERT_TRUE(same(&self->f, &self->got)) {
				TH_LOG("%s %d", sss_frame_name(type), i);
			}
		}
	}
}

TEST_F(frame, several_in_a_packet)
{
	u8 types[40];
	size_t at;
	int i, n;

	for (i = 0; i < 2000; i++) {
		struct random_bytes bytes[40];
		struct sss_frame frames[40];

		sss_writer_init(&self->w, self->buf, 1200);
		for (n = 0; n < 40; n++) {
			types[n] = 1 + random_below(&self->state, SSS_FRAME_TYPES - 1);
			if ((types[n] & ~7) == SSS_FRAME_STREAM)
				types[n] = SSS_FRAME_STREAM;
			random_frame(&self->state, types[n], &frames[n], &bytes[n], 100);
			at = self->w.p - self->buf;
			if (!sss_frame_put(&self->w, &frames[n]))
				continue;
			/* it does not fit, and nothing of it is written */
			ASSERT_EQ(at, self->w.p - self->buf);
			ASSERT_FALSE(self->w.bad);
			/* with more room it does, and goes on where it should */
			self->w.end = self->buf + sizeof(self->buf);
			ASSERT_EQ(0, sss_frame_put(&self->w, &frames[n]));
			ASSERT_GT(self->w.p - self->buf, 1200);
			break;
		}
		sss_cursor_init(&self->c, self->buf, self->w.p - self->buf);
		for (n = 0; sss_cursor_left(&self->c); n++) {
			ASSERT_EQ(0, sss_frame_parse(&self->c, &self->got));
			ASSERT_TRUE(same(&frames[n], &self->got));
		}
	}
}

TEST_F(frame, cut_off_anywhere)
{
	size_t len, cut;
	u8 *bytes;
	int i, err;
	u8 type;

	for (type = 0; type < SSS_FRAME_TYPES; type = next_type(type)) {
		for (i = 0; i < 50; i++) {
			len = MAKE(type);
			for (cut = 1; cut < len; cut++) {
				bytes = exact(self->buf, cut);
				sss_cursor_init(&self->c, bytes, cut);
				err = sss_frame_parse(&self->c, &self->got);
				/* a datagram that is cut is a fragment */
				if (type == SSS_FRAME_DATAGRAM && !err) {
					ASSERT_LT(self->got.datagram.len, self->f.datagram.len);
					ASSERT_EQ(self->f.datagram.total,
						  self->got.datagram.total);
				} else {
					ASSERT_EQ(SSS_ERROR_FRAME_ENCODING, err) {
						TH_LOG("%s cut at %zu of %zu",
						       sss_frame_name(type), cut, len);
					}
				}
				free(bytes);
			}
		}
	}
}

/* Whatever comes, nothing outside is read, and what is taken is written the same */
static void parse_all(struct __test_metadata *_metadata, FIXTURE_DATA(frame) *self,
		      const u8 *bytes, size_t len)
{
	u8 again[BUF];

	sss_cursor_init(&self->c, bytes, len);
	while (sss_cursor_left(&self->c)) {
		const u8 *at = self->c.p;
		int err = sss_frame_parse(&self->c, &self->got);
		size_t used = self->c.p - at;

		if (err) {
			ASSERT_TRUE(err == SSS_ERROR_FRAME_ENCODING ||
				    err == SSS_ERROR_FRAME_TYPE);
			ASSERT_EQ(*at, self->got.type);
			return;
		}
		if (self->got.type == SSS_FRAME_PADDING)
			continue;
		sss_writer_init(&self->w, again, sizeof(again));
		if ((*at & ~5) == SSS_FRAME_STREAM) {
			ASSERT_EQ(0, sss_frame_stream_header(&self->w, self->got.stream.id,
							     self->got.stream.offset,
							     self->got.stream.len,
							     self->got.stream.fin,
							     self->got.stream.mark, true));
			sss_writer_bytes(&self->w, self->got.stream.data, self->got.stream.len);
		} else {
			ASSERT_EQ(0, sss_frame_put(&self->w, &self->got));
		}
		ASSERT_EQ(used, self->w.p - again);
		ASSERT_EQ(0, memcmp(again, at, used));
	}
}

TEST_F(frame, corrupted_anywhere)
{
	size_t len, at;
	u8 *bytes, type;
	int i;

	for (type = 0; type < SSS_FRAME_TYPES; type = next_type(type)) {
		for (i = 0; i < 20; i++) {
			len = MAKE(type);
			bytes = exact(self->buf, len);
			for (at = 0; at < len; at++) {
				int value, before = bytes[at];

				for (value = 0; value < 256; value += 1 + (at > 30) * 16) {
					bytes[at] = value;
					parse_all(_metadata, self, bytes, len);
				}
				bytes[at] = before;
			}
			free(bytes);
		}
	}
}

TEST_F(frame, noise)
{
	size_t len, k;
	u8 *bytes;
	int i;

	for (i = 0; i < 200000; i++) {
		len = 1 + random_below(&self->state, 64);
		for (k = 0; k < len; k++)
			self->buf[k] = random_u64(&self->state);
		self->buf[0] %= SSS_FRAME_TYPES + 1;
		bytes = exact(self->buf, len);
		parse_all(_metadata, self, bytes, len);
		free(bytes);
	}
}

/* A frame is written whole or not at all */
TEST_F(frame, room)
{
	size_t len, room;
	u8 type;
	int i;

	for (type = 0; type < SSS_FRAME_TYPES; type = next_type(type)) {
		for (i = 0; i < 20; i++) {
			len = MAKE(type);
			for (room = 0; room <= len; room++) {
				u8 *small = malloc(room + !room);

				sss_writer_init(&self->w, small, room);
				ASSERT_EQ(room < len ? -ENOBUFS : 0,
					  sss_frame_put(&self->w, &self->f));
				ASSERT_EQ(room < len ? 0 : len, self->w.p - small);
				ASSERT_FALSE(self->w.bad);
				free(small);
			}
		}
	}
}

#define REFUSED(type, set) do { \
	struct sss_frame *f = &self->f; \
	\
	MAKE(type); \
	set; \
	sss_writer_init(&self->w, self->buf, sizeof(self->buf)); \
	EXPECT_EQ(-EINVAL, sss_frame_put(&self->w, f)); \
	EXPECT_EQ(&self->buf[0], self->w.p); \
} while (0)

TEST_F(frame, out_of_range_is_not_written)
{
	const u64 big = SSS_VARINT_MAX + 1;

	REFUSED(SSS_FRAME_PING, f->type = SSS_FRAME_TYPES);
	REFUSED(SSS_FRAME_ACK, f->ack.largest = big);
	REFUSED(SSS_FRAME_ACK, f->ack.delay_us = big);
	REFUSED(SSS_FRAME_ACK, f->ack.first_range = f->ack.largest + 1);
	REFUSED(SSS_FRAME_ACK, f->ack.n_ranges++);
	REFUSED(SSS_FRAME_ACK_ECN, f->ack.ce = big);
	REFUSED(SSS_FRAME_INIT, f->init.id = SSS_ID_MAX + 1);
	REFUSED(SSS_FRAME_INIT, f->init.parent = SSS_ID_MAX + 1);
	REFUSED(SSS_FRAME_INIT, f->init.parent = f->init.id);
	REFUSED(SSS_FRAME_INIT, f->init.kind = SSS_KIND_COUNT);
	REFUSED(SSS_FRAME_INIT, f->init.urgency = 8);
	REFUSED(SSS_FRAME_INIT, f->init.weight = 0);
	REFUSED(SSS_FRAME_INIT, (f->init.parent = SSS_ID_ROOT, f->init.service_len = 0));
	REFUSED(SSS_FRAME_INIT, (f->init.parent = SSS_ID_ROOT, f->init.protocol_len = 46));
	REFUSED(SSS_FRAME_INIT, (f->init.parent = SSS_ID_ROOT, f->init.service = NULL));
	REFUSED(SSS_FRAME_INIT, (f->init.id = 1, f->init.parent = 0, f->init.service_len = 1));
	REFUSED(SSS_FRAME_SERVICE_REPLY, f->service_reply.id = SSS_ID_ROOT);
	REFUSED(SSS_FRAME_RESET, f->reset.id = SSS_ID_MAX + 1);
	REFUSED(SSS_FRAME_RESET, f->reset.code = big);
	REFUSED(SSS_FRAME_RESET, f->reset.final_size = big);
	REFUSED(SSS_FRAME_STOP, f->stop.code = big);
	REFUSED(SSS_FRAME_WINDOW, f->window.max = big);
	REFUSED(SSS_FRAME_CHANNEL_WINDOW, f->channel_window.max = big);
	REFUSED(SSS_FRAME_CHANNEL_WINDOW, f->channel_window.datagrams = big);
	REFUSED(SSS_FRAME_MAX_STREAMS, f->max_streams.count = SSS_STREAMS_MAX + 1);
	REFUSED(SSS_FRAME_DATAGRAM, f->datagram.parent = SSS_ID_ROOT);
	REFUSED(SSS_FRAME_DATAGRAM, f->datagram.offset = f->datagram.total + 1);
	REFUSED(SSS_FRAME_DATAGRAM, f->datagram.len = f->datagram.total -
		f->datagram.offset + 1);
	REFUSED(SSS_FRAME_DATAGRAM, (f->datagram.total = 5, f->datagram.offset = 0,
				     f->datagram.len = 0));
	REFUSED(SSS_FRAME_DATAGRAM_DROP, f->datagram_drop.message = big);
	REFUSED(SSS_FRAME_PRIORITY, f->priority.sequence = big);
	REFUSED(SSS_FRAME_PRIORITY, f->priority.urgency = 8);
	REFUSED(SSS_FRAME_PRIORITY, f->priority.weight = 0);
	REFUSED(SSS_FRAME_STREAM, f->stream.id = SSS_ID_MAX + 1);
	REFUSED(SSS_FRAME_STREAM, (f->stream.mark = true,
				   f->stream.offset = SSS_VARINT_MAX - f->stream.len));
	REFUSED(SSS_FRAME_STREAM, (f->stream.len = 1, f->stream.data = NULL));
	REFUSED(SSS_FRAME_ENDPOINTS, f->endpoints.n = 0);
	REFUSED(SSS_FRAME_ENDPOINTS, f->endpoints.n = 9);
	REFUSED(SSS_FRAME_ENDPOINTS, f->endpoints.ep[0].family = 5);
	REFUSED(SSS_FRAME_ENDPOINTS, f->endpoints.ep[0].port = 0);
	REFUSED(SSS_FRAME_CLOSE, f->close.code = big);
	REFUSED(SSS_FRAME_CLOSE, (f->close.reason_len = 1, f->close.reason = NULL));
}

TEST_F(frame, padding_is_one_frame)
{
	memset(self->buf, 0, 100);
	self->buf[100] = SSS_FRAME_PING;
	sss_cursor_init(&self->c, self->buf, 101);
	EXPECT_EQ(0, sss_frame_parse(&self->c, &self->got));
	EXPECT_EQ(SSS_FRAME_PADDING, self->got.type);
	EXPECT_EQ(1, sss_cursor_left(&self->c));
	EXPECT_EQ(0, sss_frame_parse(&self->c, &self->got));
	EXPECT_EQ(SSS_FRAME_PING, self->got.type);
	EXPECT_EQ(0, sss_cursor_left(&self->c));
}

/* What is promised for bulk: 36 bytes a packet with ids below 2^14, 41 always */
TEST_F(frame, stream_overhead)
{
	u64 far = SSS_VARINT_MAX - 2000;

	EXPECT_LE(24 + sss_frame_stream_overhead(16383, far, 1400, true), 36);
	EXPECT_LE(24 + sss_frame_stream_overhead(SSS_ID_MAX, far, 1400, true), 41);

	sss_writer_init(&self->w, self->buf, 17);
	EXPECT_EQ(0, sss_frame_stream_header(&self->w, SSS_ID_MAX, far, 1400, 0, 0, true));
	EXPECT_EQ(17, self->w.p - self->buf);
	sss_writer_init(&self->w, self->buf, 16);
	EXPECT_EQ(-ENOBUFS,
		  sss_frame_stream_header(&self->w, SSS_ID_MAX, far, 1400, 0, 0, true));
	EXPECT_EQ(&self->buf[0], self->w.p);
}

TEST_F(frame, datagram_fragments)
{
	u8 message[300], whole[300];
	u64 offset = 0;
	size_t room, len;

	for (len = 0; len < sizeof(message); len++)
		message[len] = len * 7;
	/* packets of 64 bytes, the last with room to spare for a PING */
	while (offset < sizeof(message)) {
		sss_writer_init(&self->w, self->buf, 64);
		ASSERT_EQ(0, sss_frame_datagram_header(&self->w, 4, 9, sizeof(message), offset));
		ASSERT_EQ(sss_frame_datagram_overhead(4, 9, sizeof(message), offset),
			  self->w.p - self->buf);
		room = min(sss_writer_room(&self->w), sizeof(message) - offset);
		sss_writer_bytes(&self->w, message + offset, room);
		if (offset + room == sizeof(message))
			sss_writer_u8(&self->w, SSS_FRAME_PING);
		ASSERT_FALSE(self->w.bad);

		sss_cursor_init(&self->c, self->buf, self->w.p - self->buf);
		ASSERT_EQ(0, sss_frame_parse(&self->c, &self->got));
		ASSERT_EQ(offset, self->got.datagram.offset);
		ASSERT_EQ(room, self->got.datagram.len);
		memcpy(whole + offset, self->got.datagram.data, room);
		offset += room;
	}
	EXPECT_EQ(1, sss_cursor_left(&self->c));
	EXPECT_EQ(0, memcmp(message, whole, sizeof(message)));
	EXPECT_EQ(-EINVAL, sss_frame_datagram_header(&self->w, 4, 9, 300, 300));
}

TEST(table)
{
	u8 type;

	for (type = 0; type < SSS_FRAME_TYPES; type++) {
		EXPECT_STRNE("?", sss_frame_name(type));
		EXPECT_EQ(type != SSS_FRAME_PADDING && type != SSS_FRAME_ACK &&
			  type != SSS_FRAME_ACK_ECN && type != SSS_FRAME_CLOSE,
			  sss_frame_is_eliciting(type));
	}
	EXPECT_STREQ("?", sss_frame_name(SSS_FRAME_TYPES));
	EXPECT_FALSE(sss_frame_is_eliciting(SSS_FRAME_TYPES));
	EXPECT_FALSE(sss_frame_is_eliciting(255));
}

TEST_HARNESS_MAIN
