/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/tls share.
 */
#include <gnutls/x509.h>

#define TLS_STEM_SIZE 64 /**< name of a file without its ending */

/** Read the first certificate of a file. @return taken, or NULL with one line in @p error */
gnutls_x509_crt_t tls_crt_read(const char *path, char *error);
