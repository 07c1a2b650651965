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

static int make(struct conf *conf, struct plan *plan, const char *file, bool keys,
		struct ini_error *error)
{
	if (sodium_init() < 0)
		return ini_wrong(error, "libsodium does not start");
	return conf_read(conf, file, error) || plan_make(plan, conf, keys, error) ? -1 : 0;
}

static const char *file_arg(struct args *args)
{
	const char *file = args->n ? next_arg(args, "a file") : CONF_FILE;

	end_of_args(args);
	return file;
}

static void show_sum(const char *file, const struct plan *plan)
{
	out_begin("file hosts peers");
	out_object();
	out_string("file", file);
	out_number("hosts", plan->n_hosts);
	out_number("peers", plan->n_peers);
	out_end();
}

static int check(struct args *args)
{
	const char *file = file_arg(args);
	struct ini_error error;
	struct conf conf;
	struct plan plan;

	if (make(&conf, &plan, file, false, &error))
		die(EXIT_USAGE, "%s", error.text);
	if (json)
		show_sum(file, &plan);
	else
		printf("%s: %u hosts, %u peers\n", file, plan.n_hosts, plan.n_peers);
	plan_free(&plan);
	conf_free(&conf);
	return EXIT_OK;
}

/* The record has old and new together: then what there is. */
static int apply_recorded(const struct loaded *loaded, const struct plan *plan,
			  struct ini_error *error)
{
	int ret = apply_plan(plan, loaded, error);

	if (ret && !loaded->n_hosts)
		loaded_remove(loaded);
	else if (loaded_write(loaded, ret ? loaded : NULL, ret ? NULL : plan))
		warn("cannot write \"%s\": %s: it has more than what is there", loaded->path,
		     strerror(errno));
	return ret;
}

int config_load(const char *file, struct ini_error *error)
{
	struct loaded loaded;
	struct conf conf;
	struct plan plan;
	int ret;

	if (make(&conf, &plan, file, true, error))
		return EXIT_USAGE;
	loaded_open(&loaded);
	/* What will be there is known to the next one even if this one is killed. */
	ret = loaded_write(&loaded, &loaded, &plan);
	if (ret)
		ini_wrong(error, "cannot write \"%s\": %s: nothing has changed", loaded.path,
			  strerror(errno));
	else
		ret = apply_recorded(&loaded, &plan, error);
	plan_free(&plan);
	loaded_close(&loaded);
	conf_free(&conf);
	return ret ? EXIT_KERNEL : EXIT_OK;
}

static int load(struct args *args)
{
	struct ini_error error;
	int ret = config_load(file_arg(args), &error);

	if (ret)
		die(ret, "%s", error.text);
	return EXIT_OK;
}

static int unload(struct args *args)
{
	struct loaded loaded;

	end_of_args(args);
	loaded_open(&loaded);
	if (loaded.n_hosts)
		apply_unload(&loaded);
	loaded_remove(&loaded);
	loaded_close(&loaded);
	return EXIT_OK;
}

const struct object object_config = {
	.name = "config", .usage = usage,
	.commands = {
		{ "check", check, "FILE" },
		{ "load", load, "FILE" },
		{ "unload", unload, "" },
	},
};
