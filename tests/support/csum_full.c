/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/csum_full.h"

#include "base/bytes.h"

#define IP_PROTO_UDP 17
#define CSUM_AT      6 // in the UDP header

uint16_t csum_full_sum(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

uint16_t csum_full_minus(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + (uint16_t)~b;

	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff ? 0 : (uint16_t)sum;
}

uint16_t csum_full_udp(const struct csum_udp *u)
{
	uint32_t sum = IP_PROTO_UDP + (uint32_t)u->size;
	uint16_t total;

	sum = csum_full_sum(sum, u->addresses, u->addresses_size);
	sum = csum_full_sum(sum, u->udp, CSUM_AT);
	sum = csum_full_sum(sum, u->udp + CSUM_AT + 2, u->size - CSUM_AT - 2);
	total = (uint16_t)~sum;
	return total ? total : 0xffff;
}

bool csum_full_udp_good(const struct csum_udp *u)
{
	uint16_t field = load_be16(u->udp + CSUM_AT);

	return field == 0 || field == csum_full_udp(u);
}
