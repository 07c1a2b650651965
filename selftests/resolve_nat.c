// SPDX-License-Identifier: GPL-2.0
/*
 * Hole punching, as far as the kernel does it: alice and bob are each behind a NAT
 * that lets in only who was called from inside, at the very port. Both are told
 * where the other one is seen, and the INITIATEs that both send open the way.
 *
 *   alice 10.7.0.1 - .2 NAT 10.6.0.1 - 10.6.0.2 NAT 10.5.0.2 - .1 bob
 */
#include "kselftest_harness.h"
#include "helper.h"

#define SEEN_ALICE	"10.6.0.1"
#define SEEN_BOB	"10.6.0.2"

FIXTURE(nat) {
	struct both b;
	struct helper h[2];
	char name[16];
	int listener;
};

/* Nobody comes in unasked; what is not let in leaves no trace in the NAT, either. */
static void make_nat(int fd)
{
	shell_at(fd, "sysctl -qw net.ipv4.ip_forward=1");
	shell_at(fd, "nft 'table ip nat { chain out { type nat hook postrouting priority 100; "
		 "oifname street masquerade; }; "
		 "chain in { type filter hook input priority 0; iifname street drop; }; "
		 "chain through { type filter hook forward priority 0; "
		 "iifname street ct state new drop; }; }'");
}

/* Once for all tests, of which each has ports that the NATs have not seen yet */
static void __attribute__((constructor)) make_nats(void)
{
	int nat[2], who;

	for (who = ALICE; who <= BOB; who++) {
		nat[who] = new_namespace();
		set_sysctl(who, "announce_endpoints", "0");
		shell_in(who, "ip link set wire down");
	}
	lay_cable("inner", ns[ALICE], nat[ALICE], 7);
	lay_cable("inner", ns[BOB], nat[BOB], 5);
	lay_cable("street", nat[ALICE], nat[BOB], 6);
	shell_in(ALICE, "ip route add default via 10.7.0.2");
	shell_in(BOB, "ip route add default via 10.5.0.2");
	make_nat(nat[ALICE]);
	make_nat(nat[BOB]);
}

FIXTURE_SETUP(nat)
{
	int who;

	for (who = ALICE; who <= BOB; who++)
		helper_open(&self->h[who], who);
	snprintf(self->name, sizeof(self->name), "inside%d", getpid() % 10000);
	make_strangers(&self->b, self->name, 10000 + getpid() % 10000);
	self->listener = listen_as(&self->b, BOB);
	ASSERT_LE(0, self->listener);
}

FIXTURE_TEARDOWN(nat)
{
	int who;

	close(self->listener);
	remove_hosts(&self->b);
	for (who = ALICE; who <= BOB; who++)
		helper_close(&self->h[who]);
	set_sysctl(ALICE, "connect_timeout_ms", "30000");
}

/* One is told, and the other one's NAT lets nobody in. */
TEST_F_TIMEOUT(nat, one_is_told, 60)
{
	struct question q;
	pid_t pid;

	set_sysctl(ALICE, "connect_timeout_ms", "1500");
	pid = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(helper_hear(&self->h[ALICE], PATIENCE, &q));
	EXPECT_EQ(0, answer_at(&self->h[ALICE], self->name, &self->b.eid[BOB], SEEN_BOB,
			       self->b.port));
	EXPECT_EQ(ETIMEDOUT, result_of(pid));
}

/* Both are told; in either order, and with what does not answer beside. */
static void punch(struct __test_metadata *_metadata, FIXTURE_DATA(nat) *self, int first)
{
	static const char *const at_bob[] = { "10.5.0.1", SEEN_BOB };
	static const char *const at_alice[] = { "10.7.0.1", SEEN_ALICE };
	struct question q;
	int order[2] = { first, !first }, i;
	pid_t pid;

	pid = dial_apart(&self->b, ALICE);
	ASSERT_TRUE(helper_hear(&self->h[ALICE], PATIENCE, &q));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, answer(&self->h[order[i]], self->name, &self->b.eid[!order[i]], 2,
				    order[i] == ALICE ? at_bob : at_alice, self->b.port));
	EXPECT_EQ(0, result_of(pid));
}

TEST_F_TIMEOUT(nat, caller_is_told_first, 60)
{
	punch(_metadata, self, ALICE);
}

TEST_F_TIMEOUT(nat, callee_is_told_first, 60)
{
	punch(_metadata, self, BOB);
}

TEST_HARNESS_MAIN
