// SPDX-License-Identifier: GPL-2.0
/*
 * Hosts and peers come and go, ports change and everything is listed while
 * programs connect, send and listen on them. Whatever an operation answers, it
 * answers in time; and when all have stopped nothing is left.
 *
 *   netlink_storm SECONDS
 */
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include "netlink.h"

#define PORT_TWO 9002

static unsigned char one_eid[32];
static time_t end;
static unsigned int seed;

static bool going(void)
{
	return time(NULL) < end;
}

static void set_timeouts(int fd)
{
	struct timeval deadline = { .tv_sec = 2 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline));
}

static struct sockaddr_sss address(const unsigned char *eid)
{
	struct sockaddr_sss addr = { .sss_family = AF_SSS };

	if (eid)
		memcpy(addr.sss_eid.key, eid, 32);
	strcpy(addr.sss_service, "echo");
	strcpy(addr.sss_protocol, "1");
	return addr;
}

/* Always the same identity, so that peers find it again. */
static int make_two(struct genl *g)
{
	struct nlmsghdr *nlh = genl_start(g, SSS_CMD_HOST_NEW, 0);

	mnl_attr_put_strz(nlh, SSS_A_HOST_NAME, "two");
	genl_put(nlh, SSS_A_HOST_PRIVATE_KEY, alice_private, 32);
	mnl_attr_put_u16(nlh, SSS_A_HOST_PORT, PORT_TWO);
	return genl_call(g, nlh, NULL, NULL);
}

static void pause_a_bit(void)
{
	usleep(rand_r(&seed) % 50000);
}

static void hosts(struct genl *g)
{
	while (going()) {
		pause_a_bit();
		ask(g, SSS_CMD_HOST_DEL, "two", 0, NULL, 0);
		make_two(g);
	}
}

static void peers(struct genl *g)
{
	uint16_t port = 0;

	while (going()) {
		pause_a_bit();
		ask_peer(g, SSS_CMD_PEER_DEL, "one", alice_public);
		ask_endpoint4(g, SSS_CMD_PEER_NEW, alice_public, "127.0.0.1", PORT_TWO);
		pause_a_bit();
		ask_endpoint6(g, SSS_CMD_PEER_SET, alice_public, "::1", PORT_TWO);
		ask(g, SSS_CMD_HOST_SET, "one", SSS_A_HOST_PORT, &port, 2);
		ask_peer(g, SSS_CMD_PEER_DEL, "two", one_eid);
	}
}

static int count(const struct nlmsghdr *nlh, void *data)
{
	(*(unsigned int *)data)++;
	return MNL_CB_OK;
}

static void dumps(struct genl *g)
{
	static const int cmds[] = {
		SSS_CMD_HOST_GET, SSS_CMD_PEER_GET, SSS_CMD_CHANNEL_GET,
		SSS_CMD_STREAM_GET, SSS_CMD_SERVICE_GET,
	};
	unsigned int i, n = 0;

	while (going()) {
		for (i = 0; i < ARRAY_SIZE(cmds); i++)
			genl_call(g, genl_start(g, cmds[i], NLM_F_DUMP), count, &n);
		genl_call(g, genl_start(g, SSS_CMD_STATS_GET, 0), count, &n);
	}
}

static void monitors(struct genl *g)
{
	struct timeval deadline = { .tv_usec = 200000 };
	unsigned int n = 0;
	char buf[8192];

	mnl_socket_setsockopt(g->nl, NETLINK_ADD_MEMBERSHIP, &g->monitor, sizeof(g->monitor));
	setsockopt(mnl_socket_get_fd(g->nl), SOL_SOCKET, SO_RCVTIMEO, &deadline,
		   sizeof(deadline));
	while (going())
		n += mnl_socket_recvfrom(g->nl, buf, sizeof(buf)) > 0;
	printf("# %u events\n", n);
	fflush(stdout);
}

static void callers(struct genl *g)
{
	struct sockaddr_sss addr = address(alice_public);
	unsigned int n = 0, echoed = 0;
	char buf[3000] = "";

	while (going()) {
		int fd = socket(AF_SSS, SOCK_STREAM, 0);

		set_timeouts(fd);
		if (!connect(fd, (void *)&addr, sizeof(addr))) {
			n++;
			if (send(fd, buf, sizeof(buf), MSG_NOSIGNAL) > 0 &&
			    recv(fd, buf, sizeof(buf), 0) > 0)
				echoed++;
		}
		close(fd);
	}
	printf("# connected %u times, echoed %u times\n", n, echoed);
	fflush(stdout);
}

static int make_listener(void)
{
	struct sockaddr_sss addr = address(NULL);
	int fd = socket(AF_SSS, SOCK_STREAM, 0);

	if (!bind(fd, (void *)&addr, sizeof(addr)) && !listen(fd, 10))
		return fd;
	close(fd);
	return -1;
}

static void servers(struct genl *g)
{
	char buf[3000];
	int i;

	while (going()) {
		int listener = make_listener();

		for (i = 0; listener >= 0 && i < 20 && going(); i++) {
			struct pollfd ready = { .fd = listener, .events = POLLIN };
			ssize_t len;
			int fd;

			if (poll(&ready, 1, 200) <= 0)
				continue;
			fd = accept(listener, NULL, NULL);
			if (fd < 0)
				continue;
			set_timeouts(fd);
			len = recv(fd, buf, sizeof(buf), 0);
			if (len > 0)
				send(fd, buf, len, MSG_NOSIGNAL);
			close(fd);
		}
		close(listener);
	}
}

static void set_up(struct genl *g)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct host host;
	int fd;

	if (unshare(CLONE_NEWNET))
		genl_die("unshare");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	sysctl_write("allow_loopback", "1");
	sysctl_write("connect_timeout_ms", "500");
	sysctl_write("initiate_interval_ms", "50");
	genl_open(g);
	if (new_host(g, "one", 0) || get_host(g, "one", false, &host) || make_two(g) ||
	    ask_endpoint4(g, SSS_CMD_PEER_NEW, alice_public, "127.0.0.1", PORT_TWO))
		genl_die("hosts");
	memcpy(one_eid, host.eid, 32);
}

/* With all programs gone: streams end by themselves, then the rest is deleted. */
static int left(struct genl *g)
{
	static const char * const none[] = {
		"Hosts", "Peers", "Channels", "HalfOpen", "Streams", "Sockets", "Services",
		"SentPackets", "TxChunks", "RxSegments",
	};
	char name[64];
	long long value;
	unsigned int i;
	int bad = 0;
	FILE *f;

	ask(g, SSS_CMD_HOST_DEL, "one", 0, NULL, 0);
	ask(g, SSS_CMD_HOST_DEL, "two", 0, NULL, 0);
	for (i = 0; i < 100; i++) {
		f = fopen("/proc/self/net/sss_stat", "r");
		for (bad = 0; fscanf(f, "%63s %lld", name, &value) == 2;) {
			unsigned int k;

			for (k = 0; k < ARRAY_SIZE(none); k++)
				if (!strcmp(name, none[k]) && value) {
					bad++;
					if (i == 99)
						printf("# left: %s %lld\n", name, value);
				}
		}
		fclose(f);
		if (!bad)
			break;
		usleep(100000);
	}
	return bad;
}

int main(int argc, char **argv)
{
	static void (*const roles[])(struct genl *) = {
		hosts, peers, dumps, monitors, callers, callers, servers,
	};
	unsigned int i, seconds = argc > 1 ? atoi(argv[1]) : 5;
	bool hung = false, crashed = false, remains;
	struct genl g;
	int status;

	set_up(&g);
	end = time(NULL) + seconds;
	for (i = 0; i < ARRAY_SIZE(roles); i++) {
		if (fork())
			continue;
		seed = i;
		/* Nothing may take longer: connect 0.5 s, reads and writes 2 s. */
		alarm(seconds + 10);
		mnl_socket_close(g.nl);
		genl_open(&g);
		roles[i](&g);
		exit(0);
	}
	while (wait(&status) > 0) {
		hung |= WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
		crashed |= WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM;
	}
	printf("%sok 1 nothing took longer than it may\n", hung ? "not " : "");
	printf("%sok 2 nobody was killed\n", crashed ? "not " : "");
	remains = left(&g);
	printf("%sok 3 nothing is left\n", remains ? "not " : "");
	printf("1..3\n");
	return hung || crashed || remains;
}
