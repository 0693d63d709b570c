/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_made.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "dns/dns_name.h"
#include "support/random.h"

uint64_t made_mixed(uint64_t n)
{
	n = (n ^ n >> 31) * 0x9e3779b97f4a7c15ull;
	n = (n ^ n >> 29) * 0xbf58476d1ce4e5b9ull;
	return n ^ n >> 32;
}

static void domain_make(uint64_t n, char text[96])
{
	static const char first[] = "bcdfghjklmnprstvwz", vowels[] = "aeiouy", last[] = "nrlst";
	static const char *const tops[] = {"com", "com", "com", "com", "net", "org", "jp", "co.jp",
		"de", "co.uk", "info", "xyz"};
	uint64_t r = made_mixed(n * 2 + 1);
	unsigned parts = 2 + r % 3, used = 0;

	for (r >>= 2; parts > 0; parts--, r = made_mixed(r)) {
		text[used++] = first[r % 18];
		text[used++] = vowels[(r >> 8) % 6];
		if (r >> 16 & 1)
			text[used++] = last[(r >> 20) % 5];
	}
	if (r % 8 == 0)
		used += (unsigned)sprintf(text + used, "%u", (unsigned)(r >> 8) % 1000);
	sprintf(text + used, ".%s", tops[(r >> 20) % 12]);
}

size_t made_name(const char *text, uint8_t *name)
{
	int size = dns_name_parse(text, strlen(text), name);

	if (size < 0)
		bench_die(text, "is no name");
	return (size_t)size;
}

static void host_make(uint64_t r, const char *domain, char text[160])
{
	static const char *const hosts[] = {"www", "mail", "api", "cdn", "img", "static", "m",
		"app", "dev", "vpn", "shop", "ns1"};

	if (r % 10 < 5)
		sprintf(text, "%s.%s", hosts[(r >> 8) % 12], domain);
	else if (r % 10 < 7)
		strcpy(text, domain);
	else if (r % 10 < 9)
		sprintf(text, "%s%u.%s", hosts[(r >> 8) % 12], (unsigned)(r >> 16) % 400, domain);
	else
		sprintf(text, "%012llx.%s", (unsigned long long)(r >> 16), domain);
}

static size_t address_make(uint64_t r, uint8_t *to, bool v6)
{
	uint64_t block = r % 2 ? (r >> 8) % 300 : (r >> 8) % 30000;
	uint64_t spread = made_mixed(block);

	if (!v6) {
		to[0] = (uint8_t)(1 + spread % 220);
		to[1] = (uint8_t)(spread >> 8);
		to[2] = (uint8_t)(spread >> 16);
		to[3] = (uint8_t)(r >> 40);
		return 4;
	}
	memset(to, 0, 16);
	to[0] = 0x2a;
	memcpy(to + 1, &spread, 5);
	to[7] = (uint8_t)(r >> 40);
	to[14] = (uint8_t)(r >> 48);
	to[15] = (uint8_t)(r >> 56);
	return 16;
}

static size_t random_octets(uint64_t r, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++, r = made_mixed(r))
		to[i] = (uint8_t)r;
	return n;
}

// Half of them say who may send mail, half are tokens of 32 random letters that prove something.
static void text_make(uint64_t r, const char *other, struct made *made)
{
	char text[160];
	size_t size;

	made->type = 16;
	if (r & 1 << 20) {
		size = (size_t)sprintf(text, "v=spf1 include:_spf.%s ~all", other);
	} else {
		size = (size_t)sprintf(text, "site-verification=");
		for (unsigned i = 0; i < 32; i++, r = made_mixed(r))
			text[size++] = (char)('a' + r % 26);
	}
	made->rdata[0] = (uint8_t)size;
	memcpy(made->rdata + 1, text, size);
	made->rdata_size = 1 + size;
}

static void rdata_make(uint64_t r, const char *domain, struct made *made)
{
	unsigned kind = (unsigned)(r % 100);
	char text[160], other[96];
	uint8_t *to = made->rdata;

	r = made_mixed(r);
	// Targets are of few companies, or of one's own.
	domain_make(r % 4 ? r % 2000 : r % 1000000, other);
	snprintf(text, sizeof(text), "%s%u.%s", kind < 77 ? "edge" : "ns", (unsigned)(r >> 24) % 8,
		r % 16 ? other : domain);
	if (kind < 64) {
		made->type = kind < 50 ? 1 : 28;
		made->rdata_size = address_make(r, to, kind >= 50);
	} else if (kind < 77 || kind < 84 || kind >= 98) {
		made->type = kind < 77 ? 5 : kind < 84 ? 2 : 12;
		made->rdata_size = made_name(text, to);
	} else if (kind < 88 || (kind >= 95 && kind < 98)) {
		made->type = kind < 88 ? 15 : 65;
		to[0] = 0;
		to[1] = kind < 88 ? 10 : 1;
		made->rdata_size = 2 + made_name(text, to + 2);
		if (kind >= 95) {
			memcpy(to + made->rdata_size, "\0\1\0\3\2h2", 7);
			made->rdata_size += 7;
		}
	} else if (kind < 92) {
		text_make(r, other, made);
	} else {
		made->type = 6;
		made->rdata_size = made_name(text, to);
		made->rdata_size += made_name(domain, to + made->rdata_size);
		made->rdata_size += random_octets(r, to + made->rdata_size, 4);
		memcpy(to + made->rdata_size, "\0\0\x1c\x20\0\0\3\x84\0\x12\x75\0\0\0\1\x2c", 16);
		made->rdata_size += 16;
	}
}

void made_tuple(uint32_t i, struct made *made)
{
	uint64_t r = made_mixed((uint64_t)i + 0x1234567);
	char text[160];

	// 8 tuples a domain on average, from 1 to 24.
	domain_make(made_mixed(i / 24) % 4 == 0 ? i / 24 : 10000000 + i / 6, made->domain);
	host_make(r, made->domain, text);
	made->owner_size = made_name(text, made->owner);
	rdata_make(made_mixed(r), made->domain, made);
}

/* ---- answers --------------------------------------------------------------------------------- */

void made_stream_init(struct made_stream *stream, uint32_t tuples, uint64_t seed)
{
	*stream = (struct made_stream){.seed = seed, .log_n = log(tuples), .tuples = tuples};
}

size_t made_answer(struct made_stream *stream, uint8_t *msg)
{
	double u = (double)(random_next(&stream->seed) >> 11) / (double)(1ull << 53);
	uint32_t i = random_below(&stream->seed, 100) < 3 ? stream->tuples + stream->fresh++
							  : (uint32_t)exp(u * stream->log_n) - 1;
	unsigned n = 1 + i % 3;
	struct made made;
	size_t size;

	made_tuple(i, &made);
	memset(msg, 0, DNS_HEADER_SIZE);
	msg[2] = 0x80;
	msg[5] = 1;
	msg[7] = (uint8_t)n;
	memcpy(msg + DNS_HEADER_SIZE, made.owner, made.owner_size);
	size = DNS_HEADER_SIZE + made.owner_size;
	memcpy(msg + size, (const uint8_t[]){0, (uint8_t)made.type, 0, 1}, 4);
	size += 4;
	for (unsigned k = 0; k < n; k++) {
		memcpy(msg + size,
			(const uint8_t[]){0xc0, 12, 0, (uint8_t)made.type, 0, 1, 0, 0, 1, 44,
				(uint8_t)(made.rdata_size >> 8), (uint8_t)made.rdata_size},
			12);
		// Servers of one name stand side by side.
		if (made.type == 1 || made.type == 28)
			made.rdata[made.rdata_size - 1] ^= (uint8_t)k;
		memcpy(msg + size + 12, made.rdata, made.rdata_size);
		size += 12 + made.rdata_size;
	}
	return size;
}

unsigned made_answer_count(const uint8_t *msg)
{
	return msg[7];
}
