/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys and values by themselves: any record comes back as it was, any octets are taken or refused.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns_name.h"
#include "store/store_private.h"
#include "support/random.h"

#define ROUNDS 20000

static uint64_t seed = RANDOM_SEED;

static uint32_t below(uint32_t n)
{
	return random_below(&seed, n);
}

// A name of any labels and octets, in lower case; sometimes as long as names get.
static uint8_t name_make(uint8_t name[DNS_NAME_SIZE_MAX])
{
	unsigned size = 0, labels = below(8) ? below(5) : 127;

	while (labels-- > 0) {
		unsigned label = 1 + below(below(4) ? 8 : DNS_LABEL_SIZE_MAX);

		if (size + label + 2 > DNS_NAME_SIZE_MAX)
			break;
		name[size++] = (uint8_t)label;
		for (unsigned i = 0; i < label; i++)
			name[size++] = dns_fold((uint8_t)below(256));
	}
	name[size++] = 0;
	return (uint8_t)size;
}

static struct prefix client_make(void)
{
	struct prefix client = {.addr = {.family = below(2) ? ADDR_IPV4 : ADDR_IPV6}};
	unsigned most = client.addr.family == ADDR_IPV4 ? 32 : 128;

	if (below(8) == 0)
		return (struct prefix){0};
	client.length = (uint8_t)below(most + 1);
	for (unsigned bit = 0; bit < client.length; bit++)
		client.addr.bytes[bit / 8] |= (uint8_t)(below(2) << (7 - bit % 8));
	return client;
}

static const char *text_make(char text[STORE_TEXT_MAX + 1])
{
	unsigned size = below(3) ? below(10) : below(STORE_TEXT_MAX + 1);

	for (unsigned i = 0; i < size; i++)
		text[i] = (char)(1 + below(255));
	text[size] = '\0';
	return text;
}

static struct store_record record_make(struct store_room *room, uint8_t match[DNS_NAME_SIZE_MAX])
{
	struct store_record r = {.filtered = below(2),
		.tcp = below(2),
		.client = client_make(),
		.type = (uint16_t)(below(2) ? 1 + below(70) : below(65536)),
		.rcode = (uint16_t)(below(2) ? below(4) : below(STORE_RCODE_MAX + 1))};

	if (below(2))
		return r;
	r.list = text_make(room->text[0]);
	r.id = text_make(room->text[1]);
	r.action = text_make(room->text[2]);
	r.verdict = text_make(room->text[3]);
	r.generation = below(UINT32_MAX);
	r.match = (uint8_t)below(3);
	r.client_port = (uint16_t)below(65536);
	r.match_name = match;
	r.match_name_size = below(2) ? name_make(match) : 0;
	r.n_addresses = (uint8_t)below(STORE_ADDRESSES_MAX + 1);
	for (unsigned i = 0; i < r.n_addresses; i++) {
		room->addresses[i] = (struct addr){.family = below(2) ? ADDR_IPV4 : ADDR_IPV6};
		for (unsigned b = 0; b < addr_size(room->addresses[i].family); b++)
			room->addresses[i].bytes[b] = (uint8_t)below(256);
	}
	r.addresses = room->addresses;
	return r;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static void same(const struct store_record *a, const struct store_record *b)
{
	cr_assert(a->filtered == b->filtered && a->tcp == b->tcp && a->type == b->type &&
		  a->rcode == b->rcode);
	cr_assert_eq(memcmp(&a->client, &b->client, sizeof(a->client)), 0);
	cr_assert_str_eq(or_empty(a->list), b->list);
	cr_assert_str_eq(or_empty(a->id), b->id);
	cr_assert_str_eq(or_empty(a->action), b->action);
	cr_assert_str_eq(or_empty(a->verdict), b->verdict);
	cr_assert(a->generation == b->generation && a->match == b->match &&
		  a->client_port == b->client_port && a->n_addresses == b->n_addresses &&
		  a->match_name_size == b->match_name_size);
	if (a->match_name_size)
		cr_assert_arr_eq(a->match_name, b->match_name, a->match_name_size);
	for (unsigned i = 0; i < a->n_addresses; i++)
		cr_assert_eq(memcmp(&a->addresses[i], &b->addresses[i], sizeof(struct addr)), 0);
}

Test(store_record, any_record_comes_back_as_it_was)
{
	uint8_t value[STORE_VALUE_MAX], match[DNS_NAME_SIZE_MAX];
	struct store_room room, back_room;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct store_record r = record_make(&room, match), back;
		uint32_t ms = below(STORE_HOUR_MS);
		size_t size = store_record_encode(&r, ms, value);

		cr_assert_leq(size, STORE_VALUE_MAX);
		cr_assert_eq(store_record_decode(r.filtered ? STORE_CHANGED : STORE_LOG, value,
				     size, &back, &back_room),
			size);
		cr_assert_eq(back.time_ms, ms);
		same(&r, &back);
	}
}

Test(store_record, a_usual_record_is_seven_octets)
{
	uint8_t value[STORE_VALUE_MAX];
	struct store_record r = {.type = 1,
		.client = {.addr = {.family = ADDR_IPV4, .bytes = {10, 1, 4}}, .length = 22}};

	cr_expect_eq(store_record_encode(&r, 3599999, value), 7);
}

// No octet behind the end is read: the sanitizers look after that.
Test(store_record, what_is_cut_or_damaged_is_refused_or_read_within_its_size)
{
	uint8_t value[STORE_VALUE_MAX], match[DNS_NAME_SIZE_MAX];
	struct store_room room, back_room;
	struct store_record back;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct store_record r = record_make(&room, match);
		enum store_kind kind = r.filtered ? STORE_CHANGED : STORE_LOG;
		size_t size = store_record_encode(&r, below(STORE_HOUR_MS), value);
		size_t cut = below((uint32_t)size);
		uint8_t *copy = malloc(cut + 1);

		memcpy(copy, value, cut);
		copy = realloc(copy, cut ? cut : 1);
		cr_assert_eq(store_record_decode(kind, copy, cut, &back, &back_room), 0);
		free(copy);

		copy = malloc(size);
		memcpy(copy, value, size);
		for (unsigned n = 0; n < 3; n++)
			copy[below((uint32_t)size)] = (uint8_t)below(256);
		cr_assert_leq(store_record_decode(kind, copy, size, &back, &back_room), size);
		free(copy);
	}
}

Test(store_record, any_name_comes_back_from_its_key)
{
	uint8_t name[DNS_NAME_SIZE_MAX], back[DNS_NAME_SIZE_MAX], key[STORE_KEY_MAX];

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t size = name_make(name);
		size_t key_size = store_key_make(40, name, size, key);

		cr_assert_eq(key_size, size + 1u);
		// With the number of a commit behind it, too.
		memset(key + key_size, (int)below(256), 8);
		cr_assert_eq(store_key_name(key, key_size + (below(2) ? 8 : 0), back), size);
		cr_assert_arr_eq(back, name, size);
		// Cut keys are none.
		cr_assert_eq(store_key_name(key, below((uint32_t)key_size), back), 0);
	}
}

Test(store_record, keys_stand_in_order_names_below_a_name_together)
{
	uint8_t name[2][DNS_NAME_SIZE_MAX], key[2][STORE_KEY_MAX], after[STORE_KEY_MAX];

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t size = name_make(name[0]), other = name_make(name[1]);
		size_t n = store_key_make(9, name[0], size, key[0]);
		size_t m = store_key_make(9, name[1], other, key[1]);
		bool below_it, in_range;
		size_t end;

		// Below: the other ends with the name, at a label.
		below_it = false;
		for (unsigned at = 0; at < other; at += name[1][at] + 1u) {
			if (other - at == size && memcmp(name[1] + at, name[0], size) == 0)
				below_it = true;
			if (name[1][at] == 0)
				break;
		}
		memcpy(after, key[0], n - 1);
		end = store_key_after(after, n - 1);
		in_range = m >= n - 1 && memcmp(key[1], key[0], n - 1) >= 0 &&
			   memcmp(key[1], after, m < end ? m : end) < 0;
		cr_assert_eq(below_it, in_range);
	}
}
