// SPDX-License-Identifier: GPL-2.0
/*
 * The machine of the module is started again: the module is unloaded and loaded, and
 * has its key and nothing else. The peer, who kept his state, learns it in the first
 * round trip, whoever begins, and a new stream works at once.
 */
#include "kselftest_harness.h"
#include "hosts.h"
#include "../handshake_hosts.h"

#define MODULE	"/run/out/sss.ko"
#define HOST	"again"

static struct link l;
static int listener, fd;

static int listen_again(const struct sss_eid *eid)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_eid = *eid };
	int s = stream_socket(BOB, SOCK_CLOEXEC);

	strcpy(addr.sss_service, "peer reload");
	strcpy(addr.sss_protocol, "test 1");
	if (s < 0 || bind_to(s, &addr) || listen(s, 8))
		return -1;
	set_timeout(s, SO_RCVTIMEO, PATIENCE);
	return s;
}

static bool have_stream(void)
{
	char word[5];

	if (!say_hello(&l, "peer reload"))
		return false;
	fd = accept(listener, NULL, NULL);
	return fd >= 0 && recv(fd, word, 5, MSG_WAITALL) == 5 && !memcmp(word, "hello", 5);
}

static bool unload(void)
{
	return !system("rmmod sss 2>/dev/null");
}

/* Without a word to anybody */
static bool restart(void)
{
	netem(BOB, "loss 100%");
	close(fd);
	close(listener);
	/* or what the program left unsent would hold the module until it is given up */
	enter(BOB);
	del_host(HOST);
	if (!eventually(PATIENCE, unload()))
		return false;
	shell("insmod " MODULE);
	netem(BOB, NULL);
	enter(BOB);
	listener = listen_again((const struct sss_eid[]){ add_known_host(HOST, PORT(V4)) });
	return listener >= 0;
}

FIXTURE(reload) {
	struct sss_eid eid;
	uint64_t known;
};

FIXTURE_SETUP(reload)
{
	if (access(MODULE, R_OK))
		SKIP(return, "there is no module to load");
	enter(BOB);
	del_host(host_names[V4]);
	self->eid = add_known_host(HOST, PORT(V4));
	listener = listen_again(&self->eid);
	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_open(&l, socket_to_bob(), self->eid.key));
	ASSERT_TRUE(have_stream());
	self->known = l.known;
	ASSERT_TRUE(restart());
}

FIXTURE_TEARDOWN(reload)
{
	hang_up(&l);
	close(fd);
	close(listener);
	enter(BOB);
	del_host(HOST);
	add_host(host_names[V4], PORT(V4), ~0u);
}

TEST_F(reload, peer_speaks)
{
	uint8_t ping[1] = { PING };
	long long unknown;

	while (link_step(&l, 0))
		;	/* what was said before */
	unknown = get_stat(BOB, "RxDropIndex");
	link_send_once(&l, ping, 1);
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "RxDropIndex") > unknown));
	EXPECT_FALSE(link_step(&l, 200));
	ASSERT_TRUE(link_call(&l));
	EXPECT_EQ(1, l.restarts);
	EXPECT_NE(self->known, l.known);
	EXPECT_TRUE(have_stream());
}

TEST_F(reload, module_speaks)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS, .sss_service = "us" };
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	uint8_t buf[16];
	int s;

	getsockname(l.fd, (struct sockaddr *)&own, &len);
	enter(BOB);
	add_peer(HOST, (const struct sss_eid *)l.own.public, "10.9.0.1", ntohs(own.sin_port));
	memcpy(&addr.sss_eid, l.own.public, KEY);
	strcpy(addr.sss_protocol, "test 1");
	s = stream_socket(BOB, SOCK_CLOEXEC | SOCK_NONBLOCK);
	EXPECT_EQ(-1, connect_to(s, &addr));
	EXPECT_EQ(EINPROGRESS, errno);
	l.answers = true;
	EXPECT_TRUE(link_until(&l, PATIENCE, l.restarts && l.opened));
	EXPECT_EQ(0, l.asked.remembered);
	EXPECT_NE(self->known, l.known);
	EXPECT_TRUE(link_send(&l, buf, put_reply(buf, l.opened_id, 0)));
	EXPECT_TRUE(link_settled(&l, PATIENCE));
	EXPECT_EQ(POLLOUT, polled(s, POLLOUT, PATIENCE) & (POLLOUT | POLLERR));
	EXPECT_TRUE(have_stream());
	close(s);
}

TEST_HARNESS_MAIN
