/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "dns/dns_msg.h"

#include "dns/dns_name.h"

#define RR_FIXED_SIZE 10 // TYPE, CLASS, TTL, RDLENGTH: RFC 1035 s4.1.3

// Append the label at msg[at] (whole inside the message) to the name.
static inline void label_append(const uint8_t *label, struct dns_name *name, unsigned used)
{
	unsigned length = label[0];

	name->label[name->n_labels++] = (uint8_t)used;
	name->bytes[used] = (uint8_t)length;
	for (unsigned i = 1; i <= length; i++)
		name->bytes[used + i] = dns_fold(label[i]);
}

int dns_msg_name_read(const uint8_t *msg, uint32_t size, uint32_t off, struct dns_name *name)
{
	uint32_t at = off, start = off; // start: first label of the run being read
	unsigned used = 0, hops = 0;
	int occupied = 0; // bytes at off, known once the first pointer or the root is met

	name->n_labels = 0;
	for (;;) {
		uint8_t c;

		if (at >= size)
			return DNS_E_SHORT;
		c = msg[at];
		if (c >= 0xc0) {
			uint32_t target;

			if (size - at < 2)
				return DNS_E_SHORT;
			if (occupied == 0)
				occupied = (int)(at - off) + 2;
			target = load_be16(msg + at) & 0x3fff;
			if (target >= start || target < DNS_HEADER_SIZE || ++hops > DNS_HOPS_MAX)
				return DNS_E_POINTER;
			at = start = target;
			continue;
		}
		if (c > DNS_LABEL_SIZE_MAX)
			return DNS_E_LABEL;
		if (c == 0)
			break;
		if (size - at <= c)
			return DNS_E_SHORT;
		// The root label behind the last one counts too.
		if (used + c + 2 > DNS_NAME_SIZE_MAX)
			return DNS_E_LONG;
		label_append(msg + at, name, used);
		used += c + 1u;
		at += c + 1u;
	}
	name->bytes[used] = 0;
	name->size = (uint8_t)(used + 1);
	return occupied ? occupied : (int)(at - off) + 1;
}

int dns_msg_name_skip(const uint8_t *msg, uint32_t size, uint32_t off)
{
	uint32_t at = off;

	for (;;) {
		uint8_t c;

		if (at >= size)
			return DNS_E_SHORT;
		c = msg[at];
		if (c >= 0xc0)
			return size - at < 2 ? DNS_E_SHORT : (int)(at - off) + 2;
		if (c > DNS_LABEL_SIZE_MAX)
			return DNS_E_LABEL;
		at += c + 1u;
		// Behind a label stands at least the root, or a pointer to it.
		if (at - off + (c != 0) > DNS_NAME_SIZE_MAX)
			return DNS_E_LONG;
		if (c == 0)
			return (int)(at - off);
	}
}

int dns_msg_rr_read(const uint8_t *msg, uint32_t size, uint32_t off, struct dns_rr *rr)
{
	int name = dns_msg_name_skip(msg, size, off);
	uint32_t at;

	if (name < 0)
		return name;
	at = off + (uint32_t)name;
	if (size - at < RR_FIXED_SIZE)
		return DNS_E_SHORT;
	rr->name = (uint16_t)off;
	rr->type = load_be16(msg + at);
	rr->class = load_be16(msg + at + 2);
	rr->ttl = (uint16_t)(at + 4);
	rr->rdata_size = load_be16(msg + at + 8);
	rr->rdata = (uint16_t)(at + RR_FIXED_SIZE);
	if (size - at - RR_FIXED_SIZE < rr->rdata_size)
		return DNS_E_SHORT;
	return name + RR_FIXED_SIZE + rr->rdata_size;
}
