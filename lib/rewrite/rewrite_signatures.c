/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "rewrite/rewrite_private.h"

// Ours: a set has one signature for each algorithm, two while keys are changed; every pointer of the
// message is held against all of them. Of more none goes: what a part leaves, the next box would change.
#define RANGES_MAX 8

static bool covers_changed(
	const uint8_t *msg, const struct dns_rr *rr, const struct rewrite_counts *counts)
{
	if (rr->type != DNS_TYPE_RRSIG || rr->rdata_size < 2)
		return false;
	switch (load_be16(msg + rr->rdata)) {
	case DNS_TYPE_A:
		return counts->n_ipv4 > 0;
	case DNS_TYPE_AAAA:
		return counts->n_ipv6 > 0;
	case DNS_TYPE_SVCB:
		return counts->n_svcb > 0;
	case DNS_TYPE_HTTPS:
		return counts->n_https > 0;
	}
	return false;
}

void rewrite_signatures_cut(struct rewrite_message *m, struct rewrite_counts *counts)
{
	struct rewrite_range ranges[RANGES_MAX];
	unsigned n = 0, covering = 0;
	uint64_t before;
	uint16_t size;

	for (uint32_t off = m->answers; off < m->behind;) {
		struct dns_rr rr;
		int rr_size = dns_msg_rr_read(m->msg, m->size, off, &rr);

		if (rr_size < 0)
			break;
		if (covers_changed(m->msg, &rr, counts) && covering++ < RANGES_MAX)
			ranges[n++] = (struct rewrite_range){
				(uint16_t)off, (uint16_t)(off + (uint32_t)rr_size)};
		off += (uint32_t)rr_size;
	}
	before = csum_sum(m->msg, m->size);
	size = m->fixed || covering > RANGES_MAX ? 0 : rewrite_cut(m->msg, m->size, ranges, n);
	if (size == 0) {
		counts->rrsigs_kept = (uint16_t)covering;
		return;
	}
	store_be16(m->msg + 6, (uint16_t)(dns_msg_ancount(m->msg) - n));
	csum_replace(&m->delta, before, csum_sum(m->msg, size));
	m->behind = (uint16_t)(m->behind - (m->size - size));
	m->size = size;
	counts->rrsigs_cut = (uint16_t)n;
}
