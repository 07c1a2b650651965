// SPDX-License-Identifier: GPL-2.0
/*
 * Services, channels and streams: who may listen on what, how it is shown,
 * and what deleting a peer or a host does to what lives on it. Two hosts of
 * one namespace talk over loopback.
 */
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include "netlink.h"

#define NOBODY 65534
#define PORT_ONE 9001
#define PORT_TWO 9002

struct entry {
	char host[SSS_HOST_NAME_MAX + 1];
	char service[SSS_NAME_MAX + 1];
	char protocol[SSS_NAME_MAX + 1];
	char desc[SSS_DESC_MAX + 1];
	unsigned int kind, uid, backlog, queued, channel;
	bool parent;
	struct sss_info info;
	struct sockaddr_in endpoint;
};

struct entries {
	unsigned int n;
	struct entry entry[64];
};

static struct entries entries;

static void get_text(char *to, size_t size, const struct nlattr *attr)
{
	snprintf(to, size, "%s", attr ? mnl_attr_get_str(attr) : "");
}

static int add_entry(const struct nlmsghdr *nlh, void *data)
{
	struct entry *entry = &entries.entry[entries.n++];
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	memset(entry, 0, sizeof(*entry));
	get_text(entry->host, sizeof(entry->host), a.of[SSS_A_HOST_NAME]);
	get_text(entry->service, sizeof(entry->service), a.of[SSS_A_SERVICE]);
	get_text(entry->protocol, sizeof(entry->protocol), a.of[SSS_A_PROTOCOL]);
	get_text(entry->desc, sizeof(entry->desc), a.of[SSS_A_SERVICE_DESC]);
	entry->kind = get_u32(a.of[SSS_A_KIND]);
	entry->uid = get_u32(a.of[SSS_A_UID]);
	entry->backlog = get_u32(a.of[SSS_A_BACKLOG]);
	entry->queued = get_u32(a.of[SSS_A_QUEUED]);
	entry->channel = get_u32(a.of[SSS_A_CHANNEL_ID]);
	entry->parent = a.of[SSS_A_PARENT_ID];
	if (a.of[SSS_A_INFO])
		memcpy(&entry->info, mnl_attr_get_payload(a.of[SSS_A_INFO]),
		       sizeof(entry->info));
	if (a.of[SSS_A_ENDPOINT])
		memcpy(&entry->endpoint, mnl_attr_get_payload(a.of[SSS_A_ENDPOINT]),
		       sizeof(entry->endpoint));
	return MNL_CB_OK;
}

static unsigned int show(struct genl *g, int cmd)
{
	entries.n = 0;
	if (genl_call(g, genl_start(g, cmd, NLM_F_DUMP), add_entry, NULL))
		return ~0u;
	return entries.n;
}

/* @eid NULL: every host. Returns a socket or a negative errno. */
static int try_bind(const unsigned char *eid, const char *service, const char *protocol)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS };
	int err, fd = socket(AF_SSS, SOCK_STREAM, 0);

	if (fd < 0)
		return -errno;
	if (eid)
		memcpy(addr.sss_eid.key, eid, 32);
	snprintf(addr.sss_service, sizeof(addr.sss_service), "%s", service);
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "%s", protocol);
	if (!bind(fd, (void *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int try_listen(const unsigned char *eid, const char *service, const char *protocol)
{
	int err, fd = try_bind(eid, service, protocol);

	if (fd < 0 || !listen(fd, 7))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int try_connect(const unsigned char *from, const unsigned char *to, const char *service)
{
	struct timeval deadline = { .tv_sec = 20 };
	struct sockaddr_sss addr = { .sss_family = AF_SSS };
	int err, fd = try_bind(from, "", "");

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	memcpy(addr.sss_eid.key, to, 32);
	snprintf(addr.sss_service, sizeof(addr.sss_service), "%s", service);
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "1");
	if (!connect(fd, (void *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* What the kernel counted, for who looks into a failure */
static void show_stats(void)
{
	FILE *f = fopen("/proc/self/net/sss_stat", "r");
	char name[64];
	long long value;

	while (f && fscanf(f, "%63s %lld", name, &value) == 2)
		if (value)
			printf("# %s %lld\n", name, value);
	if (f)
		fclose(f);
}

FIXTURE(service)
{
	struct genl g;
	struct host one, two;
};

FIXTURE_SETUP(service)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct genl *g = &self->g;
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
	genl_open(g);
	EXPECT_EQ(-ENOKEY, try_bind(NULL, "echo", "1"));
	ASSERT_EQ(0, sysctl_write("allow_loopback", "1"));
	ASSERT_EQ(0, new_host(g, "one", PORT_ONE));
	ASSERT_EQ(0, new_host(g, "two", PORT_TWO));
	ASSERT_EQ(0, get_host(g, "one", false, &self->one));
	ASSERT_EQ(0, get_host(g, "two", false, &self->two));
	ASSERT_EQ(0, ask_endpoint4(g, SSS_CMD_PEER_NEW, self->two.eid, "127.0.0.1", PORT_TWO));
}

FIXTURE_TEARDOWN(service)
{
	mnl_socket_close(self->g.nl);
}

TEST_F(service, shown)
{
	int all, on_two;

	EXPECT_EQ(0, show(&self->g, SSS_CMD_SERVICE_GET));
	all = try_bind(NULL, "echo", "1");
	ASSERT_LE(0, all);
	ASSERT_EQ(0, setsockopt(all, SOL_SSS, SSS_SERVICE_DESC, "says it again", 13));
	ASSERT_EQ(0, listen(all, 7));
	on_two = try_listen(self->two.eid, "time", "1");
	ASSERT_LE(0, on_two);
	ASSERT_EQ(2, show(&self->g, SSS_CMD_SERVICE_GET));
	EXPECT_STREQ("", entries.entry[0].host);
	EXPECT_STREQ("echo", entries.entry[0].service);
	EXPECT_STREQ("1", entries.entry[0].protocol);
	EXPECT_STREQ("says it again", entries.entry[0].desc);
	EXPECT_EQ(SOCK_STREAM, entries.entry[0].kind);
	EXPECT_EQ(0, entries.entry[0].uid);
	EXPECT_EQ(7, entries.entry[0].backlog);
	EXPECT_EQ(0, entries.entry[0].queued);
	EXPECT_STREQ("two", entries.entry[1].host);
	EXPECT_STREQ("time", entries.entry[1].service);
	close(all);
	EXPECT_EQ(1, show(&self->g, SSS_CMD_SERVICE_GET));
	close(on_two);
	EXPECT_EQ(0, show(&self->g, SSS_CMD_SERVICE_GET));
}

/* A pair is taken where it is listened on: on one host or on all of them. */
TEST_F(service, taken)
{
	int all, on_one, on_two;

	all = try_listen(NULL, "echo", "1");
	ASSERT_LE(0, all);
	EXPECT_EQ(-EADDRINUSE, try_listen(NULL, "echo", "1"));
	EXPECT_EQ(-EADDRINUSE, try_listen(self->one.eid, "echo", "1"));
	on_one = try_listen(self->one.eid, "echo", "2");
	ASSERT_LE(0, on_one);
	EXPECT_EQ(-EADDRINUSE, try_listen(NULL, "echo", "2"));
	EXPECT_EQ(-EADDRINUSE, try_listen(self->one.eid, "echo", "2"));
	on_two = try_listen(self->two.eid, "echo", "2");
	EXPECT_LE(0, on_two);
	EXPECT_EQ(3, show(&self->g, SSS_CMD_SERVICE_GET));
	close(all);
	close(on_two);
	all = try_listen(self->one.eid, "echo", "1");
	EXPECT_LE(0, all);
	close(all);
	close(on_one);
}

static int unprivileged(const struct host *one, const struct host *two)
{
	int fd;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 10;
	/* "one" is for root only, "two" for its group. */
	if (try_listen(one->eid, "echo", "1") != -EACCES)
		return 11;
	if (try_bind(one->eid, "", "") != -EACCES)
		return 12;
	fd = try_listen(two->eid, "echo", "1");
	if (fd < 0)
		return 13;
	close(fd);
	if (try_bind(two->eid, "", "") != -EACCES)
		return 14;
	/* On all hosts is on those it may */
	fd = try_listen(NULL, "echo", "1");
	if (fd < 0)
		return 15;
	close(fd);
	return try_listen(two->eid, ".echo", "1") == -EACCES ? 0 : 16;
}

TEST_F(service, permissions)
{
	struct nlmsghdr *nlh;
	int status;
	pid_t pid;

	ASSERT_EQ(0, ask_u32(&self->g, SSS_CMD_HOST_SET, "one", SSS_A_HOST_MODE, 0600));
	nlh = genl_start(&self->g, SSS_CMD_HOST_SET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, "two");
	mnl_attr_put_u32(nlh, SSS_A_HOST_GID, NOBODY);
	mnl_attr_put_u32(nlh, SSS_A_HOST_MODE, 0626);
	ASSERT_EQ(0, genl_call(&self->g, nlh, NULL, NULL));
	pid = fork();
	if (!pid)
		_exit(unprivileged(&self->one, &self->two));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	/* Root may all, whatever the mode. */
	ASSERT_EQ(0, ask_u32(&self->g, SSS_CMD_HOST_SET, "one", SSS_A_HOST_MODE, 0));
	status = try_listen(self->one.eid, ".echo", "1");
	EXPECT_LE(0, status);
	close(status);
}

/* nobody listens on all hosts: not on one that he may not listen on. */
static int listen_as_nobody(int ready, int done)
{
	char c;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	if (try_listen(NULL, "echo", "1") < 0)
		return 2;
	if (write(ready, "r", 1) != 1 || read(done, &c, 1) != 1)
		return 3;
	return 0;
}

TEST_F(service, all_hosts_means_those_it_may)
{
	int ready[2], done[2], fd, status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(done));
	pid = fork();
	if (!pid)
		_exit(listen_as_nobody(ready[1], done[0]));
	ASSERT_EQ(1, read(ready[0], &c, 1));
	fd = try_connect(self->one.eid, self->two.eid, "echo");
	EXPECT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, ask_u32(&self->g, SSS_CMD_HOST_SET, "two", SSS_A_HOST_MODE, 0600));
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->one.eid, self->two.eid, "echo"));
	ASSERT_EQ(1, write(done[1], "d", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_F(service, channels_and_streams)
{
	struct entry *entry;
	int listener, near[3], far[3], i;

	EXPECT_EQ(0, show(&self->g, SSS_CMD_CHANNEL_GET));
	EXPECT_EQ(0, show(&self->g, SSS_CMD_STREAM_GET));
	listener = try_listen(self->two.eid, "echo", "1");
	ASSERT_LE(0, listener);
	for (i = 0; i < 3; i++) {
		near[i] = try_connect(self->one.eid, self->two.eid, "echo");
		ASSERT_LE(0, near[i]);
	}
	ASSERT_EQ(1, show(&self->g, SSS_CMD_SERVICE_GET));
	EXPECT_EQ(3, entries.entry[0].queued);
	for (i = 0; i < 3; i++) {
		far[i] = accept(listener, NULL, NULL);
		ASSERT_LE(0, far[i]);
	}
	ASSERT_EQ(1, show(&self->g, SSS_CMD_SERVICE_GET));
	EXPECT_EQ(0, entries.entry[0].queued);

	/* Both ends are here. */
	ASSERT_EQ(2, show(&self->g, SSS_CMD_CHANNEL_GET));
	entry = &entries.entry[0];
	EXPECT_STREQ("one", entry->host);
	EXPECT_EQ(htons(PORT_TWO), entry->endpoint.sin_port);
	EXPECT_EQ(htonl(INADDR_LOOPBACK), entry->endpoint.sin_addr.s_addr);
	EXPECT_EQ(SSS_LINK_UP, entry->info.link);
	EXPECT_LT(0, entry->info.pkts_sent);
	EXPECT_STREQ("two", entries.entry[1].host);
	EXPECT_NE(entry->channel, entries.entry[1].channel);
	ASSERT_EQ(6, show(&self->g, SSS_CMD_STREAM_GET));
	for (i = 0; i < 6; i++) {
		entry = &entries.entry[i];
		EXPECT_STREQ(i < 3 ? "one" : "two", entry->host);
		EXPECT_STREQ("echo", entry->service);
		EXPECT_STREQ("1", entry->protocol);
		EXPECT_EQ(SOCK_STREAM, entry->kind);
		EXPECT_EQ(0, entry->uid);
		EXPECT_FALSE(entry->parent);
	}

	/* The one who called is known by it, and not configured. */
	ASSERT_EQ(2, dump(&self->g, SSS_CMD_PEER_GET));
	EXPECT_EQ(SSS_PEER_F_CONFIGURED, list.peers[0].flags);
	EXPECT_EQ(0, list.peers[1].flags);
	EXPECT_EQ(1, list.peers[1].n_endpoints);
	for (i = 0; i < 3; i++) {
		close(near[i]);
		close(far[i]);
	}
	close(listener);
}

struct seen {
	unsigned int made, gone, up;
};

static int add_event(const struct nlmsghdr *nlh, void *data)
{
	struct seen *seen = data;
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	switch (get_u32(a.of[SSS_A_EVENT])) {
	case SSS_EVENT_CHANNEL_NEW:
		seen->made += !!a.of[SSS_A_PEER_EID];
		break;
	case SSS_EVENT_CHANNEL_DEL:
		seen->gone += !!a.of[SSS_A_PEER_EID];
		break;
	case SSS_EVENT_LINK_UP:
		seen->up += !!a.of[SSS_A_PEER_EID];
		break;
	}
	return MNL_CB_OK;
}

/* Reads what comes until *@what is @wanted, 5 s at most. */
static bool await(struct genl *g, struct seen *seen, const unsigned int *what,
		  unsigned int wanted)
{
	char buf[8192];

	while (*what < wanted) {
		ssize_t len = mnl_socket_recvfrom(g->nl, buf, sizeof(buf));

		if (len < 0)
			return false;
		mnl_cb_run(buf, len, 0, 0, add_event, seen);
	}
	return *what == wanted;
}

TEST_F(service, monitors_see_channels)
{
	int listener = try_listen(self->two.eid, "echo", "1"), near;
	struct timeval deadline = { .tv_sec = 5 };
	struct seen seen = { };
	struct genl monitor;

	genl_open(&monitor);
	ASSERT_EQ(0, mnl_socket_setsockopt(monitor.nl, NETLINK_ADD_MEMBERSHIP,
					   &monitor.monitor, sizeof(monitor.monitor)));
	setsockopt(mnl_socket_get_fd(monitor.nl), SOL_SOCKET, SO_RCVTIMEO, &deadline,
		   sizeof(deadline));
	near = try_connect(self->one.eid, self->two.eid, "echo");
	ASSERT_LE(0, near);
	/* One at each end */
	EXPECT_TRUE(await(&monitor, &seen, &seen.made, 2));
	EXPECT_TRUE(await(&monitor, &seen, &seen.up, 2));
	EXPECT_EQ(0, seen.gone);
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_DEL, "two", 0, NULL, 0));
	EXPECT_TRUE(await(&monitor, &seen, &seen.gone, 2));
	mnl_socket_close(monitor.nl);
	close(near);
	close(listener);
}

/*
 * connect() knows the answer before the listener's side has the proof it waits
 * for to learn the peer.
 */
static bool peers_become(struct genl *g, unsigned int n)
{
	int i;

	for (i = 0; i < 500 && dump(g, SSS_CMD_PEER_GET) != n; i++)
		usleep(10000);
	return list.n == n;
}

/* What is configured while it is known keeps, and its endpoints are the new ones. */
TEST_F(service, learnt_peer_is_configured)
{
	int listener = try_listen(self->two.eid, "echo", "1"), near;

	near = try_connect(self->one.eid, self->two.eid, "echo");
	ASSERT_LE(0, near);
	ASSERT_TRUE(peers_become(&self->g, 2));
	EXPECT_EQ(0, list.peers[1].flags);
	REFUSED(ENOENT, ask_peer(&self->g, SSS_CMD_PEER_SET, "two", self->one.eid));
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_NEW, "two", self->one.eid));
	REFUSED(EEXIST, ask_peer(&self->g, SSS_CMD_PEER_NEW, "two", self->one.eid));
	ASSERT_EQ(2, dump(&self->g, SSS_CMD_PEER_GET));
	EXPECT_EQ(SSS_PEER_F_CONFIGURED, list.peers[1].flags);
	/* The channel goes on. */
	EXPECT_EQ(5, send(near, "hello", 5, 0));
	close(near);
	close(listener);
}

TEST_F(service, peer_is_deleted_under_a_stream)
{
	int listener = try_listen(self->two.eid, "echo", "1"), near, far;
	char buf[16];

	near = try_connect(self->one.eid, self->two.eid, "echo");
	ASSERT_LE(0, near);
	far = accept(listener, NULL, NULL);
	ASSERT_LE(0, far);
	ASSERT_EQ(0, ask_peer(&self->g, SSS_CMD_PEER_DEL, "one", self->two.eid));
	EXPECT_EQ(-1, recv(near, buf, sizeof(buf), 0));
	EXPECT_EQ(ECONNABORTED, errno);
	/* The other end is told. */
	EXPECT_EQ(-1, recv(far, buf, sizeof(buf), 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-EHOSTUNREACH, try_connect(self->one.eid, self->two.eid, "echo"));
	close(near);
	close(far);
	close(listener);
}

TEST_F(service, host_is_deleted_under_a_stream)
{
	int listener = try_listen(self->two.eid, "echo", "1"), near, far;
	char buf[16];

	near = try_connect(self->one.eid, self->two.eid, "echo");
	ASSERT_LE(0, near);
	far = accept(listener, NULL, NULL);
	ASSERT_LE(0, far);
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_DEL, "two", 0, NULL, 0));
	EXPECT_EQ(-1, recv(far, buf, sizeof(buf), 0));
	EXPECT_EQ(ECONNABORTED, errno);
	EXPECT_EQ(-1, recv(near, buf, sizeof(buf), 0));
	EXPECT_EQ(ECONNRESET, errno)
		show_stats();
	close(near);
	close(far);
	close(listener);
	/* Its name, key and port are free again. */
	EXPECT_EQ(0, new_host(&self->g, "two", PORT_TWO));
}

/* Another port in the middle of a stream: the peer follows. */
TEST_F(service, port_changes_under_a_stream)
{
	int listener = try_listen(self->two.eid, "echo", "1"), near, far, i;
	struct timeval deadline = { .tv_sec = 20 };
	uint16_t port = PORT_ONE + 10;
	char buf[16];

	near = try_connect(self->one.eid, self->two.eid, "echo");
	ASSERT_LE(0, near);
	far = accept(listener, NULL, NULL);
	ASSERT_LE(0, far);
	setsockopt(far, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	ASSERT_EQ(0, ask(&self->g, SSS_CMD_HOST_SET, "one", SSS_A_HOST_PORT, &port, 2));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(4, send(near, "ping", 4, 0));
		ASSERT_EQ(4, recv(far, buf, sizeof(buf), 0));
		ASSERT_EQ(4, send(far, "pong", 4, 0));
		ASSERT_EQ(4, recv(near, buf, sizeof(buf), 0));
	}
	close(near);
	close(far);
	close(listener);
}

TEST_HARNESS_MAIN
