// SPDX-License-Identifier: GPL-2.0
/* recv(), recvmsg(), read(), splice() from a stream */
#include <linux/sched/signal.h>
#include "base/netns.h"
#include "stream/stream.h"
#include "socket.h"

/**
 * __sss_sock_readable() - would recv() return at once?
 * @sk: has a stream; socket lock or its spinlock held
 *
 * SO_RCVLOWAT counts, but never more than half of what the peer may send
 * ahead: it could not come.
 */
bool __sss_sock_readable(const struct sock *sk)
{
	const struct sss_stream *st = sss_sk(sk)->stream;
	int lowat = READ_ONCE(sk->sk_rcvlowat);

	lockdep_assert(lockdep_sock_is_held(sk));
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return true;
	if (lowat <= 1 || sss_recvq_records(st) || !sss_recvq_queued(st))
		return sss_recvq_readable(st);
	return sss_recvq_queued(st) >= min_t(u32, lowat, sss_recvq_capacity(st) / 2);
}

/**
 * sss_sock_set_rcvlowat() - SO_RCVLOWAT
 * @sk: socket lock held
 * @val: bytes
 *
 * Return: 0.
 */
int sss_sock_set_rcvlowat(struct sock *sk, int val)
{
	WRITE_ONCE(sk->sk_rcvlowat, val ?: 1);
	if (sss_sk(sk)->stream && __sss_sock_readable(sk))
		sk->sk_data_ready(sk);
	return 0;
}

/*
 * Nothing (more) is there. Returns 0 after a sleep; 1: no more will come, or
 * @got bytes are to be returned first; or a negative errno.
 */
static int wait_for_data(struct sock *sk, struct sss_stream *st, long *timeo, size_t got)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	if (sss_sk(sk)->stream != st)
		return got ? 1 : -ENOTCONN;
	if (sss_recvq_at_end(st))
		return 1;
	if (sk->sk_err)
		return got ? 1 : sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 1;
	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);

	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	release_sock(sk);
	*timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, *timeo);
	lock_sock(sk);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	return 0;
}

/* For MSG_PEEK, which makes no room: never wait for more than can come. */
static bool enough_to_peek(const struct sss_stream *st, u32 target)
{
	return sss_recvq_queued(st) >= clamp_t(u32, target, 1, max(sss_recvq_capacity(st), 1u));
}

/* Once enough is there, or no more will come, all in one copy. */
static ssize_t peek(struct sock *sk, struct msghdr *msg, size_t len, int flags, long timeo)
{
	struct sss_stream *st = sss_sk(sk)->stream;
	u32 target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	int err = 0, n;

	if (!len)
		return 0;
	while (!err && !sss_recvq_records(st) && !enough_to_peek(st, target))
		err = wait_for_data(sk, st, &timeo, sss_recvq_queued(st));
	if (sss_sk(sk)->stream != st)
		return -ENOTCONN;
	n = sss_recvq_copy(st, sk, msg, len, flags);
	if (n)
		return n;
	return err < 0 ? err : 0;
}

/* One record, or the rest of the stream. */
static ssize_t receive_record(struct sock *sk, struct msghdr *msg, size_t len, int flags,
			      long timeo)
{
	struct sss_stream *st = sss_sk(sk)->stream;
	int ret;

	for (;;) {
		ret = sss_recvq_copy(st, sk, msg, len, flags);
		if (ret || msg->msg_flags & (MSG_EOR | MSG_TRUNC))
			return ret;
		ret = wait_for_data(sk, st, &timeo, 0);
		if (ret)
			return ret > 0 ? 0 : ret;
		if (sss_sk(sk)->stream != st)
			return -ENOTCONN;
	}
}

static ssize_t receive(struct sock *sk, struct msghdr *msg, size_t len, int flags, long timeo)
{
	struct sss_stream *st = sss_sk(sk)->stream;
	size_t target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	size_t got = 0;
	int ret;

	while (got < len) {
		ret = sss_recvq_copy(st, sk, msg, len - got, flags | (got ? MSG_EOR : 0));
		if (ret < 0)
			return got ?: ret;
		got += ret;
		if (got >= target || msg->msg_flags & MSG_EOR)
			break;
		ret = wait_for_data(sk, st, &timeo, got);
		if (ret)
			return got ?: (ret > 0 ? 0 : ret);
		if (sss_sk(sk)->stream != st)
			return got ?: -ENOTCONN;
	}
	return got;
}

/**
 * sss_sock_recvmsg() - recvmsg() and all that ends in it
 * @sock: socket
 * @msg: where data goes; no address is returned, getpeername() has it
 * @len: bytes wanted
 * @flags: MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT as on TCP; MSG_TRUNC: throw the
 *	data away; MSG_ERRQUEUE: errqueue.c
 *
 * Return: bytes, 0 at the end of the stream; -EOPNOTSUPP for MSG_OOB,
 * -ENOTCONN, -EAGAIN, -EINTR, -EFAULT, or what broke the stream, after all
 * that came in order before it.
 */
int sss_sock_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	ssize_t ret = -ENOTCONN;
	long timeo;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return sss_sock_recv_errqueue(sk, msg, len, flags);
	len = min_t(size_t, len, MAX_RW_COUNT);
	lock_sock(sk);
	flags &= ~MSG_EOR;
	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	if (!sss_sk(sk)->stream)
		;
	else if (sk->sk_type == SOCK_SEQPACKET)
		ret = receive_record(sk, msg, len, flags, timeo);
	else if (flags & MSG_PEEK)
		ret = peek(sk, msg, len, flags, timeo);
	else
		ret = receive(sk, msg, len, flags, timeo);
	release_sock(sk);
	return ret;
}
