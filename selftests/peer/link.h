/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer in userspace, on the handshake of ../noise and like it written from
 * Documentation/protocol.rst alone. One channel on one UDP socket, one stream
 * whose data are kept; whatever else is wanted, a test sends as bytes.
 *
 * link_open() calls the module and has a channel then; link_step() goes on with
 * it, and answers the module's own INITIATEs if told so. A test that wants to
 * say itself when what is sent and read makes messages with link_initiate(),
 * link_answer() and link_complete() and moves the packets between.
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
	PACKET_MAX = 1200,
	WINDOW_SIZE = 65536,
	IN_MAX = 1 << 18,
	PAIRS = 8,
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

/* Keys of one handshake. Events are numbered: 0, it has not happened. */
struct pair {
	bool used, ours;		/* we sent the INITIATE */
	struct session session;
	uint32_t local_index, remote_index;
	uint64_t lowest;		/* next packet number that the other side stated */
	uint64_t started;		/* ours: INITIATE was made */
	uint64_t added;			/* RESPOND was made, or came */
	uint64_t confirmed;
	uint64_t incarnation, known;	/* of the state it belongs to */
};

struct link {
	int fd;
	struct identity own;
	uint8_t remote_eid[KEY];
	uint64_t incarnation, known;	/* ours, and the peer's: 0, not yet */
	struct pair pair[PAIRS];
	struct pair *current;		/* sent under */
	struct pair *under;		/* the last packet that came */
	uint64_t events;
	unsigned int restarts;		/* the peer had lost its state */
	bool answers;			/* INITIATEs, as they come */
	bool misremembers;		/* whom it answers */

	struct handshake hs;		/* our INITIATE under way */
	uint64_t started;		/* 0: none is */
	uint8_t stamp[12];
	uint8_t answered[INITIATE_LEN];	/* the last INITIATE, */
	uint8_t answer[RESPOND_LEN];	/* and our RESPOND to it */
	struct payload remote;		/* what the last RESPOND said */
	struct payload asked;		/* and the last INITIATE */
	uint64_t next, expected;
	struct slot slot[SLOTS];
	bool silent;			/* acknowledges nothing */
	bool deaf;			/* answers no PATH_CHALLENGE */
	bool counts;			/* says in ACKs how many packets came marked: */
	uint64_t marked;

	uint64_t id;			/* the stream whose data are kept */
	uint64_t window;		/* how much of it may be sent */
	uint8_t in[IN_MAX];
	size_t got;
	bool fin;

	/* what came last of each, -1 if nothing */
	long long reply, reset, stop, path, close_code, close_frame;
	unsigned int opened, drops;
	uint64_t opened_id;		/* of the last INIT */
	uint64_t oldest;		/* number of the first packet received, 0: none was */
	uint64_t newest;		/* and of the last */
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
size_t put_reply(uint8_t *to, uint64_t id, uint8_t status);
size_t put_close(uint8_t *to, uint64_t code);

/* shake.c: handshakes; nothing is sent here */
void link_prepare(struct link *l, int fd, const uint8_t remote[KEY], bool smaller);
void link_forget(struct link *l);
void link_next_stamp(uint8_t stamp[12]);
bool link_initiate(struct link *l, uint8_t msg[INITIATE_LEN]);
bool link_answer(struct link *l, const uint8_t initiate[INITIATE_LEN],
		 uint8_t respond[RESPOND_LEN]);
bool link_complete(struct link *l, const uint8_t respond[RESPOND_LEN]);
bool link_confirm(struct link *l, struct pair *pair);
struct pair *link_pair(struct link *l, uint32_t index);

/* link.c */
size_t link_receive(const struct link *l, uint8_t *to, size_t max, int ms);
size_t link_seal(struct link *l, uint8_t *packet, const uint8_t *frames, size_t len);
bool link_take(struct link *l, const uint8_t *packet, size_t len);
bool link_call(struct link *l);
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
