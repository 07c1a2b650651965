// SPDX-License-Identifier: GPL-2.0
/*
 * Peers over generic netlink: what works, and every EID, endpoint and nest
 * that is refused, of which nothing may be left behind.
 */
#include "netlink.h"

TEST_F(netlink, peers)
{
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	int i;

	REFUSED(ENOENT, ask_peer(&self->g, SSS_CMD_PEER_NEW, NULL, peer_a));
	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, new_host(&self->g, "two", 9002));
	REFUSED(ENOENT, ask_peer(&self->g, SSS_CMD_PEER_NEW, "three", peer_a));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, NULL, peer_a));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, "two", peer_a));
	REFUSED(EEXIST, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", peer_a));
	REFUSED(ENOENT, ask_peer(&self->g, SSS_CMD_PEER_SET, "one", peer_b));
	REFUSED(ENOENT, ask_peer(&self->g, SSS_CMD_PEER_DEL, "one", peer_b));

	nlh = start_peer(&self->g, SSS_CMD_PEER_NEW, "one", peer_b);
	genl_put(nlh, SSS_A_PEER_PSK, alice_private, 32);
	nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);
	for (i = 0; i < 4; i++)
		genl_put_endpoint4(nlh, "192.0.2.1", 1000 + i);
	for (i = 0; i < 4; i++)
		genl_put_endpoint6(nlh, "2001:db8::1", 1000 + i);
	mnl_attr_nest_end(nlh, nest);
	ASSERT_EQ(0, genl_call(&self->g, nlh, NULL, NULL));

	ASSERT_EQ(3, dump(&self->g, SSS_CMD_PEER_GET));
	EXPECT_STREQ("one", list.peers[0].host);
	EXPECT_STREQ("one", list.peers[1].host);
	EXPECT_STREQ("two", list.peers[2].host);
	EXPECT_EQ(0, memcmp(list.peers[0].eid, peer_a, 32));
	EXPECT_EQ(0, memcmp(list.peers[1].eid, peer_b, 32));
	EXPECT_EQ(SSS_PEER_F_CONFIGURED, list.peers[1].flags);
	EXPECT_EQ(0, list.peers[0].n_endpoints);
	ASSERT_EQ(8, list.peers[1].n_endpoints);
	for (i = 0; i < 8; i++) {
		/* The port is at the same place in both. */
		EXPECT_EQ(htons(1000 + i % 4), list.peers[1].endpoint[i].sin6_port);
		EXPECT_EQ(i < 4 ? AF_INET : AF_INET6, list.peers[1].endpoint[i].sin6_family);
		EXPECT_EQ(i < 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
			  list.peers[1].endpoint_len[i]);
	}

	/* A v4-mapped address is an IPv4 one. */
	ASSERT_EQ(0, ask_endpoint6(&self->g, SSS_CMD_PEER_SET, peer_b, "::ffff:192.0.2.9", 5));
	/* An empty nest takes all away. */
	nlh = start_peer(&self->g, SSS_CMD_PEER_SET, "two", peer_a);
	nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);
	mnl_attr_nest_end(nlh, nest);
	ASSERT_EQ(0, genl_call(&self->g, nlh, NULL, NULL));
	ASSERT_EQ(3, dump(&self->g, SSS_CMD_PEER_GET));
	ASSERT_EQ(1, list.peers[1].n_endpoints);
	EXPECT_EQ(AF_INET, list.peers[1].endpoint[0].sin6_family);
	EXPECT_EQ(0, list.peers[2].n_endpoints);

	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_DEL, "one", peer_a));
	REFUSED(ENOENT, ask_peer(&self->g, SSS_CMD_PEER_DEL, "one", peer_a));
	EXPECT_EQ(2, dump(&self->g, SSS_CMD_PEER_GET));
	/* With their host */
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_DEL, "one", 0, NULL, 0));
	EXPECT_EQ(1, dump(&self->g, SSS_CMD_PEER_GET));
}

TEST_F(netlink, bad_eids)
{
	/* 0, 1, two more of low order, 2^255-19 and above, top bit */
	static const unsigned char low_order[32] = {
		0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1,
		0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62,
		0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
	};
	unsigned char eid[33] = { };
	struct host host;

	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, get_host(&self->g, "one", false, &host));
	REFUSED(EADDRNOTAVAIL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", host.eid));
	REFUSED(EINVAL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", eid));
	eid[0] = 1;
	REFUSED(EINVAL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", eid));
	REFUSED(EINVAL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", low_order));
	memset(eid, 0xff, 32);
	REFUSED(EINVAL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", eid));
	eid[31] = 0x7f;
	REFUSED(EINVAL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", eid));
	eid[0] = 0xed;
	REFUSED(EINVAL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", eid));
	eid[0] = 0xec;		/* -1, of order 4 */
	REFUSED(EINVAL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", eid));
	memcpy(eid, peer_a, 32);
	eid[31] |= 0x80;
	REFUSED(EINVAL, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", eid));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_PEER_NEW, "one", 0, NULL, 0));
	REFUSED(ERANGE, ask(&self->g, SSS_CMD_PEER_NEW, "one", SSS_A_PEER_EID, peer_a, 31));
	REFUSED(ERANGE, ask(&self->g, SSS_CMD_PEER_NEW, "one", SSS_A_PEER_EID, eid, 33));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_PEER_DEL, "one", 0, NULL, 0));
	EXPECT_EQ(0, dump(&self->g, SSS_CMD_PEER_GET));
}

TEST_F(netlink, bad_endpoints)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(1) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(1) };
	int cmds[] = { SSS_CMD_PEER_NEW, SSS_CMD_PEER_SET };
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	unsigned int i, k;

	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, ask_endpoint4(&self->g, SSS_CMD_PEER_NEW, peer_a, "192.0.2.1", 7));
	inet_pton(AF_INET, "192.0.2.2", &in.sin_addr);
	inet_pton(AF_INET6, "2001:db8::2", &in6.sin6_addr);
	for (i = 0; i < 2; i++) {
		const unsigned char *eid = i ? peer_a : peer_b;
		int cmd = cmds[i];

		REFUSED(EINVAL, ask_endpoint(&self->g, cmd, eid, &in, 0));
		REFUSED(EINVAL, ask_endpoint(&self->g, cmd, eid, &in, 1));
		REFUSED(EINVAL, ask_endpoint(&self->g, cmd, eid, &in, sizeof(in) - 1));
		REFUSED(EINVAL, ask_endpoint(&self->g, cmd, eid, &in6, sizeof(in)));
		REFUSED(EINVAL, ask_endpoint(&self->g, cmd, eid, &in6, sizeof(in6) - 4));
		in.sin_family = AF_UNIX;
		REFUSED(EAFNOSUPPORT, ask_endpoint(&self->g, cmd, eid, &in, sizeof(in)));
		in.sin_family = AF_INET;
		REFUSED(EINVAL, ask_endpoint4(&self->g, cmd, eid, "192.0.2.2", 0));
		REFUSED(EINVAL, ask_endpoint4(&self->g, cmd, eid, "0.0.0.0", 1));
		REFUSED(EINVAL, ask_endpoint4(&self->g, cmd, eid, "224.0.0.1", 1));
		REFUSED(EINVAL, ask_endpoint4(&self->g, cmd, eid, "255.255.255.255", 1));
		REFUSED(EADDRNOTAVAIL, ask_endpoint4(&self->g, cmd, eid, "127.0.0.1", 1));
		REFUSED(EINVAL, ask_endpoint6(&self->g, cmd, eid, "2001:db8::2", 0));
		REFUSED(EINVAL, ask_endpoint6(&self->g, cmd, eid, "::", 1));
		REFUSED(EINVAL, ask_endpoint6(&self->g, cmd, eid, "ff02::1", 1));
		REFUSED(EINVAL, ask_endpoint6(&self->g, cmd, eid, "fe80::1", 1));
		REFUSED(EADDRNOTAVAIL, ask_endpoint6(&self->g, cmd, eid, "::1", 1));
		REFUSED(EADDRNOTAVAIL, ask_endpoint6(&self->g, cmd, eid, "::ffff:127.0.0.1", 1));

		/* A good one and then a bad one; nine; the same twice */
		for (k = 0; k < 3; k++) {
			int n = k == 1 ? 9 : 2, j;

			nlh = start_peer(&self->g, cmd, NULL, eid);
			nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);
			for (j = 0; j < n; j++)
				genl_put_endpoint4(nlh, j && !k ? "224.0.0.1" : "192.0.2.3",
						   k == 2 ? 5 : 5 + j);
			mnl_attr_nest_end(nlh, nest);
			REFUSED(k == 1 ? E2BIG : EINVAL, genl_call(&self->g, nlh, NULL, NULL));
		}
		/* Something else in the nest; a nest that is none */
		nlh = start_peer(&self->g, cmd, NULL, eid);
		nest = mnl_attr_nest_start(nlh, SSS_A_ENDPOINTS);
		mnl_attr_put_u32(nlh, SSS_A_HOST_UID, 1);
		mnl_attr_nest_end(nlh, nest);
		REFUSED(EINVAL, genl_call(&self->g, nlh, NULL, NULL));
		nlh = start_peer(&self->g, cmd, NULL, eid);
		genl_put(nlh, SSS_A_ENDPOINTS, &in, sizeof(in));
		REFUSED(EINVAL, genl_call(&self->g, nlh, NULL, NULL));
		nlh = start_peer(&self->g, cmd, NULL, eid);
		genl_put(nlh, SSS_A_PEER_PSK, &in, sizeof(in));
		REFUSED(ERANGE, genl_call(&self->g, nlh, NULL, NULL));
		nlh = start_peer(&self->g, cmd, NULL, eid);
		mnl_attr_put_u32(nlh, SSS_A_PEER_FLAGS, 1);
		REFUSED(EINVAL, genl_call(&self->g, nlh, NULL, NULL));

		ASSERT_EQ(1, dump(&self->g, SSS_CMD_PEER_GET));
		ASSERT_EQ(1, list.peers[0].n_endpoints);
		EXPECT_EQ(htons(7), list.peers[0].endpoint[0].sin6_port);
	}

	ASSERT_EQ(0, sysctl_write("allow_loopback", "1"));
	EXPECT_EQ(0, ask_endpoint4(&self->g, SSS_CMD_PEER_SET, peer_a, "127.0.0.1", 1));
	EXPECT_EQ(0, ask_endpoint6(&self->g, SSS_CMD_PEER_SET, peer_a, "::1", 1));
}

/* A dump of many is complete, though it takes several messages. */
TEST_F_TIMEOUT(netlink, many_peers, 120)
{
	unsigned char eid[32] = { };
	unsigned char seen[512] = { };
	unsigned int i, n = 300;

	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	for (i = 0; i < n; i++) {
		eid[0] = i;
		eid[1] = 1 + (i >> 8);
		ASSERT_EQ(0, ask_endpoint6(&self->g, SSS_CMD_PEER_NEW, eid, "2001:db8::2", 1));
	}
	ASSERT_EQ(n, dump(&self->g, SSS_CMD_PEER_GET));
	for (i = 0; i < n; i++) {
		unsigned int k = list.peers[i].eid[0] + ((list.peers[i].eid[1] - 1) << 8);

		ASSERT_GT(n, k);
		EXPECT_EQ(0, seen[k]++);
	}
}

TEST_F(netlink, peers_of_one_host)
{
	struct nlmsghdr *nlh;

	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, new_host(&self->g, "two", 9002));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", peer_a));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, "two", peer_b));
	nlh = genl_start(&self->g, SSS_CMD_PEER_GET, NLM_F_DUMP);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, "two");
	list.n = 0;
	ASSERT_EQ(0, genl_call(&self->g, nlh, add_peer, &list));
	ASSERT_EQ(1, list.n);
	EXPECT_EQ(0, memcmp(list.peers[0].eid, peer_b, 32));
	nlh = genl_start(&self->g, SSS_CMD_PEER_GET, NLM_F_DUMP);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, "three");
	EXPECT_EQ(ENOENT, genl_call(&self->g, nlh, add_peer, &list));
	nlh = genl_start(&self->g, SSS_CMD_HOST_GET, NLM_F_DUMP);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, "two");
	EXPECT_EQ(EINVAL, genl_call(&self->g, nlh, add_host, &list));
}

TEST_HARNESS_MAIN
