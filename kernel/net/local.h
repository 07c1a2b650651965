/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SSS_NET_LOCAL_H
#define _SSS_NET_LOCAL_H

#include "net/endpoint.h"

struct sss_net;

#define SSS_ADDRESSES_MAX	8	/* as many as an ENDPOINTS frame takes */

/**
 * struct sss_addresses - addresses of this machine
 * @n: how many
 * @n_public: the first of them, which are not private
 * @ep: ports are 0
 */
struct sss_addresses {
	unsigned int n;
	unsigned int n_public;
	union sss_endpoint ep[SSS_ADDRESSES_MAX];
};

void sss_local_collect(struct sss_net *sn, struct sss_addresses *list);

#endif /* _SSS_NET_LOCAL_H */
