/* SPDX-License-Identifier: GPL-2.0 */
/* For tests of SSS_IOC_RESET and of recvmsg(MSG_ERRQUEUE); after sock.h */
#ifndef SSS_TEST_ERRQUEUE_H
#define SSS_TEST_ERRQUEUE_H

static inline int open_on(int fd)
{
	struct sss_open open = { .kind = SOCK_STREAM, .flags = SOCK_CLOEXEC };
	int child = ioctl(fd, SSS_IOC_OPEN, &open);

	if (child >= 0) {
		set_timeout(child, SO_RCVTIMEO, PATIENCE);
		set_timeout(child, SO_SNDTIMEO, PATIENCE);
	}
	return child;
}

static inline int take(int fd)
{
	int child = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (child >= 0)
		set_timeout(child, SO_RCVTIMEO, PATIENCE);
	return child;
}

static inline int reset_stream(int fd, uint64_t code, const char *reason, uint32_t flags)
{
	struct sss_reset reset = { .code = code, .flags = flags };

	snprintf(reset.reason, sizeof(reset.reason), "%s", reason);
	return ioctl(fd, SSS_IOC_RESET, &reset);
}

static inline struct sss_status get_status(int fd)
{
	struct sss_status status = { };
	socklen_t len = sizeof(status);

	getsockopt(fd, SOL_SSS, SSS_STATUS, &status, &len);
	return status;
}

/* One event; with SSS_EV_UNDELIVERED bytes go to @buf. Bytes, or -1 */
static inline ssize_t get_event(int fd, struct sss_cm_event *event, void *buf, size_t len)
{
	char control[CMSG_SPACE(sizeof(*event))] __attribute__((aligned(8)));
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t n = recvmsg(fd, &msg, MSG_ERRQUEUE);

	memset(event, 0, sizeof(*event));
	event->type = ~0u;
	if (n < 0)
		return n;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_level != SOL_SSS || cmsg->cmsg_type != SSS_CM_EVENT ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(*event)) || !(msg.msg_flags & MSG_ERRQUEUE)) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(event, CMSG_DATA(cmsg), sizeof(*event));
	return n;
}

/* The next event within PATIENCE is of this type, all others in between are read. */
static inline bool await_event(int fd, uint32_t type, struct sss_cm_event *event)
{
	long long until = now_ms() + PATIENCE;

	while (now_ms() < until) {
		if (!(polled(fd, POLLPRI, 100) & POLLPRI))
			continue;
		if (get_event(fd, event, NULL, 0) >= 0 && event->type == type)
			return true;
	}
	return false;
}

static inline int watch_events(int fd, uint32_t mask)
{
	return setsockopt(fd, SOL_SSS, SSS_EVENTS, &mask, sizeof(mask));
}

static inline bool all_gone(void)
{
	return eventually(PATIENCE, !get_stat(ALICE, "Streams") && !get_stat(BOB, "Streams")) &&
	       eventually(PATIENCE, !get_stat(ALICE, "Sockets") && !get_stat(BOB, "Sockets"));
}

#endif /* SSS_TEST_ERRQUEUE_H */
