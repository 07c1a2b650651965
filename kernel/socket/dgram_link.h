/* SPDX-License-Identifier: GPL-2.0 */
/* Whom a SOCK_DGRAM socket that is not on a stream talks to: dgram_link.c */
#ifndef _SSS_SOCKET_DGRAM_LINK_H
#define _SSS_SOCKET_DGRAM_LINK_H

#include <linux/list.h>
#include <linux/sss.h>

struct sock;
struct sss_listener;
struct sss_stream;

/**
 * struct sss_dgram_link - a root stream of kind datagram between two sockets
 * @node: in sss_sock.links, longest unused first
 * @st: reference, the root stream, which carries nothing itself
 * @queue: reference, datagrams that arrived on it
 * @told: recv() said what broke it
 * @local: our identity; names only if the peer called
 * @remote: the peer, and the names that were called
 */
struct sss_dgram_link {
	struct list_head node;
	struct sss_stream *st;
	struct sss_listener *queue;
	bool told;
	struct sockaddr_sss local;
	struct sockaddr_sss remote;
};

struct sss_dgram_link *sss_dgram_link_get(struct sock *sk, const struct sockaddr_sss *to,
					  long *timeo);
struct sss_dgram_link *sss_dgram_link_find(struct sock *sk, const struct sockaddr_sss *to);
void sss_dgram_link_told(struct sock *sk);
struct sss_stream *sss_dgram_link_next(struct sock *sk, struct sss_dgram_link **from);
bool sss_dgram_link_connecting(const struct sock *sk);
void __sss_dgram_link_update(struct sock *sk);
void sss_dgram_link_keep_alive(struct sock *sk, bool on);
void sss_dgram_link_drop_all(struct sock *sk);

#endif /* _SSS_SOCKET_DGRAM_LINK_H */
