/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/http share, and what its tests need.
 *
 * A request belongs to two, who count it in `refs`: the server's thread, until libmicrohttpd says that it is
 * over, and the handler's. Whoever is last frees it. While the handler has nothing to read yet, the
 * connection is suspended: `suspended` says so, and whoever has something to tell wakes it up.
 *
 * Locks: server.lock, then request.lock; libmicrohttpd's own behind both.
 */
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <microhttpd.h>

#include "http/http.h"
#include "tls/tls.h"

#define HTTP_DAEMONS_MAX (ENDPOINTS_MAX + 1)
#define HTTP_WAIT_S      10 /**< for a request, from the connection or the answer before it on */
#define HTTP_LIMIT_SLOTS 1024

/** Rates of addresses without a key. Few slots: those that share one share its rate. */
struct http_limits {
	pthread_mutex_t lock;
	uint64_t seed;
	struct http_rate slots[HTTP_LIMIT_SLOTS]; /**< under lock */
};

/** A connection from which a request is waited for. */
struct http_guest {
	struct http_guest *next;
	int fd;
	bool asked;         /**< a request of it is being answered */
	int64_t deadline_ms;
	/* the server's thread alone */
	gnutls_session_t session; /**< NULL: not TLS */
	struct tls_creds *creds;  /**< of the session */
	bool came;                /**< a request has come, so the handshake was good */
	bool checked;             /**< what follows is known */
	enum tls_fault fault;
	char name[TLS_NAME_SIZE]; /**< of the client's certificate */
};

/** One address. */
struct http_daemon {
	struct http_server *server;
	struct MHD_Daemon *mhd;
	bool local; /**< loopback */
	bool unix_socket;
};

struct http_server {
	struct http_options options;
	struct endpoints at;
	struct http_keys *keys;
	struct http_limits limits;
	struct tls_keeper *tls;  /**< NULL: TLS is not needed */
	bool own_certificate;    /**< it is made anew when it gets old */
	int64_t made_ms;         /**< when that was tried last */
	struct stat socket;      /**< the unix socket's file */
	struct http_daemon daemons[HTTP_DAEMONS_MAX];
	unsigned n_daemons;
	pthread_mutex_t lock;
	pthread_cond_t left; /**< a handler has returned */
	bool closing;                  /**< under lock, as all below */
	struct http_request *requests; /**< that handlers work on */
	struct http_guest *guests;
	uint64_t number; /**< of the request that began last */
	struct http_stats stats;
};

struct http_pair {
	char *name, *value; /**< value: "" where there was none */
};

struct http_request {
	struct http_request *next, **self; /**< in server.requests, under its lock; self NULL: in no list */
	uint64_t number;
	struct http_server *server;
	struct http_daemon *daemon;
	struct MHD_Connection *connection; /**< NULL: over; under lock */
	const struct http_route *route;
	char allow[32]; /**< methods that its path has, between commas */
	struct http_key who; /**< role HTTP_NOBODY and "" as name: nobody we know */
	char *path;   /**< as it came, without the query */
	char *accept; /**< NULL: its headers are still to come */
	struct http_pair params[HTTP_PARAMS_MAX];
	unsigned n_params;
	char *body; /**< with a NUL behind it; NULL: none came */
	size_t body_size; /**< over the most that it may have: too large */
	size_t body_room;
	struct http_pair headers[HTTP_HEADERS_MAX]; /**< of the answer; names are static */
	unsigned n_headers;
	bool answered;    /**< an answer was queued; the server's thread only */

	pthread_mutex_t lock;
	pthread_cond_t room;
	unsigned refs;   /**< under lock, as all below */
	bool started;    /**< there is or was a handler */
	bool suspended;
	bool released;   /**< the head of the answer may go */
	bool finishing;  /**< the handler has returned, and its last octets come */
	bool done;       /**< the answer is complete */
	bool cut;        /**< the answer will never be complete */
	unsigned status;
	const char *type;
	uint8_t *ring;
	size_t from, used; /**< octets of the ring that wait */
	size_t taken;      /**< since the reader's time began */
	int64_t late_ms;   /**< when it ends; 0: it has not begun */
	FILE *out;         /**< the handler's only */
};

/* ---- http_key.c, http_keys.c, http_limit.c ---- */

/** Write 2 * n hexadecimal digits and a NUL. */
void http_hex_write(const uint8_t *octets, size_t n, char *text);

/** SHA-256 of a string. */
void http_hash(const char *text, uint8_t hash[HTTP_KEY_HASH_SIZE]);

void http_limits_init(struct http_limits *limits);

/** Whether an address may ask once more within this second. */
bool http_limits_take(struct http_limits *limits, const struct sockaddr *address, int64_t now_ms, unsigned rate);

/* ---- http_param.c ---- */

/** Take parameters of a form. @return NULL, or what is wrong (static) */
const char *http_form_take(struct http_request *request, char *form);

/** Add a parameter; both are copied. @return NULL, or what is wrong (static) */
const char *http_param_add(struct http_request *request, const char *name, const char *value);

/** Look whether parameters are those of the route. @return whether; @p why HTTP_ERROR_SIZE octets */
bool http_params_check(const struct http_request *request, char *why);

void http_params_free(struct http_request *request);

/* ---- http_server.c ---- */

int64_t http_now_ms(void);

struct sockaddr_un;

/**
 * Address of the socket of a folder: below a descriptor, so that it fits however long the folder's path is.
 *
 * @return descriptor of the folder, to be closed behind the use of the address; or -errno
 */
int http_socket_address(const char *folder, struct sockaddr_un *address);

void http_count_refusal(struct http_server *server, enum http_refusal why);

/* ---- http_guest.c ---- */

/** A callback of libmicrohttpd; cls is the struct http_server. */
void http_guest_notify(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what);

/** Cut off those that have not asked in time. */
void http_guests_cut(struct http_server *server);

/** Where a request comes from; NULL when memory was short. The server's thread. */
struct http_guest *http_guest_of(struct MHD_Connection *connection);

/** Tell of a connection whether a request of it is being answered. */
void http_guest_asked(struct http_server *server, struct MHD_Connection *connection, bool asked);

/* ---- http_request.c ---- */

/** Callbacks of libmicrohttpd; cls is the struct http_daemon. The first makes a request of its first line. */
void *http_request_line(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_request_handle(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size, void **context);
void http_request_completed(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode why);

/* ---- http_access.c ---- */

/** Who asks, and whether they may. @return 0, or the status of a refusal with @p why (HTTP_ERROR_SIZE octets) */
unsigned http_access(struct http_request *request, char *why);

/* ---- http_answer.c ---- */

/** Begin the handler's thread, with the connection suspended. @return 0 or -errno */
int http_answer_start(struct http_request *request);

/** The response to queue when there is something to tell; NULL: cut the connection. */
struct MHD_Response *http_answer_response(struct http_request *request);

/** The answer will not be read any more, or not any longer. Any thread. */
void http_answer_cut(struct http_request *request);

/** One owner less. */
void http_request_put(struct http_request *request);

/* ---- http_tls.c ---- */

/** Read what was configured, or what is in the folder, or make that. @return 0, or -errno with @p error set */
int http_tls_open(struct http_server *server, char *error);

/** Make what gets old anew, and read what has changed. */
void http_tls_tick(struct http_server *server);
