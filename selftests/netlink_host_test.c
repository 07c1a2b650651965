// SPDX-License-Identifier: GPL-2.0
/*
 * Hosts over generic netlink: what works, and every attribute with a wrong
 * length or range, of which nothing may be left behind.
 */
#include "netlink.h"

TEST_F(netlink, host_with_defaults)
{
	static const unsigned char zero[32];
	struct host host;

	EXPECT_EQ(0, dump(&self->g, SSS_CMD_HOST_GET));
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_NEW, "one", 0, NULL, 0));
	ASSERT_EQ(0, get_host(&self->g, NULL, false, &host));
	EXPECT_STREQ("one", host.name);
	EXPECT_EQ(SSS_DEFAULT_PORT, host.port);
	EXPECT_EQ(SSS_HOST_F_DEFAULT, host.flags);
	EXPECT_EQ(0, host.uid);
	EXPECT_EQ(0, host.gid);
	EXPECT_EQ(0666, host.mode);
	EXPECT_EQ(SSS_PADDING_NONE, host.padding);
	EXPECT_EQ(SSS_ACCESS_ANYONE, host.access);
	EXPECT_EQ(0, host.max_streams);
	EXPECT_EQ(0, host.stream_rate);
	EXPECT_FALSE(host.has_key);
	EXPECT_NE(0, memcmp(host.eid, zero, 32));
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_DEL, "one", 0, NULL, 0));
	EXPECT_EQ(0, dump(&self->g, SSS_CMD_HOST_GET));
	REFUSED(ENOENT, get_host(&self->g, NULL, false, &host));
}

TEST_F(netlink, given_key)
{
	struct host host;

	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_NEW, "alice", SSS_A_HOST_PRIVATE_KEY,
			 alice_private, 32));
	ASSERT_EQ(0, get_host(&self->g, "alice", true, &host));
	EXPECT_EQ(0, memcmp(host.eid, alice_public, 32));
	EXPECT_TRUE(host.has_key);
	/* Clamped, as RFC 7748 has it. */
	EXPECT_EQ(alice_private[0] & 248, host.key[0]);
	EXPECT_EQ(0, memcmp(host.key + 1, alice_private + 1, 30));
	REFUSED(EEXIST, ask(&self->g, SSS_CMD_HOST_NEW, "other", SSS_A_HOST_PRIVATE_KEY,
			    alice_private, 32));
	/* Only who asks for it gets it, and a dump never. */
	ASSERT_EQ(0, get_host(&self->g, "alice", false, &host));
	EXPECT_FALSE(host.has_key);
	EXPECT_EQ(1, dump(&self->g, SSS_CMD_HOST_GET));
	EXPECT_FALSE(list.hosts[0].has_key);
	/* By key instead of by name */
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_DEL, NULL, SSS_A_HOST_EID, alice_public, 32));
	EXPECT_EQ(0, dump(&self->g, SSS_CMD_HOST_GET));
}

/* A refused request comes back in the error message: without its key. */
TEST_F(netlink, key_is_wiped_from_the_request)
{
	unsigned int i;

	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_NEW, "one", 0, NULL, 0));
	REFUSED(EEXIST, ask(&self->g, SSS_CMD_HOST_NEW, "one", SSS_A_HOST_PRIVATE_KEY,
			    alice_private, 32));
	ASSERT_GT(self->g.echo_len, 32);
	for (i = 0; i + 32 <= self->g.echo_len; i++)
		EXPECT_NE(0, memcmp(self->g.echo + i, alice_private, 32));
}

TEST_F(netlink, bad_host_names)
{
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, NULL, 0, NULL, 0));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, NULL, SSS_A_HOST_NAME, "", 1));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, NULL, SSS_A_HOST_NAME, "", 0));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, NULL, SSS_A_HOST_NAME, "no NUL", 6));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, NULL, SSS_A_HOST_NAME, "a\0b", 4));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, "a b", 0, NULL, 0));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, "a\n", 0, NULL, 0));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, "../a", 0, NULL, 0));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, "sixteen-letters-", 0, NULL, 0));
	EXPECT_EQ(0, dump(&self->g, SSS_CMD_HOST_GET));
	EXPECT_EQ(0, ask(&self->g, SSS_CMD_HOST_NEW, "fifteen-letters", 0, NULL, 0));
}

static const struct bad_attr {
	int type;
	size_t len;
	unsigned char data[33];
	int err;
} bad_settings[] = {
	{ SSS_A_HOST_PRIVATE_KEY, 0, { }, ERANGE },
	{ SSS_A_HOST_PRIVATE_KEY, 31, { 1 }, ERANGE },
	{ SSS_A_HOST_PRIVATE_KEY, 33, { 1 }, ERANGE },
	{ SSS_A_HOST_PORT, 0, { }, EINVAL },
	{ SSS_A_HOST_PORT, 1, { 1 }, EINVAL },
	{ SSS_A_HOST_PORT, 4, { 1 }, EINVAL },
	{ SSS_A_HOST_FLAGS, 2, { 1 }, EINVAL },
	{ SSS_A_HOST_FLAGS, 8, { 1 }, EINVAL },
	{ SSS_A_HOST_FLAGS, 4, { 8 }, EINVAL },
	{ SSS_A_HOST_FLAGS, 4, { 0, 0, 0, 0x80 }, EINVAL },
	{ SSS_A_HOST_FLAGS_MASK, 4, { 8 }, EINVAL },
	{ SSS_A_HOST_FLAGS_MASK, 3, { 1 }, EINVAL },
	{ SSS_A_HOST_UID, 4, { 0xff, 0xff, 0xff, 0xff }, EINVAL },
	{ SSS_A_HOST_UID, 2, { 0 }, EINVAL },
	{ SSS_A_HOST_GID, 4, { 0xff, 0xff, 0xff, 0xff }, EINVAL },
	{ SSS_A_HOST_GID, 5, { 0 }, EINVAL },
	{ SSS_A_HOST_MODE, 4, { 0xff, 0x01 }, EINVAL },
	{ SSS_A_HOST_MODE, 4, { 0, 0, 1 }, EINVAL },
	{ SSS_A_HOST_MODE, 2, { 0 }, EINVAL },
	{ SSS_A_HOST_PADDING, 4, { SSS_PADDING_FULL + 1 }, ERANGE },
	{ SSS_A_HOST_PADDING, 1, { 0 }, EINVAL },
	{ SSS_A_HOST_ACCESS, 4, { SSS_ACCESS_RULES + 1 }, ERANGE },
	{ SSS_A_HOST_ACCESS, 1, { 0 }, EINVAL },
	{ SSS_A_MAX_STREAMS, 2, { 0 }, EINVAL },
	{ SSS_A_STREAM_RATE, 8, { 0 }, EINVAL },
	/* Not for these commands, or no such attribute */
	{ SSS_A_PEER_EID, 32, { 9 }, EINVAL },
	{ SSS_A_PEER_PSK, 32, { 9 }, EINVAL },
	{ SSS_A_ENDPOINT, 16, { 2 }, EINVAL },
	{ SSS_A_SERVICE, 2, { 'a' }, EINVAL },
	{ SSS_A_HOST_ID, 4, { 1 }, EINVAL },
	{ SSS_A_HOST_WANT_KEY, 0, { }, EINVAL },
	{ SSS_A_MAX + 1, 4, { }, EINVAL },
	{ 0x3fff, 4, { }, EINVAL },
};

TEST_F(netlink, bad_host_attributes)
{
	const struct bad_attr *bad;
	struct host before, after;
	static unsigned char zero[32];

	for (bad = bad_settings; bad < bad_settings + ARRAY_SIZE(bad_settings); bad++) {
		REFUSED(bad->err, ask(&self->g, SSS_CMD_HOST_NEW, "one", bad->type, bad->data,
				      bad->len));
		EXPECT_EQ(0, dump(&self->g, SSS_CMD_HOST_GET))
			TH_LOG("attribute %d, %zu bytes", bad->type, bad->len);
	}
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_NEW, "one", SSS_A_HOST_PRIVATE_KEY, zero, 32));

	ASSERT_EQ(0, new_host(&self->g, "one", 9000));
	ASSERT_EQ(0, get_host(&self->g, "one", false, &before));
	for (bad = bad_settings; bad < bad_settings + ARRAY_SIZE(bad_settings); bad++) {
		int err = bad->type == SSS_A_HOST_PRIVATE_KEY ? EINVAL : bad->err;

		REFUSED(err, ask(&self->g, SSS_CMD_HOST_SET, "one", bad->type, bad->data,
				 bad->len));
		ASSERT_EQ(0, get_host(&self->g, "one", false, &after));
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)))
			TH_LOG("attribute %d, %zu bytes", bad->type, bad->len);
	}
	/* A key cannot be changed: it is the host. */
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_SET, "one", SSS_A_HOST_PRIVATE_KEY,
			    alice_private, 32));
	REFUSED(ERANGE, ask(&self->g, SSS_CMD_HOST_DEL, NULL, SSS_A_HOST_EID, zero, 31));
	REFUSED(ENOENT, ask(&self->g, SSS_CMD_HOST_DEL, NULL, SSS_A_HOST_EID, zero, 32));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_DEL, NULL, 0, NULL, 0));
	REFUSED(ENOENT, ask(&self->g, SSS_CMD_HOST_DEL, "two", 0, NULL, 0));
	REFUSED(ENOENT, ask(&self->g, SSS_CMD_HOST_SET, "two", 0, NULL, 0));
	REFUSED(ENOENT, ask(&self->g, SSS_CMD_HOST_DEL, "one", SSS_A_HOST_EID, zero, 32));
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_HOST_DEL, "one", SSS_A_HOST_PORT, "\1", 2));
	EXPECT_EQ(1, dump(&self->g, SSS_CMD_HOST_GET));
}

TEST_F(netlink, several_hosts)
{
	struct host host;

	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, new_host(&self->g, "two", 9002));
	ASSERT_EQ(0, new_host(&self->g, "three", 0));
	ASSERT_EQ(3, dump(&self->g, SSS_CMD_HOST_GET));
	EXPECT_STREQ("one", list.hosts[0].name);
	EXPECT_STREQ("two", list.hosts[1].name);
	EXPECT_STREQ("three", list.hosts[2].name);
	EXPECT_EQ(9001, list.hosts[0].port);
	EXPECT_EQ(9002, list.hosts[1].port);
	EXPECT_NE(0, list.hosts[2].port);
	EXPECT_NE(0, memcmp(list.hosts[0].eid, list.hosts[1].eid, 32));
	REFUSED(EEXIST, new_host(&self->g, "two", 9003));
	REFUSED(EADDRINUSE, new_host(&self->g, "four", 9001));
	EXPECT_EQ(3, dump(&self->g, SSS_CMD_HOST_GET));

	/* Exactly one is the default. */
	ASSERT_EQ(0, get_host(&self->g, NULL, false, &host));
	EXPECT_STREQ("one", host.name);
	ASSERT_EQ(0, ask_u32(&self->g, SSS_CMD_HOST_SET, "two", SSS_A_HOST_FLAGS,
			     SSS_HOST_F_DEFAULT));
	ASSERT_EQ(0, get_host(&self->g, NULL, false, &host));
	EXPECT_STREQ("two", host.name);
	ASSERT_EQ(0, get_host(&self->g, "one", false, &host));
	EXPECT_EQ(0, host.flags);
	/* It goes and no other takes its place by itself. */
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_DEL, "two", 0, NULL, 0));
	REFUSED(ENOENT, get_host(&self->g, NULL, false, &host));
	/* Only a mask: the flag is cleared. */
	ASSERT_EQ(0, ask_u32(&self->g, SSS_CMD_HOST_NEW, "five", SSS_A_HOST_FLAGS_MASK,
			     SSS_HOST_F_DEFAULT));
	REFUSED(ENOENT, get_host(&self->g, NULL, false, &host));
	ASSERT_EQ(0, new_host(&self->g, "six", 9006));
	ASSERT_EQ(0, get_host(&self->g, NULL, false, &host));
	EXPECT_STREQ("six", host.name);
	ASSERT_EQ(0, ask_u32(&self->g, SSS_CMD_HOST_SET, "six", SSS_A_HOST_FLAGS_MASK,
			     SSS_HOST_F_DEFAULT));
	REFUSED(ENOENT, get_host(&self->g, NULL, false, &host));
}

TEST_F(netlink, change_host)
{
	struct nlmsghdr *nlh;
	struct host host;

	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, new_host(&self->g, "two", 9002));
	nlh = genl_start(&self->g, SSS_CMD_HOST_SET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, "one");
	mnl_attr_put_u16(nlh, SSS_A_HOST_PORT, 9005);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS, SSS_HOST_F_STEALTH);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS_MASK, FLAGS_ALL & ~SSS_HOST_F_DEFAULT);
	mnl_attr_put_u32(nlh, SSS_A_HOST_UID, 7);
	mnl_attr_put_u32(nlh, SSS_A_HOST_GID, 8);
	mnl_attr_put_u32(nlh, SSS_A_HOST_MODE, 0640);
	mnl_attr_put_u32(nlh, SSS_A_HOST_PADDING, SSS_PADDING_BUCKETS);
	mnl_attr_put_u32(nlh, SSS_A_HOST_ACCESS, SSS_ACCESS_PEERS);
	mnl_attr_put_u32(nlh, SSS_A_MAX_STREAMS, 9);
	mnl_attr_put_u32(nlh, SSS_A_STREAM_RATE, 10);
	ASSERT_EQ(0, genl_call(&self->g, nlh, NULL, NULL));
	ASSERT_EQ(0, get_host(&self->g, "one", false, &host));
	EXPECT_EQ(9005, host.port);
	EXPECT_EQ(SSS_HOST_F_DEFAULT | SSS_HOST_F_STEALTH, host.flags);
	EXPECT_EQ(7, host.uid);
	EXPECT_EQ(8, host.gid);
	EXPECT_EQ(0640, host.mode);
	EXPECT_EQ(SSS_PADDING_BUCKETS, host.padding);
	EXPECT_EQ(SSS_ACCESS_PEERS, host.access);
	EXPECT_EQ(9, host.max_streams);
	EXPECT_EQ(10, host.stream_rate);

	/* A busy port: nothing of the rest happens either. */
	nlh = genl_start(&self->g, SSS_CMD_HOST_SET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, "one");
	mnl_attr_put_u16(nlh, SSS_A_HOST_PORT, 9002);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS_MASK, FLAGS_ALL);
	mnl_attr_put_u32(nlh, SSS_A_HOST_UID, 17);
	mnl_attr_put_u32(nlh, SSS_A_HOST_MODE, 0);
	mnl_attr_put_u32(nlh, SSS_A_HOST_PADDING, SSS_PADDING_FULL);
	mnl_attr_put_u32(nlh, SSS_A_HOST_ACCESS, SSS_ACCESS_RULES);
	mnl_attr_put_u32(nlh, SSS_A_MAX_STREAMS, 0);
	REFUSED(EADDRINUSE, genl_call(&self->g, nlh, NULL, NULL));
	ASSERT_EQ(0, get_host(&self->g, "one", false, &host));
	EXPECT_EQ(9005, host.port);
	EXPECT_EQ(SSS_HOST_F_DEFAULT | SSS_HOST_F_STEALTH, host.flags);
	EXPECT_EQ(7, host.uid);
	EXPECT_EQ(0640, host.mode);
	EXPECT_EQ(SSS_PADDING_BUCKETS, host.padding);
	EXPECT_EQ(SSS_ACCESS_PEERS, host.access);
	EXPECT_EQ(9, host.max_streams);
	EXPECT_EQ(10, host.stream_rate);

	/* A flag outside the mask */
	nlh = genl_start(&self->g, SSS_CMD_HOST_SET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, "one");
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS, SSS_HOST_F_STEALTH);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS_MASK, SSS_HOST_F_DEFAULT);
	REFUSED(EINVAL, genl_call(&self->g, nlh, NULL, NULL));

	/* The port it had is free again. */
	EXPECT_EQ(0, new_host(&self->g, "three", 9001));
}

TEST_F(netlink, busy_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(9100) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(9101) };
	int fd4 = socket(AF_INET, SOCK_DGRAM, 0), fd6 = socket(AF_INET6, SOCK_DGRAM, 0);

	ASSERT_EQ(0, bind(fd4, (void *)&in, sizeof(in)));
	ASSERT_EQ(0, bind(fd6, (void *)&in6, sizeof(in6)));
	REFUSED(EADDRINUSE, new_host(&self->g, "one", 9100));
	REFUSED(EADDRINUSE, new_host(&self->g, "one", 9101));
	EXPECT_EQ(0, dump(&self->g, SSS_CMD_HOST_GET));
	close(fd4);
	close(fd6);
	EXPECT_EQ(0, new_host(&self->g, "one", 9100));
	EXPECT_EQ(0, new_host(&self->g, "two", 9101));
	/* And a host's port is busy for others. */
	fd4 = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_EQ(-1, bind(fd4, (void *)&in, sizeof(in)));
	EXPECT_EQ(EADDRINUSE, errno);
	close(fd4);
}

TEST_HARNESS_MAIN
