/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "dns/dns_name.h"

#define OPTION_EDE_MIN 2  // RFC 8914 s2: INFO-CODE
#define ROOM_TRIES     16 // others may take the room that we made

/** A message that is being read. */
struct reading {
	const uint8_t *msg;
	uint32_t size;
	bool resolver;        // of a resolver's side
	struct dns_name zone; // that the answer is from, as far as it is known
	bool has_zone;
	bool zone_is_said; // by the resolver
	uint32_t answer, authority, additional,
		end;            // where sections begin; end: behind what can be read
	uint32_t owner_pointer; // that `owner` was read from; 0: none
	struct dns_name owner;
};

/** Where tuples go, and what is counted. */
struct taking {
	struct pdns *pdns;
	enum pdns_class class;
	struct pdns_sum sum;
	unsigned n, skipped;
};

/* ---- reading --------------------------------------------------------------------------------- */

// Returns where the section behind ends, 0: it cannot be read.
static uint32_t section_skip(const struct reading *r, uint32_t off, unsigned n)
{
	while (n-- > 0) {
		struct dns_rr rr;
		int taken = dns_msg_rr_read(r->msg, r->size, off, &rr);

		if (taken < 0)
			return 0;
		off += (uint32_t)taken;
	}
	return off;
}

static uint32_t questions_skip(const struct reading *r)
{
	uint32_t off = DNS_HEADER_SIZE;

	for (unsigned i = dns_msg_qdcount(r->msg); i > 0; i--) {
		int taken = dns_msg_name_skip(r->msg, r->size, off);

		if (taken < 0 || r->size - off - (uint32_t)taken < 4)
			return 0;
		off += (uint32_t)taken + 4;
	}
	return off;
}

// All of a section or nothing of it. The answer has to be there; what is behind may be cut off.
static bool sections_find(struct reading *r)
{
	r->answer = questions_skip(r);
	if (r->answer == 0)
		return false;
	r->authority = section_skip(r, r->answer, dns_msg_ancount(r->msg));
	if (r->authority == 0)
		return false;
	r->additional = section_skip(r, r->authority, dns_msg_nscount(r->msg));
	r->end = r->additional ? section_skip(r, r->additional, dns_msg_arcount(r->msg)) : 0;
	if (r->additional == 0)
		r->additional = r->authority;
	if (r->end == 0)
		r->end = r->additional;
	return true;
}

/* ---- what a policy made up ------------------------------------------------------------------- */

// RFC 8914 s4: an answer that is forged, blocked, censored or filtered.
static bool ede_says_so(const uint8_t *msg, const struct dns_rr *opt)
{
	uint32_t at = opt->rdata, end = opt->rdata + (uint32_t)opt->rdata_size;

	while (end - at >= DNS_OPTION_SIZE) {
		uint16_t code = load_be16(msg + at), size = load_be16(msg + at + 2);
		uint16_t info;

		at += DNS_OPTION_SIZE;
		if (size > end - at)
			break;
		info = code == DNS_OPTION_EDE && size >= OPTION_EDE_MIN ? load_be16(msg + at) : 0;
		if (info == 4 || (info >= 15 && info <= 17))
			return true;
		at += size;
	}
	return false;
}

// A server that answers out of a response policy zone puts that zone's SOA into the additional
// section, where no other answer has one (draft-vixie-dnsop-dns-rpz-00 s6).
static bool is_made_up(const struct reading *r)
{
	uint32_t off = r->additional;

	while (off < r->end) {
		struct dns_rr rr;
		int taken = dns_msg_rr_read(r->msg, r->size, off, &rr);

		if (taken < 0)
			break;
		off += (uint32_t)taken;
		if (rr.type == PDNS_TYPE_SOA ||
			(rr.type == DNS_TYPE_OPT && ede_says_so(r->msg, &rr)))
			return true;
	}
	return false;
}

/* ---- bailiwick ------------------------------------------------------------------------------- */

static bool is_below(const struct dns_name *name, const struct dns_name *zone)
{
	unsigned left = (unsigned)(name->n_labels - zone->n_labels);

	if (name->n_labels < zone->n_labels || name->size < zone->size)
		return false;
	return left == name->n_labels ||
	       (name->size - name->label[left] == zone->size &&
		       memcmp(name->bytes + name->label[left], zone->bytes, zone->size) == 0);
}

// Whether a zone that the answer itself names may be believed. A resolver looks at where its
// question is, and what claims to answer for all of "com" may be whoever has a name there.
static bool zone_is_sound(const struct reading *r, const struct dns_name *question)
{
	return !r->resolver || (is_below(question, &r->zone) &&
				       r->zone.n_labels >= pdns_base_labels(question->bytes));
}

// The owner of the first SOA or NS in the authority section: the zone that answers, or in a
// referral the one below.
static void zone_find(struct reading *r)
{
	struct dns_name question;
	uint32_t off = r->authority;

	if (dns_msg_qdcount(r->msg) == 0 ||
		dns_msg_name_read(r->msg, r->size, DNS_HEADER_SIZE, &question) < 0)
		return;
	while (off < r->additional) {
		struct dns_rr rr;
		int taken = dns_msg_rr_read(r->msg, r->size, off, &rr);

		if (taken < 0)
			return;
		off += (uint32_t)taken;
		if ((rr.type != PDNS_TYPE_SOA && rr.type != PDNS_TYPE_NS) ||
			dns_msg_name_read(r->msg, r->size, rr.name, &r->zone) < 0)
			continue;
		r->has_zone = zone_is_sound(r, &question);
		return;
	}
}

static void zone_said(struct reading *r, const uint8_t *zone, size_t size)
{
	uint32_t at = 0;

	if (!zone || size > DNS_NAME_SIZE_MAX || pdns_name_size(zone, size) != size)
		return;
	r->zone.n_labels = 0;
	for (; zone[at]; at += 1u + zone[at])
		r->zone.label[r->zone.n_labels++] = (uint8_t)at;
	r->zone.size = (uint8_t)pdns_name_fold(zone, r->zone.bytes);
	r->has_zone = r->zone_is_said = true;
}

/* ---- taking ---------------------------------------------------------------------------------- */

// The owner of a record; most in a row have the same pointer.
static bool owner_read(struct reading *r, const struct dns_rr *rr)
{
	uint32_t pointer = r->msg[rr->name] >= 0xc0 ? load_be16(r->msg + rr->name) : 0;

	if (pointer && pointer == r->owner_pointer)
		return true;
	r->owner_pointer = 0;
	if (dns_msg_name_read(r->msg, r->size, rr->name, &r->owner) < 0)
		return false;
	r->owner_pointer = pointer;
	return true;
}

static bool is_data(const uint8_t *msg, const struct dns_rr *rr)
{
	if (rr->class != DNS_CLASS_IN || !pdns_type_is_data(rr->type))
		return false;
	// A SIG that covers no type signs the message (RFC 2931 s3).
	return rr->type != DNS_TYPE_SIG || rr->rdata_size < 2 || load_be16(msg + rr->rdata) != 0;
}

// @p strict: nothing outside of the zone. Under lock.
static void record_take(
	struct reading *r, struct taking *taking, const struct dns_rr *rr, bool strict)
{
	uint8_t rdata[PDNS_RDATA_MAX];
	struct pdns_tuple_key tuple;
	bool below;
	int size;

	if (!is_data(r->msg, rr))
		return;
	size = owner_read(r, rr) ? pdns_rdata_expand(r->msg, r->size, rr, rdata) : -1;
	below = size >= 0 && r->has_zone && is_below(&r->owner, &r->zone);
	if (size < 0 || (strict && !below)) {
		taking->skipped++;
		return;
	}
	tuple = (struct pdns_tuple_key){
		.owner = r->owner.bytes,
		.owner_size = r->owner.size,
		.type = rr->type,
		.bailiwick = below ? r->zone.n_labels : PDNS_BAILIWICK_NONE,
		.rdata = rdata,
		.rdata_size = (size_t)size,
	};
	// There is room: lock_for saw to it.
	taking->n += pdns_window_add(taking->pdns->filling, taking->class, &tuple, &taking->sum);
}

// Records from @p off on up to @p end.
static void section_take(
	struct reading *r, struct taking *taking, uint32_t off, uint32_t end, bool strict)
{
	while (off < end) {
		struct dns_rr rr;
		int taken = dns_msg_rr_read(r->msg, r->size, off, &rr);

		if (taken < 0)
			return;
		off += (uint32_t)taken;
		record_take(r, taking, &rr, strict);
	}
}

static bool message_read(struct reading *r, const struct pdns_answer *answer)
{
	if (answer->size < DNS_HEADER_SIZE || answer->size > DNS_MSG_SIZE_MAX)
		return false;
	r->msg = answer->msg;
	r->size = (uint32_t)answer->size;
	r->resolver = answer->class == PDNS_RESOLVER;
	r->has_zone = r->zone_is_said = false;
	r->owner_pointer = 0;
	return (dns_msg_flags(r->msg) & DNS_FLAG_QR) &&
	       dns_msg_opcode(r->msg) == DNS_OPCODE_QUERY && sections_find(r);
}

// Something came. Under lock.
static void age_note(struct pdns *pdns)
{
	if (pdns_window_wants_age(pdns->filling))
		pdns_window_age(pdns->filling, pdns->now_us());
}

// The number of a message, which waits to be written as tuples do. Under lock.
static void number_note(struct pdns *pdns, uint64_t start, uint64_t seq)
{
	pdns_stream_note(pdns, start, seq);
	if (start)
		age_note(pdns);
}

static int refused(struct pdns *pdns, const struct pdns_answer *answer, enum pdns_refusal refusal)
{
	uint64_t *counts[] = {&pdns->stats.malformed, &pdns->stats.made_up, &pdns->stats.no_room,
		&pdns->stats.bad_time};

	pthread_mutex_lock(&pdns->lock);
	*counts[-(int)refusal - 1] += 1;
	// It came, so it is not lost; where there was no room it is.
	if (refusal != PDNS_E_ROOM)
		number_note(pdns, answer->start, answer->seq);
	pthread_mutex_unlock(&pdns->lock);
	return refusal;
}

// Take lock with room for so many tuples in the window. Returns false without it: there is none.
static bool lock_with_room(struct pdns *pdns, size_t n, size_t octets)
{
	for (unsigned i = 0; i < ROOM_TRIES; i++) {
		pthread_mutex_lock(&pdns->lock);
		if (pdns_window_has_room(pdns->filling, n, octets))
			return true;
		pthread_mutex_unlock(&pdns->lock);
		if (pdns_room_make(pdns, n, octets) < 0)
			return false;
	}
	return false;
}

// What a message may take at most: names that were compressed, three a record, and the rest of it.
static bool lock_for(struct pdns *pdns, const struct reading *r)
{
	size_t n =
		(size_t)dns_msg_ancount(r->msg) + dns_msg_nscount(r->msg) + dns_msg_arcount(r->msg);
	size_t most = r->size / (1 + DNS_RR_FIXED_SIZE);

	n = n < most ? n : most;
	return lock_with_room(pdns, n, n * 3 * DNS_NAME_SIZE_MAX + r->size);
}

int pdns_observe(struct pdns *pdns, const struct pdns_answer *answer)
{
	struct taking taking = {.pdns = pdns, .class = answer->class};
	struct reading r;

	if (answer->time_s < 0 || answer->time_s > UINT32_MAX)
		return refused(pdns, answer, PDNS_E_TIME);
	if (!message_read(&r, answer))
		return refused(pdns, answer, PDNS_E_MESSAGE);
	if (is_made_up(&r))
		return refused(pdns, answer, PDNS_E_MADE_UP);
	zone_said(&r, answer->zone, answer->zone_size);
	if (!r.has_zone)
		zone_find(&r);
	taking.sum = (struct pdns_sum){
		.count = 1, .first = (uint32_t)answer->time_s, .last = (uint32_t)answer->time_s};
	if (!lock_for(pdns, &r))
		return refused(pdns, answer, PDNS_E_ROOM);
	section_take(&r, &taking, r.answer, r.authority, r.zone_is_said);
	if (r.resolver)
		section_take(&r, &taking, r.authority, r.end, true);
	pdns->stats.messages++;
	pdns->stats.tuples += taking.n;
	pdns->stats.skipped_records += taking.skipped;
	pdns_stream_note(pdns, answer->start, answer->seq);
	age_note(pdns);
	pthread_mutex_unlock(&pdns->lock);
	return (int)taking.n;
}

void pdns_skip(struct pdns *pdns, uint64_t start, uint64_t seq)
{
	pthread_mutex_lock(&pdns->lock);
	number_note(pdns, start, seq);
	pthread_mutex_unlock(&pdns->lock);
}

// Labels of a tuple's bailiwick, if the owner is below it.
static uint8_t bailiwick_of(const struct pdns_tuple *tuple, const struct pdns_tuple_key *key)
{
	uint8_t end[DNS_NAME_SIZE_MAX];
	size_t size, at;
	unsigned labels;

	if (!tuple->bailiwick || tuple->bailiwick_size == 0 ||
		pdns_name_size(tuple->bailiwick, tuple->bailiwick_size) != tuple->bailiwick_size)
		return PDNS_BAILIWICK_NONE;
	size = pdns_name_fold(tuple->bailiwick, end);
	labels = pdns_name_labels(end);
	at = pdns_name_tail(key->owner, labels);
	return key->owner_size - at == size && memcmp(key->owner + at, end, size) == 0
		       ? (uint8_t)labels
		       : PDNS_BAILIWICK_NONE;
}

static bool tuple_good(const struct pdns_tuple *tuple)
{
	return tuple->owner_size > 0 &&
	       pdns_name_size(tuple->owner, tuple->owner_size) == tuple->owner_size &&
	       pdns_type_is_data(tuple->type) && tuple->rdata_size <= PDNS_RDATA_MAX &&
	       tuple->first_s >= 0 && tuple->last_s >= tuple->first_s &&
	       tuple->last_s <= UINT32_MAX && tuple->count > 0 && tuple->class < PDNS_CLASSES;
}

int pdns_put(struct pdns *pdns, const struct pdns_tuple *tuple)
{
	uint8_t owner[DNS_NAME_SIZE_MAX], rdata[PDNS_RDATA_MAX];
	struct pdns_tuple_key key = {.owner = owner, .type = tuple->type, .rdata = rdata};
	struct pdns_sum sum;

	if (!tuple_good(tuple))
		return -EINVAL;
	memcpy(rdata, tuple->rdata, tuple->rdata_size);
	if (!pdns_rdata_fold(tuple->type, rdata, tuple->rdata_size))
		return -EINVAL;
	key.owner_size = pdns_name_fold(tuple->owner, owner);
	key.rdata_size = tuple->rdata_size;
	key.bailiwick = bailiwick_of(tuple, &key);
	if (!pdns)
		return 0;
	sum = (struct pdns_sum){tuple->count, (uint32_t)tuple->first_s, (uint32_t)tuple->last_s};
	if (!lock_with_room(pdns, 1, key.owner_size + key.rdata_size))
		return -ENOSPC;
	pdns_window_add(pdns->filling, tuple->class, &key, &sum);
	pdns->stats.tuples++;
	age_note(pdns);
	pthread_mutex_unlock(&pdns->lock);
	return 0;
}
