/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer in userspace, on the handshake of ../noise and like it written from
 * Documentation/protocol.rst alone. One channel on one UDP socket, one stream
 * whose data are kept; whatever else is wanted, a test sends as bytes.
 */
#ifndef LINK_H
#define LINK_H

#include "../noise/peer.h"

enum {
	PADDING, PING, ACK, ACK_ECN, INIT, SERVICE_REPLY, RESET, STOP, WINDOW,
	CHANNEL_WINDOW, MAX_STREAMS, DATAGRAM, DATAGRAM_DROP, PRIORITY,
	PATH_CHALLENGE, PATH_RESPONSE,
	STREAM = 0x10, ENDPOINTS = 0x18, CLOSE = 0x19,
};

enum { FIN = 1, LEN = 2, MARK = 4 };

enum {
	FRAMES_MAX = 1176,	/* in the 1200 bytes that arrive on every path */
	SLOTS = 16,		/* packets under way that are sent again if lost */
	WINDOW_SIZE = 65536,
	IN_MAX = 1 << 18,
};

/* A frame that was taken apart; fields in the order of the document */
struct frame {
	uint8_t type;
	uint64_t field[5];
	const uint8_t *data;	/* of STREAM, DATAGRAM; last text; ranges of ACK; ENDPOINTS */
	size_t len;
};

struct slot {
	uint64_t number;
	long long sent_ms;
	size_t len;		/* 0: free */
	uint8_t frames[FRAMES_MAX];
};

struct link {
	int fd;
	struct identity own;
	struct session session;
	uint32_t local_index, remote_index;
	struct payload remote;		/* what RESPOND said */
	uint64_t next, expected;
	struct slot slot[SLOTS];
	bool silent;			/* acknowledges nothing */
	bool deaf;			/* answers no PATH_CHALLENGE */

	uint64_t id;			/* the stream whose data are kept */
	uint64_t window;		/* how much of it may be sent */
	uint8_t in[IN_MAX];
	size_t got;
	bool fin;

	/* what came last of each, -1 if nothing */
	long long reply, reset, stop, path, close_code, close_frame;
	unsigned int opened, drops;
	uint64_t newest;		/* number of the last packet received */
	size_t newest_len;		/* its bytes */
	bool newest_wants;		/* it wanted to be acknowledged */
	unsigned int challenges;	/* PATH_CHALLENGEs received */
	unsigned int lists;		/* ENDPOINTS received */
	uint8_t list[256];		/* the last one, without its type */
	uint8_t ephemeral[KEY];		/* of the handshake, private */
};

/* frame.c; the put functions return how many bytes they wrote */
bool frame_get(struct frame *f, const uint8_t **at, const uint8_t *end);
size_t put_numbers(uint8_t *to, uint8_t type, int count, ...);
size_t put_init(uint8_t *to, uint64_t id, const char *service, const char *protocol);
size_t put_child(uint8_t *to, uint64_t id, uint64_t parent);
size_t put_stream(uint8_t *to, uint64_t id, uint64_t offset, int flags, const void *data,
		  size_t len);
size_t put_close(uint8_t *to, uint64_t code);

/* link.c */
bool link_open(struct link *l, int fd, const uint8_t remote[KEY]);
void link_send_once(struct link *l, const uint8_t *frames, size_t len);
bool link_send(struct link *l, const uint8_t *frames, size_t len);
bool link_step(struct link *l, int ms);
bool link_settled(struct link *l, int ms);
long long link_now(void);

/* Steps until @condition, @ms at most; evaluates to whether it holds. */
#define link_until(l, ms, condition) ({					\
	long long until_ = link_now() + (ms);				\
									\
	while (!(condition) && link_now() < until_)			\
		link_step(l, 50);					\
	!!(condition);							\
})

#endif /* LINK_H */
