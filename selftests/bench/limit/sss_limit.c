// SPDX-License-Identifier: GPL-2.0
/*
 * What encryption alone costs: seals and opens packets of one size for a while
 * on the CPU it is loaded on, in this kernel and with the functions AF_SSS
 * uses. The result is read from /sys/module/sss_limit/parameters.
 */
#include <crypto/chacha20poly1305.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#define HEADER_LEN 8

static unsigned int size = 1448;
module_param(size, uint, 0444);
MODULE_PARM_DESC(size, "bytes of plaintext in a packet");

static unsigned int packets = 200000;
module_param(packets, uint, 0444);
MODULE_PARM_DESC(packets, "how many to seal and open");

static ulong seal_ns;
module_param(seal_ns, ulong, 0444);
MODULE_PARM_DESC(seal_ns, "result: nanoseconds to seal one");

static ulong open_ns;
module_param(open_ns, ulong, 0444);
MODULE_PARM_DESC(open_ns, "result: nanoseconds to open one");

static const u8 key[CHACHA20POLY1305_KEY_SIZE] = "the key makes no difference here";

/* One batch, as a GSO super-packet holds it: neither all in the nearest cache nor out of it. */
static int run(u8 *buffer, unsigned int batch)
{
	unsigned int step = size + CHACHA20POLY1305_AUTHTAG_SIZE, i;
	u8 header[HEADER_LEN] = { };
	u64 start = ktime_get_ns(), sealed;
	bool ok = true;

	for (i = 0; i < batch; i++)
		chacha20poly1305_encrypt(buffer + i * step, buffer + i * step, size,
					 header, sizeof(header), i, key);
	sealed = ktime_get_ns();
	for (i = 0; i < batch; i++)
		ok &= chacha20poly1305_decrypt(buffer + i * step, buffer + i * step, step,
					       header, sizeof(header), i, key);
	seal_ns += sealed - start;
	open_ns += ktime_get_ns() - sealed;
	return ok ? 0 : -EBADMSG;
}

static int __init sss_limit_init(void)
{
	unsigned int batch, done;
	u8 *buffer;
	int err = 0;

	if (!size || size > SZ_16K || !packets)
		return -EINVAL;
	batch = max(SZ_64K / (size + CHACHA20POLY1305_AUTHTAG_SIZE), 1U);
	buffer = kvzalloc(SZ_64K + CHACHA20POLY1305_AUTHTAG_SIZE, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	seal_ns = 0;
	open_ns = 0;
	for (done = 0; done < packets && !err; done += batch) {
		err = run(buffer, batch);
		cond_resched();
	}
	seal_ns /= done;
	open_ns /= done;
	kvfree(buffer);
	return err;
}

static void __exit sss_limit_exit(void)
{
}

module_init(sss_limit_init);
module_exit(sss_limit_exit);

MODULE_DESCRIPTION("How fast ChaCha20-Poly1305 alone is");
MODULE_LICENSE("GPL");
