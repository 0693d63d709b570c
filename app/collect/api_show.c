/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What boxes on this machine say to people, over their control sockets: themselves, their lists, and why a name
 * is filtered.
 */
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "ctl/ctl.h"

#define TIMEOUT_S 1   // for one answer of a box
#define NAME_SIZE 400 // octets of a name that is asked for: a command's line has to hold it

/** Something to ask, and the member that its answer becomes. */
struct question {
	const char *command;
	const char *member; /**< NULL: members of the answer become the box's */
	const char *inner;  /**< of the answer only this; NULL: all of it */
};

// A box that does not answer is asked no more.
static json_t *box_ask(const char *path, const struct question *questions)
{
	char error[CTL_REQUEST_MAX];
	json_t *box = json_pack("{s:s, s:b}", "box", path, "up", 0), *reply;
	int sock = ctl_connect(path);

	for (; box && sock >= 0 && questions->command; questions++) {
		reply = ctl_call(sock, questions->command, TIMEOUT_S, error, sizeof(error));
		if (!reply)
			break;
		json_object_set_new(box, "up", json_true());
		if (!questions->member)
			json_object_update(box, reply);
		else if (questions->inner)
			json_object_set(
				box, questions->member, json_object_get(reply, questions->inner));
		else
			json_object_set(box, questions->member, reply);
		json_decref(reply);
	}
	if (sock >= 0)
		close(sock);
	return box;
}

static void boxes_answer(
	struct http_request *request, const struct serve *serve, const struct question *questions)
{
	const struct endpoints *at = &serve->conf->api_boxes;
	FILE *out = http_out(request);
	json_t *box;

	fputs("{\"boxes\":[", out);
	for (unsigned i = 0; i < at->n && !http_is_gone(request); i++) {
		box = box_ask(at->at[i].path, questions);
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
