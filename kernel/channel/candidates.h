/* SPDX-License-Identifier: GPL-2.0 */
/* Endpoints where the peer of a channel may be, for handshakes and challenges. */
#ifndef _SSS_CHANNEL_CANDIDATES_H
#define _SSS_CHANNEL_CANDIDATES_H

#include "channel/channel.h"

#define SSS_CANDIDATES_MAX	(SSS_PEER_ENDPOINTS_MAX + 1)

/**
 * struct sss_probes - what was sent to an endpoint that never answered
 * @ep: which
 * @since: ns, when counting began, 0: unused
 * @n: packets
 */
struct sss_probes {
	union sss_endpoint ep;
	u64 since;
	unsigned int n;
};

/**
 * struct sss_candidates - where something is going
 * @n: how many of @ep
 * @ep: endpoints, none twice
 */
struct sss_candidates {
	unsigned int n;
	union sss_endpoint ep[SSS_CANDIDATES_MAX];
};

void __sss_candidates_collect(struct sss_channel *ch, struct sss_candidates *c, int family,
			      bool count);
bool __sss_candidates_vouched(struct sss_channel *ch, const union sss_endpoint *ep);
bool __sss_candidates_may_probe(struct sss_channel *ch, const union sss_endpoint *ep, u64 now);
u64 __sss_candidates_remember_ns(const struct sss_channel *ch);

#endif /* _SSS_CHANNEL_CANDIDATES_H */
