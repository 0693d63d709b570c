/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "dns/dns_msg.h"

#include "dns/dns_name.h"

bool dns_labels_equal(const struct dns_labels *a, const struct dns_labels *b)
{
	if (a->size != b->size || a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		const uint8_t *x = a->msg + a->at[i], *y = b->msg + b->at[i];

		for (unsigned j = 0; j <= x[0]; j++)
			if (dns_fold(x[j]) != dns_fold(y[j]))
				return false;
	}
	return true;
}

bool dns_msg_names_equal(const uint8_t *msg, uint32_t size, uint32_t a, uint32_t b)
{
	struct dns_labels one, other;

	return dns_msg_labels_read(msg, size, a, &one) > 0 &&
	       dns_msg_labels_read(msg, size, b, &other) > 0 && dns_labels_equal(&one, &other);
}

// Whether the options fill the record's data exactly (RFC 6891 s6.1.2).
static bool options_good(const uint8_t *msg, uint32_t at, uint32_t end)
{
	while (end - at >= DNS_OPTION_SIZE) {
		uint32_t size = load_be16(msg + at + 2);

		at += DNS_OPTION_SIZE;
		if (size > end - at)
			return false;
		at += size;
	}
	return at == end;
}

static bool is_signature(const uint8_t *msg, const struct dns_rr *rr)
{
	if (rr->type == DNS_TYPE_TSIG)
		return true;
	// A SIG that covers no type is one of the whole message.
	return rr->type == DNS_TYPE_SIG && rr->rdata_size >= 2 && load_be16(msg + rr->rdata) == 0;
}

static void additional_note(const uint8_t *msg, const struct dns_rr *rr, struct dns_rest *rest)
{
	rest->addresses |= rr->type == DNS_TYPE_A || rr->type == DNS_TYPE_AAAA ||
			   rr->type == DNS_TYPE_SVCB || rr->type == DNS_TYPE_HTTPS;
	rest->is_signed = is_signature(msg, rr);
	if (rr->type != DNS_TYPE_OPT)
		return;
	rest->dnssec_ok |= (load_be32(msg + rr->ttl) & DNS_OPT_DO) != 0;
	// A second one makes the message malformed (RFC 6891 s6.1.1), and neither is ours to change.
	if (rest->opt == 0 && msg[rr->name] == 0 &&
		options_good(msg, rr->rdata, rr->rdata + (uint32_t)rr->rdata_size))
		rest->opt_size = (uint16_t)(DNS_OPT_SIZE + rr->rdata_size);
	else
		rest->opt_size = 0;
	rest->opt = rr->name;
}

void dns_msg_rest_read(const uint8_t *msg, uint32_t size, uint32_t off, struct dns_rest *rest)
{
	unsigned authority = dns_msg_nscount(msg), n = authority + dns_msg_arcount(msg);

	*rest = (struct dns_rest){.additional = (uint16_t)off};
	for (unsigned i = 0; i < n; i++) {
		struct dns_rr rr;
		int rr_size = dns_msg_rr_read(msg, size, off, &rr);

		if (rr_size < 0) {
			*rest = (struct dns_rest){0};
			return;
		}
		off += (uint32_t)rr_size;
		if (i < authority) {
			rest->rrsig |= rr.type == DNS_TYPE_RRSIG;
			rest->additional = (uint16_t)off;
		} else {
			additional_note(msg, &rr, rest);
		}
	}
	rest->end = (uint16_t)off;
	rest->whole = true;
}
