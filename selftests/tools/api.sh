#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The examples in api.rst are C that compiles: each literal block is the inside
# of a function, where the descriptors that they speak of are there already.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'

"$top/selftests/tools/api-examples" "$top/Documentation/api.rst" "$work"

cat >"$work/prelude" <<'END'
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <unistd.h>
#include <libsss/sss.h>
#include <linux/sss.h>
extern int fd, parent, child, stream, listener;
extern struct sockaddr_sss to;
extern char buf[4096], *request;
extern const char *eid;
extern size_t len;
void resend(const void *data, size_t len, unsigned long long offset);
void example(void);
void example(void)
{
END

# compiles FILE
compiles()
{
	{ cat "$work/prelude" "$1"; echo '}'; } >"$1.c"
	cc -fsyntax-only -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused \
		-I"$top/uapi" -I"$top/userspace" "$1.c" || { cat -n "$1.c"; return 1; }
}

found=0
for block in "$work"/*.h; do
	found=$((found + 1))
	example=$(basename "$block" .h)
	check "example $example compiles" compiles "$block"
	check "and is run" grep -q "examples/$example.h" "$top/selftests/api_examples.c"
done
is "each has a name" "$found" "$(grep -c '::$' "$top/Documentation/api.rst")"
finish
