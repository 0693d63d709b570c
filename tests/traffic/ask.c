/* SPDX-License-Identifier: BSD-3-Clause */
// traffic ask: asks a file of queries and holds every answer against what comes without the box.
#include "traffic/ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "traffic/traffic.h"

#define USAGE                                                                                     \
	"ask --server ADDRESS --queries FILE --record FILE | --expect FILE [OPTION...]\n"         \
	"  FILE of queries: a line each, NAME TYPE [listed]\n"                                    \
	"  --port N --from ADDRESS[,...] --edns SIZE --window N\n"                                \
	"  --sink4 ADDRESS --sink6 ADDRESS --ttl-max SECONDS   what listed names' answers have\n" \
	"  --tcp CONNECTIONS --rounds N --pause MS --limit MS   over TCP\n"                       \
	"  --wait MS --tries N                                  over UDP"
#define LINE_SIZE 320
#define TOLD_MAX  5

static bool address_parse(const char *text, struct sockaddr_storage *a)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)a;

	*a = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		a->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		a->ss_family = AF_INET6;
	return a->ss_family != 0;
}

static bool sources_parse(char *text, struct ask *ask)
{
	char *word;

	while ((word = strsep(&text, ",")) != NULL) {
		if (ask->n_sources == ASK_SOURCES_MAX ||
			!address_parse(word, &ask->sources[ask->n_sources++]))
			return false;
	}
	return true;
}

static int query_add(struct ask *ask, const char *name, const char *type, const char *listed)
{
	uint8_t room[MESSAGE_QUERY_MAX];
	struct ask_query *q, *more;

	// One more than a power of two: room for as many again.
	if ((ask->n & (ask->n - 1)) == 0) {
		more = reallocarray(ask->queries, ask->n ? ask->n * 2 : 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		ask->queries = more;
	}
	q = &ask->queries[ask->n];
	*q = (struct ask_query){
		.type = message_type(type), .listed = strcmp(listed, "listed") == 0};
	if (q->type == 0 || message_query(name, q->type, 0, 0, room) < 0)
		return -EINVAL;
	q->name = strdup(name);
	ask->n += q->name != NULL;
	return q->name ? 0 : -ENOMEM;
}

static int queries_read(const char *path, struct ask *ask)
{
	FILE *f = fopen(path, "re");
	char line[LINE_SIZE], name[256], type[16], listed[16];
	unsigned number = 0;
	int r = 0;

	if (!f) {
		fprintf(stderr, "traffic: %s: %s\n", path, strerror(errno));
		return -errno;
	}
	while (r == 0 && fgets(line, sizeof(line), f)) {
		number++;
		listed[0] = '\0';
		if (sscanf(line, "%255s %15s %15s", name, type, listed) < 2)
			r = -EINVAL;
		else
			r = query_add(ask, name, type, listed);
	}
	fclose(f);
	if (r < 0)
		fprintf(stderr, "traffic: %s:%u: expected NAME TYPE [listed]\n", path, number);
	else if (ask->n == 0)
		fprintf(stderr, "traffic: %s: no queries\n", path);
	return r < 0 ? r : ask->n == 0 ? -EINVAL : 0;
}

static int expected_read(const char *path, struct ask *ask)
{
	FILE *f = fopen(path, "re");
	bool good = f != NULL;

	for (unsigned i = 0; i < ask->n && good; i++) {
		struct ask_query *q = &ask->queries[i];

		good = fread(&q->wanted_size, sizeof(q->wanted_size), 1, f) == 1 &&
		       q->wanted_size >= MESSAGE_HEADER && q->wanted_size <= MESSAGE_SIZE_MAX;
		q->wanted = good ? malloc(q->wanted_size) : NULL;
		good = q->wanted && fread(q->wanted, q->wanted_size, 1, f) == 1;
	}
	if (f)
		fclose(f);
	if (!good)
		fprintf(stderr, "traffic: %s: no record of the answers to these queries\n", path);
	return good ? 0 : -EINVAL;
}

static int expected_write(const char *path, const struct ask *ask)
{
	FILE *f = fopen(path, "we");
	bool good = f != NULL;

	for (unsigned i = 0; i < ask->n && good; i++) {
		const struct ask_query *q = &ask->queries[i];

		good = q->wanted && fwrite(&q->wanted_size, sizeof(q->wanted_size), 1, f) == 1 &&
		       fwrite(q->wanted, q->wanted_size, 1, f) == 1;
	}
	if (f && fclose(f) != 0)
		good = false;
	if (!good)
		fprintf(stderr, "traffic: %s: not every answer could be written\n", path);
	return good ? 0 : -EIO;
}

static void tell(struct ask *ask, const struct ask_query *q, const char *what)
{
	if (ask->told++ < TOLD_MAX)
		fprintf(stderr, "%s, type %u: %s\n", q->name, q->type, what);
}

void ask_take(struct ask *ask, unsigned i, const uint8_t *answer, size_t size, uint64_t ms)
{
	static const char *const words[] = {
		"right", "not the answer expected", "an address leaked"};
	struct ask_query *q = &ask->queries[i];
	enum message_verdict verdict = MESSAGE_RIGHT;

	if (ms > ask->counts.longest_ms)
		ask->counts.longest_ms = ms;
	if (ask->record && !q->wanted) {
		q->wanted = malloc(size);
		q->wanted_size = (uint32_t)size;
		if (q->wanted)
			memcpy(q->wanted, answer, size);
	} else if (!ask->record) {
		verdict = message_judge(q->wanted, q->wanted_size,
			q->listed && ask->sinks ? &ask->sink : NULL, answer, size);
	}
	ask->counts.verdicts[verdict]++;
	if (verdict != MESSAGE_RIGHT)
		tell(ask, q, words[verdict]);
}

static int summary(const struct ask *ask)
{
	const struct ask_counts *c = &ask->counts;

	printf("asked=%llu right=%llu wrong=%llu leaked=%llu unanswered=%llu again=%llu "
	       "resets=%llu "
	       "stalls=%llu most=%llu longest_ms=%llu\n",
		(unsigned long long)c->asked, (unsigned long long)c->verdicts[MESSAGE_RIGHT],
		(unsigned long long)c->verdicts[MESSAGE_WRONG],
		(unsigned long long)c->verdicts[MESSAGE_LEAKED], (unsigned long long)c->unanswered,
		(unsigned long long)c->again, (unsigned long long)c->resets,
		(unsigned long long)c->stalls, (unsigned long long)c->most,
		(unsigned long long)c->longest_ms);
	return c->verdicts[MESSAGE_WRONG] + c->verdicts[MESSAGE_LEAKED] + c->unanswered +
			       c->resets + c->stalls
		       ? 1
		       : 0;
}

static void descriptors_raise(unsigned wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		fprintf(stderr, "traffic: no more than %llu sockets: %s\n",
			(unsigned long long)limit.rlim_max, strerror(errno));
}

struct files {
	const char *queries, *record, *expect;
};

static const struct option options[] = {{"server", 1, NULL, 's'}, {"port", 1, NULL, 'p'},
	{"queries", 1, NULL, 'q'}, {"record", 1, NULL, 'r'}, {"expect", 1, NULL, 'e'},
	{"from", 1, NULL, 'f'}, {"edns", 1, NULL, 'E'}, {"window", 1, NULL, 'w'},
	{"sink4", 1, NULL, '4'}, {"sink6", 1, NULL, '6'}, {"ttl-max", 1, NULL, 't'},
	{"tcp", 1, NULL, 'T'}, {"rounds", 1, NULL, 'R'}, {"pause", 1, NULL, 'P'},
	{"limit", 1, NULL, 'l'}, {"wait", 1, NULL, 'W'}, {"tries", 1, NULL, 'n'}, {0}};

static bool number_take(struct ask *ask, int option, const char *text, uint16_t *port)
{
	const struct {
		int option;
		unsigned *to, min, max;
	} numbers[] = {{'w', &ask->window, 1, 4096}, {'t', &ask->sink.ttl_max, 0, INT32_MAX},
		{'T', &ask->connections, 1, ASK_CONNECTIONS_MAX}, {'R', &ask->rounds, 1, 1000},
		{'P', &ask->pause_ms, 0, 600000}, {'l', &ask->limit_ms, 1, 600000},
		{'W', &ask->wait_ms, 1, 60000}, {'n', &ask->tries, 1, 1000}};
	uint64_t value;

	if (!traffic_number(text, INT32_MAX, &value))
		return false;
	if (option == 'p' || option == 'E') {
		*(option == 'p' ? port : &ask->edns) = (uint16_t)value;
		return value <= UINT16_MAX;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i].option == option) {
			*numbers[i].to = (unsigned)value;
			return value >= numbers[i].min && value <= numbers[i].max;
		}
	}
	return false;
}

static bool option_take(
	struct ask *ask, int option, char *text, struct files *files, uint16_t *port)
{
	switch (option) {
	case 's':
		return address_parse(text, &ask->server);
	case 'f':
		return sources_parse(text, ask);
	case 'q':
		files->queries = text;
		return true;
	case 'r':
		files->record = text;
		ask->record = true;
		return true;
	case 'e':
		files->expect = text;
		return true;
	case '4':
		ask->sinks = true;
		return inet_pton(AF_INET, text, ask->sink.ipv4) == 1;
	case '6':
		ask->sinks = true;
		return inet_pton(AF_INET6, text, ask->sink.ipv6) == 1;
	default:
		return number_take(ask, option, text, port);
	}
}

static int ask_run(struct ask *ask, const struct files *files)
{
	int r = queries_read(files->queries, ask);

	if (r == 0 && files->expect)
		r = expected_read(files->expect, ask);
	if (r < 0)
		return 2;
	descriptors_raise(ask->connections + 64);
	r = ask->connections ? ask_tcp(ask) : ask_udp(ask);
	if (r < 0) {
		fprintf(stderr, "traffic: ask: %s\n", strerror(-r));
		return 1;
	}
	if (files->record && expected_write(files->record, ask) < 0)
		return 1;
	return summary(ask);
}

int traffic_ask(int argc, char **argv)
{
	struct ask ask = {.window = 16,
		.rounds = 1,
		.wait_ms = 1000,
		.tries = 10,
		.limit_ms = 20000,
		.sink.ttl_max = INT32_MAX};
	struct files files = {0};
	uint16_t port = 53;
	int o, status;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == '?' || !option_take(&ask, o, optarg, &files, &port))
			return traffic_usage(USAGE);
	}
	if (optind != argc || !ask.server.ss_family || !files.queries ||
		!files.record == !files.expect)
		return traffic_usage(USAGE);
	// The same place in both families.
	((struct sockaddr_in *)&ask.server)->sin_port = htons(port);
	status = ask_run(&ask, &files);
	for (unsigned i = 0; i < ask.n; i++) {
		free(ask.queries[i].name);
		free(ask.queries[i].wanted);
	}
	free(ask.queries);
	return status;
}
