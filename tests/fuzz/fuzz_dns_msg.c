/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "dns/dns_known.h"
#include "dns/dns_name.h"
#include "fuzz/fuzz.h"

// Names read one after the other are those read alone.
static void known_check(struct dns_known *known, const uint8_t *msg, uint32_t n, uint32_t off)
{
	uint64_t ours = dns_known_read(known, msg, n, off), alone = dns_msg_ends_read(msg, n, off);
	struct dns_labels labels, others;

	FUZZ_CHECK(dns_ends_occupied(ours) == dns_ends_occupied(alone));
	if (dns_ends_occupied(alone) < 0)
		return;
	FUZZ_CHECK(dns_ends_labels(ours) == dns_ends_labels(alone));
	for (unsigned i = 0; i < 3 && i < dns_ends_labels(alone); i++)
		FUZZ_CHECK(dns_ends_label(ours, i) == dns_ends_label(alone, i));
	FUZZ_CHECK(dns_known_labels(known, msg, n, off, &labels));
	FUZZ_CHECK(dns_msg_labels_read(msg, n, off, &others) > 0);
	FUZZ_CHECK(labels.n == others.n && labels.size == others.size);
	FUZZ_CHECK(memcmp(labels.at, others.at, labels.n * sizeof(labels.at[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool fits = size >= DNS_HEADER_SIZE && size <= DNS_MSG_SIZE_MAX;
	uint8_t *msg = fits ? fuzz_copy(data, size) : NULL;
	char text[DNS_NAME_TEXT_SIZE], parsed[DNS_NAME_SIZE_MAX];
	struct dns_name name;
	static struct dns_known known;
	struct dns_rr rr = {0};

	known.n_names = known.work = 0;
	known.most = UINT32_MAX;
	for (uint32_t off = DNS_HEADER_SIZE, n = (uint32_t)size; msg && off <= n; off++) {
		int whole = dns_msg_name_read(msg, n, off, &name);
		int record = dns_msg_rr_read(msg, n, off, &rr);

		known_check(&known, msg, n, off);
		FUZZ_CHECK(record < 0 || (uint32_t)rr.rdata + rr.rdata_size <= n);
		if (whole < 0)
			continue;
		FUZZ_CHECK(dns_msg_name_skip(msg, n, off) == whole && (uint32_t)whole <= n - off);
		dns_name_format(name.bytes, text);
		FUZZ_CHECK(dns_name_parse(text, strlen(text), (uint8_t *)parsed) == name.size);
		FUZZ_CHECK(memcmp(parsed, name.bytes, name.size) == 0);
	}
	free(msg);
	return 0;
}
