/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "rewrite/rewrite.h"

#include "dns/dns_rdata.h"
#include "rewrite/rewrite_private.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

// A message while addresses are put into it, or only looked for.
struct run {
	uint8_t *msg;
	uint16_t size;
	bool apply;
	const struct policy_sinkhole *sinkhole;
	unsigned next4, next6;
	struct csum_delta delta;
	struct rewrite_counts counts;
};

// The UDP header has an even size, so parity in the message is parity under the checksum.
static ALWAYS_INLINE void put(struct run *run, uint32_t off, const uint8_t *bytes, unsigned size)
{
	if (!run->apply)
		return;
	csum_change(&run->delta, run->msg + off, bytes, size, off & 1);
	memcpy(run->msg + off, bytes, size);
}

static ALWAYS_INLINE void ttl_clamp(struct run *run, uint32_t off)
{
	uint8_t bytes[4];

	if (load_be32(run->msg + off) <= run->sinkhole->ttl_max)
		return;
	store_be32(bytes, run->sinkhole->ttl_max);
	put(run, off, bytes, sizeof(bytes));
}

// Whether a run that only looks has found something.
static ALWAYS_INLINE bool run_is_over(const struct run *run)
{
	return !run->apply && rewrite_any(&run->counts);
}

// What is added to a checksum when 4 octets change.
static inline uint64_t word_change(const uint8_t *before, const uint8_t *after)
{
	return (uint64_t)~csum_load(before, 4) + csum_load(after, 4);
}

// n addresses of @p size octets in a row become those of the sinkhole, from *next on.
static ALWAYS_INLINE void addresses_put(struct run *run, uint32_t off, unsigned n, unsigned size)
{
	const struct policy_sinkhole *sinkhole = run->sinkhole;
	const uint8_t *from = size == 4 ? sinkhole->ipv4[0] : sinkhole->ipv6[0];
	unsigned n_from = size == 4 ? sinkhole->n_ipv4 : sinkhole->n_ipv6;
	unsigned *next = size == 4 ? &run->next4 : &run->next6, at = *next;
	uint8_t *to = run->msg + off;
	uint64_t sum = 0;

	if (!run->apply)
		return;
	for (; n > 0; n--) {
		for (unsigned i = 0; i < size; i += 4)
			sum += word_change(to + i, from + at * size + i);
		memcpy(to, from + at * size, size);
		at = at + 1 < n_from ? at + 1 : 0;
		to += size;
	}
	*next = at;
	run->delta.sum += off & 1 ? sum << 8 : sum;
}

static __attribute__((noinline)) void hints_put(struct run *run, const struct dns_rr *rr)
{
	const struct policy_sinkhole *sinkhole = run->sinkhole;
	bool found = false, left = false;
	struct dns_svcb_hint hint;
	struct dns_svcb svcb;

	dns_svcb_begin(run->msg, rr, &svcb);
	while (dns_svcb_next(run->msg, &svcb, &hint)) {
		bool there = hint.size == 4 ? sinkhole->n_ipv4 > 0 : sinkhole->n_ipv6 > 0;

		found |= there;
		left |= !there;
		if (there && hint.size == 4)
			addresses_put(run, hint.at, hint.n, 4);
		else if (there)
			addresses_put(run, hint.at, hint.n, 16);
	}
	run->counts.n_malformed += svcb.malformed;
	run->counts.n_left += left;
	if (!found)
		return;
	ttl_clamp(run, rr->ttl);
	if (rr->type == DNS_TYPE_SVCB)
		run->counts.n_svcb++;
	else
		run->counts.n_https++;
}

// Addresses of one record of class IN. Where there is more than an address some clients read what stands in
// front, and many resolvers hand such a record on.
static ALWAYS_INLINE void record_put(struct run *run, const struct dns_rr *rr)
{
	if (rr->type == DNS_TYPE_A && rr->rdata_size >= 4) {
		if (run->sinkhole->n_ipv4 == 0) {
			run->counts.n_left++;
			return;
		}
		addresses_put(run, rr->rdata, 1, 4);
		run->counts.n_ipv4++;
	} else if (rr->type == DNS_TYPE_AAAA && rr->rdata_size >= 16) {
		if (run->sinkhole->n_ipv6 == 0) {
			run->counts.n_left++;
			return;
		}
		addresses_put(run, rr->rdata, 1, 16);
		run->counts.n_ipv6++;
	} else {
		if (rr->type == DNS_TYPE_SVCB || rr->type == DNS_TYPE_HTTPS)
			hints_put(run, rr);
		return;
	}
	ttl_clamp(run, rr->ttl);
}

// Type and class of a record as they stand in a message.
#define RAW_ROW(type) __builtin_bswap32((uint32_t)(type) << 16 | DNS_CLASS_IN)

// The usual records in front, CNAMEs and addresses whose owners are pointers, without anything that goes
// through memory. @return where it ends
static ALWAYS_INLINE uint32_t usual_put(struct run *run, const struct rewrite_message *m)
{
	const struct policy_sinkhole *sinkhole = run->sinkhole;
	const uint32_t ttl_max = sinkhole->ttl_max;
	uint8_t *msg = run->msg;
	uint32_t off = m->answers, behind = m->behind, n_ipv4 = 0, n_ipv6 = 0;
	unsigned next4 = run->next4, next6 = run->next6;
	uint64_t sums = 0;

	while (behind - off >= 2 + DNS_RR_FIXED_SIZE && msg[off] >= 0xc0) {
		uint32_t row = csum_load(msg + off + 2, 4), rdata_size = load_be16(msg + off + 10);
		uint8_t *ttl = msg + off + 6, *rdata = msg + off + 12;
		uint64_t sum = 0;

		if (rdata_size > behind - off - 2 - DNS_RR_FIXED_SIZE)
			break;
		if (row == RAW_ROW(DNS_TYPE_A) && rdata_size == 4 && sinkhole->n_ipv4) {
			sum = word_change(rdata, sinkhole->ipv4[next4]);
			memcpy(rdata, sinkhole->ipv4[next4], 4);
			next4 = next4 + 1 < sinkhole->n_ipv4 ? next4 + 1 : 0;
			n_ipv4++;
		} else if (row == RAW_ROW(DNS_TYPE_AAAA) && rdata_size == 16 && sinkhole->n_ipv6) {
			for (unsigned i = 0; i < 16; i += 4)
				sum += word_change(rdata + i, sinkhole->ipv6[next6] + i);
			memcpy(rdata, sinkhole->ipv6[next6], 16);
			next6 = next6 + 1 < sinkhole->n_ipv6 ? next6 + 1 : 0;
			n_ipv6++;
		} else if (row != RAW_ROW(DNS_TYPE_CNAME)) {
			break;
		}
		if (row != RAW_ROW(DNS_TYPE_CNAME) && load_be32(ttl) > ttl_max) {
			uint8_t bytes[4];

			store_be32(bytes, ttl_max);
			sum += word_change(ttl, bytes);
			memcpy(ttl, bytes, 4);
		}
		// TTL and RDATA are of one parity.
		sums += off & 1 ? sum << 8 : sum;
		off += 2 + DNS_RR_FIXED_SIZE + rdata_size;
	}
	run->next4 = next4;
	run->next6 = next6;
	run->delta.sum = sums;
	run->counts.n_ipv4 = (uint16_t)n_ipv4;
	run->counts.n_ipv6 = (uint16_t)n_ipv6;
	return off;
}

// Records from @p off on. @return whether there are signatures
static __attribute__((noinline)) bool answers_put(
	struct run *run, const struct rewrite_message *m, uint32_t off)
{
	bool signatures = false;

	while (off < m->behind && !run_is_over(run)) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(run->msg, run->size, off, &rr);

		if (size < 0)
			break;
		off += (uint32_t)size;
		signatures |= rr.type == DNS_TYPE_RRSIG;
		if (rr.class == DNS_CLASS_IN)
			record_put(run, &rr);
	}
	return signatures;
}

// Addresses in the additional section, of names that the message is about.
static __attribute__((noinline)) void additional_put(
	struct run *run, const struct rewrite_message *m)
{
	unsigned n = dns_msg_arcount(run->msg);
	struct rewrite_names names;
	uint32_t off = m->additional;

	rewrite_names_collect(m, &names);
	for (; n > 0 && !run_is_over(run); n--) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(run->msg, run->size, off, &rr);

		if (size < 0)
			return;
		off += (uint32_t)size;
		if (rr.class == DNS_CLASS_IN &&
			(rr.type == DNS_TYPE_A || rr.type == DNS_TYPE_AAAA ||
				rr.type == DNS_TYPE_SVCB || rr.type == DNS_TYPE_HTTPS) &&
			rewrite_names_have(&names, rr.name))
			record_put(run, &rr);
	}
}

static ALWAYS_INLINE struct run run_begin(const struct rewrite_message *m, bool apply)
{
	const struct policy_sinkhole *sinkhole = &m->list->sinkhole;

	return (struct run){
		.msg = m->msg,
		.size = m->size,
		.apply = apply,
		.sinkhole = sinkhole,
		.next4 = rewrite_first(m->spread, sinkhole->n_ipv4),
		.next6 = rewrite_first(m->spread, sinkhole->n_ipv6),
	};
}

struct rewrite_counts rewrite_find(const struct rewrite_message *m)
{
	struct run run = run_begin(m, false);

	(void)answers_put(&run, m, m->answers);
	if (m->additional)
		additional_put(&run, m);
	return run.counts;
}

struct rewrite_counts rewrite_sinkhole(struct rewrite_message *m)
{
	struct run run = run_begin(m, true);
	uint32_t off = usual_put(&run, m);
	bool signatures = off < m->behind && answers_put(&run, m, off);

	if (m->additional)
		additional_put(&run, m);
	if (!rewrite_any(&run.counts))
		return run.counts;
	if (run.msg[3] & DNS_FLAG_AD && !m->partly) {
		uint8_t flags = run.msg[3] & (uint8_t)~DNS_FLAG_AD;

		put(&run, 3, &flags, 1);
	}
	m->delta = run.delta;
	if (signatures)
		rewrite_signatures_cut(m, &run.counts);
	if (m->list->ede != POLICY_EDE_NONE && !m->partly)
		rewrite_opt_ede(m, &run.counts);
	return run.counts;
}
