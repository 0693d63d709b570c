/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which ranges of keys answer a question.
 */
#include "pdns_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define TYPES_NAMED 108 // types below have names in RDATA, if any have (dns/dns_rdata.c)

/* ---- by owner -------------------------------------------------------------------------------- */

// All of one owner: with a type, and with that and a bailiwick, it is a smaller range.
static int owner_exact(struct pdns_scan *scan, const uint8_t *owner)
{
	const struct pdns_question *q = scan->question;
	uint8_t prefix[1 + DNS_NAME_SIZE_MAX + 3] = {PDNS_TAG_TUPLE};
	size_t size = 1 + pdns_name_reverse(owner, prefix + 1);

	if (q->types == PDNS_ONE) {
		store_be16(prefix + size, q->type);
		size += 2;
		if (q->bailiwick)
			prefix[size++] = (uint8_t)scan->bailiwick_labels;
	}
	return pdns_forward(scan, prefix, size);
}

// Reversed, and without the 0 octet for all below it, too.
static size_t scope_prefix(const struct pdns_scan *scan, uint8_t tag, uint8_t *prefix)
{
	size_t size = 1 + pdns_name_reverse(scan->name, prefix + 1);

	prefix[0] = tag;
	return scan->question->scope == PDNS_EXACT ? size : size - 1;
}

// Names below have a label where the name itself has the 0 octet.
static int owner_below(struct pdns_scan *scan, uint8_t *prefix, size_t size)
{
	int err = 0;

	if (scan->question->scope == PDNS_SUBTREE)
		return pdns_forward(scan, prefix, size);
	for (unsigned first = 1; first <= DNS_LABEL_SIZE_MAX && err == 0; first++) {
		prefix[size] = (uint8_t)first;
		// What is before the cursor was given.
		if (scan->from_tuple && scan->from_tuple_size > size &&
			scan->from_tuple[size] > first)
			continue;
		err = pdns_forward(scan, prefix, size + 1);
	}
	return err;
}

// Where the names that a question begins with start, or the cursor's.
static size_t starts_from(
	struct pdns_scan *scan, enum pdns_tag tag, const uint8_t *reversed, uint8_t *key)
{
	key[0] = (uint8_t)tag;
	if (reversed)
		return 1 + pdns_name_reverse(reversed, key + 1);
	memcpy(key + 1, scan->name, scan->name_size - 1);
	return scan->name_size;
}

/** What is done with each name that begins as asked. */
typedef int (*start_visit)(struct pdns_scan *scan, const uint8_t *name);

// @p reversed: the name that the cursor is at; NULL: from the first
static int names_start(
	struct pdns_scan *scan, enum pdns_tag tag, const uint8_t *reversed, start_visit visit)
{
	uint8_t prefix[1 + DNS_NAME_SIZE_MAX], from[1 + DNS_NAME_SIZE_MAX], name[DNS_NAME_SIZE_MAX];
	size_t size = starts_from(scan, tag, NULL, prefix), key_size;
	size_t from_size = starts_from(scan, tag, reversed, from);
	char *error = NULL;
	int err = 0;

	pdns_scan_seek(scan, &scan->starts, from, from_size);
	for (; err == 0; rocksdb_iter_next(scan->starts)) {
		const uint8_t *key = pdns_scan_key(scan->starts, prefix, size, &key_size);

		if (!key)
			break;
		err = pdns_scan_count(scan);
		if (err || pdns_name_size(key + 1, key_size - 1) != key_size - 1)
			continue;
		memcpy(name, key + 1, key_size - 1);
		err = visit(scan, name);
	}
	if (err)
		return err;
	rocksdb_iter_get_error(scan->starts, &error);
	return rocks_error(error);
}

static bool has_start(const struct pdns_scan *scan, const uint8_t *owner, size_t size)
{
	uint8_t key[1 + DNS_NAME_SIZE_MAX] = {PDNS_TAG_OWNER_START};
	rocksdb_pinnableslice_t *slice;
	char *error = NULL;

	memcpy(key + 1, owner, size);
	slice = rocksdb_get_pinned(scan->pdns->db, scan->read, (char *)key, 1 + size, &error);
	// What cannot be read was not given before either.
	rocks_error(error);
	if (slice)
		rocksdb_pinnableslice_destroy(slice);
	return slice != NULL;
}

// Owners that are base domains and begin as asked: they have no entries of their own, unless they were none then.
static int bases_start(struct pdns_scan *scan)
{
	uint8_t prefix[PDNS_BASE_MAX];
	size_t size = pdns_bases_prefix(scan->name, scan->name_size - 1, prefix), key_size, n = 0;
	const uint8_t *base;
	char *error = NULL;
	int err = 0;

	if (scan->from_entry_size > 0)
		pdns_scan_seek(scan, &scan->starts, scan->from_entry, scan->from_entry_size);
	else
		pdns_scan_seek(scan, &scan->starts, prefix, size);
	for (; err == 0; rocksdb_iter_next(scan->starts)) {
		const uint8_t *key = pdns_scan_key(scan->starts, prefix, size, &key_size);

		if (!key)
			break;
		err = pdns_scan_count(scan);
		base = err || key_size > PDNS_INDEX_MAX ? NULL : pdns_bases_read(key, key_size, &n);
		if (!base || has_start(scan, base, n))
			continue;
		memcpy(scan->entry, key, key_size);
		scan->entry_size = key_size;
		err = owner_exact(scan, base);
	}
	scan->entry_size = 0;
	if (err)
		return err;
	rocksdb_iter_get_error(scan->starts, &error);
	return rocks_error(error);
}

static int owners_start(struct pdns_scan *scan)
{
	int err = 0;

	// The cursor of a row that a base domain led to has that.
	if (scan->from_entry_size == 0)
		err = names_start(scan, PDNS_TAG_OWNER_START,
			scan->from_tuple ? scan->from_tuple + 1 : NULL, owner_exact);
	return err ? err : bases_start(scan);
}

static int by_owner(struct pdns_scan *scan)
{
	uint8_t prefix[1 + DNS_NAME_SIZE_MAX + 1];
	size_t size;

	if (scan->question->scope == PDNS_START)
		return owners_start(scan);
	if (scan->question->scope == PDNS_EXACT)
		return owner_exact(scan, scan->name);
	size = scope_prefix(scan, PDNS_TAG_TUPLE, prefix);
	return owner_below(scan, prefix, size);
}

/* ---- by index entry -------------------------------------------------------------------------- */

static int entry_follow(struct pdns_scan *scan)
{
	const struct pdns_question *q = scan->question;
	uint8_t owner[DNS_NAME_SIZE_MAX], prefix[1 + DNS_NAME_SIZE_MAX + 3 + DNS_NAME_SIZE_MAX];
	struct pdns_tuple_key tuple;
	size_t size;

	if (!pdns_key_index_read(scan->entry, scan->entry_size, owner, &tuple, &scan->target) ||
		(q->types == PDNS_ONE && q->type != tuple.type))
		return 0;
	size = pdns_key_rrset(&tuple, prefix);
	if (scan->target && pdns_type_is_name(tuple.type)) {
		// It was reversed; once more is as it was.
		size += pdns_name_reverse(scan->target, prefix + size);
		return pdns_forward_one(scan, prefix, size);
	}
	if (!tuple.rdata)
		return pdns_forward(scan, prefix, size);
	memcpy(prefix + size, tuple.rdata, tuple.rdata_size);
	return pdns_forward_one(scan, prefix, size + tuple.rdata_size);
}

// Entries that begin with @p prefix, or with @p last given lie between both.
static int entries(struct pdns_scan *scan, const uint8_t *prefix, size_t size, const uint8_t *last)
{
	size_t same = last ? 1 : size, key_size;
	bool resumes = scan->from_entry_size >= same && memcmp(scan->from_entry, prefix, same) == 0;
	char *error = NULL;
	int err = 0;

	if (resumes)
		pdns_scan_seek(scan, &scan->entries, scan->from_entry, scan->from_entry_size);
	else
		pdns_scan_seek(scan, &scan->entries, prefix, size);
	for (; err == 0; rocksdb_iter_next(scan->entries)) {
		const uint8_t *key = pdns_scan_key(scan->entries, prefix, same, &key_size);

		if (!key || (last && (key_size < size || memcmp(key, last, size) > 0)))
			break;
		err = pdns_scan_count(scan);
		if (err || key_size > PDNS_INDEX_MAX)
			continue;
		memcpy(scan->entry, key, key_size);
		scan->entry_size = key_size;
		err = entry_follow(scan);
	}
	if (err)
		return err;
	rocksdb_iter_get_error(scan->entries, &error);
	return rocks_error(error);
}

static int by_address(struct pdns_scan *scan)
{
	const struct pdns_question *q = scan->question;
	uint8_t first[17], last[17], tag;
	size_t size = addr_size(q->from.family);

	if (q->from.family != q->to.family ||
		(q->from.family != ADDR_IPV4 && q->from.family != ADDR_IPV6))
		return -EINVAL;
	tag = q->from.family == ADDR_IPV4 ? PDNS_TAG_IPV4 : PDNS_TAG_IPV6;
	first[0] = last[0] = tag;
	memcpy(first + 1, q->from.bytes, size);
	memcpy(last + 1, q->to.bytes, size);
	return entries(scan, first, 1 + size, last);
}

static int target_exact(struct pdns_scan *scan, const uint8_t *name)
{
	uint8_t prefix[1 + DNS_NAME_SIZE_MAX + 2] = {PDNS_TAG_TARGET};
	size_t size = 1 + pdns_name_reverse(name, prefix + 1);

	if (scan->question->types == PDNS_ONE) {
		store_be16(prefix + size, scan->question->type);
		size += 2;
	}
	return entries(scan, prefix, size, NULL);
}

static int by_target(struct pdns_scan *scan)
{
	uint8_t prefix[1 + DNS_NAME_SIZE_MAX + 1];
	size_t size;
	int err = 0;

	if (scan->question->scope == PDNS_EXACT)
		return target_exact(scan, scan->name);
	if (scan->question->scope == PDNS_START)
		return names_start(scan, PDNS_TAG_TARGET_START,
			scan->from_entry_size > 1 ? scan->from_entry + 1 : NULL, target_exact);
	size = scope_prefix(scan, PDNS_TAG_TARGET, prefix);
	if (scan->question->scope == PDNS_SUBTREE)
		return entries(scan, prefix, size, NULL);
	for (unsigned first = 1; first <= DNS_LABEL_SIZE_MAX && err == 0; first++) {
		prefix[size] = (uint8_t)first;
		if (scan->from_entry_size > size && scan->from_entry[size] > first)
			continue;
		err = entries(scan, prefix, size + 1, NULL);
	}
	return err;
}

/* ---- by RDATA -------------------------------------------------------------------------------- */

/** Entries that lead to RDATA begin with one of a few prefixes, depending on what type it is of. */
struct prefixes {
	struct {
		uint8_t octets[1 + DNS_NAME_SIZE_MAX + 2];
		size_t size;
	} at[TYPES_NAMED + 2];
	unsigned n;
};

static void raw_prefix(const struct pdns_question *q, uint16_t type, struct prefixes *to)
{
	uint8_t *prefix = to->at[to->n].octets;
	uint16_t at[DNS_RDATA_NAMES_MAX];
	size_t size = 1;

	if ((type == DNS_TYPE_A && q->raw_size == 4) ||
		(type == DNS_TYPE_AAAA && q->raw_size == 16)) {
		prefix[0] = type == DNS_TYPE_A ? PDNS_TAG_IPV4 : PDNS_TAG_IPV6;
		memcpy(prefix + 1, q->raw, q->raw_size);
		size += q->raw_size;
	} else if (pdns_rdata_targets(type, q->raw, q->raw_size, at) > 0) {
		prefix[0] = PDNS_TAG_TARGET;
		size += pdns_name_reverse(q->raw + at[0], prefix + 1);
		store_be16(prefix + size, type);
		size += 2;
	} else if (q->types == PDNS_ONE) {
		prefix[0] = PDNS_TAG_HASH;
		pdns_rdata_hash(q->raw, q->raw_size, prefix + 1);
		store_be16(prefix + 1 + PDNS_HASH_SIZE, type);
		size += PDNS_HASH_SIZE + 2;
	} else {
		return;
	}
	to->at[to->n++].size = size;
}

static int prefix_compare(const void *a, const void *b)
{
	// What is behind a prefix is 0.
	return memcmp(a, b, sizeof(((struct prefixes *)NULL)->at[0].octets));
}

static int by_raw(struct pdns_scan *scan)
{
	const struct pdns_question *q = scan->question;
	struct prefixes *prefixes;
	int err = 0;

	if (!q->raw || q->raw_size > PDNS_RDATA_MAX)
		return -EINVAL;
	prefixes = calloc(1, sizeof(*prefixes));
	if (!prefixes)
		return -ENOMEM;
	for (unsigned type = q->types == PDNS_ONE ? q->type : 1;
		type < (q->types == PDNS_ONE ? q->type + 1u : TYPES_NAMED); type++)
		raw_prefix(q, (uint16_t)type, prefixes);
	if (q->types != PDNS_ONE) {
		uint8_t *prefix = prefixes->at[prefixes->n].octets;

		prefix[0] = PDNS_TAG_HASH;
		pdns_rdata_hash(q->raw, q->raw_size, prefix + 1);
		prefixes->at[prefixes->n++].size = 1 + PDNS_HASH_SIZE;
	}
	qsort(prefixes->at, prefixes->n, sizeof(prefixes->at[0]), prefix_compare);
	for (unsigned i = 0; i < prefixes->n && err == 0; i++) {
		const uint8_t *prefix = prefixes->at[i].octets;
		size_t size = prefixes->at[i].size;

		// Those before the cursor's were given.
		if (scan->from_entry_size >= size && memcmp(scan->from_entry, prefix, size) > 0)
			continue;
		err = entries(scan, prefix, size, NULL);
	}
	free(prefixes);
	return err;
}

/* ---- questions ------------------------------------------------------------------------------- */

static int scan_run(struct pdns_scan *scan)
{
	const uint8_t everything = PDNS_TAG_TUPLE;

	switch (scan->question->by) {
	case PDNS_BY_EVERYTHING:
		return pdns_forward(scan, &everything, 1);
	case PDNS_BY_OWNER:
		return by_owner(scan);
	case PDNS_BY_TARGET:
		return by_target(scan);
	case PDNS_BY_ADDRESS:
		return by_address(scan);
	case PDNS_BY_RAW:
		return by_raw(scan);
	case PDNS_BY_RECENT:
		return pdns_recent(scan, owner_exact);
	}
	return -EINVAL;
}

int pdns_query(struct pdns *pdns, const struct pdns_question *question,
	const struct pdns_visitor *visitor, struct pdns_result *result)
{
	struct pdns_scan *scan = calloc(1, sizeof(*scan));
	int err;

	*result = (struct pdns_result){0};
	if (!scan)
		return -ENOMEM;
	scan->pdns = pdns;
	scan->question = question;
	scan->visitor = visitor;
	scan->result = result;
	err = pdns_db_use(pdns);
	if (err == 0) {
		err = pdns_scan_open(scan);
		if (err == 0)
			err = scan_run(scan);
		if (err == 0)
			err = pdns_scan_row(scan);
		pdns_scan_close(scan);
		pdns_db_unuse(pdns);
	}
	free(scan);
	return err == PDNS_SCAN_END ? 0 : err;
}

/** A summary under way. */
struct summing {
	struct pdns_summary *summary;
	uint64_t max_count;
	const struct pdns_visitor *visitor;
};

static int summing_row(void *ctx, const struct pdns_row *row)
{
	const struct summing *summing = ctx;
	struct pdns_summary *s = summing->summary;

	if (s->rows++ == 0)
		s->first_s = row->first_s;
	s->first_s = row->first_s < s->first_s ? row->first_s : s->first_s;
	s->last_s = row->last_s > s->last_s ? row->last_s : s->last_s;
	s->count = s->count + row->count < s->count ? UINT64_MAX : s->count + row->count;
	if (summing->max_count == 0 || s->count < summing->max_count)
		return 0;
	s->limited = true;
	return PDNS_SCAN_END;
}

static int summing_progress(void *ctx, const struct pdns_result *result)
{
	const struct summing *summing = ctx;

	return summing->visitor && summing->visitor->progress
		       ? summing->visitor->progress(summing->visitor->ctx, result)
		       : 0;
}

int pdns_summarise(struct pdns *pdns, const struct pdns_question *question, uint64_t max_count,
	const struct pdns_visitor *visitor, struct pdns_summary *summary)
{
	struct summing summing = {summary, max_count, visitor};
	const struct pdns_visitor own = {
		.ctx = &summing, .visit = summing_row, .progress = summing_progress};
	struct pdns_result result;
	int err;

	*summary = (struct pdns_summary){0};
	err = pdns_query(pdns, question, &own, &result);
	summary->limited |= result.limited;
	return err;
}
