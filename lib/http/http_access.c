/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who asks, and whether they may.
 */
#include <netinet/in.h>
#include <pwd.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "http/http_private.h"
#include "list/list.h"

#define BASIC_SIZE 512

static unsigned refuse(struct http_request *request, unsigned status, enum http_refusal as,
	const char *text, char *why)
{
	http_count_refusal(request->server, as);
	snprintf(why, HTTP_ERROR_SIZE, "%s", text);
	return status;
}

// Who can open the socket is told by its mode; this is for the audit log, and for folders that are
// not as they should be.
static unsigned peer_access(struct http_request *request, char *why)
{
	int fd = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			 ->connect_fd;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	struct passwd entry, *user = NULL;
	char room[1024];

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
		(peer.uid != 0 && peer.uid != geteuid()))
		return refuse(request, MHD_HTTP_FORBIDDEN, HTTP_NO_ROLE,
			"expected the collector's user, or root", why);
	if (getpwuid_r(peer.uid, &entry, room, sizeof(room), &user) == 0 && user)
		snprintf(request->who.name, sizeof(request->who.name), "%s", user->pw_name);
	else
		snprintf(request->who.name, sizeof(request->who.name), "uid %u", peer.uid);
	request->who.role = HTTP_ADMIN;
	return 0;
}

// RFC 7617: the key is the password, whatever the name.
static const char *basic_key(const char *text, char key[BASIC_SIZE])
{
	const gnutls_datum_t from = {(unsigned char *)text, (unsigned)strlen(text)};
	gnutls_datum_t to;
	const char *colon;

	key[0] = '\0';
	if (from.size >= BASIC_SIZE || gnutls_base64_decode2(&from, &to) != 0)
		return key;
	colon = memchr(to.data, ':', to.size);
	if (colon && !memchr(to.data, '\0', to.size))
		snprintf(key, BASIC_SIZE, "%.*s",
			(int)(to.size - (size_t)(colon + 1 - (const char *)to.data)), colon + 1);
	gnutls_free(to.data);
	return key;
}

// The key that was given, or NULL.
static const char *key_given(struct MHD_Connection *connection, char room[BASIC_SIZE])
{
	const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-API-Key");

	if (key)
		return key;
	key = MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	if (key && strncasecmp(key, "Bearer ", 7) == 0)
		return key + 7 + strspn(key + 7, " ");
	if (key && strncasecmp(key, "Basic ", 6) == 0)
		return basic_key(key + 6 + strspn(key + 6, " "), room);
	return NULL;
}

/** Whether who has a key may ask now. @param none what is said if there is no such key */
static unsigned key_admit(struct http_request *request, enum http_key_state state,
	const struct http_key *found, const char *none, char *why)
{
	switch (state) {
	case HTTP_KEY_GOOD:
		request->who = *found;
		return 0;
	case HTTP_KEY_RATE:
		return refuse(request, MHD_HTTP_TOO_MANY_REQUESTS, HTTP_TOO_MANY,
			"too many requests within a second", why);
	case HTTP_KEY_QUOTA:
		return refuse(request, MHD_HTTP_TOO_MANY_REQUESTS, HTTP_TOO_MANY,
			"the quota of this day is used up", why);
	default:
		return refuse(request, MHD_HTTP_UNAUTHORIZED, HTTP_NO_KEY, none, why);
	}
}

static bool counts(const struct http_request *request)
{
	return !(request->route->special & HTTP_UNCOUNTED);
}

static unsigned key_access(struct http_request *request, const char *key, char *why)
{
	struct http_server *server = request->server;
	struct http_key found;
	enum http_key_state state = http_keys_check(
		server->keys, key, http_now_ms(), server->options.rate, counts(request), &found);

	return key_admit(request, state, &found, "no such key, or it has expired", why);
}

/** The same by a client's certificate. @param shown [out] whether there is one */
static unsigned certificate_access(struct http_request *request, bool *shown, char *why)
{
	struct http_guest *guest = http_guest_of(request->connection);
	struct http_server *server = request->server;
	char text[HTTP_ERROR_SIZE];
	enum http_key_state state;
	struct http_key found;

	*shown = false;
	if (!guest || !guest->creds || !guest->creds->asks)
		return 0;
	if (!guest->checked) {
		guest->checked = true;
		guest->fault = tls_client_check(guest->session, guest->name);
	}
	*shown = guest->fault != TLS_NO_CERTIFICATE;
	if (!*shown)
		return 0;
	if (guest->fault != TLS_GOOD) {
		snprintf(text, sizeof(text), "the client is refused: %s",
			tls_fault_text(guest->fault));
		return refuse(request, MHD_HTTP_UNAUTHORIZED, HTTP_NO_CERTIFICATE, text, why);
	}
	state = http_keys_check_certificate(server->keys, guest->name, http_now_ms(),
		server->options.rate, counts(request), &found);
	return key_admit(request, state, &found,
		"no key says what this certificate may do, or it has expired", why);
}

unsigned http_access(struct http_request *request, char *why)
{
	const struct http_route *route = request->route;
	const struct sockaddr *address;
	char room[BASIC_SIZE];
	const char *key;
	unsigned status;
	bool shown = false;

	if (request->daemon->unix_socket)
		return peer_access(request, why);
	key = key_given(request->connection, room);
	status = key ? key_access(request, key, why) : certificate_access(request, &shown, why);
	if ((key || shown) && status == 0)
		return request->who.role >= route->role
			       ? 0
			       : refuse(request, MHD_HTTP_FORBIDDEN, HTTP_NO_ROLE,
					 "expected a key of another role", why);
	address = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			  ->client_addr;
	if (status == 0 && (route->special & HTTP_UNLIMITED))
		return 0;
	if (status != MHD_HTTP_TOO_MANY_REQUESTS &&
		!http_limits_take(&request->server->limits, address, http_now_ms(),
			request->server->options.rate))
		return refuse(request, MHD_HTTP_TOO_MANY_REQUESTS, HTTP_TOO_MANY,
			"too many requests within a second", why);
	if (status || route->role == HTTP_NOBODY ||
		((route->special & HTTP_LOCAL) && request->daemon->local))
		return status;
	return refuse(request, MHD_HTTP_UNAUTHORIZED, HTTP_NO_KEY,
		"expected a key in X-API-Key, or behind Bearer or as the password of Basic in "
		"Authorization",
		why);
}

// Seconds since 1970 of the first second of the day @p days behind that of @p now.
static int64_t day_start(time_t now, int days)
{
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_mday += days;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

void http_quota_get(const struct http_request *request, struct http_quota *quota)
{
	const struct http_key *key = &request->who;
	struct http_server *server = request->server;
	time_t now = time(NULL);
	uint64_t used;

	*quota = (struct http_quota){
		.limit = key->quota, .reset_s = day_start(now, 1), .rate = server->options.rate};
	if (!key->name[0] || request->daemon->unix_socket)
		return;
	if (key->expires != HTTP_NO_DAY)
		quota->expires_s = day_start(now, key->expires - list_day_of(now) + 1);
	used = http_keys_used(server->keys, key);
	quota->remaining = used < key->quota ? key->quota - used : 0;
}

bool http_still_may(const struct http_request *request)
{
	return !request->who.name[0] || request->daemon->unix_socket ||
	       http_keys_role(request->server->keys, &request->who) >= request->route->role;
}

bool http_quota_take(const struct http_request *request)
{
	return !request->who.name[0] || request->daemon->unix_socket ||
	       http_keys_take(request->server->keys, &request->who);
}
