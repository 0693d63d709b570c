/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "report_app.h"

/* What a report is made of, as far as it has been read. */
struct making {
	const struct report_args *args;
	enum report_format_kind format;
	struct totals *totals;
	struct report_catalogue *catalogue;
	struct report_address_file *addresses;
	struct report_template *words;
	struct report_figures *figures;
};

static int usage_error(const char *what)
{
	log_line(LOG_ERROR, "%s (see --help)", what);
	return REPORT_USAGE;
}

static enum report_format_kind format_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && strcasecmp(dot, ".pdf") == 0)
		return REPORT_FORMAT_PDF;
	if (dot && strcasecmp(dot, ".html") == 0)
		return REPORT_FORMAT_HTML;
	if (dot && strcasecmp(dot, ".json") == 0)
		return REPORT_FORMAT_JSON;
	return REPORT_FORMAT_NONE;
}

static int args_check(struct making *making)
{
	const struct report_args *args = making->args;

	if (args->from < 0 || args->to < 0)
		return usage_error(args->n_words && args->from < 0 && args->to < 0
					   ? "expected enter, import, or --from and --to"
					   : "expected --from and --to");
	if (args->to < args->from)
		return usage_error("--to: expected a day that is not before --from");
	if (!args->totals)
		return usage_error("expected --totals");
	if (args->n_catalogues == 0)
		return usage_error("expected --catalogue");
	if (args->n_catalogues + (unsigned)args->n_words > REPORT_FILES_MAX)
		return usage_error("--catalogue: expected at most 64 files");
	if (!args->output)
		return usage_error("expected --output");
	making->format = args->format ? args->format : format_of(args->output);
	if (making->format == REPORT_FORMAT_NONE)
		return usage_error(
			"expected --format, or an output that ends in .pdf, .html or .json");
	if ((making->format == REPORT_FORMAT_PDF || making->format == REPORT_FORMAT_HTML) &&
		!args->template_path)
		return usage_error("expected --template");
	return REPORT_DONE;
}

static int catalogue_read(struct making *making, const char *path, bool watched)
{
	char error[REPORT_ERROR_SIZE];

	if (report_catalogue_read(making->catalogue, path, watched, error) == 0)
		return REPORT_DONE;
	log_line(LOG_ERROR, "%s", error);
	return REPORT_USAGE;
}

static int files_read(struct making *making)
{
	const struct report_args *args = making->args;
	char error[REPORT_ERROR_SIZE];
	int err = REPORT_DONE;

	making->catalogue = report_catalogue_create();
	for (unsigned i = 0; i < args->n_catalogues && err == REPORT_DONE; i++)
		err = catalogue_read(making, args->catalogues[i], false);
	// "--catalogue A B" is as good as "--catalogue A --catalogue B".
	for (int i = 0; i < args->n_words && err == REPORT_DONE; i++)
		err = catalogue_read(making, args->words[i], false);
	for (unsigned i = 0; i < args->n_watched && err == REPORT_DONE; i++)
		err = catalogue_read(making, args->watched[i], true);
	if (err != REPORT_DONE)
		return err;
	if (args->addresses &&
		report_addresses_open(args->addresses, &making->addresses, error) < 0)
		goto bad;
	if (args->template_path) {
		making->words = report_template_read(args->template_path, error);
		if (!making->words)
			goto bad;
	}
	if (totals_open(args->totals, TOTALS_READ, NULL, &making->totals, error) < 0)
		goto bad;
	return REPORT_DONE;
bad:
	log_line(LOG_ERROR, "%s", error);
	return REPORT_USAGE;
}

static int figures_make(struct making *making)
{
	const struct report_args *args = making->args;
	const struct report_input input = {
		.catalogue = making->catalogue,
		.totals = making->totals,
		.period = {(uint16_t)args->from, (uint16_t)args->to},
		.hide_below = args->hide_below,
		.addresses = making->addresses ? report_addresses_of_file : NULL,
		.addresses_ctx = making->addresses,
	};
	char error[REPORT_ERROR_SIZE];

	// Borders of days are those of the zone that the boxes counted in, wherever this runs.
	if (totals_zone_set(totals_zone(making->totals)) < 0) {
		log_line(LOG_ERROR, "%s: this system does not know the time zone %s", args->totals,
			totals_zone(making->totals));
		return REPORT_FAILED;
	}
	making->figures = report_figures_build(&input, error);
	if (making->figures)
		return REPORT_DONE;
	log_line(LOG_ERROR, "%s", error);
	return REPORT_USAGE;
}

static int report_write(struct making *making)
{
	const struct report_output output = {
		.figures = making->figures,
		.words = making->words,
		.language = making->args->language,
		.made = report_now(),
	};
	static int (*const writers[])(const struct report_output *output, const char *path,
		char error[REPORT_ERROR_SIZE]) = {
		[REPORT_FORMAT_PDF] = report_write_pdf,
		[REPORT_FORMAT_HTML] = report_write_html,
		[REPORT_FORMAT_CSV] = report_write_csv,
		[REPORT_FORMAT_JSON] = report_write_json,
	};
	char error[REPORT_ERROR_SIZE];
	int err = writers[making->format](&output, making->args->output, error);

	if (err == 0)
		return REPORT_DONE;
	log_line(LOG_ERROR, "%s", error);
	return err == -EINVAL ? REPORT_USAGE : REPORT_FAILED;
}

int make_run(const struct report_args *args)
{
	struct making making = {.args = args};
	int err = args_check(&making);

	if (err == REPORT_DONE)
		err = files_read(&making);
	if (err == REPORT_DONE)
		err = figures_make(&making);
	if (err == REPORT_DONE)
		err = report_write(&making);
	report_figures_free(making.figures);
	report_template_destroy(making.words);
	report_addresses_close(making.addresses);
	report_catalogue_destroy(making.catalogue);
	totals_close(making.totals);
	return err;
}
