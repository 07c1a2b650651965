/* SPDX-License-Identifier: GPL-2.0 */
/*
 * AF_SSS sockets: what a program holds. The essay is at the top of af_sss.c.
 */
#ifndef _SSS_SOCKET_SOCKET_H
#define _SSS_SOCKET_SOCKET_H

#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sockptr.h>
#include <linux/sss.h>
#include <net/sock.h>

struct sss_events;
struct sss_hints;
struct sss_host;
struct sss_net;
struct sss_listener;
struct sss_service;
struct sss_stream;

/**
 * struct sss_sock - an AF_SSS socket
 * @sk: must be first
 * @stream: reference, from connect() or accept() until the socket is freed or
 *	a failed connect() is reported; changes under the socket lock and its
 *	spinlock both, so either is enough to read it
 * @listener: reference, queue of streams to accept: while sk_state is
 *	TCP_LISTEN, or children of @stream; changes like @stream
 * @parent: reference, an acceptor's: whose children it takes
 * @service: the names it listens on
 * @host: reference, the local identity bind() chose; NULL: none, or any
 * @local: local address as getsockname() shows it
 * @remote: the peer's, once there is a stream
 * @status: what the peer said to the last connect() that failed, or NULL
 * @service_desc: SSS_SERVICE_DESC, NULL: empty
 * @protocol_desc: SSS_PROTOCOL_DESC, NULL: empty
 * @events: what SSS_EVENTS wants and what waits of it, NULL: it was never set
 * @deferred: enum sss_stream_event bits that arrived while a program held the
 *	socket; protected by the socket's spinlock
 * @user_timeout: SSS_USER_TIMEOUT, ms
 * @family: SSS_FAMILY
 * @bound: bind() succeeded
 * @cork: SSS_CORK
 * @fastopen: SSS_FASTOPEN
 * @listen_inherit: SSS_LISTEN_INHERIT
 * @background: SSS_BACKGROUND
 * @priority: SSS_PRIORITY; weight 0: never set
 * @browse: the kernel's own, tells a peer of services
 * @records: SSS_RECORDS
 * @reliable: SSS_RELIABLE
 * @deadline: SSS_DEADLINE, ms
 * @links: SOCK_DGRAM that is not on a stream: see dgram_link.c
 * @n_links: how many
 * @messages: SOCK_DGRAM: what was sent and is in memory; like @stream
 * @n_messages: how many
 * @hints: SSS_ADD_ENDPOINT before connect(), or NULL
 * @failed: the stream's error has been moved to sk_err
 */
struct sss_sock {
	struct sock sk;
	struct sss_stream *stream;
	struct sss_listener *listener;
	struct sss_stream *parent;
	struct sss_service *service;
	struct sss_host *host;
	struct sockaddr_sss local;
	struct sockaddr_sss remote;
	struct sss_status *status;
	char *service_desc;
	char *protocol_desc;
	struct sss_events *events;
	unsigned long deferred;
	u32 user_timeout;
	sa_family_t family;
	bool bound;
	bool cork;
	bool fastopen;
	bool listen_inherit;
	bool background;
	struct sss_priority priority;
	bool above;
	bool browse;
	bool records;
	bool reliable;
	bool failed;
	u32 deadline;
	struct list_head links;
	u32 n_links;
	struct list_head messages;
	u32 n_messages;
	struct sss_hints *hints;
};

static inline struct sss_sock *sss_sk(const struct sock *sk)
{
	return (struct sss_sock *)sk;
}

/* af_sss.c */
int sss_socket_init_floor(void);
void sss_socket_exit_floor(void);
int sss_socket_init(void);
void sss_socket_exit(void);
struct sock *sss_sock_alloc(struct net *net, struct socket *sock, int type, int kern);
void __sss_sock_set_stream(struct sock *sk, struct sss_stream *st);
void __sss_sock_set_mode(struct sock *sk);
void __sss_sock_update(struct sock *sk);

/* endpoint.c */
int sss_sock_add_endpoint(struct sock *sk, sockptr_t val, unsigned int len);
int sss_sock_get_endpoint(struct sock *sk, bool local, char __user *val, int __user *optlen,
			  int room);
struct sss_peer *__sss_sock_hinted_peer(struct sock *sk, struct sss_host *host,
					const struct sss_eid *eid);

/* bind.c */
int sss_sock_parse_address(const struct sockaddr *addr, int len, bool dial,
			   struct sockaddr_sss *out);
int sss_sock_check_listen(struct sss_net *sn, const struct sss_host *host);
void __sss_sock_unbind(struct sock *sk);
int sss_sock_bind(struct socket *sock, struct sockaddr *addr, int len);
int sss_sock_getname(struct socket *sock, struct sockaddr *addr, int peer);

/* browse.c */
int sss_browse_init(void);
void sss_browse_flush(void);
void sss_browse_open(bool open);
void sss_browse_exit(void);
u8 sss_browse_take(struct sss_stream *st);

/* connect.c */
int sss_sock_connect(struct socket *sock, struct sockaddr *addr, int len, int flags);
void __sss_sock_abort_connect(struct socket *sock);
int __sss_sock_connect(struct socket *sock, struct sockaddr *addr, int len, int flags,
		       bool fastopen);

/* errqueue.c */
bool sss_errqueue_event(struct sock *sk, u32 type, u64 value);
int sss_errqueue_set_events(struct sock *sk, u32 mask);
u32 sss_errqueue_get_events(const struct sock *sk);
void sss_errqueue_free(struct sock *sk);
bool __sss_errqueue_pending(const struct sock *sk);
ssize_t sss_sock_recv_errqueue(struct sock *sk, struct msghdr *msg, size_t len, int flags);

/* listen.c */
int sss_sock_listen(struct socket *sock, int backlog);
void sss_sock_graft(struct sock *sk, struct sss_stream *st, struct socket *newsock);
int sss_sock_accept(struct socket *sock, struct socket *newsock, int flags, bool kern);
void __sss_sock_stop_listening(struct sock *sk);
int __sss_sock_start_listening(struct sock *sk, u32 backlog, u8 kind);
int __sss_sock_dial(struct sock *sk, struct sss_stream *st, const struct sockaddr_sss *to,
		    u8 kind, struct sss_eid *from);
int __sss_sock_listen_on_stream(struct sock *sk, u32 backlog);
void __sss_sock_unlisten_stream(struct sock *sk);
void __sss_sock_set_listener(struct sock *sk, struct sss_listener *l, int state);
void sss_sock_inherit(struct sock *sk, const struct sock *from);

/* substream.c */
int sss_sock_open_child(struct socket *sock, const struct sss_open __user *arg);
int sss_sock_open_acceptor(struct socket *sock, const struct sss_acceptor __user *arg);

/* sendmsg.c */
int sss_sock_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
void sss_sock_splice_eof(struct socket *sock);
void sss_sock_write_space(struct sock *sk);
bool __sss_sock_writable(const struct sock *sk);

/* recvmsg.c */
int sss_sock_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags);
bool __sss_sock_readable(const struct sock *sk);
int sss_sock_set_rcvlowat(struct sock *sk, int val);

/* dgram.c */
extern const struct proto_ops sss_dgram_ops;
extern const struct proto_ops sss_socket_ops;
int __sss_sock_become_dgram(struct sock *sk, struct sss_stream *parent);
void __sss_sock_dgram_update(struct sock *sk);
void __sss_sock_dgram_wake(struct sock *sk);
int sss_sock_dgram_sleep(struct sock *sk, long *timeo, long most);

/* poll.c */
__poll_t sss_sock_poll(struct file *file, struct socket *sock, poll_table *wait);

/* sockopt.c */
int sss_sock_setsockopt(struct socket *sock, int level, int name, sockptr_t val,
			unsigned int len);
int sss_sock_getsockopt(struct socket *sock, int level, int name, char __user *val,
			int __user *len);
void sss_sock_keepalive(struct sock *sk, int on);
int sss_sock_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
int sss_sock_reset(struct sock *sk, const struct sss_reset __user *arg);
int sss_sock_compat_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);

#endif /* _SSS_SOCKET_SOCKET_H */
