/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the parts of matching share: usual messages, all of a burst together (pipeline_match.c), any
 * message by itself (pipeline_read.c), and what both come to (pipeline_judge.c).
 */
#include <assert.h>
#include <stddef.h>

#include "dns/dns_ends.h"
#include "pipeline/pipeline.h"

#define NAMES_MAX   128
#define RECORDS_MAX 16 // of a usual message; also the most names that its answers hold

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
	// Bits of the slots of which a part was passed over, for the reason they have. What was met in the
	// rest decides all the same.
	uint32_t partly;
	uint32_t over;            // bits of the slots whose patterns took what they may
	void (*ends)(struct match *);
	struct fqdn_effort *effort; // of the odd message that is read; NULL: none is
	struct pattern_effort scanned;
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

// Note a name for its look-up.
static ALWAYS_INLINE void name_note(struct match *match, unsigned i, const uint8_t *msg,
	uint32_t msg_size, uint32_t off, struct name_owner owner)
{
	match->names[i].msg = msg;
	match->names[i].msg_size = (uint16_t)msg_size;
	match->names[i].at = (uint16_t)off;
	match->owners[i] = owner;
}

// What a message comes to when none of its names has a rule.
static inline enum reason slot_nothing(const struct burst_slot *slot)
{
	return slot->refused & CONSENT_NO_FILTER ? REASON_no_filter : REASON_miss;
}

/** Reasons by negative enum dns_err. */
extern const enum reason pipeline_dns_reasons[];

/** Look up the names noted so far, in their order; none is left. */
void pipeline_names_lookup(struct match *match);

/**
 * What becomes of a response with a name of @p list, which filters: slot->edit is set where the rewrite
 * stage has to do it. Asked before anything changes, since the mirror takes the original and the reason.
 */
enum reason pipeline_verdict(struct burst_slot *slot, const struct policy_list *list);

/** Verdicts of all messages of which a name has rules, when all names are looked up. */
void pipeline_slots_judge(struct match *match);

/** Read a message of any form; it decides what the message is. */
void pipeline_read(struct match *match, unsigned number);

/** Walk all answers of a message: addresses, and where they start and end. @return whether they are whole */
bool pipeline_answers_walk(struct burst_slot *slot);

/**
 * Why RDATA is not one name and nothing else (RFC 1035 s3.3.1): what is in RDATA counts, not what
 * stands behind it.
 *
 * @param reason what it is if it is as long as one name
 */
enum reason pipeline_target_reason(
	const uint8_t *msg, uint32_t rdata, uint32_t rdata_size, enum reason reason);
