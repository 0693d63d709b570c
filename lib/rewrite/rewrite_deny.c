/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "rewrite/rewrite_private.h"

#define OPT_RCODE 5 // upper bits of the RCODE, from the record's start: RFC 6891 s6.1.3

// Size of what stays, its padding included.
static uint32_t kept_size(const struct rewrite_message *m, const struct dns_rest *rest)
{
	return m->answers + (uint32_t)rest->opt_size;
}

bool rewrite_deny_fits(const struct rewrite_message *m)
{
	struct dns_rest rest;

	if (!m->fixed || m->partly)
		return !m->partly;
	dns_msg_rest_read(m->msg, m->size, m->behind, &rest);
	return rewrite_opt_fits(m, &rest, kept_size(m, &rest));
}

struct rewrite_counts rewrite_deny(struct rewrite_message *m, uint16_t flags)
{
	uint64_t before = csum_sum(m->msg, m->size);
	struct rewrite_counts counts = {0};
	uint16_t target = m->size;
	struct dns_rest rest;

	dns_msg_rest_read(m->msg, m->size, m->behind, &rest);
	memmove(m->msg + m->answers, m->msg + rest.opt, rest.opt_size);
	store_be16(m->msg + 2, (dns_msg_flags(m->msg) & REWRITE_FLAGS_KEPT) | flags);
	memset(m->msg + 6, 0, 6);
	m->msg[11] = rest.opt_size != 0;
	m->size = (uint16_t)kept_size(m, &rest);
	if (rest.opt_size) {
		m->msg[m->answers + OPT_RCODE] = 0;
		rewrite_opt_finish(m, m->answers, target, &counts);
	}
	csum_replace(&m->delta, before, csum_sum(m->msg, m->size));
	return counts;
}

// Whether a record is of a chain, but not the link itself: signatures, but those of addresses, without which
// these are none.
static bool is_beside_chain(const uint8_t *msg, const struct dns_rr *rr)
{
	uint16_t covered;

	if (rr->type != DNS_TYPE_RRSIG)
		return rr->type == DNS_TYPE_DNAME;
	covered = rr->rdata_size < 2 ? 0 : load_be16(msg + rr->rdata);
	return covered == DNS_TYPE_CNAME || covered == DNS_TYPE_DNAME;
}

// Behind which name an address record has to come: the end of the chain.
// @return its place, 0: the answer section is something else than a chain
static uint32_t chain_end(const struct rewrite_message *m)
{
	struct rewrite_names name = {.msg = m->msg, .size = m->size};

	rewrite_names_add(&name, DNS_HEADER_SIZE);
	for (uint32_t off = m->answers; off < m->behind;) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(m->msg, m->size, off, &rr);

		if (size < 0)
			return 0;
		off += (uint32_t)size;
		if (is_beside_chain(m->msg, &rr))
			continue;
		if (rr.type != DNS_TYPE_CNAME || rr.class != DNS_CLASS_IN || rr.rdata_size < 2 ||
			!rewrite_names_have(&name, rr.name) || name.all)
			return 0;
		name.n = 0;
		rewrite_names_add(&name, rr.rdata);
	}
	return name.at[0] <= 0x3fff ? name.at[0] : 0;
}

static uint32_t address_size(uint16_t type)
{
	return type == DNS_TYPE_A ? 4 : 16;
}

static uint32_t answered_size(
	const struct rewrite_message *m, const struct dns_rest *rest, uint16_t type)
{
	return m->behind + 2u + DNS_RR_FIXED_SIZE + address_size(type) + rest->opt_size;
}

// Whether there is no error, or no such name; the OPT has the upper bits (RFC 6891 s6.1.3): BADVERS is 16.
static bool may_answer(const struct rewrite_message *m, const struct dns_rest *rest)
{
	uint8_t rcode = dns_msg_rcode(m->msg);

	return (rcode == DNS_RCODE_NOERROR || rcode == DNS_RCODE_NXDOMAIN) &&
	       (rest->opt_size == 0 || m->msg[rest->opt + OPT_RCODE] == 0);
}

bool rewrite_answer_fits(const struct rewrite_message *m, uint16_t type)
{
	const struct policy_sinkhole *sinkhole = &m->list->sinkhole;
	struct dns_rest rest;

	// A truncated answer is empty for another reason, and is asked for again over TCP.
	if (m->partly || dns_msg_flags(m->msg) & DNS_FLAG_TC || dns_msg_qdcount(m->msg) != 1 ||
		load_be16(m->msg + m->answers - 2) != DNS_CLASS_IN)
		return false;
	if (!(type == DNS_TYPE_A && sinkhole->n_ipv4) &&
		!(type == DNS_TYPE_AAAA && sinkhole->n_ipv6))
		return false;
	dns_msg_rest_read(m->msg, m->size, m->behind, &rest);
	return rest.whole && may_answer(m, &rest) &&
	       rewrite_opt_fits(m, &rest, answered_size(m, &rest, type)) && chain_end(m) != 0;
}

struct rewrite_counts rewrite_answer(struct rewrite_message *m, uint16_t type)
{
	const struct policy_sinkhole *sinkhole = &m->list->sinkhole;
	uint64_t before = csum_sum(m->msg, m->size);
	uint32_t owner = chain_end(m), size = address_size(type);
	struct rewrite_counts counts = {.n_ipv4 = size == 4, .n_ipv6 = size == 16};
	uint8_t *rr = m->msg + m->behind;
	uint16_t target = m->size, opt;
	struct dns_rest rest;

	dns_msg_rest_read(m->msg, m->size, m->behind, &rest);
	m->size = (uint16_t)answered_size(m, &rest, type);
	opt = (uint16_t)(m->size - rest.opt_size);
	// The OPT goes first: the record may come to stand where it was.
	memmove(m->msg + opt, m->msg + rest.opt, rest.opt_size);
	store_be16(rr, (uint16_t)(0xc000 | owner));
	store_be16(rr + 2, type);
	store_be16(rr + 4, DNS_CLASS_IN);
	store_be32(rr + 6, sinkhole->ttl_max);
	store_be16(rr + 10, (uint16_t)size);
	memcpy(rr + 12,
		size == 4 ? sinkhole->ipv4[rewrite_first(m->spread, sinkhole->n_ipv4)]
			  : sinkhole->ipv6[rewrite_first(m->spread, sinkhole->n_ipv6)],
		size);
	store_be16(m->msg + 2, dns_msg_flags(m->msg) & (uint16_t) ~(DNS_FLAG_AD | 15));
	store_be16(m->msg + 6, (uint16_t)(dns_msg_ancount(m->msg) + 1));
	memset(m->msg + 8, 0, 4);
	m->msg[11] = rest.opt_size != 0;
	if (rest.opt_size) {
		m->msg[opt + OPT_RCODE] = 0;
		rewrite_opt_finish(m, opt, target, &counts);
	}
	csum_replace(&m->delta, before, csum_sum(m->msg, m->size));
	return counts;
}
