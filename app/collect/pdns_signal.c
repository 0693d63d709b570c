/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What commands on signals share.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dns/dns_name.h"
#include "list/list.h"
#include "pdns_app.h"

/* ---- rows ------------------------------------------------------------------------------------ */

bool pdns_sink_room(struct pdns_sink *sink, const struct pdns_args *args)
{
	sink->more = args->question.limit && sink->rows == args->question.limit;
	return !sink->more;
}

int pdns_sink_wrote(struct pdns_sink *sink)
{
	sink->rows++;
	if (ferror(sink->out) || (sink->progress && sink->progress(sink->ctx)))
		return PDNS_ENOUGH;
	return 0;
}

int pdns_sink_json(struct pdns_sink *sink, json_t *row)
{
	if (!row)
		return -ENOMEM;
	json_dumpf(row, sink->out, JSON_COMPACT);
	putc('\n', sink->out);
	json_decref(row);
	return 0;
}

int pdns_sink_progress(void *ctx)
{
	struct pdns_sink *sink = *(struct pdns_sink **)ctx;

	return sink->progress && sink->progress(sink->ctx) ? PDNS_ENOUGH : 0;
}

/* ---- words ----------------------------------------------------------------------------------- */

void pdns_words_free(struct pdns_words *words)
{
	while (words->n > 0)
		free(words->word[--words->n]);
	free(words->word);
}

int pdns_word_add(struct pdns_words *words, char *text)
{
	struct signal_label label;

	for (char *c = text; *c; c++)
		*c = (char)dns_fold((uint8_t)*c);
	if (signal_label_read(text, &label) < 0)
		return -EINVAL;
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
	return *word && *word != '#' && *word != '/' ? word : NULL;
}

static int words_read(const char *path, struct pdns_words *words)
{
	FILE *f = fopen(path, "re");
	size_t room = 0, number = 0;
	char *line = NULL, *word;
	int err = 0;

	while (f && err == 0 && getline(&line, &room, f) >= 0) {
		number++;
		word = word_trim(line);
		err = word ? pdns_word_add(words, word) : 0;
		if (err == -EINVAL)
			log_line(LOG_ERROR, "%s:%zu: expected a word of up to 63 letters", path,
				number);
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

/* ---- the commands ---------------------------------------------------------------------------- */

int pdns_operand_read(const char *text, uint8_t *name, char error[COLLECT_ERROR_SIZE])
{
	const char *why = "expected a name, not all below it";
	enum list_scope scope;
	int n = list_name_parse(text, strlen(text), name, &scope, &why);

	if (n > 0 && scope == LIST_EXACT)
		return n;
	snprintf(error, COLLECT_ERROR_SIZE, "%s, got \"%.300s\"", why, text);
	return -EINVAL;
}

static int answer(struct pdns_args *args, pdns_signal_write *write)
{
	struct pdns_sink sink = {.out = stdout};
	struct pdns *pdns;
	int err = pdns_app_open(args, PDNS_READ, &pdns);

	if (err != COLLECT_DONE)
		return err;
	err = write(args, pdns, &sink);
	pdns_close(pdns);
	if (sink.more)
		log_line(LOG_INFO, "there is more; see --limit");
	if (err >= 0)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "dataset: %s", strerror(-err));
	return COLLECT_FAILED;
}

int pdns_signal_run(struct pdns_args *args, const char *command, pdns_signal_write *write)
{
	struct signal_networks *networks = NULL;
	uint8_t name[DNS_NAME_SIZE_MAX];
	int err = COLLECT_DONE;

	// All of them first, so that nothing is printed if one is wrong.
	for (int i = 0; i < args->n && err == COLLECT_DONE; i++)
		if (pdns_operand_read(args->words[i], name, args->error) < 0) {
			log_line(LOG_ERROR, "pdns %s: %s", command, args->error);
			err = COLLECT_USAGE;
		}
	if (err == COLLECT_DONE && args->wordlist)
		err = words_read(args->wordlist, &args->dictionary);
	if (err == COLLECT_DONE && args->network_file &&
		signal_networks_read(args->network_file, &networks) < 0)
		err = COLLECT_USAGE;
	args->networks = networks;
	if (err == COLLECT_DONE)
		err = answer(args, write);
	signal_networks_free(networks);
	pdns_words_free(&args->dictionary);
	return err;
}
