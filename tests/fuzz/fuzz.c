/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fuzz_fail(const char *what)
{
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	FUZZ_CHECK(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

const struct pipeline_tables *fuzz_tables(void)
{
	static const struct pipeline_tables *tables;
	static struct tables *t; // reachable to the end, so that it is no leak

	if (tables)
		return tables;
	t = tables_create();
	// One address of a family: a second pass must find nothing to change.
	tables_sinkhole(t, NULL, "192.0.2.1");
	tables_sinkhole(t, NULL, "2001:db8::1");
	tables_list(t, "c2", POLICY_SINKHOLE);
	tables_entry(t, ".evil.example", NULL, NULL);
	tables_entry(t, "last.example", NULL, NULL);
	tables_entry(t, "*.com", NULL, NULL);
	tables_list(t, "watch", POLICY_LOG);
	tables_entry(t, ".middle.example", NULL, NULL);
	tables_list(t, "good", POLICY_ALLOW);
	tables_entry(t, ".good.example", NULL, NULL);
	tables_entry(t, "www.evil.example", NULL, NULL);
	tables_list(t, "patterns", POLICY_SINKHOLE);
	if (pattern_supported()) {
		tables_pattern(t, "^[^.]{3}\\.(x|\\\\)");
		tables_pattern(t, "b.*le$");
	}
	tables_consent(t, "203.0.113.128/25", CONSENT_NO_FILTER);
	tables_consent(t, "2001:db8:d::/48", CONSENT_NO_LOG);
	tables = tables_finish(t);
	return tables;
}
