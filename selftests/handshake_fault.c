// SPDX-License-Identifier: GPL-2.0
/*
 * Calls while the module's allocations fail: each comes through or fails for
 * want of memory or time, and when nothing fails any more calls work at once.
 *
 *   handshake_fault PERCENT ROUNDS
 *
 * handshake_fault.sh says where allocations are to fail; this only how often,
 * as the hosts have to be there before.
 */
#include "handshake_hosts.h"

static void set_percent(const char *percent)
{
	int fd = open("/sys/kernel/debug/failslab/probability", O_WRONLY);

	if (fd < 0 || write(fd, percent, strlen(percent)) < 0)
		genl_die("failslab");
	close(fd);
}

/* Errors that want of memory, here or there, may have */
static bool is_fair(int err)
{
	return err == ENOMEM || err == ENOBUFS || err == ENFILE || err == ETIMEDOUT ||
	       err == EBUSY;
}

static void verdict(bool ok, const char *what)
{
	printf("%sok 1 %s\n1..1\n", ok ? "" : "not ", what);
	exit(!ok);
}

/*
 * Each way to want memory is seen and counted.  Few packets but those of calls
 * have passed yet, and most calls fail before one is sent, so data and new keys follow
 * until each has been met.
 */
static bool counted(const struct both *b, int fd, int end, const char *percent)
{
	static const char *const names[] = { "RxDropNoMemory", "HsDropNoMemory", "TxNoMemory" };
	static char data[8192];
	long long deadline = now_ms() + 10000;
	bool all = true;
	int i;

	set_nonblock(fd, true);
	set_nonblock(end, true);
	while ((!sum(names[0]) || !sum(names[1]) || !sum(names[2])) && now_ms() < deadline) {
		ask_about_channel(b, ALICE, SSS_CMD_CHANNEL_REKEY);
		set_percent(percent);
		for (i = 0; i < 64; i++) {
			send(fd, data, sizeof(data), MSG_NOSIGNAL);
			recv(end, data, sizeof(data), 0);
		}
		set_percent("0");
	}
	for (i = 0; i < 3; i++) {
		printf("# %s %lld\n", names[i], sum(names[i]));
		all &= sum(names[i]) > 0;
	}
	return all;
}

int main(int argc, char **argv)
{
	int listener, end, fd, i, rounds = argc > 2 ? atoi(argv[2]) : 100;
	unsigned int came = 0, failed = 0;
	struct both b;

	if (argc < 2)
		genl_die("usage: handshake_fault PERCENT ROUNDS");
	make_hosts(&b, "fault", 9740);
	for (i = ALICE; i <= BOB; i++) {
		set_sysctl(i, "initiate_lifetime_ms", "200");
		set_sysctl(i, "initiate_interval_ms", "20");
		set_sysctl(i, "initiate_interval_max_ms", "50");
		set_sysctl(i, "connect_timeout_ms", "2000");
	}
	listener = listen_as(&b, BOB);
	if (listener < 0)
		genl_die("listening");
	set_nonblock(listener, true);
	for (i = 0; i < rounds; i++) {
		forget_peer(&b, ALICE);
		set_percent(argv[1]);
		fd = dial_as(&b, ALICE);
		if (fd >= 0) {
			came++;
			close(fd);
		} else if (is_fair(errno)) {
			failed++;
		} else {
			printf("# %s\n", strerror(errno));
			set_percent("0");
			verdict(false, "only ENOMEM and the like when allocations fail");
		}
		while ((end = accept(listener, NULL, NULL)) >= 0)
			close(end);
		set_percent("0");
	}
	printf("# %u calls came through, %u failed\n", came, failed);

	forget_peer(&b, ALICE);
	fd = dial_as(&b, ALICE);
	if (fd < 0) {
		printf("# %s\n", strerror(errno));
		verdict(false, "afterwards calls come through");
	}
	set_nonblock(listener, false);
	/* Those that came through at the very end may stand before it. */
	do {
		end = accept(listener, NULL, NULL);
		if (end < 0)
			verdict(false, "afterwards calls are accepted");
		send(fd, "x", 1, MSG_NOSIGNAL);
	} while (recv(end, (char [1]){ 0 }, 1, 0) != 1);
	if (!talks(fd, end))
		verdict(false, "calls that come through afterwards work");
	if (atoi(argv[1]) >= 30 && !counted(&b, fd, end, argv[1]))
		verdict(false, "what fails for want of memory is counted");
	verdict(true, "calls come through or fail, and work afterwards");
}
