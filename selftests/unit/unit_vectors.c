// SPDX-License-Identifier: GPL-2.0
/*
 * The test vectors of Documentation/protocol.rst: each line of words must say
 * what its bytes mean, and the bytes must be what is written for them.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "../../kernel/wire/frame.h"
#include "../../kernel/wire/packet.h"
#include "kselftest_harness.h"

#define BYTES_MAX 200

struct text {
	char s[600];
	size_t len;
};

static __attribute((format(printf, 2, 3))) void say(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->len += vsnprintf(t->s + t->len, sizeof(t->s) - t->len, format, args);
	va_end(args);
	if (t->len >= sizeof(t->s))
		abort();
}

static void say_parent(struct text *t, u64 parent)
{
	if (parent == SSS_ID_ROOT)
		say(t, " parent=root");
	else
		say(t, " parent=%llu", parent);
}

static void say_string(struct text *t, const char *name, const u8 *s, unsigned int len)
{
	say(t, " %s=\"%.*s\"", name, (int)len, (const char *)s);
}

static void say_ack(struct text *t, const struct sss_frame *f)
{
	struct sss_ack_walk walk;
	const char *before = "";
	u64 lo, hi;

	say(t, " delay=%llu ranges=", f->ack.delay_us);
	sss_frame_ack_first(&f->ack, &walk, &lo, &hi);
	do {
		say(t, "%s%llu", before, lo);
		if (hi != lo)
			say(t, "-%llu", hi);
		before = ",";
	} while (sss_frame_ack_next(&walk, &lo, &hi));
	if (f->type == SSS_FRAME_ACK_ECN)
		say(t, " ect0=%llu ect1=%llu ce=%llu", f->ack.ect0, f->ack.ect1, f->ack.ce);
}

static void say_init(struct text *t, const struct sss_frame_init *init)
{
	say(t, " id=%llu", init->id);
	say_parent(t, init->parent);
	say(t, " kind=%s urgency=%d incremental=%d weight=%d",
	    init->kind == SSS_KIND_STREAM ? "stream" : "datagram", init->urgency,
	    init->incremental, init->weight);
	if (init->parent != SSS_ID_ROOT)
		return;
	say_string(t, "service", init->service, init->service_len);
	say_string(t, "protocol", init->protocol, init->protocol_len);
}

static void say_endpoints(struct text *t, const struct sss_frame_endpoints *list)
{
	char addr[INET6_ADDRSTRLEN];
	int i;

	for (i = 0; i < list->n; i++) {
		const struct sss_wire_endpoint *ep = &list->ep[i];

		inet_ntop(ep->family == 4 ? AF_INET : AF_INET6, ep->addr, addr, sizeof(addr));
		say(t, ep->family == 4 ? " %s:%d" : " [%s]:%d", addr, ep->port);
	}
}

static void say_path(struct text *t, const struct sss_frame_path *path)
{
	size_t i;

	say(t, " data=");
	for (i = 0; i < sizeof(path->data); i++)
		say(t, "%02x", path->data[i]);
}

/* A frame in the words of protocol.rst. @to_end: STREAM without length field */
static void say_frame(struct text *t, const struct sss_frame *f, bool to_end)
{
	say(t, "%s", sss_frame_name(f->type));
	switch (f->type) {
	case SSS_FRAME_ACK:
	case SSS_FRAME_ACK_ECN:
		say_ack(t, f);
		break;
	case SSS_FRAME_INIT:
		say_init(t, &f->init);
		break;
	case SSS_FRAME_SERVICE_REPLY:
		say(t, " id=%llu status=%d", f->service_reply.id, f->service_reply.status);
		say_string(t, "text", f->service_reply.text, f->service_reply.text_len);
		break;
	case SSS_FRAME_RESET:
		say(t, " id=%llu code=%llu final_size=%llu subtree=%d", f->reset.id,
		    f->reset.code, f->reset.final_size, f->reset.subtree);
		say_string(t, "reason", f->reset.reason, f->reset.reason_len);
		break;
	case SSS_FRAME_STOP:
		say(t, " id=%llu code=%llu", f->stop.id, f->stop.code);
		break;
	case SSS_FRAME_WINDOW:
		say(t, " id=%llu max=%llu", f->window.id, f->window.max);
		break;
	case SSS_FRAME_CHANNEL_WINDOW:
		say(t, " max=%llu datagrams=%llu", f->channel_window.max,
		    f->channel_window.datagrams);
		break;
	case SSS_FRAME_MAX_STREAMS:
		say_parent(t, f->max_streams.parent);
		say(t, " count=%llu", f->max_streams.count);
		break;
	case SSS_FRAME_DATAGRAM:
		say(t, " parent=%llu message=%llu total=%llu offset=%llu", f->datagram.parent,
		    f->datagram.message, f->datagram.total, f->datagram.offset);
		say_string(t, "data", f->datagram.data, f->datagram.len);
		break;
	case SSS_FRAME_DATAGRAM_DROP:
		say(t, " parent=%llu message=%llu", f->datagram_drop.parent,
		    f->datagram_drop.message);
		break;
	case SSS_FRAME_PRIORITY:
		say(t, " id=%llu sequence=%llu urgency=%d incremental=%d weight=%d",
		    f->priority.id, f->priority.sequence, f->priority.urgency,
		    f->priority.incremental, f->priority.weight);
		break;
	case SSS_FRAME_PATH_CHALLENGE:
	case SSS_FRAME_PATH_RESPONSE:
		say_path(t, &f->path);
		break;
	case SSS_FRAME_STREAM:
		say(t, " id=%llu offset=%llu fin=%d mark=%d", f->stream.id, f->stream.offset,
		    f->stream.fin, f->stream.mark);
		say_string(t, "data", f->stream.data, f->stream.len);
		say(t, "%s", to_end ? " to_end" : "");
		break;
	case SSS_FRAME_ENDPOINTS:
		say_endpoints(t, &f->endpoints);
		break;
	case SSS_FRAME_CLOSE:
		say(t, " code=%llu frame=0x%02x", f->close.code, f->close.frame_type);
		say_string(t, "reason", f->close.reason, f->close.reason_len);
		break;
	}
}

static int write_frame(struct sss_writer *w, const struct sss_frame *f, bool to_end)
{
	int err;

	if (f->type != SSS_FRAME_STREAM || !to_end)
		return sss_frame_put(w, f);
	err = sss_frame_stream_header(w, f->stream.id, f->stream.offset, f->stream.len,
				      f->stream.fin, f->stream.mark, true);
	sss_writer_bytes(w, f->stream.data, f->stream.len);
	return err;
}

/* One vector: a line of words and its bytes, in a block of their exact size */
struct vector {
	char words[600];
	u8 *bytes;
	size_t len;
	int line;
};

static void check_frame(struct __test_metadata *_metadata, const struct vector *v)
{
	bool to_end = (v->bytes[0] & ~7) == SSS_FRAME_STREAM && !(v->bytes[0] & SSS_STREAM_LEN);
	u8 again[BYTES_MAX];
	struct text t = { 0 };
	struct sss_frame f;
	struct sss_cursor c;
	struct sss_writer w;

	sss_cursor_init(&c, v->bytes, v->len);
	ASSERT_EQ(0, sss_frame_parse(&c, &f)) {
		TH_LOG("line %d: %s", v->line, v->words);
	}
	EXPECT_EQ(0, sss_cursor_left(&c));
	say_frame(&t, &f, to_end);
	EXPECT_STREQ(v->words, t.s);

	sss_writer_init(&w, again, sizeof(again));
	EXPECT_EQ(0, write_frame(&w, &f, to_end));
	ASSERT_EQ(v->len, w.p - again) {
		TH_LOG("line %d: %s", v->line, v->words);
	}
	EXPECT_EQ(0, memcmp(again, v->bytes, v->len));
}

static void check_refused(struct __test_metadata *_metadata, const struct vector *v, int code)
{
	struct sss_frame f;
	struct sss_cursor c;

	sss_cursor_init(&c, v->bytes, v->len);
	EXPECT_EQ(code, sss_frame_parse(&c, &f)) {
		TH_LOG("line %d: %s", v->line, v->words);
	}
	EXPECT_EQ(v->bytes[0], f.type);
}

static void check_header(struct __test_metadata *_metadata, const struct vector *v)
{
	struct sss_packet_header header;
	u8 packet[SSS_PACKET_MIN_LEN] = { 0 };
	unsigned int mask, receiver;
	u64 number;

	ASSERT_EQ(3, sscanf(v->words, "HEADER number=%lli mask=%x receiver=%x",
			    (long long *)&number, &mask, &receiver));
	ASSERT_EQ(SSS_PACKET_HEADER_LEN, v->len);
	sss_packet_put_header(packet, number, mask, receiver);
	EXPECT_EQ(0, memcmp(packet, v->bytes, v->len)) {
		TH_LOG("line %d: %s", v->line, v->words);
	}
	ASSERT_EQ(0, sss_packet_get_header(packet, sizeof(packet), &header));
	EXPECT_EQ(receiver, header.receiver);
	EXPECT_EQ(number & SSS_PACKET_NUMBER_MASK, header.truncated ^ mask);
}

static void check_relay(struct __test_metadata *_metadata, const struct vector *v)
{
	u8 packet[SSS_RELAY_HEADER_LEN + 1] = { 0 };
	u64 session, got = 0;

	ASSERT_EQ(1, sscanf(v->words, "RELAY session=%llx", (unsigned long long *)&session));
	ASSERT_EQ(SSS_RELAY_HEADER_LEN, v->len);
	sss_packet_put_relay(packet, session);
	EXPECT_EQ(0, memcmp(packet, v->bytes, v->len)) {
		TH_LOG("line %d: %s", v->line, v->words);
	}
	EXPECT_EQ(0, sss_packet_get_relay(packet, sizeof(packet), &got));
	EXPECT_EQ(session, got);
	/* what is reserved is ignored; without a packet, a session or the type it is none */
	packet[7] = 0xff;
	EXPECT_EQ(0, sss_packet_get_relay(packet, sizeof(packet), &got));
	EXPECT_EQ(-EBADMSG, sss_packet_get_relay(packet, SSS_RELAY_HEADER_LEN, &got));
	packet[0] = SSS_PACKET_DATA;
	EXPECT_EQ(-EBADMSG, sss_packet_get_relay(packet, sizeof(packet), &got));
	memset(packet, 0, sizeof(packet));
	packet[0] = SSS_PACKET_RELAY;
	EXPECT_EQ(-EBADMSG, sss_packet_get_relay(packet, sizeof(packet), &got));
}

static void check_number(struct __test_metadata *_metadata, const char *words)
{
	u64 expected, number;
	unsigned int truncated;

	ASSERT_EQ(3, sscanf(words, "NUMBER truncated=%x expected=%lli number=%lli",
			    &truncated, (long long *)&expected, (long long *)&number));
	EXPECT_EQ(number, sss_packet_decode_number(truncated, expected)) {
		TH_LOG("%s", words);
	}
}

static size_t from_hex(u8 *bytes, const char *hex)
{
	unsigned int value;
	size_t len = 0;

	for (; *hex; hex++) {
		if (isspace(*hex))
			continue;
		if (len == BYTES_MAX || sscanf(hex, "%2x", &value) != 1)
			abort();
		bytes[len++] = value;
		hex++;
	}
	return len;
}

static void check(struct __test_metadata *_metadata, struct vector *v, const char *hex)
{
	u8 bytes[BYTES_MAX];

	v->len = from_hex(bytes, hex);
	v->bytes = malloc(v->len);
	ASSERT_NE(NULL, v->bytes);
	memcpy(v->bytes, bytes, v->len);
	if (!strncmp(v->words, "HEADER ", 7))
		check_header(_metadata, v);
	else if (!strncmp(v->words, "RELAY ", 6))
		check_relay(_metadata, v);
	else if (!strncmp(v->words, "FRAME_TYPE", 10))
		check_refused(_metadata, v, SSS_ERROR_FRAME_TYPE);
	else if (!strncmp(v->words, "FRAME_ENCODING", 14))
		check_refused(_metadata, v, SSS_ERROR_FRAME_ENCODING);
	else
		check_frame(_metadata, v);
	free(v->bytes);
}

TEST(protocol_rst)
{
	FILE *spec = fopen(SPEC, "r");
	struct vector v = { 0 };
	bool seen[SSS_FRAME_TYPES] = { 0 };
	int headers = 0, numbers = 0, refused = 0, relays = 0, type;
	char line[600];

	ASSERT_NE(NULL, spec);
	while (fgets(line, sizeof(line), spec)) {
		v.line++;
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "    ", 4) || isspace(line[4]))
			continue;
		if (!strncmp(line + 4, "NUMBER ", 7)) {
			check_number(_metadata, line + 4);
			numbers++;
		}
		if (strncmp(line + 4, "= ", 2)) {
			strcpy(v.words, line + 4);
			continue;
		}
		check(_metadata, &v, line + 6);
		headers += !strncmp(v.words, "HEADER ", 7);
		relays += !strncmp(v.words, "RELAY ", 6);
		refused += !strncmp(v.words, "FRAME_", 6);
		for (type = 0; type < SSS_FRAME_TYPES; type++) {
			size_t len = strlen(sss_frame_name(type));

			if (!strncmp(v.words, sss_frame_name(type), len) &&
			    (!v.words[len] || v.words[len] == ' '))
				seen[type] = true;
		}
	}
	fclose(spec);
	/* and none was overlooked */
	for (type = 0; type < SSS_FRAME_TYPES; type++) {
		EXPECT_TRUE(seen[type]) {
			TH_LOG("no vector for %s", sss_frame_name(type));
		}
	}
	EXPECT_GE(headers, 3);
	EXPECT_GE(relays, 2);
	EXPECT_GE(numbers, 6);
	EXPECT_GE(refused, 20);
}

TEST_HARNESS_MAIN
