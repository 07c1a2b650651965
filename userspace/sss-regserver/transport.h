/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Where streams come from. sss-regserver has AF_SSS and nothing else; what the
 * server knows of a peer is what this says it proved. The tests link the server
 * with another one of their own.
 */
#ifndef REGSERVER_TRANSPORT_H
#define REGSERVER_TRANSPORT_H

#include <stdbool.h>
#include "config.h"

/**
 * struct transport - a kind of streams of records (SOCK_SEQPACKET)
 * @name: for logs
 * @listen: returns a listening descriptor, non-blocking; -1 with errno
 * @peer: whose stream an accepted one is: its EID, proved; false: nobody's
 * @observe: where its packets come from now; family 0: not known
 * @local: where they come to, likewise
 * @reset: ends a stream that broke the rules, saying why; close() follows
 */
struct transport {
	const char *name;
	int (*listen)(const struct config *config);
	bool (*peer)(int fd, struct sss_eid *eid);
	void (*observe)(int fd, struct reg_endpoint *ep);
	void (*local)(int fd, struct reg_endpoint *ep);
	void (*reset)(int fd, const char *why);
};

extern const struct transport transport_sss;

#endif /* REGSERVER_TRANSPORT_H */
