// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <string.h>
#include "sss.h"

static const struct {
	int err;
	const char *text;
} errors[] = {
	{ EAFNOSUPPORT, "the sss module is not loaded: run \"modprobe sss\"" },
	{ ENOKEY, "no local host: make one with \"sss-netlink host add\"" },
	{ EHOSTUNREACH, "no endpoint of that peer is known: add one with \"sss-netlink peer add\", or run an agent" },
	{ ETIMEDOUT, "no answer from any endpoint of that peer" },
	{ EKEYREJECTED, "another key answers at that endpoint: check EID and address" },
	{ ECONNREFUSED, "the peer offers no such service" },
	{ EPROTONOSUPPORT, "the peer offers the service, but not by that protocol" },
	{ EPROTOTYPE, "the peer offers the service on another kind of socket" },
	{ EACCES, "not allowed to use that host or that service" },
	{ EBUSY, "the peer takes no more streams now: try again" },
	{ ECONNRESET, "the peer reset the stream or lost its state" },
	{ ECONNABORTED, "the local host or the peer was removed" },
	{ EPROTO, "one end broke the protocol, and the channel was closed" },
	{ EPIPE, "the stream is closed for writing" },
	{ EADDRINUSE, "somebody listens on that service and protocol already" },
	{ EADDRNOTAVAIL, "that is no EID of this machine, or it is one and cannot be dialled" },
};

static const char *const statuses[] = {
	[SSS_SERVICE_OK] = "accepted",
	[SSS_SERVICE_UNKNOWN] = "no such service",
	[SSS_SERVICE_NO_PROTOCOL] = "no such protocol",
	[SSS_SERVICE_WRONG_KIND] = "another kind of socket",
	[SSS_SERVICE_DENIED] = "not admitted",
	[SSS_SERVICE_BUSY] = "too many streams",
};

const char *sss_strerror(int err)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].err == err)
			return errors[i].text;
	return strerror(err);
}

const char *sss_status_text(unsigned int status)
{
	if (status < sizeof(statuses) / sizeof(statuses[0]) && statuses[status])
		return statuses[status];
	return "unknown status";
}
