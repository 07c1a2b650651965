/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Hosts and peers as the kernel has them now */
#ifndef SSS_NETLINK_KNOWN_H
#define SSS_NETLINK_KNOWN_H

#include <common/endpoint.h>
#include <linux/sss.h>

struct known_host {
	char name[SSS_HOST_NAME_MAX + 1];
	struct sss_eid eid;
	uint16_t port;
	uint32_t flags, uid, gid, mode, padding, access, max_streams, rate;
};

struct known_peer {
	struct sss_eid host, eid;
	uint32_t flags;
	unsigned int n_endpoints;
	union endpoint_addr endpoints[SSS_PEER_ENDPOINTS_MAX];
};

struct known {
	unsigned int n_hosts, n_peers;
	struct known_host *hosts;
	struct known_peer *peers;
};

/* Asks the kernel; dies when it does not answer. The second reads hosts alone */
void known_read(struct known *known);
void known_read_hosts(struct known *known);
void known_free(struct known *known);

/* NULL: there is none */
const struct known_host *known_find_host(const struct known *known, const char *name);
const struct known_host *known_find_eid(const struct known *known, const struct sss_eid *eid);
const struct known_peer *known_find_peer(const struct known *known, const struct sss_eid *host,
					 const struct sss_eid *eid);

#endif /* SSS_NETLINK_KNOWN_H */
