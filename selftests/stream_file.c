// SPDX-License-Identifier: GPL-2.0
/*
 * For scripts: a file goes from alice to bob, over a link as bad as wanted.
 *
 *	stream_file 4|6 IN OUT [NETEM...]	both directions suffer NETEM
 *	stream_file killed NETEM...		both ends are killed half-way
 *	stream_file hold			keeps a socket until killed
 */
#include "sock.h"

static void print_stats(void)
{
	static const char *const names[] = { "PktsLost", "PktsSpurious", "ProbeTimeouts",
					     "RxDropAuth", "RxDropReplay", "RxDropChecksum" };

	for (int who = ALICE; who <= BOB; who++) {
		printf("# %s:", who == ALICE ? "alice" : "bob");
		for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
			printf(" %s %lld", names[i], get_stat(who, names[i]));
		printf("\n");
	}
}

static void copy(int from, int to, const char *what)
{
	char buf[65536];
	ssize_t n, done, part;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		for (done = 0; done < n; done += part) {
			part = write(to, buf + done, n - done);
			if (part < 0)
				genl_die(what);
		}
	}
	if (n < 0)
		genl_die(what);
}

/*
 * Packets one by one, also for netem, which would lose or delay whole GSO
 * batches: offloads are split behind it, so a bucket for one packet, which
 * splits what does not fit, stands in front of it.
 */
static void make_link(char **words)
{
	char how[256] = "";

	for (int who = ALICE; who <= BOB; who++)
		shell_in(who, "ethtool -K wire tso off gso off gro off tx-udp-segmentation off "
			 ">/dev/null");
	while (*words) {
		strncat(how, *words++, sizeof(how) - strlen(how) - 2);
		strcat(how, " ");
	}
	if (!*how)
		return;
	/* ARP has no checksum: a corrupted answer would misdirect for minutes */
	for (int who = ALICE; who <= BOB; who++) {
		shell_in(who, "ping -q -c 1 -W 5 10.9.0.%d >/dev/null", 2 - who);
		shell_in(who, "sh -c 'ip neigh change 10.9.0.%d dev wire nud permanent'", 2 - who);
	}
	for (int who = ALICE; who <= BOB; who++) {
		shell_in(who, "tc qdisc add dev wire root handle 1: "
			 "tbf rate 10gbit burst 1600 limit 10000000");
		shell_in(who, "tc qdisc add dev wire parent 1: netem %s", how);
		/*
		 * With 1 s, doubling, a connect() in 30 s fails one time in 29
		 * where 30 % are lost each way. That is not the matter here.
		 */
		set_sysctl(who, "initiate_interval_ms", "100");
		set_sysctl(who, "initiate_interval_max_ms", "1000");
	}
}

/* Packets that netem lost */
static long lost_by_netem(int who)
{
	char line[256];
	long n, sum = 0;
	bool ours = false;
	FILE *f;

	snprintf(line, sizeof(line), "nsenter --net=/proc/%d/fd/%d tc -s qdisc show dev wire",
		 getpid(), ns[who]);
	f = popen(line, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "qdisc ", 6))
			ours = !strncmp(line, "qdisc netem ", 12);
		else if (ours && sscanf(line, " Sent %*d bytes %*d pkt (dropped %ld", &n) == 1)
			sum += n;
	}
	if (f)
		pclose(f);
	return sum;
}

/* A link that was to lose packets and lost none tested nothing. */
static void check_losses(char **words)
{
	long lost = lost_by_netem(ALICE) + lost_by_netem(BOB);

	printf("# netem lost %ld packets\n", lost);
	while (*words && strcmp(*words, "loss"))
		words++;
	if (*words && !lost) {
		fprintf(stderr, "the link lost nothing\n");
		exit(1);
	}
}

static void send_file(int family, const char *from, const char *to)
{
	int fd[2], in = open(from, O_RDONLY), status;
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (in < 0 || out < 0)
		genl_die("opening the files");
	if (stream_pair(family, fd))
		genl_die("connecting");
	if (!fork()) {
		close(fd[BOB]);
		copy(in, fd[ALICE], "sending");
		exit(0);
	}
	close(fd[ALICE]);
	copy(fd[BOB], out, "receiving");
	wait(&status);
	print_stats();
	if (status)
		exit(1);
}

/* Nobody is left to care, on a link that may not work any more. */
static void die_half_way(char **words)
{
	int fd[2];

	set_sysctl(ALICE, "orphan_timeout_ms", "1000");
	set_sysctl(BOB, "orphan_timeout_ms", "1000");
	if (stream_pair(V4, fd))
		genl_die("connecting");
	fill_up(fd[ALICE], 1, 0);
	fill_up(fd[BOB], 2, 0);
	make_link(words);
	kill(getpid(), SIGKILL);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "hold")) {
		int fd = stream_socket(ALICE, 0);

		printf("holding %d\n", fd);
		fflush(stdout);
		pause();
	} else if (argc > 1 && !strcmp(argv[1], "killed")) {
		die_half_way(argv + 2);
	} else if (argc > 3) {
		make_link(argv + 4);
		send_file(*argv[1] == '6' ? V6 : V4, argv[2], argv[3]);
		check_losses(argv + 4);
		return 0;
	}
	fprintf(stderr, "usage: stream_file 4|6 IN OUT [NETEM...] | killed NETEM... | hold\n");
	return 2;
}
