// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes of a link, in both roles: which keys there are, which of them is
 * sent under, and whether the other side still has the state that it had.
 */
#include <sodium.h>
#include <string.h>
#include <time.h>
#include "link.h"

static const uint64_t defaults[PARAM_COUNT] = {
	0, WINDOW_SIZE, 16777216, 262144, 4096, 16777216, 1048576, 5000, 60000, 65507, 1,
};

static uint64_t random_incarnation(void)
{
	uint64_t value;

	randombytes_buf(&value, sizeof(value));
	return value | 1;
}

static uint32_t random_index(void)
{
	uint32_t value;

	do {
		value = randombytes_random();
	} while (!value);
	return value;
}

/* max(now, last + 1 ns), where now is a multiple of 2^24 ns */
void link_next_stamp(uint8_t stamp[12])
{
	struct timespec ts;
	uint8_t now[12];

	clock_gettime(CLOCK_REALTIME, &ts);
	put64(now, 0x400000000000000aULL + ts.tv_sec);
	put32(now + 8, ts.tv_nsec & ~0xffffffL);
	if (memcmp(now, stamp, sizeof(now)) > 0)
		memcpy(stamp, now, sizeof(now));
	else
		put32(stamp + 8, get32(stamp + 8) + 1);
}

/* A new identity whose EID is smaller or larger than @remote, and no state */
void link_prepare(struct link *l, int fd, const uint8_t remote[KEY], bool smaller)
{
	uint8_t private[KEY];

	memset(l, 0, sizeof(*l));
	l->fd = fd;
	memcpy(l->remote_eid, remote, KEY);
	do {
		randombytes_buf(private, KEY);
		identity_from(&l->own, private);
	} while ((memcmp(l->own.public, remote, KEY) < 0) != smaller);
	link_forget(l);
}

/* As after a restart: of all there was only the identity is left. */
void link_forget(struct link *l)
{
	struct link new = {
		.fd = l->fd, .own = l->own, .answers = l->answers,
		.incarnation = random_incarnation(),
		.window = defaults[1],
		.reply = -1, .reset = -1, .stop = -1, .path = -1,
		.close_code = -1, .close_frame = -1,
	};

	memcpy(new.remote_eid, l->remote_eid, KEY);
	*l = new;
}

struct pair *link_pair(struct link *l, uint32_t index)
{
	for (int i = 0; i < PAIRS; i++)
		if (l->pair[i].used && l->pair[i].local_index == index)
			return &l->pair[i];
	return NULL;
}

/* In place of the oldest one, but not of that in use */
static struct pair *pair_new(struct link *l)
{
	struct pair *oldest = NULL;

	for (int i = 0; i < PAIRS; i++) {
		struct pair *p = &l->pair[i];

		if (p != l->current && (!oldest || p->added < oldest->added))
			oldest = p;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->used = true;
	oldest->added = ++l->events;
	return oldest;
}

/*
 * We answered while our own handshake was under way, or started ours while the
 * other side's pair awaited confirmation.
 */
static bool crossed(const struct pair *a, const struct pair *b)
{
	const struct pair *ours = a->ours ? a : b, *theirs = a->ours ? b : a;

	if (a->ours == b->ours)
		return false;
	if (theirs->added > ours->started && theirs->added < ours->added)
		return true;
	return ours->started > theirs->added &&
	       (!theirs->confirmed || ours->started < theirs->confirmed);
}

/* The newest is sent under, or of two that crossed that of the smaller EID. */
static void promote(struct link *l, struct pair *pair)
{
	bool smaller = memcmp(l->own.public, l->remote_eid, KEY) < 0;

	pair->confirmed = ++l->events;
	if (!l->current || !crossed(pair, l->current) || l->current->ours != smaller)
		l->current = pair;
}

/* The other side has lost its state, or has seen that ours was lost. */
static void restart(struct link *l, struct pair *pair)
{
	l->restarts++;
	l->expected = pair->lowest;
	memset(l->slot, 0, sizeof(l->slot));
	for (int i = 0; i < PAIRS; i++)
		if (&l->pair[i] != pair && l->pair[i].confirmed)
			l->pair[i].used = false;
	l->current = NULL;
}

static void payload_fill(struct link *l, struct payload *p)
{
	memset(p, 0, sizeof(*p));
	p->incarnation = l->incarnation;
	p->next_number = l->next;
	memcpy(p->param, defaults, sizeof(defaults));
}

/* An INITIATE, not sent */
bool link_initiate(struct link *l, uint8_t msg[INITIATE_LEN])
{
	uint8_t plain[INITIATE_PAYLOAD];
	uint32_t index = random_index();
	struct payload p;

	payload_fill(l, &p);
	p.remembered = l->known;
	link_next_stamp(l->stamp);
	memcpy(p.stamp, l->stamp, sizeof(p.stamp));
	memset(&l->hs, 0, sizeof(l->hs));
	randombytes_buf(l->hs.ephemeral, KEY);
	memcpy(l->ephemeral, l->hs.ephemeral, KEY);
	initiate_payload_write(plain, index, &p);
	l->started = ++l->events;
	return initiate_write(&l->hs, msg, &l->own, l->remote_eid, plain, index);
}

/* RESPOND to ours: the keys are there. False: it answers nothing, or is none. */
bool link_complete(struct link *l, const uint8_t respond[RESPOND_LEN])
{
	uint8_t plain[RESPOND_PAYLOAD];
	struct session session;
	struct pair *pair;
	bool begins = !l->known;

	if (!l->started || !respond_read(&l->hs, respond, &l->own, plain, &session) ||
	    !respond_payload_read(plain, get32(respond + 4), &l->remote))
		return false;
	pair = pair_new(l);
	pair->ours = true;
	pair->session = session;
	pair->local_index = l->hs.local_index;
	pair->remote_index = get32(respond + 4);
	pair->lowest = l->remote.next_number;
	pair->started = l->started;
	l->started = 0;
	if (l->known && (l->known != l->remote.incarnation ||
			 l->remote.remembered != l->incarnation))
		restart(l, pair);
	l->known = l->remote.incarnation;
	pair->incarnation = l->incarnation;
	pair->known = l->known;
	if (begins) {
		l->expected = pair->lowest;
		if (l->remote.param[1])
			l->window = l->remote.param[1];
	}
	promote(l, pair);
	return true;
}

/* The table under "Incarnations": what a RESPOND states */
static uint64_t stated(const struct link *l, const struct payload *asked)
{
	if (!l->known || !asked->remembered ||
	    (asked->incarnation == l->known && asked->remembered == l->incarnation))
		return l->incarnation;
	return random_incarnation();
}

/* RESPOND to an INITIATE, not sent: a copy gets the same. False: it is none. */
bool link_answer(struct link *l, const uint8_t initiate[INITIATE_LEN],
		 uint8_t respond[RESPOND_LEN])
{
	uint8_t plain[INITIATE_PAYLOAD], answer[RESPOND_PAYLOAD];
	uint32_t index = random_index();
	struct handshake hs = { };
	struct pair *pair;
	struct payload p;

	if (!memcmp(initiate, l->answered, INITIATE_LEN - MAC)) {
		memcpy(respond, l->answer, RESPOND_LEN);
		return true;
	}
	if (!initiate_read(&hs, initiate, &l->own, plain) ||
	    memcmp(hs.remote_static, l->remote_eid, KEY) ||
	    !initiate_payload_read(plain, hs.remote_index, &l->asked))
		return false;
	payload_fill(l, &p);
	p.incarnation = stated(l, &l->asked);
	p.remembered = l->asked.incarnation ^ (l->misremembers ? 0x100 : 0);
	p.has_answer = l->asked.has_request;
	randombytes_buf(hs.ephemeral, KEY);
	respond_payload_write(answer, index, &p);
	pair = pair_new(l);
	if (!respond_write(&hs, respond, answer, index, &pair->session))
		return false;
	mac1_write(respond, RESPOND_LEN, l->remote_eid);
	pair->local_index = index;
	pair->remote_index = hs.remote_index;
	pair->lowest = l->asked.next_number;
	pair->incarnation = p.incarnation;
	pair->known = l->asked.incarnation;
	memcpy(l->answered, initiate, INITIATE_LEN);
	memcpy(l->answer, respond, RESPOND_LEN);
	return true;
}

/* A packet authenticated. False: it belongs to a state that is over. */
bool link_confirm(struct link *l, struct pair *pair)
{
	bool same = pair->incarnation == l->incarnation && (!l->known || pair->known == l->known);

	if (pair->confirmed)
		return true;
	if (!same && l->current && l->current->ours && pair->added < l->current->started)
		return false;
	if (!same)
		restart(l, pair);
	else if (!l->known)
		l->expected = pair->lowest;
	l->incarnation = pair->incarnation;
	l->known = pair->known;
	if (l->asked.param[1] && l->asked.param[1] > l->window)
		l->window = l->asked.param[1];
	promote(l, pair);
	return true;
}
