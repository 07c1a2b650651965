// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Answers as lines of "name value" pairs, or with -json as a list of objects.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "../libsss/sss.h"
#include "sss-netlink.h"

#define COLUMNS	8
#define CELL	512

static bool in_object, first_object = true, first_member, first_item, list_shown;
static bool begun;	/* nothing is written of an answer that fails at once */
static const char *list_name, *item_name;

/* With -brief: of which members there shall be columns, and those of this object */
static const char *columns;
static char cells[COLUMNS][CELL];

static void indent(int depth)
{
	if (pretty)
		printf("\n%*s", depth * 4, "");
}

static void quoted(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* A name from a peer may not drive the terminal. */
static void plain(const char *s)
{
	for (; *s; s++)
		putchar((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
}

/* Which column a member goes to; -1: none */
static int column_of(const char *name)
{
	const char *at = columns;
	size_t len;
	int i;

	for (i = 0; *at && i < COLUMNS; i++) {
		len = strcspn(at, " ");
		if (len == strlen(name) && !strncmp(at, name, len))
			return i;
		at += len;
		at += strspn(at, " ");
	}
	return -1;
}

static void colored(const char *name, const char *text)
{
	const char *color = color_of(name, text);

	fputs(color, stdout);
	plain(text);
	fputs(color_end(color), stdout);
}

/* Values alone, "-" where there is none; an EID is as long as another. */
static void end_row(void)
{
	char name[32];
	const char *at = columns;
	int i;

	for (i = 0; *at && i < COLUMNS; i++) {
		size_t len = strcspn(at, " ");

		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		at += len;
		at += strspn(at, " ");
		if (!*cells[i])
			strcpy(cells[i], "-");
		colored(name, cells[i]);
		if (*at)
			printf("%*s", (int)(strlen(cells[i]) < 15 ? 16 - strlen(cells[i]) : 1), "");
	}
	putchar('\n');
}

static void end_object(void)
{
	if (!in_object)
		return;
	if (json) {
		indent(1);
		putchar('}');
	} else if (brief) {
		end_row();
	} else {
		putchar('\n');
	}
	in_object = false;
}

void out_begin(const char *brief_names)
{
	columns = brief_names;
	first_object = true;
	begun = false;
}

static void begin(void)
{
	if (json && !begun)
		putchar('[');
	begun = true;
}

void out_end(void)
{
	end_object();
	begin();
	if (json) {
		indent(0);
		puts("]");
	}
}

void out_object(void)
{
	end_object();
	begin();
	if (json && !first_object)
		putchar(',');
	if (json) {
		indent(1);
		putchar('{');
	}
	first_object = false;
	first_member = true;
	in_object = true;
	memset(cells, 0, sizeof(cells));
}

static void member(const char *name)
{
	if (json) {
		if (!first_member)
			putchar(',');
		indent(2);
		quoted(name);
		putchar(':');
		if (pretty)
			putchar(' ');
	} else {
		printf("%s%s ", first_member ? "" : " ", name);
	}
	first_member = false;
}

void out_indent(unsigned int depth)
{
	if (!json && !brief)
		printf("%*s", 2 * depth, "");
}

/* Several values of a list are one cell. */
static void fill_cell(char *cell, const char *value)
{
	size_t len = strlen(cell);

	snprintf(cell + len, CELL - len, "%s%s", len ? "," : "", value);
}

static void put(const char *name, const char *value, bool is_string)
{
	int column = brief ? column_of(name) : 0;

	if (column < 0)
		return;
	if (brief && !json) {
		fill_cell(cells[column], value);
		return;
	}
	member(name);
	if (!json)
		colored(name, value);
	else if (is_string)
		quoted(value);
	else
		fputs(value, stdout);
}

void out_string(const char *name, const char *value)
{
	put(name, value, true);
}

void out_number(const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	put(name, text, false);
}

void out_bool(const char *name, bool value)
{
	put(name, json ? (value ? "true" : "false") : (value ? "on" : "off"), false);
}

void out_list(const char *name, const char *item)
{
	first_item = true;
	list_name = name;
	item_name = item;
	list_shown = !brief || column_of(name) >= 0;
	if (!json || !list_shown)
		return;
	member(name);
	putchar('[');
}

void out_item(const char *value)
{
	if (!list_shown)
		return;
	if (!json) {
		put(brief ? list_name : item_name, value, true);
		return;
	}
	if (!first_item)
		putchar(',');
	quoted(value);
	first_item = false;
}

void out_list_end(void)
{
	if (json && list_shown)
		putchar(']');
}

void out_eid(const char *name, const struct nlattr *attr)
{
	char text[SSS_EID_TEXT];
	struct sss_eid eid;

	if (!attr || mnl_attr_get_payload_len(attr) != sizeof(eid))
		return;
	memcpy(&eid, mnl_attr_get_payload(attr), sizeof(eid));
	out_string(name, sss_eid_format(&eid, text));
}

const char *endpoint_text(const struct nlattr *attr)
{
	static char text[INET6_ADDRSTRLEN + 16];
	const void *data = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	char addr[INET6_ADDRSTRLEN];
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	/* of a relay, which has room for the longest */
	if (len == sizeof(struct sss_relay)) {
		memcpy(&in, data, sizeof(in));
		len = in.sin_family == AF_INET ? sizeof(in) : sizeof(in6);
	}
	if (len == sizeof(in)) {
		memcpy(&in, data, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, addr, sizeof(addr));
		snprintf(text, sizeof(text), "%s:%u", addr, ntohs(in.sin_port));
	} else if (len == sizeof(in6)) {
		memcpy(&in6, data, sizeof(in6));
		inet_ntop(AF_INET6, &in6.sin6_addr, addr, sizeof(addr));
		snprintf(text, sizeof(text), "[%s]:%u", addr, ntohs(in6.sin6_port));
	} else {
		strcpy(text, "?");
	}
	return text;
}

void out_stream_info(const struct sss_info *i)
{
	out_number("bytes-sent", i->bytes_sent);
	out_number("bytes-acked", i->bytes_acked);
	out_number("bytes-received", i->bytes_received);
	out_number("bytes-resent", i->bytes_resent);
	out_number("send-queue", i->sndq);
	out_number("receive-queue", i->rcvq);
	out_number("send-window", i->send_window);
	out_number("receive-window", i->recv_window);
}

void out_channel_info(const struct sss_info *i)
{
	static const char *const link[] = { "none", "up", "stalled", "down" };

	out_string("link", i->link < 4 ? link[i->link] : "?");
	out_number("rtt-us", i->rtt);
	out_number("min-rtt-us", i->min_rtt);
	out_number("pmtu", i->pmtu);
	out_number("cwnd", i->cwnd);
	out_number("in-flight", i->in_flight);
	out_number("packets-sent", i->pkts_sent);
	out_number("packets-received", i->pkts_received);
	out_number("packets-lost", i->pkts_lost);
	out_number("packets-spurious", i->pkts_spurious);
	out_number("probe-timeouts", i->ptos);
}

void get_info(struct sss_info *info, const struct nlattr *attr)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	memset(info, 0, sizeof(*info));
	if (len)
		memcpy(info, mnl_attr_get_payload(attr), len < sizeof(*info) ? len : sizeof(*info));
}
