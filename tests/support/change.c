/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "dns/dns_rdata.h"
#include "pkt/pkt.h"

#define EDIT_POINTER 1    // follows what it points at
#define EDIT_VALUE   0xfe // becomes something else

// A message, and where a walk over its records is.
struct walk {
	const uint8_t *msg;
	uint32_t size, off;
	unsigned left;
	struct dns_rr rr;
	const uint8_t *edits; // how each octet may change, then what is behind; NULL: nobody asks
};

static uint32_t questions_end(const uint8_t *msg, uint32_t size)
{
	uint32_t off = DNS_HEADER_SIZE;

	for (unsigned n = dns_msg_qdcount(msg); n > 0; n--) {
		int name = dns_msg_name_skip(msg, size, off);

		if (name < 0)
			return size;
		off += (uint32_t)name + 4;
	}
	return off;
}

static struct walk walk_begin(const uint8_t *msg, uint32_t size)
{
	return (struct walk){msg, size, questions_end(msg, size),
		dns_msg_ancount(msg) + dns_msg_nscount(msg) + (unsigned)dns_msg_arcount(msg), {0},
		NULL};
}

// @return whether there is a further record; walk->left tells whether the end is the message's
static bool walk_next(struct walk *walk)
{
	int size;

	if (walk->left == 0 || walk->off > walk->size)
		return false;
	size = dns_msg_rr_read(walk->msg, walk->size, walk->off, &walk->rr);
	if (size < 0)
		return false;
	walk->off += (uint32_t)size;
	walk->left--;
	return true;
}

// Whether a pointer leads into octets that a rewrite may change: the middle of an address is no name,
// nor are other names' pointers. What was no name because of such octets may become one.
static bool is_edited(const struct walk *walk, uint32_t at)
{
	unsigned jumps = 0;

	if (!walk->edits)
		return false;
	while (at < walk->size) {
		uint8_t size = walk->msg[at];
		bool pointer = size >= 0xc0;
		unsigned end = pointer ? 1 : size;

		// Pointers that follow are what a move changes, but values may look like pointers.
		for (unsigned n = 0; n <= end && at + n < walk->size; n++)
			if (walk->edits[at + n] &
				(pointer ? EDIT_VALUE : EDIT_VALUE | EDIT_POINTER))
				return true;
		if (size == 0 || (!pointer && size > 63) || (pointer && ++jumps > DNS_LABELS_MAX))
			return false;
		if (at + 1 >= walk->size)
			break;
		at = pointer ? load_be16(walk->msg + at) & 0x3fff : at + size + 1u;
	}
	// What led outside may lead to what was added.
	return walk->edits[walk->size] != 0;
}

static bool names_same(const struct walk *a, uint32_t at, const struct walk *b, uint32_t other)
{
	struct dns_name one, two;
	int x = dns_msg_name_read(a->msg, a->size, at, &one);
	int y = dns_msg_name_read(b->msg, b->size, other, &two);

	if (is_edited(a, at))
		return true;
	// A name that is no name stays one.
	if (x < 0 || y < 0)
		return (x < 0) == (y < 0);
	return one.size == two.size && memcmp(one.bytes, two.bytes, one.size) == 0;
}

static bool is_address(const struct dns_rr *rr)
{
	return rr->class == DNS_CLASS_IN &&
	       ((rr->type == DNS_TYPE_A && rr->rdata_size >= 4) ||
		       (rr->type == DNS_TYPE_AAAA && rr->rdata_size >= 16));
}

static bool is_svcb(const struct dns_rr *rr)
{
	return rr->class == DNS_CLASS_IN &&
	       (rr->type == DNS_TYPE_SVCB || rr->type == DNS_TYPE_HTTPS);
}

// Whether two records say the same, but for addresses, and options of an OPT.
static bool records_same(const struct walk *a, const struct walk *b)
{
	uint16_t at[DNS_RDATA_NAMES_MAX], other[DNS_RDATA_NAMES_MAX];
	int n = dns_rdata_names(a->msg, &a->rr, at);

	if (a->rr.type != b->rr.type || a->rr.class != b->rr.class ||
		!names_same(a, a->rr.name, b, b->rr.name))
		return false;
	if (a->rr.type == DNS_TYPE_OPT)
		return true;
	if (a->rr.rdata_size != b->rr.rdata_size)
		return false;
	if (is_address(&a->rr) || is_svcb(&a->rr))
		return true;
	if (n <= 0)
		return n == dns_rdata_names(b->msg, &b->rr, other) &&
		       memcmp(a->msg + a->rr.rdata, b->msg + b->rr.rdata, a->rr.rdata_size) == 0;
	if (dns_rdata_names(b->msg, &b->rr, other) != n)
		return false;
	for (int i = 0; i < n; i++)
		if (!names_same(a, at[i], b, other[i]))
			return false;
	return true;
}

// Each record after is one from before, in that order; @p added of them are new.
static const char *records_walk(struct walk before, struct walk after, unsigned added)
{
	while (walk_next(&after)) {
		struct walk saved = before;
		bool found = false;

		while (!found && walk_next(&before))
			found = records_same(&before, &after);
		if (found)
			continue;
		before = saved;
		if (added-- == 0)
			return "a record that was not there";
	}
	if (after.left != 0)
		return "records cannot be walked any more";
	return NULL;
}

// Note octets of a record that a rewrite may touch.
static void record_may_change(const uint8_t *msg, const struct dns_rr *rr, uint8_t *mask)
{
	struct dns_svcb_hint hint;
	struct dns_svcb svcb;

	if (is_address(rr)) {
		memset(mask + rr->ttl, 0xff, 4);
		memset(mask + rr->rdata, 0xff, rr->type == DNS_TYPE_A ? 4 : 16);
	}
	if (!is_svcb(rr))
		return;
	dns_svcb_begin(msg, rr, &svcb);
	while (dns_svcb_next(msg, &svcb, &hint)) {
		memset(mask + rr->ttl, 0xff, 4);
		memset(mask + hint.at, 0xff, (size_t)hint.n * hint.size);
	}
}

// Where octets go, pointers to what is behind them change.
static void pointer_may_change(const struct walk *walk, uint32_t at, uint8_t *mask)
{
	if (dns_msg_name_skip(walk->msg, walk->size, at) < 0)
		return;
	while (walk->msg[at] != 0 && walk->msg[at] < 0xc0)
		at += walk->msg[at] + 1u;
	if (walk->msg[at] == 0)
		return;
	mask[at] |= EDIT_POINTER;
	mask[at + 1] |= EDIT_POINTER;
}

static void pointers_may_change(const struct walk *walk, uint8_t *mask)
{
	uint16_t at[DNS_RDATA_NAMES_MAX];
	int n = dns_rdata_names(walk->msg, &walk->rr, at);

	pointer_may_change(walk, walk->rr.name, mask);
	for (int i = 0; i < n; i++)
		pointer_may_change(walk, at[i], mask);
}

// How a rewrite may change each octet of a message; from @p end on it may become something else. @return to be
// freed; NULL: no memory
static uint8_t *edits_make(struct walk walk, uint32_t end)
{
	uint8_t *edits = calloc(1, walk.size + 1u);

	if (!edits)
		return NULL;
	while (walk_next(&walk)) {
		record_may_change(walk.msg, &walk.rr, edits);
		pointers_may_change(&walk, edits);
		// Its length, too.
		if (walk.rr.type == DNS_TYPE_OPT)
			memset(edits + walk.rr.rdata - 2, 0xff, walk.rr.rdata_size + 2u);
	}
	memset(edits + end, 0xff, walk.size + 1u - end);
	return edits;
}

// All of them, of the records that there are. What stands from @p end on may become something else.
static const char *records_error(
	const struct walk *from, const struct walk *to, uint32_t end, unsigned added)
{
	uint8_t *edits = edits_make(*from, end);
	struct walk before = *from;
	const char *error;

	if (!edits)
		return "no memory";
	before.edits = edits;
	error = records_walk(before, *to, added);
	free(edits);
	return error;
}

// Nothing but addresses, TTLs and AD.
static const char *in_place_error(
	const uint8_t *before, const uint8_t *after, const struct burst_slot *slot)
{
	uint16_t size = slot->msg_size;
	struct walk walk = walk_begin(before, size);
	uint8_t *mask = calloc(1, size);
	unsigned answers = dns_msg_ancount(before), authority = dns_msg_nscount(before);
	const char *error = NULL;

	if (!mask)
		return "no memory";
	for (unsigned i = 0; walk_next(&walk); i++) {
		if (i < answers || i >= answers + authority)
			record_may_change(before, &walk.rr, mask);
		// Padding may become an Extended DNS Error.
		if (walk.rr.type == DNS_TYPE_OPT && slot->protocol != 17 && !slot->partly)
			memset(mask + walk.rr.rdata, 0xff, walk.rr.rdata_size);
	}
	mask[3] |= DNS_FLAG_AD;
	for (uint32_t i = 0; i < size && !error; i++)
		if ((before[i] ^ after[i]) & ~mask[i])
			error = "changed where a rewrite must not";
	free(mask);
	return error;
}

static bool may_be_empty(enum reason reason)
{
	return reason == REASON_truncated || reason == REASON_nodata || reason == REASON_nxdomain;
}

static bool record_is_renamed(const struct walk *walk)
{
	uint16_t at[DNS_RDATA_NAMES_MAX];
	int n = dns_rdata_names(walk->msg, &walk->rr, at);
	bool renamed = is_edited(walk, walk->rr.name);

	for (int i = 0; i < n; i++)
		renamed |= is_edited(walk, at[i]);
	return renamed;
}

bool change_may_rename(const struct change *change)
{
	const struct burst_slot *slot = change->found;
	const uint8_t *after = change->after + slot->msg;
	struct walk walk = walk_begin(change->before + slot->msg, slot->msg_size);
	uint8_t *edits = edits_make(walk, walk.size);
	bool renamed = !edits;

	if (may_be_empty(slot->reason))
		walk.left = 0;
	// Where nothing moved it is known what changed.
	if (edits && change->msg_size == slot->msg_size)
		for (uint32_t i = 0; i <= walk.size; i++)
			edits[i] = i < walk.size && walk.msg[i] != after[i] ? EDIT_VALUE : 0;
	walk.edits = edits;
	while (!renamed && walk_next(&walk))
		renamed = record_is_renamed(&walk);
	free(edits);
	return renamed;
}

static const char *header_error(
	const struct change *change, const uint8_t *before, const uint8_t *after)
{
	enum reason reason = change->found->reason;
	uint16_t flags = dns_msg_flags(after), was = dns_msg_flags(before);
	uint16_t rcode = reason == REASON_nxdomain ? 3 : 0;

	if (memcmp(before, after, 2) != 0 || memcmp(before + 4, after + 4, 2) != 0)
		return "another identifier, or number of questions";
	// What was sent before cannot change any more.
	if (change->found->protocol != 17 && change->found->partly)
		return memcmp(before, after, 12) == 0 ? NULL : "the header of a message in part";
	if (flags & DNS_FLAG_AD)
		return "AD is still set";
	if (reason == REASON_rewritten || reason == REASON_fallback)
		return flags == (was & ~DNS_FLAG_AD) ? NULL : "other flags";
	if ((flags & 15) != rcode || (flags & 0xf910) != (was & 0xf910))
		return "other flags than the action sets";
	if (!may_be_empty(reason))
		return NULL;
	if (!(flags & DNS_FLAG_TC) != (reason != REASON_truncated) || flags & DNS_FLAG_AA)
		return "TC or AA is wrong";
	if (dns_msg_ancount(after) || dns_msg_nscount(after) || dns_msg_arcount(after) > 1)
		return "records were left";
	return NULL;
}

static const char *message_error(const struct change *change)
{
	const struct burst_slot *slot = change->found;
	const uint8_t *before = change->before + slot->msg, *after = change->after + slot->msg;
	struct walk from = walk_begin(before, slot->msg_size);
	struct walk to = walk_begin(after, change->msg_size);
	const char *error = header_error(change, before, after);
	struct dns_rest rest;

	if (error)
		return error;
	if (from.off != to.off || memcmp(before + 12, after + 12, from.off - 12) != 0)
		return "another question";
	if ((slot->reason == REASON_rewritten || slot->reason == REASON_fallback) &&
		change->msg_size == slot->msg_size &&
		dns_msg_ancount(before) == dns_msg_ancount(after))
		return in_place_error(before, after, slot);
	// Where a signature went or an option came, what is left is the same but for its place.
	dns_msg_rest_read(before, slot->msg_size, slot->behind, &rest);
	if (!may_be_empty(slot->reason) && !rest.whole)
		return "records were moved that cannot be walked";
	if (slot->reason == REASON_answered)
		return records_error(&from, &to, slot->behind, 1);
	return records_error(&from, &to, from.size, 0);
}

struct csum_udp change_csum(const uint8_t *frame, const struct burst_slot *slot, uint16_t msg_size)
{
	bool v4 = slot->family == ADDR_IPV4;

	return (struct csum_udp){
		.addresses = frame + slot->l3 + (v4 ? 12 : 8),
		.addresses_size = v4 ? 8 : 32,
		.udp = frame + slot->l4,
		.size = msg_size + 8u,
	};
}

static const char *csum_error(const struct change *change)
{
	const struct csum_udp before =
		change_csum(change->before, change->found, change->found->msg_size);
	const struct csum_udp after = change_csum(change->after, change->found, change->msg_size);
	uint16_t was = load_be16(before.udp + 6), is = load_be16(after.udp + 6);

	if ((was == 0) != (is == 0))
		return "a checksum of 0 means none, and must stay or not come to be";
	if (was == 0)
		return NULL;
	if (csum_full_minus(was, csum_full_udp(&before)) !=
		csum_full_minus(is, csum_full_udp(&after)))
		return "the checksum is not off by what it was off before";
	return NULL;
}

// Headers of a frame of another length: the same but for lengths and the IPv4 checksum.
static const char *frame_error(const struct change *change)
{
	const struct burst_slot *slot = change->found;
	struct burst_slot again = {
		.frame = (uint8_t *)(uintptr_t)change->after, .frame_size = change->after_size};
	uint32_t end = slot->msg + (uint32_t)change->msg_size;
	uint8_t headers[UINT16_MAX];

	if (pkt_parse(&again) != REASON_none)
		return "the frame cannot be parsed any more";
	if (again.l3 != slot->l3 || again.l4 != slot->l4 || again.msg_size != change->msg_size)
		return "lengths do not tell where the message ends";
	memcpy(headers, change->after, slot->msg);
	if (slot->family == ADDR_IPV4) {
		memcpy(headers + slot->l3 + 2, change->before + slot->l3 + 2, 2);
		memcpy(headers + slot->l3 + 10, change->before + slot->l3 + 10, 2);
	} else {
		memcpy(headers + slot->l3 + 4, change->before + slot->l3 + 4, 2);
	}
	memcpy(headers + slot->l4 + 4, change->before + slot->l4 + 4, 4);
	if (slot->l3 >= 22)
		memcpy(headers + slot->l3 - 4, change->before + slot->l3 - 4, 2);
	if (memcmp(headers, change->before, slot->msg) != 0)
		return "another header";
	if (change->after_size != end && (change->after_size > 60 || change->after_size < end))
		return "the frame's end is not that of its packet";
	if (change->before_size >= 60 && change->after_size < 60)
		return "a short frame without padding";
	for (; end < change->after_size; end++)
		if (change->after[end])
			return "padding is not zero";
	return NULL;
}

const char *change_error(const struct change *change)
{
	const struct burst_slot *slot = change->found;
	const char *error;

	if (!reason_is_filtered(slot->reason) || slot->reason == REASON_dropped)
		return change->before_size == change->after_size &&
				       memcmp(change->before, change->after, change->before_size) ==
					       0
			       ? NULL
			       : "changed, and the reason does not say so";
	error = message_error(change);
	if (!error && change->msg_size != slot->msg_size)
		error = frame_error(change);
	if (!error && change->msg_size == slot->msg_size &&
		(change->before_size != change->after_size ||
			memcmp(change->before, change->after, slot->msg - 2u) != 0))
		error = "changed outside of the message";
	return error ? error : csum_error(change);
}

const char *change_fixed_error(const struct change *change)
{
	const struct burst_slot *slot = change->found;

	if (change->before_size != change->after_size || change->msg_size != slot->msg_size)
		return "another length, where it is fixed";
	if (memcmp(change->before, change->after, slot->msg) != 0)
		return "a header was changed, where there is none";
	if (slot->reason == REASON_truncated || slot->reason == REASON_dropped)
		return "an action that TCP does not have";
	if (!reason_is_filtered(slot->reason))
		return memcmp(change->before, change->after, change->before_size) == 0
			       ? NULL
			       : "changed, and the reason does not say so";
	return message_error(change);
}
