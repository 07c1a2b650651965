// SPDX-License-Identifier: GPL-2.0
/*
 * Conversations with the module that go wrong. The peer in userspace opens
 * streams and substreams, writes, ends, resets, orders and acknowledges as it
 * may, while programs at the module's end do the same; and now and then a field
 * is at one of its limits, a bit is another one, frames come twice, late, cut
 * off or out of another packet. All of it is authenticated. Whatever the module
 * says to that, it lives, serves others, and in the end keeps nothing.
 *
 *	peer_mutate [seconds [seed]]	seed 0, and without one: random
 *
 * What is sent depends on the seed alone and on what the module sent so far.
 */
#include <sodium.h>
#include "hosts.h"

enum {
	PROGRAMS = 24,		/* sockets at the module's end */
	PACKETS_MOST = 400,	/* in one conversation */
	OWN = 8,		/* streams of ours that go on */
	HISTORY = 32,
	ONE_IN = 12,		/* packets as they should be, to one that is not */
};

struct packet {
	uint8_t frames[FRAMES_MAX];
	size_t len;
};

static struct link l;
static uint64_t state;
static int fd[PROGRAMS];
static uint64_t next_id, sent[OWN], message, oldest;
static bool ended[OWN], plain[OWN];	/* nothing more is to come; a datagram */
static struct packet history[HISTORY], held;
static unsigned int n_history;
static bool wild;			/* this packet is to be wrong */
static bool opens;			/* others need this one */

static struct {
	unsigned long conversations, packets, wild, closed[12];
} count;

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state * 0x2545f4914f6cdd1dULL >> 11) % n;
}

static bool chance(uint64_t one_in)
{
	return !below(one_in);
}

/* A field: as it should be or, in a wild packet, sometimes at a limit */
static uint64_t field(uint64_t right)
{
	static const uint64_t limits[] = {
		0, 1, 2, 7, 8, 63, 64, 255, 256, 16383, 16384, 65535, 65536, 262144, 1048577,
		(1 << 24) - 1, 1 << 24, (1 << 30) - 1, 1 << 30, 1ULL << 32, 1ULL << 61,
		(1ULL << 61) + 1, (1ULL << 62) - 2, (1ULL << 62) - 1,
	};

	if (!wild || !chance(3))
		return right;
	switch (below(4)) {
	case 0:
		return right + 1;
	case 1:
		return right ? right - 1 : 0;
	default:
		return limits[below(sizeof(limits) / sizeof(*limits))];
	}
}

/* A stream: one of ours, or one that the module has opened */
static uint64_t some_id(void)
{
	return field(l.opened && chance(3) ? 1 : 2 * below(next_id));
}

static size_t put_data(uint8_t *to)
{
	uint64_t n = below(OWN < next_id ? OWN : next_id), at = sent[n];
	size_t len = below(chance(4) ? 900 : 60);
	int flags = (chance(6) && !plain[n] ? MARK : 0) | (chance(60) ? FIN : 0);
	uint8_t data[900];

	if (!wild && (ended[n] || at + sizeof(data) + 500 > WINDOW_SIZE))
		return 0;

	randombytes_buf_deterministic(data, sizeof(data), (uint8_t [32]){ n, at });
	if (wild)
		return put_stream(to, chance(4) ? some_id() : field(2 * n), field(at), flags, data,
				  len);
	if (chance(8) && at > 1000) {
		at -= 1000;		/* some of it once more */
		flags &= ~FIN;
	} else if (chance(10)) {
		at += below(500);	/* a gap */
	}
	if (at + len + 1 > sent[n])
		sent[n] = at + len + !!(flags & MARK);
	ended[n] = flags & FIN;
	return put_stream(to, 2 * n, at, flags, data, len);
}

static size_t put_open(uint8_t *to)
{
	uint64_t id = 2 * next_id;
	size_t len;

	if (next_id > 60 && !wild)
		return 0;
	if (chance(3))
		len = put_init(to, field(id), chance(4) ? "nobody" : "mutate", "test 1");
	else
		len = put_child(to, field(id), field(some_id() + 1));
	if (wild) {
		to[1 + below(len - 1)] ^= chance(2) ? 0x10 : 1 << below(8);
		return len;
	}
	/* a reliable datagram, whose data may come at once */
	if (to[2 + (id > 63)] && chance(4)) {
		to[len - 2] |= 0x10;
		if (next_id < OWN)
			plain[next_id] = true;
	}
	opens = true;
	next_id++;
	return len;
}

static size_t put_datagram(uint8_t *to)
{
	uint64_t total = below(chance(4) ? 3000 : 200), offset = 0;
	size_t head, part;

	if (chance(4) && total)
		offset = below(total);
	part = total - offset;
	head = put_numbers(to, DATAGRAM, 4, some_id(), field(wild && message ?
			   message - below(message) : message++), field(total), field(offset));
	if (part > 700)
		part = 700;
	memset(to + head, 'd', part);
	return head + part;
}

static size_t put_ack_of(uint8_t *to)
{
	uint64_t known = l.newest - oldest, largest = l.newest - (known > 9 ? below(3) : 0);
	uint64_t back = known > 9 ? below(4) : 0, ranges = wild && chance(3) ? below(4) : 0;
	size_t len;

	len = put_numbers(to, chance(4) ? ACK_ECN : ACK, 4, field(largest), field(below(5000)),
			  field(ranges), field(back));
	while (ranges--)
		len += put_numbers(to + len, 0, 2, field(below(3)), field(below(5))) - 1;
	if (to[0] == ACK_ECN)
		len += varint_write(to + len, field(0));
	if (to[0] == ACK_ECN)
		len += varint_write(to + len, field(0));
	if (to[0] == ACK_ECN)
		len += varint_write(to + len, field(0));
	return len;
}

static size_t put_order(uint8_t *to)
{
	size_t len = put_numbers(to, PRIORITY, 2, some_id(), field(below(30)));

	to[len++] = field(below(16));
	to[len++] = field(1 + below(255));
	return len;
}

static size_t put_giving_up(uint8_t *to)
{
	uint64_t n = below(OWN < next_id ? OWN : next_id);
	size_t len;

	if (chance(2))
		return put_numbers(to, STOP, 2, some_id(), field(below(100)));
	ended[n] |= !wild;
	len = put_numbers(to, RESET, 3, field(2 * n), field(below(100)), field(sent[n]));
	to[len++] = field(below(2));
	to[len] = below(20);
	memset(to + len + 1, 'r', to[len]);
	return len + 1 + to[len];
}

static size_t put_where(uint8_t *to)
{
	static const uint8_t list[] = {
		ENDPOINTS, 2, 4, 0, 0x25, 0xbc, 10, 9, 0, 77,
		6, 0, 0x25, 0xbc, 0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77,
	};

	if (chance(3)) {
		memcpy(to, list, sizeof(list));
		return sizeof(list);
	}
	to[0] = chance(2) ? PATH_CHALLENGE : PATH_RESPONSE;
	randombytes_buf_deterministic(to + 1, 8, (uint8_t [32]){ below(256) });
	return 9;
}

static size_t put_credit(uint8_t *to)
{
	uint64_t much = 65536ULL << below(8);

	switch (below(3)) {
	case 0:
		return put_numbers(to, WINDOW, 2, some_id(), field(much));
	case 1:
		return put_numbers(to, MAX_STREAMS, 2, field(chance(2) ? 0 : some_id() + 1),
				   field(below(100)));
	default:
		return put_numbers(to, CHANNEL_WINDOW, 2, field(16777216 + much), field(262144));
	}
}

static size_t put_rare(uint8_t *to)
{
	switch (below(4)) {
	case 0:
		return put_numbers(to, DATAGRAM_DROP, 2, some_id(), field(below(message + 1)));
	case 1:
		to[0] = chance(2) ? PING : PADDING;
		return 1;
	case 2:
		if (!wild && !l.opened)
			return 0;
		put_numbers(to, SERVICE_REPLY, 1, field(1));
		to[2] = field(below(7));
		to[3] = 0;
		return wild ? 4 : 0;
	default:
		if (!wild)
			return 0;
		randombytes_buf_deterministic(to, 20, (uint8_t [32]){ below(256) });
		return 20;
	}
}

/* A frame that may come now. At most 1000 bytes */
static size_t put_any(uint8_t *to)
{
	switch (below(16)) {
	case 0:
	case 1:
		return put_open(to);
	case 2:
		return put_datagram(to);
	case 3:
		return put_credit(to);
	case 4:
		return put_order(to);
	case 5:
		return chance(4) ? put_giving_up(to) : 0;
	case 6:
		return put_where(to);
	case 7:
		return put_rare(to);
	case 8:
	case 9:
		return put_ack_of(to);
	default:
		return put_data(to);
	}
}

static void make(struct packet *p)
{
	size_t n;

	p->len = 0;
	do {
		n = put_any(p->frames + p->len);
		p->len += n;
		/* it reaches to the end of the packet */
		if (n && p->frames[p->len - n] == DATAGRAM)
			break;
	} while (p->len + 1000 < FRAMES_MAX && below(4));
}

/* What is left, or added, when the bytes themselves are not what they were */
static void spoil(struct packet *p)
{
	const struct packet *other = &history[below(HISTORY)];
	size_t at = p->len ? below(p->len) : 0, from, n;

	if (!p->len)
		return;
	switch (below(7)) {
	case 0:
		p->frames[at] ^= 1 << below(8);
		break;
	case 1:
		p->frames[at] = below(256);
		break;
	case 2:
		p->len = at;
		break;
	case 3:		/* cut out */
		n = 1 + below(p->len - at < 16 ? p->len - at : 16);
		memmove(p->frames + at, p->frames + at + n, p->len - at - n);
		p->len -= n;
		break;
	case 4:		/* the end of another packet instead */
		if (!other->len)
			break;
		from = below(other->len);
		n = other->len - from < FRAMES_MAX - at ? other->len - from : FRAMES_MAX - at;
		memcpy(p->frames + at, other->frames + from, n);
		p->len = at + n;
		break;
	default:	/* only its fields are odd */
		break;
	}
}

static void deliver(const struct packet *p)
{
	if (p->len)
		link_send_once(&l, p->frames, p->len);
	count.packets++;
}

static void send_one(void)
{
	struct packet p;

	wild = chance(ONE_IN);
	count.wild += wild;
	if (chance(15)) {
		p = history[below(HISTORY)];	/* once more */
		opens = false;
	} else {
		opens = false;
		make(&p);
		history[n_history++ % HISTORY] = p;
	}
	if (wild)
		spoil(&p);
	if (chance(20))
		l.next += below(300);		/* as if some were lost */
	if (!held.len && !opens && chance(10)) {
		held = p;			/* it comes late */
		return;
	}
	deliver(&p);
	if (held.len && chance(3)) {
		deliver(&held);
		held.len = 0;
	}
}

/* A program at the module's end does something that does not wait. */
static void act(int i, int listener)
{
	struct sss_open open = { .kind = chance(2) ? SOCK_STREAM : SOCK_DGRAM,
				 .flags = SOCK_NONBLOCK | SOCK_CLOEXEC };
	struct sss_priority priority = { .urgency = below(8), .weight = 1 + below(255) };
	struct sss_reset reset = { .code = below(100), .flags = below(2) };
	static uint8_t buf[30000];
	int mode = below(14), on = below(2);

	if (fd[i] < 0) {
		/* of the service, or of another stream */
		int from = chance(2) ? listener : fd[below(PROGRAMS)];

		if (from >= 0)
			fd[i] = accept4(from, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd[i] < 0 && from >= 0 && from != listener)
			fd[i] = ioctl(from, SSS_IOC_OPEN, &open);
		return;
	}
	switch (mode) {
	case 0:
		close(fd[i]);
		fd[i] = -1;
		break;
	case 1:
		listen(fd[i], 8);
		break;
	case 2:
		setsockopt(fd[i], SOL_SSS, SSS_PRIORITY, &priority, sizeof(priority));
		break;
	case 3:
		setsockopt(fd[i], SOL_SSS, SSS_RECORDS, &on, sizeof(on));
		break;
	case 4:
		if (chance(4))
			ioctl(fd[i], SSS_IOC_RESET, &reset);
		break;
	case 5:
		if (chance(4))
			shutdown(fd[i], below(3));
		break;
	case 6:
	case 7:
	case 8:
		send(fd[i], buf, below(chance(4) ? sizeof(buf) : 300),
		     MSG_NOSIGNAL | (chance(4) ? MSG_EOR : 0));
		break;
	default:
		recv(fd[i], buf, below(sizeof(buf)), chance(6) ? MSG_PEEK : 0);
		break;
	}
}

static void converse(int listener)
{
	int packets = 20 + below(PACKETS_MOST);

	memset(sent, 0, sizeof(sent));
	memset(ended, 0, sizeof(ended));
	memset(plain, 0, sizeof(plain));
	next_id = message = n_history = 0;
	held.len = 0;
	memset(history, 0, sizeof(history));
	if (!link_to_bob(&l) || !say_hello(&l, "mutate")) {
		count.closed[11]++;
		close(l.fd);
		return;
	}
	sent[0] = 5;
	next_id = 1;
	oldest = l.newest;
	count.conversations++;
	while (packets-- && l.close_code < 0) {
		send_one();
		act(below(PROGRAMS), listener);
		while (link_step(&l, 0))
			;
	}
	link_until(&l, 20, l.close_code >= 0);
	if (l.close_code >= 0)
		count.closed[l.close_code < 11 ? l.close_code : 11]++;
	hang_up(&l);
	for (int i = 0; i < PROGRAMS; i++) {
		if (fd[i] >= 0 && chance(2)) {
			close(fd[i]);
			fd[i] = -1;
		}
	}
}

static bool result(bool ok, const char *what)
{
	static int n;

	printf("%sok %d %s\n", ok ? "" : "not ", ++n, what);
	fflush(stdout);
	return ok;
}

/* As any other caller finds it: both families, and the peer itself */
static bool serves(void)
{
	int pair[2];
	bool ok;

	ok = !stream_pair(V6, pair) && send_pattern(pair[ALICE], 100000, 1, 0) == 100000 &&
	     recv_pattern(pair[BOB], 100000, 1, 0) == 100000;
	close(pair[ALICE]);
	close(pair[BOB]);
	ok = ok && link_to_bob(&l) && say_hello(&l, "nobody") &&
	     link_until(&l, PATIENCE, l.reply == 1);
	hang_up(&l);
	return ok;
}

static bool nothing_left(void)
{
	static const char *const gauges[] = {
		"Peers", "Channels", "HalfOpen", "Streams", "SentPackets", "TxChunks",
		"RxSegments", "RxMemory",
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(gauges) / sizeof(*gauges); i++) {
		if (eventually(PATIENCE, !get_stat(BOB, gauges[i])))
			continue;
		printf("# still there: %s %lld\n", gauges[i], get_stat(BOB, gauges[i]));
		ok = false;
	}
	return ok;
}

int main(int argc, char **argv)
{
	long long until = now_ms() + 1000 * (argc > 1 ? atoi(argv[1]) : 10);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	unsigned long wrong = 0;
	int listener;
	bool ok;

	while (!seed)
		randombytes_buf(&seed, sizeof(seed));
	state = seed;
	printf("1..4\n# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	for (int i = 0; i < PROGRAMS; i++)
		fd[i] = -1;
	set_sysctl(BOB, "idle_timeout_ms", "500");
	set_sysctl(BOB, "orphan_timeout_ms", "1000");
	listener = listen_on(V4, "mutate", 64);
	set_nonblock(listener, true);
	while (now_ms() < until)
		converse(listener);
	for (int i = 0; i < PROGRAMS; i++)
		close(fd[i]);
	close(listener);

	printf("# %lu conversations, %lu packets, %lu of them wild; closed:", count.conversations,
	       count.packets, count.wild);
	for (int i = 0; i < 12; i++) {
		printf(" %lu", count.closed[i]);
		wrong += i > 1 && i < 11 ? count.closed[i] : 0;
	}
	printf("\n");
	ok = result(count.conversations && wrong, "conversations went wrong");
	ok &= result(!count.closed[11] && !count.closed[1], "the module said nothing wrong");
	ok &= result(serves(), "others are served");
	ok &= result(nothing_left(), "nothing is left");
	return !ok;
}
