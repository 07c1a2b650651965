// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that wait for accept(), of peers that nobody configured: identities
 * cost nothing, so these are counted by where they come from (an IPv4 /24, an
 * IPv6 /64) and in the whole namespace. And the memory of what they sent, see
 * memory.c.
 *
 * One too many is not refused: its packet counts as not received, so that it
 * comes again, and its opener's writes wait meanwhile, as with any other limit
 * on streams that wait.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include "stream/table.h"

/**
 * struct sss_crowd - where streams that wait come from
 * @node: in sss_net.crowds
 * @key: the prefix
 * @family: AF_INET or AF_INET6
 * @channels: that refer to it; all but @waiting under sss_net.crowds_lock
 * @waiting: streams
 * @memory: bytes that they, and those accepted, hold
 */
struct sss_crowd {
	struct rb_node node;
	u64 key;
	u16 family;
	u32 channels;
	atomic_t waiting;
	atomic_long_t memory;
};

static u64 key_of(const struct sockaddr *from)
{
	__be64 upper;

	if (from->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)from)->sin_addr.s_addr) >> 8;
	memcpy(&upper, &((const struct sockaddr_in6 *)from)->sin6_addr, sizeof(upper));
	return be64_to_cpu(upper);
}

static int compare(const struct sss_crowd *c, u64 key, u16 family)
{
	if (c->family != family)
		return c->family < family ? -1 : 1;
	return c->key == key ? 0 : c->key < key ? -1 : 1;
}

/* The place where @key is, or belongs */
static struct rb_node **find(struct sss_net *sn, u64 key, u16 family, struct rb_node **parent)
{
	struct rb_node **link = &sn->crowds.rb_node;
	int c;

	*parent = NULL;
	while (*link) {
		*parent = *link;
		c = compare(rb_entry(*link, struct sss_crowd, node), key, family);
		if (!c)
			break;
		link = c < 0 ? &(*link)->rb_right : &(*link)->rb_left;
	}
	return link;
}

/* The crowd of an address, with one channel more; NULL: no memory */
static struct sss_crowd *get(struct sss_net *sn, const struct sockaddr *from)
{
	u64 key = key_of(from);
	struct sss_crowd *c = NULL;
	struct rb_node **link, *parent;

	spin_lock_bh(&sn->crowds_lock);
	link = find(sn, key, from->sa_family, &parent);
	if (*link) {
		c = rb_entry(*link, struct sss_crowd, node);
	} else {
		c = kzalloc(sizeof(*c), GFP_ATOMIC | __GFP_NOWARN);
		if (!c)
			goto out;
		c->key = key;
		c->family = from->sa_family;
		rb_link_node(&c->node, parent, link);
		rb_insert_color(&c->node, &sn->crowds);
	}
	c->channels++;
out:
	spin_unlock_bh(&sn->crowds_lock);
	return c;
}

/**
 * sss_crowd_leave() - a channel is freed
 * @ch: channel without streams
 */
void sss_crowd_leave(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);
	struct sss_crowd *c = ss->crowd;

	if (!c)
		return;
	ss->crowd = NULL;
	spin_lock_bh(&ch->sn->crowds_lock);
	if (!--c->channels) {
		WARN_ON_ONCE(atomic_read(&c->waiting) || atomic_long_read(&c->memory));
		rb_erase(&c->node, &ch->sn->crowds);
		kfree(c);
	}
	spin_unlock_bh(&ch->sn->crowds_lock);
}

/**
 * __sss_crowd_enter() - find out in which crowd a peer is
 * @ch: its channel, locked
 *
 * Once, before anything of it is counted: what becomes known of the peer later
 * is for its next channel.
 *
 * Return: 0 or -ENOMEM
 */
int __sss_crowd_enter(struct sss_channel *ch)
{
	struct sss_streams *ss = sss_streams(ch);

	lockdep_assert_held(&ch->lock);
	if (ss->crowd_known)
		return 0;
	if (!(READ_ONCE(ch->peer->flags) & SSS_PEER_F_CONFIGURED)) {
		ss->crowd = get(ch->sn, &ch->path.remote.sa);
		if (!ss->crowd)
			return -ENOMEM;
	}
	ss->crowd_known = true;
	return 0;
}

/**
 * sss_crowd_charge() - more or less memory is held
 * @c: crowd
 * @bytes: more, negative: less
 */
void sss_crowd_charge(struct sss_crowd *c, long bytes)
{
	atomic_long_add(bytes, &c->memory);
}

/**
 * sss_crowd_memory() - how much memory do its streams hold?
 * @c: crowd
 *
 * Return: bytes
 */
long sss_crowd_memory(const struct sss_crowd *c)
{
	return atomic_long_read(&c->memory);
}

/* Counts one more, if the limit allows it. */
static bool count(atomic_t *waiting, u32 limit)
{
	if (atomic_inc_return(waiting) <= limit)
		return true;
	atomic_dec(waiting);
	return false;
}

/**
 * __sss_crowd_admit() - may a stream that the peer opens wait for accept()?
 * @st: new, of a channel, which is locked
 *
 * It counts from now on, until __sss_crowd_settled().
 *
 * Return: 0, or -ENOMEM: not now, the packet was not received
 */
int __sss_crowd_admit(struct sss_stream *st)
{
	struct sss_channel *ch = st->ch;
	struct sss_streams *ss = sss_streams(ch);
	struct sss_net *sn = ch->sn;

	lockdep_assert_held(&ch->lock);
	if (__sss_crowd_enter(ch))
		return -ENOMEM;
	if (!ss->crowd)
		return 0;
	if (!count(&sn->waiting, READ_ONCE(sn->limits.max_waiting)))
		goto too_many;
	if (!count(&ss->crowd->waiting, READ_ONCE(sn->limits.max_prefix_waiting))) {
		atomic_dec(&sn->waiting);
		goto too_many;
	}
	st->flags |= SSS_ST_WAITING;
	return 0;
too_many:
	sss_mib_inc(sn, STREAMS_HELD);
	return -ENOMEM;
}

/**
 * __sss_crowd_settled() - a stream waits no longer, if it did
 * @st: of a channel, which is locked: accepted, refused or over
 */
void __sss_crowd_settled(struct sss_stream *st)
{
	lockdep_assert_held(&st->ch->lock);
	if (!(st->flags & SSS_ST_WAITING))
		return;
	st->flags &= ~SSS_ST_WAITING;
	atomic_dec(&sss_streams(st->ch)->crowd->waiting);
	atomic_dec(&st->ch->sn->waiting);
}
