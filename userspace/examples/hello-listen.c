// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../libsss/sss.h"

int main(void)
{
	int l = sss_listen("Hello", "hello 1", 16), fd = l < 0 ? -1 : accept(l, NULL, NULL);
	char text[100];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n < 0)
		fprintf(stderr, "hello: %s\n", sss_strerror(errno));
	else
		printf("received: %.*s\n", (int)n, text);
	return n <= 0;
}
