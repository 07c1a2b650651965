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

/* What is left of the command line, and what it is for */
struct args {
	int n;
	char **v;
	const struct object *object;
	const struct command *command;
};

/**
 * struct command - a verb of an object
 * @name: the verb; "": what is meant without one; NULL: no more commands
 * @run: does it; returns the exit code
 * @follows: what may stand behind it, words between spaces: first values (EID, HOST,
 *	NAME, FILE, -v...), then settings: "word" or "word=VALUE". VALUE is one of these
 *	kinds or, in small letters, "on|off" and the like. Settings are taken from here
 *	(next_setting()), and so are completions (complete.c).
 */
struct command {
	const char *name;
	int (*run)(struct args *args);
	const char *follows;
};

#define COMMANDS_MAX 8

/**
 * struct object - what can be named on the command line
 * @name: first word
 * @usage: the text of "help"
 * @standard: the command that is meant where none is given; NULL: there must be one,
 *	or one is called ""
 * @commands: ended by one without a name
 */
struct object {
	const char *name;
	const char *usage;
	const char *standard;
	struct command commands[COMMANDS_MAX + 1];
};

extern const struct object object_key, object_host, object_peer, object_service, object_stream,
	object_channel, object_stats, object_config, object_regserver, object_agent,
	object_monitor, object_access;

/* main.c */
#define OPTIONS_MAX 10
extern const struct object *const objects[];	/* ended by NULL */
extern const char *const options[];		/* without "-", ended by NULL */
extern bool json, pretty, brief;
int run_line(struct args args);			/* options, object, command; exit code */
void enter_netns(const char *name);

/* words.c */
void die(int code, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void said_at(const char *file, unsigned int line);	/* die() and warn() name it */
const char *next_arg(struct args *args, const char *what);	/* dies if there is none */
bool is_word(const char *given, const char *word);	/* equal, or the beginning of it */
/* Which of the names is meant: its place, or -1: none. Dies if it might be several. */
int pick(const char *given, const char *const *names, const char *what);
/* A setting of the command, in full, until the next call; dies if it is none */
const char *next_setting(struct args *args);
void end_of_args(const struct args *args);
bool on_off(const char *text, const char *what);
unsigned long number(const char *text, const char *what, unsigned long max);
int run_command(const struct object *object, struct args *args);
/* The next word of command->follows: its length, 0: no more; moves on */
size_t next_follows(const char **follows, const char **word);

int batch(const char *file, bool force);	/* batch.c */
int complete(struct args *args);		/* complete.c */

/* Nothing of a key stays in memory behind the call that used it. */
/* key.c */
void read_key(const char *file, uint8_t key[SSS_EID_LEN]);	/* "-": standard input */
int try_key(const char *file, uint8_t key[SSS_EID_LEN], struct ini_error *error);
int make_key(const char *file, struct ini_error *error);	/* which is not there yet */
void refuse_key_on_command_line(const char *text);
void parse_eid(struct sss_eid *eid, const char *text);		/* dies */
int answer_eid(const struct sss_eid *eid);	/* nothing but this one; exit code */
int rotate_key(struct args *args);		/* key_rotate.c */
int show_key(struct args *args);		/* key_text.c */
int read_eid(struct args *args);

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
void out_begin(const char *brief_names);	/* the answer: a list of objects */
void out_end(void);
void out_object(void);			/* next object */
void out_string(const char *name, const char *value);
void out_number(const char *name, uint64_t value);
void out_bool(const char *name, bool value);
void out_list(const char *name, const char *item);	/* strings follow, by out_item() */
void out_item(const char *value);
void out_list_end(void);
void out_eid(const char *name, const struct nlattr *attr);
void out_indent(unsigned int depth);	/* before the first member, in text only */
void get_info(struct sss_info *info, const struct nlattr *attr);
void out_stream_info(const struct sss_info *info);
void out_channel_info(const struct sss_info *info);
const char *endpoint_text(const struct nlattr *attr);

/* color.c: escape sequences, or "" where there shall be none */
bool color_option(const char *when);	/* always, auto, never; false: none of them */
const char *color_of(const char *name, const char *value);
const char *color_error(void);		/* for standard error */
const char *color_end(const char *begin);

/* show.c: an object for each message that answers; exit code */
int show_answer(struct nlmsghdr *nlh, mnl_cb_t cb, const char *brief_names);
/* Of all hosts, or of the one that the setting "host" names */
int show_of_host(struct args *args, int cmd, mnl_cb_t cb, const char *brief_names);
int browse(struct args *args);		/* browse.c: behind "show remote" */
/* config.c: what the files say goes into the kernel, or nothing; error: what was wrong */
int config_load(const char *file, struct ini_error *error);

#endif
