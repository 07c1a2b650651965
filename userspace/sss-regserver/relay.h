/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The relay (protocol.rst, "Relay"): packets of two hosts that were introduced
 * and cannot reach each other. Each of them knows this server's UDP port and a
 * number, its *session*, by which its packets are known here; what it sends under
 * that goes to the other one, under the other one's. The packets are sealed: there
 * is nothing in them that could be read here.
 */
#ifndef REGSERVER_RELAY_H
#define REGSERVER_RELAY_H

#include <stdbool.h>
#include <regclient/record.h>

/**
 * struct relay_end - one of two
 * @eid: whose
 * @seen: where it was last seen: packets count that come from that address
 * @session: result
 */
struct relay_end {
	struct sss_eid eid;
	struct reg_endpoint seen;
	uint8_t session[REG_SESSION];
};

/**
 * relay_open() - listen on the port that the settings name; 0: there is no relay
 *
 * Return: 0; -1 with errno.
 */
int relay_open(void);
void relay_close(void);

/**
 * relay_join() - let two ends send to each other
 * @a: one of them
 * @b: the other; two that are joined already stay what they are
 *
 * Return: false: there is no relay, or one of them has as many sessions as it may,
 * or all have.
 */
bool relay_join(struct relay_end *a, struct relay_end *b);

/* Forgets what has not been used for long */
void relay_tick(void);

#endif /* REGSERVER_RELAY_H */
