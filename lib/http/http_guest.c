/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections: until when they may ask, and what they are encrypted with.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include <gnutls/x509.h>

#include "http/http_private.h"

// Each connection has what the files held when it began.
static void guest_encrypt(const struct http_server *server, struct http_guest *guest,
	struct MHD_Connection *connection)
{
	static gnutls_typed_vdata_st purpose = {
		GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	bool required = server->options.client_required;

	if (!server->tls || !info || !info->tls_session)
		return;
	guest->session = info->tls_session;
	guest->creds = tls_keeper_get(server->tls);
	gnutls_credentials_set(guest->session, GNUTLS_CRD_CERTIFICATE, guest->creds->x509);
	if (!guest->creds->asks)
		return;
	gnutls_certificate_server_set_request(
		guest->session, required ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
	// Where one is required, nobody without gets to the parser of HTTP.
	if (required)
		gnutls_session_set_verify_cert2(guest->session, &purpose, 1, 0);
}

// libmicrohttpd's own timeout begins anew with each octet, so that one octet now and then would hold a
// connection for ever.
void http_guest_notify(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct http_server *server = cls;
	struct http_guest **at, *guest = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		guest = calloc(1, sizeof(*guest));
		*context = guest;
		if (!guest)
			return;
		guest->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				    ->connect_fd;
		guest->deadline_ms = http_now_ms() + HTTP_WAIT_S * 1000;
		guest_encrypt(server, guest, connection);
		pthread_mutex_lock(&server->lock);
		guest->next = server->guests;
		server->guests = guest;
		server->stats.connections++;
		pthread_mutex_unlock(&server->lock);
		return;
	}
	if (!guest)
		return;
	*context = NULL;
	pthread_mutex_lock(&server->lock);
	for (at = &server->guests; *at != guest; at = &(*at)->next)
		;
	*at = guest->next;
	server->stats.connections--;
	if (guest->creds && guest->creds->asks && server->options.client_required && !guest->came)
		server->stats.refused[HTTP_NO_CERTIFICATE]++;
	pthread_mutex_unlock(&server->lock);
	tls_creds_put(guest->creds);
	free(guest);
}

struct http_guest *http_guest_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void http_guest_asked(struct http_server *server, struct MHD_Connection *connection, bool asked)
{
	struct http_guest *guest = http_guest_of(connection);

	if (!guest)
		return;
	guest->came = true;
	pthread_mutex_lock(&server->lock);
	// From here on the next request is waited for; a body belongs to its request's time.
	if (guest->asked && !asked)
		guest->deadline_ms = http_now_ms() + HTTP_WAIT_S * 1000;
	guest->asked = asked;
	pthread_mutex_unlock(&server->lock);
}

// Its end is seen by the thread of the connection, which then closes it.
void http_guests_cut(struct http_server *server)
{
	int64_t now = http_now_ms();

	pthread_mutex_lock(&server->lock);
	for (struct http_guest *guest = server->guests; guest; guest = guest->next)
		if (!guest->asked && now >= guest->deadline_ms) {
			guest->deadline_ms = INT64_MAX;
			server->stats.timeouts++;
			shutdown(guest->fd, SHUT_RDWR);
		}
	pthread_mutex_unlock(&server->lock);
}
