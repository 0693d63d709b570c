/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of prefixes and the autonomous systems that they are in: sorted, each with the next
 * larger one that it is in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "signal/signal_private.h"
#include "text/text.h"

#define NONE UINT32_MAX

/** A prefix. */
struct network {
	struct prefix prefix;
	uint32_t asn;
	uint32_t outer; // the one that this one is in, or NONE
};

struct signal_networks {
	struct network *networks;
	uint32_t n, room;
};

static int addrs_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int networks_compare(const void *a, const void *b)
{
	const struct network *one = a, *two = b;
	int order = addrs_compare(&one->prefix.addr, &two->prefix.addr);

	return order ? order : (int)one->prefix.length - two->prefix.length;
}

static int network_add(struct signal_networks *table, const struct network *network)
{
	if (table->n == table->room) {
		uint32_t room = table->room ? 2 * table->room : 1024;
		struct network *networks = reallocarray(table->networks, room, sizeof(*networks));

		if (!networks)
			return -ENOMEM;
		table->networks = networks;
		table->room = room;
	}
	table->networks[table->n++] = *network;
	return 0;
}

// Returns whether the line is one of the table.
static bool line_read(const struct text_line *line, struct network *network)
{
	struct text_csv csv;
	const char *digits;
	char *end;
	unsigned long asn;

	if (text_csv_split(line, &csv) || csv.n != 2 ||
		prefix_parse(csv.field[0], &network->prefix) < 0)
		return false;
	digits = csv.field[1];
	if (strncmp(digits, "AS", 2) == 0)
		digits += 2;
	asn = strtoul(digits, &end, 10);
	network->asn = (uint32_t)asn;
	return *digits >= '0' && *digits <= '9' && !*end && asn > 0 && asn <= UINT32_MAX;
}

static int lines_read(const char *path, struct text_file *file, struct signal_networks *table)
{
	static const char *const header[] = {"prefix", "asn"};
	struct text_line line;
	struct network network;
	int err = 0;

	if (!text_line_next(file, &line) || !text_csv_is_header(&line, header, 2)) {
		log_line(LOG_ERROR, "%s:1: expected the header prefix,asn", path);
		return -EINVAL;
	}
	while (err == 0 && text_line_next(file, &line)) {
		if (line_read(&line, &network)) {
			err = network_add(table, &network);
			continue;
		}
		log_line(LOG_ERROR, "%s:%u: expected a prefix and a number, as 192.0.2.0/24,64500",
			path, line.number);
		err = -EINVAL;
	}
	return err;
}

// The one before, or one that that is in, is the smallest that can hold a prefix.
static void outer_find(struct signal_networks *table)
{
	for (uint32_t i = 0; i < table->n; i++) {
		uint32_t outer = i > 0 ? i - 1 : NONE;

		while (outer != NONE && !prefix_contains(&table->networks[outer].prefix,
						&table->networks[i].prefix.addr))
			outer = table->networks[outer].outer;
		table->networks[i].outer = outer;
	}
}

int signal_networks_read(const char *path, struct signal_networks **networks)
{
	struct signal_networks *table = calloc(1, sizeof(*table));
	struct text_file file;
	int err = table ? text_file_read(path, &file) : -ENOMEM;

	if (err) {
		log_line(LOG_ERROR, "%s: %s", path, strerror(-err));
		free(table);
		return err;
	}
	err = lines_read(path, &file, table);
	text_file_free(&file);
	if (err) {
		signal_networks_free(table);
		return err;
	}
	if (table->n > 0)
		qsort(table->networks, table->n, sizeof(*table->networks), networks_compare);
	outer_find(table);
	*networks = table;
	return 0;
}

void signal_networks_free(struct signal_networks *networks)
{
	if (!networks)
		return;
	free(networks->networks);
	free(networks);
}

uint32_t signal_networks_find(const struct signal_networks *networks, const struct addr *addr)
{
	uint32_t low = 0, high = networks->n, at;

	// The last that does not begin behind the address.
	while (low < high) {
		at = low + (high - low) / 2;
		if (addrs_compare(&networks->networks[at].prefix.addr, addr) <= 0)
			low = at + 1;
		else
			high = at;
	}
	at = low > 0 ? low - 1 : NONE;
	while (at != NONE && !prefix_contains(&networks->networks[at].prefix, addr))
		at = networks->networks[at].outer;
	return at == NONE ? 0 : networks->networks[at].asn;
}
