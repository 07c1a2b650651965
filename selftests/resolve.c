// SPDX-License-Identifier: GPL-2.0
/*
 * Finding peers, as far as the kernel does it: who is asked, what connect() does
 * meanwhile and with the answer, and what remains of it. The test plays the helper.
 */
#include <grp.h>
#include "kselftest_harness.h"
#include "helper.h"

FIXTURE(resolve) {
	struct both b;
	struct helper h;
	struct question q;
	char name[16];
	int listener;
	long long peers, questions, asked;
};

/* Hosts that do not know each other, bob with a service, and alice with a helper */
FIXTURE_SETUP(resolve)
{
	/* its own, so that a test that fails takes no other one with it */
	snprintf(self->name, sizeof(self->name), "strange%d", getpid() % 10000);
	make_strangers(&self->b, self->name, 10000 + getpid() % 10000);
	self->listener = listen_as(&self->b, BOB);
	ASSERT_LE(0, self->listener);
	helper_open(&self->h, ALICE);
	self->peers = get_stat(ALICE, "Peers");
	self->questions = get_stat(ALICE, "Questions");
	self->asked = get_stat(ALICE, "ResolveAsked");
}

FIXTURE_TEARDOWN(resolve)
{
	helper_close(&self->h);
	close(self->listener);
	set_sysctl(ALICE, "resolve_timeout_ms", "10000");
	set_sysctl(ALICE, "resolve_interval_ms", "3000");
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	set_sysctl(ALICE, "max_questions", "1024");
	set_sysctl(ALICE, "idle_timeout_ms", "60000");
	remove_hosts(&self->b);
}

static bool hear(FIXTURE_DATA(resolve) *self, int ms)
{
	return helper_hear(&self->h, ms, &self->q) &&
	       !memcmp(&self->q.remote, &self->b.eid[BOB], SSS_EID_LEN);
}

static int tell(FIXTURE_DATA(resolve) *self, const char *where)
{
	return answer_at(&self->h, self->b.name, &self->b.eid[BOB], where, self->b.port);
}

static int refuse(FIXTURE_DATA(resolve) *self, int error)
{
	return answer_error(&self->h, self->b.name, &self->b.eid[BOB], error);
}

/* Nothing of what was only learnt is left, nor does a question wait. */
static bool nothing_left(FIXTURE_DATA(resolve) *self)
{
	bool ok;

	set_sysctl(ALICE, "idle_timeout_ms", "50");
	ok = eventually(PATIENCE, get_stat(ALICE, "Peers") == self->peers &&
				  get_stat(ALICE, "Questions") == self->questions &&
				  !get_stat(ALICE, "Channels"));
	if (!ok)
		fprintf(stderr, "# %lld peers, %lld questions, %lld channels, %lld streams\n",
			get_stat(ALICE, "Peers"), get_stat(ALICE, "Questions"),
			get_stat(ALICE, "Channels"), get_stat(ALICE, "Streams"));
	return ok;
}

/* Nobody in the group: EHOSTUNREACH at once, and nothing was made. */
TEST_F(resolve, nobody_listens)
{
	long long asked = get_stat(ALICE, "ResolveAsked");
	int fd;

	helper_close(&self->h);
	EXPECT_EQ(EHOSTUNREACH, result_of(dial_apart(&self->b, ALICE)));
	EXPECT_EQ(self->peers, get_stat(ALICE, "Peers"));
	/* One in another namespace is no help. */
	helper_open(&self->h, BOB);
	EXPECT_EQ(EHOSTUNREACH, result_of(dial_apart(&self->b, ALICE)));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, "Peers") == self->peers));
	EXPECT_FALSE(helper_hear(&self->h, 0, &self->q));
	EXPECT_EQ(asked, get_stat(ALICE, "ResolveAsked"));
	/* Who listens hears what is asked from then on. */
	helper_close(&self->h);
	helper_open(&self->h, ALICE);
	fd = begin_to_dial(&self->b, ALICE);
	EXPECT_LE(0, fd);
	EXPECT_TRUE(hear(self, PATIENCE));
	close(fd);
	EXPECT_TRUE(nothing_left(self));
}

/* A program knows an EID and nothing else; the helper knows where that is. */
TEST_F(resolve, answered)
{
	long long answered = get_stat(ALICE, "ResolveAnswered");
	int fd, end;
	pid_t pid;

	/* before the program is through: then its channel is idle, and for how long is settled */
	set_sysctl(ALICE, "idle_timeout_ms", "50");
	pid = fork();
	if (!pid) {
		fd = dial_as(&self->b, ALICE);
		if (fd < 0 || send_pattern(fd, 100000, 1, 0) != 100000 ||
		    recv_pattern(fd, 100000, 2, 0) != 100000)
			_exit(errno ?: 1);
		_exit(0);
	}
	ASSERT_TRUE(helper_hear(&self->h, PATIENCE, &self->q));
	EXPECT_STREQ(self->name, self->q.host);
	EXPECT_EQ(0, memcmp(&self->q.local, &self->b.eid[ALICE], SSS_EID_LEN));
	EXPECT_EQ(0, memcmp(&self->q.remote, &self->b.eid[BOB], SSS_EID_LEN));
	EXPECT_EQ(self->questions + 1, get_stat(ALICE, "Questions"));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	end = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_LE(0, end);
	EXPECT_EQ(100000, recv_pattern(end, 100000, 1, 0));
	EXPECT_EQ(100000, send_pattern(end, 100000, 2, 0));
	EXPECT_EQ(0, result_of(pid));
	EXPECT_EQ(self->questions, get_stat(ALICE, "Questions"));
	EXPECT_EQ(self->asked + 1, get_stat(ALICE, "ResolveAsked"));
	EXPECT_EQ(answered + 1, get_stat(ALICE, "ResolveAnswered"));
	EXPECT_FALSE(hear(self, 0));
	close(end);
	EXPECT_TRUE(nothing_left(self));
}

/* Without waiting: EINPROGRESS, then poll() tells. */
TEST_F(resolve, nonblocking)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS };
	int fd = begin_to_dial(&self->b, ALICE), end;

	ASSERT_LE(0, fd) TH_LOG("%m");
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, polled(fd, POLLOUT, 0));
	addr.sss_eid = self->b.eid[BOB];
	snprintf(addr.sss_service, sizeof(addr.sss_service), "at bob");
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	EXPECT_EQ(-1, connect_to(fd, &addr));
	EXPECT_EQ(EALREADY, errno);
	EXPECT_EQ(-1, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_EQ(POLLOUT, polled(fd, POLLOUT, PATIENCE));
	EXPECT_EQ(0, so_error(fd));
	EXPECT_EQ(0, connect_to(fd, &addr)) TH_LOG("%m");
	set_nonblock(fd, false);
	end = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
	EXPECT_TRUE(talks(fd, end));
	set_sysctl(ALICE, "idle_timeout_ms", "50");
	close(end);

	/* And what poll() tells when nobody is found */
	close(fd);
	ASSERT_TRUE(nothing_left(self));
	fd = begin_to_dial(&self->b, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, refuse(self, EHOSTUNREACH));
	EXPECT_NE(0, polled(fd, POLLOUT, PATIENCE));
	EXPECT_EQ(EHOSTUNREACH, so_error(fd));
	close(fd);
}

/* What the helper says is what connect() says. */
TEST_F(resolve, errors)
{
	static const int errors[] = { EHOSTUNREACH, ETIMEDOUT, ECONNREFUSED, EACCES };
	long long failed = get_stat(ALICE, "ResolveFailed");
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		pid = dial_apart(&self->b, ALICE);
		ASSERT_TRUE(hear(self, PATIENCE));
		EXPECT_EQ(0, refuse(self, errors[i]));
		EXPECT_EQ(errors[i], result_of(pid));
		EXPECT_EQ(failed + i + 1, get_stat(ALICE, "ResolveFailed"));
	}
	/* Where nobody waits that is all right, too. */
	EXPECT_TRUE(nothing_left(self));
	EXPECT_EQ(0, refuse(self, EHOSTUNREACH));
	EXPECT_EQ(self->peers, get_stat(ALICE, "Peers"));
}

/* Answers that are none */
TEST_F(resolve, malformed)
{
	static const char *const twice[] = { "10.9.0.2", "10.9.0.2" };
	static const char *const nine[] = { "10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5",
					    "10.9.0.6", "10.9.0.7", "10.9.0.8", "10.9.0.9",
					    "10.9.0.10" };
	const struct sss_eid *eid = &self->b.eid[BOB];
	const char *name = self->b.name;
	struct nlmsghdr *nlh;

	nlh = answer_start(&self->h, name, eid);
	EXPECT_EQ(EINVAL, genl_call(&self->h.answers, nlh, NULL, NULL));
	nlh = answer_start(&self->h, name, eid);
	genl_put_endpoints(nlh, 1, nine, 9660);
	mnl_attr_put_u32(nlh, SSS_A_ERROR, EHOSTUNREACH);
	EXPECT_EQ(EINVAL, genl_call(&self->h.answers, nlh, NULL, NULL));
	EXPECT_EQ(EINVAL, answer(&self->h, name, eid, 0, NULL, 9660));
	EXPECT_EQ(EINVAL, answer(&self->h, name, eid, 2, twice, 9660));
	EXPECT_EQ(E2BIG, answer(&self->h, name, eid, 9, nine, 9660));
	EXPECT_EQ(EINVAL, answer_at(&self->h, name, eid, "10.9.0.2", 0));
	EXPECT_EQ(EADDRNOTAVAIL, answer_at(&self->h, name, eid, "127.0.0.1", 9660));
	EXPECT_EQ(EADDRNOTAVAIL, answer_at(&self->h, name, &self->b.eid[ALICE], "10.9.0.2", 9660));
	EXPECT_EQ(ENOENT, answer_at(&self->h, "nobody", eid, "10.9.0.2", 9660));
	EXPECT_EQ(ERANGE, answer_error(&self->h, name, eid, 0));
	EXPECT_EQ(ERANGE, answer_error(&self->h, name, eid, 512));
	nlh = genl_start(&self->h.answers, SSS_CMD_RESOLVE, 0);
	mnl_attr_put_u32(nlh, SSS_A_ERROR, EHOSTUNREACH);
	EXPECT_EQ(EINVAL, genl_call(&self->h.answers, nlh, NULL, NULL));
	EXPECT_EQ(self->peers, get_stat(ALICE, "Peers"));
}

/* Nobody answers in time; meanwhile it is asked again. */
TEST_F(resolve, times_out)
{
	long long timeouts = get_stat(ALICE, "ResolveTimeouts");
	pid_t pid;

	set_sysctl(ALICE, "resolve_timeout_ms", "900");
	set_sysctl(ALICE, "resolve_interval_ms", "200");
	pid = dial_apart(&self->b, ALICE);
	EXPECT_TRUE(hear(self, PATIENCE));
	EXPECT_TRUE(hear(self, PATIENCE));
	EXPECT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(ETIMEDOUT, result_of(pid));
	EXPECT_EQ(self->asked + 1, get_stat(ALICE, "ResolveAsked"));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, "ResolveTimeouts") == timeouts + 1));
	EXPECT_TRUE(nothing_left(self));
}

/* A helper that starts while a program waits is asked, too. */
TEST_F(resolve, helper_restarts)
{
	pid_t pid;

	set_sysctl(ALICE, "resolve_interval_ms", "50");
	pid = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	helper_close(&self->h);
	helper_open(&self->h, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_EQ(0, result_of(pid));
}

/* SO_SNDTIMEO: the program has waited enough, and the connect() goes on. */
TEST_F(resolve, send_timeout)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = self->b.eid[BOB] };
	int fd = open_as(&self->b, ALICE, "");

	snprintf(addr.sss_service, sizeof(addr.sss_service), "at bob");
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	set_timeout(fd, SO_SNDTIMEO, 100);
	EXPECT_EQ(-1, connect_to(fd, &addr));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_EQ(POLLOUT, polled(fd, POLLOUT, PATIENCE));
	EXPECT_EQ(0, so_error(fd));
	close(fd);
}

static void on_signal(int signal)
{
}

/* A signal interrupts the program, not the question. */
TEST_F(resolve, signal)
{
	struct sigaction action = { .sa_handler = on_signal };
	char interrupted = 0;
	int end[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(end));
	pid = fork();
	if (!pid) {
		struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = self->b.eid[BOB] };
		int fd = open_as(&self->b, ALICE, "");

		sigaction(SIGUSR1, &action, NULL);
		snprintf(addr.sss_service, sizeof(addr.sss_service), "at bob");
		snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
		if (!connect_to(fd, &addr) || errno != EINTR)
			_exit(1);
		if (write(end[1], "i", 1) != 1 || connect_to(fd, &addr) || so_error(fd))
			_exit(errno);
		_exit(0);
	}
	ASSERT_TRUE(hear(self, PATIENCE));
	kill(pid, SIGUSR1);
	close(end[1]);
	EXPECT_EQ(1, read(end[0], &interrupted, 1));
	close(end[0]);
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_EQ(0, result_of(pid));
	EXPECT_EQ(self->asked + 1, get_stat(ALICE, "ResolveAsked"));
}

/* The program goes away: so does the question. */
TEST_F(resolve, given_up)
{
	int fd = begin_to_dial(&self->b, ALICE);

	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(self->peers + 1, get_stat(ALICE, "Peers"));
	close(fd);
	EXPECT_TRUE(nothing_left(self));
}

/* connect() and send() in one */
TEST_F(resolve, fastopen)
{
	char buf[8] = "";
	pid_t pid = fork();
	int end;

	if (!pid) {
		struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = self->b.eid[BOB] };
		int fd = open_as(&self->b, ALICE, "");

		snprintf(addr.sss_service, sizeof(addr.sss_service), "at bob");
		snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
		if (sendto(fd, "hello", 5, MSG_FASTOPEN, (void *)&addr, sizeof(addr)) != 5)
			_exit(errno);
		_exit(0);
	}
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_EQ(0, result_of(pid));
	end = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
	EXPECT_EQ(5, recv(end, buf, sizeof(buf), 0));
	EXPECT_STREQ("hello", buf);
	close(end);
}

/* SOCK_DGRAM: who sends to an EID that nobody knows waits, too. */
TEST_F(resolve, datagrams)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = self->b.eid[BOB] };
	struct sockaddr_sss from = { .sss_family = AF_SSS, .sss_eid = self->b.eid[ALICE] };
	char buf[8] = "";
	int fd, end;

	snprintf(addr.sss_service, sizeof(addr.sss_service), "words");
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	enter(BOB);
	end = socket(AF_SSS, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind_to(end, &addr));
	set_timeout(end, SO_RCVTIMEO, PATIENCE);
	enter(ALICE);
	fd = socket(AF_SSS, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind_to(fd, &from));
	EXPECT_EQ(-1, sendto(fd, "one", 3, MSG_DONTWAIT, (void *)&addr, sizeof(addr)));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_EQ(3, sendto(fd, "two", 3, 0, (void *)&addr, sizeof(addr))) TH_LOG("%m");
	EXPECT_EQ(3, recv(end, buf, sizeof(buf), 0));
	EXPECT_STREQ("two", buf);
	EXPECT_EQ(self->asked + 1, get_stat(ALICE, "ResolveAsked"));
	close(fd);
	close(end);
}

/* Several programs, one question, and each its own patience */
TEST_F(resolve, shared)
{
	pid_t pid[3], early;
	int i;

	set_sysctl(ALICE, "resolve_timeout_ms", "1000");
	early = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	usleep(500000);
	for (i = 0; i < 3; i++)
		pid[i] = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(eventually(PATIENCE, get_stat(ALICE, "Streams") == 4));
	EXPECT_EQ(self->questions + 1, get_stat(ALICE, "Questions"));
	/* The first gives up, the others do not. */
	EXPECT_EQ(ETIMEDOUT, result_of(early));
	EXPECT_EQ(3, get_stat(ALICE, "Streams"));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, result_of(pid[i]));
	EXPECT_EQ(self->asked + 1, get_stat(ALICE, "ResolveAsked"));
}

/* So many questions, and no more */
TEST_F(resolve, bounded)
{
	struct both other = self->b;
	int fd[4], i;

	set_sysctl(ALICE, "max_questions", "2");
	fd[0] = begin_to_dial(&self->b, ALICE);
	EXPECT_LE(0, fd[0]);
	other.eid[BOB] = eids[BOB][V6];
	fd[1] = begin_to_dial(&other, ALICE);
	EXPECT_LE(0, fd[1]);
	other.eid[BOB] = eids[BOB][V4];
	EXPECT_EQ(-1, begin_to_dial(&other, ALICE));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, "Peers") == self->peers + 2));
	/* One more for the same peer needs no question. */
	fd[2] = begin_to_dial(&self->b, ALICE);
	EXPECT_LE(0, fd[2]);
	EXPECT_EQ(0, refuse(self, ECONNREFUSED));
	fd[3] = begin_to_dial(&other, ALICE);
	EXPECT_LE(0, fd[3]);
	for (i = 0; i < 4; i++)
		close(fd[i]);
	EXPECT_TRUE(nothing_left(self));
}

static void nobody_here(void)
{
	enter(ALICE);
	if (setgid(65534) || setuid(65534))
		_exit(200);
}

/* A user does not have all of them. */
TEST_F(resolve, shares)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS };
	int ready[2], fd[4], i;
	pid_t pid;
	char c;

	set_sysctl(ALICE, "max_questions", "8");
	set_sysctl(ALICE, "idle_timeout_ms", "50");
	snprintf(addr.sss_service, sizeof(addr.sss_service), "at bob");
	snprintf(addr.sss_protocol, sizeof(addr.sss_protocol), "test 1");
	addr.sss_eid = self->b.eid[BOB];
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		nobody_here();
		for (i = 0; i < 8; i++) {
			int fd = socket(AF_SSS, SOCK_STREAM | SOCK_NONBLOCK, 0);

			addr.sss_eid.key[0] = i;
			if (fd < 0 || !connect_to(fd, &addr))
				_exit(201);
			if (errno != EINPROGRESS)
				break;
		}
		if (errno != ENOBUFS)
			_exit(errno);
		if (write(ready[1], "r", 1) == 1)
			pause();
	}
	close(ready[1]);
	EXPECT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(self->questions + 4, get_stat(ALICE, "Questions"));
	/* others have what is left, and an administrator all of it */
	for (i = 0; i < 4; i++) {
		self->b.eid[BOB].key[0] = 100 + i;
		fd[i] = begin_to_dial(&self->b, ALICE);
		EXPECT_LE(0, fd[i]);
	}
	EXPECT_EQ(self->questions + 8, get_stat(ALICE, "Questions"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	for (i = 0; i < 4; i++)
		close(fd[i]);
	EXPECT_TRUE(nothing_left(self));
}

/* A helper that does not keep up is there all the same: what it missed comes again. */
TEST_F(resolve, overrun)
{
	enum { MANY = 12 };
	struct both other = self->b;
	int fd[MANY], small = 1, heard = 0, i;
	bool seen[MANY] = { };

	setsockopt(mnl_socket_get_fd(self->h.questions.nl), SOL_SOCKET, SO_RCVBUF, &small,
		   sizeof(small));
	set_sysctl(ALICE, "resolve_interval_ms", "200");
	set_sysctl(ALICE, "idle_timeout_ms", "50");
	for (i = 0; i < MANY; i++) {
		other.eid[BOB].key[0] = i;
		fd[i] = begin_to_dial(&other, ALICE);
		EXPECT_LE(0, fd[i]) TH_LOG("%d: %m", i);
	}
	/* the first read says that some were lost */
	for (i = 0; i < 100 && heard < MANY; i++) {
		if (!helper_hear(&self->h, 500, &self->q) || self->q.remote.key[0] >= MANY)
			continue;
		/* and makes room for others */
		answer_error(&self->h, self->b.name, &self->q.remote, EHOSTUNREACH);
		heard += !seen[self->q.remote.key[0]];
		seen[self->q.remote.key[0]] = true;
	}
	EXPECT_EQ(MANY, heard);
	for (i = 0; i < MANY; i++)
		close(fd[i]);
	EXPECT_TRUE(nothing_left(self));
}

/* What is configured does not answer: the helper knows better. */
TEST_F(resolve, configured_is_silent)
{
	pid_t pid;

	enter(ALICE);
	add_peer(self->b.name, &self->b.eid[BOB], BLACK_HOLE4, self->b.port);
	set_sysctl(ALICE, "resolve_interval_ms", "200");
	pid = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	/* that helps neither; so it is asked again */
	EXPECT_EQ(0, tell(self, "10.9.0.78"));
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_EQ(0, result_of(pid));
}

/* ... or says that there is nobody: connect() hears it at once. */
TEST_F(resolve, configured_is_gone)
{
	pid_t pid;

	enter(ALICE);
	add_peer(self->b.name, &self->b.eid[BOB], BLACK_HOLE4, self->b.port);
	set_sysctl(ALICE, "resolve_interval_ms", "200");
	pid = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, refuse(self, EHOSTUNREACH));
	EXPECT_EQ(EHOSTUNREACH, result_of(pid));
}

/* A live channel does not hear its peer any more, who is elsewhere by now. */
TEST_F(resolve, stalled)
{
	int fd[2];
	pid_t pid;

	set_sysctl(ALICE, "announce_endpoints", "0");
	set_sysctl(BOB, "announce_endpoints", "0");
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 1 && hear(self, PATIENCE); i++)
			tell(self, "10.9.0.2");
		_exit(0);
	}
	fd[ALICE] = dial_as(&self->b, ALICE);
	ASSERT_LE(0, fd[ALICE]);
	ASSERT_EQ(0, result_of(pid));
	while (hear(self, 0))
		;
	fd[BOB] = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_TRUE(talks(fd[ALICE], fd[BOB]));
	lay_cable("spare", ns[ALICE], ns[BOB], 8);
	blackhole("wire", true);
	EXPECT_EQ(4, send(fd[ALICE], "ping", 4, MSG_NOSIGNAL));
	EXPECT_TRUE(hear(self, PATIENCE));
	EXPECT_LT(SSS_LINK_UP, info_of(fd[ALICE]).link);
	/* No such place: the stream waits on, and it is asked again. */
	EXPECT_EQ(0, refuse(self, EHOSTUNREACH));
	EXPECT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, tell(self, "10.8.0.2"));
	{
		char buf[8];

		EXPECT_EQ(4, recv(fd[BOB], buf, 4, MSG_WAITALL));
		EXPECT_TRUE(talks(fd[ALICE], fd[BOB]));
	}
	blackhole("wire", false);
	cut_cable("spare", ns[ALICE]);
	set_sysctl(ALICE, "announce_endpoints", "1");
	set_sysctl(BOB, "announce_endpoints", "1");
	close(fd[ALICE]);
	close(fd[BOB]);
}

static int udp_at(int who, const char *where, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd;

	enter(who);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, where, &in.sin_addr);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)))
		genl_die("bind");
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	return fd;
}

/*
 * Nobody waits: an INITIATE goes to every candidate nevertheless, with the answer, and
 * again as for a connect(). When nothing comes of it nothing is left.
 */
TEST_F(resolve, unasked)
{
	static const char *const where[] = { "10.9.0.21", "10.9.0.22", "10.9.0.23" };
	unsigned char message[2048];
	int fd[3], i, n;

	for (i = 0; i < 3; i++) {
		shell_in(BOB, "ip addr add %s/24 dev wire", where[i]);
		fd[i] = udp_at(BOB, where[i], 9999);
	}
	EXPECT_EQ(0, answer(&self->h, self->b.name, &self->b.eid[BOB], 3, where, 9999));
	for (n = 0; n < 3; n++) {
		for (i = 0; i < 3; i++) {
			ASSERT_LT(100, recv(fd[i], message, sizeof(message), 0)) TH_LOG("%d", n);
			EXPECT_EQ(1, message[0]);
		}
	}
	EXPECT_EQ(self->peers + 1, get_stat(ALICE, "Peers"));
	EXPECT_EQ(self->asked, get_stat(ALICE, "ResolveAsked"));
	/* The next answer has an end soon. */
	set_sysctl(ALICE, "connect_timeout_ms", "200");
	EXPECT_EQ(0, answer(&self->h, self->b.name, &self->b.eid[BOB], 1, where, 9999));
	EXPECT_TRUE(nothing_left(self));
	for (i = 0; i < 3; i++) {
		close(fd[i]);
		shell_in(BOB, "ip addr del %s/24 dev wire", where[i]);
	}
}

/* An endpoint that a helper was told wrongly gets few packets, however it ends. */
TEST_F(resolve, few_packets)
{
	long long before = get_stat(ALICE, "HsTxInitiate");
	int i;

	set_sysctl(ALICE, "initiate_interval_ms", "10");
	set_sysctl(ALICE, "initiate_interval_max_ms", "10");
	set_sysctl(ALICE, "connect_timeout_ms", "1500");
	EXPECT_EQ(0, tell(self, BLACK_HOLE4));
	EXPECT_TRUE(nothing_left(self));
	EXPECT_EQ(before + 16 + 3, get_stat(ALICE, "HsTxInitiate"));
	/* What it is told again it may try again. */
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, tell(self, BLACK_HOLE4));
	EXPECT_TRUE(nothing_left(self));
	EXPECT_LE(before + 16 + 3 + 16, get_stat(ALICE, "HsTxInitiate"));
	set_sysctl(ALICE, "initiate_interval_ms", "1000");
	set_sysctl(ALICE, "initiate_interval_max_ms", "15000");
}

static int set_access(FIXTURE_DATA(resolve) *self, uint32_t access)
{
	struct nlmsghdr *nlh = genl_start(&self->h.answers, SSS_CMD_HOST_SET, 0);

	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, self->b.name);
	mnl_attr_put_u32(nlh, SSS_A_HOST_ACCESS, access);
	return genl_call(&self->h.answers, nlh, NULL, NULL);
}

/* Who may use nothing here is not called unasked, so that it learns nothing of us. */
TEST_F(resolve, unasked_stranger)
{
	long long sent = get_stat(ALICE, "HsTxInitiate");
	uint32_t access;
	pid_t pid;

	for (access = SSS_ACCESS_PEERS; access <= SSS_ACCESS_RULES; access++) {
		ASSERT_EQ(0, set_access(self, access));
		EXPECT_EQ(EACCES, tell(self, "10.9.0.2"));
	}
	EXPECT_EQ(self->peers, get_stat(ALICE, "Peers"));
	EXPECT_EQ(0, get_stat(ALICE, "Channels"));
	EXPECT_EQ(sent, get_stat(ALICE, "HsTxInitiate"));
	/* But whom a program wants is */
	pid = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_EQ(0, result_of(pid));
	/* and who is let in */
	EXPECT_TRUE(nothing_left(self));
	set_sysctl(ALICE, "idle_timeout_ms", "60000");
	ASSERT_EQ(0, set_access(self, SSS_ACCESS_ANYONE));
	EXPECT_EQ(0, tell(self, "10.9.0.2"));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(ALICE, "Channels") == 1));
}

static int count_endpoints(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *ep;
	struct genl_attrs a;
	int *n = data;

	genl_attrs(nlh, &a);
	if (a.of[SSS_A_ENDPOINTS])
		mnl_attr_for_each_nested(ep, a.of[SSS_A_ENDPOINTS])
			(*n)++;
	return MNL_CB_OK;
}

/* Answers add up, to eight; the newest have their place. */
TEST_F(resolve, added)
{
	static const char *const first[] = { "10.9.0.31", "10.9.0.32", "10.9.0.33", "10.9.0.34",
					     "10.9.0.35", "10.9.0.36" };
	static const char *const then[] = { "10.9.0.41", "10.9.0.42", "10.9.0.43", "10.9.0.2" };
	struct nlmsghdr *nlh;
	int n = 0;
	pid_t pid;

	pid = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	EXPECT_EQ(0, answer(&self->h, self->b.name, &self->b.eid[BOB], 6, first, self->b.port));
	EXPECT_EQ(0, answer(&self->h, self->b.name, &self->b.eid[BOB], 4, then, self->b.port));
	EXPECT_EQ(0, result_of(pid));
	nlh = genl_start(&self->h.answers, SSS_CMD_PEER_GET, NLM_F_DUMP);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, self->b.name);
	EXPECT_EQ(0, genl_call(&self->h.answers, nlh, count_endpoints, &n));
	EXPECT_EQ(8, n);
}

/* What is configured never gives way to an answer. */
TEST_F(resolve, configured_stays)
{
	static const char *const eight[] = { "10.9.0.31", "10.9.0.32", "10.9.0.33", "10.9.0.34",
					     "10.9.0.35", "10.9.0.36", "10.9.0.37", "10.9.0.38" };
	pid_t pid;

	enter(ALICE);
	add_peer(self->b.name, &self->b.eid[BOB], "10.9.0.2", self->b.port);
	EXPECT_EQ(0, answer(&self->h, self->b.name, &self->b.eid[BOB], 8, eight, self->b.port));
	pid = dial_apart(&self->b, ALICE);
	EXPECT_EQ(0, result_of(pid));
	EXPECT_FALSE(hear(self, 0));
}

/* The host goes while programs wait. */
TEST_F(resolve, host_removed)
{
	pid_t pid = dial_apart(&self->b, ALICE);

	ASSERT_TRUE(hear(self, PATIENCE));
	enter(ALICE);
	del_host(self->b.name);
	EXPECT_EQ(ECONNABORTED, result_of(pid));
	EXPECT_EQ(self->questions, get_stat(ALICE, "Questions"));
	add_host(self->b.name, self->b.port, ~0u);
}

/* A namespace goes while it calls and asks; its counters complain if anything is left. */
TEST_F(resolve, namespace_removed)
{
	struct sss_eid unknown = { .key = { 9 } };
	struct helper h;
	int own = new_namespace(), status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		struct both b = { .name = "short", .port = 9660, .service = { "a", "b" } };
		static const char *const where = "192.0.2.1";

		setns(own, CLONE_NEWNET);
		ns[ALICE] = own;
		b.eid[ALICE] = add_host("short", 9660, ~0u);
		b.eid[BOB] = unknown;
		helper_open(&h, ALICE);
		if (begin_to_dial(&b, ALICE) < 0)
			_exit(errno);
		unknown.key[0] = 16;
		_exit(answer_at(&h, "short", &unknown, where, 9660));
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, WEXITSTATUS(status));
	close(own);
	EXPECT_EQ(self->peers, get_stat(ALICE, "Peers"));
}

/* The peer calls by itself while we ask for it: no answer is needed then. */
TEST_F(resolve, peer_calls_first)
{
	int listener = listen_as(&self->b, ALICE), fd, own;

	ASSERT_LE(0, listener);
	own = begin_to_dial(&self->b, ALICE);
	ASSERT_TRUE(hear(self, PATIENCE));
	enter(BOB);
	add_peer(self->b.name, &self->b.eid[ALICE], "10.9.0.1", self->b.port);
	fd = dial_as(&self->b, BOB);
	EXPECT_LE(0, fd) TH_LOG("%m");
	EXPECT_EQ(POLLOUT, polled(own, POLLOUT, PATIENCE));
	EXPECT_EQ(0, so_error(own));
	EXPECT_EQ(self->questions, get_stat(ALICE, "Questions"));
	close(fd);
	close(own);
	close(listener);
}

TEST_HARNESS_MAIN
