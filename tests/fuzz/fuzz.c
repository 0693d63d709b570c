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

// What the lists that filter do.
static const struct {
	enum policy_action action;
	enum policy_ede ede;
	enum policy_dnssec dnssec;
	bool answer_empty;
	const char *ede_text;
} choices[] = {
	{.action = POLICY_SINKHOLE},
	{.action = POLICY_NXDOMAIN},
	{.action = POLICY_NODATA, .ede = POLICY_EDE_FILTERED, .ede_text = "why"},
	{.action = POLICY_DROP},
	{.action = POLICY_TCP_ONLY},
	{.action = POLICY_SINKHOLE, .answer_empty = true},
	{.action = POLICY_SINKHOLE,
		.answer_empty = true,
		.ede = POLICY_EDE_FORGED,
		.ede_text = "a text that takes some room in the answer"},
	{.action = POLICY_SINKHOLE, .dnssec = POLICY_DNSSEC_SKIP_SIGNED, .ede = POLICY_EDE_BLOCKED},
};

#define CHOICES (sizeof(choices) / sizeof(choices[0]))

static void choice_make(struct policy *policy, size_t choice)
{
	for (unsigned i = 0; i < policy->n_lists; i++) {
		struct policy_list *list = &policy->lists[i];

		if (list->action != POLICY_SINKHOLE)
			continue;
		list->action = choices[choice].action;
		list->ede = choices[choice].ede;
		list->dnssec = choices[choice].dnssec;
		list->answer_empty = choices[choice].answer_empty;
		snprintf(list->ede_text, sizeof(list->ede_text), "%s",
			choices[choice].ede_text ? choices[choice].ede_text : "");
	}
}

// Lists of every kind; their names are those of the corpus.
static struct tables *tables_make(void)
{
	struct tables *t = tables_create();

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
	return t;
}

const struct pipeline_tables *fuzz_tables(uint8_t choice)
{
	static struct pipeline_tables tables[CHOICES];
	static struct policy policies[CHOICES];
	static struct tables *made; // reachable to the end, so that it is no leak

	if (!made) {
		made = tables_make();
		tables[0] = *tables_finish(made);
		for (size_t i = 0; i < CHOICES; i++) {
			policies[i] = *tables[0].policy;
			choice_make(&policies[i], i);
			tables[i] = tables[0];
		}
		for (size_t i = 0; i < CHOICES; i++)
			tables[i].policy = &policies[i];
	}
	return &tables[choice % CHOICES];
}
