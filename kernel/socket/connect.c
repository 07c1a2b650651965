// SPDX-License-Identifier: GPL-2.0
/* connect(): a stream to a service of a peer */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include "base/netns.h"
#include "channel/channel.h"
#include "peer/host.h"
#include "peer/peer.h"
#include "stream/stream.h"
#include "wire/frame.h"
#include "socket.h"

/* A channel may close between finding and using it; another one takes its place. */
#define CONNECT_TRIES	3

/* The identity to dial as: the bound one or the default. A reference. */
static struct sss_host *local_host(struct sock *sk)
{
	struct sss_host *host = sss_sk(sk)->host;
	int err;

	if (host) {
		if (READ_ONCE(host->dead) || !sss_host_get(host))
			return ERR_PTR(-ENOKEY);
	} else {
		host = sss_host_get_default(sss_netns(sock_net(sk)));
		if (!host)
			return ERR_PTR(-ENOKEY);
	}
	err = sss_host_may(host, MAY_READ);
	if (!err)
		return host;
	sss_host_put(host);
	return ERR_PTR(err);
}

static int open_on_channel(struct sock *sk, struct sss_stream *st, struct sss_peer *peer,
			   const struct sss_request *request, bool *live)
{
	struct sss_channel *ch = sss_channel_get_for_peer(peer);
	int err;

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	*live = READ_ONCE(ch->state) == SSS_CHANNEL_OPEN;
	err = sss_stream_connect(st, sk, ch, request, sss_sk(sk)->family);
	if (err)
		sss_channel_unused(ch);
	sss_channel_put(ch);
	return err;
}

/*
 * Opens the stream on the channel to the peer. @live: keys were there already. A peer
 * that was only learnt may go at the same time, with a channel that ended.
 */
static int open_stream(struct sock *sk, struct sss_stream *st, struct sss_host *host,
		       const struct sss_request *request, const struct sss_eid *eid,
		       bool *live)
{
	struct sss_peer *peer;
	int tries, err = 0;
	bool gone;

	for (tries = 0; tries < CONNECT_TRIES; tries++) {
		peer = __sss_sock_hinted_peer(sk, host, eid);
		if (IS_ERR(peer))
			return PTR_ERR(peer);
		err = open_on_channel(sk, st, peer, request, live);
		gone = READ_ONCE(peer->dead);
		if (err)
			sss_peer_release_learnt(peer);
		sss_peer_put(peer);
		if (err != -ESTALE && !(gone && err == -EHOSTUNREACH))
			return err;
	}
	/* Others failed, too, and took the channel with them each time. */
	return -EHOSTUNREACH;
}

/* Leaves the socket as it was before connect(), but for sk_err. */
static void clear(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct sss_sock *ss = sss_sk(sk);

	__sss_sock_set_stream(sk, NULL);
	WRITE_ONCE(sk->sk_shutdown, 0);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	sock->state = SS_UNCONNECTED;
	memset(&ss->remote, 0, sizeof(ss->remote));
	if (!ss->host)
		memset(&ss->local.sss_eid, 0, sizeof(ss->local.sss_eid));
}

/**
 * __sss_sock_abort_connect() - give up a connect() under way, or a failed one
 * @sock: its lock held; has a stream
 */
void __sss_sock_abort_connect(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct sss_stream *st = sss_sk(sk)->stream;

	lockdep_assert_held(&sk->sk_lock);
	if (!sss_sk(sk)->failed)
		sss_stream_reset(st, SSS_RESET_CLOSED, NULL);
	sss_stream_close(st);
	/* it may have looked connected for a while, and listened for children */
	if (sss_sk(sk)->listener)
		__sss_sock_unlisten_stream(sk);
	sss_stream_settle(st, sk);
	clear(sock);
}

/**
 * __sss_sock_dial() - open a root stream that is not the socket's own
 * @sk: socket lock held; the stream takes a reference
 * @st: from sss_stream_create()
 * @to: the peer and both names
 * @kind: SSS_KIND_*
 * @from: filled: the identity it is opened as
 *
 * Return: 0, the answer comes later; or as sss_sock_connect()
 */
int __sss_sock_dial(struct sock *sk, struct sss_stream *st, const struct sockaddr_sss *to,
		    u8 kind, struct sss_eid *from)
{
	struct sss_request request = { .kind = kind };
	struct sss_host *host = local_host(sk);
	bool live;
	int err;

	lockdep_assert_held(&sk->sk_lock);
	if (IS_ERR(host))
		return PTR_ERR(host);
	strscpy(request.service, to->sss_service, sizeof(request.service));
	strscpy(request.protocol, to->sss_protocol, sizeof(request.protocol));
	memcpy(from->key, host->identity.eid, SSS_EID_LEN);
	err = -EADDRNOTAVAIL;
	if (memcmp(from->key, to->sss_eid.key, SSS_EID_LEN))
		err = open_stream(sk, st, host, &request, &to->sss_eid, &live);
	sss_host_put(host);
	return err;
}

static int start(struct socket *sock, const struct sockaddr_sss *to, bool fastopen)
{
	struct sss_request request = { .kind = SSS_KIND_STREAM };
	struct sock *sk = sock->sk;
	struct sss_sock *ss = sss_sk(sk);
	struct sss_host *host = local_host(sk);
	struct sss_stream *st;
	bool live = false;
	int err;

	if (IS_ERR(host))
		return PTR_ERR(host);
	err = -EADDRNOTAVAIL;
	if (!memcmp(host->identity.eid, to->sss_eid.key, SSS_EID_LEN))
		goto put_host;
	err = -ENOMEM;
	st = sss_stream_create(request.kind, GFP_KERNEL);
	if (!st)
		goto put_host;
	kfree(ss->status);
	ss->status = NULL;
	sss_stream_set_user_timeout(st, ss->user_timeout);
	if (sss_errqueue_get_events(sk))
		sss_event_watch(st);
	if (ss->priority.weight)
		sss_stream_set_priority(st, &ss->priority, ss->above);
	sss_stream_set_background(st, sk, ss->background);
	strscpy(request.service, to->sss_service, sizeof(request.service));
	strscpy(request.protocol, to->sss_protocol, sizeof(request.protocol));
	memcpy(ss->local.sss_eid.key, host->identity.eid, SSS_EID_LEN);
	ss->remote = *to;
	__sss_sock_set_stream(sk, st);
	/* Before anything can happen to the stream. */
	WRITE_ONCE(sk->sk_state, TCP_SYN_SENT);
	err = open_stream(sk, st, host, &request, &to->sss_eid, &live);
	if (err)
		clear(sock);
	else if (fastopen && live)
		WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
put_host:
	sss_host_put(host);
	return err;
}

/* Returns what is left of the time. */
static long wait_for_answer(struct sock *sk, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(sk_sleep(sk), &wait);
	while (timeo && sk->sk_state == TCP_SYN_SENT && !signal_pending(current)) {
		release_sock(sk);
		timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
		lock_sock(sk);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return timeo;
}

/* The answer is there: tell it, once. SSS_STATUS can be read afterwards. */
static int conclude(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct sss_sock *ss = sss_sk(sk);
	int err;

	if (!ss->failed) {
		sock->state = SS_CONNECTED;
		return 0;
	}
	err = sock_error(sk);
	ss->status = kzalloc(sizeof(*ss->status), GFP_KERNEL_ACCOUNT);
	if (ss->status)
		sss_stream_get_status(ss->stream, ss->status);
	__sss_sock_abort_connect(sock);
	return err ?: -ECONNABORTED;
}

/**
 * __sss_sock_connect() - connect() with the socket lock held
 * @sock: socket
 * @uaddr: the peer and both names
 * @len: bytes of @uaddr
 * @flags: O_NONBLOCK
 * @fastopen: on a live channel do not wait for the answer
 *
 * Return: see sss_sock_connect().
 */
int __sss_sock_connect(struct socket *sock, struct sockaddr *uaddr, int len, int flags,
		       bool fastopen)
{
	struct sock *sk = sock->sk;
	struct sockaddr_sss to;
	long timeo;
	int err;

	lockdep_assert_held(&sk->sk_lock);
	switch (sock->state) {
	case SS_UNCONNECTED:
		err = sss_sock_parse_address(uaddr, len, true, &to);
		if (err)
			return err;
		if (sk->sk_state != TCP_CLOSE || sss_sk(sk)->stream || sss_sk(sk)->parent)
			return -EISCONN;
		err = start(sock, &to, fastopen);
		if (err)
			return err;
		sock->state = SS_CONNECTING;
		err = -EINPROGRESS;
		break;
	case SS_CONNECTING:
		err = -EALREADY;
		break;
	case SS_CONNECTED:
		return -EISCONN;
	default:
		return -EINVAL;
	}

	timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
	if (sk->sk_state == TCP_SYN_SENT) {
		timeo = wait_for_answer(sk, timeo);
		if (sk->sk_state == TCP_SYN_SENT)
			return timeo ? sock_intr_errno(timeo) : err;
	}
	/* Another thread may have given it up, or heard the answer first. */
	if (sock->state != SS_CONNECTING)
		return sock->state == SS_CONNECTED ? 0 : -ECONNABORTED;
	return conclude(sock);
}

/**
 * sss_sock_connect() - connect()
 * @sock: socket
 * @uaddr: the peer and both names
 * @len: bytes of @uaddr
 * @flags: O_NONBLOCK
 *
 * Waits for the answer of the service, at most for SO_SNDTIMEO. After a
 * failure the socket is as before and may try again.
 *
 * Return: 0; -EINVAL, -EAFNOSUPPORT: bad address; -EINPROGRESS, -EALREADY,
 * -EISCONN, -EINTR as TCP; -ENOKEY: no host; -EACCES: the host's mode or the
 * peer forbids; -EADDRNOTAVAIL: one's own EID; -EHOSTUNREACH: no endpoint is
 * known, and there is no helper; what a helper says; -ENOBUFS: too many peers are
 * asked for; -ETIMEDOUT; -EKEYREJECTED: another key answers there; -ECONNREFUSED:
 * no such service; -EPROTONOSUPPORT: no such protocol; -EPROTOTYPE; -EBUSY.
 */
int sss_sock_connect(struct socket *sock, struct sockaddr *uaddr, int len, int flags)
{
	struct sock *sk = sock->sk;
	int err;

	lock_sock(sk);
	err = __sss_sock_connect(sock, uaddr, len, flags, sss_sk(sk)->fastopen);
	release_sock(sk);
	return err;
}
