/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#include <libpsl.h>

#include "dns/dns_name.h"

// The text of a name as the list has names. What no host name has becomes "-": labels stay labels.
static void text_write(const uint8_t *name, char text[DNS_NAME_SIZE_MAX + 1])
{
	size_t n = 0;

	for (; *name; name += 1u + *name) {
		if (n > 0)
			text[n++] = '.';
		for (unsigned i = 1; i <= *name; i++) {
			uint8_t c = dns_fold(name[i]);
			bool plain = (uint8_t)(c - 'a') < 26 || (uint8_t)(c - '0') < 10;

			text[n++] = plain ? (char)c : '-';
		}
	}
	text[n] = '\0';
}

unsigned pdns_base_labels(const uint8_t *name)
{
	const psl_ctx_t *list = psl_builtin();
	unsigned labels = pdns_name_labels(name);
	char text[DNS_NAME_SIZE_MAX + 1];

	// A suffix has four labels at most; the base domain is the longest that is none, and one
	// more label.
	for (unsigned n = labels < 6 ? labels : 6; n > 1; n--) {
		text_write(name + pdns_name_tail(name, n), text);
		// Names below what companies list of their own hosts are in zones of these
		// companies.
		if (psl_is_public_suffix2(list, text, PSL_TYPE_ICANN))
			return n < labels ? n + 1 : n;
	}
	return labels < 2 ? labels : 2;
}
