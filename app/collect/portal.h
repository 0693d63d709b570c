/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The portal: a web page that asks the API. Its files are those of app/portal, compiled in by
 * scripts/embed.py; nothing in them is secret, and what they show comes by the key of who reads.
 *
 * Threads: handlers run in a thread each (lib/http); the files are read only.
 */
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"

/** A file of the portal. */
struct portal_file {
	const char *name; /**< "index.html" */
	const char *type; /**< of its content */
	const char *etag; /**< a weak one, since it is that of both forms */
	const uint8_t *plain, *gzip;
	size_t plain_size, gzip_size; /**< octets */
};

/** All, ending with a NULL name. Made at the build. */
extern const struct portal_file portal_files[];

/** GET / and GET /portal/FILE */
void portal_get(struct http_request *request, void *ctx);
