/* SPDX-License-Identifier: BSD-3-Clause */
#include "core_tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include "base/log.h"
#include "dns/dns_msg.h"
#include "dns/dns_name.h"
#include "dns/dns_type.h"

#define HITS_MAX      1024 // kept for `show hits`
#define CORE_ID_SIZE  256
#define CORE_SLEEP_US 500 // a ring of the default size lasts a second at 65,000 responses a second

/** One response that a rule was hit by. */
struct hit {
	int64_t time_ns;      // since 1970
	struct prefix client; // of a filtered response the address, else what the anonymiser made
	uint8_t question[DNS_NAME_SIZE_MAX], match[DNS_NAME_SIZE_MAX]; // canonical
	char list[POLICY_LIST_NAME_MAX + 1];
	char id[CORE_ID_SIZE];
	uint32_t generation;
	uint16_t qtype;
	uint8_t reason, rcode;
};

struct hits {
	bool no_key;          // core: none for today, and that was said
	enum anon_mode mode;  // of the anonymiser: a reload does not change it
	pthread_mutex_t lock; // core: w, control: r
	uint64_t n;           // taken so far; the last HITS_MAX are there
	int64_t base_ns;      // real time at base_tsc
	uint64_t base_tsc, tsc_hz;
	struct hit hit[HITS_MAX];
};

// A new day has a new key. Without one clients come out as nothing, and it is tried again.
static void key_watch(struct hits *hits)
{
	int err = anon_set_day(app.anon, replica_today(app.replicas));

	if (err < 0 && !hits->no_key)
		log_line(LOG_ERROR, "anonymise: no randomness for the key of the day: %s",
			strerror(-err));
	hits->no_key = err < 0;
}

int core_start(void)
{
	app.hits = calloc(1, sizeof(*app.hits));
	if (!app.hits)
		return -1;
	pthread_mutex_init(&app.hits->lock, NULL);
	app.hits->mode = app.conf->anonymise.mode;
	key_watch(app.hits);
	app.hits->tsc_hz = rte_get_tsc_hz();
	return 0;
}

void core_stop(void)
{
	if (!app.hits)
		return;
	pthread_mutex_destroy(&app.hits->lock);
	free(app.hits);
	app.hits = NULL;
}

// Records carry the time-stamp counter; real time is read here, where a step of it harms nobody.
static void clock_base(struct hits *hits)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	hits->base_tsc = rte_rdtsc();
	hits->base_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t clock_of(const struct hits *hits, uint64_t tsc)
{
	int64_t cycles = (int64_t)(tsc - hits->base_tsc);

	return hits->base_ns + (int64_t)((double)cycles * 1e9 / (double)hits->tsc_hz);
}

// Only a filtered response keeps the whole address of its client.
static void client_fill(const struct mirror_record *record, struct prefix *client)
{
	struct addr addr = {.family = record->family};

	memcpy(addr.bytes, record->client, addr_size(record->family));
	if (reason_is_filtered(record->reason))
		*client = (struct prefix){addr, (uint8_t)(addr_size(record->family) * 8)};
	else
		anon_address(app.anon, &addr, client);
}

static void name_fill(const uint8_t *msg, uint16_t size, uint16_t off, uint8_t *to)
{
	struct dns_name name;

	to[0] = 0;
	if (off < size && dns_msg_name_read(msg, size, off, &name) > 0)
		memcpy(to, name.bytes, name.size);
}

static void hit_take(
	const struct mirror_record *record, const uint8_t *msg, const struct core_seen *seen)
{
	struct hits *hits = app.hits;
	struct hit *hit;

	pthread_mutex_lock(&hits->lock);
	hit = &hits->hit[hits->n++ % HITS_MAX];
	hit->time_ns = seen->time_ns;
	hit->client = seen->client;
	name_fill(msg, record->stored_size, DNS_HEADER_SIZE, hit->question);
	name_fill(msg, record->stored_size, record->match, hit->match);
	snprintf(hit->list, sizeof(hit->list), "%s", seen->list->name);
	snprintf(hit->id, sizeof(hit->id), "%s", seen->id);
	hit->generation = record->generation;
	hit->qtype = record->qtype;
	hit->reason = record->reason;
	hit->rcode = record->rcode;
	pthread_mutex_unlock(&hits->lock);
}

/** Find the rule of a record in the tables that it was judged by, if they are still there. */
static void rule_find(
	const struct replica *master, const struct mirror_record *record, struct core_seen *seen)
{
	const struct fqdn_rule *rule;

	if (master->generation != record->generation)
		master = __atomic_load_n(&master->older, __ATOMIC_ACQUIRE);
	if (!master || master->generation != record->generation)
		return;
	rule = fqdn_table_rule(master->names, record->rule);
	if (!rule)
		return;
	seen->list = &master->policy.lists[rule->list];
	seen->id = fqdn_table_id(master->names, rule);
}

static void record_take(void *ctx, const struct mirror_record *record, uint8_t *msg)
{
	const struct replica *master = ctx;
	bool ruled = record->rule != MIRROR_NO_RULE, sent = core_tap_on();
	struct core_seen seen;

	if (!ruled && !sent)
		return;
	memset(&seen, 0, sizeof(seen));
	seen.time_ns = clock_of(app.hits, record->tsc);
	client_fill(record, &seen.client);
	if (ruled)
		rule_find(master, record, &seen);
	if (seen.list && msg)
		hit_take(record, msg, &seen);
	if (sent)
		core_tap_send(record, msg, &seen);
}

unsigned core_poll(void)
{
	unsigned reader = replica_reader_core(app.replicas), taken = 0;
	const struct replica *master;

	replica_quiescent(app.replicas, reader);
	master = replica_get(app.replicas, reader);
	if (rte_rdtsc() - app.hits->base_tsc > app.hits->tsc_hz)
		clock_base(app.hits);
	key_watch(app.hits);
	for (unsigned i = 0; i < app.n_workers; i++)
		taken += mirror_drain(app.rings[i], record_take, (void *)(uintptr_t)master);
	core_tap_flush();
	atomic_store_explicit(&app.core_records,
		atomic_load_explicit(&app.core_records, memory_order_relaxed) + taken,
		memory_order_relaxed);
	return taken;
}

int core_main(void *arg)
{
	const struct timespec pause = {.tv_nsec = CORE_SLEEP_US * 1000};

	(void)arg;
	prctl(PR_SET_TIMERSLACK, 1000);
	replica_enter(app.replicas, replica_reader_core(app.replicas));
	// Records are taken many at a time: a core that waits at the rings for each of them takes the
	// lines away that workers write. It goes on at once only when rings fill.
	while (!atomic_load_explicit(&app.core_stop, memory_order_relaxed))
		if (core_poll() < app.core_busy)
			nanosleep(&pause, NULL);
	// Workers have stopped: what is in the rings now is all there will be.
	core_poll();
	replica_leave(app.replicas, replica_reader_core(app.replicas));
	return 0;
}

static json_t *hit_json(const struct hit *hit, enum anon_mode mode)
{
	char name[DNS_NAME_TEXT_SIZE], text[PREFIX_TEXT_SIZE], stamp[64], type[16];
	time_t seconds = (time_t)(hit->time_ns / 1000000000);
	json_t *object = json_object();
	bool whole = reason_is_filtered(hit->reason);
	struct tm tm;
	size_t n;

	localtime_r(&seconds, &tm);
	n = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(
		stamp + n, sizeof(stamp) - n, ".%03d", (int)(hit->time_ns / 1000000 % 1000));
	strftime(stamp + n, sizeof(stamp) - n, "%z", &tm);
	json_object_set_new(object, "time", json_string(stamp));
	json_object_set_new(object, "client",
		json_string(whole ? addr_format(&hit->client.addr, text)
				  : prefix_format(&hit->client, text)));
	json_object_set_new(
		object, "anonymised", whole ? json_null() : json_string(anon_mode_name(mode)));
	dns_name_format(hit->question, name);
	json_object_set_new(object, "name", json_string(name));
	json_object_set_new(object, "type", json_string(dns_type_name(hit->qtype, type)));
	json_object_set_new(object, "rcode", json_string(dns_rcode_name(hit->rcode)));
	dns_name_format(hit->match, name);
	json_object_set_new(object, "match", json_string(name));
	json_object_set_new(object, "list", json_string(hit->list));
	json_object_set_new(object, "id", json_string(hit->id));
	json_object_set_new(object, "verdict", json_string(reason_name(hit->reason)));
	json_object_set_new(object, "generation", json_integer(hit->generation));
	return object;
}

json_t *core_hits(unsigned n)
{
	json_t *array = json_array();
	struct hits *hits = app.hits;

	pthread_mutex_lock(&hits->lock);
	for (uint64_t i = hits->n; i > 0 && n > 0 && hits->n - i < HITS_MAX; i--, n--)
		json_array_append_new(array, hit_json(&hits->hit[(i - 1) % HITS_MAX], hits->mode));
	pthread_mutex_unlock(&hits->lock);
	return array;
}
