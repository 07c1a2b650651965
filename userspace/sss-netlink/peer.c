// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <netdb.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <common/conf.h>
#include <common/endpoint.h>
#include "sss-netlink.h"

static const char usage[] =
	"Usage: sss-netlink peer add EID [host NAME] [psk FILE] [endpoint ADDR:PORT ...]\n"
	"       sss-netlink peer set EID [host NAME] [psk FILE] [endpoint ADDR:PORT ... | endpoint none]\n"
	"       sss-netlink peer del EID [host NAME]\n"
	"       sss-netlink peer show [host NAME]\n"
	"ADDR: IPv4, [IPv6] or a host name; up to 8 endpoints. Without \"host\" the\n"
	"default host is meant. FILE may be \"-\", standard input.\n";

static void put_endpoint(struct nlmsghdr *nlh, const char *text)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
	char node[CONF_NODE];
	unsigned int port;
	int err;

	if (!endpoint_split(text, node, sizeof(node), &port))
		die(EXIT_USAGE, "endpoint \"%s\" is not ADDR:PORT, with a port up to 65535; an IPv6 address stands in brackets",
		    text);
	err = getaddrinfo(node, strrchr(text, ':') + 1, &hints, &found);
	if (err)
		die(EXIT_USAGE, "cannot resolve \"%s\": %s", node, gai_strerror(err));
	mnl_attr_put(nlh, SSS_A_ENDPOINT, found->ai_addrlen, found->ai_addr);
	freeaddrinfo(found);
}

static void put_psk(struct nlmsghdr *nlh, const char *file)
{
	uint8_t psk[SSS_EID_LEN];

	read_key(file, psk);
	mnl_attr_put(nlh, SSS_A_PEER_PSK, sizeof(psk), psk);
	sodium_memzero(psk, sizeof(psk));
}

static int change(struct args *args, int cmd)
{
	const char *eid = next_arg(args, "the EID of a peer"), *host = NULL, *psk = NULL;
	const char *endpoints[SSS_PEER_ENDPOINTS_MAX];
	int n = 0, i;
	bool none = false;
	struct nlmsghdr *nlh;
	struct nlattr *nest;

	while (args->n) {
		const char *word = next_setting(args);

		if (!strcmp(word, "host")) {
			host = next_arg(args, "the name of a host");
		} else if (!strcmp(word, "psk")) {
			psk = next_arg(args, "a key file");
		} else {
			const char *ep = next_arg(args, "an endpoint");

			if (!strcmp(ep, "none"))
				none = true;
			else if (n == SSS_PEER_ENDPOINTS_MAX)
				die(EXIT_USAGE, "a peer has at most %d endpoints", n);
			else
				endpoints[n++] = ep;
		}
	}
	if (none && n)
		die(EXIT_USAGE, "\"endpoint none\" goes with no other endpoint");
	nlh = nl_request(cmd, 0);
	if (host)
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, host);
	put_eid(nlh, SSS_A_PEER_EID, eid);
	if (psk)
		put_psk(nlh, psk);
	if (n || none) {
		nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);
		for (i = 0; i < n; i++)
			put_endpoint(nlh, endpoints[i]);
		mnl_attr_nest_end(nlh, nest);
	}
	return nl_send(nlh, NULL, NULL);
}

static int endpoint_cb(const struct nlattr *attr, void *data)
{
	(void)data;
	if (mnl_attr_get_type(attr) == SSS_A_ENDPOINT || mnl_attr_get_type(attr) == SSS_A_RELAY)
		out_item(endpoint_text(attr));
	return MNL_CB_OK;
}

static int show_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[SSS_A_MAX + 1];

	(void)data;
	nl_attrs(nlh, tb);
	out_object();
	out_eid("eid", tb[SSS_A_PEER_EID]);
	out_string("host", mnl_attr_get_str(tb[SSS_A_HOST_NAME]));
	out_bool("configured", mnl_attr_get_u32(tb[SSS_A_PEER_FLAGS]) & SSS_PEER_F_CONFIGURED);
	out_list("endpoints", "endpoint");
	nl_nest(tb[SSS_A_ENDPOINTS], endpoint_cb, NULL);
	out_list_end();
	if (tb[SSS_A_RELAYS]) {
		out_list("relays", "relay");
		nl_nest(tb[SSS_A_RELAYS], endpoint_cb, NULL);
		out_list_end();
	}
	return MNL_CB_OK;
}

static int show(struct args *args)
{
	return show_of_host(args, SSS_CMD_PEER_GET, show_cb, "eid host endpoints");
}

static int add(struct args *args)
{
	return change(args, SSS_CMD_PEER_NEW);
}

static int set(struct args *args)
{
	return change(args, SSS_CMD_PEER_SET);
}

static int del(struct args *args)
{
	return change(args, SSS_CMD_PEER_DEL);
}

const struct object object_peer = {
	.name = "peer", .usage = usage, .standard = "show",
	.commands = {
		{ "add", add, "EID host=HOST psk=FILE endpoint=ADDR:PORT" },
		{ "set", set, "PEER host=HOST psk=FILE endpoint=ADDR:PORT" },
		{ "del", del, "PEER host=HOST" },
		{ "show", show, "host=HOST" },
	},
};
