/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "rewrite/rewrite_private.h"

#define SVCB_TARGET 2 // octets of RDATA before the TargetName: RFC 9460 s2.2

void rewrite_names_add(struct rewrite_names *names, uint32_t off)
{
	uint16_t at = rewrite_name_origin(names->msg, names->size, off);

	for (unsigned i = 0; i < names->n; i++)
		if (names->at[i] == at)
			return;
	if (names->n == REWRITE_NAMES_MAX) {
		names->all = true;
		return;
	}
	names->octets[names->n] = 0;
	names->at[names->n++] = at;
}

static inline bool is_service(const struct dns_rr *rr)
{
	return rr->type == DNS_TYPE_SVCB || rr->type == DNS_TYPE_HTTPS;
}

// Where a record leads to. @return its place, 0: nowhere
static uint32_t record_target(const struct rewrite_names *names, const struct dns_rr *rr)
{
	uint32_t target = rr->rdata + SVCB_TARGET;

	if (rr->type == DNS_TYPE_CNAME || rr->type == DNS_TYPE_DNAME)
		return rr->rdata_size > 0 ? rr->rdata : 0;
	// "." stands for the owner (RFC 9460 s2.5). Parameters may be malformed, as matching has it, too.
	if (!is_service(rr) || rr->rdata_size <= SVCB_TARGET || names->msg[target] == 0)
		return 0;
	return target;
}

static void record_names_add(struct rewrite_names *names, const struct dns_rr *rr)
{
	uint32_t target = record_target(names, rr);

	names->services |= is_service(rr);
	rewrite_names_add(names, rr->name);
	if (target)
		rewrite_names_add(names, target);
}

// Add where records of the additional section lead to whose owner is one of the names.
static void additional_follow(const struct rewrite_message *m, struct rewrite_names *names)
{
	uint32_t off = m->additional;

	for (unsigned n = dns_msg_arcount(m->msg); n > 0 && !names->all; n--) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(m->msg, m->size, off, &rr);
		uint32_t target;

		if (size < 0)
			return;
		off += (uint32_t)size;
		target = record_target(names, &rr);
		if (target && rewrite_names_have(names, rr.name) &&
			!rewrite_names_have(names, target))
			rewrite_names_add(names, target);
	}
}

// A server may send along what a client of a service has to ask next: that it has another name, and the
// addresses of this (RFC 9460 s4.1). Nearly always in that order.
#define FOLLOW_WALKS 4

void rewrite_names_collect(const struct rewrite_message *m, struct rewrite_names *names)
{
	uint32_t off = DNS_HEADER_SIZE;

	*names = (struct rewrite_names){.msg = m->msg, .size = m->size};
	while (off < m->answers && !names->all) {
		int size = dns_msg_name_skip(m->msg, m->size, off);

		if (size < 0)
			return;
		rewrite_names_add(names, off);
		off += (uint32_t)size + 4;
	}
	for (off = m->answers; off < m->behind && !names->all;) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(m->msg, m->size, off, &rr);

		if (size < 0)
			return;
		record_names_add(names, &rr);
		off += (uint32_t)size;
	}
	for (unsigned i = 0, before = 0; names->services && i < FOLLOW_WALKS && before < names->n;
		i++) {
		before = names->n;
		additional_follow(m, names);
	}
}

// Whether a name is the one that was noted as number i. Most are not as long, which is told at once.
static bool name_is(struct rewrite_names *names, unsigned i, const struct dns_labels *labels)
{
	struct dns_labels other;

	names->work++;
	if (names->octets[i] != 0 && names->octets[i] != labels->size)
		return false;
	if (dns_msg_labels_read(names->msg, names->size, names->at[i], &other) < 0) {
		names->octets[i] = UINT16_MAX;
		return false;
	}
	names->octets[i] = other.size;
	names->work += other.n + (labels->size == other.size ? labels->size : 0u);
	return dns_labels_equal(labels, &other);
}

bool rewrite_names_have(struct rewrite_names *names, uint32_t off)
{
	uint16_t at = rewrite_name_origin(names->msg, names->size, off);
	struct dns_labels labels;

	for (unsigned i = 0; i < names->n && !names->all; i++)
		if (names->at[i] == at)
			return true;
	if (names->all || dns_msg_labels_read(names->msg, names->size, at, &labels) < 0)
		return names->all;
	names->work += labels.n;
	for (unsigned i = 0; i < names->n; i++) {
		if (names->work > REWRITE_NAME_WORK) {
			names->all = true;
			return true;
		}
		if (name_is(names, i, &labels))
			return true;
	}
	return false;
}
