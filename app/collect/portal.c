/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal.h"

#include <string.h>

#define HEADER_SIZE 1024

// Nothing but our own files, and no text that becomes markup or a script (Trusted Types), whatever is in the data.
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
			     "'self'; connect-src 'self'; "
			     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
			     "require-trusted-types-for 'script'; "
			     "trusted-types 'none'";

static const struct portal_file *file_find(const char *name)
{
	for (const struct portal_file *file = portal_files; file->name; file++)
		if (strcmp(file->name, name) == 0)
			return file;
	return NULL;
}

// RFC 9110 s12.5.3: with a weight of zero it is refused.
static bool takes_gzip(struct http_request *request)
{
	char value[HEADER_SIZE];
	const char *at;

	if (!http_header(request, "Accept-Encoding", value, sizeof(value)))
		return false;
	at = strstr(value, "gzip");
	return at && !strstr(at, "gzip;q=0") && !strstr(at, "gzip; q=0");
}

static bool has_it(struct http_request *request, const struct portal_file *file)
{
	char value[HEADER_SIZE];

	return http_header(request, "If-None-Match", value, sizeof(value)) &&
	       strstr(value, file->etag);
}

static void headers_add(struct http_request *request, const struct portal_file *file)
{
	http_header_add(request, "Cache-Control", "no-cache");
	http_header_add(request, "ETag", file->etag);
	http_header_add(request, "Vary", "Accept-Encoding");
	http_header_add(request, "Content-Security-Policy", policy);
	http_header_add(request, "Referrer-Policy", "no-referrer");
	http_header_add(request, "Cross-Origin-Opener-Policy", "same-origin");
	http_header_add(request, "Cross-Origin-Resource-Policy", "same-origin");
}

void portal_get(struct http_request *request, void *ctx)
{
	const char *name = http_rest(request);
	const struct portal_file *file = file_find(*name ? name : "index.html");

	if (!file) {
		http_fail(request, 404, "no such path");
		return;
	}
	headers_add(request, file);
	if (has_it(request, file)) {
		http_begin(request, 304, file->type);
		return;
	}
	http_begin(request, 200, file->type);
	if (takes_gzip(request)) {
		http_header_add(request, "Content-Encoding", "gzip");
		fwrite(file->gzip, 1, file->gzip_size, http_out(request));
	} else {
		fwrite(file->plain, 1, file->plain_size, http_out(request));
	}
}
