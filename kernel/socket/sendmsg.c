// SPDX-License-Identifier: GPL-2.0
/* send(), sendmsg(), write(), sendfile(), splice() to a stream */
#include <linux/sched/signal.h>
#include "base/compat.h"
#include "stream/stream.h"
#include "socket.h"

/* Without memory for data that would fit: look again after this long. */
#define NO_MEMORY_WAIT	(HZ / 20 + 1)

/* A long write leaves in parts, the first while the next is being copied. */
#define SEND_PART	65536

/* A third of the queue must be free, so that nobody is woken for every ack. */
static bool enough_room(const struct sock *sk)
{
	return sk_stream_wspace(sk) >= sk_stream_min_wspace(sk);
}

/**
 * __sss_sock_writable() - would a write of one byte be taken at once?
 * @sk: has a stream; socket lock or its spinlock held
 */
bool __sss_sock_writable(const struct sock *sk)
{
	lockdep_assert(lockdep_sock_is_held(sk));
	return enough_room(sk) && sss_sendq_writable(sss_sk(sk)->stream);
}

/**
 * sss_sock_write_space() - wake who waits for room, if there is some
 * @sk: socket lock or its spinlock held
 *
 * SOCK_NOSPACE says that somebody waits: most acknowledgements wake nobody.
 */
void sss_sock_write_space(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	struct socket_wq *wq;

	if (!sock || !sss_sk(sk)->stream || !test_bit(SOCK_NOSPACE, &sock->flags))
		return;
	if (!sss_sendq_done(sss_sk(sk)->stream) && !__sss_sock_writable(sk))
		return;
	clear_bit(SOCK_NOSPACE, &sock->flags);

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (wq && wq->fasync_list && !(sk->sk_shutdown & SEND_SHUTDOWN))
		sock_wake_async(wq, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/* -EPIPE also for what sk_err knows better: sk_stream_error() looks there. */
static int may_send(struct sock *sk, struct sss_stream *st)
{
	if (sss_sk(sk)->stream != st || sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN)
		return -EPIPE;
	return 0;
}

/* Returns 0 when it is worth trying again. @st: the stream when it all began */
static int wait_for_room(struct sock *sk, struct sss_stream *st, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	bool no_memory = __sss_sock_writable(sk);
	long left;
	int err;

	add_wait_queue(sk_sleep(sk), &wait);
	for (;;) {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		err = may_send(sk, st);
		if (err)
			break;
		if (__sss_sock_writable(sk) && !no_memory)
			break;
		err = -EAGAIN;
		if (!*timeo)
			break;
		err = sock_intr_errno(*timeo);
		if (signal_pending(current))
			break;
		left = no_memory ? min_t(long, *timeo, NO_MEMORY_WAIT) : *timeo;
		if (*timeo != MAX_SCHEDULE_TIMEOUT)
			*timeo -= left;
		release_sock(sk);
		left = wait_woken(&wait, TASK_INTERRUPTIBLE, left);
		lock_sock(sk);
		if (*timeo != MAX_SCHEDULE_TIMEOUT)
			*timeo += left;
		no_memory = false;
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

/* Control messages of ours are not defined yet; others' are not for us. */
static int check_control(struct msghdr *msg)
{
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg) || cmsg->cmsg_level == SOL_SSS)
			return -EINVAL;
	}
	return 0;
}

/* sendto(MSG_FASTOPEN): connect() and send() in one. */
static int connect_first(struct socket *sock, const struct msghdr *msg)
{
	if (!msg->msg_name)
		return -EINVAL;
	return __sss_sock_connect(sock, msg->msg_name, msg->msg_namelen,
				  msg->msg_flags & MSG_DONTWAIT ? O_NONBLOCK : 0, true);
}

/* Is there a stream, connected or soon? */
static int wait_until_connected(struct sock *sk, long *timeo)
{
	if (!sss_sk(sk)->stream)
		return -ENOTCONN;
	if (sk->sk_state == TCP_SYN_SENT)
		return sk_stream_wait_connect(sk, timeo);
	return 0;
}

/* Does a record end behind the data? -EMSGSIZE: it would be too long */
static int ends_record(const struct sock *sk, const struct msghdr *msg, size_t len)
{
	bool seq = sk->sk_type == SOCK_SEQPACKET;
	bool more = msg->msg_flags & (MSG_MORE | MSG_SENDPAGE_NOTLAST);

	if (!seq && !(msg->msg_flags & MSG_EOR))
		return 0;
	if (!sss_sendq_fits(sss_sk(sk)->stream, len))
		return -EMSGSIZE;
	return msg->msg_flags & MSG_EOR || !more;
}

/* All of it, or as much as timeout, signal or error allow. */
static ssize_t send_all(struct sock *sk, struct msghdr *msg, size_t len, long timeo)
{
	struct sss_stream *st = sss_sk(sk)->stream;
	bool more = msg->msg_flags & (MSG_MORE | MSG_SENDPAGE_NOTLAST) || sss_sk(sk)->cork;
	/* a record that SO_SNDBUF can hold is not cut because it is full */
	bool whole = sk->sk_type == SOCK_SEQPACKET && len <= READ_ONCE(sk->sk_sndbuf);
	size_t sent = 0, part;
	int ret, mark;
	bool end;

	ret = may_send(sk, st);
	mark = ret ? 0 : ends_record(sk, msg, len);
	if (mark < 0)
		return mark;
	while (!ret && (sent < len || mark)) {
		part = whole ? len - sent : min_t(size_t, len - sent, SEND_PART);
		end = mark && part == len - sent;
		ret = sss_sendq_append(st, sk, msg, part,
				       (end ? MSG_EOR : 0) | (whole ? MSG_WAITALL : 0));
		if (ret >= 0) {
			sent += ret;
			if (end && ret == part)
				mark = 0;
			if (sent < len)
				sss_sendq_push(st, true);
			ret = may_send(sk, st);
			continue;
		}
		if (ret != -EAGAIN)
			break;
		/* What waits for more must not wait for room as well. */
		sss_sendq_push(st, false);
		ret = wait_for_room(sk, st, &timeo);
	}
	/* The stream may know why before its news was handled: sk_err. */
	if (ret == -EPIPE)
		__sss_sock_update(sk);
	if ((sent || !ret) && sss_sk(sk)->stream == st)
		sss_sendq_push(st, more);
	return sent ?: ret;
}

/**
 * sss_sock_sendmsg() - sendmsg() and all that ends in it
 * @sock: socket
 * @msg: data; MSG_DONTWAIT, MSG_MORE, MSG_NOSIGNAL, MSG_FASTOPEN mean what
 *	they mean on TCP; an address is used with MSG_FASTOPEN only
 * @len: bytes of data
 *
 * What is accepted will be delivered, close() or not.
 *
 * Return: bytes accepted, maybe fewer than @len if a timeout, a signal or an
 * error came between; or -EOPNOTSUPP for MSG_OOB, -ENOTCONN, -EAGAIN, -EINTR,
 * -EPIPE (with SIGPIPE) once the stream can send no more, the stream's error.
 */
int sss_sock_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	long timeo;
	ssize_t ret;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	ret = check_control(msg);
	if (ret)
		return ret;
	lock_sock(sk);
	timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	if (msg->msg_flags & MSG_FASTOPEN && sock->state != SS_CONNECTED)
		ret = connect_first(sock, msg);
	if (!ret)
		ret = wait_until_connected(sk, &timeo);
	if (!ret)
		ret = send_all(sk, msg, min_t(size_t, len, MAX_RW_COUNT), timeo);
	if (ret < 0)
		ret = sk_stream_error(sk, msg->msg_flags, ret);
	release_sock(sk);
	return ret;
}

/**
 * sss_sock_splice_eof() - sendfile() and splice() have no more after all
 * @sock: socket
 */
void sss_sock_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;

	lock_sock(sk);
	if (sss_sk(sk)->stream && !sss_sk(sk)->cork)
		sss_sendq_push(sss_sk(sk)->stream, false);
	release_sock(sk);
}
