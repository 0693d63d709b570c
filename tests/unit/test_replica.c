/* SPDX-License-Identifier: BSD-3-Clause */
#include "replica/replica.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "dns/dns_name.h"
#include "mirror/mirror.h"
#include "support/test.h"

#define WORKERS     3
#define GENERATIONS 200
#define DAY_BASE    40000 // a rule's last day is this and its generation

static const char *const listed[] = {"first.example", "second.example", "www.third.example"};

#define LISTED (sizeof(listed) / sizeof(listed[0]))

// Every part of a generation says which one it is: the rules by a day, the consent table by which
// of eight addresses refuse what, the policy by a time to live; every fourth one has a pattern, for a
// name with its number.
static struct pattern_set *patterns_make(uint32_t generation, struct fqdn_builder *names)
{
	const struct fqdn_rule rule = {
		.last_day = (uint16_t)(DAY_BASE + generation), .scope = FQDN_PATTERN};
	int64_t number = fqdn_builder_add_rule(names, &rule), at;
	struct pattern_builder *b = pattern_builder_create();
	char error[PATTERN_ERROR_SIZE], text[32];
	struct pattern pattern = {.expression = text, .rule = (uint32_t)number};
	struct pattern_set *set;

	snprintf(text, sizeof(text), "^p%u\\.", generation);
	cr_assert(number >= 0 && b && pattern_builder_add(b, &pattern) == 0);
	set = pattern_builder_finish(b, &at, error);
	cr_assert_not_null(set);
	pattern_builder_destroy(b);
	return set;
}

// @param patterns [out] NULL: none
static struct fqdn_table *names_make(uint32_t generation, struct pattern_set **patterns)
{
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_table *t;

	// Other names in each generation, so that rules have other numbers and tables other sizes.
	for (uint32_t i = 0; i < generation % 50; i++) {
		const struct fqdn_rule other = {.last_day = (uint16_t)i};
		uint8_t name[DNS_NAME_SIZE_MAX];
		char text[32];
		int size = dns_name_parse(
			text, (size_t)snprintf(text, sizeof(text), "n%u.net", i), name);

		fqdn_builder_add(b, name, (uint8_t)size, &other);
	}
	for (size_t i = 0; i < LISTED; i++) {
		const struct fqdn_rule rule = {.last_day = (uint16_t)(DAY_BASE + generation)};
		uint8_t name[DNS_NAME_SIZE_MAX];
		int size = dns_name_parse(listed[i], strlen(listed[i]), name);

		fqdn_builder_add(b, name, (uint8_t)size, &rule);
	}
	*patterns =
		pattern_supported() && generation % 4 == 1 ? patterns_make(generation, b) : NULL;
	t = fqdn_builder_finish(b);
	fqdn_builder_destroy(b);
	return t;
}

static struct consent_table *consent_make(uint32_t generation, size_t *size)
{
	struct consent_rule rules[8];

	for (unsigned i = 0; i < 8; i++)
		rules[i] = (struct consent_rule){
			{{{10, 0, 0, (uint8_t)i}, ADDR_IPV4}, 32}, (generation >> (2 * i)) & 3};
	return consent_table_build(rules, 8, size);
}

static struct replica *master_make(uint32_t generation)
{
	struct replica *master = calloc(1, sizeof(*master));

	cr_assert_not_null(master);
	master->generation = generation;
	master->policy.n_lists = 1;
	master->policy.lists[0].sinkhole.ttl_max = generation;
	master->names = names_make(generation, &master->patterns);
	if (master->patterns)
		master->scan = pattern_scan_create(master->patterns, -1);
	master->consent = consent_make(generation, &master->consent_size);
	cr_assert(master->names && master->consent);
	cr_assert(!master->scan == !master->patterns);
	master->names_size = fqdn_table_size(master->names);
	return master;
}

static const struct fqdn_rule *rule_of(const struct replica *r, const char *text)
{
	uint8_t msg[DNS_HEADER_SIZE + DNS_NAME_SIZE_MAX];
	int size = dns_name_parse(text, strlen(text), msg + DNS_HEADER_SIZE);
	struct fqdn_match match;
	struct dns_labels name;

	if (dns_msg_labels_read(msg, DNS_HEADER_SIZE + (uint32_t)size, DNS_HEADER_SIZE, &name) <
			0 ||
		!fqdn_lookup(r->names, &name, 0, &match))
		return NULL;
	return match.block;
}

static bool patterns_whole(const struct replica *r)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct fqdn_match match;
	struct dns_labels labels;
	char text[32];

	if (!pattern_supported() || r->generation % 4 != 1)
		return !r->scan;
	if (!r->scan)
		return false;
	if (dns_name_parse(
		    text, (size_t)snprintf(text, sizeof(text), "p%u.net", r->generation), name) < 0)
		return false;
	dns_name_labels(name, &labels);
	return pattern_match_one(r->scan, r->names, &labels, &match, false) &&
	       match.block->last_day == DAY_BASE + r->generation;
}

// Whether all parts are of the generation that the replica says it is.
static bool is_whole(const struct replica *r)
{
	uint32_t consent = 0;

	for (unsigned i = 0; i < 8; i++) {
		const uint8_t address[4] = {10, 0, 0, (uint8_t)i};

		consent |= (uint32_t)consent_lookup_ipv4(r->consent, address) << (2 * i);
	}
	for (size_t i = 0; i < LISTED; i++) {
		const struct fqdn_rule *rule = rule_of(r, listed[i]);

		if (!rule || rule->last_day != DAY_BASE + r->generation)
			return false;
	}
	return consent == r->generation && patterns_whole(r) &&
	       r->policy.lists[0].sinkhole.ttl_max == r->generation;
}

Test(replica, the_first_generation_has_none_before_it)
{
	const int nodes[WORKERS] = {-1, -1, -1};
	struct replica_set *set = replica_set_create(WORKERS, nodes);
	struct replica *first = master_make(1), *second = master_make(2), *retired = first;
	struct stats_id counters[WORKERS];
	struct stats_id *const ids[WORKERS] = {&counters[0], &counters[1], &counters[2]};

	cr_assert_not_null(set);
	first->worker_ids = ids;
	cr_assert_null(replica_get(set, 0));
	cr_assert_null(replica_master(set));
	cr_assert(replica_publish(set, first, &retired) == 0);
	cr_assert_null(retired);
	cr_assert(replica_get(set, replica_reader_core(set)) == first &&
		  replica_master(set) == first);
	for (unsigned i = 0; i < WORKERS; i++) {
		const struct replica *r = replica_get(set, i);

		// A copy of its own for each; the first one may have the master's names.
		cr_assert(r != first && r->consent != first->consent);
		cr_assert(r->names != first->names || (i == 0 && block_near_all()));
		cr_assert(is_whole(r) && r->names_size == fqdn_table_worker_size(first->names));
		cr_assert(r->ids == &counters[i] && !r->worker_ids);
		cr_assert(i == 0 || r != replica_get(set, i - 1));
	}
	cr_assert(replica_publish(set, second, &retired) == 0);
	cr_assert(retired == first && is_whole(replica_get(set, 0)));
	cr_assert(replica_get(set, 0)->generation == 2 && !second->older);
	cr_assert_null(replica_get(set, 0)->ids);
	replica_free(retired);
	replica_free(NULL);
	replica_set_destroy(set);
	replica_set_destroy(NULL);
}

Test(replica, workers_of_a_node_share_patterns_and_have_scans_of_their_own)
{
	const int nodes[WORKERS] = {0, -1, 0};
	struct replica_set *set = replica_set_create(WORKERS, nodes);
	struct replica *master = master_make(1), *retired;
	const struct replica *r[WORKERS];

	if (!pattern_supported()) {
		replica_free(master);
		replica_set_destroy(set);
		return;
	}
	cr_assert(replica_publish(set, master, &retired) == 0);
	for (unsigned i = 0; i < WORKERS; i++)
		r[i] = replica_get(set, i);
	cr_assert(r[0]->patterns == r[2]->patterns && r[0]->patterns != r[1]->patterns);
	cr_assert(r[0]->patterns != master->patterns && r[1]->patterns != master->patterns);
	cr_assert(r[0]->scan != r[2]->scan && r[0]->scan != master->scan);
	cr_assert(is_whole(r[0]) && is_whole(r[1]) && is_whole(r[2]) && is_whole(master));
	cr_assert(replica_publish(set, master_make(2), &retired) == 0);
	cr_assert(!replica_get(set, 0)->scan && !replica_get(set, 2)->patterns);
	replica_free(retired);
	replica_set_destroy(set);
}

Test(replica, the_day_is_what_was_set_last)
{
	struct replica_set *set = replica_set_create(0, NULL);

	cr_assert_not_null(set);
	replica_set_today(set, 9000);
	cr_assert(replica_today(set) == 9000);
	replica_set_destroy(set);
}

struct world {
	struct replica_set *set;
	struct mirror_ring *rings[WORKERS];
	atomic_bool stop_workers, stop_core;
	atomic_uint worker_id, entered;
	// What the threads found; read after they have ended.
	unsigned torn[WORKERS], backward[WORKERS];
	uint64_t rounds[WORKERS], pushed[WORKERS], lost[WORKERS];
	unsigned core_torn, unknown, wrong_rule;
	uint64_t records, of_older;
};

// A response that hit the rule of a listed name, as a burst has it.
static void record_push(struct world *world, unsigned id, const struct replica *r, uint8_t *frame,
	struct stats_worker *stats)
{
	const struct mirror_meta meta = {0, r->generation, r->names};
	struct burst burst = {.n = 1, .side = BURST_FROM_RESOLVERS, .responses = 1, .ruled = 1};
	struct burst_slot *slot = &burst.slot[0];

	slot->frame = frame;
	slot->family = ADDR_IPV4;
	slot->msg = 28;
	slot->msg_size = 100;
	slot->response = true;
	slot->block = rule_of(r, listed[world->rounds[id] % LISTED]);
	slot->reason = REASON_rewritten;
	mirror_push_burst(world->rings[id], &burst, &meta, stats);
}

static void *worker_run(void *arg)
{
	struct world *world = arg;
	unsigned id = atomic_fetch_add(&world->worker_id, 1);
	static struct stats_worker all_stats[WORKERS];
	struct stats_worker *stats = &all_stats[id];
	uint8_t frame[128] = {0};
	uint32_t last = 0;

	replica_enter(world->set, id);
	atomic_fetch_add(&world->entered, 1);
	while (!atomic_load_explicit(&world->stop_workers, memory_order_relaxed)) {
		const struct replica *r;

		replica_quiescent(world->set, id);
		r = replica_get(world->set, id);
		world->backward[id] += r->generation < last;
		last = r->generation;
		// Several looks within one burst: the generation must not change under it.
		for (unsigned i = 0; i < 4; i++) {
			world->torn[id] += !is_whole(r) || r->generation != last;
			record_push(world, id, r, frame, stats);
		}
		if (++world->rounds[id] % 4 == id)
			sched_yield();
	}
	replica_leave(world->set, id);
	world->pushed[id] = stats->mirrored;
	world->lost[id] = stats->mirror_lost;
	return NULL;
}

struct core_turn {
	struct world *world;
	const struct replica *master;
};

// What a record's rule number means is found in the tables of its generation, this one or the last.
static void record_take(void *ctx, const struct mirror_record *record, uint8_t *msg)
{
	struct core_turn *turn = ctx;
	struct world *world = turn->world;
	const struct replica *master = turn->master;
	const struct fqdn_rule *rule;

	(void)msg;
	world->records++;
	if (master->generation != record->generation) {
		master = __atomic_load_n(&master->older, __ATOMIC_ACQUIRE);
		world->of_older++;
	}
	if (!master || master->generation != record->generation) {
		world->unknown++;
		return;
	}
	rule = fqdn_table_rule(master->names, record->rule);
	world->wrong_rule += !rule || rule->last_day != DAY_BASE + record->generation;
}

static void *core_run(void *arg)
{
	struct world *world = arg;
	unsigned reader = replica_reader_core(world->set);
	bool stop = false;

	replica_enter(world->set, reader);
	atomic_fetch_add(&world->entered, 1);
	while (!stop) {
		struct core_turn turn = {world, NULL};

		// Workers have ended when this is set: one more round has all there is.
		stop = atomic_load(&world->stop_core);
		replica_quiescent(world->set, reader);
		turn.master = replica_get(world->set, reader);
		world->core_torn += !is_whole(turn.master);
		for (unsigned i = 0; i < WORKERS; i++)
			mirror_drain(world->rings[i], record_take, &turn);
	}
	replica_leave(world->set, reader);
	return NULL;
}

// Publish all generations, one after the other, and free each that is retired.
static unsigned generations_publish(struct world *world)
{
	struct replica *retired;
	unsigned errors = 0;

	for (uint32_t generation = 2; generation <= GENERATIONS; generation++) {
		struct replica *master = master_make(generation);

		if (replica_publish(world->set, master, &retired) < 0) {
			replica_free(master);
			errors++;
			continue;
		}
		errors += !retired || retired->generation != generation - 1 || master->older ||
			  !is_whole(retired) || replica_master(world->set) != master;
		// What a reader still used would be seen to be gone.
		replica_free(retired);
	}
	return errors;
}

Test(replica, no_reader_sees_parts_of_two_generations, .timeout = 300)
{
	static struct world world;
	const int nodes[WORKERS] = {-1, -1, -1};
	struct replica *retired;
	pthread_t workers[WORKERS], core;
	uint64_t pushed = 0;
	unsigned errors;

	world.set = replica_set_create(WORKERS, nodes);
	cr_assert(replica_publish(world.set, master_make(1), &retired) == 0);
	for (unsigned i = 0; i < WORKERS; i++)
		world.rings[i] = mirror_ring_create(256, -1, false);
	cr_assert(pthread_create(&core, NULL, core_run, &world) == 0);
	for (unsigned i = 0; i < WORKERS; i++)
		cr_assert(pthread_create(&workers[i], NULL, worker_run, &world) == 0);
	// Nobody waits for a reader that is not there yet, and records would pile up before it.
	while (atomic_load(&world.entered) < WORKERS + 1)
		sched_yield();
	errors = generations_publish(&world);
	atomic_store(&world.stop_workers, true);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	atomic_store(&world.stop_core, true);
	pthread_join(core, NULL);
	cr_expect(errors == 0, "%u generations were not published as they should", errors);
	for (unsigned i = 0; i < WORKERS; i++) {
		cr_expect(world.torn[i] == 0, "worker %u: %u torn", i, world.torn[i]);
		cr_expect(world.backward[i] == 0, "worker %u: %u backward", i, world.backward[i]);
		cr_expect(world.rounds[i] > 0 &&
			  replica_get(world.set, i)->generation == GENERATIONS);
		pushed += world.pushed[i];
		mirror_ring_destroy(world.rings[i]);
	}
	cr_expect(world.core_torn == 0 && world.wrong_rule == 0 && world.unknown == 0,
		"core: %u torn, %u wrong rules, %u records of unknown generations", world.core_torn,
		world.wrong_rule, world.unknown);
	cr_expect(world.records == pushed && world.records > 0);
	cr_expect(world.of_older > 0, "no record of an older generation came");
	replica_set_destroy(world.set);
}
