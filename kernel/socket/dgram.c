// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_DGRAM: the datagrams of one stream end, or of all who call a service.
 *
 * A socket that was opened on a stream has that stream (@parent) and the queue
 * of what arrives (@listener). One from socket() has links to its peers
 * (dgram_link.c) and, bound to names, the queue of those that call (@listener).
 * Both have what they sent, as long as something of it is in memory (@messages):
 * each is a stream of its own, on this socket's account.
 */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sockios.h>
#include <linux/compat.h>
#include <linux/uaccess.h>
#include "base/compat.h"
#include "peer/host.h"
#include "stream/dgram.h"
#include "wire/frame.h"
#include "dgram_link.h"
#include "socket.h"

#include <asm/ioctls.h>

#define MESSAGES_MOST	1024	/* sent and not done with */
#define CALLS_MOST	128	/* links that wait until the program looks */
#define NO_MEMORY_WAIT	(HZ / 20 + 1)

/**
 * struct message - a datagram that was sent
 * @node: in sss_sock.messages
 * @st: reference
 */
struct message {
	struct list_head node;
	struct sss_stream *st;
};

/**
 * struct manner - how a datagram is to be sent
 * @reliable: it has to arrive
 * @deadline: ms until it is given up, 0: never
 */
struct manner {
	bool reliable;
	u32 deadline;
};

static int why_ended(const struct sss_stream *parent)
{
	return -sss_stream_error(parent) ?: -ENOTCONN;
}

/**
 * __sss_sock_dgram_update() - forget what is sent
 * @sk: socket lock held, or its spinlock while nobody has it
 */
void __sss_sock_dgram_update(struct sock *sk)
{
	struct sss_sock *ss = sss_sk(sk);
	struct message *m, *next;

	list_for_each_entry_safe(m, next, &ss->messages, node) {
		/* asked first: once it is, the account changes no more */
		bool over = sss_dgram_over(m->st);

		sss_stream_settle(m->st, sk);
		if (!over)
			continue;
		list_del(&m->node);
		WRITE_ONCE(ss->n_messages, ss->n_messages - 1);
		sss_stream_put(m->st);
		kfree(m);
	}
}

static bool has_room(const struct sock *sk)
{
	return READ_ONCE(sk->sk_wmem_queued) < READ_ONCE(sk->sk_sndbuf) &&
	       READ_ONCE(sss_sk(sk)->n_messages) < MESSAGES_MOST;
}

/**
 * __sss_sock_dgram_wake() - wake who waits for room, if there is some
 * @sk: socket lock held, or its spinlock while nobody has it
 */
void __sss_sock_dgram_wake(struct sock *sk)
{
	if (has_room(sk) && sk->sk_socket &&
	    test_and_clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		sk->sk_state_change(sk);
}

static int parse_control(struct msghdr *msg, struct manner *how)
{
	struct cmsghdr *cmsg;
	int value;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_SSS)
			continue;
		if (cmsg->cmsg_len != CMSG_LEN(sizeof(value)))
			return -EINVAL;
		memcpy(&value, CMSG_DATA(cmsg), sizeof(value));
		if (cmsg->cmsg_type == SSS_RELIABLE)
			how->reliable = value;
		else if (cmsg->cmsg_type == SSS_DEADLINE && value >= 0)
			how->deadline = value;
		else
			return -EINVAL;
	}
	return 0;
}

/**
 * sss_sock_dgram_sleep() - wait until something happens
 * @sk: socket, locked, and locked again afterwards
 * @timeo: jiffies left; less by what was waited
 * @most: jiffies
 *
 * Return: 0, -EAGAIN, -EINTR, -ERESTARTSYS
 */
int sss_sock_dgram_sleep(struct sock *sk, long *timeo, long most)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	long left = min(*timeo, most);

	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo -= left;
	add_wait_queue(sk_sleep(sk), &wait);
	release_sock(sk);
	left = wait_woken(&wait, TASK_INTERRUPTIBLE, left);
	lock_sock(sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo += left;
	return 0;
}

static int wait_for_room(struct sock *sk, const struct sss_stream *parent, long *timeo)
{
	int err = 0;

	while (!err) {
		if (sss_tree_ended(parent))
			return why_ended(parent);
		if (has_room(sk))
			return 0;
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		__sss_sock_dgram_update(sk);
		if (has_room(sk))
			return 0;
		err = sss_sock_dgram_sleep(sk, timeo, MAX_SCHEDULE_TIMEOUT);
	}
	return err;
}

/* The whole of it; the last part may have to wait for memory. */
static int append(struct sock *sk, struct sss_stream *st, struct msghdr *msg, size_t len,
		  long *timeo)
{
	int n;

	while (len) {
		n = sss_sendq_append(st, sk, msg, len, MSG_WAITALL);
		if (n == -EAGAIN)
			n = sss_sock_dgram_sleep(sk, timeo, NO_MEMORY_WAIT);
		if (n < 0)
			return n;
		len -= n;
	}
	return 0;
}

static int send_one(struct sock *sk, struct sss_stream *parent, struct msghdr *msg, size_t len,
		    const struct manner *how, long *timeo)
{
	struct sss_priority priority;
	struct sss_stream *st;
	struct message *m;
	int err;

	m = kmalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	st = sss_stream_create(SSS_KIND_DATAGRAM, GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (!m || !st)
		goto free;
	sss_stream_get_priority(parent, &priority);
	sss_stream_set_priority(st, &priority, sss_stream_is_above(parent));
	sss_stream_set_background(st, sk, sss_sk(sk)->background);
	err = sss_dgram_open(parent, st, sk, len, how->reliable);
	if (err)
		goto free;
	m->st = st;
	sss_stream_get(st);	/* it may be over, and forgotten, while this waits for memory */
	list_add_tail(&m->node, &sss_sk(sk)->messages);
	WRITE_ONCE(sss_sk(sk)->n_messages, sss_sk(sk)->n_messages + 1);
	err = append(sk, st, msg, len, timeo);
	if (err)
		sss_dgram_give_up(st);
	else
		sss_dgram_send(st, how->deadline);
	sss_stream_settle(st, sk);	/* it may be forgotten already */
	__sss_sock_dgram_update(sk);
	sss_stream_put(st);
	return err;
free:
	if (st)
		sss_stream_put(st);
	kfree(m);
	return err;
}

/* Where the datagram goes: a stream with a reference, or an error */
static struct sss_stream *find_parent(struct sock *sk, const struct msghdr *msg, long *timeo)
{
	struct sss_stream *parent = sss_sk(sk)->parent;
	struct sockaddr_sss to = sss_sk(sk)->remote;
	struct sss_dgram_link *link;
	int err;

	if (!parent) {
		if (msg->msg_namelen) {
			err = sss_sock_parse_address(msg->msg_name, msg->msg_namelen, true, &to);
			if (err)
				return ERR_PTR(err);
		}
		if (!to.sss_family)
			return ERR_PTR(-EDESTADDRREQ);
		link = sss_dgram_link_get(sk, &to, timeo);
		if (IS_ERR(link))
			return ERR_CAST(link);
		parent = link->st;
	}
	sss_stream_get(parent);
	return parent;
}

static int send_locked(struct sock *sk, struct msghdr *msg, size_t len)
{
	long timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	struct manner how = {
		.reliable = sss_sk(sk)->reliable, .deadline = sss_sk(sk)->deadline,
	};
	struct sss_stream *parent;
	int err;

	err = parse_control(msg, &how);
	if (err)
		return err;
	if (sk->sk_shutdown & SEND_SHUTDOWN)
		return -EPIPE;
	parent = find_parent(sk, msg, &timeo);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	if (len > sss_dgram_max(parent))
		err = -EMSGSIZE;
	if (!err)
		err = wait_for_room(sk, parent, &timeo);
	if (!err)
		err = send_one(sk, parent, msg, len, &how, &timeo);
	sss_stream_put(parent);
	return err;
}

static int send(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	int err;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	lock_sock(sk);
	if (msg->msg_namelen && (sss_sk(sk)->parent || sss_sk(sk)->remote.sss_family))
		err = -EISCONN;
	else
		err = send_locked(sk, msg, len);
	release_sock(sk);
	if (err == -EPIPE && !(msg->msg_flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return err ?: len;
}

#define NO_MORE	1

/* Why nothing will ever be read any more: an error or NO_MORE; 0: something may */
static int why_not_readable(struct sock *sk)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_dgram_link *link;

	if (ss->parent && sss_tree_ended(ss->parent))
		return why_ended(ss->parent);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return NO_MORE;
	if (ss->parent || !ss->remote.sss_family)
		return 0;
	link = sss_dgram_link_find(sk, &ss->remote);
	if (!link || !sss_tree_ended(link->st))
		return 0;
	return -sss_stream_error(link->st) ?: -ECONNRESET;
}

/* The next one that is complete; it stays in @queue. NULL: none */
static struct sss_stream *next_message(struct sock *sk, struct sss_listener **queue,
				       const struct sockaddr_sss **from)
{
	struct sss_dgram_link *link;
	struct sss_stream *st;

	if (sss_sk(sk)->parent) {
		*queue = sss_sk(sk)->listener;
		*from = &sss_sk(sk)->remote;
		return sss_listener_next(*queue);
	}
	st = sss_dgram_link_next(sk, &link);
	if (st) {
		*queue = link->queue;
		*from = &link->remote;
	}
	return st;
}

/* NULL: there will be none. */
static struct sss_stream *wait_for_message(struct sock *sk, long timeo,
					   struct sss_listener **queue,
					   const struct sockaddr_sss **from)
{
	struct sss_stream *st;
	int err = 0;

	while (!err) {
		st = next_message(sk, queue, from);
		if (st)
			return st;
		err = why_not_readable(sk);
		if (err < 0)
			sss_dgram_link_told(sk);
		if (!err)
			err = sss_sock_dgram_sleep(sk, &timeo, MAX_SCHEDULE_TIMEOUT);
	}
	return err == NO_MORE ? NULL : ERR_PTR(err);
}

static int receive(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	const struct sockaddr_sss *from;
	struct sss_listener *queue;
	struct sock *sk = sock->sk;
	struct sss_stream *st;
	ssize_t n;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return -EAGAIN;
	lock_sock(sk);
	st = wait_for_message(sk, sock_rcvtimeo(sk, flags & MSG_DONTWAIT), &queue, &from);
	if (IS_ERR_OR_NULL(st)) {
		release_sock(sk);
		return PTR_ERR_OR_ZERO(st);
	}
	n = sss_recvq_look(st, msg, len);
	if (n >= 0 && msg->msg_name) {
		memcpy(msg->msg_name, from, sizeof(*from));
		msg->msg_namelen = sizeof(*from);
	}
	if (n < 0 || flags & MSG_PEEK)
		sss_stream_put(st);
	else
		sss_dgram_take(queue, st);
	sss_listener_settle(queue, sk);
	release_sock(sk);
	if (n >= 0 && !(flags & MSG_TRUNC))
		n = min_t(size_t, n, len);
	return n;
}

/* The next datagram, out of the queue; and a socket for it, or nothing is changed */
static struct sss_stream *take_message(struct sock *lsk, int flags, bool kern, struct sock **skp)
{
	long timeo = sock_rcvtimeo(lsk, flags & O_NONBLOCK);
	const struct sockaddr_sss *from;
	struct sss_listener *queue;
	struct sss_stream *st;

	for (;;) {
		st = wait_for_message(lsk, timeo, &queue, &from);
		if (IS_ERR_OR_NULL(st))
			return st ?: ERR_PTR(-EINVAL);
		if (!*skp)
			*skp = sss_sock_alloc(sock_net(lsk), NULL, SOCK_STREAM, kern);
		if (*skp && sss_dgram_accept(queue, st))
			break;
		sss_stream_put(st);
		if (!*skp)
			return ERR_PTR(-ENOMEM);
	}
	sss_sock_inherit(*skp, lsk);
	sss_listener_settle(queue, lsk);
	return st;
}

/* A datagram on a stream, to be read like a stream that is over */
static int take_as_stream(struct socket *sock, struct socket *newsock, int flags, bool kern)
{
	struct sock *lsk = sock->sk, *sk = NULL;
	struct sss_stream *st;

	if (!sss_sk(lsk)->parent)
		return -EOPNOTSUPP;
	lock_sock(lsk);
	st = take_message(lsk, flags, kern, &sk);
	release_sock(lsk);
	if (IS_ERR(st)) {
		if (sk)
			sock_put(sk);
		return PTR_ERR(st);
	}
	newsock->type = SOCK_STREAM;
	newsock->ops = &sss_socket_ops;
	sss_sock_graft(sk, st, newsock);
	return 0;
}

SSS_DEFINE_ACCEPT(accept, take_as_stream)

static bool writable(const struct sock *sk)
{
	return has_room(sk) && !sss_dgram_link_connecting(sk);
}

static __poll_t poll_shutdown(const struct sock *sk)
{
	const struct sss_stream *parent = sss_sk(sk)->parent;
	u8 shutdown = parent && sss_tree_ended(parent) ? SHUTDOWN_MASK : sk->sk_shutdown;
	__poll_t mask = 0;

	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP;
	if (shutdown & SEND_SHUTDOWN)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (shutdown == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	return mask;
}

static __poll_t poll(struct file *file, struct socket *sock, poll_table *wait)
{
	const struct sockaddr_sss *from;
	struct sss_listener *queue;
	struct sock *sk = sock->sk;
	struct sss_stream *st;
	__poll_t mask;

	sock_poll_wait(file, sock, wait);
	lock_sock(sk);
	mask = poll_shutdown(sk);
	st = next_message(sk, &queue, &from);
	if (st || why_not_readable(sk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!writable(sk)) {
		set_bit(SOCK_NOSPACE, &sock->flags);
		/* Room made before the bit was set woke nobody. */
		smp_mb__after_atomic();
	}
	if (writable(sk))
		mask |= EPOLLOUT | EPOLLWRNORM;
	release_sock(sk);
	if (st)
		sss_stream_put(st);
	return mask;
}

/* Names are taken at once: there is no listen(). */
static int bind(struct socket *sock, struct sockaddr *uaddr, int len)
{
	struct sock *sk = sock->sk;
	struct sss_sock *ss = sss_sk(sk);
	int err;

	err = sss_sock_bind(sock, uaddr, len);
	if (err || !ss->local.sss_service[0])
		return err;
	lock_sock(sk);
	err = __sss_sock_start_listening(sk, CALLS_MOST, SSS_KIND_DATAGRAM);
	if (err)
		__sss_sock_unbind(sk);
	release_sock(sk);
	return err;
}

/* Waits for the answer; a second call goes on waiting, or asks another peer. */
static int connect(struct socket *sock, struct sockaddr *uaddr, int len, int flags)
{
	struct sock *sk = sock->sk;
	struct sockaddr_sss to;
	struct sss_dgram_link *link;
	long timeo;
	int err;

	if (len >= (int)sizeof(uaddr->sa_family) && uaddr->sa_family == AF_UNSPEC) {
		memset(&to, 0, sizeof(to));
	} else {
		err = sss_sock_parse_address(uaddr, len, true, &to);
		if (err)
			return err;
	}
	lock_sock(sk);
	err = -EISCONN;
	if (sss_sk(sk)->parent)
		goto out;
	err = 0;
	if (to.sss_family) {
		timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
		link = sss_dgram_link_get(sk, &to, &timeo);
		if (IS_ERR(link))
			err = PTR_ERR(link) == -EAGAIN ? -EINPROGRESS : PTR_ERR(link);
	}
	if (!err || err == -EINPROGRESS) {
		sss_sk(sk)->remote = to;
		sock->state = to.sss_family ? SS_CONNECTED : SS_UNCONNECTED;
	}
out:
	release_sock(sk);
	return err;
}

/* Of one that is not connected, too: it wakes who waits. */
static int shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;

	how++;
	if (!how || how & ~SHUTDOWN_MASK)
		return -EINVAL;
	lock_sock(sk);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	sk->sk_state_change(sk);
	release_sock(sk);
	return 0;
}

/* What was sent is delivered, if reliable; what waits unread waits on for another. */
static int release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct sss_listener *l;
	struct sss_host *host;
	struct message *m;

	if (!sk)
		return 0;
	lock_sock(sk);
	list_for_each_entry(m, &sss_sk(sk)->messages, node)
		sss_stream_close(m->st);
	__sss_sock_dgram_update(sk);
	sss_dgram_link_drop_all(sk);
	l = sss_sk(sk)->listener;
	if (sss_sk(sk)->service) {
		__sss_sock_stop_listening(sk);
	} else if (l) {
		__sss_sock_set_listener(sk, NULL, TCP_CLOSE);
		sss_listener_detach(l, sk);
		sss_tree_unread(sss_sk(sk)->parent, sk);
	}
	host = sss_sk(sk)->host;
	sss_sk(sk)->host = NULL;
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	sock_orphan(sk);
	release_sock(sk);
	if (host)
		sss_host_put(host);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

static int get_name(struct socket *sock, struct sockaddr *addr, int peer)
{
	struct sockaddr_sss *out = (struct sockaddr_sss *)addr;
	struct sss_sock *ss = sss_sk(sock->sk);
	int ret = sizeof(*out);

	lock_sock(sock->sk);
	if (peer && !ss->remote.sss_family)
		ret = -ENOTCONN;
	else
		*out = peer ? ss->remote : ss->local;
	release_sock(sock->sk);
	return ret;
}

/* The size of the next one, FIONREAD as on UDP */
static int ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	const struct sockaddr_sss *from;
	struct sss_listener *queue;
	struct sock *sk = sock->sk;
	struct sss_stream *st;
	int n = 0;

	if (cmd == SSS_IOC_OPEN || cmd == SSS_IOC_ACCEPTOR || cmd == SSS_IOC_RESET)
		return -ENOTCONN;
	if (cmd != SIOCINQ && cmd != SIOCOUTQ)
		return -ENOIOCTLCMD;
	lock_sock(sk);
	if (cmd == SIOCOUTQ) {
		n = sk->sk_wmem_queued;
	} else {
		st = next_message(sk, &queue, &from);
		if (st) {
			n = sss_recvq_queued(st);
			sss_stream_put(st);
		}
	}
	release_sock(sk);
	return put_user(n, (int __user *)arg);
}

#ifdef CONFIG_COMPAT
static int compat_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	return ioctl(sock, cmd, (unsigned long)compat_ptr(arg));
}
#endif

/* Operations of a SOCK_DGRAM socket; none of them is on a stream that is read or written */
const struct proto_ops sss_dgram_ops = {
	.family		= PF_SSS,
	.owner		= THIS_MODULE,
	.release	= release,
	.bind		= bind,
	.connect	= connect,
	.socketpair	= sock_no_socketpair,
	.accept		= accept,
	.getname	= get_name,
	.poll		= poll,
	.ioctl		= ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= compat_ioctl,
#endif
	.gettstamp	= sock_gettstamp,
	.listen		= sock_no_listen,
	.shutdown	= shutdown,
	.setsockopt	= sss_sock_setsockopt,
	.getsockopt	= sss_sock_getsockopt,
	.sendmsg	= send,
	.recvmsg	= receive,
	.mmap		= sock_no_mmap,
	SSS_SENDPAGE_OPS
};

/**
 * __sss_sock_become_dgram() - a fresh socket for the datagrams of a stream
 * @sk: socket lock held
 * @parent: stream with a channel; the socket takes a reference
 *
 * Return: 0; -EBUSY: there is one already; -ENOMEM
 */
int __sss_sock_become_dgram(struct sock *sk, struct sss_stream *parent)
{
	struct sss_listener *l;

	lockdep_assert_held(&sk->sk_lock);
	l = sss_tree_receive(parent, sk);
	if (IS_ERR(l))
		return PTR_ERR(l);
	sss_stream_get(parent);
	sss_sk(sk)->parent = parent;
	__sss_sock_set_listener(sk, l, TCP_ESTABLISHED);
	return 0;
}
