/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * An HTTP server: routes, keys with roles, TLS, answers of any length in bounded memory.
 *
 * A handler runs in a thread of its own and writes its answer to a FILE. What it writes goes through a ring
 * of HTTP_RING octets: with a slow reader the handler waits in its write, with one that is gone the write
 * fails. So a handler is written as if it wrote to standard output.
 *
 * Loopback addresses are served without TLS, all others with it. A unix socket may be added for programs of
 * the same user, which need no key.
 *
 * Files of certificates may change at any time: connections that begin after http_server_tick has what is in
 * them. A certificate of our own is made anew before it ends, with the same key.
 *
 * Layer:   lib/http; libmicrohttpd, GnuTLS.
 * Threads: a server has one thread an address, and one a request. http_server_* are for one thread.
 * Errors:  0 or -errno; refusals of requests are answered and counted.
 * Source:  RFC 9110, RFC 9112, RFC 6750 (Bearer).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/endpoint.h"
#include "http/http_key.h"

#define HTTP_PARAMS_MAX 24         /**< parameters of a request */
#define HTTP_BODY_MAX   4096       /**< octets of a request's body */
#define HTTP_LARGE_MAX  (8 << 20)  /**< the same with HTTP_LARGE */
#define HTTP_HEADERS_MAX 8         /**< headers that a handler may add */
#define HTTP_HEAD_MAX   (16 << 10) /**< octets of a request's line and headers, about */
#define HTTP_RING       (64 << 10) /**< octets of an answer that wait for the reader */
#define HTTP_READER_S   60
#define HTTP_ERROR_SIZE 512

struct http_request;

/** Answer a request, by http_begin, http_out and http_fail. */
typedef void (*http_handler)(struct http_request *request, void *ctx);

/** What is special about a route. */
enum http_special {
	HTTP_LOCAL = 1,     /**< without a key on loopback */
	HTTP_UNCOUNTED = 2, /**< does not count towards the quota of a day, nor need any of it */
	HTTP_LARGE = 4,     /**< its body is no form, and may be large: see http_body */
	HTTP_ENDLESS = 8,   /**< its answer ends when the reader goes: nobody waits for it, and the server cuts it off at its end */
	HTTP_UNLIMITED = 16, /**< as cheap as a refusal: without a key as often as anybody wants */
};

/** A row of the table of routes. */
struct http_route {
	const char *method; /**< "GET", which takes HEAD too, or "POST" */
	const char *path;    /**< with '/' at its end: and all below it, see http_rest */
	enum http_role role; /**< least role; HTTP_NOBODY: no key at all */
	unsigned special;    /**< of enum http_special */
	const char *params;  /**< names between blanks; has to be there: "day!" */
	http_handler run;
};

struct http_options {
	const struct http_route *routes; /**< ends with a NULL path; kept */
	void *ctx;                       /**< for handlers; kept */
	const struct endpoints *at;      /**< TCP */
	const char *folder;    /**< where keys, a certificate of our own and the unix socket are; kept */
	bool socket;           /**< listen at FOLDER/HTTP_SOCKET too */
	const char *certificate, *key; /**< files in PEM; "": made in the folder at the first start */
	const char *client_ca; /**< file in PEM: clients may show a certificate of it; "": they are not asked for one */
	bool client_required;  /**< they have to */
	unsigned connections;  /**< at once, of all addresses together */
	unsigned rate;         /**< requests a second of a key, or of an address without one */
	unsigned reader_s;     /**< a reader for whom more waits takes HTTP_RING octets within so many seconds; 0: HTTP_READER_S */
};

#define HTTP_SOCKET "api.sock"

struct http_server;

/**
 * Serve.
 *
 * @param error [out] one line on failure, HTTP_ERROR_SIZE octets
 * @return taken, close with http_server_close; NULL on failure
 */
struct http_server *http_server_open(const struct http_options *options, char *error);

/** What has to be done now and then: late clients are cut off, keys and certificates read again. Once a second. */
void http_server_tick(struct http_server *server);

/** Cut all requests off and wait until their handlers have returned. NULL is fine. */
void http_server_close(struct http_server *server);

/**
 * Wait until all requests that are there now, but @p self, are answered; those that take longer are cut off.
 * Any handler's thread.
 *
 * @param self  may be NULL
 */
void http_server_drain(struct http_server *server, const struct http_request *self, unsigned patience_ms);

/** Why a request did not come to its handler. */
enum http_refusal {
	HTTP_NO_KEY,    /**< 401 */
	HTTP_NO_ROLE,   /**< 403 */
	HTTP_NO_ROUTE,  /**< 404, 405 */
	HTTP_BAD,       /**< 400, 413 */
	HTTP_TOO_MANY,  /**< 429 */
	HTTP_NO_THREAD, /**< 503 */
	HTTP_NO_CERTIFICATE, /**< 401, or, where one is required, the connection ended before a request */
	HTTP_REFUSALS,
};

struct http_stats {
	uint64_t requests;     /**< that came to a handler */
	uint64_t refused[HTTP_REFUSALS];
	unsigned connections;  /**< now */
	uint64_t timeouts;     /**< connections that were cut off, since no request came of them, or too little was read */
	int64_t expires_s;     /**< last second of the certificate, since 1970; 0: there is none */
};

/** "no_key", ... */
const char *http_refusal_name(enum http_refusal refusal);

void http_stats_get(struct http_server *server, struct http_stats *stats);

/* ---- for handlers ---- */

/** Value of a parameter of the query or of a form in the body; NULL: it was not given. */
const char *http_param(const struct http_request *request, const char *name);

/** Who asks: the name of the key, or of the user at the unix socket; "": nobody we know. */
const char *http_who(const struct http_request *request);

/** Role of who asks. On loopback, where a route needs no key, HTTP_NOBODY. */
enum http_role http_role_of(const struct http_request *request);

/**
 * What of the path is behind that of a route that ends with '/', percent-encoded as it came: so a '/' inside of a
 * segment can be told from one between two. "" for other routes.
 */
const char *http_rest(const struct http_request *request);

/** Body of a route with HTTP_LARGE, with a NUL behind it; borrowed. @param size [out] octets */
char *http_body(struct http_request *request, size_t *size);

/** Copy a header of the request. @return whether there is one, that fits with its NUL */
bool http_header(struct http_request *request, const char *name, char *value, size_t size);

/**
 * Add a header to the answer, before the first octet. Without a Cache-Control of the handler's, nothing is to be kept.
 *
 * @param name  static
 * @param value copied
 */
void http_header_add(struct http_request *request, const char *name, const char *value);

/** What a key may ask for. */
struct http_quota {
	uint64_t limit;     /**< requests a day; 0: any number, and then the next two mean nothing */
	uint64_t remaining;
	int64_t reset_s;    /**< when the day ends, seconds since 1970 */
	int64_t expires_s;  /**< first second of the day on which the key is none any more; 0: never */
	unsigned rate;      /**< requests a second */
};

/** Count one more for who asks, as each question of many in a request. @return whether there was one left */
bool http_quota_take(const struct http_request *request);

/** Quota of who asks, behind this request. */
void http_quota_get(const struct http_request *request, struct http_quota *quota);

/** The header Accept, "" if there was none. */
const char *http_accept(const struct http_request *request);

/**
 * Whether who asks may still do so: the key may have been removed, given another role, or have expired since.
 * For answers that take long.
 */
bool http_still_may(const struct http_request *request);

const struct http_route *http_route_of(const struct http_request *request);

/** Say what comes, before the first octet. 200 and application/json unless said. @param type static */
void http_begin(struct http_request *request, unsigned status, const char *type);

/**
 * Where the body goes. What fits its buffer is sent with a length; fflush sends what is there now.
 * After a write that failed (ferror) the rest would be for nothing.
 */
FILE *http_out(struct http_request *request);

/** Whether the reader is gone, or was cut off. */
bool http_is_gone(struct http_request *request);

/**
 * The same, and whether the reader has closed its side, which is seen else only when something is sent. For answers
 * that have nothing to say for long; who closes only half of a connection counts as gone.
 */
bool http_has_left(struct http_request *request);

/**
 * Answer {"error": "text"}, the text as printf, instead of what was written so far. Where octets have left
 * already the connection is cut, so that nobody takes half of an answer for the whole.
 */
void http_fail(struct http_request *request, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Write @p text as a JSON string; what is no UTF-8 becomes U+FFFD. */
void http_json_text(FILE *out, const char *text);

/* ---- the other side, for commands beside a server ---- */

/**
 * Ask the server of a folder over its unix socket, and wait for as long as it takes.
 *
 * @param target path and query
 * @param form   body, of a form; NULL: GET
 * @param answer [out] body, free() it
 * @return status, -ENOENT when no server is there, or -errno
 */
int http_call(const char *folder, const char *target, const char *form, char **answer);

/**
 * Ask the same way, with GET, and leave the body to be read as it comes.
 *
 * @param body [out] fclose() it; a stream of the connection, which fileno() names
 * @return status, -ENOENT when no server is there, or -errno: then there is no body
 */
int http_open(const char *folder, const char *target, FILE **body);

/** Write @p text as it may stand in a form or a query (RFC 3986 s2.1). @return @p out */
char *http_escape(const char *text, char *out, size_t size);
