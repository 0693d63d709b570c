/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls/tls_make.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "base/addr.h"
#include "text/text.h"
#include "tls/tls_private.h"

#define DAY_S       86400
#define SERIAL_SIZE 16
#define ID_SIZE     20

/** What signs. */
struct signer {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

static int fail(char *error, const char *what, int err)
{
	snprintf(error, TLS_ERROR_SIZE, "%.300s: %s", what, gnutls_strerror(err));
	return -EINVAL;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void pem_write(FILE *file, const void *what)
{
	const gnutls_datum_t *pem = what;

	fwrite(pem->data, 1, pem->size, file);
}

// Takes the text.
static int pem_keep(
	const char *folder, const char *stem, const char *ending, gnutls_datum_t *pem, char *error)
{
	char name[TLS_STEM_SIZE + 8];
	int err;

	snprintf(name, sizeof(name), "%s%s", stem, ending);
	err = text_file_replace(folder, name, pem_write, pem);
	gnutls_memset(pem->data, 0, pem->size);
	gnutls_free(pem->data);
	if (err)
		snprintf(error, TLS_ERROR_SIZE, "%.300s/%s: cannot be written: %s", folder, name,
			strerror(-err));
	return err ? -EINVAL : 0;
}

static int file_path(char path[PATH_MAX], const char *folder, const char *stem, const char *ending)
{
	return snprintf(path, PATH_MAX, "%s/%s%s", folder, stem, ending) < PATH_MAX ? 0 : -EINVAL;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static int key_make(const char *folder, const char *stem, gnutls_x509_privkey_t key, char *error)
{
	gnutls_datum_t pem = {NULL, 0};
	int err = gnutls_x509_privkey_generate(
		key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

	if (err == 0)
		err = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
	return err < 0 ? fail(error, "a key cannot be made", err)
		       : pem_keep(folder, stem, ".key", &pem, error);
}

// The key of the file, or, with `make`, a new one if there is no file.
static int key_get(
	const char *folder, const char *stem, bool make, gnutls_x509_privkey_t *key, char *error)
{
	gnutls_datum_t pem = {NULL, 0};
	char path[PATH_MAX];
	int err = gnutls_x509_privkey_init(key);

	if (err < 0)
		return fail(error, "a key cannot be made", err);
	if (file_path(path, folder, stem, ".key") < 0)
		return fail(error, folder, GNUTLS_E_FILE_ERROR);
	if (make && access(path, F_OK) != 0)
		return key_make(folder, stem, *key, error);
	err = gnutls_load_file(path, &pem);
	if (err == 0)
		err = gnutls_x509_privkey_import(*key, &pem, GNUTLS_X509_FMT_PEM);
	if (pem.data)
		gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	return err < 0 ? fail(error, path, err) : 0;
}

/* ---- certificates ---------------------------------------------------------------------------- */

static int hosts_set(gnutls_x509_crt_t crt, const struct tls_wish *wish)
{
	int err = 0;

	for (unsigned i = 0; i < wish->n_hosts && err >= 0; i++) {
		const char *host = wish->hosts[i];
		struct addr addr;

		if (addr_parse(host, &addr) == 0)
			err = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS,
				addr.bytes, addr_size(addr.family), GNUTLS_FSAN_APPEND);
		else
			err = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host,
				(unsigned)strlen(host), GNUTLS_FSAN_APPEND);
	}
	return err;
}

static int use_set(gnutls_x509_crt_t crt, const struct tls_wish *wish)
{
	if (wish->use == TLS_USE_CA) {
		int err = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);

		return err < 0 ? err : gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN);
	}
	gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	return gnutls_x509_crt_set_key_purpose_oid(crt,
		wish->use == TLS_USE_SERVER ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT,
		0);
}

static int ids_set(gnutls_x509_crt_t crt, const struct signer *signer)
{
	uint8_t id[ID_SIZE];
	size_t size = sizeof(id);
	int err = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &size);

	if (err == 0)
		err = gnutls_x509_crt_set_subject_key_id(crt, id, size);
	size = sizeof(id);
	if (err == 0)
		err = gnutls_x509_crt_get_key_id(signer->crt, GNUTLS_KEYID_USE_SHA1, id, &size);
	return err ? err : gnutls_x509_crt_set_authority_key_id(crt, id, size);
}

static int dates_set(
	gnutls_x509_crt_t crt, const struct tls_wish *wish, const struct signer *signer)
{
	time_t now = time(NULL), end = now + (time_t)wish->days * DAY_S;

	// Clocks of others may be behind; and none is good for longer than its CA.
	gnutls_x509_crt_set_activation_time(crt, now - DAY_S);
	if (signer->crt != crt && end > gnutls_x509_crt_get_expiration_time(signer->crt))
		end = gnutls_x509_crt_get_expiration_time(signer->crt);
	return gnutls_x509_crt_set_expiration_time(crt, end);
}

static int crt_sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct tls_wish *wish,
	const struct signer *signer)
{
	uint8_t serial[SERIAL_SIZE];
	int err = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] = (serial[0] & 0x7f) | 0x40; // RFC 5280 s4.1.2.2: positive, and without a 0 ahead
	if (err == 0)
		err = gnutls_x509_crt_set_version(crt, 3);
	if (err == 0)
		err = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (err == 0)
		err = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, wish->name,
			(unsigned)strnlen(wish->name, TLS_NAME_SIZE - 1));
	if (err == 0)
		err = gnutls_x509_crt_set_key(crt, key);
	if (err == 0)
		err = dates_set(crt, wish, signer);
	if (err == 0)
		err = hosts_set(crt, wish);
	if (err == 0)
		err = use_set(crt, wish);
	if (err == 0)
		err = ids_set(crt, signer);
	return err ? err
		   : gnutls_x509_crt_sign2(crt, signer->crt, signer->key, GNUTLS_DIG_SHA256, 0);
}

static int ca_get(const char *folder, struct signer *ca, char *error)
{
	char path[PATH_MAX];

	if (file_path(path, folder, TLS_CA, ".crt") < 0)
		return fail(error, folder, GNUTLS_E_FILE_ERROR);
	ca->crt = tls_crt_read(path, error);
	return ca->crt ? key_get(folder, TLS_CA, false, &ca->key, error) : -EINVAL;
}

int tls_make(const char *folder, const char *stem, const struct tls_wish *wish, char *error)
{
	bool own = wish->own || wish->use == TLS_USE_CA;
	struct signer made = {NULL, NULL}, ca = {NULL, NULL};
	gnutls_datum_t pem = {NULL, 0};
	int err = gnutls_x509_crt_init(&made.crt) ? -EINVAL : 0, wrong;

	snprintf(error, TLS_ERROR_SIZE, "out of memory");
	if (err == 0 && !own)
		err = ca_get(folder, &ca, error);
	if (err == 0)
		err = key_get(folder, stem, true, &made.key, error);
	if (err == 0) {
		wrong = crt_sign(made.crt, made.key, wish, own ? &made : &ca);
		if (wrong == 0)
			wrong = gnutls_x509_crt_export2(made.crt, GNUTLS_X509_FMT_PEM, &pem);
		err = wrong < 0 ? fail(error, "a certificate cannot be made", wrong)
				: pem_keep(folder, stem, ".crt", &pem, error);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct signer *each = i ? &ca : &made;

		if (each->crt)
			gnutls_x509_crt_deinit(each->crt);
		if (each->key)
			gnutls_x509_privkey_deinit(each->key);
	}
	return err;
}

/* ---- whether it has to be made --------------------------------------------------------------- */

static bool has_host(gnutls_x509_crt_t crt, const char *host)
{
	struct addr addr;

	if (addr_parse(host, &addr) == 0)
		return gnutls_x509_crt_check_ip(crt, addr.bytes, addr_size(addr.family), 0);
	return gnutls_x509_crt_check_hostname2(crt, host, GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS);
}

bool tls_is_current(
	const char *folder, const char *stem, const struct tls_wish *wish, unsigned left_days)
{
	char path[PATH_MAX], error[TLS_ERROR_SIZE];
	gnutls_x509_crt_t crt = NULL;
	bool good;

	if (file_path(path, folder, stem, ".key") < 0 || access(path, F_OK) != 0)
		return false;
	if (file_path(path, folder, stem, ".crt") == 0)
		crt = tls_crt_read(path, error);
	if (!crt)
		return false;
	good = gnutls_x509_crt_get_expiration_time(crt) > time(NULL) + (time_t)left_days * DAY_S;
	for (unsigned i = 0; i < wish->n_hosts; i++)
		good = good && has_host(crt, wish->hosts[i]);
	gnutls_x509_crt_deinit(crt);
	return good;
}
