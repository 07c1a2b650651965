/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Table of the random 32-bit indices by which received packets name a key
 * pair or a handshake. One RCU hash per module; every lookup says on whose
 * behalf it is made, so that one host never sees another's entries.
 *
 * Responder: sss_index_reserve() for the index that RESPOND carries, fill the
 * key pair, sss_index_publish(). Initiator: reserve and publish the pending
 * handshake; when RESPOND came, sss_index_replace() it by the key pair.
 */
#ifndef _SSS_CRYPTO_INDEX_H
#define _SSS_CRYPTO_INDEX_H

#include <linux/types.h>
#include <linux/list.h>

enum sss_index_type {
	SSS_INDEX_RESERVED,		/* not looked up yet */
	SSS_INDEX_HANDSHAKE,		/* member of a pending initiation */
	SSS_INDEX_KEYPAIR,		/* struct sss_keypair.entry */
};

/**
 * struct sss_index_entry - embedded in what an index stands for
 * @node: in the table; unhashed: not published
 * @index: random, unique in the table; never 0
 * @type: which struct contains this one
 * @host: namespace of the lookup (an address, only ever compared)
 *
 * The containing object is freed after an RCU grace period counted from
 * sss_index_remove(), and is never inserted twice.
 */
struct sss_index_entry {
	struct hlist_node node;
	u32 index;
	enum sss_index_type type;
	const void *host;
};

u32 sss_index_reserve(struct sss_index_entry *entry, const void *host);
void sss_index_publish(struct sss_index_entry *entry, enum sss_index_type type);
bool sss_index_replace(struct sss_index_entry *old, struct sss_index_entry *entry,
		       enum sss_index_type type);
void sss_index_remove(struct sss_index_entry *entry);
struct sss_index_entry *sss_index_lookup(const void *host, u32 index);

#endif /* _SSS_CRYPTO_INDEX_H */
