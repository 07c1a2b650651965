// SPDX-License-Identifier: GPL-2.0
/* A conversation between the module and an implementation that is not it */
#include "kselftest_harness.h"
#include "hosts.h"

#define MUCH 200000

static struct link l;

/* In both directions, a word at a time, and the ends of the stream */
TEST(words)
{
	uint8_t buf[64];
	int listener, fd;
	char word[16];

	listener = listen_on(V4, "peer words", 1);
	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer words"));
	fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd);
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	EXPECT_TRUE(link_until(&l, PATIENCE, l.reply == 0));
	ASSERT_EQ(5, recv(fd, word, sizeof(word), 0));
	EXPECT_EQ(0, memcmp(word, "hello", 5));
	ASSERT_EQ(6, send(fd, "world!", 6, MSG_NOSIGNAL));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.got == 6));
	EXPECT_EQ(0, memcmp(l.in, "world!", 6));

	EXPECT_TRUE(link_send(&l, buf, put_stream(buf, 0, 5, FIN, "bye", 3)));
	EXPECT_TRUE(link_settled(&l, PATIENCE));
	ASSERT_EQ(3, recv(fd, word, sizeof(word), 0));
	EXPECT_EQ(0, recv(fd, word, sizeof(word), 0));
	close(fd);
	EXPECT_TRUE(link_until(&l, PATIENCE, l.fin));
	EXPECT_EQ(-1, l.close_code);
	hang_up(&l);
	close(listener);
}

/* A service that is not there */
TEST(refused)
{
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "nobody"));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.reply == 1));
	EXPECT_EQ(-1, l.close_code);
	hang_up(&l);
}

static bool send_much(struct link *link)
{
	uint8_t data[1000], buf[1100];
	uint64_t at = 5;

	while (at < MUCH) {
		size_t part = MUCH - at < sizeof(data) ? MUCH - at : sizeof(data);

		if (!link_until(link, PATIENCE, link->window >= at + part))
			return false;
		fill(data, part, 1, at);
		if (!link_send(link, buf, put_stream(buf, 0, at, at + part == MUCH ? FIN : 0,
						     data, part)))
			return false;
		at += part;
	}
	return true;
}

static void *reader(void *fd)
{
	char word[5];

	if (recv(*(int *)fd, word, 5, MSG_WAITALL) != 5)
		return NULL;
	return (void *)recv_pattern(*(int *)fd, MUCH, 1, 5);
}

static void *writer(void *fd)
{
	return (void *)send_pattern(*(int *)fd, MUCH, 2, 0);
}

static bool read_much(struct link *link)
{
	uint64_t limit = WINDOW_SIZE;
	uint8_t buf[32];

	while (link->got < MUCH) {
		size_t before = link->got;

		if (link->got + WINDOW_SIZE / 2 > limit) {
			limit = link->got + WINDOW_SIZE;
			link_send(link, buf, put_numbers(buf, WINDOW, 2, (uint64_t)0, limit));
		}
		if (!link_until(link, PATIENCE, link->got > before))
			return false;
	}
	return is_pattern(link->in, MUCH, 2, 0);
}

/* More than any window, first there, then back */
TEST(much)
{
	int listener, fd;
	pthread_t thread;
	void *done;

	listener = listen_on(V4, "peer much", 1);
	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer much"));
	fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd);
	set_timeout(fd, SO_RCVTIMEO, PATIENCE);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader, &fd));
	EXPECT_TRUE(send_much(&l));
	EXPECT_TRUE(link_settled(&l, PATIENCE));
	pthread_join(thread, &done);
	EXPECT_EQ(MUCH - 5, (long)done);
	ASSERT_EQ(0, pthread_create(&thread, NULL, writer, &fd));
	EXPECT_TRUE(read_much(&l));
	pthread_join(thread, &done);
	EXPECT_EQ(MUCH, (long)done);
	close(fd);
	EXPECT_TRUE(link_until(&l, PATIENCE, l.fin));
	EXPECT_EQ(-1, l.close_code);
	hang_up(&l);
	close(listener);
}

/* Each datagram that was lost is announced, not only the last. */
TEST(drops)
{
	struct sss_open open = { .kind = SOCK_DGRAM, .flags = SOCK_CLOEXEC };
	uint8_t data[1000] = { }, buf[32];
	int listener, fd, datagrams;

	listener = listen_on(V4, "peer drops", 1);
	ASSERT_LE(0, listener);
	ASSERT_TRUE(link_to_bob(&l));
	ASSERT_TRUE(say_hello(&l, "peer drops"));
	fd = accept(listener, NULL, NULL);
	ASSERT_LE(0, fd);
	datagrams = ioctl(fd, SSS_IOC_OPEN, &open);
	ASSERT_LE(0, datagrams);
	while (link_step(&l, 100))
		;
	l.silent = true;
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(1000, send(datagrams, data, sizeof(data), 0));
	while (link_step(&l, 20))
		;
	link_send_once(&l, buf, put_numbers(buf, ACK, 4, l.newest, (uint64_t)0, (uint64_t)0,
					    (uint64_t)0));
	EXPECT_TRUE(link_until(&l, PATIENCE, l.drops >= 5)) TH_LOG("%u", l.drops);
	EXPECT_EQ(-1, l.close_code);
	close(datagrams);
	close(fd);
	hang_up(&l);
	close(listener);
}

TEST_HARNESS_MAIN
