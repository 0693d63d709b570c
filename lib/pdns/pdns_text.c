/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RDATA and types as text, by ldns.
 */
#include "pdns_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dns/dns_name.h"

#define RR_HEAD 11 // root, type, class, TTL, length

const char *pdns_type_name(uint16_t type)
{
	const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);

	// Its table has rows for numbers without a name, too.
	return descriptor && descriptor->_name && strncmp(descriptor->_name, "TYPE", 4) != 0
		       ? descriptor->_name
		       : NULL;
}

int pdns_type_parse(const char *text)
{
	const char *digits = strncasecmp(text, "TYPE", 4) == 0 ? text + 4 : text;
	ldns_rr_type type;
	char *end;
	long n;

	if (*digits >= '0' && *digits <= '9') {
		n = strtol(digits, &end, 10);
		return *end == '\0' && n <= UINT16_MAX ? (int)n : -EINVAL;
	}
	type = ldns_get_rr_type_by_name(text);
	return type > 0 ? (int)type : -EINVAL;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int unknown_write(const uint8_t *rdata, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";
	char *at = text + sprintf(text, "\\# %zu%s", size, size ? " " : "");

	for (size_t i = 0; i < size; i++) {
		*at++ = digits[rdata[i] >> 4];
		*at++ = digits[rdata[i] & 15];
	}
	*at = '\0';
	return (int)(at - text);
}

static size_t name_write(const uint8_t *name, bool dots, char *text)
{
	size_t n = dns_name_format(name, text);

	if (dots && *name) {
		text[n++] = '.';
		text[n] = '\0';
	}
	return n;
}

static ldns_rr *rr_read(uint16_t type, const uint8_t *rdata, size_t size)
{
	uint8_t *wire = calloc(1, RR_HEAD + size);
	ldns_rr *rr = NULL;
	size_t at = 0;

	if (!wire)
		return NULL;
	store_be16(wire + 1, type);
	store_be16(wire + 3, DNS_CLASS_IN);
	store_be16(wire + 9, (uint16_t)size);
	memcpy(wire + RR_HEAD, rdata, size);
	if (ldns_wire2rr(&rr, wire, RR_HEAD + size, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK ||
		at != RR_HEAD + size) {
		ldns_rr_free(rr);
		rr = NULL;
	}
	free(wire);
	return rr;
}

// Whether text that was made of an RR makes it again. If it does not, something was not said.
static bool text_holds(uint16_t type, const uint8_t *rdata, size_t size, const char *text)
{
	uint8_t *again = malloc(PDNS_RDATA_MAX);
	int n = again ? pdns_rdata_parse(type, text, again) : -ENOMEM;
	bool holds = n >= 0 && (size_t)n == size && memcmp(again, rdata, size) == 0;

	free(again);
	return holds;
}

static int rr_write(const ldns_rr *rr, bool dots, char *text)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);
		char *written;

		if (i > 0)
			text[used++] = ' ';
		if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME) {
			used += name_write(ldns_rdf_data(field), dots, text + used);
			continue;
		}
		written = ldns_rdf2str(field);
		if (!written || used + strlen(written) + DNS_NAME_TEXT_SIZE + 2 > PDNS_TEXT_SIZE) {
			free(written);
			return -EINVAL;
		}
		used += (size_t)sprintf(text + used, "%s", written);
		free(written);
	}
	return (int)used;
}

int pdns_rdata_text(uint16_t type, const uint8_t *rdata, size_t size, bool dots, char *text)
{
	ldns_rr *rr;
	int n;

	if ((type == DNS_TYPE_A && size == 4) || (type == DNS_TYPE_AAAA && size == 16)) {
		inet_ntop(size == 4 ? AF_INET : AF_INET6, rdata, text, INET6_ADDRSTRLEN);
		return (int)strlen(text);
	}
	rr = pdns_type_name(type) ? rr_read(type, rdata, size) : NULL;
	if (!rr)
		return unknown_write(rdata, size, text);
	n = rr_write(rr, dots, text);
	ldns_rr_free(rr);
	// A text of nothing would be none where it stands: no data has one, as of types not known.
	return n > 0 && text_holds(type, rdata, size, text) ? n : unknown_write(rdata, size, text);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int digit_read(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Behind "\#": a length and hexadecimal digits, in words of any even size (RFC 3597 s5). ldns takes
// that of known types for well-formed data only.
static int unknown_read(const char *text, uint8_t *rdata)
{
	char *at;
	unsigned long size = strtoul(text, &at, 10), n = 0;

	if (at == text || size > PDNS_RDATA_MAX)
		return -EINVAL;
	for (at += strspn(at, " \t"); *at; at += strspn(at, " \t")) {
		if (n == size || digit_read(at[0]) < 0 || digit_read(at[1]) < 0)
			return -EINVAL;
		rdata[n++] = (uint8_t)(digit_read(at[0]) << 4 | digit_read(at[1]));
		at += 2;
	}
	return n == size ? (int)n : -EINVAL;
}

// A CERT of the type that is reserved (RFC 4398 s2.1). ldns reads the number, refuses it, and keeps its memory.
static bool is_reserved_cert(uint16_t type, const char *text)
{
	char *end;

	return type == LDNS_RR_TYPE_CERT && (uint16_t)strtol(text, &end, 10) == 0 && end != text;
}

int pdns_rdata_parse(uint16_t type, const char *text, uint8_t *rdata)
{
	size_t room = strlen(text) + 64, size;
	char *line = malloc(room);
	ldns_rr *rr = NULL;
	uint8_t *wire = NULL;
	int n = -EINVAL;

	if (strncmp(text, "\\# ", 3) == 0) {
		free(line);
		return unknown_read(text + 3, rdata);
	}
	if (!line)
		return -ENOMEM;
	snprintf(line, room, ". 0 IN TYPE%u %s", type, text);
	if (!strchr(text, '\n') && !is_reserved_cert(type, text) &&
		ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK &&
		ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &size) == LDNS_STATUS_OK &&
		size >= RR_HEAD && size - RR_HEAD <= PDNS_RDATA_MAX) {
		n = (int)(size - RR_HEAD);
		memcpy(rdata, wire + RR_HEAD, (size_t)n);
	}
	LDNS_FREE(wire);
	ldns_rr_free(rr);
	free(line);
	return n;
}
