/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * sss-netlink agent: finds peers for the kernel, and makes this machine's hosts be
 * found. One thread, one loop:
 *
 *	kernel.c	questions of the kernel ("resolve"), and answers to it
 *	resolve.c	what is done about a question
 *	session.c	a stream of one host to one registration server
 *	local.c		hints on the local link
 *	cache.c		what was learnt of peers, kept in a file
 *	address.c	this machine's addresses, by rtnetlink
 *	show.c		"agent show", "agent peers"
 *
 * Nothing here decides who a peer is: endpoints are hints, and the kernel believes
 * whoever proves to have the EID's key.
 */
#ifndef SSS_AGENT_H
#define SSS_AGENT_H

#include <time.h>
#include <common/clock.h>
#include <common/conf.h>
#include <common/endpoint.h>
#include <common/log.h>
#include <common/loop.h>
#include <regclient/regclient.h>
#include "../sss-netlink/sss-netlink.h"

#define AGENT_ENDPOINTS	SSS_PEER_ENDPOINTS_MAX
#define AGENT_RELAYS	1	/* of one server's answer */

/* Where a peer may be, the best first, and through whom; eight of both together count */
struct candidates {
	unsigned int n, n_relays;
	union endpoint_addr addr[AGENT_ENDPOINTS];
	struct sss_relay relays[AGENT_RELAYS];
};

/**
 * struct identity - a host of the settings
 * @conf: its section
 * @eid, @port: as the kernel has them
 * @present: the kernel has it
 * @called: programs listen on it, so it has to be reachable
 */
struct identity {
	const struct conf_host *conf;
	struct sss_eid eid;
	uint16_t port;
	bool present;
	bool called;
};

struct agent {
	struct conf conf;
	const char *file;
	unsigned int n_identities;
	struct identity *identities;
	uint64_t now;		/* ms, monotonic, of this round */
	bool stopping, reloading;
};

extern struct agent agent;

/* A moment up to as far again as half of ms from now: so that not all come at once */
uint64_t agent_jitter(uint64_t ms);
/* NULL: no host of the settings that is there */
struct identity *agent_find(const struct sss_eid *eid);

/* Adds an endpoint if it can be a peer's, is not there yet, and there is room */
void candidates_add(struct candidates *to, const union endpoint_addr *addr);
void candidates_add_record(struct candidates *to, const struct reg_endpoint *ep);

/* kernel.c; kernel_open() dies */
void kernel_open(void);
/* Which hosts are there, with their ports, and which are listened on */
void kernel_read_hosts(void);
void kernel_read_services(void);
/* Where a peer may be; what the kernel refuses of it is left out */
void kernel_tell(const struct identity *self, const struct sss_eid *peer,
		 const struct candidates *where);
void kernel_tell_error(const struct identity *self, const struct sss_eid *peer, int err);

/* resolve.c */
void resolve_question(struct identity *self, const struct sss_eid *peer);
/* Somebody said where a peer is, asked or not; how: for the log */
void resolve_found(struct identity *self, const struct sss_eid *peer,
		   const struct candidates *where, const char *how);
/* One of those asked knows nothing (err), or will not say */
void resolve_nothing(const struct identity *self, const struct sss_eid *peer, int err);
/* The peer does not want to be found: EACCES, unless something is found all the same */
void resolve_refused(const struct identity *self, const struct sss_eid *peer);
/* Does a question about it wait? With @self NULL, of any host */
bool resolve_wanted(const struct identity *self, const struct sss_eid *peer);
void resolve_each(void (*call)(struct identity *self, const struct sss_eid *peer, void *data),
		  void *data);
/* What is due; when to come again, ms */
uint64_t resolve_tick(void);
void resolve_forget(void);

/* session.c */
void sessions_open(void);
void sessions_close(void);
/* Addresses are others: all register again; those without a stream try at once */
void sessions_moved(bool addresses);
/* How many servers of that host can be asked */
unsigned int sessions_ask(struct identity *self, const struct sss_eid *peer);
/* And does it, when the question is ready for answers */
void sessions_send(struct identity *self, const struct sss_eid *peer);
/* The configured endpoints of a server; whether it is one */
bool sessions_server(const struct sss_eid *peer, struct candidates *where);
uint64_t sessions_tick(void);
/*
 * Has entries taken away that the settings to come do not ask for, NULL: all, and waits a
 * little for the servers to say so
 */
void sessions_remove_entries(const struct conf *fresh);

/* local.c */
void local_open(void);
void local_close(void);
/* Asks for a peer on the link; whether that can be done */
bool local_ask(const struct sss_eid *peer);
/* What was heard before */
void local_find(const struct sss_eid *peer, struct candidates *where);
void local_moved(void);

/* show.c: what can be told of an agent from outside */
int agent_show(struct args *args);
int agent_show_peers(struct args *args);

/* cache.c; cache_open() makes the folder, cache_read() returns -1 with errno: not to be read */
void cache_open(const char *folder);
int cache_read(const char *folder);
void cache_each(void (*call)(const struct sss_eid *eid, time_t when,
			     const struct reg_endpoint *eps, unsigned int n));
void cache_add(const struct sss_eid *peer, const struct candidates *where);
void cache_find(const struct sss_eid *peer, struct candidates *where);
uint64_t cache_tick(void);
void cache_close(void);

/* address.c */
void address_open(void);
/* This machine's addresses for a host, to be told to others; how many */
unsigned int address_own(const struct identity *self, struct reg_endpoint *eps);
/* Is it an address of ours with the port of one of the hosts? */
bool address_is_own(const union endpoint_addr *addr);
/* Calls for each interface on which hints are sent */
void address_each_link(void (*call)(unsigned int index, void *data), void *data);
uint64_t address_tick(void);

#endif /* SSS_AGENT_H */
