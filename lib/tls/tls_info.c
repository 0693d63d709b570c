/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is in a certificate.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "tls/tls_make.h"
#include "tls/tls_private.h"

#define HASH_SIZE 32
#define HOST_SIZE 256

gnutls_x509_crt_t tls_crt_read(const char *path, char *error)
{
	gnutls_datum_t pem = {NULL, 0};
	gnutls_x509_crt_t crt = NULL;
	int err;

	errno = 0;
	err = gnutls_load_file(path, &pem);
	if (err < 0 && errno) {
		snprintf(
			error, TLS_ERROR_SIZE, "%.300s: cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	if (err == 0)
		err = gnutls_x509_crt_init(&crt);
	if (err == 0)
		err = gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	gnutls_free(pem.data);
	if (err == 0)
		return crt;
	if (crt)
		gnutls_x509_crt_deinit(crt);
	snprintf(error, TLS_ERROR_SIZE, "%.300s: expected a certificate in PEM: %s", path,
		gnutls_strerror(err));
	return NULL;
}

static void day_write(int64_t time_s, char text[11])
{
	const time_t t = time_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(text, 11, "%Y-%m-%d", &tm) == 0)
		strcpy(text, "-");
}

static void hashes_write(gnutls_x509_crt_t crt, struct tls_info *info)
{
	uint8_t hash[HASH_SIZE];
	gnutls_datum_t text, octets = {hash, sizeof(hash)};
	size_t size = sizeof(hash), room = sizeof(info->sha256);

	if (gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, hash, &size) == 0)
		gnutls_hex_encode(&octets, info->sha256, &room);
	size = sizeof(hash);
	if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, hash, &size) == 0 &&
		gnutls_base64_encode2(&octets, &text) == 0) {
		snprintf(info->pin, sizeof(info->pin), "sha256//%.*s", (int)text.size, text.data);
		gnutls_free(text.data);
	}
}

static void hosts_write(gnutls_x509_crt_t crt, struct tls_info *info)
{
	size_t used = 0;

	for (unsigned i = 0; used + HOST_SIZE < sizeof(info->hosts); i++) {
		char host[HOST_SIZE] = "", text[ADDR_TEXT_SIZE];
		size_t size = sizeof(host) - 1;
		int type = gnutls_x509_crt_get_subject_alt_name(crt, i, host, &size, NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return;
		if (type == GNUTLS_SAN_IPADDRESS && (size == 4 || size == 16)) {
			inet_ntop(size == 4 ? AF_INET : AF_INET6, host, text, sizeof(text));
			strcpy(host, text);
		} else if (type != GNUTLS_SAN_DNSNAME) {
			continue;
		}
		used += (size_t)snprintf(info->hosts + used, sizeof(info->hosts) - used, "%s%s",
			used ? " " : "", host);
	}
}

int tls_info_read(const char *path, struct tls_info *info, char *error)
{
	gnutls_x509_crt_t crt = tls_crt_read(path, error);
	size_t size = sizeof(info->name);
	unsigned ca = 0;

	if (!crt)
		return -EINVAL;
	*info = (struct tls_info){.from_s = gnutls_x509_crt_get_activation_time(crt),
		.to_s = gnutls_x509_crt_get_expiration_time(crt)};
	day_write(info->from_s, info->from);
	day_write(info->to_s, info->to);
	hashes_write(crt, info);
	hosts_write(crt, info);
	if (gnutls_x509_crt_get_dn_by_oid(
		    crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, info->name, &size) < 0)
		info->name[0] = '\0';
	size = sizeof(info->issuer);
	if (gnutls_x509_crt_get_issuer_dn_by_oid(
		    crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, info->issuer, &size) < 0)
		info->issuer[0] = '\0';
	info->ca = gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, NULL) >= 0 && ca;
	info->server = gnutls_x509_crt_check_key_purpose(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	info->client = gnutls_x509_crt_check_key_purpose(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
	gnutls_x509_crt_deinit(crt);
	return 0;
}
