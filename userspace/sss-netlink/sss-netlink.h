/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SSS_NETLINK_H
#define SSS_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/sss.h>
#include <libmnl/libmnl.h>
#include <common/ini.h>

/* Exit codes, as iproute2's */
enum { EXIT_OK = 0, EXIT_USAGE = 1, EXIT_KERNEL = 2 };

/* What is left of the command line */
struct args {
	int n;
	char **v;
};

extern bool json, pretty;

/* main.c */
void die(int code, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
const char *next_arg(struct args *args, const char *what);	/* dies if there is none */
bool is_word(const char *given, const char *word);		/* unambiguous by order of asking */
void end_of_args(const struct args *args);
bool on_off(const char *text, const char *what);
unsigned long number(const char *text, const char *what, unsigned long max);

/* Nothing of a key stays in memory behind the call that used it. */
/* key.c */
int do_key(struct args *args);
void read_key(const char *file, uint8_t key[SSS_EID_LEN]);	/* "-": standard input */
int try_key(const char *file, uint8_t key[SSS_EID_LEN], struct ini_error *error);
int make_key(const char *file, struct ini_error *error);	/* which is not there yet */
void refuse_key_on_command_line(const char *text);

/* nl.c */
struct nlmsghdr *nl_request(int cmd, int flags);	/* in a static buffer */
int nl_send(struct nlmsghdr *nlh, mnl_cb_t cb, void *data);	/* dies if it is refused */
int nl_try(struct nlmsghdr *nlh, mnl_cb_t cb, void *data);	/* 0, or the kernel's errno */
const char *nl_refusal(void);		/* what that means, a sentence */
struct mnl_socket *nl_group(const char *group);		/* a socket of its own; or dies */
int nl_listen(const char *group, mnl_cb_t cb);
void nl_attrs(const struct nlmsghdr *nlh, const struct nlattr **tb);
void nl_nest(const struct nlattr *nest, mnl_attr_cb_t cb, void *data);
void put_eid(struct nlmsghdr *nlh, int attr, const char *text);

/* out.c: text or JSON, decided once */
void out_begin(void);			/* the answer: a list of objects */
void out_end(void);
void out_object(void);			/* next object */
void out_string(const char *name, const char *value);
void out_number(const char *name, uint64_t value);
void out_bool(const char *name, bool value);
void out_list(const char *name);	/* strings follow, by out_item() */
void out_item(const char *value);
void out_list_end(void);
void out_eid(const char *name, const struct nlattr *attr);
void out_indent(unsigned int depth);	/* before the first member, in text only */
void get_info(struct sss_info *info, const struct nlattr *attr);
void out_stream_info(const struct sss_info *info);
void out_channel_info(const struct sss_info *info);
const char *endpoint_text(const struct nlattr *attr);

int do_host(struct args *args);		/* host.c */
int do_peer(struct args *args);		/* peer.c */
int do_access(struct args *args);	/* access.c */
int browse(struct args *args);		/* browse.c: behind "show remote" */
bool is_remote(const char *word);
int do_service(struct args *args);	/* show.c */
int do_stream(struct args *args);	/* stream.c */
int do_config(struct args *args);	/* config.c */
int do_agent(struct args *args);	/* ../sss-agent */
int do_channel(struct args *args);
int do_stats(struct args *args);
int do_monitor(struct args *args);

#endif
