/* SPDX-License-Identifier: BSD-3-Clause */
/* Patterns against the regular expressions of the C library, one at a time. */
#include <criterion/criterion.h>
#include <regex.h>
#include <string.h>

#include "dns/dns_name.h"
#include "pattern/pattern_set.h"
#include "support/patterns.h"
#include "support/random.h"

// An expression that POSIX and Hyperscan read alike.
static void expression_random(uint64_t *state, unsigned depth, char *to)
{
	static const char *const atoms[] = {
		"a", "b", "ab", "x1", "\\.", ".", "[ab]", "[^a]", "[a-c]", "[^.]", "\\\\", "-"};
	static const char *const repeats[] = {"", "", "", "", "*", "+", "?", "{2}", "{1,3}"};
	unsigned n = 1 + random_below(state, 4);

	for (unsigned i = 0; i < n; i++) {
		if (depth > 0 && random_below(state, 4) == 0) {
			strcat(to, "(");
			expression_random(state, depth - 1, to);
			strcat(to, "|");
			expression_random(state, depth - 1, to);
			strcat(to, ")");
		} else {
			strcat(to, atoms[random_below(state, 12)]);
		}
		strcat(to, repeats[random_below(state, 9)]);
	}
}

static void anchored_random(uint64_t *state, char *to)
{
	to[0] = '\0';
	if (random_below(state, 3) == 0)
		strcpy(to, random_below(state, 4) ? "^" : "(^|\\.)");
	expression_random(state, 2, to);
	if (random_below(state, 3) == 0)
		strcat(to, random_below(state, 4) ? "$" : "(\\.|$)");
}

static const char *const words[] = {
	"abab1", "babba", "1abab", "b-aab", "aabbabx", "x1bab", "11abcab", "bb_ab1b"};

// The same with words in it, as a filter looks for them.
static void wordy_random(uint64_t *state, char *to)
{
	static const char *const repeats[] = {"", "", "", "*", "+", "?", "{0,2}", "{2}"};

	to[0] = '\0';
	if (random_below(state, 4) == 0)
		strcpy(to, random_below(state, 3) ? "^" : "(^|\\.)");
	for (unsigned n = 1 + random_below(state, 2); n > 0; n--) {
		if (random_below(state, 2))
			expression_random(state, 1, to);
		strcat(to, words[random_below(state, 8)]);
		strcat(to, repeats[random_below(state, 8)]);
	}
	if (random_below(state, 2))
		expression_random(state, 1, to);
	if (random_below(state, 4) == 0)
		strcat(to, "$");
}

static unsigned longest(const char *found)
{
	unsigned most = 0, n = 0;

	for (; *found; found++) {
		n = *found == ' ' ? 0 : n + 1;
		most = n > most ? n : most;
	}
	return most;
}

// One that a filter can be made for.
static void worded_random(uint64_t *state, char *to)
{
	char found[4096];
	bool any;

	do {
		wordy_random(state, to);
		any = pattern_words(to, found) && longest(found) > PATTERN_GRAM;
	} while (!any);
}

static void wire_random(uint64_t *state, uint8_t wire[DNS_NAME_SIZE_MAX], unsigned *size)
{
	static const char octets[] = "aaabbbABxX1c-.\\\n*";
	unsigned labels = 1 + random_below(state, 4);

	*size = 0;
	for (unsigned i = 0; i < labels; i++) {
		unsigned n = 1 + random_below(state, random_below(state, 9) ? 5 : 40);
		unsigned start = *size;

		wire[(*size)++] = (uint8_t)n;
		while (n-- > 0)
			wire[(*size)++] = (uint8_t)octets[random_below(state, 17)];
		if (random_below(state, 3) == 0) {
			const char *word = words[random_below(state, 8)];

			// With an octet in front that is written as digits, or a part of the word.
			if (random_below(state, 4) == 0)
				wire[(*size)++] = 11;
			word += random_below(state, 4) == 0;
			memcpy(wire + *size, word, strlen(word));
			*size += (unsigned)strlen(word);
			wire[start] = (uint8_t)(*size - start - 1);
		}
	}
	wire[(*size)++] = 0;
}

#define MODEL_PATTERNS 24
#define MODEL_SETS     20
#define MODEL_SCANS    60

struct model {
	unsigned n;
	regex_t regex[MODEL_PATTERNS];
	char text[MODEL_PATTERNS][256];
};

static void model_make(uint64_t *state, void (*expression)(uint64_t *state, char *to),
	struct model *model, struct patterns *p)
{
	char error[PATTERN_ERROR_SIZE];

	model->n = 0;
	patterns_begin(p);
	while (model->n < MODEL_PATTERNS) {
		char text[4096];
		regex_t *regex = &model->regex[model->n];
		bool empty, refused;

		expression(state, text);
		if (strlen(text) >= sizeof(model->text[0]) ||
			regcomp(regex, text, REG_EXTENDED | REG_ICASE) != 0)
			continue;
		empty = regexec(regex, "", 0, NULL, 0) == 0;
		refused = pattern_refusal(text, 0, error) != NULL;
		cr_expect_eq(refused, empty, "/%s/: %s", text, refused ? error : "taken");
		if (refused) {
			regfree(regex);
			continue;
		}
		strcpy(model->text[model->n], text);
		patterns_add(p, model->n++, FQDN_BLOCK, text);
	}
	patterns_finish(p);
}

// List of the first pattern that matches, -1: none.
static int model_match(const struct model *model, const uint8_t *wire)
{
	char text[DNS_NAME_TEXT_SIZE];

	dns_name_format(wire, text);
	for (unsigned i = 0; i < model->n; i++)
		if (regexec(&model->regex[i], text, 0, NULL, 0) == 0)
			return (int)i;
	return -1;
}

static unsigned model_compare(uint64_t *state, const struct model *model, struct patterns *p)
{
	struct fqdn_match found[PATTERN_NAMES_MAX];
	struct names names = {0};
	unsigned n = 1 + random_below(state, PATTERN_NAMES_MAX), n_hits = 0;
	uint64_t hits;

	for (unsigned i = 0; i < n; i++) {
		uint8_t wire[DNS_NAME_SIZE_MAX];
		unsigned size;

		wire_random(state, wire, &size);
		names_add_wire(&names, wire, size);
	}
	hits = patterns_match(p, &names, found);
	for (unsigned i = 0; i < n; i++) {
		int got = hits >> i & 1 ? (int)found[i].block->list : -1;
		char text[DNS_NAME_TEXT_SIZE];
		int want;

		// In place: what it matched was in lower case.
		for (unsigned at = 0; at < names.labels[i].n; at++) {
			uint8_t *label = names.wire[i] + names.labels[i].at[at];

			for (unsigned j = 1; j <= label[0]; j++)
				label[j] = dns_fold(label[j]);
		}
		want = model_match(model, names.wire[i]);
		dns_name_format(names.wire[i], text);
		cr_assert_eq(got, want, "%s: got %d /%s/, want %d /%s/", text, got,
			got < 0 ? "" : model->text[got], want, want < 0 ? "" : model->text[want]);
		n_hits += want >= 0;
	}
	names_free(&names);
	return n_hits;
}

// @param filters [out] sets that have a filter
static unsigned models_compare(void (*expression)(uint64_t *state, char *to), unsigned *filters)
{
	uint64_t state = RANDOM_SEED;
	unsigned hits = 0;

	*filters = 0;
	for (unsigned i = 0; i < MODEL_SETS; i++) {
		static struct model model;
		struct patterns p;

		model_make(&state, expression, &model, &p);
		*filters += p.set->filter != NULL;
		for (unsigned j = 0; j < MODEL_SCANS; j++)
			hits += model_compare(&state, &model, &p);
		for (unsigned j = 0; j < model.n; j++)
			regfree(&model.regex[j]);
		patterns_end(&p);
	}
	return hits;
}

Test(pattern_model, random_names_and_expressions_match_as_a_naive_matcher_has_it, .timeout = 600)
{
	unsigned filters;

	cr_expect_gt(models_compare(anchored_random, &filters), 1000);
}

Test(pattern_model, so_they_do_with_a_filter_before_the_scan, .timeout = 600)
{
	unsigned filters;

	cr_expect_gt(models_compare(worded_random, &filters), 1000);
	cr_expect_eq(filters, MODEL_SETS);
}
