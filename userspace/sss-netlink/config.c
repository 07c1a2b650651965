// SPDX-License-Identifier: GPL-2.0 OR MIT
/* config check, load, unload: hosts and peers as the files say */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "config.h"
#include "sss-netlink.h"

static const char usage[] =
	"Usage: sss-netlink config check [FILE]\n"
	"       sss-netlink config load [FILE]\n"
	"       sss-netlink config unload\n"
	"FILE is " CONF_FILE " unless given; the *.conf of the folder peers.d beside\n"
	"it are read as well: sss.conf(5). load brings hosts and peers there, and takes\n"
	"away what an earlier load brought and is no longer said; unload takes all away.\n";

static void make(struct conf *conf, struct plan *plan, const char *file, bool keys)
{
	struct ini_error error;

	if (sodium_init() < 0)
		die(EXIT_USAGE, "libsodium does not start");
	if (conf_read(conf, file, &error) || plan_make(plan, conf, keys, &error))
		die(EXIT_USAGE, "%s", error.text);
}

static int check(const char *file)
{
	struct conf conf;
	struct plan plan;

	make(&conf, &plan, file, false);
	printf("%s: %u hosts, %u peers\n", file, plan.n_hosts, plan.n_peers);
	plan_free(&plan);
	conf_free(&conf);
	return EXIT_OK;
}

static int load(const char *file)
{
	struct loaded loaded;
	struct ini_error error;
	struct conf conf;
	struct plan plan;
	int ret;

	make(&conf, &plan, file, true);
	loaded_open(&loaded);
	ret = apply_plan(&plan, &loaded, &error);
	if (!ret && loaded_write(&loaded, &plan))
		fprintf(stderr, "sss-netlink: cannot write \"%s\": %s: \"config unload\" will not know of this\n",
			loaded.path, strerror(errno));
	plan_free(&plan);
	if (ret)
		die(EXIT_KERNEL, "%s", error.text);
	loaded_close(&loaded);
	conf_free(&conf);
	return EXIT_OK;
}

static int unload(void)
{
	struct loaded loaded;

	loaded_open(&loaded);
	if (loaded.n_hosts)
		apply_unload(&loaded);
	loaded_remove(&loaded);
	loaded_close(&loaded);
	return EXIT_OK;
}

int do_config(struct args *args)
{
	const char *cmd = next_arg(args, "a command (check, load, unload)");
	const char *file = CONF_FILE;

	if (is_word(cmd, "help"))
		return fputs(usage, stdout) < 0;
	if (args->n && !is_word(cmd, "unload"))
		file = next_arg(args, "a file");
	end_of_args(args);
	if (is_word(cmd, "check"))
		return check(file);
	if (is_word(cmd, "load"))
		return load(file);
	if (is_word(cmd, "unload"))
		return unload();
	die(EXIT_USAGE, "unknown command \"config %s\": see \"sss-netlink config help\"", cmd);
}
