// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes where something is in the way: both sides at once, copies,
 * loss, load, another key, a peer that lost its state, keys that expire.
 */
#include "kselftest_harness.h"
#include "handshake_hosts.h"

struct caller {
	const struct both *b;
	int who;
	useconds_t wait;
	int fd;
};

static void *call(void *arg)
{
	struct caller *c = arg;

	usleep(c->wait);
	c->fd = dial_as(c->b, c->who);
	return NULL;
}

/* Both call at once: both calls are answered and nothing is reset. */
TEST(crossing)
{
	static const useconds_t waits[] = { 0, 5000, 15000, 30000, 45000 };
	struct caller c[2];
	pthread_t t[2];
	struct both b;
	int listener[2], end[2], i, w;

	netem(ALICE, "delay 20ms");
	netem(BOB, "delay 20ms");
	for (w = 0; w < 5; w++) {
		make_hosts(&b, "cross", 9700);
		for (i = 0; i < 2; i++) {
			listener[i] = listen_as(&b, i);
			ASSERT_LE(0, listener[i]);
			c[i] = (struct caller){ &b, i, i ? waits[w] : 0, -1 };
		}
		for (i = 0; i < 2; i++)
			pthread_create(&t[i], NULL, call, &c[i]);
		for (i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
		for (i = 0; i < 2; i++) {
			EXPECT_LE(0, c[i].fd) TH_LOG("wait %u caller %d", waits[w], i);
			end[i] = accept(listener[!i], NULL, NULL);
			EXPECT_LE(0, end[i]);
			EXPECT_TRUE(talks(c[i].fd, end[i]))
				TH_LOG("wait %u caller %d: %s", waits[w], i, strerror(errno));
		}
		for (i = 0; i < 2; i++) {
			close(c[i].fd);
			close(end[i]);
			close(listener[i]);
		}
		remove_hosts(&b);
	}
	netem(ALICE, NULL);
	netem(BOB, NULL);
}

/* Under load nobody gets in without a cookie; who has one does. */
TEST(load)
{
	long long cookies = get_stat(BOB, "HsTxCookie");
	int listener, fd, end;
	struct both b;

	make_hosts(&b, "load", 9701);
	set_sysctl(BOB, "handshake_queue", "8");
	listener = listen_as(&b, BOB);
	fd = dial_as(&b, ALICE);
	EXPECT_LE(0, fd);
	end = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(fd, end));
	EXPECT_LT(cookies, get_stat(BOB, "HsTxCookie"));
	set_sysctl(BOB, "handshake_queue", "1024");
	close(fd);
	close(end);
	close(listener);
	remove_hosts(&b);
}

/* Copies of an INITIATE get the same answer. */
TEST(copies)
{
	long long copies = get_stat(BOB, "HsDuplicate");
	long long confirmed = sum("HsConfirmed");
	int listener, fd, end;
	struct both b;

	make_hosts(&b, "copies", 9702);
	netem(ALICE, "duplicate 100%");
	listener = listen_as(&b, BOB);
	fd = dial_as(&b, ALICE);
	EXPECT_LE(0, fd);
	end = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(fd, end));
	EXPECT_TRUE(eventually(PATIENCE, get_stat(BOB, "HsDuplicate") > copies));
	EXPECT_EQ(confirmed + 1, sum("HsConfirmed"));
	netem(ALICE, NULL);
	close(fd);
	close(end);
	close(listener);
	remove_hosts(&b);
}

static void *mend(void *arg)
{
	usleep(1500000);
	netem(*(int *)arg, NULL);
	return NULL;
}

/* What is lost is sent again. */
TEST(loss)
{
	int listener, fd, end, who;
	sigset_t child;
	struct both b;
	pthread_t t;

	/* The end of the other thread's command shall not interrupt connect(). */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	for (who = ALICE; who <= BOB; who++) {
		make_hosts(&b, "loss", 9703);
		listener = listen_as(&b, BOB);
		netem(who, "loss 100%");
		pthread_create(&t, NULL, mend, &who);
		fd = dial_as(&b, ALICE);
		EXPECT_LE(0, fd) TH_LOG("%s", strerror(errno));
		pthread_join(t, NULL);
		end = accept(listener, NULL, NULL);
		EXPECT_TRUE(talks(fd, end));
		close(fd);
		close(end);
		close(listener);
		remove_hosts(&b);
	}
}

/* Another key lives there: the error says so, in the end. */
TEST(another_key)
{
	long long rejects = get_stat(ALICE, "HsRxReject");
	struct both b;

	make_hosts(&b, "other", 9704);
	set_sysctl(ALICE, "connect_timeout_ms", "700");
	b.eid[BOB] = eids[BOB][V4];
	enter(ALICE);
	add_peer("other", &b.eid[BOB], "10.9.0.2", 9704);
	EXPECT_EQ(-1, dial_as(&b, ALICE));
	EXPECT_EQ(EKEYREJECTED, errno) TH_LOG("%s", strerror(errno));
	EXPECT_LT(rejects, get_stat(ALICE, "HsRxReject"));
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	remove_hosts(&b);
}

/* Nobody lives there. */
TEST(nobody)
{
	struct both b;

	make_hosts(&b, "nobody", 9705);
	enter(BOB);
	del_host("nobody");
	set_sysctl(ALICE, "connect_timeout_ms", "700");
	EXPECT_EQ(-1, dial_as(&b, ALICE));
	EXPECT_EQ(ETIMEDOUT, errno) TH_LOG("%s", strerror(errno));
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
	enter(ALICE);
	del_host("nobody");
}

/* The peer lost its state and said nothing: old streams end, new ones work. */
TEST(lost_state)
{
	int listener, fd, end, again, who;
	char byte;
	struct both b;

	for (who = ALICE; who <= BOB; who++) {
		enter(BOB);
		b = (struct both){ "lost", 9706, .service = { "at alice", "at bob" } };
		b.eid[BOB] = add_known_host("lost", 9706);
		enter(ALICE);
		b.eid[ALICE] = add_host("lost", 9706, ~0u);
		add_peer("lost", &b.eid[BOB], "10.9.0.2", 9706);
		listener = listen_as(&b, BOB);
		fd = dial_as(&b, ALICE);
		ASSERT_LE(0, fd);
		end = accept(listener, NULL, NULL);
		EXPECT_TRUE(talks(fd, end));
		netem(BOB, "loss 100%");
		enter(BOB);
		del_host("lost");
		close(end);
		close(listener);
		usleep(200000);
		netem(BOB, NULL);
		enter(BOB);
		add_known_host("lost", 9706);
		add_peer("lost", &b.eid[ALICE], "10.9.0.1", 9706);
		if (who == ALICE) {
			listener = listen_as(&b, BOB);
			EXPECT_EQ(1, send(fd, "x", 1, MSG_NOSIGNAL));
		} else {
			/* here it is the new state that calls */
			listener = listen_as(&b, ALICE);
			again = dial_as(&b, BOB);
			EXPECT_LE(0, again);
			end = accept(listener, NULL, NULL);
			EXPECT_TRUE(talks(again, end));
			close(again);
			close(end);
		}
		EXPECT_EQ(-1, recv(fd, &byte, 1, 0));
		EXPECT_EQ(ECONNRESET, errno) TH_LOG("%s", strerror(errno));
		close(fd);
		if (who == ALICE) {
			again = dial_as(&b, ALICE);
			EXPECT_LE(0, again) TH_LOG("%s", strerror(errno));
			end = accept(listener, NULL, NULL);
			EXPECT_TRUE(talks(again, end));
			close(again);
			close(end);
		}
		close(listener);
		remove_hosts(&b);
	}
}

/*
 * Bob answered several INITIATEs of one state of alice's, then loses that state
 * and says nothing: what he answered before does not bring it back.
 */
TEST(ended_state)
{
	int listener, fd, end, again;
	struct both b;
	char byte;

	make_hosts(&b, "ended", 9713);
	set_sysctl(ALICE, "initiate_interval_ms", "50");
	set_sysctl(ALICE, "initiate_interval_max_ms", "100");
	set_sysctl(ALICE, "initiate_lifetime_ms", "200");
	listener = listen_as(&b, BOB);
	netem(BOB, "delay 400ms");	/* so that alice asks again and again */
	fd = dial_as(&b, ALICE);
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(errno));
	end = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(fd, end));
	netem(BOB, "loss 100%");
	forget_peer(&b, BOB);
	close(end);
	netem(BOB, NULL);
	EXPECT_EQ(1, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-1, recv(fd, &byte, 1, 0));
	EXPECT_EQ(ECONNRESET, errno) TH_LOG("%s", strerror(errno));
	close(fd);
	again = dial_as(&b, ALICE);
	EXPECT_LE(0, again) TH_LOG("%s", strerror(errno));
	end = accept(listener, NULL, NULL);
	EXPECT_TRUE(talks(again, end));
	close(again);
	close(end);
	close(listener);
	set_sysctl(ALICE, "initiate_interval_ms", "1000");
	set_sysctl(ALICE, "initiate_interval_max_ms", "15000");
	set_sysctl(ALICE, "initiate_lifetime_ms", "5000");
	remove_hosts(&b);
}

/* Keys are replaced while data flows, and after a pause without any. */
TEST(rekey)
{
	long long confirmed = sum("HsConfirmed");
	int listener, fd, end, i;
	struct both b;

	make_hosts(&b, "rekey", 9707);
	for (i = ALICE; i <= BOB; i++) {
		set_sysctl(i, "rekey_initiator_ms", "200");
		set_sysctl(i, "rekey_responder_ms", "300");
		set_sysctl(i, "stop_send_ms", "600");
		set_sysctl(i, "stop_receive_ms", "800");
		set_sysctl(i, "erase_ms", "1000");
	}
	listener = listen_as(&b, BOB);
	fd = dial_as(&b, ALICE);
	ASSERT_LE(0, fd);
	end = accept(listener, NULL, NULL);
	for (i = 0; i < 40; i++) {
		EXPECT_TRUE(talks(fd, end)) TH_LOG("%d: %s", i, strerror(errno));
		usleep(50000);
	}
	EXPECT_LE(confirmed + 4, sum("HsConfirmed"));
	usleep(1500000);
	EXPECT_TRUE(talks(fd, end));
	usleep(1500000);
	EXPECT_TRUE(talks(end, fd));
	close(fd);
	close(end);
	close(listener);
	for (i = ALICE; i <= BOB; i++) {
		set_sysctl(i, "rekey_initiator_ms", "120000");
		set_sysctl(i, "rekey_responder_ms", "150000");
		set_sysctl(i, "stop_send_ms", "180000");
		set_sysctl(i, "stop_receive_ms", "240000");
		set_sysctl(i, "erase_ms", "300000");
	}
	remove_hosts(&b);
}

TEST_HARNESS_MAIN
