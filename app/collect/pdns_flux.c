/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names whose addresses come and go.
 */
#include <inttypes.h>

#include "dns/dns_name.h"
#include "pdns_app.h"

#define LEAST 10 // addresses of a name that is told of if none was asked for

/** Names on their way out. */
struct fluxing {
	struct pdns_sink *sink;
	const struct pdns_args *args;
};

static json_t *flux_make(const char *name, const struct signal_flux *flux)
{
	return json_pack("{ss, si, si, si, si, sI, sI}", "name", name, "score", (int)flux->score,
		"addresses", (int)flux->addresses, "networks", (int)flux->networks, "brief",
		(int)flux->brief, "time_first", (json_int_t)flux->first_s, "time_last",
		(json_int_t)flux->last_s);
}

static int flux_write(void *ctx, const struct signal_flux *flux)
{
	struct fluxing *fluxing = ctx;
	const struct pdns_args *args = fluxing->args;
	struct pdns_sink *sink = fluxing->sink;
	char name[DNS_NAME_TEXT_SIZE];
	int err = 0;

	// What nobody asked for by name is told of if there is something to it.
	if (args->n == 0 && flux->score == 0)
		return 0;
	if (!pdns_sink_room(sink, args))
		return PDNS_ENOUGH;
	dns_name_format(flux->name, name);
	if (args->text)
		fprintf(sink->out, "%3u  %5u addresses  %4u networks  %5u brief  %s\n", flux->score,
			flux->addresses, flux->networks, flux->brief, name);
	else if (args->csv) {
		csv_text(sink->out, name);
		fprintf(sink->out, ",%u,%u,%u,%u,%" PRId64 ",%" PRId64 "\n", flux->score,
			flux->addresses, flux->networks, flux->brief, flux->first_s, flux->last_s);
	} else
		err = pdns_sink_json(sink, flux_make(name, flux));
	return err ? err : pdns_sink_wrote(sink);
}

int pdns_flux_write(const struct pdns_args *args, struct pdns *pdns, struct pdns_sink *sink)
{
	struct fluxing fluxing = {.sink = sink, .args = args};
	struct signal_flux_question q = {.last_after = args->question.last_after,
		.least = args->n ? 0 : LEAST,
		.networks = args->networks,
		.progress = pdns_sink_progress};
	char error[COLLECT_ERROR_SIZE];
	uint8_t name[DNS_NAME_SIZE_MAX];
	int err = 0;

	if (args->csv)
		fputs("name,score,addresses,networks,brief,time_first,time_last\n", sink->out);
	if (args->n == 0)
		err = signal_flux_find(pdns, &q, flux_write, &fluxing);
	for (int i = 0; i < args->n && err == 0; i++) {
		q.name = name;
		q.size = (size_t)pdns_operand_read(args->words[i], name, error);
		err = signal_flux_find(pdns, &q, flux_write, &fluxing);
	}
	return err;
}
