// SPDX-License-Identifier: GPL-2.0
/*
 * poll(), and with it select(), epoll and io_uring.
 *
 * What it says is what the next call would find: POLLIN: recv() or accept()
 * would not wait. POLLOUT: a byte would be taken, or send() would fail at
 * once. POLLRDHUP: the peer ended its half. POLLHUP: both halves are over, or
 * the socket is not connected. POLLRDBAND: accept() on a stream would give a
 * substream. POLLPRI: recvmsg(MSG_ERRQUEUE) would give something. POLLERR:
 * SO_ERROR is not 0, nothing else.
 */
#include "stream/stream.h"
#include "socket.h"

static __poll_t poll_out(struct sock *sk)
{
	if (sk->sk_shutdown & SEND_SHUTDOWN || __sss_sock_writable(sk))
		return EPOLLOUT | EPOLLWRNORM;

	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/* Room made before the bits were set woke nobody. */
	smp_mb__after_atomic();
	return __sss_sock_writable(sk) ? EPOLLOUT | EPOLLWRNORM : 0;
}

static __poll_t poll_listener(const struct sss_sock *ss)
{
	if (sss_listener_ready(ss->listener))
		return EPOLLIN | EPOLLRDNORM;
	/* accept() says so at once. */
	if (ss->parent && sss_tree_ended(ss->parent))
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return 0;
}

static __poll_t poll_stream(struct sock *sk)
{
	u8 shutdown = READ_ONCE(sk->sk_shutdown);
	__poll_t mask = 0;

	if (shutdown == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (READ_ONCE(sk->sk_state) == TCP_SYN_SENT)
		return mask;
	if (__sss_sock_readable(sk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sss_sk(sk)->listener && sss_listener_ready(sss_sk(sk)->listener))
		mask |= EPOLLRDBAND;
	return mask | poll_out(sk);
}

/**
 * sss_sock_poll() - poll()
 * @file: the socket's
 * @sock: socket
 * @wait: queue to be put on
 *
 * Does not wait for the socket lock: another thread may hold it for as long as
 * a page fault takes.
 *
 * Return: EPOLL* bits.
 */
__poll_t sss_sock_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct sss_sock *ss = sss_sk(sk);
	__poll_t mask;

	sock_poll_wait(file, sock, wait);
	spin_lock_bh(&sk->sk_lock.slock);
	if (ss->stream)
		mask = poll_stream(sk);
	else if (ss->listener)
		mask = poll_listener(ss);
	else
		mask = EPOLLHUP;
	/* Pairs with the barrier between sk_err and sk_shutdown in fail(). */
	smp_rmb();
	if (__sss_errqueue_pending(sk))
		mask |= EPOLLPRI;
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	spin_unlock_bh(&sk->sk_lock.slock);
	return mask;
}
