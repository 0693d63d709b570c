/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A message observed: what is stored is whole, decodes to what was stored, and is found again by
 * each way that leads to it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "pdns/pdns_private.h"

static struct pdns *pdns;

// Only the window: it is never full, so nothing is written.
static void window_open(void)
{
	pdns = calloc(1, sizeof(*pdns));
	FUZZ_CHECK(pdns != NULL);
	pthread_mutex_init(&pdns->lock, NULL);
	pdns->now_us = pdns_now_us;
	pdns->filling = &pdns->windows[0];
	FUZZ_CHECK(pdns_window_init(pdns->filling, (size_t)16 << 20) == 0);
}

static void index_check(void *ctx, const uint8_t *key, size_t size)
{
	const struct pdns_tuple_key *tuple = ctx;
	uint8_t owner[DNS_NAME_SIZE_MAX];
	struct pdns_tuple_key again;
	const uint8_t *target;

	FUZZ_CHECK(size <= PDNS_INDEX_MAX);
	if (key[0] == PDNS_TAG_TARGET_START)
		return;
	FUZZ_CHECK(pdns_key_index_read(key, size, owner, &again, &target));
	FUZZ_CHECK(again.type == tuple->type && again.bailiwick == tuple->bailiwick);
	FUZZ_CHECK(again.owner_size == tuple->owner_size &&
		   memcmp(owner, tuple->owner, tuple->owner_size) == 0);
}

static void text_check(const struct pdns_tuple_key *tuple)
{
	static char text[PDNS_TEXT_SIZE];
	static uint8_t again[PDNS_RDATA_MAX];
	int n = pdns_rdata_text(tuple->type, tuple->rdata, tuple->rdata_size, true, text);

	FUZZ_CHECK(n > 0 && n < PDNS_TEXT_SIZE && text[n] == '\0');
	n = pdns_rdata_parse(tuple->type, text, again);
	FUZZ_CHECK(n == (int)tuple->rdata_size && memcmp(again, tuple->rdata, (size_t)n) == 0);
}

static void tuple_check(const struct pdns_entry *entry)
{
	static uint8_t key[PDNS_KEY_MAX];
	uint8_t owner[DNS_NAME_SIZE_MAX];
	struct pdns_tuple_key tuple = {.owner = entry->octets,
		.owner_size = entry->owner_size,
		.type = entry->type,
		.bailiwick = entry->bailiwick == PDNS_BAILIWICK_NONE
				     ? (uint8_t)pdns_base_labels(entry->octets)
				     : entry->bailiwick,
		.rdata = entry->octets + entry->owner_size,
		.rdata_size = entry->rdata_size};
	struct pdns_tuple_key again;
	size_t size;

	FUZZ_CHECK(pdns_name_size(tuple.owner, tuple.owner_size) == tuple.owner_size);
	FUZZ_CHECK(pdns_type_is_data(tuple.type));
	FUZZ_CHECK(tuple.bailiwick <= pdns_name_labels(tuple.owner));
	size = pdns_key_rrset(&tuple, key);
	memcpy(key + size, tuple.rdata, tuple.rdata_size);
	FUZZ_CHECK(pdns_key_read(key, size + tuple.rdata_size, owner, &again));
	FUZZ_CHECK(again.type == tuple.type && again.bailiwick == tuple.bailiwick);
	FUZZ_CHECK(again.owner_size == tuple.owner_size &&
		   memcmp(owner, tuple.owner, tuple.owner_size) == 0);
	FUZZ_CHECK(again.rdata_size == tuple.rdata_size &&
		   memcmp(again.rdata, tuple.rdata, tuple.rdata_size) == 0);
	pdns_key_index(&tuple, index_check, &tuple);
	text_check(&tuple);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zone[] = "\7example\3com";
	const struct pdns_entry *entry;
	struct pdns_answer answer = {.time_s = 1};
	uint8_t *copy;
	size_t at = 0;
	int n;

	if (!pdns)
		window_open();
	if (size < 1)
		return 0;
	copy = fuzz_copy(data + 1, size - 1);
	answer.class = data[0] & 1;
	answer.zone = data[0] & 2 ? zone : data[0] & 4 ? (const uint8_t *)"" : NULL;
	answer.zone_size = data[0] & 2 ? sizeof(zone) : 1;
	answer.msg = copy;
	answer.size = size - 1;
	n = pdns_observe(pdns, &answer);
	FUZZ_CHECK(n >= PDNS_E_MADE_UP && n <= (int)size);
	FUZZ_CHECK(n >= 0 || pdns->filling->n == 0);
	while ((entry = pdns_window_next(pdns->filling, &at)))
		tuple_check(entry);
	pdns_window_clear(pdns->filling);
	free(copy);
	return 0;
}
