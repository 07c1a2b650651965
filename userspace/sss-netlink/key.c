// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Keys. In files they are 32 bytes in base64 and a newline, as wg(8) writes
 * them; EIDs are base32 and so never mistaken for one.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../libsss/sss.h"
#include "sss-netlink.h"

#define BASE64_LEN 44	/* of 32 bytes */

static const char usage[] =
	"Usage: sss-netlink key generate [FILE]\n"
	"       sss-netlink key eid [FILE]\n"
	"       sss-netlink key show FILE|EID\n"
	"       sss-netlink key read [EID]\n"
	"       sss-netlink key rotate FILE\n"
	"generate writes a new private key to FILE, which must not exist, or to\n"
	"standard output; eid reads one and prints the identity that goes with it; show\n"
	"shows that as groups to be read out and as a QR code; read takes it back from\n"
	"groups or a scanner, from the command line or standard input. rotate replaces\n"
	"the key in FILE and keeps the old one beside it.\n"
	"A key file holds 32 bytes in base64 and belongs to its owner alone.\n";

static bool decode(const char *text, uint8_t key[SSS_EID_LEN])
{
	size_t len;

	return !sodium_base642bin(key, SSS_EID_LEN, text, strlen(text), " \t\r\n", &len, NULL,
				  sodium_base64_VARIANT_ORIGINAL) && len == SSS_EID_LEN;
}

static bool looks_like_key(const char *text)
{
	uint8_t key[SSS_EID_LEN];
	bool looks = strlen(text) == BASE64_LEN && decode(text, key);

	sodium_memzero(key, sizeof(key));
	return looks;
}

void parse_eid(struct sss_eid *eid, const char *text)
{
	refuse_key_on_command_line(text);
	if (sss_eid_parse(eid, text))
		die(EXIT_USAGE, "\"%s\" is no EID: 52 letters a-z and digits 2-7, as \"sss-netlink key eid\" prints", text);
}

void refuse_key_on_command_line(const char *text)
{
	if (looks_like_key(text))
		die(EXIT_USAGE, "a key on the command line is seen by everybody: put it into a file and name that, or \"-\" for standard input");
}

static int open_key(const char *file, struct ini_error *error)
{
	struct stat st;
	int fd;

	if (!strcmp(file, "-"))
		return STDIN_FILENO;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return ini_wrong(error, "cannot read key file \"%s\": %s", file, strerror(errno));
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 077))
		return fd;
	close(fd);
	return ini_wrong(error, "others may read key file \"%s\": run \"chmod 600 %s\"", file,
			 file);
}

int try_key(const char *file, uint8_t key[SSS_EID_LEN], struct ini_error *error)
{
	int fd = open_key(file, error);
	char text[128];
	size_t n = 0;
	ssize_t got;
	bool good;

	if (fd < 0)
		return -1;
	while (n < sizeof(text) - 1 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += got;
	text[n] = '\0';
	good = n < sizeof(text) - 1 && decode(text, key);
	sodium_memzero(text, sizeof(text));
	if (fd != STDIN_FILENO)
		close(fd);
	if (good)
		return 0;
	return ini_wrong(error, "\"%s\" is no key file: it should hold 32 bytes in base64", file);
}

void read_key(const char *file, uint8_t key[SSS_EID_LEN])
{
	struct ini_error error;

	refuse_key_on_command_line(file);
	if (try_key(file, key, &error))
		die(EXIT_USAGE, "%s", error.text);
}

/* A new private key, as text */
static void make_text(char text[BASE64_LEN + 2])
{
	uint8_t key[SSS_EID_LEN];

	randombytes_buf(key, sizeof(key));
	key[0] &= 248;
	key[31] = (key[31] & 127) | 64;
	sodium_bin2base64(text, BASE64_LEN + 1, key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
	strcat(text, "\n");
	sodium_memzero(key, sizeof(key));
}

static int write_text(int fd, struct ini_error *error)
{
	char text[BASE64_LEN + 2];
	bool good;

	make_text(text);
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	sodium_memzero(text, sizeof(text));
	if (good && (fd == STDOUT_FILENO || (!fsync(fd) && !close(fd))))
		return 0;
	return ini_wrong(error, "cannot write the key: %s", strerror(errno));
}

int make_key(const char *file, struct ini_error *error)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return ini_wrong(error, "cannot make key file \"%s\": %s", file, strerror(errno));
	if (!write_text(fd, error))
		return 0;
	unlink(file);
	return -1;
}

static int generate(struct args *args)
{
	const char *file = args->n ? next_arg(args, "a file") : "-";
	bool shown = !strcmp(file, "-");
	struct ini_error error;

	end_of_args(args);
	refuse_key_on_command_line(file);
	if (sodium_init() < 0)
		die(EXIT_USAGE, "libsodium does not start");
	if (shown && isatty(STDOUT_FILENO))
		warn("this is a secret on your screen: name a file to keep it in");
	if (shown ? write_text(STDOUT_FILENO, &error) : make_key(file, &error))
		die(EXIT_USAGE, "%s", error.text);
	return EXIT_OK;
}

int answer_eid(const struct sss_eid *eid)
{
	char text[SSS_EID_TEXT];

	sss_eid_format(eid, text);
	if (!json) {
		puts(text);
		return EXIT_OK;
	}
	out_begin("eid");
	out_object();
	out_string("eid", text);
	out_end();
	return EXIT_OK;
}

static int eid(struct args *args)
{
	const char *file = args->n ? next_arg(args, "a file") : "-";
	uint8_t key[SSS_EID_LEN];
	struct sss_eid public;

	end_of_args(args);
	read_key(file, key);
	crypto_scalarmult_base(public.key, key);
	sodium_memzero(key, sizeof(key));
	return answer_eid(&public);
}

const struct object object_key = {
	.name = "key", .usage = usage,
	.commands = {
		{ "generate", generate, "NEWFILE" },
		{ "eid", eid, "FILE" },
		{ "show", show_key, "FILE" },
		{ "read", read_eid, "EID" },
		{ "rotate", rotate_key, "FILE" },
	},
};
