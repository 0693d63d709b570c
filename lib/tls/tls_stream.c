/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "base/addr.h"
#include "tls/tls.h"

#define RECORD_MAX  16384 // octets of a record (RFC 8446 s5.1)
#define SERVER_SIZE 256   // address or name of a server

struct tls_stream {
	gnutls_session_t session;
	struct tls_creds *creds;
	char server[SERVER_SIZE]; // whom we asked for; "": we are the server
	size_t sending;           // octets of a send that is not through
	enum tls_fault fault;
	char why[160];
	char name[TLS_NAME_SIZE];
};

/* ---- the other side's certificate ------------------------------------------------------------ */

static const char *const names[TLS_FAULTS] = {
	"good", "no_certificate", "expired", "other_ca", "other_name", "other_purpose", "broken"};

static const char *const texts[TLS_FAULTS] = {
	"nothing is wrong",
	"it shows no certificate",
	"its certificate is out of date, or not good yet",
	"its certificate is not from our CA",
	"its certificate has another name",
	"its certificate is for another purpose",
	"it does not speak TLS as it should",
};

const char *tls_fault_name(enum tls_fault fault)
{
	return names[fault];
}

const char *tls_fault_text(enum tls_fault fault)
{
	return texts[fault];
}

// What can be told from the bits is told by the one that helps most.
static enum tls_fault fault_of(unsigned status)
{
	if (status == 0)
		return TLS_GOOD;
	if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA |
			     GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_REVOKED))
		return TLS_OTHER_CA;
	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		return TLS_EXPIRED;
	if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
		return TLS_OTHER_PURPOSE;
	return status & GNUTLS_CERT_UNEXPECTED_OWNER ? TLS_OTHER_NAME : TLS_OTHER_CA;
}

static enum tls_fault peer_check(gnutls_session_t session, const char *server)
{
	gnutls_typed_vdata_st data[2] = {
		{.type = GNUTLS_DT_KEY_PURPOSE_OID,
			.data = (void *)(server ? GNUTLS_KP_TLS_WWW_SERVER
						: GNUTLS_KP_TLS_WWW_CLIENT)},
	};
	struct addr addr;
	unsigned status = 0;

	if (!gnutls_certificate_get_peers(session, NULL))
		return TLS_NO_CERTIFICATE;
	if (server && addr_parse(server, &addr) == 0)
		data[1] = (gnutls_typed_vdata_st){
			GNUTLS_DT_IP_ADDRESS, addr.bytes, addr_size(addr.family)};
	else if (server)
		data[1] = (gnutls_typed_vdata_st){GNUTLS_DT_DNS_HOSTNAME, (void *)server, 0};
	if (gnutls_certificate_verify_peers(session, data, server ? 2 : 1, &status) < 0)
		return TLS_BROKEN;
	return fault_of(status);
}

static void common_name(gnutls_session_t session, char name[TLS_NAME_SIZE])
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	size_t size = TLS_NAME_SIZE;
	gnutls_x509_crt_t crt;

	name[0] = '\0';
	if (n == 0 || gnutls_x509_crt_init(&crt) < 0)
		return;
	if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) < 0 ||
		gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) <
			0)
		name[0] = '\0';
	gnutls_x509_crt_deinit(crt);
}

enum tls_fault tls_client_check(gnutls_session_t session, char name[TLS_NAME_SIZE])
{
	enum tls_fault fault = peer_check(session, NULL);

	name[0] = '\0';
	if (fault == TLS_GOOD)
		common_name(session, name);
	return fault;
}

// Within the handshake, so that the other side is told why.
static int verify(gnutls_session_t session)
{
	static const gnutls_alert_description_t alerts[TLS_FAULTS] = {
		[TLS_NO_CERTIFICATE] = GNUTLS_A_CERTIFICATE_REQUIRED,
		[TLS_EXPIRED] = GNUTLS_A_CERTIFICATE_EXPIRED,
		[TLS_OTHER_CA] = GNUTLS_A_UNKNOWN_CA,
		[TLS_OTHER_NAME] = GNUTLS_A_BAD_CERTIFICATE,
		[TLS_OTHER_PURPOSE] = GNUTLS_A_UNSUPPORTED_CERTIFICATE,
		[TLS_BROKEN] = GNUTLS_A_BAD_CERTIFICATE,
	};
	struct tls_stream *stream = gnutls_session_get_ptr(session);
	const char *server = stream->server[0] ? stream->server : NULL;

	stream->fault = peer_check(session, server);
	if (stream->fault == TLS_GOOD) {
		common_name(session, stream->name);
		return 0;
	}
	gnutls_alert_send(session, GNUTLS_AL_FATAL, alerts[stream->fault]);
	return -1;
}

/* ---- begin and end --------------------------------------------------------------------------- */

static int session_set(struct tls_stream *stream, int fd)
{
	gnutls_session_t s = stream->session;
	struct addr addr;
	int err = gnutls_priority_set_direct(s, TLS_PRIORITIES, NULL);

	if (err == 0)
		err = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, stream->creds->x509);
	if (err == 0 && stream->server[0] && addr_parse(stream->server, &addr) < 0)
		err = gnutls_server_name_set(
			s, GNUTLS_NAME_DNS, stream->server, strlen(stream->server));
	if (!stream->server[0])
		gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_ptr(s, stream);
	gnutls_session_set_verify_function(s, verify);
	gnutls_transport_set_int(s, fd);
	// Whoever waits has a time of its own.
	gnutls_handshake_set_timeout(s, GNUTLS_INDEFINITE_TIMEOUT);
	return err;
}

struct tls_stream *tls_stream_open(struct tls_creds *creds, int fd, const char *server)
{
	struct tls_stream *stream = calloc(1, sizeof(*stream));
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS;

	if (!stream) {
		tls_creds_put(creds);
		return NULL;
	}
	stream->creds = creds;
	if (server)
		snprintf(stream->server, sizeof(stream->server), "%s", server);
	if (gnutls_init(&stream->session, flags | (server ? GNUTLS_CLIENT : GNUTLS_SERVER)) < 0)
		stream->session = NULL;
	if (!stream->session || session_set(stream, fd) < 0) {
		tls_stream_close(stream);
		return NULL;
	}
	return stream;
}

void tls_stream_close(struct tls_stream *stream)
{
	if (!stream)
		return;
	if (stream->session)
		gnutls_deinit(stream->session);
	tls_creds_put(stream->creds);
	free(stream);
}

/* ---- octets ---------------------------------------------------------------------------------- */

static void why_set(struct tls_stream *stream, int err)
{
	const char *alert;

	if (stream->why[0])
		return;
	if (err == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		stream->fault = TLS_BROKEN;
		alert = gnutls_alert_get_name(gnutls_alert_get(stream->session));
		snprintf(stream->why, sizeof(stream->why), "it says: %s", alert ? alert : "no");
		return;
	}
	if (stream->fault == TLS_GOOD &&
		(err == GNUTLS_E_NO_CERTIFICATE_FOUND || err == GNUTLS_E_CERTIFICATE_REQUIRED))
		stream->fault = TLS_NO_CERTIFICATE;
	if (stream->fault == TLS_GOOD) {
		stream->fault = TLS_BROKEN;
		snprintf(stream->why, sizeof(stream->why), "%s: %s", texts[TLS_BROKEN],
			gnutls_strerror(err));
	} else {
		snprintf(stream->why, sizeof(stream->why), "%s", texts[stream->fault]);
	}
}

static bool once_more(int err)
{
	return err == GNUTLS_E_AGAIN || err == GNUTLS_E_INTERRUPTED;
}

int tls_stream_handshake(struct tls_stream *stream)
{
	int err = gnutls_handshake(stream->session);

	if (err == 0)
		return 0;
	if (once_more(err) || (err < 0 && !gnutls_error_is_fatal(err)))
		return -EAGAIN;
	if (err != GNUTLS_E_FATAL_ALERT_RECEIVED && stream->fault == TLS_GOOD)
		gnutls_alert_send_appropriate(stream->session, err);
	why_set(stream, err);
	return -EPROTO;
}

ssize_t tls_stream_send(struct tls_stream *stream, const void *data, size_t size)
{
	ssize_t n;

	// What did not get through is in the session, and goes before anything else.
	if (stream->sending) {
		n = gnutls_record_send(stream->session, NULL, 0);
	} else {
		stream->sending = size < RECORD_MAX ? size : RECORD_MAX;
		n = gnutls_record_send(stream->session, data, stream->sending);
	}
	if (n < 0 && once_more((int)n))
		return -EAGAIN;
	stream->sending = 0;
	if (n > 0)
		return n;
	why_set(stream, (int)n);
	return -EPIPE;
}

ssize_t tls_stream_receive(struct tls_stream *stream, void *data, size_t size)
{
	ssize_t n = gnutls_record_recv(stream->session, data, size);

	if (n >= 0)
		return n;
	// The end without a word is one for those who frame what they send.
	if (n == GNUTLS_E_PREMATURE_TERMINATION)
		return 0;
	if (!gnutls_error_is_fatal((int)n))
		return -EAGAIN;
	why_set(stream, (int)n);
	return -EPROTO;
}

short tls_stream_events(const struct tls_stream *stream)
{
	return gnutls_record_get_direction(stream->session) ? POLLOUT : POLLIN;
}

void tls_stream_bye(struct tls_stream *stream)
{
	gnutls_bye(stream->session, GNUTLS_SHUT_WR);
}

enum tls_fault tls_stream_fault(const struct tls_stream *stream)
{
	return stream->fault;
}

const char *tls_stream_why(const struct tls_stream *stream)
{
	return stream->why[0] ? stream->why : texts[stream->fault];
}

const char *tls_stream_name(const struct tls_stream *stream)
{
	return stream->name;
}
