// SPDX-License-Identifier: GPL-2.0
/* listen() and accept() */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include "base/netns.h"
#include "peer/service.h"
#include "stream/stream.h"
#include "wire/frame.h"
#include "socket.h"

/* poll() looks at the listener under the spinlock alone. */
static void set_listener(struct sock *sk, struct sss_listener *listener)
{
	spin_lock_bh(&sk->sk_lock.slock);
	sss_sk(sk)->listener = listener;
	WRITE_ONCE(sk->sk_state, listener ? TCP_LISTEN : TCP_CLOSE);
	spin_unlock_bh(&sk->sk_lock.slock);
}

/**
 * __sss_sock_stop_listening() - the names are free again, who waits is refused
 * @sk: socket lock held, in state TCP_LISTEN
 */
void __sss_sock_stop_listening(struct sock *sk)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_listener *listener = ss->listener;

	lockdep_assert_held(&sk->sk_lock);
	sss_service_del(sss_netns(sock_net(sk)), ss->service);
	ss->service = NULL;
	set_listener(sk, NULL);
	sss_listener_close(listener);
}

static int start_listening(struct sock *sk, u32 backlog)
{
	struct sss_net *sn = sss_netns(sock_net(sk));
	struct sss_sock *ss = sss_sk(sk);
	struct sss_listener *listener;
	struct sss_service *service;
	int err;

	if (!ss->local.sss_service[0])
		return -EDESTADDRREQ;
	err = sss_sock_check_listen(sn, ss->host);
	if (err)
		return err;
	listener = sss_listener_create(sk, backlog);
	if (!listener)
		return -ENOMEM;
	/* Who finds the service by RCU looks at its socket. */
	sock_set_flag(sk, SOCK_RCU_FREE);
	/* Streams may arrive as soon as the names are known. */
	set_listener(sk, listener);
	service = sss_service_add(sn, ss->host, sk, SSS_KIND_STREAM, ss->local.sss_service,
				  ss->local.sss_protocol, ss->service_desc ?: "",
				  ss->protocol_desc ?: "");
	if (IS_ERR(service)) {
		set_listener(sk, NULL);
		sss_listener_close(listener);
		return PTR_ERR(service);
	}
	ss->service = service;
	return 0;
}

/**
 * sss_sock_listen() - listen()
 * @sock: socket bound to names
 * @backlog: streams that may wait for accept(), cut to net.core.somaxconn by
 *	the core; a second call changes it
 *
 * Return: 0, -EINVAL for a stream, -EDESTADDRREQ without names, -EADDRINUSE if
 * somebody listens on them, -ENOKEY, -EACCES, -ENOMEM.
 */
int sss_sock_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	u32 limit = max(backlog, 1);
	int err = -EINVAL;

	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN) {
		sss_listener_set_backlog(sss_sk(sk)->listener, limit);
		err = 0;
	} else if (sock->state == SS_UNCONNECTED && sk->sk_state == TCP_CLOSE) {
		err = start_listening(sk, limit);
	}
	if (!err)
		WRITE_ONCE(sk->sk_max_ack_backlog, limit);
	release_sock(sk);
	return err;
}

/* The next stream, a reference; socket lock held. */
static struct sss_stream *wait_for_stream(struct sock *sk, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sss_stream *st;
	int err;

	add_wait_queue(sk_sleep(sk), &wait);
	for (;;) {
		err = -EINVAL;
		if (sk->sk_state != TCP_LISTEN)
			break;
		st = sss_listener_accept(sss_sk(sk)->listener);
		err = 0;
		if (st)
			break;
		err = -EAGAIN;
		if (!timeo)
			break;
		err = sock_intr_errno(timeo);
		if (signal_pending(current))
			break;
		release_sock(sk);
		timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
		lock_sock(sk);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err ? ERR_PTR(err) : st;
}

/* What a stream inherits from the socket it was accepted on; as TCP's do. */
static void inherit(struct sock *sk, const struct sock *from)
{
	const struct sss_sock *lss = sss_sk(from);

	sk->sk_sndbuf = from->sk_sndbuf;
	sk->sk_rcvbuf = from->sk_rcvbuf;
	sk->sk_userlocks = from->sk_userlocks & (SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK);
	sk->sk_rcvlowat = from->sk_rcvlowat;
	sk->sk_rcvtimeo = from->sk_rcvtimeo;
	sk->sk_sndtimeo = from->sk_sndtimeo;
	sk->sk_priority = from->sk_priority;
	sk->sk_mark = from->sk_mark;
	sk->sk_lingertime = from->sk_lingertime;
	if (sock_flag(from, SOCK_LINGER))
		sock_set_flag(sk, SOCK_LINGER);
	if (sock_flag(from, SOCK_KEEPOPEN))
		sock_set_flag(sk, SOCK_KEEPOPEN);
	sss_sk(sk)->user_timeout = lss->user_timeout;
	sss_sk(sk)->cork = lss->cork;
}

static void take_stream(struct sock *sk, struct sss_stream *st, struct socket *newsock)
{
	struct sss_sock *ss = sss_sk(sk);

	lock_sock(sk);
	sock_graft(sk, newsock);
	newsock->state = SS_CONNECTED;
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	sss_stream_get_addresses(st, &ss->local, &ss->remote);
	sss_stream_set_user_timeout(st, ss->user_timeout);
	__sss_sock_set_stream(sk, st);
	sss_stream_attach(st, sk);
	/* It had a life before it had a socket. */
	__sss_sock_update(sk);
	release_sock(sk);
}

/**
 * sss_sock_accept() - accept() and accept4()
 * @sock: listening socket
 * @newsock: becomes the stream's
 * @flags: O_NONBLOCK
 * @kern: @newsock is the kernel's own
 *
 * The new socket is allocated here, in the process that wants it, which is
 * charged for it and for the data that already waits.
 *
 * Return: 0, -EINVAL if not listening, -EAGAIN, -EINTR, -ENOMEM (the stream
 * is reset).
 */
int sss_sock_accept(struct socket *sock, struct socket *newsock, int flags, bool kern)
{
	struct sock *lsk = sock->sk, *sk = NULL;
	struct sss_stream *st;

	lock_sock(lsk);
	st = wait_for_stream(lsk, sock_rcvtimeo(lsk, flags & O_NONBLOCK));
	if (!IS_ERR(st)) {
		sk = sss_sock_alloc(sock_net(lsk), NULL, lsk->sk_type, kern);
		if (sk)
			inherit(sk, lsk);
	}
	release_sock(lsk);

	if (IS_ERR(st))
		return PTR_ERR(st);
	if (!sk) {
		sss_stream_reset(st, SSS_RESET_CLOSED, "no memory to accept the stream");
		sss_stream_close(st);
		sss_stream_put(st);
		return -ENOMEM;
	}
	take_stream(sk, st, newsock);
	return 0;
}
