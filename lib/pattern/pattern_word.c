/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dns/dns_name.h"
#include "pattern/pattern_filter.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alphanumeric(char c)
{
	return is_digit(c) || (uint8_t)(dns_fold((uint8_t)c) - 'a') < 26;
}

// Octets that stand for themselves, in an expression and in the text of a name.
static bool is_plain(char c)
{
	return is_alphanumeric(c) || c == '-' || c == '_';
}

// What stands behind a backslash is an octet, or one out of a class, or a border.
static bool is_escape_known(char c)
{
	return c && (!is_alphanumeric(c) || strchr("dDwWsSbBnrt", c));
}

// @param at behind the bracket @return behind the one that closes it, NULL: it is not plain
static const char *class_skip(const char *at)
{
	at += *at == '^';
	if (*at == ']')
		return NULL;
	for (; *at && *at != ']'; at++)
		if (*at == '[' || (*at == '\\' && !is_escape_known(*++at)))
			return NULL;
	return *at ? at + 1 : NULL;
}

// The same for a group, with the groups in it.
static const char *group_skip(const char *at)
{
	for (unsigned depth = 1; depth > 0;) {
		char c = *at++;

		// Behind an opening parenthesis; of what begins like this nothing else is plain.
		if (at[-2] == '(' && c == '?' && *at != ':')
			return NULL;
		if (c == '\0' || (c == '\\' && !is_escape_known(*at++)))
			return NULL;
		if (c == '[' && !(at = class_skip(at)))
			return NULL;
		depth += c == '(';
		depth -= c == ')';
	}
	return at;
}

// Take one item of an expression. @param octet [out] the one it is, or a blank
static const char *item_take(const char *at, char *octet)
{
	char c = *at++;

	*octet = ' ';
	if (c == '(')
		return group_skip(at);
	if (c == '[')
		return class_skip(at);
	if (c == '|' || c == ')')
		return NULL;
	if (c == '\\') {
		c = *at++;
		if (!is_escape_known(c))
			return NULL;
		if (is_alphanumeric(c))
			return at;
	}
	if (is_plain(c))
		*octet = (char)dns_fold((uint8_t)c);
	return at;
}

// An octet that has no place of its own in a name is written as a backslash and three digits. A word
// that starts with digits may start within those.
static bool words_trim(char *words)
{
	bool any = false;

	for (char *c = words; *c; c++)
		if (is_digit(*c) && (c == words || c[-1] == ' '))
			*c = ' ';
		else
			any |= *c != ' ';
	return any;
}

bool pattern_words(const char *expression, char *words)
{
	char *to = words;

	for (const char *at = expression; *at;) {
		char octet;

		// It may be there no time, or several.
		if (to > words && strchr("?*{", *at))
			to[-1] = ' ';
		at = item_take(at, &octet);
		if (!at) {
			*words = '\0';
			return false;
		}
		*to++ = octet;
	}
	*to = '\0';
	return words_trim(words);
}
