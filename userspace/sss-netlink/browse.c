// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * service show remote EID: what a peer offers to us, by asking it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/time.h>
#include "../libsss/sss.h"
#include "sss-netlink.h"

#define LIST_MAX (256 * 1024 + 1)
#define PATIENCE 30	/* seconds without an answer */

static void refuse(const char *eid, int err)
{
	if (err == ECONNREFUSED)
		die(EXIT_KERNEL, "%s tells nobody what it offers", eid);
	die(EXIT_KERNEL, "%s: %s", eid, sss_strerror(err));
}

/* All of it; the peer's errors are ours. */
static size_t fetch(const char *eid, uint8_t *list)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = sss_connect(eid, SSS_BROWSE_SERVICE, SSS_BROWSE_PROTOCOL);
	size_t n = 0;
	ssize_t ret;

	if (fd < 0)
		refuse(eid, errno);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	do {
		ret = read(fd, list + n, LIST_MAX - n);
		if (ret < 0)
			refuse(eid, errno == EAGAIN ? ETIMEDOUT : errno);
		n += ret;
	} while (ret && n < LIST_MAX);
	close(fd);
	return n;
}

/* The next text of the list, or NULL: it is not what it should be. */
static const uint8_t *show_text(const char *name, const uint8_t *at, const uint8_t *end)
{
	char text[SSS_DESC_MAX + 1] = "";
	size_t len;

	if (at == end)
		return NULL;
	len = *at++;
	if (len > (size_t)(end - at) || memchr(at, 0, len))
		return NULL;
	memcpy(text, at, len);
	if (len)
		out_string(name, text);
	return at + len;
}

static const uint8_t *show_entry(const uint8_t *at, const uint8_t *end)
{
	static const char *const names[] = {
		"service", "protocol", "service-description", "protocol-description",
	};
	uint8_t kind = *at++;
	size_t i;

	out_object();
	for (i = 0; at && i < sizeof(names) / sizeof(names[0]); i++) {
		at = show_text(names[i], at, end);
		if (i == 1)
			out_string("kind", kind ? "datagram" : "stream");
	}
	return at;
}

int browse(struct args *args)
{
	static uint8_t list[LIST_MAX];
	const uint8_t *at = list, *end;
	struct sss_eid peer;
	const char *eid;

	next_arg(args, "remote");
	eid = next_arg(args, "the EID of a peer");
	parse_eid(&peer, eid);
	end_of_args(args);
	end = list + fetch(eid, list);
	out_begin("service protocol kind");
	while (at && at < end && *at != SSS_BROWSE_CUT)
		at = show_entry(at, end);
	out_end();
	if (!at)
		die(EXIT_KERNEL, "%s sent a list that cannot be read", eid);
	if (at < end)
		warn("%s offers more than it lists", eid);
	return EXIT_OK;
}
