/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names whose addresses come and go.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dns/dns_name.h"
#include "pdns_app.h"
#include "signal/signal.h"

#define LEAST   10 // addresses of a name that is told of if none was asked for
#define STOPPED 1  // a visit has had enough

/** Names on their way out. */
struct fluxing {
	const struct pdns_args *args;
	uint64_t rows;
};

static void flux_json(const char *name, const struct signal_flux *flux)
{
	json_t *row = json_pack("{ss, si, si, si, si, sI, sI}", "name", name, "score",
		(int)flux->score, "addresses", (int)flux->addresses, "networks",
		(int)flux->networks, "brief", (int)flux->brief, "time_first",
		(json_int_t)flux->first_s, "time_last", (json_int_t)flux->last_s);

	if (row)
		json_dumpf(row, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(row);
}

static int flux_show(void *ctx, const struct signal_flux *flux)
{
	struct fluxing *fluxing = ctx;
	const struct pdns_args *args = fluxing->args;
	char name[DNS_NAME_TEXT_SIZE];

	// What nobody asked for by name is told of if there is something to it.
	if (args->n == 0 && flux->score == 0)
		return 0;
	if (args->question.limit && fluxing->rows++ == args->question.limit) {
		log_line(LOG_INFO, "there is more; see --limit");
		return STOPPED;
	}
	dns_name_format(flux->name, name);
	if (args->text)
		printf("%3u  %5u addresses  %4u networks  %5u brief  %s\n", flux->score,
			flux->addresses, flux->networks, flux->brief, name);
	else if (args->csv)
		printf("%s,%u,%u,%u,%u,%" PRId64 ",%" PRId64 "\n", name, flux->score,
			flux->addresses, flux->networks, flux->brief, flux->first_s, flux->last_s);
	else
		flux_json(name, flux);
	return ferror(stdout) ? STOPPED : 0;
}

static int names_run(struct pdns *pdns, struct fluxing *fluxing, struct signal_flux_question *q)
{
	const struct pdns_args *args = fluxing->args;
	uint8_t name[DNS_NAME_SIZE_MAX];
	int err = 0;

	if (args->csv)
		puts("name,score,addresses,networks,brief,time_first,time_last");
	if (args->n == 0)
		err = signal_flux_find(pdns, q, flux_show, fluxing);
	for (int i = 0; i < args->n && err == 0; i++) {
		pdns_operand_read("flux", args->words[i], name, &q->size);
		q->name = name;
		err = signal_flux_find(pdns, q, flux_show, fluxing);
	}
	if (err == 0 || err == STOPPED)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "dataset: %s", strerror(-err));
	return COLLECT_FAILED;
}

int pdns_flux_run(struct pdns_args *args)
{
	struct fluxing fluxing = {.args = args};
	struct signal_flux_question q = {
		.last_after = args->question.last_after, .least = args->n ? 0 : LEAST};
	struct signal_networks *networks = NULL;
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct pdns *pdns;
	int err = COLLECT_DONE;

	for (int i = 0; i < args->n && err == COLLECT_DONE; i++)
		err = pdns_operand_read("flux", args->words[i], name, &q.size);
	if (err == COLLECT_DONE && args->networks &&
		signal_networks_read(args->networks, &networks) < 0)
		err = COLLECT_USAGE;
	q.networks = networks;
	if (err == COLLECT_DONE)
		err = pdns_app_open(args, PDNS_READ, &pdns);
	if (err == COLLECT_DONE) {
		err = names_run(pdns, &fluxing, &q);
		pdns_close(pdns);
	}
	signal_networks_free(networks);
	return err;
}
