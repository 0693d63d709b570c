/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS 80 /* of the file */

/** Write @p text as comment lines behind @p mark, broken at blanks. */
static void print_comment(FILE *out, const char *mark, const char *text)
{
	size_t room = COLUMNS - strlen(mark) - 1;

	while (*text) {
		size_t size = strlen(text);

		if (size > room)
			for (size = room; size > 0 && text[size] != ' '; size--)
				;
		fprintf(out, "%s %.*s\n", mark, (int)size, text);
		text += size;
		text += *text == ' ';
	}
}

/** Say what a key takes, as a sentence. */
static void print_limits(FILE *out, const char *mark, const struct conf_key *key)
{
	char text[160] = "", names[80];

	switch (key->type) {
	case CONF_NUMBER:
	case CONF_POWER_OF_TWO:
	case CONF_BITS:
		snprintf(text, sizeof(text), "%s %" PRIu32 "..%" PRIu32 "%s%s.",
			key->type == CONF_POWER_OF_TWO ? "Power of two" : "Number", key->min,
			key->max, *key->unit ? ", " : "", key->unit);
		break;
	case CONF_WORD:
	case CONF_FLAG:
		snprintf(text, sizeof(text), "Word: ");
		for (const char *p = key->words; *p; p++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				*p == '|' ? " | " : "%c", *p);
		break;
	case CONF_ACTION:
		snprintf(text, sizeof(text), "One of %s.",
			conf_actions((1u << POLICY_ACTIONS) - 1, names, sizeof(names)));
		break;
	case CONF_PAIRS:
		snprintf(text, sizeof(text), "At most %d pairs, each port once.", CONF_PAIRS_MAX);
		break;
	case CONF_UDP_PORTS:
		snprintf(text, sizeof(text), "List of 1..65535, at most %d.", POLICY_PORTS_MAX);
		break;
	case CONF_PREFIXES:
		snprintf(text, sizeof(text), "List of addresses or prefixes, at most %d.",
			POLICY_SERVERS_MAX);
		break;
	case CONF_IPV4:
	case CONF_IPV6:
		snprintf(text, sizeof(text), "List of IPv%c addresses, at most %d.",
			key->type == CONF_IPV4 ? '4' : '6', POLICY_SINKHOLES_MAX);
		break;
	case CONF_TEXT:
		snprintf(text, sizeof(text), "UTF-8 text of at most %" PRIu32 " octets.", key->max);
		break;
	case CONF_FILE:
		snprintf(text, sizeof(text), "Path of a readable file, at most %d bytes.",
			CONF_PATH_SIZE - 1);
		break;
	case CONF_FOLDER:
		snprintf(text, sizeof(text), "Path of a folder, at most %d bytes.",
			CONF_PATH_SIZE - 1);
		break;
	case CONF_OUTPUT:
		snprintf(text, sizeof(text),
			"Path of a file in a folder that is there, at most %d bytes.",
			CONF_PATH_SIZE - 1);
		break;
	case CONF_ZONE:
		snprintf(text, sizeof(text), "Name in the tz database.");
		break;
	case CONF_SOCKET:
		snprintf(text, sizeof(text), "Path of at most 107 bytes, or none.");
		break;
	case CONF_GROUP:
		snprintf(text, sizeof(text), "Name of a group of this system.");
		break;
	case CONF_PATHS:
		snprintf(text, sizeof(text),
			"List of absolute paths of at most 107 bytes, at most %d.", ENDPOINTS_MAX);
		break;
	case CONF_ADDRESSES:
		snprintf(text, sizeof(text), "List of ADDRESS:PORT or [ADDRESS]:PORT, at most %d.",
			ENDPOINTS_MAX);
		break;
	}
	print_comment(out, mark, text);
}

static void print_key(FILE *out, const struct conf_key *key)
{
	// All of a list is commented out, so its prose stands one mark further in than its keys.
	bool list = strcmp(key->section, CONF_LIST_SECTION) == 0;
	char text[160], names[80];
	const char *value = key->example ? key->example : key->fallback;

	fprintf(out, "\n");
	print_comment(out, list ? "##" : "#", key->help);
	print_limits(out, list ? "##" : "#", key);
	if (key->required)
		print_comment(out, "##", "Has to be there.");
	if (key->actions) {
		snprintf(text, sizeof(text), "For action = %s.%s",
			conf_actions(key->actions, names, sizeof(names)),
			key->fallback ? "" : " Default: as in [sinkhole].");
		print_comment(out, "##", text);
	}
	fprintf(out, "#%s =%s%s\n", key->key, *value ? " " : "", value);
}

void conf_print(FILE *out, enum conf_program program)
{
	const char *section = "";

	print_comment(out, "#",
		program == CONF_BOX ? "Configuration of dnsweir. Every key stands here at its "
				      "default, commented out."
				    : "Configuration of dnsweir-collect. Every key stands here at "
				      "its default, commented out.");
	fprintf(out, "#\n");
	print_comment(out, "#",
		"';' and '#' start a comment, except in a value in quotes. A line that ends in a "
		"backslash goes on in the next. Lists of values are separated by blanks or commas. "
		"Names of sections and keys may be in letters of any case.");
	for (const struct conf_key *key = conf_key_next(NULL); key; key = conf_key_next(key)) {
		if (!conf_key_is_of(key, program))
			continue;
		if (strcmp(section, key->section) != 0) {
			bool list = strcmp(key->section, CONF_LIST_SECTION) == 0;

			section = key->section;
			fprintf(out, "\n");
			print_comment(out, list ? "##" : "#", conf_section_help(section));
			fprintf(out, "%s[%s]\n", list ? "#" : "", list ? "list c2" : section);
		}
		print_key(out, key);
	}
}
