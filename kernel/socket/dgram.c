// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_DGRAM: the datagrams of one stream end.
 *
 * Such a socket has the stream it was opened on (@parent), the queue of what
 * arrives (@listener), and what it sent, as long as something of it is in
 * memory (@messages): each is a stream of its own, on this socket's account.
 */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sockios.h>
#include <linux/compat.h>
#include <linux/uaccess.h>
#include "base/compat.h"
#include "stream/dgram.h"
#include "wire/frame.h"
#include "socket.h"

#include <asm/ioctls.h>

#define MESSAGES_MOST	1024	/* sent and not done with */
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

/* The stream is over: nothing more comes or goes. */
static bool ended(const struct sock *sk)
{
	return sss_tree_ended(sss_sk(sk)->parent);
}

static int why_ended(const struct sock *sk)
{
	return -sss_stream_error(sss_sk(sk)->parent) ?: -ENOTCONN;
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
		sss_stream_settle(m->st, sk);
		if (!sss_dgram_over(m->st))
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
	u32 value;

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
		else if (cmsg->cmsg_type == SSS_DEADLINE)
			how->deadline = value;
		else
			return -EINVAL;
	}
	return 0;
}

/* Sleeps until something happens, or @most passed; the socket is locked again after. */
static int sleep_on(struct sock *sk, long *timeo, long most)
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

static int wait_for_room(struct sock *sk, long *timeo)
{
	int err = 0;

	while (!err) {
		if (ended(sk))
			return why_ended(sk);
		if (has_room(sk))
			return 0;
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		__sss_sock_dgram_update(sk);
		if (has_room(sk))
			return 0;
		err = sleep_on(sk, timeo, MAX_SCHEDULE_TIMEOUT);
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
			n = sleep_on(sk, timeo, NO_MEMORY_WAIT);
		if (n < 0)
			return n;
		len -= n;
	}
	return 0;
}

static int send_one(struct sock *sk, struct msghdr *msg, size_t len, const struct manner *how,
		    long *timeo)
{
	struct sss_stream *parent = sss_sk(sk)->parent, *st;
	struct sss_priority priority;
	struct message *m;
	int err;

	m = kmalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	st = sss_stream_create(SSS_KIND_DATAGRAM, GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (!m || !st)
		goto free;
	sss_stream_get_priority(parent, &priority);
	sss_stream_set_priority(st, &priority, sss_stream_is_above(parent));
	err = sss_dgram_open(parent, st, sk, len, how->reliable);
	if (err)
		goto free;
	m->st = st;
	list_add_tail(&m->node, &sss_sk(sk)->messages);
	WRITE_ONCE(sss_sk(sk)->n_messages, sss_sk(sk)->n_messages + 1);
	err = append(sk, st, msg, len, timeo);
	if (err)
		sss_dgram_give_up(st);
	else
		sss_dgram_send(st, how->deadline);
	__sss_sock_dgram_update(sk);
	return err;
free:
	if (st)
		sss_stream_put(st);
	kfree(m);
	return err;
}

static int send(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct manner how;
	long timeo;
	int err;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (msg->msg_namelen)
		return -EISCONN;
	lock_sock(sk);
	how.reliable = sss_sk(sk)->reliable;
	how.deadline = sss_sk(sk)->deadline;
	timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	err = parse_control(msg, &how);
	if (!err && sk->sk_shutdown & SEND_SHUTDOWN)
		err = -EPIPE;
	if (!err && len > sss_dgram_max(sss_sk(sk)->parent))
		err = -EMSGSIZE;
	if (!err)
		err = wait_for_room(sk, &timeo);
	if (!err)
		err = send_one(sk, msg, len, &how, &timeo);
	release_sock(sk);
	if (err == -EPIPE && !(msg->msg_flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return err ?: len;
}

/* The next one that is complete, a reference; it stays in the queue. */
static struct sss_stream *wait_for_message(struct sock *sk, long timeo)
{
	struct sss_stream *st;
	int err = 0;

	while (!err) {
		st = sss_listener_next(sss_sk(sk)->listener);
		if (st)
			return st;
		if (ended(sk))
			err = why_ended(sk);
		else if (sk->sk_shutdown & RCV_SHUTDOWN)
			err = -ENOTCONN;
		else
			err = sleep_on(sk, &timeo, MAX_SCHEDULE_TIMEOUT);
	}
	return ERR_PTR(err);
}

static int receive(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct sss_stream *st;
	ssize_t n;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return -EAGAIN;
	lock_sock(sk);
	st = wait_for_message(sk, sock_rcvtimeo(sk, flags & MSG_DONTWAIT));
	if (IS_ERR(st)) {
		release_sock(sk);
		return PTR_ERR(st);
	}
	n = sss_recvq_look(st, msg, len);
	if (n >= 0 && msg->msg_name) {
		memcpy(msg->msg_name, &sss_sk(sk)->remote, sizeof(sss_sk(sk)->remote));
		msg->msg_namelen = sizeof(sss_sk(sk)->remote);
	}
	if (n < 0 || flags & MSG_PEEK)
		sss_stream_put(st);
	else
		sss_dgram_take(sss_sk(sk)->listener, st);
	sss_listener_settle(sss_sk(sk)->listener, sk);
	release_sock(sk);
	if (n >= 0 && !(flags & MSG_TRUNC))
		n = min_t(size_t, n, len);
	return n;
}

static __poll_t poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct sss_stream *st;
	__poll_t mask = 0;

	sock_poll_wait(file, sock, wait);
	spin_lock_bh(&sk->sk_lock.slock);
	st = sss_listener_next(sss_sk(sk)->listener);
	if (st || sk->sk_shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (ended(sk))
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP | EPOLLOUT | EPOLLWRNORM;
	if (!has_room(sk)) {
		set_bit(SOCK_NOSPACE, &sock->flags);
		/* Room made before the bit was set woke nobody. */
		smp_mb__after_atomic();
	}
	if (has_room(sk))
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_bh(&sk->sk_lock.slock);
	if (st)
		sss_stream_put(st);
	return mask;
}

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
	struct message *m;

	if (!sk)
		return 0;
	lock_sock(sk);
	list_for_each_entry(m, &sss_sk(sk)->messages, node)
		sss_stream_close(m->st);
	__sss_sock_dgram_update(sk);
	l = sss_sk(sk)->listener;
	__sss_sock_set_listener(sk, NULL, TCP_CLOSE);
	if (l) {
		sss_listener_detach(l, sk);
		sss_tree_unread(sss_sk(sk)->parent, sk);
	}
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	sock_orphan(sk);
	release_sock(sk);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

static int get_name(struct socket *sock, struct sockaddr *addr, int peer)
{
	struct sockaddr_sss *out = (struct sockaddr_sss *)addr;

	*out = peer ? sss_sk(sock->sk)->remote : sss_sk(sock->sk)->local;
	return sizeof(*out);
}

/* The size of the next one, FIONREAD as on UDP */
static int ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct sock *sk = sock->sk;
	struct sss_stream *st;
	int n = 0;

	if (cmd != SIOCINQ && cmd != SIOCOUTQ)
		return -ENOIOCTLCMD;
	lock_sock(sk);
	if (cmd == SIOCOUTQ) {
		n = sk->sk_wmem_queued;
	} else {
		st = sss_listener_next(sss_sk(sk)->listener);
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
	.bind		= sock_no_bind,
	.connect	= sock_no_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
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
