/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "report/report_template.h"

const struct report_section *report_behaviour_find(
	const struct report_template *words, const char *behaviour)
{
	for (size_t i = 0; words && i < words->n_sections; i++) {
		const struct report_section *section = &words->sections[i];

		if (strcmp(section->name, "behaviour") != 0)
			continue;
		// A catalogue may have the name in any language, or other words.
		for (size_t j = 0; j < section->n_texts; j++)
			if ((strcmp(section->texts[j].key, "match") == 0 ||
				    strcmp(section->texts[j].key, "name") == 0) &&
				strcmp(section->texts[j].text, behaviour) == 0)
				return section;
	}
	return NULL;
}

const char *report_behaviour_name(
	const struct report_template *words, const char *behaviour, enum report_language language)
{
	const char *name =
		report_text_first(report_behaviour_find(words, behaviour), "name", language);

	return name ? name : behaviour;
}

struct report_behaviour *report_behaviours(
	struct report_memory *memory, const struct report_output *output, size_t *n)
{
	const struct report_figures *f = output->figures;
	struct report_behaviour *all = NULL;

	*n = 0;
	for (size_t i = 0, j; i < f->n_malware; i++) {
		const char *behaviour = f->malware[i].behaviour;
		const char *name =
			report_behaviour_name(output->words, behaviour, output->language);

		for (j = 0; j < *n && strcmp(all[j].name, name) != 0;)
			j++;
		if (j < *n)
			continue;
		all = report_grow(memory, all, *n, sizeof(*all));
		all[(*n)++] = (struct report_behaviour){
			name, report_behaviour_find(output->words, behaviour)};
	}
	return all;
}
