// SPDX-License-Identifier: GPL-2.0 OR MIT
/* EIDs for people and cameras: 13 groups of four, or a QR code; and back */
#include <ctype.h>
#include <errno.h>
#include <qrencode.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../libsss/sss.h"
#include "sss-netlink.h"

#define QUIET 4		/* modules around a code that must be light */
#define INPUT_MAX 1024

static void key_or_eid(struct args *args, struct sss_eid *eid)
{
	const char *what = next_arg(args, "a key file or an EID");
	uint8_t key[SSS_EID_LEN];

	end_of_args(args);
	if (!sss_eid_parse(eid, what) && access(what, F_OK))
		return;
	read_key(what, key);
	crypto_scalarmult_base(eid->key, key);
	sodium_memzero(key, sizeof(key));
}

static bool is_dark(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return code->data[y * code->width + x] & 1;
}

/*
 * Two modules above each other in a character. What is light is drawn, since most
 * terminals are dark; scanners that want it the other way round are rare.
 */
static void draw(const QRcode *code)
{
	static const char *const blocks[] = { "\u2588", "\u2580", "\u2584", " " };
	int x, y;

	for (y = -QUIET; y < code->width + QUIET; y += 2) {
		for (x = -QUIET; x < code->width + QUIET; x++)
			fputs(blocks[2 * is_dark(code, x, y) + is_dark(code, x, y + 1)], stdout);
		putchar('\n');
	}
}

/* In capitals the code has a form for letters and digits alone, which is smaller. */
static void draw_eid(const char *eid)
{
	char text[SSS_EID_TEXT];
	QRcode *code;
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = toupper((unsigned char)eid[i]);
	code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	if (!code)
		die(EXIT_KERNEL, "no QR code: %s", strerror(errno));
	draw(code);
	QRcode_free(code);
}

int show_key(struct args *args)
{
	char text[SSS_EID_TEXT], groups[SSS_EID_GROUPS];
	struct sss_eid eid;

	key_or_eid(args, &eid);
	sss_eid_format(&eid, text);
	sss_eid_format_groups(&eid, groups, ' ');
	out_begin("eid");
	out_object();
	out_string("eid", text);
	out_string("groups", groups);
	out_end();
	if (!json && !brief)
		draw_eid(text);
	return EXIT_OK;
}

/* All that is left of the command line, or standard input */
static void gather(struct args *args, char text[INPUT_MAX])
{
	size_t len = 0;

	text[0] = '\0';
	if (!args->n) {
		len = fread(text, 1, INPUT_MAX - 1, stdin);
		text[len] = '\0';
		refuse_key_on_command_line(text);
		return;
	}
	while (args->n && len < INPUT_MAX) {
		const char *word = next_arg(args, "an EID");

		refuse_key_on_command_line(word);
		len += snprintf(text + len, INPUT_MAX - len, "%s ", word);
	}
}

/* Without what separates groups; what cannot be is told with the group it is in. */
static size_t squeeze(char *text)
{
	char *to = text, *from;

	for (from = text; *from; from++) {
		unsigned char c = *from;

		if (c == '-' || isspace(c))
			continue;
		if (!isalpha(c) && (c < '2' || c > '7'))
			die(EXIT_USAGE, "group %zu: an EID has letters a-z and digits 2-7 only",
			    (to - text) / 4 + 1);
		*to++ = c;
	}
	*to = '\0';
	return to - text;
}

int read_eid(struct args *args)
{
	char text[INPUT_MAX];
	struct sss_eid eid;
	size_t len;

	gather(args, text);
	len = squeeze(text);
	if (len != SSS_EID_TEXT - 1)
		die(EXIT_USAGE, "an EID has 13 groups of 4 characters, 52 in all, not %zu", len);
	if (sss_eid_parse(&eid, text))
		die(EXIT_USAGE, "nobody can have this EID: a character is wrong");
	return answer_eid(&eid);
}
