/* SPDX-License-Identifier: BSD-3-Clause */
#include "dns/dns_name.h"

#include <string.h>

static inline int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// What stands for itself in the text of a host name; "_" is in use for services (RFC 8552).
static inline int is_plain(uint8_t folded)
{
	return (uint8_t)(folded - 'a') < 26 || (uint8_t)(folded - '0') < 10 || folded == '-' ||
	       folded == '_';
}

// Take one octet at text[*at], escaped or not. Returns it, or an error.
static int octet_parse(const char *text, size_t size, size_t *at)
{
	uint8_t c = dns_fold((uint8_t)text[*at]);
	unsigned value;

	if (c != '\\') {
		*at += 1;
		return is_plain(c) ? c : DNS_NAME_E_CHAR;
	}
	if (size - *at < 2)
		return DNS_NAME_E_ESCAPE;
	if (!is_digit(text[*at + 1])) {
		c = dns_fold((uint8_t)text[*at + 1]);
		*at += 2;
		return c;
	}
	if (size - *at < 4 || !is_digit(text[*at + 2]) || !is_digit(text[*at + 3]))
		return DNS_NAME_E_ESCAPE;
	value = (unsigned)(text[*at + 1] - '0') * 100 + (unsigned)(text[*at + 2] - '0') * 10 +
		(unsigned)(text[*at + 3] - '0');
	*at += 4;
	return value <= 255 ? dns_fold((uint8_t)value) : DNS_NAME_E_ESCAPE;
}

int dns_name_parse(const char *text, size_t size, uint8_t *name)
{
	size_t at = 0, used = 1, label = 0; // name[label] is the length octet of the open label

	if (size == 1 && text[0] == '.') {
		name[0] = 0;
		return 1;
	}
	if (size == 0)
		return DNS_NAME_E_EMPTY;
	while (at < size) {
		int c;

		if (text[at] == '.') {
			if (used - label == 1)
				return DNS_NAME_E_EMPTY;
			name[label] = (uint8_t)(used - label - 1);
			label = used++;
			at++;
			continue;
		}
		c = octet_parse(text, size, &at);
		if (c < 0)
			return c;
		if (used - label > DNS_LABEL_SIZE_MAX)
			return DNS_NAME_E_LABEL;
		// The root label still needs its octet.
		if (used >= DNS_NAME_SIZE_MAX - 1)
			return DNS_NAME_E_LONG;
		name[used++] = (uint8_t)c;
	}
	if (used - label > 1) {
		name[label] = (uint8_t)(used - label - 1);
		label = used++;
	}
	name[label] = 0;
	return (int)used;
}

const char *dns_name_error(int err)
{
	switch (err) {
	case DNS_NAME_E_EMPTY:
		return "expected a name without empty labels";
	case DNS_NAME_E_LABEL:
		return "expected labels of at most 63 octets";
	case DNS_NAME_E_LONG:
		return "expected a name of at most 255 octets";
	case DNS_NAME_E_CHAR:
		return "expected letters, digits, \"-\", \"_\" and dots, others escaped as \\DDD";
	case DNS_NAME_E_ESCAPE:
		return "expected \\DDD (000..255) or \\X after a backslash";
	}
	return "expected a domain name";
}

size_t dns_name_format(const uint8_t *name, char text[DNS_NAME_TEXT_SIZE])
{
	size_t n = 0;

	if (name[0] == 0)
		text[n++] = '.';
	for (const uint8_t *label = name; *label; label += *label + 1) {
		if (n > 0)
			text[n++] = '.';
		for (unsigned i = 1; i <= *label; i++) {
			uint8_t c = label[i];

			if (is_plain(dns_fold(c))) {
				text[n++] = (char)c;
			} else if (c > 0x20 && c < 0x7f) {
				text[n++] = '\\';
				text[n++] = (char)c;
			} else {
				text[n++] = '\\';
				text[n++] = (char)('0' + c / 100);
				text[n++] = (char)('0' + c / 10 % 10);
				text[n++] = (char)('0' + c % 10);
			}
		}
	}
	text[n] = '\0';
	return n;
}
