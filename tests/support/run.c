/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns_ends.h"
#include "pipeline/pipeline_private.h"
#include "pkt/pkt.h"

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "run: %s\n", what);
	abort();
}

// The quick way of parsing finds what the other one does, or leaves the packet to it.
static void parse_agrees(const struct burst *burst)
{
	struct burst_slot quick = burst->slot[0], slow = quick;
	enum reason usual = pkt_parse_usual(&quick), reason = pkt_parse(&slow);

	if (usual == REASON_COUNT)
		return;
	must(reason == usual, "parsed in two ways, for two reasons");
	if (reason == REASON_not_udp)
		slow.msg = quick.msg, slow.msg_size = quick.msg_size;
	must(quick.l3 == slow.l3 && quick.l4 == slow.l4 && quick.msg == slow.msg &&
			quick.msg_size == slow.msg_size && quick.src_port == slow.src_port &&
			quick.dst_port == slow.dst_port && quick.family == slow.family &&
			quick.protocol == slow.protocol,
		"parsed in two ways, with two results");
}

static void match_agrees(const struct burst *burst, const struct burst *other)
{
	const struct burst_slot *a = &burst->slot[0], *b = &other->slot[0];

	must(a->reason == b->reason, "two ways of matching, two reasons");
	if (!a->response)
		return;
	must(a->block == b->block && a->log == b->log && a->allow == b->allow,
		"two ways of matching, two rules");
	must(!(a->block || a->log) || a->match == b->match, "two ways of matching, two names");
	must(a->question == b->question && (!a->question || a->qtype == b->qtype) &&
			a->edit == b->edit && a->rcode == b->rcode,
		"two ways of matching, two messages");
	// Addresses are asked for only where there is a rule.
	must(!a->block || (a->n_ipv4 == b->n_ipv4 && a->n_ipv6 == b->n_ipv6),
		"two ways of matching, other addresses");
}

// All ways of matching find the same.
static void match_all(struct burst *burst, const struct pipeline_tables *tables)
{
	struct burst slow = *burst, plain = *burst;

	pipeline_match_slow(&slow, tables);
	pipeline_match_plain(&plain, tables);
	match_agrees(&slow, &plain);
	pipeline_match(burst, tables);
	match_agrees(&slow, burst);
}

enum reason run_frame(uint8_t *frame, uint32_t size, enum burst_side side,
	const struct pipeline_tables *tables, struct stats_worker *stats, struct burst_slot *slot)
{
	struct burst burst;

	// What an earlier burst left in a slot must not matter.
	memset(&burst, 0xa5, sizeof(burst));
	burst.n = 1;
	burst.side = side;
	burst.slot[0].frame = frame;
	burst.slot[0].frame_size = size;
	burst.bytes = size;
	parse_agrees(&burst);
	pipeline_parse(&burst, tables);
	pipeline_consent(&burst, tables);
	match_all(&burst, tables);
	pipeline_rewrite(&burst, tables, stats);
	pipeline_count(&burst, tables, stats);
	if (slot)
		*slot = burst.slot[0];
	return burst.slot[0].reason;
}

struct csum_udp run_csum(const uint8_t *frame, const struct burst_slot *slot)
{
	bool v4 = slot->family == ADDR_IPV4;

	return (struct csum_udp){
		.addresses = frame + slot->l3 + (v4 ? 12 : 8),
		.addresses_size = v4 ? 8 : 32,
		.udp = frame + slot->l4,
		.size = slot->msg_size + 8u,
	};
}

// Note the octets of the answer section that a rewrite may touch.
static void may_change(const uint8_t *msg, uint32_t size, uint8_t *mask)
{
	uint32_t off = DNS_HEADER_SIZE;

	for (unsigned n = dns_msg_qdcount(msg); n > 0; n--)
		off += (uint32_t)dns_msg_name_skip(msg, size, off) + 4;
	for (unsigned n = dns_msg_ancount(msg); n > 0; n--) {
		struct dns_rr rr;
		int rr_size = dns_msg_rr_read(msg, size, off, &rr);

		if (rr_size < 0)
			return;
		off += (uint32_t)rr_size;
		if (rr.class != DNS_CLASS_IN ||
			!((rr.type == DNS_TYPE_A && rr.rdata_size == 4) ||
				(rr.type == DNS_TYPE_AAAA && rr.rdata_size == 16)))
			continue;
		memset(mask + rr.ttl, 0xff, 4);
		memset(mask + rr.rdata, 0xff, rr.rdata_size);
	}
}

static const char *csum_error(const struct run_change *change)
{
	const struct csum_udp before = run_csum(change->before, change->slot);
	const struct csum_udp after = run_csum(change->after, change->slot);
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

const char *run_change_error(const struct run_change *change)
{
	const struct burst_slot *slot = change->slot;
	uint8_t *mask;
	const char *error = NULL;

	if (slot->reason != REASON_rewritten)
		return memcmp(change->before, change->after, change->size) == 0
			       ? NULL
			       : "changed, and the reason is not rewritten";
	mask = calloc(1, change->size);
	if (!mask)
		return "no memory";
	may_change(change->before + slot->msg, slot->msg_size, mask + slot->msg);
	mask[slot->msg + 3] |= DNS_FLAG_AD;
	memset(mask + slot->l4 + 6, 0xff, 2);
	for (uint32_t i = 0; i < change->size && !error; i++)
		if ((change->before[i] ^ change->after[i]) & ~mask[i])
			error = "changed where a rewrite must not";
	if (!error && change->after[slot->msg + 3] & DNS_FLAG_AD)
		error = "AD is still set";
	free(mask);
	return error ? error : csum_error(change);
}

uint64_t run_verdicts(const struct stats_worker *stats)
{
	uint64_t sum = 0;

	for (enum reason reason = 0; reason < REASON_COUNT; reason++)
		sum += stats->verdicts[reason];
	return sum;
}
