// SPDX-License-Identifier: GPL-2.0
/*
 * A main() for fuzz drivers where there is no libFuzzer:
 *
 *	fuzz_NAME [-runs=N] [-seed=N] [-max_len=N]	mutate valid inputs N times
 *	fuzz_NAME FILE...				run what failed
 *
 * With -corpus=FILE, which has inputs as lines of hexadecimal, all of these are
 * run first, and mutated like others.
 *
 * The same seed gives the same inputs. One that fails is kept in a file; having
 * been understood it becomes a line of the corpus. The result is TAP: one test.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "fuzz.h"

#define POOL 256

void __sanitizer_set_death_callback(void (*callback)(void));

struct input {
	u8 *data;
	size_t len;
};

static struct input pool[POOL];
static struct input now;
static const char *name = "fuzz";
static size_t max_len = 2048;

/* Async-signal-safe: called where the program dies */
static void keep(void)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "/tmp/crash-%s", name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, now.data, now.len) != (ssize_t)now.len)
		return;
	close(fd);
	fprintf(stderr, "the input is kept: %s %s\nnot ok 1 %s\n", name, path, name);
}

static void on_abort(int sig)
{
	keep();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* In a block of its exact size: the sanitizer sees a read beyond it */
static void run(const u8 *data, size_t len)
{
	now.data = malloc(len + !len);
	now.len = len;
	memcpy(now.data, data, len);
	LLVMFuzzerTestOneInput(now.data, len);
	free(now.data);
}

static void replace(u8 *data, size_t len, u64 *state)
{
	static const u8 edges[] = { 0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff };
	size_t at = random_below(state, len);

	switch (random_below(state, 4)) {
	case 0:
		data[at] ^= 1 << random_below(state, 8);
		break;
	case 1:
		data[at] = random_u64(state);
		break;
	case 2:
		data[at] += random_below(state, 9) - 4;
		break;
	default:
		data[at] = edges[random_below(state, sizeof(edges))];
		break;
	}
}

/* Cut out, double, or cut off; returns the new length */
static size_t reshape(u8 *data, size_t len, u64 *state)
{
	size_t at = random_below(state, len);
	size_t n = 1 + random_below(state, min_t(size_t, len - at, 32));

	switch (random_below(state, 3)) {
	case 0:
		memmove(data + at, data + at + n, len - at - n);
		return len - n;
	case 1:
		if (len + n > max_len)
			return len;
		memmove(data + at + n, data + at, len - at);
		return len + n;
	default:
		return at;
	}
}

static size_t cross(u8 *data, size_t len, u64 *state)
{
	struct input *other = &pool[random_below(state, POOL)];
	size_t at = random_below(state, len + 1), from;

	if (!other->len)
		return len;
	from = random_below(state, other->len);
	len = at + min_t(size_t, other->len - from, max_len - at);
	memcpy(data + at, other->data + from, len - at);
	return len;
}

static size_t mutate(u8 *data, size_t len, u64 *state)
{
	u64 n = 1 + random_below(state, 6);

	while (n-- && len) {
		if (random_below(state, 4))
			replace(data, len, state);
		else if (random_below(state, 3))
			len = reshape(data, len, state);
		else
			len = cross(data, len, state);
	}
	return len;
}

/* The pool holds seeds and mutants of mutants, so that changes add up */
static void fuzz(u64 runs, u64 *state)
{
	u8 *data = malloc(max_len);
	struct input *in;
	size_t len;

	while (runs--) {
		in = &pool[random_below(state, POOL)];
		if (!in->len || !random_below(state, 8)) {
			len = fuzz_seed(data, max_len, state);
		} else {
			memcpy(data, in->data, in->len);
			len = mutate(data, in->len, state);
		}
		run(data, len);
		if (random_below(state, 3))
			continue;
		free(in->data);
		in->data = malloc(len + !len);
		in->len = len;
		memcpy(in->data, data, len);
	}
	free(data);
	for (in = pool; in < pool + POOL; in++)
		free(in->data);
}

static size_t from_hex(u8 *data, const char *line)
{
	unsigned int byte;
	size_t len = 0;

	while (len < max_len && sscanf(line, "%2x", &byte) == 1) {
		data[len++] = byte;
		line += 2;
	}
	return len;
}

/* Lines of hexadecimal, and of words behind '#'; returns how many were inputs */
static int run_corpus(const char *path)
{
	FILE *file = fopen(path, "r");
	u8 *data = malloc(max_len);
	char *line = NULL;
	size_t room = 0;
	int n = 0;

	if (!file) {
		perror(path);
		exit(1);
	}
	while (getline(&line, &room, file) > 0) {
		struct input *in = &pool[n % POOL];

		if (*line == '#')
			continue;
		in->len = from_hex(data, line);
		in->data = realloc(in->data, in->len + !in->len);
		memcpy(in->data, data, in->len);
		run(in->data, in->len);
		n++;
	}
	free(line);
	free(data);
	fclose(file);
	return n;
}

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	u8 *data = malloc(1 << 20);
	size_t len;

	if (!file) {
		perror(path);
		exit(1);
	}
	len = fread(data, 1, 1 << 20, file);
	fclose(file);
	run(data, len);
	free(data);
	printf("%s: nothing found\n", path);
}

int main(int argc, char **argv)
{
	u64 runs = 100000, state = 1;
	int i, files = 0, known = 0;

	name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	__sanitizer_set_death_callback(keep);
	signal(SIGABRT, on_abort);
	for (i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "-runs=", 6))
			runs = strtoull(argv[i] + 6, NULL, 0);
		else if (!strncmp(argv[i], "-seed=", 6))
			state = strtoull(argv[i] + 6, NULL, 0);
		else if (!strncmp(argv[i], "-corpus=", 8))
			known = run_corpus(argv[i] + 8);
		else if (!strncmp(argv[i], "-max_len=", 9))
			max_len = max(strtoull(argv[i] + 9, NULL, 0), 1ULL);
		else
			run_file(argv[files = i]);
	}
	if (files)
		return 0;
	printf("1..1\n# %s -runs=%llu -seed=%llu, %d of the corpus\n", name, runs, state, known);
	fflush(stdout);
	fuzz(runs, &state);
	printf("ok 1 %s\n", name);
	return 0;
}
