/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list.h"

#include <idn2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dns/dns_name.h"
#include "text/text.h"

#define E_STAR  "expected \"*\" only in front, as in *.name"
#define E_ROOT  "expected a name, not the root"
#define E_UTF8  "expected a name in UTF-8 without control characters"
#define E_MIXED "expected no backslash in a name with letters that are not ASCII"

// A name on its way from U-labels to text that dns_name_parse takes.
struct idn_text {
	char text[DNS_NAME_TEXT_SIZE];
	size_t size;
	const char *error;
};

// Octets of the dot at the start of text, or 0: IDNs may be typed with ideographic and full-width
// dots too (RFC 3490 s3.1).
static size_t dot_size(const char *text, size_t size)
{
	static const char wide[][4] = {"\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1"};

	if (size > 0 && text[0] == '.')
		return 1;
	for (unsigned i = 0; size >= 3 && i < 3; i++)
		if (memcmp(text, wide[i], 3) == 0)
			return 3;
	return 0;
}

static bool is_ascii(const char *text, size_t size)
{
	uint8_t high = 0;

	for (size_t i = 0; i < size; i++)
		high |= (uint8_t)text[i];
	return high < 0x80;
}

// Characters that the transitional mapping turns into others: sharp s (both cases), final sigma,
// the zero width joiners.
static bool has_deviation(const char *text)
{
	static const char *const deviations[] = {
		"\xc3\x9f", "\xe1\xba\x9e", "\xcf\x82", "\xe2\x80\x8c", "\xe2\x80\x8d"};

	for (unsigned i = 0; i < sizeof(deviations) / sizeof(deviations[0]); i++)
		if (strstr(text, deviations[i]))
			return true;
	return false;
}

static bool idn_append(struct idn_text *idn, const char *text, size_t size)
{
	if (size > sizeof(idn->text) - idn->size) {
		idn->error = dns_name_error(DNS_NAME_E_LONG);
		return false;
	}
	memcpy(idn->text + idn->size, text, size);
	idn->size += size;
	return true;
}

// Between two full stops, some letters not ASCII: they go through libidn2. Labels in ASCII
// do not, since a list may hold what is legal in DNS and not in IDNA ("_sip", "r3---sn").
static bool idn_label(struct idn_text *idn, const char *text, size_t size)
{
	static _Thread_local char error[128];
	char label[DNS_NAME_TEXT_SIZE];
	uint8_t *out = NULL;
	bool good = false;
	int rc;

	if (size >= sizeof(label)) {
		idn->error = dns_name_error(DNS_NAME_E_LABEL);
		return false;
	}
	memcpy(label, text, size);
	label[size] = '\0';
	rc = idn2_lookup_u8((const uint8_t *)label, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	// Symbols (emoji) are not for registration, yet some registries sell them and clients look
	// them up: a filter has to know them. UTS 46 without the checks of IDNA 2008 maps them.
	if (rc == IDN2_DISALLOWED && !has_deviation(label))
		rc = idn2_lookup_u8(
			(const uint8_t *)label, &out, IDN2_NFC_INPUT | IDN2_TRANSITIONAL);
	if (rc != IDN2_OK) {
		snprintf(error, sizeof(error), "expected U-labels of IDNA 2008 (%s)",
			idn2_strerror(rc));
		idn->error = error;
		return false;
	}
	// A full-width backslash must not come out as an escape, nor a label as nothing.
	if (!out[0])
		idn->error = dns_name_error(DNS_NAME_E_EMPTY);
	else if (strchr((const char *)out, '\\'))
		idn->error = E_MIXED;
	else
		good = idn_append(idn, (const char *)out, strlen((const char *)out));
	idn2_free(out);
	return good;
}

// A name with letters that are not ASCII, label by label.
static int idn_parse(const char *text, size_t size, uint8_t *name, const char **error)
{
	struct idn_text idn = {.size = 0};
	size_t start = 0;
	bool good = true;
	int n;

	if (!text_utf8_clean(text, size)) {
		*error = E_UTF8;
		return -1;
	}
	// An escaped dot would tear a U-label apart.
	if (memchr(text, '\\', size)) {
		*error = E_MIXED;
		return -1;
	}
	for (size_t at = 0; good && at <= size; at++) {
		size_t label = at - start;

		if (at < size && text[at] != '.')
			continue;
		if (is_ascii(text + start, label))
			good = idn_append(&idn, text + start, label);
		else
			good = idn_label(&idn, text + start, label);
		if (at < size)
			good = good && idn_append(&idn, ".", 1);
		start = at + 1;
	}
	if (!good) {
		*error = idn.error;
		return -1;
	}
	n = dns_name_parse(idn.text, idn.size, name);
	if (n < 0)
		*error = dns_name_error(n);
	return n;
}

static int name_parse(const char *text, size_t size, uint8_t *name, const char **error)
{
	int n;

	if (!is_ascii(text, size))
		return idn_parse(text, size, name, error);
	n = dns_name_parse(text, size, name);
	if (n < 0)
		*error = n == DNS_NAME_E_CHAR && memchr(text, '*', size) ? E_STAR
									 : dns_name_error(n);
	return n;
}

int list_name_parse(
	const char *text, size_t size, uint8_t *name, enum list_scope *scope, const char **error)
{
	size_t front = 0, dot;
	int n;

	*scope = LIST_EXACT;
	if (size > 0 && text[0] == '*') {
		dot = dot_size(text + 1, size - 1);
		if (dot == 0) {
			*error = E_STAR;
			return -1;
		}
		front = 1 + dot;
		*scope = LIST_BELOW;
	} else {
		front = dot_size(text, size);
		if (front > 0)
			*scope = LIST_SUBTREE;
	}
	if (size > 0 && front == size) {
		*error = E_ROOT;
		return -1;
	}
	n = name_parse(text + front, size - front, name, error);
	if (n == 1)
		*error = E_ROOT;
	return n > 1 ? n : -1;
}
