// SPDX-License-Identifier: GPL-2.0
/*
 * AF_SSS: the family, its protocol and the life of a socket.
 *
 * A socket is one of three things. Fresh: neither @stream nor @listener.
 * Listening: @listener holds what waits for accept(). A stream: @stream is
 * set by connect(), or by accept() or SSS_IOC_OPEN in the socket it makes; its
 * @listener holds children, once it listens.
 *
 * sk_state has TCP's numbers, because core code looks at them: CLOSE (fresh,
 * or over), LISTEN, SYN_SENT (connect() waits for the answer), ESTABLISHED.
 * The two halves of a stream are in sk_shutdown: RCV_SHUTDOWN once all that
 * the peer sent has arrived or the program wants no more, SEND_SHUTDOWN once
 * the program ended its half or the peer wants no more. sk_err holds what
 * broke the stream until somebody is told.
 *
 * Who keeps whom alive:
 *
 *	struct socket ---> struct sss_sock <==> struct sss_stream
 *
 * The file owns the socket until release(). The socket holds the stream until
 * it is freed itself; the stream holds the socket until nothing can change any
 * more, then gives it back: this ends the circle. After close() the socket is
 * an orphan without a file, kept by its stream only, because it is the account
 * on which the memory of unacknowledged data stands; when the last byte is
 * acknowledged the stream lets go and destruct() runs, maybe in softirq.
 * Every socket holds its module and, unless a kernel socket, its namespace;
 * an orphan on a link that is down no longer holds the namespace.
 *
 * How news arrives: the stream floor calls notify() without any lock, in
 * softirq or process context. If a program holds the socket the news waits in
 * @deferred for release_cb(), as in TCP; nothing is lost, because everybody
 * who sleeps puts himself on the wait queue before giving the socket back.
 *
 * Locks: socket lock > its spinlock > leaf locks of the stream's queues. The
 * stream floor takes the channel lock under the socket lock, never the other
 * way round. No two sockets are ever locked at the same time.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu_counter.h>
#include "base/compat.h"
#include "base/netns.h"
#include "peer/host.h"
#include "stream/stream.h"
#include "dgram_link.h"
#include "socket.h"

static atomic_long_t memory_allocated;
static DEFINE_PER_CPU(int, memory_per_cpu);
static struct percpu_counter sockets_allocated;
static unsigned long memory_pressure;
/* Pages: below [0] no pressure, above [1] pressure, above [2] nothing more. */
static long sysctl_mem[3];
/* What a socket always gets, pressure or not; the rest is struct sss_limits */
static int sysctl_wmem[3] = { PAGE_SIZE, PAGE_SIZE, PAGE_SIZE };
static int sysctl_rmem[3] = { PAGE_SIZE, PAGE_SIZE, PAGE_SIZE };

static struct lock_class_key slock_key, lock_key;

static void enter_memory_pressure(struct sock *sk)
{
	WRITE_ONCE(memory_pressure, 1);
}

/* Only the socket is left: its stream is over, nobody can reach it any more. */
static void destruct(struct sock *sk)
{
	struct sss_sock *ss = sss_sk(sk);

	if (ss->stream)
		sss_stream_put(ss->stream);
	if (ss->parent)
		sss_stream_put(ss->parent);
	if (ss->listener)
		sss_listener_put(ss->listener);
	sss_errqueue_free(sk);
	kfree(ss->status);
	kfree(ss->hints);
	kfree(ss->service_desc);
	kfree(ss->protocol_desc);
	__skb_queue_purge(&sk->sk_receive_queue);
	__skb_queue_purge(&sk->sk_error_queue);
	sk_mem_reclaim_final(sk);

	WARN_ON_ONCE(!sock_flag(sk, SOCK_DEAD) && sk->sk_socket);
	WARN_ON_ONCE(atomic_read(&sk->sk_rmem_alloc));
	WARN_ON_ONCE(refcount_read(&sk->sk_wmem_alloc));
	WARN_ON_ONCE(!list_empty(&ss->messages) || !list_empty(&ss->links));
	WARN_ON_ONCE(sk->sk_wmem_queued);
	WARN_ON_ONCE(sk->sk_forward_alloc);

	sk_sockets_allocated_dec(sk);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
	if (ss->browse)
		atomic_dec(&sss_netns(sock_net(sk))->browsing);
	sss_gauge_dec(sss_netns(sock_net(sk)), SOCKETS);
}

/**
 * __sss_sock_set_stream() - give a socket its stream, or take it away
 * @sk: socket lock held
 * @st: reference taken over, or NULL; the one before is put
 *
 * poll() looks at the stream under the spinlock alone.
 */
void __sss_sock_set_stream(struct sock *sk, struct sss_stream *st)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_stream *old = ss->stream;

	lockdep_assert_held(&sk->sk_lock);
	spin_lock_bh(&sk->sk_lock.slock);
	ss->stream = st;
	ss->failed = false;
	spin_unlock_bh(&sk->sk_lock.slock);
	if (old)
		sss_stream_put(old);
	__sss_sock_set_mode(sk);
}

/**
 * __sss_sock_set_mode() - tell the stream what its reader wants: bytes or records
 * @sk: socket lock held
 */
void __sss_sock_set_mode(struct sock *sk)
{
	const struct sss_sock *ss = sss_sk(sk);

	if (!ss->stream)
		return;
	if (sk->sk_type == SOCK_SEQPACKET)
		sss_recvq_set_mode(ss->stream, SSS_RX_WHOLE);
	else
		sss_recvq_set_mode(ss->stream, ss->records ? SSS_RX_RECORDS : SSS_RX_BYTES);
}

/* The stream is broken: connect() failed, or the peer reset it, or is gone. */
static void fail(struct sock *sk, int err)
{
	sss_sk(sk)->failed = true;
	WRITE_ONCE(sk->sk_err, err);
	/* Who sees the state or the shutdown sees the error, too. */
	smp_wmb();
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
}

/* Takes over what changed in the stream. Returns whether anything did. */
static bool refresh(struct sock *sk, struct sss_stream *st)
{
	int err = sss_stream_error(st);
	u8 shutdown = sk->sk_shutdown;
	bool connected;

	if (sss_sk(sk)->failed)
		return false;
	if (err) {
		fail(sk, err);
		return true;
	}
	connected = sk->sk_state == TCP_SYN_SENT && sss_stream_connected(st);
	if (connected)
		WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	if (sss_recvq_finished(st))
		shutdown |= RCV_SHUTDOWN;
	if (sss_stream_send_closed(st))
		shutdown |= SEND_SHUTDOWN;
	if (shutdown == sk->sk_shutdown)
		return connected;
	WRITE_ONCE(sk->sk_shutdown, shutdown);
	return true;
}

/* SIGIO for a change of state; sleepers and pollers are woken elsewhere. */
static void signal_change(struct sock *sk, int old_state)
{
	if (sk->sk_shutdown == SHUTDOWN_MASK)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
	else if (old_state == TCP_SYN_SENT)
		sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
	else
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/*
 * A namespace that everybody left stays for data that is still on its way, but
 * not for data that may never arrive. While it stays for others, so does this.
 */
static void let_netns_go(struct sock *sk)
{
	struct net *net = sock_net(sk);
	netns_tracker tracker = sk->ns_tracker;

	if (!sk->sk_net_refcnt)
		return;
	sk->sk_net_refcnt = 0;
	sock_inuse_add(net, -1);
	sss_compat_hold_net_memory(sk, GFP_ATOMIC);
	put_net_track(net, &tracker);
}

static void wake_priority(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLPRI);
	if (wq && wq->fasync_list)
		sock_wake_async(wq, SOCK_WAKE_URG, POLL_PRI);
	rcu_read_unlock();
}

/* Brings the socket up to date and wakes, each kind of sleeper at most once. */
static void handle(struct sock *sk, unsigned long events)
{
	struct sss_stream *st = sss_sk(sk)->stream;
	int old_state = sk->sk_state;

	if (sk->sk_type == SOCK_DGRAM) {
		__sss_dgram_link_update(sk);
		__sss_sock_dgram_update(sk);
		__sss_sock_dgram_wake(sk);
		if (events & (BIT(SSS_STREAM_CONNECTED) | BIT(SSS_STREAM_ENDED)))
			sk->sk_state_change(sk);
	}
	if (sss_sk(sk)->listener)
		sss_listener_settle(sss_sk(sk)->listener, sk);
	if (events & BIT(SSS_STREAM_CHILD))
		sk->sk_data_ready(sk);
	if (!st)
		return;
	sss_stream_settle(st, sk);
	if (sock_flag(sk, SOCK_DEAD)) {
		if (events & BIT(SSS_STREAM_FORSAKEN))
			let_netns_go(sk);
		return;
	}
	if (refresh(sk, st)) {
		if (sk->sk_err)
			sk_error_report(sk);
		sk->sk_state_change(sk);
		signal_change(sk, old_state);
		return;
	}
	if (events & BIT(SSS_STREAM_EVENT))
		wake_priority(sk);
	if (events & BIT(SSS_STREAM_READABLE))
		sk->sk_data_ready(sk);
	if (events & (BIT(SSS_STREAM_WRITABLE) | BIT(SSS_STREAM_ENDED)))
		sk->sk_write_space(sk);
}

/**
 * __sss_sock_update() - look at the stream now
 * @sk: socket lock held
 *
 * For news that may have come before the stream knew its socket.
 */
void __sss_sock_update(struct sock *sk)
{
	lockdep_assert_held(&sk->sk_lock);
	spin_lock_bh(&sk->sk_lock.slock);
	handle(sk, BIT(SSS_STREAM_READABLE) | BIT(SSS_STREAM_WRITABLE));
	spin_unlock_bh(&sk->sk_lock.slock);
}

static void notify(struct sock *sk, unsigned long events)
{
	bh_lock_sock(sk);
	if (sock_owned_by_user(sk))
		sss_sk(sk)->deferred |= events;
	else
		handle(sk, events);
	bh_unlock_sock(sk);
}

/* The program gives the socket back; its spinlock is held, BH off. */
static void release_cb(struct sock *sk)
{
	struct sss_sock *ss = sss_sk(sk);
	unsigned long events = ss->deferred;

	if (!events)
		return;
	ss->deferred = 0;
	handle(sk, events);
}

static bool is_short_of_memory(void)
{
	return atomic_long_read(&memory_allocated) > sysctl_mem[2];
}

static const struct sss_stream_ops stream_ops = {
	.notify = notify,
	.event = sss_errqueue_event,
	.browse = sss_browse_take,
	.is_short_of_memory = is_short_of_memory,
};

/* SO_LINGER: until all is acknowledged, however it ends, or time is up. */
static void linger(struct sock *sk, struct sss_stream *st)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	long timeo = sk->sk_lingertime;

	sss_stream_shutdown(st, false, true);
	add_wait_queue(sk_sleep(sk), &wait);
	while (timeo && !sss_sendq_done(st) && !sss_stream_error(st) &&
	       !signal_pending(current)) {
		/* Without this, write_space() has nobody to wake. */
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		release_sock(sk);
		timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
		lock_sock(sk);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
}

static void close_stream(struct sock *sk, struct sss_stream *st)
{
	bool lingers = sock_flag(sk, SOCK_LINGER);

	if (sk->sk_state == TCP_SYN_SENT || (lingers && !sk->sk_lingertime))
		sss_stream_reset(st, SSS_RESET_CLOSED, NULL);
	else if (lingers && !(current->flags & PF_EXITING))
		linger(sk, st);
	sss_stream_close(st);
	/* If the stream was over already, nobody else will. */
	sss_stream_settle(st, sk);
}

static int release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct sss_sock *ss = sss_sk(sk);
	struct sss_host *host;

	if (!sk)
		return 0;
	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN)
		__sss_sock_stop_listening(sk);
	if (ss->stream) {
		close_stream(sk, ss->stream);
		sss_tree_close(ss->stream, sk);
	}
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	host = ss->host;
	ss->host = NULL;
	sock_orphan(sk);
	release_sock(sk);

	if (host)
		sss_host_put(host);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

static int shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct sss_stream *st;
	int err = 0;

	/* SHUT_RD, SHUT_WR, SHUT_RDWR become the bits of sk_shutdown. */
	how++;
	if (!how || how & ~SHUTDOWN_MASK)
		return -EINVAL;
	lock_sock(sk);
	st = sss_sk(sk)->stream;
	if (sk->sk_state == TCP_LISTEN) {
		if (how & RCV_SHUTDOWN)
			__sss_sock_stop_listening(sk);
	} else if (!st || sss_sk(sk)->failed) {
		err = -ENOTCONN;
	} else if (sk->sk_state == TCP_SYN_SENT) {
		__sss_sock_abort_connect(sock);
	} else {
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
		sss_stream_shutdown(st, how & RCV_SHUTDOWN, how & SEND_SHUTDOWN);
	}
	/* Whoever sleeps in poll(), recv() or send() must see it. */
	sk->sk_state_change(sk);
	release_sock(sk);
	return err;
}

SSS_DEFINE_ACCEPT(accept, sss_sock_accept)

/* Operations of a SOCK_STREAM or SOCK_SEQPACKET socket */
const struct proto_ops sss_socket_ops = {
	.family		= PF_SSS,
	.owner		= THIS_MODULE,
	.release	= release,
	.bind		= sss_sock_bind,
	.connect	= sss_sock_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= accept,
	.getname	= sss_sock_getname,
	.poll		= sss_sock_poll,
	.ioctl		= sss_sock_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= sss_sock_compat_ioctl,
#endif
	.gettstamp	= sock_gettstamp,
	.listen		= sss_sock_listen,
	.shutdown	= shutdown,
	.setsockopt	= sss_sock_setsockopt,
	.getsockopt	= sss_sock_getsockopt,
	.sendmsg	= sss_sock_sendmsg,
	.recvmsg	= sss_sock_recvmsg,
	.mmap		= sock_no_mmap,
	SSS_SENDPAGE_OPS
	.splice_eof	= sss_sock_splice_eof,
	.set_rcvlowat	= sss_sock_set_rcvlowat,
};

static struct proto proto = {
	.name			= "SSS",
	.owner			= THIS_MODULE,
	.obj_size		= sizeof(struct sss_sock),
	.release_cb		= release_cb,
	.keepalive		= sss_sock_keepalive,
	.memory_allocated	= &memory_allocated,
	.per_cpu_fw_alloc	= &memory_per_cpu,
	.sockets_allocated	= &sockets_allocated,
	.memory_pressure	= &memory_pressure,
	.enter_memory_pressure	= enter_memory_pressure,
	.sysctl_mem		= sysctl_mem,
	.sysctl_wmem		= sysctl_wmem,
	.sysctl_rmem		= sysctl_rmem,
};

/**
 * sss_sock_alloc() - make a fresh socket
 * @net: namespace
 * @sock: the file's side; NULL: sock_graft() follows
 * @type: SOCK_*
 * @kern: made by the kernel for itself: does not hold the namespace
 *
 * Process context, so that the memory is charged to who asks for it.
 *
 * Return: the socket with one reference, NULL without memory.
 */
struct sock *sss_sock_alloc(struct net *net, struct socket *sock, int type, int kern)
{
	const struct sss_limits *limits = &sss_netns(net)->limits;
	struct sock *sk = sk_alloc(net, PF_SSS, GFP_KERNEL, &proto, kern);

	if (!sk)
		return NULL;
	sock_init_data(sock, sk);
	sock_lock_init_class_and_name(sk, "slock-AF_SSS", &slock_key,
				      "sk_lock-AF_SSS", &lock_key);
	sk->sk_type = type;
	sk->sk_destruct = destruct;
	sk->sk_write_space = sss_sock_write_space;
	sk->sk_sndbuf = READ_ONCE(limits->wmem[1]);
	sk->sk_rcvbuf = READ_ONCE(limits->rmem[1]);
	sss_sk(sk)->local.sss_family = AF_SSS;
	INIT_LIST_HEAD(&sss_sk(sk)->links);
	INIT_LIST_HEAD(&sss_sk(sk)->messages);
	sk_sockets_allocated_inc(sk);
	sock_prot_inuse_add(net, sk->sk_prot, 1);
	sss_gauge_inc(sss_netns(net), SOCKETS);
	return sk;
}

static int create(struct net *net, struct socket *sock, int protocol, int kern)
{
	if (sock->type != SOCK_STREAM && sock->type != SOCK_SEQPACKET &&
	    sock->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol)
		return -EPROTONOSUPPORT;
	sock->ops = sock->type == SOCK_DGRAM ? &sss_dgram_ops : &sss_socket_ops;
	sock->state = SS_UNCONNECTED;
	return sss_sock_alloc(net, sock, sock->type, kern) ? 0 : -ENOMEM;
}

static const struct net_proto_family family = {
	.family	= PF_SSS,
	.create	= create,
	.owner	= THIS_MODULE,
};

/* As TCP does it: pressure from a sixteenth of the memory that is free now. */
static void set_memory_limits(void)
{
	unsigned long limit = max(nr_free_buffer_pages() / 16, 128UL);

	sysctl_mem[0] = limit / 4 * 3;
	sysctl_mem[1] = limit;
	sysctl_mem[2] = sysctl_mem[0] * 2;
}

/**
 * sss_socket_init_floor() - be there for streams that arrive
 *
 * Before the first host. Return: 0 or -ENOMEM; undo with sss_socket_exit_floor()
 */
int __init sss_socket_init_floor(void)
{
	sss_stream_register_ops(&stream_ops);
	return sss_browse_init();
}

/**
 * sss_socket_exit_floor() - undo sss_socket_init_floor()
 *
 * No channel is left.
 */
void sss_socket_exit_floor(void)
{
	sss_browse_exit();
}

/**
 * sss_socket_init() - register the protocol and then the family
 *
 * The last step of loading: programs can call socket() before it returns.
 *
 * Return: 0 or a negative errno; -EEXIST with a message: the number is taken.
 */
int __init sss_socket_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct sockaddr_sss) != sizeof(struct sockaddr_storage));
	set_memory_limits();
	err = percpu_counter_init(&sockets_allocated, 0, GFP_KERNEL);
	if (err)
		return err;
	err = proto_register(&proto, 1);
	if (err)
		goto free_counter;
	err = sock_register(&family);
	if (!err) {
		sss_browse_open(true);
		return 0;
	}
	if (err == -EEXIST)
		pr_err("address family %d is taken by another module\n", AF_SSS);
	proto_unregister(&proto);
free_counter:
	percpu_counter_destroy(&sockets_allocated);
	return err;
}

/**
 * sss_socket_exit() - the mirror of sss_socket_init()
 *
 * No socket is left: each holds a reference to the module.
 */
void sss_socket_exit(void)
{
	sock_unregister(PF_SSS);
	sss_browse_open(false);
	proto_unregister(&proto);
	percpu_counter_destroy(&sockets_allocated);
}

/*
 * With this any user loads the module by calling socket(), so whoever builds
 * it decides: make AUTOLOAD=1.
 */
#ifdef SSS_AUTOLOAD
MODULE_ALIAS_NETPROTO(AF_SSS);
#endif
