/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes what the benchmarks eat, the same bytes every time:
 *
 *   gen names COUNT                      a list of names, one a line, to stdout
 *   gen patterns COUNT                   a list of patterns, ID:/EXPRESSION/, to stdout
 *   gen wordless COUNT                   the same, one in a hundred without a word in it
 *   gen queries COUNT                    names that are in no list, "NAME A" a line, for dnsperf
 *   gen pcap response|query|other FILE [--names N] [--share F] [--cnames N] [--distinct N]
 *            [--frames N]
 *
 *   response  answers of about 150 bytes; a share F of them ends at one of the first N listed names
 *   query     the questions of these answers
 *   other     UDP of port 443, every fourth frame with the protocol number of TCP
 *
 * Names are numbered. Listed ones count up from 0, unlisted ones from UNLISTED, and a bijection of the
 * number stands in each, so no two are alike and no unlisted one is in a list.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define NUMBER_BITS 25 // 2^25 numbers fit five characters of 36
#define UNLISTED    (1u << 24)
#define TEXT_SIZE   96
#define FRAME_SIZE  1024
#define CNAMES_MAX  8

struct options {
	unsigned names, cnames, distinct, frames;
	double share;
};

struct message {
	uint8_t bytes[FRAME_SIZE];
	unsigned size;
};

static const struct {
	const char *text;
	unsigned percent; // of all names
} tlds[] = {{"com", 46}, {"net", 9}, {"org", 7}, {"jp", 6}, {"de", 5}, {"info", 4}, {"co.uk", 4},
	{"ru", 4}, {"xyz", 4}, {"top", 3}, {"io", 2}, {"com.br", 2}, {"cn", 2}, {"online", 2}};
static const char *const hosts[] = {
	"www", "www", "www", "mail", "cdn", "api", "login", "static", "img", "m", "edge", "update"};

// A well mixed 64-bit value of a number and a purpose (the finish of SplitMix64).
static uint64_t mix(uint64_t number, uint64_t purpose)
{
	uint64_t x = number + purpose * 0x9e3779b97f4a7c15u + 0x243f6a8885a308d3u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint32_t permute(uint32_t number)
{
	const uint32_t mask = (1u << NUMBER_BITS) - 1;

	// Each step can be undone, so different numbers stay different.
	number = number * 0x9e3779b1u & mask;
	number ^= number >> 13;
	number = number * 0x85ebca6bu & mask;
	return number ^ number >> 12;
}

// Labels of 5 to 17 characters, 11 in the mean. Two listed names in five are hosts below a domain; of
// what is asked for and led to four in five are, and every fifth lies a label deeper.
static unsigned name_make(uint32_t number, char text[TEXT_SIZE])
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	uint64_t r = mix(number, 1);
	uint32_t p = permute(number);
	unsigned at = 0, extra = (unsigned)(r % 7 + (r >> 8) % 7), percent = (r >> 16) % 100,
		 tld = 0;

	if (number >= UNLISTED && (r >> 24) % 5 == 4)
		at = (unsigned)sprintf(text, "e%u.", (unsigned)(r >> 40) % 10000);
	if ((r >> 24) % 5 < 2 || (number >= UNLISTED && (r >> 24) % 5 != 2))
		at += (unsigned)sprintf(
			text + at, "%s.", hosts[(r >> 32) % (sizeof(hosts) / sizeof(hosts[0]))]);
	r = mix(number, 2);
	for (unsigned i = 0; i < extra; i++, r /= 26)
		text[at++] = set[r % 26];
	for (unsigned i = 0; i < 5; i++, p /= 36)
		text[at++] = set[p % 36];
	while (percent >= tlds[tld].percent)
		percent -= tlds[tld++].percent;
	return at + (unsigned)sprintf(text + at, ".%s", tlds[tld].text);
}

// One listed name in four stands for its subtree, too.
static void names_print(unsigned n)
{
	char text[TEXT_SIZE];

	for (uint32_t i = 0; i < n; i++) {
		name_make(i, text);
		if (i % 4 == 3)
			putchar('.');
		puts(text);
	}
}

static void queries_print(unsigned n)
{
	char text[TEXT_SIZE];

	for (uint32_t i = 0; i < n; i++) {
		name_make(UNLISTED + i, text);
		printf("%s A\n", text);
	}
}

static void letters_make(uint64_t r, unsigned size, char *text)
{
	for (unsigned i = 0; i < size; i++, r /= 26)
		text[i] = (char)('a' + r % 26);
	text[size] = '\0';
}

// What lists of expressions are made of: brands in phishing names, hosts that are generated below a
// domain or a service of dynamic names, numbered control servers; and, if wanted, one in a hundred for
// generated names, with no word in it. No name of this program's matches.
static void pattern_print(uint32_t i, bool wordless)
{
	static const char *const lures[] = {
		"login", "secure", "account", "verify", "update", "support", "wallet", "signin"};
	static const char *const services[] = {
		"ddns\\.net", "hopto\\.org", "duckdns\\.org", "no-ip\\.biz", "serveo\\.net"};
	const char *lure = lures[mix(i, 6) % 8], *service = services[mix(i, 7) % 5];
	const char *tld = tlds[mix(i, 8) % 14].text;
	char word[16];

	letters_make(mix(i, 9), 5 + (unsigned)(mix(i, 10) % 6), word);
	printf("EX-%u:/", i);
	if (wordless && i % 100 == 99)
		printf("^[bcdfghjklmnpqrstvwxz]{%u,}\\.%s$", 14 + i / 100 % 8, tld);
	else if (i % 6 == 0)
		printf("^(www\\.)?%s[-.]%s[a-z0-9-]*\\.", lure, word);
	else if (i % 6 == 1)
		printf("^[a-z0-9]{6,12}\\.%s\\.(com|net|ru|top|xyz)$", word);
	else if (i % 6 == 2)
		printf("(^|\\.)%s[0-9]{1,4}\\.%s$", word, service);
	else if (i % 6 == 3)
		printf("(^|\\.)%s-(%s|%s)\\.", word, lure, lures[mix(i, 11) % 8]);
	else if (i % 6 == 4)
		printf("^[0-9a-f]{8,32}\\.%s\\.%s$", word, tld);
	else
		printf("%s.*%s.*\\.(top|xyz|online|info)$", word, lure);
	puts("/");
}

static void put16(struct message *m, uint16_t value)
{
	store_be16(m->bytes + m->size, value);
	m->size += 2;
}

// @return where the name stands
static unsigned put_name(struct message *m, const char *text)
{
	unsigned at = m->size;

	for (const char *label = text; *label;) {
		size_t size = strcspn(label, ".");

		m->bytes[m->size++] = (uint8_t)size;
		memcpy(m->bytes + m->size, label, size);
		m->size += (unsigned)size;
		label += size + (label[size] == '.');
	}
	m->bytes[m->size++] = 0;
	return at;
}

static void put_rr_head(struct message *m, unsigned owner, uint16_t type, uint32_t ttl)
{
	put16(m, (uint16_t)(0xc000 | owner));
	put16(m, type);
	put16(m, 1);
	put16(m, (uint16_t)(ttl >> 16));
	put16(m, (uint16_t)ttl);
}

// A question, and for a response the chain of CNAMEs, an address and the OPT record of EDNS.
static void message_make(
	struct message *m, uint32_t number, bool response, bool hit, const struct options *o)
{
	uint32_t listed = (uint32_t)(mix(number, 3) % (o->names ? o->names : 1));
	char text[TEXT_SIZE];
	unsigned owner;

	m->size = 0;
	put16(m, (uint16_t)mix(number, 4));
	put16(m, response ? 0x8180 : 0x0100);
	put16(m, 1);
	put16(m, response ? (uint16_t)(o->cnames + 1) : 0);
	put16(m, 0);
	put16(m, 1);
	name_make(hit && o->cnames == 0 ? listed : UNLISTED + number, text);
	owner = put_name(m, text);
	put16(m, 1);
	put16(m, 1);
	for (unsigned i = 1; response && i <= o->cnames; i++) {
		unsigned length;

		put_rr_head(m, owner, 5, 300);
		length = m->size;
		m->size += 2;
		// The targets' numbers lie behind those of all questions.
		name_make(hit && i == o->cnames ? listed : UNLISTED + (i << 20) + number, text);
		owner = put_name(m, text);
		store_be16(m->bytes + length, (uint16_t)(m->size - owner));
	}
	if (response) {
		put_rr_head(m, owner, 1, 300);
		put16(m, 4);
		put16(m, 0xcb00); // 203.0.113.x, RFC 5737
		put16(m, (uint16_t)(0x7100 | (number & 255)));
	}
	memcpy(m->bytes + m->size, "\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
	m->size += 11;
}

static uint32_t words_sum(const uint8_t *bytes, unsigned size)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i + 1 < size; i += 2)
		sum += load_be16(bytes + i);
	return size % 2 ? sum + (uint32_t)(bytes[size - 1] << 8) : sum;
}

static uint16_t checksum(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

// Ethernet, IPv4, and 8 octets of transport, before @p m. @return bytes of the frame
static unsigned frame_make(uint8_t *frame, const struct message *m, uint8_t protocol,
	const uint16_t ports[2], uint32_t number)
{
	uint8_t *ip = frame + 14, *udp = ip + 20;
	unsigned size = 8 + m->size;

	memcpy(frame, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
	memcpy(ip, "\x45\0\0\0\0\0\x40\0\x40\0\0\0", 12);
	store_be16(ip + 2, (uint16_t)(20 + size));
	ip[9] = protocol;
	memcpy(ip + 12, "\xc0\x00\x02\x35", 4); // 192.0.2.53
	memcpy(ip + 16, "\xc6\x33\x64", 3);     // 198.51.100.x
	ip[19] = (uint8_t)number;
	store_be16(ip + 10, checksum(words_sum(ip, 20)));
	store_be16(udp, ports[0]);
	store_be16(udp + 2, ports[1]);
	store_be16(udp + 4, (uint16_t)size);
	store_be16(udp + 6, 0);
	memcpy(udp + 8, m->bytes, m->size);
	store_be16(
		udp + 6, checksum(words_sum(ip + 12, 8) + protocol + size + words_sum(udp, size)));
	return 34 + size;
}

static void frame_write(FILE *file, const uint8_t *frame, uint32_t size)
{
	const uint32_t header[4] = {0, 0, size, size};

	fwrite(header, sizeof(header), 1, file);
	fwrite(frame, size, 1, file);
}

static int pcap_make(const char *kind, const char *path, const struct options *o)
{
	static const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
	bool response = strcmp(kind, "response") == 0, other = strcmp(kind, "other") == 0;
	FILE *file = fopen(path, "wb");

	if (!file) {
		fprintf(stderr, "gen: %s: %s\n", path, strerror(errno));
		return 1;
	}
	fwrite(header, sizeof(header), 1, file);
	for (uint32_t i = 0; i < o->frames; i++) {
		uint32_t number = i % o->distinct;
		uint16_t client = (uint16_t)(1024 + mix(i, 5) % 60000);
		// The hits lie evenly over the frames.
		bool hit = (uint64_t)((i + 1) * o->share + 1e-9) > (uint64_t)(i * o->share + 1e-9);
		uint16_t server = other ? 443 : 53;
		const uint16_t ports[2] = {
			response || other ? server : client, response || other ? client : server};
		uint8_t frame[FRAME_SIZE + 64];
		struct message m;

		message_make(&m, number, !other && response, hit, o);
		for (m.size = other ? 0 : m.size; other && m.size < 108; m.size++)
			m.bytes[m.size] = (uint8_t)mix(i, m.size);
		frame_write(
			file, frame, frame_make(frame, &m, other && i % 4 == 3 ? 6 : 17, ports, i));
	}
	if (fclose(file) != 0) {
		fprintf(stderr, "gen: %s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

static int usage(void)
{
	fputs("usage: gen names|patterns|wordless|queries COUNT\n"
	      "       gen pcap response|query|other FILE [--names N] [--share F] [--cnames N]\n"
	      "           [--distinct N] [--frames N]\n",
		stderr);
	return 2;
}

static int count_parse(const char *text, unsigned least, unsigned most, unsigned *count)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || value < least || value > most) {
		fprintf(stderr, "gen: expected a number from %u to %u, got \"%s\"\n", least, most,
			text);
		return -EINVAL;
	}
	*count = (unsigned)value;
	return 0;
}

static int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {{"names", 1, NULL, 'n'}, {"share", 1, NULL, 's'},
		{"cnames", 1, NULL, 'c'}, {"distinct", 1, NULL, 'd'}, {"frames", 1, NULL, 'f'},
		{0}};
	int option, err = 0;

	while (err == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			err = count_parse(optarg, 1, UNLISTED, &o->names);
		else if (option == 'c')
			err = count_parse(optarg, 0, CNAMES_MAX, &o->cnames);
		else if (option == 'd')
			err = count_parse(optarg, 1, 1u << 20, &o->distinct);
		else if (option == 'f')
			err = count_parse(optarg, 1, 1u << 20, &o->frames);
		else if (option == 's')
			o->share = strtod(optarg, NULL);
		else
			err = -EINVAL;
	}
	return err;
}

int main(int argc, char **argv)
{
	struct options o = {.names = 1000, .cnames = 1, .distinct = 65536, .frames = 65536};
	unsigned count;

	if (options_parse(argc, argv, &o) < 0)
		return usage();
	argc -= optind;
	argv += optind;
	if (argc == 3 && strcmp(argv[0], "pcap") == 0 &&
		(strcmp(argv[1], "response") == 0 || strcmp(argv[1], "query") == 0 ||
			strcmp(argv[1], "other") == 0))
		return pcap_make(argv[1], argv[2], &o);
	if (argc != 2 || count_parse(argv[1], 1, UNLISTED, &count) < 0)
		return usage();
	if (strcmp(argv[0], "names") == 0)
		names_print(count);
	else if (strcmp(argv[0], "patterns") == 0 || strcmp(argv[0], "wordless") == 0)
		for (uint32_t i = 0; i < count; i++)
			pattern_print(i, argv[0][0] == 'w');
	else if (strcmp(argv[0], "queries") == 0)
		queries_print(count);
	else
		return usage();
	return fflush(stdout) == 0 ? 0 : 1;
}
