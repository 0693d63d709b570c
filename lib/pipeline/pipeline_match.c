/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pipeline/pipeline_match_private.h"
#include "pipeline/pipeline_private.h"

// A burst's messages are not read one after the other: first all their questions, then the records
// behind, which note the names they hold, then these names, and all are looked up together. These
// loops take messages of the usual form only: they are short, call nothing, and their turns do not
// wait for one another, so that many run at a time. What is odd in any way is read once more by
// pipeline_read, which knows every form; it decides what a message is.

#define USUAL_LABELS   15
#define NAME_RDATA_MAX 256 // octets of RDATA that may be one name

typedef bool run_reader(const uint8_t *from, uint32_t left, struct dns_run *run);

// Keep the rule that decides: the list that comes first; of one list the first name met.
static void rules_take(struct burst_slot *slot, const struct fqdn_match *match, uint16_t off)
{
	if (match->suppressed && !slot->allow)
		slot->allow = match->allow;
	if (match->block && (!slot->block || match->block->list < slot->block->list)) {
		slot->block = match->block;
		slot->match = off;
	}
	if (match->log && (!slot->log || match->log->list < slot->log->list)) {
		slot->log = match->log;
		if (!slot->block)
			slot->match = off;
	}
}

// A message is not usual after all: none of its answers' names is looked up here, as their order counts.
static void slot_is_odd(struct match *match, unsigned slot)
{
	match->usual &= ~(1u << slot);
	// The root is what no look-up finds.
	for (unsigned i = match->n_read; i < match->n_names; i++)
		if (match->owners[i].slot == slot)
			match->names[i].n = 0;
}

// A name that is not of the usual form, or not as long as it should be. Where it is long in some way, or
// wrong, its message is read again where it is counted what names take.
static __attribute__((noinline)) void name_read_odd(struct match *match, unsigned i)
{
	const struct name_owner *owner = &match->owners[i];
	struct fqdn_name *name = &match->names[i];
	unsigned hops;
	uint64_t ends;

	if (!(match->usual >> owner->slot & 1))
		return;
	ends = dns_ends_quick(name->msg, name->msg_size, name->at, &hops);
	if (dns_ends_occupied(ends) == (int)owner->rdata_size)
		name_set(name, ends);
	else
		slot_is_odd(match, owner->slot);
}

// The ends of a name that starts with one run and goes on with another elsewhere; 0: not of this form.
static ALWAYS_INLINE uint64_t ends_apart(
	const struct fqdn_name *name, const struct dns_run *first, run_reader *read)
{
	uint32_t end = name->at + first->end, at;
	struct dns_run rest;
	uint16_t places[3];

	if (RARE(name->msg_size - end < 2))
		return 0;
	at = load_be16(name->msg + end) & 0x3fff;
	if (RARE(at < DNS_HEADER_SIZE || at >= name->at ||
		    !read(name->msg + at, name->msg_size - at, &rest) || !rest.whole))
		return 0;
	// The last two labels have to stand there. The third then does, or is the first run's last.
	if (RARE(rest.n < 2))
		return 0;
	places[0] = (uint16_t)(rest.n == 2 ? name->at + (first->last >> 32) : at + rest.last);
	places[1] = (uint16_t)(at + (rest.last >> 16));
	places[2] = (uint16_t)(at + (rest.last >> 32));
	return dns_ends_make((int)first->end + 2, first->n + rest.n, places);
}

// Whether a name is as long as its RDATA, and has so few labels that nobody need count what it takes.
// Both in one: labels stand above the octets, and RDATA is shorter than NAME_RDATA_MAX.
static inline bool name_fits(uint64_t ends, unsigned rdata_size)
{
	static_assert(USUAL_LABELS == 15 && NAME_RDATA_MAX < 512, "the bits of labels up to this");
	return ((((uint32_t)ends & UINT16_MAX) - rdata_size) & ~(15u << 9)) == 0;
}

// The ends of the names noted. Names are not longer than two runs of a usual message, so their length
// needs no look.
static ALWAYS_INLINE void names_read(struct match *match, run_reader *read)
{
	uint8_t odd[NAMES_MAX];
	unsigned n_odd = 0;

	for (unsigned i = match->n_read; i < match->n_names; i++) {
		struct fqdn_name *name = &match->names[i];
		unsigned size = match->owners[i].rdata_size;
		struct dns_run run;
		uint64_t ends = 0;

		if (read(name->msg + name->at, name->msg_size - name->at, &run))
			ends = run.whole ? dns_run_ends(&run, name->at)
					 : ends_apart(name, &run, read);
		if (RARE(!name_fits(ends, size))) {
			odd[n_odd++] = (uint8_t)i;
			continue;
		}
		name_set(name, ends);
	}
	for (unsigned i = 0; i < n_odd; i++)
		name_read_odd(match, odd[i]);
	match->n_read = match->n_names;
}

// Begin to look up names whose ends are known. What that fetches comes while records are read.
static void names_aim(struct match *match)
{
	unsigned first = match->n_aimed;

	fqdn_lookup_aim(match->tables->names, match->names + first, match->n_read - first,
		match->aims + first);
	match->n_aimed = match->n_read;
}

// Match names against patterns, too, as far as their messages may take that.
static uint64_t names_scan(
	struct match *match, unsigned first, unsigned n, struct fqdn_match *found, uint64_t hits)
{
	hits = pattern_match(match->tables->patterns, match->tables->names, match->names + first, n,
		found, hits, &match->scanned);
	for (uint64_t over = match->scanned.over; RARE(over != 0); over &= over - 1)
		match->over |= 1u << match->owners[first + (unsigned)__builtin_ctzll(over)].slot;
	return hits;
}

// Look up the names noted so far, in their order.
void pipeline_names_lookup(struct match *match)
{
	struct fqdn_match found[FQDN_BULK];

	match->ends(match);
	names_aim(match);
	for (unsigned first = 0; first < match->n_names; first += FQDN_BULK) {
		unsigned n = match->n_names - first;
		uint64_t hits = fqdn_lookup_aimed(match->tables->names, match->names + first,
			n < FQDN_BULK ? n : FQDN_BULK, match->aims + first, match->tables->today,
			match->effort, found);

		if (RARE(match->tables->patterns != NULL))
			hits = names_scan(match, first, n < FQDN_BULK ? n : FQDN_BULK, found, hits);
		for (; RARE(hits != 0); hits &= hits - 1) {
			unsigned i = (unsigned)__builtin_ctzll(hits);
			const struct name_owner *owner = &match->owners[first + i];

			rules_take(&match->burst->slot[owner->slot], &found[i],
				match->names[first + i].at);
			if (owner->question && !match->question_allow[owner->slot])
				match->question_allow[owner->slot] = found[i].allow;
			match->met |= 1u << owner->slot;
		}
	}
	match->n_names = match->n_read = match->n_aimed = 0;
}

// The first stretch of usual messages: a query with one question, in one run.
static ALWAYS_INLINE void questions_usual(struct match *match, run_reader *read)
{
	unsigned n_names = 0;
	uint32_t usual = 0;

	for (uint32_t left = match->burst->responses; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		struct burst_slot *slot = &match->burst->slot[i];
		const uint8_t *msg = slot->frame + slot->msg;
		uint32_t size = slot->msg_size, end;
		struct dns_run run;
		uint64_t head;

		// Identifier, flags, numbers of questions and of answers.
		head = load_be64(msg);
		if (RARE((head & 0x7800ffff0000) != 0x10000) ||
			RARE(!read(msg + DNS_HEADER_SIZE, size - DNS_HEADER_SIZE, &run)) ||
			RARE(!run.whole))
			continue;
		end = DNS_HEADER_SIZE + run.end + 1;
		if (RARE(size - end < 4))
			continue;
		slot->rcode = head >> 32 & 15;
		slot->qtype = load_be16(msg + end);
		slot->question = true;
		match->answers[i].off = (uint16_t)(end + 4);
		match->answers[i].n = (uint16_t)head;
		usual |= 1u << i;
		name_note(match, n_names, msg, size, DNS_HEADER_SIZE,
			(struct name_owner){.slot = (uint8_t)i, .question = true});
		name_set(&match->names[n_names++], dns_run_ends(&run, DNS_HEADER_SIZE));
	}
	match->usual = usual;
	match->n_names = match->n_read = n_names;
}

// A pointer as it stands in a message.
#define RAW16(value) __builtin_bswap16((uint16_t)(value))
#define RAW_ROW(type, class) \
	__builtin_bswap32((uint32_t)(type) << 16 | (class)) // type and class of a record

static inline uint16_t load_raw16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

// Whether a record is SVCB or HTTPS with a TargetName to look up. Most have ".", which is one octet.
static ALWAYS_INLINE bool service_has_target(
	uint16_t type, const uint8_t *rdata, unsigned rdata_size)
{
	static_assert((DNS_TYPE_SVCB ^ DNS_TYPE_HTTPS) == 1, "one comparison for both");
	return (type & RAW16(0xfffe)) == RAW16(DNS_TYPE_SVCB) && !(rdata_size > 2 && rdata[2] == 0);
}

// The records of one usual message, noting names from n_names on.
// @return how many names there are then, negative: it is not of this form
static ALWAYS_INLINE int answers_usual(struct match *match, unsigned number, unsigned n_names)
{
	struct burst_slot *slot = &match->burst->slot[number];
	const uint8_t *msg = slot->frame + slot->msg;
	uint32_t size = slot->msg_size, off = match->answers[number].off;
	unsigned n_ipv4 = 0, n_ipv6 = 0, n = match->answers[number].n;
	// Pointers to the names met last; so far only the question, and any 16 bits may come.
	uint16_t last = RAW16(0xc000 | DNS_HEADER_SIZE);
	uint64_t seen = UINT64_C(0x0001000100010001) * last;

	if (RARE(n > RECORDS_MAX))
		return -1;
	for (; n > 0; n--) {
		uint32_t rdata = off + 2 + DNS_RR_FIXED_SIZE, row;
		uint16_t rdata_size;
		uint64_t start;

		if (RARE(size < rdata))
			return -1;
		memcpy(&start, msg + off, sizeof(start));
		rdata_size = load_be16(msg + rdata - 2);
		off = rdata + rdata_size;
		if (RARE(off > size) ||
			RARE((uint16_t)start != last && !is_seen(seen, (uint16_t)start)))
			return -1;
		row = (uint32_t)(start >> 16);
		if (row == RAW_ROW(DNS_TYPE_A, DNS_CLASS_IN)) {
			n_ipv4 += rdata_size == 4;
			continue;
		}
		n_ipv6 += row == RAW_ROW(DNS_TYPE_AAAA, DNS_CLASS_IN) && rdata_size == 16;
		if ((uint16_t)row != RAW16(DNS_TYPE_CNAME) &&
			(uint16_t)row != RAW16(DNS_TYPE_DNAME)) {
			if (RARE(service_has_target((uint16_t)row, msg + rdata, rdata_size)))
				return -1;
			continue;
		}
		// Nothing points further than this.
		if (RARE(rdata_size - 2u > NAME_RDATA_MAX - 2u || rdata > 0x3fff))
			return -1;
		name_note(match, n_names++, msg, size, rdata,
			(struct name_owner){.rdata_size = rdata_size, .slot = (uint8_t)number});
		last = msg[rdata] >= 0xc0 ? load_raw16(msg + rdata) : RAW16(0xc000 | rdata);
		seen = seen << 16 | last;
	}
	slot->n_ipv4 = (uint16_t)n_ipv4;
	slot->n_ipv6 = (uint16_t)n_ipv6;
	slot->behind = (uint16_t)off;
	slot->reason = slot_nothing(slot);
	return (int)n_names;
}

// The records of all usual messages.
static ALWAYS_INLINE void records_usual(struct match *match)
{
	unsigned n_names = match->n_names;

	for (uint32_t left = match->usual; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		int n;

		if (RARE(n_names > NAMES_MAX - RECORDS_MAX)) {
			match->n_names = n_names;
			pipeline_names_lookup(match);
			n_names = 0;
		}
		n = answers_usual(match, i, n_names);
		if (RARE(n < 0))
			match->usual &= ~(1u << i);
		else
			n_names = (unsigned)n;
	}
	match->n_names = n_names;
}

static inline void match_begin(struct match *match, struct burst *burst,
	const struct pipeline_tables *tables, void (*ends)(struct match *))
{
	match->tables = tables;
	match->burst = burst;
	match->n_names = match->n_read = match->n_aimed = 0;
	match->usual = match->met = match->partly = match->over = 0;
	match->ends = ends;
	match->effort = NULL;
	match->scanned.msg = NULL;
	match->scanned.odd = false;
	memset(match->question_allow, 0, sizeof(match->question_allow));
}

// What is left when usual messages are through.
static void match_end(struct match *match)
{
	uint32_t odd;

	// Some may turn out not to be usual.
	if (match->n_read < match->n_names)
		match->ends(match);
	odd = match->burst->responses & ~match->usual;
	if (RARE(odd != 0)) {
		// What was noted of them as of usual ones does not count as taken by what is read anew.
		if (match->n_names > 0)
			pipeline_names_lookup(match);
		match->scanned.msg = NULL;
		match->scanned.odd = true;
		for (; odd; odd &= odd - 1)
			pipeline_read(match, (unsigned)__builtin_ctz(odd));
	}
	if (match->n_names > 0)
		pipeline_names_lookup(match);
	pipeline_slots_judge(match);
}

static ALWAYS_INLINE void burst_match(struct burst *burst, const struct pipeline_tables *tables,
	run_reader *read, void (*ends)(struct match *))
{
	struct match match;

	if (burst->responses == 0)
		return;
	match_begin(&match, burst, tables, ends);
	questions_usual(&match, read);
	names_aim(&match);
	records_usual(&match);
	match_end(&match);
}

static __attribute__((noinline)) void names_read_plain(struct match *match)
{
	names_read(match, dns_run_plain);
}

void pipeline_match_slow(struct burst *burst, const struct pipeline_tables *tables)
{
	struct match match;

	match_begin(&match, burst, tables, names_read_plain);
	match_end(&match);
}

void pipeline_match_plain(struct burst *burst, const struct pipeline_tables *tables)
{
	burst_match(burst, tables, dns_run_plain, names_read_plain);
}

#ifdef CPU_WIDE
CPU_WIDE static __attribute__((noinline)) void names_read_wide(struct match *match)
{
	names_read(match, dns_run_wide);
}

CPU_WIDE void pipeline_match_wide(struct burst *burst, const struct pipeline_tables *tables)
{
	burst_match(burst, tables, dns_run_wide, names_read_wide);
}
#endif

void pipeline_match(struct burst *burst, const struct pipeline_tables *tables)
{
#ifdef CPU_WIDE
	if (cpu_is_wide()) {
		pipeline_match_wide(burst, tables);
		return;
	}
#endif
	pipeline_match_plain(burst, tables);
}
