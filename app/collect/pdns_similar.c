/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names in the dataset that imitate others.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dns/dns_name.h"
#include "list/list.h"
#include "pdns_app.h"
#include "shape/shape.h"
#include "signal/signal.h"

#define ROWS_MAX 100000 // tuples of a name that are looked at for its times
#define STOPPED  1      // a visit has had enough

/** Words of a file. */
struct words {
	char **word;
	size_t n, room;
};

/** Names on their way out. */
struct naming {
	const struct pdns_args *args;
	struct pdns *pdns;
	const char *of; // the operand
};

/* ---- words ----------------------------------------------------------------------------------- */

static void words_free(struct words *words)
{
	while (words->n > 0)
		free(words->word[--words->n]);
	free(words->word);
}

static int word_add(struct words *words, const char *text)
{
	if (words->n == words->room) {
		size_t room = words->room ? 2 * words->room : 64;
		char **word = reallocarray(words->word, room, sizeof(*word));

		if (!word)
			return -ENOMEM;
		words->word = word;
		words->room = room;
	}
	words->word[words->n] = strdup(text);
	return words->word[words->n++] ? 0 : -ENOMEM;
}

// Blanks around a word are none of it. Returns NULL: no word, but a comment or nothing.
static char *word_trim(char *line)
{
	char *word = line + strspn(line, " \t\r\n");

	word[strcspn(word, " \t\r\n")] = '\0';
	for (char *c = word; *c; c++)
		*c = (char)dns_fold((uint8_t)*c);
	return *word && *word != '#' && *word != '/' ? word : NULL;
}

static int words_read(const char *path, struct words *words)
{
	FILE *f = fopen(path, "re");
	size_t room = 0, number = 0;
	char *line = NULL, *word;
	int err = 0;

	while (f && err == 0 && getline(&line, &room, f) >= 0) {
		struct signal_label label;

		number++;
		word = word_trim(line);
		if (word && signal_label_read(word, &label) < 0) {
			log_line(LOG_ERROR, "%s:%zu: expected a word of up to 63 letters", path,
				number);
			err = -EINVAL;
		} else if (word) {
			err = word_add(words, word);
		}
	}
	if (!f || ferror(f)) {
		err = -errno;
		log_line(LOG_ERROR, "%s: %s", path, strerror(errno));
	}
	free(line);
	if (f)
		fclose(f);
	return err == 0 ? COLLECT_DONE : err == -ENOMEM ? COLLECT_FAILED : COLLECT_USAGE;
}

/* ---- rows ------------------------------------------------------------------------------------ */

// As people see it: U-labels. Empty where that is the name itself.
static void unicode_write(const uint8_t *name, const char *plain, char text[DNS_NAME_TEXT_SIZE])
{
	char label[SHAPE_TEXT_SIZE];
	size_t n = 0;

	*text = '\0';
	if (!strstr(plain, "xn--"))
		return;
	for (; *name; name += 1u + *name) {
		shape_text(name, label);
		n += (size_t)snprintf(
			text + n, DNS_NAME_TEXT_SIZE - n, "%s%s", n ? "." : "", label);
		if (n >= DNS_NAME_TEXT_SIZE)
			return;
	}
	if (strcmp(plain, text) == 0)
		*text = '\0';
}

static void like_json(const struct naming *naming, const struct signal_like *like, const char *name,
	const char *seen, const struct pdns_summary *sum)
{
	json_t *row = json_pack("{ss, ss, ss, si}", "of", naming->of, "name", name, "class",
		signal_class_name(like->class), "distance", (int)like->distance);

	if (!row)
		return;
	if (*seen)
		json_object_set_new(row, "unicode", json_string(seen));
	json_object_set_new(row, "time_first", json_integer(sum->first_s));
	json_object_set_new(row, "time_last", json_integer(sum->last_s));
	json_object_set_new(row, "count", json_integer((json_int_t)sum->count));
	json_dumpf(row, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(row);
}

static int like_show(void *ctx, const struct signal_like *like)
{
	struct naming *naming = ctx;
	const struct pdns_question q = {.by = PDNS_BY_OWNER,
		.scope = PDNS_SUBTREE,
		.types = PDNS_ANY_AT_ALL,
		.name = like->name,
		.name_size = like->size,
		.limit = ROWS_MAX};
	char name[DNS_NAME_TEXT_SIZE], seen[DNS_NAME_TEXT_SIZE];
	struct pdns_summary sum = {0};
	int err = pdns_summarise(naming->pdns, &q, 0, NULL, &sum);

	if (err)
		return err;
	dns_name_format(like->name, name);
	unicode_write(like->name, name, seen);
	if (naming->args->text)
		printf("%-13s %2u  %s%s%s\n", signal_class_name(like->class), like->distance, name,
			*seen ? "  " : "", seen);
	else if (naming->args->csv)
		printf("%s,%s,%s,%s,%u,%" PRId64 ",%" PRId64 ",%" PRIu64 "\n", naming->of, name,
			seen, signal_class_name(like->class), like->distance, sum.first_s,
			sum.last_s, sum.count);
	else
		like_json(naming, like, name, seen, &sum);
	return ferror(stdout) ? STOPPED : 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

int pdns_operand_read(const char *command, const char *text, uint8_t *name, size_t *size)
{
	enum list_scope scope;
	const char *error = "expected a name, not all below it";
	int n = list_name_parse(text, strlen(text), name, &scope, &error);

	if (n < 0 || scope != LIST_EXACT) {
		log_line(LOG_ERROR, "pdns %s: %s, got \"%s\"", command, error, text);
		return COLLECT_USAGE;
	}
	*size = (size_t)n;
	return COLLECT_DONE;
}

static int operands_run(struct naming *naming, const struct words *words)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct signal_like_question q = {
		.name = name, .words = (const char *const *)words->word, .n_words = words->n};
	const struct pdns_args *args = naming->args;
	int err = 0;

	if (args->csv)
		puts("of,name,unicode,class,distance,time_first,time_last,count");
	for (int i = 0; i < args->n && err == 0; i++) {
		naming->of = args->words[i];
		pdns_operand_read("similar", naming->of, name, &q.size);
		err = signal_similar(naming->pdns, &q, like_show, naming);
	}
	if (err == 0 || err == STOPPED)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "dataset: %s", strerror(-err));
	return COLLECT_FAILED;
}

int pdns_similar_run(struct pdns_args *args)
{
	struct naming naming = {.args = args};
	struct words words = {0};
	uint8_t name[DNS_NAME_SIZE_MAX];
	size_t size;
	int err = COLLECT_DONE;

	// All of them first, so that nothing is printed if one is wrong.
	for (int i = 0; i < args->n && err == COLLECT_DONE; i++)
		err = pdns_operand_read("similar", args->words[i], name, &size);
	if (err == COLLECT_DONE && args->wordlist)
		err = words_read(args->wordlist, &words);
	if (err == COLLECT_DONE)
		err = pdns_app_open(args, PDNS_READ, &naming.pdns);
	if (err == COLLECT_DONE) {
		err = operands_run(&naming, &words);
		pdns_close(naming.pdns);
	}
	words_free(&words);
	return err;
}
