// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <common/array.h>
#include "known.h"
#include "sss-netlink.h"

static uint32_t u32(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : 0;
}

static void get_eid(struct sss_eid *eid, const struct nlattr *attr)
{
	if (attr && mnl_attr_get_payload_len(attr) == sizeof(*eid))
		memcpy(eid, mnl_attr_get_payload(attr), sizeof(*eid));
}

static int host_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	struct known *known = data;
	struct known_host *host;

	host = array_add(&known->hosts, &known->n_hosts, sizeof(*host));
	if (!host)
		die(EXIT_KERNEL, "out of memory");
	nl_attrs(nlh, tb);
	if (tb[SSS_A_HOST_NAME])
		snprintf(host->name, sizeof(host->name), "%s",
			 mnl_attr_get_str(tb[SSS_A_HOST_NAME]));
	get_eid(&host->eid, tb[SSS_A_HOST_EID]);
	host->port = tb[SSS_A_HOST_PORT] ? mnl_attr_get_u16(tb[SSS_A_HOST_PORT]) : 0;
	host->flags = u32(tb[SSS_A_HOST_FLAGS]);
	host->uid = u32(tb[SSS_A_HOST_UID]);
	host->gid = u32(tb[SSS_A_HOST_GID]);
	host->mode = u32(tb[SSS_A_HOST_MODE]);
	host->padding = u32(tb[SSS_A_HOST_PADDING]);
	host->access = u32(tb[SSS_A_HOST_ACCESS]);
	host->max_streams = u32(tb[SSS_A_MAX_STREAMS]);
	host->rate = u32(tb[SSS_A_STREAM_RATE]);
	return MNL_CB_OK;
}

static int endpoint_cb(const struct nlattr *attr, void *data)
{
	struct known_peer *peer = data;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) != SSS_A_ENDPOINT || len > sizeof(peer->endpoints[0]) ||
	    peer->n_endpoints == SSS_PEER_ENDPOINTS_MAX)
		return MNL_CB_OK;
	memcpy(&peer->endpoints[peer->n_endpoints++], mnl_attr_get_payload(attr), len);
	return MNL_CB_OK;
}

static int peer_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];
	struct known *known = data;
	struct known_peer *peer;

	peer = array_add(&known->peers, &known->n_peers, sizeof(*peer));
	if (!peer)
		die(EXIT_KERNEL, "out of memory");
	nl_attrs(nlh, tb);
	get_eid(&peer->host, tb[SSS_A_HOST_EID]);
	get_eid(&peer->eid, tb[SSS_A_PEER_EID]);
	peer->flags = u32(tb[SSS_A_PEER_FLAGS]);
	nl_nest(tb[SSS_A_ENDPOINTS], endpoint_cb, peer);
	return MNL_CB_OK;
}

void known_read_hosts(struct known *known)
{
	memset(known, 0, sizeof(*known));
	nl_send(nl_request(SSS_CMD_HOST_GET, NLM_F_DUMP), host_cb, known);
}

void known_read(struct known *known)
{
	known_read_hosts(known);
	nl_send(nl_request(SSS_CMD_PEER_GET, NLM_F_DUMP), peer_cb, known);
}

void known_free(struct known *known)
{
	free(known->hosts);
	free(known->peers);
	memset(known, 0, sizeof(*known));
}

const struct known_host *known_find_host(const struct known *known, const char *name)
{
	unsigned int i;

	for (i = 0; i < known->n_hosts; i++)
		if (!strcmp(known->hosts[i].name, name))
			return &known->hosts[i];
	return NULL;
}

const struct known_host *known_find_eid(const struct known *known, const struct sss_eid *eid)
{
	unsigned int i;

	for (i = 0; i < known->n_hosts; i++)
		if (!memcmp(&known->hosts[i].eid, eid, sizeof(*eid)))
			return &known->hosts[i];
	return NULL;
}

const struct known_peer *known_find_peer(const struct known *known, const struct sss_eid *host,
					 const struct sss_eid *eid)
{
	unsigned int i;

	for (i = 0; i < known->n_peers; i++)
		if (!memcmp(&known->peers[i].host, host, sizeof(*host)) &&
		    !memcmp(&known->peers[i].eid, eid, sizeof(*eid)))
			return &known->peers[i];
	return NULL;
}
