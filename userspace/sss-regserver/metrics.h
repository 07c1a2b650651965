/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What happened so far, and an endpoint that tells it to Prometheus */
#ifndef REGSERVER_METRICS_H
#define REGSERVER_METRICS_H

#include <stdint.h>
#include <regclient/record.h>

#define METRICS_BUCKETS 6

struct metrics {
	uint64_t requests[REG_OPS][REG_STATUSES];	/* op 0: could not be read */
	uint64_t streams_accepted;
	uint64_t streams_refused;
	uint64_t streams_reset;
	uint64_t streams;		/* now */
	uint64_t notices_local;
	uint64_t notices_mailed;
	uint64_t notices_received;
	uint64_t notices_dropped;
	uint64_t store_failures;
	uint64_t relay_sessions;	/* now */
	uint64_t relay_packets;
	uint64_t relay_bytes;
	uint64_t relay_dropped;		/* too much, or the other end has not come yet */
	uint64_t relay_refused;		/* of no session, or not from where it is */
	uint64_t expired;
	uint64_t seconds_buckets[METRICS_BUCKETS + 1];	/* of requests, by how long they took */
	uint64_t microseconds;
};

extern struct metrics metrics;

/* One request's duration */
void metrics_took(uint64_t us);

/**
 * metrics_open() - listen for scrapes
 * @where: ADDRESS:PORT or unix:/PATH
 * @entries: called for the number of entries; returns -1 if it is not known
 *
 * Return: 0; -1 with errno.
 */
int metrics_open(const char *where, int64_t (*entries)(void));
void metrics_close(void);
/* Ends those who take too long; now is in ms */
void metrics_tick(uint64_t now);

#endif /* REGSERVER_METRICS_H */
