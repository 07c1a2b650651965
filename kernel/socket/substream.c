// SPDX-License-Identifier: GPL-2.0
/*
 * Streams on streams: SSS_IOC_OPEN, listen() on a stream, SSS_IOC_ACCEPTOR.
 *
 * Parent and child are never locked at the same time: what the child takes
 * from its parent is copied first.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include "stream/stream.h"
#include "wire/frame.h"
#include "socket.h"

/**
 * struct origin - what a new socket takes from the one it is made on
 * @st: its stream, a reference
 * @net: its namespace, which it keeps alive
 */
struct origin {
	struct sss_stream *st;
	struct net *net;
};

static int get_origin(struct sock *sk, struct origin *from)
{
	lock_sock(sk);
	from->st = sss_sk(sk)->stream;
	if (from->st)
		sss_stream_get(from->st);
	from->net = sock_net(sk);
	release_sock(sk);
	return from->st ? 0 : -ENOTCONN;
}

/* A file with a fresh socket; SOCK_CLOEXEC and SOCK_NONBLOCK of @flags count. */
static struct file *make_file(struct socket *sock, struct net *net, int type, u32 flags)
{
	struct socket *newsock = sock_alloc();

	if (!newsock)
		return ERR_PTR(-ENFILE);
	newsock->type = type;
	newsock->ops = type == SOCK_DGRAM ? &sss_dgram_ops : sock->ops;
	__module_get(newsock->ops->owner);
	if (!sss_sock_alloc(net, newsock, type, 0)) {
		sock_release(newsock);
		return ERR_PTR(-ENOMEM);
	}
	lock_sock(sock->sk);
	sss_sock_inherit(newsock->sk, sock->sk);
	release_sock(sock->sk);
	return sock_alloc_file(newsock, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0, "SSS");
}

/* Makes the socket of @file a child of the stream. */
static int become_child(struct file *file, struct sss_stream *parent)
{
	struct socket *sock = sock_from_file(file);
	struct sock *sk = sock->sk;
	struct sss_priority priority;
	struct sss_stream *st;
	int err;

	if (sk->sk_type == SOCK_DGRAM) {
		lock_sock(sk);
		err = __sss_sock_become_dgram(sk, parent);
		if (!err)
			sock->state = SS_CONNECTED;
		release_sock(sk);
		return err;
	}
	st = sss_stream_create(SSS_KIND_STREAM, GFP_KERNEL_ACCOUNT);
	if (!st)
		return -ENOMEM;
	lock_sock(sk);
	sss_stream_set_user_timeout(st, sss_sk(sk)->user_timeout);
	sss_stream_get_priority(parent, &priority);
	sss_stream_set_priority(st, &priority, sss_stream_is_above(parent));
	sss_stream_set_background(st, sk, sss_sk(sk)->background);
	__sss_sock_set_stream(sk, st);
	err = sss_tree_open(parent, st, sk);
	if (!err) {
		sock->state = SS_CONNECTED;
		WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
		err = sss_sk(sk)->listen_inherit ?
		      __sss_sock_listen_on_stream(sk, sk->sk_max_ack_backlog) : 0;
	}
	release_sock(sk);
	return err;
}

/* The listening socket for a stream's children; takes over from the stream's own. */
static int become_acceptor(struct file *file, struct sock *from, struct sss_stream *st, u32 backlog)
{
	struct sock *sk = sock_from_file(file)->sk;
	struct sss_listener *l;
	int err = 0;

	lock_sock(from);
	if (sss_sk(from)->listener)
		__sss_sock_unlisten_stream(from);
	release_sock(from);

	lock_sock(sk);
	l = sss_tree_listen(st, sk, backlog);
	if (IS_ERR(l))
		err = PTR_ERR(l);
	else
		__sss_sock_set_listener(sk, l, TCP_LISTEN);
	if (!err) {
		sss_stream_get(st);
		sss_sk(sk)->parent = st;
	}
	release_sock(sk);
	return err;
}

static int install(struct file *file, u32 flags)
{
	int fd = get_unused_fd_flags(flags & SOCK_CLOEXEC ? O_CLOEXEC : 0);

	if (fd >= 0)
		fd_install(fd, file);
	return fd;
}

/**
 * sss_sock_open_child() - ioctl(SSS_IOC_OPEN)
 * @sock: a stream
 * @arg: struct sss_open
 *
 * Return: a file descriptor; -ENOTCONN: no stream, or it is over; -EINVAL:
 * unknown flags or non-zero reserved members; -ESOCKTNOSUPPORT: @kind;
 * -ENOBUFS: too many streams; -EBUSY: SOCK_DGRAM, and there is one; what broke
 * the stream; -EMFILE, -ENFILE, -ENOMEM, -EFAULT.
 */
int sss_sock_open_child(struct socket *sock, const struct sss_open __user *arg)
{
	struct sss_open open;
	struct origin from;
	struct file *file;
	int err;

	if (copy_from_user(&open, arg, sizeof(open)))
		return -EFAULT;
	if (open.flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) ||
	    memchr_inv(open.reserved, 0, sizeof(open.reserved)))
		return -EINVAL;
	if (open.kind != SOCK_STREAM && open.kind != SOCK_SEQPACKET && open.kind != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	err = get_origin(sock->sk, &from);
	if (err)
		return err;
	file = make_file(sock, from.net, open.kind, open.flags);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto put_stream;
	err = become_child(file, from.st);
	if (!err)
		err = install(file, open.flags);
	if (err < 0)
		fput(file);
put_stream:
	sss_stream_put(from.st);
	return err;
}

/**
 * sss_sock_open_acceptor() - ioctl(SSS_IOC_ACCEPTOR)
 * @sock: a stream
 * @arg: struct sss_acceptor
 *
 * Return: a file descriptor that listens; -EBUSY: the stream has such an
 * acceptor; else as sss_sock_open_child().
 */
int sss_sock_open_acceptor(struct socket *sock, const struct sss_acceptor __user *arg)
{
	struct sss_acceptor open;
	struct origin from;
	struct file *file;
	int err;

	if (copy_from_user(&open, arg, sizeof(open)))
		return -EFAULT;
	if (open.flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) || open.reserved[0] || open.reserved[1])
		return -EINVAL;
	err = get_origin(sock->sk, &from);
	if (err)
		return err;
	file = make_file(sock, from.net, sock->type, open.flags);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto put_stream;
	err = become_acceptor(file, sock->sk, from.st, open.backlog);
	if (!err)
		err = install(file, open.flags);
	if (err < 0)
		fput(file);
put_stream:
	sss_stream_put(from.st);
	return err;
}
