// SPDX-License-Identifier: GPL-2.0
/*
 * The frames of a packet. What is accepted has one encoding: written again it
 * must give the same bytes.
 */
#include "../unit/random_frame.h"
#include "fuzz.h"

#define BUF (1 << 16)

static void check_ack(const struct sss_frame_ack *ack)
{
	struct sss_ack_walk walk;
	u64 lo, hi, above = U64_MAX, n = 0;

	sss_frame_ack_first(ack, &walk, &lo, &hi);
	check(hi == ack->largest);
	do {
		check(lo <= hi && hi < above - 1);
		above = lo;
		n++;
	} while (sss_frame_ack_next(&walk, &lo, &hi));
	check(n == ack->n_ranges + 1);
}

static void check_again(const struct sss_frame *f, const u8 *bytes, size_t len)
{
	static u8 again[BUF];
	struct sss_writer w;

	sss_writer_init(&w, again, sizeof(again));
	if ((*bytes & ~5) == SSS_FRAME_STREAM) {
		check(!sss_frame_stream_header(&w, f->stream.id, f->stream.offset, f->stream.len,
					       f->stream.fin, f->stream.mark, true));
		sss_writer_bytes(&w, f->stream.data, f->stream.len);
	} else {
		check(!sss_frame_put(&w, f));
	}
	check((size_t)(w.p - again) == len && !memcmp(again, bytes, len));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sss_cursor c;
	struct sss_frame f;
	const u8 *at;
	int err;

	if (size > BUF)
		return 0;
	sss_cursor_init(&c, data, size);
	while (sss_cursor_left(&c)) {
		at = c.p;
		err = sss_frame_parse(&c, &f);
		check(err == 0 || err == SSS_ERROR_FRAME_TYPE || err == SSS_ERROR_FRAME_ENCODING);
		check((err == SSS_ERROR_FRAME_TYPE) == (*at >= SSS_FRAME_TYPES));
		if (err) {
			check(f.type == *at);
			break;
		}
		check(c.p > at && c.p <= c.end);
		if (f.type == SSS_FRAME_ACK || f.type == SSS_FRAME_ACK_ECN)
			check_ack(&f.ack);
		if (f.type != SSS_FRAME_PADDING)
			check_again(&f, at, c.p - at);
	}
	return 0;
}

size_t fuzz_seed(u8 *data, size_t max, u64 *state)
{
	struct random_bytes bytes;
	struct sss_writer w;
	struct sss_frame f;
	u8 type;

	sss_writer_init(&w, data, max);
	do {
		type = random_below(state, SSS_FRAME_TYPES);
		if ((type & ~7) == SSS_FRAME_STREAM)
			type = SSS_FRAME_STREAM;
		random_frame(state, type, &f, &bytes, 60);
	} while (!sss_frame_put(&w, &f) && random_below(state, 6));
	return w.p - data;
}
