// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../libsss/sss.h"

int main(void)
{
	int l = sss_listen("Hello", "hello 1", 16), fd = accept(l, NULL, NULL);
	char text[100];
	ssize_t n = read(fd, text, sizeof(text));

	printf("received: %.*s\n", (int)(n > 0 ? n : 0), text);
	return n <= 0;
}
