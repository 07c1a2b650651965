/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls that are nothing but messages: made, answered and confirmed one by one,
 * from whatever socket a test likes.
 */
#ifndef PEER_DIAL_H
#define PEER_DIAL_H

#include <sodium.h>
#include <string.h>
#include "link.h"

struct dial {
	struct identity own;
	struct handshake hs;
	struct session session;
	uint32_t local_index, remote_index;
	uint64_t next;
	uint64_t lowest;		/* what the other side numbers from */
	uint8_t stamp[12];		/* of @initiate */
	uint8_t initiate[INITIATE_LEN];
};

/* An INITIATE of @d->own, newer than any before */
static inline bool dial_again(struct dial *d, const uint8_t remote[KEY])
{
	struct payload p = {
		.param = { 0, 65536, 1 << 24, 262144, 4096, 1 << 24, 1 << 20, 5000, 60000,
			   65507, 1 },
	};
	uint8_t plain[INITIATE_PAYLOAD];

	link_next_stamp(d->stamp);
	memcpy(p.stamp, d->stamp, sizeof(p.stamp));
	randombytes_buf(&p.incarnation, 7);
	p.incarnation |= 1;
	d->local_index = randombytes_random() | 1;
	randombytes_buf(d->hs.ephemeral, KEY);
	initiate_payload_write(plain, d->local_index, &p);
	return initiate_write(&d->hs, d->initiate, &d->own, remote, plain, d->local_index);
}

/* An INITIATE of somebody nobody knows */
static inline bool dial_make(struct dial *d, const uint8_t remote[KEY])
{
	uint8_t private[KEY];

	memset(d, 0, sizeof(*d));
	randombytes_buf(private, KEY);
	identity_from(&d->own, private);
	return dial_again(d, remote);
}

/* RESPOND came: there are keys. */
static inline bool dial_answered(struct dial *d, const uint8_t *respond)
{
	uint8_t plain[RESPOND_PAYLOAD];
	struct payload p;

	if (!respond_read(&d->hs, respond, &d->own, plain, &d->session) ||
	    !respond_payload_read(plain, get32(respond + 4), &p))
		return false;
	d->remote_index = get32(respond + 4);
	d->lowest = p.next_number;
	return true;
}

/* A data packet; returns its length. @len: at most FRAMES_MAX */
static inline size_t dial_seal(struct dial *d, uint8_t *packet, const uint8_t *frames, size_t len)
{
	uint8_t plain[FRAMES_MAX + 9] = { };
	size_t pad = len < 9 ? 9 - len : 0;

	memcpy(plain + pad, frames, len);
	data_seal(packet, plain, pad + len, d->remote_index, d->next++, &d->session);
	return 8 + pad + len + TAG;
}

#endif /* PEER_DIAL_H */
