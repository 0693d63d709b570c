/* SPDX-License-Identifier: BSD-3-Clause */
#include "mirror/mirror.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/block.h"
#include "consent/consent.h"
#include "dns/dns_name.h"
#include "support/random.h"
#include "support/test.h"

#define HEADERS            48 // IPv6 and UDP
#define MSG_MAX            (65535 - HEADERS)
#define RECORD_SLOTS(size) (1 + ((size) + MIRROR_SLOT_SIZE - 1) / MIRROR_SLOT_SIZE)

// A table of one rule, for records to point at.
struct names {
	struct fqdn_table *table;
	const struct fqdn_rule *rule;
};

static struct names names_create(void)
{
	const struct fqdn_rule rule = {.last_day = UINT16_MAX};
	struct fqdn_builder *b = fqdn_builder_create();
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct names names;

	cr_assert(dns_name_parse("first.example", 13, name) > 0);
	cr_assert(fqdn_builder_add(b, name, 15, &rule) == 1);
	names.table = fqdn_builder_finish(b);
	cr_assert_not_null(names.table);
	names.rule = fqdn_table_rule(names.table, 0);
	fqdn_builder_destroy(b);
	return names;
}

static void names_free(struct names *names)
{
	block_free(names->table, fqdn_table_size(names->table));
}

// All that a record says is made from its number, so that the taker can tell what it must be.
static uint16_t msg_size_of(uint64_t seq)
{
	uint64_t state = RANDOM_SEED ^ (seq * 0x2545f4914f6cdd1dull + 1);
	uint32_t kind = random_below(&state, 100);

	if (kind < 2)
		return (uint16_t)(DNS_HEADER_SIZE +
				  random_below(&state, MSG_MAX - DNS_HEADER_SIZE + 1));
	if (kind < 20) // round the edges of slots
		return (uint16_t)(MIRROR_SLOT_SIZE * (1 + random_below(&state, 8)) - 1 +
				  random_below(&state, 3));
	return (uint16_t)(DNS_HEADER_SIZE + random_below(&state, 600));
}

static bool stored_of(uint64_t seq)
{
	return seq % 3 != 0;
}

static uint8_t octet_of(uint64_t seq, unsigned i)
{
	return (uint8_t)(seq * 7 + i * 31 + (i >> 8));
}

// The slot of response @p seq; every 11th belongs to a client that refused logging.
static void slot_fill(struct burst_slot *slot, uint64_t seq, const struct names *names)
{
	bool v4 = seq & 1;

	slot->l3 = 0;
	slot->family = v4 ? ADDR_IPV4 : ADDR_IPV6;
	slot->l4 = HEADERS - 8;
	slot->msg = HEADERS;
	slot->msg_size = msg_size_of(seq);
	slot->src_port = 53;
	slot->dst_port = (uint16_t)seq;
	memset(slot->frame, 0, HEADERS);
	// The number stands where the client's address does, at least 4 bytes of it.
	store_be32(slot->frame + (v4 ? 16 : 24), (uint32_t)seq);
	for (unsigned i = 0; i < slot->msg_size && stored_of(seq); i++)
		slot->frame[HEADERS + i] = octet_of(seq, i);
	slot->response = true;
	slot->protocol = seq & 2 ? 6 : 17;
	slot->refused = seq % 11 == 10 ? CONSENT_NO_LOG : 0;
	slot->block = seq % 3 == 1 ? names->rule : NULL;
	slot->log = seq % 3 == 2 ? names->rule : NULL;
	slot->reason = REASON_rewritten;
	slot->rcode = (uint8_t)(seq & 15);
	slot->qtype = (uint16_t)(seq >> 3);
}

static void burst_alloc(struct burst *burst)
{
	memset(burst, 0, sizeof(*burst));
	for (unsigned i = 0; i < BURST_MAX; i++) {
		burst->slot[i].frame = malloc(HEADERS + UINT16_MAX);
		cr_assert_not_null(burst->slot[i].frame);
	}
}

static void burst_free(struct burst *burst)
{
	for (unsigned i = 0; i < BURST_MAX; i++)
		free(burst->slot[i].frame);
}

struct taken {
	const struct names *names;
	uint64_t n, next; // records; lowest number that may still come
	unsigned errors;
};

static bool record_good(const struct taken *taken, const struct mirror_record *record,
	const uint8_t *msg, uint64_t seq)
{
	uint16_t size = msg_size_of(seq);

	if (record->msg_size != size || record->stored_size != (stored_of(seq) ? size : 0))
		return false;
	if ((msg != NULL) != stored_of(seq))
		return false;
	for (unsigned i = 0; msg && i < size; i++)
		if (msg[i] != octet_of(seq, i))
			return false;
	return record->client_port == (uint16_t)seq && record->server_port == 53 &&
	       record->family == (seq & 1 ? ADDR_IPV4 : ADDR_IPV6) && record->rcode == (seq & 15) &&
	       record->qtype == (uint16_t)(seq >> 3) &&
	       record->generation == (uint32_t)record->tsc &&
	       record->rule == (stored_of(seq) ? fqdn_table_rule_number(
							 taken->names->table, taken->names->rule)
					       : MIRROR_NO_RULE);
}

static void take(void *ctx, const struct mirror_record *record, uint8_t *msg)
{
	struct taken *taken = ctx;
	uint64_t seq = load_be32(record->client);

	taken->errors +=
		seq < taken->next || seq % 11 == 10 || !record_good(taken, record, msg, seq);
	taken->next = seq + 1;
	taken->n++;
}

// Push responses first .. first + n - 1 as one burst.
static void push(struct mirror_ring *ring, struct burst *burst, uint64_t first, unsigned n,
	const struct names *names, struct stats_worker *stats)
{
	const struct mirror_meta meta = {first, (uint32_t)first, names->table};

	burst->n = n;
	burst->responses = burst->ruled = 0;
	for (unsigned i = 0; i < n; i++) {
		slot_fill(&burst->slot[i], first + i, names);
		burst->responses |= 1u << i;
		burst->ruled |= (uint32_t)(burst->slot[i].block || burst->slot[i].log) << i;
	}
	mirror_push_burst(ring, burst, &meta, stats);
}

static struct stats_worker *stats_create(void)
{
	struct stats_worker *stats = NULL;

	cr_assert(posix_memalign((void **)&stats, 64, sizeof(*stats)) == 0);
	memset(stats, 0, sizeof(*stats));
	return stats;
}

Test(mirror, without_a_ring_nothing_is_taken_and_nothing_lost)
{
	struct stats_worker *stats = stats_create();
	struct names names = names_create();
	struct taken taken = {.names = &names};
	struct burst burst;

	burst_alloc(&burst);
	push(NULL, &burst, 0, BURST_MAX, &names, stats);
	cr_assert(mirror_ring_used(NULL) == 0);
	cr_assert(mirror_drain(NULL, take, &taken) == 0 && taken.n == 0);
	cr_assert(stats->mirrored == 0 && stats->mirror_lost == 0);
	mirror_ring_destroy(NULL);
	burst_free(&burst);
	names_free(&names);
	free(stats);
}

Test(mirror, a_ring_has_a_power_of_two_of_slots)
{
	errno = 0;
	cr_assert_null(mirror_ring_create(1000, -1, false));
	cr_assert(errno == EINVAL);
	mirror_ring_destroy(NULL);
}

Test(mirror, a_full_ring_loses_records_and_counts_each)
{
	struct mirror_ring *ring = mirror_ring_create(64, -1, false);
	struct stats_worker *stats = stats_create();
	struct names names = names_create();
	struct taken taken = {.names = &names};
	uint64_t expected = 0, lost = 0, room = 63; // of 64 slots one stays free
	struct burst burst;

	cr_assert_not_null(ring);
	burst_alloc(&burst);
	for (uint64_t seq = 0; seq < 40; seq++) {
		uint64_t need = stored_of(seq) ? RECORD_SLOTS(msg_size_of(seq)) : 1;

		push(ring, &burst, seq, 1, &names, stats);
		if (seq % 11 == 10)
			continue;
		if (need <= room) {
			room -= need;
			expected++;
		} else {
			lost++;
		}
	}
	cr_assert(lost > 0 && expected > 0);
	cr_assert(stats->mirrored == expected && stats->mirror_lost == lost);
	cr_assert(mirror_ring_used(ring) == 63 - room);
	cr_assert(mirror_drain(ring, take, &taken) == expected);
	cr_assert(taken.n == expected && taken.errors == 0);
	cr_assert(mirror_ring_used(ring) == 0 && mirror_drain(ring, take, &taken) == 0);
	burst_free(&burst);
	names_free(&names);
	free(stats);
	mirror_ring_destroy(ring);
}

Test(mirror, within_a_burst_what_fits_is_kept_and_the_rest_counted)
{
	struct mirror_ring *ring = mirror_ring_create(64, -1, false);
	struct stats_worker *stats = stats_create();
	struct names names = names_create();
	struct taken taken = {.names = &names};
	struct burst burst;

	burst_alloc(&burst);
	for (uint64_t first = 0; first < 3200; first += BURST_MAX) {
		uint64_t before = taken.n;

		push(ring, &burst, first, BURST_MAX, &names, stats);
		mirror_drain(ring, take, &taken);
		// Records without a message always fit; a large one does not keep them out.
		cr_assert(taken.n > before);
	}
	cr_assert(taken.errors == 0 && taken.n == stats->mirrored);
	// Of 3,200 responses every 11th from number 10 on is not mirrored.
	cr_assert(stats->mirrored + stats->mirror_lost == 3200 - 3200 / 11);
	cr_assert(stats->mirror_lost > 0);
	burst_free(&burst);
	names_free(&names);
	free(stats);
	mirror_ring_destroy(ring);
}

Test(mirror, the_largest_message_goes_through_whole_wherever_it_wraps)
{
	struct mirror_ring *ring = mirror_ring_create(2048, -1, false);
	struct stats_worker *stats = stats_create();
	struct names names = names_create();
	struct taken taken = {.names = &names};
	struct burst burst;
	uint64_t seq = 1;

	burst_alloc(&burst);
	for (unsigned found = 0; found < 12; seq++) {
		if (msg_size_of(seq) < 40000 || !stored_of(seq) || seq % 11 == 10)
			continue;
		push(ring, &burst, seq, 1, &names, stats);
		cr_assert(mirror_drain(ring, take, &taken) == 1);
		found++;
	}
	cr_assert(taken.errors == 0 && stats->mirror_lost == 0);
	burst_free(&burst);
	names_free(&names);
	free(stats);
	mirror_ring_destroy(ring);
}

static void take_whole(void *ctx, const struct mirror_record *record, uint8_t *msg)
{
	struct taken *taken = ctx;
	uint64_t seq = load_be32(record->client);

	taken->n++;
	taken->errors += !msg || record->stored_size != msg_size_of(seq) ||
			 record->protocol != (seq & 2 ? 6 : 17);
	for (unsigned i = 0; msg && i < record->stored_size; i++)
		taken->errors += stored_of(seq) && msg[i] != octet_of(seq, i);
}

Test(mirror, a_ring_of_whole_messages_has_one_behind_every_record)
{
	struct mirror_ring *ring = mirror_ring_create(65536, -1, true);
	struct stats_worker *stats = stats_create();
	struct names names = names_create();
	struct taken taken = {.names = &names};
	struct burst burst;

	burst_alloc(&burst);
	for (uint64_t first = 0; first < 3200; first += BURST_MAX) {
		push(ring, &burst, first, BURST_MAX, &names, stats);
		mirror_drain(ring, take_whole, &taken);
	}
	cr_assert(taken.errors == 0 && taken.n == stats->mirrored && stats->mirror_lost == 0);
	cr_assert(taken.n == 3200 - 3200 / 11);
	burst_free(&burst);
	names_free(&names);
	free(stats);
	mirror_ring_destroy(ring);
}

#define PAIRS  2 // rings, each with a producer
#define BURSTS 6000

struct pair {
	struct mirror_ring *ring;
	struct stats_worker *stats;
	struct names names;
	struct taken taken;
	pthread_t producer;
	uint64_t responses, hidden;
	atomic_bool done;
};

static void *produce(void *arg)
{
	struct pair *pair = arg;
	uint64_t state = RANDOM_SEED, seq = 0;
	struct burst burst;

	burst_alloc(&burst);
	for (unsigned i = 0; i < BURSTS; i++) {
		unsigned n = 1 + random_below(&state, BURST_MAX);

		push(pair->ring, &burst, seq, n, &pair->names, pair->stats);
		for (unsigned j = 0; j < n; j++)
			pair->hidden += (seq + j) % 11 == 10;
		seq += n;
		// Sometimes the consumer keeps up, sometimes the ring runs full.
		if (i % 64 < 40)
			sched_yield();
	}
	pair->responses = seq;
	burst_free(&burst);
	atomic_store(&pair->done, true);
	return NULL;
}

static void *consume(void *arg)
{
	struct pair *pairs = arg;
	unsigned open = PAIRS;

	while (open > 0) {
		open = 0;
		for (unsigned i = 0; i < PAIRS; i++) {
			bool done = atomic_load(&pairs[i].done);

			mirror_drain(pairs[i].ring, take, &pairs[i].taken);
			open += !done;
		}
	}
	return NULL;
}

Test(mirror, producers_and_a_consumer_agree_on_every_record, .timeout = 300)
{
	static struct pair pairs[PAIRS];
	pthread_t consumer;
	unsigned used = 0;

	for (unsigned i = 0; i < PAIRS; i++) {
		pairs[i].ring = mirror_ring_create(i ? 256 : 4096, -1, false);
		pairs[i].stats = stats_create();
		pairs[i].names = names_create();
		pairs[i].taken.names = &pairs[i].names;
	}
	cr_assert(pthread_create(&consumer, NULL, consume, pairs) == 0);
	for (unsigned i = 0; i < PAIRS; i++)
		cr_assert(pthread_create(&pairs[i].producer, NULL, produce, &pairs[i]) == 0);
	// Statistics look at the rings and the counters from a third thread.
	while (!atomic_load(&pairs[0].done) || !atomic_load(&pairs[1].done)) {
		for (unsigned i = 0; i < PAIRS; i++) {
			used += mirror_ring_used(pairs[i].ring) >= (i ? 256 : 4096);
			used += counter_read(&pairs[i].stats->mirrored) >
				BURSTS * (uint64_t)BURST_MAX;
		}
		sched_yield();
	}
	cr_assert(used == 0);
	for (unsigned i = 0; i < PAIRS; i++)
		pthread_join(pairs[i].producer, NULL);
	pthread_join(consumer, NULL);
	for (unsigned i = 0; i < PAIRS; i++) {
		const struct stats_worker *stats = pairs[i].stats;

		cr_expect(pairs[i].taken.errors == 0, "%u bad records", pairs[i].taken.errors);
		cr_expect(pairs[i].taken.n == stats->mirrored);
		cr_expect(stats->mirrored + stats->mirror_lost + pairs[i].hidden ==
			  pairs[i].responses);
		cr_expect(stats->mirrored > 0 && (i == 0 || stats->mirror_lost > 0));
		names_free(&pairs[i].names);
		free(pairs[i].stats);
		mirror_ring_destroy(pairs[i].ring);
	}
}
