/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a namespace offers: (service, protocol) pairs that sockets listen on,
 * each on one host or on all. Found by the answer to an INITIATE and by INIT.
 */
#ifndef _SSS_PEER_SERVICE_H
#define _SSS_PEER_SERVICE_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sss.h>
#include "base/netns.h"

struct cred;
struct sock;
struct sss_host;

/**
 * struct sss_service - a pair of names somebody listens on
 * @node: in sss_net.services (RCU)
 * @rcu: frees it
 * @id: grows along the list, never reused in a namespace
 * @host: reference; NULL: every host of the namespace
 * @sk: the listening socket, no reference: it calls sss_service_del() before it
 *	goes and is freed by RCU (SOCK_RCU_FREE), so that a lookup may try
 *	refcount_inc_not_zero()
 * @cred: who listens; decides which hosts a service on all of them is on
 * @admin: @cred had CAP_NET_ADMIN: on all of them whatever their mode
 * @kind: SSS_KIND_* it takes
 * @service: name
 * @protocol: name
 * @service_desc: shown to who browses
 * @protocol_desc: shown to who browses
 */
struct sss_service {
	struct list_head node;
	struct rcu_head rcu;
	u32 id;
	struct sss_host *host;
	struct sock *sk;
	const struct cred *cred;
	bool admin;
	u8 kind;
	char service[SSS_NAME_MAX + 1];
	char protocol[SSS_NAME_MAX + 1];
	char service_desc[SSS_DESC_MAX + 1];
	char protocol_desc[SSS_DESC_MAX + 1];
};

struct sss_service *sss_service_add(struct sss_net *sn, struct sss_host *host, struct sock *sk,
				    u8 kind, const char *service, const char *protocol,
				    const char *service_desc, const char *protocol_desc);
void sss_service_del(struct sss_net *sn, struct sss_service *service);
u8 sss_service_find(struct sss_host *host, const struct sss_eid *from, u8 kind,
		    const char *service, const char *protocol, struct sock **skp);
size_t sss_service_list(struct sss_host *host, const struct sss_eid *from, u8 *list, size_t size);

#endif /* _SSS_PEER_SERVICE_H */
