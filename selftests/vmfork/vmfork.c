// SPDX-License-Identifier: GPL-2.0
/*
 * Tells this kernel that the machine was copied, as the driver of the VM's
 * generation counter does when a snapshot was restored: it calls the function that
 * it calls. That is not exported; a kprobe knows where it is.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/random.h>

static int __init vmfork_init(void)
{
	struct kprobe probe = { .symbol_name = "add_vmfork_randomness" };
	void (*tell)(const void *id, size_t len);
	u8 id[16];
	int err;

	err = register_kprobe(&probe);
	if (err)
		return err;
	tell = (void *)probe.addr;
	unregister_kprobe(&probe);
	get_random_bytes(id, sizeof(id));
	tell(id, sizeof(id));
	return 0;
}

static void __exit vmfork_exit(void)
{
}

module_init(vmfork_init);
module_exit(vmfork_exit);

MODULE_DESCRIPTION("Says that the virtual machine was copied");
MODULE_LICENSE("GPL");
