// SPDX-License-Identifier: GPL-2.0
/* listen() and accept() */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include "base/netns.h"
#include "peer/service.h"
#include "stream/stream.h"
#include "wire/frame.h"
#include "socket.h"

/**
 * __sss_sock_set_listener() - give a socket its listener, or take it away
 * @sk: socket lock held
 * @listener: or NULL
 * @state: TCP_*
 *
 * poll() looks at the listener under the spinlock alone.
 */
void __sss_sock_set_listener(struct sock *sk, struct sss_listener *listener, int state)
{
	lockdep_assert_held(&sk->sk_lock);
	spin_lock_bh(&sk->sk_lock.slock);
	sss_sk(sk)->listener = listener;
	WRITE_ONCE(sk->sk_state, state);
	spin_unlock_bh(&sk->sk_lock.slock);
}

/**
 * __sss_sock_unlisten_stream() - children of the stream wait for somebody else
 * @sk: socket lock held, listens on its stream, or is an acceptor
 *
 * If nobody can come any more, they are refused.
 */
void __sss_sock_unlisten_stream(struct sock *sk)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_listener *listener = ss->listener;

	lockdep_assert_held(&sk->sk_lock);
	__sss_sock_set_listener(sk, NULL, ss->parent ? TCP_CLOSE : sk->sk_state);
	sss_listener_detach(listener, sk);
	sss_tree_close(ss->parent ?: ss->stream, sk);
}

/**
 * __sss_sock_listen_on_stream() - accept() takes the children of the stream
 * @sk: socket lock held, has a stream
 * @backlog: how many may wait
 *
 * Return: 0, -EBUSY: there is an acceptor, -ENOMEM.
 */
int __sss_sock_listen_on_stream(struct sock *sk, u32 backlog)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_listener *l;

	lockdep_assert_held(&sk->sk_lock);
	l = sss_tree_listen(ss->stream, sk, backlog);
	if (IS_ERR(l))
		return PTR_ERR(l);
	if (ss->listener)
		sss_listener_put(l);
	else
		__sss_sock_set_listener(sk, l, sk->sk_state);
	return 0;
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
	if (ss->parent) {
		__sss_sock_unlisten_stream(sk);
		return;
	}
	sss_service_del(sss_netns(sock_net(sk)), ss->service);
	ss->service = NULL;
	__sss_sock_set_listener(sk, NULL, TCP_CLOSE);
	sss_listener_close(listener);
}

/**
 * __sss_sock_start_listening() - take the names that bind() gave
 * @sk: socket lock held, in state TCP_CLOSE
 * @backlog: streams that may wait
 * @kind: SSS_KIND_* of them
 *
 * Return: 0, or as sss_sock_listen()
 */
int __sss_sock_start_listening(struct sock *sk, u32 backlog, u8 kind)
{
	struct sss_net *sn = sss_netns(sock_net(sk));
	struct sss_sock *ss = sss_sk(sk);
	struct sss_listener *listener;
	struct sss_service *service;
	int err;

	lockdep_assert_held(&sk->sk_lock);
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
	__sss_sock_set_listener(sk, listener, TCP_LISTEN);
	service = sss_service_add(sn, ss->host, sk, kind, ss->local.sss_service,
				  ss->local.sss_protocol, ss->service_desc ?: "",
				  ss->protocol_desc ?: "");
	if (IS_ERR(service)) {
		__sss_sock_set_listener(sk, NULL, TCP_CLOSE);
		sss_listener_close(listener);
		return PTR_ERR(service);
	}
	ss->service = service;
	return 0;
}

/* Of a socket that listens already */
static int set_backlog(struct sock *sk, u32 backlog)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_listener *l;

	if (!ss->parent) {
		sss_listener_set_backlog(ss->listener, backlog);
		return 0;
	}
	l = sss_tree_listen(ss->parent, sk, backlog);
	if (IS_ERR(l))
		return PTR_ERR(l);
	sss_listener_put(l);
	return 0;
}

/**
 * sss_sock_listen() - listen()
 * @sock: socket bound to names; or a stream, or its acceptor: for its substreams
 * @backlog: streams that may wait for accept(), cut to net.core.somaxconn by
 *	the core; a second call changes it
 *
 * Return: 0, -EINVAL for a socket that is neither, -EDESTADDRREQ without names,
 * -EADDRINUSE if somebody listens on them, -EBUSY: the stream has an acceptor,
 * -ENOKEY, -EACCES, -ENOMEM.
 */
int sss_sock_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	u32 limit = max(backlog, 1);
	int err = -EINVAL;

	lock_sock(sk);
	if (sss_sk(sk)->stream && sk->sk_state == TCP_ESTABLISHED) {
		err = __sss_sock_listen_on_stream(sk, limit);
	} else if (sk->sk_state == TCP_LISTEN) {
		err = set_backlog(sk, limit);
	} else if (sock->state == SS_UNCONNECTED && sk->sk_state == TCP_CLOSE &&
		   !sss_sk(sk)->parent) {
		err = __sss_sock_start_listening(sk, limit, SSS_KIND_STREAM);
	}
	if (!err)
		WRITE_ONCE(sk->sk_max_ack_backlog, limit);
	release_sock(sk);
	return err;
}

/* Nothing waits, and nothing will any more. */
static bool ended(const struct sss_sock *ss)
{
	const struct sss_stream *parent = ss->parent ?: ss->stream;

	return parent && sss_tree_ended(parent);
}

/* The next stream, a reference; NULL: none. It stays if there is no memory for @new. */
static struct sss_stream *take_stream(struct sock *sk, bool kern, struct sock **new)
{
	struct sss_listener *l = sss_sk(sk)->listener;

	if (!sss_listener_ready(l))
		return NULL;
	if (!*new)
		*new = sss_sock_alloc(sock_net(sk), NULL, sk->sk_type, kern);
	return *new ? sss_listener_accept(l) : ERR_PTR(-ENOMEM);
}

/* The next stream, a reference, and in @new a socket for it; socket lock held. */
static struct sss_stream *wait_for_stream(struct sock *sk, long timeo, bool kern,
					  struct sock **new)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sss_sock *ss = sss_sk(sk);
	struct sss_stream *st;
	int err;

	add_wait_queue(sk_sleep(sk), &wait);
	for (;;) {
		err = -EINVAL;
		if (!ss->listener)
			break;
		st = take_stream(sk, kern, new);
		err = PTR_ERR_OR_ZERO(st);
		if (st)
			break;
		err = -EINVAL;
		if (ended(ss))
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

/**
 * sss_sock_inherit() - take options over, as TCP's do
 * @sk: new socket, nobody else knows it
 * @from: socket it was accepted on, or that of the parent; locked
 */
void sss_sock_inherit(struct sock *sk, const struct sock *from)
{
	const struct sss_sock *lss = sss_sk(from);

	sss_sk(sk)->records = lss->records;
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
	sss_sk(sk)->reliable = lss->reliable;
	sss_sk(sk)->deadline = lss->deadline;
	sss_sk(sk)->listen_inherit = lss->listen_inherit;
	sss_sk(sk)->background = lss->background;
	sk->sk_max_ack_backlog = from->sk_max_ack_backlog;
	/* a child's addresses are its parent's */
	if (!lss->remote.sss_family)
		return;
	sss_sk(sk)->local = lss->local;
	sss_sk(sk)->remote = lss->remote;
}

/**
 * sss_sock_graft() - make a stream that was accepted the new socket's
 * @sk: from sss_sock_alloc(), nobody else knows it
 * @st: stream, its reference is the socket's
 * @newsock: from accept()
 */
void sss_sock_graft(struct sock *sk, struct sss_stream *st, struct socket *newsock)
{
	struct sss_sock *ss = sss_sk(sk);

	lock_sock(sk);
	sock_graft(sk, newsock);
	newsock->state = SS_CONNECTED;
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	if (!ss->remote.sss_family)
		sss_stream_get_addresses(st, &ss->local, &ss->remote);
	sss_stream_set_user_timeout(st, ss->user_timeout);
	__sss_sock_set_stream(sk, st);
	sss_stream_attach(st, sk);
	if (ss->background)
		sss_stream_set_background(st, sk, true);
	/* Without memory the children wait until the program asks for them. */
	if (ss->listen_inherit)
		__sss_sock_listen_on_stream(sk, sk->sk_max_ack_backlog);
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
 * waits on).
 */
int sss_sock_accept(struct socket *sock, struct socket *newsock, int flags, bool kern)
{
	struct sock *lsk = sock->sk, *sk = NULL;
	struct sss_stream *st;

	lock_sock(lsk);
	st = wait_for_stream(lsk, sock_rcvtimeo(lsk, flags & O_NONBLOCK), kern, &sk);
	if (!IS_ERR(st))
		sss_sock_inherit(sk, lsk);
	release_sock(lsk);

	if (IS_ERR(st)) {
		if (sk)
			sock_put(sk);
		return PTR_ERR(st);
	}
	sss_sock_graft(sk, st, newsock);
	return 0;
}
