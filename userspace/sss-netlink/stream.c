// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * stream show: the streams of each channel as the tree they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <common/clock.h>
#include "../libsss/sss.h"
#include "sss-netlink.h"

#define DEEPEST 32	/* levels that are drawn further to the right */

struct stream {
	uint64_t id;
	uint64_t parent;
	bool has_parent;
	bool has_uid;
	uint32_t channel;
	uint32_t kind;
	uint32_t uid;
	uint64_t send_rate;
	uint64_t receive_rate;
	char peer[SSS_EID_TEXT];
	char service[SSS_NAME_MAX + 1];
	char protocol[SSS_NAME_MAX + 1];
	struct sss_info info;
	struct stream *up;
	struct stream *first;	/* child */
	struct stream *next;	/* of the same parent */
};

struct streams {
	struct stream *at;
	size_t n;
	size_t room;
};

static void copy_text(char *to, size_t size, const struct nlattr *attr)
{
	snprintf(to, size, "%s", attr ? mnl_attr_get_str(attr) : "");
}

static struct stream *new_stream(struct streams *all)
{
	if (all->n == all->room) {
		all->room = all->room ? 2 * all->room : 64;
		all->at = realloc(all->at, all->room * sizeof(*all->at));
		if (!all->at)
			die(EXIT_KERNEL, "no memory for %zu streams", all->room);
	}
	memset(&all->at[all->n], 0, sizeof(*all->at));
	return &all->at[all->n++];
}

static int stream_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	struct stream *s = new_stream(data);
	struct sss_eid eid;

	nl_attrs(nlh, tb);
	s->id = tb[SSS_A_STREAM_ID] ? mnl_attr_get_u64(tb[SSS_A_STREAM_ID]) : 0;
	s->has_parent = tb[SSS_A_PARENT_ID];
	s->parent = s->has_parent ? mnl_attr_get_u64(tb[SSS_A_PARENT_ID]) : 0;
	s->channel = tb[SSS_A_CHANNEL_ID] ? mnl_attr_get_u32(tb[SSS_A_CHANNEL_ID]) : 0;
	s->kind = tb[SSS_A_KIND] ? mnl_attr_get_u32(tb[SSS_A_KIND]) : SOCK_STREAM;
	s->has_uid = tb[SSS_A_UID];
	s->uid = s->has_uid ? mnl_attr_get_u32(tb[SSS_A_UID]) : 0;
	copy_text(s->service, sizeof(s->service), tb[SSS_A_SERVICE]);
	copy_text(s->protocol, sizeof(s->protocol), tb[SSS_A_PROTOCOL]);
	if (tb[SSS_A_PEER_EID] && mnl_attr_get_payload_len(tb[SSS_A_PEER_EID]) == sizeof(eid)) {
		memcpy(&eid, mnl_attr_get_payload(tb[SSS_A_PEER_EID]), sizeof(eid));
		sss_eid_format(&eid, s->peer);
	}
	get_info(&s->info, tb[SSS_A_INFO]);
	return MNL_CB_OK;
}

static int by_channel_and_id(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;

	if (x->channel != y->channel)
		return x->channel < y->channel ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static struct stream *find(const struct streams *all, uint32_t channel, uint64_t id)
{
	struct stream key = { .channel = channel, .id = id };

	if (!all->n)
		return NULL;
	return bsearch(&key, all->at, all->n, sizeof(key), by_channel_and_id);
}

/* Parents and children know each other afterwards; children by their ids. */
static void link_all(struct streams *all)
{
	size_t i;

	for (i = all->n; i--;) {
		struct stream *s = &all->at[i];

		s->up = s->has_parent ? find(all, s->channel, s->parent) : NULL;
		if (!s->up)
			continue;
		s->next = s->up->first;
		s->up->first = s;
	}
}

static void fetch(struct streams *all)
{
	nl_send(nl_request(SSS_CMD_STREAM_GET, NLM_F_DUMP), stream_cb, all);
	if (all->n)
		qsort(all->at, all->n, sizeof(*all->at), by_channel_and_id);
}

static uint64_t rate(uint64_t before, uint64_t after, double seconds)
{
	return after > before ? (after - before) / seconds : 0;
}

/* A second look one second later; what is new by then has no rate. */
static void fetch_with_rates(struct streams *all)
{
	struct timespec second = { .tv_sec = 1 };
	struct streams before = { 0 };
	uint64_t from = clock_us();
	double seconds;
	size_t i;

	fetch(&before);
	nanosleep(&second, NULL);
	seconds = (clock_us() - from) / 1e6;
	fetch(all);
	for (i = 0; i < all->n; i++) {
		struct stream *s = &all->at[i];
		const struct stream *old = find(&before, s->channel, s->id);

		if (!old)
			continue;
		s->send_rate = rate(old->info.bytes_sent, s->info.bytes_sent, seconds);
		s->receive_rate = rate(old->info.bytes_received, s->info.bytes_received, seconds);
	}
	free(before.at);
}

/* As ss writes them */
static const char *state(const struct sss_info *info)
{
	static const char *const names[] = {
		"?", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
		"CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
	};

	return names[info->state < sizeof(names) / sizeof(names[0]) ? info->state : 0];
}

static void draw(const struct stream *s, unsigned int depth, bool rates)
{
	out_object();
	out_indent(depth < DEEPEST ? depth : DEEPEST);
	out_number("stream", s->id);
	if (s->has_parent && (json || brief || !s->up))
		out_number("parent", s->parent);
	if (json || brief) {
		out_number("channel", s->channel);
		out_string("peer", s->peer);
	}
	if (*s->service) {
		out_string("service", s->service);
		out_string("protocol", s->protocol);
	}
	out_string("kind", s->kind == SOCK_DGRAM ? "datagram" : "stream");
	out_string("state", state(&s->info));
	if (s->has_uid)
		out_number("uid", s->uid);
	if (rates) {
		out_number("send-rate", s->send_rate);
		out_number("receive-rate", s->receive_rate);
	}
	out_stream_info(&s->info);
}

/* A tree may be deeper than the stack. */
static void draw_tree(struct stream *root, bool rates)
{
	struct stream *s = root;
	unsigned int depth = 1;

	while (s) {
		draw(s, depth, rates);
		if (s->first) {
			s = s->first;
			depth++;
			continue;
		}
		while (s != root && !s->next) {
			s = s->up;
			depth--;
		}
		s = s == root ? NULL : s->next;
	}
}

static void draw_all(const struct streams *all, bool rates)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		struct stream *s = &all->at[i];

		if (!json && !brief && (!i || s[-1].channel != s->channel)) {
			out_object();
			out_number("channel", s->channel);
			out_string("peer", s->peer);
		}
		if (!s->up)
			draw_tree(s, rates);
	}
}

static int show(struct args *args)
{
	struct streams all = { 0 };
	bool rates = false;

	if (args->n) {
		next_setting(args);
		rates = true;
	}
	end_of_args(args);
	if (rates)
		fetch_with_rates(&all);
	else
		fetch(&all);
	link_all(&all);
	out_begin(rates ? "stream parent service state peer send-rate receive-rate" :
		  "stream parent service state peer");
	draw_all(&all, rates);
	out_end();
	free(all.at);
	return EXIT_OK;
}

const struct object object_stream = {
	.name = "stream", .standard = "show",
	.usage = "Usage: sss-netlink stream show [rate]\n"
		 "The streams of each channel as the tree they are; with bytes per second.\n",
	.commands = {
		{ "show", show, "rate" },
	},
};
