// SPDX-License-Identifier: GPL-2.0
/*
 * What an observer learns of a conversation of two hosts, and what a thief
 * learns from the observer's recording once he has their static keys. The
 * recording is of the module; the thief is the implementation that is not it.
 * Each claim of protocol.rst, "Security considerations", is checked here.
 */
#include <sodium.h>
#include "kselftest_harness.h"
#include "handshake_hosts.h"
#include "hosts.h"
#include "observer.h"

enum { RECORDED = 4096, WORDS = 64 };

struct recording {
	unsigned int n;
	struct observed packet[RECORDED];
};

static struct recording rec;
static const uint8_t nobody[KEY];

static void record(int wire)
{
	while (rec.n < RECORDED && observe_next(wire, &rec.packet[rec.n]))
		rec.n++;
}

static int take_key(const struct nlmsghdr *nlh, void *data)
{
	struct genl_attrs a;

	genl_attrs(nlh, &a);
	if (a.of[SSS_A_HOST_PRIVATE_KEY])
		memcpy(data, mnl_attr_get_payload(a.of[SSS_A_HOST_PRIVATE_KEY]), KEY);
	return MNL_CB_OK;
}

/* Theft: the administrator of @who hands the key out */
static struct identity steal(int who, const char *name)
{
	uint8_t private[KEY] = { };
	struct identity id;
	static struct genl g;
	struct nlmsghdr *nlh;

	enter(who);
	genl_open(&g);
	nlh = genl_start(&g, SSS_CMD_HOST_GET, 0);
	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, name);
	mnl_attr_put(nlh, SSS_A_HOST_WANT_KEY, 0, NULL);
	errno = genl_call(&g, nlh, take_key, private);
	if (errno)
		genl_die("stealing a key");
	mnl_socket_close(g.nl);
	identity_from(&id, private);
	return id;
}

/* Was this message sent before, to be sure that it arrives? */
static bool is_copy(unsigned int i)
{
	for (unsigned int j = 0; j < i; j++)
		if (rec.packet[j].len == rec.packet[i].len &&
		    !memcmp(rec.packet[j].data, rec.packet[i].data, 40))
			return true;
	return false;
}

/* The nth INITIATE that was answered, from 0, and its answer; false: there is none */
static bool handshake(unsigned int nth, const struct observed **first,
		      const struct observed **second)
{
	for (unsigned int i = 0; i < rec.n; i++) {
		if (rec.packet[i].data[0] != TYPE_INITIATE || is_copy(i))
			continue;
		for (unsigned int j = i; j < rec.n; j++) {
			if (rec.packet[j].data[0] != TYPE_RESPOND ||
			    memcmp(rec.packet[j].data + 8, rec.packet[i].data + 4, 4))
				continue;
			*first = &rec.packet[i];
			*second = &rec.packet[j];
			if (!nth--)
				return true;
			break;
		}
	}
	return false;
}

static unsigned int count_handshakes(void)
{
	const struct observed *first, *second;
	unsigned int n = 0;

	while (handshake(n, &first, &second))
		n++;
	return n;
}

static unsigned int count_data(uint32_t index)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < rec.n; i++)
		n += rec.packet[i].data[0] == TYPE_DATA && get32(rec.packet[i].data + 4) == index;
	return n;
}

/* Data packets to @index that open under @key; the thief is told where to begin. */
static unsigned int count_open(const struct session *session, uint32_t index, uint64_t expected)
{
	static uint8_t plain[65536];
	unsigned int n = 0;
	uint64_t number;

	for (unsigned int i = 0; i < rec.n; i++) {
		const struct observed *o = &rec.packet[i];

		if (o->data[0] != TYPE_DATA || get32(o->data + 4) != index ||
		    !data_open(plain, o->data, o->len, expected, &number, session))
			continue;
		expected = number + 1;
		n++;
	}
	return n;
}

/*
 * The thief has both static keys and something for the initiator's ephemeral key.
 * Returns how many data packets of the nth handshake he reads, in both directions.
 */
static unsigned int count_readable(unsigned int nth, const struct identity *initiator,
				   const struct identity *responder, const uint8_t ephemeral[KEY])
{
	const struct observed *first, *second;
	uint8_t plain[INITIATE_PAYLOAD], answer[RESPOND_PAYLOAD];
	struct session session, turned, checked;
	struct handshake hs = { };
	struct payload p, r = { };
	unsigned int n;

	if (!handshake(nth, &first, &second) || !initiate_read(&hs, first->data, responder, plain) ||
	    !initiate_payload_read(plain, hs.remote_index, &p))
		return 0;
	hs.local_index = hs.remote_index;
	memcpy(hs.ephemeral, ephemeral, KEY);
	if (!session_guess(&hs, second->data, initiator, &session))
		return 0;
	if (respond_read(&hs, second->data, initiator, answer, &checked))
		respond_payload_read(answer, get32(second->data + 4), &r);
	turned = session;
	memcpy(turned.receive, session.send, KEY);
	turned.receive_mask = session.send_mask;
	n = count_open(&session, get32(first->data + 4), r.next_number);
	return n + count_open(&turned, get32(second->data + 4), p.next_number);
}

static bool knows(const void *what, size_t len)
{
	for (unsigned int i = 0; i < rec.n; i++)
		if (memmem(rec.packet[i].data, rec.packet[i].len, what, len))
			return true;
	return false;
}

/* A call, and some words both ways; @again: under new keys as well */
static bool converse(const struct both *b, int wire, bool again)
{
	long long confirmed = get_stat(BOB, "HsConfirmed");
	int listener, fd, end, i;
	bool ok = true;

	rec.n = 0;
	listener = listen_as(b, BOB);
	fd = dial_as(b, ALICE);
	end = accept(listener, NULL, NULL);
	if (listener < 0 || fd < 0 || end < 0)
		return false;
	for (i = 0; i < WORDS && ok; i++) {
		ok = talks(fd, end);
		record(wire);
	}
	if (ok && again) {
		set_sysctl(ALICE, "rekey_initiator_ms", "10");
		ok = eventually(PATIENCE, talks(fd, end) &&
				get_stat(BOB, "HsConfirmed") > confirmed + 1);
		set_sysctl(ALICE, "rekey_initiator_ms", "120000");
		for (i = 0; i < WORDS && ok; i++)
			ok = talks(fd, end);
	}
	record(wire);
	close(fd);
	close(end);
	close(listener);
	return ok;
}

FIXTURE(thief) {
	int wire;
	struct both b;
	struct identity alice, bob;
};

FIXTURE_SETUP(thief)
{
	ASSERT_LE(0, sodium_init());
	make_hosts(&self->b, "robbed", 9750);
	self->alice = steal(ALICE, "robbed");
	self->bob = steal(BOB, "robbed");
	ASSERT_EQ(0, memcmp(self->alice.public, &self->b.eid[ALICE], KEY));
	self->wire = observe();
}

FIXTURE_TEARDOWN(thief)
{
	close(self->wire);
	remove_hosts(&self->b);
}

/* Neither key, nor both, open anything that was said: one ephemeral key is missing. */
TEST_F_TIMEOUT(thief, traffic, 60)
{
	const uint8_t *guesses[] = { nobody, self->alice.private, self->bob.private };

	const struct observed *first, *second;

	ASSERT_TRUE(converse(&self->b, self->wire, true));
	ASSERT_TRUE(handshake(0, &first, &second));
	EXPECT_LT(WORDS, count_data(get32(first->data + 4)));
	EXPECT_LT(WORDS, count_data(get32(second->data + 4)));
	EXPECT_FALSE(knows("ping", 4));
	ASSERT_LE(2, count_handshakes());
	for (unsigned int nth = 0; nth < count_handshakes(); nth++)
		for (int i = 0; i < 3; i++)
			EXPECT_EQ(0, count_readable(nth, &self->alice, &self->bob, guesses[i]));
}

/* The responder's key opens INITIATE: who called, and which service. */
TEST_F_TIMEOUT(thief, responders_key, 60)
{
	const struct observed *first, *second;
	uint8_t plain[INITIATE_PAYLOAD];
	struct handshake hs = { };
	struct payload p;

	ASSERT_TRUE(converse(&self->b, self->wire, false));
	ASSERT_TRUE(handshake(0, &first, &second));
	ASSERT_TRUE(initiate_read(&hs, first->data, &self->bob, plain));
	EXPECT_EQ(0, memcmp(hs.remote_static, self->alice.public, KEY));
	ASSERT_TRUE(initiate_payload_read(plain, hs.remote_index, &p));
	EXPECT_TRUE(p.has_request);
	EXPECT_STREQ("at bob", p.service);
	EXPECT_STREQ("test 1", p.protocol);
	/* and without the key nothing of it shows */
	EXPECT_FALSE(knows(self->alice.public, KEY));
	EXPECT_FALSE(knows("at bob", 6));
}

/* A host that hides services does not say their names even to this thief. */
TEST_F_TIMEOUT(thief, hidden_services, 60)
{
	const struct observed *first, *second;
	uint8_t plain[INITIATE_PAYLOAD];
	struct handshake hs = { };
	struct payload p;

	change_host(ALICE, "robbed", SSS_A_HOST_FLAGS, SSS_HOST_F_HIDE_SERVICES);
	ASSERT_TRUE(converse(&self->b, self->wire, false));
	ASSERT_TRUE(handshake(0, &first, &second));
	ASSERT_TRUE(initiate_read(&hs, first->data, &self->bob, plain));
	ASSERT_TRUE(initiate_payload_read(plain, hs.remote_index, &p));
	EXPECT_FALSE(p.has_request);
	EXPECT_EQ(NULL, memmem(plain, sizeof(plain), "at bob", 6));
	EXPECT_EQ(NULL, memmem(plain, sizeof(plain), "test 1", 6));
	EXPECT_EQ(0, memcmp(hs.remote_static, self->alice.public, KEY));
}

/* The initiator's key alone opens nothing, not even her own name. */
TEST_F_TIMEOUT(thief, initiators_key, 60)
{
	struct identity half = self->alice;
	const struct observed *first, *second;
	uint8_t plain[INITIATE_PAYLOAD];
	struct handshake hs = { };

	ASSERT_TRUE(converse(&self->b, self->wire, false));
	ASSERT_TRUE(handshake(0, &first, &second));
	/* he knows whom she called, too */
	memcpy(half.public, self->bob.public, KEY);
	EXPECT_FALSE(initiate_read(&hs, first->data, &half, plain));
	EXPECT_EQ(0, count_readable(0, &self->alice, &half, nobody));
}

/* Who knows an EID recognises by mac1 who is called, and who is answered. */
TEST_F_TIMEOUT(thief, mac1, 60)
{
	const struct observed *first, *second;

	ASSERT_TRUE(converse(&self->b, self->wire, false));
	ASSERT_TRUE(handshake(0, &first, &second));
	EXPECT_TRUE(mac1_check(first->data, first->len, self->bob.public));
	EXPECT_FALSE(mac1_check(first->data, first->len, self->alice.public));
	EXPECT_TRUE(mac1_check(second->data, second->len, self->alice.public));
	EXPECT_FALSE(mac1_check(second->data, second->len, self->bob.public));
}

/* The masked numbers of alice's packets to @index, in order */
static unsigned int numbers(uint32_t index, uint32_t *to)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < rec.n; i++)
		if (rec.packet[i].left && rec.packet[i].data[0] == TYPE_DATA &&
		    get32(rec.packet[i].data + 4) == index)
			to[n++] = get32(rec.packet[i].data) & 0xffffff;
	return n;
}

/*
 * Of packet numbers the mask hides where they stand, and that they go on under
 * the next keys. It does not hide that packets of one key follow each other: the
 * mask drops out of two of them.
 */
TEST_F_TIMEOUT(thief, masked_numbers, 60)
{
	static uint32_t of[2][RECORDED];
	const struct observed *first, *second;
	unsigned int n[2], next = 0, plain = 0;

	ASSERT_TRUE(converse(&self->b, self->wire, true));
	ASSERT_LE(2, count_handshakes());
	for (int key = 0; key < 2; key++) {
		handshake(key ? count_handshakes() - 1 : 0, &first, &second);
		n[key] = numbers(get32(second->data + 4), of[key]);
		ASSERT_LT(WORDS, n[key]);
	}
	for (unsigned int i = 1; i < n[0]; i++) {
		uint32_t both = of[0][i] ^ of[0][i - 1];

		plain += of[0][i] == of[0][i - 1] + 1;
		next += !(both & (both + 1));
	}
	/* they do not run in sequence as they are ... */
	EXPECT_GT(n[0] - 1, plain);
	/* ... but x ^ (x + 1) is 1, 3, 7, ...; one was left out here and there */
	EXPECT_LE(n[0] - 1 - 4, next);
	/* The masks of two keys have nothing to do with each other: once in 4096 runs
	 * their upper halves are alike by chance.
	 */
	EXPECT_NE(0, (of[0][n[0] - 1] ^ of[1][0]) >> 12);
}

/*
 * Who gets hold of everything of one handshake reads what was said under its keys,
 * and nothing that was said before or after. (That he reads that much is the
 * proof that the thief of the tests above knows his trade.)
 */
TEST_F_TIMEOUT(thief, forward_secrecy, 60)
{
	static struct link l;
	struct identity bob = steal(BOB, host_names[V4]);
	uint8_t plain[INITIATE_PAYLOAD], ephemeral[2][KEY], ping[1] = { PING };
	const struct observed *first, *second;
	struct handshake hs = { };
	struct payload said;
	uint32_t index[2];

	rec.n = 0;
	ASSERT_TRUE(link_to_bob(&l));
	for (int i = 0; i < WORDS; i++)
		ASSERT_TRUE(link_send(&l, ping, 1) && link_settled(&l, PATIENCE));
	memcpy(ephemeral[0], l.ephemeral, KEY);
	index[0] = l.current->remote_index;
	record(self->wire);
	ASSERT_TRUE(handshake(0, &first, &second));
	ASSERT_TRUE(initiate_read(&hs, first->data, &bob, plain));
	ASSERT_TRUE(initiate_payload_read(plain, hs.remote_index, &said));

	ASSERT_TRUE(link_call(&l));
	for (int i = 0; i < WORDS; i++)
		ASSERT_TRUE(link_send(&l, ping, 1) && link_settled(&l, PATIENCE));
	memcpy(ephemeral[1], l.ephemeral, KEY);
	index[1] = l.current->remote_index;
	record(self->wire);
	ASSERT_NE(index[0], index[1]);
	ASSERT_TRUE(observed_all(self->wire));

	for (unsigned int key = 0; key < 2; key++) {
		unsigned int all;

		ASSERT_TRUE(handshake(key, &first, &second));
		all = count_data(index[key]) + count_data(get32(first->data + 4));
		EXPECT_LE(2 * WORDS, all);
		EXPECT_EQ(all, count_readable(key, &l.own, &bob, ephemeral[key]));
		EXPECT_EQ(0, count_readable(key, &l.own, &bob, ephemeral[!key]));
		EXPECT_EQ(0, count_readable(key, &l.own, &bob, nobody));
	}
	hang_up(&l);
}

TEST_HARNESS_MAIN
