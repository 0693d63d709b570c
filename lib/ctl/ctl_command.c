/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/ctl.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const struct ctl_command ctl_commands[] = {
	{"show version", "", "Version, process, uptime.", false, 5},
	{"show stats", "", "Every counter, with its labels.", false, 5},
	{"show verdicts", "", "What happened to packets, by reason.", false, 5},
	{"show responses", "", "DNS responses by response code and type.", false, 5},
	{"show lists", "", "Lists: action, names, names active today, filtered.", false, 5},
	{"show list", "NAME", "One list with its source, sinkholes and bad lines.", false, 5},
	{"show ports", "", "Ports: link, packets, drops.", false, 5},
	{"show workers", "", "Workers: lcore, load, packets, mirror ring.", false, 5},
	{"show mirror", "", "Mirror: on or off; records produced, taken, lost.", false, 5},
	{"show tap", "", "dnstap: connections; frames sent, lost, left out.", false, 5},
	{"show consent", "", "Consent table: prefixes, source, bad lines.", false, 5},
	{"show ids", "[N]",
		"The N malware ids that were met most, by list and action (default 20).", false, 5},
	{"show totals", "", "The file of totals: what was written when, what waits, errors.", false,
		5},
	{"show generation", "", "The tables in force and the last reload.", false, 5},
	{"show loading", "", "The load that is going on: phase, list, names, percent.", false, 5},
	{"show hits", "[N]", "The last N filtered responses, newest first (default 20).", false, 5},
	{"explain", "NAME", "Would NAME be filtered, by which list and rule?", false, 5},
	{"consent", "ADDRESS", "What the client at ADDRESS refuses, if anything.", false, 5},
	{"reload", "", "Read lists and consent again; answers when it is done.", true, 600},
	{NULL, NULL, NULL, false, 0},
};

#define ERROR_SIZE 320
#define WORDS_SIZE 192
#define CLIP       40 /* bytes of a request's word that an error repeats */

static _Thread_local char error_text[ERROR_SIZE];

/** A word of text: not terminated. */
struct word {
	const char *text;
	size_t size;
};

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

static struct word word_at(const char *text)
{
	return (struct word){text, strcspn(text, " \t\r\n")};
}

static bool word_same(struct word a, struct word b)
{
	return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

/** Word number @p level of a command's path; empty behind its end. */
static struct word path_word(const struct ctl_command *command, unsigned level)
{
	const char *p = command->path;

	while (level-- > 0)
		p = skip_blanks(p + strcspn(p, " "));
	return word_at(p);
}

/** Whether the command has the words found so far: those of @p found, up to @p level. */
static bool on_path(
	const struct ctl_command *command, const struct ctl_command *found, unsigned level)
{
	for (unsigned i = 0; i < level; i++)
		if (!word_same(path_word(command, i), path_word(found, i)))
			return false;
	return true;
}

/** Copy a word of a request so that it can stand in an error: short and printable. */
static const char *clip(struct word word, char text[CLIP + 4])
{
	size_t size = word.size < CLIP ? word.size : CLIP;

	for (size_t i = 0; i < size; i++)
		text[i] = word.text[i] > 0x20 && word.text[i] < 0x7f ? word.text[i] : '?';
	strcpy(text + size, size < word.size ? "..." : "");
	return text;
}

/**
 * Find what a word may mean at @p level, behind the words of @p found.
 *
 * @param matches [out] the different words that it may mean, "a, b"; with an empty word all
 * @return how many; 1 when it is spelled out, even if it begins another
 */
static unsigned match_word(struct word word, const struct ctl_command *found, unsigned level,
	const struct ctl_command **match, char matches[WORDS_SIZE])
{
	struct word last = {"", 0};
	size_t used = 0;
	unsigned n = 0;

	for (const struct ctl_command *c = ctl_commands; c->path; c++) {
		struct word w = path_word(c, level);

		if ((found && !on_path(c, found, level)) || w.size == 0 || w.size < word.size ||
			memcmp(w.text, word.text, word.size) != 0 || word_same(w, last))
			continue;
		last = w;
		if (n == 0 || w.size == word.size)
			*match = c;
		if (w.size == word.size)
			return 1;
		if (used < WORDS_SIZE)
			used += (size_t)snprintf(matches + used, WORDS_SIZE - used, "%s%.*s",
				n ? ", " : "", (int)w.size, w.text);
		n++;
	}
	return n;
}

/** Whether what follows the command is what it takes; otherwise sets error_text. */
static bool args_good(const struct ctl_command *command, const char *args)
{
	struct word first = word_at(args), second = word_at(skip_blanks(args + first.size));
	char text[CLIP + 4];

	if (*command->args == '\0' && first.size > 0)
		snprintf(error_text, sizeof(error_text), "%s takes nothing, got '%s'",
			command->path, clip(first, text));
	else if (*command->args && *command->args != '[' && first.size == 0)
		snprintf(error_text, sizeof(error_text), "%s needs %s, got nothing", command->path,
			command->args);
	else if (second.size > 0)
		snprintf(error_text, sizeof(error_text), "%s takes one %s, got '%s' behind it",
			command->path, command->args, clip(second, text));
	else
		return true;
	return false;
}

const struct ctl_command *ctl_command_find(
	const char *request, const char **args, const char **error)
{
	const struct ctl_command *found = NULL, *match = NULL;
	char matches[WORDS_SIZE], text[CLIP + 4];

	*error = error_text;
	*args = skip_blanks(request);
	for (unsigned level = 0; !found || path_word(found, level).size > 0; level++) {
		int behind = found ? (int)(path_word(found, level).text - found->path) : 0;
		struct word word = word_at(*args), any = {"", 0};
		unsigned n = word.size > 0 ? match_word(word, found, level, &match, matches) : 0;

		if (n != 1) {
			if (n == 0)
				match_word(any, found, level, &match, matches);
			if (word.size == 0 && behind > 0)
				behind--;
			snprintf(error_text, sizeof(error_text),
				"%s command '%.*s%s', expected one of %s",
				n > 1           ? "ambiguous"
				: word.size > 0 ? "unknown"
						: "incomplete",
				behind, found ? found->path : "", clip(word, text), matches);
			return NULL;
		}
		found = match;
		*args = skip_blanks(*args + word.size);
	}
	if (!args_good(found, *args))
		return NULL;
	*error = NULL;
	return found;
}
