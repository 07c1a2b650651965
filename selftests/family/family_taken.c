// SPDX-License-Identifier: GPL-2.0
/* Takes the number of AF_SSS, as another protocol that wants it would. */
#include <linux/module.h>
#include <linux/net.h>

#define PF_TAKEN 22

static int create(struct net *net, struct socket *sock, int protocol, int kern)
{
	return -EPROTONOSUPPORT;
}

static const struct net_proto_family family = {
	.family = PF_TAKEN,
	.create = create,
	.owner = THIS_MODULE,
};

static int __init taken_init(void)
{
	return sock_register(&family);
}

static void __exit taken_exit(void)
{
	sock_unregister(PF_TAKEN);
}

module_init(taken_init);
module_exit(taken_exit);

MODULE_DESCRIPTION("Takes the number of AF_SSS");
MODULE_LICENSE("GPL");
