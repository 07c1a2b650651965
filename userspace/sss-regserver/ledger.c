// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include "ledger.h"

#define BUCKETS 32768

static struct account **buckets;
static unsigned char hash_key[crypto_shorthash_KEYBYTES];
/* Accounts without streams, used last first */
static struct account *newest_idle, *oldest_idle;
static unsigned int n_idle;

int ledger_open(void)
{
	if (sodium_init() < 0)
		return -1;
	randombytes_buf(hash_key, sizeof(hash_key));
	buckets = calloc(BUCKETS, sizeof(*buckets));
	return buckets ? 0 : -1;
}

/* Keyed, since who asks chooses what is hashed */
static struct account **bucket_of(const uint8_t *key, size_t len)
{
	unsigned char hash[crypto_shorthash_BYTES];
	uint32_t n;

	crypto_shorthash(hash, key, len, hash_key);
	memcpy(&n, hash, sizeof(n));
	return &buckets[n % BUCKETS];
}

static void idle_add(struct account *account)
{
	account->newer = NULL;
	account->older = newest_idle;
	if (newest_idle)
		newest_idle->newer = account;
	else
		oldest_idle = account;
	newest_idle = account;
	n_idle++;
}

static void idle_remove(struct account *account)
{
	if (account->newer)
		account->newer->older = account->older;
	else
		newest_idle = account->older;
	if (account->older)
		account->older->newer = account->newer;
	else
		oldest_idle = account->newer;
	n_idle--;
}

static void forget(struct account *account)
{
	struct account **p = bucket_of(account->key, account->key_len);

	while (*p != account)
		p = &(*p)->next;
	*p = account->next;
	idle_remove(account);
	free(account);
}

static struct account *open_account(struct account **bucket, const uint8_t *key, size_t len)
{
	struct account *account;

	if (n_idle >= LEDGER_IDLE)
		forget(oldest_idle);
	account = calloc(1, sizeof(*account));
	if (!account)
		return NULL;
	memcpy(account->key, key, len);
	account->key_len = len;
	account->next = *bucket;
	*bucket = account;
	idle_add(account);
	return account;
}

struct account *ledger_account(enum ledger_kind kind, const void *key, size_t len)
{
	uint8_t full[LEDGER_KEY] = { kind };
	struct account *account, **bucket;

	memcpy(full + 1, key, len);
	bucket = bucket_of(full, len + 1);
	for (account = *bucket; account; account = account->next) {
		if (account->key_len != len + 1 || memcmp(account->key, full, len + 1))
			continue;
		if (!account->streams) {
			idle_remove(account);
			idle_add(account);
		}
		return account;
	}
	return open_account(bucket, full, len + 1);
}

void ledger_hold(struct account *account)
{
	if (!account->streams++)
		idle_remove(account);
}

void ledger_drop(struct account *account)
{
	if (--account->streams)
		return;
	idle_add(account);
	if (n_idle > LEDGER_IDLE)
		forget(oldest_idle);
}

uint32_t ledger_wait(struct account *account, unsigned int cost, unsigned int rate,
		     unsigned int burst, uint64_t now)
{
	uint64_t most = 1000ULL * burst, need = 1000ULL * cost;

	if (!account->begun) {
		account->begun = true;
		account->points = most;
	} else if (now > account->when) {
		/* Points a second are thousandths in a millisecond */
		account->points += (now - account->when) * rate;
	}
	account->when = now;
	if (account->points > most)
		account->points = most;
	if (account->points >= need)
		return 0;
	return (need - account->points + rate - 1) / rate;
}

void ledger_pay(struct account *account, unsigned int cost)
{
	account->points -= 1000ULL * cost;
}

void ledger_close(void)
{
	unsigned int i;
	struct account *account;

	for (i = 0; buckets && i < BUCKETS; i++) {
		while ((account = buckets[i])) {
			buckets[i] = account->next;
			free(account);
		}
	}
	free(buckets);
	buckets = NULL;
	newest_idle = oldest_idle = NULL;
	n_idle = 0;
}
