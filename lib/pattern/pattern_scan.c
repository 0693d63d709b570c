/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "base/block.h"
#include "dns/dns_name.h"
#include "pattern/pattern_set.h"

#define PIECE 16 // octets of a label taken at once

struct pattern_scan {
	const struct pattern_set *set;
	hs_scratch_t *scratch;
	unsigned n;
	uint32_t start[PATTERN_NAMES_MAX + 1]; // of each name; the next one's is behind its newline
	// Labels are written in pieces, so there is room behind the last one.
	char text[PATTERN_NAMES_MAX * DNS_NAME_TEXT_SIZE + PIECE];
};

static_assert(DNS_NAME_TEXT_SIZE > 4 * DNS_NAME_SIZE_MAX, "a name and its newline");

struct pattern_scan *pattern_scan_create(const struct pattern_set *set, int node)
{
	struct pattern_scan *scan = block_alloc(sizeof(*scan), node);

	if (!scan)
		return NULL;
	scan->set = set;
	pattern_memory_node(node);
	if (hs_alloc_scratch(set->database, &scan->scratch) != HS_SUCCESS) {
		block_free(scan, sizeof(*scan));
		errno = ENOMEM;
		return NULL;
	}
	return scan;
}

void pattern_scan_free(struct pattern_scan *scan)
{
	if (!scan)
		return;
	hs_free_scratch(scan->scratch);
	block_free(scan, sizeof(*scan));
}

// Octets that do not stand for themselves are escaped, as dns_name_format has it.
static __attribute__((noinline)) char *label_escape(const uint8_t *label, char *to)
{
	uint8_t name[DNS_LABEL_SIZE_MAX + 2];
	char text[DNS_NAME_TEXT_SIZE];
	size_t size;

	name[0] = label[0];
	for (unsigned i = 1; i <= label[0]; i++)
		name[i] = dns_fold(label[i]);
	name[label[0] + 1] = 0;
	size = dns_name_format(name, text);
	memcpy(to, text, size);
	return to + size;
}

#ifdef __SSE2__
static inline __m128i in_range(__m128i octets, char first, char last)
{
	__m128i offset = _mm_sub_epi8(octets, _mm_set1_epi8(first));

	return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8((char)(last - first))), offset);
}

// A piece in lower case. @return bits of the octets that do not stand for themselves
static inline unsigned piece_write(const uint8_t *from, char *to)
{
	__m128i octets = _mm_loadu_si128((const __m128i *)(const void *)from);
	__m128i bit = _mm_set1_epi8(0x20);
	__m128i letters = in_range(_mm_or_si128(octets, bit), 'a', 'z');
	__m128i plain = _mm_or_si128(letters, in_range(octets, '0', '9'));

	plain = _mm_or_si128(plain, _mm_cmpeq_epi8(octets, _mm_set1_epi8('-')));
	plain = _mm_or_si128(plain, _mm_cmpeq_epi8(octets, _mm_set1_epi8('_')));
	_mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(octets, _mm_and_si128(letters, bit)));
	return ~(unsigned)_mm_movemask_epi8(plain);
}
#else
static inline unsigned piece_write(const uint8_t *from, char *to)
{
	unsigned odd = 0;

	for (unsigned i = 0; i < PIECE; i++) {
		uint8_t c = dns_fold(from[i]);
		bool plain =
			(uint8_t)(c - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '-' || c == '_';

		to[i] = (char)c;
		odd |= (unsigned)!plain << i;
	}
	return odd;
}
#endif

// @param readable octets from the label's length on that may be read
static inline char *label_write(const uint8_t *label, unsigned readable, char *to)
{
	unsigned size = label[0];

	for (unsigned i = 0; i < size; i += PIECE) {
		unsigned left = size - i, odd;

		// Near the end of the message octets are taken one by one.
		if (readable < 1 + i + PIECE)
			return label_escape(label, to);
		odd = piece_write(label + 1 + i, to + i);
		if (odd & (left < PIECE ? (1u << left) - 1 : 0xffff))
			return label_escape(label, to);
	}
	return to + size;
}

#define RUN_MAX 64 // octets; longer names are rare

// Most names stand in one piece, which is taken as a whole: the length of a label is where its dot
// belongs. @return NULL: the name is not of that kind
static inline char *run_write(const struct fqdn_name *name, char *to)
{
	const uint8_t *from = name->msg + name->at + 1;
	unsigned size = from[-1], left = name->msg_size - name->at - 1u;
	uint64_t odd = 0, dots = 0;

	for (unsigned i = 1; i < name->n && size < RUN_MAX; i++) {
		dots |= 1ull << size;
		size += from[size] + 1u;
	}
	// A pointer is larger than any label, and makes too much of any run.
	if (size > RUN_MAX || (size + PIECE - 1) / PIECE * PIECE > left)
		return NULL;
	for (unsigned i = 0; i < size; i += PIECE)
		odd |= (uint64_t)(uint16_t)piece_write(from + i, to + i) << i;
	odd &= ~dots;
	for (; dots; dots &= dots - 1)
		to[__builtin_ctzll(dots)] = '.';
	return odd << (RUN_MAX - size) ? NULL : to + size;
}

// The caller has read the name: it has n labels, and its pointers lead somewhere.
static char *name_write(const struct fqdn_name *name, char *to)
{
	uint32_t at = name->at;
	char *end = name->n > 0 ? run_write(name, to) : to;

	if (end)
		return end;
	for (unsigned i = 0; i < name->n; i++) {
		while (name->msg[at] >= 0xc0)
			at = load_be16(name->msg + at) & 0x3fff;
		if (i > 0)
			*to++ = '.';
		to = label_write(name->msg + at, name->msg_size - at, to);
		at += name->msg[at] + 1u;
	}
	return to;
}

// Which names seem to match.
struct joined {
	const struct pattern_scan *scan;
	uint64_t names;
};

// A match of a name alone is at least one octet long and ends in that name or at its end. One that
// ends elsewhere is noted for a name where it will not be found again.
static int joined_take(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	struct joined *joined = ctx;
	unsigned low = 0, high = joined->scan->n;

	(void)id;
	(void)from;
	(void)flags;
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (joined->scan->start[middle] < to)
			low = middle;
		else
			high = middle;
	}
	joined->names |= 1ull << low;
	return 0;
}

// The first pattern of each verdict that matches a name. Patterns are in the order of the lists and
// of their lines.
struct single {
	const uint32_t *rules;
	const struct fqdn_table *names;
	uint32_t first[FQDN_VERDICTS];
	const struct fqdn_rule *rule[FQDN_VERDICTS];
};

static int single_take(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	struct single *single = ctx;
	const struct fqdn_rule *rule = fqdn_table_rule(single->names, single->rules[id]);

	(void)from;
	(void)to;
	(void)flags;
	if (rule && id < single->first[rule->verdict]) {
		single->first[rule->verdict] = id;
		single->rule[rule->verdict] = rule;
	}
	return 0;
}

static const struct fqdn_rule *earlier(const struct fqdn_rule *a, const struct fqdn_rule *b)
{
	if (!a || !b)
		return a ? a : b;
	return a->list <= b->list ? a : b;
}

// @return whether the name has a rule
static bool found_add(const struct single *single, struct fqdn_match *found)
{
	const struct fqdn_rule *block = single->rule[FQDN_BLOCK], *log = single->rule[FQDN_LOG];

	if (!found->allow)
		found->allow = single->rule[FQDN_ALLOW];
	if (found->allow) {
		found->suppressed |= block || log;
	} else {
		found->block = earlier(found->block, block);
		found->log = earlier(found->log, log);
	}
	return found->block || found->log || found->allow;
}

// What a name is worth by itself, without neighbours.
static bool name_judge(struct pattern_scan *scan, const struct fqdn_table *names, unsigned i,
	bool hit, struct fqdn_match *found)
{
	struct single single = {.rules = scan->set->rules,
		.names = names,
		.first = {UINT32_MAX, UINT32_MAX, UINT32_MAX}};
	uint32_t start = scan->start[i];

	static_assert(FQDN_VERDICTS == 3, "all begin with none");
	// In doubt a name is not listed: a scan that fails has found nothing.
	hs_scan(scan->set->database, scan->text + start, scan->start[i + 1] - 1 - start, 0,
		scan->scratch, single_take, &single);
	if (!hit)
		*found = (struct fqdn_match){0};
	return found_add(&single, found);
}

uint64_t pattern_match(struct pattern_scan *scan, const struct fqdn_table *names,
	const struct fqdn_name *each, unsigned n, struct fqdn_match *found, uint64_t hits)
{
	struct joined joined = {.scan = scan};
	char *to = scan->text;

	if (n == 0)
		return hits;
	for (unsigned i = 0; i < n; i++) {
		scan->start[i] = (uint32_t)(to - scan->text);
		to = name_write(&each[i], to);
		*to++ = '\n';
	}
	scan->n = n;
	scan->start[n] = (uint32_t)(to - scan->text);
	hs_scan(scan->set->database, scan->text, scan->start[n] - 1, 0, scan->scratch, joined_take,
		&joined);
	for (uint64_t left = joined.names; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);

		if (name_judge(scan, names, i, hits >> i & 1, &found[i]))
			hits |= 1ull << i;
	}
	return hits;
}

static struct fqdn_name name_of(const struct dns_labels *labels)
{
	return (struct fqdn_name){.msg = labels->msg,
		.msg_size = labels->msg_size,
		.at = labels->n > 0 ? labels->at[0] : 0,
		.n = labels->n};
}

bool pattern_match_one(struct pattern_scan *scan, const struct fqdn_table *names,
	const struct dns_labels *labels, struct fqdn_match *found, bool hit)
{
	const struct fqdn_name name = name_of(labels);

	return pattern_match(scan, names, &name, 1, found, hit);
}

static int each_take(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	(void)from;
	(void)to;
	(void)flags;
	((bool *)ctx)[id] = true;
	return 0;
}

int pattern_match_each(
	struct pattern_scan *scan, const struct dns_labels *labels, pattern_taker *take, void *ctx)
{
	const struct fqdn_name name = name_of(labels);
	bool *matching = calloc(scan->set->n, sizeof(*matching));
	size_t size = (size_t)(name_write(&name, scan->text) - scan->text);

	if (!matching)
		return -ENOMEM;
	hs_scan(scan->set->database, scan->text, (unsigned)size, 0, scan->scratch, each_take,
		matching);
	for (uint32_t i = 0; i < scan->set->n; i++)
		if (matching[i])
			take(ctx, i);
	free(matching);
	return 0;
}
