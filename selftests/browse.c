// SPDX-License-Identifier: GPL-2.0
/*
 * What a host offers, told to a peer by the kernel: service ".sss", protocol
 * "browse 1".
 */
#include "kselftest_harness.h"
#include "sock.h"

#define WAIT 15000
#define LIST_MAX (256 * 1024 + 1)
#define MANY 500	/* services with long descriptions: more than LIST_MAX */
#define AT_ONCE 4	/* lists that a peer gets at the same time */

static unsigned char list[2 * LIST_MAX];

static int dial_browse(int family, const char *protocol, int flags)
{
	struct sockaddr_sss addr = address(BOB, family, SSS_BROWSE_SERVICE, protocol);
	int fd = caller(family, flags);

	if (fd < 0)
		return -1;
	if (connect_to(fd, &addr) && errno != EINPROGRESS) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/* Bytes to the end of the list, or -1 */
static ssize_t browse(int family)
{
	int fd = dial_browse(family, SSS_BROWSE_PROTOCOL, 0);
	size_t n = 0;
	ssize_t ret;

	if (fd < 0)
		return -1;
	do {
		ret = recv(fd, list + n, sizeof(list) - n, 0);
		n += ret > 0 ? ret : 0;
	} while (ret > 0);
	close(fd);
	return ret < 0 ? -1 : (ssize_t)n;
}

/* Checks one entry and goes to the next; the texts end with NULL. */
static size_t is_entry(size_t at, const char *const *texts)
{
	if (list[at++] != 0)
		return 0;
	for (; *texts; texts++) {
		size_t len = strlen(*texts);

		if (list[at] != len || memcmp(list + at + 1, *texts, len))
			return 0;
		at += 1 + len;
	}
	return at;
}

static int offer(int family, const char *service, const char *desc)
{
	struct sockaddr_sss addr = address(BOB, family, service, "test 1");
	int fd = stream_socket(BOB, SOCK_CLOEXEC);

	if (family == -1)
		memset(&addr.sss_eid, 0, sizeof(addr.sss_eid));
	if (desc && setsockopt(fd, SOL_SSS, SSS_SERVICE_DESC, desc, strlen(desc)))
		return -1;
	/* a long one twice, to make lists long */
	if (desc && strlen(desc) == SSS_DESC_MAX &&
	    setsockopt(fd, SOL_SSS, SSS_PROTOCOL_DESC, desc, SSS_DESC_MAX))
		return -1;
	return bind_to(fd, &addr) || listen(fd, 4) ? -1 : fd;
}

FIXTURE(browse) {
	int many[MANY];
};

FIXTURE_SETUP(browse)
{
	memset(self->many, -1, sizeof(self->many));
}

FIXTURE_TEARDOWN(browse)
{
	for (int i = 0; i < MANY; i++)
		if (self->many[i] >= 0)
			close(self->many[i]);
	EXPECT_TRUE(eventually(WAIT, !get_stat(BOB, "Sockets") && !get_stat(ALICE, "Sockets")));
}

static int offer_many(int fd[MANY])
{
	struct rlimit limit = { 4096, 4096 };
	char name[32], desc[SSS_DESC_MAX + 1];

	setrlimit(RLIMIT_NOFILE, &limit);
	memset(desc, 'd', SSS_DESC_MAX);
	desc[SSS_DESC_MAX] = 0;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "service %d", i);
		fd[i] = offer(V4, name, desc);
		if (fd[i] < 0)
			return -1;
	}
	return 0;
}

/* What is on that host, in the order in which it was claimed; nothing else. */
TEST_F(browse, tells_what_is_there)
{
	static const char *const first[] = { "first", "test 1", "says it", "", NULL };
	static const char *const every[] = { "every host", "test 1", "", "", NULL };
	size_t at;
	ssize_t n;

	EXPECT_EQ(0, browse(V4));
	self->many[0] = offer(V4, "first", "says it");
	self->many[1] = offer(V6, "elsewhere", NULL);
	self->many[2] = offer(V4, ".hidden", NULL);
	self->many[3] = offer(-1, "every host", NULL);
	for (int i = 0; i < 4; i++)
		ASSERT_LE(0, self->many[i]);
	n = browse(V4);
	at = is_entry(0, first);
	ASSERT_LT(0, at);
	at = is_entry(at, every);
	ASSERT_LT(0, at);
	EXPECT_EQ(n, at);
	close(self->many[0]);
	self->many[0] = -1;
	EXPECT_EQ((ssize_t)is_entry(0, first), n - browse(V4));
}

TEST_F(browse, only_by_its_protocol)
{
	EXPECT_EQ(-1, dial_browse(V4, "browse 2", 0));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
}

/* Who has the right may answer himself. */
TEST_F(browse, a_program_comes_first)
{
	struct sockaddr_sss addr = address(BOB, V4, SSS_BROWSE_SERVICE, SSS_BROWSE_PROTOCOL);
	int fd, child;
	char c;

	self->many[0] = stream_socket(BOB, SOCK_CLOEXEC);
	ASSERT_EQ(0, bind_to(self->many[0], &addr));
	ASSERT_EQ(0, listen(self->many[0], 1));
	fd = dial_browse(V4, SSS_BROWSE_PROTOCOL, 0);
	ASSERT_LE(0, fd);
	set_timeout(self->many[0], SO_RCVTIMEO, WAIT);
	child = accept(self->many[0], NULL, NULL);
	ASSERT_LE(0, child);
	EXPECT_EQ(1, send(child, "x", 1, 0));
	EXPECT_EQ(1, recv(fd, &c, 1, 0));
	close(child);
	close(fd);
}

/* A long list is cut, and says so. */
TEST_F(browse, too_much_to_tell)
{
	ssize_t n;

	ASSERT_EQ(0, offer_many(self->many)) TH_LOG("%s", strerror(errno));
	n = browse(V4);
	ASSERT_LT(200 * 1024, n);
	EXPECT_GE(LIST_MAX, n);
	EXPECT_EQ(SSS_BROWSE_CUT, list[n - 1]);
}

/* Lists that nobody reads do not pile up, and are given up in the end. */
TEST_F(browse, nobody_reads)
{
	int fd[16 * AT_ONCE], n = 0;
	bool busy;

	ASSERT_EQ(0, offer_many(self->many)) TH_LOG("%s", strerror(errno));
	/* on a slow machine the first may be given up before the last one asks */
	do {
		ASSERT_GT(16 * AT_ONCE, n);
		fd[n] = dial_browse(V4, SSS_BROWSE_PROTOCOL, 0);
		busy = fd[n] < 0 && errno == EBUSY;
		ASSERT_TRUE(busy || fd[n] >= 0) TH_LOG("%s", strerror(errno));
		EXPECT_GE(MANY + AT_ONCE, get_stat(BOB, "Sockets"));
	} while (!busy && ++n);
	EXPECT_LE(AT_ONCE, n);
	EXPECT_TRUE(eventually(30000, get_stat(BOB, "Sockets") == MANY));
	EXPECT_LT(200 * 1024, browse(V4));
	while (n--)
		close(fd[n]);
}

TEST_HARNESS_MAIN
