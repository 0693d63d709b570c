/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The certificate: the operator's, or one of our own, which signs itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/log.h"
#include "http/http_private.h"

#define CERTIFICATE "api.crt"
#define KEY         "api.key"
#define PEM_MAX     (64 << 10)
#define VALID_S     ((time_t)3650 * 86400)
#define SERIAL_SIZE 16

static char *file_read(const char *path, char *error)
{
	FILE *file = fopen(path, "re");
	char *text = file ? malloc(PEM_MAX + 1) : NULL;
	size_t size;

	if (!text) {
		snprintf(error, HTTP_ERROR_SIZE, "%.300s: cannot be read: %s", path,
			strerror(errno));
		if (file)
			fclose(file);
		return NULL;
	}
	size = fread(text, 1, PEM_MAX, file);
	text[size] = '\0';
	fclose(file);
	return text;
}

// Whether they are a certificate and its key; says in the log what clients may hold it against.
static int pair_check(const struct http_server *server, const char *certificate, char *error)
{
	const gnutls_datum_t cert = {
		(unsigned char *)server->certificate, (unsigned)strlen(server->certificate)};
	const gnutls_datum_t key = {(unsigned char *)server->key, (unsigned)strlen(server->key)};
	gnutls_certificate_credentials_t both;
	gnutls_datum_t der = {NULL, 0};
	uint8_t hash[32];
	char text[2 * sizeof(hash) + 1];
	int err = gnutls_certificate_allocate_credentials(&both);

	if (err == 0) {
		err = gnutls_certificate_set_x509_key_mem(both, &cert, &key, GNUTLS_X509_FMT_PEM);
		if (err >= 0)
			err = gnutls_pem_base64_decode2("CERTIFICATE", &cert, &der);
		gnutls_certificate_free_credentials(both);
	}
	if (err < 0) {
		snprintf(error, HTTP_ERROR_SIZE,
			"%.300s: expected a certificate and its key in PEM: %s", certificate,
			gnutls_strerror(err));
		return -EINVAL;
	}
	gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, hash);
	gnutls_free(der.data);
	http_hex_write(hash, sizeof(hash), text);
	log_line(LOG_INFO, "%s: SHA-256 %s", certificate, text);
	return 0;
}

static void names_set(gnutls_x509_crt_t crt, const struct http_server *server)
{
	char host[256] = "localhost";

	gethostname(host, sizeof(host) - 1);
	gnutls_x509_crt_set_dn_by_oid(
		crt, GNUTLS_OID_X520_COMMON_NAME, 0, host, (unsigned)strnlen(host, 64));
	gnutls_x509_crt_set_subject_alt_name(
		crt, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host), GNUTLS_FSAN_SET);
	for (unsigned i = 0; i < server->at.n; i++) {
		const struct addr *addr = &server->at.at[i].addr;

		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addr->bytes,
			addr_size(addr->family), GNUTLS_FSAN_APPEND);
	}
}

static int certificate_sign(
	gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct http_server *server)
{
	uint8_t serial[SERIAL_SIZE];
	time_t now = time(NULL);

	gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
	serial[0] &= 0x7f; // RFC 5280 s4.1.2.2: positive
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	gnutls_x509_crt_set_activation_time(crt, now - 86400);
	gnutls_x509_crt_set_expiration_time(crt, now + VALID_S);
	names_set(crt, server);
	gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	gnutls_x509_crt_set_key(crt, key);
	return gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

static void pem_write(FILE *file, const void *what)
{
	const gnutls_datum_t *pem = what;

	fwrite(pem->data, 1, pem->size, file);
}

// The key first: a certificate without one would not be made anew.
static int pair_write(const char *folder, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	gnutls_datum_t pem[2] = {{NULL, 0}, {NULL, 0}};
	int err = 0;

	if (gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem[0]) < 0 ||
		gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem[1]) < 0)
		err = -EIO;
	if (err == 0)
		err = http_file_replace(folder, KEY, pem_write, &pem[0]);
	if (err == 0)
		err = http_file_replace(folder, CERTIFICATE, pem_write, &pem[1]);
	gnutls_free(pem[0].data);
	gnutls_free(pem[1].data);
	return err;
}

static int pair_make(const struct http_server *server, char *error)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int err = gnutls_x509_privkey_init(&key);

	if (err == 0)
		err = gnutls_x509_crt_init(&crt);
	if (err == 0)
		err = gnutls_x509_privkey_generate(
			key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (err == 0)
		err = certificate_sign(crt, key, server);
	if (err < 0)
		snprintf(error, HTTP_ERROR_SIZE, "a certificate cannot be made: %s",
			gnutls_strerror(err));
	else if ((err = pair_write(server->options.folder, crt, key)) < 0)
		snprintf(error, HTTP_ERROR_SIZE, "%s/" CERTIFICATE ": cannot be made: %s",
			server->options.folder, strerror(-err));
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return err < 0 ? -EIO : 0;
}

int http_tls_load(struct http_server *server, char *error)
{
	const struct http_options *options = &server->options;
	char certificate[4096], key[4096];
	int err = 0;

	snprintf(certificate, sizeof(certificate), "%s/" CERTIFICATE, options->folder);
	snprintf(key, sizeof(key), "%s/" KEY, options->folder);
	if (*options->certificate) {
		snprintf(certificate, sizeof(certificate), "%s", options->certificate);
		snprintf(key, sizeof(key), "%s", options->key);
	} else if (access(certificate, F_OK) != 0) {
		err = pair_make(server, error);
	}
	if (err)
		return err;
	server->certificate = file_read(certificate, error);
	server->key = server->certificate ? file_read(key, error) : NULL;
	if (!server->key)
		return -EIO;
	return pair_check(server, certificate, error);
}
