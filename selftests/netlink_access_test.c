// SPDX-License-Identifier: GPL-2.0
/*
 * Who may do what over generic netlink, what monitors are told, and what
 * belongs to one namespace: sysctls, counters, and all of it when it goes.
 */
#include <dirent.h>
#include <sys/wait.h>
#include "netlink.h"

/* In a child: nothing but reading is allowed, and no secret can be read. */
static int unprivileged(struct genl *g)
{
	static const int cmds[] = {
		SSS_CMD_HOST_NEW, SSS_CMD_HOST_DEL, SSS_CMD_HOST_SET,
		SSS_CMD_PEER_NEW, SSS_CMD_PEER_DEL, SSS_CMD_PEER_SET,
		SSS_CMD_CHANNEL_REKEY, SSS_CMD_CHANNEL_CLOSE,
	};
	struct host host;
	unsigned int i;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 10;
	mnl_socket_close(g->nl);
	genl_open(g);
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		if (ask(g, cmds[i], "one", 0, NULL, 0) != EPERM)
			return 20 + i;
	if (get_host(g, "one", true, &host) != EPERM)
		return 30;
	if (get_host(g, "one", false, &host) || host.has_key)
		return 31;
	if (dump(g, SSS_CMD_HOST_GET) != 1 || dump(g, SSS_CMD_PEER_GET) != 1)
		return 32;
	if (!mnl_socket_setsockopt(g->nl, NETLINK_ADD_MEMBERSHIP, &g->monitor,
				   sizeof(g->monitor)) || errno != EPERM)
		return 33;
	if (sysctl_write("allow_loopback", "1") != EACCES)
		return 34;
	return 0;
}

TEST_F(netlink, unprivileged_user)
{
	struct host host;
	int status;
	pid_t pid;

	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", peer_a));
	ASSERT_EQ(0, get_host(&self->g, "one", true, &host));
	EXPECT_TRUE(host.has_key);
	pid = fork();
	if (!pid)
		_exit(unprivileged(&self->g));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(1, dump(&self->g, SSS_CMD_HOST_GET));
	EXPECT_EQ(1, dump(&self->g, SSS_CMD_PEER_GET));
}

/* A user with namespaces of his own is the administrator there. */
static int own_namespace(struct genl *g)
{
	struct host host;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 10;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 4;
	mnl_socket_close(g->nl);
	genl_open(g);
	if (new_host(g, "mine", 9001))
		return 11;
	if (get_host(g, "mine", true, &host) || !host.has_key)
		return 12;
	/* No id is mapped here. */
	if (ask_u32(g, SSS_CMD_HOST_SET, "mine", SSS_A_HOST_UID, 0) != EINVAL)
		return 13;
	if (host.uid != NOBODY)
		return 14;
	return ask(g, SSS_CMD_HOST_DEL, "mine", 0, NULL, 0) ? 15 : 0;
}

TEST_F(netlink, own_user_namespace)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(own_namespace(&self->g));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (WEXITSTATUS(status) == 4)
		SKIP(return, "users may not make namespaces here");
	EXPECT_EQ(0, WEXITSTATUS(status));
}

struct events {
	unsigned int n;
	unsigned int event[16];
	bool peer[16];
	char host[16][16];
};

static int add_event(const struct nlmsghdr *nlh, void *data)
{
	struct events *events = data;
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	events->event[events->n] = get_u32(a.of[SSS_A_EVENT]);
	events->peer[events->n] = a.of[SSS_A_PEER_EID];
	snprintf(events->host[events->n], 16, "%s", a.of[SSS_A_HOST_NAME] ?
		 mnl_attr_get_str(a.of[SSS_A_HOST_NAME]) : "");
	events->n++;
	return MNL_CB_OK;
}

TEST_F(netlink, monitor)
{
	static const unsigned int wanted[] = {
		SSS_EVENT_HOST_NEW, SSS_EVENT_PEER_NEW, SSS_EVENT_PEER_DEL,
		SSS_EVENT_PEER_NEW, SSS_EVENT_HOST_DEL, SSS_EVENT_PEER_DEL,
	};
	struct timeval deadline = { .tv_sec = 5 };
	struct events events = { };
	struct genl listener;
	char buf[8192];
	unsigned int i;
	ssize_t len;

	genl_open(&listener);
	ASSERT_NE(0, listener.monitor);
	ASSERT_EQ(0, mnl_socket_setsockopt(listener.nl, NETLINK_ADD_MEMBERSHIP,
					   &listener.monitor, sizeof(listener.monitor)));
	setsockopt(mnl_socket_get_fd(listener.nl), SOL_SOCKET, SO_RCVTIMEO, &deadline,
		   sizeof(deadline));
	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", peer_a));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_DEL, "one", peer_a));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", peer_b));
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_DEL, "one", 0, NULL, 0));
	while (events.n < ARRAY_SIZE(wanted)) {
		len = mnl_socket_recvfrom(listener.nl, buf, sizeof(buf));
		ASSERT_LT(0, len);
		mnl_cb_run(buf, len, 0, 0, add_event, &events);
	}
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		EXPECT_EQ(wanted[i], events.event[i]);
		EXPECT_EQ(wanted[i] == SSS_EVENT_PEER_NEW || wanted[i] == SSS_EVENT_PEER_DEL,
			  events.peer[i]);
	}
	EXPECT_STREQ("one", events.host[0]);
	EXPECT_STREQ("one", events.host[1]);
	mnl_socket_close(listener.nl);
}

/* All of it goes with the namespace; the audit after the tests looks at it. */
TEST_F(netlink, namespace_goes)
{
	int i;

	for (i = 0; i < 5; i++) {
		char name[16];
		int k;

		snprintf(name, sizeof(name), "host%d", i);
		ASSERT_EQ(0, new_host(&self->g, name, 9001 + i));
		for (k = 0; k < 5; k++) {
			unsigned char eid[32] = { k, 1 };

			ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, name, eid));
		}
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		mnl_socket_close(self->g.nl);
		genl_open(&self->g);
		EXPECT_EQ(0, dump(&self->g, SSS_CMD_HOST_GET));
		ASSERT_EQ(0, new_host(&self->g, "again", 9001));
	}
}

struct stats {
	unsigned int n;
	bool same;
	FILE *proc;
};

static int add_stats(const struct nlmsghdr *nlh, void *data)
{
	struct stats *stats = data;
	const struct nlattr *stat, *in;
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	if (!a.of[SSS_A_STATS])
		return MNL_CB_OK;
	mnl_attr_for_each_nested(stat, a.of[SSS_A_STATS]) {
		char name[64] = "", line[64] = "";
		unsigned long long value = ~0ULL, shown = 0;

		mnl_attr_for_each_nested(in, stat) {
			if (mnl_attr_get_type(in) == SSS_A_STAT_NAME)
				snprintf(name, sizeof(name), "%s", mnl_attr_get_str(in));
			else if (mnl_attr_get_type(in) == SSS_A_STAT_VALUE)
				value = mnl_attr_get_u64(in);
		}
		if (fscanf(stats->proc, "%63s %llu", line, &shown) != 2 ||
		    strcmp(line, name) || shown != value)
			stats->same = false;
		stats->n++;
	}
	return MNL_CB_OK;
}

TEST_F(netlink, stats)
{
	struct stats stats = { .same = true, .proc = fopen("/proc/self/net/sss_stat", "r") };
	uint32_t one = 1;

	ASSERT_NE(NULL, stats.proc);
	ASSERT_EQ(0, new_host(&self->g, "one", 9001));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, "one", peer_a));
	ASSERT_EQ(0, genl_call(&self->g, genl_start(&self->g, SSS_CMD_STATS_GET, 0), add_stats,
			       &stats));
	EXPECT_TRUE(stats.same);
	EXPECT_LT(50, stats.n);
	REFUSED(EINVAL, ask(&self->g, SSS_CMD_STATS_GET, NULL, SSS_A_UID, &one, 4));
	fclose(stats.proc);
}

TEST_F(netlink, sysctls)
{
	char before[64], after[64];
	unsigned int n = 0;
	struct dirent *entry;
	DIR *dir;

	dir = opendir("/proc/sys/net/sss");
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		sysctl_read(entry->d_name, before, sizeof(before));
		EXPECT_NE(0, before[0]);
		EXPECT_EQ(EINVAL, sysctl_write(entry->d_name, "-1"))
			TH_LOG("%s", entry->d_name);
		EXPECT_EQ(EINVAL, sysctl_write(entry->d_name, "2000000000"))
			TH_LOG("%s", entry->d_name);
		EXPECT_EQ(EINVAL, sysctl_write(entry->d_name, "many"))
			TH_LOG("%s", entry->d_name);
		sysctl_read(entry->d_name, after, sizeof(after));
		EXPECT_STREQ(before, after);
		/* What is there may be written again. */
		EXPECT_EQ(0, sysctl_write(entry->d_name, before))
			TH_LOG("%s", entry->d_name);
	}
	closedir(dir);
	EXPECT_EQ(37, n);
	/* min default max, in order, all or nothing */
	sysctl_read("rmem", before, sizeof(before));
	EXPECT_EQ(EINVAL, sysctl_write("rmem", "65536 16384 131072"));
	EXPECT_EQ(EINVAL, sysctl_write("rmem", "16384 131072 65536"));
	EXPECT_EQ(EINVAL, sysctl_write("rmem", "8192 8192 x"));
	sysctl_read("rmem", after, sizeof(after));
	EXPECT_STREQ(before, after);
	EXPECT_EQ(0, sysctl_write("rmem", "8192 16384 32768"));
	sysctl_read("rmem", after, sizeof(after));
	EXPECT_STREQ("8192\t16384\t32768\n", after);
	sysctl_read("congestion_control", before, sizeof(before));
	EXPECT_STREQ("cubic\n", before);
	EXPECT_EQ(0, sysctl_write("congestion_control", "reno\n"));
	sysctl_read("congestion_control", after, sizeof(after));
	EXPECT_STREQ("reno\n", after);
	EXPECT_EQ(EINVAL, sysctl_write("congestion_control", "cubicle"));
	EXPECT_EQ(EINVAL, sysctl_write("congestion_control", "a name that is much too long"));
	/* Another namespace has its own. */
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	sysctl_read("congestion_control", after, sizeof(after));
	EXPECT_STREQ(before, after);
	sysctl_read("rmem", after, sizeof(after));
	EXPECT_STRNE("8192\t16384\t32768\n", after);
}

TEST_HARNESS_MAIN
