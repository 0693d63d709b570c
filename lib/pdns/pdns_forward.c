/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tuples in the order of their keys: which of them meet the question.
 */
#include "pdns_private.h"

#include <string.h>

bool pdns_type_wanted(const struct pdns_question *q, uint16_t type)
{
	switch (q->types) {
	case PDNS_ANY:
		return !pdns_type_is_dnssec(type);
	case PDNS_ANY_DNSSEC:
		return pdns_type_is_dnssec(type);
	case PDNS_ONE:
		return type == q->type;
	case PDNS_ANY_AT_ALL:
		break;
	}
	return true;
}

static bool bailiwick_wanted(const struct pdns_scan *scan, const struct pdns_tuple_key *tuple)
{
	size_t at;

	if (!scan->question->bailiwick)
		return true;
	if (tuple->bailiwick != scan->bailiwick_labels)
		return false;
	at = pdns_name_tail(tuple->owner, tuple->bailiwick);
	return tuple->owner_size - at == scan->bailiwick_size &&
	       memcmp(tuple->owner + at, scan->bailiwick, scan->bailiwick_size) == 0;
}

static bool times_wanted(const struct pdns_question *q, const struct pdns_sum *sum)
{
	return (!q->first_after || sum->first >= q->first_after) &&
	       (!q->first_before || sum->first <= q->first_before) &&
	       (!q->last_after || sum->last >= q->last_after) &&
	       (!q->last_before || sum->last <= q->last_before);
}

bool pdns_name_matches(
	const uint8_t *name, enum pdns_scope scope, const uint8_t *asked, size_t asked_size)
{
	size_t size = pdns_name_size(name, DNS_NAME_SIZE_MAX), at;
	unsigned labels = pdns_name_labels(asked);

	if (scope == PDNS_START)
		return size >= asked_size && memcmp(name, asked, asked_size - 1) == 0;
	if (pdns_name_labels(name) < labels || size < asked_size)
		return false;
	at = pdns_name_tail(name, labels);
	if (size - at != asked_size || memcmp(name + at, asked, asked_size) != 0)
		return false;
	return scope == PDNS_SUBTREE || (scope == PDNS_BELOW) == (at > 0);
}

// Whether a name is as the question by target has it.
static bool target_matches(const struct pdns_scan *scan, const uint8_t *name)
{
	uint8_t folded[DNS_NAME_SIZE_MAX];

	pdns_name_fold(name, folded);
	return pdns_name_matches(folded, scan->question->scope, scan->name, scan->name_size);
}

// A tuple with two names that meet the question is reached by two entries, and found by the first
// name.
static bool target_wanted(const struct pdns_scan *scan, const struct pdns_tuple_key *tuple)
{
	uint16_t at[DNS_RDATA_NAMES_MAX];
	unsigned n = pdns_rdata_targets(tuple->type, tuple->rdata, tuple->rdata_size, at);
	uint8_t reversed[DNS_NAME_SIZE_MAX];

	for (unsigned i = 0; i < n; i++) {
		size_t size;

		if (!target_matches(scan, tuple->rdata + at[i]))
			continue;
		size = pdns_name_reverse(tuple->rdata + at[i], reversed);
		return memcmp(reversed, scan->target, size) == 0;
	}
	return false;
}

static bool rdata_wanted(const struct pdns_scan *scan, const struct pdns_tuple_key *tuple)
{
	const struct pdns_question *q = scan->question;

	if (q->by == PDNS_BY_RAW)
		return tuple->rdata_size == q->raw_size &&
		       memcmp(tuple->rdata, q->raw, q->raw_size) == 0;
	return !scan->target || target_wanted(scan, tuple);
}

// The times and counts of the classes that are asked for. Returns these, 0: none knows it.
static unsigned sum_read(
	const struct pdns_scan *scan, const char *value, size_t size, struct pdns_sum *sum)
{
	struct pdns_sum sums[PDNS_CLASSES] = {0};
	unsigned classes = 0;

	*sum = (struct pdns_sum){0};
	if (!pdns_value_add((const uint8_t *)value, size, sums))
		return 0;
	for (unsigned c = 0; c < PDNS_CLASSES; c++)
		if (sums[c].count > 0 && (scan->classes & PDNS_CLASS_BIT(c))) {
			pdns_sum_add(sum, &sums[c]);
			classes |= PDNS_CLASS_BIT(c);
		}
	return classes;
}

static int tuple_look(struct pdns_scan *scan, const uint8_t *key, size_t size, const char *value,
	size_t value_size)
{
	uint8_t owner[DNS_NAME_SIZE_MAX];
	struct pdns_tuple_key tuple;
	struct pdns_sum sum;
	unsigned classes;

	if (!pdns_key_read(key, size, owner, &tuple) ||
		!pdns_type_wanted(scan->question, tuple.type) || !bailiwick_wanted(scan, &tuple) ||
		!rdata_wanted(scan, &tuple))
		return 0;
	classes = sum_read(scan, value, value_size, &sum);
	if (classes == 0 || !times_wanted(scan->question, &sum))
		return 0;
	return pdns_scan_found(scan, &tuple, key, size, &sum, classes);
}

int pdns_forward(struct pdns_scan *scan, const uint8_t *prefix, size_t size)
{
	// The cursor counts for the entry that it came by.
	bool resumes = scan->from_tuple_size >= size &&
		       memcmp(scan->from_tuple, prefix, size) == 0 &&
		       scan->from_entry_size == scan->entry_size &&
		       memcmp(scan->from_entry, scan->entry, scan->entry_size) == 0;
	size_t key_size, value_size;
	const uint8_t *key;
	const char *value;
	char *error = NULL;
	int err = 0;

	if (resumes) {
		pdns_scan_seek(scan, &scan->tuples, scan->from_tuple, scan->from_tuple_size);
		key = pdns_scan_key(
			scan->tuples, scan->from_tuple, scan->from_tuple_size, &key_size);
		if (key && key_size == scan->from_tuple_size)
			rocksdb_iter_next(scan->tuples);
	} else {
		pdns_scan_seek(scan, &scan->tuples, prefix, size);
	}
	for (; err == 0; rocksdb_iter_next(scan->tuples)) {
		key = pdns_scan_key(scan->tuples, prefix, size, &key_size);
		if (!key)
			break;
		err = pdns_scan_count(scan);
		if (err)
			break;
		value = rocksdb_iter_value(scan->tuples, &value_size);
		err = tuple_look(scan, key, key_size, value, value_size);
	}
	if (err)
		return err;
	rocksdb_iter_get_error(scan->tuples, &error);
	return rocks_error(error);
}

int pdns_forward_one(struct pdns_scan *scan, const uint8_t *key, size_t size)
{
	rocksdb_pinnableslice_t *slice;
	size_t value_size;
	const char *value;
	char *error = NULL;
	int err;

	// The cursor's own was given.
	if (scan->from_tuple_size == size && memcmp(scan->from_tuple, key, size) == 0 &&
		scan->from_entry_size == scan->entry_size &&
		memcmp(scan->from_entry, scan->entry, scan->entry_size) == 0)
		return 0;
	err = pdns_scan_count(scan);
	if (err)
		return err;
	slice = rocksdb_get_pinned(scan->pdns->db, scan->read, (const char *)key, size, &error);
	err = rocks_error(error);
	value = slice ? rocksdb_pinnableslice_value(slice, &value_size) : NULL;
	if (err == 0 && value)
		err = tuple_look(scan, key, size, value, value_size);
	if (slice)
		rocksdb_pinnableslice_destroy(slice);
	return err;
}
