/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * libsss: small helpers around AF_SSS sockets. Everything can be done without
 * it, with <linux/sss.h> and socket calls alone; it saves the tedious parts:
 * the text form of keys, filling in addresses, and error texts that say what
 * an errno means on this family.
 *
 *	int fd = sss_connect(eid, "File", "file 1");
 *	if (fd < 0)
 *		errx(1, "%s: %s", eid, sss_strerror(errno));
 *	write(fd, data, len);
 *
 * Functions are thread-safe and keep no state. Those that return an int return
 * -1 and set errno on failure.
 */
#ifndef LIBSSS_SSS_H
#define LIBSSS_SSS_H

#include <linux/sss.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Characters of an EID in text, without and with separators, and the final NUL */
#define SSS_EID_TEXT	53
#define SSS_EID_GROUPS	65

/**
 * sss_eid_parse() - read an EID from text
 * @eid: result
 * @text: NUL-terminated: 52 characters of RFC 4648 base32, upper or lower case,
 *	in one piece or in 13 groups of four, all separated by one space each or
 *	all by one '-' each
 *
 * Return: 0; -1 with errno EINVAL: wrong length, another character, bits set
 * beyond the key, or a key that cannot be an EID (top bit set, not below
 * 2^255-19, or of low order).
 */
int sss_eid_parse(struct sss_eid *eid, const char *text);

/**
 * sss_eid_format() - write an EID as 52 characters
 * @eid: key
 * @text: SSS_EID_TEXT bytes
 *
 * Return: @text.
 */
char *sss_eid_format(const struct sss_eid *eid, char *text);

/**
 * sss_eid_format_groups() - write an EID as 13 groups of four
 * @eid: key
 * @text: SSS_EID_GROUPS bytes
 * @separator: ' ' or '-'
 *
 * Return: @text.
 */
char *sss_eid_format_groups(const struct sss_eid *eid, char *text, char separator);

/**
 * sss_eid_valid() - can these bytes be an EID?
 * @eid: key
 *
 * Return: 1 or 0, by the same rule as sss_eid_parse().
 */
int sss_eid_valid(const struct sss_eid *eid);

/**
 * sss_addr() - fill in an address
 * @addr: result
 * @eid: key, or NULL: any host when listening
 * @service: 1 to 45 bytes of UTF-8, or NULL: none (to bind an identity only)
 * @protocol: likewise
 *
 * Return: 0; -1 with errno EINVAL: a name is empty or too long.
 */
int sss_addr(struct sockaddr_sss *addr, const struct sss_eid *eid, const char *service,
	     const char *protocol);

/**
 * sss_connect() - socket() and connect() in one
 * @eid: the peer, as text
 * @service: what is wanted
 * @protocol: how it is spoken
 *
 * Return: a connected stream socket, close-on-exec; -1 with errno as
 * connect(2) on this family, or EINVAL if @eid is no EID.
 */
int sss_connect(const char *eid, const char *service, const char *protocol);

/**
 * sss_listen() - socket(), bind() and listen() in one, on every local host
 * @service: what is offered
 * @protocol: how it is spoken
 * @backlog: streams that may wait for accept()
 *
 * Return: a listening socket, close-on-exec; -1 with errno.
 */
int sss_listen(const char *service, const char *protocol, int backlog);

/**
 * sss_strerror() - what an errno means on AF_SSS
 * @err: errno, positive
 *
 * Return: a sentence without full stop that also says what to do where
 * something can be done; strerror()'s text for errors that mean nothing special
 * here. Valid for ever, except that strerror()'s is valid until its next call.
 */
const char *sss_strerror(int err);

/**
 * sss_status_text() - what a service status means
 * @status: enum sss_service_status
 *
 * Return: a phrase, for ever.
 */
const char *sss_status_text(unsigned int status);

#ifdef __cplusplus
}
#endif

#endif /* LIBSSS_SSS_H */
