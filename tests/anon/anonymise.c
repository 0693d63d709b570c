/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses through lib/anon: anonymise MODE [KEY FILE] <ADDRESSES, or anonymise --rate
 *
 * One address a line in, one prefix (an address where all bits are kept) a line out. With --rate how
 * many a second each mode does: in bursts of 64 and one by one, of 65,536 addresses that are all
 * different, and in bursts of 20,000 clients that each ask ten times in a row, among 500 others.
 */
#include "anon/anon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/random.h"

#define BURST     64
#define ADDRESSES 65536
#define RATE_S    0.5

static struct anon *make(const char *word, const char *key_file)
{
	struct anon_config config = {ANON_MODES, ANON_BITS_AUTO, ANON_BITS_AUTO};
	char error[512] = "no such mode";
	struct anon *anon = NULL;

	for (enum anon_mode mode = 0; mode < ANON_MODES; mode++)
		if (strcmp(word, anon_mode_name(mode)) == 0)
			config.mode = mode;
	if (config.mode < ANON_MODES)
		anon = anon_create(&config, key_file, error, sizeof(error));
	if (!anon)
		fprintf(stderr, "anonymise: %s: %s\n", word, error);
	else
		anon_set_day(anon, 1);
	return anon;
}

static int lines(const struct anon *anon)
{
	char line[128], text[PREFIX_TEXT_SIZE];
	struct prefix out;
	struct addr in;

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (addr_parse(line, &in) < 0) {
			fprintf(stderr, "anonymise: expected an address, got %s\n", line);
			return 2;
		}
		anon_address(anon, &in, &out);
		puts(out.length == addr_size(out.addr.family) * 8 ? addr_format(&out.addr, text)
								  : prefix_format(&out, text));
	}
	return 0;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/** @param repeat  clients ask ten times, each time with those of 500 others between */
static double rate(const struct anon *anon, uint8_t family, unsigned burst, bool repeat)
{
	static struct addr in[ADDRESSES];
	static struct prefix out[BURST];
	uint64_t seed = RANDOM_SEED;
	double begun, done = 0;

	memset(in, 0, sizeof(in));
	for (unsigned i = 0; i < ADDRESSES; i++) {
		in[i].family = family;
		for (unsigned j = 0; j < addr_size(family); j++)
			in[i].bytes[j] = (uint8_t)random_next(&seed);
	}
	for (unsigned i = 0; repeat && i < ADDRESSES; i++)
		if (i >= 500 && i / 500 % 10 != 0)
			in[i] = in[i - 500];
	for (begun = now(); now() - begun < RATE_S; done += ADDRESSES)
		for (unsigned i = 0; i < ADDRESSES; i += burst)
			anon_burst(anon, in + i, out, burst);
	return done / (now() - begun);
}

static int rates(void)
{
	char key[] = "/tmp/dnsweir-key.XXXXXX";
	int fd = mkstemp(key), result = 0;

	if (fd < 0 || write(fd, "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301",
			      64) != 64) {
		perror(key);
		return 1;
	}
	close(fd);
	printf("million addresses a second\n%-12s %8s %8s %8s %8s %8s %8s\n", "", "IPv4", "one",
		"repeated", "IPv6", "one", "repeated");
	for (enum anon_mode mode = 0; mode < ANON_MODES && result == 0; mode++) {
		struct anon *anon = make(anon_mode_name(mode), key);

		if (anon)
			printf("%-12s %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f\n", anon_mode_name(mode),
				rate(anon, ADDR_IPV4, BURST, false) / 1e6,
				rate(anon, ADDR_IPV4, 1, false) / 1e6,
				rate(anon, ADDR_IPV4, BURST, true) / 1e6,
				rate(anon, ADDR_IPV6, BURST, false) / 1e6,
				rate(anon, ADDR_IPV6, 1, false) / 1e6,
				rate(anon, ADDR_IPV6, BURST, true) / 1e6);
		result = anon ? 0 : 1;
		anon_destroy(anon);
	}
	unlink(key);
	return result;
}

int main(int argc, char **argv)
{
	struct anon *anon;
	int result;

	if (argc == 2 && strcmp(argv[1], "--rate") == 0)
		return rates();
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: anonymise MODE [KEY FILE] | --rate\n");
		return 2;
	}
	anon = make(argv[1], argc == 3 ? argv[2] : "");
	if (!anon)
		return 2;
	result = lines(anon);
	anon_destroy(anon);
	return result;
}
