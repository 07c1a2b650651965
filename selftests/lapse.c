// SPDX-License-Identifier: GPL-2.0
/*
 * Keys end when the machine goes to sleep, and states as well when it was copied.
 * The kernel's own test of suspending (everything but the sleep itself), and its own
 * function for what a copied machine is told.
 */
#include "kselftest_harness.h"
#include "handshake_hosts.h"

#define PM_TEST "/sys/power/pm_test"

struct ends {
	struct both b;
	int listener, fd[2];
};

static bool set_up(struct ends *e)
{
	make_hosts(&e->b, "lapse", 9760);
	e->listener = listen_as(&e->b, BOB);
	e->fd[ALICE] = dial_as(&e->b, ALICE);
	e->fd[BOB] = accept(e->listener, NULL, NULL);
	set_timeout(e->fd[BOB], SO_RCVTIMEO, PATIENCE);
	set_timeout(e->fd[BOB], SO_SNDTIMEO, PATIENCE);
	return e->fd[ALICE] >= 0 && e->fd[BOB] >= 0 && talks(e->fd[ALICE], e->fd[BOB]);
}

static void tear_down(struct ends *e)
{
	close(e->fd[ALICE]);
	close(e->fd[BOB]);
	close(e->listener);
	remove_hosts(&e->b);
}

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Down to where devices would be stopped, and back; programs are frozen meanwhile. */
static bool sleeps(void)
{
	write_to("/sys/module/suspend/parameters/pm_test_delay", "1");
	return write_to(PM_TEST, "freezer") && write_to("/sys/power/state", "freeze");
}

FIXTURE(lapse) {
	struct ends e;
	pid_t child;
};

FIXTURE_SETUP(lapse)
{
	ASSERT_TRUE(set_up(&self->e));
	self->child = 0;
}

FIXTURE_TEARDOWN(lapse)
{
	if (self->child) {
		kill(self->child, SIGKILL);
		waitpid(self->child, NULL, 0);
	}
	tear_down(&self->e);
	EXPECT_TRUE(eventually(PATIENCE, !sum("KeyPairs") && !sum("Channels")));
}

/* No keys are left, but the channel is, and the stream goes on. */
TEST_F_TIMEOUT(lapse, sleep, 100)
{
	long long confirmed = sum("HsConfirmed"), channels = sum("Channels");

	if (access(PM_TEST, W_OK))
		SKIP(return, "this kernel cannot sleep, or not as a test");
	EXPECT_LE(2, sum("KeyPairs"));
	ASSERT_TRUE(sleeps()) TH_LOG("%m");
	EXPECT_EQ(0, sum("KeyPairs"));
	EXPECT_EQ(channels, sum("Channels"));
	EXPECT_TRUE(talks(self->e.fd[ALICE], self->e.fd[BOB]));
	EXPECT_LT(confirmed, sum("HsConfirmed"));
	EXPECT_EQ(channels, sum("Channels"));
}

/* The same while data flow: not a byte is missing, and they flow under new keys. */
TEST_F_TIMEOUT(lapse, sleep_under_load, 100)
{
	long long confirmed = sum("HsConfirmed");
	ssize_t at = 0;

	if (access(PM_TEST, W_OK))
		SKIP(return, "this kernel cannot sleep, or not as a test");
	self->child = fork();
	if (!self->child) {
		ssize_t n;

		/* who is put to sleep in send() may have sent less */
		while ((n = send_pattern(self->e.fd[ALICE], 16384, 1, at)) > 0)
			at += n;
		_exit(0);
	}
	ASSERT_EQ(100000, recv_pattern(self->e.fd[BOB], 100000, 1, at));
	ASSERT_TRUE(sleeps()) TH_LOG("%m");
	EXPECT_EQ(1000000, recv_pattern(self->e.fd[BOB], 1000000, 1, 100000));
	EXPECT_LT(confirmed, sum("HsConfirmed"));
}

/* What a copy of the machine must not go on with: keys and states */
TEST_F_TIMEOUT(lapse, copy, 100)
{
	const char *build = getenv("SSS_BUILD"), *kernel = getenv("SSS_KERNEL");
	char path[512], byte;
	int fd[2];

	snprintf(path, sizeof(path), "%s/modules/%s/vmfork/vmfork.ko", build ? build : "",
		 kernel ? kernel : "");
	if (access(path, R_OK))
		SKIP(return, "this kernel hears nothing of copies");
	shell("insmod %s && rmmod vmfork", path);
	for (int who = ALICE; who <= BOB; who++) {
		EXPECT_EQ(-1, recv(self->e.fd[who], &byte, 1, 0));
		EXPECT_EQ(ECONNRESET, errno) TH_LOG("%m");
	}
	EXPECT_TRUE(eventually(PATIENCE, !sum("KeyPairs") && !sum("HalfOpen")));
	/* with their streams */
	for (int who = ALICE; who <= BOB; who++) {
		close(self->e.fd[who]);
		self->e.fd[who] = -1;
	}
	EXPECT_TRUE(eventually(PATIENCE, !sum("Channels")));
	fd[ALICE] = dial_as(&self->e.b, ALICE);
	ASSERT_LE(0, fd[ALICE]) TH_LOG("%m");
	fd[BOB] = accept(self->e.listener, NULL, NULL);
	EXPECT_TRUE(talks(fd[ALICE], fd[BOB]));
	close(fd[ALICE]);
	close(fd[BOB]);
}

TEST_HARNESS_MAIN
