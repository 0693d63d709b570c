/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What boxes on this machine say to people, over their control sockets: themselves, their lists, and why a name
 * is filtered.
 */
#include <string.h>

#include "api.h"

#define QUESTIONS_MAX 5
#define NAME_SIZE     400 // octets of a name that is asked for: a command's line has to hold it

/** Something to ask, and the member that its answer becomes. */
struct question {
	const char *command;
	const char *member; /**< NULL: members of the answer become the box's */
	const char *inner;  /**< of the answer only this; NULL: all of it */
};

// What a box said. @param replies taken
static json_t *box_make(const char *path, const struct question *questions, json_t **replies)
{
	json_t *box = json_pack("{s:s, s:b}", "box", path, "up", replies[0] != NULL);

	for (unsigned i = 0; questions[i].command; i++) {
		const struct question *question = &questions[i];

		if (!replies[i])
			continue;
		if (!question->member)
			json_object_update(box, replies[i]);
		else if (question->inner)
			json_object_set(box, question->member,
				json_object_get(replies[i], question->inner));
		else
			json_object_set(box, question->member, replies[i]);
		json_decref(replies[i]);
	}
	return box;
}

static void boxes_answer(
	struct http_request *request, const struct serve *serve, const struct question *questions)
{
	json_t *replies[ENDPOINTS_MAX * QUESTIONS_MAX], *box;
	const struct endpoints *at = &serve->conf->api_boxes;
	const char *commands[QUESTIONS_MAX];
	FILE *out = http_out(request);
	unsigned n = 0;

	for (; n < QUESTIONS_MAX && questions[n].command; n++)
		commands[n] = questions[n].command;
	api_boxes_ask(at, commands, n, replies);
	fputs("{\"boxes\":[", out);
	for (unsigned i = 0; i < at->n; i++) {
		box = box_make(at->at[i].path, questions, replies + (size_t)i * n);
		if (i > 0)
			putc(',', out);
		// What was out of memory is as one that does not answer.
		if (!box || json_dumpf(box, out, JSON_COMPACT) < 0)
			fputs("{\"up\":false}", out);
		json_decref(box);
	}
	fputs("]}\n", out);
}

void api_boxes_get(struct http_request *request, void *ctx)
{
	static const struct question questions[] = {
		{"show version", "version", NULL},
		{"show generation", "generation", NULL},
		{"show lists", "lists", "lists"},
		{"show ports", "ports", "ports"},
		{"show stats", "stats", NULL},
		{NULL, NULL, NULL},
	};

	boxes_answer(request, ctx, questions);
}

// A line of the control protocol is made of it: blanks would be further words, a newline another command.
static bool name_is_word(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return *name && strlen(name) <= NAME_SIZE;
}

void api_explain_get(struct http_request *request, void *ctx)
{
	const char *name = http_param(request, "name");
	struct question questions[] = {{NULL, NULL, NULL}, {NULL, NULL, NULL}};
	char command[CTL_REQUEST_MAX];

	if (!name_is_word(name)) {
		http_fail(request, 400, "name: expected a name of up to %d octets without blanks",
			NAME_SIZE);
		return;
	}
	snprintf(command, sizeof(command), "explain %s", name);
	questions[0].command = command;
	boxes_answer(request, ctx, questions);
}
