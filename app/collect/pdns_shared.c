/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who shares servers or networks with whom.
 */
#include "dns/dns_name.h"
#include "pdns_app.h"

/** Domains on their way out. */
struct sharing {
	struct pdns_sink *sink;
	const struct pdns_args *args;
	const char *of; // the operand
};

static void line_write(FILE *out, const char *const fields[4])
{
	for (unsigned i = 0; i < 4; i++) {
		csv_text(out, fields[i]);
		putc(i < 3 ? ',' : '\n', out);
	}
}

static int shared_write(void *ctx, const struct signal_shared *shared)
{
	struct sharing *sharing = ctx;
	struct pdns_sink *sink = sharing->sink;
	char name[DNS_NAME_TEXT_SIZE], what[DNS_NAME_TEXT_SIZE];
	const char *via = shared->server ? "ns" : "block";
	int err = 0;

	if (!pdns_sink_room(sink, sharing->args))
		return PDNS_ENOUGH;
	dns_name_format(shared->name, name);
	if (shared->server)
		dns_name_format(shared->server, what);
	else
		prefix_format(&shared->block, what);
	if (sharing->args->text)
		fprintf(sink->out, "%s  %s\n", what, name);
	else if (sharing->args->csv)
		line_write(sink->out, (const char *const[]){sharing->of, name, via, what});
	else
		err = pdns_sink_json(sink, json_pack("{ss, ss, ss, ss}", "of", sharing->of, "name",
						   name, "via", via, "what", what));
	return err ? err : pdns_sink_wrote(sink);
}

int pdns_shared_write(const struct pdns_args *args, struct pdns *pdns, struct pdns_sink *sink)
{
	struct sharing sharing = {.sink = sink, .args = args};
	char error[COLLECT_ERROR_SIZE];
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct signal_shared_question q = {.name = name, .progress = pdns_sink_progress};
	int err = 0;

	if (args->csv)
		fputs("of,name,via,what\n", sink->out);
	for (int i = 0; i < args->n && err == 0; i++) {
		sharing.of = args->words[i];
		q.size = (size_t)pdns_operand_read(sharing.of, name, error);
		err = signal_shared_find(pdns, &q, shared_write, &sharing);
	}
	return err;
}
