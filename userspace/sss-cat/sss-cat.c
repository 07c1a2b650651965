// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * sss-cat: standard input and output over an AF_SSS stream, with the manners
 * of netcat.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <common/version.h>
#include "names.h"
#include "sss-cat.h"

#define BACKLOG 16
#define SOON_MS 2000

static const char usage[] =
	"Usage: sss-cat [OPTION ...] EID|NAME SERVICE PROTOCOL  connect\n"
	"       sss-cat [OPTION ...] -l [-k] SERVICE PROTOCOL   listen\n"
	"Standard input goes to the peer, what the peer sends to standard output.\n"
	"  -l          listen, for one stream\n"
	"  -k          with -l: for one after the other\n"
	"  -4, -6      reach the peer over IPv4, or IPv6, only\n"
	"  -H EID      be this local host; otherwise the default one, or with -l any\n"
	"  -C FILE     settings, instead of /etc/sss/sss.conf\n"
	"  --accept-new  pin a NAME that the directory has once and is not pinned yet\n"
	"  -w SECONDS  give up when nothing happens for so long\n"
	"  -i FILE     send this instead of standard input\n"
	"  -o FILE     write there instead of to standard output\n"
	"  -p          show progress, not only on a terminal\n"
	"  -I          at the end print what the kernel knows about the stream\n"
	"  -v          say what happens\n"
	"  -h          this text\n"
	"  -V          the version\n"
	"Exit status: 0 all went well, 1 could not connect or listen, 2 wrong usage,\n"
	"3 the transfer failed, 4 timeout, 5 the EID behind a pinned name has changed\n";

void complain(const char *fmt, ...)
{
	va_list ap;

	fputs("sss-cat: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void verbose(const struct options *opt, const char *fmt, ...)
{
	va_list ap;

	if (!opt->verbose)
		return;
	fputs("sss-cat: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int failed(int err, const char *what)
{
	complain("%s: %s", what, sss_strerror(err));
	return err == ETIMEDOUT ? EXIT_TIMEOUT : EXIT_CONNECT;
}

static int timed_out(const struct options *opt, const char *what)
{
	complain("%s for %g seconds", what, opt->timeout / 1000.0);
	return EXIT_TIMEOUT;
}

/* Socket */

static int set_family(int fd, int family)
{
	return family == AF_UNSPEC ? 0 :
		setsockopt(fd, SOL_SSS, SSS_FAMILY, &family, sizeof(family));
}

/* A socket, bound where the command line says so; -1 after complaining */
static int make_socket(const struct options *opt)
{
	int fd = socket(AF_SSS, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	static const struct sss_eid any;
	struct sockaddr_sss at;

	if (fd < 0) {
		complain("no socket: %s", sss_strerror(errno));
		return -1;
	}
	sss_addr(&at, &opt->local, NULL, NULL);
	if (opt->listen) {
		at = opt->service;
		at.sss_eid = opt->local;
	}
	if (set_family(fd, opt->family)) {
		complain("-4 and -6: %s", sss_strerror(errno));
	} else if ((opt->listen || memcmp(&at.sss_eid, &any, sizeof(any))) &&
		   bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		complain("bind: %s", errno == EADDRNOTAVAIL ? "-H: no host here has that EID" :
			 sss_strerror(errno));
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

static int wait_for(int fd, short events, int timeout)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&pfd, 1, timeout);
	while (n < 0 && errno == EINTR);
	return n;
}

/* The text the peer sent with its answer, without what could drive a terminal */
static void show_answer(int fd)
{
	struct sss_status status;
	socklen_t len = sizeof(status);
	char *c;

	if (getsockopt(fd, SOL_SSS, SSS_STATUS, &status, &len))
		return;
	status.text[SSS_DESC_MAX] = '\0';
	/* What was said already says nothing new. */
	if (!status.text[0] || !strcmp(status.text, sss_status_text(status.status)))
		return;
	for (c = status.text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	complain("the peer says: %s", status.text);
}

/* Whoever is behind a name and does not answer soon may be somebody else now. */
static int wait_connected(const struct options *opt, int fd)
{
	int soon = opt->timeout < 0 || opt->timeout > SOON_MS ? SOON_MS : opt->timeout;
	int result;

	if (!opt->name)
		return wait_for(fd, POLLOUT, opt->timeout) ? EXIT_OK : EXIT_TIMEOUT;
	if (wait_for(fd, POLLOUT, soon))
		return EXIT_OK;
	result = names_suspect(opt, &opt->service.sss_eid);
	if (result)
		return result;
	return wait_for(fd, POLLOUT, opt->timeout < 0 ? -1 : opt->timeout - soon) ? EXIT_OK :
		EXIT_TIMEOUT;
}

static int connect_to(const struct options *opt, int fd)
{
	const struct sockaddr *to = (const struct sockaddr *)&opt->service;
	int err = 0, result;

	if (!connect(fd, to, sizeof(opt->service)))
		return EXIT_OK;
	err = errno;
	if (err == EINPROGRESS) {
		result = wait_connected(opt, fd);
		if (result == EXIT_TIMEOUT)
			return timed_out(opt, "cannot connect: no answer");
		if (result)
			return result;
		/* connect() tells how it ended, as SO_ERROR would. */
		err = connect(fd, to, sizeof(opt->service)) && errno != EISCONN ? errno : 0;
	}
	if (!err)
		return EXIT_OK;
	if (opt->name && (err == EHOSTUNREACH || err == EKEYREJECTED) &&
	    names_suspect(opt, &opt->service.sss_eid))
		return EXIT_CHANGED;
	failed(err, "cannot connect");
	show_answer(fd);
	return err == ETIMEDOUT ? EXIT_TIMEOUT : EXIT_CONNECT;
}

static void show_peer(const struct options *opt, int fd, const char *what)
{
	struct sockaddr_sss peer;
	socklen_t len = sizeof(peer);
	char text[SSS_EID_TEXT];

	if (opt->verbose && !getpeername(fd, (struct sockaddr *)&peer, &len))
		verbose(opt, "%s %s", what, sss_eid_format(&peer.sss_eid, text));
}

/* Files */

static int open_files(const struct options *opt, struct transfer *t)
{
	t->in = STDIN_FILENO;
	t->out = STDOUT_FILENO;
	if (opt->in)
		t->in = open(opt->in, O_RDONLY | O_CLOEXEC);
	if (opt->out)
		t->out = open(opt->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (t->in < 0 || t->out < 0) {
		complain("cannot open \"%s\": %s", t->in < 0 ? opt->in : opt->out, strerror(errno));
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static uint64_t size_left(int fd)
{
	struct stat st;
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (at < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < at)
		return 0;
	return st.st_size - at;
}

static int run(struct transfer *t)
{
	int result;

	t->size = size_left(t->in);
	t->sent = t->received = t->first_byte = 0;
	result = transfer(t);
	progress_end(t);
	if (t->opt->info)
		print_info(t);
	close(t->sock);
	verbose(t->opt, "closed after %llu bytes sent, %llu received",
		(unsigned long long)t->sent, (unsigned long long)t->received);
	return result;
}

static int do_connect(struct transfer *t)
{
	int result;

	t->begin = clock_us();
	t->sock = make_socket(t->opt);
	if (t->sock < 0)
		return EXIT_CONNECT;
	result = connect_to(t->opt, t->sock);
	if (result) {
		close(t->sock);
		return result;
	}
	show_peer(t->opt, t->sock, "connected to");
	return run(t);
}

static int next_stream(struct transfer *t, int l)
{
	/* With -k a quiet time between streams is nothing unusual. */
	if (!wait_for(l, POLLIN, t->opt->keep ? -1 : t->opt->timeout))
		return timed_out(t->opt, "nobody called");
	t->sock = accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (t->sock < 0)
		return errno == EAGAIN || errno == ECONNABORTED ? EXIT_OK : failed(errno, "accept");
	t->begin = clock_us();
	if (!t->opt->keep)
		close(l);
	show_peer(t->opt, t->sock, "stream from");
	return EXIT_OK;
}

static int do_listen(struct transfer *t)
{
	int l = make_socket(t->opt), result;

	if (l < 0)
		return EXIT_CONNECT;
	if (listen(l, t->opt->keep ? BACKLOG : 1))
		return failed(errno, "cannot listen");
	verbose(t->opt, "listening on \"%s\", \"%s\"", t->opt->service.sss_service,
		t->opt->service.sss_protocol);
	do {
		t->sock = -1;
		result = next_stream(t, l);
		if (result)
			return result;
		if (t->sock < 0)
			continue;
		result = run(t);
		if (t->opt->in)
			lseek(t->in, 0, SEEK_SET);
	} while (t->sock < 0 || t->opt->keep);
	return result;
}

/* Command line */

static int wrong(const char *what)
{
	complain("%s: see \"sss-cat -h\"", what);
	return EXIT_USAGE;
}

static int parse_eid(struct sss_eid *eid, const char *text)
{
	if (!sss_eid_parse(eid, text))
		return EXIT_OK;
	complain("\"%s\" is no EID: 52 letters a-z and digits 2-7, as \"sss-netlink key eid\" prints",
		 text);
	return EXIT_USAGE;
}

static int parse_timeout(struct options *opt, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || text[strspn(text, "0123456789.")] || *end ||
	    !(seconds > 0 && seconds <= 2000000)) {
		complain("-w: \"%s\" is no number of seconds above 0", text);
		return EXIT_USAGE;
	}
	opt->timeout = seconds * 1000 + 0.999;
	return EXIT_OK;
}

static int wrong_option(bool no_value, const char *word)
{
	if (!no_value && word[1] == '-')
		complain("unknown option %s: see \"sss-cat -h\"", word);
	else
		complain(no_value ? "option -%c needs a value: see \"sss-cat -h\"" :
			 "unknown option -%c: see \"sss-cat -h\"", optopt);
	return EXIT_USAGE;
}

static int parse_options(struct options *opt, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "accept-new", no_argument, NULL, 'A' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c, result = EXIT_OK;

	while (!result &&
	       (c = getopt_long(argc, argv, ":46C:H:IVhi:klo:pvw:", longs, NULL)) != -1) {
		switch (c) {
		case 'A':
			opt->accept_new = true;
			break;
		case 'C':
			opt->settings = optarg;
			break;
		case '4':
		case '6':
			if (opt->family)
				return wrong("-4 and -6 exclude each other");
			opt->family = c == '4' ? AF_INET : AF_INET6;
			break;
		case 'H':
			result = parse_eid(&opt->local, optarg);
			break;
		case 'I':
			opt->info = true;
			break;
		case 'h':
			exit(fputs(usage, stdout) < 0 ? EXIT_TRANSFER : EXIT_OK);
		case 'V':
			exit(puts("sss-cat " VERSION) < 0 ? EXIT_TRANSFER : EXIT_OK);
		case 'i':
			opt->in = optarg;
			break;
		case 'k':
			opt->keep = true;
			break;
		case 'l':
			opt->listen = true;
			break;
		case 'o':
			opt->out = optarg;
			break;
		case 'p':
			opt->progress = true;
			break;
		case 'v':
			opt->verbose = true;
			break;
		case 'w':
			result = parse_timeout(opt, optarg);
			break;
		default:
			return wrong_option(c == ':', argv[optind - 1]);
		}
	}
	return result;
}

static int parse(struct options *opt, int argc, char **argv)
{
	int result = parse_options(opt, argc, argv);
	struct sss_eid eid = { { 0 } };

	if (result)
		return result;
	argv += optind;
	argc -= optind;
	if (opt->keep && !opt->listen)
		return wrong("-k goes with -l");
	if (opt->listen && opt->family)
		return wrong("-4 and -6 go with connecting: a host listens on both");
	if (argc != (opt->listen ? 2 : 3))
		return wrong(opt->listen ? "-l wants SERVICE and PROTOCOL" :
			     "connecting wants EID, SERVICE and PROTOCOL");
	if (opt->accept_new && opt->listen)
		return wrong("--accept-new goes with connecting");
	if (!opt->listen && sss_eid_parse(&eid, *argv++))
		opt->name = argv[-1];
	if (!sss_addr(&opt->service, &eid, argv[0], argv[1]))
		return EXIT_OK;
	complain("SERVICE and PROTOCOL have 1 to %d bytes each", SSS_NAME_MAX);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options opt = { .family = AF_UNSPEC, .timeout = -1 };
	struct transfer t = { .opt = &opt };
	int result;

	signal(SIGPIPE, SIG_IGN);
	result = parse(&opt, argc, argv);
	if (!result && opt.name)
		result = names_find(&opt, &opt.service.sss_eid);
	if (!result)
		result = open_files(&opt, &t);
	if (result)
		return result;
	return opt.listen ? do_listen(&t) : do_connect(&t);
}
