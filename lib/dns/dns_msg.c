/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "dns/dns_ends.h"

#include "dns/dns_name.h"

int dns_msg_labels_read(const uint8_t *msg, uint32_t size, uint32_t off, struct dns_labels *labels)
{
	uint32_t at = off, start = off;     // start: first label of the run being read
	unsigned used = 0, hops = 0, n = 0; // used: octets of the runs before
	int occupied = 0;                   // bytes at off, known once the first pointer is met

	for (;;) {
		uint8_t c;

		if (at >= size)
			return DNS_E_SHORT;
		c = msg[at];
		// A label, neither the root nor a pointer: most turns of this loop.
		if ((uint8_t)(c - 1) < DNS_LABEL_SIZE_MAX) {
			labels->at[n++] = (uint16_t)at;
			at += c + 1u;
			// The root label behind the last one counts too.
			if (used + at - start >= DNS_NAME_SIZE_MAX)
				return at > size ? DNS_E_SHORT : DNS_E_LONG;
			continue;
		}
		if (c == 0)
			break;
		if (c < 0xc0)
			return DNS_E_LABEL;
		if (size - at < 2)
			return DNS_E_SHORT;
		if (occupied == 0)
			occupied = (int)(at - off) + 2;
		used += at - start;
		at = load_be16(msg + at) & 0x3fff;
		if (at >= start || at < DNS_HEADER_SIZE || ++hops > DNS_HOPS_MAX)
			return DNS_E_POINTER;
		start = at;
	}
	labels->msg = msg;
	labels->msg_size = (uint16_t)size;
	labels->n = (uint8_t)n;
	labels->size = (uint8_t)(used + at - start + 1);
	return occupied ? occupied : (int)(at - off) + 1;
}

uint64_t dns_msg_ends_read(const uint8_t *msg, uint32_t size, uint32_t off)
{
	struct dns_labels labels;
	int occupied = dns_msg_labels_read(msg, size, off, &labels);
	uint16_t last[3] = {0};

	if (occupied < 0)
		return dns_ends_make(occupied, 0, last);
	for (unsigned i = 0; i < 3 && i < labels.n; i++)
		last[2 - i] = labels.at[labels.n - 1u - i];
	return dns_ends_make(occupied, labels.n, last);
}

int dns_msg_name_read(const uint8_t *msg, uint32_t size, uint32_t off, struct dns_name *name)
{
	struct dns_labels labels;
	int occupied = dns_msg_labels_read(msg, size, off, &labels);
	unsigned used = 0;

	if (occupied < 0)
		return occupied;
	for (unsigned i = 0; i < labels.n; i++) {
		const uint8_t *label = msg + labels.at[i];

		name->label[i] = (uint8_t)used;
		for (unsigned j = 0; j <= label[0]; j++)
			name->bytes[used++] = dns_fold(label[j]);
	}
	name->bytes[used] = 0;
	name->n_labels = labels.n;
	name->size = labels.size;
	return occupied;
}

void dns_name_labels(const uint8_t *name, struct dns_labels *labels)
{
	unsigned at = 0, n = 0;

	for (; name[at]; at += name[at] + 1u)
		labels->at[n++] = (uint16_t)at;
	labels->msg = name;
	labels->msg_size = (uint16_t)(at + 1);
	labels->n = (uint8_t)n;
	labels->size = (uint8_t)(at + 1);
}

int dns_msg_name_skip(const uint8_t *msg, uint32_t size, uint32_t off)
{
	// Behind a label stands at least the root, or a pointer to it.
	uint32_t at = off, end = size - off < DNS_NAME_SIZE_MAX ? size : off + DNS_NAME_SIZE_MAX;

	while (at < end && (uint8_t)(msg[at] - 1) < DNS_LABEL_SIZE_MAX)
		at += msg[at] + 1u;
	if (at - off >= DNS_NAME_SIZE_MAX)
		return DNS_E_LONG;
	if (at >= size)
		return DNS_E_SHORT;
	if (msg[at] == 0)
		return (int)(at - off) + 1;
	if (msg[at] < 0xc0)
		return DNS_E_LABEL;
	return size - at < 2 ? DNS_E_SHORT : (int)(at - off) + 2;
}
