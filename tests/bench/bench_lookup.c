/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Look-ups in lib/fqdn against rte_hash_lookup_bulk_data with 8-byte keys and, with --tree, against
 * a tree of labels, in one process, in turns with one of them at a time:
 *
 *   bench_lookup [--tree] NAMES.txt QUERIES.txt
 *
 * Queries are names of which none is listed; some 65,536 of the listed names make hits.
 *   ours_miss, hash_miss              ns per suffix that has two labels or more
 *   ours_hit, hash_hit                ns per listed name; the hash is asked for its digest only
 *   ours_name                         ns per missed name
 *   ours_beside_tree_miss, tree_miss  as above, in turns with the tree alone: it leaves nothing of
 *   ours_beside_tree_hit, tree_hit    others in the caches
 * The hash gets its digests ready made; ours hashes, and verifies, inside the clock.
 */
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include "base/block.h"
#include "bench/bench.h"
#include "bench/suffix_tree.h"
#include "dns/dns_msg.h"
#include "dns/dns_name.h"
#include "fqdn/fqdn_table.h"
#include "list/list.h"

#define BATCH 256 // names made ready outside of the clock: their labels stay in the L2 cache
#define BULK  64  // names, and keys, asked for at once: the most that rte_hash takes
#define HITS  65536
#define TODAY 8931

// Names in wire form, one behind the other.
struct names {
	uint8_t *bytes;
	size_t size, room;
	unsigned n;
};

// What a batch asks, three times over.
struct batch {
	struct dns_labels labels[BATCH];
	struct fqdn_name names[BATCH];
	uint64_t digests[BATCH * 8];
	unsigned n, n_digests;
};

struct times {
	uint64_t ours, peer; // ns
	uint64_t names, suffixes, found_ours, found_peer;
};

struct built {
	struct fqdn_table *table;
	struct rte_hash *hash;
	struct suffix_tree *tree;
	unsigned n;
	uint64_t hash_refused;
	double ours_bytes, hash_bytes, tree_bytes; // per name
	double ours_build, hash_build, tree_build; // ns per name
};

static struct batch batch;

static void name_push(struct names *names, const uint8_t *name, unsigned size)
{
	// Room behind the last name, too: a message goes on behind most of its names.
	if (names->size + DNS_NAME_SIZE_MAX + UINT16_MAX > names->room) {
		names->room = names->room ? 2 * names->room : 1 << 20;
		names->bytes = realloc(names->bytes, names->room);
		if (!names->bytes)
			bench_die("names", strerror(ENOMEM));
	}
	memcpy(names->bytes + names->size, name, size);
	names->size += size;
	names->n++;
}

// One name a line; what stands behind a blank, and the dot of a subtree, do not count here.
static void names_read(const char *path, struct names *names)
{
	FILE *file = fopen(path, "r");
	char line[512];

	*names = (struct names){0};
	if (!file)
		bench_die(path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		const char *text = line + (line[0] == '.');
		uint8_t name[DNS_NAME_SIZE_MAX];
		int size = dns_name_parse(text, strcspn(text, " \r\n"), name);

		if (size < 0)
			bench_die(path, dns_name_error(size));
		name_push(names, name, (unsigned)size);
	}
	fclose(file);
	if (names->n == 0)
		bench_die(path, "no name in it");
}

// FNV-1a over the octets from a label on; its quality is no matter here, its cost is not counted.
static uint64_t digest(const uint8_t *name, const struct dns_labels *labels, unsigned label)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (const uint8_t *p = name + labels->at[label]; p < name + labels->size; p++)
		hash = (hash ^ *p) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

// As the walk over a message leaves it.
static struct fqdn_name name_ready(const struct dns_labels *labels)
{
	return (struct fqdn_name){.msg = labels->msg,
		.msg_size = UINT16_MAX, // more names stand behind this one
		.at = labels->at[0],
		.last = {labels->at[labels->n > 2 ? labels->n - 3 : 0],
			labels->at[labels->n > 1 ? labels->n - 2 : 0], labels->at[labels->n - 1]},
		.n = labels->n};
}

// The next names of @p names from @p at on, every @p every-th. @return where the one behind stands
static size_t batch_fill(const struct names *names, size_t at, unsigned every, bool suffixes)
{
	batch.n = batch.n_digests = 0;
	for (unsigned i = 0; at < names->size && batch.n < BATCH; i++) {
		const uint8_t *name = names->bytes + at;
		struct dns_labels *labels = &batch.labels[batch.n];

		dns_name_labels(name, labels);
		at += labels->size;
		if (i % every != 0)
			continue;
		batch.names[batch.n++] = name_ready(labels);
		for (unsigned l = 0; l == 0 || (suffixes && l + 1u < labels->n && l < 8); l++)
			batch.digests[batch.n_digests++] = digest(name, labels, l);
	}
	return at;
}

static void ours_ask(const struct built *built, struct times *times)
{
	uint64_t begun = bench_now_ns();

	for (unsigned at = 0; at < batch.n; at += BULK) {
		unsigned n = batch.n - at < BULK ? batch.n - at : BULK;
		struct fqdn_match match[BULK];

		times->found_ours += (uint64_t)__builtin_popcountll(
			fqdn_lookup_bulk(built->table, &batch.names[at], n, TODAY, match));
	}
	times->ours += bench_now_ns() - begun;
}

static void hash_ask(const struct built *built, struct times *times)
{
	uint64_t begun = bench_now_ns();

	for (unsigned at = 0; at < batch.n_digests; at += BULK) {
		unsigned n = batch.n_digests - at < BULK ? batch.n_digests - at : BULK;
		const void *keys[BULK];
		void *data[BULK];
		uint64_t mask = 0;

		for (unsigned i = 0; i < n; i++)
			keys[i] = &batch.digests[at + i];
		rte_hash_lookup_bulk_data(built->hash, keys, n, &mask, data);
		times->found_peer += (uint64_t)__builtin_popcountll(mask);
	}
	times->peer += bench_now_ns() - begun;
}

static void tree_ask(const struct built *built, struct times *times)
{
	uint64_t begun = bench_now_ns();

	for (unsigned i = 0; i < batch.n; i++)
		times->found_peer += suffix_tree_lookup(built->tree, &batch.labels[i]);
	times->peer += bench_now_ns() - begun;
}

typedef void asker(const struct built *built, struct times *times);

// Ours and one other, in turns.
static struct times names_ask(const struct built *built, asker *peer, const struct names *names,
	unsigned every, bool suffixes)
{
	struct times times = {0};

	for (size_t at = 0; at < names->size;) {
		at = batch_fill(names, at, every, suffixes);
		ours_ask(built, &times);
		peer(built, &times);
		times.names += batch.n;
		times.suffixes += batch.n_digests;
	}
	return times;
}

static void ours_build(const struct names *names, struct built *built)
{
	const struct fqdn_rule rule = {.last_day = LIST_DAY_LAST, .verdict = FQDN_BLOCK};
	uint64_t begun = bench_now_ns();
	struct fqdn_builder *builder = fqdn_builder_create();

	if (!builder)
		bench_die("fqdn_builder_create", strerror(ENOMEM));
	for (size_t at = 0; at < names->size;) {
		const uint8_t *name = names->bytes + at;
		size_t size = 1;

		for (const uint8_t *p = name; *p; p += *p + 1)
			size += *p + 1u;
		if (fqdn_builder_add(builder, name, (uint8_t)size, &rule) < 0)
			bench_die("fqdn_builder_add", strerror(ENOMEM));
		at += size;
	}
	built->table = fqdn_builder_finish(builder);
	if (!built->table)
		bench_die("fqdn_builder_finish", strerror(errno));
	fqdn_builder_destroy(builder);
	built->ours_build = (double)(bench_now_ns() - begun) / names->n;
	built->ours_bytes = (double)fqdn_table_worker_size(built->table) / names->n;
}

static size_t eal_allocated(void)
{
	struct rte_malloc_socket_stats stats;
	size_t sum = 0;

	for (int node = 0; node < RTE_MAX_NUMA_NODES; node++)
		if (rte_malloc_get_socket_stats(node, &stats) == 0)
			sum += stats.heap_allocsz_bytes;
	return sum;
}

static void hash_build(const struct names *names, struct built *built)
{
	const struct rte_hash_parameters parameters = {.name = "digests",
		.entries = names->n < 1024 ? 1024 : names->n,
		.key_len = sizeof(uint64_t),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY};
	size_t before = eal_allocated();
	uint64_t ns = 0, number = 0;

	built->hash = rte_hash_create(&parameters);
	if (!built->hash)
		bench_die("rte_hash_create", rte_strerror(rte_errno));
	for (size_t at = 0; at < names->size;) {
		uint64_t begun;

		at = batch_fill(names, at, 1, false);
		begun = bench_now_ns();
		for (unsigned i = 0; i < batch.n; i++)
			built->hash_refused += rte_hash_add_key_data(built->hash, &batch.digests[i],
						       (void *)(uintptr_t)++number) < 0;
		ns += bench_now_ns() - begun;
	}
	built->hash_build = (double)ns / names->n;
	built->hash_bytes = (double)(eal_allocated() - before) / names->n;
}

static void tree_build(const struct names *names, struct built *built)
{
	struct mallinfo2 before = mallinfo2(), after;
	uint64_t ns = 0;

	built->tree = suffix_tree_create();
	for (size_t at = 0; built->tree && at < names->size;) {
		uint64_t begun;

		at = batch_fill(names, at, 1, false);
		begun = bench_now_ns();
		for (unsigned i = 0; i < batch.n; i++)
			if (suffix_tree_add(built->tree, &batch.labels[i]) < 0)
				bench_die("suffix_tree_add", strerror(ENOMEM));
		ns += bench_now_ns() - begun;
	}
	after = mallinfo2();
	built->tree_build = (double)ns / names->n;
	built->tree_bytes = (double)(after.uordblks - before.uordblks) / names->n;
}

static size_t huge_free(void)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned long pages = 0;

	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages << 21;
}

// @return whether there are huge pages. The hash needs some 64 bytes a name, rounded up to powers.
static bool eal_start(unsigned names)
{
	size_t need = (size_t)names * 128 + (64u << 20);
	bool huge = huge_free() >= need;
	char cpu[16], memory[16], prefix[48];
	char *argv[] = {(char[]){"bench_lookup"}, (char[]){"-l"}, cpu, (char[]){"-m"}, memory,
		(char[]){"--no-pci"}, (char[]){"--no-shconf"}, (char[]){"--no-telemetry"},
		(char[]){"--log-level=error"}, prefix,
		huge ? (char[]){"--huge-unlink"} : (char[]){"--no-huge"}};
	cpu_set_t set;
	int last = 0;

	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			last = i;
	snprintf(cpu, sizeof(cpu), "%d", last);
	snprintf(memory, sizeof(memory), "%zu", need >> 20);
	snprintf(prefix, sizeof(prefix), "--file-prefix=bench%d", (int)getpid());
	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) < 0)
		bench_die("rte_eal_init", rte_strerror(rte_errno));
	return huge;
}

struct pair {
	struct times miss, hit;
};

// @param refused listed names that the other one does not have
static struct pair pair_do(const struct built *built, asker *peer, const struct names *listed,
	const struct names *queries, uint64_t refused)
{
	const struct pair pair = {names_ask(built, peer, queries, 1, true),
		names_ask(built, peer, listed, listed->n <= HITS ? 1 : listed->n / HITS, false)};

	if (pair.miss.found_ours > 0 || pair.hit.found_ours != pair.hit.names)
		bench_die("fqdn", "a wrong answer");
	if (pair.hit.found_peer + refused < pair.hit.names)
		bench_die("peer", "a wrong answer");
	return pair;
}

static double each(uint64_t ns, uint64_t n)
{
	return (double)ns / (double)n;
}

static void round_do(const struct built *built, const struct names *listed,
	const struct names *queries, bool huge)
{
	struct pair pair = pair_do(built, hash_ask, listed, queries, built->hash_refused);

	printf("{\"names\": %u, \"huge\": %s, \"ours_miss\": %.3f, \"hash_miss\": %.3f, "
	       "\"ours_name\": %.3f, \"ours_hit\": %.3f, \"hash_hit\": %.3f, "
	       "\"suffixes_per_name\": %.3f, \"hash_refused\": %llu",
		built->n, huge ? "true" : "false", each(pair.miss.ours, pair.miss.suffixes),
		each(pair.miss.peer, pair.miss.suffixes), each(pair.miss.ours, pair.miss.names),
		each(pair.hit.ours, pair.hit.names), each(pair.hit.peer, pair.hit.names),
		each(pair.miss.suffixes, pair.miss.names), (unsigned long long)built->hash_refused);
	printf(", \"ours_bytes\": %.2f, \"hash_bytes\": %.2f, \"ours_build\": %.1f, "
	       "\"hash_build\": %.1f",
		built->ours_bytes, built->hash_bytes, built->ours_build, built->hash_build);
	if (built->tree) {
		pair = pair_do(built, tree_ask, listed, queries, 0);
		if (pair.miss.found_peer > 0)
			bench_die("suffix_tree", "a wrong answer");
		printf(", \"ours_beside_tree_miss\": %.3f, \"tree_miss\": %.3f, "
		       "\"ours_beside_tree_hit\": %.3f, \"tree_hit\": %.3f, "
		       "\"tree_bytes\": %.2f, \"tree_build\": %.1f",
			each(pair.miss.ours, pair.miss.suffixes),
			each(pair.miss.peer, pair.miss.suffixes),
			each(pair.hit.ours, pair.hit.names), each(pair.hit.peer, pair.hit.names),
			built->tree_bytes, built->tree_build);
	}
	puts("}");
}

int main(int argc, char **argv)
{
	struct bench_options options;
	struct names listed, queries;
	struct built built = {0};
	int word = bench_options_parse(argc, argv, &options, 2, "[--tree] NAMES.txt QUERIES.txt");
	bool huge;

	names_read(argv[word], &listed);
	names_read(argv[word + 1], &queries);
	built.n = listed.n;
	huge = eal_start(listed.n);
	ours_build(&listed, &built);
	hash_build(&listed, &built);
	if (options.tree)
		tree_build(&listed, &built);
	for (unsigned i = 0; bench_round(&options, i); i++)
		round_do(&built, &listed, &queries, huge);
	suffix_tree_destroy(built.tree);
	rte_hash_free(built.hash);
	block_free(built.table, fqdn_table_size(built.table));
	rte_eal_cleanup();
	free(listed.bytes);
	free(queries.bytes);
	return 0;
}
