/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The operator's words in a template: sections of keys, each key in a language or in both, each
 * text one paragraph. doc/reports.md says which sections and keys there are.
 */
#include "report/report.h"
#include "report/report_memory.h"

#define REPORT_BOTH REPORT_LANGUAGES /**< a text for both languages */

struct report_text {
	const char *key;
	int language;     /**< enum report_language, or REPORT_BOTH */
	const char *text; /**< one paragraph */
};

struct report_section {
	const char *name;
	const char *argument; /**< what stands behind the name, or "" */
	unsigned line;
	struct report_text *texts;
	size_t n_texts;
};

struct report_template {
	struct report_memory memory;
	const char *path;
	struct report_section *sections; /**< in the order of the file */
	size_t n_sections;
};

/** The first section of a name; with an argument, unless that is NULL. @return NULL: none */
const struct report_section *report_section_find(
	const struct report_template *words, const char *name, const char *argument);

/**
 * The next paragraph of a key.
 *
 * @param section  NULL: there is none
 * @param at       [in,out] 0 to begin with
 * @return NULL: there is no further one
 */
const char *report_text_next(const struct report_section *section, const char *key,
	enum report_language language, size_t *at);

/** The first paragraph of a key, or NULL. */
const char *report_text_first(const struct report_section *section, const char *key,
	enum report_language language);

/** The section that says what a behaviour of a catalogue is, or NULL. */
const struct report_section *report_behaviour_find(
	const struct report_template *words, const char *behaviour);

/** Name of a behaviour in a language; as the catalogue has it if the template has no other. */
const char *report_behaviour_name(const struct report_template *words, const char *behaviour,
	enum report_language language);

/** A behaviour of malware of the report, and what the template says of it. */
struct report_behaviour {
	const char *name;                     /**< in the report's language; borrowed */
	const struct report_section *section; /**< NULL: nothing */
};

/** The behaviours of the malware of a report, each once, in the order of the malware. */
struct report_behaviour *report_behaviours(
	struct report_memory *memory, const struct report_output *output, size_t *n);
