// SPDX-License-Identifier: GPL-2.0
/* setsockopt() and getsockopt() at level SOL_SSS, and ioctl() */
#include <linux/compat.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/sockios.h>
#include <linux/uaccess.h>
#include "stream/stream.h"
#include "wire/cursor.h"
#include "wire/frame.h"
#include "wire/name.h"
#include "dgram_link.h"
#include "socket.h"

#include <asm/ioctls.h>

/* A description: up to SSS_DESC_MAX bytes of UTF-8, the NUL behind it optional */
static int set_desc(struct sock *sk, char **desc, sockptr_t val, unsigned int len)
{
	char *text;
	int err;

	if (len > SSS_DESC_MAX + 1)
		return -EINVAL;
	text = kzalloc(len + 1, GFP_KERNEL_ACCOUNT);
	if (!text)
		return -ENOMEM;
	err = -EFAULT;
	if (copy_from_sockptr(text, val, len))
		goto free;
	err = -EINVAL;
	if (len && !text[len - 1])
		len--;
	if (len > SSS_DESC_MAX || (len && !sss_name_is_text((u8 *)text, len)))
		goto free;

	lock_sock(sk);
	if (sk->sk_state == TCP_CLOSE && !sss_sk(sk)->stream) {
		swap(*desc, text);
		err = 0;
	}
	release_sock(sk);
free:
	kfree(text);
	return err;
}

static int set_cork(struct sock *sk, int val)
{
	struct sss_sock *ss = sss_sk(sk);

	ss->cork = val;
	if (!val && ss->stream)
		sss_sendq_push(ss->stream, false);
	return 0;
}

static int set_user_timeout(struct sock *sk, unsigned int ms)
{
	struct sss_sock *ss = sss_sk(sk);

	ss->user_timeout = ms;
	if (ss->stream)
		sss_stream_set_user_timeout(ss->stream, ms);
	return 0;
}

static void set_background(struct sock *sk, bool on)
{
	struct sss_sock *ss = sss_sk(sk);

	WRITE_ONCE(ss->background, on);
	if (ss->stream)
		sss_stream_set_background(ss->stream, sk, on);
}

/**
 * sss_sock_keepalive() - SO_KEEPALIVE
 * @sk: locked; its flag changes afterwards
 * @on: what to
 */
void sss_sock_keepalive(struct sock *sk, int on)
{
	if (sss_sk(sk)->stream)
		sss_keepalive_set(sss_sk(sk)->stream, on);
	sss_dgram_link_keep_alive(sk, on);
}

static int set_family(struct sock *sk, int val)
{
	if (val != AF_UNSPEC && val != AF_INET && val != AF_INET6)
		return -EINVAL;
	sss_sk(sk)->family = val;
	return 0;
}

/* struct sss_priority, or a longer one that says no more */
static int set_priority(struct sock *sk, sockptr_t val, unsigned int len)
{
	struct sss_priority priority;
	bool above;
	int err;

	if (len < sizeof(priority))
		return -EINVAL;
	err = check_zeroed_sockptr(val, sizeof(priority), len - sizeof(priority));
	if (err <= 0)
		return err ?: -E2BIG;
	if (copy_from_sockptr(&priority, val, sizeof(priority)))
		return -EFAULT;
	if (priority.urgency > SSS_URGENCY_MAX || priority.incremental > 1 ||
	    priority.weight < SSS_WEIGHT_MIN || priority.reserved)
		return -EINVAL;
	above = ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN);
	lock_sock(sk);
	sss_sk(sk)->priority = priority;
	sss_sk(sk)->above = above;
	if (sss_sk(sk)->stream)
		sss_stream_set_priority(sss_sk(sk)->stream, &priority, above);
	release_sock(sk);
	return 0;
}

static int set_int(struct sock *sk, int name, int val)
{
	int err = 0;

	lock_sock(sk);
	switch (name) {
	case SSS_CORK:
		err = set_cork(sk, !!val);
		break;
	case SSS_FASTOPEN:
		sss_sk(sk)->fastopen = !!val;
		break;
	case SSS_USER_TIMEOUT:
		err = set_user_timeout(sk, val);
		break;
	case SSS_FAMILY:
		err = set_family(sk, val);
		break;
	case SSS_RECORDS:
		sss_sk(sk)->records = !!val;
		__sss_sock_set_mode(sk);
		break;
	case SSS_RELIABLE:
		sss_sk(sk)->reliable = !!val;
		break;
	case SSS_DEADLINE:
		err = val < 0 ? -EINVAL : 0;
		if (!err)
			sss_sk(sk)->deadline = val;
		break;
	case SSS_LISTEN_INHERIT:
		sss_sk(sk)->listen_inherit = !!val;
		break;
	case SSS_BACKGROUND:
		set_background(sk, !!val);
		break;
	case SSS_EVENTS:
		err = sss_errqueue_set_events(sk, val);
		break;
	}
	release_sock(sk);
	return err;
}

/**
 * sss_sock_setsockopt() - setsockopt() but for SOL_SOCKET
 * @sock: socket
 * @level: SOL_SSS
 * @name: SSS_*
 * @val: value
 * @len: bytes of @val
 *
 * Return: 0; -ENOPROTOOPT: not ours, or only to be read; -EINVAL: too short,
 * too long, not text, no such family, or the socket is in use already; -EFAULT,
 * -ENOMEM; of SSS_ADD_ENDPOINT also what sss_sock_add_endpoint() says.
 */
int sss_sock_setsockopt(struct socket *sock, int level, int name, sockptr_t val,
			unsigned int len)
{
	struct sock *sk = sock->sk;
	int number;

	if (level != SOL_SSS)
		return -ENOPROTOOPT;
	switch (name) {
	case SSS_SERVICE_DESC:
		return set_desc(sk, &sss_sk(sk)->service_desc, val, len);
	case SSS_PROTOCOL_DESC:
		return set_desc(sk, &sss_sk(sk)->protocol_desc, val, len);
	case SSS_PRIORITY:
		return set_priority(sk, val, len);
	case SSS_ADD_ENDPOINT:
		return sss_sock_add_endpoint(sk, val, len);
	case SSS_CORK:
	case SSS_FASTOPEN:
	case SSS_USER_TIMEOUT:
	case SSS_FAMILY:
	case SSS_LISTEN_INHERIT:
	case SSS_RECORDS:
	case SSS_EVENTS:
	case SSS_BACKGROUND:
	case SSS_RELIABLE:
	case SSS_DEADLINE:
		if (len < sizeof(number))
			return -EINVAL;
		if (copy_from_sockptr(&number, val, sizeof(number)))
			return -EFAULT;
		return set_int(sk, name, number);
	}
	return -ENOPROTOOPT;
}

/* A string with its NUL; as much as there is room for. */
static int get_desc(struct sock *sk, char **desc, char __user *val, int __user *optlen, int room)
{
	char text[SSS_DESC_MAX + 1] = "";
	int len;

	lock_sock(sk);
	if (*desc)
		strscpy(text, *desc, sizeof(text));
	release_sock(sk);
	len = min_t(int, strlen(text) + 1, room);
	if (put_user(len, optlen) || copy_to_user(val, text, len))
		return -EFAULT;
	return 0;
}

/* A struct: its first version must fit; a longer buffer learns our length. */
static int put_struct(char __user *val, int __user *optlen, int room, const void *from, int size)
{
	if (room < size)
		return -EINVAL;
	if (put_user(size, optlen) || copy_to_user(val, from, size))
		return -EFAULT;
	return 0;
}

static int get_status(struct sock *sk, char __user *val, int __user *optlen, int room)
{
	struct sss_status status = { };

	lock_sock(sk);
	if (sss_sk(sk)->stream)
		sss_stream_get_status(sss_sk(sk)->stream, &status);
	else if (sss_sk(sk)->status)
		status = *sss_sk(sk)->status;
	release_sock(sk);
	return put_struct(val, optlen, room, &status, sizeof(status));
}

static int get_info(struct sock *sk, char __user *val, int __user *optlen, int room)
{
	struct sss_info info = { .stream_id = SSS_STREAM_NO_ID };

	lock_sock(sk);
	if (sss_sk(sk)->stream)
		sss_stream_get_info(sss_sk(sk)->stream, &info);
	else
		info.state = sk->sk_state;
	release_sock(sk);
	return put_struct(val, optlen, room, &info, sizeof(info));
}

static int get_priority(struct sock *sk, char __user *val, int __user *optlen, int room)
{
	struct sss_priority priority = {
		.urgency = SSS_URGENCY_USUAL, .incremental = 1, .weight = SSS_WEIGHT_USUAL,
	};

	lock_sock(sk);
	if (sss_sk(sk)->stream)
		sss_stream_get_priority(sss_sk(sk)->stream, &priority);
	else if (sss_sk(sk)->priority.weight)
		priority = sss_sk(sk)->priority;
	release_sock(sk);
	return put_struct(val, optlen, room, &priority, sizeof(priority));
}

static int get_pending(struct sock *sk, char __user *val, int __user *optlen, int room)
{
	struct sss_pending pending = { };

	lock_sock(sk);
	if (sss_sk(sk)->stream)
		sss_recvq_pending(sss_sk(sk)->stream, &pending);
	release_sock(sk);
	return put_struct(val, optlen, room, &pending, sizeof(pending));
}

static int get_int(int number, char __user *val, int __user *optlen, int room)
{
	int len = min_t(int, sizeof(number), room);

	if (put_user(len, optlen) || copy_to_user(val, &number, len))
		return -EFAULT;
	return 0;
}

/**
 * sss_sock_getsockopt() - getsockopt() but for SOL_SOCKET
 * @sock: socket
 * @level: SOL_SSS
 * @name: SSS_*
 * @val: where the value goes
 * @optlen: bytes of room there; becomes the length of the value
 *
 * Return: 0, -ENOPROTOOPT, -EINVAL: no room for a struct, -EFAULT; of endpoints
 * also -ENOTCONN, -ENETUNREACH.
 */
int sss_sock_getsockopt(struct socket *sock, int level, int name, char __user *val,
			int __user *optlen)
{
	struct sock *sk = sock->sk;
	struct sss_sock *ss = sss_sk(sk);
	int room;

	if (level != SOL_SSS)
		return -ENOPROTOOPT;
	if (get_user(room, optlen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	switch (name) {
	case SSS_SERVICE_DESC:
		return get_desc(sk, &ss->service_desc, val, optlen, room);
	case SSS_PROTOCOL_DESC:
		return get_desc(sk, &ss->protocol_desc, val, optlen, room);
	case SSS_STATUS:
		return get_status(sk, val, optlen, room);
	case SSS_INFO:
		return get_info(sk, val, optlen, room);
	case SSS_PRIORITY:
		return get_priority(sk, val, optlen, room);
	case SSS_PENDING:
		return get_pending(sk, val, optlen, room);
	case SSS_LOCAL_ENDPOINT:
		return sss_sock_get_endpoint(sk, true, val, optlen, room);
	case SSS_PEER_ENDPOINT:
		return sss_sock_get_endpoint(sk, false, val, optlen, room);
	case SSS_CORK:
		return get_int(READ_ONCE(ss->cork), val, optlen, room);
	case SSS_FASTOPEN:
		return get_int(READ_ONCE(ss->fastopen), val, optlen, room);
	case SSS_USER_TIMEOUT:
		return get_int(READ_ONCE(ss->user_timeout), val, optlen, room);
	case SSS_FAMILY:
		return get_int(READ_ONCE(ss->family), val, optlen, room);
	case SSS_LISTEN_INHERIT:
		return get_int(READ_ONCE(ss->listen_inherit), val, optlen, room);
	case SSS_BACKGROUND:
		return get_int(READ_ONCE(ss->background), val, optlen, room);
	case SSS_RELIABLE:
		return get_int(READ_ONCE(ss->reliable), val, optlen, room);
	case SSS_DEADLINE:
		return get_int(READ_ONCE(ss->deadline), val, optlen, room);
	case SSS_RECORDS:
		return get_int(READ_ONCE(ss->records), val, optlen, room);
	case SSS_EVENTS:
		return get_int(sss_errqueue_get_events(sk), val, optlen, room);
	}
	return -ENOPROTOOPT;
}

static int get_queued(struct sock *sk, unsigned int cmd, int __user *where)
{
	const struct sss_stream *st;
	int number = 0;
	int err = 0;

	lock_sock(sk);
	st = sss_sk(sk)->stream;
	if (sk->sk_state == TCP_LISTEN)
		err = -EINVAL;
	else if (st)
		number = cmd == SIOCINQ ? sss_recvq_queued(st) : sss_sendq_queued(st);
	release_sock(sk);
	return err ?: put_user(number, where);
}

/**
 * sss_sock_reset() - ioctl(SSS_IOC_RESET)
 * @sk: a stream
 * @arg: struct sss_reset
 *
 * Return: 0; -ENOTCONN: no stream, connect() is under way, or it is over;
 * -EINVAL: code above 62 bits, unknown flags, a reason that is not text or has
 * no NUL; -EFAULT, -ENOMEM.
 */
int sss_sock_reset(struct sock *sk, const struct sss_reset __user *arg)
{
	struct sss_reset *reset = memdup_user(arg, sizeof(*reset));
	int err = -EINVAL;
	size_t len;

	if (IS_ERR(reset))
		return PTR_ERR(reset);
	len = strnlen(reset->reason, sizeof(reset->reason));
	if (reset->code > SSS_VARINT_MAX || reset->flags & ~SSS_RESET_SUBTREE ||
	    reset->reserved || len == sizeof(reset->reason) ||
	    (len && !sss_name_is_text((u8 *)reset->reason, len)))
		goto free;
	lock_sock(sk);
	err = -ENOTCONN;
	if (sss_sk(sk)->stream && sk->sk_state != TCP_SYN_SENT)
		err = sss_ending_reset(sss_sk(sk)->stream, sk, reset);
	if (!err) {
		WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
		sk->sk_state_change(sk);
	}
	release_sock(sk);
free:
	kfree(reset);
	return err;
}

/**
 * sss_sock_ioctl() - FIONREAD (SIOCINQ), SIOCOUTQ, SSS_IOC_*
 * @sock: socket
 * @cmd: command
 * @arg: int or struct in user memory
 *
 * Return: 0 or a descriptor, -EINVAL on a listening socket, -EFAULT,
 * -ENOIOCTLCMD, or see the commands.
 */
int sss_sock_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	void __user *where = (void __user *)arg;

	switch (cmd) {
	case SIOCINQ:
	case SIOCOUTQ:
		return get_queued(sock->sk, cmd, where);
	case SSS_IOC_OPEN:
		return sss_sock_open_child(sock, where);
	case SSS_IOC_ACCEPTOR:
		return sss_sock_open_acceptor(sock, where);
	case SSS_IOC_RESET:
		return sss_sock_reset(sock->sk, where);
	}
	return -ENOIOCTLCMD;
}

#ifdef CONFIG_COMPAT
/**
 * sss_sock_compat_ioctl() - the same for 32-bit programs
 * @sock: socket
 * @cmd: command
 * @arg: int in user memory
 *
 * Return: as sss_sock_ioctl().
 */
int sss_sock_compat_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	return sss_sock_ioctl(sock, cmd, (unsigned long)compat_ptr(arg));
}
#endif
