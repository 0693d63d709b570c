/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Making certificates, and saying what is in one. Keys are of the curve P-256.
 *
 * A certificate that is made again keeps its key, so whoever knows it by its public key sees no change.
 *
 * Layer:   lib/tls; GnuTLS.
 * Threads: any; one at a time for a file.
 * Errors:  0 or -EINVAL, with one line in `error`, TLS_ERROR_SIZE octets.
 * Source:  RFC 5280; RFC 7469 s2.4 (digest of a public key).
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tls/tls.h"

#define TLS_DAYS     825  /**< that a certificate is good, unless said; what browsers take at most */
#define TLS_CA_DAYS  3650
#define TLS_CA       "ca" /**< name of the files of a CA */
#define TLS_HOSTS_MAX 32

enum tls_use {
	TLS_USE_CA,     /**< signs others */
	TLS_USE_SERVER,
	TLS_USE_CLIENT,
};

/** What is wanted. */
struct tls_wish {
	enum tls_use use;
	const char *name;      /**< Common Name */
	const char *const *hosts; /**< of a server: addresses, and names of hosts */
	unsigned n_hosts;
	unsigned days;
	bool own;              /**< signs itself; else the CA of the folder does. A CA always signs itself */
};

/** Write FOLDER/STEM.crt and, if there is none, FOLDER/STEM.key, of mode 0600, for the folder's owner. */
int tls_make(const char *folder, const char *stem, const struct tls_wish *wish, char *error);

/**
 * Whether FOLDER/STEM.crt and its key need not be made anew: good on the day @p left_days from now, and for all hosts.
 */
bool tls_is_current(const char *folder, const char *stem, const struct tls_wish *wish, unsigned left_days);

/** What is in the first certificate of a file. */
struct tls_info {
	int64_t from_s, to_s;  /**< since 1970 */
	char from[11], to[11]; /**< days, of UTC */
	char sha256[65];       /**< of the certificate, hexadecimal */
	char pin[53];          /**< "sha256//..." of its public key, as curl --pinnedpubkey has it */
	char name[TLS_NAME_SIZE], issuer[TLS_NAME_SIZE]; /**< Common Names */
	bool ca, server, client; /**< what it is for */
	char hosts[1024];        /**< between blanks */
};

int tls_info_read(const char *path, struct tls_info *info, char *error);
