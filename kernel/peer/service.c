// SPDX-License-Identifier: GPL-2.0
/* Services: claimed by bind() and listen(), found by who is asked for one. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "wire/frame.h"
#include "access.h"
#include "host.h"
#include "service.h"

static bool same_pair(const struct sss_service *entry, const char *service,
		      const char *protocol)
{
	return !strcmp(entry->service, service) && !strcmp(entry->protocol, protocol);
}

/* One of them is on every host, or both are on the same. */
static bool overlap(const struct sss_service *a, const struct sss_service *b)
{
	return !a->host || !b->host || a->host == b->host;
}

static int __claim(struct sss_net *sn, struct sss_service *new)
{
	struct sss_service *entry;

	lockdep_assert_held(&sn->services_lock);
	list_for_each_entry(entry, &sn->services, node)
		if (overlap(entry, new) && same_pair(entry, new->service, new->protocol))
			return -EADDRINUSE;
	new->id = ++sn->last_service_id;
	list_add_tail_rcu(&new->node, &sn->services);
	sss_gauge_inc(sn, SERVICES);
	return 0;
}

static void free_service(struct rcu_head *rcu)
{
	struct sss_service *entry = container_of(rcu, struct sss_service, rcu);

	put_cred(entry->cred);
	kfree(entry);
}

/**
 * sss_service_add() - claim a pair of names for a socket
 * @sn: namespace
 * @host: reference held; the service takes its own. NULL: every host on which
 *	the caller may listen, now and later
 * @sk: listening socket, see struct sss_service
 * @kind: SSS_KIND_*
 * @service: NUL-terminated, valid name
 * @protocol: NUL-terminated, valid name
 * @service_desc: NUL-terminated, at most SSS_DESC_MAX bytes; or NULL
 * @protocol_desc: likewise
 *
 * May the caller listen on @host? The socket floor asks sss_host_may(). Names
 * of services that begin with a dot are reserved.
 *
 * Return: the service, to be given to sss_service_del(), or ERR_PTR:
 * -EADDRINUSE (the pair is taken on one of the hosts), -EACCES (reserved name
 * without CAP_NET_BIND_SERVICE), -ENOMEM. Context: process.
 */
struct sss_service *sss_service_add(struct sss_net *sn, struct sss_host *host, struct sock *sk,
				    u8 kind, const char *service, const char *protocol,
				    const char *service_desc, const char *protocol_desc)
{
	struct sss_service *new;
	int err;

	if (service[0] == '.' && !ns_capable(sn->net->user_ns, CAP_NET_BIND_SERVICE))
		return ERR_PTR(-EACCES);
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->host = host;
	new->sk = sk;
	new->kind = kind;
	new->cred = current_cred();
	new->admin = ns_capable(sn->net->user_ns, CAP_NET_ADMIN);
	strscpy(new->service, service, sizeof(new->service));
	strscpy(new->protocol, protocol, sizeof(new->protocol));
	strscpy(new->service_desc, service_desc ?: "", sizeof(new->service_desc));
	strscpy(new->protocol_desc, protocol_desc ?: "", sizeof(new->protocol_desc));

	spin_lock_bh(&sn->services_lock);
	err = __claim(sn, new);
	if (!err) {
		get_cred(new->cred);
		if (host)
			kref_get(&host->ref);
	}
	spin_unlock_bh(&sn->services_lock);
	if (err) {
		kfree(new);
		return ERR_PTR(err);
	}
	return new;
}

/**
 * sss_service_del() - give the pair up
 * @sn: namespace
 * @service: from sss_service_add()
 *
 * When this returns no new lookup finds the socket; one under way may still
 * take a reference to it. Context: any but hard interrupts.
 */
void sss_service_del(struct sss_net *sn, struct sss_service *service)
{
	spin_lock_bh(&sn->services_lock);
	list_del_rcu(&service->node);
	spin_unlock_bh(&sn->services_lock);
	sss_gauge_dec(sn, SERVICES);
	/* Who still sees the service by RCU may look at its host: freed by RCU too. */
	sss_host_put(service->host);
	call_rcu(&service->rcu, free_service);
}

static bool is_on(const struct sss_service *entry, const struct sss_host *host)
{
	if (entry->host)
		return entry->host == host;
	return entry->admin || sss_host_admits(host, entry->cred, MAY_WRITE);
}

static bool get_sock(const struct sss_service *entry, struct sock **skp)
{
	if (!skp)
		return true;
	if (!refcount_inc_not_zero(&entry->sk->sk_refcnt))
		return false;
	*skp = entry->sk;
	return true;
}

/* The kernel's own service, unless a program with the right to it listens. */
static u8 ask_builtin(u8 kind, const char *protocol)
{
	if (strcmp(protocol, SSS_BROWSE_PROTOCOL))
		return SSS_SERVICE_NO_PROTOCOL;
	return kind == SSS_KIND_STREAM ? SSS_SERVICE_OK : SSS_SERVICE_WRONG_KIND;
}

/**
 * sss_service_find() - what is the answer to a request for a service?
 * @host: who is asked
 * @from: who asks; see access.h for what it may use
 * @kind: SSS_KIND_* of the stream that is wanted
 * @service: NUL-terminated name
 * @protocol: NUL-terminated name
 * @skp: gets the listening socket with a reference (sock_put()) where the
 *	answer is SSS_SERVICE_OK, NULL where the kernel answers itself; NULL: only look
 *
 * Who may not use the service does not learn whether it is there.
 *
 * Return: SSS_SERVICE_OK, _DENIED, _UNKNOWN, _NO_PROTOCOL or _WRONG_KIND; whether the
 * backlog has room is the socket's to say. Context: any.
 */
u8 sss_service_find(struct sss_host *host, const struct sss_eid *from, u8 kind,
		    const char *service, const char *protocol, struct sock **skp)
{
	u8 answer = SSS_SERVICE_UNKNOWN;
	struct sss_service *entry;

	if (!sss_access_ask(host, from, service))
		return SSS_SERVICE_DENIED;
	rcu_read_lock();
	list_for_each_entry_rcu(entry, &host->sn->services, node) {
		if (strcmp(entry->service, service) || !is_on(entry, host))
			continue;
		if (strcmp(entry->protocol, protocol)) {
			if (answer == SSS_SERVICE_UNKNOWN)
				answer = SSS_SERVICE_NO_PROTOCOL;
		} else if (entry->kind != kind) {
			answer = SSS_SERVICE_WRONG_KIND;
		} else if (get_sock(entry, skp)) {
			answer = SSS_SERVICE_OK;
			break;
		}
	}
	rcu_read_unlock();
	if (answer == SSS_SERVICE_OK || strcmp(service, SSS_BROWSE_SERVICE))
		return answer;
	if (skp)
		*skp = NULL;
	return ask_builtin(kind, protocol);
}

static size_t put_text(u8 *to, const char *text)
{
	size_t len = strlen(text);

	*to = len;
	memcpy(to + 1, text, len);
	return 1 + len;
}

/**
 * sss_service_list() - what a host offers to a peer
 * @host: which
 * @from: to whom; it is told what it may use
 * @list: filled, as "browse 1" in protocol.rst says
 * @size: bytes of it; a longer list is cut, and its last byte says so
 *
 * Reserved names are not told. Return: bytes of @list. Context: any.
 */
size_t sss_service_list(struct sss_host *host, const struct sss_eid *from, u8 *list, size_t size)
{
	const size_t longest = 5 + 2 * SSS_NAME_MAX + 2 * SSS_DESC_MAX;
	struct sss_service *entry;
	size_t n = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(entry, &host->sn->services, node) {
		if (entry->service[0] == '.' || !is_on(entry, host) ||
		    !sss_access_admits(host, from, entry->service))
			continue;
		if (size - n <= longest) {
			list[n++] = SSS_BROWSE_CUT;
			break;
		}
		list[n++] = entry->kind;
		n += put_text(list + n, entry->service);
		n += put_text(list + n, entry->protocol);
		n += put_text(list + n, entry->service_desc);
		n += put_text(list + n, entry->protocol_desc);
	}
	rcu_read_unlock();
	return n;
}
