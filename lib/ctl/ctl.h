/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The control protocol between dnsweir and its shell: a unix stream socket; a request is one line of
 * text, a reply is one line of JSON. A reply is an object; {"error": "..."} says that a request was
 * not carried out.
 *
 * Layer:   lib/ctl; no EAL.
 * Threads: a server belongs to one thread (control); a client to its caller.
 */
#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include <sys/types.h>

#define CTL_SOCKET_PATH  "/run/dnsweir/control.sock"
#define CTL_REQUEST_MAX  512 /**< bytes of a request line, newline included */
#define CTL_CLIENTS_MAX  16
#define CTL_TIMEOUT_MS   10000 /**< a client that keeps a request or a reply half done is closed */

/** Who asks, from SO_PEERCRED. */
struct ctl_peer {
	pid_t pid;
	uid_t uid;
};

/**
 * A command: `path` are its words ("show list"), `args` what follows ("NAME", "" for nothing,
 * "[N]" when it may be left out).
 */
struct ctl_command {
	const char *path;
	const char *args;
	const char *help;   /**< one sentence */
	bool changes;       /**< changes something: logged with the peer's uid and pid */
	unsigned timeout_s; /**< how long the shell waits for the reply */
};

/** All commands that dnsweir answers, ending with a NULL path. The shell completes from it. */
extern const struct ctl_command ctl_commands[];

/**
 * Find the command of a request; words may be shortened as long as they stay unique ("sh st").
 *
 * @param args  [out] what follows the command's words, within @p request
 * @param error [out] on NULL, one sentence naming what was wrong or ambiguous; static or in a
 *              thread-local buffer
 */
const struct ctl_command *ctl_command_find(
	const char *request, const char **args, const char **error);

struct ctl_server;

/**
 * Carries out a request. May keep a reply for later by returning NULL and calling ctl_reply.
 *
 * @param args words behind the command, "" for none; borrowed
 * @return the reply (taken by the server), or NULL: ctl_reply comes later
 */
typedef json_t *(*ctl_handler)(void *ctx, const struct ctl_command *command, const char *args,
	const struct ctl_peer *peer, unsigned request_id);

/**
 * Listen at @p path (mode 0660, group @p group or the process's). A socket file that nobody
 * listens on any more is replaced; one that answers is an error.
 *
 * @param error [out] one line on failure
 * @return the server (free with ctl_server_close, which removes the file), or NULL
 */
struct ctl_server *ctl_server_open(const char *path, const char *group, ctl_handler handler,
	void *ctx, char *error, size_t error_size);

/** One epoll descriptor that is readable when ctl_server_poll has something to do. */
int ctl_server_fd(const struct ctl_server *server);

/** Serve what is there without waiting, and close clients that are over their time. */
void ctl_server_poll(struct ctl_server *server);

/**
 * Answer a request whose handler returned NULL. A gone client is no error. On the server's thread.
 *
 * @param reply taken
 */
void ctl_reply(struct ctl_server *server, unsigned request_id, json_t *reply);

void ctl_server_close(struct ctl_server *server);

/** {"error": text}; the text as printf. */
json_t *ctl_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Connect. @return a socket, or -errno */
int ctl_connect(const char *path);

/**
 * Send one request and wait for its reply. A signal handler that runs meanwhile ends the wait.
 * After a failure the connection is out of step: close it.
 *
 * @param error [out] one line on failure
 * @return the reply (taken by the caller), or NULL
 */
json_t *ctl_call(int sock, const char *request, unsigned timeout_s, char *error, size_t error_size);

/**
 * Connect, ask one after the other, and close, all of it within @p timeout_ms.
 *
 * @param replies [out] one for each request, taken by the caller; NULL for the one that got none and all behind it
 * @return how many there are
 */
unsigned ctl_ask(const char *path, const char *const *requests, unsigned n, unsigned timeout_ms, json_t **replies);
