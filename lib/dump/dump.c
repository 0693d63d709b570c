/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of a day: one pass over all tuples, which come by owner, all names of a base domain one after the other.
 */
#include "dump/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dns/dns_name.h"
#include "dump/dump_private.h"
#include "pdns/pdns_cof.h"

#define TYPE_A     1
#define TYPE_NS    2
#define TYPE_CNAME 5
#define TYPE_MX    15
#define TYPE_AAAA  28

/** A pass under way. */
struct pass {
	const struct dump_day *day;
	struct dump_out *outs; // DUMP_FILES
	struct dump_progress done;
	int (*tell)(void *ctx, const struct dump_progress *progress);
	void *ctx;
	char *text;                      // PDNS_TEXT_SIZE octets
	char *line;                      // the same and a name's, too
	uint8_t base[DNS_NAME_SIZE_MAX]; // of the last owner; size 0: none yet
	size_t base_size;
	int64_t base_first;
};

/* ---- rows ------------------------------------------------------------------------------------ */

static int line_write(struct pass *pass, enum dump_file file, size_t size)
{
	pass->done.rows[file]++;
	return dump_out_write(&pass->outs[file], pass->line, size);
}

// "TIME|A|B", or without B. A bar in a name has a backslash before it: with 124 in its place it is an escape, and no
// end of a field.
static int fields_write(
	struct pass *pass, enum dump_file file, int64_t time_s, const char *a, const char *b)
{
	char *at = pass->line + sprintf(pass->line, "%" PRId64 "|", time_s);

	for (; *a; a++)
		at += sprintf(at, *a == '|' ? "124" : "%c", *a);
	at += sprintf(at, "%s%s\n", b ? "|" : "", b ? b : "");
	return line_write(pass, file, (size_t)(at - pass->line));
}

static int object_write(struct pass *pass, const struct pdns_row *row)
{
	json_t *object = pdns_cof_make(row, NULL, false);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int err = text ? dump_out_write(&pass->outs[DUMP_TUPLES], text, strlen(text)) : -ENOMEM;

	json_decref(object);
	free(text);
	pass->done.rows[DUMP_TUPLES]++;
	return err ? err : dump_out_write(&pass->outs[DUMP_TUPLES], "\n", 1);
}

static int csv_write(struct pass *pass, const struct pdns_row *row)
{
	static const struct {
		uint16_t type;
		enum dump_file file;
		bool data_first;
	} kinds[] = {
		{TYPE_A, DUMP_IPV4, true},
		{TYPE_AAAA, DUMP_IPV6, true},
		{TYPE_CNAME, DUMP_CNAME, false},
		{TYPE_MX, DUMP_MX, false},
		{TYPE_NS, DUMP_NAMESERVER, false},
	};
	char owner[DNS_NAME_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type != row->type)
			continue;
		if (pdns_rdata_text(
			    row->type, row->rdata->data, row->rdata->size, false, pass->text) < 0)
			return -ENOMEM;
		dns_name_format(row->owner, owner);
		return fields_write(pass, kinds[i].file, row->last_s,
			kinds[i].data_first ? pass->text : owner,
			kinds[i].data_first ? owner : pass->text);
	}
	return 0;
}

/* ---- new domains ----------------------------------------------------------------------------- */

static const uint8_t *base_of(const uint8_t *owner)
{
	unsigned labels = 0, keep = pdns_base_labels(owner);

	for (const uint8_t *at = owner; *at; at += 1 + *at)
		labels++;
	for (; labels > keep; labels--)
		owner += 1 + *owner;
	return owner;
}

static int base_end(struct pass *pass)
{
	char text[DNS_NAME_TEXT_SIZE];

	// The root is nobody's domain.
	if (pass->base_size <= 1 || pass->base_first < pass->day->from_s ||
		pass->base_first >= pass->day->to_s)
		return 0;
	dns_name_format(pass->base, text);
	return fields_write(pass, DUMP_NEW_DOMAIN, pass->base_first, text, NULL);
}

static int base_take(struct pass *pass, const struct pdns_row *row)
{
	const uint8_t *base = base_of(row->owner);
	size_t size = row->owner_size - (size_t)(base - row->owner);
	int err = 0;

	if (size != pass->base_size || memcmp(base, pass->base, size) != 0) {
		err = base_end(pass);
		memcpy(pass->base, base, size);
		pass->base_size = size;
		pass->base_first = row->first_s;
	}
	if (row->first_s < pass->base_first)
		pass->base_first = row->first_s;
	return err;
}

/* ---- the pass -------------------------------------------------------------------------------- */

static int row_take(void *ctx, const struct pdns_row *row)
{
	struct pass *pass = ctx;
	int err = base_take(pass, row);

	pass->done.tuples++;
	if (err || row->first_s >= pass->day->to_s || row->last_s < pass->day->from_s)
		return err;
	err = object_write(pass, row);
	return err ? err : csv_write(pass, row);
}

static int progress_tell(void *ctx, const struct pdns_result *result)
{
	struct pass *pass = ctx;

	return pass->tell ? pass->tell(pass->ctx, &pass->done) : 0;
}

static int pass_make(struct pdns *pdns, struct pass *pass)
{
	const struct pdns_question everything = {.types = PDNS_ANY_AT_ALL};
	const struct pdns_visitor visitor = {pass, row_take, progress_tell};
	struct pdns_result result;
	int err;

	pass->text = malloc(PDNS_TEXT_SIZE);
	pass->line = malloc(PDNS_TEXT_SIZE + DNS_NAME_TEXT_SIZE + 64);
	err = pass->text && pass->line ? pdns_query(pdns, &everything, &visitor, &result) : -ENOMEM;
	if (err == 0)
		err = base_end(pass);
	free(pass->text);
	free(pass->line);
	return err;
}

int dump_write(struct pdns *pdns, const char *dataset, const struct dump_day *day,
	int (*tell)(void *ctx, const struct dump_progress *progress), void *ctx,
	struct dump_progress *done)
{
	struct dump_out outs[DUMP_FILES];
	struct pass pass = {.day = day, .outs = outs, .tell = tell, .ctx = ctx};
	int lock, err = dump_outs_open(dataset, day->day, outs, &lock);

	*done = (struct dump_progress){0};
	if (err)
		return err;
	err = pass_make(pdns, &pass);
	if (err < 0)
		log_line(LOG_ERROR, "%s/" DUMP_FOLDER ": cannot be written: %s", dataset,
			strerror(-err));
	err = dump_outs_close(dataset, day->day, outs, lock, err);
	*done = pass.done;
	return err;
}
