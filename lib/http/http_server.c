/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <gnutls/abstract.h>

#include "base/log.h"
#include "http/http_private.h"

#define CLOSE_MS 2000 // for answers that are nearly there
#define BACKLOG  64
#define TAIL_S   2

static const char *const refusal_names[HTTP_REFUSALS] = {
	"no_key", "no_role", "no_route", "bad", "too_many", "no_thread", "no_certificate"};

const char *http_refusal_name(enum http_refusal refusal)
{
	return refusal_names[refusal];
}

int64_t http_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void http_count_refusal(struct http_server *server, enum http_refusal why)
{
	pthread_mutex_lock(&server->lock);
	server->stats.refused[why]++;
	pthread_mutex_unlock(&server->lock);
}

void http_stats_get(struct http_server *server, struct http_stats *stats)
{
	pthread_mutex_lock(&server->lock);
	*stats = server->stats;
	pthread_mutex_unlock(&server->lock);
	if (server->tls)
		stats->expires_s = tls_keeper_expires(server->tls);
}

/* ---- addresses ------------------------------------------------------------------------------- */

// For libmicrohttpd, which would have a certificate before there are connections.
static int certificate_none(gnutls_session_t session, const gnutls_datum_t *names, int n_names,
	const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **certificates,
	unsigned *n_certificates, gnutls_privkey_t *key)
{
	return -1;
}

static int daemon_add(struct http_server *server, int fd, bool local, bool unix_socket)
{
	struct http_daemon *daemon = &server->daemons[server->n_daemons];
	// Not epoll: with it the end of a connection that comes together with its request is not seen.
	unsigned flags =
		MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (local ? 0 : MHD_USE_TLS);
	unsigned most = server->options.connections;
	const struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)certificate_none},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(intptr_t)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	*daemon = (struct http_daemon){
		.server = server, .local = local && !unix_socket, .unix_socket = unix_socket};
	// clang-format off
	daemon->mhd = MHD_start_daemon(flags, 0, NULL, NULL, http_request_handle, daemon,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, most,
		// All that come through a proxy are one.
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, local ? 0 : (most + 3) / 4,
		// What the handler is not waiting for any more; while it is, its own time is over before.
		MHD_OPTION_CONNECTION_TIMEOUT, server->options.reader_s + TAIL_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)2 * HTTP_HEAD_MAX,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, http_request_line, daemon,
		MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, http_guest_notify, server,
		MHD_OPTION_ARRAY, local ? none : tls,
		MHD_OPTION_END);
	// clang-format on
	if (!daemon->mhd)
		return -EIO;
	server->n_daemons++;
	return 0;
}

static int tcp_add(struct http_server *server, const struct endpoint *at, char *error)
{
	char text[ENDPOINT_TEXT_SIZE];
	int fd = endpoint_listen(at), err = fd < 0 ? fd : 0;

	if (err == 0) {
		err = daemon_add(server, fd, addr_is_loopback(&at->addr), false);
		if (err)
			close(fd);
	}
	if (err)
		snprintf(error, HTTP_ERROR_SIZE, "%s: cannot listen: %s", endpoint_format(at, text),
			strerror(-err));
	return err;
}

int http_socket_address(const char *folder, struct sockaddr_un *address)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/" HTTP_SOCKET, fd);
	return fd;
}

static int socket_listen(struct http_server *server, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	// The folder's lock is held, so a socket that is there is nobody's.
	unlink(address->sun_path);
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
		chmod(address->sun_path, 0600) == 0 && listen(fd, BACKLOG) == 0 &&
		lstat(address->sun_path, &server->socket) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int unix_add(struct http_server *server, char *error)
{
	struct sockaddr_un address;
	int folder = http_socket_address(server->options.folder, &address);
	int fd = folder < 0 ? folder : socket_listen(server, &address), err = fd < 0 ? fd : 0;

	if (folder >= 0)
		close(folder);
	if (err == 0) {
		err = daemon_add(server, fd, true, true);
		if (err)
			close(fd);
	}
	if (err)
		snprintf(error, HTTP_ERROR_SIZE, "%s/" HTTP_SOCKET ": cannot listen: %s",
			server->options.folder, strerror(-err));
	return err;
}

static void socket_remove(const struct http_server *server)
{
	struct sockaddr_un address;
	struct stat there;
	int folder;

	if (!server->socket.st_ino)
		return;
	folder = http_socket_address(server->options.folder, &address);
	if (folder < 0)
		return;
	if (lstat(address.sun_path, &there) == 0 && there.st_ino == server->socket.st_ino)
		unlink(address.sun_path);
	close(folder);
}

/* ---- begin and end --------------------------------------------------------------------------- */

static bool needs_tls(const struct endpoints *at)
{
	for (unsigned i = 0; i < at->n; i++)
		if (!addr_is_loopback(&at->at[i].addr))
			return true;
	return false;
}

struct http_server *http_server_open(const struct http_options *options, char *error)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int err;

	snprintf(error, HTTP_ERROR_SIZE, "out of memory");
	if (!server)
		return NULL;
	server->options = *options;
	if (server->options.reader_s == 0)
		server->options.reader_s = HTTP_READER_S;
	server->at = *options->at;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->left, NULL);
	http_limits_init(&server->limits);
	err = http_keys_open(options->folder, &server->keys);
	if (err)
		snprintf(error, HTTP_ERROR_SIZE, "%s/" HTTP_KEYS_FILE ": cannot be read",
			options->folder);
	if (err == 0 && needs_tls(&server->at))
		err = http_tls_open(server, error);
	for (unsigned i = 0; i < server->at.n && err == 0; i++)
		err = tcp_add(server, &server->at.at[i], error);
	if (err == 0 && options->socket)
		err = unix_add(server, error);
	if (err == 0)
		return server;
	http_server_close(server);
	return NULL;
}

void http_server_tick(struct http_server *server)
{
	http_guests_cut(server);
	http_tls_tick(server);
	http_keys_refresh(server->keys);
	http_keys_save(server->keys, http_now_ms(), false);
}

// Whether a request is waited for that one drains for; NULL: the end waits for all. What changes something
// may itself wait for the one that drains.
static bool is_before(
	const struct http_request *r, uint64_t number, const struct http_request *self)
{
	return r != self && r->number <= number &&
	       (!self || (strcmp(r->route->method, "GET") == 0 &&
				 !(r->route->special & HTTP_ENDLESS)));
}

// Under lock.
static bool any_before(
	const struct http_server *server, uint64_t number, const struct http_request *self)
{
	for (const struct http_request *r = server->requests; r; r = r->next)
		if (is_before(r, number, self))
			return true;
	return false;
}

void http_server_drain(
	struct http_server *server, const struct http_request *self, unsigned patience_ms)
{
	struct timespec until;
	uint64_t number;
	bool cut = false;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += patience_ms / 1000;
	pthread_mutex_lock(&server->lock);
	number = server->number;
	while (any_before(server, number, self)) {
		if (cut)
			pthread_cond_wait(&server->left, &server->lock);
		else if (pthread_cond_timedwait(&server->left, &server->lock, &until) != 0) {
			cut = true;
			for (struct http_request *r = server->requests; r; r = r->next)
				if (is_before(r, number, self))
					http_answer_cut(r);
		}
	}
	pthread_mutex_unlock(&server->lock);
}

void http_server_close(struct http_server *server)
{
	if (!server)
		return;
	// Nobody new; what is there ends, or is cut off.
	for (unsigned i = 0; i < server->n_daemons; i++) {
		MHD_socket fd = MHD_quiesce_daemon(server->daemons[i].mhd);

		if (fd != MHD_INVALID_SOCKET)
			close(fd);
	}
	socket_remove(server);
	pthread_mutex_lock(&server->lock);
	server->closing = true;
	for (struct http_request *r = server->requests; r; r = r->next)
		if (strcmp(r->route->method, "GET") != 0 || (r->route->special & HTTP_ENDLESS))
			http_answer_cut(r);
	pthread_mutex_unlock(&server->lock);
	http_server_drain(server, NULL, CLOSE_MS);
	for (unsigned i = 0; i < server->n_daemons; i++)
		MHD_stop_daemon(server->daemons[i].mhd);
	if (server->keys)
		http_keys_save(server->keys, http_now_ms(), true);
	http_keys_close(server->keys);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->left);
	tls_keeper_close(server->tls);
	free(server);
}
