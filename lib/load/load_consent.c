/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load/load_private.h"

struct consent_table *load_consent(
	const struct conf *conf, size_t *size, uint64_t *bad, char *error)
{
	char first_bad[LOAD_BAD_SIZE] = "";
	struct load_bad lines = {.path = conf->consent_source, .first = first_bad};
	struct consent_rules rules = {0};
	struct consent_counts counts = {0};
	struct consent_table *table = NULL;
	int err = 0;

	if (conf->consent_source[0])
		err = consent_read(conf->consent_source, &rules, load_bad_line, &lines, &counts);
	if (err == -EBADMSG) {
		snprintf(error, LOAD_ERROR_SIZE, "%s", first_bad);
	} else if (err < 0) {
		snprintf(error, LOAD_ERROR_SIZE, "%s:%u: [consent] source: cannot read %s: %s",
			conf->path, conf->consent_source_line, conf->consent_source,
			strerror(-err));
	} else if (counts.good == 0 && lines.n > 0) {
		snprintf(error, LOAD_ERROR_SIZE, "%s: no good line in it; first bad one: %s",
			conf->consent_source, first_bad);
	} else {
		table = consent_table_build(rules.rules, rules.n, size);
		if (!table)
			snprintf(error, LOAD_ERROR_SIZE, "consent table of %zu prefixes: %s",
				rules.n, strerror(errno));
	}
	*bad = lines.n;
	consent_rules_free(&rules);
	return table;
}
