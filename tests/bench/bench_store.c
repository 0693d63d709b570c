/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log store with a day of records: names by a Zipf distribution and names that nobody asks twice
 * for, clients cut to /22, a few responses that were changed. Prints a JSON object a line: what was
 * taken in a second, octets a record, and how long questions take; nothing is asserted.
 */
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "dns/dns_name.h"
#include "list/list.h"
#include "store/store.h"
#include "support/random.h"

#define BATCH         1000
#define COMMIT_EVERY  300000 // records; a second at the rate that is wanted
#define FILTERED_EACH 250000 // one in so many

static const char usage[] =
	"Usage: bench_store [--records N] [--names N] [--rare PERCENT] [--query-only] FOLDER\n";

static struct {
	uint64_t records;
	uint32_t names;
	unsigned rare; // of a thousand
	bool query_only;
	const char *folder;
} options = {.records = 5000000, .names = 1000000, .rare = 30};

// Rank of a name by a Zipf distribution with exponent 1, by its inverse: n^u.
static uint32_t zipf(uint64_t *seed, double log_n)
{
	double u = (double)(random_next(seed) >> 11) / (double)(1ull << 53);

	return (uint32_t)exp(u * log_n) - 1;
}

// "www.s123.d45.com": the many hosts of few domains.
static uint8_t name_make(uint32_t rank, uint32_t rare, uint8_t name[DNS_NAME_SIZE_MAX])
{
	static const char *const hosts[] = {
		"www", "api", "cdn", "img", "mail", "static", "m", "app"};
	static const char *const tops[] = {"com", "net", "org", "jp", "co.jp", "de", "example"};
	uint32_t mixed = rank * 2654435761u;
	char text[96];
	int size;

	if (rare)
		snprintf(text, sizeof(text), "%08x%04x.d%u.%s", rare * 2246822519u, rare & 0xffff,
			rare % 5000, tops[rare % 7]);
	else
		snprintf(text, sizeof(text), "%s.s%x.d%u.%s", hosts[mixed >> 29],
			mixed >> 8 & 0xfff, rank / 16, tops[rank / 16 % 7]);
	size = dns_name_parse(text, strlen(text), name);
	if (size < 0)
		bench_die(text, "is no name");
	return (uint8_t)size;
}

struct feed {
	uint64_t seed, made;
	double log_n;
	uint8_t (*names)[64];
	uint8_t *sizes;
	uint8_t rare[BATCH][DNS_NAME_SIZE_MAX];
	int64_t from_ms;
};

static void record_make(struct feed *feed, struct store_record *r, unsigned i)
{
	static const uint16_t types[] = {1, 1, 1, 1, 1, 28, 28, 28, 65, 65, 12, 16};
	uint32_t rank = zipf(&feed->seed, feed->log_n);
	uint32_t address = 0x0a000000 + (random_below(&feed->seed, 4000) << 10);
	bool rare = random_below(&feed->seed, 1000) < options.rare;

	*r = (struct store_record){
		.time_ms = feed->from_ms +
			   (int64_t)((double)feed->made / (double)options.records * 86400000.0),
		.type = types[random_below(&feed->seed, 12)],
		.rcode = rare || random_below(&feed->seed, 20) == 0 ? 3 : 0,
		.client = {.addr = {.family = ADDR_IPV4}, .length = 22},
	};
	r->filtered = random_below(&feed->seed, FILTERED_EACH) == 0;
	for (unsigned b = 0; b < 4; b++)
		r->client.addr.bytes[b] = (uint8_t)(address >> (24 - 8 * b));
	r->name = rare ? feed->rare[i] : feed->names[rank];
	r->name_size =
		rare ? name_make(0, (uint32_t)feed->made + 1, feed->rare[i]) : feed->sizes[rank];
	if (r->filtered) {
		r->client.length = 32;
		r->list = "c2";
		r->id = "EXAMPLE-20261122-0001";
		r->action = "sinkhole";
		r->verdict = "rewritten";
		r->generation = 1;
	}
	feed->made++;
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double process_seconds(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void feed_names(struct feed *feed)
{
	uint8_t name[DNS_NAME_SIZE_MAX];

	feed->names = malloc((size_t)options.names * sizeof(*feed->names));
	feed->sizes = malloc(options.names);
	if (!feed->names || !feed->sizes)
		bench_die("names", "no memory");
	for (uint32_t i = 0; i < options.names; i++) {
		feed->sizes[i] = name_make(i, 0, name);
		memcpy(feed->names[i], name, feed->sizes[i]);
	}
}

static void ingest(int64_t from_ms)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	struct store_record *records = calloc(BATCH, sizeof(*records));
	double took = 0, began, wall = (double)bench_now_ns(), all = process_seconds();
	double making = 0;
	struct store *store;

	if (!feed || !records ||
		store_open(options.folder, &(struct store_options){.mode = STORE_WRITE}, &store) !=
			0)
		bench_die(options.folder, "cannot be opened");
	*feed = (struct feed){.seed = RANDOM_SEED, .log_n = log(options.names), .from_ms = from_ms};
	feed_names(feed);
	wall = (double)bench_now_ns();
	all = process_seconds();
	while (feed->made < options.records) {
		began = cpu_seconds();
		for (unsigned i = 0; i < BATCH; i++)
			record_make(feed, &records[i], i);
		making += cpu_seconds() - began;
		began = cpu_seconds();
		if (store_append(store, &(struct store_batch){.start = 1,
						.last_seq = feed->made,
						.records = records,
						.n = BATCH}) != 0)
			bench_die(options.folder, "cannot be written");
		if (feed->made % COMMIT_EVERY == 0 && store_commit(store) != 0)
			bench_die(options.folder, "cannot be committed");
		took += cpu_seconds() - began;
	}
	began = cpu_seconds();
	if (store_close(store) != 0)
		bench_die(options.folder, "cannot be closed");
	took += cpu_seconds() - began;
	wall = ((double)bench_now_ns() - wall) / 1e9;
	all = process_seconds() - all - making;
	printf("{\"ingest\":\"thread\",\"records_per_cpu_s\":%.0f}\n", (double)feed->made / took);
	printf("{\"ingest\":\"all threads\",\"records_per_cpu_s\":%.0f}\n",
		(double)feed->made / all);
	printf("{\"ingest\":\"wall\",\"records_per_s\":%.0f,\"making_share\":%.2f}\n",
		(double)feed->made / wall, making / wall);
	free(feed->names);
	free(feed->sizes);
	free(feed);
	free(records);
}

static int count(void *ctx, const struct store_record *record)
{
	++*(uint64_t *)ctx;
	return 0;
}

static void ask(const char *what, const char *text, enum store_scope scope, enum store_order order,
	const char *client)
{
	struct store_question q = {.scope = scope, .order = order, .rcode = -1, .type = -1};
	uint8_t name[DNS_NAME_SIZE_MAX];
	uint64_t n = 0, began = bench_now_ns();
	struct store *store;
	double opened;

	if (text) {
		q.name = name;
		q.name_size = (uint8_t)dns_name_parse(text, strlen(text), name);
	}
	if (client)
		prefix_parse(client, &q.client);
	if (store_open(options.folder, &(struct store_options){.mode = STORE_READ}, &store) != 0)
		bench_die(options.folder, "cannot be opened");
	opened = (double)(bench_now_ns() - began) / 1e9;
	if (store_query(store, &q, &(struct store_visitor){.ctx = &n, .visit = count}) != 0)
		bench_die(options.folder, "cannot be asked");
	printf("{\"question\":\"%s\",\"name\":\"%s\",\"found\":%llu,\"seconds\":%.3f,\"opened\":%."
	       "3f}\n",
		what, text ? text : "", (unsigned long long)n,
		(double)(bench_now_ns() - began) / 1e9, opened);
	fflush(stdout);
	store_close(store);
}

static void name_text(uint32_t rank, char text[DNS_NAME_TEXT_SIZE])
{
	uint8_t name[DNS_NAME_SIZE_MAX];

	name_make(rank, 0, name);
	dns_name_format(name, text);
}

static void questions(void)
{
	static const uint32_t ranks[] = {0, 10, 1000, 100000};
	char text[DNS_NAME_TEXT_SIZE];

	for (unsigned i = 0; i < 4; i++) {
		name_text(ranks[i], text);
		ask("name", text, STORE_EXACT, STORE_BY_TIME, NULL);
	}
	ask("name that is not there", "no.such.name.example", STORE_EXACT, STORE_BY_TIME, NULL);
	for (unsigned i = 0; i < 4; i++) {
		name_text(ranks[i], text);
		ask("subtree", strchr(strchr(text, '.') + 1, '.') + 1, STORE_SUBTREE, STORE_BY_TIME,
			NULL);
	}
	ask("client", NULL, STORE_ANY_NAME, STORE_BY_NAME, "10.0.4.0/22");
	ask("everything by name", NULL, STORE_ANY_NAME, STORE_BY_NAME, NULL);
}

static void sizes(void)
{
	struct store_day *days;
	struct store *store;
	int n;

	if (store_open(options.folder, &(struct store_options){.mode = STORE_READ}, &store) != 0)
		bench_die(options.folder, "cannot be opened");
	n = store_days(store, &days);
	for (int i = 0; i < n; i++)
		printf("{\"log_records\":%llu,\"log_bytes\":%llu,\"bytes_per_record\":%.2f,"
		       "\"filtered_records\":%llu,\"filtered_bytes\":%llu}\n",
			(unsigned long long)days[i].records[0],
			(unsigned long long)days[i].bytes[0],
			(double)days[i].bytes[0] / (double)(days[i].records[0] + 1),
			(unsigned long long)days[i].records[1],
			(unsigned long long)days[i].bytes[1]);
	free(days);
	store_close(store);
}

static void options_read(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"records", required_argument, NULL, 'r'},
		{"names", required_argument, NULL, 'n'},
		{"rare", required_argument, NULL, 'R'},
		{"query-only", no_argument, NULL, 'q'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'r')
			options.records = strtoull(optarg, NULL, 10) / BATCH * BATCH;
		else if (option == 'n')
			options.names = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'R')
			options.rare = (unsigned)strtoul(optarg, NULL, 10) * 10;
		else if (option == 'q')
			options.query_only = true;
		else
			exit((fputs(usage, stderr), 2));
	}
	if (optind + 1 != argc || options.records == 0 || options.names < 200000)
		exit((fputs(usage, stderr), 2));
	options.folder = argv[optind];
}

int main(int argc, char **argv)
{
	options_read(argc, argv);
	setenv("TZ", "UTC", 1);
	tzset();
	if (!options.query_only)
		ingest(store_day_start_ms((uint16_t)list_day_parse("2026-11-22", 10)));
	sizes();
	questions();
	return 0;
}
