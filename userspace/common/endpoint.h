/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Endpoints as text, as records have them, and as sockets do */
#ifndef COMMON_ENDPOINT_H
#define COMMON_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <netinet/in.h>
#include <regclient/record.h>

#define ENDPOINT_TEXT	64	/* bytes, with the NUL */

union endpoint_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/**
 * endpoint_parse() - read "192.0.2.1:9660" or "[2001:db8::1]:9660"
 * @text: NUL-terminated
 * @ep: result
 *
 * Return: whether it was one, with a port other than 0.
 */
bool endpoint_parse(const char *text, struct reg_endpoint *ep);

/**
 * endpoint_split() - find address and port in "ADDR:PORT" or "[IPv6]:PORT"
 * @text: NUL-terminated; the address may be a host name
 * @node: result: address without brackets
 * @size: room there
 * @port: result, 0 to 65535
 *
 * Return: whether it has that form.
 */
bool endpoint_split(const char *text, char *node, size_t size, unsigned int *port);

/* Can a peer be there? As the kernel has it, but for what depends on its networks. */
bool endpoint_usable(const union endpoint_addr *addr);

/* The opposite of endpoint_parse(), into ENDPOINT_TEXT bytes; returns them */
char *endpoint_format(const struct reg_endpoint *ep, char *text);

/* From and to a socket's address; 0 and false: no IPv4 or IPv6 */
size_t endpoint_to_addr(const struct reg_endpoint *ep, union endpoint_addr *addr);
bool endpoint_from_addr(struct reg_endpoint *ep, const struct sockaddr *addr);

#endif /* COMMON_ENDPOINT_H */
