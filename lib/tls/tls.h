/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Certificates in files that may change while they are used, and TLS over a socket that does not wait.
 *
 * Both sides of a link show a certificate; each looks whether the other's was signed by the authority (CA) that
 * it trusts, is good today, and is for what it is used for. A server's has the address or the name that the
 * client asked for. A client is who its certificate's Common Name says.
 *
 * Layer:   lib/tls; GnuTLS.
 * Threads: a keeper is used by any; a stream by one at a time.
 * Source:  RFC 8446, RFC 5246 (TLS 1.3, 1.2), RFC 5280 (certificates), RFC 9325.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <gnutls/gnutls.h>

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define TLS_ERROR_SIZE 512
#define TLS_NAME_SIZE  65 /**< Common Name and a NUL (RFC 5280, ub-common-name) */

/* ---- files ----------------------------------------------------------------------------------- */

/** Where a certificate is, and what goes with it. All in PEM; borrowed. */
struct tls_files {
	const char *certificate; /**< with those that lead to its root behind it */
	const char *key;
	const char *ca; /**< who may have signed the other side's certificate; "": nobody is asked for one */
};

/** What files held. Has owners, who count. */
struct tls_creds {
	_Atomic unsigned owners;
	gnutls_certificate_credentials_t x509;
	int64_t expires_s; /**< last second of the certificate, since 1970 */
	bool asks;         /**< there is a CA */
};

struct tls_keeper;

/**
 * Read files.
 *
 * @param keeper [out] taken, close with tls_keeper_close
 * @param error  [out] one line on failure, TLS_ERROR_SIZE octets
 * @return 0 or -EINVAL
 */
int tls_keeper_open(const struct tls_files *files, struct tls_keeper **keeper, char *error);

/** NULL is fine. What others own of it stays. */
void tls_keeper_close(struct tls_keeper *keeper);

/** Read the files again if one has changed. What cannot be used is logged, and changes nothing. */
void tls_keeper_refresh(struct tls_keeper *keeper);

/** What the files hold. @return taken, give back with tls_creds_put */
struct tls_creds *tls_keeper_get(struct tls_keeper *keeper);

/** NULL is fine. */
void tls_creds_put(struct tls_creds *creds);

/** Last second of the certificate, since 1970. */
int64_t tls_keeper_expires(struct tls_keeper *keeper);

/* ---- the other side -------------------------------------------------------------------------- */

/** What is wrong with the other side. */
enum tls_fault {
	TLS_GOOD,
	TLS_NO_CERTIFICATE,
	TLS_EXPIRED,       /**< or not good yet */
	TLS_OTHER_CA,
	TLS_OTHER_NAME,    /**< of a server: not whom we asked for; of a client: none of those who may */
	TLS_OTHER_PURPOSE, /**< a client's certificate shown by a server, or the other way around */
	TLS_BROKEN,        /**< it does not speak TLS as it should, or refuses us */
	TLS_FAULTS,
};

/** "no_certificate", ... */
const char *tls_fault_name(enum tls_fault fault);

/** The same as a sentence: "its certificate is out of date". */
const char *tls_fault_text(enum tls_fault fault);

/**
 * Look at the certificate that a client has shown in a session with @p creds set.
 *
 * @param name [out] its Common Name; "" unless it is good
 */
enum tls_fault tls_client_check(gnutls_session_t session, char name[TLS_NAME_SIZE]);

/* ---- streams --------------------------------------------------------------------------------- */

struct tls_stream;

/**
 * Begin.
 *
 * @param creds  taken, also on failure
 * @param fd     non-blocking; kept
 * @param server for a client: address or name of the server. NULL: we are the server
 * @return taken, close with tls_stream_close; NULL: out of memory
 */
struct tls_stream *tls_stream_open(struct tls_creds *creds, int fd, const char *server);

/** Does not close the socket. NULL is fine. */
void tls_stream_close(struct tls_stream *stream);

/** Go on with the handshake. @return 0: done, -EAGAIN: wait for tls_stream_events, -EPROTO: see tls_stream_why */
int tls_stream_handshake(struct tls_stream *stream);

/** @return octets, more than 0; -EAGAIN: try again with the same octets; or -EPIPE */
ssize_t tls_stream_send(struct tls_stream *stream, const void *data, size_t size);

/** @return octets; 0: the end; -EAGAIN; or -EPROTO */
ssize_t tls_stream_receive(struct tls_stream *stream, void *data, size_t size);

/** What the last -EAGAIN waits for: POLLIN or POLLOUT. */
short tls_stream_events(const struct tls_stream *stream);

/** Tell the other side that no more comes. */
void tls_stream_bye(struct tls_stream *stream);

/** What was found out about the other side. */
enum tls_fault tls_stream_fault(const struct tls_stream *stream);

/** The same as a sentence, or what the other side says about us; borrowed. */
const char *tls_stream_why(const struct tls_stream *stream);

/** Common Name of the client, behind the handshake. */
const char *tls_stream_name(const struct tls_stream *stream);
