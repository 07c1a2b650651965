// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg(MSG_ERRQUEUE): events, then data that is given back.
 *
 * Events wait in a ring of the socket's own. Its lock is a leaf: events come
 * under the channel lock, and are read under the socket lock. The ring is made
 * by SSS_EVENTS and freed with the socket. Its last place is kept for the event
 * that says how many there was no room for.
 */
#include <linux/slab.h>
#include <net/compat.h>
#include "stream/stream.h"
#include "socket.h"

#define EVENTS	64

/**
 * struct event - one in the ring
 * @type: enum sss_event_type
 * @bytes: BYTES_ACKED: since the one before
 * @time: ns, CLOCK_MONOTONIC
 * @value: as the type says
 */
struct event {
	u32 type;
	u32 bytes;
	u64 time;
	u64 value;
};

/**
 * struct sss_events - the events of a socket
 * @lock: of all that follows
 * @mask: bits of enum sss_event_type that are wanted
 * @first: place of the oldest
 * @n: how many wait
 * @taken: the oldest is being read: nothing is added to it
 * @acked: offset of the last BYTES_ACKED
 * @ring: circular
 */
struct sss_events {
	spinlock_t lock;
	u32 mask;
	u32 first;
	u32 n;
	bool taken;
	u64 acked;
	struct event ring[EVENTS];
};

/* Any context; NULL: SSS_EVENTS was never set */
static struct sss_events *get(const struct sock *sk)
{
	/* Pairs with the release in sss_errqueue_set_events(). */
	return smp_load_acquire(&sss_sk(sk)->events);
}

static struct event *at(struct sss_events *events, u32 i)
{
	return &events->ring[(events->first + i) % EVENTS];
}

/* The newest, if it is of this type and may still change */
static struct event *newest(struct sss_events *events, u32 type)
{
	struct event *last;

	if (!events->n || (events->n == 1 && events->taken))
		return NULL;
	last = at(events, events->n - 1);
	return last->type == type ? last : NULL;
}

static void add(struct sss_events *events, u32 type, u64 value, u32 bytes)
{
	struct event *event = newest(events, type);
	bool merges = type == SSS_EV_BYTES_ACKED;

	if (!(event && merges) && events->n >= EVENTS - 1) {
		event = newest(events, SSS_EV_OVERFLOW);
		type = SSS_EV_OVERFLOW;
		value = event ? event->value + 1 : 1;
		bytes = 0;
		merges = true;
	}
	if (!event || !merges) {
		event = at(events, events->n++);
		event->bytes = 0;
	}
	event->type = type;
	event->time = ktime_get_ns();
	event->value = value;
	event->bytes += bytes;
}

/**
 * sss_errqueue_event() - an event happened
 * @sk: socket; kept alive by the caller, not locked
 * @type: enum sss_event_type
 * @value: as the type says
 *
 * Context: the channel is locked.
 *
 * Return: whether the program wants to know
 */
bool sss_errqueue_event(struct sock *sk, u32 type, u64 value)
{
	struct sss_events *events = get(sk);
	u32 bytes = 0;
	bool wanted;

	if (!events)
		return false;
	spin_lock_bh(&events->lock);
	wanted = events->mask & BIT(type);
	if (type == SSS_EV_BYTES_ACKED) {
		bytes = value - events->acked;
		events->acked = value;
	}
	if (wanted)
		add(events, type, value, bytes);
	spin_unlock_bh(&events->lock);
	return wanted;
}

/**
 * sss_errqueue_set_events() - SSS_EVENTS
 * @sk: socket, locked
 * @mask: bits of enum sss_event_type
 *
 * Return: 0, -EINVAL: unknown bits, or a socket that listens for a service or
 * has datagrams; -ENOMEM
 */
int sss_errqueue_set_events(struct sock *sk, u32 mask)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_events *events = ss->events;

	if (mask & ~SSS_EV_ALL || sk->sk_state == TCP_LISTEN || sk->sk_type == SOCK_DGRAM)
		return -EINVAL;
	if (!events && mask) {
		events = kzalloc(sizeof(*events), GFP_KERNEL_ACCOUNT);
		if (!events)
			return -ENOMEM;
		spin_lock_init(&events->lock);
		if (ss->stream)
			events->acked = sss_sendq_acked(ss->stream);
		/* Pairs with get(): whoever finds it finds it complete. */
		smp_store_release(&ss->events, events);
	}
	if (events) {
		spin_lock_bh(&events->lock);
		events->mask = mask;
		spin_unlock_bh(&events->lock);
	}
	if (mask && ss->stream)
		sss_event_watch(ss->stream);
	return 0;
}

/**
 * sss_errqueue_get_events() - the value of SSS_EVENTS
 * @sk: socket
 *
 * Return: bits of enum sss_event_type
 */
u32 sss_errqueue_get_events(const struct sock *sk)
{
	const struct sss_events *events = get(sk);

	return events ? READ_ONCE(events->mask) : 0;
}

/**
 * sss_errqueue_free() - free the events, with the socket
 * @sk: socket that nobody can reach
 */
void sss_errqueue_free(struct sock *sk)
{
	kfree(sss_sk(sk)->events);
}

/**
 * __sss_errqueue_pending() - would recvmsg(MSG_ERRQUEUE) give something?
 * @sk: socket lock or its spinlock held
 *
 * Return: whether it would
 */
bool __sss_errqueue_pending(const struct sock *sk)
{
	const struct sss_sock *ss = sss_sk(sk);

	lockdep_assert(lockdep_sock_is_held(sk));
	if (ss->events && READ_ONCE(ss->events->n))
		return true;
	return ss->stream && sss_giveback_pending(ss->stream);
}

/* The oldest; it stays until drop_event(). */
static bool take_event(struct sss_events *events, struct event *event)
{
	bool found = false;

	if (!events)
		return false;
	spin_lock_bh(&events->lock);
	if (events->n) {
		*event = *at(events, 0);
		events->taken = true;
		found = true;
	}
	spin_unlock_bh(&events->lock);
	return found;
}

static void drop_event(struct sss_events *events, bool drop)
{
	spin_lock_bh(&events->lock);
	events->taken = false;
	if (drop) {
		events->first = (events->first + 1) % EVENTS;
		WRITE_ONCE(events->n, events->n - 1);
	}
	spin_unlock_bh(&events->lock);
}

/* What the peer said with a reset or refusal: there is but one per stream. */
static void fill_text(struct sock *sk, struct sss_cm_event *out)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_status status = { };

	if (ss->stream)
		sss_stream_get_status(ss->stream, &status);
	else if (ss->status)
		status = *ss->status;
	memcpy(out->text, status.text, sizeof(out->text));
}

static void fill(struct sock *sk, const struct event *event, struct sss_cm_event *out)
{
	out->type = event->type;
	out->time = event->time;
	switch (event->type) {
	case SSS_EV_BYTES_ACKED:
		out->bytes = event->bytes;
		out->offset = event->value;
		break;
	case SSS_EV_DATAGRAM:
		out->bytes = event->value;
		break;
	case SSS_EV_RECEIVE_BLOCKED:
	case SSS_EV_SENDER_DRY:
		out->offset = event->value;
		break;
	case SSS_EV_ERROR:
		out->error = event->value;
		fill_text(sk, out);
		break;
	case SSS_EV_RESET:
		out->code = event->value;
		fill_text(sk, out);
		break;
	default:
		out->code = event->value;
	}
}

static bool has_room(const struct msghdr *msg, int flags)
{
	size_t header = sizeof(struct cmsghdr);

#ifdef CONFIG_COMPAT
	if (flags & MSG_CMSG_COMPAT)
		header = sizeof(struct compat_cmsghdr);
#endif
	return msg->msg_controllen >= header + sizeof(struct sss_cm_event);
}

static int put(struct msghdr *msg, struct sss_cm_event *out)
{
	return put_cmsg(msg, SOL_SSS, SSS_CM_EVENT, sizeof(*out), out);
}

static int receive_event(struct sock *sk, struct msghdr *msg, const struct event *event)
{
	struct sss_cm_event out = { };
	int err;

	fill(sk, event, &out);
	err = put(msg, &out);
	drop_event(sss_sk(sk)->events, !err);
	return err;
}

static ssize_t receive_data(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct sss_cm_event out = { .type = SSS_EV_UNDELIVERED, .time = ktime_get_ns() };
	struct sss_stream *st = sss_sk(sk)->stream;
	ssize_t n = sss_giveback_copy(st, msg, len, &out);
	int err;

	if (n < 0)
		return n;
	err = put(msg, &out);
	if (err)
		return err;
	sss_giveback_drop(st, sk, &out);
	return n;
}

/**
 * sss_sock_recv_errqueue() - recvmsg(MSG_ERRQUEUE)
 * @sk: socket, not locked
 * @msg: control messages; and data where data is given back
 * @len: bytes wanted
 * @flags: MSG_*
 *
 * Never waits.
 *
 * Return: bytes given back, 0 with an event; -EAGAIN: there is nothing;
 * -EMSGSIZE: no room for the control message, nothing is lost; -EFAULT
 */
ssize_t sss_sock_recv_errqueue(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct event event;
	ssize_t ret = -EAGAIN;

	lock_sock(sk);
	if (__sss_errqueue_pending(sk) && !has_room(msg, flags))
		ret = -EMSGSIZE;
	else if (take_event(sss_sk(sk)->events, &event))
		ret = receive_event(sk, msg, &event);
	else if (sss_sk(sk)->stream && sss_giveback_pending(sss_sk(sk)->stream))
		ret = receive_data(sk, msg, len);
	if (ret >= 0)
		msg->msg_flags |= MSG_ERRQUEUE;
	release_sock(sk);
	return ret;
}
