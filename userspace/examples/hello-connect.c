// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "../libsss/sss.h"

int main(int argc, char **argv)
{
	int fd = argc > 1 ? sss_connect(argv[1], "Hello", "hello 1") : -1;

	if (fd < 0) {
		fprintf(stderr, "hello: %s\n", argc > 1 ? sss_strerror(errno) : "which EID?");
		return 1;
	}
	return write(fd, "hello, peer", 11) != 11;
}
