// SPDX-License-Identifier: GPL-2.0
/*
 * Makes, changes and deletes hosts, peers and rules while allocations fail: whatever
 * fails must fail with ENOMEM and leave nothing behind.
 *
 *   netlink_fault ROUNDS
 */
#include "netlink.h"

static unsigned int refused;
static struct genl g;

static int memory(const char *what, int err)
{
	/* ENFILE: the core's word for no memory for a socket's inode */
	if (err == ENOMEM || err == ENOBUFS || err == ENFILE) {
		refused++;
		return err;
	}
	if (err) {
		printf("# %s: %s (%s)\n", what, strerror(err), g.text);
		printf("not ok 1 only ENOMEM when allocations fail\n1..1\n");
		exit(1);
	}
	return 0;
}

/* What is done when nothing fails any more must be there again. */
static void must(const char *what, bool ok)
{
	if (ok)
		return;
	printf("not ok 1 %s\n1..1\n", what);
	exit(1);
}

static void change(const char *name)
{
	struct nlmsghdr *nlh = genl_start(&g, SSS_CMD_HOST_SET, 0);

	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	mnl_attr_put_u16(nlh, SSS_A_HOST_PORT, 0);
	mnl_attr_put_u32(nlh, SSS_A_HOST_MODE, 0600);
	memory("HOST_SET", genl_call(&g, nlh, NULL, NULL));
}

static void use_peers(const char *name)
{
	bool have_a, have_b;

	have_a = !memory("PEER_NEW", ask_peer(&g, SSS_CMD_PEER_NEW, name, peer_a));
	have_b = !memory("PEER_NEW", ask_peer(&g, SSS_CMD_PEER_NEW, name, peer_b));
	if (have_a)
		memory("PEER_DEL", ask_peer(&g, SSS_CMD_PEER_DEL, name, peer_a));
	/* The other one goes with its host. */
	if (have_b)
		dump(&g, SSS_CMD_PEER_GET);
}

static int ask_rule(int cmd, const char *name, const unsigned char *eid)
{
	struct nlmsghdr *nlh = genl_start(&g, cmd, 0);

	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	genl_put(nlh, SSS_A_PEER_EID, eid, 32);
	return memory("a rule", genl_call(&g, nlh, NULL, NULL));
}

static void use_rules(const char *name)
{
	bool have_a = !ask_rule(SSS_CMD_ACCESS_NEW, name, peer_a);

	if (have_a && !ask_rule(SSS_CMD_ACCESS_NEW, name, peer_b)) {
		ask_rule(SSS_CMD_ACCESS_SET, name, peer_b);
		ask_rule(SSS_CMD_ACCESS_DEL, name, peer_b);
	}
	/* What is left goes with its host. */
	memory("ACCESS_GET", genl_call(&g, genl_start(&g, SSS_CMD_ACCESS_GET, NLM_F_DUMP), NULL,
				       NULL));
}

static void new_namespace(void)
{
	while (unshare(CLONE_NEWNET))
		memory("unshare", errno);
}

static void one_round(unsigned int i)
{
	bool one, two;

	one = !memory("HOST_NEW", new_host(&g, "one", 0));
	two = !memory("HOST_NEW", new_host(&g, "two", 0));
	if (one) {
		use_peers("one");
		use_rules("one");
		change("one");
		dump(&g, SSS_CMD_HOST_GET);
		memory("HOST_DEL", ask(&g, SSS_CMD_HOST_DEL, "one", 0, NULL, 0));
	}
	if (two && i % 8)
		memory("HOST_DEL", ask(&g, SSS_CMD_HOST_DEL, "two", 0, NULL, 0));
	/* Now and then a namespace goes with what is in it, and a new one comes. */
	if (i % 8 == 0) {
		new_namespace();
		mnl_socket_close(g.nl);
		genl_open(&g);
	}
}

int main(int argc, char **argv)
{
	unsigned int i, rounds = argc > 1 ? atoi(argv[1]) : 100;

	new_namespace();
	genl_open(&g);
	for (i = 0; i < rounds; i++)
		one_round(i);
	printf("# %u requests failed for want of memory\n", refused);
	must("some requests failed", refused);
	printf("ok 1 only ENOMEM when allocations fail\n1..1\n");
	return 0;
}
