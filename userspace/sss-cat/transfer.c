// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Both directions of a stream at once. Each has one buffer, filled when it is
 * empty and emptied as the other end takes it; nothing here ever waits but in
 * poll().
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sss-cat.h"

#define BUFFER		(256 * 1024)
#define TICK		200	/* ms between two looks at progress */
#define FLUSH_TICK	5	/* ms between two looks at what is not yet acknowledged */

struct flow {
	char *buf;
	size_t start, end;	/* what is in the buffer */
	bool ended;		/* the source gives no more */
	bool done;		/* and the other side was told */
};

struct state {
	struct transfer *t;
	struct flow up, down;
	bool in_terminal;
	uint64_t last_moved;
	int result;
};

static bool empty(const struct flow *f)
{
	return f->start == f->end;
}

static int fail(struct state *s, const char *what, const char *why)
{
	progress_end(s->t);
	complain("%s: %s", what, why);
	s->result = EXIT_TRANSFER;
	return -1;
}

static void moved(struct state *s)
{
	s->last_moved = clock_us();
	if (!s->t->first_byte)
		s->t->first_byte = s->last_moved;
}

static bool is_later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Sockets may be told not to wait; other things were reopened so. */
static ssize_t read_some(int fd, void *buf, size_t len)
{
	ssize_t n = recv(fd, buf, len, MSG_DONTWAIT);

	return n < 0 && errno == ENOTSOCK ? read(fd, buf, len) : n;
}

static ssize_t write_some(int fd, const void *buf, size_t len)
{
	ssize_t n = send(fd, buf, len, MSG_DONTWAIT);

	return n < 0 && errno == ENOTSOCK ? write(fd, buf, len) : n;
}

/* 0: nothing to read now */
static int fill(struct state *s, struct flow *f, int from, const char *name)
{
	ssize_t n = read_some(from, f->buf, BUFFER);

	if (n < 0)
		return is_later() ? 0 : fail(s, name, from == s->t->sock ? sss_strerror(errno) :
					     strerror(errno));
	if (!n) {
		f->ended = true;
		return 0;
	}
	f->start = 0;
	f->end = n;
	return 0;
}

static ssize_t drain(struct flow *f, int to)
{
	ssize_t n = write_some(to, f->buf + f->start, f->end - f->start);

	if (n > 0)
		f->start += n;
	return n;
}

/* Input that nobody takes any more */
static void give_up_sending(struct state *s)
{
	s->up.start = s->up.end = 0;
	s->up.ended = s->up.done = true;
	fail(s, "sending", "the peer reads no more");
}

static int send_up(struct state *s)
{
	ssize_t n = drain(&s->up, s->t->sock);

	if (n > 0) {
		s->t->sent += n;
		moved(s);
	} else if (n < 0 && errno == EPIPE) {
		give_up_sending(s);	/* but go on reading */
	} else if (n < 0 && !is_later()) {
		return fail(s, "sending", sss_strerror(errno));
	}
	return 0;
}

static int write_down(struct state *s)
{
	ssize_t n = drain(&s->down, s->t->out);

	if (n > 0)
		moved(s);
	else if (n < 0 && !is_later())
		return fail(s, s->t->opt->out ?: "standard output", strerror(errno));
	return 0;
}

static int receive(struct state *s)
{
	if (fill(s, &s->down, s->t->sock, "receiving"))
		return -1;
	if (empty(&s->down))
		return 0;
	s->t->received += s->down.end;
	moved(s);
	return 0;
}

/* Whoever sits at a terminal has nothing more to say to a peer that has ended. */
static void end_flows(struct state *s)
{
	s->down.done = s->down.ended && empty(&s->down);
	if (s->down.done && s->in_terminal)
		s->up.ended = true;
	if (s->up.ended && empty(&s->up) && !s->up.done) {
		s->up.done = true;
		shutdown(s->t->sock, SHUT_WR);
	}
}

enum { SOCK, IN, OUT, FDS };

static void choose(const struct state *s, struct pollfd *fds)
{
	bool receive = !s->down.ended && empty(&s->down);
	bool send = !empty(&s->up);

	fds[SOCK].events = (receive ? POLLIN : 0) | (send ? POLLOUT : 0);
	/* Asked for nothing it still tells when the peer has closed. */
	fds[SOCK].fd = fds[SOCK].events || s->down.done ? s->t->sock : -1;
	fds[IN].fd = !s->up.ended && empty(&s->up) ? s->t->in : -1;
	fds[IN].events = POLLIN;
	fds[OUT].fd = empty(&s->down) ? -1 : s->t->out;
	fds[OUT].events = POLLOUT;
}

static int step(struct state *s, const struct pollfd *fds)
{
	const short in = POLLIN | POLLHUP | POLLERR, out = POLLOUT | POLLHUP | POLLERR;

	if (fds[IN].revents & (in | POLLNVAL) &&
	    fill(s, &s->up, s->t->in, s->t->opt->in ?: "standard input"))
		return -1;
	if (fds[SOCK].revents & in && fds[SOCK].events & POLLIN && receive(s))
		return -1;
	/* What was just read may well go at once. */
	if (!empty(&s->up) && send_up(s))
		return -1;
	if (!empty(&s->down) && (fds[OUT].fd < 0 || fds[OUT].revents & (out | POLLNVAL)) &&
	    write_down(s))
		return -1;
	/* The peer has closed: nobody will take what standard input may still bring. */
	if (fds[SOCK].revents & POLLHUP && s->down.ended && empty(&s->up))
		s->up.ended = true;
	return 0;
}

/* Waits for @fds, shows progress. 0: go on, else the transfer is over. */
static int wait(struct state *s, struct pollfd *fds, int n, int timeout)
{
	const struct options *opt = s->t->opt;

	if (poll(fds, n, timeout) < 0 && errno != EINTR)
		return fail(s, "poll", strerror(errno));
	progress(s->t);
	if (opt->timeout >= 0 && clock_us() - s->last_moved > opt->timeout * 1000ULL) {
		progress_end(s->t);
		complain("nothing happened for %g seconds", opt->timeout / 1000.0);
		s->result = EXIT_TIMEOUT;
		return -1;
	}
	return 0;
}

/* close() would deliver the rest, too, but only so we can tell that it did. */
static void flush(struct state *s)
{
	int left, last = -1, err = 0;
	socklen_t len = sizeof(err);

	while (!ioctl(s->t->sock, SIOCOUTQ, &left) && left) {
		if (left != last)
			s->last_moved = clock_us();
		last = left;
		if (wait(s, NULL, 0, FLUSH_TICK))
			return;
		if (getsockopt(s->t->sock, SOL_SOCKET, SO_ERROR, &err, &len) || err) {
			fail(s, "sending", sss_strerror(err ?: errno));
			return;
		}
	}
}

/*
 * Makes a pipe or a terminal not wait, for this process alone: O_NONBLOCK on
 * the open file itself would hit everybody who shares it.
 */
static void reopen(int fd, int flags)
{
	char path[32];
	struct stat st;
	int own;

	if (fstat(fd, &st) || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return;
	dup2(own, fd);
	close(own);
}

/* A job in the background has no standard input to read, though it may look so. */
static bool in_background(int fd)
{
	pid_t foreground = tcgetpgrp(fd);

	return foreground > 0 && foreground != getpgrp();
}

int transfer(struct transfer *t)
{
	static char up[BUFFER], down[BUFFER];
	struct state s = { .t = t, .up.buf = up, .down.buf = down, .last_moved = clock_us() };
	struct pollfd fds[FDS];

	s.in_terminal = isatty(t->in);
	s.up.ended = s.in_terminal && in_background(t->in);
	reopen(t->in, O_RDONLY);
	reopen(t->out, O_WRONLY);
	end_flows(&s);
	while (!s.up.done || !s.down.done) {
		choose(&s, fds);
		if (wait(&s, fds, FDS, TICK) || step(&s, fds))
			return s.result;
		end_flows(&s);
	}
	if (!s.result)
		flush(&s);
	return s.result;
}
