/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "base/bytes.h"
#include "base/cpu.h"
#include "dns/dns_name.h"
#include "pattern/pattern_set.h"
#include "pattern/pattern_write.h"

struct pattern_scan {
	const struct pattern_set *set;
	hs_scratch_t *scratch;
	char *(*write)(const struct fqdn_name *name, char *to);
	unsigned n;                        // names in the text
	uint32_t start[PATTERN_NAMES_MAX]; // of each
	uint8_t number[PATTERN_NAMES_MAX]; // of each, among those of the call
	char text[PATTERN_NAMES_MAX * DNS_NAME_TEXT_SIZE + PATTERN_WRITE_ROOM];
};

static_assert(DNS_NAME_TEXT_SIZE > 4 * DNS_NAME_SIZE_MAX, "a name and its newline");

struct pattern_scan *pattern_scan_create(const struct pattern_set *set, int node)
{
	struct pattern_scan *scan = block_alloc(sizeof(*scan), node);

	if (!scan)
		return NULL;
	scan->set = set;
	scan->write = cpu_is_wide() ? pattern_write_wide : pattern_write_plain;
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
	joined->names |= 1ull << joined->scan->number[low];
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

// Scan @p size octets of the text. In doubt a name is not listed: a scan that fails has found nothing.
static void text_scan(struct pattern_scan *scan, size_t size, match_event_handler take, void *ctx)
{
	hs_scan(scan->set->database, scan->text, (unsigned)size, 0, scan->scratch, take, ctx);
}

// What a name is worth by itself, without neighbours.
static bool name_judge(struct pattern_scan *scan, const struct fqdn_table *names,
	const struct fqdn_name *name, bool hit, struct fqdn_match *found)
{
	struct single single = {.rules = scan->set->rules,
		.names = names,
		.first = {UINT32_MAX, UINT32_MAX, UINT32_MAX}};

	static_assert(FQDN_VERDICTS == 3, "all begin with none");
	text_scan(scan, (size_t)(scan->write(name, scan->text) - scan->text), single_take, &single);
	if (!hit)
		*found = (struct fqdn_match){0};
	return found_add(&single, found);
}

#define FILTER_PART 2 // octets gone through that are one of text

// Octets of a name that the caller has read.
static unsigned name_octets(const struct fqdn_name *name)
{
	uint32_t at = name->at;
	unsigned octets = 0;

	for (unsigned i = 0; i < name->n; i++) {
		while (name->msg[at] >= 0xc0)
			at = load_be16(name->msg + at) & 0x3fff;
		octets += name->msg[at] + 1u;
		at += name->msg[at] + 1u;
	}
	return octets;
}

// Whether there is so much left. Names behind one that is too much are none of a message's any more.
static inline bool effort_take(struct pattern_effort *effort, unsigned octets)
{
	bool enough = octets <= effort->left;

	effort->left = enough ? effort->left - octets : 0;
	return enough;
}

// Begin with a name. @return whether there is anything left
static inline bool effort_begin(struct pattern_effort *effort, const struct fqdn_name *name)
{
	if (effort->msg != name->msg) {
		effort->msg = name->msg;
		effort->left = pattern_text_most(name->msg_size);
	}
	return effort->left > 0;
}

// Write a name down behind others, if its message has that much left. @return where it ends, or @p to
static inline char *name_join(struct pattern_scan *scan, const struct fqdn_name *name, unsigned i,
	char *to, struct pattern_effort *effort)
{
	char *end = scan->write(name, to);

	if (effort && !effort_take(effort, (unsigned)(end - to))) {
		effort->over |= 1ull << i;
		return to;
	}
	scan->start[scan->n] = (uint32_t)(to - scan->text);
	scan->number[scan->n++] = (uint8_t)i;
	*end++ = '\n';
	return end;
}

// Scan some names together. @return bits of those that seem to match
static uint64_t names_scan(struct pattern_scan *scan, const struct fqdn_name *each, uint64_t which,
	struct pattern_effort *effort)
{
	const struct pattern_filter *filter = scan->set->filter;
	// Names of odd messages were not gone through together with others.
	bool gone = filter && effort && effort->odd;
	struct joined joined = {.scan = scan};
	char *to = scan->text;

	for (scan->n = 0; which; which &= which - 1) {
		unsigned i = (unsigned)__builtin_ctzll(which);

		if (effort && (!effort_begin(effort, &each[i]) ||
				      (gone && !effort_take(effort,
						       name_octets(&each[i]) / FILTER_PART)))) {
			effort->over |= 1ull << i;
			continue;
		}
		if (gone && !pattern_filter_names(filter, &each[i], 1))
			continue;
		to = name_join(scan, &each[i], i, to, effort);
	}
	if (scan->n > 0)
		text_scan(scan, (size_t)(to - scan->text) - 1, joined_take, &joined);
	return joined.names;
}

uint64_t pattern_match(struct pattern_scan *scan, const struct fqdn_table *names,
	const struct fqdn_name *each, unsigned n, struct fqdn_match *found, uint64_t hits,
	struct pattern_effort *effort)
{
	const struct pattern_filter *filter = scan->set->filter;
	uint64_t seem;

	if (n == 0)
		return hits;
	if (effort)
		effort->over = 0;
	seem = UINT64_MAX >> (64 - n);
	if (filter && !(effort && effort->odd))
		seem = pattern_filter_names(filter, each, n);
	if (seem == 0)
		return hits;
	for (seem = names_scan(scan, each, seem, effort); seem; seem &= seem - 1) {
		unsigned i = (unsigned)__builtin_ctzll(seem);

		if (name_judge(scan, names, &each[i], hits >> i & 1, &found[i]))
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

	return pattern_match(scan, names, &name, 1, found, hit, NULL);
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

	if (!matching)
		return -ENOMEM;
	text_scan(scan, (size_t)(scan->write(&name, scan->text) - scan->text), each_take, matching);
	for (uint32_t i = 0; i < scan->set->n; i++)
		if (matching[i])
			take(ctx, i);
	free(matching);
	return 0;
}
