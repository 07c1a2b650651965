// SPDX-License-Identifier: GPL-2.0
/*
 * What ends keys before their time.
 *
 * The machine goes to sleep: whoever gets at it then finds no keys in its
 * memory. The states stay, and the next packet begins with a handshake.
 *
 * The machine was copied, a snapshot of it restored: two would send under the
 * same keys with the same packet numbers. Keys and states go, and streams end.
 *
 * Both go over all namespaces. From the one notification that a sleep is near
 * to the one that it is over no keys are made, or a channel under load would
 * have new ones before the last program is frozen.
 */
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/rtnetlink.h>
#include <linux/suspend.h>
#include "channel/channel.h"
#include "channel/handshake.h"
#include "channel/lapse.h"

static bool asleep;

/**
 * sss_lapse_asleep() - is the machine about to sleep?
 *
 * Return: whether no keys may be made now. Context: any.
 */
bool sss_lapse_asleep(void)
{
	return READ_ONCE(asleep);
}

typedef void (*channel_fn)(struct sss_channel *ch);

static void each_channel(struct sss_host *host, channel_fn fn)
{
	struct sss_channel *ch;
	struct sss_peer *peer;

	list_for_each_entry_rcu(peer, &host->peer_list, list) {
		ch = sss_channel_of_peer(peer);
		if (!ch)
			continue;
		fn(ch);
		sss_channel_put(ch);
	}
}

/* Every channel there is; with @slots what is half-open goes, too. */
static void everywhere(channel_fn fn, bool slots)
{
	struct sss_host *host;
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net) {
		rcu_read_lock();
		list_for_each_entry_rcu(host, &sss_netns(net)->hosts, node) {
			if (READ_ONCE(host->dead))
				continue;
			if (slots)
				sss_slot_purge_host(host);
			each_channel(host, fn);
		}
		rcu_read_unlock();
	}
	up_read(&net_rwsem);
}

static void drop_keys(struct sss_channel *ch)
{
	spin_lock_bh(&ch->lock);
	__sss_initiate_forget(ch);
	sss_keyring_clear(&ch->ring);
	spin_unlock_bh(&ch->lock);
}

static void go_on(struct sss_channel *ch)
{
	spin_lock_bh(&ch->lock);
	if (ch->state != SSS_CHANNEL_CLOSED)
		__sss_handshake_hurry(ch);
	spin_unlock_bh(&ch->lock);
}

/* Twice: who had begun to make keys before has them when all work is done. */
static void end_everywhere(void (*fn)(struct sss_channel *ch))
{
	everywhere(fn, true);
	sss_handshake_flush();
	sss_channel_flush();
	everywhere(fn, true);
}

static void begin_sleep(void)
{
	WRITE_ONCE(asleep, true);
	end_everywhere(drop_keys);
	rcu_barrier();
}

static void end_sleep(void)
{
	WRITE_ONCE(asleep, false);
	everywhere(go_on, false);
}

static int on_sleep(struct notifier_block *nb, unsigned long event, void *data)
{
	/* Where machines doze off all the time, keys stay: nobody could work. */
	if (IS_ENABLED(CONFIG_PM_AUTOSLEEP) || IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP))
		return NOTIFY_DONE;
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		begin_sleep();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
		end_sleep();
		break;
	}
	return NOTIFY_DONE;
}

/* Nothing is said to the peer: that would be sent under the keys. */
static void end_state(struct sss_channel *ch)
{
	spin_lock_bh(&ch->lock);
	sss_keyring_clear(&ch->ring);
	__sss_channel_shut(ch, -ECONNRESET, false);
	spin_unlock_bh(&ch->lock);
}

static int on_copy(struct notifier_block *nb, unsigned long event, void *data)
{
	end_everywhere(end_state);
	return NOTIFY_DONE;
}

static struct notifier_block sleep_notifier = { .notifier_call = on_sleep };
static struct notifier_block copy_notifier = { .notifier_call = on_copy };

/**
 * sss_lapse_init() - begin to listen for sleep and copies
 *
 * Return: 0 or a negative errno. Context: module init, namespaces being
 * registered.
 */
int __init sss_lapse_init(void)
{
	int err = register_pm_notifier(&sleep_notifier);

	if (err)
		return err;
	err = register_random_vmfork_notifier(&copy_notifier);
	if (err)
		unregister_pm_notifier(&sleep_notifier);
	return err;
}

/**
 * sss_lapse_exit() - undo sss_lapse_init()
 *
 * Context: module exit, namespaces still being registered.
 */
void sss_lapse_exit(void)
{
	unregister_random_vmfork_notifier(&copy_notifier);
	unregister_pm_notifier(&sleep_notifier);
}
