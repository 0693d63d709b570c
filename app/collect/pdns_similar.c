/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names in the dataset that imitate others.
 */
#include <inttypes.h>
#include <string.h>

#include "dns/dns_name.h"
#include "pdns_app.h"
#include "shape/shape.h"

#define ROWS_MAX 100000 // tuples of a name that are looked at for its times

/** Names on their way out. */
struct naming {
	struct pdns_sink *sink;
	const struct pdns_args *args;
	struct pdns *pdns;
	const char *of; // the operand
};

// As people see it: U-labels. Empty where that is the name itself.
static void unicode_write(const uint8_t *name, const char *plain, char text[DNS_NAME_TEXT_SIZE])
{
	char label[SHAPE_TEXT_SIZE];
	size_t n = 0;

	*text = '\0';
	if (!strstr(plain, "xn--"))
		return;
	for (; *name; name += 1u + *name) {
		shape_text(name, label);
		n += (size_t)snprintf(
			text + n, DNS_NAME_TEXT_SIZE - n, "%s%s", n ? "." : "", label);
		if (n >= DNS_NAME_TEXT_SIZE)
			return;
	}
	if (strcmp(plain, text) == 0)
		*text = '\0';
}

static json_t *like_make(const struct naming *naming, const struct signal_like *like,
	const char *name, const char *seen, const struct pdns_summary *sum)
{
	json_t *row = json_pack("{ss, ss, ss, si}", "of", naming->of, "name", name, "class",
		signal_class_name(like->class), "distance", (int)like->distance);

	if (!row)
		return NULL;
	if (*seen)
		json_object_set_new(row, "unicode", json_string(seen));
	json_object_set_new(row, "time_first", json_integer(sum->first_s));
	json_object_set_new(row, "time_last", json_integer(sum->last_s));
	json_object_set_new(row, "count", json_integer((json_int_t)sum->count));
	return row;
}

static void line_write(const struct naming *naming, const struct signal_like *like,
	const char *const names[3], const struct pdns_summary *sum)
{
	FILE *out = naming->sink->out;

	for (unsigned i = 0; i < 3; i++) {
		csv_text(out, names[i]);
		putc(',', out);
	}
	fprintf(out, "%s,%u,%" PRId64 ",%" PRId64 ",%" PRIu64 "\n", signal_class_name(like->class),
		like->distance, sum->first_s, sum->last_s, sum->count);
}

static int like_write(void *ctx, const struct signal_like *like)
{
	struct naming *naming = ctx;
	struct pdns_sink *sink = naming->sink;
	const struct pdns_question q = {.by = PDNS_BY_OWNER,
		.scope = PDNS_SUBTREE,
		.types = PDNS_ANY_AT_ALL,
		.name = like->name,
		.name_size = like->size,
		.limit = ROWS_MAX};
	char name[DNS_NAME_TEXT_SIZE], seen[DNS_NAME_TEXT_SIZE];
	struct pdns_summary sum = {0};
	int err;

	if (!pdns_sink_room(sink, naming->args))
		return PDNS_ENOUGH;
	err = pdns_summarise(naming->pdns, &q, 0, NULL, &sum);
	if (err)
		return err;
	dns_name_format(like->name, name);
	unicode_write(like->name, name, seen);
	if (naming->args->text)
		fprintf(sink->out, "%-13s %2u  %s%s%s\n", signal_class_name(like->class),
			like->distance, name, *seen ? "  " : "", seen);
	else if (naming->args->csv)
		line_write(naming, like, (const char *const[]){naming->of, name, seen}, &sum);
	else
		err = pdns_sink_json(sink, like_make(naming, like, name, seen, &sum));
	return err ? err : pdns_sink_wrote(sink);
}

int pdns_similar_write(const struct pdns_args *args, struct pdns *pdns, struct pdns_sink *sink)
{
	struct naming naming = {.sink = sink, .args = args, .pdns = pdns};
	char error[COLLECT_ERROR_SIZE];
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct signal_like_question q = {.name = name,
		.words = (const char *const *)args->dictionary.word,
		.n_words = args->dictionary.n,
		.progress = pdns_sink_progress};
	int err = 0;

	if (args->csv)
		fputs("of,name,unicode,class,distance,time_first,time_last,count\n", sink->out);
	for (int i = 0; i < args->n && err == 0; i++) {
		naming.of = args->words[i];
		q.size = (size_t)pdns_operand_read(naming.of, name, error);
		err = signal_similar(pdns, &q, like_write, &naming);
	}
	return err;
}
