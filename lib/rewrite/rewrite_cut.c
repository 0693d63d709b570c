/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "rewrite/rewrite.h"

#include "dns/dns_rdata.h"

// Pointers that are noted while they are looked at; with more the message is walked once more.
#define FIXES_MAX 192
// Offsets that a pointer can lead to.
#define TARGETS_MAX 0x4000

struct cut {
	uint8_t *msg;
	uint32_t size;
	const struct rewrite_range *ranges;
	unsigned n;
	uint32_t target; // of the pointer looked at last: the next one often leads there, too; ...
	int removed;     // ... and what is removed in front of it
	bool apply;      // else only look whether every pointer can follow
	// Bits of the octets at which a label or pointer of a name is that stays. What leads anywhere else may
	// run on into octets that go, or meet others that look like a pointer and do not follow.
	uint64_t labels[TARGETS_MAX / 64];
	unsigned n_fixes;
	struct {
		uint16_t at, pointer;
	} fixes[FIXES_MAX];
};

static inline void label_note(struct cut *cut, uint32_t off)
{
	if (off < TARGETS_MAX)
		cut->labels[off / 64] |= UINT64_C(1) << off % 64;
}

// Octets removed in front of a label; negative: there is none.
static inline int shift(const struct cut *cut, uint32_t off)
{
	int removed = 0;

	if (off >= cut->size || !(cut->labels[off / 64] >> off % 64 & 1))
		return -1;
	for (unsigned i = 0; i < cut->n && off >= cut->ranges[i].from; i++)
		removed += cut->ranges[i].to - cut->ranges[i].from;
	return removed;
}

// @return whether the pointer at off can follow
static inline bool pointer_fix(struct cut *cut, uint32_t off)
{
	uint32_t target = load_be16(cut->msg + off) & 0x3fff;
	int removed;
	uint16_t pointer;

	label_note(cut, off);
	if (target != cut->target) {
		cut->target = target;
		cut->removed = shift(cut, target);
	}
	removed = cut->removed;
	if (removed <= 0)
		return removed == 0;
	pointer = (uint16_t)(0xc000 | (target - (uint32_t)removed));
	if (cut->apply) {
		store_be16(cut->msg + off, pointer);
	} else if (cut->n_fixes++ < FIXES_MAX) {
		cut->fixes[cut->n_fixes - 1].at = (uint16_t)off;
		cut->fixes[cut->n_fixes - 1].pointer = pointer;
	}
	return true;
}

// A name has one pointer at most, at its end. @return whether it can follow
static bool name_fix(struct cut *cut, uint32_t off)
{
	if (dns_msg_name_skip(cut->msg, cut->size, off) < 0)
		return false;
	for (; cut->msg[off] != 0 && cut->msg[off] < 0xc0; off += cut->msg[off] + 1u)
		label_note(cut, off);
	if (cut->msg[off] != 0)
		return pointer_fix(cut, off);
	label_note(cut, off);
	return true;
}

static bool record_fix(struct cut *cut, const struct dns_rr *rr)
{
	uint16_t at[DNS_RDATA_NAMES_MAX];
	int n = dns_rdata_names(cut->msg, rr, at);

	// Nearly every owner is a pointer.
	if (n < 0 || !(cut->msg[rr->name] >= 0xc0 ? pointer_fix(cut, rr->name)
						  : name_fix(cut, rr->name)))
		return false;
	for (int i = 0; i < n; i++)
		if (!name_fix(cut, at[i]))
			return false;
	return true;
}

// All names of what stays. @return whether the message could be walked, and each pointer can follow
static bool names_fix(struct cut *cut)
{
	const uint8_t *msg = cut->msg;
	uint32_t off = DNS_HEADER_SIZE;
	unsigned n = dns_msg_ancount(msg) + dns_msg_nscount(msg) + dns_msg_arcount(msg);

	for (unsigned questions = dns_msg_qdcount(msg); questions > 0; questions--) {
		int size = dns_msg_name_skip(msg, cut->size, off);

		if (size < 0 || !name_fix(cut, off))
			return false;
		off += (uint32_t)size + 4;
		if (off > cut->size)
			return false;
	}
	for (unsigned range = 0; n > 0; n--) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(msg, cut->size, off, &rr);

		if (size < 0)
			return false;
		while (range < cut->n && cut->ranges[range].to <= off)
			range++;
		if ((range == cut->n || off < cut->ranges[range].from) && !record_fix(cut, &rr))
			return false;
		off += (uint32_t)size;
	}
	return true;
}

uint16_t rewrite_cut(
	uint8_t *msg, uint16_t size, const struct rewrite_range *ranges, unsigned n_ranges)
{
	struct cut cut;
	uint32_t to;

	// The places for pointers are left as they are.
	cut.msg = msg;
	cut.size = size;
	cut.ranges = ranges;
	cut.n = n_ranges;
	memset(cut.labels, 0,
		(size < TARGETS_MAX ? size / 64u + 1 : TARGETS_MAX / 64) * sizeof(uint64_t));
	// The header, where no pointer leads that has been read.
	cut.target = cut.removed = 0;
	cut.apply = false;
	cut.n_fixes = 0;
	if (n_ranges == 0 || !names_fix(&cut))
		return 0;
	cut.apply = true;
	for (unsigned i = 0; i < cut.n_fixes && cut.n_fixes <= FIXES_MAX; i++)
		store_be16(msg + cut.fixes[i].at, cut.fixes[i].pointer);
	if (cut.n_fixes > FIXES_MAX)
		(void)names_fix(&cut);
	to = ranges[0].from;
	for (unsigned i = 0; i < n_ranges; i++) {
		uint32_t from = ranges[i].to, end = i + 1 < n_ranges ? ranges[i + 1].from : size;

		memmove(msg + to, msg + from, end - from);
		to += end - from;
	}
	return (uint16_t)to;
}
