// SPDX-License-Identifier: GPL-2.0
/*
 * Who may use which service of bob's, and how much, decided by the kernel: the
 * program that listens never hears of the others.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define NO_SERVICE	NULL
#define RULES_MAX	4096
#define HOST_LIMIT	UINT32_MAX	/* a rule that leaves a limit to the host */

static struct genl g;

/* The two limits of a rule */
struct limits {
	uint32_t streams, rate;
};

static const struct limits host_limits = { HOST_LIMIT, HOST_LIMIT };

/* A request about a rule of bob's host; @eid NULL: everybody */
static struct nlmsghdr *about(int cmd, const struct sss_eid *eid, const char *service)
{
	struct nlmsghdr *nlh = genl_start(&g, cmd, 0);

	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, host_names[V4]);
	if (eid)
		genl_put(nlh, SSS_A_PEER_EID, eid, sizeof(*eid));
	if (service)
		mnl_attr_put_strz(nlh, SSS_A_SERVICE, service);
	return nlh;
}

/* What follows says a positive errno, 0: done. */
static int tell(struct nlmsghdr *nlh)
{
	errno = genl_call(&g, nlh, NULL, NULL);
	mnl_socket_close(g.nl);
	return errno;
}

static void to_bob(void)
{
	enter(BOB);
	genl_open(&g);
}

static int put(int cmd, const struct sss_eid *eid, const char *service, struct limits limits)
{
	struct nlmsghdr *nlh;

	to_bob();
	nlh = about(cmd, eid, service);
	if (limits.streams != HOST_LIMIT)
		mnl_attr_put_u32(nlh, SSS_A_MAX_STREAMS, limits.streams);
	if (limits.rate != HOST_LIMIT)
		mnl_attr_put_u32(nlh, SSS_A_STREAM_RATE, limits.rate);
	return tell(nlh);
}

static int add(const struct sss_eid *eid, const char *service)
{
	return put(SSS_CMD_ACCESS_NEW, eid, service, host_limits);
}

static int deny(const struct sss_eid *eid, const char *service)
{
	struct nlmsghdr *nlh;

	to_bob();
	nlh = about(SSS_CMD_ACCESS_NEW, eid, service);
	genl_put(nlh, SSS_A_ACCESS_DENY, NULL, 0);
	return tell(nlh);
}

static int del(const struct sss_eid *eid, const char *service)
{
	to_bob();
	return tell(about(SSS_CMD_ACCESS_DEL, eid, service));
}

static int set_host(int family, int attr, uint32_t value)
{
	struct nlmsghdr *nlh;

	to_bob();
	nlh = genl_start(&g, SSS_CMD_HOST_SET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, host_names[family]);
	mnl_attr_put_u32(nlh, attr, value);
	return tell(nlh);
}

static int set_access(uint32_t access)
{
	return set_host(V4, SSS_A_HOST_ACCESS, access);
}

struct seen {
	unsigned int n;
	bool deny;
	struct limits limits;
	char service[SSS_NAME_MAX + 1];
	bool has_eid;
};

static uint32_t limit_of(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : HOST_LIMIT;
}

static int see(const struct nlmsghdr *nlh, void *data)
{
	struct seen *seen = data;
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	seen->n++;
	seen->deny = a.of[SSS_A_ACCESS_DENY];
	seen->has_eid = a.of[SSS_A_PEER_EID];
	seen->limits.streams = limit_of(a.of[SSS_A_MAX_STREAMS]);
	seen->limits.rate = limit_of(a.of[SSS_A_STREAM_RATE]);
	snprintf(seen->service, sizeof(seen->service), "%s",
		 a.of[SSS_A_SERVICE] ? mnl_attr_get_str(a.of[SSS_A_SERVICE]) : "");
	return MNL_CB_OK;
}

/* All rules of all hosts, or of one; of the fields those of the last one */
static struct seen show(const char *host)
{
	struct seen seen = { };
	struct nlmsghdr *nlh;

	to_bob();
	nlh = genl_start(&g, SSS_CMD_ACCESS_GET, NLM_F_DUMP);
	if (host)
		mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, host);
	errno = genl_call(&g, nlh, see, &seen);
	if (errno)
		genl_die("dump of rules");
	mnl_socket_close(g.nl);
	return seen;
}

/* What connect() of alice's says: a positive errno, 0 if she is in */
static int try(const char *service)
{
	int fd, err;

	fd = dial(V4, service);
	err = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Alice has no channel to bob, nor he to her. */
static bool hang_up(int family)
{
	struct nlmsghdr *nlh;

	enter(ALICE);
	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_CHANNEL_CLOSE, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, host_names[family]);
	genl_put(nlh, SSS_A_PEER_EID, &eids[BOB][family], sizeof(eids[BOB][family]));
	tell(nlh);
	return eventually(PATIENCE, !get_stat(ALICE, "Channels") && !get_stat(BOB, "Channels"));
}

/* A channel, at bob, too: there only INIT asks from now on */
static bool have_channel(void)
{
	return !try("door") && eventually(PATIENCE, get_stat(BOB, "Channels") == 1);
}

FIXTURE(access) {
	int listener;
};

FIXTURE_SETUP(access)
{
	self->listener = listen_on(V4, "door", 64);
	ASSERT_LE(0, self->listener);
}

FIXTURE_TEARDOWN(access)
{
	const struct sss_eid *alice = &eids[ALICE][V4];

	set_access(SSS_ACCESS_ANYONE);
	set_host(V4, SSS_A_MAX_STREAMS, 0);
	set_host(V4, SSS_A_STREAM_RATE, 0);
	del(alice, "door");
	del(alice, NO_SERVICE);
	del(NULL, "door");
	del(NULL, NO_SERVICE);
	close(self->listener);
	EXPECT_TRUE(hang_up(V4));
}

static bool nobody_came(int listener)
{
	bool none;

	set_nonblock(listener, true);
	none = !polled(listener, POLLIN | POLLRDBAND, 0) && accept(listener, NULL, NULL) < 0 && errno == EAGAIN;
	set_nonblock(listener, false);
	return none;
}

/* Who may use nothing gets no channel, and hears why. */
TEST_F(access, strangers)
{
	long long before = get_stat(BOB, "HsDropAccess"), asked = get_stat(BOB, "AccessDenied");
	struct sockaddr_sss addr = address(BOB, V4, "door", "test 1");
	long long slots = get_stat(BOB, "HalfOpen");
	struct sss_status status = { };
	socklen_t len = sizeof(status);
	int fd = caller(V4, 0);

	ASSERT_EQ(0, set_access(SSS_ACCESS_PEERS));
	EXPECT_EQ(-1, connect_to(fd, &addr));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, getsockopt(fd, SOL_SSS, SSS_STATUS, &status, &len));
	EXPECT_EQ(SSS_SERVICE_DENIED, status.status);
	EXPECT_STREQ("not admitted", status.text);
	EXPECT_EQ(EACCES, try("no such door"));
	EXPECT_LE(before + 2, get_stat(BOB, "HsDropAccess"));
	EXPECT_EQ(asked, get_stat(BOB, "AccessDenied"));
	EXPECT_EQ(0, get_stat(BOB, "Channels"));
	EXPECT_EQ(0, get_stat(BOB, "Peers"));
	EXPECT_GE(slots, get_stat(BOB, "HalfOpen"));
	EXPECT_TRUE(nobody_came(self->listener));
	ASSERT_EQ(0, set_access(SSS_ACCESS_ANYONE));
	EXPECT_EQ(0, try("door"));
	EXPECT_EQ(ECONNREFUSED, try("no such door"));
	close(fd);
}

/* Whether alice asks for services by INIT only */
static int hide(bool on)
{
	struct nlmsghdr *nlh;

	enter(ALICE);
	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_HOST_SET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, host_names[V4]);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS, on ? SSS_HOST_F_HIDE_SERVICES : 0);
	mnl_attr_put_u32(nlh, SSS_A_HOST_FLAGS_MASK, SSS_HOST_F_HIDE_SERVICES);
	return tell(nlh);
}

/* Also where the names of services do not go with the handshake */
TEST_F(access, strangers_who_hide)
{
	int on;

	ASSERT_EQ(0, set_access(SSS_ACCESS_PEERS));
	for (on = 1; on >= 0; on--) {
		ASSERT_EQ(0, hide(on));
		EXPECT_EQ(EACCES, try("door"));
	}
}

/* A host that is to be let alone answers strangers nothing. */
TEST_F(access, stealth)
{
	long long before = get_stat(BOB, "HsDropAccess"), answers = get_stat(BOB, "HsTxRespond");

	ASSERT_EQ(0, set_access(SSS_ACCESS_PEERS));
	ASSERT_EQ(0, set_host(V4, SSS_A_HOST_FLAGS, SSS_HOST_F_STEALTH));
	set_sysctl(ALICE, "connect_timeout_ms", "500");
	EXPECT_EQ(ETIMEDOUT, try("door"));
	EXPECT_LT(before, get_stat(BOB, "HsDropAccess"));
	EXPECT_EQ(answers, get_stat(BOB, "HsTxRespond"));
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	ASSERT_EQ(0, set_host(V4, SSS_A_HOST_FLAGS_MASK, SSS_HOST_F_STEALTH));
	EXPECT_EQ(EACCES, try("door"));
}

/* Who is refused on a channel that is there learns nothing, and wakes nobody. */
TEST_F(access, refused)
{
	long long before = get_stat(BOB, "AccessDenied"), refused = get_stat(BOB, "StreamsRefused");
	int end;

	ASSERT_TRUE(have_channel());
	end = accept(self->listener, NULL, NULL);
	ASSERT_EQ(0, set_access(SSS_ACCESS_PEERS));
	EXPECT_EQ(EACCES, try("door"));
	EXPECT_EQ(EACCES, try("no such door"));
	EXPECT_EQ(before + 2, get_stat(BOB, "AccessDenied"));
	EXPECT_EQ(refused + 2, get_stat(BOB, "StreamsRefused"));
	EXPECT_TRUE(nobody_came(self->listener));
	close(end);
}

/* Data that go with the request are refused with it, and are no end of a stream. */
TEST_F(access, with_data)
{
	struct sockaddr_sss addr = address(BOB, V4, "door", "test 1");
	char c;

	ASSERT_TRUE(have_channel());
	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	for (int i = 0; i < 100; i++) {
		int fd = caller(V4, 0);

		/* the answer may come before sendto() returns */
		if (sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&addr,
			   sizeof(addr)) == 1)
			EXPECT_EQ(-1, recv(fd, &c, 1, 0));
		EXPECT_EQ(EACCES, errno);
		close(fd);
	}
}

static int set_peer(int cmd)
{
	struct nlmsghdr *nlh;

	to_bob();
	nlh = genl_start(&g, cmd, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, host_names[V4]);
	genl_put(nlh, SSS_A_PEER_EID, &eids[ALICE][V4], sizeof(eids[ALICE][V4]));
	return tell(nlh);
}

TEST_F(access, peers)
{
	ASSERT_EQ(0, set_access(SSS_ACCESS_PEERS));
	EXPECT_EQ(EACCES, try("door"));
	ASSERT_EQ(0, set_peer(SSS_CMD_PEER_NEW));
	EXPECT_EQ(0, try("door"));
	ASSERT_EQ(0, set_peer(SSS_CMD_PEER_DEL));
	/* her channel ended with it; she may still be finding that out */
	EXPECT_TRUE(eventually(PATIENCE, try("door") == EACCES));
}

/* Whom bob calls has a channel, but may no more use his services than before. */
TEST_F(access, called)
{
	struct sockaddr_sss addr = address(ALICE, V4, "hers", "test 1");
	struct sockaddr_sss own = address(BOB, V4, "", "");
	struct sockaddr_sss hers = address(ALICE, V4, "hers", "test 1");
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(PORT(V4)) };
	int listener, fd;

	ASSERT_EQ(0, set_access(SSS_ACCESS_PEERS));
	listener = stream_socket(ALICE, SOCK_CLOEXEC);
	ASSERT_EQ(0, bind_to(listener, &hers));
	ASSERT_EQ(0, listen(listener, 1));
	fd = stream_socket(BOB, SOCK_CLOEXEC);
	ASSERT_EQ(0, bind_to(fd, &own));
	inet_pton(AF_INET, "10.9.0.1", &where.sin_addr);
	ASSERT_EQ(0, setsockopt(fd, SOL_SSS, SSS_ADD_ENDPOINT, &where, sizeof(where)));
	EXPECT_EQ(0, connect_to(fd, &addr)) TH_LOG("%m");
	EXPECT_EQ(EACCES, try("door"));
	close(fd);
	close(listener);
}

/* The rule that says most decides. */
TEST_F(access, precedence)
{
	const struct sss_eid *alice = &eids[ALICE][V4], *other = &eids[ALICE][V6];
	int window = listen_on(V4, "window", 64);

	ASSERT_LE(0, window);
	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	ASSERT_EQ(0, add(other, NO_SERVICE));
	EXPECT_EQ(EACCES, try("door"));
	ASSERT_EQ(0, add(NULL, NO_SERVICE));
	EXPECT_EQ(0, try("door"));
	ASSERT_EQ(0, deny(NULL, "door"));
	EXPECT_EQ(EACCES, try("door"));
	EXPECT_EQ(0, try("window"));
	ASSERT_EQ(0, add(alice, NO_SERVICE));
	EXPECT_EQ(0, try("door"));
	ASSERT_EQ(0, deny(alice, "door"));
	EXPECT_EQ(EACCES, try("door"));
	EXPECT_EQ(0, try("window"));
	EXPECT_EQ(0, del(other, NO_SERVICE));
	close(window);
}

/* Whom no rule lets in to anything gets no channel either. */
TEST_F(access, strangers_by_rules)
{
	const struct sss_eid *alice = &eids[ALICE][V4];
	long long before = get_stat(BOB, "HsDropAccess");

	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	EXPECT_EQ(EACCES, try("door"));
	EXPECT_LT(before, get_stat(BOB, "HsDropAccess"));
	EXPECT_EQ(0, get_stat(BOB, "Channels"));
	ASSERT_EQ(0, add(NULL, "window"));
	EXPECT_EQ(EACCES, try("door"));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "Channels") == 1));
	ASSERT_TRUE(hang_up(V4));
	before = get_stat(BOB, "HsDropAccess");
	/* all that everybody may, but not she */
	ASSERT_EQ(0, deny(alice, "window"));
	EXPECT_EQ(EACCES, try("door"));
	EXPECT_LT(before, get_stat(BOB, "HsDropAccess"));
	EXPECT_EQ(0, del(alice, "window"));
	before = get_stat(BOB, "HsDropAccess");
	ASSERT_EQ(0, deny(alice, NO_SERVICE));
	EXPECT_EQ(EACCES, try("door"));
	EXPECT_LT(before, get_stat(BOB, "HsDropAccess"));
	EXPECT_EQ(0, get_stat(BOB, "Channels"));
	ASSERT_EQ(0, add(alice, "door"));
	EXPECT_EQ(0, try("door"));
	EXPECT_EQ(0, del(NULL, "window"));
}

static int open_on(int fd, int kind)
{
	struct sss_open open = { .kind = kind, .flags = SOCK_CLOEXEC };
	int child = ioctl(fd, SSS_IOC_OPEN, &open);

	if (child >= 0)
		set_timeout(child, SO_RCVTIMEO, PATIENCE);
	return child;
}

/* A substream that alice opens is refused: why, or NULL if it is not. */
static const char *why_refused(int parent)
{
	static struct sss_status status;
	socklen_t len = sizeof(status);
	int fd = open_on(parent, SOCK_STREAM);
	char c;

	status.text[0] = '\0';
	/* the answer may come before send() returns */
	if (fd >= 0 && (send(fd, "x", 1, MSG_NOSIGNAL) < 0 || recv(fd, &c, 1, 0) < 0) &&
	    (errno == ECONNRESET || errno == EPIPE))
		getsockopt(fd, SOL_SSS, SSS_STATUS, &status, &len);
	close(fd);
	return status.text;
}

/* What is open stays; what is opened on it does not come in any more, to any depth. */
TEST_F(access, open_streams_stay)
{
	int fd, end, child, other;
	char c;

	fd = dial(V4, "door");
	ASSERT_LE(0, fd);
	end = accept(self->listener, NULL, NULL);
	ASSERT_LE(0, end);
	ASSERT_EQ(0, listen(end, 8));
	child = open_on(fd, SOCK_STREAM);
	EXPECT_EQ(1, send(child, "x", 1, 0));
	other = accept(end, NULL, NULL);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, listen(other, 8));
	EXPECT_EQ(1, recv(other, &c, 1, 0));

	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	EXPECT_EQ(EACCES, try("door"));
	EXPECT_STREQ("not admitted", why_refused(fd));
	EXPECT_STREQ("not admitted", why_refused(child));
	EXPECT_TRUE(nobody_came(end));
	EXPECT_TRUE(nobody_came(other));
	EXPECT_EQ(1, send(child, "y", 1, 0));
	EXPECT_EQ(1, recv(other, &c, 1, 0));
	EXPECT_EQ(1, send(fd, "z", 1, 0));
	EXPECT_EQ(1, recv(end, &c, 1, 0));

	/* nor is that for which she is let in */
	ASSERT_EQ(0, add(&eids[ALICE][V4], "door"));
	EXPECT_EQ(0, try("door"));
	close(child);
	child = open_on(fd, SOCK_STREAM);
	EXPECT_EQ(1, send(child, "x", 1, 0));
	EXPECT_EQ(POLLRDBAND, polled(end, POLLRDBAND, PATIENCE));
	close(fd);
	close(end);
	close(child);
	close(other);
}

/* Being refused uses nothing up: who is let in again comes in again. */
TEST_F(access, refused_often)
{
	int fd, end, child, got, i;

	fd = dial(V4, "door");
	ASSERT_LE(0, fd);
	end = accept(self->listener, NULL, NULL);
	ASSERT_LE(0, end);
	ASSERT_EQ(0, listen(end, 8));
	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	for (i = 0; i < 20; i++)
		ASSERT_STREQ("not admitted", why_refused(fd)) TH_LOG("%d", i);
	ASSERT_EQ(0, set_access(SSS_ACCESS_ANYONE));
	child = open_on(fd, SOCK_STREAM);
	EXPECT_EQ(1, send(child, "x", 1, 0));
	ASSERT_EQ(POLLRDBAND, polled(end, POLLRDBAND, PATIENCE));
	got = accept(end, NULL, NULL);
	EXPECT_LE(0, got);
	close(got);
	close(child);
	close(fd);
	close(end);
}

/* What alice opens on a stream that bob opened is what his program asked for. */
TEST_F(access, on_his_own)
{
	int fd, end, his, hers, child, got;
	char c;

	fd = dial(V4, "door");
	ASSERT_LE(0, fd);
	end = accept(self->listener, NULL, NULL);
	ASSERT_LE(0, end);
	ASSERT_EQ(0, listen(fd, 8));
	his = open_on(end, SOCK_STREAM);
	EXPECT_EQ(1, send(his, "x", 1, 0));
	hers = accept(fd, NULL, NULL);
	ASSERT_LE(0, hers);
	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	ASSERT_EQ(0, listen(his, 8));
	child = open_on(hers, SOCK_STREAM);
	EXPECT_EQ(1, send(child, "x", 1, 0));
	got = accept(his, NULL, NULL);
	EXPECT_LE(0, got);
	EXPECT_EQ(1, recv(got, &c, 1, 0));
	close(got);
	close(child);
	close(hers);
	close(his);
	close(fd);
	close(end);
}

FIXTURE(streams) {
	int listener;
};

/* Whether the limit is the host's, or a rule's in place of it */
FIXTURE_VARIANT(streams) {
	uint32_t access, of_host, of_rule;
};

FIXTURE_VARIANT_ADD(streams, of_host) { SSS_ACCESS_ANYONE, 3, 5 };
FIXTURE_VARIANT_ADD(streams, of_rule) { SSS_ACCESS_RULES, 5, 3 };
FIXTURE_VARIANT_ADD(streams, of_host_by_rule) { SSS_ACCESS_RULES, 3, HOST_LIMIT };

FIXTURE_SETUP(streams)
{
	struct limits limits = { variant->of_rule, HOST_LIMIT };

	self->listener = listen_on(V4, "door", 64);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, set_access(variant->access));
	ASSERT_EQ(0, set_host(V4, SSS_A_MAX_STREAMS, variant->of_host));
	ASSERT_EQ(0, put(SSS_CMD_ACCESS_NEW, &eids[ALICE][V4], "door", limits));
}

FIXTURE_TEARDOWN(streams)
{
	set_access(SSS_ACCESS_ANYONE);
	set_host(V4, SSS_A_MAX_STREAMS, 0);
	del(&eids[ALICE][V4], "door");
	close(self->listener);
	EXPECT_TRUE(hang_up(V4));
}

/* Three of one EID at a time, and again three when those are over */
TEST_F(streams, at_a_time)
{
	long long before = get_stat(BOB, "AccessStreams");
	int fd[3], end[3], i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 3; i++) {
			/* who was closed here may not be over at bob yet */
			EXPECT_TRUE(eventually(PATIENCE, (fd[i] = dial(V4, "door")) >= 0));
			end[i] = accept(self->listener, NULL, NULL);
			EXPECT_LE(0, end[i]);
		}
		EXPECT_EQ(EBUSY, try("door"));
		EXPECT_EQ(EBUSY, try("door"));
		EXPECT_TRUE(nobody_came(self->listener));
		for (i = 0; i < 3; i++) {
			close(fd[i]);
			close(end[i]);
		}
	}
	EXPECT_LE(before + 4, get_stat(BOB, "AccessStreams"));
}

/* Substreams are streams. */
TEST_F(streams, sub)
{
	int fd, end, child[2], got[2], i;

	fd = dial(V4, "door");
	ASSERT_LE(0, fd);
	end = accept(self->listener, NULL, NULL);
	ASSERT_LE(0, end);
	ASSERT_EQ(0, listen(end, 8));
	for (i = 0; i < 2; i++) {
		child[i] = open_on(fd, SOCK_STREAM);
		EXPECT_EQ(1, send(child[i], "x", 1, 0));
		got[i] = accept(end, NULL, NULL);
		EXPECT_LE(0, got[i]);
	}
	EXPECT_STREQ("too many streams", why_refused(fd));
	EXPECT_STREQ("too many streams", why_refused(child[0]));
	EXPECT_TRUE(nobody_came(end));
	EXPECT_EQ(EBUSY, try("door"));
	close(child[0]);
	close(got[0]);
	EXPECT_TRUE(eventually(PATIENCE, !try("door")));
	close(child[1]);
	close(got[1]);
	close(fd);
	close(end);
}

/* Of many requests in a row one in each second, and one that was saved, gets in. */
static unsigned int admitted(unsigned int requests, long long *seconds)
{
	long long began = now_ms();
	unsigned int in = 0, i;
	int err;

	for (i = 0; i < requests; i++) {
		err = try("door");
		if (err && err != EBUSY)
			return ~0u;
		in += !err;
	}
	*seconds = (now_ms() - began) / 1000;
	return in;
}

TEST_F_TIMEOUT(access, rate, 60)
{
	struct limits limits = { HOST_LIMIT, 1 };
	long long before, seconds = 0;
	unsigned int in, of_rule;

	ASSERT_EQ(0, put(SSS_CMD_ACCESS_NEW, &eids[ALICE][V4], "door", limits));
	for (of_rule = 0; of_rule < 2; of_rule++) {
		ASSERT_EQ(0, set_host(V4, SSS_A_STREAM_RATE, of_rule ? 0 : 1));
		ASSERT_EQ(0, set_access(of_rule ? SSS_ACCESS_RULES : SSS_ACCESS_ANYONE));
		before = get_stat(BOB, "AccessRate");
		in = admitted(50, &seconds);
		EXPECT_GE(seconds + 2, in) TH_LOG("%u in %lld s", in, seconds);
		EXPECT_EQ(before + 50 - in, get_stat(BOB, "AccessRate"));
		EXPECT_TRUE(eventually(PATIENCE, !try("door")));
	}
}

/* A new channel is no new allowance. */
TEST_F_TIMEOUT(access, rate_and_hang_up, 60)
{
	long long began = now_ms(), seconds;
	unsigned int in = 0, i;
	int err;

	ASSERT_EQ(0, hide(true));
	ASSERT_EQ(0, set_host(V4, SSS_A_STREAM_RATE, 1));
	for (i = 0; i < 20; i++) {
		err = try("door");
		ASSERT_TRUE(!err || err == EBUSY);
		if (!err)
			close(accept(self->listener, NULL, NULL));
		in += !err;
		ASSERT_TRUE(hang_up(V4));
		ASSERT_TRUE(eventually(PATIENCE, !get_stat(BOB, "Peers")));
	}
	EXPECT_EQ(0, hide(false));
	seconds = (now_ms() - began) / 1000;
	TH_LOG("%u in %lld s", in, seconds);
	EXPECT_GE(seconds + 2, in);
}

/* Who browses sees what is for him. */
TEST_F(access, browsing)
{
	struct sockaddr_sss addr = address(BOB, V4, SSS_BROWSE_SERVICE, SSS_BROWSE_PROTOCOL);
	int window = listen_on(V4, "window", 1), fd = caller(V4, 0);
	char list[1024] = { };

	ASSERT_LE(0, window);
	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	ASSERT_EQ(0, add(NULL, "window"));
	ASSERT_EQ(0, connect_to(fd, &addr));
	EXPECT_LT(0, recv(fd, list, sizeof(list), MSG_WAITALL));
	EXPECT_NE(NULL, memmem(list, sizeof(list), "window", 6));
	EXPECT_EQ(NULL, memmem(list, sizeof(list), "door", 4));
	EXPECT_EQ(0, deny(NULL, SSS_BROWSE_SERVICE));
	close(fd);
	fd = caller(V4, 0);
	EXPECT_EQ(-1, connect_to(fd, &addr));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, del(NULL, SSS_BROWSE_SERVICE));
	EXPECT_EQ(0, del(NULL, "window"));
	close(fd);
	close(window);
}

/* Datagrams at the top level are requests, too. */
TEST_F(access, datagrams)
{
	struct sockaddr_sss to = address(BOB, V4, "post", "test 1"), own = address(ALICE, V4, "", "");
	long long before = get_stat(BOB, "AccessDenied");
	int box, fd;
	char c;

	ASSERT_TRUE(have_channel());
	enter(BOB);
	box = socket(AF_SSS, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind_to(box, &to));
	enter(ALICE);
	fd = socket(AF_SSS, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind_to(fd, &own));
	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	EXPECT_TRUE(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1 ||
		    errno == EACCES);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "AccessDenied") > before));
	EXPECT_EQ(0, polled(box, POLLIN, 0));
	ASSERT_EQ(0, set_access(SSS_ACCESS_ANYONE));
	/* the refusal may be on its way still, and is an error once */
	EXPECT_TRUE(eventually(PATIENCE, sendto(fd, "y", 1, 0, (struct sockaddr *)&to,
						sizeof(to)) == 1 && polled(box, POLLIN, 200)));
	EXPECT_EQ(1, recv(box, &c, 1, 0));
	EXPECT_EQ('y', c);
	close(fd);
	close(box);
}

TEST_F(access, wrong_rules)
{
	const struct sss_eid *alice = &eids[ALICE][V4];
	struct sss_eid bad = { .key = { [31] = 0x80 } };
	struct limits five = { 5, HOST_LIMIT }, six = { 6, 0 };
	char name[SSS_NAME_MAX + 2];
	struct nlmsghdr *nlh;
	int limit;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	EXPECT_NE(0, set_access(SSS_ACCESS_RULES + 1));
	EXPECT_EQ(EINVAL, add(&bad, "door"));
	EXPECT_EQ(EINVAL, add(alice, ""));
	EXPECT_NE(0, add(alice, name));
	EXPECT_EQ(EINVAL, add(alice, "\xff"));
	for (limit = SSS_A_MAX_STREAMS; limit <= SSS_A_STREAM_RATE; limit++) {
		to_bob();
		nlh = about(SSS_CMD_ACCESS_NEW, alice, "door");
		genl_put(nlh, SSS_A_ACCESS_DENY, NULL, 0);
		mnl_attr_put_u32(nlh, limit, 5);
		EXPECT_EQ(EINVAL, tell(nlh));
	}
	EXPECT_EQ(ENOENT, del(alice, "door"));
	EXPECT_EQ(ENOENT, put(SSS_CMD_ACCESS_SET, alice, "door", five));
	EXPECT_EQ(0, show(NULL).n);
	ASSERT_EQ(0, put(SSS_CMD_ACCESS_NEW, alice, "door", five));
	EXPECT_EQ(EEXIST, put(SSS_CMD_ACCESS_NEW, alice, "door", six));
	EXPECT_EQ(1, show(NULL).n);
	EXPECT_EQ(5, show(NULL).limits.streams);
	EXPECT_EQ(HOST_LIMIT, show(NULL).limits.rate);
	EXPECT_STREQ("door", show(NULL).service);
	EXPECT_TRUE(show(NULL).has_eid);
	ASSERT_EQ(0, put(SSS_CMD_ACCESS_SET, alice, "door", six));
	EXPECT_EQ(1, show(host_names[V4]).n);
	EXPECT_EQ(0, show(host_names[V6]).n);
	EXPECT_EQ(6, show(NULL).limits.streams);
	EXPECT_EQ(0, show(NULL).limits.rate);
	ASSERT_EQ(0, del(alice, "door"));
	ASSERT_EQ(0, deny(NULL, NO_SERVICE));
	EXPECT_EQ(1, show(NULL).n);
	EXPECT_TRUE(show(NULL).deny);
	EXPECT_FALSE(show(NULL).has_eid);
}

/* EID number @i of many */
static const struct sss_eid *one_of_many(unsigned int i)
{
	static struct sss_eid eid;

	eid = eids[ALICE][V6];
	eid.key[0] = i;
	eid.key[1] = i >> 8;
	eid.key[2] = 7;
	return &eid;
}

/* About all of them; returns the last errno */
static int many(int cmd)
{
	unsigned int i;
	int err = 0;

	to_bob();
	for (i = 1; i < RULES_MAX && !err; i++)
		err = genl_call(&g, about(cmd, one_of_many(i), i & 1 ? "door" : NO_SERVICE),
				NULL, NULL);
	mnl_socket_close(g.nl);
	return err;
}

/* As many as there may be, found all the same */
TEST_F_TIMEOUT(access, many, 120)
{
	ASSERT_EQ(0, set_access(SSS_ACCESS_RULES));
	ASSERT_EQ(0, add(&eids[ALICE][V4], "door"));
	ASSERT_EQ(0, many(SSS_CMD_ACCESS_NEW));
	EXPECT_EQ(ENOSPC, add(NULL, NO_SERVICE));
	EXPECT_EQ(0, put(SSS_CMD_ACCESS_SET, &eids[ALICE][V4], "door", host_limits));
	EXPECT_EQ(RULES_MAX, show(NULL).n);
	EXPECT_EQ(0, try("door"));
	EXPECT_EQ(EACCES, try("window"));
	ASSERT_EQ(0, del(&eids[ALICE][V4], "door"));
	EXPECT_EQ(EACCES, try("door"));
	ASSERT_EQ(0, many(SSS_CMD_ACCESS_DEL));
	EXPECT_EQ(0, show(NULL).n);
}

/* Lines of the kernel's log since the last call that have both words in them */
static unsigned int lines_with(int kmsg, const char *one, const char *other)
{
	unsigned int lines = 0;
	char line[2048];
	ssize_t n;

	for (;;) {
		n = read(kmsg, line, sizeof(line) - 1);
		if (n < 0 && errno != EPIPE)	/* that: some were lost */
			return lines;
		line[n < 0 ? 0 : n] = '\0';
		lines += strstr(line, one) && strstr(line, other);
	}
}

static void base32(const struct sss_eid *eid, char text[53])
{
	unsigned int bit, i, j, v;

	for (i = 0; i < 52; i++) {
		for (v = 0, j = 0; j < 5; j++) {
			bit = 5 * i + j;
			v = 2 * v + (bit < 256 ? eid->key[bit / 8] >> (7 - bit % 8) & 1 : 0);
		}
		text[i] = v < 26 ? 'a' + v : '2' + v - 26;
	}
	text[52] = '\0';
}

/* Who was refused what is in the log, but nobody fills it, or forges a line of it. */
TEST(logged)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC), keep, listener, i, fd;
	char text[53];
	long long began;

	ASSERT_LE(0, kmsg);
	base32(&eids[ALICE][V6], text);
	listener = listen_on(V6, "door", 64);
	ASSERT_LE(0, listener);
	keep = dial(V6, "door");
	ASSERT_LE(0, keep);
	ASSERT_TRUE(eventually(PATIENCE, get_stat(BOB, "Channels") == 1));
	lseek(kmsg, 0, SEEK_END);
	ASSERT_EQ(0, set_host(V6, SSS_A_HOST_ACCESS, SSS_ACCESS_PEERS));
	EXPECT_GT(0, dial(V6, "win\ndow"));
	/* \x5c: what the device makes of the backslash that is in the log */
	EXPECT_EQ(1, lines_with(kmsg, text, "host v6: ") ? 1 : 0);
	EXPECT_GT(0, dial(V6, "win\ndow"));
	EXPECT_EQ(1, lines_with(kmsg, text, "\"win\\x5cndow\"") ? 1 : 0);
	began = now_ms();
	for (i = 0; i < 40; i++) {
		fd = dial(V6, "door");
		EXPECT_GT(0, fd);
		EXPECT_EQ(EACCES, errno);
	}
	EXPECT_GE(10 * ((now_ms() - began) / 5000 + 2), lines_with(kmsg, text, "\"door\""));
	set_host(V6, SSS_A_HOST_ACCESS, SSS_ACCESS_ANYONE);
	close(keep);
	close(listener);
	close(kmsg);
	EXPECT_TRUE(hang_up(V6));
}

TEST_HARNESS_MAIN
