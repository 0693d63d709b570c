/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pipeline/pipeline_match_private.h"

// What becomes of messages when all their names are looked up.

// What follows from the rules met.
static enum reason slot_verdict(struct burst_slot *slot, const struct policy *policy,
	const struct fqdn_rule *question_allow)
{
	bool canary = question_allow && policy->lists[question_allow->list].canary;

	// Whatever else the message holds, the question is the point of it.
	if (canary && policy_action_filters(policy->lists[question_allow->list].action)) {
		slot->allow = slot->log = NULL;
		slot->block = question_allow;
		slot->match = DNS_HEADER_SIZE;
		return pipeline_verdict(slot, &policy->lists[question_allow->list]);
	}
	if (question_allow && (policy->allow_message || canary) && (slot->block || slot->log)) {
		slot->allow = question_allow;
		slot->block = slot->log = NULL;
	}
	if (!slot->block)
		return slot->log ? REASON_logged : slot->allow ? REASON_allowed : REASON_miss;
	return pipeline_verdict(slot, &policy->lists[slot->block->list]);
}

// Whether rules met in a part of a message decide, although the rest was passed over. Addresses stand in
// the rest as well.
static __attribute__((noinline)) bool slot_is_cut(const struct match *match, unsigned i)
{
	struct burst_slot *slot = &match->burst->slot[i];

	return match->partly >> i & 1 && !(slot->refused & CONSENT_NO_FILTER) &&
	       pipeline_answers_walk(slot);
}

static void slot_judge(struct match *match, unsigned i)
{
	struct burst_slot *slot = &match->burst->slot[i];
	enum reason reason = slot_verdict(slot, match->tables->policy, match->question_allow[i]);

	if (reason != REASON_miss)
		slot->reason = reason;
}

// Names of some messages were not matched against patterns. What else such a message is stays.
static __attribute__((noinline)) void slots_limit(struct match *match)
{
	for (; match->over; match->over &= match->over - 1) {
		unsigned i = (unsigned)__builtin_ctz(match->over);
		struct burst_slot *slot = &match->burst->slot[i];

		if (slot->reason != slot_nothing(slot))
			continue;
		slot->reason = REASON_name_limit;
		match->partly |= 1u << i;
	}
}

void pipeline_slots_judge(struct match *match)
{
	struct burst *burst = match->burst;

	if (RARE(match->over != 0))
		slots_limit(match);
	for (; match->met; match->met &= match->met - 1) {
		unsigned i = (unsigned)__builtin_ctz(match->met);
		struct burst_slot *slot = &burst->slot[i];

		if (match->usual >> i & 1)
			slot->answers = match->answers[i].off;
		if (slot->reason == REASON_miss || slot_is_cut(match, i))
			slot_judge(match, i);
		else
			// The client refused, or in doubt the packet passes: what was met before an
			// error decides nothing.
			slot->block = slot->log = slot->allow = NULL;
		burst->ruled |= (uint32_t)(slot->block || slot->log || slot->allow) << i;
		burst->edits |= (uint32_t)slot->edit << i;
	}
}
