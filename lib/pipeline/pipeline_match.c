/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pipeline/pipeline_private.h"

#include <assert.h>
#include <stddef.h>

#include "dns/dns_ends.h"

// A burst's messages are not read one after the other: first all their questions, then the records
// behind, which note the names they hold, then these names, and all are looked up together. These
// loops take messages of the usual form only: they are short, call nothing, and their turns do not
// wait for one another, so that many run at a time. What is odd in any way is read once more by
// slot_read, which knows every form; it decides what a message is.
#define NAMES_MAX   128
#define RECORDS_MAX 16 // of a usual message; also the most names that its answers hold

typedef bool run_reader(const uint8_t *from, uint32_t left, struct dns_run *run);

// Whose name it is, and what it is.
struct name_owner {
	uint16_t rdata_size; // the name must be as long; 0: it need not
	uint8_t slot;
	bool question;
};

struct match {
	const struct pipeline_tables *tables;
	struct burst *burst;
	unsigned n_names, n_read; // noted; those before n_read have their ends, too
	unsigned n_aimed;         // of those, the ones whose look-up has begun
	uint32_t usual;           // bits of the slots that have the usual form so far
	uint32_t met;             // bits of the slots of which a name has rules
	// Bits of the slots that have an error in a name; it stands before any found in the records.
	uint32_t broken;
	void (*ends)(struct match *);
	struct fqdn_name names[NAMES_MAX];
	struct fqdn_aim aims[NAMES_MAX];
	struct name_owner owners[NAMES_MAX];
	struct {
		uint16_t off, n; // where they start, how many there are
	} answers[BURST_MAX];    // of usual messages
	// Exemption of a question's name, where there is one.
	const struct fqdn_rule *question_allow[BURST_MAX];
};

static_assert(FQDN_BULK <= PATTERN_NAMES_MAX, "names of one scan");
static_assert(BURST_MAX <= 32, "a bit each in the masks");
static_assert(NAMES_MAX >= BURST_MAX + RECORDS_MAX, "a message's names have room");

#define ALWAYS_INLINE   inline __attribute__((always_inline))
#define RARE(condition) __builtin_expect(condition, 0)

static const enum reason dns_reasons[] = {
	[-DNS_E_SHORT] = REASON_short_record,
	[-DNS_E_LABEL] = REASON_bad_label,
	[-DNS_E_POINTER] = REASON_bad_pointer,
	[-DNS_E_LONG] = REASON_long_name,
};

// A name that is nothing but a pointer is the name it points at.
static inline uint16_t name_origin(const uint8_t *msg, uint32_t off)
{
	return (uint16_t)(msg[off] >= 0xc0 ? load_be16(msg + off) & 0x3fff : off);
}

// Offsets of the four names met last, 16 bits each: owners mostly point at one of them. No name
// stands at the offset that an empty place has: a datagram is smaller.
#define SEEN_NONE UINT64_MAX

static inline bool is_seen(uint64_t seen, uint16_t origin)
{
	const uint64_t ones = 0x0001000100010001, tops = 0x8000800080008000;
	uint64_t other = seen ^ origin * ones;

	// Whether one of the four is zero now.
	return (other - ones) & ~other & tops;
}

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

// Why RDATA is not one name and nothing else (RFC 1035 s3.3.1): what is in RDATA counts, not what
// stands behind it.
static __attribute__((noinline)) enum reason target_reason(
	const uint8_t *msg, uint32_t rdata, uint32_t rdata_size, enum reason reason)
{
	int size = dns_msg_name_skip(msg, rdata + rdata_size, rdata);

	if (size < 0)
		return dns_reasons[-size];
	return (uint32_t)size == rdata_size ? reason : REASON_short_record;
}

static __attribute__((noinline)) void name_refuse(struct match *match, unsigned i, int occupied)
{
	const struct name_owner *owner = &match->owners[i];
	struct burst_slot *slot = &match->burst->slot[owner->slot];
	enum reason reason = occupied < 0 ? dns_reasons[-occupied] : REASON_short_record;

	// The root, which no look-up finds.
	match->names[i].n = 0;
	if (owner->rdata_size)
		reason = target_reason(
			slot->frame + slot->msg, match->names[i].at, owner->rdata_size, reason);
	if (!(match->broken & 1u << owner->slot))
		slot->reason = reason;
	match->broken |= 1u << owner->slot;
}

static inline void name_set(struct fqdn_name *name, uint64_t ends)
{
	uint64_t head = (ends & ~(uint64_t)UINT16_MAX) | name->msg_size;

	// Size and places in one store.
	static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
			      offsetof(struct fqdn_name, last) ==
				      offsetof(struct fqdn_name, msg_size) + 2,
		"as they are put together here");
	memcpy(&name->msg_size, &head, sizeof(head));
	name->n = dns_ends_labels(ends);
}

// A name that is not of the usual form, or not as long as it should be.
static __attribute__((noinline)) void name_read_odd(struct match *match, unsigned i)
{
	struct fqdn_name *name = &match->names[i];
	unsigned size = match->owners[i].rdata_size;
	uint64_t ends = dns_msg_ends_read(name->msg, name->msg_size, name->at);
	int occupied = dns_ends_occupied(ends);

	if (occupied < 0 || (size && occupied != (int)size))
		name_refuse(match, i, occupied);
	else
		name_set(name, ends);
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
		if (RARE(dns_ends_occupied(ends) != (int)size)) {
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

// Look up the names noted so far, in their order.
static __attribute__((noinline)) void names_lookup(struct match *match)
{
	struct fqdn_match found[FQDN_BULK];

	match->ends(match);
	names_aim(match);
	for (unsigned first = 0; first < match->n_names; first += FQDN_BULK) {
		unsigned n = match->n_names - first;
		uint64_t hits = fqdn_lookup_aimed(match->tables->names, match->names + first,
			n < FQDN_BULK ? n : FQDN_BULK, match->aims + first, match->tables->today,
			found);

		if (RARE(match->tables->patterns != NULL))
			hits = pattern_match(match->tables->patterns, match->tables->names,
				match->names + first, n < FQDN_BULK ? n : FQDN_BULK, found, hits);
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

// Note a name for its look-up.
static ALWAYS_INLINE void name_note(struct match *match, unsigned i, const uint8_t *msg,
	uint32_t msg_size, uint32_t off, struct name_owner owner)
{
	match->names[i].msg = msg;
	match->names[i].msg_size = (uint16_t)msg_size;
	match->names[i].at = (uint16_t)off;
	match->owners[i] = owner;
}

// One message of any form while it is read.
struct reading {
	struct match *match;
	const uint8_t *msg;
	uint32_t size, off;
	unsigned number;  // of the slot
	unsigned n_names; // met so far
	uint64_t seen;
};

// Note the name at off. @param rdata_size what it must occupy, 0: that is not known
static enum reason name_read(
	struct reading *r, uint32_t off, unsigned rdata_size, bool question, int *occupied)
{
	struct match *match = r->match;
	uint64_t ends;

	if (r->n_names++ >= PIPELINE_NAMES_MAX)
		return REASON_name_limit;
	if (match->n_names == NAMES_MAX)
		names_lookup(match);
	ends = dns_msg_ends_read(r->msg, r->size, off);
	*occupied = dns_ends_occupied(ends);
	if (*occupied < 0 || (rdata_size && *occupied != (int)rdata_size)) {
		enum reason reason = *occupied < 0 ? dns_reasons[-*occupied] : REASON_short_record;

		return rdata_size ? target_reason(r->msg, off, rdata_size, reason) : reason;
	}
	r->seen = r->seen << 16 | name_origin(r->msg, off);
	name_note(match, match->n_names, r->msg, r->size, off,
		(struct name_owner){.slot = (uint8_t)r->number, .question = question});
	name_set(&match->names[match->n_names], ends);
	// All before it were read, or have just been looked up.
	match->n_read = ++match->n_names;
	return REASON_none;
}

static enum reason questions_read(struct reading *r, struct burst_slot *slot)
{
	for (unsigned n = dns_msg_qdcount(r->msg); n > 0; n--) {
		int occupied;
		enum reason reason = name_read(r, r->off, 0, true, &occupied);

		if (reason != REASON_none)
			return reason;
		r->off += (uint32_t)occupied;
		if (r->size - r->off < 4)
			return REASON_short_record;
		if (!slot->question)
			slot->qtype = load_be16(r->msg + r->off);
		slot->question = true;
		r->off += 4;
	}
	return REASON_none;
}

static enum reason target_read(struct reading *r, const struct dns_rr *rr)
{
	int occupied;

	// Too short for a pointer: the root, which no list has, or no name.
	if (rr->rdata_size < 2)
		return rr->rdata_size == 1 && r->msg[rr->rdata] == 0
			       ? REASON_none
			       : target_reason(
					 r->msg, rr->rdata, rr->rdata_size, REASON_short_record);
	return name_read(r, rr->rdata, rr->rdata_size, false, &occupied);
}

static enum reason answers_read(struct reading *r, struct burst_slot *slot)
{
	for (unsigned n = dns_msg_ancount(r->msg); n > 0; n--) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(r->msg, r->size, r->off, &rr), occupied;
		enum reason reason = REASON_none;

		if (size < 0)
			return dns_reasons[-size];
		r->off += (uint32_t)size;
		if (!is_seen(r->seen, name_origin(r->msg, rr.name)))
			reason = name_read(r, rr.name, 0, false, &occupied);
		if (reason == REASON_none &&
			(rr.type == DNS_TYPE_CNAME || rr.type == DNS_TYPE_DNAME))
			reason = target_read(r, &rr);
		if (reason != REASON_none)
			return reason;
		if (rr.class != DNS_CLASS_IN)
			continue;
		slot->n_ipv4 += rr.type == DNS_TYPE_A && rr.rdata_size == 4;
		slot->n_ipv6 += rr.type == DNS_TYPE_AAAA && rr.rdata_size == 16;
	}
	return REASON_none;
}

// What a message comes to when none of its names has a rule.
static inline enum reason slot_nothing(const struct burst_slot *slot)
{
	return slot->refused & CONSENT_NO_FILTER ? REASON_no_filter : REASON_miss;
}

// A message of any form.
static __attribute__((noinline)) void slot_read(struct match *match, unsigned number)
{
	struct burst_slot *slot = &match->burst->slot[number];
	struct reading r = {
		.match = match,
		.msg = slot->frame + slot->msg,
		.size = slot->msg_size,
		.off = DNS_HEADER_SIZE,
		.number = number,
		.seen = SEEN_NONE,
	};
	enum reason reason;

	// What the usual way noted of others is read with what it must be; of this one there is none.
	match->ends(match);
	slot->question = false;
	slot->qtype = 0;
	slot->n_ipv4 = slot->n_ipv6 = 0;
	slot->rcode = dns_msg_rcode(r.msg);
	if (dns_msg_opcode(r.msg) != DNS_OPCODE_QUERY)
		reason = REASON_opcode;
	else
		reason = questions_read(&r, slot);
	if (reason == REASON_none)
		reason = answers_read(&r, slot);
	slot->reason = reason == REASON_none ? slot_nothing(slot) : reason;
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

// The records of one usual message, noting names from n_names on.
// @return how many names there are then, negative: it is not of this form
static ALWAYS_INLINE int answers_usual(struct match *match, unsigned number, unsigned n_names)
{
	struct burst_slot *slot = &match->burst->slot[number];
	const uint8_t *msg = slot->frame + slot->msg;
	uint32_t size = slot->msg_size, off = match->answers[number].off;
	unsigned n_ipv4 = 0, n_ipv6 = 0, n = match->answers[number].n;
	// Pointers to the names met last.
	uint16_t last = RAW16(0xc000 | DNS_HEADER_SIZE);
	uint64_t seen = SEEN_NONE << 16 | last;

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
			(uint16_t)row != RAW16(DNS_TYPE_DNAME))
			continue;
		// Nothing points further than this.
		if (RARE(rdata_size < 2 || rdata > 0x3fff))
			return -1;
		name_note(match, n_names++, msg, size, rdata,
			(struct name_owner){.rdata_size = rdata_size, .slot = (uint8_t)number});
		last = msg[rdata] >= 0xc0 ? load_raw16(msg + rdata) : RAW16(0xc000 | rdata);
		seen = seen << 16 | last;
	}
	slot->n_ipv4 = (uint16_t)n_ipv4;
	slot->n_ipv6 = (uint16_t)n_ipv6;
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
			names_lookup(match);
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

// What follows from the rules met.
static enum reason slot_verdict(struct burst_slot *slot, const struct policy *policy,
	const struct fqdn_rule *question_allow)
{
	const struct policy_sinkhole *sinkhole;

	if (question_allow && policy->allow_message && (slot->block || slot->log)) {
		slot->allow = question_allow;
		slot->block = slot->log = NULL;
	}
	if (!slot->block)
		return slot->log ? REASON_logged : slot->allow ? REASON_allowed : REASON_miss;
	if (slot->n_ipv4 + slot->n_ipv6 == 0)
		return REASON_no_address;
	sinkhole = &policy->lists[slot->block->list].sinkhole;
	if (!(slot->n_ipv4 && sinkhole->n_ipv4) && !(slot->n_ipv6 && sinkhole->n_ipv6))
		return REASON_no_sinkhole;
	slot->edit = true;
	return REASON_rewritten;
}

static void slots_judge(struct match *match)
{
	struct burst *burst = match->burst;

	for (; match->met; match->met &= match->met - 1) {
		unsigned i = (unsigned)__builtin_ctz(match->met);
		struct burst_slot *slot = &burst->slot[i];

		if (slot->reason == REASON_miss)
			slot->reason =
				slot_verdict(slot, match->tables->policy, match->question_allow[i]);
		else
			// The client refused, or in doubt the packet passes: what was met before an
			// error decides nothing.
			slot->block = slot->log = slot->allow = NULL;
		burst->ruled |= (uint32_t)(slot->block || slot->log || slot->allow) << i;
		burst->edits |= (uint32_t)slot->edit << i;
	}
}

static inline void match_begin(struct match *match, struct burst *burst,
	const struct pipeline_tables *tables, void (*ends)(struct match *))
{
	match->tables = tables;
	match->burst = burst;
	match->n_names = match->n_read = match->n_aimed = 0;
	match->usual = match->met = match->broken = 0;
	match->ends = ends;
	memset(match->question_allow, 0, sizeof(match->question_allow));
}

// What is left when usual messages are through.
static void match_end(struct match *match)
{
	for (uint32_t odd = match->burst->responses & ~match->usual; RARE(odd); odd &= odd - 1)
		slot_read(match, (unsigned)__builtin_ctz(odd));
	if (match->n_names > 0)
		names_lookup(match);
	slots_judge(match);
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
