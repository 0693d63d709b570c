/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "rewrite/rewrite.h"

#include "dns/dns_msg.h"
#include "rewrite/csum.h"

struct edit {
	uint8_t *msg;
	struct csum_delta delta;
};

// The UDP header has an even size, so parity in the message is parity under the checksum.
static void edit_put(struct edit *edit, uint16_t off, const uint8_t *bytes, unsigned size)
{
	csum_change(&edit->delta, edit->msg + off, bytes, size, off & 1);
	memcpy(edit->msg + off, bytes, size);
}

// n addresses, which one for a client: the top bits of a product, no division.
static inline unsigned spread_first(uint32_t spread, unsigned n)
{
	return (unsigned)((uint64_t)(spread * 0x9e3779b1u) * n >> 32);
}

static void ttl_clamp(struct edit *edit, uint16_t off, uint32_t ttl_max)
{
	uint8_t bytes[4];

	if (load_be32(edit->msg + off) <= ttl_max)
		return;
	store_be32(bytes, ttl_max);
	edit_put(edit, off, bytes, sizeof(bytes));
}

// Offset behind the question section.
static uint32_t questions_skip(const uint8_t *msg, uint16_t size)
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

struct rewrite_counts rewrite_response(uint8_t *msg, uint16_t size, uint8_t *udp_csum,
	const struct policy_sinkhole *sinkhole, uint32_t spread)
{
	struct edit edit = {.msg = msg};
	struct rewrite_counts counts = {0};
	unsigned next4 = spread_first(spread, sinkhole->n_ipv4);
	unsigned next6 = spread_first(spread, sinkhole->n_ipv6);
	uint32_t off = questions_skip(msg, size);

	for (unsigned n = dns_msg_ancount(msg); n > 0 && off < size; n--) {
		struct dns_rr rr;
		int rr_size = dns_msg_rr_read(msg, size, off, &rr);

		if (rr_size < 0)
			break;
		off += (uint32_t)rr_size;
		if (rr.class != DNS_CLASS_IN)
			continue;
		if (rr.type == DNS_TYPE_A && rr.rdata_size == 4) {
			if (sinkhole->n_ipv4 == 0) {
				counts.n_left++;
				continue;
			}
			edit_put(&edit, rr.rdata, sinkhole->ipv4[next4], 4);
			next4 = next4 + 1 < sinkhole->n_ipv4 ? next4 + 1 : 0;
			counts.n_ipv4++;
		} else if (rr.type == DNS_TYPE_AAAA && rr.rdata_size == 16) {
			if (sinkhole->n_ipv6 == 0) {
				counts.n_left++;
				continue;
			}
			edit_put(&edit, rr.rdata, sinkhole->ipv6[next6], 16);
			next6 = next6 + 1 < sinkhole->n_ipv6 ? next6 + 1 : 0;
			counts.n_ipv6++;
		} else {
			continue;
		}
		ttl_clamp(&edit, rr.ttl, sinkhole->ttl_max);
	}
	if (counts.n_ipv4 + counts.n_ipv6 == 0)
		return counts;
	if (msg[3] & DNS_FLAG_AD) {
		uint8_t flags = msg[3] & (uint8_t)~DNS_FLAG_AD;

		edit_put(&edit, 3, &flags, 1);
	}
	csum_apply_udp(udp_csum, &edit.delta);
	return counts;
}
