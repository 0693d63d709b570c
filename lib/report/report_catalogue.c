/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/list.h"
#include "report/report_private.h"

struct reading {
	struct report_catalogue *catalogue;
	const char *path;
	bool watched;
	char *error; // "" as long as all is good
};

struct report_catalogue *report_catalogue_create(void)
{
	return report_object(sizeof(struct report_catalogue));
}

void report_catalogue_destroy(struct report_catalogue *catalogue)
{
	if (!catalogue)
		return;
	report_memory_free(&catalogue->memory);
	free(catalogue);
}

// Most lines have the same text as the line before them.
static const char *text_keep(struct report_memory *memory, const char *text, const char *before)
{
	return before && strcmp(before, text) == 0 ? before
						   : report_copy(memory, text, strlen(text));
}

static int entry_take(void *ctx, unsigned lane, const struct list_entry *entry)
{
	struct reading *reading = ctx;
	struct report_catalogue *c = reading->catalogue;
	const struct report_entry *before = c->n_entries ? c->entries[c->n_entries - 1] : NULL;
	struct report_entry *new = report_alloc(&c->memory, sizeof(*new));

	*new = (struct report_entry){
		.id = text_keep(&c->memory, entry->id, before ? before->id : NULL),
		.behaviour =
			text_keep(&c->memory, entry->behaviour, before ? before->behaviour : NULL),
		.first = entry->first_day,
		.last = entry->last_day,
		.watched = reading->watched,
		.order = c->n_files,
		.line = entry->line,
		.scope = entry->scope,
		.name_size = entry->name_size,
		.name = (const uint8_t *)report_copy(
			&c->memory, (const char *)entry->name, entry->name_size),
	};
	c->entries =
		report_grow(&c->memory, c->entries, c->n_entries, sizeof(struct report_entry *));
	c->entries[c->n_entries++] = new;
	return 0;
}

static void bad_line_take(void *ctx, unsigned line, const char *what)
{
	struct reading *reading = ctx;

	if (!*reading->error)
		snprintf(reading->error, REPORT_ERROR_SIZE, "%s:%u: %s", reading->path, line, what);
}

int report_catalogue_read(struct report_catalogue *catalogue, const char *path, bool watched,
	char error[REPORT_ERROR_SIZE])
{
	const struct list_options options = {.format = LIST_CATALOGUE, .min_labels = 1};
	struct reading reading = {
		.catalogue = catalogue, .path = path, .watched = watched, .error = error};
	const struct list_sink sink = {
		.ctx = &reading, .entry = entry_take, .bad_line = bad_line_take};
	struct list_counts counts = {0};
	int err;

	*error = '\0';
	err = list_read(path, &options, &sink, &counts);
	catalogue->n_files++;
	if (*error)
		return -EBADMSG;
	if (err < 0)
		snprintf(error, REPORT_ERROR_SIZE, "%s: %s", path, strerror(-err));
	return err;
}
