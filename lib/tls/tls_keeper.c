/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <gnutls/x509.h>

#include "base/log.h"
#include "tls/tls.h"
#include "tls/tls_make.h"

#define FILES 3

struct tls_keeper {
	char *paths[FILES]; // certificate, key, CA
	pthread_mutex_t lock;
	struct tls_creds *creds;   // under lock, as below
	struct stat states[FILES]; // of what was read last, also in vain
};

/* ---- reading --------------------------------------------------------------------------------- */

static int pem_read(const char *path, gnutls_datum_t *pem, char *error)
{
	int err;

	errno = 0;
	err = gnutls_load_file(path, pem);
	if (err == 0)
		return 0;
	snprintf(error, TLS_ERROR_SIZE, "%.300s: cannot be read: %s", path,
		errno ? strerror(errno) : gnutls_strerror(err));
	return -EINVAL;
}

static void pem_free(gnutls_datum_t *pem)
{
	if (pem->data)
		gnutls_memset(pem->data, 0, pem->size);
	gnutls_free(pem->data);
}

static int pair_read(struct tls_creds *creds, char *const *paths, char *error)
{
	gnutls_datum_t certificate = {NULL, 0}, key = {NULL, 0};
	struct tls_info info;
	int err = pem_read(paths[0], &certificate, error);

	if (err == 0)
		err = pem_read(paths[1], &key, error);
	if (err == 0) {
		int wrong = gnutls_certificate_set_x509_key_mem(
			creds->x509, &certificate, &key, GNUTLS_X509_FMT_PEM);

		if (wrong < 0) {
			snprintf(error, TLS_ERROR_SIZE,
				"%.200s: expected a certificate, and its key in %.200s, in PEM: %s",
				paths[0], paths[1], gnutls_strerror(wrong));
			err = -EINVAL;
		}
	}
	pem_free(&certificate);
	pem_free(&key);
	if (err == 0)
		err = tls_info_read(paths[0], &info, error);
	if (err)
		return err;
	creds->expires_s = info.to_s;
	log_line(LOG_INFO, "%s: SHA-256 %s, good until %s", paths[0], info.sha256, info.to);
	if (info.to_s < time(NULL))
		log_line(LOG_WARN, "%s: is out of date, others will refuse it", paths[0]);
	return 0;
}

static int ca_read(struct tls_creds *creds, const char *path, char *error)
{
	gnutls_datum_t pem = {NULL, 0};
	int err = pem_read(path, &pem, error), n;

	if (err)
		return err;
	n = gnutls_certificate_set_x509_trust_mem(creds->x509, &pem, GNUTLS_X509_FMT_PEM);
	gnutls_free(pem.data);
	if (n <= 0) {
		snprintf(error, TLS_ERROR_SIZE, "%.300s: expected certificates in PEM%s%s", path,
			n ? ": " : "", n ? gnutls_strerror(n) : "");
		return -EINVAL;
	}
	creds->asks = true;
	return 0;
}

static struct tls_creds *creds_read(char *const *paths, char *error)
{
	struct tls_creds *creds = calloc(1, sizeof(*creds));
	int err;

	snprintf(error, TLS_ERROR_SIZE, "out of memory");
	if (!creds)
		return NULL;
	atomic_init(&creds->owners, 1);
	err = gnutls_certificate_allocate_credentials(&creds->x509) ? -ENOMEM : 0;
	if (err == 0)
		err = pair_read(creds, paths, error);
	if (err == 0 && paths[2])
		err = ca_read(creds, paths[2], error);
	if (err == 0)
		return creds;
	tls_creds_put(creds);
	return NULL;
}

void tls_creds_put(struct tls_creds *creds)
{
	if (!creds || atomic_fetch_sub(&creds->owners, 1) > 1)
		return;
	if (creds->x509)
		gnutls_certificate_free_credentials(creds->x509);
	free(creds);
}

/* ---- files that change ----------------------------------------------------------------------- */

static void states_get(char *const *paths, struct stat *states)
{
	for (unsigned i = 0; i < FILES; i++)
		if (!paths[i] || stat(paths[i], &states[i]) != 0)
			states[i] = (struct stat){0};
}

static bool same_states(const struct stat *a, const struct stat *b)
{
	for (unsigned i = 0; i < FILES; i++)
		if (a[i].st_dev != b[i].st_dev || a[i].st_ino != b[i].st_ino ||
			a[i].st_size != b[i].st_size ||
			a[i].st_mtim.tv_sec != b[i].st_mtim.tv_sec ||
			a[i].st_mtim.tv_nsec != b[i].st_mtim.tv_nsec)
			return false;
	return true;
}

int tls_keeper_open(const struct tls_files *files, struct tls_keeper **out, char *error)
{
	struct tls_keeper *keeper = calloc(1, sizeof(*keeper));

	snprintf(error, TLS_ERROR_SIZE, "out of memory");
	if (!keeper)
		return -EINVAL;
	pthread_mutex_init(&keeper->lock, NULL);
	keeper->paths[0] = strdup(files->certificate);
	keeper->paths[1] = strdup(files->key);
	keeper->paths[2] = files->ca && *files->ca ? strdup(files->ca) : NULL;
	if (keeper->paths[0] && keeper->paths[1]) {
		states_get(keeper->paths, keeper->states);
		keeper->creds = creds_read(keeper->paths, error);
	}
	if (!keeper->creds) {
		tls_keeper_close(keeper);
		return -EINVAL;
	}
	*out = keeper;
	return 0;
}

void tls_keeper_close(struct tls_keeper *keeper)
{
	if (!keeper)
		return;
	tls_creds_put(keeper->creds);
	for (unsigned i = 0; i < FILES; i++)
		free(keeper->paths[i]);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

void tls_keeper_refresh(struct tls_keeper *keeper)
{
	struct stat states[FILES];
	char error[TLS_ERROR_SIZE];
	struct tls_creds *creds;

	pthread_mutex_lock(&keeper->lock);
	states_get(keeper->paths, states);
	if (!same_states(states, keeper->states)) {
		memcpy(keeper->states, states, sizeof(states));
		creds = creds_read(keeper->paths, error);
		if (creds) {
			tls_creds_put(keeper->creds);
			keeper->creds = creds;
		} else {
			log_line(LOG_WARN, "%s; the certificate of before stays in force", error);
		}
	}
	pthread_mutex_unlock(&keeper->lock);
}

struct tls_creds *tls_keeper_get(struct tls_keeper *keeper)
{
	struct tls_creds *creds;

	pthread_mutex_lock(&keeper->lock);
	creds = keeper->creds;
	atomic_fetch_add(&creds->owners, 1);
	pthread_mutex_unlock(&keeper->lock);
	return creds;
}

int64_t tls_keeper_expires(struct tls_keeper *keeper)
{
	int64_t expires_s;

	pthread_mutex_lock(&keeper->lock);
	expires_s = keeper->creds->expires_s;
	pthread_mutex_unlock(&keeper->lock);
	return expires_s;
}
