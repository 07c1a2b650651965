// SPDX-License-Identifier: GPL-2.0
/* A channel: packets, acknowledgement, one stream */
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "link.h"

long long link_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* 0: nothing came in @ms */
size_t link_receive(const struct link *l, uint8_t *to, size_t max, int ms)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	ssize_t n = 0;

	if (poll(&p, 1, ms) > 0)
		n = recv(l->fd, to, max, MSG_DONTWAIT);
	return n > 0 ? n : 0;
}

/* The answer to an INITIATE; after a COOKIE the INITIATE has its mac2. */
static bool answered(struct link *l, uint8_t *initiate)
{
	uint8_t msg[2048], cookie[MAC];
	long long until = link_now() + 1000;

	while (link_now() < until) {
		size_t n = link_receive(l, msg, sizeof(msg), 100);

		if (n == COOKIE_LEN && msg[0] == TYPE_COOKIE &&
		    cookie_read(msg, cookie, initiate + INITIATE_LEN - 2 * MAC, l->remote_eid)) {
			mac2_write(initiate, INITIATE_LEN, cookie);
			return false;
		}
		if (n == RESPOND_LEN && link_complete(l, msg))
			return true;
	}
	return false;
}

/* A handshake of ours, and the packet that confirms it */
bool link_call(struct link *l)
{
	uint8_t msg[INITIATE_LEN], ping[1] = { PING };

	if (!link_initiate(l, msg))
		return false;
	for (int i = 0; i < 10; i++) {
		send(l->fd, msg, sizeof(msg), 0);
		if (answered(l, msg))
			return link_send(l, ping, sizeof(ping)) && link_settled(l, 10000);
	}
	return false;
}

/*
 * Over the connected socket @fd, as somebody nobody knows, whose EID is the smaller
 * one: the ids of its streams are even.
 */
bool link_open(struct link *l, int fd, const uint8_t remote[KEY])
{
	link_prepare(l, fd, remote, true);
	return link_call(l);
}

/* A packet with these frames, not sent; returns its length, 0: there are no keys */
size_t link_seal(struct link *l, uint8_t *packet, const uint8_t *frames, size_t len)
{
	uint8_t plain[FRAMES_MAX + 9] = { };
	size_t pad = len < 9 ? 9 - len : 0;

	if (!l->current)
		return 0;
	memcpy(plain + pad, frames, len);
	data_seal(packet, plain, pad + len, l->current->remote_index, l->next++,
		  &l->current->session);
	return 8 + pad + len + TAG;
}

/* A packet of its own, whatever becomes of it */
void link_send_once(struct link *l, const uint8_t *frames, size_t len)
{
	uint8_t packet[PACKET_MAX + 9];

	len = link_seal(l, packet, frames, len);
	if (len)
		send(l->fd, packet, len, 0);
}

static void slot_send(struct link *l, struct slot *s)
{
	s->number = l->next;
	s->sent_ms = link_now();
	link_send_once(l, s->frames, s->len);
}

/* A packet that is sent again until it is acknowledged; waits for room. */
bool link_send(struct link *l, const uint8_t *frames, size_t len)
{
	long long until = link_now() + 10000;

	do {
		for (int i = 0; i < SLOTS; i++) {
			struct slot *s = &l->slot[i];

			if (s->len)
				continue;
			memcpy(s->frames, frames, len);
			s->len = len;
			slot_send(l, s);
			return true;
		}
		link_step(l, 50);
	} while (link_now() < until);
	return false;
}

/* Everything sent has been acknowledged */
bool link_settled(struct link *l, int ms)
{
	long long until = link_now() + ms;
	bool busy;

	do {
		busy = false;
		for (int i = 0; i < SLOTS; i++)
			busy |= l->slot[i].len > 0;
		if (busy)
			link_step(l, 20);
	} while (busy && l->close_code < 0 && link_now() < until);
	return !busy;
}

static void acked(struct link *l, uint64_t from, uint64_t to)
{
	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &l->slot[i];

		if (s->len && s->number >= from && s->number <= to)
			s->len = 0;
	}
}

static bool take_ack(struct link *l, const struct frame *f)
{
	uint64_t smallest = f->field[0] - f->field[3], gap, length;
	const uint8_t *at = f->data, *end = at + f->len;

	acked(l, smallest, f->field[0]);
	for (uint64_t i = 0; i < f->field[2]; i++) {
		at += varint_read(at, end, &gap);
		at += varint_read(at, end, &length);
		acked(l, smallest - gap - 2 - length, smallest - gap - 2);
		smallest -= gap + 2 + length;
	}
	return true;
}

/* What lies beyond a gap is not applied, so its packet counts as not received. */
static bool take_data(struct link *l, const struct frame *f)
{
	uint64_t end = f->field[1] + f->len;

	if (f->field[0] != l->id)
		return true;
	if (f->field[1] > l->got || end > IN_MAX)
		return false;
	if (end > l->got) {
		memcpy(l->in + f->field[1], f->data, f->len);
		l->got = end;
	}
	l->fin |= f->type & FIN;
	return true;
}

static bool take(struct link *l, const struct frame *f)
{
	uint8_t response[9] = { PATH_RESPONSE };

	switch (f->type) {
	case ACK:
	case ACK_ECN:
		return take_ack(l, f);
	case INIT:
		l->opened++;
		l->opened_id = f->field[0];
		break;
	case DATAGRAM_DROP:
		l->drops++;
		break;
	case SERVICE_REPLY:
		l->reply = f->field[1];
		break;
	case RESET:
		l->reset = f->field[1];
		break;
	case STOP:
		l->stop = f->field[1];
		break;
	case WINDOW:
		if (f->field[0] == l->id && f->field[1] > l->window)
			l->window = f->field[1];
		break;
	case PATH_CHALLENGE:
		l->challenges++;
		if (l->deaf)
			break;
		memcpy(response + 1, f->data, 8);
		link_send_once(l, response, sizeof(response));
		break;
	case ENDPOINTS:
		l->lists++;
		memcpy(l->list, f->data, f->len);
		break;
	case PATH_RESPONSE:
		l->path = get64(f->data) >> 1;
		break;
	case CLOSE:
		l->close_code = f->field[0];
		l->close_frame = f->field[1];
		break;
	default:
		return (f->type & ~7) == STREAM ? take_data(l, f) : true;
	}
	return true;
}

static bool elicits(uint8_t type)
{
	return type != PADDING && type != ACK && type != ACK_ECN && type != CLOSE;
}

/* Opens a data packet; false: not for us, or not genuine */
static bool open_data(struct link *l, const uint8_t *packet, size_t len, uint8_t *plain)
{
	struct pair *pair = len < 33 ? NULL : link_pair(l, get32(packet + 4));
	uint64_t number, expected;

	if (!pair)
		return false;
	expected = pair->confirmed && l->expected > pair->lowest ? l->expected : pair->lowest;
	if (!data_open(plain, packet, len, expected, &number, &pair->session) ||
	    number < pair->lowest || !link_confirm(l, pair))
		return false;
	if (number >= l->expected)
		l->expected = number + 1;
	l->oldest = l->oldest ?: number;
	l->newest = number;
	l->newest_len = len;
	l->under = pair;
	return true;
}

static bool take_data_packet(struct link *l, const uint8_t *packet, size_t len)
{
	static uint8_t plain[65536];
	const uint8_t *at = plain, *end = plain + len - 8 - TAG;
	bool wants = false, applied = true;
	uint8_t ack[64];
	struct frame f;

	if (!open_data(l, packet, len, plain))
		return false;
	while (at < end) {
		if (!frame_get(&f, &at, end)) {
			l->close_code = 1000 + f.type;	/* the module sent rubbish */
			return true;
		}
		wants |= elicits(f.type);
		applied &= take(l, &f);
	}
	l->newest_wants = wants;
	l->marked++;
	if (wants && applied && !l->silent)
		link_send_once(l, ack, put_numbers(ack, l->counts ? ACK_ECN : ACK,
						   l->counts ? 7 : 4, l->newest, (uint64_t)0,
						   (uint64_t)0, (uint64_t)0, l->marked,
						   (uint64_t)0, (uint64_t)0));
	return true;
}

/* Whatever came; false: it was of no use */
bool link_take(struct link *l, const uint8_t *packet, size_t len)
{
	uint8_t msg[RESPOND_LEN], ping[1] = { PING };

	if (len == INITIATE_LEN && packet[0] == TYPE_INITIATE) {
		if (!l->answers || !link_answer(l, packet, msg))
			return false;
		send(l->fd, msg, sizeof(msg), 0);
		return true;
	}
	if (len != RESPOND_LEN || packet[0] != TYPE_RESPOND)
		return len && packet[0] == TYPE_DATA && take_data_packet(l, packet, len);
	return link_complete(l, packet) && link_send(l, ping, sizeof(ping));
}

/* Takes one packet, waits @ms for it; false: none came */
bool link_step(struct link *l, int ms)
{
	static uint8_t packet[65536];
	size_t n = link_receive(l, packet, sizeof(packet), ms);

	for (int i = 0; i < SLOTS; i++)
		if (l->slot[i].len && link_now() > l->slot[i].sent_ms + 500)
			slot_send(l, &l->slot[i]);
	if (n)
		link_take(l, packet, n);
	return n;
}
