/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "fqdn/fqdn_labels.h"

#include "fqdn/fqdn_equal.h"
#include "fqdn/fqdn_scan.h"

// Labels that are the same, as long as they are short and in lower case, as nearly all are. In a function of
// its own, so that the loop has all registers.
static __attribute__((noinline)) void short_pass(
	const struct fqdn_table *table, struct fqdn_labels *labels)
{
	static const uint64_t masks[8] = {
		0xff,
		0xffff,
		0xffffff,
		0xffffffff,
		0xffffffffff,
		0xffffffffffff,
		0xffffffffffffff,
		0xffffffffffffffff,
	};
	const uint8_t *listed = labels->listed, *end = labels->end, *msg = labels->name->msg;
	const uint16_t *first = labels->name->at, *at = first + labels->left;
	uint32_t msg_size = labels->name->msg_size, readable_end = msg_size < 8 ? 0 : msg_size - 7;

	while (listed < end && at > first && at[-1] < readable_end) {
		unsigned word = *listed - (unsigned)FQDN_WORD_FIRST;
		const uint8_t *wire = word < FQDN_WORDS_MAX ? table->word[word] : listed;
		unsigned size = *wire;
		uint64_t a, b;

		memcpy(&a, wire, sizeof(a));
		memcpy(&b, msg + at[-1], sizeof(b));
		if (size >= 8 || ((a ^ b) & masks[size]) != 0)
			break;
		listed += word < FQDN_WORDS_MAX ? 1 : size + 1;
		at--;
	}
	labels->listed = listed;
	labels->left = (unsigned)(at - first);
}

void fqdn_labels_pass(const struct fqdn_table *table, struct fqdn_labels *labels)
{
	const struct dns_labels *name = labels->name;

	for (;;) {
		unsigned at;

		short_pass(table, labels);
		if (labels->listed >= labels->end || labels->left == 0)
			return;
		at = name->at[labels->left - 1];
		if (!fqdn_label_equal(table, labels->listed, name->msg + at, name->msg_size - at))
			return;
		labels->listed = fqdn_label_next(labels->listed);
		labels->left--;
	}
}

// Not inlined, so that the loops have all registers.
__attribute__((noinline)) uint64_t fqdn_lookup_bulk(const struct fqdn_table *table,
	const struct fqdn_name *names, unsigned n, uint16_t today, struct fqdn_match *match)
{
	struct fqdn_aim aims[FQDN_BULK];

	fqdn_lookup_aim(table, names, n, aims);
	return fqdn_lookup_aimed(table, names, n, aims, today, NULL, match);
}

struct fqdn_name fqdn_name_of(const struct dns_labels *labels)
{
	struct fqdn_name name = {.msg = labels->msg, .msg_size = labels->msg_size, .n = labels->n};

	if (labels->n > 0)
		name.at = labels->at[0];
	for (unsigned i = 0; i < 3 && i < labels->n; i++)
		name.last[2 - i] = labels->at[labels->n - 1u - i];
	return name;
}

bool fqdn_lookup(const struct fqdn_table *table, const struct dns_labels *labels, uint16_t today,
	struct fqdn_match *match)
{
	struct fqdn_name name = fqdn_name_of(labels);

	return fqdn_lookup_bulk(table, &name, 1, today, match);
}
