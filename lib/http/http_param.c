/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameters of a request: NAME=VALUE between '&', in the query or in a form (RFC 3986, HTML's
 * application/x-www-form-urlencoded).
 */
#include <stdlib.h>
#include <string.h>

#include "http/http_private.h"
#include "text/text.h"

const char *http_param_add(struct http_request *request, const char *name, const char *value)
{
	struct http_pair *pair = &request->params[request->n_params];

	if (request->n_params == HTTP_PARAMS_MAX)
		return "expected fewer parameters";
	for (unsigned i = 0; i < request->n_params; i++)
		if (strcmp(request->params[i].name, name) == 0)
			return "expected each parameter once";
	if (!text_utf8_clean(name, strlen(name)) || !text_utf8_clean(value, strlen(value)))
		return "expected UTF-8 without control characters in parameters";
	*pair = (struct http_pair){strdup(name), strdup(value)};
	if (!pair->name || !pair->value) {
		free(pair->name);
		free(pair->value);
		return "out of memory";
	}
	request->n_params++;
	return NULL;
}

const char *http_form_take(struct http_request *request, char *form)
{
	char *rest = form, *pair, *value;
	const char *wrong = strstr(form, "%00") ? "expected no NUL in parameters" : NULL;

	while (!wrong && (pair = strsep(&rest, "&"))) {
		if (!*pair)
			continue;
		for (char *c = pair; *c; c++)
			if (*c == '+')
				*c = ' ';
		value = strchr(pair, '=');
		if (value)
			*value++ = '\0';
		MHD_http_unescape(pair);
		if (value)
			MHD_http_unescape(value);
		wrong = http_param_add(request, pair, value ? value : "");
	}
	return wrong;
}

void http_params_free(struct http_request *request)
{
	for (unsigned i = 0; i < request->n_params; i++) {
		free(request->params[i].name);
		free(request->params[i].value);
	}
}

const char *http_param(const struct http_request *request, const char *name)
{
	for (unsigned i = 0; i < request->n_params; i++)
		if (strcmp(request->params[i].name, name) == 0)
			return request->params[i].value;
	return NULL;
}

// The next word of a route's parameters: its size without "!", 0 at the end.
static size_t word_next(const char **params, bool *required)
{
	size_t size;

	*params += strspn(*params, " ");
	size = strcspn(*params, " ");
	*required = size > 0 && (*params)[size - 1] == '!';
	return size - *required;
}

static bool word_find(const char *params, const char *name)
{
	bool required;
	size_t size;

	while ((size = word_next(&params, &required)) > 0) {
		if (strlen(name) == size && memcmp(params, name, size) == 0)
			return true;
		params += size + required;
	}
	return false;
}

bool http_params_check(const struct http_request *request, char *why)
{
	const char *params = request->route->params;
	char name[32], clip[TEXT_QUOTE_SIZE];
	bool required;
	size_t size;

	for (unsigned i = 0; i < request->n_params; i++)
		if (!word_find(params, request->params[i].name)) {
			const char *name_of = request->params[i].name;

			snprintf(why, HTTP_ERROR_SIZE, "unknown parameter %s",
				text_quote(name_of, strlen(name_of), clip));
			return false;
		}
	while ((size = word_next(&params, &required)) > 0) {
		snprintf(name, sizeof(name), "%.*s", (int)size, params);
		params += size + required;
		if (required && !http_param(request, name)) {
			snprintf(why, HTTP_ERROR_SIZE, "expected the parameter %s", name);
			return false;
		}
	}
	return true;
}
