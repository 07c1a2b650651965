// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * key rotate: a new key in the place of an old one, which stays beside it. At every
 * moment the file holds one of the two as a whole, and the old one is never lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../libsss/sss.h"
#include "sss-netlink.h"

/**
 * struct rotation - one of them
 * @path: the file, behind links
 * @fresh: the new one, before it takes its place
 * @kept: name of the old one
 * @fd: the old one, locked
 */
struct rotation {
	char path[PATH_MAX], fresh[PATH_MAX + 8], kept[PATH_MAX + 16];
	int fd;
	struct stat was;
	struct sss_eid old_eid, eid;
};

static void eid_of_file(const char *file, struct sss_eid *eid)
{
	uint8_t key[SSS_EID_LEN];

	read_key(file, key);
	crypto_scalarmult_base(eid->key, key);
	sodium_memzero(key, sizeof(key));
}

/* Locks the file, unless it is being replaced or was since it was opened. */
static void begin(struct rotation *r, const char *file)
{
	char text[SSS_EID_TEXT];
	struct stat now;

	refuse_key_on_command_line(file);
	if (!realpath(file, r->path))
		die(EXIT_USAGE, "cannot read key file \"%s\": %s", file, strerror(errno));
	eid_of_file(r->path, &r->old_eid);
	r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0 || fstat(r->fd, &r->was) || !S_ISREG(r->was.st_mode))
		die(EXIT_USAGE, "\"%s\" is no file whose key could be replaced", file);
	if (flock(r->fd, LOCK_EX | LOCK_NB) || stat(r->path, &now) ||
	    now.st_ino != r->was.st_ino || now.st_dev != r->was.st_dev)
		die(EXIT_USAGE, "\"%s\" is being replaced by somebody else", file);
	sss_eid_format(&r->old_eid, text);
	snprintf(r->kept, sizeof(r->kept), "%s.old-%.8s", r->path, text);
	snprintf(r->fresh, sizeof(r->fresh), "%s.new", r->path);
}

/* Under the name of a key there may be that key only. */
static bool keep(const struct rotation *r)
{
	struct stat there;

	if (!link(r->path, r->kept))
		return true;
	if (errno == EEXIST && !lstat(r->kept, &there) && there.st_ino == r->was.st_ino &&
	    there.st_dev == r->was.st_dev)
		return true;	/* of a rotation that was cut short */
	return false;
}

static void sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static void replace(const struct rotation *r)
{
	int err;

	if (!keep(r)) {
		err = errno;
		unlink(r->fresh);
		die(EXIT_USAGE, "cannot keep the old key as \"%s\": %s; nothing has changed",
		    r->kept, strerror(err));
	}
	if (!rename(r->fresh, r->path)) {
		sync_folder(r->path);
		return;
	}
	err = errno;
	unlink(r->fresh);
	unlink(r->kept);
	die(EXIT_USAGE, "cannot replace \"%s\": %s; nothing has changed", r->path, strerror(err));
}

/* The new file belongs to whom the old one does. */
static void make_fresh(struct rotation *r)
{
	struct ini_error error;
	int err;

	unlink(r->fresh);	/* of a rotation that was cut short: we have the lock */
	if (make_key(r->fresh, &error))
		die(EXIT_USAGE, "%s; nothing has changed", error.text);
	if (chown(r->fresh, r->was.st_uid, r->was.st_gid)) {
		err = errno;
		unlink(r->fresh);
		die(EXIT_USAGE, "cannot give \"%s\" to its owner: %s; nothing has changed",
		    r->path, strerror(err));
	}
	eid_of_file(r->fresh, &r->eid);
}

static void tell(const struct rotation *r)
{
	char text[SSS_EID_TEXT], old[SSS_EID_TEXT];

	out_begin("eid old-eid");
	out_object();
	out_string("eid", sss_eid_format(&r->eid, text));
	out_string("old-eid", sss_eid_format(&r->old_eid, old));
	out_string("old-key", r->kept);
	out_end();
	warn("a host that has the old key keeps it until it is made anew: \"systemctl restart sss\" for those of sss.conf, else \"host del\" and \"host add\"; its streams end then");
	warn("tell those who know %.8s...: whoever has it pinned must put the new EID there", old);
}

int rotate_key(struct args *args)
{
	static struct rotation r;
	const char *file = next_arg(args, "a key file");

	end_of_args(args);
	if (sodium_init() < 0)
		die(EXIT_USAGE, "libsodium does not start");
	begin(&r, file);
	make_fresh(&r);
	replace(&r);
	close(r.fd);
	tell(&r);
	return EXIT_OK;
}
