// SPDX-License-Identifier: GPL-2.0
/*
 * The front door: module and namespace init and exit, in order.
 *
 * Up the floors on the way in, down on the way out. Registering the socket
 * family comes last, so that no program sees anything half ready, and
 * unregistering it comes first; the module cannot go while a socket lives.
 */
#include <linux/module.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include "base/netns.h"
#include "channel/channel.h"
#include "channel/moved.h"
#include "channel/lapse.h"
#include "control/control.h"
#include "crypto/crypto.h"
#include "crypto/ratelimiter.h"
#include "peer/host.h"
#include "socket/socket.h"
#include "stream/stream.h"

static int __net_init net_init(struct net *net)
{
	struct sss_net *sn = sss_netns(net);
	int err;

	err = sss_netns_init(sn, net);
	if (err)
		return err;
	sn->limiter = sss_ratelimiter_create();
	if (!sn->limiter) {
		err = -ENOMEM;
		goto undo_netns;
	}
	err = sss_moved_net_init(sn);
	if (err)
		goto undo_limiter;
	err = sss_control_net_init(sn);
	if (err)
		goto undo_moved;
	return 0;
undo_moved:
	sss_moved_net_exit(sn);
undo_limiter:
	sss_ratelimiter_destroy(sn->limiter);
undo_netns:
	sss_netns_exit(sn);
	return err;
}

/* No program is left here; end what the kernel keeps up, while devices live. */
static void __net_exit net_pre_exit(struct net *net)
{
	struct sss_net *sn = sss_netns(net);

	mutex_lock(&sn->hosts_lock);
	sn->dying = true;
	mutex_unlock(&sn->hosts_lock);
	sss_moved_net_stop(sn);
	sss_host_del_all(sn);
	sss_browse_flush();
}

static void __net_exit net_exit_batch(struct list_head *nets)
{
	struct net *net;

	/* The last references of channels, and callbacks, count things down. */
	sss_channel_flush();
	rcu_barrier();
	list_for_each_entry(net, nets, exit_list) {
		struct sss_net *sn = sss_netns(net);

		sss_control_net_exit(sn);
		sss_moved_net_exit(sn);
		sss_ratelimiter_destroy(sn->limiter);
		sss_netns_exit(sn);
	}
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit_batch = net_exit_batch,
	.id = &sss_net_id,
	.size = sizeof(struct sss_net),
};

static int __init init_floors(void)
{
	int err;

	err = sss_crypto_init();
	if (err)
		return err;
	err = sss_channel_init();
	if (err)
		return err;
	err = sss_stream_init();
	if (err)
		goto undo_channel;
	err = sss_socket_init_floor();
	if (err)
		goto undo_stream;
	return 0;
undo_stream:
	sss_stream_exit();
undo_channel:
	sss_channel_exit();
	return err;
}

static void exit_floors(void)
{
	/* Channels that are still being freed take the streams' part with them. */
	rcu_barrier();
	sss_socket_exit_floor();
	sss_channel_exit();
	rcu_barrier();
	sss_stream_exit();
}

static int __init sss_init(void)
{
	int err;

	err = init_floors();
	if (err)
		return err;
	err = register_pernet_device(&net_ops);
	if (err)
		goto undo_floors;
	err = sss_lapse_init();
	if (err)
		goto undo_net;
	err = sss_control_init();
	if (err)
		goto undo_lapse;
	err = sss_socket_init();
	if (err)
		goto undo_control;
	pr_info("loaded\n");
	return 0;
undo_control:
	sss_control_exit();
undo_lapse:
	sss_lapse_exit();
undo_net:
	unregister_pernet_device(&net_ops);
undo_floors:
	exit_floors();
	return err;
}

static void __exit sss_exit(void)
{
	sss_socket_exit();
	sss_control_exit();
	sss_lapse_exit();
	unregister_pernet_device(&net_ops);
	exit_floors();
}

module_init(sss_init);
module_exit(sss_exit);

MODULE_DESCRIPTION("AF_SSS: encrypted streams between identities");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(SSS_GENL_NAME);
