// SPDX-License-Identifier: GPL-2.0
/*
 * "sss-netlink stream show" draws streams as the tree they are.
 */
#include "kselftest_harness.h"
#include "sock.h"

#define WAIT 15000
#define LINES 64

static char lines[LINES][8192];
static int n_lines;

/* What the tool prints at alice's; false: it fails. */
static bool show(const char *args)
{
	char command[256];
	FILE *out;

	enter(ALICE);
	snprintf(command, sizeof(command), "sss-netlink %s", args);
	out = popen(command, "r");
	if (!out)
		return false;
	n_lines = 0;
	while (n_lines < LINES && fgets(lines[n_lines], sizeof(lines[0]), out))
		n_lines++;
	return !pclose(out);
}

static int open_child(int fd)
{
	struct sss_open open = { .kind = SOCK_STREAM, .flags = SOCK_CLOEXEC };

	return ioctl(fd, SSS_IOC_OPEN, &open);
}

static unsigned long long id_of(int fd)
{
	struct sss_info info = { .stream_id = ~0ull };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SSS, SSS_INFO, &info, &len);
	return info.stream_id;
}

/* A line that is so far to the right and begins with that stream */
static bool line_is(int at, int indent, int fd, const char *rest)
{
	char start[128];

	snprintf(start, sizeof(start), "%*sstream %llu %s", indent, "", id_of(fd), rest);
	return at < n_lines && !strncmp(lines[at], start, strlen(start));
}

FIXTURE(tree) {
	int pair[2];
	int child[2];
	int grandchild;
};

FIXTURE_SETUP(tree)
{
	ASSERT_EQ(0, stream_pair(V4, self->pair));
	self->child[0] = open_child(self->pair[ALICE]);
	self->child[1] = open_child(self->pair[ALICE]);
	self->grandchild = open_child(self->child[0]);
	ASSERT_LE(0, self->grandchild);
	/* an id comes with the first packet */
	ASSERT_EQ(5, send(self->child[0], "hello", 5, 0));
	ASSERT_EQ(5, send(self->child[1], "hello", 5, 0));
	ASSERT_EQ(5, send(self->grandchild, "hello", 5, 0));
	ASSERT_TRUE(eventually(WAIT, id_of(self->grandchild) != ~0ull &&
			       id_of(self->child[1]) != ~0ull));
}

FIXTURE_TEARDOWN(tree)
{
	close(self->grandchild);
	close(self->child[1]);
	close(self->child[0]);
	close(self->pair[ALICE]);
	close(self->pair[BOB]);
	EXPECT_TRUE(eventually(WAIT, !get_stat(ALICE, "Streams") && !get_stat(BOB, "Streams")));
}

TEST_F(tree, children_below_their_parents)
{
	bool in_order = id_of(self->child[0]) < id_of(self->child[1]);
	int second = in_order ? 4 : 2, first = in_order ? 2 : 3;

	ASSERT_TRUE(show("stream show"));
	ASSERT_EQ(5, n_lines);
	EXPECT_EQ(0, strncmp(lines[0], "channel ", 8));
	EXPECT_TRUE(line_is(1, 2, self->pair[ALICE], "service pair "));
	EXPECT_NE(NULL, strstr(lines[1], " state ESTAB uid 0 "));
	EXPECT_TRUE(line_is(first, 4, self->child[0], "kind stream state ESTAB "));
	EXPECT_TRUE(line_is(first + 1, 6, self->grandchild, "kind stream state ESTAB "));
	EXPECT_TRUE(line_is(second, 4, self->child[1], "kind stream state ESTAB "));
	EXPECT_NE(NULL, strstr(lines[second], " bytes-sent 5 "));
}

TEST_F(tree, who_outlives_a_parent)
{
	char parent[64];

	snprintf(parent, sizeof(parent), "parent %llu kind", id_of(self->child[0]));
	close(self->child[0]);
	close(self->child[1]);
	self->child[0] = self->child[1] = -1;
	EXPECT_EQ(0, shutdown(self->pair[ALICE], SHUT_WR));
	EXPECT_TRUE(eventually(WAIT, show("stream show") && n_lines == 3));
	EXPECT_NE(NULL, strstr(lines[1], " state FIN-WAIT-"));
	EXPECT_TRUE(line_is(2, 2, self->grandchild, parent));
}

TEST_F(tree, as_json_and_with_rates)
{
	ASSERT_TRUE(show("-json stream show rate"));
	ASSERT_EQ(1, n_lines);
	EXPECT_EQ(0, strncmp(lines[0], "[{\"stream\":", 11));
	EXPECT_NE(NULL, strstr(lines[0], "\"parent\":"));
	EXPECT_NE(NULL, strstr(lines[0], "\"state\":\"ESTAB\""));
	EXPECT_NE(NULL, strstr(lines[0], "\"send-rate\":0,\"receive-rate\":0"));
}

static void transfer_for_a_while(int fd[2], int ms)
{
	long long end = now_ms() + ms;
	char buf[1000] = "";

	set_nonblock(fd[ALICE], true);
	set_nonblock(fd[BOB], true);
	while (now_ms() < end) {
		send(fd[ALICE], buf, sizeof(buf), MSG_NOSIGNAL);
		recv(fd[BOB], buf, sizeof(buf), 0);
		usleep(1000);
	}
	_exit(0);
}

TEST_F(tree, a_rate)
{
	unsigned long long rate = 0;
	pid_t pid = fork();
	char *at;

	if (!pid)
		transfer_for_a_while(self->pair, 5000);
	ASSERT_TRUE(show("stream show rate"));
	at = strstr(lines[1], "send-rate ");
	ASSERT_NE(NULL, at);
	sscanf(at, "send-rate %llu", &rate);
	EXPECT_LT(0, rate);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST(wrong_words)
{
	EXPECT_FALSE(show("stream draw 2>/dev/null"));
	EXPECT_FALSE(show("stream show twice 2>/dev/null"));
	EXPECT_TRUE(show("stream help"));
}

TEST_HARNESS_MAIN
