/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"

#define MESSAGE_ID 0x2a2a

_Noreturn static void die(const char *what, const char *text)
{
	fprintf(stderr, "message description: %s: %s\n", what, text);
	abort();
}

void wire_dns(struct wire *w, uint16_t flags)
{
	w->dns = w->size;
	wire_u16(w, MESSAGE_ID);
	wire_u16(w, flags);
	wire_zeros(w, 8);
}

void wire_mark(struct wire *w, const char *name)
{
	if (w->n_marks == WIRE_MARKS)
		die("too many marks", name);
	snprintf(w->marks[w->n_marks].name, sizeof(w->marks[0].name), "%s", name);
	w->marks[w->n_marks++].at = w->size - w->dns;
}

// "MARK", "MARK+N" or "N": an offset in the message.
static size_t mark_find(const struct wire *w, const char *text)
{
	size_t length = strcspn(text, "+");
	char *end;

	for (unsigned i = 0; i < w->n_marks; i++)
		if (strlen(w->marks[i].name) == length &&
			memcmp(w->marks[i].name, text, length) == 0)
			return w->marks[i].at + strtoul(text + length, NULL, 10);
	length = strtoul(text, &end, 10);
	if (*end || end == text)
		die("no such mark", text);
	return length;
}

static void pointer_put(struct wire *w, const char *to)
{
	wire_u16(w, (uint16_t)(0xc000 | mark_find(w, to)));
}

// One octet of text, and how often it comes. @return what is behind it
static const char *octet_take(const char *at, uint8_t *octet, unsigned long *times)
{
	if (at[0] == '\\') {
		char digits[4] = {0};

		strncpy(digits, at + 1, 3);
		*octet = (uint8_t)strtoul(digits, NULL, 10);
		at += 4;
	} else {
		*octet = (uint8_t)*at++;
	}
	*times = 1;
	if (*at == '{') {
		char *end;

		*times = strtoul(at + 1, &end, 10);
		if (*end != '}')
			die("expected x{NUMBER}", at);
		at = end + 1;
	}
	return at;
}

void wire_name(struct wire *w, const char *name)
{
	const char *at = name;

	if (strncmp(name, "hex:", 4) == 0) {
		wire_hex(w, name + 4);
		return;
	}
	if (strcmp(name, ".") == 0)
		at++;
	while (*at && *at != '^') {
		size_t length_at = w->size;

		wire_u8(w, 0);
		while (*at && *at != '.' && *at != '^') {
			unsigned long times;
			uint8_t octet;

			for (at = octet_take(at, &octet, &times); times > 0; times--)
				wire_u8(w, octet);
		}
		w->bytes[length_at] = (uint8_t)(w->size - length_at - 1);
		if (*at == '.')
			at++;
	}
	if (*at == '^')
		pointer_put(w, at + 1);
	else
		wire_u8(w, 0);
}

void wire_question_class(struct wire *w, const char *name, uint16_t type, uint16_t class)
{
	if (w->n_questions++ == 0)
		wire_mark(w, "q");
	wire_name(w, name);
	wire_u16(w, type);
	wire_u16(w, class);
}

void wire_question(struct wire *w, const char *name, uint16_t type)
{
	wire_question_class(w, name, type, DNS_CLASS_IN);
}

void wire_record(struct wire *w, const char *owner, uint32_t ttl, uint16_t type, uint16_t class)
{
	struct wire_record *record = &w->records[w->n_records];

	if (w->n_records++ == WIRE_RECORDS)
		die("too many records", owner);
	w->counts[w->section]++;
	wire_name(w, owner);
	wire_u16(w, type);
	wire_u16(w, class);
	record->ttl = w->size;
	wire_u32(w, ttl);
	wire_u16(w, 0);
	record->rdata = w->size;
}

void wire_record_end(struct wire *w)
{
	struct wire_record *record = &w->records[w->n_records - 1];

	record->rdata_size = w->size - record->rdata;
	store_be16(w->bytes + record->rdata - 2, (uint16_t)record->rdata_size);
}

void wire_record_address(struct wire *w, const char *owner, uint32_t ttl, const char *address)
{
	struct addr addr;

	if (addr_parse(address, &addr) < 0)
		die("expected an address", address);
	wire_record(
		w, owner, ttl, addr.family == ADDR_IPV4 ? DNS_TYPE_A : DNS_TYPE_AAAA, DNS_CLASS_IN);
	wire_put(w, addr.bytes, addr_size(addr.family));
	wire_record_end(w);
}

void wire_record_name(
	struct wire *w, const char *owner, uint32_t ttl, uint16_t type, const char *target)
{
	wire_record(w, owner, ttl, type, DNS_CLASS_IN);
	wire_name(w, target);
	wire_record_end(w);
}

void wire_pointers(struct wire *w, unsigned n, const char *to, const char *last)
{
	size_t target = mark_find(w, to);

	for (; n > 0; n--) {
		if (n == 1)
			wire_mark(w, last);
		wire_u16(w, (uint16_t)(0xc000 | target));
		target = w->size - 2 - w->dns;
	}
}

void wire_response(
	struct wire *w, const char *src, const char *dst, const char *name, uint16_t type)
{
	wire_ether(w);
	wire_ip(w, src, dst);
	wire_udp(w, 53, 40000);
	wire_dns(w, 0x8180);
	wire_question(w, name, type);
}
