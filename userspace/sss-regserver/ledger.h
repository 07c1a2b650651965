/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Accounts of EIDs and address prefixes: how many streams they have, and how
 * much they may still ask. An account without streams is forgotten when
 * LEDGER_IDLE others were used since, so strangers cannot make it grow.
 */
#ifndef REGSERVER_LEDGER_H
#define REGSERVER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_IDLE	65536
#define LEDGER_KEY	33

enum ledger_kind { LEDGER_EID = 'e', LEDGER_PREFIX = 'p', LEDGER_NOTICES = 'n',
		   LEDGER_RELAY = 'r' };

struct stream;

struct account {
	struct account *next;			/* of its bucket */
	struct account *newer, *older;		/* while it has no streams */
	uint8_t key[LEDGER_KEY];
	uint8_t key_len;
	bool begun;
	unsigned int streams;
	struct stream *newest;			/* an EID's */
	uint64_t points;			/* thousandths */
	uint64_t when;				/* ms */
};

int ledger_open(void);
void ledger_close(void);

/**
 * ledger_account() - find or open an account
 * @kind: whose
 * @key: up to 32 bytes
 * @len: how many
 *
 * Return: the account, good until the next call unless it is held; NULL: no memory.
 */
struct account *ledger_account(enum ledger_kind kind, const void *key, size_t len);

/* One stream more, one less */
void ledger_hold(struct account *account);
void ledger_drop(struct account *account);

/**
 * ledger_wait() - how long until it can pay?
 * @account: the account
 * @cost: points
 * @rate: points it gets in a second
 * @burst: most it can have, not less than @cost
 * @now: ms, of a clock that does not jump
 *
 * Return: ms; 0: now.
 */
uint32_t ledger_wait(struct account *account, unsigned int cost, unsigned int rate,
		     unsigned int burst, uint64_t now);

/* Takes the points, after ledger_wait() */
void ledger_pay(struct account *account, unsigned int cost);

#endif /* REGSERVER_LEDGER_H */
