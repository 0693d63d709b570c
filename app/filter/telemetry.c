/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

// DPDK's telemetry thread outlives what it shows, and a command cannot be taken back.
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_open; // under open_lock

// A reply holds 256 entries (rte_telemetry) in 16 KiB: large tables are read in pages.
#define PAGE_ROWS 128

// Keys of telemetry are letters, digits, "_" and "/".
static void key_clean(char *key)
{
	for (; *key; key++)
		if (!isalnum((unsigned char)*key) && *key != '_' && *key != '/')
			*key = '_';
}

static unsigned offset_parse(const char *params)
{
	return params ? (unsigned)strtoul(params, NULL, 10) : 0;
}

// Scalars of a JSON object as entries of a telemetry dictionary.
static void dict_fill(struct rte_tel_data *data, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		char key[RTE_TEL_MAX_STRING_LEN];

		snprintf(key, sizeof(key), "%s", name);
		key_clean(key);
		if (json_is_integer(value))
			rte_tel_data_add_dict_u64(data, key, (uint64_t)json_integer_value(value));
		else if (json_is_string(value))
			rte_tel_data_add_dict_string(data, key, json_string_value(value));
		else if (json_is_boolean(value))
			rte_tel_data_add_dict_int(data, key, json_is_true(value));
	}
}

struct page {
	struct rte_tel_data *data;
	unsigned at, from;
};

static void row_add(void *ctx, const struct stats_row *row)
{
	struct page *page = ctx;
	char key[RTE_TEL_MAX_STRING_LEN];
	int n;

	if (page->at++ < page->from || page->at > page->from + PAGE_ROWS)
		return;
	n = snprintf(key, sizeof(key), "%s", row->metric);
	for (unsigned i = 0; i < STATS_LABELS_MAX && row->labels[i].name && n < (int)sizeof(key);
		i++)
		n += snprintf(key + n, sizeof(key) - (size_t)n, "/%s", row->labels[i].value);
	key_clean(key);
	rte_tel_data_add_dict_u64(page->data, key, row->value);
}

static int on_stats(const char *command, const char *params, struct rte_tel_data *data)
{
	struct page page = {data, 0, offset_parse(params)};
	struct stats_worker *sum = aligned_alloc(64, sizeof(*sum));
	struct stats_list *lists = calloc(POLICY_LISTS_MAX, sizeof(*lists));

	(void)command;
	rte_tel_data_start_dict(data);
	if (sum && lists) {
		pthread_mutex_lock(&app.lock);
		show_sum(sum);
		stats_visit(sum, lists, show_lists(lists), row_add, &page);
		pthread_mutex_unlock(&app.lock);
	}
	free(sum);
	free(lists);
	return 0;
}

// One container for each object of {"rows": [{...}, ...]}, by the value of a key, or by its number.
static int rows_fill(
	struct rte_tel_data *data, json_t *reply, const char *rows, const char *key, unsigned from)
{
	json_t *array = json_object_get(reply, rows), *row;
	size_t i;

	rte_tel_data_start_dict(data);
	json_array_foreach(array, i, row)
	{
		struct rte_tel_data *container;
		json_t *name = key ? json_object_get(row, key) : NULL;
		char text[RTE_TEL_MAX_STRING_LEN];

		if (i < from || i >= from + PAGE_ROWS / 4)
			continue;
		container = rte_tel_data_alloc();
		if (!container)
			break;
		rte_tel_data_start_dict(container);
		dict_fill(container, row);
		if (!name)
			snprintf(text, sizeof(text), "%zu", i);
		else if (json_is_string(name))
			snprintf(text, sizeof(text), "%s", json_string_value(name));
		else
			snprintf(text, sizeof(text), "%s%lld", key,
				(long long)json_integer_value(name));
		key_clean(text);
		rte_tel_data_add_dict_container(data, text, container, 0);
	}
	json_decref(reply);
	return 0;
}

static int on_lists(const char *command, const char *params, struct rte_tel_data *data)
{
	(void)command;
	return rows_fill(data, show_lists_json(), "lists", "name", offset_parse(params));
}

static int on_workers(const char *command, const char *params, struct rte_tel_data *data)
{
	(void)command;
	return rows_fill(data, show_workers_json(), "workers", "worker", offset_parse(params));
}

// Identifiers are any text, and no keys. Only the page that is asked for is made.
static int on_ids(const char *command, const char *params, struct rte_tel_data *data)
{
	(void)command;
	return rows_fill(data, ids_page(offset_parse(params), PAGE_ROWS / 4), "ids", NULL, 0);
}

static int on_totals(const char *command, const char *params, struct rte_tel_data *data)
{
	json_t *totals = totals_show();

	(void)command;
	(void)params;
	rte_tel_data_start_dict(data);
	dict_fill(data, totals);
	json_decref(totals);
	return 0;
}

static int on_ports(const char *command, const char *params, struct rte_tel_data *data)
{
	(void)command;
	(void)params;
	rte_tel_data_start_array(data, RTE_TEL_INT_VAL);
	for (unsigned i = 0; i < app.n_ports; i++)
		rte_tel_data_add_array_int(data, app.ports[i].id);
	return 0;
}

static int on_port(const char *command, const char *params, struct rte_tel_data *data)
{
	(void)command;
	if (!params || !isdigit((unsigned char)*params))
		return -1;
	for (unsigned i = 0; i < app.n_ports; i++)
		if (app.ports[i].id == offset_parse(params)) {
			json_t *port = show_port_json(i);

			rte_tel_data_start_dict(data);
			dict_fill(data, port);
			json_decref(port);
			return 0;
		}
	return -1;
}

static int on_generation(const char *command, const char *params, struct rte_tel_data *data)
{
	static const struct ctl_command show = {.path = "show generation"};
	json_t *reply = show_command(NULL, &show, "", NULL, 0);

	(void)command;
	(void)params;
	rte_tel_data_start_dict(data);
	dict_fill(data, reply);
	json_decref(reply);
	return 0;
}

static const struct {
	const char *command;
	telemetry_cb answer;
	const char *help;
} commands[] = {
	{"/dnsweir/stats", on_stats,
		"Counters by metric and labels. Parameters: offset (optional; 128 rows a page)"},
	{"/dnsweir/lists", on_lists, "Lists. Parameters: offset (optional; 32 lists a page)"},
	{"/dnsweir/workers", on_workers,
		"Workers. Parameters: offset (optional; 32 workers a page)"},
	{"/dnsweir/ids", on_ids,
		"dnsweir_filtered_ids_total by list, id and action, of ids that were met. "
		"Parameters: offset (optional; 32 rows a page)"},
	{"/dnsweir/totals", on_totals, "The file of totals. No parameters"},
	{"/dnsweir/ports", on_ports, "Port ids. No parameters"},
	{"/dnsweir/port", on_port, "One port. Parameters: port id"},
	{"/dnsweir/generation", on_generation,
		"Tables in force and the last reload. No parameters"},
};

static int on_command(const char *command, const char *params, struct rte_tel_data *data)
{
	int result = -1;

	pthread_mutex_lock(&open_lock);
	for (size_t i = 0; is_open && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].command, command) == 0)
			result = commands[i].answer(command, params, data);
	pthread_mutex_unlock(&open_lock);
	return result;
}

void telemetry_close(void)
{
	pthread_mutex_lock(&open_lock);
	is_open = false;
	pthread_mutex_unlock(&open_lock);
}

void telemetry_open(void)
{
	pthread_mutex_lock(&open_lock);
	is_open = true;
	pthread_mutex_unlock(&open_lock);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		rte_telemetry_register_cmd(commands[i].command, on_command, commands[i].help);
}
