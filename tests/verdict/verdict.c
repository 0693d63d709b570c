/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wrong answers are impossible: names by the million, random ones and such as are made to deceive,
 * go through the stages of lib/pipeline in real frames, and each verdict is held against that of a
 * slow matcher of another make (reference.c).
 *
 *   verdict [--jobs N] [COUNT]
 *
 * Asks COUNT names (300,000), on as many CPUs as there are. Prints a TAP line for each class of
 * names (classes.c), and up to three wrong verdicts of a class on stderr. The same COUNT asks the
 * same names.
 */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/pipeline_private.h"
#include "support/random.h"
#include "verdict/classes.h"
#include "verdict/message.h"

#define CHUNK       500 // names of one class asked in a row
#define JOBS_MAX    64
#define WRONG_SHOWN 3

struct counts {
	uint64_t names, messages, wrong;
	uint64_t reasons[REASON_COUNT];
};

// What a job came to, in memory that all share.
struct job {
	struct counts by_class[32];
	uint64_t miscounted;
};

struct expected {
	struct reference_choice block, log, allow;
	const struct name *match; // that decided; NULL: none
	enum reason reason;
};

static struct {
	struct corpus corpus;
	struct burst burst;
	struct message messages[BURST_MAX];
	uint8_t *frames[BURST_MAX]; // each frame ends where its buffer does
	struct pipeline_tables tables;
	struct stats_worker stats;
} run;

// What all names of a message come to: the list that comes first, and of one list the first name.
static void expect(const struct message *m, struct expected *e)
{
	const struct name *block = NULL, *log = NULL;

	memset(e, 0, sizeof(*e));
	for (unsigned i = 0; i < m->n_names; i++) {
		struct reference_found found;

		reference_lookup(
			run.corpus.entries, run.corpus.n, &m->names[i], run.tables.today, &found);
		if (found.suppressed && !e->allow.text)
			e->allow = found.by[FQDN_ALLOW];
		if (found.by[FQDN_BLOCK].text &&
			(!block || found.by[FQDN_BLOCK].list < e->block.list)) {
			e->block = found.by[FQDN_BLOCK];
			block = &m->names[i];
		}
		if (found.by[FQDN_LOG].text && (!log || found.by[FQDN_LOG].list < e->log.list)) {
			e->log = found.by[FQDN_LOG];
			log = &m->names[i];
		}
	}
	e->match = block ? block : log;
	e->reason = block           ? REASON_rewritten
		    : log           ? REASON_logged
		    : e->allow.text ? REASON_allowed
				    : REASON_miss;
}

static bool agrees(const struct reference_choice *choice, const struct fqdn_rule *rule)
{
	return reference_agrees(run.corpus.entries, run.corpus.n, choice, run.tables.today, rule);
}

// The name that is said to have decided is the one that did.
static bool match_right(const struct burst_slot *slot, const struct name *wanted)
{
	char text[2][NAME_TEXT_SIZE];
	uint16_t start[NAME_LABELS];
	struct name name;

	if (!wanted)
		return true;
	if (!message_name(slot->frame + slot->msg, slot->msg_size, slot->match, &name))
		return false;
	name_text(&name, text[0], start);
	name_text(wanted, text[1], start);
	return strcmp(text[0], text[1]) == 0;
}

static bool is_right(const struct burst_slot *slot, const struct message *m, struct expected *e)
{
	uint8_t address[4] = {203, 0, 113, 9};

	expect(m, e);
	if (e->block.text) {
		memcpy(address, "\xc0\x00\x02", 3);
		address[3] = (uint8_t)(e->block.list + 1);
	}
	return slot->reason == e->reason && agrees(&e->block, slot->block) &&
	       agrees(&e->log, slot->log) && agrees(&e->allow, slot->allow) &&
	       match_right(slot, e->match) &&
	       memcmp(slot->frame + m->address_at, address, sizeof(address)) == 0;
}

static void choice_show(
	const char *what, const struct reference_choice *choice, const struct fqdn_rule *rule)
{
	if (!choice->text && !rule)
		return;
	fprintf(stderr, "; %s: expected ", what);
	if (choice->text)
		fprintf(stderr, "list %u \"%s\"", choice->list, choice->text);
	else
		fprintf(stderr, "none");
	if (rule)
		fprintf(stderr, ", got list %u, scope %u, days %u to %u", rule->list, rule->scope,
			rule->first_day, rule->last_day);
	else
		fprintf(stderr, ", got none");
}

static void wrong_show(const struct class *class, const struct burst_slot *slot,
	const struct message *m, const struct expected *e)
{
	char text[NAME_TEXT_SIZE];
	uint16_t start[NAME_LABELS];

	fprintf(stderr, "wrong: %s: day %u:", class->what, run.tables.today);
	for (unsigned i = 0; i < m->n_names; i++) {
		name_text(&m->names[i], text, start);
		fprintf(stderr, " \"%s\"", text);
	}
	fprintf(stderr, ": expected %s, got %s", reason_name(e->reason), reason_name(slot->reason));
	choice_show("block", &e->block, slot->block);
	choice_show("log", &e->log, slot->log);
	choice_show("allow", &e->allow, slot->allow);
	if (!match_right(slot, e->match))
		fprintf(stderr, "; the name at %u did not decide", slot->match);
	fputc('\n', stderr);
}

// Names for a burst. @return names made
static unsigned burst_make(const struct class *class, struct cursor *cursor, unsigned left)
{
	unsigned made = 0;
	// A chain of aliases now and then, or nothing else: more names than are looked up at a time.
	uint32_t one_in = random_below(&cursor->random, 8) ? 16 : 1;

	run.burst.n = 0;
	run.burst.side = BURST_FROM_RESOLVERS;
	while (run.burst.n < BURST_MAX && made < left) {
		struct message *m = &run.messages[run.burst.n];
		struct burst_slot *slot = &run.burst.slot[run.burst.n];

		m->n_names = random_below(&cursor->random, one_in) ? 1 : MESSAGE_NAMES;
		for (unsigned i = 0; i < m->n_names;)
			i += class->make(cursor, &m->names[i]);
		made += m->n_names;
		message_make(m, &cursor->random);
		slot->frame = run.frames[run.burst.n++] + MESSAGE_ROOM - m->size;
		slot->frame_size = m->size;
		memcpy(slot->frame, m->frame, m->size);
	}
	run.tables.today =
		(uint16_t)(CORPUS_DAY_FIRST + random_below(&cursor->random, CORPUS_DAYS));
	return made;
}

// As a worker does it, half of the time; else in a way that other CPUs and odd messages take.
static void burst_match(uint64_t *random)
{
	uint32_t way = random_below(random, 4);

	if (way == 0)
		pipeline_match_plain(&run.burst, &run.tables);
	else if (way == 1)
		pipeline_match_slow(&run.burst, &run.tables);
	else
		pipeline_match(&run.burst, &run.tables);
}

static void burst_judge(const struct class *class, struct cursor *cursor, struct counts *counts)
{
	pipeline_parse(&run.burst, &run.tables);
	pipeline_consent(&run.burst, &run.tables);
	burst_match(&cursor->random);
	pipeline_fit(&run.burst, &run.tables);
	pipeline_rewrite(&run.burst, &run.tables, &run.stats);
	pipeline_count(&run.burst, &run.tables, &run.stats);
	for (unsigned i = 0; i < run.burst.n; i++) {
		struct expected e;

		counts->messages++;
		if (!is_right(&run.burst.slot[i], &run.messages[i], &e) &&
			counts->wrong++ < WRONG_SHOWN)
			wrong_show(class, &run.burst.slot[i], &run.messages[i], &e);
		counts->reasons[e.reason]++;
	}
}

// Classes take turns by their shares. The names of a chunk are the same, whoever asks them.
static void chunk_ask(uint64_t number, unsigned names, struct job *job)
{
	struct cursor cursor = {.corpus = &run.corpus, .random = (number + 1) * RANDOM_SEED};
	unsigned class = 0, turn = (unsigned)(number * 37 % 100);

	while (turn >= classes[class].share)
		turn -= classes[class ++].share;
	for (unsigned asked = 0; asked < names;) {
		unsigned made = burst_make(&classes[class], &cursor, names - asked);

		job->by_class[class].names += made;
		asked += made;
		burst_judge(&classes[class], &cursor, &job->by_class[class]);
	}
}

static void job_do(unsigned number, unsigned n_jobs, uint64_t count, struct job *job)
{
	uint64_t expected[REASON_COUNT] = {0};

	run.tables = *run.corpus.pipeline;
	for (unsigned i = 0; i < BURST_MAX; i++) {
		message_init(&run.messages[i]);
		run.frames[i] = malloc(MESSAGE_ROOM);
		if (!run.frames[i])
			abort();
	}
	for (uint64_t i = number; i * CHUNK < count; i += n_jobs)
		chunk_ask(
			i, count - i * CHUNK < CHUNK ? (unsigned)(count - i * CHUNK) : CHUNK, job);
	for (unsigned i = 0; i < n_classes; i++)
		for (unsigned reason = 0; reason < REASON_COUNT; reason++)
			expected[reason] += job->by_class[i].reasons[reason];
	for (unsigned reason = 0; reason < REASON_COUNT; reason++)
		job->miscounted += expected[reason] != run.stats.verdicts[reason];
}

// @return whether all of them ended well
static bool jobs_run(unsigned n_jobs, uint64_t count, struct job *jobs)
{
	bool good = true;
	int status;

	fflush(stdout);
	for (unsigned i = 0; i < n_jobs; i++) {
		pid_t pid = fork();

		if (pid < 0)
			abort();
		if (pid == 0) {
			job_do(i, n_jobs, count, &jobs[i]);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		good &= status == 0;
	return good;
}

static bool class_report(
	unsigned number, const struct job *jobs, unsigned n_jobs, struct counts *all)
{
	const struct class *class = &classes[number];
	struct counts sum = {0};
	bool good;

	for (unsigned i = 0; i < n_jobs; i++) {
		const struct counts *counts = &jobs[i].by_class[number];

		sum.names += counts->names;
		sum.messages += counts->messages;
		sum.wrong += counts->wrong;
		for (unsigned reason = 0; reason < REASON_COUNT; reason++)
			sum.reasons[reason] += counts->reasons[reason];
	}
	all->names += sum.names;
	all->messages += sum.messages;
	all->wrong += sum.wrong;
	good = sum.wrong == 0 && sum.names > 0 &&
	       (!class->filtered || sum.reasons[REASON_rewritten] > 0);
	printf("%sok %u - %s: %llu names: %llu responses filtered, %llu logged, %llu exempted, "
	       "%llu passed, %llu wrong\n",
		good ? "" : "not ", number + 1, class->what, (unsigned long long)sum.names,
		(unsigned long long)sum.reasons[REASON_rewritten],
		(unsigned long long)sum.reasons[REASON_logged],
		(unsigned long long)sum.reasons[REASON_allowed],
		(unsigned long long)sum.reasons[REASON_miss], (unsigned long long)sum.wrong);
	return good;
}

static bool report(const struct job *jobs, unsigned n_jobs, bool ended)
{
	struct counts all = {0};
	uint64_t miscounted = 0;
	bool good = ended, known = flood_key_is_known(run.corpus.pipeline->names);

	printf("1..%u\n", n_classes + 3);
	for (unsigned i = 0; i < n_classes; i++)
		good &= class_report(i, jobs, n_jobs, &all);
	for (unsigned i = 0; i < n_jobs; i++)
		miscounted += jobs[i].miscounted;
	printf("%sok %u - the counters say the same\n", miscounted ? "not " : "", n_classes + 1);
	printf("%sok %u - the table has the key that the floods were made for\n",
		known ? "" : "not ", n_classes + 2);
	printf("%sok %u - every name was asked\n", ended ? "" : "not ", n_classes + 3);
	printf("# %zu entries; %u names with 32 bits of a listed hash, %u and %u in one bucket, %u "
	       "with "
	       "one hash\n",
		run.corpus.n, run.corpus.alike.n, run.corpus.flood_listed.n, run.corpus.flood.n,
		run.corpus.n_same);
	printf("# %llu names in %llu responses, %llu wrong verdicts\n",
		(unsigned long long)all.names, (unsigned long long)all.messages,
		(unsigned long long)all.wrong);
	return good && known && miscounted == 0;
}

static unsigned cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"jobs", 1, NULL, 'j'}, {0}};
	unsigned long long count = 300000;
	unsigned n_jobs = cpus();
	struct job *jobs;
	char nothing[1] = "", *end = nothing;
	int option;
	bool usage = false;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		usage |= option != 'j';
		n_jobs = option == 'j' ? (unsigned)strtoul(optarg, &end, 10) : n_jobs;
		usage |= *end != '\0' || n_jobs == 0;
	}
	if (optind < argc)
		count = strtoull(argv[optind++], &end, 10);
	if (usage || *end != '\0' || count == 0 || optind < argc) {
		fprintf(stderr, "usage: verdict [--jobs N] [COUNT]\n");
		return 2;
	}
	n_jobs = n_jobs < JOBS_MAX ? n_jobs : JOBS_MAX;
	jobs = mmap(NULL, n_jobs * sizeof(*jobs), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (jobs == MAP_FAILED)
		abort();
	corpus_make(&run.corpus, count < 1000000 ? 10000000 : 40000000);
	return report(jobs, n_jobs, jobs_run(n_jobs, count, jobs)) ? 0 : 1;
}
