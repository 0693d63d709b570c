/* SPDX-License-Identifier: BSD-3-Clause */
#include "dns/dns_type.h"

#include <stdio.h>

const uint8_t dns_type_row_low[256] = {
#define TYPE_LOW(name, value) [value] = DNS_TYPE_ROW_##name,
	DNS_TYPE_ROWS(TYPE_LOW)
#undef TYPE_LOW
};

static const char *const row_names[DNS_TYPE_ROW_COUNT] = {
	[DNS_TYPE_ROW_none] = "none",
#define TYPE_NAME(name, value) [DNS_TYPE_ROW_##name] = #name,
	DNS_TYPE_ROWS(TYPE_NAME)
#undef TYPE_NAME
		[DNS_TYPE_ROW_other] = "other",
};

uint16_t dns_type_row_value(enum dns_type_row row)
{
	static const uint16_t values[DNS_TYPE_ROW_COUNT] = {
#define TYPE_VALUE(name, value) [DNS_TYPE_ROW_##name] = value,
		DNS_TYPE_ROWS(TYPE_VALUE)
#undef TYPE_VALUE
	};

	return values[row];
}

const char *dns_type_row_name(enum dns_type_row row)
{
	return row_names[row];
}

const char *dns_type_name(uint16_t type, char text[16])
{
	enum dns_type_row row = dns_type_row(type);

	if (row != DNS_TYPE_ROW_other)
		return row_names[row];
	snprintf(text, 16, "TYPE%u", type);
	return text;
}

const char *dns_rcode_name(uint8_t rcode)
{
	static const char *const names[16] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
		"NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE",
		"DSOTYPENI", "RCODE12", "RCODE13", "RCODE14", "RCODE15"};

	return names[rcode & 15];
}
