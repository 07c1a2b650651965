// SPDX-License-Identifier: GPL-2.0
/*
 * What a host offers, told to peers that ask: service ".sss", protocol
 * "browse 1", answered by the kernel.
 *
 * Nobody listens: INIT hands the stream to sss_browse_take(), and a worker
 * gives it a socket of the kernel's own, writes the list and closes. What is
 * left is an orphan like every other, with a short patience, since the peer
 * decides how fast it is read. So many may be under way in a namespace, half of them
 * to peers that nobody configured and a few to one peer, and no list is longer than
 * that, so what a peer can bind here is bounded.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include "base/netns.h"
#include "peer/service.h"
#include "stream/stream.h"
#include "socket.h"

#define MOST_AT_ONCE	64
#define LIST_MAX	SZ_256K
#define PATIENCE_MS	10000

/**
 * struct request - a stream that waits for the list
 * @work: answers it
 * @st: stream, a reference
 */
struct request {
	struct work_struct work;
	struct sss_stream *st;
};

static struct workqueue_struct *workers;
static bool accepting;

/* All of it goes into the queue at once, whatever it is; without memory a part. */
static void write_list(struct sss_stream *st, struct sock *sk)
{
	u8 *list = kvmalloc(LIST_MAX, GFP_KERNEL);
	struct msghdr msg = {};
	struct kvec vec = { .iov_base = list };

	if (!list) {
		sss_stream_reset(st, SSS_RESET_CLOSED, "no memory for the list");
		return;
	}
	vec.iov_len = sss_service_list(st->ch->host, &st->ch->peer->eid, list, LIST_MAX);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, vec.iov_len);
	if (vec.iov_len &&
	    sss_sendq_append(st, sk, &msg, vec.iov_len, 0) != (int)vec.iov_len)
		sss_stream_reset(st, SSS_RESET_CLOSED, "no memory for the list");
	kvfree(list);
}

/* As a program would: accept, write, close; nobody holds the socket afterwards. */
static void serve(struct sss_stream *st, struct sock *sk)
{
	lock_sock(sk);
	sss_sk(sk)->browse = true;
	sock_set_flag(sk, SOCK_DEAD);
	sk->sk_sndbuf = 4 * LIST_MAX;
	sss_stream_get(st);
	__sss_sock_set_stream(sk, st);
	sss_stream_attach(st, sk);
	sss_stream_set_user_timeout(st, PATIENCE_MS);
	write_list(st, sk);
	sss_stream_close(st);
	sss_stream_settle(st, sk);
	release_sock(sk);
	sock_put(sk);
}

static void answer(struct work_struct *work)
{
	struct request *request = container_of(work, struct request, work);
	struct sss_stream *st = request->st;
	struct sss_net *sn = st->ch->sn;
	struct sock *sk = sss_sock_alloc(sn->net, NULL, SOCK_STREAM, 1);

	kfree(request);
	if (sk) {
		serve(st, sk);
	} else {
		sss_stream_reset(st, SSS_RESET_CLOSED, "no memory for the list");
		sss_stream_close(st);
		atomic_dec(&sn->browsing);
	}
	sss_stream_put(st);
}

/* Who is configured finds room, whatever strangers do. */
static int most(const struct sss_stream *st)
{
	return READ_ONCE(st->ch->peer->flags) & SSS_PEER_F_CONFIGURED ?
	       MOST_AT_ONCE : MOST_AT_ONCE / 2;
}

/**
 * sss_browse_take() - a peer asks what there is
 * @st: stream of a channel, which is locked
 *
 * Return: enum sss_service_status: _OK, or _BUSY: too many ask, or no memory
 */
u8 sss_browse_take(struct sss_stream *st)
{
	struct sss_net *sn = st->ch->sn;
	struct request *request;

	lockdep_assert_held(&st->ch->lock);
	if (atomic_inc_return(&sn->browsing) > most(st) || !READ_ONCE(accepting))
		goto busy;
	request = kmalloc(sizeof(*request), GFP_ATOMIC | __GFP_NOWARN);
	if (!request)
		goto busy;
	INIT_WORK(&request->work, answer);
	sss_stream_get(st);
	request->st = st;
	queue_work(workers, &request->work);
	return SSS_SERVICE_OK;
busy:
	atomic_dec(&sn->browsing);
	return SSS_SERVICE_BUSY;
}

/**
 * sss_browse_flush() - nobody waits for an answer any more
 *
 * Sleeps. For a namespace that ends, once its channels have.
 */
void sss_browse_flush(void)
{
	flush_workqueue(workers);
}

/**
 * sss_browse_init() - be ready to answer
 *
 * Return: 0 or -ENOMEM
 */
int __init sss_browse_init(void)
{
	workers = alloc_workqueue("sss_browse", WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	return workers ? 0 : -ENOMEM;
}

/**
 * sss_browse_open() - begin to take streams, or take no more
 * @open: which; what was taken is answered when it returns
 *
 * Sleeps. Sockets can be made while it is open.
 */
void sss_browse_open(bool open)
{
	WRITE_ONCE(accepting, open);
	if (open)
		return;
	/* who holds a channel's lock has BH off */
	synchronize_rcu();
	flush_workqueue(workers);
}

/**
 * sss_browse_exit() - undo sss_browse_init()
 *
 * No channel is left.
 */
void sss_browse_exit(void)
{
	destroy_workqueue(workers);
}
