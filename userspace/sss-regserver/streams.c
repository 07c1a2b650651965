// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <common/log.h>
#include "metrics.h"
#include "server.h"

#define RECORDS_AT_ONCE	16	/* of one stream in a round */
#define ACCEPTS_AT_ONCE	16
#define WAITING_MAX	65536	/* bytes that wait on a stream: it is not read beyond that */
#define ANSWER_ROOM	20480	/* more, for the last answer */
#define TICK_LOOKS	256	/* streams looked at in a tick */

static struct stream *oldest, *newest, *dirty;

/* The list of all, by use */

static void list_add(struct stream *stream)
{
	stream->before = newest;
	stream->behind = NULL;
	if (newest)
		newest->behind = stream;
	else
		oldest = stream;
	newest = stream;
	stream->used = server.now;
}

static void list_remove(struct stream *stream)
{
	if (stream->before)
		stream->before->behind = stream->behind;
	else
		oldest = stream->behind;
	if (stream->behind)
		stream->behind->before = stream->before;
	else
		newest = stream->before;
}

static void use(struct stream *stream)
{
	list_remove(stream);
	list_add(stream);
}

static void leave_owner(struct stream *stream)
{
	struct stream **p = &stream->owner->newest;

	while (*p != stream)
		p = &(*p)->older_of_owner;
	*p = stream->older_of_owner;
	ledger_drop(stream->owner);
	if (stream->place)
		ledger_drop(stream->place);
}

static void leave_dirty(struct stream *stream)
{
	struct stream **p = &dirty;

	if (!stream->dirty)
		return;
	while (*p != stream)
		p = &(*p)->next_dirty;
	*p = stream->next_dirty;
}

static void stop_accepting(bool stop)
{
	if (server.accepting == !stop)
		return;
	server.accepting = !stop;
	loop_want(&server.listener, stop ? 0 : EPOLLIN);
}

static void stream_close(struct stream *stream)
{
	struct record *record;

	while ((record = stream->first)) {
		stream->first = record->next;
		free(record);
	}
	leave_dirty(stream);
	leave_owner(stream);
	list_remove(stream);
	loop_remove(&stream->source);
	close(stream->source.fd);
	free(stream);
	metrics.streams--;
	stop_accepting(false);
}

static void stream_reset(struct stream *stream, const char *why)
{
	log_at(LOG_L_INFO, "reset", " eid=%s why=%s", log_eid(&stream->eid), log_quote(why));
	metrics.streams_reset++;
	server.transport->reset(stream->source.fd, why);
	stream_close(stream);
}

bool stream_send(struct stream *stream, const void *data, size_t len)
{
	struct record *record;

	if (stream->waiting + len > WAITING_MAX + ANSWER_ROOM)
		return false;
	record = malloc(sizeof(*record) + len);
	if (!record)
		return false;
	record->next = NULL;
	record->len = len;
	record->sent = 0;
	memcpy(record->data, data, len);
	if (stream->first)
		stream->last->next = record;
	else
		stream->first = record;
	stream->last = record;
	stream->waiting += len;
	if (stream->dirty)
		return true;
	stream->dirty = true;
	stream->next_dirty = dirty;
	dirty = stream;
	return true;
}

/* What is sent is forgotten; returns whether it went on without an error */
static bool send_waiting(struct stream *stream)
{
	struct record *record;
	ssize_t n;

	while ((record = stream->first)) {
		n = send(stream->source.fd, record->data + record->sent,
			 record->len - record->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
		record->sent += n;
		if (record->sent < record->len)
			return true;
		stream->first = record->next;
		stream->waiting -= record->len;
		free(record);
	}
	return true;
}

/* Nothing is read while answers pile up: who does not read does not ask */
static void flush(struct stream *stream)
{
	uint32_t events;

	if (!send_waiting(stream) || (stream->ending && !stream->first)) {
		stream_close(stream);
		return;
	}
	events = stream->first ? EPOLLOUT : 0;
	if (!stream->ending && stream->waiting < WAITING_MAX)
		events |= EPOLLIN;
	loop_want(&stream->source, events);
}

/* Returns false when there is no more now, or no more stream */
static bool read_record(struct stream *stream)
{
	static uint8_t data[REG_RECORD_MAX + 1];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(stream->source.fd, &msg, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0) {
		stream_close(stream);
		return false;
	}
	if (!n && !(msg.msg_flags & MSG_EOR)) {
		/* What is queued may speak of changes not yet lasting */
		stream->ending = true;
		if (!stream->dirty)
			flush(stream);
		return false;
	}
	if (handle_record(stream, data, n, n > REG_RECORD_MAX || (msg.msg_flags & MSG_TRUNC)))
		return true;
	stream_reset(stream, "too many malformed records");
	return false;
}

static void on_stream(struct source *source, uint32_t events)
{
	struct stream *stream = (struct stream *)source;
	unsigned int i;

	use(stream);
	if (events & EPOLLERR) {
		stream_close(stream);
		return;
	}
	if (!(source->events & EPOLLIN) || !(events & (EPOLLIN | EPOLLHUP))) {
		flush(stream);
		return;
	}
	for (i = 0; i < RECORDS_AT_ONCE && stream->waiting < WAITING_MAX; i++)
		if (!read_record(stream))
			return;
	/* Even if no answer was queued, more may have to be waited for */
	if (!stream->dirty)
		flush(stream);
}

struct stream *streams_registered(const struct sss_eid *eid)
{
	struct account *account = ledger_account(LEDGER_EID, eid->key, sizeof(eid->key));
	struct stream *stream = account ? account->newest : NULL;

	while (stream && (stream->ending || stream->registered_until <= server.now))
		stream = stream->older_of_owner;
	return stream;
}

/* A peer that lost its state calls again: of its streams, the oldest goes */
static void make_room(struct account *owner)
{
	struct stream *stream;

	while (owner->streams > server.config.streams_per_eid) {
		for (stream = owner->newest; stream->older_of_owner;)
			stream = stream->older_of_owner;
		stream_reset(stream, "too many streams");
	}
}

static bool take_accounts(struct stream *stream)
{
	uint8_t prefix[STORE_PREFIX];
	uint8_t len = store_prefix(&stream->seen, prefix);

	if (len) {
		stream->place = ledger_account(LEDGER_PREFIX, prefix, len);
		if (!stream->place || stream->place->streams >= server.config.streams_per_prefix)
			return false;
		ledger_hold(stream->place);
	}
	stream->owner = ledger_account(LEDGER_EID, stream->eid.key, sizeof(stream->eid.key));
	if (stream->owner) {
		ledger_hold(stream->owner);
		return true;
	}
	if (stream->place)
		ledger_drop(stream->place);
	return false;
}

static void stream_open(int fd)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream || !server.transport->peer(fd, &stream->eid))
		goto refuse;
	server.transport->observe(fd, &stream->seen);
	if (!take_accounts(stream))
		goto refuse;
	stream->source = (struct source){ .fd = fd, .ready = on_stream };
	stream->older_of_owner = stream->owner->newest;
	stream->owner->newest = stream;
	list_add(stream);
	metrics.streams++;
	metrics.streams_accepted++;
	if (loop_add(&stream->source, EPOLLIN)) {
		stream_close(stream);
		return;
	}
	make_room(stream->owner);
	return;
refuse:
	metrics.streams_refused++;
	server.transport->reset(fd, "too many streams");
	close(fd);
	free(stream);
}

static void on_listener(struct source *source, uint32_t events)
{
	unsigned int i;
	int fd;

	(void)events;
	for (i = 0; i < ACCEPTS_AT_ONCE; i++) {
		/* Those who have to wait do so in the backlog */
		if (metrics.streams >= server.config.streams) {
			stop_accepting(true);
			return;
		}
		fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			stream_open(fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			stop_accepting(true);
		return;
	}
}

int streams_open(void)
{
	server.listener.fd = server.transport->listen(&server.config);
	server.listener.ready = on_listener;
	server.accepting = true;
	if (server.listener.fd < 0)
		return -1;
	return loop_add(&server.listener, EPOLLIN);
}

void streams_finish_round(void)
{
	enum store_result result = store_commit(&server.store);
	struct stream *stream;

	if (result != STORE_OK)
		server_store_failed();
	while ((stream = dirty)) {
		dirty = stream->next_dirty;
		stream->dirty = false;
		if (result != STORE_OK && stream->changed) {
			stream_reset(stream, "the directory could not be written");
			continue;
		}
		stream->changed = false;
		flush(stream);
	}
}

/* From the one used longest ago; registered ones stay */
void streams_tick(void)
{
	uint64_t limit = server.config.idle_timeout * 1000ULL;
	struct stream *stream;
	unsigned int i;

	for (i = 0; i < TICK_LOOKS && (stream = oldest); i++) {
		if (server.now - stream->used < limit)
			break;
		if (stream->registered_until > server.now)
			use(stream);
		else
			stream_close(stream);
	}
	stop_accepting(metrics.streams >= server.config.streams);
}

void streams_close(void)
{
	if (server.listener.fd >= 0) {
		loop_remove(&server.listener);
		close(server.listener.fd);
	}
	server.listener.fd = -1;
	streams_finish_round();
	server.accepting = true;
	while (oldest)
		stream_close(oldest);
}
