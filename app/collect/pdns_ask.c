/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of a question to the dataset, from text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "dns/dns_name.h"
#include "list/list.h"
#include "pdns_app.h"

static int expected(struct pdns_args *args, const char *option, const char *what, const char *got)
{
	snprintf(args->error, sizeof(args->error), "%s: expected %s, got \"%.200s\"", option, what,
		got);
	return COLLECT_USAGE;
}

// Octets that need an escape, but are in names that people have, as "0/25.2.0.192.in-addr.arpa".
static int name_read_odd(struct pdns_args *args, const char *text, size_t size, uint8_t *name)
{
	char copy[DNS_NAME_TEXT_SIZE];
	int n;

	if (size >= sizeof(copy))
		return DNS_NAME_E_CHAR;
	snprintf(copy, sizeof(copy), "%.*s", (int)size, text);
	// A "*" in the middle is meant for another wildcard than there is.
	if (strpbrk(copy, " \t\r\n\"();*"))
		return DNS_NAME_E_CHAR;
	// A name alone is the data of an NS record. The room for raw data is not needed by such a question.
	n = pdns_rdata_parse((uint16_t)pdns_type_parse("NS"), copy, args->raw);
	if (n <= 0 || n > DNS_NAME_SIZE_MAX)
		return DNS_NAME_E_CHAR;
	memcpy(name, args->raw, (size_t)n);
	return n;
}

static bool is_ascii(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((uint8_t)text[i] >= 0x80)
			return false;
	return true;
}

static int name_take(struct pdns_args *args, const char *option, const char *text, size_t size,
	uint8_t *name, size_t *name_size)
{
	int n = dns_name_parse(text, size, name);
	const char *why = NULL;
	enum list_scope scope = LIST_EXACT;

	// U-labels; octets that are none have an escape each.
	if (n == DNS_NAME_E_CHAR && !is_ascii(text, size))
		n = list_name_parse(text, size, name, &scope, &why);
	else if (n == DNS_NAME_E_CHAR && args->question.by != PDNS_BY_RAW)
		n = name_read_odd(args, text, size, name);
	if (n > 0 && scope != LIST_EXACT)
		n = DNS_NAME_E_EMPTY;
	if (n < 0) {
		snprintf(args->error, sizeof(args->error), "%s: %s, got \"%.200s\"", option,
			why ? why : dns_name_error(n), text);
		return COLLECT_USAGE;
	}
	*name_size = (size_t)n;
	return COLLECT_DONE;
}

// "NAME", "*.NAME" or "LABELS.*".
static int scope_take(const char *option, const char *text, enum pdns_by by, struct pdns_args *args)
{
	struct pdns_question *q = &args->question;
	size_t size = strlen(text);

	q->by = by;
	q->name = args->name;
	q->scope = PDNS_EXACT;
	if (strncmp(text, "*.", 2) == 0) {
		q->scope = PDNS_SUBTREE;
		text += size > 2 ? 2 : 1;
		size -= size > 2 ? 2 : 1;
		return name_take(args, option, text, size, args->name, &q->name_size);
	}
	// Other dots at the end are the name's, which may have one that is escaped.
	if (size > 3 && strcmp(text + size - 3, ".*.") == 0)
		size--;
	if (size > 2 && strncmp(text + size - 2, ".*", 2) == 0) {
		q->scope = PDNS_START;
		size -= 2;
	}
	return name_take(args, option, text, size, args->name, &q->name_size);
}

// "ADDRESS", "ADDRESS/LENGTH" or "FIRST-LAST".
static int addresses_take(const char *text, struct pdns_args *args)
{
	struct pdns_question *q = &args->question;
	const char *dash = strchr(text, '-');
	char first[ADDR_TEXT_SIZE];
	struct prefix prefix;

	q->by = PDNS_BY_ADDRESS;
	if (dash && (size_t)(dash - text) < sizeof(first)) {
		memcpy(first, text, (size_t)(dash - text));
		first[dash - text] = '\0';
		if (addr_parse(first, &q->from) == 0 && addr_parse(dash + 1, &q->to) == 0 &&
			q->from.family == q->to.family &&
			memcmp(q->from.bytes, q->to.bytes, sizeof(q->to.bytes)) <= 0)
			return COLLECT_DONE;
	} else if (!dash && prefix_parse(text, &prefix) == 0) {
		q->from = q->to = prefix.addr;
		for (unsigned bit = prefix.length; bit < 8u * addr_size(prefix.addr.family); bit++)
			q->to.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		return COLLECT_DONE;
	}
	return expected(args, "--ip", "ADDRESS, ADDRESS/LENGTH or FIRST-LAST", text);
}

static int digit_read(char c)
{
	return c >= '0' && c <= '9'                     ? c - '0'
	       : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
							: -1;
}

// Returns the octets, -1: it is no hexadecimal.
static long hex_read(const char *text, uint8_t *to, size_t room)
{
	size_t n = 0;

	for (; *text; text += 2, n++) {
		if (n == room || digit_read(text[0]) < 0 || digit_read(text[1]) < 0)
			return -1;
		to[n] = (uint8_t)(digit_read(text[0]) << 4 | digit_read(text[1]));
	}
	return (long)n;
}

static int octets_take(struct pdns_args *args, const char *option, const char *text, uint8_t *to,
	size_t room, size_t *size)
{
	long n = hex_read(text, to, room);

	if (n < 0)
		return expected(args, option, "pairs of hexadecimal digits", text);
	*size = (size_t)n;
	return COLLECT_DONE;
}

static int type_take(const char *text, struct pdns_args *args)
{
	struct pdns_question *q = &args->question;
	static const struct {
		const char *name;
		enum pdns_types types;
	} groups[] = {{"ANY", PDNS_ANY}, {"ANY-DNSSEC", PDNS_ANY_DNSSEC}, {"ALL", PDNS_ANY_AT_ALL}};
	int type;

	for (unsigned i = 0; i < 3; i++)
		if (strcasecmp(groups[i].name, text) == 0) {
			q->types = groups[i].types;
			return COLLECT_DONE;
		}
	type = pdns_type_parse(text);
	if (type < 0)
		return expected(args, "--type", "A, TYPE65280, 28, ANY, ANY-DNSSEC or ALL", text);
	q->types = PDNS_ONE;
	q->type = (uint16_t)type;
	return COLLECT_DONE;
}

int pdns_ask_time(const char *text, int64_t *time_s)
{
	int day = list_day_parse(text, strlen(text));
	char *end;
	long long n = strtoll(text, &end, 10);

	if (day >= 0)
		n = store_day_start_ms((uint16_t)day) / 1000;
	else if (!*text || *end || n > UINT32_MAX || n < -(long long)UINT32_MAX)
		return -EINVAL;
	else if (n < 0)
		n += time(NULL);
	*time_s = n;
	return 0;
}

static int time_take(int option, const char *text, struct pdns_args *args)
{
	static const char *const names[] = {
		"--first-after", "--first-before", "--last-after", "--last-before"};
	struct pdns_question *q = &args->question;
	int64_t *fences[] = {&q->first_after, &q->first_before, &q->last_after, &q->last_before};
	int64_t n;

	if (pdns_ask_time(text, &n) < 0)
		return expected(args, names[option - '1'],
			"seconds since 1970, -SECONDS before now or YYYY-MM-DD", text);
	// 0 would be no fence.
	*fences[option - '1'] = n > 0 ? n : 1;
	return COLLECT_DONE;
}

static int number_take(
	struct pdns_args *args, const char *option, const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return expected(args, option, "a number", text);
	return COLLECT_DONE;
}

static int class_take(const char *text, struct pdns_args *args)
{
	for (unsigned class = 0; class < PDNS_CLASSES; class ++)
		if (strcmp(pdns_class_name(class), text) == 0) {
			args->class = class;
			args->has_class = true;
			args->question.classes = PDNS_CLASS_BIT(class);
			return COLLECT_DONE;
		}
	return expected(args, "--sensor", "client or resolver", text);
}

int pdns_ask_take(int option, const char *value, struct pdns_args *args)
{
	struct pdns_question *q = &args->question;

	if (strchr("nNirR", option) && args->asks) {
		snprintf(args->error, sizeof(args->error),
			"expected one of --name, --rdata-name, --ip and --raw");
		return COLLECT_USAGE;
	}
	args->asks |= strchr("nNirR", option) != NULL;
	switch (option) {
	case 'n':
		return scope_take("--name", value, PDNS_BY_OWNER, args);
	case 'N':
		return scope_take("--rdata-name", value, PDNS_BY_TARGET, args);
	case 'R':
		q->by = PDNS_BY_OWNER;
		q->name = args->name;
		return octets_take(
			args, "--name", value, args->name, sizeof(args->name), &q->name_size);
	case 'i':
		return addresses_take(value, args);
	case 'r':
		q->by = PDNS_BY_RAW;
		q->raw = args->raw;
		return octets_take(
			args, "--raw", value, args->raw, sizeof(args->raw), &q->raw_size);
	case 't':
		return type_take(value, args);
	case 'b':
		q->bailiwick = args->bailiwick;
		return name_take(args, "--bailiwick", value, strlen(value), args->bailiwick,
			&q->bailiwick_size);
	case 's':
		return class_take(value, args);
	case 'l':
		return number_take(args, "--limit", value, &q->limit);
	case 'o':
		return number_take(args, "--offset", value, &q->offset);
	case 'm':
		return number_take(args, "--max-count", value, &args->max_count);
	case 'c':
		q->cursor = args->cursor;
		return octets_take(args, "--cursor", value, args->cursor, sizeof(args->cursor),
			&q->cursor_size);
	}
	return time_take(option, value, args);
}
