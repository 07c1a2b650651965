// SPDX-License-Identifier: GPL-2.0
/*
 * Whom a SOCK_DGRAM socket that is not on a stream talks to.
 *
 * Between two such sockets there is a root stream of kind datagram, the *link*:
 * who sends first opens it, the other one finds it among the streams that wait
 * for its names. It carries nothing itself, datagrams are on it in both
 * directions. Who was called ends its direction at once, so that the link is
 * over when the caller closes. A socket keeps a bounded number of links, and
 * forgets those unused for longest; the next datagram makes a new one.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include "stream/dgram.h"
#include "wire/frame.h"
#include "dgram_link.h"
#include "socket.h"

#define LINKS_MOST	1024

static void free_link(struct sock *sk, struct sss_dgram_link *link)
{
	list_del(&link->node);
	sss_sk(sk)->n_links--;
	sss_stream_close(link->st);
	if (link->queue) {
		sss_listener_detach(link->queue, sk);
		sss_tree_unread(link->st, sk);
	}
	sss_stream_settle(link->st, sk);
	sss_stream_put(link->st);
	kfree(link);
}

/* Nothing more comes, and all that came was read. */
static bool is_done(const struct sss_dgram_link *link)
{
	return sss_tree_ended(link->st) && !sss_listener_queued(link->queue);
}

/* Nobody has to be told what broke it. */
static bool is_explained(const struct sss_dgram_link *link)
{
	return link->told || !sss_stream_error(link->st);
}

/*
 * What is over goes; and the one unused for longest, if there are too many.
 * False: all of them have something to be read.
 */
static bool make_room(struct sock *sk)
{
	struct sss_dgram_link *link, *next;

	list_for_each_entry_safe(link, next, &sss_sk(sk)->links, node)
		if (is_done(link) && is_explained(link))
			free_link(sk, link);
	list_for_each_entry_safe(link, next, &sss_sk(sk)->links, node) {
		if (sss_sk(sk)->n_links < LINKS_MOST)
			return true;
		if (!sss_listener_queued(link->queue))
			free_link(sk, link);
	}
	return sss_sk(sk)->n_links < LINKS_MOST;
}

/* Datagrams on @st are read here from now on; takes over the reference to it. */
static struct sss_dgram_link *add(struct sock *sk, struct sss_stream *st)
{
	struct sss_dgram_link *link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
	struct sss_listener *queue;

	if (!link)
		return ERR_PTR(-ENOMEM);
	queue = sss_tree_receive(st, sk);
	if (IS_ERR(queue)) {
		kfree(link);
		return ERR_CAST(queue);
	}
	link->st = st;
	link->queue = queue;
	list_add_tail(&link->node, &sss_sk(sk)->links);
	sss_sk(sk)->n_links++;
	return link;
}

static void give_up(struct sock *sk, struct sss_stream *st)
{
	sss_stream_reset(st, SSS_RESET_CLOSED, NULL);
	sss_stream_close(st);
	sss_stream_settle(st, sk);
	sss_stream_put(st);
}

/* Takes the links that peers opened to our names; those too many wait. */
static void take_calls(struct sock *sk)
{
	struct sss_sock *ss = sss_sk(sk);
	struct sss_stream *st;
	struct sss_dgram_link *link;

	while (ss->listener && sss_listener_ready(ss->listener) && make_room(sk)) {
		st = sss_listener_accept(ss->listener);
		if (!st)
			return;
		sss_stream_attach(st, sk);
		link = add(sk, st);
		if (IS_ERR(link)) {
			give_up(sk, st);
			continue;
		}
		sss_stream_get_addresses(st, &link->local, &link->remote);
		sss_stream_shutdown(st, false, true);
	}
}

static struct sss_dgram_link *dial(struct sock *sk, const struct sockaddr_sss *to)
{
	struct sss_stream *st = sss_stream_create(SSS_KIND_DATAGRAM, GFP_KERNEL_ACCOUNT);
	struct sss_sock *ss = sss_sk(sk);
	struct sss_dgram_link *link;
	struct sss_eid from;
	int err;

	if (!st)
		return ERR_PTR(-ENOMEM);
	if (!make_room(sk)) {
		sss_stream_put(st);
		return ERR_PTR(-ENOBUFS);
	}
	if (ss->priority.weight)
		sss_stream_set_priority(st, &ss->priority, ss->above);
	sss_stream_set_background(st, sk, ss->background);
	err = __sss_sock_dial(sk, st, to, SSS_KIND_DATAGRAM, &from);
	if (err) {
		sss_stream_put(st);
		return ERR_PTR(err);
	}
	link = add(sk, st);
	if (IS_ERR(link)) {
		give_up(sk, st);
		return link;
	}
	link->local.sss_family = AF_SSS;
	link->local.sss_eid = from;
	link->remote = *to;
	return link;
}

/**
 * sss_dgram_link_find() - the link to a peer
 * @sk: socket, locked
 * @to: the peer, and the names that were called
 *
 * Return: it; NULL: there is none
 */
struct sss_dgram_link *sss_dgram_link_find(struct sock *sk, const struct sockaddr_sss *to)
{
	struct sss_dgram_link *link;

	list_for_each_entry_reverse(link, &sss_sk(sk)->links, node)
		if (!memcmp(&link->remote, to, sizeof(*to)))
			return link;
	return NULL;
}

/**
 * sss_dgram_link_told() - recv() told what broke the link of a connected socket
 * @sk: socket, locked
 *
 * The next send() begins anew, as if it had told that itself.
 */
void sss_dgram_link_told(struct sock *sk)
{
	struct sss_dgram_link *link = sss_dgram_link_find(sk, &sss_sk(sk)->remote);

	if (link && sss_tree_ended(link->st))
		link->told = true;
}

/**
 * sss_dgram_link_get() - a link on which datagrams can be sent
 * @sk: socket, locked; unlocked while it waits
 * @to: the peer and both names
 * @timeo: jiffies to wait for the answer of a new one; what is left of them
 *
 * What broke an old one is told once, here or by recv().
 *
 * Return: it, or an error as from connect(); -EAGAIN, -EINTR: it is not answered yet
 */
struct sss_dgram_link *sss_dgram_link_get(struct sock *sk, const struct sockaddr_sss *to,
					  long *timeo)
{
	struct sss_dgram_link *link;
	int err;

	take_calls(sk);
	for (;;) {
		link = sss_dgram_link_find(sk, to);
		if (link && sss_tree_ended(link->st) && is_explained(link)) {
			free_link(sk, link);
			link = NULL;
		}
		if (!link)
			link = dial(sk, to);
		if (IS_ERR(link))
			return link;
		err = -sss_stream_error(link->st);
		if (err) {
			free_link(sk, link);
			return ERR_PTR(err);
		}
		if (sss_stream_connected(link->st))
			break;
		err = sss_sock_dgram_sleep(sk, timeo, MAX_SCHEDULE_TIMEOUT);
		if (err)
			return ERR_PTR(err);
	}
	list_move_tail(&link->node, &sss_sk(sk)->links);
	return link;
}

/**
 * sss_dgram_link_next() - the next datagram that can be read
 * @sk: socket, locked
 * @from: filled: its link
 *
 * Links take turns. On a connected socket only its peer's counts.
 *
 * Return: it, with a reference, still in the queue; NULL: none
 */
struct sss_stream *sss_dgram_link_next(struct sock *sk, struct sss_dgram_link **from)
{
	const struct sockaddr_sss *only = &sss_sk(sk)->remote;
	struct sss_stream *st;
	struct sss_dgram_link *link;

	take_calls(sk);
	list_for_each_entry(link, &sss_sk(sk)->links, node) {
		if (only->sss_family && memcmp(&link->remote, only, sizeof(*only)))
			continue;
		st = sss_listener_next(link->queue);
		if (!st)
			continue;
		list_move_tail(&link->node, &sss_sk(sk)->links);
		*from = link;
		return st;
	}
	return NULL;
}

/**
 * sss_dgram_link_connecting() - is some link not answered yet?
 * @sk: socket, locked
 *
 * Return: whether a send() may have to wait for that
 */
bool sss_dgram_link_connecting(const struct sock *sk)
{
	struct sss_dgram_link *link;

	list_for_each_entry(link, &sss_sk(sk)->links, node)
		if (!sss_stream_connected(link->st) && !sss_stream_error(link->st))
			return true;
	return false;
}

/**
 * __sss_dgram_link_update() - charge the socket for what its links hold
 * @sk: socket lock held, or its spinlock while nobody has it
 */
void __sss_dgram_link_update(struct sock *sk)
{
	struct sss_dgram_link *link;

	list_for_each_entry(link, &sss_sk(sk)->links, node) {
		sss_stream_settle(link->st, sk);
		sss_listener_settle(link->queue, sk);
	}
}

/**
 * sss_dgram_link_keep_alive() - SO_KEEPALIVE, for the links there are
 * @sk: socket, locked
 * @on: what to
 */
void sss_dgram_link_keep_alive(struct sock *sk, bool on)
{
	struct sss_dgram_link *link;

	list_for_each_entry(link, &sss_sk(sk)->links, node)
		sss_keepalive_set(link->st, on);
}

/**
 * sss_dgram_link_drop_all() - the socket closes
 * @sk: socket, locked
 */
void sss_dgram_link_drop_all(struct sock *sk)
{
	struct sss_dgram_link *link, *next;

	list_for_each_entry_safe(link, next, &sss_sk(sk)->links, node)
		free_link(sk, link);
}
